//! Reads the text of `docker stats` and its relatives: bare rows, tables, streams with escape codes, JSON lines.
//!
//! One series per container name. Rows without a time are put into ticks by what docker's order says (a tick is one
//! call of the command, newest container first), and the ticks are counted back from the end of the file.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use memchr::{memchr, memchr2};

use super::clock::{self, FileTicks, Fit, Stamp};
use super::source::Opened;
use super::{
    EndFrom, Evidence, Input, Options, Parsed, SeriesSamples, TimeSource, amount, cleaned, counted, lines::Line,
};
use crate::series::{Limit, LimitSource, Marks, Metric, Samples, Sampling, SeriesInfo};
use crate::units::{Amount, duration_text, time_text};

/// Spacing of ticks without a time, of the runbook's cron line, in milliseconds.
const CRON_INTERVAL_MS: i64 = 900_000;
/// Spacing of the frames of a stream, in milliseconds [docker/cli: the table is drawn every 500 ms].
const STREAM_INTERVAL_MS: i64 = 500;
/// Longer intervals would lead out of the calendar: ten years, in milliseconds.
const MAX_INTERVAL_MS: i64 = 315_576_000_000;
/// Times up to here stand for the tick of that number, until the clock is known.
const UNTIMED: i64 = i64::MIN / 2;
/// Cells of a row that are looked at: podman has ten columns.
const MAX_CELLS: usize = 16;

/// What a row says.
#[derive(Debug, Clone, Copy)]
struct Row<'a> {
    /// Empty when there is none.
    id: &'a str,
    /// Empty when there is none.
    name: &'a str,
    memory: &'a str,
    network: &'a str,
    disk: &'a str,
}

/// Where a header says that things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    id: Option<usize>,
    name: Option<usize>,
    memory: usize,
    network: Option<usize>,
    disk: Option<usize>,
    count: usize,
}

/// One container, by its ID.
#[derive(Debug)]
struct Container {
    name: String,
    id: String,
    series: usize,
    /// Position in docker's order: the tick in which it was first seen, negated, and its place there.
    rank: (i64, usize),
    first_tick: usize,
    last_tick: usize,
    /// The container that came after it last time.
    next: usize,
    /// NET I/O and BLOCK I/O, in bytes; NaN where nothing was printed yet.
    counters: [f64; 4],
    /// Its last row, in a stream.
    row: Vec<u8>,
    /// Whether that row repeated the one before, and how it ended.
    repeated: bool,
    erased: bool,
}

#[derive(Debug)]
struct Series {
    info: SeriesInfo,
    samples: Samples,
    inputs: Vec<usize>,
    pending: Marks,
    container: Option<usize>,
    last_tick: usize,
    /// The container of its first sample, by its ID, and that one's counters then.
    first: Option<Evidence>,
}

/// What began a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Began {
    /// A header, a stamp or an escape code: the order of rows is not needed.
    Frame,
    /// A row of a container that is in the tick before, or with another time.
    Again,
    /// A row that would have to stand before one in the tick before.
    Order,
}

/// The tick that is being read.
#[derive(Debug, Clone, Copy)]
struct Tick {
    index: usize,
    began: Began,
    n_rows: usize,
    /// Whether a container that was known before is in it.
    holds_known: bool,
    last_rank: (i64, usize),
    /// Whether a container of the tick before, by name, is in it.
    overlaps: bool,
    /// Its table had neither been erased line by line nor ended: it may come a second time.
    may_double: bool,
}

/// What one file held.
#[derive(Debug)]
struct File {
    input: usize,
    first_tick: usize,
    end_tick: usize,
    mtime_ms: Option<i64>,
    is_stream: bool,
}

/// What the escape codes of a line said.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one flag for each code")]
struct Escapes {
    any: bool,
    home: bool,
    clear: bool,
    erase_line: bool,
    erase_below: bool,
}

/// Notes of one file, for warnings.
#[derive(Debug, Default)]
struct Notes {
    no_zone: Option<String>,
    no_year: Option<String>,
    unusable_year: bool,
    prefix: Option<String>,
    n_rows: u64,
}

/// Reads the files of one sequence, oldest first.
#[derive(Debug)]
pub(super) struct Reader {
    interval_ms: Option<i64>,
    end_ms: Option<i64>,
    containers: Vec<Container>,
    by_key: HashMap<String, usize>,
    series: Vec<Series>,
    by_name: HashMap<String, usize>,
    /// The time of each tick; `None` when nothing says it.
    ticks: Vec<Option<i64>>,
    tick: Option<Tick>,
    /// Ticks that are of one call with the tick before them.
    joined: Vec<usize>,
    /// The first tick of the call that is being read.
    call_start: usize,
    last_container: usize,
    columns: Option<Columns>,
    files: Vec<File>,
    /// The last stamp before a row, to read it once.
    stamp_text: String,
    stamp: Option<Stamp>,
    key: String,
}

impl Reader {
    pub(super) fn new(options: &Options) -> Reader {
        Reader {
            interval_ms: options.interval.map(|interval| interval.as_ms().clamp(1, MAX_INTERVAL_MS)),
            end_ms: options.end_ms,
            containers: Vec::new(),
            by_key: HashMap::new(),
            series: Vec::new(),
            by_name: HashMap::new(),
            ticks: Vec::new(),
            tick: None,
            joined: Vec::new(),
            call_start: 0,
            last_container: 0,
            columns: None,
            files: Vec::new(),
            stamp_text: String::new(),
            stamp: None,
            key: String::new(),
        }
    }

    /// Reads one file, the next of the sequence.
    pub(super) fn read(&mut self, mut opened: Opened, input: &mut Input, index: usize) {
        let first_tick = self.ticks.len();
        self.tick = None;
        self.columns = None;
        self.files.push(File { input: index, first_tick, end_tick: 0, mtime_ms: opened.mtime_ms, is_stream: false });
        let mut notes = Notes::default();
        let mut scratch = String::new();
        while let Ok(Some(line)) = opened.lines.next() {
            self.read_line(line, &mut scratch, input, &mut notes);
        }
        self.end_tick();
        let file = self.files.last_mut().expect("it was pushed above");
        file.end_tick = self.ticks.len();
        if notes.n_rows == 0 && input.unusable.is_none() {
            input.unusable = Some(match input.rejected.first() {
                Some(first) => format!(
                    "no row of `docker stats` could be read: {} rejected, the first is line {}: {}",
                    counted(input.rejected_count, "line"),
                    first.line,
                    first.why
                ),
                None => "it holds no row of `docker stats` (only headers or blank lines)".to_owned(),
            });
        }
        notes.warn(input);
    }

