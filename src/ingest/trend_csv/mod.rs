//! Reads lines of an epoch and an amount, `1795464398,512.3MiB`, as the runbook's awk line prints them.
//!
//! The rows carry no name. Rows of one tick (one epoch, or a second later where the clock went on in mid-call) are
//! containers by position, newest first; where their number changes they are matched by order and value.

mod ticks;
mod tracks;

use std::collections::BTreeMap;

use super::rows::read_rows;
use super::scan::Scan;
use super::source::Opened;
use super::{Input, Parsed, SeriesSamples, amount, cleaned, counted, lines::Line};
use crate::series::{Marks, Metric, Samples, Sampling, SeriesInfo};

use ticks::Ticks;
use tracks::Assignment;

/// One row that was read.
#[derive(Debug, Clone, Copy)]
struct Row {
    time_ms: i64,
    /// In bytes; NaN for a gap.
    used_bytes: f64,
    quantum_bytes: f32,
}

/// All rows, as columns of one length.
#[derive(Debug, Default)]
struct Rows {
    time_ms: Vec<i64>,
    /// In bytes; NaN for a gap.
    used_bytes: Vec<f64>,
    quantum_bytes: Vec<f32>,
}

impl Rows {
    fn push(&mut self, row: Row) {
        self.time_ms.push(row.time_ms);
        self.used_bytes.push(row.used_bytes);
        self.quantum_bytes.push(row.quantum_bytes);
    }

    fn len(&self) -> usize {
        self.time_ms.len()
    }
}

/// Reads the files of one sequence, oldest first.
#[derive(Debug)]
pub(super) struct Reader {
    /// What series are named after: the file's stem.
    stem: String,
    rows: Rows,
    /// Each input, and where its rows end.
    inputs: Vec<(usize, usize)>,
}

impl Reader {
    pub(super) fn new(stem: String) -> Reader {
        Reader { stem, rows: Rows::default(), inputs: Vec::new() }
    }

    /// Reads one file, the next of the sequence.
    pub(super) fn read(&mut self, mut opened: Opened, input: &mut Input, index: usize) {
        let first = self.rows.len();
        let n_lines = read_rows(
            &mut opened.lines,
            |(), text| plain_row(text),
            |line, row| match row {
                Some(row) => {
                    self.rows.push(*row);
                    input.samples += 1;
                }
                None => self.read_line(line, input),
            },
        );
        input.lines = Some(n_lines);
        if self.rows.len() == first && input.unusable.is_none() {
            input.unusable = Some(match input.rejected.first() {
                Some(first) => format!(
                    "no line of `epoch,512.3MiB` could be read: {} rejected, the first is line {}: {}",
                    counted(input.rejected_count, "line"),
                    first.line,
                    first.why
                ),
                None => "it holds no line of `epoch,512.3MiB` (only blank lines)".to_owned(),
            });
        }
        self.inputs.push((index, self.rows.len()));
    }

    fn read_line(&mut self, line: Line<'_>, input: &mut Input) {
        let text = line.text();
        let text = text.trim_start_matches(['\0', '\u{feff}']).trim();
        if text.is_empty() {
            input.other_lines += 1;
            return;
        }
        if line.cut {
            input.reject(&line, text, super::too_long);
            return;
        }
        match read_row(text) {
            Ok(row) => {
                self.rows.push(row);
                if row.used_bytes.is_nan() { input.gaps += 1 } else { input.samples += 1 }
            }
            Err(why) => input.reject(&line, text, || why),
        }
    }

    /// Tells the containers apart, and gives everything that was read.
    pub(super) fn finish(self, inputs: &mut [(usize, Input)]) -> Parsed {
        let Reader { stem, rows, inputs: ends } = self;
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
                input.warnings.push(format!(
                    "its rows have no names: the {n_tracks} containers are told apart by their order, which a container that is created anew changes"
                ));
            }
            if first < end {
                input.warnings.extend(assignment.notes.iter().cloned());
            }
            first = end;
        }
        let samples = assignment.deal(rows);
        let name = |track: usize| if n_tracks == 1 { stem.clone() } else { format!("{stem}#{}", track + 1) };
        let series = samples.into_iter().zip(series_inputs).enumerate().map(|(track, (samples, inputs))| {
            let id = name(track);
            let info = SeriesInfo {
                labels: BTreeMap::from([("container".to_owned(), id.clone())]),
                id,
                limit: None,
                metric: Metric::DockerUsage,
                container_given: false,
                sampling: Sampling::Raw,
            };
            SeriesSamples { info, samples, inputs }
        });
        Parsed { series: series.collect(), ends: Vec::new(), relative: false }
    }
}

