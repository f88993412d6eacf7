//! What a report says first, and that it says the same everywhere: in Markdown, HTML, JSON and on a terminal.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::made::{START, growing, write_matrix};
use chrono::{DateTime, TimeDelta};
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;

/// What one run says in each form.
struct Said {
    terminal: String,
    markdown: String,
    html: String,
    json: Value,
}

/// Runs `analyze` in a terminal of this many columns, as far as that can be distinguished from without one.
fn say(args: &[&str], columns: usize) -> Said {
    let out = tempfile::tempdir().unwrap();
    let page = out.path().join("report.html");
    let output = Command::new(env!("CARGO_BIN_EXE_leaktrend"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([&["analyze"], args].concat())
        .args(["--charts", "none", "--out", out.path().to_str().unwrap(), "--html", page.to_str().unwrap()])
        .env("COLUMNS", columns.to_string())
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .output()
        .unwrap();
    assert_ne!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let text = |name: &str| fs::read_to_string(out.path().join(name)).unwrap();
    Said {
        terminal: String::from_utf8(output.stdout).unwrap(),
        markdown: text("verdict.md"),
        html: text("report.html"),
        json: serde_json::from_str(&text("verdict.json")).unwrap(),
    }
}

/// The cells of the table of all series, by the name of the series and the heading.
type Cells = BTreeMap<String, BTreeMap<String, String>>;

fn cells(headings: &[String], rows: &[Vec<String>]) -> Cells {
    let row = |row: &Vec<String>| {
        let cells: BTreeMap<String, String> = headings.iter().cloned().zip(row.iter().cloned()).collect();
        (cells["series"].clone(), cells)
    };
    rows.iter().map(row).collect()
}

fn of_markdown(markdown: &str) -> Cells {
    let split = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    let table: Vec<Vec<String>> = markdown
        .lines()
        .skip_while(|line| !line.starts_with("| outcome"))
        .take_while(|line| line.starts_with('|'))
        .map(split)
        .collect();
    cells(&table[0], &table[2..])
}

fn of_html(html: &str) -> Cells {
    let document =
        Document::parse_with_options(html, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() }).unwrap();
    let text = |node: Node| -> String {
        node.descendants().filter_map(|node| node.text().filter(|_| node.is_text())).collect()
    };
    let table = document.descendants().find(|node| node.attribute("id") == Some("series")).unwrap();
    let named = |node: Node, name: &str| -> Vec<String> {
        node.descendants().filter(|node| node.has_tag_name(name)).map(text).collect()
    };
    let rows: Vec<Vec<String>> = table
        .descendants()
        .filter(|node| node.has_tag_name("tr"))
        .map(|row| named(row, "td"))
        .filter(|row| !row.is_empty())
        .collect();
    cells(&named(table, "th"), &rows)
}

fn of_terminal(terminal: &str) -> Cells {
    let lines: Vec<&str> = terminal.lines().filter(|line| line.starts_with('│')).collect();
    // Cells stand below their heading: more than one blank parts them.
    let split = |line: &&str| -> Vec<String> {
        line.trim_matches(['│', ' '])
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .map(str::to_owned)
            .collect()
    };
    cells(&split(&lines[0]), &lines[1..].iter().map(split).collect::<Vec<_>>())
}

/// Memory as the report writes it: four significant digits in binary units, or three.
fn memory(bytes: f64, digits: i32) -> String {
    let units =
        [(1024f64.powi(4), "TiB"), (1024f64.powi(3), "GiB"), (1024f64.powi(2), "MiB"), (1024.0, "KiB"), (1.0, "B")];
    let (scale, unit) = units.into_iter().find(|(scale, _)| bytes.abs() >= *scale).unwrap_or((1.0, "B"));
    let value = bytes / scale;
    let decimals = if value == 0.0 { 0 } else { (digits - 1 - value.abs().log10().floor() as i32).max(0) };
    let text = format!("{value:.*}", decimals as usize);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {unit}")
}

/// The unit of time that a rate stands in.
fn unit(rate: &str) -> Option<(&'static str, f64)> {
    let units = [("a minute", 60.0), ("an hour", 3600.0), ("a day", 86_400.0)];
    units.into_iter().find(|(name, _)| rate.contains(name))
}

/// The inputs whose reports are compared: every form of trouble that the data beside the sources has.
const REPORTS: [&[&str]; 4] = [
    &["data/memory-usage.log", "--interval", "10s", "--end", "2026-11-23T21:21:15Z"],
    &["data/prometheus.json"],
    &["data/memory-trend.csv"],
    &["tests/cases/nightly-log/memory-usage.log", "--end", "2026-11-23T20:00:00Z"],
];

/// Every number of the table with its meaning: the same figure in the same unit wherever it stands.
#[test]
fn one_number_has_one_value_in_every_form() {
    for args in REPORTS {
        let said = say(args, 400);
        let (markdown, html, terminal) =
            (of_markdown(&said.markdown), of_html(&said.html), of_terminal(&said.terminal));
        let mut units = Vec::new();
        for series in said.json["series"].as_array().unwrap() {
            let id = series["id"].as_str().unwrap();
            let row = &markdown[id];
            assert_eq!(row, &html[id], "{args:?} {id}");
            for (heading, cell) in &terminal[id] {
                let of_markdown = row.iter().find(|(other, _)| other.starts_with(heading.as_str())).unwrap().1;
                // A terminal has room for a longer line of bars.
                assert!(heading == "memory" || cell == of_markdown, "{args:?} {id} {heading}: {cell}, {of_markdown}");
            }
            // And they are those of the JSON.
            assert_eq!(row["finding"], series["finding"].as_str().unwrap());
            assert!(
                row["now"].starts_with(&memory(series["memory"]["last"].as_f64().unwrap(), 4)),
                "{id} {}",
                row["now"]
            );
            if let Some(limit) = series["memory"]["limit"].as_f64() {
                assert!(row["limit"].contains(&memory(limit, 4)), "{id} {}", row["limit"]);
            }
            if let Some(died_at) = series["memory"]["died_at"].as_f64().filter(|_| series["memory"]["limit"].is_null())
            {
                assert!(row["limit"].contains(&memory(died_at, 4)), "{id} {}", row["limit"]);
            }
            let Some(rate) = series["growth"]["bytes_per_second"].as_f64() else { continue };
            let (name, seconds) = unit(&row["growth"]).unwrap();
            units.push(name);
            assert!(is_rounded(&row["growth"], rate * seconds, name), "{id} {} for {rate}", row["growth"]);
            // The chart and the sentences have the same figure beside its interval.
            let [lower, upper] = ["lower", "upper"].map(|end| series["growth"][end].as_f64().unwrap());
            assert!(lower < rate && rate < upper, "{id}: {rate} is an end of its interval, {lower} to {upper}");
            // The sentences tell the rate of the table, wherever they tell one.
            for text in [&series["reason"], &series["why"]].into_iter().filter_map(Value::as_str) {
                let grows = ["memory grows ", "memory has been growing "];
                let (_, after) = grows.iter().find_map(|grows| text.split_once(grows)).unwrap_or_default();
                let reported = after.split([',', '(', ';']).next().unwrap().trim();
                let reported = reported.split(" between").next().unwrap().split(" since").next().unwrap();
                if !reported.is_empty() && series["outcome"] == "fail" && unit(reported).is_some() {
                    let (number, cell) =
                        (reported.split(' ').next().unwrap(), row["growth"].split(' ').next().unwrap());
                    assert_eq!(number, cell, "{id}: {text}");
                }
                // Where it is a sentence of its own it begins with a capital.
                let is_plain = !text.contains(['_', '&', '`', '#', '*']);
                assert!(!is_plain || said.markdown.contains(&text[1..]), "{text}");
            }
            if let Some(seconds) = series["time_to_limit"]["seconds"].as_i64() {
                // The JSON has whole seconds.
                let end = DateTime::parse_from_rfc3339(series["window"]["end"].as_str().unwrap()).unwrap();
                let clock = |seconds| (end + TimeDelta::seconds(seconds)).format("%-d %b %H:%M").to_string();
                let reported = row["limit reached (UTC)"].split(", in ").next().unwrap();
                assert!(
                    [seconds - 1, seconds, seconds + 1].map(clock).contains(&reported.to_owned()),
                    "{id} {reported}"
                );
            }
        }
        units.dedup();
        assert_eq!(units.len(), 1, "{args:?}: rates in {units:?}");
    }
}

/// Whether `0.93 KiB a minute` is an amount of memory, rounded to the digits that are there.
fn is_rounded(cell: &str, bytes: f64, unit_of_time: &str) -> bool {
    let words: Vec<&str> = cell.splitn(3, ' ').collect();
    let scale = ["B", "KiB", "MiB", "GiB"].iter().position(|unit| *unit == words[1]).expect("a unit");
    let decimals = words[0].split_once('.').map_or(0, |(_, after)| after.len() as i32);
    let reported: f64 = words[0].parse().expect("a number");
    let apart = (reported - bytes / 1024_f64.powi(scale as i32)).abs();
    words[2].starts_with(unit_of_time) && apart <= 0.501 * 0.1_f64.powi(decimals)
}

/// Each case, and what its report must not say of itself.
#[test]
fn no_report_contradicts_itself() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut n_series = 0;
    for case in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(json) = fs::read_to_string(case.join("expected/out/verdict.json")) else { continue };
        let markdown = fs::read_to_string(case.join("expected/out/verdict.md")).unwrap();
        let report: Value = serde_json::from_str(&json).unwrap();
        assert!(!(markdown.contains("2 GB (1.863 GiB) assumed") && markdown.contains("(host: 1 GiB)")), "{markdown}");
        for series in report["series"].as_array().unwrap() {
            n_series += 1;
            let at = format!("{} {}", case.display(), series["id"]);
            check_series(series, &at);
        }
    }
    assert!(n_series > 10, "{n_series}");
}

