//! Memory as programs make it, from seeds: twenty-two mechanisms under six kinds of noise.
//!
//! A series of one seed can be made longer, and begins with the same readings: so a forecast can be checked by going
//! on measuring. Every draw of a mechanism, of its noise, of each further window and of what is observed comes from
//! a generator of its own.

pub(crate) mod random;

use std::f64::consts::TAU;

use leaktrend_core::series::{Labels, Marks, MemorySeries, Metric, Samples, Sampling as Kind, SeriesInfo};
use leaktrend_core::units::{DAY, MIB, WrittenAmount, docker_text};

use random::Random;

/// How often and for how long memory is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sampling {
    /// Seconds between two readings.
    pub(crate) step: f64,
    /// Length of the window in seconds.
    pub(crate) span: f64,
    pub(crate) name: &'static str,
}

impl Sampling {
    /// Readings in a window.
    pub(crate) fn len(&self) -> usize {
        (self.span / self.step) as usize
    }

    /// Fewer readings are shown, but not counted in rates.
    pub(crate) fn counts(&self) -> bool {
        self.len() >= 288
    }
}

pub(crate) const fn every(step: f64, span: f64, name: &'static str) -> Sampling {
    Sampling { step, span, name }
}

pub(crate) const SAMPLINGS: [Sampling; 9] = [
    every(300.0, DAY / 4.0, "5m-6h"),
    every(900.0, DAY, "15m-24h"),
    every(15.0, DAY / 4.0, "15s-6h"),
    every(60.0, DAY / 4.0, "1m-6h"),
    every(60.0, DAY, "1m-24h"),
    every(300.0, DAY, "5m-24h"),
    every(300.0, 7.0 * DAY, "5m-7d"),
    every(900.0, 7.0 * DAY, "15m-7d"),
    every(900.0, 30.0 * DAY, "15m-30d"),
];

/// What makes memory move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mechanism {
    Flat,
    RandomWalk,
    Collections,
    Daily,
    WarmUp,
    SlowWarmUp,
    OneStep,
    Spikes,
    Restarts,
    KnownRestarts,
    Shrinking,
    Load,
    Linear,
    Late,
    WarmUpThenLeak,
    LeakUnderCollections,
    LeakUnderDaily,
    LeakThroughSpikes,
    Staircase,
    OomKills,
    NightlyRestarts,
    OneKnownRestart,
}

impl Mechanism {
    pub(crate) const ALL: [Mechanism; 22] = {
        use Mechanism::{
            Collections, Daily, Flat, KnownRestarts, Late, LeakThroughSpikes, LeakUnderCollections, LeakUnderDaily,
            Linear, Load, NightlyRestarts, OneKnownRestart, OneStep, OomKills, RandomWalk, Restarts, Shrinking,
            SlowWarmUp, Spikes, Staircase, WarmUp, WarmUpThenLeak,
        };
        [
            Flat,
            RandomWalk,
            Collections,
            Daily,
            WarmUp,
            SlowWarmUp,
            OneStep,
            Spikes,
            Restarts,
            KnownRestarts,
            Shrinking,
            Load,
            Linear,
            Late,
            WarmUpThenLeak,
            LeakUnderCollections,
            LeakUnderDaily,
            LeakThroughSpikes,
            Staircase,
            OomKills,
            NightlyRestarts,
            OneKnownRestart,
        ]
    };

    /// What the table calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Mechanism::Flat => "level",
            Mechanism::RandomWalk => "random walk",
            Mechanism::Collections => "garbage collections",
            Mechanism::Daily => "daily cycle",
            Mechanism::WarmUp => "warm-up",
            Mechanism::SlowWarmUp => "slow warm-up",
            Mechanism::OneStep => "one step",
            Mechanism::Spikes => "spikes",
            Mechanism::Restarts => "restarts",
            Mechanism::KnownRestarts => "restarts, known",
            Mechanism::Shrinking => "shrinking",
            Mechanism::Load => "load comes and goes",
            Mechanism::Linear => "leak",
            Mechanism::Late => "late leak",
            Mechanism::WarmUpThenLeak => "warm-up, then leak",
            Mechanism::LeakUnderCollections => "leak under garbage collections",
            Mechanism::LeakUnderDaily => "leak under a daily cycle",
            Mechanism::LeakThroughSpikes => "leak through spikes",
            Mechanism::Staircase => "staircase",
            Mechanism::OomKills => "leak cut by OOM kills",
            Mechanism::NightlyRestarts => "leak cut by nightly restarts",
            Mechanism::OneKnownRestart => "leak cut by one known restart",
        }
    }

    pub(crate) fn leaks(self) -> bool {
        self >= Mechanism::Linear
    }

    /// Whether the mechanism can be told in a window of this length.
    pub(crate) fn fits(self, sampling: &Sampling) -> bool {
        match self {
            Mechanism::Daily => sampling.span >= DAY,
            Mechanism::LeakUnderDaily => sampling.span >= 2.0 * DAY,
            Mechanism::NightlyRestarts => sampling.span >= 4.0 * DAY,
            _ => true,
        }
    }
}

