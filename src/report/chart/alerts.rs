//! When alerts were pending and firing: a lane with its name for each rule, one under another below the plot.

use super::canvas::{Anchor, Area, Canvas, Lettering, Point};
use super::curve::Frame;
use super::panel::{LABEL, MARGIN, in_view, label};
use super::text::{Weight, clean, fitted, fitted_name, width};
use super::theme::Palette;
use super::{Chart, SpanKind, TimeSpan, WIDTH};

/// From the plot to the first lane, in pixels.
const ABOVE: f64 = 9.0;
/// The height of a bar.
const BAR: f64 = 21.0;
/// From one lane to the next.
const LANE: f64 = 25.0;
/// More rules share the last lane.
const MOST: usize = 6;
/// The widest name of a lane.
const WIDEST: f64 = 200.0;
/// The em of the words in a bar.
const WORDS: f64 = 15.0;

/// A rule and when it was pending or firing.
struct Lane<'c> {
    name: String,
    spans: Vec<&'c TimeSpan>,
}

/// The lanes of a chart, in the order in which their rules come.
fn lanes<'c>(chart: &'c Chart<'_>) -> Vec<Lane<'c>> {
    let mut lanes: Vec<Lane<'c>> = Vec::new();
    for span in chart.spans.iter().filter(|span| span.kind != SpanKind::Load) {
        let name = if span.label.is_empty() { "alerts" } else { &span.label };
        match lanes.iter_mut().find(|lane| lane.name == name) {
            Some(lane) => lane.spans.push(span),
            None => lanes.push(Lane { name: name.to_owned(), spans: vec![span] }),
        }
    }
    if lanes.len() > MOST {
        let rest = lanes.split_off(MOST - 1);
        let name = format!("{} more rules", rest.len());
        lanes.push(Lane { name, spans: rest.into_iter().flat_map(|lane| lane.spans).collect() });
    }
    lanes
}

/// How much room the lanes take below the plot, in pixels; 0 without any.
pub(super) fn height(chart: &Chart) -> f64 {
    match lanes(chart).len() {
        0 => 0.0,
        n => ABOVE + BAR + LANE * (n - 1) as f64,
    }
}

/// The width of the widest name of a lane.
pub(super) fn widest_label(chart: &Chart) -> f64 {
    let name =
        |lane: &Lane<'_>| width(&fitted_name(&lane.name, LABEL, Weight::Regular, WIDEST), LABEL, Weight::Regular);
    lanes(chart).iter().map(name).fold(0.0, f64::max)
}

/// Draws the lanes below the plot.
pub(super) fn draw(canvas: &mut Canvas, chart: &Chart, frame: &Frame, palette: &Palette) {
    for (index, lane) in lanes(chart).iter().enumerate() {
        let top = frame.area.bottom + ABOVE + LANE * index as f64;
        let strip = Area { top, bottom: top + BAR, ..frame.area };
        let name = fitted_name(&lane.name, LABEL, Weight::Regular, WIDEST);
        canvas.text(&name, (strip.left - 12.0, strip.bottom - 5.0), Anchor::Right, label(palette.text));
        canvas.rect(Area { top: strip.bottom - 1.0, ..strip }, palette.grid);
        for kind in [SpanKind::Pending, SpanKind::Firing] {
            let (colour, on_colour, words, lower) = match kind {
                SpanKind::Pending => (palette.pending, palette.on_pending, "pending", 4.0),
                _ => (palette.firing, palette.on_firing, "firing", 0.0),
            };
            for area in merged(frame, lane, kind) {
                canvas.rect(Area { top: strip.top + lower, bottom: strip.bottom, ..area }, colour);
                if width(words, WORDS, Weight::Regular) + 12.0 <= area.width() {
                    let lettering = Lettering { size: WORDS, weight: Weight::Regular, colour: on_colour };
                    canvas.text(words, (area.left + 6.0, strip.bottom - 4.5), Anchor::Left, lettering);
                }
            }
        }
    }
}

/// The spans of a kind in view. Those that touch become one: an alert that flaps would be thousands.
fn merged(frame: &Frame, lane: &Lane<'_>, kind: SpanKind) -> Vec<Area> {
    let of_kind = lane.spans.iter().filter(|span| span.kind == kind);
    let mut spans: Vec<Area> = of_kind.filter_map(|span| in_view(frame, span)).collect();
    spans.sort_by(|a, b| a.left.total_cmp(&b.left));
    let mut merged: Vec<Area> = Vec::new();
    for area in spans {
        match merged.last_mut() {
            Some(last) if area.left <= last.right + 0.5 => last.right = last.right.max(area.right),
            _ => merged.push(area),
        }
    }
    merged
}

/// What the colours of the lanes mean, and which rules fired to the end.
pub(super) fn legend(canvas: &mut Canvas, chart: &Chart, (left, baseline): Point, palette: &Palette) {
    let end_ms = chart.time_ms.last().copied().unwrap_or(i64::MAX);
    let has = |kind: SpanKind| chart.spans.iter().any(|span| span.kind == kind);
    let fires_on = |lane: &Lane<'_>| {
        lane.spans.iter().any(|span| span.kind == SpanKind::Firing && !span.label.is_empty() && span.end_ms >= end_ms)
    };
    let still: Vec<String> = lanes(chart).into_iter().filter(fires_on).map(|lane| lane.name).collect();
    let firing = if still.is_empty() {
        "firing".to_owned()
    } else {
        format!("firing (still firing at the end: {})", still.join(", "))
    };
    let mut x = left;
    for (kind, colour, text) in
        [(SpanKind::Pending, palette.pending, "pending".to_owned()), (SpanKind::Firing, palette.firing, firing)]
    {
        if !has(kind) {
            continue;
        }
        let text = fitted(&clean(&text), LABEL, Weight::Regular, f64::from(WIDTH) - MARGIN - x - 24.0);
        canvas.rect(Area { left: x, right: x + 14.0, top: baseline - 12.0, bottom: baseline + 2.0 }, colour);
        canvas.text(&text, (x + 22.0, baseline), Anchor::Left, label(palette.muted));
        x += 22.0 + width(&text, LABEL, Weight::Regular) + 28.0;
    }
}
