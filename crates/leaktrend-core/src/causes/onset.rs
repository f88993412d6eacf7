//! When growth began, with its interval, and which of some changes (deploys, flags, restarts) it began with.
//!
//! Memory is the level of each process lifetime, a rhythm of the day, and growth at one rate from some moment on, in that
//! lifetime and in those after it; before there was none, or another rate. Every moment is weighted by its likelihood
//! under AR(1) noise, averaged over the coefficient (a change point on a line; Bai 1997, "Estimation of a change point in
//! multiple regression models", says how far such a moment can be known). Times are seconds from the first sample.

use std::ops::Range;
use std::rc::Rc;

use crate::Terms as JudgeTerms;
use crate::fit::Fit;
use crate::segment::Segmentation;
use crate::series::MemorySeries;
use crate::stats::ar1::{Column, Noise, PHI, Regression, Scaled};
use crate::stats::calendar;
use crate::stats::troughs::Blocks;

use super::MIN_BLOCKS;

/// Growth that began within the readings must say so by this much more than growth all along, in units of BIC.
const MARGIN: f64 = 6.0;
/// Moments are looked at this many times in a block, where they may be.
const FINE: usize = 8;
/// And they may be where the likelihood (doubled, as logarithm) is so far from the best.
const FAR: f64 = 20.0;
/// Growth cannot be seen to begin with the first or the last blocks.
const EDGE: usize = 3;
/// One harmonic of the day is asked for in windows of so many days.
const LEAST_DAY: f64 = 0.9;
/// Troughs are looked at where growth is known this much better of them.
const MUCH_BETTER: f64 = 0.7;
/// What is known of the moment counts this much less than the likelihood says: noise is not quite AR(1), growth not quite
/// a straight line. Measured: intervals hold the true moment as often as they say.
const TEMPER: f64 = 1.5;
/// Before looking, growth begins with one of the changes as likely as not.
const EVEN: f64 = 0.5;
/// A change is named if growth began with it, rather than with another or with none, with this probability.
/// Measured on 6,000 simulated services (seeds 991 to 994 of `examples/causes`, which its report does not use): if growth
/// began with none of its changes, a service has one of them named in 1.7 % of 1,690 cases; with 0.85 in 3.4 %.
pub const NAMED: f64 = 0.9;

/// When growth began.
#[derive(Debug, Clone, PartialEq)]
pub struct Onset {
    /// The median, in seconds from the first sample.
    pub at: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Confidence of the interval, 0 to 1.
    pub confidence: f64,
    /// For each change whether it lies in the interval, and the probability that growth began with it.
    pub changes: Vec<Began>,
}

/// How a change relates to the onset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Began {
    /// Whether it lies in the interval.
    pub is_inside: bool,
    /// The probability that growth began with it. The prior gives the changes together the same probability as all other
    /// times together.
    pub probability: f64,
    /// Whether that names it: alone in the interval, and more probable than `NAMED`.
    pub is_named: bool,
}

/// When the growth of a series began; `changes`: when something was changed, in seconds from its first sample.
///
/// `None` if it grew all along, has too few blocks (`MIN_BLOCKS`), or does not grow. Whether growth matters is for the
/// judge to decide. Takes some tens of milliseconds, whatever the number of samples.
pub fn onset(
    segmentation: &Segmentation<'_>,
    series: &MemorySeries,
    judge: &JudgeTerms,
    confidence: f64,
    changes: &[f64],
) -> Option<Onset> {
    let resolution = series.resolution_bytes().median().expect("a series is never empty");
    let monday = crate::monday(series, judge.hours_ahead);
    let fit = Fit::new(segmentation, resolution, monday, &judge.tolerance, judge.judge.settle_seconds);
    let (from, blocks) = fit.blocks(segmentation.falls.readings[0], 0)?;
    if blocks.x.len() < MIN_BLOCKS {
        return None;
    }
    let seconds = &segmentation.seconds[from..];
    let troughs = View::new(&blocks, seconds, &blocks.troughs, fit.floor);
    let means = View::new(&blocks, seconds, &blocks.means, fit.floor);
    let (of_troughs, of_means) = (troughs.error_of_growth(), means.error_of_growth());
    if MUCH_BETTER * of_means <= of_troughs {
        means.onset(confidence, changes)
    } else {
        troughs.onset(confidence, changes)
    }
}

/// Troughs or means of blocks, and what they are beside growth.
struct View {
    noise: Noise,
    response: Rc<Column>,
    base: Vec<Rc<Column>>,
    /// Begin and end of each block.
    spans: Vec<Range<f64>>,
    /// When the run of each block began; the first is older than the series.
    run_starts: Vec<f64>,
    /// The usual time between two samples.
    step: f64,
    /// The variance of reading, scaled.
    floor: f64,
    unit: f64,
}

/// A moment, in seconds, and -2 log likelihood of growth from there on under each φ and with each rate before.
struct Moment {
    at: f64,
    /// -2 log of the likelihood, summed over φ and rates before.
    criterion: f64,
}

