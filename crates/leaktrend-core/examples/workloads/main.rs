//! How often verdicts on workloads are right: simulated pods that come and go, whose truth is known.
//!
//! `cargo run -p leaktrend-core --example workloads` prints the tables of `reports/workloads.md`; `-- --workloads 100`
//! makes fewer, `-- --seed 7` others. `-- --list` prints a line for each. `-- --export FILE` writes three of them as a
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
use leaktrend_core::verdict::Verdict;
use leaktrend_core::workload::{self, Joined, Pod, siblings};
use leaktrend_core::{Terms, judge, segment};
use rayon::prelude::*;

use random::Random;
use simulation::{Kind, Plan, Read, Slow};

/// So many workloads are judged in one run, and share a false discovery rate.
const BATCH: usize = 50;
/// Leaks of which the time to a verdict is measured.
const SLOW: [Slow; 4] = [
    Slow { gain: (0.0, 0.0), days: 14.0 },
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
    println!(
        "| what grows | workloads | called a leak | suspected | level | open | no single pod shows it | of these called a \
         leak | a leaking pod named | a healthy pod named | version named | right one |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    if arguments.iter().any(|one| one == "--times") {
        return times(n, seed, list);
    }
    for (name, kind) in [
        ("nothing", Kind::Healthy),
        ("every pod", Kind::Leaks),
        ("every pod since a version", Kind::LeaksSinceVersion),
        ("one pod", Kind::OnePodLeaks),
    ] {
        if std::env::var("KINDS").is_ok_and(|k| !k.split(',').any(|one| name == one)) { continue; }
        row(name, &judged(kind, n, seed), list);
    }
    println!();
    if std::env::var("KINDS").is_ok() { return; }
    times(n, seed, list);
}

/// What is said of a workload.
struct Answer {
    plan: Plan,
    verdict: Verdict,
    why: String,
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
                let measured = measured(&joined, since, &terms);
                let matters = measured.stretch().map_or(f64::INFINITY, |stretch| stretch.tolerance.bytes_per_second);
                let differing = siblings::differing(&joined, matters, &terms.judge);
                let right = differing.iter().filter(|one| of[one.pod].leaks).count();
                let alone = if std::env::var("NOALONE").is_ok() { 0 } else { 1 } * read.iter().filter(|one| judge(&one.series, &terms).verdict.is_leak()).count();
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
                let judgement = measured.judge(q_value);
                let verdict = judgement.verdict;
                let why = format!("{} {:?}", told(&judgement, q_value), measured.view().map(|v| (v.rhythm.harmonics, v.chosen.form.clone(), v.runner_up.as_ref().map(|r| (r.form.clone(), r.bic - v.chosen.bic)))));
                Answer { plan, verdict, why, pods_that_leak, pods, since, differing }
            })
            .collect::<Vec<_>>()
    });
    batches.collect()
}

fn measured(joined: &Joined, since: Option<usize>, terms: &Terms) -> leaktrend_core::verdict::Measured {
    let _ = since;
    workload::measure(joined, 0, &segment::cut(&joined.series, None), &joined.series, terms)
}

fn told(judgement: &leaktrend_core::verdict::Judgement, q: Option<f64>) -> String {
    let leaktrend_core::verdict::Grounds::Measured(e) = &judgement.grounds else { return String::new() };
    let g = judgement.growth.unwrap();
    let m = 86400.0 / 1048576.0;
    format!("{:?} {:?} {:?} runs {} q {:.3} p {:.4} growth {:.1} [{:.1} {:.1}] tol {:.1}", e.doubt, e.since, e.course, e.runs, q.unwrap_or(9.0), g.p_value, m*g.bytes_per_second, m*g.lower, m*g.upper, m*e.tolerance.bytes_per_second)
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
            "  {} {pods}+{more} pods ({} in all, {} leak alone) {days} d {step} s gain {gain:.2} {} rollouts since {:?} (true {}) {:?} hidden {} level {:.0} {} noise {:?} lasts {:?} start {:?} garb {:?} ev {:.1}",
            answer.verdict.name(),
            answer.pods,
            answer.pods_that_leak,
            rollouts.len(),
            answer.since,
            answer.plan.since,
            answer.differing,
            answer.pods_that_leak == 0,
            answer.plan.level / 1048576.0,
            answer.why,
            answer.plan.noise.map(|x| (x*1e4).round()/1e4), answer.plan.lasts.map(|x| (x/360.0).round()/10.0), (answer.plan.start.0, answer.plan.start.1/60.0), answer.plan.garbage, answer.plan.evicted/86400.0,
        );
    }
}

/// How long a verdict takes with eight pods and with one, by the strength of the leak: the window in which half of the
/// workloads are called a leak, and that in which four of five are. A window is looked at once, as a user does: the first
/// of many looks that calls a leak would be the earlier the more noise there is.
fn times(n: usize, seed: u64, list: bool) {
    println!("| gain in a day | pods | half are called a leak after | four of five |");
    println!("|---|---|---|---|");
    for (at, slow) in SLOW.into_iter().enumerate() {
        if std::env::var("SLOW").is_ok_and(|k| !k.contains(&at.to_string())) { continue; }
        let mut found = Vec::new();
        for pods in std::env::var("PODS").map_or(vec![1, 8], |p| vec![p.parse().unwrap()]) {
            let called: Vec<Vec<bool>> =
                (0..n as u64).into_par_iter().map(|number| called(slow, pods, number, seed + 1000)).collect();
            let shares: Vec<f64> = (0..called[0].len())
                .map(|window| called.iter().filter(|one| one[window]).count() as f64 / n as f64)
                .collect();
            let after = |share: f64| {
                let at = (0..shares.len()).find(|at| shares[*at] >= share)?;
                Some(slow.windows()[at])
            };
            let text = |days: Option<f64>| days.map_or("not".to_owned(), |days| format!("{days:.2} days"));
            println!(
                "| {:.0} to {:.0} % | {pods} | {} | {} |",
                100.0 * slow.gain.0,
                100.0 * slow.gain.1,
                text(after(0.5)),
                text(after(0.8))
            );
            if list {
                let each = slow.windows().into_iter().zip(&shares);
                let each: Vec<String> = each.map(|(days, share)| format!("{days:.2}:{share:.2}")).collect();
                eprintln!("  {}", each.join(" "));
            }
            found.push(shares);
        }
    }
}

/// Whether a workload that leaks slowly is called a leak, in each window.
fn called(slow: Slow, pods: usize, number: u64, seed: u64) -> Vec<bool> {
    let terms = Terms::default();
    let (plan, read) = plan(Kind::Slow(slow), Some(pods), number, seed);
    let dump = std::env::var("DUMP").ok().map(|d| d.parse::<f64>().unwrap());
    let Some(start_ms) = read.iter().map(|one| one.series.start_ms()).min() else { return Vec::new() };
    let is_called = |days: f64| {
        let Some((joined, _)) = joined(&read, start_ms + (days * DAY * 1000.0) as i64) else { return false };
        let m = measured(&joined, None, &terms);
        let j = m.judge(None);
        if dump.is_some_and(|d| days >= d && (j.verdict.is_leak() == (slow.gain.1 == 0.0))) {
            eprintln!("{number} {days:.2} {:?} level {:.0} gain {:.3} {} {:?} lives {:?} start {:?}", j.verdict, plan.level/1048576.0, plan.gain, told(&j, None), m.view().map(|v| (v.rhythm.harmonics, v.chosen.form.clone())), joined.lives.iter().map(|l| l.from).collect::<Vec<_>>(), plan.start);
        }
        j.verdict.is_leak()
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
