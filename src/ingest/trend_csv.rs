//! Reads lines of an epoch and an amount, `1795464398,512.3MiB`, as the runbook's awk line prints them.
//!
//! The rows carry no name. Rows of one tick (one epoch, or a second later where the clock went on in mid-call) are
//! containers by position, newest first; where their number changes they are matched by order and value.

use std::collections::BTreeMap;

use memchr::memchr;

use super::source::Opened;
use super::{Input, Parsed, SeriesSamples, amount, cleaned, counted, lines::Line};
use crate::series::{Marks, Metric, Samples, Sampling, SeriesInfo};
use crate::units::{Amount, time_text};

/// How much later than the first row of a tick its last may be, in milliseconds.
const TICK_MS: i64 = 1000;
/// Cost of a container that has no row where it had one, or the other way around: as a value that changes by half.
const ABSENT_COST: f64 = 0.4;
/// Cost of a container that was never seen and is not the newest: docker lists new ones first.
const INSERTED_COST: f64 = 4.0;
/// Largest cost of a value that differs from the one before.
const MAX_VALUE_COST: f64 = 3.0;
/// Matching more rows of one tick than this takes too long; so many are told apart by position alone.
const MAX_MATCHED: usize = 1000;
/// Matching with containers that are not in the tick before is left out above this product of rows and containers.
const MAX_CELLS: usize = 100_000;
/// By how much putting a container back must make the values more continuous.
const LATE_COST: f64 = 1.5;
/// Two assignments are told apart when their costs differ by more.
const CLEAR_MARGIN: f64 = 0.1;

/// One row that was read.
#[derive(Debug, Clone, Copy)]
struct Row {
    time_ms: i64,
    /// `None` for a gap.
    used: Option<Amount>,
}

/// Reads the files of one sequence, oldest first.
#[derive(Debug)]
pub(super) struct Reader {
    /// What series are named after: the file's stem.
    stem: String,
    rows: Vec<Row>,
    /// Each input, and where its rows end.
    inputs: Vec<(usize, usize)>,
}

impl Reader {
    pub(super) fn new(stem: String) -> Reader {
        Reader { stem, rows: Vec::new(), inputs: Vec::new() }
    }

