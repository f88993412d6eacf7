//! Who may use whom: the architecture as a test. An edge that is not listed here is a mistake, or a decision.

use std::fs;
use std::path::{Path, PathBuf};

/// Each module with those of ours that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("error", &[]),
    ("stats", &[]),
    ("progress", &["units"]),
    ("series", &["stats", "units"]),
    ("settings", &["error", "units"]),
    ("ingest", &["error", "progress", "series", "units"]),
    ("events", &["ingest", "series", "units"]),
    ("frame", &["ingest", "series", "report"]),
    ("segment", &["series", "stats", "units"]),
    ("fit", &["segment", "stats", "units"]),
    ("judge", &["fit", "segment", "stats", "units"]),
    ("forecast", &["judge", "stats", "units"]),
    ("settled", &["judge", "segment", "stats"]),
    ("causes", &["Terms", "fit", "monday", "segment", "series", "stats"]),
    ("criteria", &["series", "settings", "stats", "units"]),
    ("rules", &["criteria", "error", "series", "settings", "units"]),
    ("policy", &["criteria", "judge", "settings"]),
    ("next_action", &["judge", "units"]),
    (
        "report",
        &[
            "criteria",
            "error",
            "fit",
            "forecast",
            "ingest",
            "judge",
            "next_action",
            "policy",
            "rules",
            "segment",
            "series",
            "settings",
            "settled",
            "stats",
            "units",
        ],
    ),
    ("selection", &["series"]),
    ("limits", &["error", "ingest", "report", "selection", "series", "settings", "units"]),
    ("window", &["criteria", "error", "ingest", "units"]),
    (
        "analysis",
        &[
            "criteria",
            "error",
            "events",
            "fit",
            "forecast",
            "frame",
            "ingest",
            "judge",
            "limits",
            "next_action",
            "policy",
            "progress",
            "report",
            "rules",
            "segment",
            "selection",
            "series",
            "settings",
            "settled",
            "stats",
            "units",
            "window",
        ],
    ),
    ("compare", &["error", "policy", "report", "settings", "stats", "units"]),
    (
        "nightly",
        &[
            "analysis", "criteria", "error", "frame", "ingest", "judge", "policy", "report", "series", "settings",
            "stats", "units", "window",
        ],
    ),
    (
        "cli",
        &["analysis", "error", "ingest", "progress", "report", "rules", "selection", "settings", "units", "window"],
    ),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            found.extend(sources(&entry.path()));
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// The program's own sources, and those of the judge.
fn both_sources() -> [PathBuf; 2] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    [root.join("src"), root.join("crates/leaktrend-core/src")]
}

/// The lines of a file before its tests: these may use anything.
fn code(path: &Path) -> Vec<String> {
    if path.ends_with("tests.rs") {
        return Vec::new();
    }
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect()
}

fn module(path: &Path, src: &Path) -> String {
    let first = path.strip_prefix(src).unwrap().components().next().unwrap();
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

#[test]
fn modules_use_only_what_they_may() {
    let mut seen = 0;
    let files =
        both_sources().into_iter().flat_map(|src| sources(&src).into_iter().map(move |path| (path, src.clone())));
    for (path, src) in files {
        let name = module(&path, &src);
        if name == "lib" || name == "main" {
            continue;
        }
        let (_, allowed) =
            MAY_USE.iter().find(|(module, _)| *module == name).unwrap_or_else(|| panic!("{name} is not listed"));
        for line in code(&path) {
            for used in line.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if used.is_empty() || used == name {
                    continue;
                }
                seen += 1;
                assert!(allowed.contains(&used.as_str()), "{}: `{name}` may not use `{used}`", path.display());
            }
        }
    }
    assert!(seen > 30, "the test reads the sources");
}

#[test]
fn only_the_frame_names_polars_only_the_rules_name_parsers_and_only_main_prints() {
    let files =
        both_sources().into_iter().flat_map(|src| sources(&src).into_iter().map(move |path| (path, src.clone())));
    for (path, src) in files {
        let name = module(&path, &src);
        for line in code(&path) {
            assert!(name == "frame" || !line.contains("polars::"), "{}: {line}", path.display());
            let parses = ["promql_parser", "serde_saphyr"].iter().any(|parser| line.contains(parser));
            assert!(name == "rules" || !parses, "{}: {line}", path.display());
            let prints = ["println!", "eprintln!", "print!(", "process::exit", "SystemTime::now", "Instant::now"];
            assert!(name == "main" || !prints.iter().any(|word| line.contains(word)), "{}: {line}", path.display());
        }
    }
}
