//! The folder of the history: one run at a time, and what cannot be used is refused, not overwritten.

use std::fs;

use super::world::{Course, DAY, World, stamped};

const ONE: [(&str, Course); 1] = [("api", Course::Flat)];

fn world_of_two_nights() -> World {
    let world = World::new();
    world.append(&stamped(0, DAY, &ONE));
    world.night(DAY, &[]);
    world.append(&stamped(DAY, 2 * DAY, &ONE));
    world
}

fn files(world: &World) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(world.path("state"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().is_some_and(|name| name != "lock"))
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// The run is refused with this message, and the folder is as it was.
#[track_caller]
fn refused(world: &World, message: &str) {
    let before = files(world);
    let night = world.night(2 * DAY, &["--textfile", "m.prom"]);
    assert_eq!(night.code, Some(2), "{}{}", night.stdout, night.stderr);
    assert!(night.stderr.contains(message), "{message:?}\n{}", night.stderr);
    let metrics = fs::read_to_string(world.path("m.prom")).unwrap_or_default();
    assert_eq!(metrics.contains("leaktrend_exit_code 2"), !message.contains("is in use"), "{metrics}");
    assert!(files(world) == before, "the folder was changed");
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let world = world_of_two_nights();
    let lock = fs::File::options().write(true).open(world.path("state/lock")).unwrap();
    lock.lock().unwrap();
    refused(&world, "`state` is in use by another run of `leaktrend nightly`");
    drop(lock);
    assert_eq!(world.night(2 * DAY, &[]).code, Some(0));
}

#[test]
fn the_state_of_another_version_is_refused() {
    let world = world_of_two_nights();
    let path = world.path("state/state.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"version\": 3,"));
    fs::write(&path, text.replacen("\"version\": 3,", "\"version\": 4, \"more\": [],", 1)).unwrap();
    refused(
        &world,
        "it is of version 4 (expected 1 to 3): use the leaktrend that wrote it, or start a new history with `--reset-state`, which moves the old one aside",
    );
}

/// What the first version wrote: no IDs, nothing of containers that are gone, no renames.
#[test]
fn the_state_of_the_first_version_is_read() {
    let world = world_of_two_nights();
    let path = world.path("state/state.json");
    let mut state: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    state["version"] = 1.into();
    state.as_object_mut().unwrap().remove("renames");
    for series in state["series"].as_array_mut().unwrap() {
        let series = series.as_object_mut().unwrap();
        assert!(series.remove("instance").is_some() && series.remove("gone").is_some());
    }
    for run in state["runs"].as_array_mut().unwrap() {
        run["result"].as_object_mut().unwrap().remove("reported");
    }
    fs::write(&path, state.to_string()).unwrap();
    let night = world.night(2 * DAY, &[]);
    assert_eq!(night.code, Some(0), "{}{}", night.stdout, night.stderr);
    night.says("Readings added to the history: 96");
    assert_eq!(world.n_kept(2 * DAY + 60), 192);
}

/// Earlier versions kept sentences: they are said as they were kept, beside what is met tonight.
#[test]
fn what_earlier_versions_said_of_lines_is_said_again() {
    let world = world_of_two_nights();
    let path = world.path("state/state.json");
    let mut state: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    // A run that was stopped: what it met belongs to the next report.
    state["runs"][0]["result"] = serde_json::Value::Null;
    let account = &mut state["runs"][0]["accounts"][0][1];
    account["warnings"] = serde_json::json!(["it is empty, as it was said then"]);
    account["rejected"] = serde_json::json!([{"line": 7, "text": "web 5M", "why": "no amount, as it was said then"}]);
    account["rejected_count"] = 1.into();
    fs::write(&path, state.to_string()).unwrap();
    world.append("{\"Name\":\"web\"\n");
    for second in 0..2 {
        let (_, report) = world.report(2 * DAY + second, &[]);
        let input = &report["inputs"][0];
        assert_eq!(input["warnings"][0], "it is empty, as it was said then");
        let whys: Vec<&str> =
            input["rejected"].as_array().unwrap().iter().map(|one| one["why"].as_str().unwrap()).collect();
        assert_eq!(whys.len(), 2, "{whys:?}");
        assert_eq!(whys[0], "no amount, as it was said then");
        assert!(whys[1].starts_with("this is not a JSON object: EOF while parsing"), "{}", whys[1]);
    }
}

