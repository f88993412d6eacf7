//! Pods that come and go: one row for a workload, and what a single pod does is not lost in it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::common::Random;

const MIB: f64 = 1_048_576.0;
/// 2026-11-16 00:00:00 UTC.
const START: i64 = 1_794_787_200;
const STEP: f64 = 300.0;

/// A container of a pod from one hour to another, in MiB by its age in hours.
fn pod(pod: &str, hours: (f64, f64), mib: impl Fn(f64) -> f64, random: &mut Random) -> String {
    let moments = (hours.0 * 3600.0 / STEP) as i64..(hours.1 * 3600.0 / STEP) as i64;
    let values: Vec<String> = moments
        .clone()
        .map(|at| {
            let age = (at - moments.start) as f64 * STEP / 3600.0;
            let bytes = (mib(age) + random.below(1000) as f64 / 150.0) * MIB;
            format!("[{},\"{}\"]", START + at * STEP as i64, bytes.round())
        })
        .collect();
    let labels = format!("\"namespace\":\"shop\",\"pod\":\"{pod}\",\"container\":\"app\"");
    let name = "\"__name__\":\"container_memory_working_set_bytes\"";
    format!("{{\"metric\":{{{name},{labels}}},\"values\":[{}]}}", values.join(","))
}

fn fact(labels: &str, value: &str) -> String {
    format!("{{\"metric\":{{{labels}}},\"values\":[[{START},\"{value}\"]]}}")
}

/// Three replicas for three days, replaced every day by another version.
fn rolled_out(mib: impl Fn(usize, usize, f64) -> f64) -> Vec<String> {
    let mut random = Random::seeded(3);
    let mut pods = Vec::new();
    for (day, hash) in ["66b6c48dd5", "84c7b5d6f", "7d9f8b6c5d"].into_iter().enumerate() {
        for (replica, suffix) in ["x2k4p", "7szfs", "b2zdv"].into_iter().enumerate() {
            let from = 24.0 * day as f64;
            let name = format!("web-{hash}-{suffix}");
            pods.push(pod(&name, (from, from + 24.0), |age| mib(day, replica, age), &mut random));
        }
    }
    pods
}

/// The verdict on an export of these results, held against its schema, and how the program ended.
fn verdict(results: &[String], arguments: &[&str]) -> (Value, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), results);
    let output = Command::new(env!("CARGO_BIN_EXE_leaktrend"))
        .args(["analyze", "memory.json", "--quiet", "--json", "-", "--sampling", "raw"])
        .args(arguments)
        .current_dir(folder.path())
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let verdict: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {} {}", text(&output.stdout), text(&output.stderr)));
    let schema: Value = serde_json::from_str(leaktrend::report::json::SCHEMA).unwrap();
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&verdict).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    (verdict, output.status.code())
}

fn write(folder: &Path, results: &[String]) {
    let all = results.join(",\n");
    let text = format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[\n{all}\n]}}}}");
    fs::write(folder.join("memory.json"), text).unwrap();
}

fn ids(verdict: &Value) -> Vec<&str> {
    verdict["series"].as_array().unwrap().iter().map(|series| series["id"].as_str().unwrap()).collect()
}

fn notes(verdict: &Value) -> String {
    verdict["notes"].to_string()
}

#[test]
fn pods_that_come_and_go_are_one_row_and_that_is_said() {
    let (reported, _) = verdict(&rolled_out(|_, _, _| 200.0), &[]);
    assert_eq!(ids(&reported), ["shop/web/app"]);
    let said =
        "judged by workload, because 6 of 9 pods ended before the last reading: 9 pods of 1 workload (`--by container`";
    assert!(notes(&reported).contains(said), "{}", notes(&reported));
    let workload = &reported["series"][0]["workload"];
    assert_eq!(workload["pods"], 9);
    assert_eq!(workload["replicas"], 3);
    let versions: Vec<&Value> = workload["versions"].as_array().unwrap().iter().map(|one| &one["version"]).collect();
    assert_eq!(versions, ["66b6c48dd5", "84c7b5d6f", "7d9f8b6c5d"]);
    let rollouts = reported["series"][0]["restarts"].as_array().unwrap();
    assert_eq!(rollouts[0]["what"], "rollout of version `84c7b5d6f`");
    assert!(rollouts[0]["at"].as_str().unwrap().starts_with("2026-11-17T00:"), "{}", rollouts[0]["at"]);
}

#[test]
fn by_container_each_pod_is_a_row() {
    let (reported, _) = verdict(&rolled_out(|_, _, _| 200.0), &["--by", "container"]);
    assert_eq!(ids(&reported).len(), 9);
    assert!(reported["series"][0].get("workload").is_none());
    assert!(!notes(&reported).contains("workload"), "{}", notes(&reported));
}

