use super::*;
use crate::series::{Metric, Samples, Sampling, SeriesInfo};
use crate::units::MIB;

fn series(used_mib: &[f64], marked: &[(usize, Marks)], step_ms: i64) -> MemorySeries {
    let mut samples = Samples::default();
    for (index, mib) in used_mib.iter().enumerate() {
        let marks = marked.iter().find(|(at, _)| *at == index).map_or(Marks::default(), |(_, marks)| *marks);
        samples.push(index as i64 * step_ms, mib * MIB, 1.0, marks);
    }
    let info = SeriesInfo {
        id: "web".to_owned(),
        labels: crate::series::Labels::new(),
        limit: None,
        metric: Metric::DockerUsage,
        container_given: true,
        sampling: Sampling::Raw,
    };
    MemorySeries::new(info, samples).unwrap()
}

fn describe(segmentation: &Segmentation) -> String {
    let restarts: Vec<String> =
        segmentation.falls.restarts.iter().map(|restart| format!("{} {}", restart.at, restart.cause.name())).collect();
    format!("{}, {} collections", restarts.join(", "), segmentation.falls.collections.len())
}

#[track_caller]
fn check(used_mib: &[f64], marked: &[(usize, Marks)], expected: &str) {
    assert_eq!(describe(&cut(&series(used_mib, marked, 60_000), None)), expected);
}

fn teeth(low: f64, high: f64, length: usize, count: usize) -> Vec<f64> {
    let tooth = move |index: usize| low + (high - low) * (index % length) as f64 / length as f64;
    (0..length * count).map(tooth).collect()
}

#[test]
fn a_fall_to_the_level_of_a_start_is_a_restart() {
    check(&teeth(20.0, 200.0, 50, 2), &[], "50 level-drop, 0 collections");
}

#[test]
fn falls_from_one_ceiling_are_kills_for_memory() {
    check(&teeth(20.0, 300.0, 50, 4), &[], "50 oom, 100 oom, 150 oom, 0 collections");
}

#[test]
fn kills_are_named_where_the_window_begins_in_the_middle_of_a_run() {
    check(&teeth(20.0, 300.0, 50, 4)[30..], &[], "20 oom, 70 oom, 120 oom, 0 collections");
}

#[test]
fn what_is_deployed_anew_at_one_level_is_not_killed_for_memory() {
    // Fills its caches in a fifth of a run, and stays there with a ripple of 2 %.
    let run = |index: usize| {
        let (run, ripple) = ((index % 100) as f64, (index as f64 * 0.7).sin());
        300.0 - 240.0 * (-run / 10.0).exp() + 6.0 * ripple
    };
    check(&(0..400).map(run).collect::<Vec<_>>(), &[], "100 level-drop, 200 level-drop, 300 level-drop, 0 collections");
}

#[test]
fn a_garbage_collection_is_a_release() {
    check(&teeth(100.0, 140.0, 20, 5), &[], ", 4 collections");
}

#[test]
fn counters_that_fell_and_a_new_id_are_restarts_whatever_the_values_say() {
    let flat = [50.0; 60];
    check(
        &flat,
        &[(20, Marks::COUNTER_RESET), (40, Marks::RECREATED)],
        "20 counter-reset, 40 recreated, 0 collections",
    );
}

#[test]
fn an_event_is_a_restart_and_makes_a_short_run_trusted() {
    let two_runs = teeth(20.0, 200.0, 30, 2);
    let unmarked = series(&two_runs, &[], 10_000);
    let guessed = cut(&unmarked, None);
    assert_eq!((describe(&guessed).as_str(), guessed.falls.certain.is_empty()), ("30 level-drop, 1 collections", true));
    for (marks, expected) in [
        (Marks::RESTARTED, "30 event, 0 collections"),
        (Marks::RESTARTED.with(Marks::OOM_KILLED), "30 oom, 0 collections"),
        (Marks::RESTARTED.with(Marks::RECREATED), "30 recreated, 0 collections"),
    ] {
        let marked = series(&two_runs, &[(30, marks)], 10_000);
        let reported = cut(&marked, None);
        assert_eq!((describe(&reported).as_str(), reported.falls.certain.len()), (expected, 1));
    }
}

#[test]
fn events_end_where_they_end_and_values_speak_beyond() {
    let four_runs = teeth(20.0, 300.0, 50, 4);
    check(&four_runs, &[(50, Marks::RESTARTED)], "50 event, 100 oom, 150 oom, 0 collections");
    // Where events were recorded and report none, a fall is no restart.
    check(
        &four_runs,
        &[(50, Marks::RESTARTED), (100, Marks::WATCHED), (150, Marks::WATCHED)],
        "50 event, 2 collections",
    );
}

#[test]
fn an_upload_that_ends_is_neither() {
    let upload = |index: usize| if (70..80).contains(&index) { 200.0 } else { 50.0 };
    check(&(0..120).map(upload).collect::<Vec<_>>(), &[], ", 0 collections");
}

#[test]
fn a_job_that_the_window_begins_shortly_before_is_no_restart() {
    // Jobs of 14 samples every 96; how long it was low before the first, 3 to 20 samples, is the window's doing.
    for low in [3, 8, 12, 20] {
        let job = |index: usize| if (index + 96 - low) % 96 < 14 { 480.0 } else { 80.0 + (index % 3) as f64 };
        check(&(0..400).map(job).collect::<Vec<_>>(), &[], ", 0 collections");
    }
}
