//! `verdict.md`: the answer in its first line, then what it rests on, worst first. Reads well as plain text too.
//!
//! A text that must not be longer than a limit keeps the worst series and says what it leaves out.

use super::account::{self, account};
use super::escape::{code, code_cell, markdown as escaped, markdown_cell as cell, printable};
use super::{Report, SeriesReport, causes, parts, table, why, words};
use crate::next_action::NextAction;
use crate::policy::Outcome;

/// Columns of a sparkline in the table.
const SPARK_CHARS: usize = 16;
/// Columns of a sparkline in place of a chart.
const STRIP_CHARS: usize = 60;
/// Less than this, in bytes, might not hold the first line and the sentence about what is left out.
pub const LEAST_LIMIT: usize = 4096;

/// The addresses of a report's charts, as they stand in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// That of each series, in the order of the report; `None` where it has no chart.
    pub of_series: Vec<Option<String>>,
    /// The pages of the overview.
    pub overview: Vec<String>,
}

impl Images {
    /// No images at all, where none can be shown.
    pub fn none(report: &Report) -> Images {
        Images { of_series: vec![None; report.series.len()], overview: Vec::new() }
    }
}

/// The report as Markdown, of at most `limit` bytes where there is one: `LEAST_LIMIT` or more.
pub fn render(report: &Report, images: &Images, limit: Option<usize>) -> String {
    let document = Document::new(report, images);
    let whole = document.text(&document.everything(), "");
    match limit {
        Some(limit) if whole.len() > limit => document.within(limit),
        _ => whole,
    }
}

/// A report in parts that can be left out.
struct Document {
    first_line: String,
    reasons: Vec<String>,
    cautions: Vec<String>,
    rows: Vec<String>,
    overview: Vec<String>,
    sections: Vec<Section>,
    gone: Vec<String>,
    healthy: Vec<String>,
    inputs: Vec<String>,
}

/// What there is to say of a series that needs a look.
struct Section {
    whole: String,
    /// The same without tables and commands.
    short: String,
}

/// How much of each part is kept: always the first of it.
struct Kept {
    reasons: usize,
    cautions: usize,
    rows: usize,
    overview: usize,
    /// Sections in full, and after them sections cut short.
    whole: usize,
    short: usize,
    gone: usize,
    healthy: usize,
    inputs: usize,
}

const GONE_HEAD: &str = "\n## Gone\n\n";
const HEALTHY_HEAD: &str = "\n## Healthy\n\n";
const INPUTS_HEAD: &str = "\n## Inputs\n\n";

impl Document {
    fn new(report: &Report, images: &Images) -> Document {
        let needs_a_look = report.series.iter().enumerate().filter(|(_, series)| series.outcome > Outcome::Pass);
        let passes = report.series.iter().enumerate().filter(|(_, series)| series.outcome == Outcome::Pass);
        let (gone, healthy): (Vec<_>, Vec<_>) = passes.partition(|(_, series)| series.is_gone_quietly());
        let listed = |series: Vec<(usize, &SeriesReport)>, line: &dyn Fn(&SeriesReport) -> String| -> Vec<String> {
            let chart = |index: usize| images.of_series[index].as_ref().map(|chart| format!(" [Chart]({chart})"));
            let commands = |series: &SeriesReport| {
                let commands = series.next_action.iter().flat_map(NextAction::commands);
                commands.map(|command| format!(" {}", code(&command))).collect::<Vec<_>>().concat()
            };
            let listed = |(index, series): (usize, &SeriesReport)| {
                let (name, line) = (code(series.id()), escaped(&line(series)));
                format!("- {name}: {line}{}{}\n", commands(series), chart(index).unwrap_or_default())
            };
            series.into_iter().map(listed).collect()
        };
        Document {
            first_line: format!("**{}**\n", words::headline(report, &code)),
            reasons: why::lines(report, &code, &escaped).iter().map(|line| format!("- {line}\n")).collect(),
            cautions: words::unusable(report)
                .into_iter()
                .chain(words::cautions(report))
                .map(|caution| format!("\n{}\n", escaped(&caution)))
                .collect(),
            rows: report.series.iter().map(|series| row(report, series)).collect(),
            overview: images.overview.iter().map(|page| format!("\n![all series, worst first]({page})\n")).collect(),
            sections: needs_a_look
                .map(|(index, series)| Section::new(report, series, images.of_series[index].as_deref()))
                .collect(),
            gone: listed(gone, &|series| words::gone(report, series)),
            healthy: listed(healthy, &|series| words::healthy(report, series)),
            inputs: inputs(report),
        }
    }

    fn everything(&self) -> Kept {
        Kept {
            reasons: self.reasons.len(),
            cautions: self.cautions.len(),
            rows: self.rows.len(),
            overview: self.overview.len(),
            whole: self.sections.len(),
            short: 0,
            gone: self.gone.len(),
            healthy: self.healthy.len(),
            inputs: self.inputs.len(),
        }
    }

