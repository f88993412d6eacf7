//! Which part of the data is judged: `--since`, `--until`, and the load.
//!
//! Times without a zone, days and texts are UTC. A length of time counts back from the last reading for the window, and
//! on from the first for the load.

use crate::account::Timeline;
use crate::criteria::LoadWindow;
use crate::error::Error;
use crate::report::Note;
use crate::units::{RateUnit, Seconds, duration_text, time_text};

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// A point in time as a user gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Moment {
    /// Milliseconds since 1970, UTC.
    At(i64),
    /// Milliseconds after the first sample.
    AfterStart(i64),
    /// Milliseconds before the last sample.
    BeforeEnd(i64),
    /// A time of day.
    OfDay {
        /// Days before the day of the last sample.
        days_before: i64,
        /// Milliseconds since midnight, UTC.
        ms: i64,
    },
}

impl Moment {
    /// The time in milliseconds, where the samples reach from `first` to `last`.
    fn at(self, first: i64, last: i64) -> i64 {
        match self {
            Moment::At(time_ms) => time_ms,
            Moment::AfterStart(offset_ms) => first.saturating_add(offset_ms),
            Moment::BeforeEnd(offset_ms) => last.saturating_sub(offset_ms),
            Moment::OfDay { days_before, ms } => (last.div_euclid(DAY_MS) - days_before) * DAY_MS + ms,
        }
    }
}

/// Where the window begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WindowStart {
    /// With the data.
    Beginning,
    /// At a point in time.
    Moment(Moment),
}

/// The judged part of the data, as the user sets it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WindowSpec {
    /// The load window.
    pub load: Option<(Moment, Moment)>,
    /// Where the window begins; `None`: the last 30 days of the data, or as set.
    pub since: Option<WindowStart>,
    /// Where the window ends; `None`: with the data.
    pub until: Option<Moment>,
    /// The unit of time of its rates; `None`: the longest that fits into it twice.
    pub rate_unit: Option<RateUnit>,
}

/// The judged part of the data, in milliseconds, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Where it begins.
    pub start_ms: i64,
    /// Where it ends.
    pub end_ms: i64,
    /// The load.
    pub load: Option<(i64, i64)>,
    /// The unit of time of the rates of a report about it.
    pub rate_unit: RateUnit,
}

impl Window {
    /// The window of samples that cover `span`. Notes what it is in `notes` if it leaves out samples or was set
    /// by the user. `last`: its default length.
    ///
    /// # Errors
    ///
    /// If it holds no sample, or the load is impossible.
    pub fn new(
        span: Option<(i64, i64)>,
        spec: &WindowSpec,
        last: Seconds,
        timeline: Timeline,
        notes: &mut Vec<Note>,
    ) -> Result<Window, Error> {
        let rate_unit = |seconds: f64| spec.rate_unit.unwrap_or_else(|| RateUnit::of_window(seconds));
        let Some((first_ms, last_ms)) = span else {
            return Ok(Window { start_ms: 0, end_ms: 0, load: None, rate_unit: rate_unit(0.0) });
        };
        let at = |moment: Moment| moment.at(first_ms, last_ms);
        let text = |time_ms: i64| match timeline {
            Timeline::Absolute => time_text(time_ms).unwrap_or_else(|| format!("{time_ms} ms")),
            Timeline::Relative if time_ms == 0 => "the last reading".to_owned(),
            Timeline::Relative => format!("{} before the last reading", duration_text(-time_ms as f64 / 1000.0)),
        };
        let is_dated = |moment: &Moment| matches!(moment, Moment::At(_) | Moment::OfDay { .. });
        let since = match spec.since {
            Some(WindowStart::Moment(moment)) => Some(moment),
            Some(WindowStart::Beginning) | None => None,
        };
        if timeline == Timeline::Relative && since.iter().chain(&spec.until).any(is_dated) {
            return Err(Error::Usage(
                "`--since` or `--until` is a time, but the readings have no timestamps (expected a duration before the \
                 last reading, such as `6h`, or `--end` for the time of the last reading)"
                    .to_owned(),
            ));
        }
        let end_ms = spec.until.map_or(last_ms, at).min(last_ms);
        let start_ms = match spec.since {
            Some(WindowStart::Beginning) => first_ms,
            Some(WindowStart::Moment(moment)) => at(moment).max(first_ms),
            None if last.get() == 0.0 => first_ms,
            None => end_ms.saturating_sub(last.as_ms()).max(first_ms),
        };
        if start_ms > end_ms {
            return Err(Error::Usage(format!(
                "the window holds no sample: it begins at {} and ends at {} (the samples are from {} to {})",
                text(start_ms),
                text(end_ms),
                text(first_ms),
                text(last_ms)
            )));
        }
        if first_ms < start_ms || end_ms < last_ms || since.is_some() || spec.until.is_some() {
            let (judged_ms, samples_ms) = ((start_ms, end_ms), (first_ms, last_ms));
            notes.push(Note::Window { judged_ms, samples_ms, timeline });
        }
        let load = spec.load.map(|(from, to)| (at(from), at(to)));
        if let Some((from, to)) = load {
            let load = || format!("{} to {}", text(from), text(to));
            if from >= to {
                return Err(Error::Usage(format!("the load window ends before it begins: {}", load())));
            }
            if to < start_ms || end_ms < from {
                let judged = format!("{} to {}", text(start_ms), text(end_ms));
                return Err(Error::Usage(format!("the load window, {}, lies outside the samples, {judged}", load())));
            }
            notes.push(Note::Load(from, to, timeline));
        }
        let rate_unit = rate_unit((end_ms - start_ms) as f64 / 1000.0);
        Ok(Window { start_ms, end_ms, load, rate_unit })
    }

