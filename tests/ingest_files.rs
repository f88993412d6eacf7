//! Files as they lie about: compressed, cut, rotated, empty, unreadable, of other kinds, and several at once.
#![expect(clippy::format_push_string, reason = "short texts of a test")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use leaktrend::ingest::{Ingested, Options, SamplesOption, Source, read};
use leaktrend::series::Marks;
use leaktrend::units::time_text;

/// Modification time of the files, in seconds: 2026-11-23T20:00:00Z.
const MTIME: u64 = 1_795_464_000;

fn options() -> Options {
    Options { format: None, interval: None, end_ms: None, samples: SamplesOption::Auto }
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

fn read_paths(paths: &[PathBuf]) -> Ingested {
    read(&paths.iter().cloned().map(Source::File).collect::<Vec<_>>(), &options()).unwrap()
}

/// Series with the times of their samples, then what is said about each input.
fn describe(ingested: &Ingested) -> String {
    let mut text = String::new();
    for series in &ingested.series {
        text += &format!("{} from {:?}:", series.info.id, series.inputs);
        for (time_ms, marks) in series.samples.time_ms.iter().zip(&series.samples.marks) {
            let time = time_text(*time_ms).unwrap();
            let recreated = if Marks::from_bits(*marks).contains(Marks::RECREATED) { "!" } else { "" };
            text += &format!(" {}{recreated}", &time[11..16]);
        }
        text += "\n";
    }
    for (index, input) in ingested.inputs.iter().enumerate() {
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
           4 readings missing between this file and the one after it, by their modification times
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
        write(&at("vm.json"), b"{\"metric\":{},\"values\":[1],\"timestamps\":[2]}", 0),
        write(&at("utf16.csv"), &utf16, 0),
        write(&at("bad.gz"), b"\x1f\x8bnot really", 0),
        folder.path().to_owned(),
        folder.path().join("missing.log"),
        write(&at("cut.log.gz"), &whole[..whole.len() - 12], 0),
        write(&at("cut.zst"), &packed[..packed.len() - 8], 0),
    ];
    let mut ingested = read_paths(&paths);
    ingested.series.truncate(1);
    insta::assert_snapshot!(describe(&ingested), @r#"
        web from [0]: 19:45 20:00
        0: 4 samples of 2 series
           assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
        1: 0 samples of 0 series
           unusable: it is empty (expected docker stats text, `epoch,512.3MiB` lines, CSV with a header or a Prometheus answer)
        2: 0 samples of 0 series
           unusable: it is binary (expected docker stats text, `epoch,512.3MiB` lines, CSV with a header or a Prometheus answer)
        3: 0 samples of 0 series
           unusable: no reading was recognised in it: it begins with `dear diary,` (expected docker stats text, `epoch,512.3MiB` lines, CSV with a header or a Prometheus answer)
        4: 0 samples of 0 series
           unusable: it is a Parquet file (expected docker stats text, `epoch,512.3MiB` lines, CSV with a header or a Prometheus answer)
        5: 0 samples of 0 series
           unusable: it is JSON of another kind: it begins with `{"a": 1}` (expected docker stats text, `epoch,512.3MiB` lines, CSV with a header or a Prometheus answer)
        6: 1 samples of 1 series
        7: 1 samples of 1 series
           another input has series of these names at the same times, or of another kind: here `web` is called `web (utf16.csv)`
        8: 0 samples of 0 series
           unusable: the compressed data breaks off or is damaged after 0 bytes of text: invalid gzip header
        9: 0 samples of 0 series
           unusable: it is a directory (expected a file)
        10: 0 samples of 0 series
           unusable: it cannot be opened: No such file or directory (os error 2)
        11: 1997 samples of 2 series, incomplete
           the compressed data breaks off or is damaged after 140322 bytes of text: incomplete deflate stream; what stands before that is used
           assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
           another input has series of these names at the same times, or of another kind: here `web` is called `web (cut.log.gz)`, and 1 more likewise
        12: 1866 samples of 2 series, incomplete
           the compressed data breaks off or is damaged after 131072 bytes of text: incomplete frame; what stands before that is used
           assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
           another input has series of these names at the same times, or of another kind: here `web` is called `web (cut.zst)`, and 1 more likewise
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
        db from [0]: 19:45 20:00
        web (tuesday.log) from [1]: 19:45 20:00
        db (tuesday.log) from [1]: 19:45 20:00
        0: 4 samples of 2 series
           assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
        1: 4 samples of 2 series
           assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
           another input has series of these names at the same times, or of another kind: here `web` is called `web (tuesday.log)`, and 1 more likewise
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
