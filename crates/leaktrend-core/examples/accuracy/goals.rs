//! What is asked of verdicts on the labelled corpora, in windows of a week and more and in shorter ones apart.

use std::collections::BTreeMap;

use leaktrend_core::units::DAY;
use leaktrend_core::verdict::Verdict;
use rayon::prelude::*;

use crate::corpora::{CORPORA, Corpus, Place, Role};
use crate::tables::rate;
use crate::verdicts::measure;

/// A series with what was said of it.
#[derive(Clone, Copy)]
pub(crate) struct Judged {
    pub(crate) place: Place,
    pub(crate) verdict: Verdict,
}

/// What a verdict amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Leak,
    Clear,
    Undecided,
}

/// What is asked of one kind of windows, as shares.
struct Goal {
    windows: &'static str,
    long: bool,
    /// At least this share of the leaks is found.
    recall: f64,
    /// At most this share of the healthy is called a leak.
    false_calls: f64,
    /// At most this share of all is left open.
    undecided: f64,
}

const GOALS: [Goal; 2] = [
    Goal { windows: "7 d and more", long: true, recall: 0.96, false_calls: 0.005, undecided: 0.15 },
    Goal { windows: "shorter", long: false, recall: 0.85, false_calls: 0.01, undecided: 0.45 },
];
/// At most this share of the walks is called a leak.
const WALKS: f64 = 0.05;
/// Families that are named as the worst.
const WORST: usize = 8;

/// Makes and judges every series of a corpus, `each` of a family and sampling; of all families or those named.
pub(crate) fn judged(corpus: usize, each: u64, seed: u64, only: &[String]) -> Vec<Judged> {
    let places: Vec<Place> = Place::all(corpus, each)
        .filter(|place| only.is_empty() || only.iter().any(|name| name == place.family().name))
        .collect();
    places
        .into_par_iter()
        .map(|place| {
            let series = place.make(seed, 1);
            let verdict = measure(&series.observed(0..series.len())).judge(None).verdict;
            Judged { place, verdict }
        })
        .collect()
}

impl Judged {
    /// Growth that is cut, without evidence of restarts, and growth seen for less than two days may be only suspected;
    /// on a healthy series a suspicion leaves it open.
    pub(crate) fn call(&self) -> Call {
        let short = self.place.sampling().span < 2.0 * DAY;
        let may_be_suspected = self.place.leaks() && (short || self.place.family().role == Role::CutLeak);
        match self.verdict {
            verdict if verdict.is_leak() => Call::Leak,
            Verdict::LeakSuspected if may_be_suspected => Call::Leak,
            Verdict::LeakSuspected | Verdict::Inconclusive => Call::Undecided,
            _ => Call::Clear,
        }
    }

    fn is_long(&self) -> bool {
        self.place.sampling().span >= 7.0 * DAY
    }

    /// A leak that is not found, a healthy series that is called one or left open.
    fn is_bad(&self) -> bool {
        if self.place.leaks() { self.call() != Call::Leak } else { self.call() != Call::Clear }
    }
}

/// Prints the rates beside what is asked, and the families in which they are worst.
pub(crate) fn print(judged: &[Judged]) {
    println!("| corpus | windows | series | leaks found | healthy called leaks | undecided | precision |");
    println!("|---|---|---|---|---|---|---|");
    let mut worst = Vec::new();
    for (index, corpus) in CORPORA.iter().enumerate() {
        let of: Vec<&Judged> = judged.iter().filter(|one| one.place.corpus == index).collect();
        for goal in &GOALS {
            let part: Vec<&Judged> =
                of.iter().copied().filter(|one| one.is_long() == goal.long && one.place.family().counts()).collect();
            if !part.is_empty() {
                row(corpus, goal, &part);
                worst.push(format!("| {} | {} | {} |", corpus.name, goal.windows, worst_of(&part)));
            }
        }
        let walks: Vec<&&Judged> = of.iter().filter(|one| one.place.family().role == Role::Walk).collect();
        if !walks.is_empty() {
            let called = walks.iter().filter(|one| one.call() == Call::Leak).count();
            let called = beside(called, walks.len(), "<=", WALKS);
            println!("| {} | all, walks only | {} | - | {called} | - | - |", corpus.name, walks.len());
        }
    }
    println!(
        "\n| corpus | windows | worst families: leaks not found, healthy called leaks or left open, in per cent |"
    );
    println!("|---|---|---|\n{}", worst.join("\n"));
}

fn row(corpus: &Corpus, goal: &Goal, of: &[&Judged]) {
    let count =
        |leaks: bool, call: Call| of.iter().filter(|one| one.place.leaks() == leaks && one.call() == call).count();
    let leaks = of.iter().filter(|one| one.place.leaks()).count();
    let (found, false_calls) = (count(true, Call::Leak), count(false, Call::Leak));
    let undecided = count(true, Call::Undecided) + count(false, Call::Undecided);
    println!(
        "| {} | {} | {} | {} | {} | {} | {} |",
        corpus.name,
        goal.windows,
        of.len(),
        beside(found, leaks, ">=", goal.recall),
        beside(false_calls, of.len() - leaks, "<=", goal.false_calls),
        beside(undecided, of.len(), "<=", goal.undecided),
        rate(found, found + false_calls),
    );
}

/// A rate beside what is asked of it.
fn beside(hits: usize, of: usize, relation: &str, goal: f64) -> String {
    format!("{}, asked {relation} {}", rate(hits, of), (1000.0 * goal).round() / 10.0)
}

/// The families with the largest shares of bad verdicts.
fn worst_of(of: &[&Judged]) -> String {
    let mut families: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for one in of {
        let (bad, all) = families.entry(one.place.family().name).or_default();
        *bad += usize::from(one.is_bad());
        *all += 1;
    }
    let mut shares: Vec<(f64, &str)> =
        families.into_iter().map(|(name, (bad, all))| (100.0 * bad as f64 / all as f64, name)).collect();
    shares.sort_by(|a, b| b.0.total_cmp(&a.0));
    let worst: Vec<String> =
        shares.iter().take(WORST).filter(|(bad, _)| *bad > 0.0).map(|(bad, name)| format!("{name} {bad:.0}")).collect();
    worst.join(", ")
}

/// Prints for each family and sampling how many per cent fail, are warned of, are left open and pass.
pub(crate) fn print_families(judged: &[Judged]) {
    println!("| family | sampling | series | fail | warn | inconclusive | pass | most frequent verdict |");
    println!("|---|---|---|---|---|---|---|---|");
    for of in judged.chunk_by(|a, b| {
        (a.place.corpus, a.place.family, a.place.sampling) == (b.place.corpus, b.place.family, b.place.sampling)
    }) {
        let share = |among: fn(Verdict) -> bool| {
            100.0 * of.iter().filter(|one| among(one.verdict)).count() as f64 / of.len() as f64
        };
        let times = |verdict: Verdict| of.iter().filter(|one| one.verdict == verdict).count();
        let frequent = Verdict::ALL.iter().copied().max_by_key(|verdict| times(*verdict)).expect("there are verdicts");
        println!(
            "| {} | {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {} |",
            of[0].place.family().name,
            of[0].place.sampling().name,
            of.len(),
            share(Verdict::is_leak),
            share(|verdict| matches!(verdict, Verdict::LeakSuspected | Verdict::Step)),
            share(|verdict| verdict == Verdict::Inconclusive),
            share(Verdict::proves_no_leak),
            frequent.name(),
        );
    }
}
