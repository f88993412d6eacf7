//! Times in which what becomes pending does not count: under a load, and after starts.

use super::super::{During, LoadWindow};
use super::times::Times;

/// What does not count when an alert sees it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Exempt<'a> {
    /// The load.
    pub load: Option<LoadWindow>,
    /// Starts of the container in order, in milliseconds.
    pub starts_ms: &'a [i64],
    /// For how long after a start readings do not count, in milliseconds.
    pub settle_ms: i64,
}

impl Exempt<'_> {
    /// What a load exempts, where there is one.
    pub fn load(load: Option<LoadWindow>) -> Exempt<'static> {
        Exempt { load, ..Exempt::default() }
    }
}

/// The times in which a rule sees exempt readings, as far back as it reaches.
pub(super) struct Exemptions {
    times: Times,
    /// `start <= time < end`.
    load: Option<(i64, i64)>,
    interval_ms: i64,
}

impl Exemptions {
    pub(super) fn new(exempt: Exempt<'_>, reach_back_ms: i64, interval_ms: i64) -> Exemptions {
        let load = exempt.load.map(|load| (load.start_ms, load.end_ms + reach_back_ms + 1));
        let settled_ms = exempt.settle_ms.saturating_add(reach_back_ms);
        let start_ups = exempt.starts_ms.iter().map(|start_ms| (*start_ms, start_ms.saturating_add(settled_ms)));
        let mut ranges: Vec<(i64, i64)> = load.into_iter().chain(start_ups.filter(|_| exempt.settle_ms > 0)).collect();
        ranges.sort_unstable();
        let mut times = Times::default();
        for (start_ms, end_ms) in ranges {
            // The evaluation after an exempt time must not lie in the next one.
            let joined_ms = times.0.last().map(|last| last.1).filter(|last_ms| start_ms - last_ms < interval_ms);
            times.push(joined_ms.map_or(start_ms, |last_ms| last_ms.min(start_ms)), end_ms);
        }
        Exemptions { times, load, interval_ms }
    }

    /// When what becomes pending does not count.
    pub(super) fn times(&self) -> &Times {
        &self.times
    }

    /// The first evaluation of each phase after each of these times.
    pub(super) fn afterwards(&self) -> Times {
        Times(self.times.0.iter().map(|range| (range.1, range.1.saturating_add(self.interval_ms))).collect())
    }

    /// What an alert became pending in that keeps it from counting.
    pub(super) fn during(&self, pending_at_ms: i64) -> Option<During> {
        let range = self.around(pending_at_ms)?;
        let in_load = |load: (i64, i64)| load.0 <= pending_at_ms && pending_at_ms < load.1 || load == range;
        Some(if self.load.is_some_and(in_load) { During::Load } else { During::StartUp })
    }

    /// The evaluation from which an alert counts: the one at which it became pending, or, where that is in an exempt
    /// time, the first one after.
    pub(super) fn counts_from_ms(&self, pending_at_ms: i64) -> i64 {
        self.around(pending_at_ms).map_or(pending_at_ms, |(_, end_ms)| {
            end_ms.saturating_add(pending_at_ms.saturating_sub(end_ms).rem_euclid(self.interval_ms))
        })
    }

    fn around(&self, time_ms: i64) -> Option<(i64, i64)> {
        let next = self.times.0.partition_point(|range| range.1 <= time_ms);
        self.times.0.get(next).copied().filter(|range| range.0 <= time_ms)
    }
}
