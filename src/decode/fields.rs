//! The fields of a CSV row: splitting, times, memory.

use std::borrow::Cow;

use super::{amount, clock};
use crate::account::Rejection;
use crate::units::WrittenAmount;

/// What stands for no value.
const NO_VALUE: [&str; 8] = ["", "-", "--", "null", "nan", "n/a", "undefined", "no data"];

/// The fields of a line; quotes are taken off.
pub(super) fn split(line: &str, delimiter: char) -> Vec<Cow<'_, str>> {
    if !line.contains('"') {
        return line.split(delimiter).map(Cow::Borrowed).collect();
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter as u8)
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => record.iter().map(|field| Cow::Owned(field.to_owned())).collect(),
        _ => line.split(delimiter).map(Cow::Borrowed).collect(),
    }
}

/// The time in a field: an epoch in seconds or smaller units, or a date with a time. `latest_ms`: what the year of a
/// date without one is taken from.
pub(super) fn time(text: &str, latest_ms: Option<i64>) -> Option<clock::Timestamp> {
    let text = text.trim();
    let (timestamp, length) = clock::read_timestamp(text, latest_ms)?;
    (length == text.len()).then_some(timestamp)
}

/// What a field says of memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Memory {
    /// That there is no value.
    Gap,
    /// What is used, and of how much.
    Used {
        used: WrittenAmount,
        /// In bytes.
        limit: Option<f64>,
        /// Whether nothing says what the number counts: it is taken for bytes.
        is_bare: bool,
    },
}

/// The memory in a field: `512.3MiB`, `512.3MiB / 7.6GiB`, a bare number.
///
/// `unit`: what a bare number counts, in bytes; `None` when nothing says it. `has_commas`: whether decimals may stand
/// behind a comma.
///
/// # Errors
///
/// What was found and what was expected.
pub(super) fn memory(text: &str, unit: Option<f64>, has_commas: bool) -> Result<Memory, Rejection> {
    let text = text.trim();
    if NO_VALUE.contains(&text.to_ascii_lowercase().as_str()) {
        return Ok(Memory::Gap);
    }
    let (used, limit) = match text.split_once('/') {
        Some((used, limit)) => (used.trim_end(), Some(limit.trim_start())),
        None => (text, None),
    };
    if used == "--" {
        return Ok(Memory::Gap);
    }
    let point = |text| with_point(text, has_commas);
    let limit = limit.and_then(|limit| amount::read(&point(limit)).ok()).map(|limit| limit.bytes);
    let used = point(used);
    let Ok(number) = used.parse::<f64>() else {
        let used = amount::read(&used).map_err(Rejection::amount)?;
        // What docker prints for a container that does not run: `0B / 0B`.
        if used.bytes == 0.0 && limit.is_none_or(|limit| limit == 0.0) {
            return Ok(Memory::Gap);
        }
        return Ok(Memory::Used { used, limit: limit.filter(|limit| 0.0 < *limit), is_bare: false });
    };
    if !number.is_finite() {
        return Ok(Memory::Gap);
    }
    let bytes = number * unit.unwrap_or(1.0);
    if bytes < 0.0 {
        return Err(Rejection::negative(&used));
    }
    if amount::LARGEST_EXACT < bytes {
        return Err(Rejection::out_of_range(&used));
    }
    let used = WrittenAmount { bytes, resolution: resolution(&used, unit.unwrap_or(1.0)) };
    Ok(Memory::Used { used, limit: None, is_bare: unit.is_none() })
}

/// A number below zero without a unit; `None` for everything else.
pub(super) fn negative(text: &str, has_commas: bool) -> Option<f64> {
    with_point(text.trim(), has_commas).parse().ok().filter(|number| *number < 0.0)
}

/// Whether the last number of a text that is being written to may have lost digits at its end: it is then a tenth of
/// what it was, or less, and memory changes little between two readings.
pub(super) fn is_cut(last: f64, before: f64) -> bool {
    5.0 * last < before
}

/// A number with a point before its decimals.
fn with_point(number: &str, has_commas: bool) -> Cow<'_, str> {
    if has_commas && !number.contains('.') { number.replacen(',', ".", 1).into() } else { number.into() }
}

/// The step between two numbers written with as many decimals, in bytes, at least 1.
pub(super) fn resolution(number: &str, unit: f64) -> f64 {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let n_decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len() as i32);
    let exponent: i32 = exponent.parse().unwrap_or(0);
    (unit * 10f64.powi(exponent - n_decimals)).max(1.0)
}
