//! The replay of the runbook's two rules over all phases of 30 s, against `promtool test rules` for one phase of the
//! same rules and series: a day of readings 15 s apart.
//!
//! `cargo bench --bench replay` shows both, and the ratio; without `promtool` only ours.

use std::fmt::Write as _;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use criterion::Criterion;
use leaktrend::criteria::alert_rule::{Exempt, Lookback, Readings, Replay, Rule};

const N_READINGS: i64 = 5760;
const STEP_MS: i64 = 15_000;
const INTERVAL_MS: i64 = 30_000;

/// A saw that grows by 30 MB a minute and starts again at 1.9 GB, so that both rules become pending and fire.
fn bytes(index: i64) -> i64 {
    100_000_000 + (index * 7_500_000) % 1_800_000_000 + (index * 7919) % 1_000_000
}

fn both_rules_over_all_phases(points: &[(i64, Option<f64>)]) -> f64 {
    let readings = Readings::new(points.to_vec(), Lookback::prometheus_2(300_000)).expect("there are readings");
    [Rule::growth(1e8, 300_000, 300_000), Rule::level(2e9, 0.9, 120_000)]
        .iter()
        .map(|rule| Replay::new(rule, &readings, INTERVAL_MS).over_phases(Exempt::default()).phases.fired_share)
        .sum()
}

/// The folder of a test in which `promtool` evaluates both rules for the whole day.
fn promtool_test() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let rules = "groups:\n- name: memory_alerts\n  rules:\n  - {alert: MemoryLeakDetected, expr: '(m - m offset 5m) > \
                 100000000', for: 5m}\n  - {alert: HighMemoryUsage, expr: m / 2000000000 > 0.9, for: 2m}\n";
    let mut values = String::new();
    for index in 0..N_READINGS {
        let _ = write!(values, "{} ", bytes(index));
    }
    let tests = format!(
        "rule_files: [rules.yml]\nevaluation_interval: 30s\ntests:\n- interval: 15s\n  input_series:\n  - {{series: m, \
         values: '{values}'}}\n  promql_expr_test:\n  - {{expr: absent(m), eval_time: 86400s, exp_samples: []}}\n"
    );
    std::fs::write(folder.path().join("rules.yml"), rules).expect("it can be written");
    std::fs::write(folder.path().join("tests.yml"), tests).expect("it can be written");
    folder
}

fn main() {
    let points: Vec<(i64, Option<f64>)> =
        (0..N_READINGS).map(|index| (index * STEP_MS, Some(bytes(index) as f64))).collect();
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    criterion.bench_function("both rules, all 30,000 phases, 5,760 readings", |bencher| {
        bencher.iter(|| both_rules_over_all_phases(black_box(&points)));
    });

    let folder = promtool_test();
    let promtool = || {
        let output = Command::new("promtool").args(["test", "rules", "tests.yml"]).current_dir(folder.path()).output();
        output.is_ok_and(|output| output.status.success())
    };
    let best = |run: &dyn Fn() -> bool| {
        let seconds = (0..5).filter_map(|_| {
            let start = Instant::now();
            run().then(|| start.elapsed().as_secs_f64())
        });
        seconds.reduce(f64::min)
    };
    let ours = best(&|| both_rules_over_all_phases(black_box(&points)) > 0.0);
    match (ours, best(&promtool)) {
        (Some(ours), Some(theirs)) => println!(
            "best of 5: ours, all phases {:.2} ms; promtool, one phase {:.2} ms: {:.0} times as long",
            ours * 1e3,
            theirs * 1e3,
            theirs / ours
        ),
        _ => println!("promtool is absent: nothing to compare with"),
    }
    criterion.final_summary();
}
