//! Several amounts of one container: one series, one verdict, and what grows in it.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common::Random;

const MIB: f64 = 1_048_576.0;
/// 2026-11-20 00:00:00 UTC.
const START: i64 = 1_795_132_800;
/// A reading every five minutes, for two days and a half.
const N: usize = 720;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_leaktrend"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .env("COLUMNS", "200")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The verdict of a run, held against its schema.
fn verdict(folder: &Path, arguments: &[&str]) -> Value {
    let (_, stdout, stderr) = run(folder, &[&["analyze"], arguments, &["--json", "-"]].concat());
    let verdict: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout} {stderr}"));
    let schema: Value = serde_json::from_str(leaktrend::report::json::SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> = validator.iter_errors(&verdict).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}");
    verdict
}

/// A line for each series: id, outcome, verdict, what grows, and its parts with their verdicts.
fn said(verdict: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |series: &Value| {
        let parts = series["parts"].as_array().cloned().unwrap_or_default();
        let parts: Vec<String> =
            parts.iter().map(|part| format!("{} {}", text(&part["id"]), text(&part["verdict"]))).collect();
        format!(
            "{}: {} {} {} [{}]\n",
            text(&series["id"]),
            text(&series["outcome"]),
            text(&series["verdict"]),
            text(&series["grows"]["what"]),
            parts.join(", ")
        )
    };
    verdict["series"].as_array().unwrap().iter().map(line).collect()
}

/// An export of series: labels and MiB by reading, with a little noise.
fn export(series: &[(&str, &dyn Fn(f64) -> f64)]) -> String {
    let mut random = Random::seeded(11);
    let series: Vec<String> = series
        .iter()
        .map(|(labels, mib)| {
            let values: Vec<String> = (0..N)
                .map(|at| {
                    let noise = random.below(2000) as f64 / 1000.0;
                    let bytes = ((mib(at as f64 / N as f64) + noise) * MIB).round();
                    format!("[{},\"{bytes}\"]", START + 300 * at as i64)
                })
                .collect();
            format!("{{\"metric\":{{{labels}}},\"values\":[{}]}}", values.join(","))
        })
        .collect();
    format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{}]}}}}", series.join(","))
}

fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    folder
}

fn of_pod(metric: &str, pod: &str, more: &str) -> String {
    format!("\"__name__\":\"{metric}\",\"namespace\":\"shop\",\"pod\":\"{pod}\",\"container\":\"web\"{more}")
}

fn recorded(name: &str) -> PathBuf {
    root().join(format!("tests/reference/node/{name}.mem.jsonl.gz"))
}

/// 5.9 MiB a minute on a heap that holds 346 MiB, beside 464 MiB of resident memory.
#[test]
fn growth_of_a_heap_is_compared_with_what_the_heap_holds() {
    let verdict = verdict(root(), &[recorded("b1").to_str().unwrap()]);
    let tonight = verdict["series"][0]["next_action"]["text"].as_str().unwrap();
    assert!(tonight.contains("at this rate its memory doubles in about 59 min"), "{tonight}");
}

/// Growth that is certain of a series alone may be chance among many: it waits for their false discovery rate.
#[test]
fn growth_that_is_no_discovery_is_suspected() {
    let labels = of_pod("container_memory_working_set_bytes", "a", "");
    let leak = |x: f64| 200.0 + 60.0 * x;
    let settings = "[verdict]\nfalse_discovery_rate = 1e-300\n".to_owned();
    let folder = folder(&[("memory.json", export(&[(&labels, &leak)])), ("strict.toml", settings)]);
    let verdict_of = |arguments: &[&str]| verdict(folder.path(), arguments)["series"][0]["verdict"].clone();
    assert_eq!(verdict_of(&["memory.json"]), "leak");
    assert_eq!(verdict_of(&["memory.json", "--config", "strict.toml"]), "leak-suspected");
}

