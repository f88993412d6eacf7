//! Asks a server, gently: a pause when it says so, few tries, and what is secret only to the server itself.

use std::cell::Cell;
use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use ureq::http::{HeaderMap, Response, StatusCode};
use ureq::{Agent, Body};

use super::address::{self, Address};
use super::agents;
use super::config::Access;
use super::failure::{self, Failure, Tried};
use super::query::encoded;

/// How long the server may evaluate a query: sent along as `timeout`.
pub(super) const TIMEOUT: Duration = Duration::from_mins(2);

/// How often a request is sent before it is given up.
const MAX_TRIES: u32 = 5;

/// The pause after the first failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// A longer pause is not waited for.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);

/// Redirects lead no further.
const MAX_REDIRECTS: u32 = 5;

/// What the program lends to the library, which neither sleeps nor draws random numbers.
pub struct Host<'a> {
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
    /// Waits.
    pub sleep: &'a (dyn Fn(Duration) + Sync),
    /// Where random numbers begin: machines that were started together do not ask again together.
    pub seed: u64,
}

/// Asks one server.
pub(super) struct Client<'a> {
    address: Address,
    access: &'a Access,
    host: &'a Host<'a>,
    /// For the server itself, and for others: the second shows no certificate.
    agent: Agent,
    other_host: Agent,
    /// Some gateways let only `GET` through.
    use_get: AtomicBool,
    /// Whether anything was answered yet.
    has_answered: AtomicBool,
    random: AtomicU64,
    /// Held while the server wants a pause: nobody asks then.
    pause: Mutex<()>,
}