/// Pods that run all the time are long enough to be judged each by itself.
#[test]
fn pods_that_stay_are_judged_by_themselves_unless_asked() {
    let mut random = Random::seeded(5);
    let names = ["web-84c7b5d6f-x2k4p", "web-84c7b5d6f-7szfs"];
    let pods: Vec<String> = names.iter().map(|name| pod(name, (0.0, 72.0), |_| 200.0, &mut random)).collect();
    assert_eq!(ids(&verdict(&pods, &[]).0).len(), 2);
    let (reported, _) = verdict(&pods, &["--by", "workload"]);
    assert_eq!(ids(&reported), ["shop/web/app"]);
    assert_eq!(reported["series"][0]["verdict"], "flat");
}

#[test]
fn a_leak_since_a_version_is_said_with_it() {
    let (reported, code) = verdict(&rolled_out(|day, _, age| 200.0 + if day > 0 { 2.5 * age } else { 0.0 }), &[]);
    let series = &reported["series"][0];
    assert_eq!(code, Some(1));
    assert!(series["verdict"].as_str().unwrap().contains("leak"), "{}", series["verdict"]);
    assert_eq!(series["workload"]["grows_since"]["version"], "84c7b5d6f");
    let reason = series["reason"].as_str().unwrap();
    assert!(reason.ends_with("it has grown since version `84c7b5d6f` (deployed 2026-11-17T00:00:00Z)"), "{reason}");
}

#[test]
fn one_leaking_replica_is_named() {
    let leaks = |day, replica, age: f64| 200.0 + if day == 2 && replica == 1 { 6.0 * age } else { 0.0 };
    let (reported, _) = verdict(&rolled_out(leaks), &[]);
    let series = &reported["series"][0];
    assert_eq!(series["workload"]["differing"][0]["pod"], "web-7d9f8b6c5d-7szfs");
    assert!(series["finding"].as_str().unwrap().contains("web-7d9f8b6c5d-7szfs differs"), "{}", series["finding"]);
    let rate = series["workload"]["differing"][0]["bytes_per_second"].as_f64().unwrap() * 3600.0 / MIB;
    assert!((5.0..7.0).contains(&rate), "{rate}");
}

/// A typical pod is far from the limit, one of them is not.
#[test]
fn a_rule_that_one_pod_fails_the_workload_fails() {
    let near = |day, replica, _| if day == 1 && replica == 2 { 490.0 } else { 100.0 };
    let mut results = rolled_out(near);
    for hash in ["66b6c48dd5", "84c7b5d6f", "7d9f8b6c5d"] {
        for suffix in ["x2k4p", "7szfs", "b2zdv"] {
            let labels = format!(
                "\"__name__\":\"container_spec_memory_limit_bytes\",\"namespace\":\"shop\",\"pod\":\"web-{hash}-{suffix}\",\"container\":\"app\""
            );
            results.push(fact(&labels, "536870912"));
        }
    }
    let (reported, code) = verdict(&results, &[]);
    let criteria = reported["series"][0]["criteria"].as_array().unwrap();
    let high = criteria.iter().find(|one| one["id"] == "high-memory").unwrap();
    assert_eq!((code, high["status"].as_str()), (Some(1), Some("fail")));
    assert!(high["reason"].as_str().unwrap().starts_with("pod web-84c7b5d6f-b2zdv: "), "{}", high["reason"]);
}

#[test]
fn the_owner_names_the_workload() {
    let mut results = rolled_out(|_, _, _| 200.0);
    for hash in ["66b6c48dd5", "84c7b5d6f", "7d9f8b6c5d"] {
        for suffix in ["x2k4p", "7szfs", "b2zdv"] {
            results.push(fact(
                &format!("\"__name__\":\"kube_pod_owner\",\"namespace\":\"shop\",\"pod\":\"web-{hash}-{suffix}\",\"owner_kind\":\"ReplicaSet\",\"owner_name\":\"web-{hash}\""),
                "1",
            ));
        }
        results.push(fact(
            &format!("\"__name__\":\"kube_replicaset_owner\",\"namespace\":\"shop\",\"replicaset\":\"web-{hash}\",\"owner_kind\":\"Rollout\",\"owner_name\":\"front\""),
            "1",
        ));
    }
    assert_eq!(ids(&verdict(&results, &[]).0), ["shop/front/app"]);
}

#[test]
fn without_pods_there_is_no_workload_and_that_is_said() {
    let text = "container_memory_working_set_bytes{name=\"web\",id=\"/docker/a\"} 1048576 1795464400\n";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("memory.txt"), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_leaktrend"))
        .args(["analyze", "memory.txt", "--by", "workload", "--quiet", "--json", "-"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    let said = "`--by workload`: no series has the labels `pod` and `container`, so each is judged by itself";
    assert!(notes(&verdict).contains(said), "{}", notes(&verdict));
}
