//! How much more older pods hold than younger ones beside them.
//!
//! What is common to all pods at a moment may be growth, the calendar or a load. Between pods of one version at one moment
//! these cancel, and what a pod gains with its age is left: the later it started, the lower its level. This needs no day
//! to be seen twice. Pods differ in their levels for other reasons, too: by how much is estimated from what age leaves.

use std::collections::BTreeMap;

use super::join::{Lifetime, Run};
use super::start_up;
use crate::stats::ar1::Known;

/// With fewer degrees of freedom the size of the differences between pods is not known: Student's t has no variance.
const LEAST: f64 = 3.0;

/// The rate at which the pods of each run grow, in bytes per second; `None` where their ages do not show it. `tau_ms`: the
/// time constant of the start-up that was taken out of them.
///
/// Levels by start, less the mean of the pods that run at the same moment, by least squares; the levels of pods are
/// independent of each other. What is along the start-up says nothing: one that was estimated too small makes young pods
/// look small.
pub(super) fn rates(lifetimes: &[Lifetime], runs: &[Run], grid: (i64, f64), tau_ms: Option<f64>) -> Vec<Option<Known>> {
    let fits: Vec<Option<Fit>> =
        runs.iter().enumerate().map(|(index, run)| Fit::of(lifetimes, (index, run), grid, tau_ms)).collect();
    let sum = |of: fn(&Fit) -> f64| fits.iter().flatten().map(of).sum::<f64>();
    let degrees_of_freedom = sum(|fit| fit.degrees_of_freedom);
    let variance = sum(|fit| fit.squares) / sum(|fit| fit.free);
    // Student's t is wider than a normal distribution.
    let variance = variance * degrees_of_freedom / (degrees_of_freedom - 2.0);
    let known = |fit: &Fit| Known { mean: fit.rate, variance: variance * fit.weights };
    let is_known = |known: &Known| degrees_of_freedom >= LEAST && known.variance > 0.0;
    fits.iter().map(|fit| fit.as_ref().map(known).filter(is_known)).collect()
}

/// The levels of one run by start.
struct Fit {
    /// Bytes per second.
    rate: f64,
    /// Its variance where that of a level is 1: the sum of the squares of the weights of the levels in it.
    weights: f64,
    /// What is left of the levels, squared, at all moments; and the value expected of that where the variance of a level
    /// is 1.
    squares: f64,
    free: f64,
    degrees_of_freedom: f64,
}

/// A pod at a moment.
struct Cell {
    pod: usize,
    level: f64,
    /// Seconds.
    start: f64,
    /// exp(-age/τ).
    cooled: f64,
}

impl Fit {
    /// `None` where no two pods of different ages ran at one moment.
    fn of(lifetimes: &[Lifetime], (index, run): (usize, &Run), grid: (i64, f64), tau_ms: Option<f64>) -> Option<Fit> {
        let mut moments: BTreeMap<usize, Vec<Cell>> = BTreeMap::new();
        for (pod, one) in lifetimes.iter().enumerate().filter(|(_, one)| one.starts) {
            let Some(level) = one.levels.get(&index).copied() else { continue };
            let start = 1e-3 * (one.start_ms - grid.0) as f64;
            for moment in one.cells.iter().map(|cell| cell.0).filter(|moment| run.moments.contains(moment)) {
                let cooled = tau_ms.map_or(0.0, |tau_ms| start_up::cooled(one, moment, grid, tau_ms));
                moments.entry(moment).or_default().push(Cell { pod, level, start, cooled });
            }
        }
        // Less the mean of those beside it.
        for cells in moments.values_mut() {
            let n = cells.len() as f64;
            let mean = |of: fn(&Cell) -> f64| cells.iter().map(of).sum::<f64>() / n;
            let (level, start, cooled) = (mean(|one| one.level), mean(|one| one.start), mean(|one| one.cooled));
            for one in cells.iter_mut() {
                one.level -= level;
                one.start -= start;
                one.cooled -= cooled;
            }
        }
        let cells = || moments.values().flatten();
        let sum = |of: &dyn Fn(&Cell) -> f64| cells().map(of).sum::<f64>();
        let (of_start, of_cooled) = (sum(&|one| one.start * one.start), sum(&|one| one.cooled * one.cooled));
        let along = if of_cooled > 0.0 { sum(&|one| one.start * one.cooled) / of_cooled } else { 0.0 };
        let apart = |one: &Cell| one.start - along * one.cooled;
        let square = sum(&|one| apart(one) * one.start);
        if square <= 1e-9 * of_start {
            return None;
        }
        let mut of_pods: BTreeMap<usize, f64> = BTreeMap::new();
        cells().for_each(|one| *of_pods.entry(one.pod).or_default() += apart(one) / square);
        let weights: f64 = of_pods.values().map(|weight| weight * weight).sum();
        let rate = -sum(&|one| apart(one) * one.level) / square;
        let beside: usize = moments.values().map(|cells| cells.len() - 1).sum();
        let fitted = 2.0 + f64::from(u8::from(of_cooled > 0.0));
        Some(Fit {
            rate,
            weights,
            squares: sum(&|one| (one.level + rate * one.start).powi(2)),
            free: beside as f64 - weights * square,
            degrees_of_freedom: of_pods.len() as f64 - fitted,
        })
    }
}
