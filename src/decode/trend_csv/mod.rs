//! Reads lines of a timestamp and an amount, `1795464398,512.3MiB`, as the runbook's awk line prints them.
//!
//! Also reads other separators, dates, a limit after the amount, quotes, and a header without container names. Rows have
//! no names: those of one snapshot (one epoch, or a second more if the clock moved on during the call) are containers by
//! position, newest first. If their number changes, they are matched by order and value.

mod assignment;
mod quick;
mod snapshots;

use std::borrow::Cow;

use super::fields::{self, Memory};
use super::numbers::Numbers;
use super::rows::{Item, Taken, read_rows};
use super::times_of_day::TimeOfDay;
use super::timestamps::{Seasons, TimeNotes};
use super::{Options, Parsed, SeriesSamples, clock, csv_table};
use crate::account::{ExpectedTime, Format, Input, NameWarning, Rejection, RowRejection, Unusable, cleaned};
use crate::open::Line;
use crate::open::Opened;
use crate::series::{Labels, Limit, LimitSource, Marks, Metric, Resolutions, Samples, Sampling, SeriesInfo};

use assignment::Assignment;
use snapshots::Ticks;

/// One row that was read.
#[derive(Debug, Clone, Copy)]
struct Row {
    time_ms: i64,
    /// In bytes; NaN for a gap.
    used_bytes: f64,
    resolution_bytes: f32,
}

/// All rows, as columns of one length.
#[derive(Debug, Default)]
struct Rows {
    time_ms: Vec<i64>,
    /// In bytes; NaN for a gap.
    used_bytes: Vec<f64>,
    resolution_bytes: Resolutions,
    has_gaps: bool,
}

impl Rows {
    fn push(&mut self, row: Row) {
        self.time_ms.push(row.time_ms);
        self.used_bytes.push(row.used_bytes);
        self.resolution_bytes.push(row.resolution_bytes);
        self.has_gaps |= row.used_bytes.is_nan();
    }

    /// Adds rows that are no gaps.
    fn extend(&mut self, items: &[Item<Row>]) {
        self.time_ms.extend(items.iter().map(|item| item.row.time_ms));
        self.used_bytes.extend(items.iter().map(|item| item.row.used_bytes));
        for alike in items.chunk_by(|a, b| a.row.resolution_bytes == b.row.resolution_bytes) {
            self.resolution_bytes.push_times(alike[0].row.resolution_bytes, alike.len());
        }
    }

    fn len(&self) -> usize {
        self.time_ms.len()
    }

    fn truncate(&mut self, length: usize) {
        self.time_ms.truncate(length);
        self.used_bytes.truncate(length);
        self.resolution_bytes.truncate(length);
    }
}

/// What bare numbers count, as the rows and the header before them say.
#[derive(Debug, Clone, Copy, Default)]
struct Units {
    /// What the header says, in bytes.
    header: Option<f64>,
    /// Whether an amount had its unit with it: a number without one is then a damaged row.
    in_rows: bool,
}

/// The limit behind the amounts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum RowLimit {
    #[default]
    None,
    /// The same in every row that has one, in bytes.
    One(f64),
    /// Several: whose they are is not known, since rows have no names.
    Several,
}

impl RowLimit {
    fn note(&mut self, bytes: f64) {
        *self = match *self {
            RowLimit::None => RowLimit::One(bytes),
            RowLimit::One(before) if before == bytes => RowLimit::One(before),
            _ => RowLimit::Several,
        };
    }
}

/// What is known while a file is read.
struct File {
    latest_ms: Option<i64>,
    times: TimeNotes,
    bare: Numbers,
}

