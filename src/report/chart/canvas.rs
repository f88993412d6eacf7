//! Drawing primitives in the pixels of the layout, on plotters' SVG backend.
//!
//! plotters places everything on whole pixels: at 1x a sloping line would show kinks. So the backend's canvas is
//! eight times the layout, and the root element says the size in which it is shown.

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBAColor, RGBColor, ShapeStyle};

use super::text::{FAMILY, Weight, width};
use super::theme::Colour;

/// Units of the backend in one pixel of the layout.
const FINENESS: f64 = 8.0;
/// plotters writes this fraction of the size of a text as its em.
const EM: f64 = 1.0 / 1.24;
/// plotters moves the baseline this far below the point from which a text hangs, in em.
const HANG: f64 = 0.76;
/// Writing into a string does not fail.
const INFALLIBLE: &str = "an SVG backend over a string writes without failing";

/// A point of the layout, in pixels from the upper left.
pub(super) type Point = (f64, f64);

/// An area of the layout, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Area {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(super) fn overlaps(&self, other: &Area) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    pub(super) fn contains(&self, other: &Area) -> bool {
        self.left <= other.left && other.right <= self.right && self.top <= other.top && other.bottom <= self.bottom
    }
}

/// How a text is set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lettering {
    /// The em, in pixels.
    pub(super) size: f64,
    pub(super) weight: Weight,
    pub(super) colour: Colour,
}

/// Which point of a text is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Left,
    Middle,
    Right,
}

/// Where a picture is drawn.
pub(super) struct Canvas<'a> {
    backend: SVGBackend<'a>,
    texts: Vec<(String, f64, Weight)>,
}

/// A finished picture.
pub(super) struct Drawing {
    svg: String,
    /// Every text in the order of the document, its em in pixels, and its weight.
    texts: Vec<(String, f64, Weight)>,
}

impl Drawing {
    /// The document for who has the font that it was laid out for.
    pub(super) fn svg(&self) -> &str {
        &self.svg
    }

    /// The document for who may not have the font: every text says how wide it must be.
    pub(super) fn portable_svg(&self) -> String {
        let mut parts = self.svg.split("<text ");
        let mut svg = parts.next().unwrap_or_default().to_owned();
        for (part, (text, size, weight)) in parts.zip(&self.texts) {
            let length = (width(text, *size, *weight) * FINENESS).round();
            svg.push_str(&format!("<text textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\" {part}"));
        }
        svg
    }
}

/// What `paint` draws on a canvas of `width` times `height` pixels.
pub(super) fn document(width: u32, height: u32, paint: impl FnOnce(&mut Canvas)) -> Drawing {
    let mut svg = String::new();
    let size = (width * FINENESS as u32, height * FINENESS as u32);
    let mut canvas = Canvas { backend: SVGBackend::with_string(&mut svg, size), texts: Vec::new() };
    paint(&mut canvas);
    canvas.backend.present().expect(INFALLIBLE);
    let texts = std::mem::take(&mut canvas.texts);
    drop(canvas);
    // plotters writes the opacity of a shape as that of a group, which is drawn apart and then blended: three times
    // the work. A text cannot hold this, its quotes are escaped.
    let svg = svg.replace(" opacity=\"0.", " fill-opacity=\"0.");
    // plotters knows one size for both the canvas and what it is shown as.
    let svg = svg.replacen(
        &format!("width=\"{}\" height=\"{}\"", size.0, size.1),
        &format!("width=\"{width}\" height=\"{height}\""),
        1,
    );
    Drawing { svg, texts }
}

