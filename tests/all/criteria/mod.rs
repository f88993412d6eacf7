//! The runbook's criteria: for each the readings that pass, fail and cannot decide it, with the sentence it says.

mod alerts;
mod levels;
mod rates;
mod starts;

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
