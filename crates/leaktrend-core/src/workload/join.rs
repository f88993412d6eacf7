//! The memory of a typical pod: what pods have in common at each moment.
//!
//! `memory = level of the pod + start-up by its age + what is common at the moment + noise of its own`, by least squares
//! on one grid of time. What is common holds the growth, the calendar and the noise that siblings share: it is one
//! number at a moment, so a load that makes thirty pods grow at once is seen once and not thirty times. Noise of its own
//! is averaged over the pods that run. Pods need not begin or end together.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Pod;
use crate::segment;
use crate::series::{Marks, MemorySeries, Samples, SeriesInfo};
use crate::stats::robust::median;

/// At most so many moments: of the blocks in which a series is judged each has some seven.
const MOMENTS: f64 = 2016.0;
/// At most so much of a lifetime is left out as its start.
const START_SHARE: f64 = 0.1;
/// A start-up lasts at most this share of the longest lifetime: a slower one cannot be told from growth.
const LONGEST_START_UP: f64 = 0.25;
/// Time constants of a start-up that are tried, each so much longer than the one before.
const LONGER: f64 = 1.7;
/// The best of them is made finer so many times, by halves: to some 2 %.
const REFINEMENTS: i32 = 5;
/// A start-up is taken out where it explains so many times the variance of the noise that is left: what two coefficients
/// cost in the Bayesian information criterion, of some hundred readings.
const EXPLAINS: f64 = 10.0;
/// Levels and moments are fitted in turns until nothing moves by more than this share of the spread ...
const SETTLED: f64 = 1e-6;
/// ... or so many turns are over.
const TURNS: usize = 400;

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
pub struct Life {
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
    /// The memory of a typical pod, with a restart where a life begins.
    pub series: MemorySeries,
    /// Its lives, at least one.
    pub lives: Vec<Life>,
    /// The lifetimes of all pods, in order of their start.
    pub lifetimes: Vec<Lifetime>,
    /// The versions, in the order of their first appearance; `None` is an unknown version.
    pub versions: Vec<Option<String>>,
    /// The time of the first moment and from one to the next, in milliseconds.
    pub(super) grid: (i64, f64),
}

impl Joined {
    /// The middle of a moment, in seconds from the first.
    pub(super) fn seconds(&self, moment: usize) -> f64 {
        moment as f64 * self.grid.1 / 1000.0
    }

