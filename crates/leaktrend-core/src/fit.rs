//! What a series does, in numbers: its present growth, in one reading of its drops.
//!
//! What a process cannot give back shows where it holds least, so a series is looked at by the troughs of blocks of time,
//! and by their means beside. Slopes are bytes per second, times seconds from the first sample.

use std::ops::Range;

use crate::segment::{Reading, Segmentation};
use crate::stats::ar1::{Noise, PHI, Regression, Scaled};
use crate::stats::posterior::LinePosterior;
use crate::stats::robust::{mean, median, median_of};
use crate::stats::trend::{self, Beside, Form, Setup, Trend};
use crate::stats::troughs::{self, Blocks, Cutting};
use crate::stats::{Points, calendar, steps};
use crate::units::{DAY, MIB};

/// Everything after the raw samples is computed on about so many blocks of equal time: half an hour in a week.
const BLOCKS: f64 = 288.0;
/// A block holds at least so many samples where there are as many for `FEW_BLOCKS` blocks: fewer have no trough.
const MIN_BLOCK_SAMPLES: f64 = 4.0;
/// So many blocks are enough for a day.
const FEW_BLOCKS: f64 = 96.0;
/// From two days on blocks are whole hours: jobs and rhythms keep them.
const HOUR: f64 = 3600.0;
/// A block holds so many cycles of a collector, so that one whole one lies in it wherever it begins.
const CYCLES: f64 = 2.2;
/// Fewer collections are a block each, so that some are left.
const MANY_COLLECTIONS: usize = 48;
/// A page of memory: no kernel counts more finely.
const PAGE_BYTES: f64 = 4096.0;
/// Of more runs than this the last ones are looked at: they say all that a slope can use.
const MAX_RUNS: usize = 40;
/// The window in which one harmonic of the day is asked, in days: from the runbook's plan of 288 readings of 5 min on.
const A_DAY: Range<f64> = 23.0 / 24.0..calendar::MIN_DAYS;
/// With fewer samples, nothing is judged.
pub const MIN_SAMPLES: usize = 16;

/// The growth that matters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Growth above this rate is relevant.
    pub bytes_per_second: f64,
    /// Which rule set it.
    pub rule: ToleranceRule,
}

/// Which rule set a tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToleranceRule {
    /// A share of the median level over the window.
    Level,
    /// Growth that would reach the limit within the horizon.
    Limit,
    /// Growth that would double the level within the set time.
    Doubling,
    /// The smallest growth that matters at all.
    Floor,
    /// Growth by one printable step of the input over the window.
    Resolution,
}

/// How a tolerance is set; see `settings::VerdictSettings`.
#[derive(Debug, Clone, Copy)]
pub struct ToleranceTerms {
    /// Share of the median level over the window.
    pub level_share: f64,
    /// Growth over the window that never matters, in bytes.
    pub floor_bytes: f64,
    /// Growth that reaches the limit within this time matters.
    pub horizon_seconds: f64,
    /// Growth that doubles the level within this time matters, however short the window.
    pub doubling_seconds: f64,
    /// The limit in bytes, if one is known.
    pub limit_bytes: Option<f64>,
}

impl Default for ToleranceTerms {
    /// The terms of the runbook.
    fn default() -> ToleranceTerms {
        ToleranceTerms {
            level_share: 0.05,
            floor_bytes: 4.0 * MIB,
            horizon_seconds: 7.0 * DAY,
            doubling_seconds: 2.0 * DAY,
            limit_bytes: None,
        }
    }
}

/// A stretch of time up to now, and what is known of it.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// Index of its first sample; it ends with the last sample of the series.
    pub from: usize,
    /// Times of its blocks, in seconds from the first sample of the series.
    pub seconds: Vec<f64>,
    /// Time of its last sample, in seconds.
    pub end: f64,
    /// First blocks of runs after the first.
    pub starts: Vec<usize>,
    /// The trend of its troughs.
    pub of_troughs: Trend,
    /// The trend of its means; `None` if each block is one sample.
    pub of_means: Option<Trend>,
    /// The trend of its peaks; `None` if they do not rise.
    pub of_peaks: Option<Trend>,
    /// Whether growth is better known of the means.
    means_know_better: bool,
    /// The growth next to one daily harmonic, if the window is too short to determine its rhythm.
    pub beside_a_day: Option<LinePosterior>,
    /// Steps up, if they explain the series better than any other shape.
    pub staircase: Option<Staircase>,
    /// The growth that matters.
    pub tolerance: Tolerance,
    /// The median level, in bytes.
    pub level: f64,
}

