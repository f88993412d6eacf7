//! Alerts that are replayed: growth in five minutes, and how near memory is to its limit.

use super::*;

#[test]
fn growth_that_goes_on_fires() {
    check(
        "growth-100mb-5m",
        &Scenario::every(60, 120, ramp(60.0, 90.0, 30.0)),
        "fail: would have fired at 2026-01-05T01:09:00Z, at every evaluation offset: growth over 5 min reached 143.1 MiB; it fires when above 100 MB (95.37 MiB) for 5 min, and would have fired for 23 min",
    );
}

#[test]
fn slow_growth_never_fires() {
    check(
        "growth-100mb-5m",
        &Scenario::every(60, 120, ramp(10.0, 120.0, 5.0)),
        "pass: would not have fired: growth over 5 min was at most 23.84 MiB; 100 MB (95.37 MiB) is allowed",
    );
}

#[test]
fn a_single_jump_holds_for_its_offset_and_no_longer() {
    check(
        "growth-100mb-5m",
        &Scenario::every(60, 120, pulse(60.0, 200.0, 150.0)),
        "pass: would not have fired: growth over 5 min reached 143.1 MiB, but did not stay above 100 MB (95.37 MiB) for 5 min",
    );
}

#[test]
fn at_five_minutes_it_depends_on_the_phase() {
    check(
        "growth-100mb-5m",
        &Scenario::every(15, 30, ramp(10.0, 15.5, 40.0)).counting_starts(),
        "fail: would have fired at 2026-01-05T00:17:45Z, at 50 % of the evaluation offsets: growth over 5 min reached 190.7 MiB; it fires when above 100 MB (95.37 MiB) for 5 min, and would have fired for 30 s",
    );
}

#[test]
fn readings_every_15_minutes_cannot_decide_it() {
    check(
        "growth-100mb-5m",
        &Scenario::every(900, 1440, ramp(0.0, 1440.0, 1.0)),
        "not-evaluable: readings 15 min apart are too sparse for a rule that looks back 5 min: only 0 % of evaluations had both values (95 % is needed); measure at least every 4 min",
    );
}

#[test]
fn long_gaps_cannot_decide_it() {
    check(
        "growth-100mb-5m",
        &Scenario::every(60, 240, |_| 200e6).without(60, 120),
        "not-evaluable: the readings have gaps longer than 5 min: only 74 % of evaluations had both values (95 % is needed)",
    );
}

#[test]
fn too_short_readings_cannot_decide_it() {
    check(
        "growth-100mb-5m",
        &Scenario::every(10, 8, |_| 200e6),
        "not-evaluable: 8 min of readings is too short for a rule that needs 10 min to fire; measure 2 min longer",
    );
}

#[test]
fn a_single_reading_cannot_decide_it() {
    check(
        "growth-100mb-5m",
        &Scenario::every(10, 0, |_| 200e6),
        "not-evaluable: 0 s of readings is too short for a rule that needs 10 min to fire; measure 10 min longer",
    );
}

#[test]
fn growth_under_load_does_not_count() {
    check(
        "growth-100mb-5m",
        &Scenario::every(30, 120, ramp(30.0, 50.0, 30.0)).load(29, 52),
        "pass: would have fired only under the load, which is not counted: growth over 5 min reached 143.1 MiB",
    );
}

#[test]
fn growth_that_goes_on_after_the_load_counts() {
    check(
        "growth-100mb-5m",
        &Scenario::every(30, 120, ramp(30.0, 110.0, 30.0)).load(29, 52),
        "fail: would have fired at 2026-01-05T00:38:30.001Z, at every evaluation offset (not counted before 2026-01-05T01:02:00.001Z: a start-up or a load): growth over 5 min reached 143.1 MiB; it fires when above 100 MB (95.37 MiB) for 5 min, and would have fired for 1 h 14 min",
    );
}

#[test]
fn docker_stats_is_not_what_the_alert_reads() {
    check(
        "growth-100mb-5m",
        &Scenario { metric: Metric::DockerUsage, ..Scenario::every(30, 60, |_| 200e6) },
        "pass: would not have fired: growth over 5 min was at most 0 B; 100 MB (95.37 MiB) is allowed; replayed on usage without inactive file cache (docker stats), not on container_memory_usage_bytes",
    );
}

#[test]
fn values_in_steps_of_107_mb_cannot_decide_it() {
    check(
        "growth-100mb-5m",
        &Scenario::every(30, 60, |_| 150.0 * GIB).resolution(0.1 * GIB),
        "not-evaluable: the input prints this memory in steps of 102.4 MiB, too coarse for a threshold of 100 MB (95.37 MiB)",
    );
}

