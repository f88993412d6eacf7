//! Inputs are streamed: the peak of the whole program is at most 64 MiB and 1.5 times the columns, whatever comes in
//! and however.
#![cfg(unix)]

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use nix::sys::resource::{UsageWho, getrusage};
use polars::prelude::{Column, DataFrame, ParquetWriter};

/// Peak memory that is allowed beside the columns, in bytes.
const BASE: u64 = 64 << 20;
/// Of a sample: one and a half times 24 bytes.
const ROW: u64 = 36;

/// Runs the program over a file, or over its bytes on standard input, and gives the largest peak of any run so far.
fn peak_after(path: &Path, through_pipe: bool, expected_exit: i32) -> u64 {
    let out = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    command.arg("analyze").arg(if through_pipe { Path::new("-") } else { path });
    command.args(["--charts", "none", "--end", "2026-11-23T20:00:00Z", "--out"]).arg(out.path());
    if through_pipe {
        command.stdin(File::open(path).unwrap());
    }
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(expected_exit), "{}", String::from_utf8_lossy(&output.stderr));
    getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() as u64 * if cfg!(target_os = "macos") { 1 } else { 1024 }
}

/// One test, from small to large: the system tells only of the largest process so far.
#[test]
fn the_peak_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, n_samples: u64, through_pipe: bool, exit: i32, fill: &dyn Fn(&mut dyn Write)| {
        let path = folder.path().join(name);
        let mut file = io::BufWriter::new(File::create(&path).unwrap());
        fill(&mut file);
        file.flush().unwrap();
        drop(file);
        let (peak, allowed) = (peak_after(&path, through_pipe, exit), BASE + ROW * n_samples);
        assert!(peak <= allowed, "{name}: {} MiB, {} MiB allowed", peak >> 20, allowed >> 20);
        std::fs::remove_file(&path).unwrap();
    };
    let day = || {
        let mut text = String::new();
        for index in 0..96 {
            let _ = writeln!(text, "{},{}.{}MiB", 1_795_000_000 + 900 * index, 500 + index % 3, index % 10);
        }
        text
    };

    // Nothing of it can be used.
    check("zeros.gz", 0, false, 2, &|to| {
        let mut gzip = GzEncoder::new(to, Compression::fast());
        io::copy(&mut io::repeat(0).take(300 << 20), &mut gzip).unwrap();
        gzip.finish().unwrap();
    });
    check("line", 96, false, 0, &|to| {
        to.write_all(day().as_bytes()).unwrap();
        io::copy(&mut io::repeat(b'x').take(100 << 20), to).unwrap();
    });
    let blank_lines = |to: &mut dyn Write| {
        to.write_all(day().as_bytes()).unwrap();
        let line = format!("{:63}\n", "");
        (0..3_000_000).for_each(|_| to.write_all(line.as_bytes()).unwrap());
    };
    check("pipe", 96, true, 0, &blank_lines);
    check("pipe.gz", 96, true, 0, &|to| {
        let mut gzip = GzEncoder::new(to, Compression::fast());
        blank_lines(&mut gzip);
        gzip.finish().unwrap();
    });

    // A name of 100 MiB.
    check("label", 96, false, 0, &|to| {
        write!(
            to,
            "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{{\"metric\":{{\"image\":\""
        )
        .unwrap();
        io::copy(&mut io::repeat(b'x').take(100 << 20), to).unwrap();
        let points: Vec<String> =
            (0..96).map(|index| format!("[{},\"500000000\"]", 1_795_000_000 + 900 * index)).collect();
        write!(to, "\"}},\"values\":[{}]}}]}}}}", points.join(",")).unwrap();
    });

    let n = 1_000_000;
    check("runs", n, false, 1, &|to| {
        (0..n).for_each(|row| writeln!(to, "{},{}.{}MiB", 1_794_000_000 + row, 100 + row % 16 * 20, row % 10).unwrap());
    });
    check("rows", n, false, 0, &|to| {
        (0..n).for_each(|row| writeln!(to, "{},{}.{}MiB", 1_794_000_000 + row, 500 + row % 7, row % 10).unwrap());
    });
    check("range", n, false, 0, &|to| {
        write!(to, "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[").unwrap();
        for series in 0..100 {
            let comma = if series > 0 { "," } else { "" };
            write!(to, "{comma}{{\"metric\":{{\"container\":\"c{series}\"}},\"values\":[").unwrap();
            for index in 0..n / 100 {
                let comma = if index > 0 { "," } else { "" };
                write!(to, "{comma}[{},\"{}\"]", 1_794_000_000 + 15 * index, 500_000_000 + index * 7919 % 1_000_003)
                    .unwrap();
            }
            write!(to, "]}}").unwrap();
        }
        write!(to, "]}}}}").unwrap();
    });
    // In the order of time: every row is of another series than the one before. Written a group of rows at a time, since
    // what this process held at its peak is counted as that of its children.
    let n_series = 200;
    check("table", 2 * n, false, 0, &|to| {
        let group = |rows: std::ops::Range<i64>| {
            let times: Vec<i64> = rows.clone().map(|row| 1_794_000_000 + 15 * (row / n_series)).collect();
            let names: Vec<String> =
                rows.clone().map(|row| format!("a-container-with-a-long-name-{}", row % n_series)).collect();
            let bytes: Vec<i64> = rows.clone().map(|row| 500_000_000 + row * 7919 % 1_000_003).collect();
            let columns = vec![
                Column::new("time".into(), times),
                Column::new("container".into(), names),
                Column::new("used_bytes".into(), bytes),
            ];
            DataFrame::new(columns[0].len(), columns).unwrap()
        };
        let mut writer = ParquetWriter::new(to).batched(group(0..1).schema()).unwrap();
        for first in (0..2 * n as i64).step_by(100_000) {
            writer.write_batch(&group(first..first + 100_000)).unwrap();
        }
        writer.finish().unwrap();
    });
}
