//! One chart, large: its layout, and everything that has a text.

use super::alerts;
use super::axis::{self, TimeTicks};
use super::canvas::{Anchor, Area, Canvas, Drawing, Lettering, Point, document};
use super::curve::{self, Frame};
use super::plot::{self, Ink, Window};
use super::strips;
use super::text::{Weight, clean, fitted, fitted_name, width};
use super::theme::{Colour, Palette};
use super::{Chart, Curve, HEIGHT, RestartMark, SpanKind, StepMark, TimeSpan, WIDTH};
use crate::units;

/// Free space at the left and right of the picture, in pixels.
pub(super) const MARGIN: f64 = 28.0;
/// The em of labels, in pixels: half of it can still be read.
pub(super) const LABEL: f64 = 16.0;
/// Above this many labels of fitted lines only the last is written.
const MOST_CURVE_LABELS: usize = 6;
/// Above this many restarts only marks are drawn at the top, without lines through the plot.
const MOST_LINES: usize = 40;

/// Draws a chart.
pub(super) fn draw(chart: &Chart, palette: &Palette) -> Drawing {
    let mut window = plot::window(chart);
    window.time = strips::time(chart, window.time);
    let height = HEIGHT + strips::height(chart);
    document(WIDTH, height, |canvas| {
        canvas.rect(Area { left: 0.0, top: 0.0, right: f64::from(WIDTH), bottom: f64::from(height) }, palette.page);
        heading(canvas, chart, palette);
        body(canvas, chart, &window, palette);
    })
}

/// The ticks of the time axis of a chart.
pub(super) fn time_ticks(chart: &Chart, time: (f64, f64), n: usize) -> TimeTicks {
    if chart.relative_time { axis::relative_ticks(time.0, time.1, n) } else { axis::utc_ticks(time.0, time.1, n) }
}

pub(super) fn label(colour: Colour) -> Lettering {
    Lettering { size: LABEL, weight: Weight::Regular, colour }
}

/// Size of the verdict in the heading of a chart, in pixels.
pub(super) const BADGE: f64 = 18.0;
/// Room for it, in pixels.
pub(super) const BADGE_ROOM: f64 = 420.0;

fn heading(canvas: &mut Canvas, chart: &Chart, palette: &Palette) {
    const TITLE: f64 = 28.0;
    let right = f64::from(WIDTH) - MARGIN;
    let verdict = chart.besides.as_ref().map_or(chart.verdict.clone(), |also| format!("{}; {also}", chart.verdict));
    let verdict = fitted(&verdict, BADGE, Weight::Bold, BADGE_ROOM);
    let badge_width = if verdict.is_empty() { 0.0 } else { width(&verdict, BADGE, Weight::Bold) + 24.0 };
    let title = fitted_name(&chart.title, TITLE, Weight::Bold, right - MARGIN - badge_width - 16.0);
    canvas.text(
        &title,
        (MARGIN, 48.0),
        Anchor::Left,
        Lettering { size: TITLE, weight: Weight::Bold, colour: palette.text },
    );
    if !verdict.is_empty() {
        let left = MARGIN + width(&title, TITLE, Weight::Bold) + if title.is_empty() { 0.0 } else { 16.0 };
        let area = Area { left, top: 23.0, right: left + badge_width, bottom: 54.0 };
        canvas.rounded(area, 7.0, palette.badge(chart.tone));
        let lettering = Lettering { size: BADGE, weight: Weight::Bold, colour: palette.on_badge };
        canvas.text(&verdict, (f64::midpoint(area.left, area.right), 45.0), Anchor::Middle, lettering);
    }
    let room = right - MARGIN;
    let subtitle = clean(&chart.subtitle);
    let size = [17.0, 16.0, 15.0].into_iter().find(|&size| width(&subtitle, size, Weight::Regular) <= room);
    let size = size.unwrap_or(15.0);
    let subtitle = fitted(&subtitle, size, Weight::Regular, room);
    canvas.text(
        &subtitle,
        (MARGIN, 80.0),
        Anchor::Left,
        Lettering { size, weight: Weight::Regular, colour: palette.muted },
    );
    if let Some(caution) = &chart.caution {
        // At the right of the title, above everything that it puts in doubt.
        let left = MARGIN + width(&title, TITLE, Weight::Bold) + badge_width + 48.0;
        let caution = fitted(caution, BADGE, Weight::Bold, right - left);
        let lettering = Lettering { size: BADGE, weight: Weight::Bold, colour: palette.limit };
        canvas.text(&caution, (right, 45.0), Anchor::Right, lettering);
    }
}

