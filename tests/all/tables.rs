//! Parquet and Arrow tables of Python polars, pyarrow, pandas and `DuckDB` give the series of the same data as CSV.
//!
//! `tests/reference/tables.py` wrote the files in `tests/reference/tables/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use leaktrend::account::{Format, Input};
use leaktrend::counts::{self, CountSources, Counts, Given, Kind};
use leaktrend::decode::{GivenColumns, Options, SamplesOption};
use leaktrend::open::Source;
use leaktrend::read::readings;
use leaktrend::resolve::Readings;

use crate::common::Random;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/tables")
}

fn options() -> Options {
    Options {
        format: None,
        interval: None,
        end_ms: None,
        samples: SamplesOption::Auto,
        unit: None,
        columns: GivenColumns::default(),
    }
}

fn read_with(path: &Path, options: &Options) -> Readings {
    readings(&[Source::File(path.to_owned())], options)
}

fn read(name: &str) -> Readings {
    read_with(&folder().join(name), &options())
}

/// The readings of each series, in order of time.
fn by_name(readings: &Readings) -> BTreeMap<String, Vec<(i64, f64)>> {
    let of_one = |series: &leaktrend::decode::SeriesSamples| {
        let samples = series.samples.clone().in_time_order();
        (series.info.id.clone(), samples.time_ms.into_iter().zip(samples.used_bytes).collect())
    };
    readings.series.iter().map(of_one).collect()
}

/// What must be known of an input, without its folder.
fn account(input: &Input) -> String {
    let mut text = format!(
        "{} samples of {} series, {} gaps, {} other, {} rejected, {:?} lines and {}{}\n",
        input.samples,
        input.series,
        input.gaps,
        input.other_lines,
        input.rejected_count,
        input.lines,
        input.further,
        if input.incomplete { ", incomplete" } else { "" },
    );
    input.warnings.iter().for_each(|warning| text.push_str(&format!("warning: {warning}\n")));
    for rejected in &input.rejected {
        text.push_str(&format!("row {}: `{}`: {}\n", rejected.line, rejected.text, rejected.why));
    }
    input.unusable.iter().for_each(|why| text.push_str(&format!("unusable: {why}\n")));
    text
}

fn refusal(path: &Path) -> String {
    let readings = read_with(path, &options());
    assert_eq!(readings.series, [], "{}", path.display());
    let why = readings.inputs[0].unusable.as_ref().unwrap_or_else(|| panic!("{} is used", path.display()));
    why.to_string()
}

#[test]
fn tables_of_other_programs_give_the_series_of_the_same_data_as_csv() {
    let expected = by_name(&read("long.csv"));
    assert_eq!(expected.len(), 2);
    let arrow = ["arrow", "feather", "ipc"];
    let mut n_files = 0;
    for name in [
        "polars-ms.parquet",
        "polars-us.parquet",
        "polars-ns.parquet",
        "polars-zone.parquet",
        "polars-zone.arrow",
        "polars-shuffled.parquet",
        "polars-shuffled.feather",
        "polars-categorical.parquet",
        "polars-enum.arrow",
        "polars-forecast.parquet",
        "polars-stream.ipc",
        "polars-wide.parquet",
        "pyarrow-int96.parquet",
        "pyarrow-decimal.parquet",
        "pyarrow-float32-mib.parquet",
        "pyarrow-uint64.parquet",
        "pyarrow-dictionary.parquet",
        "pyarrow-dictionary.feather",
        "pyarrow-plain.feather",
        "pyarrow-text.parquet",
        "pandas-categorical.parquet",
        "duckdb-zone.parquet",
        "duckdb-naive.parquet",
        "parts",
    ] {
        let readings = read(name);
        let input = &readings.inputs[0];
        assert_eq!(input.unusable, None, "{name}");
        assert!(by_name(&readings) == expected, "{name}");
        assert_eq!((input.samples, input.series, input.rejected_count), (96, 2, 0), "{name}");
        let is_arrow = arrow.iter().any(|ending| name.ends_with(ending));
        assert_eq!(input.format, Some(if is_arrow { Format::Arrow } else { Format::Parquet }), "{name}");
        n_files += 1;
    }
    assert_eq!(by_name(&read("wide.csv")), expected);
    assert_eq!(n_files, 24);
}

