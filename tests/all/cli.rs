//! What users rely on beyond a single run: the schema, the example report, compressed input, pipes, old reports.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn leaktrend() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    command.current_dir(root()).env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    command
}

fn run(args: &[&str]) -> Output {
    leaktrend().args(args).output().unwrap()
}

fn verdict(args: &[&str]) -> Value {
    let output = run(&[&["analyze", "--json", "-"], args].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}"))
}

fn verdicts(verdict: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    verdict["series"].as_array().unwrap().iter().map(|one| (text(&one["id"]), text(&one["verdict"]))).collect()
}

const LOG: [&str; 5] = ["data/memory-usage.log", "--interval", "10s", "--end", "2026-11-23T21:21:15Z"];

/// The arguments of the README's first command.
fn readme_arguments() -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let line = readme.lines().find(|line| line.contains("cargo run --release")).expect("the README has the command");
    line.split(" -- ").nth(1).expect("arguments follow").split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_example_report_is_what_the_readme_command_writes() {
    let out = tempfile::tempdir().unwrap();
    let mut args = readme_arguments();
    let place = args.iter().position(|arg| arg == "--out").expect("it writes a report") + 1;
    let committed = root().join(&args[place]);
    args[place] = out.path().to_str().unwrap().to_owned();
    let output = leaktrend().args(&args).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let mut compared = 0;
    for name in files_below(out.path()) {
        let fresh = fs::read(out.path().join(&name)).unwrap();
        let stale = fs::read(committed.join(&name)).unwrap_or_default();
        assert!(fresh == stale, "{} is stale: run the README's first command", name.display());
        compared += 1;
    }
    assert_eq!(compared, files_below(&committed).len(), "the committed report has files that a fresh one has not");
    assert!(compared >= 4, "the report is not complete");
}

/// The load of one container lies anywhere in the life of another: growth may begin after its last block, for one.
#[test]
fn a_load_window_judges_every_container_of_a_log() {
    let load = ["--load", "1795465479..1795467279"];
    for (input, prefix, expected) in [
        (&LOG[..], "vedfinance-", [("api-leak", "fail"), ("web-flat", "pass"), ("cache-warm", "pass")]),
        (&["data/memory-trend.csv"], "memory-trend#", [("8", "fail"), ("7", "pass"), ("6", "pass")]),
    ] {
        let judged = verdict(&[input, &load].concat());
        let series = judged["series"].as_array().unwrap();
        assert_eq!(series.len(), if input == LOG { 5 } else { 8 }, "{input:?}");
        for (name, outcome) in expected {
            let one = series.iter().find(|one| one["id"] == format!("{prefix}{name}")).unwrap();
            assert_eq!(one["outcome"], outcome, "{name} of {input:?}");
        }
    }
}