fn body(canvas: &mut Canvas, chart: &Chart, window: &Window, palette: &Palette) {
    let ticks = axis::memory_ticks(window.memory.0, window.memory.1, 7);
    let widest = ticks.iter().map(|tick| width(&tick.label, LABEL, Weight::Regular)).fold(0.0, f64::max);
    let lanes = alerts::height(chart);
    // Below them stands what their colours mean.
    let below = if lanes > 0.0 { lanes + 26.0 } else { 0.0 };
    let area = Area {
        left: (MARGIN + widest.max(alerts::widest_label(chart)).max(strips::widest_label(chart)) + 12.0).round(),
        top: if chart.restarts.is_empty() { 104.0 } else { 132.0 },
        right: f64::from(WIDTH) - MARGIN,
        bottom: f64::from(HEIGHT) - 68.0 - below,
    };
    let frame = Frame { area, time: window.time, memory: window.memory };
    let mut labels =
        Labels { area, taken: Vec::new(), lines: Vec::new(), grounds: vec![(area, palette.page)], ink: Ink::new(area) };

    let future = Area { left: frame.x(window.now), ..area };
    if chart.forecast.is_some() && future.width() >= 1.0 {
        canvas.rect(future, palette.future);
        labels.put_ground(future, palette.future);
    }
    let loads: Vec<(&TimeSpan, Area)> = chart
        .spans
        .iter()
        .filter(|span| span.kind == SpanKind::Load)
        .filter_map(|span| Some((span, Area { top: area.top, bottom: area.bottom, ..in_view(&frame, span)? })))
        .collect();
    for (_, band) in &loads {
        canvas.rect(*band, palette.load);
        labels.put_ground(*band, palette.load);
    }
    for tick in &ticks {
        let y = frame.y(tick.at).round();
        let colour = if tick.at == window.memory.0 { palette.axis } else { palette.grid };
        canvas.rect(Area { top: y, bottom: y + 1.0, ..area }, colour);
        canvas.text(&tick.label, (area.left - 12.0, y + 6.0), Anchor::Right, label(palette.muted));
    }
    canvas.rect(Area { top: area.bottom, bottom: area.bottom + 1.0, ..area }, palette.axis);

    restart_lines(canvas, chart, &frame, palette, &mut labels);
    let regime = chart.regime.as_ref().filter(|(time_ms, _)| frame.holds_time(*time_ms as f64));
    if let Some((time_ms, _)) = regime {
        let x = frame.x(*time_ms as f64);
        canvas.dashes(&[(x, area.top), (x, area.bottom)], (9.0, 4.0), 1.5, palette.fit);
        labels.lines.push((Area { left: x - 1.0, right: x + 1.0, ..area }, 0.02));
    }
    plot::samples(canvas, &frame, chart, palette, 1.4, &mut labels.ink);
    plot::level_lines(canvas, &frame, chart, palette, 2.0);
    plot::curves(canvas, &frame, chart, palette, 3.0, &mut labels.ink);
    for step in &chart.steps {
        step_mark(canvas, &frame, step, palette, &mut labels);
    }

    for (level, _) in plot::levels(chart).filter(|(level, _)| frame.holds_memory(level.bytes)) {
        let y = frame.y(level.bytes);
        labels.lines.push((Area { top: y - 1.0, bottom: y + 1.0, ..area }, 0.3));
    }
    level_labels(canvas, chart, &frame, palette, &mut labels);
    if let Some(forecast) = &chart.forecast {
        curve_label(canvas, &frame, forecast, "forecast", palette, &mut labels);
    }
    // Where every run has a label, that of the last stands for all.
    let labelled: Vec<&Curve> = chart.fit.iter().filter(|line| line.label.is_some()).collect();
    let first = if labelled.len() > MOST_CURVE_LABELS { labelled.len() - 1 } else { 0 };
    for line in &labelled[first..] {
        curve_label(canvas, &frame, line, "", palette, &mut labels);
    }
    if let Some((time_ms, text)) = regime {
        let x = frame.x(*time_ms as f64);
        let text = fitted(text, LABEL, Weight::Regular, 300.0);
        let rows = [22.0, area.height() - 10.0, 46.0, area.height() - 34.0].map(|down| area.top + down);
        let places = rows.map(|y| [((x + 8.0, y), Anchor::Left), ((x - 8.0, y), Anchor::Right)]).concat();
        labels.put(canvas, &text, &places, palette.fit);
    }
    for (span, band) in &loads {
        let name = if span.label.is_empty() { "load" } else { &span.label };
        let name = fitted(name, LABEL, Weight::Regular, 300.0);
        let below = [22.0, area.height() - 10.0].map(|down| (f64::midpoint(band.left, band.right), area.top + down));
        labels.put(canvas, &name, &below.map(|at| (at, Anchor::Middle)), palette.muted);
    }
    for step in chart.steps.iter().take(12) {
        step_label(canvas, &frame, step, palette, &mut labels);
    }
    if chart.time_ms.is_empty() {
        let middle = (f64::midpoint(area.left, area.right), f64::midpoint(area.top, area.bottom));
        labels.put(canvas, "no samples", &[(middle, Anchor::Middle)], palette.muted);
    }
    restart_labels(canvas, chart, &frame, palette);
    alerts::draw(canvas, chart, &frame, palette);
    if lanes > 0.0 {
        alerts::legend(canvas, chart, (area.left, f64::from(HEIGHT) - 10.0), palette);
    }
    time_axis(canvas, chart, &frame, area.bottom + lanes, palette);
    strips::draw(canvas, chart, (area.left, area.right), f64::from(HEIGHT), frame.time, palette);
}