/// A time without a zone is UTC, and that is said; one with a zone needs no word.
#[test]
fn what_times_leave_out_is_said() {
    let warnings = |name: &str| leaktrend::report::words::warnings(&read(name).inputs[0]).join("\n");
    for name in ["polars-zone.parquet", "polars-ms.parquet", "duckdb-zone.parquet", "pyarrow-text.parquet"] {
        assert_eq!(warnings(name), "", "{name}");
    }
    for name in ["pyarrow-int96.parquet", "duckdb-naive.parquet", "pyarrow-dictionary.feather"] {
        assert_eq!(
            warnings(name),
            "timestamps without a time zone are read as UTC, such as `2026-11-23T20:00:00`",
            "{name}"
        );
    }
}

/// How finely values could be written is known by their decimals, as in text.
#[test]
fn values_are_as_fine_as_they_are_written() {
    let finest = |name: &str| read(name).series.iter().map(|series| series.samples.resolution_bytes.get(0)).collect();
    let expected: [(&str, Vec<f32>); 4] = [
        ("polars-ms.parquet", vec![1.0, 1.0]),
        ("pyarrow-decimal.parquet", vec![10.24, 10.24]),
        ("pyarrow-text.parquet", vec![102_400.0, 102_400.0]),
        ("pyarrow-uint64.parquet", vec![1.0, 1.0]),
    ];
    for (name, resolutions) in expected {
        let found: Vec<f32> = finest(name);
        assert_eq!(found, resolutions, "{name}");
    }
}

