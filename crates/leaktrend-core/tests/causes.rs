//! A slice of what `examples/causes` measures, with bounds that fail when answers get worse, not when a seed is odd.

#[allow(dead_code, reason = "the example uses all of it")]
#[path = "../examples/causes/oracle.rs"]
mod oracle;
#[allow(dead_code, reason = "the example uses all of it")]
#[path = "../examples/accuracy/generator/random.rs"]
mod random;
#[allow(dead_code, reason = "the example uses all of it")]
#[path = "../examples/causes/score.rs"]
mod score;
#[allow(dead_code, reason = "the example uses all of it")]
#[path = "../examples/causes/service.rs"]
mod service;

use leaktrend_core::causes::{self, CauseSource, Covariate, Covariates, GrowthCause, How, Measure};
use leaktrend_core::segment;
use leaktrend_core::series::{Labels, Marks, MemorySeries, Metric, Samples, Sampling, SeriesInfo};
use leaktrend_core::units::MIB;
use rayon::prelude::*;

use random::Random;
use score::{Outcome, outcome};
use service::{Family, Setting};

/// Services that the published table does not use.
const SEED: u64 = 77 << 32;
const SERVICES: u64 = 160;

#[test]
fn causes_are_named_as_right_as_the_published_table_says() {
    let outcomes: Vec<Outcome> =
        (SEED..SEED + SERVICES).into_par_iter().map(|seed| outcome(&Setting::of(seed), seed)).collect();
    let share = |of: usize, among: usize| of as f64 / among as f64;
    let is_quiet = |one: &&Outcome| matches!(one.setting.family, Family::Healthy | Family::Follows);
    let truths = || outcomes.iter().filter(|one| one.setting.family != Family::Clock).flat_map(|one| &one.truths);

    let can = truths().filter(|truth| truth.is_identifiable()).count();
    let right = share(truths().filter(|truth| truth.is_identifiable() && truth.is_named).count(), can);
    let wrong = share(outcomes.iter().filter(|one| one.is_wrong).count(), outcomes.len());
    let quiet = outcomes.iter().filter(is_quiet).count();
    let silent = share(outcomes.iter().filter(is_quiet).filter(|one| !one.is_named).count(), quiet);
    let covered: Vec<bool> = truths().filter_map(|truth| truth.is_covered).collect();
    let covered = share(covered.iter().filter(|covered| **covered).count(), covered.len());

    assert!(can > 40 && quiet > 15, "{can} can be identified, {quiet} services do not leak");
    assert!(right >= 0.8, "of those that can be identified {right} are named");
    assert!(wrong <= 0.04, "of the services {wrong} have a wrong name");
    assert!(silent >= 0.94, "where nothing leaks nothing is named in {silent}");
    assert!((0.78..=0.97).contains(&covered), "the 90 % interval holds the true number in {covered}");
}

const STEP_MS: i64 = 60_000;
const MINUTES: usize = 1440;

/// What is said of a day of memory, by the minute, beside these covariates.
fn said(used_mib: impl Fn(usize) -> f64, each: Vec<(Measure, Vec<f64>)>) -> Vec<GrowthCause> {
    let start = 1_790_000_000_000;
    let random = &mut Random::of(5, 5);
    let mut samples = Samples::default();
    for minute in 0..MINUTES {
        let used = (used_mib(minute) + random.normal()) * MIB;
        samples.push(start + (minute as i64 + 1) * STEP_MS, used, 1.0, Marks::default());
    }
    let info = SeriesInfo {
        id: "service".to_owned(),
        labels: Labels::new(),
        limit: None,
        metric: Metric::DockerUsage,
        container_given: false,
        sampling: Sampling::Raw,
    };
    let series = MemorySeries::new(info, samples).unwrap();
    let each = each.into_iter().map(|(measure, values)| Covariate { measure, values }).collect();
    let covariates = Covariates::new(start, STEP_MS, each).unwrap();
    causes::attribute(
        &segment::cut(&series, None),
        &series,
        &covariates,
        &leaktrend_core::Terms::default(),
        &causes::CauseTerms::default(),
    )
}

/// Requests by the minute, more or less by the hour.
fn requests(purpose: u64) -> Vec<f64> {
    requests_of(purpose, 100.0)
}

/// About `usual` requests a minute.
fn requests_of(purpose: u64, usual: f64) -> Vec<f64> {
    let random = &mut Random::of(9, purpose);
    let hours: Vec<f64> = (0..24).map(|_| usual * (0.6 * random.normal()).exp()).collect();
    (0..MINUTES).map(|minute| random.poisson(hours[minute / 60])).collect()
}