    /// Reads one file, the next of the sequence.
    pub(super) fn read(&mut self, mut opened: Opened, input: &mut Input, index: usize) {
        let first = self.rows.len();
        while let Ok(Some(line)) = opened.lines.next() {
            self.read_line(line, input);
        }
        input.lines = Some(opened.lines.count());
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
        if let Some(row) = plain_row(line.bytes).filter(|_| !line.cut) {
            self.rows.push(row);
            input.samples += 1;
            return;
        }
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
                if row.used.is_some() { input.samples += 1 } else { input.gaps += 1 }
            }
            Err(why) => input.reject(&line, text, || why),
        }
    }

    /// Tells the containers apart, and gives everything that was read.
    pub(super) fn finish(self, inputs: &mut [(usize, Input)]) -> Parsed {
        let ticks = ticks(&self.rows);
        let n_rows = ticks.first().map_or(0, std::ops::Range::len);
        let most_rows = ticks.iter().map(std::ops::Range::len).max().unwrap_or(0);
        let constant = ticks.iter().all(|tick| tick.len() == n_rows);
        let (assignment, n_tracks, notes) = if constant {
            let (assignment, notes) = self.rows_by_position(&ticks);
            (assignment, n_rows, notes)
        } else if most_rows <= MAX_MATCHED {
            self.assign(&ticks)
        } else {
            let note = format!("readings have up to {most_rows} rows: containers are told apart by position alone");
            (by_position(&ticks, self.rows.len()), most_rows, vec![note])
        };

        let mut series: Vec<SeriesSamples> = (0..n_tracks)
            .map(|track| {
                let id = if n_tracks == 1 { self.stem.clone() } else { format!("{}#{}", self.stem, track + 1) };
                let info = SeriesInfo {
                    labels: BTreeMap::from([("container".to_owned(), id.clone())]),
                    id,
                    limit: None,
                    metric: Metric::DockerUsage,
                    container_given: false,
                    sampling: Sampling::Raw,
                };
                SeriesSamples { info, samples: Samples::default(), inputs: Vec::new() }
            })
            .collect();
        let mut pending = vec![Marks::default(); n_tracks];
        let mut first = 0;
        for &(index, end) in &self.inputs {
            let Some((_, input)) = inputs.iter_mut().find(|(other, _)| *other == index) else { continue };
            for (row, &track) in self.rows[first..end].iter().zip(&assignment[first..end]) {
                let Some(used) = row.used else {
                    pending[track] = Marks::GAP_BEFORE;
                    continue;
                };
                let series = &mut series[track];
                if series.inputs.last() != Some(&index) {
                    series.inputs.push(index);
                    input.series += 1;
                }
                let marks = std::mem::take(&mut pending[track]);
                series.samples.push(row.time_ms, used.bytes, used.quantum, marks);
            }
            if n_tracks > 1 && first < end {
                input.warnings.push(format!(
                    "its rows have no names: the {n_tracks} containers are told apart by their order, which a container that is created anew changes"
                ));
            }
            if first < end {
                input.warnings.extend(notes.iter().cloned());
            }
            first = end;
        }
        Parsed { series, ends: Vec::new(), relative: false }
    }

    /// The container of each row where all ticks have as many rows, and what is to be said about it.
    ///
    /// A container that starts while `docker stats` runs is listed last: where the values say so, it is put back.
    fn rows_by_position(&self, ticks: &[std::ops::Range<usize>]) -> (Vec<usize>, Vec<String>) {
        let mut assignment = vec![0; self.rows.len()];
        let mut tracks = vec![Track { level: None, present: true }; ticks.first().map_or(0, std::ops::Range::len)];
        let mut n_late = 0;
        let mut first_late = None;
        for tick in ticks {
            let rows = &self.rows[tick.clone()];
            let late = late_track(&tracks, rows);
            if late.is_some() {
                n_late += 1;
                first_late = first_late.or(Some(rows[0].time_ms));
            }
            for (place, row) in rows.iter().enumerate() {
                let track = match late {
                    Some(late) if place + 1 == rows.len() => late,
                    Some(late) if late <= place => place + 1,
                    _ => place,
                };
                tracks[track].level = row.used.map(|used| used.bytes).or(tracks[track].level);
                assignment[tick.start + place] = track;
            }
        }
        let notes = first_late.map(|time_ms| {
            format!(
                "in {}, the first at {}, a container stands last because it had just started: it was put back by its values",
                counted(n_late, "reading"),
                time_text(time_ms).unwrap_or_default()
            )
        });
        (assignment, notes.into_iter().collect())
    }

    /// Matches the rows of each tick to containers where their number changes: the container of each row, the number
    /// of containers, and what is to be said about it.
    fn assign(&self, ticks: &[std::ops::Range<usize>]) -> (Vec<usize>, usize, Vec<String>) {
        let mut tracks: Vec<Track> = Vec::new();
        // In docker's order; new ones come in, so that an index into `tracks` is what stays.
        let mut order: Vec<usize> = Vec::new();
        let mut assignment = vec![0; self.rows.len()];
        let mut n_unclear = 0;
        let mut first_unclear = None;
        for tick in ticks {
            let present: Vec<usize> = order.iter().copied().filter(|track| tracks[*track].present).collect();
            let rows = &self.rows[tick.clone()];
            let chosen: Vec<Option<usize>> = if present.len() == rows.len() {
                present.iter().copied().map(Some).collect()
            } else {
                let candidates = if order.len() * rows.len() <= MAX_CELLS { &order } else { &present };
                let known: Vec<Track> = candidates.iter().map(|track| tracks[*track]).collect();
                let (chosen, margin) = align(&known, rows);
                if margin <= CLEAR_MARGIN {
                    n_unclear += 1;
                    first_unclear = first_unclear.or(Some(rows[0].time_ms));
                }
                chosen.into_iter().map(|place| place.map(|place| candidates[place])).collect()
            };
            for track in &mut tracks {
                track.present = false;
            }
            let mut place = 0;
            for (offset, track) in chosen.into_iter().enumerate() {
                let track = if let Some(track) = track {
                    place = order.iter().position(|other| *other == track).map_or(0, |place| place + 1);
                    track
                } else {
                    tracks.push(Track { level: None, present: false });
                    order.insert(place, tracks.len() - 1);
                    place += 1;
                    tracks.len() - 1
                };
                let row = rows[offset];
                tracks[track].present = true;
                tracks[track].level = row.used.map(|used| used.bytes).or(tracks[track].level);
                assignment[tick.start + offset] = track;
            }
        }
        let mut rank = vec![0; tracks.len()];
        for (place, &track) in order.iter().enumerate() {
            rank[track] = place;
        }
        for track in &mut assignment {
            *track = rank[*track];
        }

        let (mut fewest, mut most) = (usize::MAX, 0);
        for tick in ticks {
            fewest = fewest.min(tick.len());
            most = most.max(tick.len());
        }
        let mut notes = vec![format!(
            "the number of rows of a reading changes (from {fewest} to {most}): containers are matched by order and by value"
        )];
        if let Some(time_ms) = first_unclear {
            notes.push(format!(
                "in {}, the first at {}, it is not clear which container is missing or new: series may be mixed up from there on",
                counted(n_unclear, "reading"),
                time_text(time_ms).unwrap_or_default()
            ));
        }
        (assignment, tracks.len(), notes)
    }
}

