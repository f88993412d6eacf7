//! Which shape a series has: flat, a line, a bend, a plateau, steps, each with and without growth.
//!
//! Every nuisance that imitates growth is tried with and without a linear term, under autocorrelated noise; the
//! Bayesian information criterion decides. Growth that survives them all is growth.

use std::f64::consts::TAU;

use super::ar1::{LinePosterior, Noise, PHI, Projection, Scaled, SlopePosterior};
use super::{Points, steps};

/// Time constants of a saturating rise that are tried, as shares of the window, before refinement.
pub(crate) const TIME_CONSTANTS: [f64; 11] = [0.008, 0.015, 0.03, 0.05, 0.08, 0.13, 0.2, 0.3, 0.45, 0.7, 1.0];
/// With a linear term beside it only the quick ones: a slow rise cannot be told from growth.
pub(crate) const QUICK_TIME_CONSTANTS: usize = 6;
/// Rounds of golden-section refinement of time constants and knees; an unrefined grid makes noiseless warm-ups look as
/// if they grew on.
const REFINEMENTS: usize = 5;

/// What the location of a step costs, in coefficients: every sample was tried for it (Zhang, Siegmund 2007). At the
/// price of one, every seventh straight leak was given a step that is not there.
const STEP_LOCATION: usize = 2;

/// The form of a series over its window.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// A level.
    Flat,
    /// A straight line.
    Linear,
    /// A rise that levels off: 1 - exp(-t/τ), τ as a share of the window.
    Saturating(f64),
    /// The same, and growth that goes on.
    SaturatingLinear(f64),
    /// A level, then growth from a share of the window on.
    Hinge(f64),
    /// Growth up to a share of the window, then a level.
    RampFlat(f64),
    /// Another level from one index to before another, then the first again.
    Pulse([usize; 2]),
    /// Level shifts before these indices.
    Steps(Vec<usize>),
    /// Level shifts, and growth.
    StepsLinear(Vec<usize>),
}

impl Form {
    /// Whether growth goes on to the end of the window.
    pub const fn grows(&self) -> bool {
        matches!(self, Form::Linear | Form::SaturatingLinear(_) | Form::Hinge(_) | Form::StepsLinear(_))
    }

    /// Level shifts before these indices; empty for other forms.
    pub fn steps(&self) -> &[usize] {
        match self {
            Form::Steps(at) | Form::StepsLinear(at) => at,
            Form::Pulse(ends) => ends,
            _ => &[],
        }
    }

    /// What a reader would call it.
    pub const fn name(&self) -> &'static str {
        match self {
            Form::Flat => "a level",
            Form::Linear => "a straight line",
            Form::Saturating(_) => "a rise that levels off",
            Form::SaturatingLinear(_) => "a warm-up and then growth",
            Form::Hinge(_) => "a level and then growth",
            Form::RampFlat(_) => "a rise to a level",
            Form::Pulse(_) => "another level for a while",
            Form::Steps(_) => "a level shift",
            Form::StepsLinear(_) => "a level shift and growth",
        }
    }

    /// Coefficients beside the constant and the cycle, locations and time constants included.
    fn parameters(&self) -> usize {
        match self {
            Form::Flat => 0,
            Form::Linear => 1,
            Form::Saturating(_) | Form::Hinge(_) | Form::RampFlat(_) => 2,
            Form::SaturatingLinear(_) => 3,
            Form::Pulse(_) => 2 * STEP_LOCATION + 1,
            Form::Steps(at) => (STEP_LOCATION + 1) * at.len(),
            Form::StepsLinear(at) => (STEP_LOCATION + 1) * at.len() + 1,
        }
    }

    /// How the curve changes with what was searched for: beside these columns the slope does not depend on having
    /// found it exactly (one step of Gauss and Newton).
    fn searched(&self, x: &[f64]) -> Option<Vec<f64>> {
        match self {
            Form::Hinge(knee) => Some(x.iter().map(|x| f64::from(u8::from(x > knee))).collect()),
            Form::SaturatingLinear(tau) => Some(x.iter().map(|x| x * (-x / tau).exp()).collect()),
            _ => None,
        }
    }

    /// The columns beside the constant and the cycle, the one that grows last.
    fn columns(&self, x: &[f64]) -> Vec<Vec<f64>> {
        let each = |f: &dyn Fn(f64) -> f64| x.iter().map(|x| f(*x)).collect::<Vec<f64>>();
        match self {
            Form::Flat => vec![],
            Form::Linear => vec![x.to_vec()],
            Form::Saturating(tau) => vec![each(&|x| 1.0 - (-x / tau).exp())],
            Form::SaturatingLinear(tau) => vec![each(&|x| 1.0 - (-x / tau).exp()), x.to_vec()],
            Form::Hinge(knee) => vec![each(&|x| (x - knee).max(0.0))],
            Form::RampFlat(knee) => vec![each(&|x| x.min(*knee))],
            Form::Pulse([from, to]) => {
                vec![(0..x.len()).map(|index| f64::from(u8::from((*from..*to).contains(&index)))).collect()]
            }
            Form::Steps(at) => at.iter().map(|&at| steps::column(at, x.len())).collect(),
            Form::StepsLinear(at) => at.iter().map(|&at| steps::column(at, x.len())).chain([x.to_vec()]).collect(),
        }
    }
}

