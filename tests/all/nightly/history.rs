//! No reading is counted twice and none is lost, whatever rotation does to the files.

use std::fs;
use std::io::Write;

use super::world::{Course, DAY, INTERVAL, START, World, stamped, stamped_as, untimed};

const THREE: [(&str, Course); 3] = [("api", Course::Flat), ("db", Course::Flat), ("web", Course::Flat)];

/// Readings of three containers in so many seconds.
const fn n_readings(seconds: i64) -> usize {
    (3 * seconds / INTERVAL) as usize
}

#[test]
fn a_log_that_grows_is_read_once() {
    let world = World::new();
    for night in 0..4 {
        world.append(&stamped(night * DAY, (night + 1) * DAY, &THREE));
        world.night((night + 1) * DAY, &[]).says("Readings added to the history: 288.");
        world.night((night + 1) * DAY + 60, &[]).says("Readings added to the history: 0.");
    }
    assert_eq!(world.n_kept(4 * DAY + 120), n_readings(4 * DAY));
}

/// A rotation between two nights, of each kind that `logrotate` knows.
#[test]
fn rotation_neither_doubles_nor_loses_a_reading() {
    type Rotate = fn(&World);
    let kinds: [(&str, Rotate); 5] = [
        ("create", |world| {
            fs::rename(world.log(), world.path("memory-usage.log.1")).unwrap();
            fs::write(world.log(), "").unwrap();
        }),
        ("nocreate", |world| fs::rename(world.log(), world.path("memory-usage.log.1")).unwrap()),
        ("copytruncate", |world| {
            fs::copy(world.log(), world.path("memory-usage.log.1")).unwrap();
            fs::write(world.log(), "").unwrap();
        }),
        ("compress", |world| {
            let file = fs::File::create(world.path("memory-usage.log.1.gz")).unwrap();
            let mut gz = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            gz.write_all(&fs::read(world.log()).unwrap()).unwrap();
            gz.finish().unwrap();
            fs::remove_file(world.log()).unwrap();
        }),
        ("dateext", |world| fs::rename(world.log(), world.path("memory-usage.log-20261102")).unwrap()),
    ];
    for (name, rotate) in kinds {
        let world = World::new();
        world.append(&stamped(0, DAY, &THREE));
        world.night(DAY, &[]).says("Readings added to the history: 288");
        // Six more hours, the rotation, and the rest of the day.
        world.append(&stamped(DAY, DAY + DAY / 4, &THREE));
        rotate(&world);
        world.append(&stamped(DAY + DAY / 4, 2 * DAY, &THREE));
        let night = world.night(2 * DAY, &[]);
        assert!(
            night.stdout.contains("Readings added to the history: 288"),
            "{name}: {}{}",
            night.stdout,
            night.stderr
        );
        assert_eq!(world.n_kept(2 * DAY + 60), n_readings(2 * DAY), "{name}");
    }
}

/// `savelog` and hand-made rotations shift every file; the oldest goes.
#[test]
fn files_that_move_on_every_night_stay_known() {
    let world = World::new();
    for night in 0..6 {
        for age in (1..4).rev() {
            let older = world.path(&format!("memory-usage.log.{}", age + 1));
            let _ = fs::rename(world.path(&format!("memory-usage.log.{age}")), older);
        }
        let _ = fs::rename(world.log(), world.path("memory-usage.log.1"));
        let _ = fs::remove_file(world.path("memory-usage.log.4"));
        world.append(&stamped(night * DAY, (night + 1) * DAY, &THREE));
        world.night((night + 1) * DAY, &[]).says("Readings added to the history: 288.");
    }
    assert_eq!(world.n_kept(6 * DAY + 60), n_readings(6 * DAY));
}

#[test]
fn a_log_whose_front_was_cut_off_goes_on_where_it_was() {
    let world = World::new();
    let all = stamped(0, 2 * DAY, &THREE);
    let day = all.len() / 2;
    world.append(&all[..day]);
    world.night(DAY, &[]);
    // `tail -n` into the same file: its beginning is another one.
    let cut = day / 2 + all[day / 2..].find('\n').unwrap() + 1;
    fs::write(world.log(), &all[cut..]).unwrap();
    world.night(2 * DAY, &[]);
    assert_eq!(world.n_kept(2 * DAY + 60), n_readings(2 * DAY));
}

#[test]
fn a_line_that_is_being_written_is_read_on_the_next_night() {
    let world = World::new();
    let all = stamped(0, 2 * DAY, &THREE);
    let half = all.len() / 2 + 11;
    world.append(&all[..half]);
    let (_, report) = world.report(DAY, &[]);
    assert_eq!(report["inputs"][0]["rejected_count"], 0);
    world.append(&all[half..]);
    let (_, report) = world.report(2 * DAY, &[]);
    assert_eq!(report["inputs"][0]["rejected_count"], 0);
    assert_eq!(world.n_kept(2 * DAY + 60), n_readings(2 * DAY));
}

