//! The crate's front door: slices in, verdicts out.

use leaktrend_core::series::MemorySeries;
use leaktrend_core::verdict::{Grounds, Verdict};
use leaktrend_core::{Terms, judge, judge_all, measured};

const MIB: f64 = 1_048_576.0;

/// A reading every minute for six hours: this level, this growth a minute, and noise that repeats every 37 readings.
fn series(level: f64, growth: f64, phase: usize) -> MemorySeries {
    let time_ms: Vec<i64> = (0..360).map(|minute| 1_795_000_000_000 + 60_000 * minute).collect();
    let noise = |index: usize| ((index * 29 + phase * 7) % 37) as f64 / 37.0 - 0.5;
    let bytes = (0..360).map(|index| (level + growth * index as f64 + noise(index)) * MIB);
    MemorySeries::from_slices(&time_ms, &bytes.collect::<Vec<f64>>()).unwrap()
}

/// The same of independent noise of 60 MiB either way, from a generator of Knuth (MMIX).
fn noisy(growth: f64, seed: u64) -> MemorySeries {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let time_ms: Vec<i64> = (0..360).map(|minute| 1_795_000_000_000 + 60_000 * minute).collect();
    let bytes = (0..360).map(|index| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let noise = (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
        (300.0 + growth * f64::from(index) + 120.0 * noise) * MIB
    });
    MemorySeries::from_slices(&time_ms, &bytes.collect::<Vec<f64>>()).unwrap().with_limit(370.0 * MIB)
}

/// Among 400 series of noise growth that would be a leak by itself is only suspected, and clear growth still is one.
#[test]
fn many_series_are_judged_by_their_q_values() {
    // A load that does not follow the day, so that six hours suffice.
    let mut terms = Terms::default();
    terms.judge.daily_swing = 0.0;
    let doubtful = (1..400).map(|seed| noisy(0.045, seed)).find(|series| {
        let measured = measured(series, &terms);
        measured.judge(None).verdict == Verdict::Leak && 0.001 < measured.p_value().unwrap()
    });
    let mut all = vec![series(300.0, 0.5, 7), doubtful.expect("one of the seeds gives such growth")];
    all.extend((1000..1400).map(|seed| noisy(0.0, seed)));
    let judged = judge_all(&all, &terms);
    assert_eq!(judged.len(), all.len());
    assert_eq!((judged[0].verdict, judged[1].verdict), (Verdict::Leak, Verdict::LeakSuspected));
    assert!(judged[1].reason().ends_with("it may be chance"), "{}", judged[1].reason());
}

/// Growth that is a leak by itself is only suspected where the rate of false discoveries is too high for it.
#[test]
fn growth_that_may_be_chance_is_suspected() {
    let growing = series(300.0, 0.5, 7);
    let terms = Terms::default();
    assert_eq!(judge(&growing, &terms).verdict, Verdict::Leak);
    let chance = measured(&growing, &terms).judge(Some(0.5));
    assert_eq!(chance.verdict, Verdict::LeakSuspected);
    assert!(matches!(&chance.grounds, Grounds::Measured(evidence) if evidence.may_be_chance));
    assert!(chance.reason().ends_with("; with so many series judged, it may be chance"), "{}", chance.reason());
}

/// A limit makes smaller growth matter: what would reach it within a week.
#[test]
fn the_limit_of_the_series_counts() {
    let tolerance = |series: &MemorySeries| match judge(series, &Terms::default()).grounds {
        Grounds::Measured(evidence) => evidence.tolerance.bytes_per_second,
        other => panic!("{other:?}"),
    };
    let flat = series(300.0, 0.0, 1);
    let near = flat.clone().with_limit(310.0 * MIB);
    // No less than 4 MiB over the window.
    assert!((tolerance(&near) - 4.0 * MIB / (359.0 * 60.0)).abs() < 1e-9, "{}", tolerance(&near));
    assert!(3.0 * tolerance(&near) < tolerance(&flat), "{}", tolerance(&flat));
    assert!((tolerance(&flat.clone().with_limit(0.0)) - tolerance(&flat)).abs() < 1e-9, "0 is no limit");
}

/// Restarts that are reported are restarts, and no other fall is.
#[test]
fn told_restarts_are_the_restarts() {
    let time_ms: Vec<i64> = (0..360).map(|minute| 60_000 * minute).collect();
    let bytes: Vec<f64> = (0..360).map(|minute| (200.0 + f64::from(minute % 120)) * MIB).collect();
    let saw = MemorySeries::from_slices(&time_ms, &bytes).unwrap();
    let restarts = |series: &MemorySeries| match judge(series, &Terms::default()).grounds {
        Grounds::Measured(evidence) => evidence.restarts,
        other => panic!("{other:?}"),
    };
    assert_eq!(restarts(&saw.clone().with_restarts(&[60_000 * 120, 60_000 * 240])), 2);
    assert_eq!(restarts(&saw.with_restarts(&[])), 0);
}
