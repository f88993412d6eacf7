//! Reads the times that stand before rows and blocks.
//!
//! Times are milliseconds since 1970, UTC; a timestamp without a zone is UTC.

use chrono::{Datelike, NaiveDate};

/// One day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// A point in time as a text gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timestamp {
    /// When; `None` when the year is missing and nothing gives it, and when there is no date.
    pub(super) time_ms: Option<i64>,
    /// Milliseconds since midnight, where it says no more than that.
    pub(super) of_day_ms: Option<i64>,
    /// Whether it says how far it is from UTC.
    pub(super) has_zone: bool,
    /// Whether it says the year.
    pub(super) has_year: bool,
}

/// Reads a timestamp at the beginning of `text`; gives it and where the rest begins.
///
/// ISO 8601, epochs in s, ms, us or ns, what `date` prints, syslog, and the time of day alone. The year of a timestamp
/// without one is the last in which it is not more than a day after `latest_ms`.
pub(super) fn read_timestamp(text: &str, latest_ms: Option<i64>) -> Option<(Timestamp, usize)> {
    let trimmed = text.trim_start_matches([' ', '\t', '[', '<', '#', '=', '*', '>', '(']);
    let mut skipped = text.len() - trimmed.len();
    let mut rest = trimmed;
    // The priority and version of a syslog line: `<34>1 2026-..`.
    if skipped > 0 && text[..skipped].ends_with('<') {
        let (priority, after) = rest.split_once('>')?;
        if priority.len() > 3 || !priority.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let after = after.strip_prefix("1 ").unwrap_or(after);
        skipped += rest.len() - after.len();
        rest = after;
    }
    if rest.starts_with("- ") || rest.starts_with("-- ") || rest.starts_with("--- ") {
        let after = rest.trim_start_matches(['-', ' ']);
        skipped += rest.len() - after.len();
        rest = after;
    }
    let (timestamp, length) = match rest.as_bytes().first()? {
        b'0'..=b'9' => iso(rest).or_else(|| epoch(rest)).or_else(|| of_day(rest)).or_else(|| {
            let day = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            if day.starts_with([' ', '.']) { worded(rest, latest_ms) } else { None }
        })?,
        b'A'..=b'Z' | b'a'..=b'z' if !rest.as_bytes().get(1)?.is_ascii_digit() => worded(rest, latest_ms)?,
        _ => return None,
    };
    let after = &rest[length..];
    let separator = after.len() - after.trim_start_matches([']', ')', ',', ';', ':', '|', '>']).len();
    let after = &after[separator..];
    if after.is_empty() || after.starts_with([' ', '\t', '{']) || (separator > 0) {
        let blank = after.len() - after.trim_start().len();
        return Some((timestamp, skipped + length + separator + blank));
    }
    None
}

/// Whether nothing but decoration follows a timestamp.
pub(super) fn is_only_decoration(rest: &str) -> bool {
    rest.bytes().all(|byte| b" \t=-#*])>|".contains(&byte))
}

/// `2026-11-23T20:06:38.5Z`, with `T` or a blank, `.` or `,`, and any offset or none.
fn iso(text: &str) -> Option<(Timestamp, usize)> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<u32> {
        bytes
            .get(from..to)?
            .iter()
            .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
    };
    let year = number(0, 4)?;
    let dash = *bytes.get(4)?;
    if !(dash == b'-' || dash == b'/') || *bytes.get(7)? != dash || !b"Tt _".contains(bytes.get(10)?) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year as i32, number(5, 7)?, number(8, 10)?)?;
    if *bytes.get(13)? != b':' || *bytes.get(16)? != b':' {
        return None;
    }
    let (hours, minutes, seconds) = (number(11, 13)?, number(14, 16)?, number(17, 19)?.min(59));
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60 + seconds;
    let mut end = 19;
    let mut ms = 0;
    if let [point @ (b'.' | b','), b'0'..=b'9', ..] = &bytes[end..]
        && let digits = bytes[end + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count()
        && (*point == b'.' || is_decimal_comma(&bytes[end + 1..], digits))
    {
        ms = (0..3)
            .fold(0, |ms, place| ms * 10 + if place < digits { i64::from(bytes[end + 1 + place] - b'0') } else { 0 });
        end += 1 + digits;
    }
    let (seconds, offset_ms, end) = after_clock(text, seconds, end);
    let midnight_ms = date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis();
    let time_ms = midnight_ms + i64::from(seconds) * 1000 + ms - offset_ms.unwrap_or(0);
    Some((Timestamp { time_ms: Some(time_ms), of_day_ms: None, has_zone: offset_ms.is_some(), has_year: true }, end))
}

