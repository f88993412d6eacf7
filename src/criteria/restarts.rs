//! `restart-loop`: restarts or OOM kills in quick succession.
//!
//! Takes the restarts that were found, gives the most within the time. Of several restarts between two readings one
//! is seen at most, so readings far apart cannot exclude a loop; events that cover the time can.

use crate::series::MemorySeries;
use crate::units::duration_text;

use super::{Context, Criterion, KnownRestart, Span, Status, counted, moment_text, percent_text, step_text};

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
    let (status, reason) = if loop_size <= most.len() {
        let seconds = (most[most.len() - 1].at_ms - most[0].at_ms) as f64 / 1e3;
        let reason = format!(
            "{} within {} from {} ({}); fewer than {loop_size} within {} are allowed",
            counted(most.len(), context.cut),
            duration_text(seconds),
            moment_text(series, most[0].at_ms),
            causes_text(most),
            settings.within_seconds
        );
        (Status::Fail, reason)
    } else {
        let seen = match most.len() {
            0 => "no restart was seen".to_owned(),
            n => format!("at most {} within {}", counted(n, context.cut), settings.within_seconds),
        };
        let watched = percent_text(context.watched_share);
        let readings_show_it = series.step_seconds().is_some_and(|step_seconds| step_seconds <= seen_step_seconds);
        if readings_show_it {
            (Status::Pass, format!("{seen}; fewer than {loop_size} are allowed"))
        } else if settings.min_watched_share.get() <= context.watched_share {
            let reason = format!(
                "{seen}, in events that cover {watched} of the time; fewer than {loop_size} are \
                                  allowed"
            );
            (Status::Pass, reason)
        } else {
            let readings = step_text(series)
                .map_or_else(|| "a single reading".to_owned(), |step| format!("readings {step} apart"));
            let events = if context.watched_share > 0.0 {
                let needed = percent_text(settings.min_watched_share.get());
                format!(", and events cover only {watched} of the time ({needed} is needed)")
            } else {
                String::new()
            };
            let reason = format!(
                "{readings} cannot show {loop_size} restarts within {}{events}; measure at least every {}, or pass \
                 events that cover the whole time",
                settings.within_seconds,
                duration_text(seen_step_seconds)
            );
            (Status::NotEvaluable, reason)
        }
    };
    Criterion::new("restart-loop", settings.gates, status, reason)
        .measured(Some(most.len() as f64), f64::from(settings.restarts), "restarts")
        .with_spans(spans)
}

/// The most restarts that lie within the time, the first such; O(n).
fn busiest<'r>(restarts: &'r [KnownRestart<'r>], within_ms: i64) -> &'r [KnownRestart<'r>] {
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
fn loops(restarts: &[KnownRestart<'_>], loop_size: usize, within_ms: i64) -> Vec<Span> {
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

/// How often each cause occurs, in order of appearance: `2 oom, 1 recreated`.
fn causes_text(restarts: &[KnownRestart<'_>]) -> String {
    let words = |restart: &KnownRestart<'_>| match restart.cause {
        "oom" if restart.recorded => "OOM-killed",
        "oom" => "probably OOM-killed",
        "event" => "recorded by events",
        "recreated" => "with a new container ID",
        "counter-reset" => "with reset I/O counters",
        "gap" => "after missing readings",
        _ => "inferred from a drop to start-up level",
    };
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for cause in restarts.iter().map(words) {
        match counts.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, count)) => *count += 1,
            None => counts.push((cause, 1)),
        }
    }
    match counts[..] {
        [(cause, count)] if count > 1 => format!("all {count} {cause}"),
        _ => counts.iter().map(|(cause, count)| format!("{count} {cause}")).collect::<Vec<_>>().join(", "),
    }
}
