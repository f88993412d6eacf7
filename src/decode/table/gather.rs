//! Gathers the rows of tables into series: rows in any order, over any number of files.

use std::collections::HashMap;
use std::ops::Range;

use polars_arrow::array::Array;

use super::cells::{self, NO_NAME, NO_TIME, Names, Times, Written};
use super::plan::FolderColumn;
use super::source::{Batch, Table};
use crate::account::{Format, Input, Purpose, Rejection, RowRejection, TimeWarning, Unusable};
use crate::decode::SeriesSamples;
use crate::decode::amount::LARGEST_EXACT;
use crate::decode::columns::{Columns, Layout};
use crate::decode::fields::{self, Memory};
use crate::decode::numbers::Numbers;
use crate::decode::places::Places;
use crate::series::{Limit, LimitSource, Resolutions};

/// Stands for a row that names no container.
const NOBODY: usize = usize::MAX;

/// The series of one input.
pub(super) struct Gather<'a> {
    input: &'a mut Input,
    places: Places,
    names: Names,
    /// The place of each combination of names that was met, of the file that is read.
    place_of: HashMap<Vec<u32>, usize>,
    /// How finely the values of each series are written, in bytes.
    resolutions: Vec<f64>,
    /// Numbers of which nothing says what they count.
    bare: Numbers,
    no_zone: Option<String>,
    /// Rows that were read of the files before, and of this one.
    n_rows: u64,
}

/// What the values of a column are, row by row.
struct Values {
    bytes: Vec<f64>,
    /// For each row whether it is a value; empty where all are.
    states: Vec<State>,
    /// How the numbers are written, and what they count; `None` for texts, which say it themselves.
    written: Option<(Written, f64)>,
    /// How finely each text is written, in bytes.
    resolutions: Vec<f64>,
    /// Whether nothing says what the numbers count.
    is_bare: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    /// A null, or a text that says that there is no value.
    Gap,
    NotANumber,
    Negative,
    OutOfRange,
    /// A text that is no amount.
    NoAmount,
}

