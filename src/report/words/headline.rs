//! The first line of a report: its outcome, and what it comes from.

use super::{came_back_after_load, gone_quietly, names, rate, time};
use crate::policy::{self, ExitCode, Outcome};
use crate::report::{Report, SeriesReport, StoppedInput};
use crate::units::duration_text;
use crate::verdict::{Growth, Verdict};

/// The outcome in words, and first of all what could not be done. `name` shows the id of a series.
pub fn headline(report: &Report, name: &dyn Fn(&str) -> String) -> String {
    let mut outcome = of_series(report, name, true);
    let gone = gone_quietly(report);
    if !gone.is_empty() {
        let verb = if gone.len() == 1 { "is" } else { "are" };
        outcome.push_str(&format!("; {} {verb} gone: {}", gone.len(), names(&gone, name)));
    }
    if !report.stopped.is_empty() {
        let stopped = stopped(report, name).join("; ");
        outcome = format!("{}: {stopped}. Until then: {outcome}", report.outcome.name().to_uppercase());
    }
    if report.outcome == Outcome::Error {
        return outcome;
    }
    let count = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let n_unusable = report.inputs.iter().filter(|input| input.unusable.is_some()).count();
    let unusable = format!("{n_unusable} of {} could not be used", count(report.inputs.len() as u64, "input"));
    if report.exit_code != ExitCode::NotDone {
        return if n_unusable == 0 { outcome } else { format!("{outcome}; {unusable}") };
    }
    let n_rejected = report.inputs.iter().map(|input| input.rejected_count).sum();
    let is_strict = report.settings.policy.strict;
    let is_incomplete = report.inputs.iter().any(|input| input.incomplete);
    let why = if n_unusable > 0 {
        unusable
    } else if is_strict && n_rejected > 0 {
        format!("{} could not be read (`--strict`)", count(n_rejected, "line"))
    } else if is_strict && is_incomplete {
        "an input is not complete (`--strict`)".to_owned()
    } else {
        "some of the requested rules could not be replayed".to_owned()
    };
    format!("ERROR: {why}. The rest: {outcome}")
}

/// How many series have each outcome, the worst first: what stands above a picture of all.
pub fn tally(report: &Report) -> String {
    let outcome = |series: &SeriesReport| if series.is_gone_quietly() { "gone" } else { series.outcome.name() };
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for series in &report.series {
        match counts.iter_mut().find(|(name, _)| *name == outcome(series)) {
            Some((_, count)) => *count += 1,
            None => counts.push((outcome(series), 1)),
        }
    }
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    format!("{} series: {}", report.series.len(), counts.join(", "))
}

/// What to do about each input that stopped, without a final period.
pub fn stopped(report: &Report, name: &dyn Fn(&str) -> String) -> Vec<String> {
    let sentence = |input: &StoppedInput| {
        let (path, since) = (name(&input.path), time(report, input.end_ms));
        let (place, check) = if input.path.contains("://") {
            ("on", "its scrape targets, or the selection")
        } else {
            ("in", "the cron job")
        };
        format!("no reading {place} {path} since {since} ({}): check {check}", duration_text(input.age_seconds))
    };
    report.stopped.iter().map(sentence).collect()
}

