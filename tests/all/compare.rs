//! `leaktrend compare` as its users run it: verdicts of recorded runs against each other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// One service of the recorded run, as a file of its own: 3 gives its memory back after the load, 2 keeps 144 MiB.
fn service(position: usize) -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/memory-trend.csv")).unwrap();
    let mut readings: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in text.lines() {
        readings.entry(line.split(',').next().unwrap()).or_default().push(line);
    }
    let rows: Vec<&str> = readings.values().filter_map(|rows| rows.get(position - 1).copied()).collect();
    rows.join("\n") + "\n"
}

/// A folder in which runs are judged and compared.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Bench {
        Bench(tempfile::tempdir().unwrap())
    }

    fn leaktrend(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
        command.current_dir(self.0.path()).env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
        command.args(args).output().unwrap()
    }

    /// Writes the verdict of a service as `NAME.json`.
    fn judged(&self, name: &str, position: usize, more: &[&str]) {
        fs::write(self.0.path().join("soak.csv"), service(position)).unwrap();
        let json = format!("{name}.json");
        let args = [&["analyze", "soak.csv", "--load", "20m..50m", "--quiet", "--json", &json], more].concat();
        let output = self.leaktrend(&args);
        assert_eq!(text(&output.stderr), "");
    }

    /// Changes the verdict `from` and writes it as `to`.
    fn changed(&self, from: &str, to: &str, change: impl FnOnce(&mut Value)) {
        let path = |name: &str| self.0.path().join(format!("{name}.json"));
        let mut verdict: Value = serde_json::from_str(&fs::read_to_string(path(from)).unwrap()).unwrap();
        change(&mut verdict);
        fs::write(path(to), verdict.to_string()).unwrap();
    }

    #[track_caller]
    fn check(&self, args: &[&str], status: i32, first_line: &str) {
        let output = self.leaktrend(&[&["compare"], args].concat());
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!((output.status.code(), said.lines().next()), (Some(status), Some(first_line)), "{said}");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const SAME: &str = "NOT WORSE: the only series is as good as in the base";

#[test]
fn a_run_that_keeps_its_load_is_worse_than_one_that_does_not() {
    let bench = Bench::new();
    bench.judged("ok", 3, &[]);
    bench.judged("leak", 2, &[]);
    bench.check(&["ok.json", "leak.json"], 1, "WORSE: 1 of 1 series: soak");
    bench.check(&["leak.json", "ok.json"], 0, SAME);
    bench.check(&["ok.json", "ok.json"], 0, SAME);
    bench.check(&["leak.json", "leak.json"], 0, SAME);
    // A margin that allows what was kept; and one that this much noise cannot exclude.
    bench.check(&["ok.json", "leak.json", "--level-margin", "200MiB"], 0, SAME);
    let open = "INCONCLUSIVE: 1 of 1 series may be worse: soak";
    bench.check(&["ok.json", "ok.json", "--growth-margin", "1KiB"], 3, open);
    bench.check(&["ok.json", "ok.json", "--growth-margin", "1KiB", "--inconclusive", "fail"], 1, open);
    bench.check(&["ok.json", "ok.json", "--growth-margin", "1KiB", "--inconclusive", "pass"], 0, open);
    fs::write(bench.0.path().join("leaktrend.toml"), "[compare]\ngrowth_bytes_per_day = \"1KiB\"\n").unwrap();
    bench.check(&["ok.json", "ok.json"], 3, open);
}

#[test]
fn the_json_holds_the_numbers_and_follows_its_schema() {
    let bench = Bench::new();
    bench.judged("ok", 3, &[]);
    bench.judged("leak", 2, &[]);
    let schema: Value = serde_json::from_slice(&bench.leaktrend(&["schema", "--of", "comparison"]).stdout).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let output = bench.leaktrend(&["compare", "ok.json", "leak.json", "--json", "-", "--markdown", "worse.md"]);
    let comparison: Value = serde_json::from_slice(&output.stdout).expect("standard output is JSON alone");
    let errors: Vec<String> = schema.iter_errors(&comparison).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");

    let soak = &comparison["series"][0];
    assert_eq!((soak["finding"].as_str(), soak["growth"]["finding"].as_str()), (Some("worse"), Some("not-worse")));
    let level = &soak["level"];
    let number = |name: &str, part: &str| level[name][part].as_f64().unwrap();
    let mib = 1_048_576.0;
    // What the two logs say: 17.6 MiB and 160.8 MiB.
    assert!((number("difference", "value") / mib - 143.2).abs() < 0.2, "{level}");
    assert!(number("difference", "lower") < number("difference", "value"));
    assert!(number("difference", "lower") > 140.0 * mib && number("difference", "upper") < 146.0 * mib);
    assert_eq!((level["margin"].as_f64(), level["confidence"].as_f64()), (Some(10_000_000.0), Some(0.9)));
    let markdown = fs::read_to_string(bench.0.path().join("worse.md")).unwrap();
    assert!(markdown.starts_with("**WORSE: 1 of 1 series: soak**\n"), "{markdown}");
}

#[test]
fn growth_that_sets_in_is_worse_and_the_same_growth_is_not() {
    let bench = Bench::new();
    bench.judged("flat", 7, &[]);
    bench.judged("leak", 8, &[]);
    bench.check(&["flat.json", "leak.json"], 1, "WORSE: 1 of 1 series: soak");
    bench.check(&["leak.json", "flat.json"], 0, SAME);
    let output = bench.leaktrend(&["compare", "flat.json", "leak.json"]);
    assert!(text(&output.stdout).contains("memory still grows in the new run and has not settled at a level"));
}

#[test]
fn series_that_come_and_go_are_named() {
    let bench = Bench::new();
    bench.judged("ok", 3, &[]);
    bench.changed("ok", "two", |verdict| {
        let mut other = verdict["series"][0].clone();
        other["id"] = json!("other|<b>");
        verdict["series"].as_array_mut().unwrap().push(other);
    });
    bench.check(&["two.json", "ok.json"], 3, "INCONCLUSIVE: series of the base are missing: other|<b>");
    bench.check(&["ok.json", "two.json"], 0, SAME);
    let output = bench.leaktrend(&["compare", "ok.json", "two.json", "--markdown", "new.md"]);
    assert!(text(&output.stdout).contains("note: new, so not compared: other|<b>."));
    let markdown = fs::read_to_string(bench.0.path().join("new.md")).unwrap();
    assert!(markdown.contains(r"other\|&lt;b&gt;") && !markdown.contains("<b>"), "{markdown}");

    // One that did not count does not leave the comparison open when it is gone.
    bench.changed("two", "brief", |verdict| verdict["series"][1]["affects_outcome"] = json!(false));
    bench.check(&["brief.json", "ok.json"], 0, SAME);

    bench.changed("ok", "pod", |verdict| verdict["series"][0]["id"] = json!("soak-7d4f"));
    bench.check(&["ok.json", "pod.json", "--pair", "soak", "soak-7d4f"], 0, SAME);
    bench.check(
        &["ok.json", "pod.json"],
        2,
        "error: the runs have no series in common: the base holds `soak`, the new run `soak-7d4f` (`--pair BASE NEW` matches two names)",
    );
    bench.check(
        &["ok.json", "pod.json", "--pair", "soak", "pod"],
        2,
        "error: `--pair soak pod`: the new run has no series `pod` (it holds `soak-7d4f`)",
    );
}

#[test]
fn what_cannot_be_compared_is_not() {
    let bench = Bench::new();
    bench.judged("ok", 3, &[]);
    bench.changed("ok", "open", |verdict| verdict["series"][0]["growth"] = json!(null));
    bench.check(&["ok.json", "open.json"], 3, "INCONCLUSIVE: 1 of 1 series may be worse: soak");
    bench.changed("ok", "unsettled", |verdict| verdict["series"][0]["settled"] = json!(null));
    bench.check(&["ok.json", "unsettled.json"], 3, "INCONCLUSIVE: 1 of 1 series may be worse: soak");
    fs::write(bench.0.path().join("strict.toml"), "[verdict]\nconfidence = 0.99\n").unwrap();
    bench.judged("strict", 3, &["--config", "strict.toml"]);
    bench.check(&["ok.json", "strict.json"], 3, "INCONCLUSIVE: 1 of 1 series may be worse: soak");
    let output = bench.leaktrend(&["compare", "ok.json", "strict.json"]);
    let said = text(&output.stdout);
    assert!(
        said.contains(
            "at 90 % confidence in the base and at 99 % in the new run: judge both runs with the same settings"
        ),
        "{said}"
    );
    assert!(said.contains("note: the two runs were judged with different settings under [verdict]."), "{said}");

    bench.changed("ok", "none", |verdict| verdict["series"] = json!([]));
    let none = "error: cannot use `none.json`: it holds no series: nothing could be judged in that run";
    bench.check(&["ok.json", "none.json"], 2, none);
    bench.check(&["gone.json", "ok.json"], 2, "error: cannot read `gone.json`");
}
