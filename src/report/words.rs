//! What a report says, in words: the same in Markdown, HTML and on a terminal.
//!
//! Takes a report, gives sentences and cells without markup. A part between backticks is a name or a literal; each
//! format shows it in its own way, and escapes everything.

mod criteria;
mod grows;
mod headline;
mod notes;
mod rejections;
mod restarts;
mod unusable;
mod warnings;

pub use criteria::would_pass;
pub use headline::{headline, of_series, stopped, tally};

use super::escape::printable;
use super::table::{finding, leaked_before, sparkline};
use super::{Report, SeriesReport, TimeToLimit, parts};
use crate::account::{Input, Timeline, counted};
use crate::criteria::{Criterion, Status};
use crate::next_action::{NextAction, Step};
use crate::policy::{self, Outcome};
use crate::units::{duration_text, memory_text, short_memory, time_text};
use crate::verdict::{Growth, RegimeWhy, ShapeName, Verdict};

/// More names than this are counted instead of listed in one sentence.
const NAMED: usize = 5;
/// Longest name within a sentence, in characters.
pub const NAME_CHARS: usize = 80;
/// More restarts than this are counted instead of listed.
const RESTARTS_LISTED: usize = 8;

/// Those that are gone while others go on, and of which nothing else is wrong.
fn gone_quietly(report: &Report) -> Vec<&SeriesReport> {
    report.series.iter().filter(|series| series.is_gone_quietly()).collect()
}

/// The same where they are few enough for a line each; none where they are many, as jobs that come and go.
pub fn listed_gone(report: &Report) -> Vec<&SeriesReport> {
    let gone = gone_quietly(report);
    if gone.len() <= NAMED { gone } else { Vec::new() }
}

fn names(series: &[&SeriesReport], name: &dyn Fn(&str) -> String) -> String {
    let mut listed: Vec<String> =
        series.iter().take(NAMED).map(|series| name(&shortened(series.id(), NAME_CHARS))).collect();
    if series.len() > NAMED {
        listed.push(format!("and {} more", series.len() - NAMED));
    }
    listed.join(", ")
}

/// A name of at most `n` characters: the middle gives way, for ends tell replicas apart.
pub fn shortened(name: &str, n: usize) -> String {
    let count = name.chars().count();
    if count <= n || n < 3 {
        return name.chars().take(n).collect();
    }
    let tail = (n - 1) / 2;
    let head = n - 1 - tail;
    name.chars().take(head).chain(['…']).chain(name.chars().skip(count - tail)).collect()
}

pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", printable(name))
}

/// The inputs that could not be used, and why.
pub fn unusable(report: &Report) -> Vec<String> {
    let reason =
        |input: &Input| Some(format!("{} could not be used: {}.", quoted(&input.path), input.unusable.as_ref()?));
    report.inputs.iter().filter_map(reason).collect()
}

/// What a reader must know of an input: a sentence each, without a full stop.
pub fn warnings(input: &Input) -> Vec<String> {
    input.warnings.iter().map(ToString::to_string).collect()
}

/// What a reader must know before trusting the rest: what could not be judged, or was read with assumptions.
pub fn cautions(report: &Report) -> Vec<String> {
    let mut cautions: Vec<String> = window(report).into_iter().collect();
    let mut undecidable: Vec<(&str, usize)> = Vec::new();
    for criterion in report.series.iter().flat_map(|series| &series.criteria) {
        let is_reported = report.reported.iter().any(|reported| *reported == criterion.id);
        if criterion.status == Status::NotEvaluable && criterion.gates && !is_reported {
            match undecidable.iter_mut().find(|(id, _)| *id == criterion.id) {
                Some((_, count)) => *count += 1,
                None => undecidable.push((&criterion.id, 1)),
            }
        }
    }
    if !undecidable.is_empty() {
        let total = report.series.len();
        let list: Vec<String> = undecidable
            .iter()
            .map(
                |(id, count)| {
                    if *count == total { (*id).to_owned() } else { format!("{id} ({count} of {total} series)") }
                },
            )
            .collect();
        cautions.push(format!("Not evaluable with this data: {}.", list.join(", ")));
    }
    let gone = gone_quietly(report);
    // Few of them have a line each above.
    if NAMED < gone.len() {
        let last_ms = gone.iter().filter_map(|series| series.last_seen_ms).max().unwrap_or_default();
        cautions.push(format!(
            "No readings since {} or earlier, while other series continue. Check whether these should still run: {}.",
            time(report, last_ms),
            names(&gone, &quoted)
        ));
    }
    let open: Vec<&SeriesReport> =
        report.series.iter().filter(|series| series.verdict() == Verdict::Inconclusive).collect();
    if !open.is_empty() && report.outcome != Outcome::Inconclusive {
        cautions.push(format!("Inconclusive: {}.", names(&open, &quoted)));
    }
    for input in &report.inputs {
        let path = quoted(&input.path);
        if input.rejected_count > 0 {
            let lines = if input.rejected_count == 1 { "line" } else { "lines" };
            cautions.push(format!("{path}: ignored {} {lines} that could not be read.", input.rejected_count));
        }
        if input.incomplete {
            cautions.push(format!("{path} is marked as incomplete."));
        }
        cautions.extend(input.warnings.iter().map(|warning| format!("{path}: {warning}.")));
    }
    cautions.extend(report.rules.iter().filter_map(|rule| Some(format!("{}.", rule.caution()?))));
    cautions.extend(report.notes.iter().map(|note| format!("{}.", sentence(&note.to_string()))));
    cautions
}

