//! Many charts on a page, small, over one time axis: what they have in common can be seen, and what they have not.

use super::axis;
use super::canvas::{Anchor, Area, Canvas, Drawing, Lettering, document};
use super::curve::Frame;
use super::panel;
use super::plot::{self, Ink};
use super::text::{Weight, clean, fitted, fitted_name, width};
use super::theme::{Colour, Palette};
use super::{Chart, CurveKind, SHEET_CAPACITY};

/// Free space around the charts, in pixels.
const MARGIN: f64 = 24.0;
/// The size of one chart with its texts and the space after it, in pixels.
const CELL: (f64, f64) = (336.0, 172.0);
/// Space for the heading, in pixels.
const HEADING: f64 = 72.0;
/// Space for a row of time labels, in pixels.
const FOOT: f64 = 52.0;
/// Where more than half of the charts would take less than this share of a common time axis, each has its own.
const LEAST_SHARE: f64 = 0.05;
/// The em of labels, in pixels.
const LABEL: f64 = 13.0;

/// Draws charts, one drawing for each page.
pub(super) fn draw(heading: &str, charts: &[Chart], palette: &Palette) -> Vec<Drawing> {
    let n_pages = charts.len().div_ceil(SHEET_CAPACITY);
    charts
        .chunks(SHEET_CAPACITY)
        .enumerate()
        .map(|(index, page)| {
            let number = if n_pages > 1 { format!("page {} of {n_pages}", index + 1) } else { String::new() };
            draw_page(heading, &number, page, palette)
        })
        .collect()
}

/// Columns of a page of `n` charts: about as wide as a screen, and no row with one lonely chart if that can be helped.
fn columns(n: usize) -> usize {
    match n {
        0..=3 => n.max(2),
        4 => 2,
        5..=9 => 3,
        10..=16 => 4,
        _ => 5,
    }
}

fn draw_page(heading: &str, number: &str, charts: &[Chart], palette: &Palette) -> Drawing {
    let n_columns = columns(charts.len());
    let n_rows = charts.len().div_ceil(n_columns);
    let shared = shared_time(charts);
    let (row_height, foot) = if shared.is_some() { (CELL.1, FOOT) } else { (CELL.1 + FOOT - 14.0, 20.0) };
    let width_px = 2.0 * MARGIN + n_columns as f64 * CELL.0 - 16.0;
    let height_px = HEADING + n_rows as f64 * row_height + foot;
    let names: Vec<&str> = charts.iter().map(|chart| chart.title.as_str()).collect();
    let (prefix, suffix) = in_common(&names);
    document(width_px as u32, height_px as u32, |canvas| {
        canvas.rect(Area { left: 0.0, top: 0.0, right: width_px, bottom: height_px }, palette.page);
        // Whoever compares heights must know.
        let scale = match (charts.len(), shared.is_some()) {
            (..2, _) => "",
            (_, true) => "each with its own memory axis",
            (_, false) => "each with its own axes",
        };
        let number = [scale, number].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        let number_width = width(&number, 16.0, Weight::Regular);
        let room = width_px - 2.0 * MARGIN - number_width - 16.0;
        let title = fitted(heading, 22.0, Weight::Bold, room);
        let lettering = Lettering { size: 22.0, weight: Weight::Bold, colour: palette.text };
        canvas.text(&title, (MARGIN, 40.0), Anchor::Left, lettering);
        let lettering = Lettering { size: 16.0, weight: Weight::Regular, colour: palette.muted };
        canvas.text(&number, (width_px - MARGIN, 40.0), Anchor::Right, lettering);
        canvas.text(&legend(charts), (MARGIN, 58.0), Anchor::Left, label(palette.muted));
        for (index, chart) in charts.iter().enumerate() {
            let (row, column) = (index / n_columns, index % n_columns);
            let left = MARGIN + column as f64 * CELL.0;
            let top = HEADING + row as f64 * row_height;
            let cell = Area { left, top, right: left + CELL.0 - 16.0, bottom: top + CELL.1 - 14.0 };
            let is_lowest = index + n_columns >= charts.len();
            let own = chart.title.get(prefix..chart.title.len().saturating_sub(suffix)).unwrap_or_default();
            let title = Title { whole: &chart.title, own, cut: (prefix > 0, suffix > 0) };
            draw_cell(canvas, chart, &title, shared, cell, is_lowest, palette);
        }
    })
}

