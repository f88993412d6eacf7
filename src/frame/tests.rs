use polars::prelude::{ParquetReader, SerReader};

use super::*;
use crate::series::{Labels, Marks, Metric, Sampling};

fn samples(id: &str, readings: &[(i64, f64)]) -> SeriesSamples {
    let mut samples = Samples::default();
    for (time_ms, bytes) in readings {
        samples.push(*time_ms, *bytes, 0.5, Marks::COUNTER_RESET);
    }
    let info = SeriesInfo {
        id: id.to_owned(),
        labels: Labels::new(),
        limit: None,
        metric: Metric::Other,
        container_given: true,
        sampling: Sampling::Raw,
    };
    SeriesSamples { info, samples, inputs: vec![0] }
}

fn frame(series: Vec<SeriesSamples>) -> SampleFrame {
    SampleFrame::new(Readings::of(series))
}

/// The values of a column of 64-bit floats.
fn values(table: &DataFrame, column: &str) -> Vec<f64> {
    table.column(column).unwrap().f64().unwrap().into_no_null_iter().collect()
}

fn some() -> SampleFrame {
    frame(vec![
        samples("web", &[(20, 2.0), (10, 1.0), (20, 2.5), (30, 3.0)]),
        samples("none", &[]),
        samples("api", &[(15, 7.0), (5, 8.0)]),
    ])
}

#[test]
fn rows_are_in_order_of_time_and_the_later_reading_of_one_time_is_kept() {
    let frame = some();
    assert_eq!(values(frame.table(), USED_BYTES), [1.0, 2.5, 3.0, 8.0, 7.0]);
    let series: Vec<u32> = frame.table().column(SERIES).unwrap().u32().unwrap().into_no_null_iter().collect();
    assert_eq!(series, [0, 0, 0, 2, 2]);
    let types: Vec<String> = frame.table().dtypes().iter().map(ToString::to_string).collect();
    assert_eq!(types, ["u32", "datetime[ms, UTC]", "f64", "f32", "u8"]);
    assert_eq!(frame.series().iter().map(|series| series.n_samples).collect::<Vec<_>>(), [3, 0, 2]);
}

#[test]
fn series_come_out_as_they_went_in() {
    let series = some().into_series();
    assert_eq!(series.iter().map(|series| series.info.id.as_str()).collect::<Vec<_>>(), ["web", "api"]);
    assert_eq!(series[0].time_ms(), [10, 20, 30]);
    assert_eq!(series[1].used_bytes(), [8.0, 7.0]);
    assert_eq!(series[1].marks(1), Marks::COUNTER_RESET);
    assert_eq!(series[0].resolution_bytes().median(), Some(0.5));
}

/// Columns go in and out at their place in memory: a frame of millions of samples is held once.
#[test]
fn columns_are_not_copied() {
    let samples = samples("web", &[(10, 1.0), (20, 2.0)]);
    let (times, bytes) = (samples.samples.time_ms.as_ptr(), samples.samples.used_bytes.as_ptr());
    let series = frame(vec![samples]).into_series();
    assert_eq!((series[0].time_ms().as_ptr(), series[0].used_bytes().as_ptr()), (times, bytes));
}

#[test]
fn what_is_dropped_is_gone_from_the_table() {
    let mut frame = some();
    frame.retain(|info| info.id != "web");
    assert_eq!(values(frame.table(), USED_BYTES), [8.0, 7.0]);
    let series: Vec<u32> = frame.table().column(SERIES).unwrap().u32().unwrap().into_no_null_iter().collect();
    assert_eq!(series, [1, 1]);
    assert_eq!(frame.into_series()[0].used_bytes(), [8.0, 7.0]);
}

/// Series before, at and after the end of a group of rows are all in the file.
#[test]
fn a_file_of_many_groups_holds_every_row() {
    let readings: Vec<(i64, f64)> = (0..=parquet::ROW_GROUP as i64 / 2).map(|time| (time, 1.0)).collect();
    let frame = frame((0..5).map(|index| samples(&format!("c{index}"), &readings)).collect());
    let mut file = tempfile::tempfile().unwrap();
    parquet::write(&frame, &mut file).unwrap();
    let table = ParquetReader::new(file).finish().unwrap();
    assert_eq!(table.height(), 5 * readings.len());
    let groups = table.partition_by_stable([SERIES], true).unwrap();
    assert!(groups.iter().all(|group| group.height() == readings.len()));
    assert_eq!(groups.len(), 5);
}

/// Series of no rows at the end make no empty group, and none at all a file with its columns.
#[test]
fn a_frame_without_rows_is_a_table_with_columns() {
    let mut file = tempfile::tempfile().unwrap();
    parquet::write(&frame(vec![samples("none", &[])]), &mut file).unwrap();
    let table = ParquetReader::new(file).finish().unwrap();
    assert_eq!((table.height(), table.width()), (0, 10));
}

#[test]
fn a_table_that_is_none_of_samples_is_refused_in_words() {
    use polars::prelude::df;

    let refused = |table: DataFrame| SampleFrame::from_table(&table).unwrap_err().to_string();
    insta::assert_snapshot!(
        refused(df!("pod" => ["a"], "time" => [1_i64], "used_bytes" => [1.0]).unwrap()),
        @"cannot use the table: it has no column `container` or `series` (found `pod` (str), `time` (i64), `used_bytes` (f64))"
    );
    insta::assert_snapshot!(
        refused(df!("container" => ["a"], "time" => ["noon"], "used_bytes" => [1.0]).unwrap()),
        @"cannot use the table: its column `time` is of type str (expected a datetime, or 64-bit integers: milliseconds since 1970)"
    );
    insta::assert_snapshot!(
        refused(df!("container" => ["a", "a"], "time" => [1_i64, 2], "used_bytes" => [1.0, -2.0]).unwrap()),
        @"cannot use the table: row 1 has -2 as `used_bytes` (expected bytes: a finite number, 0 or more)"
    );
}

/// Rows in any order, integers, and a value that is missing.
#[test]
fn rows_of_a_table_may_stand_in_any_order() {
    use polars::prelude::df;

    let table = df!(
        "series" => ["b", "a", "b", "a"], "time" => [20_i64, 10, 10, 20], "used_bytes" => [Some(4_u64), Some(1), Some(3), None]
    )
    .unwrap();
    let frame = SampleFrame::from_table(&table).unwrap();
    assert_eq!(values(frame.table(), USED_BYTES), [3.0, 4.0, 1.0]);
}
