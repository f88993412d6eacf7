//! The runbook's criteria: for each the readings that pass, fail and cannot decide it, with the sentence it says.

use crate::common::Random;
use leaktrend::criteria::alert_rule::Lookback;
use leaktrend::criteria::{
    Context, Criterion, Drops, During, KnownRestart, LoadWindow, Status, TrendJudgement, VerdictSummary, evaluate,
};
use leaktrend::segment::Cause;
use leaktrend::series::{Labels, Marks, MemorySeries, Metric, Resolutions, Samples, Sampling, SeriesInfo};
use leaktrend::settings::{CriteriaSettings, EvaluationSettings};
use leaktrend::units::{GIB, Seconds};

/// 2026-01-05T00:00:00Z.
const START_MS: i64 = 1_767_571_200_000;
const MINUTE: i64 = 60_000;

/// Readings and what is known beside them.
struct Scenario {
    samples: Samples,
    metric: Metric,
    sampling: Sampling,
    settings: CriteriaSettings,
    evaluation: EvaluationSettings,
    load: Option<LoadWindow>,
    limit_bytes: Option<f64>,
    verdict: VerdictSummary<'static>,
    started_ms: Option<i64>,
    restarts: Vec<KnownRestart>,
    watched_share: f64,
}

impl Scenario {
    /// A reading every `step_seconds` for `minutes`, both ends included, in bytes as a function of minutes.
    fn every(step_seconds: i64, minutes: i64, bytes: impl Fn(f64) -> f64) -> Scenario {
        let mut samples = Samples::default();
        for index in 0..=minutes * 60 / step_seconds {
            let seconds = index * step_seconds;
            samples.push(START_MS + seconds * 1000, bytes(seconds as f64 / 60.0), 1.0, Marks::default());
        }
        Scenario {
            samples,
            metric: Metric::UsageBytes,
            sampling: Sampling::Raw,
            settings: CriteriaSettings::default(),
            evaluation: EvaluationSettings::default(),
            load: None,
            limit_bytes: Some(2e9),
            verdict: VerdictSummary {
                name: "flat",
                judgement: TrendJudgement::NoLeak,
                reason: "the slope is within 1 MiB a day",
                grows_after_load: None,
                onset_ms: None,
            },
            started_ms: None,
            restarts: Vec::new(),
            watched_share: 0.0,
        }
    }

    /// With what happens after a start counted: these readings begin below half of what they come to.
    fn counting_starts(mut self) -> Scenario {
        self.settings.settle_seconds = Seconds::whole(0);
        self
    }

    /// With events that cover a share of the time.
    fn watched(mut self, share: f64) -> Scenario {
        self.watched_share = share;
        self
    }

    /// With a load from one minute to another.
    fn load(mut self, from_minute: i64, to_minute: i64) -> Scenario {
        self.load =
            Some(LoadWindow { start_ms: START_MS + from_minute * MINUTE, end_ms: START_MS + to_minute * MINUTE });
        self
    }

    /// With restarts at these minutes.
    fn restarts(mut self, minutes: &[i64]) -> Scenario {
        self.restarts = minutes
            .iter()
            .map(|minute| KnownRestart { at_ms: START_MS + minute * MINUTE, cause: Cause::Oom, recorded: true })
            .collect();
        self
    }

    fn verdict(mut self, name: &'static str, judgement: TrendJudgement, grows_after_load: Option<bool>) -> Scenario {
        self.verdict = VerdictSummary { name, judgement, grows_after_load, ..self.verdict };
        self
    }

    fn resolution(mut self, bytes: f64) -> Scenario {
        self.samples.resolution_bytes = Resolutions::same(bytes as f32, self.samples.len());
        self
    }

    fn without(mut self, from_minute: i64, to_minute: i64) -> Scenario {
        let mut kept = Samples::default();
        for index in 0..self.samples.len() {
            let time_ms = self.samples.time_ms[index];
            if time_ms <= START_MS + from_minute * MINUTE || START_MS + to_minute * MINUTE <= time_ms {
                kept.push(time_ms, self.samples.used_bytes[index], 1.0, Marks::default());
            }
        }
        self.samples = kept;
        self
    }