impl Stretch {
    /// The trend of its means, or of its troughs if both are the same.
    pub fn means(&self) -> &Trend {
        self.of_means.as_ref().unwrap_or(&self.of_troughs)
    }

    /// Seconds from its first block to its last sample.
    pub fn span(&self) -> f64 {
        self.end - self.seconds[0]
    }

    /// The first block after a share of the stretch.
    pub fn block_at(&self, share: f64) -> usize {
        let (first, last) = (self.seconds[0], self.seconds[self.seconds.len() - 1]);
        self.seconds.partition_point(|at| *at < first + share * (last - first))
    }

    /// Whether a view knows growth of the last of several runs alone: what those before did is another matter.
    pub fn is_last_run_alone(&self, view: &Trend) -> bool {
        matches!(view.chosen.form, Form::Runs { apart_from: Some(start), .. } if start + 1 == self.starts.len())
    }

    /// The rate at which memory rose in a view from the block `from` on, without its rhythm: from the first to the last
    /// eighth of what follows, in bytes per second; `None` with fewer than 16 blocks.
    pub fn rise_since(&self, view: &Trend, from: usize) -> Option<f64> {
        const BLOCKS: usize = 16;
        let (seconds, level) = (&self.seconds[from..], &view.without_rhythm[from..]);
        let n = level.len();
        if n < BLOCKS {
            return None;
        }
        let eighth = n / 8;
        let rise = median(&level[n - eighth..])? - median(&level[..eighth])?;
        Some(rise / (median(&seconds[n - eighth..])? - median(&seconds[..eighth])?))
    }

    /// The view with the smaller error of growth, troughs or means, and the other one.
    pub fn views(&self) -> (&Trend, &Trend) {
        let (troughs, means) = (&self.of_troughs, self.means());
        if self.means_know_better { (means, troughs) } else { (troughs, means) }
    }
}

/// Three or more steps up, none down.
#[derive(Debug, Clone, PartialEq)]
pub struct Staircase {
    /// Time in seconds and size in bytes of each step.
    pub steps: Vec<(f64, f64)>,
    /// Growth over the stretch, in bytes.
    pub total: f64,
    /// The level before the first step, in bytes.
    pub first: f64,
}

/// The variance of reading where values are printed in steps of `resolution` bytes, in bytes squared: that of rounding.
pub fn reading_variance(resolution: f64) -> f64 {
    resolution.max(PAGE_BYTES).powi(2) / 12.0
}

/// A series, ready to be measured in every reading of its drops.
#[derive(Debug, Clone, Copy)]
pub struct Fit<'a> {
    segmentation: &'a Segmentation<'a>,
    terms: &'a ToleranceTerms,
    resolution: f64,
    step: f64,
    monday: Option<f64>,
    settle_seconds: f64,
    /// What is known of a workload beside its series.
    beside: Option<&'a Beside>,
    /// From the first to the last sample.
    pub span_seconds: f64,
    /// The variance of reading, in bytes squared.
    pub floor: f64,
}

