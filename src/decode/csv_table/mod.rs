//! Reads CSV with a header line: a column of time and one for each container, or columns of time, container and memory.
//!
//! What spreadsheets and dashboards write: Grafana's "Download CSV" (raw, formatted, for Excel), the CSV export of
//! `VictoriaMetrics`, tables made by scripts. Fields are split by comma, semicolon or tab, as the header is. Rows of
//! time, container and memory are read without a header, too.

mod header;

use super::columns::{Columns, GivenColumns, Layout};
use super::fields::{self, Memory};
use super::numbers::{self, Meaning, Numbers};
use super::places::Places;
use super::times_of_day::TimeOfDay;
use super::timestamps::{Seasons, TimeNotes};
use super::{Options, Parsed, SeriesSamples, prometheus};
use crate::account::{
    AmountWarning, ColumnList, ContentWarning, ExpectedTime, Format, Input, Rejection, RowRejection, TimeWarning,
    Unusable, cleaned,
};
use crate::open::Line;
use crate::open::Opened;
use crate::series::{Limit, LimitSource, Marks, Sampling};
use header::Header;

/// Whether a text is such a table: a header that names a column of time and one of a container, and a first row that has
/// a time; or rows of time, container and memory.
///
/// # Errors
///
/// What was found in the place of the first time, where there is such a header.
pub(super) fn looks_like_table(text: &str, given: &GivenColumns) -> Result<bool, Unusable> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !header::is_separator_line(line));
    let Some(first) = lines.next() else { return Ok(false) };
    let separator = header::separator_line(text);
    if let Some(names) = header::names_of(first, separator).filter(|_| !given.is_empty())
        && let Some((role, name)) = given.missing(&names)
    {
        let columns = names.iter().map(|name| (cleaned(name, 40), None)).collect();
        let columns = ColumnList { columns, more: 0 };
        return Err(Unusable::NoColumn { role: role.to_owned(), column: name.to_owned(), columns });
    }
    let Some(header) = Header::read(first, separator, given) else {
        return Ok(Header::implied(first).is_some());
    };
    let Some(row) = lines.next() else { return Ok(false) };
    let cells = fields::split(row, header.delimiter);
    let time = cells.get(header.layout.time).map_or("", |cell| cell.trim());
    // Whether the year is there is found out later.
    if fields::time(time, None).is_some() {
        return Ok(!given.is_empty() || header.nameless().is_none());
    }
    let (column, found) = (cleaned(&header.layout.names[header.layout.time], 40), cleaned(time, 40));
    Err(Unusable::NoTimes { column, found })
}

/// The header of a trend without names, `time,memory`; `None` for every other line.
pub(super) fn nameless_header(line: &str) -> Option<header::Nameless> {
    Header::read(line, None, &GivenColumns::default())?.nameless()
}

/// Reads the files of one sequence, oldest first.
#[derive(Debug)]
pub(crate) struct Reader {
    places: Places,
    /// Which columns are what, as the user says.
    given: GivenColumns,
    /// Each input with its series.
    inputs: Vec<usize>,
    /// That of the file before, and the line that it was read from.
    header: Option<(Header, String)>,
    /// Summer time, as times without a zone show it.
    seasons: Seasons,
    /// Times of day without a date.
    time_of_day: TimeOfDay,
    /// When the last file ends, as the user says, in milliseconds.
    end_ms: Option<i64>,
    /// What numbers count of which the table says nothing, as the user says, in bytes.
    unit: Option<f64>,
}

/// What is known while a file is read.
struct File {
    header: Header,
    /// The line that it was read from; empty where there was none.
    heading: String,
    /// The series of each column; `None` for columns that hold something else.
    columns: Vec<Option<usize>>,
    latest_ms: Option<i64>,
    times: TimeNotes,
    bare: Numbers,
}

impl Reader {
    pub(super) fn new(stem: String, options: &Options) -> Reader {
        Reader {
            places: Places::new(stem),
            given: options.columns.clone(),
            inputs: Vec::new(),
            header: None,
            seasons: Seasons::default(),
            time_of_day: TimeOfDay::default(),
            end_ms: options.end_ms,
            unit: options.unit,
        }
    }

    /// Whether a text goes on with the rows of the file before it, without a header of its own.
    pub(super) fn goes_on_with(&self, text: &str) -> bool {
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        Header::read(first, None, &self.given).is_none()
            && self.header.as_ref().is_some_and(|(header, _)| header.fits(first))
    }

