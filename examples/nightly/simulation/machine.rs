//! The machine: cron appends readings to a log, rotation moves it about, and the nightly job reads it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::services::{DAY, Noise, Service};

/// 2026-11-01T00:00:00Z, a Sunday, in seconds since 1970.
pub(crate) const START: i64 = 1_793_491_200;
/// Time between two readings, in seconds: the runbook's.
pub(crate) const INTERVAL: i64 = 900;
/// The log is rotated at this time of every third day, in seconds: within an interval.
const ROTATED_AT: i64 = 23_100;
/// In this time cron does not run.
pub(crate) const STOPPED: std::ops::Range<i64> = 35 * DAY + 40_000..37 * DAY + 20_000;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The runbook's line: the table, without a time.
    Untimed,
    /// The table behind a time.
    Stamped,
    /// A line of JSON behind a time.
    Json,
}

impl Form {
    pub(crate) const ALL: [Form; 3] = [Form::Untimed, Form::Stamped, Form::Json];
}

/// A reading as it was written: the service, when, and the memory that was printed, in MiB.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    pub(crate) service: usize,
    pub(crate) at: i64,
    pub(crate) mib: f64,
}

pub(crate) struct Machine {
    folder: PathBuf,
    form: Form,
    services: Vec<Service>,
    noise: Noise,
    n_rotated: usize,
    /// Whether the log is rotated.
    pub(crate) rotates: bool,
    /// Everything that was ever written.
    pub(crate) readings: Vec<Reading>,
}

impl Machine {
    pub(crate) fn new(folder: &Path, form: Form, services: Vec<Service>, seed: u64) -> Machine {
        let (folder, noise) = (folder.to_owned(), Noise(seed));
        Machine { folder, form, services, noise, n_rotated: 0, rotates: true, readings: Vec::new() }
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("memory-usage.log")
    }

    /// Lets the time from `from` to `to` pass.
    pub(crate) fn run(&mut self, from: i64, to: i64) {
        for at in (from..to).step_by(INTERVAL as usize) {
            if !STOPPED.contains(&at) {
                self.read(at);
            }
            let day = at / DAY;
            if self.rotates && day % 3 == 2 && (at % DAY..at % DAY + INTERVAL).contains(&ROTATED_AT) {
                self.rotate(day * DAY + ROTATED_AT);
            }
        }
    }

    /// Cron's line: a row of each service.
    fn read(&mut self, at: i64) {
        let mut text = String::new();
        if self.form == Form::Untimed {
            text.push_str("CONTAINER ID   NAME   CPU %   MEM USAGE / LIMIT   MEM %   NET I/O   BLOCK I/O   PIDS\n");
        }
        for (index, service) in self.services.iter_mut().enumerate() {
            let mib = service.mib(at, &mut self.noise);
            let Some(name) = service.name_at(at) else { continue };
            let printed = if mib < 100.0 { format!("{mib:.2}") } else { format!("{mib:.1}") };
            let id = (index as u64 + 1) * 0x1357_9bdf + service.generation(at) * 0x1111_1111_1111;
            let share = 100.0 * mib / 7820.0;
            self.readings.push(Reading { service: index, at, mib: printed.parse().expect("a number was printed") });
            let row =
                format!("{id:012x}   {name}   0.31%   {printed}MiB / 7.637GiB   {share:.2}%   1kB / 0B   0B / 0B   11");
            let time = START + at;
            text.push_str(&match self.form {
                Form::Untimed => format!("{row}\n"),
                Form::Stamped => format!("{time} {row}\n"),
                Form::Json => format!(
                    "{time} {{\"Container\":\"{id:012x}\",\"ID\":\"{id:012x}\",\"MemPerc\":\"{share:.2}%\",\"MemUsage\":\"{printed}MiB / 7.637GiB\",\"Name\":\"{name}\",\"PIDs\":\"11\"}}\n"
                ),
            });
        }
        let mut log = File::options().create(true).append(true).open(self.log()).expect("the log can be opened");
        log.write_all(text.as_bytes()).expect("the log can be written");
        // `docker stats --no-stream` takes two seconds.
        touch(&log, at + 2);
    }

    /// One of the kinds of rotation after the other; `at`: when.
    fn rotate(&mut self, at: i64) {
        let log = self.log();
        if !log.exists() {
            return;
        }
        let name = |end: &str| self.folder.join(format!("memory-usage.log{end}"));
        let date = 20_261_101 + at / DAY;
        match self.n_rotated % 6 {
            // create
            0 => {
                self.shift();
                fs::rename(&log, name(".1")).expect("renamed");
                touch(&File::create(&log).expect("created"), at);
            }
            // copytruncate
            1 => {
                self.shift();
                fs::copy(&log, name(".1")).expect("copied");
                touch(&File::options().write(true).open(name(".1")).expect("opened"), at);
                let log = File::options().write(true).open(&log).expect("opened");
                log.set_len(0).expect("truncated");
                touch(&log, at);
            }
            // compress, nocreate
            2 => {
                self.shift();
                let mut to = flate2::write::GzEncoder::new(
                    File::create(name(".1.gz")).expect("created"),
                    flate2::Compression::fast(),
                );
                to.write_all(&fs::read(&log).expect("read")).expect("compressed");
                to.finish().expect("compressed").set_modified(modified(&log)).expect("dated");
                fs::remove_file(&log).expect("removed");
            }
            // dateext
            3 => fs::rename(&log, name(&format!("-{date}"))).expect("renamed"),
            // dateext with zstd
            4 => {
                let packed = zstd::encode_all(&fs::read(&log).expect("read")[..], 1).expect("compressed");
                fs::write(name(&format!("-{date}.zst")), packed).expect("written");
                fs::remove_file(&log).expect("removed");
            }
            // The front is cut off in place.
            _ => {
                let (text, time) = (fs::read(&log).expect("read"), modified(&log));
                let half = text.len() / 2;
                let cut = half + text[half..].iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                fs::write(&log, &text[cut..]).expect("written");
                File::options().write(true).open(&log).expect("opened").set_modified(time).expect("dated");
            }
        }
        self.n_rotated += 1;
    }

    /// Makes room for `.1`; four are kept.
    fn shift(&self) {
        for age in (1..=4).rev() {
            for end in ["", ".gz"] {
                let from = self.folder.join(format!("memory-usage.log.{age}{end}"));
                if age == 4 {
                    let _ = fs::remove_file(from);
                } else {
                    let _ = fs::rename(from, self.folder.join(format!("memory-usage.log.{}{end}", age + 1)));
                }
            }
        }
    }
}

fn touch(file: &File, at: i64) {
    file.set_modified(UNIX_EPOCH + Duration::from_secs((START + at) as u64)).expect("a file of its own can be dated");
}

fn modified(path: &Path) -> std::time::SystemTime {
    fs::metadata(path).and_then(|file| file.modified()).expect("a file has a time")
}
