//! How often verdicts are right, measured on generated series: `reports/accuracy.md`.
//!
//! `cargo run --release -p leaktrend-core --example accuracy > reports/accuracy.md` makes and judges every series
//! with the default settings, without limits, from fixed seeds. A share as argument (`-- 0.05`) makes so many fewer.
//! Rules that people use instead are computed on the same series.
//!
//! `-- --goals [--seed N] [--each N] [--only FAMILY,FAMILY]` judges the labelled corpora alone, `N` series of each
//! family and sampling, and prints the rates beside what is asked of them; of families that are named, also what
//! became of each.

mod beside;
mod causes;
mod corpora;
mod generator;
mod goals;
mod later;
mod peers;
mod tables;
mod thinning;
mod verdicts;

use std::str::FromStr;

use corpora::{CORPORA, Place};
use generator::random::Random;
use generator::{Mechanism, Rise, SAMPLINGS, Sampling, generate, observed};
use leaktrend_core::stats::fdr;
use leaktrend_core::verdict::Verdict;
use rayon::prelude::*;
use verdicts::{claims_level, measure};

/// What came of one series.
#[derive(Clone, Copy)]
struct Outcome {
    mechanism: Mechanism,
    sampling: usize,
    phi: f64,
    verdict: Verdict,
    peers: [bool; 6],
    /// Whether the power formula says that the data suffice; `None` where it does not apply.
    suffices: Option<bool>,
    /// Whether the interval of growth holds the true rate; `None` where either is missing.
    covered: Option<bool>,
    /// Of an inconclusive one: whether measuring for as long as it says decides; `None` when it says that no
    /// reasonable time would.
    forecast: Option<bool>,
}

/// Series of each mechanism and sampling, behind a bound of 2 % or less and behind any other.
const TIGHT: u64 = 300;
const LOOSE: u64 = 150;
/// The seed of the corpora.
const SEED: u64 = 90_758;
/// Windows in a series that is measured longer, at most; a longer forecast is not checked.
const LONGEST: f64 = 12.0;

fn series_for(mechanism: Mechanism) -> u64 {
    match mechanism {
        Mechanism::Daily => TIGHT * 7 / 5,
        Mechanism::Collections
        | Mechanism::WarmUp
        | Mechanism::SlowWarmUp
        | Mechanism::OneStep
        | Mechanism::Spikes
        | Mechanism::Restarts
        | Mechanism::KnownRestarts
        | Mechanism::Load => TIGHT,
        Mechanism::LeakUnderDaily | Mechanism::NightlyRestarts => LOOSE * 7 / 3,
        _ => LOOSE,
    }
}

/// The growth that matters, in bytes per second; 0 where nothing could be measured.
fn tolerance_of(measured: &leaktrend_core::verdict::Measured) -> f64 {
    measured.stretch().map_or(0.0, |stretch| stretch.tolerance.bytes_per_second)
}

fn seed(mechanism: Mechanism, sampling: usize, index: u64) -> u64 {
    (mechanism as u64) << 40 | (sampling as u64) << 32 | index
}

/// The jobs of a table: every mechanism that a sampling can show, so many times.
fn jobs(mechanisms: &[Mechanism], count: impl Fn(Mechanism) -> u64) -> Vec<(Mechanism, usize, u64)> {
    mechanisms
        .iter()
        .flat_map(|&mechanism| (0..SAMPLINGS.len()).map(move |sampling| (mechanism, sampling)))
        .filter(|&(mechanism, sampling)| mechanism.fits(&SAMPLINGS[sampling]))
        .flat_map(|(mechanism, sampling)| (0..count(mechanism)).map(move |index| (mechanism, sampling, index)))
        .collect()
}

fn main() {
    let arguments = Arguments::read(std::env::args().skip(1));
    if arguments.goals {
        return print_goals(&arguments);
    }
    let share = arguments.share;
    let of = |count: u64| ((count as f64 * share).ceil() as u64).max(1);

    let outcomes: Vec<Outcome> = jobs(&Mechanism::ALL, |mechanism| of(series_for(mechanism)))
        .into_par_iter()
        .map(|(mechanism, sampling, index)| outcome(mechanism, sampling, seed(mechanism, sampling, index)))
        .collect();
    let at_tolerance = [
        Mechanism::Linear,
        Mechanism::WarmUpThenLeak,
        Mechanism::LeakUnderCollections,
        Mechanism::LeakUnderDaily,
        Mechanism::OneKnownRestart,
    ];
    let levels: Vec<Level> = [1.0, 1.5]
        .into_iter()
        .flat_map(|multiple| {
            jobs(&at_tolerance, |_| of(200))
                .into_par_iter()
                .map(|(mechanism, sampling, index)| {
                    let seed = seed(mechanism, sampling, index) ^ 1 << 60;
                    let verdict = growing_by_tolerance(mechanism, multiple, &SAMPLINGS[sampling], seed);
                    Level { mechanism, sampling, multiple, claimed: verdict.is_some_and(claims_level) }
                })
                .collect::<Vec<Level>>()
        })
        .collect();
    let limits: Vec<tables::ToLimit> =
        jobs(&[Mechanism::Linear, Mechanism::Late, Mechanism::WarmUpThenLeak, Mechanism::LeakUnderDaily], |_| of(150))
            .into_par_iter()
            .filter_map(|(mechanism, sampling, index)| {
                to_limit(mechanism, sampling, seed(mechanism, sampling, index) ^ 2 << 60)
            })
            .collect();
    let fleets = [false, true].map(|walks| (0..of(10)).map(|number| fleet(number, walks)).collect::<Vec<_>>());

    tables::print(&outcomes, &levels, &limits, &fleets, share);
    causes::print();
    print_corpora(of(20), arguments.seed);
}

