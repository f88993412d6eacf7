//! `--rules` with alerts that aggregate and match by labels, with the real program.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const MIB: i64 = 1 << 20;

/// A reading every 30 s for an hour of each series: labels as in a selector, and a value by minute.
fn export(series: &[(&str, &dyn Fn(i64) -> f64)]) -> String {
    let mut text = String::new();
    for (labels, value) in series {
        for index in 0..120 {
            writeln!(text, "{labels} {} {}", value(index / 2), 1_795_464_400 + index * 30).unwrap();
        }
    }
    text
}

fn rules(alerts: &[(&str, &str)]) -> String {
    let mut text = "groups:\n- name: g\n  interval: 30s\n  rules:\n".to_owned();
    for (name, expression) in alerts {
        writeln!(text, "  - alert: {name}\n    expr: {}\n    for: 2m", serde_json::to_string(expression).unwrap())
            .unwrap();
    }
    text
}

fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leaktrend")).args(args).current_dir(folder).output().unwrap()
}

/// The JSON verdict of an export and rules.
fn verdict(export: &str, rules: &str, more: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("export.txt"), export).unwrap();
    std::fs::write(folder.path().join("alerts.yml"), rules).unwrap();
    let args = ["analyze", "export.txt", "--sampling", "raw", "--rules", "alerts.yml", "--json", "-"];
    let output = run(folder.path(), &[&args[..], more].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// The criterion of an alert for a series.
fn criterion<'a>(verdict: &'a Value, series: &str, alert: &str) -> &'a Value {
    let all = verdict["series"].as_array().unwrap();
    let ids: Vec<&str> = all.iter().map(|one| one["id"].as_str().unwrap()).collect();
    let one = all.iter().find(|one| one["id"] == series).unwrap_or_else(|| panic!("no {series} in {ids:?}"));
    let id = format!("rule:{alert}");
    let found = one["criteria"].as_array().unwrap().iter().find(|criterion| criterion["id"] == id.as_str());
    found.unwrap_or_else(|| panic!("{series} has no {id}: {}", verdict["rules"]))
}

fn status<'a>(verdict: &'a Value, series: &str, alert: &str) -> &'a str {
    criterion(verdict, series, alert)["status"].as_str().unwrap()
}

/// What became of each alert: `Name replayed`, or its status and why.
fn reported(verdict: &Value) -> Vec<String> {
    let line = |rule: &Value| {
        let why = rule["why"].as_str().map_or(String::new(), |why| format!(": {why}"));
        format!("{} {}{why}", rule["alert"].as_str().unwrap(), rule["status"].as_str().unwrap())
    };
    verdict["rules"].as_array().unwrap().iter().map(line).collect()
}

const APP: &str = "container_memory_working_set_bytes{namespace=\"shop\",pod=\"web-1\",container=\"app\"}";
const PROXY: &str = "container_memory_working_set_bytes{namespace=\"shop\",pod=\"web-1\",container=\"proxy\"}";
const OTHER: &str = "container_memory_working_set_bytes{namespace=\"shop\",pod=\"web-2\",container=\"app\"}";
const APP_LIMIT: &str = "container_spec_memory_limit_bytes{namespace=\"shop\",pod=\"web-1\",container=\"app\"}";
const PROXY_LIMIT: &str = "container_spec_memory_limit_bytes{namespace=\"shop\",pod=\"web-1\",container=\"proxy\"}";
const OTHER_LIMIT: &str = "container_spec_memory_limit_bytes{namespace=\"shop\",pod=\"web-2\",container=\"app\"}";

fn mib(n: i64) -> f64 {
    (n * MIB) as f64
}

