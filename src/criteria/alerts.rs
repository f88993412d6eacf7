//! `growth-100mb-5m` and `high-memory`: the runbook's alert rules, replayed.
//!
//! Takes readings in bytes; the growth is in bytes, the level a share of the limit.

use crate::series::MemorySeries;
use crate::units::Seconds;

use super::alert_rule::{Replay, Rule, RuleReadings};
use super::reason::{Alert, LimitOrigin};
use super::replayed::Question;
use super::starts::Starts;
use super::{AssumedLimit, Context, Criterion, Status, assumed_bytes, margin, too_coarse};

/// `(x - x offset 5m) > 100000000` for 5 minutes.
pub(super) fn growth(series: &MemorySeries, context: &Context<'_>, starts: &Starts) -> Criterion {
    let settings = &context.settings.growth;
    let (threshold, offset) = (settings.threshold_bytes.as_f64(), settings.offset_seconds);
    // Above the threshold beyond doubt, where values are printed coarsely.
    let margin = margin(series, threshold);
    let rule = Rule::growth(threshold + margin, offset.as_ms(), settings.pending.as_ms());
    let question = question(&rule, series, context, Some(starts), settings.min_evaluable_share.get());
    let alert = Alert::Growth(offset, threshold);
    let criterion = question.criterion("growth-100mb-5m", settings.gates, alert, &replay(&question, context));
    if criterion.status != Status::Fail && margin > 0.0 {
        return Criterion { status: Status::NotEvaluable, reason: too_coarse(series, threshold), ..criterion };
    }
    criterion
}

/// `x / limit > 0.9` for 2 minutes.
pub(super) fn high_memory(series: &MemorySeries, context: &Context<'_>) -> Criterion {
    let settings = &context.settings.high_memory;
    let fallback = settings.fallback_limit_bytes.as_f64();
    let limit_bytes = context.limit_bytes.unwrap_or_else(|| assumed_bytes(context.assumed_limit, fallback));
    let limit = match (context.limit_bytes, context.assumed_limit) {
        (Some(_), _) => LimitOrigin::Own,
        (None, Some(AssumedLimit::DiedAt(_))) => LimitOrigin::Killed,
        (None, Some(AssumedLimit::HostMemory(host))) if host <= fallback => LimitOrigin::Host,
        (None, Some(AssumedLimit::HostMemory(_))) => LimitOrigin::BelowHost,
        (None, None) => LimitOrigin::Settings,
    };
    let threshold = settings.limit_share.get();
    let rule = Rule::level(limit_bytes, threshold, settings.pending.as_ms());
    let question = question(&rule, series, context, None, settings.min_evaluable_share.get());
    let alert = Alert::HighMemory { threshold, limit_bytes, limit };
    question.criterion("high-memory", settings.gates, alert, &replay(&question, context))
}

fn question<'a>(
    rule: &'a Rule,
    series: &'a MemorySeries,
    context: &Context<'_>,
    starts: Option<&'a Starts>,
    min_evaluable_share: f64,
) -> Question<'a> {
    Question {
        rule,
        series,
        lookback: context.lookback,
        phase_ms: context.evaluation.phase_seconds.map(Seconds::as_ms),
        load: context.load,
        starts,
        min_evaluable_share,
    }
}

fn replay(question: &Question<'_>, context: &Context<'_>) -> Replay {
    let readings = RuleReadings::of(question.series, context.lookback);
    Replay::new(question.rule, &readings, context.evaluation.interval_seconds.as_ms())
}