/// The tables of the labelled corpora, `each` of a family and sampling.
fn print_corpora(each: u64, seed: u64) {
    let judged: Vec<goals::Judged> =
        (0..CORPORA.len()).flat_map(|corpus| goals::judged(corpus, each, seed, &[])).collect();
    println!("\n# On labelled corpora\n");
    println!(
        "Noise under a curve, other curves under other noise, and simulated services (`corpora` beside this program), {each} series of each family and sampling, in pages as an exporter gives them or as docker prints them, with scrapes that fail for a while. No limits and no restarts are told. Growth that restarts cut, and growth seen for less than two days, is found when it is suspected; a healthy series that is suspected is left open. Walks are counted apart, and leaks that are hardly detectable are not counted.\n"
    );
    goals::print(&judged);
    println!("\n## Beside what people use, on the corpora\n");
    println!("The rules know the limits, the program does not.\n");
    beside::print(&judged, &beside::beside(&judged, seed));
    println!("\n## Whether claims come true\n");
    println!(
        "Windows that are called a leak, walks and slow leaks included, and what grew in the next window, as long as the first: what the leak lost; where there is none, how the least of each 24th rises. Half of the series made here leak, and few of those met do: so the share of claims that come true is given for one in twenty, too.\n"
    );
    later::print(&later::windows(each, seed));
    println!("\n## With a third of the readings\n");
    println!("The same series with every third reading. To be left open, or suspected, is not to be sure.\n");
    let thinned = |corpus| thinning::changes(Place::all(corpus, each.div_ceil(2)).collect(), seed);
    tables::thinning(&(0..CORPORA.len()).map(thinned).collect::<Vec<_>>());
}

/// What is asked for on the command line.
struct Arguments {
    /// Of all series of the report.
    share: f64,
    /// Only the goals.
    goals: bool,
    seed: u64,
    /// Series of each family and sampling.
    each: u64,
    /// Families; empty for all.
    only: Vec<String>,
}

impl Arguments {
    /// What cannot be read ends the program with a message.
    fn read(mut words: impl Iterator<Item = String>) -> Arguments {
        fn number<T: FromStr>(option: &str, word: Option<String>) -> T {
            word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{option} takes a number"))
        }
        let mut read = Arguments { share: 1.0, goals: false, seed: SEED, each: 10, only: Vec::new() };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--goals" => read.goals = true,
                "--seed" => read.seed = number("--seed", words.next()),
                "--each" => read.each = number("--each", words.next()),
                "--only" => {
                    let names = words.next().expect("--only takes the names of families");
                    read.only = names.split(',').map(str::to_owned).collect();
                }
                _ => read.share = number("the share", Some(word)),
            }
        }
        read
    }
}

/// The goals alone, and family by family where only some are asked for.
fn print_goals(arguments: &Arguments) {
    let known = |name: &String| CORPORA.iter().any(|corpus| corpus.families.iter().any(|family| family.name == name));
    if let Some(unknown) = arguments.only.iter().find(|name| !known(name)) {
        panic!("there is no family {unknown}");
    }
    let judged: Vec<goals::Judged> = (0..CORPORA.len())
        .flat_map(|corpus| goals::judged(corpus, arguments.each, arguments.seed, &arguments.only))
        .collect();
    goals::print(&judged);
    if !arguments.only.is_empty() {
        println!();
        goals::print_families(&judged);
    }
}