#[test]
fn an_alert_that_aggregates_is_one_criterion_of_all_series_in_its_group() {
    let export = export(&[
        (APP, &|minute| mib(300 + 5 * minute)),
        (PROXY, &|_| mib(50)),
        (OTHER, &|_| mib(100)),
        (APP_LIMIT, &|_| mib(500)),
        (PROXY_LIMIT, &|_| mib(100)),
        (OTHER_LIMIT, &|_| mib(500)),
    ]);
    let share = "sum by (namespace, pod) (container_memory_working_set_bytes{container!=\"\"}) / \
                 sum by (namespace, pod) (container_spec_memory_limit_bytes > 0) * 100 > 80";
    let all = "count(container_memory_working_set_bytes > 90 * 2^20) > 1";
    let verdict = verdict(&export, &rules(&[("PodNearLimit", share), ("Several", all)]), &[]);
    assert_eq!(reported(&verdict), ["PodNearLimit replayed", "Several replayed"]);

    let app = criterion(&verdict, "shop/web-1/app", "PodNearLimit");
    assert_eq!(app, criterion(&verdict, "shop/web-1/proxy", "PodNearLimit"));
    assert_eq!(app["status"], "fail");
    assert_eq!(app["group"]["series"], 2);
    assert_eq!(app["group"]["labels"], serde_json::json!({"namespace": "shop", "pod": "web-1"}));
    // (300 + 5 m + 50) / 600 is above 0.8 from minute 27 on.
    assert!(app["spans"][0]["pending_at"].as_str().unwrap().starts_with("2026-11-23T20:33:"), "{app}");
    insta::assert_snapshot!(app["reason"].as_str().unwrap());
    let other = criterion(&verdict, "shop/web-2/app", "PodNearLimit");
    assert_eq!((other["status"].as_str(), &other["group"]["series"]), (Some("pass"), &Value::from(1)));
    let several = criterion(&verdict, "shop/web-2/app", "Several");
    insta::assert_snapshot!(several["reason"].as_str().unwrap());
    assert_eq!(verdict["rules"][1]["series"], 3);
}

/// The limit that held at the time counts, not the newest; none at all is nearly 2^64, and 0 divides to infinity.
#[test]
fn usage_is_divided_by_the_limit_of_the_time() {
    let export = export(&[
        (APP, &|_| mib(450)),
        (PROXY, &|_| mib(50)),
        (OTHER, &|_| mib(100)),
        (APP_LIMIT, &|minute| mib(if minute < 30 { 500 } else { 2000 })),
        (PROXY_LIMIT, &|_| 18_446_744_073_709_551_615.0),
        (OTHER_LIMIT, &|_| 0.0),
    ]);
    let share = "container_memory_working_set_bytes / container_spec_memory_limit_bytes > 0.8";
    let verdict = verdict(&export, &rules(&[("NearLimit", share)]), &[]);
    let statuses =
        ["shop/web-1/app", "shop/web-1/proxy", "shop/web-2/app"].map(|series| status(&verdict, series, "NearLimit"));
    assert_eq!(statuses, ["fail", "pass", "fail"]);
    let span = &criterion(&verdict, "shop/web-1/app", "NearLimit")["spans"][0];
    assert!(span["resolved_at"].as_str().unwrap().starts_with("2026-11-23T20:36:"), "{span}");
    assert!(criterion(&verdict, "shop/web-1/app", "NearLimit").get("group").is_none());
}

#[test]
fn a_container_without_a_limit_is_not_evaluable_and_that_is_said() {
    let export = export(&[(APP, &|_| mib(450)), (OTHER, &|_| mib(100)), (APP_LIMIT, &|_| mib(500))]);
    let share = "container_memory_working_set_bytes / container_spec_memory_limit_bytes > 0.8";
    let pods =
        "sum by (pod) (container_memory_working_set_bytes) / sum by (pod) (kube_pod_container_resource_limits) > 0.8";
    let verdict = verdict(&export, &rules(&[("NearLimit", share), ("Pods", pods)]), &[]);
    assert_eq!(
        [status(&verdict, "shop/web-1/app", "NearLimit"), status(&verdict, "shop/web-2/app", "NearLimit")],
        ["fail", "not-evaluable"]
    );
    insta::assert_snapshot!(criterion(&verdict, "shop/web-2/app", "NearLimit")["reason"].as_str().unwrap());
    insta::assert_snapshot!(criterion(&verdict, "shop/web-2/app", "Pods")["reason"].as_str().unwrap());
}

/// What Prometheus would not evaluate is refused with the time from which on it would not.
#[test]
fn several_series_for_one_match_are_refused() {
    let export = export(&[
        (APP, &|_| mib(450)),
        (PROXY, &|_| mib(50)),
        (APP_LIMIT, &|_| mib(500)),
        (OTHER_LIMIT, &|_| mib(500)),
    ]);
    let left = "container_memory_working_set_bytes / on (pod) container_spec_memory_limit_bytes > 0.8";
    let right = "sum by (pod) (container_spec_memory_limit_bytes) < on (pod) container_memory_working_set_bytes";
    // The comparison leaves one of them.
    let one = "(container_memory_working_set_bytes > 90 * 2^20) / on (pod) container_spec_memory_limit_bytes > 0.8";
    let verdict = verdict(&export, &rules(&[("Left", left), ("Right", right), ("One", one)]), &[]);
    insta::assert_snapshot!(reported(&verdict).join("\n"));
    assert_eq!(status(&verdict, "shop/web-1/app", "One"), "fail");
}

