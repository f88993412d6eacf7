//! What is drawn alike in a large chart and in a small multiple: the window, samples, curves and levels.

use super::axis;
use super::canvas::{Area, Canvas, Point};
use super::curve::{self, Frame};
use super::envelope::{self, Column};
use super::theme::Palette;
use super::{Chart, CurveKind, Level};

/// Up to this many samples each one is a dot.
const MOST_DOTS: usize = 400;

/// Above this many fitted lines each is too narrow for its band to be seen.
const MOST_BANDS: usize = 60;

/// Where there are that many, a line shorter than this, in pixels, would hide the samples that it fits.
const LEAST_LENGTH: f64 = 8.0;

/// What of a chart is in view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    /// Start and end, in milliseconds; the end is later.
    pub(super) time: (f64, f64),
    /// The last sample, in milliseconds: what is later is the future.
    pub(super) now: f64,
    /// Lower and upper memory, in bytes; the upper is more.
    pub(super) memory: (f64, f64),
}

/// First and last time, and lowest and highest memory, of what can be drawn; `None` without a sample.
fn extent(chart: &Chart) -> Option<((f64, f64), (f64, f64))> {
    let mut samples = chart.time_ms.iter().zip(chart.used_bytes).filter(|(_, bytes)| bytes.is_finite());
    let (&time_ms, &bytes) = samples.next()?;
    let start = ((time_ms, time_ms), (bytes, bytes));
    let (time, memory) = samples.fold(start, |((first, last), (lowest, highest)), (&time_ms, &bytes)| {
        ((first.min(time_ms), last.max(time_ms)), (lowest.min(bytes), highest.max(bytes)))
    });
    Some(((time.0 as f64, time.1 as f64), memory))
}

/// The time from the first sample to the last, in milliseconds; `None` without a sample.
pub(super) fn sampled_time(chart: &Chart) -> Option<(f64, f64)> {
    extent(chart).map(|(time, _)| time)
}

/// What of a chart is to be seen: all samples, the forecast as far ahead as they reach back, and the levels nearby.
pub(super) fn window(chart: &Chart) -> Window {
    /// Around a single sample.
    const FIVE_MINUTES: f64 = 300_000.0;
    let ((first, last), (mut lowest, mut highest)) = extent(chart).unwrap_or(((0.0, 0.0), (0.0, 0.0)));
    let span = last - first;
    let mut time = if span > 0.0 { (first, last) } else { (first - FIVE_MINUTES, last + FIVE_MINUTES) };
    if let Some(forecast) = &chart.forecast {
        let end = curve::drawable(forecast).map(|point| point.time_ms).fold(last, f64::max);
        if last < end {
            time.1 = time.1.max(last + 1.03 * (end - last).min(time.1 - time.0));
        }
    }

    let (sampled_lowest, sampled_highest) = (lowest, highest);
    let mut take_in = |bytes: f64| {
        lowest = lowest.min(bytes);
        highest = highest.max(bytes);
    };
    // A line may leave the plot; it must not press the samples flat.
    let most = sampled_highest + 2.0 * sampled_highest.abs();
    for line in chart.fit.iter().chain(&chart.forecast) {
        let ends = [time.0, time.1].into_iter().filter_map(|time_ms| curve::value_at(line, time_ms));
        let points = curve::drawable(line).filter(|point| time.0 <= point.time_ms && point.time_ms <= time.1);
        for bytes in points.map(|point| point.bytes).chain(ends) {
            take_in(bytes.clamp(sampled_lowest.min(0.0), most));
        }
    }
    for step in &chart.steps {
        for bytes in [step.before_bytes, step.after_bytes].into_iter().filter(|bytes| bytes.is_finite()) {
            take_in(bytes.clamp(sampled_lowest.min(0.0), most));
        }
    }
    let (drawn_lowest, drawn_highest) = (lowest, highest);
    for level in chart.limit.iter().chain(&chart.thresholds) {
        let reached = drawn_lowest <= level.bytes && level.bytes <= drawn_highest;
        if reached || axis::is_near(level.bytes, drawn_lowest, drawn_highest) {
            lowest = lowest.min(level.bytes);
            highest = highest.max(level.bytes);
        }
    }
    Window { time, now: last, memory: axis::memory_window(lowest, highest) }
}