/// What stands behind a time that shows so many seconds and ends at `end`: `AM` or `PM`, an offset, a zone. Gives the
/// seconds of the day, how far they are east of UTC in milliseconds, and where the text goes on.
fn after_clock(text: &str, seconds: u32, end: usize) -> (u32, Option<i64>, usize) {
    let (mut seconds, mut end) = (seconds, end);
    if let Some(half @ (" AM" | " PM" | " am" | " pm")) = text.get(end..end + 3)
        && seconds < 13 * 3600
        && !text[end + 3..].starts_with(|next: char| next.is_alphanumeric())
    {
        seconds = half_of_day(seconds, half);
        end += half.len();
    }
    let rest = &text[end..];
    let behind_blank = rest.strip_prefix(' ').unwrap_or(rest);
    let n_blanks = rest.len() - behind_blank.len();
    let is_offset = behind_blank.starts_with(['+', '-']) || n_blanks == 0;
    if let Some((offset_ms, length)) = offset(behind_blank).filter(|_| is_offset) {
        end += n_blanks + length;
        // Go writes a name behind it: `+0530 IST`.
        let name = text[end..].strip_prefix(' ').unwrap_or_default();
        let length = name.bytes().take_while(u8::is_ascii_uppercase).count();
        let is_name = (2..=5).contains(&length) && is_only_decoration(&name[length..]);
        return (seconds, Some(offset_ms), end + if is_name { 1 + length } else { 0 });
    }
    let length = behind_blank.bytes().take_while(u8::is_ascii_uppercase).count();
    let (word, behind) = behind_blank.split_at(length);
    if n_blanks == 0 || length == 0 || behind.starts_with(|next: char| next.is_alphanumeric() || next == '-') {
        return (seconds, None, end);
    }
    match zone(word) {
        Some(offset_ms) => (seconds, Some(offset_ms), end + n_blanks + length),
        // A name that means several zones, or none: it may be that of a container where a row follows.
        None if length <= 5 && is_only_decoration(behind) => (seconds, None, end + n_blanks + length),
        None => (seconds, None, end),
    }
}

/// Whether the comma before so many digits begins decimals, as loggers (`20:06:38,791`) and `date -Ins` write them, and
/// not the next field of a row.
fn is_decimal_comma(after: &[u8], digits: usize) -> bool {
    match after.get(digits) {
        Some(b'Z' | b'z' | b'+' | b'-') => true,
        Some(byte) => digits == 3 && !byte.is_ascii_alphabetic() && *byte != b'.',
        None => digits == 3,
    }
}

