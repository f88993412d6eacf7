//! Simulated services: requests of several kinds, and the memory that they take, hold and keep.

use std::f64::consts::TAU;

use leaktrend_core::causes::{CauseSource, Covariate, Covariates, Measure};
use leaktrend_core::series::{Labels, Marks, MemorySeries, Metric, Samples, Sampling, SeriesInfo};
use leaktrend_core::units::{DAY, MIB};

use crate::random::Random;

/// What the memory of a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// One kind of request keeps memory.
    OneLeak,
    /// Two kinds do.
    TwoLeaks,
    /// Every request does, whatever its kind.
    EveryRequest,
    /// Memory grows by the clock.
    Clock,
    /// Connections hold memory, and become more.
    Gauge,
    /// Nothing leaks.
    Healthy,
    /// Nothing leaks; memory follows one kind of request, or a level that does not grow.
    Follows,
    /// A kind leaks whose requests are in no log.
    Hidden,
}

impl Family {
    pub(crate) const ALL: [Family; 8] = [
        Family::OneLeak,
        Family::TwoLeaks,
        Family::EveryRequest,
        Family::Clock,
        Family::Gauge,
        Family::Healthy,
        Family::Follows,
        Family::Hidden,
    ];
}

/// How a service is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) family: Family,
    pub(crate) kinds: usize,
    /// Standard deviation of the logarithm of each kind's share of the traffic.
    pub(crate) drift: f64,
    pub(crate) length: Length,
    pub(crate) restarts: bool,
    pub(crate) collector: bool,
    pub(crate) delay: bool,
}

/// A window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Length {
    pub(crate) name: &'static str,
    pub(crate) step: f64,
    pub(crate) samples: usize,
}

pub(crate) const LENGTHS: [Length; 3] = [
    Length { name: "6 h at 15 s", step: 15.0, samples: 1440 },
    Length { name: "24 h at 1 min", step: 60.0, samples: 1440 },
    Length { name: "7 d at 5 min", step: 300.0, samples: 2016 },
];
/// When every service begins, in milliseconds.
pub(crate) const START_MS: i64 = 1_790_000_000_000;
pub(crate) const KINDS: [usize; 5] = [2, 4, 8, 20, 60];
pub(crate) const DRIFTS: [f64; 5] = [0.05, 0.1, 0.3, 0.6, 0.8];

impl Setting {
    pub(crate) fn of(seed: u64) -> Setting {
        let random = &mut Random::of(seed, 1);
        // Of those with a cause twice as many.
        let families =
            [&Family::ALL[..], &[Family::OneLeak, Family::OneLeak, Family::TwoLeaks, Family::Gauge]].concat();
        Setting {
            family: families[random.whole(0..families.len())],
            kinds: KINDS[random.whole(0..KINDS.len())],
            drift: random.one_of(&DRIFTS),
            length: LENGTHS[random.whole(0..LENGTHS.len())],
            restarts: random.chance(0.4),
            collector: random.chance(0.4),
            delay: random.chance(0.3),
        }
    }
}

/// A service with what is true of it.
pub(crate) struct Service {
    pub(crate) series: MemorySeries,
    pub(crate) covariates: Covariates,
    /// What makes memory grow, and bytes per unit.
    pub(crate) causes: Vec<(CauseSource, f64)>,
    pub(crate) delay: f64,
    /// Growth of memory that its causes explain, at every sample.
    pub(crate) kept: Vec<f64>,
    /// Level of runs, start-up, load in flight: what is no leak and no noise.
    pub(crate) known: Vec<f64>,
    /// The same by parts, each as a shape: a level for each run, the start-up, what is in flight.
    pub(crate) parts: Vec<Vec<f64>>,
    /// What is neither.
    pub(crate) noise: Vec<f64>,
    /// First samples of runs after the first.
    pub(crate) cuts: Vec<usize>,
}

/// Of AR(1) noise with standard deviation `sd`.
fn wander(n: usize, phi: f64, sd: f64, random: &mut Random) -> Vec<f64> {
    let fresh = sd * (1.0 - phi * phi).sqrt();
    let mut value = sd * random.normal();
    let step = |_| {
        value = phi * value + fresh * random.normal();
        value
    };
    (0..n).map(step).collect()
}

/// Counts of one kind, of which `mean` a second are expected at a load of 1.
fn counts(load: &[f64], step: f64, mean: f64, drift: f64, random: &mut Random) -> Vec<f64> {
    let hours = random.uniform(0.5, 4.0);
    let shares = wander(load.len(), (-step / (3600.0 * hours)).exp(), drift, random);
    let one = |(load, share): (&f64, f64)| {
        let expected = mean * step * load * share.exp();
        if expected < 40.0 { random.poisson(expected) } else { (expected + expected.sqrt() * random.normal()).round() }
    };
    load.iter().zip(shares).map(one).collect()
}

