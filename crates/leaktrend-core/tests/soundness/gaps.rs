//! Gaps: what was not read says nothing, and must not be taken for a level.

use leaktrend_core::series::Metric;
use leaktrend_core::units::DAY;
use leaktrend_core::verdict::{Judgement, Verdict};

use crate::simulated::{HOUR, MINUTE, MONDAY, Random, Tally, alarms, collected, day, every, judged, series};

/// Read every minute, then every five; after that it steps up by 200 MiB and stays there.
fn stepping(seed: u64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let span = [10.0 * HOUR, DAY, 3.0 * DAY, 7.0 * DAY][(seed % 4) as usize];
    let changes = random.uniform(0.4, 0.7) * span;
    let steps = random.uniform(changes / span + 0.05, 0.9) * span;
    let base = random.uniform(200.0, 800.0);
    let times: Vec<f64> = every(MINUTE, span)
        .into_iter()
        .filter(|time| *time < changes || ((time / MINUTE).round() as usize).is_multiple_of(5))
        .collect();
    let noise = random.autocorrelated(0.5, times.len());
    let level = |time: f64| if time < steps { base } else { base + 200.0 };
    let mib: Vec<f64> = times.iter().zip(&noise).map(|(time, noise)| level(*time) + noise).collect();
    let name = format!(
        "seed {seed}, {:.0} h, {base:.0} MiB, every 5 min from {:.2}, higher from {:.2}",
        span / HOUR,
        changes / span,
        steps / span
    );
    (name, judged(&series(MONDAY, &times, &mib, Metric::WorkingSet)))
}

#[test]
fn a_step_among_fewer_readings_is_not_flat() {
    let tally = Tally::of(0..40, stepping);
    tally.at_most(0.0, Verdict::proves_no_leak);
    tally.at_least(0.5, |verdict| verdict == Verdict::Step);
}

/// Level for three quarters of a window; of the last one there are so few readings that nothing is known of it.
fn ending_unseen(seed: u64) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let (step, span) = [(MINUTE, DAY), (5.0 * MINUTE, 7.0 * DAY), (15.0 * MINUTE, 21.0 * DAY)][(seed % 3) as usize];
    let base = random.uniform(100.0, 800.0);
    // What goes on there, nobody knows: it may be growing. Where a few readings say so, it is.
    let grows = if seed.is_multiple_of(2) { 0.0 } else { 0.3 * base };
    let left = if grows == 0.0 { [1, 2, 1, 2] } else { [1, 2, 4, 8] }[(seed / 3 % 4) as usize];
    let seen: Vec<f64> = every(step, 0.75 * span);
    let last = (1..=left).map(|index| span * (0.75 + 0.25 * f64::from(index) / f64::from(left)));
    let times: Vec<f64> = seen.into_iter().chain(last).collect();
    let noise = random.autocorrelated(0.5, times.len());
    let level = |time: f64| base + grows * (time / span - 0.75).max(0.0) * 4.0;
    let mib: Vec<f64> = times.iter().zip(&noise).map(|(time, noise)| level(*time) + 0.5 * noise).collect();
    let name =
        format!("seed {seed}, {:.0} d, {left} readings of the last quarter, grows by {grows:.0} MiB", span / DAY);
    (name, judged(&series(MONDAY, &times, &mib, Metric::WorkingSet)))
}

#[test]
fn what_was_not_read_of_the_last_quarter_is_not_passed() {
    let tally = Tally::of(0..48, ending_unseen);
    tally.at_most(0.0, |verdict| verdict.proves_no_leak() || verdict == Verdict::Step);
    tally.explained(Verdict::Inconclusive, "too few readings in the last quarter of the window to pass");
}

/// Which scrapes fail.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Failing {
    /// Each by itself.
    Alone,
    /// For hours on end.
    InBursts,
    /// In so much of the nights, and never by day.
    AtNight,
}

fn read(random: &mut Random, failing: Failing, share: f64, times: &[f64]) -> Vec<usize> {
    let (mut down, mut kept) = (random.chance(share), Vec::new());
    for (index, time) in times.iter().enumerate() {
        let night = !(7.0..21.0).contains(&((time / HOUR) % 24.0));
        let fails = match failing {
            Failing::Alone => random.chance(share),
            Failing::InBursts => {
                // Three hours on average, and up for as long as makes the share.
                let ends = if down { 1.0 / 36.0 } else { share / (1.0 - share) / 36.0 };
                down ^= random.chance(ends);
                down
            }
            Failing::AtNight => night && random.chance(share / 0.8),
        };
        if !fails {
            kept.push(index);
        }
    }
    kept
}

/// A service for a week, read every five minutes where scrapes succeed.
fn scraped(seed: u64, failing: Failing, leaks: bool) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let share = [0.0, 0.2, 0.4, 0.6, 0.8][(seed % 5) as usize];
    let span = 7.0 * DAY;
    let times = every(5.0 * MINUTE, span);
    let base = random.uniform(100.0, 500.0);
    let lost = if leaks { random.uniform(0.4, 0.8) * base } else { 0.0 };
    let (swing, quiet) = (random.uniform(0.1, 0.4) * base, random.uniform(0.1, 0.5));
    let collects = (seed / 5).is_multiple_of(2);
    let noise = random.autocorrelated(0.7, times.len());
    let cycle = random.uniform(30.0, 90.0) * MINUTE;
    let live = |time: f64| 0.5 * base + lost * time / span;
    let heap = if collects {
        collected(random, &times, 1.0, live, |time| 0.5 * base / cycle * day(time, quiet))
    } else {
        times.iter().map(|time| live(*time)).collect()
    };
    let whole: Vec<f64> = (0..times.len())
        .map(|index| 0.7 * base + heap[index] + swing * day(times[index], quiet) + 0.008 * base * noise[index])
        .collect();
    let kept = read(random, failing, share, &times);
    let of = |values: &[f64]| kept.iter().map(|index| values[*index]).collect::<Vec<f64>>();
    let name = format!("seed {seed}, {share} fail, {base:.0} MiB, lost {lost:.0}, collected {collects}");
    (name, judged(&series(MONDAY, &of(&times), &of(&whole), Metric::WorkingSet)))
}

#[track_caller]
fn check(failing: Failing) {
    let healthy = Tally::of(0..50, |seed| scraped(seed, failing, false));
    healthy.at_most(0.0, Verdict::is_leak);
    healthy.at_most(0.06, alarms);
    healthy.at_least(0.7, Verdict::proves_no_leak);
    let leaking = Tally::of(0..50, |seed| scraped(seed, failing, true));
    leaking.at_least(0.84, Verdict::is_leak);
    leaking.at_least(1.0, alarms);
}

#[test]
fn scrapes_that_fail_alone_change_no_verdict() {
    check(Failing::Alone);
}

#[test]
fn scrapes_that_fail_for_hours_change_no_verdict() {
    check(Failing::InBursts);
}

#[test]
fn scrapes_that_fail_at_night_change_no_verdict() {
    check(Failing::AtNight);
}
