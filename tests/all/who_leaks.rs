//! From growth to the request, the connection, the deploy: what `--requests`, `--covariate` and `--changes` give.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::common::Random;

/// 2026-11-23T00:00:00Z, in seconds.
const START: i64 = 1_795_392_000;
const MINUTES: usize = 600;
const MIB: f64 = 1024.0 * 1024.0;

fn leaktrend(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leaktrend"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .env("COLUMNS", "200")
        .output()
        .unwrap()
}

/// The verdict of a run with these arguments, held against its schema.
fn verdict(folder: &Path, arguments: &[&str]) -> Value {
    let output = leaktrend(folder, &[&["analyze"], arguments, &["--json", "-"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let verdict: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text} {}", String::from_utf8_lossy(&output.stderr)));
    let schema: Value = serde_json::from_str(leaktrend::report::json::SCHEMA).unwrap();
    let problems: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&verdict)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{problems:?}");
    verdict
}

/// Requests of a kind by the minute: more or less by the quarter of an hour.
fn requests(seed: u64, mean: i64) -> Vec<i64> {
    let random = &mut Random::seeded(seed);
    let quarters: Vec<i64> = (0..MINUTES.div_ceil(15)).map(|_| mean / 4 + random.below(2 * mean)).collect();
    (0..MINUTES).map(|minute| quarters[minute / 15] + random.below(5)).collect()
}

fn epoch(minute: usize) -> i64 {
    START + 60 * (minute as i64 + 1)
}

/// A table of memory that is `used` MiB at each minute, and a little noise.
fn memory(used: impl Fn(usize) -> f64) -> String {
    let random = &mut Random::seeded(3);
    let mut text = "time,web\n".to_owned();
    for minute in 0..MINUTES {
        let noise = random.below(1000) as f64 / 1000.0;
        writeln!(text, "{},{:.0}", epoch(minute), (used(minute) + noise) * MIB).unwrap();
    }
    text
}

fn sums(counts: &[i64]) -> Vec<f64> {
    let sum = |sum: &mut i64, count: &i64| {
        *sum += count;
        Some(*sum as f64)
    };
    counts.iter().scan(0, sum).collect()
}

/// An access log in which each target has its requests by the minute.
fn access_log(kinds: &[(&str, &[i64])]) -> String {
    let mut text = String::new();
    for minute in 0..MINUTES {
        let at = chrono::DateTime::from_timestamp(epoch(minute) - 30, 0).unwrap().format("%d/%b/%Y:%H:%M:%S +0000");
        for (target, counts) in kinds {
            for _ in 0..counts[minute] {
                writeln!(text, "10.0.0.1 - - [{at}] \"{target} HTTP/1.1\" 200 5 \"-\" \"-\"").unwrap();
            }
        }
    }
    text
}

fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    folder
}

/// Kind, name, whether it is named.
fn causes(series: &Value) -> Vec<(String, String, bool)> {
    let text = |cause: &Value, key: &str| cause[key].as_str().unwrap().to_owned();
    let of = |cause: &Value| (text(cause, "kind"), text(cause, "name"), cause["named"].as_bool().unwrap());
    series["causes"].as_array().unwrap_or_else(|| panic!("{series}")).iter().map(of).collect()
}

/// The commands for the day that need what the runbook's services have: those without the name of a container.
fn runbook(series: &Value) -> Vec<&str> {
    let commands = series["next_action"]["tomorrow"]["commands"].as_array().unwrap().iter();
    let commands = commands.map(|command| command.as_str().unwrap());
    commands.filter(|command| ["psql", "curl http", "grep"].iter().any(|look| command.starts_with(look))).collect()
}

fn named(kind: &str, name: &str) -> (String, String, bool) {
    (kind.to_owned(), name.to_owned(), true)
}

