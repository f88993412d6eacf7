//! `flat-after-load`: memory after a load against memory before it.
//!
//! Takes readings in bytes and the load's start and end, gives the settled level in bytes. Two levels can be meant
//! by "stabilises within 10 %": the one before the load decides, the one at its end is named beside it. Memory of a
//! process that has just started is none of them: it is compared with what was read past the settle time.

use crate::series::MemorySeries;
use crate::settings::FlatAfterLoadSettings;

use super::reason::{AfterLoad, LoadLevels};
use super::starts::Starts;
use super::{Context, Criterion, LoadWindow, Reason, Span, Status, between};
use crate::stats::robust::median;

const ID: &str = "flat-after-load";

/// The settled level at most 10 % or 10 MB above the level before the load, and no growth after it.
pub(super) fn evaluate(series: &MemorySeries, context: &Context<'_>, starts: &Starts) -> Criterion {
    let settings = &context.settings.flat_after_load;
    let result = |status, after| Criterion::new(ID, settings.gates, status, Reason::AfterLoad(after));
    let Some(load) = context.load else {
        return result(Status::NotApplicable, AfterLoad::NoLoad);
    };

    let min_readings = settings.min_readings.max(1) as usize;
    let before = between(series, i64::MIN, load.start_ms);
    let (Some(baseline), true) = (median(before), min_readings <= before.len()) else {
        let needed_seconds = min_readings as f64 * series.step_seconds().unwrap_or(60.0);
        let after = AfterLoad::NoBaseline { readings: before.len(), needed: min_readings, needed_seconds };
        return result(Status::NotEvaluable, after);
    };
    let start_ms = starts.last_by(load.start_ms);
    let warm = start_ms.map_or(before, |start_ms| between(series, starts.settled_ms(start_ms), load.start_ms));
    let is_cold = warm.len() < min_readings;
    let baseline = median(warm).filter(|_| !is_cold).unwrap_or(baseline);
    let rise = (settings.rise_share.get() * baseline).max(settings.rise_floor_bytes.as_f64());
    let allowed = baseline + rise;

    let after_ms = series.end_ms() - load.end_ms;
    let settled_start_ms = series.end_ms() - (settings.settled_share.get() * after_ms as f64).floor() as i64;
    let settled_readings = if after_ms > 0 { between(series, settled_start_ms, i64::MAX) } else { &[] };
    let (Some(settled), true) = (median(settled_readings), min_readings <= settled_readings.len()) else {
        let after = not_settled(series, settings, load, settled_readings.len());
        return result(Status::NotEvaluable, after).measured(None, allowed, "bytes");
    };

    let levels = LoadLevels {
        before_bytes: baseline,
        end_bytes: end_of_load(series, load, settings.settled_share.get()),
        settled_bytes: settled,
        rise_bytes: rise,
    };
    let (status, after) = match (settled > allowed, is_cold, context.verdict.grows_after_load) {
        // That needs no baseline.
        (true, true, Some(true)) => (Status::Fail, AfterLoad::Grows(levels)),
        (true, true, _) => {
            let start = starts.at_start(series, load.start_ms);
            (Status::NotEvaluable, AfterLoad::NotWarm { start, needed: min_readings, levels })
        }
        (true, false, _) => (Status::Fail, AfterLoad::Higher(levels)),
        (false, _, Some(true)) => (Status::Fail, AfterLoad::GrowsBelow(levels)),
        (false, _, Some(false)) => (Status::Pass, AfterLoad::CameBack(levels)),
        (false, _, None) => (Status::NotEvaluable, AfterLoad::MayGrow(levels, context.verdict.reason.to_owned())),
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
    result(status, after).measured(Some(settled), allowed, "bytes").with_spans(spans)
}

/// The level at the load's end, where it was read: the median of the same last share of the load.
fn end_of_load(series: &MemorySeries, load: LoadWindow, share: f64) -> Option<f64> {
    let last_part_ms = (share * (load.end_ms - load.start_ms) as f64) as i64;
    median(between(series, load.end_ms - last_part_ms, load.end_ms + 1))
}

/// How much longer to measure for a settled level.
fn not_settled(
    series: &MemorySeries,
    settings: &FlatAfterLoadSettings,
    load: LoadWindow,
    readings: usize,
) -> AfterLoad {
    let step_seconds = series.step_seconds().unwrap_or(60.0);
    let (share, needed) = (settings.settled_share.get(), settings.min_readings.max(1) as usize);
    if share == 0.0 {
        return AfterLoad::NothingSettles;
    }
    let after_seconds = ((series.end_ms() - load.end_ms) as f64 / 1e3).max(0.0);
    let longer_seconds = (needed as f64 * step_seconds / share - after_seconds).max(step_seconds);
    AfterLoad::NotSettled { readings, needed, share, after_seconds, longer_seconds }
}
