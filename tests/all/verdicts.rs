//! Verdicts on seeded series of every kind: what a user would see, mechanism by mechanism.

use std::f64::consts::TAU;

use crate::common::Random;
use leaktrend::segment;
use leaktrend::series::{Labels, Marks, MemorySeries, Metric, Samples, Sampling, SeriesInfo};
use leaktrend::units::MIB;
use leaktrend::verdict::{Judgement, Verdict};
use leaktrend_core::Terms;

const N: usize = 576;
const STEP_SECONDS: f64 = 300.0;

fn judged(values: &[f64], q_value: Option<f64>) -> Judgement {
    let mut samples = Samples::default();
    for (index, value) in values.iter().enumerate() {
        samples.push((index as f64 * STEP_SECONDS * 1000.0) as i64, value * MIB, 4096.0, Marks::default());
    }
    let info = SeriesInfo {
        id: "web".to_owned(),
        labels: Labels::new(),
        limit: None,
        metric: Metric::WorkingSet,
        container_given: true,
        sampling: Sampling::Raw,
    };
    let series = MemorySeries::new(info, samples).unwrap();
    leaktrend_core::measure(&segment::cut(&series, None), &series, &Terms::default()).judge(q_value)
}

/// `shape` in MiB over the share of the window, under AR(1) noise with φ 0.5 and a standard deviation of 2 MiB.
fn series(shape: impl Fn(f64) -> f64, seed: u64) -> Vec<f64> {
    let mut random = Random::seeded(seed);
    let mut noise = 0.0;
    (0..N)
        .map(|index| {
            // A sum of twelve uniforms is normal enough, and the same everywhere.
            let normal = (0..12).map(|_| random.below(1_000_000) as f64 / 1e6).sum::<f64>() - 6.0;
            noise = 0.5 * noise + 0.866 * normal;
            shape(index as f64 / N as f64) + 2.0 * noise
        })
        .collect()
}

#[track_caller]
fn check(shape: impl Fn(f64) -> f64, expected: &[&str]) {
    for seed in 0..8 {
        let judgement = judged(&series(&shape, seed), None);
        assert!(expected.contains(&judgement.verdict.name()), "seed {seed}: {judgement:#?}");
    }
}

#[test]
fn growth_that_goes_on_is_a_leak() {
    check(|x| 200.0 + 60.0 * x, &["leak"]);
    check(|x| 200.0 + 80.0 * (x - 0.4).max(0.0), &["leak"]);
    check(|x| 200.0 + 100.0 * (1.0 - (-x / 0.03).exp()) + 80.0 * x, &["leak"]);
    check(|x| 200.0 + 60.0 * x + 15.0 * (TAU * x * 2.0).sin(), &["leak"]);
}

#[test]
fn growth_that_ended_is_not() {
    check(|x| 200.0 + 150.0 * (1.0 - (-x / 0.06).exp()), &["warmed-up"]);
    check(|x| 200.0 + 150.0 * (1.0 - (-x / 0.25).exp()), &["warmed-up", "inconclusive"]);
    check(|x| 200.0 + 150.0 * x.min(0.6), &["warmed-up", "inconclusive"]);
    check(|x| 200.0 + if x < 0.4 { 0.0 } else { 60.0 }, &["step"]);
}

#[test]
fn a_level_is_flat_and_a_fall_shrinks() {
    check(|_| 200.0, &["flat"]);
    check(|x| 200.0 + 15.0 * (TAU * x * 2.0).sin(), &["flat"]);
    check(|x| 300.0 - 80.0 * x, &["shrinking"]);
    check(|x| 400.0 + 10.0 * x, &["negligible-growth"]);
}

#[test]
fn steps_that_never_go_back_are_stepping_growth() {
    check(|x| 200.0 + 40.0 * (x * 6.0).floor(), &["stepping-growth"]);
}

#[test]
fn a_leak_shows_through_its_restarts() {
    check(|x| 60.0 + 300.0 * (x * 6.0).fract(), &["leak-masked-by-restarts"]);
}

