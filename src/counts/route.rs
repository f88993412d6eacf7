//! Paths as routes: `/users/123?page=2` is a request of `/users/:id`.
//!
//! What varies from request to request gets a name that says what it is; queries are dropped. Patterns of the user come
//! first. What is left and rare is replaced once all was read, see `tally`.

use memchr::memchr;

/// Deeper paths end in `/...`.
const MAX_SEGMENTS: usize = 10;
/// Longer segments are no names.
const MAX_SEGMENT: usize = 40;
/// So long a mixture of letters and digits is a token.
const TOKEN: usize = 16;
/// So long a number is none of a version: `/img/48213.png`.
const LONG_NUMBER: usize = 4;
/// So long a hexadecimal number with a digit in it is a hash.
const HASH: usize = 8;

/// A UUID with its dashes, in bytes.
const UUID: usize = 36;

/// A segment that is seen too rarely to be shown.
pub(super) const RARE: &str = ":x";

/// Patterns of routes, as the user says: `/files/:name/versions/*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    text: String,
    segments: Vec<String>,
    /// Whether anything may follow.
    is_open: bool,
}

impl Routes {
    /// Reads patterns, of which the first that matches counts. A segment `:name` or `*` stands for any, `**` at the end
    /// for any number of them.
    ///
    /// # Errors
    ///
    /// What is wrong with a pattern.
    pub fn new<T: AsRef<str>>(patterns: &[T]) -> Result<Routes, String> {
        patterns.iter().map(|text| Pattern::new(text.as_ref())).collect::<Result<_, _>>().map(Routes)
    }

    /// Whether some pattern holds a number or UUID of its own: those of paths must then stay until it was asked.
    pub(super) fn name_numbers(&self) -> bool {
        let is_number = |segment: &String| segment.bytes().all(|byte| byte.is_ascii_digit());
        let is_own = |segment: &String| is_number(segment) || is_uuid(segment.as_bytes());
        self.0.iter().any(|pattern| pattern.segments.iter().any(is_own))
    }

    fn matching(&self, path: &str) -> Option<&str> {
        let pattern = self.0.iter().find(|pattern| pattern.matches(path))?;
        Some(&pattern.text)
    }
}

impl Pattern {
    fn new(text: &str) -> Result<Pattern, String> {
        if !text.starts_with('/') || text.contains(['?', '#', ' ']) {
            return Err(format!("`{text}` is not a route (expected a path such as `/files/:name/versions/*`)"));
        }
        let mut segments: Vec<String> = segments(text).map(str::to_owned).collect();
        let is_open = segments.last().is_some_and(|segment| segment == "**");
        if is_open {
            segments.pop();
        }
        if segments.iter().any(|segment| segment == "**") {
            return Err(format!("`{text}` is not a route: `**` is allowed only at its end"));
        }
        Ok(Pattern { text: text.to_owned(), segments, is_open })
    }

    fn matches(&self, path: &str) -> bool {
        let mut given = segments(path);
        for wanted in &self.segments {
            let Some(segment) = given.next() else { return false };
            if wanted != "*" && !wanted.starts_with(':') && wanted != segment {
                return false;
            }
        }
        self.is_open || given.next().is_none()
    }
}

/// The parts of a path between slashes; empty ones are left out.
pub(super) fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// The route of a path, which has no query any more.
pub(super) fn of(path: &str, routes: &Routes) -> String {
    let mut route = String::with_capacity(path.len());
    push(&mut route, path, routes);
    route
}

/// Adds the route of a path to a text, as `of`.
pub(super) fn push(route: &mut String, path: &str, routes: &Routes) {
    let path = without_host(path);
    if let Some(pattern) = routes.matching(path) {
        return route.push_str(pattern);
    }
    let before = route.len();
    for (index, segment) in segments(path).enumerate() {
        if index == MAX_SEGMENTS {
            route.push_str("/...");
            break;
        }
        route.push('/');
        push_segment(route, segment);
    }
    if route.len() == before {
        route.push('/');
    }
}

/// Method and path with `:id` and `:uuid` for the numbers and UUIDs in it, as the route has them: a look-up of these finds what one of the
/// path itself would not. Takes some tens of nanoseconds.
pub(super) fn without_numbers(target: &[u8], into: &mut Vec<u8>) {
    into.clear();
    let mut rest = target;
    while let Some(slash) = memchr(b'/', rest) {
        into.extend_from_slice(&rest[..=slash]);
        rest = &rest[slash + 1..];
        let n_digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_id = match rest.get(n_digits) {
            None | Some(b'/') => n_digits > 0,
            Some(b'.') => LONG_NUMBER <= n_digits,
            _ => false,
        };
        if is_id {
            into.extend_from_slice(b":id");
            rest = &rest[n_digits..];
        } else if rest.get(..UUID).is_some_and(is_uuid) && matches!(rest.get(UUID), None | Some(b'/')) {
            into.extend_from_slice(b":uuid");
            rest = &rest[UUID..];
        }
    }
    into.extend_from_slice(rest);
}

