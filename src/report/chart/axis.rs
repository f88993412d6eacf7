//! What is in view, and the ticks along it: memory in binary units, time in UTC or counted back.

use chrono::{DateTime, Datelike, NaiveDate};

use crate::units::{GIB, KIB, MIB};

/// One tick and what stands beside it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// Bytes, or milliseconds.
    pub(super) at: f64,
    pub(super) label: String,
}

/// Memory beyond this is not drawn to scale, in bytes: 8 EiB.
const MOST_BYTES: f64 = 9.3e18;

/// A memory axis starts at zero unless the values differ by less than this share of their level.
const ZOOM_BELOW: f64 = 0.2;
/// A zoomed memory axis shows at least this share of the level: noise must not look like a mountain range.
const LEAST_ZOOMED: f64 = 0.05;

/// The memory in view, lower and upper, for values from `lowest` to `highest` bytes.
///
/// Leaves air above the highest value for labels.
pub(super) fn memory_window(lowest: f64, highest: f64) -> (f64, f64) {
    let (lowest, highest) = (lowest.clamp(-MOST_BYTES, MOST_BYTES), highest.clamp(-MOST_BYTES, MOST_BYTES));
    let level = lowest.abs().max(highest.abs());
    let range = highest - lowest;
    if level == 0.0 {
        return (0.0, 1.1 * MIB);
    }
    if range < ZOOM_BELOW * level {
        let shown = range.max(LEAST_ZOOMED * level).max(8.0);
        let middle = f64::midpoint(lowest, highest);
        let lower = middle - 0.6 * shown;
        let lower = if lowest >= 0.0 { lower.max(0.0) } else { lower };
        return (lower, middle + 0.65 * shown);
    }
    let lower = lowest.min(0.0);
    let range = (highest.max(0.0) - lower).max(8.0);
    (lower - if lower < 0.0 { 0.05 * range } else { 0.0 }, lower + 1.1 * range)
}

/// Whether a level can be brought into view without pressing values from `lowest` to `highest` flat.
pub(super) fn is_near(level: f64, lowest: f64, highest: f64) -> bool {
    let range = highest - lowest;
    let reach = if range < ZOOM_BELOW * highest.abs() {
        1.5 * range.max(LEAST_ZOOMED * highest.abs())
    } else {
        1.2 * highest.abs()
    };
    lowest - reach <= level && level <= highest + reach
}

/// Ticks for about `n` steps between two amounts of memory: multiples of 1, 2 or 5 times a power of ten of one unit.
pub(super) fn memory_ticks(lower: f64, upper: f64, n: usize) -> Vec<Tick> {
    const UNITS: [(f64, &str); 7] = [
        (1.0, "B"),
        (KIB, "KiB"),
        (MIB, "MiB"),
        (GIB, "GiB"),
        (1024.0 * GIB, "TiB"),
        (1024.0 * 1024.0 * GIB, "PiB"),
        (1024.0 * 1024.0 * 1024.0 * GIB, "EiB"),
    ];
    let level = lower.abs().max(upper.abs());
    let mut unit = UNITS.iter().rposition(|(scale, _)| level >= *scale).unwrap_or(0);
    let step_in = |unit: usize| nice((upper - lower) / n.max(1) as f64 / UNITS[unit].0);
    // `1.02 GiB` is harder to read than `1040 MiB`.
    while unit > 0 && step_in(unit) < 0.1 {
        unit -= 1;
    }
    let (scale, name) = UNITS[unit];
    let step = if unit == 0 { step_in(0).max(1.0) } else { step_in(unit) };
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let first = (lower / scale / step - 1e-9).ceil() as i64;
    let last = (upper / scale / step + 1e-9).floor() as i64;
    (first..=last.min(first.saturating_add(100)))
        .map(|index| {
            let value = index as f64 * step;
            let digits = format!("{:.decimals$}", value.abs());
            let sign = if index < 0 { "−" } else { "" };
            let label = if index == 0 { "0".to_owned() } else { format!("{sign}{digits} {name}") };
            Tick { at: value * scale, label }
        })
        .collect()
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `value`.
fn nice(value: f64) -> f64 {
    let power = 10f64.powf(value.max(1e-9).log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| value <= factor * power * (1.0 + 1e-9)).unwrap_or(10.0);
    factor * power
}

/// Ticks of a time axis in two rows: times, and below them the days or years to which they belong.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct TimeTicks {
    /// Each has a grid mark.
    pub(super) times: Vec<Tick>,
    /// Under the first tick and where the day or year changes. The first names the zone.
    pub(super) dates: Vec<Tick>,
}

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Steps between times, in milliseconds.
const STEPS: [i64; 21] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
];

