//! Who may use whom: the architecture as a test. An edge that is not listed here is a mistake, or a decision.

use std::fs;
use std::path::{Path, PathBuf};

/// Each module with those of ours that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("named", &[]),
    ("error", &[]),
    ("stats", &[]),
    ("progress", &["units"]),
    ("series", &["stats", "units"]),
    ("settings", &["error", "units"]),
    ("files", &[]),
    ("open", &["progress"]),
    ("account", &["named", "open"]),
    ("seed", &[]),
    ("decode", &["account", "open", "progress", "seed", "series", "units"]),
    ("pods", &["series"]),
    ("resolve", &["account", "decode", "open", "series", "pods", "units"]),
    ("amounts", &["named", "resolve", "series"]),
    ("events", &["account", "decode", "open", "progress", "series", "units"]),
    ("counts", &["account", "decode", "events", "open", "progress", "units"]),
    ("frame", &["account", "decode", "error", "files", "resolve", "series"]),
    ("read", &["account", "decode", "error", "frame", "open", "progress", "resolve"]),
    ("segment", &["named", "series", "stats", "units"]),
    ("fit", &["segment", "stats", "units"]),
    ("verdict", &["fit", "named", "segment", "stats", "units"]),
    ("workload", &["Terms", "fit", "monday", "segment", "series", "stats", "verdict"]),
    ("forecast", &["verdict", "stats", "units"]),
    ("settled", &["verdict", "segment", "stats"]),
    ("causes", &["Terms", "fit", "monday", "segment", "series", "stats"]),
    ("attribution", &["amounts", "causes", "counts", "named", "segment", "series", "stats", "units"]),
    ("criteria", &["named", "segment", "series", "settings", "stats", "units"]),
    ("rules", &["criteria", "error", "named", "series", "settings", "units"]),
    ("policy", &["criteria", "named", "verdict", "settings"]),
    ("grows", &["amounts", "named", "verdict"]),
    ("next_action", &["attribution", "grows", "units", "verdict"]),
    (
        "report",
        &[
            "amounts",
            "attribution",
            "criteria",
            "account",
            "error",
            "events",
            "files",
            "fit",
            "forecast",
            "grows",
            "verdict",
            "named",
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
    ("live", &["account", "progress", "seed", "units"]),
    ("selection", &["amounts", "series"]),
    ("limits", &["account", "amounts", "error", "frame", "report", "selection", "series", "settings", "units"]),
    ("window", &["account", "criteria", "error", "report", "units"]),
    (
        "analysis",
        &[
            "amounts",
            "attribution",
            "counts",
            "criteria",
            "error",
            "events",
            "fit",
            "forecast",
            "grows",
            "account",
            "decode",
            "frame",
            "verdict",
            "open",
            "read",
            "resolve",
            "limits",
            "next_action",
            "pods",
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
            "workload",
        ],
    ),
    ("compare", &["error", "named", "policy", "report", "settings", "stats", "units"]),
    (
        "nightly",
        &[
            "account", "amounts", "analysis", "criteria", "decode", "error", "files", "frame", "verdict", "open",
            "pods", "progress", "read", "resolve", "policy", "report", "series", "settings", "stats", "units",
            "window",
        ],
    ),
    (
        "cli",
        &[
            "account",
            "analysis",
            "counts",
            "decode",
            "error",
            "live",
            "open",
            "progress",
            "report",
            "rules",
            "selection",
            "settings",
            "units",
            "window",
        ],
    ),
    (
        "program",
        &[
            "analysis", "cli", "compare", "decode", "error", "files", "frame", "live", "nightly", "open", "progress",
            "report", "settings",
        ],
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
    let code = ["#[cfg(test)]\nmod tests", "#[cfg(test)]\npub(crate) mod"]
        .iter()
        .fold(text.as_str(), |code, tests| code.split(tests).next().unwrap_or_default());
    code.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect()
}

fn module(path: &Path, src: &Path) -> String {
    let first = path.strip_prefix(src).unwrap().components().next().unwrap();
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// Each module stands behind all that it may use: there is no circle, and nothing points back.
#[test]
fn nothing_points_back() {
    for (index, (module, allowed)) in MAY_USE.iter().enumerate() {
        for used in *allowed {
            let earlier = MAY_USE[..index].iter().any(|(name, _)| name == used);
            let is_of_the_root = !MAY_USE.iter().any(|(name, _)| name == used);
            assert!(earlier || is_of_the_root, "`{module}` may use `{used}`, which stands behind it");
        }
    }
}

/// A file that needs a second screen for its outline should be two.
#[test]
fn no_file_is_longer_than_600_lines() {
    let folders = ["src", "tests", "examples", "benches", "crates/leaktrend-core", "python/src"];
    let files = folders.into_iter().flat_map(|folder| sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)));
    let n_lines = |path: &PathBuf| fs::read_to_string(path).unwrap().lines().count();
    let long: Vec<PathBuf> = files.filter(|path| 600 < n_lines(path)).collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn modules_use_only_what_they_may() {
    let mut seen = 0;
    let files =
        both_sources().into_iter().flat_map(|src| sources(&src).into_iter().map(move |path| (path, src.clone())));
    for (path, src) in files {
        let name = module(&path, &src);
        if name == "lib" || name == "bin" {
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
fn only_the_frame_names_polars_only_the_rules_name_parsers_only_live_opens_sockets_and_only_the_program_prints() {
    let files =
        both_sources().into_iter().flat_map(|src| sources(&src).into_iter().map(move |path| (path, src.clone())));
    for (path, src) in files {
        let name = module(&path, &src);
        for line in code(&path) {
            assert!(
                name == "frame"
                    || path.starts_with(src.join("decode/table"))
                    || !(line.contains("polars::") || line.contains("polars_")),
                "{}: {line}",
                path.display()
            );
            // YAML is also what Prometheus' own way of saying how a server is reached is written in.
            let parses = line.contains("promql_parser") || line.contains("serde_saphyr") && name != "live";
            assert!(name == "rules" || !parses, "{}: {line}", path.display());
            let sockets = ["ureq::", "rustls", "std::net", "TcpStream", "UdpSocket", "TcpListener"];
            assert!(name == "live" || !sockets.iter().any(|word| line.contains(word)), "{}: {line}", path.display());
            let prints = ["println!", "eprintln!", "print!(", "process::exit", "SystemTime::now", "Instant::now"];
            assert!(name == "program" || !prints.iter().any(|word| line.contains(word)), "{}: {line}", path.display());
        }
    }
}

/// ARCHITECTURE.md names every module, and no file that is not there.
#[test]
fn the_map_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    for (module, _) in MAY_USE {
        let is_small = ["units", "error", "progress", "files", "read"].contains(module);
        assert!(is_small || map.contains(&format!("`{module}`")), "ARCHITECTURE.md does not name `{module}`");
    }
    let paths = map
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| Path::new(word).extension().is_some_and(|extension| extension == "rs"));
    let mut n_paths = 0;
    for path in paths.filter(|path| !path.contains("NAME") && !path.contains("SOURCE")) {
        let places = ["", "src", "crates/leaktrend-core/src"].map(|folder| root.join(folder).join(path));
        assert!(places.iter().any(|place| place.is_file()), "ARCHITECTURE.md names `{path}`, which is not there");
        n_paths += 1;
    }
    assert!(n_paths > 20, "the test reads the map");
}
