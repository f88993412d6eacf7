//! Rate criteria do not count while memory settles after a start.

use super::*;

const RATES: [&str; 3] = ["growth-100mb-5m", "confirmed-100mb-60s", "rapid-50mb-per-min"];

/// A service that starts at `minute` with 60 MB, gains `mb` within a minute, and is level from then on.
fn start_up(minute: f64, mb: f64) -> impl Fn(f64) -> f64 {
    move |now| if now < minute { 200e6 } else { 60e6 + mb * 1e6 * (now - minute).min(1.0) }
}

#[track_caller]
fn check_rates(scenario: &Scenario, expected: [Status; 3]) {
    let found = RATES.map(|id| scenario.criterion(id));
    let reasons = found.each_ref().map(|criterion| criterion.reason.to_string());
    assert_eq!(found.each_ref().map(|criterion| criterion.status), expected, "{reasons:#?}");
    for criterion in found {
        let counts = criterion.spans.iter().any(|span| span.during.is_none() && span.firing_at_ms.is_some());
        assert_eq!(counts, criterion.status == Status::Fail, "{criterion:?}");
    }
}

#[test]
fn a_fresh_service_that_fills_its_heap_fails_no_rate() {
    // 107 MB as a Node service takes them, and as much as every criterion would fail for.
    for mb in [107.0, 700.0] {
        check_rates(&Scenario::every(5, 31, start_up(0.0, mb)), [Status::Pass; 3]);
    }
    check(
        "confirmed-100mb-60s",
        &Scenario::every(5, 31, start_up(0.0, 107.0)),
        "pass: memory gained 102 MiB in the 1 min up to 2026-01-05T00:01:00Z, 1 min after the start at 2026-01-05T00:00:00Z (the readings begin at 57.22 MiB and settle at 159.3 MiB; not counted, because memory has 15 min to settle after a start); otherwise it gained at most 0 B; 100 MB (95.37 MiB) is allowed",
    );
    let criterion = Scenario::every(5, 31, start_up(0.0, 107.0)).criterion("confirmed-100mb-60s");
    assert_eq!(criterion.spans.iter().map(|span| span.during).collect::<Vec<_>>(), [Some(During::StartUp)]);
}

#[test]
fn growth_for_14_minutes_after_a_start_fails_no_rate_though_an_alert_still_looks_back_on_it() {
    let warming = |minutes: f64| Scenario::every(5, 60, move |minute| 60e6 + 60e6 * minute.min(minutes));
    check_rates(&warming(14.0), [Status::Pass; 3]);
    check(
        "growth-100mb-5m",
        &warming(14.0),
        "pass: would have fired only for a rise that began with the start at 2026-01-05T00:00:00Z (the readings begin at 57.22 MiB and settle at 858.3 MiB; not counted, because memory has 15 min to settle after a start): growth over 5 min reached 286.1 MiB",
    );
    check(
        "rapid-50mb-per-min",
        &warming(14.0),
        "pass: memory climbed 57.2 MiB a minute over the 5 min up to 2026-01-05T00:04:00Z (median slope), 4 min after the start at 2026-01-05T00:00:00Z (the readings begin at 57.22 MiB and settle at 858.3 MiB; not counted, because memory has 15 min to settle after a start); otherwise it climbed at most 0 B a minute; 50 MB (47.68 MiB) a minute is allowed",
    );
    // 60 MB a minute that go on are a leak, whatever began before.
    check_rates(&warming(60.0), [Status::Fail, Status::Pass, Status::Fail]);
    check_rates(&warming(25.0), [Status::Fail, Status::Pass, Status::Fail]);
}

#[test]
fn the_same_growth_without_a_start_fails() {
    // From 200 MB: nothing says that the service has just started.
    check_rates(&Scenario::every(5, 60, pulse(20.0, 99.0, 700.0)), [Status::Pass, Status::Fail, Status::Fail]);
    let always = Scenario::every(5, 31, start_up(0.0, 107.0)).counting_starts();
    check_rates(&always, [Status::Pass, Status::Fail, Status::Pass]);
    let mut briefly = Scenario::every(5, 60, |minute| 60e6 + 60e6 * minute.min(14.0));
    briefly.settings.settle_seconds = Seconds::whole(120);
    check_rates(&briefly, [Status::Fail, Status::Pass, Status::Fail]);
}

#[test]
fn a_known_restart_is_a_start() {
    let late = || Scenario::every(5, 60, start_up(30.0, 700.0));
    check_rates(&late(), [Status::Fail; 3]);
    check_rates(&late().restarts(&[30]), [Status::Pass; 3]);
    // Long before, or afterwards, a restart explains nothing.
    check_rates(&late().restarts(&[2]), [Status::Fail; 3]);
    check_rates(&late().restarts(&[45]), [Status::Fail; 3]);
}

