//! The header line: what separates fields, which column is the time, which are memory.

use super::super::{fields, node_memory, prometheus};
use crate::units::{Amount, GIB, KIB, MIB};

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
const CONTAINER_NAMES: [&str; 8] =
    ["container", "containername", "name", "service", "servicename", "series", "app", "metric"];
/// Names of a column of pods, and of one of namespaces.
const POD_NAMES: [&str; 2] = ["pod", "podname"];
const NAMESPACE_NAMES: [&str; 2] = ["namespace", "podnamespace"];
/// Names of a column of memory.
const MEMORY_NAMES: [&str; 17] = [
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
    "memusage/limit",
    "memoryusage/limit",
    "heapused",
];
/// Names of a column of what a runtime's collector manages: what Node.js calls it.
const HEAP_NAMES: [&str; 2] = ["heapused", "heaptotal"];
/// Units behind the name of a column, without case, and what they count, in bytes.
const UNITS: [(&str, f64); 7] =
    [("bytes", 1.0), ("kib", KIB), ("mib", MIB), ("gib", GIB), ("kb", 1e3), ("mb", 1e6), ("gb", 1e9)];
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
    /// What a bare number of each column counts, in bytes; `None` where the header does not say.
    pub(super) units: Vec<Option<f64>>,
    /// For each column which part of `process.memoryUsage()` it is, where these are the columns.
    pub(super) parts: Vec<Option<usize>>,
}

impl Header {
    /// Whether a line has as many fields as the header, and a time where it says.
    pub(super) fn fits(&self, line: &str) -> bool {
        let cells = fields::split(line, self.delimiter);
        cells.len() == self.names.len() && fields::time(&cells[self.time], None).is_some()
    }
}

/// The header of a trend without names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Nameless {
    /// What a bare number counts, in bytes; `None` where it does not say.
    pub(in super::super) unit: Option<f64>,
}

/// Where memory stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Columns {
    /// A column for each container, with its name; `None` for the time and other measures.
    Wide(Vec<Option<String>>),
    /// One container in each row.
    Long {
        /// The columns that name it, from the namespace to the container, with the label of each.
        names: Vec<(&'static str, usize)>,
        /// The column of its memory.
        memory: usize,
    },
}

impl Header {
    /// The header of a table; `None` for a line that is none. `separator`: what an earlier line said of it.
    pub(super) fn read(line: &str, separator: Option<char>) -> Option<Header> {
        let delimiter = separator.or_else(|| delimiter(line))?;
        let names: Vec<String> = fields::split(line, delimiter)
            .iter()
            .map(|cell| cell.trim_start_matches('\u{feff}').trim().to_owned())
            .collect();
        let time = names.iter().position(|name| is_one_of(name, &TIME_NAMES))?;
        if names.len() < 2 {
            return None;
        }
        let (bare, units): (Vec<String>, Vec<Option<f64>>) = names.iter().map(|name| with_unit(name)).unzip();
        let find = |known: &[&str]| bare.iter().position(|name| is_one_of(name, known));
        let [namespace, pod, container] = [find(&NAMESPACE_NAMES), find(&POD_NAMES), find(&CONTAINER_NAMES)];
        let columns = match (pod.or(container), find(&MEMORY_NAMES)) {
            (Some(_), Some(memory)) => {
                let all = [("namespace", namespace), ("pod", pod), ("container", container)];
                let names = all.into_iter().filter_map(|(label, column)| Some((label, column?))).collect();
                Columns::Long { names, memory }
            }
            _ => Columns::Wide(wide(&names, &bare, time)),
        };
        let parts = match columns {
            Columns::Wide(_) => node_parts(&bare),
            Columns::Long { .. } => vec![None; bare.len()],
        };
        Some(Header { delimiter, names, time, columns, units, parts })
    }

    /// Whether a column is what a runtime's collector manages, by its name.
    pub(super) fn is_heap(&self, column: usize) -> bool {
        is_one_of(&with_unit(&self.names[column]).0, &HEAP_NAMES)
    }

    /// What a row without a header says of the columns: a time, the name of a container, and memory with its unit.
    /// `None` for every other line.
    pub(super) fn implied(line: &str) -> Option<Header> {
        let delimiter = delimiter(line)?;
        let cells = fields::split(line, delimiter);
        let cells: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
        let time = cells.iter().position(|cell| fields::time(cell, None).is_some())?;
        let is_number = |cell: &str| cell.trim_end_matches('%').parse::<f64>().is_ok();
        let is_memory = |cell: &str| !is_number(cell) && has_memory(cell, delimiter);
        let memory = cells.iter().position(|cell| is_memory(cell))?;
        let is_name = |cell: &str| !cell.is_empty() && cell != "--" && !is_number(cell) && !is_memory(cell);
        let mut names = (0..cells.len()).filter(|column| *column != time && is_name(cells[*column]));
        // An ID may stand before the name.
        let first = names.next()?;
        let is_id = |cell: &str| 12 <= cell.len() && cell.bytes().all(|byte| byte.is_ascii_hexdigit());
        let name = names.next().filter(|_| is_id(cells[first])).unwrap_or(first);
        Some(Header {
            delimiter,
            names: vec![String::new(); cells.len()],
            time,
            columns: Columns::Long { names: vec![("container", name)], memory },
            units: vec![None; cells.len()],
            parts: vec![None; cells.len()],
        })
    }