fn check_series(series: &Value, at: &str) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (outcome, verdict) = (text(&series["outcome"]), text(&series["verdict"]));
    let matters = series["tolerance_bytes_per_second"].as_f64();
    let growth = |end: &str| series["growth"][end].as_f64();
    let reason = text(&series["reason"]);
    if let (Some(lower), Some(upper), Some(matters)) = (growth("lower"), growth("upper"), matters) {
        assert!(lower <= matters || !reason.contains("may or may not grow"), "{at}: {reason}");
        assert!(upper >= matters || !reason.contains("may or may not grow"), "{at}: {reason}");
        assert!(lower <= 0.0 || !reason.contains("may or may not grow"), "{at}: {reason}");
        let lean = text(&series["lean"]);
        assert!(lean != "healthy" || lower < matters, "{at}");
        assert!(lean != "leaking" || upper > matters, "{at}");
    }
    assert_eq!(series["lean"].is_null(), verdict != "inconclusive", "{at}");
    // What fails says why, and has a row that fails.
    assert_eq!(series["why"].is_null(), outcome != "fail", "{at}");
    let is_leak = ["leak", "leak-masked-by-restarts", "stepping-growth"].contains(&verdict.as_str());
    let failed = |criterion: &&Value| criterion["status"] == "fail" && criterion["gates"] == true;
    let n_failed = series["criteria"].as_array().unwrap().iter().filter(failed).count();
    assert!(outcome != "fail" || is_leak || n_failed > 0, "{at}");
    // By its verdict and by a rule read differently.
    let finding = text(&series["finding"]);
    let by_rule = finding.starts_with("rule ") || finding.contains("crash loop");
    assert!(outcome != "fail" || by_rule != is_leak || finding.contains("crash loop"), "{at}: {finding}");
    let next = text(&series["next_action"]["text"]);
    assert!(!finding.contains("crash loop") || !next.contains("go on measuring"), "{at}: {next}");
    assert!(
        growth("lower").is_none_or(|lower| lower <= 0.0) || !next.contains("does not go on growing"),
        "{at}: {next}"
    );
    let commands = series["next_action"]["commands"].to_string();
    assert!(series["last_seen"].is_null() || !commands.contains("docker exec"), "{at}: {commands}");
}

