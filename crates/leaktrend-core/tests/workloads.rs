//! One verdict for pods that come and go, on pods whose truth is known.

use leaktrend_core::segment;
use leaktrend_core::series::MemorySeries;
use leaktrend_core::units::MIB;
use leaktrend_core::verdict::{Judgement, Verdict};
use leaktrend_core::workload::{self, Joined, Pod, siblings};
use leaktrend_core::{Terms, judge};

const HOUR: f64 = 3600.0;
const STEP: f64 = 300.0;
const START_MS: i64 = 1_794_787_200_000;

/// Noise of a standard deviation of 1, from a congruential generator (Knuth, MMIX): the sum of twelve uniform numbers.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// Noise that lasts for some half hour.
    fn wandering(&mut self, n: usize) -> Vec<f64> {
        let mut value = self.normal();
        let mut next = || {
            value = 0.85 * value + 0.527 * self.normal();
            value
        };
        (0..n).map(|_| next()).collect()
    }
}

/// A pod from one hour to another: MiB at each moment by the hour of the day and the pod's age in hours.
fn pod(from: f64, to: f64, mut mib: impl FnMut(usize, f64) -> f64) -> MemorySeries {
    let moments = (from * HOUR / STEP) as usize..(to * HOUR / STEP) as usize;
    let time_ms: Vec<i64> = moments.clone().map(|at| START_MS + (at as f64 * STEP * 1000.0) as i64).collect();
    let bytes: Vec<f64> = moments.clone().map(|at| mib(at, (at - moments.start) as f64 * STEP / HOUR) * MIB).collect();
    MemorySeries::from_slices(&time_ms, &bytes).unwrap()
}

fn joined(pods: &[(MemorySeries, &str)]) -> Joined {
    let of: Vec<Pod<'_>> = pods.iter().map(|(series, version)| Pod { series, version: Some(version) }).collect();
    workload::join(&of, pods[0].0.info.clone(), 900.0).unwrap()
}

fn judged(joined: &Joined) -> Judgement {
    workload::measure(joined, 0, &segment::cut(&joined.series, None), &joined.series, &Terms::default()).judge(None)
}

/// Width of the interval of growth, in bytes per second.
fn width(judgement: &Judgement) -> f64 {
    let growth = judgement.growth.unwrap();
    growth.upper - growth.lower
}

/// So many pods at a time for three days, each for six hours, one after another half an hour apart.
fn short_lived(n: usize, gain: f64, own: f64, shared: f64, warm: f64) -> Vec<(MemorySeries, &'static str)> {
    let mut random = Random(7);
    let common = random.wandering(900);
    let mut pods = Vec::new();
    for place in 0..n {
        let phase = 6.0 * place as f64 / n as f64;
        for run in 0..12 {
            let from = 6.0 * f64::from(run) + if run == 0 { 0.0 } else { phase };
            let to = (6.0 * f64::from(run + 1) + phase).min(72.0);
            let noise = random.wandering(900);
            let level = 200.0 + 5.0 * random.normal();
            pods.push((
                pod(from, to, |at, age| {
                    level + gain * age + own * noise[at] + shared * common[at] - warm * (-age / 0.7).exp()
                }),
                "1",
            ));
        }
    }
    pods
}

#[test]
fn a_leak_that_no_pod_shows_is_the_workloads() {
    let pods = short_lived(8, 1.2, 4.0, 1.0, 0.0);
    let alone = pods.iter().filter(|(series, _)| judge(series, &Terms::default()).verdict.is_leak()).count();
    assert_eq!(alone, 0, "no pod shows it");
    let judgement = judged(&joined(&pods));
    assert!(judgement.verdict.is_leak(), "{:?}", judgement.verdict);
    let growth = judgement.growth.unwrap();
    let truth = 1.2 * MIB / HOUR;
    assert!(growth.lower < truth && truth < growth.upper, "{growth:?}");
    let healthy = judged(&joined(&short_lived(8, 0.0, 4.0, 1.0, 0.0)));
    assert!(!healthy.verdict.is_leak(), "{:?}", healthy.verdict);
}