/// From when to when there are readings; `None` where their times are not known.
fn window(report: &Report) -> Option<String> {
    let start_ms = report.series.iter().map(|series| series.samples.start_ms()).min()?;
    let end_ms = report.series.iter().map(|series| series.samples.end_ms()).max()?;
    let has_limits = report.series.iter().any(|series| series.time_to_limit.is_some());
    let count = if has_limits { "; times to a limit count from the last reading" } else { "" };
    (report.timeline == Timeline::Absolute)
        .then(|| format!("Readings from {} to {}{count}.", time(report, start_ms), time(report, end_ms)))
}

/// Memory over time on one line of text, with its lowest and highest value: what stands where no chart can.
pub fn strip(report: &Report, series: &SeriesReport, spark_chars: usize) -> String {
    let used = series.samples.used_bytes();
    let lowest = used.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = used.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!(
        "{} {} to {}, from {} to {}",
        sparkline(used, spark_chars),
        short_memory(lowest),
        short_memory(highest),
        time(report, series.samples.start_ms()),
        time(report, series.samples.end_ms()),
    )
}

/// What stands beside the name above what is said of a series: its verdict, and what else made its outcome.
pub fn heading(series: &SeriesReport) -> String {
    let verdict = series.verdict();
    let is_alone = series.outcome == policy::of_verdict(verdict) && !series.is_looping() && series.lean().is_none();
    if is_alone && series.last_seen_ms.is_none() {
        verdict.name().to_owned()
    } else {
        format!("{} (verdict {})", finding(series), verdict.name())
    }
}

/// Since when a series has been doing what it does, and what it did before; `None` where it is the whole.
fn regime(report: &Report, series: &SeriesReport) -> Option<String> {
    let judgement = &series.judgement;
    let (start_ms, end_ms) = (series.samples.start_ms(), series.samples.end_ms());
    let at = |time_ms: i64| {
        let clock = clock(report, time_ms, end_ms);
        if report.timeline == Timeline::Absolute { format!("{clock} UTC") } else { clock }
    };
    let since = at(series.regime_start_ms());
    let before_was_level =
        judgement.before.is_some_and(|before| before.bytes_per_second.abs() < series.tolerance.bytes_per_second);
    let is_level = judgement.verdict.proves_no_leak() || judgement.verdict == Verdict::Step;
    let now = match judgement.regime.why {
        RegimeWhy::Whole => return None,
        // Level now and level before that are one.
        RegimeWhy::GrowthBegan | RegimeWhy::GrowthChanged if before_was_level && is_level => return None,
        RegimeWhy::StartUp => {
            format!("The verdict covers the time since {since}: what came before counts as start-up")
        }
        RegimeWhy::Restart if series.restarts.is_empty() => {
            format!("The verdict covers the time since memory fell at {since}")
        }
        RegimeWhy::Restart => format!("The verdict covers the time since the {} at {since}", series.drops().name()),
        RegimeWhy::GrowthBegan => format!("It has gone on like this since {since}"),
        RegimeWhy::GrowthChanged => format!("It has gone on like this since {since}, when growth changed"),
        // Of many shifts the last says nothing.
        RegimeWhy::Shift if grew_before(series) => return None,
        RegimeWhy::Shift => format!("The verdict covers the time since the level shifted at {since}"),
        RegimeWhy::LaterHalf => format!("The verdict covers the later half of the readings, since {since}"),
    };
    // It is not known better than that, and beside what memory does now it is nothing.
    let a_tenth = judgement.growth.map_or(0.0, |growth| 0.1 * growth.bytes_per_second.abs());
    let about_level = series.tolerance.bytes_per_second.max(a_tenth);
    // How memory came to the level of a step is said already.
    let before = judgement.before.filter(|_| judgement.verdict != Verdict::Step);
    let before = before.map_or(String::new(), |before| {
        let from = at(start_ms + (before.start_seconds * 1000.0).round() as i64);
        let rate = before.bytes_per_second;
        let did = match rate {
            rate if rate.abs() < about_level => "memory was about level".to_owned(),
            rate if rate < 0.0 => format!("memory fell {}", report.rate_unit.text(-rate)),
            rate => format!("memory grew {}", report.rate_unit.text(rate)),
        };
        format!("; before that, from {from} on, {did}")
    });
    Some(format!("{now}{before}"))
}