/// A crash loop comes before a leak that has days left, whatever the rates.
#[test]
fn the_table_is_sorted_by_how_soon_somebody_must_act() {
    let said = say(REPORTS[1], 400);
    let order: Vec<&str> =
        said.json["series"].as_array().unwrap().iter().map(|one| one["finding"].as_str().unwrap()).collect();
    // An export without events: only its values report its restarts.
    assert!(order[0].starts_with("looks like a crash loop"), "{order:?}");
    let row = &of_markdown(&said.markdown)["job-oom"];
    assert_eq!(row["limit"], "probably died at 319.9 MiB, 9 times");
    assert!(row["since (UTC)"].starts_with("23 Nov 20:13 ("), "{row:?}");
    assert!(row["limit reached (UTC)"].starts_with("23 Nov 21:28, in 7 min"), "{row:?}");
}

/// A container whose readings end while those of others go on was last seen, and is not looked into.
#[test]
fn what_is_gone_says_when_it_was_last_seen() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("export.json");
    write_matrix(&input, &[("gone".to_owned(), growing(400, 3.0)), ("stays".to_owned(), growing(800, 0.0))]);
    let said = say(&[input.to_str().unwrap(), "--limit", "gone=401MiB"], 400);
    let row = &of_markdown(&said.markdown)["gone"];
    assert!(row["now"].contains("last seen 4 Mar 10:56"), "{row:?}");
    let series = said.json["series"].as_array().unwrap().iter().find(|one| one["id"] == "gone").unwrap();
    assert_eq!(series["last_seen"], "2026-03-04T10:56:45Z");
    let commands = series["next_action"]["commands"].to_string();
    assert!(commands.contains("docker inspect") && !commands.contains("docker exec"), "{commands}");
    assert!(said.terminal.contains("last seen 4 Mar 10:56 UTC at"), "{}", said.terminal);
}

