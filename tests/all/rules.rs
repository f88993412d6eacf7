//! `--rules` and `--emit-promtool`, with the real program.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// The runbook's rules for one container, and one that is not replayed.
const RULES: &str = r#"groups:
  - name: memory_alerts
    interval: 30s
    rules:
      - alert: Leak
        expr: (container_memory_usage_bytes{container="api"} - container_memory_usage_bytes{container="api"} offset 5m) > 100000000
        for: 5m
        labels:
          severity: warning
        annotations:
          summary: "{{ $labels.container }} leaks"
      - alert: High
        expr: container_memory_usage_bytes{container="api"} / 2000000000 > 0.9
        for: 2m
        labels: {severity: critical}
      - alert: WillBeFull
        expr: predict_linear(container_memory_usage_bytes[10m], 3600) > 2e9 and container_memory_usage_bytes > 3e8
        for: 1m
        annotations: {summary: "{{ $value }}"}
"#;
const RATE: &str = "      - alert: Rate\n        expr: irate(container_memory_usage_bytes[5m]) > 5\n";

/// A reading every 15 s for an hour: `api` grows by 30 MB a minute from minute 10 on, `web` does not.
fn export() -> String {
    let values = |bytes: &dyn Fn(i64) -> i64| {
        let mut text = String::new();
        for index in 0..240 {
            let comma = if index == 0 { "" } else { "," };
            // Off the grid now and then, as scrapes are.
            let jitter_ms = if index % 7 == 0 { 3 } else { 0 };
            write!(text, "{comma}[{}.{:03},\"{}\"]", 1_795_464_400 + index * 15, 760 + jitter_ms, bytes(index))
                .unwrap();
        }
        text
    };
    let series = |container: &str, values: &str| {
        format!(
            "{{\"metric\":{{\"__name__\":\"container_memory_usage_bytes\",\"container\":\"{container}\",\"job\":\"c\"}},\"values\":[{values}]}}"
        )
    };
    let growing = values(&|index| 100_000_000 + (index - 40).max(0) * 7_500_000 + index % 3 * 100_000);
    let flat = values(&|index| 100_000_000 + index % 3 * 100_000);
    format!(
        "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{},{}]}}}}",
        series("api", &growing),
        series("web", &flat)
    )
}

fn folder(rules: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("export.json"), export()).unwrap();
    std::fs::write(folder.path().join("alerts.yml"), rules).unwrap();
    folder
}

fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leaktrend")).args(args).current_dir(folder).output().unwrap()
}

fn verdict(folder: &Path, args: &[&str]) -> (Value, Option<i32>) {
    let output = run(folder, &[args, &["--json", "-"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    (
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))),
        output.status.code(),
    )
}

/// The alerts of a series: `Leak fail`.
fn statuses(verdict: &Value, series: &str) -> Vec<String> {
    let series = verdict["series"].as_array().unwrap().iter().find(|one| one["id"] == series).unwrap();
    let rules = series["criteria"].as_array().unwrap().iter().filter_map(|criterion| {
        let name = criterion["id"].as_str().unwrap().strip_prefix("rule:")?;
        Some(format!("{name} {}", criterion["status"].as_str().unwrap()))
    });
    rules.collect()
}

#[test]
fn each_alert_is_a_criterion_of_the_series_that_it_selects() {
    let folder = folder(RULES);
    let (verdict, status) = verdict(folder.path(), &["analyze", "export.json", "--rules", "alerts.yml"]);
    assert_eq!(statuses(&verdict, "api"), ["Leak fail", "High pass", "WillBeFull fail"]);
    assert_eq!(statuses(&verdict, "web"), ["WillBeFull pass"]);
    assert_eq!(status, Some(1));
    assert_eq!(verdict["settings"]["evaluation"]["lookback"], "prometheus-3");
}

