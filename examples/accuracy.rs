//! How often verdicts are right, measured on generated series: `reports/accuracy.md`.
//!
//! `cargo run --release --no-default-features --example accuracy -- 40 > reports/accuracy.md` makes 40 series for each
//! mechanism and sampling, from fixed seeds, and judges them with the default settings, without limits and without
//! evidence beside the values. Four rules that people use instead are computed on the same series.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use leaktrend::fit::{self, ToleranceTerms};
use leaktrend::judge::{self, JudgeTerms, Verdict};
use leaktrend::segment;
use leaktrend::series::{Marks, MemorySeries, Metric, Samples, Sampling, SeriesInfo};
use leaktrend::settings::Settings;
use leaktrend::stats::Points;
use leaktrend::stats::robust::median;
use leaktrend::stats::theil_sen;
use leaktrend::units::{Amount, DAY, MIB, docker_text};
use rayon::prelude::*;

/// Seconds between two readings, and length of the window in seconds. The first two are shown, not required.
const SAMPLINGS: [(f64, f64, &str); 9] = [
    (300.0, DAY / 4.0, "5m-6h"),
    (900.0, DAY, "15m-24h"),
    (15.0, DAY / 4.0, "15s-6h"),
    (60.0, DAY / 4.0, "1m-6h"),
    (60.0, DAY, "1m-24h"),
    (300.0, DAY, "5m-24h"),
    (300.0, 7.0 * DAY, "5m-7d"),
    (900.0, 7.0 * DAY, "15m-7d"),
    (900.0, 30.0 * DAY, "15m-30d"),
];
/// Fewer samples are shown but not counted in the rates below the table.
const REQUIRED_SAMPLES: f64 = 288.0;

/// What makes memory move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mechanism {
    Flat,
    RandomWalk,
    Collections,
    Daily,
    WarmUp,
    SlowWarmUp,
    OneStep,
    Spikes,
    Restarts,
    Shrinking,
    Load,
    Linear,
    Late,
    WarmUpThenLeak,
    LeakUnderCollections,
    LeakUnderDaily,
    LeakThroughSpikes,
    Staircase,
    OomKills,
    NightlyRestarts,
}

const MECHANISMS: [Mechanism; 20] = {
    use Mechanism::{
        Collections, Daily, Flat, Late, LeakThroughSpikes, LeakUnderCollections, LeakUnderDaily, Linear, Load,
        NightlyRestarts, OneStep, OomKills, RandomWalk, Restarts, Shrinking, SlowWarmUp, Spikes, Staircase, WarmUp,
        WarmUpThenLeak,
    };
    [
        Flat,
        RandomWalk,
        Collections,
        Daily,
        WarmUp,
        SlowWarmUp,
        OneStep,
        Spikes,
        Restarts,
        Shrinking,
        Load,
        Linear,
        Late,
        WarmUpThenLeak,
        LeakUnderCollections,
        LeakUnderDaily,
        LeakThroughSpikes,
        Staircase,
        OomKills,
        NightlyRestarts,
    ]
};

impl Mechanism {
    fn leaks(self) -> bool {
        self >= Mechanism::Linear
    }

    /// Whether the mechanism can be told in a window of this length.
    fn fits(self, span: f64) -> bool {
        match self {
            Mechanism::Daily => span >= DAY,
            Mechanism::LeakUnderDaily => span >= 2.0 * DAY,
            Mechanism::NightlyRestarts => span >= 4.0 * DAY,
            _ => true,
        }
    }
}

/// `SplitMix64` (Steele, Lea, Flood 2014): the same numbers everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn uniform(&mut self, lower: f64, upper: f64) -> f64 {
        lower + (upper - lower) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform(f64::MIN_POSITIVE, 1.0).ln()).sqrt() * (TAU * self.uniform(0.0, 1.0)).cos()
    }
}

