//! What timestamps leave out, a zone or a year, and what is said about it.
//!
//! Stamps without a zone are read as UTC. Where local clocks were put back at the end of summer time, an hour would be
//! there twice and its readings would be mixed; so later times are moved on by that hour, and the report says it.

use chrono::{DateTime, Datelike, Timelike, Weekday};

use super::clock::Timestamp;
use crate::account::{Input, Purpose, TimeWarning, cleaned};
use crate::units::time_text;

/// By how much clocks are put on and back, in milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// Shorter steps are within one call, in milliseconds.
const WITHIN_CALL_MS: i64 = 5_000;

/// How far local time is from what it was at the first timestamp, and what is needed to see it change.
#[derive(Debug, Default)]
#[expect(clippy::struct_field_names, reason = "the unit belongs to the name")]
pub(super) struct Seasons {
    /// To be added to timestamps without a zone, in milliseconds.
    shift_ms: i64,
    /// The last timestamp as it was written, in milliseconds.
    last_ms: Option<i64>,
    /// The usual step from call to call: the last that was longer than a call; 0 when there was none yet.
    step_ms: i64,
}

impl Seasons {
    /// The timestamp as if clocks had not been put on or back since the first one.
    pub(super) fn follow(&mut self, timestamp: Timestamp, notes: &mut TimeNotes) -> Timestamp {
        let Some(time_ms) = timestamp.time_ms.filter(|_| !timestamp.has_zone) else { return timestamp };
        if let Some(last_ms) = self.last_ms {
            let step_ms = time_ms - last_ms;
            let tolerance_ms = self.step_ms / 4 + WITHIN_CALL_MS;
            let is_off_by = |off_ms: i64| self.step_ms > 0 && (step_ms - self.step_ms - off_ms).abs() <= tolerance_ms;
            if step_ms < 0 && self.step_ms < HOUR_MS && is_off_by(-HOUR_MS) && is_autumn_night(last_ms) {
                self.shift_ms += HOUR_MS;
                notes.note_clock(true, last_ms);
            } else if self.step_ms <= HOUR_MS / 2 && is_off_by(HOUR_MS) && is_spring_night(time_ms) {
                self.shift_ms -= HOUR_MS;
                notes.note_clock(false, last_ms);
            } else if step_ms > WITHIN_CALL_MS || self.step_ms == 0 && step_ms > 0 {
                self.step_ms = step_ms;
            }
        }
        self.last_ms = Some(time_ms);
        Timestamp { time_ms: Some(time_ms + self.shift_ms), ..timestamp }
    }
}

/// What must be said about the times of one file.
#[derive(Debug, Default)]
pub(super) struct TimeNotes {
    no_zone: Option<String>,
    /// The first time to which a year was given, in milliseconds.
    no_year: Option<i64>,
    unusable_year: bool,
    /// Whether clocks were put back, or on, and after when.
    clocks: Vec<(bool, i64)>,
}

impl TimeNotes {
    /// A timestamp, as it was written.
    pub(super) fn note(&mut self, timestamp: Timestamp, text: &str) {
        if timestamp.of_day_ms.is_some() {
            return;
        }
        if !timestamp.has_zone && self.no_zone.is_none() {
            self.no_zone = Some(cleaned(text.trim_end(), 40));
        }
        if !timestamp.has_year && self.no_year.is_none() {
            self.no_year = timestamp.time_ms.filter(|time_ms| time_text(*time_ms).is_some());
            self.unusable_year |= timestamp.time_ms.is_none();
        }
    }

    fn note_clock(&mut self, back: bool, time_ms: i64) {
        self.clocks.push((back, time_ms));
    }

    pub(super) fn warn(self, input: &mut Input) {
        if self.unusable_year {
            input.warn(TimeWarning::NoYear);
        } else if let Some(example) = self.no_zone {
            input.warn(TimeWarning::NoZone { of: Purpose::Readings, example });
        }
        if let Some(first_ms) = self.no_year {
            input.warn(TimeWarning::YearFromFile { first_ms });
        }
        for (back, after_ms) in self.clocks {
            input.warn(TimeWarning::ClockJumped { back, after_ms });
        }
    }
}

/// Whether clocks are put on in such a night somewhere: Europe on the last Sunday of March, America on its second, the
/// southern hemisphere on the first of October, New Zealand on the last of September, Chile on its first.
/// [IANA time zone database, 2024]
fn is_spring_night(time_ms: i64) -> bool {
    is_night_of(
        time_ms,
        |month, day| matches!((month, day), (3, 8..=14 | 25..=31) | (9, 2..=8 | 24..=30) | (10, 1..=7)),
    )
}

/// Whether they are put back: Europe on the last Sunday of October, America on the first of November, the southern
/// hemisphere on the first of April.
fn is_autumn_night(time_ms: i64) -> bool {
    is_night_of(time_ms, |month, day| matches!((month, day), (10, 25..=31) | (11, 1..=7) | (4, 1..=8)))
}

/// Whether a local time is before five in the morning of such a Sunday, or in the hour before that day.
fn is_night_of(time_ms: i64, is_day: impl Fn(u32, u32) -> bool) -> bool {
    const HOUR: chrono::TimeDelta = chrono::TimeDelta::hours(1);
    DateTime::from_timestamp_millis(time_ms).is_some_and(|time| {
        let night = time + HOUR;
        night.weekday() == Weekday::Sun && night.hour() < 6 && is_day(night.month(), night.day())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far the last of some local times, one every so many minutes, is moved, in hours.
    fn moved(date: &str, times: &[&str]) -> i64 {
        let mut seasons = Seasons::default();
        let mut moved_ms = 0;
        for time in times {
            let text = format!("{date}T{time}:00Z");
            let time_ms = DateTime::parse_from_rfc3339(&text).unwrap().timestamp_millis();
            let timestamp = Timestamp { time_ms: Some(time_ms), of_day_ms: None, has_zone: false, has_year: true };
            moved_ms = seasons.follow(timestamp, &mut TimeNotes::default()).time_ms.unwrap() - time_ms;
        }
        moved_ms / HOUR_MS
    }

    #[test]
    fn clocks_are_followed_in_the_nights_in_which_they_change() {
        let back = ["01:30", "01:45", "02:00", "02:15", "02:30", "02:45", "02:00", "02:15"];
        for date in ["2026-10-25", "2026-11-01", "2026-04-05"] {
            assert_eq!(moved(date, &back), 1, "{date}");
        }
        let on = ["01:15", "01:30", "01:45", "03:00", "03:15"];
        for date in ["2026-03-29", "2026-03-08", "2026-10-04", "2026-09-27"] {
            assert_eq!(moved(date, &on), -1, "{date}");
        }
        assert_eq!(moved("2026-03-29", &["01:00", "01:30", "03:00"]), -1);
    }

    /// An hour without readings, and a clock that was wrong by an hour.
    #[test]
    fn other_steps_of_an_hour_are_left_as_they_are() {
        for date in ["2026-10-10", "2026-09-05", "2026-06-15", "2026-03-28", "2026-10-24"] {
            assert_eq!(moved(date, &["01:15", "01:30", "01:45", "03:00", "03:15"]), 0, "{date}");
            assert_eq!(moved(date, &["01:30", "02:00", "02:30", "02:00", "02:30"]), 0, "{date}");
        }
        assert_eq!(moved("2026-10-25", &["12:00", "12:15", "12:30", "11:45", "12:00"]), 0);
    }
}
