//! Whatever moment a run is killed at, nothing is lost and nothing counts twice.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::world::{Course, DAY, INTERVAL, ODD, START, World, stamped};

const TWO: [(&str, Course); 2] = [("api", Course::Leak), ("db", Course::Flat)];
const N_KILLS: i64 = 100;

/// Each run has a part of the log that is new to it, with a line that nobody understands, and is killed at a moment
/// within the time that a run takes: before, between and after its writes.
#[test]
fn a_run_that_is_killed_at_any_moment_loses_nothing() {
    let mut random = crate::common::Random::seeded(20_261_101);
    let world = World::new();
    world.append(&stamped(0, DAY, &TWO));
    let begun = Instant::now();
    let (_, report) = world.report(DAY, &[]);
    let usual = begun.elapsed();
    assert_eq!(report["inputs"][0]["rejected_count"], 0);

    let mut n_killed = 0;
    let end = DAY + N_KILLS * INTERVAL;
    // All in one night: what they met belongs to its report.
    let now = |kill: i64| DAY + 3 * 3600 + kill;
    for kill in 0..N_KILLS {
        let at = DAY + kill * INTERVAL;
        world.append(&stamped(at, at + INTERVAL, &TWO));
        world.append(&format!(
            "{} 9a98586600{:02} odd 0.1% {kill}.0XiB / 7.637GiB 3.9% 1kB / 1kB 1kB / 1kB 9\n",
            START + at,
            1
        ));
        let mut run = world.command(now(kill));
        run.args(["--out", "report", "--charts", "none"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = run.spawn().unwrap();
        let moment = usual.mul_f64(random.below(1200) as f64 / 1000.0);
        let begun = Instant::now();
        while begun.elapsed() < moment && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        let _ = child.kill();
        n_killed += i64::from(child.wait().unwrap().code().is_none());
        // What was there before is whole.
        let text = fs::read_to_string(world.path("report/verdict.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }
    assert!(n_killed > N_KILLS / 4, "only {n_killed} runs were still going on when they were killed");

    let (_, report) = world.report(now(N_KILLS), &[]);
    assert_eq!(report["inputs"][0]["rejected_count"], N_KILLS);
    assert_eq!(world.n_kept(now(N_KILLS)), (2 * end / INTERVAL) as usize);
    let left: Vec<String> = fs::read_dir(world.path("state"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left.len(), 3, "a history, its account and the lock, and nothing that a killed run left: {left:?}");
}

/// A killed run has remembered its lines, but nobody has seen its report: the next one reports them.
#[test]
fn odd_lines_of_a_run_that_was_killed_are_in_the_next_report() {
    for moment in 0..20 {
        let world = World::new();
        world.append(&stamped(0, DAY, &TWO));
        world.append(ODD);
        let mut run = world.command(DAY);
        let mut child = run.args(["--out", "r"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(8 * moment) && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        let _ = child.kill();
        child.wait().unwrap();
        let (night, report) = world.report(DAY + 60, &["--strict"]);
        assert_eq!(report["inputs"][0]["rejected_count"], 1);
        assert_eq!(report["inputs"][0]["rejected"][0]["line"], 193);
        assert_eq!(night.code, Some(2));
    }
}
