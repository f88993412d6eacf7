//! The summary for a terminal: one line for the outcome, a table of all series, worst first.

use comfy_table::{ContentArrangement, Table, presets};

use super::{Report, SeriesReport, escape};
use crate::policy::Outcome;
use crate::units::{duration_text, memory_text, rate_text};

/// Longest name in the table, in characters.
const NAME_CHARS: usize = 40;
/// Columns of a sparkline.
const SPARK_CHARS: usize = 24;

/// The summary, with a line feed at its end. `colour`: whether the outcome is coloured by ANSI escapes.
pub fn render(report: &Report, colour: bool) -> String {
    let mut text = format!("{}\n", headline(report, colour));
    if !report.series.is_empty() {
        text.push_str(&table(report));
    }
    for series in report.series.iter().filter(|series| series.outcome > Outcome::Pass) {
        text.push_str(&format!(
            "\n{}: {}\n",
            escape::printable(series.id()),
            escape::printable(&series.judgement.reason)
        ));
        for criterion in series.criteria.iter().filter(|criterion| super::markdown::speaks(series, criterion)) {
            text.push_str(&format!(
                "  {}: {}\n",
                escape::printable(&criterion.id),
                escape::printable(&criterion.reason)
            ));
        }
    }
    for note in super::markdown::cautions(report) {
        text.push_str(&format!("\nnote: {}\n", escape::printable(&note)));
    }
    text
}

fn headline(report: &Report, colour: bool) -> String {
    let words = super::markdown::headline(report);
    if !colour {
        return words;
    }
    let code = match report.outcome {
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
    let used = series.samples.used_bytes();
    let growth = series.judgement.growth.map_or("-".to_owned(), |growth| rate_text(growth.bytes_per_second));
    let to_limit = series.time_to_limit.map_or("-".to_owned(), |time| duration_text(time.seconds));
    [
        series.outcome.name().to_owned(),
        shortened(&escape::printable(series.id())),
        series.verdict().name().to_owned(),
        growth,
        memory_text(used[used.len() - 1]),
        to_limit,
        sparkline(used, SPARK_CHARS),
    ]
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS {
        return name.to_owned();
    }
    name.chars().take(NAME_CHARS - 1).chain(['…']).collect()
}

/// Values as a line of at most `width` bars, from the lowest to the highest; the median of each part.
pub fn sparkline(values: &[f64], width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let count = values.len().min(width);
    let parts: Vec<f64> = (0..count)
        .filter_map(|part| {
            let edge = |index: usize| index * values.len() / count;
            crate::stats::robust::median(&values[edge(part)..edge(part + 1)])
        })
        .collect();
    let lowest = parts.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = parts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // A level that hardly moves is drawn level, not as a mountain range of noise.
    let range = (highest - lowest).max(0.02 * highest.abs()).max(f64::MIN_POSITIVE);
    parts.iter().map(|part| BARS[(((part - lowest) / range * 7.999) as usize).min(7)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_rises_with_its_values() {
        assert_eq!(sparkline(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], 8), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[100.0, 100.5, 100.0], 8), "▁▂▁");
        assert_eq!(sparkline(&[5.0], 8), "▁");
        assert_eq!(sparkline(&[], 8), "");
        assert_eq!(sparkline(&(0..1000).map(f64::from).collect::<Vec<_>>(), 24).chars().count(), 24);
    }
}
