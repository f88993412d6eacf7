//! `restart-loop`: restarts or OOM kills in quick succession.
//!
//! Takes the restarts that were found, gives the most within the time. Of several restarts between two readings one
//! is seen at most, so readings far apart cannot exclude a loop; events that cover the time can.

use crate::segment::Cause;
use crate::series::MemorySeries;

use super::reason::{Moment, Restarts};
use super::{Context, Criterion, KnownRestart, Reason, Span, Status};

/// Three or more restarts within an hour.
pub(super) fn evaluate(series: &MemorySeries, context: &Context<'_>) -> Criterion {
    let settings = &context.settings.restart_loop;
    let within_ms = settings.within_seconds.as_ms();
    let loop_size = settings.restarts.max(1) as usize;
    let mut restarts = context.restarts.to_vec();
    restarts.sort_by_key(|restart| restart.at_ms);

    let most = busiest(&restarts, within_ms);
    let mut spans = loops(&restarts, loop_size, within_ms);
    // One that ended less than its own time ago may go on.
    if let Some(last) = spans.last_mut() {
        last.resolved_at_ms = last.resolved_at_ms.filter(|resolved| series.end_ms() - resolved > within_ms);
    }
    let seen_step_seconds = settings.within_seconds.get() / loop_size as f64;
    let readings_show_it = series.step_seconds().is_some_and(|step_seconds| step_seconds <= seen_step_seconds);
    let watched_share = context.watched_share;
    let (status, found) = if loop_size <= most.len() {
        let seconds = (most[most.len() - 1].at_ms - most[0].at_ms) as f64 / 1e3;
        (Status::Fail, Restarts::Loop(Moment::of(series, most[0].at_ms), seconds, causes(most)))
    } else if readings_show_it {
        (Status::Pass, Restarts::AtMost(most.len(), None))
    } else if settings.min_watched_share.get() <= watched_share {
        (Status::Pass, Restarts::AtMost(most.len(), Some(watched_share)))
    } else {
        (Status::NotEvaluable, Restarts::NotSeen { step_seconds: series.step_seconds(), watched_share })
    };
    let reason = Reason::Restarts(found, settings.clone(), context.drops);
    Criterion::new("restart-loop", settings.gates, status, reason)
        .measured(Some(most.len() as f64), f64::from(settings.restarts), "restarts")
        .with_spans(spans)
}

/// The most restarts that lie within the time, the first such; O(n).
fn busiest(restarts: &[KnownRestart], within_ms: i64) -> &[KnownRestart] {
    let mut first = 0;
    let mut most = &restarts[..0];
    for last in 0..restarts.len() {
        while restarts[first].at_ms < restarts[last].at_ms - within_ms {
            first += 1;
        }
        if most.len() < last + 1 - first {
            most = &restarts[first..=last];
        }
    }
    most
}

/// The times in which restarts were a loop: from the first of them to the last.
fn loops(restarts: &[KnownRestart], loop_size: usize, within_ms: i64) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for group in restarts.windows(loop_size) {
        let (first_ms, last_ms) = (group[0].at_ms, group[loop_size - 1].at_ms);
        if within_ms < last_ms - first_ms {
            continue;
        }
        match spans.last_mut() {
            Some(span) if span.resolved_at_ms.is_some_and(|resolved| first_ms <= resolved) => {
                span.resolved_at_ms = Some(last_ms);
            }
            _ => spans.push(Span {
                pending_at_ms: first_ms,
                firing_at_ms: Some(last_ms),
                resolved_at_ms: Some(last_ms),
                during: None,
            }),
        }
    }
    spans
}

/// How often each cause occurs, in order of appearance; of kills for memory also whether they are recorded.
fn causes(restarts: &[KnownRestart]) -> Vec<(Cause, bool, usize)> {
    let mut counts: Vec<(Cause, bool, usize)> = Vec::new();
    for restart in restarts {
        let (cause, recorded) = (restart.cause, restart.cause == Cause::Oom && restart.recorded);
        match counts.iter_mut().find(|known| (known.0, known.1) == (cause, recorded)) {
            Some((_, _, count)) => *count += 1,
            None => counts.push((cause, recorded, 1)),
        }
    }
    counts
}