fn time_axis(canvas: &mut Canvas, chart: &Chart, frame: &Frame, top: f64, palette: &Palette) {
    let area = frame.area;
    // As many steps as have room for their labels.
    let (ticks, _) = [12, 10, 8, 7, 6, 5, 4, 3, 2, 1]
        .into_iter()
        .map(|n| {
            let ticks = time_ticks(chart, frame.time, n);
            let widest = ticks.times.iter().map(|tick| width(&tick.label, LABEL, Weight::Regular)).fold(0.0, f64::max);
            (ticks, widest)
        })
        .find(|(ticks, widest)| {
            let step = ticks.times.windows(2).map(|pair| frame.x(pair[1].at) - frame.x(pair[0].at));
            step.fold(f64::INFINITY, f64::min) >= widest + (0.5 * widest).max(26.0)
        })
        .unwrap_or_default();
    for tick in &ticks.times {
        let x = frame.x(tick.at).round().min(area.right - 1.0);
        canvas.rect(Area { left: x, right: x + 1.0, top: area.bottom, bottom: area.bottom + 6.0 }, palette.axis);
        let half = width(&tick.label, LABEL, Weight::Regular) / 2.0;
        let x = x.min(f64::from(WIDTH) - half - 8.0);
        canvas.text(&tick.label, (x, top + 25.0), Anchor::Middle, label(palette.muted));
    }
    let mut free_from = 4.0;
    for tick in &ticks.dates {
        let half = width(&tick.label, LABEL, Weight::Regular) / 2.0;
        let x = frame.x(tick.at).min(area.right - half).max(MARGIN + half);
        if free_from <= x - half {
            canvas.text(&tick.label, (x, top + 48.0), Anchor::Middle, label(palette.text));
            free_from = x + half + 16.0;
        }
    }
}

/// Texts within the plot, each in the place that hides least.
struct Labels {
    area: Area,
    /// Where other texts are, and marks that must not be covered.
    taken: Vec<Area>,
    /// Lines that a text may cover where there is no better place, and how much that hurts; 1 is a text on samples.
    lines: Vec<(Area, f64)>,
    /// What is behind everything, from back to front.
    grounds: Vec<(Area, Colour)>,
    ink: Ink,
}

impl Labels {
    /// Makes known that an area has another background; a text across its border looks torn.
    fn put_ground(&mut self, area: Area, colour: Colour) {
        self.grounds.push((area, colour));
        for x in [area.left, area.right] {
            self.lines.push((Area { left: x - 1.0, right: x + 1.0, ..area }, 0.1));
        }
    }

