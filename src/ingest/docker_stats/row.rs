//! Reads one line: the columns of a table, a row without a header, a JSON object.
//!
//! Takes text without escape codes and stamps; gives cells as they stand, and memory in bytes.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::super::amount;
use crate::units::Amount;

/// Cells of a row that are looked at: podman has ten columns.
pub(super) const MAX_CELLS: usize = 16;

/// What a row says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// Empty when there is none.
    pub(super) id: &'a str,
    /// Empty when there is none.
    pub(super) name: &'a str,
    pub(super) memory: &'a str,
    pub(super) network: &'a str,
    pub(super) disk: &'a str,
}

/// Where a header says that things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) id: Option<usize>,
    pub(super) name: Option<usize>,
    pub(super) memory: usize,
    pub(super) network: Option<usize>,
    pub(super) disk: Option<usize>,
    pub(super) count: usize,
}

/// What the memory cell of a row says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Memory {
    Gap,
    Used { used: Amount, limit: Option<f64> },
}

/// Why a line could not be read.
#[derive(Debug)]
pub(super) enum Refusal {
    Json(String),
    JsonKeys,
    NoRow { n_cells: usize, columns: Option<usize> },
    Memory(String),
}

impl Refusal {
    pub(super) fn text(&self, line: &str) -> String {
        const EXPECTED_ROW: &str = "expected a container, `USED / LIMIT` and more, columns two or more blanks apart";
        match self {
            Refusal::Json(error) => format!("this is not a JSON object: {error}"),
            Refusal::JsonKeys => {
                "there is no `MemUsage` in it (expected what `docker stats --format '{{json .}}'` prints)".to_owned()
            }
            Refusal::NoRow { .. } if line == "json" => {
                "docker before 23.0 takes `--format json` for a template (expected what `--format '{{json .}}'` prints)"
                    .to_owned()
            }
            Refusal::NoRow { n_cells, columns: Some(columns) } if *n_cells > 2 => {
                format!("found {n_cells} columns without an amount of memory (expected {columns}, as the header has)")
            }
            Refusal::NoRow { .. } => format!("no amount of memory found ({EXPECTED_ROW})"),
            Refusal::Memory(why) => why.clone(),
        }
    }
}

impl Memory {
    pub(super) fn of(cell: &str) -> Result<Memory, Refusal> {
        let (used, limit) = match memchr(b'/', cell.as_bytes()) {
            Some(slash) => (cell[..slash].trim(), cell[slash + 1..].trim()),
            None => (cell, ""),
        };
        if used == "--" {
            return Ok(Memory::Gap);
        }
        let used = amount::read(used).map_err(|error| Refusal::Memory(error.to_string()))?;
        let limit = if limit.is_empty() { None } else { amount::read(limit).ok() };
        if used.bytes == 0.0 && limit.is_some_and(|limit| limit.bytes == 0.0) {
            return Ok(Memory::Gap);
        }
        Ok(Memory::Used { used, limit: limit.map(|limit| limit.bytes).filter(|bytes| *bytes > 0.0) })
    }
}

impl Columns {
    /// The columns that a header names; `None` when none of them is memory.
    pub(super) fn of(header: &str) -> Option<Columns> {
        let mut cells = [""; MAX_CELLS];
        let n_cells = split(header, &mut cells);
        let mut columns =
            Columns { id: None, name: None, memory: usize::MAX, network: None, disk: None, count: n_cells };
        for (index, cell) in cells[..n_cells].iter().enumerate() {
            // What stands before the rows stands before the header, too.
            let cell = ["CONTAINER ID", "CONTAINER", "NAME", "ID"]
                .into_iter()
                .find(|name| {
                    index == 0
                        && cell
                            .strip_suffix(*name)
                            .is_some_and(|before| before.is_empty() || before.ends_with([' ', ':', ']']))
                })
                .unwrap_or(cell);
            match cell {
                "CONTAINER ID" | "ID" => columns.id = Some(index),
                "CONTAINER" | "NAME" => columns.name = Some(index),
                "NET I/O" | "NET IO" => columns.network = Some(index),
                "BLOCK I/O" | "BLOCK IO" => columns.disk = Some(index),
                _ if cell.starts_with("MEM USAGE") || cell == "PRIV WORKING SET" => columns.memory = index,
                _ => {}
            }
        }
        (columns.memory < n_cells).then_some(columns)
    }

    /// The row of cells that fit these columns.
    pub(super) fn row<'a>(&self, cells: &[&'a str]) -> Option<Row<'a>> {
        if cells.len() != self.count || !looks_like_memory(cells[self.memory]) {
            return None;
        }
        let cell = |index: Option<usize>| index.map_or("", |index| cells[index]);
        let (id, name) = (cell(self.id), cell(self.name));
        Some(Row { id, name, memory: cells[self.memory], network: cell(self.network), disk: cell(self.disk) })
    }
}

