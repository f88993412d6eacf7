//! `trend-24h`: the verdict of a whole day, as the runbook's 24-hour monitoring asks for it.
//!
//! Takes the verdict; computes nothing of its own but how long the readings reach.

use crate::series::MemorySeries;
use crate::units::duration_text;

use super::{Context, Criterion, Span, Status, TrendJudgement};

/// No leak over at least 20 h of readings.
pub(super) fn evaluate(series: &MemorySeries, context: &Context<'_>) -> Criterion {
    let settings = &context.settings.trend;
    // With a load the verdict is of the time after it.
    let judged_from_ms = context.load.map_or(series.start_ms(), |load| series.start_ms().max(load.end_ms));
    let span_seconds = (series.end_ms() - judged_from_ms).max(0) as f64 / 1e3;
    let needed_seconds = settings.min_span_seconds.get();
    let after_load = if context.load.is_some() { " after the load" } else { "" };

    let verdict = context.verdict;
    let judged = format!("the verdict over {}{after_load} is {}", duration_text(span_seconds), verdict.name);
    let (status, reason) = match verdict.judgement {
        _ if span_seconds < needed_seconds => {
            let reason = format!(
                "it needs {} of readings{after_load}, but has only {}",
                duration_text(needed_seconds),
                duration_text(span_seconds)
            );
            (Status::NotEvaluable, reason)
        }
        TrendJudgement::Inconclusive => (Status::NotEvaluable, format!("{judged}: {}", verdict.reason)),
        TrendJudgement::Leak => (Status::Fail, format!("{judged}: {}", verdict.reason)),
        TrendJudgement::Suspected => (Status::Pass, format!("no leak is proven; {judged}: {}", verdict.reason)),
        TrendJudgement::NoLeak => (Status::Pass, format!("{judged}: {}", verdict.reason)),
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
    Criterion::new("trend-24h", settings.gates, status, reason).with_spans(spans)
}
