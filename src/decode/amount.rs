//! The quick reading of amounts: what containers print most often, without an allocation.
//!
//! Gives the same value and resolution as `units::Amount`; whatever is not plain digits and a known unit is left to it.

use crate::units::{GIB, KIB, MIB, ParseAmountError, WrittenAmount};

/// Powers of ten that are exact as an `f64`.
const POWERS: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// From -12 to 9, each the nearest to what it stands for.
const POWERS_OF_TEN: [f64; 22] = [
    1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7,
    1e8, 1e9,
];

/// More digits are left to the general reading.
const MAX_DIGITS: usize = 9;

/// Up to here every whole number is exact as an `f64`.
pub(super) const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads an amount of memory: a number and a unit.
///
/// # Errors
///
/// As `WrittenAmount::from_str`.
pub(super) fn read(text: &str) -> Result<WrittenAmount, ParseAmountError> {
    plain(text.as_bytes()).map_or_else(|| text.parse(), Ok)
}

/// As `read`, without saying why not, and without the resolution: in bytes.
pub(super) fn read_bytes(text: &str) -> Option<f64> {
    number(text.as_bytes())
        .map(|number| number.bytes)
        .or_else(|| text.parse::<WrittenAmount>().ok().map(|amount| amount.bytes))
}

/// Digits with at most one point, blanks, a known unit; `None` for everything else, also when it is an amount.
pub(super) fn plain(text: &[u8]) -> Option<WrittenAmount> {
    number(text).map(Number::with_resolution)
}

/// A number as it was written, and what it is in bytes.
pub(super) struct Number {
    mantissa: u64,
    decimals: usize,
    scale: f64,
    pub(super) bytes: f64,
}

impl Number {
    /// A number of at most `MAX_DIGITS` digits of which so many follow the point; `None` when it is too large.
    pub(super) fn new(mantissa: u64, decimals: usize, scale: f64) -> Option<Number> {
        // Both operands are exact, so that the quotient is the nearest to what was written.
        // A signed number becomes a float in one step.
        let bytes = mantissa as i64 as f64 / POWERS[decimals] * scale;
        (bytes <= LARGEST_EXACT).then_some(Number { mantissa, decimals, scale, bytes })
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it is half of what a row of an epoch and an amount takes")]
    pub(super) fn with_resolution(self) -> WrittenAmount {
        let Number { mantissa, decimals, scale, bytes } = self;
        // At most nine digits. Of 0 the first digit is that before the point.
        let log = (mantissa as u32).checked_ilog10().map_or(decimals as i32, |log| log as i32);
        let four_digits = log - 3 - decimals as i32;
        let exponent = if decimals == 0 { four_digits } else { four_digits.min(-(decimals as i32)) };
        WrittenAmount { bytes, resolution: (power_of_ten(exponent) * scale).max(1.0) }
    }
}

fn number(text: &[u8]) -> Option<Number> {
    let mut mantissa = 0u64;
    let mut point = None;
    let mut end = 0;
    for &byte in text {
        match byte {
            b'0'..=b'9' => mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')),
            b'.' if point.is_none() => point = Some(end),
            _ => break,
        }
        end += 1;
    }
    let decimals = point.map_or(0, |point| end - point - 1);
    let digits = end - usize::from(point.is_some());
    if !text.first()?.is_ascii_digit() || digits > MAX_DIGITS || (point.is_some() && decimals == 0) {
        return None;
    }
    Number::new(mantissa, decimals, unit(text[end..].trim_ascii())?)
}

fn unit(unit: &[u8]) -> Option<f64> {
    Some(match unit {
        b"MiB" => MIB,
        b"GiB" => GIB,
        b"KiB" => KIB,
        b"B" => 1.0,
        b"kB" | b"KB" => 1e3,
        b"MB" => 1e6,
        b"GB" => 1e9,
        _ => return None,
    })
}

/// Of an exponent from -12 to 9.
fn power_of_ten(exponent: i32) -> f64 {
    POWERS_OF_TEN[(exponent + 12) as usize]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str) {
        match (read(text), text.parse::<WrittenAmount>()) {
            (Ok(quick), Ok(general)) => {
                assert_eq!(quick.bytes, general.bytes, "{text}");
                assert!(
                    (quick.resolution - general.resolution).abs() <= 1e-12 * general.resolution,
                    "{text}: {quick:?} {general:?}"
                );
            }
            (quick, general) => assert_eq!(quick.map_err(|e| e.to_string()), general.map_err(|e| e.to_string())),
        }
    }

    #[test]
    fn the_quick_reading_gives_what_the_general_one_gives() {
        for text in [
            "512.3MiB",
            "512MiB",
            "5.629MiB",
            "1023MiB",
            "12.05GiB",
            "3.092MB",
            "38.21 MiB",
            "1e+03kB",
            "0B",
            "796 KB",
            "17Mi",
            "0.5KiB",
            "00.5KiB",
            "5.MiB",
            ".5MiB",
            "1.5TiB",
            "16EiB",
            "-5MiB",
            "--",
            "",
            "MiB",
            "1..2MiB",
            "9999999999999GiB",
            "123456789B",
            "1234567890B",
            "512.3",
            "512.3 ",
            " 512.3MiB",
            "512.3MiB ",
            "0.000MiB",
        ] {
            check(text);
        }
    }

    proptest! {
        #[test]
        fn the_quick_reading_gives_what_the_general_one_gives_for_any_number(
            number in "[0-9]{1,12}(\\.[0-9]{0,6})?",
            unit in prop::sample::select(vec!["B", "kB", "MB", "GB", "KiB", "MiB", "GiB", " MiB", "TiB", "Mb"]),
        ) {
            check(&format!("{number}{unit}"));
        }
    }
}
