//! A candidate written out as the coefficients that it has, and the line that follows from them.

use std::rc::Rc;

use super::runs::AN_ERROR;
use super::{Candidate, FirstRun, Form, Search, StartUp};
use crate::stats::ar1::{Column, Known, Regression};
use crate::stats::posterior::LinePosterior;

/// One coefficient: its column, and what it adds to the level at the end and to the slope there.
pub(super) struct Term {
    pub(super) column: Rc<Column>,
    at_end: f64,
    slope: f64,
    /// Whether that slope ends by itself.
    passing: bool,
    /// Whether it is a part of the rhythm.
    pub(super) of_rhythm: bool,
    /// What is known of its coefficient beside the points.
    known: Option<Known>,
}

/// All terms of a description.
pub(super) struct Description(pub(super) Vec<Term>);

impl Description {
    /// Those terms that add to the ones before them, fitted; and their indices.
    pub(super) fn regression<'a>(&self, search: &Search<'a>) -> (Regression<'a>, Vec<usize>) {
        let mut regression = Regression::new(search.noise, Rc::clone(&search.y));
        let kept = (0..self.0.len())
            .filter(|index| search.push(&mut regression, &self.0[*index].column, self.0[*index].known))
            .collect();
        (regression, kept)
    }

    /// The line now, and that of the growth that will not end by itself.
    pub(super) fn lines(&self, search: &Search<'_>) -> Option<[LinePosterior; 2]> {
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

impl Search<'_> {
    /// A candidate written out, growth last.
    pub(super) fn description(&self, candidate: &Candidate) -> Description {
        let n = self.x.len();
        let one_level = matches!(candidate.form, Form::Runs { one_level: true, .. });
        let at_end = |column: Rc<Column>, slope: f64| Term {
            at_end: column.values()[n - 1],
            column,
            slope,
            passing: false,
            of_rhythm: false,
            known: None,
        };
        let mut terms: Vec<Term> = self.base(one_level).into_iter().map(|column| at_end(column, 0.0)).collect();
        let beside = |column: Rc<Column>, of_rhythm: bool| Term {
            column,
            at_end: 0.0,
            slope: 0.0,
            passing: false,
            of_rhythm,
            known: None,
        };
        terms.extend(self.rhythms[candidate.rhythm].iter().map(|column| beside(Rc::clone(column), true)));
        let last_age = 1.0 - self.starts.last().map_or(0.0, |start| self.x[*start]);
        let cooling = |start_up: StartUp, terms: &mut Vec<Term>| {
            // Earlier runs have shown that a start-up ends.
            let runs = !self.starts.is_empty();
            let slope = if runs { 0.0 } else { -(-last_age / start_up.tau).exp() / start_up.tau };
            for column in self.cooling(start_up) {
                // How the curve changes with what was searched for: beside it the slope does not depend on having found it
                // exactly (one step of Gauss and Newton).
                let of_age = |(left, size): (&f64, &f64)| if *left == 0.0 { 0.0 } else { -left * (left / size).ln() };
                let by_age = self.noise.column(column.values().iter().zip(&self.sizes).map(of_age).collect());
                terms.push(Term { passing: true, ..at_end(column, slope) });
                terms.push(beside(by_age, false));
            }
        };
        let mut growth = Rc::clone(&self.line);
        // What pods gain with their age is one rate: it says nothing of one that changes.
        let mut known = match candidate.form {
            Form::Broken(_) | Form::Hinge(_) => None,
            _ => self.rate(0..1),
        };
        match &candidate.form {
            Form::Line | Form::Climb(_) => {}
            Form::Saturating(tau) => cooling(StartUp { tau: *tau, first: FirstRun::Starts }, &mut terms),
            Form::Broken(knee) => {
                terms.push(at_end(self.each(|x| x.min(*knee)), 0.0));
                terms.push(at_end(self.each(|x| f64::from(u8::from(x > *knee))), 0.0));
            }
            Form::Hinge(knee) => {
                terms.push(at_end(self.each(|x| f64::from(u8::from(x > *knee))), 0.0));
                growth = self.each(|x| (x - knee).max(0.0));
            }
            Form::Steps(at) => {
                terms.extend(at.iter().map(|at| at_end(self.from(*at), 0.0)));
                let mut shifted = self.line_beside(candidate.rhythm);
                at.iter().for_each(|at| {
                    shifted.push(self.from(*at));
                });
                let swings = self.swings(candidate.rhythm, at, &shifted);
                terms.extend(swings.into_iter().map(|column| beside(column, true)));
            }
            Form::Pulse([from, to]) => {
                let pulse = (0..n).map(|index| f64::from(u8::from((*from..*to).contains(&index)))).collect();
                terms.push(at_end(self.noise.column(pulse), 0.0));
            }
            Form::Runs { start_up, apart_from, one_level, .. } => {
                terms.extend(
                    self.errors.iter().map(|error| Term { known: Some(AN_ERROR), ..at_end(Rc::clone(error), 0.0) }),
                );
                let mut growths = self.growths(*apart_from, *one_level);
                (growth, known) = growths.pop().expect("there is a present rate");
                terms.extend(growths.into_iter().map(|(column, known)| Term { known, ..at_end(column, 0.0) }));
                if let Some(start_up) = start_up {
                    cooling(*start_up, &mut terms);
                }
            }
        }
        if let Some([from, to]) = candidate.form.climb() {
            terms.push(at_end(self.climb(from, to), 0.0));
            terms.extend([from, to].map(|end| at_end(self.each(|x| f64::from(u8::from(x > end))), 0.0)));
        }
        terms.push(Term { known, ..at_end(growth, 1.0) });
        Description(terms)
    }
}
