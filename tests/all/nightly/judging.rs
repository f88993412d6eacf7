//! Which window decides, what changed since yesterday, and how the program ends.

use std::fs;

use super::world::{Course, DAY, INTERVAL, MIB, ODD, START, World, stamped};

const FLAT: [(&str, Course); 2] = [("api", Course::Flat), ("db", Course::Flat)];
const LEAK: [(&str, Course); 2] = [("api", Course::Leak), ("db", Course::Flat)];

#[test]
fn the_first_nights_are_decided_by_the_day_and_later_ones_by_the_longest_window_that_is_covered() {
    let world = World::new();
    let mut decided = Vec::new();
    for night in 1..=26 {
        world.append(&stamped((night - 1) * DAY, night * DAY, &FLAT));
        let done = world.night(night * DAY, &[]);
        assert_eq!(done.code, Some(0), "{}", done.stdout);
        let headline = done.stdout.lines().next().unwrap();
        decided.push(headline.split(": ").nth(1).unwrap().to_owned());
    }
    // Four fifths of a week are 5.6 days, of a month 24.
    let expected = |night: usize| match night {
        1..6 => "decided by the last day",
        6..24 => "decided by the last week",
        _ => "decided by the last month",
    };
    for (index, decided) in decided.iter().enumerate() {
        assert_eq!(decided, expected(index + 1), "night {}", index + 1);
    }
}

#[test]
fn too_few_readings_for_any_window_are_said() {
    let world = World::new();
    world.append(&stamped(0, DAY / 3, &FLAT));
    world.night(DAY / 3, &[]).says("no window is covered by enough readings yet; the last day is shown");
}

/// A week of which three days are read warns of a step; in the last day memory is level.
#[test]
fn a_window_that_is_hardly_covered_is_not_heard() {
    let world = World::new();
    world.append(&stamped(0, 3 * DAY, &[("api", Course::Step(DAY)), ("db", Course::Flat)]));
    let (night, _) = world.report(3 * DAY, &[]);
    let week = fs::read_to_string(world.path("report/week/verdict.md")).unwrap();
    assert!(week.starts_with("**WARN: nothing failed; 1 of 2 series needs a look: `api`**"), "{week}");
    night.says("PASS at 2026-11-04T00:00:00Z: decided by the last day");
    assert_eq!(night.code, Some(0));
}

/// A leak fails the night, whichever window shows it.
#[test]
fn a_leak_is_exit_code_1_and_named_in_every_output() {
    let world = World::new();
    world.append(&stamped(0, DAY, &LEAK));
    let (night, report) = world.report(DAY, &[]);
    assert_eq!(night.code, Some(1));
    night.says("FAIL at 2026-11-02T00:00:00Z: decided by the last day");
    let markdown = fs::read_to_string(world.path("report/nightly.md")).unwrap();
    assert!(markdown.contains("| fail | `api` | leak |"), "{markdown}");
    assert!(markdown.contains("([report](day/verdict.md))"), "{markdown}");
    assert!(fs::metadata(world.path("report/day/verdict.md")).is_ok());
    assert_eq!(report["outcome"], "fail");
    let schema = serde_json::from_str(include_str!("../../../schema/verdict.schema.json")).unwrap();
    jsonschema::validate(&schema, &report).unwrap();
}

/// Five days of a leak that was mended: what it does now decides, in the week as in the day.
#[test]
fn a_leak_that_was_mended_no_longer_fails() {
    let world = World::new();
    world.append(&stamped(0, 5 * DAY, &LEAK));
    world.append(&stamped(5 * DAY, 7 * DAY, &FLAT));
    let night = world.night(7 * DAY, &[]);
    night.says("last day (100 % covered): PASS");
    night.says("PASS at 2026-11-08T00:00:00Z: decided by the last week");
    assert_eq!(night.code, Some(0));
}

/// A week that says nothing yet of a leak that began yesterday.
#[test]
fn any_window_that_fails_decides() {
    let world = World::new();
    world.append(&stamped(0, 6 * DAY, &FLAT));
    world.append(&stamped(6 * DAY, 7 * DAY, &LEAK));
    let night = world.night(7 * DAY, &[]);
    night.says("FAIL at 2026-11-08T00:00:00Z");
    assert_eq!(night.code, Some(1));
}

/// Twelve MiB a day are little for a day, and a leak in a week: the report of the day must not calm anybody.
#[test]
fn the_report_of_a_day_points_to_the_week_that_shows_a_leak() {
    let world = World::new();
    world.append(&stamped(0, 7 * DAY, &[("api", Course::Slow), ("db", Course::Flat)]));
    let (night, _) = world.report(7 * DAY, &[]);
    night.says("FAIL at 2026-11-08T00:00:00Z: decided by the last week");
    let day = fs::read_to_string(world.path("report/day/verdict.md")).unwrap();
    assert!(day.contains("The last week shows that it leaks, and decides: read the report of that window"), "{day}");
    assert_eq!(day.matches("The last week shows").count(), 1, "of `db` it is not said: {day}");
}