/// A recording of `examples/leaky-node`, which keeps 40 KiB per upload.
#[test]
fn a_recorded_leak_is_named_with_its_bytes() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/leaky-node");
    let verdict = verdict(&case, &["memory.jsonl", "--requests", "access.log.gz"]);
    let [container] = verdict["series"].as_array().unwrap().as_slice() else { panic!("one process is one series") };
    let parts = container["parts"].as_array().unwrap();
    let amounts = std::iter::once(container).chain(parts);
    let growing: Vec<&Value> = amounts.filter(|amount| amount["causes"].is_array()).collect();
    assert_eq!(growing.len(), 3, "rss, external and arrayBuffers grow");
    for amount in growing {
        assert_eq!(causes(amount)[0], named("request", "POST /upload"), "{}", amount["id"]);
        let bytes = amount["causes"][0]["bytes_per_unit"]["value"].as_f64().unwrap();
        assert!((bytes / (40.0 * 1024.0) - 1.0).abs() < 0.1, "{}: {bytes}", amount["id"]);
    }
    assert_eq!(container["grows"]["what"], "outside-heap");
    assert_eq!(container["next_action"]["pattern"], "D");
    assert_eq!(runbook(container), ["grep -r \"multer\" apps/api/src --include=\"*.ts\""]);
}

#[test]
fn requests_that_leak_are_named_and_those_in_no_log_are_not_replaced_by_others() {
    let (leaking, other, third) = (requests(1, 20), requests(2, 20), requests(5, 20));
    let kept = sums(&leaking);
    let files = [
        ("web.csv", memory(|minute| 200.0 + 0.01 * kept[minute])),
        ("all.log", access_log(&[("POST /a/7", &leaking), ("GET /b", &other), ("GET /c", &third)])),
        ("some.log", access_log(&[("GET /b", &other), ("GET /c", &third)])),
    ];
    let folder = folder(&files);
    let with_all = verdict(folder.path(), &["web.csv", "--requests", "all.log"]);
    let series = &with_all["series"][0];
    assert_eq!(causes(series), [named("request", "POST /a/:id")]);
    let bytes = &series["causes"][0]["bytes_per_unit"];
    let bytes = ["lower", "value", "upper"].map(|key| bytes[key].as_f64().unwrap() / (0.01 * MIB));
    assert!(bytes[0] <= 1.0 && 1.0 <= bytes[2] && (bytes[1] - 1.0).abs() < 0.02, "{bytes:?}");
    let without = verdict(folder.path(), &["web.csv", "--requests", "some.log"]);
    let names_a_request = |series: &Value| causes(series).iter().any(|(kind, _, named)| *named && kind == "request");
    assert!(!names_a_request(&without["series"][0]), "{:?}", causes(&without["series"][0]));
    let said = leaktrend(folder.path(), &["analyze", "web.csv", "--requests", "some.log"]);
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("cause: nothing in the logs explains the growth: memory grows "), "{said}");
    let said = leaktrend(folder.path(), &["analyze", "web.csv", "--requests", "all.log"]);
    let said = String::from_utf8(said.stdout).unwrap();
    let line = said.lines().find(|line| line.starts_with("  cause: ")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.starts_with("  cause: `POST /a/:id` keeps 10.2 KiB per request ("), "{line}");
    // Requests of another service do not count.
    let other = verdict(folder.path(), &["web.csv", "--requests", "web=some.log"]);
    assert!(!names_a_request(&other["series"][0]));
    let refused = leaktrend(folder.path(), &["analyze", "web.csv", "--requests", "wep=all.log"]);
    assert_eq!(refused.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8(refused.stderr).unwrap());
}

#[test]
fn kinds_that_go_together_are_given_as_a_set_and_growth_by_the_clock_as_that() {
    let (leaking, other) = (requests(1, 20), requests(2, 20));
    let kept = sums(&leaking);
    let files = [
        ("twins.csv", memory(|minute| 200.0 + 0.01 * kept[minute])),
        ("clock.csv", memory(|minute| 200.0 + 0.25 * minute as f64)),
        ("twins.log", access_log(&[("POST /a", &leaking), ("GET /b", &other), ("GET /twin", &leaking)])),
    ];
    let folder = folder(&files);
    let twins = verdict(folder.path(), &["twins.csv", "--requests", "twins.log"]);
    let cause = &twins["series"][0]["causes"][0];
    let set = [&[cause["name"].clone()], &cause["indistinguishable"].as_array().unwrap()[..]].concat();
    assert!(["POST /a", "GET /twin"].iter().all(|name| set.contains(&Value::from(*name))), "{set:?}");
    assert!(!set.contains(&Value::from("GET /b")) && cause["named"] == false, "{cause}");
    let clock = verdict(folder.path(), &["clock.csv", "--requests", "twins.log"]);
    assert_eq!(causes(&clock["series"][0]), [named("clock", "time itself")]);
    assert_eq!(clock["series"][0]["causes"][0]["unit"], "second");
}