/// Steps between days that are counted in months.
const MONTHS: [i64; 12] = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 12_000];

/// Round times in UTC between two times in milliseconds since 1970, at most about `n`.
///
/// None beyond the years that a calendar can hold.
pub(super) fn utc_ticks(start_ms: f64, end_ms: f64, n: usize) -> TimeTicks {
    /// The first Monday after 1970 began: weeks are counted from it.
    const MONDAY: i64 = 4 * DAY;
    let most = n.max(1) as f64;
    let span = end_ms - start_ms;
    let Some(step) = STEPS.into_iter().find(|&step| span / step as f64 <= most) else {
        return calendar_ticks(start_ms, end_ms, most);
    };
    let origin = if step >= 7 * DAY { MONDAY } else { 0 };
    let mut ticks = TimeTicks::default();
    let mut before: Option<NaiveDate> = None;
    for at in multiples(start_ms, end_ms, step, origin) {
        let Some(time) = DateTime::from_timestamp_millis(at) else { continue };
        let date = time.date_naive();
        let at = at as f64;
        if step >= DAY {
            ticks.times.push(Tick { at, label: date.format("%-d %b").to_string() });
            if before.is_none_or(|before| before.year() != date.year()) {
                ticks.dates.push(Tick { at, label: zoned(before, date.format("%Y").to_string()) });
            }
        } else {
            let format = if step < MINUTE { "%H:%M:%S" } else { "%H:%M" };
            ticks.times.push(Tick { at, label: time.format(format).to_string() });
            if before != Some(date) {
                let format = if before.is_none() { "%-d %b %Y" } else { "%-d %b" };
                ticks.dates.push(Tick { at, label: zoned(before, date.format(format).to_string()) });
            }
        }
        before = Some(date);
    }
    ticks
}

/// The first date says in which zone all times are.
fn zoned(before: Option<NaiveDate>, date: String) -> String {
    if before.is_none() { format!("{date} UTC") } else { date }
}

/// First days of months, for years of samples.
fn calendar_ticks(start_ms: f64, end_ms: f64, most: f64) -> TimeTicks {
    let month_of = |ms: f64| {
        DateTime::from_timestamp_millis(ms as i64).map(|time| i64::from(time.year()) * 12 + i64::from(time.month0()))
    };
    let mut ticks = TimeTicks::default();
    let (Some(first), Some(last)) = (month_of(start_ms), month_of(end_ms)) else { return ticks };
    let Some(step) = MONTHS.into_iter().find(|&step| (last - first) as f64 / step as f64 <= most) else {
        return ticks;
    };
    let mut before: Option<NaiveDate> = None;
    for index in first.div_euclid(step)..=last.div_euclid(step) {
        let month = index * step;
        let date = NaiveDate::from_ymd_opt(month.div_euclid(12) as i32, month.rem_euclid(12) as u32 + 1, 1)
            .unwrap_or_default();
        let at = date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis() as f64;
        if at < start_ms || end_ms < at {
            continue;
        }
        let year = date.format("%Y").to_string();
        if step >= 12 {
            ticks.times.push(Tick { at, label: year });
            if before.is_none() {
                ticks.dates.push(Tick { at, label: "UTC".to_owned() });
            }
        } else {
            ticks.times.push(Tick { at, label: date.format("%b").to_string() });
            if before.is_none_or(|before| before.year() != date.year()) {
                ticks.dates.push(Tick { at, label: zoned(before, year) });
            }
        }
        before = Some(date);
    }
    ticks
}

