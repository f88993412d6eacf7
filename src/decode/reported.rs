//! Evidence of restarts and kills in an input.

use serde::{Deserialize, Serialize};

/// The evidence that exports hold about one series.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ReportedRestarts {
    /// Its id.
    pub series: String,
    /// In time order.
    pub restarts: Vec<ReportedRestart>,
    /// The times in which a restart would have been recorded, in milliseconds; in time order.
    pub watched: Vec<(i64, i64)>,
}

/// A restart or kill that an export records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedRestart {
    /// It was after this time, in milliseconds.
    pub after_ms: i64,
    /// When it was, or when it was known at the latest, in milliseconds.
    pub time_ms: i64,
    /// Whether its container, or its process, started again; otherwise a process in it was killed.
    pub restarted: bool,
    /// Whether memory was what it was killed for.
    pub oom: bool,
    /// Whether its pod was recreated under its name.
    pub recreated: bool,
    /// Why it ended, as Kubernetes says, where that is not memory.
    pub reason: Option<String>,
    /// The metrics that record it.
    pub by: Vec<String>,
}
