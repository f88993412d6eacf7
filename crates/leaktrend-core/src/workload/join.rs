//! The memory of a typical pod: what pods have in common at each moment.
//!
//! `memory = level of the pod + start-up by its age + what is common at the moment + noise of its own`, by least squares
//! on one grid of time. What is common holds the growth, the calendar and the noise that siblings share: it is one
//! number at a moment, so a load that makes thirty pods grow at once is seen once and not thirty times. Noise of its own
//! is averaged over the pods that run. Pods need not begin or end together.

use std::collections::BTreeMap;
use std::ops::Range;

use super::start_up::{self, Without};
use super::{Pod, ages};
use crate::segment;
use crate::series::{Marks, MemorySeries, Samples, SeriesInfo};
use crate::stats::robust::median;
use crate::stats::trend::Beside;

/// At most so many moments: of the blocks in which a series is judged each has some seven.
const MOMENTS: f64 = 2016.0;
/// At most so much of a lifetime is left out as its start.
const START_SHARE: f64 = 0.1;

/// One process of a pod, between restarts.
#[derive(Debug, Clone, PartialEq)]
pub struct Lifetime {
    /// Index of its pod.
    pub pod: usize,
    /// When its readings begin, in milliseconds.
    pub start_ms: i64,
    /// When they end, in milliseconds.
    pub end_ms: i64,
    /// Whether its start was seen.
    pub starts: bool,
    /// Index of its version in the order of first appearance.
    pub version: usize,
    /// Its moments and its memory there, without the start-up that all have in common, in bytes.
    pub(super) cells: Vec<(usize, f64)>,
    /// Its level in each run in which it takes part, by the index of the run: its memory beyond what is common, in bytes.
    pub(super) levels: BTreeMap<usize, f64>,
}

/// A stretch in which pods of one version run, and at least one of those that ran at its beginning does.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Index of its first sample in the series of the typical pod.
    pub from: usize,
    /// Index of its version.
    pub version: usize,
    /// Its moments.
    pub(super) moments: Range<usize>,
}

/// The memory that the pods of a workload have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// The memory of a typical pod, with a restart where a run begins.
    pub series: MemorySeries,
    /// Its runs, at least one.
    pub runs: Vec<Run>,
    /// The lifetimes of all pods, in order of their start.
    pub lifetimes: Vec<Lifetime>,
    /// The versions, in the order of their first appearance; `None` is an unknown version.
    pub versions: Vec<Option<String>>,
    /// The time of the first moment and from one to the next, in milliseconds.
    pub(super) grid: (i64, f64),
    /// What is known beside the series: at each of its samples, and of each run.
    pub(super) beside: Beside,
}

impl Joined {
    /// The middle of a moment, in seconds from the first.
    pub(super) fn seconds(&self, moment: usize) -> f64 {
        moment as f64 * self.grid.1 / 1000.0
    }

    /// What is known beside the samples from one on; of other samples than these nothing.
    pub(super) fn beside_from(&self, from: usize, n: usize) -> Beside {
        if from + n != self.series.len() {
            return Beside::default();
        }
        let run = self.runs.iter().rposition(|run| run.from <= from).unwrap_or(0);
        let errors = self.beside.errors.iter().map(|error| error[from..].to_vec()).collect();
        Beside { errors, rates: self.beside.rates[run..].to_vec() }
    }

    /// When a run begins, in milliseconds.
    pub fn begins_ms(&self, run: usize) -> i64 {
        self.series.time_ms()[self.runs[run].from]
    }

    /// When the first pod of a version was seen, in milliseconds.
    pub fn deployed_ms(&self, version: usize) -> Option<i64> {
        let of = self.lifetimes.iter().filter(|lifetime| lifetime.version == version);
        of.map(|lifetime| lifetime.start_ms).min()
    }
}

