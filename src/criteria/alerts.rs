//! `growth-100mb-5m` and `high-memory`: the runbook's alert rules, replayed.
//!
//! Takes readings in bytes; the growth is in bytes, the level a share of the limit.

use crate::series::{MemorySeries, Sampling};
use crate::units::{Seconds, duration_text, memory_text};

use super::alert_rule::{Answer, Exempt, Replay, Rule, RuleReadings};
use super::starts::Starts;
use super::{
    AssumedLimit, Context, Criterion, During, Span, Status, amount_text, assumed_bytes, fired_text, margin,
    metric_text, percent_text, sampling_text, step_text, too_coarse_text,
};

/// `(x - x offset 5m) > 100000000` for 5 minutes.
pub(super) fn growth(series: &MemorySeries, context: &Context<'_>, starts: &Starts) -> Criterion {
    let settings = &context.settings.growth;
    let (threshold, offset) = (settings.threshold_bytes.as_f64(), settings.offset_seconds);
    // Above the threshold beyond doubt, where values are printed coarsely.
    let above = threshold + margin(series, threshold);
    let alert = Alert {
        id: "growth-100mb-5m",
        gates: settings.gates,
        rule: Rule::growth(above, offset.as_ms(), settings.pending.as_ms()),
        above,
        min_evaluable_share: settings.min_evaluable_share.get(),
        operands: "both values",
        threshold,
        unit: "bytes",
        what: format!("growth over {offset}"),
        of: String::new(),
        limit: amount_text(threshold),
        value_text: memory_text,
        remark: String::new(),
    };
    let criterion = alert.evaluate(series, context, Some(starts));
    if criterion.status != Status::Fail && margin(series, threshold) > 0.0 {
        return Criterion { status: Status::NotEvaluable, reason: too_coarse_text(series, threshold), ..criterion };
    }
    criterion
}

/// `x / limit > 0.9` for 2 minutes.
pub(super) fn high_memory(series: &MemorySeries, context: &Context<'_>) -> Criterion {
    let settings = &context.settings.high_memory;
    let fallback = settings.fallback_limit_bytes.as_f64();
    let assumed = assumed_bytes(context.assumed_limit, fallback);
    let limit = context.limit_bytes.unwrap_or(assumed);
    let share = settings.limit_share.get();
    let alert = Alert {
        id: "high-memory",
        gates: settings.gates,
        rule: Rule::level(limit, share, settings.pending.as_ms()),
        above: share,
        min_evaluable_share: settings.min_evaluable_share.get(),
        operands: "a value",
        threshold: share,
        unit: "share",
        what: "memory".to_owned(),
        of: format!(" of {}", amount_text(limit)),
        limit: percent_text(share),
        value_text: percent_text,
        remark: match (context.limit_bytes, context.assumed_limit) {
            (Some(_), _) => String::new(),
            (None, Some(AssumedLimit::DiedAt(_))) => {
                format!(
                    " (no limit is known; {}, the highest reading before a kill, is used instead)",
                    amount_text(assumed)
                )
            }
            (None, Some(AssumedLimit::HostMemory(host))) if host <= fallback => {
                format!(" (it has no limit of its own; the host has {})", amount_text(host))
            }
            (None, Some(AssumedLimit::HostMemory(_))) => {
                format!(" (it has no limit of its own; {} is assumed)", amount_text(assumed))
            }
            (None, None) => format!(" (no limit is known; {} is assumed)", amount_text(assumed)),
        },
    };
    alert.evaluate(series, context, None)
}

/// A rule and how to speak of it.
struct Alert {
    id: &'static str,
    gates: bool,
    rule: Rule,
    /// What its value must exceed.
    above: f64,
    min_evaluable_share: f64,
    operands: &'static str,
    threshold: f64,
    unit: &'static str,
    what: String,
    /// What its value is a share of; begins with a space.
    of: String,
    limit: String,
    value_text: fn(f64) -> String,
    remark: String,
}

impl Alert {
    /// `starts`: those after which what it sees does not count.
    fn evaluate(&self, series: &MemorySeries, context: &Context<'_>, starts: Option<&Starts>) -> Criterion {
        let readings = RuleReadings::of(series, context.lookback);
        let replay = Replay::new(&self.rule, &readings, context.evaluation.interval_seconds.as_ms());
        // The points of a range query lie on a grid of their own: only its phases can be asked about.
        let phase = context.evaluation.phase_seconds.filter(|_| series.info.sampling == Sampling::Raw);
        let exempt = starts.map_or_else(|| Exempt::load(context.load), |starts| starts.exempt(context.load));
        let outcome = Answer::of(&replay, phase.map(Seconds::as_ms), exempt);

        let evaluable_share = outcome.evaluable_share;
        let decided = replay.can_fire() && evaluable_share.is_some_and(|share| self.min_evaluable_share <= share);
        let (status, reason) = match outcome.first_firing_at_ms {
            Some(time_ms) => (Status::Fail, self.fail_text(series, &replay, &outcome, time_ms)),
            None if decided => (Status::Pass, self.pass_text(series, &replay, &outcome, starts)),
            None => (Status::NotEvaluable, self.undecided_text(series, context, &replay, evaluable_share)),
        };
        let remarks = match status {
            Status::Pass | Status::Fail => format!("{}{}", metric_text(series), sampling_text(series)),
            Status::NotEvaluable | Status::NotApplicable => String::new(),
        };
        let reason = format!("{reason}{}{remarks}", self.remark);
        Criterion {
            evaluable_share: evaluable_share.or(Some(0.0)),
            phases: outcome.phases,
            ..Criterion::new(self.id, self.gates, status, reason)
                .measured(replay.furthest(), self.threshold, self.unit)
                .with_spans(outcome.spans)
        }
    }

