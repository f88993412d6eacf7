//! TLS with an authority that nobody else trusts, and with certificates of clients. Certificates are made by the test.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use leaktrend::live::{Access, Wanted};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::scripted::{Scripted, Shop};
use super::{run, samples, wanted};

/// A certificate and its key, as PEM.
struct Pair {
    certificate: String,
    key: String,
}

struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Authority { certificate, issuer: Issuer::new(params, key) }
    }

    fn sign(&self, name: &str) -> Pair {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        Pair { certificate: params.signed_by(&key, &self.issuer).unwrap().pem(), key: key.serialize_pem() }
    }
}

/// A server with the certificate of this name; `of_clients` is whose certificates it wants from clients.
fn server(authority: &Authority, name: &str, of_clients: Option<&Authority>) -> Scripted {
    let Pair { certificate, key } = authority.sign(name);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = match of_clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(clients.certificate.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let config =
        Arc::new(builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap());
    Scripted::behind(
        move |stream, serve| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            serve(&mut stream);
            stream.conn.send_close_notify();
            // Who asked may have gone.
            let _ = stream.conn.write_tls(&mut stream.sock);
        },
        |request, _| Shop::SMALL.answer(request),
    )
}

/// What comes of reading a server with this `tls_config`.
fn read(server: &Scripted, folder: &Path, tls_config: &str) -> Result<usize, String> {
    let config = folder.join("http.yml");
    fs::write(&config, format!("tls_config: {tls_config}\n")).unwrap();
    let access = Access::new(Some(&config), None, &[])?;
    let ran = run(&Wanted { access, ..wanted(&server.address().replace("http", "https")) });
    if ran.read.is_ok() { Ok(samples(ran.text()).len()) } else { Err(ran.why()) }
}

#[test]
fn a_private_authority_is_trusted_where_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    fs::write(folder.path().join("ca.pem"), &authority.certificate).unwrap();
    let by_address = server(&authority, "127.0.0.1", None);
    assert_eq!(read(&by_address, folder.path(), "{ca_file: ca.pem}"), Ok(720));
    assert_eq!(read(&by_address, folder.path(), "{insecure_skip_verify: true}"), Ok(720));
    insta::assert_snapshot!(read(&by_address, folder.path(), "{}").unwrap_err(), @"TLS fails: invalid peer certificate: UnknownIssuer (this system does not trust the authority that signed its certificate: set `ca_file` in `tls_config` of `--http-config`)");

    let by_name = server(&authority, "prometheus.example", None);
    assert_eq!(read(&by_name, folder.path(), "{ca_file: ca.pem, server_name: prometheus.example}"), Ok(720));
    let host = format!("127.0.0.1:{}", by_name.port);
    assert!(by_name.asked().iter().all(|request| request.header("host") == Some(host.as_str())));
    insta::assert_snapshot!(read(&by_name, folder.path(), "{ca_file: ca.pem}").unwrap_err(), @r#"TLS fails: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("prometheus.example") (set `server_name` in `tls_config` of `--http-config` to a name on its certificate)"#);
}

#[test]
fn a_client_shows_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, clients, others) = (Authority::new(), Authority::new(), Authority::new());
    fs::write(folder.path().join("ca.pem"), &authority.certificate).unwrap();
    for (name, authority) in [("own", &clients), ("other", &others)] {
        let Pair { certificate, key } = authority.sign("leaktrend");
        fs::write(folder.path().join(format!("{name}.pem")), certificate).unwrap();
        fs::write(folder.path().join(format!("{name}.key")), key).unwrap();
    }
    let server = server(&authority, "127.0.0.1", Some(&clients));
    assert_eq!(read(&server, folder.path(), "{ca_file: ca.pem, cert_file: own.pem, key_file: own.key}"), Ok(720));
    let without = read(&server, folder.path(), "{ca_file: ca.pem}").unwrap_err();
    // Whether the reason arrives before the connection is closed is a matter of luck.
    assert!(without.contains("it requires a client certificate: `cert_file` and `key_file`"), "{without}");
    assert!(read(&server, folder.path(), "{ca_file: ca.pem, cert_file: other.pem, key_file: other.key}").is_err());
}

#[test]
fn files_that_are_no_certificates_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    fs::write(folder.path().join("ca.pem"), &authority.certificate).unwrap();
    fs::write(folder.path().join("text"), "s3cret").unwrap();
    let server = server(&authority, "127.0.0.1", None);
    insta::assert_snapshot!(read(&server, folder.path(), "{ca_file: text}").unwrap_err(), @"its `ca_file` holds no certificate (expected PEM, with `BEGIN CERTIFICATE`)");
    insta::assert_snapshot!(read(&server, folder.path(), "{cert_file: ca.pem, key_file: text}").unwrap_err(), @"its `key_file` holds no private key (expected PEM, unencrypted)");
}