/// Whether a text is a UUID with its dashes.
fn is_uuid(text: &[u8]) -> bool {
    let is_part = |(place, byte): (usize, &u8)| match place {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == UUID && text[8] == b'-' && text.iter().enumerate().all(is_part)
}

/// What a proxy was asked for names the host, too.
fn without_host(path: &str) -> &str {
    let Some((scheme, rest)) = path.split_once("://") else { return path };
    if scheme.is_empty() || !scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return path;
    }
    rest.find('/').map_or("/", |slash| &rest[slash..])
}

/// Whether a segment is a word that nothing below would change, seen at a glance: most are.
fn is_plain(segment: &[u8]) -> bool {
    segment.len() <= MAX_SEGMENT
        && segment.iter().all(|byte| byte.is_ascii_lowercase() || b"-_".contains(byte))
        && (segment.len() < TOKEN || segment.iter().any(|byte| (b'g'..=b'z').contains(byte)))
}

fn push_segment(route: &mut String, segment: &str) {
    if is_plain(segment.as_bytes()) {
        return route.push_str(segment);
    }
    let is_number = |text: &str| {
        text.bytes().any(|byte| byte.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_digit() || b"-_:,.+".contains(&byte))
    };
    if is_number(segment) {
        route.push_str(":id");
    } else if segment.contains('@') || segment.contains("%40") {
        route.push_str(":email");
    } else if segment.starts_with(':') {
        // As a template in a log that has them already.
        route.push_str(segment);
    } else if segment.contains('.') {
        for (index, piece) in segment.split('.').enumerate() {
            if index > 0 {
                route.push('.');
            }
            let is_id = LONG_NUMBER <= piece.len() && piece.bytes().all(|byte| byte.is_ascii_digit());
            route.push_str(if is_id { ":id" } else { secret(piece).unwrap_or(piece) });
        }
    } else if let Some(name) = secret(segment) {
        route.push_str(name);
    } else {
        push_numbered(route, segment);
    }
}

/// What a text is that nobody can guess; `None` for a word.
fn secret(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let has_digit = bytes.iter().any(u8::is_ascii_digit);
    let n_hex = bytes.iter().filter(|byte| byte.is_ascii_hexdigit()).count();
    let n_dashes = memchr::memchr_iter(b'-', bytes).count();
    if n_hex + n_dashes == bytes.len() && n_hex == 32 {
        Some(":uuid")
    } else if n_hex == bytes.len() && (HASH <= n_hex && has_digit || TOKEN <= n_hex) {
        Some(":hash")
    } else if MAX_SEGMENT < bytes.len() {
        Some(RARE)
    } else if TOKEN <= bytes.len() && is_mixed(bytes) {
        Some(":token")
    } else {
        None
    }
}

/// Whether letters and digits follow one another as nobody writes them: `v1StGXR8Z5jdHi6B`, not `summary-2026-report`.
fn is_mixed(bytes: &[u8]) -> bool {
    let class = |byte: u8| match byte {
        b'0'..=b'9' => Some(0),
        b'a'..=b'z' => Some(1),
        b'A'..=b'Z' => Some(2),
        _ => None,
    };
    let differ = |pair: &&[u8]| class(pair[0]).zip(class(pair[1])).is_some_and(|(one, other)| one != other);
    let n_digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    n_digits >= 2 && bytes.windows(2).filter(differ).count() * 4 >= bytes.len()
}

