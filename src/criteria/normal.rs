//! `rss-500mb`, `heap-total-300mb` and `heap-used-200mb`: what the runbook calls normal for a Node.js process.
//!
//! Takes the readings of one amount in bytes, gives their median against the level that is expected.

use crate::series::MemorySeries;
use crate::settings::CriteriaSettings;
use crate::stats::robust::median;

use super::{Criterion, Reason, Status};

/// An amount whose normal level the runbook knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normal {
    /// The resident set of the process.
    Rss,
    /// The heap that it has reserved.
    HeapTotal,
    /// The objects on that heap.
    HeapUsed,
}

/// Whether the usual level of an amount is what is expected; it does not gate unless the settings say so.
///
/// `steady`: what `steady-500mb` said of the same series, where it could be evaluated: one level is judged once.
pub fn normal(amount: Normal, series: &MemorySeries, settings: &CriteriaSettings, steady: Option<Status>) -> Criterion {
    let (id, max, gates) = match amount {
        Normal::Rss => ("rss-500mb", settings.rss.max_bytes, settings.rss.gates),
        Normal::HeapTotal => ("heap-total-300mb", settings.heap_total.max_bytes, settings.heap_total.gates),
        Normal::HeapUsed => ("heap-used-200mb", settings.heap_used.max_bytes, settings.heap_used.gates),
    };
    if steady.is_some_and(|status| matches!(status, Status::Pass | Status::Fail)) {
        return Criterion::new(id, gates, Status::NotApplicable, Reason::JudgedAfterRestarts);
    }
    let median_bytes = median(series.used_bytes()).expect("a series is never empty");
    let max_bytes = max.as_f64();
    let status = if median_bytes < max_bytes { Status::Pass } else { Status::Fail };
    let reason = Reason::Normal { amount, median_bytes, max_bytes };
    Criterion::new(id, gates, status, reason).measured(Some(median_bytes), max_bytes, "bytes")
}