/// The place of each row in its tick.
fn by_position(ticks: &[std::ops::Range<usize>], n_rows: usize) -> Vec<usize> {
    let mut assignment = vec![0; n_rows];
    for tick in ticks {
        for (place, index) in tick.clone().enumerate() {
            assignment[index] = place;
        }
    }
    assignment
}

/// A container that is told apart by order and value.
#[derive(Debug, Clone, Copy)]
struct Track {
    /// Its last value, in bytes.
    level: Option<f64>,
    /// Whether it has a row in the tick before.
    present: bool,
}

/// Costs of the best and of the second best way to a cell, and the step of the best.
#[derive(Debug, Clone, Copy)]
struct Cell {
    best: f64,
    second: f64,
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Start,
    Match,
    Absent,
    New,
}

/// Matches rows to tracks without changing the order of either: the track of each row, `None` for a new container,
/// and by how much the second best matching is worse.
///
/// Takes time and memory of the product of both numbers.
fn align(tracks: &[Track], rows: &[Row]) -> (Vec<Option<usize>>, f64) {
    let width = rows.len() + 1;
    let mut cells =
        vec![Cell { best: f64::INFINITY, second: f64::INFINITY, step: Step::Start }; (tracks.len() + 1) * width];
    cells[0].best = 0.0;
    for i in 0..=tracks.len() {
        for j in 0..=rows.len() {
            if i == 0 && j == 0 {
                continue;
            }
            let mut cell = Cell { best: f64::INFINITY, second: f64::INFINITY, step: Step::Start };
            let mut offer = |from: Cell, cost: f64, step: Step| {
                for total in [from.best + cost, from.second + cost] {
                    if total < cell.best {
                        cell = Cell { best: total, second: cell.best, step };
                    } else if total < cell.second {
                        cell.second = total;
                    }
                }
            };
            if 0 < i && 0 < j {
                let presence = if tracks[i - 1].present { 0.0 } else { ABSENT_COST / 2.0 };
                offer(cells[(i - 1) * width + j - 1], value_cost(tracks[i - 1], rows[j - 1]) + presence, Step::Match);
            }
            if 0 < i {
                let cost = if tracks[i - 1].present { ABSENT_COST } else { 0.0 };
                offer(cells[(i - 1) * width + j], cost, Step::Absent);
            }
            if 0 < j {
                let cost = if i == 0 { ABSENT_COST } else { INSERTED_COST };
                offer(cells[i * width + j - 1], cost, Step::New);
            }
            cells[i * width + j] = cell;
        }
    }
    let last = cells[cells.len() - 1];
    let mut chosen = vec![None; rows.len()];
    let (mut i, mut j) = (tracks.len(), rows.len());
    while 0 < i || 0 < j {
        match cells[i * width + j].step {
            Step::Match => {
                i -= 1;
                j -= 1;
                chosen[j] = Some(i);
            }
            Step::Absent => i -= 1,
            Step::New => j -= 1,
            Step::Start => break,
        }
    }
    (chosen, last.second - last.best)
}

