//! Turns verdicts and criteria into outcomes and exit codes. Statistics end in `judge`; this is policy.

use std::borrow::Cow;

use crate::criteria::{Criterion, Status};
use crate::settings::{InconclusiveExit, OnContradictedAlert, PolicySettings, WarnExit};
use crate::verdict::Verdict;

crate::named! {
    /// The outcome of a series or of the whole report, ordered from good to bad.
    #[derive(PartialOrd, Ord)]
    pub enum Outcome {
        /// Nothing is wrong, and that is proven.
        Pass = "pass",
        /// Worth a look.
        Warn = "warn",
        /// Nothing can be claimed yet.
        Inconclusive = "inconclusive",
        /// It leaks, or a gating criterion failed.
        Fail = "fail",
        /// The job could not be done.
        Error = "error",
    }
}

/// The outcome of a verdict alone.
pub const fn of_verdict(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Leak | Verdict::LeakMaskedByRestarts | Verdict::SteppingGrowth => Outcome::Fail,
        Verdict::LeakSuspected | Verdict::Step => Outcome::Warn,
        Verdict::Inconclusive => Outcome::Inconclusive,
        Verdict::Flat | Verdict::NegligibleGrowth | Verdict::WarmedUp | Verdict::Shrinking => Outcome::Pass,
    }
}

/// The outcome of one series, and the criteria that its verdict contradicts.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesOutcome {
    /// The worst outcome among the verdict and the criteria that gate.
    pub outcome: Outcome,
    /// Rate criteria that failed although the verdict proves the opposite: false alarms.
    pub contradicted: Vec<Cow<'static, str>>,
    /// Criteria that had to be decided but could not be.
    pub undecided: Vec<Cow<'static, str>>,
}

/// Criteria of a rate: a verdict that proves the opposite overrules them.
const RATES: [&str; 3] = ["growth-100mb-5m", "confirmed-100mb-60s", "rapid-50mb-per-min"];

/// What an outcome depends on beside the verdict and the criteria.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside {
    /// Whether a load window was given.
    pub with_load: bool,
    /// Whether it was killed for memory, as something other than its values shows.
    pub killed: bool,
}

/// The outcome of a verdict and its criteria.
pub fn of_series(verdict: Verdict, criteria: &[Criterion], policy: &PolicySettings, beside: Beside) -> SeriesOutcome {
    let of_kills = if beside.killed { Outcome::Warn } else { Outcome::Pass };
    let outcome = of_verdict(verdict).max(of_kills);
    let mut result = SeriesOutcome { outcome, contradicted: Vec::new(), undecided: Vec::new() };
    // What climbs from restart to restart, or until it is killed, is no false alarm, whatever is left of it over the window.
    let loops = criteria.iter().any(|criterion| criterion.id == "restart-loop" && criterion.status == Status::Fail);
    let ends = loops || beside.killed;
    for criterion in criteria {
        let required = policy.require.iter().any(|id| *id == criterion.id)
            || (beside.with_load && criterion.id == "flat-after-load");
        let outcome = match criterion.status {
            Status::Fail if criterion.gates => {
                let contradicted = RATES.contains(&&*criterion.id) && verdict.proves_no_leak() && !ends;
                if contradicted && policy.on_contradicted_alert == OnContradictedAlert::Warn {
                    result.contradicted.push(criterion.id.clone());
                    Outcome::Warn
                } else {
                    Outcome::Fail
                }
            }
            Status::NotEvaluable if required => {
                result.undecided.push(criterion.id.clone());
                Outcome::Inconclusive
            }
            _ => Outcome::Pass,
        };
        result.outcome = result.outcome.max(outcome);
    }
    result
}

/// The outcome of a report: that of its worst series. `series`: the outcome of each, and whether it counts.
///
/// The inconclusive outcome of a series that does not count is left out, unless none counts.
pub fn of_run(series: &[(Outcome, bool)]) -> Outcome {
    let any_counts = series.iter().any(|(_, counts)| *counts);
    series
        .iter()
        .filter(|(outcome, counts)| *counts || !any_counts || *outcome != Outcome::Inconclusive)
        .map(|(outcome, _)| *outcome)
        .max()
        .unwrap_or(Outcome::Error)
}

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Nothing failed.
    Passed = 0,
    /// A leak, or a gating criterion failed.
    Failed = 1,
    /// The job could not be done, or not all of it.
    NotDone = 2,
    /// Inconclusive.
    Inconclusive = 3,
}

