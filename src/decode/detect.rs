//! Detects the format of an input from its content.

use super::columns::GivenColumns;
use super::{csv_table, docker_stats, node_memory, prometheus, trend_csv, unsupported};
use crate::account::{Foreign, Format, Unusable, cleaned};

/// The format of a text, by its beginning.
///
/// # Errors
///
/// What was found and what was expected.
pub fn recognise(beginning: &[u8]) -> Result<Format, Unusable> {
    recognise_with(beginning, &GivenColumns::default())
}

/// The same where the user says which columns are what.
pub(super) fn recognise_with(beginning: &[u8], given: &GivenColumns) -> Result<Format, Unusable> {
    if let Some(format) = table_kind(beginning) {
        return Ok(format);
    }
    if let Some(kind) = binary_kind(beginning) {
        return Err(kind.into());
    }
    let text = String::from_utf8_lossy(beginning);
    let text = text.trim_start_matches('\u{feff}').trim_start_matches(|c: char| c.is_whitespace() || c == '\0');
    if !text.contains('\n') && 1 < text.trim_end().matches('\r').count() && !text.starts_with(['{', '[']) {
        return Err(Unusable::CarriageReturns);
    }
    if prometheus::looks_like_dump(text.as_bytes()) {
        return Ok(Format::Prometheus);
    }
    if node_memory::looks_like_node(text) {
        return Ok(Format::NodeMemory);
    }
    if text.starts_with(['{', '[']) {
        return recognise_json(text);
    }
    let n_trend = trend_csv::count_readings(text);
    match docker_stats::recognise(text) {
        // `1795464400 512.3MiB / 1GiB` could be a container of that name.
        Some((format, n_rows)) if n_trend < n_rows.max(1) as usize => return Ok(format),
        _ => {}
    }
    let table = csv_table::looks_like_table(text, given);
    match (&table, unsupported::recognise(text)) {
        (Ok(true), _) => Ok(Format::CsvTable),
        _ if n_trend > 0 => Ok(Format::TrendCsv),
        (_, Some(foreign)) => Err(foreign.into()),
        (Err(why), None) => Err(why.clone()),
        (Ok(false), None) => Err(Foreign::Text { begins: begins(text) }.into()),
    }
}

fn recognise_json(text: &str) -> Result<Format, Unusable> {
    // What the first keys are decides; values further on may hold any word.
    let has = |key: &str| text.contains(key);
    if has("\"MemUsage\"") || has("\"mem_usage\"") || has("\"workingSetBytes\"") {
        let found = docker_stats::recognise(text).map(|(format, _)| format);
        return found.ok_or_else(|| Foreign::Json { begins: begins(text) }.into());
    }
    if has("\"timeNano\"")
        && let Some(foreign) = unsupported::recognise(text)
    {
        return Err(foreign.into());
    }
    let empty_matrix = text.trim_end() == "[]";
    if has("\"status\"") || has("\"metric\"") || has("\"resultType\"") || empty_matrix {
        return Ok(Format::Prometheus);
    }
    if let Some((format, _)) = docker_stats::recognise(text) {
        return Ok(format);
    }
    if let Some(foreign) = unsupported::recognise(text) {
        return Err(foreign.into());
    }
    if node_memory::has_resident_set(text) {
        return Ok(Format::NodeMemory);
    }
    Err(Foreign::Json { begins: begins(text) }.into())
}

/// The first line that is not blank, short.
fn begins(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    cleaned(line.trim(), 60)
}

/// The kind of a table by its first bytes: Parquet, an Arrow IPC file, and the stream's first message, whose schema is
/// shorter than 16 MiB.
fn table_kind(bytes: &[u8]) -> Option<Format> {
    let is_stream = bytes.starts_with(&[0xff; 4]) && bytes.get(7) == Some(&0);
    match bytes {
        [b'P', b'A', b'R', b'1', ..] => Some(Format::Parquet),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Some(Format::Arrow),
        _ if is_stream => Some(Format::Arrow),
        _ => None,
    }
}

fn binary_kind(bytes: &[u8]) -> Option<Foreign> {
    const KINDS: [(&[u8], Foreign); 3] =
        [(b"PK\x03\x04", Foreign::Zip), (b"BZh", Foreign::Bzip2), (b"\xfd7zXZ", Foreign::Xz)];
    if let Some((_, kind)) = KINDS.into_iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(kind);
    }
    // Escape codes belong to streams, and a crash can leave a run of NUL in a log.
    let text = bytes.trim_ascii_start();
    let n_control = text.iter().filter(|byte| **byte < b' ' && !b"\t\n\r\x0c\x08\x1b".contains(byte)).count();
    let n_text = text.iter().filter(|byte| b" \n,".contains(byte)).count();
    (n_control > text.len() / 50 && n_text < text.len() / 50 || n_control > text.len() / 2).then_some(Foreign::Binary)
}