/// `Z`, `+01:00`, `+0100`, `+01`: milliseconds east of UTC, and the length of the text.
fn offset(text: &str) -> Option<(i64, usize)> {
    let bytes = text.as_bytes();
    let sign = match bytes.first()? {
        b'Z' | b'z' => return Some((0, 1)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let two = |at: usize| -> Option<i64> {
        let pair = bytes.get(at..at + 2)?;
        pair.iter().all(u8::is_ascii_digit).then(|| i64::from((pair[0] - b'0') * 10 + pair[1] - b'0'))
    };
    let hours = two(1)?;
    let (minutes, length) = match bytes.get(3) {
        Some(b':') => (two(4)?, 6),
        _ => two(3).map_or((0, 3), |minutes| (minutes, 5)),
    };
    Some((sign * (hours * 60 + minutes) * 60_000, length))
}

/// An epoch in seconds (with decimals or not), milliseconds, microseconds or nanoseconds, by its digits.
fn epoch(text: &str) -> Option<(Timestamp, usize)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let whole: i64 = text[..digits].parse().ok()?;
    let mut end = digits;
    let time_ms = match digits {
        10 => {
            let decimals = text[end..].strip_prefix('.').unwrap_or_default();
            let n_decimals = decimals.bytes().take_while(u8::is_ascii_digit).count();
            let ms = (0..3).fold(0, |ms, place| {
                ms * 10 + if place < n_decimals { i64::from(decimals.as_bytes()[place] - b'0') } else { 0 }
            });
            end += if n_decimals > 0 { 1 + n_decimals } else { 0 };
            whole * 1000 + ms
        }
        13 => whole,
        16 => whole / 1000,
        19 => whole / 1_000_000,
        _ => return None,
    };
    Some((Timestamp { time_ms: Some(time_ms), of_day_ms: None, has_zone: true, has_year: true }, end))
}

/// `20:06:38` or `8:06:38`, with decimals or not, with `AM` or `PM` and with a zone or not.
fn of_day(text: &str) -> Option<(Timestamp, usize)> {
    let hours = text.bytes().take_while(u8::is_ascii_digit).count();
    let is_clock = |(at, byte): (usize, &u8)| if at % 3 == 0 { *byte == b':' } else { byte.is_ascii_digit() };
    let mut end = hours + 6;
    if hours > 2 || !text.as_bytes().get(hours..end)?.iter().enumerate().all(is_clock) {
        return None;
    }
    if let Some([point @ (b'.' | b','), after @ ..]) = text.as_bytes().get(end..)
        && let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count()
        && (*point == b'.' && 0 < digits || is_decimal_comma(after, digits))
    {
        end += 1 + digits;
    }
    let (seconds, ms) = clock_time(&text[..end])?;
    let (seconds, offset_ms, end) = after_clock(text, seconds, end);
    let of_day_ms = (i64::from(seconds) * 1000 + ms - offset_ms.unwrap_or(0)).rem_euclid(DAY_MS);
    let timestamp =
        Timestamp { time_ms: None, of_day_ms: Some(of_day_ms), has_zone: offset_ms.is_some(), has_year: false };
    Some((timestamp, end))
}

/// The seconds of a clock that shows twelve hours, as those of the day.
fn half_of_day(seconds: u32, half: &str) -> u32 {
    let twelve = 12 * 3600;
    seconds % twelve + if half.trim().eq_ignore_ascii_case("pm") { twelve } else { 0 }
}

/// What `date` prints and what syslog prints: `Mon Nov 23 20:06:38 UTC 2026`, `Mon 23 Nov 2026 08:06:38 PM CET`,
/// `Nov 23 20:00:05`.
fn worded(text: &str, latest_ms: Option<i64>) -> Option<(Timestamp, usize)> {
    let mut words = Words { text, at: 0 };
    let mut word = words.next()?;
    let is_name = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.' || byte == b',');
    if month(word).is_none() && is_name(word) {
        // A weekday, in any language.
        word = words.next()?;
    }
    let (month, day, mut year) = if let Some(month) = month(word) {
        (month, day(words.next()?)?, None)
    } else {
        let day = day(word)?;
        let month = month(words.next()?)?;
        let before_year = words.at;
        let year = words.next().and_then(year);
        if year.is_none() {
            words.at = before_year;
        }
        (month, day, year)
    };
    let (mut seconds, ms) = clock_time(words.next()?)?;
    let mut end = words.at;
    let mut next = words.next();
    if let Some(half @ ("AM" | "PM" | "am" | "pm")) = next {
        seconds = half_of_day(seconds, half);
        end = words.at;
        next = words.next();
    }
    let mut offset_ms = None;
    if let Some(word) = next {
        let after_zone = words.at;
        if let Some(number) = self::year(word).filter(|_| year.is_none()) {
            year = Some(number);
            end = after_zone;
        } else if word.bytes().all(|byte| byte.is_ascii_uppercase()) || offset(word).is_some() {
            let known = zone(word);
            let year_after = words.next().and_then(self::year).filter(|_| year.is_none());
            if year_after.is_some() {
                year = year_after;
                end = words.at;
                offset_ms = known;
            } else if known.is_some() {
                end = after_zone;
                offset_ms = known;
            } else if year.is_some() && text[after_zone..].trim().is_empty() {
                end = after_zone;
            }
        }
    }
    let in_year = |year: i32| -> Option<i64> {
        let midnight = NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis();
        Some(midnight + i64::from(seconds) * 1000 + ms - offset_ms.unwrap_or(0))
    };
    let time_ms = match year {
        Some(year) => Some(in_year(year)?),
        None => latest_ms.and_then(|latest_ms| {
            let latest = chrono::DateTime::from_timestamp_millis(latest_ms)?;
            // Eight years back holds a 29 February in any case.
            (0..9).filter_map(|back| in_year(latest.year() - back)).find(|time_ms| *time_ms <= latest_ms + DAY_MS)
        }),
    };
    Some((Timestamp { time_ms, of_day_ms: None, has_zone: offset_ms.is_some(), has_year: year.is_some() }, end))
}

/// Words between blanks, and where the last one ended.
struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let rest = &self.text[self.at..];
        let word = rest.split_ascii_whitespace().next()?;
        self.at += word.as_ptr() as usize - rest.as_ptr() as usize + word.len();
        Some(word)
    }
}

