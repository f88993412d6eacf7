//! The services of a simulated machine: what each holds in memory at any time, and when it comes, changes and goes.
//!
//! Times are seconds since the first midnight, a Sunday; amounts are MiB. Seeded: one seed gives one history.

use std::f64::consts::TAU;

pub(crate) const DAY: i64 = 86_400;
const HOUR: f64 = 3600.0;

/// What is true of a service: what a night must say of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Truth {
    /// It never leaks.
    Healthy,
    /// It grows from the first time on, until the second where there is one.
    Leaks(i64, Option<i64>),
}

/// A service and its run.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    /// Its name, and from the given time on another one.
    pub(crate) name: &'static str,
    pub(crate) renamed: Option<(i64, &'static str)>,
    /// When it is gone for good.
    pub(crate) gone: Option<i64>,
    /// When its container is created anew.
    pub(crate) deploys: Vec<i64>,
    pub(crate) truth: Truth,
    level: f64,
    /// Share of the level by which load raises it at noon.
    swing: f64,
    /// Standard deviation of its wandering, as a share of the level.
    noise: f64,
    /// How much a collector lets pile up.
    garbage: f64,
    /// What a leak keeps, in MiB an hour.
    rate: f64,
    wander: f64,
    heap: f64,
}

/// Every service of the machine.
pub(crate) fn all() -> Vec<Service> {
    let service = |name, level, swing, noise| Service {
        name,
        renamed: None,
        gone: None,
        deploys: Vec::new(),
        truth: Truth::Healthy,
        level,
        swing,
        noise,
        garbage: 0.0,
        rate: 0.0,
        wander: 0.0,
        heap: 0.0,
    };
    vec![
        Service { deploys: vec![20 * DAY + 39_600], ..service("web", 220.0, 0.3, 0.015) },
        service("db", 420.0, 0.02, 0.004),
        Service { garbage: 90.0, ..service("worker", 150.0, 0.2, 0.02) },
        Service { renamed: Some((9 * DAY + 51_300, "api-v2")), ..service("api", 480.0, 0.12, 0.01) },
        Service { gone: Some(11 * DAY + 50_400), ..service("batch", 64.0, 0.0, 0.01) },
        Service {
            truth: Truth::Leaks(5 * DAY, Some(13 * DAY + 36_000)),
            deploys: vec![13 * DAY + 36_000],
            rate: 1.5,
            ..service("cart", 180.0, 0.15, 0.01)
        },
        Service {
            truth: Truth::Leaks(19 * DAY, None),
            gone: Some(25 * DAY + 30_000),
            rate: 0.8,
            ..service("mailer", 90.0, 0.1, 0.01)
        },
        Service { truth: Truth::Leaks(27 * DAY, None), rate: 2.0, ..service("session", 300.0, 0.1, 0.01) },
    ]
}

impl Service {
    /// Its name at a time; `None` when it is gone.
    pub(crate) fn name_at(&self, at: i64) -> Option<&'static str> {
        let renamed = self.renamed.filter(|(from, _)| *from <= at).map(|(_, name)| name);
        self.gone.is_none_or(|gone| at < gone).then(|| renamed.unwrap_or(self.name))
    }

    /// How often it was created anew before a time.
    pub(crate) fn generation(&self, at: i64) -> u64 {
        self.deploys.iter().filter(|deploy| **deploy <= at).count() as u64
    }

    /// What it holds at a time, later than the time before.
    pub(crate) fn mib(&mut self, at: i64, noise: &mut Noise) -> f64 {
        let born = self.deploys.iter().rev().find(|deploy| **deploy <= at).copied().unwrap_or(-30 * DAY);
        let age = (at - born) as f64;
        // Half an hour until it is warm.
        let warm = 1.0 - 0.4 * (-age / (0.5 * HOUR)).exp();
        self.wander = 0.9 * self.wander + 0.19_f64.sqrt() * noise.normal();
        self.heap = if self.heap > self.garbage { 0.0 } else { self.heap + self.garbage * 0.3 * noise.uniform() };
        let held = match self.truth {
            Truth::Leaks(from, until) if until.is_none_or(|until| at < until) => {
                (at - from.max(born)).max(0) as f64 / HOUR * self.rate
            }
            _ => 0.0,
        };
        let load = 1.0 + self.swing * load(at) + self.noise * self.wander;
        self.level * warm * load + self.heap.min(self.garbage) + held
    }
}

/// How many people are there, 0 to 1: fewer at night and at the weekend.
fn load(at: i64) -> f64 {
    let hour = (at % DAY) as f64 / HOUR;
    let day = 0.5 - 0.5 * (TAU * (hour - 3.0) / 24.0).cos();
    let is_weekend = matches!(at / DAY % 7, 0 | 6);
    day.powf(1.5) * if is_weekend { 0.4 } else { 1.0 }
}

/// Numbers that look random: `SplitMix64` (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// With mean 0 and deviation 1 (Box, Muller 1958).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }
}
