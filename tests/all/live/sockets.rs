//! Nothing but the reading of a server opens a socket: every other path runs under `strace`, which refuses each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::with;

/// Pairs of sockets within the process, by which a signal is passed on, are no way out.
const REFUSED: &str = "socket,connect,bind,listen,accept,accept4,sendmsg,sendmmsg";

/// `None` where there is no `strace`, or where it may not trace.
fn traced(folder: &Path, args: &[&str]) -> Option<(Output, String)> {
    let trace = folder.join("trace");
    let run = |program: &str, args: &[&str]| {
        Command::new("strace")
            .args(["-f", "-q", "-o"])
            .arg(&trace)
            .args(["-e", &format!("trace={REFUSED}"), "-e", &format!("inject={REFUSED}:error=EACCES"), program])
            .args(args)
            .current_dir(folder)
            .env_remove("GITHUB_ACTIONS")
            .env_remove("GITHUB_STEP_SUMMARY")
            .output()
    };
    if !run("true", &[]).is_ok_and(|output| output.status.success()) {
        let required = std::env::var("LEAKTREND_REQUIRE_STRACE").as_deref() == Ok("1");
        assert!(!required, "strace is required and absent, or may not trace");
        eprintln!("skipped: strace is absent, or may not trace");
        return None;
    }
    let output = run(env!("CARGO_BIN_EXE_leaktrend"), args).unwrap();
    Some((output, fs::read_to_string(trace).unwrap()))
}

fn data(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data").join(name).display().to_string()
}

#[test]
fn no_other_path_opens_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let [trend, export, rules, events] = ["memory-trend.csv", "prometheus.json", "alerts.yml", "events.log"].map(data);
    let mut paths: Vec<Vec<&str>> = vec![
        vec![
            "analyze",
            &trend,
            "--out",
            "report",
            "--html",
            "report.html",
            "--json",
            "base.json",
            "--junit",
            "junit.xml",
        ],
        vec![
            "analyze",
            &export,
            "--rules",
            &rules,
            "--events",
            &events,
            "--emit-promtool",
            "tests.yml",
            "--out",
            "export",
        ],
        vec!["compare", "base.json", "base.json"],
        vec!["config"],
        vec!["schema"],
        vec!["completions", "bash"],
        vec!["analyze", "absent.log"],
    ];
    paths.push(vec!["nightly", &trend, "--state", "state", "--out", "nightly", "--textfile", "metrics.prom"]);
    for args in paths {
        let Some((output, trace)) = traced(folder.path(), &args) else { return };
        let calls: Vec<&str> = trace.lines().filter(|line| line.contains('(')).collect();
        assert!(calls.is_empty(), "{args:?}: {calls:?}");
        let expected = if args[1..] == ["absent.log"] { vec![2] } else { vec![0, 1, 3] };
        let code = output.status.code().unwrap();
        assert!(expected.contains(&code), "{args:?} exited with {code}: {}", String::from_utf8_lossy(&output.stderr));
    }

    // The trace would show one.
    let server = with(|_, _| None);
    let Some((output, trace)) = traced(folder.path(), &["analyze", &server.address()]) else { return };
    assert!(trace.contains("socket(AF_INET"), "{trace}");
    assert_eq!(output.status.code(), Some(2));
    assert!(server.asked().is_empty());
}
