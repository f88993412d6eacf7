//! Amounts of memory, rates and durations, and their text forms.
//!
//! `KiB`, `MiB`, `GiB` are powers of 1024; `kB`, `MB`, `GB` powers of 1000, always.
//! What a file says is read here once; behind this module there are only numbers with a known unit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Up to here every whole number is exact as an `f64`.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// One kibibyte, in bytes.
pub const KIB: f64 = 1024.0;
/// One mebibyte, in bytes.
pub const MIB: f64 = 1024.0 * KIB;
/// One gibibyte, in bytes.
pub const GIB: f64 = 1024.0 * MIB;
/// One day, in seconds.
pub const DAY: f64 = 86_400.0;

/// An amount of memory in whole bytes, at most 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Bytes(u64);

impl Bytes {
    /// An amount of whole bytes.
    pub const fn new(bytes: u64) -> Bytes {
        Bytes(bytes)
    }

    /// The amount in bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The amount in bytes, for arithmetic; exact.
    pub const fn as_f64(self) -> f64 {
        self.0 as f64
    }
}

impl FromStr for Bytes {
    type Err = ParseAmountError;

    /// Reads an amount as `docker stats` prints it: `512.3MiB`, `1.2kB`, `0B`.
    ///
    /// # Errors
    ///
    /// When the unit is missing or unknown, or the number is negative or beyond 2^53 bytes.
    fn from_str(text: &str) -> Result<Bytes, ParseAmountError> {
        WrittenAmount::from_str(text).map(|amount| Bytes(amount.bytes.round() as u64))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        match NumberOrText::deserialize(deserializer)? {
            NumberOrText::Number(number) if 0.0 <= number && number <= LARGEST_EXACT => {
                Ok(Bytes(number.round() as u64))
            }
            NumberOrText::Number(number) => {
                Err(de::Error::custom(format!("`{number}` is not an amount of memory (expected 0 or more bytes)")))
            }
            NumberOrText::Text(text) => text.parse().map_err(de::Error::custom),
        }
    }
}

/// An amount of memory as text wrote it: the value and its resolution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WrittenAmount {
    /// The value, in bytes, 0 to 2^53.
    pub bytes: f64,
    /// Its resolution: the spacing of neighbouring printable values, in bytes, at least 1.
    ///
    /// `docker stats` prints four significant digits: `512.3MiB` stands for anything within 0.05 MiB of it.
    pub resolution: f64,
}

impl FromStr for WrittenAmount {
    type Err = ParseAmountError;

    /// Reads a number and a unit, with or without a blank between them.
    ///
    /// # Errors
    ///
    /// When the unit is missing or unknown, or the number is negative or beyond 2^53 bytes.
    fn from_str(text: &str) -> Result<WrittenAmount, ParseAmountError> {
        let fail = |reason| ParseAmountError { text: text.to_owned(), reason };

        let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(|| fail(AmountReason::NoUnit))?;
        let (digits, unit) = text.split_at(split);
        // `1e+03kB`: an exponent is part of the number, not a unit.
        let (digits, unit) = match unit.strip_prefix(['e', 'E']) {
            Some(rest) if rest.starts_with(['+', '-']) || rest.starts_with(|c: char| c.is_ascii_digit()) => {
                let end = rest.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(|| fail(AmountReason::NoUnit))?;
                text.split_at(split + 1 + end)
            }
            _ => (digits, unit),
        };
        let scale = unit_in_bytes(unit.trim_end())
            .ok_or_else(|| fail(AmountReason::UnknownUnit(unit.trim_end().to_owned())))?;
        let digits = digits.trim();
        if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '-') {
            return Err(fail(AmountReason::NotANumber));
        }
        let number: f64 = digits.parse().map_err(|_| fail(AmountReason::NotANumber))?;

        let bytes = number * scale;
        // Stated as what must hold, so that NaN is refused with the negatives.
        if !(0.0 <= bytes && bytes <= LARGEST_EXACT) {
            return Err(fail(AmountReason::OutOfRange));
        }
        Ok(WrittenAmount { bytes, resolution: resolution(digits, number, scale) })
    }
}

/// The spacing, in bytes, of what a printer of four significant digits can say near `number`.
///
/// Trailing zeros are dropped by such a printer (`512MiB` is `512.0MiB`), so fewer digits do not mean coarser;
/// more digits than four mean that the printer was finer.
fn resolution(digits: &str, number: f64, scale: f64) -> f64 {
    let magnitude = if number == 0.0 { 0 } else { number.abs().log10().floor() as i32 };
    let four_digits = 10f64.powi(magnitude - 3);
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len() as i32);
    let printed = if decimals == 0 { four_digits } else { 10f64.powi(-decimals) };
    (four_digits.min(printed) * scale).max(1.0)
}

