//! `flat-after-load`: memory after a load against memory before it.
//!
//! Takes readings in bytes and the load's start and end, gives the settled level in bytes. Two levels can be meant
//! by "stabilises within 10 %": the one before the load decides, the one at its end is named beside it. Memory of a
//! process that has just started is none of them: it is compared with what was read past the settle time.

use crate::series::MemorySeries;
use crate::units::{duration_text, memory_text};

use super::starts::Starts;
use super::{Context, Criterion, LoadWindow, Span, Status, between, counted};
use crate::stats::robust::median;

const ID: &str = "flat-after-load";

/// The settled level at most 10 % or 10 MB above the level before the load, and no growth after it.
pub(super) fn evaluate(series: &MemorySeries, context: &Context<'_>, starts: &Starts) -> Criterion {
    let settings = &context.settings.flat_after_load;
    let Some(load) = context.load else {
        let reason = "needs the start and end of a load (`--load START..END`)".to_owned();
        return Criterion::new(ID, settings.gates, Status::NotApplicable, reason);
    };

    let min_readings = settings.min_readings.max(1) as usize;
    let before = between(series, i64::MIN, load.start_ms);
    let (Some(baseline), true) = (median(before), min_readings <= before.len()) else {
        let reason = format!(
            "only {} before the load: too few for a baseline; {min_readings} are needed, so start measuring {} before \
             the load",
            counted(before.len(), "reading"),
            duration_text(min_readings as f64 * series.step_seconds().unwrap_or(60.0))
        );
        return Criterion::new(ID, settings.gates, Status::NotEvaluable, reason);
    };
    let start_ms = starts.last_by(load.start_ms);
    let warm = start_ms.map_or(before, |start_ms| between(series, starts.settled_ms(start_ms), load.start_ms));
    let cold_start_ms = start_ms.filter(|_| warm.len() < min_readings);
    let baseline = median(warm).filter(|_| cold_start_ms.is_none()).unwrap_or(baseline);
    let rise = (settings.rise_share.get() * baseline).max(settings.rise_floor_bytes.as_f64());
    let allowed = baseline + rise;

    let after_ms = series.end_ms() - load.end_ms;
    let settled_start_ms = series.end_ms() - (settings.settled_share.get() * after_ms as f64).floor() as i64;
    let settled_readings = if after_ms > 0 { between(series, settled_start_ms, i64::MAX) } else { &[] };
    let (Some(settled), true) = (median(settled_readings), min_readings <= settled_readings.len()) else {
        return Criterion::new(
            ID,
            settings.gates,
            Status::NotEvaluable,
            wait_text(series, context, load, settled_readings.len()),
        )
        .measured(None, allowed, "bytes");
    };

    let levels = format!(
        "it settled at {} after the load, against {} before it{}",
        memory_text(settled),
        memory_text(baseline),
        end_of_load_text(series, load, settings.settled_share.get())
    );
    let (status, reason) = if let Some(start_ms) = cold_start_ms.filter(|_| settled > allowed) {
        match context.verdict.grows_after_load {
            // That needs no baseline.
            Some(true) => (Status::Fail, format!("memory grows after the load: {levels}")),
            _ => (Status::NotEvaluable, cold_text(series, starts, load, start_ms, &levels, min_readings)),
        }
    } else if settled > allowed {
        let over = memory_text(settled - baseline);
        (Status::Fail, format!("memory stays {over} higher: {levels}; {} more is allowed", memory_text(rise)))
    } else {
        match context.verdict.grows_after_load {
            Some(true) => {
                (Status::Fail, format!("memory grows after the load, though not yet above what is allowed: {levels}"))
            }
            Some(false) => (
                Status::Pass,
                format!("memory came back and does not grow: {levels}; {} more is allowed", memory_text(rise)),
            ),
            None => (
                Status::NotEvaluable,
                format!(
                    "memory came back, but it is not known whether it grows after the load: {levels}; {}",
                    context.verdict.reason
                ),
            ),
        }
    };
    let spans = if status == Status::Fail {
        vec![Span {
            pending_at_ms: load.end_ms,
            firing_at_ms: Some(settled_start_ms),
            resolved_at_ms: None,
            during: None,
        }]
    } else {
        Vec::new()
    };
    Criterion::new(ID, settings.gates, status, reason).measured(Some(settled), allowed, "bytes").with_spans(spans)
}

/// Why the level before the load is not a baseline, and what to do.
fn cold_text(
    series: &MemorySeries,
    starts: &Starts,
    load: LoadWindow,
    start_ms: i64,
    levels: &str,
    min_readings: usize,
) -> String {
    let before = duration_text((load.start_ms - start_ms) as f64 / 1e3);
    let found = match starts.seen_bytes(series, start_ms) {
        None => format!("the process started {before} before the load"),
        Some((first, level)) => format!(
            "the readings begin {before} before the load at {} and settle at {}, like those of a process that has just \
             started",
            memory_text(first),
            memory_text(level)
        ),
    };
    format!(
        "{found}: memory before the load is not a baseline ({levels}); run a warm-up load first, wait {}, and \
         take {min_readings} readings or more before the load (see docs/ci-soak.md)",
        starts.settle()
    )
}

/// The level at the load's end, where it was read: the median of the same last share of the load.
fn end_of_load_text(series: &MemorySeries, load: LoadWindow, share: f64) -> String {
    let last_part_ms = (share * (load.end_ms - load.start_ms) as f64) as i64;
    match median(between(series, load.end_ms - last_part_ms, load.end_ms + 1)) {
        Some(level) => format!(" and {} at its end", memory_text(level)),
        None => String::new(),
    }
}

fn wait_text(series: &MemorySeries, context: &Context<'_>, load: LoadWindow, n_readings: usize) -> String {
    let step_seconds = series.step_seconds().unwrap_or(60.0);
    let settings = &context.settings.flat_after_load;
    let (share, min_readings) = (settings.settled_share.get(), settings.min_readings.max(1));
    let after_seconds = ((series.end_ms() - load.end_ms) as f64 / 1e3).max(0.0);
    if share == 0.0 {
        return "`settled_share` is 0, so no part of the time after the load counts as settled".to_owned();
    }
    let needed_seconds = (f64::from(min_readings) * step_seconds / share - after_seconds).max(step_seconds);
    format!(
        "only {} in the last {:.0} % of the {} after the load: too few for a settled level; {min_readings} are needed, \
         so wait {} after the load, {} longer",
        counted(n_readings, "reading"),
        share * 100.0,
        duration_text(after_seconds),
        duration_text(after_seconds + needed_seconds),
        duration_text(needed_seconds)
    )
}
