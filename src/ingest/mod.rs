//! Reads inputs of every format into the samples of named series.
//!
//! Takes files, standard input, `.gz` and `.zst`; gives one column set per series with times in milliseconds and
//! memory in bytes, and for each input an account of what was read, rejected and missing. Nothing is lost silently.

mod amount;
mod clock;
mod csv_table;
mod dateless;
mod docker_events;
mod docker_stats;
mod fields;
mod lines;
mod node_memory;
mod numbers;
mod order;
mod prometheus;
mod rotation;
mod rows;
mod scan;
mod source;
mod stamps;
mod strangers;
mod trend_csv;
mod utf16;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::progress::Meter;
use crate::series::{Marks, Samples, SeriesInfo};
use crate::units::Seconds;

pub use docker_events::{Action, Event, EventCounts, EventLog, read as read_events};
use lines::Line;
use rotation::Sequence;
pub use rotation::{base_name, with_rotated};
pub use source::{Text, read_text, recognise};

/// What an input can be, for messages.
const EXPECTED: &str = "docker stats text, `epoch,512.3MiB` lines, CSV with a header or a Prometheus answer";

/// A form of input that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Format {
    /// The text of `docker stats`: tables, bare rows, streams, JSON lines.
    DockerStats,
    /// The same of `podman stats`: decimal units, arrays of JSON.
    PodmanStats,
    /// The same of `nerdctl stats`: names may be cut.
    NerdctlStats,
    /// `crictl stats`: the working set of containers, without a limit.
    CrictlStats,
    /// `kubectl top pod`, with `--containers` or without: the working set in whole MiB.
    KubectlTop,
    /// `epoch,512.3MiB` without a header.
    TrendCsv,
    /// CSV with a header: a column for each container, or columns of time, container and memory.
    CsvTable,
    /// What Node's `process.memoryUsage()` gives: objects as `console.log` prints them, JSON.
    NodeMemory,
    /// A Prometheus matrix: of a range query, or of an instant query of a range.
    Prometheus,
}

impl Format {
    /// The name in the command line and the report.
    pub const fn name(self) -> &'static str {
        match self {
            Format::DockerStats => "docker-stats",
            Format::PodmanStats => "podman-stats",
            Format::NerdctlStats => "nerdctl-stats",
            Format::CrictlStats => "crictl-stats",
            Format::KubectlTop => "kubectl-top",
            Format::TrendCsv => "trend-csv",
            Format::CsvTable => "csv-table",
            Format::NodeMemory => "node-memory",
            Format::Prometheus => "prometheus",
        }
    }

    /// The command that prints a text table; `None` for what is not one.
    const fn command(self) -> Option<&'static str> {
        match self {
            Format::DockerStats => Some("docker stats"),
            Format::PodmanStats => Some("podman stats"),
            Format::NerdctlStats => Some("nerdctl stats"),
            Format::CrictlStats => Some("crictl stats"),
            Format::KubectlTop => Some("kubectl top pod"),
            Format::TrendCsv | Format::CsvTable | Format::NodeMemory | Format::Prometheus => None,
        }
    }

    /// Whether such a file is a log, to which lines are appended; otherwise it is one answer, read as a whole.
    pub const fn is_log(self) -> bool {
        !matches!(self, Format::Prometheus)
    }
}

/// Where one input comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file, plain or compressed.
    File(PathBuf),
    /// Parts of what was read from a file before.
    Text {
        /// What was read.
        text: Arc<Text>,
        /// The parts, one after the other.
        parts: Vec<Range<usize>>,
        /// When the last of them was written, in milliseconds, as far as known.
        mtime_ms: Option<i64>,
    },
}

