//! The runbook's criteria, each with its own status.

/// How a criterion came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// The sampling cannot decide it. Never shown as a pass.
    NotEvaluable,
    /// It needs something that was not given.
    NotApplicable,
}

/// One criterion's result for one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// As in the contract: `growth-100mb-5m`.
    pub id: &'static str,
    /// How it came out.
    pub status: Status,
    /// Whether a failure fails the series.
    pub gates: bool,
    /// One sentence with numbers.
    pub reason: String,
    /// What was measured, in `unit`.
    pub value: Option<f64>,
    /// What it was compared with, in `unit`.
    pub threshold: Option<f64>,
    /// `bytes`, `bytes_per_second`, `share`, `restarts`, `seconds`; `None` for a verdict.
    pub unit: Option<&'static str>,
    /// For replayed rules: the share of evaluations that had all operands.
    pub evaluable_share: Option<f64>,
    /// When it failed.
    pub spans: Vec<Span>,
    /// For replayed rules whose phase is unknown: how much the answer depends on it.
    pub phases: Option<Phases>,
}

/// A time in which a criterion was pending or failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// When the condition began to hold, in milliseconds.
    pub pending_at_ms: i64,
    /// When it had held for long enough; `None` when it never did.
    pub firing_at_ms: Option<i64>,
    /// When it ceased; `None` when it held to the end of the data.
    pub resolved_at_ms: Option<i64>,
    /// Whether it was pending inside the load window, and so does not count.
    pub during_load: bool,
}

/// A replay over all phases of the evaluation interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phases {
    /// Share of phases in which the rule fires, 0 to 1.
    pub fired_share: f64,
    /// Earliest firing over all phases, in milliseconds.
    pub earliest_firing_at_ms: Option<i64>,
    /// Latest first firing over the phases that fire, in milliseconds.
    pub latest_firing_at_ms: Option<i64>,
}
