//! Block means: many samples as few, without losing the slope.

use super::Points;

/// Means of `x` and `y` over at most `count` stretches of equal width, cut further before the samples in `jumps`
/// (increasing), so that no mean lies between two levels; empty stretches are left out.
///
/// With at most `count` points: these, as they are. Takes O(n) time.
pub fn means(points: Points<'_>, count: usize, jumps: &[usize]) -> (Vec<f64>, Vec<f64>) {
    if points.len() <= count {
        return (points.x().to_vec(), points.y().to_vec());
    }
    let (first, span) = (points.x()[0], points.span());
    let mut jumps = jumps.iter().copied().peekable();
    let mut blocks: Vec<(usize, f64, f64)> = Vec::with_capacity(count);
    let mut block = None;
    for (at, (x, y)) in points.x().iter().zip(points.y()).enumerate() {
        let now = (((x - first) / span * count as f64) as usize).min(count - 1);
        let mut jumped = false;
        while jumps.next_if(|jump| *jump <= at).is_some() {
            jumped = true;
        }
        if jumped || block != Some(now) {
            blocks.push((0, 0.0, 0.0));
            block = Some(now);
        }
        if let Some((n, sum_x, sum_y)) = blocks.last_mut() {
            *n += 1;
            *sum_x += x;
            *sum_y += y;
        }
    }
    blocks.into_iter().map(|(n, x, y)| (x / n as f64, y / n as f64)).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_a_line_a_line() {
        let x: Vec<f64> = (0..1000).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 3.0 * x + 7.0).collect();
        let (block_x, block_y) = means(Points::new(&x, &y).unwrap(), 10, &[]);
        assert_eq!(block_x.len(), 10);
        assert!(block_x.iter().zip(&block_y).all(|(x, y)| (y - (3.0 * x + 7.0)).abs() < 1e-9));
    }

    #[test]
    fn no_block_lies_between_two_levels() {
        let x: Vec<f64> = (0..100).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| if *x < 47.0 { 1.0 } else { 5.0 }).collect();
        let (_, levels) = means(Points::new(&x, &y).unwrap(), 10, &[47]);
        assert_eq!(levels.len(), 11);
        assert!(levels.iter().all(|level| [1.0, 5.0].contains(level)), "{levels:?}");
    }
}