/// Recorded Node.js services (`tests/reference/node/service.js`) that keep nothing, 1, 5 and 20 MB a minute.
#[test]
fn recorded_processes_are_judged_by_what_they_keep() {
    let at = |name: &str, minutes: u32| {
        let path = recorded(name);
        // The first reading is at 18:43:04.
        let until = format!("2026-11-28T{:02}:{:02}:10Z", 18 + (43 + minutes) / 60, (43 + minutes) % 60);
        let verdict = verdict(root(), &[path.to_str().unwrap(), "--until", &until]);
        let [process] = verdict["series"].as_array().unwrap().as_slice() else { panic!("one process is one series") };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&process["outcome"]), text(&process["verdict"]), text(&process["grows"]["what"]))
    };
    for minutes in [2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 31] {
        let (outcome, ..) = at("h1", minutes);
        assert_ne!(outcome, "fail", "h1 at {minutes} min");
    }
    for minutes in [10, 15, 20, 25, 31] {
        let (outcome, verdict, _) = at("c1", minutes);
        assert_eq!((outcome.as_str(), verdict.as_str()), ("fail", "leak"), "c1 at {minutes} min");
    }
    assert_eq!(at("b1", 31), ("fail".to_owned(), "leak".to_owned(), "heap".to_owned()));
    assert_eq!(at("a1", 31), ("fail".to_owned(), "leak".to_owned(), "heap".to_owned()));
    for minutes in [10, 15, 20, 25, 31] {
        assert_ne!(at("a1", minutes).0, "pass", "a1 at {minutes} min");
        assert_ne!(at("b1", minutes).0, "pass", "b1 at {minutes} min");
    }
}

/// The same with a reading every 15 s instead of every 5 s.
#[test]
fn thinned_recordings_are_judged_alike() {
    let at_the_end = |name: &str| {
        let mut text = String::new();
        let file = fs::File::open(recorded(name)).unwrap();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let thinned: Vec<&str> = text.lines().step_by(3).collect();
        let folder = folder(&[("thinned.jsonl", thinned.join("\n") + "\n")]);
        let verdict = verdict(folder.path(), &["thinned.jsonl"]);
        let [process] = verdict["series"].as_array().unwrap().as_slice() else { panic!("one process is one series") };
        process["outcome"].as_str().unwrap().to_owned()
    };
    assert_ne!(at_the_end("h1"), "fail");
    assert_eq!(at_the_end("a1"), "warn");
    assert_eq!(at_the_end("b1"), "fail");
    assert_eq!(at_the_end("c1"), "fail");
}

#[test]
fn a_part_can_be_judged_alone_and_names_of_both_kinds_are_known() {
    let path = recorded("b1");
    let path = path.to_str().unwrap();
    let with = |arguments: &[&str]| verdict(root(), &[&[path], arguments].concat());
    assert_eq!(said(&with(&["--container", "^b1.mem/heapUsed$"])), "b1.mem/heapUsed: fail leak - []\n");
    let whole = said(&with(&["--container", "^b1.mem$"]));
    assert!(whole.starts_with("b1.mem: fail leak heap [b1.mem/heapUsed leak, b1.mem/heapTotal "), "{whole}");
    let some = said(&with(&["--container", "rss|heapTotal"]));
    assert!(some.starts_with("b1.mem: ") && some.contains("[b1.mem/heapTotal "), "{some}");
    for name in ["b1.mem", "b1.mem/rss"] {
        let limited = with(&["--limit", &format!("{name}=1GiB")]);
        assert_eq!(limited["series"][0]["memory"]["limit"], 1_073_741_824_u64, "{name}");
    }
    let (status, _, stderr) = run(root(), &["analyze", path, "--limit", "b2.mem=1GiB"]);
    assert_eq!(status, Some(2));
    assert!(stderr.contains("`--limit b2.mem=1GiB`: no series has this name (the nearest are `b1.mem`"), "{stderr}");
}

#[test]
fn tables_of_the_settings_match_containers_and_parts() {
    let path = recorded("b1");
    let ignoring = |pattern: &str| {
        let folder = folder(&[("leaktrend.toml", format!("[[series]]\nmatch = \"{pattern}\"\nignore = true\n"))]);
        said(&verdict(folder.path(), &[path.to_str().unwrap()]))
    };
    assert_eq!(ignoring("^b1.mem$"), "");
    let without_heap = ignoring("/heap");
    assert!(!without_heap.contains("heapUsed") && without_heap.contains("b1.mem/external"), "{without_heap}");
}

