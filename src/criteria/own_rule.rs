//! An alert of a team's own rule file as a criterion of the series for which it fires.

use std::borrow::Cow;

use super::alert_rule::{Answer, CompareOperator, Exempt, Lookback, Replay, Rule, RuleReadings, Threshold};
use super::{
    AlertGroup, Criterion, LoadWindow, Span, Status, fired_text, metric_text, percent_text, sampling_text, step_text,
};
use crate::series::{MemorySeries, Sampling};
use crate::units::duration_text;

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

impl OwnAlert<'_> {
    /// What is not there to be evaluated; begins with a semicolon.
    fn missing_text(&self) -> String {
        let whose = if self.group.is_some() { "group" } else { "container" };
        match self.missing.as_slice() {
            [] => String::new(),
            missing => format!("; the inputs hold no {} for this {whose}", missing.join(", ")),
        }
    }
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
    let undecided = |reason: String| Criterion {
        id: Cow::Owned(alert.id.to_owned()),
        evaluable_share: Some(0.0),
        group: alert.group.clone(),
        ..Criterion::new("", alert.gates, Status::NotEvaluable, reason)
    };
    if let Some(metrics) = &alert.mixed {
        return undecided(format!(
            "the rule distinguishes {metrics}, but this input holds one amount of memory for all of them"
        ));
    }
    let readings: Vec<Option<RuleReadings<'_>>> =
        alert.inputs.iter().map(|input| input.map(|series| RuleReadings::of(series, context.lookback))).collect();
    let inputs: Vec<Option<&RuleReadings<'_>>> = readings.iter().map(Option::as_ref).collect();
    let Some(replay) = Replay::of(alert.rule, &inputs, alert.interval_ms) else {
        return undecided(format!("no evaluation had all values{}", alert.missing_text()));
    };
    // The points of a range query lie on a grid of their own: only its phases can be asked about.
    let phase_ms = context.phase_ms.filter(|_| owner.info.sampling == Sampling::Raw);
    let answer = Answer::of(&replay, phase_ms, Exempt::load(context.load));

    let words = Words { alert, owner, replay: &replay, threshold: alert.rule.condition.threshold() };
    let decided = replay.can_fire() && answer.evaluable_share.is_some_and(|share| alert.min_evaluable_share <= share);
    let (status, reason) = match answer.first_firing_at_ms {
        Some(time_ms) => {
            let fired = fired_text(owner, &answer, time_ms);
            (Status::Fail, format!("{fired}: {}{}", words.measured(), words.held()))
        }
        None if decided => (Status::Pass, words.pass(&answer.spans)),
        None => (Status::NotEvaluable, words.undecided(answer.evaluable_share, context.lookback)),
    };
    let missing = alert.missing_text();
    let group = alert.group.as_ref().map_or(String::new(), group_text);
    let remarks = match status {
        Status::Pass | Status::Fail => format!("{}{}", own_metric_text(owner), sampling_text(owner)),
        Status::NotEvaluable | Status::NotApplicable => String::new(),
    };
    Criterion {
        id: Cow::Owned(alert.id.to_owned()),
        value: replay.furthest(),
        threshold: words.threshold.map(|threshold| threshold.number),
        evaluable_share: answer.evaluable_share.or(Some(0.0)),
        phases: answer.phases,
        spans: answer.spans,
        group: alert.group.clone(),
        ..Criterion::new("", alert.gates, status, format!("{reason}{group}{missing}{remarks}"))
    }
}

/// Only `docker stats` stands in for another metric: an export is asked for the one that the rule names.
fn own_metric_text(owner: &MemorySeries) -> &'static str {
    if owner.info.metric == crate::series::Metric::DockerUsage { metric_text(owner) } else { "" }
}

/// Whose alert it is; begins with a comma.
fn group_text(group: &AlertGroup) -> String {
    let labels: Vec<String> = group.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    let n = group.n_series;
    if labels.is_empty() {
        return format!("; one alert covers all series ({n} here)");
    }
    format!("; one alert covers the group {{{}}} ({n} series here)", labels.join(","))
}