#[test]
fn a_leak_that_goes_on_past_the_settle_time_fires_from_there() {
    let leak = Scenario::every(15, 120, |minute| 60e6 + 40e6 * minute);
    check(
        "growth-100mb-5m",
        &leak,
        "fail: would have fired at 2026-01-05T00:10:00Z, at every evaluation offset (not counted before 2026-01-05T00:25:00Z: a start-up or a load): growth over 5 min reached 190.7 MiB; it fires when above 100 MB (95.37 MiB) for 5 min, and would have fired for 1 h 50 min",
    );
    assert_eq!(leak.criterion("growth-100mb-5m").spans[0].during, None);
}

#[test]
fn no_process_that_has_just_started_gives_a_level_to_come_back_to() {
    // 120 MB that stay after a load.
    let kept =
        |load_minute: i64| {
            Scenario::every(10, 90, pulse(load_minute as f64, 999.0, 120.0))
                .load(load_minute, load_minute + 20)
                .verdict("flat", TrendJudgement::NoLeak, Some(false))
        };
    let cold = kept(13).restarts(&[10]);
    check(
        "flat-after-load",
        &cold,
        "not-evaluable: the process started 3 min before the load: memory before the load is not a baseline (it settled at 305.2 MiB after the load, against 190.7 MiB before it and 305.2 MiB at its end); run a warm-up load first, wait 15 min, and take 5 readings or more before the load (see docs/ci-soak.md)",
    );
    assert_eq!(kept(40).restarts(&[10]).criterion("flat-after-load").status, Status::Fail);
    // One that comes back passes all the same, and one that grows fails.
    let back = Scenario { samples: Scenario::every(10, 90, |_| 200e6).samples, ..kept(13).restarts(&[10]) };
    assert_eq!(back.criterion("flat-after-load").status, Status::Pass);
    assert_eq!(
        cold.verdict("leak", TrendJudgement::Leak, Some(true)).criterion("flat-after-load").status,
        Status::Fail
    );

    let fresh = |load_minute: i64| Scenario {
        samples: Scenario::every(10, 90, move |minute| if minute < load_minute as f64 { 60e6 } else { 200e6 }).samples,
        ..kept(load_minute)
    };
    check(
        "flat-after-load",
        &fresh(3),
        "not-evaluable: the readings begin 3 min before the load, at 57.22 MiB, and settle at 190.7 MiB, like those of a process that has just started: memory before the load is not a baseline (it settled at 190.7 MiB after the load, against 57.22 MiB before it and 190.7 MiB at its end); run a warm-up load first, wait 15 min, and take 5 readings or more before the load (see docs/ci-soak.md)",
    );
    assert_eq!(fresh(25).criterion("flat-after-load").status, Status::Fail);
    // Events tell that it had run for long, or began a minute before the first reading.
    let known = |minute: i64| Scenario { started_ms: Some(START_MS + minute * MINUTE), ..fresh(3) };
    assert_eq!(known(-60).criterion("flat-after-load").status, Status::Fail);
    check(
        "flat-after-load",
        &known(-1),
        "not-evaluable: the process started 4 min before the load: memory before the load is not a baseline (it settled at 190.7 MiB after the load, against 57.22 MiB before it and 190.7 MiB at its end); run a warm-up load first, wait 15 min, and take 5 readings or more before the load (see docs/ci-soak.md)",
    );
}

/// Memory that a start took until it settled is no part of the level before the load.
#[test]
fn the_level_before_a_load_is_that_of_a_warm_process() {
    let warmed = Scenario::every(10, 90, |minute| if minute < 12.0 { 60e6 } else { 200e6 });
    let warmed = warmed.load(20, 40).verdict("flat", TrendJudgement::NoLeak, Some(false));
    check(
        "flat-after-load",
        &warmed,
        "pass: memory came back and does not grow: it settled at 190.7 MiB after the load, against 190.7 MiB before it and 190.7 MiB at its end; a rise of 19.07 MiB is allowed",
    );
}

/// Real Node services from a cold start, whole and at every length: a healthy one fails no rate.
#[test]
fn a_healthy_node_service_fails_no_rate_at_any_length() {
    let Some(path) = crate::common::shared("data/node/h1.csv") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<(i64, f64)> = text
        .lines()
        .map(|line| {
            let (seconds, mebibytes) = line.split_once(',').unwrap();
            let mebibytes: f64 = mebibytes.trim_end_matches("MiB").parse().unwrap();
            (seconds.parse::<i64>().unwrap() * 1000, mebibytes * 1_048_576.0)
        })
        .collect();
    for every in [1, 3] {
        for length in (4..=rows.len() / every).step_by(3).chain([rows.len() / every]) {
            let mut scenario = Scenario::every(5, 1, |_| 0.0);
            scenario.samples = Samples::default();
            for &(time_ms, bytes) in rows.iter().step_by(every).take(length) {
                scenario.samples.push(time_ms, bytes, 1.0, Marks::default());
            }
            for id in RATES {
                let criterion = scenario.criterion(id);
                assert_ne!(criterion.status, Status::Fail, "{length} of every {every}: {}", criterion.reason);
            }
        }
    }
}
