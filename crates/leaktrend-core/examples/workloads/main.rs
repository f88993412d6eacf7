//! How often verdicts on workloads are right: simulated pods that come and go, whose truth is known.
//!
//! `cargo run -p leaktrend-core --example workloads` prints the tables of `reports/workloads.md`; `-- --workloads 100`
//! makes fewer, `-- --seed 7` others. `-- --list` prints a line for each. `-- --export FILE` writes three of them as a
//! Prometheus export: one that leaks since its third version, a healthy one, and one of which one pod leaks.

#[path = "../accuracy/generator/random.rs"]
#[allow(dead_code, reason = "the generator of the curves uses what this one does not")]
mod random;
mod simulation;

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use leaktrend_core::series::MemorySeries;
use leaktrend_core::stats::fdr;
use leaktrend_core::units::DAY;
use leaktrend_core::verdict::Verdict;
use leaktrend_core::workload::{self, Joined, Pod, siblings};
use leaktrend_core::{Terms, judge, segment};
use rayon::prelude::*;

use random::Random;
use simulation::{Kind, Plan, Read};

/// So many workloads are judged in one run, and share a false discovery rate.
const BATCH: usize = 50;
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
    println!();
    times(n, seed, list);
}

/// What is said of a workload.
struct Answer {
    plan: Plan,
    verdict: Verdict,
    /// How many pods are judged a leak by themselves.
    pods_that_leak: usize,
    pods: usize,
    /// The versions: told, true.
    since: Option<usize>,
    /// Pods that differ from their siblings: told, and of these leaking.
    differing: (usize, usize),
}

fn plan(kind: Kind, pods: Option<usize>, number: u64, seed: u64) -> (Plan, Vec<Read>) {
    let mut random = Random::of(seed * 1_000_003 + number, kind as u64);
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
                let measured = measured(&joined, since, &terms);
                let matters = measured.stretch().map_or(f64::INFINITY, |stretch| stretch.tolerance.bytes_per_second);
                let differing = siblings::differing(&joined, matters, &terms.judge);
                let right = differing.iter().filter(|one| of[one.pod].leaks).count();
                let alone = read.iter().filter(|one| judge(&one.series, &terms).verdict.is_leak()).count();
                (
                    plan,
                    measured,
                    since.map(|life| joined.lives[life].version),
                    (differing.len(), right),
                    alone,
                    read.len(),
                )
            })
            .collect();
        let p_values: Vec<f64> = measured.iter().filter_map(|one| one.1.p_value()).collect();
        let mut q_values = fdr::q_values(&p_values).into_iter();
        measured
            .into_iter()
            .map(|(plan, measured, since, differing, pods_that_leak, pods)| {
                let q_value = measured.p_value().and_then(|_| q_values.next());
                let verdict = measured.judge(q_value).verdict;
                Answer { plan, verdict, pods_that_leak, pods, since, differing }
            })
            .collect::<Vec<_>>()
    });
    batches.collect()
}

fn measured(joined: &Joined, since: Option<usize>, terms: &Terms) -> leaktrend_core::verdict::Measured {
    let of = |series: &MemorySeries| workload::measure(&segment::cut(series, None), series, terms);
    let since = since.and_then(|life| joined.series.from(joined.lives[life].from)).map(|series| of(&series));
    let whole = of(&joined.series);
    since.filter(|since| since.judge(None).verdict.is_leak()).unwrap_or(whole)
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
            "  {} {pods}+{more} pods ({} in all, {} leak alone) {days} d {step} s gain {gain:.2} {} rollouts since {:?} (true {}) {:?}",
            answer.verdict.name(),
            answer.pods,
            answer.pods_that_leak,
            rollouts.len(),
            answer.since,
            answer.plan.since,
            answer.differing,
        );
    }
}

/// Days until the verdict with one pod and with eight; `None` without one.
type Pair = (Option<f64>, Option<f64>);

/// How long a verdict takes with eight pods and with one, on workloads that leak.
fn times(n: usize, seed: u64, list: bool) {
    let terms = Terms::default();
    let windows: Vec<f64> = (4..=56).map(|eighth| 0.125 * f64::from(eighth)).collect();
    let first = |pods: usize, number: u64| {
        let (plan, read) = plan(Kind::Slow, Some(pods), number, seed + 1000);
        let start_ms = read.iter().map(|one| one.series.start_ms()).min()?;
        windows.iter().take_while(|days| **days <= plan.days).copied().find(|days| {
            let Some((joined, _)) = joined(&read, start_ms + (days * DAY * 1000.0) as i64) else { return false };
            measured(&joined, None, &terms).judge(None).verdict.is_leak()
        })
    };
    let pairs: Vec<Pair> = (0..n as u64).into_par_iter().map(|number| (first(1, number), first(8, number))).collect();
    // Those without a verdict took longer than all others.
    let middle = |of: fn(&Pair) -> Option<f64>| {
        let mut all: Vec<f64> = pairs.iter().map(|pair| of(pair).unwrap_or(f64::INFINITY)).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let (one, eight) = (middle(|pair| pair.0), middle(|pair| pair.1));
    let missing = |of: fn(&Pair) -> Option<f64>| pairs.iter().filter(|pair| of(pair).is_none()).count();
    println!("| pods | median time to the verdict | without a verdict |\n|---|---|---|");
    println!("| 1 | {one:.2} days | {} of {n} |", missing(|pair| pair.0));
    println!("| 8 | {eight:.2} days | {} of {n} |", missing(|pair| pair.1));
    println!("\nWith eight pods it takes {:.2} of the time.", eight / one);
    if list {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        pairs.iter().for_each(|pair| *counts.entry(format!("{pair:?}")).or_default() += 1);
        counts.iter().for_each(|(pair, n)| eprintln!("  {n} x {pair}"));
    }
}

/// Writes three workloads as the answer to an instant query of a range.
fn export(path: &Path) -> std::io::Result<()> {
    /// The characters of the hash of a template, and of the random suffix of a pod.
    const ALPHABETS: [&[u8]; 2] = [b"456789bcdf", b"bcdfghjklmnpqrstvwxz2456789"];
    let mut results = Vec::new();
    for (name, kind, pods) in
        [("web", Kind::LeaksSinceVersion, 6), ("api", Kind::Healthy, 3), ("queue", Kind::OnePodLeaks, 5)]
    {
        let mut random = Random::of(EXPORTED, kind as u64);
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
