//! Alerts that a real Prometheus 2.42 recorded, replayed from the readings it had scraped.

use std::collections::BTreeMap;

use leaktrend::criteria::alert_rule::{Exempt, Lookback, Replay, Rule, RuleReadings};
use serde_json::Value;

/// The rules of that server ran at 1.760 s after every multiple of 30 s.
const INTERVAL_MS: i64 = 30_000;
const PHASE_MS: i64 = 1760;

/// State (`pending`, `firing`) by evaluation time.
type States = BTreeMap<i64, &'static str>;

/// A series of an answer: labels, and values by time in milliseconds.
type Series = (BTreeMap<String, String>, Vec<(i64, f64)>);

fn rules() -> [(&'static str, Rule); 3] {
    [
        ("MemoryLeakDetected", Rule::growth(1e8, 300_000, 300_000)),
        ("HighMemoryUsage", Rule::level(2e9, 0.9, 120_000)),
        ("HighMemorySmall", Rule::level(268_435_456.0, 0.9, 120_000)),
    ]
}

/// The series of an answer; `None` where the shared data is absent.
fn answer(name: &str) -> Option<Vec<Series>> {
    let text = std::fs::read_to_string(crate::common::shared(&format!("data/capture/{name}"))?).unwrap();
    let answer: Value = serde_json::from_str(&text).unwrap();
    let series = answer["data"]["result"].as_array().unwrap().iter().map(|series| {
        let labels = series["metric"].as_object().unwrap();
        let labels = labels.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        let values = series["values"].as_array().unwrap().iter().map(|point| {
            let time_ms = (point[0].as_f64().unwrap() * 1000.0).round() as i64;
            (time_ms, point[1].as_str().unwrap().parse().unwrap())
        });
        (labels, values.collect())
    });
    Some(series.collect())
}

#[test]
fn the_alerts_of_a_real_server_are_reproduced_at_every_evaluation() {
    let (Some(readings), Some(alerts), Some(for_state)) =
        (answer("prometheus-raw.json"), answer("ALERTS-raw.json"), answer("ALERTS_FOR_STATE-raw.json"))
    else {
        return;
    };
    let (mut firing, mut pending, mut spans, mut compared) = (0, 0, 0, 0);
    for (labels, points) in &readings {
        let readings = RuleReadings::new(
            points.iter().map(|(time, value)| (*time, Some(*value))).collect(),
            Lookback::prometheus_2(300_000),
        );
        let readings = readings.unwrap();
        let last_ms = points[points.len() - 1].0;
        for (name, rule) in rules() {
            let of_this = |alert: &BTreeMap<String, String>| {
                alert["alertname"] == name && alert["id"] == labels["id"] && alert["container"] == labels["container"]
            };
            let replay = Replay::new(&rule, &readings, INTERVAL_MS).at_phase(PHASE_MS, Exempt::default());

            let mut recorded = States::new();
            for (alert, values) in alerts.iter().filter(|(alert, _)| of_this(alert)) {
                let state = if alert["alertstate"] == "firing" { "firing" } else { "pending" };
                recorded.extend(values.iter().filter(|(time, _)| *time <= last_ms).map(|(time, _)| (*time, state)));
            }
            // When each became pending, in whole seconds, by evaluation time.
            let recorded_since: BTreeMap<i64, i64> = for_state
                .iter()
                .filter(|(alert, _)| of_this(alert))
                .flat_map(|(_, values)| values.iter().map(|(time, since)| (*time, *since as i64)))
                .filter(|(time, _)| *time <= last_ms)
                .collect();

            let mut replayed = States::new();
            let mut replayed_since = BTreeMap::new();
            for span in &replay.spans {
                let end_ms = span.resolved_at_ms.unwrap_or(last_ms + 1);
                for time_ms in (span.pending_at_ms..end_ms).step_by(INTERVAL_MS as usize) {
                    let fires = span.firing_at_ms.is_some_and(|firing| firing <= time_ms);
                    replayed.insert(time_ms, if fires { "firing" } else { "pending" });
                    replayed_since.insert(time_ms, span.pending_at_ms.div_euclid(1000));
                }
            }
            let container = &labels["container"];
            assert_eq!(replayed, recorded, "{name} of {container}");
            assert_eq!(replayed_since, recorded_since, "{name} of {container}");
            firing += replayed.values().filter(|state| **state == "firing").count();
            pending += replayed.values().filter(|state| **state == "pending").count();
            spans += replay.spans.len();
            compared += 1;
        }
    }
    println!("{compared} pairs of rule and series: {spans} spans, {pending} pending and {firing} firing evaluations");
    assert!(firing > 100 && pending > 10, "{firing} firing, {pending} pending");
}
