//! Simulated services that are changed (deployed) now and then, and whose memory grows from one change on, or from some
//! other moment.

use std::f64::consts::TAU;
use std::time::Instant;

use leaktrend_core::Terms;
use leaktrend_core::causes::{self, Onset};
use leaktrend_core::segment;
use leaktrend_core::series::{Labels, Marks, MemorySeries, Metric, Samples, Sampling, SeriesInfo};
use leaktrend_core::units::{DAY, MIB};
use rayon::prelude::*;

use crate::onset_oracle::{self, Left};
use crate::random::Random;
use crate::service::{LENGTHS, Length, START_MS};

const CHANGES: [usize; 5] = [1, 2, 5, 10, 20];

/// What began growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Began {
    /// One of the changes.
    Change,
    /// None of them.
    Nothing,
    /// It was there all along.
    Before,
}

struct Outcome {
    began: Began,
    n_changes: usize,
    length: Length,
    /// Whether changes restart the process.
    restarts: bool,
    onset: Option<Onset>,
    /// That of someone who knows all but the moment and the rate, and of someone who does not know the level and how much
    /// the load takes either.
    at_best: [Option<Onset>; 2],
    /// The true moment, in seconds from the first sample.
    truth: f64,
    /// The index of the change that it is.
    right: Option<usize>,
    seconds: f64,
}

impl Outcome {
    fn named(&self) -> Option<usize> {
        self.onset.as_ref()?.changes.iter().position(|change| change.is_named)
    }

    fn holds(&self) -> Option<bool> {
        let onset = self.onset.as_ref()?;
        Some(onset.lower <= self.truth && self.truth <= onset.upper)
    }

    fn inside(&self) -> usize {
        self.onset.as_ref().map_or(0, |onset| onset.changes.iter().filter(|change| change.is_inside).count())
    }
}

/// Simulates `services` services, and prints how often the right change is found.
pub(crate) fn print(services: u64, seed: u64) {
    let outcomes: Vec<Outcome> =
        (0..services).into_par_iter().map(|index| outcome((seed << 32) + (1 << 31) + index)).collect();
    println!("{services} simulated services.\n");
    head("growth began");
    for (name, began) in [
        ("with a change", Began::Change),
        ("with none of the changes", Began::Nothing),
        ("before the first reading", Began::Before),
    ] {
        row(name, outcomes.iter().filter(|one| one.began == began));
    }
    head("with a change, of");
    let with_change = || outcomes.iter().filter(|one| one.began == Began::Change);
    for n in CHANGES {
        row(&n.to_string(), with_change().filter(|one| one.n_changes == n));
    }
    for length in LENGTHS {
        row(length.name, with_change().filter(|one| one.length == length));
    }
    row("changes restart the process", with_change().filter(|one| one.restarts));
    row("they do not", with_change().filter(|one| !one.restarts));
    head("with none, of");
    let with_none = || outcomes.iter().filter(|one| one.began == Began::Nothing);
    for n in CHANGES {
        row(&n.to_string(), with_none().filter(|one| one.n_changes == n));
    }
    curve(&outcomes, |one| one.onset.as_ref(), "");
    curve(&outcomes, |one| one.at_best[0].as_ref(), ", by someone who knows all but the moment and the rate");
    let by = ", by someone who does not know the level and how much the load takes either";
    curve(&outcomes, |one| one.at_best[1].as_ref(), by);
    let seconds: f64 = outcomes.iter().map(|one| one.seconds).sum();
    println!("\nAn onset takes {:.3} s.", seconds / outcomes.len() as f64);
}

/// What is named from a probability on, right and wrong.
fn curve(outcomes: &[Outcome], onset: fn(&Outcome) -> Option<&Onset>, by: &str) {
    println!(
        "\n| named from a probability of{by} | right, of those alone in the interval | right, of all | wrong, where growth began with none | wrong, where with another |\n|---|---|---|---|---|"
    );
    let with_change = || outcomes.iter().filter(|one| one.began == Began::Change);
    let inside = |one: &Outcome| onset(one).map_or(0, |onset| onset.changes.iter().filter(|one| one.is_inside).count());
    for least in [0.0, 0.5, 0.7, 0.8, 0.85, causes::NAMED, 0.95, 0.98] {
        let named = |one: &Outcome| {
            let alone =
                (inside(one) == 1).then(|| onset(one)?.changes.iter().position(|change| change.is_inside))??;
            (least <= onset(one)?.changes[alone].probability).then_some(alone)
        };
        let rate = |of: usize, among: usize| format!("{:.1} % ({of}/{among})", 100.0 * of as f64 / among.max(1) as f64);
        let is_alone = |one: &&Outcome| {
            inside(one) == 1
                && one.right.is_some_and(|right| onset(one).is_some_and(|onset| onset.changes[right].is_inside))
        };
        let alone: Vec<&Outcome> = with_change().filter(is_alone).collect();
        let right = alone.iter().filter(|one| named(one).is_some()).count();
        let none = outcomes.iter().filter(|one| one.began == Began::Nothing);
        let wrong = none.clone().filter(|one| named(one).is_some()).count();
        let other = with_change().filter(|one| named(one).is_some_and(|index| Some(index) != one.right)).count();
        println!(
            "| {least} | {} | {} | {} | {} |",
            rate(right, alone.len()),
            rate(right, with_change().count()),
            rate(wrong, none.count()),
            rate(other, with_change().count())
        );
    }
}

