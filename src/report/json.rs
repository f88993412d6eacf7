//! The JSON verdict, `schema_version` 1: other programs depend on its form, which `schema/` describes.
//!
//! Numbers are bytes, seconds, bytes per second; times RFC 3339 UTC. Unknown is null, never 0 or NaN.

mod input;

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use self::input::{InputJson, input};
use super::causes::{self, CauseJson, GrowthBeganJson};
use super::facts::Lean;
use super::parts::{self, GrowsJson, PartJson};
use super::workloads::{self, WorkloadJson};
use super::{KnownLimitSource, Report, SeriesReport, table, why, words};
use crate::account::Timeline;
use crate::criteria::{Criterion, During, Span, Status};
use crate::next_action::Step;
use crate::policy::Outcome;
use crate::rules::RuleAccount;
use crate::settings::Settings;
use crate::settled::SettledLevel;
use crate::units::time_text;
use crate::verdict::{Before, Growth};

/// The version of the form; changed when a program that reads it must change.
pub const SCHEMA_VERSION: u32 = 1;

/// The JSON Schema of the verdict.
pub const SCHEMA: &str = include_str!("../../schema/verdict.schema.json");

/// Writes the report as JSON, with a line feed at its end. `charts`: paths of the charts, relative to the JSON file.
///
/// # Errors
///
/// Those of `to`.
pub fn write(report: &Report, charts: &[String], mut to: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut to, &verdict(report, charts))?;
    to.write_all(b"\n")
}

/// What `write` writes.
pub fn render(report: &Report, charts: &[String]) -> String {
    let mut text = Vec::new();
    write(report, charts, &mut text).expect("memory can be written to");
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// A number: whole where it is whole, else with six significant digits; null when it is not finite.
///
/// No estimate here is known better, and the last digits of a double differ between machines.
pub(crate) struct Number(pub(crate) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.0.is_finite() {
            serializer.serialize_none()
        } else if self.0.fract() == 0.0 && self.0.abs() < 1e15 {
            serializer.serialize_i64(self.0 as i64)
        } else if self.0.abs() >= 1e6 {
            serializer.serialize_i64(self.0.round() as i64)
        } else {
            serializer.serialize_f64(format!("{:.5e}", self.0).parse().unwrap_or(self.0))
        }
    }
}

#[derive(Serialize)]
struct VerdictJson<'a> {
    schema_version: u32,
    tool: Tool,
    outcome: &'static str,
    exit_code: u8,
    settings: &'a Settings,
    notes: Vec<String>,
    inputs: Vec<InputJson<'a>>,
    series: EachSeries<'a>,
    ignored: &'a [String],
    rules: Vec<RuleJson<'a>>,
    charts: &'a [String],
}

/// Made one after another as they are written: of many series they are larger than all that they are made of.
struct EachSeries<'a> {
    report: &'a Report,
    times: Times,
}

impl Serialize for EachSeries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.report.series.iter().map(|one| series(self.report, one, self.times)))
    }
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct SeriesJson<'a> {
    id: &'a str,
    labels: &'a BTreeMap<String, String>,
    outcome: &'static str,
    affects_outcome: bool,
    verdict: &'static str,
    shape: &'static str,
    finding: String,
    why: Option<String>,
    lean: Option<&'static str>,
    since: Option<String>,
    last_seen: Option<String>,
    reason: String,
    would_change: String,
    notes: &'a [String],
    window: WindowJson,
    memory: MemoryJson,
    tolerance_bytes_per_second: Number,
    growth: Option<GrowthJson>,
    settled: Option<SettledJson>,
    onset: Option<String>,
    regime: RegimeJson,
    before: Vec<BeforeJson>,
    minimum_detectable: Option<DetectableJson>,
    segments: Vec<SegmentJson>,
    restarts: Vec<RestartJson<'a>>,
    change_points: Vec<ChangePointJson>,
    time_to_limit: Option<TimeToLimitJson>,
    criteria: Vec<CriterionJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causes: Option<Vec<CauseJson<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    growth_began: Option<GrowthBeganJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grows: Option<GrowsJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<PartJson<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<WorkloadJson<'a>>,
    next_action: Option<NextActionJson<'a>>,
}

