//! Files as they lie about: compressed, cut, rotated, empty, unreadable, of other kinds, and several at once.
#![expect(clippy::format_push_string, reason = "short texts of a test")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use leaktrend::decode::{GivenColumns, Options, SamplesOption};
use leaktrend::open::Source;
use leaktrend::read::readings;
use leaktrend::report::words;
use leaktrend::resolve::Readings;
use leaktrend::series::Marks;
use leaktrend::units::time_text;

/// Modification time of the files, in seconds: 2026-11-23T20:00:00Z.
const MTIME: u64 = 1_795_464_000;

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

/// Two ticks of two containers; the last tick of `web` has so many MiB.
fn log(id: char, mib: u32) -> Vec<u8> {
    let web: String = std::iter::repeat_n(id, 12).collect();
    let tick = |mib: u32| {
        format!(
            "{web}   web   0.1%   {mib}MiB / 1GiB   1%   1kB / 0B   0B / 0B   7\ndddddddddddd   db   0.1%   50MiB / 1GiB   1%   1kB / 0B   0B / 0B   7\n"
        )
    };
    (tick(mib - 1) + &tick(mib)).into_bytes()
}

fn gz(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn write(path: &Path, content: &[u8], seconds_before: u64) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(UNIX_EPOCH + Duration::from_secs(MTIME - seconds_before))
        .unwrap();
    path.to_owned()
}

fn read_paths(paths: &[PathBuf]) -> Readings {
    readings(&paths.iter().cloned().map(Source::File).collect::<Vec<_>>(), &options())
}

/// Series with the times of their samples, then what is said about each input.
fn describe(readings: &Readings) -> String {
    let mut text = String::new();
    for series in &readings.series {
        text += &format!("{} from {:?}:", series.info.id, series.inputs);
        for (time_ms, marks) in series.samples.time_ms.iter().zip(&series.samples.marks) {
            let time = time_text(*time_ms).unwrap();
            let recreated = if Marks::from_bits(*marks).contains(Marks::RECREATED) { "!" } else { "" };
            text += &format!(" {}{recreated}", &time[11..16]);
        }
        text += "\n";
    }
    for (index, input) in readings.inputs.iter().enumerate() {
        text += &format!("{index}: {} samples of {} series", input.samples, input.series);
        text += if input.incomplete { ", incomplete\n" } else { "\n" };
        for warning in &input.warnings {
            text += &format!("   {warning}\n");
        }
        if let Some(why) = &input.unusable {
            text += &format!("   unusable: {why}\n");
        }
    }
    text
}

