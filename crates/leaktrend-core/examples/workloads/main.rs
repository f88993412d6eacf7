//! How often verdicts on workloads are right: simulated pods that come and go, whose truth is known.
//!
//! `cargo run -p leaktrend-core --example workloads` prints the tables of `reports/workloads.md`; `-- --workloads 100`
//! makes fewer, `-- --seed 7` others. `-- --list` prints a line for each. `-- --only times` prints one table. `-- --export FILE` writes three of them as a
//! Prometheus export: one that leaks since its third version, a healthy one, and one of which one pod leaks.

#[path = "../accuracy/generator/random.rs"]
#[allow(dead_code, reason = "the generator of the curves uses what this one does not")]
mod random;
mod simulation;

use std::path::Path;
use std::{env, fs};

use leaktrend_core::series::MemorySeries;
use leaktrend_core::stats::fdr;
use leaktrend_core::units::DAY;
use leaktrend_core::verdict::{Measured, Verdict};
use leaktrend_core::workload::{self, Joined, Pod, siblings};
use leaktrend_core::{Terms, judge, segment};
use rayon::prelude::*;

use random::Random;
use simulation::{Kind, Plan, Read, Slow};

/// So many workloads are judged in one run, and share a false discovery rate.
const BATCH: usize = 50;
/// Workloads of which verdicts are asked after longer and longer windows: one that does not grow, and three strengths of
/// a leak.
const SLOW: [Slow; 4] = [
    Slow { gain: (0.0, 0.0), days: 7.0 },
    Slow { gain: (0.01, 0.03), days: 28.0 },
    Slow { gain: (0.03, 0.1), days: 14.0 },
    Slow { gain: (0.1, 0.3), days: 7.0 },
];
/// The seed of the exported ones.
const EXPORTED: u64 = 5;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|one| one == name).and_then(|at| arguments.get(at + 1));
    let number = |name: &str, default: u64| value(name).map_or(default, |text| text.parse().expect("a number"));
    if let Some(path) = value("--export") {
        return export(Path::new(path)).expect("the file can be written");
    }
    let (n, seed) = (number("--workloads", 200) as usize, number("--seed", 1));
    let list = arguments.iter().any(|one| one == "--list");
    let only = value("--only").map(String::as_str);
    if only != Some("times") {
        rows(n, seed, list);
        println!();
    }
    if only != Some("rows") {
        times(n, seed, list);
    }
}

fn rows(n: usize, seed: u64, list: bool) {
    println!(
        "| what grows | workloads | called a leak | suspected | level | open | no single pod shows it | of these called a \
         leak | a leaking pod named | a healthy pod named | version named | right one |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (name, kind) in [
        ("nothing", Kind::Healthy),
        ("every pod", Kind::Leaks),
        ("every pod since a version", Kind::LeaksSinceVersion),
        ("one pod", Kind::OnePodLeaks),
    ] {
        row(name, &judged(kind, n, seed), list);
    }
}

/// What is said of a workload.
struct Answer {
    plan: Plan,
    verdict: Verdict,
    reason: String,
    /// How many pods are judged a leak by themselves.
    pods_that_leak: usize,
    pods: usize,
    /// The versions: told, true.
    since: Option<usize>,
    /// Pods that differ from their siblings: told, and of these leaking.
    differing: (usize, usize),
}

fn plan(kind: Kind, pods: Option<usize>, number: u64, seed: u64) -> (Plan, Vec<Read>) {
    let mut random = Random::of(seed * 1_000_003 + number, kind.stream());
    let plan = Plan::of(kind, pods, &mut random);
    let read = plan.run(&mut random);
    (plan, read)
}

/// What the pods of a workload have in common until so many days have passed.
fn joined(read: &[Read], until_ms: i64) -> Option<(Joined, Vec<&Read>)> {
    let cut: Vec<(MemorySeries, &Read)> =
        read.iter().filter_map(|one| Some((one.series.clone().between(i64::MIN, until_ms)?, one))).collect();
    let names: Vec<String> = cut.iter().map(|(_, one)| one.version.to_string()).collect();
    let pods: Vec<Pod<'_>> =
        cut.iter().zip(&names).map(|((series, _), name)| Pod { series, version: Some(name) }).collect();
    let joined = workload::join(&pods, pods.first()?.series.info.clone(), Terms::default().judge.settle_seconds)?;
    Some((joined, cut.into_iter().map(|(_, one)| one).collect()))
}