#[derive(Serialize)]
struct RegimeJson {
    start: Option<String>,
    why: &'static str,
}

#[derive(Serialize)]
struct BeforeJson {
    start: Option<String>,
    end: Option<String>,
    bytes_per_second: Number,
}

#[derive(Serialize)]
struct WindowJson {
    start: Option<String>,
    end: Option<String>,
    samples: usize,
    coverage: Number,
    step_seconds: Option<Number>,
}

#[derive(Serialize)]
struct MemoryJson {
    first: Number,
    last: Number,
    min: Number,
    median: Number,
    max: Number,
    limit: Option<Number>,
    limit_source: Option<&'static str>,
    died_at: Option<Number>,
    kills: usize,
}

#[derive(Serialize)]
pub(super) struct GrowthJson {
    bytes_per_second: Number,
    lower: Number,
    upper: Number,
    confidence: Number,
    p_value: Number,
    q_value: Option<Number>,
}

#[derive(Serialize)]
pub(super) struct SettledJson {
    bytes: Number,
    lower: Number,
    upper: Number,
    confidence: Number,
    samples: usize,
}

#[derive(Serialize)]
struct DetectableJson {
    bytes_per_second: Option<Number>,
    needed_seconds: Option<Number>,
}

#[derive(Serialize)]
struct SegmentJson {
    start: Option<String>,
    end: Option<String>,
    why: &'static str,
}

#[derive(Serialize)]
struct RestartJson<'a> {
    at: Option<String>,
    cause: &'static str,
    recorded: bool,
    what: &'a str,
    before_bytes: Number,
    after_bytes: Number,
}

#[derive(Serialize)]
struct ChangePointJson {
    at: Option<String>,
    before_bytes: Number,
    after_bytes: Number,
}

#[derive(Serialize)]
struct TimeToLimitJson {
    seconds: Number,
    lower: Number,
    upper: Option<Number>,
    confidence: Number,
}

#[derive(Serialize)]
struct CriterionJson<'a> {
    id: &'a str,
    status: &'static str,
    gates: bool,
    reason: &'a str,
    value: Option<Number>,
    threshold: Option<Number>,
    unit: Option<&'static str>,
    evaluable_share: Option<Number>,
    spans: Vec<SpanJson>,
    phases: Option<PhasesJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<GroupJson<'a>>,
}

#[derive(Serialize)]
struct GroupJson<'a> {
    labels: &'a BTreeMap<String, String>,
    series: usize,
}

#[derive(Serialize)]
struct RuleJson<'a> {
    file: &'a str,
    group: &'a str,
    alert: &'a str,
    id: &'a str,
    expression: &'a str,
    interval_seconds: Number,
    for_seconds: Number,
    keep_firing_for_seconds: Number,
    status: &'static str,
    series: usize,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct SpanJson {
    pending_at: Option<String>,
    firing_at: Option<String>,
    resolved_at: Option<String>,
    in_load_window: bool,
    in_start_up: bool,
}

#[derive(Serialize)]
struct PhasesJson {
    fired_share: Number,
    earliest_firing_at: Option<String>,
    latest_firing_at: Option<String>,
}

#[derive(Serialize)]
struct NextActionJson<'a> {
    level: u8,
    pattern: Option<&'static str>,
    text: String,
    commands: Vec<String>,
    tonight: StepJson<'a>,
    tomorrow: Option<StepJson<'a>>,
}

#[derive(Serialize)]
struct StepJson<'a> {
    text: &'a str,
    commands: Vec<&'a String>,
}

fn verdict<'a>(report: &'a Report, charts: &'a [String]) -> VerdictJson<'a> {
    let times = Times(report.timeline);
    VerdictJson {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        outcome: report.outcome.name(),
        exit_code: report.exit_code as u8,
        settings: &report.settings,
        notes: words::stopped(report, &str::to_owned).into_iter().chain(report.notes.iter().cloned()).collect(),
        inputs: report.inputs.iter().map(input).collect(),
        series: EachSeries { report, times },
        ignored: &report.ignored,
        rules: report.rules.iter().map(rule).collect(),
        charts,
    }
}

