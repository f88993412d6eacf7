//! One line of an access log in text: combined and common of nginx, Apache, Traefik and morgan, ingress-nginx, Envoy and
//! Istio, and morgan's other forms behind the time that `docker logs -t` puts before a line.
//!
//! Looks at bytes; builds nothing. A line takes some tens of nanoseconds where its second is that of the line before.

use std::borrow::Cow;

use crate::account::{CountRejection, Rejection};
use chrono::{DateTime, NaiveDate};
use memchr::{memchr, memchr_iter, memrchr};

/// What a line says of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said<'a> {
    pub(super) time_ms: i64,
    /// Method, blank and path without query; `None` for a request that is malformed.
    pub(super) target: Option<Cow<'a, [u8]>>,
    pub(super) status: Option<u16>,
    /// Bytes received.
    pub(super) received: Option<f64>,
}

/// Why a line is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    NoTime,
    /// A line of morgan's `tiny`, `short` or `dev`.
    Morgan,
    NoRequest,
}

impl From<Refused> for Rejection {
    fn from(refused: Refused) -> Rejection {
        Rejection::Count(match refused {
            Refused::NoTime => CountRejection::NoTime,
            Refused::Morgan => CountRejection::Morgan,
            Refused::NoRequest => CountRejection::NoRequest,
        })
    }
}

/// Remembers the last second of a log.
#[derive(Debug, Default)]
pub(super) struct Clock {
    text: [u8; CLF],
    time_ms: i64,
}

/// `23/Nov/2026:20:07:00 +0000`, in bytes.
const CLF: usize = 26;
/// A bracket before the time may belong to something else.
const MAX_BRACKETS: usize = 4;
/// The longest method that is one.
const MAX_METHOD: usize = 20;

/// Reads a line.
pub(super) fn read<'a>(line: &'a [u8], clock: &mut Clock) -> Result<Said<'a>, Refused> {
    let mut from = 0;
    for _ in 0..MAX_BRACKETS {
        let Some(bracket) = memchr(b'[', &line[from..]) else { break };
        let at = from + bracket + 1;
        if let Some(time_ms) = line.get(at..at + CLF).and_then(|text| clock.read(text)) {
            return of_request(&line[at + CLF..], time_ms, false);
        }
        let end = memchr(b']', &line[at..]).map(|length| at + length);
        if let Some((end, time_ms)) = end.and_then(|end| Some((end, iso(&line[at..end])?))) {
            return of_request(&line[end..], time_ms, true);
        }
        from = at;
    }
    of_prefixed(line)
}

impl Clock {
    /// A time as the common log format writes it.
    fn read(&mut self, text: &[u8]) -> Option<i64> {
        if text == self.text {
            return Some(self.time_ms);
        }
        let is_form = text[2] == b'/' && text[6] == b'/' && text[11] == b':' && text[20] == b' ';
        if !is_form {
            return None;
        }
        let month = MONTHS.iter().position(|month| text[3..6].eq_ignore_ascii_case(*month))? as u32 + 1;
        let number = |range: std::ops::Range<usize>| digits(&text[range]);
        let date = NaiveDate::from_ymd_opt(number(7..11)? as i32, month, number(0..2)?)?;
        let time = date.and_hms_opt(number(12..14)?, number(15..17)?, number(18..20)?.min(59))?;
        let ahead = 60 * i64::from(number(22..24)?) + i64::from(number(24..26)?);
        let ahead = match text[21] {
            b'+' => ahead,
            b'-' => -ahead,
            _ => return None,
        };
        self.time_ms = time.and_utc().timestamp_millis() - 60_000 * ahead;
        self.text.copy_from_slice(text);
        Some(self.time_ms)
    }
}

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0_u32, |number, byte| {
        byte.is_ascii_digit().then(|| number.checked_mul(10)?.checked_add(u32::from(byte - b'0'))).flatten()
    })
}

