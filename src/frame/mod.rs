//! `SampleFrame`: all samples as one polars table, the only way from readings to verdicts.

mod history;
mod parquet;
mod table;

use std::collections::HashSet;
use std::io;
use std::path::Path;

use polars::prelude::{
    DataFrame, Float32Chunked, Float64Chunked, Int64Chunked, IntoColumn, IntoSeries, PlSmallStr, PolarsError, TimeUnit,
    TimeZone, UInt8Chunked, UInt32Chunked,
};
use rayon::prelude::*;

use crate::account::{Input, Timeline};
use crate::decode::table::own::{FLAGS, RESOLUTION_BYTES, SERIES, TIME, USED_BYTES};
use crate::decode::{ReportedRestarts, SeriesSamples};
use crate::error::Error;
use crate::resolve::{Exported, Readings};
use crate::series::{MemorySeries, Samples, SeriesInfo};

pub use history::{read_history, write_history};

/// All samples of all series as one polars table, with the identity of the series and the account of each input.
///
/// One row per sample, sorted by series and time. Of two readings of a series at the same time, the later one is kept. Columns:
/// `series` (u32, index into `series()`), `time` (milliseconds, UTC), `used_bytes` (f64, finite and not negative),
/// `resolution_bytes` (f32) and `flags` (u8). Times and values of each series are a chunk of their own, and go in and out
/// without a copy.
#[derive(Debug, Clone)]
pub struct SampleFrame {
    table: DataFrame,
    series: Vec<SeriesEntry>,
    inputs: Vec<Input>,
    timeline: Timeline,
    beside: Vec<Exported>,
    reported: Vec<ReportedRestarts>,
}

/// A series of a frame: its identity and its inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesEntry {
    /// Its identity.
    pub info: SeriesInfo,
    /// The inputs that it was read from, as indices into `SampleFrame::inputs`.
    pub inputs: Vec<usize>,
    /// The number of its rows; 0 if an input names it without a value.
    pub n_samples: usize,
}

impl SampleFrame {
    /// Makes a frame of what was read, and sorts the samples of each series by time.
    ///
    /// # Panics
    ///
    /// If a value is negative or not finite, which no reader returns.
    pub fn new(readings: Readings) -> SampleFrame {
        let Readings { inputs, series, timeline, beside, reported } = readings;
        let (series, columns): (Vec<SeriesEntry>, Vec<Samples>) = series
            .into_par_iter()
            .map(|SeriesSamples { info, samples, inputs }| {
                let samples = samples.in_time_order();
                (SeriesEntry { info, inputs, n_samples: samples.len() }, samples)
            })
            .unzip();
        let mut table = Columns::with_capacity(series.iter().map(|series| series.n_samples).sum());
        for (index, samples) in columns.into_iter().enumerate() {
            table.append(index as u32, samples);
        }
        SampleFrame { table: table.finish(), series, inputs, timeline, beside, reported }
    }

    /// Makes a frame of a long table: one row per sample, in any order.
    ///
    /// Columns: `container` or `series` (text; several containers), `time` (a datetime, or milliseconds since 1970),
    /// `used_bytes` (numbers). Other columns are ignored. Rows without a value are gaps.
    ///
    /// # Errors
    ///
    /// If a column is missing or has another type, or a value is negative or not finite.
    pub fn from_table(table: &DataFrame) -> Result<SampleFrame, Error> {
        table::readings(table).map(SampleFrame::new).map_err(Error::Table)
    }

    /// The table.
    pub fn table(&self) -> &DataFrame {
        &self.table
    }

    /// The series, in the order of their rows.
    pub fn series(&self) -> &[SeriesEntry] {
        &self.series
    }

    /// The account of each input.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// What times count from.
    pub fn timeline(&self) -> Timeline {
        self.timeline
    }

    /// Takes out the series of exports that only alert rules can name. Parquet files do not hold them.
    pub fn take_beside(&mut self) -> Vec<Exported> {
        std::mem::take(&mut self.beside)
    }

    /// The evidence of restarts in exports.
    pub fn reported(&self) -> &[ReportedRestarts] {
        &self.reported
    }

    /// Keeps the series for which `keep` is true, with their rows, and returns the others. Takes O(rows) time if it drops
    /// some.
    pub fn retain(&mut self, mut keep: impl FnMut(&SeriesInfo) -> bool) -> Vec<SeriesSamples> {
        let is_kept: Vec<bool> = self.series.iter().map(|series| keep(&series.info)).collect();
        let mut dropped = Vec::new();
        if is_kept.iter().all(|is_kept| *is_kept) {
            return dropped;
        }
        let (entries, samples) = self.take();
        let kept = entries.iter().zip(&is_kept).filter(|(_, is_kept)| **is_kept);
        let mut table = Columns::with_capacity(kept.map(|(entry, _)| entry.n_samples).sum());
        for ((entry, samples), is_kept) in entries.into_iter().zip(samples).zip(is_kept) {
            if is_kept {
                table.append(self.series.len() as u32, samples);
                self.series.push(entry);
            } else {
                dropped.push(SeriesSamples { info: entry.info, samples, inputs: entry.inputs });
            }
        }
        self.table = table.finish();
        dropped
    }

    /// Stores series that are not judged but that alert rules can name.
    pub fn set_beside(&mut self, series: Vec<SeriesSamples>) {
        let replaced: HashSet<String> = self.beside.iter().filter_map(|beside| beside.of.clone()).collect();
        let series = series.into_iter().filter(|one| !replaced.contains(&one.info.id));
        self.beside.extend(series.map(|samples| Exported { samples, of: None }));
    }

