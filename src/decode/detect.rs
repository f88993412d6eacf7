//! Detects the format of an input from its content.

use super::columns::GivenColumns;
use super::{csv_table, docker_stats, node_memory, prometheus, trend_csv, unsupported};
use crate::account::{Format, cleaned};

/// What an input can be, for messages.
pub(super) const EXPECTED: &str =
    "docker stats text, `epoch,512.3MiB` lines, CSV with a header or a Prometheus response";

/// The format of a text, by its beginning.
///
/// # Errors
///
/// What was found and what was expected.
pub fn recognise(beginning: &[u8]) -> Result<Format, String> {
    recognise_with(beginning, &GivenColumns::default())
}

/// The same where the user says which columns are what.
pub(super) fn recognise_with(beginning: &[u8], given: &GivenColumns) -> Result<Format, String> {
    if let Some(format) = table_kind(beginning) {
        return Ok(format);
    }
    if let Some(kind) = binary_kind(beginning) {
        return Err(format!("{kind} (expected {EXPECTED})"));
    }
    let text = String::from_utf8_lossy(beginning);
    let text = text.trim_start_matches('\u{feff}').trim_start_matches(|c: char| c.is_whitespace() || c == '\0');
    if !text.contains('\n') && 1 < text.trim_end().matches('\r').count() && !text.starts_with(['{', '[']) {
        return Err(
            "its lines end with carriage returns alone (expected line feeds: `tr '\\r' '\\n'` makes them)".to_owned()
        );
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
        (_, Some(message)) => Err(message.to_owned()),
        (Err(why), None) => Err(why.clone()),
        (Ok(false), None) => {
            Err(format!("no reading was recognised in it: it begins with {} (expected {EXPECTED})", begins(text)))
        }
    }
}

fn recognise_json(text: &str) -> Result<Format, String> {
    // What the first keys are decides; values further on may hold any word.
    let has = |key: &str| text.contains(key);
    if has("\"MemUsage\"") || has("\"mem_usage\"") || has("\"workingSetBytes\"") {
        return docker_stats::recognise(text).map(|(format, _)| format).ok_or_else(|| {
            format!("it is JSON of another kind: it begins with {} (expected {EXPECTED})", begins(text))
        });
    }
    if has("\"timeNano\"")
        && let Some(message) = unsupported::recognise(text)
    {
        return Err(message.to_owned());
    }
    let empty_matrix = text.trim_end() == "[]";
    if has("\"status\"") || has("\"metric\"") || has("\"resultType\"") || empty_matrix {
        return Ok(Format::Prometheus);
    }
    if let Some((format, _)) = docker_stats::recognise(text) {
        return Ok(format);
    }
    if let Some(message) = unsupported::recognise(text) {
        return Err(message.to_owned());
    }
    if node_memory::has_resident_set(text) {
        return Ok(Format::NodeMemory);
    }
    Err(format!("it is JSON of another kind: it begins with {} (expected {EXPECTED})", begins(text)))
}

/// The first line that is not blank, short and in backticks.
fn begins(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    format!("`{}`", cleaned(line.trim(), 60))
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

fn binary_kind(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 3] = [
        (b"PK\x03\x04", "it is a zip archive"),
        (b"BZh", "it is compressed with bzip2"),
        (b"\xfd7zXZ", "it is compressed with xz"),
    ];
    if let Some((_, kind)) = KINDS.into_iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(kind);
    }
    // Escape codes belong to streams, and a crash can leave a run of NUL in a log.
    let text = bytes.trim_ascii_start();
    let n_control = text.iter().filter(|byte| **byte < b' ' && !b"\t\n\r\x0c\x08\x1b".contains(byte)).count();
    let n_text = text.iter().filter(|byte| b" \n,".contains(byte)).count();
    (n_control > text.len() / 50 && n_text < text.len() / 50 || n_control > text.len() / 2).then_some("it is binary")
}