#[test]
fn an_inconclusive_night_passes_unless_told_and_says_so() {
    let world = World::new();
    world.append(&stamped(0, 4 * INTERVAL, &FLAT));
    let night = world.night(4 * INTERVAL, &[]);
    assert_eq!(night.code, Some(0), "{}", night.stdout);
    night.says("INCONCLUSIVE at");
    night.says("note: An inconclusive night does not fail the job (`--inconclusive fail` makes it fail).");
    for (policy, code) in [("fail", 1), ("own", 3), ("pass", 0)] {
        let night = world.night(4 * INTERVAL, &["--inconclusive", policy]);
        assert_eq!(night.code, Some(code), "{policy}: {}", night.stdout);
        assert_eq!(night.stdout.contains("does not fail the job"), policy == "pass", "{policy}: {}", night.stdout);
    }
    fs::write(world.path("leaktrend.toml"), "[nightly]\ninconclusive = \"fail\"\n").unwrap();
    assert_eq!(world.night(4 * INTERVAL, &[]).code, Some(1));
}

#[test]
fn readings_that_stopped_coming_fail_the_night() {
    let world = World::new();
    world.append(&stamped(0, DAY, &FLAT));
    // The last one is of 23:45: three intervals later it is 00:30.
    assert_eq!(world.night(DAY + 1800, &[]).code, Some(0));
    let night = world.night(DAY + 1801, &[]);
    assert_eq!(night.code, Some(1), "{}", night.stdout);
    night.says("no reading in memory-usage.log since 2026-11-01T23:45:00Z (45 min): check the cron job");
}

/// A container that is gone while the log goes on is not stale.
#[test]
fn what_changed_since_yesterday_is_said() {
    let world = World::new();
    world.append(&stamped(0, DAY, &[("api", Course::Step(DAY)), ("db", Course::Flat), ("old", Course::Flat)]));
    world.night(DAY, &[]).says("there is no earlier night to compare with");
    world.append(&stamped(DAY, 2 * DAY, &[("api", Course::Step(DAY)), ("db", Course::Flat), ("new", Course::Flat)]));
    let night = world.night(2 * DAY, &[]);
    night.says("What changed since 2026-11-02T00:00:00Z (1 d ago):");
    night.says("  new: new\n");
    night.says("  old: gone since 2026-11-01T23:45:00Z, last verdict flat\n");
    night.says("  api: 150 MiB higher, 450.");
    assert!(!night.stdout.contains("  db: "), "{}", night.stdout);
    assert!(!night.stdout.contains("stale-data"), "{}", night.stdout);

    world.append(&stamped(
        2 * DAY,
        3 * DAY,
        &[("api", Course::Step(DAY)), ("db", Course::Flat), ("new", Course::Flat)],
    ));
    let night = world.night(3 * DAY, &[]);
    night.says("nothing that matters: the same series, outcomes and levels");
    night.says("No longer judged: old (gone since 2026-11-01T23:45:00Z, last verdict flat).");
}

/// A run by hand in the morning says what the one at night said.
#[test]
fn a_run_again_says_the_same() {
    let world = World::new();
    world.append(&stamped(0, DAY, &LEAK));
    world.append(ODD);
    world.night(DAY, &[]);
    world.append(&stamped(DAY, 2 * DAY, &LEAK));
    world.append(ODD);
    let without_note = |night: &super::world::Night| {
        night.stdout.lines().filter(|line| !line.contains("Readings added")).collect::<Vec<_>>().join("\n")
    };
    let (first, report) = world.report(2 * DAY, &["--strict"]);
    assert_eq!((first.code, &report["inputs"][0]["rejected_count"]), (Some(2), &1.into()));
    let (again, report) = world.report(2 * DAY, &["--strict"]);
    assert_eq!(without_note(&first), without_note(&again));
    assert_eq!((again.code, &report["inputs"][0]["rejected_count"]), (Some(2), &1.into()));
}

#[test]
fn a_log_that_is_missing_is_exit_code_2_and_the_others_are_judged() {
    let world = World::new();
    world.append(&stamped(0, DAY, &FLAT));
    let night = world.night(DAY, &["elsewhere.log"]);
    assert_eq!(night.code, Some(2));
    night.says("there is no such file, nor one that was rotated from it");
    night.says("PASS at");
}

#[test]
fn nothing_at_all_is_exit_code_2() {
    let world = World::new();
    let night = world.night(DAY, &["--out", "report"]);
    assert_eq!(night.code, Some(2), "{}{}", night.stdout, night.stderr);
    night.says("there is no such file");
}

#[test]
fn arguments_that_cannot_be_are_refused() {
    let world = World::new();
    world.append(&stamped(0, DAY, &FLAT));
    for (options, message) in [
        (&["--keep", "0s"][..], "`--keep` is 0 (expected a time such as `35d`)"),
        (&["-"], "cannot read standard input (expected a log file or a server)"),
        (&["--now", "soon"], "--now"),
    ] {
        let night = world.night(DAY, options);
        assert_eq!(night.code, Some(2), "{options:?}");
        night.says(message);
    }
}

