//! Summer time in stamps without a zone: the hour that local clocks show twice, and the one that they leave out.
//!
//! Such stamps are read as UTC. Where clocks were put back, an hour would be there twice and its readings would be
//! mixed; so later times are moved on by that hour, and the report says it.

use chrono::{DateTime, Datelike, Timelike, Weekday};

use super::super::clock::Stamp;
use super::notes::Notes;

/// By how much clocks are put on and back, in milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// Shorter steps are within one call, in milliseconds.
const WITHIN_CALL_MS: i64 = 5_000;

/// How far local time is from what it was at the first stamp, and what is needed to see it change.
#[derive(Debug, Default)]
#[expect(clippy::struct_field_names, reason = "the unit belongs to the name")]
pub(super) struct Seasons {
    /// To be added to stamps without a zone, in milliseconds.
    shift_ms: i64,
    /// The last stamp as it was written, in milliseconds.
    last_ms: Option<i64>,
    /// The usual step from call to call: the last that was longer than a call; 0 when there was none yet.
    step_ms: i64,
}

impl Seasons {
    /// The stamp as if clocks had not been put on or back since the first one.
    pub(super) fn follow(&mut self, stamp: Stamp, notes: &mut Notes) -> Stamp {
        let Some(time_ms) = stamp.time_ms.filter(|_| !stamp.has_zone) else { return stamp };
        if let Some(last_ms) = self.last_ms {
            let step_ms = time_ms - last_ms;
            let tolerance_ms = self.step_ms / 4 + WITHIN_CALL_MS;
            let is_off_by = |off_ms: i64| self.step_ms > 0 && (step_ms - self.step_ms - off_ms).abs() <= tolerance_ms;
            if step_ms < 0 && self.step_ms < HOUR_MS && is_off_by(-HOUR_MS) {
                self.shift_ms += HOUR_MS;
                notes.note_clock(true, last_ms);
            } else if self.step_ms < HOUR_MS / 2 && is_off_by(HOUR_MS) && is_spring_night(time_ms) {
                self.shift_ms -= HOUR_MS;
                notes.note_clock(false, last_ms);
            } else if step_ms > WITHIN_CALL_MS || self.step_ms == 0 && step_ms > 0 {
                self.step_ms = step_ms;
            }
        }
        self.last_ms = Some(time_ms);
        Stamp { time_ms: Some(time_ms + self.shift_ms), ..stamp }
    }
}

/// Whether clocks are put on at such a time somewhere: in a Saturday's or Sunday's night of a month in which they are.
fn is_spring_night(time_ms: i64) -> bool {
    DateTime::from_timestamp_millis(time_ms).is_some_and(|time| {
        matches!(time.weekday(), Weekday::Sat | Weekday::Sun)
            && time.hour() < 5
            && matches!(time.month(), 3 | 4 | 9 | 10)
    })
}