/// Times as text: only those that are known.
#[derive(Clone, Copy)]
pub(super) struct Times(Timeline);

impl Times {
    pub(super) fn text(self, time_ms: i64) -> Option<String> {
        match self.0 {
            Timeline::Absolute => time_text(time_ms),
            Timeline::Relative => None,
        }
    }
}

/// `at`: the time at so many seconds from the first sample, as text.
fn before_json(before: &Before, at: &dyn Fn(f64) -> Option<String>) -> BeforeJson {
    BeforeJson {
        start: at(before.start_seconds),
        end: at(before.end_seconds),
        bytes_per_second: Number(before.bytes_per_second),
    }
}

fn series<'a>(report: &Report, series: &'a SeriesReport, times: Times) -> SeriesJson<'a> {
    let samples = &series.samples;
    let start_ms = samples.start_ms();
    let at = |seconds: f64| times.text(start_ms + (seconds * 1000.0).round() as i64);
    let judgement = &series.judgement;
    SeriesJson {
        id: series.id(),
        labels: &samples.info.labels,
        outcome: series.outcome.name(),
        affects_outcome: series.counts,
        verdict: judgement.verdict.name(),
        shape: judgement.shape.name(),
        finding: table::finding(series),
        why: (series.outcome == Outcome::Fail).then(|| why::line(report, series)),
        lean: series.lean().map(Lean::name),
        since: series.since().and_then(|since| times.text(since.at_ms)),
        last_seen: series.last_seen_ms.and_then(|seen_ms| times.text(seen_ms)),
        reason: series.reason(),
        would_change: series.would_change(),
        notes: &series.notes,
        window: WindowJson {
            start: times.text(start_ms),
            end: times.text(samples.end_ms()),
            samples: samples.len(),
            coverage: Number(series.coverage),
            step_seconds: series.step_seconds.map(Number),
        },
        memory: memory_json(series),
        tolerance_bytes_per_second: Number(series.tolerance.bytes_per_second),
        growth: judgement.growth.map(|growth| growth_json(growth, series.q_value)),
        settled: series.settled.map(settled_json),
        onset: judgement.onset_seconds.and_then(at),
        regime: RegimeJson { start: at(judgement.regime.start_seconds), why: judgement.regime.why.name() },
        before: judgement.before.iter().map(|before| before_json(before, &at)).collect(),
        minimum_detectable: judgement.detectable.map(|detectable| DetectableJson {
            bytes_per_second: detectable.bytes_per_second.map(Number),
            needed_seconds: detectable.needed_seconds.map(|seconds| Number(seconds.ceil())),
        }),
        segments: series
            .segments
            .iter()
            .map(|segment| SegmentJson {
                start: times.text(segment.start_ms),
                end: times.text(segment.end_ms),
                why: segment.why,
            })
            .collect(),
        restarts: series
            .restarts
            .iter()
            .map(|restart| RestartJson {
                at: times.text(restart.at_ms),
                cause: restart.cause.name(),
                recorded: restart.told,
                what: &restart.words,
                before_bytes: Number(restart.before_bytes),
                after_bytes: Number(restart.after_bytes),
            })
            .collect(),
        change_points: judgement
            .change_points
            .iter()
            .map(|change| ChangePointJson {
                at: at(change.at_seconds),
                before_bytes: Number(change.before_bytes.round()),
                after_bytes: Number(change.after_bytes.round()),
            })
            .collect(),
        time_to_limit: series.time_to_limit.map(|time| TimeToLimitJson {
            seconds: Number(time.seconds.round()),
            lower: Number(time.lower.round()),
            upper: time.upper.map(|upper| Number(upper.round())),
            confidence: Number(time.confidence),
        }),
        criteria: series.criteria.iter().map(|one| criterion(one, times)).collect(),
        causes: causes::causes(series, times),
        growth_began: causes::growth_began(series, times),
        grows: parts::grows(series),
        parts: parts::parts(series, times),
        workload: workloads::json(series, times),
        next_action: series.next_action.as_ref().map(|action| NextActionJson {
            level: action.level,
            pattern: action.pattern,
            text: action.text(),
            commands: action.commands(),
            tonight: step_json(&action.tonight),
            tomorrow: action.tomorrow.as_ref().map(step_json),
        }),
    }
}