/// The track whose row stands last instead of in its place; `None` where the rows stand in order.
fn late_track(tracks: &[Track], rows: &[Row]) -> Option<usize> {
    if tracks.len() < 2 {
        return None;
    }
    let in_place: f64 = tracks.iter().zip(rows).map(|(track, row)| value_cost(*track, *row)).sum();
    if in_place <= LATE_COST {
        return None;
    }
    // From the last track back: those behind the late one stand one place further to the front.
    let mut before: f64 = in_place - value_cost(tracks[tracks.len() - 1], rows[rows.len() - 1]);
    let mut behind = 0.0;
    let mut best = (in_place - LATE_COST, None);
    for track in (0..tracks.len() - 1).rev() {
        before -= value_cost(tracks[track], rows[track]);
        behind += value_cost(tracks[track + 1], rows[track]);
        if before + behind < best.0 {
            best = (before + behind, Some(track));
        }
    }
    best.1
}

/// How badly a row continues a track: the logarithm of the ratio of the values.
fn value_cost(track: Track, row: Row) -> f64 {
    match (track.level, row.used) {
        (Some(level), Some(used)) => ((used.bytes + 1.0) / (level + 1.0)).ln().abs().min(MAX_VALUE_COST),
        _ => CLEAR_MARGIN,
    }
}

/// Which rows belong to one tick.
///
/// Rows a second apart are put together only where this makes the ticks more alike in number.
fn ticks(rows: &[Row]) -> Vec<std::ops::Range<usize>> {
    let exact = group(rows, 0);
    let tolerant = group(rows, TICK_MS);
    if share_of_usual(&exact) < share_of_usual(&tolerant) { tolerant } else { exact }
}

fn group(rows: &[Row], tolerance_ms: i64) -> Vec<std::ops::Range<usize>> {
    let mut groups = Vec::new();
    let mut first = 0;
    for index in 1..=rows.len() {
        let ends = index == rows.len() || {
            let later_ms = rows[index].time_ms.saturating_sub(rows[first].time_ms);
            later_ms < 0 || tolerance_ms < later_ms
        };
        if ends {
            groups.push(first..index);
            first = index;
        }
    }
    groups
}

/// The share of ticks that have the most usual number of rows.
fn share_of_usual(ticks: &[std::ops::Range<usize>]) -> f64 {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for tick in ticks {
        *counts.entry(tick.len()).or_default() += 1;
    }
    counts.values().max().map_or(1.0, |most| *most as f64 / ticks.len() as f64)
}

/// The row of a line that is only digits, a comma and an amount; `None` for everything else.
fn plain_row(line: &[u8]) -> Option<Row> {
    let comma = memchr(b',', &line[..line.len().min(20)])?;
    let digits = &line[..comma];
    if comma != 10 || !digits.iter().all(u8::is_ascii_digit) || digits[0] == b'0' {
        return None;
    }
    let seconds = digits.iter().fold(0, |seconds, byte| seconds * 10 + i64::from(byte - b'0'));
    Some(Row { time_ms: seconds * 1000, used: Some(amount::plain(&line[comma + 1..])?) })
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
        return Ok(Row { time_ms, used: None });
    }
    let used = amount::read(value).map_err(|error| cleaned(&error.to_string(), 200))?;
    Ok(Row { time_ms, used: Some(used) })
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
