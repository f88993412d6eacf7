//! What memory gains in a minute, and how fast it climbs.

use super::*;

#[test]
fn a_gain_that_stays_is_confirmed() {
    check(
        "confirmed-100mb-60s",
        &Scenario::every(10, 30, pulse(10.0, 99.0, 150.0)),
        "fail: memory gained 143.1 MiB, more than the allowed 100 MB (95.37 MiB), in the 1 min up to 2026-01-05T00:10:00Z, and kept more than 50 % of it for 5 min",
    );
}

#[test]
fn an_upload_that_is_released_is_not() {
    check(
        "confirmed-100mb-60s",
        &Scenario::every(10, 30, pulse(10.0, 10.5, 150.0)),
        "pass: memory gained at most 143.1 MiB within 1 min, but did not keep it; 100 MB (95.37 MiB) is allowed",
    );
}

#[test]
fn a_slow_ramp_gains_little_in_a_minute() {
    check(
        "confirmed-100mb-60s",
        &Scenario::every(10, 60, ramp(10.0, 40.0, 50.0)),
        "pass: memory gained at most 47.68 MiB within 1 min; 100 MB (95.37 MiB) is allowed",
    );
}

#[test]
fn a_gain_at_the_end_is_undecided() {
    check(
        "confirmed-100mb-60s",
        &Scenario::every(10, 30, pulse(28.0, 99.0, 150.0)),
        "not-evaluable: memory gained 143.1 MiB within 1 min but was read for only 2 min after that; 5 min is needed to see whether it stays",
    );
}

#[test]
fn readings_a_minute_apart_cannot_decide_a_gain() {
    check(
        "confirmed-100mb-60s",
        &Scenario::every(60, 60, pulse(10.0, 99.0, 150.0)),
        "not-evaluable: readings 1 min apart cannot show a gain within 1 min, or whether it stays; measure at least every 30 s",
    );
}

#[test]
fn a_gain_under_load_is_left_out() {
    check(
        "confirmed-100mb-60s",
        &Scenario::every(10, 60, pulse(10.0, 30.0, 150.0)).load(9, 31),
        "pass: memory gained at most 0 B within 1 min; 100 MB (95.37 MiB) is allowed (the load is left out)",
    );
}

#[test]
fn coarse_values_cannot_decide_a_gain() {
    check(
        "confirmed-100mb-60s",
        &Scenario::every(10, 30, |_| 150.0 * GIB).resolution(0.1 * GIB),
        "not-evaluable: the input prints this memory in steps of 102.4 MiB, too coarse for a threshold of 100 MB (95.37 MiB)",
    );
}

#[test]
fn five_minutes_are_too_short_for_a_gain() {
    check(
        "confirmed-100mb-60s",
        &Scenario::every(10, 5, |_| 200e6),
        "not-evaluable: 5 min of readings is too short to show a gain and whether it stays; 6 min is needed",
    );
}

#[test]
fn a_fast_climb_fails() {
    check(
        "rapid-50mb-per-min",
        &Scenario::every(15, 60, ramp(20.0, 30.0, 60.0)),
        "fail: memory climbed 57.2 MiB a minute over the 5 min up to 2026-01-05T00:23:45Z (median slope); 50 MB (47.68 MiB) a minute is allowed",
    );
}

#[test]
fn a_slower_climb_passes() {
    check(
        "rapid-50mb-per-min",
        &Scenario::every(15, 60, ramp(20.0, 30.0, 45.0)),
        "pass: memory climbed at most 42.9 MiB a minute (median slope of 5 min); 50 MB (47.68 MiB) a minute is allowed",
    );
}

#[test]
fn one_jump_is_no_climb() {
    check(
        "rapid-50mb-per-min",
        &Scenario::every(15, 60, pulse(20.0, 99.0, 200.0)),
        "pass: memory climbed at most 42.4 MiB a minute (median slope of 5 min); 50 MB (47.68 MiB) a minute is allowed",
    );
}

/// 400 MB in one step are as much as 80 MB a minute over the five minutes around it.
#[test]
fn one_jump_beyond_what_the_window_allows_is_a_climb() {
    check(
        "rapid-50mb-per-min",
        &Scenario::every(15, 60, pulse(20.0, 99.0, 400.0)),
        "fail: memory climbed 84.8 MiB a minute over the 5 min up to 2026-01-05T00:22:15Z (median slope); 50 MB (47.68 MiB) a minute is allowed",
    );
}

#[test]
fn fifteen_minutes_apart_only_a_lower_bound_is_known() {
    check(
        "rapid-50mb-per-min",
        &Scenario::every(900, 600, ramp(60.0, 70.0, 60.0)),
        "not-evaluable: readings 15 min apart give no slope over 5 min (5 readings are needed): only a lower bound of 38.1 MiB a minute is known; measure at least every 1 min",
    );
}

#[test]
fn fifteen_minutes_apart_a_lower_bound_can_be_enough() {
    check(
        "rapid-50mb-per-min",
        &Scenario::every(900, 600, ramp(60.0, 100.0, 60.0)),
        "fail: memory climbed at least 57.2 MiB a minute until 2026-01-05T01:15:00Z (on average between readings 15 min apart); 50 MB (47.68 MiB) a minute is allowed",
    );
}

#[test]
fn two_minutes_are_too_short_for_a_slope() {
    check("rapid-50mb-per-min", &Scenario::every(15, 2, |_| 200e6), "not-evaluable: the readings span less than 5 min");
}

#[test]
fn a_climb_under_load_is_left_out() {
    check(
        "rapid-50mb-per-min",
        &Scenario::every(15, 60, ramp(20.0, 30.0, 60.0)).load(19, 31),
        "pass: memory climbed at most 0 B a minute (median slope of 5 min); 50 MB (47.68 MiB) a minute is allowed (the load is left out)",
    );
}
/// The monotonic queue against all pairs.
#[test]
fn the_largest_gain_is_that_of_all_pairs_within_the_time() {
    let mut random = Random::seeded(11);
    for case in 0..100 {
        let mut scenario = Scenario::every(10, 20, |_| 0.0);
        for index in 0..scenario.samples.len() {
            scenario.samples.used_bytes[index] = random.below(90) as f64 * 1e6;
            scenario.samples.time_ms[index] += random.below(10_000);
        }
        let (times, bytes) = (&scenario.samples.time_ms, &scenario.samples.used_bytes);
        let gains = (0..times.len()).flat_map(|end| {
            let starts = (0..end).filter(move |start| times[end] - times[*start] <= MINUTE);
            starts.map(move |start| bytes[end] - bytes[start])
        });
        let largest = gains.max_by(f64::total_cmp);
        assert_eq!(scenario.criterion("confirmed-100mb-60s").value, largest, "case {case}");
    }
}
