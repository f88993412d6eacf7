//! Reads rows that stand without a header: by what their cells look like.
//!
//! Takes text without escape codes and timestamps; gives cells as they stand.

use memchr::memchr;

use super::cells::{MAX_CELLS, is_hex_id, is_share, last_word, looks_like_memory, words};
use super::memory::{Figure, pair};

/// What a row says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// Of Kubernetes; empty when there is none.
    pub(super) namespace: &'a str,
    /// Of Kubernetes; empty when there is none.
    pub(super) pod: &'a str,
    /// Empty when there is none.
    pub(super) id: &'a str,
    /// Empty when there is none.
    pub(super) name: &'a str,
    pub(super) memory: Figure<'a>,
    pub(super) network: &'a str,
    pub(super) disk: &'a str,
}

impl<'a> Row<'a> {
    /// NET I/O and BLOCK I/O, in bytes; NaN where there is none.
    pub(super) fn counters(&self) -> [f64; 4] {
        let [received, sent] = pair(self.network);
        let [read, written] = pair(self.disk);
        [received, sent, read, written]
    }

    fn new(id: &'a str, name: &'a str, memory: Figure<'a>) -> Row<'a> {
        Row { namespace: "", pod: "", id, name, memory, network: "", disk: "" }
    }
}

/// Cells that follow the memory, at most: podman prints its share, NET IO, BLOCK IO, PIDS, CPU TIME and AVG CPU %.
const MAX_CELLS_AFTER: usize = 6;

/// Cells `A / B` of a row, at most: memory, NET I/O, BLOCK I/O.
const MAX_PAIRS: usize = 3;

/// Whether a cell of an ID is one that was cut, and another behind it.
pub(super) fn is_torn_id(cell: &str) -> bool {
    let (id, before) = last_word(cell);
    is_hex_id(id) && !matches!(id.len(), 12 | 64) || is_hex_id(last_word(before).0)
}

/// A row of docker, podman or nerdctl, recognised by its memory cell `USED / LIMIT`.
pub(super) fn bare_row<'a>(cells: &[&'a str]) -> Option<Row<'a>> {
    let memory = cells.iter().position(|cell| memchr(b'/', cell.as_bytes()).is_some() && looks_like_memory(cell))?;
    // A name that fills its column runs into the next one: no name holds a blank.
    if cells[..memory].iter().any(|cell| cell.contains(' ') && is_share(last_word(cell).0)) {
        return None;
    }
    let mut before = cells[..memory].iter().copied().filter(|cell| !is_share(cell));
    let (first, last) = (before.next()?, before.next());
    // A row that was cut, and the next one behind it.
    let n_more =
        before.filter(|cell| *cell != "--").count() + cells[memory + 1..].len().saturating_sub(MAX_CELLS_AFTER);
    if n_more > 0 || is_torn_id(first) {
        return None;
    }
    let (id, name) = match last {
        // A CPU of `--` is not told from a name of `--`, nor need it be.
        Some(name) if cells.len() > 1 && memory > 1 && cells[memory - 1] == "--" && name == "--" && memory == 2 => {
            (first, "")
        }
        // podman prints a CPU of `--` for a container that it cannot ask.
        Some("--") if memory > 2 => (first, cells[memory - 2]),
        Some(name) => (first, name),
        None if is_hex_id(last_word(first).0) => (first, ""),
        None => ("", first),
    };
    let after = &cells[memory + 1..];
    let after = if after.first().is_some_and(|cell| is_share(cell) || *cell == "--") { &after[1..] } else { after };
    let cell = |index: usize| after.get(index).copied().unwrap_or("");
    Some(Row { network: cell(0), disk: cell(1), ..Row::new(id, name, Figure::Rounded(cells[memory])) })
}

