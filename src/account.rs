//! The account of each input: what was read of it, what was not, and why. Nothing is lost silently.

/// Makes each group of warnings or rejections one.
macro_rules! groups {
    ($whole:ident { $($group:ident = $type:ident,)+ }) => {
        $(impl From<$type> for $whole {
            fn from(part: $type) -> $whole {
                $whole::$group(part)
            }
        })+
    };
}

mod measure;
mod rejection;
mod unusable;
mod warning;

use serde::{Deserialize, Serialize};

use crate::open::{Line, Source};

pub use measure::{Measure, NotBytes, NumbersOf};
pub use rejection::{
    CountRejection, EventRejection, ExpectedAmount, ExpectedTime, ExportRejection, ObjectRejection, Rejection,
    RowRejection, SamplePart, StatsRejection, Syntax,
};
pub use unusable::{ColumnFault, ColumnList, CovariateFault, Foreign, ResponseFault, Unusable};
pub use warning::{
    AmountWarning, ContentWarning, CountWarning, Dated, EventWarning, ExportWarning, LeftOut, NameWarning, Named,
    NightlyWarning, Purpose, TableChange, TimeWarning, Warning, WholeOf,
};

crate::named! {
    /// A form of input that can be read.
    #[derive(PartialOrd, Ord, clap::ValueEnum, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Format {
        // The comments are those of `--help`.
        /// Output of docker stats, as text or JSON.
        DockerStats = "docker-stats",
        /// Output of podman stats, as text or JSON.
        PodmanStats = "podman-stats",
        /// Output of nerdctl stats, as text or JSON.
        NerdctlStats = "nerdctl-stats",
        /// Output of crictl stats, as text or JSON.
        CrictlStats = "crictl-stats",
        /// Output of kubectl top pod, preferably with `--containers`.
        KubectlTop = "kubectl-top",
        /// Lines of `epoch,512.3MiB`.
        TrendCsv = "trend-csv",
        /// CSV with a header, from Grafana and others.
        CsvTable = "csv-table",
        /// Output of Node's `process.memoryUsage()`, printed or as JSON.
        NodeMemory = "node-memory",
        /// A Prometheus response or export.
        Prometheus = "prometheus",
        /// A table in a Parquet file.
        Parquet = "parquet",
        /// A table in an Arrow IPC (Feather) file or stream.
        Arrow = "arrow",
    }
}

impl Format {
    /// The command that prints a text table; `None` for what is not one.
    pub(crate) const fn command(self) -> Option<&'static str> {
        match self {
            Format::DockerStats => Some("docker stats"),
            Format::PodmanStats => Some("podman stats"),
            Format::NerdctlStats => Some("nerdctl stats"),
            Format::CrictlStats => Some("crictl stats"),
            Format::KubectlTop => Some("kubectl top pod"),
            Format::TrendCsv
            | Format::CsvTable
            | Format::NodeMemory
            | Format::Prometheus
            | Format::Parquet
            | Format::Arrow => None,
        }
    }

    /// Whether such a file is a log, to which lines are appended; otherwise it is one answer, read as a whole.
    pub const fn is_log(self) -> bool {
        !matches!(self, Format::Prometheus | Format::Parquet | Format::Arrow)
    }

    /// Whether it is a table with typed columns, whose rows may stand in any order.
    pub const fn is_typed_table(self) -> bool {
        matches!(self, Format::Parquet | Format::Arrow)
    }
}

crate::named! {
    /// A form of input that is read beside the readings.
    pub enum OtherForm {
        /// Output of `docker events`.
        DockerEvents = "docker-events",
        /// Events or pods, as `kubectl get -o json` prints them.
        Kubernetes = "kubernetes",
        /// The log of a kernel or an application.
        Log = "log",
        /// An access log, as lines or a JSON array.
        AccessLog = "access-log",
        /// An access log as CSV.
        AccessCsv = "access-csv",
        /// Covariates as CSV.
        CovariateCsv = "covariate-csv",
        /// Covariates as a Parquet or Arrow table.
        CovariateTable = "covariate-table",
        /// Covariates as a Prometheus response.
        CovariatePrometheus = "covariate-prometheus",
        /// Deploys and other changes.
        Changes = "changes",
    }
}

/// What times count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timeline {
    /// Milliseconds since 1970, UTC.
    Absolute,
    /// Milliseconds after the last reading (all are 0 or negative): an untimed standard input without `--end`.
    Relative,
}

/// The account of one input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// As given; `-` for standard input.
    pub path: String,
    /// Its format; `None` if it could not be used at all.
    pub format: Option<Format>,
    /// The number of its samples that are judged or kept.
    pub samples: u64,
    /// The number of samples on lines that were read this time, if others come from a history; `None`: all of `samples`.
    pub new_samples: Option<u64>,
    /// Series with at least one sample.
    pub series: u64,
    /// Readings without a value, such as `--`.
    pub gaps: u64,
    /// Lines that rightly hold no reading: headers, blank lines, prompts, repeated frames.
    pub other_lines: u64,
    /// Lines that could not be read.
    pub rejected_count: u64,
    /// All lines, counted independently of the four above; `None` for inputs without lines.
    ///
    /// `samples + gaps + other_lines + rejected_count` is always `lines + further`.
    pub lines: Option<u64>,
    /// Readings after the first on their line, as in arrays of JSON.
    pub further: u64,
    /// The first rejected lines, at most `MAX_REJECTED`.
    pub rejected: Vec<Rejected>,
    /// Where times come from.
    pub time_source: TimeSource,
    /// Where the time of the last untimed reading comes from; `None` for embedded times.
    pub end_from: Option<EndFrom>,
    /// The assumed sampling interval, in seconds; `None` if the times, the command that wrote them or the user give it.
    #[serde(default)]
    pub assumed_step_seconds: Option<f64>,
    /// Whether the response says that it is incomplete.
    pub incomplete: bool,
    /// What a reader of the report must know.
    pub warnings: Vec<Warning>,
    /// Why nothing in it could be used; `None` if something could.
    pub unusable: Option<Unusable>,
    /// What became of its events; `None` for an input of readings.
    pub events: Option<EventCounts>,
    /// What its events were read as; `None` for an input of readings or counts.
    #[serde(skip)]
    pub events_form: Option<OtherForm>,
    /// What was counted of it; `None` for an input of readings or events.
    #[serde(skip)]
    pub counted: Option<CountedAs>,
}

