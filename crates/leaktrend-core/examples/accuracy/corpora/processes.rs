//! Small simulations of services: requests that come with the day and the week, collectors, caches, jobs, deployments.
//!
//! Leaks lose bytes with every request, job or connection. Healthy services hold bytes for requests in flight, fill
//! bounded caches, collect garbage and are deployed anew.

use std::f64::consts::TAU;

use leaktrend_core::units::DAY;

use super::container::Container;
use super::variations::is_weekend;
use super::{Family, Role};
use crate::generator::random::Random;

use Role::{CutLeak, Healthy, Leak, Walk};

pub(super) const FAMILIES: [Family; 19] = [
    Family::new("node_steady", Healthy, node_steady),
    Family::new("jvm_ceiling", Healthy, jvm_ceiling),
    Family::new("go_gogc", Healthy, go_gogc),
    Family::new("lru_fills", Healthy, lru_fills),
    Family::new("hourly_job", Healthy, hourly_job),
    Family::new("nightly_job", Healthy, nightly_job),
    Family::new("deploys_healthy", Healthy, deploys_healthy),
    Family::new("rescaled", Healthy, rescaled),
    Family::new("slow_ou", Walk, slow_ou),
    Family::new("tmpfs_rotated", Healthy, tmpfs_rotated),
    Family::new("leak_per_request", Leak, leak_per_request),
    Family::new("leak_small_daily", Leak, leak_small_daily),
    Family::new("leak_gogc", Leak, leak_gogc),
    Family::new("leak_touched", Leak, leak_touched),
    Family::new("leak_deploys", CutLeak, leak_deploys),
    Family::new("leak_oom", CutLeak, leak_oom),
    Family::new("leak_from_deploy", Leak, leak_from_deploy),
    Family::new("leak_per_job", Leak, leak_per_job),
    Family::new("leak_bursts", Leak, leak_bursts),
];

const HOUR: f64 = 3600.0;

/// A process that holds 80 to 700 MiB and is read with white noise of up to 1.2 MiB.
pub(super) fn at_rest(c: &mut Container) {
    c.base = c.uniform(80.0, 700.0);
    c.sd = c.uniform(0.05, 1.2);
    c.noise = c.autocorrelated(0.0, c.sd, Random::normal);
    c.least = 2.0;
    c.limit = 5.0 * c.base;
}

/// A service under load; amounts are MiB, one for each reading.
struct Service {
    /// Requests in the time of a reading, 1 on average.
    requests: Vec<f64>,
    /// What requests in flight hold.
    in_flight: Vec<f64>,
    /// Caches that fill after the start.
    warm: Vec<f64>,
    /// What a leak loses in a window.
    total: f64,
    /// What a leak has lost, in proportion to the requests.
    lost: Vec<f64>,
}

impl Service {
    fn new(c: &mut Container) -> Service {
        let requests = load(c);
        let (flight, slow) = (c.share(0.05, 0.35), c.uniform(c.step, 1800.0));
        let in_flight = smooth(&requests, c.step, slow).iter().map(|load| flight * load).collect();
        let (height, tau) = (c.share(0.1, 0.6), c.uniform(120.0, 0.08 * c.span()));
        let warm = (0..c.len()).map(|index| height * -f64::exp_m1(-(index as f64) * c.step / tau)).collect();
        let total = c.share(0.35, 1.2);
        let lost = served(&requests, c.n).iter().map(|share| total * share).collect();
        Service { requests, in_flight, warm, total, lost }
    }

    /// What lives in a heap: a part of the level, and a part of what is in flight.
    fn live(&self, level: f64, flight: f64) -> Vec<f64> {
        self.in_flight.iter().map(|held| level + flight * held).collect()
    }

    /// What is allocated in the time of each reading, when the average is `rate`.
    fn allocated(&self, rate: f64) -> Vec<f64> {
        self.requests.iter().map(|load| rate * load).collect()
    }
}

/// The requests that have been served, as a share of those of the first `n` readings.
fn served(requests: &[f64], n: usize) -> Vec<f64> {
    let all = requests[..n].iter().sum::<f64>().max(1e-9);
    let sums = requests.iter().scan(0.0, |sum, load| {
        *sum += load;
        Some(*sum / all)
    });
    sums.collect()
}