impl<'a> Fit<'a> {
    /// Prepares to measure a series.
    ///
    /// `resolution`: the coarsest step in which the input could print its values, in bytes. `monday`: see
    /// `calendar::rhythms`. `settle_seconds`: memory settles for so long after a start.
    pub fn new(
        segmentation: &'a Segmentation<'a>,
        resolution: f64,
        monday: Option<f64>,
        terms: &'a ToleranceTerms,
        settle_seconds: f64,
    ) -> Fit<'a> {
        let seconds = &segmentation.seconds;
        let step = usual_step(seconds);
        let span_seconds = seconds.last().map_or(0.0, |last| last - seconds[0]);
        Fit {
            segmentation,
            terms,
            resolution,
            step,
            monday,
            settle_seconds,
            beside: None,
            span_seconds,
            floor: reading_variance(resolution),
        }
    }

    /// The same for a workload, whose runs share the calendar however short they are: rollouts follow no clock, so what
    /// pods do in a day may come from the load. `beside`: what is known of it at every sample, and of the
    /// runs that begin with the first sample and with each restart.
    #[must_use]
    pub fn of_workload(mut self, beside: &'a Beside) -> Fit<'a> {
        self.beside = Some(beside);
        self
    }

    /// Whether it is that of a workload.
    pub fn is_of_workload(&self) -> bool {
        self.beside.is_some()
    }

    /// The same for these blocks of the samples from one on.
    fn beside(&self, from: usize, blocks: &Blocks) -> Option<Beside> {
        let beside = self.beside?;
        let of_blocks = |error: &Vec<f64>| -> Option<Vec<f64>> {
            blocks.samples.iter().map(|samples| mean(error.get(samples.start + from..samples.end + from)?)).collect()
        };
        let errors = beside.errors.iter().filter_map(of_blocks).collect();
        // A run of which there is no block is a part of none.
        let run = |block: usize| {
            let first = from + blocks.samples[block].start;
            self.segmentation.falls.certain.partition_point(|start| *start <= first)
        };
        let runs = [0].into_iter().chain(blocks.starts.iter().copied()).map(run);
        let rates = runs.map(|run| beside.rates.get(run).copied().flatten()).collect();
        Some(Beside { errors, rates })
    }

    /// The growth that matters, for the samples from index `from` on. `apart`: whether these are known to be a regime of
    /// their own; if not, the threshold of the whole window applies to its part.
    pub fn tolerance(&self, from: usize, apart: bool) -> Tolerance {
        let Fit { segmentation: Segmentation { seconds, values, .. }, terms, .. } = self;
        let n = values.len();
        let window = self.span_seconds.max(1.0);
        let level = median(&values[from..]).expect("a stretch is never empty");
        let now = median(&values[n - ((n - from) / 8).max(1)..]).expect("a stretch is never empty");
        // A fix can be seen within days, and a run of hours is not held to a share of its level in hours.
        let within = if apart { window.min((seconds[n - 1] - seconds[from]).max(7.0 * DAY)) } else { window };
        let limit = terms.limit_bytes.filter(|limit| now < *limit);
        let at_most = [
            Some((terms.level_share * level / within, ToleranceRule::Level)),
            limit.map(|limit| ((limit - now) / terms.horizon_seconds, ToleranceRule::Limit)),
            Some((level / terms.doubling_seconds, ToleranceRule::Doubling)),
        ];
        let at_least =
            [(terms.floor_bytes / window, ToleranceRule::Floor), (self.resolution / window, ToleranceRule::Resolution)];
        let least = at_most.into_iter().flatten().min_by(|a, b| a.0.total_cmp(&b.0)).expect("one is always there");
        let (bytes_per_second, rule) =
            at_least.into_iter().fold(least, |most, bound| if most.0 < bound.0 { bound } else { most });
        Tolerance { bytes_per_second, rule }
    }

    /// Measures the samples from index `from` on, in a reading; `None` with too few blocks. `apart`: see `tolerance`.
    pub fn stretch(&self, reading: Reading, from: usize, apart: bool) -> Option<Stretch> {
        let (from, blocks) = self.blocks(reading, from)?;
        let seconds = &self.segmentation.seconds;
        let n = seconds.len();
        let points = Points::new(seconds, &self.segmentation.values)?.slice(from..n);
        let beside = self.beside(from, &blocks);
        let are_certain = reading != Reading::Restarts || self.segmentation.falls.open.iter().all(|at| *at <= from);
        let of = |values: &[f64], starts: &[usize], daily: bool| {
            let points = Points::new(&blocks.x, values)?;
            let (monday, beside, floor) = (self.monday, beside.as_ref(), self.floor);
            trend::of(&Setup { points, starts, are_certain, monday, daily, beside, floor })
        };
        let starts = &blocks.starts;
        let of_troughs = of(&blocks.troughs, starts, false)?;
        let of_means = if blocks.means == blocks.troughs { None } else { of(&blocks.means, starts, false) };
        let spread = |trend: &Trend| trend.sustained.slope().spread();
        let means_know_better = of_means.as_ref().is_some_and(|means| spread(means) < spread(&of_troughs));
        // Only growth that is claimed must survive the day.
        let may_grow = || of_troughs.sustained.slope().probability_at_most(0.0) < 0.5;
        let beside_a_day = if A_DAY.contains(&(points.span() / DAY)) && may_grow() {
            of(&blocks.troughs, starts, true).map(|trend| trend.sustained)
        } else {
            None
        };
        let tolerance = self.tolerance(from, apart);
        let rises = |peaks: &[f64]| {
            let quarter = peaks.len().div_ceil(4);
            let [first, last] = [&peaks[..quarter], &peaks[peaks.len() - quarter..]].map(median);
            // Growth by what matters shows in three quarters of the span.
            last.zip(first).is_some_and(|(last, first)| last - first > 0.5 * tolerance.bytes_per_second * points.span())
        };
        // Each run has a level of its own, but peaks that grow from run to run reach the limit all the same.
        let of_peaks = if of_means.is_some() && rises(&blocks.peaks) { of(&blocks.peaks, &[], false) } else { None };
        let troughs = Points::new(&blocks.x, &blocks.troughs)?;
        let staircase =
            if blocks.starts.is_empty() { staircase(troughs, &of_troughs, self.floor, &tolerance) } else { None };
        Some(Stretch {
            from,
            of_troughs,
            of_means,
            of_peaks,
            means_know_better,
            beside_a_day,
            staircase,
            tolerance,
            level: median(points.y())?,
            seconds: blocks.x,
            end: seconds[n - 1],
            starts: blocks.starts,
        })
    }

    /// The blocks of the samples from index `from` on, in a reading, and the index of their first sample, which is later
    /// than `from` if there are too many runs. Sample indices in the blocks count from there. `None` without samples.
    pub fn blocks(&self, reading: Reading, from: usize) -> Option<(usize, Blocks)> {
        let Fit { segmentation: Segmentation { seconds, values, falls }, step, .. } = *self;
        let n = values.len();
        let within = |at: &usize| from < *at && *at < n;
        let mut cuts: Vec<usize> = self.segmentation.cuts(reading).into_iter().filter(within).collect();
        if cuts.len() >= MAX_RUNS {
            return self.blocks(reading, cuts.swap_remove(cuts.len() - MAX_RUNS + 1));
        }
        cuts.iter_mut().for_each(|cut| *cut -= from);
        // All readings look at the same blocks, so that how well they explain them can be compared.
        let mut edges = cuts.clone();
        if reading == Reading::Noise {
            edges.extend(falls.open.iter().filter(|at| within(at)).map(|at| at - from));
            edges.sort_unstable();
        }
        let points = Points::new(seconds, values)?.slice(from..n);
        let collected = reading == Reading::Collections;
        let ends: Vec<usize> =
            falls.collections.iter().filter(|at| collected && within(at)).map(|at| at - from).collect();
        let pulses = falls.pulses.iter().filter(|pulse| from < pulse.end);
        let pulses = pulses.map(|pulse| pulse.start.saturating_sub(from)..pulse.end - from);
        let left_out = united(pulses.chain(self.start_ups(&edges, from)).collect());
        let width = self.width(points, &ends);
        let cutting = Cutting {
            seconds: points.x(),
            cuts: &edges,
            left_out: &left_out,
            ends: &ends,
            cycle: if ends.is_empty() { 0.0 } else { falls.cycle },
            width,
            step,
        };
        let mut blocks = troughs::blocks(&cutting, points.y());
        // A run whose first samples are left out begins with a later block.
        blocks.starts.retain(|start| {
            let begins = edges.partition_point(|edge| *edge <= blocks.samples[*start].start);
            begins.checked_sub(1).is_some_and(|edge| cuts.binary_search(&edges[edge]).is_ok())
        });
        Some((from, blocks))
    }

    /// The samples in which memory settles after each fall that may be a start, at most a tenth of each run, where blocks
    /// are so long that one of them would be a trough. In less than two days a start-up is a shape of many blocks.
    fn start_ups(&self, edges: &[usize], from: usize) -> Vec<Range<usize>> {
        let seconds = &self.segmentation.seconds[from..];
        if seconds[seconds.len() - 1] - seconds[0] < 2.0 * DAY {
            return Vec::new();
        }
        let first = (from > 0).then_some(0);
        let starts: Vec<usize> = first.into_iter().chain(edges.iter().copied()).collect();
        let ends = starts.iter().skip(1).copied().chain([seconds.len()]);
        let start_ups = starts.iter().zip(ends).map(|(&start, end)| {
            let settles = self.settle_seconds.min(0.1 * (seconds[end - 1] - seconds[start]));
            start..start + seconds[start..end].partition_point(|at| at - seconds[start] < settles)
        });
        start_ups.filter(|start_up| !start_up.is_empty()).collect()
    }

    /// The seconds of a block.
    fn width(&self, points: Points<'_>, collections: &[usize]) -> f64 {
        let cycle = self.segmentation.falls.cycle;
        if (1..MANY_COLLECTIONS).contains(&collections.len()) {
            return cycle / CYCLES;
        }
        let samples = (points.len() as f64 / FEW_BLOCKS).min(MIN_BLOCK_SAMPLES);
        let width = (points.span() / BLOCKS).max(self.step * samples);
        let width = if points.span() >= 2.0 * DAY { HOUR * (width / HOUR - 1e-9).ceil().max(1.0) } else { width };
        if collections.is_empty() { width } else { width.max(CYCLES * cycle) }
    }
}