fn head(name: &str) {
    println!(
        "\n| {name} | services | onset seen | 95 % interval holds it | width, median share of the window | alone in it: right, named | a set in it, the right one among them | named right | named wrong |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
}

fn row<'a>(name: &str, outcomes: impl Iterator<Item = &'a Outcome>) {
    let outcomes: Vec<&Outcome> = outcomes.collect();
    let share = |of: usize, among: usize| {
        if among == 0 { "–".to_owned() } else { format!("{:.1} % ({of}/{among})", 100.0 * of as f64 / among as f64) }
    };
    let seen: Vec<&&Outcome> = outcomes.iter().filter(|one| one.onset.is_some()).collect();
    let held = seen.iter().filter(|one| one.holds() == Some(true)).count();
    let mut widths: Vec<f64> = seen
        .iter()
        .filter_map(|one| {
            one.onset.as_ref().map(|onset| (onset.upper - onset.lower) / (one.length.step * one.length.samples as f64))
        })
        .collect();
    widths.sort_by(f64::total_cmp);
    let holds_right = |one: &Outcome| {
        one.right.is_some_and(|right| one.onset.as_ref().is_some_and(|onset| onset.changes[right].is_inside))
    };
    let alone = seen.iter().filter(|one| holds_right(one) && one.inside() == 1);
    let named_alone = alone.clone().filter(|one| one.named().is_some()).count();
    let set = seen.iter().filter(|one| holds_right(one) && one.inside() > 1).count();
    let right = outcomes.iter().filter(|one| one.named().is_some() && one.named() == one.right).count();
    let wrong = outcomes.iter().filter(|one| one.named().is_some() && one.named() != one.right).count();
    println!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |",
        outcomes.len(),
        share(seen.len(), outcomes.len()),
        if outcomes.first().is_some_and(|one| one.began == Began::Before) {
            "–".to_owned()
        } else {
            share(held, seen.len())
        },
        widths.get(widths.len() / 2).map_or("–".to_owned(), |width| format!("{:.1} %", 100.0 * width)),
        share(named_alone, alone.count()),
        share(set, seen.len()),
        share(right, outcomes.len()),
        share(wrong, outcomes.len()),
    );
}

fn outcome(seed: u64) -> Outcome {
    let random = &mut Random::of(seed, 1);
    let began = random.one_of(&[0.0, 0.0, 1.0, 2.0]);
    let began = if began == 0.0 {
        Began::Change
    } else if began == 1.0 {
        Began::Nothing
    } else {
        Began::Before
    };
    let length = LENGTHS[random.whole(0..LENGTHS.len())];
    let n_changes = CHANGES[random.whole(0..CHANGES.len())];
    let restarts = random.chance(0.5);
    let (n, step) = (length.samples, length.step);
    let mut changes = random.several(n_changes, &(n / 50..n - n / 50));
    changes.sort_unstable();
    let inner: Vec<usize> = (0..changes.len()).filter(|index| (n / 10..n - n / 6).contains(&changes[*index])).collect();
    let right = (began == Began::Change && !inner.is_empty()).then(|| inner[random.whole(0..inner.len())]);
    let began = if began == Began::Change && right.is_none() { Began::Nothing } else { began };
    let start = match (began, right) {
        (_, Some(right)) => changes[right],
        (Began::Before, _) => 0,
        _ => random.whole(n / 10..n - n / 6),
    };

    let base = random.uniform(150.0, 600.0) * MIB;
    let per_sample = base * random.uniform(0.2, 0.8) / (n - start) as f64;
    let (swing, phase) = (random.uniform(0.2, 0.7), random.uniform(0.0, TAU));
    let in_flight = base * random.uniform(0.02, 0.1);
    let sd = random.uniform(1.0, 8.0) * MIB;
    let phi: f64 = random.one_of(&[0.0, 0.5, 0.8, 0.95]);
    let (mut noise, mut grown) = (0.0, 0.0);
    let (mut left, mut course) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let mut samples = Samples::default();
    for at in 0..n {
        let is_restart = restarts && changes.contains(&at);
        if is_restart {
            grown = 0.0;
        }
        grown += if start <= at { per_sample } else { 0.0 };
        noise = phi * noise + (1.0 - phi * phi).sqrt() * sd * random.normal();
        let load = 1.0 + swing * (TAU * at as f64 * step / DAY + phase).sin();
        let resolution = 0.1 * MIB;
        let used = ((base + in_flight * load + grown + noise) / resolution).round().max(0.0) * resolution;
        left.push(used - base - in_flight * load);
        course.push(load);
        let marks = if is_restart { Marks::RECREATED } else { Marks::default() };
        samples.push(START_MS + ((at + 1) as f64 * step * 1000.0) as i64, used, resolution, marks);
    }
    let info = SeriesInfo {
        id: "service".to_owned(),
        labels: Labels::new(),
        limit: None,
        metric: Metric::DockerUsage,
        container_given: false,
        sampling: Sampling::Raw,
    };
    let series = MemorySeries::new(info, samples).expect("there are readings");
    let cut = segment::cut(&series, None);
    // A change is made some seconds before the first reading that shows it.
    let times: Vec<f64> = changes.iter().map(|at| (*at as f64 - random.uniform(0.0, 1.0)) * step).collect();
    let truth = right.map_or(start as f64 * step, |right| times[right]);
    let clock = Instant::now();
    let onset = causes::onset(&cut, &series, &Terms::default(), 0.95, &times);
    let seconds = clock.elapsed().as_secs_f64();
    let restarts_at = if restarts { &changes[..] } else { &[] };
    let beside = [vec![1.0; n], course];
    let at_best = [&[][..], &beside].map(|beside| {
        let left = Left { values: &left, noise: (sd, phi), beside, restarts: restarts_at, step };
        onset_oracle::onset(&left, 0.95, &times)
    });
    Outcome { began, n_changes, length, restarts, onset, at_best, truth, right, seconds }
}
