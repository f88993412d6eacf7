//! Verdicts on real traces that others published, where they are at hand; skipped with a word otherwise.
//!
//! What is asserted is what matters: nothing that is labelled healthy fails, and the leaks that go on for days are
//! found. `reports/real-traces.md` has every verdict and why.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Verdicts by group and label, as `group label verdict`, with how often.
fn verdicts(corpus: &Path) -> BTreeMap<[String; 3], usize> {
    let mut labels = csv::Reader::from_path(corpus.join("labels.csv")).expect("the corpus has labels");
    let columns = labels.headers().expect("the labels have a header").clone();
    let column = |name: &str| columns.iter().position(|column| column == name).expect("a column that labels have");
    let (file, label) = (column("file"), column("label"));
    let files: BTreeMap<String, String> =
        labels.records().flatten().map(|row| (row[file].to_owned(), row[label].to_owned())).collect();
    let mut counts = BTreeMap::new();
    for (file, label) in files {
        let output = Command::new(env!("CARGO_BIN_EXE_leaktrend"))
            .args(["analyze", "--since", "all", "--charts", "none", "--json", "-"])
            .arg(corpus.join(&file))
            .output()
            .expect("the program runs");
        let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a verdict");
        let group = file.split('/').next().unwrap_or_default();
        for series in verdict["series"].as_array().expect("an array of series") {
            let name = series["verdict"].as_str().unwrap_or_default();
            *counts.entry([group.to_owned(), label.clone(), name.to_owned()]).or_default() += 1;
        }
    }
    counts
}

#[test]
fn healthy_traces_pass_and_long_leaks_are_found() {
    let Some(labels) = crate::common::shared("data/corpus/labels.csv") else { return };
    let corpus = labels.parent().expect("a file stands in a folder");
    let verdicts = verdicts(corpus);
    let fails = |verdict: &str| ["leak", "leak-masked-by-restarts", "stepping-growth"].contains(&verdict);
    for ([group, label, verdict], count) in &verdicts {
        let healthy = ["no_leak", "spike", "step"].contains(&label.as_str());
        assert!(!(healthy && fails(verdict)), "{count} of {group} labelled {label}: {verdict}");
    }
    let aging = |found: bool| -> usize {
        let of = verdicts
            .iter()
            .filter(|([group, label, verdict], _)| group == "llm_aging" && label == "leak" && fails(verdict) == found);
        of.map(|(_, count)| count).sum()
    };
    assert_eq!((aging(true), aging(false)), (4, 0), "leaks of model servers: found, missed");
}