/// The history is a table like every other: `analyze` reads it, and so do notebooks.
#[test]
fn the_history_is_an_input() {
    let world = world_of_two_nights();
    world.night(2 * DAY, &[]);
    let options = leaktrend::decode::Options {
        format: None,
        interval: None,
        end_ms: None,
        samples: leaktrend::decode::SamplesOption::Auto,
        unit: None,
        columns: leaktrend::decode::GivenColumns::default(),
    };
    let history = leaktrend::open::Source::File(world.path("state/history-2.parquet"));
    let read = leaktrend::read::readings(&[history], &options);
    assert_eq!(read.inputs[0].unusable, None);
    assert_eq!((read.inputs[0].samples, read.inputs[0].series), (192, 1));
    assert_eq!(read.series[0].info.id, "api");
    assert!(read.series[0].info.limit.is_some());
}

/// Earlier versions named the series of the history by their indices; `tests/reference/nightly-state` was written by one.
#[test]
fn the_state_of_earlier_versions_is_carried_over() {
    let earlier = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/nightly-state");
    for is_first_version in [false, true] {
        let world = World::new();
        fs::create_dir(world.path("state")).unwrap();
        fs::copy(earlier.join("history-1.parquet"), world.path("state/history-1.parquet")).unwrap();
        let text = fs::read_to_string(earlier.join("state.json")).unwrap();
        let mut state: serde_json::Value = serde_json::from_str(&text).unwrap();
        if is_first_version {
            state["version"] = 1.into();
            state.as_object_mut().unwrap().remove("renames");
            for series in state["series"].as_array_mut().unwrap() {
                series.as_object_mut().unwrap().retain(|key, _| key != "instance" && key != "gone");
            }
        }
        fs::write(world.path("state/state.json"), state.to_string()).unwrap();
        let before = fs::read_to_string(earlier.join("memory.log")).unwrap();
        world.append(&(before.clone() + &before.replace("2026-11-20T", "2026-11-21T")));
        // 2026-11-22T00:10:00Z.
        let night = world.night(21 * DAY + 600, &[]);
        assert_eq!(night.code, Some(1), "{}{}", night.stdout, night.stderr);
        night.says("Readings added to the history: 192");
        // In the first half nothing changed.
        let read = |folder: &std::path::Path, file: &str| {
            let table = fs::File::open(folder.join(file)).unwrap();
            polars::prelude::SerReader::finish(
                <polars::prelude::ParquetReader<fs::File> as polars::prelude::SerReader<_>>::new(table),
            )
            .unwrap()
        };
        let (old, new) = (read(&earlier, "history-1.parquet"), read(&world.path("state"), "history-2.parquet"));
        let bytes = |table: &polars::prelude::DataFrame, rows: std::ops::Range<usize>| -> Vec<f64> {
            let column = table.column("used_bytes").unwrap().f64().unwrap();
            column.into_no_null_iter().skip(rows.start).take(rows.len()).collect()
        };
        assert_eq!(bytes(&old, 0..96), bytes(&new, 0..96));
        assert_eq!(bytes(&old, 96..192), bytes(&new, 192..288));
        assert_eq!(world.n_kept(21 * DAY + 700), 384);
    }
}

