//! The night in sentences: for a terminal, and as `nightly.md` beside the report. Both say the same.

use super::{GoneSeries, NightWindow, Nightly, WindowLength};
use crate::criteria::Status;
use crate::policy::{ExitCode, Outcome};
use crate::report::summary::Screen;
use crate::report::{Report, SeriesReport, causes, escape, parts, summary, table, why, words};
use crate::units::{duration_text, memory_text, time_text};

/// So many changes of level are enough to see what grows.
const MOST_LEVELS: usize = 10;

/// So many containers that are gone are named.
const MOST_GONE: usize = 10;

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
pub fn plain(nightly: &Nightly, screen: Screen) -> String {
    let style = Style { name: escape::printable, sentence: escape::printable };
    let mut text = format!("{}\n\n", summary::coloured(&headline(nightly, style), nightly.outcome, screen.colour));
    for window in &nightly.windows {
        text.push_str(&format!("  {}\n", window_line(nightly, window, style)));
    }
    text.push_str(&format!("\n{}\n", changes_heading(nightly)));
    for line in change_lines(nightly, style) {
        text.push_str(&format!("  {line}\n"));
    }
    if let Some(gone) = gone_line(nightly, style) {
        text.push_str(&format!("\n{gone}\n"));
    }
    for note in notes(nightly) {
        text.push_str(&format!("\nnote: {}\n", (style.sentence)(&note)));
    }
    text.push_str(&format!("\nThe last {}:\n", nightly.deciding().span.name()));
    text.push_str(&summary::details(&nightly.deciding().report, screen));
    for (span, series) in nightly.series().into_iter().filter(|(span, series)| is_elsewhere(nightly, *span, series)) {
        text.push_str(&format!("\nThe last {}:\n", span.name()));
        for line in reasons(&nightly.deciding().report, series, style) {
            text.push_str(&format!("{line}\n"));
        }
    }
    text
}