/// The levels of a chart that can be drawn, with whether it is the limit.
pub(super) fn levels<'c>(chart: &'c Chart) -> impl Iterator<Item = (&'c Level, bool)> {
    let thresholds = chart.thresholds.iter().map(|level| (level, false));
    chart.limit.iter().map(|level| (level, true)).chain(thresholds).filter(|(level, _)| level.bytes.is_finite())
}

/// Where the samples and lines are, column by column of pixels: labels keep clear of them.
#[derive(Debug, Clone)]
pub(super) struct Ink {
    left: f64,
    /// The highest and lowest inked pixel of each column; the first is more than the second where there is none.
    columns: Vec<(f64, f64)>,
}

impl Ink {
    pub(super) fn new(area: Area) -> Ink {
        Ink { left: area.left, columns: vec![(f64::INFINITY, f64::NEG_INFINITY); area.width().max(0.0) as usize + 1] }
    }

    fn add(&mut self, line: &[Point]) {
        for pair in line.windows(2) {
            let (from, to) = if pair[0].0 <= pair[1].0 { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
            let width = to.0 - from.0;
            let y_at = |x: f64| {
                let share = if width > 0.0 { ((x - from.0) / width).clamp(0.0, 1.0) } else { 1.0 };
                from.1 + share * (to.1 - from.1)
            };
            let first = (from.0 - self.left).floor().max(0.0) as usize;
            let last = ((to.0 - self.left).floor().max(0.0) as usize).min(self.columns.len() - 1);
            for index in first..=last {
                let x = self.left + index as f64;
                let (a, b) = if width > 0.0 { (y_at(x), y_at(x + 1.0)) } else { (from.1, to.1) };
                let column = &mut self.columns[index];
                *column = (column.0.min(a.min(b)), column.1.max(a.max(b)));
            }
        }
    }

    /// The share of the columns of an area in which something is drawn behind it, 0 to 1.
    pub(super) fn behind(&self, area: Area) -> f64 {
        let first = ((area.left - self.left).floor().max(0.0) as usize).min(self.columns.len());
        let last = ((area.right - self.left).ceil().max(0.0) as usize).min(self.columns.len()).max(first);
        let inked =
            self.columns[first..last].iter().filter(|(top, bottom)| *top < area.bottom && area.top < *bottom).count();
        inked as f64 / (last - first).max(1) as f64
    }
}

/// Draws the samples: dots while there are few, then a line, then what lies between the extremes of each column.
pub(super) fn samples(canvas: &mut Canvas, frame: &Frame, chart: &Chart, palette: &Palette, width: f64, ink: &mut Ink) {
    let gap_ms = envelope::gap_ms(chart.time_ms);
    let n_columns = frame.area.width().round().max(1.0) as usize;
    let n = chart.time_ms.len().min(chart.used_bytes.len());
    if n > n_columns {
        let columns = envelope::columns(chart.time_ms, chart.used_bytes, frame.time, n_columns);
        for run in runs(columns.into_iter().enumerate().filter_map(|(index, column)| Some((index, column?))), |a, b| {
            (b.1.first_ms - a.1.last_ms) as f64 > gap_ms
        }) {
            filled_run(canvas, frame, &run, palette, width, ink);
        }
        return;
    }

    let all = chart.time_ms.iter().zip(chart.used_bytes).map(|(&time_ms, &bytes)| (time_ms as f64, bytes));
    let drawable = all.filter(|&(time_ms, bytes)| bytes.is_finite() && frame.holds_time(time_ms));
    let few = n <= MOST_DOTS.min(n_columns / 2);
    // Dots that touch each other say less than smaller ones.
    let radius =
        (0.35 * frame.area.width() / n.max(1) as f64).clamp(1.1 * width, if n < 30 { 3.2 } else { 2.2 } * width);
    for run in runs(drawable, |a, b| b.0 - a.0 > gap_ms) {
        let line: Vec<Point> = run.iter().map(|&(time_ms, bytes)| (frame.x(time_ms), frame.y(bytes))).collect();
        canvas.line(&line, width, palette.data);
        ink.add(&line);
        if few || line.len() == 1 {
            canvas.dots(&line, radius, palette.dot);
            for &point in &line {
                ink.add(&[(point.0 - radius, point.1 - radius), (point.0 + radius, point.1 + radius)]);
            }
        }
    }
}

fn filled_run(
    canvas: &mut Canvas,
    frame: &Frame,
    run: &[(usize, Column)],
    palette: &Palette,
    width: f64,
    ink: &mut Ink,
) {
    let half = 0.6 * width;
    let mut upper = Vec::with_capacity(run.len());
    let mut lower = Vec::with_capacity(run.len());
    let mut last = run[0].1.first;
    for &(index, column) in run {
        let x = frame.area.left + index as f64 + 0.5;
        // The line from the last sample of the column before comes in at its height.
        upper.push((x, frame.y(column.upper.max(last)) - half));
        lower.push((x, frame.y(column.lower.min(last)) + half));
        last = column.last;
    }
    if let ([up], [low]) = (upper.as_slice(), lower.as_slice()) {
        let ((x, top), (_, bottom)) = (*up, *low);
        (upper, lower) = (vec![(x - width, top), (x + width, top)], vec![(x - width, bottom), (x + width, bottom)]);
    }
    ink.add(&upper);
    ink.add(&lower);
    upper.extend(lower.into_iter().rev());
    canvas.polygon(&upper, palette.data, 1.0);
}

/// Draws bands and lines of the fits and of the forecast.
pub(super) fn curves(canvas: &mut Canvas, frame: &Frame, chart: &Chart, palette: &Palette, width: f64, ink: &mut Ink) {
    let n_lines = chart.fit.len();
    let with_band = chart.fit.iter().filter(|_| n_lines <= MOST_BANDS).chain(&chart.forecast);
    for line in with_band {
        let band = frame.band(line);
        canvas.polygon(&band, palette.fit, 0.22);
        ink.add(&band);
    }
    let width_of_fit = if n_lines <= MOST_BANDS { width } else { 0.5 * width };
    for line in &chart.fit {
        for piece in frame.line(line) {
            let length = piece[piece.len() - 1].0 - piece[0].0;
            if MOST_BANDS < n_lines && length < LEAST_LENGTH {
                continue;
            }
            let colour = palette.of_curve(line.kind);
            match line.kind {
                CurveKind::Fit | CurveKind::Explained => canvas.line(&piece, width_of_fit, colour),
                CurveKind::Unproven | CurveKind::Left => {
                    canvas.dashes(&piece, (2.0 * width, 2.0 * width), width_of_fit, colour);
                }
            }
            ink.add(&piece);
        }
    }
    for piece in chart.forecast.iter().flat_map(|line| frame.line(line)) {
        canvas.dashes(&piece, (4.0 * width, 2.8 * width), width, palette.fit);
        ink.add(&piece);
    }
}

/// Draws a dashed line across the plot for each level in view.
pub(super) fn level_lines(canvas: &mut Canvas, frame: &Frame, chart: &Chart, palette: &Palette, width: f64) {
    for (level, is_limit) in levels(chart).filter(|(level, _)| frame.holds_memory(level.bytes)) {
        let y = frame.y(level.bytes);
        let (colour, pattern) = if is_limit {
            (palette.limit, (5.0 * width, 3.0 * width))
        } else {
            (palette.threshold, (2.0 * width, 2.5 * width))
        };
        canvas.dashes(&[(frame.area.left, y), (frame.area.right, y)], pattern, width, colour);
    }
}

/// Items in stretches that are cut where `is_cut` says so of two neighbours.
fn runs<T: Copy>(items: impl Iterator<Item = T>, is_cut: impl Fn(T, T) -> bool) -> Vec<Vec<T>> {
    let mut runs: Vec<Vec<T>> = Vec::new();
    for item in items {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|&last| !is_cut(last, item)) => run.push(item),
            _ => runs.push(vec![item]),
        }
    }
    runs
}
