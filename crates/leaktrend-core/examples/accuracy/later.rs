//! Whether claims come true: what a window was called, and what memory did in a second one as long.

use leaktrend_core::stats::{Points, theil_sen};
use leaktrend_core::units::DAY;
use rayon::prelude::*;

use crate::corpora::{CORPORA, Labelled, Place};
use crate::tables::rate;
use crate::verdicts::measure;

/// Windows of these lengths are told apart, in seconds.
const LENGTHS: [(f64, &str); 4] = [(DAY / 4.0, "6 h"), (DAY, "24 h"), (7.0 * DAY, "7 d"), (30.0 * DAY, "30 d")];
/// The lower envelope of a window: the least of each of so many parts.
const PARTS: usize = 24;
/// Growth goes on when it makes more than this share of what was predicted.
const GOES_ON: f64 = 0.5;
/// The share of windows that leak where claims are weighed as they are met, rather than as they are made here.
const LEAKING: f64 = 0.05;
/// What is asked of the share of claims that come true, in per cent.
const ASKED: usize = 80;

/// A window, and what became of it.
pub(crate) struct Window {
    place: Place,
    /// What grew in the next window, as a share of what was predicted; `None` where no leak was called.
    grown: Option<f64>,
}

/// The first windows of these series, and what became of those that were called a leak.
pub(crate) fn windows(each: u64, seed: u64) -> Vec<Window> {
    let places: Vec<Place> = (0..CORPORA.len()).flat_map(|corpus| Place::all(corpus, each)).collect();
    places.into_par_iter().map(|place| Window { place, grown: grown(place, seed) }).collect()
}

fn grown(place: Place, seed: u64) -> Option<f64> {
    let series = place.make(seed, 2);
    let n = series.len() / 2;
    let judgement = measure(&series.observed(0..n)).judge(None);
    let growth = judgement.growth.filter(|_| judgement.verdict.is_leak())?;
    let predicted = growth.bytes_per_second * place.sampling().span;
    let actual = if place.leaks() { series.lost[2 * n - 1] - series.lost[n - 1] } else { envelope_rise(&series, n) };
    Some(actual / predicted)
}

/// How much the lower envelope of the second window rises, by a robust line, in bytes.
fn envelope_rise(series: &Labelled, n: usize) -> f64 {
    let parts = (0..PARTS).filter_map(|part| {
        let of = n + part * n / PARTS..n + (part + 1) * n / PARTS;
        let least = of.filter_map(|index| series.bytes(index)).min_by(f64::total_cmp)?;
        Some((part as f64, least))
    });
    let (x, y): (Vec<f64>, Vec<f64>) = parts.unzip();
    let slope = Points::new(&x, &y).and_then(theil_sen::slope).expect("outages are shorter than a part");
    slope * PARTS as f64
}

/// Prints by the length of the window how many claims come true.
pub(crate) fn print(windows: &[Window]) {
    println!(
        "| window | leaks called a leak | healthy called a leak | goes on by more than half of what was predicted | ... of leaks | ... of healthy | ... where one in twenty leaks |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (span, name) in LENGTHS {
        let [leaks, healthy] = [true, false].map(|leaks| {
            let of = || windows.iter().filter(|one| one.place.sampling().span == span && one.place.leaks() == leaks);
            let grown = || of().filter_map(|window| window.grown);
            Part {
                windows: of().count(),
                called: grown().count(),
                goes_on: grown().filter(|grown| *grown > GOES_ON).count(),
            }
        });
        let as_met = |count: fn(&Part) -> usize| {
            let share = |part: &Part| count(part) as f64 / part.windows as f64;
            LEAKING * share(&leaks) + (1.0 - LEAKING) * share(&healthy)
        };
        println!(
            "| {name} | {} | {} | {}, asked >= {ASKED} | {} | {} | {:.1} |",
            rate(leaks.called, leaks.windows),
            rate(healthy.called, healthy.windows),
            rate(leaks.goes_on + healthy.goes_on, leaks.called + healthy.called),
            rate(leaks.goes_on, leaks.called),
            rate(healthy.goes_on, healthy.called),
            100.0 * as_met(|part| part.goes_on) / as_met(|part| part.called),
        );
    }
}

/// The windows of one length that leak, or do not.
struct Part {
    windows: usize,
    /// Of them, those that were called a leak.
    called: usize,
    /// Of these, those after which growth went on.
    goes_on: usize,
}
