//! Reads the text of `docker stats` and its relatives: bare rows, tables, streams with escape codes, JSON lines.
//!
//! One series per container name. Rows without a time are put into ticks by what docker's order says (a tick is one
//! call of the command, newest container first), and the ticks are counted back from the end of the file.

mod containers;
mod escapes;
mod notes;
mod row;
#[cfg(test)]
mod tests;
mod ticks;
mod times;

use std::collections::HashMap;

use memchr::memchr;

use super::clock::{self, Stamp};
use super::source::Opened;
use super::{Evidence, Input, Options, Parsed, SeriesSamples, cleaned, counted, lines::Line};

use containers::{Container, Series};
use escapes::{Escapes, strip_escapes};
use notes::Notes;
use row::{
    Columns, JsonRow, MAX_CELLS, Memory, Refusal, bare_row, is_about_stats, is_header, json_start, last_word, split,
};
use ticks::{Began, Tick};

/// Longer intervals would lead out of the calendar: ten years, in milliseconds.
const MAX_INTERVAL_MS: i64 = 315_576_000_000;

/// Times up to here stand for the tick of that number, until the clock is known.
const UNTIMED: i64 = i64::MIN / 2;

/// What one file held.
#[derive(Debug)]
struct File {
    input: usize,
    first_tick: usize,
    end_tick: usize,
    mtime_ms: Option<i64>,
    is_stream: bool,
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
