//! When the container started, and that start-up is no leak.
//!
//! Takes readings in bytes and the restarts that are known; gives starts in milliseconds. Code that is loaded, caches
//! and heaps that fill gain in the first minutes what would be a leak later: a criterion of a rate counts what it sees
//! in readings past the settle time of each start, and leaves out those before.

use std::ops::Range;

use crate::series::MemorySeries;
use crate::stats::robust::median;
use crate::units::Seconds;

use super::alert_rule::Exempt;
use super::reason::{AtStart, Moment};
use super::{Context, LoadWindow};

/// Readings settle at a multiple of the first one above this where the series begins with a start.
const START_UP_RATIO: f64 = 2.0;

/// The starts of a container, and for how long memory settles after each.
#[derive(Debug, Clone)]
pub(super) struct Starts {
    /// In order, in milliseconds; none when nothing is to settle.
    times_ms: Vec<i64>,
    settle: Seconds,
    /// The first reading and the level that memory settles at, where the beginning is taken for a start.
    seen_bytes: Option<(f64, f64)>,
}

impl Starts {
    /// The last start before the first reading, or, where that is not known, the beginning of the series if it looks
    /// like one; and the restarts that are known or were found.
    pub(super) fn of(series: &MemorySeries, context: &Context<'_>) -> Starts {
        let settle = context.settings.settle_seconds;
        let mut starts = Starts { times_ms: Vec::new(), settle, seen_bytes: None };
        if settle.as_ms() <= 0 {
            return starts;
        }
        starts.times_ms.extend(context.restarts.iter().map(|restart| restart.at_ms));
        starts.times_ms.sort_unstable();
        if let Some(started_ms) = context.started_ms {
            starts.times_ms.insert(0, started_ms);
            return starts;
        }
        starts.seen_bytes = settles_higher(series, settle, context.load, starts.times_ms.first().copied());
        if starts.seen_bytes.is_some() {
            starts.times_ms.insert(0, series.start_ms());
        }
        starts
    }

    /// What an alert on a rate leaves out.
    pub(super) fn exempt(&self, load: Option<LoadWindow>) -> Exempt<'_> {
        Exempt { load, starts_ms: &self.times_ms, settle_ms: self.settle.as_ms() }
    }

    /// The parts that are left without the readings in which memory settles; `None` when that is all of them.
    pub(super) fn counted(&self, series: &MemorySeries, parts: &[Range<usize>]) -> Option<Vec<Range<usize>>> {
        let times = series.time_ms();
        let at = |time_ms: i64| times.partition_point(|time| *time < time_ms);
        let start_ups: Vec<Range<usize>> =
            self.times_ms.iter().map(|start_ms| at(*start_ms)..at(self.settled_ms(*start_ms))).collect();
        if start_ups.iter().all(Range::is_empty) {
            return None;
        }
        let mut counted = Vec::new();
        for part in parts {
            let mut from = part.start;
            for start_up in start_ups.iter().filter(|start_up| start_up.start < part.end) {
                counted.push(from..start_up.start);
                from = from.max(start_up.end);
            }
            counted.push(from..part.end);
        }
        counted.retain(|part| !part.is_empty());
        Some(counted)
    }

    /// The last start up to a time, in milliseconds.
    pub(super) fn last_by(&self, time_ms: i64) -> Option<i64> {
        let next = self.times_ms.partition_point(|start_ms| *start_ms <= time_ms);
        next.checked_sub(1).map(|last| self.times_ms[last])
    }

    /// When memory has settled after a start.
    pub(super) fn settled_ms(&self, start_ms: i64) -> i64 {
        start_ms.saturating_add(self.settle.as_ms())
    }

    /// What was reached at a time, as something that does not count after the last start before.
    pub(super) fn at_start(&self, series: &MemorySeries, reached_ms: i64) -> AtStart {
        let start_ms = self.last_by(reached_ms).unwrap_or_else(|| series.start_ms());
        AtStart {
            reached: Moment::of(series, reached_ms),
            start: Moment::of(series, start_ms),
            seen_bytes: self.seen_bytes.filter(|_| start_ms == series.start_ms()),
            settle: self.settle,
        }
    }
}

/// The first reading and the level that memory settles at, where the first is below half of that.
///
/// The level is the median of what was read outside the load past the settle time, or of the last quarter of the time
/// where that is longer, up to the first restart. After a load it is the level that was left: a series that begins so
/// low cannot be distinguished from one that has just started.
fn settles_higher(
    series: &MemorySeries,
    settle: Seconds,
    load: Option<LoadWindow>,
    first_restart_ms: Option<i64>,
) -> Option<(f64, f64)> {
    let (times, bytes) = (series.time_ms(), series.used_bytes());
    let run = times.partition_point(|time| first_restart_ms.is_none_or(|restart_ms| *time < restart_ms));
    let (first_ms, last_ms) = (times[0], times[run.checked_sub(1)?]);
    let from_ms = first_ms.saturating_add(settle.as_ms()).min(last_ms - (last_ms - first_ms) / 4);
    let settled = times.partition_point(|time| *time < from_ms)..run;
    let is_outside =
        |index: &usize| load.is_none_or(|load| times[*index] < load.start_ms || load.end_ms < times[*index]);
    let outside = || settled.clone().filter(is_outside);
    // Most of them are above twice the first where their median is: a look at each is enough for most series.
    let n_above = outside().filter(|index| START_UP_RATIO * bytes[0] < bytes[*index]).count();
    if 2 * n_above <= outside().count() {
        return None;
    }
    let level = median(&outside().map(|index| bytes[index]).collect::<Vec<f64>>())?;
    Some((bytes[0], level))
}