/// Whether it grew before its present regime began.
fn grew_before(series: &SeriesReport) -> bool {
    let judgement = &series.judgement;
    judgement.onset_seconds.is_some_and(|onset| onset < judgement.regime.start_seconds)
}

/// One paragraph of plain reasoning with numbers, without its last period.
pub fn reasoning(report: &Report, series: &SeriesReport) -> String {
    let samples = &series.samples;
    let span = (samples.end_ms() - samples.start_ms()) as f64 / 1000.0;
    let mut sentences = vec![sentence(&series.reason())];
    sentences.extend(shape(series));
    let onset = series.judgement.onset_seconds.filter(|onset| *onset > 0.02 * span);
    match (regime(report, series), onset) {
        (Some(regime), _) => sentences.push(regime),
        (None, Some(onset)) => {
            let at_ms = samples.start_ms() + (onset * 1000.0) as i64;
            sentences.push(format!("Growth began around {}", time(report, at_ms)));
        }
        (None, None) => {}
    }
    for id in &series.contradicted {
        sentences.push(format!("{id} fails all the same: with this verdict, that is a false alarm"));
    }
    for id in &series.undecided {
        sentences.push(format!("{id} is required, but could not be decided"));
    }
    sentences.extend(series.notes.iter().map(|note| sentence(&note.to_string())));
    let step = series.step_seconds.map_or(String::new(), |step| format!(", one every {}", duration_text(step)));
    let holds = match series.workload {
        Some(_) => "The pods are put together at",
        None => "The window holds",
    };
    let unit = if series.workload.is_some() { "moment" } else { "sample" };
    let over = format!("{holds} {} over {}{step}", counted(samples.len() as u64, unit), duration_text(span));
    let tolerance = series.tolerance.bytes_per_second;
    sentences.push(if tolerance.is_finite() {
        format!("{over}; growth of {} or more would matter", report.rate_unit.text(tolerance))
    } else {
        over
    });
    let smallest = series.judgement.detectable.and_then(|detectable| detectable.bytes_per_second);
    // Where growth is found nobody asks how little of it would have been.
    let grows = series.verdict().is_leak() || series.verdict() == Verdict::LeakSuspected;
    let unseen = smallest.filter(|smallest| !grows && tolerance < *smallest).map(|it| report.rate_unit.text(it));
    if let Some(unseen) = unseen.filter(|unseen| *unseen != report.rate_unit.text(tolerance)) {
        sentences.push(format!("Growth slower than {unseen} would go unseen in this data, even where it matters"));
    }
    sentences.join(". ")
}

/// The shape that explains the samples best, and the best that says otherwise; `None` where none was fitted.
fn shape(series: &SeriesReport) -> Option<String> {
    if let Some(shapes) = series.shapes {
        // Kass and Raftery (1995), "Bayes factors": the grades of evidence that a difference in BIC is.
        let how_well = match shapes.margin {
            ..2.0 => "nearly as well",
            2.0..6.0 => "less well",
            6.0..10.0 => "much less well",
            _ => return Some(format!("Best fit: {}; nothing else comes near", shapes.chosen)),
        };
        return Some(format!("Best fit: {}; {} fits {how_well}", shapes.chosen, shapes.runner_up));
    }
    let words = match series.judgement.shape {
        ShapeName::Staircase => "a staircase",
        // What is cut once is no sawtooth to a reader.
        ShapeName::Sawtooth if series.restarts.len() == 1 => return None,
        ShapeName::Sawtooth => "a sawtooth: growth that is cut again and again",
        _ => return None,
    };
    Some(format!("The shape that fits best is {words}"))
}