/// A night begins while a call of `docker stats` is being written: the rest of its rows are of the same moment.
#[test]
fn rows_that_come_after_the_night_began_belong_to_the_time_before_them() {
    let world = World::new();
    let call = |at: i64| format!("=== {} ===\n{}", super::world::START + at, without_header(at));
    let all: String = (0..DAY).step_by(INTERVAL as usize).map(call).collect();
    let two_rows = all.trim_end().rfind('\n').unwrap();
    let two_rows = all[..two_rows].rfind('\n').unwrap() + 1;
    world.append(&all[..two_rows]);
    world.night(DAY, &[]).says("Readings added to the history: 286");
    world.append(&all[two_rows..]);
    let (night, report) = world.report(DAY, &[]);
    night.says("Readings added to the history: 2");
    assert_eq!(report["inputs"][0]["rejected_count"], 0);
    let ends: Vec<&str> =
        report["series"].as_array().unwrap().iter().map(|series| series["window"]["end"].as_str().unwrap()).collect();
    assert_eq!(ends, ["2026-11-01T23:45:00Z"; 3]);
}

fn without_header(at: i64) -> String {
    untimed(at, at + INTERVAL, &THREE).split_inclusive('\n').skip(1).collect()
}

/// The runbook's cron line writes no time: readings follow those that are known.
#[test]
fn readings_without_a_time_are_added_behind_those_that_are_known() {
    let world = World::new();
    for night in 0..3 {
        world.append(&untimed(night * DAY, (night + 1) * DAY, &THREE));
        let end = (super::world::START + (night + 1) * DAY - INTERVAL).to_string();
        world.night((night + 1) * DAY, &["--end", &end]).says("Readings added to the history: 288.");
        if night == 1 {
            fs::rename(world.log(), world.path("memory-usage.log.1")).unwrap();
        }
    }
    assert_eq!(world.n_kept(3 * DAY + 60), n_readings(3 * DAY));
}

/// The successor of the runbook's line begins; the old lines stay in the file.
#[test]
fn a_log_may_get_times_from_some_day_on() {
    let world = World::new();
    world.append(&untimed(0, DAY, &THREE));
    world.night(DAY, &["--end", &(super::world::START + DAY - INTERVAL).to_string()]);
    fs::rename(world.log(), world.path("memory-usage.log.1")).unwrap();
    world.append(&stamped(DAY, 2 * DAY, &THREE));
    let (night, report) = world.report(2 * DAY, &[]);
    night.says("Readings added to the history: 288");
    // The old file is dated by what is known of it, not by when somebody touched it.
    assert_eq!(report["inputs"][0]["warnings"], serde_json::json!([]));
    assert_eq!(world.n_kept(2 * DAY + 60), n_readings(2 * DAY));
}

/// Columns that only the first line of a file names are known on later nights.
#[test]
fn the_header_of_a_long_file_is_not_forgotten() {
    let world = World::new();
    let row = |at: i64| {
        let mib = 100.0 + (at / INTERVAL % 7) as f64;
        format!("{} web   {at}kB / {at}kB   {mib:.1}MiB / 1GiB\n", super::world::START + at)
    };
    let rows = |from: i64, to: i64| (from..to).step_by(60).map(row).collect::<String>();
    world.append(&format!("NAME   NET I/O   MEM USAGE / LIMIT\n{}", rows(0, 6 * DAY)));
    assert!(fs::metadata(world.log()).unwrap().len() > 2 * (64 << 10));
    let before = world.n_kept(6 * DAY);
    assert_eq!(before, 6 * 1440);
    world.append(&rows(6 * DAY, 14 * DAY));
    assert_eq!(world.n_kept(14 * DAY), 14 * 1440);
    world.append(&rows(14 * DAY, 15 * DAY));
    assert_eq!(world.n_kept(15 * DAY), 15 * 1440);
    let (_, report) = world.report(15 * DAY, &[]);
    let highest = report["series"][0]["memory"]["max"].as_f64().unwrap();
    assert_eq!((report["series"].as_array().unwrap().len(), highest), (1, 106.0 * super::world::MIB));
}

#[test]
fn what_is_too_old_is_not_kept() {
    let world = World::new();
    world.append(&stamped(0, 5 * DAY, &THREE));
    let night = world.night(5 * DAY, &["--keep", "2d"]);
    night.says("too old to keep: 861");
    assert_eq!(world.n_kept(5 * DAY + 60), n_readings(2 * DAY) + 3);
    // The file still holds them: they do not come back.
    world.append(&stamped(5 * DAY, 6 * DAY, &THREE));
    world.night(6 * DAY, &["--keep", "2d"]).says("Readings added to the history: 288");
    assert_eq!(world.n_kept(6 * DAY + 60), n_readings(2 * DAY) + 3);
}

