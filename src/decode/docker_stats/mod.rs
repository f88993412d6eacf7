//! Reads the text of `docker stats` and its relatives: bare rows, tables, streams with escape codes, JSON lines.
//!
//! One series per container name. A snapshot is one call of the command, newest container first: that order shows where
//! the rows without a timestamp belong. Snapshots are counted back from the end of the file.

mod cells;
mod columns;
mod containers;
mod counter_resets;
mod escapes;
mod instances;
mod json;
mod memory;
mod noise_lines;
mod notes;
mod objects;
mod quick;
mod recognise;
mod row;
mod snapshots;
#[cfg(test)]
mod tests;
mod times;

use std::collections::{HashMap, HashSet};

use memchr::memchr;

use super::clock::{self, Timestamp};
use super::rows::{Taken, read_rows};
use super::times_of_day::TimeOfDay;
use super::timestamps::Seasons;
use super::{Options, Parsed, SeriesSamples};
use crate::account::{Format, Input, NameWarning, Rejection, StatsRejection, Unusable, Warning, cleaned};
use crate::open::Line;
use crate::open::Opened;

use cells::{MAX_CELLS, last_word, split};
use columns::{Columns, is_header};
use containers::{Container, Series};
use escapes::{Escapes, strip_escapes};
use instances::Finished;
use json::{JsonRow, Object, json_start, whole_behind_cut};
use memory::Memory;
use noise_lines::{is_about_stats, is_failure, is_prose};
use notes::Notes;
use quick::Values;
pub(super) use recognise::recognise;
use row::{Row, bare_row, crictl_row, kubectl_row, squeezed_row};
use snapshots::{Began, Snapshot};

/// Longer intervals would lead out of the calendar: ten years, in milliseconds.
const MAX_INTERVAL_MS: i64 = 315_576_000_000;

/// Times up to here stand for the snapshot of that number, until the clock is known.
const UNTIMED: i64 = i64::MIN / 2;

/// What one file held.
#[derive(Debug)]
struct File {
    input: usize,
    first_snapshot: usize,
    end_snapshot: usize,
    mtime_ms: Option<i64>,
    is_stream: bool,
}

/// Reads the files of one sequence, oldest first.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Which tool printed the text: what rows without a header are, and what a stream is.
    format: Format,
    interval_ms: Option<i64>,
    end_ms: Option<i64>,
    containers: Vec<Container>,
    by_key: HashMap<String, usize>,
    series: Vec<Series>,
    by_name: HashMap<String, usize>,
    /// The time of each snapshot; `None` when nothing says it.
    snapshots: Vec<Option<i64>>,
    snapshot: Option<Snapshot>,
    /// Snapshots that are of one call with the snapshot before them.
    joined: Vec<usize>,
    /// The first snapshot of the call that is being read.
    call_start: usize,
    last_container: usize,
    columns: Option<Columns>,
    files: Vec<File>,
    /// The last timestamp before a row, to read it once.
    timestamp_text: String,
    timestamp: Option<Timestamp>,
    /// Summer time, as timestamps without a zone show it.
    seasons: Seasons,
    /// Times of day, as timestamps without a date show them.
    time_of_day: TimeOfDay,
    key: String,
    /// The name of a series of Kubernetes, put together.
    full_name: String,
    /// An object that goes on on the next line.
    object: Object,
}

impl Reader {
    pub(super) fn new(format: Format, options: &Options) -> Reader {
        Reader {
            format,
            interval_ms: options.interval.map(|interval| interval.as_ms().clamp(1, MAX_INTERVAL_MS)),
            end_ms: options.end_ms,
            containers: Vec::new(),
            by_key: HashMap::new(),
            series: Vec::new(),
            by_name: HashMap::new(),
            snapshots: Vec::new(),
            snapshot: None,
            joined: Vec::new(),
            call_start: 0,
            last_container: 0,
            columns: None,
            files: Vec::new(),
            timestamp_text: String::new(),
            timestamp: None,
            seasons: Seasons::default(),
            time_of_day: TimeOfDay::default(),
            key: String::new(),
            full_name: String::new(),
            object: Object::default(),
        }
    }