/// Reads the files of one sequence, oldest first.
#[derive(Debug)]
pub(crate) struct Reader {
    /// What series are named after: the file's stem.
    stem: String,
    rows: Rows,
    /// Each input, and where its rows end.
    inputs: Vec<(usize, usize)>,
    limit: RowLimit,
    units: Units,
    /// Summer time, as times without a zone show it.
    seasons: Seasons,
    /// Times of day without a date.
    time_of_day: TimeOfDay,
    /// When the last file ends, as the user says, in milliseconds.
    end_ms: Option<i64>,
}

impl Reader {
    pub(super) fn new(stem: String, options: &Options) -> Reader {
        Reader {
            stem,
            rows: Rows::default(),
            inputs: Vec::new(),
            limit: RowLimit::default(),
            units: Units { header: options.unit, in_rows: false },
            seasons: Seasons::default(),
            time_of_day: TimeOfDay::default(),
            end_ms: options.end_ms,
        }
    }

    /// Reads one file, the next of the sequence.
    pub(super) fn read(&mut self, mut opened: Opened, input: &mut Input, index: usize) {
        let first = self.rows.len();
        self.time_of_day.begin(index, opened.mtime_ms);
        let mut file = File { latest_ms: opened.mtime_ms, times: TimeNotes::default(), bare: Numbers::default() };
        let n_lines = read_rows(&mut opened.lines, quick::decode, |taken| match taken {
            Taken::Rows(rows) => {
                self.rows.extend(rows.items);
                if let [first, .., last] | [first @ last] = rows.items {
                    self.time_of_day.note_date(first.row.time_ms);
                    self.time_of_day.note_date(last.row.time_ms);
                }
                self.units.in_rows = true;
                input.samples += rows.items.len() as u64;
            }
            Taken::Line(line) => self.read_line(line, &mut file, input),
        });
        input.lines = Some(n_lines);
        file.times.warn(input);
        file.bare.judge(input);
        if input.unusable.is_some() {
            self.rows.truncate(first);
        }
        if self.rows.len() == first && input.unusable.is_none() {
            input.unusable = Some(Unusable::nothing_of(Format::TrendCsv, input));
        }
        self.inputs.push((index, self.rows.len()));
    }

    fn read_line(&mut self, line: Line<'_>, file: &mut File, input: &mut Input) {
        let text = line.text();
        let text = text.trim_start_matches(['\0', '\u{feff}']).trim();
        if text.is_empty() {
            input.other_lines += 1;
            return;
        }
        if line.cut {
            input.reject(&line, text, crate::account::too_long);
            return;
        }
        match Reading::of(text, self.units, file.latest_ms) {
            Ok(Reading { memory: Memory::Used { used, is_bare: true, .. }, .. })
                if !line.terminated
                    && self.rows.used_bytes.last().is_some_and(|last| fields::is_cut(used.bytes, *last)) =>
            {
                input.reject(&line, text, || Rejection::NumberCut);
            }
            Ok(reading) => self.take(&reading, file, input),
            Err(_) if self.units.is_heading(text) => input.other_lines += 1,
            Err(why) => {
                if let Some((timestamp, length)) = clock::read_timestamp(text, file.latest_ms) {
                    let value = text[length..].trim_matches([',', ';', ' ', '\t']);
                    if self.units.header.is_none() && fields::negative(value, true).is_some() {
                        file.bare.note_negative(1);
                    }
                    self.time_of_day.follow(timestamp, &text[..length]);
                }
                input.reject(&line, text, || why);
            }
        }
    }

    fn take(&mut self, reading: &Reading, file: &mut File, input: &mut Input) {
        let Reading { timestamp, memory, ref timestamp_text } = *reading;
        file.times.note(timestamp, timestamp_text.trim_end_matches([' ', '\t', ',', ';']));
        let timestamp = self.seasons.follow(timestamp, &mut file.times);
        let timestamp = self.time_of_day.follow(timestamp, timestamp_text);
        let time_ms = timestamp.time_ms.expect("a reading has a time");
        match memory {
            Memory::Gap => {
                self.rows.push(Row { time_ms, used_bytes: f64::NAN, resolution_bytes: 0.0 });
                input.gaps += 1;
            }
            Memory::Used { used, limit, is_bare } => {
                self.units.in_rows |= !is_bare && self.units.header.is_none();
                if is_bare {
                    file.bare.note(used.bytes);
                }
                if let Some(limit) = limit {
                    self.limit.note(limit);
                }
                self.rows.push(Row { time_ms, used_bytes: used.bytes, resolution_bytes: used.resolution as f32 });
                input.samples += 1;
            }
        }
    }

