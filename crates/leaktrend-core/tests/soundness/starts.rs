//! Cold starts: a start-up is no leak, a collection is no start, and what was read since outweighs a shape.

use leaktrend_core::Terms;
use leaktrend_core::series::Metric;
use leaktrend_core::verdict::{JudgeTerms, Judgement, Verdict};

use crate::simulated::{MINUTE, MONDAY, Random, Tally, every, measured, series};

const MIB: f64 = 1_048_576.0;
const DAY: f64 = 24.0 * 60.0 * MINUTE;

fn soaked(times: &[f64], mib: &[f64]) -> Judgement {
    let terms = Terms { judge: JudgeTerms { daily_swing: 0.0, ..JudgeTerms::default() }, ..Terms::default() };
    measured(&series(MONDAY, times, mib, Metric::WorkingSet), &terms).judge(None)
}

/// The resident memory of a service from its start: code within a minute, caches within ten, pages that a collection gives
/// back every few minutes, down to three quarters, and that are taken again; and `leak` MiB a minute.
fn started(seed: u64, minutes: f64, leak: f64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let times = every(5.0, minutes * MINUTE);
    let first = random.uniform(40.0, 70.0);
    let (code, cache) = (random.uniform(100.0, 150.0), random.uniform(20.0, 50.0));
    let (mut given_back, mut next) = (0.0, random.uniform(90.0, 200.0));
    let mib: Vec<f64> = times
        .iter()
        .map(|time| {
            let warm = code * (1.0 - (-time / 20.0).exp()) + cache * (1.0 - (-time / 240.0).exp());
            let held = first + warm + leak * time / MINUTE;
            given_back *= 0.75;
            if *time >= next {
                given_back = random.uniform(0.2, 0.3) * held;
                next = time + random.uniform(90.0, 300.0);
            }
            held - given_back + 0.5 * random.normal()
        })
        .collect();
    (format!("seed {seed}, {minutes} min, {leak} MiB a minute"), soaked(&times, &mib))
}

#[test]
fn a_cold_start_is_no_leak() {
    for minutes in [10.0, 15.0, 20.0, 25.0] {
        Tally::of(0..30, |seed| started(seed, minutes, 0.0)).at_most(0.0, Verdict::is_leak);
    }
}

#[test]
fn a_run_past_its_start_is_no_leak() {
    for minutes in [30.0, 45.0, 60.0, 90.0] {
        Tally::of(0..100, |seed| started(seed, minutes, 0.0)).at_most(0.0, Verdict::is_leak);
    }
}

#[test]
fn falls_that_do_not_go_back_to_the_start_hide_no_leak() {
    Tally::of(0..30, |seed| started(seed, 50.0, 5.0)).at_least(0.9, Verdict::is_leak);
}

/// Plateaus and three large teeth, then a line: no shape that is tried is this one.
#[test]
fn the_interval_holds_what_was_read_since() {
    let times = every(5.0, 31.0 * MINUTE);
    let rate = 6.7;
    let mib: Vec<f64> = times
        .iter()
        .map(|time| match time / MINUTE {
            minute if minute < 1.0 => 100.0 + 240.0 * minute,
            minute if minute < 5.5 => 343.0,
            minute if minute < 6.8 => 390.0,
            minute if minute < 9.0 => 460.0,
            minute if minute < 13.0 => 265.0 + 120.0 * (minute - 9.0).rem_euclid(2.0),
            minute => 345.0 + rate * (minute - 13.0),
        })
        .collect();
    let growth = soaked(&times, &mib).growth.unwrap();
    let [lower, value, upper] = [growth.lower, growth.bytes_per_second, growth.upper].map(|rate| rate * MINUTE / MIB);
    assert!(lower <= 1.01 * rate && 0.99 * rate <= upper && value < 2.0 * rate, "{value} ({lower} to {upper})");
}

/// A shape knows no beginning in the last seventh of the window; the readings do.
#[test]
fn growth_that_began_lately_began_when_it_did() {
    let (days, began, rate) = (29.0, 27.0, 48.0);
    let times = every(900.0, days * DAY);
    let random = &mut Random::new(3);
    let mib: Vec<f64> =
        times.iter().map(|time| 300.0 + rate * (time / DAY - began).max(0.0) + random.uniform(-2.0, 2.0)).collect();
    let judgement = soaked(&times, &mib);
    let growth = judgement.growth.unwrap();
    let [lower, upper] = [growth.lower, growth.upper].map(|rate| rate * DAY / MIB);
    assert!(judgement.verdict.is_leak(), "{judgement:?}");
    assert!((judgement.onset_seconds.unwrap() / DAY - began).abs() < 0.25, "{judgement:?}");
    assert!(lower < rate && rate < upper, "{lower} to {upper}");
}