    /// Draws a text at the first place that is free, else at the one with the least behind it; not at all where
    /// every place would cover another text.
    fn put(&mut self, canvas: &mut Canvas, text: &str, places: &[(Point, Anchor)], colour: Colour) -> Option<Area> {
        let length = width(text, LABEL, Weight::Regular);
        let area_at = |(at, anchor): (Point, Anchor)| {
            let left = match anchor {
                Anchor::Left => at.0,
                Anchor::Middle => at.0 - length / 2.0,
                Anchor::Right => at.0 - length,
            };
            Area { left: left - 4.0, top: at.1 - 0.85 * LABEL, right: left + length + 4.0, bottom: at.1 + 0.3 * LABEL }
        };
        let mut best: Option<(f64, (Point, Anchor), Area)> = None;
        for &place in places {
            let area = area_at(place);
            if text.is_empty() || !self.area.contains(&area) || self.taken.iter().any(|taken| taken.overlaps(&area)) {
                continue;
            }
            let crossed = self.lines.iter().filter(|(line, _)| line.overlaps(&area));
            let hidden = self.ink.behind(area) + crossed.map(|(_, hurt)| hurt).sum::<f64>();
            if best.as_ref().is_none_or(|(least, _, _)| hidden < *least) {
                best = Some((hidden, place, area));
            }
            if hidden == 0.0 {
                break;
            }
        }
        let (_, (at, anchor), area) = best?;
        let middle = f64::midpoint(area.left, area.right);
        let grounds = self.grounds.iter().rev();
        let ground = grounds.clone().find(|(ground, _)| ground.left <= middle && middle <= ground.right);
        if let Some((_, ground)) = ground {
            canvas.veil(area, *ground, 0.85);
        }
        canvas.text(text, at, anchor, label(colour));
        self.taken.push(area);
        Some(area)
    }
}

fn level_labels(canvas: &mut Canvas, chart: &Chart, frame: &Frame, palette: &Palette, labels: &mut Labels) {
    let area = frame.area;
    let (mut n_above, mut n_below) = (0.0, 0.0);
    for (level, is_limit) in plot::levels(chart) {
        let colour = if is_limit { palette.limit } else { palette.threshold };
        let text = fitted(&level.label, LABEL, Weight::Regular, area.width() / 2.0);
        let right = area.right - 6.0;
        if frame.holds_memory(level.bytes) {
            let (above, below) = (frame.y(level.bytes) - 8.0, frame.y(level.bytes) + 20.0);
            let left = area.left + 8.0;
            let middle = f64::midpoint(left, right);
            let places = [
                ((right, above), Anchor::Right),
                ((left, above), Anchor::Left),
                ((right, below), Anchor::Right),
                ((left, below), Anchor::Left),
                ((middle, above), Anchor::Middle),
                ((middle, below), Anchor::Middle),
            ];
            labels.put(canvas, &text, &places, colour);
            continue;
        }
        // Out of view: said at the edge beyond which it lies.
        let is_above = level.bytes > frame.memory.1;
        let rows = if is_above { &mut n_above } else { &mut n_below };
        let y = if is_above { area.top + 22.0 + 24.0 * *rows } else { area.bottom - 12.0 - 24.0 * *rows };
        *rows += 1.0;
        let places = [((right - 20.0, y), Anchor::Right), ((area.left + 24.0, y), Anchor::Left)];
        if let Some(taken) = labels.put(canvas, &text, &places, colour) {
            let x = if taken.right > right - 30.0 { right - 8.0 } else { area.left + 12.0 };
            let (tip, foot) = if is_above { (y - 12.0, y - 1.0) } else { (y - 1.0, y - 12.0) };
            canvas.polygon(&[(x, tip), (x - 6.0, foot), (x + 6.0, foot)], colour, 1.0);
        }
    }
}