    /// Tells the containers apart, and gives everything that was read.
    pub(super) fn finish(self, inputs: &mut [(usize, Input)]) -> Parsed {
        let Reader { stem, mut rows, inputs: ends, limit, time_of_day, end_ms, .. } = self;
        let moved = time_of_day.settle(inputs, end_ms);
        if let Some(moved) = moved {
            rows.time_ms.iter_mut().for_each(|time_ms| moved.date(time_ms));
        }
        let assignment = Assignment::of(&rows, &Ticks::of(&rows.time_ms));
        let n_tracks = assignment.n_tracks;
        let mut series_inputs: Vec<Vec<usize>> = vec![Vec::new(); n_tracks];
        let mut first = 0;
        for (index, end) in ends {
            let Some((_, input)) = inputs.iter_mut().find(|(other, _)| *other == index) else { continue };
            for track in assignment.tracks_within(&rows, first..end) {
                series_inputs[track].push(index);
                input.series += 1;
            }
            if n_tracks > 1 && first < end {
                input.warn(NameWarning::ByRowOrder { n: n_tracks });
            }
            if first < end {
                assignment.notes.iter().for_each(|note| input.warn(note.clone()));
            }
            first = end;
        }
        let samples = assignment.deal(rows);
        let name = |track: usize| if n_tracks == 1 { stem.clone() } else { format!("{stem}#{}", track + 1) };
        let series = samples.into_iter().zip(series_inputs).enumerate().map(|(track, (samples, inputs))| {
            let id = name(track);
            let info = SeriesInfo {
                labels: Labels::from_iter([("container".to_owned(), id.clone())]),
                id,
                limit: match limit {
                    RowLimit::One(bytes) => Some(Limit { bytes, source: LimitSource::Input }),
                    RowLimit::None | RowLimit::Several => None,
                },
                metric: Metric::DockerUsage,
                container_given: false,
                sampling: Sampling::Raw,
            };
            SeriesSamples { info, samples, inputs }
        });
        Parsed {
            reported: Vec::new(),
            series: series.collect(),
            ends: Vec::new(),
            n_negative: Vec::new(),
            relative: moved.is_some_and(|moved| moved.is_relative),
        }
    }
}

impl Assignment {
    /// The samples of each container: one column after the other, so that no more than one is held twice.
    fn deal(&self, rows: Rows) -> Vec<Samples> {
        let Rows { time_ms, used_bytes, resolution_bytes, has_gaps } = rows;
        if self.n_tracks == 1 && !has_gaps {
            let marks = vec![Marks::default().bits(); time_ms.len()];
            return vec![Samples { time_ms, used_bytes, resolution_bytes, marks }];
        }
        let is_gap: Vec<bool> = used_bytes.iter().map(|bytes| bytes.is_nan()).collect();
        let mut counts = vec![0; self.n_tracks];
        for row in (0..is_gap.len()).filter(|row| !is_gap[*row]) {
            counts[self.track(row)] += 1;
        }
        let mut samples: Vec<Samples> = counts.iter().map(|_| Samples::default()).collect();
        let each_row = || (0..is_gap.len()).map(|row| (row, self.track(row)));
        let each_sample = || each_row().filter(|(row, _)| !is_gap[*row]);

        let mut pending = vec![Marks::default(); self.n_tracks];
        for (row, track) in each_row() {
            if is_gap[row] {
                pending[track] = Marks::GAP_BEFORE;
            } else {
                samples[track].marks.push(std::mem::take(&mut pending[track]).bits());
            }
        }
        reserve(&mut samples, &counts, |samples| &mut samples.time_ms);
        each_sample().for_each(|(row, track)| samples[track].time_ms.push(time_ms[row]));
        drop(time_ms);
        samples.iter_mut().zip(&counts).for_each(|(samples, count)| samples.resolution_bytes.reserve_exact(*count));
        each_sample().for_each(|(row, track)| samples[track].resolution_bytes.push(resolution_bytes.get(row)));
        drop(resolution_bytes);
        reserve(&mut samples, &counts, |samples| &mut samples.used_bytes);
        each_sample().for_each(|(row, track)| samples[track].used_bytes.push(used_bytes[row]));
        samples
    }
}

