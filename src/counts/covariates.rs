//! Reads numbers over time: CSV, Parquet or Arrow with a column of times and columns of numbers, or a Prometheus export.
//!
//! Counters only rise, but for restarts, and count by how much they rise; levels count by their mean. Which of both a
//! column is its name says (`_total`, `connections`), or else whether it ever falls.

use std::path::Path;

use super::bins::Bins;
use super::tally::MAX_KINDS;
use super::{CountKind, Kind, entry, matrix, note_break, open_file, table};
use crate::account::{
    CountRejection, CountWarning, CountedAs, CovariateFault, ExpectedTime, Format, Input, MAX_WHY_CHARS, OtherForm,
    Purpose, Rejection, TimeWarning, Unusable, cleaned,
};
use crate::decode::recognise;
use crate::decode::table::NumberTable;
use crate::open::{Opened, Source};
use crate::units::time_text;

/// A fall to less than this share of the value before is the restart of a counter.
const RESTART: f64 = 0.5;
/// The words of names that say what numbers are.
const COUNTERS: [&str; 6] = ["total", "count", "sum", "created", "completed", "processed"];
const LEVELS: [&str; 17] = [
    "size",
    "length",
    "active",
    "open",
    "current",
    "connections",
    "listeners",
    "entries",
    "queue",
    "pending",
    "inflight",
    "clients",
    "sessions",
    "sockets",
    "handles",
    "waiting",
    "idle",
];

/// One column while it is read: as a counter and as a level.
#[derive(Debug, Clone)]
pub(super) struct Column {
    name: String,
    last: Option<(i64, f64)>,
    n_falls: u64,
    n_restarts: u64,
    n_values: u64,
    /// Time of the first value, in milliseconds.
    first_ms: Option<i64>,
    has_negative: bool,
    on: Vec<OnGrid>,
}

/// The part of a column that lies on one grid of time.
#[derive(Debug, Clone)]
struct OnGrid {
    bins: Bins,
    rises: Vec<f64>,
    sums: Vec<(f64, u32)>,
    span: Option<(i64, i64)>,
}

/// How many rows, or values, a file has, and how many of them lie on each grid of time.
#[derive(Debug)]
pub(super) struct Placed<'a> {
    pub(super) grids: &'a [Bins],
    n_rows: u64,
    inside: Vec<u64>,
}

impl Placed<'_> {
    pub(super) fn count(&mut self, time_ms: i64) {
        self.n_rows += 1;
        for (bins, inside) in self.grids.iter().zip(&mut self.inside) {
            *inside += u64::from(bins.of(time_ms).is_some());
        }
    }
}

/// How a column was read, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Named(CountKind),
    Seen(CountKind),
}

impl Reading {
    const fn what(self) -> CountKind {
        match self {
            Reading::Named(what) | Reading::Seen(what) => what,
        }
    }
}

impl Column {
    pub(super) fn new(name: String, grids: &[Bins]) -> Column {
        let on = |bins: &Bins| OnGrid {
            bins: *bins,
            rises: vec![0.0; bins.count],
            sums: vec![(0.0, 0); bins.count],
            span: None,
        };
        Column {
            name,
            last: None,
            n_falls: 0,
            n_restarts: 0,
            n_values: 0,
            first_ms: None,
            has_negative: false,
            on: grids.iter().map(on).collect(),
        }
    }

    /// Takes a value, later than those before.
    pub(super) fn push(&mut self, time_ms: i64, value: f64) {
        self.n_values += 1;
        self.first_ms.get_or_insert(time_ms);
        self.has_negative |= value < 0.0;
        if let Some((before_ms, before)) = self.last.filter(|(before_ms, _)| *before_ms < time_ms) {
            let is_restart = value < RESTART * before;
            self.n_falls += u64::from(value < before);
            self.n_restarts += u64::from(is_restart);
            let rise = if value < before { value } else { value - before };
            for on in &mut self.on {
                on.bins.spread(&mut on.rises, (before_ms, time_ms), rise);
            }
        }
        self.last = Some((time_ms, value));
        for on in &mut self.on {
            let Some(bin) = on.bins.of(time_ms) else { continue };
            on.sums[bin].0 += value;
            on.sums[bin].1 += 1;
            on.span = Some(on.span.map_or((time_ms, time_ms), |(first, _)| (first, time_ms)));
        }
    }