/// Narrow terminals: columns go in a stated order, what is wrong stays, and no line of the table is too long.
#[test]
fn the_table_fits_the_terminal() {
    let headings = |columns: usize| {
        let said = say(REPORTS[0], columns);
        let table: Vec<&str> = said.terminal.lines().filter(|line| line.starts_with(['┌', '│', '└', '╞'])).collect();
        let widest = table.iter().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= columns, "{widest} of {columns}\n{}", said.terminal);
        table[1]
            .trim_matches(['│', ' '])
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(headings(40), "series, finding");
    assert_eq!(headings(80), "outcome, series, finding");
    assert_eq!(headings(120), "outcome, series, finding, limit reached");
    assert_eq!(headings(150), "outcome, series, finding, since (UTC), limit reached");
    assert_eq!(headings(400), "outcome, series, finding, since (UTC), growth, now, limit, limit reached, memory");
}

/// Of `-q` and `-v` the last holds, and `TERM=dumb` gets no escapes.
#[test]
fn quiet_and_verbose_do_not_conflict() {
    let run = |flags: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_leaktrend"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["analyze", "data/memory-trend.csv", "--container", "#3$"])
            .args(flags)
            .env("TERM", "dumb")
            .env_remove("GITHUB_ACTIONS")
            .output()
            .unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "{out}{err}");
        (!out.is_empty(), err.contains("read as"))
    };
    assert_eq!(run(&["-q", "-v"]), (true, true));
    assert_eq!(run(&["-v", "-q"]), (false, false));
}

/// Memory about a level, in MiB, with a little noise.
fn level(n: u32, mib: f64) -> Vec<f64> {
    growing(n, 0.0).iter().map(|bytes| bytes + (mib - 100.0) * f64::from(1 << 20)).collect()
}

