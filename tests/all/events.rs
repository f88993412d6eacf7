//! Docker events beside readings: what they change in a report, and what they must not change.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use leaktrend::events::read_events;
use leaktrend::open::Given;
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
    let reported = verdict(&[ONE_KILL, "--events", ONE_KILL_EVENTS]);
    let reported = series(&reported, id);
    assert_eq!(reported["verdict"], "leak-masked-by-restarts");
    assert_eq!(causes(reported), ["oom"]);
    // When it was up again, not when it was read next.
    assert_eq!(reported["restarts"][0]["at"], "2026-11-23T20:21:32.251Z");
    assert_eq!(reported["segments"][1]["why"], "restart");
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
        "32 of its events were not matched with vedfinance-job-oom, vedfinance-api-leak: the readings have no times of their own (give `--interval`, and the time of the last one with `--end`)"
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
    let reported = verdict(&[&stamped, "--events", &events]);
    let api = criterion(series(&reported, "api"), "restart-loop");
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
    assert_eq!(
        web["reason"],
        "no restart was seen, in events that cover 99.99 % of the time; fewer than 3 are allowed"
    );
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
        "error: `--events -`: it is read from files only (expected a file)\n"
    );
}

const TOLD: &str = "tests/cases/restarts-in-export/export.json";

/// An export without what reports restarts in it.
fn only_memory() -> tempfile::NamedTempFile {
    let mut export: Value = serde_json::from_slice(&fs::read(root().join(TOLD)).unwrap()).unwrap();
    let series = export["data"]["result"].as_array_mut().unwrap();
    series.retain(|one| one["metric"]["__name__"] == "container_memory_working_set_bytes");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), export.to_string()).unwrap();
    file
}

fn whats(series: &Value) -> Vec<&str> {
    series["restarts"].as_array().unwrap().iter().map(|restart| restart["what"].as_str().unwrap()).collect()
}

/// A counter that stands still shows that a cache which is emptied is no restart; one that moves, with a start time and a
/// reason, that a fall is a kill.
#[test]
fn what_an_export_tells_of_restarts_is_not_guessed() {
    let memory = only_memory();
    let guessed = verdict(&[memory.path().to_str().unwrap()]);
    let reported = verdict(&[TOLD]);
    let (web, api, cache) = ("shop/web-0/web", "shop/api-0/api", "shop/cache-0/cache");
    let restarts = |verdict: &Value, id: &str| {
        let restarts = series(verdict, id)["restarts"].as_array().unwrap().clone();
        restarts
            .iter()
            .map(|one| {
                format!("{} {} {}", one["at"].as_str().unwrap(), one["cause"].as_str().unwrap(), one["recorded"])
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(restarts(&guessed, web), ["2026-11-23T21:36:07.400Z level-drop false"]);
    assert_eq!(restarts(&reported, web), ["2026-11-23T21:35:42.300Z oom true"]);
    assert_eq!(restarts(&guessed, cache), ["2026-11-23T22:00:07.400Z level-drop false"]);
    assert_eq!(restarts(&reported, cache), [""; 0]);
    assert_eq!(series(&guessed, cache)["verdict"], "flat", "it starts up to the level of before");
    assert_eq!(series(&reported, cache)["verdict"], "leak-suspected");
    assert_eq!(restarts(&guessed, api), [""; 0]);
    assert_eq!(restarts(&reported, api), ["2026-11-23T21:01:07.400Z event true"]);
    assert_eq!(
        whats(series(&reported, api)),
        [
            "ended (Error), started again, as `kube_pod_container_status_restarts_total` and `kube_pod_container_status_last_terminated_reason` say"
        ]
    );
}

#[test]
fn a_table_keeps_what_an_export_tells() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("export.parquet");
    let reported = verdict(&[TOLD, "--parquet", table.to_str().unwrap()]);
    assert_eq!(verdict(&[table.to_str().unwrap()])["series"], reported["series"]);
}

/// Readings an hour apart cannot show a loop of restarts, and a counter can.
#[test]
fn a_loop_is_seen_in_the_counter_however_far_apart_readings_are() {
    let start = 1_795_464_000;
    let series = |name: &str, container: &str, more: &str, points: &[(i64, i64)]| {
        let values: Vec<String> =
            points.iter().map(|(minute, value)| format!("[{},\"{value}\"]", start + 60 * minute)).collect();
        format!(
            "{{\"metric\":{{\"__name__\":\"{name}\",\"namespace\":\"shop\",\"pod\":\"{container}-0\",\"container\":\"{container}\"{more}}},\"values\":[{}]}}",
            values.join(",")
        )
    };
    let mut all = Vec::new();
    for (container, killed_at) in [("web", &[250, 262, 275, 289][..]), ("api", &[])] {
        let hours: Vec<(i64, i64)> = (0..12).map(|hour| (60 * hour, 100 << 20)).collect();
        all.push(series("container_memory_working_set_bytes", container, "", &hours));
        let count = |minute: i64| killed_at.iter().filter(|at| **at <= minute).count() as i64;
        let minutes: Vec<(i64, i64)> = (0..=660).map(|minute| (minute, count(minute))).collect();
        all.push(series("kube_pod_container_status_restarts_total", container, "", &minutes));
        let reasons: Vec<(i64, i64)> =
            (0..=660).filter(|minute| 0 < count(*minute)).map(|minute| (minute, 1)).collect();
        if !reasons.is_empty() {
            let reason = ",\"reason\":\"OOMKilled\"";
            all.push(series("kube_pod_container_status_last_terminated_reason", container, reason, &reasons));
        }
    }
    let check = |all: &[String]| {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), format!("[{}]", all.join(","))).unwrap();
        let verdict = verdict(&[file.path().to_str().unwrap()]);
        ["web", "api"].map(|name| {
            let criterion = criterion(series_of(&verdict, name), "restart-loop");
            format!("{}: {}", criterion["status"].as_str().unwrap(), criterion["reason"].as_str().unwrap())
        })
    };
    assert_eq!(
        check(&all),
        [
            "fail: 4 restarts within 39 min from 2026-11-24T00:10:00Z (all 4 OOM-killed); fewer than 3 within 1 h are allowed",
            "pass: no restart was seen, in events that cover 100 % of the time; fewer than 3 are allowed"
        ]
    );
    all.retain(|series| series.contains("working_set"));
    assert!(check(&all).iter().all(|said| said.starts_with("not-evaluable")), "{:?}", check(&all));
}

