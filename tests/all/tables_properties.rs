//! Whatever the order of rows, the size of row groups and the nulls among them: the same series.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use leaktrend::decode::{GivenColumns, Options, SamplesOption};
use leaktrend::open::Source;
use leaktrend::read::readings;
use polars::prelude::{Column, DataFrame, ParquetWriter};
use proptest::prelude::*;

/// A row: the name of its container, its time, its memory.
type Row = (Option<u8>, Option<u16>, Option<u32>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let some = |share: f64| move |n: u16| prop::option::weighted(share, 0..n);
    let name = prop::option::weighted(0.97, 0u8..5);
    let memory = prop::option::weighted(0.9, 20_000_000u32..900_000_000);
    prop::collection::vec((name, some(0.97)(400), memory), 1..300).prop_shuffle()
}

const START: i64 = 1_795_464_000;

fn name(number: u8) -> String {
    // Short names stand in the views of an array themselves, long ones elsewhere.
    if number.is_multiple_of(2) { format!("c{number}") } else { format!("a-container-with-a-long-name-{number}") }
}

fn write(path: &Path, rows: &[Row], row_group: usize) {
    let names: Vec<Option<String>> = rows.iter().map(|(of, ..)| of.map(name)).collect();
    let times: Vec<Option<i64>> =
        rows.iter().map(|(_, time, _)| time.map(|time| START + 60 * i64::from(time))).collect();
    let memory: Vec<Option<f64>> = rows.iter().map(|(.., memory)| memory.map(f64::from)).collect();
    let columns =
        vec![Column::new("value".into(), memory), Column::new("name".into(), names), Column::new("time".into(), times)];
    let mut table = DataFrame::new(rows.len(), columns).unwrap();
    let writer = ParquetWriter::new(File::create(path).unwrap());
    writer.with_row_group_size(Some(row_group)).finish(&mut table).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn rows_in_any_order_are_the_same_series(rows in rows(), row_group in 1usize..100) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        write(&path, &rows, row_group);
        let options = Options {
            format: None,
            interval: None,
            end_ms: None,
            samples: SamplesOption::Auto,
            unit: None,
            columns: GivenColumns::default(),
        };
        let read = readings(&[Source::File(path)], &options);

        let mut expected: BTreeMap<String, BTreeMap<i64, f64>> = BTreeMap::new();
        let (mut n_gaps, mut n_rejected, mut n_samples) = (0, 0, 0);
        for row in &rows {
            match row {
                (None, ..) | (_, None, _) => n_rejected += 1,
                (_, _, None) => n_gaps += 1,
                (Some(of), Some(time), Some(memory)) => {
                    n_samples += 1;
                    let time_ms = (START + 60 * i64::from(*time)) * 1000;
                    expected.entry(name(*of)).or_default().insert(time_ms, f64::from(*memory));
                }
            }
        }
        let found: BTreeMap<String, BTreeMap<i64, f64>> = read
            .series
            .iter()
            .map(|series| {
                let samples = &series.samples;
                assert!(samples.time_ms.is_sorted_by(|a, b| a < b));
                let readings = samples.time_ms.iter().copied().zip(samples.used_bytes.iter().copied());
                (series.info.id.clone(), readings.collect())
            })
            .collect();
        prop_assert_eq!(found, expected);
        let input = &read.inputs[0];
        // Of rows at one time of a series the last one is a reading; the others are counted beside.
        let n_distinct: usize = read.series.iter().map(|series| series.samples.len()).sum();
        prop_assert_eq!(input.samples, n_distinct as u64);
        prop_assert_eq!(input.samples + input.other_lines, n_samples);
        prop_assert_eq!((input.gaps, input.rejected_count), (n_gaps, n_rejected));
        prop_assert_eq!(input.lines, Some(rows.len() as u64));
    }
}
