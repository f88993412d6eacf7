//! A leak that a deployment mended: what earlier runs did is over, and a start-up is not what could not be given back.

use leaktrend_core::series::Metric;
use leaktrend_core::units::DAY;
use leaktrend_core::verdict::{Judgement, Verdict};

use crate::simulated::{HOUR, MINUTE, MONDAY, Random, Tally, alarms, day, every, judged, series};

/// Level, then a leak, and a deployment: level since, or leaking on where it was not mended. The first reading after it is
/// that of a start.
fn deployed(seed: u64, mended: bool) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let span = random.uniform(22.0, 30.0).floor() * DAY;
    let times = every(15.0 * MINUTE, span);
    let base = random.uniform(120.0, 400.0);
    let at = random.uniform(0.4, 0.6) * span;
    let onset = random.uniform(0.15, 0.25) * span;
    let rate = random.uniform(0.15, 0.3) * base / DAY;
    let (swing, quiet) = (random.uniform(0.02, 0.08) * base, random.uniform(0.1, 0.5));
    let noise = random.autocorrelated(0.4, times.len());
    let mib: Vec<f64> = times
        .iter()
        .zip(&noise)
        .map(|(time, noise)| {
            let age = if *time < at { *time } else { time - at };
            let lost = if *time >= at { if mended { 0.0 } else { rate * age } } else { rate * (time - onset).max(0.0) };
            let starting = *time >= at && age < HOUR / 4.0;
            let level = base + lost + swing * day(*time, quiet) + 0.004 * base * noise;
            if starting { 0.6 * base } else { level }
        })
        .collect();
    let name = format!(
        "seed {seed}, {:.0} d, {base:.0} MiB, {:.1} MiB a day up to {:.0} %",
        span / DAY,
        rate * DAY,
        100.0 * at / span
    );
    (name, judged(&series(MONDAY, &times, &mib, Metric::WorkingSet)))
}

#[test]
fn a_leak_that_a_deployment_mended_is_none() {
    let tally = Tally::of(0..40, |seed| deployed(seed, true));
    tally.at_most(0.0, Verdict::is_leak);
    tally.at_least(0.9, |verdict| verdict.proves_no_leak() || verdict == Verdict::Step);
}

/// Who reads that memory is level, or too short to judge, must read that it leaked before.
#[test]
fn what_was_mended_is_told() {
    let reported = |seed: &u64| {
        let (_, judgement) = deployed(*seed, true);
        let now = judgement.growth.map_or(0.0, |growth| growth.bytes_per_second.abs());
        judgement.before.is_some_and(|before| before.bytes_per_second > 4.0 * now)
    };
    let n_reported = (0..40).filter(reported).count();
    assert!(n_reported >= 36, "{n_reported} of 40");
}

/// The same where both runs are judged together, and the last by its own rate.
#[test]
fn what_a_run_did_before_the_last_is_told() {
    for seed in 0..20 {
        let random = &mut Random::new(seed);
        let times = every(10.0 * MINUTE, 12.0 * DAY);
        let noise = random.autocorrelated(0.9, times.len());
        let at = 8.0 * DAY;
        let mib = times.iter().zip(&noise).map(|(time, noise)| {
            let lost = if *time < at { 45.0 * time / DAY } else { 20.0 * (1.0 - (-(time - at) / HOUR).exp()) };
            220.0 + lost + 25.0 * (std::f64::consts::TAU * time / DAY).sin() + 3.0 * noise
        });
        let judgement = judged(&series(MONDAY, &times, &mib.collect::<Vec<_>>(), Metric::DockerUsage));
        let before = judgement.before.unwrap_or_else(|| panic!("seed {seed}: {:?}", judgement.verdict));
        let mib_a_day = before.bytes_per_second * DAY / 1_048_576.0;
        assert!((35.0..55.0).contains(&mib_a_day), "seed {seed}: {mib_a_day}");
    }
}

#[test]
fn a_leak_that_goes_on_after_a_deployment_is_one() {
    Tally::of(0..40, |seed| deployed(seed, false)).at_least(0.95, alarms);
}
