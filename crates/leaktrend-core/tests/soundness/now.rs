//! Now decides: a later half that settles the question by itself is not left open for what came before.

use std::ops::Range;
use std::sync::LazyLock;

use leaktrend_core::Terms;
use leaktrend_core::fit::ToleranceTerms;
use leaktrend_core::series::{MemorySeries, Metric};
use leaktrend_core::units::DAY;
use leaktrend_core::verdict::{Judgement, Verdict};
use rayon::prelude::*;

use crate::simulated::{
    HOUR, MINUTE, MONDAY, Random, Tally, alarms, collected, day, every, judged, measured, rate_that_matters, series,
};

/// What happened in the earlier half.
const HISTORIES: [&str; 10] = [
    "level",
    "a leak that was fixed by a restart",
    "growth that ended",
    "growth that began",
    "growth that began with a restart",
    "a step",
    "a restart",
    "several deployments, none later",
    "a surge that receded",
    "a walk",
];

fn history_of(seed: u64) -> &'static str {
    HISTORIES[(seed % 10) as usize]
}

/// Another process in each half, with the same load of the day.
fn simulated(seed: u64) -> MemorySeries {
    let random = &mut Random::new(seed);
    let history = history_of(seed);
    let span = [4.0, 6.0, 8.0, 14.0][(seed / 10 % 4) as usize] * DAY;
    let times = every(10.0 * MINUTE, span);
    let base = random.uniform(150.0, 600.0);
    let swing = [0.0, 0.1, 0.3][(seed / 40 % 3) as usize] * base;
    let quiet = random.uniform(0.1, 0.5);
    let collects = seed / 120 % 2 == 1;
    let phi = [0.3, 0.9][(seed / 7 % 2) as usize];
    let noise = random.autocorrelated(phi, times.len());
    let walk: Vec<f64> = (0..times.len())
        .scan(0.0, |at, _| {
            *at += random.normal();
            Some(*at)
        })
        .collect();
    let changes = random.uniform(0.35, 0.48) * span;
    let height = random.uniform(0.3, 0.8) * base;
    let share = |time: f64| (time / changes).min(1.0);
    let later = |time: f64| ((time - changes) / (span - changes)).max(0.0);
    let before = |time: f64| time < changes;
    let level = |time: f64, index: usize| match history {
        "a leak that was fixed by a restart" => height * if before(time) { share(time) } else { 0.0 },
        "growth that ended" => height * share(time),
        "growth that began" => height * later(time),
        "growth that began with a restart" => {
            if before(time) {
                0.6 * height
            } else {
                height * later(time)
            }
        }
        "a step" => height * f64::from(u8::from(!before(time))),
        // The process is back at work within the hour.
        "a restart" => -0.7 * base * (-((time - changes) / (0.3 * HOUR)).max(0.0)).exp() * later(time).signum(),
        "several deployments, none later" => {
            let age = if before(time) { time % (changes / 4.0) } else { time - changes };
            -0.4 * base * (-age / (3.0 * HOUR)).exp()
        }
        "a surge that receded" => height * (-((time - 0.6 * changes) / (0.15 * changes)).powi(2)).exp(),
        "a walk" => base * 0.2 * walk[index] / (times.len() as f64).sqrt(),
        _ => 0.0,
    };
    let cycle = random.uniform(60.0, 150.0) * MINUTE;
    let heap = if collects {
        collected(random, &times, 0.5, |_| base, |time| 0.5 * base / cycle * day(time, quiet))
    } else {
        vec![base; times.len()]
    };
    let mib: Vec<f64> = (0..times.len())
        .map(|index| {
            let time = times[index];
            heap[index] + swing * day(time, quiet) + level(time, index) + 0.006 * base * noise[index]
        })
        .collect();
    series(MONDAY, &times, &mib, Metric::WorkingSet)
}

/// What is said of the later half by itself, at the rate that matters for the whole.
fn of_later_half(whole: &MemorySeries) -> Verdict {
    let from = whole.time_ms().partition_point(|time| *time < i64::midpoint(whole.start_ms(), whole.end_ms()));
    let half = whole.from(from).expect("a half has readings");
    let rate = rate_that_matters(whole, &Terms::default());
    let seconds = (half.end_ms() - half.start_ms()) as f64 / 1000.0;
    // A floor of just so much growth over the half is the rate.
    let tolerance = ToleranceTerms { level_share: 0.0, floor_bytes: rate * seconds, ..ToleranceTerms::default() };
    let terms = Terms { tolerance, ..Terms::default() };
    let found = rate_that_matters(&half, &terms);
    assert!((found / rate - 1.0).abs() < 1e-9, "{found} is not {rate}");
    measured(&half, &terms).judge(None).verdict
}

