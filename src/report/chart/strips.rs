//! The parts of a series below it, one under another over the same time, each with a memory axis of its own.

use super::Chart;
use super::axis;
use super::canvas::{Anchor, Area, Canvas, Lettering};
use super::curve::Frame;
use super::plot::{self, Ink};
use super::text::{Weight, clean, fitted, fitted_name, width};
use super::theme::Palette;

/// The height of one part with its title and the space after it, in pixels.
const STRIP: f64 = 124.0;
/// Space for its title.
const TITLE: f64 = 30.0;
/// Space after it.
const GAP: f64 = 16.0;
/// Free space below the last.
const FOOT: f64 = 8.0;
/// The em of labels: half of it can still be read.
const LABEL: f64 = 16.0;
/// More parts are not drawn: the table has them.
const MOST: usize = 8;

/// How much higher its parts make a chart, in pixels.
pub(super) fn height(chart: &Chart) -> u32 {
    match shown(chart).len() {
        0 => 0,
        n => (n as f64 * STRIP + FOOT) as u32,
    }
}

fn shown<'c, 'a>(chart: &'c Chart<'a>) -> &'c [Chart<'a>] {
    &chart.parts[..chart.parts.len().min(MOST)]
}

/// The width of the widest label of a memory axis among the parts.
pub(super) fn widest_label(chart: &Chart) -> f64 {
    let ticks = shown(chart).iter().flat_map(|part| {
        let memory = plot::window(part).memory;
        axis::memory_ticks(memory.0, memory.1, 2)
    });
    ticks.map(|tick| width(&tick.label, LABEL, Weight::Regular)).fold(0.0, f64::max)
}

/// The time in view: that of the chart, and of all its parts.
pub(super) fn time(chart: &Chart, time: (f64, f64)) -> (f64, f64) {
    let of_parts = shown(chart).iter().filter_map(plot::sampled_time);
    of_parts.fold(time, |a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// Draws the parts from `top` on, below a plot that reaches from `left` to `right`.
pub(super) fn draw(
    canvas: &mut Canvas,
    chart: &Chart,
    (left, right): (f64, f64),
    top: f64,
    time: (f64, f64),
    palette: &Palette,
) {
    for (index, part) in shown(chart).iter().enumerate() {
        let top = top + index as f64 * STRIP;
        let area = Area { left, right, top: top + TITLE, bottom: top + STRIP - GAP };
        title(canvas, part, (left, right), top + 20.0, palette);
        let frame = Frame { area, time, memory: plot::window(part).memory };
        for tick in axis::memory_ticks(frame.memory.0, frame.memory.1, 2) {
            let y = frame.y(tick.at).round();
            canvas.rect(Area { top: y, bottom: y + 1.0, ..area }, palette.grid);
            let lettering = Lettering { size: LABEL, weight: Weight::Regular, colour: palette.muted };
            canvas.text(&tick.label, (left - 12.0, y + 6.0), Anchor::Right, lettering);
        }
        canvas.rect(Area { top: area.bottom, bottom: area.bottom + 1.0, ..area }, palette.axis);
        let mut ink = Ink::new(area);
        plot::samples(canvas, &frame, part, palette, 1.2, &mut ink);
        plot::curves(canvas, &frame, part, palette, 2.5, &mut ink);
    }
}

/// The name of a part, its verdict by itself, and its growth.
fn title(canvas: &mut Canvas, part: &Chart, (left, right): (f64, f64), baseline: f64, palette: &Palette) {
    let name = fitted_name(&part.title, LABEL, Weight::Bold, 0.5 * (right - left));
    let lettering = |weight, colour| Lettering { size: LABEL, weight, colour };
    canvas.text(&name, (left, baseline), Anchor::Left, lettering(Weight::Bold, palette.text));
    let after = left + width(&name, LABEL, Weight::Bold) + 12.0;
    let verdict = fitted(&clean(&part.verdict), LABEL, Weight::Bold, 0.25 * (right - left));
    canvas.text(&verdict, (after, baseline), Anchor::Left, lettering(Weight::Bold, palette.badge(part.tone)));
    let after = after + width(&verdict, LABEL, Weight::Bold) + 12.0;
    let growth = fitted(&clean(&part.subtitle), LABEL, Weight::Regular, right - after);
    canvas.text(&growth, (after, baseline), Anchor::Left, lettering(Weight::Regular, palette.muted));
}