/// Times in seconds and bytes, before gaps and printing.
fn generate(mechanism: Mechanism, step: f64, span: f64, random: &mut Random) -> (Vec<f64>, Vec<f64>) {
    let n = (span / step) as usize;
    let base = random.uniform(80.0, 900.0) * MIB;
    let sd = base * random.uniform(0.002, 0.02);
    let phi = [0.0, 0.3, 0.6, 0.8, 0.9, 0.95][(random.next() % 6) as usize];
    let walks = mechanism == Mechanism::RandomWalk;
    let mut noise = vec![0.0; n];
    let mut state = if walks { 0.0 } else { random.normal() };
    for value in &mut noise {
        *value = state;
        let scale = if walks { 0.05 } else { f64::sqrt(1.0 - phi * phi) };
        state = if walks { 1.0 } else { phi } * state + scale * random.normal();
    }
    let time: Vec<f64> = (0..n).map(|index| index as f64 * step).collect();
    let share = |index: usize| index as f64 / n as f64;

    // Three times the rise that could be detected (power 80 % at 5 %), and three times the one that matters.
    let long_run = sd * f64::sqrt(1.0 - phi * phi) / (1.0 - phi);
    let rise = 3.0 * (8.6 * long_run / (n as f64).sqrt()).max((0.05 * base).max(4.0 * MIB)) * random.uniform(1.0, 2.0);
    let collected = 0.15 * base;
    let cycle = (span / random.uniform(30.0, 60.0)).max(4.0 * step);
    let daily_phase = random.uniform(0.0, TAU);
    let onset = random.uniform(0.2, 0.6);
    let tau = match mechanism {
        Mechanism::SlowWarmUp => random.uniform(0.2, 0.5),
        Mechanism::WarmUpThenLeak => random.uniform(0.01, 0.06),
        _ => random.uniform(0.02, 0.12),
    };
    let warm = base * random.uniform(0.3, 1.0);
    let mut cuts: Vec<f64> = match mechanism {
        Mechanism::OneStep => vec![random.uniform(0.2, 0.8)],
        Mechanism::Staircase => {
            let count = 5 + random.next() % 8;
            (0..count).map(|k| (k as f64 + random.uniform(0.2, 0.8)) / count as f64).collect()
        }
        Mechanism::Restarts => (0..3 + random.next() % 6).map(|_| random.uniform(0.05, 0.95)).collect(),
        Mechanism::OomKills => {
            let lives = (4 + random.next() % 5) as f64;
            (1..lives as usize).map(|k| k as f64 / lives).collect()
        }
        Mechanism::NightlyRestarts => (0..(span / DAY) as usize).map(|k| (k as f64 + 0.125) * DAY / span).collect(),
        _ => Vec::new(),
    };
    cuts.sort_by(f64::total_cmp);
    let load = (random.uniform(0.2, 0.4), random.uniform(0.55, 0.75));
    let mut values: Vec<f64> = (0..n)
        .map(|index| {
            let x = share(index);
            let last_cut = cuts.iter().copied().rfind(|cut| *cut <= x).unwrap_or(0.0);
            let passed = cuts.iter().filter(|cut| **cut <= x).count() as f64;
            let saw = collected * (time[index] / cycle).fract();
            let daily = 4.0 * sd * (TAU * time[index] / DAY + daily_phase).sin();
            base + match mechanism {
                Mechanism::Flat | Mechanism::RandomWalk | Mechanism::Spikes => 0.0,
                Mechanism::Collections => saw,
                Mechanism::Daily => daily,
                Mechanism::WarmUp | Mechanism::SlowWarmUp => warm * (1.0 - (-x / tau).exp()),
                Mechanism::OneStep => {
                    if x < cuts[0] {
                        0.0
                    } else {
                        0.3 * base
                    }
                }
                Mechanism::Restarts => -0.6 * base * (-(x - last_cut) * span / (8.0 * step)).exp(),
                Mechanism::Shrinking => -rise.min(0.5 * base) * x,
                Mechanism::Load => {
                    if load.0 <= x && x < load.1 {
                        0.5 * base
                    } else {
                        0.0
                    }
                }
                Mechanism::Linear | Mechanism::LeakThroughSpikes => rise * x,
                Mechanism::Late => rise * (x - onset).max(0.0) / (1.0 - onset),
                Mechanism::WarmUpThenLeak => warm * (1.0 - (-x / tau).exp()) + rise * x,
                Mechanism::LeakUnderCollections => saw + rise * x,
                Mechanism::LeakUnderDaily => daily + rise * x,
                Mechanism::Staircase => rise * passed / cuts.len() as f64,
                Mechanism::OomKills => 3.0 * base * (x - last_cut) * (cuts.len() + 1) as f64,
                Mechanism::NightlyRestarts => rise.max(0.5 * base) * (x - last_cut) * span / DAY,
            }
        })
        .zip(&noise)
        .map(|(value, noise)| (value + sd * noise).max(MIB))
        .collect();
    if matches!(mechanism, Mechanism::Spikes | Mechanism::LeakThroughSpikes) {
        for _ in 0..8 {
            let at = (random.next() as usize) % (n - 3);
            let width = 1 + (random.next() % 3) as usize;
            let height = base * random.uniform(0.3, 1.0);
            values[at..at + width].iter_mut().for_each(|value| *value += height);
        }
    }
    (time, values)
}

