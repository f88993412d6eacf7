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

    /// The same of a shape that leads upwards, and 0 of one that leads down.
    pub(super) fn gain_upwards(&self, regression: &Regression<'_>) -> Lanes {
        regression.gain_upwards(&self.column, self.direction.as_ref())
    }
}

/// The forms on their grids, which only depend on when samples were taken.
pub(super) struct Shapes {
    pub(super) saturating: [Shape; TIME_CONSTANTS.len()],
    pub(super) broken: [Shape; KNEES.len()],
    pub(super) hinge: [Shape; KNEES.len()],
    pub(super) climb: Vec<Shape>,
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
pub(super) struct Tried<'g, F> {
    grid: &'g [f64],
    candidates: Vec<Candidate>,
    at: F,
    /// Index of the best of the grid.
    best: usize,
}

impl<'g, F: Fn(f64) -> Candidate> Tried<'g, F> {
    /// `candidates`: what `at` gives at each place of the grid.
    pub(super) fn new(grid: &'g [f64], candidates: Vec<Candidate>, at: F) -> Tried<'g, F> {
        let best = (0..grid.len()).min_by(|&a, &b| candidates[a].bic.total_cmp(&candidates[b].bic)).unwrap_or(0);
        Tried { grid, candidates, at, best }
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
        let [mut at_left, mut at_right] = [left, right].map(&self.at);
        for _ in 1..REFINEMENTS {
            if at_left.bic < at_right.bic {
                (upper, right, at_right) = (right, left, at_left);
                left = inner(lower, upper);
                at_left = (self.at)(left);
            } else {
                (lower, left, at_left) = (left, right, at_right);
                right = inner(upper, lower);
                at_right = (self.at)(right);
            }
        }
        let better = if at_left.bic < at_right.bic { at_left } else { at_right };
        if better.bic < best.bic { better } else { best.clone() }
    }
}

/// Begins and ends of a climb that are tried, as shares of the window, before refinement.
const CLIMBS: [f64; 6] = [0.1, 0.25, 0.4, 0.55, 0.7, 0.85];
/// A climb takes at most this share of the window: what it is to be told from lies before and after it.
const LONGEST_CLIMB: f64 = 0.5;
/// And ends this share of the window before its end: less shows no level.
const LEVEL_AFTER: f64 = 0.1;

/// Whether a climb from one share of the window to another can be distinguished from growth.
fn is_climb([from, to]: [f64; 2]) -> bool {
    0.0 < from && from < to && to <= 1.0 - LEVEL_AFTER && to - from <= LONGEST_CLIMB
}

/// The climbs between places of the grid, in order.
pub(super) fn climbs() -> impl Iterator<Item = [f64; 2]> {
    CLIMBS.iter().flat_map(move |from| CLIMBS.iter().map(move |to| [*from, *to])).filter(|ends| is_climb(*ends))
}

/// A climb, whose begin and end are to be found, tried on a grid. Upwards only: beside a way down between them, the two rises
/// of a slow wave look like growth.
pub(super) struct Climbs<S, F> {
    shape: S,
    candidate: F,
    best: ([f64; 2], Candidate),
}

impl<S: Fn([f64; 2]) -> Shape, F: Fn([f64; 2], &Shape) -> Candidate> Climbs<S, F> {
    /// `shapes`: what `shape` gives at each of `climbs()`.
    pub(super) fn new(shapes: &[Shape], shape: S, candidate: F) -> Climbs<S, F> {
        let tried = climbs().zip(shapes).map(|(ends, shape)| (ends, candidate(ends, shape)));
        let best = tried.min_by(|a, b| a.1.bic.total_cmp(&b.1.bic)).expect("a grid has climbs");
        Climbs { shape, candidate, best }
    }

    pub(super) fn bic(&self) -> f64 {
        self.best.1.bic
    }

    /// The best, after `REFINEMENTS` rounds in which each end moves by half as far as in the one before where that explains
    /// more; only where the grid is plausible beside a line, with a criterion of `line`.
    pub(super) fn refined(self, line: f64) -> Candidate {
        let (mut ends, mut best) = self.best;
        if best.bic > line + PLAUSIBLE {
            return best;
        }
        let mut step = CLIMBS[1] - CLIMBS[0];
        for _ in 0..REFINEMENTS {
            step *= 0.5;
            for (end, sign) in [(0, -1.0), (0, 1.0), (1, -1.0), (1, 1.0)] {
                let mut moved = ends;
                moved[end] += sign * step;
                if !is_climb(moved) || moved[1] - moved[0] < step {
                    continue;
                }
                let candidate = (self.candidate)(moved, &(self.shape)(moved));
                if candidate.bic < best.bic {
                    (ends, best) = (moved, candidate);
                }
            }
        }
        best
    }
}