impl Canvas<'_> {
    pub(super) fn rect(&mut self, area: Area, colour: Colour) {
        let (upper_left, lower_right) = (fine((area.left, area.top)), fine((area.right, area.bottom)));
        self.backend.draw_rect(upper_left, lower_right, &filled(colour, 1.0), true).expect(INFALLIBLE);
    }

    /// A rectangle through which what is behind it can be seen; `opacity` 0 to 1.
    pub(super) fn veil(&mut self, area: Area, colour: Colour, opacity: f64) {
        let (upper_left, lower_right) = (fine((area.left, area.top)), fine((area.right, area.bottom)));
        self.backend.draw_rect(upper_left, lower_right, &filled(colour, opacity), true).expect(INFALLIBLE);
    }

    pub(super) fn polygon(&mut self, points: &[Point], colour: Colour, opacity: f64) {
        if points.len() > 2 {
            self.backend
                .fill_polygon(points.iter().map(|&point| fine(point)), &filled(colour, opacity))
                .expect(INFALLIBLE);
        }
    }

    pub(super) fn line(&mut self, points: &[Point], width: f64, colour: Colour) {
        if points.len() > 1 {
            self.backend.draw_path(points.iter().map(|&point| fine(point)), &stroked(colour, width)).expect(INFALLIBLE);
        }
    }

    /// A line of dashes.
    ///
    /// plotters has no dashes in SVG. Instead of one element for each dash this is one polygon: along the line,
    /// and back along it with a detour around every dash; the stretches between enclose nothing.
    pub(super) fn dashes(&mut self, points: &[Point], (dash, gap): (f64, f64), width: f64, colour: Colour) {
        let mut there = Vec::new();
        let mut back = Vec::new();
        let mut travelled = 0.0;
        for pair in points.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let (dx, dy) = (to.0 - from.0, to.1 - from.1);
            let length = dx.hypot(dy);
            if length == 0.0 {
                continue;
            }
            let at = |distance: f64, side: f64| {
                let along = distance / length;
                let across = side * width / 2.0 / length;
                (from.0 + dx * along - dy * across, from.1 + dy * along + dx * across)
            };
            there.push(from);
            back.push(from);
            let mut position = 0.0;
            while position < length {
                let phase = (travelled + position) % (dash + gap);
                // At least a hundredth of a pixel on, whatever the rounding of the phase.
                let rest = if phase < dash { dash - phase } else { dash + gap - phase }.max(0.01);
                let next = (position + rest).min(length);
                if phase < dash {
                    back.extend([
                        at(position, 0.0),
                        at(position, 1.0),
                        at(next, 1.0),
                        at(next, -1.0),
                        at(position, -1.0),
                        at(position, 0.0),
                    ]);
                    there.push(at(position, 0.0));
                }
                position = next;
            }
            travelled += length;
        }
        // Back over the very points of the way there: then the stretches between cancel exactly.
        there.extend(back.into_iter().rev());
        self.polygon(&there, colour, 1.0);
    }

    /// Round dots of one size.
    ///
    /// One polygon instead of a circle for each: around every dot on the way there, and straight back. Hundreds of
    /// circles would be most of the cost of a picture.
    pub(super) fn dots(&mut self, centres: &[Point], radius: f64, colour: Colour) {
        const CORNERS: u8 = 12;
        let around = |&(x, y): &Point| {
            (0..=CORNERS).map(move |corner| {
                let angle = f64::from(corner) / f64::from(CORNERS) * std::f64::consts::TAU;
                (x + radius * angle.cos(), y + radius * angle.sin())
            })
        };
        let back = centres.iter().rev().map(|&(x, y)| (x + radius, y));
        let outline: Vec<Point> = centres.iter().flat_map(around).chain(back).collect();
        self.polygon(&outline, colour, 1.0);
    }

    /// A rectangle with round corners; plotters has only sharp ones.
    pub(super) fn rounded(&mut self, area: Area, radius: f64, colour: Colour) {
        let corners = [
            (area.right - radius, area.bottom - radius),
            (area.left + radius, area.bottom - radius),
            (area.left + radius, area.top + radius),
            (area.right - radius, area.top + radius),
        ];
        let outline: Vec<Point> = (0..4_u8)
            .flat_map(|quarter| (0..=6_u8).map(move |part| (quarter, part)))
            .map(|(quarter, part)| {
                let angle = (f64::from(quarter) + f64::from(part) / 6.0) * std::f64::consts::FRAC_PI_2;
                let (x, y) = corners[usize::from(quarter)];
                (x + radius * angle.cos(), y + radius * angle.sin())
            })
            .collect();
        self.polygon(&outline, colour, 1.0);
    }

    /// A text with its baseline at `at.1`.
    pub(super) fn text(&mut self, text: &str, at: Point, anchor: Anchor, lettering: Lettering) {
        if text.is_empty() {
            return;
        }
        let style = match lettering.weight {
            Weight::Regular => FontStyle::Normal,
            Weight::Bold => FontStyle::Bold,
        };
        let h_pos = match anchor {
            Anchor::Left => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let (r, g, b) = lettering.colour;
        let style = FontDesc::new(FontFamily::Name(FAMILY), lettering.size * FINENESS / EM, style)
            .color(&RGBColor(r, g, b))
            .pos(Pos::new(h_pos, VPos::Top));
        self.texts.push((text.to_owned(), lettering.size, lettering.weight));
        self.backend.draw_text(text, &style, fine((at.0, at.1 - HANG * lettering.size))).expect(INFALLIBLE);
    }
}

/// A point on the grid of the backend, kept where an `i32` and the arithmetic of a rasteriser can hold it.
fn fine((x, y): Point) -> (i32, i32) {
    let whole = |value: f64| (value * FINENESS).round().clamp(-1e6, 1e6) as i32;
    (whole(x), whole(y))
}

fn filled(colour: Colour, opacity: f64) -> ShapeStyle {
    ShapeStyle { color: rgba(colour, opacity), filled: true, stroke_width: 0 }
}

fn stroked(colour: Colour, width: f64) -> ShapeStyle {
    ShapeStyle { color: rgba(colour, 1.0), filled: false, stroke_width: (width * FINENESS).round() as u32 }
}

fn rgba((r, g, b): Colour, opacity: f64) -> RGBAColor {
    RGBColor(r, g, b).mix(opacity)
}