fn iso(text: &[u8]) -> Option<i64> {
    if text.len() < 20 || 35 < text.len() || text[4] != b'-' {
        return None;
    }
    let time = DateTime::parse_from_rfc3339(std::str::from_utf8(text).ok()?).ok()?;
    Some(time.timestamp_millis())
}

/// What stands in quotes behind a time, and then. `of_proxy`: whether it is Envoy's form.
fn of_request(rest: &[u8], time_ms: i64, of_proxy: bool) -> Result<Said<'_>, Refused> {
    let quote = memchr(b'"', rest).filter(|quote| *quote < 4).ok_or(Refused::NoRequest)?;
    let rest = &rest[quote + 1..];
    let is_end = |end: &usize| *end == 0 || rest[end - 1] != b'\\';
    let end = memchr_iter(b'"', rest).find(is_end).ok_or(Refused::NoRequest)?;
    let after = &rest[end + 1..];
    let status = status(after.strip_prefix(b" ").unwrap_or(after));
    let received = if of_proxy { received_of_proxy(after) } else { received_of_ingress(after) };
    Ok(Said { time_ms, target: target(&rest[..end]).map(Cow::Borrowed), status, received })
}

fn status(text: &[u8]) -> Option<u16> {
    let is_over = text.get(3).is_none_or(u8::is_ascii_whitespace);
    let number = digits(text.get(..3)?)? as u16;
    (is_over && 100 <= number).then_some(number)
}

/// Method and path of `GET /path?query HTTP/1.1`.
pub(super) fn target(request: &[u8]) -> Option<&[u8]> {
    let blank = memchr(b' ', request)?;
    let is_method = (1..=MAX_METHOD).contains(&blank)
        && request[..blank].iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-');
    if !is_method {
        return None;
    }
    let whole = match memrchr(b' ', request) {
        Some(last) if blank < last && request[last + 1..].starts_with(b"HTTP/") => &request[..last],
        _ => request,
    };
    let path = &whole[blank + 1..];
    if path.is_empty() {
        return None;
    }
    let query = path.iter().position(|byte| matches!(byte, b'?' | b'#' | b';')).unwrap_or(path.len());
    Some(&whole[..blank + 1 + query])
}

/// Behind status and flags Envoy writes bytes received and sent, with words between.
fn received_of_proxy(after: &[u8]) -> Option<f64> {
    let mut words = 0;
    let mut in_quotes = false;
    for word in after.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        let n_quotes = memchr_iter(b'"', word).count();
        let was_in_quotes = in_quotes;
        in_quotes ^= n_quotes % 2 == 1;
        if was_in_quotes || n_quotes > 0 {
            continue;
        }
        words += 1;
        if words > 2
            && let Some(number) = digits(word)
        {
            return Some(f64::from(number));
        }
    }
    None
}

/// Behind referer and agent ingress-nginx writes the length of the request, how long it took and the name of a service.
fn received_of_ingress(after: &[u8]) -> Option<f64> {
    memchr(b'[', after)?;
    let last = memchr_iter(b'"', after).nth(3)?;
    let mut words = after[last + 1..].split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let length = digits(words.next()?)?;
    let has_time = words.next()?.contains(&b'.');
    (has_time && words.next()?.starts_with(b"[")).then_some(f64::from(length))
}

