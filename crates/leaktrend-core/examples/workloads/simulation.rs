//! Workloads whose truth is known: pods that start up, share a load, and are replaced.

use std::f64::consts::TAU;

use leaktrend_core::series::{Labels, MemorySeries, Metric, Samples, Sampling, SeriesInfo};
use leaktrend_core::units::{DAY, MIB};

use crate::random::Random;

/// 2026-11-16 00:00:00 UTC, a Monday.
const START_MS: i64 = 1_794_787_200_000;
const HOUR: f64 = 3600.0;

/// What grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Nothing.
    Healthy,
    /// Every pod.
    Leaks,
    /// Every pod, by how much in a day and for how long.
    Slow(Slow),
    /// Every pod of the versions from one on.
    LeaksSinceVersion,
    /// One of the pods that run from the last rollout but one on; there is no rollout after that.
    OnePodLeaks,
}

/// A workload of which the time to a verdict is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Slow {
    /// Growth in a day, as a share of the level: at least and at most.
    pub(crate) gain: (f64, f64),
    /// For so long, in days.
    pub(crate) days: f64,
}

impl Slow {
    /// The windows that are judged, in days, each so much longer than the one before.
    pub(crate) fn windows(self) -> Vec<f64> {
        std::iter::successors(Some(0.5), |days| Some(1.15 * days)).take_while(|days| *days <= self.days).collect()
    }
}

impl Kind {
    /// The stream of random numbers that workloads of this kind are drawn from.
    pub(crate) fn stream(self) -> u64 {
        match self {
            Kind::Healthy => 0,
            Kind::Leaks => 1,
            Kind::Slow(_) => 2,
            Kind::LeaksSinceVersion => 3,
            Kind::OnePodLeaks => 4,
        }
    }
}

/// A workload.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    /// Pods that always run, and how many more at the height of the day.
    pub(crate) pods: usize,
    pub(crate) more: usize,
    pub(crate) days: f64,
    pub(crate) step: f64,
    /// Growth of a leaking pod in a day, as a share of its level.
    pub(crate) gain: f64,
    /// Of `LeaksSinceVersion`, the first that leaks.
    pub(crate) since: usize,
    level: f64,
    /// When each version is deployed, in seconds; the first at 0 or before.
    pub(crate) rollouts: Vec<f64>,
    /// Share of the level that a process starts with, and how long it takes to fill the rest.
    start: (f64, f64),
    /// Shares of the level: the swing of the day, noise that all pods share, noise of each pod, readings.
    noise: [f64; 4],
    /// How long shared noise and that of a pod last, in seconds.
    lasts: [f64; 2],
    /// Share of the level that garbage takes, and seconds from one collection to the next; 0 without.
    garbage: (f64, f64),
    /// A pod is evicted once in so many seconds.
    evicted: f64,
}

/// A pod as it was read.
pub(crate) struct Read {
    pub(crate) series: MemorySeries,
    pub(crate) version: usize,
    pub(crate) leaks: bool,
}

impl Plan {
    pub(crate) fn of(kind: Kind, pods: Option<usize>, random: &mut Random) -> Plan {
        let drawn = random.one_of(&[3.0, 5.0, 7.0]);
        let (days, gain) = match kind {
            Kind::Slow(slow) => (slow.days, slow.gain),
            _ => (drawn, (0.1, 0.5)),
        };
        let n = random.whole(3..21);
        let mut rollouts = vec![-random.uniform(0.0, 12.0) * HOUR];
        // Every day at some time of the working hours, or of the night.
        let hour = random.uniform(0.0, 24.0);
        for day in 0..days as usize {
            rollouts.push(day as f64 * DAY + (hour + random.uniform(-2.0, 2.0)).clamp(0.5, 23.5) * HOUR);
        }
        if kind == Kind::OnePodLeaks {
            rollouts.retain(|at| *at < (days - 1.5) * DAY);
        }
        Plan {
            kind,
            pods: pods.unwrap_or(n),
            more: if pods.is_some() { 0 } else { random.whole(0..n / 2 + 1) },
            days,
            step: random.one_of(&[60.0, 120.0, 300.0]),
            gain: random.uniform(gain.0, gain.1),
            since: random.whole(1..days as usize),
            level: random.uniform(100.0, 800.0) * MIB,
            rollouts,
            start: (random.uniform(0.3, 0.8), random.uniform(3.0, 60.0) * 60.0),
            noise: [
                random.uniform(0.01, 0.1),
                random.uniform(0.003, 0.015),
                random.uniform(0.01, 0.03),
                random.uniform(0.001, 0.005),
            ],
            lasts: [random.uniform(0.5, 4.0) * HOUR, random.uniform(0.2, 2.0) * HOUR],
            garbage: if random.chance(0.3) {
                (random.uniform(0.03, 0.1), random.uniform(0.2, 1.5) * HOUR)
            } else {
                (0.0, HOUR)
            },
            evicted: random.uniform(1.0, 6.0) * DAY,
        }
    }

    /// The same with a rollout a day at about ten o'clock, and a leak that is worth a page.
    pub(crate) fn steady(self, kind: Kind, pods: usize) -> Plan {
        let rollouts = [-6.0, 10.2, 33.7, 58.4, 81.5].map(|hour| hour * HOUR);
        let n = if kind == Kind::OnePodLeaks { 4 } else { 5 };
        Plan {
            pods,
            more: 0,
            days: 4.0,
            step: 300.0,
            since: 2,
            rollouts: rollouts[..n].to_vec(),
            gain: 0.3,
            evicted: 4.0 * DAY,
            garbage: (0.0, HOUR),
            ..self
        }
    }