/// A form that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The form.
    pub form: Form,
    /// Pairs of daily harmonics beside it.
    pub harmonics: usize,
    /// Bayesian information criterion up to a constant; smaller is better.
    pub bic: f64,
    /// The φ of the noise under which the form explains most.
    pub phi: f64,
}

/// The chosen shape, what speaks for it, and the slope in it.
#[derive(Debug, Clone)]
pub struct Shape {
    /// The best candidate.
    pub chosen: Candidate,
    /// The best candidate that grows exactly when the chosen one does not.
    pub runner_up: Candidate,
    /// By how much the best growing candidate beats the best other one, in BIC; negative when it does not.
    pub margin: f64,
    /// The slope in the chosen shape, in `y` per `x`; `None` when it leaves no freedom for one.
    pub slope: Option<SlopePosterior>,
    /// The fitted curve at every point, in `y`.
    pub curve: Vec<f64>,
    /// `y` without the daily cycle.
    pub without_cycle: Vec<f64>,
}

/// Chooses the shape of `points` and estimates the slope in it; `None` with fewer than 8 points.
///
/// `day`: the length of a day in units of `x`; windows of 0.9 days and more get one pair of harmonics (then with a
/// level and a line only), of 1.9 days two pairs. With less, harmonics beside steps and bends imitate anything.
/// `floor`: the variance of reading, in `y` squared. Takes O(n) time for a bounded number of candidates.
pub fn choose(points: Points<'_>, day: f64, floor: f64) -> Option<Shape> {
    let n = points.len();
    if n < 8 {
        return None;
    }
    let (first, span) = (points.x()[0], points.span());
    let x: Vec<f64> = points.x().iter().map(|x| (x - first) / span).collect();
    let scaled = Scaled::new(points.y());
    let floor = floor / scaled.unit.powi(2);
    let noise = Noise::new(points.x(), &[]);
    let days = span / day;
    let harmonics = if days < 0.9 {
        0
    } else if days < 1.9 {
        1
    } else {
        2
    };

    let mut candidates = Vec::new();
    for pairs in if harmonics == 0 { vec![0] } else { vec![0, harmonics] } {
        let search = Search {
            x: &x,
            y: &scaled.values,
            noise: &noise,
            base: base_columns(points.x(), pairs, day),
            harmonics: pairs,
            floor,
        };
        search.run(pairs > 0 && days < 1.9, &mut candidates);
    }

    candidates.sort_by(|a, b| a.bic.total_cmp(&b.bic));
    let growing = candidates.iter().find(|candidate| candidate.form.grows())?.clone();
    let level = candidates.iter().find(|candidate| !candidate.form.grows())?.clone();
    let chosen = candidates.swap_remove(0);
    let runner_up = if chosen.form.grows() { level.clone() } else { growing.clone() };

    let base = base_columns(points.x(), chosen.harmonics, day);
    let mut columns: Vec<Vec<f64>> = base.iter().cloned().chain(chosen.form.columns(&x)).collect();
    let coefficients = coefficients(&noise, &scaled.values, &columns, chosen.phi);
    let mean = super::robust::mean(points.y())?;
    let sum = |range: std::ops::Range<usize>, index: usize| -> f64 {
        range.map(|column| coefficients[column] * columns[column][index]).sum::<f64>() * scaled.unit
    };
    let curve = (0..n).map(|index| mean + sum(0..columns.len(), index)).collect();
    let without_cycle = (0..n).map(|index| points.y()[index] - sum(1..base.len(), index)).collect();

    let growth = if chosen.form.grows() { columns.pop()? } else { x.clone() };
    columns.extend(chosen.form.searched(&x));
    let slope = SlopePosterior::new(&noise, &scaled.values, &columns, &growth, floor)
        .map(|posterior| posterior.scaled(scaled.unit / span));
    Some(Shape { margin: level.bic - growing.bic, chosen, runner_up, slope, curve, without_cycle })
}

