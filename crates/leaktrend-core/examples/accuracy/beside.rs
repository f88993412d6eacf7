//! Verdicts beside the rules that people use instead, on the labelled corpora.

use rayon::prelude::*;

use crate::corpora::{CORPORA, Place};
use crate::goals::{Call, Judged};
use crate::peers;
use crate::tables::rate;

/// A series with what each rule calls it.
pub(crate) struct Beside {
    place: Place,
    peers: [bool; 6],
}

/// What the rules call these series. They know the limits of containers, of which the verdicts are not told.
pub(crate) fn beside(judged: &[Judged], seed: u64) -> Vec<Beside> {
    let counted = judged.par_iter().filter(|one| one.place.family().counts());
    let called = counted.map(|one| {
        let made = one.place.make(seed, 1);
        let series = made.observed(0..made.len());
        let seconds: Vec<f64> = series.time_ms().iter().map(|time| *time as f64 / 1000.0).collect();
        Beside { place: one.place, peers: peers::call(&seconds, series.used_bytes(), Some(made.limit)) }
    });
    called.collect()
}

/// Prints for each corpus and rule how many leaks it finds and how many healthy series it calls leaks.
pub(crate) fn print(judged: &[Judged], beside: &[Beside]) {
    print!("| rule |");
    CORPORA.iter().for_each(|corpus| print!(" {0}: leaks found | {0}: healthy called leaks |", corpus.name));
    println!("\n|---|{}", "---|---|".repeat(CORPORA.len()));
    let row = |name: &str, calls: Vec<(Place, bool)>| {
        print!("| {name} |");
        for corpus in 0..CORPORA.len() {
            for leaks in [true, false] {
                let of = || calls.iter().filter(|(place, _)| place.corpus == corpus && place.leaks() == leaks);
                print!(" {} |", rate(of().filter(|(_, called)| *called).count(), of().count()));
            }
        }
        println!();
    };
    let counted = judged.iter().filter(|one| one.place.family().counts());
    row("leaktrend", counted.map(|one| (one.place, one.call() == Call::Leak)).collect());
    for (index, name) in peers::NAMES.iter().enumerate() {
        row(name, beside.iter().map(|one| (one.place, one.peers[index])).collect());
    }
}
