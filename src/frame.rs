//! The long table of all samples: the only file that names polars.
//!
//! Takes the samples of every series as they were read, puts them in time order per series, gives them back as
//! `MemorySeries`, or writes them as one Parquet file for notebooks. Nulls and chunks end here.

use std::fs::File;
use std::io;
use std::path::Path;

use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, NamedFrom, ParquetCompression, ParquetReader, ParquetWriter, PolarsError,
    PolarsResult, SerReader, Series, SortMultipleOptions, TimeUnit,
};

use crate::ingest::SeriesSamples;
use crate::series::{MemorySeries, Samples, SeriesInfo};

/// Index of the series, in the order of first appearance.
const SERIES: &str = "series";
/// Milliseconds since 1970, UTC.
const TIME_MS: &str = "time_ms";
/// Memory in bytes.
const USED_BYTES: &str = "used_bytes";
/// Spacing of neighbouring printable values, in bytes.
const QUANTUM_BYTES: &str = "quantum_bytes";
/// Explicit evidence, as `Marks::bits`.
const MARKS: &str = "marks";

/// All samples of all series, one row each, ordered by series and time.
#[derive(Debug, Clone)]
pub struct Frame {
    table: DataFrame,
    infos: Vec<SeriesInfo>,
}

impl Frame {
    /// Makes the table from the samples of every series; takes O(n log n) where a series is out of order, else O(n).
    pub fn new(series: &[SeriesSamples]) -> Frame {
        let samples: Vec<&Samples> = series.iter().map(|series| &series.samples).collect();
        let table = table(&samples);
        let sorted = series.iter().all(|series| series.samples.time_ms.is_sorted());
        let table = if sorted {
            table
        } else {
            // The order of equal times is the order of reading: the last reading of a time counts.
            let order = SortMultipleOptions::default().with_maintain_order(true);
            table.sort([SERIES, TIME_MS], order).expect("the columns exist and can be ordered")
        };
        Frame { table, infos: series.iter().map(|series| series.info.clone()).collect() }
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.table.height()
    }

    /// The series that have samples, in the order of first appearance.
    pub fn series(&self) -> Vec<MemorySeries> {
        let groups = self.table.partition_by_stable([SERIES], true).expect("the column exists and can be grouped");
        groups
            .iter()
            .filter_map(|group| {
                let (index, samples) = columns(group).expect("the table was made with these types");
                MemorySeries::new(self.infos[index].clone(), samples)
            })
            .collect()
    }

    /// Writes one row per sample: `series`, `container`, `time` (UTC), `used_bytes`, `quantum_bytes`, `limit_bytes`
    /// (null where none is known) and `marks`. Compressed with Zstandard.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write_parquet(&self, file: &mut File) -> io::Result<()> {
        let mut table = self.readable().map_err(into_io)?;
        ParquetWriter::new(file)
            .with_compression(ParquetCompression::Zstd(None))
            .finish(&mut table)
            .map_err(into_io)?;
        Ok(())
    }

    fn readable(&self) -> PolarsResult<DataFrame> {
        let index = self.table.column(SERIES)?.u32()?;
        let of = |value: &dyn Fn(&SeriesInfo) -> String| -> Vec<String> {
            index.into_no_null_iter().map(|index| value(&self.infos[index as usize])).collect()
        };
        let limits: Vec<Option<f64>> =
            index.into_no_null_iter().map(|index| self.infos[index as usize].limit.map(|limit| limit.bytes)).collect();
        let time = self.table.column(TIME_MS)?.cast(&DataType::Datetime(TimeUnit::Milliseconds, None))?;
        DataFrame::new(
            self.table.height(),
            vec![
                Series::new(SERIES.into(), of(&|info| info.id.clone())).into_column(),
                Series::new("container".into(), of(&|info| info.container().to_owned())).into_column(),
                time.with_name("time".into()),
                self.table.column(USED_BYTES)?.clone(),
                self.table.column(QUANTUM_BYTES)?.clone(),
                Series::new("limit_bytes".into(), limits).into_column(),
                self.table.column(MARKS)?.clone(),
            ],
        )
    }
}