    fn read_line(&mut self, line: Line<'_>, scratch: &mut String, input: &mut Input, notes: &mut Notes) {
        if line.cut {
            let text = String::from_utf8_lossy(line.bytes);
            input.reject(&line, &text, super::too_long);
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
        if escapes.any {
            self.files.last_mut().expect("a file is being read").is_stream = true;
        }
        if escapes.erase_below
            && let Some(tick) = &mut self.tick
        {
            tick.may_double = false;
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
        if let Err(why) = self.read_text(text, escapes, input, notes, line.number) {
            input.reject(&line, text, || why.text(text));
        }
    }

    /// Begins a tick at a header or where a stream draws its table anew.
    fn begin_frame(&mut self, escapes: Escapes) {
        match &mut self.tick {
            // The stamp before the header began it.
            Some(tick) if tick.n_rows == 0 && tick.began == Began::Frame && self.ticks[tick.index].is_some() => {}
            // docker 28 draws every table twice, the second time erasing the rest of each line.
            Some(tick) if tick.may_double && escapes.erase_line && !escapes.clear => tick.may_double = false,
            _ => {
                let may_double = escapes.home && !escapes.clear && !escapes.erase_line;
                self.begin_tick(None, Began::Frame, may_double);
            }
        }
    }

    fn begin_tick(&mut self, time_ms: Option<i64>, began: Began, may_double: bool) {
        self.end_tick();
        let index = self.ticks.len();
        self.ticks.push(time_ms);
        let last_rank = (i64::MIN, 0);
        self.tick = Some(Tick { index, began, n_rows: 0, holds_known: false, last_rank, overlaps: false, may_double });
    }

    /// Settles whether the tick that ends was a call of its own.
    ///
    /// A container that starts while `docker stats` runs is listed last, against the order, and one that was created
    /// long ago comes in between. Such rows begin a tick but hold none of the names of the tick before.
    fn end_tick(&mut self) {
        let Some(tick) = self.tick.take() else { return };
        if tick.began == Began::Order && !tick.overlaps {
            self.joined.push(tick.index);
        } else {
            self.call_start = tick.index;
        }
    }

    /// Reads what is not blank and no header.
    fn read_text(
        &mut self,
        text: &str,
        escapes: Escapes,
        input: &mut Input,
        notes: &mut Notes,
        number: u64,
    ) -> Result<(), Refusal> {
        let latest_ms = self.files.last().and_then(|file| file.mtime_ms).or(self.end_ms);
        let (stamp, rest) = self.stamp_before(text, latest_ms);
        if let Some(stamp) = stamp {
            notes.note(stamp, &text[..text.len() - rest.len()]);
            if clock::is_only_decoration(rest) {
                input.other_lines += 1;
                self.begin_tick(stamp.time_ms, Began::Frame, false);
                return Ok(());
            }
        }
        let json;
        let row = if let Some(start) = json_start(rest) {
            json = serde_json::from_str::<JsonRow<'_>>(&rest[start..])
                .map_err(|error| Refusal::Json(error.to_string()))?;
            json.row().ok_or(Refusal::JsonKeys)?
        } else {
            let mut cells = [""; MAX_CELLS];
            let n_cells = split(rest, &mut cells);
            let cells = &cells[..n_cells];
            match self.columns.as_ref().and_then(|columns| columns.row(cells)).or_else(|| bare_row(cells)) {
                Some(row) => row,
                None if is_about_stats(text) => {
                    input.other_lines += 1;
                    return Ok(());
                }
                None => return Err(Refusal::NoRow { n_cells, columns: self.columns.map(|columns| columns.count) }),
            }
        };
        let memory = Memory::of(row.memory)?;
        let (id, prefix) = last_word(row.id);
        let (name, prefix) = if id.is_empty() { last_word(row.name) } else { (row.name, prefix) };
        if stamp.is_none() && notes.prefix.is_none() && prefix.bytes().any(|byte| byte.is_ascii_digit()) {
            notes.prefix = Some(format!("line {number}: `{}`", cleaned(prefix, 40)));
        }
        notes.n_rows += 1;
        let id = if id == "--" { "" } else { id };
        let name = if name == "--" { "" } else { name };
        if id.is_empty() && name.is_empty() {
            input.gaps += 1;
            return Ok(());
        }

        let index = self.container(id, name);
        let repeats = self.place(index, stamp.and_then(|stamp| stamp.time_ms), text, escapes);
        if repeats {
            input.other_lines += 1;
            return Ok(());
        }
        let tick = self.tick.as_ref().expect("a row is placed in a tick").index;
        let time_ms = stamp.and_then(|stamp| stamp.time_ms).or(self.ticks[tick]).unwrap_or(UNTIMED - tick as i64);
        self.take(index, time_ms, memory, &row, input);
        Ok(())
    }

    /// The stamp before a row; the one that was read last is recognised without reading it again.
    fn stamp_before<'a>(&mut self, text: &'a str, latest_ms: Option<i64>) -> (Option<Stamp>, &'a str) {
        if self.stamp.is_some()
            && let Some(rest) = text.strip_prefix(self.stamp_text.as_str())
        {
            return (self.stamp, rest);
        }
        match clock::read_stamp(text, latest_ms) {
            Some((stamp, length)) if text[length..].is_empty() => (Some(stamp), ""),
            Some((stamp, length)) => {
                self.stamp_text.clear();
                self.stamp_text.push_str(&text[..length]);
                self.stamp = Some(stamp);
                (Some(stamp), &text[length..])
            }
            None => (None, text),
        }
    }

    /// The container of a row, made when it was never seen.
    fn container(&mut self, id: &str, name: &str) -> usize {
        if let Some(last) = self.containers.get(self.last_container) {
            let expected = &self.containers[last.next];
            if expected.id == id && expected.name == name {
                let index = last.next;
                self.last_container = index;
                return index;
            }
        }
        let mut key = std::mem::take(&mut self.key);
        write_key(&mut key, id, name);
        let index = if let Some(&index) = self.by_key.get(key.as_str()) {
            if !name.is_empty() && self.containers[index].name != name {
                // Renamed: the series is that of the name.
                let series = self.series_of(name);
                self.containers[index].series = series;
                name.clone_into(&mut self.containers[index].name);
            }
            id.clone_into(&mut self.containers[index].id);
            index
        } else {
            let series = self.series_of(if name.is_empty() { id } else { name });
            let index = self.containers.len();
            self.containers.push(Container {
                name: name.to_owned(),
                id: id.to_owned(),
                series,
                rank: (0, 0),
                first_tick: usize::MAX,
                last_tick: usize::MAX,
                next: index,
                counters: [f64::NAN; 4],
                row: Vec::new(),
                repeated: false,
                erased: false,
            });
            self.by_key.insert(key.clone(), index);
            index
        };
        self.key = key;
        self.containers[self.last_container].next = index;
        self.last_container = index;
        index
    }

    fn series_of(&mut self, name: &str) -> usize {
        if let Some(&index) = self.by_name.get(name) {
            return index;
        }
        let index = self.series.len();
        self.series.push(Series {
            info: SeriesInfo {
                id: name.to_owned(),
                labels: BTreeMap::from([("container".to_owned(), name.to_owned())]),
                limit: None,
                metric: Metric::DockerUsage,
                container_given: false,
                sampling: Sampling::Raw,
            },
            samples: Samples::default(),
            inputs: Vec::new(),
            pending: Marks::default(),
            container: None,
            last_tick: usize::MAX,
            first: None,
        });
        self.by_name.insert(name.to_owned(), index);
        index
    }

    /// Puts a row into the tick it belongs to; `true` when it only repeats a row of the same or the last frame.
    fn place(&mut self, index: usize, time_ms: Option<i64>, text: &str, escapes: Escapes) -> bool {
        let is_stream = self.files.last().is_some_and(|file| file.is_stream);
        let container = &self.containers[index];
        let is_new = container.first_tick == usize::MAX;
        let begins = match &self.tick {
            None => Some(Began::Again),
            Some(tick) => {
                // Neither an ID nor a name is twice in one call.
                let again = self.series[container.series].last_tick == tick.index;
                let same_row = is_stream && container.row == text.as_bytes();
                if again && same_row && (tick.began == Began::Frame || escapes.erase_line && !container.erased) {
                    return true;
                }
                let in_order = is_stream
                    || tick.began == Began::Frame
                    || if is_new { !tick.holds_known } else { tick.last_rank <= container.rank };
                let at_another_time = match (time_ms, self.ticks[tick.index]) {
                    (Some(time_ms), Some(tick_ms)) => time_ms != tick_ms && tick.began != Began::Frame,
                    (Some(_), None) => tick.n_rows > 0,
                    (None, _) => again,
                };
                if at_another_time {
                    Some(Began::Again)
                } else {
                    (time_ms.is_none() && !in_order).then_some(Began::Order)
                }
            }
        };
        if let Some(began) = begins {
            self.begin_tick(time_ms, began, false);
        }
        let tick = self.tick.as_mut().expect("a tick has begun");
        if tick.n_rows == 0 && self.ticks[tick.index].is_none() {
            self.ticks[tick.index] = time_ms;
        }
        let container = &mut self.containers[index];
        if is_new {
            container.first_tick = tick.index;
            container.rank = (-(tick.index as i64), tick.n_rows);
        }
        tick.holds_known |= container.first_tick < tick.index;
        tick.last_rank = container.rank;
        tick.n_rows += 1;
        let last_tick = &mut self.series[container.series].last_tick;
        tick.overlaps |= *last_tick != usize::MAX && self.call_start <= *last_tick && *last_tick < tick.index;
        *last_tick = tick.index;

        let mut repeats = false;
        if is_stream {
            // A stream is drawn twice as often as the engine measures: every second equal row is the same reading.
            let same = container.last_tick != usize::MAX
                && container.last_tick + 1 == tick.index
                && container.row == text.as_bytes();
            repeats = same && !container.repeated;
            container.repeated = repeats;
            container.row.clear();
            container.row.extend_from_slice(text.as_bytes());
            container.erased = escapes.erase_line;
        }
        container.last_tick = tick.index;
        repeats
    }

    /// Takes what a row says into its series.
    fn take(&mut self, index: usize, time_ms: i64, memory: Memory, row: &Row<'_>, input: &mut Input) {
        let container = &mut self.containers[index];
        let series = &mut self.series[container.series];
        if let Some(before) = series.container.replace(index)
            && before != index
            && !container.id.is_empty()
            && !self.containers[before].id.is_empty()
        {
            series.pending = series.pending.with(Marks::RECREATED);
        }
        let container = &mut self.containers[index];
        let [rx, tx] = pair(row.network);
        let [read, written] = pair(row.disk);
        for (counter, value) in container.counters.iter_mut().zip([rx, tx, read, written]) {
            let Some(value) = value else { continue };
            if value < *counter {
                series.pending = series.pending.with(Marks::COUNTER_RESET);
            }
            *counter = value;
        }
        match memory {
            Memory::Gap => {
                series.pending = series.pending.with(Marks::GAP_BEFORE);
                input.gaps += 1;
            }
            Memory::Used { used, limit } => {
                if let Some(bytes) = limit {
                    series.info.limit = Some(Limit { bytes, source: LimitSource::Input });
                }
                let file = self.files.last().expect("a file is being read").input;
                if series.inputs.last() != Some(&file) {
                    series.inputs.push(file);
                    input.series += 1;
                }
                if series.first.is_none() {
                    series.first = Some(Evidence::of(container));
                }
                series.samples.push(time_ms, used.bytes, used.quantum, std::mem::take(&mut series.pending));
                input.samples += 1;
            }
        }
    }

    /// Gives times to what has none, and gives everything that was read.
    pub(super) fn finish(mut self, inputs: &mut [(usize, Input)]) -> Parsed {
        let relative = self.give_times(inputs);
        let (ticks, containers) = (self.ticks, self.containers);
        let (series, ends) = self
            .series
            .into_iter()
            .map(|mut series| {
                for time_ms in &mut series.samples.time_ms {
                    if *time_ms <= UNTIMED {
                        *time_ms = ticks[(UNTIMED - *time_ms) as usize].unwrap_or(0);
                    }
                }
                let last = series.container.map(|container| Evidence::of(&containers[container]));
                let ends = series.first.zip(last);
                (SeriesSamples { info: series.info, samples: series.samples, inputs: series.inputs }, ends)
            })
            .unzip();
        Parsed { series, ends, relative }
    }

    /// Sets the time of every tick; `true` when they are relative to the last one.
    fn give_times(&mut self, inputs: &mut [(usize, Input)]) -> bool {
        let mut relative = false;
        let interval_ms = self.interval_ms.unwrap_or({
            if self.files.iter().any(|file| file.is_stream) { STREAM_INTERVAL_MS } else { CRON_INTERVAL_MS }
        });
        let mut untimed: Vec<(usize, EndFrom)> = Vec::new();
        let mut anchors: Vec<FileTicks> = Vec::new();
        for (position, file) in self.files.iter().enumerate() {
            let Some((_, input)) = inputs.iter_mut().find(|(index, _)| *index == file.input) else { continue };
            if input.unusable.is_some() {
                continue;
            }
            let ticks = &mut self.ticks[file.first_tick..file.end_tick];
            let n_timed = ticks.iter().flatten().count();
            if n_timed == ticks.len() {
                continue;
            }
            input.time_source = TimeSource::Inferred;
            if n_timed > 0 {
                clock::fill_in(ticks, interval_ms);
                input.warnings.push(format!(
                    "{} of {} readings have no time, while others have one: they are placed one every {} beside those",
                    ticks.len() - n_timed,
                    ticks.len(),
                    duration_text(interval_ms as f64 / 1000.0)
                ));
                continue;
            }
            let is_last = position + 1 == self.files.len();
            let (anchor_ms, end_from) = match (self.end_ms.filter(|_| is_last), file.mtime_ms) {
                (Some(end_ms), _) => (end_ms, Some(EndFrom::Option)),
                (None, Some(mtime_ms)) => (mtime_ms.div_euclid(interval_ms) * interval_ms, Some(EndFrom::Mtime)),
                (None, None) => {
                    relative = true;
                    (0, None)
                }
            };
            input.end_from = end_from;
            let n_joined = joined_in(&self.joined, file).len();
            anchors.push(FileTicks { n_ticks: file.end_tick - file.first_tick - n_joined, anchor_ms });
            untimed.push((position, end_from.unwrap_or(EndFrom::Option)));
        }

        let n_containers = self.containers.len();
        let anchored = clock::anchor(&anchors, interval_ms);
        for (&(position, end_from), (end_ms, fit)) in untimed.iter().zip(anchored) {
            let file = &self.files[position];
            let mut joined = joined_in(&self.joined, file).iter().rev().copied().peekable();
            let mut time_ms = end_ms;
            for tick in (file.first_tick..file.end_tick).rev() {
                self.ticks[tick] = Some(time_ms);
                if joined.next_if_eq(&tick).is_none() {
                    time_ms -= interval_ms;
                }
            }
            let n_ticks = file.end_tick - file.first_tick;
            let Some((_, input)) = inputs.iter_mut().find(|(index, _)| *index == file.input) else { continue };
            let every = duration_text(interval_ms as f64 / 1000.0);
            let at = time_text(end_ms).unwrap_or_default();
            input.warnings.push(match (relative, end_from) {
                (true, _) => format!("assuming one reading every {every}; times count back from the last reading (`--end` gives it a date)"),
                (_, EndFrom::Option) => format!("assuming one reading every {every}, the last at {at} (as `--end` says)"),
                (_, EndFrom::Mtime) => format!("assuming one reading every {every}, the last at {at} (the file's modification time)"),
            });
            match fit {
                Fit::Follows => {}
                Fit::Gap(n_ticks) => input.warnings.push(format!(
                    "{} missing between this file and the one after it, by their modification times",
                    counted(n_ticks as u64, "reading")
                )),
                Fit::Moved(ms) => input.warnings.push(format!(
                    "its modification time lies within the file after it: its readings were moved back by {}",
                    duration_text(ms as f64 / 1000.0)
                )),
            }
            if n_containers == 1 && n_ticks > 1 && !file.is_stream {
                input.warnings.push(
                    "it holds one container and no times: time in which the container was down is invisible, and shifts earlier times"
                        .to_owned(),
                );
            }
        }
        relative
    }
}

/// The ticks of a file that are of one call with the tick before them.
fn joined_in<'a>(joined: &'a [usize], file: &File) -> &'a [usize] {
    let first = joined.partition_point(|tick| *tick < file.first_tick);
    let end = joined.partition_point(|tick| *tick < file.end_tick);
    &joined[first..end]
}

