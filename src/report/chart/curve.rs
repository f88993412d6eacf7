//! Lines and bands cut to what is in view.

use super::canvas::{Area, Point};
use super::{Curve, CurvePoint};

/// Maps times and memory to the pixels of a plot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// The plot, in pixels.
    pub(super) area: Area,
    /// Start and end in view, in milliseconds; the end is later.
    pub(super) time: (f64, f64),
    /// Lower and upper memory in view, in bytes; the upper is more.
    pub(super) memory: (f64, f64),
}

impl Frame {
    pub(super) fn x(&self, time_ms: f64) -> f64 {
        self.area.left + (time_ms - self.time.0) / (self.time.1 - self.time.0) * self.area.width()
    }

    pub(super) fn y(&self, bytes: f64) -> f64 {
        self.area.bottom - (bytes - self.memory.0) / (self.memory.1 - self.memory.0) * self.area.height()
    }

    pub(super) fn holds_time(&self, time_ms: f64) -> bool {
        self.time.0 <= time_ms && time_ms <= self.time.1
    }

    pub(super) fn holds_memory(&self, bytes: f64) -> bool {
        self.memory.0 <= bytes && bytes <= self.memory.1
    }

    /// The line of a curve, in pieces that lie in the plot.
    pub(super) fn line(&self, curve: &Curve) -> Vec<Vec<Point>> {
        let points: Vec<Point> = drawable(curve).map(|p| (self.x(p.time_ms), self.y(p.bytes))).collect();
        cut_line(&points, self.area)
    }

    /// The outline of the band of a curve, cut to the plot; empty where it has none.
    pub(super) fn band(&self, curve: &Curve) -> Vec<Point> {
        let intervals: Vec<(f64, f64, f64)> = drawable(curve)
            .filter_map(|p| p.interval.map(|(lower, upper)| (p.time_ms, lower, upper)))
            .filter(|(_, lower, upper)| lower.is_finite() && upper.is_finite())
            .collect();
        let lower = intervals.iter().map(|&(time_ms, lower, _)| (self.x(time_ms), self.y(lower)));
        let upper = intervals.iter().rev().map(|&(time_ms, _, upper)| (self.x(time_ms), self.y(upper)));
        cut_polygon(lower.chain(upper).collect(), self.area)
    }
}

/// The points of a curve that a picture can show.
pub(super) fn drawable(curve: &Curve) -> impl Iterator<Item = &CurvePoint> {
    curve.points.iter().filter(|point| point.time_ms.is_finite() && point.bytes.is_finite())
}

/// The value of a curve at a time; `None` before its start and after its end.
pub(super) fn value_at(curve: &Curve, time_ms: f64) -> Option<f64> {
    let points: Vec<&CurvePoint> = drawable(curve).collect();
    points.windows(2).find(|pair| pair[0].time_ms <= time_ms && time_ms <= pair[1].time_ms).map(|pair| {
        let span = pair[1].time_ms - pair[0].time_ms;
        let share = if span > 0.0 { (time_ms - pair[0].time_ms) / span } else { 1.0 };
        pair[0].bytes + share * (pair[1].bytes - pair[0].bytes)
    })
}

/// The pieces of a line that lie in an area.
///
/// Liang and Barsky (1984), "A new concept and method for line clipping".
pub(super) fn cut_line(points: &[Point], area: Area) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let edges = [
            (-dx, from.0 - area.left),
            (dx, area.right - from.0),
            (-dy, from.1 - area.top),
            (dy, area.bottom - from.1),
        ];
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        for (towards, room) in edges {
            if towards == 0.0 {
                if room < 0.0 {
                    leave = -1.0;
                }
            } else if towards < 0.0 {
                enter = enter.max(room / towards);
            } else {
                leave = leave.min(room / towards);
            }
        }
        if leave < enter {
            continue;
        }
        let at = |share: f64| (from.0 + share * dx, from.1 + share * dy);
        let (start, end) = (at(enter), at(leave));
        match pieces.last_mut() {
            Some(piece) if enter == 0.0 && piece.last() == Some(&start) => piece.push(end),
            _ => pieces.push(vec![start, end]),
        }
    }
    pieces
}

/// A polygon cut to an area.
///
/// Sutherland and Hodgman (1974), "Reentrant polygon clipping".
pub(super) fn cut_polygon(mut points: Vec<Point>, area: Area) -> Vec<Point> {
    let vertical = |x: f64| move |a: Point, b: Point| (x, a.1 + (x - a.0) / (b.0 - a.0) * (b.1 - a.1));
    let horizontal = |y: f64| move |a: Point, b: Point| (a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0), y);
    points = cut_side(&points, |p| p.0 >= area.left, vertical(area.left));
    points = cut_side(&points, |p| p.0 <= area.right, vertical(area.right));
    points = cut_side(&points, |p| p.1 >= area.top, horizontal(area.top));
    cut_side(&points, |p| p.1 <= area.bottom, horizontal(area.bottom))
}

fn cut_side(points: &[Point], inside: impl Fn(Point) -> bool, crossing: impl Fn(Point, Point) -> Point) -> Vec<Point> {
    let mut kept = Vec::with_capacity(points.len() + 2);
    for (index, &to) in points.iter().enumerate() {
        let from = points[(index + points.len() - 1) % points.len()];
        if inside(from) != inside(to) {
            kept.push(crossing(from, to));
        }
        if inside(to) {
            kept.push(to);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = Area { left: 0.0, top: 0.0, right: 10.0, bottom: 10.0 };

    #[test]
    fn a_line_is_cut_where_it_leaves_the_plot() {
        for (points, pieces) in [
            (vec![(1.0, 1.0), (9.0, 9.0)], vec![vec![(1.0, 1.0), (9.0, 9.0)]]),
            (vec![(-5.0, 5.0), (15.0, 5.0)], vec![vec![(0.0, 5.0), (10.0, 5.0)]]),
            (
                vec![(0.0, 5.0), (2.0, -5.0), (4.0, 5.0), (5.0, 5.0)],
                vec![vec![(0.0, 5.0), (1.0, 0.0)], vec![(3.0, 0.0), (4.0, 5.0), (5.0, 5.0)]],
            ),
            (vec![(-5.0, -1.0), (15.0, -1.0)], vec![]),
        ] {
            assert_eq!(cut_line(&points, AREA), pieces);
        }
    }

    #[test]
    fn a_band_is_cut_where_it_leaves_the_plot() {
        let band = vec![(-10.0, 5.0), (20.0, 5.0), (20.0, 40.0), (-10.0, 40.0)];
        let cut = cut_polygon(band, AREA);
        assert!(cut.iter().all(|&(x, y)| 0.0 <= x && x <= 10.0 && 5.0 <= y && y <= 10.0), "{cut:?}");
        for corner in [(0.0, 5.0), (10.0, 5.0), (10.0, 10.0), (0.0, 10.0)] {
            assert!(cut.contains(&corner), "{corner:?} in {cut:?}");
        }
        assert_eq!(cut_polygon(vec![(20.0, 0.0), (30.0, 0.0), (30.0, 5.0)], AREA), []);
    }
}