    /// Which tool printed the text, as far as that is told by the first file.
    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// Reads one file, the next of the sequence.
    pub(super) fn read(&mut self, mut opened: Opened, input: &mut Input, index: usize) {
        let first_snapshot = self.snapshots.len();
        self.snapshot = None;
        self.columns = None;
        self.time_of_day.begin(index, opened.mtime_ms);
        self.files.push(File {
            input: index,
            first_snapshot,
            end_snapshot: 0,
            mtime_ms: opened.mtime_ms,
            is_stream: false,
        });
        let mut notes = Notes::default();
        let mut scratch = String::new();
        let n_lines = read_rows(&mut opened.lines, quick::decode, |taken| match taken {
            Taken::Rows(rows) => {
                for (index, (row, bytes)) in rows.iter().enumerate() {
                    if !self.take_quick_row(bytes, row, input, &mut notes) {
                        self.read_line(rows.line(index), &mut scratch, input, &mut notes);
                    }
                }
            }
            Taken::Line(line) => self.read_line(line, &mut scratch, input, &mut notes),
        });
        self.give_up_object(input);
        self.end_snapshot();
        input.lines = Some(n_lines);
        let file = self.files.last_mut().expect("it was pushed above");
        file.end_snapshot = self.snapshots.len();
        if notes.n_rows == 0 && input.unusable.is_none() {
            input.unusable = Some(Unusable::nothing_of(self.format, input));
        }
        notes.warn(self.format, input);
    }

    fn read_line(&mut self, line: Line<'_>, scratch: &mut String, input: &mut Input, notes: &mut Notes) {
        if line.cut {
            let text = String::from_utf8_lossy(line.bytes);
            input.reject(&line, &text, crate::account::too_long);
            return;
        }
        let text = line.text();
        let (text, escapes) = if memchr(0x1b, line.bytes).is_some() {
            let escapes = strip_escapes(&text, scratch);
            (scratch.as_str(), escapes)
        } else {
            (&*text, Escapes::default())
        };
        // A crash can leave a run of NUL where a line began.
        let text = text.trim_start_matches(['\0', '\u{feff}']).trim_ascii();
        // crictl clears the screen before a single table, too.
        if escapes.any && self.format != Format::CrictlStats {
            self.files.last_mut().expect("a file is being read").is_stream = true;
        }
        if escapes.erase_below
            && let Some(snapshot) = &mut self.snapshot
        {
            snapshot.may_double = false;
        }
        let is_header = is_header(text);
        if is_header {
            self.columns = Columns::of(text);
        }
        if is_header || escapes.home || escapes.clear {
            self.begin_frame(escapes);
        }
        if text.is_empty() || is_header {
            input.other_lines += 1;
            return;
        }
        if let Err(why) = self.read_text(text, escapes, input, notes, &line) {
            input.reject(&line, text, || why);
        }
    }

