//! A series in the JSON verdict.

use serde::Serialize;

use super::Times;
use super::criteria::{CriterionJson, criterion};
use super::value::{Fraction, Name, Number, Time};
use crate::attribution::Pattern;
use crate::next_action::Step;
use crate::policy::Outcome;
use crate::report::causes::{self, GrowthBeganJson, SuspectJson};
use crate::report::facts::Lean;
use crate::report::parts::{self, GrowsJson, PartJson};
use crate::report::workloads::{self, WorkloadJson};
use crate::report::{KnownLimitSource, Report, SegmentWhy, SeriesReport, table, why};
use crate::segment::Cause;
use crate::series::Labels;
use crate::settled::SettledLevel;
use crate::verdict::{Before, Growth, RegimeWhy, ShapeName, Verdict};

/// One series.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct SeriesJson<'a> {
    /// Unique in the report.
    id: &'a str,
    /// Its container, and what else is known of it.
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, String>", extend("required" = ["container"])))]
    labels: &'a Labels,
    #[cfg_attr(test, schemars(extend("enum" = ["fail", "inconclusive", "warn", "pass"])))]
    outcome: Name<Outcome>,
    /// Whether it can make the run inconclusive.
    affects_outcome: bool,
    verdict: Name<Verdict>,
    shape: Name<ShapeName>,
    /// What is wrong, in a few words, as in the table of all series.
    finding: String,
    /// Why it fails, in one line; null if it does not fail.
    why: Option<String>,
    /// Which way an inconclusive verdict leans, by comparing the interval of growth with the growth that matters;
    /// `open` if what grows is cache; null for other verdicts.
    lean: Option<Name<Lean>>,
    /// When growth began or the first rule failed; null if nothing is wrong.
    since: Option<Time>,
    /// Time of its last reading if other series continued, so that it is gone; null otherwise.
    last_seen: Option<Time>,
    /// One sentence with numbers.
    reason: String,
    /// What would change the verdict.
    would_change: String,
    /// Notes on it that a reader must know.
    notes: Vec<String>,
    /// What was judged.
    window: WindowJson,
    /// Bytes.
    memory: MemoryJson,
    /// Growth above this matters.
    #[cfg_attr(test, schemars(with = "Option<Number>"))]
    tolerance_bytes_per_second: Number,
    /// The rate on which the verdict is based.
    growth: Option<GrowthJson>,
    /// The level of the last quarter of what was judged; null while memory grows, or with too few samples since the last
    /// restart.
    settled: Option<SettledJson>,
    /// When growth began.
    onset: Option<Time>,
    /// The time that the verdict covers: from here to the last sample.
    regime: RegimeJson,
    /// How memory behaved before that, if differently.
    before: Vec<BeforeJson>,
    /// What the data could have shown.
    minimum_detectable: Option<DetectableJson>,
    /// The parts between restarts.
    segments: Vec<SegmentJson>,
    restarts: Vec<RestartJson>,
    /// Lasting shifts of the level.
    change_points: Vec<ChangePointJson>,
    /// When memory reaches the limit, in seconds from the last sample.
    time_to_limit: Option<TimeToLimitJson>,
    criteria: Vec<CriterionJson<'a>>,
    /// What the growth follows, named causes first; only if it grows and requests, covariates or changes were given.
    /// Correlation, not proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    causes: Option<Vec<SuspectJson<'a>>>,
    /// When growth began; only where changes were given and growth began within the readings.
    #[serde(skip_serializing_if = "Option::is_none")]
    growth_began: Option<GrowthBeganJson>,
    /// What grows in the container; only where several amounts of it were read. The verdict is based on the head, the
    /// amount most relevant to an OOM kill, unless `by_part` names a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    grows: Option<GrowsJson<'a>>,
    /// The other amounts of the container, most relevant to an OOM kill first; only if several were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<PartJson<'a>>>,
    /// The pods of a workload, judged together; absent if containers are judged. The samples are those of a typical pod,
    /// and the label `pod` is that of the newest pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<WorkloadJson<'a>>,
    /// What to do next; null if nothing needs to be done.
    next_action: Option<NextActionJson<'a>>,
}