/// Two logs may know a container by the same name: each is judged by itself.
#[test]
fn logs_of_two_machines_are_kept_apart() {
    let world = World::new();
    world.append(&stamped(0, DAY, &LEAK));
    fs::write(world.path("other.log"), stamped(0, DAY, &FLAT)).unwrap();
    let night = world.night(DAY, &["other.log"]);
    night.says("api (memory-usage.log)");
    night.says("api (other.log)");
    assert_eq!(night.code, Some(1));
}

/// What can never be evaluated at this spacing is said on the first night, and when somebody asks.
#[test]
fn criteria_that_cannot_be_evaluated_are_said_once() {
    let world = World::new();
    let reported = "Not evaluable with this data: growth-100mb-5m";
    world.append(&stamped(0, DAY, &FLAT));
    world.night(DAY, &["--out", "report"]).says(reported);
    let read = |name: &str| fs::read_to_string(world.path(name)).unwrap();
    assert!(read("report/nightly.md").contains(reported) && read("report/verdict.md").contains(reported));
    // The same night again, by hand.
    world.night(DAY + 60, &[]).says(reported);
    for night in 2..4 {
        world.append(&stamped((night - 1) * DAY, night * DAY, &FLAT));
        let quiet = world.night(night * DAY, &["--out", "report"]);
        assert!(!quiet.stdout.contains("growth-100mb-5m"), "{}", quiet.stdout);
        assert!(!read("report/nightly.md").contains("growth-100mb-5m"));
        assert!(!read("report/verdict.md").contains(reported));
    }
    let explained = world.night(3 * DAY + 60, &["--explain"]);
    explained.says(reported);
    explained.says("note: growth-100mb-5m cannot be evaluated: ");
    assert!(!world.night(3 * DAY + 120, &[]).stdout.contains("growth-100mb-5m"));
}

/// `nightly.md` holds what the terminal is told: reasons, rejected lines, and what is assumed of times.
#[test]
fn the_file_says_what_the_terminal_says() {
    let world = World::new();
    world.append(&super::world::untimed(0, DAY, &LEAK));
    world.append("9a9858660001 odd 0.1% 12.0XiB / 7.637GiB 3.9% 1kB / 1kB 1kB / 1kB 9\n");
    let end = (super::world::START + DAY - INTERVAL).to_string();
    let night = world.night(DAY, &["--end", &end, "--out", "report"]);
    let markdown = fs::read_to_string(world.path("report/nightly.md")).unwrap();
    for part in [
        "memory grows 240 MiB a day",
        "trend-24h: the verdict over",
        "ignored 1 line that could not be read",
        "assuming one reading every 15 min, the last at 2026-11-01T23:45:00Z",
        "Not evaluable with this data",
    ] {
        night.says(part);
        assert!(markdown.contains(part), "{part:?}\n{markdown}");
    }
}

/// Another verdict that comes to the same is no change, nor is a weekend.
#[test]
fn what_does_not_matter_is_no_change() {
    let world = World::new();
    for night in 1..=12 {
        world.append(&stamped((night - 1) * DAY, night * DAY, &[("api", Course::Weekly), ("db", Course::Flat)]));
        let night = world.night(night * DAY, &[]);
        assert!(!night.stdout.contains("daily medians"), "{}", night.stdout);
    }
}

/// The amounts of one process have one verdict each night, and their history goes on.
#[test]
fn the_amounts_of_one_process_are_one_series() {
    let world = World::new();
    let readings = |from: i64, to: i64, kept: &dyn Fn(i64) -> f64| -> String {
        let line = |at: i64| {
            let (noise, kept) = ((at / INTERVAL * 7919 % 13) as f64 * 0.2, kept(at));
            let [rss, used] = [300.0, 120.0].map(|base| ((base + noise + kept) * MIB) as u64);
            format!("{{\"time\":{},\"service\":\"api\",\"rss\":{rss},\"heapUsed\":{used}}}\n", START + at)
        };
        (from..to).step_by(INTERVAL as usize).map(line).collect()
    };
    world.append(&readings(0, 6 * DAY, &|_| 0.0));
    let (_, before) = world.report(6 * DAY, &[]);
    assert_eq!(before["series"].as_array().unwrap().len(), 1);
    assert_eq!((&before["series"][0]["id"], &before["series"][0]["grows"]["what"]), (&"api".into(), &"nothing".into()));
    world.append(&readings(6 * DAY, 7 * DAY, &|at| (at - 6 * DAY) as f64 / 400.0));
    let (night, after) = world.report(7 * DAY, &["--textfile", "metrics.prom"]);
    assert_eq!(night.code, Some(1), "{}", night.stdout);
    assert_eq!((&after["series"][0]["id"], &after["series"][0]["grows"]["what"]), (&"api".into(), &"heap".into()));
    night.says("api: leak (fail) instead of flat (pass)");
    assert!(!night.stdout.contains("api/"), "{}", night.stdout);
    let metrics = fs::read_to_string(world.path("metrics.prom")).unwrap();
    assert!(metrics.contains("series=\"api\"") && !metrics.contains("api/"), "{metrics}");
}
