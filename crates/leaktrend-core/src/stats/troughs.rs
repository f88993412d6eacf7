//! Troughs: where a process holds least shows what it cannot give back.

use std::ops::Range;

use super::robust::{mean, median_of, quantile_in_place};

/// A trough is this quantile of the samples of a block.
pub const QUANTILE: f64 = 0.1;
/// And a peak this one.
const PEAK: f64 = 1.0 - QUANTILE;
/// A block with less than this share of the samples that it could hold says too little.
const MIN_SHARE: f64 = 0.3;
/// A run is cut into at least so many blocks where it has the samples.
const MIN_BLOCKS: f64 = 6.0;

/// One number per block of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Blocks {
    /// Mean seconds of the samples of each block.
    pub x: Vec<f64>,
    /// Their 10 % quantile.
    pub troughs: Vec<f64>,
    /// Their mean.
    pub means: Vec<f64>,
    /// Their 90 % quantile.
    pub peaks: Vec<f64>,
    /// Index of the first block of each run after the first.
    pub starts: Vec<usize>,
    /// The samples of each block.
    pub samples: Vec<Range<usize>>,
}

/// How time is cut into blocks.
#[derive(Debug, Clone, Copy)]
pub struct Cutting<'a> {
    /// Seconds of the samples, strictly increasing.
    pub seconds: &'a [f64],
    /// Where runs after the first begin, increasing.
    pub cuts: &'a [usize],
    /// Samples that are left out, as increasing ranges.
    pub left_out: &'a [Range<usize>],
    /// Drops at which blocks end, increasing.
    pub ends: &'a [usize],
    /// The usual time from one such drop to the next, in seconds; 0 without any.
    pub cycle: f64,
    /// Seconds of a block, more than 0.
    pub width: f64,
    /// The usual step, in seconds.
    pub step: f64,
}

impl Cutting<'_> {
    /// Where the block that begins with a sample of a run ends, and how many samples it must keep to count.
    fn block(&self, run: &Range<usize>, start: usize) -> (usize, f64) {
        let since = |at: usize| self.seconds[at] - self.seconds[start];
        if !self.ends.is_empty() {
            // To the first fall that is a width away; rounding may take a hair off.
            let fall = self.ends.partition_point(|fall| since(*fall) < 0.999 * self.width);
            let end = self.ends.get(fall).copied().filter(|fall| *fall < run.end).unwrap_or(run.end);
            // What begins or ends without a fall may not hold its trough.
            let counts =
                if end < run.end { run.start < start } else { since(end - 1) > 0.5 * self.cycle.max(self.width) };
            return (end, if counts { 1.0 } else { f64::INFINITY });
        }
        let of_run = self.seconds[run.end - 1] - self.seconds[run.start];
        let width = self.width.min((of_run / MIN_BLOCKS).max(self.step));
        // Rounding must not move a sample of an even spacing to the block before.
        let number = |at: usize| (self.seconds[at] - self.seconds[run.start]) / width + 1e-6;
        let next = number(start).floor() + 1.0;
        let end = (start..run.end).find(|at| number(*at) >= next).unwrap_or(run.end);
        (end, (MIN_SHARE * width / self.step).max(1.0))
    }

    /// Mean seconds, trough, mean and peak of those of these samples that are not left out, which are `kept`; `None`
    /// without any.
    fn describe(&self, samples: Range<usize>, values: &[f64], kept: &mut Vec<f64>) -> Option<[f64; 4]> {
        let within = || samples.clone().filter(|at| self.keeps(*at));
        kept.clear();
        kept.extend(within().map(|at| values[at]));
        let level = mean(kept)?;
        let x = within().map(|at| self.seconds[at]).sum::<f64>() / kept.len() as f64;
        Some([x, quantile_in_place(kept, QUANTILE)?, level, quantile_in_place(kept, PEAK)?])
    }

    fn keeps(&self, at: usize) -> bool {
        let range = self.left_out.partition_point(|range| range.end <= at);
        self.left_out.get(range).is_none_or(|range| at < range.start)
    }
}

/// Trough, mean and peak of `values` in every block. Takes O(n) time.
pub fn blocks(cutting: &Cutting<'_>, values: &[f64]) -> Blocks {
    let mut blocks = Blocks::default();
    let edges: Vec<usize> = [0].into_iter().chain(cutting.cuts.iter().copied()).chain([values.len()]).collect();
    let mut kept: Vec<f64> = Vec::new();
    for edge in edges.windows(2) {
        let run = edge[0]..edge[1];
        let first = blocks.x.len();
        let mut start = run.start;
        while start < run.end {
            let (end, least) = cutting.block(&run, start);
            let described = cutting.describe(start..end, values, &mut kept);
            if let Some(mut block) = described.filter(|_| kept.len() as f64 >= least) {
                if end == values.len() && cutting.seconds[end - 1] - cutting.seconds[start] < cutting.cycle {
                    let rest = blocks.rest_of_cycle(cutting, values, start..end);
                    block.iter_mut().zip(rest).for_each(|(part, rest)| *part += rest);
                }
                let [x, trough, mean, peak] = block;
                blocks.x.push(x);
                blocks.troughs.push(trough);
                blocks.means.push(mean);
                blocks.peaks.push(peak);
                blocks.samples.push(start..end);
            }
            start = end;
        }
        if 0 < first && first < blocks.x.len() {
            blocks.starts.push(first);
        }
    }
    blocks
}

