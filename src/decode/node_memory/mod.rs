//! Reads what Node's `process.memoryUsage()` gives: as `console.log` prints it, as JSON, as an endpoint answers.
//!
//! Objects may stand on one line or on several, in arrays, behind times and labels, one behind the other without a line
//! ending, and between other text. Each part (`rss`, `heapUsed`, ..) of each process is a series.

mod notes;
mod object;
mod pieces;
mod prefix;
mod reading;
mod stream;
mod times;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::clock::Timestamp;
use super::times_of_day::TimeOfDay;
use super::timestamps::Seasons;
use super::{Options, Parsed, SeriesSamples};
use crate::account::{ExpectedTime, Format, Input, NameWarning, ObjectRejection, Rejection, Unusable, cleaned};
use crate::open::Opened;
use crate::series::{Marks, Samples, Sampling, SeriesInfo};
use notes::Notes;
use pieces::{Piece, Pieces};
pub(super) use reading::{PARTS, part_of};
use stream::{Next, Stream};
use times::File;

/// More processes in one log are read after one another.
const MAX_STREAMS: usize = 64;

/// Labels before objects that are more than these are not the names of processes.
const MAX_LABELS: usize = 16;

/// Whether a text holds such objects: a key that only Node has.
pub(super) fn looks_like_node(text: &str) -> bool {
    ["heapUsed", "heapTotal", "heap_used", "heap_total"].iter().any(|key| reading::has_key(text, key))
        && text.contains('{')
}

/// Whether a JSON text holds a resident set as a key, and so may be a reading with that alone.
pub(super) fn has_resident_set(text: &str) -> bool {
    text.contains('{') && reading::has_key(text, "rss")
}

/// One reading of a process.
#[derive(Debug, Clone, Copy)]
struct Taken {
    /// `None`: nothing says it.
    time_ms: Option<i64>,
    process: u32,
    /// In bytes; NaN for a part without an amount.
    bytes: [f64; PARTS.len()],
    resolution: [f32; PARTS.len()],
}

/// Who a reading is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Process {
    /// As the object or the log names it.
    name: Option<String>,
    /// What stands before its objects.
    label: String,
}

/// Reads the files of one sequence, oldest first.
#[derive(Debug)]
pub(crate) struct Reader {
    /// What a process without a name is named after: the file's stem.
    stem: String,
    spacing: super::untimed::Spacing,
    /// What bare numbers count, as the user says, in bytes.
    unit: Option<f64>,
    readings: Vec<Taken>,
    processes: Vec<Process>,
    places: HashMap<Process, u32>,
    /// How many labels stand before objects.
    n_labels: usize,
    files: Vec<File>,
    seasons: Seasons,
    time_of_day: TimeOfDay,
    /// The key that the last reading began with.
    first_key: String,
}

impl Reader {
    pub(super) fn new(stem: String, options: &Options) -> Reader {
        Reader {
            stem,
            spacing: times::spacing(options),
            unit: options.unit,
            readings: Vec::new(),
            processes: Vec::new(),
            places: HashMap::new(),
            n_labels: 0,
            files: Vec::new(),
            seasons: Seasons::default(),
            time_of_day: TimeOfDay::default(),
            first_key: String::new(),
        }
    }