/// With 1 % of the readings missing, and as docker prints them.
fn observed(time: &[f64], values: &[f64], random: &mut Random) -> MemorySeries {
    let mut samples = Samples::default();
    for (time, value) in time.iter().zip(values) {
        if random.uniform(0.0, 1.0) >= 0.01 {
            let amount: Amount = docker_text(*value).parse().expect("docker's text is an amount");
            samples.push((time * 1000.0) as i64, amount.bytes, amount.quantum, Marks::default());
        }
    }
    let info = SeriesInfo {
        id: "generated".to_owned(),
        labels: BTreeMap::new(),
        limit: None,
        metric: Metric::DockerUsage,
        sampling: Sampling::Raw,
    };
    MemorySeries::new(info, samples).expect("most readings are there")
}

fn judged(series: &MemorySeries) -> Verdict {
    let settings = Settings::default().verdict;
    let segmentation = segment::cut(series, None);
    let quanta: Vec<f64> = series.quantum_bytes().iter().map(|quantum| f64::from(*quantum)).collect();
    let fit = fit::fit(
        &segmentation,
        median(&quanta).expect("a series is never empty"),
        &ToleranceTerms {
            level_share: settings.tolerance_share.get(),
            floor_bytes: settings.tolerance_floor_bytes.as_f64(),
            horizon_seconds: settings.limit_horizon_seconds.get(),
            limit_bytes: None,
        },
    );
    let terms = JudgeTerms {
        significance: settings.significance.get(),
        confidence: settings.confidence.get(),
        false_discovery_rate: settings.false_discovery_rate.get(),
        step_floor_bytes: settings.step_floor_bytes.as_f64(),
        step_share: settings.step_share.get(),
    };
    judge::judge(&fit, &segmentation, None, &terms).verdict
}

/// Rules that people use instead, each as a name and whether it calls a series a leak.
const PEERS: [&str; 4] = ["alert rule", "line, r2 > 0.5", "Mann-Kendall", "last > 1.2 first"];

fn peers(series: &MemorySeries) -> [bool; 4] {
    let x: Vec<f64> = series.time_ms().iter().map(|time| *time as f64 / 1000.0).collect();
    let y = series.used_bytes();
    [rule_fires(&x, y), line_fits(&x, y), mann_kendall(&x, y), y[y.len() - 1] > 1.2 * y[0]]
}

/// More than 100 MB gained over 5 minutes, for 5 minutes; readings further apart than 5 minutes never show it.
fn rule_fires(x: &[f64], y: &[f64]) -> bool {
    let mut since: Option<f64> = None;
    let mut before = 0;
    for now in 0..x.len() {
        while x[before + 1] <= x[now] - 300.0 {
            before += 1;
        }
        let known = x[now] - 600.0 < x[before] && x[before] <= x[now] - 300.0;
        if known && y[now] - y[before] > 1e8 {
            if x[now] - *since.get_or_insert(x[now]) >= 300.0 {
                return true;
            }
        } else {
            since = None;
        }
    }
    false
}