#[test]
fn rotated_and_compressed_files_are_one_sequence() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let paths = [
        write(&at("x.log"), &log('b', 30), 0),
        write(&at("x.log.1"), &log('a', 20), 1800),
        write(&at("x.log.2.gz"), &gz(&log('a', 10)), 3600),
        write(&at("x.log.3.zst"), &zstd::encode_all(&log('a', 5)[..], 3).unwrap(), 9000),
    ];
    insta::assert_snapshot!(describe(&read_paths(&paths)), @r"
        web from [3, 2, 1, 0]: 17:15 17:30 18:45 19:00 19:15 19:30 19:45! 20:00
        db from [3, 2, 1, 0]: 17:15 17:30 18:45 19:00 19:15 19:30 19:45 20:00
        0: 4 samples of 2 series
           assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
        1: 4 samples of 2 series
           assuming one reading every 15 min, the last at 2026-11-23T19:30:00Z (the file's modification time)
        2: 4 samples of 2 series
           assuming one reading every 15 min, the last at 2026-11-23T19:00:00Z (the file's modification time)
        3: 4 samples of 2 series
           assuming one reading every 15 min, the last at 2026-11-23T17:30:00Z (the file's modification time)
           4 readings are missing between this file and the next one, judging by their modification times
    ");
}

#[test]
fn a_log_that_was_just_rotated_may_be_empty() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let paths = [write(&at("x.log"), b"", 0), write(&at("x.log.1"), &log('a', 20), 900)];
    insta::assert_snapshot!(describe(&read_paths(&paths)), @r"
        web from [1]: 19:30 19:45
        db from [1]: 19:30 19:45
        0: 0 samples of 0 series
           it is empty
        1: 4 samples of 2 series
           assuming one reading every 15 min, the last at 2026-11-23T19:45:00Z (the file's modification time)
        ");
}

#[test]
fn what_cannot_be_used_says_why_and_does_not_stop_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let whole = gz(&log('a', 10).repeat(500));
    let packed = zstd::encode_all(&log('a', 10).repeat(500)[..], 3).unwrap();
    let noise: Vec<u8> = (0..4000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let utf16: Vec<u8> = "\u{feff}time,web\n1795464400,1MiB\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let paths = [
        write(&at("good.log"), &log('a', 10), 0),
        write(&at("empty.log"), b"", 0),
        write(&at("noise"), &noise, 0),
        write(&at("words.txt"), b"dear diary,\nnothing leaked today\n", 0),
        write(&at("table.parquet"), b"PAR1....", 0),
        write(&at("other.json"), b"{\"a\": 1}", 0),
        write(&at("vm.json"), b"{\"metric\":{},\"values\":[104857600],\"timestamps\":[2]}", 0),
        write(&at("utf16.csv"), &utf16, 0),
        write(&at("bad.gz"), b"\x1f\x8bnot really", 0),
        folder.path().to_owned(),
        folder.path().join("missing.log"),
        write(&at("cut.log.gz"), &whole[..whole.len() - 12], 0),
        write(&at("cut.zst"), &packed[..packed.len() - 8], 0),
    ];
    let mut readings = read_paths(&paths);
    readings.series.truncate(1);
    insta::assert_snapshot!(describe(&readings), @r#"
        web from [0]: 19:45 20:00
        0: 4 samples of 2 series
           assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
        1: 0 samples of 0 series
           unusable: it is empty (expected docker stats text, `epoch,512.3MiB` lines, CSV with a header or a Prometheus response)
        2: 0 samples of 0 series
           unusable: it is binary (expected docker stats text, `epoch,512.3MiB` lines, CSV with a header or a Prometheus response)
        3: 0 samples of 0 series
           unusable: no reading was recognised in it: it begins with `dear diary,` (expected docker stats text, `epoch,512.3MiB` lines, CSV with a header or a Prometheus response)
        4: 0 samples of 0 series
           unusable: it is truncated or damaged: parquet: File out of specification: A Parquet file must contain a header and footer with at least 12 bytes (expected a complete file: copy it again)
        5: 0 samples of 0 series
           unusable: it is JSON of another kind: it begins with `{"a": 1}` (expected docker stats text, `epoch,512.3MiB` lines, CSV with a header or a Prometheus response)
        6: 1 samples of 1 series
        7: 1 samples of 1 series
           another input has series with the same names (at the same times, or of another format or metric): here `web` is called `web (utf16.csv)`
        8: 0 samples of 0 series
           unusable: the compressed data breaks off or is damaged after 0 bytes of text: invalid gzip header
        9: 0 samples of 0 series
           unusable: it is truncated or damaged: parquet: File out of specification: A Parquet file must contain a header and footer with at least 12 bytes (expected a complete file: copy it again)
        10: 0 samples of 0 series
           unusable: it cannot be opened: No such file or directory (os error 2)
        11: 1997 samples of 2 series, incomplete
           the compressed data breaks off or is damaged after 140322 bytes of text: incomplete deflate stream; the part before that is used
           assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
           its newest readings are lost, so the others are dated too late
           another input has series with the same names (at the same times, or of another format or metric): here `web` is called `web (cut.log.gz)`, and 1 more renamed
        12: 1866 samples of 2 series, incomplete
           the compressed data breaks off or is damaged after 131072 bytes of text: incomplete frame; the part before that is used
           assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
           its newest readings are lost, so the others are dated too late
           another input has series with the same names (at the same times, or of another format or metric): here `web` is called `web (cut.zst)`, and 1 more renamed
        "#);
}

#[test]
fn series_of_one_name_merge_where_their_times_do_not_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let apart = [write(&at("monday.log"), &log('a', 10), 7200), write(&at("tuesday.log"), &log('b', 10), 0)];
    insta::assert_snapshot!(describe(&read_paths(&apart)), @r"
        web from [0, 1]: 17:45 18:00 19:45! 20:00
        db from [0, 1]: 17:45 18:00 19:45 20:00
        0: 4 samples of 2 series
           assuming one reading every 15 min, the last at 2026-11-23T18:00:00Z (the file's modification time)
        1: 4 samples of 2 series
           assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
        ");
    let overlapping = [write(&at("monday.log"), &log('a', 10), 0), write(&at("tuesday.log"), &log('b', 10), 0)];
    insta::assert_snapshot!(describe(&read_paths(&overlapping)), @r"
    web from [0]: 19:45 20:00
    web (tuesday.log) from [1]: 19:45 20:00
    db from [0]: 19:45 20:00
    db (tuesday.log) from [1]: 19:45 20:00
    0: 4 samples of 2 series
       assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
    1: 4 samples of 2 series
       assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
       another input has series with the same names (at the same times, or of another format or metric): here `web` is called `web (tuesday.log)`, and 1 more renamed
    ");
    let twice = [write(&at("monday.log"), &log('a', 10), 0), at("monday.log")];
    insta::assert_snapshot!(describe(&read_paths(&twice)), @r"
        web from [0]: 19:45 20:00
        db from [0]: 19:45 20:00
        0: 4 samples of 2 series
           assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
        1: 0 samples of 0 series
           it is given more than once: it was read once
        ");
}

#[test]
fn trend_files_of_one_stem_are_told_apart_by_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let trend = b"1795464000,10MiB\n1795464010,11MiB\n";
    let paths =
        [write(&at("a/web.csv"), trend, 0), write(&at("b/web.csv"), trend, 0), write(&at("b/db.csv"), trend, 0)];
    insta::assert_snapshot!(describe(&read_paths(&paths)), @r"
        a/web from [0]: 20:00 20:00
        b/web from [1]: 20:00 20:00
        db from [2]: 20:00 20:00
        0: 2 samples of 1 series
        1: 2 samples of 1 series
        2: 2 samples of 1 series
        ");
}

/// Stamped readings of `web`, every 15 minutes for an hour from so many hours before the end on.
fn hour(id: char, hours_before: u64) -> Vec<u8> {
    let id: String = std::iter::repeat_n(id, 12).collect();
    let reading = |quarter: u64| {
        let seconds = MTIME - 3600 * hours_before + 900 * quarter;
        format!("{seconds} {id}   web   0.1%   {}MiB / 1GiB   1%   1kB / 0B   0B / 0B   7\n", 10 + quarter)
    };
    (0..4).map(reading).collect::<String>().into_bytes()
}

#[test]
fn files_that_follow_one_another_are_one_series_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| write(&folder.path().join(name), content, 0);
    let [mon, tue, wed] =
        [file("mon.log", &hour('a', 5)), file("tue.log", &hour('b', 4)), file("wed.log", &hour('b', 3))];
    let at = |order: [&PathBuf; 3]| {
        let readings = read_paths(&order.map(Clone::clone));
        assert_eq!(readings.series.len(), 1);
        for input in &readings.inputs {
            assert_eq!(input.warnings, []);
        }
        let samples = &readings.series[0].samples;
        assert!(samples.time_ms.is_sorted());
        samples.marks.iter().position(|bits| Marks::from_bits(*bits).contains(Marks::RECREATED))
    };
    for order in [[&mon, &tue, &wed], [&wed, &mon, &tue], [&wed, &tue, &mon], [&tue, &wed, &mon]] {
        assert_eq!(at(order), Some(4), "{order:?}");
    }
}

#[test]
fn answers_of_one_server_are_one_export() {
    let folder = tempfile::tempdir().unwrap();
    let series = |labels: &str, seconds: std::ops::Range<u64>| {
        let points: Vec<String> =
            seconds.map(|second| format!("[{},\"{}\"]", MTIME + second, 1_000_000 + second)).collect();
        format!("{{\"metric\":{{{labels}}},\"values\":[{}]}}", points.join(","))
    };
    let file = |name: &str, series: &[String]| {
        write(&folder.path().join(name), format!("[{}]", series.join(",")).as_bytes(), 0)
    };
    let rss = r#""__name__":"container_memory_rss","container":"web","pod":"a""#;
    let other = r#""__name__":"container_memory_rss","container":"web","pod":"b""#;
    let limit = r#""__name__":"container_spec_memory_limit_bytes","container":"web","pod":"a""#;
    // The second begins where the first ends; another pod comes; the limit has a file of its own.
    let readings = read_paths(&[
        file("1.json", &[series(rss, 0..5)]),
        file("2.json", &[series(rss, 4..9), series(other, 4..9)]),
        file("limit.json", &[series(limit, 0..9)]),
    ]);
    let described: Vec<(&str, usize, Option<f64>)> = readings
        .series
        .iter()
        .map(|series| (series.info.id.as_str(), series.samples.len(), series.info.limit.map(|limit| limit.bytes)))
        .collect();
    assert_eq!(described, [("web{pod=\"a\"}", 10, Some(1_000_008.0)), ("web{pod=\"b\"}", 5, None)]);
    assert_eq!(readings.inputs[0].warnings, []);
    assert_eq!(
        words::warnings(&readings.inputs[1]),
        [
            "1 reading has the same time as another of the same series, the first in `web{pod=\"a\"}` at 2026-11-23T20:00:04Z: the one read last is kept"
        ]
    );
    assert_eq!((readings.inputs[2].samples, readings.inputs[2].other_lines, readings.inputs[2].series), (0, 9, 0));
}

/// A file by two paths, and what was compressed of it and left beside it.
#[test]
fn nothing_is_read_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let files = [
        write(&path("x.log.1.gz"), &gz(&log('a', 10)), 3600),
        write(&path("x.log.1"), &log('a', 10), 3600),
        write(&path("x.log"), &log('a', 12), 0),
        path("other"),
        path("./x.log"),
    ];
    std::os::unix::fs::symlink(&files[2], &files[3]).unwrap();
    let readings = read_paths(&files);
    let n_samples: Vec<u64> = readings.inputs.iter().map(|input| input.samples).collect();
    assert_eq!(n_samples, [0, 4, 4, 0, 0]);
    for again in [0, 3, 4] {
        assert_eq!(words::warnings(&readings.inputs[again]), ["it is given more than once: it was read once"]);
    }
    // Compressed at another time, and another log since then.
    let files = [write(&path("y.log.gz"), &gz(&log('a', 10)), 3600), write(&path("y.log"), &log('a', 12), 0)];
    assert!(read_paths(&files).inputs.iter().all(|input| input.samples == 4));
}

#[test]
fn a_log_that_was_truncated_while_it_was_written_to_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let content = [vec![0; 100_000], log('a', 10)].concat();
    let readings = read_paths(&[write(&folder.path().join("x.log"), &content, 0)]);
    assert_eq!((readings.inputs[0].samples, readings.inputs[0].lines), (4, Some(4)));
    assert_eq!(
        readings.inputs[0].warnings[0].to_string(),
        "100000 NUL bytes before its text were skipped (was it truncated while it was written to?)"
    );
}

#[test]
fn readings_of_a_clock_that_was_not_set_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let row = |row: u64| format!("{},5MiB\n", if row < 2 { 4_000_000_000 + row } else { MTIME + row });
    let rows = (0..20).map(row).collect::<Vec<_>>().concat();
    let readings = read_paths(&[write(&folder.path().join("x.csv"), rows.as_bytes(), 0)]);
    let input = &readings.inputs[0];
    assert_eq!((input.samples, input.rejected_count, readings.series[0].samples.len()), (18, 2, 18));
    assert_eq!(
        words::warnings(input),
        [
            "2 readings are dated more than ten years from the others, the first in `x` at 2096-10-02T07:06:40Z: left out (was a clock not set?)"
        ]
    );
}
