//! What is read does not depend on the number of threads, nor on where blocks of text end.

use std::fmt::Write as _;
use std::path::Path;

use leaktrend::decode::{GivenColumns, Options, SamplesOption};
use leaktrend::open::Source;
use leaktrend::resolve::Readings;

fn read(path: &Path, n_threads: usize) -> Readings {
    let options = Options {
        format: None,
        interval: None,
        end_ms: Some(1_795_464_420_000),
        samples: SamplesOption::Auto,
        unit: None,
        columns: GivenColumns::default(),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads can be started");
    pool.install(|| leaktrend::read::readings(&[Source::File(path.to_owned())], &options))
}

/// Reads a text on one thread and on several, and gives what it holds.
#[track_caller]
fn read_on_each(text: &str) -> Readings {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("input");
    std::fs::write(&path, text).expect("it can be written");
    let alone = read(&path, 1);
    for n_threads in [2, 3, 12] {
        assert!(read(&path, n_threads) == alone, "on {n_threads} threads");
    }
    alone
}

/// A log of three megabytes: every form of row, now and then a line that is none, a new container, a counter that
/// falls, a container that has another name for a while.
fn log(separator: &str) -> String {
    let mut log = String::new();
    for tick in 0..6_000_u64 {
        if tick % 700 == 0 {
            let _ =
                writeln!(log, "CONTAINER ID   NAME   CPU %   MEM USAGE / LIMIT   MEM %   NET I/O   BLOCK I/O   PIDS");
        }
        for container in 0..5_u64 {
            if container == 3 && tick % 90 == 7 {
                let _ = writeln!(log, "000000000003{separator}web-3{separator}--   -- / --   --   --   --   --");
                continue;
            }
            let id = if container == 1 && tick > 3_000 { 99 } else { container };
            let name = if container == 2 && tick % 50 == 3 { 9 } else { container };
            let tenths = 1_000 + (tick * (container + 3)) % 9_000;
            let _ = writeln!(
                log,
                "{id:012}{separator}web-{name}{separator}{}.{:02}%   {}.{}MiB / {}GiB   1.5%   {}kB / 1.2MB   {}B / 0B   {}",
                tick % 100,
                tick % 97,
                tenths / 10,
                tenths % 10,
                1 + container,
                tick % 800,
                100 + container,
                tick % 30,
            );
        }
        if tick % 1_000 == 999 {
            let _ = writeln!(log, "{}", "x".repeat(70_000));
            let _ = writeln!(log, "{}", "y".repeat(300_000 + 7 * tick as usize));
            let _ = writeln!(
                log,
                "000000000002   web-2{}0.1%   5MiB / 1GiB   1%   1kB / 0B   0B / 0B   7",
                " ".repeat(70_000)
            );
            let _ = writeln!(log, "000000000002   web-2   0.1%   oops / 1GiB");
        }
    }
    log
}

#[test]
fn a_log_is_the_same_on_any_number_of_threads() {
    let log = log("   ");
    let read = read_on_each(&log);
    let input = &read.inputs[0];
    assert_eq!(read.series.len(), 6);
    assert_eq!(read.series.iter().find(|series| series.info.id == "web-9").unwrap().samples.len(), 120);
    assert_eq!(input.lines, Some(log.lines().count() as u64));
    assert_eq!(input.rejected_count, 24);
    assert_eq!(input.samples + input.gaps + input.other_lines + input.rejected_count, log.lines().count() as u64);
    assert!(input.gaps > 60, "{}", input.gaps);
}

/// Tabs are read in the general way, blanks in the quick one: both say the same of the same readings.
#[test]
fn the_quick_reading_of_a_log_is_the_general_one() {
    let [quick, general] = ["   ", "\t"].map(|separator| read_on_each(&log(separator)));
    assert!(quick.series == general.series);
    assert_eq!(quick.inputs[0].samples, general.inputs[0].samples);
}

#[test]
fn rows_of_an_epoch_are_the_same_on_any_number_of_threads() {
    let mut text = String::new();
    for row in 0..100_000_u64 {
        let _ = match row {
            row if row % 5_000 == 17 => writeln!(text, "{},--", 1_795_000_000 + row),
            row if row % 7_000 == 19 => writeln!(text, "{}, 12.5 MiB", 1_795_000_000 + row),
            row if row % 9_000 == 23 => writeln!(text, "oops"),
            row => writeln!(text, "{},{}.{}MiB\r", 1_795_000_000 + row, 100 + row % 800, row % 10),
        };
    }
    let read = read_on_each(&text);
    let input = &read.inputs[0];
    assert_eq!((input.samples, input.gaps, input.rejected_count), (100_000 - 20 - 12, 20, 12));
    assert_eq!(read.series[0].samples.used_bytes[18], 12.5 * 1024.0 * 1024.0);
}

#[test]
fn an_export_is_the_same_on_any_number_of_threads() {
    let mut text = "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[".to_owned();
    for series in 0..3 {
        let points: Vec<String> = (0..20_000_u64)
            .map(|index| match index {
                index if index % 4_999 == 5 => format!("[{},\"NaN\"]", 1_795_000_000 + 15 * index),
                index if index % 6_999 == 9 => format!("[{},\"-7\"]", 1_795_000_000 + 15 * index),
                index if index % 3 == 0 => format!("[{}.791, \"{}\"]", 1_795_000_000 + 15 * index, 5_000_000 + index),
                index => format!("[{},\"{}\"]", 1_795_000_000 + 15 * index, 5_000_000 + index),
            })
            .collect();
        let comma = if series > 0 { "," } else { "" };
        let _ = write!(
            text,
            "{comma}{{\"metric\":{{\"__name__\":\"container_memory_rss\",\"container\":\"c{series}\"}},\"values\":[{}]}}",
            points.join(",")
        );
    }
    text.push_str("]}}");
    let read = read_on_each(&text);
    let input = &read.inputs[0];
    assert_eq!((input.gaps, input.rejected_count, input.samples), (3 * 4, 3 * 3, 60_000 - 12 - 9));
    assert_eq!(read.series[2].samples.used_bytes[20_000 - 4 - 3 - 1], 5_019_999.0);
}

/// As Python writes JSON: with a blank behind each comma. Now and then a point of another form, and at last a cut.
#[test]
fn an_export_with_blanks_that_ends_in_the_middle_is_the_same_on_any_number_of_threads() {
    let points: Vec<String> = (0..60_000_u64)
        .map(|index| match index {
            index if index % 9_999 == 5 => format!("[{}, \"5.5e+06\"]", 1_795_000_000 + 15 * index),
            index => format!("[{}, \"{}\"]", 1_795_000_000 + 15 * index, 5_000_000 + index),
        })
        .collect();
    let text = format!("[{{\"metric\": {{\"container\": \"c\"}}, \"values\": [{}, oops", points.join(", "));
    let read = read_on_each(&text);
    let input = &read.inputs[0];
    assert_eq!((input.samples, input.incomplete), (60_000, true));
    assert!(
        input.warnings[0].to_string().contains("expected value; the series before that are used"),
        "{:?}",
        input.warnings
    );
}