fn curve_label(
    canvas: &mut Canvas,
    frame: &Frame,
    line: &Curve,
    otherwise: &str,
    palette: &Palette,
    labels: &mut Labels,
) {
    let text = fitted(line.label.as_deref().unwrap_or(otherwise), LABEL, Weight::Regular, frame.area.width() / 2.0);
    let half = width(&text, LABEL, Weight::Regular) / 2.0;
    let start = curve::drawable(line).map(|point| point.time_ms).fold(f64::INFINITY, f64::min).max(frame.time.0);
    let end = curve::drawable(line).map(|point| point.time_ms).fold(f64::NEG_INFINITY, f64::max).min(frame.time.1);
    if end <= start {
        return;
    }
    let (from, to) = (frame.x(start), frame.x(end));
    let time_at = |x: f64| frame.time.0 + (x - frame.area.left) / frame.area.width() * (frame.time.1 - frame.time.0);
    let places: Vec<(Point, Anchor)> = [0.75, 0.6, 0.5, 0.85, 0.4, 0.25, 0.15]
        .into_iter()
        .flat_map(|share| {
            let x = (from + share * (to - from))
                .clamp(frame.area.left + half + 6.0, (frame.area.right - half - 6.0).max(frame.area.left + half + 6.0));
            // Clear of the line over the whole length of the text.
            let heights = [x - half, x, x + half]
                .into_iter()
                .filter_map(|x| curve::value_at(line, time_at(x.clamp(from, to))).map(|bytes| frame.y(bytes)));
            let (highest, lowest) =
                heights.fold((f64::INFINITY, f64::NEG_INFINITY), |(high, low), y| (high.min(y), low.max(y)));
            [((x, highest - 12.0), Anchor::Middle), ((x, lowest + 24.0), Anchor::Middle)]
        })
        .collect();
    // A line between two dots of noise: above or below everything else.
    let away = [30.0, 60.0, 90.0, 130.0].into_iter().flat_map(|away| {
        places
            .iter()
            .take(6)
            .map(move |&((x, y), anchor)| ((x, y + away), anchor))
            .chain(places.iter().take(6).map(move |&((x, y), anchor)| ((x, y - away), anchor)))
    });
    let places: Vec<(Point, Anchor)> = places.iter().copied().chain(away).collect();
    labels.put(canvas, &text, &places, palette.of_curve(line.kind));
}

/// A step: dashes at both levels, and an arrow from one to the other.
fn step_mark(canvas: &mut Canvas, frame: &Frame, step: &StepMark, palette: &Palette, labels: &mut Labels) {
    let Some((x, before, after)) = step_in_view(frame, step) else { return };
    let colour = palette.step;
    let (left, right) = ((x - 26.0).max(frame.area.left), (x + 26.0).min(frame.area.right));
    canvas.line(&[(left, before), (x, before)], 2.5, colour);
    canvas.line(&[(x, after), (right, after)], 2.5, colour);
    let height = (after - before).abs();
    let towards = if after < before { 1.0 } else { -1.0 };
    if height < 14.0 {
        canvas.line(&[(x, before), (x, after)], 2.5, colour);
    } else {
        canvas.line(&[(x, before), (x, after + 8.0 * towards)], 2.5, colour);
        canvas.polygon(
            &[(x, after), (x - 6.0, after + 10.0 * towards), (x + 6.0, after + 10.0 * towards)],
            colour,
            1.0,
        );
    }
    labels.taken.push(Area { left: x - 5.0, right: x + 5.0, top: before.min(after), bottom: before.max(after) });
}

fn step_label(canvas: &mut Canvas, frame: &Frame, step: &StepMark, palette: &Palette, labels: &mut Labels) {
    let Some((x, before, after)) = step_in_view(frame, step) else { return };
    let growth = step.after_bytes - step.before_bytes;
    let sign = if growth < 0.0 { "−" } else { "+" };
    let text = format!("{sign}{}", units::short_memory(growth.abs()));
    let middle = f64::midpoint(before, after) + 6.0;
    let (top, bottom) = (before.min(after), before.max(after));
    let places = [
        ((x - 12.0, middle), Anchor::Right),
        ((x + 12.0, middle), Anchor::Left),
        ((x, top - 12.0), Anchor::Middle),
        ((x - 12.0, top - 6.0), Anchor::Right),
        ((x + 12.0, bottom + 16.0), Anchor::Left),
        ((x, bottom + 24.0), Anchor::Middle),
        ((x, top - 36.0), Anchor::Middle),
    ];
    labels.put(canvas, &text, &places, palette.step);
}

fn step_in_view(frame: &Frame, step: &StepMark) -> Option<(f64, f64, f64)> {
    let time_ms = step.time_ms as f64;
    let inside = frame.holds_time(time_ms) && [step.before_bytes, step.after_bytes].iter().all(|b| b.is_finite());
    let y = |bytes: f64| frame.y(bytes).clamp(frame.area.top, frame.area.bottom);
    inside.then(|| (frame.x(time_ms), y(step.before_bytes), y(step.after_bytes)))
}

