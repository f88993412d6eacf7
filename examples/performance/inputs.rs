//! Makes inputs: the same bytes each time.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// 2026-11-01T00:00:00Z.
const BEGIN: u64 = 1_793_491_200;
const MIB: f64 = 1_048_576.0;

/// Uniform numbers (splitmix64: Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The memory of a container over time, in bytes: flat, growing, in steps, with restarts, or with a daily cycle.
struct Container {
    random: Random,
    kind: usize,
    base: f64,
    noise: f64,
    n_samples: usize,
}

impl Container {
    fn new(index: usize, n_samples: usize) -> Container {
        let mut random = Random(index as u64);
        let base = (80.0 + 820.0 * random.share()) * MIB;
        Container { random, kind: index % 8, base, noise: 0.0, n_samples }
    }

    fn at(&mut self, index: usize, seconds: u64) -> f64 {
        let part = index as f64 / self.n_samples as f64;
        self.noise = 0.7 * self.noise + 0.01 * self.base * (self.random.share() - 0.5);
        let shape = match self.kind {
            0 => part,
            1 => 1.5 * (7.0 * part).fract(),
            2 if part > 0.4 => 0.5,
            3 => 0.2 * (seconds as f64 / 86_400.0 * std::f64::consts::TAU).sin(),
            4 => 0.6 * (1.0 - (-part / 0.05).exp()),
            _ => 0.0,
        };
        (self.base * (1.0 + shape) + self.noise).max(0.0)
    }
}

/// Four significant digits and a binary unit, as `docker stats` prints memory.
fn binary(bytes: f64) -> String {
    let (value, unit) = if bytes < 1024.0 * MIB { (bytes / MIB, "MiB") } else { (bytes / 1024.0 / MIB, "GiB") };
    let text = match value {
        value if value >= 1000.0 => format!("{value:.0}"),
        value if value >= 100.0 => format!("{value:.1}"),
        value if value >= 10.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

/// Three significant digits and a decimal unit, as it prints counters.
fn decimal(bytes: f64) -> String {
    let (value, unit) = match bytes {
        bytes if bytes >= 1e9 => (bytes / 1e9, "GB"),
        bytes if bytes >= 1e6 => (bytes / 1e6, "MB"),
        bytes => (bytes / 1e3, "kB"),
    };
    let text = match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

/// A log of `docker stats --no-stream` without headers.
pub(crate) fn log(path: &Path, n_containers: usize, n_ticks: usize, interval: u64) -> io::Result<()> {
    const NAMES: [&str; 10] = [
        "api",
        "worker",
        "postgres",
        "redis",
        "nginx-proxy",
        "celery-beat",
        "grafana",
        "mailer",
        "report-builder",
        "search",
    ];
    const LIMITS: [&str; 4] = ["2GiB", "4GiB", "7.637GiB", "15.51GiB"];
    let mut file = BufWriter::new(File::create(path)?);
    let mut containers: Vec<(Container, Random, [f64; 4])> = (0..n_containers)
        .map(|index| {
            let mut random = Random(1_000_000 + index as u64);
            let counters = [0; 4].map(|_| 5e9 * random.share());
            (Container::new(index, n_ticks), random, counters)
        })
        .collect();
    for tick in 0..n_ticks {
        for (index, (container, random, counters)) in containers.iter_mut().enumerate() {
            let used = container.at(tick, tick as u64 * interval);
            counters.iter_mut().for_each(|counter| *counter += 1e6 * random.share());
            let id = (0x73ad_087e_624b_u64.wrapping_mul(index as u64 * 2 + 1)) & 0xffff_ffff_ffff;
            let limit = LIMITS[index % 4];
            let [received, sent, read, written] = counters.map(decimal);
            writeln!(
                file,
                "{id:012x}   {:<21} {:<9} {:<21} {:<9} {:<19} {:<19} {}",
                format!("{}-{index}", NAMES[index % 10]),
                format!("{:.2}%", 30.0 * random.share()),
                format!("{} / {limit}", binary(used)),
                format!("{:.2}%", 50.0 * random.share()),
                format!("{received} / {sent}"),
                format!("{read} / {written}"),
                10 + index % 50
            )?;
        }
    }
    file.flush()
}

/// Lines of an epoch and an amount, of one container.
pub(crate) fn trend(path: &Path, n_samples: usize, interval: u64) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut container = Container::new(0, n_samples);
    for index in 0..n_samples {
        let seconds = index as u64 * interval;
        writeln!(file, "{},{}", BEGIN + seconds, binary(container.at(index, seconds)))?;
    }
    file.flush()
}

/// The answer of a range query.
pub(crate) fn matrix(path: &Path, n_series: usize, n_samples: usize, step: u64) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    write!(file, "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[")?;
    for series in 0..n_series {
        let comma = if series > 0 { "," } else { "" };
        write!(
            file,
            "{comma}{{\"metric\":{{\"__name__\":\"container_memory_working_set_bytes\",\"container\":\"c{series}\",\
             \"image\":\"registry.example.org/app:1\",\"namespace\":\"shop\",\"pod\":\"p{series}\"}},\"values\":["
        )?;
        let mut container = Container::new(series, n_samples);
        for index in 0..n_samples {
            let seconds = index as u64 * step;
            let bytes = container.at(index, seconds).round();
            let comma = if index > 0 { "," } else { "" };
            write!(file, "{comma}[{},\"{bytes}\"]", BEGIN + seconds)?;
        }
        write!(file, "]}}")?;
    }
    write!(file, "]}}}}")?;
    file.flush()
}

/// Readings of a day, and among them a line of so many bytes.
pub(crate) fn long_line(path: &Path, length: usize) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut container = Container::new(1, 96);
    for index in 0..96 {
        let seconds = index as u64 * 900;
        writeln!(file, "{},{}", BEGIN + seconds, binary(container.at(index, seconds)))?;
        if index == 48 {
            file.write_all(&vec![b'x'; length])?;
            writeln!(file)?;
        }
    }
    file.flush()
}
