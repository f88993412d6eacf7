//! When growth began, for someone who knows the course of the load and the noise of memory, and looks at every reading.
//!
//! Someone who knows even the level and how much the load takes does not know the moment and the rate either, and no one
//! knows the moment better.

use leaktrend_core::causes::{Began, NAMED, Onset};

/// Growth that began within the readings must say so by this much more than growth all along, as in the program.
const MARGIN: f64 = 6.0;
/// As in the program, growth began with one of the changes as likely as not, before looking.
const EVEN: f64 = 0.5;

/// Memory beside its level and its load.
pub(crate) struct Left<'a> {
    /// At every reading: growth and noise.
    pub(crate) values: &'a [f64],
    /// Standard deviation and AR(1) coefficient of the noise.
    pub(crate) noise: (f64, f64),
    /// What memory holds beside, of unknown size: the level, and the course of the load. Empty for who knows them.
    pub(crate) beside: &'a [Vec<f64>],
    /// Readings at which growth starts over.
    pub(crate) restarts: &'a [usize],
    /// Seconds between readings.
    pub(crate) step: f64,
}

/// The onset, with the same confidence and the same rule for changes as that of the program; `changes` in seconds.
pub(crate) fn onset(left: &Left<'_>, confidence: f64, changes: &[f64]) -> Option<Onset> {
    let n = left.values.len();
    let (sd, phi) = left.noise;
    let fresh = sd * sd * (1.0 - phi * phi);
    let white = |values: &dyn Fn(usize) -> f64, at: usize| {
        if at == 0 { (1.0 - phi * phi).sqrt() * values(0) } else { values(at) - phi * values(at - 1) }
    };
    let response: Vec<f64> = (0..n).map(|at| white(&|at| left.values[at], at)).collect();
    // What is beside, orthonormal, and taken out of the response.
    let mut beside: Vec<Vec<f64>> = Vec::new();
    for shape in left.beside {
        let mut one: Vec<f64> = (0..n).map(|at| white(&|at| shape[at], at)).collect();
        beside.iter().for_each(|known| take_out(&mut one, known));
        let length = dot(&one, &one).sqrt();
        one.iter_mut().for_each(|value| *value /= length);
        beside.push(one);
    }
    let mut response = response;
    beside.iter().for_each(|known| take_out(&mut response, known));
    let runs: Vec<usize> =
        (0..n).map(|at| left.restarts.iter().rev().find(|start| **start <= at).map_or(0, |at| *at)).collect();
    // -2 log of the likelihood, but for what all moments have in common.
    let criterion = |start: usize| {
        let grown = |at: usize| if at < start { 0.0 } else { (at - start.max(runs[at]) + 1) as f64 };
        let column: Vec<f64> = (0..n).map(|at| white(&grown, at)).collect();
        let along = dot(&column, &response);
        let square = dot(&column, &column) - beside.iter().map(|known| dot(&column, known).powi(2)).sum::<f64>();
        if along > 0.0 { -along * along / square / fresh } else { 0.0 }
    };
    let edge = n / 100;
    let moments: Vec<f64> = (edge..n - edge).map(criterion).collect();
    let best = moments.iter().copied().fold(f64::INFINITY, f64::min);
    if criterion(0) < best + 2.0 * (n as f64).ln() + MARGIN {
        return None;
    }
    let density: Vec<f64> = moments.iter().map(|criterion| (-0.5 * (criterion - best)).exp()).collect();
    let total: f64 = density.iter().sum();
    let quantile = |share: f64| {
        let mut left_over = share * total;
        let place = density.iter().position(|density| {
            left_over -= density;
            left_over <= 0.0
        });
        (edge + place.unwrap_or(density.len() - 1)) as f64 * left.step
    };
    let tail = 0.5 * (1.0 - confidence);
    let (lower, upper) = (quantile(tail) - left.step, quantile(1.0 - tail) + left.step);
    // A change is made between two readings.
    let of_change = |at: &f64| {
        let reading = (at / left.step) as usize;
        let around = [reading, reading + 1].map(|at| at.checked_sub(edge).and_then(|at| density.get(at)).copied());
        around.into_iter().flatten().fold(0.0, f64::max)
    };
    let densities: Vec<f64> = changes.iter().map(of_change).collect();
    let share = EVEN / changes.len().max(1) as f64;
    let all = (1.0 - EVEN) * total / density.len() as f64 + share * densities.iter().sum::<f64>();
    let is_inside = |at: &f64| lower <= *at && *at <= upper;
    let is_alone = changes.iter().filter(|at| is_inside(at)).count() == 1;
    let began = |(at, density): (&f64, &f64)| {
        let probability = share * density / all;
        Began { is_inside: is_inside(at), probability, is_named: is_inside(at) && is_alone && NAMED <= probability }
    };
    let changes = changes.iter().zip(&densities).map(began).collect();
    Some(Onset { at: quantile(0.5), lower, upper, confidence, changes })
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Takes the part along a vector of length 1 out of another.
fn take_out(from: &mut [f64], along: &[f64]) {
    let part = dot(from, along);
    from.iter_mut().zip(along).for_each(|(value, along)| *value -= part * along);
}