/// The size of a unit, in bytes; `None` when it is not one that container tools print.
fn unit_in_bytes(unit: &str) -> Option<f64> {
    Some(match unit {
        "B" => 1.0,
        "KiB" | "Ki" => KIB,
        "MiB" | "Mi" => MIB,
        "GiB" | "Gi" => GIB,
        "TiB" | "Ti" => 1024.0 * GIB,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        _ => return None,
    })
}

/// A text that is not an amount of memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an amount of memory: {reason}")]
pub struct ParseAmountError {
    text: String,
    reason: AmountReason,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum AmountReason {
    #[error("no unit (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)")]
    NoUnit,
    #[error("unknown unit `{0}` (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)")]
    UnknownUnit(String),
    #[error("no number before the unit")]
    NotANumber,
    #[error("out of range (expected 0 to 2^53 bytes)")]
    OutOfRange,
}

/// A duration in seconds, finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Seconds(f64);

impl Seconds {
    /// A duration; `None` if it is negative or not finite.
    pub fn new(seconds: f64) -> Option<Seconds> {
        (0.0 <= seconds && seconds.is_finite()).then_some(Seconds(seconds))
    }

    /// A duration of whole seconds.
    pub const fn whole(seconds: u32) -> Seconds {
        Seconds(seconds as f64)
    }

    /// The duration in seconds.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The duration in whole milliseconds, rounded.
    pub fn as_ms(self) -> i64 {
        (self.0 * 1000.0).round() as i64
    }
}

impl FromStr for Seconds {
    type Err = ParseSecondsError;

    /// Reads numbers with units, one after another: `15m`, `1.76s`, `1h30m`, `500ms`, `7d`.
    ///
    /// # Errors
    ///
    /// When a number or its unit is missing or unknown.
    fn from_str(text: &str) -> Result<Seconds, ParseSecondsError> {
        let fail = || ParseSecondsError { text: text.to_owned() };

        let mut rest = text.trim();
        let mut total = 0.0;
        if rest.is_empty() {
            return Err(fail());
        }
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(fail)?;
            let number: f64 = rest[..end].parse().map_err(|_| fail())?;
            rest = rest[end..].trim_start();
            let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            let unit = match &rest[..end] {
                "ms" => 1e-3,
                "s" | "sec" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                "d" => DAY,
                "w" => 7.0 * DAY,
                _ => return Err(fail()),
            };
            total += number * unit;
            rest = rest[end..].trim_start();
        }
        Seconds::new(total).ok_or_else(fail)
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0 <= LARGEST_EXACT {
            serializer.serialize_u64(self.0 as u64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Seconds, D::Error> {
        match NumberOrText::deserialize(deserializer)? {
            NumberOrText::Number(number) => Seconds::new(number).ok_or_else(|| {
                de::Error::custom(format!(
                    "`{number}` is not a length of time (expected 0 or more seconds, or text such as `15m`)"
                ))
            }),
            NumberOrText::Text(text) => text.parse().map_err(de::Error::custom),
        }
    }
}

/// A text that is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a length of time (expected a number with a unit: ms, s, m, h, d or w, such as `15m`)")]
pub struct ParseSecondsError {
    text: String,
}

/// A setting that may be written as a number in its base unit or as text with a unit.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number, or a string with a unit")]
enum NumberOrText {
    Number(f64),
    Text(String),
}

/// Memory in binary units, four significant digits, as `docker stats` prints it: `512.3MiB`.
pub fn docker_text(bytes: f64) -> String {
    let (value, unit) = binary(bytes);
    format!("{}{unit}", four_digits(value))
}

/// Memory in binary units for a reader: `512.3 MiB`, with a sign where it is negative.
pub fn memory_text(bytes: f64) -> String {
    let (value, unit) = binary(bytes);
    format!("{} {unit}", four_digits(value))
}

/// The unit of time of all rates in a report, so that they can be compared at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RateUnit {
    /// `a minute`.
    Minute,
    /// `an hour`.
    Hour,
    /// `a day`.
    #[default]
    Day,
}

impl RateUnit {
    /// The unit for a window of `seconds`: the longest that fits into it twice.
    pub fn of_window(seconds: f64) -> RateUnit {
        let fits = |unit: &RateUnit| 2.0 * unit.seconds() <= seconds;
        [RateUnit::Day, RateUnit::Hour].into_iter().find(fits).unwrap_or(RateUnit::Minute)
    }

