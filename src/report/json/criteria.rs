//! Criteria and alert rules in the JSON verdict.

use serde::Serialize;

use super::Times;
use super::value::{Fraction, Name, Number, Time};
use crate::criteria::{Criterion, During, Span, Status};
use crate::rules::{RuleAccount, RuleStatus};
use crate::series::Labels;

/// One of the runbook's criteria, or an alert of a rule file.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct CriterionJson<'a> {
    /// Its name; rule:NAME for an alert of a rule file.
    id: &'a str,
    status: Name<Status>,
    /// Whether a failure fails the series.
    gates: bool,
    /// One sentence with numbers.
    reason: String,
    /// What was measured, in `unit`.
    value: Option<Number>,
    /// What it was compared with, in `unit`.
    threshold: Option<Number>,
    /// The unit of value and threshold.
    unit: Option<&'static str>,
    /// Share of evaluations of a replayed rule that had all operands.
    evaluable_share: Option<Fraction>,
    /// When the condition held.
    spans: Vec<SpanJson>,
    /// A replay over all phases of the evaluation interval.
    phases: Option<PhasesJson>,
    /// The group of an alert that aggregates; every series of it has the same criterion.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<GroupJson<'a>>,
}

/// The group of an alert that aggregates.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct GroupJson<'a> {
    /// The labels that the alert takes from its series.
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, String>"))]
    labels: &'a Labels,
    /// How many series of the report are in it.
    #[cfg_attr(test, schemars(range(min = 1)))]
    series: usize,
}

/// When a condition held.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SpanJson {
    /// When it began to hold.
    pending_at: Option<Time>,
    /// When it had held for long enough to fire; null if it never did.
    firing_at: Option<Time>,
    /// When it ceased to hold; null if it held to the end.
    resolved_at: Option<Time>,
    /// Whether it was pending inside the load window; it does not count then.
    in_load_window: bool,
    /// Whether it was pending within `criteria.settle_seconds` of a start of the container; it does not count then.
    in_start_up: bool,
}

/// A replay over all phases of the evaluation interval.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PhasesJson {
    /// Share of the phases at which it fires.
    fired_share: Fraction,
    /// Earliest firing over all phases; null if it fires at none.
    earliest_firing_at: Option<Time>,
    /// First firing in the phase that fires last; null if it fires at none.
    latest_firing_at: Option<Time>,
}

/// One alert.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct RuleJson<'a> {
    file: &'a str,
    group: &'a str,
    alert: &'a str,
    /// Its criterion: rule:NAME.
    id: &'a str,
    expression: &'a str,
    /// Time between two evaluations that was used.
    #[cfg_attr(test, schemars(range(min = 0)))]
    interval_seconds: Number,
    /// How long it must hold to fire.
    #[cfg_attr(test, schemars(range(min = 0)))]
    for_seconds: Number,
    /// How long it keeps firing afterwards.
    #[cfg_attr(test, schemars(range(min = 0)))]
    keep_firing_for_seconds: Number,
    status: Name<RuleStatus>,
    /// The number of series on which it was replayed.
    series: usize,
    /// Why it was not replayed; null if it was.
    why: Option<&'a str>,
}

pub(super) fn criterion(criterion: &Criterion, times: Times) -> CriterionJson<'_> {
    CriterionJson {
        id: &criterion.id,
        status: Name(criterion.status),
        gates: criterion.gates,
        reason: criterion.reason.to_string(),
        value: criterion.value.map(Number),
        threshold: criterion.threshold.map(Number),
        unit: criterion.unit,
        evaluable_share: criterion.evaluable_share.map(Fraction),
        spans: criterion.spans.iter().map(|one| span(one, times)).collect(),
        phases: criterion.phases.map(|phases| PhasesJson {
            fired_share: Fraction(phases.fired_share),
            earliest_firing_at: phases.earliest_firing_at_ms.and_then(|time| times.text(time)),
            latest_firing_at: phases.latest_firing_at_ms.and_then(|time| times.text(time)),
        }),
        group: criterion.group.as_ref().map(|group| GroupJson { labels: &group.labels, series: group.n_series }),
    }
}

pub(super) fn rule(rule: &RuleAccount) -> RuleJson<'_> {
    let seconds = |ms: i64| Number(ms as f64 / 1e3);
    RuleJson {
        file: &rule.file,
        group: &rule.group,
        alert: &rule.alert,
        id: &rule.id,
        expression: &rule.expression,
        interval_seconds: seconds(rule.interval_ms),
        for_seconds: seconds(rule.for_ms),
        keep_firing_for_seconds: seconds(rule.keep_firing_for_ms),
        status: Name(rule.status),
        series: rule.n_series,
        why: rule.why.as_deref(),
    }
}

fn span(span: &Span, times: Times) -> SpanJson {
    SpanJson {
        pending_at: times.text(span.pending_at_ms),
        firing_at: span.firing_at_ms.and_then(|time| times.text(time)),
        resolved_at: span.resolved_at_ms.and_then(|time| times.text(time)),
        in_load_window: span.during == Some(During::Load),
        in_start_up: span.during == Some(During::StartUp),
    }
}