#[test]
fn growth_beyond_such_a_step_fires_all_the_same() {
    check(
        "growth-100mb-5m",
        &Scenario::every(30, 60, |minute| 150.0 * GIB + minute * 80e6).resolution(0.1 * GIB),
        "fail: would have fired at 2026-01-05T00:10:00Z, at every evaluation offset: growth over 5 min reached 381.5 MiB; it fires when above 100 MB (95.37 MiB) for 5 min, and would have fired for 50 min",
    );
}

#[test]
fn a_known_phase_is_the_only_one_tried() {
    check(
        "growth-100mb-5m",
        &Scenario {
            evaluation: EvaluationSettings { phase_seconds: Seconds::new(1.76), ..EvaluationSettings::default() },
            ..Scenario::every(60, 120, ramp(60.0, 90.0, 30.0))
        },
        "fail: would have fired at 2026-01-05T01:09:01.760Z: growth over 5 min reached 143.1 MiB; it fires when above 100 MB (95.37 MiB) for 5 min, and would have fired for 23 min",
    );
}

#[test]
fn a_range_query_at_15_s_is_replayed_at_its_own_points() {
    check(
        "growth-100mb-5m",
        &Scenario { sampling: Sampling::Step { inferred: true }, ..Scenario::every(15, 120, ramp(60.0, 90.0, 30.0)) },
        "fail: would have fired at 2026-01-05T01:08:30Z, at every evaluation offset: growth over 5 min reached 143.1 MiB; it fires when above 100 MB (95.37 MiB) for 5 min, and would have fired for 24 min; this is approximate, because the points come from a range query, not from scrapes",
    );
}

#[test]
fn a_range_query_at_2_minutes_misses_the_offset() {
    check(
        "growth-100mb-5m",
        &Scenario { sampling: Sampling::Step { inferred: true }, ..Scenario::every(120, 120, ramp(60.0, 90.0, 30.0)) },
        "not-evaluable: points 2 min apart do not fall on the times that the rule compares: only 0 % of evaluations had both values (95 % is needed)",
    );
}

#[test]
fn above_nine_tenths_of_the_limit_fires() {
    check(
        "high-memory",
        &Scenario::every(30, 60, |minute| 1.5e9 + minute * 1e7),
        "fail: would have fired at 2026-01-05T00:32:30Z, at every evaluation offset: memory reached 105 % of 2 GB (1.863 GiB); it fires when above 90 % for 2 min, and would have fired for 28 min",
    );
}

#[test]
fn below_nine_tenths_never_fires() {
    check(
        "high-memory",
        &Scenario::every(30, 60, |_| 1.8e9),
        "pass: would not have fired: memory was at most 90 % of 2 GB (1.863 GiB); 90 % is allowed",
    );
}

#[test]
fn an_unknown_limit_is_assumed() {
    check(
        "high-memory",
        &Scenario { limit_bytes: None, ..Scenario::every(30, 60, |_| 1e9) },
        "pass: would not have fired: memory was at most 50 % of 2 GB (1.863 GiB); 90 % is allowed (no limit is known; 2 GB (1.863 GiB) is assumed)",
    );
}

#[test]
fn a_limit_kept_above_after_the_load_counts() {
    check(
        "high-memory",
        &Scenario::every(30, 60, ramp(10.0, 20.0, 170.0)).load(5, 25),
        "fail: would have fired at 2026-01-05T00:21:30.001Z, at every evaluation offset (not counted before 2026-01-05T00:27:00.001Z: a start-up or a load): memory reached 95 % of 2 GB (1.863 GiB); it fires when above 90 % for 2 min, and would have fired for 38 min",
    );
}

#[test]
fn above_only_under_load_does_not_count() {
    check(
        "high-memory",
        &Scenario::every(30, 60, pulse(10.0, 20.0, 1700.0)).load(5, 25),
        "pass: would have fired only under the load, which is not counted: memory reached 95 % of 2 GB (1.863 GiB)",
    );
}

#[test]
fn fifteen_minutes_cannot_decide_a_level() {
    check(
        "high-memory",
        &Scenario::every(900, 1440, |_| 200e6),
        "not-evaluable: readings 15 min apart are too sparse for a rule that looks back 5 min: only 33 % of evaluations had a value (95 % is needed); measure at least every 4 min",
    );
}

/// An alert resolves after each reading where the next is further away than it looks back, and fires again at the next.
#[test]
fn firings_without_a_reading_between_them_are_one() {
    // Above but for two hours of eight, in which there are readings that say so.
    let sparse = Scenario::every(900, 480, |minute| if (180.0..300.0).contains(&minute) { 1e9 } else { 1.9e9 });
    check(
        "high-memory",
        &sparse,
        "fail: would have fired at 2026-01-05T00:02:00Z, at every evaluation offset: memory reached 95 % of 2 GB (1.863 GiB); it fires when above 90 % for 2 min, and would have fired 2 times, for 5 h 46 min in all",
    );
}
