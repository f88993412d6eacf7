//! The header line: what separates fields, which column is the time, which are memory.

use super::super::prometheus;
use super::cells;
use crate::units::Amount;

/// Names of a column of time, without case, blanks, `_` and `-`.
const TIME_NAMES: [&str; 12] = [
    "time",
    "timestamp",
    "epoch",
    "date",
    "datetime",
    "ts",
    "utc",
    "unixtime",
    "currenttime",
    "epochseconds",
    "epochms",
    "timems",
];
/// Names of a column of containers.
const CONTAINER_NAMES: [&str; 10] =
    ["container", "containername", "name", "service", "servicename", "pod", "podname", "series", "app", "metric"];
/// Names of a column of memory.
const MEMORY_NAMES: [&str; 22] = [
    "memory",
    "mem",
    "memusage",
    "memoryusage",
    "memused",
    "memoryused",
    "usedmemory",
    "usedmem",
    "used",
    "usage",
    "rss",
    "workingset",
    "value",
    "bytes",
    "memorybytes",
    "membytes",
    "memoryusagebytes",
    "memusagebytes",
    "memusage/limit",
    "memorymb",
    "memorymib",
    "memmib",
];
/// What a column name holds that is no memory.
const OTHER_MEASURES: [&str; 2] = ["%", "cpu"];

/// What a header line says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    pub(super) delimiter: char,
    /// The names of all columns.
    pub(super) names: Vec<String>,
    /// The column of time.
    pub(super) time: usize,
    pub(super) columns: Columns,
    /// What a bare number of each column counts, in bytes.
    pub(super) units: Vec<f64>,
}

/// Where memory stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Columns {
    /// A column for each container, with its name; `None` for the time and other measures.
    Wide(Vec<Option<String>>),
    /// One container in each row.
    Long {
        /// The column of its name.
        name: usize,
        /// The column of its memory.
        memory: usize,
    },
}

impl Header {
    /// The header of a table; `None` for a line that is none. `separator`: what an earlier line said of it.
    pub(super) fn read(line: &str, separator: Option<char>) -> Option<Header> {
        let delimiter = separator.or_else(|| delimiter(line))?;
        let names: Vec<String> = cells::split(line, delimiter)
            .iter()
            .map(|cell| cell.trim_start_matches('\u{feff}').trim().to_owned())
            .collect();
        let time = names.iter().position(|name| is_one_of(name, &TIME_NAMES))?;
        if names.len() < 2 {
            return None;
        }
        let (bare, units): (Vec<String>, Vec<f64>) = names.iter().map(|name| with_unit(name)).unzip();
        let find = |known: &[&str]| bare.iter().position(|name| is_one_of(name, known));
        let columns = match (find(&CONTAINER_NAMES), find(&MEMORY_NAMES)) {
            (Some(name), Some(memory)) => Columns::Long { name, memory },
            _ => Columns::Wide(wide(&names, &bare, time)),
        };
        Some(Header { delimiter, names, time, columns, units })
    }

    /// The names of columns that are not read.
    pub(super) fn left_out(&self) -> impl Iterator<Item = &str> {
        self.names.iter().enumerate().filter_map(|(column, name)| {
            let is_read = match &self.columns {
                Columns::Wide(names) => names[column].is_some(),
                Columns::Long { name, memory } => column == *name || column == *memory,
            };
            (!is_read && column != self.time).then_some(name.as_str())
        })
    }
}

/// The columns of containers: all but the time, or, where other measures stand beside them, those of memory.
fn wide(names: &[String], bare: &[String], time: usize) -> Vec<Option<String>> {
    let is_other = |name: &str| OTHER_MEASURES.iter().any(|measure| name.to_lowercase().contains(measure));
    let is_mixed = names.iter().any(|name| prometheus::labels_of_name(name).is_none() && is_other(name));
    let is_memory = |name: &str| !is_mixed || is_one_of(name, &MEMORY_NAMES);
    (0..names.len())
        .map(|column| {
            (column != time && !names[column].is_empty() && is_memory(&bare[column])).then(|| bare[column].clone())
        })
        .collect()
}

fn is_one_of(name: &str, known: &[&str]) -> bool {
    let plain: String = name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect();
    known.contains(&plain.as_str())
}

/// A column's name without the unit behind it in brackets, and what a bare number in it counts: `web (MiB)`.
fn with_unit(name: &str) -> (String, f64) {
    let unit = |open: char, close: char| -> Option<(String, f64)> {
        let (before, unit) = name.strip_suffix(close)?.rsplit_once(open)?;
        let amount: Amount = format!("1{}", unit.trim()).parse().ok()?;
        unit.chars().all(char::is_alphabetic).then(|| (before.trim_end().to_owned(), amount.bytes))
    };
    unit('(', ')').or_else(|| unit('[', ']')).unwrap_or_else(|| (name.to_owned(), 1.0))
}

/// What separates the fields of a header: of comma, semicolon and tab the one that stands most often outside quotes.
fn delimiter(line: &str) -> Option<char> {
    let mut quoted = false;
    let mut counts = [('\t', 0), (';', 0), (',', 0)];
    for c in line.chars() {
        quoted ^= c == '"';
        if !quoted && let Some((_, count)) = counts.iter_mut().find(|(delimiter, _)| *delimiter == c) {
            *count += 1;
        }
    }
    counts.into_iter().filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count).map(|(delimiter, _)| delimiter)
}

/// Whether a line only says what separates fields, as spreadsheets read it.
pub(super) fn is_separator_line(line: &str) -> bool {
    separator_line(line).is_some()
        && line.trim_start_matches('\u{feff}').trim_matches(['"', ' ', '\r']).chars().count() <= 5
}

/// What a first line of `sep=;` says.
pub(super) fn separator_line(text: &str) -> Option<char> {
    let line = text.trim_start_matches('\u{feff}').trim_start_matches('"');
    line.strip_prefix("sep=")
        .or_else(|| line.strip_prefix("SEP="))?
        .chars()
        .next()
        .filter(|c| [',', ';', '\t'].contains(c))
}
