//! Other curves under other noise: what `curves` leaves out, so that no procedure is made for its shapes alone.

use leaktrend_core::units::DAY;

use super::container::Container;
use super::{Family, Role};
use crate::generator::random::Random;

use Role::{CutLeak, Healthy, Leak, SlowLeak, Walk};

pub(super) const FAMILIES: [Family; 31] = [
    Family::new("flat_t3", Healthy, flat_t3),
    Family::new("flat_arma", Healthy, flat_arma),
    Family::new("flat_quant", Healthy, flat_quant),
    Family::new("flat_lownoise", Healthy, |c| c.quieten(0.02)),
    Family::new("rw_wide", Walk, rw_wide),
    Family::new("daily_square", Healthy, daily_square).needing_days(1.0),
    Family::new("daily_asym", Healthy, daily_asym).needing_days(1.0),
    Family::new("daily_week", Healthy, daily_week).needing_days(1.0),
    Family::new("warm_long", Healthy, warm_long),
    Family::new("ramp_flat", Healthy, ramp_flat),
    Family::new("gc_partial", Healthy, gc_partial),
    Family::new("gc_deep", Healthy, gc_deep),
    Family::new("arena", Healthy, arena),
    Family::new("trapezoid", Healthy, trapezoid),
    Family::new("pulses", Healthy, pulses),
    Family::new("buffers", Healthy, buffers),
    Family::new("restart_warm", Healthy, restart_warm),
    Family::new("deploy_down", Healthy, deploy_down),
    Family::new("two_steps", Healthy, two_steps),
    Family::new("slow_lin", SlowLeak, slow_lin),
    Family::new("lin_t3", Leak, lin_t3),
    Family::new("lin_arma", Leak, lin_arma),
    Family::new("lin_quant", Leak, lin_quant),
    Family::new("lin_accel", Leak, lin_accel),
    Family::new("oom_var", CutLeak, oom_var),
    Family::new("restart_irreg_leak", CutLeak, restart_irreg_leak),
    Family::new("stairs_few", Leak, stairs_few),
    Family::new("lin_gc_partial", Leak, lin_gc_partial),
    Family::new("lin_dsquare", Leak, lin_dsquare).needing_days(2.0),
    Family::new("leak_1restart", CutLeak, leak_1restart),
    Family::new("late_sat_leak", Leak, late_sat_leak),
];

/// Level under noise with heavy tails.
fn flat_t3(c: &mut Container) {
    c.noise = c.autocorrelated(c.phi, c.sd, Random::heavy);
}

/// Level under slow noise and white noise together, which no single coefficient describes.
fn flat_arma(c: &mut Container) {
    let slow = c.autocorrelated(0.97, 0.7 * c.sd, Random::normal);
    let white = c.autocorrelated(0.0, c.sd, Random::normal);
    c.noise = slow.iter().zip(white).map(|(slow, white)| slow + white).collect();
}

/// Level at 1.1 to 9 GiB, where docker's four digits are coarser than the noise.
fn flat_quant(c: &mut Container) {
    let more = c.uniform(1100.0, 9000.0) - c.base;
    c.base += more;
    c.printed_by_docker = true;
    c.hold(|_| more);
}

/// Wanders by 3 to 12 % of its level.
fn rw_wide(c: &mut Container) {
    let wide = c.share(0.03, 0.12) / (c.n as f64).sqrt();
    c.noise = c.walk().iter().map(|at| at * wide).collect();
}

/// The working hours of somewhere in the world, by seconds: near 0 at night, near 1 for 7 to 12 hours, with edges of
/// an hour and a half.
fn working_hours(c: &mut Container) -> impl Fn(f64) -> f64 + use<> {
    let (zone, length) = (c.uniform(0.0, 24.0), c.uniform(7.0, 12.0));
    let logistic = |hours: f64| 1.0 / (1.0 + (-hours / 1.5 * 4.0).exp());
    move |seconds| {
        let hour = (seconds / 3600.0 + zone) % 24.0;
        logistic(hour - 6.0) * logistic(6.0 + length - hour)
    }
}

/// Sessions of the working hours.
fn daily_square(c: &mut Container) {
    let (high, hours) = (c.share(0.05, 0.3), working_hours(c));
    c.hold(|at| high * hours(at.seconds));
}

/// Memory that is taken over most of the day and given back within the rest.
fn daily_asym(c: &mut Container) {
    let (phase, taking, high) = (c.uniform(0.0, 1.0), c.uniform(0.6, 0.8), c.share(0.05, 0.25));
    c.hold(|at| {
        let share = (at.seconds / DAY + phase).fract();
        high * if share < taking { share / taking } else { (1.0 - share) / (1.0 - taking) }
    });
}