/// `nightly.md`: the same, with a table of every series and links to the reports of each window.
pub fn markdown(nightly: &Nightly) -> String {
    let style = Style { name: escape::code, sentence: escape::markdown };
    let mut text = format!("**{}**\n\n", headline(nightly, style));
    for window in &nightly.windows {
        let name = window.span.name();
        text.push_str(&format!("- {} ([report]({name}/verdict.md))\n", window_line(nightly, window, style)));
    }
    let columns: Vec<&str> = table::HEADINGS.into_iter().chain(["window"]).collect();
    text.push_str(&format!("\n| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len())));
    for (span, series) in nightly.series() {
        text.push_str(&table_row(&nightly.deciding().report, span, series));
    }
    let open: Vec<(WindowLength, &SeriesReport)> =
        nightly.series().into_iter().filter(|(_, series)| series.outcome > Outcome::Pass).collect();
    if !open.is_empty() {
        text.push_str("\n## Reasons\n\n");
    }
    for (_, series) in open {
        for (index, line) in reasons(&nightly.deciding().report, series, style).into_iter().enumerate() {
            text.push_str(&format!("{}- {line}\n", if index == 0 { "" } else { "  " }));
        }
    }
    text.push_str(&format!("\n## {}\n\n", changes_heading(nightly).trim_end_matches(':')));
    for line in change_lines(nightly, style) {
        text.push_str(&format!("- {line}\n"));
    }
    if let Some(gone) = gone_line(nightly, style) {
        text.push_str(&format!("\n{gone}\n"));
    }
    let report = &nightly.deciding().report;
    text.push_str("\n## Notes\n\n");
    for note in notes(nightly).iter().chain(&words::unusable(report)).chain(&words::cautions(report)) {
        text.push_str(&format!("- {}\n", (style.sentence)(note)));
    }
    text
}

fn table_row(report: &Report, span: WindowLength, series: &SeriesReport) -> String {
    let table::Row { outcome, finding, since, growth, now, limit, full, spark } =
        table::row(report, series, SPARK_CHARS);
    let (name, finding) = (escape::code_cell(series.id()), escape::markdown_cell(&finding));
    let cells = format!("{outcome} | {name} | {finding} | {since} | {growth} | {now} | {limit} | {full} | {spark}");
    format!("| {cells} | {} |\n", span.name())
}

/// Whether a series that needs a look is decided by another window than the night: its reasons stand there.
fn is_elsewhere(nightly: &Nightly, span: WindowLength, series: &SeriesReport) -> bool {
    span != nightly.deciding().span && series.outcome > Outcome::Pass
}

/// Why a series needs a look: why it fails, its verdict's reason, what its growth follows, and the criteria that speak.
/// `report`: one of the night, which says how times are told.
fn reasons(report: &Report, series: &SeriesReport, style: Style) -> Vec<String> {
    let fails = (series.outcome == Outcome::Fail).then(|| why::with_tonight(report, series));
    let reason = parts::reason(series);
    let cause = causes::line(report, series).map(|cause| format!("cause: {cause}"));
    let first = fails.iter().chain([&reason]).chain(&cause).map(|line| (style.sentence)(line));
    let mut first: Vec<String> = first.collect();
    first[0] = format!("{}: {}", (style.name)(series.id()), first[0]);
    let criteria = series.criteria.iter().filter(|criterion| words::speaks(series, criterion));
    let of_criterion = |criterion: &crate::criteria::Criterion| {
        format!("{}: {}", (style.sentence)(&criterion.id), (style.sentence)(&criterion.reason.to_string()))
    };
    first.into_iter().chain(criteria.map(of_criterion)).collect()
}

fn headline(nightly: &Nightly, style: Style) -> String {
    let at = time_text(nightly.now_ms).unwrap_or_default();
    let outcome = nightly.outcome.name().to_uppercase();
    let decides = nightly.deciding();
    let stopped = words::stopped(&decides.report, &style.name);
    let why = match nightly.outcome {
        Outcome::Error => "nothing could be judged".to_owned(),
        _ if !stopped.is_empty() => stopped.join("; "),
        _ if decides.coverage < nightly.min_coverage => {
            format!("no window is covered by enough readings yet; the last {} is shown", decides.span.name())
        }
        _ => format!("decided by the last {}", decides.span.name()),
    };
    format!("{outcome} at {at}: {why}")
}

fn window_line(nightly: &Nightly, window: &NightWindow, style: Style) -> String {
    let covered = (100.0 * window.coverage).floor();
    let enough = if window.coverage < nightly.min_coverage { ", not enough to decide" } else { "" };
    // Only the one that decides says how long to wait: another is longer or shorter than that.
    let headline = words::of_series(&window.report, &style.name, window.span == nightly.deciding().span);
    format!("last {} ({covered} % covered{enough}): {headline}", window.span.name())
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
    let name = style.name;
    let time = |time_ms: i64| time_text(time_ms).unwrap_or_default();
    let mut lines = Vec::new();
    for change in &changes.verdicts {
        let ((outcome_before, verdict_before), (outcome, verdict)) = (&change.before, &change.now);
        let what = if verdict_before == verdict {
            format!("{outcome} instead of {outcome_before}; the verdict is still {verdict}")
        } else {
            format!("{verdict} ({outcome}) instead of {verdict_before} ({outcome_before})")
        };
        lines.push(format!("{}: {}", name(&change.series), (style.sentence)(&what)));
    }
    lines.extend(changes.renamed.iter().map(|rename| {
        format!("{} has been called {} since {}", name(&rename.before), name(&rename.now), time(rename.at_ms))
    }));
    for recreated in &changes.recreated {
        let times = match recreated.times {
            1 => String::new(),
            times => format!(" (the last of {times} changes in that time)"),
        };
        let (series, at) = (name(&recreated.series), time(recreated.at_ms));
        lines.push(format!("{series}: a different container has had this name since {at}{times}"));
    }
    lines.extend(changes.appeared.iter().map(|series| format!("{}: new", name(series))));
    let new_gone: Vec<&GoneSeries> = nightly.gone.iter().filter(|gone| gone.is_new).collect();
    lines.extend(new_gone.iter().take(MOST_GONE).map(|gone| format!("{}: {}", name(&gone.series), gone_words(gone))));
    if new_gone.len() > MOST_GONE {
        let more = new_gone.len() - MOST_GONE;
        lines.push(format!("{more} more {} gone", if more == 1 { "is" } else { "are" }));
    }
    let is_gone = |series: &&String| new_gone.iter().any(|gone| gone.series == **series);
    let others = changes.vanished.iter().filter(|series| !is_gone(series));
    lines.extend(others.map(|series| format!("{}: no longer judged", name(series))));
    for level in changes.levels.iter().take(MOST_LEVELS) {
        let difference = level.now_bytes - level.before_bytes;
        let (more, by) = if difference > 0.0 { ("higher", difference) } else { ("lower", -difference) };
        lines.push(format!(
            "{}: {} {more}, {} instead of {} (daily medians)",
            name(&level.series),
            memory_text(by),
            memory_text(level.now_bytes),
            memory_text(level.before_bytes)
        ));
    }
    let n_more = changes.levels.len().saturating_sub(MOST_LEVELS);
    if n_more > 0 {
        lines.push(format!("level changed in {n_more} more series"));
    }
    if changes.since_ms.is_none() {
        lines.insert(0, "there is no earlier night to compare with".to_owned());
    } else if lines.is_empty() {
        lines.push("nothing that matters: the same series, outcomes and levels".to_owned());
    }
    lines
}

/// Since when a container is gone, and what its readings came to.
fn gone_words(gone: &GoneSeries) -> String {
    let since = time_text(gone.since_ms).unwrap_or_default();
    match &gone.judged {
        Some((_, verdict)) => format!("gone since {since}, last verdict {verdict}"),
        None => format!("gone since {since}, never judged"),
    }
}

/// The containers that were gone on earlier nights, in one line; `None` without any.
fn gone_line(nightly: &Nightly, style: Style) -> Option<String> {
    let gone: Vec<&GoneSeries> = nightly.gone.iter().filter(|gone| !gone.is_new).collect();
    let mut named: Vec<String> = gone
        .iter()
        .take(MOST_GONE)
        .map(|gone| format!("{} ({})", (style.name)(&gone.series), gone_words(gone)))
        .collect();
    if gone.len() > MOST_GONE {
        named.push(format!("and {} more", gone.len() - MOST_GONE));
    }
    (!named.is_empty()).then(|| format!("No longer judged: {}.", named.join(", ")))
}

fn notes(nightly: &Nightly) -> Vec<String> {
    let mut notes = Vec::new();
    let inconclusive = nightly.outcome == Outcome::Inconclusive;
    if inconclusive && nightly.exit_code == ExitCode::Passed {
        notes.push("An inconclusive night does not fail the job (`--inconclusive fail` makes it fail).".to_owned());
    }
    let added = nightly.added;
    let mut kept = format!("Readings added to the history: {}", added.n_new);
    if added.n_known > 0 {
        kept.push_str(&format!("; already known: {}", added.n_known));
    }
    if nightly.n_dropped > 0 {
        kept.push_str(&format!("; too old to keep: {}", nightly.n_dropped));
    }
    notes.push(format!("{kept}."));
    if nightly.explain {
        notes.extend(explanations(nightly));
    }
    notes
}

/// Why each criterion that cannot be evaluated cannot, by the first series of which that holds.
fn explanations(nightly: &Nightly) -> Vec<String> {
    let mut reported: Vec<&str> = Vec::new();
    let mut lines = Vec::new();
    for series in &nightly.deciding().report.series {
        for criterion in series.criteria.iter().filter(|criterion| criterion.status == Status::NotEvaluable) {
            if !reported.contains(&&*criterion.id) {
                reported.push(&criterion.id);
                lines.push(format!("{} cannot be evaluated: {}.", criterion.id, criterion.reason));
            }
        }
    }
    lines
}
