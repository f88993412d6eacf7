//! Where a series goes now: every shape that imitates growth is tried beside growth, and all that explain it well
//! speak of its slope, each with its weight.
//!
//! Weights are those of the Bayesian information criterion (Kass, Raftery 1995); what was searched for (a knee, a time
//! constant, the place of a step) is paid for as a coefficient. Growth that survives all of them is growth.

mod shapes;

use std::rc::Rc;

use super::ar1::{Column, Noise, PHI, Regression, Scaled};
use super::calendar::{self, Rhythm};
use super::posterior::LinePosterior;
use super::robust::median;
use super::{Points, steps};
use shapes::{Shape, Shapes, Tried};

/// Time constants of a start-up that are tried, as shares of the window, before refinement.
const TIME_CONSTANTS: [f64; 10] = [0.008, 0.015, 0.03, 0.05, 0.08, 0.13, 0.2, 0.3, 0.45, 0.7];
/// Knees that are tried, as shares of the window, before refinement.
const KNEES: [f64; 16] = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85];
/// The latest of them: growth that began later is taken to have begun there.
pub const LATEST_KNEE: f64 = KNEES[KNEES.len() - 1];
/// What the location of a step costs, in coefficients: every sample was tried for it (Zhang, Siegmund 2007).
const STEP_LOCATION: usize = 2;
/// Descriptions that are worse by more than this have a weight below 1 %.
const PLAUSIBLE: f64 = 10.0;
/// A last life has a rate of its own only where it is so much of the window, and has this many points.
const LAST_LIFE: (f64, usize) = (0.15, 12);
/// A start-up lasts at most this share of the longest life: a slower one cannot be distinguished from growth.
const LONGEST_START_UP: f64 = 0.25;
/// What any other shape than a line costs beside its coefficients: twice the logarithm of the odds against it, here some
/// seven to one. At even odds the four kinds of shape, all of them wrong, would leave too little for the line to prove
/// a level. Chosen among 0, 2 and 4 on generated series, not taken from a source.
const OTHER_SHAPES: f64 = 4.0;
/// Rhythms that all shapes are tried with.
const RHYTHMS: usize = 2;
/// Fewer points are not fitted.
pub const MIN_POINTS: usize = 5;
/// Of fewer points only a line is asked.
const MIN_POINTS_OF_SHAPES: usize = 12;
/// Of fewer points no steps are asked.
const MIN_POINTS_OF_STEPS: usize = 16;

/// How a series reached its present level, apart from its present growth.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// The same rate throughout.
    Line,
    /// A start-up that levels off: 1 - exp(-t/τ), τ as a share of the window.
    Saturating(f64),
    /// A level up to a share of the window, and growth from there.
    Hinge(f64),
    /// Another rate up to a share of the window.
    Broken(f64),
    /// Level shifts before these points.
    Steps(Vec<usize>),
    /// Another level from one point to before another.
    Pulse([usize; 2]),
    /// Runs and what they have in common.
    Lives {
        /// Time constant of a start-up of each life, as a share of the window.
        start_up: Option<f64>,
        /// Whether the last life grows at a rate of its own.
        last_apart: bool,
        /// Whether all lives begin at one level.
        one_level: bool,
    },
}

impl Form {
    /// Level shifts before these points; empty for other forms.
    pub fn steps(&self) -> &[usize] {
        match self {
            Form::Steps(at) => at,
            Form::Pulse(ends) => ends,
            _ => &[],
        }
    }
}

/// A description that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its form.
    pub form: Form,
    /// Index of its rhythm.
    pub rhythm: usize,
    /// Bayesian information criterion up to a constant; smaller is better.
    pub bic: f64,
    /// Index in `PHI` under which it explains most.
    pub lane: usize,
}

/// The posterior of where a series is going.
#[derive(Debug, Clone)]
pub struct Trend {
    /// The best description.
    pub chosen: Candidate,
    /// The best description of another form.
    pub runner_up: Option<Candidate>,
    /// Its rhythm.
    pub rhythm: Rhythm,
    /// Its present line, with the level at the last point: all plausible descriptions together.
    pub line: LinePosterior,
    /// The growth that will not end by itself: without the rest of a start-up that levels off.
    pub sustained: LinePosterior,
    /// The curve of the best description at every point, in `y`.
    pub curve: Vec<f64>,
    /// `y` itself.
    pub values: Vec<f64>,
    /// `y` without its rhythm.
    pub without_rhythm: Vec<f64>,
}