impl Source {
    /// The file; `None` for standard input.
    fn path(&self) -> Option<&Path> {
        match self {
            Source::Stdin => None,
            Source::File(path) => Some(path),
            Source::Text { text, .. } => Some(&text.path),
        }
    }
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
    /// What numbers count of which the input says nothing, in bytes. `None`: bytes, and what cannot be is refused.
    pub unit: Option<f64>,
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
    /// Samples of it that are judged or kept.
    pub samples: u64,
    /// Samples on the lines that were read this time, where others come from a history; `None`: all of `samples`.
    pub new_samples: Option<u64>,
    /// Series with at least one sample.
    pub series: u64,
    /// Readings that said that there was no value.
    pub gaps: u64,
    /// Lines that held no reading by right: headers, blank lines, prompts, repeated frames.
    pub other_lines: u64,
    /// Lines that could not be read.
    pub rejected_count: u64,
    /// Lines in all, counted apart from the four above; `None` for what does not consist of lines.
    ///
    /// `samples + gaps + other_lines + rejected_count` is always `lines + further`.
    pub lines: Option<u64>,
    /// Readings on lines that hold another one before them: arrays of JSON.
    pub further: u64,
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
    /// What became of its events; `None` for an input of readings.
    pub events: Option<EventCounts>,
}

/// How many rejected lines are kept with their text; all are counted.
pub const MAX_REJECTED: usize = 20;

/// How much of a rejected line is kept, in characters.
pub const MAX_REJECTED_CHARS: usize = 200;

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// Reads all inputs.
///
/// Rotated files are read as one sequence, oldest first. An input that cannot be used says so in its account and does
/// not stop the others; the caller decides what it means when no series has a sample.
///
/// # Errors
///
/// None at present: what goes wrong belongs to an input and stands in its account.
pub fn read(sources: &[Source], options: &Options) -> Result<Ingested, Error> {
    read_metered(sources, options, &Meter::default())
}

/// The same; `meter` counts the bytes that were read, and is at its end when all were.
///
/// # Errors
///
/// None at present, as of `read`.
pub fn read_metered(sources: &[Source], options: &Options, meter: &Meter) -> Result<Ingested, Error> {
    let mut sequences = rotation::sequences(sources);
    let is_again = rotation::is_again(sources, &sequences);
    sequences.iter_mut().for_each(|sequence| sequence.members.retain(|index| !is_again[*index]));
    sequences.retain(|sequence| !sequence.members.is_empty());
    let stems = stems(&sequences);
    // Within the pool, so that handing work to its threads does not wait for this one.
    let results: Vec<SequenceRead> = rayon::scope(|_| {
        let read = |(sequence, stem): (&Sequence, &String)| read_sequence(sources, sequence, stem, options, meter);
        sequences.par_iter().zip(&stems).map(read).collect()
    });
    meter.end();

    let mut accounts: Vec<Option<Input>> = sources.iter().map(|_| None).collect();
    let mut parts = Vec::new();
    for result in results {
        for (index, input) in result.inputs {
            accounts[index] = Some(input);
        }
        parts.extend(result.parts);
    }
    let mut inputs: Vec<Input> = accounts
        .into_iter()
        .zip(sources)
        .map(|(account, source)| {
            account.unwrap_or_else(|| {
                let mut input = Input::new(source);
                input.warnings.push("it is given more than once: it was read once".to_owned());
                input
            })
        })
        .collect();
    for part in &mut parts {
        prometheus::refuse(&mut part.parsed, &mut inputs, options.unit.is_some());
    }
    let timeline = one_timeline(&mut parts, &mut inputs);
    let mut series = merge(parts, sources, &mut inputs);
    order::settle(&mut series, &mut inputs);
    Ok(Ingested { inputs, series, timeline })
}

/// What one sequence of files gave.
struct SequenceRead {
    inputs: Vec<(usize, Input)>,
    parts: Vec<Part>,
}

/// The series of one format of one sequence.
struct Part {
    format: Format,
    parsed: Parsed,
}

/// What a reader of one format gives.
struct Parsed {
    series: Vec<SeriesSamples>,
    /// What the first and the last row of each series say about its container; empty where rows say nothing of it.
    ends: Vec<Option<(Evidence, Evidence)>>,
    /// How many values of each series of an export were below zero, and so not kept; empty for other formats.
    n_negative: Vec<u64>,
    /// Whether times count from the last tick.
    relative: bool,
}

/// What a row says about the life of its container.
#[derive(Debug, Clone)]
struct Evidence {
    /// Empty when there is none.
    id: String,
    /// Cumulative counters, in bytes; NaN where there is none.
    counters: [f64; 4],
}