fn judged(kind: Kind, n: usize, seed: u64) -> Vec<Answer> {
    let terms = Terms::default();
    let numbers: Vec<u64> = (0..n as u64).collect();
    let batches = numbers.chunks(BATCH).flat_map(|batch| {
        let measured: Vec<_> = batch
            .par_iter()
            .map(|number| {
                let (plan, read) = plan(kind, None, *number, seed);
                let (joined, of) = joined(&read, i64::MAX).expect("there are pods");
                let since = workload::grows_since(&joined, &terms);
                let measured = measured(&joined, &terms);
                let matters = measured.stretch().map_or(f64::INFINITY, |stretch| stretch.tolerance.bytes_per_second);
                let differing = siblings::differing(&joined, matters, &terms.judge);
                let right = differing.iter().filter(|one| of[one.pod].leaks).count();
                let alone = read.iter().filter(|one| judge(&one.series, &terms).verdict.is_leak()).count();
                (plan, measured, since.map(|run| joined.runs[run].version), (differing.len(), right), alone, read.len())
            })
            .collect();
        let p_values: Vec<f64> = measured.iter().filter_map(|one| one.1.p_value()).collect();
        let mut q_values = fdr::q_values(&p_values).into_iter();
        measured
            .into_iter()
            .map(|(plan, measured, since, differing, pods_that_leak, pods)| {
                let q_value = measured.p_value().and_then(|_| q_values.next());
                let judgement = measured.judge(q_value);
                let (verdict, reason) = (judgement.verdict, judgement.reason());
                Answer { plan, verdict, reason, pods_that_leak, pods, since, differing }
            })
            .collect::<Vec<_>>()
    });
    batches.collect()
}

fn measured(joined: &Joined, terms: &Terms) -> Measured {
    workload::measure(joined, 0, &segment::cut(&joined.series, None), &joined.series, terms)
}

fn row(name: &str, answers: &[Answer], list: bool) {
    let share = |n: usize, of: usize| format!("{n} ({:.1} %)", 100.0 * n as f64 / of.max(1) as f64);
    let n = answers.len();
    let count = |is: &dyn Fn(&Answer) -> bool| answers.iter().filter(|answer| is(answer)).count();
    let hidden = count(&|answer| answer.pods_that_leak == 0);
    let found = count(&|answer| answer.pods_that_leak == 0 && answer.verdict.is_leak());
    let open = |answer: &Answer| matches!(answer.verdict, Verdict::Inconclusive | Verdict::Step);
    let right_version = |answer: &Answer| answer.since.is_some() && answer.since == Some(answer.plan.since);
    let cells = [
        share(count(&|answer| answer.verdict.is_leak()), n),
        share(count(&|answer| answer.verdict == Verdict::LeakSuspected), n),
        share(count(&|answer| answer.verdict.proves_no_leak()), n),
        share(count(&open), n),
        share(hidden, n),
        share(found, hidden),
        share(count(&|answer| answer.differing.1 > 0), n),
        share(count(&|answer| answer.differing.1 < answer.differing.0), n),
        share(count(&|answer| answer.since.is_some()), n),
        share(count(&right_version), n),
    ];
    println!("| {name} | {n} | {} |", cells.join(" | "));
    for answer in answers.iter().filter(|_| list) {
        let Plan { pods, more, days, step, gain, rollouts, .. } = &answer.plan;
        eprintln!(
            "  {} {pods}+{more} pods ({} in all, {} leak alone) {days} d {step} s gain {gain:.2} {} rollouts since {:?} (true {}) {:?}: {}",
            answer.verdict.name(),
            answer.pods,
            answer.pods_that_leak,
            rollouts.len(),
            answer.since,
            answer.plan.since,
            answer.differing,
            answer.reason,
        );
    }
}

