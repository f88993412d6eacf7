//! Runs: what they have in common, and from which of them on they grow at a rate of their own.

use std::ops::Range;
use std::rc::Rc;

use super::shapes::{Climbs, Shape, Tried, climbs};
use super::{Candidate, FirstRun, Form, OTHER_SHAPES, Search, StartUp, TIME_CONSTANTS, longest_run};
use crate::stats::ar1::{Column, Known, Lanes, Noise, PHI, Regression};
use crate::stats::calendar;

/// A last run has a rate of its own only where it is so much of the window, and has this many points.
const LAST_RUN: (f64, usize) = (0.15, 12);
/// A start-up lasts at most this share of the longest run: a slower one cannot be distinguished from growth.
const LONGEST_START_UP: f64 = 0.25;
/// The coefficient of a column that is a standard error.
pub(super) const AN_ERROR: Known = Known { mean: 0.0, variance: 1.0 };

/// What the pods of a workload say of its runs beside their common course.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Beside {
    /// By how much a start-up that was taken out may be wrong at every point, in `y`: standard errors that are
    /// independent of each other.
    pub errors: Vec<Vec<f64>>,
    /// The rate at which each run grows, in `y` per unit of `x`; `None` where it is not known.
    pub rates: Vec<Option<Known>>,
}

/// Where the first run may be in its start-up.
const FIRST_RUNS: [FirstRun; 3] = [FirstRun::Starts, FirstRun::Starting, FirstRun::Started];
/// Of what runs know of their growth, a rhythm of the day that they share may take at most this part.
const TAKEN_BY_THE_DAY: f64 = 0.5;

/// Whether runs shorter than two days show a rhythm of the day beside their growth: they begin at so many times of the day
/// that it cannot imitate what each of them gains.
pub(super) fn show_the_day(x: &[f64], starts: &[usize], noise: &Noise) -> bool {
    let edges: Vec<usize> = [0].into_iter().chain(starts.iter().copied()).chain([x.len()]).collect();
    let mut growth = Regression::new(noise, noise.column(x.to_vec()));
    for edge in edges.windows(2) {
        growth.push(noise.column((0..x.len()).map(|at| f64::from(u8::from(edge[0] <= at && at < edge[1]))).collect()));
    }
    let alone = growth.rss()[0];
    for column in calendar::harmonics(x, 1) {
        growth.push(noise.column(column));
    }
    growth.rss()[0] >= (1.0 - TAKEN_BY_THE_DAY) * alone
}

