//! The replay of alert rules over all phases of 30 s, against `promtool test rules` for one phase of the same rules and
//! series: a day of readings 15 s apart.
//!
//! Three sets of rules: the runbook's two over one container; shares of limits by pod, over 20 pods of 5 containers; growth
//! by pod, as a sum of rates, over the same. `cargo bench --bench replay` shows each, and the ratios; without `promtool`
//! only ours.

use std::fmt::Write as _;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use criterion::Criterion;
use leaktrend::criteria::alert_rule::{Exempt, Lookback, Point, Replay, Rule, RuleReadings};
use leaktrend::rules;
use leaktrend::series::Labels;

const N_READINGS: i64 = 5760;
const STEP_MS: i64 = 15_000;
const INTERVAL_MS: i64 = 30_000;

/// A rule: its expression, and its `for` in milliseconds.
type Alert = (&'static str, i64);

const RUNBOOK: [Alert; 2] = [("(m - m offset 5m) > 100000000", 300_000), ("m / 2000000000 > 0.9", 120_000)];
const SHARES: [Alert; 1] = [("sum by (pod) (m) / sum by (pod) (limit > 0) * 100 > 80", 120_000)];
const RATES: [Alert; 1] = [("sum by (pod) (rate(m[5m])) > 2000000", 120_000)];

struct Series {
    labels: Labels,
    points: Vec<Point>,
}

/// A saw that grows by 30 MB a minute and starts again at 1.9 GB, so that all rules become pending and fire.
fn bytes(index: i64, shift: i64) -> i64 {
    100_000_000 + ((index + 37 * shift) * 7_500_000) % 1_800_000_000 + (index * 7919) % 1_000_000
}

fn series(labels: &[(&str, String)], value: impl Fn(i64) -> i64) -> Series {
    Series {
        labels: labels.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        points: (0..N_READINGS).map(|index| (index * STEP_MS, Some(value(index) as f64))).collect(),
    }
}

fn one_container() -> Vec<Series> {
    vec![series(&[("__name__", "m".to_owned())], |index| bytes(index, 0))]
}

fn pods() -> Vec<Series> {
    let of = |name: &str, pod: i64, container: i64| {
        [("__name__", name.to_owned()), ("pod", format!("p{pod}")), ("container", format!("c{container}"))]
    };
    let both = |pod: i64, container: i64| {
        let usage = series(&of("m", pod, container), move |index| bytes(index, pod) + container);
        [usage, series(&of("limit", pod, container), |_| 2_000_000_000)]
    };
    (0..20).flat_map(|pod| (0..5).flat_map(move |container| both(pod, container))).collect()
}

fn over_all_phases(series: &[Series], alerts: &[Alert]) -> f64 {
    let lookback = Lookback::prometheus_2(300_000);
    let readings: Vec<RuleReadings<'_>> =
        series.iter().filter_map(|series| RuleReadings::new(series.points.clone(), lookback)).collect();
    let labels: Vec<Labels> = series.iter().map(|series| series.labels.clone()).collect();
    let mut fired = 0.0;
    for (expression, for_ms) in alerts {
        for element in rules::elements(expression, &labels).expect("it is replayed") {
            let rule = Rule { condition: element.condition, for_ms: *for_ms, keep_firing_for_ms: 0 };
            let inputs: Vec<Option<&RuleReadings<'_>>> =
                element.inputs.iter().map(|input| input.map(|index| &readings[index])).collect();
            let replay = Replay::of(&rule, &inputs, INTERVAL_MS).expect("it has series");
            fired += replay.over_phases(Exempt::default()).phases.fired_share;
        }
    }
    fired
}

/// The folder of a test in which `promtool` evaluates the rules for the whole day.
fn promtool_test(all: &[Series], alerts: &[Alert]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut rules = "groups:\n- name: g\n  rules:\n".to_owned();
    for (number, (expression, for_ms)) in alerts.iter().enumerate() {
        let _ = writeln!(rules, "  - {{alert: a{number}, expr: '{expression}', for: {for_ms}ms}}");
    }
    let mut tests =
        "rule_files: [rules.yml]\nevaluation_interval: 30s\ntests:\n- interval: 15s\n  input_series:\n".to_owned();
    for Series { labels, points } in all {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let _ = write!(tests, "  - {{series: '{{{}}}', values: '", labels.join(","));
        for (_, value) in points {
            let _ = write!(tests, "{} ", value.unwrap_or_default());
        }
        tests.push_str("'}\n");
    }
    tests.push_str("  promql_expr_test:\n  - {expr: absent(m), eval_time: 86400s, exp_samples: []}\n");
    std::fs::write(folder.path().join("rules.yml"), rules).expect("it can be written");
    std::fs::write(folder.path().join("tests.yml"), tests).expect("it can be written");
    folder
}

fn best(run: &dyn Fn() -> bool) -> Option<f64> {
    let seconds = (0..5).filter_map(|_| {
        let start = Instant::now();
        run().then(|| start.elapsed().as_secs_f64())
    });
    seconds.reduce(f64::min)
}

fn main() {
    let (one, many) = (one_container(), pods());
    let sets = [
        ("the runbook's two", &one, &RUNBOOK[..]),
        ("shares by pod", &many, &SHARES[..]),
        ("rates by pod", &many, &RATES[..]),
    ];
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    for (name, series, alerts) in sets {
        criterion.bench_function(&format!("{name}, all 30,000 phases, {} x 5,760 readings", series.len()), |bencher| {
            bencher.iter(|| over_all_phases(black_box(series), alerts));
        });
    }
    for (name, series, alerts) in sets {
        let folder = promtool_test(series, alerts);
        let promtool = || {
            let output =
                Command::new("promtool").args(["test", "rules", "tests.yml"]).current_dir(folder.path()).output();
            output.is_ok_and(|output| output.status.success())
        };
        let ours = best(&|| over_all_phases(black_box(series), alerts) > 0.0);
        match (ours, best(&promtool)) {
            (Some(ours), Some(theirs)) => println!(
                "{name}, best of 5: ours, all phases {:.2} ms; promtool, one phase {:.2} ms: {:.0} times as long",
                ours * 1e3,
                theirs * 1e3,
                theirs / ours
            ),
            _ => println!("promtool is absent: nothing to compare with"),
        }
    }
    criterion.final_summary();
}
