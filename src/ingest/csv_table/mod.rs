//! Reads CSV with a header line: a column of time and one for each container, or columns of time, container and memory.
//!
//! What spreadsheets and dashboards write: Grafana's "Download CSV" (raw, formatted, for Excel), the CSV export of
//! `VictoriaMetrics`, tables made by scripts. Fields are split by comma, semicolon or tab, as the header is. Rows of
//! time, container and memory are read without a header, too.

mod header;

use std::collections::{BTreeMap, HashMap};

use super::dateless::Dateless;
use super::fields::{self, Memory};
use super::numbers::{self, Meaning, Numbers};
use super::source::Opened;
use super::stamps::{Seasons, TimeNotes};
use super::{Input, Options, Parsed, SeriesSamples, cleaned, counted, lines::Line, node_memory, prometheus};
use crate::series::{Limit, LimitSource, Marks, Metric, Samples, Sampling, SeriesInfo};
use header::{Columns, Header};

/// Whether a text is such a table: a header that names a column of time and one of a container, and a first row that has
/// a time; or rows of time, container and memory.
///
/// # Errors
///
/// What was found in the place of the first time, where there is such a header.
pub(super) fn looks_like_table(text: &str) -> Result<bool, String> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !header::is_separator_line(line));
    let Some(first) = lines.next() else { return Ok(false) };
    let Some(header) = Header::read(first, header::separator_line(text)) else {
        return Ok(Header::implied(first).is_some());
    };
    let Some(row) = lines.next() else { return Ok(false) };
    let cells = fields::split(row, header.delimiter);
    let time = cells.get(header.time).map_or("", |cell| cell.trim());
    // Whether the year is there is found out later.
    if fields::time(time, None).is_some() {
        return Ok(header.nameless().is_none());
    }
    let (column, found) = (cleaned(&header.names[header.time], 40), cleaned(time, 40));
    Err(format!(
        "it is a table whose column `{column}` begins with `{found}`, which is not a time \
         (expected seconds since 1970 or a date with a time, such as `2026-11-23 20:06:40`)"
    ))
}

/// The header of a trend without names, `time,memory`; `None` for every other line.
pub(super) fn nameless_header(line: &str) -> Option<header::Nameless> {
    Header::read(line, None)?.nameless()
}