/// A line that begins with a time, and then says `GET /path 200`, in any of morgan's forms.
fn of_prefixed(line: &[u8]) -> Result<Said<'_>, Refused> {
    let text = plain(line);
    let first = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let time_ms = iso(&text[..first]);
    let rest = if time_ms.is_some() { &text[first..] } else { &text[..] };
    let words: Vec<&[u8]> = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(8).collect();
    let is_path = |word: &&[u8]| word.starts_with(b"/");
    let said = words.windows(3).take(4).find_map(|three| {
        let is_method = three[0].iter().all(u8::is_ascii_uppercase) && three[0].len() <= MAX_METHOD;
        (is_method && is_path(&three[1])).then_some(())?;
        let request = [three[0], three[1]].join(&b' ');
        let status = if three[2].starts_with(b"HTTP/") {
            words.iter().skip_while(|word| !word.starts_with(b"HTTP/")).nth(1).and_then(|word| status(word))
        } else {
            status(three[2])
        };
        Some((target(&request)?.to_vec(), status?))
    });
    match (time_ms, said) {
        (Some(time_ms), Some((target, status))) => {
            Ok(Said { time_ms, target: Some(Cow::Owned(target)), status: Some(status), received: None })
        }
        (None, Some(_)) => Err(Refused::Morgan),
        (Some(_), None) => Err(Refused::NoRequest),
        (None, None) => Err(Refused::NoTime),
    }
}