/// What these pods have in common, as a series with the identity `info`; `None` without pods.
///
/// `settle_seconds`: how long memory settles after a start. Takes O(samples) time for some hundred turns.
pub fn join(pods: &[Pod<'_>], info: SeriesInfo, settle_seconds: f64) -> Option<Joined> {
    let start_ms = pods.iter().map(|pod| pod.series.start_ms()).min()?;
    let end_ms = pods.iter().map(|pod| pod.series.end_ms()).max()?;
    let steps: Vec<f64> = pods.iter().filter_map(|pod| pod.series.step_seconds()).collect();
    let step_ms = 1000.0 * median(&steps).unwrap_or(1.0).max(1e-3);
    let step_ms = step_ms * ((end_ms - start_ms) as f64 / step_ms / MOMENTS).ceil().max(1.0);
    let grid = (start_ms, step_ms);
    let versions = versions(pods);
    let mut lifetimes: Vec<Lifetime> = Vec::new();
    for (index, pod) in pods.iter().enumerate() {
        let version = versions.iter().position(|version| version.as_deref() == pod.version).unwrap_or(0);
        lifetimes.extend(lifetimes_of(pod.series, (index, version), grid, settle_seconds));
    }
    lifetimes.sort_by_key(|lifetime| (lifetime.start_ms, lifetime.pod));
    let mut runs = runs(&lifetimes, grid);
    let Without { of_runs, errors, tau_ms } = start_up::without(&mut lifetimes, &runs, grid);
    let mut beside = Beside { errors: errors.iter().map(|_| Vec::new()).collect(), rates: Vec::new() };
    let mut samples = Samples::default();
    let resolution = pods.iter().filter_map(|pod| pod.series.resolution_bytes().median()).fold(1.0, f64::max);
    for (run, common) in runs.iter_mut().zip(of_runs) {
        run.from = samples.len();
        for (moment, bytes) in common {
            beside.errors.iter_mut().zip(&errors).for_each(|(of_samples, error)| of_samples.push(error[moment]));
            let begins = samples.len() == run.from && run.from > 0;
            // No fall of it is a restart that is not known.
            let marks =
                if begins { Marks::WATCHED.with(Marks::RECREATED).with(Marks::RESTARTED) } else { Marks::WATCHED };
            let time_ms = (start_ms + (moment as f64 * step_ms).round() as i64).min(end_ms);
            samples.push(time_ms, bytes.max(0.0), resolution, marks);
        }
    }
    beside.rates = ages::rates(&lifetimes, &runs, grid, tau_ms);
    let series = MemorySeries::new(info, samples)?;
    Some(Joined { series, runs, lifetimes, versions, grid, beside })
}

/// The versions in the order of their first appearance.
fn versions(pods: &[Pod<'_>]) -> Vec<Option<String>> {
    let mut order: Vec<&Pod<'_>> = pods.iter().collect();
    order.sort_by_key(|pod| pod.series.start_ms());
    let mut versions: Vec<Option<String>> = Vec::new();
    for pod in order {
        if !versions.iter().any(|version| version.as_deref() == pod.version) {
            versions.push(pod.version.map(str::to_owned));
        }
    }
    versions
}

/// The lifetimes of a pod: its memory between restarts that are certain, the mean at each moment, without the time in
/// which it settles.
fn lifetimes_of(
    series: &MemorySeries,
    (pod, version): (usize, usize),
    (start_ms, step_ms): (i64, f64),
    settle_seconds: f64,
) -> Vec<Lifetime> {
    let segmentation = segment::cut(series, None);
    let (times, n) = (series.time_ms(), series.len());
    let edges: Vec<usize> = [0].into_iter().chain(segmentation.falls.certain.iter().copied()).chain([n]).collect();
    let lifetime = |edge: &[usize]| {
        let (first, last) = (times[edge[0]], times[edge[1] - 1]);
        let starts = edge[0] > 0 || (first - start_ms) as f64 > step_ms;
        let settles = 1000.0 * settle_seconds.min(START_SHARE * (last - first) as f64 / 1000.0);
        let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for (time, value) in times.iter().zip(segmentation.values.iter()).take(edge[1]).skip(edge[0]) {
            if !starts || (time - first) as f64 >= settles {
                let moment = ((time - start_ms) as f64 / step_ms).round() as usize;
                let (sum, count) = sums.entry(moment).or_default();
                *sum += value;
                *count += 1.0;
            }
        }
        let cells = sums.into_iter().map(|(moment, (sum, count))| (moment, sum / count)).collect();
        Lifetime { pod, start_ms: first, end_ms: last, starts, version, cells, levels: BTreeMap::new() }
    };
    edges.windows(2).map(lifetime).filter(|lifetime| !lifetime.cells.is_empty()).collect()
}

/// Cuts time into runs: where another version has most of the pods that run, and where none is left of those that ran
/// when the run began.
fn runs(lifetimes: &[Lifetime], (start_ms, step_ms): (i64, f64)) -> Vec<Run> {
    let moment_of = |time_ms: i64| ((time_ms - start_ms) as f64 / step_ms).round() as usize;
    let spans: Vec<(usize, Range<usize>)> =
        lifetimes.iter().map(|one| (one.version, moment_of(one.start_ms)..moment_of(one.end_ms) + 1)).collect();
    let n = spans.iter().map(|(_, span)| span.end).max().unwrap_or(0);
    let mut running: Vec<BTreeMap<usize, usize>> = vec![BTreeMap::new(); n];
    for (version, span) in &spans {
        running[span.clone()].iter_mut().for_each(|of| *of.entry(*version).or_default() += 1);
    }
    let last_of = |version: usize, moment: usize| {
        let runs = spans.iter().filter(|(of, span)| *of == version && span.contains(&moment));
        runs.map(|(_, span)| span.end).max().unwrap_or(moment)
    };
    let mut runs: Vec<Run> = Vec::new();
    let mut until = 0;
    for (moment, of) in running.iter().enumerate() {
        // The later one of two that have as many.
        let Some((&version, _)) = of.iter().max_by_key(|(version, n)| (**n, **version)) else { continue };
        if let Some(run) = runs.last_mut().filter(|run| run.version == version && moment < until) {
            run.moments.end = moment + 1;
        } else {
            runs.push(Run { from: 0, version, moments: moment..moment + 1 });
            until = last_of(version, moment);
        }
    }
    // A rollout takes the pods that began a run before it has most of them: what little is left is of that run, as far
    // as a pod links both.
    let mut merged: Vec<Run> = Vec::new();
    for run in runs {
        let is_linked = |last: &&mut Run| {
            let shorter = last.moments.len().min(run.moments.len()) as f64;
            let longer = last.moments.len().max(run.moments.len()) as f64;
            let (before, after) = (last.moments.end - 1, run.moments.start);
            let links = |(version, span): &(usize, Range<usize>)| {
                *version == run.version && span.contains(&before) && span.contains(&after)
            };
            last.version == run.version && shorter <= START_SHARE * longer && spans.iter().any(links)
        };
        match merged.last_mut().filter(is_linked) {
            Some(last) => last.moments.end = run.moments.end,
            None => merged.push(run),
        }
    }
    merged.retain(|run| {
        lifetimes
            .iter()
            .any(|one| one.version == run.version && one.cells.iter().any(|(moment, _)| run.moments.contains(moment)))
    });
    merged
}
