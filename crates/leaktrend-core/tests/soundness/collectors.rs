//! Collectors: how long their cycles are depends on the load, and what they leave grows slower than what is seen.

use leaktrend_core::Terms;
use leaktrend_core::series::Metric;
use leaktrend_core::units::{DAY, MIB};
use leaktrend_core::verdict::{JudgeTerms, Judgement, Verdict};

use crate::simulated::{
    HOUR, MINUTE, MONDAY, Random, Tally, alarms, claims_level, collected, day, every, judged, measured,
    rate_that_matters, series,
};

/// A service whose traffic falls to a fifth within a day, evenly, in two plateaus or ever more slowly: what lives
/// stays, what is in flight goes, and cycles get five times as long.
fn calming(seed: u64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let times = every(MINUTE, DAY);
    let live = random.uniform(40.0, 300.0);
    let metric = if seed.is_multiple_of(2) { Metric::WorkingSet } else { Metric::Heap };
    // A container holds more than its heap: code, stacks, buffers, and pages that are given back slowly.
    let outside = if metric == Metric::Heap { 0.0 } else { random.uniform(0.6, 1.5) * live };
    let in_flight = random.uniform(0.0, 0.02) * live;
    let cycle = random.uniform(8.0, 60.0) * MINUTE;
    let shape = seed % 3;
    let traffic = |time: f64| match shape {
        0 => 1.0 - 0.8 * time / DAY,
        1 => 0.2f64.powf(time / DAY),
        _ => 0.2 + 0.8 / (1.0 + ((time - 0.5 * DAY) / HOUR).exp()),
    };
    let heap =
        collected(random, &times, 1.0, |time| live + in_flight * traffic(time), |time| live / cycle * traffic(time));
    let mib: Vec<f64> = heap.iter().map(|heap| outside + heap + 0.3 * random.normal()).collect();
    let name =
        format!("seed {seed}, {metric:?}, live {live:.0} MiB, first cycle {:.0} min, shape {shape}", cycle / MINUTE);
    // It must not be the swing of a day that is in doubt.
    let terms = Terms { judge: JudgeTerms { daily_swing: 0.0, ..JudgeTerms::default() }, ..Terms::default() };
    (name, measured(&series(MONDAY + 9.0 * HOUR, &times, &mib, metric), &terms).judge(None))
}

#[test]
fn a_collector_whose_cycles_get_longer_does_not_leak() {
    let tally = Tally::of(0..120, calming);
    tally.at_most(0.0, Verdict::is_leak);
    tally.at_most(0.03, alarms);
    tally.at_least(0.8, Verdict::proves_no_leak);
}

/// Mean memory grows by just what matters in the window, under a sawtooth; `None` where the rate does not settle.
fn growing(seed: u64, (step, span): (f64, f64)) -> Option<(String, Judgement)> {
    let times = every(step, span);
    let at = |rise: f64| {
        let random = &mut Random::new(seed);
        let live = random.uniform(60.0, 400.0);
        let outside = random.uniform(0.6, 1.5) * live;
        let cycle = random.uniform(4.0, 14.0) * step;
        let rhythm = if span > 2.0 * DAY { random.uniform(0.4, 1.0) } else { 1.0 };
        // Of a heap that is collected at twice what lives, the mean grows by half as much again.
        let grown = |time: f64| live + rise / 1.5 * time / span;
        let heap = collected(random, &times, 1.0, grown, |time| live / cycle * day(time, rhythm));
        let mib: Vec<f64> = heap.iter().map(|heap| outside + heap + 0.2 * random.normal()).collect();
        series(MONDAY, &times, &mib, Metric::WorkingSet)
    };
    let mut rise = 0.0;
    for _ in 0..8 {
        let series = at(rise);
        let wanted = rate_that_matters(&series, &Terms::default()) * span / MIB;
        if (wanted - rise).abs() <= 0.005 * wanted {
            return Some((format!("seed {seed}"), judged(&series)));
        }
        rise = wanted;
    }
    None
}