impl Assignment {
    /// The samples of each container: one column after the other, so that no more than one is held twice.
    fn deal(&self, rows: Rows) -> Vec<Samples> {
        let Rows { time_ms, used_bytes, quantum_bytes } = rows;
        if self.n_tracks == 1 && !used_bytes.iter().any(|bytes| bytes.is_nan()) {
            let marks = vec![Marks::default().bits(); time_ms.len()];
            return vec![Samples { time_ms, used_bytes, quantum_bytes, marks }];
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
        reserve(&mut samples, &counts, |samples| &mut samples.quantum_bytes);
        each_sample().for_each(|(row, track)| samples[track].quantum_bytes.push(quantum_bytes[row]));
        drop(quantum_bytes);
        reserve(&mut samples, &counts, |samples| &mut samples.used_bytes);
        each_sample().for_each(|(row, track)| samples[track].used_bytes.push(used_bytes[row]));
        samples
    }
}

fn reserve<T>(samples: &mut [Samples], counts: &[usize], column: impl Fn(&mut Samples) -> &mut Vec<T>) {
    samples.iter_mut().zip(counts).for_each(|(samples, count)| column(samples).reserve_exact(*count));
}

/// The row of a line that is only digits, a comma and an amount, and its length with the line ending; `None` for
/// everything else.
fn plain_row(text: &[u8]) -> Option<(Row, usize)> {
    let mut rest = Scan(text);
    if text.first() == Some(&b'0') {
        return None;
    }
    let (seconds, 10) = rest.digits()? else { return None };
    rest.literal(b",")?;
    let used = rest.amount()?;
    if rest.literal(b"\n").is_none() {
        rest.literal(b"\r\n")?;
    }
    let row = Row { time_ms: seconds as i64 * 1000, used_bytes: used.bytes, quantum_bytes: used.quantum as f32 };
    Some((row, text.len() - rest.0.len()))
}

fn read_row(text: &str) -> Result<Row, String> {
    let Some((epoch, value)) = text.split_once(',') else {
        return Err("there is no comma in it (expected `epoch,512.3MiB`)".to_owned());
    };
    let epoch = epoch.trim();
    let time_ms = read_epoch(epoch).ok_or_else(|| {
        format!(
            "`{}` is not an epoch (expected seconds since 1970 in 10 digits, or milliseconds in 13)",
            cleaned(epoch, 40)
        )
    })?;
    let value = value.trim();
    if value == "--" {
        return Ok(Row { time_ms, used_bytes: f64::NAN, quantum_bytes: 0.0 });
    }
    let used = amount::read(value).map_err(|error| cleaned(&error.to_string(), 200))?;
    Ok(Row { time_ms, used_bytes: used.bytes, quantum_bytes: used.quantum as f32 })
}

/// Seconds since 1970, with decimals or not, or milliseconds (from 10^12 on).
fn read_epoch(text: &str) -> Option<i64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    match number {
        _ if 1e9 <= number && number < 1e11 => Some((number * 1000.0).round() as i64),
        _ if 1e12 <= number && number < 1e14 => Some(number.round() as i64),
        _ => None,
    }
}

/// Whether a line is one of this form, for recognising the format.
pub(super) fn looks_like_reading(line: &str) -> bool {
    let line = line.trim();
    read_row(line).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::test_support::{MTIME_MS, account, describe, read_all};

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
        warning: its rows have no names: the 2 containers are told apart by their order, which a container that is created anew changes
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
        warning: its rows have no names: the 3 containers are told apart by their order, which a container that is created anew changes
        warning: in 1 reading, the first at 2026-11-23T20:06:50Z, a container stands last because it had just started: it was put back by its values
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
        warning: its rows have no names: the 4 containers are told apart by their order, which a container that is created anew changes
        warning: the number of rows of a reading changes (from 2 to 4): containers are matched by order and by value
        ");
        let (_, account) = read(&text(&[(-20, "10 10 50"), (-10, "10 50"), (0, "10 10 50")]));
        insta::assert_snapshot!(account, @r"
        8 samples, 0 gaps, 0 other, 0 rejected
        warning: its rows have no names: the 3 containers are told apart by their order, which a container that is created anew changes
        warning: the number of rows of a reading changes (from 2 to 3): containers are matched by order and by value
        warning: in 1 reading, the first at 2026-11-23T20:06:50Z, it is not clear which container is missing or new: series may be mixed up from there on
        ");
    }

    #[test]
    fn lines_are_read_or_refused() {
        let text = "1795464400,10MiB\r\n 1795464410 , 10.5 MiB \n1795464420000,1e+03kB\n1795464430.5,0B\n1795464440,--\n\n1795464450;5MiB\n12,5MiB\n1795464460,5\n1795464460,5Mb\nepoch,used\n1795464470,51";
        let (series, account) = read(text);
        insta::assert_snapshot!(series, @"stem: -20=10MiB -10=10.5MiB 0=976.6KiB 10.5=0B");
        insta::assert_snapshot!(account, @r"
        4 samples, 1 gaps, 1 other, 6 rejected
        line 7: `1795464450;5MiB`: there is no comma in it (expected `epoch,512.3MiB`)
        line 8: `12,5MiB`: `12` is not an epoch (expected seconds since 1970 in 10 digits, or milliseconds in 13)
        line 9: `1795464460,5`: `5` is not an amount of memory: no unit (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)
        line 10: `1795464460,5Mb`: `5Mb` is not an amount of memory: unknown unit `Mb` (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)
        line 11: `epoch,used`: `epoch` is not an epoch (expected seconds since 1970 in 10 digits, or milliseconds in 13)
        line 12: `1795464470,51`: the last line is incomplete (the file may still be written to)
        ");
        insta::assert_snapshot!(read("a,b\n").1, @r"
        0 samples, 0 gaps, 0 other, 1 rejected
        line 1: `a,b`: `a` is not an epoch (expected seconds since 1970 in 10 digits, or milliseconds in 13)
        unusable: no line of `epoch,512.3MiB` could be read: 1 line rejected, the first is line 1: `a` is not an epoch (expected seconds since 1970 in 10 digits, or milliseconds in 13)
        ");
        insta::assert_snapshot!(read("\n\n").1, @r"
        0 samples, 0 gaps, 2 other, 0 rejected
        unusable: it holds no line of `epoch,512.3MiB` (only blank lines)
        ");
    }
}