/// Without the colours of a terminal.
fn plain(line: &[u8]) -> Cow<'_, [u8]> {
    if memchr(0x1b, line).is_none() {
        return Cow::Borrowed(line);
    }
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(escape) = memchr(0x1b, rest) {
        plain.extend_from_slice(&rest[..escape]);
        let end = rest[escape..].iter().position(u8::is_ascii_alphabetic).map_or(rest.len(), |end| escape + end + 1);
        rest = &rest[end..];
    }
    plain.extend_from_slice(rest);
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds since 2026-11-23T20:00:00Z, target, status, bytes received.
    fn said(line: &str) -> String {
        match read(line.as_bytes(), &mut Clock::default()) {
            Ok(said) => format!(
                "{} {} {} {}",
                (said.time_ms as f64 - 1_795_464_000_000.0) / 1000.0,
                said.target.map_or("malformed".to_owned(), |target| String::from_utf8_lossy(&target).into_owned()),
                said.status.map_or("-".to_owned(), |status| status.to_string()),
                said.received.map_or("-".to_owned(), |received| received.to_string()),
            ),
            Err(refused) => format!("{refused:?}"),
        }
    }

    #[test]
    fn every_form_of_text_is_read() {
        for (line, expected) in [
            // Common and combined: nginx, Apache, Traefik, morgan.
            (r#"1.2.3.4 - - [23/Nov/2026:20:00:07 +0000] "GET /a/b?c=d HTTP/1.1" 200 12"#, "7 GET /a/b 200 -"),
            (r#"::1 - bob [23/Nov/2026:22:00:07 +0200] "POST /a HTTP/2.0" 503 0 "-" "curl/8""#, "7 POST /a 503 -"),
            (r#"shop:443 1.2.3.4 - - [23/Nov/2026:20:00:00 +0000] "GET / HTTP/1.1" 304 -"#, "0 GET / 304 -"),
            (r#"1.2.3.4 - - [23/Nov/2026:20:00:00 +0000] "GET /a\"b HTTP/1.1" 404 1"#, "0 GET /a\\\"b 404 -"),
            (r#"1.2.3.4 - - [23/Nov/2026:20:00:00 +0000] "GET /old" 200 1"#, "0 GET /old 200 -"),
            (r#"1.2.3.4 - - [23/Nov/2026:20:00:00 +0000] "GET /a b HTTP/1.1" 400 1"#, "0 GET /a b 400 -"),
            (r#"1.2.3.4 - - [23/Nov/2026:20:00:00 +0000] "\x16\x03\x01" 400 1"#, "0 malformed 400 -"),
            (r#"1.2.3.4 - - [23/Nov/2026:20:00:00 +0000] "-" 408 0 "-" "-""#, "0 malformed 408 -"),
            (r#"1.2.3.4 - a[b [23/Nov/2026:20:00:00 +0000] "GET / HTTP/1.1" 200 1"#, "0 GET / 200 -"),
            (
                r#"1.2.3.4 - - [23/Nov/2026:20:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "a" 7 "web@docker" "http://10.0.0.2" 3ms"#,
                "0 GET / 200 -",
            ),
            // ingress-nginx.
            (
                r#"1.2.3.4 - - [23/Nov/2026:20:00:00 +0000] "PUT /f HTTP/2.0" 201 5 "-" "curl" 4123 0.012 [shop-web-80] [] 10.0.0.2:80 5 0.012 201 9f1c"#,
                "0 PUT /f 201 4123",
            ),
            // Envoy and Istio.
            (
                r#"[2026-11-23T20:00:01.250Z] "POST /v1/up?x HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "a b" "id" "up" "tcp://10.0.2.1:80""#,
                "1.25 POST /v1/up 204 154",
            ),
            (
                r#"[2026-11-23T20:00:01.000Z] "GET /ok HTTP/1.1" 503 UF upstream_reset "connect 7 refused" "-" 0 615 5 4 "-" "curl""#,
                "1 GET /ok 503 0",
            ),
            // morgan behind the time of `docker logs -t`.
            ("2026-11-23T20:00:02.5Z GET /a?b=1 200 12 - 1.5 ms", "2.5 GET /a 200 -"),
            ("2026-11-23T20:00:02.5Z \u{1b}[0mGET /a \u{1b}[32m200\u{1b}[0m 1.5 ms - 12\u{1b}[0m", "2.5 GET /a 200 -"),
            ("2026-11-23T20:00:02Z ::1 - GET /a HTTP/1.1 200 12 - 1.5 ms", "2 GET /a 200 -"),
        ] {
            assert_eq!(said(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_request_says_why() {
        for (line, refused) in [
            ("GET /a 200 12 - 1.5 ms", Refused::Morgan),
            ("\u{1b}[0mGET /a \u{1b}[32m200\u{1b}[0m 1.5 ms - 12\u{1b}[0m", Refused::Morgan),
            ("::1 - GET /a HTTP/1.1 200 12 - 1.5 ms", Refused::Morgan),
            ("2026-11-23T20:00:02Z listening on 3000", Refused::NoRequest),
            ("[23/Nov/2026:20:00:00 +0000] starting", Refused::NoRequest),
            (r#"[23/Nov/2026:20:00:00 +0000] "GET /a HTTP"#, Refused::NoRequest),
            (r#"[31/Feb/2026:20:00:00 +0000] "GET / HTTP/1.1" 200 1"#, Refused::NoTime),
            ("listening on 3000", Refused::NoTime),
            ("", Refused::NoTime),
            ("[", Refused::NoTime),
        ] {
            assert_eq!(said(line), format!("{refused:?}"), "{line}");
        }
        insta::assert_snapshot!(Rejection::from(Refused::Morgan), @"it is a request without a time, as morgan's `tiny`, `short` and `dev` print it: use `combined`, or take the log with `docker logs -t`");
        insta::assert_snapshot!(Rejection::from(Refused::NoTime), @"it has no time (expected something like `[23/Nov/2026:20:07:00 +0000]`, or a time at its beginning)");
        insta::assert_snapshot!(Rejection::from(Refused::NoRequest), @r#"no request follows the time (expected something like `"GET /path HTTP/1.1" 200`)"#);
    }

    #[test]
    fn a_second_is_remembered_and_the_next_is_not_mistaken_for_it() {
        let clock = &mut Clock::default();
        let mut at = |text: &str| clock.read(text.as_bytes());
        assert_eq!(at("23/Nov/2026:20:00:07 +0000"), Some(1_795_464_007_000));
        assert_eq!(at("23/Nov/2026:20:00:07 +0000"), Some(1_795_464_007_000));
        assert_eq!(at("23/Nov/2026:20:00:08 +0000"), Some(1_795_464_008_000));
        assert_eq!(at("23/Nov/2026:20:00:08 -0130"), Some(1_795_464_008_000 + 5_400_000));
        assert_eq!(at("23-Nov-2026:20:00:08 +0000"), None);
    }
}
