//! `Report`: all findings of a run. It is complete; the modules here only format it.

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
pub mod note;
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
use crate::events::Ending;
use crate::fit::Tolerance;
use crate::forecast::TimeToLimit;
use crate::grows::{Evidence, What};
use crate::next_action::NextAction;
use crate::policy::{ExitCode, Outcome};
use crate::rules::{Beside, RuleAccount};
use crate::segment::Cause;
use crate::series::MemorySeries;
use crate::settings::Settings;
use crate::settled::SettledLevel;
use crate::units::RateUnit;
use crate::verdict::{Grounds, Growth, Judgement, Verdict};

pub use note::{Note, SeriesNote};
use workloads::{VersionReport, WorkloadReport};

/// All findings of a run.
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
    /// Ids of the series that the settings ignore.
    pub ignored: Vec<String>,
    /// What times count from.
    pub timeline: Timeline,
    /// The unit of time of all its rates.
    pub rate_unit: RateUnit,
    /// The load window, in milliseconds.
    pub load: Option<(i64, i64)>,
    /// The result of each alert in the rule files.
    pub rules: Vec<RuleAccount>,
    /// What a reader must know about the run as a whole.
    pub notes: Vec<Note>,
    /// Inputs that have stopped growing; the report begins with them.
    pub stopped: Vec<StoppedInput>,
    /// Criteria that an earlier report named as not evaluable; they are not named again.
    pub reported: Vec<String>,
    /// Series that only alert rules can name.
    pub beside: Vec<Beside>,
}

/// An input that had stopped growing before the run.
#[derive(Debug, Clone, PartialEq)]
pub struct StoppedInput {
    /// As it was named.
    pub path: String,
    /// Its last reading, in milliseconds.
    pub end_ms: i64,
    /// How old that is, in seconds.
    pub age_seconds: f64,
}

/// All findings about one series. Indices count its samples; times are in milliseconds.
#[derive(Debug, Clone)]
pub struct SeriesReport {
    /// The samples in the window.
    pub samples: MemorySeries,
    /// Its outcome.
    pub outcome: Outcome,
    /// Whether it can make the run inconclusive.
    pub counts: bool,
    /// The verdict with its reasons.
    pub judgement: Judgement,
    /// The q-value of its growth; `None` if no slope could be tested.
    pub q_value: Option<f64>,
    /// The growth that matters.
    pub tolerance: Tolerance,
    /// The share of the readings expected at the usual step that are present, 0 to 1.
    pub coverage: f64,
    /// The usual time between two samples; `None` for a single one.
    pub step_seconds: Option<f64>,
    /// The limit and its origin.
    pub limit: Option<KnownLimit>,
    /// Whether its times are inferred from the sampling interval.
    pub times_guessed: bool,
    /// Whether the sampling interval is assumed. All of its rates and deadlines depend on it.
    pub step_assumed: bool,
    /// When its readings ended, in milliseconds, if those of others continued: it is gone. Otherwise `None`.
    pub last_seen_ms: Option<i64>,
    /// Parts between restarts.
    pub segments: Vec<SegmentReport>,
    /// Restarts.
    pub restarts: Vec<RestartReport>,
    /// Number of short spikes that were left out of the statistics.
    pub n_spikes: usize,
    /// The level it has settled at; `None` while it grows, or with too few samples.
    pub settled: Option<SettledLevel>,
    /// When it reaches its limit; `None` if that is not in sight.
    pub time_to_limit: Option<TimeToLimit>,
    /// The runbook's criteria.
    pub criteria: Vec<Criterion>,
    /// Failed rate criteria that the verdict contradicts.
    pub contradicted: Vec<Cow<'static, str>>,
    /// Criteria that had to be decided but could not be.
    pub undecided: Vec<Cow<'static, str>>,
    /// What its growth follows; `None` where it does not grow, or nothing was counted beside it.
    pub attribution: Option<Attribution>,
    /// What to do next; `None` if there is nothing to do.
    pub next_action: Option<NextAction>,
    /// What a reader must know about this series.
    pub notes: Vec<SeriesNote>,
    /// The best shapes; `None` if the verdict is based on runs, troughs or steps instead.
    pub shapes: Option<Shapes>,
    /// The fitted lines, for the chart.
    pub lines: Vec<FittedLine>,
    /// Its parts and what grows, if its container has several amounts.
    pub breakdown: Option<Box<Breakdown>>,
    /// Its pods, if it is a workload; then its samples are those of a typical pod.
    pub workload: Option<Box<WorkloadReport>>,
}