    /// Reads what is not blank and no header.
    fn read_text(
        &mut self,
        text: &str,
        escapes: Escapes,
        input: &mut Input,
        notes: &mut Notes,
        line: &Line<'_>,
    ) -> Result<(), Rejection> {
        let (timestamp, rest) = self.timestamp_before(text, notes);
        if let Some(timestamp) = timestamp {
            notes.times.note(timestamp, &text[..text.len() - rest.len()]);
            if clock::is_only_decoration(rest) {
                input.other_lines += 1;
                self.begin_snapshot(timestamp.time_ms, Began::Frame, false);
                return Ok(());
            }
        }
        if (self.object.is_open() || matches!(rest.as_bytes().first(), Some(b'{' | b'[' | b'}' | b']')))
            && self.read_objects(rest, timestamp, input, notes, line.number)?
        {
            return Ok(());
        }
        if let Some(start) = json_start(rest) {
            let (json, timestamp) = match serde_json::from_str::<JsonRow<'_>>(&rest[start..]) {
                Ok(json) => (json, timestamp),
                Err(error) => {
                    let why = StatsRejection::Json { error: error.to_string() };
                    let Some((at, json)) = whole_behind_cut(&rest[start..], timestamp.is_some()) else {
                        return Err(why.into());
                    };
                    // The line holds two: one that was cut, and one that is whole.
                    input.further += 1;
                    input.reject(line, &rest[..start + at], || why);
                    (json, None)
                }
            };
            let row = json.row().ok_or(StatsRejection::NoMemUsage)?;
            let timestamp = self.timestamp_of(&json, timestamp, notes);
            return self.read_row(&row, timestamp, text, escapes, input, notes, line.number);
        }
        let mut cells = [""; MAX_CELLS];
        let n_cells = split(rest, &mut cells);
        let cells = &cells[..n_cells];
        let row = self.columns.as_ref().and_then(|columns| columns.row(rest, cells)).or_else(|| bare_row(cells));
        let Some(row) = row.or_else(|| self.other_row(rest, cells)) else {
            if cells.iter().any(|cell| Memory::is_pair(cell)) {
                return Err(StatsRejection::MoreThanOne.into());
            }
            return self.read_prose(rest, n_cells, timestamp.is_some(), input, notes, line);
        };
        self.read_row(&row, timestamp, text, escapes, input, notes, line.number)
    }

    /// A row of a form that must be asked for more closely than those of docker.
    fn other_row<'a>(&self, text: &'a str, cells: &[&'a str]) -> Option<Row<'a>> {
        match self.format {
            Format::KubectlTop => kubectl_row(text),
            Format::CrictlStats => crictl_row(cells),
            _ => squeezed_row(text),
        }
    }

    /// Takes a line without a reading: what stands around a table by right, or a line that is damaged.
    fn read_prose(
        &mut self,
        text: &str,
        n_cells: usize,
        is_stamped: bool,
        input: &mut Input,
        notes: &mut Notes,
        line: &Line<'_>,
    ) -> Result<(), Rejection> {
        if is_failure(text) {
            let is_begun =
                self.snapshot.as_ref().is_some_and(|snapshot| snapshot.n_rows == 0 && snapshot.began == Began::Frame);
            if !is_stamped && !is_begun {
                // The call took place: the readings before it are one interval older for it.
                self.begin_snapshot(None, Began::Again, false);
                self.end_snapshot();
            }
            return Err(StatsRejection::Failed.into());
        }
        // The last line of a file that is being written to may become a row.
        let is_whole = line.terminated || line.number == 1;
        let is_prose = is_about_stats(text) || is_whole && is_prose(text, n_cells);
        if !is_prose {
            let why = match self.columns.map(|columns| columns.count) {
                _ if text == "json" && !is_stamped => StatsRejection::JsonAsTemplate,
                Some(expected) if n_cells > 2 => StatsRejection::Columns { found: n_cells, expected },
                _ => StatsRejection::NoAmount,
            };
            return Err(why.into());
        }
        if !is_about_stats(text) {
            notes.note_prose(text, line.number);
        }
        input.other_lines += 1;
        Ok(())
    }

    /// Takes the reading of a row, or its gap.
    #[expect(clippy::too_many_arguments, reason = "what is known of one row, and where its account is kept")]
    fn read_row(
        &mut self,
        row: &Row<'_>,
        timestamp: Option<Timestamp>,
        text: &str,
        escapes: Escapes,
        input: &mut Input,
        notes: &mut Notes,
        number: u64,
    ) -> Result<(), Rejection> {
        let memory = Memory::of(row.memory)?;
        let (id, prefix) = last_word(row.id);
        let (name, prefix) = if id.is_empty() { last_word(row.name) } else { (row.name, prefix) };
        if timestamp.is_none() && prefix.bytes().any(|byte| byte.is_ascii_digit()) {
            notes.note_prefix(prefix, number);
        }
        notes.n_rows += 1;
        let id = if id == "--" { "" } else { id };
        let name = if name == "--" { "" } else { name };
        if id.is_empty() && name.is_empty() && row.pod.is_empty() {
            input.gaps += 1;
            return Ok(());
        }

        let time_ms = timestamp.and_then(|timestamp| timestamp.time_ms);
        let index = self.container(row, id, name, time_ms, notes);
        let repeats = self.place(index, time_ms, text, escapes);
        if repeats {
            input.other_lines += 1;
            return Ok(());
        }
        let values = Values { memory, counters: row.counters() };
        self.take(index, self.time_of_row(time_ms), values, input);
        Ok(())
    }

    /// The time of a row that was placed: its own, that of its snapshot, or that its snapshot will be given.
    fn time_of_row(&self, own_ms: Option<i64>) -> i64 {
        let snapshot = self.snapshot.as_ref().expect("a row is placed in a snapshot").index;
        own_ms.or(self.snapshots[snapshot]).unwrap_or(UNTIMED - snapshot as i64)
    }

    /// The timestamp before an object, or else the time in it.
    fn timestamp_of(&mut self, row: &JsonRow<'_>, before: Option<Timestamp>, notes: &mut Notes) -> Option<Timestamp> {
        before.or_else(|| {
            let (timestamp, text) = row.timestamp(self.latest_ms())?;
            notes.times.note(timestamp, &text);
            Some(self.follow(timestamp, &text, notes))
        })
    }

    /// What years are taken from.
    fn latest_ms(&self) -> Option<i64> {
        self.files.last().and_then(|file| file.mtime_ms).or(self.end_ms)
    }

    /// The timestamp beside those before it.
    fn follow(&mut self, timestamp: Timestamp, text: &str, notes: &mut Notes) -> Timestamp {
        let timestamp = self.seasons.follow(timestamp, &mut notes.times);
        self.time_of_day.follow(timestamp, text)
    }

    /// The timestamp before a row; the one that was read last is recognised without reading it again.
    fn timestamp_before<'a>(&mut self, text: &'a str, notes: &mut Notes) -> (Option<Timestamp>, &'a str) {
        if self.timestamp.is_some()
            && let Some(rest) = text.strip_prefix(self.timestamp_text.as_str())
        {
            return (self.timestamp, rest);
        }
        let read = clock::read_timestamp(text, self.latest_ms());
        match read.map(|(timestamp, length)| (self.follow(timestamp, &text[..length], notes), length)) {
            Some((timestamp, length)) if text[length..].is_empty() => (Some(timestamp), ""),
            Some((timestamp, length)) => {
                self.timestamp_text.clear();
                self.timestamp_text.push_str(&text[..length]);
                self.timestamp = Some(timestamp);
                (Some(timestamp), &text[length..])
            }
            None => (None, text),
        }
    }

    /// Gives times to what has none, and gives everything that was read.
    pub(super) fn finish(mut self, inputs: &mut [(usize, Input)]) -> Parsed {
        let mut relative = self.give_times(inputs);
        let moved = self.time_of_day.settle(inputs, self.end_ms);
        relative |= moved.is_some_and(|moved| moved.is_relative);
        let (snapshots, containers) = (self.snapshots, self.containers);
        let date = |mut time_ms: i64| {
            if time_ms <= UNTIMED {
                time_ms = snapshots[(UNTIMED - time_ms) as usize].unwrap_or(0);
            }
            if let Some(moved) = moved {
                moved.date(&mut time_ms);
            }
            time_ms
        };
        let mut taken: HashSet<String> = self.by_name.into_keys().collect();
        let mut finished: Vec<Finished> = Vec::new();
        for series in self.series {
            let divided = series.finish(&containers, date, &mut taken);
            if let [(SeriesSamples { info, inputs: of, .. }, _), _, ..] = divided.as_slice() {
                let is_said = |known: &Warning| matches!(known, Warning::Names(NameWarning::Namesakes { .. }));
                for (_, input) in inputs.iter_mut().filter(|(index, _)| of.contains(index)) {
                    if !input.warnings.iter().any(is_said) {
                        input.warn(NameWarning::Namesakes { example: cleaned(&info.id, 80) });
                    }
                }
            }
            finished.extend(divided);
        }
        let mut n_series: HashMap<usize, u64> = HashMap::new();
        let of_all = finished.iter().flat_map(|(series, _)| &series.inputs);
        of_all.for_each(|index| *n_series.entry(*index).or_default() += 1);
        for (index, input) in inputs.iter_mut().filter(|(_, input)| input.unusable.is_none()) {
            input.series = n_series.get(index).copied().unwrap_or(0);
        }
        let (series, ends) = finished.into_iter().unzip();
        Parsed { series, ends, n_negative: Vec::new(), reported: Vec::new(), relative }
    }
}
