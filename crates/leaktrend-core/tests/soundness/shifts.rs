//! Levels that shift up and down: a shift that is placed wrongly leaves growth behind, which is none.

use leaktrend_core::series::Metric;
use leaktrend_core::units::{DAY, MIB, duration_text};
use leaktrend_core::verdict::{Judgement, Regime, RegimeWhy, Verdict};

use crate::simulated::{MINUTE, MONDAY, Random, Tally, alarms, day, every, judged, series};

/// A service that is moved between machines: every few days its traffic is another share of all, and with it the swing of
/// its day and a part of its level. `rate`: what it leaks in a day, as a share of its level.
fn moved(seed: u64, rate: f64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let span = random.uniform(18.0, 30.0).floor() * DAY;
    let times = every(15.0 * MINUTE, span);
    let base = random.uniform(150.0, 500.0);
    let (swing, quiet) = (random.uniform(0.1, 0.3) * base, random.uniform(0.1, 0.5));
    let noise = random.autocorrelated(0.9, times.len());
    let (mut share, mut until) = (1.0, 0.0);
    let mut mib = Vec::new();
    for (time, noise) in times.iter().zip(&noise) {
        if until <= *time {
            (share, until) = (random.uniform(0.3, 1.6), time + random.uniform(2.0, 8.0) * DAY);
        }
        let used = base * (1.0 + rate * time / DAY + 0.01 * noise) + share * (0.05 * base + swing * day(*time, quiet));
        mib.push(used);
    }
    let name = format!("seed {seed}, {:.0} d, {base:.0} MiB", span / DAY);
    (name, judged(&series(MONDAY, &times, &mib, Metric::WorkingSet)))
}

/// 8 of 200 were called leaks before growth beside a shift had to be as certain as a place that was searched for demands,
/// 3 are now; one of the others "grew" by less than nothing since the shift.
#[test]
fn traffic_that_moves_is_hardly_ever_a_leak() {
    Tally::of(0..200, |seed| moved(seed, 0.0)).at_most(0.02, Verdict::is_leak);
    for seed in 0..200 {
        let (name, judgement) = moved(seed, 0.0);
        let growth = judgement.growth.filter(|_| judgement.verdict.is_leak());
        assert!(growth.is_none_or(|growth| growth.bytes_per_second > 0.0), "{name}: {growth:?}");
    }
}

#[test]
fn a_leak_under_traffic_that_moves_is_at_least_suspected() {
    Tally::of(0..40, |seed| moved(seed, 0.03)).at_least(0.95, alarms);
}

/// A service whose traffic grows to about twice what it was, within days at most, and with it its level, the swing of its
/// day and what it has less at weekends. `rate`: what it leaks in a day, as a share of its level.
fn doubled(seed: u64, rate: f64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let span = 30.0 * DAY;
    let times = every(15.0 * MINUTE, span);
    let (base, swing) = (random.uniform(100.0, 600.0), random.uniform(0.2, 0.9));
    let (quiet, weekend) = (random.uniform(0.1, 0.5), random.uniform(0.3, 0.8));
    let (at, takes) = (random.uniform(0.15, 0.85) * span, random.uniform(0.02, 2.0) * DAY);
    let more = random.uniform(0.7, 1.3);
    let begins = random.uniform(0.0, 7.0).floor() * DAY;
    let noise = random.autocorrelated(0.9, times.len());
    let used = times.iter().zip(&noise).map(|(time, noise)| {
        let work = if ((begins + time) / DAY).floor() % 7.0 < 5.0 { 1.0 } else { weekend };
        let traffic = day(*time, quiet) * work * (1.0 + more * ((time - at) / takes).clamp(0.0, 1.0));
        base * (1.0 + swing * traffic + rate * time / DAY + 0.01 * noise)
    });
    let mib: Vec<f64> = used.collect();
    let name =
        format!("seed {seed}, {base:.0} MiB, x {:.1} at {:.1} d within {:.1} d", 1.0 + more, at / DAY, takes / DAY);
    (name, judged(&series(MONDAY + begins, &times, &mib, Metric::WorkingSet)))
}

#[test]
fn traffic_that_doubles_once_is_no_leak() {
    Tally::of(0..200, |seed| doubled(seed, 0.0)).at_most(0.01, Verdict::is_leak);
}

#[test]
fn a_leak_under_traffic_that_doubles_once_is_at_least_suspected() {
    Tally::of(0..60, |seed| doubled(seed, 0.03)).at_least(0.96, alarms);
}