    /// The load, for criteria.
    pub fn load_window(&self) -> Option<LoadWindow> {
        self.load.map(|(start_ms, end_ms)| LoadWindow { start_ms, end_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T21:00:00Z.
    const LAST: i64 = 1_795_467_600_000;
    const HOUR: i64 = 3_600_000;

    #[track_caller]
    fn check(since: Moment, until: Option<Moment>, expected: (i64, i64)) {
        let spec = WindowSpec { since: Some(WindowStart::Moment(since)), until, load: None, rate_unit: None };
        let span = Some((LAST - 48 * HOUR, LAST));
        let window = Window::new(span, &spec, Seconds::whole(0), Timeline::Absolute, &mut Vec::new()).unwrap();
        assert_eq!(((window.start_ms - LAST) / HOUR, (window.end_ms - LAST) / HOUR), expected);
    }

    #[test]
    fn lengths_of_time_count_back_from_the_last_reading() {
        check(Moment::BeforeEnd(6 * HOUR), None, (-6, 0));
        check(Moment::BeforeEnd(6 * HOUR), Some(Moment::BeforeEnd(2 * HOUR)), (-6, -2));
        check(Moment::BeforeEnd(100 * HOUR), None, (-48, 0));
        check(Moment::At(LAST - 3 * HOUR), None, (-3, 0));
        check(Moment::OfDay { days_before: 1, ms: 14 * HOUR }, None, (-31, 0));
        check(
            Moment::OfDay { days_before: 0, ms: 0 },
            Some(Moment::OfDay { days_before: 0, ms: 9 * HOUR }),
            (-21, -12),
        );
    }

    #[test]
    fn what_is_judged_is_said_with_its_zone() {
        let said = |timeline, last_ms: i64, spec: &WindowSpec| {
            let mut notes = Vec::new();
            let span = Some((last_ms - 48 * HOUR, last_ms));
            match Window::new(span, spec, Seconds::whole(0), timeline, &mut notes) {
                Ok(_) => notes.iter().map(ToString::to_string).collect::<Vec<String>>().join("; "),
                Err(error) => error.to_string(),
            }
        };
        let since = |moment| WindowSpec { since: Some(WindowStart::Moment(moment)), ..WindowSpec::default() };
        insta::assert_snapshot!(said(Timeline::Absolute, LAST, &since(Moment::BeforeEnd(6 * HOUR))), @"the samples from 2026-11-23T15:00:00Z to 2026-11-23T21:00:00Z were judged (UTC, both ends included); the data reaches from 2026-11-21T21:00:00Z to 2026-11-23T21:00:00Z (`--since all` takes everything)");
        insta::assert_snapshot!(said(Timeline::Relative, 0, &since(Moment::BeforeEnd(6 * HOUR))), @"the samples from 6 h before the last reading to the last reading were judged (both ends included); the data reaches from 2 d before the last reading to the last reading (`--since all` takes everything)");
        insta::assert_snapshot!(said(Timeline::Relative, 0, &since(Moment::At(LAST))), @"`--since` or `--until` is a time, but the readings have no timestamps (expected a duration before the last reading, such as `6h`, or `--end` for the time of the last reading)");
        insta::assert_snapshot!(said(Timeline::Absolute, LAST, &since(Moment::At(LAST + HOUR))), @"the window holds no sample: it begins at 2026-11-23T22:00:00Z and ends at 2026-11-23T21:00:00Z (the samples are from 2026-11-21T21:00:00Z to 2026-11-23T21:00:00Z)");
        assert_eq!(said(Timeline::Absolute, LAST, &WindowSpec::default()), "");
    }
}
