//! The file for the textfile collector of `node_exporter`.

use std::fs;
use std::process::{Command, Stdio};

use super::world::{Course, DAY, MIB, START, World, stamped};

/// The value of a sample.
#[track_caller]
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find(|line| line.strip_prefix(sample).is_some_and(|rest| rest.starts_with(' ')));
    let line = line.unwrap_or_else(|| panic!("no {sample} in\n{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn metrics(world: &World, now: i64) -> String {
    world.night(now, &["--textfile", "m.prom", "--quiet", "--limit", "api=1GiB"]);
    fs::read_to_string(world.path("m.prom")).unwrap()
}

#[test]
fn metrics_say_what_the_night_came_to() {
    let world = World::new();
    world.append(&stamped(0, DAY, &[("api", Course::Leak), ("db", Course::Flat)]));
    let text = metrics(&world, DAY);
    assert_eq!(value(&text, "leaktrend_last_run_timestamp_seconds"), (START + DAY) as f64);
    assert_eq!(value(&text, "leaktrend_exit_code"), 1.0);
    assert_eq!(value(&text, r#"leaktrend_series_outcome{series="api",container="api",state="fail"}"#), 1.0);
    assert_eq!(value(&text, r#"leaktrend_series_verdict{series="db",container="db",state="flat"}"#), 1.0);
    assert_eq!(
        value(&text, r#"leaktrend_last_sample_timestamp_seconds{series="db",container="db"}"#),
        (START + DAY - 900) as f64
    );
    let growth = value(&text, r#"leaktrend_growth_bytes_per_second{series="api",container="api"}"#);
    assert!((growth * 3600.0 / MIB - 10.0).abs() < 0.1, "{growth}");
    let limit = value(&text, r#"leaktrend_time_to_limit_seconds{series="api",container="api"}"#);
    assert!(limit > 86_400.0);
    let memory = value(&text, r#"leaktrend_memory_bytes{series="api",container="api"}"#);
    assert!((memory / MIB - 437.0).abs() < 5.0, "{memory}");
}

/// Logs of causes have no readings that could stop: the metrics of inputs are those of the logs of readings.
#[test]
fn what_is_read_beside_memory_adds_no_input() {
    let world = World::new();
    world.append(&stamped(0, DAY, &[("api", Course::Leak)]));
    let time = |seconds: i64| chrono::DateTime::from_timestamp(START + seconds, 0).unwrap();
    let clf = time(DAY - 60).format("%d/%b/%Y:%H:%M:%S +0000");
    fs::write(world.path("access.log"), format!("::1 - - [{clf}] \"GET / HTTP/1.1\" 200 5\n")).unwrap();
    fs::write(world.path("jobs.csv"), format!("time,jobs_total\n{},1\n{},2\n", START, START + DAY)).unwrap();
    fs::write(world.path("changes.csv"), format!("{},deploy a\n", START + 60)).unwrap();
    let logs = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("leaktrend_input_")).map(str::to_owned).collect()
    };
    let alone = logs(&metrics(&world, DAY));
    let beside = ["--requests", "access.log", "--covariate", "jobs.csv", "--changes", "changes.csv"];
    world.night(DAY, &[&["--textfile", "m.prom", "--quiet", "--limit", "api=1GiB"][..], &beside].concat());
    assert_eq!(logs(&fs::read_to_string(world.path("m.prom")).unwrap()), alone);
    assert_eq!(alone.len(), 4, "{alone:?}");
}

/// Run by `promtool check metrics`, which knows the format and its conventions.
#[test]
fn promtool_has_no_complaint() {
    let world = World::new();
    let name = "a\"b\\c{d}";
    world.append(&stamped(0, DAY, &[("api", Course::Leak), ("db", Course::Flat)]));
    world
        .append(&stamped(0, DAY, &[("api", Course::Leak), ("db", Course::Flat)]).replace(" db ", &format!(" {name} ")));
    let text = metrics(&world, DAY);
    let promtool =
        Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut promtool = match promtool {
        Ok(promtool) => promtool,
        Err(error) => {
            assert!(std::env::var_os("LEAKTREND_REQUIRE_PROMTOOL").is_none(), "promtool cannot be run: {error}");
            eprintln!("skipped: promtool cannot be run: {error}");
            return;
        }
    };
    std::io::Write::write_all(&mut promtool.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

/// A collector reads the file at any time: it is never half written, and it can.
#[cfg(unix)]
#[test]
fn the_file_is_replaced_as_a_whole_and_readable_by_the_collector() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let world = World::new();
    world.append(&stamped(0, DAY, &[("api", Course::Flat)]));
    metrics(&world, DAY);
    let before = fs::metadata(world.path("m.prom")).unwrap();
    metrics(&world, DAY);
    let after = fs::metadata(world.path("m.prom")).unwrap();
    assert_ne!(before.ino(), after.ino());
    assert_eq!(after.permissions().mode() & 0o444, 0o444);
}

/// What is not known is left out: no 0 and no NaN stands for it.
#[test]
fn what_cannot_be_said_is_left_out() {
    let world = World::new();
    world.append(&stamped(0, 1800, &[("api", Course::Flat)]));
    let text = metrics(&world, 1800);
    assert!(!text.contains("leaktrend_growth_bytes_per_second"), "{text}");
    assert!(!text.contains("leaktrend_time_to_limit_seconds"), "{text}");
    assert!(!text.contains("NaN"), "{text}");
}

/// What could not be done is told by the metrics, and what was known of series stays: no alert ends by mistake.
#[test]
fn a_job_that_could_not_be_done_says_so() {
    let world = World::new();
    world.append(&stamped(0, DAY, &[("api", Course::Leak), ("db", Course::Flat)]));
    let before = metrics(&world, DAY);
    let success = "leaktrend_last_success_timestamp_seconds";
    assert_eq!(value(&before, success), (START + DAY) as f64);

    let state = fs::read(world.path("state/state.json")).unwrap();
    fs::write(world.path("state/state.json"), "damaged").unwrap();
    let check = |text: &str, now: i64| {
        assert_eq!(value(text, "leaktrend_exit_code"), 2.0);
        assert_eq!(value(text, "leaktrend_last_run_timestamp_seconds"), (START + now) as f64);
        assert_eq!(value(text, success), (START + DAY) as f64);
        assert_eq!(value(text, r#"leaktrend_series_outcome{series="api",container="api",state="fail"}"#), 1.0);
        let families: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
        let mut once = families.clone();
        once.dedup();
        assert_eq!(families, once);
    };
    check(&metrics(&world, 2 * DAY), 2 * DAY);
    // Twice in a row, and where the settings cannot be used.
    check(&metrics(&world, 3 * DAY), 3 * DAY);
    fs::write(world.path("state/state.json"), state).unwrap();
    fs::write(world.path("leaktrend.toml"), "[nightly]\nkeep = 1\n").unwrap();
    check(&metrics(&world, 4 * DAY), 4 * DAY);
    fs::remove_file(world.path("leaktrend.toml")).unwrap();

    // A log that is missing: done in part.
    fs::rename(world.log(), world.path("elsewhere")).unwrap();
    let text = metrics(&world, DAY + 60);
    assert_eq!((value(&text, "leaktrend_exit_code"), value(&text, success)), (2.0, (START + DAY) as f64));
    fs::rename(world.path("elsewhere"), world.log()).unwrap();
    let text = metrics(&world, DAY + 120);
    assert_eq!((value(&text, "leaktrend_exit_code"), value(&text, success)), (1.0, (START + DAY + 120) as f64));
}

/// The seconds after which somebody is to be told are those of the rules, wherever a document names them.
#[test]
fn documents_and_rules_name_the_same_seconds() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let expression = "time() - leaktrend_last_run_timestamp_seconds > ";
    let seconds = |text: &str| -> Vec<String> {
        let after = text.split(expression).skip(1);
        after.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect()).collect()
    };
    let rules = seconds(&read("packaging/prometheus/leaktrend-alerts.yml"));
    assert_eq!(rules, ["93600"]);
    assert_eq!(seconds(&read("docs/nightly.md")), rules);
    assert!(read("docs/install.md").contains("| `LeaktrendNotRunning` | warning | the job has not run for 26 hours"));
    assert_eq!(93_600, 26 * 3600);
}