fn reserve<T>(samples: &mut [Samples], counts: &[usize], column: impl Fn(&mut Samples) -> &mut Vec<T>) {
    samples.iter_mut().zip(counts).for_each(|(samples, count)| column(samples).reserve_exact(*count));
}

/// What a line says.
struct Reading {
    /// Its time is known, or that of the day.
    timestamp: clock::Timestamp,
    /// The beginning of the line.
    timestamp_text: String,
    memory: Memory,
}

impl Reading {
    /// That of a line without blanks around it; otherwise what was found and what was expected.
    fn of(text: &str, units: Units, latest_ms: Option<i64>) -> Result<Reading, Rejection> {
        let text: Cow<'_, str> = if text.contains('"') { text.replace('"', "").into() } else { text.into() };
        let Some((timestamp, at)) = clock::read_timestamp(&text, latest_ms) else {
            let Some((cell, _)) = text.split_once([',', ';', '\t']) else {
                return Err(RowRejection::NoComma.into());
            };
            return Err(Rejection::NotATime { found: cleaned(cell.trim(), 40), expected: ExpectedTime::DigitsOrDate });
        };
        let (timestamp_text, rest) = text.split_at(at);
        if timestamp.time_ms.or(timestamp.of_day_ms).is_none() {
            return Err(Rejection::NoYear { found: cleaned(timestamp_text, 40) });
        }
        let has_commas = !timestamp_text.trim_end().ends_with(',');
        let value = rest.trim_start_matches([',', ';']).trim_end_matches([',', ';']).trim();
        if value.is_empty() {
            return Err(RowRejection::NothingAfterTime.into());
        }
        let memory = fields::memory(value, units.header, has_commas).map_err(|why| match why {
            Rejection::Amount { error } => Rejection::Amount { error: cleaned(&error, 200) },
            why => why,
        })?;
        match memory {
            Memory::Used { is_bare: true, .. } if units.in_rows => {
                Err(RowRejection::NoUnit { found: cleaned(value, 40) }.into())
            }
            _ => Ok(Reading { timestamp, timestamp_text: timestamp_text.to_owned(), memory }),
        }
    }
}

impl Units {
    /// Whether a line that is no reading is a comment or a header that names no container; takes what it says of units.
    fn is_heading(&mut self, text: &str) -> bool {
        let line = text.trim_start_matches(['#', ' ']);
        match csv_table::nameless_header(line) {
            Some(header) => {
                self.header = header.unit.or(self.header);
                true
            }
            None => line.len() < text.len(),
        }
    }
}

/// How many of the first lines of a text are of this form, for recognising the format.
pub(super) fn count_readings(text: &str) -> usize {
    let mut units = Units::default();
    let lines = text.lines().take(1000).map(str::trim).filter(|line| !line.is_empty());
    let mut is_reading = |line: &&str| {
        let reading = Reading::of(line, units, Some(0));
        match &reading {
            Ok(reading) => units.in_rows |= matches!(reading.memory, Memory::Used { is_bare: false, .. }),
            Err(_) => {
                units.is_heading(line);
            }
        }
        reading.is_ok()
    };
    lines.filter(|line| is_reading(line)).count()
}

