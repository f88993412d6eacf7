//! How often the kind of memory that grows is named right: simulated containers whose truth is known.
//!
//! `cargo run --example parts` prints the tables of `reports/parts.md`; `-- --containers 200` makes fewer.
//! `-- --list` prints a line for each container that is not named right. `-- --export FILE` writes four of them as a
//! Prometheus export.

mod container;
#[path = "../../crates/leaktrend-core/examples/accuracy/generator/random.rs"]
#[allow(dead_code, reason = "the generator of the curves uses what this one does not")]
mod random;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::{env, fs};

use leaktrend::decode::SeriesSamples;
use leaktrend::fit::Tolerance;
use leaktrend::frame::SampleFrame;
use leaktrend::report::{Breakdown, SeriesReport};
use leaktrend::resolve::Readings;
use leaktrend::settings::Settings;
use leaktrend::units::{DAY, MIB};
use leaktrend::verdict::Judgement;

use container::{Export, Kind, Plan, simulate};
use random::Random;

/// So many are judged in one run.
const BATCH: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|one| one == name).and_then(|at| arguments.get(at + 1));
    if let Some(path) = value("--export") {
        return Ok(export(Path::new(path))?);
    }
    let n: usize = value("--containers").map_or(Ok(1000), |text| text.parse())?;
    let seed: u64 = value("--seed").map_or(Ok(1), |text| text.parse())?;
    let list = arguments.iter().any(|one| one == "--list");
    println!("{n} containers of the kinds that the rules were written for, seed {seed}:\n");
    table(&judged(&Kind::FIRST, n, seed)?, &Kind::FIRST, list);
    println!("\n{} containers of two kinds that were written after the rules:\n", n / 5);
    table(&judged(&Kind::LATER, n / 5, seed + 1_000_000)?, &Kind::LATER, list);
    Ok(())
}

/// A container and what the program says of it.
struct Answer {
    plan: Plan,
    number: usize,
    what: &'static str,
    verdict: &'static str,
    alone: &'static str,
    /// Every amount with its verdict by itself and its growth in MiB a day.
    amounts: String,
}

fn judged(kinds: &[Kind], n: usize, seed: u64) -> Result<Vec<Answer>, Box<dyn Error>> {
    let mut answers = Vec::new();
    let numbers: Vec<usize> = (0..n).collect();
    for batch in numbers.chunks(BATCH) {
        let mut plans: BTreeMap<usize, Plan> = BTreeMap::new();
        let mut series: Vec<SeriesSamples> = Vec::new();
        for number in batch {
            let mut random = Random::of(0, seed * 100_003 + *number as u64);
            let plan = Plan::of(kinds[number % kinds.len()], &mut random);
            series.extend(simulate(&plan, *number, &mut random));
            plans.insert(*number, plan);
        }
        let readings = Readings::of(series);
        let report = leaktrend::judge(SampleFrame::new(readings), &Settings::default())?;
        for container in &report.series {
            let number = number_of(&container.samples.info.labels).expect("each series is of a container");
            let breakdown = container.breakdown.as_ref().ok_or_else(|| format!("{} is alone", container.id()))?;
            let plan = plans.remove(&number).ok_or_else(|| format!("{} is there twice", container.id()))?;
            answers.push(Answer {
                plan,
                number,
                what: breakdown.what.name(),
                verdict: container.verdict().name(),
                alone: breakdown.alone.verdict.name(),
                amounts: amounts(container, breakdown),
            });
        }
        if let Some(number) = plans.keys().next() {
            return Err(format!("container {number} is not in the report").into());
        }
    }
    answers.sort_by_key(|answer| answer.number);
    Ok(answers)
}

/// Every amount of a container, for the list.
fn amounts(container: &SeriesReport, breakdown: &Breakdown) -> String {
    let head = std::iter::once((breakdown.name.as_str(), &breakdown.alone, container.tolerance));
    let parts = breakdown.parts.iter().map(|part| (part.name.as_str(), &part.judgement, part.tolerance));
    let text = |(name, judgement, tolerance): (&str, &Judgement, Tolerance)| {
        let per_day = |rate: f64| rate * DAY / MIB;
        let growth = judgement.growth.map_or(String::new(), |growth| {
            let [rate, lower, upper] = [growth.bytes_per_second, growth.lower, growth.upper].map(per_day);
            format!(" {rate:.1} ({lower:.1} to {upper:.1}, matters {:.1})", per_day(tolerance.bytes_per_second))
        });
        format!("\n    {name} {}{growth}", judgement.verdict.name())
    };
    head.chain(parts).map(text).collect()
}

fn number_of(labels: &leaktrend::series::Labels) -> Option<usize> {
    if let Some(instance) = labels.get("instance") {
        let mut parts = instance.trim_end_matches(":3000").rsplit('.');
        let (low, high): (usize, usize) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        return Some(250 * high + low);
    }
    let name = labels.get("pod").or_else(|| labels.get("container"))?;
    name.trim_start_matches("app-").parse().ok()
}

