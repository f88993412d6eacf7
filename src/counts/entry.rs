//! One object of an access log in JSON: Caddy, Traefik, pino-http, nginx with a `log_format` of its own, and whatever else
//! names a time and a path. Keys that are not known are skipped.

use std::borrow::Cow;
use std::fmt;

use chrono::DateTime;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeSeed};

use super::text;
use crate::account::error_text;
use crate::events::timestamp::epoch;

/// Why something is not the JSON that is expected; without the values in it, which may be secret.
pub(super) fn problem(error: &serde_json::Error) -> String {
    if error.is_data() {
        return format!("a value has another type than expected at line {} column {}", error.line(), error.column());
    }
    error_text(error)
}

/// What an object says of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Entry {
    pub(super) time_ms: Option<i64>,
    method: Option<String>,
    path: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) received: Option<f64>,
}

impl Entry {
    /// Method, blank and path without query; `None` where no path is named.
    pub(super) fn target(&self) -> Option<Vec<u8>> {
        let path = self.path.as_deref()?;
        let path = path.split(['?', '#', ';']).next().unwrap_or(path);
        let method = self.method.as_deref().unwrap_or("");
        // As in `GET /users`.
        let (method, path) = match path.split_once(' ') {
            Some((first, rest)) if method.is_empty() && rest.starts_with('/') => (first, rest),
            _ => (method, path),
        };
        Some([method.to_ascii_uppercase().as_bytes(), b" ", path.as_bytes()].concat())
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entry, D::Error> {
        let mut entry = Entry::default();
        deserializer.deserialize_map(Object { entry: &mut entry, part: Part::Whole })?;
        Ok(entry)
    }
}

/// Which object a key stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Request,
    Response,
    Headers,
}

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    Time,
    Method,
    /// A path, or an object that has it.
    Request,
    Path,
    Status,
    Response,
    Received,
    Headers,
}

impl Means {
    fn of(key: &str, part: Part) -> Option<Means> {
        Some(match (part, key) {
            (
                Part::Whole,
                "time" | "ts" | "timestamp" | "@timestamp" | "StartUTC" | "start_time" | "time_iso8601" | "time_local"
                | "datetime" | "date" | "msec",
            ) => Means::Time,
            (Part::Whole | Part::Request, "method" | "RequestMethod" | "request_method" | "verb" | "http_method") => {
                Means::Method
            }
            (
                Part::Whole | Part::Request,
                "url" | "uri" | "path" | "RequestPath" | "request_uri" | "endpoint" | "route" | "request_path",
            ) => Means::Path,
            (Part::Whole, "request" | "req") => Means::Request,
            (Part::Whole, "response" | "res") => Means::Response,
            (
                Part::Whole | Part::Response,
                "status" | "statusCode" | "status_code" | "DownstreamStatus" | "response_code",
            ) => Means::Status,
            (Part::Whole, "bytes_read" | "RequestContentSize" | "request_length" | "bytes_received")
            | (Part::Headers, "content-length" | "Content-Length") => Means::Received,
            (Part::Request, "headers") => Means::Headers,
            _ => return None,
        })
    }
}

struct Object<'e> {
    entry: &'e mut Entry,
    part: Part,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of an access log")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match Means::of(&key, self.part) {
                Some(means) => map.next_value_seed(Value { entry: self.entry, means })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct Value<'e> {
    entry: &'e mut Entry,
    means: Means,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.number(number as f64);
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.number(number as f64);
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.number(number);
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let Value { entry, means } = self;
        match means {
            Means::Time => entry.time_ms = entry.time_ms.or_else(|| time(text)),
            Means::Method => entry.method = entry.method.take().or_else(|| Some(text.to_owned())),
            Means::Path => entry.path = entry.path.take().or_else(|| Some(text.to_owned())),
            Means::Request => {
                let target = text::target(text.as_bytes()).map(String::from_utf8_lossy);
                if let Some((method, path)) = target.as_deref().and_then(|target| target.split_once(' ')) {
                    entry.method = Some(method.to_owned());
                    entry.path = Some(path.to_owned());
                }
            }
            Means::Status | Means::Received => {
                if let Ok(number) = text.parse() {
                    Value { entry, means }.number(number);
                }
            }
            Means::Response | Means::Headers => {}
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let part = match self.means {
            Means::Request => Part::Request,
            Means::Response => Part::Response,
            Means::Headers => Part::Headers,
            _ => {
                return IgnoredAny.visit_map(map).map(|_| ());
            }
        };
        Object { entry: self.entry, part }.visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        // A header may come more than once.
        list.next_element_seed(Value { entry: self.entry, means: self.means })?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

impl Value<'_> {
    fn number(self, number: f64) {
        let Value { entry, means } = self;
        match means {
            Means::Time => entry.time_ms = entry.time_ms.or_else(|| epoch(number)),
            Means::Status if (100.0..1000.0).contains(&number) => entry.status = Some(number as u16),
            Means::Received if number >= 0.0 => entry.received = entry.received.or(Some(number)),
            _ => {}
        }
    }
}

