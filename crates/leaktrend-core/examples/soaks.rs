//! What soaks say: Node-like heaps from a cold start, simulated, judged as `--daily-swing 0` judges.
//!
//! `cargo run --release -p leaktrend-core --example soaks [-- RUNS [why]]` prints a row for each kind of run, with
//! readings every 5 s and with every third of them; with `why`, also what is said of runs that are judged wrongly.
//!
//! A run begins with the process: modules load within half a minute, caches warm up within minutes. New objects die
//! young in a small space; what survives is collected when it has grown by a fifth of what lives; resident memory is
//! what the heap needed lately, since pages are given back slowly.

use leaktrend_core::series::{Labels, Marks, MemorySeries, Metric, Samples, Sampling, SeriesInfo};
use leaktrend_core::units::MIB;
use leaktrend_core::verdict::{JudgeTerms, Judgement, Verdict};
use leaktrend_core::{Terms, measure, segment};
use rayon::prelude::*;

const MINUTE: f64 = 60.0;

/// Uniform from 0 to 1: a 64-bit congruential generator (Knuth, MMIX), its high bits.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        ((mixed ^ (mixed >> 33)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn between(&mut self, lower: f64, upper: f64) -> f64 {
        lower + (upper - lower) * self.next()
    }

    /// Of mean 0 and variance 1, nearly: twelve uniform ones.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

/// A kind of run.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    minutes: f64,
    /// MiB a minute.
    leak: f64,
    /// Minutes after which it leaks.
    from: f64,
    /// MiB that stay resident once warm.
    level: (f64, f64),
    metric: Metric,
    /// Seconds from one collection of all to the next.
    collected: (f64, f64),
}

/// What is seen of a run, every 5 s, in MiB.
fn run(kind: &Kind, seed: u64) -> Vec<f64> {
    let random = &mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995);
    (0..50).for_each(|_| {
        random.next();
    });
    let level = random.between(kind.level.0, kind.level.1);
    // Code, stacks and buffers outside of the heap; what start-up loads; caches that requests fill.
    let outside = 0.3 * level;
    let loaded = 0.35 * level;
    let (cached, warm) = (0.15 * level, random.between(1.0, 4.0) * MINUTE);
    let young = random.between(8.0, 16.0);
    let rate = random.between(2.0, 12.0);
    let room = |live: f64| 6.0 + 0.2 * live;
    // Under the load of a soak old objects fill their room within a minute or three.
    let period = random.between(kind.collected.0, kind.collected.1);
    let promoted = room(loaded + cached) / period / rate;
    let back = random.between(60.0, 600.0);
    let starts = random.between(10.0, 30.0);
    let (mut nursery, mut old, mut limit, mut resident, mut busy) = (0.0, 0.0, 0.0, 25.0, 0.0f64);
    let mut seen = Vec::new();
    let seconds = (kind.minutes * MINUTE) as usize;
    for second in 0..=seconds {
        let time = second as f64;
        busy += (-busy / 20.0) + 0.1 * random.normal();
        let load = if time < starts { 0.0 } else { (1.0 + 0.3 * busy).max(0.1) };
        let start_up = (time / starts).min(1.0);
        let leaked = kind.leak * ((time - kind.from * MINUTE) / MINUTE).max(0.0);
        let live = loaded * start_up + cached * (1.0 - (-(time - starts).max(0.0) / warm).exp()) + leaked;
        nursery += rate * load + loaded / starts * f64::from(u8::from(time < starts));
        if nursery > young {
            // A minor collection: what is still in use, or cannot be told to be dead, gets old.
            old += promoted * nursery;
            nursery = 0.0;
        }
        limit = f64::max(limit, 0.8 * room(live));
        if old > limit {
            // A major collection; the next one comes when a fifth of what lives has been added.
            old = random.between(0.0, 0.05) * live;
            limit = random.between(0.8, 1.2) * room(live);
        }
        let heap = live + old + nursery;
        // Pages of high water stay for a while.
        resident = if heap > resident { heap } else { resident + (heap - resident) / back };
        if second % 5 == 0 {
            let value = if kind.metric == Metric::Heap { heap } else { outside * start_up.max(0.4) + resident };
            seen.push(value);
        }
    }
    seen
}