impl Blocks {
    /// What the rest of a cycle usually adds to each number of `Cutting::describe`, where only the samples `part` of it are
    /// there: the median over the cycles that are whole; 0 without any.
    fn rest_of_cycle(&self, cutting: &Cutting<'_>, values: &[f64], part: Range<usize>) -> [f64; 4] {
        let length = cutting.seconds[part.end - 1] - cutting.seconds[part.start];
        let mut kept = Vec::new();
        let rests = self.samples.iter().enumerate().filter_map(|(block, samples)| {
            let first = cutting.seconds[samples.start];
            // A cycle that is at most a step longer has no rest: it may have begun as much earlier.
            let is_longer = |at: &usize| cutting.seconds[*at] - first > length + cutting.step;
            let end = samples.clone().find(is_longer).unwrap_or(samples.end);
            let whole = [self.x[block], self.troughs[block], self.means[block], self.peaks[block]];
            let part = cutting.describe(samples.start..end, values, &mut kept)?;
            Some([0, 1, 2, 3].map(|number| whole[number] - part[number]))
        });
        let rests: Vec<[f64; 4]> = rests.collect();
        [0, 1, 2, 3].map(|number| median_of(|| rests.iter().map(|rest| rest[number])).unwrap_or(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cutting<'a>(seconds: &'a [f64], cuts: &'a [usize], ends: &'a [usize], width: f64) -> Cutting<'a> {
        Cutting { seconds, cuts, left_out: &[], ends, cycle: 0.0, width, step: 1.0 }
    }

    #[test]
    fn blocks_of_a_line_lie_on_a_line() {
        let x: Vec<f64> = (0..1000).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 3.0 * x + 7.0).collect();
        let blocks = blocks(&cutting(&x, &[], &[], 100.0), &y);
        assert_eq!(blocks.x.len(), 10);
        assert!(blocks.x.iter().zip(&blocks.means).all(|(x, y)| (y - (3.0 * x + 7.0)).abs() < 1e-9));
        let rises: Vec<f64> = blocks.troughs.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(rises.iter().all(|rise| (rise - 300.0).abs() < 1e-9), "{rises:?}");
    }

    #[test]
    fn no_block_lies_in_two_runs_and_each_run_has_some() {
        let x: Vec<f64> = (0..100).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| if *x < 47.0 { 1.0 } else { 5.0 }).collect();
        let blocks = blocks(&cutting(&x, &[47], &[], 50.0), &y);
        assert_eq!(blocks.troughs.len(), 12);
        assert_eq!(blocks.starts, [6]);
        assert!(blocks.means.iter().all(|level| [1.0, 5.0].contains(level)), "{:?}", blocks.means);
    }

    /// Garbage gathers by 1 a sample and is collected every 20, the last time 12 samples ago.
    #[test]
    fn a_cycle_that_has_not_ended_is_like_the_others() {
        let x: Vec<f64> = (0..112).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 100.0 + x % 20.0).collect();
        let falls = [20, 40, 60, 80, 100];
        let blocks = blocks(&Cutting { cycle: 20.0, ..cutting(&x, &[], &falls, 9.0) }, &y);
        assert_eq!(blocks.samples.last(), Some(&(100..112)));
        let spread = |of: &[f64]| of.iter().fold(0.0f64, |most, value| most.max((value - of[0]).abs()));
        let spreads = [&blocks.troughs, &blocks.means, &blocks.peaks].map(|of| spread(of));
        // Memory rises by 1 from one sample to the next.
        assert!(spreads.iter().all(|spread| *spread <= 1.0), "{spreads:?}");
    }

    /// Garbage gathers by 1 a sample and is collected every 10, 30 or 20: what it leaves does not depend on when.
    #[test]
    fn blocks_of_collections_end_with_them() {
        let lengths = [10, 30, 20, 10, 30, 20, 10, 30, 20];
        let mut y = Vec::new();
        let mut falls = Vec::new();
        for length in lengths {
            falls.push(y.len());
            y.extend((0..length).map(|age| 100.0 + f64::from(age)));
        }
        let x: Vec<f64> = (0..y.len()).map(|at| at as f64).collect();
        let blocks = blocks(&cutting(&x, &[], &falls[1..], 9.0), &y);
        // The first cycle may have begun before.
        assert_eq!(blocks.troughs.len(), lengths.len() - 1);
        let (low, high) = (100.0 + 0.1 * 9.0, 100.0 + 0.1 * 29.0);
        assert!(blocks.troughs.iter().all(|trough| (low..=high).contains(trough)), "{:?}", blocks.troughs);
    }

    #[test]
    fn what_is_left_out_or_missing_makes_no_block() {
        let x: Vec<f64> = (0..40).chain(80..120).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| if (100.0..110.0).contains(x) { 900.0 } else { 50.0 }).collect();
        let blocks = blocks(&Cutting { left_out: std::slice::from_ref(&(60..70)), ..cutting(&x, &[], &[], 10.0) }, &y);
        assert_eq!(blocks.means, [50.0; 7]);
    }
}
