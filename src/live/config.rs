//! `--http-config`: the `http_client_config` of Prometheus, as `promtool --http.config.file` takes it, and `--header`.
//!
//! Files that it names are found beside it. `oauth2` is refused by name; no message repeats a value.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use ureq::http::{HeaderName, HeaderValue};

use super::address::UserInfo;

/// How a server is reached. Its text form holds no secret.
#[derive(Clone, Default)]
pub struct Access {
    /// Sent with every request to the server itself, and to no other.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// Texts that must not be shown.
    pub(super) secrets: Vec<String>,
    pub(super) tls: Tls,
    pub(super) proxy: Option<String>,
    pub(super) follow_redirects: bool,
}

/// `tls_config`, with the contents of its files.
#[derive(Clone, Default)]
pub(super) struct Tls {
    /// PEM; `None`: the authorities that the system trusts.
    pub(super) authorities: Option<Vec<u8>>,
    /// PEM of the certificates and the key.
    pub(super) client: Option<(Vec<u8>, Vec<u8>)>,
    pub(super) server_name: Option<String>,
    pub(super) skip_verify: bool,
}

// Nothing prints a secret by mistake.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access")
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct FileText {
    basic_auth: Option<BasicAuth>,
    authorization: Option<Authorization>,
    bearer_token: Option<String>,
    bearer_token_file: Option<PathBuf>,
    oauth2: Option<serde::de::IgnoredAny>,
    tls_config: Option<TlsText>,
    proxy_url: Option<String>,
    follow_redirects: Option<bool>,
    // Requests are HTTP/1.1 in any case.
    #[serde(rename = "enable_http2")]
    _enable_http2: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BasicAuth {
    username: Option<String>,
    username_file: Option<PathBuf>,
    password: Option<String>,
    password_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authorization {
    r#type: Option<String>,
    credentials: Option<String>,
    credentials_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsText {
    ca: Option<String>,
    ca_file: Option<PathBuf>,
    cert: Option<String>,
    cert_file: Option<PathBuf>,
    key: Option<String>,
    key_file: Option<PathBuf>,
    server_name: Option<String>,
    #[serde(default)]
    insecure_skip_verify: bool,
}

impl Access {
    /// Reads the file of `--http-config`, adds what stood in the address and the headers of `--header`.
    ///
    /// # Errors
    ///
    /// What was found and what was expected, as the end of a sentence that names the option; without values.
    pub fn new(config: Option<&Path>, user: Option<&UserInfo>, headers: &[String]) -> Result<Access, String> {
        let mut access = match config {
            Some(path) => of_file(path).map_err(|why| format!("`--http-config {}`: {why}", path.display()))?,
            None => Access { follow_redirects: true, ..Access::default() },
        };
        if let Some(user) = user {
            let is_given = access.headers.iter().any(|(name, _)| name == "authorization");
            if is_given {
                return Err(
                    "the address and `--http-config` both contain credentials (expected one of the two)".to_owned()
                );
            }
            access.basic_auth(&user.user, &user.password)?;
        }
        for header in headers {
            access.header(header)?;
        }
        Ok(access)
    }

    /// A text without what must not be shown.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    fn secret(&mut self, text: &str) {
        // Shorter ones would be found in any text.
        if 4 <= text.len() {
            self.secrets.push(text.to_owned());
        }
    }

    fn basic_auth(&mut self, user: &str, password: &str) -> Result<(), String> {
        let encoded = STANDARD.encode(format!("{user}:{password}"));
        self.secret(&encoded);
        self.secret(password);
        self.authorization("Basic", &encoded)
    }

    fn authorization(&mut self, kind: &str, credentials: &str) -> Result<(), String> {
        self.secret(credentials);
        let value = HeaderValue::from_str(&format!("{kind} {credentials}")).map_err(|_| {
            "its credentials contain characters that are not allowed in a header (is it the right file?)".to_owned()
        })?;
        self.headers.push((HeaderName::from_static("authorization"), value));
        Ok(())
    }

    /// `Name: value`, as curl takes it.
    fn header(&mut self, text: &str) -> Result<(), String> {
        // A text without a name may be a secret.
        let Some((name, value)) = text.split_once(':') else {
            return Err("`--header`: it has no `:` (expected something like `X-Scope-OrgID: shop`)".to_owned());
        };
        let (name, value) = (name.trim(), value.trim());
        let refused = |why: &str| format!("`--header '{}: ...'`: {why}", crate::account::cleaned(name, 60));
        let header: HeaderName = name.parse().map_err(|_| refused("it is not the name of a header"))?;
        let is_own = ["host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding"]
            .contains(&header.as_str());
        if is_own {
            return Err(refused("leaktrend sends this header itself"));
        }
        let sent = HeaderValue::from_str(value)
            .map_err(|_| refused("its value contains characters that are not allowed in a header"))?;
        // A tenant is no secret, and it is what an error of the server is about.
        if !header.as_str().contains("orgid") && header != "accept" && header != "user-agent" {
            self.secret(value);
            if let Some((_, credentials)) = value.split_once(' ') {
                self.secret(credentials);
            }
        }
        self.headers.retain(|(other, _)| *other != header);
        self.headers.push((header, sent));
        Ok(())
    }
}

/// What a file of `--http-config` says.
fn of_file(path: &Path) -> Result<Access, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let text: FileText = if text.trim().is_empty() {
        FileText::default()
    } else {
        serde_saphyr::from_str(&text).map_err(|error| not_understood(&error.without_snippet().to_string()))?
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let read = |key: &str, file: &Path| {
        let file = folder.join(file);
        fs::read(&file).map_err(|error| format!("its `{key}`, `{}`, cannot be read: {error}", file.display()))
    };
    let line = |key: &str, file: &Path| {
        let bytes = read(key, file)?;
        let text = String::from_utf8(bytes).map_err(|_| format!("its `{key}`, `{}`, is not text", file.display()))?;
        Ok::<_, String>(text.trim().to_owned())
    };
    // What may stand in the file itself, or in one that it names.
    let either = |name: &str, value: Option<String>, file: Option<&Path>| match (value, file) {
        (Some(_), Some(_)) => Err(format!("it has `{name}` and `{name}_file` (expected one of the two)")),
        (value, None) => Ok(value),
        (None, Some(file)) => line(&format!("{name}_file"), file).map(Some),
    };

    if text.oauth2.is_some() {
        return Err("it has `oauth2`, which leaktrend does not support (expected `authorization` with a token: \
                    fetch one and name its file in `credentials_file`)"
            .to_owned());
    }
    let bearer = either("bearer_token", text.bearer_token, text.bearer_token_file.as_deref())?;
    let n_ways = [text.basic_auth.is_some(), text.authorization.is_some(), bearer.is_some()];
    if 1 < n_ways.iter().filter(|is_given| **is_given).count() {
        return Err(
            "it contains several kinds of credentials (expected one of `basic_auth`, `authorization` and `bearer_token`)"
                .to_owned(),
        );
    }
    let mut access = Access { follow_redirects: text.follow_redirects.unwrap_or(true), ..Access::default() };
    if let Some(basic) = text.basic_auth {
        let user = either("username", basic.username, basic.username_file.as_deref())?.unwrap_or_default();
        let password = either("password", basic.password, basic.password_file.as_deref())?.unwrap_or_default();
        access.basic_auth(&user, &password)?;
    }
    if let Some(authorization) = text.authorization {
        let credentials = either("credentials", authorization.credentials, authorization.credentials_file.as_deref())?;
        let credentials = credentials.ok_or("its `authorization` has no `credentials`")?;
        let kind = authorization.r#type.unwrap_or_else(|| "Bearer".to_owned());
        if kind.eq_ignore_ascii_case("basic") {
            return Err("its `authorization` has the type `Basic` (expected `basic_auth` for that)".to_owned());
        }
        access.authorization(kind.trim(), &credentials)?;
    }
    if let Some(token) = bearer {
        access.authorization("Bearer", &token)?;
    }
    if let Some(tls) = text.tls_config {
        let pem = |name: &str, value: Option<String>, file: Option<&Path>| match (value, file) {
            (Some(_), Some(_)) => {
                Err(format!("its `tls_config` has `{name}` and `{name}_file` (expected one of the two)"))
            }
            (None, None) => Ok(None),
            (Some(value), None) => Ok(Some(value.into_bytes())),
            (None, Some(file)) => read(&format!("{name}_file"), file).map(Some),
        };
        let certificate = pem("cert", tls.cert, tls.cert_file.as_deref())?;
        let key = pem("key", tls.key, tls.key_file.as_deref())?;
        let client = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(_), None) => {
                return Err("its `tls_config` has a client certificate but no key (expected `key_file` too)".to_owned());
            }
            (None, Some(_)) => {
                return Err(
                    "its `tls_config` has a client key but no certificate (expected `cert_file` too)".to_owned()
                );
            }
        };
        access.tls = Tls {
            authorities: pem("ca", tls.ca, tls.ca_file.as_deref())?,
            client,
            server_name: tls.server_name.filter(|name| !name.is_empty()),
            skip_verify: tls.insecure_skip_verify,
        };
    }
    access.proxy = text.proxy_url.filter(|proxy| !proxy.is_empty());
    if let Some(proxy) = access.proxy.clone()
        && let Some((before, _)) = proxy.rsplit_once('@')
        && let Some((_, password)) = before.rsplit_once(':')
    {
        access.secret(password);
    }
    if access.proxy.is_some() && access.tls.server_name.is_some() {
        return Err("it has `proxy_url` and `server_name`, which leaktrend cannot combine".to_owned());
    }
    Ok(access)
}

