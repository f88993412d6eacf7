//! A report for GitHub Actions: annotations, and Markdown for the summary of a job.
//!
//! Text only; who calls knows where it goes. The runner reads commands from standard output and standard error
//! alike, so annotations can stand on standard error, and JSON on standard output stays JSON.

use super::{Report, SeriesReport, escape, parts, words};
use crate::policy::{self, Outcome};
use crate::settings::{InconclusiveExit, WarnExit};

/// GitHub shows so many annotations of a kind for one step; further ones are dropped without a word.
const SHOWN: usize = 10;

/// The size that the summary of one step may have, in bytes: a larger one is not shown at all.
pub const SUMMARY_BYTES: usize = 1 << 20;

/// How bad an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnnotationLevel {
    /// Fails the gate.
    Error,
    /// Worth a look.
    Warning,
}

/// One annotation for each input that could not be used and each series that did not pass, worst first.
///
/// An inconclusive series is an error when the policy makes it fail, otherwise a warning, as a warned one is. Beyond
/// what GitHub shows of a kind the last one says how many there are.
pub fn annotations(report: &Report) -> String {
    let unusable =
        words::unusable(report).into_iter().map(|why| (AnnotationLevel::Error, "unusable input".to_owned(), why));
    let series = report.series.iter().filter_map(|series| {
        let level = level(report, series)?;
        Some((level, format!("{}: {}", series.id(), cause(series)), reason(series)))
    });
    commands(&unusable.chain(series).collect::<Vec<_>>())
}

/// Annotations as workflow commands, one a line: level, title, message.
pub fn commands(all: &[(AnnotationLevel, String, String)]) -> String {
    let mut text = String::new();
    for (level, name) in [(AnnotationLevel::Error, "error"), (AnnotationLevel::Warning, "warning")] {
        let of_level: Vec<_> = all.iter().filter(|(one, ..)| *one == level).collect();
        let shown = if of_level.len() > SHOWN { SHOWN - 1 } else { of_level.len() };
        for (_, title, message) in &of_level[..shown] {
            text.push_str(&format!("::{name} title={}::{}\n", property(title), data(message)));
        }
        if shown < of_level.len() {
            let left = of_level.len() - shown;
            text.push_str(&format!("::{name} title=leaktrend::and {left} more: see the report\n"));
        }
    }
    text
}

fn level(report: &Report, series: &SeriesReport) -> Option<AnnotationLevel> {
    let policy = &report.settings.policy;
    match series.outcome {
        Outcome::Fail | Outcome::Error => Some(AnnotationLevel::Error),
        Outcome::Inconclusive if policy.inconclusive == InconclusiveExit::Fail && series.counts => {
            Some(AnnotationLevel::Error)
        }
        Outcome::Warn if policy.warn == WarnExit::Fail => Some(AnnotationLevel::Error),
        Outcome::Inconclusive | Outcome::Warn => Some(AnnotationLevel::Warning),
        Outcome::Pass => None,
    }
}

/// What made the outcome, in a word: the verdict, or the criteria when the verdict alone would be better.
fn cause(series: &SeriesReport) -> String {
    let criteria: Vec<&str> = series
        .criteria
        .iter()
        .filter(|criterion| words::speaks(series, criterion))
        .map(|criterion| &*criterion.id)
        .collect();
    if criteria.is_empty() || policy::of_verdict(series.verdict()) == series.outcome {
        series.verdict().name().to_owned()
    } else {
        criteria.join(" ")
    }
}

/// Why the series did not pass: the verdict's reason, and the criteria that speak.
fn reason(series: &SeriesReport) -> String {
    let criteria = series
        .criteria
        .iter()
        .filter(|criterion| words::speaks(series, criterion))
        .map(|criterion| format!("{}: {}", criterion.id, criterion.reason));
    std::iter::once(parts::reason(series)).chain(criteria).collect::<Vec<_>>().join("\n")
}