/// The input of `of`.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// Seconds and values.
    pub points: Points<'a>,
    /// Index of the first point of each run after the first.
    pub starts: &'a [usize],
    /// See `calendar::rhythms`.
    pub monday: Option<f64>,
    /// Whether one daily harmonic is assumed, in a window too short to show it.
    pub daily: bool,
    /// Whether runs shorter than a day share a daily rhythm.
    pub across_lives: bool,
    /// The variance of reading, in `y` squared.
    pub floor: f64,
}

/// The trend of `setup`; `None` with too few points. Takes O(n) time for a bounded number of runs.
pub fn of(setup: &Setup<'_>) -> Option<Trend> {
    let Setup { points, starts, monday, daily, across_lives, floor } = *setup;
    let n = points.len();
    if n < MIN_POINTS {
        return None;
    }
    let scaled = Scaled::new(points.y());
    let noise = Noise::new(points.x(), starts);
    let mut rhythms =
        if daily { vec![calendar::daily(points.x())] } else { calendar::rhythms(points.x(), points.y(), monday) };
    // What lives of a day do in a day is growth or rhythm: it is taken for growth.
    if !across_lives && longest_life(points.x(), starts) < calendar::MIN_DAYS * calendar::DAY {
        rhythms.truncate(1);
    }
    let floor = floor / scaled.unit.powi(2);
    let mut search = Search::new(points.x(), starts, &scaled.values, &noise, &rhythms, floor);

    search.line_only = daily;
    search.sizes = sizes(points.y(), starts);
    let mut candidates = Vec::new();
    for rhythm in search.best_rhythms() {
        search.run(rhythm, &mut candidates);
    }
    candidates.sort_by(|a, b| a.bic.total_cmp(&b.bic));
    let chosen = candidates.first()?.clone();
    let kind = std::mem::discriminant(&chosen.form);
    let runner_up = candidates.iter().find(|other| std::mem::discriminant(&other.form) != kind).cloned();
    let plausible = candidates.iter().filter(|candidate| candidate.bic <= chosen.bic + PLAUSIBLE);
    let lines = plausible.filter_map(|candidate| {
        let weight = (-0.5 * (candidate.bic - chosen.bic)).exp();
        let [now, sustained] = search.description(candidate).lines(&search)?;
        Some(((weight, now), (weight, sustained)))
    });
    let (lines, sustained): (Vec<_>, Vec<_>) = lines.unzip();
    if lines.is_empty() {
        return None;
    }

    let (regression, _) = search.description(&chosen).regression(&search);
    let coefficients = regression.coefficients(chosen.lane);
    let residual = regression.residual(&coefficients);
    let curve = points.y().iter().zip(&residual).map(|(y, left)| y - left * scaled.unit).collect();
    let mut without_rhythm = points.y().to_vec();
    for column in &search.rhythms[chosen.rhythm] {
        let at = regression.columns().iter().position(|known| Rc::ptr_eq(known, column));
        let coefficient = at.map_or(0.0, |at| coefficients[at]) * scaled.unit;
        without_rhythm.iter_mut().zip(column.values()).for_each(|(y, value)| *y -= coefficient * value);
    }
    let [line, sustained] =
        [lines, sustained].map(|parts| LinePosterior::mixture(parts).scaled(&scaled, points.span()));
    let rhythm = rhythms.swap_remove(chosen.rhythm);
    Some(Trend { values: points.y().to_vec(), line, sustained, chosen, runner_up, rhythm, curve, without_rhythm })
}

/// From the first to the last point of the longest life, in units of `x`.
fn longest_life(x: &[f64], starts: &[usize]) -> f64 {
    let edges: Vec<usize> = [0].into_iter().chain(starts.iter().copied()).chain([x.len()]).collect();
    edges.windows(2).map(|edge| x[edge[1] - 1] - x[edge[0]]).fold(0.0, f64::max)
}

