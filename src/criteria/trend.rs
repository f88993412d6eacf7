//! `trend-24h`: the verdict of a whole day, as the runbook's 24-hour monitoring asks for it.
//!
//! Takes the verdict; computes nothing of its own but how long the readings reach.

use crate::series::MemorySeries;

use super::reason::Trend;
use super::{Context, Criterion, Reason, Span, Status, TrendJudgement};

/// No leak over at least 20 h of readings.
pub(super) fn evaluate(series: &MemorySeries, context: &Context<'_>) -> Criterion {
    let settings = &context.settings.trend;
    // With a load the verdict is of the time after it.
    let judged_from_ms = context.load.map_or(series.start_ms(), |load| series.start_ms().max(load.end_ms));
    let span_seconds = (series.end_ms() - judged_from_ms).max(0) as f64 / 1e3;
    let needed_seconds = settings.min_span_seconds.get();
    let verdict = context.verdict;
    let judged = || Trend::Judged(verdict.name, verdict.judgement, verdict.reason.to_owned());
    let (status, trend) = match verdict.judgement {
        _ if span_seconds < needed_seconds => (Status::NotEvaluable, Trend::TooShort(needed_seconds)),
        TrendJudgement::Inconclusive => (Status::NotEvaluable, judged()),
        TrendJudgement::Leak => (Status::Fail, judged()),
        TrendJudgement::Suspected | TrendJudgement::NoLeak => (Status::Pass, judged()),
    };
    let spans = match status {
        Status::Fail => vec![Span {
            pending_at_ms: verdict.onset_ms.unwrap_or(judged_from_ms),
            firing_at_ms: Some(series.end_ms()),
            resolved_at_ms: None,
            during: None,
        }],
        _ => Vec::new(),
    };
    let reason = Reason::Trend(trend, span_seconds, context.load.is_some());
    Criterion::new("trend-24h", settings.gates, status, reason).with_spans(spans)
}