fn month(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let word = word.trim_end_matches(['.', ',']);
    let short = word.get(..3)?;
    let index = MONTHS.iter().position(|month| short.eq_ignore_ascii_case(month))?;
    (word.len() <= 9 && word.bytes().all(|byte| byte.is_ascii_alphabetic())).then_some(index as u32 + 1)
}

fn day(word: &str) -> Option<u32> {
    let word = word.trim_end_matches(['.', ',']);
    (word.len() <= 2).then(|| word.parse().ok()).flatten().filter(|day| (1..=31).contains(day))
}

fn year(word: &str) -> Option<i32> {
    let word = word.trim_end_matches([',', ']', ':']);
    (word.len() == 4).then(|| word.parse().ok()).flatten().filter(|year| (1970..3000).contains(year))
}

/// `20:06:38`, with decimals or not: seconds of the day and milliseconds.
fn clock_time(word: &str) -> Option<(u32, i64)> {
    let word = word.trim_end_matches([',', ']', ':']);
    let (time, decimals) = word.split_once(['.', ',']).unwrap_or((word, ""));
    let mut parts = time.split(':').map(|part| (part.len() <= 2).then(|| part.parse::<u32>().ok()).flatten());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??.min(59));
    if parts.next().is_some() || hours > 23 || minutes > 59 {
        return None;
    }
    let ms = format!("{decimals:0<3}").get(..3)?.parse().ok()?;
    Some((hours * 3600 + minutes * 60 + seconds, ms))
}