    /// What it is on each grid; `None` where it has no value there.
    pub(super) fn into_kinds(self) -> impl Iterator<Item = Option<Kind>> {
        let (what, step_ms, name) = (self.reading().what(), self.step_ms(), self.name);
        self.on.into_iter().map(move |on| on.kind(&name, what, step_ms))
    }

    /// The mean time from one value to the next, in milliseconds; 0 with fewer than two.
    fn step_ms(&self) -> i64 {
        let span = self.last.zip(self.first_ms).map_or(0, |((last_ms, _), first_ms)| last_ms - first_ms);
        span / (self.n_values.max(2) - 1) as i64
    }

    fn reading(&self) -> Reading {
        let name = self.name.split('{').next().unwrap_or(&self.name).to_ascii_lowercase();
        let words: Vec<&str> =
            name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let ends_as = |names: &[&str]| words.last().is_some_and(|word| names.contains(word));
        let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
        let can_count = !self.has_negative && self.n_falls == self.n_restarts;
        if ends_as(&COUNTERS) && can_count {
            Reading::Named(CountKind::Counter)
        } else if has(&LEVELS) {
            Reading::Named(CountKind::Gauge)
        } else if can_count {
            Reading::Seen(CountKind::Counter)
        } else {
            Reading::Seen(CountKind::Gauge)
        }
    }
}

impl OnGrid {
    fn kind(self, name: &str, what: CountKind, step_ms: i64) -> Option<Kind> {
        let span = self.span?;
        let values = match what {
            CountKind::Gauge => levels(&self.sums)?,
            _ => self.rises,
        };
        Some(Kind { name: name.to_owned(), what, values, span, step_ms })
    }
}

/// The level in each bin, from the sum of its values and their number: between values that are further apart than a bin
/// on the line from one to the next, the level to expect where it may change at any time. The one before would lag.
fn levels(sums: &[(f64, u32)]) -> Option<Vec<f64>> {
    let known: Vec<(usize, f64)> = sums
        .iter()
        .enumerate()
        .filter(|(_, (_, n))| *n > 0)
        .map(|(bin, (sum, n))| (bin, sum / f64::from(*n)))
        .collect();
    let (first, last) = (known.first()?.1, known.last()?.1);
    let level = |bin: usize| match known.partition_point(|(known, _)| *known < bin) {
        0 => first,
        next if next == known.len() => last,
        next => {
            let ((before, from), (after, to)) = (known[next - 1], known[next]);
            from + (to - from) * (bin - before) as f64 / (after - before) as f64
        }
    };
    Some((0..sums.len()).map(level).collect())
}