/// Level until it ended, it passed for healthy.
#[test]
fn a_container_that_is_gone_does_not_read_as_healthy() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fleet.json");
    let series = [("web", level(800, 200.0)), ("worker", level(500, 200.0)), ("api", level(800, 300.0))];
    write_matrix(&path, &series.map(|(name, values)| (name.to_owned(), values)));
    let said = say(&[path.to_str().unwrap()], 200);
    let first = said.markdown.lines().next().unwrap();
    assert!(first.starts_with("**PASS") && first.ends_with("; 1 is gone: `worker`**"), "{first}");
    let asked = "; last seen 4 Mar 11:21 UTC at 200.4 MiB. Tonight: its readings have ended: see whether it still runs";
    for text in [&said.terminal, &said.markdown] {
        assert!(text.contains(asked), "{text}");
    }
    let rows = of_markdown(&said.markdown);
    assert!(rows["worker"]["finding"].starts_with("gone (was: "), "{:?}", rows["worker"]);
    let (gone, healthy) = said.markdown.split_once("\n## Healthy\n").unwrap();
    assert!(gone.split_once("\n## Gone\n").unwrap().1.contains("- `worker`: last seen 2026-03-04T11:21:45Z"), "{gone}");
    assert!(
        gone.contains("`docker events --since 2026-03-04T11:21:45Z --until 0s --filter container=worker`"),
        "{gone}"
    );
    assert!(!healthy.contains("worker"), "{healthy}");
    assert!(said.html.contains("<h2>Gone</h2>"));
}

/// A spike near the limit was told nowhere: the trend has no limit in sight, and the next spike may reach it.
#[test]
fn a_level_says_how_near_its_limit_it_came() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spikes.json");
    for (peak, row, finding) in [(830.0, "no, peak 83 %", None), (930.0, "no, peak 93 %", Some(93))] {
        let mut values = level(900, 400.0);
        // One reading: too short for the alert.
        values[450] = peak * f64::from(1 << 20);
        write_matrix(&path, &[("web".to_owned(), values)]);
        let said = say(&[path.to_str().unwrap(), "--limit", "web=1000MiB"], 200);
        let web = &of_markdown(&said.markdown)["web"];
        assert_eq!(web["limit reached (UTC)"], row);
        let peaks = finding.map(|share| format!(", peaks at {share} % of its limit"));
        assert_eq!(web["finding"].contains("peaks at"), peaks.is_some(), "{web:?}");
        assert!(peaks.is_none_or(|peaks| web["finding"].ends_with(&peaks)), "{web:?}");
        assert_eq!(said.markdown.contains("its peaks reach 93 % of its limit"), finding.is_some(), "{}", said.markdown);
    }
}

/// A job that is killed at its limit each night, beside a level that grows by nothing: the rules that saw it climb stood
/// for what was wrong with it.
#[test]
fn what_its_peaks_get_killed_is_said_to_be_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut values = level(900, 400.0);
    let mut events = String::new();
    for kill in [300, 600] {
        for (at, value) in values[kill - 20..kill].iter_mut().enumerate() {
            *value += at as f64 * 31.0 * f64::from(1 << 20);
        }
        let time = START + 15 * kill as u64 - 5;
        for action in ["oom", "die", "start"] {
            let attributes = serde_json::json!({"name": "reporter", "exitCode": "137"});
            let actor = serde_json::json!({"ID": "c4".repeat(32), "Attributes": attributes});
            let event = serde_json::json!({"Type": "container", "Action": action, "Actor": actor, "time": time});
            events.push_str(&format!("{event}\n"));
        }
    }
    let [readings, recorded] = ["reporter.json", "events.log"].map(|name| dir.path().join(name));
    write_matrix(&readings, &[("reporter".to_owned(), values)]);
    fs::write(&recorded, events).unwrap();
    let [readings, recorded] = [&readings, &recorded].map(|path| path.to_str().unwrap());
    let said = say(&[readings, "--events", recorded, "--limit", "reporter=1024MiB"], 200);
    let row = &of_markdown(&said.markdown)["reporter"];
    assert!(row["finding"].starts_with("2 OOM kills, rule "), "{row:?}");
    assert!(
        said.markdown.contains("Tonight: it was OOM-killed 2 times, though memory is level otherwise"),
        "{}",
        said.markdown
    );
}

