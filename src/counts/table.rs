//! Rows of CSV with a header, and which of its columns say what of a request.

use std::collections::HashSet;
use std::io::Read;

use memchr::memchr;

use super::{entry, mask};
use crate::account::{CountRejection, ExpectedTime, MAX_WHY_CHARS, Rejection, cleaned};

/// Names of columns, in small letters, without blanks, dashes and underscores.
const TIMES: [&str; 10] =
    ["time", "timestamp", "ts", "@timestamp", "date", "datetime", "epoch", "starttime", "requesttime", "at"];
const PATHS: [&str; 10] =
    ["endpoint", "route", "path", "url", "uri", "request", "requestpath", "requesturi", "target", "handler"];

/// Rows of CSV, each with its line; what is not UTF-8 is replaced.
pub(super) struct Rows<R> {
    reader: csv::Reader<R>,
    record: csv::ByteRecord,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(reader: R, delimiter: u8) -> Rows<R> {
        let reader =
            csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(reader);
        Rows { reader, record: csv::ByteRecord::new() }
    }

    /// The next row; `None` at the end, and where the reader fails.
    pub(super) fn next(&mut self) -> Option<(u64, Result<Vec<String>, Rejection>)> {
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {
                let line = self.record.position().map_or(0, csv::Position::line);
                let fields = self.record.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned());
                Some((line, Ok(fields.collect())))
            }
            Ok(false) | Err(_) => None,
        }
    }
}

/// The delimiter of a table, by its first line.
pub(super) fn delimiter(beginning: &[u8]) -> u8 {
    let first = first_line(beginning);
    let count = |delimiter: u8| memchr::memchr_iter(delimiter, first).count();
    *[b',', b';', b'\t'].iter().rev().max_by_key(|delimiter| count(**delimiter)).expect("there are three")
}

fn first_line(text: &[u8]) -> &[u8] {
    &text[..memchr(b'\n', text).unwrap_or(text.len())]
}

/// The fields of the first line; `None` where it has one only.
pub(super) fn header(beginning: &[u8]) -> Option<Vec<String>> {
    let (_, row) = Rows::new(first_line(beginning), delimiter(beginning)).next()?;
    row.ok().filter(|fields| fields.len() > 1)
}

/// Whether a column of this name holds times.
pub(super) fn is_time(name: &str) -> bool {
    TIMES.contains(&normal(name).as_str())
}

fn normal(name: &str) -> String {
    let name = name.trim_start_matches('\u{feff}').to_ascii_lowercase();
    name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect()
}

/// Which columns of a table say what of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    time: usize,
    path: usize,
    method: Option<usize>,
    status: Option<usize>,
    received: Option<usize>,
    count: Option<usize>,
}

/// A row of requests.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) time_ms: i64,
    pub(super) target: Vec<u8>,
    pub(super) status: Option<u16>,
    pub(super) received: Option<f64>,
    pub(super) count: u32,
}

impl Columns {
    /// `None` where no column holds times or none holds paths.
    pub(super) fn of(header: &[String]) -> Option<Columns> {
        let names: Vec<String> = header.iter().map(|name| normal(name)).collect();
        let find = |wanted: &[&str]| wanted.iter().find_map(|wanted| names.iter().position(|name| name == wanted));
        Some(Columns {
            time: find(&TIMES)?,
            path: find(&PATHS)?,
            method: find(&["method", "verb", "requestmethod", "httpmethod"]),
            status: find(&["status", "statuscode", "code", "responsecode"]),
            received: find(&["bytesreceived", "bytesread", "requestlength", "requestsize"]),
            count: find(&["count", "requests", "n"]),
        })
    }

    /// What a row says.
    ///
    /// # Errors
    ///
    /// What was found and what was expected.
    pub(super) fn request(&self, fields: &[String]) -> Result<Row, Rejection> {
        let shown = |text: &str| mask::masked(text, &HashSet::new());
        let field = |index: usize| fields.get(index).map_or("", String::as_str);
        let of = |index: Option<usize>| index.map(field).filter(|text| !text.is_empty());
        let time = field(self.time);
        let time_ms = entry::time(time).ok_or_else(|| Rejection::not_a_time(&shown(time), ExpectedTime::Date))?;
        let path = field(self.path);
        let path = path.split(['?', '#', ';']).next().unwrap_or(path);
        if path.is_empty() {
            return Err(CountRejection::NoEndpoint.into());
        }
        // As in `GET /users HTTP/1.1`.
        let (method, path) = match path.split_once(' ') {
            Some((method, path)) if path.starts_with('/') => (method, path.split(' ').next().unwrap_or(path)),
            _ => (of(self.method).unwrap_or(""), path),
        };
        let count = of(self.count).map_or(Ok(1), |text| {
            text.parse().map_err(|_| CountRejection::NotACount { found: cleaned(&shown(text), MAX_WHY_CHARS) })
        });
        Ok(Row {
            time_ms,
            target: [method.to_ascii_uppercase().as_bytes(), b" ", path.as_bytes()].concat(),
            status: of(self.status).and_then(|text| text.parse().ok()),
            received: of(self.received).and_then(|text| text.parse().ok()).filter(|n: &f64| n.is_finite() && *n >= 0.0),
            count: count?,
        })
    }
}