/// What is cut at half of its limit again and again does not come to its limit: no date is given for that.
#[test]
fn runs_that_are_cut_below_the_limit_do_not_reach_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.csv");
    // Nine hours and a bit from 430 to 1,020 MiB, and back.
    let line =
        |index: u32| format!("{},{}.{}MiB\n", 1_795_000_000 + 300 * index, 430 + index % 118 * 5, index * 7 % 10);
    fs::write(&path, (0..2016).map(line).collect::<String>()).unwrap();
    let judged = verdict(&[path.to_str().unwrap(), "--limit", "2GiB"]);
    let web = &judged["series"][0];
    assert_eq!(web["verdict"], "leak-masked-by-restarts", "{web}");
    assert!(web["time_to_limit"].is_null(), "{}", web["time_to_limit"]);
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else {
                found.push(entry.path().strip_prefix(folder).unwrap().to_path_buf());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn real_verdicts_follow_the_schema() {
    let schema: Value = serde_json::from_slice(&run(&["schema"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let runs: [&[&str]; 6] = [
        &LOG,
        &["data/memory-trend.csv"],
        &["data/memory-trend.csv", "--load", "20m..50m"],
        &["data/prometheus.json", "--limit", "2GiB", "--eval-phase", "1.76s"],
        &["data/README.md"],
        &["Cargo.toml", "data/memory-trend.csv", "--container", "#1$"],
    ];
    for args in runs {
        let verdict = verdict(args);
        let problems: Vec<String> =
            validator.iter_errors(&verdict).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(problems.is_empty(), "{args:?}: {problems:#?}");
    }
    // The schema can fail: it is not one that allows everything.
    let mut broken = verdict(&LOG);
    broken["series"][0]["verdict"] = "leaky".into();
    assert!(!validator.is_valid(&broken));
}

#[test]
fn the_three_forms_of_one_run_give_the_verdicts_that_are_right() {
    let right = |id: &str, verdict: &str| -> bool {
        match id.trim_start_matches("vedfinance-") {
            "api-leak" | "job-oom" | "memory-trend#8" | "memory-trend#4" => {
                ["leak", "leak-masked-by-restarts"].contains(&verdict)
            }
            "report-step" | "memory-trend#1" => ["leak", "stepping-growth"].contains(&verdict),
            "soak-leak" | "memory-trend#2" => ["step", "leak-suspected", "inconclusive"].contains(&verdict),
            _ => !verdict.starts_with("leak") && verdict != "stepping-growth",
        }
    };
    let runs: [(&[&str], usize); 3] = [(&LOG, 5), (&["data/memory-trend.csv"], 8), (&["data/prometheus.json"], 8)];
    for (args, count) in runs {
        let verdicts = verdicts(&verdict(args));
        assert_eq!(verdicts.len(), count);
        let wrong: Vec<_> = verdicts.iter().filter(|(id, verdict)| !right(id, verdict)).collect();
        assert!(wrong.is_empty(), "{args:?}: {wrong:?}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let once = run(&["analyze", "data/memory-trend.csv", "--json", "-"]).stdout;
    assert_eq!(once, run(&["analyze", "data/memory-trend.csv", "--json", "-"]).stdout);
}

#[test]
fn compressed_input_reads_as_the_plain_file_does() {
    let folder = tempfile::tempdir().unwrap();
    let plain = fs::read(root().join("data/memory-trend.csv")).unwrap();
    let gz = folder.path().join("memory-trend.csv.gz");
    let mut encoder = flate2::write::GzEncoder::new(fs::File::create(&gz).unwrap(), flate2::Compression::fast());
    encoder.write_all(&plain).unwrap();
    encoder.finish().unwrap();
    let zst = folder.path().join("memory-trend.csv.zst");
    fs::write(&zst, zstd::encode_all(plain.as_slice(), 3).unwrap()).unwrap();
    let expected = verdict(&["data/memory-trend.csv"]);
    for path in [&gz, &zst] {
        assert_eq!(verdict(&[path.to_str().unwrap()])["series"], expected["series"], "{}", path.display());
    }

    // Cut short: what could be read is used, and that it was cut is said.
    let whole = fs::read(&gz).unwrap();
    fs::write(&gz, &whole[..whole.len() / 2]).unwrap();
    let cut = verdict(&[gz.to_str().unwrap()]);
    assert_eq!(cut["inputs"][0]["incomplete"], true);
    assert!(cut["inputs"][0]["samples"].as_u64().unwrap() > 100);
}

#[test]
fn a_reader_that_goes_away_is_not_an_error() {
    let mut child = leaktrend()
        .args(["analyze", "data/memory-trend.csv", "--json", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut complaints = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(complaints, "");
}

#[test]
fn a_new_report_removes_the_charts_of_the_old_one_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    run(&["analyze", "data/memory-trend.csv", "--out", out, "--charts", "all", "--quiet"]);
    let charts = || fs::read_dir(folder.path().join("charts")).unwrap().count();
    assert_eq!(charts(), 9);
    fs::write(folder.path().join("charts/mine.png"), "kept").unwrap();
    fs::write(folder.path().join("notes.txt"), "kept").unwrap();
    run(&["analyze", "data/memory-trend.csv", "--out", out, "--container", "#1$", "--quiet"]);
    assert_eq!(charts(), 2, "its own chart and the one that is not leaktrend's");
    assert!(folder.path().join("notes.txt").exists());
}

#[test]
fn a_report_that_cannot_be_written_is_exit_code_2_and_names_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("taken");
    fs::write(&file, "a file").unwrap();
    let output = run(&["analyze", "data/memory-trend.csv", "--out", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cannot write") && said.contains("taken"), "{said}");
}

#[test]
fn standard_output_has_no_colour_unless_asked() {
    let plain = run(&["analyze", "data/memory-trend.csv"]).stdout;
    assert!(!plain.contains(&0x1b));
    let coloured = run(&["analyze", "data/memory-trend.csv", "--color", "always"]).stdout;
    assert!(coloured.contains(&0x1b));
}

#[test]
fn a_line_of_a_hundred_megabytes_is_one_reject() {
    let mut child = leaktrend()
        .args(["analyze", "-", "--format", "trend-csv", "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        stdin.write_all(b"1795464300,5MiB\n").unwrap();
        let megabyte = vec![b'x'; 1 << 20];
        (0..100).for_each(|_| stdin.write_all(&megabyte).unwrap());
        stdin.write_all(b"\n1795464600,6MiB\n").unwrap();
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdict["inputs"][0]["rejected_count"], 1);
    assert_eq!(verdict["inputs"][0]["samples"], 2);
    assert!(verdict["inputs"][0]["rejected"][0]["text"].as_str().unwrap().chars().count() <= 201);
}

/// The table that `--parquet` writes opens with the columns that notebooks use.
#[test]
fn the_samples_can_be_kept_as_parquet() {
    use polars::prelude::{ParquetReader, SerReader};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("samples.parquet");
    run(&["analyze", "data/memory-trend.csv", "--quiet", "--parquet", path.to_str().unwrap()]);
    let table = ParquetReader::new(fs::File::open(&path).unwrap()).finish().unwrap();
    let names: Vec<String> = table.get_column_names().iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "series",
            "container",
            "labels",
            "metric",
            "sampling",
            "time",
            "used_bytes",
            "resolution_bytes",
            "limit_bytes",
            "flags"
        ]
    );
    assert_eq!(table.height(), 3584);
}

/// Code 2 is said before anything else, and what the rest came to.
#[test]
fn what_could_not_be_done_is_said_first() {
    let work = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = work.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let row = |row: u32| format!("{},{}MiB\n", 1_795_464_400 + 60 * row, 500 + row % 2);
    let rows = (0..60).map(row).collect::<Vec<_>>().concat();
    let (whole, torn, other) =
        (path("a.csv", &rows), path("b.csv", &format!("oops\n{rows}")), path("c.txt", "diary\n"));
    let first_line = |args: &[&str], code: i32| {
        let output = run(&[&["analyze"], args].concat());
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        String::from_utf8(output.stdout).unwrap().lines().next().unwrap().to_owned()
    };
    assert_eq!(first_line(&[&torn], 0), "PASS: the only series does not leak");
    assert_eq!(
        first_line(&[&torn, "--strict"], 2),
        "ERROR: 1 line could not be read (`--strict`). The rest: PASS: the only series does not leak"
    );
    assert_eq!(
        first_line(&[&whole, &other], 2),
        "ERROR: 1 of 2 inputs could not be used. The rest: PASS: the only series does not leak"
    );
}