/// Requests in the time of each reading: Poisson around a rhythm of the day and the week, in bursts; 1 on average.
fn load(c: &mut Container) -> Vec<f64> {
    let (zone, depth, weekend) = (c.uniform(0.0, DAY), c.uniform(0.2, 0.7), c.uniform(0.5, 1.0));
    let (mean, memory) = (c.uniform(30.0, 400.0), c.uniform(300.0, HOUR));
    let bursts = c.autocorrelated((-c.step / memory).exp(), 0.15, Random::normal);
    let rates = bursts.iter().enumerate().map(|(index, burst)| {
        let seconds = index as f64 * c.step;
        let day = TAU * (seconds + zone) / DAY;
        let rhythm = 1.0 + depth * day.sin() + 0.3 * depth * (2.0 * day + 1.0).sin();
        rhythm.max(0.05) * if is_weekend(seconds) { weekend } else { 1.0 } * burst.exp()
    });
    rates.map(|rate| c.random.poisson(rate * mean) / mean).collect()
}

/// What follows `values` within the time constant `tau`, in seconds.
fn smooth(values: &[f64], step: f64, tau: f64) -> Vec<f64> {
    let (share, mut state) = (-f64::exp_m1(-step / tau), values[0]);
    let follow = values.iter().map(|value| {
        state += share * (value - state);
        state
    });
    follow.collect()
}

/// The heap of a collector, which runs when garbage is `grow` times what lives: what it missed of it, up to 8 %, stays.
fn collected(random: &mut Random, live: &[f64], allocated: &[f64], grow: f64) -> Vec<f64> {
    let mut garbage = random.uniform(0.0, grow) * live[0];
    let heap = live.iter().zip(allocated).map(|(live, allocated)| {
        garbage += allocated;
        if garbage > grow * live {
            garbage = random.uniform(0.0, 0.08) * grow * live;
        }
        live + garbage
    });
    heap.collect()
}

/// Resident memory over a heap: a page that was touched stays, and is given back with the time constant `back`, in
/// seconds.
fn touched(heap: &[f64], step: f64, back: f64) -> Vec<f64> {
    let (share, mut resident) = (-f64::exp_m1(-step / back), heap[0]);
    let pages = heap.iter().map(|heap| {
        resident = if *heap > resident { *heap } else { resident + share * (heap - resident) };
        resident
    });
    pages.collect()
}

/// When so many deployments happen in each window: never sooner after another than this share of a window, unless
/// there are more than ten.
fn deployments(c: &mut Container, count: usize, apart: f64) -> Vec<usize> {
    let mut all = Vec::new();
    for window in 0..c.windows {
        let times = loop {
            let mut times: Vec<f64> = (0..count).map(|_| c.uniform(0.05, 0.95)).collect();
            times.sort_by(f64::total_cmp);
            let bounds: Vec<f64> = [&[0.0], times.as_slice(), &[1.0]].concat();
            if count > 10 || bounds.windows(2).all(|pair| pair[1] - pair[0] > apart) {
                break times;
            }
        };
        all.extend(times.iter().map(|time| ((window as f64 + time) * c.n as f64) as usize));
    }
    all
}

/// A Node service: a small heap that is collected often, and pages that are given back within minutes or hours.
fn node_steady(c: &mut Container) {
    let service = Service::new(c);
    let (live, allocated) = (service.live(0.3 * c.base, 1.0), service.allocated(0.04 * c.base));
    let (grow, back) = (c.uniform(0.3, 0.8), c.uniform(600.0, 2.0 * HOUR));
    let resident = touched(&collected(&mut c.random, &live, &allocated, grow), c.step, back);
    let base = c.base;
    c.hold(|at| base + 0.3 * service.warm[at.index] + resident[at.index]);
}

/// A JVM that gives nothing back: its heap rises to a ceiling and stays there.
fn jvm_ceiling(c: &mut Container) {
    let service = Service::new(c);
    let (live, allocated) = (service.live(0.4 * c.base, 0.5), service.allocated(0.05 * c.base));
    let grow = c.uniform(0.8, 1.6);
    let resident = touched(&collected(&mut c.random, &live, &allocated, grow), c.step, 1e9);
    let base = c.base;
    c.hold(|at| base + resident[at.index]);
}

