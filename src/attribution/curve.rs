//! Memory that a cause explains, and what is left without it, as lines for a chart.

use crate::causes::How;
use crate::counts::Bins;
use crate::segment::Segmentation;
use crate::series::MemorySeries;
use crate::stats::robust;

/// So many points are enough for a picture.
const POINTS: usize = 160;

/// Counts or levels in bins of time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numbers {
    start_ms: i64,
    bin_ms: i64,
    values: Vec<f64>,
    /// What has come before each edge of the bins.
    sums: Vec<f64>,
}

impl Numbers {
    pub(super) fn new(bins: Bins, values: Vec<f64>) -> Numbers {
        let mut sums = vec![0.0];
        sums.extend(values.iter().scan(0.0, |sum, value| {
            *sum += value;
            Some(*sum)
        }));
        Numbers { start_ms: bins.start_ms, bin_ms: bins.bin_ms, values, sums }
    }

    /// How many had come by a time.
    pub(super) fn until(&self, time_ms: i64) -> f64 {
        let at = (time_ms - self.start_ms) as f64 / self.bin_ms as f64;
        let at = at.clamp(0.0, self.values.len() as f64);
        let whole = at as usize;
        self.sums[whole] + self.values.get(whole).map_or(0.0, |value| value * (at - whole as f64))
    }

    /// The level at a time.
    fn at(&self, time_ms: i64) -> f64 {
        let bin = (time_ms - self.start_ms - 1).max(0) / self.bin_ms;
        self.values[(bin as usize).min(self.values.len() - 1)]
    }
}

/// What a cause explains of memory over time.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedCurve {
    /// One piece for each process lifetime: milliseconds and bytes of memory as the cause explains it, in time order.
    pub explained: Vec<Vec<(i64, f64)>>,
    /// Memory without what the cause keeps, for the same times.
    pub left: Vec<Vec<(i64, f64)>>,
}

/// The curve of a cause that keeps `bytes` for each of `numbers`. `None` with too few samples.
pub(super) fn of(
    series: &MemorySeries,
    segmentation: &Segmentation<'_>,
    numbers: &Numbers,
    bytes: f64,
    how: How,
    delay_ms: i64,
) -> Option<ExplainedCurve> {
    let (time_ms, used) = (series.time_ms(), series.used_bytes());
    let cuts = segmentation.cuts(segmentation.falls.readings[0]);
    let edges: Vec<usize> = [0].into_iter().chain(cuts).chain([time_ms.len()]).collect();
    let mut curve = ExplainedCurve { explained: Vec::new(), left: Vec::new() };
    for run in edges.windows(2).map(|edge| edge[0]..edge[1]).filter(|run| run.len() > 1) {
        let begun = numbers.until(time_ms[run.start]);
        let kept = |index: usize| match how {
            How::Held => bytes * numbers.at(time_ms[index]),
            _ => bytes * (numbers.until((time_ms[index] - delay_ms).max(time_ms[run.start])) - begun),
        };
        let chunk = run.len().div_ceil(POINTS * run.len() / time_ms.len() + 2).max(1);
        let (mut explained, mut left) = (Vec::new(), Vec::new());
        let without: Vec<f64> = run.clone().map(|index| used[index] - kept(index)).collect();
        let level = robust::median_in_place(&mut without.clone())?;
        for first in run.clone().step_by(chunk) {
            let last = (first + chunk).min(run.end);
            let middle = first + (last - first) / 2;
            let rest = &without[first - run.start..last - run.start];
            explained.push((time_ms[middle], level + kept(middle)));
            left.push((time_ms[middle], rest.iter().sum::<f64>() / rest.len() as f64));
        }
        curve.explained.push(explained);
        curve.left.push(left);
    }
    (!curve.explained.is_empty()).then_some(curve)
}
