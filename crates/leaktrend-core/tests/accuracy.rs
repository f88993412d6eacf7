//! A slice of what `examples/accuracy` measures, with bounds that fail when verdicts get worse, not when a seed is odd.

#[allow(dead_code, reason = "the example uses all of it")]
#[path = "../examples/accuracy/generator/mod.rs"]
mod generator;
#[allow(dead_code, reason = "the example uses all of it")]
#[path = "../examples/accuracy/verdicts.rs"]
mod verdicts;

use generator::{Mechanism, Rise, SAMPLINGS, generate, observed};
use leaktrend_core::units::DAY;
use leaktrend_core::verdict::Verdict;
use rayon::prelude::*;

/// Series of each mechanism and sampling.
const EACH: u64 = 8;
/// The samplings that are cheap, from a day to a month.
const CHEAP: [&str; 3] = ["5m-24h", "5m-7d", "15m-30d"];

struct Outcome {
    leaks: bool,
    /// Whether the window is shorter than two days.
    short: bool,
    verdict: Verdict,
    /// Whether the interval of growth holds the true rate, of series that have one.
    covered: Option<bool>,
}

fn outcomes() -> Vec<Outcome> {
    let cells: Vec<(Mechanism, usize, u64)> = Mechanism::ALL
        .into_iter()
        .flat_map(|mechanism| (0..SAMPLINGS.len()).map(move |sampling| (mechanism, sampling)))
        .filter(|(mechanism, sampling)| {
            CHEAP.contains(&SAMPLINGS[*sampling].name) && mechanism.fits(&SAMPLINGS[*sampling])
        })
        .flat_map(|(mechanism, sampling)| (0..EACH).map(move |index| (mechanism, sampling, index)))
        .collect();
    cells
        .into_par_iter()
        .map(|(mechanism, sampling, index)| {
            // Seeds that the published table does not use.
            let seed = 7 << 60 | (mechanism as u64) << 40 | (sampling as u64) << 32 | index;
            let generated = generate(mechanism, Rise::Large, &SAMPLINGS[sampling], 1.0, seed);
            let judgement = verdicts::measure(&observed(&generated, seed)).judge(None);
            let even = matches!(mechanism, Mechanism::Flat | Mechanism::Linear | Mechanism::Late);
            let covered = judgement
                .growth
                .filter(|_| even)
                .map(|growth| growth.lower <= generated.slope && generated.slope <= growth.upper);
            Outcome {
                leaks: mechanism.leaks(),
                short: SAMPLINGS[sampling].span < 2.0 * DAY,
                verdict: judgement.verdict,
                covered,
            }
        })
        .collect()
}

#[test]
fn verdicts_are_as_right_as_the_published_table_says() {
    let outcomes = outcomes();
    let share = |of: fn(&Outcome) -> bool, among: fn(&Outcome) -> bool| {
        let among: Vec<&Outcome> = outcomes.iter().filter(|one| among(one)).collect();
        among.iter().filter(|one| of(one)).count() as f64 / among.len() as f64
    };
    // In a day the swing of the load cannot be excluded: flatter growth may only be suspected.
    let found =
        share(|one| one.verdict.is_leak() || (one.short && one.verdict == Verdict::LeakSuspected), |one| one.leaks);
    let false_alarms = share(|one| one.verdict.is_leak(), |one| !one.leaks);
    let undecided = share(|one| one.verdict == Verdict::Inconclusive, |_| true);
    let covered = share(|one| one.covered == Some(true), |one| one.covered.is_some());

    assert!(found >= 0.93, "of the leaks {found} are found");
    assert!(false_alarms <= 0.03, "of the healthy series {false_alarms} are called leaks");
    assert!(undecided <= 0.2, "{undecided} are inconclusive");
    assert!((0.8..=0.99).contains(&covered), "the 90 % interval holds the true rate in {covered}");
}