/// A message, as the runner reads it back.
fn data(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(escape::printable).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A title: a property ends at `,` and at `::`.
fn property(text: &str) -> String {
    data(&escape::printable(text)).replace(':', "%3A").replace(',', "%2C")
}

/// Text in which the runner finds no command: names from the input may hold anything.
///
/// It obeys a line that begins with `::`, after blanks, and `##[` anywhere.
pub fn inert(text: &str) -> String {
    let line = |line: &str| {
        let blanks = line.len() - line.trim_start().len();
        let (blanks, rest) = line.split_at(blanks);
        let rest = rest.strip_prefix("::").map_or_else(|| rest.to_owned(), |rest| format!(": :{rest}"));
        format!("{blanks}{}", rest.replace("##[", "## ["))
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Markdown shortened to `room` bytes: whole sections are kept from the top, then a line says how many were left
/// out. Where not even the part before the first section fits, it is cut between two lines.
pub fn shortened(text: &str, room: usize) -> String {
    /// The note below has no more.
    const NOTE: usize = 160;

    if text.len() <= room {
        return text.to_owned();
    }
    let sections: Vec<usize> = text.match_indices("\n## ").map(|(at, _)| at + 1).collect();
    let space = room.saturating_sub(NOTE);
    let kept = sections.iter().copied().filter(|at| *at <= space).max();
    if let Some(end) = kept {
        let left = sections.iter().filter(|at| **at >= end).count();
        let note = format!(
            "_Sections left out: {left} of {}, because a step summary is limited to 1 MiB. The report itself is \
             complete._",
            sections.len()
        );
        return format!("{}{note}\n", &text[..end]);
    }
    if room < NOTE {
        return String::new();
    }
    let mut end = space;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text[..end].rfind('\n').map_or(0, |at| at + 1);
    format!("{}\n_Cut here: a step summary is limited to 1 MiB. The report itself is complete._\n", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_a_command_or_begin_one() {
        let all = [(AnnotationLevel::Error, "a,b::c\n::d".to_owned(), "50 % of\n2 MiB\u{1b}[2J".to_owned())];
        let expected = "::error title=a%2Cb%3A%3Ac\u{fffd}%3A%3Ad::50 %25 of%0A2 MiB\u{fffd}[2J\n";
        assert_eq!(commands(&all), expected);
        assert_eq!(inert("a\n  ::stop-commands::x\n"), "a\n  : :stop-commands::x\n");
        assert_eq!(inert("a ##[error]b"), "a ## [error]b");
        assert_eq!(inert("a::b"), "a::b");
    }

    #[test]
    fn more_than_github_shows_is_counted() {
        let all: Vec<_> = (0..25).map(|n| (AnnotationLevel::Warning, format!("w{n}"), "why".to_owned())).collect();
        let text = commands(&all);
        assert_eq!(text.lines().count(), 10);
        assert_eq!(text.lines().last(), Some("::warning title=leaktrend::and 16 more: see the report"));
        assert_eq!(commands(&all[..10]).lines().last(), Some("::warning title=w9::why"));
    }

    #[test]
    fn a_summary_is_cut_between_sections_and_says_so() {
        let section = |name: &str| format!("\n## {name}\n\n{}\n", "x".repeat(400));
        let text = format!("**FAIL**\n{}{}{}", section("a"), section("b"), section("c"));
        assert_eq!(shortened(&text, text.len()), text);
        let cut = shortened(&text, text.len() - 1);
        assert!(cut.len() < text.len() && cut.contains("## b") && !cut.contains("## c"), "{cut}");
        assert!(cut.ends_with(
            "_Sections left out: 1 of 3, because a step summary is limited to 1 MiB. The report itself is complete._\n"
        ));
        let cut = shortened(&"é line\n".repeat(100), 300);
        assert!(cut.len() <= 300 && cut.contains("é line\n\n_Cut here"), "{cut}");
        assert_eq!(shortened(&text, 10), "");
    }
}