impl Evidence {
    fn of(container: &Container) -> Evidence {
        let mut id = String::new();
        if !container.id.is_empty() {
            write_key(&mut id, &container.id, &container.name);
        }
        Evidence { id, counters: container.counters }
    }
}

impl Notes {
    fn note(&mut self, stamp: Stamp, text: &str) {
        if !stamp.has_zone && self.no_zone.is_none() {
            self.no_zone = Some(cleaned(text.trim_end(), 40));
        }
        if !stamp.has_year && self.no_year.is_none() {
            self.no_year = stamp.time_ms.and_then(time_text);
            self.unusable_year |= stamp.time_ms.is_none();
        }
    }

    fn warn(self, input: &mut Input) {
        if self.unusable_year {
            input.warnings.push(
                "its times have no year, and neither a modification time nor `--end` gives it: they are not used"
                    .to_owned(),
            );
        } else if let Some(text) = self.no_zone {
            input.warnings.push(format!("times without a known zone are read as UTC, such as `{text}`"));
        }
        if let Some(time) = self.no_year {
            input.warnings.push(format!(
                "times without a year: it is taken from the file's modification time, so that the first is {time}"
            ));
        }
        if let Some(prefix) = self.prefix {
            input.warnings.push(format!("what stands before the container was not read as a time ({prefix})"));
        }
    }
}

