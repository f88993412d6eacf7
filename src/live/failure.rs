//! What went wrong with a request, in words that say what to do, and whether asking again may help.

use std::time::Duration;

use serde::Deserialize;
use ureq::http::{HeaderMap, StatusCode};

use super::address::Address;
use super::config::Access;
use crate::account::cleaned;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The answer would be larger than the server allows, or takes longer: a part of it may do. What the server said.
    TooLarge(String),
    /// The server does not do what it was asked for. What it said.
    Refused(String),
    /// The whole cannot be done.
    Fatal(String),
}

impl Failure {
    pub(super) fn text(&self) -> &str {
        match self {
            Failure::TooLarge(text) | Failure::Refused(text) | Failure::Fatal(text) => text,
        }
    }

    /// The same with another text.
    pub(super) fn map(self, change: impl FnOnce(&str) -> String) -> Failure {
        match self {
            Failure::TooLarge(text) => Failure::TooLarge(change(&text)),
            Failure::Refused(text) => Failure::Refused(change(&text)),
            Failure::Fatal(text) => Failure::Fatal(change(&text)),
        }
    }
}

/// What came of one try.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tried {
    Failed(Failure),
    /// `POST` is not allowed here.
    UseGet,
    /// Asking again may help, after a pause when the server asks for one.
    Again {
        why: String,
        pause: Option<Duration>,
    },
}

/// An error as the API words it.
#[derive(Deserialize)]
struct ErrorText {
    #[serde(rename = "errorType", default)]
    error_type: Option<String>,
    error: Option<String>,
}

/// An answer that is no success. `asked`: who gave it; `own`: who was meant.
pub(super) fn of_status(
    status: StatusCode,
    headers: &HeaderMap,
    text: &str,
    asked: &Address,
    own: &Address,
    was_post: bool,
) -> Tried {
    let name = status.canonical_reason().unwrap_or_default();
    let answered = format!("it answered {} {name}", status.as_u16()).trim_end().to_owned();
    let error: Option<ErrorText> = serde_json::from_str(text).ok();
    let error_type = error.as_ref().and_then(|error| error.error_type.clone()).unwrap_or_default();
    let said = error
        .and_then(|error| error.error)
        .unwrap_or_else(|| if is_page(text) { String::new() } else { text.to_owned() });
    // Some say the status again.
    let said = cleaned(said.trim(), 300);
    let said = if said.eq_ignore_ascii_case(name) { String::new() } else { said };
    let message = if said.is_empty() { answered.clone() } else { format!("{answered}: {said}") };
    let fatal = |hint: &str| Tried::Failed(Failure::Fatal(format!("{message} ({hint})")));
    let elsewhere = !own.is_same_server(asked);
    match status.as_u16() {
        405 | 501 if was_post => Tried::UseGet,
        413 | 504 => Tried::Failed(Failure::TooLarge(message)),
        400 | 422 | 500 if is_too_large(&said) => Tried::Failed(Failure::TooLarge(message)),
        503 if error_type == "timeout" => Tried::Failed(Failure::TooLarge(message)),
        401 | 403 if elsewhere => fatal(&format!(
            "the request was redirected to `{asked}`, which receives no credentials: use that address instead"
        )),
        401 => fatal("expected credentials: `--http-config` with `basic_auth` or `authorization`, or `--header`"),
        403 => fatal("these credentials have no permission to read this"),
        429 | 503 => Tried::Again { why: message, pause: retry_after(headers) },
        500 | 502 | 408 => Tried::Again { why: message, pause: None },
        404 if is_page(text) || error_type.is_empty() => fatal(
            "expected the HTTP API of Prometheus: is a path missing, such as `/prometheus`, or `/select/0/prometheus` of VictoriaMetrics?",
        ),
        300..400 => fatal("it redirects without a target, or `follow_redirects: false` forbids it"),
        400 | 404 | 422 => Tried::Failed(Failure::Refused(message)),
        _ => fatal("expected the HTTP API of Prometheus"),
    }
}

/// Whether what a server says is that a query is too much for it: Prometheus, Thanos, Mimir, `VictoriaMetrics`.
fn is_too_large(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    let words = [
        "too many samples",
        "too many",
        "exceed",
        "limit",
        "maximum number",
        "maxsamples",
        "timed out",
        "timeout",
        "query processing would load",
    ];
    words.iter().any(|word| said.contains(word)) && !said.contains("rate limit") && !said.contains("parse error")
}

