//! The address of a server: what is asked, what may be shown of it, and the user and password that stood in it.

use std::fmt;

use ureq::http::Uri;

/// Where a server answers: `http://prometheus:9090`, also with a path before `/api/v1`. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `http` or `https`.
    pub(super) scheme: String,
    /// The host with its port, as it was given.
    pub(super) authority: String,
    /// The path before `/api/v1`, without a slash at its end; empty when there is none.
    pub(super) prefix: String,
}

/// What stood before the host.
#[derive(Clone, PartialEq, Eq)]
pub struct UserInfo {
    /// The user.
    pub user: String,
    /// The password; empty when there is none.
    pub password: String,
}

// Nothing prints a password by mistake.
impl fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserInfo")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

/// Whether an input is an address rather than a file.
pub fn is_address(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// An address without its user, password and query: what messages may show, whether or not it can be used.
pub fn shown(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // A password may hold a `/` that nobody escaped: what stands before the last `@` is not shown.
    let after = rest.rsplit_once('@').map_or_else(|| format!("{authority}{path}"), |(_, after)| after.to_owned());
    format!("{scheme}://{after}")
}

impl Address {
    /// Reads an address as a user gives it, with or without the path of the API.
    ///
    /// # Errors
    ///
    /// What was found and what was expected; without the password.
    pub fn parse(text: &str) -> Result<(Address, Option<UserInfo>), String> {
        let refused = |why: &str| {
            format!(
                "it is not the address of a server: {why} (expected something like `http://prometheus:9090` or `https://host/prometheus`)"
            )
        };
        if text.contains(['?', '#']) {
            return Err(refused(
                "it contains a query, but leaktrend writes its own (choose series with `--metric` and `--match`, add headers with `--header`)",
            ));
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| refused("it has no scheme"))?;
        let (before, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, authority) = match before.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, before),
        };
        if path.contains('@') {
            return Err(refused("an `@` comes after a `/` (write a `/` in a password as `%2F`)"));
        }
        let path = path.trim_end_matches('/');
        // As it is copied from a browser or a curl command.
        let prefix = path.split("/api/v1").next().unwrap_or_default().trim_end_matches('/');
        let prefix = ["/graph", "/query"].iter().find_map(|page| prefix.strip_suffix(page)).unwrap_or(prefix);
        let address =
            Address { scheme: scheme.to_ascii_lowercase(), authority: authority.to_owned(), prefix: prefix.to_owned() };
        let uri: Uri = address.to_string().parse().map_err(|_| refused("the host or the path is malformed"))?;
        if uri.host().is_none_or(str::is_empty) {
            return Err(refused("it has no host"));
        }
        let user = user.map(|user| {
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            UserInfo { user: decoded(user), password: decoded(password) }
        });
        Ok((address, user))
    }

    /// The host without its port.
    pub(super) fn host(&self) -> &str {
        let end = match self.authority.rfind(':') {
            // `[::1]` holds colons of its own.
            Some(at) if !self.authority[at..].contains(']') => at,
            _ => self.authority.len(),
        };
        &self.authority[..end]
    }

    /// The port.
    pub(super) fn port(&self) -> u16 {
        let given = self.authority[self.host().len()..].trim_start_matches(':').parse().ok();
        given.unwrap_or(if self.scheme == "https" { 443 } else { 80 })
    }

    /// Whether what is sent to one may be sent to the other: the same host, and no step from `https` to `http`.
    pub(super) fn is_same_server(&self, other: &Address) -> bool {
        let is_upgrade = self.scheme == "http" && other.scheme == "https";
        self.host().eq_ignore_ascii_case(other.host())
            && (self.scheme == other.scheme && self.port() == other.port()
                || is_upgrade && self.port() == 80 && other.port() == 443)
    }

    /// Whether the server is this machine, so that no proxy of the environment is asked.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host().trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// Text with its `%40` read; what is not one stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| bytes[at] == b'%') {
            plain.push(byte);
            at += 3;
        } else {
            plain.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match Address::parse(text) {
            Ok((address, user)) => {
                let user = user.map_or(String::new(), |user| format!(" as {}, {}", user.user, user.password));
                format!("{address}{user}")
            }
            Err(why) => why,
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn addresses_are_read_as_people_copy_them() {
        check("http://prometheus:9090", "http://prometheus:9090");
        check("http://prometheus:9090/", "http://prometheus:9090");
        check("HTTPS://host/select/0/prometheus/", "https://host/select/0/prometheus");
        check("http://host:9090/graph", "http://host:9090");
        check("http://host/prom/api/v1/query", "http://host/prom");
        check("http://ann:p%40ss@[::1]:9090/x", "http://[::1]:9090/x as ann, p@ss");
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for text in
            ["http://ann:secret@/x", "http://ann:sec/ret@host", "http://ann:secret@host?token=secret", "http://"]
        {
            let why = Address::parse(text).unwrap_err();
            assert!(!why.contains("sec") && why.contains("expected something like `http://prometheus:9090`"), "{why}");
            assert!(!shown(text).contains("sec"), "{}", shown(text));
        }
        assert_eq!(shown("https://a:b@host:9090/x?y=z"), "https://host:9090/x");
    }

    #[test]
    fn only_the_same_host_gets_what_was_meant_for_it() {
        let address = |text: &str| Address::parse(text).unwrap().0;
        let is_same = |a: &str, b: &str| address(a).is_same_server(&address(b));
        assert!(is_same("http://host/a", "http://HOST:80/b"));
        assert!(is_same("http://host", "https://host"));
        assert!(!is_same("https://host", "http://host"));
        assert!(!is_same("http://host:9090", "http://host:9091"));
        assert!(!is_same("http://host", "http://other"));
    }
}
