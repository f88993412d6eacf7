//! What the columns of a table are, by their names or as the user says: one answer for CSV, Parquet and Arrow.

use super::{node_memory, prometheus};
use crate::units::{GIB, KIB, MIB, WrittenAmount};

/// Names of a column of time, without case, blanks, `_` and `-`.
const TIME_NAMES: [&str; 14] = [
    "time",
    "timestamp",
    "epoch",
    "date",
    "datetime",
    "ts",
    "ds",
    "utc",
    "unixtime",
    "currenttime",
    "epochseconds",
    "epochms",
    "timems",
    "eventtime",
];
/// Names of a column of containers.
const CONTAINER_NAMES: [&str; 9] =
    ["container", "containername", "name", "service", "servicename", "series", "app", "metric", "uniqueid"];
/// Names of a column of pods, and of one of namespaces.
const POD_NAMES: [&str; 2] = ["pod", "podname"];
const NAMESPACE_NAMES: [&str; 2] = ["namespace", "podnamespace"];
/// Names of a column of memory.
const MEMORY_NAMES: [&str; 18] = [
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
    "y",
];
/// Names of a column of memory limits, without their unit.
const LIMIT_NAMES: [&str; 5] = ["limit", "memlimit", "memorylimit", "limitbytes", "memorylimitbytes"];
/// Names of a column of what a runtime's collector manages: what Node.js calls it.
const HEAP_NAMES: [&str; 2] = ["heapused", "heaptotal"];
/// Units behind the name of a column, without case, and what they count, in bytes.
const UNITS: [(&str, f64); 7] =
    [("bytes", 1.0), ("kib", KIB), ("mib", MIB), ("gib", GIB), ("kb", 1e3), ("mb", 1e6), ("gb", 1e9)];
/// What a column name holds that is no memory.
const OTHER_MEASURES: [&str; 2] = ["%", "cpu"];

/// Which columns of a table are what, as the user says (`--column`); what is not said is found by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GivenColumns {
    /// The column of time.
    pub time: Option<String>,
    /// The column of memory.
    pub value: Option<String>,
    /// The columns that name a series, outermost first.
    pub series: Vec<String>,
    /// The column of memory limits.
    pub limit: Option<String>,
}

impl GivenColumns {
    /// Whether the user says nothing.
    pub fn is_empty(&self) -> bool {
        *self == GivenColumns::default()
    }

    /// The first column that is named and not among `names`, with its role; `None` where all are.
    pub(super) fn missing(&self, names: &[String]) -> Option<(&'static str, &str)> {
        let series = self.series.iter().map(|name| ("series", name));
        let others = [("time", &self.time), ("value", &self.value), ("limit", &self.limit)];
        let others = others.into_iter().filter_map(|(role, name)| Some((role, name.as_ref()?)));
        others
            .chain(series)
            .find(|(_, name)| !names.iter().any(|other| is_same(other, name)))
            .map(|(role, name)| (role, name.as_str()))
    }
}

/// What the columns of a table are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    /// The names of all columns.
    pub(super) names: Vec<String>,
    /// The column of time.
    pub(super) time: usize,
    pub(super) columns: Columns,
    /// What a bare number of each column counts, in bytes; `None` where its name does not say.
    pub(super) units: Vec<Option<f64>>,
    /// For each column which part of `process.memoryUsage()` it is, where these are the columns.
    pub(super) parts: Vec<Option<usize>>,
}

/// Where memory stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Columns {
    /// A column for each container, with its name; `None` for the time and other measures.
    Wide(Vec<Option<String>>),
    /// One container in each row.
    Long {
        /// The columns that name it, from the namespace to the container, with the label of each.
        names: Vec<(String, usize)>,
        /// The column of its memory.
        memory: usize,
        /// The column of its limit; `None` where there is none.
        limit: Option<usize>,
    },
}

