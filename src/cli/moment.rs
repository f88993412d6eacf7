//! Points in time on the command line.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use crate::error::Error;
use crate::units::Seconds;
use crate::window::{Moment, WindowStart};

/// What a length of time by itself counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// On from the first sample.
    First,
    /// Back from the last sample.
    Last,
    /// Nothing.
    Nowhere,
}

/// `--since`.
///
/// # Errors
///
/// When it cannot be understood.
pub(super) fn since(text: &str) -> Result<WindowStart, Error> {
    if text.trim() == "all" {
        Ok(WindowStart::Beginning)
    } else {
        moment("--since", text, Origin::Last).map(WindowStart::Moment)
    }
}

/// A time that does not depend on the samples, in milliseconds.
///
/// # Errors
///
/// When it cannot be understood, or does.
pub(super) fn time(option: &str, text: &str) -> Result<i64, Error> {
    match moment(option, text, Origin::Nowhere)? {
        Moment::At(time_ms) => Ok(time_ms),
        Moment::AfterStart(_) | Moment::BeforeEnd(_) | Moment::OfDay { .. } => Err(Error::Usage(format!(
            "`{option}`: a duration is not allowed here (expected RFC 3339 or seconds since 1970)"
        ))),
    }
}

/// `START..END`, of a load.
///
/// # Errors
///
/// When it cannot be understood.
pub(super) fn load(text: &str) -> Result<(Moment, Moment), Error> {
    let (start, end) = text.split_once("..").ok_or_else(|| {
        Error::Usage(format!("`--load {text}`: expected START..END, such as `20m..50m` or two RFC 3339 times"))
    })?;
    Ok((moment("--load", start, Origin::First)?, moment("--load", end, Origin::First)?))
}

/// RFC 3339, seconds since 1970 (10^9 and more), a date and a time of UTC, `yesterday 14:00`, or a length of time.
///
/// # Errors
///
/// What was found and what was expected.
pub(super) fn moment(option: &str, text: &str, from: Origin) -> Result<Moment, Error> {
    let text = text.trim();
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(Moment::At(time.timestamp_millis()));
    }
    if let Ok(seconds) = text.parse::<f64>()
        && 1e9 <= seconds
        && seconds < 1e11
    {
        return Ok(Moment::At((seconds * 1000.0).round() as i64));
    }
    if let Some(time_ms) = date(text) {
        return Ok(Moment::At(time_ms));
    }
    let length = |text: &str| text.trim().parse::<Seconds>().ok().map(Seconds::as_ms);
    let found = match from {
        Origin::First => length(text).map(Moment::AfterStart),
        Origin::Nowhere => length(text).map(Moment::BeforeEnd),
        Origin::Last => {
            let back = text.strip_prefix("now").unwrap_or(text).trim_start();
            let back = back.strip_prefix('-').unwrap_or(back);
            if text == "now" {
                Some(Moment::BeforeEnd(0))
            } else {
                length(back).map(Moment::BeforeEnd).or_else(|| of_day(text))
            }
        }
    };
    let lengths = match from {
        Origin::First => ", or a duration after the first sample such as `20m`",
        Origin::Last => ", `yesterday 14:00`, or a duration before the last reading such as `6h`",
        Origin::Nowhere => "",
    };
    found.ok_or_else(|| {
        Error::Usage(format!(
            "`{option} {text}`: not a time (expected RFC 3339 such as `2026-11-23T20:06:38Z`, seconds since 1970{lengths})"
        ))
    })
}

/// A date, with a time or without, of UTC, in milliseconds.
fn date(text: &str) -> Option<i64> {
    let formats = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
    let with_time = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let alone = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    with_time.or_else(alone).map(|time| time.and_utc().timestamp_millis())
}

/// `yesterday 14:00`, `today`.
fn of_day(text: &str) -> Option<Moment> {
    let (day, time) = text.split_once(char::is_whitespace).unwrap_or((text, "00:00"));
    let days_before = match day {
        "today" => 0,
        "yesterday" => 1,
        _ => return None,
    };
    let time = time.trim();
    let time = ["%H:%M", "%H:%M:%S"].iter().find_map(|format| NaiveTime::parse_from_str(time, format).ok())?;
    Some(Moment::OfDay { days_before, ms: i64::from(time.num_seconds_from_midnight()) * 1000 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_absolute_or_count_from_samples() {
        let since = |text: &str| moment("--since", text, Origin::Last).unwrap();
        for text in [
            "2026-11-23T20:06:38Z",
            "1795464398",
            "2026-11-23 20:06:38",
            "2026-11-23T20:06:38",
            "2026-11-23T21:06:38+01:00",
        ] {
            assert_eq!(since(text), Moment::At(1_795_464_398_000), "{text}");
        }
        assert_eq!(since("1795464398.5"), Moment::At(1_795_464_398_500));
        assert_eq!(since("2026-11-23"), Moment::At(1_795_392_000_000));
        for text in ["6h", "-6h", "now-6h", "now - 6h", " 6h "] {
            assert_eq!(since(text), Moment::BeforeEnd(21_600_000), "{text}");
        }
        assert_eq!(since("now"), Moment::BeforeEnd(0));
        assert_eq!(since("yesterday 14:00"), Moment::OfDay { days_before: 1, ms: 50_400_000 });
        assert_eq!(since("today"), Moment::OfDay { days_before: 0, ms: 0 });
        assert_eq!(moment("--load", "20m", Origin::First).unwrap(), Moment::AfterStart(1_200_000));
        assert_eq!(time("--end", "2026-11-23 20:06:38").unwrap(), 1_795_464_398_000);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let refusal = |error: Error| error.to_string();
        insta::assert_snapshot!(refusal(since("tomorrow").unwrap_err()), @"`--since tomorrow`: not a time (expected RFC 3339 such as `2026-11-23T20:06:38Z`, seconds since 1970, `yesterday 14:00`, or a duration before the last reading such as `6h`)");
        insta::assert_snapshot!(refusal(since("yesterday noon").unwrap_err()), @"`--since yesterday noon`: not a time (expected RFC 3339 such as `2026-11-23T20:06:38Z`, seconds since 1970, `yesterday 14:00`, or a duration before the last reading such as `6h`)");
        insta::assert_snapshot!(refusal(load("20m").unwrap_err()), @"`--load 20m`: expected START..END, such as `20m..50m` or two RFC 3339 times");
        insta::assert_snapshot!(refusal(load("yesterday..50m").unwrap_err()), @"`--load yesterday`: not a time (expected RFC 3339 such as `2026-11-23T20:06:38Z`, seconds since 1970, or a duration after the first sample such as `20m`)");
        insta::assert_snapshot!(refusal(time("--end", "6h").unwrap_err()), @"`--end`: a duration is not allowed here (expected RFC 3339 or seconds since 1970)");
        insta::assert_snapshot!(refusal(time("--end", "now").unwrap_err()), @"`--end now`: not a time (expected RFC 3339 such as `2026-11-23T20:06:38Z`, seconds since 1970)");
    }
}