/// Reads the files of one sequence, oldest first.
#[derive(Debug)]
pub(super) struct Reader {
    /// What memory that is nobody's in particular is named after: the file's stem.
    stem: String,
    series: Vec<SeriesSamples>,
    /// The place of each series, by its column's name or the name in its rows.
    places: HashMap<String, usize>,
    /// Each input with its series.
    inputs: Vec<usize>,
    /// That of the file before, and the line that it was read from.
    header: Option<(Header, String)>,
    /// Summer time, as times without a zone show it.
    seasons: Seasons,
    /// Times of day without a date.
    dateless: Dateless,
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
            stem,
            series: Vec::new(),
            places: HashMap::new(),
            inputs: Vec::new(),
            header: None,
            seasons: Seasons::default(),
            dateless: Dateless::default(),
            end_ms: options.end_ms,
            unit: options.unit,
        }
    }

    /// Whether a text goes on with the rows of the file before it, without a header of its own.
    pub(super) fn goes_on_with(&self, text: &str) -> bool {
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        Header::read(first, None).is_none() && self.header.as_ref().is_some_and(|(header, _)| header.fits(first))
    }

    /// Reads one file, the next of the sequence.
    pub(super) fn read(&mut self, mut opened: Opened, input: &mut Input, index: usize) {
        let mut file: Option<File> = None;
        self.dateless.begin(index, opened.mtime_ms);
        let lengths: Vec<usize> = self.series.iter().map(|series| series.samples.len()).collect();
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
                    if let Some(header) = Header::read(text, separator) {
                        input.other_lines += 1;
                        file = Some(self.begin(header, text, opened.mtime_ms, input));
                        continue;
                    }
                    if let Some((header, heading)) = self.header.clone().filter(|(header, _)| header.fits(text)) {
                        file = Some(self.begin(header, &heading, opened.mtime_ms, input));
                        input.warnings.push("it has no header: that of the file before it is used".to_owned());
                    } else if let Some(header) = Header::implied(text) {
                        file = Some(self.begin(header, "", opened.mtime_ms, input));
                    }
                }
            }
            match &mut file {
                None => input.reject(&line, text, || {
                    "no header was found before it (expected one such as `time,web,api` or `time,container,memory`)"
                        .to_owned()
                }),
                Some(_) if line.cut => input.reject(&line, text, super::too_long),
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
            for (place, series) in self.series.iter_mut().enumerate() {
                series.samples.truncate(lengths.get(place).copied().unwrap_or(0));
            }
        }
        if input.samples == 0 && input.unusable.is_none() {
            input.unusable = Some(match input.rejected.first() {
                Some(first) => format!(
                    "no row of its table could be read: {} rejected, the first on line {}: {}",
                    counted(input.rejected_count, "value"),
                    first.line,
                    first.why
                ),
                None => "its table holds no memory (expected a column for each container, or one of memory)".to_owned(),
            });
        }
        self.inputs.push(index);
    }

    /// Finds the series of each column, and says which are left out.
    fn begin(&mut self, mut header: Header, heading: &str, latest_ms: Option<i64>, input: &mut Input) -> File {
        self.settle_units(&mut header, input);
        let left_out: Vec<String> = header.left_out().map(|name| format!("`{}`", cleaned(name, 40))).collect();
        if !left_out.is_empty() {
            input
                .warnings
                .push(format!("columns that are not the memory of a container are left out: {}", left_out.join(", ")));
        }
        let columns = match &header.columns {
            Columns::Wide(names) => {
                let anonymous = header.anonymous();
                let stem = self.stem.clone();
                let name = |column: usize| {
                    if let Some(part) = header.parts[column] {
                        return names[column].as_ref().map(|_| self.place_of_part(part));
                    }
                    let name = if Some(column) == anonymous { Some(&stem) } else { names[column].as_ref() }?;
                    // It may be written as in PromQL.
                    Some(self.place(name, header.is_heap(column), || match prometheus::labels_of_name(name) {
                        Some(labels) => (labels, true),
                        None => (BTreeMap::from([("container".to_owned(), name.clone())]), false),
                    }))
                };
                (0..names.len()).map(name).collect()
            }
            Columns::Long { .. } => Vec::new(),
        };
        File {
            header,
            heading: heading.to_owned(),
            columns,
            latest_ms,
            times: TimeNotes::default(),
            bare: Numbers::default(),
        }
    }

    /// Says what numbers of each column count, as far as its metric or the user says; a column of something else is left
    /// out.
    fn settle_units(&self, header: &mut Header, input: &mut Input) {
        if let Columns::Wide(names) = &mut header.columns {
            for (column, unit) in names.iter_mut().zip(&mut header.units) {
                let labels = column.as_deref().and_then(prometheus::labels_of_name).unwrap_or_default();
                let metric = labels.get("__name__").map_or("", String::as_str);
                match numbers::meaning(metric) {
                    Meaning::Bytes => *unit = unit.or(Some(1.0)),
                    Meaning::Other(what) => {
                        input.warnings.push(format!("`{metric}` is {what}, not an amount of memory"));
                        *column = None;
                    }
                    Meaning::Unknown => {}
                }
            }
        }
        header.units.iter_mut().for_each(|unit| *unit = unit.or(self.unit));
    }

    /// The series of this name, with its labels where it is new, and whether these are those of a query. `is_heap`: whether
    /// its column is what a runtime's collector manages.
    fn place(&mut self, name: &str, is_heap: bool, labels: impl FnOnce() -> (BTreeMap<String, String>, bool)) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let (labels, is_query) = labels();
        let metric = match (is_query, is_heap) {
            (true, _) => prometheus::metric_of(&labels),
            (false, true) => Metric::Heap,
            (false, false) => Metric::DockerUsage,
        };
        let info = SeriesInfo {
            id: name.to_owned(),
            labels,
            limit: None,
            metric,
            container_given: true,
            // A dashboard asks for one value at each step, and repeats the last where there is none.
            sampling: if is_query { Sampling::Step { inferred: true } } else { Sampling::Raw },
        };
        self.series.push(SeriesSamples { info, samples: Samples::default(), inputs: Vec::new() });
        self.places.insert(name.to_owned(), self.series.len() - 1);
        self.series.len() - 1
    }

    /// The series of a part of `process.memoryUsage()`, of the process that the file is named after.
    fn place_of_part(&mut self, part: usize) -> usize {
        let (name, metric) = node_memory::PARTS[part];
        let (id, stem) = (format!("{}/{name}", self.stem), self.stem.clone());
        let place = self.place(&id, false, || {
            ([("container".to_owned(), stem), ("part".to_owned(), name.to_owned())].into(), false)
        });
        let info = &mut self.series[place].info;
        (info.metric, info.container_given) = (metric, false);
        place
    }

    fn read_row(&mut self, file: &mut File, line: Line<'_>, text: &str, input: &mut Input, index: usize) {
        let cells = fields::split(text, file.header.delimiter);
        let n_columns = file.header.names.len();
        if cells.len() < n_columns || cells[n_columns..].iter().any(|cell| !cell.trim().is_empty()) {
            let found = counted(cells.len() as u64, "field");
            input.reject(&line, text, || format!("it has {found} (expected {n_columns}, as the first line has)"));
            return;
        }
        let time = cells[file.header.time].as_ref();
        let Some(stamp) = fields::time(time, file.latest_ms) else {
            let found = cleaned(time, 40);
            input.reject(&line, text, || format!("`{found}` is not a time (expected an epoch or a date with a time)"));
            return;
        };
        file.times.note(stamp, time);
        let stamp = self.seasons.follow(stamp, &mut file.times);
        let Some(time_ms) = self.dateless.follow(stamp, time).time_ms else {
            let found = cleaned(time, 40);
            input.reject(&line, text, || format!("`{found}` has no year (expected a date with one)"));
            return;
        };
        let (bare, has_commas) = (&mut file.bare, file.header.delimiter != ',');
        let mut n_values = 0;
        let units = &file.header.units;
        let mut value = |reader: &mut Reader, place: usize, column: usize, input: &mut Input| {
            n_values += 1;
            let is_cut = !line.terminated && column + 1 == cells.len();
            match fields::memory(&cells[column], units[column], has_commas) {
                Ok(Memory::Used { used, is_bare: true, .. })
                    if is_cut
                        && reader.series[place]
                            .samples
                            .used_bytes
                            .last()
                            .is_some_and(|last| fields::is_cut(used.bytes, *last)) =>
                {
                    input.reject(&line, text, || "its last number is cut".to_owned());
                }
                Ok(Memory::Gap) => input.gaps += 1,
                Ok(Memory::Used { used, limit, is_bare }) => {
                    input.samples += 1;
                    if is_bare {
                        bare.note(used.bytes);
                    }
                    let series = &mut reader.series[place];
                    if series.inputs.last() != Some(&index) {
                        series.inputs.push(index);
                        input.series += 1;
                    }
                    if let Some(bytes) = limit {
                        series.info.limit = Some(Limit { bytes, source: LimitSource::Input });
                    }
                    series.samples.push(time_ms, used.bytes, used.quantum, Marks::default());
                }
                Err(why) => {
                    if units[column].is_none() && fields::negative(&cells[column], has_commas).is_some() {
                        bare.note_negative(1);
                    }
                    input.reject(&line, text, || why);
                }
            }
        };
        match &file.header.columns {
            Columns::Wide(_) => {
                for (column, place) in file.columns.iter().enumerate() {
                    if let Some(place) = *place {
                        value(self, place, column, input);
                    }
                }
            }
            Columns::Long { names, memory } => {
                let labels: Vec<(&str, &str)> = names
                    .iter()
                    .map(|(label, column)| (*label, cells[*column].trim()))
                    .filter(|(_, name)| !name.is_empty())
                    .collect();
                let id = labels.iter().map(|(_, name)| *name).collect::<Vec<_>>().join("/");
                let Some((_, last)) = labels.last().filter(|(label, _)| *label != "namespace") else {
                    input.reject(&line, text, || "it names no container".to_owned());
                    return;
                };
                let place = self.place(&id, file.header.is_heap(*memory), || {
                    let labels = labels.iter().map(|(label, name)| ((*label).to_owned(), (*name).to_owned()));
                    (labels.chain([("container".to_owned(), (*last).to_owned())]).collect(), false)
                });
                value(self, place, *memory, input);
            }
        }
        input.further += u64::saturating_sub(n_values, 1);
    }

    /// Names the series, and gives everything that was read.
    pub(super) fn finish(mut self, inputs: &mut [(usize, Input)]) -> Parsed {
        let moved = self.dateless.settle(inputs, self.end_ms);
        if let Some(moved) = moved {
            self.series
                .iter_mut()
                .flat_map(|series| &mut series.samples.time_ms)
                .for_each(|time_ms| moved.date(time_ms));
        }
        // Columns that are written as in PromQL are named as a Prometheus export names its series.
        let queries: Vec<usize> = (0..self.series.len())
            .filter(|place| matches!(self.series[*place].info.sampling, Sampling::Step { .. }))
            .collect();
        let labels: Vec<_> = queries.iter().map(|place| &self.series[*place].info.labels).collect();
        let ids = prometheus::ids(&labels);
        for (place, id) in queries.into_iter().zip(ids) {
            let info = &mut self.series[place].info;
            info.labels.entry("container".to_owned()).or_insert_with(|| id.clone());
            info.id = id;
        }
        self.series.retain(|series| !series.samples.is_empty());
        for (index, input) in inputs.iter_mut().filter(|(index, _)| self.inputs.contains(index)) {
            let from_query = |series: &&SeriesSamples| {
                series.inputs.contains(index) && matches!(series.info.sampling, Sampling::Step { .. })
            };
            if self.series.iter().any(|series| from_query(&series)) {
                input.warnings.push(
                    "its columns are answers to a query at fixed steps: a restart between two steps is invisible"
                        .to_owned(),
                );
            }
        }
        Parsed {
            series: self.series,
            ends: Vec::new(),
            n_negative: Vec::new(),
            relative: moved.is_some_and(|moved| moved.is_relative),
        }
    }
}

#[cfg(test)]
mod tests;