#[test]
fn what_cannot_be_replayed_is_said_and_fails_a_strict_run_only() {
    let folder = folder(&format!("{RULES}{RATE}"));
    let args = ["analyze", "export.json", "--rules", "alerts.yml", "--container", "web"];
    let (lenient, status) = verdict(folder.path(), &args);
    let reported: Vec<(&str, &str)> = lenient["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (rule["alert"].as_str().unwrap(), rule["status"].as_str().unwrap()))
        .collect();
    let expected = [("Leak", "no-series"), ("High", "no-series"), ("WillBeFull", "replayed"), ("Rate", "refused")];
    assert_eq!(reported, expected);
    assert_ne!(status, Some(2));
    insta::assert_snapshot!(lenient["rules"][0]["why"].as_str().unwrap());
    insta::assert_snapshot!(lenient["rules"][3]["why"].as_str().unwrap());
    let summary = String::from_utf8(run(folder.path(), &args).stdout).unwrap();
    assert!(summary.contains("alerts.yml: alert `Rate` of group `memory_alerts` cannot be replayed"), "{summary}");

    let (_, status) = verdict(folder.path(), &[&args[..], &["--strict"]].concat());
    assert_eq!(status, Some(2));
    let (_, status) = verdict(folder.path(), &[&args[..], &["--require", "rule:Rate"]].concat());
    assert_eq!(status, Some(2));
    let (_, status) = verdict(folder.path(), &[&args[..], &["--require", "rule:WillBeFull"]].concat());
    assert_ne!(status, Some(2));
    let unknown = run(folder.path(), &[&args[..], &["--require", "rule:Nothing"]].concat());
    insta::assert_snapshot!(String::from_utf8(unknown.stderr).unwrap());
}

#[test]
fn an_alert_that_does_not_gate_fails_no_series() {
    let folder = folder("groups:\n- name: g\n  rules:\n  - {alert: Any, expr: container_memory_usage_bytes > 1}\n");
    let args = ["analyze", "export.json", "--rules", "alerts.yml", "--container", "web"];
    let (_, status) = verdict(folder.path(), &args);
    assert_eq!(status, Some(1));
    std::fs::write(folder.path().join("leaktrend.toml"), "[criteria.rules]\nungated = [\"Any\"]\n").unwrap();
    let (quiet, status) = verdict(folder.path(), &args);
    assert_eq!(statuses(&quiet, "web"), ["Any fail"]);
    assert_ne!(status, Some(1));
}

#[test]
fn docker_stats_answer_to_the_name_of_the_container() {
    let folder = folder(&RULES.replace("predict_linear(container_memory_usage_bytes[10m], 3600) > 2e9 and ", ""));
    let mut log = String::new();
    for minute in 0..60 {
        writeln!(log, "abc123def456   api   1.00%   {}MiB / 4GiB   2.00%   1kB / 1kB   0B / 0B   5", 200 + minute * 60)
            .unwrap();
    }
    std::fs::write(folder.path().join("usage.log"), log).unwrap();
    let args = ["analyze", "usage.log", "--interval", "1m", "--end", "1795464400", "--rules", "alerts.yml"];
    let (verdict, _) = verdict(folder.path(), &args);
    assert_eq!(statuses(&verdict, "api"), ["Leak fail", "High fail", "WillBeFull fail"]);
    let criteria = verdict["series"][0]["criteria"].as_array().unwrap();
    let leak = criteria.iter().find(|criterion| criterion["id"] == "rule:Leak").unwrap();
    insta::assert_snapshot!(leak["reason"].as_str().unwrap());
}

/// At a reading's own time a range of one spacing holds one reading in Prometheus 3 and two in Prometheus 2. A reading
/// that is late by 3 ms leaves it empty in Prometheus 3, so that some evaluations have no value.
#[test]
fn the_lookback_of_either_version_can_be_asked_for() {
    let rule =
        "max_over_time(container_memory_usage_bytes[15s]) - min_over_time(container_memory_usage_bytes[15s]) > 5e6";
    let folder = folder(&format!("groups:\n- name: g\n  rules:\n  - {{alert: Two, expr: '{rule}', for: 1m}}\n"));
    for (version, expected) in [("prometheus-2", "Two fail"), ("prometheus-3", "Two not-evaluable")] {
        let args = ["analyze", "export.json", "--rules", "alerts.yml", "--eval-phase", "10.76s", "--lookback", version];
        let (verdict, _) = verdict(folder.path(), &args);
        assert_eq!(statuses(&verdict, "api"), [expected]);
        assert_eq!(verdict["settings"]["evaluation"]["lookback"], version);
    }
}

#[test]
fn a_file_that_is_no_rule_file_is_exit_code_2() {
    let folder = folder("groups:\n- name: g\n  rules:\n  - {alert: A, expr: x > 1, four: 5m}\n");
    let output = run(folder.path(), &["analyze", "export.json", "--rules", "alerts.yml"]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap());
}

#[test]
fn promtool_confirms_the_tests_that_are_written() {
    let has_promtool = Command::new("promtool")
        .arg("--version")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with("promtool, version 2."));
    if !has_promtool {
        assert!(std::env::var("LEAKTREND_REQUIRE_PROMTOOL").as_deref() != Ok("1"), "promtool 2 is required and absent");
        eprintln!("skipped: promtool 2 is absent");
        return;
    }
    let folder = folder(RULES);
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let emit = |more: &[&str], name: &str| {
        let args = ["analyze", "export.json", "--quiet", "--lookback", "prometheus-2", "--emit-promtool", name];
        let output = run(folder.path(), &[&args[..], more].concat());
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read_to_string(folder.path().join(name)).unwrap()
    };
    let promtool = |name: &str| {
        let output =
            Command::new("promtool").args(["test", "rules", name]).current_dir(folder.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.success(), text)
    };
    let own = emit(&["--rules", "alerts.yml"], "out/incident.yml");
    assert!(own.contains("rule_files: [\"../alerts.yml\"]") && own.contains("api leaks"), "{own}");
    let (passes, text) = promtool("out/incident.yml");
    assert!(passes, "{text}\n{own}");
    let runbook = emit(&[], "runbook.yml");
    assert!(folder.path().join("runbook.rules.yml").exists());
    let (passes, text) = promtool("runbook.yml");
    assert!(passes, "{text}\n{runbook}");

    let of_group = "sum by (job) (container_memory_usage_bytes) > 5e8 and on (job) \
                    count by (job) (rate(container_memory_usage_bytes[5m]) > 1000) > 0";
    let text = format!("groups:\n- name: g\n  rules:\n  - {{alert: Job, expr: '{of_group}', for: 1m}}\n");
    std::fs::write(folder.path().join("group.yml"), text).unwrap();
    let group = emit(&["--rules", "group.yml"], "job.yml");
    assert!(group.contains("container=\\\"web\\\"") && group.contains("\"job\": \"c\""), "{group}");
    let (passes, text) = promtool("job.yml");
    assert!(passes, "{text}\n{group}");

    // A rule that no longer fires breaks the test.
    std::fs::write(folder.path().join("alerts.yml"), RULES.replace("100000000", "900000000")).unwrap();
    let (passes, _) = promtool("out/incident.yml");
    assert!(!passes);
}

#[test]
fn where_nothing_fires_no_test_is_written() {
    let folder = folder(RULES);
    let args = ["analyze", "export.json", "--container", "web", "--quiet", "--emit-promtool", "incident.yml"];
    let output = run(folder.path(), &args);
    assert!(String::from_utf8(output.stderr).unwrap().contains("no alert fires"));
    assert!(!folder.path().join("incident.yml").exists());
}