/// Why a line could not be read.
#[derive(Debug)]
enum Refusal {
    Json(String),
    JsonKeys,
    NoRow { n_cells: usize, columns: Option<usize> },
    Memory(String),
}

impl Refusal {
    fn text(&self, line: &str) -> String {
        const EXPECTED_ROW: &str = "expected a container, `USED / LIMIT` and more, columns two or more blanks apart";
        match self {
            Refusal::Json(error) => format!("this is not a JSON object: {error}"),
            Refusal::JsonKeys => {
                "there is no `MemUsage` in it (expected what `docker stats --format '{{json .}}'` prints)".to_owned()
            }
            Refusal::NoRow { .. } if line == "json" => {
                "docker before 23.0 takes `--format json` for a template (expected what `--format '{{json .}}'` prints)"
                    .to_owned()
            }
            Refusal::NoRow { n_cells, columns: Some(columns) } if *n_cells > 2 => {
                format!("found {n_cells} columns without an amount of memory (expected {columns}, as the header has)")
            }
            Refusal::NoRow { .. } => format!("no amount of memory found ({EXPECTED_ROW})"),
            Refusal::Memory(why) => why.clone(),
        }
    }
}

/// What the memory cell of a row says.
#[derive(Debug, Clone, Copy)]
enum Memory {
    Gap,
    Used { used: Amount, limit: Option<f64> },
}