/// A least-squares line that explains more than half of the variance and rises by more than 5 %.
fn line_fits(x: &[f64], y: &[f64]) -> bool {
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        xx += (x - mean_x).powi(2);
        xy += (x - mean_x) * (y - mean_y);
        yy += (y - mean_y).powi(2);
    }
    xy > 0.0 && xy * xy / (xx * yy) > 0.5 && xy / xx * (x[x.len() - 1] - x[0]) > 0.05 * mean_y
}

/// Mann-Kendall with the variance correction of Hamed and Rao (1998), and a Theil-Sen rise of more than 5 %; on at
/// most 500 readings, evenly taken, since it is quadratic.
fn mann_kendall(x: &[f64], y: &[f64]) -> bool {
    let every = x.len().div_ceil(500);
    let x: Vec<f64> = x.iter().copied().step_by(every).collect();
    let y: Vec<f64> = y.iter().copied().step_by(every).collect();
    let n = y.len();
    let s: f64 = (0..n)
        .flat_map(|j| (0..j).map(move |i| (i, j)))
        .map(|(i, j)| (y[j] - y[i]).total_cmp(&0.0) as i8)
        .map(f64::from)
        .sum();
    let count = n as f64;
    let slope = theil_sen::slope(Points::new(&x, &y).expect("times increase")).expect("there are points");
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| (y[a] - slope * x[a]).total_cmp(&(y[b] - slope * x[b])));
    let mut ranks = vec![0.0; n];
    order.iter().enumerate().for_each(|(rank, &index)| ranks[index] = rank as f64);
    let mean = (count - 1.0) / 2.0;
    let variance: f64 = ranks.iter().map(|rank| (rank - mean).powi(2)).sum();
    let correlation =
        |lag: usize| (lag..n).map(|index| (ranks[index] - mean) * (ranks[index - lag] - mean)).sum::<f64>() / variance;
    let correction: f64 = (1..n - 3)
        .map(|lag| (lag as f64, correlation(lag)))
        .filter(|(_, r)| r.abs() > 1.96 / count.sqrt())
        .map(|(lag, r)| (count - lag) * (count - lag - 1.0) * (count - lag - 2.0) * r)
        .sum();
    let inflation = 1.0 + 2.0 / (count * (count - 1.0) * (count - 2.0)) * correction;
    let var_s = count * (count - 1.0) * (2.0 * count + 5.0) / 18.0 * inflation.max(1e-9);
    let level = median(&y).expect("there are points");
    (s - 1.0) / var_s.sqrt() > 1.645 && slope * (x[n - 1] - x[0]) > 0.05 * level
}

/// A rate with its 95 % interval (Wilson 1927), in per cent.
fn rate(hits: usize, of: usize) -> String {
    if of == 0 {
        return "-".to_owned();
    }
    let (n, p, z) = (of as f64, hits as f64 / of as f64, 1.96f64);
    let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / (1.0 + z * z / n);
    format!("{:.1} ({:.1} to {:.1})", 100.0 * p, 100.0 * (centre - half).max(0.0), 100.0 * (centre + half).min(1.0))
}

#[derive(Clone, Copy)]
struct Outcome {
    mechanism: Mechanism,
    sampling: usize,
    verdict: Verdict,
    peers: [bool; 4],
}

fn main() {
    let per_cell: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(40);
    let jobs: Vec<(usize, usize, u64)> = (0..MECHANISMS.len())
        .flat_map(|m| (0..SAMPLINGS.len()).flat_map(move |s| (0..per_cell).map(move |k| (m, s, k))))
        .filter(|(m, s, _)| MECHANISMS[*m].fits(SAMPLINGS[*s].1))
        .collect();
    let outcomes: Vec<Outcome> = jobs
        .par_iter()
        .map(|&(m, s, k)| {
            let mut random = Random((m as u64) << 40 | (s as u64) << 32 | k);
            let (step, span, _) = SAMPLINGS[s];
            let (time, values) = generate(MECHANISMS[m], step, span, &mut random);
            let series = observed(&time, &values, &mut random);
            Outcome { mechanism: MECHANISMS[m], sampling: s, verdict: judged(&series), peers: peers(&series) }
        })
        .collect();
    report(&outcomes, per_cell);
}

