//! `verdict.md`: the answer in its first line, then what it rests on. Reads well as plain text too.

use super::escape::{code, markdown as escaped, printable};
use super::json::status_name;
use super::summary::sparkline;
use super::{KnownLimitSource, Report, SeriesReport};
use crate::criteria::{Criterion, Status};
use crate::ingest::{Input, TimeSource, Timeline};
use crate::judge::Verdict;
use crate::policy::Outcome;
use crate::units::{duration_text, memory_text, rate_per_day_text, rate_text, time_text};

/// Columns of a sparkline in the table.
const SPARK_CHARS: usize = 16;
/// More names than this are counted instead of listed in the first line.
const NAMED: usize = 5;
/// More restarts than this are counted instead of listed.
const RESTARTS_LISTED: usize = 8;

/// The report as Markdown. `chart_of`: the path of a series' chart relative to the file, by its index;
/// `overview`: that of the sheet of all series.
pub fn render(report: &Report, chart_of: &dyn Fn(usize) -> Option<String>, overview: &[String]) -> String {
    let mut text = format!("**{}**\n\n", escaped(&headline(report)));
    for caution in unusable(report).into_iter().chain(cautions(report)) {
        text.push_str(&format!("{}\n\n", escaped(&caution)));
    }
    if !report.series.is_empty() {
        text.push_str(&table(report));
    }
    for page in overview {
        text.push_str(&format!("\n![all series, worst first]({page})\n"));
    }
    for (index, series) in report.series.iter().enumerate() {
        if series.outcome > Outcome::Pass {
            text.push_str(&section(report, series, chart_of(index).as_deref()));
        }
    }
    let healthy: Vec<&SeriesReport> = report.series.iter().filter(|series| series.outcome == Outcome::Pass).collect();
    if !healthy.is_empty() {
        text.push_str("\n## Healthy\n\n");
        for series in healthy {
            text.push_str(&format!(
                "- {}: {}. {}.\n",
                code(series.id()),
                series.verdict().name(),
                sentence(&series.judgement.reason)
            ));
        }
    }
    text.push_str(&inputs(report));
    text
}

/// The outcome in words, without markup.
pub fn headline(report: &Report) -> String {
    let total = report.series.len();
    let of = |outcome: Outcome| -> Vec<&SeriesReport> {
        report.series.iter().filter(|series| series.outcome == outcome).collect()
    };
    let series = if total == 1 { "the only series" } else { "series" };
    let count = |these: &[&SeriesReport]| match (these.len(), total) {
        (1, 1) => series.to_owned(),
        (n, _) if n == total => format!("all {total} series"),
        (n, _) => format!("{n} of {total} series"),
    };
    match report.outcome {
        Outcome::Error => "ERROR: nothing could be judged".to_owned(),
        Outcome::Fail => {
            let failed = of(Outcome::Fail);
            let leaking: Vec<&SeriesReport> =
                failed.iter().filter(|series| series.verdict().is_leak()).copied().collect();
            if leaking.is_empty() {
                let verb = if failed.len() == 1 { "fails" } else { "fail" };
                format!("FAIL: {} {verb} a criterion: {}", count(&failed), names(&failed))
            } else {
                let verb = if leaking.len() == 1 { "leaks" } else { "leak" };
                let others = failed.len() - leaking.len();
                let more = if others == 0 { String::new() } else { format!("; {others} more fail a criterion") };
                format!("FAIL: {} {verb} memory: {}{more}", count(&leaking), names(&leaking))
            }
        }
        Outcome::Inconclusive => {
            let open = of(Outcome::Inconclusive);
            let longer = open
                .iter()
                .filter_map(|series| series.judgement.detectable.and_then(|detectable| detectable.needed_seconds))
                .fold(0.0, f64::max);
            let advice =
                if longer > 0.0 { format!(": measure about {} longer", duration_text(longer)) } else { String::new() };
            format!("INCONCLUSIVE: nothing is proven for {} ({}){advice}", count(&open), names(&open))
        }
        Outcome::Warn => {
            let warned = of(Outcome::Warn);
            let verb = if warned.len() == 1 { "needs" } else { "need" };
            format!("WARN: nothing failed; {} {verb} a look: {}", count(&warned), names(&warned))
        }
        Outcome::Pass => {
            let open = of(Outcome::Inconclusive).len();
            let except = if open == 0 { String::new() } else { format!(" ({open} too short to count)") };
            if total == 1 {
                "PASS: the only series does not leak".to_owned()
            } else {
                format!("PASS: none of {total} series leaks{except}")
            }
        }
    }
}

fn names(series: &[&SeriesReport]) -> String {
    let mut listed: Vec<String> = series.iter().take(NAMED).map(|series| printable(series.id())).collect();
    if series.len() > NAMED {
        listed.push(format!("and {} more", series.len() - NAMED));
    }
    listed.join(", ")
}