/// How many have come since the start of the run, `delay` samples ago.
pub(crate) fn since_start(counts: &[f64], cuts: &[usize], delay: usize) -> Vec<f64> {
    let (mut sum, mut run, mut next) = (0.0, 0, 0);
    let usual = counts.iter().sum::<f64>() / counts.len() as f64;
    let one = |index| {
        if next < cuts.len() && cuts[next] <= index {
            (sum, run, next) = (0.0, cuts[next], next + 1);
        }
        sum += match index.checked_sub(delay) {
            Some(then) if run <= then => counts[then],
            None if run == 0 => usual,
            _ => 0.0,
        };
        sum
    };
    (0..counts.len()).map(one).collect()
}

/// What memory is beside causes and noise, by parts without their sizes. `start_up`: its size and its time constant.
fn parts(cuts: &[usize], (start_up, step): ((f64, f64), f64), others: [&[f64]; 2]) -> Vec<Vec<f64>> {
    let n = others[0].len();
    let edges: Vec<usize> = [0].into_iter().chain(cuts.iter().copied()).chain([n]).collect();
    let within = |edge: &[usize]| (0..n).map(|at| f64::from(u8::from((edge[0]..edge[1]).contains(&at)))).collect();
    let mut parts: Vec<Vec<f64>> = edges.windows(2).map(within).collect();
    if start_up.0 > 0.0 && !cuts.is_empty() {
        let cold = |at: usize| {
            let start = cuts.iter().rev().find(|cut| **cut <= at);
            start.map_or(0.0, |start| (-((at - start) as f64) * step / start_up.1).exp())
        };
        parts.push((0..n).map(cold).collect());
    }
    parts.extend(others.into_iter().filter(|other| other.iter().any(|value| *value > 0.0)).map(<[f64]>::to_vec));
    parts
}