    const fn seconds(self) -> f64 {
        match self {
            RateUnit::Minute => 60.0,
            RateUnit::Hour => 3600.0,
            RateUnit::Day => DAY,
        }
    }

    /// In words: `a day`.
    pub const fn name(self) -> &'static str {
        match self {
            RateUnit::Minute => "a minute",
            RateUnit::Hour => "an hour",
            RateUnit::Day => "a day",
        }
    }

    /// A rate: `36 MiB a day`.
    pub fn text(self, bytes_per_second: f64) -> String {
        format!("{} {}", self.amount_text(bytes_per_second), self.name())
    }

    /// The amount of a rate in one unit of time: `36 MiB`.
    pub fn amount_text(self, bytes_per_second: f64) -> String {
        short_memory(bytes_per_second * self.seconds())
    }

    /// An estimated rate in the unit and with the digits of `interval_text`: `27 MiB a minute`.
    pub fn estimate_text(self, bytes_per_second: f64, lower: f64, upper: f64) -> String {
        let ([value, ..], unit) = self.in_one_unit(bytes_per_second, lower, upper);
        format!("{value} {unit} {}", self.name())
    }

    /// The interval alone, in the unit and with the digits of `interval_text`: `26 and 28 MiB a minute`.
    pub fn bounds_text(self, bytes_per_second: f64, lower: f64, upper: f64) -> String {
        let ([_, lower, upper], unit) = self.in_one_unit(bytes_per_second, lower, upper);
        format!("{lower} and {upper} {unit} {}", self.name())
    }

    /// An estimated rate with its interval, in one unit: `27 MiB a minute (26 to 28)`, and `108 MiB a minute (±1)`
    /// if the interval is narrower than these digits, so that the estimate does not read like its own bound.
    pub fn interval_text(self, bytes_per_second: f64, lower: f64, upper: f64) -> String {
        /// An interval is narrow when it reaches no further than this share of the estimate.
        const NARROW: f64 = 0.01;
        let ([value, low, high], unit) = self.in_one_unit(bytes_per_second, lower, upper);
        let half = (bytes_per_second - lower).max(upper - bytes_per_second);
        if (low == value || high == value) && 0.0 < half && half <= NARROW * bytes_per_second.abs() {
            let (scale, _) = self.scale(bytes_per_second, lower, upper);
            // Rounded up to the last digit of the estimate: wider, never narrower.
            let decimals = decimals(bytes_per_second * scale, 3);
            let digit = 0.1_f64.powi(decimals as i32);
            let half = without_zeros(format!("{:.decimals$}", (half * scale / digit - 1e-9).ceil().max(1.0) * digit));
            return format!("{value} {unit} {} (±{half})", self.name());
        }
        format!("{value} {unit} {} ({low} to {high})", self.name())
    }

    /// What bytes a second are multiplied with, and the unit that gives.
    ///
    /// The unit of memory is that of the largest of the three: an estimate near zero says nothing of its uncertainty.
    fn scale(self, bytes_per_second: f64, lower: f64, upper: f64) -> (f64, &'static str) {
        let largest = largest_of(bytes_per_second, lower, upper);
        let seconds = self.seconds();
        // An estimate that is not small beside its interval keeps the unit that suits it, unless that takes four digits.
        let own = binary(bytes_per_second * seconds).0 * largest / bytes_per_second;
        let suits = bytes_per_second.abs() >= 0.1 * largest.abs() && own.abs() < 1000.0;
        let leading = if suits { bytes_per_second } else { largest };
        let (value, unit) = binary(leading * seconds);
        (if leading == 0.0 { 1.0 } else { value / leading }, unit)
    }