/// The level of the life of each point, as a share of that of all.
fn sizes(y: &[f64], starts: &[usize]) -> Vec<f64> {
    let edges: Vec<usize> = [0].into_iter().chain(starts.iter().copied()).chain([y.len()]).collect();
    let whole = median(y).unwrap_or(1.0);
    let of_life = |edge: &[usize]| {
        let level = median(&y[edge[0]..edge[1]]).unwrap_or(whole);
        let share = if whole > 0.0 && level > 0.0 && edges.len() > 2 { level / whole } else { 1.0 };
        vec![share; edge[1] - edge[0]]
    };
    edges.windows(2).flat_map(of_life).collect()
}

/// One coefficient: its column, and what it adds to the level at the end and to the slope there.
struct Term {
    column: Rc<Column>,
    at_end: f64,
    slope: f64,
    /// Whether that slope ends by itself.
    passing: bool,
}

/// All terms of a description.
struct Description(Vec<Term>);

impl Description {
    /// Those terms that add to the ones before them, fitted; and their indices.
    fn regression<'a>(&self, search: &Search<'a>) -> (Regression<'a>, Vec<usize>) {
        let mut regression = Regression::new(search.noise, Rc::clone(&search.y));
        let kept = (0..self.0.len()).filter(|index| regression.push(Rc::clone(&self.0[*index].column))).collect();
        (regression, kept)
    }

    /// The line now, and that of the growth that will not end by itself.
    fn lines(&self, search: &Search<'_>) -> Option<[LinePosterior; 2]> {
        let (regression, kept) = self.regression(search);
        // Without the freedom to grow nothing is known of growth.
        if kept.last() != Some(&(self.0.len() - 1)) {
            return None;
        }
        let level: Vec<f64> = kept.iter().map(|index| self.0[*index].at_end).collect();
        let now: Vec<f64> = kept.iter().map(|index| self.0[*index].slope).collect();
        let lasting = |index: &usize| if self.0[*index].passing { 0.0 } else { self.0[*index].slope };
        let sustained: Vec<f64> = kept.iter().map(lasting).collect();
        regression.lines(&level, [&now, &sustained], search.floor)
    }
}

struct Search<'a> {
    seconds: &'a [f64],
    /// From 0 to 1.
    x: Vec<f64>,
    starts: &'a [usize],
    y: Rc<Column>,
    noise: &'a Noise,
    rhythms: Vec<Vec<Rc<Column>>>,
    /// What was searched for each rhythm, in coefficients.
    searched: Vec<usize>,
    line: Rc<Column>,
    /// One column per life.
    levels: Vec<Rc<Column>>,
    floor: f64,
    /// The level of the life of each point, as a share of that of all.
    sizes: Vec<f64>,
    /// Whether no other shape is tried.
    line_only: bool,
}