#[expect(clippy::too_many_lines, reason = "one part of a service after another")]
pub(crate) fn simulate(setting: &Setting, seed: u64) -> Service {
    let random = &mut Random::of(seed, 2);
    let Setting { family, kinds, drift, length: Length { step, samples: n, .. }, .. } = *setting;
    let span = n as f64 * step;
    let (swing, phase) = (random.uniform(0.2, 0.7), random.uniform(0.0, TAU));
    let load: Vec<f64> = (0..n).map(|at| 1.0 + swing * (TAU * at as f64 * step / DAY + phase).sin()).collect();
    let total = random.uniform(300.0, 4000.0) / 60.0;
    let zipf = random.uniform(0.7, 1.2);
    let weights: Vec<f64> = (1..=kinds + 1).map(|rank| (rank as f64).powf(-zipf)).collect();
    let sum: f64 = weights.iter().sum();
    // The kind after the last is in no log; it is as busy as some other.
    let hidden = random.whole(0..kinds);
    let of_kind: Vec<Vec<f64>> = (0..=kinds)
        .map(|kind| weights[if kind == kinds { hidden } else { kind }] / sum)
        .map(|share| counts(&load, step, total * share, drift, random))
        .collect();
    let mut all = vec![0.0; n];
    of_kind[..kinds].iter().for_each(|counts| all.iter_mut().zip(counts).for_each(|(all, count)| *all += count));
    let all_mean = all.iter().sum::<f64>() / n as f64;

    let mut cuts = if setting.restarts {
        let count = random.whole(1..6);
        random.several(count, &(n / 20..n - n / 20))
    } else {
        Vec::new()
    };
    let mut before = 0;
    cuts.retain(|cut| {
        let is_apart = before + n / 20 <= *cut;
        before = if is_apart { *cut } else { before };
        is_apart
    });
    let delay = if setting.delay { random.uniform(300.0, 2400.0f64.min(span / 12.0)) } else { 0.0 };
    let late = (delay / step).round() as usize;

    let base = random.uniform(150.0, 600.0) * MIB;
    let rise = base * random.uniform(0.2, 0.8);
    let in_flight = base * random.uniform(0.05, 0.3) * 0.5;
    let mut smooth = all_mean;
    let flight: Vec<f64> = all
        .iter()
        .map(|count| {
            smooth = 0.5 * smooth + 0.5 * count;
            in_flight * smooth / all_mean
        })
        .collect();

    // A level, which is logged in half of the cases where it means nothing.
    let grows = if family == Family::Gauge { random.uniform(0.5, 2.0) } else { 0.0 };
    let usual_level = random.uniform(20.0, 400.0);
    let rough = wander(n, (-step / 3600.0).exp(), random.uniform(0.05, 0.25), random);
    let mut since = 0;
    let level: Vec<f64> = (0..n)
        .map(|at| {
            since = if cuts.contains(&at) { at } else { since };
            let grown = grows * (at - since) as f64 / n as f64;
            (usual_level * (grown + load[at] * rough[at].exp())).round()
        })
        .collect();
    let follows_level = family == Family::Follows && random.chance(0.4);
    let is_level_logged = family == Family::Gauge || follows_level || random.chance(0.5);

    let mut kept = vec![0.0; n];
    let mut causes = Vec::new();
    let mut keep = |counts: &[f64], rise: f64, random: &mut Random| {
        let each = rise / counts.iter().sum::<f64>().max(1.0);
        // Requests keep more or less: an exponential amount each.
        let sizes: Vec<f64> = counts.iter().map(|count| each * (count + count.sqrt() * random.normal())).collect();
        let sums = since_start(&sizes, &cuts, late);
        kept.iter_mut().zip(sums).for_each(|(kept, sum)| *kept += sum);
        // What they kept in this window, rather than what they would on average.
        sizes.iter().sum::<f64>() / counts.iter().sum::<f64>().max(1.0)
    };
    match family {
        Family::OneLeak | Family::TwoLeaks => {
            let leaking = random.several(if family == Family::OneLeak { 1 } else { 2 }, &(0..kinds));
            for kind in leaking {
                let share = if family == Family::OneLeak { 1.0 } else { random.uniform(0.4, 1.0) };
                let each = keep(&of_kind[kind], share * rise, random);
                causes.push((CauseSource::Covariate(kind), each));
            }
        }
        Family::EveryRequest => {
            let each = keep(&all, rise, random);
            causes.push((CauseSource::AllRequests, each));
        }
        Family::Clock => {
            let each = keep(&vec![1e6; n], rise, random);
            causes.push((CauseSource::Clock, each * 1e6 / step));
        }
        Family::Gauge => {
            let each = rise / (grows * usual_level);
            kept.iter_mut().zip(&level).for_each(|(kept, level)| *kept += each * level);
            causes.push((CauseSource::Covariate(kinds), each));
        }
        Family::Hidden => {
            keep(&of_kind[kinds], rise, random);
        }
        Family::Healthy | Family::Follows => {}
    }

    let followed = random.whole(0..kinds);
    let follows: Vec<f64> = if family == Family::Follows {
        let followed = if follows_level { &level } else { &of_kind[followed] };
        let mean = (followed.iter().sum::<f64>() / n as f64).max(1e-9);
        let amount = base * random.uniform(0.1, 0.4);
        let mut smooth = mean;
        // Some is in flight, some is cached for a while.
        let keeping = if follows_level { 0.0 } else { (-step / random.uniform(2.0, 7.5).exp()).exp() };
        followed
            .iter()
            .map(|count| {
                smooth = keeping * smooth + (1.0 - keeping) * count;
                amount * smooth / mean
            })
            .collect()
    } else {
        vec![0.0; n]
    };
    let start_up = if random.chance(0.5) { (0.4 * base, span * random.uniform(0.003, 0.03)) } else { (0.0, 1.0) };
    let (mut since, mut is_first, mut of_run) = (0, true, base);
    let known: Vec<f64> = (0..n)
        .map(|at| {
            if cuts.contains(&at) {
                (since, is_first, of_run) = (at, false, base * (1.0 + 0.01 * random.normal()));
            }
            let cold = if is_first { 0.0 } else { start_up.0 * (-((at - since) as f64) * step / start_up.1).exp() };
            of_run - cold + flight[at] + follows[at]
        })
        .collect();

    let parts = parts(&cuts, (start_up, step), [&flight, &follows]);

    let sd = random.uniform(1.0, 8.0) * MIB;
    let phi = random.one_of(&[0.0, 0.5, 0.8, 0.95]);
    let mut noise = wander(n, phi, sd, random);
    if setting.collector {
        let most = base * random.uniform(0.05, 0.25);
        let per_request = most * random.uniform(10.0, 60.0) / (all_mean * n as f64);
        let jitter = random.one_of(&[0.0, 0.1, 0.3]);
        let (mut garbage, mut at_most) = (0.0, most);
        for at in 0..n {
            garbage += per_request * all[at];
            if at_most <= garbage || cuts.contains(&at) {
                garbage = if random.chance(0.1) { random.uniform(0.1, 0.4) * garbage } else { 0.0 };
                at_most = most * (1.0 + jitter * random.uniform(-1.0, 1.0));
            }
            noise[at] += garbage;
        }
    }

    let mut samples = Samples::default();
    let resolution = 0.1 * MIB;
    for at in 0..n {
        let marks = if cuts.contains(&at) { Marks::RECREATED } else { Marks::default() };
        let value = ((known[at] + kept[at] + noise[at]) / resolution).round().max(0.0) * resolution;
        // A reading is of the end of its bin. One in a hundred is missing.
        if marks != Marks::default() || !random.chance(0.01) {
            samples.push(START_MS + ((at + 1) as f64 * step * 1000.0) as i64, value, resolution, marks);
        }
    }
    let info = SeriesInfo {
        id: "service".to_owned(),
        labels: Labels::new(),
        limit: None,
        metric: Metric::DockerUsage,
        container_given: false,
        sampling: Sampling::Raw,
    };
    let mut each: Vec<Covariate> =
        of_kind.into_iter().take(kinds).map(|values| Covariate { measure: Measure::Requests, values }).collect();
    if is_level_logged {
        each.push(Covariate { measure: Measure::Level, values: level });
    }
    Service {
        series: MemorySeries::new(info, samples).expect("most readings are there"),
        covariates: Covariates::new(START_MS, (step * 1000.0) as i64, each).expect("counts are counts"),
        causes,
        delay: late as f64 * step,
        kept,
        known,
        parts,
        noise,
        cuts,
    }
}