/// What an input of counts was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedAs {
    /// The form of its counts or changes.
    pub form: OtherForm,
    /// Of its other lines, those at times without memory readings.
    pub outside: u64,
}

/// How many rejected lines are kept with their text; all are counted.
pub const MAX_REJECTED: usize = 20;

/// How much of a rejected line is kept, in characters.
pub const MAX_REJECTED_CHARS: usize = 200;

/// How much is kept of what a rejection quotes, and how long its sentence is at most, in characters.
pub(crate) const MAX_WHY_CHARS: usize = 400;

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Counted from 1.
    pub line: u64,
    /// Its beginning, without control characters.
    pub text: String,
    /// What was found and what was expected.
    pub why: Rejection,
}

crate::named! {
    /// Where times come from.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum TimeSource {
        /// The input carries them.
        Embedded = "embedded",
        /// They were counted back from the last reading.
        Inferred = "inferred",
    }
}

crate::named! {
    /// Where the time of the last untimed reading comes from.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum EndFrom {
        /// The option `--end`.
        Option = "option",
        /// The file's modification time.
        Mtime = "mtime",
    }
}

/// What became of the events of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EventCounts {
    /// Events in the life of a container.
    pub read: u64,
    /// Of these, events of a series, within its readings.
    pub matched: u64,
    /// Events of containers without a series.
    pub other_containers: u64,
    /// Events of a series, before its first reading or after its last.
    pub outside: u64,
    /// Events of a series whose times are too uncertain to match.
    pub uncertain: u64,
}

impl Input {
    /// An account of nothing yet.
    pub(crate) fn new(source: &Source) -> Input {
        Input {
            path: source.path().map_or_else(|| "-".to_owned(), |path| path.display().to_string()),
            format: None,
            samples: 0,
            new_samples: None,
            series: 0,
            gaps: 0,
            other_lines: 0,
            rejected_count: 0,
            lines: None,
            further: 0,
            rejected: Vec::new(),
            time_source: TimeSource::Embedded,
            end_from: None,
            assumed_step_seconds: None,
            incomplete: false,
            warnings: Vec::new(),
            unusable: None,
            events: None,
            events_form: None,
            counted: None,
        }
    }

    /// The name of what it was read as; `None` when it could not be used at all.
    pub fn format_name(&self) -> Option<&'static str> {
        let of_counts = self.counted.map(|counted| counted.form);
        self.events_form.or(of_counts).map(OtherForm::name).or(self.format.map(Format::name))
    }

    /// Adds what a reader of the report must know.
    pub(crate) fn warn(&mut self, warning: impl Into<Warning>) {
        self.warnings.push(warning.into());
    }

    /// Adds it unless it is there already.
    pub(crate) fn warn_once(&mut self, warning: impl Into<Warning>) {
        let warning = warning.into();
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Says that it ends too early, and why.
    pub(crate) fn breaks_off(&mut self, why: String) {
        self.incomplete = true;
        self.warn(ContentWarning::BreaksOff { why });
    }

    /// Counts a line that could not be read; `why` is asked only where it is kept.
    pub(crate) fn reject<R: Into<Rejection>>(&mut self, line: &Line<'_>, text: &str, why: impl FnOnce() -> R) {
        // A single line is not the end of a file that grows.
        let is_growing = !line.terminated && !line.cut && line.number > 1;
        self.reject_at(line.number, text, || if is_growing { Rejection::Unfinished } else { why().into() });
    }

    pub(crate) fn reject_at<R: Into<Rejection>>(&mut self, line: u64, text: &str, why: impl FnOnce() -> R) {
        self.rejected_count += 1;
        if self.rejected.len() < MAX_REJECTED {
            self.rejected.push(Rejected { line, text: cleaned(text, MAX_REJECTED_CHARS), why: why().into().kept() });
        }
    }
}

/// Why a line that is too long is rejected.
pub(crate) fn too_long() -> Rejection {
    Rejection::TooLong { longest: crate::open::MAX_LINE }
}

/// A number of things: `1 line`, `2 lines`.
pub(crate) fn counted(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// The beginning of a text, without control characters.
pub(crate) fn cleaned(text: &str, max_chars: usize) -> String {
    if is_clean(text, max_chars) {
        return text.to_owned();
    }
    text.chars().filter(|c| !c.is_control()).take(max_chars).collect()
}

/// Whether a text is short and plain, as most are: then cleaning changes nothing.
fn is_clean(text: &str, max_chars: usize) -> bool {
    text.len() <= max_chars && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The text of an error, as far as it is kept.
pub(crate) fn error_text(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    if is_clean(&text, MAX_WHY_CHARS) { text } else { cleaned(&text, MAX_WHY_CHARS) }
}
