//! How often the cause of growth is named right, measured on simulated services.
//!
//! `cargo run --release -p leaktrend-core --example causes -- [SERVICES] [--seed N] [--tell]` simulates so many
//! services (2,000) with requests of several kinds, and prints shares by what they are like; `--tell` prints every
//! answer that was wrong, and every cause that could have been named and was not. `--onsets` does it for growth that
//! begins with a change, or without one.

mod onset_oracle;
mod onsets;
mod oracle;
#[path = "../accuracy/generator/random.rs"]
#[allow(dead_code, reason = "another example uses all of it")]
mod random;
mod score;
mod service;
mod tables;

use rayon::prelude::*;

use score::{Outcome, outcome};
use service::Setting;

/// The seed of the published table.
const SEED: u64 = 20_261;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| arguments.iter().position(|one| one == name).and_then(|at| arguments.get(at + 1));
    let number = |text: &String| text.parse::<u64>().ok();
    let services = arguments.first().and_then(number).unwrap_or(2000);
    let seed = after("--seed").and_then(number).unwrap_or(SEED);
    let only = after("--only");
    if arguments.iter().any(|one| one == "--onsets") {
        onsets::print(services, seed);
        return;
    }
    let first = after("--from").and_then(number).unwrap_or(0);
    let outcomes: Vec<Outcome> = (first..first + services)
        .into_par_iter()
        .map(|index| (seed << 32) + index)
        .map(|seed| (Setting::of(seed), seed))
        .filter(|(setting, _)| only.is_none_or(|only| *only == format!("{:?}", setting.family)))
        .map(|(setting, seed)| outcome(&setting, seed))
        .collect();
    if arguments.iter().any(|one| one == "--tell") {
        tables::tell(&outcomes);
    }
    tables::print(&outcomes);
}