    fn fail_text(&self, series: &MemorySeries, replay: &Replay, outcome: &Answer, counted_ms: i64) -> String {
        let firing = || {
            let ended = |span: &Span| span.resolved_at_ms.unwrap_or(series.end_ms());
            let counted = outcome.spans.iter().filter(|span| span.during.is_none());
            counted.filter_map(move |span| Some(ended(span) - span.firing_at_ms?))
        };
        // How long it lasts tells a peak from a state.
        let lasted = duration_text(firing().sum::<i64>() as f64 / 1000.0);
        let often = match firing().count() {
            0 | 1 => format!("for {lasted}"),
            n => format!("{n} times, for {lasted} in all"),
        };
        format!(
            "{}: {} reached {}, and was above {} for {}; it would have fired {often}",
            fired_text(series, outcome, counted_ms),
            self.what,
            self.largest_text(replay),
            self.limit,
            self.for_text()
        )
    }

    fn pass_text(&self, series: &MemorySeries, replay: &Replay, outcome: &Answer, starts: Option<&Starts>) -> String {
        let largest = self.largest_text(replay);
        let first_during = |during: During| {
            outcome.spans.iter().find(|span| span.during == Some(during) && span.firing_at_ms.is_some())
        };
        let under_load = first_during(During::Load);
        if let (Some(span), Some(starts)) = (first_during(During::StartUp), starts) {
            let or_load = if under_load.is_some() { "under the load and " } else { "" };
            // What it compares with was read so much earlier.
            let reached_ms = span.pending_at_ms - self.rule.condition.reach_back_ms();
            let began_ms = starts.last_by(span.pending_at_ms).map_or(reached_ms, |start_ms| reached_ms.max(start_ms));
            return format!(
                "would have fired only {or_load}for a rise that began {}: {} reached {largest}",
                starts.not_counted_text(series, began_ms),
                self.what
            );
        }
        if under_load.is_some() {
            return format!(
                "would have fired only under the load, which is not counted: {} reached {largest}",
                self.what
            );
        }
        if replay.furthest().is_some_and(|value| value > self.above) {
            return format!(
                "would not have fired: {} reached {largest}, but did not stay above {} for {}",
                self.what,
                self.limit,
                self.for_text()
            );
        }
        format!("would not have fired: {} was at most {largest}; {} is allowed", self.what, self.limit)
    }

    fn undecided_text(
        &self,
        series: &MemorySeries,
        context: &Context<'_>,
        replay: &Replay,
        evaluable_share: Option<f64>,
    ) -> String {
        let Some(evaluable_share) = evaluable_share.filter(|_| replay.can_fire()) else {
            let span_seconds = (series.end_ms() - series.start_ms()) as f64 / 1e3;
            let needed_seconds = span_seconds - replay.evaluated_seconds() + self.rule.for_ms as f64 / 1e3;
            return format!(
                "{} of readings is too short for a rule that needs {} to fire; measure {} longer",
                duration_text(span_seconds),
                duration_text(needed_seconds),
                duration_text(needed_seconds - span_seconds)
            );
        };
        let lookback_seconds = context.lookback.ms as f64 / 1e3;
        let evaluations = format!(
            "only {} of evaluations had {} ({} is needed)",
            percent_text(evaluable_share),
            self.operands,
            percent_text(self.min_evaluable_share)
        );
        if let Sampling::Step { .. } = series.info.sampling {
            return format!(
                "points {} apart do not fall on the times that the rule compares: {evaluations}",
                step_text(series).unwrap_or_default()
            );
        }
        match series.step_seconds() {
            Some(step_seconds) if lookback_seconds <= step_seconds => format!(
                "readings {} apart are too sparse for a rule that looks back {}: {evaluations}; measure at least \
                 every {}",
                duration_text(step_seconds),
                duration_text(lookback_seconds),
                duration_text(safe_step_seconds(lookback_seconds))
            ),
            _ => format!("the readings have gaps longer than {}: {evaluations}", duration_text(lookback_seconds)),
        }
    }

    fn largest_text(&self, replay: &Replay) -> String {
        replay
            .furthest()
            .map_or_else(|| "unknown".to_owned(), |value| format!("{}{}", (self.value_text)(value), self.of))
    }

    fn for_text(&self) -> String {
        duration_text(self.rule.for_ms as f64 / 1e3)
    }
}

/// A spacing of readings that stays below the lookback with room for jitter: whole minutes, or four fifths of it.
fn safe_step_seconds(lookback_seconds: f64) -> f64 {
    let whole_minutes = ((lookback_seconds - 1.0) / 60.0).floor() * 60.0;
    if whole_minutes >= 60.0 { whole_minutes } else { lookback_seconds * 0.8 }
}
