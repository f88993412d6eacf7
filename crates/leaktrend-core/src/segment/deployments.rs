//! Deployments: a service that is often deployed anew, each process at another height, jumps up as often as down.
//!
//! A rise may also be a leak that gains memory in steps, and a cut there would hide it. So rises are taken for the starts
//! of processes only where the levels between jumps are like draws in random order: a leak rises more often than it
//! falls, or leads upwards.

use super::{Evidence, MANY_FALLS, runs};
use crate::stats::robust::median;
use crate::stats::steps::correlation_with_time;

/// A jump so few samples after another belongs to it: old and new process side by side, or a start-up.
const TOGETHER: usize = 3;
/// At least this share of a jump comes at once: of growth and of a slow start-up less does.
const AT_ONCE: f64 = 0.5;
/// Samples on either side that show what comes at once, and what in all: the widest over which falls are looked for.
const SIDES: [usize; 2] = [2, 12];
/// Jumps up and down between the same levels differ in their medians by less than this factor.
const ALIKE: f64 = 3.0;
/// Quantiles of the normal distribution that 5 % exceed, on both sides and on one.
const UNUSUAL: [f64; 2] = [1.96, 1.645];

/// Where processes begin, increasing; empty where jumps up may be anything else. `rises`: found as falls are.
pub(super) fn starts(values: &[f64], evidence: &Evidence, rises: &[usize]) -> Vec<usize> {
    // What comes and goes are jobs.
    if 2 * evidence.excursions.ends.len() > evidence.falls.len() {
        return Vec::new();
    }
    // Far from as many up as down, whatever belongs together: nothing is to be kept of them.
    let n_falls = evidence.falls.iter().filter(|fall| comes_at_once(values, fall.at)).count();
    let n_rises = rises.iter().filter(|at| comes_at_once(values, **at)).count();
    if 4 * n_rises < n_falls || 4 * n_falls < n_rises {
        return Vec::new();
    }
    let mut jumps: Vec<usize> = evidence.falls.iter().map(|fall| fall.at).chain(rises.iter().copied()).collect();
    jumps.retain(|at| comes_at_once(values, *at));
    jumps.sort_unstable();
    let jumps: Vec<&[usize]> = jumps.chunk_by(|a, b| b - a < TOGETHER).collect();
    let starts: Vec<usize> = jumps.iter().map(|jump| jump[0]).collect();
    let sizes = jumps.iter().map(|jump| change(values, jump[0], jump[jump.len() - 1], TOGETHER));
    let (up, down): (Vec<f64>, Vec<f64>) = sizes.partition(|size| *size > 0.0);
    if !are_alike(&up, &down) {
        return Vec::new();
    }
    let levels: Vec<f64> = runs(&starts, values.len()).into_iter().filter_map(|run| median(&values[run])).collect();
    if starts.len() > MANY_FALLS && are_in_random_order(up.len(), &levels) { starts } else { Vec::new() }
}

/// The change from before the sample `from` to the samples from `to` on, as medians of `side` samples.
fn change(values: &[f64], from: usize, to: usize, side: usize) -> f64 {
    let level = |from: usize, to: usize| median(&values[from..to]).unwrap_or_default();
    level(to, values.len().min(to + side)) - level(from.saturating_sub(side), from)
}

fn comes_at_once(values: &[f64], at: usize) -> bool {
    let [at_once, in_all] = SIDES.map(|side| change(values, at, at, side));
    0.0 < at_once * in_all && AT_ONCE * in_all.abs() <= at_once.abs()
}

/// Whether jumps up and down are of one size, as they are between the same levels: growth is no jump beside a kill.
fn are_alike(up: &[f64], down: &[f64]) -> bool {
    let usual = |sizes: &[f64]| median(sizes).unwrap_or_default().abs();
    let (up, down) = (usual(up), usual(down));
    up <= ALIKE * down && down <= ALIKE * up
}

/// Whether so many rises between levels, and their trend, are what levels in random order show: of `n` levels
/// (n - 1) / 2 rises with variance (n + 1) / 12, and a correlation with time of 0 with variance 1 / (n - 1).
fn are_in_random_order(up: usize, levels: &[f64]) -> bool {
    let n = levels.len() as f64;
    let of_rises = (up as f64 - (n - 1.0) / 2.0) / ((n + 1.0) / 12.0).sqrt();
    let of_trend = correlation_with_time(levels) * (n - 1.0).sqrt();
    of_rises.abs() <= UNUSUAL[0] && of_trend <= UNUSUAL[1]
}