/// A row without a header, recognised by its memory cell `USED / LIMIT`.
pub(super) fn bare_row<'a>(cells: &[&'a str]) -> Option<Row<'a>> {
    let memory = cells.iter().position(|cell| memchr(b'/', cell.as_bytes()).is_some() && looks_like_memory(cell))?;
    let mut before = cells[..memory].iter().copied().filter(|cell| !is_share(cell));
    let (first, second) = (before.next()?, before.next());
    let last = before.next_back().or(second);
    let (id, name) = match last {
        // A CPU of `--` is not told from a name of `--`, nor need it be.
        Some(name) if cells.len() > 1 && memory > 1 && cells[memory - 1] == "--" && name == "--" && memory == 2 => {
            (first, "")
        }
        Some(name) => (first, name),
        None if is_hex_id(last_word(first).0) => (first, ""),
        None => ("", first),
    };
    let after = &cells[memory + 1..];
    let after = if after.first().is_some_and(|cell| is_share(cell) || *cell == "--") { &after[1..] } else { after };
    let cell = |index: usize| after.get(index).copied().unwrap_or("");
    Some(Row { id, name, memory: cells[memory], network: cell(0), disk: cell(1) })
}

/// The two amounts of a cell such as `1.09kB / 0B`, in bytes.
pub(super) fn pair(cell: &str) -> [Option<f64>; 2] {
    let Some(slash) = memchr(b'/', cell.as_bytes()) else { return [None, None] };
    [&cell[..slash], &cell[slash + 1..]].map(|text| amount::read_quietly(text.trim()).map(|amount| amount.bytes))
}

/// One object of `docker stats --format '{{json .}}'`.
#[derive(serde::Deserialize)]
pub(super) struct JsonRow<'a> {
    #[serde(rename = "ID", alias = "Id", borrow, default)]
    id: Cow<'a, str>,
    #[serde(rename = "Container", borrow, default)]
    container: Cow<'a, str>,
    #[serde(rename = "Name", borrow, default)]
    name: Cow<'a, str>,
    #[serde(rename = "MemUsage", borrow, default)]
    memory: Option<Cow<'a, str>>,
    #[serde(rename = "NetIO", borrow, default)]
    network: Cow<'a, str>,
    #[serde(rename = "BlockIO", borrow, default)]
    disk: Cow<'a, str>,
}

impl JsonRow<'_> {
    pub(super) fn row(&self) -> Option<Row<'_>> {
        let id = if self.id.is_empty() { &self.container } else { &self.id };
        let memory = self.memory.as_deref()?;
        Some(Row { id, name: &self.name, memory, network: &self.network, disk: &self.disk })
    }
}

/// Where a JSON object begins: at once, or after what a logger put before it.
pub(super) fn json_start(text: &str) -> Option<usize> {
    let start = memchr(b'{', text.as_bytes())?;
    (start == 0 || text[start..].starts_with("{\"") && text[..start].ends_with([' ', '\t', ':'])).then_some(start)
}

/// Whether a cell can be the memory of a row: begins with a digit or is a gap.
pub(super) fn looks_like_memory(cell: &str) -> bool {
    match cell.as_bytes() {
        [b'-', b'-', ..] => true,
        [b'0'..=b'9', rest @ ..] => rest.iter().any(u8::is_ascii_alphabetic),
        _ => false,
    }
}

pub(super) fn is_share(cell: &str) -> bool {
    cell.ends_with('%') && cell.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

pub(super) fn is_hex_id(text: &str) -> bool {
    12 <= text.len() && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Splits at tabs and at two or more blanks; gives the number of cells.
pub(super) fn split<'a>(text: &'a str, cells: &mut [&'a str; MAX_CELLS]) -> usize {
    let bytes = text.as_bytes();
    let mut n_cells = 0;
    let mut at = 0;
    while n_cells < MAX_CELLS {
        while at < bytes.len() && (bytes[at] == b' ' || bytes[at] == b'\t') {
            at += 1;
        }
        if at == bytes.len() {
            break;
        }
        let first = at;
        loop {
            match memchr2(b' ', b'\t', &bytes[at..]) {
                None => at = bytes.len(),
                Some(offset) => {
                    at += offset;
                    let ends = bytes[at] == b'\t' || matches!(bytes.get(at + 1), None | Some(b' ' | b'\t'));
                    if !ends {
                        at += 1;
                        continue;
                    }
                }
            }
            break;
        }
        cells[n_cells] = &text[first..at];
        n_cells += 1;
    }
    n_cells
}

/// The last word of a cell, and what stands before it.
pub(super) fn last_word(cell: &str) -> (&str, &str) {
    cell.rsplit_once(' ').map_or((cell, ""), |(before, word)| (word, before))
}

pub(super) fn is_header(text: &str) -> bool {
    // The cheapest test first: rows hold neither letter, but for names.
    if memchr2(b'U', b'W', text.as_bytes()).is_none() {
        return false;
    }
    let at = memchr::memmem::find(text.as_bytes(), b"MEM USAGE");
    let at = at.or_else(|| memchr::memmem::find(text.as_bytes(), b"PRIV WORKING SET"));
    at.is_some() && (text.contains("NAME") || text.contains("CONTAINER"))
}

/// Whether a line belongs to a session in which `docker stats` was run, beside its table.
pub(super) fn is_about_stats(text: &str) -> bool {
    let is_rule = 3 <= text.len() && text.bytes().all(|byte| b"-=_+|*#~ .".contains(&byte));
    let is_command = ["docker stats", "podman stats", "nerdctl stats", "compose stats", "container stats"]
        .iter()
        .any(|command| text.contains(command));
    let is_prompt = text.starts_with("$ ") || text.ends_with('$') || text.ends_with('#') && text.contains('@');
    is_rule || is_command || is_prompt || text.starts_with("^C") || text.starts_with("^Z")
}
