//! Reads the JSON of the stats commands: one object a line, arrays, and objects over several lines.

use std::borrow::Cow;
use std::fmt;

use memchr::{memchr, memmem};
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, Visitor};

use super::super::clock::Timestamp;
use super::super::fields;
use super::cells::is_hex_id;
use super::memory::Figure;
use super::row::Row;
use crate::account::{ExpectedAmount, Rejection};

/// More objects in a line are no readings that were cut.
const MAX_BEGINNINGS: usize = 16;

/// A longer object is no reading, in bytes.
const MAX_OBJECT: usize = 256 << 10;

/// One object of docker, nerdctl or podman.
///
/// `docker stats --format '{{json .}}'` has `MemUsage` as text; `podman stats --format json` has `mem_usage`, and
/// with `'{{json .}}'` it has `MemUsage` and `MemLimit` in bytes.
#[derive(Deserialize)]
pub(super) struct JsonRow<'a> {
    #[serde(rename = "ID", alias = "Id", alias = "id", alias = "ContainerID", borrow, default)]
    id: Cow<'a, str>,
    #[serde(rename = "Container", borrow, default)]
    container: Cow<'a, str>,
    #[serde(rename = "Name", alias = "name", borrow, default)]
    name: Cow<'a, str>,
    #[serde(rename = "MemUsage", alias = "mem_usage", borrow, default)]
    memory: Option<Usage<'a>>,
    #[serde(rename = "MemLimit", default)]
    limit: Option<f64>,
    #[serde(rename = "NetIO", alias = "net_io", alias = "netio", borrow, default)]
    network: Cow<'a, str>,
    #[serde(rename = "BlockIO", alias = "block_io", alias = "blocki", borrow, default)]
    disk: Cow<'a, str>,
    /// What a logger or a filter adds.
    #[serde(default)]
    time: Option<Moment>,
    #[serde(default)]
    timestamp: Option<Moment>,
    #[serde(rename = "@timestamp", default)]
    at: Option<Moment>,
}

/// A time as text or as a number of seconds or of milliseconds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Text(String),
    Number(f64),
    Other(IgnoredAny),
}

/// An amount as text or in bytes.
enum Usage<'a> {
    Text(Cow<'a, str>),
    Bytes(f64),
}

impl<'de: 'a, 'a> Deserialize<'de> for Usage<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Usage<'a>, D::Error> {
        struct OfUsage;
        impl<'de> Visitor<'de> for OfUsage {
            type Value = Usage<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("`USED / LIMIT` or a number of bytes")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Usage<'de>, E> {
                Ok(Usage::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Usage<'de>, E> {
                Ok(Usage::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Usage<'de>, E> {
                Ok(Usage::Bytes(bytes as f64))
            }

            fn visit_f64<E: de::Error>(self, bytes: f64) -> Result<Usage<'de>, E> {
                Ok(Usage::Bytes(bytes))
            }
        }
        deserializer.deserialize_any(OfUsage)
    }
}

impl JsonRow<'_> {
    /// The time that was added to it, and how it is written. `latest_ms`: as for `clock::read_timestamp`.
    pub(super) fn timestamp(&self, latest_ms: Option<i64>) -> Option<(Timestamp, String)> {
        [&self.time, &self.timestamp, &self.at].into_iter().flatten().find_map(|moment| {
            let text = match moment {
                Moment::Text(text) => text.clone(),
                Moment::Number(number) if *number < 1e11 => format!("{number:.3}"),
                Moment::Number(number) => format!("{number:.0}"),
                Moment::Other(_) => return None,
            };
            fields::time(&text, latest_ms).map(|timestamp| (timestamp, text))
        })
    }

    /// The row; `None` when it says nothing of memory.
    pub(super) fn row(&self) -> Option<Row<'_>> {
        // `docker stats web` says `web` of a container of which nothing else is known.
        let (id, name): (&str, &str) = match (&*self.id, &*self.name) {
            ("", name) if is_hex_id(&self.container) => (&self.container, name),
            ("", "" | "--") => ("", &self.container),
            (id, name) => (id, name),
        };
        let memory = match self.memory.as_ref()? {
            Usage::Text(text) => Figure::Rounded(text),
            Usage::Bytes(bytes) => Figure::Exact(*bytes, self.limit),
        };
        Some(Row { namespace: "", pod: "", id, name, memory, network: &self.network, disk: &self.disk })
    }
}

/// What `crictl stats -o json` prints.
#[derive(Deserialize)]
pub(super) struct CriStats<'a> {
    #[serde(borrow)]
    pub(super) stats: Vec<CriRow<'a>>,
}

/// One container of it.
#[derive(Deserialize)]
pub(super) struct CriRow<'a> {
    #[serde(borrow)]
    attributes: CriAttributes<'a>,
    #[serde(borrow)]
    memory: Option<CriMemory<'a>>,
}