/// Ranges in order, those that overlap as one.
fn united(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut united: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match united.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => united.push(range),
        }
    }
    united
}

/// The usual seconds from one sample to the next; where they change, those of the eighth of the samples with the longest:
/// what is read less often must fill its blocks, too.
fn usual_step(seconds: &[f64]) -> f64 {
    let usual = |seconds: &[f64]| median_of(|| seconds.windows(2).map(|pair| pair[1] - pair[0]));
    let eighths = seconds.chunks((seconds.len() / 8).max(MIN_SAMPLES)).filter(|eighth| eighth.len() >= MIN_SAMPLES);
    eighths.filter_map(usual).fold(usual(seconds).unwrap_or(1.0), f64::max)
}

/// Three or more steps up that explain more than the chosen shape, do not go back, are not one large one, and have
/// not stopped.
fn staircase(points: Points<'_>, trend: &Trend, floor: f64, tolerance: &Tolerance) -> Option<Staircase> {
    /// Fewer points cannot tell many steps from one.
    const MIN_POINTS: usize = 40;
    /// Steps closer than this share of the window are one.
    const MERGE: f64 = 1.0 / 16.0;
    /// How much better than the chosen shape the steps must be, in BIC.
    const BETTER: f64 = 6.0;
    /// The share of the rise that the later half must have.
    const GOES_ON: f64 = 0.3;

    let n = points.len();
    let matters = tolerance.bytes_per_second * points.span();
    let (level, most) = (&trend.without_rhythm, steps::most_risen(&trend.without_rhythm));
    if n < MIN_POINTS || most < matters {
        return None;
    }
    let scaled = Scaled::new(level);
    let (noise, floor) = (Noise::new(points.x(), &[]), floor / scaled.unit.powi(2));
    let found = steps::search(&noise, &scaled.values, floor);
    if found.at.len() < 3 {
        return None;
    }
    let best_else = if trend.rhythm.harmonics == 0 {
        trend.chosen.bic
    } else {
        // Of the rhythm, which is gone from these values, nothing can be compared: what is left is a line, or a climb beside
        // it.
        let x: Vec<f64> = points.x().iter().map(|x| (x - points.x()[0]) / points.span()).collect();
        let mut line = Regression::new(&noise, noise.column(scaled.values.clone()));
        line.push(noise.column(vec![1.0; n]));
        let mut parameters = 2;
        if let Form::Climb([from, to]) = trend.chosen.form {
            line.push(noise.column(x.iter().map(|x| trend::climb(*x, from, to)).collect()));
            parameters += 3;
        }
        line.push(noise.column(x));
        line.criterion(&[0.0; PHI.len()], floor).0 + f64::from(parameters) * (n as f64).ln()
    };
    if found.bic > best_else - BETTER {
        return None;
    }
    let mut merged: Vec<(usize, f64)> = Vec::new();
    for (&at, size) in found.at.iter().zip(&found.sizes) {
        let size = size * scaled.unit;
        match merged.last_mut() {
            Some((before, sum)) if ((at - *before) as f64) < n as f64 * MERGE => *sum += size,
            _ => merged.push((at, size)),
        }
    }
    let largest = merged.iter().map(|(_, size)| *size).fold(0.0, f64::max);
    let up: f64 = merged.iter().map(|(_, size)| size.max(0.0)).sum();
    let down: f64 = merged.iter().map(|(_, size)| (-size).max(0.0)).sum();
    let large = merged.iter().filter(|(_, size)| *size >= 0.25 * largest).count();
    let relevant = up - down >= matters;
    if merged.len() < 3 || large < 3 || down > 0.15 * up || !relevant || largest > 0.5 * up {
        return None;
    }
    // Growth that goes on has half of its rise in the later half. New highs of a level that is not growing become rarer as
    // 1/t: of what n points show, the later half has log 2 / log n, an eighth.
    let later: f64 = merged.iter().filter(|(at, _)| 2 * at >= n).map(|(_, size)| *size).sum();
    if later < GOES_ON * (up - down) {
        return None;
    }
    let first = median(&level[..merged[0].0.max(1)])?;
    let steps = merged.into_iter().map(|(at, size)| (points.x()[at], size)).collect();
    Some(Staircase { steps, total: up - down, first })
}
