//! Block means: many samples as few, without losing the slope.

use super::Points;

/// Means of `x` and `y` over at most `count` stretches of equal width; empty stretches are left out.
///
/// With at most `count` points: these, as they are. Takes O(n) time.
pub fn means(points: Points<'_>, count: usize) -> (Vec<f64>, Vec<f64>) {
    if points.len() <= count {
        return (points.x().to_vec(), points.y().to_vec());
    }
    let (first, span) = (points.x()[0], points.span());
    let mut sums = vec![(0usize, 0.0, 0.0); count];
    for (x, y) in points.x().iter().zip(points.y()) {
        let index = (((x - first) / span * count as f64) as usize).min(count - 1);
        let (n, sum_x, sum_y) = &mut sums[index];
        *n += 1;
        *sum_x += x;
        *sum_y += y;
    }
    sums.into_iter().filter(|(n, ..)| *n > 0).map(|(n, x, y)| (x / n as f64, y / n as f64)).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_a_line_a_line() {
        let x: Vec<f64> = (0..1000).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 3.0 * x + 7.0).collect();
        let (block_x, block_y) = means(Points::new(&x, &y).unwrap(), 10);
        assert_eq!(block_x.len(), 10);
        assert!(block_x.iter().zip(&block_y).all(|(x, y)| (y - (3.0 * x + 7.0)).abs() < 1e-9));
    }
}