/// Reads one file; gives for each grid its account and its kinds.
pub(super) fn read(path: &Path, grids: &[Bins]) -> Vec<(Input, Vec<Kind>)> {
    let (mut input, opened) = open_file(path);
    let Some(mut opened) = opened else { return vec![(input, Vec::new()); grids.len()] };
    let beginning = opened.lines.peek().map(<[u8]>::to_vec).unwrap_or_default();
    let broken = opened.broken.clone();
    let mut placed = Placed { grids, n_rows: 0, inside: vec![0; grids.len()] };
    let typed = recognise(&beginning).ok().filter(|format| format.is_typed_table());
    let (form, columns) = if let Some(format) = typed {
        (OtherForm::CovariateTable, read_typed(path, opened, format, &mut input, &mut placed))
    } else if beginning.trim_ascii_start().starts_with(b"{") {
        (OtherForm::CovariatePrometheus, matrix::read(opened.lines.into_reader(), &mut input, &mut placed))
    } else {
        (OtherForm::CovariateCsv, read_csv(&beginning, opened.lines.into_reader(), &mut input, &mut placed))
    };
    note_break(&mut input, broken.take());
    let (columns, unusable) = match columns {
        Ok(columns) => (columns, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    if columns.len() > MAX_KINDS {
        input.warn(CountWarning::TooManyColumns { n: columns.len(), used: MAX_KINDS });
    }
    let columns = columns.into_iter().take(MAX_KINDS).filter(|column| column.n_values > 0);
    let mut columns: Vec<(String, (Reading, i64), _)> = columns
        .map(|column| ((column.reading(), column.step_ms()), column))
        .map(|(reading, column)| (column.name, reading, column.on.into_iter()))
        .collect();
    let read_as = |what: CountKind| -> Vec<String> {
        let is_seen = |(_, (reading, _), _): &&(String, (Reading, i64), _)| *reading == Reading::Seen(what);
        columns.iter().filter(is_seen).map(|(name, _, _)| name.replace('`', "'")).collect()
    };
    let (counters, levels) = (read_as(CountKind::Counter), read_as(CountKind::Gauge));
    let of_grid = |inside: &u64| {
        let outside = placed.n_rows - inside;
        let mut input = Input { unusable: unusable.clone(), ..input.clone() };
        input.other_lines += outside;
        if unusable.is_some() {
            return (input, Vec::new());
        }
        input.samples += inside;
        input.counted = Some(CountedAs { form, outside });
        let of_column = |(name, (reading, step_ms), on): &mut (String, (Reading, i64), std::vec::IntoIter<OnGrid>)| {
            on.next()?.kind(name, reading.what(), *step_ms)
        };
        let kinds: Vec<Kind> = columns.iter_mut().filter_map(of_column).collect();
        if kinds.is_empty() {
            input.warn(CountWarning::NoValue);
        }
        if !counters.is_empty() {
            input.warn(CountWarning::Counters { columns: counters.clone() });
        }
        if !levels.is_empty() {
            input.warn(CountWarning::Levels { columns: levels.clone() });
        }
        (input, kinds)
    };
    placed.inside.iter().map(of_grid).collect()
}

/// Columns that are read row by row, in time order.
struct Rows<'a, 'g> {
    columns: Vec<Column>,
    last_ms: Option<i64>,
    input: &'a mut Input,
    placed: &'a mut Placed<'g>,
}

impl<'a, 'g> Rows<'a, 'g> {
    fn new(names: Vec<String>, input: &'a mut Input, placed: &'a mut Placed<'g>) -> Rows<'a, 'g> {
        let columns = names.into_iter().map(|name| Column::new(name, placed.grids)).collect();
        Rows { columns, last_ms: None, input, placed }
    }

    /// Checks that a row is later than those before; `text`: its time as it was written.
    fn follows(&self, time_ms: i64, text: impl FnOnce() -> String) -> Result<i64, Rejection> {
        if self.last_ms.is_some_and(|last_ms| time_ms <= last_ms) {
            return Err(CountRejection::NotLater { found: cleaned(&text(), MAX_WHY_CHARS) }.into());
        }
        Ok(time_ms)
    }

    fn push(&mut self, time_ms: i64, values: impl Iterator<Item = Option<f64>>) {
        self.last_ms = Some(time_ms);
        let values = self.columns.iter_mut().zip(values).filter_map(|(column, value)| Some((column, value?)));
        let mut is_gap = true;
        for (column, value) in values {
            column.push(time_ms, value);
            is_gap = false;
        }
        if is_gap {
            self.input.gaps += 1;
        } else {
            self.placed.count(time_ms);
        }
    }

    fn finish(self, is_typed: bool) -> Result<Vec<Column>, Unusable> {
        if self.placed.n_rows == 0 {
            let why = self.input.rejected.first().map(|row| row.why.clone());
            return Err(CovariateFault::NoRow { why, is_typed }.into());
        }
        Ok(self.columns)
    }
}

fn read_csv(
    beginning: &[u8],
    reader: impl std::io::Read,
    input: &mut Input,
    placed: &mut Placed<'_>,
) -> Result<Vec<Column>, Unusable> {
    let mut lines = table::Rows::new(reader, table::delimiter(beginning));
    let header = lines.next().and_then(|(_, row)| row.ok()).ok_or(CovariateFault::Empty)?;
    let time = header.iter().position(|name| table::is_time(name)).unwrap_or(0);
    if header.len() < 2 || entry::time(&header[time]).is_some() {
        return Err(CovariateFault::NoHeader.into());
    }
    input.other_lines += 1;
    let is_number = |index: usize| index != time && !header[index].is_empty();
    let places: Vec<usize> = (0..header.len()).filter(|index| is_number(*index)).collect();
    let names = places.iter().map(|index| header[*index].clone()).collect();
    let mut rows = Rows::new(names, input, placed);
    while let Some((line, row)) = lines.next() {
        let said = row.and_then(|fields: Vec<String>| {
            let at = fields.get(time).map_or("", String::as_str);
            let time_ms = entry::time(at).ok_or_else(|| Rejection::not_a_time(at, ExpectedTime::Date))?;
            rows.follows(time_ms, || at.to_owned())?;
            let value = |index: &usize| match fields.get(*index).map_or("", String::as_str) {
                "" | "null" | "NaN" | "nan" | "-" => Ok(None),
                text => match text.parse::<f64>() {
                    Ok(value) if value.is_finite() => Ok(Some(value)),
                    _ => Err(CountRejection::NotANumber { found: cleaned(text, MAX_WHY_CHARS) }),
                },
            };
            Ok((time_ms, places.iter().map(value).collect::<Result<Vec<Option<f64>>, CountRejection>>()?))
        });
        match said {
            Ok((time_ms, values)) => rows.push(time_ms, values.into_iter()),
            Err(why) => rows.input.reject_at(line, "", || why),
        }
    }
    rows.finish(false)
}

/// Reads a Parquet or Arrow table.
fn read_typed(
    path: &Path,
    opened: Opened,
    format: Format,
    input: &mut Input,
    placed: &mut Placed<'_>,
) -> Result<Vec<Column>, Unusable> {
    let table = NumberTable::open(&Source::File(path.to_owned()), opened, format, table::is_time)?;
    if !table.others.is_empty() {
        input.warn(CountWarning::NoNumbers { columns: table.others.clone() });
    }
    let mut rows = Rows::new(table.names.clone(), input, placed);
    let mut row = 0;
    let mut no_zone = None;
    let read = table.read(&mut |batch| {
        no_zone = no_zone.take().or(batch.no_zone);
        for (at, time_ms) in batch.times.iter().enumerate() {
            row += 1;
            let time_ms = time_ms.ok_or(Rejection::NoTime);
            let text = |ms: i64| time_text(ms).unwrap_or_else(|| ms.to_string());
            match time_ms.and_then(|ms| rows.follows(ms, || text(ms))) {
                Ok(time_ms) => rows.push(time_ms, batch.columns.iter().map(|column| column[at])),
                Err(why) => rows.input.reject_at(row, "", || why),
            }
        }
    });
    if let Some(example) = no_zone {
        rows.input.warn(TimeWarning::NoZone { of: Purpose::Covariates, example });
    }
    if let Err(why) = read {
        if row == 0 {
            return Err(Unusable::Unreadable(why));
        }
        rows.input.breaks_off(why);
    }
    rows.finish(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINS: Bins = Bins { start_ms: 1_795_464_000_000, bin_ms: 60_000, count: 4 };

    /// Each kind with its bins, then the account.
    fn said(content: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers");
        std::fs::write(&path, content).unwrap();
        let (input, kinds) = read(&path, &[BINS]).remove(0);
        let mut lines: Vec<String> =
            kinds.iter().map(|kind| format!("{} {:?} {:?}", kind.name, kind.what, kind.values)).collect();
        lines.push(format!(
            "{:?}: {} rows, {} gaps, {} other, {} rejected",
            input.format_name(),
            input.samples,
            input.gaps,
            input.other_lines,
            input.rejected_count
        ));
        lines.extend(input.warnings.iter().map(|warning| format!("warning: {warning}")));
        lines.extend(input.rejected.iter().map(|row| format!("line {}: {}", row.line, row.why)));
        lines.extend(input.unusable.iter().map(|why| format!("unusable: {why}")));
        lines.join("\n")
    }

    #[test]
    fn counters_are_healed_and_levels_averaged() {
        insta::assert_snapshot!(said(
            "time,jobs_total,pg_connections,seen,wobble\n\
             2026-11-23T20:00:30Z,100,5,1,3\n\
             2026-11-23T20:01:00Z,106,7,2,2\n\
             2026-11-23T20:02:30Z,3,9,,\n\
             2026-11-23T20:03:00Z,4,x,5,6\n\
             2026-11-23T20:03:30Z,5,9,5,5\n\
             2026-11-23T20:03:00Z,5,9,5,5\n\
             2026-11-23T20:09:00Z,6,9,5,5\n"
        ));
    }

    #[test]
    fn a_prometheus_answer_is_read() {
        insta::assert_snapshot!(said(
            r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"__name__":"jobs_total","job":"a"},"values":[[1795464060,"1"],[1795464120,"3"],[1795464180,"NaN"]]},
            {"metric":{"__name__":"queue_length"},"values":[[1795464060,"4"],[1795464120,"8"],[1795474180,"8"]]}]}}"#
        ));
    }

    #[test]
    fn what_holds_no_numbers_says_so() {
        for (name, content) in [
            ("empty", ""),
            ("no_header", "2026-11-23T20:00:30Z,5\n2026-11-23T20:00:40Z,5\n"),
            ("no_rows", "time,a\n"),
            ("not_prometheus", r#"{"status":"error","error":"bad query"}"#),
        ] {
            insta::assert_snapshot!(name, said(content));
        }
    }
}
