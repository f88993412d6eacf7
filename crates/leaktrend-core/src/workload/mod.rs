//! One verdict for pods that come and go: the leak is the workload's.
//!
//! A pod lives for hours, and its memory is too short to say anything. What all pods of a workload do is one series: the
//! memory of a typical pod ([`join()`]), cut where a rollout replaces them. Each pod has its own level and its start-up;
//! what they have in common at a moment (growth, the calendar, noise of the load) counts once, however many run. That
//! series is judged as any other. Which pod differs from its siblings is said by [`siblings`].

mod ages;
mod cells;
mod join;
pub mod siblings;
mod start_up;

pub use join::{Joined, Lifetime, Run, join};

use crate::fit::Fit;
use crate::segment::{self, Segmentation};
use crate::series::MemorySeries;
use crate::stats::ar1::{Noise, PHI, Regression, Scaled};
use crate::stats::calendar;
use crate::stats::posterior::LinePosterior;
use crate::stats::trend::Beside;
use crate::verdict::{self, Measured};
use crate::{Terms, monday};

/// A version explains growth better than none where its criterion is lower by so much (Kass, Raftery 1995: "strong").
const STRONG: f64 = 6.0;
/// What the place of a version among others costs, in coefficients: as a step in `trend` (Zhang, Siegmund 2007).
const LOCATION: f64 = 2.0;

/// A pod: the memory of one container in it.
#[derive(Debug, Clone, Copy)]
pub struct Pod<'a> {
    /// Its memory over time.
    pub series: &'a MemorySeries,
    /// What it runs: the hash of its template, or its image; `None` where that is not known.
    pub version: Option<&'a str>,
}

/// Measures a typical pod: `series`, which is that of `joined` from the sample `from` on. Takes the time of a series of its
/// length.
pub fn measure(
    joined: &Joined,
    from: usize,
    segmentation: &Segmentation<'_>,
    series: &MemorySeries,
    terms: &Terms,
) -> Measured {
    let beside = joined.beside_from(from, series.len());
    verdict::measure(&fit(&beside, segmentation, series, terms), segmentation, &terms.judge)
}

/// Since when it grows, where that is since a version: the index in `joined.runs` of the first run that does. `None`
/// where it grows no faster in later versions than in earlier ones, or does not grow.
///
/// Growth has a rate before and another since a version; of all versions that which explains most is taken, if it is
/// clearly better than one rate, with what the search costs.
pub fn grows_since(joined: &Joined, terms: &Terms) -> Option<usize> {
    let segmentation = segment::cut(&joined.series, terms.tolerance.limit_bytes);
    let fit = fit(&joined.beside, &segmentation, &joined.series, terms);
    let (from, blocks) = fit.blocks(segmentation.falls.readings[0], 0)?;
    let (n, x) = (blocks.x.len(), &blocks.x);
    let runs = || joined.runs.iter().enumerate().skip(1);
    let versions = runs().filter(|(at, run)| run.version != joined.runs[at - 1].version && run.from > from);
    let candidates: Vec<(usize, usize)> = versions
        .map(|(at, run)| (at, blocks.samples.partition_point(|samples| samples.start + from < run.from)))
        .filter(|(_, block)| 0 < *block && *block < n)
        .collect();
    if candidates.is_empty() || n < 2 * crate::fit::MIN_SAMPLES {
        return None;
    }
    let span = x[n - 1] - x[0];
    let scaled = Scaled::new(&blocks.means);
    let noise = Noise::new(x, &blocks.starts);
    let floor = fit.floor / scaled.unit.powi(2);
    let edges: Vec<usize> = [0].into_iter().chain(blocks.starts.iter().copied()).chain([n]).collect();
    let mut base = Regression::new(&noise, noise.column(scaled.values.clone()));
    for edge in edges.windows(2) {
        base.push(noise.column((0..n).map(|at| f64::from(u8::from((edge[0]..edge[1]).contains(&at)))).collect()));
    }
    if span >= calendar::MIN_DAYS * calendar::DAY {
        for column in calendar::daily(x).columns {
            base.push(noise.column(column));
        }
    }
    let growth = |from: usize, to: usize| {
        noise.column((0..n).map(|at| if (from..to).contains(&at) { (x[at] - x[0]) / span } else { 0.0 }).collect())
    };
    let with = |columns: &[(usize, usize)]| {
        let mut regression = base.clone();
        let all = columns.iter().all(|(from, to)| regression.push(growth(*from, *to)));
        all.then(|| (regression.criterion(&[0.0; PHI.len()], floor).0, regression))
    };
    let (alike, _) = with(&[(0, n)])?;
    let tried = candidates.into_iter().filter_map(|(run, block)| {
        let (criterion, regression) = with(&[(0, block), (block, n)])?;
        Some((criterion, run, regression))
    });
    let (criterion, run, regression) = tried.min_by(|a, b| a.0.total_cmp(&b.0))?;
    if criterion + (1.0 + LOCATION) * (n as f64).ln() > alike - STRONG {
        return None;
    }
    let rank = regression.rank();
    let only = |index: usize| -> Vec<f64> { (0..rank).map(|at| f64::from(u8::from(at == index))).collect() };
    let [before, since]: [LinePosterior; 2] =
        regression.lines(&vec![0.0; rank], [&only(rank - 2), &only(rank - 1)], floor)?;
    let [before, since] = [before, since].map(|line| line.scaled(&scaled, span).slope());
    let matters = fit.tolerance(0, true).bytes_per_second;
    let grows = since.probability_at_most(matters) < 0.5 && since.probability_at_most(0.0) < terms.judge.significance;
    (grows && before.mean() < 0.5 * since.mean()).then_some(run)
}

fn fit<'a>(beside: &'a Beside, segmentation: &'a Segmentation<'a>, series: &MemorySeries, terms: &'a Terms) -> Fit<'a> {
    let resolution = series.resolution_bytes().median().expect("a series is never empty");
    let monday = monday(series, terms.hours_ahead);
    Fit::new(segmentation, resolution, monday, &terms.tolerance, terms.judge.settle_seconds).of_workload(beside)
}