    /// Reads one file, the next of the sequence.
    pub(super) fn read(&mut self, mut opened: Opened, input: &mut Input, index: usize) {
        let mut file: Option<File> = None;
        self.time_of_day.begin(index, opened.mtime_ms);
        let lengths: Vec<usize> = self.places.series.iter().map(|series| series.samples.len()).collect();
        let mut separator = None;
        while let Ok(Some(line)) = opened.lines.next() {
            let text = line.text();
            let text = text.trim_start_matches(['\0', '\u{feff}']).trim_end_matches(['\r', '\n']);
            if text.trim().is_empty() {
                input.other_lines += 1;
                continue;
            }
            if file.is_none() && header::is_separator_line(text) {
                separator = header::separator_line(text);
                input.other_lines += 1;
                continue;
            }
            match &file {
                // A table that was appended to another begins with its header.
                Some(file) if file.heading == text => {
                    input.other_lines += 1;
                    continue;
                }
                Some(_) => {}
                None => {
                    if let Some(header) = Header::read(text, separator, &self.given) {
                        input.other_lines += 1;
                        file = Some(self.begin(header, text, opened.mtime_ms, input));
                        continue;
                    }
                    if let Some((header, heading)) = self.header.clone().filter(|(header, _)| header.fits(text)) {
                        file = Some(self.begin(header, &heading, opened.mtime_ms, input));
                        input.warn(ContentWarning::HeaderOfFileBefore);
                    } else if let Some(header) = Header::implied(text) {
                        file = Some(self.begin(header, "", opened.mtime_ms, input));
                    }
                }
            }
            match &mut file {
                None => input.reject(&line, text, || RowRejection::NoHeader),
                Some(_) if line.cut => input.reject(&line, text, crate::account::too_long),
                Some(file) => self.read_row(file, line, text, input, index),
            }
        }
        input.lines = Some(opened.lines.count());
        if let Some(File { header, heading, times, bare, .. }) = file {
            self.header = Some((header, heading));
            times.warn(input);
            bare.judge(input);
        }
        if input.unusable.is_some() {
            for (place, series) in self.places.series.iter_mut().enumerate() {
                series.samples.truncate(lengths.get(place).copied().unwrap_or(0));
            }
        }
        if input.samples == 0 && input.unusable.is_none() {
            input.unusable = Some(Unusable::nothing_of(Format::CsvTable, input));
        }
        self.inputs.push(index);
    }

    /// Finds the series of each column, and says which are left out.
    fn begin(&mut self, mut header: Header, heading: &str, latest_ms: Option<i64>, input: &mut Input) -> File {
        settle_units(&mut header.layout, self.unit, input);
        let columns: Vec<String> = header.layout.left_out().map(|name| cleaned(name, 40)).collect();
        if !columns.is_empty() {
            input.warn(ContentWarning::ColumnsLeftOut { columns, more: 0 });
        }
        let columns = self.places.of_columns(&header.layout);
        File {
            header,
            heading: heading.to_owned(),
            columns,
            latest_ms,
            times: TimeNotes::default(),
            bare: Numbers::default(),
        }
    }