impl Search<'_> {
    /// Takes in what is known beside the points; `unit` and `span` are one of `y` and of `x`.
    pub(super) fn know(&mut self, beside: &Beside, unit: f64, span: f64) {
        let error = |values: &Vec<f64>| self.noise.column(values.iter().map(|value| value / unit).collect());
        self.errors = beside.errors.iter().map(error).collect();
        let rate =
            |known: Known| Known { mean: known.mean * span / unit, variance: known.variance * (span / unit).powi(2) };
        self.rates = beside.rates.iter().map(|known| known.map(rate)).collect();
        self.any_apart = true;
        // Of the noise only a size is needed: what is left where everything is free.
        let richest = self.rhythms.iter().rfind(|columns| columns.len() < self.x.len() / 4);
        let all = self.levels.iter().chain(&self.errors).chain([&self.line]).chain(richest.into_iter().flatten());
        let left = self.with(all.cloned());
        let degrees_of_freedom = (self.x.len() - left.rank().min(self.x.len() - 1)) as f64;
        self.variance = left.rss().map(|rss| rss / degrees_of_freedom + self.floor);
    }

    /// The rate at which these runs grow, as pods say beside the points.
    pub(super) fn rate(&self, runs: Range<usize>) -> Option<Known> {
        let rates = self.rates.get(runs)?.iter().flatten();
        let (weight, sum) = rates.fold((0.0, 0.0), |(weight, sum), known| {
            (weight + known.variance.recip(), sum + known.mean / known.variance)
        });
        (weight > 0.0).then(|| Known { mean: sum / weight, variance: weight.recip() })
    }

    pub(super) fn run_processes(&self, rhythm: usize, candidates: &mut Vec<Candidate>) {
        let longest = longest_run(&self.x, self.starts);
        let slow = TIME_CONSTANTS.iter().filter(|tau| **tau <= LONGEST_START_UP);
        let taus: Vec<f64> = slow.map(|tau| (tau * longest).ln()).collect();
        let cooling = FIRST_RUNS.map(|first| {
            let columns = taus.iter().map(|tau| self.cooling(StartUp { tau: tau.exp(), first }));
            (first, columns.collect::<Vec<Vec<Rc<Column>>>>())
        });
        let price = (self.x.len() as f64).ln();
        let places = self.places_apart();
        let searched = 2.0 * (places.len().max(1) as f64).ln();
        for one_level in [false, true] {
            if one_level && self.starts.len() < 2 {
                continue;
            }
            // The time constant does not depend on where growth began.
            let mut found = None;
            for apart_from in [None].into_iter().chain(places.iter().copied().map(Some)) {
                let mut regression =
                    self.with(self.base(one_level).into_iter().chain(self.rhythms[rhythm].iter().cloned()));
                self.errors.iter().for_each(|error| {
                    self.push(&mut regression, error, Some(AN_ERROR));
                });
                let growth = self.growths(apart_from, one_level);
                if !growth.into_iter().all(|(column, known)| self.push(&mut regression, &column, known)) {
                    continue;
                }
                let odds = if apart_from.is_some() { searched } else { 0.0 };
                let scored = |regression: &Regression<'_>, start_up: Option<StartUp>| {
                    let (criterion, lane) = regression.criterion(&[0.0; PHI.len()], self.floor);
                    let searched = start_up.map_or(0.0, |_| 2.0 * (FIRST_RUNS.len() as f64).ln());
                    let found = usize::from(start_up.is_some());
                    let parameters = regression.rank() + self.searched[rhythm] + found;
                    let form = Form::Runs { start_up, apart_from, one_level, climb: None };
                    Candidate { form, rhythm, bic: criterion + odds + searched + parameters as f64 * price, lane }
                };
                let beside = |start_up: StartUp, columns: &[Rc<Column>]| {
                    let mut regression = regression.clone();
                    columns.iter().for_each(|column| {
                        regression.push(Rc::clone(column));
                    });
                    let candidate = scored(&regression, Some(start_up));
                    // What is left of a start-up is a part of it.
                    let is_part = |of: &[f64]| matches!(of, [.., whole, part] if (0.0..1.0).contains(&(part / whole)));
                    if start_up.first == FirstRun::Starting && !is_part(&regression.coefficients(candidate.lane)) {
                        return Candidate { bic: f64::INFINITY, ..candidate };
                    }
                    candidate
                };
                candidates.push(scored(&regression, None));
                if let Some(start_up) = found.filter(|_| self.any_apart) {
                    candidates.push(beside(start_up, &self.cooling(start_up)));
                    continue;
                }
                let refined = cooling.each_ref().map(|(first, columns)| {
                    let start_up = |tau: f64| StartUp { tau: tau.exp(), first: *first };
                    let tried = taus.iter().zip(columns).map(|(tau, columns)| beside(start_up(*tau), columns));
                    let tried =
                        Tried::new(&taus, tried.collect(), |tau| beside(start_up(tau), &self.cooling(start_up(tau))));
                    let least = candidates.iter().map(|candidate| candidate.bic).fold(tried.bic(), f64::min);
                    tried.refined(least)
                });
                found = refined.iter().min_by(|a, b| a.bic.total_cmp(&b.bic)).and_then(|best| match best.form {
                    Form::Runs { start_up, .. } => start_up,
                    _ => None,
                });
                candidates.extend(refined);
            }
        }
    }

    /// A climb that goes on across restarts, all runs at one level beside it: what a restart does not take away is load, or
    /// a cache that fills at once, and no leak.
    pub(super) fn run_climb(&self, rhythm: usize, candidates: &mut Vec<Candidate>) {
        // That of the runs without a climb.
        let start_up = candidates.iter().min_by(|a, b| a.bic.total_cmp(&b.bic)).and_then(|best| match best.form {
            Form::Runs { start_up, .. } => start_up,
            _ => None,
        });
        let cooling = start_up.map_or(Vec::new(), |start_up| self.cooling(start_up));
        let beside = self.base(true).into_iter().chain(self.rhythms[rhythm].iter().cloned()).chain(cooling);
        let runs = self.with(beside.chain([self.growth(true)]));
        let bic = |gain: &Lanes, more: usize| {
            let (criterion, lane) = runs.criterion(gain, self.floor);
            let parameters = runs.rank() + self.searched[rhythm] + usize::from(start_up.is_some()) + more;
            (criterion + parameters as f64 * (self.x.len() as f64).ln(), lane)
        };
        let between = |[from, to]: [f64; 2]| Shape::new(&runs, self.climb(from, to));
        let shapes: Vec<Shape> = climbs().map(between).collect();
        let climb = Climbs::new(&shapes, between, |ends, shape| {
            let (bic, lane) = bic(&shape.gain_upwards(&runs), 3);
            let form = Form::Runs { start_up, apart_from: None, one_level: true, climb: Some(ends) };
            Candidate { form, rhythm, bic: bic + OTHER_SHAPES, lane }
        });
        candidates.push(climb.refined(bic(&[0.0; PHI.len()], 0).0));
    }

    /// The runs from which on growth may have a rate of its own, as indices of `starts`.
    ///
    /// Any run of a workload, beside the calendar of all: before that is known, what one run does may be the day.
    fn places_apart(&self) -> Vec<usize> {
        let (share, points) = LAST_RUN;
        let last = self.starts.len() - 1;
        let (first, share) = if self.any_apart { (0, 0.0) } else { (last, share) };
        if self.any_apart && self.rhythms.len() == 1 {
            return Vec::new();
        }
        let is_long = |index: &usize| {
            let start = self.starts[*index];
            self.x.len() - start >= points && 1.0 - self.x[start] >= share
        };
        (first..=last).filter(is_long).collect()
    }

    /// Growth, the present rate last: one for all runs, or one before and one from a run on.
    pub(super) fn growths(&self, apart_from: Option<usize>, one_level: bool) -> Vec<(Rc<Column>, Option<Known>)> {
        let (growth, n) = (self.growth(one_level), self.starts.len() + 1);
        let Some(index) = apart_from else { return vec![(growth, self.rate(0..n))] };
        let within = |samples: Range<usize>| {
            let of = |(at, x): (usize, &f64)| if samples.contains(&at) { *x } else { 0.0 };
            self.noise.column(growth.values().iter().enumerate().map(of).collect())
        };
        let start = self.starts[index];
        let [before, since] = [within(0..start), within(start..self.x.len())];
        vec![(before, self.rate(0..index + 1)), (since, self.rate(index + 1..n))]
    }

    /// Growth since the start of each run, or all the time: the same where each run has a level of its own.
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
}
