//! `Report`: all that a run has to say. It is complete; the modules here only format it.

pub mod account;
pub mod causes;
pub mod chart;
pub mod escape;
pub mod facts;
pub mod folder;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod parts;
pub mod pictures;
pub mod summary;
pub mod table;
pub mod why;
pub mod words;
pub mod workloads;

use std::borrow::Cow;

use crate::account::{Input, Timeline};
use crate::amounts::Amount;
use crate::attribution::Attribution;
use crate::criteria::Criterion;
use crate::fit::Tolerance;
use crate::forecast::TimeToLimit;
use crate::grows::What;
use crate::next_action::NextAction;
use crate::policy::{ExitCode, Outcome};
use crate::rules::{Beside, RuleAccount};
use crate::segment::Cause;
use crate::series::MemorySeries;
use crate::settings::Settings;
use crate::settled::SettledLevel;
use crate::units::RateUnit;
use crate::verdict::{Grounds, Growth, Judgement, Verdict};

use workloads::WorkloadReport;

/// All that a run has to say.
#[derive(Debug, Clone)]
pub struct Report {
    /// The worst of all series.
    pub outcome: Outcome,
    /// How the program ends.
    pub exit_code: ExitCode,
    /// Every threshold that was used.
    pub settings: Settings,
    /// What was read.
    pub inputs: Vec<Input>,
    /// Every series, worst first.
    pub series: Vec<SeriesReport>,
    /// Ids that the settings say to ignore.
    pub ignored: Vec<String>,
    /// What times count from.
    pub timeline: Timeline,
    /// The unit of time of all its rates.
    pub rate_unit: RateUnit,
    /// The load window, in milliseconds.
    pub load: Option<(i64, i64)>,
    /// What became of each alert of the rule files.
    pub rules: Vec<RuleAccount>,
    /// What a reader must know about the run as a whole.
    pub notes: Vec<String>,
    /// Inputs to which nothing was added any more: said before all else.
    pub stopped: Vec<StoppedInput>,
    /// Criteria of which an earlier report said that they cannot be evaluated: they are not named again.
    pub told: Vec<String>,
    /// What alert rules can name beside the series.
    pub beside: Vec<Beside>,
}

/// An input to which nothing was added any more when the run looked.
#[derive(Debug, Clone, PartialEq)]
pub struct StoppedInput {
    /// As it was named.
    pub path: String,
    /// Its last reading, in milliseconds.
    pub end_ms: i64,
    /// How old that is, in seconds.
    pub age_seconds: f64,
}

/// All that there is to say of one series. Indices are those of its samples, times milliseconds.
#[derive(Debug, Clone)]
pub struct SeriesReport {
    /// The samples in the window.
    pub samples: MemorySeries,
    /// What policy makes of it.
    pub outcome: Outcome,
    /// Whether it can leave the run open.
    pub counts: bool,
    /// The verdict with its reasons.
    pub judgement: Judgement,
    /// The false discovery rate at which its growth is a discovery; `None` when there was no slope to test.
    pub q_value: Option<f64>,
    /// The growth that matters.
    pub tolerance: Tolerance,
    /// Share of the readings that the usual step promises and that are there, 0 to 1.
    pub coverage: f64,
    /// The usual time between two samples; `None` for a single one.
    pub step_seconds: Option<f64>,
    /// The limit and where it was learnt.
    pub limit: Option<KnownLimit>,
    /// Whether its times are inferred from how far apart readings are thought to be.
    pub times_guessed: bool,
    /// Whether how far apart its readings are is assumed: all its rates and deadlines rest on it.
    pub step_assumed: bool,
    /// When its readings ended, in milliseconds, where those of others went on: it is gone.
    pub last_seen_ms: Option<i64>,
    /// Parts between restarts.
    pub segments: Vec<SegmentReport>,
    /// Restarts.
    pub restarts: Vec<RestartReport>,
    /// Number of short spikes that were left out of the statistics.
    pub n_spikes: usize,
    /// The level it has settled at; `None` while it grows, or with too few samples.
    pub settled: Option<SettledLevel>,
    /// The way to the limit.
    pub time_to_limit: Option<TimeToLimit>,
    /// The runbook's criteria.
    pub criteria: Vec<Criterion>,
    /// Failed rate criteria that the verdict contradicts.
    pub contradicted: Vec<Cow<'static, str>>,
    /// Criteria that had to be decided and could not.
    pub undecided: Vec<Cow<'static, str>>,
    /// What its growth follows; `None` where it does not grow, or nothing was counted beside it.
    pub attribution: Option<Attribution>,
    /// What to do next; `None` when nothing needs to be done.
    pub next_action: Option<NextAction>,
    /// What a reader must know about this series.
    pub notes: Vec<String>,
    /// The shapes that were weighed; `None` where the verdict rests on lives, floors or steps instead.
    pub shapes: Option<Shapes>,
    /// The fitted lines, for the chart.
    pub lines: Vec<FittedLine>,
    /// Its parts and what grows, where several amounts of its container are there.
    pub breakdown: Option<Box<Breakdown>>,
    /// Its pods, where it is a workload: then its samples are those of a typical pod.
    pub workload: Option<Box<WorkloadReport>>,
}