/// Sessions of the working hours, a quarter of them at weekends.
fn daily_week(c: &mut Container) {
    let (high, hours) = (c.share(0.05, 0.2), working_hours(c));
    c.hold(|at| high * hours(at.seconds) * if is_weekend(at.seconds) { 0.25 } else { 1.0 });
}

/// Whether this second of a series is one of a Saturday or Sunday (UTC): series begin with a Thursday.
pub(super) fn is_weekend(seconds: f64) -> bool {
    (3 + (seconds / DAY) as usize) % 7 >= 5
}

/// Caches that fill over most of the window.
fn warm_long(c: &mut Container) {
    let (height, tau) = (c.share(0.2, 0.8), c.uniform(0.2, 0.5));
    c.hold(|at| height * -f64::exp_m1(-at.x / tau));
}

/// An import that fills memory evenly, and is done within 15 to 60 % of the window.
fn ramp_flat(c: &mut Container) {
    let (done, height) = (c.uniform(0.15, 0.6), c.share(0.2, 0.8));
    c.hold(|at| height * (at.x / done).min(1.0));
}

/// A heap in which one collection in five leaves much.
fn gc_partial(c: &mut Container) {
    c.quieten(0.3);
    let garbage = c.share(0.1, 0.5);
    c.collect(garbage, 0.2);
}

/// A heap of which most is garbage: collections fall as deep as restarts.
fn gc_deep(c: &mut Container) {
    c.quieten(0.3);
    let garbage = c.share(0.7, 1.3);
    c.collect(garbage, 0.0);
}

/// An allocator that takes three to eight arenas in the first half of the window and keeps them.
fn arena(c: &mut Container) {
    let count = c.random.whole(3..9);
    let (size, until) = (c.share(0.15, 0.5) / count as f64, c.uniform(0.3, 0.55));
    for _ in 0..count {
        let (at, size) = (c.reading(0, 0.01, until), size * c.uniform(0.7, 1.3));
        c.step(at, size);
    }
}

/// A load that is driven up, held and driven down.
fn trapezoid(c: &mut Container) {
    for window in 0..c.windows {
        let mut corners = [(0.08, 0.2), (0.25, 0.4), (0.5, 0.6), (0.65, 0.8)].map(|(from, to)| c.uniform(from, to));
        corners.sort_by(f64::total_cmp);
        let [up, full, down, over] = corners.map(|corner| corner + window as f64);
        let height = c.share(0.2, 0.8);
        c.hold(|at| height * ((at.x - up) / (full - up)).min((over - at.x) / (over - down)).clamp(0.0, 1.0));
    }
}

/// Two or three jobs of 5 to 15 % of the window.
fn pulses(c: &mut Container) {
    for window in 0..c.windows {
        for _ in 0..c.random.whole(2..4) {
            let (at, length, height) = (c.reading(window, 0.05, 0.7), c.uniform(0.05, 0.15), c.share(0.2, 0.6));
            c.burst(at, (length * c.n as f64) as usize, height);
        }
    }
}

/// A buffer that is taken for 4 to 11 of every 30 to 99 readings.
fn buffers(c: &mut Container) {
    let (period, width) = (c.random.whole(30..100), c.random.whole(4..12));
    let (offset, size) = (c.random.whole(0..period), c.share(0.2, 0.8));
    c.hold(|at| if (at.index + offset) % period < width { size } else { 0.0 });
}

/// One to six restarts, after each of which caches fill again.
fn restart_warm(c: &mut Container) {
    let count = c.random.whole(1..7);
    let tau = c.n as f64 / (count + 1) as f64 * c.uniform(0.05, 0.15);
    let cuts: Vec<usize> = (0..c.windows)
        .flat_map(|window| {
            let cuts = c.random.several(count, &(12..c.n - 12));
            let start = window * c.n;
            cuts.into_iter().map(move |cut| start + cut)
        })
        .collect();
    for run in c.runs(&cuts) {
        let missing = 0.5 * c.base;
        c.held[run].iter_mut().enumerate().for_each(|(age, held)| *held -= missing * (-(age as f64) / tau).exp());
    }
}

/// A deployment after which the process holds less, half of it at once.
fn deploy_down(c: &mut Container) {
    let (from, fall, tau) = (c.reading(0, 0.2, 0.8), c.share(0.1, 0.4), 0.03 * c.n as f64);
    c.hold(|at| match at.index.checked_sub(from) {
        Some(age) => -0.5 * fall * (1.0 + (-(age as f64) / tau).exp()),
        None => 0.0,
    });
}

