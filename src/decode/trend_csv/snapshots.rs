//! Which rows belong to one snapshot: one call of the command.

use std::collections::BTreeMap;
use std::ops::Range;

/// How much later than the first row of a tick its last may be, in milliseconds.
const TICK_MS: i64 = 1000;

/// The snapshots of some rows, found again each time they are asked for: they would take more memory than the rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticks<'a> {
    time_ms: &'a [i64],
    tolerance_ms: i64,
    pub(super) sizes: Sizes,
}

/// How many rows ticks have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sizes {
    pub(super) fewest: usize,
    pub(super) most: usize,
    /// The share of ticks that have the most usual number of rows.
    usual_share: f64,
}

impl<'a> Ticks<'a> {
    /// Those of rows of these times.
    ///
    /// Rows a second apart are put together only where this makes the ticks more alike in number.
    pub(super) fn of(time_ms: &'a [i64]) -> Ticks<'a> {
        if !time_ms.is_empty() && time_ms.is_sorted_by(|earlier, later| earlier < later) {
            let sizes = Sizes { fewest: 1, most: 1, usual_share: 1.0 };
            return Ticks { time_ms, tolerance_ms: 0, sizes };
        }
        let [exact, tolerant] = [0, TICK_MS].map(|tolerance_ms| Ticks::within(time_ms, tolerance_ms));
        if exact.sizes.usual_share < tolerant.sizes.usual_share { tolerant } else { exact }
    }

    fn within(time_ms: &'a [i64], tolerance_ms: i64) -> Ticks<'a> {
        let mut ticks = Ticks { time_ms, tolerance_ms, sizes: Sizes { fewest: 0, most: 0, usual_share: 1.0 } };
        ticks.sizes = Sizes::of(ticks.iter().map(|tick| tick.len()));
        ticks
    }

    /// The rows of each tick.
    pub(super) fn iter(self) -> impl Iterator<Item = Range<usize>> {
        let mut first = 0;
        std::iter::from_fn(move || {
            let start_ms = *self.time_ms.get(first)?;
            let is_in = |time_ms: &i64| (0..=self.tolerance_ms).contains(&time_ms.saturating_sub(start_ms));
            let length = self.time_ms[first..].iter().take_while(|time_ms| is_in(time_ms)).count();
            let tick = first..first + length;
            first = tick.end;
            Some(tick)
        })
    }
}

impl Sizes {
    fn of(sizes: impl Iterator<Item = usize>) -> Sizes {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        let mut same = (0, 0);
        let mut n_ticks = 0;
        for size in sizes {
            n_ticks += 1;
            if size != same.0 {
                *counts.entry(same.0).or_default() += same.1;
                same = (size, 0);
            }
            same.1 += 1;
        }
        *counts.entry(same.0).or_default() += same.1;
        counts.retain(|_, count| *count > 0);
        let of = |size: Option<&usize>| size.copied().unwrap_or(0);
        let usual_share = counts.values().max().map_or(1.0, |most| *most as f64 / f64::from(n_ticks));
        Sizes { fewest: of(counts.keys().next()), most: of(counts.keys().next_back()), usual_share }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: &[i64], expected: &[Range<usize>]) {
        let time_ms: Vec<i64> = seconds.iter().map(|seconds| seconds * 1000).collect();
        assert_eq!(Ticks::of(&time_ms).iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_tick_is_one_time_or_two_seconds_where_that_is_more_regular() {
        check(&[], &[]);
        check(&[1, 1, 9, 9], &[0..2, 2..4]);
        check(&[1, 2, 3, 4], &[0..1, 1..2, 2..3, 3..4]);
        check(&[1, 1, 9, 10, 20, 20], &[0..2, 2..4, 4..6]);
        check(&[9, 9, 5, 5], &[0..2, 2..4]);
    }
}
