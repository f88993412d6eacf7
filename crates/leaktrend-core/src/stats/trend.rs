//! Where a series goes now: every shape that imitates growth is tried beside growth, and all that explain it well
//! speak of its slope, each with its weight.
//!
//! Weights are those of the Bayesian information criterion (Kass, Raftery 1995); what was searched for (a knee, a time
//! constant, the place of a step) is paid for as a coefficient. Growth that survives all of them is growth.

mod description;
mod runs;
mod shapes;

use std::ops::Range;
use std::rc::Rc;

use description::Term;
pub use runs::Beside;

use super::ar1::{Column, Known, Lanes, Noise, PHI, Regression, Scaled};
use super::calendar::{self, Rhythm};
use super::posterior::LinePosterior;
use super::robust::median;
use super::{Points, steps};
use shapes::{Climbs, Shape, Shapes, Tried, climbs};

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
    /// A climb to another level, from one share of the window to another: a level shift that takes its time.
    Climb([f64; 2]),
    /// Level shifts before these points.
    Steps(Vec<usize>),
    /// Another level from one point to before another.
    Pulse([usize; 2]),
    /// Runs and what they have in common.
    Runs {
        /// A start-up of each run.
        start_up: Option<StartUp>,
        /// The run from which on growth has a rate of its own, as an index of `Setup::starts`.
        apart_from: Option<usize>,
        /// Whether all runs begin at one level.
        one_level: bool,
        /// A climb that goes on across restarts.
        climb: Option<[f64; 2]>,
    },
}

/// A start-up that levels off, with the same time constant in each run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StartUp {
    /// As a share of the window.
    pub tau: f64,
    /// Where the first run is in it when the window begins.
    pub first: FirstRun,
}

