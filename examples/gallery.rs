//! Draws every kind of verdict, and series that are hard to draw, into a folder to be looked at: `reports/gallery`.
//!
//! `cargo run --release --no-default-features --example gallery -- reports/gallery`
//!
//! Every series is made from a fixed seed, read and judged as a user's would be, and named after what it does. What
//! is drawn is the verdict of the program, right or wrong.

use std::error::Error;
use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::Parser;
use leaktrend::analysis;
use leaktrend::cli::{self, Args, Command};
use leaktrend::files;
use leaktrend::report::chart::{self, Chart, Scale, Theme};
use leaktrend::report::{Report, escape, pictures};
use leaktrend::units::{GIB, KIB, MIB};

/// 2026-03-04 09:17:23 UTC, in seconds.
const START: i64 = 1_772_615_843;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args().nth(1).ok_or("expected a folder")?);
    write(&folder)
}

/// Draws everything into `folder`, with a page of its own that shows it.
///
/// # Errors
///
/// When something cannot be written, or a series cannot be read back.
pub(crate) fn write(folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let judged = judge(&verdicts(), &["--limit", "leak=512MiB", "--limit", "leak-masked-by-restarts=400MiB"])?;
    let hard = judge(&hard_to_draw(), &["--limit", "restart-loop=160MiB"])?;
    let loaded = judge(&after_load(), &["--load", "1h..3h"])?;

    let mut page = String::from(
        "# Gallery\n\n\
         Made-up series, one for every verdict and some that are hard to draw, judged and drawn by leaktrend.\n\
         `cargo run --release --no-default-features --example gallery -- reports/gallery` draws them anew.\n",
    );
    for (heading, report) in [("Verdicts", &judged), ("After a load", &loaded), ("Hard to draw", &hard)] {
        write!(page, "\n## {heading}\n")?;
        for series in &report.series {
            let name = format!("{}.png", files::file_name(series.id()));
            let chart = pictures::of(report, series);
            fs::write(folder.join(&name), chart::png(&chart, Theme::Light, Scale::Once))?;
            write!(
                page,
                "\n### {}: {}\n\n{}.\n\n![{}]({name})\n",
                escape::code(series.id()),
                series.verdict().name(),
                escape::markdown(&series.judgement.reason()),
                escape::markdown(series.id()),
            )?;
        }
    }

    let all: Vec<Chart> = judged.series.iter().map(|series| pictures::of(&judged, series)).collect();
    let worst = all.first().ok_or("no series was judged")?;
    for (name, bytes) in [
        ("dark.png", chart::png(worst, Theme::Dark, Scale::Once)),
        ("lines.svg", chart::svg(worst, Theme::Light).into_bytes()),
        ("sheet.png", chart::sheet_png("All series, worst first", &all, Theme::Light, Scale::Once).remove(0)),
    ] {
        fs::write(folder.join(name), bytes)?;
    }
    page.push_str(
        "\n## Themes, formats, sheets\n\n![dark](dark.png)\n\n![as SVG](lines.svg)\n\n![a sheet](sheet.png)\n",
    );
    fs::write(folder.join("README.md"), page)?;
    Ok(())
}

/// Reads and judges series as `leaktrend analyze` does.
fn judge(series: &[Series], options: &[&str]) -> Result<Report, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("series.json");
    fs::write(&input, matrix(series))?;
    let input = input.to_str().ok_or("a temporary folder with an odd name")?;
    let args = [&["leaktrend", "analyze", input, "--since", "all"], options].concat();
    let Command::Analyze(args) = Args::try_parse_from(args)?.command else { return Err("not `analyze`".into()) };
    Ok(analysis::run(&cli::job(&args)?, &mut |_| Ok(()))?)
}

/// A made-up series.
struct Series {
    name: String,
    step_seconds: f64,
    bytes: Vec<f64>,
}

impl Series {
    /// `value` is given the share of the time that has passed, 0 to 1, and noise of about 1 either way.
    fn new(name: &str, n: u32, step_seconds: f64, value: impl Fn(f64, f64) -> f64) -> Series {
        let mut state = 88_172_645_463_325_252_u64;
        let mut uniform = || {
            // Marsaglia (2003), "Xorshift RNGs".
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        // The sum of four uniform numbers is near enough to normal.
        let bytes =
            (0..n).map(|i| value(f64::from(i) / f64::from(n), (0..4).map(|_| uniform()).sum()).max(0.0)).collect();
        Series { name: name.to_owned(), step_seconds, bytes }
    }
}

/// As Prometheus answers; a container's limit and restarts have to be seen from the values.
fn matrix(series: &[Series]) -> String {
    let results: Vec<String> = series
        .iter()
        .map(|series| {
            let at = |index: usize| START as f64 + series.step_seconds * index as f64;
            let samples: Vec<String> = series
                .bytes
                .iter()
                .enumerate()
                .map(|(index, bytes)| format!("[{:.3},\"{bytes:.0}\"]", at(index)))
                .collect();
            let name = serde_json::Value::from(series.name.as_str());
            format!("{{\"metric\":{{\"name\":{name}}},\"values\":[{}]}}", samples.join(","))
        })
        .collect();
    format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{}]}}}}", results.join(","))
}