/// Noise of their own is averaged over pods, noise that they share is not.
#[test]
fn noise_that_siblings_share_counts_once() {
    let of = |n, own, shared| width(&judged(&joined(&short_lived(n, 0.0, own, shared, 0.0))));
    let (one, eight) = (of(1, 4.0, 0.0), of(8, 4.0, 0.0));
    assert!(eight < 0.6 * one, "noise of their own: {eight} against {one}");
    // Twelve runs of one pod after another have a level each; eight at a time share one, and know no more than one
    // pod that runs all the time.
    let mut random = Random(7);
    let common = random.wandering(900);
    let long = pod(0.0, 72.0, |at, _| 200.0 + 4.0 * common[at]);
    let (whole, eight) = (width(&judge(&long, &Terms::default())), of(8, 0.0, 4.0));
    assert!(0.8 * whole < eight, "shared noise: {eight} against {whole}");
}

/// At every moment some pod is warming up, and no pod is old.
#[test]
fn start_ups_one_after_another_are_no_growth() {
    let judgement = judged(&joined(&short_lived(8, 0.0, 1.0, 1.0, 60.0)));
    assert!(!judgement.verdict.is_leak(), "{:?} {:?}", judgement.verdict, judgement.growth);
    let growth = judgement.growth.unwrap();
    assert!(growth.upper < 60.0 * MIB / (6.0 * HOUR) / 4.0, "{growth:?}");
}

/// Four pods at a time, each for half a day, one after another three hours apart; all memory swings with the day.
fn of_all_ages(hours: f64, gain: f64) -> Vec<(MemorySeries, &'static str)> {
    let mut random = Random(5);
    let mut pods = Vec::new();
    for number in 0..(hours / 3.0) as usize {
        let from = 3.0 * number as f64;
        let (noise, level) = (random.wandering(900), 200.0 + 3.0 * random.normal());
        let day = |at: usize| 20.0 * (std::f64::consts::TAU * (at as f64 * STEP / HOUR - 24.0) / 24.0).sin();
        pods.push((pod(from, (from + 12.0).min(hours), |at, age| level + gain * age + day(at) + noise[at]), "1"));
    }
    pods
}

/// In thirty hours no rhythm of the day is known, but pods of different ages answer to it alike.
#[test]
fn pods_of_different_ages_show_growth_before_the_day_is_known() {
    let leaks = judged(&joined(&of_all_ages(30.0, 3.0)));
    assert!(leaks.verdict.is_leak(), "{:?}", leaks.reason());
    let growth = leaks.growth.unwrap();
    let truth = 3.0 * MIB / HOUR;
    assert!(growth.lower < truth && truth < growth.upper, "{growth:?}");
    let healthy = judged(&joined(&of_all_ages(30.0, 0.0)));
    assert!(!healthy.verdict.is_leak() && healthy.verdict != Verdict::LeakSuspected, "{:?}", healthy.reason());
}

/// The last rollout is half a day ago, and since then the load has risen.
#[test]
fn the_morning_after_a_rollout_is_no_leak() {
    let mut random = Random(3);
    let mut pods = Vec::new();
    for (version, (from, to)) in [("a", (0.0, 24.0)), ("b", (24.0, 47.0)), ("c", (47.0, 60.0))] {
        for place in 0..5 {
            let late = if from > 0.0 { 0.1 * f64::from(place) } else { 0.0 };
            let noise = random.wandering(900);
            let day = |at: usize| 30.0 * (std::f64::consts::TAU * (at as f64 * STEP / HOUR - 53.0) / 24.0).sin();
            pods.push((pod(from + late, to, |at, _| 300.0 + day(at) + noise[at]), version));
        }
    }
    let judgement = judged(&joined(&pods));
    assert!(!judgement.verdict.is_leak(), "{:?}", judgement.reason());
    let reason = judgement.reason();
    assert!(!reason.contains("restart") && !judgement.would_change().contains("restart"), "{reason}");
}

