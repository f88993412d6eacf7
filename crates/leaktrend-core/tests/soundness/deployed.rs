//! Services that are deployed often, each process at another height: half of their restarts raise the level.

use leaktrend_core::series::{Marks, MemorySeries, Metric, Samples};
use leaktrend_core::units::{DAY, MIB};
use leaktrend_core::verdict::{Judgement, Verdict};

use crate::simulated::{HOUR, MINUTE, MONDAY, Random, Tally, alarms, claims_level, every, judged, series};

/// When processes begin: after a random time each, between these.
fn deployments(random: &mut Random, span: f64, shortest: f64, longest: f64) -> Vec<f64> {
    let mut at = vec![0.0];
    while at[at.len() - 1] < span {
        at.push(at[at.len() - 1] + random.uniform(shortest, longest));
    }
    at
}

/// Runs of an hour or two whose restarts are reported, each at its own height; `lost`: what a run gains in an hour, as a share
/// of its level.
fn reported(seed: u64, lost: f64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let times = every(10.0 * MINUTE, 4.0 * DAY);
    let starts = deployments(random, 4.0 * DAY, 1.2 * HOUR, 2.0 * HOUR);
    let heights: Vec<f64> = starts.iter().map(|_| random.uniform(150.0, 250.0)).collect();
    let mut samples = Samples::default();
    let mut before = 0;
    for time in times {
        let run = starts.partition_point(|start| *start <= time) - 1;
        let mib = heights[run] * (1.0 + lost * (time - starts[run]) / HOUR) + 0.2 * random.normal();
        let marks = if run == before { Marks::WATCHED } else { Marks::RESTARTED };
        samples.push(((MONDAY + time) * 1000.0) as i64, (mib * MIB).round(), 4096.0, marks);
        before = run;
    }
    let info = series(MONDAY, &[0.0], &[1.0], Metric::WorkingSet).info;
    (format!("seed {seed}"), judged(&MemorySeries::new(info, samples).expect("there are readings")))
}

/// Runs that were taken together with the one before looked like noise: none of these was passed, and some were leaks.
#[test]
fn short_runs_that_are_told_are_judged_as_runs() {
    let healthy = Tally::of(0..40, |seed| reported(seed, 0.0));
    healthy.at_most(0.0, Verdict::is_leak);
    healthy.at_least(0.5, claims_level);
    let leaking = Tally::of(0..40, |seed| reported(seed, 0.02));
    leaking.at_least(0.9, Verdict::is_leak);
}

/// A week of readings every 5 minutes, a new process every 3 to 15 hours at a height of its own, nothing reported; `lost`: what
/// a process gains in an hour, as a share of its level.
fn guessed(seed: u64, lost: f64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let times = every(5.0 * MINUTE, 7.0 * DAY);
    let starts = deployments(random, 7.0 * DAY, 3.0 * HOUR, 15.0 * HOUR);
    let spread = random.uniform(0.1, 0.3);
    let heights: Vec<f64> = starts.iter().map(|_| 300.0 * (1.0 + random.uniform(-spread, spread))).collect();
    let noise = random.autocorrelated(0.5, times.len());
    let mib = times.iter().zip(&noise).map(|(time, noise)| {
        let run = starts.partition_point(|start| start <= time) - 1;
        let age = time - starts[run];
        heights[run] * (1.0 + lost * age / HOUR) + noise
    });
    let mib: Vec<f64> = mib.collect();
    (format!("seed {seed}, {} processes", starts.len() - 1), judged(&series(MONDAY, &times, &mib, Metric::WorkingSet)))
}

#[test]
fn levels_of_processes_at_random_heights_pass() {
    let tally = Tally::of(0..60, |seed| guessed(seed, 0.0));
    tally.at_most(0.0, Verdict::is_leak);
    tally.at_least(0.6, |verdict| verdict.proves_no_leak() || verdict == Verdict::Step);
}

/// Values do not tell a deployment from the end of a job, so it is suspected; it must not pass.
#[test]
fn a_leak_in_processes_at_random_heights_is_suspected() {
    let tally = Tally::of(0..60, |seed| guessed(seed, 0.01));
    tally.at_least(0.8, alarms);
    tally.at_most(0.05, Verdict::proves_no_leak);
}

/// Jobs that come and go, 3 to 15 hours each, and leave something behind: what is lost is lost by jumps alone.
fn leaving(seed: u64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let times = every(5.0 * MINUTE, 7.0 * DAY);
    let starts = deployments(random, 7.0 * DAY, 3.0 * HOUR, 15.0 * HOUR);
    let (height, left) = (random.uniform(30.0, 120.0), random.uniform(5.0, 15.0));
    let noise = random.autocorrelated(0.5, times.len());
    let mib = times.iter().zip(&noise).map(|(time, noise)| {
        let job = starts.partition_point(|start| start <= time) - 1;
        300.0 + height * (job % 2) as f64 + left * (job / 2) as f64 + noise
    });
    let mib: Vec<f64> = mib.collect();
    (format!("seed {seed}, {left:.1} MiB a job"), judged(&series(MONDAY, &times, &mib, Metric::WorkingSet)))
}

#[test]
fn what_jobs_leave_behind_is_not_hidden_by_cuts() {
    let tally = Tally::of(0..60, leaving);
    tally.at_most(0.05, |verdict| verdict.proves_no_leak() || verdict == Verdict::Step);
}

/// Steps up within processes, all given back by the next one: they rise more often than they fall.
fn stepping(seed: u64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let times = every(5.0 * MINUTE, 7.0 * DAY);
    let starts = deployments(random, 7.0 * DAY, 12.0 * HOUR, 36.0 * HOUR);
    let steps: Vec<Vec<f64>> =
        starts.iter().map(|_| (0..3 + (seed % 3)).map(|_| random.uniform(0.5, 30.0) * HOUR).collect()).collect();
    let noise = random.autocorrelated(0.5, times.len());
    let mib = times.iter().zip(&noise).map(|(time, noise)| {
        let run = starts.partition_point(|start| start <= time) - 1;
        let taken = steps[run].iter().filter(|step| **step < time - starts[run]).count();
        300.0 + 40.0 * taken as f64 + noise
    });
    let mib: Vec<f64> = mib.collect();
    (format!("seed {seed}"), judged(&series(MONDAY, &times, &mib, Metric::WorkingSet)))
}

#[test]
fn steps_that_each_process_takes_are_not_passed() {
    let tally = Tally::of(0..60, stepping);
    tally.at_most(0.05, Verdict::proves_no_leak);
}