/// The amounts of one container: its verdict is one, and rests on the head.
#[derive(Debug, Clone)]
pub struct Breakdown {
    /// The container's id.
    pub id: String,
    /// The head's name within the container: its metric.
    pub name: String,
    /// What the head counts.
    pub amount: Amount,
    /// The verdict of the head by itself; seconds count from its first sample.
    pub alone: Judgement,
    /// The other amounts, in the order in which a kill depends on them.
    pub parts: Vec<PartReport>,
    /// What grows.
    pub what: What,
    /// The part whose growth the verdict rests on, as an index; `None` where it is the head's own.
    pub by_part: Option<usize>,
    /// What grows, in one sentence without a final period.
    pub sentence: String,
}

/// One amount of a container beside its head. Times are milliseconds, amounts bytes.
#[derive(Debug, Clone)]
pub struct PartReport {
    /// The samples in the window.
    pub samples: MemorySeries,
    /// What they count.
    pub amount: Amount,
    /// Its name within the container: its metric.
    pub name: String,
    /// Its verdict by itself; seconds count from its first sample.
    pub judgement: Judgement,
    /// The false discovery rate at which its growth is a discovery among all parts; `None` without a slope.
    pub q_value: Option<f64>,
    /// The growth that would matter of it by itself.
    pub tolerance: Tolerance,
    /// The level it has settled at; `None` while it grows, or with too few samples.
    pub settled: Option<SettledLevel>,
    /// The fitted lines, for the chart.
    pub lines: Vec<FittedLine>,
    /// What its growth follows; `None` where it does not grow, or nothing was counted beside it.
    pub attribution: Option<Attribution>,
}

impl Breakdown {
    /// Whether parts made another verdict than that of the head by itself. `judgement`: that of the container.
    pub fn overrules(&self, judgement: &Judgement) -> bool {
        judgement.verdict != self.alone.verdict
    }

    /// Why the container has its verdict: that of the head, and, where parts made it another, how.
    pub fn reason(&self, judgement: &Judgement) -> String {
        let alone = &self.alone;
        if !self.overrules(judgement) {
            return alone.reason();
        }
        let (sentence, name) = (&self.sentence, &self.name);
        match (self.by_part, &alone.grounds, alone.growth) {
            // What is proven is not put in doubt by what proves less.
            (Some(_), Grounds::Measured(evidence), Some(growth)) if 0.0 < growth.bytes_per_second => {
                let Growth { bytes_per_second, lower, upper, .. } = growth;
                let rate = evidence.terms.rate_unit.interval_text(bytes_per_second, lower, upper);
                format!("{sentence}. `{name}` grows with it, {rate}, but too unevenly to prove a leak alone")
            }
            (Some(_), ..) => format!("{sentence}. `{name}` is too uneven to show it"),
            _ => format!("{sentence}. `{name}` as a whole: {}", alone.reason()),
        }
    }
}