#[test]
fn a_level_that_holds_memory_is_pattern_a() {
    let random = &mut Random::seeded(9);
    let rough: Vec<f64> = (0..=(MINUTES / 20)).map(|_| random.below(40) as f64).collect();
    let level: Vec<f64> =
        (0..MINUTES).map(|minute| (50.0 + 0.3 * minute as f64 + rough[minute / 20]).round()).collect();
    let mut numbers = "time,pg_connections,jobs_total\n".to_owned();
    for (minute, level) in level.iter().enumerate() {
        writeln!(numbers, "{},{level},{}", epoch(minute), 7 * minute + minute % 3).unwrap();
    }
    let files = [("web.csv", memory(|minute| 200.0 + 0.5 * level[minute])), ("numbers.csv", numbers)];
    let folder = folder(&files);
    let verdict = verdict(folder.path(), &["web.csv", "--covariate", "numbers.csv"]);
    let series = &verdict["series"][0];
    assert_eq!(causes(series)[0], named("covariate", "pg_connections"), "{}", series["causes"]);
    let bytes = series["causes"][0]["bytes_per_unit"]["value"].as_f64().unwrap();
    assert!((bytes / (0.5 * MIB) - 1.0).abs() < 0.05, "{bytes}");
    assert_eq!(series["next_action"]["pattern"], "A");
    let look = "psql \"$DATABASE_URL\" -c \"SELECT state, count(*) FROM pg_stat_activity GROUP BY state\"";
    assert_eq!(runbook(series), [look]);
}

#[test]
fn the_deploy_with_which_growth_began_is_named_and_no_other() {
    let grows_from = 240;
    let used = |minute: usize| 200.0 + 0.4 * (minute as f64 - f64::from(grows_from)).max(0.0);
    let change = |minute: usize, label: &str| format!("{},{label}\n", epoch(minute) - 20);
    let files = [
        ("web.csv", memory(used)),
        ("right.csv", change(240, "deploy a1b2c3") + &change(500, "flag on")),
        ("wrong.csv", change(100, "deploy 1111") + &change(400, "deploy 2222")),
    ];
    let folder = folder(&files);
    let right = verdict(folder.path(), &["web.csv", "--changes", "right.csv"]);
    let series = &right["series"][0];
    assert_eq!(causes(series), [named("change", "deploy a1b2c3")], "{series}");
    assert_eq!(series["growth_began"]["changes_in_window"], 2);
    assert_eq!(series["growth_began"]["changes"].as_array().unwrap().len(), 1);
    let wrong = verdict(folder.path(), &["web.csv", "--changes", "wrong.csv"]);
    assert_eq!(causes(&wrong["series"][0]), []);
    let said = leaktrend(folder.path(), &["analyze", "web.csv", "--changes", "wrong.csv"]);
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("none of the 2 changes is in that interval"), "{said}");
}