/// The time that the verdict covers: from here to the last sample.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RegimeJson {
    /// Where it begins; null if times are relative.
    start: Option<Time>,
    /// Why it begins there: the whole window, or a change.
    why: Name<RegimeWhy>,
}

/// How memory behaved for a time.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct BeforeJson {
    /// Where it begins.
    start: Option<Time>,
    /// Where it ends.
    end: Option<Time>,
    /// The change from its first to its last level, as a rate.
    bytes_per_second: Number,
}

/// What was judged.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct WindowJson {
    /// The first sample.
    start: Option<Time>,
    /// The last sample.
    end: Option<Time>,
    #[cfg_attr(test, schemars(range(min = 1)))]
    samples: usize,
    /// Share of the readings expected at the usual step that are present.
    coverage: Fraction,
    /// The usual time between two samples; null if there is none.
    step_seconds: Option<Number>,
}

/// Bytes.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct MemoryJson {
    first: Number,
    last: Number,
    min: Number,
    median: Number,
    max: Number,
    /// The limit; null if none is known.
    limit: Option<Number>,
    limit_source: Option<Name<KnownLimitSource>>,
    /// The highest reading before an OOM kill; null without one.
    died_at: Option<Number>,
    /// Restarts whose cause is oom.
    kills: usize,
}

/// A rate of growth with its interval.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::report) struct GrowthJson {
    /// The best estimate.
    bytes_per_second: Number,
    /// Lower end of the interval.
    lower: Number,
    /// Upper end of the interval.
    upper: Number,
    /// Confidence of the interval.
    confidence: Fraction,
    /// The probability that there is no growth.
    p_value: Fraction,
    /// The p-value, corrected for the number of series; null if no slope was tested.
    q_value: Option<Fraction>,
}

/// A settled level with its interval.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::report) struct SettledJson {
    bytes: Number,
    /// Lower end of the interval.
    lower: Number,
    /// Upper end of the interval.
    upper: Number,
    /// Confidence of the interval.
    confidence: Fraction,
    /// How many samples it is measured on.
    #[cfg_attr(test, schemars(range(min = 1)))]
    samples: usize,
}

/// What the data could have shown.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct DetectableJson {
    /// The smallest growth that would have been found significant in 80 % of cases; null if the noise could not be measured.
    bytes_per_second: Option<Number>,
    /// How much longer to measure for a verdict; null if one was reached, or if no window would be long enough.
    needed_seconds: Option<Number>,
}

/// A part between restarts.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SegmentJson {
    /// Its first sample.
    start: Option<Time>,
    /// Its last sample.
    end: Option<Time>,
    why: Name<SegmentWhy>,
}

/// A restart.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RestartJson {
    at: Option<Time>,
    cause: Name<Cause>,
    /// Whether events, logs or metrics of restarts record it; otherwise it is inferred from the readings.
    recorded: bool,
    /// What happened, and the evidence, as text.
    what: String,
    /// The last reading before it.
    before_bytes: Number,
    /// The first reading after it.
    after_bytes: Number,
}

/// A lasting shift of the level.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ChangePointJson {
    at: Option<Time>,
    /// The level before it.
    before_bytes: Number,
    /// The level after it.
    after_bytes: Number,
}

/// Seconds from the last sample.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct TimeToLimitJson {
    /// The best estimate.
    seconds: Number,
    /// Lower end of the interval.
    lower: Number,
    /// Upper end of the interval; null if the limit may never be reached.
    upper: Option<Number>,
    /// Confidence of the interval.
    confidence: Fraction,
}

/// What to do next.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct NextActionJson<'a> {
    /// The runbook's escalation level.
    #[cfg_attr(test, schemars(range(min = 1, max = 4)))]
    level: u8,
    /// The runbook's leak pattern; null if nothing points to one.
    pattern: Option<Name<Pattern>>,
    /// Both steps as one text.
    text: String,
    /// The commands of both steps.
    commands: Vec<String>,
    /// What to do now.
    tonight: StepJson<'a>,
    /// How to find the cause.
    tomorrow: Option<StepJson<'a>>,
}

