//! The summary for a terminal: one line for the outcome, one for each series that fails, a table of all, worst first.

use comfy_table::{ContentArrangement, Table, presets};

use super::{Report, SeriesReport, causes, escape, parts, table, why, words};
use crate::policy::{ExitCode, Outcome};

/// Longest name in the table, in characters.
const NAME_CHARS: usize = 40;
/// Columns of a sparkline.
const SPARK_CHARS: usize = 24;

/// The columns of the table, those that give way first where a terminal is narrow at the end: what is wrong, since
/// when and until when stay longest.
const COLUMNS: [(usize, &str); 9] = [
    (1, "series"),
    (2, "finding"),
    (0, "outcome"),
    (7, "limit reached"),
    (3, "since (UTC)"),
    (4, "growth"),
    (6, "limit"),
    (5, "now"),
    (8, "memory"),
];
/// Narrower tables are not made, in characters.
const LEAST_WIDTH: usize = 20;
/// So many columns of a table are left however narrow it is; their cells are wrapped.
const LEAST_COLUMNS: usize = 2;

/// How a terminal shows a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Screen {
    /// Whether the outcome is coloured by ANSI escapes.
    pub colour: bool,
    /// Characters in a line; `None` where nothing limits them.
    pub width: Option<usize>,
    /// Whether lines are broken between words at `width`, as for a terminal; a pipe gets them whole.
    pub wraps: bool,
}

/// The summary, with a line feed at its end.
pub fn render(report: &Report, screen: Screen) -> String {
    format!("{}\n{}", headline(report, screen.colour), details(report, screen))
}

/// What follows the first line: why series fail, the table, the reasons, and what a reader must know.
pub fn details(report: &Report, screen: Screen) -> String {
    let reasons = why::lines(report, &escape::printable, &escape::printable);
    let mut text: String = reasons.iter().flat_map(|line| ["  ", line, "\n"]).collect();
    if !report.series.is_empty() {
        text.push_str(&table(report, screen.width));
    }
    for series in &report.series {
        let grows = parts::sentence(series).map(|grows| escape::printable(&grows));
        if series.outcome == Outcome::Pass {
            // What is well has nothing to say, unless a part of it grows.
            text.extend(grows.map(|grows| format!("\n{}: {grows}\n", escape::printable(series.id()))));
            continue;
        }
        text.push_str(&format!("\n{}: {}\n", escape::printable(series.id()), escape::printable(&series.reason())));
        text.extend(grows.map(|grows| format!("  what grows: {grows}\n")));
        if let Some(cause) = causes::line(report, series) {
            text.push_str(&format!("  cause: {}\n", escape::printable(&cause)));
        }
        for criterion in series.criteria.iter().filter(|criterion| words::speaks(series, criterion)) {
            text.push_str(&format!(
                "  {}: {}\n",
                escape::printable(&criterion.id),
                escape::printable(&criterion.reason.to_string())
            ));
        }
    }
    for note in words::cautions(report) {
        text.push_str(&format!("\nnote: {}\n", escape::printable(&note)));
    }
    match screen.width.filter(|_| screen.wraps) {
        Some(width) => text.lines().map(|line| wrapped(line, width)).collect(),
        None => text,
    }
}

/// A line broken between words, with a line feed at its end; what follows a break is indented by two more blanks.
fn wrapped(line: &str, width: usize) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let mut text = " ".repeat(indent);
    let mut used = indent;
    for (index, word) in line[indent..].split(' ').enumerate() {
        let chars = word.chars().count();
        // A row of the table is as wide as was asked for already, and has blanks of its own.
        if index > 0 && used + 1 + chars > width && !line.starts_with(['│', '┌', '╞', '└']) {
            text.push_str(&format!("\n{}", " ".repeat(indent + 2)));
            used = indent + 2;
        } else if index > 0 {
            text.push(' ');
            used += 1;
        }
        text.push_str(word);
        used += chars;
    }
    text + "\n"
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

/// The table of all series with as many columns as fit into `width` characters.
fn table(report: &Report, width: Option<usize>) -> String {
    let rows: Vec<[String; 9]> = report.series.iter().map(|series| row(report, series)).collect();
    // A column that says nothing of any series takes room from others.
    let speaks = |(index, _): &&(usize, &str)| rows.iter().any(|row| row[*index] != "-");
    let columns: Vec<(usize, &str)> = COLUMNS.iter().filter(speaks).copied().collect();
    let with = |n_columns: usize| {
        let mut shown = columns[..n_columns].to_vec();
        shown.sort_by_key(|(index, _)| *index);
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(shown.iter().map(|(_, heading)| *heading));
        for row in &rows {
            table.add_row(shown.iter().map(|(index, _)| row[*index].as_str()));
        }
        table
    };
    let fits = |table: &Table| {
        let widest = table.lines().map(|line| line.trim_end().chars().count()).max().unwrap_or(0);
        width.is_none_or(|width| widest <= width)
    };
    let mut tables = (LEAST_COLUMNS..=columns.len()).rev().map(with);
    let table = tables.find(fits).unwrap_or_else(|| {
        let mut table = with(LEAST_COLUMNS);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width.unwrap_or(LEAST_WIDTH).max(LEAST_WIDTH) as u16);
        table
    });
    table.lines().flat_map(|line| [line.trim_end().to_owned(), "\n".to_owned()]).collect()
}

/// The cells of a series, as the first numbers of `COLUMNS` count them.
fn row(report: &Report, series: &SeriesReport) -> [String; 9] {
    let table::Row { outcome, finding, since, growth, now, limit, full, spark } =
        table::row(report, series, SPARK_CHARS);
    let name = words::shortened(&escape::printable(series.id()), NAME_CHARS);
    [outcome.to_owned(), name, finding, since, growth, now, limit, full, spark]
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_are_broken_between_words_and_tables_are_not() {
        assert_eq!(wrapped("  web: leaks 3 MiB a minute", 14), "  web: leaks 3\n    MiB a\n    minute\n");
        assert_eq!(wrapped("note: fits", 10), "note: fits\n");
        assert_eq!(wrapped("averyveryverylongname leaks", 10), "averyveryverylongname\n  leaks\n");
        assert_eq!(wrapped("│ fail   web │", 5), "│ fail   web │\n");
        assert_eq!(wrapped("", 5), "\n");
    }
}