    /// Reads one file, the next of the sequence.
    pub(super) fn read(&mut self, opened: Opened, input: &mut Input, index: usize) {
        let first = self.readings.len();
        let latest_ms = opened.mtime_ms.or(self.spacing.end_ms);
        self.time_of_day.begin(index, opened.mtime_ms);
        let mut pieces = Pieces::new(opened.lines.into_reader());
        let (mut streams, mut current, mut notes): (Vec<Stream>, usize, Notes) = (Vec::new(), 0, Notes::default());
        let mut ends_in_line = false;
        while let Some(Piece { bytes, number, begins, ends, terminated }) = pieces.next() {
            let text = prefix::without_escapes(String::from_utf8_lossy(bytes));
            let mut rest = text.as_ref();
            let behind_time;
            if begins {
                let (key, name, behind) = prefix::named(text.trim_start_matches(['\0', '\u{feff}']));
                if streams.len() == MAX_STREAMS && !streams.iter().any(|stream| stream.key == key) {
                    self.end(&mut streams.remove(0), false, input, &mut notes, latest_ms);
                }
                current = streams.iter().position(|stream| stream.key == key).unwrap_or_else(|| {
                    streams.push(Stream::new(key.to_owned(), name));
                    streams.len() - 1
                });
                let stream = &mut streams[current];
                let (timestamp, after) =
                    prefix::timestamped(behind, latest_ms, stream.is_open().then(|| stream.is_stamped()));
                behind_time = after;
                rest = &behind_time;
                stream.begin_line(number, timestamp.clone());
                if let Some((timestamp, written)) = timestamp
                    && !stream.is_open()
                    && super::clock::is_only_decoration(rest)
                {
                    stream.before = Some((timestamp, written, Vec::new()));
                    stream.account_line();
                }
            }
            let stream = &mut streams[current];
            stream.text.push_str(rest);
            if ends {
                stream.end_line(terminated);
            }
            ends_in_line = !terminated;
            self.advance(stream, input, &mut notes, latest_ms);
        }
        for (position, stream) in streams.iter_mut().enumerate() {
            let is_growing = ends_in_line && position == current && pieces.count() > 1;
            self.end(stream, is_growing, input, &mut notes, latest_ms);
        }
        input.lines = Some(pieces.count());
        notes.warn(input);
        if input.unusable.is_some() {
            self.readings.truncate(first);
        } else if self.readings.len() == first {
            input.unusable = Some(Unusable::nothing_of(Format::NodeMemory, input));
        }
        self.files.push(File { input: index, readings: first..self.readings.len(), mtime_ms: opened.mtime_ms });
    }

    /// Reads what is at hand of a stream.
    fn advance(&mut self, stream: &mut Stream, input: &mut Input, notes: &mut Notes, latest_ms: Option<i64>) {
        loop {
            match stream.next() {
                Next::Nothing => break,
                Next::Object(range) => self.take(stream, range, input, notes, latest_ms),
                Next::Broken(why) => self.give_up(stream, &why.into(), input),
            }
        }
        stream.settle(input, notes);
    }

    /// Gives up what is open at the end.
    fn end(
        &mut self,
        stream: &mut Stream,
        is_growing: bool,
        input: &mut Input,
        notes: &mut Notes,
        latest_ms: Option<i64>,
    ) {
        let why = if is_growing { Rejection::Unfinished } else { ObjectRejection::AtEnd.into() };
        while stream.is_open() {
            self.give_up(stream, &why, input);
            self.advance(stream, input, notes, latest_ms);
        }
        stream.settle(input, notes);
    }

    /// Rejects the object that is open, if it is the beginning of a reading.
    fn give_up(&self, stream: &mut Stream, why: &Rejection, input: &mut Input) {
        let range = stream.give_up();
        let text = &stream.text[range.clone()];
        let is_reading = reading::names_part(text) || reading::may_begin(text, &self.first_key);
        if is_reading { stream.reject(range, input, why) } else { stream.put_outside(range) }
    }