fn restarts_in_view<'c>(chart: &'c Chart, frame: &Frame) -> Vec<(f64, &'c RestartMark)> {
    let inside = chart.restarts.iter().filter(|restart| frame.holds_time(restart.time_ms as f64));
    let mut marks: Vec<_> = inside.map(|restart| (frame.x(restart.time_ms as f64), restart)).collect();
    marks.sort_by(|a, b| a.0.total_cmp(&b.0));
    marks
}

fn restart_colour(restart: &RestartMark, palette: &Palette) -> Colour {
    if restart.out_of_memory { palette.limit } else { palette.restart }
}

fn restart_lines(canvas: &mut Canvas, chart: &Chart, frame: &Frame, palette: &Palette, labels: &mut Labels) {
    let marks = restarts_in_view(chart, frame);
    if marks.len() > MOST_LINES {
        return;
    }
    for (x, restart) in marks {
        let line = [(x, frame.area.top), (x, frame.area.bottom)];
        canvas.dashes(&line, (2.0, 5.0), 1.25, restart_colour(restart, palette));
        labels.lines.push((Area { left: x - 1.0, right: x + 1.0, ..frame.area }, 0.02));
    }
}

/// Marks above the plot, and above them what they are: each where there is room, otherwise how many of each.
fn restart_labels(canvas: &mut Canvas, chart: &Chart, frame: &Frame, palette: &Palette) {
    let marks = restarts_in_view(chart, frame);
    let top = frame.area.top;
    if marks.len() > MOST_LINES {
        // One mark for each two pixels, OOM kills in front: more cannot be told apart.
        for out_of_memory in [false, true] {
            let mut drawn_to = f64::NEG_INFINITY;
            for (x, restart) in marks.iter().filter(|(_, restart)| restart.out_of_memory == out_of_memory) {
                if x - drawn_to >= 2.0 {
                    let mark = Area { left: x - 0.75, right: x + 0.75, top: top - 13.0, bottom: top - 2.0 };
                    canvas.rect(mark, restart_colour(restart, palette));
                    drawn_to = *x;
                }
            }
        }
    } else {
        for &(x, restart) in &marks {
            let triangle = [(x, top - 1.0), (x - 6.0, top - 12.0), (x + 6.0, top - 12.0)];
            canvas.polygon(&triangle, restart_colour(restart, palette), 1.0);
            if restart.guessed {
                let hollow = [(x, top - 4.5), (x - 3.2, top - 10.5), (x + 3.2, top - 10.5)];
                canvas.polygon(&hollow, palette.page, 1.0);
            }
        }
    }

    let mut texts = Vec::new();
    let mut free_from = 0.0;
    for &(x, restart) in &marks {
        let text = fitted(&restart.label, LABEL, Weight::Regular, 200.0);
        let half = width(&text, LABEL, Weight::Regular) / 2.0;
        let x = x.clamp(MARGIN + half, (f64::from(WIDTH) - MARGIN - half).max(MARGIN + half));
        if x - half < free_from {
            texts.clear();
            break;
        }
        free_from = x + half + 10.0;
        texts.push((x, text, restart_colour(restart, palette)));
    }
    for (x, text, colour) in &texts {
        canvas.text(text, (*x, top - 19.0), Anchor::Middle, label(*colour));
    }
    if texts.is_empty() && !marks.is_empty() {
        let text = fitted(&counted(&marks), LABEL, Weight::Regular, frame.area.width());
        canvas.text(&text, (frame.area.left, top - 19.0), Anchor::Left, label(palette.restart));
    }
}

/// How many restarts there are of each label, in order of appearance: `12 × OOM kill, 3 × restart`.
fn counted(marks: &[(f64, &RestartMark)]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for (_, restart) in marks {
        match counts.iter().position(|(label, _)| *label == restart.label) {
            Some(index) => counts[index].1 += 1,
            None => counts.push((&restart.label, 1)),
        }
    }
    counts.iter().map(|(label, count)| format!("{count} × {label}")).collect::<Vec<_>>().join(", ")
}

/// A span of time as an area of the width that it takes in the plot, at least two pixels; `None` out of view.
pub(super) fn in_view(frame: &Frame, span: &TimeSpan) -> Option<Area> {
    let (start, end) = (span.start_ms as f64, span.end_ms as f64);
    if end < start || end < frame.time.0 || frame.time.1 < start {
        return None;
    }
    let left = frame.x(start).clamp(frame.area.left, frame.area.right - 2.0);
    let right = frame.x(end).clamp(left + 2.0, frame.area.right);
    Some(Area { left, right, ..frame.area })
}
