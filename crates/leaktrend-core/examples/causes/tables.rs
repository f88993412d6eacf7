//! Outcomes as tables in Markdown.

use crate::score::{Outcome, Truth};
use crate::service::{DRIFTS, Family, KINDS, LENGTHS};

/// Prints all tables.
pub(crate) fn print(outcomes: &[Outcome]) {
    let all: Vec<&Outcome> = outcomes.iter().collect();
    let family = |family: Family| move |one: &&Outcome| one.setting.family == family;
    println!("{} simulated services.\n", outcomes.len());
    head("family");
    for each in Family::ALL {
        row(&format!("{each:?}"), all.iter().copied().filter(family(each)));
    }
    row("all", all.iter().copied());
    head("kinds");
    for kinds in KINDS {
        row(&kinds.to_string(), all.iter().copied().filter(|one| one.setting.kinds == kinds));
    }
    head("drift of the mix");
    for drift in DRIFTS {
        row(&format!("{:.0} %", 100.0 * drift), all.iter().copied().filter(|one| one.setting.drift == drift));
    }
    head("window");
    for length in LENGTHS {
        row(length.name, all.iter().copied().filter(|one| one.setting.length == length));
    }
    head("");
    for (name, is) in [
        ("with restarts", (|one| one.setting.restarts) as fn(&&Outcome) -> bool),
        ("without restarts", |one| !one.setting.restarts),
        ("with a collector", |one| one.setting.collector),
        ("without a collector", |one| !one.setting.collector),
        ("with a delay of 5 to 40 min", |one| one.setting.delay),
        ("without delay", |one| !one.setting.delay),
        ("plain: no restarts, collector, delay", |one| {
            !one.setting.restarts && !one.setting.collector && !one.setting.delay
        }),
    ] {
        row(name, all.iter().copied().filter(is));
    }
    by_gap(&all);
    let seconds = |one: &Outcome| one.cpu.as_secs_f64();
    let of_60: Vec<f64> = all.iter().filter(|one| one.setting.kinds == 60).map(|one| seconds(one)).collect();
    let most = of_60.iter().copied().fold(0.0, f64::max);
    let mean = of_60.iter().sum::<f64>() / of_60.len().max(1) as f64;
    println!("\nNaming among 60 kinds takes {mean:.3} s (most {most:.3} s) of wall time.");
}

/// By how far a cause can be distinguished from everything else.
fn by_gap(outcomes: &[&Outcome]) {
    println!("\n| expected gap in BIC | one leak named right | one of two leaks | a level |\n|---|---|---|---|");
    for (least, most) in
        [(f64::NEG_INFINITY, 6.0), (6.0, 12.0), (12.0, 20.0), (20.0, 30.0), (30.0, 60.0), (60.0, f64::INFINITY)]
    {
        let of = |family: Family| {
            let services = outcomes.iter().filter(move |one| one.setting.family == family);
            let truths: Vec<&Truth> =
                services.flat_map(|one| &one.truths).filter(|truth| least <= truth.gap && truth.gap < most).collect();
            format!("{}/{}", truths.iter().filter(|truth| truth.is_named).count(), truths.len())
        };
        let [one, two, level] = [Family::OneLeak, Family::TwoLeaks, Family::Gauge].map(of);
        println!("| {least:.0} to {most:.0} | {one} | {two} | {level} |");
    }
}

fn head(name: &str) {
    println!(
        "\n| {name} | services | causes | identifiable | of these named right | at best | of the others named right | in the set | wrong | none named where no covariate leaks | 90 % interval holds | median error |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
}

fn row<'a>(name: &str, outcomes: impl Iterator<Item = &'a Outcome>) {
    let outcomes: Vec<&Outcome> = outcomes.collect();
    let truths: Vec<&Truth> =
        outcomes.iter().filter(|one| one.setting.family != Family::Clock).flat_map(|one| &one.truths).collect();
    let (can, cannot): (Vec<&Truth>, Vec<&Truth>) = truths.iter().copied().partition(|truth| truth.is_identifiable());
    let share = |of: usize, among: usize| {
        if among == 0 { "–".to_owned() } else { format!("{:.1} % ({of}/{among})", 100.0 * of as f64 / among as f64) }
    };
    let named = |truths: &[&Truth]| share(truths.iter().filter(|truth| truth.is_named).count(), truths.len());
    let unnamed: Vec<&&Truth> = truths.iter().filter(|truth| !truth.is_named).collect();
    let in_set = unnamed.iter().filter(|truth| truth.is_in_set).count();
    let quiet: Vec<&&Outcome> =
        outcomes.iter().filter(|one| matches!(one.setting.family, Family::Healthy | Family::Follows)).collect();
    let covered: Vec<bool> = truths.iter().filter_map(|truth| truth.is_covered).collect();
    let mut errors: Vec<f64> = truths.iter().filter_map(|truth| truth.ratio).map(|ratio| (ratio - 1.0).abs()).collect();
    errors.sort_by(f64::total_cmp);
    println!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        outcomes.len(),
        truths.len(),
        can.len(),
        named(&can),
        share(can.iter().filter(|truth| truth.is_ideal).count(), can.len()),
        named(&cannot),
        share(in_set, unnamed.len()),
        share(outcomes.iter().filter(|one| one.is_wrong).count(), outcomes.len()),
        share(quiet.iter().filter(|one| !one.is_named).count(), quiet.len()),
        share(covered.iter().filter(|covered| **covered).count(), covered.len()),
        errors.get(errors.len() / 2).map_or("–".to_owned(), |error| format!("{:.1} %", 100.0 * error)),
    );
}

/// Prints what went wrong.
pub(crate) fn tell(outcomes: &[Outcome]) {
    for (index, one) in outcomes.iter().enumerate() {
        let missed: Vec<f64> = one
            .truths
            .iter()
            .filter(|truth| truth.is_identifiable() && !truth.is_named)
            .map(|truth| truth.gap)
            .collect();
        if one.is_wrong || !missed.is_empty() {
            println!("{index} {:?} wrong {} missed with gaps {missed:.0?}", one.setting, one.is_wrong);
            for cause in &one.said {
                println!(
                    "    {:?} {:?} named {} margin {:.1} share {:.2?} delay {} set {:?}",
                    cause.source,
                    cause.how,
                    cause.is_named,
                    cause.margin,
                    cause.share_of_growth,
                    cause.delay_seconds,
                    cause.indistinguishable
                );
            }
        }
    }
}