/// A Go service: the collector runs when the heap is twice what lives (`GOGC=100`).
fn go_gogc(c: &mut Container) {
    let service = Service::new(c);
    let live = service.live(0.4 * c.base, 1.0);
    go_heap(c, &service, &live);
}

fn go_heap(c: &mut Container, service: &Service, live: &[f64]) {
    let heap = collected(&mut c.random, live, &service.allocated(0.06 * c.base), 1.0);
    let base = c.base;
    c.hold(|at| 0.2 * base + heap[at.index]);
}

/// A cache with a bound, which requests fill within 15 to 50 % of the window.
fn lru_fills(c: &mut Container) {
    let service = Service::new(c);
    let (base, capacity, full) = (c.base, service.total, c.uniform(0.15, 0.5));
    let filled = served(&service.requests, c.n);
    c.hold(|at| base + 0.3 * service.in_flight[at.index] + capacity * (filled[at.index] / full).min(1.0));
}

/// The service, and a job that holds `size` for `length` seconds of every `period`.
fn job(c: &mut Container, size: f64, length: f64, period: f64) {
    let service = Service::new(c);
    let (base, offset) = (c.base, c.uniform(0.0, period));
    c.hold(|at| {
        let runs = (at.seconds + offset) % period < length;
        base + service.in_flight[at.index] + if runs { size } else { 0.0 }
    });
}

/// A job of 3 to 15 minutes every hour.
fn hourly_job(c: &mut Container) {
    let (size, length) = (c.share(0.2, 0.9) * c.uniform(0.7, 1.3), c.uniform(200.0, 900.0));
    job(c, size, length, HOUR);
}

/// A job of half an hour to three hours every night.
fn nightly_job(c: &mut Container) {
    let (size, length) = (c.share(0.3, 1.2), c.uniform(HOUR / 2.0, 3.0 * HOUR));
    job(c, size, length, DAY);
}

/// Two to five deployments, each of which fills its caches to a level of its own.
fn deploys_healthy(c: &mut Container) {
    let service = Service::new(c);
    let count = c.random.whole(2..6);
    let cuts = deployments(c, count, 0.08);
    for run in c.runs(&cuts) {
        let (level, tau) = (c.share(0.8, 1.25), c.uniform(300.0, 0.02 * c.span()));
        for index in run.clone() {
            let age = (index - run.start) as f64 * c.step;
            c.held[index] += service.in_flight[index] + level * (1.0 - 0.4 * (-age / tau).exp());
        }
    }
}

/// A share of the traffic that changes two to six times, as replicas come and go.
fn rescaled(c: &mut Container) {
    let service = Service::new(c);
    let count = c.random.whole(2..7);
    let cuts = deployments(c, count, 0.08);
    for run in c.runs(&cuts) {
        let share = c.random.one_of(&[0.4, 0.7, 1.0, 1.5]);
        for index in run {
            c.held[index] += c.base + 2.0 * share * service.in_flight[index];
        }
    }
}

/// A level that wanders, and returns within 2 to 8 % of the window.
fn slow_ou(c: &mut Container) {
    let service = Service::new(c);
    let tau = c.uniform(0.02, 0.08) * c.span();
    let wandering = c.autocorrelated((-c.step / tau).exp(), 0.06 * c.base, Random::normal);
    let base = c.base;
    c.hold(|at| base + 0.3 * service.in_flight[at.index] + wandering[at.index]);
}

/// Logs in memory that are rotated every 6 to 20 % of the window.
fn tmpfs_rotated(c: &mut Container) {
    let service = Service::new(c);
    let period = c.uniform(0.06, 0.2) * c.span();
    let (base, size, offset) = (c.base, c.share(0.1, 0.4), c.uniform(0.0, period));
    c.hold(|at| base + service.in_flight[at.index] + size * ((at.seconds + offset) / period).fract());
}

/// Something that every request leaves behind, beside caches that fill.
fn leak_per_request(c: &mut Container) {
    let service = Service::new(c);
    let base = c.base;
    c.hold(|at| base + service.in_flight[at.index] + 0.5 * service.warm[at.index]);
    c.leak(|at| service.lost[at.index]);
}