impl Layout {
    /// What columns of these names are; `None` where none is a time, or one that is given is not there.
    pub(super) fn of(names: Vec<String>, given: &GivenColumns) -> Option<Layout> {
        let place = |given: &str| names.iter().position(|name| is_same(name, given));
        let by_name = |known: &[&str]| names.iter().position(|name| is_one_of(name, known));
        let time = match &given.time {
            Some(name) => place(name)?,
            None => by_name(&TIME_NAMES)?,
        };
        if names.len() < 2 {
            return None;
        }
        let (bare, units): (Vec<String>, Vec<Option<f64>>) = names.iter().map(|name| with_unit(name)).unzip();
        let find = |known: &[&str]| (0..bare.len()).find(|column| *column != time && is_one_of(&bare[*column], known));
        let memory = match &given.value {
            Some(name) => Some(place(name)?),
            None => find(&MEMORY_NAMES),
        };
        let limit = match &given.limit {
            Some(name) => Some(place(name)?),
            None => find(&LIMIT_NAMES).filter(|limit| Some(*limit) != memory),
        };
        let who = if given.series.is_empty() {
            let all = [("namespace", &NAMESPACE_NAMES[..]), ("pod", &POD_NAMES), ("container", &CONTAINER_NAMES)];
            let all = all.map(|(label, known)| (label, find(known).filter(|column| Some(*column) != memory)));
            let names_container = all[1].1.or(all[2].1).is_some();
            let all = all.into_iter().filter_map(|(label, column)| Some((label.to_owned(), column?)));
            if names_container { Some(all.collect()) } else { given.value.as_ref().map(|_| Vec::new()) }
        } else {
            let columns = given.series.iter().map(|name| Some((label_of(name), place(name)?)));
            Some(columns.collect::<Option<Vec<(String, usize)>>>()?)
        };
        let columns = match (who, memory) {
            (Some(names), Some(memory)) => Columns::Long { names, memory, limit },
            _ => Columns::Wide(wide(&names, &bare, time)),
        };
        let parts = match columns {
            Columns::Wide(_) => node_parts(&bare),
            Columns::Long { .. } => vec![None; bare.len()],
        };
        Some(Layout { names, time, columns, units, parts })
    }

    /// Whether a column is what a runtime's collector manages, by its name.
    pub(super) fn is_heap(&self, column: usize) -> bool {
        is_one_of(&with_unit(&self.names[column]).0, &HEAP_NAMES)
    }

    /// The only column beside the time, where that is memory of nobody in particular.
    pub(super) fn nameless(&self) -> Option<usize> {
        match &self.columns {
            Columns::Wide(names) if self.time == 0 && names.len() == 2 => {
                let name = names[1].as_deref()?;
                // A heap is read as a table: a trend knows nothing of what it counts.
                (is_one_of(name, &MEMORY_NAMES) && !is_one_of(name, &HEAP_NAMES)).then_some(1)
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
                Columns::Long { names, memory, limit } => {
                    column == *memory || Some(column) == *limit || names.iter().any(|(_, name)| column == *name)
                }
            };
            (!is_read && column != self.time && !name.is_empty()).then_some(name.as_str())
        })
    }
}

/// The label that a column of this name gives a series.
fn label_of(name: &str) -> String {
    let known = [("namespace", &NAMESPACE_NAMES[..]), ("pod", &POD_NAMES), ("container", &CONTAINER_NAMES)];
    let known = known.into_iter().find(|(_, known)| is_one_of(name, known));
    known.map_or_else(|| name.to_owned(), |(label, _)| label.to_owned())
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

/// Whether a column is the one that was given: by its whole name, without case.
fn is_same(name: &str, given: &str) -> bool {
    name.to_lowercase() == given.to_lowercase()
}

/// A column's name without the unit behind it, and what a bare number in it counts, in bytes: `web (MiB)`,
/// `memory_mb`, `rss_bytes`. A container keeps the whole name where no bracket sets its unit apart.
fn with_unit(name: &str) -> (String, Option<f64>) {
    let unit = |open: char, close: char| -> Option<(String, f64)> {
        let (before, unit) = name.strip_suffix(close)?.rsplit_once(open)?;
        let amount: WrittenAmount = format!("1{}", unit.trim()).parse().ok()?;
        unit.chars().all(char::is_alphabetic).then(|| (before.trim_end().to_owned(), amount.bytes))
    };
    if let Some((before, unit)) = unit('(', ')').or_else(|| unit('[', ']')) {
        return (before, Some(unit));
    }
    let behind = UNITS.iter().find_map(|(unit, bytes)| {
        let at = name.len().checked_sub(unit.len()).filter(|at| 0 < *at && name.is_char_boundary(*at))?;
        let (before, end) = name.split_at(at);
        let trimmed = before.trim_end_matches([' ', '_', '-', '.']);
        let is_measure = is_one_of(trimmed, &MEMORY_NAMES) || is_one_of(trimmed, &LIMIT_NAMES);
        let is_apart = trimmed.len() < before.len() && !trimmed.is_empty();
        (end.eq_ignore_ascii_case(unit) && (is_measure || is_apart))
            .then(|| (if is_measure { trimmed.to_owned() } else { name.to_owned() }, Some(*bytes)))
    });
    let is_bytes = is_one_of(name, &["bytes"]);
    behind.unwrap_or_else(|| (name.to_owned(), is_bytes.then_some(1.0)))
}
