//! The long table of all samples: the only file that names polars.
//!
//! Takes the samples of series as they were read and writes them in time order as Parquet files: for notebooks, and as
//! the history of `nightly`, which it reads back. Nulls and chunks end here.

use std::fs::File;
use std::io;
use std::path::Path;

use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, NamedFrom, ParquetCompression, ParquetReader, ParquetWriter, PolarsError,
    PolarsResult, SerReader, Series, SortMultipleOptions, TimeUnit,
};

use crate::ingest::SeriesSamples;
use crate::series::{Samples, SeriesInfo};

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

/// So many rows are written to a file at a time, at least.
const ROW_GROUP: usize = 1 << 18;

/// The columns of the table of one series.
fn samples_of(table: DataFrame) -> PolarsResult<Samples> {
    let mut samples = Samples::default();
    for column in table.into_columns() {
        match column.name().as_str() {
            TIME_MS => samples.time_ms = column.i64()?.into_no_null_iter().collect(),
            USED_BYTES => samples.used_bytes = column.f64()?.into_no_null_iter().collect(),
            QUANTUM_BYTES => samples.quantum_bytes = column.f32()?.into_no_null_iter().collect(),
            MARKS => samples.marks = column.u32()?.into_no_null_iter().map(|marks| marks as u8).collect(),
            _ => {}
        }
    }
    Ok(samples)
}

/// Writes one row per sample, ordered by series and time: `series`, `container`, `time` (UTC), `used_bytes`,
/// `quantum_bytes`, `limit_bytes` (null where none is known) and `marks`. Compressed with Zstandard.
///
/// Some series are written at a time, so that no more is held than their rows.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write_parquet(series: &[SeriesSamples], file: &mut File) -> io::Result<()> {
    let writer = ParquetWriter::new(io::BufWriter::new(file)).with_compression(ParquetCompression::Zstd(None));
    let mut writer = readable(&[]).and_then(|empty| writer.batched(empty.schema())).map_err(into_io)?;
    let mut rest = series;
    while !rest.is_empty() {
        let mut n_rows = 0;
        let is_begun = |series: &&SeriesSamples| {
            let is_short = n_rows < ROW_GROUP;
            n_rows += series.samples.len();
            is_short
        };
        let (group, others) = rest.split_at(rest.iter().take_while(is_begun).count());
        writer.write_batch(&readable(group).map_err(into_io)?).map_err(into_io)?;
        rest = others;
    }
    writer.finish().map_err(into_io)?;
    Ok(())
}

/// The samples of some series as they are written for others.
fn readable(series: &[SeriesSamples]) -> PolarsResult<DataFrame> {
    let samples: Vec<&Samples> = series.iter().map(|series| &series.samples).collect();
    let mut table = table(&samples);
    if !samples.iter().all(|samples| samples.time_ms.is_sorted()) {
        let order = SortMultipleOptions::default().with_maintain_order(true);
        table = table.sort([SERIES, TIME_MS], order)?;
    }
    let index = table.column(SERIES)?.u32()?;
    let of = |value: &dyn Fn(&SeriesInfo) -> String| -> Vec<String> {
        index.into_no_null_iter().map(|index| value(&series[index as usize].info)).collect()
    };
    let limit = |index: u32| series[index as usize].info.limit.map(|limit| limit.bytes);
    let limits: Vec<Option<f64>> = index.into_no_null_iter().map(limit).collect();
    let time = table.column(TIME_MS)?.cast(&DataType::Datetime(TimeUnit::Milliseconds, None))?;
    DataFrame::new(
        table.height(),
        vec![
            Series::new(SERIES.into(), of(&|info| info.id.clone())).into_column(),
            Series::new("container".into(), of(&|info| info.container().to_owned())).into_column(),
            time.with_name("time".into()),
            table.column(USED_BYTES)?.clone(),
            table.column(QUANTUM_BYTES)?.clone(),
            Series::new("limit_bytes".into(), limits).into_column(),
            table.column(MARKS)?.clone(),
        ],
    )
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
            Column::new(QUANTUM_BYTES.into(), columns.quantum_bytes.iter().collect::<Vec<f32>>()),
            Column::new(MARKS.into(), marks),
        ],
    )
    .expect("the columns have one length and different names")
}

fn into_io(error: PolarsError) -> io::Error {
    io::Error::other(error)
}

/// Writes the samples to `path`, by rename: a file that stood there stays whole until the new one is.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write(series: &[SeriesSamples], path: &Path) -> io::Result<()> {
    crate::report::files::replace(path, |file| write_parquet(series, file))
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
        let index = group.column(SERIES).and_then(|column| column.u32()).map_err(into_io)?.get(0);
        let index = index.expect("a group has a row, and a row its series") as usize;
        let samples = samples_of(group).map_err(into_io)?;
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

    #[test]
    fn rows_are_in_order_of_time_and_those_of_one_time_in_order_of_reading() {
        let all = [
            samples("web", &[(20, 2.0), (10, 1.0), (20, 2.5), (30, 3.0)]),
            samples("none", &[]),
            samples("api", &[(15, 7.0), (5, 8.0)]),
        ];
        let mut file = tempfile::tempfile().unwrap();
        write_parquet(&all, &mut file).unwrap();
        let table = ParquetReader::new(file).finish().unwrap();
        let used: Vec<f64> = table.column(USED_BYTES).unwrap().f64().unwrap().into_no_null_iter().collect();
        assert_eq!(used, [1.0, 2.0, 2.5, 3.0, 8.0, 7.0]);
    }

    /// Series before, at and after the end of a group of rows are all in the file.
    #[test]
    fn a_file_of_many_groups_holds_every_row() {
        let readings: Vec<(i64, f64)> = (0..=ROW_GROUP as i64 / 2).map(|time| (time, 1.0)).collect();
        let names: Vec<String> = (0..5).map(|index| format!("c{index}")).collect();
        let all: Vec<SeriesSamples> = names.iter().map(|name| samples(name, &readings)).collect();
        let mut file = tempfile::tempfile().unwrap();
        write_parquet(&all, &mut file).unwrap();
        let table = ParquetReader::new(file).finish().unwrap();
        assert_eq!(table.height(), 5 * readings.len());
        let groups = table.partition_by_stable([SERIES], true).unwrap();
        assert!(groups.iter().all(|group| group.height() == readings.len()));
        assert_eq!(groups.len(), 5);
    }
}