#[test]
fn what_the_runbook_calls_normal_of_a_process_is_shown() {
    let path = recorded("b1");
    let verdict = verdict(root(), &[path.to_str().unwrap()]);
    let criteria = verdict["series"][0]["criteria"].as_array().unwrap();
    let normal: Vec<String> = ["rss-500mb", "heap-total-300mb", "heap-used-200mb"]
        .map(|id| criteria.iter().find(|criterion| criterion["id"] == id).unwrap())
        .map(|criterion| format!("{} {} {}", criterion["status"], criterion["gates"], criterion["reason"]))
        .to_vec();
    insta::assert_snapshot!(normal.join("\n"));
}

#[test]
fn a_process_joins_the_container_of_its_pod_and_pools_of_a_heap_are_summed() {
    let level = |_: f64| 300.0;
    let grows = |x: f64| 100.0 + 120.0 * x;
    let heap = |pool: &str, pod: &str| {
        let scraped = format!(",\"instance\":\"10.0.0.9:9090\",\"job\":\"web\",\"area\":\"heap\",\"id\":\"{pool}\"");
        of_pod("jvm_memory_used_bytes", pod, &scraped)
    };
    let cgroup = |metric: &str, pod: &str| of_pod(metric, pod, ",\"id\":\"/kubepods/x\",\"node\":\"n1\"");
    let text = export(&[
        (&cgroup("container_memory_working_set_bytes", "web-1"), &|x| 420.0 + 120.0 * x),
        (&heap("G1 Eden Space", "web-1"), &|_| 40.0),
        (&heap("G1 Old Gen", "web-1"), &grows),
        (&cgroup("container_memory_working_set_bytes", "web-2"), &level),
        // Two scrapes of one process: which is meant is not known.
        (&of_pod("process_resident_memory_bytes", "web-2", ",\"instance\":\"a\""), &level),
        (&of_pod("process_resident_memory_bytes", "web-2", ",\"instance\":\"b\""), &level),
    ]);
    let folder = folder(&[("export.json", text)]);
    insta::assert_snapshot!(said(&verdict(folder.path(), &["export.json"])));
}

#[test]
fn processes_without_pods_are_told_apart_by_job_and_instance() {
    let process =
        |metric: &str, instance: &str| format!("\"__name__\":\"{metric}\",\"job\":\"api\",\"instance\":\"{instance}\"");
    let text = export(&[
        (&process("process_resident_memory_bytes", "10.0.0.1:3000"), &|x| 200.0 + 120.0 * x),
        (&process("go_memstats_heap_inuse_bytes", "10.0.0.1:3000"), &|_| 80.0),
        (&process("go_memstats_heap_sys_bytes", "10.0.0.1:3000"), &|_| 100.0),
        (&process("process_resident_memory_bytes", "10.0.0.2:3000"), &|_| 200.0),
        (&process("go_memstats_heap_inuse_bytes", "10.0.0.2:3000"), &|_| 80.0),
    ]);
    let folder = folder(&[("export.json", text)]);
    insta::assert_snapshot!(said(&verdict(folder.path(), &["export.json"])));
}

