//! The summary for a terminal: one line for the outcome, a table of all series, worst first.

use comfy_table::{ContentArrangement, Table, presets};

use super::{Report, SeriesReport, escape, words};
use crate::policy::{ExitCode, Outcome};

/// Longest name in the table, in characters.
const NAME_CHARS: usize = 40;
/// Columns of a sparkline.
const SPARK_CHARS: usize = 24;

/// The summary, with a line feed at its end. `colour`: whether the outcome is coloured by ANSI escapes.
pub fn render(report: &Report, colour: bool) -> String {
    format!("{}\n{}", headline(report, colour), details(report))
}

/// What follows the first line: the table, the reasons, and what a reader must know.
pub fn details(report: &Report) -> String {
    let mut text = String::new();
    if !report.series.is_empty() {
        text.push_str(&table(report));
    }
    for series in report.series.iter().filter(|series| series.outcome > Outcome::Pass) {
        text.push_str(&format!(
            "\n{}: {}\n",
            escape::printable(series.id()),
            escape::printable(&series.judgement.reason)
        ));
        for criterion in series.criteria.iter().filter(|criterion| words::speaks(series, criterion)) {
            text.push_str(&format!(
                "  {}: {}\n",
                escape::printable(&criterion.id),
                escape::printable(&criterion.reason)
            ));
        }
    }
    for note in words::cautions(report) {
        text.push_str(&format!("\nnote: {}\n", escape::printable(&note)));
    }
    text
}

fn headline(report: &Report, colour: bool) -> String {
    let outcome = if report.exit_code == ExitCode::NotDone { Outcome::Error } else { report.outcome };
    coloured(&words::headline(report, &escape::printable), outcome, colour)
}

/// Words in the colour of an outcome, or without any.
pub fn coloured(words: &str, outcome: Outcome, colour: bool) -> String {
    if !colour {
        return words.to_owned();
    }
    let code = match outcome {
        Outcome::Pass => "32",
        Outcome::Warn => "33",
        Outcome::Inconclusive => "36",
        Outcome::Fail | Outcome::Error => "31",
    };
    format!("\u{1b}[1;{code}m{words}\u{1b}[0m")
}

fn table(report: &Report) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["outcome", "series", "verdict", "growth", "now", "to the limit", "memory"]);
    for series in &report.series {
        table.add_row(row(series));
    }
    table.lines().flat_map(|line| [line.trim_end().to_owned(), "\n".to_owned()]).collect()
}

fn row(series: &SeriesReport) -> [String; 7] {
    let words::Row { outcome, verdict, growth, now, to_limit, spark, .. } = words::row(series, SPARK_CHARS);
    let name = words::shortened(&escape::printable(series.id()), NAME_CHARS);
    [outcome.to_owned(), name, verdict.to_owned(), growth, now, to_limit, spark]
}