/// One series for each verdict, named after it, over a day.
fn verdicts() -> Vec<Series> {
    let day = |name, value: fn(f64, f64) -> f64| Series::new(name, 1440, 60.0, value);
    vec![
        day("leak", |t, e| (200.0 + 140.0 * t + 6.0 * e) * MIB),
        day("leak-masked-by-restarts", |t, e| (90.0 + 300.0 * (t * 6.3).fract() + 4.0 * e) * MIB),
        day("stepping-growth", |t, e| (150.0 + 35.0 * (t * 5.0).floor() + 2.0 * e) * MIB),
        day("leak-suspected", |t, e| (200.0 + 10.6 * t + 20.0 * e) * MIB),
        day("step", |t, e| (150.0 + if t > 0.6 { 60.0 } else { 0.0 } + 2.0 * e) * MIB),
        day("inconclusive", |t, e| {
            (300.0 + 40.0 * (TAU * 1.1 * t).sin() + 25.0 * (TAU * 2.3 * t).cos() + 20.0 * e) * MIB
        }),
        day("flat", |_, e| (131.0 + 0.8 * e) * MIB),
        day("flat-with-spikes", |t, e| (130.0 + if (t * 9.0).fract() < 0.012 { 420.0 } else { 0.0 } + 2.0 * e) * MIB),
        day("negligible-growth", |t, e| (800.0 + 8.0 * t + 2.0 * e) * MIB),
        day("warmed-up", |t, e| (90.0 + 320.0 * (1.0 - (-t * 14.0).exp()) + 3.0 * e) * MIB),
        day("shrinking", |t, e| (400.0 - 120.0 * t + 5.0 * e) * MIB),
    ]
}

/// Series with a load from one to three hours after their start.
fn after_load() -> Vec<Series> {
    let load = |name, kept: f64| {
        Series::new(name, 720, 30.0, move |t, e| {
            let hours = 6.0 * t;
            let level = match hours {
                ..1.0 => 0.0,
                1.0..3.0 => 260.0 * ((hours - 1.0) / 0.3).min(1.0),
                _ => kept + (260.0 - kept) * (-(hours - 3.0) * 90.0).exp(),
            };
            (100.0 + level + 2.0 * e) * MIB
        })
    };
    vec![load("given-back", 0.0), load("kept-after-load", 60.0)]
}

/// Series with few or many samples, tiny or huge values, gaps, a name too long or hostile.
fn hard_to_draw() -> Vec<Series> {
    let mut gaps = Series::new("hours-missing", 600, 60.0, |t, e| (150.0 + 20.0 * t + 4.0 * e) * MIB);
    // What is not a number is no sample.
    (0..600).filter(|i| (100..190).contains(i) || (300..430).contains(i)).for_each(|i| gaps.bytes[i] = f64::NAN);
    vec![
        Series::new("one-sample", 1, 60.0, |_, _| 42.5 * MIB),
        Series::new("two-samples", 2, 60.0, |t, _| (42.5 + t) * MIB),
        Series::new("all-zero", 60, 60.0, |_, _| 0.0),
        Series::new("tiny", 240, 60.0, |t, e| (5.0 + 3.0 * t + e) * KIB),
        Series::new("huge", 300, 600.0, |t, e| (3.0 + 4.0 * t + 0.2 * e) * 1024.0 * GIB),
        Series::new("a-thousand-restarts", 30_000, 5.0, |t, e| (60.0 + 80.0 * (t * 1000.0).fract() + 2.0 * e) * MIB),
        Series::new("restart-loop", 1200, 60.0, |t, e| (20.0 + 130.0 * (t * 21.0).fract() + 2.0 * e) * MIB),
        Series::new("a-million-samples", 1_000_000, 2.0, |t, e| {
            (900.0 + 400.0 * t + 90.0 * (TAU * 23.0 * t).sin() + 40.0 * e) * MIB
        }),
        Series::new(
            "k8s_payments-reconciliation-worker_payments-reconciliation-worker-7d9f8b6c5d-x2x4k_production-eu-central-1",
            200,
            60.0,
            |t, e| (80.0 + 30.0 * t + 2.0 * e) * MIB,
        ),
        Series::new("a|b<script>![x](y)", 200, 60.0, |_, e| (80.0 + 0.5 * e) * MIB),
        gaps,
    ]
}