#[test]
fn every_report_says_what_grows() {
    let text = export(&[
        (&of_pod("container_memory_working_set_bytes", "web-1", ""), &|_| 300.0),
        (&of_pod("container_memory_rss", "web-1", ""), &|_| 250.0),
        (&of_pod("container_memory_cache", "web-1", ""), &|x| 60.0 + 300.0 * x),
        (&of_pod("process_resident_memory_bytes", "web-2", ""), &|x| 200.0 + 120.0 * x),
        (&of_pod("nodejs_heap_size_used_bytes", "web-2", ""), &|_| 80.0),
    ]);
    let folder = folder(&[("export.json", text)]);
    let (status, stdout, _) = run(
        folder.path(),
        &["analyze", "export.json", "--out", "out", "--html", "report.html", "--junit", "junit.xml", "--charts", "all"],
    );
    assert_eq!(status, Some(1));
    let cache = "page cache, which the kernel takes back when memory is short, so this is not a leak";
    let outside = "memory outside the heap, such as buffers, native code or fragmentation";
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let (markdown, html, junit) = (read("out/verdict.md"), read("report.html"), read("junit.xml"));
    for (name, text) in [("stdout", &stdout), ("markdown", &markdown), ("html", &html), ("junit", &junit)] {
        assert!(text.contains(cache) && text.contains(outside), "{name}: {text}");
    }
    assert!(markdown.contains("Tomorrow: memory grows outside the heap: count buffers"), "{markdown}");
    let mut annotated = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    let annotated = annotated.args(["analyze", "export.json"]).current_dir(folder.path()).env("GITHUB_ACTIONS", "true");
    let annotated = String::from_utf8(annotated.env_remove("GITHUB_STEP_SUMMARY").output().unwrap().stderr).unwrap();
    assert!(annotated.contains(outside), "{annotated}");
    // The chart has the parts below the plot.
    let svg = &html[html.find("nodejs_heap_size_used_bytes").unwrap()..];
    assert!(svg.contains("level"), "the part says its verdict");
    let height = |name: &str| {
        let png = fs::read(folder.path().join("out/charts").join(name)).unwrap();
        u32::from_be_bytes(png[20..24].try_into().unwrap())
    };
    assert_eq!(height("shop_web-2_web.png"), 720 + 124 + 8);
    assert_eq!(height("shop_web-1_web.png"), 720 + 2 * 124 + 8);
}

#[test]
fn rules_stay_with_the_metric_that_they_name() {
    let rules = "groups:\n- name: memory\n  rules:\n  - alert: CacheIsLarge\n    expr: container_memory_cache > 2e8\n    for: 5m\n";
    let text = export(&[
        (&of_pod("container_memory_working_set_bytes", "web-1", ""), &|_| 300.0),
        (&of_pod("container_memory_cache", "web-1", ""), &|x| 60.0 + 300.0 * x),
    ]);
    let folder = folder(&[("export.json", text), ("rules.yml", rules.to_owned())]);
    let verdict = verdict(folder.path(), &["export.json", "--rules", "rules.yml"]);
    let [container] = verdict["series"].as_array().unwrap().as_slice() else { panic!("one container") };
    let criteria = container["criteria"].as_array().unwrap();
    let own: Vec<&Value> = criteria.iter().filter(|criterion| criterion["id"] == "rule:CacheIsLarge").collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["status"], "fail");
    assert_eq!(container["verdict"], "flat");
    assert_eq!(container["outcome"], "fail", "the team's own rule fails it");
}

/// The runbook's alert reads an amount that counts cache: somebody who is woken by it must find that here.
#[test]
fn an_alert_that_cache_sets_off_is_explained() {
    let note = |limit: &str| {
        let case = root().join("tests/cases/what-grows");
        let verdict = verdict(&case, &["memory.json.gz", "--limit", limit, "--container", "files"]);
        let notes = verdict["series"][0]["notes"].as_array().unwrap().clone();
        let note = notes.iter().filter_map(Value::as_str).find(|note| note.contains("page cache")).unwrap();
        note.split_once("it was up to ").unwrap().1.to_owned()
    };
    let case = root().join("tests/cases/what-grows");
    let folder = tempfile::tempdir().unwrap();
    let healthy = |limit: &str| {
        let out = folder.path().to_str().unwrap();
        let args =
            ["analyze", "memory.json.gz", "--limit", limit, "--container", "files", "--charts", "none", "--out", out];
        run(&case, &args);
        fs::read_to_string(folder.path().join("verdict.md")).unwrap()
    };
    // Of a healthy one, too; and only where it may wake somebody.
    assert!(healthy("850MiB").contains("may fire for cache that the kernel takes back"), "{}", healthy("850MiB"));
    assert!(!healthy("900MiB").contains("page cache: it was"), "{}", healthy("900MiB"));
    assert_eq!(note("900MiB"), "782.2 MiB (87 % of its limit)");
    assert_eq!(
        note("850MiB"),
        "782.2 MiB (92 % of its limit: the runbook's high-memory, which alerts above 90 %, may fire for cache that the \
         kernel takes back when it is needed)"
    );
}