impl Memory {
    fn of(cell: &str) -> Result<Memory, Refusal> {
        let (used, limit) = match memchr(b'/', cell.as_bytes()) {
            Some(slash) => (cell[..slash].trim(), cell[slash + 1..].trim()),
            None => (cell, ""),
        };
        if used == "--" {
            return Ok(Memory::Gap);
        }
        let used = amount::read(used).map_err(|error| Refusal::Memory(error.to_string()))?;
        let limit = if limit.is_empty() { None } else { amount::read(limit).ok() };
        if used.bytes == 0.0 && limit.is_some_and(|limit| limit.bytes == 0.0) {
            return Ok(Memory::Gap);
        }
        Ok(Memory::Used { used, limit: limit.map(|limit| limit.bytes).filter(|bytes| *bytes > 0.0) })
    }
}

/// The two amounts of a cell such as `1.09kB / 0B`, in bytes.
fn pair(cell: &str) -> [Option<f64>; 2] {
    let Some(slash) = memchr(b'/', cell.as_bytes()) else { return [None, None] };
    [&cell[..slash], &cell[slash + 1..]].map(|text| amount::read_quietly(text.trim()).map(|amount| amount.bytes))
}

/// One object of `docker stats --format '{{json .}}'`.
#[derive(serde::Deserialize)]
struct JsonRow<'a> {
    #[serde(rename = "ID", alias = "Id", borrow, default)]
    id: Cow<'a, str>,
    #[serde(rename = "Container", borrow, default)]
    container: Cow<'a, str>,
    #[serde(rename = "Name", borrow, default)]
    name: Cow<'a, str>,
    #[serde(rename = "MemUsage", borrow, default)]
    memory: Option<Cow<'a, str>>,
    #[serde(rename = "NetIO", borrow, default)]
    network: Cow<'a, str>,
    #[serde(rename = "BlockIO", borrow, default)]
    disk: Cow<'a, str>,
}

impl JsonRow<'_> {
    fn row(&self) -> Option<Row<'_>> {
        let id = if self.id.is_empty() { &self.container } else { &self.id };
        let memory = self.memory.as_deref()?;
        Some(Row { id, name: &self.name, memory, network: &self.network, disk: &self.disk })
    }
}

/// Where a JSON object begins: at once, or after what a logger put before it.
fn json_start(text: &str) -> Option<usize> {
    let start = memchr(b'{', text.as_bytes())?;
    (start == 0 || text[start..].starts_with("{\"") && text[..start].ends_with([' ', '\t', ':'])).then_some(start)
}

impl Columns {
    /// The columns that a header names; `None` when none of them is memory.
    fn of(header: &str) -> Option<Columns> {
        let mut cells = [""; MAX_CELLS];
        let n_cells = split(header, &mut cells);
        let mut columns =
            Columns { id: None, name: None, memory: usize::MAX, network: None, disk: None, count: n_cells };
        for (index, cell) in cells[..n_cells].iter().enumerate() {
            // What stands before the rows stands before the header, too.
            let cell = ["CONTAINER ID", "CONTAINER", "NAME", "ID"]
                .into_iter()
                .find(|name| {
                    index == 0
                        && cell
                            .strip_suffix(*name)
                            .is_some_and(|before| before.is_empty() || before.ends_with([' ', ':', ']']))
                })
                .unwrap_or(cell);
            match cell {
                "CONTAINER ID" | "ID" => columns.id = Some(index),
                "CONTAINER" | "NAME" => columns.name = Some(index),
                "NET I/O" | "NET IO" => columns.network = Some(index),
                "BLOCK I/O" | "BLOCK IO" => columns.disk = Some(index),
                _ if cell.starts_with("MEM USAGE") || cell == "PRIV WORKING SET" => columns.memory = index,
                _ => {}
            }
        }
        (columns.memory < n_cells).then_some(columns)
    }

    /// The row of cells that fit these columns.
    fn row<'a>(&self, cells: &[&'a str]) -> Option<Row<'a>> {
        if cells.len() != self.count || !looks_like_memory(cells[self.memory]) {
            return None;
        }
        let cell = |index: Option<usize>| index.map_or("", |index| cells[index]);
        let (id, name) = (cell(self.id), cell(self.name));
        Some(Row { id, name, memory: cells[self.memory], network: cell(self.network), disk: cell(self.disk) })
    }
}

/// A row without a header, recognised by its memory cell `USED / LIMIT`.
fn bare_row<'a>(cells: &[&'a str]) -> Option<Row<'a>> {
    let memory = cells.iter().position(|cell| memchr(b'/', cell.as_bytes()).is_some() && looks_like_memory(cell))?;
    let mut before = cells[..memory].iter().copied().filter(|cell| !is_share(cell));
    let (first, second) = (before.next()?, before.next());
    let last = before.next_back().or(second);
    let (id, name) = match last {
        // A CPU of `--` is not told from a name of `--`, nor need it be.
        Some(name) if cells.len() > 1 && memory > 1 && cells[memory - 1] == "--" && name == "--" && memory == 2 => {
            (first, "")
        }
        Some(name) => (first, name),
        None if is_hex_id(last_word(first).0) => (first, ""),
        None => ("", first),
    };
    let after = &cells[memory + 1..];
    let after = if after.first().is_some_and(|cell| is_share(cell) || *cell == "--") { &after[1..] } else { after };
    let cell = |index: usize| after.get(index).copied().unwrap_or("");
    Some(Row { id, name, memory: cells[memory], network: cell(0), disk: cell(1) })
}

