//! The level at which memory has settled: the number by which two runs can be compared.
//!
//! Takes the judged part of a series; bytes and seconds.

use crate::segment::Segmentation;
use crate::stats::Points;
use crate::stats::ar1::{Noise, Regression, Scaled};
use crate::stats::robust::median_of;
use crate::stats::troughs::{self, Cutting};
use crate::verdict::{Judgement, Verdict};

/// The last share of what was judged is taken as settled, as `flat-after-load` does.
const SETTLED_SHARE: f64 = 0.25;
/// At least so many samples, where there are: fewer say little of how memory varies.
const MIN_SAMPLES: usize = 16;
/// Fewer samples than this say nothing of it.
const FEWEST: usize = 4;
/// Computed on about so many block means of equal time.
const BLOCKS: f64 = 288.0;

/// A level with its interval, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SettledLevel {
    /// The estimate.
    pub bytes: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Confidence of the interval, 0 to 1.
    pub confidence: f64,
    /// The number of samples on which it is based.
    pub n_samples: usize,
}

/// The level of the last quarter of the judged time, within the last run; `floor`: the variance of reading.
///
/// The mean under autocorrelated noise whose coefficient is itself uncertain, as the slope is estimated: a mixture
/// of Student's t. The interval covers the noise within this run, not how much one run differs from the next.
/// `None` while memory grows, because no level has settled, and with fewer than four samples since the last restart.
pub fn level(segmentation: &Segmentation, judgement: &Judgement, floor: f64, confidence: f64) -> Option<SettledLevel> {
    if judgement.verdict.is_leak() || judgement.verdict == Verdict::LeakSuspected {
        return None;
    }
    let run = segmentation.runs().pop()?;
    let (seconds, values) = (&segmentation.seconds, &segmentation.values);
    let end = *seconds.last()?;
    let from = end - SETTLED_SHARE * (end - seconds[0]);
    let quarter = seconds.partition_point(|time| *time < from);
    let start = quarter.min(run.end.saturating_sub(MIN_SAMPLES)).max(run.start);
    let n_samples = run.end - start;
    if n_samples < FEWEST {
        return None;
    }

    let points = Points::new(seconds, values)?.slice(start..run.end);
    let step = median_of(|| points.x().windows(2).map(|pair| pair[1] - pair[0]))?;
    let width = (points.span() / BLOCKS).max(step);
    let cutting = Cutting { seconds: points.x(), cuts: &[], left_out: &[], ends: &[], cycle: 0.0, width, step };
    let blocks = troughs::blocks(&cutting, points.y());
    let scaled = Scaled::new(&blocks.means);
    let noise = Noise::new(&blocks.x, &[]);
    let mut regression = Regression::new(&noise, noise.column(scaled.values.clone()));
    regression.push(noise.column(vec![1.0; blocks.x.len()]));
    let [line] = regression.lines(&[1.0], [&[0.0]], floor / scaled.unit.powi(2))?;
    let posterior = line.at(0.0);
    let tail = (1.0 - confidence) / 2.0;
    let bytes = |value: f64| scaled.mean + scaled.unit * value;
    Some(SettledLevel {
        bytes: bytes(posterior.mean()),
        lower: bytes(posterior.quantile(tail)),
        upper: bytes(posterior.quantile(1.0 - tail)),
        confidence,
        n_samples,
    })
}