/// A server has series that the report leaves out, and each run of a container by itself: they count in sums and alerts.
#[test]
fn a_rule_sees_the_series_as_they_were_scraped() {
    let name = "container_memory_working_set_bytes";
    let first = format!("{name}{{namespace=\"shop\",pod=\"web-1\",container=\"app\",id=\"/kubepods/a\"}}");
    let second = format!("{name}{{namespace=\"shop\",pod=\"web-1\",container=\"app\",id=\"/kubepods/b\"}}");
    let pod = format!("{name}{{namespace=\"shop\",pod=\"web-1\",id=\"/kubepods\"}}");
    let mut text = export(&[(&pod, &|_| mib(120))]);
    for index in 0..120_i64 {
        let labels = if index < 60 { &first } else { &second };
        writeln!(text, "{labels} {} {}", 100 * MIB, 1_795_464_400 + index * 30).unwrap();
    }
    let alerts = [
        ("Sum", "sum by (namespace) (container_memory_working_set_bytes) > 210 * 2^20"),
        ("OfContainers", "sum by (namespace) (container_memory_working_set_bytes{container!=\"\"}) > 210 * 2^20"),
        ("EachRun", "container_memory_working_set_bytes{id=\"/kubepods/b\"} > 90 * 2^20"),
    ];
    let verdict = verdict(&text, &rules(&alerts), &[]);
    assert_eq!(verdict["series"].as_array().unwrap().len(), 1);
    let statuses = ["Sum", "OfContainers", "EachRun"].map(|alert| status(&verdict, "shop/web-1/app", alert));
    assert_eq!(statuses, ["fail", "pass", "fail"]);
    let span = &criterion(&verdict, "shop/web-1/app", "EachRun")["spans"][0];
    assert!(span["pending_at"].as_str().unwrap().starts_with("2026-11-23T20:36:"), "{span}");
}

#[test]
fn a_selection_leaves_the_sums_of_a_rule_as_they_are() {
    let export = export(&[(APP, &|_| mib(450)), (PROXY, &|_| mib(50))]);
    let sum = "sum by (pod) (container_memory_working_set_bytes) > 480 * 2^20";
    let verdict = verdict(&export, &rules(&[("Sum", sum)]), &["--container", "proxy"]);
    assert_eq!(verdict["series"].as_array().unwrap().len(), 1);
    let proxy =
        &verdict["series"][0]["criteria"].as_array().unwrap().iter().find(|one| one["id"] == "rule:Sum").unwrap();
    assert_eq!((proxy["status"].as_str(), &proxy["group"]["series"]), (Some("fail"), &Value::from(1)));
}

/// The JVM says -1 where a pool has no maximum, and a sum of what is left would be another one.
#[test]
fn values_that_are_not_read_refuse_the_rules_that_need_them() {
    let used = "jvm_memory_used_bytes{instance=\"a\",area=\"heap\",id=\"eden\"}";
    let max = "jvm_memory_max_bytes{instance=\"a\",area=\"heap\",id=\"eden\"}";
    let export = export(&[(used, &|_| mib(450)), (max, &|_| -1.0)]);
    let share = "sum by (instance) (jvm_memory_used_bytes{area=\"heap\"}) / sum by (instance) (jvm_memory_max_bytes{area=\"heap\"}) > 0.8";
    let level = "jvm_memory_used_bytes > 5";
    let verdict = verdict(&export, &rules(&[("Share", share), ("Level", level)]), &[]);
    insta::assert_snapshot!(reported(&verdict).join("\n"));
}