fn outcome(mechanism: Mechanism, sampling: usize, seed: u64) -> Outcome {
    let sampled = &SAMPLINGS[sampling];
    let generated = generate(mechanism, Rise::Large, sampled, 1.0, seed);
    let series = observed(&generated, seed);
    let measured = measure(&series);
    let judgement = measured.judge(None);
    let seconds: Vec<f64> = series.time_ms().iter().map(|time| *time as f64 / 1000.0).collect();

    // 80 % power at 5 % to tell growth from none, and to tell none from what matters (Bartlett's long-run variance).
    let error = generated.long_run_sd / (sampled.len() as f64).sqrt();
    let relevant = tolerance_of(&measured) * sampled.span;
    let suffices = match mechanism {
        Mechanism::Flat => Some(relevant >= 10.1 * error),
        Mechanism::Linear => Some(generated.slope * sampled.span - relevant >= 8.6 * error),
        _ => None,
    };
    let known = matches!(mechanism, Mechanism::Flat | Mechanism::Spikes) || generated.slope > 0.0;
    let covered = judgement
        .growth
        .filter(|_| known && mechanism != Mechanism::OomKills)
        .map(|growth| growth.lower <= generated.slope && generated.slope <= growth.upper);
    let needed = judgement.detectable.and_then(|detectable| detectable.needed_seconds);
    let forecast = needed
        .map(|needed| 1.0 + needed / sampled.span)
        .filter(|windows| judgement.verdict == Verdict::Inconclusive && *windows <= LONGEST)
        .map(|windows| {
            let longer = generate(mechanism, Rise::Large, sampled, windows, seed);
            measure(&observed(&longer, seed)).judge(None).verdict != Verdict::Inconclusive
        });
    Outcome {
        mechanism,
        sampling,
        phi: generated.phi,
        verdict: judgement.verdict,
        peers: peers::call(&seconds, series.used_bytes(), None),
        suffices,
        covered,
        forecast,
    }
}

/// Growth at what matters, and whether it was claimed to be less.
struct Level {
    mechanism: Mechanism,
    sampling: usize,
    multiple: f64,
    claimed: bool,
}

/// A leak cut off before it reaches its limit, and when it does.
fn to_limit(mechanism: Mechanism, sampling: usize, seed: u64) -> Option<tables::ToLimit> {
    let sampled = &SAMPLINGS[sampling];
    let remaining = Random::of(seed, 6).uniform(0.1, 2.0);
    let whole = generate(mechanism, Rise::Large, sampled, 1.0 + 2.0 * remaining, seed);
    let (seen, ahead) = whole.noiseless.split_at(sampled.len());
    let limit = seen.iter().copied().fold(0.0, f64::max) + whole.slope * remaining * sampled.span;
    let reached = (seen.len() + ahead.iter().position(|level| *level >= limit)?) as f64 * sampled.step;

    let series = observed(&generate(mechanism, Rise::Large, sampled, 1.0, seed), seed);
    let measured = measure(&series);
    let judgement = measured.judge(None);
    let forecast = leaktrend_core::forecast::time_to_limit(limit, &measured, &judgement)?;
    let truth = reached - series.end_ms() as f64 / 1000.0;
    let covered = forecast.lower <= truth && forecast.upper.is_none_or(|upper| truth <= upper);
    Some(tables::ToLimit { mechanism, sampling, covered, bounded: forecast.upper.is_some() })
}

/// The verdict on a leak that grows by this multiple of what matters; `None` when the tolerance, which follows the
/// level, does not settle.
fn growing_by_tolerance(mechanism: Mechanism, multiple: f64, sampled: &Sampling, seed: u64) -> Option<Verdict> {
    let mut rise = 0.0;
    for _ in 0..8 {
        let generated = generate(mechanism, Rise::Bytes(rise), sampled, 1.0, seed);
        let measured = measure(&observed(&generated, seed));
        let wanted = multiple * tolerance_of(&measured) * sampled.span;
        if (wanted - rise).abs() <= 0.005 * wanted {
            return Some(measured.judge(None).verdict);
        }
        rise = wanted;
    }
    None
}

/// A thousand series, one in twenty of which leaks, judged together. `walks`: whether some of the others are random
/// walks.
fn fleet(number: u64, walks: bool) -> tables::Fleet {
    const HEALTHY: [Mechanism; 8] = [
        Mechanism::RandomWalk,
        Mechanism::Flat,
        Mechanism::Daily,
        Mechanism::WarmUp,
        Mechanism::OneStep,
        Mechanism::Spikes,
        Mechanism::Collections,
        Mechanism::Restarts,
    ];
    let sampling: &Sampling = SAMPLINGS.iter().find(|sampling| sampling.name == "5m-24h").expect("it is listed");
    let measured: Vec<(bool, leaktrend_core::verdict::Measured)> = (0..1000u64)
        .into_par_iter()
        .map(|index| {
            let leaks = index % 20 == 0;
            let healthy = &HEALTHY[usize::from(!walks)..];
            let mechanism = if leaks { Mechanism::Linear } else { healthy[(index % healthy.len() as u64) as usize] };
            let seed = number << 16 | index | 3 << 60;
            (leaks, measure(&observed(&generate(mechanism, Rise::Large, sampling, 1.0, seed), seed)))
        })
        .collect();
    // A series of the fleet always has enough samples to be tested.
    let p_values: Vec<f64> = measured.iter().map(|(_, measured)| measured.p_value().unwrap_or(1.0)).collect();
    let mut fleet = tables::Fleet { found: 0, of_leaks: 0, called: 0, false_calls: 0 };
    for ((leaks, measured), q_value) in measured.iter().zip(fdr::q_values(&p_values)) {
        let called = measured.judge(Some(q_value)).verdict.is_leak();
        fleet.of_leaks += usize::from(*leaks);
        fleet.called += usize::from(called);
        fleet.found += usize::from(called && *leaks);
        fleet.false_calls += usize::from(called && !leaks);
    }
    fleet
}