fn sums(counts: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    counts
        .iter()
        .map(|count| {
            sum += count;
            sum
        })
        .collect()
}

#[test]
fn a_kind_that_keeps_memory_is_named_with_its_bytes() {
    let (leaking, other) = (requests(1), requests(2));
    let kept = sums(&leaking);
    let said =
        said(|minute| 200.0 + 0.001 * kept[minute], vec![(Measure::Requests, other), (Measure::Requests, leaking)]);
    let [cause] = &said[..] else { panic!("{said:?}") };
    assert_eq!((cause.source, cause.how, cause.is_named), (CauseSource::Covariate(1), How::Lost, true));
    let bytes = cause.bytes_per_unit;
    assert!(bytes.lower <= 0.001 * MIB && 0.001 * MIB <= bytes.upper, "{bytes:?}");
    assert!(bytes.upper - bytes.lower < 0.1 * bytes.value, "{bytes:?}");
    assert!(cause.share_of_growth.is_some_and(|share| (share - 1.0).abs() < 0.05), "{cause:?}");
}

/// What rare requests keep wanders about its straight line when each keeps another amount.
#[test]
fn the_interval_of_rare_requests_that_keep_different_amounts_holds_their_mean() {
    const DRAWS: u64 = 60;
    let is_held = |draw: u64| {
        let (leaking, other) = (requests_of(100 + draw, 3.0), requests(2));
        let random = &mut Random::of(11, draw);
        let mut keep = || -0.05 * random.uniform(f64::MIN_POSITIVE, 1.0).ln();
        let kept: Vec<f64> = leaking.iter().map(|count| (0..*count as usize).map(|_| keep()).sum()).collect();
        let each = MIB * kept.iter().sum::<f64>() / leaking.iter().sum::<f64>();
        let kept = sums(&kept);
        let said = said(|minute| 200.0 + kept[minute], vec![(Measure::Requests, leaking), (Measure::Requests, other)]);
        let cause = said.iter().find(|cause| cause.source == CauseSource::Covariate(0) && cause.is_named)?;
        Some(cause.bytes_per_unit.lower <= each && each <= cause.bytes_per_unit.upper)
    };
    let held: Vec<bool> = (0..DRAWS).into_par_iter().filter_map(is_held).collect();
    let n_held = held.iter().filter(|held| **held).count();
    assert!(held.len() as u64 > DRAWS / 2, "only {} are named", held.len());
    // 90 % less twice the standard error of so many draws.
    assert!(
        n_held as f64 >= 0.82 * held.len() as f64,
        "the 90 % interval holds the mean in {n_held} of {}",
        held.len()
    );
}

#[test]
fn kinds_that_go_together_are_not_told_apart() {
    let (leaking, other) = (requests(1), requests(2));
    let kept = sums(&leaking);
    let twin = leaking.iter().map(|count| 3.0 * count).collect();
    let each = vec![(Measure::Requests, leaking), (Measure::Requests, other), (Measure::Requests, twin)];
    let said = said(|minute| 200.0 + 0.001 * kept[minute], each);
    assert!(said.iter().all(|cause| !cause.is_named_leak()), "{said:?}");
    let sets: Vec<Vec<CauseSource>> =
        said.iter().map(|cause| [&[cause.source], &cause.indistinguishable[..]].concat()).collect();
    let has_both = |set: &Vec<CauseSource>| [0, 2].iter().all(|index| set.contains(&CauseSource::Covariate(*index)));
    assert!(sets.iter().any(has_both), "{sets:?}");
    assert!(sets.iter().all(|set| !set.contains(&CauseSource::Covariate(1))), "{sets:?}");
}

#[test]
fn a_level_that_grows_holds_memory_and_one_that_does_not_is_followed() {
    let random = &mut Random::of(3, 3);
    let rough: Vec<f64> = (0..MINUTES / 30).map(|_| 20.0 * random.normal()).collect();
    for (grown, how) in [(1.0, How::Held), (0.0, How::Follows)] {
        let level: Vec<f64> =
            (0..MINUTES).map(|minute| 100.0 + 0.2 * grown * minute as f64 + rough[minute / 30]).collect();
        let held = level.clone();
        let said =
            said(|minute| 200.0 + 0.5 * held[minute], vec![(Measure::Requests, requests(1)), (Measure::Level, level)]);
        let cause = said.iter().find(|cause| cause.source == CauseSource::Covariate(1)).expect("it explains all");
        assert!(cause.is_named && cause.how == how, "{cause:?}");
        assert!((cause.bytes_per_unit.value / (0.5 * MIB) - 1.0).abs() < 0.05, "{cause:?}");
    }
}