    /// Takes the reading of an object that is whole.
    fn take(
        &mut self,
        stream: &mut Stream,
        range: Range<usize>,
        input: &mut Input,
        notes: &mut Notes,
        latest_ms: Option<i64>,
    ) {
        let text = stream.text[range.clone()].to_owned();
        let Some(reading) = reading::read(&text, stream.object().values(), self.unit) else {
            stream.put_outside(range);
            return;
        };
        let name = reading.name.map(|name| cleaned(name, 200)).or_else(|| stream.name.clone());
        let process = self.process(name, &stream.label);
        let time_ms = match self.time_of(stream, &range, reading.time, process, notes, latest_ms) {
            Ok(time_ms) => time_ms,
            Err(why) => return stream.reject(range, input, &why),
        };
        if let Some(key) = stream.object().values().first().and_then(|value| value.path.first())
            && text.get(key.clone()).is_some_and(|key| key != self.first_key)
        {
            text[key.clone()].clone_into(&mut self.first_key);
        }
        stream.account(range.clone());
        let mut taken = Taken { time_ms, process, bytes: [f64::NAN; PARTS.len()], resolution: [1.0; PARTS.len()] };
        for (place, part) in reading.parts.into_iter().enumerate() {
            let Some(part) = part else { continue };
            let line = stream.count_at(range.start + part.at);
            match part.figure {
                Ok(None) => input.gaps += 1,
                Ok(Some(amount)) => {
                    input.samples += 1;
                    (taken.bytes[place], taken.resolution[place]) = (amount.bytes, amount.resolution as f32);
                    if amount.is_bare && reading::is_telling(place) {
                        notes.bare.note(amount.bytes);
                    }
                    if amount.is_decimal {
                        notes.note_decimal(part.example);
                    }
                }
                Err(why) => {
                    let part = PARTS[place].0.to_owned();
                    input.reject_at(line, &text, || Rejection::InPart { part, rejection: Box::new(why) });
                }
            }
        }
        if taken.bytes.iter().any(|bytes| bytes.is_finite()) {
            self.readings.push(taken);
        }
    }

    /// When an object was written, in milliseconds; `None` where nothing says it.
    fn time_of(
        &mut self,
        stream: &mut Stream,
        range: &Range<usize>,
        own: Option<&str>,
        process: u32,
        notes: &mut Notes,
        latest_ms: Option<i64>,
    ) -> Result<Option<i64>, Rejection> {
        let (timestamp, written): (Timestamp, String) = if let Some(own) = own {
            let found = cleaned(own, 40);
            match prefix::time(own, latest_ms) {
                Some(timestamp) => (timestamp, found),
                None => return Err(Rejection::NotATime { found, expected: ExpectedTime::EpochOrDate }),
            }
        } else if let Some(timestamp) = stream.line_at(range.start).and_then(|line| line.timestamp.clone()) {
            if stream.is_behind_broken {
                return Err(ObjectRejection::TimeOfAnother.into());
            }
            timestamp
        } else if let Some((timestamp, written, of)) = stream.before.as_mut().filter(|(.., of)| !of.contains(&process))
        {
            // Each process has one reading behind a time.
            if of.len() < MAX_STREAMS {
                of.push(process);
            }
            (*timestamp, written.clone())
        } else {
            return Ok(None);
        };
        notes.times.note(timestamp, &written);
        let timestamp = self.seasons.follow(timestamp, &mut notes.times);
        let time_ms = self.time_of_day.follow(timestamp, &written).time_ms;
        time_ms.map(Some).ok_or(Rejection::NoYear { found: written })
    }

    fn process(&mut self, name: Option<String>, label: &str) -> u32 {
        let label = if self.n_labels <= MAX_LABELS { label } else { "" };
        let process = Process { name, label: label.to_owned() };
        if let Some(place) = self.places.get(&process) {
            return *place;
        }
        self.n_labels += usize::from(!label.is_empty());
        let place = self.processes.len() as u32;
        self.processes.push(process.clone());
        self.places.insert(process, place);
        place
    }

    /// For each process the one that its readings are of, as far as labels are told apart: a label that changes with
    /// each reading is no name.
    fn distinct_processes(&self, inputs: &mut [(usize, Input)]) -> Vec<u32> {
        let mut counts = vec![0u64; self.processes.len()];
        self.readings.iter().for_each(|reading| counts[reading.process as usize] += 1);
        let has_label = |place: &usize| !self.processes[*place].label.is_empty();
        let labelled: Vec<usize> = (0..counts.len()).filter(|place| counts[*place] > 0).filter(has_label).collect();
        let mut names: Vec<String> = labelled.iter().map(|place| self.processes[*place].label.clone()).collect();
        let are_names = self.n_labels <= MAX_LABELS && labelled.iter().all(|place| counts[*place] > 1);
        let mut first: HashMap<Option<&str>, u32> = HashMap::new();
        let mut n_merged = 0;
        let processes: Vec<u32> = (0..counts.len())
            .map(|place| {
                if are_names {
                    return place as u32;
                }
                let of = *first.entry(self.processes[place].name.as_deref()).or_insert(place as u32);
                n_merged += usize::from(of != place as u32 && counts[place] > 0);
                of
            })
            .collect();
        let are_several = (0..counts.len()).filter(|place| counts[*place] > 0).count() > 1;
        let warning = if are_names && are_several && !names.is_empty() {
            NameWarning::TextNames { names }
        } else if n_merged > 0 && !names.is_empty() {
            NameWarning::TextIgnored { example: names.swap_remove(0) }
        } else {
            return processes;
        };
        if let Some(File { input, .. }) = self.files.last()
            && let Some((_, input)) = inputs.iter_mut().find(|(index, _)| index == input)
        {
            input.warn(warning);
        }
        processes
    }