    fn text(&self, kept: &Kept, left_out: &str) -> String {
        let mut text = self.first_line.clone();
        text.push_str(left_out);
        if kept.reasons > 0 {
            text.push('\n');
            text.extend(self.reasons[..kept.reasons].iter().map(String::as_str));
        }
        text.extend(self.cautions[..kept.cautions].iter().map(String::as_str));
        if kept.rows > 0 {
            text.push('\n');
            text.push_str(&table_head());
            text.extend(self.rows[..kept.rows].iter().map(String::as_str));
        }
        text.extend(self.overview[..kept.overview].iter().map(String::as_str));
        let (whole, rest) = self.sections.split_at(kept.whole);
        text.extend(whole.iter().map(|section| section.whole.as_str()));
        text.extend(rest[..kept.short].iter().map(|section| section.short.as_str()));
        if kept.gone > 0 {
            text.push_str(GONE_HEAD);
            text.extend(self.gone[..kept.gone].iter().map(String::as_str));
        }
        if kept.healthy > 0 {
            text.push_str(HEALTHY_HEAD);
            text.extend(self.healthy[..kept.healthy].iter().map(String::as_str));
        }
        if kept.inputs > 0 {
            text.push_str(INPUTS_HEAD);
            text.extend(self.inputs[..kept.inputs].iter().map(String::as_str));
        }
        text
    }

    /// As much as fits, what matters most first.
    fn within(&self, limit: usize) -> String {
        /// Room for the sentence that says what is left out, in bytes.
        const NOTICE: usize = 600;
        let mut room = limit.saturating_sub(self.first_line.len() + NOTICE);
        let lengths = |parts: &[String]| parts.iter().map(String::len).collect::<Vec<_>>();
        let reasons = take_below(1, &lengths(&self.reasons), room / 4, &mut room);
        // Of many cautions or rows only some: a verdict without its reasons helps nobody.
        let cautions = take(&lengths(&self.cautions), room / 8, &mut room);
        let rows = take_below(table_head().len() + 1, &lengths(&self.rows), room / 3, &mut room);
        let overview = take(&lengths(&self.overview), room, &mut room);
        let whole: Vec<usize> = self.sections.iter().map(|section| section.whole.len()).collect();
        let whole = take(&whole, room, &mut room);
        let short: Vec<usize> = self.sections[whole..].iter().map(|section| section.short.len()).collect();
        let short = take(&short, room, &mut room);
        let (mut gone, mut healthy, mut inputs) = (0, 0, 0);
        // What is well is told only where all that is not has been.
        if whole + short == self.sections.len() {
            gone = take_below(GONE_HEAD.len(), &lengths(&self.gone), room, &mut room);
            healthy = take_below(HEALTHY_HEAD.len(), &lengths(&self.healthy), room, &mut room);
            inputs = take_below(INPUTS_HEAD.len(), &lengths(&self.inputs), room, &mut room);
        }
        let kept = Kept { reasons, cautions, rows, overview, whole, short, gone, healthy, inputs };
        self.text(&kept, &self.left_out(&kept, limit))
    }

    fn left_out(&self, kept: &Kept, limit: usize) -> String {
        let counted = |missing: usize, one: &str, many: &str| match missing {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{missing} {many}")),
        };
        let unsettled = self.sections.len() - kept.whole - kept.short;
        let parts = [
            counted(self.reasons.len() - kept.reasons, "reason", "reasons"),
            counted(self.cautions.len() - kept.cautions, "caution", "cautions"),
            counted(self.rows.len() - kept.rows, "row of the table", "rows of the table"),
            counted(self.overview.len() - kept.overview, "page of the overview", "pages of the overview"),
            counted(kept.short, "series' criteria and next action", "series' criteria and next actions"),
            counted(unsettled, "series that needs a look", "series that need a look"),
            counted(self.gone.len() - kept.gone, "series that is gone", "series that are gone"),
            counted(self.healthy.len() - kept.healthy, "healthy series", "healthy series"),
            (kept.inputs < self.inputs.len()).then(|| "what is known of the inputs".to_owned()),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        format!(
            "\nCut to {limit} bytes; the worst series were kept. Left out: {}. `verdict.json` has everything.\n",
            parts.join(", ")
        )
    }
}

/// How many parts of these lengths fit one after the other into `share`; what they take is taken from `room`.
fn take(lengths: &[usize], share: usize, room: &mut usize) -> usize {
    let mut used = 0;
    let mut count = 0;
    for length in lengths {
        if used + length > share.min(*room) {
            break;
        }
        used += length;
        count += 1;
    }
    *room -= used;
    count
}

/// The same for parts below a heading of `head` bytes, which is there only where a part is.
fn take_below(head: usize, lengths: &[usize], share: usize, room: &mut usize) -> usize {
    if room.saturating_sub(head) == 0 {
        return 0;
    }
    *room -= head;
    let count = take(lengths, share.saturating_sub(head), room);
    if count == 0 {
        *room += head;
    }
    count
}

fn table_head() -> String {
    let columns = table::HEADINGS;
    format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()))
}

