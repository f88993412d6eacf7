//! When memory reaches its limit if growth continues.

use crate::stats::posterior::LinePosterior;
use crate::units::DAY;
use crate::verdict::{Judgement, Measured, Verdict};

/// When the limit is reached if growth continues, in seconds from the last sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeToLimit {
    /// The level from which it counts, in bytes.
    pub level: f64,
    /// The median.
    pub seconds: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval; `None` if growth may be too slow to ever reach the limit.
    pub upper: Option<f64>,
    /// Confidence of the interval, 0 to 1.
    pub confidence: f64,
}

/// Longer forecasts than this many times what was seen are not made.
const FARTHEST: f64 = 10_000.0;
/// Times of a day that are looked at for the one at which a daily cycle meets the limit.
const TIMES_OF_DAY: usize = 96;

/// When growth reaches `limit` bytes; `None` without growth, or if the level is at the limit already.
///
/// The limit is reached at `t` with the probability that level and slope, which are estimated together, lie above it
/// at `t`; the daily cycle is added where one was fitted. Short-lived noise is not: a single reading may touch the
/// limit earlier. Fieller (1954) for a line under independent noise; here averaged over the noise's coefficient.
pub fn time_to_limit(limit: f64, measured: &Measured, judgement: &Judgement) -> Option<TimeToLimit> {
    let grows = judgement.verdict.is_leak() || judgement.verdict == Verdict::LeakSuspected;
    let growth = judgement.growth.filter(|growth| grows && growth.bytes_per_second > 0.0)?;
    let outlook = Outlook::new(measured)?;
    let level = outlook.line.at(0.0).quantile(0.5);
    // Steps are no line: they go on at the rate at which they came.
    let in_steps = judgement.verdict == Verdict::SteppingGrowth || judgement.is_with_shifts();
    if in_steps && level < limit {
        let reached = |rate: f64| (rate > 0.0).then(|| (limit - level) / rate);
        let (seconds, lower, upper) =
            (reached(growth.bytes_per_second)?, reached(growth.upper)?, reached(growth.lower));
        return Some(TimeToLimit { level, seconds, lower, upper, confidence: growth.confidence });
    }
    let tail = (1.0 - growth.confidence) / 2.0;
    let farthest = FARTHEST * measured.span_seconds();
    let reached = |probability: f64| outlook.reaches(limit, probability, farthest);
    if outlook.probability_below(limit, 0.0) <= 0.5 {
        return None;
    }
    Some(TimeToLimit {
        level,
        seconds: reached(0.5)?,
        lower: reached(tail)?,
        upper: reached(1.0 - tail),
        confidence: growth.confidence,
    })
}

/// Where memory goes from the last sample on.
struct Outlook {
    line: LinePosterior,
    /// What a daily cycle adds at even times of the day that begins with the last sample; empty without one.
    cycle: Vec<f64>,
}

impl Outlook {
    /// From the means: it is what is in use that meets the limit, not what cannot be given back.
    fn new(measured: &Measured) -> Option<Outlook> {
        let stretch = measured.stretch()?;
        let means = stretch.means();
        let end = *stretch.seconds.last()?;
        let cycle = if means.rhythm.harmonics == 0 {
            Vec::new()
        } else {
            let at = |index: usize| {
                let time = end - DAY + DAY * index as f64 / TIMES_OF_DAY as f64;
                let at = stretch.seconds.partition_point(|seconds| *seconds < time).min(stretch.seconds.len() - 1);
                means.values[at] - means.without_rhythm[at]
            };
            (0..TIMES_OF_DAY).map(at).collect()
        };
        Some(Outlook { line: means.line.clone(), cycle })
    }

    /// The probability that memory is below `limit`, `t` seconds after the last sample.
    fn probability_below(&self, limit: f64, t: f64) -> f64 {
        let share = (t / DAY).fract();
        let cycle = self.cycle.get((share * self.cycle.len() as f64) as usize).copied().unwrap_or(0.0);
        self.line.at(t).probability_at_most(limit - cycle)
    }

    /// The first time at which memory has reached `limit` with this probability; `None` when that is beyond
    /// `farthest`.
    fn reaches(&self, limit: f64, probability: f64, farthest: f64) -> Option<f64> {
        let highest = self.cycle.iter().copied().fold(0.0, f64::max);
        let not_yet = |t: f64| self.line.at(t).probability_at_most(limit - highest) > 1.0 - probability;
        let (mut lower, mut upper) = (0.0, farthest);
        if not_yet(upper) {
            return None;
        }
        for _ in 0..60 {
            let middle = f64::midpoint(lower, upper);
            if not_yet(middle) {
                lower = middle;
            } else {
                upper = middle;
            }
        }
        // With a daily cycle it is reached at the next high tide.
        let step = DAY / TIMES_OF_DAY as f64;
        let tides = if self.cycle.is_empty() { 0 } else { TIMES_OF_DAY };
        let tide = (0..tides)
            .map(|index| upper + index as f64 * step)
            .find(|t| self.probability_below(limit, *t) <= 1.0 - probability);
        Some(tide.unwrap_or(upper))
    }
}