/// Three rollouts a day apart, with five pods each; from some version on each grows by so much an hour.
fn rolled_out(grows: impl Fn(usize, usize) -> f64) -> Vec<(MemorySeries, &'static str)> {
    let mut random = Random(11);
    let common = random.wandering(1300);
    let mut pods = Vec::new();
    for (version, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        for place in 0..5 {
            let late = 0.1 * place as f64;
            let from = 24.0 * version as f64 + if version == 0 { 0.0 } else { late };
            let to = (24.0 * (version + 1) as f64 + late).min(96.0);
            let noise = random.wandering(1300);
            let gain = grows(version, place);
            pods.push((pod(from, to, |at, age| 300.0 + gain * age + 2.0 * noise[at] + 3.0 * common[at]), name));
        }
    }
    pods
}

#[test]
fn a_rollout_is_a_restart_of_the_workload() {
    let joined = joined(&rolled_out(|_, _| 0.0));
    let versions: Vec<usize> = joined.runs.iter().map(|run| run.version).collect();
    assert_eq!(versions, [0, 1, 2, 3]);
    // Of five pods that are replaced every six minutes the third makes the majority.
    let begins: Vec<i64> =
        (1..4).map(|run| (joined.begins_ms(run) - START_MS) / 60_000 - 24 * 60 * run as i64).collect();
    assert!(begins.iter().all(|late| (10..=20).contains(late)), "{begins:?}");
    assert_eq!(joined.deployed_ms(2), Some(START_MS + 48 * 3_600_000));
    assert!(!judged(&joined).verdict.is_leak());
}

#[test]
fn growth_since_a_version_is_found_with_it() {
    let since = |grows: &dyn Fn(usize, usize) -> f64| {
        let joined = joined(&rolled_out(grows));
        workload::grows_since(&joined, &Terms::default()).map(|run| joined.versions[joined.runs[run].version].clone())
    };
    assert_eq!(since(&|version, _| if version >= 2 { 2.0 } else { 0.0 }), Some(Some("c".to_owned())));
    assert_eq!(since(&|_, _| 2.0), None);
    assert_eq!(since(&|_, _| 0.0), None);
}

#[test]
fn one_leaking_pod_of_five_differs_from_its_siblings() {
    let matters = 15.0 * MIB / (96.0 * HOUR);
    let differing = |grows: &dyn Fn(usize, usize) -> f64| {
        let joined = joined(&rolled_out(grows));
        siblings::differing(&joined, matters, &Terms::default().judge).iter().map(|one| one.pod).collect::<Vec<usize>>()
    };
    assert_eq!(differing(&|version, place| if version == 3 && place == 2 { 2.0 } else { 0.0 }), [17]);
    assert_eq!(differing(&|_, _| 2.0), [0; 0]);
    assert_eq!(differing(&|_, _| 0.0), [0; 0]);
}

/// Nothing of this has an answer, and none of it panics.
#[test]
fn short_single_and_constant_pods_are_judged_as_far_as_they_go() {
    assert_eq!(workload::join(&[], joined(&rolled_out(|_, _| 0.0)).series.info.clone(), 900.0), None);
    let one = MemorySeries::from_slices(&[START_MS], &[5.0 * MIB]).unwrap();
    assert_eq!(judged(&joined(&[(one.clone(), "1")])).verdict, Verdict::Inconclusive);
    assert_eq!(judged(&joined(&[(one.clone(), "1"), (one, "2")])).verdict, Verdict::Inconclusive);
    let level = || pod(0.0, 72.0, |_, _| 100.0);
    let level = joined(&[(level(), "1"), (level(), "1")]);
    assert_eq!(judged(&level).verdict, Verdict::Flat);
    assert_eq!(siblings::differing(&level, 1.0, &Terms::default().judge), []);
    assert_eq!(workload::grows_since(&level, &Terms::default()), None);
}
