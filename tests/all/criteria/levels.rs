//! Levels after a load and after restarts, the trend of a day, and restarts that follow each other.

use super::*;

#[test]
fn without_a_load_there_is_nothing_after_it() {
    check(
        "flat-after-load",
        &Scenario::every(10, 60, |_| 200e6),
        "not-applicable: needs the start and end of a load (`--load START..END`)",
    );
}

#[test]
fn back_to_the_level_before_passes() {
    check(
        "flat-after-load",
        &Scenario::every(10, 60, pulse(10.0, 30.0, 150.0)).load(10, 30).verdict(
            "flat",
            TrendJudgement::NoLeak,
            Some(false),
        ),
        "pass: memory came back and does not grow: it settled at 190.7 MiB after the load, against 190.7 MiB before it and 333.8 MiB at its end; a rise of 19.07 MiB is allowed",
    );
}

#[test]
fn a_level_that_stays_up_fails() {
    check(
        "flat-after-load",
        &Scenario::every(10, 60, pulse(10.0, 99.0, 150.0)).load(10, 30).verdict(
            "flat",
            TrendJudgement::NoLeak,
            Some(false),
        ),
        "fail: memory stays 143.1 MiB higher: it settled at 333.8 MiB after the load, against 190.7 MiB before it and 333.8 MiB at its end; a rise of 19.07 MiB is allowed",
    );
}

#[test]
fn growth_after_the_load_fails() {
    check(
        "flat-after-load",
        &Scenario::every(10, 60, pulse(10.0, 30.0, 150.0)).load(10, 30).verdict(
            "leak",
            TrendJudgement::Leak,
            Some(true),
        ),
        "fail: memory grows after the load, though not yet above what is allowed: it settled at 190.7 MiB after the load, against 190.7 MiB before it and 333.8 MiB at its end",
    );
}

#[test]
fn unsettled_growth_after_the_load_is_undecided() {
    check(
        "flat-after-load",
        &Scenario::every(10, 60, pulse(10.0, 30.0, 150.0)).load(10, 30),
        "not-evaluable: memory came back, but it is not known whether it grows after the load: it settled at 190.7 MiB after the load, against 190.7 MiB before it and 333.8 MiB at its end; a rise of 19.07 MiB is allowed; the slope is within 1 MiB a day",
    );
}

#[test]
fn too_little_before_the_load_gives_no_baseline() {
    check(
        "flat-after-load",
        &Scenario::every(60, 60, |_| 200e6).load(2, 30),
        "not-evaluable: only 2 readings before the load: too few for a baseline; 5 are needed, so start measuring 5 min before the load",
    );
}

#[test]
fn too_little_after_the_load_says_how_long_to_wait() {
    check(
        "flat-after-load",
        &Scenario::every(60, 34, |_| 200e6).load(10, 30),
        "not-evaluable: only 2 readings in the last 25 % of the 4 min after the load: too few for a settled level; 5 are needed, so wait 20 min after the load, 16 min longer",
    );
}

#[test]
fn a_flat_day_passes() {
    check(
        "trend-24h",
        &Scenario::every(300, 1440, |_| 200e6),
        "pass: the verdict over 1 d is flat: the slope is within 1 MiB a day",
    );
}

#[test]
fn a_leak_over_a_day_fails() {
    check(
        "trend-24h",
        &Scenario::every(300, 1440, |_| 200e6).verdict("leak", TrendJudgement::Leak, None),
        "fail: the verdict over 1 d is leak: the slope is within 1 MiB a day",
    );
}

#[test]
fn an_inconclusive_day_is_undecided() {
    check(
        "trend-24h",
        &Scenario::every(300, 1440, |_| 200e6).verdict("inconclusive", TrendJudgement::Inconclusive, None),
        "not-evaluable: the verdict over 1 d is inconclusive: the slope is within 1 MiB a day",
    );
}

#[test]
fn six_hours_are_no_day() {
    check(
        "trend-24h",
        &Scenario::every(300, 360, |_| 200e6).verdict("leak", TrendJudgement::Leak, None),
        "not-evaluable: it needs 20 h of readings, but has only 6 h",
    );
}

#[test]
fn three_oom_kills_in_an_hour_are_a_loop() {
    check(
        "restart-loop",
        &Scenario::every(60, 240, |_| 200e6).restarts(&[130, 10, 150, 142]),
        "fail: 3 restarts within 20 min from 2026-01-05T02:10:00Z (all 3 OOM-killed); fewer than 3 within 1 h are allowed",
    );
}

#[test]
fn two_are_none() {
    check(
        "restart-loop",
        &Scenario::every(60, 240, |_| 200e6).restarts(&[10, 20, 100]),
        "pass: at most 2 restarts within 1 h; fewer than 3 are allowed",
    );
}

#[test]
fn no_restart_passes() {
    check("restart-loop", &Scenario::every(60, 240, |_| 200e6), "pass: no restart was seen; fewer than 3 are allowed");
}

#[test]
fn half_an_hour_apart_a_loop_is_not_seen() {
    check(
        "restart-loop",
        &Scenario::every(1800, 1440, |_| 200e6).restarts(&[30]),
        "not-evaluable: readings 30 min apart cannot show 3 restarts within 1 h; measure at least every 20 min, or pass events that cover the whole time",
    );
}

