//! Reads CSV with a header line: a column of time and one for each container, or columns of time, container and memory.
//!
//! What spreadsheets and dashboards write: Grafana's "Download CSV" (raw, formatted, for Excel), the CSV export of
//! `VictoriaMetrics`, tables made by scripts. Fields are split by comma, semicolon or tab, as the header is.

mod cells;
mod header;

use std::collections::{BTreeMap, HashMap};

use super::source::Opened;
use super::{Input, Parsed, SeriesSamples, cleaned, counted, lines::Line, prometheus};
use crate::series::{Marks, Metric, Samples, Sampling, SeriesInfo};
use header::{Columns, Header};

/// Whether a text is such a table: a header that names a column of time, and a first row that has one.
pub(super) fn looks_like_table(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !header::is_separator_line(line));
    let Some(header) = lines.next().and_then(|line| Header::read(line, header::separator_line(text))) else {
        return false;
    };
    lines.next().is_some_and(|row| {
        let cells = cells::split(row, header.delimiter);
        cells.get(header.time).is_some_and(|cell| cells::time(cell).is_some())
    })
}

/// Reads the files of one sequence, oldest first.
#[derive(Debug, Default)]
pub(super) struct Reader {
    series: Vec<SeriesSamples>,
    /// The place of each series, by its column's name or the name in its rows.
    places: HashMap<String, usize>,
    /// Each input with its series.
    inputs: Vec<usize>,
}

/// What is known while a file is read.
struct File {
    header: Header,
    /// The series of each column; `None` for columns that hold something else.
    columns: Vec<Option<usize>>,
    no_zone: Option<String>,
}

impl Reader {
    /// Reads one file, the next of the sequence.
    pub(super) fn read(&mut self, mut opened: Opened, input: &mut Input, index: usize) {
        let mut file: Option<File> = None;
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
            // A table that was appended to another begins with its header.
            if let Some(header) = Header::read(text, separator)
                && file.as_ref().is_none_or(|file| file.header.names == header.names)
            {
                input.other_lines += 1;
                if file.is_none() {
                    file = Some(self.begin(header, input));
                }
                continue;
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
        if let Some(no_zone) = file.and_then(|file| file.no_zone) {
            input.warnings.push(format!("its times have no zone (`{no_zone}`): they are taken as UTC"));
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
    fn begin(&mut self, header: Header, input: &mut Input) -> File {
        let left_out: Vec<String> = header.left_out().map(|name| format!("`{}`", cleaned(name, 40))).collect();
        if !left_out.is_empty() {
            input
                .warnings
                .push(format!("columns that are not the memory of a container are left out: {}", left_out.join(", ")));
        }
        let columns = match &header.columns {
            Columns::Wide(names) => names.iter().map(|name| name.as_ref().map(|name| self.place(name, true))).collect(),
            Columns::Long { .. } => Vec::new(),
        };
        File { header, columns, no_zone: None }
    }

    /// The series of this name. `of_column`: whether it names a column, which may be written as in PromQL.
    fn place(&mut self, name: &str, of_column: bool) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let labels = of_column.then(|| prometheus::labels_of_name(name)).flatten();
        let is_query = labels.is_some();
        let labels = labels.unwrap_or_else(|| BTreeMap::from([("container".to_owned(), name.to_owned())]));
        let metric = if is_query { prometheus::metric_of(&labels) } else { Metric::DockerUsage };
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

    fn read_row(&mut self, file: &mut File, line: Line<'_>, text: &str, input: &mut Input, index: usize) {
        let cells = cells::split(text, file.header.delimiter);
        let time = cells.get(file.header.time).map_or("", |cell| cell.as_ref());
        let Some(time) = cells::time(time) else {
            let found = cleaned(time, 40);
            input.reject(&line, text, || format!("`{found}` is not a time (expected an epoch or a date with a time)"));
            return;
        };
        if !time.has_zone && file.no_zone.is_none() {
            file.no_zone = cells.get(file.header.time).map(|cell| cleaned(cell, 40));
        }
        let mut n_values = 0;
        let mut value = |reader: &mut Reader, place: usize, cell: &str, unit: f64, input: &mut Input| {
            n_values += 1;
            match cells::amount(cell, unit, file.header.delimiter) {
                Ok(None) => input.gaps += 1,
                Ok(Some(amount)) => {
                    input.samples += 1;
                    let series = &mut reader.series[place];
                    if series.inputs.last() != Some(&index) {
                        series.inputs.push(index);
                        input.series += 1;
                    }
                    series.samples.push(time.time_ms, amount.bytes, amount.quantum, Marks::default());
                }
                Err(why) => input.reject(&line, text, || why),
            }
        };
        match &file.header.columns {
            Columns::Wide(_) => {
                for (column, place) in file.columns.iter().enumerate() {
                    if let Some(place) = *place {
                        let cell = cells.get(column).map_or("", |cell| cell.as_ref());
                        value(self, place, cell, file.header.units[column], input);
                    }
                }
            }
            Columns::Long { name, memory } => {
                let container = cells.get(*name).map_or("", |cell| cell.trim());
                if container.is_empty() {
                    input.reject(&line, text, || "it names no container".to_owned());
                    return;
                }
                let place = self.place(container, false);
                let cell = cells.get(*memory).map_or("", |cell| cell.as_ref());
                value(self, place, cell, file.header.units[*memory], input);
            }
        }
        input.further += u64::saturating_sub(n_values, 1);
    }

    /// Names the series, and gives everything that was read.
    pub(super) fn finish(mut self, inputs: &mut [(usize, Input)]) -> Parsed {
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
        Parsed { series: self.series, ends: Vec::new(), relative: false }
    }
}

#[cfg(test)]
mod tests;
