//! The report of what was measured, as Markdown.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use leaktrend_core::verdict::Verdict;

use crate::corpora::CORPORA;
use crate::generator::{Mechanism, PHI, SAMPLINGS};
use crate::thinning::Changes;
use crate::{Level, Outcome, peers};

/// A leak whose limit is ahead.
pub(crate) struct ToLimit {
    pub(crate) mechanism: Mechanism,
    pub(crate) sampling: usize,
    /// Whether the interval holds the time at which growth reaches the limit.
    pub(crate) covered: bool,
    /// Whether the interval has an upper end.
    pub(crate) bounded: bool,
}

/// Many series judged together.
pub(crate) struct Fleet {
    pub(crate) of_leaks: usize,
    pub(crate) called: usize,
    pub(crate) found: usize,
    pub(crate) false_calls: usize,
}

/// A rate with its 95 % interval (Wilson 1927), in per cent.
pub(crate) fn rate(hits: usize, of: usize) -> String {
    if of == 0 {
        return "-".to_owned();
    }
    let (n, p, z) = (of as f64, hits as f64 / of as f64, 1.96f64);
    let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / (1.0 + z * z / n);
    format!("{:.1} ({:.1} to {:.1})", 100.0 * p, 100.0 * (centre - half).max(0.0), 100.0 * (centre + half).min(1.0))
}

/// The rate of those for which the answer is known.
fn known_rate(answers: impl Iterator<Item = Option<bool>>) -> String {
    let known: Vec<bool> = answers.flatten().collect();
    format!("{} of {}", rate(known.iter().filter(|yes| **yes).count(), known.len()), known.len())
}

/// Prints the report. `share`: of all series.
pub(crate) fn print(outcomes: &[Outcome], levels: &[Level], limits: &[ToLimit], fleets: &[Vec<Fleet>; 2], share: f64) {
    let counted: Vec<&Outcome> = outcomes.iter().filter(|outcome| SAMPLINGS[outcome.sampling].counts()).collect();
    let argument = if share == 1.0 { String::new() } else { format!(" -- {share}") };
    println!("# How often verdicts are right\n");
    println!(
        "{} generated series from fixed seeds, judged with the default settings: noise white or AR(1) with 0.3 to 0.95, or a random walk; 1 % of the readings missing; as docker prints them; no limits, and nothing beside the values except where a restart is called known (a new container ID).",
        outcomes.len()
    );
    println!("Made by `cargo run --release -p leaktrend-core --example accuracy{argument}`.");
    println!("Rates are per cent with their 95 % interval, over samplings with 288 readings and more.");
    println!(
        "How often the cause of growth is named right stands in [causes.md](causes.md), the kind of memory in [parts.md](parts.md).\n"
    );
    mechanisms(&counted);
    noise(&counted);
    beside_peers(&counted);
    claims(&counted, levels, limits, fleets);
    samplings(outcomes);
}

fn mechanisms(counted: &[&Outcome]) {
    println!("| mechanism | leaks | series | called a leak | inconclusive | most frequent verdicts |");
    println!("|---|---|---|---|---|---|");
    for mechanism in Mechanism::ALL {
        let of: Vec<&&Outcome> = counted.iter().filter(|one| one.mechanism == mechanism).collect();
        let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
        of.iter().for_each(|one| *verdicts.entry(one.verdict.name()).or_default() += 1);
        let mut verdicts: Vec<(&str, usize)> = verdicts.into_iter().collect();
        verdicts.sort_by_key(|(name, count)| (Reverse(*count), *name));
        let frequent: Vec<String> = verdicts.iter().take(4).map(|(name, count)| format!("{name} {count}")).collect();
        println!(
            "| {} | {} | {} | {} | {} | {} |",
            mechanism.name(),
            if mechanism.leaks() { "yes" } else { "no" },
            of.len(),
            rate(of.iter().filter(|one| one.verdict.is_leak()).count(), of.len()),
            rate(of.iter().filter(|one| one.verdict == Verdict::Inconclusive).count(), of.len()),
            frequent.join(", ")
        );
    }
}

fn noise(counted: &[&Outcome]) {
    println!("\n## By the noise\n");
    println!("| coefficient | level called a leak | level inconclusive | leak found | leak inconclusive |");
    println!("|---|---|---|---|---|");
    for phi in PHI {
        let cells = [Mechanism::Flat, Mechanism::Linear].map(|mechanism| {
            let of: Vec<&&Outcome> =
                counted.iter().filter(|one| one.mechanism == mechanism && one.phi == phi).collect();
            let called = rate(of.iter().filter(|one| one.verdict.is_leak()).count(), of.len());
            let open = rate(of.iter().filter(|one| one.verdict == Verdict::Inconclusive).count(), of.len());
            format!("{called} | {open}")
        });
        println!("| {phi} | {} |", cells.join(" | "));
    }
}

fn beside_peers(counted: &[&Outcome]) {
    println!("\n## Beside what people use\n");
    println!("On the same series.\n");
    println!("| rule | precision | leaks found | healthy called leaks | undecided |\n|---|---|---|---|---|");
    let row = |name: &str, calls: &dyn Fn(&Outcome) -> bool, undecided: &str| {
        let called: Vec<&&Outcome> = counted.iter().filter(|one| calls(one)).collect();
        let right = called.iter().filter(|one| one.mechanism.leaks()).count();
        let leaks = counted.iter().filter(|one| one.mechanism.leaks()).count();
        println!(
            "| {name} | {} | {} | {} | {undecided} |",
            rate(right, called.len()),
            rate(right, leaks),
            rate(called.len() - right, counted.len() - leaks)
        );
    };
    let undecided = counted.iter().filter(|one| one.verdict == Verdict::Inconclusive).count();
    row("leaktrend", &|one| one.verdict.is_leak(), &rate(undecided, counted.len()));
    for (index, name) in peers::NAMES.iter().enumerate() {
        row(name, &move |one: &Outcome| one.peers[index], "-");
    }
}

