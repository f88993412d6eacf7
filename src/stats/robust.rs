//! Medians and the spread around them.

/// Scales the median absolute deviation to a standard deviation, for normal data.
pub const MAD_TO_SD: f64 = 1.4826;

/// The median; `None` of nothing. Takes O(n) time and reorders `values`.
pub fn median_in_place(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if !even {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp)?;
    Some(f64::midpoint(lower, upper))
}

/// The median; `None` of nothing. Takes O(n) time and memory.
pub fn median(values: &[f64]) -> Option<f64> {
    median_in_place(&mut values.to_vec())
}

/// The median absolute deviation from the median, scaled to a standard deviation; `None` of nothing.
pub fn mad(values: &[f64]) -> Option<f64> {
    let centre = median(values)?;
    let mut deviations: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    median_in_place(&mut deviations).map(|mad| MAD_TO_SD * mad)
}

/// The arithmetic mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation around the mean, divided by n; 0 of nothing.
pub fn sd(values: &[f64]) -> f64 {
    let Some(mean) = mean(values) else { return 0.0 };
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middles() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn one_wild_value_does_not_move_the_spread() {
        // numpy: 1.4826 * median(|x - median(x)|).
        assert!((mad(&[1.0, 2.0, 3.0, 4.0, 1e9]).unwrap() - 1.4826).abs() < 1e-12);
        assert_eq!(mad(&[5.0, 5.0, 5.0]), Some(0.0));
    }
}