/// What the lines and marks on a page mean, as far as it has them: in small charts they have no labels of their own.
fn legend(charts: &[Chart]) -> String {
    let parts = [
        (charts.iter().any(|chart| chart.limit.is_some()), "red dashes: limit"),
        (charts.iter().any(|chart| !chart.thresholds.is_empty()), "dotted: threshold of a rule"),
        (charts.iter().any(|chart| !chart.restarts.is_empty()), "triangle: restart"),
        (
            charts.iter().flat_map(|chart| &chart.fit).any(|fit| fit.kind == CurveKind::Unproven),
            "blue dashes: not proven",
        ),
    ];
    let shown: Vec<&str> = parts.into_iter().filter(|(is_shown, _)| *is_shown).map(|(_, words)| words).collect();
    shown.join(", ")
}

/// The time in view of all charts, and whether it is relative; `None` where the charts lie too far apart. Charts that
/// count time otherwise than the first keep a time axis of their own.
fn shared_time(charts: &[Chart]) -> Option<((f64, f64), bool)> {
    let relative = charts.first().is_some_and(|chart| chart.relative_time);
    let times: Vec<(f64, f64)> =
        charts.iter().filter(|chart| chart.relative_time == relative).filter_map(plot::sampled_time).collect();
    let Some((start, end)) = times.iter().copied().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
        return Some(((0.0, 60_000.0), relative));
    };
    if end <= start {
        return Some(((start - 300_000.0, end + 300_000.0), relative));
    }
    let n_narrow = times.iter().filter(|time| time.1 - time.0 < LEAST_SHARE * (end - start)).count();
    (2 * n_narrow <= times.len()).then_some(((start, end), relative))
}

/// The name of a chart, and the part of it that no other on the page has.
struct Title<'a> {
    whole: &'a str,
    own: &'a str,
    /// Whether something stands before and after that part.
    cut: (bool, bool),
}

impl Title<'_> {
    /// The whole name where it fits, else what tells it from the others.
    fn fitted(&self, size: f64, room: f64) -> String {
        let whole = clean(self.whole);
        if width(&whole, size, Weight::Bold) <= room || self.own.is_empty() {
            return fitted_name(&whole, size, Weight::Bold, room);
        }
        let (before, after) = (if self.cut.0 { "…" } else { "" }, if self.cut.1 { "…" } else { "" });
        fitted_name(&format!("{before}{}{after}", self.own), size, Weight::Bold, room)
    }
}

/// How many bytes at the start and at the end all of several names have in common, up to the last sign that parts words.
fn in_common(names: &[&str]) -> (usize, usize) {
    let [first, rest @ ..] = names else { return (0, 0) };
    if rest.is_empty() {
        return (0, 0);
    }
    let parts = |c: char| !c.is_alphanumeric();
    let prefix = rest.iter().fold(*first, |common, name| {
        let alike = common.char_indices().zip(name.chars()).find(|((_, a), b)| a != b).map(|((at, _), _)| at);
        &common[..alike.unwrap_or(common.len().min(name.len()))]
    });
    let prefix = prefix.char_indices().rfind(|(_, c)| parts(*c)).map_or(0, |(at, c)| at + c.len_utf8());
    let suffix = rest.iter().fold(&first[prefix..], |common, name| {
        let name = &name[prefix..];
        let differs = common.char_indices().rev().zip(name.chars().rev()).find(|((_, a), b)| a != b);
        let from = differs.map_or(common.len().saturating_sub(name.len()), |((at, c), _)| at + c.len_utf8());
        &common[from..]
    });
    let suffix = suffix.find(parts).map_or(0, |at| suffix.len() - at);
    (prefix, suffix)
}

fn label(colour: Colour) -> Lettering {
    Lettering { size: LABEL, weight: Weight::Regular, colour }
}

