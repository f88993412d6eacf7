//! Whether claims come true: what a window was called, and what memory did in a second one as long.

use leaktrend_core::stats::robust::median;
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
/// What is asked of the share of claims that come true, in per cent.
const ASKED: usize = 80;

/// A window that was called a leak.
pub(crate) struct Claim {
    place: Place,
    /// What grew in the next window, as a share of what was predicted.
    grown: f64,
}

/// The claims of a leak among the first windows of these series, and what became of them.
pub(crate) fn claims(each: u64, seed: u64) -> Vec<Claim> {
    let places: Vec<Place> = (0..CORPORA.len()).flat_map(|corpus| Place::all(corpus, each)).collect();
    places.into_par_iter().filter_map(|place| claim(place, seed)).collect()
}

fn claim(place: Place, seed: u64) -> Option<Claim> {
    let series = place.make(seed, 2);
    let n = series.len() / 2;
    let judgement = measure(&series.observed(0..n)).judge(None);
    let growth = judgement.growth.filter(|_| judgement.verdict.is_leak())?;
    let predicted = growth.bytes_per_second * place.sampling().span;
    let actual = if place.leaks() { series.lost[2 * n - 1] - series.lost[n - 1] } else { envelope_rise(&series, n) };
    Some(Claim { place, grown: actual / predicted })
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
pub(crate) fn print(claims: &[Claim]) {
    println!(
        "| window | called a leak | none of a leak | goes on by more than half of what was predicted | ... of leaks | growth as a share of what was predicted, median |"
    );
    println!("|---|---|---|---|---|---|");
    for (span, name) in LENGTHS {
        let of: Vec<&Claim> = claims.iter().filter(|claim| claim.place.sampling().span == span).collect();
        let leaks: Vec<&&Claim> = of.iter().filter(|claim| claim.place.leaks()).collect();
        let goes_on = |claim: &&Claim| claim.grown > GOES_ON;
        let shares: Vec<f64> = of.iter().map(|claim| claim.grown).collect();
        println!(
            "| {name} | {} | {} | {}, asked >= {ASKED} | {} | {:.2} |",
            of.len(),
            of.len() - leaks.len(),
            rate(of.iter().filter(|claim| goes_on(claim)).count(), of.len()),
            rate(leaks.iter().filter(|claim| goes_on(claim)).count(), leaks.len()),
            median(&shares).unwrap_or(f64::NAN),
        );
    }
}