/// One row per sample, in the order of the series.
fn table(series: &[&Samples]) -> DataFrame {
    let n = series.iter().map(|samples| samples.len()).sum();
    let mut columns = Samples::default();
    series.iter().for_each(|samples| columns.extend(samples));
    let index: Vec<u32> =
        series.iter().enumerate().flat_map(|(index, samples)| vec![index as u32; samples.len()]).collect();
    let marks: Vec<u32> = columns.marks.iter().map(|marks| u32::from(*marks)).collect();
    DataFrame::new(
        n,
        vec![
            Column::new(SERIES.into(), index),
            Column::new(TIME_MS.into(), columns.time_ms),
            Column::new(USED_BYTES.into(), columns.used_bytes),
            Column::new(QUANTUM_BYTES.into(), columns.quantum_bytes),
            Column::new(MARKS.into(), marks),
        ],
    )
    .expect("the columns have one length and different names")
}

fn columns(group: &DataFrame) -> PolarsResult<(usize, Samples)> {
    let index = group.column(SERIES)?.u32()?.get(0).expect("a group has a row") as usize;
    let samples = Samples {
        time_ms: group.column(TIME_MS)?.i64()?.into_no_null_iter().collect(),
        used_bytes: group.column(USED_BYTES)?.f64()?.into_no_null_iter().collect(),
        quantum_bytes: group.column(QUANTUM_BYTES)?.f32()?.into_no_null_iter().collect(),
        marks: group.column(MARKS)?.u32()?.into_no_null_iter().map(|marks| marks as u8).collect(),
    };
    Ok((index, samples))
}

fn into_io(error: PolarsError) -> io::Error {
    io::Error::other(error)
}

/// Writes the samples to `path`, by rename: a file that stood there stays whole until the new one is.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write(frame: &Frame, path: &Path) -> io::Result<()> {
    crate::report::files::replace(path, |file| frame.write_parquet(file))
}

/// Writes the samples of several series into one table, to be read by `read_history`: their index stands for who they
/// are.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write_history(series: &[&Samples], file: &mut File) -> io::Result<()> {
    let mut table = table(series);
    let file = io::BufWriter::new(file);
    ParquetWriter::new(file).with_compression(ParquetCompression::Zstd(None)).finish(&mut table).map_err(into_io)?;
    Ok(())
}

/// The samples of `n_series` series, as `write_history` wrote them.
///
/// # Errors
///
/// When the file cannot be read, or is not such a table.
pub fn read_history(path: &Path, n_series: usize) -> io::Result<Vec<Samples>> {
    let table = ParquetReader::new(File::open(path)?).finish().map_err(into_io)?;
    let mut series = vec![Samples::default(); n_series];
    for group in table.partition_by_stable([SERIES], true).map_err(into_io)? {
        let (index, samples) = columns(&group).map_err(into_io)?;
        let place = series.get_mut(index).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("it has a series {index} of {n_series}"))
        })?;
        *place = samples;
    }
    Ok(series)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::series::{Marks, Metric, Sampling};

    fn samples(id: &str, readings: &[(i64, f64)]) -> SeriesSamples {
        let mut samples = Samples::default();
        for (time_ms, bytes) in readings {
            samples.push(*time_ms, *bytes, 0.5, Marks::COUNTER_RESET);
        }
        let info = SeriesInfo {
            id: id.to_owned(),
            labels: BTreeMap::new(),
            limit: None,
            metric: Metric::Other,
            container_given: true,
            sampling: Sampling::Raw,
        };
        SeriesSamples { info, samples, inputs: vec![0] }
    }

    /// The table is one route from samples to series, sorting each by itself another: both give the same.
    #[test]
    fn the_table_gives_back_every_series_in_time_order() {
        let read = [
            samples("web", &[(20, 2.0), (10, 1.0), (20, 2.5), (30, 3.0)]),
            samples("none", &[]),
            samples("api", &[(5, 7.0), (15, 8.0)]),
        ];
        let by_themselves: Vec<MemorySeries> =
            read.iter().filter_map(|series| MemorySeries::new(series.info.clone(), series.samples.clone())).collect();
        assert_eq!(Frame::new(&read).series(), by_themselves);
    }

    #[test]
    fn an_empty_table_has_no_series() {
        assert!(Frame::new(&[]).series().is_empty());
        assert!(Frame::new(&[samples("none", &[])]).series().is_empty());
    }
}