/// What is said of every `every`-th reading.
fn judged(kind: &Kind, seen: &[f64], every: usize) -> Judgement {
    const PAGE: f64 = 4096.0;
    let mut samples = Samples::default();
    for (index, mib) in seen.iter().enumerate().step_by(every) {
        let time_ms = 1_791_100_800_000 + 5000 * index as i64;
        samples.push(time_ms, (mib * MIB / PAGE).round() * PAGE, PAGE, Marks::default());
    }
    let info = SeriesInfo {
        id: "soak".to_owned(),
        labels: Labels::new(),
        limit: None,
        metric: kind.metric,
        container_given: true,
        sampling: Sampling::Raw,
    };
    let series = MemorySeries::new(info, samples).expect("a run has readings");
    let terms = Terms { judge: JudgeTerms { daily_swing: 0.0, ..JudgeTerms::default() }, ..Terms::default() };
    measure(&segment::cut(&series, None), &series, &terms).judge(None)
}

/// All kinds of runs.
fn kinds() -> Vec<Kind> {
    let (small, large) = ((110.0, 220.0), (295.0, 305.0));
    let healthy = Kind {
        name: "healthy",
        minutes: 60.0,
        leak: 0.0,
        from: 0.0,
        level: small,
        metric: Metric::DockerUsage,
        collected: (15.0, 60.0),
    };
    let mut kinds: Vec<Kind> =
        [10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0].map(|minutes| Kind { minutes, ..healthy }).to_vec();
    kinds.push(Kind { name: "healthy, 300 MiB", level: large, ..healthy });
    let seldom = Kind { name: "healthy, collected seldom", collected: (60.0, 300.0), ..healthy };
    kinds.extend([30.0, 60.0].map(|minutes| Kind { minutes, ..seldom }));
    let fast = Kind { name: "5 MB a minute", leak: 5e6 / MIB, ..healthy };
    kinds.extend([20.0, 30.0, 45.0, 60.0].map(|minutes| Kind { minutes, ..fast }));
    let later = Kind { name: "5 MB a minute from 20 min on", from: 20.0, ..fast };
    kinds.extend([40.0, 60.0].map(|minutes| Kind { minutes, ..later }));
    let slow = Kind { name: "1 MB a minute on 300 MiB", leak: 1e6 / MIB, level: large, ..healthy };
    kinds.extend([30.0, 60.0, 90.0].map(|minutes| Kind { minutes, ..slow }));
    let of_heap: Vec<Kind> = kinds.iter().map(|kind| Kind { metric: Metric::Heap, ..*kind }).collect();
    kinds.extend(of_heap);
    kinds
}

fn main() {
    let runs: u64 = std::env::args().nth(1).map_or(20, |word| word.parse().expect("runs are a number"));
    let talks = std::env::args().nth(2).is_some();
    println!("| memory | run | min | every | leak | suspected | open | step | pass | interval holds 0 |");
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for kind in &kinds() {
        let judged: Vec<[Judgement; 2]> = (0..runs)
            .into_par_iter()
            .map(|seed| {
                let seen = run(kind, seed);
                [1, 3].map(|every| judged(kind, &seen, every))
            })
            .collect();
        for (index, every) in ["5 s", "15 s"].into_iter().enumerate() {
            let of = |found: fn(Verdict) -> bool| judged.iter().filter(|both| found(both[index].verdict)).count();
            let holds = judged
                .iter()
                .filter_map(|both| both[index].growth)
                .filter(|growth| growth.lower <= 0.0 && 0.0 <= growth.upper)
                .count();
            println!(
                "| {} | {} | {} | {every} | {} | {} | {} | {} | {} | {holds} |",
                if kind.metric == Metric::Heap { "heap" } else { "resident" },
                kind.name,
                kind.minutes,
                of(Verdict::is_leak),
                of(|verdict| verdict == Verdict::LeakSuspected),
                of(|verdict| verdict == Verdict::Inconclusive),
                of(|verdict| verdict == Verdict::Step),
                of(Verdict::proves_no_leak),
            );
            if talks {
                for (seed, both) in judged.iter().enumerate() {
                    let good = if kind.leak > 0.0 {
                        both[index].verdict.is_leak()
                    } else {
                        both[index].verdict.proves_no_leak()
                    };
                    if !good {
                        println!("  - {seed}: {}: {}", both[index].verdict.name(), both[index].reason());
                    }
                }
            }
        }
    }
}