/// How fast a leak grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rise {
    /// Three to six times what could be detected and what matters.
    Large,
    /// By so many bytes over the window.
    Bytes(f64),
}

/// The coefficients of the noise.
pub(crate) const PHI: [f64; 6] = [0.0, 0.3, 0.6, 0.8, 0.9, 0.95];

/// A series with what is true of it.
pub(crate) struct Generated {
    pub(crate) seconds: Vec<f64>,
    pub(crate) values: Vec<f64>,
    /// The same without noise and spikes.
    pub(crate) noiseless: Vec<f64>,
    /// Indices at which a new container took over, where that is known beside the values.
    pub(crate) recreated: Vec<usize>,
    /// The coefficient of its noise; 1 for a random walk.
    pub(crate) phi: f64,
    /// The rate at which it grows, of leaks that grow evenly, in bytes per second.
    pub(crate) slope: f64,
    /// The long-run standard deviation of the noise, in bytes.
    pub(crate) long_run_sd: f64,
}

/// A series of `windows` times the window of `sampling`.
pub(crate) fn generate(mechanism: Mechanism, rise: Rise, sampling: &Sampling, windows: f64, seed: u64) -> Generated {
    let random = &mut Random::of(seed, 1);
    let (step, span) = (sampling.step, sampling.span);
    let n = sampling.len();
    let whole = (n as f64 * windows) as usize;
    let base = random.uniform(80.0, 900.0) * MIB;
    let sd = base * random.uniform(0.002, 0.02);
    let phi = PHI[(random.next() % 6) as usize];
    // A walk that ends one to twenty standard deviations of the other noises away.
    let walk = (mechanism == Mechanism::RandomWalk).then(|| random.uniform(1.0, 20.0) / (n as f64).sqrt());
    let noise = noise(whole, if walk.is_some() { 1.0 } else { phi }, walk, &mut Random::of(seed, 2));
    let long_run_sd = sd * f64::sqrt(1.0 - phi * phi) / (1.0 - phi);

    let collected = 0.15 * base;
    let relevant = (0.05 * base).max(4.0 * MIB);
    let rise = match rise {
        // What is detected with a power of 80 % at 5 %.
        Rise::Large => 3.0 * (8.6 * long_run_sd / (n as f64).sqrt()).max(relevant) * random.uniform(1.0, 2.0),
        Rise::Bytes(bytes) => bytes,
    };
    let daily_phase = random.uniform(0.0, TAU);
    let onset = random.uniform(0.2, 0.6);
    let tau = match mechanism {
        Mechanism::SlowWarmUp => random.uniform(0.2, 0.5),
        Mechanism::WarmUpThenLeak => random.uniform(0.01, 0.06),
        _ => random.uniform(0.02, 0.12),
    };
    let warm = base * random.uniform(0.3, 1.0);
    let per_window = random.next();
    let cycles = random.uniform(10.0, 60.0);
    let jitter = [0.0, 0.1, 0.3][(random.next() % 3) as usize];
    let cuts = cuts(mechanism, sampling, windows, per_window, seed);
    let loads = loads(windows, seed);
    let cycle = (span / cycles).max(4.0 * step);
    let saw = sawtooth(cycle, jitter, whole as f64 * step, &mut Random::of(seed, 3));
    let runs_per_window = match mechanism {
        Mechanism::OomKills => 1.0 / cuts[0],
        _ => 1.0,
    };

    let (mut passed, mut tooth) = (0, 0);
    let seconds: Vec<f64> = (0..whole).map(|index| index as f64 * step).collect();
    let noiseless: Vec<f64> = (0..whole)
        .map(|index| {
            let x = index as f64 / n as f64;
            while passed < cuts.len() && cuts[passed] <= x {
                passed += 1;
            }
            while tooth + 1 < saw.len() && saw[tooth + 1].0 <= seconds[index] {
                tooth += 1;
            }
            let age = x - if passed == 0 { 0.0 } else { cuts[passed - 1] };
            let saw = collected * (saw[tooth].1 + (seconds[index] - saw[tooth].0) / cycle);
            let daily = 4.0 * sd * (TAU * seconds[index] / DAY + daily_phase).sin();
            base + match mechanism {
                Mechanism::Flat | Mechanism::RandomWalk | Mechanism::Spikes => 0.0,
                Mechanism::Collections => saw,
                Mechanism::Daily => daily,
                Mechanism::WarmUp | Mechanism::SlowWarmUp => warm * (1.0 - (-x / tau).exp()),
                Mechanism::OneStep => 0.3 * base * f64::from(u8::from(x >= cuts[0])),
                Mechanism::Restarts | Mechanism::KnownRestarts => -0.6 * base * (-age * span / (8.0 * step)).exp(),
                Mechanism::Shrinking => -rise.min(0.5 * base) * x,
                Mechanism::Load => 0.5 * base * f64::from(u8::from(loads.iter().any(|load| load.0 <= x && x < load.1))),
                Mechanism::Linear | Mechanism::LeakThroughSpikes => rise * x,
                Mechanism::Late => rise * (x - onset).max(0.0) / (1.0 - onset),
                Mechanism::WarmUpThenLeak => warm * (1.0 - (-x / tau).exp()) + rise * x,
                Mechanism::LeakUnderCollections => saw + rise * x,
                Mechanism::LeakUnderDaily => daily + rise * x,
                Mechanism::Staircase => rise * passed as f64 / (5 + per_window % 8) as f64,
                Mechanism::OomKills => 3.0 * base * age * runs_per_window,
                Mechanism::NightlyRestarts => rise.max(0.5 * base) * age * span / DAY,
                Mechanism::OneKnownRestart => rise * age,
            }
        })
        .collect();
    let mut values: Vec<f64> =
        noiseless.iter().zip(&noise).map(|(value, noise)| (value + sd * noise).max(MIB)).collect();

    if matches!(mechanism, Mechanism::Spikes | Mechanism::LeakThroughSpikes) {
        add_spikes(&mut values, n, base, &mut Random::of(seed, 4));
    }
    let known = matches!(mechanism, Mechanism::KnownRestarts | Mechanism::OneKnownRestart);
    let recreated = if known {
        cuts.iter().map(|cut| (cut * n as f64).ceil() as usize).filter(|at| *at < whole).collect()
    } else {
        Vec::new()
    };
    let slope = match mechanism {
        Mechanism::Linear
        | Mechanism::WarmUpThenLeak
        | Mechanism::LeakUnderCollections
        | Mechanism::LeakUnderDaily
        | Mechanism::LeakThroughSpikes
        | Mechanism::OneKnownRestart => rise / span,
        Mechanism::Late => rise / (1.0 - onset) / span,
        Mechanism::NightlyRestarts => rise.max(0.5 * base) / DAY,
        Mechanism::OomKills => 3.0 * base * runs_per_window / span,
        _ => 0.0,
    };
    let phi = if walk.is_some() { 1.0 } else { phi };
    Generated { seconds, values, noiseless, recreated, phi, slope, long_run_sd }
}

