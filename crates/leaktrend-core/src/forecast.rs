//! When memory reaches its limit if growth continues.

use crate::stats::posterior::LinePosterior;
use crate::stats::robust::median_of;
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
/// Times of a day that are looked at for the one at which a rhythm meets the limit.
const TIMES_OF_DAY: usize = 288;
/// Seconds from one to the next.
const STEP: f64 = DAY / TIMES_OF_DAY as f64;

/// When growth reaches `limit` bytes; `None` without growth, or if the level is at the limit already.
///
/// Where collections cut memory, its peaks before them do: they meet the limit long before what is left after them. Elsewhere
/// that is the first time at which memory without its short-lived noise, growth and rhythm together, is at the limit; a
/// single reading may touch it earlier. It is reached at `t` with the probability that level and slope, which are estimated
/// together, lie above what the rhythm of the day or the week leaves of it at `t`: at a high tide, of which the interval
/// tells the day and the hour no more finely than the blocks that were measured. Fieller (1954) for a line under independent
/// noise; here averaged over the noise's coefficient.
pub fn time_to_limit(limit: f64, measured: &Measured, judgement: &Judgement) -> Option<TimeToLimit> {
    let grows = judgement.verdict.is_leak() || judgement.verdict == Verdict::LeakSuspected;
    let growth = judgement.growth.filter(|growth| grows && growth.bytes_per_second > 0.0)?;
    let is_collected = judgement.is_of_troughs();
    let outlook = Outlook::new(measured, is_collected)?;
    let level = outlook.line.at(outlook.since).quantile(0.5);
    let above = if is_collected { above_peaks(measured, level) } else { 1.0 };
    let limit = limit / above;
    // Steps are no line: they go on at the rate at which they came.
    let in_steps = judgement.verdict == Verdict::SteppingGrowth || judgement.is_with_shifts();
    if in_steps && level < limit {
        let reached = |rate: f64| (rate > 0.0).then(|| (limit - level) / rate);
        let (seconds, lower, upper) =
            (reached(growth.bytes_per_second)?, reached(growth.upper)?, reached(growth.lower));
        return Some(TimeToLimit { level: above * level, seconds, lower, upper, confidence: growth.confidence });
    }
    let tail = (1.0 - growth.confidence) / 2.0;
    let farthest = FARTHEST * measured.span_seconds();
    let reached = |probability: f64| outlook.reaches(limit, probability, farthest);
    if outlook.probability_below(limit - outlook.cycle.first().unwrap_or(&0.0), 0.0) <= 0.5 {
        return None;
    }
    // A tide came some time within a block.
    let blurred = if outlook.cycle.is_empty() { 0.0 } else { 0.5 * outlook.block };
    Some(TimeToLimit {
        level: above * level,
        seconds: reached(0.5)?,
        lower: (reached(tail)? - blurred).max(0.0),
        upper: reached(1.0 - tail).map(|upper| upper + blurred),
        confidence: growth.confidence,
    })
}

/// How much higher memory is right before a collection than its 90 % quantile `peaks`, in bytes, as a factor: where it rises
/// evenly from what a collection leaves, the quantile lies nine tenths of the way up.
fn above_peaks(measured: &Measured, peaks: f64) -> f64 {
    let Some(stretch) = measured.stretch().filter(|stretch| stretch.of_peaks.is_some()) else { return 1.0 };
    let troughs =
        stretch.seconds.last().map_or(peaks, |last| stretch.of_troughs.line.at(stretch.end - last).quantile(0.5));
    1.0 + ((peaks - troughs) / (9.0 * peaks)).max(0.0)
}

/// Where memory goes from the last sample on.
struct Outlook {
    line: LinePosterior,
    /// Seconds from the last block, at which the line has its level, to the last sample.
    since: f64,
    /// Seconds of a block.
    block: f64,
    /// What the rhythm adds at even times from the last sample on, for a day or a week; empty without one.
    cycle: Vec<f64>,
}

impl Outlook {
    /// From the means, or from the peaks of what is collected: it is what is in use that meets the limit, not what cannot be
    /// given back.
    fn new(measured: &Measured, is_collected: bool) -> Option<Outlook> {
        let stretch = measured.stretch()?;
        let peaks = stretch.of_peaks.as_ref().filter(|_| is_collected);
        let (means, seconds) = (peaks.unwrap_or(stretch.means()), &stretch.seconds);
        let block = median_of(|| seconds.windows(2).map(|pair| pair[1] - pair[0]))?;
        let days = match means.rhythm.harmonics {
            0 => 0,
            _ if means.rhythm.weekends && 7.0 * DAY <= stretch.span() => 7,
            _ => 1,
        };
        let n = days * TIMES_OF_DAY;
        let at = |index: usize| {
            let time = stretch.end - (n - index) as f64 * STEP;
            let after = seconds.partition_point(|block| *block < time).clamp(1, seconds.len() - 1);
            let of = |block: usize| means.values[block] - means.without_rhythm[block];
            let share = (time - seconds[after - 1]) / (seconds[after] - seconds[after - 1]);
            of(after - 1) + share.clamp(0.0, 1.0) * (of(after) - of(after - 1))
        };
        let seen: Vec<f64> = (0..n).map(at).collect();
        let apart = (block / STEP).round() as usize;
        // The mean of a block lies below a crest in its middle by a 24th of the second difference: the midpoint rule.
        let crest = |index: usize| {
            let beside = seen[(index + apart) % n] + seen[(index + n - apart % n) % n];
            seen[index] + (2.0 * seen[index] - beside) / 24.0
        };
        let cycle = (0..n).map(crest).collect();
        Some(Outlook { line: means.line.clone(), since: stretch.end - seconds.last()?, block, cycle })
    }

    /// The probability that memory without its rhythm is below `level`, `t` seconds after the last sample.
    fn probability_below(&self, level: f64, t: f64) -> f64 {
        self.line.at(self.since + t).probability_at_most(level)
    }

    /// The first time at which memory has reached `limit` with this probability; `None` when that is beyond
    /// `farthest`.
    fn reaches(&self, limit: f64, probability: f64, farthest: f64) -> Option<f64> {
        let highest = self.cycle.iter().copied().reduce(f64::max).unwrap_or(0.0);
        let not_yet = |t: f64, cycle: f64| self.probability_below(limit - cycle, t) > 1.0 - probability;
        let (mut lower, mut upper) = (0.0, farthest);
        if not_yet(upper, highest) {
            return None;
        }
        for _ in 0..60 {
            let middle = f64::midpoint(lower, upper);
            if not_yet(middle, highest) {
                lower = middle;
            } else {
                upper = middle;
            }
        }
        // With a rhythm it is reached at the next high tide.
        let next = (upper / STEP) as usize;
        let tide = (next..next + self.cycle.len())
            .find(|index| !not_yet(*index as f64 * STEP, self.cycle[index % self.cycle.len()]));
        Some(tide.map_or(upper, |index| index as f64 * STEP))
    }
}