    /// When a life begins, in milliseconds.
    pub fn begins_ms(&self, life: usize) -> i64 {
        self.series.time_ms()[self.lives[life].from]
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
    let mut lives = lives(&lifetimes, grid);
    let of_lives = without_start_up(&mut lifetimes, &lives, grid);
    let mut samples = Samples::default();
    let quantum = pods.iter().filter_map(|pod| pod.series.quantum_bytes().median()).fold(1.0, f64::max);
    for (life, common) in lives.iter_mut().zip(of_lives) {
        life.from = samples.len();
        for (moment, bytes) in common {
            let begins = samples.len() == life.from && life.from > 0;
            // No fall of it is a restart that is not known.
            let marks =
                if begins { Marks::WATCHED.with(Marks::RECREATED).with(Marks::RESTARTED) } else { Marks::WATCHED };
            let time_ms = (start_ms + (moment as f64 * step_ms).round() as i64).min(end_ms);
            samples.push(time_ms, bytes.max(0.0), quantum, marks);
        }
    }
    let series = MemorySeries::new(info, samples)?;
    Some(Joined { series, lives, lifetimes, versions, grid })
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

/// Cuts time into lives: where another version has most of the pods that run, and where none is left of those that ran
/// when the life began.
fn lives(lifetimes: &[Lifetime], (start_ms, step_ms): (i64, f64)) -> Vec<Life> {
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
    let mut lives: Vec<Life> = Vec::new();
    let mut until = 0;
    for (moment, of) in running.iter().enumerate() {
        // The later one of two that have as many.
        let Some((&version, _)) = of.iter().max_by_key(|(version, n)| (**n, **version)) else { continue };
        if let Some(life) = lives.last_mut().filter(|life| life.version == version && moment < until) {
            life.moments.end = moment + 1;
        } else {
            lives.push(Life { from: 0, version, moments: moment..moment + 1 });
            until = last_of(version, moment);
        }
    }
    // A rollout takes the pods that began a life before it has most of them: what little is left is of that life, as far
    // as a pod links both.
    let mut merged: Vec<Life> = Vec::new();
    for life in lives {
        let is_linked = |last: &&mut Life| {
            let shorter = last.moments.len().min(life.moments.len()) as f64;
            let longer = last.moments.len().max(life.moments.len()) as f64;
            let (before, after) = (last.moments.end - 1, life.moments.start);
            let links = |(version, span): &(usize, Range<usize>)| {
                *version == life.version && span.contains(&before) && span.contains(&after)
            };
            last.version == life.version && shorter <= START_SHARE * longer && spans.iter().any(links)
        };
        match merged.last_mut().filter(is_linked) {
            Some(last) => last.moments.end = life.moments.end,
            None => merged.push(life),
        }
    }
    merged.retain(|life| {
        lifetimes
            .iter()
            .any(|one| one.version == life.version && one.cells.iter().any(|(moment, _)| life.moments.contains(moment)))
    });
    merged
}

/// Lifetime, moment from the first of the life, bytes.
type Cell = (usize, usize, f64);

/// Numbers of the lifetimes of one life, and what they have in common.
struct Cells {
    each: Vec<Cell>,
    n_moments: usize,
    n_lifetimes: usize,
}

impl Cells {
    fn of(lifetimes: &[Lifetime], life: &Life, value: impl Fn(&Lifetime, usize, f64) -> f64) -> Cells {
        let mut cells = Vec::new();
        for (index, lifetime) in lifetimes.iter().enumerate().filter(|(_, one)| one.version == life.version) {
            let first = lifetime.cells.partition_point(|(moment, _)| *moment < life.moments.start);
            let within = lifetime.cells[first..].iter().take_while(|(moment, _)| *moment < life.moments.end);
            cells.extend(
                within.map(|(moment, bytes)| (index, moment - life.moments.start, value(lifetime, *moment, *bytes))),
            );
        }
        Cells { each: cells, n_moments: life.moments.len(), n_lifetimes: lifetimes.len() }
    }

    /// Levels of lifetimes and what is common at each moment, by least squares: each in turns is the mean of what the
    /// other leaves. What is common has a mean of 0 over all cells.
    fn levels(&self) -> (Vec<f64>, Vec<f64>) {
        let (mut levels, mut common) = (vec![0.0; self.n_lifetimes], vec![0.0; self.n_moments]);
        let spread = self.each.iter().map(|(.., value)| value.abs()).fold(0.0, f64::max);
        for _ in 0..TURNS {
            let means = |n: usize, of: &dyn Fn(&Cell) -> (usize, f64)| {
                let mut sums = vec![(0.0, 0.0); n];
                for cell in &self.each {
                    let (at, value) = of(cell);
                    sums[at].0 += value;
                    sums[at].1 += 1.0;
                }
                sums.into_iter().map(|(sum, count): (f64, f64)| if count > 0.0 { sum / count } else { 0.0 }).collect()
            };
            let next: Vec<f64> = means(self.n_lifetimes, &|(of, at, value)| (*of, value - common[*at]));
            let moved = next.iter().zip(&levels).map(|(next, level)| (next - level).abs()).fold(0.0, f64::max);
            levels = next;
            common = means(self.n_moments, &|(of, at, value)| (*at, value - levels[*of]));
            if moved <= SETTLED * spread {
                break;
            }
        }
        let n = self.each.len().max(1) as f64;
        let mean = self.each.iter().map(|(_, at, _)| common[*at]).sum::<f64>() / n;
        common.iter_mut().for_each(|value| *value -= mean);
        levels.iter_mut().for_each(|level| *level += mean);
        (levels, common)
    }

    /// What levels and moments leave of each cell.
    fn left(&self) -> Vec<f64> {
        let (levels, common) = self.levels();
        self.each.iter().map(|(of, at, value)| value - levels[*of] - common[*at]).collect()
    }
}

/// Takes the start-up that all lifetimes have in common out of their cells, gives each its level, and what is common in
/// each life: moments and bytes of a typical pod.
fn without_start_up(lifetimes: &mut [Lifetime], lives: &[Life], grid: (i64, f64)) -> Vec<Vec<(usize, f64)>> {
    let age =
        |lifetime: &Lifetime, moment: usize| (moment as f64 * grid.1 - (lifetime.start_ms - grid.0) as f64).max(0.0);
    let cooled = |lifetime: &Lifetime, moment: usize, tau: f64| {
        if lifetime.starts { (-age(lifetime, moment) / tau).exp() } else { 0.0 }
    };
    let plain: Vec<Cells> = lives.iter().map(|life| Cells::of(lifetimes, life, |_, _, bytes| bytes)).collect();
    let (mut left, mut squares, mut carried) = (Vec::new(), 0.0, 0.0);
    for cells in &plain {
        let of_life = cells.left();
        squares += of_life.iter().map(|left| left * left).sum::<f64>();
        let next = cells.each.windows(2).zip(of_life.windows(2)).filter(|(pair, _)| pair[0].0 == pair[1].0);
        carried += next.map(|(_, left)| left[0] * left[1]).sum::<f64>();
        left.extend(of_life);
    }
    // Noise that lasts says less: of AR(1) noise so many readings are worth one.
    let lasts = (carried / squares).clamp(0.0, 0.999);
    let lasts = if squares > 0.0 { (1.0 + lasts) / (1.0 - lasts) } else { 1.0 };
    let longest = lifetimes.iter().map(|one| (one.end_ms - one.start_ms) as f64).fold(0.0, f64::max);
    let explained = |tau: f64| {
        let columns = lives
            .iter()
            .flat_map(|life| Cells::of(lifetimes, life, |lifetime, moment, _| cooled(lifetime, moment, tau)).left());
        let (mut along, mut square) = (0.0, 0.0);
        for (column, left) in columns.zip(&left) {
            along += column * left;
            square += column * column;
        }
        if square > 0.0 { (along * along / square, along / square, tau) } else { (0.0, 0.0, tau) }
    };
    let taus = std::iter::successors(Some(2.0 * grid.1), |tau| Some(LONGER * tau));
    let tried = taus.take_while(|tau| *tau <= LONGEST_START_UP * longest).map(explained);
    let mut best = tried.max_by(|a, b| a.0.total_cmp(&b.0));
    for finer in 1..=REFINEMENTS {
        let factor = LONGER.powf(0.5_f64.powi(finer));
        let near = best.into_iter().flat_map(|(.., tau)| [tau / factor, tau * factor]).map(explained);
        best = near.chain(best).max_by(|a, b| a.0.total_cmp(&b.0));
    }
    let free = left.len() as f64 - lives.iter().map(|life| life.moments.len()).sum::<usize>() as f64;
    if let Some((gain, size, tau)) = best
        && gain * free.max(1.0) > EXPLAINS * lasts * (squares - gain)
    {
        for lifetime in lifetimes.iter_mut() {
            let start_up: Vec<f64> =
                lifetime.cells.iter().map(|(moment, _)| size * cooled(lifetime, *moment, tau)).collect();
            lifetime.cells.iter_mut().zip(start_up).for_each(|((_, bytes), start_up)| *bytes -= start_up);
        }
    }
    let mut of_lives = Vec::new();
    for (index, life) in lives.iter().enumerate() {
        let cells = Cells::of(lifetimes, life, |_, _, bytes| bytes);
        let (levels, common) = cells.levels();
        let mut seen = vec![0; cells.n_moments];
        for (of, at, _) in &cells.each {
            lifetimes[*of].levels.insert(index, levels[*of]);
            seen[*at] += 1;
        }
        let typical = cells.each.iter().map(|(of, ..)| levels[*of]).sum::<f64>() / cells.each.len().max(1) as f64;
        let seen = (0..cells.n_moments).filter(|at| seen[*at] > 0);
        of_lives.push(seen.map(|at| (life.moments.start + at, typical + common[at])).collect());
    }
    of_lives
}
