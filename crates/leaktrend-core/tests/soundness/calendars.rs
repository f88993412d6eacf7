//! Calendars: where those who use a service live, and when they rest, is not always told.

use leaktrend_core::Terms;
use leaktrend_core::series::Metric;
use leaktrend_core::units::DAY;
use leaktrend_core::verdict::{Judgement, Verdict};

use crate::simulated::{HOUR, MINUTE, MONDAY, Random, Tally, alarms, day, every, measured, series};

/// Where and how people live.
#[derive(Clone, Copy)]
struct Place {
    /// Hours ahead of UTC.
    ahead: f64,
    /// Days of the week without work, Monday being 0.
    free: [usize; 2],
    /// What clocks are put forward halfway, in hours.
    forward: f64,
    /// Hours ahead of UTC that the program is given.
    reported: f64,
}

/// A healthy service: what is in flight follows working hours, a little differently each day.
fn working(seed: u64, place: Place) -> (String, Judgement) {
    let random = &mut Random::new(seed);
    let span = random.uniform(21.0, 30.0).floor() * DAY;
    let times = every(30.0 * MINUTE, span);
    let base = random.uniform(150.0, 600.0);
    let (depth, quiet) = (random.uniform(0.15, 0.6) * base, random.uniform(0.05, 0.4));
    let weekend = random.uniform(0.05, 0.5);
    let efforts: Vec<f64> = (0..40).map(|_| 1.0 + 0.06 * random.normal()).collect();
    let noise = random.autocorrelated(0.6, times.len());
    let begins = MONDAY + random.uniform(0.0, 7.0).floor() * DAY;
    let load = |time: f64| {
        let forward = if time > span / 2.0 { place.forward } else { 0.0 };
        let local = begins + time + (place.ahead + forward) * HOUR;
        let days = ((local - MONDAY) / DAY).floor().max(0.0) as usize;
        let work = if place.free.contains(&(days % 7)) { weekend } else { 1.0 };
        day(local - MONDAY, quiet) * work * efforts[days % efforts.len()]
    };
    let mib: Vec<f64> =
        times.iter().zip(&noise).map(|(time, noise)| base + depth * load(*time) + 0.01 * base * noise).collect();
    let terms = Terms { hours_ahead: place.reported, ..Terms::default() };
    let judgement = measured(&series(begins, &times, &mib, Metric::WorkingSet), &terms).judge(None);
    let name =
        format!("seed {seed}, {:.0} d, {base:.0} MiB + {depth:.0}, quiet {quiet:.2}, weekend {weekend:.2}", span / DAY);
    (name, judgement)
}

const HERE: Place = Place { ahead: 0.0, free: [5, 6], forward: 0.0, reported: 0.0 };
const AHEAD: Place = Place { ahead: 9.0, ..HERE };
const BEHIND: Place = Place { ahead: -9.0, ..HERE };
const FRIDAYS: Place = Place { free: [4, 5], ..HERE };

fn said_of(place: Place) -> Tally {
    Tally::of(0..40, |seed| working(seed, place))
}

#[test]
fn no_calendar_makes_a_leak() {
    for place in [HERE, AHEAD, BEHIND, FRIDAYS, Place { forward: 1.0, ..HERE }, Place { forward: -1.0, ..BEHIND }] {
        let tally = said_of(place);
        tally.at_most(0.0, Verdict::is_leak);
        tally.at_most(0.1, alarms);
    }
}

#[test]
fn weekends_that_are_known_pass() {
    said_of(HERE).at_least(0.85, Verdict::proves_no_leak);
    said_of(Place { reported: 9.0, ..AHEAD }).at_least(0.85, Verdict::proves_no_leak);
    said_of(Place { reported: -9.0, ..BEHIND }).at_least(0.85, Verdict::proves_no_leak);
}

#[test]
fn clocks_that_are_put_forward_change_nothing() {
    said_of(Place { forward: 1.0, ..HERE }).at_least(0.85, Verdict::proves_no_leak);
    said_of(Place { forward: -1.0, reported: -9.0, ..BEHIND }).at_least(0.85, Verdict::proves_no_leak);
}

#[test]
fn weekends_nine_hours_ahead_pass_untold() {
    said_of(AHEAD).at_least(0.75, Verdict::proves_no_leak);
}

#[test]
fn weekends_nine_hours_behind_pass_untold() {
    said_of(BEHIND).at_least(0.75, Verdict::proves_no_leak);
}

#[test]
fn weekends_on_friday_and_saturday_pass_untold() {
    said_of(FRIDAYS).at_least(0.75, Verdict::proves_no_leak);
}
