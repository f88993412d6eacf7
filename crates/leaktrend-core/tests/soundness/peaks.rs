//! Peaks: what is given back each night may still grow until it reaches the limit.

use leaktrend_core::series::Metric;
use leaktrend_core::units::DAY;
use leaktrend_core::verdict::{Judgement, Verdict};

use crate::simulated::{HOUR, MINUTE, MONDAY, Random, Tally, alarms, every, judged, series};

/// A cache that is emptied at three each night, and by each evening holds more than the evening before.
fn emptied_nightly(seed: u64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let span = [7.0, 14.0][(seed % 2) as usize] * DAY;
    let times = every(5.0 * MINUTE, span);
    let base = random.uniform(150.0, 500.0);
    let (first, last) = (random.uniform(0.1, 0.3) * base, random.uniform(0.6, 1.2) * base);
    let noise = random.autocorrelated(0.6, times.len());
    let mib: Vec<f64> = times
        .iter()
        .zip(&noise)
        .map(|(time, noise)| {
            let age = (time - 3.0 * HOUR).rem_euclid(DAY);
            // Full by the evening: what is asked for by then, and more of it each day.
            let evening = first + (last - first) * ((time - age).max(0.0) / span);
            base + evening * (1.0 - (-age / (6.0 * HOUR)).exp()) + 0.005 * base * noise
        })
        .collect();
    let name = format!("seed {seed}, {:.0} d, {base:.0} MiB, evenings {first:.0} to {last:.0}", span / DAY);
    (name, judged(&series(MONDAY, &times, &mib, Metric::WorkingSet)))
}

/// A collector that comes later and later: what it leaves is level, and its peaks grow. `cycle` in seconds.
fn widening(seed: u64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let (step, span) = [(MINUTE, DAY), (5.0 * MINUTE, 7.0 * DAY)][(seed % 2) as usize];
    let times = every(step, span);
    let live = random.uniform(80.0, 400.0);
    let cycle = random.uniform(8.0, 20.0) * step;
    let (first, last) = (random.uniform(0.3, 0.5), random.uniform(1.0, 2.0));
    let outside = random.uniform(0.5, 1.0) * live;
    let mut garbage = 0.0;
    let mib: Vec<f64> = times
        .iter()
        .map(|time| {
            let room = live * (first + (last - first) * time / span);
            garbage += room * step / cycle * random.uniform(0.7, 1.3);
            if garbage > room {
                garbage = random.uniform(0.0, 0.05) * room;
            }
            outside + live + garbage + 0.3 * random.normal()
        })
        .collect();
    let metric = if (seed / 2).is_multiple_of(2) { Metric::WorkingSet } else { Metric::Heap };
    let name = format!("seed {seed}, {:.0} d, {metric:?}, {live:.0} MiB, garbage {first:.1} to {last:.1}", span / DAY);
    (name, judged(&series(MONDAY, &times, &mib, metric)))
}

/// Uploads that are held in memory for minutes: each day they are larger.
fn larger_bursts(seed: u64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let span = [7.0, 14.0][(seed % 2) as usize] * DAY;
    let times = every(5.0 * MINUTE, span);
    let base = random.uniform(150.0, 500.0);
    let (first, last) = (random.uniform(0.1, 0.3) * base, random.uniform(0.8, 1.5) * base);
    let noise = random.autocorrelated(0.5, times.len());
    let (mut held, mut until) = (0.0, 0.0);
    let mib: Vec<f64> = times
        .iter()
        .zip(&noise)
        .map(|(time, noise)| {
            if *time >= until {
                held = 0.0;
                if random.chance(0.06) {
                    held = (first + (last - first) * time / span) * random.uniform(0.7, 1.0);
                    until = time + random.uniform(15.0, 60.0) * MINUTE;
                }
            }
            base + held + 0.005 * base * noise
        })
        .collect();
    let name = format!("seed {seed}, {:.0} d, {base:.0} MiB, bursts {first:.0} to {last:.0}", span / DAY);
    (name, judged(&series(MONDAY, &times, &mib, Metric::WorkingSet)))
}

/// A leak, a suspicion of one, or a step.
fn warns(verdict: Verdict) -> bool {
    alarms(verdict) || verdict == Verdict::Step
}

#[test]
fn a_growing_cache_that_is_emptied_each_night_is_not_passed() {
    Tally::of(0..40, emptied_nightly).at_most(0.0, Verdict::proves_no_leak);
}

#[test]
fn a_growing_cache_that_is_emptied_each_night_is_a_warning() {
    let tally = Tally::of(0..40, emptied_nightly);
    tally.at_least(0.8, warns);
    tally.explained(Verdict::LeakSuspected, "the highest tenth of its readings grows");
}

#[test]
fn a_sawtooth_that_widens_is_not_passed() {
    Tally::of(0..40, widening).at_most(0.0, Verdict::proves_no_leak);
}

#[test]
fn a_sawtooth_that_widens_is_a_warning() {
    Tally::of(0..40, widening).at_least(0.75, warns);
}

#[test]
fn bursts_that_grow_are_hardly_ever_passed() {
    Tally::of(0..40, larger_bursts).at_most(0.1, Verdict::proves_no_leak);
}
