//! Docker events beside readings: what they change in a report, and what they must not change.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leaktrend")).current_dir(root()).args(args).output().unwrap()
}

fn verdict(args: &[&str]) -> Value {
    let output = run(&[&["analyze", "--json", "-"], args].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{args:?}: {error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn series<'v>(verdict: &'v Value, id: &str) -> &'v Value {
    verdict["series"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id}"))
}

fn criterion<'v>(series: &'v Value, id: &str) -> &'v Value {
    series["criteria"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()
}

fn causes(series: &Value) -> Vec<&str> {
    series["restarts"].as_array().unwrap().iter().map(|restart| restart["cause"].as_str().unwrap()).collect()
}

const ONE_KILL: &str = "tests/cases/events-one-kill/vedfinance-job-oom.csv";
const ONE_KILL_EVENTS: &str = "tests/cases/events-one-kill/events.log";

#[test]
fn one_kill_that_is_told_makes_a_leak_of_what_is_only_suspected() {
    let id = "vedfinance-job-oom";
    let guessed = verdict(&[ONE_KILL]);
    assert_eq!(series(&guessed, id)["verdict"], "leak-suspected");
    let told = verdict(&[ONE_KILL, "--events", ONE_KILL_EVENTS]);
    let told = series(&told, id);
    assert_eq!(told["verdict"], "leak-masked-by-restarts");
    assert_eq!(causes(told), ["oom"]);
    // When it was up again, not when it was read next.
    assert_eq!(told["restarts"][0]["at"], "2026-11-23T20:21:32.251Z");
    assert_eq!(told["segments"][1]["why"], "restart");
}

#[test]
fn events_follow_the_schema_and_are_an_input() {
    let schema: Value = serde_json::from_slice(&run(&["schema"]).stdout).unwrap();
    let verdict = verdict(&["data/prometheus.json", "--events", "data/events.log"]);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> = validator.iter_errors(&verdict).map(|error| error.to_string()).collect();
    assert_eq!(problems, Vec::<String>::new());
    let input = &verdict["inputs"][1];
    assert_eq!((input["path"].as_str(), input["format"].as_str()), (Some("data/events.log"), Some("docker-events")));
    assert_eq!(input["events"]["read"], input["events"]["matched"]);
    assert_eq!(input["series"], 2);
}

#[test]
fn compressed_events_and_events_given_twice_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let gz = folder.path().join("events.log.gz");
    let mut encoder = flate2::write::GzEncoder::new(fs::File::create(&gz).unwrap(), flate2::Compression::fast());
    encoder.write_all(&fs::read(root().join(ONE_KILL_EVENTS)).unwrap()).unwrap();
    encoder.finish().unwrap();
    let expected = verdict(&[ONE_KILL, "--events", ONE_KILL_EVENTS]);
    let both = verdict(&[ONE_KILL, "--events", gz.to_str().unwrap(), "--events", ONE_KILL_EVENTS]);
    assert_eq!(both["series"], expected["series"]);
    assert_eq!((&both["inputs"][1]["events"]["read"], &both["inputs"][2]["events"]["read"]), (&3.into(), &0.into()));
}

#[test]
fn events_are_not_matched_with_times_that_are_guessed() {
    let log = "data/memory-usage.log";
    let guessed = verdict(&[log, "--interval", "10s", "--events", "data/events.log"]);
    assert_eq!(guessed["inputs"][1]["events"]["uncertain"], 32);
    let warning = guessed["inputs"][1]["warnings"][0].as_str().unwrap();
    assert_eq!(
        warning,
        "32 of its events were not matched with vedfinance-job-oom, vedfinance-api-leak: when these readings were taken is only inferred (give the time of the last one with `--end`)"
    );
    let without = verdict(&[log, "--interval", "10s"]);
    let restarts =
        |verdict: &Value| verdict["series"].as_array().unwrap().iter().map(|one| causes(one).len()).collect::<Vec<_>>();
    assert_eq!(restarts(&guessed), restarts(&without));

    let given = verdict(&[log, "--interval", "10s", "--end", "2026-11-23T21:21:15Z", "--events", "data/events.log"]);
    assert_eq!(given["inputs"][1]["events"]["matched"], 32);
    assert_eq!(causes(series(&given, "vedfinance-api-leak")), ["event"]);
}

#[test]
fn restarts_between_two_readings_are_all_counted() {
    let case = "tests/cases/events-restart-loop";
    let (stamped, events) = (format!("{case}/stamped.log"), format!("{case}/events.log"));
    let told = verdict(&[&stamped, "--events", &events]);
    let api = criterion(series(&told, "api"), "restart-loop");
    assert_eq!((api["status"].as_str(), api["value"].as_f64()), (Some("fail"), Some(4.0)));
    assert_eq!(api["spans"][0]["pending_at"], "2026-03-02T06:02:01.700Z");
    let coarse: Vec<String> = fs::read_to_string(root().join(&stamped))
        .unwrap()
        .lines()
        .filter(|line| line.contains(":00:00Z"))
        .map(|line| format!("{line}\n"))
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), coarse.concat()).unwrap();
    let hourly = verdict(&[file.path().to_str().unwrap()]);
    assert_eq!(criterion(series(&hourly, "web"), "restart-loop")["status"], "not-evaluable");
    let hourly = verdict(&[file.path().to_str().unwrap(), "--events", &events]);
    let web = criterion(series(&hourly, "web"), "restart-loop");
    assert_eq!(web["status"], "pass");
    assert_eq!(web["reason"], "no restart was seen in events that cover 99.99 % of the time, fewer than 3 allowed");
    assert_eq!(criterion(series(&hourly, "api"), "restart-loop")["status"], "fail");
}