/// A row whose columns are one blank apart, as `tr -s ' '`, an unquoted `echo` or a template of the user leave it:
/// `9a9858661741 web 0.12% 16.18MiB / 1GiB 1.58% ..`, `web: 16.18MiB / 1GiB`, `web,0.12%,16.18MiB / 1GiB`.
pub(super) fn squeezed_row(text: &str) -> Option<Row<'_>> {
    const SEPARATORS: [char; 6] = [' ', '\t', '=', ',', ';', '|'];

    let slash = memchr::memmem::find(text.as_bytes(), b" / ")?;
    let at = text[..slash].rfind(SEPARATORS)?;
    let (before, used) = (&text[..at], &text[at + 1..slash]);
    let limit = text[slash + 3..].split([' ', '\t', ',', ';', '|', ')']).next()?;
    let is_amount = |text: &str| looks_like_memory(text);
    if !is_amount(used) || !is_amount(limit) {
        return None;
    }
    let end = slash + 3 + limit.len();
    let n_pairs = memchr::memmem::find_iter(text.as_bytes(), b" / ").count();
    if MAX_PAIRS < n_pairs {
        return None;
    }
    // A time of day behind the readings would be lost.
    if matches!(text.as_bytes()[at], b',' | b';') && text[end..].split([',', ';']).any(is_time_of_day) {
        return None;
    }
    let memory = Figure::Rounded(&text[slash - used.len()..end]);
    let words = before.split([' ', '\t', ',', ';', '|']).filter(|word| !is_share(word) && *word != "--");
    let mut names = words.map(|word| word.trim_end_matches([':', '='])).filter(|word| !word.is_empty());
    let (first, last) = (names.next()?, names.next());
    let (id, name) = match last {
        Some(name) => (first, name),
        None if is_hex_id(first) => (first, ""),
        None => ("", first),
    };
    // An ID is all that may stand before a name: otherwise this is a sentence.
    if names.next().is_some() || last.is_some() && !is_hex_id(id) || is_torn_id(first) || is_torn_id(name) {
        return None;
    }
    let [network, disk] = pairs_after(text[end..].trim_start());
    Some(Row { network, disk, ..Row::new(id, name, memory) })
}

/// `22:36:29`.
fn is_time_of_day(cell: &str) -> bool {
    let mut parts = cell.trim().split(':');
    let is_number = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.by_ref().take(3).filter(|part| is_number(part)).count() == 3 && parts.next().is_none()
}

/// NET I/O and BLOCK I/O behind the memory of a squeezed row; empty where there are none.
fn pairs_after(text: &str) -> [&str; 2] {
    let rest = match text.split_once(' ') {
        Some((share, rest)) if is_share(share) => rest,
        _ => text,
    };
    let pair = |text: &str| -> usize {
        let Some(slash) = memchr::memmem::find(text.as_bytes(), b" / ") else { return 0 };
        slash + 3 + text[slash + 3..].find(' ').unwrap_or(text.len() - slash - 3)
    };
    let (network, rest) = rest.split_at(pair(rest));
    let rest = rest.trim_start();
    [network, &rest[..pair(rest)]]
}

/// A row of crictl: ID, name or none, CPU without a `%` sign, memory, disk.
pub(super) fn crictl_row<'a>(cells: &[&'a str]) -> Option<Row<'a>> {
    let id = cells.first().filter(|cell| is_hex_id(last_word(cell).0))?;
    let cpu = cells.iter().take(3).position(|cell| cell.contains('.') && cell.parse::<f64>().is_ok())?;
    let memory = cells.get(cpu + 1).filter(|cell| looks_like_memory(cell) && !cell.contains('/'))?;
    let name = match cpu {
        1 => "",
        2 => cells[1],
        _ => return None,
    };
    Some(Row::new(id, name, Figure::Rounded(memory)))
}

/// A row of `kubectl top pod`: namespace, pod and container as far as they are there, CPU, memory.
pub(super) fn kubectl_row(text: &str) -> Option<Row<'_>> {
    let mut cells = [""; MAX_CELLS];
    let n_words = words(text, &mut cells);
    let cells = &cells[..n_words];
    let is_whole = |text: &str, units: &[&str]| {
        let number = units.iter().find_map(|unit| text.strip_suffix(unit));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let cpu = (1..=3).find(|&index| {
        cells.get(index).is_some_and(|cpu| is_whole(cpu, &["m"]))
            && cells.get(index + 1).is_some_and(|memory| is_whole(memory, &["Mi", "Ki", "Gi"]))
    })?;
    let (namespace, pod, name) = match cells[..cpu] {
        [pod] => ("", pod, ""),
        // Without a header these may be namespace and pod as well: the name of the series is the same.
        [pod, name] => ("", pod, name),
        [namespace, pod, name] => (namespace, pod, name),
        _ => return None,
    };
    Some(Row { namespace, pod, ..Row::new("", name, Figure::Whole(cells[cpu + 1])) })
}