/// The shape that explains a series best, and the best of those that say the opposite about growth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shapes {
    /// The best, in words: `a straight line`.
    pub chosen: &'static str,
    /// The best that grows exactly when the chosen one does not.
    pub runner_up: &'static str,
    /// By how much the chosen one is better, in units of the Bayesian information criterion; never negative.
    pub margin: f64,
}

impl SeriesReport {
    /// Its id, unique in the report.
    pub fn id(&self) -> &str {
        self.breakdown.as_ref().map_or(&self.samples.info.id, |breakdown| &breakdown.id)
    }

    /// Whether a name is its id, or that of one of its amounts or pods.
    pub fn is_called(&self, name: &str) -> bool {
        let is_pod = |workload: &WorkloadReport| workload.pods.iter().any(|pod| pod.is_called(name));
        let is_own = self.id() == name || self.amounts().iter().any(|samples| samples.info.id == name);
        is_own || self.workload.as_deref().is_some_and(is_pod)
    }

    /// The samples of all its amounts as they were read, those of the head first; of a workload those of its pods.
    pub fn amounts(&self) -> Vec<&MemorySeries> {
        if let Some(workload) = &self.workload {
            return workload.pods.iter().flat_map(SeriesReport::amounts).collect();
        }
        let parts = self.breakdown.iter().flat_map(|breakdown| &breakdown.parts);
        std::iter::once(&self.samples).chain(parts.map(|part| &part.samples)).collect()
    }

    /// What grows in its container; `None` where only one amount of it is there.
    pub fn what_grows(&self) -> Option<What> {
        self.breakdown.as_ref().map(|breakdown| breakdown.what)
    }

    /// Why it has its verdict, as one sentence with numbers, without a final period.
    pub fn reason(&self) -> String {
        let judgement = &self.judgement;
        let whole = self.breakdown.as_ref().map_or_else(|| judgement.reason(), |breakdown| breakdown.reason(judgement));
        let Some(workload) = &self.workload else { return whole };
        if let Some(reason) = workload.reason(&judgement.reason()) {
            return reason;
        }
        workload.since().map_or(whole.clone(), |since| format!("{whole}; it {since}"))
    }

    /// What would change the verdict, as a part of a sentence without a final period.
    pub fn would_change(&self) -> String {
        let decides = |breakdown: &Breakdown| match breakdown.by_part {
            Some(at) => breakdown.parts[at].judgement.would_change(),
            None => breakdown.alone.would_change(),
        };
        self.breakdown.as_ref().map_or_else(|| self.judgement.would_change(), |breakdown| decides(breakdown))
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        self.judgement.verdict
    }
}

/// A memory limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownLimit {
    /// In bytes.
    pub bytes: f64,
    /// Where it was learnt, and whether it is the container's own.
    pub source: KnownLimitSource,
}

/// Where a limit was learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownLimitSource {
    /// Given by the user.
    Option,
    /// Printed by the input.
    Input,
    /// Printed by the input, and taken for the host's memory: shown, not used.
    Host,
}

impl KnownLimit {
    /// The bytes of a limit of the container's own.
    pub fn own(self) -> Option<f64> {
        (self.source != KnownLimitSource::Host).then_some(self.bytes)
    }
}

/// A part between restarts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentReport {
    /// Its first sample.
    pub start_ms: i64,
    /// Its last sample.
    pub end_ms: i64,
    /// Why it begins: `start`, `restart`, `gap` or `recreated`.
    pub why: &'static str,
}

/// A restart.
#[derive(Debug, Clone, PartialEq)]
pub struct RestartReport {
    /// When events say that it was, else the first sample after it.
    pub at_ms: i64,
    /// How it is known.
    pub cause: Cause,
    /// Whether events tell of it; otherwise it is inferred from the readings.
    pub told: bool,
    /// Memory before it, in bytes.
    pub before_bytes: f64,
    /// Memory after it, in bytes.
    pub after_bytes: f64,
    /// What happened, for a reader.
    pub words: Cow<'static, str>,
}

/// A fitted line through some samples.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedLine {
    /// In time order; straight between two points.
    pub points: Vec<LinePoint>,
}

/// Milliseconds, the estimate, and its interval where it has one, in bytes.
pub type LinePoint = (f64, f64, Option<(f64, f64)>);
