//! The runbook's criteria, each with its own status.
//!
//! Takes one series and what was found out about it, gives one result for each criterion, in the order of the
//! contract. Times are milliseconds, amounts bytes.

use std::borrow::Cow;
use std::ops::Range;

use crate::segment::Cause;
use crate::series::{Labels, MemorySeries};
use crate::settings::{CriteriaSettings, EvaluationSettings};

use alert_rule::Lookback;
use starts::Starts;

pub use normal::{Normal, normal};
pub use reason::Reason;

pub mod alert_rule;
pub mod own_rule;
pub mod reason;

mod after_load;
mod alerts;
mod confirmed;
mod levels;
mod normal;
mod rapid;
mod replayed;
mod restarts;
mod stale;
mod starts;
mod trend;

/// What the criteria need beside the samples.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Thresholds, windows and which criteria gate.
    pub settings: &'a CriteriaSettings,
    /// When rules are evaluated.
    pub evaluation: &'a EvaluationSettings,
    /// How old a reading may be at an evaluation: usually `Lookback::prometheus_3` of the setting.
    pub lookback: Lookback,
    /// When the load ran; `None` when none was given.
    pub load: Option<LoadWindow>,
    /// The container's own memory limit, in bytes, more than 0; `None` when it is not known.
    pub limit_bytes: Option<f64>,
    /// What can stand for it where it is not known.
    pub assumed_limit: Option<AssumedLimit>,
    /// What the statistics say.
    pub verdict: VerdictSummary<'a>,
    /// When the container last started before its first reading, in milliseconds; `None` when it is not known.
    pub started_ms: Option<i64>,
    /// Restarts and OOM kills, in any order.
    pub restarts: &'a [KnownRestart],
    /// What these are.
    pub drops: Drops,
    /// Share of the series' time in which events would have recorded every restart, 0 to 1; 0 without events.
    pub watched_share: f64,
    /// How old the newest readings are; `None` where nobody looks at a time of their own.
    pub freshness: Option<Freshness>,
}

/// How old the newest readings are when they are looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Freshness {
    /// Age of the newest sample of the log that the series is from, in seconds; negative when it lies ahead.
    pub log_age_seconds: f64,
    /// Age of the newest sample of the series itself, in seconds.
    pub age_seconds: f64,
    /// Usual time between two readings of the log, in seconds; `None` when it has too few to tell.
    pub interval_seconds: Option<f64>,
    /// Whether the container is gone while others of its log go on.
    pub is_gone: bool,
    /// The verdict of the night before, where the series failed it.
    pub failed_as: Option<&'static str>,
}

/// What can stand for a limit that is not known, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AssumedLimit {
    /// The highest reading before an OOM kill.
    DiedAt(f64),
    /// The memory of the host: no container has more.
    HostMemory(f64),
}

/// The limit that `high-memory` compares with where none is known. `fallback`: that of the settings, in bytes.
pub fn assumed_bytes(assumed: Option<AssumedLimit>, fallback: f64) -> f64 {
    match assumed {
        Some(AssumedLimit::DiedAt(bytes)) => bytes,
        Some(AssumedLimit::HostMemory(bytes)) => bytes.min(fallback),
        None => fallback,
    }
}

/// The verdict of the series, as far as criteria depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerdictSummary<'a> {
    /// As in the contract: `leak-masked-by-restarts`.
    pub name: &'static str,
    /// What it means for a trend.
    pub judgement: TrendJudgement,
    /// One sentence with numbers, without a final period.
    pub reason: &'a str,
    /// Whether memory grows after the load; `None` without a load, or where that is not settled.
    pub grows_after_load: Option<bool>,
    /// When growth began, in milliseconds; `None` where none is claimed.
    pub onset_ms: Option<i64>,
}

/// What a verdict means for the trend of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrendJudgement {
    /// `leak`, `leak-masked-by-restarts` or `stepping-growth`.
    Leak,
    /// `leak-suspected`.
    Suspected,
    /// Any other verdict that claims something.
    NoLeak,
    /// `inconclusive`.
    Inconclusive,
}

crate::named! {
    /// What the drops between the runs of a series are.
    pub enum Drops {
        /// Restarts: more than the values shows them.
        Restarts = "restart",
        /// Restarts, as far as the values show.
        ProbableRestarts = "probable restart",
        /// Garbage collections, as the verdict takes what nothing but the values shows.
        Collections = "sharp drop",
        /// Rollouts of a workload.
        Rollouts = "rollout",
    }
}

/// A restart or OOM kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownRestart {
    /// When, in milliseconds.
    pub at_ms: i64,
    /// Its evidence.
    pub cause: Cause,
    /// Whether an input records it; otherwise it is inferred from the values.
    pub recorded: bool,
}

/// When a load ran, in milliseconds; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadWindow {
    /// When it began.
    pub start_ms: i64,
    /// When it ended, not before it began.
    pub end_ms: i64,
}

/// All criteria, in the order of the contract.
pub fn evaluate(series: &MemorySeries, context: &Context<'_>) -> Vec<Criterion> {
    let starts = Starts::of(series, context);
    vec![
        alerts::growth(series, context, &starts),
        alerts::high_memory(series, context),
        confirmed::evaluate(series, context, &starts),
        rapid::evaluate(series, context, &starts),
        after_load::evaluate(series, context, &starts),
        trend::evaluate(series, context),
        restarts::evaluate(series, context),
        levels::baseline(series, context),
        levels::steady(series, context),
        stale::evaluate(series, context),
    ]
}