#[cfg(test)]
mod tests {
    use crate::account::Format;
    use crate::read::test_support::{MTIME_MS, account, describe, read_all};

    /// Ticks as `seconds: MiB MiB ..`; a `+` before an amount is a second later.
    fn text(ticks: &[(i64, &str)]) -> String {
        let line = |(seconds, mib): (i64, &str)| match mib.strip_prefix('+') {
            Some(mib) => format!("{},{mib}MiB\n", MTIME_MS / 1000 + seconds + 1),
            None => format!("{},{mib}MiB\n", MTIME_MS / 1000 + seconds),
        };
        ticks.iter().flat_map(|(seconds, row)| row.split(' ').map(|mib| line((*seconds, mib)))).collect()
    }

    fn read(text: &str) -> (String, String) {
        let (inputs, series) = read_all(Format::TrendCsv, &[(text, MTIME_MS)]);
        let input = &inputs[0];
        let n_lines = text.lines().count() as u64;
        assert_eq!(input.samples + input.gaps + input.rejected_count + input.other_lines, n_lines);
        (describe(&series), account(input))
    }

    #[test]
    fn one_container_is_named_after_the_file() {
        insta::assert_snapshot!(read(&text(&[(-3, "10"), (-2, "11"), (-1, "12"), (0, "13")])).0, @"stem: -3=10MiB -2=11MiB -1=12MiB 0=13MiB");
    }

