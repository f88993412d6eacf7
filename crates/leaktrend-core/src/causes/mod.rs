//! What makes memory grow: which kind of request, job or connection keeps how many bytes.
//!
//! Memory is modelled as the sum of the level of each process lifetime, the load in flight, a rhythm of the day and week,
//! and causes: bytes kept per request times the requests of that kind since the process started, or bytes held per
//! open connection. The noise model is that of the judge: AR(1), averaged over its coefficient (`stats::ar1`). So the
//! column of a leak is the *cumulative count* of its cause rather than time, and its slope is bytes per request.
//!
//! Explanations are compared by the extended Bayesian information criterion (Chen, Chen 2008, "Extended Bayesian
//! information criteria for model selection with large model spaces"): with more kinds to choose from, naming one costs
//! more. A cause is named when all explanations without it are together worse by a margin than all with it, with and
//! without that price; together, because which delay and which load in flight it has is not known. The margin is on the scale of Kass, Raftery (1995), "Bayes factors", where 6 to 10 is strong evidence. It remains a correlation;
//! sending only requests of that kind, and seeing memory grow, would settle it.

mod answer;
mod columns;
mod explain;
mod grid;
mod onset;

use crate::Terms as JudgeTerms;
use crate::fit::Fit;
use crate::segment::{Reading, Segmentation};
use crate::series::MemorySeries;

pub use onset::{Began, NAMED, Onset, onset};

/// With fewer blocks than this, causes cannot be found.
pub const MIN_BLOCKS: usize = 12;

/// What the numbers of a covariate measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Requests that arrived. All such covariates together make the load.
    Requests,
    /// Other events that happened, or amounts that came in: jobs, bytes received.
    Events,
    /// A level: open connections, listeners, cache entries, the length of a queue.
    Level,
}

/// Counts of one kind per bin of time, or its level there.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariate {
    /// What its numbers measure.
    pub measure: Measure,
    /// One number per bin: how many in that bin, or the mean level in it. Finite; counts are not negative.
    pub values: Vec<f64>,
}

/// Covariates on one grid of time. Takes memory in proportion to kinds times bins.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariates {
    start_ms: i64,
    bin_ms: i64,
    each: Vec<Covariate>,
}

impl Covariates {
    /// Covariates in bins of `bin_ms` milliseconds, the first of which begins at `start_ms` (since 1970, as in the
    /// series). An event at the edge of two bins belongs to the bin that ends there.
    ///
    /// Bins should be no longer than the blocks of the judge (5 minutes in a day, an hour in a week), and cover the time
    /// of the series: beyond the bins, a kind has its mean rate, or its first or last level. `None` if a number
    /// is not finite, a count is negative, bins have no length or differ in number, or there are no bins.
    pub fn new(start_ms: i64, bin_ms: i64, each: Vec<Covariate>) -> Option<Covariates> {
        let bins = each.first().map_or(1, |covariate| covariate.values.len());
        let sound = |covariate: &Covariate| {
            let may_be = |value: &f64| value.is_finite() && (covariate.measure == Measure::Level || *value >= 0.0);
            covariate.values.len() == bins && covariate.values.iter().all(may_be)
        };
        (bin_ms > 0 && bins > 0 && each.iter().all(sound)).then_some(Covariates { start_ms, bin_ms, each })
    }

    /// The covariates, in the order in which they were given.
    pub fn each(&self) -> &[Covariate] {
        &self.each
    }
}

/// Under which terms a cause is named.
#[derive(Debug, Clone, PartialEq)]
pub struct CauseTerms {
    /// By how much explanations without a cause must be worse for it to be named, in units of BIC (twice the log of the
    /// odds).
    pub margin: f64,
    /// Confidence of intervals, above 0 and below 1.
    pub confidence: f64,
    /// Delays between a request and its memory to try in addition to none, in seconds.
    pub delays: Vec<f64>,
}

impl Default for CauseTerms {
    fn default() -> CauseTerms {
        CauseTerms { margin: 6.0, confidence: 0.9, delays: vec![150.0, 300.0, 600.0, 1200.0, 2400.0] }
    }
}

/// What a cause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseSource {
    /// The covariate with this index.
    Covariate(usize),
    /// All requests, whatever their kind.
    AllRequests,
    /// Time itself: memory grows with or without requests.
    Clock,
}

