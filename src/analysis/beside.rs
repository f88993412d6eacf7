//! What is counted beside memory, and what the growth of a series follows.

use crate::account::Timeline;
use crate::amounts;
use crate::attribution::{self, Attribution};
use crate::counts::{self, CountSources, Counts};
use crate::error::Error;
use crate::next_action::{State, Step};
use crate::open::Given;
use crate::report::{Note, SeriesReport};
use crate::selection;
use crate::series::{MemorySeries, SeriesInfo};
use crate::verdict::{Judgement, RegimeWhy, Verdict};

use super::Case;

/// Whether files are given for series that are known.
///
/// # Errors
///
/// When one is not.
pub(super) fn check(
    option: &str,
    files: &[Given],
    known: &[&SeriesInfo],
    is_called: impl Fn(&SeriesInfo, &str) -> bool,
) -> Result<(), Error> {
    for given in files {
        let Some(name) = &given.series else { continue };
        if !known.is_empty() && !known.iter().any(|info| is_called(info, name)) {
            let near = selection::hint(name, known);
            return Err(Error::Usage(format!(
                "`{option} {name}={}`: no series is called `{name}`{near} (a file with `=` in its name is written `./{name}=...`)",
                given.path.display()
            )));
        }
    }
    Ok(())
}

/// Whether counts are given for series that are known.
///
/// # Errors
///
/// When one is not.
pub(super) fn check_counts(wanted: &CountSources, known: &[&SeriesInfo]) -> Result<(), Error> {
    let is_called = |info: &SeriesInfo, name: &str| amounts::names(info).iter().any(|own| own == name);
    check("--requests", &wanted.requests, known, is_called)?;
    check("--covariate", &wanted.covariates, known, is_called)
}

/// Reads what the growth of each window is to be compared with, every file once; `None` where there is nothing, or
/// readings have no times.
pub(super) fn counts(wanted: &CountSources, cases: &mut [Case<'_>]) -> Vec<Option<Counts>> {
    let spans: Vec<Option<(i64, i64)>> = cases
        .iter_mut()
        .map(|case| {
            let span = super::span(&case.series).filter(|_| !wanted.is_empty())?;
            if case.timeline == Timeline::Relative {
                case.notes.push(Note::NothingCounted);
                return None;
            }
            Some(span)
        })
        .collect();
    let mut counts = counts::read(wanted, &spans.iter().copied().flatten().collect::<Vec<_>>()).into_iter();
    spans.into_iter().map(|span| span.and_then(|_| counts.next())).collect()
}

/// What the growth of a judged series follows; `None` where it does not grow. `limit`: its own, in bytes.
pub(super) fn attribution(
    (samples, judgement): (&MemorySeries, &Judgement),
    times_guessed: bool,
    counts: &Counts,
    terms: &leaktrend_core::Terms,
    limit: Option<f64>,
) -> Option<Attribution> {
    let verdict = judgement.verdict;
    if !verdict.is_leak() && verdict != Verdict::LeakSuspected {
        return None;
    }
    if times_guessed {
        let why = "Its times are guessed, so it is not compared with requests and changes (give the time of its last reading with `--end`)";
        return Some(Attribution { notes: vec![why.to_owned()], ..Attribution::default() });
    }
    let regime = judgement.regime;
    let begins = matches!(regime.why, RegimeWhy::GrowthBegan | RegimeWhy::GrowthChanged);
    let grows_from_ms = begins.then(|| samples.start_ms() + (1000.0 * regime.start_seconds) as i64);
    let confidence = terms.judge.confidence;
    Some(attribution::of(samples, grows_from_ms, counts, terms, confidence, limit))
}

/// Adds to the next action what would settle the cause, and the pattern that the evidence points to with the runbook's
/// look at it.
pub(super) fn add_experiment(report: &mut SeriesReport) {
    let runs = report.facts().state != State::Gone;
    let Some((action, attribution)) = report.next_action.as_mut().zip(report.attribution.as_ref()) else { return };
    if let Some(experiment) = attribution::words::experiment(attribution) {
        match &mut action.tomorrow {
            Some(step) => step.text = format!("{experiment}. Also: {}", step.text),
            None => action.tomorrow = Some(Step::looks(experiment, Vec::new())),
        }
    }
    if let Some(pattern) = attribution.pattern {
        action.follow(pattern, runs);
    }
}