#[test]
fn namespaces_pods_and_limits_are_found_by_name() {
    let readings = read("pyarrow-limit.parquet");
    insta::assert_snapshot!(account(&readings.inputs[0]), @r#"
        96 samples of 2 series, 0 gaps, 0 other, 0 rejected, Some(96) lines and 0
        warning: columns that are not the memory of a container are left out: `note`
        "#);
    let series = &readings.series[0].info;
    assert_eq!(series.id, "shop/web/main");
    assert_eq!(series.limit.map(|limit| limit.bytes), Some(f64::from(1 << 30)));
    let labels: Vec<(&str, &str)> = series.labels.iter().map(|(key, label)| (key.as_str(), label.as_str())).collect();
    assert_eq!(labels, [("container", "main"), ("namespace", "shop"), ("pod", "web")]);
}

#[test]
fn columns_of_any_name_are_read_where_the_user_says_what_they_are() {
    insta::assert_snapshot!(refusal(&folder().join("given.parquet")), @"no column of time was found in it: its columns are `at` (timestamp[us]), `who` (text), `where` (text), `m` (int64) (expected a time, the name of a container and its memory; say which they are with `--column time=NAME --column series=NAME --column value=NAME`)");
    let text = |text: &str| Some(text.to_owned());
    let series = vec!["where".to_owned(), "who".to_owned()];
    let columns = GivenColumns { time: text("at"), value: text("M"), series, limit: None };
    let readings = read_with(&folder().join("given.parquet"), &Options { columns: columns.clone(), ..options() });
    assert_eq!(readings.inputs[0].unusable, None);
    let found: BTreeMap<String, Vec<(i64, f64)>> = by_name(&readings);
    let expected = by_name(&read("long.csv"));
    let expected = expected.into_iter().map(|(name, readings)| (format!("eu/{name}"), readings)).collect();
    assert!(found == expected);
    let label = readings.series[0].info.labels.get("where").map(String::as_str);
    assert_eq!(label, Some("eu"));

    let missing = GivenColumns { value: text("bytes"), ..columns.clone() };
    let readings = read_with(&folder().join("given.parquet"), &Options { columns: missing, ..options() });
    insta::assert_snapshot!(readings.inputs[0].unusable.clone().unwrap(), @"it has no column `bytes`, which `--column value=bytes` names (expected one of `at` (timestamp[us]), `who` (text), `where` (text), `m` (int64))");

    // The same of a CSV.
    let work = tempfile::tempdir().unwrap();
    let csv = work.path().join("given.csv");
    let long = fs::read_to_string(folder().join("long.csv")).unwrap();
    let rows = long.replace("time,container,used_bytes", "at,who,m,where").replace('\n', ",eu\n");
    fs::write(&csv, rows.replacen(",eu\n", "\n", 1)).unwrap();
    let of_csv = read_with(&csv, &Options { columns: columns.clone(), ..options() });
    assert_eq!(by_name(&of_csv), found);
    let missing = GivenColumns { value: text("bytes"), ..columns };
    let readings = read_with(&csv, &Options { columns: missing, ..options() });
    insta::assert_snapshot!(readings.inputs[0].unusable.clone().unwrap(), @"it has no column `bytes`, which `--column value=bytes` names (expected one of `at`, `who`, `m`, `where`)");
}

#[test]
fn nulls_are_gaps_and_what_is_no_reading_is_rejected_with_its_row() {
    insta::assert_snapshot!(account(&read("nulls.parquet").inputs[0]), @r#"
        90 samples of 2 series, 1 gaps, 0 other, 5 rejected, Some(96) lines and 0
        row 4: `null, 220358656`: it has no time (expected a date with a time, or seconds, milliseconds, microseconds or nanoseconds since 1970)
        row 5: `2026-11-23T20:30:00Z, 209872896`: it names no container
        row 7: `2026-11-23T20:45:00Z, NaN`: its memory is not a number (expected an amount, or null where there is none)
        row 8: `2026-11-23T20:45:00Z, -1`: its memory is negative (expected an amount of memory)
        row 9: `2026-11-23T21:00:00Z, 1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000`: its memory is out of range (expected 0 to 2^53 bytes)
        "#);
    insta::assert_snapshot!(account(&read("absurd-times.parquet").inputs[0]), @r#"
        93 samples of 2 series, 0 gaps, 0 other, 3 rejected, Some(96) lines and 0
        warning: 1 reading is dated more than ten years from the others, the first in `web` at 2116-02-20T23:53:38.427Z: left out (was a clock not set?)
        row 1: `-5, 209715200`: it has no time (expected a date with a time, or seconds, milliseconds, microseconds or nanoseconds since 1970)
        row 2: `12, 220200960`: it has no time (expected a date with a time, or seconds, milliseconds, microseconds or nanoseconds since 1970)
        "#);
}

#[test]
fn what_cannot_be_mapped_is_refused_with_its_columns() {
    let of = |name: &str| refusal(&folder().join(name));
    insta::assert_snapshot!(of("no-time.parquet"), @"no column of time was found in it: its columns are `container` (text), `used_bytes` (int64) (expected a time, the name of a container and its memory; say which they are with `--column time=NAME --column series=NAME --column value=NAME`)");
    insta::assert_snapshot!(of("nested.parquet"), @"its column `used_bytes` does not hold memory: its columns are `time` (timestamp[us, UTC]), `container` (text), `used_bytes` (list) (expected a time, the name of a container and its memory; say which they are with `--column time=NAME --column series=NAME --column value=NAME`)");
    insta::assert_snapshot!(of("nested-names.parquet"), @"its column `container` does not hold names: its columns are `time` (timestamp[us, UTC]), `container` (struct), `used_bytes` (int64) (expected a time, the name of a container and its memory; say which they are with `--column time=NAME --column series=NAME --column value=NAME`)");
    insta::assert_snapshot!(of("truths.parquet"), @"its column `time` does not hold times: its columns are `time` (boolean), `container` (text), `used_bytes` (int64) (expected a time, the name of a container and its memory; say which they are with `--column time=NAME --column series=NAME --column value=NAME`)");
    insta::assert_snapshot!(of("text-beside.parquet"), @"it is not clear which of its columns names the container and which is its memory (does `zone` name the container?): its columns are `time` (timestamp[us, UTC]), `zone` (text), `m1` (int64), `m2` (int64) (expected a time, the name of a container and its memory; say which they are with `--column time=NAME --column series=NAME --column value=NAME`)");
    insta::assert_snapshot!(of("no-rows.parquet"), @"its table has no rows (expected one for each reading)");
    insta::assert_snapshot!(of("small.parquet"), @r#"its numbers without a unit are 200 to 213.91015625, less than 1 MiB, so they are not bytes of a container (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`; if they are MiB, pass `--unit MiB`; KiB, GiB, kB, MB and GB work too)"#);
    insta::assert_snapshot!(of("twice.parquet"), @"two of its columns are called `value` (expected different names: rename one)");
    insta::assert_snapshot!(of("twice.arrow"), @"two of its columns have the same name (expected different names: rename one)");
}

#[test]
fn numbers_count_what_the_user_says() {
    let expected = by_name(&read("long.csv"));
    let unit = Some(f64::from(1 << 20));
    let readings = read_with(&folder().join("small.parquet"), &Options { unit, ..options() });
    assert!(by_name(&readings) == expected);
    assert_eq!(readings.series[0].samples.resolution_bytes.get(0), 1.0);
}

/// Its folders are columns, and what engines leave beside the tables is not read.
#[test]
fn a_folder_is_one_table() {
    let readings = read("hive");
    insta::assert_snapshot!(account(&readings.inputs[0]), @r#"
        96 samples of 2 series, 0 gaps, 0 other, 0 rejected, Some(96) lines and 0
        warning: columns that are not the memory of a container are left out: `day`
        "#);
    let expected = by_name(&read("long.csv"));
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(name, readings)| (format!("shop/{name}"), readings)).collect();
    assert_eq!(by_name(&readings), expected);

    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("web.log"), "a log").unwrap();
    insta::assert_snapshot!(refusal(work.path()), @"it is a directory without tables (expected files that end in .parquet, .arrow, .feather or .ipc; give logs and other files by their names)");
    // A file that cannot be used is said by its name, and the others are read.
    fs::copy(folder().join("polars-ms.parquet"), work.path().join("a.parquet")).unwrap();
    fs::write(work.path().join("b.parquet"), "PAR1").unwrap();
    fs::write(work.path().join("_c.parquet"), "PAR1").unwrap();
    let readings = read_with(work.path(), &options());
    assert_eq!(readings.inputs.len(), 2);
    assert_eq!((readings.inputs[0].samples, &readings.inputs[0].unusable), (96, &None));
    assert!(readings.inputs[1].path.ends_with("b.parquet"));
    assert!(readings.inputs[1].unusable.is_some());
}

/// Several files of one table, given by their names, are one as well; the same reading may stand in two of them.
#[test]
fn a_series_may_be_spread_over_files() {
    let part = |n: usize| Source::File(folder().join(format!("parts/part-0000{n}-0c1e.snappy.parquet")));
    let all = Source::File(folder().join("polars-us.parquet"));
    let expected = by_name(&read("long.csv"));
    for sources in [vec![part(2), part(0), part(1)], vec![part(1), all]] {
        let readings = readings(&sources, &options());
        assert_eq!(by_name(&readings), expected);
        assert!(readings.inputs.iter().all(|input| input.warnings.is_empty()), "{:?}", readings.inputs);
        assert_eq!(readings.series[0].inputs.len(), sources.len());
    }
    // Two values at one time are of two series.
    let work = tempfile::tempdir().unwrap();
    let other = work.path().join("other.csv");
    fs::write(&other, "time,web\n1795464000,5000000\n1795464900,5000000\n").unwrap();
    let of_both = readings(&[part(0), part(0), Source::File(other)], &options());
    assert_eq!(of_both.series.len(), 3);
}

/// Standard input, `.gz` and `.zst` are read as files are.
#[test]
fn compressed_tables_are_read() {
    let work = tempfile::tempdir().unwrap();
    let expected = by_name(&read("long.csv"));
    for name in ["polars-us.parquet", "polars-zone.arrow", "polars-stream.ipc"] {
        let bytes = fs::read(folder().join(name)).unwrap();
        let path = work.path().join(format!("{name}.gz"));
        let mut gzip = flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, &bytes).unwrap();
        gzip.finish().unwrap();
        assert_eq!(by_name(&read_with(&path, &options())), expected, "{name}");
        let path = work.path().join(format!("{name}.zst"));
        fs::write(&path, zstd::encode_all(bytes.as_slice(), 1).unwrap()).unwrap();
        assert_eq!(by_name(&read_with(&path, &options())), expected, "{name}");
    }
    // Half of a compressed file is no table.
    let gz = work.path().join("polars-us.parquet.gz");
    let bytes = fs::read(&gz).unwrap();
    fs::write(&gz, &bytes[..bytes.len() / 2]).unwrap();
    let readings = read_with(&gz, &options());
    assert!(readings.inputs[0].unusable.is_some() && readings.inputs[0].incomplete);
}

/// Damaged at any place, a file is refused or read, and nothing panics or hangs.
#[test]
fn damaged_tables_are_refused_with_a_message() {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("damaged");
    let check = |bytes: &[u8], is_whole: bool| {
        fs::write(&path, bytes).unwrap();
        let readings = read_with(&path, &options());
        let input = &readings.inputs[0];
        if let Some(why) = &input.unusable {
            let why = why.to_string();
            assert!(why.len() < 600 && why.contains("expected"), "{why}");
            assert!(input.samples == 0 && readings.series.is_empty());
        }
        assert!(!is_whole || input.unusable.is_none());
        let n: u64 = readings.series.iter().map(|series| series.samples.len() as u64).sum();
        assert!(n <= input.samples);
        input.unusable.clone()
    };
    insta::assert_snapshot!(check(b"PAR1", false).unwrap(), @"it is truncated or damaged: parquet: File out of specification: A Parquet file must contain a header and footer with at least 12 bytes (expected a complete file: copy it again)");
    insta::assert_snapshot!(check(b"PAR1\0\0\0\0\0\0\0\0\0\0\0\0", false).unwrap(), @"it is truncated or damaged: parquet: File out of specification: The file must end with PAR1 (expected a complete file: copy it again)");
    insta::assert_snapshot!(check(b"ARROW1\0\0", false).unwrap(), @"it is truncated or damaged: Invalid argument (os error 22) (expected a complete file: copy it again)");
    insta::assert_snapshot!(check(b"ARROW1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", false).unwrap(), @"it is truncated or damaged: out-of-spec: InvalidFooter (expected a complete file: copy it again)");
    insta::assert_snapshot!(check(&[0xff, 0xff, 0xff, 0xff, 0x10, 0, 0, 0], false).unwrap(), @"it is truncated or damaged: a batch is longer than the file (expected a complete file: copy it again)");
    let mut random = Random::seeded(7);
    for name in
        ["polars-us.parquet", "pyarrow-uint64.parquet", "polars-enum.arrow", "polars-stream.ipc", "nulls.parquet"]
    {
        let whole = fs::read(folder().join(name)).unwrap();
        check(&whole, true);
        for _ in 0..40 {
            let length = random.below(whole.len() as i64) as usize;
            check(&whole[..length.max(8)], false);
            let mut bytes = whole.clone();
            for _ in 0..=random.below(4) {
                let at = 8 + random.below(bytes.len() as i64 - 8) as usize;
                bytes[at] = random.next() as u8;
            }
            check(&bytes, false);
        }
    }
}

/// What `--covariate` makes of a table: each kind with its numbers, and its account.
fn numbers(name: &str) -> (Vec<Kind>, String) {
    let given = Given { series: None, path: folder().join(name) };
    let wanted = CountSources { covariates: vec![given], ..CountSources::default() };
    let span = (1_795_464_000_000, 1_795_464_000_000 + 47 * 900_000);
    let Counts { groups, inputs, .. } = counts::read(&wanted, &[span]).remove(0);
    let input = &inputs[0];
    let said = account(input).lines().take(4).collect::<Vec<_>>().join("\n");
    (groups.into_iter().flat_map(|group| group.kinds).collect(), said)
}

#[test]
fn numbers_beside_the_memory_are_those_of_the_same_csv() {
    let (of_csv, _) = numbers("numbers.csv");
    assert_eq!(of_csv.iter().map(|kind| kind.name.as_str()).collect::<Vec<_>>(), ["jobs_total", "queue_length"]);
    for name in ["numbers.parquet", "numbers.arrow"] {
        assert_eq!(numbers(name).0, of_csv, "{name}");
    }
    let said = ["numbers.parquet", "numbers-reversed.parquet", "numbers-none.parquet"].map(|name| numbers(name).1);
    insta::assert_snapshot!(said.join("\n"));
}