/// When load begins and ends in each window, in windows.
fn loads(windows: f64, seed: u64) -> Vec<(f64, f64)> {
    (0..windows.ceil() as u64)
        .map(|window| {
            let random = &mut Random::of(seed, 100 + window);
            let start = window as f64;
            (start + random.uniform(0.2, 0.4), start + random.uniform(0.55, 0.75))
        })
        .collect()
}

/// Eight spikes for each window of `n` readings, one to three readings wide, as high as 30 to 100 % of `base`.
fn add_spikes(values: &mut [f64], n: usize, base: f64, random: &mut Random) {
    let whole = values.len();
    for spike in 0..8 * whole / n {
        let at = ((spike as f64 + random.uniform(0.0, 1.0)) / 8.0 * n as f64) as usize;
        let width = 1 + (random.next() % 3) as usize;
        let height = base * random.uniform(0.3, 1.0);
        let end = (at + width).min(whole);
        values[at.min(end)..end].iter_mut().for_each(|value| *value += height);
    }
}

/// AR(1) noise of variance 1, or a walk with this standard deviation of a step.
fn noise(n: usize, phi: f64, walk: Option<f64>, random: &mut Random) -> Vec<f64> {
    let mut state = if walk.is_some() { 0.0 } else { random.normal() };
    let scale = walk.unwrap_or_else(|| f64::sqrt(1.0 - phi * phi));
    (0..n)
        .map(|_| {
            let now = state;
            state = phi * state + scale * random.normal();
            now
        })
        .collect()
}