crate::named! {
    /// How a criterion came out.
    #[derive(PartialOrd, Ord)]
    pub enum Status {
        /// It holds.
        Pass = "pass",
        /// It does not hold.
        Fail = "fail",
        /// The readings cannot decide it. Never shown as a pass.
        NotEvaluable = "not-evaluable",
        /// It needs something that was not given.
        NotApplicable = "not-applicable",
    }
}

/// One criterion's result for one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// As in the contract: `growth-100mb-5m`, or `rule:NAME` for an alert of a rule file.
    pub id: Cow<'static, str>,
    /// How it came out.
    pub status: Status,
    /// Whether a failure fails the series.
    pub gates: bool,
    /// Why, with numbers.
    pub reason: Reason,
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
    /// For an alert that aggregates: whose it is. Every series of the group has the same criterion.
    pub group: Option<AlertGroup>,
}

/// The series that an alert aggregates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertGroup {
    /// The labels that the alert has of them.
    pub labels: Labels,
    /// How many series of the report are in it.
    pub n_series: usize,
}

impl Criterion {
    /// A result without numbers of its own.
    fn new(id: impl Into<Cow<'static, str>>, gates: bool, status: Status, reason: Reason) -> Criterion {
        Criterion {
            id: id.into(),
            status,
            gates,
            reason,
            value: None,
            threshold: None,
            unit: None,
            evaluable_share: None,
            spans: Vec::new(),
            phases: None,
            group: None,
        }
    }

    /// The same result with what was measured and what it was compared with.
    fn measured(self, value: Option<f64>, threshold: f64, unit: &'static str) -> Criterion {
        Criterion { value, threshold: Some(threshold), unit: Some(unit), ..self }
    }

    /// The same result with the times in which it failed.
    fn with_spans(self, spans: Vec<Span>) -> Criterion {
        Criterion { spans, ..self }
    }
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
    /// What it began in that keeps it from counting; `None` when it counts.
    ///
    /// One that after that goes on to hold for as long as it takes to fire does count.
    pub during: Option<During>,
}

/// What keeps a span from counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum During {
    /// The load window.
    Load,
    /// The time in which memory settles after a start.
    StartUp,
}

/// Says of each span that none which counts overlaps that it is of a start-up.
fn mark_start_ups(spans: &mut [Span], counted: &[Span]) {
    let ends_before = |span: &Span, time_ms: i64| span.resolved_at_ms.is_some_and(|resolved| resolved < time_ms);
    let mut next = 0;
    for span in spans {
        while counted.get(next).is_some_and(|other| ends_before(other, span.pending_at_ms)) {
            next += 1;
        }
        let counts = counted.get(next).is_some_and(|other| !ends_before(span, other.pending_at_ms));
        if !counts {
            span.during = Some(During::StartUp);
        }
    }
}

/// A replay over all phases of the evaluation interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phases {
    /// Share of phases in which the rule fires, 0 to 1.
    pub fired_share: f64,
    /// Earliest firing over all phases, in milliseconds.
    pub earliest_firing_at_ms: Option<i64>,
    /// First firing in the phase that fires last, in milliseconds.
    pub latest_firing_at_ms: Option<i64>,
}

/// The samples outside the load, as ranges of indices: all of them, or those before it and those after it.
fn outside_load(series: &MemorySeries, load: Option<LoadWindow>) -> Vec<Range<usize>> {
    let times = series.time_ms();
    let (before_end, after_start) = load.map_or((times.len(), times.len()), |load| {
        (times.partition_point(|time| *time < load.start_ms), times.partition_point(|time| *time <= load.end_ms))
    });
    [0..before_end, after_start..times.len()].into_iter().filter(|part| !part.is_empty()).collect()
}

/// The samples with `start_ms <= time < end_ms`, in bytes.
fn between(series: &MemorySeries, start_ms: i64, end_ms: i64) -> &[f64] {
    let times = series.time_ms();
    let first = times.partition_point(|time| *time < start_ms);
    let last = times.partition_point(|time| *time < end_ms);
    &series.used_bytes()[first..last.max(first)]
}

/// The coarsest spacing of printable values in the series, in bytes.
fn coarsest_resolution(series: &MemorySeries) -> f64 {
    series.resolution_bytes().coarsest().map_or(0.0, f64::from)
}

/// How much more than `bytes` a difference must be to be beyond doubt, in bytes.
///
/// 0 where values are printed finely; the printed spacing where it is half of `bytes` or more, as two rounded
/// values are off by up to that together. The runbook's 100 MB meet this above 100 GiB of `docker stats`.
fn margin(series: &MemorySeries, bytes: f64) -> f64 {
    let resolution = coarsest_resolution(series);
    if 2.0 * resolution >= bytes { resolution } else { 0.0 }
}

/// That a threshold cannot be decided at the printed spacing of values.
fn too_coarse(series: &MemorySeries, threshold_bytes: f64) -> Reason {
    Reason::TooCoarse { resolution_bytes: coarsest_resolution(series), threshold_bytes }
}