/// Commands that restart or change something have a block of their own, and whoever may sleep is given none.
#[test]
fn what_only_looks_stands_apart_from_what_changes() {
    let reports = [REPORTS[0], REPORTS[3]].map(|args| say(args, 400).markdown);
    let mut n_blocks = 0;
    for markdown in &reports {
        let parts: Vec<&str> = markdown.split("```").collect();
        for (before, block) in parts.iter().zip(&parts[1..]).step_by(2) {
            let acts = before.trim_end().ends_with("These restart, change or pause the container:");
            let commands: Vec<&str> = block.lines().skip(1).filter(|line| !line.is_empty()).collect();
            let is_change = |command: &&str| {
                ["docker restart", "docker update", "curl -X POST", "scp "].iter().any(|verb| command.starts_with(verb))
            };
            assert!(commands.iter().all(|command| is_change(command) == acts), "{before}\n{commands:?}");
            assert!(!before.trim_end().ends_with("Tonight: nothing to do."), "{commands:?}");
            n_blocks += usize::from(acts);
        }
    }
    assert!(0 < n_blocks);
}

/// A suspicion that rests on what a drop was says which drop that is.
#[test]
fn a_drop_that_decides_has_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.csv");
    // Two weeks of 16 MiB a day; after six days memory falls by a third and is back within the hour.
    let rows = (0..1344).map(|at| {
        let since = f64::from(900 * (at - 576));
        let held = if since < 0.0 { 800.0 } else { 700.0 - 220.0 * (-since / 1500.0).exp() };
        let mib = held + 16.0 * f64::from(at) / 96.0 + f64::from(at * 7919 % 13) / 2.0;
        format!("{},{mib:.2}MiB\n", START + 900 * at as u64)
    });
    fs::write(&path, rows.collect::<String>()).unwrap();
    let said = say(&[path.to_str().unwrap()], 160);
    assert_eq!(said.json["series"][0]["verdict"], "leak-suspected");
    let at = DateTime::from_timestamp((START + 900 * 576) as i64, 0).unwrap();
    let drop =
        format!("t depends on this drop: {} from 897.7 MiB to", at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    assert!(said.markdown.contains(&drop), "{drop}: {}", said.markdown);
}

/// Says what it has of a CSV of these MiB, so many seconds apart.
fn say_rows(step: u64, mib: impl Iterator<Item = f64>, args: &[&str]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("service.csv");
    let rows = (START..).step_by(step as usize).zip(mib).map(|(time, mib)| format!("{time},{mib:.2}MiB\n"));
    fs::write(&path, rows.collect::<String>()).unwrap();
    say(&[&[path.to_str().unwrap()], args].concat(), 160)
}

/// Between readings 15 minutes apart an alert that looks back five resolves: memory that stays high is one firing.
#[test]
fn memory_that_stays_near_its_limit_still_fails_however_sparse_its_readings() {
    let level = (0..480).map(|at| 950.0 + f64::from(at * 7919 % 13) / 2.0);
    let said = say_rows(900, level, &["--limit", "1GiB"]);
    assert_eq!(said.json["outcome"], "fail");
    let why = said.json["series"][0]["why"].as_str().unwrap();
    assert!(why.contains("still failing") && !why.contains("times"), "{why}");
}

/// A leak that a restart ended, under a collector: the drop has one name everywhere.
#[test]
fn a_drop_after_which_it_is_judged_is_no_collection() {
    let mib = (0..2016).map(|at| {
        let (day, since) = (f64::from(at) / 288.0, f64::from(at - 1152));
        let held = if since < 0.0 { 350.0 + 42.0 * day } else { 350.0 - 65.0 * (-since / 4.0).exp() };
        held + 2.0 * f64::from(at % 12) + f64::from(at * 7919 % 13) / 4.0
    });
    let said = say_rows(300, mib, &[]);
    assert_eq!(said.json["series"][0]["regime"]["why"], "restart", "{}", said.markdown);
    assert!(said.markdown.contains("1 probable restart"), "{}", said.markdown);
    assert!(!said.markdown.contains("sharp drop"), "{}", said.markdown);
}