    /// What a header says of two columns, a time and memory of nobody in particular; `None` for every other header.
    pub(super) fn nameless(&self) -> Option<Nameless> {
        match &self.columns {
            Columns::Wide(names) if self.time == 0 && names.len() == 2 => {
                let name = names[1].as_deref()?;
                // A heap is read as a table: a trend knows nothing of what it counts.
                (is_one_of(name, &MEMORY_NAMES) && !is_one_of(name, &HEAP_NAMES))
                    .then_some(Nameless { unit: self.units[1] })
            }
            _ => None,
        }
    }

    /// The only column of memory, where its name is that of a measure and not of a container.
    pub(super) fn anonymous(&self) -> Option<usize> {
        let Columns::Wide(names) = &self.columns else { return None };
        let mut columns = (0..names.len()).filter(|column| names[*column].is_some());
        let column = columns.next().filter(|_| columns.next().is_none())?;
        let name = names[column].as_deref()?;
        (is_one_of(name, &MEMORY_NAMES) || is_one_of(name, &HEAP_NAMES)).then_some(column)
    }

    /// The names of columns that are not read.
    pub(super) fn left_out(&self) -> impl Iterator<Item = &str> {
        self.names.iter().enumerate().filter_map(|(column, name)| {
            let is_read = match &self.columns {
                Columns::Wide(names) => names[column].is_some(),
                Columns::Long { names, memory } => column == *memory || names.iter().any(|(_, name)| column == *name),
            };
            (!is_read && column != self.time && !name.is_empty()).then_some(name.as_str())
        })
    }
}

/// The columns of containers: all but the time, or, where other measures stand beside them, those of memory.
fn wide(names: &[String], bare: &[String], time: usize) -> Vec<Option<String>> {
    let is_other = |name: &str| OTHER_MEASURES.iter().any(|measure| name.to_lowercase().contains(measure));
    let is_mixed = names.iter().any(|name| prometheus::labels_of_name(name).is_none() && is_other(name));
    let parts = node_parts(bare);
    let is_node = parts.iter().any(Option::is_some);
    let is_memory = |column: usize| {
        if is_node { parts[column].is_some() } else { !is_mixed || is_one_of(&bare[column], &MEMORY_NAMES) }
    };
    (0..names.len())
        .map(|column| (column != time && !names[column].is_empty() && is_memory(column)).then(|| bare[column].clone()))
        .collect()
}

/// For each column which part of `process.memoryUsage()` it is, where there are several, with a heap among them.
fn node_parts(bare: &[String]) -> Vec<Option<usize>> {
    let parts: Vec<Option<usize>> = bare.iter().map(|name| node_memory::part_of(name)).collect();
    let is_heap = |name: &String| is_one_of(name.rsplit('.').next().unwrap_or_default(), &HEAP_NAMES);
    let is_node = 1 < parts.iter().flatten().count() && bare.iter().any(is_heap);
    if is_node { parts } else { vec![None; bare.len()] }
}

fn is_one_of(name: &str, known: &[&str]) -> bool {
    let plain: String = name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect();
    known.contains(&plain.as_str())
}

/// A column's name without the unit behind it, and what a bare number in it counts, in bytes: `web (MiB)`,
/// `memory_mb`, `rss_bytes`. A container keeps the whole name where no bracket sets its unit apart.
fn with_unit(name: &str) -> (String, Option<f64>) {
    let unit = |open: char, close: char| -> Option<(String, f64)> {
        let (before, unit) = name.strip_suffix(close)?.rsplit_once(open)?;
        let amount: Amount = format!("1{}", unit.trim()).parse().ok()?;
        unit.chars().all(char::is_alphabetic).then(|| (before.trim_end().to_owned(), amount.bytes))
    };
    if let Some((before, unit)) = unit('(', ')').or_else(|| unit('[', ']')) {
        return (before, Some(unit));
    }
    let behind = UNITS.iter().find_map(|(unit, bytes)| {
        let at = name.len().checked_sub(unit.len()).filter(|at| 0 < *at && name.is_char_boundary(*at))?;
        let (before, end) = name.split_at(at);
        let trimmed = before.trim_end_matches([' ', '_', '-', '.']);
        let is_measure = is_one_of(trimmed, &MEMORY_NAMES);
        let is_apart = trimmed.len() < before.len() && !trimmed.is_empty();
        (end.eq_ignore_ascii_case(unit) && (is_measure || is_apart))
            .then(|| (if is_measure { trimmed.to_owned() } else { name.to_owned() }, Some(*bytes)))
    });
    let is_bytes = is_one_of(name, &["bytes"]);
    behind.unwrap_or_else(|| (name.to_owned(), is_bytes.then_some(1.0)))
}

/// Whether a cell is an amount of memory with its unit, alone or with its limit.
fn has_memory(cell: &str, delimiter: char) -> bool {
    matches!(fields::memory(cell, None, delimiter != ','), Ok(fields::Memory::Used { is_bare: false, .. }))
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