fn draw_cell(
    canvas: &mut Canvas,
    chart: &Chart,
    title: &Title,
    shared: Option<((f64, f64), bool)>,
    cell: Area,
    is_lowest: bool,
    palette: &Palette,
) {
    // Without its forecast: the page has one time axis.
    let past = Chart { forecast: None, ..chart.clone() };
    let window = plot::window(&past);
    let common = shared.filter(|(_, relative)| chart.relative_time == *relative).map(|(time, _)| time);
    let time = common.unwrap_or(window.time);
    let area = Area { left: cell.left + 62.0, top: cell.top + 30.0, ..cell };
    let frame = Frame { area, time, memory: window.memory };

    let badge = palette.badge(chart.tone);
    // What made the outcome, where the verdict did not: a level in red says nothing.
    let verdict = fitted(chart.besides.as_ref().unwrap_or(&chart.verdict), LABEL, Weight::Bold, 176.0);
    let verdict_width = width(&verdict, LABEL, Weight::Bold) + 14.0;
    let title = title.fitted(15.0, cell.width() - verdict_width - 8.0);
    let lettering = Lettering { size: 15.0, weight: Weight::Bold, colour: palette.text };
    canvas.text(&title, (cell.left, cell.top + 17.0), Anchor::Left, lettering);
    if !verdict.is_empty() {
        let tag =
            Area { left: cell.right - verdict_width, right: cell.right, top: cell.top + 2.0, bottom: cell.top + 22.0 };
        canvas.rounded(tag, 4.0, badge);
        let lettering = Lettering { size: LABEL, weight: Weight::Bold, colour: palette.on_badge };
        canvas.text(&verdict, (f64::midpoint(tag.left, tag.right), cell.top + 16.5), Anchor::Middle, lettering);
    }

    for tick in axis::memory_ticks(window.memory.0, window.memory.1, 3) {
        let y = frame.y(tick.at).round();
        canvas.rect(Area { top: y, bottom: y + 1.0, ..area }, palette.grid);
        canvas.text(&tick.label, (area.left - 6.0, y + 5.0), Anchor::Right, label(palette.muted));
    }
    canvas.rect(Area { top: area.bottom, bottom: area.bottom + 1.0, ..area }, palette.axis);
    let ticks = panel::time_ticks(chart, time, 3);
    for tick in &ticks.times {
        let x = frame.x(tick.at).round().min(area.right - 1.0);
        canvas.rect(Area { left: x, right: x + 1.0, top: area.bottom, bottom: area.bottom + 4.0 }, palette.axis);
    }
    if is_lowest || common.is_none() {
        time_labels(canvas, &frame, &ticks, cell, is_lowest || shared.is_none(), palette);
    }

    let mut ink = Ink::new(area);
    for restart in chart.restarts.iter().filter(|restart| frame.holds_time(restart.time_ms as f64)).take(200) {
        let x = frame.x(restart.time_ms as f64);
        let colour = if restart.out_of_memory { palette.limit } else { palette.restart };
        canvas.polygon(&[(x, area.top), (x - 3.5, area.top - 6.0), (x + 3.5, area.top - 6.0)], colour, 1.0);
    }
    plot::samples(canvas, &frame, chart, palette, 1.2, &mut ink);
    plot::level_lines(canvas, &frame, chart, palette, 1.25);
    plot::curves(canvas, &frame, &past, palette, 2.0, &mut ink);
}

fn time_labels(
    canvas: &mut Canvas,
    frame: &Frame,
    ticks: &axis::TimeTicks,
    cell: Area,
    with_dates: bool,
    palette: &Palette,
) {
    for (row, ticks, colour) in [(18.0, &ticks.times, palette.muted), (35.0, &ticks.dates, palette.text)] {
        if row > 20.0 && !with_dates {
            continue;
        }
        let mut free_from = cell.left;
        for tick in ticks {
            let half = width(&tick.label, LABEL, Weight::Regular) / 2.0;
            let x = frame.x(tick.at).min(cell.right - half + 6.0).max(cell.left + half);
            if free_from <= x - half {
                canvas.text(&tick.label, (x, frame.area.bottom + row), Anchor::Middle, label(colour));
                free_from = x + half + 8.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_names_have_in_common_is_found_in_whole_words() {
        for (names, expected) in [
            (&["vedfinance-api", "vedfinance-apis"][..], ("vedfinance-", "")),
            (&["m{i=\"a1\", j=\"b\"}", "m{i=\"a2\", j=\"b\"}"], ("m{i=\"", "\", j=\"b\"}")),
            (&["web", "api"], ("", "")),
            (&["web", "web"], ("", "")),
            (&["a-b-c", "a-b-c", "a-x-c"], ("a-", "-c")),
            (&["only"], ("", "")),
            (&["é-a", "é-b"], ("é-", "")),
            (&["a-", "a-a-"], ("a-", "")),
        ] {
            let (prefix, suffix) = in_common(names);
            let name = names[0];
            assert_eq!((&name[..prefix], &name[name.len() - suffix..]), expected, "{names:?}");
        }
    }

    #[test]
    fn charts_that_lie_far_apart_have_time_axes_of_their_own() {
        let hour = |from: i64| [from, from + 3_600_000];
        let year = 365 * 24 * 3_600_000;
        let used = [1e6, 2e6];
        let page = |starts: &[i64]| {
            let times: Vec<[i64; 2]> = starts.iter().map(|&start| hour(start)).collect();
            let charts: Vec<Chart> = times.iter().map(|time_ms| Chart::of_samples("web", time_ms, &used)).collect();
            shared_time(&charts).is_some()
        };
        assert!(page(&[0, 0, 1000]));
        assert!(!page(&[0, year, 2 * year]));
    }
}