#[test]
fn a_clock_leak_is_no_requests_leak_and_what_follows_the_load_is_none() {
    let load = requests(1);
    let by_clock = said(|minute| 200.0 + 0.1 * minute as f64, vec![(Measure::Requests, load.clone())]);
    assert_eq!(by_clock.iter().map(|cause| cause.source).collect::<Vec<_>>(), [CauseSource::Clock], "{by_clock:?}");
    assert!((by_clock[0].bytes_per_unit.value / (0.1 * MIB / 60.0) - 1.0).abs() < 0.05, "{by_clock:?}");

    let (busy, rate) = (requests(2), requests(2));
    let follows = said(|minute| 200.0 + 0.5 * rate[minute], vec![(Measure::Requests, load), (Measure::Requests, busy)]);
    assert!(follows.iter().all(|cause| cause.how == How::Follows), "{follows:?}");
    assert!(follows.iter().any(|cause| cause.source == CauseSource::Covariate(1) && cause.is_named), "{follows:?}");
}

#[test]
fn little_or_nothing_says_nothing() {
    let flat = said(|_| 200.0, vec![(Measure::Requests, requests(1)), (Measure::Events, vec![0.0; MINUTES])]);
    assert_eq!(flat, []);
    let one = |values: Vec<f64>| Covariate { measure: Measure::Requests, values };
    assert_eq!(Covariates::new(0, 1000, vec![one(vec![1.0]), one(vec![1.0, 2.0])]), None);
    assert_eq!(Covariates::new(0, 1000, vec![one(vec![-1.0])]), None);
    assert_eq!(Covariates::new(0, 1000, vec![one(vec![f64::NAN])]), None);
    assert_eq!(Covariates::new(0, 0, vec![one(vec![1.0])]), None);
    assert_eq!(Covariates::new(0, 1000, vec![one(Vec::new())]), None);
}

/// When the growth of a day of memory began, by the minute, and what each change has to do with it.
fn onset(used_mib: impl Fn(usize) -> f64, restart: Option<usize>, changes: &[f64]) -> Option<causes::Onset> {
    let start = 1_790_000_000_000;
    let random = &mut Random::of(5, 5);
    let mut samples = Samples::default();
    for minute in 0..MINUTES {
        let used = (used_mib(minute) + random.normal()) * MIB;
        let marks = if restart == Some(minute) { Marks::RECREATED } else { Marks::default() };
        samples.push(start + (minute as i64 + 1) * STEP_MS, used, 1.0, marks);
    }
    let info = SeriesInfo {
        id: "service".to_owned(),
        labels: Labels::new(),
        limit: None,
        metric: Metric::DockerUsage,
        container_given: false,
        sampling: Sampling::Raw,
    };
    let series = MemorySeries::new(info, samples).unwrap();
    causes::onset(&segment::cut(&series, None), &series, &leaktrend_core::Terms::default(), 0.95, changes)
}

#[test]
fn growth_that_begins_with_a_change_names_it() {
    let changes = [200.0, 700.0, 1100.0].map(|minute| minute * 60.0 - 30.0);
    let found = onset(|minute| 200.0 + 0.2 * (minute as f64 - 700.0).max(0.0), None, &changes).unwrap();
    assert!(found.lower <= changes[1] && changes[1] <= found.upper, "{found:?}");
    assert!(found.upper - found.lower < 3600.0, "{found:?}");
    let named: Vec<bool> = found.changes.iter().map(|change| change.is_named).collect();
    assert_eq!(named, [false, true, false], "{found:?}");
    // Two at the same time cannot be told apart.
    let twins = onset(|minute| 200.0 + 0.2 * (minute as f64 - 700.0).max(0.0), None, &[changes[1], changes[1]]);
    assert!(twins.unwrap().changes.iter().all(|change| change.is_inside && !change.is_named));
}

#[test]
fn growth_that_begins_with_a_restart_begins_there() {
    let used = |minute: usize| 200.0 + if minute < 700 { 0.0 } else { 0.2 * (minute - 700) as f64 };
    let found = onset(used, Some(700), &[700.0 * 60.0 - 30.0]).unwrap();
    assert!(found.changes[0].is_named, "{found:?}");
}

#[test]
fn growth_all_along_begins_with_no_change() {
    assert_eq!(onset(|minute| 200.0 + 0.2 * minute as f64, None, &[43_200.0]), None);
    let found = onset(|minute| 200.0 + 0.2 * (minute as f64 - 700.0).max(0.0), None, &[12_000.0, 66_000.0]).unwrap();
    assert!(found.changes.iter().all(|change| !change.is_inside && !change.is_named), "{found:?}");
    assert!(!onset(|_| 200.0, None, &[43_200.0]).is_some_and(|onset| onset.changes[0].is_named));
}