/// Two more things are loaded, for good.
fn two_steps(c: &mut Container) {
    for _ in 0..2 {
        let (from, height) = (c.reading(0, 0.1, 0.8), c.share(0.05, 0.3));
        c.step(from, height);
    }
}

/// A leak that is just detectable.
fn slow_lin(c: &mut Container) {
    let rise = c.detectable() * c.uniform(1.5, 3.0);
    c.leak(|at| rise * at.x);
}

/// An even leak of so many times what could be detected.
fn leak_evenly(c: &mut Container, lower: f64, upper: f64) {
    let rise = c.rise(lower, upper);
    c.leak(|at| rise * at.x);
}

/// An even leak under noise with heavy tails.
fn lin_t3(c: &mut Container) {
    flat_t3(c);
    leak_evenly(c, 3.0, 8.0);
}

/// An even leak under slow noise and white noise together.
fn lin_arma(c: &mut Container) {
    flat_arma(c);
    (c.phi, c.sd) = (0.97, 0.7 * c.sd);
    leak_evenly(c, 3.0, 8.0);
}

/// An even leak at 1.1 to 9 GiB in docker's four digits.
fn lin_quant(c: &mut Container) {
    flat_quant(c);
    leak_evenly(c, 3.0, 8.0);
}

/// A leak that grows with what has been lost already.
fn lin_accel(c: &mut Container) {
    let (rise, power) = (c.rise(4.0, 9.0), c.uniform(1.3, 2.2));
    c.leak(|at| rise * at.x.powf(power));
}

/// A leak that is killed at its limit, and whose runs grow at different rates.
fn oom_var(c: &mut Container) {
    let limit = c.base * c.uniform(1.8, 3.0);
    let room = limit - c.base;
    let rate = room / (c.n as f64 / c.random.whole(3..8) as f64);
    let (mut leaked, mut pace, mut lost) = (0.8 * c.uniform(0.0, room), c.uniform(0.7, 1.3), 0.0);
    for index in 0..c.len() {
        leaked += rate * pace;
        lost += rate * pace;
        if leaked > 0.97 * room {
            leaked = 0.0;
            pace = c.uniform(0.7, 1.3);
        }
        c.held[index] += leaked;
        c.lost[index] = lost;
    }
    c.limit = limit;
}

/// A leak that two to five restarts cut at irregular times.
fn restart_irreg_leak(c: &mut Container) {
    let count = c.random.whole(2..6);
    let spacing = c.n / 12;
    let rate = c.share(0.8, 2.0) / c.n as f64;
    let cuts: Vec<usize> = (0..c.windows)
        .flat_map(|window| {
            let (start, cuts) = (window * c.n, c.random.several(count, &(1..11)));
            cuts.into_iter().map(move |cut| start + cut * spacing)
        })
        .collect();
    c.leak_in_runs(&cuts, rate);
}

/// Something that is loaded four to six times, at about even distances, and never unloaded.
fn stairs_few(c: &mut Container) {
    let count = c.random.whole(4..7);
    let height = c.rise(5.0, 10.0).max(0.3 * c.base) / count as f64;
    for step in 0..count * c.windows {
        let from = (step as f64 + c.uniform(0.2, 0.8)) / count as f64;
        c.leak(|at| if at.x >= from { height } else { 0.0 });
    }
}

/// An even leak in a heap in which one collection in five leaves much.
fn lin_gc_partial(c: &mut Container) {
    c.quieten(0.3);
    let garbage = c.share(0.1, 0.3);
    c.collect(garbage, 0.2);
    leak_evenly(c, 4.0, 9.0);
}

/// An even leak beside sessions of the working hours.
fn lin_dsquare(c: &mut Container) {
    let (high, hours) = (c.share(0.05, 0.25), working_hours(c));
    c.hold(|at| high * hours(at.seconds));
    let rise = c.rise(4.0, 9.0).max(0.3 * c.base);
    c.leak(|at| rise * at.x);
}

/// An even leak that one restart cuts.
fn leak_1restart(c: &mut Container) {
    let cut = c.reading(0, 0.25, 0.6);
    let rate = c.rise(4.0, 9.0).max(0.5 * c.base) / c.n as f64;
    c.leak_in_runs(&[cut], rate);
}

/// Caches that fill within a third of the window, and an even leak.
fn late_sat_leak(c: &mut Container) {
    let (height, tau) = (0.3 * c.base, c.uniform(0.05, 0.15));
    let rise = c.rise(4.0, 9.0).max(0.3 * c.base);
    c.hold(|at| height * -f64::exp_m1(-at.x / tau));
    c.leak(|at| rise * at.x);
}
