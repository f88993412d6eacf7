//! Level shifts, one or a few, found greedily and then each once more given the others.

use super::ar1::{Noise, PHI, Projection};
use super::robust::mean;

/// Rounds in which every step is placed again given the others.
const ROUNDS: usize = 2;

/// The best placement of a number of steps under the φ that explains them best.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Index of the first sample after each step, in no order.
    pub at: Vec<usize>,
    /// -2 log likelihood up to a constant.
    pub criterion: f64,
    /// The φ under which it is smallest.
    pub phi: f64,
}

/// The best placements of 1, 2, ... `most` steps on top of `columns`; shorter where no further step fits.
///
/// `phis`: how many coefficients of `PHI` are tried. Takes O(n p) time per step, round and φ.
pub fn place(noise: &Noise, y: &[f64], columns: &[Vec<f64>], floor: f64, most: usize, phis: usize) -> Vec<Placement> {
    let mut best: Vec<Placement> = Vec::new();
    for (base, &phi) in noise.project(y, columns).iter().zip(&PHI[..phis]) {
        let mut at: Vec<usize> = Vec::new();
        for count in 1..=most {
            let Some((step, gain)) = with_steps(base, at.iter().copied(), y.len()).best_step() else { break };
            at.push(step);
            let mut last = (with_steps(base, at[..count - 1].iter().copied(), y.len()), gain);
            if count >= 2 {
                for index in (0..ROUNDS).flat_map(|_| 0..count) {
                    let others = at.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, &at)| at);
                    let projection = with_steps(base, others, y.len());
                    if let Some((step, gain)) = projection.best_step() {
                        at[index] = step;
                        last = (projection, gain);
                    }
                }
            }
            let criterion = last.0.criterion(last.1, floor);
            let placement = Placement { at: at.clone(), criterion, phi };
            match best.get_mut(count - 1) {
                Some(known) if known.criterion <= criterion => {}
                Some(known) => *known = placement,
                None => best.push(placement),
            }
        }
    }
    best
}

fn with_steps<'a>(base: &Projection<'a>, at: impl Iterator<Item = usize>, n: usize) -> Projection<'a> {
    let mut projection = base.clone();
    for at in at {
        projection.push(&column(at, n));
    }
    projection
}

/// 0 before `at`, 1 from there on.
pub fn column(at: usize, n: usize) -> Vec<f64> {
    (0..n).map(|index| if index < at { 0.0 } else { 1.0 }).collect()
}

/// Several lasting shifts of a level.
#[derive(Debug, Clone, PartialEq)]
pub struct Shifts {
    /// Index of the first sample after each shift, increasing.
    pub at: Vec<usize>,
    /// By how much the mean changes at each.
    pub sizes: Vec<f64>,
    /// Bayesian information criterion of the description, up to the same constant as a shape's.
    pub bic: f64,
}

/// As many shifts as explain `y` best, at most ten, each paid for with 3 log n (Zhang, Siegmund 2007, in the spirit
/// of their modified criterion). O(n) memory, O(n) time for a bounded number of shifts.
pub fn search(noise: &Noise, y: &[f64], floor: f64) -> Shifts {
    /// Near a unit root every wandering series is a staircase.
    const PHIS: usize = 10;
    const MOST: usize = 10;

    let n = y.len();
    let price = (n as f64).ln();
    let constant = vec![vec![1.0; n]];
    let flat = noise
        .project(y, &constant)
        .iter()
        .map(|projection| projection.criterion(0.0, floor))
        .fold(f64::INFINITY, f64::min);
    let placements = place(noise, y, &constant, floor, MOST.min(n / 10), PHIS);
    let best = placements
        .iter()
        .map(|placement| (placement.criterion + 3.0 * placement.at.len() as f64 * price, placement.at.as_slice()))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(criterion, _)| *criterion < flat);

    let (criterion, mut at) = best.map_or((flat, Vec::new()), |(criterion, at)| (criterion, at.to_vec()));
    at.sort_unstable();
    at.dedup();
    let edges: Vec<usize> = [0].into_iter().chain(at.iter().copied()).chain([n]).collect();
    let levels: Vec<f64> = edges.windows(2).map(|edge| mean(&y[edge[0]..edge[1]]).expect("steps are apart")).collect();
    let sizes = levels.windows(2).map(|pair| pair[1] - pair[0]).collect();
    Shifts { at, sizes, bic: criterion + price }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(levels: &[(usize, f64)], at: &[usize]) {
        let y: Vec<f64> = levels
            .iter()
            .flat_map(|&(count, level)| (0..count).map(move |i| level + if i % 2 == 0 { 0.1 } else { -0.1 }))
            .collect();
        let x: Vec<f64> = (0..y.len()).map(|index| index as f64).collect();
        assert_eq!(search(&Noise::new(&x, &[]), &y, 0.0).at, at);
    }

    #[test]
    fn shifts_are_found_where_they_are() {
        check(&[(60, 1.0)], &[]);
        check(&[(30, 1.0), (30, 2.0)], &[30]);
        check(&[(30, 1.0), (20, 2.0), (40, 5.0), (30, 4.0)], &[30, 50, 90]);
    }
}