    fn read_row(&mut self, file: &mut File, line: Line<'_>, text: &str, input: &mut Input, index: usize) {
        let cells = fields::split(text, file.header.delimiter);
        let n_columns = file.header.layout.names.len();
        if cells.len() < n_columns || cells[n_columns..].iter().any(|cell| !cell.trim().is_empty()) {
            input.reject(&line, text, || RowRejection::Fields { found: cells.len(), expected: n_columns });
            return;
        }
        let time = cells[file.header.layout.time].as_ref();
        let Some(timestamp) = fields::time(time, file.latest_ms) else {
            let found = || cleaned(time, 40);
            let expected = ExpectedTime::EpochOrDate;
            input.reject(&line, text, || Rejection::NotATime { found: found(), expected });
            return;
        };
        file.times.note(timestamp, time);
        let timestamp = self.seasons.follow(timestamp, &mut file.times);
        let Some(time_ms) = self.time_of_day.follow(timestamp, time).time_ms else {
            input.reject(&line, text, || Rejection::NoYear { found: cleaned(time, 40) });
            return;
        };
        let (bare, has_commas) = (&mut file.bare, file.header.delimiter != ',');
        let mut n_values = 0;
        let units = &file.header.layout.units;
        let mut value = |reader: &mut Reader, place: usize, column: usize, input: &mut Input| {
            n_values += 1;
            let is_cut = !line.terminated && column + 1 == cells.len();
            match fields::memory(&cells[column], units[column], has_commas) {
                Ok(Memory::Used { used, is_bare: true, .. })
                    if is_cut
                        && reader.places.series[place]
                            .samples
                            .used_bytes
                            .last()
                            .is_some_and(|last| fields::is_cut(used.bytes, *last)) =>
                {
                    input.reject(&line, text, || Rejection::NumberCut);
                }
                Ok(Memory::Gap) => input.gaps += 1,
                Ok(Memory::Used { used, limit, is_bare }) => {
                    input.samples += 1;
                    if is_bare {
                        bare.note(used.bytes);
                    }
                    let series = &mut reader.places.series[place];
                    if series.inputs.last() != Some(&index) {
                        series.inputs.push(index);
                        input.series += 1;
                    }
                    if let Some(bytes) = limit {
                        series.info.limit = Some(Limit { bytes, source: LimitSource::Input });
                    }
                    series.samples.push(time_ms, used.bytes, used.resolution, Marks::default());
                }
                Err(why) => {
                    if units[column].is_none() && fields::negative(&cells[column], has_commas).is_some() {
                        bare.note_negative(1);
                    }
                    input.reject(&line, text, || why);
                }
            }
        };
        match &file.header.layout.columns {
            Columns::Wide(_) => {
                for (column, place) in file.columns.iter().enumerate() {
                    if let Some(place) = *place {
                        value(self, place, column, input);
                    }
                }
            }
            Columns::Long { names, memory, limit } => {
                let labels: Vec<(&str, &str)> = names
                    .iter()
                    .map(|(label, column)| (label.as_str(), cells[*column].trim()))
                    .filter(|(_, name)| !name.is_empty())
                    .collect();
                if labels.is_empty() && !names.is_empty()
                    || 1 < names.len() && matches!(labels.as_slice(), [("namespace", _)])
                {
                    input.reject(&line, text, || Rejection::NoName);
                    return;
                }
                let place = self.places.of_labels(&labels, file.header.layout.is_heap(*memory));
                let n_samples = input.samples;
                value(self, place, *memory, input);
                if let Some(column) = limit.filter(|_| n_samples < input.samples)
                    && let Ok(Memory::Used { used, .. }) = fields::memory(&cells[column], units[column], has_commas)
                    && 0.0 < used.bytes
                {
                    let limit = Limit { bytes: used.bytes, source: LimitSource::Input };
                    self.places.series[place].info.limit = Some(limit);
                }
            }
        }
        input.further += u64::saturating_sub(n_values, 1);
    }

    /// Names the series, and gives everything that was read.
    pub(super) fn finish(mut self, inputs: &mut [(usize, Input)]) -> Parsed {
        let moved = self.time_of_day.settle(inputs, self.end_ms);
        if let Some(moved) = moved {
            self.places
                .series
                .iter_mut()
                .flat_map(|series| &mut series.samples.time_ms)
                .for_each(|time_ms| moved.date(time_ms));
        }
        let series = self.places.finish();
        for (index, input) in inputs.iter_mut().filter(|(index, _)| self.inputs.contains(index)) {
            let from_query = |series: &&SeriesSamples| {
                series.inputs.contains(index) && matches!(series.info.sampling, Sampling::Step { .. })
            };
            if series.iter().any(|series| from_query(&series)) {
                input.warn(TimeWarning::FixedSteps);
            }
        }
        Parsed {
            reported: Vec::new(),
            series,
            ends: Vec::new(),
            n_negative: Vec::new(),
            relative: moved.is_some_and(|moved| moved.is_relative),
        }
    }
}

/// Says what numbers of each column count, as far as its metric or the user says; a column of something else is left out.
pub(super) fn settle_units(layout: &mut Layout, unit: Option<f64>, input: &mut Input) {
    if let Columns::Wide(names) = &mut layout.columns {
        for (column, unit) in names.iter_mut().zip(&mut layout.units) {
            let labels = column.as_deref().and_then(prometheus::labels_of_name).unwrap_or_default();
            let metric = labels.get("__name__").map_or("", String::as_str);
            match numbers::meaning(metric) {
                Meaning::Bytes => *unit = unit.or(Some(1.0)),
                Meaning::Other(is) => {
                    input.warn(AmountWarning::OtherMetric { metric: metric.to_owned(), is });
                    *column = None;
                }
                Meaning::Unknown => {}
            }
        }
    }
    layout.units.iter_mut().for_each(|own| *own = own.or(unit));
}

#[cfg(test)]
mod tests;