/// Round times before and after time 0, in milliseconds, at most about `n`.
pub(super) fn relative_ticks(start_ms: f64, end_ms: f64, n: usize) -> TimeTicks {
    let most = n.max(1) as f64;
    let span = end_ms - start_ms;
    let step = STEPS.into_iter().find(|&step| span / step as f64 <= most).unwrap_or_else(|| {
        let days = nice((span / most / DAY as f64).clamp(1.0, 1e11));
        days as i64 * DAY
    });
    let times: Vec<Tick> =
        multiples(start_ms, end_ms, step, 0).map(|at| Tick { at: at as f64, label: relative_label(at) }).collect();
    let dates = times
        .iter()
        .rfind(|tick| tick.at <= 0.0)
        .map(|tick| Tick { at: tick.at, label: "before the last sample".to_owned() })
        .into_iter()
        .collect();
    TimeTicks { times, dates }
}

fn relative_label(ms: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")];
    let mut rest = ms.saturating_abs();
    let mut parts = Vec::new();
    for (unit, name) in UNITS {
        if rest >= unit {
            parts.push(format!("{} {name}", rest / unit));
            rest %= unit;
        }
    }
    let sign = match ms {
        0 => return "0".to_owned(),
        ..0 => "−",
        1.. => "+",
    };
    format!("{sign}{}", parts.join(" "))
}

