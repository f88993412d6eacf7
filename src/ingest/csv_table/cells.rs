//! The fields of a row: splitting, times, amounts.

use std::borrow::Cow;

use super::super::{amount, clock};
use crate::units::{Amount, ParseAmountError};

/// What stands for no value.
const NO_VALUE: [&str; 8] = ["", "-", "--", "null", "nan", "n/a", "undefined", "no data"];

/// When a row was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    /// Milliseconds since 1970.
    pub(super) time_ms: i64,
    /// Whether it says how far it is from UTC.
    pub(super) has_zone: bool,
}

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

/// The time in a field: an epoch in seconds or smaller units, or a date with a time.
pub(super) fn time(text: &str) -> Option<Time> {
    let text = text.trim();
    let (stamp, length) = clock::read_stamp(text, None)?;
    let is_whole = length == text.len() && stamp.has_year;
    Some(Time { time_ms: stamp.time_ms.filter(|_| is_whole)?, has_zone: stamp.has_zone })
}

/// The memory in a field; `None` when it says that there is no value. `unit`: what a bare number counts, in bytes.
///
/// # Errors
///
/// What was found and what was expected.
pub(super) fn amount(text: &str, unit: f64, delimiter: char) -> Result<Option<Amount>, String> {
    let text = text.trim();
    if NO_VALUE.contains(&text.to_ascii_lowercase().as_str()) {
        return Ok(None);
    }
    // `512.3MiB / 7.6GiB`: what is used, and its limit.
    let text = text.split_once(" / ").map_or(text, |(used, _)| used);
    let text: Cow<'_, str> =
        if delimiter == ',' || text.contains('.') { text.into() } else { text.replacen(',', ".", 1).into() };
    if let Ok(number) = text.parse::<f64>() {
        if !number.is_finite() {
            return Ok(None);
        }
        let bytes = number * unit;
        if bytes < 0.0 {
            return Err(format!("`{text}` is less than nothing (expected an amount of memory)"));
        }
        return Ok(Some(Amount { bytes, quantum: resolution(&text, unit) }));
    }
    amount::read(&text).map(Some).map_err(|error: ParseAmountError| error.to_string())
}

/// The step between two numbers written with as many decimals, in bytes, at least 1.
fn resolution(number: &str, unit: f64) -> f64 {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let n_decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len() as i32);
    let exponent: i32 = exponent.parse().unwrap_or(0);
    (unit * 10f64.powi(exponent - n_decimals)).max(1.0)
}
