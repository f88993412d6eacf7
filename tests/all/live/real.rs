//! A real Prometheus: what is read from it is what `promtool tsdb dump` says of its blocks, sample for sample.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use leaktrend::live::{Time, Wanted};
use serde_json::Value;

use super::{notes, run, wanted};
use crate::cadvisor::Server;
use crate::common::Random;

/// When its readings begin, in seconds since 1970.
const START: i64 = 1_795_400_000;

/// How long they last, in seconds.
const LENGTH: i64 = 6 * 3600;

/// Thirty containers, some of which come and go, with scrapes that are late now and then.
pub(super) fn metrics() -> String {
    let mut random = Random::seeded(19);
    let mut text = "# TYPE container_memory_working_set_bytes gauge\n".to_owned();
    for pod in 0..30 {
        let (begin, end) = (random.below(LENGTH / 2), LENGTH - random.below(LENGTH / 4));
        let labels = format!(r#"container="c{}",id="/pod{pod}",namespace="shop",pod="p{pod}""#, pod % 3);
        for time in (begin..end).step_by(15) {
            if random.once_in(50) {
                continue;
            }
            let time_ms = (START + time) * 1000 + if random.once_in(10) { random.below(900) } else { pod };
            let value =
                if random.once_in(200) { "NaN".to_owned() } else { (100_000_000 + random.below(1 << 24)).to_string() };
            let _ = writeln!(
                text,
                "container_memory_working_set_bytes{{{labels}}} {value} {}.{:03}",
                time_ms / 1000,
                time_ms % 1000
            );
        }
    }
    text + "# EOF\n"
}

/// Labels, time in milliseconds, and the bits of the value.
pub(super) type Samples = BTreeSet<(String, i64, u64)>;

/// What `promtool` says of the blocks.
fn dumped(server: &Server) -> Samples {
    let output = Command::new("promtool").args(["tsdb", "dump"]).arg(server.data.path().join("tsdb")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| {
            let (labels, rest) = line.rsplit_once("} ").unwrap();
            let (value, time) = rest.split_once(' ').unwrap();
            let labels = labels.trim_start_matches('{').replace("\", ", "\",");
            (labels, time.parse().unwrap(), value.parse::<f64>().unwrap().to_bits())
        })
        .collect()
}

fn held(text: &str) -> Samples {
    let answer: serde_json::Value = serde_json::from_str(text).unwrap();
    let mut samples = Samples::new();
    for series in answer["data"]["result"].as_array().unwrap() {
        let labels = series["metric"].as_object().unwrap();
        let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        for point in series["values"].as_array().unwrap() {
            let value: f64 = point[1].as_str().unwrap().parse().unwrap();
            let time_ms = (point[0].as_f64().unwrap() * 1000.0).round() as i64;
            assert!(samples.insert((labels.join(","), time_ms, value.to_bits())), "twice: {labels:?} {time_ms}");
        }
    }
    samples
}

#[test]
fn every_sample_of_a_real_server_is_read_once() {
    for most in ["50000000", "2500"] {
        let Some(server) = Server::with(&metrics(), &[&format!("--query.max-samples={most}")]) else { return };
        let expected = dumped(&server);
        assert!(20_000 < expected.len(), "{}", expected.len());
        check_all_is_read(server.port, &expected);
    }
}

/// Reads all that a server holds, in few answers and in many: these samples, each once.
#[track_caller]
pub(super) fn check_all_is_read(port: u16, expected: &Samples) {
    let all = Wanted {
        since: Time::At((START - 600) * 1000),
        until: Some(Time::At((START + LENGTH + 600) * 1000)),
        ..wanted(&format!("http://127.0.0.1:{port}"))
    };
    for max_samples in [1_000_000, 3000] {
        let ran = run(&Wanted { max_samples, ..all.clone() });
        let found = held(ran.text());
        let missing: Vec<_> = expected.difference(&found).take(5).collect();
        let added: Vec<_> = found.difference(expected).take(5).collect();
        assert!(missing.is_empty() && added.is_empty(), "missing {missing:?}, added {added:?}\n{}", notes(ran.text()));
    }
}

/// A file of a case.
fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

/// The series of an export as `promtool` takes them.
pub(super) fn open_metrics(export: &Value) -> String {
    let mut families: BTreeMap<&str, String> = BTreeMap::new();
    for series in export["data"]["result"].as_array().unwrap() {
        let labels = series["metric"].as_object().unwrap();
        let name = labels["__name__"].as_str().unwrap();
        let own = labels.iter().filter(|(key, _)| *key != "__name__").map(|(key, value)| format!("{key}={value}"));
        let labels = own.collect::<Vec<_>>().join(",");
        let text = families.entry(name).or_insert_with(|| format!("# TYPE {name} gauge\n"));
        for point in series["values"].as_array().unwrap() {
            let _ = writeln!(text, "{name}{{{labels}}} {} {}", point[1].as_str().unwrap(), point[0]);
        }
    }
    families.into_values().collect::<String>() + "# EOF\n"
}

/// What grows in each container of an input.
fn what_grows(input: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_leaktrend"))
        .args(["analyze", input, "--json", "-", "--since", "2026-11-20T00:00:00Z", "--until", "2026-11-23T00:00:00Z"])
        .output()
        .unwrap();
    let verdict: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let series = verdict["series"].as_array().unwrap().iter();
    let mut found: Vec<String> = series
        .map(|series| {
            format!("{} {} {} {}", series["id"], series["outcome"], series["verdict"], series["grows"]["what"])
        })
        .collect();
    found.sort();
    found
}

/// Also where a process is scraped twice, where its address changes, and where a server scrapes others.
#[test]
fn a_real_server_tells_what_grows() {
    let file = case("what-grows/memory.json.gz");
    let mut export: Value =
        serde_json::from_reader(flate2::read::GzDecoder::new(fs::File::open(&file).unwrap())).unwrap();
    let all = export["data"]["result"].as_array_mut().unwrap();
    for at in 0..all.len() {
        if all[at]["metric"]["__name__"].as_str().unwrap().starts_with("container_") {
            continue;
        }
        let mut with = |labels: &[(&str, &str)], from: usize| {
            let mut other = all[at].clone();
            for (key, value) in labels {
                other["metric"][*key] = (*value).into();
            }
            let values = other["values"].as_array_mut().unwrap();
            values.drain(..from);
            all.push(other);
        };
        with(&[("instance", "10.0.0.1:80"), ("job", "web")], 300);
        with(&[("pod", "elsewhere-1"), ("instance", "10.0.0.2:80")], 0);
        with(&[("pod", ""), ("instance", "10.0.0.3:80")], 0);
        let values = all[at]["values"].as_array_mut().unwrap();
        values.truncate(500);
    }
    let Some(server) = Server::with(&open_metrics(&export), &[]) else { return };
    let found = what_grows(&format!("http://127.0.0.1:{}", server.port));
    assert_eq!(found, what_grows(file.to_str().unwrap()));
    insta::assert_snapshot!(found.join("\n"), @r#"
    "shop/api-1/api" "fail" "leak" "heap"
    "shop/files-1/files" "pass" "flat" "page-cache"
    "shop/images-1/images" "fail" "leak" "outside-heap"
    "shop/queue-1/queue" "warn" "leak-suspected" "shared-memory"
    "#);
}

/// What an export reports restarts a server tells as well, and that it has been asked for it.
#[test]
fn a_real_server_tells_restarts() {
    let export = fs::read(case("restarts-in-export/export.json")).unwrap();
    let metrics = open_metrics(&serde_json::from_slice(&export).unwrap());
    let Some(server) = Server::with(&metrics, &[]) else { return };
    let output = Command::new(env!("CARGO_BIN_EXE_leaktrend"))
        .args(["analyze", &format!("http://127.0.0.1:{}", server.port), "--json", "-"])
        .args(["--since", "2026-11-23T19:50:00Z", "--until", "2026-11-23T23:00:00Z"])
        .output()
        .unwrap();
    let verdict: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let reported: Vec<String> = verdict["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| format!("{}: {} {}", series["id"], series["verdict"], series["restarts"]))
        .collect();
    insta::assert_snapshot!(reported.join("\n"), @r#"
    "shop/web-0/web": "leak-masked-by-restarts" [{"after_bytes":82946091,"at":"2026-11-23T21:35:42.300Z","before_bytes":269084096,"cause":"oom","recorded":true,"what":"OOM-killed, started again, as `container_start_time_seconds`, `kube_pod_container_status_restarts_total` and `kube_pod_container_status_last_terminated_reason` say"}]
    "shop/cache-0/cache": "leak-suspected" []
    "shop/api-0/api": "flat" [{"after_bytes":104102387,"at":"2026-11-23T21:01:07.400Z","before_bytes":148751670,"cause":"event","recorded":true,"what":"ended (Error), started again, as `kube_pod_container_status_restarts_total` and `kube_pod_container_status_last_terminated_reason` say"}]
    "#);
}