    /// An estimate and the ends of its interval in one unit. None has more decimals than the largest deserves, unless that
    /// would make an end equal to the estimate.
    fn in_one_unit(self, bytes_per_second: f64, lower: f64, upper: f64) -> ([String; 3], &'static str) {
        let (scale, unit) = self.scale(bytes_per_second, lower, upper);
        let largest = scale * largest_of(bytes_per_second, lower, upper);
        let least = 0.001 * largest.abs();
        let scaled = [bytes_per_second, lower, upper].map(|rate| {
            let value = scale * rate;
            if value.abs() < least { 0.0 } else { value }
        });
        let decimals = decimals(largest, 3);
        let short = scaled.map(|value| at_most_decimals(significant(value, 3), value, decimals));
        let is_clear = short[0] != short[1] && short[0] != short[2];
        (if is_clear { short } else { scaled.map(|value| significant(value, 3)) }, unit)
    }
}

/// The one of an estimate and the ends of its interval that is largest in size.
fn largest_of(estimate: f64, lower: f64, upper: f64) -> f64 {
    [lower, upper].into_iter().fold(estimate, |a, b| if b.abs() > a.abs() { b } else { a })
}

/// Memory with three significant digits, for sentences: an estimate does not deserve more.
///
/// Less than half a byte is `0 B`: a fitted slope is seldom exactly 0.
pub fn short_memory(bytes: f64) -> String {
    let bytes = if bytes.abs() < 0.5 { 0.0 } else { bytes };
    let (value, unit) = binary(bytes);
    format!("{} {unit}", significant(value, 3))
}

/// A duration in its two largest units: `3 d 4 h`, `12 min`, `8.5 s`.
pub fn duration_text(seconds: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(DAY, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s")];
    let seconds_abs = seconds.abs();
    let sign = if seconds < 0.0 { "-" } else { "" };
    if seconds_abs < 60.0 {
        return format!("{sign}{} s", significant(seconds_abs, 2));
    }
    if seconds_abs >= 365.0 * DAY {
        return format!("{sign}{} years", significant(seconds_abs / (365.25 * DAY), 2));
    }
    let first = UNITS.iter().position(|(unit, _)| seconds_abs >= *unit).unwrap_or(3);
    let (unit, name) = UNITS[first];
    let (next_unit, next_name) = UNITS[(first + 1).min(3)];
    let steps = (seconds_abs / next_unit).round() * next_unit;
    let whole = (steps / unit).floor();
    let rest = ((steps - whole * unit) / next_unit).round();
    if rest == 0.0 || whole >= 10.0 {
        return format!("{sign}{} {name}", if whole >= 10.0 { (seconds_abs / unit).round() } else { whole });
    }
    format!("{sign}{whole} {name} {rest} {next_name}")
}

fn binary(bytes: f64) -> (f64, &'static str) {
    const UNITS: [(f64, &str); 4] = [(1024.0 * GIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")];
    let (scale, unit) = UNITS.into_iter().find(|(scale, _)| bytes.abs() >= *scale).unwrap_or((1.0, "B"));
    (bytes / scale, unit)
}

/// C's `%.4g` for values that never need an exponent.
fn four_digits(value: f64) -> String {
    significant(value, 4)
}

/// `value` with `digits` significant digits and no trailing zeros.
fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_owned() } else { value.to_string() };
    }
    // Rounding can carry into one more digit (9.9996): measure what was printed.
    let rounded: f64 = format!("{value:.*}", decimals(value, digits)).parse().unwrap_or(value);
    without_zeros(format!("{value:.*}", if rounded == 0.0 { 0 } else { decimals(rounded, digits) }))
}

/// How many decimals give a value so many significant digits.
fn decimals(value: f64, digits: i32) -> usize {
    if value == 0.0 || !value.is_finite() {
        0
    } else {
        (digits - 1 - value.abs().log10().floor() as i32).max(0) as usize
    }
}

/// `text`, or the value with so many decimals where that is shorter; one digit where that would be nothing.
fn at_most_decimals(text: String, value: f64, decimals: usize) -> String {
    if text.split_once('.').is_none_or(|(_, after)| after.len() <= decimals) {
        return text;
    }
    let short = without_zeros(format!("{value:.decimals$}"));
    if short.trim_start_matches('-') == "0" { significant(value, 1) } else { short }
}

fn without_zeros(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A point in time as RFC 3339 in UTC, with milliseconds where there are any.
///
/// `None` beyond the years of the calendar.
pub fn time_text(time_ms: i64) -> Option<String> {
    let time = chrono::DateTime::from_timestamp_millis(time_ms)?;
    let format =
        if time_ms.rem_euclid(1000) == 0 { chrono::SecondsFormat::Secs } else { chrono::SecondsFormat::Millis };
    Some(time.to_rfc3339_opts(format, true))
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&memory_text(self.as_f64()))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&duration_text(self.0))
    }
}

#[cfg(test)]
mod tests;