struct Words<'a> {
    alert: &'a OwnAlert<'a>,
    owner: &'a MemorySeries,
    replay: &'a Replay,
    threshold: Option<Threshold>,
}

impl Words<'_> {
    fn pass(&self, spans: &[Span]) -> String {
        if spans.iter().any(|span| span.firing_at_ms.is_some()) {
            return format!("would have fired only under the load, which is not counted: {}", self.measured());
        }
        if self.replay.longest_held_seconds() == 0.0 {
            return format!("would not have fired: {}", self.measured());
        }
        format!("would not have fired: {}{}", self.measured(), self.held())
    }

    /// The compared value and its threshold.
    fn measured(&self) -> String {
        let (Some(threshold), Some(value)) = (self.threshold, self.replay.furthest()) else {
            let holds = self.replay.longest_held_seconds() > 0.0;
            return if holds { "its condition held".to_owned() } else { "its condition never held".to_owned() };
        };
        let (reach, relation) = match threshold.comparison {
            CompareOperator::Greater => ("up to", "above"),
            CompareOperator::GreaterOrEqual => ("up to", "at least"),
            CompareOperator::Less => ("down to", "below"),
            CompareOperator::LessOrEqual => ("down to", "at most"),
            CompareOperator::Equal => ("up to", "exactly"),
            CompareOperator::NotEqual => ("up to", "other than"),
        };
        let number = number_text(threshold.number);
        format!("its value was {reach} {} (it alerts when {relation} {number})", number_text(value))
    }

    /// For how long it holds, and would have to.
    fn held(&self) -> String {
        let longest = duration_text(self.replay.longest_held_seconds());
        if self.alert.rule.for_ms == 0 {
            return format!(", for up to {longest}");
        }
        format!(", for up to {longest} ({} is needed)", duration_text(self.alert.rule.for_ms as f64 / 1e3))
    }

    fn undecided(&self, evaluable_share: Option<f64>, lookback: Lookback) -> String {
        let owner = self.owner;
        let Some(share) = evaluable_share.filter(|_| self.replay.can_fire()) else {
            let span_seconds = (owner.end_ms() - owner.start_ms()) as f64 / 1e3;
            let needed_seconds = span_seconds - self.replay.evaluated_seconds() + self.alert.rule.for_ms as f64 / 1e3;
            return format!(
                "{} of readings is too short for a rule that needs {} to fire; measure {} longer",
                duration_text(span_seconds),
                duration_text(needed_seconds),
                duration_text((needed_seconds - span_seconds).max(0.0))
            );
        };
        let evaluations = format!(
            "only {} of evaluations had all values ({} is needed)",
            percent_text(share),
            percent_text(self.alert.min_evaluable_share)
        );
        if share == 0.0 && !self.alert.missing.is_empty() {
            return "no evaluation had all values".to_owned();
        }
        let step = step_text(owner).unwrap_or_default();
        if let Sampling::Step { .. } = owner.info.sampling {
            return format!("points {step} apart do not fall on the times that the rule compares: {evaluations}");
        }
        let lookback = duration_text(lookback.ms as f64 / 1e3);
        format!(
            "readings {step} apart, or with gaps, are too sparse for a rule that looks back {lookback}: \
                 {evaluations}"
        )
    }
}

/// A number of a rule, whose unit is not known: whole, or with four significant digits.
fn number_text(number: f64) -> String {
    if number.fract() == 0.0 || number.abs() >= 10_000.0 {
        return format!("{number:.0}");
    }
    let digits = (3 - number.abs().log10().floor() as i32).clamp(0, 12) as usize;
    let text = format!("{number:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        let text = [100_000_000.0, 0.9, 0.123_456, 1234.567, 12_345.678, -0.001_234_56, 0.0].map(number_text);
        assert_eq!(text, ["100000000", "0.9", "0.1235", "1235", "12346", "-0.001235", "0"]);
    }
}