fn series_of<'v>(verdict: &'v Value, container: &str) -> &'v Value {
    let all = verdict["series"].as_array().unwrap();
    all.iter().find(|one| one["labels"]["container"] == container).unwrap()
}

/// Writes a file of events, gives the restarts of the only series, and the account of the file.
fn told_by(readings: &str, name: &str, text: &str, of: &str) -> (Vec<String>, Value) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let verdict = verdict(&[readings, "--events", &format!("{of}{}", path.display())]);
    let restarts = verdict["series"][0]["restarts"].as_array().unwrap();
    let said = restarts.iter().map(|one| format!("{} {}", one["at"].as_str().unwrap(), one["what"].as_str().unwrap()));
    (said.collect(), verdict["inputs"][1].clone())
}

/// Each form says that the one container was killed at 20:21:31.
#[test]
fn logs_tell_what_docker_events_tell() {
    let id = "3f2a9c0d1e4b5a6978870615243342516f7e8d9c0b1a29384756647382910abc";
    let heap = "2026-11-23T20:21:31.000000000Z FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n";
    let java = "2026-11-23 20:21:31,000 ERROR java.lang.OutOfMemoryError: Java heap space\n";
    let kernel = format!(
        "[Mon Nov 23 20:21:31 2026] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset={id},mems_allowed=0,oom_memcg=/docker/{id},task_memcg=/docker/{id},task=node,pid=4711,uid=0\n\
         [Mon Nov 23 20:21:31 2026] Memory cgroup out of memory: Killed process 4711 (node) total-vm:1124396kB, anon-rss:521032kB\n"
    );
    let journal = "Nov 23 20:21:31 node-1 kernel: Out of memory: Killed process 4711 (node) total-vm:1124396kB, anon-rss:521032kB\n";
    for (name, text, expected) in [
        ("vedfinance-job-oom.log", heap, "out of heap memory (JavaScript heap out of memory), as its log says"),
        ("stderr.txt", java, "out of heap memory (Java heap space), as its log says"),
        ("dmesg.txt", &kernel, "a process in it was OOM-killed, as the kernel log says"),
        ("kern.log", journal, "a process in it was OOM-killed, as the kernel log says"),
    ] {
        let (said, input) = told_by(ONE_KILL, name, text, "");
        assert_eq!(said, [format!("2026-11-23T20:21:31Z {expected}")], "{name}: {input}");
        assert_eq!(input["format"], "log", "{name}");
        assert_eq!(input["events"]["read"], input["events"]["matched"], "{name}");
    }
    // In a log of another container it would be another's.
    let both = verdict(&["data/prometheus.json", "--events", "tests/cases/events-one-kill/events.log"]);
    assert!(both["series"].as_array().unwrap().len() > 1);
    let (said, input) = told_by("data/prometheus.json", "stderr.txt", java, "");
    assert!(said.iter().all(|said| !said.contains("as its log says")), "{said:?}");
    let warning = "its 1 event does not match any container with readings (it names stderr): name its container with `--events NAME=FILE`";
    assert_eq!(input["warnings"][1], warning);
}