    /// Every pod that runs until `days` have passed.
    pub(crate) fn run(&self, random: &mut Random) -> Vec<Read> {
        let n = (self.days * DAY / self.step) as usize;
        let phase = random.uniform(0.0, DAY);
        let mut wander = Wander::of(self.lasts[0], self.step, random);
        let load: Vec<f64> = (0..n)
            .map(|at| {
                let day = (TAU * (at as f64 * self.step - phase) / DAY).sin();
                self.noise[0] * day + self.noise[1] * wander.next(random)
            })
            .collect();
        let mut running: Vec<Process> = Vec::new();
        let mut done: Vec<Process> = Vec::new();
        let mut started = 0;
        let mut version = 0;
        let mut pending: Vec<(f64, usize)> = Vec::new();
        for (at, load_now) in load.iter().enumerate() {
            let now = at as f64 * self.step;
            while self.rollouts.get(version + 1).is_some_and(|rollout| *rollout <= now) {
                version += 1;
                // One pod after another, each within a minute or three.
                let pace = random.uniform(30.0, 180.0);
                pending.extend(running.iter().enumerate().map(|(n, process)| (now + pace * n as f64, process.number)));
            }
            let day = 0.5 + 0.5 * (TAU * (now - phase) / DAY).sin();
            let wanted = self.pods + (self.more as f64 * day).round() as usize;
            let gone: Vec<usize> = pending.iter().filter(|(due, _)| *due <= now).map(|(_, number)| *number).collect();
            pending.retain(|(due, _)| *due > now);
            let is_gone = |process: &Process| gone.contains(&process.number);
            for process in running.iter().filter(|process| is_gone(process)) {
                done.push(process.clone());
            }
            running.retain(|process| !is_gone(process));
            if at > 0 && random.chance(running.len() as f64 * self.step / self.evicted) && self.pods > 1 {
                let evicted = random.whole(0..running.len().max(1));
                if evicted < running.len() {
                    done.push(running.remove(evicted));
                }
            }
            // The youngest goes first.
            while running.len() > wanted {
                done.extend(running.pop());
            }
            while running.len() < wanted {
                let age = if at == 0 { now - self.rollouts[0] } else { 0.0 };
                running.push(self.process(started, version, now - age, random));
                started += 1;
            }
            for process in &mut running {
                let bytes = self.bytes(process, now, *load_now, random);
                if !random.chance(0.003) {
                    process.samples.push(
                        START_MS + (now * 1000.0) as i64,
                        bytes.round(),
                        4096.0,
                        leaktrend_core::series::Marks::default(),
                    );
                }
            }
        }
        done.extend(running);
        done.sort_by_key(|process| process.number);
        done.into_iter().filter_map(Process::read).collect()
    }

    fn process(&self, number: usize, version: usize, start: f64, random: &mut Random) -> Process {
        let leaks = match self.kind {
            Kind::Healthy => false,
            Kind::Leaks | Kind::Slow(_) => true,
            Kind::LeaksSinceVersion => version >= self.since,
            Kind::OnePodLeaks => self.is_first_of_last(start),
        };
        Process {
            number,
            version,
            start,
            leaks,
            level: self.level * (1.0 + 0.03 * random.normal()),
            answers: 1.0 + 0.15 * random.normal(),
            wander: Wander::of(self.lasts[1], self.step, random),
            garbage: random.uniform(0.0, 1.0),
            samples: Samples::default(),
        }
    }

    /// Whether a pod is the first that the last rollout starts.
    fn is_first_of_last(&self, start: f64) -> bool {
        let last = self.rollouts[self.rollouts.len() - 1];
        last <= start && start < last + self.step + 30.0
    }

    fn bytes(&self, process: &mut Process, now: f64, load: f64, random: &mut Random) -> f64 {
        let age = now - process.start;
        let filled = 1.0 - (1.0 - self.start.0) * (-age / self.start.1).exp();
        process.garbage = (process.garbage + self.step / self.garbage.1 * (1.0 + load)).fract();
        let gain = if process.leaks { self.gain * age / DAY } else { 0.0 };
        let shares = load * process.answers
            + self.noise[2] * process.wander.next(random)
            + self.noise[3] * random.normal()
            + self.garbage.0 * process.garbage;
        process.level * (filled + gain + shares).max(0.05)
    }
}

#[derive(Clone)]
struct Process {
    number: usize,
    version: usize,
    start: f64,
    leaks: bool,
    level: f64,
    /// How much of the load shows in it.
    answers: f64,
    wander: Wander,
    garbage: f64,
    samples: Samples,
}

impl Process {
    fn read(self) -> Option<Read> {
        let info = SeriesInfo {
            id: format!("web-{}-{}", self.version, self.number),
            labels: Labels::new(),
            container_given: true,
            limit: None,
            metric: Metric::WorkingSet,
            sampling: Sampling::Raw,
        };
        Some(Read { series: MemorySeries::new(info, self.samples)?, version: self.version, leaks: self.leaks })
    }
}

/// Noise of variance 1 that lasts for a time.
#[derive(Clone)]
struct Wander {
    carry: f64,
    value: f64,
}

impl Wander {
    fn of(lasts: f64, step: f64, random: &mut Random) -> Wander {
        Wander { carry: (-step / lasts).exp(), value: random.normal() }
    }

    fn next(&mut self, random: &mut Random) -> f64 {
        self.value = self.carry * self.value + (1.0 - self.carry * self.carry).sqrt() * random.normal();
        self.value
    }
}