impl Shape {
    /// The line on which it goes on, with its level at `origin`; `None` when it leaves no freedom for one.
    ///
    /// `points`, `day` and `floor` as it was chosen with. What saturates or has stepped counts as it is at the end;
    /// the daily cycle is left out.
    pub fn line(&self, points: Points<'_>, day: f64, floor: f64, origin: f64) -> Option<LinePosterior> {
        let (first, span) = (points.x()[0], points.span());
        let x: Vec<f64> = points.x().iter().map(|x| (x - first) / span).collect();
        let scaled = Scaled::new(points.y());
        let mut columns = self.chosen.form.columns(&x);
        let searched = self.chosen.form.searched(&x);
        let growth = if self.chosen.form.grows() { columns.pop()? } else { x };
        columns.extend(searched);
        for column in &mut columns {
            let end = *column.last()?;
            column.iter_mut().for_each(|value| *value -= end);
        }
        columns.extend(base_columns(points.x(), self.chosen.harmonics, day).into_iter().skip(1));
        // A hinge's column counts from its knee.
        let knee = if let Form::Hinge(knee) = self.chosen.form { knee } else { 0.0 };
        let origin = (origin - first) / span - knee;
        let noise = Noise::new(points.x(), &[]);
        let line = LinePosterior::new(&noise, &scaled.values, &columns, &growth, origin, floor / scaled.unit.powi(2))?;
        Some(line.scaled(&scaled, span))
    }
}

/// Makes a form of the steps that were placed.
type FromSteps = fn(Vec<usize>) -> Form;

/// A constant and pairs of sine and cosine of the day.
fn base_columns(x: &[f64], pairs: usize, day: f64) -> Vec<Vec<f64>> {
    let mut columns = vec![vec![1.0; x.len()]];
    for pair in 1..=pairs {
        let angle = |x: &f64| TAU * pair as f64 * x / day;
        columns.push(x.iter().map(|x| angle(x).sin()).collect());
        columns.push(x.iter().map(|x| angle(x).cos()).collect());
    }
    columns
}

/// The coefficients of all columns under one φ of the noise, 0 for those that add nothing.
fn coefficients(noise: &Noise, y: &[f64], columns: &[Vec<f64>], phi: f64) -> Vec<f64> {
    let index = PHI.iter().position(|known| *known == phi).unwrap_or(0);
    // A column's own coefficient is the one it has when it comes last.
    (0..columns.len())
        .map(|last| {
            let others: Vec<Vec<f64>> = columns
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != last)
                .map(|(_, column)| column.clone())
                .collect();
            noise.project_one(index, y, &others).push(&columns[last]).unwrap_or(0.0)
        })
        .collect()
}

struct Search<'a> {
    x: &'a [f64],
    y: &'a [f64],
    noise: &'a Noise,
    base: Vec<Vec<f64>>,
    harmonics: usize,
    floor: f64,
}