    fn evaluate(&self) -> Vec<Criterion> {
        let info = SeriesInfo {
            id: "api".to_owned(),
            labels: Labels::new(),
            limit: None,
            metric: self.metric,
            container_given: true,
            sampling: self.sampling,
        };
        let series = MemorySeries::new(info, self.samples.clone()).unwrap();
        let context = Context {
            settings: &self.settings,
            evaluation: &self.evaluation,
            lookback: Lookback::prometheus_3(self.evaluation.lookback_seconds.as_ms()),
            load: self.load,
            limit_bytes: self.limit_bytes,
            assumed_limit: None,
            verdict: self.verdict,
            started_ms: self.started_ms,
            restarts: &self.restarts,
            drops: Drops::Restarts,
            watched_share: self.watched_share,
            freshness: None,
        };
        evaluate(&series, &context)
    }

    fn criterion(&self, id: &str) -> Criterion {
        self.evaluate().into_iter().find(|criterion| criterion.id == id).unwrap()
    }
}

#[track_caller]
fn check(id: &str, scenario: &Scenario, expected: &str) {
    let criterion = scenario.criterion(id);
    let status = match criterion.status {
        Status::Pass => "pass",
        Status::Fail => "fail",
        Status::NotEvaluable => "not-evaluable",
        Status::NotApplicable => "not-applicable",
    };
    assert_eq!(format!("{status}: {}", criterion.reason), expected);
}

/// Flat, but grows by `mb_per_minute` from one minute to another and stays there.
fn ramp(from: f64, to: f64, mb_per_minute: f64) -> impl Fn(f64) -> f64 {
    move |minute| 200e6 + (minute.clamp(from, to) - from) * mb_per_minute * 1e6
}

/// Higher by `mb` from one minute to another.
fn pulse(from: f64, to: f64, mb: f64) -> impl Fn(f64) -> f64 {
    move |minute| if from <= minute && minute < to { 200e6 + mb * 1e6 } else { 200e6 }
}

#[test]
fn growth_that_goes_on_fires() {
    check(
        "growth-100mb-5m",
        &Scenario::every(60, 120, ramp(60.0, 90.0, 30.0)),
        "fail: would have fired at 2026-01-05T01:09:00Z, at every evaluation offset: growth over 5 min reached 143.1 MiB, and was above 100 MB (95.37 MiB) for 5 min; it would have fired for 23 min",
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
        "fail: would have fired at 2026-01-05T00:17:45Z, at 50 % of the evaluation offsets: growth over 5 min reached 190.7 MiB, and was above 100 MB (95.37 MiB) for 5 min; it would have fired for 30 s",
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
        "fail: would have fired at 2026-01-05T00:38:30.001Z, at every evaluation offset (counted only from 2026-01-05T01:02:00.001Z on: earlier it saw a start-up or a load): growth over 5 min reached 143.1 MiB, and was above 100 MB (95.37 MiB) for 5 min; it would have fired for 1 h 14 min",
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
        "fail: would have fired at 2026-01-05T00:10:00Z, at every evaluation offset: growth over 5 min reached 381.5 MiB, and was above 100 MB (95.37 MiB) for 5 min; it would have fired for 50 min",
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
        "fail: would have fired at 2026-01-05T01:09:01.760Z: growth over 5 min reached 143.1 MiB, and was above 100 MB (95.37 MiB) for 5 min; it would have fired for 23 min",
    );
}