impl Evidence {
    /// What it means that `later` follows.
    fn marks_before(&self, later: &Evidence) -> Marks {
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
enum Reader {
    DockerStats(Box<docker_stats::Reader>),
    TrendCsv(trend_csv::Reader),
    CsvTable(csv_table::Reader),
    NodeMemory(node_memory::Reader),
    Prometheus(prometheus::Reader),
}

impl Reader {
    fn new(format: Format, stem: &str, options: &Options) -> Reader {
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

    fn read(&mut self, opened: source::Opened, input: &mut Input, index: usize) {
        match self {
            Reader::DockerStats(reader) => reader.read(opened, input, index),
            Reader::TrendCsv(reader) => reader.read(opened, input, index),
            Reader::CsvTable(reader) => reader.read(opened, input, index),
            Reader::NodeMemory(reader) => reader.read(opened, input, index),
            Reader::Prometheus(reader) => reader.read(opened, input, index),
        }
    }

    fn finish(self, inputs: &mut [(usize, Input)]) -> Part {
        let format = self.format();
        let parsed = match self {
            Reader::DockerStats(reader) => reader.finish(inputs),
            Reader::TrendCsv(reader) => reader.finish(inputs),
            Reader::CsvTable(reader) => reader.finish(inputs),
            Reader::NodeMemory(reader) => reader.finish(inputs),
            Reader::Prometheus(reader) => reader.finish(),
        };
        Part { format, parsed }
    }
}

fn read_sequence(
    sources: &[Source],
    sequence: &Sequence,
    stem: &str,
    options: &Options,
    meter: &Meter,
) -> SequenceRead {
    let mut inputs: Vec<(usize, Input)> = Vec::new();
    let mut parts = Vec::new();
    let mut reader: Option<Reader> = None;
    let (mut empty, mut broke_off) = (Vec::new(), Vec::new());
    for &index in &sequence.members {
        let mut input = Input::new(&sources[index]);
        match begin(&sources[index], options, meter, reader.as_ref()) {
            Err(Refused::Empty) => empty.push(index),
            Err(Refused::Because(why)) => input.unusable = Some(why),
            Ok((opened, format)) => {
                if opened.n_nul > 0 {
                    input.warnings.push(format!(
                        "{} before its text: skipped (was it truncated while it was written to?)",
                        counted(opened.n_nul, "NUL byte")
                    ));
                }
                if let Some(other) = reader.take_if(|reader| !reader.goes_on_with(format)) {
                    parts.push(other.finish(&mut inputs));
                }
                let reader = reader.get_or_insert_with(|| Reader::new(format, stem, options));
                input.format = Some(format);
                let broken = opened.broken.clone();
                reader.read(opened, &mut input, index);
                if let Some(why) = broken.take() {
                    broke_off.push(index);
                    input.incomplete = true;
                    input.warnings.insert(0, format!("{why}; what stands before that is used"));
                }
                if input.unusable.is_some() {
                    input.format = options.format;
                    input.rejected_count += std::mem::take(&mut input.samples);
                    input.series = 0;
                }
            }
        }
        inputs.push((index, input));
    }
    let format = reader.as_ref().map(Reader::format);
    if let Some(reader) = reader {
        parts.push(reader.finish(&mut inputs));
    }
    for (_, input) in inputs.iter_mut().filter(|(index, _)| broke_off.contains(index)) {
        if input.time_source == TimeSource::Inferred {
            input.warnings.push("its newest readings are lost: those before them are dated too late".to_owned());
        }
    }
    // A log that was rotated a moment ago is empty, and its older files hold the readings.
    for (_, input) in inputs.iter_mut().filter(|(index, _)| empty.contains(index)) {
        if format.is_some() {
            input.format = format;
            input.warnings.push("it is empty".to_owned());
        } else {
            input.unusable = Some(format!("it is empty (expected {EXPECTED})"));
        }
    }
    SequenceRead { inputs, parts }
}

/// Why an input was not begun.
enum Refused {
    Empty,
    Because(String),
}

/// Opens an input and settles its format.
///
/// `reader`: that of the file before it in its sequence.
fn begin(
    source: &Source,
    options: &Options,
    meter: &Meter,
    reader: Option<&Reader>,
) -> Result<(source::Opened, Format), Refused> {
    let mut opened = source::open(source, meter).map_err(Refused::Because)?;
    let beginning = opened.lines.peek().map_err(|error| Refused::Because(format!("it cannot be read: {error}")))?;
    if beginning.is_empty() {
        return Err(match opened.broken.take() {
            Some(why) => Refused::Because(why),
            None => Refused::Empty,
        });
    }
    let format = match options.format {
        Some(format) => format,
        None if reader.is_some_and(|reader| reader.is_continued(beginning)) => Format::CsvTable,
        None => source::recognise(beginning).map_err(Refused::Because)?,
    };
    Ok((opened, format))
}

/// The name that a trend-csv series takes from its files: the stem, with as many directories as tell it apart.
fn stems(sequences: &[Sequence]) -> Vec<String> {
    let stem = |sequence: &Sequence, n_directories: usize| -> String {
        let name = Path::new(&sequence.name).file_stem().unwrap_or_default().to_string_lossy();
        let n_parts = sequence.directory.iter().count();
        let directories = sequence.directory.iter().skip(n_parts.saturating_sub(n_directories));
        directories.map(|part| part.to_string_lossy()).chain([name]).collect::<Vec<_>>().join("/")
    };
    let mut stems: Vec<String> = sequences.iter().map(|sequence| stem(sequence, 0)).collect();
    let most = sequences.iter().map(|sequence| sequence.directory.iter().count()).max().unwrap_or(0);
    for n_directories in 1..=most {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for stem in &stems {
            *counts.entry(stem.clone()).or_default() += 1;
        }
        for (name, sequence) in stems.iter_mut().zip(sequences) {
            if counts[name] > 1 {
                *name = stem(sequence, n_directories);
            }
        }
    }
    stems
}

/// Drops what has only relative times where other inputs have absolute ones.
fn one_timeline(parts: &mut Vec<Part>, inputs: &mut [Input]) -> Timeline {
    let has_samples = |part: &Part| part.parsed.series.iter().any(|series| !series.samples.is_empty());
    if !parts.iter().any(|part| part.parsed.relative) {
        return Timeline::Absolute;
    }
    if !parts.iter().any(|part| !part.parsed.relative && has_samples(part)) {
        return Timeline::Relative;
    }
    parts.retain(|part| {
        if part.parsed.relative {
            let of_part: HashSet<usize> = part.parsed.series.iter().flat_map(|series| series.inputs.clone()).collect();
            for index in of_part {
                let input = &mut inputs[index];
                input.unusable = Some(
                    "it has no times, while other inputs have: give the time of its last reading with `--end`"
                        .to_owned(),
                );
                input.rejected_count += std::mem::take(&mut input.samples);
                input.series = 0;
            }
        }
        !part.parsed.relative
    });
    Timeline::Absolute
}

/// A series as one sequence of files gave it.
struct Piece {
    format: Format,
    series: SeriesSamples,
    ends: Option<(Evidence, Evidence)>,
    /// The time of its first and its last sample, in milliseconds; `None` without samples, and until it is needed.
    span_ms: Option<(i64, i64)>,
}

impl Piece {
    fn new(format: Format, series: SeriesSamples, ends: Option<(Evidence, Evidence)>) -> Piece {
        Piece { format, series, ends, span_ms: None }
    }

    /// Whether this and the other are of one thing, apart from their times.
    fn is_of(&self, other: &Piece) -> bool {
        let (a, b) = (&self.series.info, &other.series.info);
        let is_same = match self.format {
            // The container label of a series without one is its name, which is equal here.
            Format::Prometheus => prometheus::identity(&a.labels) == prometheus::identity(&b.labels),
            _ => a.labels == b.labels,
        };
        self.format == other.format && a.metric == b.metric && a.sampling == b.sampling && is_same
    }

    /// Whether the other goes on where this one ends; answers of one Prometheus may share the point between them.
    fn goes_on_with(&self, later: &Piece) -> bool {
        let (Some((_, end_ms)), Some((start_ms, _))) = (self.span_ms, later.span_ms) else { return true };
        let at = |piece: &Piece, time_ms: i64| {
            let samples = &piece.series.samples;
            samples.time_ms.iter().position(|time| *time == time_ms).map(|index| samples.used_bytes[index])
        };
        let may_share = self.format == Format::Prometheus && end_ms == start_ms;
        end_ms < start_ms || may_share && at(self, end_ms) == at(later, end_ms)
    }

    /// Adds the samples of a later time.
    fn append(&mut self, later: Piece) {
        let Piece { mut series, ends, span_ms, .. } = later;
        if series.info.limit.is_some() {
            self.series.info.limit = series.info.limit;
        }
        self.ends = match (self.ends.take(), ends) {
            (Some((first, last)), Some((later_first, later_last))) => {
                let marks = last.marks_before(&later_first);
                let times = &series.samples.time_ms;
                if let Some(index) = (0..times.len()).min_by_key(|index| times[*index]) {
                    let bits = &mut series.samples.marks[index];
                    *bits = Marks::from_bits(*bits).with(marks).bits();
                }
                Some((first, later_last))
            }
            (ends, later_ends) => ends.or(later_ends),
        };
        self.span_ms = match (self.span_ms, span_ms) {
            (Some((start_ms, _)), Some((_, end_ms))) => Some((start_ms, end_ms)),
            (span_ms, later) => span_ms.or(later),
        };
        self.series.samples.append(series.samples);
        for input in series.inputs {
            if !self.series.inputs.contains(&input) {
                self.series.inputs.push(input);
            }
        }
    }
}

/// Puts the series of all inputs together: the same series of times that do not overlap become one.
fn merge(parts: Vec<Part>, sources: &[Source], inputs: &mut [Input]) -> Vec<SeriesSamples> {
    let mut exported = Vec::new();
    let mut pieces: Vec<Piece> = Vec::new();
    for Part { format, parsed } in parts {
        let ends = parsed.ends.into_iter().chain(std::iter::repeat(None));
        for (mut series, ends) in parsed.series.into_iter().zip(ends) {
            series.inputs.retain(|index| inputs[*index].unusable.is_none());
            if series.inputs.is_empty() && !series.samples.is_empty() {
                continue;
            }
            if format == Format::Prometheus {
                exported.push(series);
            } else {
                pieces.push(Piece::new(format, series, ends));
            }
        }
    }
    let ends = prometheus::settle(&mut exported, inputs);
    pieces.extend(exported.into_iter().zip(ends).map(|(series, ends)| Piece::new(Format::Prometheus, series, ends)));
    by_first_input(&mut pieces);

    let mut taken: HashSet<String> = HashSet::new();
    let mut merged: Vec<SeriesSamples> = Vec::new();
    let mut renamed: BTreeMap<usize, Vec<(String, String)>> = BTreeMap::new();
    for group in groups(pieces) {
        for Piece { format, mut series, .. } in joined(group) {
            if taken.contains(&series.info.id) {
                let id = other_id(&series, sources, &taken);
                if format == Format::TrendCsv {
                    series.info.labels.insert("container".to_owned(), id.clone());
                }
                let old = std::mem::replace(&mut series.info.id, id.clone());
                if let Some(input) = series.inputs.first() {
                    renamed.entry(*input).or_default().push((old, id));
                }
            }
            taken.insert(series.info.id.clone());
            merged.push(series);
        }
    }
    for (input, names) in renamed {
        let (old, new) = &names[0];
        let more = match names.len() {
            1 => String::new(),
            n => format!(", and {} more likewise", n - 1),
        };
        inputs[input].warnings.push(format!(
            "another input has series of these names at the same times, or of another kind: here `{old}` is called `{new}`{more}"
        ));
    }
    merged
}

/// Series stand in the order of their inputs, and within an input in that of their first appearance.
fn by_first_input(pieces: &mut [Piece]) {
    pieces.sort_by_key(|piece| piece.series.inputs.first().copied().unwrap_or(usize::MAX));
}

/// Pieces that may be of one series, in order of their first appearance: those of one name.
fn groups(pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut groups: Vec<Vec<Piece>> = Vec::new();
    let mut by_id: HashMap<String, usize> = HashMap::new();
    for piece in pieces {
        let next = groups.len();
        let group = *by_id.entry(piece.series.info.id.clone()).or_insert(next);
        if group == next {
            groups.push(Vec::new());
        }
        groups[group].push(piece);
    }
    groups
}

/// The series that pieces of one name make, by time: as few as can be.
fn joined(mut pieces: Vec<Piece>) -> Vec<Piece> {
    if pieces.len() == 1 {
        return pieces;
    }
    let first = pieces[0].series.inputs.clone();
    for piece in &mut pieces {
        let (first_ms, last_ms) = order::ends(&piece.series.samples.time_ms);
        piece.span_ms = first_ms.zip(last_ms);
    }
    pieces.sort_by_key(|piece| piece.span_ms);
    let mut series: Vec<Piece> = Vec::new();
    for piece in pieces {
        match series.iter_mut().find(|series| series.is_of(&piece) && series.goes_on_with(&piece)) {
            Some(series) => series.append(piece),
            None => series.push(piece),
        }
    }
    // The name stays with the input that was given first.
    series.sort_by_key(|piece| !piece.series.inputs.iter().any(|input| first.contains(input)));
    series
}

/// A name for a series whose id is taken: with its file, or a number.
fn other_id(series: &SeriesSamples, sources: &[Source], taken: &HashSet<String>) -> String {
    let file = series.inputs.first().map(|index| match sources[*index].path() {
        None => "stdin".to_owned(),
        Some(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    });
    let with_file = file.map(|file| format!("{} ({file})", series.info.id));
    let numbered = (2..).map(|number| format!("{} ({number})", series.info.id));
    with_file.into_iter().chain(numbered).find(|id| !taken.contains(id)).expect("there are endless numbers")
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
            incomplete: false,
            warnings: Vec::new(),
            unusable: None,
            events: None,
        }
    }

    /// The name of what it was read as; `None` when it could not be used at all.
    pub fn format_name(&self) -> Option<&'static str> {
        self.events.map(|_| "docker-events").or(self.format.map(Format::name))
    }

    /// Counts a line that could not be read; `why` is asked only where it is kept.
    fn reject(&mut self, line: &Line<'_>, text: &str, why: impl FnOnce() -> String) {
        // A single line is not the end of a file that grows.
        let is_growing = !line.terminated && !line.cut && line.number > 1;
        self.reject_at(line.number, text, || {
            if is_growing { "the last line is incomplete (the file may still be written to)".to_owned() } else { why() }
        });
    }

    fn reject_at(&mut self, line: u64, text: &str, why: impl FnOnce() -> String) {
        self.rejected_count += 1;
        if self.rejected.len() < MAX_REJECTED {
            self.rejected.push(Rejected { line, text: cleaned(text, MAX_REJECTED_CHARS), why: cleaned(&why(), 400) });
        }
    }
}

/// Why a line that is too long is rejected.
fn too_long() -> String {
    format!("the line is longer than {} KiB (expected one reading a line)", lines::MAX_LINE >> 10)
}

/// A number of things: `1 line`, `2 lines`.
fn counted(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// The beginning of a text, without control characters.
fn cleaned(text: &str, max_chars: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(max_chars).collect()
}

/// What the tests of the formats share.
#[cfg(test)]
mod test_support {
    use std::fmt::Write;

    use super::*;
    use crate::series::Marks;
    use crate::units::docker_text;

    /// The modification time of test files: 2026-11-23T20:07:00Z, in milliseconds.
    pub(super) const MTIME_MS: i64 = 1_795_464_420_000;

    pub(super) fn options() -> Options {
        Options { format: None, interval: None, end_ms: None, samples: SamplesOption::Auto, unit: None }
    }

    /// Reads files of one sequence, oldest first.
    pub(super) fn read_all(format: Format, contents: &[(&str, i64)]) -> (Vec<Input>, Vec<SeriesSamples>) {
        let mut reader = Reader::new(format, "stem", &options());
        let mut inputs = Vec::new();
        for (index, (content, mtime_ms)) in contents.iter().enumerate() {
            let mut input = Input::new(&Source::Stdin);
            reader.read(source::Opened::of(content.as_bytes(), Some(*mtime_ms)), &mut input, index);
            inputs.push((index, input));
        }
        let mut part = reader.finish(&mut inputs);
        let mut inputs: Vec<Input> = inputs.into_iter().map(|(_, input)| input).collect();
        if format == Format::Prometheus {
            prometheus::settle(&mut part.parsed.series, &mut inputs);
        }
        (inputs, part.parsed.series)
    }

    /// One line per series: seconds since the modification time and memory of each sample, with its marks.
    pub(super) fn describe(series: &[SeriesSamples]) -> String {
        let mut text = String::new();
        for series in series {
            write!(text, "{}:", series.info.id).unwrap();
            let samples = &series.samples;
            for index in 0..samples.len() {
                let seconds = (samples.time_ms[index] - MTIME_MS) as f64 / 1000.0;
                write!(text, " {seconds}={}", docker_text(samples.used_bytes[index])).unwrap();
                let marks = Marks::from_bits(samples.marks[index]);
                for (mark, name) in
                    [(Marks::RECREATED, "recreated"), (Marks::COUNTER_RESET, "reset"), (Marks::GAP_BEFORE, "gap")]
                {
                    if marks.contains(mark) {
                        write!(text, "({name})").unwrap();
                    }
                }
            }
            text.push('\n');
        }
        text
    }

    /// The account of an input: counts, warnings, rejected lines.
    pub(super) fn account(input: &Input) -> String {
        let mut text = format!(
            "{} samples, {} gaps, {} other, {} rejected{}\n",
            input.samples,
            input.gaps,
            input.other_lines,
            input.rejected_count,
            if input.incomplete { ", incomplete" } else { "" }
        );
        for warning in &input.warnings {
            writeln!(text, "warning: {warning}").unwrap();
        }
        for rejected in &input.rejected {
            writeln!(text, "line {}: `{}`: {}", rejected.line, rejected.text, rejected.why).unwrap();
        }
        if let Some(why) = &input.unusable {
            writeln!(text, "unusable: {why}").unwrap();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::test_support::{MTIME_MS, options};
    use super::*;

    /// Reads inputs of which only those with a modification time have one.
    fn read_each(contents: &[(&str, Option<i64>)]) -> (Timeline, Vec<Input>, usize) {
        let mut inputs = Vec::new();
        let mut parts = Vec::new();
        for (index, (content, mtime_ms)) in contents.iter().enumerate() {
            let mut reader = Reader::new(Format::DockerStats, "stem", &options());
            let mut input = vec![(index, Input::new(&Source::Stdin))];
            reader.read(source::Opened::of(content.as_bytes(), *mtime_ms), &mut input[0].1, index);
            parts.push(reader.finish(&mut input));
            inputs.extend(input.into_iter().map(|(_, input)| input));
        }
        let timeline = one_timeline(&mut parts, &mut inputs);
        (timeline, inputs, parts.len())
    }

    #[test]
    fn without_any_time_the_last_reading_is_zero() {
        let row = "aaaaaaaaaaaa   web   0.1%   5MiB / 1GiB   1%   1kB / 0B   0B / 0B   7\n";
        let (timeline, inputs, _) = read_each(&[(row, None)]);
        assert_eq!(timeline, Timeline::Relative);
        assert_eq!((inputs[0].time_source, inputs[0].end_from), (TimeSource::Inferred, None));
        insta::assert_snapshot!(inputs[0].warnings.join("\n"), @"assuming one reading every 15 min; times count back from the last reading (`--end` gives it a date)");

        let (timeline, inputs, n_parts) = read_each(&[(row, None), (row, Some(MTIME_MS))]);
        assert_eq!((timeline, n_parts), (Timeline::Absolute, 1));
        insta::assert_snapshot!(inputs[0].unusable.clone().unwrap_or_default(), @"it has no times, while other inputs have: give the time of its last reading with `--end`");
    }
}