impl<'a> Gather<'a> {
    /// Begins with nothing; `stem` names memory that is nobody's in particular.
    pub(super) fn new(input: &'a mut Input, stem: &str) -> Gather<'a> {
        Gather {
            input,
            places: Places::new(stem.to_owned()),
            names: Names::default(),
            place_of: HashMap::new(),
            resolutions: Vec::new(),
            bare: Numbers::default(),
            no_zone: None,
            n_rows: 0,
        }
    }

    pub(super) fn input(&mut self) -> &mut Input {
        self.input
    }

    /// Reads all rows of a table.
    ///
    /// # Errors
    ///
    /// When the file is damaged; what stood before that is kept.
    pub(super) fn read(&mut self, table: Table, layout: &Layout, folders: &[FolderColumn]) -> Result<(), String> {
        let n_in_file = table.fields.len();
        self.place_of.clear();
        match &layout.columns {
            Columns::Long { names, memory, limit } => {
                let in_file: Vec<usize> =
                    names.iter().map(|(_, column)| *column).filter(|at| *at < n_in_file).collect();
                let mut columns = vec![layout.time, *memory];
                columns.extend(*limit);
                let first_name = columns.len();
                columns.extend(&in_file);
                table.read(&columns, &mut |batch: Batch| {
                    let mut of_file = batch.columns[first_name..].iter();
                    let of_names: Vec<Vec<u32>> = names
                        .iter()
                        .map(|(_, column)| match column.checked_sub(n_in_file) {
                            None => self.names.of(of_file.next().expect("each was asked for").as_ref()),
                            Some(folder) => vec![self.names.number(&folders[folder].value); batch.n_rows],
                        })
                        .collect();
                    let limits = limit.map(|column| (batch.columns[2].as_ref(), layout.units[column].unwrap_or(1.0)));
                    self.read_long(&batch, layout, names, *memory, limits, &of_names);
                })
            }
            Columns::Wide(_) => {
                let places = self.places.of_columns(layout);
                let of: Vec<(usize, usize)> =
                    places.iter().enumerate().filter_map(|(column, place)| Some((column, (*place)?))).collect();
                let columns: Vec<usize> =
                    [layout.time].into_iter().chain(of.iter().map(|(column, _)| *column)).collect();
                table.read(&columns, &mut |batch: Batch| self.read_wide(&batch, layout, &of))
            }
        }
    }

    fn read_long(
        &mut self,
        batch: &Batch,
        layout: &Layout,
        labels: &[(String, usize)],
        memory: usize,
        limits: Option<(&dyn Array, f64)>,
        of_names: &[Vec<u32>],
    ) {
        let times = self.times(batch);
        let values = Self::values(batch.columns[1].as_ref(), layout.units[memory], batch.n_rows);
        let limits = limits.and_then(|(array, unit)| Some((array, cells::numbers(array)?.0, unit)));
        let is_heap = layout.is_heap(memory);
        let mut key: Vec<u32> = Vec::with_capacity(of_names.len());
        let mut start = 0;
        while start < batch.n_rows {
            let is_same = |row: &usize| of_names.iter().all(|numbers| numbers[*row] == numbers[start]);
            let end = (start + 1..batch.n_rows).find(|row| !is_same(row)).unwrap_or(batch.n_rows);
            key.clear();
            key.extend(of_names.iter().map(|numbers| numbers[start]));
            let place = self.place(&key, labels, is_heap);
            if place == NOBODY {
                for row in start..end {
                    self.reject(batch, row, 1, Rejection::NoName);
                }
            } else {
                self.take(place, start..end, batch, 1, &times, &values);
                let limit = limits.as_ref().and_then(|(array, limits, unit)| {
                    let last = (start..end).rev().find(|row| !array.is_null(*row) && 0.0 < limits[*row])?;
                    Some(limits[last] * unit).filter(|bytes| bytes.is_finite())
                });
                if let Some(bytes) = limit {
                    self.places.series[place].info.limit = Some(Limit { bytes, source: LimitSource::Input });
                }
            }
            start = end;
        }
        self.n_rows += batch.n_rows as u64;
    }

    fn read_wide(&mut self, batch: &Batch, layout: &Layout, of: &[(usize, usize)]) {
        let times = self.times(batch);
        let n_before = self.input.rejected_count;
        for row in (0..batch.n_rows).filter(|row| times.ms[*row] == NO_TIME) {
            self.reject(batch, row, 1, RowRejection::NoTime);
        }
        let n_timed = batch.n_rows as u64 - (self.input.rejected_count - n_before);
        for (at, (column, place)) in of.iter().enumerate() {
            let values = Self::values(batch.columns[at + 1].as_ref(), layout.units[*column], batch.n_rows);
            self.resolutions(*place);
            let mut start = 0;
            while start < batch.n_rows {
                let is_timed = |row: &usize| times.ms[*row] != NO_TIME;
                let end = (start..batch.n_rows).find(|row| !is_timed(row)).unwrap_or(batch.n_rows);
                self.take(*place, start..end, batch, at + 1, &times, &values);
                start = end + 1;
            }
        }
        self.input.further += n_timed * (of.len() as u64 - 1);
        self.n_rows += batch.n_rows as u64;
    }

    /// The series that these names are of.
    fn place(&mut self, key: &[u32], labels: &[(String, usize)], is_heap: bool) -> usize {
        if let Some(place) = self.place_of.get(key) {
            return *place;
        }
        let texts = key.iter().zip(labels).filter(|(number, _)| **number != NO_NAME);
        let texts: Vec<(&str, &str)> =
            texts.map(|(number, (label, _))| (label.as_str(), self.names.texts[*number as usize].trim())).collect();
        let is_nobody = texts.is_empty() && !labels.is_empty()
            || 1 < labels.len() && matches!(texts.as_slice(), [("namespace", _)]);
        let place = if is_nobody { NOBODY } else { self.places.of_labels(&texts, is_heap) };
        if place != NOBODY {
            self.resolutions(place);
        }
        self.place_of.insert(key.to_vec(), place);
        place
    }

    /// Makes room for how finely the values of a series are written.
    fn resolutions(&mut self, place: usize) {
        let length = self.resolutions.len().max(place + 1);
        self.resolutions.resize(length, f64::INFINITY);
    }

    fn times(&mut self, batch: &Batch) -> Times {
        let mut times = cells::times(batch.columns[0].as_ref());
        self.no_zone = self.no_zone.take().or_else(|| times.no_zone.take());
        times
    }

    fn values(array: &dyn Array, unit: Option<f64>, n_rows: usize) -> Values {
        let Some((mut numbers, written)) = cells::numbers(array) else {
            return of_texts(array, unit, n_rows);
        };
        let (scale, is_bare) = (unit.unwrap_or(1.0), unit.is_none());
        if scale != 1.0 {
            numbers.iter_mut().for_each(|number| *number *= scale);
        }
        let validity = array.validity();
        let state = |(row, bytes): (usize, &f64)| match bytes {
            _ if validity.is_some_and(|validity| !validity.get_bit(row)) => State::Gap,
            bytes if bytes.is_nan() => State::NotANumber,
            bytes if *bytes < 0.0 => State::Negative,
            bytes if LARGEST_EXACT < *bytes => State::OutOfRange,
            _ => State::Good,
        };
        let all_good = array.null_count() == 0 && numbers.iter().all(|bytes| 0.0 <= *bytes && *bytes <= LARGEST_EXACT);
        let states = if all_good { Vec::new() } else { numbers.iter().enumerate().map(state).collect() };
        Values { bytes: numbers, states, written: Some((written, scale)), resolutions: Vec::new(), is_bare }
    }

    /// Takes rows of one series; `column`: which of the batch holds its values.
    fn take(&mut self, place: usize, rows: Range<usize>, batch: &Batch, column: usize, times: &Times, values: &Values) {
        let is_plain = (times.all_good || rows.clone().all(|row| times.ms[row] != NO_TIME))
            && (values.states.is_empty() || rows.clone().all(|row| values.states[row] == State::Good));
        if is_plain {
            self.append(place, rows, times, values);
            return;
        }
        for row in rows {
            let why = match values.states.get(row).copied().unwrap_or(State::Good) {
                _ if times.ms[row] == NO_TIME => RowRejection::NoTime,
                State::Good => {
                    self.append(place, row..row + 1, times, values);
                    continue;
                }
                State::Gap => {
                    self.input.gaps += 1;
                    continue;
                }
                State::NotANumber => RowRejection::NotANumber,
                State::Negative => {
                    if values.is_bare {
                        self.bare.note_negative(1);
                    }
                    RowRejection::Negative
                }
                State::OutOfRange => RowRejection::OutOfRange,
                State::NoAmount => RowRejection::NotAnAmount,
            };
            self.reject(batch, row, column, why);
        }
    }

    /// Takes rows of which all are good.
    fn append(&mut self, place: usize, rows: Range<usize>, times: &Times, values: &Values) {
        let bytes = &values.bytes[rows.clone()];
        if bytes.is_empty() {
            return;
        }
        self.input.samples += bytes.len() as u64;
        if values.is_bare {
            bytes.iter().for_each(|bytes| self.bare.note(*bytes));
        }
        let resolution = match values.written {
            // Bytes are printed to the byte.
            Some((_, unit)) if unit <= 1.0 => 1.0,
            Some((written, unit)) => {
                let decimals = bytes.iter().map(|bytes| written.decimals(bytes / unit)).max().unwrap_or(0);
                (unit * 10f64.powi(-i32::from(decimals))).max(1.0)
            }
            None => values.resolutions[rows.clone()].iter().copied().fold(f64::INFINITY, f64::min),
        };
        self.resolutions[place] = self.resolutions[place].min(resolution);
        let series = &mut self.places.series[place];
        if series.inputs.is_empty() {
            series.inputs.push(0);
            self.input.series += 1;
            // Most tables hold a series in one piece.
            series.samples.time_ms.reserve_exact(bytes.len());
            series.samples.used_bytes.reserve_exact(bytes.len());
        }
        series.samples.time_ms.extend_from_slice(&times.ms[rows]);
        series.samples.used_bytes.extend_from_slice(bytes);
    }

    /// Counts a row that could not be read, with its time and the value in a column of the batch.
    fn reject(&mut self, batch: &Batch, row: usize, column: usize, why: impl Into<Rejection>) {
        let line = self.n_rows + row as u64 + 1;
        let text = || {
            let [time, value] = [0, column].map(|column| cells::cell(batch.columns[column].as_ref(), row));
            format!("{time}, {value}")
        };
        let is_kept = self.input.rejected.len() < crate::account::MAX_REJECTED;
        self.input.reject_at(line, &if is_kept { text() } else { String::new() }, || why);
    }

    /// Puts the rows of each series in order of time, and says what must be known of them.
    pub(super) fn finish(self) -> Vec<SeriesSamples> {
        let Gather { input, places, resolutions, bare, no_zone, n_rows, .. } = self;
        input.lines = Some(n_rows);
        if let Some(example) = no_zone {
            input.warn(TimeWarning::NoZone { of: Purpose::Readings, example });
        }
        bare.judge(input);
        let mut places = places;
        let mut n_again = 0;
        for (series, resolution) in places.series.iter_mut().zip(resolutions) {
            let samples = &mut series.samples;
            let n = samples.time_ms.len();
            samples.marks = vec![0; n];
            samples.resolution_bytes = Resolutions::same(resolution as f32, n);
            series.samples = std::mem::take(&mut series.samples).in_time_order();
            n_again += (n - series.samples.len()) as u64;
        }
        if 0 < n_again {
            // They are no reading of their own.
            input.samples -= n_again;
            input.other_lines += n_again;
            input.warn(TimeWarning::RowsRepeat { n: n_again });
        }
        if input.samples == 0 && input.unusable.is_none() {
            input.unusable = Some(match n_rows {
                0 => Unusable::NoRows,
                _ => Unusable::nothing_of(Format::Parquet, input),
            });
        }
        if input.unusable.is_some() {
            input.rejected_count += std::mem::take(&mut input.samples);
            input.series = 0;
            return Vec::new();
        }
        places.finish()
    }
}

/// The amounts in a column of texts.
fn of_texts(array: &dyn Array, unit: Option<f64>, n_rows: usize) -> Values {
    let mut values = Values {
        bytes: vec![0.0; n_rows],
        states: vec![State::Good; n_rows],
        written: None,
        resolutions: vec![1.0; n_rows],
        is_bare: false,
    };
    for row in 0..n_rows {
        let text = cells::text(array, row);
        match text.as_deref().map_or(Ok(Memory::Gap), |text| fields::memory(text, unit, false)) {
            Ok(Memory::Gap) => values.states[row] = State::Gap,
            Ok(Memory::Used { used, is_bare, .. }) => {
                values.bytes[row] = used.bytes;
                values.resolutions[row] = used.resolution;
                values.is_bare |= is_bare;
            }
            Err(_) if text.is_some_and(|text| fields::negative(&text, false).is_some()) => {
                values.states[row] = State::Negative;
                values.is_bare |= unit.is_none();
            }
            Err(_) => values.states[row] = State::NoAmount,
        }
    }
    values
}
