//! Reads inputs of every format into the samples of named series.
//!
//! Takes files, standard input, `.gz` and `.zst`; gives one column set per series with times in milliseconds and
//! memory in bytes, and for each input an account of what was read, rejected and missing. Nothing is lost silently.

use std::path::PathBuf;

use crate::series::{Samples, SeriesInfo};
use crate::units::Seconds;

/// A form of input that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Format {
    /// The text of `docker stats`: tables, bare rows, streams, JSON lines.
    DockerStats,
    /// `epoch,512.3MiB` without a header.
    TrendCsv,
    /// A Prometheus matrix: of a range query, or of an instant query of a range.
    Prometheus,
}

impl Format {
    /// The name in the command line and the report.
    pub const fn name(self) -> &'static str {
        match self {
            Format::DockerStats => "docker-stats",
            Format::TrendCsv => "trend-csv",
            Format::Prometheus => "prometheus",
        }
    }
}

/// Where one input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file, plain or compressed.
    File(PathBuf),
}

/// What a Prometheus export holds, as the user says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SamplesOption {
    /// Conclude it from the spacing of the points.
    Auto,
    /// Scrapes at their own times.
    Raw,
    /// Points of a range query at its step.
    Step,
}

/// How inputs are to be read.
#[derive(Debug, Clone)]
pub struct Options {
    /// The format of all inputs; `None`: decided by content, for each.
    pub format: Option<Format>,
    /// Spacing of docker-stats ticks that have no time. `None`: 15 minutes, or 0.5 s in a stream.
    pub interval: Option<Seconds>,
    /// Time of the last tick, in milliseconds. `None`: the file's modification time.
    pub end_ms: Option<i64>,
    /// What a Prometheus export holds.
    pub samples: SamplesOption,
}

/// All that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Ingested {
    /// One account per input, in the order of the command line; rotated files of one sequence are one input each.
    pub inputs: Vec<Input>,
    /// One entry per series, with unique ids, in the order of first appearance.
    pub series: Vec<SeriesSamples>,
    /// What the times count from.
    pub timeline: Timeline,
}

/// What times count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeline {
    /// Milliseconds since 1970, UTC.
    Absolute,
    /// Milliseconds after the last tick (all are 0 or negative): an untimed standard input without `--end`.
    Relative,
}

/// One series and its samples, in the order in which they were read.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesSamples {
    /// Who it is.
    pub info: SeriesInfo,
    /// Its samples; may be empty when the input named the series and gave it no value.
    pub samples: Samples,
    /// The inputs that it was read from, as indices.
    pub inputs: Vec<usize>,
}

/// The account of one input.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// As given; `-` for standard input.
    pub path: String,
    /// What it was read as; `None` when it could not be used at all.
    pub format: Option<Format>,
    /// Samples read.
    pub samples: u64,
    /// Series with at least one sample.
    pub series: u64,
    /// Readings that said that there was no value.
    pub gaps: u64,
    /// Lines that held no reading by right: headers, blank lines, prompts, prose around tables, repeated frames.
    pub other_lines: u64,
    /// Lines that could not be read.
    pub rejected_count: u64,
    /// The first of them, at most `MAX_REJECTED`.
    pub rejected: Vec<Rejected>,
    /// Where times come from.
    pub time_source: TimeSource,
    /// Where the time of the last untimed tick comes from; `None` for embedded times.
    pub end_from: Option<EndFrom>,
    /// Whether the answer says of itself that it is incomplete.
    pub incomplete: bool,
    /// What a reader of the report must know.
    pub warnings: Vec<String>,
    /// Why nothing of it could be used, `None` when something could.
    pub unusable: Option<String>,
}

/// How many rejected lines are kept with their text; all are counted.
pub const MAX_REJECTED: usize = 20;

/// How much of a rejected line is kept, in characters.
pub const MAX_REJECTED_CHARS: usize = 200;

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Counted from 1.
    pub line: u64,
    /// Its beginning, without control characters.
    pub text: String,
    /// What was found and what was expected.
    pub why: String,
}

/// Where times come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeSource {
    /// The input carries them.
    Embedded,
    /// Counted back from the last tick.
    Inferred,
}

/// Where the time of the last untimed tick comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndFrom {
    /// `--end`.
    Option,
    /// The file's modification time.
    Mtime,
}