/// How an answer stands to the truth: right, no part named, or another one.
fn grade(answer: &Answer) -> usize {
    let (_, truth) = answer.plan.kind.names();
    match answer.what {
        what if what == truth => 0,
        // Where nothing grows it is right to name nothing, whatever is suspected of the whole.
        "open" | "unknown" | "nothing" => usize::from(truth != "nothing"),
        _ => 2,
    }
}

fn table(answers: &[Answer], kinds: &[Kind], list: bool) {
    println!("| what grows | containers | named right | not named | named wrong | called |\n|---|---|---|---|---|---|");
    let row = |name: &str, of: &[&Answer]| {
        let count = |wanted: usize| of.iter().filter(|answer| grade(answer) == wanted).count();
        let share = |n: usize| format!("{n} ({:.1} %)", 100.0 * n as f64 / of.len().max(1) as f64);
        let mut called: BTreeMap<&str, usize> = BTreeMap::new();
        of.iter().for_each(|answer| *called.entry(answer.what).or_default() += 1);
        let called: Vec<String> = called.iter().map(|(what, n)| format!("{what} {n}")).collect();
        println!(
            "| {name} | {} | {} | {} | {} | {} |",
            of.len(),
            share(count(0)),
            share(count(1)),
            share(count(2)),
            called.join(", ")
        );
    };
    for kind in kinds {
        let of: Vec<&Answer> = answers.iter().filter(|answer| answer.plan.kind == *kind).collect();
        row(kind.names().0, &of);
    }
    row("all", &answers.iter().collect::<Vec<_>>());
    println!();
    println!("| exporters | containers | named right | not named | named wrong | called |\n|---|---|---|---|---|---|");
    for export in Export::ALL {
        let of: Vec<&Answer> = answers.iter().filter(|answer| answer.plan.export == export).collect();
        if !of.is_empty() {
            row(export.name(), &of);
        }
    }
    let verdicts = |leaks: bool| {
        let mut of: BTreeMap<&str, usize> = BTreeMap::new();
        let is_leak = |kind: Kind| !matches!(kind, Kind::Nothing | Kind::PageCache);
        let chosen = answers.iter().filter(|answer| is_leak(answer.plan.kind) == leaks);
        chosen.for_each(|answer| *of.entry(answer.verdict).or_default() += 1);
        of.iter().map(|(verdict, n)| format!("{verdict} {n}")).collect::<Vec<String>>().join(", ")
    };
    println!("\nVerdicts where nothing or page cache grows: {}.", verdicts(false));
    println!("Verdicts elsewhere: {}.", verdicts(true));
    for answer in answers.iter().filter(|answer| list && grade(answer) > 0) {
        let Plan { kind, export, step, span, gain } = &answer.plan;
        println!(
            "{} {kind:?} {export:?} {step} s {} h {gain:.2}: {} ({}, alone {}){}",
            answer.number,
            span / 3600.0,
            answer.what,
            answer.verdict,
            answer.alone,
            answer.amounts
        );
    }
}

/// Writes four containers as the answer to an instant query: page cache, the heap, memory outside the heap and a tmpfs
/// grow.
fn export(path: &Path) -> std::io::Result<()> {
    /// 2026-11-20 00:00:00 UTC.
    const START_MS: i64 = 1_795_132_800_000;
    let chosen = [
        (Kind::PageCache, Export::Cgroup, "files", 10),
        (Kind::Heap, Export::Both, "api", 0),
        (Kind::OutsideHeap, Export::Both, "images", 3),
        (Kind::Tmpfs, Export::Cgroup, "queue", 4),
    ];
    let mut results = Vec::new();
    for (kind, export, name, number) in chosen {
        let mut random = Random::of(0, number as u64);
        let plan = Plan { kind, export, step: 300.0, span: 3.0 * DAY, gain: 0.6 };
        let series = simulate(&plan, number, &mut random);
        let first_ms = series.iter().filter_map(|series| series.samples.time_ms.first()).min().copied().unwrap_or(0);
        for SeriesSamples { info, samples, .. } in series {
            let mut labels = info.labels;
            labels.insert("pod".to_owned(), format!("{name}-1"));
            labels.insert("container".to_owned(), name.to_owned());
            let labels: Vec<String> = labels.iter().map(|(key, value)| format!("\"{key}\":\"{value}\"")).collect();
            let values: Vec<String> = samples
                .time_ms
                .iter()
                .zip(&samples.used_bytes)
                .map(|(time, bytes)| format!("[{},\"{bytes}\"]", (time - first_ms + START_MS) / 1000))
                .collect();
            results.push(format!("{{\"metric\":{{{}}},\"values\":[{}]}}", labels.join(","), values.join(",")));
        }
    }
    let all = results.join(",\n");
    fs::write(
        path,
        format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[\n{all}\n]}}}}\n"),
    )
}