fn memory_json(series: &SeriesReport) -> MemoryJson {
    let used = series.samples.used_bytes();
    let deaths = series.deaths();
    MemoryJson {
        first: Number(used[0]),
        last: Number(used[used.len() - 1]),
        min: Number(used.iter().copied().fold(f64::INFINITY, f64::min)),
        median: Number(crate::stats::robust::median(used).expect("a series is never empty")),
        max: Number(used.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        limit: series.limit.map(|limit| Number(limit.bytes)),
        limit_source: series.limit.map(|limit| match limit.source {
            KnownLimitSource::Option => "option",
            KnownLimitSource::Input => "input",
            KnownLimitSource::Host => "host",
        }),
        died_at: deaths.map(|deaths| Number(deaths.bytes)),
        kills: deaths.map_or(0, |deaths| deaths.times),
    }
}

fn step_json(step: &Step) -> StepJson<'_> {
    StepJson { text: &step.text, commands: step.all_commands().collect() }
}

pub(super) fn settled_json(level: SettledLevel) -> SettledJson {
    SettledJson {
        bytes: Number(level.bytes.round()),
        lower: Number(level.lower.round()),
        upper: Number(level.upper.round()),
        confidence: Number(level.confidence),
        samples: level.n_samples,
    }
}

pub(super) fn growth_json(growth: Growth, q_value: Option<f64>) -> GrowthJson {
    GrowthJson {
        bytes_per_second: Number(growth.bytes_per_second),
        lower: Number(growth.lower),
        upper: Number(growth.upper),
        confidence: Number(growth.confidence),
        p_value: Number(growth.p_value),
        q_value: q_value.map(Number),
    }
}

fn criterion(criterion: &Criterion, times: Times) -> CriterionJson<'_> {
    CriterionJson {
        id: &criterion.id,
        status: status_name(criterion.status),
        gates: criterion.gates,
        reason: &criterion.reason,
        value: criterion.value.map(Number),
        threshold: criterion.threshold.map(Number),
        unit: criterion.unit,
        evaluable_share: criterion.evaluable_share.map(Number),
        spans: criterion.spans.iter().map(|one| span(one, times)).collect(),
        phases: criterion.phases.map(|phases| PhasesJson {
            fired_share: Number(phases.fired_share),
            earliest_firing_at: phases.earliest_firing_at_ms.and_then(|time| times.text(time)),
            latest_firing_at: phases.latest_firing_at_ms.and_then(|time| times.text(time)),
        }),
        group: criterion.group.as_ref().map(|group| GroupJson { labels: &group.labels, series: group.n_series }),
    }
}

fn rule(rule: &RuleAccount) -> RuleJson<'_> {
    let seconds = |ms: i64| Number(ms as f64 / 1e3);
    RuleJson {
        file: &rule.file,
        group: &rule.group,
        alert: &rule.alert,
        id: &rule.id,
        expression: &rule.expression,
        interval_seconds: seconds(rule.interval_ms),
        for_seconds: seconds(rule.for_ms),
        keep_firing_for_seconds: seconds(rule.keep_firing_for_ms),
        status: rule.status.name(),
        series: rule.n_series,
        why: rule.why.as_deref(),
    }
}

fn span(span: &Span, times: Times) -> SpanJson {
    SpanJson {
        pending_at: times.text(span.pending_at_ms),
        firing_at: span.firing_at_ms.and_then(|time| times.text(time)),
        resolved_at: span.resolved_at_ms.and_then(|time| times.text(time)),
        in_load_window: span.during == Some(During::Load),
        in_start_up: span.during == Some(During::StartUp),
    }
}

/// The name of a status in the JSON verdict.
pub const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Fail => "fail",
        Status::NotEvaluable => "not-evaluable",
        Status::NotApplicable => "not-applicable",
    }
}