/// How memory follows a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// Each unit keeps memory until the process ends: a leak. Bytes per request, event or second.
    Lost,
    /// Memory is held for as long as a level is there, and that level grows. Bytes per unit of the level.
    Held,
    /// Memory is held while requests are in flight, or by a level that does not grow: no leak. Bytes per request a
    /// second, or per unit of the level.
    Follows,
}

/// An estimated number of bytes per unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BytesPerUnit {
    /// The mean of the posterior.
    pub value: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Confidence of the interval, 0 to 1.
    pub confidence: f64,
}

/// Something that explains memory.
#[derive(Debug, Clone, PartialEq)]
pub struct GrowthCause {
    /// What it is.
    pub source: CauseSource,
    /// How memory follows it.
    pub how: How,
    /// How many bytes, see `How`.
    pub bytes_per_unit: BytesPerUnit,
    /// The share of the growth within process lifetimes that it explains; about 1 for the only cause, give or
    /// take the noise. `None` if memory did not grow.
    pub share_of_growth: Option<f64>,
    /// Seconds from a request to its memory; 0 if no delay was seen.
    pub delay_seconds: f64,
    /// By how much explanations without it are worse together than those with it, in units of BIC; at least 0.
    pub margin: f64,
    /// The probability of the explanations with it against those without it, at even prior odds, 0.5 to 1: the margin as a
    /// probability. Explanations without counts are not considered.
    pub probability: f64,
    /// Whether the margin is large enough to name it. If not, growth is proven, and its cause is this or one of
    /// `indistinguishable`.
    pub is_named: bool,
    /// What would explain memory as well in its place, best first.
    pub indistinguishable: Vec<CauseSource>,
}

impl GrowthCause {
    /// Whether it is named as what makes memory grow.
    pub fn is_named_leak(&self) -> bool {
        self.is_named && self.how != How::Follows
    }
}

/// What explains the memory of a series: leaks first, the largest share first.
///
/// `segmentation` is that of `series`. At most two kinds can leak at a time. Empty if nothing explains the memory better
/// than its noise, if it has too few blocks (`MIN_BLOCKS`), or without covariates. If drops may be restarts or not, a leak
/// is named only if it is named either way.
///
/// A cause outside the covariates cannot be named, and a kind that rises with it by chance may be named instead (in one
/// of eight simulated services that leak by unlogged requests): pass counts of everything that the service does.
///
/// Takes time in proportion to the square of the number of kinds and the blocks of the judge (about 288), whatever the
/// number of samples: some tenths of a second for 60 kinds.
pub fn attribute(
    segmentation: &Segmentation<'_>,
    series: &MemorySeries,
    covariates: &Covariates,
    judge: &JudgeTerms,
    terms: &CauseTerms,
) -> Vec<GrowthCause> {
    if covariates.each.is_empty() {
        return Vec::new();
    }
    let fit = fit(segmentation, series, judge);
    let monday = crate::monday(series, judge.hours_ahead);
    let read = |reading: &Reading| {
        let (from, blocks) = fit.blocks(*reading, 0).filter(|(_, blocks)| MIN_BLOCKS <= blocks.x.len())?;
        let sight = columns::Sight { segmentation, from, blocks: &blocks, monday, start_ms: series.start_ms() };
        let view = columns::View::new(&sight, covariates, &terms.delays, fit.floor);
        Some(answer::answer(&view, terms))
    };
    let mut readings = segmentation.falls.readings.iter().filter_map(read);
    let Some(first) = readings.next() else { return Vec::new() };
    readings.fold(first, |causes, other| answer::agreed(causes, &other))
}

/// The usual length of the blocks in which `attribute` compares, in seconds; `None` with fewer than two. What a level does
/// between values that are further apart cannot be told.
pub fn block_seconds(segmentation: &Segmentation<'_>, series: &MemorySeries, judge: &JudgeTerms) -> Option<f64> {
    let (_, blocks) = fit(segmentation, series, judge).blocks(segmentation.falls.readings[0], 0)?;
    crate::stats::robust::median_of(|| blocks.x.windows(2).map(|pair| pair[1] - pair[0]))
}

fn fit<'a>(segmentation: &'a Segmentation<'a>, series: &MemorySeries, judge: &'a JudgeTerms) -> Fit<'a> {
    let resolution = series.resolution_bytes().median().expect("a series is never empty");
    let monday = crate::monday(series, judge.hours_ahead);
    Fit::new(segmentation, resolution, monday, &judge.tolerance, judge.judge.settle_seconds)
}
