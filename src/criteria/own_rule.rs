//! An alert of a team's own rule file as a criterion of the series for which it fires.

use super::alert_rule::{Lookback, Replay, Rule, RuleReadings};
use super::reason::{Alert, Firing, Replayed};
use super::replayed::Question;
use super::{AlertGroup, Criterion, LoadWindow, Reason, Status};
use crate::series::MemorySeries;

/// An alert and the series that it sees of one container, or of a group.
#[derive(Debug)]
pub struct OwnAlert<'a> {
    /// Its name as a criterion.
    pub id: &'a str,
    /// What it says.
    pub rule: &'a Rule,
    /// Time between two evaluations, in milliseconds.
    pub interval_ms: i64,
    /// Whether a failure fails the series.
    pub gates: bool,
    /// Share of evaluations with all operands that a pass needs.
    pub min_evaluable_share: f64,
    /// The series of each of its inputs; `None` for those that do not exist.
    pub inputs: Vec<Option<&'a MemorySeries>>,
    /// What it selects without finding a series.
    pub missing: Vec<String>,
    /// The metrics that it compares where the input has a single one for all of them.
    pub mixed: Option<String>,
    /// The group, for an alert that aggregates.
    pub group: Option<AlertGroup>,
}

/// What its replay depends on beside the series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwnRuleContext {
    /// How selectors look back.
    pub lookback: Lookback,
    /// When it is evaluated, in milliseconds after a multiple of the interval; `None`: at all phases.
    pub phase_ms: Option<i64>,
    /// When the load ran.
    pub load: Option<LoadWindow>,
}

/// Replays an alert. `owner`: the series that it is judged for, of a group one; moments are told by its times.
pub fn evaluate(alert: &OwnAlert<'_>, owner: &MemorySeries, context: &OwnRuleContext) -> Criterion {
    let undecided = |reason: Reason| Criterion {
        evaluable_share: Some(0.0),
        group: alert.group.clone(),
        ..Criterion::new(alert.id.to_owned(), alert.gates, Status::NotEvaluable, reason)
    };
    if let Some(metrics) = &alert.mixed {
        return undecided(Reason::Mixed(metrics.clone()));
    }
    let readings: Vec<Option<RuleReadings<'_>>> =
        alert.inputs.iter().map(|input| input.map(|series| RuleReadings::of(series, context.lookback))).collect();
    let inputs: Vec<Option<&RuleReadings<'_>>> = readings.iter().map(Option::as_ref).collect();
    let own = Alert::Own {
        threshold: alert.rule.condition.threshold(),
        missing: alert.missing.clone(),
        group: alert.group.clone(),
    };
    let Some(replay) = Replay::of(alert.rule, &inputs, alert.interval_ms) else {
        return undecided(Reason::Replayed(Box::new(Replayed {
            alert: own,
            for_seconds: alert.rule.for_ms as f64 / 1e3,
            furthest: None,
            held_seconds: 0.0,
            firing: Firing::NoValues,
            metric: owner.info.metric,
            sampling: owner.info.sampling,
        })));
    };
    let question = Question {
        rule: alert.rule,
        series: owner,
        lookback: context.lookback,
        phase_ms: context.phase_ms,
        load: context.load,
        starts: None,
        min_evaluable_share: alert.min_evaluable_share,
    };
    question.criterion(alert.id.to_owned(), alert.gates, own, &replay)
}