/// The zones whose short name means one offset: milliseconds east of UTC.
fn zone(name: &str) -> Option<i64> {
    let half_hours = match name {
        "UTC" | "GMT" | "WET" => 0,
        "CET" | "WEST" => 2,
        "CEST" | "EET" => 4,
        "EEST" | "MSK" => 6,
        "JST" | "KST" => 18,
        "AEST" => 20,
        "AEDT" => 22,
        "NZST" => 24,
        "EDT" => -8,
        "EST" | "CDT" => -10,
        "MDT" => -12,
        "MST" | "PDT" => -14,
        "PST" => -16,
        _ => return offset(name).filter(|(_, length)| *length == name.len()).map(|(offset_ms, _)| offset_ms),
    };
    Some(half_hours * 1_800_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::time_text;

    /// The end of 2026-11-24 as that which the year is taken from.
    const LATEST_MS: i64 = 1_795_564_799_000;

    fn describe(text: &str) -> String {
        match read_timestamp(text, Some(LATEST_MS)) {
            None => "no timestamp".to_owned(),
            Some((timestamp, length)) => format!(
                "{}{}{} | {}",
                match timestamp.of_day_ms {
                    Some(of_day_ms) => format!("{of_day_ms} ms of a day"),
                    None => timestamp.time_ms.and_then(time_text).unwrap_or_default(),
                },
                if timestamp.has_zone { "" } else { " no zone" },
                if timestamp.has_year { "" } else { " no year" },
                &text[length..]
            ),
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(describe(text), expected, "{text}");
    }

    #[test]
    fn timestamps_are_read_in_every_form_that_loops_write() {
        check("2026-11-23T20:06:38Z", "2026-11-23T20:06:38Z | ");
        check("2026-11-23T20:06:38Z 9a9858661741   web", "2026-11-23T20:06:38Z | 9a9858661741   web");
        check("2026-11-23T21:06:38+0100 9a98", "2026-11-23T20:06:38Z | 9a98");
        check("2026-11-23 21:06:38.25 +01:00 9a98", "2026-11-23T20:06:38.250Z | 9a98");
        check("2026-11-23 20:06:38,250 9a98", "2026-11-23T20:06:38.250Z no zone | 9a98");
        check("2026-11-23T21:06:38,250000000+01:00", "2026-11-23T20:06:38.250Z | ");
        check("2026-11-23 20:06:38,512.3MiB", "2026-11-23T20:06:38Z no zone | 512.3MiB");
        check("2026-11-23 20:06:38,512MiB", "2026-11-23T20:06:38Z no zone | 512MiB");
        check("2026-11-23T20:06:38,524288000", "2026-11-23T20:06:38Z no zone | 524288000");
        check("[2026-11-23 20:06:38] 9a98", "2026-11-23T20:06:38Z no zone | 9a98");
        check("2026-11-23T20:06:38Z {\"ID\"", "2026-11-23T20:06:38Z | {\"ID\"");
        check("2026-11-23 20:06:38 UTC", "2026-11-23T20:06:38Z | ");
        check("[2026-11-23 21:06:38.25 CET] 9a98", "2026-11-23T20:06:38.250Z | 9a98");
        check("--- 2026-11-23 20:06:38 Z ---", "2026-11-23T20:06:38Z | ---");
        check("2026-11-24 01:36:38.5 +0530 IST", "2026-11-23T20:06:38.500Z | ");
        check("2026-11-23 20:06:38 IST", "2026-11-23T20:06:38Z no zone | ");
        check("2026-11-23 20:06:38 IST 0.1%", "2026-11-23T20:06:38Z no zone | IST 0.1%");
        check("2026-11-23 20:06:38 GMT-proxy 0.1%", "2026-11-23T20:06:38Z no zone | GMT-proxy 0.1%");
        check("2026-11-23 08:06:38 PM 9a98", "2026-11-23T20:06:38Z no zone | 9a98");
        check("2026-11-23 12:06:38 AM UTC", "2026-11-23T00:06:38Z | ");
        check("2026-11-23 08:06:38 PMS", "2026-11-23T08:06:38Z no zone | ");
        check("2026-11-23 25:06:38 PM", "no timestamp");
        check("1795464398 9a98", "2026-11-23T20:06:38Z | 9a98");
        check("1795464398.791042 9a98", "2026-11-23T20:06:38.791Z | 9a98");
        check("1795464398791 9a98", "2026-11-23T20:06:38.791Z | 9a98");
        check("Mon Nov 23 20:06:38 UTC 2026", "2026-11-23T20:06:38Z | ");
        check("Mon Nov 23 21:06:38 CET 2026", "2026-11-23T20:06:38Z | ");
        check("Mon Nov 23 21:06:38 XYT 2026", "2026-11-23T21:06:38Z no zone | ");
        check("Mon Nov 23 08:06:38 PM UTC 2026", "2026-11-23T20:06:38Z | ");
        check("Mon 23 Nov 2026 08:06:38 PM UTC", "2026-11-23T20:06:38Z | ");
        check("Mo 23. Nov 21:06:38 CET 2026", "2026-11-23T20:06:38Z | ");
        check("=== Mon Nov 23 20:06:38 2026 ===", "2026-11-23T20:06:38Z no zone | ===");
        check("Nov 23 20:00:05 9a98", "2026-11-23T20:00:05Z no zone no year | 9a98");
        check("Dec  3 20:00:05 host memlog[12]: 9a98", "2025-12-03T20:00:05Z no zone no year | host memlog[12]: 9a98");
        check("<34>1 2026-11-23T20:06:38Z host", "2026-11-23T20:06:38Z | host");
    }

    #[test]
    fn a_time_of_day_stands_alone() {
        check("20:06:38 9a9858661741   web", "72398000 ms of a day no zone no year | 9a9858661741   web");
        check("[20:06:38.25] 9a98", "72398250 ms of a day no zone no year | 9a98");
        check("20:06:38,512.3MiB", "72398000 ms of a day no zone no year | 512.3MiB");
        check("20:06:38,250 9a98", "72398250 ms of a day no zone no year | 9a98");
        check("08:06:38 PM", "72398000 ms of a day no zone no year | ");
        check("12:06:38 AM 9a98", "398000 ms of a day no zone no year | 9a98");
        check("00:00:01 web", "1000 ms of a day no zone no year | web");
        check("8:06:38 PM 9a98", "72398000 ms of a day no zone no year | 9a98");
        check("21:06:38 CET", "72398000 ms of a day no year | ");
        check("00:06:38+01:00 9a98", "83198000 ms of a day no year | 9a98");
        for text in ["25:06:38 9a98", "20:06 9a98", "20:06:38x", "200:06:38 web", "20-06-38 web", "2:6:38 web"] {
            check(text, "no timestamp");
        }
    }

    #[test]
    fn names_and_ids_are_no_timestamps() {
        for text in [
            "9a9858661741   web",
            "123456789012   web",
            "web   0.1%",
            "march-hare   0.1%",
            "",
            "2026-13-45T99:99:99Z",
            "Nov",
            "May 5",
        ] {
            check(text, "no timestamp");
        }
    }
}