#[test]
fn a_damaged_state_is_refused() {
    let world = world_of_two_nights();
    let path = world.path("state/state.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    refused(&world, "cannot use `state/state.json`: it is not the state of the nightly job: EOF while parsing");
    fs::write(&path, text.replacen("\"log\": 0", "\"log\": 7", 1)).unwrap();
    refused(
        &world,
        "it is damaged: `api` is from a log that it does not name (restore a copy, or start a new history with `--reset-state`, which moves the old one aside)",
    );
    fs::write(&path, "").unwrap();
    refused(&world, "it is not the state of the nightly job: EOF");
}

#[test]
fn a_history_that_is_damaged_or_lost_is_refused() {
    let world = world_of_two_nights();
    let history = world.path("state/history-1.parquet");
    let bytes = fs::read(&history).unwrap();
    fs::write(&history, &bytes[..bytes.len() / 2]).unwrap();
    let advice = "(expected the history that `state.json` names: restore a copy of both, or start a new history with `--reset-state`, which moves the old one aside)";
    refused(&world, "cannot use `state/history-1.parquet`: ");
    refused(&world, advice);
    fs::remove_file(&history).unwrap();
    refused(&world, "cannot use `state/history-1.parquet`: No such file or directory");
    refused(&world, advice);
}

#[test]
fn a_history_without_an_account_of_it_is_refused() {
    let world = world_of_two_nights();
    fs::remove_file(world.path("state/state.json")).unwrap();
    refused(&world, "cannot use `state/history-1.parquet`: it is a history without `state.json`");
}

/// The first run made the folder and was killed before it kept anything.
#[test]
fn a_folder_in_which_nothing_was_kept_yet_is_used() {
    let world = world_of_two_nights();
    fs::remove_dir_all(world.path("state")).unwrap();
    fs::create_dir(world.path("state")).unwrap();
    world.night(2 * DAY, &[]).says("Readings added to the history: 192");
}

#[test]
fn what_is_not_its_own_stays_in_the_folder() {
    let world = world_of_two_nights();
    fs::write(world.path("state/notes.txt"), "mine").unwrap();
    world.night(2 * DAY, &[]);
    assert_eq!(fs::read_to_string(world.path("state/notes.txt")).unwrap(), "mine");
}

#[test]
fn a_damaged_state_is_set_aside_when_told() {
    let world = world_of_two_nights();
    let path = world.path("state/state.json");
    let whole = fs::read(&path).unwrap();
    for number in 1..3 {
        fs::write(&path, "damaged").unwrap();
        let night = world.night(2 * DAY, &["--reset-state"]);
        assert_eq!(night.code, Some(0), "{}{}", night.stdout, night.stderr);
        night.says(&format!("note: the old history was moved to `state/set-aside-{number}`"));
        night.says("Readings added to the history: 192");
        let aside = world.path(&format!("state/set-aside-{number}"));
        assert_eq!(fs::read_to_string(aside.join("state.json")).unwrap(), "damaged");
        assert!(aside.join("history-1.parquet").exists());
    }
    // What was set aside can be put back.
    fs::remove_file(&path).unwrap();
    fs::remove_file(world.path("state/history-1.parquet")).unwrap();
    fs::rename(world.path("state/set-aside-1/history-1.parquet"), world.path("state/history-1.parquet")).unwrap();
    fs::write(&path, whole).unwrap();
    world.night(2 * DAY, &[]).says("Readings added to the history: 96");
    // Where nothing is remembered there is nothing to set aside.
    let empty = World::new();
    empty.append(&stamped(0, DAY, &ONE));
    assert!(!empty.night(DAY, &["--reset-state"]).stderr.contains("note:"));
}

/// The state holds lines of the log: who may not read the log may not read them there.
#[cfg(unix)]
#[test]
fn the_state_is_as_private_as_a_log() {
    use std::os::unix::fs::PermissionsExt;
    let world = world_of_two_nights();
    let mode = |path: &str| fs::metadata(world.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("state/state.json"), 0o640);
    assert_eq!(mode("state/history-1.parquet"), 0o640);
    assert_eq!(mode("state") & 0o007, 0);
}

#[test]
fn what_a_killed_run_left_beside_its_reports_is_removed_by_the_next() {
    let world = world_of_two_nights();
    fs::create_dir_all(world.path("report/day")).unwrap();
    let left = |name: &str, age: u64| {
        let path = world.path(name);
        let file = fs::File::create(&path).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(age)).unwrap();
        path
    };
    let old = ["report/.leaktrend-a", "report/day/.leaktrend-b", ".leaktrend-c"].map(|name| left(name, 7200));
    // Another job may be writing this one, and these are not its own.
    let kept = [left("report/.leaktrend-d", 60), left("report/notes", 7200)];
    world.night(2 * DAY, &["--out", "report", "--textfile", "m.prom"]);
    assert!(old.iter().all(|path| !path.exists()));
    assert!(kept.iter().all(|path| path.exists()));
}