/// The multiples of `step` counted from `origin` between two times; at most a few hundred.
fn multiples(start_ms: f64, end_ms: f64, step: i64, origin: i64) -> impl Iterator<Item = i64> {
    let index = |ms: f64| (ms - origin as f64) / step as f64;
    let (first, last) = (index(start_ms).ceil() as i64, index(end_ms).floor() as i64);
    (first..=last.min(first.saturating_add(500))).map(move |index| index.saturating_mul(step).saturating_add(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> String {
        ticks.iter().map(|tick| tick.label.as_str()).collect::<Vec<_>>().join(" | ")
    }

    #[track_caller]
    fn check_memory(lower: f64, upper: f64, expected: &str) {
        assert_eq!(labels(&memory_ticks(lower, upper, 6)), expected);
    }

    #[test]
    fn memory_ticks_are_round_in_their_unit() {
        check_memory(0.0, 563.0 * MIB, "0 | 100 MiB | 200 MiB | 300 MiB | 400 MiB | 500 MiB");
        check_memory(0.0, 1.2 * GIB, "0 | 0.2 GiB | 0.4 GiB | 0.6 GiB | 0.8 GiB | 1.0 GiB | 1.2 GiB");
        check_memory(1.0 * GIB, 1.06 * GIB, "1040 MiB | 1060 MiB | 1080 MiB");
        check_memory(97.0 * MIB, 103.0 * MIB, "97 MiB | 98 MiB | 99 MiB | 100 MiB | 101 MiB | 102 MiB | 103 MiB");
        check_memory(0.0, 11.0 * 1024.0 * GIB, "0 | 2 TiB | 4 TiB | 6 TiB | 8 TiB | 10 TiB");
        check_memory(0.0, 8.0, "0 | 2 B | 4 B | 6 B | 8 B");
        check_memory(0.0, 1.5, "0 | 1 B");
        check_memory(-3.0 * KIB, 3.0 * KIB, "−3 KiB | −2 KiB | −1 KiB | 0 | 1 KiB | 2 KiB | 3 KiB");
    }

    #[track_caller]
    fn check_window(lowest_mib: f64, highest_mib: f64, expected_mib: (f64, f64)) {
        let (lower, upper) = memory_window(lowest_mib * MIB, highest_mib * MIB);
        let shown = ((lower / MIB * 100.0).round() / 100.0, (upper / MIB * 100.0).round() / 100.0);
        assert_eq!(shown, expected_mib);
    }

    #[test]
    fn the_memory_axis_starts_at_zero_unless_values_are_close() {
        check_window(0.0, 0.0, (0.0, 1.1));
        check_window(100.0, 200.0, (0.0, 220.0));
        check_window(80.0, 100.0, (0.0, 110.0));
        check_window(90.0, 100.0, (89.0, 101.5));
        // Without a spread, a twentieth of the level is in view.
        check_window(100.0, 100.0, (97.0, 103.25));
    }

    #[test]
    fn a_limit_far_away_does_not_flatten_the_samples() {
        for (level, lowest, highest, near) in [
            (512.0, 100.0, 300.0, true),
            (512.0, 10.0, 100.0, false),
            (512.0, 480.0, 485.0, true),
            (512.0, 400.0, 405.0, false),
        ] {
            assert_eq!(is_near(level, lowest, highest), near, "{level} {lowest} {highest}");
        }
    }

    fn utc(text: &str) -> f64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis() as f64
    }

    #[track_caller]
    fn check_utc(start: &str, end: &str, times: &str, dates: &str) {
        let ticks = utc_ticks(utc(start), utc(end), 8);
        assert_eq!((labels(&ticks.times).as_str(), labels(&ticks.dates).as_str()), (times, dates));
    }

    #[test]
    fn time_ticks_are_round_and_say_their_day_and_zone() {
        check_utc(
            "2026-03-04T22:10:00Z",
            "2026-03-05T01:50:00Z",
            "22:30 | 23:00 | 23:30 | 00:00 | 00:30 | 01:00 | 01:30",
            "4 Mar 2026 UTC | 5 Mar",
        );
        check_utc(
            "2026-03-04T22:10:00Z",
            "2026-03-04T22:10:12Z",
            "22:10:00 | 22:10:02 | 22:10:04 | 22:10:06 | 22:10:08 | 22:10:10 | 22:10:12",
            "4 Mar 2026 UTC",
        );
        check_utc(
            "2026-03-04T00:00:00Z",
            "2026-03-07T00:00:00Z",
            "00:00 | 12:00 | 00:00 | 12:00 | 00:00 | 12:00 | 00:00",
            "4 Mar 2026 UTC | 5 Mar | 6 Mar | 7 Mar",
        );
        check_utc(
            "2025-12-20T03:00:00Z",
            "2026-01-19T03:00:00Z",
            "22 Dec | 29 Dec | 5 Jan | 12 Jan | 19 Jan",
            "2025 UTC | 2026",
        );
        check_utc(
            "2025-03-20T03:00:00Z",
            "2026-03-05T03:00:00Z",
            "May | Jul | Sep | Nov | Jan | Mar",
            "2025 UTC | 2026",
        );
        check_utc("1971-03-20T03:00:00Z", "2026-03-05T03:00:00Z", "1980 | 1990 | 2000 | 2010 | 2020", "UTC");
    }

    #[test]
    fn relative_ticks_count_back_from_the_last_sample() {
        for (start_ms, end_ms, times) in [
            (-2.2 * HOUR as f64, 0.0, "−2 h | −1 h 30 min | −1 h | −30 min | 0"),
            (-50.0 * SECOND as f64, 20.0 * SECOND as f64, "−50 s | −40 s | −30 s | −20 s | −10 s | 0 | +10 s | +20 s"),
            (-3.0 * DAY as f64, 0.0, "−3 d | −2 d 12 h | −2 d | −1 d 12 h | −1 d | −12 h | 0"),
        ] {
            let ticks = relative_ticks(start_ms, end_ms, 8);
            assert_eq!(labels(&ticks.times), times);
            assert_eq!(labels(&ticks.dates), "before the last sample");
        }
    }

    #[test]
    fn no_time_is_too_far_away() {
        for (start_ms, end_ms) in [(-9.2e18, 9.2e18), (9.2e18, 9.22e18), (0.0, 1.0), (-1e15, 1e15)] {
            assert!(utc_ticks(start_ms, end_ms, 8).times.len() < 20, "{start_ms}");
            assert!(relative_ticks(start_ms, end_ms, 8).times.len() < 20, "{start_ms}");
        }
    }
}
