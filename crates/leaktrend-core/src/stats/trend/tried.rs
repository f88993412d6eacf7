//! Forms with a number to be found: tried on a grid, and refined where they may be plausible.

use super::{Candidate, PLAUSIBLE};

/// Rounds of golden-section refinement; an unrefined grid makes noiseless warm-ups look as if they grew on.
const REFINEMENTS: usize = 5;
/// The smaller part of the golden section.
const GOLDEN: f64 = 0.381_966_011_250_105;
/// Between two places of a grid the criterion falls at most so many times as far as it rises from one to the next.
const DEEPEST: f64 = 3.0;

/// A form with a number to be found, tried on a grid.
pub(super) struct Tried<'g, F> {
    grid: &'g [f64],
    candidate: F,
    candidates: Vec<Candidate>,
    /// Index of the best of the grid.
    best: usize,
}

impl<'g, F: Fn(f64) -> Candidate> Tried<'g, F> {
    pub(super) fn new(grid: &'g [f64], candidate: F) -> Tried<'g, F> {
        let candidates: Vec<Candidate> = grid.iter().map(|&place| candidate(place)).collect();
        let best = (0..grid.len()).min_by(|&a, &b| candidates[a].bic.total_cmp(&candidates[b].bic)).unwrap_or(0);
        Tried { grid, candidate, candidates, best }
    }

    pub(super) fn bic(&self) -> f64 {
        self.candidates[self.best].bic
    }

    /// The best, after `REFINEMENTS` rounds of golden section between its neighbours where it may then be plausible
    /// beside a description with a criterion of `least`.
    pub(super) fn refined(&self, least: f64) -> Candidate {
        let (before, after) = (self.best.saturating_sub(1), (self.best + 1).min(self.grid.len() - 1));
        let best = &self.candidates[self.best];
        let rise = self.candidates[before].bic.max(self.candidates[after].bic) - best.bic;
        if best.bic - DEEPEST * rise > least + PLAUSIBLE {
            return best.clone();
        }
        let (mut lower, mut upper) = (self.grid[before], self.grid[after]);
        let inner = |near: f64, far: f64| near + GOLDEN * (far - near);
        let (mut left, mut right) = (inner(lower, upper), inner(upper, lower));
        let [mut at_left, mut at_right] = [left, right].map(&self.candidate);
        for _ in 1..REFINEMENTS {
            if at_left.bic < at_right.bic {
                (upper, right, at_right) = (right, left, at_left);
                left = inner(lower, upper);
                at_left = (self.candidate)(left);
            } else {
                (lower, left, at_left) = (left, right, at_right);
                right = inner(upper, lower);
                at_right = (self.candidate)(right);
            }
        }
        let better = if at_left.bic < at_right.bic { at_left } else { at_right };
        if better.bic < best.bic { better } else { best.clone() }
    }
}
