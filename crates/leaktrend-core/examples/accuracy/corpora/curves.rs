//! Noise under a curve: what a process holds at rest, and one thing that it does.

use std::f64::consts::TAU;

use leaktrend_core::units::DAY;

use super::container::Container;
use super::{Family, Role};
use crate::generator::random::Random;

use Role::{CutLeak, Healthy, Leak, Walk};

pub(super) const FAMILIES: [Family; 19] = [
    Family::new("flat", Healthy, |_| ()),
    Family::new("random_walk", Walk, random_walk),
    Family::new("gc", Healthy, gc),
    Family::new("daily", Healthy, daily).needing_days(1.0),
    Family::new("warmup", Healthy, warmup),
    Family::new("one_step", Healthy, one_step),
    Family::new("spikes", Healthy, spikes),
    Family::new("restarts_flat", Healthy, restarts_flat),
    Family::new("shrinking", Healthy, shrinking),
    Family::new("load_released", Healthy, load_released),
    Family::new("linear", Leak, linear),
    Family::new("linear_gc", Leak, linear_gc),
    Family::new("linear_daily", Leak, linear_daily),
    Family::new("late_onset", Leak, late_onset),
    Family::new("warmup_then_leak", Leak, warmup_then_leak),
    Family::new("staircase", Leak, staircase),
    Family::new("oom_sawtooth", CutLeak, oom_sawtooth),
    Family::new("nightly_restart_leak", CutLeak, nightly_restart_leak).needing_days(3.0),
    Family::new("leak_then_spikes", Leak, leak_then_spikes),
];

/// A process that holds 120 to 900 MiB, under white or autocorrelated noise of 1.5 to 15 MiB, up to 4 %.
pub(super) fn at_rest(c: &mut Container) {
    c.base = c.uniform(120.0, 900.0);
    c.phi = c.random.one_of(&[0.0, 0.3, 0.5, 0.8, 0.9, 0.95]);
    c.sd = c.uniform(1.5, 15.0).min(0.04 * c.base);
    c.limit = c.base * c.uniform(2.5, 6.0);
    c.noise = c.autocorrelated(c.phi, c.sd, Random::normal);
    let base = c.base;
    c.hold(|_| base);
}

/// Wanders by 2 to 8 % of its level.
fn random_walk(c: &mut Container) {
    let walk = c.walk();
    let seen = &walk[..c.n];
    let range = seen.iter().copied().fold(f64::MIN, f64::max) - seen.iter().copied().fold(f64::MAX, f64::min);
    let wide = c.share(0.02, 0.08) / range.max(1e-9);
    c.noise = walk.iter().map(|at| at * wide).collect();
}

/// A heap that is collected: garbage of 10 to 50 % of the level.
fn gc(c: &mut Container) {
    c.quieten(0.3);
    let garbage = c.share(0.1, 0.5);
    c.collect(garbage, 0.0);
}

/// Sessions that come with the day and go with the night.
fn daily(c: &mut Container) {
    let high = c.share(0.05, 0.2);
    daily_cycle(c, high);
}

fn daily_cycle(c: &mut Container, high: f64) {
    let phase = c.uniform(0.0, 1.0);
    c.hold(|at| high * (TAU * (at.seconds / DAY + phase)).sin());
}

/// Caches that fill once, within 2 to 12 % of the window.
fn warmup(c: &mut Container) {
    let (tau, height) = (c.uniform(0.02, 0.12), c.share(0.2, 0.8));
    c.hold(|at| height * -f64::exp_m1(-at.x / tau));
}

/// One more thing is loaded, for good.
fn one_step(c: &mut Container) {
    let (from, height) = (c.reading(0, 0.2, 0.75), c.share(0.1, 0.5));
    c.step(from, height);
}

/// Two to seven requests that take much for one to three readings.
fn spikes(c: &mut Container) {
    for window in 0..c.windows {
        for _ in 0..c.random.whole(2..8) {
            let (at, width, height) = (c.reading(window, 0.0, 1.0), c.random.whole(1..4), c.share(0.3, 1.2));
            c.burst(at, width, height);
        }
    }
}

