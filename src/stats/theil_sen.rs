//! The Theil–Sen line.

use super::Points;
use super::robust::median_in_place;

/// The Theil–Sen slope: the median of the slopes between all pairs of points.
///
/// In units of `y` per unit of `x`; `None` with fewer than two points.
/// Takes O(n²) time and memory: the caller thins long input.
///
/// Sen (1968), "Estimates of the regression coefficient based on Kendall's tau".
///
/// One wild point does not move it:
///
/// ```
/// # use leaktrend::stats::{Points, theil_sen};
/// let points = Points::new(&[0.0, 1.0, 2.0, 3.0, 4.0], &[0.0, 2.0, 4.0, 6.0, 800.0]).unwrap();
/// assert_eq!(theil_sen::slope(points), Some(2.0));
/// ```
pub fn slope(points: Points<'_>) -> Option<f64> {
    let (x, y) = (points.x(), points.y());
    let mut slopes = Vec::with_capacity(x.len() * x.len().saturating_sub(1) / 2);
    for later in 1..x.len() {
        slopes.extend((0..later).map(|earlier| (y[later] - y[earlier]) / (x[later] - x[earlier])));
    }
    median_in_place(&mut slopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_point_has_no_slope() {
        assert_eq!(slope(Points::new(&[1.0], &[2.0]).unwrap()), None);
        assert_eq!(slope(Points::new(&[], &[]).unwrap()), None);
    }
}
