//! What a selector finds: the readings of a series and how long each is found.

use crate::series::{MemorySeries, Sampling};

/// How selectors look back, and what else differs between the major versions of Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lookback {
    /// Largest age of the newest reading, in milliseconds.
    pub ms: i64,
    /// Whether a reading of exactly that age, or at the old end of a range, is already out (Prometheus 3) or still in
    /// (Prometheus 2).
    pub left_open: bool,
    /// Whose arithmetic is used.
    pub release: Release,
}

/// A major version of Prometheus: their results can differ in the last bit, and more for counters that begin near 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Running means and plain sums over series; a counter's zero shortens the way to the start of a range before the
    /// way is compared with the spacing of readings. Read and run at 2.42.
    Prometheus2,
    /// Compensated sums, and means that are divided at the end; the way to the start of a range is first limited to half
    /// a spacing, then by a counter's zero. Read at 3.14.
    Prometheus3,
}

impl Lookback {
    /// As Prometheus 3: a reading of exactly that age is too old.
    pub const fn prometheus_3(ms: i64) -> Lookback {
        Lookback { ms, left_open: true, release: Release::Prometheus3 }
    }

    /// As Prometheus 2 (read at 2.42): a reading of exactly that age still counts.
    pub const fn prometheus_2(ms: i64) -> Lookback {
        Lookback { ms, left_open: false, release: Release::Prometheus2 }
    }

    /// For how many milliseconds a reading is found that may be `ms` old, its own included.
    pub(super) const fn reach_ms(self, ms: i64) -> i64 {
        if self.left_open { ms } else { ms + 1 }
    }
}

/// A reading: its time in milliseconds and its value, or `None` for a stale marker.
pub type Point = (i64, Option<f64>);

/// Readings in order of time; those of a series are not copied.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Points<'a> {
    Own(Vec<Point>),
    Series { time_ms: &'a [i64], used_bytes: &'a [f64] },
}

impl Points<'_> {
    pub(super) fn get(&self, index: usize) -> Option<Point> {
        match self {
            Points::Own(points) => points.get(index).copied(),
            Points::Series { time_ms, used_bytes } => Some((*time_ms.get(index)?, used_bytes.get(index).copied())),
        }
    }

    fn len(&self) -> usize {
        match self {
            Points::Own(points) => points.len(),
            Points::Series { time_ms, .. } => time_ms.len(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Point> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

/// The readings of one series, and for how long each is found.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleReadings<'a> {
    /// Times strictly increase. At least one.
    pub(super) points: Points<'a>,
    pub(super) lookback: Lookback,
    /// For how many milliseconds an instant selector finds a reading.
    pub(super) reach_ms: i64,
    /// The grid of the points of a range query, in milliseconds; `None` for readings.
    pub(super) step_ms: Option<i64>,
}

impl<'a> RuleReadings<'a> {
    /// Readings by time in milliseconds, strictly increasing; `None` for a stale marker, which ends the one before.
    ///
    /// A value may be NaN, as Prometheus stores them: it is found, and compares with nothing. None is infinite.
    /// `None` when there is no reading.
    pub fn new(points: Vec<Point>, lookback: Lookback) -> Option<RuleReadings<'static>> {
        debug_assert!(points.is_sorted_by(|a, b| a.0 < b.0));
        let reach_ms = lookback.reach_ms(lookback.ms);
        (!points.is_empty()).then_some(RuleReadings { points: Points::Own(points), lookback, reach_ms, step_ms: None })
    }

    /// The readings of a series.
    ///
    /// A point of a range query is an answer that was up to a lookback old: it is found at its own time only, so
    /// that no reading is looked back for twice. The replay then is approximate.
    pub fn of(series: &'a MemorySeries, lookback: Lookback) -> RuleReadings<'a> {
        let time_ms = series.time_ms();
        let points = Points::Series { time_ms, used_bytes: series.used_bytes() };
        match series.info.sampling {
            Sampling::Raw => RuleReadings { points, lookback, reach_ms: lookback.reach_ms(lookback.ms), step_ms: None },
            Sampling::Step { .. } => {
                let step_ms = time_ms.windows(2).map(|pair| pair[1] - pair[0]).reduce(greatest_common_divisor);
                RuleReadings { points, lookback, reach_ms: 1, step_ms: Some(step_ms.unwrap_or(1)) }
            }
        }
    }

    fn at(&self, index: usize) -> i64 {
        self.points.get(index).expect("there is at least one reading").0
    }

    pub(super) fn first_ms(&self) -> i64 {
        self.at(0)
    }

    pub(super) fn last_ms(&self) -> i64 {
        self.at(self.points.len() - 1)
    }
}

/// The grid that all points lie on, in milliseconds: 1 where some are readings.
pub(super) fn grain_ms<'a>(inputs: impl Iterator<Item = &'a RuleReadings<'a>> + Clone) -> i64 {
    let Some(origin_ms) = inputs.clone().map(RuleReadings::first_ms).next() else { return 1 };
    inputs
        .map(|readings| {
            let apart_ms = (readings.first_ms() - origin_ms).abs();
            readings.step_ms.map_or(1, |step_ms| greatest_common_divisor(step_ms, apart_ms))
        })
        .reduce(greatest_common_divisor)
        .unwrap_or(1)
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