impl<'a> Search<'a> {
    fn new(
        seconds: &'a [f64],
        starts: &'a [usize],
        y: &[f64],
        noise: &'a Noise,
        rhythms: &[Rhythm],
        floor: f64,
    ) -> Search<'a> {
        let (first, span) = (seconds[0], seconds[seconds.len() - 1] - seconds[0]);
        let x: Vec<f64> = seconds.iter().map(|x| (x - first) / span).collect();
        let column = |values: &[f64]| noise.column(values.to_vec());
        let edges: Vec<usize> = [0].into_iter().chain(starts.iter().copied()).chain([x.len()]).collect();
        let life = |edge: &[usize]| (0..x.len()).map(|at| f64::from(u8::from(edge[0] <= at && at < edge[1]))).collect();
        Search {
            seconds,
            starts,
            y: column(y),
            rhythms: rhythms
                .iter()
                .map(|rhythm| rhythm.columns.iter().map(|values| column(values)).collect())
                .collect(),
            searched: rhythms.iter().map(|rhythm| rhythm.searched).collect(),
            line: column(&x),
            levels: edges.windows(2).map(|edge| noise.column(life(edge))).collect(),
            floor,
            line_only: false,
            sizes: vec![1.0; x.len()],
            noise,
            x,
        }
    }

    fn each(&self, value: impl Fn(f64) -> f64) -> Rc<Column> {
        self.noise.column(self.x.iter().map(|x| value(*x)).collect())
    }

    /// 1 from a point on.
    fn from(&self, at: usize) -> Rc<Column> {
        self.noise.column((0..self.x.len()).map(|index| f64::from(u8::from(at <= index))).collect())
    }

    /// exp(-age/τ) of each life, as a share of its level: a larger process has more to start.
    fn cooling(&self, tau: f64) -> Rc<Column> {
        let mut start = 0;
        let ages = (0..self.x.len()).map(|index| {
            if self.starts.contains(&index) {
                start = index;
            }
            (-(self.x[index] - self.x[start]) / tau).exp() * self.sizes[index]
        });
        self.noise.column(ages.collect())
    }

    /// Everything but growth, its shape and the rhythm: the levels.
    fn base(&self, one_level: bool) -> Vec<Rc<Column>> {
        match (&self.levels[..], self.starts) {
            // The age of the first life is not known, so it always has its own level.
            ([first, _, _, ..], [second, ..]) if one_level => vec![Rc::clone(first), self.from(*second)],
            _ => self.levels.clone(),
        }
    }

    fn with(&self, columns: impl IntoIterator<Item = Rc<Column>>) -> Regression<'a> {
        let mut regression = Regression::new(self.noise, Rc::clone(&self.y));
        columns.into_iter().for_each(|column| {
            regression.push(column);
        });
        regression
    }

    /// The rhythms that explain most beside a line that may bend twice.
    fn best_rhythms(&self) -> Vec<usize> {
        if self.rhythms.len() == 1 {
            return vec![0];
        }
        let bends = [1.0 / 3.0, 2.0 / 3.0].map(|knee| self.each(|x| x.min(knee)));
        let base = self.base(false).into_iter().chain([Rc::clone(&self.line)]);
        let longest = longest_life(&self.x, self.starts);
        let start_ups = [0.02, 0.1].map(|tau| self.cooling(tau * longest));
        let flexible = self.with(if self.starts.is_empty() {
            base.chain(bends).collect::<Vec<_>>()
        } else {
            base.chain(start_ups).collect()
        });
        let price = (self.x.len() as f64).ln();
        let mut scored: Vec<(f64, usize)> = (0..self.rhythms.len())
            .filter(|rhythm| flexible.rank() + self.rhythms[*rhythm].len() <= self.x.len() / 3 || *rhythm == 0)
            .map(|rhythm| {
                let mut regression = flexible.clone();
                self.rhythms[rhythm].iter().for_each(|column| {
                    regression.push(Rc::clone(column));
                });
                let parameters = regression.rank() + self.searched[rhythm];
                (regression.criterion(&[0.0; PHI.len()], self.floor).0 + parameters as f64 * price, rhythm)
            })
            .collect();
        scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        scored.into_iter().take(RHYTHMS).map(|(_, rhythm)| rhythm).collect()
    }

    fn run(&self, rhythm: usize, candidates: &mut Vec<Candidate>) {
        if self.starts.is_empty() { self.run_shapes(rhythm, candidates) } else { self.run_lives(rhythm, candidates) }
    }

    fn run_shapes(&self, rhythm: usize, candidates: &mut Vec<Candidate>) {
        let level = self.with(self.base(false).into_iter().chain(self.rhythms[rhythm].iter().cloned()));
        let mut line = level.clone();
        line.push(Rc::clone(&self.line));
        let scored = |form: Form, regression: &Regression<'_>, gain: &[f64; PHI.len()], parameters: usize| {
            let (criterion, lane) = regression.criterion(gain, self.floor);
            let odds = if form == Form::Line { 0.0 } else { OTHER_SHAPES };
            let parameters = regression.rank() + self.searched[rhythm] + parameters;
            let bic = criterion + odds + parameters as f64 * (self.x.len() as f64).ln();
            Candidate { form, rhythm, bic, lane }
        };
        candidates.push(scored(Form::Line, &line, &[0.0; PHI.len()], 0));
        if self.line_only || self.x.len() < MIN_POINTS_OF_SHAPES {
            return;
        }
        let taus = TIME_CONSTANTS.map(f64::ln);
        let saturate = |tau: f64| Shape::new(&line, self.cooling(tau.exp()));
        let break_at = |knee: f64| Shape::new(&line, self.each(|x| x.min(knee)));
        let hinge_at = |knee: f64| Shape::new(&level, self.each(|x| (x - knee).max(0.0)));
        let make =
            || Shapes { saturating: taus.map(saturate), broken: KNEES.map(break_at), hinge: KNEES.map(hinge_at) };
        let alone = self.rhythms[rhythm].is_empty();
        let shapes = if alone { Shapes::known(self.seconds, make) } else { Rc::new(make()) };
        let saturating = Tried::new(&taus, &shapes.saturating, saturate, |tau, shape| {
            scored(Form::Saturating(tau.exp()), &line, &shape.gain(&line), 2)
        });
        let broken = Tried::new(&KNEES, &shapes.broken, break_at, |knee, shape| {
            scored(Form::Broken(knee), &line, &shape.gain(&line), 2)
        });
        let hinge = Tried::new(&KNEES, &shapes.hinge, hinge_at, |knee, shape| {
            scored(Form::Hinge(knee), &level, &shape.gain(&level), 2)
        });
        let most = if self.x.len() < MIN_POINTS_OF_STEPS { 0 } else { 2 };
        for placement in steps::place(&line, self.floor, most) {
            let mut at = placement.at;
            at.sort_unstable();
            if let Ok(ends) = <[usize; 2]>::try_from(at.as_slice()) {
                let pulse =
                    self.from(ends[0]).values().iter().zip(self.from(ends[1]).values()).map(|(a, b)| a - b).collect();
                let gain = line.gain(&self.noise.column(pulse));
                candidates.push(scored(Form::Pulse(ends), &line, &gain, 2 * STEP_LOCATION + 1));
            }
            let mut beside = line.clone();
            at.iter().for_each(|at| {
                beside.push(self.from(*at));
            });
            let parameters = STEP_LOCATION * at.len();
            candidates.push(scored(Form::Steps(at), &beside, &[0.0; PHI.len()], parameters));
        }
        let known = candidates.iter().map(|candidate| candidate.bic);
        let least = known.chain([saturating.bic(), broken.bic(), hinge.bic()]).fold(f64::INFINITY, f64::min);
        candidates.extend([saturating.refined(least), broken.refined(least), hinge.refined(least)]);
    }

    fn run_lives(&self, rhythm: usize, candidates: &mut Vec<Candidate>) {
        let last = *self.starts.last().expect("there are lives after the first");
        let longest = longest_life(&self.x, self.starts);
        let slow = TIME_CONSTANTS.iter().filter(|tau| **tau <= LONGEST_START_UP);
        let taus: Vec<f64> = slow.map(|tau| (tau * longest).ln()).collect();
        let cooling: Vec<Rc<Column>> = taus.iter().map(|tau| self.cooling(tau.exp())).collect();
        for one_level in [false, true] {
            if one_level && self.starts.len() < 2 {
                continue;
            }
            for last_apart in [false, true] {
                let (share, points) = LAST_LIFE;
                if last_apart && (self.x.len() - last < points || 1.0 - self.x[last] < share) {
                    continue;
                }
                let mut regression =
                    self.with(self.base(one_level).into_iter().chain(self.rhythms[rhythm].iter().cloned()));
                if last_apart {
                    regression.push(self.growth_before(last, one_level));
                }
                if !regression.push(self.growth(one_level)) {
                    continue;
                }
                let price = (self.x.len() as f64).ln();
                let scored = |start_up: Option<f64>, gain: &[f64; PHI.len()]| {
                    let (criterion, lane) = regression.criterion(gain, self.floor);
                    let parameters = regression.rank() + self.searched[rhythm] + if start_up.is_some() { 2 } else { 0 };
                    let form = Form::Lives { start_up, last_apart, one_level };
                    Candidate { form, rhythm, bic: criterion + parameters as f64 * price, lane }
                };
                candidates.push(scored(None, &[0.0; PHI.len()]));
                let cool = |tau: f64| Shape::new(&regression, self.cooling(tau.exp()));
                let shapes: Vec<Shape> =
                    cooling.iter().map(|column| Shape::new(&regression, Rc::clone(column))).collect();
                let start_up =
                    Tried::new(&taus, &shapes, cool, |tau, shape| scored(Some(tau.exp()), &shape.gain(&regression)));
                let least = candidates.iter().map(|candidate| candidate.bic).fold(start_up.bic(), f64::min);
                candidates.push(start_up.refined(least));
            }
        }
    }

    /// Growth since the start of each life, or all the time: the same where each life has a level of its own.
    fn growth(&self, one_level: bool) -> Rc<Column> {
        if !one_level {
            return Rc::clone(&self.line);
        }
        let mut start = 0;
        let ages = (0..self.x.len()).map(|index| {
            if self.starts.contains(&index) {
                start = index;
            }
            self.x[index] - self.x[start]
        });
        self.noise.column(ages.collect())
    }

    /// The same, up to the last life.
    fn growth_before(&self, last: usize, one_level: bool) -> Rc<Column> {
        let growth = self.growth(one_level);
        self.noise.column(growth.values().iter().enumerate().map(|(at, x)| if at < last { *x } else { 0.0 }).collect())
    }

    /// A candidate written out, growth last.
    fn description(&self, candidate: &Candidate) -> Description {
        let n = self.x.len();
        let one_level = matches!(candidate.form, Form::Lives { one_level: true, .. });
        let at_end =
            |column: Rc<Column>, slope: f64| Term { at_end: column.values()[n - 1], column, slope, passing: false };
        let mut terms: Vec<Term> = self.base(one_level).into_iter().map(|column| at_end(column, 0.0)).collect();
        terms.extend(self.rhythms[candidate.rhythm].iter().map(|column| Term {
            column: Rc::clone(column),
            at_end: 0.0,
            slope: 0.0,
            passing: false,
        }));
        let last_age = 1.0 - self.starts.last().map_or(0.0, |start| self.x[*start]);
        let cooling = |tau: f64, terms: &mut Vec<Term>| {
            let column = self.cooling(tau);
            // Earlier lives have shown that a start-up ends.
            let lives = !self.starts.is_empty();
            let by_age = self.noise.column(
                column.values().iter().zip(&self.sizes).map(|(value, size)| -value * (value / size).ln()).collect(),
            );
            let slope = if lives { 0.0 } else { -(-last_age / tau).exp() / tau };
            terms.push(Term { passing: true, ..at_end(column, slope) });
            // How the curve changes with what was searched for: beside it the slope does not depend on having found it
            // exactly (one step of Gauss and Newton).
            terms.push(Term { column: by_age, at_end: 0.0, slope: 0.0, passing: false });
        };
        let mut growth = Rc::clone(&self.line);
        match &candidate.form {
            Form::Line => {}
            Form::Saturating(tau) => cooling(*tau, &mut terms),
            Form::Broken(knee) => {
                terms.push(at_end(self.each(|x| x.min(*knee)), 0.0));
                terms.push(at_end(self.each(|x| f64::from(u8::from(x > *knee))), 0.0));
            }
            Form::Hinge(knee) => {
                terms.push(at_end(self.each(|x| f64::from(u8::from(x > *knee))), 0.0));
                growth = self.each(|x| (x - knee).max(0.0));
            }
            Form::Steps(at) => terms.extend(at.iter().map(|at| at_end(self.from(*at), 0.0))),
            Form::Pulse([from, to]) => {
                let pulse = (0..n).map(|index| f64::from(u8::from((*from..*to).contains(&index)))).collect();
                terms.push(at_end(self.noise.column(pulse), 0.0));
            }
            Form::Lives { start_up, last_apart, one_level } => {
                if *last_apart {
                    let last = *self.starts.last().expect("there are lives after the first");
                    terms.push(at_end(self.growth_before(last, *one_level), 0.0));
                    let since = self.growth(*one_level);
                    growth = self.noise.column(
                        since.values().iter().enumerate().map(|(at, x)| if at < last { 0.0 } else { *x }).collect(),
                    );
                } else {
                    growth = self.growth(*one_level);
                }
                if let Some(tau) = start_up {
                    cooling(*tau, &mut terms);
                }
            }
        }
        terms.push(at_end(growth, 1.0));
        Description(terms)
    }
}

#[cfg(test)]
mod tests;