/// The pause that a server asks for: seconds, or a date beside its own.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let after = text("retry-after")?.trim();
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| chrono::DateTime::parse_from_rfc2822(text).ok().map(|date| date.timestamp());
    let seconds = date(after)? - date(text("date")?)?;
    Some(Duration::from_secs(seconds.max(0) as u64))
}

fn is_page(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

/// An answer that is a page to look at.
pub(super) fn page(begins: &str, asked: &Address, own: &Address) -> String {
    let title = begins.split_once("<title>").and_then(|(_, after)| after.split('<').next());
    let title = title.map_or(String::new(), |title| format!(" with the title `{}`", cleaned(title.trim(), 60)));
    let hint = if own.is_same_server(asked) {
        "is a path missing, such as `/prometheus`, or is it a login page that needs `--http-config` or `--header`?"
            .to_owned()
    } else {
        format!("the request was redirected to `{asked}`, which receives no credentials")
    };
    format!("it answered with a web page{title} (expected the HTTP API of Prometheus: {hint})")
}

/// An answer that is something else.
pub(super) fn not_the_api(why: &str) -> String {
    format!(
        "its answer does not come from the HTTP API of Prometheus: {} (is a path missing, such as `/prometheus`?)",
        cleaned(why, 200)
    )
}

fn no_host(server: &Address) -> String {
    format!("the host `{}` is unknown (is it spelled correctly, and is this machine in its network?)", server.host())
}

/// A connection that failed. Before anything was answered there is no point in asking again and again.
pub(super) fn of_connection(error: &ureq::Error, server: &Address, access: &Access, has_answered: bool) -> Tried {
    let fatal = |why: String| Tried::Failed(Failure::Fatal(why));
    let text = access.without_secrets(error.to_string().trim_start_matches("io: ").trim_start_matches("rustls: "));
    let wants_client =
        "it requires a client certificate: `cert_file` and `key_file` in `tls_config` of `--http-config`";
    match error {
        // Also within an error of the connection.
        _ if text.contains("invalid peer certificate") || text.contains("received fatal alert") => {
            let has = |name: &str| text.contains(name);
            let hint = if has("UnknownIssuer") || has("CaUsedAsEndEntity") {
                " (this system does not trust the authority that signed its certificate: set `ca_file` in `tls_config` of `--http-config`)".to_owned()
            } else if has("not valid for name") {
                " (set `server_name` in `tls_config` of `--http-config` to a name on its certificate)".to_owned()
            } else if has("CertificateRequired") || has("HandshakeFailure") || has("BadCertificate") || has("UnknownCA")
            {
                format!(" ({wants_client})")
            } else {
                String::new()
            };
            fatal(format!("TLS fails: {}{hint}", cleaned(&text, 200)))
        }
        ureq::Error::HostNotFound => fatal(no_host(server)),
        ureq::Error::Io(error) if !has_answered && error.to_string().contains("lookup address") => {
            fatal(no_host(server))
        }
        ureq::Error::Timeout(ureq::Timeout::RecvResponse) => {
            Tried::Failed(Failure::TooLarge("it did not answer in time".to_owned()))
        }
        ureq::Error::Io(error) if !has_answered && error.kind() == std::io::ErrorKind::ConnectionRefused => {
            fatal(format!("nothing listens there: {error} (is the port right?)"))
        }
        ureq::Error::Timeout(_) if !has_answered => {
            fatal("it cannot be reached in 10 s (is the address right, and is this machine in its network?)".to_owned())
        }
        ureq::Error::ConnectProxyFailed(_) => {
            fatal("the proxy refuses to connect (`proxy_url` of `--http-config`, or `HTTPS_PROXY`)".to_owned())
        }
        _ => {
            // A server may close the connection before it is known why.
            let is_unknown = server.scheme == "https" && !has_answered && access.tls.client.is_none();
            let hint = if is_unknown { format!(" (perhaps {wants_client})") } else { String::new() };
            Tried::Again { why: format!("the connection broke: {}{hint}", cleaned(&text, 200)), pause: None }
        }
    }
}