#[test]
fn a_reading_of_the_far_future_is_left_out_and_said() {
    let world = World::new();
    world.append(&stamped(0, DAY, &THREE));
    world.append(&stamped(3000 * DAY, 3000 * DAY + INTERVAL, &THREE));
    let (_, report) = world.report(DAY, &[]);
    let text = report["inputs"][0].to_string();
    assert!(text.contains("readings more than a day ahead of this run's clock, not kept: 3"), "{text}");
    assert_eq!(world.n_kept(DAY + 60), n_readings(DAY));
}

#[test]
fn a_clock_that_is_ahead_is_said() {
    let world = World::new();
    world.append(&stamped(0, DAY, &THREE));
    let (_, report) = world.report(DAY - INTERVAL - 240, &[]);
    assert_eq!(report["inputs"][0]["warnings"], serde_json::json!([]));
    let world = World::new();
    world.append(&stamped(0, DAY, &THREE));
    let night = world.night(DAY - INTERVAL - 3600, &[]);
    night.says("its newest reading is 1 h ahead of this run's clock: check the clocks and the time zone of its times");
}

/// The log of another machine was put into the place of the known one: its readings are of the same times.
#[test]
fn the_log_of_another_machine_is_noticed() {
    let world = World::new();
    world.append(&stamped(0, DAY, &THREE));
    world.night(DAY, &[]);
    let names = [("api", Course::Leak), ("db", Course::Flat), ("web", Course::Flat)];
    let others: String = names
        .iter()
        .enumerate()
        .map(|(index, (name, course))| stamped_as(0, 2 * DAY, 0xeeee_0000 + index as u64, name, *course))
        .collect();
    fs::write(world.log(), others).unwrap();
    let night = world.night(2 * DAY, &[]);
    night.says("left out readings of other containers at times already known: 288. This looks like the log of another machine (give each machine's log a `--state` folder of its own)");
    // The same machine after all of its containers were created anew, at later times.
    let world = World::new();
    world.append(&stamped(0, DAY, &THREE));
    world.night(DAY, &[]);
    world.append(&stamped_as(DAY, 2 * DAY, 0xeeee_0000, "api", Course::Flat));
    assert!(!world.night(2 * DAY, &[]).stdout.contains("another machine"));
}

/// An export of the hour before a day and of that day: memory every quarter of an hour, and every minute how often the
/// container was killed for memory.
fn export_of_day(day: i64, killed_at: &[i64]) -> String {
    let series = |name: &str, more: &str, points: &[(i64, i64)]| {
        let points: Vec<String> =
            points.iter().map(|(time, value)| format!("[{},\"{value}\"]", START + time)).collect();
        let labels = format!("\"namespace\":\"shop\",\"pod\":\"web-0\",\"container\":\"web\"{more}");
        format!("{{\"metric\":{{\"__name__\":\"{name}\",{labels}}},\"values\":[{}]}}", points.join(","))
    };
    let times = |step: i64| (((day * DAY - 3600).max(0))..=(day + 1) * DAY).step_by(step as usize);
    let count = |time: i64| killed_at.iter().filter(|at| **at <= time).count() as i64;
    let memory: Vec<(i64, i64)> = times(INTERVAL).map(|time| (time, (100 << 20) + time % 1024)).collect();
    let counts: Vec<(i64, i64)> = times(60).map(|time| (time, count(time))).collect();
    let reasons: Vec<(i64, i64)> = times(60).filter(|time| 0 < count(*time)).map(|time| (time, 1)).collect();
    let all = [
        series("container_memory_working_set_bytes", "", &memory),
        series("kube_pod_container_status_restarts_total", "", &counts),
        series("kube_pod_container_status_last_terminated_reason", ",\"reason\":\"OOMKilled\"", &reasons),
    ];
    format!("[{}]", all.join(","))
}

#[test]
fn what_exports_tell_of_restarts_is_kept_with_the_readings_and_told_once() {
    let world = World::new();
    // The second one lies in the hour that both exports hold.
    let killed_at = [10 * 3600, DAY - 1800, DAY + 5 * 3600];
    let kills = |day: i64| {
        fs::write(world.log(), export_of_day(day, &killed_at)).unwrap();
        world.report((day + 1) * DAY, &[]);
        let week: serde_json::Value = serde_json::from_slice(
            &fs::read(world.path(if day == 0 { "report/day/verdict.json" } else { "report/week/verdict.json" }))
                .unwrap(),
        )
        .unwrap();
        let restarts = week["series"][0]["restarts"].as_array().unwrap().clone();
        restarts.iter().map(|one| format!("{} {}", one["at"].as_str().unwrap(), one["cause"])).collect::<Vec<_>>()
    };
    let first = ["2026-11-01T10:00:00Z \"oom\"", "2026-11-01T23:30:00Z \"oom\""];
    assert_eq!(kills(0), first);
    assert_eq!(kills(1), [&first[..], &["2026-11-02T05:00:00Z \"oom\""]].concat());
}