/// What is wrong with the YAML, without values: where, and which key if that is what is wrong.
fn not_understood(message: &str) -> String {
    let expected = "expected the `http_client_config` of Prometheus: `basic_auth`, `authorization`, `bearer_token_file`, \
                    `tls_config`, `proxy_url`";
    let quoted = |text: &str| text.split('`').nth(1).map(|key| crate::account::cleaned(key, 60));
    if let Some((_, after)) = message.split_once("unknown field")
        && let Some(key) = quoted(after)
    {
        return format!("its key `{key}` is not known here ({expected})");
    }
    let line = message.split_once("line ").and_then(|(_, after)| {
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then_some(digits)
    });
    let line = line.map_or(String::new(), |line| format!(", line {line}"));
    format!("it cannot be read as YAML of that form{line} ({expected})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Access, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("http.yml");
        fs::write(&path, text).unwrap();
        fs::write(folder.path().join("token"), "from-a-file\n").unwrap();
        of_file(&path).map_err(|why| why.replace(&folder.path().display().to_string(), "DIR"))
    }

    fn authorization(text: &str) -> String {
        let access = read(text).unwrap();
        let headers = access.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        headers.collect::<Vec<_>>().concat()
    }

    #[test]
    fn who_asks_is_said_as_prometheus_says_it() {
        assert_eq!(
            authorization("basic_auth: {username: ann, password: secret}"),
            "authorization: Basic YW5uOnNlY3JldA=="
        );
        assert_eq!(
            authorization("basic_auth: {username: ann, password_file: token}"),
            "authorization: Basic YW5uOmZyb20tYS1maWxl"
        );
        assert_eq!(authorization("authorization: {credentials_file: token}"), "authorization: Bearer from-a-file");
        assert_eq!(authorization("authorization: {type: Token, credentials: x}"), "authorization: Token x");
        assert_eq!(authorization("bearer_token: x\nenable_http2: false\n"), "authorization: Bearer x");
        assert_eq!(authorization(""), "");
    }

    #[test]
    fn what_cannot_be_done_is_refused_without_a_secret() {
        let refusal = |text: &str| {
            let why = read(text).err().unwrap();
            assert!(!why.contains("secret"), "{why}");
            why
        };
        insta::assert_snapshot!(refusal("oauth2: {client_id: x, client_secret: secret}"), @"it has `oauth2`, which leaktrend does not support (expected `authorization` with a token: fetch one and name its file in `credentials_file`)");
        insta::assert_snapshot!(refusal("basic_auth: secret"));
        insta::assert_snapshot!(refusal("basic_auth:\n  username: ann\n  pasword: secret\n"));
        insta::assert_snapshot!(refusal("bearer_token: [secret"));
        insta::assert_snapshot!(refusal("bearer_token: secret\nbasic_auth: {username: ann, password: secret}"), @"it contains several kinds of credentials (expected one of `basic_auth`, `authorization` and `bearer_token`)");
        insta::assert_snapshot!(refusal("bearer_token: secret\nbearer_token_file: token"), @"it has `bearer_token` and `bearer_token_file` (expected one of the two)");
        insta::assert_snapshot!(refusal("bearer_token_file: absent"), @"its `bearer_token_file`, `DIR/absent`, cannot be read: No such file or directory (os error 2)");
        insta::assert_snapshot!(refusal("tls_config: {cert_file: token}"), @"its `tls_config` has a client certificate but no key (expected `key_file` too)");
        insta::assert_snapshot!(refusal("authorization: {type: Basic, credentials: secret}"), @"its `authorization` has the type `Basic` (expected `basic_auth` for that)");
    }

    #[test]
    fn headers_are_those_of_curl() {
        let with = |header: &str| Access::new(None, None, &[header.to_owned()]);
        let access = with("X-Scope-OrgID: shop").unwrap();
        assert_eq!(access.headers, [(HeaderName::from_static("x-scope-orgid"), HeaderValue::from_static("shop"))]);
        assert_eq!(with("Authorization: Bearer s3cret").unwrap().without_secrets("a s3cret b"), "a *** b");
        let refusal = |header: &str| with(header).err().unwrap();
        insta::assert_snapshot!(refusal("s3cret"), @"`--header`: it has no `:` (expected something like `X-Scope-OrgID: shop`)");
        insta::assert_snapshot!(refusal("a b: s3cret"), @"`--header 'a b: ...'`: it is not the name of a header");
        insta::assert_snapshot!(refusal("Host: x"), @"`--header 'Host: ...'`: leaktrend sends this header itself");
        insta::assert_snapshot!(refusal("x: s3cret\u{1}"), @"`--header 'x: ...'`: its value contains characters that are not allowed in a header");
    }
}