/// Something to do.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct StepJson<'a> {
    text: &'a str,
    commands: Vec<&'a String>,
}

pub(super) fn series<'a>(report: &Report, series: &'a SeriesReport, times: Times) -> SeriesJson<'a> {
    let samples = &series.samples;
    let start_ms = samples.start_ms();
    let at = |seconds: f64| times.text(start_ms + (seconds * 1000.0).round() as i64);
    let judgement = &series.judgement;
    let before_json = |before: &Before| BeforeJson {
        start: at(before.start_seconds),
        // It ends where the regime begins.
        end: if before.end_seconds == judgement.regime.start_seconds {
            times.text(series.regime_start_ms())
        } else {
            at(before.end_seconds)
        },
        bytes_per_second: Number(before.bytes_per_second),
    };
    SeriesJson {
        id: series.id(),
        labels: &samples.info.labels,
        outcome: Name(series.outcome),
        affects_outcome: series.counts,
        verdict: Name(judgement.verdict),
        shape: Name(judgement.shape),
        finding: table::finding(series),
        why: (series.outcome == Outcome::Fail).then(|| why::line(report, series)),
        lean: series.lean().map(Name),
        since: series.since().and_then(|since| times.text(since.at_ms)),
        last_seen: series.last_seen_ms.and_then(|seen_ms| times.text(seen_ms)),
        reason: series.reason(),
        would_change: series.would_change(),
        notes: series.notes.iter().map(ToString::to_string).collect(),
        window: WindowJson {
            start: times.text(start_ms),
            end: times.text(samples.end_ms()),
            samples: samples.len(),
            coverage: Fraction(series.coverage),
            step_seconds: series.step_seconds.map(Number),
        },
        memory: memory_json(series),
        tolerance_bytes_per_second: Number(series.tolerance.bytes_per_second),
        growth: judgement.growth.map(|growth| growth_json(growth, series.q_value)),
        settled: series.settled.map(settled_json),
        onset: judgement.onset_seconds.and_then(at),
        regime: RegimeJson { start: times.text(series.regime_start_ms()), why: Name(judgement.regime.why) },
        before: judgement.before.iter().map(before_json).collect(),
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
                why: Name(segment.why),
            })
            .collect(),
        restarts: series
            .restarts
            .iter()
            .map(|restart| RestartJson {
                at: times.text(restart.at_ms),
                cause: Name(restart.cause),
                recorded: restart.reported,
                what: restart.what.to_string(),
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
            confidence: Fraction(time.confidence),
        }),
        criteria: series.criteria.iter().map(|one| criterion(one, times)).collect(),
        causes: causes::causes(series, times),
        growth_began: causes::growth_began(series, times),
        grows: parts::grows(series),
        parts: parts::parts(series, times),
        workload: workloads::json(series, times),
        next_action: series.next_action.as_ref().map(|action| NextActionJson {
            level: action.level,
            pattern: action.pattern.map(Name),
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
        limit_source: series.limit.map(|limit| Name(limit.source)),
        died_at: deaths.map(|deaths| Number(deaths.bytes)),
        kills: deaths.map_or(0, |deaths| deaths.times),
    }
}

fn step_json(step: &Step) -> StepJson<'_> {
    StepJson { text: &step.text, commands: step.all_commands().collect() }
}

pub(in crate::report) fn settled_json(level: SettledLevel) -> SettledJson {
    SettledJson {
        bytes: Number(level.bytes.round()),
        lower: Number(level.lower.round()),
        upper: Number(level.upper.round()),
        confidence: Fraction(level.confidence),
        samples: level.n_samples,
    }
}

pub(in crate::report) fn growth_json(growth: Growth, q_value: Option<f64>) -> GrowthJson {
    GrowthJson {
        bytes_per_second: Number(growth.bytes_per_second),
        lower: Number(growth.lower),
        upper: Number(growth.upper),
        confidence: Fraction(growth.confidence),
        p_value: Fraction(growth.p_value),
        q_value: q_value.map(Fraction),
    }
}
