//! The header line: what separates fields, which column is the time, which are memory.

use super::super::columns::{Columns, GivenColumns, Layout};
use super::super::fields;

/// What a header line says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    pub(super) delimiter: char,
    pub(super) layout: Layout,
}

/// The header of a trend without names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Nameless {
    /// What a bare number counts, in bytes; `None` where it does not say.
    pub(crate) unit: Option<f64>,
}

impl Header {
    /// Whether a line has as many fields as the header, and a time where it says.
    pub(super) fn fits(&self, line: &str) -> bool {
        let cells = fields::split(line, self.delimiter);
        cells.len() == self.layout.names.len() && fields::time(&cells[self.layout.time], None).is_some()
    }

    /// The header of a table; `None` for a line that is not a header. `separator`: what an earlier line said of it.
    pub(super) fn read(line: &str, separator: Option<char>, given: &GivenColumns) -> Option<Header> {
        let delimiter = separator.or_else(|| delimiter(line))?;
        Some(Header { delimiter, layout: Layout::of(names(line, delimiter), given)? })
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
        let layout = Layout {
            names: vec![String::new(); cells.len()],
            time,
            columns: Columns::Long { names: vec![("container".to_owned(), name)], memory, limit: None },
            units: vec![None; cells.len()],
            parts: vec![None; cells.len()],
        };
        Some(Header { delimiter, layout })
    }

    /// What a header says of two columns, a time and memory of nobody in particular; `None` for every other header.
    pub(super) fn nameless(&self) -> Option<Nameless> {
        self.layout.nameless().map(|column| Nameless { unit: self.layout.units[column] })
    }
}

/// The names in a header line; `None` for a line of one field.
pub(super) fn names_of(line: &str, separator: Option<char>) -> Option<Vec<String>> {
    Some(names(line, separator.or_else(|| delimiter(line))?))
}

fn names(line: &str, delimiter: char) -> Vec<String> {
    let cells = fields::split(line, delimiter);
    cells.iter().map(|cell| cell.trim_start_matches('\u{feff}').trim().to_owned()).collect()
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