#[test]
fn events_that_cannot_be_read_leave_the_report_and_say_so() {
    let missing = run(&["analyze", "data/memory-trend.csv", "--container", "#7$", "--events", "no/events.log"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("cannot use `no/events.log`: it cannot be opened"));
    assert!(String::from_utf8_lossy(&missing.stdout).contains("memory-trend#7"));

    let stdin = run(&["analyze", "data/memory-trend.csv", "--events", "-"]);
    assert_eq!(stdin.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&stdin.stderr),
        "error: `--events -`: events are read from files only (expected a file)\n"
    );
}

fn capture() -> Option<PathBuf> {
    let shared = std::env::var_os("LEAKTREND_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let capture = shared.join("data/capture");
    if capture.is_dir() {
        Some(capture)
    } else {
        println!("skipped: no folder `{}` (set LEAKTREND_SHARED)", capture.display());
        None
    }
}

/// For each service of the capture, by either of its names, the verdicts that are right.
fn right_verdicts(capture: &Path) -> BTreeMap<String, Vec<String>> {
    let mut labels = csv::Reader::from_path(capture.join("labels.csv")).unwrap();
    labels
        .records()
        .map(Result::unwrap)
        .flat_map(|row| {
            let verdicts: Vec<String> = row[4].split('|').map(str::to_owned).collect();
            [(row[0].to_owned(), verdicts.clone()), (row[1].to_owned(), verdicts)]
        })
        .collect()
}

/// Reads one form of the capture with and without events; all labels hold either way.
#[track_caller]
fn check_labels(form: &str, options: &[&str]) {
    let Some(capture) = capture() else { return };
    let right = right_verdicts(&capture);
    let path = capture.join(form);
    let events = [None, Some("events.log"), Some("events.jsonl")];
    for events in events {
        let file = events.map(|name| capture.join(name));
        let mut args = vec![path.to_str().unwrap()];
        args.extend(options);
        args.extend(file.iter().flat_map(|file| ["--events", file.to_str().unwrap()]));
        let verdict = verdict(&args);
        let found = verdict["series"].as_array().unwrap();
        assert_eq!(found.len(), 8, "{form}");
        for one in found {
            let name = one["labels"]["container"].as_str().unwrap();
            let verdict = one["verdict"].as_str().unwrap();
            assert!(right[name].iter().any(|right| right == verdict), "{form} {events:?}: {name} is {verdict}");
            if events.is_some() && name.ends_with("job-oom") {
                // The events end before the last kill.
                assert_eq!(causes(one), ["oom"; 9], "{form}");
                let told = "2026-11-23T20:13:08.935Z";
                assert_eq!(one["restarts"][0]["at"], told, "{form}");
            }
            if events.is_some() && name.ends_with("api-leak") {
                assert_eq!(causes(one), ["event"], "{form}");
            }
        }
    }
}

#[test]
fn labels_of_the_capture_hold_with_events_beside_docker_stats() {
    check_labels("memory-usage.log", &["--interval", "10s", "--end", "1795468875"]);
}

#[test]
fn labels_of_the_capture_hold_with_events_beside_stamped_rows() {
    check_labels("stamped-lines.log", &[]);
}

#[test]
fn labels_of_the_capture_hold_with_events_beside_scrapes() {
    check_labels("prometheus-raw.json", &[]);
}

#[test]
fn labels_of_the_capture_hold_with_events_beside_points_of_a_range_query() {
    check_labels("prometheus-range-60s.json", &[]);
}

/// With a load: `labels.csv` says what the two soaks must come to.
#[test]
fn the_soaks_of_the_capture_come_out_as_labelled() {
    let Some(capture) = capture() else { return };
    let mut labels = csv::Reader::from_path(capture.join("labels.csv")).unwrap();
    for row in labels.records().map(Result::unwrap).filter(|row| !row[5].is_empty()) {
        let load = format!("{}..{}", &row[5], &row[6]);
        for form in ["stamped-blocks.log", "prometheus-raw.json"] {
            let wanted = format!("^(vedfinance-)?{}$", &row[0]);
            let path = capture.join(form);
            let verdict = verdict(&[path.to_str().unwrap(), "--load", &load, "--container", &wanted]);
            let outcome = verdict["series"][0]["outcome"].as_str().unwrap();
            assert!(row[7].split('|').any(|right| right == outcome), "{form} {}: {outcome}", &row[0]);
            let after = criterion(&verdict["series"][0], "flat-after-load");
            for reference in [" before it", " at its end"] {
                assert!(after["reason"].as_str().unwrap().contains(reference), "{after}");
            }
        }
    }
}