/// The exit code of an outcome. `all_used`: whether every input could be used; `strict_holds`: whether nothing was
/// rejected or incomplete, or `--strict` was not given.
pub fn exit_code(outcome: Outcome, policy: &PolicySettings, all_used: bool, strict_holds: bool) -> ExitCode {
    let code = match outcome {
        Outcome::Error => ExitCode::NotDone,
        Outcome::Fail => ExitCode::Failed,
        Outcome::Warn if policy.warn == WarnExit::Fail => ExitCode::Failed,
        Outcome::Pass | Outcome::Warn => ExitCode::Passed,
        Outcome::Inconclusive => match policy.inconclusive {
            InconclusiveExit::Own => ExitCode::Inconclusive,
            InconclusiveExit::Fail => ExitCode::Failed,
            InconclusiveExit::Pass => ExitCode::Passed,
        },
    };
    if !strict_holds || (!all_used && code != ExitCode::Failed) { ExitCode::NotDone } else { code }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn criterion(id: &'static str, status: Status, gates: bool) -> Criterion {
        Criterion {
            id: Cow::Borrowed(id),
            status,
            gates,
            reason: crate::criteria::Reason::JudgedAfterRestarts,
            value: None,
            threshold: None,
            unit: None,
            evaluable_share: None,
            spans: Vec::new(),
            phases: None,
            group: None,
        }
    }

    #[track_caller]
    fn check(verdict: Verdict, criteria: &[Criterion], expected: Outcome) {
        assert_eq!(of_series(verdict, criteria, &Settings::default().policy, Beside::default()).outcome, expected);
    }

    #[test]
    fn a_series_is_as_bad_as_the_worst_that_gates() {
        let fired = criterion("growth-100mb-5m", Status::Fail, true);
        let high = criterion("high-memory", Status::Fail, true);
        let level = criterion("baseline-300mb", Status::Fail, false);
        check(Verdict::Flat, &[], Outcome::Pass);
        // In a loop memory climbs, though it is level over the window.
        let looping = criterion("restart-loop", Status::Fail, true);
        let of_loop = [fired.clone(), looping];
        assert!(
            of_series(Verdict::Flat, &of_loop, &Settings::default().policy, Beside::default()).contradicted.is_empty()
        );
        check(Verdict::Flat, &[level], Outcome::Pass);
        check(Verdict::Flat, std::slice::from_ref(&fired), Outcome::Warn);
        check(Verdict::Inconclusive, std::slice::from_ref(&fired), Outcome::Fail);
        check(Verdict::Flat, &[fired, high], Outcome::Fail);
        check(Verdict::Step, &[], Outcome::Warn);
        check(Verdict::Inconclusive, &[], Outcome::Inconclusive);
        check(Verdict::Leak, &[], Outcome::Fail);
    }

    #[test]
    fn what_must_be_decided_and_is_not_is_inconclusive() {
        let unknown = [criterion("growth-100mb-5m", Status::NotEvaluable, true)];
        check(Verdict::Flat, &unknown, Outcome::Pass);
        let mut policy = Settings::default().policy;
        policy.require.push("growth-100mb-5m".to_owned());
        assert_eq!(of_series(Verdict::Flat, &unknown, &policy, Beside::default()).outcome, Outcome::Inconclusive);
        let load = [criterion("flat-after-load", Status::NotEvaluable, true)];
        let with_load = Beside { with_load: true, ..Beside::default() };
        assert_eq!(
            of_series(Verdict::Flat, &load, &Settings::default().policy, with_load).outcome,
            Outcome::Inconclusive
        );
    }

    #[test]
    fn a_series_that_does_not_count_still_fails_the_run_but_does_not_leave_it_open() {
        use Outcome::{Error, Fail, Inconclusive, Pass};
        assert_eq!(of_run(&[(Pass, true), (Inconclusive, false)]), Pass);
        assert_eq!(of_run(&[(Pass, true), (Fail, false)]), Fail);
        assert_eq!(of_run(&[(Inconclusive, false)]), Inconclusive);
        assert_eq!(of_run(&[]), Error);
    }

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let policy = Settings::default().policy;
        let code = |outcome, used, strict| exit_code(outcome, &policy, used, strict) as u8;
        assert_eq!(code(Outcome::Pass, true, true), 0);
        assert_eq!(code(Outcome::Warn, true, true), 0);
        assert_eq!(code(Outcome::Fail, true, true), 1);
        assert_eq!(code(Outcome::Fail, false, true), 1);
        assert_eq!(code(Outcome::Pass, false, true), 2);
        assert_eq!(code(Outcome::Error, true, true), 2);
        assert_eq!(code(Outcome::Inconclusive, true, true), 3);
        assert_eq!(code(Outcome::Fail, true, false), 2);
    }

    #[test]
    fn what_was_killed_is_no_false_alarm_and_does_not_just_pass() {
        let killed = Beside { killed: true, ..Beside::default() };
        let policy = Settings::default().policy;
        assert_eq!(of_series(Verdict::Flat, &[], &policy, killed).outcome, Outcome::Warn);
        let fired = [criterion("growth-100mb-5m", Status::Fail, true)];
        assert_eq!(of_series(Verdict::Flat, &fired, &policy, killed).outcome, Outcome::Fail);
    }
}
