//! The frame as a Parquet file: for notebooks, engines, and to be read again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use polars::prelude::{
    ChunkFull, ChunkFullNull, Column, DataFrame, Float64Chunked, IntoColumn, KeyValueMetadata, NewChunkedArray,
    ParquetCompression, ParquetWriter, PlSmallStr, PolarsResult, StringChunked,
};

use super::{SampleFrame, SeriesEntry, into_io};
use crate::decode::table::own::{self, Provenance};

/// So many rows are written as a row group, at least: whole series.
pub(super) const ROW_GROUP: usize = 1 << 18;

/// Writes one row per sample, ordered by series and time, compressed with Zstandard. A group of rows at a time, so that
/// no more is held than its columns.
pub(super) fn write(frame: &SampleFrame, file: &mut File) -> io::Result<()> {
    let provenance = serde_json::to_string(&provenance(frame)).map_err(io::Error::other)?;
    let metadata = KeyValueMetadata::from_static(vec![(own::METADATA.to_owned(), provenance)]);
    let writer = ParquetWriter::new(io::BufWriter::new(file))
        .with_compression(ParquetCompression::Zstd(None))
        .with_key_value_metadata(Some(metadata));
    let nothing = group(&[], &frame.table.slice(0, 0)).map_err(into_io)?;
    let mut writer = writer.batched(nothing.schema()).map_err(into_io)?;
    let mut rest = frame.series.as_slice();
    let mut first_row = 0;
    while !rest.is_empty() {
        let mut n_rows = 0;
        let n_series = rest.iter().take_while(|series| {
            let is_begun = n_rows < ROW_GROUP;
            n_rows += if is_begun { series.n_samples } else { 0 };
            is_begun
        });
        let (series, others) = rest.split_at(n_series.count());
        if 0 < n_rows {
            let rows = frame.table.slice(first_row as i64, n_rows);
            writer.write_batch(&group(series, &rows).map_err(into_io)?).map_err(into_io)?;
        }
        first_row += n_rows;
        rest = others;
    }
    writer.finish().map_err(into_io)?;
    Ok(())
}

/// What belongs to the frame beside its rows.
fn provenance(frame: &SampleFrame) -> Provenance {
    let all: Vec<usize> = (0..frame.inputs.len()).collect();
    let of_some = frame.series.iter().filter(|series| series.inputs != all);
    let without_rows = frame.series.iter().filter(|series| series.n_samples == 0);
    Provenance {
        rows: frame.table.height() as u64,
        timeline: frame.timeline,
        inputs: frame.inputs.clone(),
        inputs_of: of_some.map(|series| (series.info.id.clone(), series.inputs.clone())).collect(),
        without_rows: without_rows.map(|series| series.info.id.clone()).collect(),
        reported: frame.reported.clone(),
    }
}

/// The rows of some series as they are written for others.
fn group(series: &[SeriesEntry], rows: &DataFrame) -> PolarsResult<DataFrame> {
    let text = |name: &'static str, of: &dyn Fn(&SeriesEntry) -> String| -> PolarsResult<Column> {
        let mut column = StringChunked::full_null(PlSmallStr::from_static(name), 0);
        for series in series.iter().filter(|series| 0 < series.n_samples) {
            column.append_owned(StringChunked::full(PlSmallStr::EMPTY, &of(series), series.n_samples))?;
        }
        Ok(column.rechunk().into_owned().into_column())
    };
    let limits = series
        .iter()
        .flat_map(|series| std::iter::repeat_n(series.info.limit.map(|limit| limit.bytes), series.n_samples));
    let limits = Float64Chunked::from_iter_options(PlSmallStr::from_static(own::LIMIT_BYTES), limits);
    let labels = |series: &SeriesEntry| {
        let given = |(key, _): &(&String, &String)| series.info.container_given || *key != "container";
        let labels: BTreeMap<&String, &String> = series.info.labels.iter().filter(given).collect();
        serde_json::to_string(&labels).expect("texts can be written")
    };
    let mut own = vec![
        text(own::SERIES, &|series| series.info.id.clone())?,
        text(own::CONTAINER, &|series| series.info.container().to_owned())?,
        text(own::LABELS, &labels)?,
        text(own::METRIC, &|series| series.info.metric.name().to_owned())?,
        text(own::SAMPLING, &|series| series.info.sampling.name().to_owned())?,
    ];
    let mut rows = rows.clone();
    rows.rechunk_mut();
    own.extend(
        [own::TIME, own::USED_BYTES, own::RESOLUTION_BYTES]
            .iter()
            .map(|name| rows.column(name).cloned())
            .collect::<PolarsResult<Vec<_>>>()?,
    );
    own.push(limits.into_column());
    own.push(rows.column(own::FLAGS)?.clone());
    DataFrame::new(rows.height(), own)
}