/// Whether a cell can be the memory of a row: begins with a digit or is a gap.
fn looks_like_memory(cell: &str) -> bool {
    match cell.as_bytes() {
        [b'-', b'-', ..] => true,
        [b'0'..=b'9', rest @ ..] => rest.iter().any(u8::is_ascii_alphabetic),
        _ => false,
    }
}

fn is_share(cell: &str) -> bool {
    cell.ends_with('%') && cell.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

fn is_hex_id(text: &str) -> bool {
    12 <= text.len() && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Splits at tabs and at two or more blanks; gives the number of cells.
fn split<'a>(text: &'a str, cells: &mut [&'a str; MAX_CELLS]) -> usize {
    let bytes = text.as_bytes();
    let mut n_cells = 0;
    let mut at = 0;
    while n_cells < MAX_CELLS {
        while at < bytes.len() && (bytes[at] == b' ' || bytes[at] == b'\t') {
            at += 1;
        }
        if at == bytes.len() {
            break;
        }
        let first = at;
        loop {
            match memchr2(b' ', b'\t', &bytes[at..]) {
                None => at = bytes.len(),
                Some(offset) => {
                    at += offset;
                    let ends = bytes[at] == b'\t' || matches!(bytes.get(at + 1), None | Some(b' ' | b'\t'));
                    if !ends {
                        at += 1;
                        continue;
                    }
                }
            }
            break;
        }
        cells[n_cells] = &text[first..at];
        n_cells += 1;
    }
    n_cells
}

/// The last word of a cell, and what stands before it.
fn last_word(cell: &str) -> (&str, &str) {
    cell.rsplit_once(' ').map_or((cell, ""), |(before, word)| (word, before))
}

/// What tells containers apart: the first 12 digits of a hexadecimal ID, otherwise ID and name together.
fn write_key(key: &mut String, id: &str, name: &str) {
    key.clear();
    if is_hex_id(id) {
        key.push_str(&id[..12]);
    } else {
        key.push_str(id);
        key.push('\n');
        key.push_str(name);
    }
}

/// Removes escape codes, and says which of them matter.
fn strip_escapes(text: &str, plain: &mut String) -> Escapes {
    plain.clear();
    let mut escapes = Escapes { any: true, ..Escapes::default() };
    let mut rest = text;
    while let Some(start) = memchr(0x1b, rest.as_bytes()) {
        plain.push_str(&rest[..start]);
        rest = &rest[start + 1..];
        let Some(code) = rest.strip_prefix('[') else { continue };
        // Parameters, intermediates, one final byte: all ASCII.
        let length = code.bytes().take_while(|byte| matches!(byte, 0x20..=0x3f)).count();
        let parameters = &code[..length];
        match code.as_bytes().get(length) {
            Some(b'H') => escapes.home = true,
            Some(b'J') if parameters == "2" => escapes.clear = true,
            Some(b'J') => escapes.erase_below = true,
            Some(b'K') => escapes.erase_line = true,
            _ => {}
        }
        let has_final = matches!(code.as_bytes().get(length), Some(0x40..=0x7e));
        rest = &code[length + usize::from(has_final)..];
    }
    plain.push_str(rest);
    escapes
}

fn is_header(text: &str) -> bool {
    // The cheapest test first: rows hold neither letter, but for names.
    if memchr2(b'U', b'W', text.as_bytes()).is_none() {
        return false;
    }
    let at = memchr::memmem::find(text.as_bytes(), b"MEM USAGE");
    let at = at.or_else(|| memchr::memmem::find(text.as_bytes(), b"PRIV WORKING SET"));
    at.is_some() && (text.contains("NAME") || text.contains("CONTAINER"))
}

/// Whether a line belongs to a session in which `docker stats` was run, beside its table.
fn is_about_stats(text: &str) -> bool {
    let is_rule = 3 <= text.len() && text.bytes().all(|byte| b"-=_+|*#~ .".contains(&byte));
    let is_command = ["docker stats", "podman stats", "nerdctl stats", "compose stats", "container stats"]
        .iter()
        .any(|command| text.contains(command));
    let is_prompt = text.starts_with("$ ") || text.ends_with('$') || text.ends_with('#') && text.contains('@');
    is_rule || is_command || is_prompt || text.starts_with("^C") || text.starts_with("^Z")
}

/// Whether a text has a header of `docker stats` in its beginning.
pub(super) fn has_header(text: &str) -> bool {
    text.lines().take(1000).any(is_header)
}

/// Whether a line is a row of `docker stats` or one of its JSON lines, for recognising the format.
pub(super) fn looks_like_reading(line: &str) -> bool {
    let mut plain = String::new();
    let line = if line.contains('\x1b') {
        strip_escapes(line, &mut plain);
        plain.as_str()
    } else {
        line
    };
    if line.contains("\"MemUsage\"") {
        return true;
    }
    let mut cells = [""; MAX_CELLS];
    let n_cells = split(line.trim(), &mut cells);
    bare_row(&cells[..n_cells]).is_some_and(|row| Memory::of(row.memory).is_ok())
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{MTIME_MS, account, describe, read_all};
    use super::super::{Format, Input};
    use super::*;

    const HEADER: &str = "CONTAINER ID   NAME   CPU %   MEM USAGE / LIMIT   MEM %   NET I/O   BLOCK I/O   PIDS";

    /// A row of a container of one letter: `a` has an ID of twelve of them and the name `name-a`.
    fn row(id: char, mib: u32, received_kb: u32) -> String {
        let hex: String = std::iter::repeat_n(id, 12).collect();
        format!("{hex}   name-{id}   0.1{}%   {mib}MiB / 1GiB   1.0%   {received_kb}kB / 0B   0B / 0B   7\n", mib % 10)
    }

    fn read(text: &str) -> (Input, Vec<SeriesSamples>) {
        let (mut inputs, series) = read_all(Format::DockerStats, &[(text, MTIME_MS)]);
        let input = inputs.remove(0);
        let n_lines = text.lines().count() as u64;
        assert_eq!(input.samples + input.gaps + input.rejected_count + input.other_lines, n_lines, "{text}");
        (input, series)
    }

    /// Checks which containers are in which tick: letters of one tick stand together.
    #[track_caller]
    fn check_ticks(rows: &str, expected: &str) {
        let text: String = rows.chars().filter(|c| *c != ' ').map(|id| row(id, 10, 1)).collect();
        let (_, series) = read(&text);
        let mut ticks: BTreeMap<i64, String> = BTreeMap::new();
        for series in &series {
            for time_ms in &series.samples.time_ms {
                ticks.entry(*time_ms).or_default().push(series.info.id.chars().last().unwrap());
            }
        }
        let found: Vec<String> = ticks
            .into_values()
            .map(|tick| {
                let mut ids: Vec<char> = tick.chars().collect();
                ids.sort_unstable();
                ids.into_iter().collect()
            })
            .collect();
        assert_eq!(found.join(" "), expected, "{rows}");
    }

    #[test]
    fn a_tick_ends_where_docker_would_not_go_on() {
        check_ticks("abc abc", "abc abc");
        check_ticks("a a a", "a a a");
        // A container is down for a while.
        check_ticks("abc bc abc", "abc bc abc");
        check_ticks("abc a bc", "abc abc");
        check_ticks("abc ab abc", "abc ab abc");
        // The newest comes first.
        check_ticks("abc abc dabc dabc", "abc abc abcd abcd");
        check_ticks("abc abc dabc abc", "abc abc abcd abc");
        // One that starts during the call comes last, for once.
        check_ticks("abc ab c abc", "abc abc abc");
        check_ticks("abc bca abc", "abc abc abc");
        check_ticks("abc abcd dabc dabc", "abc abcd abcd abcd");
        // One that is older than the others but was down until now.
        check_ticks("ac ac abc abc abc", "ac ac abc abc abc");
    }

    #[test]
    fn a_container_created_anew_is_marked_and_is_a_tick_of_its_own() {
        let text = row('a', 10, 5)
            + &row('a', 11, 5).replace("aaaaaaaaaaaa", "bbbbbbbbbbbb")
            + &row('a', 12, 5).replace("aaaaaaaaaaaa", "bbbbbbbbbbbb");
        insta::assert_snapshot!(describe(&read(&text).1), @"name-a: -2220=10MiB -1320=11MiB(recreated) -420=12MiB");
    }

    #[test]
    fn counters_that_fall_and_gaps_are_marked() {
        let text = [
            row('a', 10, 990),
            row('a', 11, 990).replace("990kB", "1.01MB"),
            row('a', 12, 5),
            row('a', 12, 5).replace("12MiB / 1GiB", "-- / --").replace("5kB / 0B", "--"),
            row('a', 14, 6),
            row('a', 0, 0).replace("0MiB / 1GiB", "0B / 0B").replace("0kB", "0B"),
            row('a', 16, 0),
        ]
        .concat();
        insta::assert_snapshot!(describe(&read(&text).1), @"name-a: -5820=10MiB -4920=11MiB -4020=12MiB(reset) -2220=14MiB(gap) -420=16MiB(reset)(gap)");
    }

    #[test]
    fn tables_are_read_by_their_headers() {
        let read = |text: &str| describe(&read(text).1);
        insta::assert_snapshot!(read("NAME     CPU %   MEM %   MEM USAGE / LIMIT\nweb      0.01%   0.11%   7.988MiB / 7.088GiB\n"), @"web: -420=7.988MiB");
        insta::assert_snapshot!(read("CONTAINER   CPU %   MEM USAGE/LIMIT   MEM %   NET I/O\nredis1      0.07%   796 KiB/64 MiB    1.21%   788 B/648 B\n"), @"redis1: -420=796KiB");
        insta::assert_snapshot!(read("CONTAINER ID   CPU %   PRIV WORKING SET   NET I/O             BLOCK I/O\n09d3bb5b1604   6.61%   38.21 MiB          17.1 kB / 7.73 kB   10.7 MB / 3.57 MB\n"), @"09d3bb5b1604: -420=38.21MiB");
        insta::assert_snapshot!(read("ID    NAME  CPU %  MEM USAGE / LIMIT  MEM %  NET IO   BLOCK IO  PIDS  CPU TIME  AVG CPU %\n<ID>  db    0.5%   3.092MB / 8.59GB   16.1%  -- / --  0B / 0B   35    2m23.4s   0.54%\n<ID>  web   0.5%   4.092MB / 8.59GB   16.1%  -- / --  0B / 0B   35    2m23.4s   0.54%\n"), @r"
        db: -420=2.949MiB
        web: -420=3.902MiB
        ");
        insta::assert_snapshot!(read("web\t0.1%\t10MiB / 1GiB\n"), @"web: -420=10MiB");
        insta::assert_snapshot!(read("{\"Container\":\"web\",\"ID\":\"ed37317fbf42\",\"MemUsage\":\"2MiB / 9MiB\",\"Name\":\"web\",\"NetIO\":\"--\"}\n"), @"web: -420=2MiB");
    }

    #[test]
    fn stamps_before_rows_and_blocks_are_used() {
        let read = |text: &str| describe(&read(text).1);
        let row = row('a', 10, 1);
        insta::assert_snapshot!(read(&format!("2026-11-23T20:06:00Z {row}1795464370.5 {row}")), @"name-a: -60=10MiB -49.5=10MiB");
        insta::assert_snapshot!(read(&format!("Nov 23 20:06:00 host mem[7]: {row}[2026-11-23 20:06:30] {row}")), @"name-a: -60=10MiB -30=10MiB");
        insta::assert_snapshot!(read(&format!("Mon Nov 23 20:06:00 UTC 2026\n{HEADER}\n{row}2026-11-23T21:06:30+01:00\n{HEADER}\n{row}")), @"name-a: -60=10MiB -30=10MiB");
        insta::assert_snapshot!(read("2026-11-23T20:06:00Z {\"ID\":\"ed37317fbf42\",\"MemUsage\":\"2MiB / 9MiB\",\"Name\":\"web\"}\n"), @"web: -60=2MiB");
    }

    #[test]
    fn a_stream_is_read_frame_by_frame() {
        let frame_20 = |mib| format!("\x1b[2J\x1b[H{HEADER}\n{}{}", row('a', mib, 1), row('b', 20, 1));
        let text = [frame_20(10), frame_20(10), frame_20(11), frame_20(11), frame_20(12)].concat();
        insta::assert_snapshot!(describe(&read(&text).1), @r"
        name-a: -2=10MiB -1=11MiB 0=12MiB
        name-b: -2=20MiB -1=20MiB 0=20MiB
        ");

        let table = |mib| format!("{HEADER}\n{}{}", row('a', mib, 1), row('b', 20, 1));
        let frame_28 = |mib| {
            let again = table(mib).replace('\n', " \x1b[K\n");
            format!("\x1b[H{}\x1b[H{again} \x1b[K\n\x1b[J", table(mib))
        };
        let text = [frame_28(10), frame_28(10), frame_28(11), frame_28(11), frame_28(12)].concat() + "\n";
        insta::assert_snapshot!(describe(&read(&text).1), @r"
        name-a: -2=10MiB -1=11MiB 0=12MiB
        name-b: -2=20MiB -1=20MiB 0=20MiB
        ");

        let frame_29 = |mib| format!("\x1b[H{}\x1b[K\n\x1b[J", table(mib).replace('\n', "\x1b[K\n"));
        let text = [frame_29(10), frame_29(10), frame_29(11), frame_29(11), frame_29(12)].concat() + "\n";
        insta::assert_snapshot!(describe(&read(&text).1), @r"
        name-a: -2=10MiB -1=11MiB 0=12MiB
        name-b: -2=20MiB -1=20MiB 0=20MiB
        ");
    }

    #[test]
    fn what_is_inferred_is_said() {
        let warnings = |text: &str| read(text).0.warnings.join("\n");
        let (a, b) = (row('a', 10, 1), row('b', 10, 1));
        insta::assert_snapshot!(warnings(&[&*a, &a].concat()), @r"
        assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
        it holds one container and no times: time in which the container was down is invisible, and shifts earlier times
        ");
        insta::assert_snapshot!(warnings(&format!("2026-11-23 20:06:00 {a}{a}{b}")), @r"
        times without a known zone are read as UTC, such as `2026-11-23 20:06:00`
        2 of 3 readings have no time, while others have one: they are placed one every 15 min beside those
        ");
        insta::assert_snapshot!(warnings(&format!("Nov 23 20:06:00 {a}Nov 23 20:06:00 {b}")), @r"
        times without a known zone are read as UTC, such as `Nov 23 20:06:00`
        times without a year: it is taken from the file's modification time, so that the first is 2026-11-23T20:06:00Z
        ");
        insta::assert_snapshot!(warnings(&format!("00:00:05 {a}00:00:05 {b}")), @r"
        what stands before the container was not read as a time (line 1: `00:00:05`)
        assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
        ");
    }

    #[test]
    fn rotated_files_are_anchored_one_by_one() {
        let (a, b) = (row('a', 10, 1), row('b', 10, 1));
        let two = [&*a, &b, &a, &b].concat();
        let (inputs, series) = read_all(Format::DockerStats, &[(&two, MTIME_MS - 3_600_000), (&two, MTIME_MS)]);
        insta::assert_snapshot!(describe(&series), @r"
        name-a: -4920=10MiB -4020=10MiB -1320=10MiB -420=10MiB
        name-b: -4920=10MiB -4020=10MiB -1320=10MiB -420=10MiB
        ");
        insta::assert_snapshot!(inputs[0].warnings.join("\n"), @r"
        assuming one reading every 15 min, the last at 2026-11-23T19:00:00Z (the file's modification time)
        2 readings missing between this file and the one after it, by their modification times
        ");
        let (inputs, series) = read_all(Format::DockerStats, &[(&two, MTIME_MS), (&two, MTIME_MS)]);
        insta::assert_snapshot!(describe(&series), @r"
        name-a: -3120=10MiB -2220=10MiB -1320=10MiB -420=10MiB
        name-b: -3120=10MiB -2220=10MiB -1320=10MiB -420=10MiB
        ");
        insta::assert_snapshot!(inputs[0].warnings.join("\n"), @r"
        assuming one reading every 15 min, the last at 2026-11-23T19:30:00Z (the file's modification time)
        its modification time lies within the file after it: its readings were moved back by 30 min
        ");
    }

    #[test]
    fn lines_that_are_no_rows_are_counted_or_refused() {
        let text = format!(
            "$ docker stats\n\n{HEADER}\n{}^C\n-------\nhello\n{}\njson\nx   y   5MiB\n{{\"a\":1}}\n{{\"a\"\n\x00\x00{}aaaaaaaaaaaa   na",
            row('a', 10, 1),
            row('a', 11, 1).replace("11MiB", "11Mb").trim_end(),
            row('a', 12, 1)
        );
        insta::assert_snapshot!(account(&read(&text).0), @r#"
        2 samples, 0 gaps, 5 other, 7 rejected
        warning: assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
        warning: it holds one container and no times: time in which the container was down is invisible, and shifts earlier times
        line 7: `hello`: no amount of memory found (expected a container, `USED / LIMIT` and more, columns two or more blanks apart)
        line 8: `aaaaaaaaaaaa   name-a   0.11%   11Mb / 1GiB   1.0%   1kB / 0B   0B / 0B   7`: `11Mb` is not an amount of memory: unknown unit `Mb` (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)
        line 9: `json`: docker before 23.0 takes `--format json` for a template (expected what `--format '{{json .}}'` prints)
        line 10: `x   y   5MiB`: found 3 columns without an amount of memory (expected 8, as the header has)
        line 11: `{"a":1}`: there is no `MemUsage` in it (expected what `docker stats --format '{{json .}}'` prints)
        line 12: `{"a"`: this is not a JSON object: EOF while parsing an object at line 1 column 4
        line 14: `aaaaaaaaaaaa   na`: the last line is incomplete (the file may still be written to)
        "#);
        insta::assert_snapshot!(account(&read("hello\nyou\n").0), @r"
        0 samples, 0 gaps, 0 other, 2 rejected
        line 1: `hello`: no amount of memory found (expected a container, `USED / LIMIT` and more, columns two or more blanks apart)
        line 2: `you`: no amount of memory found (expected a container, `USED / LIMIT` and more, columns two or more blanks apart)
        unusable: no row of `docker stats` could be read: 2 lines rejected, the first is line 1: no amount of memory found (expected a container, `USED / LIMIT` and more, columns two or more blanks apart)
        ");
        insta::assert_snapshot!(account(&read(&format!("{HEADER}\n")).0), @r"
        0 samples, 0 gaps, 1 other, 0 rejected
        unusable: it holds no row of `docker stats` (only headers or blank lines)
        ");
        let long = "x".repeat(100_000) + "\n" + &row('a', 10, 1);
        insta::assert_snapshot!(read(&long).0.rejected[0].why, @"the line is longer than 64 KiB (expected one reading a line)");
    }
}