#[track_caller]
fn check_at_tolerance(sampling: (f64, f64)) {
    let tally = Tally::of(0..200, |seed| growing(seed, sampling));
    assert!(tally.len() >= 190, "{}", tally.len());
    // 5 %, and what 200 draws of it exceed in one of a hundred.
    tally.at_most(0.09, claims_level);
}

#[test]
fn growth_by_what_matters_in_a_day_is_no_level() {
    check_at_tolerance((5.0 * MINUTE, DAY));
}

#[test]
fn growth_by_what_matters_in_a_week_is_no_level() {
    check_at_tolerance((5.0 * MINUTE, 7.0 * DAY));
}

#[test]
fn growth_by_what_matters_in_three_weeks_is_no_level() {
    check_at_tolerance((15.0 * MINUTE, 21.0 * DAY));
}

/// What lives grows by a quarter in a week, and how far the heap may grow above it wanders by far more than that: a
/// collector that adapts to pauses. Cycles take minutes.
fn leaking_under_peaks(seed: u64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let (step, span) = (2.0 * MINUTE, 7.0 * DAY);
    let times = every(step, span);
    let live = random.uniform(80.0, 300.0);
    let lost = random.uniform(0.2, 0.3) * live;
    let cycle = random.uniform(8.0, 16.0) * MINUTE;
    let wanders = random.autocorrelated((-step / (12.0 * HOUR)).exp(), times.len());
    let mut garbage = 0.0;
    let mib: Vec<f64> = times
        .iter()
        .zip(&wanders)
        .map(|(time, wanders)| {
            let room = live * (1.0 + 0.5 * wanders).clamp(0.2, 2.5);
            garbage += room * step / cycle * random.uniform(0.7, 1.3);
            if garbage > room {
                garbage = random.uniform(0.0, 0.03) * room;
            }
            live + lost * time / span + garbage
        })
        .collect();
    let judgement = judged(&series(MONDAY, &times, &mib, Metric::Heap));
    (format!("seed {seed}, live {live:.0} MiB, lost {lost:.0}"), judgement)
}

/// Means alone find none of these.
#[test]
fn a_leak_under_peaks_that_wander_is_seen_in_the_troughs() {
    Tally::of(0..30, leaking_under_peaks).at_least(0.7, Verdict::is_leak);
}

/// A heap of two generations: small collections leave a little that a full one takes, once or twice in the window. `lost`:
/// what no collection takes, as a share of what a full one does.
fn generational(seed: u64, lost: f64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let days = [3.0, 7.0, 14.0][seed as usize % 3];
    let (step, span) = (days * MINUTE, days * DAY);
    let times = every(step, span);
    let metric = if seed.is_multiple_of(2) { Metric::WorkingSet } else { Metric::Heap };
    let live = random.uniform(150.0, 600.0);
    let young = random.uniform(0.05, 0.3) * live;
    let cycle = random.uniform(15.0, 50.0) * step;
    let old_limit = random.uniform(0.2, 0.35) * live;
    // The first full collection comes in the second or third quarter.
    let old_rate = old_limit / (random.uniform(0.3, 0.7) * span);
    let (mut garbage, mut old, mut at_most) = (0.0, 0.0, young);
    let mib: Vec<f64> = times
        .iter()
        .map(|time| {
            let traffic = random.uniform(0.7, 1.3) * day(*time, 0.6);
            garbage += young * step / cycle * traffic;
            old += old_rate * step;
            if garbage > at_most {
                (garbage, at_most) = (0.1 * garbage, young * random.uniform(0.9, 1.1));
            }
            if old > old_limit {
                (garbage, old) = (0.0, 0.0);
            }
            live + lost * old_rate * time + old + garbage + 0.002 * live * random.normal()
        })
        .collect();
    let name = format!("seed {seed}, {days} d, {metric:?}, live {live:.0} MiB, old {old_limit:.0}, young {young:.0}");
    (name, judged(&series(MONDAY, &times, &mib, metric)))
}