/// Two deploys within a minute: growth began with one of them.
#[test]
fn changes_that_cannot_be_told_apart_are_a_set_with_an_experiment() {
    let used = |minute: usize| 200.0 + 0.4 * (minute as f64 - 240.0).max(0.0);
    let change = |seconds: i64, label: &str| format!("{},{label}\n", epoch(240) + seconds);
    let changes = [(-90_000, "before"), (-7200, "old"), (-20, "deploy a1"), (10, "flag on"), (90_000, "after")];
    let changes = changes.map(|(seconds, label)| change(seconds, label)).concat();
    let folder = folder(&[("web.csv", memory(used)), ("changes.csv", changes)]);
    let arguments = ["web.csv", "--changes", "changes.csv", "--out", "out"];
    let verdict = verdict(folder.path(), &arguments);
    let series = &verdict["series"][0];
    let [cause] = &series["causes"].as_array().unwrap()[..] else { panic!("{}", series["causes"]) };
    assert_eq!((&cause["kind"], &cause["named"]), (&"change".into(), &false.into()), "{cause}");
    let mut set = vec![cause["name"].as_str().unwrap(), cause["indistinguishable"][0].as_str().unwrap()];
    set.sort_unstable();
    assert_eq!(set, ["deploy a1", "flag on"]);
    assert_eq!(cause["indistinguishable"].as_array().unwrap().len(), 1);
    let markdown = fs::read_to_string(folder.path().join("out/verdict.md")).unwrap();
    let first = format!("Undo one of these changes on one instance, `{}` first", cause["name"].as_str().unwrap());
    assert!(markdown.to_lowercase().contains(&first.to_lowercase()), "{markdown}");
    // Five changes, two of which were made without readings.
    let account = "- `changes.csv`: 5 lines = 3 counted + 2 outside the readings + 0 gaps + 0 others + 0 rejected\n";
    assert!(markdown.contains(account), "{markdown}");
    // An interval of minutes is not known to the millisecond.
    let began = markdown.split("rowth began between ").nth(1).and_then(|rest| rest.split(" (").next());
    assert!(began.is_some_and(|began| began.contains(" and ") && !began.contains('.')), "{markdown}");
}

/// Connections come and go, but are written down every five minutes; memory holds 1.5 MiB for each.
#[test]
fn a_level_that_is_written_down_rarely_is_not_replaced_by_time() {
    const STEP: i64 = 15;
    let mut n_named = 0;
    for seed in 0..3 {
        let random = &mut Random::seeded(seed);
        let (mut level, mut memory, mut levels) = (20_i64, "time,app\n".to_owned(), "time,pg_connections\n".to_owned());
        for at in 0..1440 {
            if random.below(20) == 0 {
                level = (level + [-3, -2, -1, 0, 1, 3, 4, 5][random.below(8) as usize]).max(5);
            }
            let time = START + STEP * at;
            writeln!(memory, "{time},{}", 100_000_000 + 1_500_000 * level + random.below(600_000)).unwrap();
            if at % 20 == 0 {
                writeln!(levels, "{time},{level}").unwrap();
            }
        }
        let folder = folder(&[("app.csv", memory), ("levels.csv", levels)]);
        let verdict = verdict(folder.path(), &["app.csv", "--covariate", "levels.csv", "--out", "out"]);
        let series = &verdict["series"][0];
        if series["causes"].is_null() {
            continue;
        }
        assert_eq!(causes(series), [named("covariate", "pg_connections")], "{}", series["causes"]);
        let bytes = series["causes"][0]["bytes_per_unit"]["value"].as_f64().unwrap();
        assert!((bytes / 1.5e6 - 1.0).abs() < 0.05, "{bytes}");
        n_named += 1;
        let markdown = fs::read_to_string(folder.path().join("out/verdict.md")).unwrap();
        assert!(
            markdown.contains("`pg_connections` has a value every 5 min, but memory is compared every "),
            "{markdown}"
        );
        assert!(!markdown.contains("othing in the logs explains"), "{markdown}");
        assert!(markdown.contains("- `levels.csv`: 72 rows = 72 counted + 0 outside the readings + "), "{markdown}");
    }
    assert!(n_named > 0, "memory grows with one of these");
}