/// `order-4567` is `order-:id`, `user12345` is `user:id`, and `v2` is itself.
fn push_numbered(route: &mut String, segment: &str) {
    let stem = segment.trim_end_matches(|c: char| c.is_ascii_digit());
    let n_digits = segment.len() - stem.len();
    let is_word = !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_alphabetic() || b"-_~".contains(&byte));
    let is_numbered = if stem.ends_with(['-', '_', '~']) { n_digits > 0 } else { n_digits > 3 };
    if is_word && is_numbered {
        route.push_str(stem);
        route.push_str(":id");
    } else {
        route.push_str(segment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_gets_a_name_and_what_does_not_stays() {
        let found = |path: &str| of(path, &Routes::default());
        for (path, route) in [
            ("/", "/"),
            ("", "/"),
            ("/users/123", "/users/:id"),
            ("/users/123/", "/users/:id"),
            ("//users//123", "/users/:id"),
            ("/users/-7", "/users/:id"),
            ("/reports/2026-11-23", "/reports/:id"),
            ("/o/9f1c6bd0-7b53-4a7e-9a3b-0d7c0c6f2a11", "/o/:uuid"),
            ("/o/9F1C6BD07B534A7E9A3B0D7C0C6F2A11", "/o/:uuid"),
            ("/commit/deadbeefdeadbeefdead", "/commit/:hash"),
            ("/commit/9f1c6bd0", "/commit/:hash"),
            ("/commit/defaced", "/commit/defaced"),
            ("/reset/v1StGXR8Z5jdHi6BmyT", "/reset/:token"),
            ("/static/main.8f3a2b1c.js", "/static/main.:hash.js"),
            ("/img/48213.png", "/img/:id.png"),
            ("/img/12.png", "/img/12.png"),
            ("/static/jquery-3.6.0.min.js", "/static/jquery-3.6.0.min.js"),
            ("/api/v2/oauth2/html5", "/api/v2/oauth2/html5"),
            ("/orders/order-4567", "/orders/order-:id"),
            ("/u/user12345", "/u/user:id"),
            ("/mail/a.b@example.org", "/mail/:email"),
            ("/mail/a%40example.org", "/mail/:email"),
            ("http://shop.example/cart/7", "/cart/:id"),
            ("http://shop.example", "/"),
            ("/users/:id", "/users/:id"),
            ("/a/b/c/d/e/f/g/h/i/j/k/l", "/a/b/c/d/e/f/g/h/i/j/..."),
            ("/blog/how-we-moved-to-rust-in-2026-part", "/blog/how-we-moved-to-rust-in-2026-part"),
            ("/blog/a-title-that-nobody-can-remember-at-all-ever", "/blog/:x"),
        ] {
            assert_eq!(found(path), route, "{path}");
        }
    }

    #[test]
    fn numbers_taken_out_beforehand_make_the_same_routes() {
        let key = &mut Vec::new();
        for (path, without) in [
            ("GET /users/123", "GET /users/:id"),
            ("GET /users/123/orders/4/", "GET /users/:id/orders/:id/"),
            ("GET /img/48213.png", "GET /img/:id.png"),
            ("GET /img/12.png", "GET /img/12.png"),
            ("GET /v2/12a/1-2", "GET /v2/12a/1-2"),
            ("GET //7", "GET //:id"),
            ("CONNECT 7", "CONNECT 7"),
            ("GET /o/9f1c6bd0-7b53-4a7e-9a3b-0d7c0c6f2a11/x", "GET /o/:uuid/x"),
            ("GET /9F1C6BD0-7b53-4a7e-9a3b-0d7c0c6f2a11", "GET /:uuid"),
            ("GET /9f1c6bd0-7b53-4a7e-9a3b-0d7c0c6f2a111", "GET /9f1c6bd0-7b53-4a7e-9a3b-0d7c0c6f2a111"),
        ] {
            without_numbers(path.as_bytes(), key);
            assert_eq!(String::from_utf8_lossy(key), without);
            let route = |target: &str| of(target.split_once(' ').unwrap().1, &Routes::default());
            assert_eq!(route(path), route(without), "{path}");
        }
        assert!(Routes::new(&["/files/7/:name"]).unwrap().name_numbers());
        assert!(Routes::new(&["/o/9f1c6bd0-7b53-4a7e-9a3b-0d7c0c6f2a11"]).unwrap().name_numbers());
        assert!(!Routes::new(&["/files/:name"]).unwrap().name_numbers());
    }

    #[test]
    fn patterns_of_the_user_come_first() {
        let routes = Routes::new(&["/files/:name/v/*", "/files/:name", "/t/**"]).unwrap();
        for (path, route) in [
            ("/files/a/v/7", "/files/:name/v/*"),
            ("/files/a", "/files/:name"),
            ("/files/a/b", "/files/a/b"),
            ("/t", "/t/**"),
            ("/t/a/b", "/t/**"),
        ] {
            assert_eq!(of(path, &routes), route, "{path}");
        }
        insta::assert_snapshot!(Routes::new(&["files"]).unwrap_err(), @"`files` is not a route (expected a path such as `/files/:name/versions/*`)");
        insta::assert_snapshot!(Routes::new(&["/a/**/b"]).unwrap_err(), @"`/a/**/b` is not a route: `**` is allowed only at its end");
    }
}