impl View {
    fn new(blocks: &Blocks, seconds: &[f64], values: &[f64], floor: f64) -> View {
        let n = blocks.x.len();
        let noise = Noise::new(&blocks.x, &blocks.starts);
        let scaled = Scaled::new(values);
        // The mean of some readings is that of the time around them.
        let steps = seconds.windows(2).map(|pair| pair[1] - pair[0]);
        let step = crate::stats::robust::median_of(|| steps.clone()).unwrap_or(0.0);
        let span = |samples: &Range<usize>| seconds[samples.start] - 0.5 * step..seconds[samples.end - 1] + 0.5 * step;
        let edges: Vec<usize> = [0].into_iter().chain(blocks.starts.iter().copied()).chain([n]).collect();
        let runs: Vec<Range<usize>> = edges.windows(2).map(|edge| edge[0]..edge[1]).collect();
        let run_starts = runs
            .iter()
            .flat_map(|run| {
                let first = seconds[blocks.samples[run.start].start];
                let start = if run.start == 0 { f64::NEG_INFINITY } else { first };
                std::iter::repeat_n(start, run.len())
            })
            .collect();
        let within = |range: &Range<usize>| {
            noise.column((0..n).map(|index| f64::from(u8::from(range.contains(&index)))).collect())
        };
        // As in `columns`: the first run has its own level, later ones share one unless their own say more.
        let shared = [0..runs[0].end, runs[0].end..n];
        let base = shared.iter().filter(|range| !range.is_empty()).map(within).collect();
        let levels: Vec<Rc<Column>> = runs.iter().skip(2).map(within).collect();
        let mut view = View {
            response: noise.column(scaled.values.clone()),
            base,
            spans: blocks.samples.iter().map(span).collect(),
            run_starts,
            step,
            floor: floor / scaled.unit.powi(2),
            unit: scaled.unit,
            noise,
        };
        view.add_where_better(&levels);
        if blocks.x[n - 1] - blocks.x[0] >= LEAST_DAY * calendar::DAY {
            let daily = calendar::daily(&blocks.x).columns.into_iter().map(|values| view.noise.column(values));
            let daily: Vec<_> = daily.collect();
            view.add_where_better(&daily);
        }
        view
    }

    /// Adds columns to what memory is beside growth where they say more than they cost, beside growth that began at the
    /// best moment.
    fn add_where_better(&mut self, columns: &[Rc<Column>]) {
        if columns.is_empty() || columns.len() > self.spans.len() / 8 {
            return;
        }
        let without = self.least();
        let before = self.base.len();
        self.base.extend(columns.iter().cloned());
        let price = (self.base.len() - before) as f64 * (self.spans.len() as f64).ln();
        if without < self.least() + price {
            self.base.truncate(before);
        }
    }

    fn least(&self) -> f64 {
        let regression = self.regression(false);
        self.starts().map(|at| self.criterion(&regression, at)).fold(f64::INFINITY, f64::min)
    }