/// How much of its start-up is left to the first run when the window begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstRun {
    /// All: it starts with the window.
    Starts,
    /// A part, which is not known.
    Starting,
    /// Nothing: it started long before.
    Started,
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

    /// From which share of the window to which memory climbed to another level; `None` where it did not.
    pub fn climb(&self) -> Option<[f64; 2]> {
        match self {
            Form::Climb(ends) => Some(*ends),
            Form::Runs { climb, .. } => *climb,
            _ => None,
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
    /// Whether all of them are certain; those that values show may be the rhythm itself.
    pub are_certain: bool,
    /// See `calendar::rhythms`.
    pub monday: Option<f64>,
    /// Whether one daily harmonic is assumed, in a window too short to show it.
    pub daily: bool,
    /// What is known beside the points; runs then share a rhythm of the day though they are shorter.
    pub beside: Option<&'a Beside>,
    /// The variance of reading, in `y` squared.
    pub floor: f64,
}

impl<'a> Setup<'a> {
    /// One run of points whose days are not known, read exactly.
    pub fn new(points: Points<'a>) -> Setup<'a> {
        Setup { points, starts: &[], are_certain: true, monday: None, daily: false, beside: None, floor: 0.0 }
    }
}

/// The trend of `setup`; `None` with too few points. Takes O(n) time for a bounded number of runs.
pub fn of(setup: &Setup<'_>) -> Option<Trend> {
    let Setup { points, starts, are_certain, monday, daily, beside, floor } = *setup;
    let n = points.len();
    if n < MIN_POINTS {
        return None;
    }
    let scaled = Scaled::new(points.y());
    let noise = Noise::new(points.x(), starts);
    let mut rhythms =
        if daily { vec![calendar::daily(points.x())] } else { calendar::rhythms(points.x(), points.y(), monday) };
    let are_short = longest_run(points.x(), starts) < calendar::MIN_DAYS * calendar::DAY;
    // What runs of a day do in a day is growth or rhythm: it is taken for growth.
    let share_a_day = || beside.is_some() || are_certain && runs::show_the_day(points.x(), starts, &noise);
    if are_short && !share_a_day() {
        rhythms.truncate(1);
    }
    let floor = floor / scaled.unit.powi(2);
    let mut search = Search::new(points.x(), starts, &scaled.values, &noise, &rhythms, floor);

    search.line_only = daily;
    search.sizes = sizes(points.y(), starts);
    if let Some(beside) = beside {
        search.know(beside, scaled.unit, points.span());
    }
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

    let description = search.description(&chosen);
    let (regression, kept) = description.regression(&search);
    let coefficients = regression.coefficients(chosen.lane);
    let residual = regression.residual(&coefficients);
    let curve = points.y().iter().zip(&residual).map(|(y, left)| y - left * scaled.unit).collect();
    let mut without_rhythm = points.y().to_vec();
    for (index, coefficient) in kept.iter().zip(&coefficients) {
        let Term { column, of_rhythm: true, .. } = &description.0[*index] else { continue };
        let coefficient = coefficient * scaled.unit;
        without_rhythm.iter_mut().zip(column.values()).for_each(|(y, value)| *y -= coefficient * value);
    }
    let [line, sustained] =
        [lines, sustained].map(|parts| LinePosterior::mixture(parts).scaled(&scaled, points.span()));
    let rhythm = rhythms.swap_remove(chosen.rhythm);
    Some(Trend { values: points.y().to_vec(), line, sustained, chosen, runner_up, rhythm, curve, without_rhythm })
}

/// How much of a climb between two shares of the window has been climbed at `x`, from 0 to 1.
pub fn climb(x: f64, from: f64, to: f64) -> f64 {
    ((x - from) / (to - from)).clamp(0.0, 1.0)
}

/// From the first to the last point of the longest run, in units of `x`.
fn longest_run(x: &[f64], starts: &[usize]) -> f64 {
    let edges: Vec<usize> = [0].into_iter().chain(starts.iter().copied()).chain([x.len()]).collect();
    edges.windows(2).map(|edge| x[edge[1] - 1] - x[edge[0]]).fold(0.0, f64::max)
}

/// The level of the run of each point, as a share of that of all.
fn sizes(y: &[f64], starts: &[usize]) -> Vec<f64> {
    let edges: Vec<usize> = [0].into_iter().chain(starts.iter().copied()).chain([y.len()]).collect();
    let whole = median(y).unwrap_or(1.0);
    let of_run = |edge: &[usize]| {
        let level = median(&y[edge[0]..edge[1]]).unwrap_or(whole);
        let share = if whole > 0.0 && level > 0.0 && edges.len() > 2 { level / whole } else { 1.0 };
        vec![share; edge[1] - edge[0]]
    };
    edges.windows(2).flat_map(of_run).collect()
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
    /// One column per run.
    levels: Vec<Rc<Column>>,
    floor: f64,
    /// The level of the run of each point, as a share of that of all.
    sizes: Vec<f64>,
    /// Whether no other shape is tried.
    line_only: bool,
    /// Of a workload: by what its start-up may be wrong.
    errors: Vec<Rc<Column>>,
    /// Of a workload: the rate at which each run grows, in units of `y` over the window.
    rates: Vec<Option<Known>>,
    /// Whether growth may have a rate of its own from any run on, not only the last.
    any_apart: bool,
    /// The variance of the noise, for what is known beside it.
    variance: Lanes,
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
        let run = |edge: &[usize]| (0..x.len()).map(|at| f64::from(u8::from(edge[0] <= at && at < edge[1]))).collect();
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
            levels: edges.windows(2).map(|edge| noise.column(run(edge))).collect(),
            floor,
            line_only: false,
            sizes: vec![1.0; x.len()],
            errors: Vec::new(),
            rates: Vec::new(),
            any_apart: false,
            variance: [0.0; PHI.len()],
            noise,
            x,
        }
    }

    fn push(&self, regression: &mut Regression<'_>, column: &Rc<Column>, known: Option<Known>) -> bool {
        match known {
            Some(known) => regression.push_known(Rc::clone(column), known, &self.variance),
            None => regression.push(Rc::clone(column)),
        }
    }

    fn each(&self, value: impl Fn(f64) -> f64) -> Rc<Column> {
        self.noise.column(self.x.iter().map(|x| value(*x)).collect())
    }

    /// 1 from a point on.
    fn from(&self, at: usize) -> Rc<Column> {
        self.noise.column((0..self.x.len()).map(|index| f64::from(u8::from(at <= index))).collect())
    }

    /// From 0 to 1 between two shares of the window.
    fn climb(&self, from: f64, to: f64) -> Rc<Column> {
        self.each(|x| climb(x, from, to))
    }

    /// exp(-age/τ) of each run, as a share of its level: a larger process has more to start. That of the first run is a
    /// column of its own where a part of it is left.
    fn cooling(&self, StartUp { tau, first }: StartUp) -> Vec<Rc<Column>> {
        let mut start = 0;
        let left: Vec<f64> = (0..self.x.len())
            .map(|index| {
                if self.starts.contains(&index) {
                    start = index;
                }
                (-(self.x[index] - self.x[start]) / tau).exp() * self.sizes[index]
            })
            .collect();
        let second = self.starts.first().filter(|_| first != FirstRun::Starts).copied().unwrap_or(0);
        let within = |runs: Range<usize>| {
            let of = |(index, left): (usize, &f64)| if runs.contains(&index) { *left } else { 0.0 };
            self.noise.column(left.iter().enumerate().map(of).collect())
        };
        let of_first = (first == FirstRun::Starting).then(|| within(0..second));
        [within(second..left.len())].into_iter().chain(of_first).collect()
    }

    /// Everything but growth, its shape and the rhythm: the levels.
    fn base(&self, one_level: bool) -> Vec<Rc<Column>> {
        match (&self.levels[..], self.starts) {
            // The age of the first run is not known, so it always has its own level.
            ([first, _, _, ..], [second, ..]) if one_level => vec![Rc::clone(first), self.from(*second)],
            // Of two, that would leave nothing in common.
            (_, [_]) if one_level => vec![self.from(0)],
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
        let longest = longest_run(&self.x, self.starts);
        let start_ups = [0.02, 0.1].map(|tau| self.cooling(StartUp { tau: tau * longest, first: FirstRun::Starting }));
        let flexible = self.with(if self.starts.is_empty() {
            base.chain(bends).collect::<Vec<_>>()
        } else {
            base.chain(start_ups.into_iter().flatten()).collect()
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
        if self.starts.is_empty() {
            return self.run_shapes(rhythm, candidates);
        }
        self.run_processes(rhythm, candidates);
        if !self.any_apart {
            self.run_climb(rhythm, candidates);
        }
    }

    fn run_shapes(&self, rhythm: usize, candidates: &mut Vec<Candidate>) {
        let level = self.with(self.base(false).into_iter().chain(self.rhythms[rhythm].iter().cloned()));
        let mut plain = level.clone();
        let line = self.line_beside(rhythm);
        plain.push(Rc::clone(&self.line));
        let scored = |form: Form, regression: &Regression<'_>, gain: &[f64; PHI.len()], parameters: usize| {
            let (criterion, lane) = regression.criterion(gain, self.floor);
            let odds = if form == Form::Line { 0.0 } else { OTHER_SHAPES };
            let parameters = regression.rank() + self.searched[rhythm] + parameters;
            let bic = criterion + odds + parameters as f64 * (self.x.len() as f64).ln();
            Candidate { form, rhythm, bic, lane }
        };
        let of_line = scored(Form::Line, &line, &[0.0; PHI.len()], 0);
        let line_bic = of_line.bic;
        candidates.push(of_line);
        if self.line_only || self.x.len() < MIN_POINTS_OF_SHAPES {
            return;
        }
        let taus = TIME_CONSTANTS.map(f64::ln);
        let saturate =
            |tau: f64| Shape::new(&line, self.cooling(StartUp { tau: tau.exp(), first: FirstRun::Starts }).remove(0));
        let break_at = |knee: f64| Shape::new(&plain, self.each(|x| x.min(knee)));
        let hinge_at = |knee: f64| Shape::new(&level, self.each(|x| (x - knee).max(0.0)));
        let climb_between = |[from, to]: [f64; 2]| Shape::new(&line, self.climb(from, to));
        let make = || Shapes {
            saturating: taus.map(saturate),
            broken: KNEES.map(break_at),
            hinge: KNEES.map(hinge_at),
            climb: climbs().map(climb_between).collect(),
        };
        let alone = self.rhythms[rhythm].is_empty() && self.rates.is_empty();
        let shapes = if alone { Shapes::known(self.seconds, make) } else { Rc::new(make()) };
        let tried = |grid: &[f64], shapes: &[Shape], candidate: &dyn Fn(f64, &Shape) -> Candidate| {
            grid.iter().zip(shapes).map(|(place, shape)| candidate(*place, shape)).collect::<Vec<Candidate>>()
        };
        let of = |tau: f64, shape: &Shape| scored(Form::Saturating(tau.exp()), &line, &shape.gain(&line), 2);
        let saturating = Tried::new(&taus, tried(&taus, &shapes.saturating, &of), |tau| of(tau, &saturate(tau)));
        let of = |knee: f64, shape: &Shape| scored(Form::Broken(knee), &plain, &shape.gain(&plain), 2);
        let broken = Tried::new(&KNEES, tried(&KNEES, &shapes.broken, &of), |knee| of(knee, &break_at(knee)));
        let of = |knee: f64, shape: &Shape| scored(Form::Hinge(knee), &level, &shape.gain(&level), 2);
        let hinge = Tried::new(&KNEES, tried(&KNEES, &shapes.hinge, &of), |knee| of(knee, &hinge_at(knee)));
        let climb = Climbs::new(&shapes.climb, climb_between, |ends, shape| {
            scored(Form::Climb(ends), &line, &shape.gain_upwards(&line), 3)
        });
        let most = if self.x.len() < MIN_POINTS_OF_STEPS { 0 } else { 2 };
        for placement in steps::place(&plain, self.floor, most) {
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
            let swings = self.swings(rhythm, &at, &beside);
            swings.into_iter().for_each(|column| {
                beside.push(column);
            });
            let parameters = STEP_LOCATION * at.len();
            candidates.push(scored(Form::Steps(at), &beside, &[0.0; PHI.len()], parameters));
        }
        let known = candidates.iter().map(|candidate| candidate.bic);
        let tried = [saturating.bic(), broken.bic(), hinge.bic(), climb.bic()];
        let least = known.chain(tried).fold(f64::INFINITY, f64::min);
        let refined = [saturating.refined(least), broken.refined(least), hinge.refined(least), climb.refined(line_bic)];
        candidates.extend(refined);
    }

    /// Levels, a rhythm and a line.
    fn line_beside(&self, rhythm: usize) -> Regression<'a> {
        let mut line = self.with(self.base(false).into_iter().chain(self.rhythms[rhythm].iter().cloned()));
        self.push(&mut line, &self.line, self.rate(0..1));
        line
    }

    /// The rhythm as `fit` has it, from each of these points on: what follows traffic swings more where its level is
    /// higher.
    fn swings(&self, rhythm: usize, at: &[usize], fit: &Regression<'_>) -> Vec<Rc<Column>> {
        let coefficients = fit.coefficients(0);
        let mut swing = vec![0.0; self.x.len()];
        for (column, coefficient) in fit.columns().iter().zip(&coefficients) {
            if self.rhythms[rhythm].iter().any(|of_rhythm| Rc::ptr_eq(of_rhythm, column)) {
                swing.iter_mut().zip(column.values()).for_each(|(swing, value)| *swing += coefficient * value);
            }
        }
        let from = |at: &usize| {
            let since = swing.iter().enumerate().map(|(index, swing)| if index < *at { 0.0 } else { *swing });
            self.noise.column(since.collect())
        };
        if self.rhythms[rhythm].is_empty() { Vec::new() } else { at.iter().map(from).collect() }
    }
}

#[cfg(test)]
mod tests;