#[test]
fn what_a_full_collection_takes_back_is_no_leak() {
    let tally = Tally::of(0..90, |seed| generational(seed, 0.0));
    tally.at_most(0.02, Verdict::is_leak);
    tally.explained(Verdict::LeakSuspected, "a full garbage collection");
}

/// The present run and the one before would grow alike without a leak, too.
#[test]
fn what_no_full_collection_takes_back_is_not_passed() {
    Tally::of(0..60, |seed| generational(seed, 1.0)).at_most(0.0, Verdict::proves_no_leak);
}

/// A heap in four or seven days whose cycles take hours, some a dozen to forty of them, and end anywhere in the last one.
/// `lost`: what lives at the end beside what lived at the beginning, as a share of that.
fn slow(seed: u64, lost: f64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let days = [4.0, 7.0][seed as usize % 2];
    let (step, span) = (MINUTE, days * DAY);
    let times = every(step, span);
    let live = random.uniform(100.0, 500.0);
    let room = random.uniform(0.4, 1.2);
    let cycle = span / random.uniform(12.0, 40.0);
    let lives = |time: f64| live * (1.0 + lost * time / span);
    let mut heap = live * (1.0 + room * random.uniform(0.0, 1.0));
    let mib: Vec<f64> = times
        .iter()
        .map(|time| {
            heap += lives(*time) * room * step / cycle * random.uniform(0.8, 1.2);
            if heap > lives(*time) * (1.0 + room) {
                heap = lives(*time) * (1.0 + 0.03 * random.uniform(0.0, 1.0));
            }
            heap
        })
        .collect();
    let judgement = judged(&series(MONDAY, &times, &mib, Metric::Heap));
    (format!("seed {seed}, {days} d, cycle {:.1} h", cycle / HOUR), judgement)
}

/// The last cycle has not ended: its mean is not that of its first part.
#[test]
fn a_leak_is_seen_under_cycles_of_hours() {
    let tally = Tally::of(0..60, |seed| slow(seed, 0.4));
    tally.at_least(0.85, Verdict::is_leak);
    tally.at_least(1.0, alarms);
}

#[test]
fn a_level_is_seen_under_cycles_of_hours() {
    let tally = Tally::of(0..60, |seed| slow(seed, 0.0));
    tally.at_most(0.0, Verdict::is_leak);
    tally.at_least(0.8, Verdict::proves_no_leak);
}

/// A month of a heap that is collected every 6 to 30 hours, at 1.3 to 2 times what lives, which follows the day and wanders.
fn wandering(seed: u64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let times = every(15.0 * MINUTE, 30.0 * DAY);
    let live = random.uniform(60.0, 400.0);
    let outside = random.uniform(0.3, 1.5) * live;
    let (cycle, gogc) = (random.uniform(6.0, 30.0) * HOUR, random.uniform(0.3, 1.0));
    let (rhythm, wanders) = (random.uniform(0.0, 0.05), random.uniform(0.0, 0.08));
    let wander = random.autocorrelated(0.99, times.len());
    let quiet = random.uniform(0.1, 1.0);
    let lives = |time: f64| {
        let at = ((time / (15.0 * MINUTE)).round() as usize).min(wander.len() - 1);
        live * (1.0 + rhythm * day(time, 0.2) + wanders * wander[at])
    };
    let heap = collected(random, &times, gogc, lives, |time| gogc * live / cycle * day(time, quiet));
    let mib: Vec<f64> = heap.iter().map(|heap| outside + heap + 0.002 * live * random.normal()).collect();
    let name = format!("seed {seed}, cycle {:.0} h, gogc {gogc:.1}, wanders {wanders:.2}", cycle / HOUR);
    (name, judged(&series(MONDAY, &times, &mib, Metric::WorkingSet)))
}

/// Its falls are the deeper the longer it had grown, as those of a leak are that is restarted at any time: that memory had
/// grown for long shows no restart.
#[test]
fn a_collector_that_seldom_runs_does_not_leak() {
    let tally = Tally::of(0..120, wandering);
    tally.at_most(0.0, Verdict::is_leak);
    tally.at_most(0.05, alarms);
}