#[test]
fn what_collections_leave_is_what_counts() {
    check(|x| 200.0 + 60.0 * (x * 40.0).fract(), &["flat"]);
    check(|x| 200.0 + 60.0 * (x * 40.0).fract() + 80.0 * x, &["leak"]);
}

/// A number from 0 to 1 that depends on the seed and its place.
fn share(seed: u64, place: u64) -> f64 {
    let mut random = Random::seeded(seed * 1000 + place);
    random.below(1_000_000);
    random.below(1_000_000) as f64 / 1e6
}

/// Allocator arenas: each is taken at a time of its own and kept; most come early and the last before `stop`.
fn arenas(seed: u64, count: u64, stop: f64) -> impl Fn(f64) -> f64 {
    let taken: Vec<f64> =
        (0..count).map(|place| stop * ((place as f64 + share(seed, place)) / count as f64).powf(0.7)).collect();
    move |x| taken.iter().filter(|at| **at <= x).count() as f64
}

/// Garbage gathers by 1 a cycle; each collection frees all of it but a share of up to `left`.
fn partial_collections(seed: u64, cycles: u64, left: f64) -> impl Fn(f64) -> f64 {
    let kept: Vec<f64> = (0..cycles).map(|cycle| left * share(seed, 77 + cycle)).collect();
    move |x| {
        let cycle = (x * cycles as f64) as usize;
        let garbage = kept.iter().take(cycle).fold(0.0, |garbage, kept| (garbage + 1.0) * kept);
        garbage + (x * cycles as f64).fract()
    }
}

/// A line through the whole is steep, and no other shape fits the steps as well; but the last part is level.
#[test]
fn arenas_that_were_taken_and_no_more_are_no_leak() {
    for seed in 0..6 {
        let taken = arenas(seed, 12, 0.55);
        let judgement = judged(&series(|x| 200.0 + 20.0 * taken(x), seed), None);
        assert!(!judgement.verdict.is_leak(), "seed {seed}: {judgement:#?}");
    }
}

/// Values between collections that free more or less wander as a leak and its restarts do; the floors do not.
#[test]
fn partial_collections_neither_hide_a_leak_nor_look_like_one() {
    for seed in 0..6 {
        let garbage = partial_collections(seed, 20, 0.9);
        let judgement = judged(&series(|x| 200.0 + 120.0 * garbage(x), seed), None);
        // Few falls may be restarts as well: that is said, and claimed is nothing.
        let open = ["inconclusive", "flat", "leak-suspected"];
        assert!(open.contains(&judgement.verdict.name()), "seed {seed}: {judgement:#?}");
    }
    let verdicts = [0, 1, 2, 4, 5].map(|seed| {
        let garbage = partial_collections(seed, 40, 0.6);
        judged(&series(|x| 200.0 + 60.0 * garbage(x) + 80.0 * x, seed), None).verdict
    });
    // What looks like a level shift beside growth is suspected.
    assert!(verdicts.iter().all(|verdict| verdict.is_leak() || *verdict == Verdict::LeakSuspected), "{verdicts:?}");
    assert!(verdicts.iter().filter(|verdict| verdict.is_leak()).count() >= 4, "{verdicts:?}");
}

#[test]
fn among_many_series_a_leak_must_be_a_discovery() {
    let growing = series(|x| 200.0 + 60.0 * x, 1);
    assert_eq!(judged(&growing, Some(0.2)).verdict.name(), "leak-suspected");
    assert_eq!(judged(&growing, Some(0.01)).verdict.name(), "leak");
}

#[test]
fn an_open_verdict_says_how_much_longer_to_measure() {
    let short: Vec<f64> = series(|x| 200.0 + 10.0 * x, 3).into_iter().take(10).collect();
    let judgement = judged(&short, None);
    assert_eq!(judgement.reason(), "10 samples are too few to judge (at least 16 are needed); measure 30 min longer");
    assert_eq!(judgement.detectable.unwrap().needed_seconds, Some(1800.0));
}
