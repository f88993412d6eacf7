//! `baseline-300mb` and `steady-500mb`: how much memory a container takes after a restart.
//!
//! Takes readings in bytes and the restarts that were found, gives the highest level after any of them, in bytes.
//! The first reading is no start: most containers ran before anyone measured them.

use crate::series::MemorySeries;

use super::reason::{ExpectedLevel, FoundLevel, Moment};
use super::{Context, Criterion, Drops, Reason, Span, Status, between};
use crate::stats::robust::median;

/// The median of the minutes after settling, below 300 MB after every restart.
pub(super) fn baseline(series: &MemorySeries, context: &Context<'_>) -> Criterion {
    let settings = &context.settings.baseline;
    let settle_ms = settings.settle_seconds.as_ms();
    let level = Level {
        id: "baseline-300mb",
        gates: settings.gates,
        expected: ExpectedLevel {
            from_ms: settle_ms,
            to_ms: settle_ms + settings.window_seconds.as_ms(),
            highest: false,
            max_bytes: settings.max_bytes.as_f64(),
        },
        whole: false,
    };
    level.evaluate(series, context)
}

/// Never 500 MB or more in the last minutes of the quarter of an hour after every restart.
pub(super) fn steady(series: &MemorySeries, context: &Context<'_>) -> Criterion {
    let settings = &context.settings.steady;
    let within_ms = settings.within_seconds.as_ms();
    let level = Level {
        id: "steady-500mb",
        gates: settings.gates,
        expected: ExpectedLevel {
            from_ms: within_ms - (within_ms as f64 * settings.steady_share.get()) as i64,
            to_ms: within_ms,
            highest: true,
            max_bytes: settings.max_bytes.as_f64(),
        },
        whole: true,
    };
    level.evaluate(series, context)
}

/// A level to be kept after a restart.
struct Level {
    id: &'static str,
    gates: bool,
    expected: ExpectedLevel,
    /// Whether the time must have passed to its end before the next restart or the end of the readings.
    whole: bool,
}

impl Level {
    fn evaluate(&self, series: &MemorySeries, context: &Context<'_>) -> Criterion {
        let mut starts: Vec<i64> = context.restarts.iter().map(|restart| restart.at_ms).collect();
        starts.sort_unstable();
        let result = |status, found| {
            Criterion::new(self.id, self.gates, status, Reason::Level(found, self.expected, context.drops))
        };
        if starts.is_empty() || context.drops == Drops::Collections {
            return result(Status::NotApplicable, FoundLevel::NoStart(starts.len()));
        }

        let ExpectedLevel { from_ms, to_ms, highest, max_bytes } = self.expected;
        let measured: Vec<(i64, f64)> = starts
            .iter()
            .enumerate()
            .filter_map(|(index, &start_ms)| {
                let next_ms = starts.get(index + 1).copied().unwrap_or(series.end_ms() + 1);
                let end_ms = start_ms + to_ms;
                if self.whole && next_ms <= end_ms {
                    return None;
                }
                let readings = between(series, start_ms + from_ms, end_ms.saturating_add(1).min(next_ms));
                let level = if highest { readings.iter().copied().max_by(f64::total_cmp) } else { median(readings) }?;
                Some((start_ms, level))
            })
            .collect();
        let worst = measured.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
        let (status, found) = match worst {
            None => (Status::NotEvaluable, FoundLevel::NoReadings(starts.len())),
            Some((start_ms, bytes)) => {
                let found = FoundLevel::Highest(bytes, Moment::of(series, start_ms), measured.len());
                (if bytes < max_bytes { Status::Pass } else { Status::Fail }, found)
            }
        };
        let spans = measured
            .iter()
            .filter(|(_, bytes)| max_bytes <= *bytes)
            .map(|(start_ms, _)| Span {
                pending_at_ms: *start_ms,
                firing_at_ms: Some(start_ms + from_ms),
                resolved_at_ms: Some(start_ms + to_ms),
                during: None,
            })
            .collect();
        result(status, found).measured(worst.map(|(_, bytes)| bytes), max_bytes, "bytes").with_spans(spans)
    }
}
