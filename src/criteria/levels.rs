//! `baseline-300mb` and `steady-500mb`: how much memory a container takes after a restart.
//!
//! Takes readings in bytes and the restarts that were found, gives the highest level after any of them, in bytes.
//! The first reading is no start: most containers ran before anyone measured them.

use crate::series::MemorySeries;
use crate::units::{duration_text, memory_text};

use super::{Context, Criterion, Span, Status, amount_text, between, counted, moment_text};
use crate::stats::robust::median;

/// The median of the minutes after settling, below 300 MB after every restart.
pub(super) fn baseline(series: &MemorySeries, context: &Context<'_>) -> Criterion {
    let settings = &context.settings.baseline;
    let settle_ms = settings.settle_seconds.as_ms();
    let level = Level {
        id: "baseline-300mb",
        gates: settings.gates,
        max_bytes: settings.max_bytes.as_f64(),
        from_ms: settle_ms,
        to_ms: settle_ms + settings.window_seconds.as_ms(),
        whole: false,
        of: median,
        of_what: "median",
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
        max_bytes: settings.max_bytes.as_f64(),
        from_ms: within_ms - (within_ms as f64 * settings.steady_share.get()) as i64,
        to_ms: within_ms,
        whole: true,
        of: |bytes| bytes.iter().copied().max_by(f64::total_cmp),
        of_what: "highest reading",
    };
    level.evaluate(series, context)
}

/// A level to be kept after a restart.
struct Level {
    id: &'static str,
    gates: bool,
    max_bytes: f64,
    /// From when after a restart readings count, in milliseconds.
    from_ms: i64,
    /// Until when after a restart readings count, in milliseconds.
    to_ms: i64,
    /// Whether the time must have passed to its end before the next restart or the end of the readings.
    whole: bool,
    of: fn(&[f64]) -> Option<f64>,
    /// What `of` takes of the readings.
    of_what: &'static str,
}

impl Level {
    fn evaluate(&self, series: &MemorySeries, context: &Context<'_>) -> Criterion {
        let mut starts: Vec<i64> = context.restarts.iter().map(|restart| restart.at_ms).collect();
        starts.sort_unstable();
        if starts.is_empty() || context.drops_are_collections {
            let reason = match starts.len() {
                0 => "no restart was seen".to_owned(),
                n => format!("no restart was seen ({}, taken for garbage collections)", counted(n, "sharp drop")),
            };
            return Criterion::new(self.id, self.gates, Status::NotApplicable, reason);
        }

        let measured: Vec<(i64, f64)> = starts
            .iter()
            .enumerate()
            .filter_map(|(index, &start_ms)| {
                let next_ms = starts.get(index + 1).copied().unwrap_or(series.end_ms() + 1);
                let to_ms = start_ms + self.to_ms;
                if self.whole && next_ms <= to_ms {
                    return None;
                }
                let level = (self.of)(between(series, start_ms + self.from_ms, to_ms.saturating_add(1).min(next_ms)))?;
                Some((start_ms, level))
            })
            .collect();
        let highest = measured.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
        let when = format!(
            "from {} to {} after",
            duration_text(self.from_ms as f64 / 1e3),
            duration_text(self.to_ms as f64 / 1e3)
        );
        let cut = context.cut;
        let (status, reason) = match highest {
            None => (
                Status::NotEvaluable,
                format!(
                    "there are no readings {when} a {cut} and before the next one ({} seen)",
                    counted(starts.len(), cut)
                ),
            ),
            Some((start_ms, bytes)) => {
                let restart = moment_text(series, start_ms);
                let of_several = match measured.len() {
                    1 => String::new(),
                    n => format!(", the highest of {n} {cut}s"),
                };
                let reason = format!(
                    "memory was {} ({}) {when} the {cut} at {restart}{of_several}; below {} is expected",
                    memory_text(bytes),
                    self.of_what,
                    amount_text(self.max_bytes)
                );
                (if bytes < self.max_bytes { Status::Pass } else { Status::Fail }, reason)
            }
        };
        let spans = measured
            .iter()
            .filter(|(_, bytes)| self.max_bytes <= *bytes)
            .map(|(start_ms, _)| Span {
                pending_at_ms: *start_ms,
                firing_at_ms: Some(start_ms + self.from_ms),
                resolved_at_ms: Some(start_ms + self.to_ms),
                during: None,
            })
            .collect();
        Criterion::new(self.id, self.gates, status, reason)
            .measured(highest.map(|(_, bytes)| bytes), self.max_bytes, "bytes")
            .with_spans(spans)
    }
}