#[test]
fn a_range_query_at_15_s_is_replayed_at_its_own_points() {
    check(
        "growth-100mb-5m",
        &Scenario { sampling: Sampling::Step { inferred: true }, ..Scenario::every(15, 120, ramp(60.0, 90.0, 30.0)) },
        "fail: would have fired at 2026-01-05T01:08:30Z, at every evaluation offset: growth over 5 min reached 143.1 MiB, and was above 100 MB (95.37 MiB) for 5 min; it would have fired for 24 min; this is approximate, because the points come from a range query, not from scrapes",
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
        "fail: would have fired at 2026-01-05T00:32:30Z, at every evaluation offset: memory reached 105 % of 2 GB (1.863 GiB), and was above 90 % for 2 min; it would have fired for 28 min",
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
        "fail: would have fired at 2026-01-05T00:21:30.001Z, at every evaluation offset (counted only from 2026-01-05T00:27:00.001Z on: earlier it saw a start-up or a load): memory reached 95 % of 2 GB (1.863 GiB), and was above 90 % for 2 min; it would have fired for 38 min",
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
        "not-evaluable: readings 1 min apart cannot show a gain within 1 min and whether it stays; measure at least every 30 s",
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
        "fail: memory climbed at least 57.2 MiB a minute up to 2026-01-05T01:15:00Z (on average between readings 15 min apart); 50 MB (47.68 MiB) a minute is allowed",
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
        "pass: memory came back and does not grow: it settled at 190.7 MiB after the load, against 190.7 MiB before it and 333.8 MiB at its end; 19.07 MiB more is allowed",
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
        "fail: memory stays 143.1 MiB higher: it settled at 333.8 MiB after the load, against 190.7 MiB before it and 333.8 MiB at its end; 19.07 MiB more is allowed",
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
        "not-evaluable: memory came back, but it is not known whether it grows after the load: it settled at 190.7 MiB after the load, against 190.7 MiB before it and 333.8 MiB at its end; the slope is within 1 MiB a day",
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
        "not-evaluable: there are no readings from 1 min to 6 min after a restart and before the next one (1 restart seen)",
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
        "not-evaluable: there are no readings from 10 min to 15 min after a restart and before the next one (2 restarts seen)",
    );
}

#[test]
fn all_ten_are_given_in_the_order_of_the_contract() {
    let criteria = Scenario::every(60, 60, |_| 200e6).evaluate();
    let ids: Vec<&str> = criteria.iter().map(|criterion| &*criterion.id).collect();
    let expected = [
        "growth-100mb-5m",
        "high-memory",
        "confirmed-100mb-60s",
        "rapid-50mb-per-min",
        "flat-after-load",
        "trend-24h",
        "restart-loop",
        "baseline-300mb",
        "steady-500mb",
        "stale-data",
    ];
    assert_eq!(ids, expected);
}

#[test]
fn a_replay_says_its_numbers_beside_the_sentence() {
    let criterion = Scenario::every(15, 30, ramp(10.0, 15.5, 40.0)).counting_starts().criterion("growth-100mb-5m");
    assert_eq!(criterion.unit, Some("bytes"));
    assert_eq!(criterion.threshold, Some(1e8));
    assert_eq!(criterion.value, Some(2e8));
    assert_eq!(criterion.evaluable_share, Some(1.0));
    let phases = criterion.phases.unwrap();
    assert_eq!(phases.fired_share, 0.5);
    // The condition holds from 12:45 to 18:00: firing 5 min after an evaluation in its first 15 s.
    let pending_ms = START_MS + 12 * MINUTE + 45_000;
    assert_eq!(phases.earliest_firing_at_ms, Some(pending_ms + 300_000));
    assert_eq!(phases.latest_firing_at_ms, Some(pending_ms + 300_000 + 14_999));
    assert_eq!(criterion.spans.len(), 1);
    assert_eq!(criterion.spans[0].pending_at_ms, pending_ms);
    assert_eq!(criterion.spans[0].firing_at_ms, Some(pending_ms + 300_000));
    assert_eq!(criterion.spans[0].resolved_at_ms, Some(pending_ms + 330_000));
}

#[test]
fn a_span_under_load_is_shown_as_such() {
    let scenario = Scenario::every(30, 120, ramp(30.0, 50.0, 30.0)).load(29, 52);
    let criterion = scenario.criterion("growth-100mb-5m");
    assert_eq!(criterion.spans.len(), 1);
    assert!(criterion.spans[0].during == Some(During::Load) && criterion.spans[0].firing_at_ms.is_some());
    assert_eq!(criterion.phases.unwrap().fired_share, 0.0);
}