/// The amounts of one container, which has one verdict, based on the head.
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
    /// The other amounts, most relevant to an OOM kill first.
    pub parts: Vec<PartReport>,
    /// What grows.
    pub what: What,
    /// The index of the part on which the verdict is based; `None` if it is based on the head.
    pub by_part: Option<usize>,
    /// What shows that.
    pub evidence: Evidence,
    /// The unit of time of its rates.
    pub rate_unit: RateUnit,
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
    /// The q-value of its growth among all parts; `None` without a slope.
    pub q_value: Option<f64>,
    /// The growth of this amount alone that would matter.
    pub tolerance: Tolerance,
    /// The level it has settled at; `None` while it grows, or with too few samples.
    pub settled: Option<SettledLevel>,
    /// The fitted lines, for the chart.
    pub lines: Vec<FittedLine>,
    /// What its growth follows; `None` where it does not grow, or nothing was counted beside it.
    pub attribution: Option<Attribution>,
}

impl Breakdown {
    /// Whether the parts changed the verdict of the head. `judgement`: that of the container.
    pub fn overrules(&self, judgement: &Judgement) -> bool {
        judgement.verdict != self.alone.verdict
    }

    /// The reason for the verdict of the container: that of the head, and how the parts changed it.
    pub fn reason(&self, judgement: &Judgement) -> String {
        let alone = &self.alone;
        if !self.overrules(judgement) {
            return alone.reason();
        }
        let (sentence, name) = (self.sentence(), &self.name);
        match (self.by_part, &alone.grounds, alone.growth) {
            // What is proven is not put in doubt by what proves less.
            (Some(_), Grounds::Measured(evidence), Some(growth)) if 0.0 < growth.bytes_per_second => {
                let Growth { bytes_per_second, lower, upper, .. } = growth;
                let rate = evidence.terms.rate_unit.interval_text(bytes_per_second, lower, upper);
                format!("{sentence}. `{name}` grows with it, {rate}, but too unevenly to prove a leak alone")
            }
            (Some(_), ..) => format!("{sentence}. `{name}` varies too much to show this growth"),
            _ => format!("{sentence}. `{name}` as a whole: {}", alone.reason()),
        }
    }
}

/// The shape that explains a series best, and the best of those that say the opposite about growth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shapes {
    /// The best, in words: `a straight line`.
    pub chosen: &'static str,
    /// The best of those that grow if the chosen one does not, and the reverse.
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

    /// What would change the outcome, as a part of a sentence without a final period: of a series that fails only by a
    /// rule, what that rule asks for.
    pub fn would_change(&self) -> String {
        if self.is_killed_without_a_leak() {
            return "peaks that stay below its limit, so that it is not killed again".to_owned();
        }
        if let Some(rule) = self.failing().next().filter(|_| crate::policy::of_verdict(self.verdict()) < self.outcome) {
            return words::would_pass(rule);
        }
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
    /// Its origin, and whether it is the container's own.
    pub source: KnownLimitSource,
}

crate::named! {
    /// The origin of a limit. A limit of the host is not used.
    pub enum KnownLimitSource {
        /// Given by the user.
        Option = "option",
        /// Printed by the input.
        Input = "input",
        /// Printed by the input, but taken to be the memory of the host: shown, not used.
        Host = "host",
    }
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
    /// Why it begins.
    pub why: SegmentWhy,
}

crate::named! {
    /// Why a part between restarts begins.
    pub enum SegmentWhy {
        /// It is the first.
        Start = "start",
        /// The container restarted.
        Restart = "restart",
        /// The container was absent, and came back at the level of a start.
        Gap = "gap",
        /// The container was recreated: its ID changed.
        Recreated = "recreated",
    }
}

/// A restart.
#[derive(Debug, Clone, PartialEq)]
pub struct RestartReport {
    /// When it was, according to events, or else the time of the first sample after it.
    pub at_ms: i64,
    /// The evidence for it.
    pub cause: Cause,
    /// Whether events record it; otherwise it is inferred from the readings.
    pub reported: bool,
    /// Memory before it, in bytes.
    pub before_bytes: f64,
    /// Memory after it, in bytes.
    pub after_bytes: f64,
    /// What happened.
    pub what: RestartWhat,
}

/// What happened at a restart. What `Display` writes is a part of a sentence.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RestartWhat {
    /// What the readings show.
    Seen(Cause),
    /// What was recorded, and the metrics of an export that show it.
    Recorded(Box<Ending>, Vec<String>),
    /// Another version of a workload was rolled out.
    Rollout(VersionReport),
    /// What happened to a pod of a workload.
    OfPod(String, Box<RestartWhat>),
}

/// A fitted line through some samples.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedLine {
    /// In time order; straight between two points.
    pub points: Vec<LinePoint>,
}

/// Time in milliseconds, the estimate in bytes, and its interval if it has one.
pub type LinePoint = (f64, f64, Option<(f64, f64)>);
