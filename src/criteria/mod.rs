//! The runbook's criteria, each with its own status.
//!
//! Takes one series and what was found out about it, gives one result for each criterion, in the order of the
//! contract. Times are milliseconds, amounts bytes.

use std::borrow::Cow;
use std::ops::Range;

use crate::series::{Labels, MemorySeries, Metric, Sampling};
use crate::settings::{CriteriaSettings, EvaluationSettings};
use crate::units::{duration_text, memory_text, time_text};

use alert_rule::Lookback;
use starts::Starts;

pub use normal::{Normal, normal};

pub mod alert_rule;
pub mod own_rule;

mod after_load;
mod alerts;
mod confirmed;
mod levels;
mod normal;
mod rapid;
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
    pub restarts: &'a [KnownRestart<'a>],
    /// Whether these are drops that the verdict takes for garbage collections.
    pub drops_are_collections: bool,
    /// What they are called: `restart`, `probable restart`, `sharp drop`, `rollout`.
    pub cut: &'static str,
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
    pub name: &'a str,
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

/// A restart or OOM kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownRestart<'a> {
    /// When, in milliseconds.
    pub at_ms: i64,
    /// As in the contract: `oom`, `recreated`, `counter-reset`, `gap`, `level-drop`, `event`.
    pub cause: &'a str,
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
    fn new(id: &'static str, gates: bool, status: Status, reason: String) -> Criterion {
        Criterion {
            id: Cow::Borrowed(id),
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

    /// What it takes to pass, as a part of a sentence.
    pub fn would_pass(&self) -> String {
        let amount = self.threshold.filter(|_| self.unit == Some("bytes")).map(amount_text);
        match (&*self.id, amount) {
            ("high-memory", _) => match self.threshold {
                Some(share) => {
                    format!("memory that stays below {:.0} % of the limit, or a higher limit", 100.0 * share)
                }
                None => "a higher limit".to_owned(),
            },
            ("flat-after-load", Some(most)) => format!("memory that comes back to {most} or less after the same load"),
            ("restart-loop", _) => "fewer restarts in quick succession".to_owned(),
            ("stale-data", _) => "newer readings".to_owned(),
            ("growth-100mb-5m" | "confirmed-100mb-60s" | "rapid-50mb-per-min", _) => {
                format!("no further climb as steep as that which failed {}", self.id)
            }
            (id, Some(most)) => format!("a value of {most} or less, with which {id} passes"),
            (id, None) => format!("readings with which {id} passes"),
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
    /// Latest first firing over the phases that fire, in milliseconds.
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

/// A number of things: `1 reading`, `2 readings`.
fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
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

/// Why a threshold cannot be decided at the printed spacing of values.
fn too_coarse_text(series: &MemorySeries, threshold_bytes: f64) -> String {
    format!(
        "the input prints this memory in steps of {}, too coarse for a threshold of {}",
        memory_text(coarsest_resolution(series)),
        amount_text(threshold_bytes)
    )
}

/// A threshold as the runbook writes it, in whole MB or GB, with its binary value beside: `100 MB (95.37 MiB)`.
fn amount_text(bytes: f64) -> String {
    match bytes {
        _ if bytes <= 0.0 || bytes % 1e6 != 0.0 => memory_text(bytes),
        _ if bytes % 1e9 == 0.0 => format!("{} GB ({})", bytes / 1e9, memory_text(bytes)),
        _ => format!("{} MB ({})", bytes / 1e6, memory_text(bytes)),
    }
}

/// A share in per cent, never rounded to all or nothing: `37 %`, `0.20 %`.
fn percent_text(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 100.0 || (1.0 <= percent && percent <= 99.0) {
        return format!("{percent:.0} %");
    }
    if percent < 0.01 {
        return "less than 0.01 %".to_owned();
    }
    if percent > 99.99 { "more than 99.99 %".to_owned() } else { format!("{percent:.2} %") }
}

/// When an alert fired first, and in how many phases. `counted_ms`: the firing that counts, which may have begun in a
/// start-up or a load.
fn fired_text(series: &MemorySeries, answer: &alert_rule::Answer, counted_ms: i64) -> String {
    let share = match answer.phases {
        None => String::new(),
        Some(phases) if phases.fired_share == 1.0 => ", at every evaluation offset".to_owned(),
        Some(phases) => {
            format!(", at {} of the evaluation offsets", percent_text(phases.fired_share))
        }
    };
    let firing = answer.spans.iter().filter(|span| span.during.is_none()).find_map(|span| span.firing_at_ms);
    let first_ms = firing.map_or(counted_ms, |firing_ms| firing_ms.min(counted_ms));
    let counted = if first_ms < counted_ms {
        let from = moment_text(series, counted_ms);
        format!(" (counted only from {from} on: earlier it saw a start-up or a load)")
    } else {
        String::new()
    };
    format!("would have fired at {}{share}{counted}", moment_text(series, first_ms))
}

/// A time of the series for a reader: absolute, or before its last reading where no time is known.
fn moment_text(series: &MemorySeries, time_ms: i64) -> String {
    let before_last = || format!("{} before the last reading", duration_text((series.end_ms() - time_ms) as f64 / 1e3));
    if series.end_ms() <= 0 {
        return before_last();
    }
    time_text(time_ms).unwrap_or_else(before_last)
}

/// How far apart readings usually are, for a reader; `None` for a single one.
fn step_text(series: &MemorySeries) -> Option<String> {
    series.step_seconds().map(duration_text)
}

/// That the load does not count, where there is one; begins with a comma.
fn left_out_text(context: &Context<'_>) -> &'static str {
    if context.load.is_some() { " (the load is left out)" } else { "" }
}

/// What an alert on this metric replays, where it is not the runbook's; begins with a comma.
fn metric_text(series: &MemorySeries) -> &'static str {
    match series.info.metric {
        Metric::DockerUsage => {
            "; replayed on usage without inactive file cache (docker stats), not on container_memory_usage_bytes"
        }
        Metric::WorkingSet => "; replayed on the working set, not on container_memory_usage_bytes",
        Metric::Rss => "; replayed on the resident set, not on container_memory_usage_bytes",
        Metric::Heap => "; replayed on a runtime's heap, not on container_memory_usage_bytes",
        Metric::UsageBytes | Metric::Other => "",
    }
}

/// How exact a replay is, where the points are not readings; begins with a comma.
fn sampling_text(series: &MemorySeries) -> &'static str {
    match series.info.sampling {
        Sampling::Raw => "",
        Sampling::Step { .. } => "; this is approximate, because the points come from a range query, not from scrapes",
    }
}