    #[test]
    fn containers_of_one_tick_are_told_apart_by_position() {
        let (series, account) = read(&text(&[(-20, "10 50"), (-10, "11 +51"), (0, "12 52")]));
        insta::assert_snapshot!(series, @r"
        stem#1: -20=10MiB -10=11MiB 0=12MiB
        stem#2: -20=50MiB -9=51MiB 0=52MiB
        ");
        insta::assert_snapshot!(account, @r"
        6 samples, 0 gaps, 0 other, 0 rejected
        warning: its rows have no names: the 2 containers are identified by row order, which changes when a container is recreated
        ");
    }

    #[test]
    fn a_container_that_has_just_started_stands_last_and_is_put_back() {
        let (series, account) =
            read(&text(&[(-30, "10 300 50"), (-20, "10 310 51"), (-10, "10 51 12"), (0, "10 20 51")]));
        insta::assert_snapshot!(series, @r"
        stem#1: -30=10MiB -20=10MiB -10=10MiB 0=10MiB
        stem#2: -30=300MiB -20=310MiB -10=12MiB 0=20MiB
        stem#3: -30=50MiB -20=51MiB -10=51MiB 0=51MiB
        ");
        insta::assert_snapshot!(account, @r"
        12 samples, 0 gaps, 0 other, 0 rejected
        warning: its rows have no names: the 3 containers are identified by row order, which changes when a container is recreated
        warning: in 1 reading, the first at 2026-11-23T20:06:50Z, a container that had just started moved to the last row: it was recognised by its values
        ");
    }

    #[test]
    fn a_container_that_was_created_anew_stands_first_and_is_put_back() {
        let (series, account) = read(&text(&[
            (-40, "300 100 50"),
            (-30, "301 101 50"),
            (-20, "20 302 50"),
            (-10, "21 303 51"),
            (0, "22 304 51"),
        ]));
        insta::assert_snapshot!(series, @r"
        stem#1: -40=300MiB -30=301MiB -20=302MiB -10=303MiB 0=304MiB
        stem#2: -40=100MiB -30=101MiB -20=20MiB -10=21MiB 0=22MiB
        stem#3: -40=50MiB -30=50MiB -20=50MiB -10=51MiB 0=51MiB
        ");
        insta::assert_snapshot!(account, @r"
        15 samples, 0 gaps, 0 other, 0 rejected
        warning: its rows have no names: the 3 containers are identified by row order, which changes when a container is recreated
        warning: in 1 reading, the first at 2026-11-23T20:06:40Z, a recreated container moved to the first row: it was recognised by its values
        ");
    }

    #[test]
    fn a_missing_container_is_found_by_order_and_value() {
        let (series, account) = read(&text(&[
            (-40, "10 300 50"),
            (-30, "10 51"),
            (-20, "11 310 52"),
            (-10, "5 11 310 52"),
            (0, "6 11 310 52"),
        ]));
        insta::assert_snapshot!(series, @r"
        stem#1: -10=5MiB 0=6MiB
        stem#2: -40=10MiB -30=10MiB -20=11MiB -10=11MiB 0=11MiB
        stem#3: -40=300MiB -20=310MiB -10=310MiB 0=310MiB
        stem#4: -40=50MiB -30=51MiB -20=52MiB -10=52MiB 0=52MiB
        ");
        insta::assert_snapshot!(account, @r"
        16 samples, 0 gaps, 0 other, 0 rejected
        warning: its rows have no names: the 4 containers are identified by row order, which changes when a container is recreated
        warning: the number of rows per reading changes (from 2 to 4): containers are matched by order and by value
        ");
        let (_, account) = read(&text(&[(-20, "10 10 50"), (-10, "10 50"), (0, "10 10 50")]));
        insta::assert_snapshot!(account, @r"
        8 samples, 0 gaps, 0 other, 0 rejected
        warning: its rows have no names: the 3 containers are identified by row order, which changes when a container is recreated
        warning: the number of rows per reading changes (from 2 to 3): containers are matched by order and by value
        warning: in 1 reading, the first at 2026-11-23T20:06:50Z, it is not clear which container is missing or new: series may be mixed up from there on
        ");
    }

    /// Every form of the same two rows.
    #[test]
    fn rows_are_read_as_loops_and_spreadsheets_write_them() {
        for rows in [
            "1795464400;512.3MiB\n1795464410;513MiB\n",
            "1795464400;512,3MiB\n1795464410;513MiB\n",
            "1795464400\t512.3MiB\n1795464410\t513MiB\n",
            "1795464400 512.3MiB\n1795464410 513MiB\n",
            "\"1795464400\",\"512.3MiB\"\n\"1795464410\",\"513MiB\"\n",
            "2026-11-23T20:06:40Z,512.3MiB\n2026-11-23T21:06:50+01:00,513MiB\n",
            "1795464400,512.3MiB / 7.6GiB\n1795464410,513MiB / 7.6GiB\n",
            "1795464400 512.3MiB / 7.6GiB\n1795464410 513MiB/7.6GiB\n",
            "# epoch,mem\n1795464400,512.3MiB\n1795464410,513MiB\n",
            "timestamp,memory\n1795464400,512.3MiB\n1795464410,513MiB\n",
            "\u{feff}Time;mem_usage\r\n1795464400;512,3 MiB\r\n1795464410;513 MiB\r\n",
            "time,memory_mib\n1795464400,512.3\n1795464410,513\n",
            "time,Memory (MiB)\n1795464400000,512.3\n1795464410000,513\n",
            "1795464400,537185485\n1795464410,537919488\n",
            "epoch,bytes\n1795464400,537185485\n1795464410,537919488\n",
        ] {
            assert_eq!(crate::decode::recognise(rows.as_bytes()), Ok(Format::TrendCsv), "{rows}");
            let (series, account) = read(rows);
            assert_eq!(series, "stem: -20=512.3MiB -10=513MiB\n", "{rows}: {account}");
            let n_headings = rows.lines().count() - 2;
            assert_eq!(account, format!("2 samples, 0 gaps, {n_headings} other, 0 rejected\n"), "{rows}");
        }
        let (series, account) = read("2026-11-23 20:06:40,512.3MiB\n2026-11-23 20:06:50,--\n");
        assert_eq!(series, "stem: -20=512.3MiB\n");
        insta::assert_snapshot!(account, @r"
        1 samples, 1 gaps, 0 other, 0 rejected
        warning: timestamps without a time zone are read as UTC, such as `2026-11-23 20:06:40`
        ");
    }

    #[test]
    fn a_limit_is_known_where_all_rows_have_the_same() {
        let limit = |text: &str| {
            let (_, series) = read_all(Format::TrendCsv, &[(text, MTIME_MS)]);
            series[0].info.limit.map(|limit| limit.bytes)
        };
        assert_eq!(limit("1795464400,5MiB / 2GiB\n1795464410,--\n1795464420,5MiB / 2GiB\n"), Some(2_147_483_648.0));
        assert_eq!(limit("1795464400,5MiB / 2GiB\n1795464410,5MiB / 4GiB\n"), None);
        assert_eq!(limit("1795464400,5MiB\n"), None);
    }

    #[test]
    fn numbers_without_a_unit_are_bytes_when_they_can_be() {
        let (_, account) = read("1795464400,512.3\n1795464410,513\n");
        insta::assert_snapshot!(account, @r#"
        2 samples, 0 gaps, 0 other, 0 rejected
        unusable: its numbers without a unit are 512.3 to 513, less than 1 MiB, so they are not bytes of a container (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`; if they are MiB, pass `--unit MiB`; KiB, GiB, kB, MB and GB work too)
        "#);
        let (series, account) = read("1795464400,6000000\n1795464410,512MiB\n1795464420,6000000\n");
        assert_eq!(series, "stem: -20=5.722MiB -10=512MiB\n");
        insta::assert_snapshot!(account, @r"
        2 samples, 0 gaps, 0 other, 1 rejected
        warning: its numbers have no unit: they are read as bytes, and the largest is 5.722 MiB (pass `--unit KiB` if they are KiB)
        line 3: `1795464420,6000000`: `6000000` has no unit, unlike the rows before it (expected one such as MiB)
        ");
    }

    #[test]
    fn lines_are_read_or_refused() {
        let text = "1795464400,10MiB\r\n 1795464410 , 10.5 MiB \n1795464420000,1e+03kB\n1795464430.5,0B\n1795464440,--\n\n1795464450;5MiB\n12,5MiB\n1795464460,5\n1795464460,5Mb\nepoch,used\n1795464470,51";
        let (series, account) = read(text);
        insta::assert_snapshot!(series, @"stem: -20=10MiB -10=10.5MiB 0=976.6KiB 30=5MiB(gap)");
        insta::assert_snapshot!(account, @r"
        4 samples, 2 gaps, 2 other, 4 rejected
        line 8: `12,5MiB`: `12` is not a time (expected seconds since 1970 in 10 digits, milliseconds in 13, or a date with a time)
        line 9: `1795464460,5`: `5` has no unit, unlike the rows before it (expected one such as MiB)
        line 10: `1795464460,5Mb`: `5Mb` is not an amount of memory: unknown unit `Mb` (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)
        line 12: `1795464470,51`: the last line is incomplete (the file may still be written to)
        ");
        insta::assert_snapshot!(read("a,b\n").1, @r"
        0 samples, 0 gaps, 0 other, 1 rejected
        line 1: `a,b`: `a` is not a time (expected seconds since 1970 in 10 digits, milliseconds in 13, or a date with a time)
        unusable: no line of `epoch,512.3MiB` could be read: 1 line rejected, the first is line 1: `a` is not a time (expected seconds since 1970 in 10 digits, milliseconds in 13, or a date with a time)
        ");
        insta::assert_snapshot!(read("\n\n").1, @r"
        0 samples, 0 gaps, 2 other, 0 rejected
        unusable: it holds no line of `epoch,512.3MiB` (only blank lines)
        ");
    }
}