/// Thirty small steps in ten days, as a store of sessions that grows with each import: times in seconds, and MiB.
fn in_small_steps(seed: u64) -> (Vec<f64>, Vec<f64>, Judgement) {
    let random = &mut Random::new(seed);
    let times = every(15.0 * MINUTE, 10.0 * DAY);
    let steps: Vec<(f64, f64)> =
        (0..30).map(|_| (random.uniform(0.0, 10.0 * DAY), random.uniform(9.0, 27.0))).collect();
    let gained = |time: f64| steps.iter().filter(|(at, _)| *at <= time).map(|(_, size)| size).sum::<f64>();
    let mib: Vec<f64> = times.iter().map(|time| 300.0 + gained(*time) + random.uniform(-2.0, 2.0)).collect();
    let judgement = judged(&series(MONDAY, &times, &mib, Metric::WorkingSet));
    (times, mib, judgement)
}

/// A staircase was said to grow 25 MiB a day, beside its last shift, since before the first reading, over which it gained
/// 54 a day: a rate and the time since which it holds are of one and the same time.
#[test]
fn what_grows_in_steps_gained_what_its_rate_says() {
    let all = (0..60).map(|seed| (seed, in_small_steps(seed)));
    let leaks = all.filter(|(_, (.., judgement))| judgement.verdict == Verdict::Leak);
    let mut n_with_shifts = 0;
    for (seed, (times, mib, judgement)) in leaks {
        n_with_shifts += usize::from(judgement.is_with_shifts());
        let Regime { start_seconds, why } = judgement.regime;
        // Where growth changed, the report says since when.
        let since = if why == RegimeWhy::GrowthChanged { start_seconds } else { judgement.onset_seconds.unwrap() };
        let from = times.partition_point(|time| *time < since);
        let (seconds, gained) = (times[times.len() - 1] - since, mib[mib.len() - 1] - mib[from]);
        let said = judgement.growth.unwrap().bytes_per_second * seconds / MIB;
        assert!(
            (0.6..1.6).contains(&(said / gained)),
            "seed {seed}, {why:?} {:?}: {said:.0} MiB said, {gained:.0} gained since {since:.0}",
            judgement.shape
        );
    }
    assert!(20 <= n_with_shifts, "{n_with_shifts} of 60 gained by shifts");
}

/// One report said that no window decides in one place, and to wait for a longer one in another.
#[test]
fn the_reason_and_what_would_change_it_give_one_answer() {
    let open = (0..80).map(|seed| moved(seed, 0.01)).filter(|(_, judgement)| judgement.is_open());
    let (mut n_never, mut n_longer) = (0, 0);
    for (name, judgement) in open {
        let (reason, change) = (judgement.reason(), judgement.would_change());
        if let Some(seconds) = judgement.open_for_seconds() {
            n_longer += 1;
            let longer = duration_text(seconds);
            assert!(change.contains(&format!("a window about {longer} longer")), "{name}: {change}");
            let said = reason.split("measure about ").nth(1);
            assert!(said.is_none_or(|said| said.starts_with(&longer)), "{name}: {reason}");
        } else {
            n_never += 1;
            assert!(!reason.contains("measure about"), "{name}: {reason}");
            assert!(!change.contains("longer"), "{name}: {change}");
        }
    }
    assert!(5 <= n_never && 5 <= n_longer, "{n_never} never, {n_longer} with time");
}

/// A block that a shift divides lies between both levels: it looked like two shifts, one after the other.
#[test]
fn a_shift_within_a_block_is_one() {
    for minutes in [0, 10, 20, 30, 40, 50] {
        let random = &mut Random::new(minutes);
        let times = every(10.0 * MINUTE, 4.0 * DAY);
        let at = 2.0 * DAY + minutes as f64 * MINUTE;
        let mib: Vec<f64> =
            times.iter().map(|time| if *time < at { 300.0 } else { 395.0 } + 0.5 * random.normal()).collect();
        let judgement = judged(&series(MONDAY, &times, &mib, Metric::WorkingSet));
        assert_eq!(judgement.verdict, Verdict::Step, "at {minutes} min");
        let sizes: Vec<f64> =
            judgement.change_points.iter().map(|shift| (shift.after_bytes - shift.before_bytes) / MIB).collect();
        assert!(matches!(sizes[..], [size] if (size - 95.0).abs() < 2.0), "at {minutes} min: {sizes:?}");
    }
}