/// Where runs are cut, or steps taken, in windows.
fn cuts(mechanism: Mechanism, sampling: &Sampling, windows: f64, per_window: u64, seed: u64) -> Vec<f64> {
    let window = |window: u64| -> Vec<f64> {
        let random = &mut Random::of(seed, 200 + window);
        match mechanism {
            Mechanism::OneStep if window == 0 => vec![random.uniform(0.2, 0.8)],
            Mechanism::OneKnownRestart if window == 0 => vec![random.uniform(0.25, 0.75)],
            Mechanism::Staircase => {
                let count = 5 + per_window % 8;
                (0..count).map(|k| (k as f64 + random.uniform(0.2, 0.8)) / count as f64).collect()
            }
            // Measured longer without a restart: a forecast is made on that condition.
            Mechanism::Restarts | Mechanism::KnownRestarts if window == 0 => {
                (0..3 + per_window % 6).map(|_| random.uniform(0.05, 0.95)).collect()
            }
            Mechanism::OomKills => {
                let runs = 4 + per_window % 5;
                (0..runs).map(|k| (k + 1) as f64 / runs as f64).collect()
            }
            Mechanism::NightlyRestarts => {
                let days = sampling.span / DAY;
                (0..days as usize).map(|k| (k as f64 + 0.125) / days).collect()
            }
            _ => Vec::new(),
        }
    };
    let mut cuts: Vec<f64> = (0..windows.ceil() as u64)
        .flat_map(|index| window(index).into_iter().map(move |cut| index as f64 + cut))
        .collect();
    cuts.sort_by(f64::total_cmp);
    cuts
}

/// The start of each cycle of collections, and what the one before left, as a share of what a cycle allocates: one
/// in ten collections is partial.
fn sawtooth(cycle: f64, jitter: f64, until: f64, random: &mut Random) -> Vec<(f64, f64)> {
    let mut starts = vec![(0.0, 0.0)];
    while let Some(&(start, _)) = starts.last().filter(|(start, _)| *start < until) {
        let next = start + cycle * (1.0 + jitter * random.uniform(-1.0, 1.0));
        let left = if random.uniform(0.0, 1.0) < 0.1 { random.uniform(0.2, 0.6) } else { 0.0 };
        starts.push((next, left));
    }
    starts
}

/// With 1 % of the readings missing, and as docker prints them.
pub(crate) fn observed(generated: &Generated, seed: u64) -> MemorySeries {
    let random = &mut Random::of(seed, 5);
    let mut samples = Samples::default();
    let mut recreated = generated.recreated.iter().copied().peekable();
    for (index, (time, value)) in generated.seconds.iter().zip(&generated.values).enumerate() {
        if random.uniform(0.0, 1.0) < 0.01 {
            continue;
        }
        let mut marks = Marks::default();
        // The first reading after a restart shows the new ID, whether or not the very next one was missed.
        while recreated.next_if(|at| *at <= index).is_some() {
            marks = Marks::RECREATED;
        }
        let amount: WrittenAmount = docker_text(*value).parse().expect("docker's text is an amount");
        samples.push((time * 1000.0) as i64, amount.bytes, amount.resolution, marks);
    }
    let info = SeriesInfo {
        id: "generated".to_owned(),
        labels: Labels::new(),
        limit: None,
        metric: Metric::DockerUsage,
        container_given: false,
        sampling: Kind::Raw,
    };
    MemorySeries::new(info, samples).expect("most readings are there")
}
