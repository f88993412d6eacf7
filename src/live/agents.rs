//! The HTTP clients for a server: certificates, proxy, time limits.

use std::sync::Arc;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Proxy};

use super::address::Address;
use super::client::TIMEOUT;
use super::config::{Access, Tls};

/// For the server itself, and for others, which are shown no certificate.
///
/// # Errors
///
/// When a certificate, a key or a proxy cannot be used.
pub(super) fn new(address: &Address, access: &Access) -> Result<(Agent, Agent), String> {
    let own = config(address, access, access.tls.client.as_ref())?;
    let other_host = Agent::new_with_config(config(address, access, None)?);
    if access.tls.server_name.is_none() {
        return Ok((Agent::new_with_config(own), other_host));
    }
    // The name stands in the place of the host, so that TLS asks for it; it is looked up as the host.
    let resolver = InPlaceOf { host: address.host().to_owned(), inner: DefaultResolver::default() };
    Ok((Agent::with_parts(own, DefaultConnector::default(), resolver), other_host))
}

fn config(address: &Address, access: &Access, client: Option<&(Vec<u8>, Vec<u8>)>) -> Result<Config, String> {
    let proxy =
        match &access.proxy {
            Some(proxy) => Some(Proxy::new(proxy).map_err(|_| {
                "its `proxy_url` cannot be used (expected something like `http://proxy:3128`)".to_owned()
            })?),
            None if address.is_loopback() => None,
            None => Proxy::try_from_env(),
        };
    let builder = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("leaktrend/", env!("CARGO_PKG_VERSION")))
        .accept("application/json")
        .proxy(proxy)
        .timeout_connect(Some(Duration::from_secs(10)))
        // The server gives up before.
        .timeout_recv_response(Some(TIMEOUT + Duration::from_secs(30)))
        .timeout_per_read(Some(Duration::from_mins(1)))
        .tls_config(tls(&access.tls, client)?);
    Ok(builder.build())
}

fn tls(tls: &Tls, client: Option<&(Vec<u8>, Vec<u8>)>) -> Result<TlsConfig, String> {
    let authorities: Vec<Certificate<'static>> = if let Some(pem) = &tls.authorities {
        certificates(pem, "ca_file")?
    } else {
        // One that cannot be read is not trusted; a server that needs it says so.
        let found = rustls_native_certs::load_native_certs().certs;
        found.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
    };
    let client = match client {
        Some((certificate, key)) => {
            let key = PrivateKey::from_pem(key)
                .map_err(|_| "its `key_file` holds no private key (expected PEM, unencrypted)".to_owned())?;
            Some(ClientCert::new_with_certs(&certificates(certificate, "cert_file")?, key))
        }
        None => None,
    };
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::new_with_certs(&authorities))
        .client_cert(client)
        .disable_verification(tls.skip_verify)
        .build())
}

fn certificates(pem: &[u8], key: &str) -> Result<Vec<Certificate<'static>>, String> {
    let certificates: Vec<Certificate<'static>> = parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(format!("its `{key}` holds no certificate (expected PEM, with `BEGIN CERTIFICATE`)"));
    }
    Ok(certificates)
}

/// Looks up one host, whatever the address says.
#[derive(Debug)]
struct InPlaceOf {
    host: String,
    inner: DefaultResolver,
}

impl Resolver for InPlaceOf {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let port = uri.port_u16().map_or(String::new(), |port| format!(":{port}"));
        let scheme = uri.scheme_str().unwrap_or("https");
        let uri = format!("{scheme}://{}{port}/", self.host).parse().map_err(|_| ureq::Error::HostNotFound)?;
        self.inner.resolve(&uri, config, timeout)
    }
}