impl Search<'_> {
    fn run(&self, lines_only: bool, candidates: &mut Vec<Candidate>) {
        let level = self.noise.project(self.y, &self.base);
        let mut line = level.clone();
        for projection in &mut line {
            projection.push(self.x);
        }
        candidates.push(self.candidate(Form::Flat, &level));
        candidates.push(self.candidate(Form::Linear, &line));
        if lines_only {
            return;
        }

        candidates.push(self.best_time_constant(&TIME_CONSTANTS, &level, Form::Saturating));
        candidates.push(self.best_time_constant(
            &TIME_CONSTANTS[..QUICK_TIME_CONSTANTS],
            &line,
            Form::SaturatingLinear,
        ));
        for form in [Form::Hinge as fn(f64) -> Form, Form::RampFlat] {
            candidates.push(self.best_knee(&level, form));
        }
        if self.y.len() < 16 {
            return;
        }
        let kinds: [(&[Projection<'_>], FromSteps); 2] = [(&level, Form::Steps), (&line, Form::StepsLinear)];
        for (projections, form) in kinds {
            for placement in steps::place(projections, self.floor, 2) {
                let mut at = placement.at;
                at.sort_unstable();
                let form = form(at);
                if let Form::Steps(at) = &form
                    && let Ok(ends) = <[usize; 2]>::try_from(at.as_slice())
                {
                    candidates.push(self.with_one_column(Form::Pulse(ends), &level));
                }
                let bic = placement.criterion + self.price(&form);
                candidates.push(Candidate { form, harmonics: self.harmonics, bic, phi: placement.phi });
            }
        }
    }

    /// A form whose columns are all in the projections.
    fn candidate(&self, form: Form, projections: &[Projection<'_>]) -> Candidate {
        self.scored(form, projections.iter().map(|projection| projection.criterion(0.0, self.floor)))
    }

    /// A form with one column more than the projections hold: its first.
    fn with_one_column(&self, form: Form, projections: &[Projection<'_>]) -> Candidate {
        let column = &form.columns(self.x)[0];
        let criteria: Vec<f64> =
            projections.iter().map(|projection| projection.criterion(projection.gain(column), self.floor)).collect();
        self.scored(form, criteria.into_iter())
    }

    fn best_time_constant(&self, grid: &[f64], projections: &[Projection<'_>], form: fn(f64) -> Form) -> Candidate {
        let grid: Vec<f64> = grid.iter().map(|tau| tau.ln()).collect();
        refined(&grid, |tau| self.with_one_column(form(tau.exp()), projections))
    }

    fn best_knee(&self, projections: &[Projection<'_>], form: fn(f64) -> Form) -> Candidate {
        let grid: Vec<f64> = (2..=17).map(|twentieth| f64::from(twentieth) / 20.0).collect();
        refined(&grid, |knee| self.with_one_column(form(knee), projections))
    }

    fn scored(&self, form: Form, criteria: impl Iterator<Item = f64>) -> Candidate {
        let (criterion, phi) =
            criteria.zip(PHI).min_by(|a, b| a.0.total_cmp(&b.0)).expect("there is at least one coefficient to try");
        let bic = criterion + self.price(&form);
        Candidate { form, harmonics: self.harmonics, bic, phi }
    }

    fn price(&self, form: &Form) -> f64 {
        (self.base.len() + form.parameters()) as f64 * (self.y.len() as f64).ln()
    }
}

/// The best of a grid, then of `REFINEMENTS` rounds of golden section between its neighbours.
fn refined(grid: &[f64], candidate: impl Fn(f64) -> Candidate) -> Candidate {
    let tried: Vec<Candidate> = grid.iter().map(|&place| candidate(place)).collect();
    let best = (0..tried.len()).min_by(|&a, &b| tried[a].bic.total_cmp(&tried[b].bic)).unwrap_or(0);
    let mut lower = grid[best.saturating_sub(1)];
    let mut upper = grid[(best + 1).min(grid.len() - 1)];
    let mut best = tried[best].clone();
    for _ in 0..REFINEMENTS {
        let left = lower + 0.382 * (upper - lower);
        let right = lower + 0.618 * (upper - lower);
        let [at_left, at_right] = [left, right].map(&candidate);
        let better = if at_left.bic < at_right.bic {
            upper = right;
            at_left
        } else {
            lower = left;
            at_right
        };
        if better.bic < best.bic {
            best = better;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shape: impl Fn(f64) -> f64, expected: &str) {
        let x: Vec<f64> = (0..200).map(f64::from).collect();
        let wiggle = [0.3, -0.5, 0.1, 0.6, -0.4, -0.1, 0.4, -0.6, 0.2];
        let y: Vec<f64> = x.iter().map(|x| shape(x / 200.0) + wiggle[*x as usize % 9]).collect();
        let chosen = choose(Points::new(&x, &y).unwrap(), 1e9, 0.0).unwrap().chosen;
        assert_eq!(chosen.form.name(), expected, "{chosen:?}");
    }

    #[test]
    fn shapes_are_told_apart() {
        check(|_| 100.0, "a level");
        check(|x| 100.0 + 20.0 * x, "a straight line");
        check(|x| 100.0 + 30.0 * (x - 0.5).max(0.0), "a level and then growth");
        check(|x| 100.0 + 30.0 * (1.0 - (-x / 0.05).exp()), "a rise that levels off");
        check(|x| 100.0 + 30.0 * x.min(0.5), "a rise to a level");
        check(|x| 100.0 + if x < 0.4 { 0.0 } else { 10.0 }, "a level shift");
        check(|x| 100.0 + 20.0 * x + if x < 0.4 { 0.0 } else { 10.0 }, "a level shift and growth");
        check(|x| 100.0 + 20.0 * x + 30.0 * (1.0 - (-x / 0.03).exp()), "a warm-up and then growth");
    }
}