#[test]
fn events_show_at_any_spacing_what_happened_while_they_were_recorded() {
    let coarse = || Scenario::every(1800, 1440, |_| 200e6);
    check(
        "restart-loop",
        &coarse().restarts(&[30]).watched(0.95),
        "pass: at most 1 restart within 1 h, in events that cover 95 % of the time; fewer than 3 are allowed",
    );
    check(
        "restart-loop",
        &coarse().watched(0.4),
        "not-evaluable: readings 30 min apart cannot show 3 restarts within 1 h, and events cover only 40 % of the time (90 % is needed); measure at least every 20 min, or pass events that cover the whole time",
    );
    check(
        "restart-loop",
        &coarse().restarts(&[30, 31, 32]).watched(0.4),
        "fail: 3 restarts within 2 min from 2026-01-05T00:30:00Z (all 3 OOM-killed); fewer than 3 within 1 h are allowed",
    );
}

#[test]
fn a_day_that_fails_says_since_when() {
    let mut leaking = Scenario::every(300, 1440, |_| 200e6).verdict("leak", TrendJudgement::Leak, None);
    leaking.verdict.onset_ms = Some(START_MS + 300 * MINUTE);
    let spans = leaking.criterion("trend-24h").spans;
    assert_eq!((spans.len(), spans[0].pending_at_ms, spans[0].resolved_at_ms), (1, START_MS + 300 * MINUTE, None));
}

#[test]
fn windows_and_shares_are_settings() {
    let load = || Scenario::every(60, 34, |_| 200e6).load(10, 30).verdict("flat", TrendJudgement::NoLeak, Some(false));
    let mut few = load();
    few.settings.flat_after_load.min_readings = 2;
    assert_eq!(few.criterion("flat-after-load").status, Status::Pass);

    let mut strict = Scenario::every(10, 60, pulse(10.0, 99.0, 15.0)).load(10, 30);
    strict = strict.verdict("flat", TrendJudgement::NoLeak, Some(false));
    assert_eq!(strict.criterion("flat-after-load").status, Status::Pass);
    strict.settings.flat_after_load.rise_share = serde_json::from_str("0.05").unwrap();
    assert_eq!(strict.criterion("flat-after-load").status, Status::Fail);

    let mut late = Scenario::every(10, 60, pulse(10.0, 22.0, 400.0)).restarts(&[10]);
    assert_eq!(late.criterion("steady-500mb").status, Status::Fail);
    late.settings.steady.steady_share = serde_json::from_str("0.1").unwrap();
    assert_eq!(late.criterion("steady-500mb").status, Status::Pass);

    let mut watched = Scenario::every(1800, 1440, |_| 200e6).watched(0.95);
    watched.settings.restart_loop.min_watched_share = serde_json::from_str("0.99").unwrap();
    assert_eq!(watched.criterion("restart-loop").status, Status::NotEvaluable);

    // Readings every minute, for a tenth of the time.
    let mut gappy = Scenario::every(60, 600, |_| 200e6).without(60, 540);
    gappy.settings.rapid.min_decided_share = serde_json::from_str("0.9").unwrap();
    assert_eq!(gappy.criterion("rapid-50mb-per-min").status, Status::NotEvaluable);
    gappy.settings.rapid.min_decided_share = serde_json::from_str("0.1").unwrap();
    assert_eq!(gappy.criterion("rapid-50mb-per-min").status, Status::Pass);
}

#[test]
fn no_restart_has_no_baseline() {
    check("baseline-300mb", &Scenario::every(10, 60, |_| 200e6), "not-applicable: no restart was seen");
}

#[test]
fn settled_below_300_mb_passes() {
    check(
        "baseline-300mb",
        &Scenario::every(10, 60, |_| 200e6).restarts(&[10, 30]),
        "pass: memory was 190.7 MiB (median) from 1 min to 6 min after the restart at 2026-01-05T00:30:00Z, the highest of 2 restarts; below 300 MB (286.1 MiB) is expected",
    );
}

#[test]
fn settled_above_300_mb_fails() {
    check(
        "baseline-300mb",
        &Scenario::every(10, 60, pulse(30.0, 99.0, 150.0)).restarts(&[10, 30]),
        "fail: memory was 333.8 MiB (median) from 1 min to 6 min after the restart at 2026-01-05T00:30:00Z, the highest of 2 restarts; below 300 MB (286.1 MiB) is expected",
    );
}

#[test]
fn nothing_read_after_the_restart_is_undecided() {
    check(
        "baseline-300mb",
        &Scenario::every(900, 60, |_| 200e6).restarts(&[15]),
        "not-evaluable: no run has readings from 1 min to 6 min after its restart (1 restart seen)",
    );
}

#[test]
fn steady_below_500_mb_passes() {
    check(
        "steady-500mb",
        &Scenario::every(10, 60, ramp(10.0, 12.0, 100.0)).restarts(&[10]),
        "pass: memory was 381.5 MiB (highest reading) from 10 min to 15 min after the restart at 2026-01-05T00:10:00Z; below 500 MB (476.8 MiB) is expected",
    );
}

#[test]
fn climbing_beyond_500_mb_fails() {
    check(
        "steady-500mb",
        &Scenario::every(10, 60, ramp(10.0, 60.0, 25.0)).restarts(&[10]),
        "fail: memory was 548.4 MiB (highest reading) from 10 min to 15 min after the restart at 2026-01-05T00:10:00Z; below 500 MB (476.8 MiB) is expected",
    );
}

#[test]
fn restarted_before_it_could_be_steady_is_undecided() {
    check(
        "steady-500mb",
        &Scenario::every(10, 60, |_| 200e6).restarts(&[40, 50]),
        "not-evaluable: no run has readings from 10 min to 15 min after its restart (2 restarts seen)",
    );
}
