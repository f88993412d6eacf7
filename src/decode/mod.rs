//! Decodes inputs of every format into the samples of named series: one reader for each format.
//!
//! A reader takes the lines of one log, over all its rotated files, and gives one column set per series with times in
//! milliseconds and memory in bytes, and for each input an account of what was read, rejected and missing.

mod amount;
mod clock;
mod columns;
mod csv_table;
mod detect;
mod docker_stats;
mod fields;
mod node_memory;
pub(crate) mod numbers;
mod places;
pub(crate) mod prometheus;
mod reported;
mod rows;
mod sequence;
mod swar;
pub(crate) mod table;
mod times_of_day;
mod timestamps;
mod trend_csv;
mod unsupported;
mod untimed;

use crate::account::{Format, Input};
use crate::open::Opened;
use crate::series::{Marks, Samples, SeriesInfo};
use crate::units::Seconds;

pub use columns::GivenColumns;
pub use detect::recognise;
pub use reported::{ReportedRestart, ReportedRestarts};
pub(crate) use sequence::read_sequence;
pub use table::is_guarded;

/// What a Prometheus export holds, as the user says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum SamplesOption {
    #[default]
    /// Conclude it from the spacing of the points.
    Auto,
    /// Scrapes at their own times.
    Raw,
    /// Points of a range query at its step.
    Step,
}

/// How inputs are to be read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The format of all inputs; `None`: decided by content, for each.
    pub format: Option<Format>,
    /// Spacing of docker-stats snapshots that have no time. `None`: 15 minutes, or 0.5 s in a stream.
    pub interval: Option<Seconds>,
    /// Time of the last snapshot, in milliseconds. `None`: the file's modification time.
    pub end_ms: Option<i64>,
    /// What a Prometheus export holds.
    pub samples: SamplesOption,
    /// What numbers count of which the input says nothing, in bytes. `None`: bytes, and what cannot be is refused.
    pub unit: Option<f64>,
    /// Which columns of a table are what; what is not said is found by name.
    pub columns: GivenColumns,
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

/// What one sequence of files gave.
pub(crate) struct SequenceRead {
    /// The accounts of each source, by its index: of a table that leaktrend wrote, those that it carries.
    pub(crate) inputs: Vec<(usize, Input)>,
    pub(crate) parts: Vec<Part>,
}

/// The series of one format of one sequence.
pub(crate) struct Part {
    pub(crate) format: Format,
    /// The source whose accounts the inputs of its series are counted among, where one may have several: tables. `None`
    /// where they are sources themselves.
    pub(crate) of_source: Option<usize>,
    pub(crate) parsed: Parsed,
}

/// What a reader of one format gives.
pub(crate) struct Parsed {
    pub(crate) series: Vec<SeriesSamples>,
    /// What the first and the last row of each series say about its container; empty where rows say nothing of it.
    pub(crate) ends: Vec<Option<(Evidence, Evidence)>>,
    /// How many values of each series of an export were below zero, and so not kept; empty for other formats.
    pub(crate) n_negative: Vec<u64>,
    /// What a table that leaktrend wrote reports restarts; that of an export is found out by `resolve`.
    pub(crate) reported: Vec<ReportedRestarts>,
    /// Whether times count from the last snapshot.
    pub(crate) relative: bool,
}

/// What a row says about the run of its container.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    /// Empty when there is none.
    pub(crate) id: String,
    /// Cumulative counters, in bytes; NaN where there is none.
    pub(crate) counters: [f64; 4],
}

impl Evidence {
    /// What it means that `later` follows.
    pub(crate) fn marks_before(&self, later: &Evidence) -> Marks {
        let mut marks = Marks::default();
        if self.id != later.id && !self.id.is_empty() && !later.id.is_empty() {
            marks = marks.with(Marks::RECREATED);
        }
        if self.id == later.id && later.counters.iter().zip(&self.counters).any(|(later, earlier)| later < earlier) {
            marks = marks.with(Marks::COUNTER_RESET);
        }
        marks
    }
}

/// The reader of each format.
pub(crate) enum Reader {
    DockerStats(Box<docker_stats::Reader>),
    TrendCsv(trend_csv::Reader),
    CsvTable(csv_table::Reader),
    NodeMemory(node_memory::Reader),
    Prometheus(prometheus::Reader),
}

impl Reader {
    pub(crate) fn new(format: Format, stem: &str, options: &Options) -> Reader {
        match format {
            Format::DockerStats
            | Format::PodmanStats
            | Format::NerdctlStats
            | Format::CrictlStats
            | Format::KubectlTop => Reader::DockerStats(Box::new(docker_stats::Reader::new(format, options))),
            Format::TrendCsv => Reader::TrendCsv(trend_csv::Reader::new(stem.to_owned(), options)),
            Format::CsvTable => Reader::CsvTable(csv_table::Reader::new(stem.to_owned(), options)),
            Format::NodeMemory => Reader::NodeMemory(node_memory::Reader::new(stem.to_owned(), options)),
            Format::Prometheus => Reader::Prometheus(prometheus::Reader::new(options)),
            Format::Parquet | Format::Arrow => unreachable!("tables are read as a whole, by `table::read`"),
        }
    }

    fn format(&self) -> Format {
        match self {
            Reader::DockerStats(reader) => reader.format(),
            Reader::TrendCsv(_) => Format::TrendCsv,
            Reader::CsvTable(_) => Format::CsvTable,
            Reader::NodeMemory(_) => Format::NodeMemory,
            Reader::Prometheus(_) => Format::Prometheus,
        }
    }

    /// Whether a file of this format can go on where another ended: tables are told apart line by line.
    fn goes_on_with(&self, format: Format) -> bool {
        self.format() == format || self.format().command().is_some() && format.command().is_some()
    }

    /// Whether a file begins with rows of a table whose header stands in the file before it.
    fn is_continued(&self, beginning: &[u8]) -> bool {
        matches!(self, Reader::CsvTable(reader) if reader.goes_on_with(&String::from_utf8_lossy(beginning)))
    }

    pub(crate) fn read(&mut self, opened: Opened, input: &mut Input, index: usize) {
        match self {
            Reader::DockerStats(reader) => reader.read(opened, input, index),
            Reader::TrendCsv(reader) => reader.read(opened, input, index),
            Reader::CsvTable(reader) => reader.read(opened, input, index),
            Reader::NodeMemory(reader) => reader.read(opened, input, index),
            Reader::Prometheus(reader) => reader.read(opened, input, index),
        }
    }

    pub(crate) fn finish(self, inputs: &mut [(usize, Input)]) -> Part {
        let format = self.format();
        let parsed = match self {
            Reader::DockerStats(reader) => reader.finish(inputs),
            Reader::TrendCsv(reader) => reader.finish(inputs),
            Reader::CsvTable(reader) => reader.finish(inputs),
            Reader::NodeMemory(reader) => reader.finish(inputs),
            Reader::Prometheus(reader) => reader.finish(),
        };
        Part { format, of_source: None, parsed }
    }
}
