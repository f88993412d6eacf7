//! The start-up that pods have in common, and by how much it may be wrong.

use super::cells::Cells;
use super::join::{Lifetime, Run};

/// A start-up lasts at most this share of the longest lifetime: a slower one cannot be distinguished from growth.
const LONGEST_START_UP: f64 = 0.25;
/// Time constants of a start-up that are tried, each so much longer than the one before.
const LONGER: f64 = 1.7;
/// The best of them is made finer so many times, by halves: to some 2 %.
const REFINEMENTS: i32 = 5;
/// A start-up is taken out where it explains so many times the variance of the noise that is left: what two coefficients
/// cost in the Bayesian information criterion, of some hundred readings.
const EXPLAINS: f64 = 10.0;

/// What pods have in common without their start-up.
pub(super) struct Without {
    /// Moments and bytes of a typical pod in each run.
    pub(super) of_runs: Vec<Vec<(usize, f64)>>,
    /// By how much the start-up that was taken out may be wrong in it, at every moment, in bytes: standard errors that
    /// are independent of each other. None where none was taken out.
    pub(super) errors: Vec<Vec<f64>>,
    /// The time constant of the start-up that was taken out, in milliseconds.
    pub(super) tau_ms: Option<f64>,
}

/// exp(-age/τ) of a lifetime at a moment; 0 where its start was not seen.
pub(super) fn cooled(lifetime: &Lifetime, moment: usize, grid: (i64, f64), tau_ms: f64) -> f64 {
    if lifetime.starts { (-age(lifetime, moment, grid) / tau_ms).exp() } else { 0.0 }
}

/// Milliseconds since its start.
fn age(lifetime: &Lifetime, moment: usize, grid: (i64, f64)) -> f64 {
    (moment as f64 * grid.1 - (lifetime.start_ms - grid.0) as f64).max(0.0)
}

/// Takes the start-up that all lifetimes have in common out of their cells, and gives each its level.
pub(super) fn without(lifetimes: &mut [Lifetime], runs: &[Run], grid: (i64, f64)) -> Without {
    let (mut left, mut squares, mut carried) = (Vec::new(), 0.0, 0.0);
    for run in runs {
        let cells = Cells::of(lifetimes, run, |_, _, bytes| bytes);
        let of_run = cells.left();
        squares += of_run.iter().map(|left| left * left).sum::<f64>();
        let next = cells.each.windows(2).zip(of_run.windows(2)).filter(|(pair, _)| pair[0].0 == pair[1].0);
        carried += next.map(|(_, left)| left[0] * left[1]).sum::<f64>();
        left.extend(of_run);
    }
    // Noise that lasts says less: of AR(1) noise so many readings are worth one.
    let lasts = (carried / squares).clamp(0.0, 0.999);
    let lasts = if squares > 0.0 { (1.0 + lasts) / (1.0 - lasts) } else { 1.0 };
    let longest = lifetimes.iter().map(|one| (one.end_ms - one.start_ms) as f64).fold(0.0, f64::max);
    let explained = |tau: f64| {
        let columns = runs.iter().flat_map(|run| {
            Cells::of(lifetimes, run, |lifetime, moment, _| cooled(lifetime, moment, grid, tau)).left()
        });
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
    let moments: usize = runs.iter().map(|run| run.moments.len()).sum();
    let free = (left.len() as f64 - moments as f64).max(1.0);
    let best = best.filter(|(gain, ..)| gain * free > EXPLAINS * lasts * (squares - gain));
    let mut errors = Vec::new();
    if let Some((gain, size, tau)) = best {
        let noise = lasts * (squares - gain) / free;
        errors = errors_of(lifetimes, runs, grid, (size, tau), noise);
        for lifetime in lifetimes.iter_mut() {
            let start_up: Vec<f64> =
                lifetime.cells.iter().map(|(moment, _)| size * cooled(lifetime, *moment, grid, tau)).collect();
            lifetime.cells.iter_mut().zip(start_up).for_each(|((_, bytes), start_up)| *bytes -= start_up);
        }
    }
    let mut of_runs = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let cells = Cells::of(lifetimes, run, |_, _, bytes| bytes);
        let (levels, common) = cells.levels();
        let mut seen = vec![0; cells.n_moments];
        for (of, at, _) in &cells.each {
            lifetimes[*of].levels.insert(index, levels[*of]);
            seen[*at] += 1;
        }
        let typical = cells.each.iter().map(|(of, ..)| levels[*of]).sum::<f64>() / cells.each.len().max(1) as f64;
        let seen = (0..cells.n_moments).filter(|at| seen[*at] > 0);
        of_runs.push(seen.map(|at| (run.moments.start + at, typical + common[at])).collect());
    }
    Without { of_runs, errors, tau_ms: best.map(|(.., tau)| tau) }
}

/// By how much a start-up of this size and time constant may be wrong in what is common, at every moment: its size and the
/// logarithm of its time constant, by least squares (one step of Gauss and Newton), as independent standard errors.
/// `noise`: the variance of the noise of a pod, times the number of cells that are worth one without memory.
fn errors_of(
    lifetimes: &[Lifetime],
    runs: &[Run],
    grid: (i64, f64),
    (size, tau): (f64, f64),
    noise: f64,
) -> Vec<Vec<f64>> {
    let n_moments = runs.iter().map(|run| run.moments.end).max().unwrap_or(0);
    let mut common = [vec![0.0; n_moments], vec![0.0; n_moments]];
    let mut left = [Vec::new(), Vec::new()];
    for run in runs {
        let by_size = |lifetime: &Lifetime, moment: usize, _: f64| cooled(lifetime, moment, grid, tau);
        let by_tau = |lifetime: &Lifetime, moment: usize, _: f64| {
            size * cooled(lifetime, moment, grid, tau) * age(lifetime, moment, grid) / tau
        };
        let both = [Cells::of(lifetimes, run, by_size), Cells::of(lifetimes, run, by_tau)];
        for (of, cells) in both.into_iter().enumerate() {
            left[of].extend(cells.left());
            common[of][run.moments.clone()].copy_from_slice(&cells.levels().1);
        }
    }
    let product = |a: usize, b: usize| left[a].iter().zip(&left[b]).map(|(a, b)| a * b).sum::<f64>();
    let (of_size, both, of_tau) = (product(0, 0), product(0, 1), product(1, 1));
    let determinant = of_size * of_tau - both * both;
    if determinant <= f64::EPSILON * of_size * of_tau {
        return Vec::new();
    }
    // The Cholesky factor of the covariance.
    let first = (noise * of_tau / determinant).sqrt();
    let (along, second) = (-both / of_tau * first, (noise / of_tau).sqrt());
    let [by_size, by_tau] = common;
    vec![
        by_size.iter().zip(&by_tau).map(|(by_size, by_tau)| first * by_size + along * by_tau).collect(),
        by_tau.iter().map(|by_tau| second * by_tau).collect(),
    ]
}