/// A later half that decides by itself, and its whole.
struct Decided {
    seed: u64,
    half: Verdict,
    whole: Verdict,
    reason: String,
}

/// Later halves that decide, with what is said of their wholes.
fn decided(seeds: Range<u64>) -> Vec<Decided> {
    let judged = seeds.into_par_iter().filter_map(|seed| {
        let whole = simulated(seed);
        let half = of_later_half(&whole);
        (half.proves_no_leak() || half.is_leak()).then(|| {
            let judgement = measured(&whole, &Terms::default()).judge(None);
            Decided { seed, half, whole: judgement.verdict, reason: judgement.reason() }
        })
    });
    judged.collect()
}

/// Of 480.
static FEW: LazyLock<Vec<Decided>> = LazyLock::new(|| decided(0..480));

#[track_caller]
fn check(decided: &[Decided], most: f64, wrong: fn(&Decided) -> bool) {
    assert!(decided.len() >= 240, "few halves decide: {}", decided.len());
    let violations: Vec<&Decided> = decided.iter().filter(|one| wrong(one)).collect();
    let lines = violations.iter().map(|one| {
        let Decided { seed, half, whole, reason } = one;
        format!("\n  seed {seed}, {}: half {}, whole {}: {reason}", history_of(*seed), half.name(), whole.name())
    });
    let share = violations.len() as f64 / decided.len() as f64;
    assert!(share <= most, "{} of {}{}", violations.len(), decided.len(), lines.collect::<String>());
}

#[test]
fn what_the_later_half_decides_is_hardly_ever_left_open() {
    check(&FEW, 0.01, |one| one.whole == Verdict::Inconclusive);
}

/// Nor called the opposite.
#[test]
fn what_the_later_half_passes_is_no_alarm() {
    check(&FEW, 0.005, |one| one.half.proves_no_leak() && alarms(one.whole));
}

#[test]
fn what_the_later_half_fails_is_not_passed() {
    check(&FEW, 0.0, |one| one.half.is_leak() && one.whole.proves_no_leak());
}

/// A level for most of a day or a week, then runs that climb from a start to a ceiling in minutes or hours; `climb`: how far
/// up a run goes, as a share of the level that it starts at, either in a line to the end or as a start-up that levels off.
fn looping(seed: u64, climbs: bool) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let (step, span) = if seed.is_multiple_of(2) { (0.5 * MINUTE, DAY) } else { (5.0 * MINUTE, 7.0 * DAY) };
    let times = every(step, span);
    let (base, level) = (random.uniform(80.0, 200.0), random.uniform(1.1, 1.6));
    let (share, runs, height) =
        (random.uniform(0.55, 0.85), random.uniform(5.0, 30.0).floor(), random.uniform(0.5, 2.5));
    let run = (1.0 - share) * span / runs;
    let mib: Vec<f64> = times
        .iter()
        .map(|time| {
            let since = time - share * span;
            let age = since.rem_euclid(run) / run;
            let held = match (since < 0.0, climbs) {
                (true, _) => level,
                (_, true) => 1.0 + height * age,
                (_, false) => 1.0 + (level - 1.0) * (1.0 - (-age / 0.08).exp()),
            };
            base * held + 0.01 * base * random.normal()
        })
        .collect();
    let series = series(MONDAY, &times, &mib, Metric::WorkingSet);
    (format!("seed {seed}, {runs} runs of {:.1} min", run / MINUTE), judged(&series))
}

/// What was level before says nothing of runs that climb until they are killed.
#[test]
fn a_loop_after_a_level_grows_between_its_restarts() {
    let tally = Tally::of(0..60, |seed| looping(seed, true));
    tally.at_least(0.8, Verdict::is_leak);
    tally.at_most(0.05, Verdict::proves_no_leak);
}

#[test]
fn start_ups_after_a_level_are_no_leak() {
    let tally = Tally::of(0..60, |seed| looping(seed, false));
    tally.at_most(0.0, Verdict::is_leak);
}