/// Restarts after which the level is reached again within four to eleven readings.
fn restarts_flat(c: &mut Container) {
    for window in 0..c.windows {
        for _ in 0..c.random.whole(1..4) {
            let (at, length) = (c.reading(window, 0.1, 0.9), c.random.whole(4..12));
            for age in 0..length.min(c.len() - at) {
                c.held[at + age] -= 0.5 * c.base * (1.0 - 0.95 * age as f64 / (length - 1) as f64);
            }
        }
    }
}

/// Gives back what it took before the window began.
fn shrinking(c: &mut Container) {
    let fall = 0.6 * c.rise(2.0, 5.0);
    c.least = 0.2 * c.base;
    c.hold(|at| -fall * at.x);
}

/// A load that begins and ends, and whose memory is given back.
fn load_released(c: &mut Container) {
    for window in 0..c.windows {
        let (from, to) = (c.reading(window, 0.15, 0.3), c.reading(window, 0.5, 0.65));
        let height = c.share(0.3, 1.0);
        c.burst(from, to - from, height);
    }
}

/// An even leak.
fn linear(c: &mut Container) {
    let rise = c.rise(3.0, 8.0);
    c.leak(|at| rise * at.x);
}

/// An even leak in a heap that is collected.
fn linear_gc(c: &mut Container) {
    c.quieten(0.3);
    let (garbage, rise) = (c.share(0.1, 0.3), c.rise(4.0, 9.0));
    c.collect(garbage, 0.0);
    c.leak(|at| rise * at.x);
}

/// An even leak beside sessions that come and go with the day.
fn linear_daily(c: &mut Container) {
    daily_cycle(c, 0.08 * c.base);
    let rise = c.rise(4.0, 9.0).max(0.5 * c.base);
    c.leak(|at| rise * at.x);
}

/// A leak that begins with something that happens after a quarter to half of the window.
fn late_onset(c: &mut Container) {
    let (onset, rise) = (c.uniform(0.25, 0.55), c.rise(5.0, 10.0));
    c.leak(|at| rise * (at.x - onset).max(0.0) / (1.0 - onset));
}

/// Caches that fill soon, and an even leak.
fn warmup_then_leak(c: &mut Container) {
    let (height, rise) = (0.3 * c.base, c.rise(4.0, 9.0));
    c.hold(|at| height * -f64::exp_m1(-at.x / 0.03));
    c.leak(|at| rise * at.x);
}

/// Something that is loaded again and again and never unloaded: six to thirteen times in a window.
fn staircase(c: &mut Container) {
    let count = c.random.whole(6..14);
    let height = c.rise(5.0, 10.0) / count as f64;
    for window in 0..c.windows {
        for _ in 0..count {
            let (from, height) = (c.reading(window, 0.03, 0.97), height * c.uniform(0.7, 1.3));
            c.leak(|at| if at.index >= from { height } else { 0.0 });
        }
    }
}

/// A leak that is killed at its limit four to eight times in a window.
fn oom_sawtooth(c: &mut Container) {
    let period = 1.0 / c.random.whole(4..9) as f64;
    c.limit = c.base * c.uniform(2.0, 3.0);
    let (room, age) = (0.97 * c.limit - c.base, c.uniform(0.0, period));
    c.hold(|at| room * ((at.x + age) / period).fract());
    c.lose(|at| room * at.x / period);
}

/// A leak that a restart hides every night.
fn nightly_restart_leak(c: &mut Container) {
    let (age, a_day) = (c.uniform(0.0, 1.0), c.share(0.25, 0.6));
    c.hold(|at| a_day * (at.seconds / DAY + age).fract());
    c.lose(|at| a_day * at.seconds / DAY);
}

/// An even leak, and two to five requests that take much for two readings.
fn leak_then_spikes(c: &mut Container) {
    linear(c);
    for window in 0..c.windows {
        for _ in 0..c.random.whole(2..6) {
            let (at, height) = (c.reading(window, 0.0, 1.0), c.share(0.3, 0.8));
            c.burst(at, 2, height);
        }
    }
}
