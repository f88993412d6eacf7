//! The quick reading of the row that a trend file is made of: `1795464398,512.3MiB`.
//!
//! Gives what the general reading gives; whatever is not exactly so is left to that.

use super::super::amount::Number;
use super::super::swar::{Scan, decimal, eight_digits};
use super::Row;
use crate::units::{GIB, KIB, MIB};

/// The longest usual row: an epoch, a comma, seven digits and a point or what follows them, a unit and a line ending.
const LONGEST: usize = 11 + 7 + 4;

/// The first eight digits of the epoch of the row before: those of most rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hundreds {
    digits: u64,
    time_ms: i64,
}

impl Hundreds {
    /// In milliseconds, of these digits; `None` where these are none, or the first is 0.
    #[inline]
    fn time_ms(&mut self, digits: u64) -> Option<i64> {
        if digits != self.digits {
            let hundreds = eight_digits(digits).filter(|hundreds| 10_000_000 <= *hundreds)?;
            *self = Hundreds { digits, time_ms: hundreds as i64 * 100_000 };
        }
        Some(self.time_ms)
    }
}

/// The row of a line that is only digits, a comma and an amount, and its length with the line ending; `None` for
/// everything else.
#[inline]
pub(super) fn decode(hundreds: &mut Hundreds, text: &[u8]) -> Option<(Row, usize)> {
    let usual = text.first_chunk().and_then(|text| usual_row(hundreds, text));
    usual.or_else(|| plain_row(text))
}

/// Where units are of three letters, as almost all are.
#[inline]
fn usual_row(hundreds: &mut Hundreds, text: &[u8; LONGEST]) -> Option<(Row, usize)> {
    let [a, b, c, d, e, f, g, h, tens, ones, b',', amount @ ..] = *text else { return None };
    let time_ms = hundreds.time_ms(u64::from_le_bytes([a, b, c, d, e, f, g, h]))?;
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if 9 < tens.max(ones) {
        return None;
    }
    let time_ms = time_ms + (i64::from(tens) * 10 + i64::from(ones)) * 1000;
    let [a, b, c, d, e, f, g, h, ..] = amount;
    let (mantissa, decimals, length) = decimal(u64::from_le_bytes([a, b, c, d, e, f, g, h]))?;
    let scale = match amount.get(length..length + 4)? {
        b"MiB\n" => MIB,
        b"GiB\n" => GIB,
        b"KiB\n" => KIB,
        _ => return None,
    };
    // What docker prints for a container that does not run is left out.
    let used = Number::new(mantissa, decimals, scale).filter(|_| mantissa != 0)?.with_resolution();
    let row = Row { time_ms, used_bytes: used.bytes, resolution_bytes: used.resolution as f32 };
    Some((row, 11 + length + 4))
}

/// With units of any length, and either line ending.
fn plain_row(text: &[u8]) -> Option<(Row, usize)> {
    let mut rest = Scan(text);
    let seconds = rest.epoch()?;
    rest.literal(b",")?;
    let used = rest.amount().filter(|used| used.bytes != 0.0)?;
    if rest.literal(b"\n").is_none() {
        rest.literal(b"\r\n")?;
    }
    let row = Row { time_ms: seconds as i64 * 1000, used_bytes: used.bytes, resolution_bytes: used.resolution as f32 };
    Some((row, text.len() - rest.0.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::clock;
    use super::*;

    /// What the general reading gives.
    fn general(line: &str) -> Option<(i64, f64, f32)> {
        let (time, amount) = line.split_once(',')?;
        let (timestamp, _) = clock::read_timestamp(time, None)?;
        let amount: crate::units::WrittenAmount = amount.parse().ok()?;
        Some((timestamp.time_ms?, amount.bytes, amount.resolution as f32))
    }

    proptest! {
        #[test]
        fn a_row_is_what_the_general_reading_gives(
            rows in prop::collection::vec(
                (
                    "[0-9]{8}(0[0-9]|[0-9]{2}|[0-9]|9x)",
                    "[0-9]{1,4}(\\.|\\.[0-9]{1,3})?",
                    "([KMG]iB|kB|MB|B|Mi|xiB)",
                    "(\n|\r\n|)",
                ),
                1..4,
            ),
        ) {
            let mut hundreds = Hundreds::default();
            for (epoch, number, unit, ending) in rows {
                let line = format!("{epoch},{number}{unit}");
                let expected = general(&line).filter(|(_, used_bytes, _)| *used_bytes != 0.0);
                for behind in ["", "1795464400,5MiB\n1795464400,5MiB\n"] {
                    let text = format!("{line}{ending}{behind}");
                    let decoded = decode(&mut hundreds, text.as_bytes());
                    let row = decoded.map(|(row, _)| (row.time_ms, row.used_bytes, row.resolution_bytes));
                    let is_left = epoch.starts_with('0') || 7 < number.len() || ending.is_empty() || unit == "Mi" || number.ends_with('.');
                    prop_assert!(row == expected || row.is_none() && is_left, "{text:?}: {row:?}, not {expected:?}");
                    prop_assert!(decoded.is_none_or(|(_, length)| length == line.len() + ending.len()));
                }
            }
        }
    }
}
