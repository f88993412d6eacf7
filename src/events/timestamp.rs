//! The time that a line of a log begins with.
//!
//! Read are ISO 8601, `dmesg -T`, the short form of syslog and journalctl, which names no year, and times of JSON
//! lines. A time without a zone is UTC.

use std::sync::LazyLock;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use regex::{Captures, Regex};

/// How far into a line its time may begin: behind a level, a label of compose, a bracket.
const REACH: usize = 120;

/// A time, and whether the line says of which zone it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timestamp {
    /// In milliseconds.
    pub(super) time_ms: i64,
    pub(super) has_zone: bool,
}

static ISO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?P<date>[0-9]{4}[-/][0-9]{2}[-/][0-9]{2})[T ](?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.,](?P<part>[0-9]{1,9}))?(?P<zone>Z| ?[+-][0-9]{2}:?[0-9]{2})?",
    )
});

/// `[Mon Nov 23 20:13:08 2026]`.
static DMESG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s*(?:<[0-9]+>)?\[\s*[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) +(?P<day>[0-9]{1,2}) (?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2}) (?P<year>[0-9]{4})\]",
    )
});

/// `Nov 23 20:13:08 host kernel: `.
static SYSLOG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s*(?:<[0-9]+>)?(?P<month>[A-Z][a-z]{2}) +(?P<day>[0-9]{1,2}) (?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.(?P<part>[0-9]{1,9}))? ",
    )
});

static JSON: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#""(?:time|ts|timestamp|@timestamp|asctime|__REALTIME_TIMESTAMP)"\s*:\s*(?:"(?P<text>[^"]+)"|(?P<number>[0-9]+(?:\.[0-9]+)?))"#,
    )
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a regular expression")
}

/// The time of a line; `None` where it has none. `around_ms`: the year of a time without one is that which brings it
/// next to this; without it there is no such time.
pub(super) fn timestamp(line: &str, around_ms: Option<i64>) -> Option<Timestamp> {
    if line.trim_start().starts_with('{')
        && let Some(found) = JSON.captures(line)
    {
        return of_json(&found);
    }
    if let Some(found) = DMESG.captures(line) {
        let year = found["year"].parse().ok()?;
        return Some(Timestamp { time_ms: of_month(&found, year)?, has_zone: false });
    }
    if let Some(found) = SYSLOG.captures(line) {
        let around_ms = around_ms?;
        let year = DateTime::from_timestamp_millis(around_ms)?.year();
        let times = (year - 1..=year + 1).filter_map(|year| of_month(&found, year));
        let time_ms = times.min_by_key(|time_ms| (time_ms - around_ms).abs())?;
        return Some(Timestamp { time_ms, has_zone: false });
    }
    let beginning = line.char_indices().nth(REACH).map_or(line, |(end, _)| &line[..end]);
    of_iso(&ISO.captures(beginning)?)
}

fn of_json(found: &Captures<'_>) -> Option<Timestamp> {
    if let Some(text) = found.name("text")
        && let Some(iso) = ISO.captures(text.as_str())
    {
        return of_iso(&iso);
    }
    let number: f64 = found.name("number").or(found.name("text"))?.as_str().parse().ok()?;
    Some(Timestamp { time_ms: epoch(number)?, has_zone: true })
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, as its size says, in milliseconds; `None` where it is
/// none of them.
pub(crate) fn epoch(number: f64) -> Option<i64> {
    let ms = match number {
        _ if !(1e8..1e20).contains(&number) => return None,
        number if number < 1e11 => number * 1e3,
        number if number < 1e14 => number,
        number if number < 1e17 => number / 1e3,
        number => number / 1e6,
    };
    Some(ms.round() as i64)
}

fn of_iso(found: &Captures<'_>) -> Option<Timestamp> {
    let date = NaiveDate::parse_from_str(&found["date"].replace('/', "-"), "%Y-%m-%d").ok()?;
    let local_ms = at(date, found)?;
    let zone = found.name("zone").map(|zone| zone.as_str().trim());
    let offset_ms = match zone {
        None | Some("Z") => 0,
        Some(zone) => {
            let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
            let minutes = digits[..2].parse::<i64>().ok()? * 60 + digits[2..].parse::<i64>().ok()?;
            if zone.starts_with('-') { -minutes * 60_000 } else { minutes * 60_000 }
        }
    };
    Some(Timestamp { time_ms: local_ms - offset_ms, has_zone: zone.is_some() })
}

fn of_month(found: &Captures<'_>, year: i32) -> Option<i64> {
    let day = format!("{} {} {year}", &found["month"], &found["day"]);
    at(NaiveDate::parse_from_str(&day, "%b %d %Y").ok()?, found)
}

/// Date and time of day, in milliseconds, as if they were UTC.
fn at(date: NaiveDate, found: &Captures<'_>) -> Option<i64> {
    let time = NaiveTime::parse_from_str(&found["time"], "%H:%M:%S").ok()?;
    let part = found.name("part").map_or(0.0, |part| format!("0.{}", part.as_str()).parse().unwrap_or(0.0));
    Some(NaiveDateTime::new(date, time).and_utc().timestamp_millis() + (part * 1000.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T20:13:08Z.
    const AT: i64 = 1_795_464_788_000;

    #[test]
    fn every_form_of_a_time_is_read() {
        let around = Some(AT + 86_400_000);
        for (line, has_zone) in [
            ("2026-11-23T20:13:08Z web FATAL", true),
            ("2026-11-23T20:13:08+0000 node-1 kernel: Killed", true),
            ("web-1  | 2026-11-23 22:13:08 +0200 ERROR", true),
            ("[2026-11-23T19:13:08-01:00] ERROR", true),
            ("2026-11-23 20:13:08 ERROR", false),
            ("[Mon Nov 23 20:13:08 2026] Killed process", false),
            ("Nov 23 20:13:08 node-1 kernel: [ 12.5] Killed", false),
            ("{\"level\":50,\"time\":1795464788000,\"msg\":\"x\"}", true),
            ("{\"log\":\"x\",\"time\":\"2026-11-23T20:13:08Z\"}", true),
            ("{\"MESSAGE\":\"x\",\"__REALTIME_TIMESTAMP\":\"1795464788000000\"}", true),
        ] {
            assert_eq!(timestamp(line, around), Some(Timestamp { time_ms: AT, has_zone }), "{line}");
        }
        assert_eq!(timestamp("2026-11-23T20:13:08,512 x", None).unwrap().time_ms, AT + 512);
        for line in
            ["[12345.678] Killed process", "Nov 31 20:13:08 node kernel: x", "FATAL ERROR", "2026-13-23T20:13:08Z"]
        {
            assert_eq!(timestamp(line, around), None, "{line}");
        }
    }

    /// A log that crosses new year says no year.
    #[test]
    fn a_year_that_is_not_named_is_the_one_next_to_the_readings() {
        let new_year_ms = 1_798_761_600_000;
        let time = |line: &str| timestamp(line, Some(new_year_ms)).unwrap().time_ms - new_year_ms;
        assert_eq!(time("Dec 31 23:59:59 node kernel: x"), -1000);
        assert_eq!(time("Jan  1 00:00:01 node kernel: x"), 1000);
    }
}
