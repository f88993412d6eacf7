//! Many charts on a page, small, over one time axis: what they have in common can be seen, and what they have not.

use super::axis;
use super::canvas::{Anchor, Area, Canvas, Lettering, document};
use super::curve::Frame;
use super::panel;
use super::plot::{self, Ink};
use super::text::{Weight, fitted, width};
use super::theme::{Colour, Palette, Theme};
use super::{Chart, SHEET_CAPACITY};

/// Free space around the charts, in pixels.
const MARGIN: f64 = 24.0;
/// The size of one chart with its texts and the space after it, in pixels.
const CELL: (f64, f64) = (336.0, 172.0);
/// Space for the heading, in pixels.
const HEADING: f64 = 64.0;
/// Space for the last row of time labels, in pixels.
const FOOT: f64 = 52.0;
/// The em of labels, in pixels.
const LABEL: f64 = 13.0;

/// Draws charts as SVG documents, one for each page.
pub(super) fn draw(heading: &str, charts: &[Chart], theme: Theme) -> Vec<String> {
    let n_pages = charts.len().div_ceil(SHEET_CAPACITY);
    charts
        .chunks(SHEET_CAPACITY)
        .enumerate()
        .map(|(index, page)| {
            let number = if n_pages > 1 { format!("page {} of {n_pages}", index + 1) } else { String::new() };
            draw_page(heading, &number, page, Palette::of(theme))
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

fn draw_page(heading: &str, number: &str, charts: &[Chart], palette: &Palette) -> String {
    let n_columns = columns(charts.len());
    let n_rows = charts.len().div_ceil(n_columns);
    let width_px = 2.0 * MARGIN + n_columns as f64 * CELL.0 - 16.0;
    let height_px = HEADING + n_rows as f64 * CELL.1 + FOOT;
    let shared = shared_time(charts);
    document(width_px as u32, height_px as u32, |canvas| {
        canvas.rect(Area { left: 0.0, top: 0.0, right: width_px, bottom: height_px }, palette.page);
        let number_width = width(number, 16.0, Weight::Regular);
        let room = width_px - 2.0 * MARGIN - number_width - 16.0;
        let title = fitted(heading, 22.0, Weight::Bold, room);
        let lettering = Lettering { size: 22.0, weight: Weight::Bold, colour: palette.text };
        canvas.text(&title, (MARGIN, 40.0), Anchor::Left, lettering);
        let lettering = Lettering { size: 16.0, weight: Weight::Regular, colour: palette.muted };
        canvas.text(number, (width_px - MARGIN, 40.0), Anchor::Right, lettering);
        for (index, chart) in charts.iter().enumerate() {
            let (row, column) = (index / n_columns, index % n_columns);
            let left = MARGIN + column as f64 * CELL.0;
            let top = HEADING + row as f64 * CELL.1;
            let cell = Area { left, top, right: left + CELL.0 - 16.0, bottom: top + CELL.1 - 14.0 };
            let is_lowest = index + n_columns >= charts.len();
            draw_cell(canvas, chart, shared, cell, is_lowest, palette);
        }
    })
}

/// The time in view of all charts, and whether it is relative. Charts that count time otherwise than the first
/// keep a time axis of their own.
fn shared_time(charts: &[Chart]) -> ((f64, f64), bool) {
    let relative = charts.first().is_some_and(|chart| chart.relative_time);
    let alike = charts.iter().filter(|chart| chart.relative_time == relative);
    let time = alike.filter_map(plot::sampled_time).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    match time {
        Some((start, end)) if start < end => ((start, end), relative),
        Some((start, end)) => ((start - 300_000.0, end + 300_000.0), relative),
        None => ((0.0, 60_000.0), relative),
    }
}

fn label(colour: Colour) -> Lettering {
    Lettering { size: LABEL, weight: Weight::Regular, colour }
}

fn draw_cell(
    canvas: &mut Canvas,
    chart: &Chart,
    (shared, relative): ((f64, f64), bool),
    cell: Area,
    is_lowest: bool,
    palette: &Palette,
) {
    // Without its forecast: the page has one time axis.
    let past = Chart { forecast: None, ..chart.clone() };
    let window = plot::window(&past);
    let time = if chart.relative_time == relative { shared } else { window.time };
    let area = Area { left: cell.left + 62.0, top: cell.top + 30.0, ..cell };
    let frame = Frame { area, time, memory: window.memory };

    let badge = palette.badge(chart.tone);
    let verdict = fitted(&chart.verdict, LABEL, Weight::Bold, 176.0);
    let verdict_width = width(&verdict, LABEL, Weight::Bold) + 14.0;
    let title = fitted(&chart.title, 15.0, Weight::Bold, cell.width() - verdict_width - 8.0);
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
    if is_lowest || chart.relative_time != relative {
        time_labels(canvas, &frame, &ticks, cell, is_lowest, palette);
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