/// The verdict as a row of the table of criteria: what fails has a row that fails.
pub fn verdict_row(series: &SeriesReport) -> [String; 3] {
    let verdict = series.verdict();
    let status = policy::of_verdict(verdict).name();
    ["verdict".to_owned(), status.to_owned(), format!("{}: {}", verdict.name(), series.reason())]
}

/// How a criterion came out.
pub fn status(criterion: &Criterion) -> &'static str {
    if criterion.status == Status::Fail && !criterion.gates { "fail (does not count)" } else { criterion.status.name() }
}

/// The heading of `restarts`.
pub fn restarts_heading(series: &SeriesReport) -> &'static str {
    if series.drops_are_collections() { "Drops, taken for garbage collections" } else { "Restarts" }
}

/// The latest restarts of a series, a line each, and how many came before; empty without any.
pub fn restarts(report: &Report, series: &SeriesReport) -> Vec<String> {
    let earlier = series.restarts.len().saturating_sub(RESTARTS_LISTED);
    let latest = series.restarts[earlier..].iter().map(|restart| {
        let at = time(report, restart.at_ms);
        let (before, after) = (memory_text(restart.before_bytes), memory_text(restart.after_bytes));
        if series.drops_are_collections() {
            format!("{at}: memory fell from {before} to {after}")
        } else {
            format!("{at}: {} (memory {before} to {after})", restart.what)
        }
    });
    let what = if series.drops_are_collections() { "earlier drop" } else { "earlier restart" };
    let rest = (earlier > 0).then(|| counted(earlier as u64, what));
    rest.into_iter().chain(latest).collect()
}

/// When the limit is reached, with its interval, as a sentence.
pub fn time_to_limit(time: TimeToLimit) -> String {
    let lower = duration_text(time.lower);
    let upper = time.upper.map(duration_text);
    if upper.as_ref() == Some(&lower) {
        return format!("Time to the limit: about {lower}, if it goes on like this.");
    }
    let interval = upper.map_or(format!("{lower} or more"), |upper| format!("{lower} to {upper}"));
    format!(
        "Time to the limit: {} ({interval} at {:.0} % confidence), if it goes on like this.",
        duration_text(time.seconds),
        100.0 * time.confidence,
    )
}

/// What would change the outcome, as a sentence.
pub fn would_change(series: &SeriesReport) -> String {
    format!("What would change this: {}.", series.would_change())
}

/// What to do next, as a sentence.
pub fn next(series: &SeriesReport, action: &NextAction) -> String {
    let is_shown = series.attribution.as_ref().is_some_and(|attribution| attribution.pattern.is_some());
    let how = if is_shown { "" } else { " inferred only from its shape" };
    let pattern = action.pattern.map_or(String::new(), |pattern| format!(", pattern {}{how}", pattern.name()));
    let is_unnamed = action.commands().iter().any(|command| command.contains("CONTAINER"));
    let unnamed = if is_unnamed {
        "; replace CONTAINER with the name of the container, which the input does not give"
    } else {
        ""
    };
    let level = match action.level {
        1 => "1, recovery",
        2 => "2, investigation",
        3 => "3, specialist in the runtime",
        _ => "4, architect",
    };
    format!("Next steps (the runbook's escalation level {level}{pattern}{unnamed}):")
}

/// The steps of the next action: a sentence, and commands to be pasted. Those that act on the container stand apart.
pub fn steps(action: &NextAction) -> Vec<(String, &[String])> {
    let step = |when: &str, step: &Step| format!("{when}: {}.", step.text);
    let mut steps = Vec::new();
    let tomorrow = action.tomorrow.as_ref().map(|next| ("Tomorrow", next));
    for (when, next) in std::iter::once(("Tonight", &action.tonight)).chain(tomorrow) {
        steps.push((step(when, next), next.commands.as_slice()));
        if !next.runbook.is_empty() {
            let has_host = next.runbook.iter().any(|command| command.contains("HOST"));
            let host = if has_host { " (replace HOST)" } else { "" };
            steps.push((format!("If the service is set up as in the runbook{host}:"), next.runbook.as_slice()));
        }
        if !next.changes.is_empty() {
            steps.push(("These restart, change or pause the container:".to_owned(), next.changes.as_slice()));
        }
    }
    steps
}