    /// Names the series, gives times to what has none, and gives everything that was read.
    pub(super) fn finish(mut self, inputs: &mut [(usize, Input)]) -> Parsed {
        let distinct = self.distinct_processes(inputs);
        self.readings.iter_mut().for_each(|reading| reading.process = distinct[reading.process as usize]);
        let mut relative =
            times::give_times(self.spacing, &mut self.readings, &self.files, self.processes.len(), inputs);
        let moved = self.time_of_day.settle(inputs, self.spacing.end_ms);
        relative |= moved.is_some_and(|moved| moved.is_relative);
        // One process needs no label beside its name.
        let n_of_name = |name: &Option<String>| {
            let is_of = |place: &usize| distinct[*place] == *place as u32 && self.processes[*place].name == *name;
            (0..self.processes.len()).filter(is_of).count()
        };
        let names: Vec<(String, String)> = self
            .processes
            .iter()
            .map(|process| {
                let container = process.name.clone().unwrap_or_else(|| self.stem.clone());
                let is_one = process.label.is_empty() || n_of_name(&process.name) == 1;
                let id = if is_one { container.clone() } else { format!("{container} {}", process.label) };
                (container, id)
            })
            .collect();

        let mut places: HashMap<(String, usize), usize> = HashMap::new();
        let mut series: Vec<SeriesSamples> = Vec::new();
        for File { input: index, readings, .. } in &self.files {
            for reading in &self.readings[readings.clone()] {
                let mut time_ms = reading.time_ms.unwrap_or(0);
                if let Some(moved) = moved {
                    moved.date(&mut time_ms);
                }
                for (part, (name, metric)) in PARTS.iter().enumerate() {
                    if !reading.bytes[part].is_finite() {
                        continue;
                    }
                    let (container, id) = &names[reading.process as usize];
                    let place = *places.entry((id.clone(), part)).or_insert_with(|| {
                        let labels = [("container", container.as_str()), ("part", *name)];
                        let info = SeriesInfo {
                            id: format!("{id}/{name}"),
                            labels: labels
                                .map(|(label, value)| (label.to_owned(), value.to_owned()))
                                .into_iter()
                                .collect(),
                            limit: None,
                            metric: *metric,
                            container_given: self.processes[reading.process as usize].name.is_some(),
                            sampling: Sampling::Raw,
                        };
                        series.push(SeriesSamples { info, samples: Samples::default(), inputs: Vec::new() });
                        series.len() - 1
                    });
                    let series = &mut series[place];
                    if series.inputs.last() != Some(index) {
                        series.inputs.push(*index);
                    }
                    let resolution = f64::from(reading.resolution[part]);
                    series.samples.push(time_ms, reading.bytes[part], resolution, Marks::default());
                }
            }
        }
        let mut n_series: BTreeMap<usize, u64> = BTreeMap::new();
        series.iter().flat_map(|series| &series.inputs).for_each(|index| *n_series.entry(*index).or_default() += 1);
        for (index, input) in inputs.iter_mut().filter(|(_, input)| input.unusable.is_none()) {
            if let Some(n) = n_series.get(index) {
                input.series = *n;
            }
        }
        Parsed { series, ends: Vec::new(), n_negative: Vec::new(), reported: Vec::new(), relative }
    }
}
