//! Services that are deployed often, each process at another height: half of their restarts raise the level.

use leaktrend_core::series::{Marks, MemorySeries, Metric, Samples};
use leaktrend_core::units::{DAY, MIB};
use leaktrend_core::verdict::{Judgement, Verdict};

use crate::simulated::{HOUR, MINUTE, MONDAY, Random, Tally, claims_level, every, judged, series};

/// When processes begin: after a random time each, between these.
fn deployments(random: &mut Random, span: f64, shortest: f64, longest: f64) -> Vec<f64> {
    let mut at = vec![0.0];
    while at[at.len() - 1] < span {
        at.push(at[at.len() - 1] + random.uniform(shortest, longest));
    }
    at
}

/// Runs of an hour or two whose restarts are told, each at its own height; `lost`: what a run gains in an hour, as a share
/// of its level.
fn told(seed: u64, lost: f64) -> (String, Judgement) {
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
    let healthy = Tally::of(0..40, |seed| told(seed, 0.0));
    healthy.at_most(0.0, Verdict::is_leak);
    healthy.at_least(0.5, claims_level);
    let leaking = Tally::of(0..40, |seed| told(seed, 0.02));
    leaking.at_least(0.9, Verdict::is_leak);
}
