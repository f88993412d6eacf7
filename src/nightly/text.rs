//! The night in sentences: for a terminal, and as `nightly.md` beside the report.

use super::{Nightly, Span, Window};
use crate::policy::{ExitCode, Outcome};
use crate::report::{SeriesReport, escape, summary, words};
use crate::units::{duration_text, memory_text, time_text};

/// So many changes of level are enough to see what grows.
const MOST_LEVELS: usize = 10;

/// Columns of a sparkline.
const SPARK_CHARS: usize = 24;

/// How a text is written: what names and sentences need to do no harm.
#[derive(Clone, Copy)]
struct Style {
    name: fn(&str) -> String,
    sentence: fn(&str) -> String,
}

/// For a terminal: the windows, what changed, and the summary of the window that decides. `colour`: whether the
/// outcome is coloured.
pub fn plain(nightly: &Nightly, colour: bool) -> String {
    let style = Style { name: escape::printable, sentence: escape::printable };
    let mut text = format!("{}\n\n", headline(nightly));
    for window in &nightly.windows {
        text.push_str(&format!("  {}\n", window_line(nightly, window, style)));
    }
    text.push_str(&format!("\n{}\n", changes_heading(nightly)));
    for line in change_lines(nightly, style) {
        text.push_str(&format!("  {line}\n"));
    }
    for note in notes(nightly) {
        text.push_str(&format!("\nnote: {note}\n"));
    }
    text.push_str(&format!("\nThe last {}:\n", nightly.deciding().span.name()));
    text.push_str(&summary::render(&nightly.deciding().report, colour));
    text
}

/// `nightly.md`: the same, with a table of every series and links to the reports of each window.
pub fn markdown(nightly: &Nightly) -> String {
    let style = Style { name: escape::code, sentence: escape::markdown };
    let mut text = format!("**{}**\n\n", headline(nightly));
    for window in &nightly.windows {
        let name = window.span.name();
        text.push_str(&format!("- {} ([report]({name}/verdict.md))\n", window_line(nightly, window, style)));
    }
    text.push_str("\n| outcome | series | by the last | verdict | growth | now | time to limit | memory |\n");
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for (span, series) in nightly.series() {
        text.push_str(&table_row(span, series));
    }
    text.push_str(&format!("\n## {}\n\n", changes_heading(nightly).trim_end_matches(':')));
    for line in change_lines(nightly, style) {
        text.push_str(&format!("- {line}\n"));
    }
    let notes = notes(nightly);
    if !notes.is_empty() {
        text.push_str("\n## Notes\n\n");
        notes.iter().for_each(|note| text.push_str(&format!("- {note}\n")));
    }
    text
}

fn table_row(span: Span, series: &SeriesReport) -> String {
    let words::Row { outcome, verdict, growth, now, to_limit, spark, .. } = words::row(series, SPARK_CHARS);
    let name = escape::code_cell(series.id());
    format!("| {outcome} | {name} | {} | {verdict} | {growth} | {now} | {to_limit} | {spark} |\n", span.name())
}

fn headline(nightly: &Nightly) -> String {
    let at = time_text(nightly.now_ms).unwrap_or_default();
    let outcome = nightly.outcome.name().to_uppercase();
    let decides = nightly.deciding();
    let why = match nightly.outcome {
        Outcome::Error => "nothing could be judged".to_owned(),
        Outcome::Fail => format!("the last {} fails", decides.span.name()),
        _ if decides.coverage < nightly.min_coverage => {
            format!("no window is covered by enough readings yet; the last {} is shown", decides.span.name())
        }
        _ => format!("the last {} decides", decides.span.name()),
    };
    format!("{outcome} at {at}: {why}")
}

fn window_line(nightly: &Nightly, window: &Window, style: Style) -> String {
    let covered = (100.0 * window.coverage).floor();
    let enough = if window.coverage < nightly.min_coverage { ", too little to decide" } else { "" };
    let headline = words::headline(&window.report, &style.name);
    format!("the last {}, {covered} % of it covered{enough}: {headline}", window.span.name())
}

fn changes_heading(nightly: &Nightly) -> String {
    match nightly.changes.since_ms {
        Some(since_ms) => format!(
            "What changed since {} ({} ago):",
            time_text(since_ms).unwrap_or_default(),
            duration_text((nightly.now_ms - since_ms) as f64 / 1000.0)
        ),
        None => "What changed:".to_owned(),
    }
}

fn change_lines(nightly: &Nightly, style: Style) -> Vec<String> {
    let changes = &nightly.changes;
    if changes.since_ms.is_none() {
        return vec!["this is the first night: there is nothing to compare with".to_owned()];
    }
    let name = style.name;
    let mut lines = Vec::new();
    for change in &changes.verdicts {
        let ((outcome_before, verdict_before), (outcome, verdict)) = (&change.before, &change.now);
        let what = if verdict_before == verdict {
            format!("{outcome} instead of {outcome_before}, the verdict is still {verdict}")
        } else {
            format!("{verdict} ({outcome}) instead of {verdict_before} ({outcome_before})")
        };
        lines.push(format!("{}: {}", name(&change.series), (style.sentence)(&what)));
    }
    lines.extend(changes.appeared.iter().map(|series| format!("{}: new", name(series))));
    lines.extend(changes.vanished.iter().map(|series| format!("{}: no readings any more", name(series))));
    for level in changes.levels.iter().take(MOST_LEVELS) {
        let difference = level.now_bytes - level.before_bytes;
        let (more, by) = if difference > 0.0 { ("higher", difference) } else { ("lower", -difference) };
        lines.push(format!(
            "{}: {} {more}, {} instead of {} (medians of a day)",
            name(&level.series),
            memory_text(by),
            memory_text(level.now_bytes),
            memory_text(level.before_bytes)
        ));
    }
    let n_more = changes.levels.len().saturating_sub(MOST_LEVELS);
    if n_more > 0 {
        lines.push(format!("the levels of {n_more} more series changed"));
    }
    if lines.is_empty() {
        lines.push("nothing: the same series, the same verdicts, the same levels".to_owned());
    }
    lines
}

fn notes(nightly: &Nightly) -> Vec<String> {
    let mut notes = Vec::new();
    let inconclusive = nightly.outcome == Outcome::Inconclusive;
    if inconclusive && nightly.exit_code == ExitCode::Passed {
        notes.push("An inconclusive night does not fail the job (`--inconclusive fail` makes it fail).".to_owned());
    }
    let added = nightly.added;
    let mut kept = format!("{} new readings were added to the history", added.n_new);
    if added.n_known > 0 {
        kept.push_str(&format!(", {} were known already", added.n_known));
    }
    if nightly.n_dropped > 0 {
        kept.push_str(&format!(", {} were too old to be kept any longer", nightly.n_dropped));
    }
    notes.push(format!("{kept}."));
    notes
}
