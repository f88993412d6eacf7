//! The real program on small inputs: each folder of `cases/` is one run.
//!
//! `args` holds one argument a line, `stdin` what is piped in; every other file is an input. `expected/` holds what
//! must come out: `status`, `stdout`, `stderr` and, under `out/`, the text files of the report.
//! `LEAKTREND_UPDATE=1 cargo test --test all cases::` writes `expected/` anew; the difference is to be reviewed.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

#[test]
fn every_case_gives_what_is_expected() {
    let mut names: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert!(names.len() > 10, "the cases are missing");
    let wrong: Vec<String> = names.iter().flat_map(|case| check(case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs one case; gives what differs.
fn check(case: &Path) -> Vec<String> {
    let work = tempfile::tempdir().unwrap();
    copy(case, work.path());
    let output = run(case, work.path());
    let mut found = vec![
        ("status".to_owned(), format!("{}\n", output.status.code().expect("it exits"))),
        ("stdout".to_owned(), text(&output.stdout)),
        ("stderr".to_owned(), text(&output.stderr)),
    ];
    for name in ["verdict.md", "verdict.json"] {
        if let Ok(text) = fs::read_to_string(work.path().join("out").join(name)) {
            found.push((format!("out/{name}"), text));
        }
    }

    let expected = case.join("expected");
    if std::env::var_os("LEAKTREND_UPDATE").is_some() {
        let _ = fs::remove_dir_all(&expected);
        fs::create_dir_all(expected.join("out")).unwrap();
        found.iter().for_each(|(name, text)| fs::write(expected.join(name), text).unwrap());
        let _ = fs::remove_dir(expected.join("out"));
        return Vec::new();
    }
    found
        .into_iter()
        .filter_map(|(name, found)| {
            let wanted = fs::read_to_string(expected.join(&name)).unwrap_or_default();
            let case = case.file_name().unwrap().to_string_lossy();
            (wanted != found).then(|| format!("{case}/{name}:\nexpected:\n{wanted}\nfound:\n{found}"))
        })
        .collect()
}

fn run(case: &Path, work: &Path) -> Output {
    let args = fs::read_to_string(case.join("args")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_leaktrend"))
        .args(args.lines())
        .current_dir(work)
        .env_remove("NO_COLOR")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .env("COLUMNS", "100")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let input = fs::read(case.join("stdin")).unwrap_or_default();
    // A program that does not read its input closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(&input);
    child.wait_with_output().unwrap()
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if entry.file_name() != "expected" {
                fs::create_dir_all(&target).unwrap();
                copy(&entry.path(), &target);
            }
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}