/// How long a verdict takes with eight pods and with one, by the strength of the leak: from which window on half of the
/// workloads are called a leak, and four of five. Each window is judged by itself, as by one who looks then: the first of
/// many looks that calls a leak would be the earlier the more noise there is.
fn times(n: usize, seed: u64, list: bool) {
    println!("| gain in a day | pods | half are called a leak from | four of five from | called in all windows |");
    println!("|---|---|---|---|---|");
    for slow in SLOW {
        for pods in [1, 8] {
            let called: Vec<Vec<bool>> =
                (0..n as u64).into_par_iter().map(|number| called(slow, pods, number, seed + 1000, list)).collect();
            let windows = slow.windows();
            let share = |at: usize| called.iter().filter(|one| one[at]).count() as f64 / n as f64;
            let shares: Vec<f64> = (0..windows.len()).map(share).collect();
            let from = |least: f64| {
                let before = shares.iter().rposition(|share| *share < least).map_or(0, |at| at + 1);
                windows.get(before).map_or("not".to_owned(), |days| format!("{days:.1} days"))
            };
            let all = 100.0 * shares.iter().sum::<f64>() / shares.len() as f64;
            let gain = format!("{:.0} to {:.0} %", 100.0 * slow.gain.0, 100.0 * slow.gain.1);
            println!("| {gain} | {pods} | {} | {} | {all:.1} % |", from(0.5), from(0.8));
            if list {
                let each = windows.iter().zip(&shares).map(|(days, share)| format!("{days:.2} d {share:.2}"));
                eprintln!("  {}", each.collect::<Vec<_>>().join(", "));
            }
        }
    }
}

/// Whether a workload is called a leak, in each window.
fn called(slow: Slow, pods: usize, number: u64, seed: u64, list: bool) -> Vec<bool> {
    let terms = Terms::default();
    let (plan, read) = plan(Kind::Slow(slow), Some(pods), number, seed);
    let start_ms = read.iter().map(|one| one.series.start_ms()).min().unwrap_or(0);
    let is_called = |days: f64| {
        let Some((joined, _)) = joined(&read, start_ms + (days * DAY * 1000.0) as i64) else { return false };
        let judgement = measured(&joined, &terms).judge(None);
        let is_leak = judgement.verdict.is_leak();
        if list && is_leak && plan.gain == 0.0 {
            eprintln!("  {number} {days:.2} d {}: {}", judgement.verdict.name(), judgement.reason());
        }
        is_leak
    };
    slow.windows().into_iter().map(is_called).collect()
}

/// Writes three workloads as the answer to an instant query of a range.
fn export(path: &Path) -> std::io::Result<()> {
    /// The characters of the hash of a template, and of the random suffix of a pod.
    const ALPHABETS: [&[u8]; 2] = [b"456789bcdf", b"bcdfghjklmnpqrstvwxz2456789"];
    let mut results = Vec::new();
    for (name, kind, pods) in
        [("web", Kind::LeaksSinceVersion, 6), ("api", Kind::Healthy, 3), ("queue", Kind::OnePodLeaks, 5)]
    {
        let mut random = Random::of(EXPORTED, kind.stream());
        let plan = Plan::of(kind, None, &mut random).steady(kind, pods);
        let read = plan.run(&mut random);
        let mut text = |alphabet: usize, n: usize| -> String {
            (0..n).map(|_| char::from(random.one_of(ALPHABETS[alphabet]))).collect()
        };
        let hashes: Vec<String> = plan.rollouts.iter().map(|_| text(0, 9)).collect();
        for one in &read {
            let pod = format!("{name}-{}-{}", hashes[one.version], text(1, 5));
            let values: Vec<String> = one
                .series
                .time_ms()
                .iter()
                .zip(one.series.used_bytes())
                .map(|(time_ms, bytes)| format!("[{},\"{}\"]", time_ms / 1000, (bytes / 4096.0).round() * 4096.0))
                .collect();
            let labels = format!(
                "\"__name__\":\"container_memory_working_set_bytes\",\"namespace\":\"shop\",\"pod\":\"{pod}\",\"container\":\"{name}\""
            );
            results.push(format!("{{\"metric\":{{{labels}}},\"values\":[{}]}}", values.join(",")));
        }
    }
    let all = results.join(",\n");
    fs::write(
        path,
        format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[\n{all}\n]}}}}\n"),
    )
}
