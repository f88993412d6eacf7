//! The report as one HTML file that needs nothing else: charts are SVG elements, its style and script stand in it.
//!
//! Says what `verdict.md` says. Follows the reader into dark mode and onto paper, can be read with a keyboard, and
//! forbids by its own policy whatever is not part of it. Every element is closed, so that it is XML as well.

use rayon::prelude::*;

use super::account::{self, account};
use super::chart::{self, Chart, Theme};
use super::escape::{self, html as escaped, html_code as code, html_text};
use super::folder::Charts;
use super::{Report, SeriesReport, causes, parts, pictures, table as series_table, why, words};
use crate::next_action::NextAction;
use crate::policy::Outcome;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");
/// The SHA-256 of the script, in base 64: a browser runs no other.
const SCRIPT_HASH: &str = "hm3bdbzCG5FnZmb8UaAoxlIPqsMOau9pTHRSHgEiS4Q=";
/// Columns of a sparkline in the table.
const SPARK_CHARS: usize = 16;
/// Columns of a sparkline in place of a chart.
const STRIP_CHARS: usize = 60;

/// The report as an HTML document. `charts`: which series get one.
pub fn render(report: &Report, charts: Charts) -> String {
    let mut text = head(report);
    text.push_str("<body>\n<a class=\"skip\" href=\"#series\">Skip to the table of all series</a>\n<main>\n");
    let headline = words::headline(report, &code);
    text.push_str(&format!("<h1 class=\"{}\">{headline}</h1>\n", report.outcome.name()));
    let reasons: Vec<String> =
        why::lines(report, &code, &escaped).iter().map(|line| format!("<li>{line}</li>\n")).collect();
    if !reasons.is_empty() {
        text.push_str(&format!("<ul class=\"reasons\">\n{}</ul>\n", reasons.concat()));
    }
    for caution in words::unusable(report).into_iter().chain(words::cautions(report)) {
        text.push_str(&format!("<p>{}</p>\n", escaped(&caution)));
    }
    if !report.series.is_empty() {
        text.push_str(&all_series(report));
    }
    let overview: Vec<Chart<'_>> = charts.overview(report).iter().map(|series| pictures::of(report, series)).collect();
    for page in chart::inline_sheet("All series, worst first", &overview) {
        text.push_str(&figure("all series, worst first", &page));
    }
    let sections: Vec<String> = report
        .series
        .par_iter()
        .enumerate()
        .filter(|(_, series)| series.outcome > Outcome::Pass)
        .map(|(index, series)| section(report, index, series, charts.shows(series)))
        .collect();
    text.push_str(&sections.concat());
    text.push_str(&healthy(report, charts));
    text.push_str(&inputs(report));
    text.push_str(&format!(
        "</main>\n<footer>leaktrend {}</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    ));
    text
}

fn head(report: &Report) -> String {
    let title = html_text(&words::headline(report, &escape::printable));
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'"
    );
    let (light, dark) = (chart::page_colours(Theme::Light), chart::page_colours(Theme::Dark));
    // On paper everything is light.
    let colours = format!(
        ":root {{ color-scheme: light dark; {light} }}\n\
         @media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"referrer\" content=\"no-referrer\"/>\n\
         <title>{title}</title>\n<style>\n{colours}{STYLE}</style>\n</head>\n"
    )
}

fn tag(class: &str, text: &str) -> String {
    format!("<span class=\"tag {class}\">{text}</span>")
}

fn figure(label: &str, svg: &str) -> String {
    format!("<figure role=\"img\" aria-label=\"{}\">\n{svg}</figure>\n", html_text(label))
}

/// A table that a script makes sortable. `rows` are elements, `class` says what it becomes on a narrow screen.
///
/// `label` names the table for a screen reader, and differs between the tables of a page.
fn table(class: &str, label: &str, headings: &[&str], rows: &str) -> String {
    let headings: Vec<String> = headings.iter().map(|heading| format!("<th scope=\"col\">{heading}</th>")).collect();
    let label = html_text(label);
    format!(
        "<div class=\"table\" role=\"group\" aria-label=\"{label}\" tabindex=\"0\">\n<table class=\"sortable {class}\">\n\
         <thead><tr>{}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n",
        headings.concat()
    )
}

/// A cell that is sorted by a number; where there is none, last. Gives its attributes and its text.
fn number(text: &str, key: Option<f64>) -> (String, String) {
    let key = key.filter(|key| key.is_finite()).map_or(String::new(), |key| key.to_string());
    (format!("class=\"number\" data-key=\"{key}\""), html_text(text))
}

fn all_series(report: &Report) -> String {
    let rows: Vec<String> =
        report.series.iter().enumerate().map(|(index, series)| row(report, index, series)).collect();
    format!(
        "<div id=\"series\">{}</div>\n",
        table("cards", "all series, worst first", &series_table::HEADINGS, &rows.concat())
    )
}

fn row(report: &Report, index: usize, series: &SeriesReport) -> String {
    let words = series_table::row(report, series, SPARK_CHARS);
    let used = series.samples.used_bytes();
    let cells = [
        (format!("data-key=\"{index}\""), tag(series.outcome.name(), words.outcome)),
        ("class=\"name\"".to_owned(), format!("<a href=\"#series-{index}\">{}</a>", code(series.id()))),
        (String::new(), html_text(&words.finding)),
        number(&words.since, series.since().map(|since| since.at_ms as f64)),
        number(&words.growth, series.judgement.growth.map(|growth| growth.bytes_per_second)),
        number(&words.now, Some(used[used.len() - 1])),
        number(&words.limit, series.ceiling()),
        number(&words.full, series.time_to_limit.map(|time| time.seconds)),
        ("class=\"spark\" aria-hidden=\"true\"".to_owned(), words.spark),
    ];
    // The label heads the cell where the table is shown as cards.
    let cells: Vec<String> = series_table::HEADINGS
        .iter()
        .zip(&cells)
        .map(|(label, (attributes, text))| format!("<td data-label=\"{label}\" {attributes}>{text}</td>"))
        .collect();
    format!("<tr>{}</tr>\n", cells.concat())
}

fn picture(report: &Report, series: &SeriesReport, with_chart: bool) -> String {
    if with_chart {
        let label = format!("memory of {} over time: {}", series.id(), series.verdict().name());
        return figure(&label, &chart::inline_svg(&pictures::of(report, series)));
    }
    format!("<p class=\"strip\">{}</p>\n", html_text(&words::strip(report, series, STRIP_CHARS)))
}

fn section(report: &Report, index: usize, series: &SeriesReport, with_chart: bool) -> String {
    let outcome = series.outcome.name();
    let mut text = format!(
        "<section aria-labelledby=\"series-{index}\">\n<h2 id=\"series-{index}\">{} {}</h2>\n",
        code(series.id()),
        tag(outcome, &html_text(&words::heading(series))),
    );
    text.push_str(&picture(report, series, with_chart));
    text.push_str(&format!("<p>{}.</p>\n", escaped(&words::reasoning(report, series))));
    if let Some(grows) = parts::sentence(series) {
        text.push_str(&format!("<p>What grows: {}.</p>\n", escaped(&grows)));
    }
    let amounts: Vec<String> = parts::rows(report, series)
        .iter()
        .map(|[name, rest @ ..]| {
            let rest = rest.each_ref().map(|text| format!("<td>{}</td>", html_text(text)));
            format!("<tr><td class=\"name\">{}</td>{}</tr>\n", code(name), rest.concat())
        })
        .collect();
    if !amounts.is_empty() {
        text.push_str(&table("", &format!("amounts of {}", series.id()), &parts::HEADINGS, &amounts.concat()));
    }
    if let Some(cause) = causes::paragraph(report, series) {
        text.push_str(&format!("<p>{}</p>\n", escaped(&cause)));
    }
    let [id, status, why] = words::verdict_row(series);
    let verdict =
        format!("<tr><td class=\"id\">{id}</td><td class=\"id\">{status}</td><td>{}</td></tr>\n", escaped(&why));
    let criteria: Vec<String> = series
        .criteria
        .iter()
        .map(|criterion| {
            let status = words::status(criterion);
            format!(
                "<tr><td class=\"id\">{}</td><td class=\"id\">{status}</td><td>{}</td></tr>\n",
                escaped(&criterion.id),
                escaped(&criterion.reason.to_string())
            )
        })
        .collect();
    let label = format!("criteria of {}", series.id());
    text.push_str(&table("lines", &label, &["criterion", "status", "why"], &(verdict + &criteria.concat())));
    let restarts = words::restarts(report, series);
    if !restarts.is_empty() {
        text.push_str(&format!("<h3>{}</h3>\n<ul>\n", words::restarts_heading(series)));
        text.extend(restarts.iter().map(|line| format!("<li>{}</li>\n", escaped(line))));
        text.push_str("</ul>\n");
    }
    if let Some(time) = series.time_to_limit {
        text.push_str(&format!("<p>{}</p>\n", html_text(&words::time_to_limit(time))));
    }
    text.push_str(&format!("<p>{}</p>\n", escaped(&words::would_change(series))));
    if let Some(action) = &series.next_action {
        text.push_str(&format!("<p>{}</p>\n", escaped(&words::next(series, action))));
        for (step, commands) in words::steps(action) {
            text.push_str(&format!("<p>{}</p>\n", escaped(&step)));
            if !commands.is_empty() {
                let commands: Vec<String> = commands.iter().map(|command| html_text(command)).collect();
                text.push_str(&format!("<pre tabindex=\"0\"><code>{}</code></pre>\n", commands.join("\n")));
            }
        }
    }
    text.push_str("</section>\n");
    text
}

fn healthy(report: &Report, charts: Charts) -> String {
    let healthy: Vec<(usize, &SeriesReport)> =
        report.series.iter().enumerate().filter(|(_, series)| series.outcome == Outcome::Pass).collect();
    let (gone, healthy): (Vec<_>, Vec<_>) = healthy.into_iter().partition(|(_, series)| series.is_gone_quietly());
    let gone = listed(report, charts, "Gone", &gone, &|series| words::gone(report, series));
    gone + &listed(report, charts, "Healthy", &healthy, &|series| words::healthy(report, series))
}

/// Series with a line each below a heading; nothing without any.
fn listed(
    report: &Report,
    charts: Charts,
    heading: &str,
    series: &[(usize, &SeriesReport)],
    line: &(dyn Fn(&SeriesReport) -> String + Sync),
) -> String {
    if series.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = series
        .par_iter()
        .map(|&(index, series)| {
            let picture = if charts.shows(series) { picture(report, series, true) } else { String::new() };
            let reason = escaped(&line(series));
            let commands = series.next_action.iter().flat_map(NextAction::commands);
            let commands = commands.map(|command| format!(" {}", code(&command))).collect::<Vec<_>>().concat();
            format!("<li id=\"series-{index}\">{}: {reason}{commands}\n{picture}</li>\n", code(series.id()))
        })
        .collect();
    format!("<section>\n<h2>{heading}</h2>\n<ul>\n{}</ul>\n</section>\n", lines.concat())
}

fn inputs(report: &Report) -> String {
    let cells = |input| account::input_cells(input).map(|cell| format!("<td class=\"number\">{cell}</td>")).concat();
    let rows: Vec<String> = report
        .inputs
        .iter()
        .map(|input| format!("<tr><td class=\"name\">{}</td>{}</tr>\n", code(&input.path), cells(input)))
        .collect();
    let headings: Vec<&str> = ["input"].into_iter().chain(account::INPUT_HEADINGS).collect();
    let mut text = format!("<section>\n<h2>Inputs</h2>\n{}", table("", "inputs", &headings, &rows.concat()));
    let accounts = report.inputs.iter().filter_map(|input| Some((input, account(input)?)));
    let accounts: Vec<String> =
        accounts.map(|(input, account)| format!("<li>{}: {account}</li>\n", code(&input.path))).collect();
    if !accounts.is_empty() {
        text.push_str(&format!("<ul>\n{}</ul>\n", accounts.concat()));
    }
    text.extend(account::events(report).iter().map(|events| format!("<p>{}</p>\n", escaped(events))));
    let rejected: Vec<String> = report
        .inputs
        .iter()
        .flat_map(|input| {
            input.rejected.iter().map(|rejected| {
                let (path, text) = (code(&input.path), code(&rejected.text));
                format!("<li>{path} line {}: {text} {}</li>\n", rejected.line, escaped(&rejected.why.to_string()))
            })
        })
        .collect();
    if !rejected.is_empty() {
        let rejected = rejected.concat();
        text.push_str(&format!("<p>Rejected lines (the first of each input):</p>\n<ul>\n{rejected}</ul>\n"));
    }
    if !report.ignored.is_empty() {
        let ignored: Vec<String> = report.ignored.iter().map(|id| code(id)).collect();
        text.push_str(&format!("<p>Ignored by the settings: {}</p>\n", ignored.join(", ")));
    }
    text.push_str("</section>\n");
    text
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_policy_allows_the_script_and_no_other() {
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
        assert_eq!(SCRIPT_HASH, hash, "SCRIPT_HASH is that of an older script");
    }

    #[test]
    fn the_script_is_xml_text_too() {
        assert!(!SCRIPT.contains(['<', '&']), "the whole document is to be read as XML");
        assert!(!STYLE.contains(['<', '&']));
    }
}