    fn regression(&self, grows_before: bool) -> Regression<'_> {
        let mut regression = Regression::new(&self.noise, Rc::clone(&self.response));
        for column in &self.base {
            regression.push(Rc::clone(column));
        }
        if grows_before {
            regression.push(self.grown_since(f64::NEG_INFINITY));
        }
        regression
    }

    /// Blocks' begins, where growth can be seen to begin.
    fn starts(&self) -> impl Iterator<Item = f64> + '_ {
        let last = self.spans.len() - EDGE;
        self.spans[EDGE..last].iter().map(|span| span.start)
    }

    /// How long memory has grown in each block, if it began at a moment, as a share of all the time.
    fn grown_since(&self, at: f64) -> Rc<Column> {
        let first = self.spans[0].start;
        let all = self.spans[self.spans.len() - 1].end - first;
        let grown = self.spans.iter().zip(&self.run_starts).map(|(span, start)| {
            let since = at.max(*start).max(first);
            let mean = if span.end <= since {
                0.0
            } else if since <= span.start {
                0.5 * (span.start + span.end) - since
            } else {
                (span.end - since).powi(2) / (2.0 * (span.end - span.start))
            };
            mean / all
        });
        self.noise.column(grown.collect())
    }

    /// -2 log likelihood with growth since a moment, under the best φ; infinite where growth is negative.
    fn criterion(&self, regression: &Regression<'_>, at: f64) -> f64 {
        let column = self.grown_since(at);
        let mut with = regression.clone();
        if !with.push(column) {
            return f64::INFINITY;
        }
        let (criterion, lane) = with.criterion(&[0.0; PHI.len()], self.floor);
        let rises = with.coefficients(lane).last().is_some_and(|rate| 0.0 < *rate);
        if rises { criterion } else { f64::INFINITY }
    }

    /// The same summed over φ.
    fn summed(&self, regression: &Regression<'_>, at: f64) -> f64 {
        let mut with = regression.clone();
        if !with.push(self.grown_since(at)) {
            return f64::INFINITY;
        }
        let each: Vec<f64> = (0..PHI.len())
            .filter(|lane| with.coefficients(*lane).last().is_some_and(|rate| 0.0 < *rate))
            .map(|lane| with.criterion_under(lane, 0.0, self.floor))
            .collect();
        sum_of(&each)
    }

    /// The standard deviation of growth, in bytes over all the time.
    fn error_of_growth(&self) -> f64 {
        let regression = self.regression(true);
        let mut weights = vec![0.0; regression.rank()];
        let Some(last) = weights.last_mut() else { return f64::INFINITY };
        *last = 1.0;
        let line = regression.lines(&weights, [&weights], self.floor);
        line.map_or(f64::INFINITY, |[line]| line.slope().spread() * self.unit)
    }

    fn onset(&self, confidence: f64, changes: &[f64]) -> Option<Onset> {
        let per_coefficient = (self.spans.len() as f64).ln();
        let (flat, grows) = (self.regression(false), self.regression(true));
        let criterion = |at: f64| sum_of(&[self.summed(&flat, at), self.summed(&grows, at) + per_coefficient]);
        let coarse: Vec<Moment> = self.starts().map(|at| Moment { at, criterion: criterion(at) }).collect();
        let best = coarse.iter().map(|moment| moment.criterion).fold(f64::INFINITY, f64::min);
        // One moment is one more number than growth all along has.
        let all_along = self.summed(&flat, f64::NEG_INFINITY);
        if !best.is_finite() || all_along < best + 2.0 * per_coefficient + MARGIN {
            return None;
        }
        let mut fine: Vec<Moment> = Vec::new();
        for pair in coarse.windows(2) {
            if best + FAR < pair[0].criterion.min(pair[1].criterion) {
                continue;
            }
            let step = (pair[1].at - pair[0].at) / FINE as f64;
            let at = |index: usize| pair[0].at + (index as f64 + 0.5) * step;
            fine.extend((0..FINE).map(|index| Moment { at: at(index), criterion: criterion(at(index)) }));
        }
        let best = fine.iter().map(|moment| moment.criterion).fold(f64::INFINITY, f64::min);
        let density = |criterion: f64| (-0.5 * (criterion - best) / TEMPER).exp();
        // Each moment stands for the time around it.
        let gaps: Vec<f64> = coarse.windows(2).map(|pair| (pair[1].at - pair[0].at) / FINE as f64).collect();
        let first = coarse[0].at;
        let width = |at: f64| {
            let block = coarse.partition_point(|moment| moment.at <= at).clamp(1, gaps.len()) - 1;
            gaps[block]
        };
        let masses: Vec<(f64, f64, f64)> =
            fine.iter().map(|moment| (moment.at, width(moment.at), density(moment.criterion))).collect();
        let total: f64 = masses.iter().map(|(_, width, density)| width * density).sum();
        let tail = 0.5 * (1.0 - confidence);
        let quantile = |share: f64| {
            let mut left = share * total;
            for (at, width, density) in &masses {
                let mass = width * density;
                if left <= mass {
                    return at - 0.5 * width + width * left / mass;
                }
                left -= mass;
            }
            masses.last().map_or(first, |(at, width, _)| at + 0.5 * width)
        };
        // No moment is known better than the readings around it.
        let half = 0.5 * self.step;
        let (lower, upper) = (quantile(tail) - half, quantile(1.0 - tail) + half);

        let window = coarse[coarse.len() - 1].at - first;
        let of_change = |at: &f64| {
            let around = [*at - half, *at, *at + half].map(|at| density(criterion(at)));
            let is_within = (first..=first + window).contains(at);
            if is_within { around.into_iter().fold(0.0, f64::max) } else { 0.0 }
        };
        let densities: Vec<f64> = changes.iter().map(of_change).collect();
        let share = EVEN / changes.len().max(1) as f64;
        let elsewhere = (1.0 - EVEN) * total / window;
        let all = elsewhere + share * densities.iter().sum::<f64>();
        let is_inside = |at: &f64| lower <= *at && *at <= upper;
        let is_alone = changes.iter().filter(|at| is_inside(at)).count() == 1;
        let began = |(at, density): (&f64, &f64)| {
            let probability = share * density / all;
            Began { is_inside: is_inside(at), probability, is_named: is_inside(at) && is_alone && NAMED <= probability }
        };
        let changes = changes.iter().zip(&densities).map(began).collect();
        Some(Onset { at: quantile(0.5), lower, upper, confidence, changes })
    }
}

/// -2 log of a sum of likelihoods that are given as -2 log.
fn sum_of(criteria: &[f64]) -> f64 {
    let least = criteria.iter().copied().fold(f64::INFINITY, f64::min);
    if !least.is_finite() {
        return f64::INFINITY;
    }
    least - 2.0 * criteria.iter().map(|criterion| (-0.5 * (criterion - least)).exp()).sum::<f64>().ln()
}