fn report(outcomes: &[Outcome], per_cell: u64) {
    let required =
        |outcome: &&Outcome| SAMPLINGS[outcome.sampling].1 / SAMPLINGS[outcome.sampling].0 >= REQUIRED_SAMPLES;
    let fails = |outcome: &Outcome| outcome.verdict.is_leak();
    println!("# How often verdicts are right\n");
    println!(
        "{per_cell} generated series for each mechanism and sampling, {} in all, from fixed seeds: noise white, AR(1) with 0.3 to 0.95, or a random walk; 1 % of the readings missing; as docker prints them; no limits, no evidence beside the values.",
        outcomes.len()
    );
    println!("Made by `cargo run --release --no-default-features --example accuracy -- {per_cell}`.");
    println!("Rates are per cent with their 95 % interval, over samplings with 288 readings and more.\n");

    println!("| mechanism | leaks | called a leak | inconclusive | most frequent verdicts |\n|---|---|---|---|---|");
    for mechanism in MECHANISMS {
        let of: Vec<&Outcome> = outcomes.iter().filter(required).filter(|one| one.mechanism == mechanism).collect();
        let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
        of.iter().for_each(|one| *verdicts.entry(one.verdict.name()).or_default() += 1);
        let mut verdicts: Vec<(&str, usize)> = verdicts.into_iter().collect();
        verdicts.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
        let frequent: Vec<String> = verdicts.iter().take(4).map(|(name, count)| format!("{name} {count}")).collect();
        println!(
            "| {mechanism:?} | {} | {} | {} | {} |",
            if mechanism.leaks() { "yes" } else { "no" },
            rate(of.iter().filter(|one| fails(one)).count(), of.len()),
            rate(of.iter().filter(|one| one.verdict == Verdict::Inconclusive).count(), of.len()),
            frequent.join(", ")
        );
    }

    println!("\n## Beside what people use\n");
    println!("On the same series, all samplings with 288 readings and more.\n");
    println!("| rule | precision | leaks found | healthy called leaks | undecided |\n|---|---|---|---|---|");
    let of: Vec<&Outcome> = outcomes.iter().filter(required).collect();
    let row = |name: &str, calls: &dyn Fn(&Outcome) -> bool, undecided: &str| {
        let called: Vec<&&Outcome> = of.iter().filter(|one| calls(one)).collect();
        let right = called.iter().filter(|one| one.mechanism.leaks()).count();
        let leaks = of.iter().filter(|one| one.mechanism.leaks()).count();
        println!(
            "| {name} | {} | {} | {} | {undecided} |",
            rate(right, called.len()),
            rate(right, leaks),
            rate(called.len() - right, of.len() - leaks)
        );
    };
    let undecided = of.iter().filter(|one| one.verdict == Verdict::Inconclusive).count();
    row("leaktrend", &fails, &rate(undecided, of.len()));
    for (index, name) in PEERS.iter().enumerate() {
        row(name, &move |one: &Outcome| one.peers[index], "-");
    }

    println!("\n## Called a leak, by sampling\n");
    print!("| mechanism |");
    SAMPLINGS.iter().for_each(|(.., name)| print!(" {name} |"));
    println!("\n|---|{}", "---|".repeat(SAMPLINGS.len()));
    for mechanism in MECHANISMS {
        print!("| {mechanism:?} |");
        for sampling in 0..SAMPLINGS.len() {
            let of: Vec<&Outcome> =
                outcomes.iter().filter(|one| one.mechanism == mechanism && one.sampling == sampling).collect();
            if of.is_empty() {
                print!(" - |");
            } else {
                print!(" {:.0} |", 100.0 * of.iter().filter(|one| fails(one)).count() as f64 / of.len() as f64);
            }
        }
        println!();
    }
}