/// A time in words of a log, in milliseconds since 1970; without a zone it is UTC.
pub(super) fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    if let Ok(number) = text.parse() {
        return epoch(number);
    }
    for form in ["%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%d %H:%M:%S%.f %z", "%Y-%m-%dT%H:%M:%S%.f%z"] {
        if let Ok(time) = DateTime::parse_from_str(text, form) {
            return Some(time.timestamp_millis());
        }
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y/%m/%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
        if let Ok(time) = chrono::NaiveDateTime::parse_from_str(text, form) {
            return Some(time.and_utc().timestamp_millis());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds since 2026-11-23T20:00:00Z, target, status, bytes received.
    fn said(json: &str) -> String {
        let entry: Entry = serde_json::from_str(json).unwrap();
        format!(
            "{} {} {} {}",
            entry.time_ms.map_or("-".to_owned(), |time| (time - 1_795_464_000_000).to_string()),
            entry.target().map_or("-".to_owned(), |target| String::from_utf8(target).unwrap()),
            entry.status.map_or("-".to_owned(), |status| status.to_string()),
            entry.received.map_or("-".to_owned(), |received| received.to_string()),
        )
    }

    #[test]
    fn every_form_of_json_is_read() {
        for (json, expected) in [
            // Caddy.
            (
                r#"{"level":"info","ts":1795464001.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"::1","proto":"HTTP/2.0","method":"POST","host":"shop","uri":"/up?x=1","headers":{"Content-Length":["412"],"User-Agent":["curl"]}},"bytes_read":412,"duration":0.01,"size":9,"status":201,"resp_headers":{"Server":["Caddy"]}}"#,
                "1500 POST /up 201 412",
            ),
            // Traefik.
            (
                r#"{"ClientAddr":"1.2.3.4:5","DownstreamStatus":502,"RequestContentSize":7,"RequestMethod":"GET","RequestPath":"/a","StartUTC":"2026-11-23T20:00:02Z","time":"2026-11-23T20:00:03Z"}"#,
                "2000 GET /a 502 7",
            ),
            // pino-http.
            (
                r#"{"level":30,"time":1795464004123,"pid":1,"hostname":"x","req":{"id":1,"method":"GET","url":"/users/7?a","headers":{"host":"x","content-length":"31"}},"res":{"statusCode":200},"responseTime":3,"msg":"request completed"}"#,
                "4123 GET /users/7 200 31",
            ),
            // nginx.
            (
                r#"{"time_iso8601":"2026-11-23T20:00:05+00:00","request":"GET /b?c HTTP/1.1","status":"404","request_length":"88"}"#,
                "5000 GET /b 404 88",
            ),
            // The runbook's, and its kin.
            (r#"{"endpoint":"/api/a","timestamp":"2026-11-23T20:00:06.5Z"}"#, "6500  /api/a - -"),
            (r#"{"endpoint":"POST /api/a"}"#, "- POST /api/a - -"),
            (r#"{"msg":"listening","time":[1],"status":{"a":1},"res":"x","request":null}"#, "- - - -"),
        ] {
            assert_eq!(said(json), expected, "{json}");
        }
        assert!(serde_json::from_str::<Entry>("[1]").is_err() && serde_json::from_str::<Entry>(r#"{"a":"#).is_err());
    }

    #[test]
    fn times_are_read_in_many_forms() {
        for text in [
            "1795464000",
            "1795464000000",
            "1795464000000000",
            "1795464000000000000",
            "2026-11-23T20:00:00Z",
            "2026-11-23T21:00:00+01:00",
            "2026-11-23T21:00:00+0100",
            "2026-11-23 20:00:00",
            "23/Nov/2026:20:00:00 +0000",
            "2026-11-23T20:00:00.000",
            "2026-11-23 20:00",
            "2026-11-23 22:00:00 +0200",
        ] {
            assert_eq!(time(text), Some(1_795_464_000_000), "{text}");
        }
        assert_eq!((time("20:00:00"), time("soon"), time("12"), epoch(f64::NAN)), (None, None, None, None));
    }
}