    /// The series with samples, in the order of the table. Their columns are not copied unless the frame is shared.
    pub fn into_series(mut self) -> Vec<MemorySeries> {
        let (entries, samples) = self.take();
        entries.into_iter().zip(samples).filter_map(|(entry, samples)| MemorySeries::new(entry.info, samples)).collect()
    }

    /// Takes all series and rows out.
    fn take(&mut self) -> (Vec<SeriesEntry>, impl Iterator<Item = Samples> + use<>) {
        let entries = std::mem::take(&mut self.series);
        let table = std::mem::take(&mut self.table);
        let lengths: Vec<usize> = entries.iter().map(|entry| entry.n_samples).collect();
        (entries, samples(table, lengths))
    }

    /// Writes one row for each sample to `path`, atomically: `series`, `container`, `labels`, `metric`, `sampling`,
    /// `time` (UTC), `used_bytes`, `resolution_bytes`, `limit_bytes` (null if unknown) and `flags`. The metadata of the
    /// file holds the rest of the frame, so that reading it gives the same frame.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_parquet(&self, path: &Path) -> io::Result<()> {
        crate::files::replace(path, |file| parquet::write(self, file))
    }
}

/// The columns of a table that is being built. Times and values are a chunk for each series, so that they are not
/// copied; the others are made here and are one chunk: among 100,000 series, a chunk of each would take more than 20 MB.
struct Columns {
    series: Vec<u32>,
    time: Int64Chunked,
    used_bytes: Float64Chunked,
    resolution_bytes: Vec<f32>,
    flags: Vec<u8>,
}

impl Columns {
    fn with_capacity(n_rows: usize) -> Columns {
        Columns {
            series: Vec::with_capacity(n_rows),
            time: Int64Chunked::from_vec(PlSmallStr::from_static(TIME), Vec::new()),
            used_bytes: Float64Chunked::from_vec(PlSmallStr::from_static(USED_BYTES), Vec::new()),
            resolution_bytes: Vec::with_capacity(n_rows),
            flags: Vec::with_capacity(n_rows),
        }
    }

    /// Appends the samples of a series, in time order.
    fn append(&mut self, series: u32, samples: Samples) {
        const FITS: &str = "a table holds fewer than 2^32 rows";

        let Samples { time_ms, used_bytes, resolution_bytes, marks } = samples;
        if time_ms.is_empty() {
            return;
        }
        assert!(used_bytes.iter().all(|bytes| 0.0 <= *bytes && bytes.is_finite()), "memory is finite and not negative");
        self.series.resize(self.series.len() + time_ms.len(), series);
        self.time.append_owned(Int64Chunked::from_vec(PlSmallStr::EMPTY, time_ms)).expect(FITS);
        self.used_bytes.append_owned(Float64Chunked::from_vec(PlSmallStr::EMPTY, used_bytes)).expect(FITS);
        self.resolution_bytes.extend(resolution_bytes.iter());
        self.flags.extend(marks);
    }

    fn finish(self) -> DataFrame {
        let height = self.time.len();
        let time = self.time.into_datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC));
        let columns = vec![
            UInt32Chunked::from_vec(PlSmallStr::from_static(SERIES), self.series).into_column(),
            time.into_series().into_column(),
            self.used_bytes.into_column(),
            Float32Chunked::from_vec(PlSmallStr::from_static(RESOLUTION_BYTES), self.resolution_bytes).into_column(),
            UInt8Chunked::from_vec(PlSmallStr::from_static(FLAGS), self.flags).into_column(),
        ];
        DataFrame::new(height, columns).expect("the columns have one length and different names")
    }
}

/// The samples of a table that `Columns` built, of series of these lengths, one after another. Times and values that
/// nobody else holds are not copied.
fn samples(table: DataFrame, lengths: Vec<usize>) -> impl Iterator<Item = Samples> {
    const TYPED: &str = "the columns of a frame have their types";
    const ALL: &str = "every series is a chunk of its own";

    let mut columns = table.into_columns();
    // The series of a column is freed once its chunks were taken: while both are there, these are not the only owners.
    let mut column = |name: &str| {
        let at = columns.iter().position(|column| column.name() == name).expect(TYPED);
        columns.swap_remove(at).take_materialized_series()
    };
    let mut time = column(TIME).datetime().expect(TYPED).physical().clone().downcast_into_iter();
    let mut used_bytes = column(USED_BYTES).f64().expect(TYPED).clone().downcast_into_iter();
    let resolution_bytes = column(RESOLUTION_BYTES).f32().expect(TYPED).clone();
    let flags = column(FLAGS).u8().expect(TYPED).clone();
    drop(columns);
    let mut end = 0;
    lengths.into_iter().map(move |length| {
        let mut samples = Samples::default();
        if 0 < length {
            let rows = end..end + length;
            end = rows.end;
            samples.time_ms = time.next().expect(ALL).into_inner().1.to_vec();
            samples.used_bytes = used_bytes.next().expect(ALL).into_inner().1.to_vec();
            let resolutions = &resolution_bytes.cont_slice().expect(ALL)[rows.clone()];
            samples.resolution_bytes.reserve_exact(length);
            resolutions.iter().for_each(|bytes| samples.resolution_bytes.push(*bytes));
            samples.marks = flags.cont_slice().expect(ALL)[rows].to_vec();
        }
        samples
    })
}

fn into_io(error: PolarsError) -> io::Error {
    io::Error::other(error)
}

#[cfg(test)]
mod tests;