/// The parameters of a request.
pub(super) type Form<'a> = &'a [(&'a str, String)];

/// Why the body of an answer could not be used.
pub(super) enum Unread {
    /// It broke off: asking again may help.
    BrokeOff,
    /// Asking again does not help.
    Useless(Failure),
}

impl<'a> Client<'a> {
    /// # Errors
    ///
    /// When a certificate, a key or a proxy cannot be used.
    pub(super) fn new(address: Address, access: &'a Access, host: &'a Host<'a>) -> Result<Client<'a>, String> {
        let (agent, other_host) = agents::new(&address, access)?;
        Ok(Client {
            address,
            access,
            host,
            agent,
            other_host,
            use_get: AtomicBool::new(false),
            has_answered: AtomicBool::new(false),
            random: AtomicU64::new(host.seed),
            pause: Mutex::new(()),
        })
    }

    /// A small answer.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, path: &str, form: Form<'_>) -> Result<T, Failure> {
        self.ask(path, form, &mut |body| {
            serde_json::from_reader(body).map_err(|error| {
                let why = error.to_string();
                if error.is_eof() || error.is_io() {
                    Unread::BrokeOff
                } else {
                    Unread::Useless(Failure::Fatal(failure::not_the_api(&why)))
                }
            })
        })
    }

    /// Asks until there is an answer, and gives its body to `read`, which may be called again for another try.
    pub(super) fn ask<T>(
        &self,
        path: &str,
        form: Form<'_>,
        read: &mut dyn FnMut(&mut dyn BufRead) -> Result<T, Unread>,
    ) -> Result<T, Failure> {
        let mut n_tries = 0;
        loop {
            // While another request makes everybody wait, nobody asks.
            drop(self.pause.lock().unwrap_or_else(PoisonError::into_inner));
            n_tries += 1;
            let (why, pause) = match self.once(path, form, read) {
                Ok(found) => return Ok(found),
                Err(Tried::Failed(failure)) => return Err(self.shown(failure)),
                Err(Tried::UseGet) => {
                    self.use_get.store(true, Ordering::Relaxed);
                    n_tries -= 1;
                    continue;
                }
                Err(Tried::Again { why, pause }) => (why, pause),
            };
            if n_tries == MAX_TRIES {
                return Err(self.shown(Failure::Fatal(format!("{why}, {MAX_TRIES} times (try again later)"))));
            }
            match pause {
                Some(pause) if LONGEST_PAUSE < pause => {
                    return Err(self.shown(Failure::Fatal(format!(
                        "{why}, and asks for a pause of {} s (`Retry-After`; leaktrend waits for {} s at most: try again later)",
                        pause.as_secs(),
                        LONGEST_PAUSE.as_secs()
                    ))));
                }
                Some(pause) => {
                    let _everybody = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
                    (self.host.sleep)(pause + self.jittered(FIRST_PAUSE));
                }
                None => (self.host.sleep)(self.jittered(FIRST_PAUSE * 2_u32.pow(n_tries - 1))),
            }
        }
    }

    fn shown(&self, failure: Failure) -> Failure {
        failure.map(|text| self.access.without_secrets(text))
    }

    /// Between a half and all of a pause.
    fn jittered(&self, pause: Duration) -> Duration {
        // SplitMix64: Steele, Lea and Flood (2014).
        let mut z = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        pause.mul_f64(0.5 + (z >> 11) as f64 / (1_u64 << 54) as f64)
    }

    fn once<T>(
        &self,
        path: &str,
        form: Form<'_>,
        read: &mut dyn FnMut(&mut dyn BufRead) -> Result<T, Unread>,
    ) -> Result<T, Tried> {
        let (mut response, asked) = self.send(path, form)?;
        let status = response.status();
        let headers = response.headers().clone();
        if !status.is_success() {
            let mut text = Vec::new();
            // What there is of it: an error may break off, too.
            let _ = plain_body(&headers, response.body_mut().as_reader().take(64 << 10)).read_to_end(&mut text);
            let text = String::from_utf8_lossy(&text);
            return Err(failure::of_status(
                status,
                &headers,
                &text,
                &asked,
                &self.address,
                !self.use_get.load(Ordering::Relaxed),
            ));
        }
        let n_bytes = Cell::new(0);
        let counted = Counted { reader: response.body_mut().as_reader(), n_bytes: &n_bytes };
        let mut body = BufReader::with_capacity(64 << 10, plain_body(&headers, counted));
        let begins = body.fill_buf().map(|bytes| String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).into_owned());
        if let Ok(begins) = &begins
            && begins.trim_start().starts_with('<')
        {
            return Err(Tried::Failed(Failure::Fatal(failure::page(begins, &asked, &self.address))));
        }
        let found = read(&mut body).map_err(|unread| match unread {
            Unread::Useless(failure) => Tried::Failed(failure),
            Unread::BrokeOff => {
                Tried::Again { why: format!("its answer broke off after {} bytes", n_bytes.get()), pause: None }
            }
        })?;
        self.has_answered.store(true, Ordering::Relaxed);
        Ok(found)
    }

    /// Sends a request and follows where it is sent on; gives the answer and who gave it.
    fn send(&self, path: &str, form: Form<'_>) -> Result<(Response<Body>, Address), Tried> {
        let form: Vec<String> = form.iter().map(|(key, value)| format!("{key}={}", encoded(value))).collect();
        let form = form.join("&");
        let mut at = (self.address.clone(), format!("{}{path}", self.address.prefix));
        let mut use_get = self.use_get.load(Ordering::Relaxed);
        for _ in 0..=MAX_REDIRECTS {
            let (server, path) = &at;
            let response = self.send_to(server, path, &form, use_get).map_err(|error| {
                failure::of_connection(&error, server, self.access, self.has_answered.load(Ordering::Relaxed))
            })?;
            let status = response.status();
            let is_redirect = status.is_redirection() && status != StatusCode::NOT_MODIFIED;
            let location = response.headers().get("location").and_then(|location| location.to_str().ok());
            let Some(location) = location.filter(|_| is_redirect && self.access.follow_redirects) else {
                let server = Address { prefix: String::new(), ..server.clone() };
                return Ok((response, server));
            };
            if !matches!(status.as_u16(), 307 | 308) {
                use_get = true;
            }
            at = redirected(server, location).ok_or_else(|| {
                let to = address::shown(location);
                Tried::Failed(Failure::Fatal(format!(
                    "it redirects to `{to}`, which is not an address (expected `http://` or `https://`)"
                )))
            })?;
        }
        Err(Tried::Failed(Failure::Fatal(format!(
            "it redirects more than {MAX_REDIRECTS} times, the last to `{}`",
            at.0
        ))))
    }

    fn send_to(&self, server: &Address, path: &str, form: &str, use_get: bool) -> Result<Response<Body>, ureq::Error> {
        let is_own = self.address.is_same_server(server);
        let agent = if is_own { &self.agent } else { &self.other_host };
        let name = self.access.tls.server_name.as_deref().filter(|_| is_own && server.scheme == "https");
        let authority = name.map_or_else(|| server.authority.clone(), |name| format!("{name}:{}", server.port()));
        let url = format!("{}://{authority}{path}", server.scheme);
        let own = self.access.headers.iter().filter(|_| is_own);
        if use_get {
            let mut request = agent.get(format!("{url}?{form}"));
            for (name, value) in own {
                request = request.header(name, value);
            }
            if name.is_some() {
                request = request.header("host", &server.authority);
            }
            return request.header("accept-encoding", "gzip").call();
        }
        let mut request = agent.post(url);
        for (name, value) in own {
            request = request.header(name, value);
        }
        if name.is_some() {
            request = request.header("host", &server.authority);
        }
        request.header("accept-encoding", "gzip").content_type("application/x-www-form-urlencoded").send(form)
    }
}

/// Where a redirect leads: the server and the path, without a query, which is written again.
fn redirected(from: &Address, location: &str) -> Option<(Address, String)> {
    let location = location.split(['?', '#']).next().unwrap_or_default();
    if location.starts_with('/') && !location.starts_with("//") {
        return Some((from.clone(), location.to_owned()));
    }
    let location = if location.starts_with("//") { format!("{}:{location}", from.scheme) } else { location.to_owned() };
    let (scheme, rest) = location.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (address, _) = Address::parse(&format!("{scheme}://{authority}")).ok()?;
    matches!(address.scheme.as_str(), "http" | "https")
        .then(|| (address, if path.is_empty() { "/".to_owned() } else { path.to_owned() }))
}

/// The body of an answer, decompressed.
fn plain_body<'a>(headers: &HeaderMap, body: impl Read + 'a) -> Box<dyn Read + 'a> {
    if headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
        Box::new(MultiGzDecoder::new(body))
    } else {
        Box::new(body)
    }
}

/// Counts what was read.
struct Counted<'a, R> {
    reader: R,
    n_bytes: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.n_bytes.set(self.n_bytes.get() + n as u64);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_an_address() {
        let from = Address::parse("http://host:9090/prom").unwrap().0;
        let to = |location: &str| redirected(&from, location).map(|(server, path)| format!("{server} {path}"));
        assert_eq!(to("/other/api/v1/query?x=y").as_deref(), Some("http://host:9090/prom /other/api/v1/query"));
        assert_eq!(to("https://login.example/x?y").as_deref(), Some("https://login.example /x"));
        assert_eq!(to("//login.example").as_deref(), Some("http://login.example /"));
        assert_eq!(to("ftp://x/"), None);
        assert_eq!(to("sideways"), None);
    }
}
