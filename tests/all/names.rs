//! Names and times that a user gives: what matches nothing is said, and windows count back from the last reading.

use std::fs;
use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    command.arg("analyze").args(args).output().unwrap()
}

/// The exit code and standard error.
fn refusal(args: &[&str]) -> String {
    let output = run(args);
    format!("exit {}\n{}", output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// The exit code and the notes that have this word.
fn notes(args: &[&str], word: &str) -> String {
    let output = run(args);
    let text = String::from_utf8(output.stdout).unwrap();
    let notes = text.lines().filter(|line| line.starts_with("note: ") && line.contains(word));
    notes.fold(format!("exit {}\n", output.status.code().unwrap()), |found, line| format!("{found}{line}\n"))
}

const EXPORT: &str = "data/prometheus.json";

/// The limit of a name that none has held silently for nothing.
#[test]
fn a_limit_of_no_series_is_refused_with_the_nearest_names() {
    insta::assert_snapshot!(refusal(&[EXPORT, "--limit", "api-lek=2GiB"]), @r"
    exit 2
    error: `--limit api-lek=2GiB`: no series has this name (the nearest are `api-leak`, `soak-leak`, `job-oom`)
    ");
    insta::assert_snapshot!(refusal(&[EXPORT, "--limit", "2GiB", "--limit", "web=1GiB"]), @r"
    exit 2
    error: `--limit web=1GiB`: no series has this name (the nearest are `web-flat`, `job-oom`, `api-leak`)
    ");
    // A name is known though its series is not judged; a container's name is one, too.
    for args in
        [["--limit", "api-leak=2GiB", "--container", "^web"], ["--limit", "web-flat=2GiB", "--container", "^web"]]
    {
        let output = run(&[&[EXPORT], &args[..]].concat());
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{args:?}");
    }
}

#[test]
fn a_required_criterion_that_is_none_is_refused_with_the_nearest_names() {
    insta::assert_snapshot!(refusal(&[EXPORT, "--require", "growth-100mb-5min"]), @r"
    exit 2
    error: `--require growth-100mb-5min`: not a criterion (did you mean `growth-100mb-5m`, `rapid-50mb-per-min`, `rss-500mb`?) (expected `rule:NAME` or one of growth-100mb-5m, high-memory, confirmed-100mb-60s, rapid-50mb-per-min, flat-after-load, trend-24h, restart-loop, baseline-300mb, steady-500mb, stale-data, rss-500mb, heap-total-300mb, heap-used-200mb)
    ");
    let rules = ["--rules", "data/alerts.yml"];
    insta::assert_snapshot!(refusal(&[&[EXPORT, "--require", "rule:HighMemory"][..], &rules].concat()), @r"
    exit 2
    error: `rule:HighMemory` is required, but no rule file has it (did you mean `rule:HighMemoryUsage`, `rule:HostNearlyFull`, `rule:FullWithinTheHour`?) (rule files are given by `--rules`)
    ");
    insta::assert_snapshot!(refusal(&[EXPORT, "--require", "rule:HighMemory"]), @r"
    exit 2
    error: `rule:HighMemory` is required, but no rule file has it (rule files are given by `--rules`)
    ");
}

#[test]
fn a_table_of_no_series_is_said_and_strictly_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("leaktrend.toml");
    fs::write(
        &config,
        "[[series]]\nmatch = \"^wbe-flat\"\nlimit_bytes = \"1GiB\"\n\n[[series]]\nmatch = \"^web\"\nignore = false\n",
    )
    .unwrap();
    let config = config.to_str().unwrap();
    let web = [EXPORT, "--config", config, "--container", "^web"];
    insta::assert_snapshot!(notes(&web, "[[series]]"), @r#"
    exit 0
    note: The `[[series]]` table with `match = "^wbe-flat"` matches no series (the nearest are `web-flat`, `api-leak`, `job-oom`).
    "#);
    insta::assert_snapshot!(notes(&[&web[..], &["--strict"]].concat(), "[[series]]"), @r#"
    exit 2
    note: The `[[series]]` table with `match = "^wbe-flat"` matches no series (the nearest are `web-flat`, `api-leak`, `job-oom`).
    "#);
}

/// `--since 6h` was six hours after the first reading: of a week, nearly everything.
#[test]
fn windows_count_back_from_the_last_reading() {
    let judged =
        |args: &[&str]| notes(&[&["data/memory-trend.csv", "--container", "#3$"], args].concat(), "were judged");
    let last_ten = judged(&["--since", "10m"]);
    insta::assert_snapshot!(last_ten, @r"
    exit 0
    note: The samples from 2026-11-23T21:11:15Z to 2026-11-23T21:21:15Z were judged (UTC, both ends included); the data reaches from 2026-11-23T20:06:38Z to 2026-11-23T21:21:15Z (`--since all` takes everything).
    ");
    assert_eq!(judged(&["--since", "-10m"]), last_ten);
    assert_eq!(judged(&["--since=-10m"]), last_ten);
    assert_eq!(judged(&["--since", "now-10m"]), last_ten);
    assert_eq!(judged(&["--since", "today 21:11:15"]), last_ten);
    assert_eq!(judged(&["--since", "2026-11-23 21:11:15"]), last_ten);
    insta::assert_snapshot!(judged(&["--since", "30m", "--until", "-10m"]), @r"
    exit 0
    note: The samples from 2026-11-23T20:51:15Z to 2026-11-23T21:11:15Z were judged (UTC, both ends included); the data reaches from 2026-11-23T20:06:38Z to 2026-11-23T21:21:15Z (`--since all` takes everything).
    ");
    insta::assert_snapshot!(judged(&["--since", "yesterday 14:00"]), @r"
    exit 0
    note: The samples from 2026-11-23T20:06:38Z to 2026-11-23T21:21:15Z were judged (UTC, both ends included); the data reaches from 2026-11-23T20:06:38Z to 2026-11-23T21:21:15Z (`--since all` takes everything).
    ");
    insta::assert_snapshot!(refusal(&["data/memory-trend.csv", "--since", "10m", "--until", "20m"]), @r"
    exit 2
    error: the window holds no sample: it begins at 2026-11-23T21:11:15Z and ends at 2026-11-23T21:01:15Z (the samples are from 2026-11-23T20:06:38Z to 2026-11-23T21:21:15Z)
    ");
}

#[cfg(feature = "live")]
#[test]
fn an_address_says_what_to_do() {
    insta::assert_snapshot!(refusal(&["http://prometheus:9090/api/v1/query?query=up"]), @r"
    exit 2
    error: cannot use `http://prometheus:9090/api/v1/query`: it is not the address of a server: it contains a query, but leaktrend writes its own (choose series with `--metric` and `--match`, add headers with `--header`) (expected something like `http://prometheus:9090` or `https://host/prometheus`)
    ");
}

#[cfg(not(feature = "live"))]
#[test]
fn an_address_says_what_to_do() {
    insta::assert_snapshot!(refusal(&["http://prometheus:9090"]), @r"
    exit 2
    error: cannot use `http://prometheus:9090`: it is an address, and this build of leaktrend reads files only (it was built without the feature `live`): fetch it first (`curl -s 'URL' -o FILE`) and give the file
    ");
}

/// A container that has gone is known by the history of the nightly job.
#[test]
fn the_nightly_job_looks_for_names_in_its_history() {
    use crate::nightly::world::{Course, DAY, World, stamped};

    let world = World::new();
    world.append(&stamped(0, DAY, &[("api", Course::Flat), ("gone", Course::Flat)]));
    world.append(&stamped(DAY, 8 * DAY, &[("api", Course::Flat)]));
    assert_eq!(world.night(8 * DAY, &["--limit", "gone=1GiB"]).code, Some(0));
    // Its log may be gone, too.
    fs::remove_file(world.log()).unwrap();
    world.append(&stamped(8 * DAY, 9 * DAY, &[("api", Course::Flat)]));
    assert_eq!(world.night(9 * DAY, &["--limit", "gone=1GiB"]).code, Some(0));
    let night = world.night(9 * DAY + 60, &["--limit", "agi=1GiB"]);
    assert_eq!(night.code, Some(2));
    insta::assert_snapshot!(night.stderr, @"error: `--limit agi=1GiB`: no series has this name (the nearest are `api`, `gone`)");
    fs::write(world.path("leaktrend.toml"), "[[series]]\nmatch = \"^gone$\"\nlimit_bytes = \"1GiB\"\n").unwrap();
    assert_eq!(world.night(9 * DAY + 120, &["--strict"]).code, Some(0));
    fs::write(world.path("leaktrend.toml"), "[[series]]\nmatch = \"^away$\"\nlimit_bytes = \"1GiB\"\n").unwrap();
    assert_eq!(world.night(9 * DAY + 180, &[]).code, Some(0));
    assert_eq!(world.night(9 * DAY + 240, &["--strict"]).code, Some(2));
}
