//! A comparison for people: plain text for a terminal, Markdown for a job summary.

use super::{Compared, Comparison, Finding, SeriesComparison};
use crate::policy::{ExitCode, Outcome};
use crate::report::escape::{code, code_cell, markdown as escaped, printable};
use crate::report::github::{self, AnnotationLevel};
use crate::stats::difference::Estimate;
use crate::units::{RateUnit, memory_text};

/// More names than this are counted instead of listed in the first line.
const NAMED: usize = 5;

/// The comparison as plain text, with a line feed at its end.
pub fn plain(comparison: &Comparison) -> String {
    let mut text = format!("{}\n", headline(comparison));
    for series in &comparison.series {
        text.push_str(&format!("\n{}: {}\n", printable(&name(series)), series.finding.name()));
        for compared in measures(series) {
            text.push_str(&format!("  {}\n", printable(&compared.reason)));
        }
    }
    for caution in cautions(comparison) {
        text.push_str(&format!("\nnote: {}\n", printable(&caution)));
    }
    text
}

/// The comparison as Markdown.
pub fn markdown(comparison: &Comparison) -> String {
    let mut text = format!("**{}**\n\n", escaped(&headline(comparison)));
    for caution in cautions(comparison) {
        text.push_str(&format!("{}\n\n", escaped(&caution)));
    }
    text.push_str(
        "| finding | series | verdict before | now | level before | now | growth before | now |\n|---|---|---|---|---|---|---|---|\n",
    );
    for series in &comparison.series {
        let [level, growth] =
            [(&series.level, memory_text as fn(f64) -> String), (&series.growth, |rate| RateUnit::Day.text(rate))].map(
                |(compared, text)| {
                    let shown =
                        |estimate: Option<Estimate>| estimate.map_or("-".to_owned(), |estimate| text(estimate.value));
                    format!("{} | {}", shown(compared.base), shown(compared.new))
                },
            );
        text.push_str(&format!(
            "| {} | {} | {} | {} | {level} | {growth} |\n",
            series.finding.name(),
            code_cell(&name(series)),
            escaped(&series.base_verdict),
            escaped(&series.new_verdict),
        ));
    }
    for series in &comparison.series {
        text.push_str(&format!("\n## {}: {}\n\n", code(&name(series)), series.finding.name()));
        for compared in measures(series) {
            text.push_str(&format!("- {}.\n", escaped(&compared.reason)));
        }
    }
    text
}

/// The outcome in words, without markup.
pub fn headline(comparison: &Comparison) -> String {
    let of = |finding: Finding| -> Vec<String> {
        comparison
            .series
            .iter()
            .filter(|series| series.finding == finding)
            .map(|series| printable(&series.id))
            .collect()
    };
    let total = comparison.series.len();
    let (worse, open) = (of(Finding::Worse), of(Finding::Inconclusive));
    match comparison.outcome {
        Outcome::Fail => format!("WORSE: {} of {total} series: {}", worse.len(), listed(&worse)),
        Outcome::Inconclusive if open.is_empty() => {
            format!("INCONCLUSIVE: series of the base are missing: {}", listed(&comparison.missing))
        }
        Outcome::Inconclusive => {
            format!("INCONCLUSIVE: {} of {total} series may be worse: {}", open.len(), listed(&open))
        }
        _ if total == 1 => "NOT WORSE: the only series is as good as in the base".to_owned(),
        _ => format!("NOT WORSE: {} of {total} series are as good as in the base", total - open.len()),
    }
}

/// Annotations for GitHub Actions: an error for each series that got worse, a warning for each that may have, or
/// that is missing.
pub fn annotations(comparison: &Comparison) -> String {
    let open = if comparison.exit_code == ExitCode::Failed && comparison.outcome == Outcome::Inconclusive {
        AnnotationLevel::Error
    } else {
        AnnotationLevel::Warning
    };
    let series = comparison.series.iter().filter_map(|series| {
        let level = match series.finding {
            Finding::Worse => AnnotationLevel::Error,
            Finding::Inconclusive => open,
            Finding::NotWorse | Finding::Better => return None,
        };
        let reasons: Vec<String> = measures(series)
            .into_iter()
            .filter(|compared| compared.finding == Some(series.finding))
            .map(|compared| compared.reason.clone())
            .collect();
        Some((level, format!("{}: {}", series.id, series.finding.name()), reasons.join("\n")))
    });
    let missing = comparison
        .missing
        .iter()
        .map(|id| (open, format!("{id}: missing"), "the base holds this series, the new run does not".to_owned()));
    github::commands(&series.chain(missing).collect::<Vec<_>>())
}

fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| printable(name)).collect();
    let more = names.len().saturating_sub(NAMED);
    let rest = if more == 0 { String::new() } else { format!(", and {more} more") };
    format!("{}{rest}", shown.join(", "))
}

fn name(series: &SeriesComparison) -> String {
    if series.base_id == series.id {
        series.id.clone()
    } else {
        format!("{} (in the base {})", series.id, series.base_id)
    }
}

fn measures(series: &SeriesComparison) -> [&Compared; 2] {
    [&series.level, &series.growth]
}

fn cautions(comparison: &Comparison) -> Vec<String> {
    let mut cautions = comparison.notes.iter().map(|note| format!("{note}.")).collect::<Vec<_>>();
    if !comparison.missing.is_empty() {
        cautions.push(format!("missing from the new run: {}.", comparison.missing.join(", ")));
    }
    if !comparison.added.is_empty() {
        cautions.push(format!("new, so not compared: {}.", comparison.added.join(", ")));
    }
    cautions
}
