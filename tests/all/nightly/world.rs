//! A machine with a log of its own, whose nights pass when a test says so.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// Times are counted from here, in seconds since 1970: 2026-11-01T00:00:00Z.
pub(crate) const START: i64 = 1_793_491_200;
pub(crate) const MIB: f64 = 1_048_576.0;
pub(crate) const DAY: i64 = 86_400;
/// The spacing of the readings in these logs, in seconds: cron's.
pub(crate) const INTERVAL: i64 = 900;

/// A row that cannot be read.
pub(crate) const ODD: &str = "1793570000 9a9858660001 odd 0.1% 12.0XiB / 7.637GiB 3.9% 1kB / 1kB 1kB / 1kB 9\n";

/// A folder with a log and a state.
pub(crate) struct World {
    folder: tempfile::TempDir,
}

/// What a night came to.
pub(crate) struct Night {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    pub(crate) fn new() -> World {
        World { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path("memory-usage.log")
    }

    pub(crate) fn append(&self, text: &str) {
        let old = fs::read_to_string(self.log()).unwrap_or_default();
        fs::write(self.log(), old + text).unwrap();
    }

    /// The command of a night at `now`, in seconds since `START`.
    pub(crate) fn command(&self, now: i64) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
        command.current_dir(self.folder.path()).args(["nightly", "memory-usage.log", "--state", "state"]);
        command.args(["--now", &(START + now).to_string(), "--color", "never"]);
        command
    }

    pub(crate) fn night(&self, now: i64, options: &[&str]) -> Night {
        Night::of(&self.command(now).args(options).output().unwrap())
    }

    /// A night whose report is written; its `verdict.json`.
    pub(crate) fn report(&self, now: i64, options: &[&str]) -> (Night, Value) {
        let night = self.night(now, &[&["--out", "report", "--charts", "none"], options].concat());
        let text = fs::read_to_string(self.path("report/verdict.json"));
        let text = text.unwrap_or_else(|error| panic!("{error}: {}{}", night.stdout, night.stderr));
        (night, serde_json::from_str(&text).unwrap())
    }

    /// Every kept sample, as many as there are.
    pub(crate) fn n_kept(&self, now: i64) -> usize {
        let night = self.night(now, &["--parquet", "kept.parquet"]);
        assert!(night.code.is_some_and(|code| code < 2 || code == 3), "{}{}", night.stdout, night.stderr);
        let file = fs::File::open(self.path("kept.parquet")).unwrap();
        let table = polars::prelude::SerReader::finish(
            <polars::prelude::ParquetReader<fs::File> as polars::prelude::SerReader<_>>::new(file),
        );
        table.unwrap().height()
    }
}

impl Night {
    pub(crate) fn of(output: &Output) -> Night {
        Night {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn says(&self, what: &str) {
        assert!(self.stdout.contains(what) || self.stderr.contains(what), "{what:?}\n{}{}", self.stdout, self.stderr);
    }
}

/// How memory goes, by seconds since `START`.
#[derive(Clone, Copy)]
pub(crate) enum Course {
    Flat,
    /// 10 MiB an hour.
    Leak,
    /// Half a MiB an hour.
    Slow,
    /// 60 MiB more at noon of a working day.
    Weekly,
    /// Up by half from this time on.
    Step(i64),
}

impl Course {
    fn mib(self, at: i64) -> f64 {
        // Enough of a wiggle that no two readings in a row are the same.
        let wiggle = ((at / INTERVAL * 7919) % 13) as f64 * 0.11;
        wiggle
            + match self {
                Course::Flat => 300.0,
                Course::Weekly if matches!(at / DAY % 7, 0 | 6) => 300.0,
                Course::Weekly => 300.0 + 30.0 * (1.0 - (std::f64::consts::TAU * at as f64 / DAY as f64).cos()),
                Course::Leak => 200.0 + 10.0 * at as f64 / 3600.0,
                Course::Slow => 300.0 + 0.5 * at as f64 / 3600.0,
                Course::Step(since) => 300.0 * if at < since { 1.0 } else { 1.5 },
            }
    }
}

/// Rows of `docker stats` behind an epoch, of containers from `from` up to `to`, in seconds since `START`.
pub(crate) fn stamped(from: i64, to: i64, containers: &[(&str, Course)]) -> String {
    let ticks = (from..to).step_by(INTERVAL as usize);
    ticks.flat_map(|at| rows(at, containers).into_iter().map(move |row| format!("{} {row}", START + at))).collect()
}

/// What cron appends without a time: the table of `docker stats --no-stream`.
pub(crate) fn untimed(from: i64, to: i64, containers: &[(&str, Course)]) -> String {
    let header = "CONTAINER ID   NAME   CPU %   MEM USAGE / LIMIT     MEM %   NET I/O       BLOCK I/O     PIDS\n";
    let ticks = (from..to).step_by(INTERVAL as usize);
    ticks.map(|at| header.to_owned() + &rows(at, containers).concat()).collect()
}

fn rows(at: i64, containers: &[(&str, Course)]) -> Vec<String> {
    // Each name has a container of its own.
    let id = |name: &str| name.bytes().fold(0x9a98_5866, |id, byte| (id * 31 + u64::from(byte)) & 0xffff_ffff_ffff);
    containers.iter().map(|(name, course)| row(at, id(name), name, *course)).collect()
}

/// Rows behind an epoch, every `INTERVAL`, of one container of this ID.
pub(crate) fn stamped_as(from: i64, to: i64, id: u64, name: &str, course: Course) -> String {
    let ticks = (from..to).step_by(INTERVAL as usize);
    let stamped = |at: i64| format!("{} {}", START + at, row(at, id, name, course));
    ticks.map(stamped).collect()
}

fn row(at: i64, id: u64, name: &str, course: Course) -> String {
    let used = course.mib(at);
    let share = 100.0 * used / (7.637 * 1024.0);
    format!("{id:012x}   {name}   0.1%   {used:.1}MiB / 7.637GiB   {share:.2}%   1kB / 1kB   1kB / 1kB   9\n")
}