fn row(report: &Report, series: &SeriesReport) -> String {
    let table::Row { outcome, finding, since, growth, now, limit, full, spark } =
        table::row(report, series, SPARK_CHARS);
    let (name, finding) = (code_cell(series.id()), cell(&finding));
    format!("| {outcome} | {name} | {finding} | {since} | {growth} | {now} | {limit} | {full} | {spark} |\n")
}

impl Section {
    fn new(report: &Report, series: &SeriesReport, chart: Option<&str>) -> Section {
        let mut short = format!("\n## {}: {}\n\n", code(series.id()), cell(&words::heading(series)));
        match chart {
            Some(chart) => short.push_str(&format!("![memory of {} over time]({chart})\n\n", escaped(series.id()))),
            None => short.push_str(&format!("{}\n\n", words::strip(report, series, STRIP_CHARS))),
        }
        short.push_str(&format!("{}.\n", escaped(&words::reasoning(report, series))));
        if let Some(grows) = parts::sentence(series) {
            short.push_str(&format!("\nWhat grows: {}.\n", escaped(&grows)));
        }
        if let Some(cause) = causes::paragraph(report, series) {
            short.push_str(&format!("\n{}\n", escaped(&cause)));
        }

        let mut whole = short.clone();
        let rows = parts::rows(report, series);
        if !rows.is_empty() {
            let columns = parts::HEADINGS;
            whole.push_str(&format!("\n| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len())));
            whole.extend(rows.iter().map(|[name, rest @ ..]| {
                format!("| {} | {} |\n", code_cell(name), rest.each_ref().map(|text| cell(text)).join(" | "))
            }));
        }
        whole.push_str("\n| criterion | status | why |\n|---|---|---|\n");
        let [id, status, why] = words::verdict_row(series);
        whole.push_str(&format!("| {id} | {status} | {} |\n", cell(&why)));
        for criterion in &series.criteria {
            whole.push_str(&format!(
                "| {} | {} | {} |\n",
                cell(&criterion.id),
                words::status(criterion),
                cell(&criterion.reason.to_string())
            ));
        }
        let restarts = words::restarts(report, series);
        if !restarts.is_empty() {
            whole.push_str(&format!("\n{}:\n\n", words::restarts_heading(series)));
            whole.extend(restarts.iter().map(|line| format!("- {}\n", escaped(line))));
        }
        if let Some(time) = series.time_to_limit {
            whole.push_str(&format!("\n{}\n", words::time_to_limit(time)));
        }
        whole.push_str(&format!("\n{}\n", escaped(&words::would_change(series))));
        if let Some(action) = &series.next_action {
            whole.push_str(&format!("\n{}\n", escaped(&words::next(series, action))));
            for (text, commands) in words::steps(action) {
                whole.push_str(&format!("\n{}\n", escaped(&text)));
                if !commands.is_empty() {
                    whole.push_str("\n```sh\n");
                    whole.extend(commands.iter().map(|command| format!("{}\n", printable(command))));
                    whole.push_str("```\n");
                }
            }
        }
        Section { whole, short }
    }
}

/// The table of inputs, then events, rejected lines, then what the settings ignore.
fn inputs(report: &Report) -> Vec<String> {
    let mut table = format!("| input | {} |\n|---|", account::INPUT_HEADINGS.join(" | "));
    table.push_str(&"---|".repeat(account::INPUT_HEADINGS.len()));
    table.push('\n');
    for input in &report.inputs {
        table.push_str(&format!("| {} | {} |\n", code_cell(&input.path), account::input_cells(input).join(" | ")));
    }
    let mut parts = vec![table];
    let accounts = report.inputs.iter().filter_map(|input| Some((input, account(input)?)));
    let accounts: Vec<String> =
        accounts.map(|(input, account)| format!("- {}: {account}\n", code(&input.path))).collect();
    if !accounts.is_empty() {
        parts.push(format!("\n{}", accounts.concat()));
    }
    parts.extend(account::events(report).iter().map(|events| format!("\n{}\n", escaped(events))));
    let rejected: Vec<String> = report
        .inputs
        .iter()
        .flat_map(|input| {
            input.rejected.iter().map(|rejected| {
                let (path, text, why) = (code(&input.path), code(&rejected.text), escaped(&rejected.why.to_string()));
                format!("- {path} line {}: {text} {why}\n", rejected.line)
            })
        })
        .collect();
    if !rejected.is_empty() {
        parts.push(format!("\nRejected lines (the first of each input):\n\n{}", rejected.concat()));
    }
    if !report.ignored.is_empty() {
        let ignored: Vec<String> = report.ignored.iter().map(|id| code(id)).collect();
        parts.push(format!("\nIgnored by the settings: {}\n", ignored.join(", ")));
    }
    parts
}