fn claims(counted: &[&Outcome], levels: &[Level], limits: &[ToLimit], fleets: &[Vec<Fleet>; 2]) {
    println!("\n## Whether its claims hold\n");
    println!("| claim | rate |\n|---|---|");
    for (mechanism, multiple) in [
        (Mechanism::Linear, 1.0),
        (Mechanism::WarmUpThenLeak, 1.0),
        (Mechanism::LeakUnderCollections, 1.0),
        (Mechanism::LeakUnderDaily, 1.0),
        (Mechanism::OneKnownRestart, 1.0),
        (Mechanism::Linear, 1.5),
        (Mechanism::WarmUpThenLeak, 1.5),
        (Mechanism::LeakUnderCollections, 1.5),
        (Mechanism::LeakUnderDaily, 1.5),
        (Mechanism::OneKnownRestart, 1.5),
    ] {
        let of = levels.iter().filter(|one| one.mechanism == mechanism && one.multiple == multiple);
        let known = known_rate(of.filter(|one| SAMPLINGS[one.sampling].counts()).map(|one| Some(one.claimed)));
        println!("| growth of {multiple} times what matters is claimed to be less ({}) | {known} |", mechanism.name());
    }
    for mechanism in Mechanism::ALL {
        let of = || counted.iter().filter(move |one| one.mechanism == mechanism);
        if of().any(|one| one.covered.is_some()) {
            let known = known_rate(of().map(|one| one.covered));
            println!("| the 90 % interval of growth holds the true rate ({}) | {known} |", mechanism.name());
        }
    }
    println!("| ... all of them | {} |", known_rate(counted.iter().map(|one| one.covered)));
    let ahead = || limits.iter().filter(|one| SAMPLINGS[one.sampling].counts());
    for mechanism in [Mechanism::Linear, Mechanism::Late, Mechanism::WarmUpThenLeak, Mechanism::LeakUnderDaily] {
        let known = known_rate(ahead().filter(|one| one.mechanism == mechanism).map(|one| Some(one.covered)));
        println!("| the 90 % interval of the time to the limit holds the true time ({}) | {known} |", mechanism.name());
    }
    println!("| ... all of them | {} |", known_rate(ahead().map(|one| Some(one.covered))));
    println!("| ... and has an upper end | {} |", known_rate(ahead().map(|one| Some(one.bounded))));
    let open = |one: &&Outcome| one.suffices.map(|suffices| suffices && one.verdict == Verdict::Inconclusive);
    let enough = counted.iter().filter(|one| one.suffices == Some(true)).map(open);
    println!("| inconclusive although the power formula says that the data suffice | {} |", known_rate(enough));
    println!(
        "| measuring for as long as an inconclusive verdict says decides | {} |",
        known_rate(counted.iter().map(|one| one.forecast))
    );
    for mechanism in Mechanism::ALL {
        let of = || counted.iter().filter(move |one| one.mechanism == mechanism);
        if of().filter(|one| one.forecast.is_some()).count() >= 5 {
            println!("| ... {} | {} |", mechanism.name(), known_rate(of().map(|one| one.forecast)));
        }
    }
    for (fleets, walks) in fleets.iter().zip(["none of them random walks", "one healthy one in eight a random walk"]) {
        let sum = |of: fn(&Fleet) -> usize| fleets.iter().map(of).sum::<usize>();
        let (false_calls, called) = (sum(|fleet| fleet.false_calls), sum(|fleet| fleet.called));
        println!(
            "| false among the leaks found in {} fleets of 1,000 series, 5 % of them leaks, {walks} | {} of {called} |",
            fleets.len(),
            rate(false_calls, called)
        );
        let (found, leaks) = (sum(|fleet| fleet.found), sum(|fleet| fleet.of_leaks));
        println!("| leaks found in them | {} of {leaks} |", rate(found, leaks));
    }
}

fn samplings(outcomes: &[Outcome]) {
    println!("\n## Called a leak, by sampling\n");
    print!("| mechanism |");
    SAMPLINGS.iter().for_each(|sampling| print!(" {} |", sampling.name));
    println!("\n|---|{}", "---|".repeat(SAMPLINGS.len()));
    for mechanism in Mechanism::ALL {
        print!("| {} |", mechanism.name());
        for sampling in 0..SAMPLINGS.len() {
            let of: Vec<&Outcome> =
                outcomes.iter().filter(|one| one.mechanism == mechanism && one.sampling == sampling).collect();
            if of.is_empty() {
                print!(" - |");
            } else {
                print!(
                    " {:.0} |",
                    100.0 * of.iter().filter(|one| one.verdict.is_leak()).count() as f64 / of.len() as f64
                );
            }
        }
        println!();
    }
}

/// Prints for each corpus how many verdicts thinning changed.
pub(crate) fn thinning(changes: &[Changes]) {
    println!(
        "| corpus | series | surer, asked <= 2 % | less sure, asked more than surer | from pass to fail or back, asked none |"
    );
    println!("|---|---|---|---|---|");
    for (corpus, changes) in CORPORA.iter().zip(changes) {
        let of = |count: usize| rate(count, changes.series);
        println!(
            "| {} | {} | {} | {} | {} |",
            corpus.name,
            changes.series,
            of(changes.surer),
            of(changes.less_sure),
            of(changes.turned)
        );
    }
}
