//! What `--parquet` wrote gives the verdict of what it was made from: series, accounts, outcome, exit code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::shared;

fn leaktrend(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    command.current_dir(folder).args(args).env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    command.output().unwrap()
}

/// The JSON verdict without the names of inputs, which every other text may quote.
fn verdict(path: &Path, table: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.replace(&format!("{}: ", table.display()), "")
}

/// Analyses inputs, and the table that was written of them; gives whether there was one.
#[track_caller]
fn check(folder: &Path, inputs: &[&str], options: &[&str], what: &str) -> bool {
    let work = tempfile::tempdir().unwrap();
    let place = |name: &str| work.path().join(name);
    let (table, first, second) = (place("table.parquet"), place("first.json"), place("second.json"));
    let text = |path: &Path| path.display().to_string();
    let [table_text, first_text, second_text] = [&table, &first, &second].map(|path| text(path));
    let of_first = ["--json", &first_text, "--parquet", &table_text, "--quiet"];
    let before = leaktrend(folder, &[&["analyze"], inputs, options, &of_first].concat());
    if !table.exists() {
        return false;
    }
    let of_second = ["--json", &second_text, "--quiet"];
    let after = leaktrend(folder, &[&["analyze", table_text.as_str()], options, &of_second].concat());
    assert_eq!(before.status.code(), after.status.code(), "{what}: {}", String::from_utf8_lossy(&after.stderr));
    let (before, after) = (verdict(&first, &table), verdict(&second, &table));
    if before != after {
        let differing = before.lines().zip(after.lines()).filter(|(a, b)| a != b).take(5);
        let shown: Vec<String> = differing.map(|(a, b)| format!("{a}\n    became {b}")).collect();
        panic!("{what}: {} and {} lines\n{}", before.lines().count(), after.lines().count(), shown.join("\n"));
    }
    true
}

#[test]
fn every_form_of_the_capture_and_of_node_comes_back() {
    let Some(data) = shared("data/capture") else { return };
    let mut n_checked = 0;
    for folder in [data.clone(), data.with_file_name("node")] {
        let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.is_file()) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            n_checked += usize::from(check(&folder, &[&name], &[], &name));
        }
    }
    assert!(20 < n_checked, "{n_checked}");
    // Several at once, and times that are only inferred.
    for (inputs, options) in [
        (&["memory-usage.log", "prometheus-raw.json"][..], &["--strict"][..]),
        (&["memory-usage.log", "stats.jsonl"], &["--interval", "10s", "--end", "2026-11-23T21:21:27Z"]),
        (&["prometheus-raw.json", "prometheus-working-set-raw.json"], &["--events", "events.log"]),
        (&["stamped-lines.log", "labels.csv"], &[]),
    ] {
        assert!(check(&data, inputs, options, &inputs.join(" and ")));
    }
}

/// Rejected lines, unusable inputs, limits of the host, selections and rules: every small case.
#[test]
fn every_case_comes_back() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut n_checked = 0;
    for case in fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()) {
        let args = fs::read_to_string(case.join("args")).unwrap();
        let args: Vec<&str> = args.lines().collect();
        let Some((&"analyze", args)) = args.split_first() else { continue };
        let is_input = |arg: &&str| case.join(arg).exists() && !arg.starts_with('-');
        let mut inputs = Vec::new();
        let mut options = Vec::new();
        let mut rest = args.iter().copied().peekable();
        while let Some(arg) = rest.next() {
            if is_input(&arg) {
                inputs.push(arg);
            } else if arg.starts_with("--")
                && arg != "--strict"
                && rest.peek().is_some_and(|next| !next.starts_with("--"))
            {
                let value = rest.next().unwrap_or_default();
                if !["--out", "--json", "--junit", "--html", "--parquet"].contains(&arg) {
                    options.extend([arg, value]);
                }
            } else if arg == "--strict" {
                options.push(arg);
            }
        }
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        // A table does not know which other series there were: those that no option kept, or that settings ignore.
        if !inputs.is_empty() && !["no-match", "series-settings"].contains(&name.as_str()) {
            n_checked += usize::from(check(&case, &inputs, &options, &name));
        }
    }
    assert!(10 < n_checked, "{n_checked}");
}

/// Readings without a time, in a pipe, count back from the last: so does what is read of their table.
#[test]
fn relative_times_stay_relative() {
    let work = tempfile::tempdir().unwrap();
    let row = |n: u32| format!("aaaaaaaaaaaa   web   0.1%   {}MiB / 1GiB   1%   1kB / 0B   0B / 0B   7\n", 100 + n);
    let rows = (0..200).map(row).collect::<Vec<_>>().concat();
    fs::write(work.path().join("in.log"), rows).unwrap();
    let program = env!("CARGO_BIN_EXE_leaktrend");
    let line = format!(
        "cat in.log | {program} analyze - --parquet t.parquet --json a.json -q; echo $?; {program} analyze t.parquet --json b.json -q; echo $?"
    );
    let output = Command::new("sh").current_dir(work.path()).arg("-c").arg(line).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n1\n");
    let read = |name: &str| fs::read_to_string(work.path().join(name)).unwrap();
    assert_eq!(read("a.json"), read("b.json").replace("t.parquet: ", ""));
    assert!(read("a.json").contains("\"time_source\": \"inferred\""));
    // The same piped in.
    let line = format!("cat t.parquet | {program} analyze - --json c.json -q");
    Command::new("sh").current_dir(work.path()).arg("-c").arg(line).status().unwrap();
    assert_eq!(read("b.json").replace("t.parquet: ", ""), read("c.json").replace("-: ", ""));
}
