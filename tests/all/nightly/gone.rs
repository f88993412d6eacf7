//! Containers that are gone, renamed or created anew, and logs that stopped.

use std::fs;

use super::world::{Course, DAY, INTERVAL, START, World, stamped, stamped_as};

const LEAK: (&str, Course) = ("api", Course::Leak);
const FLAT: (&str, Course) = ("db", Course::Flat);

/// A day of a leak, and six hours more before it went: the others go on.
fn world_without_api() -> World {
    let world = World::new();
    world.append(&stamped(0, DAY, &[LEAK, FLAT]));
    assert_eq!(world.night(DAY, &[]).code, Some(1));
    world.append(&stamped(DAY, DAY + DAY / 4, &[LEAK, FLAT]));
    world.append(&stamped(DAY + DAY / 4, 2 * DAY, &[("db2", Course::Flat), FLAT]));
    world
}

#[test]
fn a_leak_that_is_gone_fails_once_and_is_silent_from_then_on() {
    let world = world_without_api();
    let options = ["--textfile", "m.prom", "--limit", "api=4GiB"];
    let (first, report) = world.report(2 * DAY, &options);
    assert_eq!(first.code, Some(1), "{}", first.stdout);
    first.says("  api: gone since 2026-11-02T05:45:00Z, last verdict leak");
    let api = report["series"].as_array().unwrap().iter().find(|series| series["id"] == "api").unwrap();
    assert_eq!((&api["time_to_limit"], &api["next_action"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    // By hand, later on the same day.
    assert_eq!(world.night(2 * DAY + 60, &options).code, Some(1));

    for night in 3..6 {
        world.append(&stamped((night - 1) * DAY, night * DAY, &[("db2", Course::Flat), FLAT]));
        let (silent, report) = world.report(night * DAY, &options);
        assert_eq!(silent.code, Some(0), "{}", silent.stdout);
        silent.says("No longer judged: api (gone since 2026-11-02T05:45:00Z, last verdict leak).");
        assert_eq!(silent.stdout.matches("api").count(), 1, "{}", silent.stdout);
        assert!(!report["series"].to_string().contains("\"api\""), "{report}");
        let markdown = fs::read_to_string(world.path("report/nightly.md")).unwrap();
        assert!(markdown.contains("No longer judged: `api` (gone since"), "{markdown}");
        assert!(!fs::read_to_string(world.path("m.prom")).unwrap().contains("api"));
    }
    // It comes back with its history.
    world.append(&stamped(5 * DAY, 6 * DAY, &[LEAK, FLAT]));
    let back = world.night(6 * DAY, &options);
    back.says("  api: new");
    assert_eq!(back.code, Some(1), "{}", back.stdout);
}

/// The night before it failed, and what came since is too little to say so again.
#[test]
fn a_leak_that_went_soon_after_a_night_fails_once_more() {
    let world = World::new();
    world.append(&stamped(0, DAY, &[LEAK, FLAT]));
    assert_eq!(world.night(DAY, &[]).code, Some(1));
    world.append(&stamped(DAY, DAY + INTERVAL, &[LEAK, FLAT]));
    world.append(&stamped(DAY + INTERVAL, 2 * DAY, &[("db2", Course::Flat), FLAT]));
    let night = world.night(2 * DAY, &[]);
    night.says("stale-data: the container is gone: no reading since 2026-11-02T00:00:00Z, while its log goes on");
    night.says("It failed the night before (verdict leak)");
    assert_eq!(night.code, Some(1), "{}", night.stdout);
}

#[test]
fn one_that_ended_near_its_limit_fails_once() {
    let world = World::new();
    world.append(&stamped(0, DAY, &[("api", Course::Flat), FLAT]));
    assert_eq!(world.night(DAY, &["--limit", "api=320MiB"]).code, Some(1));
    let world = World::new();
    world.append(&stamped(0, DAY, &[("api", Course::Flat), FLAT]));
    world.append(&stamped(DAY, 2 * DAY, &[("db2", Course::Flat), FLAT]));
    let night = world.night(2 * DAY, &["--limit", "api=320MiB"]);
    night.says("of its limit: it was probably OOM-killed, and nothing restarted it");
    assert_eq!(night.code, Some(1), "{}", night.stdout);
    world.append(&stamped(2 * DAY, 3 * DAY, &[("db2", Course::Flat), FLAT]));
    assert_eq!(world.night(3 * DAY, &["--limit", "api=320MiB"]).code, Some(0));
}

/// A run that was killed before its report does not use up the night on which a container that is gone is told.
#[test]
fn a_night_that_was_stopped_is_not_the_first_one_without_a_container() {
    let world = world_without_api();
    // The report cannot be written: nothing is remembered of the night but its readings.
    fs::write(world.path("report"), "in the way").unwrap();
    assert_eq!(world.night(2 * DAY, &["--out", "report"]).code, Some(2));
    let night = world.night(2 * DAY + 3600, &[]);
    night.says("  api: gone since 2026-11-02T05:45:00Z, last verdict leak");
    assert_eq!(night.code, Some(1), "{}", night.stdout);
}

#[test]
fn a_rename_carries_the_history_on() {
    let world = World::new();
    let other = |from, to| stamped_as(from, to, 0xbbbb_bbbb, "db", Course::Flat);
    let api = |from, to, name| stamped_as(from, to, 0xaaaa_aaaa, name, Course::Leak) + &other(from, to);
    world.append(&api(0, DAY, "api"));
    assert_eq!(world.night(DAY, &[]).code, Some(1));
    world.append(&api(DAY, DAY + DAY / 2, "api"));
    world.append(&api(DAY + DAY / 2, 2 * DAY, "api-v2"));
    let (night, report) = world.report(2 * DAY, &[]);
    night.says("  api has been called api-v2 since 2026-11-02T12:00:00Z");
    assert!(!night.stdout.contains("api-v2: new") && !night.stdout.contains("gone"), "{}", night.stdout);
    let samples = |report: &serde_json::Value| {
        let series = report["series"].as_array().unwrap();
        let of = |id: &str| {
            series.iter().find(|series| series["id"] == id).map(|series| series["window"]["samples"].clone())
        };
        (of("api"), of("api-v2"))
    };
    let (_, last) = world.report(2 * DAY + 60, &[]);
    assert_eq!(samples(&report).0, None);
    assert_eq!(samples(&report), samples(&last));
    assert_eq!(world.n_kept(2 * DAY + 120), 2 * 192);
    // Back again on the next night, and said once.
    world.append(&api(2 * DAY, 3 * DAY, "api"));
    let night = world.night(3 * DAY, &[]);
    night.says("  api-v2 has been called api since 2026-11-03T00:00:00Z");
    assert!(!night.stdout.contains("api has been called api-v2"), "{}", night.stdout);
    assert_eq!(world.n_kept(3 * DAY + 120), 2 * 288);
    world.append(&api(3 * DAY, 4 * DAY, "api"));
    assert!(!world.night(4 * DAY, &[]).stdout.contains("called"));
}

/// The old container keeps running under another name, the new one takes over its name: no rename of the history.
#[test]
fn a_name_that_another_container_takes_over_keeps_its_history() {
    let world = World::new();
    world.append(&stamped_as(0, DAY, 0xaaaa_aaaa, "api", Course::Flat));
    world.night(DAY, &[]);
    world.append(&stamped_as(DAY, 2 * DAY, 0xaaaa_aaaa, "api-old", Course::Flat));
    world.append(&stamped_as(DAY, 2 * DAY, 0xcccc_cccc, "api", Course::Flat));
    let night = world.night(2 * DAY, &[]);
    night.says("  api: a different container has had this name since 2026-11-02T00:00:00Z");
    night.says("  api-old: new");
    assert!(!night.stdout.contains("called"), "{}", night.stdout);
    assert_eq!(world.n_kept(2 * DAY + 60), 3 * 96);
}

/// Days lie between the two, more than is read again.
#[test]
fn a_container_that_comes_back_as_another_is_told() {
    let world = World::new();
    let other = |from, to| stamped_as(from, to, 0xbbbb_bbbb, "db", Course::Flat);
    world.append(&(stamped_as(0, DAY, 0xaaaa_aaaa, "api", Course::Flat) + &other(0, DAY)));
    world.night(DAY, &[]);
    world.append(&other(DAY, 2 * DAY));
    world.night(2 * DAY, &[]).says("  api: gone since 2026-11-01T23:45:00Z, last verdict");
    fs::rename(world.log(), world.path("elsewhere")).unwrap();
    world.append(&(stamped_as(2 * DAY, 3 * DAY, 0xcccc_cccc, "api", Course::Flat) + &other(2 * DAY, 3 * DAY)));
    world.night(3 * DAY, &[]).says("  api: a different container has had this name since 2026-11-03T00:00:00Z");
}

#[test]
fn a_log_that_stopped_is_one_trouble_and_changes_no_verdict() {
    let world = World::new();
    let three = [("api", Course::Flat), FLAT, ("web", Course::Flat)];
    world.append(&stamped(0, 6 * DAY, &three));
    let (before, _) = world.report(6 * DAY, &["--textfile", "m.prom"]);
    assert_eq!(before.code, Some(0), "{}", before.stdout);
    assert!(
        fs::read_to_string(world.path("m.prom")).unwrap().contains("leaktrend_input_stale{log=\"memory-usage.log\"} 0")
    );

    let (night, report) = world.report(8 * DAY, &["--textfile", "m.prom"]);
    let stopped = "since 2026-11-06T23:45:00Z (2 d): check the cron job";
    assert_eq!(night.code, Some(1), "{}", night.stdout);
    assert!(
        night.stdout.starts_with("FAIL at 2026-11-09T00:00:00Z: no reading in memory-usage.log "),
        "{}",
        night.stdout
    );
    assert_eq!(night.stdout.matches(stopped).count(), 1, "{}", night.stdout);
    assert!(!night.stdout.contains("stale-data"), "{}", night.stdout);
    let series = report["series"].as_array().unwrap();
    assert!(series.iter().all(|series| series["outcome"] == "pass" && series["verdict"] == "flat"), "{report}");
    assert_eq!((&report["outcome"], &report["exit_code"]), (&"fail".into(), &1.into()));

    let first_line = |file: &str| fs::read_to_string(world.path(file)).unwrap().lines().next().unwrap().to_owned();
    let line = "no reading in `memory-usage.log` since 2026-11-06T23:45:00Z (2 d): check the cron job";
    assert_eq!(first_line("report/nightly.md"), format!("**FAIL at 2026-11-09T00:00:00Z: {line}**"));
    let verdict = format!("**FAIL: {line}. Until then: PASS: none of 3 series leaks**");
    assert_eq!(first_line("report/verdict.md"), verdict);
    let metrics = fs::read_to_string(world.path("m.prom")).unwrap();
    assert!(metrics.contains("leaktrend_input_stale{log=\"memory-usage.log\"} 1"), "{metrics}");
    assert!(metrics.contains("leaktrend_outcome{state=\"fail\"} 1"), "{metrics}");
    assert!(metrics.contains("{series=\"api\",container=\"api\",state=\"fail\"} 0"), "{metrics}");

    fs::write(world.path("leaktrend.toml"), "[criteria.stale-data]\ngates = false\n").unwrap();
    let reported = world.night(8 * DAY, &[]);
    reported.says("PASS at 2026-11-09T00:00:00Z: no reading in memory-usage.log since");
    assert_eq!(reported.code, Some(0), "{}", reported.stdout);
}

/// A single reading tells no interval: a day is too long all the same.
#[test]
fn a_log_of_one_reading_stops_too() {
    let world = World::new();
    world.append(&stamped(0, INTERVAL, &[FLAT]));
    assert!(!world.night(DAY, &[]).stdout.contains("no reading in"));
    world
        .night(2 * DAY, &[])
        .says("no reading in memory-usage.log since 2026-11-01T00:00:00Z (2 d): check the cron job");
}

#[test]
fn a_missing_log_beside_a_history_is_exit_code_2() {
    let world = World::new();
    world.append(&stamped(0, DAY, &[LEAK, FLAT]));
    assert_eq!(world.night(DAY, &[]).code, Some(1));
    fs::remove_file(world.log()).unwrap();
    let night = world.night(3 * DAY, &[]);
    night.says("there is no such file, nor one that was rotated from it");
    assert!(!night.stdout.contains("check the cron job"), "{}", night.stdout);
    assert_eq!(night.code, Some(2), "{}", night.stdout);
}

/// `kubectl top pod --containers --no-headers` behind a time: three pods a day, of another version each day.
fn rolled_out(day: i64, mib: impl Fn(i64) -> i64) -> String {
    let hash = ["66b6c48dd5", "84c7b5d6f", "7d9f8b6c5d", "75675f5897"][day as usize % 4];
    let ticks = (day * DAY..(day + 1) * DAY).step_by(INTERVAL as usize);
    let row = |at: i64, suffix: &str, more: i64| {
        let used = mib(at - day * DAY) + more + (at / INTERVAL * 7919) % 3;
        format!("{} web-{hash}-{suffix} app 12m {used}Mi\n", START + at)
    };
    ticks
        .flat_map(|at| [("x2k4p", 0), ("7szfs", 4), ("b2zdv", 9)].map(|(suffix, more)| row(at, suffix, more)))
        .collect()
}

#[test]
fn pods_of_a_workload_that_goes_on_are_not_gone() {
    let world = World::new();
    let options = ["--by", "workload", "--format", "kubectl-top"];
    for night in 1..=4 {
        world.append(&rolled_out(night - 1, |age| 200 + age / 360));
        let (reported, report) = world.report(night * DAY, &options);
        let ids: Vec<&str> =
            report["series"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["web/app"], "{}", reported.stdout);
        assert!(!reported.stdout.contains("gone"), "{}", reported.stdout);
        assert!(!reported.stdout.contains("web-"), "{}", reported.stdout);
        if night == 4 {
            assert_eq!(reported.code, Some(1), "{}", reported.stdout);
            assert_eq!(report["series"][0]["workload"]["replicas"], 3);
        }
    }
    // All of its pods are gone: the workload is.
    let other = rolled_out(4, |_| 200).replace("web-", "api-");
    world.append(&other);
    world.night(5 * DAY, &options).says("gone since");
}