/// The verdict of a healthy series and its reason, as a sentence.
pub fn healthy(report: &Report, series: &SeriesReport) -> String {
    // Who asked about a load is told what it left behind.
    let of_load = series.criteria.iter().find(|criterion| came_back_after_load(criterion));
    let load = of_load.map_or(String::new(), |it| format!(" After the load, {}.", it.reason));
    // What grew until its last restart may do so again.
    let regime = regime(report, series).filter(|_| leaked_before(series));
    let regime = regime.map_or(String::new(), |regime| format!(" {regime}."));
    let usage = series
        .notes
        .iter()
        .filter(|note| note.contradicts_a_pass())
        .map(|note| format!(" {}.", sentence(&note.to_string())));
    let (verdict, reason, usage) = (series.verdict().name(), sentence(&series.reason()), usage.collect::<String>());
    format!("{verdict}. {reason}.{regime}{load}{usage}{}", what_next(series))
}

/// Whether a criterion says that memory came back after a load.
fn came_back_after_load(criterion: &Criterion) -> bool {
    criterion.id == "flat-after-load" && criterion.status == Status::Pass
}

/// What grows in a series that passes, and what to do next, as further sentences; empty where there is neither.
fn what_next(series: &SeriesReport) -> String {
    let grows = parts::sentence(series).map_or(String::new(), |grows| format!(" What grows: {grows}."));
    let next = series.next_action.as_ref().map_or(String::new(), |action| format!(" {}.", action.text()));
    grows + &next
}

/// When a series that is gone was last seen, and what it was until then, as a sentence.
pub fn gone(report: &Report, series: &SeriesReport) -> String {
    let seen = series.last_seen_ms.map_or(String::new(), |seen_ms| time(report, seen_ms));
    let (verdict, reason, next) = (series.verdict().name(), series.reason(), what_next(series));
    format!("last seen {seen}, while other series continue. Its verdict until then was {verdict}: {reason}.{next}")
}

/// Whether a criterion says something that a reader of a short report must see.
pub fn speaks(series: &SeriesReport, criterion: &Criterion) -> bool {
    (criterion.status == Status::Fail && criterion.gates) || series.undecided.contains(&criterion.id)
}

/// An estimated rate, with the figure and in the unit that it has beside its interval.
pub fn rate(report: &Report, growth: &Growth) -> String {
    report.rate_unit.estimate_text(growth.bytes_per_second, growth.lower, growth.upper)
}

/// A point in time as the reader can use it.
pub fn time(report: &Report, time_ms: i64) -> String {
    time_of(report.timeline, time_ms)
}

fn time_of(timeline: Timeline, time_ms: i64) -> String {
    match timeline {
        Timeline::Absolute => time_text(time_ms).unwrap_or_else(|| format!("{time_ms} ms")),
        Timeline::Relative if time_ms >= 0 => "the last reading".to_owned(),
        Timeline::Relative => format!("{} before the last reading", duration_text(-time_ms as f64 / 1000.0)),
    }
}

/// A point in time as short as it is clear, in UTC: `23 Nov 20:06`, and the month alone where it is far off.
///
/// `near_ms`: the time that the reader is at, such as the last reading.
pub fn clock(report: &Report, time_ms: i64, near_ms: i64) -> String {
    /// A day of the year is clear within so many milliseconds.
    const CLEAR: u64 = 300 * 86_400_000;
    let at = chrono::DateTime::from_timestamp_millis(time_ms).filter(|_| report.timeline == Timeline::Absolute);
    let form = if time_ms.abs_diff(near_ms) < CLEAR { "%-d %b %H:%M" } else { "%b %Y" };
    at.map_or_else(|| time(report, time_ms), |at| at.format(form).to_string())
}

/// With a capital letter, as a sentence of its own.
fn sentence(text: &str) -> String {
    // A metric and a criterion keep their names.
    let is_name = |word: &str| word.contains('_') || word.contains('-') && word.contains(|c: char| c.is_ascii_digit());
    if text.split_whitespace().next().is_some_and(is_name) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_both_ends() {
        assert_eq!(shortened("web-1", 20), "web-1");
        assert_eq!(shortened("payments-worker-7d9f8b6c5d-x2x4k", 20), "payments-w…c5d-x2x4k");
        assert_eq!(shortened("ééééééé", 5), "éé…éé");
    }
}