/// The inputs that could not be used, and why.
pub fn unusable(report: &Report) -> Vec<String> {
    let reason = |input: &Input| Some(format!("{} could not be used: {}.", input.path, input.unusable.as_ref()?));
    report.inputs.iter().filter_map(reason).collect()
}

/// What a reader must know before trusting the rest: what could not be judged, or was read with assumptions.
pub fn cautions(report: &Report) -> Vec<String> {
    let mut cautions = Vec::new();
    let mut undecidable: Vec<(&str, usize)> = Vec::new();
    for criterion in report.series.iter().flat_map(|series| &series.criteria) {
        if criterion.status == Status::NotEvaluable && criterion.gates {
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
        cautions.push(format!("Could not be judged with this data: {}.", list.join(", ")));
    }
    let open: Vec<&SeriesReport> =
        report.series.iter().filter(|series| series.verdict() == Verdict::Inconclusive).collect();
    if !open.is_empty() && report.outcome != Outcome::Inconclusive {
        cautions.push(format!("Inconclusive: {}.", names(&open)));
    }
    for input in &report.inputs {
        if input.rejected_count > 0 {
            let lines = if input.rejected_count == 1 { "line was" } else { "lines were" };
            cautions.push(format!("{}: {} {lines} not understood and left out.", input.path, input.rejected_count));
        }
        if input.incomplete {
            cautions.push(format!("{} says of itself that it is incomplete.", input.path));
        }
        cautions.extend(input.warnings.iter().map(|warning| format!("{}: {warning}.", input.path)));
    }
    cautions.extend(report.rules.iter().filter_map(|rule| Some(format!("{}.", rule.caution()?))));
    cautions.extend(report.notes.iter().map(|note| format!("{}.", sentence(note))));
    cautions
}

fn table(report: &Report) -> String {
    let mut text = String::from(
        "| outcome | series | verdict | growth | now | limit | time to limit | memory |\n|---|---|---|---|---|---|---|---|\n",
    );
    for series in &report.series {
        let used = series.samples.used_bytes();
        let growth = series.judgement.growth.map_or("-".to_owned(), |growth| rate_text(growth.bytes_per_second));
        let limit = series.limit.map_or("-".to_owned(), |limit| match limit.source {
            KnownLimitSource::Host => format!("{} (host)", memory_text(limit.bytes)),
            _ => memory_text(limit.bytes),
        });
        let to_limit = series.time_to_limit.map_or("-".to_owned(), |time| duration_text(time.seconds));
        text.push_str(&format!(
            "| {} | {} | {} | {growth} | {} | {limit} | {to_limit} | {} |\n",
            series.outcome.name(),
            code(series.id()),
            series.verdict().name(),
            memory_text(used[used.len() - 1]),
            sparkline(used, SPARK_CHARS),
        ));
    }
    text
}

fn section(report: &Report, series: &SeriesReport, chart: Option<&str>) -> String {
    let mut text = format!("\n## {}: {}\n\n", code(series.id()), series.verdict().name());
    if let Some(chart) = chart {
        text.push_str(&format!("![memory of {} over time]({chart})\n\n", escaped(series.id())));
    }
    text.push_str(&format!("{}.\n", escaped(&reasoning(report, series))));

    text.push_str("\n| criterion | status | why |\n|---|---|---|\n");
    for criterion in &series.criteria {
        let status = if criterion.status == Status::Fail && !criterion.gates {
            "fail (does not gate)".to_owned()
        } else {
            status_name(criterion.status).to_owned()
        };
        text.push_str(&format!("| {} | {status} | {} |\n", escaped(&criterion.id), escaped(&criterion.reason)));
    }
    if !series.restarts.is_empty() {
        text.push_str(&format!("\n{}\n", restarts(report, series)));
    }
    if let Some(time) = series.time_to_limit {
        let upper = time.upper.map_or("no upper bound".to_owned(), duration_text);
        text.push_str(&format!(
            "\nTime to the limit: {} ({} to {upper} at {:.0} % confidence), if it goes on like this.\n",
            duration_text(time.seconds),
            duration_text(time.lower),
            100.0 * time.confidence,
        ));
    }
    text.push_str(&format!("\nWhat would change this verdict: {}.\n", escaped(&series.judgement.would_change)));
    if let Some(action) = &series.next_action {
        let pattern = action.pattern.map_or(String::new(), |pattern| format!(", pattern {pattern}"));
        text.push_str(&format!(
            "\nNext (runbook level {}{pattern}): {}.\n\n```sh\n",
            action.level,
            escaped(&action.text)
        ));
        for command in &action.commands {
            text.push_str(&printable(command));
            text.push('\n');
        }
        text.push_str("```\n");
    }
    text
}

/// One paragraph of plain reasoning with numbers, without its last period.
fn reasoning(report: &Report, series: &SeriesReport) -> String {
    let samples = &series.samples;
    let span = (samples.end_ms() - samples.start_ms()) as f64 / 1000.0;
    let mut sentences = vec![sentence(&series.judgement.reason)];
    if let Some(onset) = series.judgement.onset_seconds.filter(|onset| *onset > 0.02 * span) {
        let at = samples.start_ms() + (onset * 1000.0) as i64;
        sentences.push(format!("It began around {}", time(report, at)));
    }
    for id in &series.contradicted {
        sentences.push(format!("{id} fired all the same: under this verdict that is a false alarm"));
    }
    for id in &series.undecided {
        sentences.push(format!("{id} must be decided and could not be"));
    }
    sentences.extend(series.notes.iter().map(|note| sentence(note)));
    let step = series.step_seconds.map_or(String::new(), |step| format!(", one every {}", duration_text(step)));
    sentences.push(format!(
        "Judged from {} samples over {}{step}; growth of {} or more would matter",
        samples.len(),
        duration_text(span),
        rate_per_day_text(series.tolerance.bytes_per_second),
    ));
    if let Some(smallest) = series.judgement.detectable.and_then(|detectable| detectable.bytes_per_second) {
        sentences
            .push(format!("The smallest growth that this data could have shown is {}", rate_per_day_text(smallest)));
    }
    sentences.join(". ")
}

fn restarts(report: &Report, series: &SeriesReport) -> String {
    let listed: Vec<String> = series
        .restarts
        .iter()
        .take(RESTARTS_LISTED)
        .map(|restart| {
            format!(
                "- {}: {} ({} to {})",
                time(report, restart.at_ms),
                restart.words,
                memory_text(restart.before_bytes),
                memory_text(restart.after_bytes)
            )
        })
        .collect();
    let more = series.restarts.len().saturating_sub(RESTARTS_LISTED);
    let rest = if more == 0 { String::new() } else { format!("\n- and {more} more") };
    format!("Restarts:\n\n{}{rest}", listed.join("\n"))
}

fn inputs(report: &Report) -> String {
    let mut text = String::from(
        "\n## Inputs\n\n| input | format | samples | series | gaps | rejected | other lines | times |\n|---|---|---|---|---|---|---|---|\n",
    );
    for input in &report.inputs {
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
            code(&input.path),
            input.format_name().unwrap_or("-"),
            input.samples,
            input.series,
            input.gaps,
            input.rejected_count,
            input.other_lines,
            times_of(input),
        ));
    }
    for (input, counts) in report.inputs.iter().filter_map(|input| Some((input, input.events?))) {
        text.push_str(&format!(
            "\n{}: {} events in the life of a container; {} matched with {} series, {} of other containers, {} outside the readings, {} not matched for want of times.\n",
            code(&input.path),
            counts.read,
            counts.matched,
            input.series,
            counts.other_containers,
            counts.outside,
            counts.uncertain,
        ));
    }
    let rejected: Vec<String> = report
        .inputs
        .iter()
        .flat_map(|input| {
            input.rejected.iter().map(|rejected| {
                format!(
                    "- {} line {}: {} {}",
                    code(&input.path),
                    rejected.line,
                    code(&rejected.text),
                    escaped(&rejected.why)
                )
            })
        })
        .collect();
    if !rejected.is_empty() {
        text.push_str(&format!("\nRejected lines (the first of each input):\n\n{}\n", rejected.join("\n")));
    }
    if !report.ignored.is_empty() {
        let ignored: Vec<String> = report.ignored.iter().map(|id| code(id)).collect();
        text.push_str(&format!("\nIgnored by the settings: {}\n", ignored.join(", ")));
    }
    text
}

fn times_of(input: &Input) -> &'static str {
    match input.time_source {
        TimeSource::Embedded => "from the input",
        TimeSource::Inferred => "inferred",
    }
}

/// Whether a criterion says something that a reader of a short report must see.
pub fn speaks(series: &SeriesReport, criterion: &Criterion) -> bool {
    (criterion.status == Status::Fail && criterion.gates) || series.undecided.contains(&criterion.id)
}

/// A point in time as the reader can use it.
fn time(report: &Report, time_ms: i64) -> String {
    match report.timeline {
        Timeline::Absolute => time_text(time_ms).unwrap_or_else(|| format!("{time_ms} ms")),
        Timeline::Relative if time_ms >= 0 => "the last tick".to_owned(),
        Timeline::Relative => format!("{} before the last tick", duration_text(-time_ms as f64 / 1000.0)),
    }
}

/// With a capital letter, as a sentence of its own.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