/// The shapes of the memory alerts in public collections, in words of our own.
#[test]
fn the_shapes_of_public_collections_are_replayed_or_refused_by_name() {
    let of_host = |name: &str| format!("{name}{{instance=\"n1\",job=\"node\"}}");
    let hosts = [
        "node_memory_MemAvailable_bytes",
        "node_memory_MemTotal_bytes",
        "node_memory_SwapFree_bytes",
        "node_memory_SwapTotal_bytes",
    ]
    .map(of_host);
    let cadvisor = |name: &str| format!("{name}{{instance=\"n1\",name=\"api\",id=\"/docker/a\"}}");
    let (usage, limit) =
        (cadvisor("container_memory_working_set_bytes"), cadvisor("container_spec_memory_limit_bytes"));
    let heap = ["jvm_memory_used_bytes", "jvm_memory_max_bytes"]
        .map(|name| format!("{name}{{instance=\"j\",area=\"heap\",id=\"old\"}}"));
    let cache = ["redis_memory_used_bytes", "redis_memory_max_bytes"].map(|name| format!("{name}{{instance=\"r\"}}"));
    let quota = ["used", "hard"].map(|kind| {
        format!("kube_resourcequota{{namespace=\"shop\",resource=\"memory\",type=\"{kind}\",job=\"ksm\"}}")
    });
    let faults = of_host("node_vmstat_pgmajfault");
    let constant = |bytes: i64| move |_: i64| mib(bytes);
    let (low, half, high, full) = (constant(50), constant(500), constant(900), constant(1000));
    let text = export(&[
        (&hosts[0], &low),
        (&hosts[1], &full),
        (&hosts[2], &low),
        (&hosts[3], &full),
        (&usage, &high),
        (&limit, &full),
        (&heap[0], &half),
        (&heap[1], &full),
        (&cache[0], &high),
        (&cache[1], &full),
        (&quota[0], &high),
        (&quota[1], &full),
        (&faults, &|minute| (minute * 1000) as f64),
    ]);
    let alerts = [
        ("HostShare", "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes * 100 < 10"),
        ("HostIdle", "min_over_time(node_memory_MemAvailable_bytes[10m]) > node_memory_MemTotal_bytes * 0.8"),
        ("Swap", "(1 - node_memory_SwapFree_bytes / node_memory_SwapTotal_bytes) * 100 > 80"),
        (
            "HostOfName",
            "(node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1) * on (instance) group_left (nodename) node_uname_info",
        ),
        ("Faults", "rate(node_vmstat_pgmajfault[5m]) > 1000"),
        (
            "Container",
            "sum by (instance, name) (container_memory_working_set_bytes{name!=\"\"}) / sum by (instance, name) (container_spec_memory_limit_bytes > 0) * 100 > 80",
        ),
        (
            "ContainerIdle",
            "sum by (instance, name) (container_memory_working_set_bytes{name!=\"\"}) / sum by (instance, name) (container_spec_memory_limit_bytes > 0) * 100 < 20",
        ),
        (
            "Heap",
            "sum by (instance) (jvm_memory_used_bytes{area=\"heap\"}) / sum by (instance) (jvm_memory_max_bytes{area=\"heap\"}) * 100 > 80",
        ),
        ("Cache", "redis_memory_used_bytes / redis_memory_max_bytes * 100 > 90"),
        ("Growing", "deriv(jvm_memory_used_bytes[10m]) > 1e7"),
        (
            "Quota",
            "kube_resourcequota{type=\"used\"} / ignoring (instance, job, type) (kube_resourcequota{type=\"hard\"} > 0) > 0.9 < 1",
        ),
        (
            "Overcommit",
            "sum(namespace_memory:requests:sum) - (sum(kube_node_status_allocatable) - max(kube_node_status_allocatable)) > 0",
        ),
        (
            "Killed",
            "increase(kube_pod_container_status_restarts_total[10m]) >= 1 and ignoring (reason) min_over_time(kube_pod_container_status_last_terminated_reason[10m]) == 1",
        ),
        ("Absent", "absent(container_memory_working_set_bytes)"),
        ("Smoothed", "max_over_time(sum by (name) (container_memory_working_set_bytes)[1h:5m]) > 1"),
    ];
    let verdict = verdict(&text, &rules(&alerts), &[]);
    insta::assert_snapshot!(reported(&verdict).join("\n"));
    let fired = |alert: &str| {
        let all =
            verdict["series"].as_array().unwrap().iter().flat_map(|series| series["criteria"].as_array().unwrap());
        all.filter(|one| one["id"] == format!("rule:{alert}").as_str() && one["status"] == "fail").count()
    };
    let failing =
        ["HostShare", "HostIdle", "Swap", "Container", "ContainerIdle", "Heap", "Cache", "Growing"].map(fired);
    assert_eq!(failing, [1, 0, 1, 1, 0, 0, 0, 0], "{}", verdict["rules"]);
}
