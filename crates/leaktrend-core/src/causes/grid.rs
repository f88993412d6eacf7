//! Counts and levels over time, and the times that count for each block.

use std::ops::Range;

use super::Covariates;
use super::columns::Sight;

/// Which times count for each block, in seconds from the first sample of the series.
pub(super) struct Times {
    of_block: Vec<Vec<f64>>,
    /// Begin and end of each block.
    pub(super) spans: Vec<Range<f64>>,
    pub(super) run_starts: Vec<f64>,
}

impl Times {
    pub(super) fn new(sight: &Sight<'_>) -> Times {
        let Sight { segmentation, from, blocks, .. } = sight;
        let seconds = &segmentation.seconds[*from..];
        let pulses = &segmentation.falls.pulses;
        let is_kept = |at: &usize| {
            let pulse = pulses.partition_point(|pulse| pulse.end <= at + from);
            pulses.get(pulse).is_none_or(|pulse| at + from < pulse.start)
        };
        let of_block =
            |samples: &Range<usize>| samples.clone().filter(is_kept).map(|at| seconds[at]).collect::<Vec<f64>>();
        let first_of_runs = [0].into_iter().chain(blocks.starts.iter().copied());
        Times {
            of_block: blocks.samples.iter().map(of_block).collect(),
            spans: blocks
                .samples
                .iter()
                .map(|samples| {
                    let step =
                        if samples.start > 0 { seconds[samples.start] - seconds[samples.start - 1] } else { 0.0 };
                    seconds[samples.start] - step..seconds[samples.end - 1]
                })
                .collect(),
            run_starts: first_of_runs.map(|block| seconds[blocks.samples[block].start]).collect(),
        }
    }

    /// Since when what comes may be kept in the life of a block: the first run is older than the series.
    pub(super) fn first_cause(&self, block: usize) -> f64 {
        let begun = self.spans[block].end;
        let run = self.run_starts.partition_point(|start| *start <= begun).max(1);
        if run == 1 { f64::NEG_INFINITY } else { self.run_starts[run - 1] }
    }

    /// The mean of a function of time over the times of a block.
    pub(super) fn mean(&self, block: usize, of: impl Fn(f64) -> f64) -> f64 {
        let times = &self.of_block[block];
        times.iter().map(|time| of(*time)).sum::<f64>() / times.len() as f64
    }
}

/// One covariate over time, in seconds from the first sample of the series.
pub(super) struct Grid {
    start: f64,
    width: f64,
    values: Vec<f64>,
    /// What has come before each edge of the bins.
    sums: Vec<f64>,
}

impl Grid {
    pub(super) fn new(covariates: &Covariates, values: &[f64], sight: &Sight<'_>) -> Grid {
        let mut sums = Vec::with_capacity(values.len() + 1);
        sums.push(0.0);
        sums.extend(values.iter().scan(0.0, |sum, value| {
            *sum += value;
            Some(*sum)
        }));
        Grid {
            start: (covariates.start_ms - sight.start_ms) as f64 / 1000.0,
            width: covariates.bin_ms as f64 / 1000.0,
            values: values.to_vec(),
            sums,
        }
    }

    /// All of these together; `None` for none.
    pub(super) fn sum<'a>(mut grids: impl Iterator<Item = &'a Grid>) -> Option<Grid> {
        let first = grids.next()?;
        let first =
            Grid { start: first.start, width: first.width, values: first.values.clone(), sums: first.sums.clone() };
        Some(grids.fold(first, |mut all, grid| {
            all.values.iter_mut().zip(&grid.values).for_each(|(sum, value)| *sum += value);
            all.sums.iter_mut().zip(&grid.sums).for_each(|(sum, value)| *sum += value);
            all
        }))
    }

    /// How many had come by `time`; before and after the bins at the mean rate.
    pub(super) fn until(&self, time: f64) -> f64 {
        let bins = self.values.len();
        let at = (time - self.start) / self.width;
        if at < 0.0 || bins as f64 <= at {
            let beyond = if at < 0.0 { at } else { at - bins as f64 };
            let known = if at < 0.0 { 0.0 } else { self.sums[bins] };
            return known + beyond * self.sums[bins] / bins as f64;
        }
        let bin = at as usize;
        self.sums[bin] + (at - bin as f64) * self.values[bin]
    }

    /// The mean rate in a span, per second; that at its end where it has no length.
    pub(super) fn rate(&self, span: &Range<f64>) -> f64 {
        let begin = if span.start < span.end { span.start } else { span.end - self.width };
        (self.until(span.end) - self.until(begin)) / (span.end - begin)
    }

    /// The level at `time`: that of its bin, of two the earlier one.
    pub(super) fn at(&self, time: f64) -> f64 {
        let bin = ((time - self.start) / self.width - 1e-6).floor();
        self.values[bin.clamp(0.0, (self.values.len() - 1) as f64) as usize]
    }
}