#[derive(Deserialize)]
struct CriAttributes<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    metadata: CriMetadata<'a>,
    #[serde(borrow, default)]
    labels: CriLabels<'a>,
}

#[derive(Deserialize)]
struct CriMetadata<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
struct CriLabels<'a> {
    #[serde(rename = "io.kubernetes.pod.name", borrow, default)]
    pod: Cow<'a, str>,
    #[serde(rename = "io.kubernetes.pod.namespace", borrow, default)]
    namespace: Cow<'a, str>,
}

#[derive(Deserialize)]
struct CriMemory<'a> {
    /// Nanoseconds since 1970, as text.
    #[serde(borrow, default)]
    timestamp: Cow<'a, str>,
    #[serde(rename = "workingSetBytes", borrow, default)]
    working_set: Option<CriValue<'a>>,
}

#[derive(Deserialize)]
struct CriValue<'a> {
    #[serde(borrow)]
    value: Cow<'a, str>,
}

impl CriRow<'_> {
    /// The row; a gap when it says nothing of memory.
    pub(super) fn row(&self) -> Result<Row<'_>, Rejection> {
        let value = self.memory.as_ref().and_then(|memory| memory.working_set.as_ref()).map(|set| &*set.value);
        let bytes = match value {
            None => 0.0,
            Some(text) => text.parse().map_err(|_| Rejection::not_an_amount(text, ExpectedAmount::Bytes))?,
        };
        let attributes = &self.attributes;
        Ok(Row {
            namespace: &attributes.labels.namespace,
            pod: &attributes.labels.pod,
            id: &attributes.id,
            name: &attributes.metadata.name,
            memory: Figure::Exact(bytes, None),
            network: "",
            disk: "",
        })
    }

    /// When it was measured, in milliseconds; `None` when it does not say.
    pub(super) fn time_ms(&self) -> Option<i64> {
        let ns: i64 = self.memory.as_ref()?.timestamp.parse().ok()?;
        (ns > 0).then_some(ns / 1_000_000)
    }
}

/// Where a JSON object begins: at once, or after what a logger put before it.
pub(super) fn json_start(text: &str) -> Option<usize> {
    let start = memchr(b'{', text.as_bytes())?;
    (start == 0 || text[start..].starts_with("{\"") && text[..start].ends_with([' ', '\t', ':'])).then_some(start)
}

/// The object that is whole at the end of a line whose beginning was cut, and where it begins: it cannot be taken for
/// another, as a row of text could. `None` where there is none, or where a time before the line is that of the first
/// (`is_stamped`) and the object has none of its own.
pub(super) fn whole_behind_cut(text: &str, is_stamped: bool) -> Option<(usize, JsonRow<'_>)> {
    let begins = memmem::find_iter(text.as_bytes(), b"{\"").filter(|at| 0 < *at);
    begins.take(MAX_BEGINNINGS).find_map(|at| {
        let json: JsonRow<'_> = serde_json::from_str(&text[at..]).ok()?;
        let is_dated = json.time.is_some() || json.timestamp.is_some() || json.at.is_some();
        (json.row().is_some() && (is_dated || !is_stamped)).then_some((at, json))
    })
}

/// An object over several lines, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Object {
    pub(super) text: String,
    pub(super) n_lines: u64,
    pub(super) first_line: u64,
    depth: u32,
}

/// What a line is to an object over several lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// It ends the object.
    Last,
    /// It belongs to it.
    Inner,
    /// It cannot: the object broke off before it.
    Foreign,
    /// It shows that the object holds the list of all containers.
    Wrapper,
}

impl Object {
    /// Whether an object has begun.
    pub(super) fn is_open(&self) -> bool {
        self.n_lines > 0
    }

    /// Begins an object at a line that is an opening brace alone.
    pub(super) fn begin(&mut self, line: u64) {
        *self = Object { text: String::from("{\n"), n_lines: 1, first_line: line, depth: 1 };
    }

    /// Takes the next line, or says that it is not of this object.
    pub(super) fn take(&mut self, line: &str) -> Piece {
        if self.n_lines == 1 && line.starts_with("\"stats\"") && line.ends_with('[') {
            return Piece::Wrapper;
        }
        // Inside an object nothing but a key, a brace or a bracket begins a line, and only arrays hold bare braces.
        let is_of_json = line.starts_with(['"', '}', ']']);
        if !is_of_json || self.text.len() + line.len() > MAX_OBJECT {
            return Piece::Foreign;
        }
        self.text.push_str(line);
        self.text.push('\n');
        self.n_lines += 1;
        let (mut in_text, mut escaped) = (false, false);
        for byte in line.bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                b'{' if !in_text => self.depth += 1,
                b'}' if !in_text => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        if self.depth > 0 {
            return Piece::Inner;
        }
        // The comma between two elements of an array.
        let whole = self.text.trim_end().trim_end_matches([',', ']']).trim_end().len();
        self.text.truncate(whole);
        Piece::Last
    }
}
