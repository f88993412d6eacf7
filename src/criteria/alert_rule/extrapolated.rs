//! `delta`, `increase` and `rate`: the last reading less the first, extrapolated to the ends of the range.
//!
//! The operations are in the order in which Prometheus does them (`extrapolatedRate` of `promql/functions.go`).

use super::enclosure::Enclosure;
use super::readings::Release;
use super::window::{Element, Moving, Range, Reading};

/// What is extrapolated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    /// `delta`.
    Difference,
    /// `increase`: a reading below the one before is a reset of the counter.
    Increase,
    /// `rate`: the increase per second.
    Rate,
}

/// The growth of one set of readings: another value at every moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extrapolated {
    first_ms: i64,
    last_ms: i64,
    /// Seconds from the first reading to the last.
    covered: f64,
    /// Mean seconds between readings, and the longest way to an end of the range that is bridged as a whole.
    spacing: f64,
    longest: f64,
    /// What the readings themselves grew by.
    growth: f64,
    range: Range,
    /// Seconds before the first reading at which a counter was 0; infinite where that does not matter.
    to_zero: f64,
    /// Whether that shortens the way to the start before the way is compared with the spacing of readings.
    zero_first: bool,
    /// The length of the range for a rate, else 1.
    per_seconds: f64,
}

impl Extrapolated {
    /// Of at least two readings.
    pub(super) fn of(growth: Growth, window: &[Reading], range: Range, release: Release) -> Element {
        let (first, last) = (window[0], window[window.len() - 1]);
        let mut grown = last.1 - first.1;
        if growth != Growth::Difference {
            for pair in window.windows(2) {
                if pair[1].1 < pair[0].1 {
                    grown += pair[0].1;
                }
            }
        }
        if grown.is_nan() {
            return Element::Constant(f64::NAN);
        }
        let covered = (last.0 - first.0) as f64 / 1000.0;
        let spacing = covered / (window.len() - 1) as f64;
        let has_zero = growth != Growth::Difference && grown > 0.0 && first.1 >= 0.0;
        Element::Moving(Moving::Extrapolated(Extrapolated {
            first_ms: first.0,
            last_ms: last.0,
            covered,
            spacing,
            longest: spacing * 1.1,
            growth: grown,
            range,
            to_zero: if has_zero { covered * (first.1 / grown) } else { f64::INFINITY },
            zero_first: release == Release::Prometheus2,
            per_seconds: if growth == Growth::Rate { seconds(range.range_ms) } else { 1.0 },
        }))
    }

    pub(super) fn at(&self, time_ms: i64) -> f64 {
        let (to_start, to_end) = self.reaches(time_ms);
        self.scaled(self.before(to_start), self.bridged(to_end))
    }

    /// Bounds of the values at all moments from `first_ms` to `last_ms`.
    ///
    /// Where the same ways are bridged in the same manner all the time, the value goes straight from one end to the other:
    /// the distances to the ends of the range are linear in the moment. Elsewhere each distance is monotone in it, and so
    /// is all that follows, exactly in floating point.
    pub(super) fn enclosed(&self, first_ms: i64, last_ms: i64) -> Enclosure {
        let (at_first, at_last) = (self.reaches(first_ms), self.reaches(last_ms));
        if self.manner(at_first) == self.manner(at_last) {
            let ends = [at_first, at_last].map(|(start, end)| self.scaled(self.before(start), self.bridged(end)));
            // Some units in the last place of sums and quotients of what is not negative.
            let slack = 32.0 * f64::EPSILON * ends[0].abs().max(ends[1].abs());
            return Enclosure::hull(&[ends[0].min(ends[1]) - slack, ends[0].max(ends[1]) + slack]);
        }
        self.enclosed_apart(at_first, at_last)
    }

    /// Which of the ways to the ends of the range are too long to be bridged as a whole, and whether a counter's zero comes
    /// before the start.
    fn manner(&self, (to_start, to_end): (f64, f64)) -> [bool; 3] {
        let cut = if self.zero_first { to_start } else { self.bridged(to_start) };
        [self.before_start(to_start) >= self.longest, to_end >= self.longest, self.to_zero < cut]
    }

    /// The way to the start as it is compared with the spacing of readings.
    fn before_start(&self, to_start: f64) -> f64 {
        if self.zero_first { to_start.min(self.to_zero) } else { to_start }
    }

    fn enclosed_apart(&self, (start_most, end_least): (f64, f64), (start_least, end_most): (f64, f64)) -> Enclosure {
        let bounds = |least: f64, most: f64| {
            if most < self.longest {
                return [least, most];
            }
            let half = self.spacing / 2.0;
            if least >= self.longest { [half, half] } else { [least.min(half), self.longest.max(half)] }
        };
        let starts = if self.zero_first {
            bounds(self.before_start(start_least), self.before_start(start_most))
        } else {
            bounds(start_least, start_most).map(|reach| reach.min(self.to_zero))
        };
        let ends = bounds(end_least, end_most);
        let corners = [
            self.scaled(starts[0], ends[0]),
            self.scaled(starts[0], ends[1]),
            self.scaled(starts[1], ends[0]),
            self.scaled(starts[1], ends[1]),
        ];
        Enclosure::hull(&corners)
    }

    /// Seconds from the start of the range to the first reading, and from the last one to its end.
    fn reaches(&self, time_ms: i64) -> (f64, f64) {
        let end_ms = time_ms - self.range.offset_ms;
        let start_ms = end_ms - self.range.range_ms;
        ((self.first_ms - start_ms) as f64 / 1000.0, (end_ms - self.last_ms) as f64 / 1000.0)
    }

    /// How far the way to the start of the range is bridged: not beyond the zero of a counter.
    fn before(&self, reach: f64) -> f64 {
        if self.zero_first { self.bridged(reach.min(self.to_zero)) } else { self.bridged(reach).min(self.to_zero) }
    }

    /// How far a distance to an end of the range is bridged: half a spacing where it is more than a spacing.
    fn bridged(&self, reach: f64) -> f64 {
        if reach < self.longest { reach } else { self.spacing / 2.0 }
    }

    fn scaled(&self, to_start: f64, to_end: f64) -> f64 {
        let factor = (self.covered + to_start + to_end) / self.covered;
        self.growth * (factor / self.per_seconds)
    }
}

/// Milliseconds in seconds, as the standard library of Go rounds them: whole seconds and the rest apart.
fn seconds(ms: i64) -> f64 {
    (ms / 1000) as f64 + (ms % 1000 * 1_000_000) as f64 / 1e9
}