/// The same, smaller than what comes and goes with the day.
fn leak_small_daily(c: &mut Container) {
    let service = Service::new(c);
    let (base, share) = (c.base, c.uniform(0.35, 0.6));
    c.hold(|at| base + 1.5 * service.in_flight[at.index]);
    c.leak(|at| share * service.lost[at.index]);
}

/// A Go service in which what lives grows: the sawtooth of the collector grows with it, twice as fast.
fn leak_gogc(c: &mut Container) {
    let service = Service::new(c);
    let live: Vec<f64> =
        service.live(0.4 * c.base, 0.5).iter().zip(&service.lost).map(|(live, lost)| live + lost).collect();
    go_heap(c, &service, &live);
    c.lose(|at| service.lost[at.index]);
}

/// A Node service in which what lives grows.
fn leak_touched(c: &mut Container) {
    let service = Service::new(c);
    let live: Vec<f64> =
        service.live(0.3 * c.base, 1.0).iter().zip(&service.lost).map(|(live, lost)| live + lost).collect();
    let (allocated, back) = (service.allocated(0.04 * c.base), c.uniform(600.0, 2.0 * HOUR));
    let resident = touched(&collected(&mut c.random, &live, &allocated, 0.5), c.step, back);
    let base = c.base;
    c.hold(|at| base + resident[at.index]);
    c.lose(|at| service.lost[at.index]);
}

/// A leak that one to four deployments cut.
fn leak_deploys(c: &mut Container) {
    let service = Service::new(c);
    c.hold(|at| 0.4 * service.in_flight[at.index]);
    let count = c.random.whole(1..5);
    let cuts = deployments(c, count, 0.15);
    for run in c.runs(&cuts) {
        let level = c.share(0.9, 1.1);
        c.burst(run.start, run.len(), level);
    }
    c.leak_in_runs(&cuts, 2.0 * service.total / c.n as f64);
}

/// A leak with every request that is killed at the limit three to nine times in a window.
fn leak_oom(c: &mut Container) {
    let service = Service::new(c);
    let (room, kills) = (c.share(0.8, 2.0), c.uniform(3.0, 9.0));
    c.limit = c.base + room;
    let mut given_back = -room * c.uniform(0.0, 0.6);
    let lost: Vec<f64> = served(&service.requests, c.n).iter().map(|share| room * kills * share).collect();
    for ((held, lost), in_flight) in c.held.iter_mut().zip(&lost).zip(&service.in_flight) {
        let other = c.base + 0.2 * in_flight;
        if other + lost - given_back > 0.985 * c.limit {
            given_back = *lost;
        }
        *held += other + lost - given_back;
    }
    c.lose(|at| lost[at.index]);
}

/// A leak that comes with a deployment after 20 to 50 % of the window.
fn leak_from_deploy(c: &mut Container) {
    let service = Service::new(c);
    let from = c.reading(0, 0.2, 0.5);
    let rate = service.total / (c.n - from) as f64;
    let base = c.base;
    c.hold(|at| base + 0.4 * service.in_flight[at.index]);
    c.leak(|at| rate * at.index.saturating_sub(from) as f64);
    c.burst(from, 3, -0.3 * base);
}

/// Something that every job leaves behind: one an hour, or sixty in a window where that is fewer.
fn leak_per_job(c: &mut Container) {
    let service = Service::new(c);
    let (base, period) = (c.base, HOUR.max(c.span() / 60.0));
    let jobs = ((c.n - 1) as f64 * c.step / period).floor().max(1.0);
    c.hold(|at| base + 0.3 * service.in_flight[at.index]);
    c.leak(|at| service.total * (at.seconds / period).floor() / jobs);
}

/// 25 to 79 incidents in a window, each of which leaves something behind.
fn leak_bursts(c: &mut Container) {
    let service = Service::new(c);
    let base = c.base;
    c.hold(|at| base + 0.3 * service.in_flight[at.index]);
    let count = c.random.whole(25..80);
    for window in 0..c.windows {
        let sizes: Vec<f64> = (0..count).map(|_| c.random.exponential()).collect();
        let all: f64 = sizes.iter().sum();
        for size in sizes {
            let (from, left) = (c.reading(window, 0.0, 1.0), service.total * size / all);
            c.leak(|at| if at.index >= from { left } else { 0.0 });
        }
    }
}
