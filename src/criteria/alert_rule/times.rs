//! Sets of moments in milliseconds, and the phases of an interval that they meet.

use std::collections::BTreeMap;

/// A set of moments as ranges `start <= time < end` in milliseconds, in order, none touching the next.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Times(pub(super) Vec<(i64, i64)>);

impl Times {
    /// Adds a range that begins no earlier than the last one; nothing when it is empty.
    pub(super) fn push(&mut self, start: i64, end: i64) {
        if end <= start {
            return;
        }
        match self.0.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => self.0.push((start, end)),
        }
    }

    pub(super) fn shifted(&self, by_ms: i64) -> Times {
        Times(self.0.iter().map(|(start, end)| (start + by_ms, end + by_ms)).collect())
    }

    pub(super) fn both(&self, other: &Times) -> Times {
        let mut times = Times::default();
        let (mut a, mut b) = (0, 0);
        while a < self.0.len() && b < other.0.len() {
            let (a_range, b_range) = (self.0[a], other.0[b]);
            times.push(a_range.0.max(b_range.0), a_range.1.min(b_range.1));
            if a_range.1 <= b_range.1 {
                a += 1;
            } else {
                b += 1;
            }
        }
        times
    }

    pub(super) fn without(&self, other: &Times) -> Times {
        let mut times = Times::default();
        let mut b = 0;
        for &(start, end) in &self.0 {
            let mut start = start;
            while b < other.0.len() && other.0[b].1 <= start {
                b += 1;
            }
            let mut cut = b;
            while cut < other.0.len() && other.0[cut].0 < end {
                times.push(start, other.0[cut].0);
                start = start.max(other.0[cut].1);
                cut += 1;
            }
            times.push(start, end);
        }
        times
    }

    pub(super) fn either(&self, other: &Times) -> Times {
        let mut ranges: Vec<(i64, i64)> = self.0.iter().chain(&other.0).copied().collect();
        ranges.sort_unstable();
        let mut times = Times::default();
        for (start, end) in ranges {
            times.push(start, end);
        }
        times
    }

    /// The moments of the set that are `grain_ms` apart from `origin_ms`.
    pub(super) fn on_grid(&self, origin_ms: i64, grain_ms: i64) -> Times {
        let mut times = Times::default();
        for &(start, end) in &self.0 {
            let mut time_ms = start + (origin_ms - start).rem_euclid(grain_ms);
            while time_ms < end {
                times.push(time_ms, time_ms + 1);
                time_ms += grain_ms;
            }
        }
        times
    }

    /// Number of milliseconds in it.
    pub(super) fn count(&self) -> i64 {
        self.0.iter().map(|(start, end)| end - start).sum()
    }

    /// The times from which on the set is met `steps` times more, `interval_ms` apart each.
    ///
    /// By doubling: O(ranges · log steps).
    pub(super) fn held_for(&self, steps: i64, interval_ms: i64) -> Times {
        let mut held = self.clone();
        let mut met = 1;
        while met < steps + 1 && !held.0.is_empty() {
            let more = met.min(steps + 1 - met);
            held = held.both(&held.shifted(-more * interval_ms));
            met += more;
        }
        held
    }
}

/// Looks up whether increasing times are in a set.
pub(super) struct Cursor<'a> {
    pub(super) ranges: &'a [(i64, i64)],
}

impl Cursor<'_> {
    pub(super) fn contains(&mut self, time_ms: i64) -> bool {
        while self.ranges.first().is_some_and(|range| range.1 <= time_ms) {
            self.ranges = &self.ranges[1..];
        }
        self.ranges.first().is_some_and(|range| range.0 <= time_ms)
    }
}

/// The phases that a set of times meets.
pub(super) struct Arcs {
    /// How many of the `interval_ms` phases.
    pub(super) count: i64,
    /// The latest of the first times of all phases met; `None` when none is.
    pub(super) latest_ms: Option<i64>,
}

/// Goes through the set in time order and takes from the phases not yet met those that each range meets.
pub(super) fn first_of_each_phase(times: &Times, interval_ms: i64) -> Arcs {
    // The phases not yet met, as ranges: start to end.
    let mut missing = BTreeMap::from([(0, interval_ms)]);
    let mut arcs = Arcs { count: 0, latest_ms: None };
    for &(start_ms, end_ms) in &times.0 {
        let end_ms = end_ms.min(start_ms + interval_ms);
        let phase = start_ms.rem_euclid(interval_ms);
        let turn_ms = start_ms - phase;
        let wrapped = phase + (end_ms - start_ms) - interval_ms;
        for (from, to, turn_ms) in
            [(phase, (phase + end_ms - start_ms).min(interval_ms), turn_ms), (0, wrapped, turn_ms + interval_ms)]
        {
            if let Some((count, last)) = take(&mut missing, from, to) {
                arcs.count += count;
                arcs.latest_ms = arcs.latest_ms.max(Some(turn_ms + last));
            }
        }
        if missing.is_empty() {
            break;
        }
    }
    arcs
}

/// Removes `from <= phase < to` from the ranges: how many were there, and the last of them.
fn take(missing: &mut BTreeMap<i64, i64>, from: i64, to: i64) -> Option<(i64, i64)> {
    let mut taken = None;
    // The range with the greatest start below `to` can reach into it; go on downwards.
    while let Some((&start, &end)) = missing.range(..to).next_back() {
        if end <= from {
            break;
        }
        missing.remove(&start);
        if to < end {
            missing.insert(to, end);
        }
        let (first, last) = (start.max(from), end.min(to) - 1);
        let (count, greatest) = taken.unwrap_or((0, last));
        taken = Some((count + last - first + 1, greatest));
        if start < from {
            missing.insert(start, from);
            break;
        }
    }
    taken
}
