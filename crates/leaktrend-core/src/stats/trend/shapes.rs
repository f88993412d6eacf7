//! Shapes with a number to be found: on a grid first, then between its places.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::super::ar1::{Column, Direction, Lanes, Regression};
use super::{Candidate, KNEES, PLAUSIBLE, TIME_CONSTANTS};

/// Rounds of golden-section refinement; an unrefined grid makes noiseless warm-ups look as if they grew on.
const REFINEMENTS: usize = 5;
/// The smaller part of the golden section.
const GOLDEN: f64 = 0.381_966_011_250_105;
/// Between two places of a grid the criterion falls at most so many times as far as it rises from one to the next.
const DEEPEST: f64 = 3.0;
/// Grids of times whose shapes are remembered: the series of a run share one, and another where they settle.
const REMEMBERED: usize = 4;

/// The column of a form beside those of a regression.
pub(super) struct Shape {
    column: Rc<Column>,
    direction: Option<Direction>,
}

impl Shape {
    pub(super) fn new(regression: &Regression<'_>, column: Rc<Column>) -> Shape {
        Shape { direction: regression.direction(&column), column }
    }

    pub(super) fn gain(&self, regression: &Regression<'_>) -> Lanes {
        regression.gain_along(&self.column, self.direction.as_ref())
    }
}

/// The forms on their grids, which only depend on when samples were taken.
pub(super) struct Shapes {
    pub(super) saturating: [Shape; TIME_CONSTANTS.len()],
    pub(super) broken: [Shape; KNEES.len()],
    pub(super) hinge: [Shape; KNEES.len()],
}

impl Shapes {
    /// Those that `make` makes beside a level and a line, or made before at the same times: in a run most series share
    /// them.
    pub(super) fn known(seconds: &[f64], make: impl FnOnce() -> Shapes) -> Rc<Shapes> {
        thread_local! {
            static KNOWN: RefCell<VecDeque<(Vec<f64>, Rc<Shapes>)>> = const { RefCell::new(VecDeque::new()) };
        }
        KNOWN.with_borrow_mut(|known| {
            let at = known.iter().position(|(at, _)| at == seconds);
            let (seconds, shapes) =
                at.and_then(|at| known.remove(at)).unwrap_or_else(|| (seconds.to_vec(), Rc::new(make())));
            known.push_front((seconds, Rc::clone(&shapes)));
            known.truncate(REMEMBERED);
            shapes
        })
    }
}

/// A form with a number to be found, tried on a grid.
pub(super) struct Tried<'g, S, F> {
    grid: &'g [f64],
    shape: S,
    candidate: F,
    candidates: Vec<Candidate>,
    /// Index of the best of the grid.
    best: usize,
}

impl<'g, S: Fn(f64) -> Shape, F: Fn(f64, &Shape) -> Candidate> Tried<'g, S, F> {
    /// `shapes`: what `shape` gives at each place of the grid.
    pub(super) fn new(grid: &'g [f64], shapes: &[Shape], shape: S, candidate: F) -> Tried<'g, S, F> {
        let candidates: Vec<Candidate> =
            grid.iter().zip(shapes).map(|(place, shape)| candidate(*place, shape)).collect();
        let best = (0..grid.len()).min_by(|&a, &b| candidates[a].bic.total_cmp(&candidates[b].bic)).unwrap_or(0);
        Tried { grid, shape, candidate, candidates, best }
    }

    fn at(&self, place: f64) -> Candidate {
        (self.candidate)(place, &(self.shape)(place))
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
        let [mut at_left, mut at_right] = [left, right].map(|place| self.at(place));
        for _ in 1..REFINEMENTS {
            if at_left.bic < at_right.bic {
                (upper, right, at_right) = (right, left, at_left);
                left = inner(lower, upper);
                at_left = self.at(left);
            } else {
                (lower, left, at_left) = (left, right, at_right);
                right = inner(upper, lower);
                at_right = self.at(right);
            }
        }
        let better = if at_left.bic < at_right.bic { at_left } else { at_right };
        if better.bic < best.bic { better } else { best.clone() }
    }
}