/// No series, however odd, makes a criterion panic, claim a share beyond 0 to 1, or stay silent.
#[test]
fn any_series_gives_ten_sentences() {
    let mut random = Random::seeded(7);
    for case in 0..400 {
        let step_seconds = random.pick(&[1, 10, 15, 60, 300, 302, 900, 3600]);
        let mut scenario = Scenario::every(step_seconds, random.below(300), |_| 0.0);
        let scale = random.pick(&[1e6, 1e9, 2e11]);
        for index in 0..scenario.samples.len() {
            scenario.samples.used_bytes[index] = random.below(1000) as f64 * scale / 1000.0;
            scenario.samples.time_ms[index] += random.below(900);
        }
        if random.once_in(2) {
            let from = random.below(300);
            scenario = scenario.load(from, from + random.below(200));
        }
        if random.once_in(3) {
            scenario.sampling = Sampling::Step { inferred: true };
        }
        let restarts: Vec<i64> = (0..random.below(6)).map(|_| random.below(300)).collect();
        for criterion in scenario.restarts(&restarts).evaluate() {
            let reason = criterion.reason.to_string();
            assert!(!reason.is_empty() && !reason.contains("NaN"), "{case}: {criterion:?}");
            let shares = [criterion.evaluable_share, criterion.phases.map(|phases| phases.fired_share)];
            for share in shares.into_iter().flatten() {
                assert!(0.0 <= share && share <= 1.0, "{case}: {criterion:?}");
            }
            assert!(criterion.spans.iter().all(|span| span.firing_at_ms.is_none_or(|time| span.pending_at_ms <= time)));
            assert!(criterion.status != Status::Fail || !criterion.spans.is_empty() || criterion.id == "trend-24h");
        }
    }
}

/// Two services of a real run under the same load: one gives its memory back, one keeps 144 MiB.
#[test]
fn a_recorded_load_is_told_from_a_recorded_leak_under_load() {
    let Some(path) = crate::common::shared("data/capture/prometheus-raw.json") else { return };
    let answer: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (container, expected) in [("soak-ok", Status::Pass), ("soak-leak", Status::Fail)] {
        let results = answer["data"]["result"].as_array().unwrap();
        let series = results.iter().find(|series| series["metric"]["container"] == container).unwrap();
        let mut scenario = Scenario::every(60, 1, |_| 0.0).verdict("flat", TrendJudgement::NoLeak, Some(false));
        scenario.load = Some(LoadWindow { start_ms: 1_795_465_479_000, end_ms: 1_795_467_279_000 });
        scenario.samples = Samples::default();
        for point in series["values"].as_array().unwrap() {
            let time_ms = (point[0].as_f64().unwrap() * 1000.0).round() as i64;
            scenario.samples.push(time_ms, point[1].as_str().unwrap().parse().unwrap(), 1.0, Marks::default());
        }
        assert_eq!(scenario.criterion("flat-after-load").status, expected, "{container}");
        assert_eq!(scenario.criterion("growth-100mb-5m").status, Status::Pass, "{container}");
    }
}

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
        "fail: would have fired at 2026-01-05T00:10:00Z, at every evaluation offset (counted only from 2026-01-05T00:25:00Z on: earlier it saw a start-up or a load): growth over 5 min reached 190.7 MiB, and was above 100 MB (95.37 MiB) for 5 min; it would have fired for 1 h 50 min",
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
        "not-evaluable: the readings begin 3 min before the load at 57.22 MiB and settle at 190.7 MiB, like those of a process that has just started: memory before the load is not a baseline (it settled at 190.7 MiB after the load, against 57.22 MiB before it and 190.7 MiB at its end); run a warm-up load first, wait 15 min, and take 5 readings or more before the load (see docs/ci-soak.md)",
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
        "pass: memory came back and does not grow: it settled at 190.7 MiB after the load, against 190.7 MiB before it and 190.7 MiB at its end; 19.07 MiB more is allowed",
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