/// What the series of a report come to, in words. `with_wait`: where nothing is proven, also how much longer to measure.
pub fn of_series(report: &Report, name: &dyn Fn(&str) -> String, with_wait: bool) -> String {
    let outcomes: Vec<(Outcome, bool)> = report.series.iter().map(|series| (series.outcome, series.counts)).collect();
    let total = report.series.len();
    let of = |outcome: Outcome| -> Vec<&SeriesReport> {
        report.series.iter().filter(|series| series.outcome == outcome).collect()
    };
    let series = if total == 1 { "the only series" } else { "series" };
    let count = |these: &[&SeriesReport]| match (these.len(), total) {
        (1, 1) => series.to_owned(),
        (2, 2) => "both series".to_owned(),
        (n, _) if n == total => format!("all {total} series"),
        (n, _) => format!("{n} of {total} series"),
    };
    match policy::of_run(&outcomes) {
        Outcome::Error => "ERROR: nothing could be judged".to_owned(),
        Outcome::Fail => format!("FAIL: {}", failures(&of(Outcome::Fail), &count, name)),
        Outcome::Inconclusive => {
            let open = of(Outcome::Inconclusive);
            let needed: Vec<f64> = open
                .iter()
                .filter_map(|series| series.judgement.detectable.and_then(|detectable| detectable.needed_seconds))
                .collect();
            let [least, most] = [f64::min, f64::max].map(|of| needed.iter().copied().reduce(of).unwrap_or(0.0));
            let longer = match [least, most].map(duration_text) {
                // Who waits for the last of them must not sleep over the first.
                [least_text, most_text] if 2.0 * least < most => format!("{least_text} to {most_text}"),
                [_, most_text] => most_text,
            };
            let advice = match needed.len() {
                0 => String::new(),
                _ if !with_wait => String::new(),
                n if n == open.len() => format!(": measure about {longer} longer"),
                n => format!(": measure about {longer} longer to decide {n} of them"),
            };
            let which = count(&open).replace("both series", "either series");
            format!("INCONCLUSIVE: nothing is proven for {which} ({}){advice}", names(&open, name))
        }
        Outcome::Warn => {
            let warned = of(Outcome::Warn);
            let verb = if warned.len() == 1 { "needs" } else { "need" };
            format!("WARN: nothing failed; {} {verb} a look: {}", count(&warned), names(&warned, name))
        }
        Outcome::Pass => {
            let open = of(Outcome::Inconclusive).len();
            let except = if open == 0 { String::new() } else { format!(" ({open} too short to count)") };
            let slow = slow_growth(report, total);
            let came_back = |series: &SeriesReport| series.criteria.iter().any(came_back_after_load);
            let load = if report.series.iter().all(came_back) { "; memory came back after the load" } else { "" };
            if total == 1 {
                format!("PASS: the only series does not leak{load}{slow}")
            } else {
                format!("PASS: none of {total} series leaks{except}{load}{slow}")
            }
        }
    }
}

/// What is wrong with the series that fail, the most urgent first: a crash loop is told before what makes it one.
fn failures(
    failed: &[&SeriesReport],
    count: &dyn Fn(&[&SeriesReport]) -> String,
    name: &dyn Fn(&str) -> String,
) -> String {
    /// What is wrong with one of them, and with several.
    const KINDS: [[&str; 2]; 4] = [
        ["is in a crash loop", "are in a crash loop"],
        ["looks as if it is in a crash loop", "look as if they are in a crash loop"],
        ["leaks memory", "leak memory"],
        ["fails a criterion", "fail a criterion"],
    ];
    // A leak is proven, a loop that only values show is not.
    let kind = |series: &SeriesReport| match (series.is_looping(), series.verdict().is_leak()) {
        (true, _) if series.restarts_are_seen() => 0,
        (_, true) => 2,
        (true, false) => 1,
        (false, false) => 3,
    };
    let mut parts = Vec::new();
    for (index, [one, several]) in KINDS.into_iter().enumerate() {
        let these: Vec<&SeriesReport> = failed.iter().filter(|series| kind(series) == index).copied().collect();
        let words = if these.len() == 1 { one } else { several };
        match these.len() {
            0 => {}
            _ if parts.is_empty() => parts.push(format!("{} {words}: {}", count(&these), names(&these, name))),
            n => parts.push(format!("{n} more {words}: {}", names(&these, name))),
        }
    }
    parts.join("; ")
}

/// What grows by less than matters, after the words that nothing leaks; empty where nothing does.
fn slow_growth(report: &Report, total: usize) -> String {
    let growing: Vec<(Growth, f64)> = report
        .series
        .iter()
        .filter(|series| series.verdict() == Verdict::NegligibleGrowth)
        .filter_map(|series| Some((series.judgement.growth?, series.tolerance.bytes_per_second)))
        .collect();
    let fastest = growing.iter().max_by(|a, b| a.0.bytes_per_second.total_cmp(&b.0.bytes_per_second));
    let Some(&(growth, matters)) = fastest else { return String::new() };
    let (rate, matters) = (rate(report, &growth), report.rate_unit.text(matters));
    match growing.len() {
        1 if total == 1 => format!("; it grows too slowly to matter ({rate}; {matters} would matter)"),
        1 => format!("; 1 grows too slowly to matter ({rate}; {matters} would matter)"),
        n => format!("; {n} grow too slowly to matter (up to {rate}; {matters} would matter)"),
    }
}