#[test]
fn a_log_is_of_the_series_that_the_user_names() {
    let java = "2026-11-23T21:00:31Z ERROR java.lang.OutOfMemoryError: Java heap space\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stderr.txt");
    fs::write(&path, java).unwrap();
    let given = |name: &str| format!("{name}={}", path.display());
    let verdict = verdict(&[only_memory().path().to_str().unwrap(), "--events", &given("shop/api-0/api")]);
    assert_eq!(whats(series(&verdict, "shop/api-0/api")), ["out of heap memory (Java heap space), as its log says"]);
    assert_eq!(verdict["inputs"][1]["series"], 1);
    let unknown = run(&["analyze", "data/prometheus.json", "--events", &given("api-leek")]);
    assert_eq!(unknown.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(stderr.contains("no series is called `api-leek` (the nearest are `api-leak`"), "{stderr}");
}

/// A kill of a container in a pod, as the kernel names it: the ID is of an earlier run, the pod is the same.
#[test]
fn the_kernel_names_pods_by_their_uid() {
    let uid = "0a1b2c3d-1111-2222-3333-444455556666";
    let memory = fs::read_to_string(only_memory().path()).unwrap();
    let web = "\"container\":\"web\"";
    let with_id = memory.replace(web, &format!("{web},\"id\":\"/kubepods/burstable/pod{uid}/{}\"", "b".repeat(64)));
    let readings = tempfile::NamedTempFile::new().unwrap();
    fs::write(readings.path(), with_id).unwrap();
    let path =
        format!("/kubepods.slice/kubepods-pod{}.slice/cri-containerd-{}.scope", uid.replace('-', "_"), "a".repeat(64));
    let kernel = format!(
        "2026-11-23T21:35:41+0000 node-1 kernel: oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg={path},task_memcg={path},task=node,pid=4711,uid=0\n\
         2026-11-23T21:35:41+0000 node-1 kernel: Memory cgroup out of memory: Killed process 4711 (node) total-vm:1124396kB\n"
    );
    let (said, input) = told_by(readings.path().to_str().unwrap(), "kern.log", &kernel, "");
    assert_eq!(said, ["2026-11-23T21:35:41Z a process in it was OOM-killed, as the kernel log says"], "{input}");
}

#[test]
fn kubectl_tells_of_pods_and_the_schema_knows_it() {
    let pods = r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod",
        "metadata":{"name":"web-0","namespace":"shop"},"status":{"containerStatuses":[
          {"name":"web","restartCount":1,"state":{"running":{"startedAt":"2026-11-23T21:35:42Z"}},
           "lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled","startedAt":"2026-11-23T19:55:00Z","finishedAt":"2026-11-23T21:35:41Z"}}}]}}]}"#;
    let memory = only_memory();
    let (said, input) = told_by(memory.path().to_str().unwrap(), "pods.json", pods, "");
    assert_eq!(said, ["2026-11-23T21:35:42Z OOM-killed (exit code 137), started again, as Kubernetes says"]);
    assert_eq!((input["format"].as_str(), &input["events"]["matched"]), (Some("kubernetes"), &3.into()));
    let schema: Value = serde_json::from_slice(&run(&["schema"]).stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pods.json");
    fs::write(&path, pods).unwrap();
    let verdict = verdict(&[TOLD, "--events", path.to_str().unwrap()]);
    let problems: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&verdict).map(|error| error.to_string()).collect();
    assert_eq!(problems, Vec::<String>::new());
    // Told twice, it is one restart.
    assert_eq!(causes(series(&verdict, "shop/web-0/web")), ["oom"]);
}

/// Wherever a file breaks off, and whatever digits it has: nothing falls over, and no event is counted that is not there.
#[test]
fn files_that_break_off_are_read_as_far_as_they_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    for seed in ["kernel", "application", "pods", "text", "json"] {
        let whole = fs::read_to_string(root().join("fuzz/seeds/events").join(seed)).unwrap();
        let whole: String = whole.chars().take(1500).collect();
        let cuts =
            (0..whole.len()).step_by(7).filter(|end| whole.is_char_boundary(*end)).map(|end| whole[..end].to_owned());
        let others = ["\u{661}", "+", ":", "99"].map(|other| whole.replace('1', other));
        for text in cuts.chain(others) {
            fs::write(&path, &text).unwrap();
            let given = [Given { series: None, path: path.clone() }];
            let log = read_events(&given, Some(1_795_464_420_000));
            let counted = log.inputs[0].events.map_or(0, |events| events.read);
            assert_eq!(log.events.len() as u64, counted, "{text}");
        }
    }
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
                let reported = "2026-11-23T20:13:08.935Z";
                assert_eq!(one["restarts"][0]["at"], reported, "{form}");
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
