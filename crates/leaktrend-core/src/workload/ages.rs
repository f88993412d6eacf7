//! How much more older pods hold than younger ones beside them.
//!
//! What is common to all pods at a moment may be growth, the calendar or a load. Between pods of one version that run at
//! the same moment these cancel, and what a pod gains with its age is left: the level of a pod is lower the later it
//! started. This needs no day to be seen twice. Pods differ in their levels for other reasons, too: by how much is
//! estimated from what age leaves.

use super::join::{Life, Lifetime};
use super::start_up;
use crate::stats::ar1::Known;

/// With fewer degrees of freedom the size of the differences between pods is not known: Student's t has no variance.
const LEAST: f64 = 3.0;

/// A pod in a life: numbers less the mean of its life.
struct Member {
    life: usize,
    /// Seconds.
    start: f64,
    /// Bytes.
    level: f64,
    /// The mean of exp(-age/τ).
    cooled: f64,
    /// The variance of its level for its own noise.
    variance: f64,
    weight: f64,
}

/// The rate at which the pods of each life grow, in bytes per second; `None` where their ages do not show it. `tau_ms`,
/// `noise`: see `start_up::Without`.
pub(super) fn rates(
    lifetimes: &[Lifetime],
    lives: &[Life],
    grid: (i64, f64),
    tau_ms: Option<f64>,
    noise: f64,
) -> Vec<Option<Known>> {
    let mut members: Vec<Member> = Vec::new();
    for (index, life) in lives.iter().enumerate() {
        let of_life = lifetimes.iter().filter(|one| one.starts).filter_map(|one| {
            let within: Vec<usize> =
                one.cells.iter().map(|cell| cell.0).filter(|moment| life.moments.contains(moment)).collect();
            let level = *one.levels.get(&index)?;
            let n = within.len() as f64;
            let cooled = tau_ms.map_or(0.0, |tau| {
                within.iter().map(|moment| start_up::cooled(one, *moment, grid, tau)).sum::<f64>() / n
            });
            let start = 1e-3 * (one.start_ms - grid.0) as f64;
            Some(Member { life: index, start, level, cooled, variance: noise / n, weight: 1.0 })
        });
        members.extend(of_life);
    }
    let nothing = vec![None; lives.len()];
    let Some(first) = Fit::of(&mut members, lives.len()) else { return nothing };
    let own = members.iter().map(|one| one.variance).sum::<f64>() / members.len() as f64;
    let between = (first.variance - own).max(0.0);
    members.iter_mut().for_each(|one| one.weight = (between + one.variance).max(f64::MIN_POSITIVE).recip());
    let Some(fit) = Fit::of(&mut members, lives.len()) else { return nothing };
    // Student's t is wider than a normal distribution.
    let variance = fit.variance.max(1.0) * fit.degrees_of_freedom / (fit.degrees_of_freedom - 2.0);
    let known = |(rate, square): (f64, f64)| Known { mean: rate, variance: variance * square };
    fit.rates.into_iter().map(|rate| rate.map(known).filter(|known| known.variance > 0.0)).collect()
}

/// Levels by start and start-up, by weighted least squares.
struct Fit {
    /// Of each life its rate, and the variance of that in units of `variance`.
    rates: Vec<Option<(f64, f64)>>,
    /// The variance of the levels, times their weights.
    variance: f64,
    degrees_of_freedom: f64,
}

impl Fit {
    /// `None` with too few pods.
    fn of(members: &mut [Member], n_lives: usize) -> Option<Fit> {
        for life in 0..n_lives {
            let mut sums = [0.0; 4];
            for one in members.iter().filter(|one| one.life == life) {
                [1.0, one.start, one.level, one.cooled].iter().zip(&mut sums).for_each(|(x, sum)| *sum += one.weight * x);
            }
            for one in members.iter_mut().filter(|one| one.life == life) {
                one.start -= sums[1] / sums[0];
                one.level -= sums[2] / sums[0];
                one.cooled -= sums[3] / sums[0];
            }
        }
        let sum = |of: &dyn Fn(&Member) -> f64| members.iter().map(|one| one.weight * of(one)).sum::<f64>();
        // A start-up that was estimated too small makes young pods look small: what is along it says nothing of age.
        let cooled = sum(&|one| one.cooled * one.cooled);
        let along = |of: &dyn Fn(&Member) -> f64| {
            if cooled > 0.0 { sum(&|one| one.cooled * of(one)) / cooled } else { 0.0 }
        };
        let of_start = along(&|one| one.start);
        let apart = |one: &Member| one.start - of_start * one.cooled;
        let of_life = |life: usize| {
            let each = || members.iter().filter(|one| one.life == life);
            let total = |of: &dyn Fn(&Member) -> f64| each().map(|one| one.weight * of(one)).sum::<f64>();
            let (square, along) = (total(&|one| apart(one).powi(2)), total(&|one| apart(one) * one.start));
            (along > 1e-9 * square && square > 0.0)
                .then(|| (-total(&|one| apart(one) * one.level) / along, square / along.powi(2)))
        };
        let rates: Vec<Option<(f64, f64)>> = (0..n_lives).map(of_life).collect();
        let grown = |one: &Member| one.level + rates[one.life].map_or(0.0, |rate| rate.0) * one.start;
        let of_level = along(&grown);
        let n_used = (0..n_lives).filter(|life| members.iter().any(|one| one.life == *life)).count();
        let fitted = n_used + rates.iter().flatten().count() + usize::from(cooled > 0.0);
        let degrees_of_freedom = members.len() as f64 - fitted as f64;
        let variance = sum(&|one| (grown(one) - of_level * one.cooled).powi(2)) / degrees_of_freedom;
        (degrees_of_freedom >= LEAST).then_some(Fit { rates, variance, degrees_of_freedom })
    }
}