#[test]
fn names_and_labels_do_no_harm_in_any_format() {
    let (leaking, other) = (requests(1, 20), requests(2, 20));
    let kept = sums(&leaking);
    let hostile = "GET /<script>alert(1)</script>|`x`\u{1b}[2J![i](http://e.example/)@all";
    let files = [
        ("web.csv", memory(|minute| 200.0 + 0.01 * kept[minute])),
        ("a.log", access_log(&[(hostile, &leaking), ("GET /b", &other)]) + "Authorization: Bearer hunter2\n"),
    ];
    let folder = folder(&files);
    let arguments =
        ["analyze", "web.csv", "--requests", "a.log", "--out", "out", "--html", "r.html", "--junit", "j.xml"];
    let output = leaktrend(folder.path(), &arguments);
    let said = String::from_utf8(output.stdout).unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(said.contains("cause: `GET /") && !said.contains('\u{1b}'), "{said}");
    for name in ["r.html", "j.xml", "out/verdict.md", "out/verdict.json"] {
        assert!(!read(name).contains("hunter2"), "{name}");
    }
    let html = read("r.html");
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script>alert"), "{html}");
    for name in ["r.html", "j.xml"] {
        roxmltree::Document::parse_with_options(
            &read(name),
            roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() },
        )
        .unwrap();
    }
    let markdown = read("out/verdict.md");
    for event in pulldown_cmark::Parser::new(&markdown) {
        let is_html = matches!(event, pulldown_cmark::Event::Html(_) | pulldown_cmark::Event::InlineHtml(_));
        let links = match &event {
            pulldown_cmark::Event::Start(
                pulldown_cmark::Tag::Link { dest_url, .. } | pulldown_cmark::Tag::Image { dest_url, .. },
            ) => dest_url.contains("e.example"),
            _ => false,
        };
        assert!(!is_html && !links, "{event:?}");
    }
}

#[test]
fn what_does_not_grow_has_no_cause_and_untimed_requests_are_only_ranked() {
    let leaking = requests(1, 20);
    let kept = sums(&leaking);
    let files = [
        ("flat.csv", memory(|_| 200.0)),
        ("web.csv", memory(|minute| 200.0 + 0.01 * kept[minute])),
        ("a.log", access_log(&[("POST /a", &leaking)])),
        ("requests.json", r#"[{"endpoint":"/a"},{"endpoint":"/a"},{"endpoint":"/b"}]"#.to_owned()),
        ("none.log", "nothing\n".to_owned()),
    ];
    let folder = folder(&files);
    let flat = verdict(folder.path(), &["flat.csv", "--requests", "a.log"]);
    assert!(flat["series"][0].get("causes").is_none(), "{flat}");
    let ranked = verdict(folder.path(), &["web.csv", "--requests", "requests.json"]);
    assert_eq!(causes(&ranked["series"][0]), []);
    let said = leaktrend(folder.path(), &["analyze", "web.csv", "--requests", "requests.json"]);
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(
        said.contains("cause: the requests have no times, so this is only a ranking by traffic, not a finding:"),
        "{said}"
    );
    // What was asked for and could not be used is not passed over.
    let unusable = leaktrend(folder.path(), &["analyze", "flat.csv", "--requests", "none.log"]);
    assert_eq!(unusable.status.code(), Some(2));
}

#[test]
fn the_nightly_job_says_who_leaks() {
    let (leaking, other) = (requests(1, 20), requests(2, 20));
    let kept = sums(&leaking);
    let files = [
        ("web.csv", memory(|minute| 200.0 + 0.01 * kept[minute])),
        ("a.log", access_log(&[("POST /a", &leaking), ("GET /b", &other)])),
    ];
    let folder = folder(&files);
    let now = (epoch(MINUTES - 1) + 60).to_string();
    let arguments = ["nightly", "web.csv", "--state", "state", "--requests", "a.log", "--out", "out", "--now", &now];
    let output = leaktrend(folder.path(), &arguments);
    let verdict: Value = serde_json::from_str(
        &fs::read_to_string(folder.path().join("out/verdict.json"))
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))),
    )
    .unwrap();
    assert_eq!(causes(&verdict["series"][0])[0], named("request", "POST /a"));
    // The night's own page says it once for each series that leaks, in the words of the report and of the terminal.
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let night = read("out/nightly.md");
    let reported: Vec<&str> = night.lines().filter_map(|line| line.trim_start().strip_prefix("- cause: ")).collect();
    let [reported] = reported[..] else { panic!("{night}") };
    assert!(reported.starts_with("`POST /a` keeps 10.2 KiB per request ("), "{reported}");
    let claim = reported.split(',').next().unwrap();
    assert!(read("out/verdict.md").contains(&format!("Cause: {claim}")), "{claim}");
    let terminal = String::from_utf8(output.stdout).unwrap();
    assert!(terminal.contains(&format!("  cause: {reported}\n")), "{terminal}");
}
