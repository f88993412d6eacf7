//! The program reads a server: what it reports, what it keeps, and what it refuses.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::scripted::{NOW, Reply, Scripted, Shop, success};
use super::with;

pub(super) fn leaktrend(folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    command
        .current_dir(folder)
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .env_remove("PROMETHEUS_URL");
    command.arg("analyze").args(args).envs(environment.iter().copied()).output().unwrap()
}

pub(super) fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap().replace_all(&text, "127.0.0.1:PORT").into_owned()
}

/// Every file in a folder and those below it, with its content.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files.extend(self::files(&entry));
        } else {
            files.push((entry.display().to_string(), fs::read(&entry).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn what_was_kept_gives_the_same_report_again() {
    let server = with(|_, _| None);
    for name in ["kept.json", "kept.json.gz", "kept.json.zst"] {
        let folder = tempfile::tempdir().unwrap();
        let args = ["--since", "2d", "--out", "report", "--html", "report.html", "--charts", "all"];
        let live = leaktrend(folder.path(), &[&[server.address().as_str(), "--save", name], &args[..]].concat(), &[]);
        assert_eq!(live.status.code(), Some(1), "{}", said(&live));
        let first = files(folder.path());
        fs::remove_dir_all(folder.path().join("report")).unwrap();
        let again = leaktrend(folder.path(), &[&[name], &args[..]].concat(), &[]);
        assert_eq!((live.status, &live.stdout, &live.stderr), (again.status, &again.stdout, &again.stderr));
        assert_eq!(first, files(folder.path()));
        assert!(first.iter().any(|(path, _)| path.ends_with("verdict.json")));
        assert!(first.iter().all(|(path, _)| !path.contains(".leaktrend-")));
    }
}

#[test]
fn the_report_says_what_was_read_and_the_limit_of_each_container() {
    let server = with(|_, _| None);
    let folder = tempfile::tempdir().unwrap();
    let output =
        leaktrend(folder.path(), &[&server.address(), "--since", "2d", "--json", "verdict.json", "--quiet"], &[]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let verdict: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("verdict.json")).unwrap()).unwrap();
    let input = &verdict["inputs"][0];
    assert_eq!(input["path"], server.address());
    assert_eq!(
        (&input["samples"], &input["series"], &input["unusable"]),
        (&11520.into(), &2.into(), &serde_json::Value::Null)
    );
    for series in verdict["series"].as_array().unwrap() {
        assert_eq!(series["memory"]["limit"], 1_073_741_824.0);
    }
}

#[test]
fn the_address_may_stand_in_the_environment_and_its_password_nowhere() {
    let server = with(|request, _| request.header("authorization").is_none().then(|| Reply::new(401, "")));
    let folder = tempfile::tempdir().unwrap();
    let address = server.address().replace("http://", "http://ann:s3cret-pass@");
    let args = ["--since", "2d", "--out", "report", "--html", "report.html", "--save", "kept.json", "--verbose"];
    let output = leaktrend(folder.path(), &args, &[("PROMETHEUS_URL", &address)]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let everything =
        [output.stdout, output.stderr, files(folder.path()).into_iter().flat_map(|(_, bytes)| bytes).collect()];
    // As it is, and as it is sent.
    for secret in ["s3cret-pass", "YW5uOnMzY3JldC1wYXNz"] {
        assert!(everything.iter().all(|bytes| !String::from_utf8_lossy(bytes).contains(secret)));
    }
    let help = Command::new(env!("CARGO_BIN_EXE_leaktrend"))
        .args(["analyze", "--help"])
        .env("PROMETHEUS_URL", &address)
        .output();
    assert!(!String::from_utf8_lossy(&help.unwrap().stdout).contains("s3cret"));
}

#[test]
fn a_server_that_fails_keeps_nothing_and_does_not_stop_the_others() {
    let server = Scripted::start(|_, _| Reply::new(401, ""));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kept.json"), "old").unwrap();
    let trend = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/memory-trend.csv");
    let args = [&server.address(), trend.to_str().unwrap(), "--save", "kept.json", "--quiet"];
    let output = leaktrend(folder.path(), &args, &[]);
    // The other input holds leaks.
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(said(&output), @"error: cannot use `http://127.0.0.1:PORT`: it answered 401 Unauthorized (expected credentials: `--http-config` with `basic_auth` or `authorization`, or `--header`)");
    assert_eq!(fs::read_to_string(folder.path().join("kept.json")).unwrap(), "old");
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.csv"), "").unwrap();
    fs::write(folder.path().join("http.yml"), "oauth2: {client_secret: s3cret}\n").unwrap();
    let refusal = |args: &[&str]| {
        let output = leaktrend(folder.path(), args, &[]);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        said(&output)
    };
    insta::assert_snapshot!(refusal(&[]), @"error: no input is given (expected files, or `-` for standard input, or the address of a Prometheus server, also in `PROMETHEUS_URL`)");
    insta::assert_snapshot!(refusal(&["x.csv", "--match", "a=b"]), @"error: `--match` needs a server, but no input is the address of one (expected an address such as `http://prometheus:9090`)");
    insta::assert_snapshot!(refusal(&["http://a", "--save", "-"]), @"error: `--save -`: samples are saved to a file (expected a file name)");
    insta::assert_snapshot!(refusal(&["http://a", "http://b", "--save", "x"]), @"error: `--save` works with one server, but there are several inputs");
    insta::assert_snapshot!(refusal(&["http://a", "--since", "all"]), @"error: `--since all`: a server does not say how far back its data goes (expected a duration such as `30d`)");
    insta::assert_snapshot!(refusal(&["http://a", "--metric", "a b"]), @"error: `--metric a b`: it is not the name of a metric (expected something like `container_memory_rss`; labels go into `--match`)");
    insta::assert_snapshot!(refusal(&["http://a", "--http-config", "http.yml"]), @"error: `--http-config http.yml`: it has `oauth2`, which leaktrend does not support (expected `authorization` with a token: fetch one and name its file in `credentials_file`)");
    insta::assert_snapshot!(refusal(&["http://a", "--http-config", "absent.yml"]), @"error: `--http-config absent.yml`: it cannot be read: No such file or directory (os error 2)");
    insta::assert_snapshot!(refusal(&["http://ann:s3cret@a?token=s3cret"]), @"error: cannot use `http://a`: it is not the address of a server: it contains a query, but leaktrend writes its own (choose series with `--metric` and `--match`, add headers with `--header`) (expected something like `http://prometheus:9090` or `https://host/prometheus`)");
    insta::assert_snapshot!(refusal(&["http://ann:s3cret@a", "--header", "Authorization: x", "--header", "s3cret"]), @"error: `--header`: it has no `:` (expected something like `X-Scope-OrgID: shop`)");
}

/// A night over a server whose clock is so many days behind `NOW`; what it says, and its exit code.
fn night(folder: &Path, address: &str, days_behind: i64) -> (String, Option<i32>) {
    let now = (NOW - 86_400 * days_behind).to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    command.current_dir(folder).env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    let args = ["nightly", address, "--state", "state", "--out", "report", "--now", &now];
    let output = command.args(args).output().unwrap();
    (format!("{}{}", String::from_utf8_lossy(&output.stdout), said(&output)), output.status.code())
}

#[test]
fn a_night_asks_a_server_for_what_is_new_and_judges_all_that_is_kept() {
    let days_behind = Arc::new(AtomicI64::new(1));
    let is_up = Arc::new(AtomicBool::new(true));
    let (behind, up) = (Arc::clone(&days_behind), Arc::clone(&is_up));
    let server = Scripted::start(move |request, _| {
        let now = NOW - 86_400 * behind.load(Ordering::SeqCst);
        if !up.load(Ordering::SeqCst) {
            Reply::new(401, "")
        } else if request.query() == "time()" {
            success("scalar", &format!("[{now},\"{now}\"]"))
        } else {
            Shop::SMALL.answer(request)
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let (first, code) = night(folder.path(), &server.address(), 1);
    assert!(first.contains("note: Readings added to the history: 5761."), "{first}");
    assert_eq!(code, Some(1), "{first}");

    let n_asked = server.asked().len();
    days_behind.store(0, Ordering::SeqCst);
    let (second, code) = night(folder.path(), &server.address(), 0);
    assert!(second.contains("note: Readings added to the history: 5760; already known: 240."), "{second}");
    assert!(second.contains("  last week (28 % covered, not enough to decide): FAIL"), "{second}");
    assert!(second.contains("What changed since 2026-11-22T20:07:00Z (1 d ago):\n  shop/api-0/api: 343.3 MiB higher"));
    assert!(!second.contains("the clock of the server"), "the time of the night is that of the server: {second}");
    assert_eq!(code, Some(1), "{second}");
    // What came later than the newest reading that was known, and an hour before that.
    let asked = server.asked();
    let ranges = asked[n_asked..].iter().filter_map(|request| {
        let seconds: i64 = request.query().rsplit_once("}[")?.1.strip_suffix("s]")?.parse().ok()?;
        Some(request.form["time"].parse::<i64>().unwrap() - seconds)
    });
    assert_eq!(ranges.min(), Some(NOW - 86_400 - 3600));

    is_up.store(false, Ordering::SeqCst);
    let (third, code) = night(folder.path(), &server.address(), 0);
    assert!(third.contains("error: cannot use `http://127.0.0.1:PORT`: it answered 401 Unauthorized"), "{third}");
    assert!(third.contains("FAIL: 1 of 2 series leaks memory: shop/api-0/api"), "what is kept is judged: {third}");
    assert_eq!(code, Some(2), "{third}");
}
