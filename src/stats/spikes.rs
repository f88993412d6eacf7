//! Spikes: short excursions that are not part of the level.

use super::robust::SortedWindow;

/// Samples on either side that a sample is compared with.
const HALF_WINDOW: usize = 7;
/// A spike is this many scaled deviations from its neighbours (Hampel 1974; 5 rather than 3, since memory has
/// heavy tails).
const MAX_DEVIATIONS: f64 = 5.0;
/// And at least this share of the level: below it a deviation does not matter.
const MIN_SHARE: f64 = 0.005;
/// Longer excursions are levels, not spikes.
const MAX_RUN: usize = 3;

/// Values without their spikes, and where these were.
#[derive(Debug, Clone, PartialEq)]
pub struct Despiked {
    /// The values, each spike replaced by the median of its neighbours.
    pub values: Vec<f64>,
    /// Indices of the replaced samples.
    pub spikes: Vec<usize>,
}

/// Replaces runs of at most three samples that stand far off their neighbours (a Hampel filter).
///
/// A run that touches the end is kept: it may be a new level. Takes O(n) time.
///
/// Hampel (1974), "The influence curve and its role in robust estimation".
pub fn remove(values: &[f64]) -> Despiked {
    let n = values.len();
    let mut cleaned = values.to_vec();
    let mut marked = vec![false; n];
    let mut window = SortedWindow::default();
    values[..n.min(HALF_WINDOW)].iter().for_each(|value| window.insert(*value));
    for index in 0..n {
        if let Some(entering) = values.get(index + HALF_WINDOW) {
            window.insert(*entering);
        }
        if index > HALF_WINDOW {
            window.remove(values[index - HALF_WINDOW - 1]);
        }
        let centre = window.median().expect("the window holds the sample itself");
        let deviation = (values[index] - centre).abs();
        if deviation <= MIN_SHARE * centre.abs() {
            continue;
        }
        let spread = window.mad(centre).expect("the window holds the sample itself");
        if deviation > MAX_DEVIATIONS * spread {
            marked[index] = true;
            cleaned[index] = centre;
        }
    }

    let mut spikes = Vec::new();
    let mut start = 0;
    while start < n {
        if !marked[start] {
            start += 1;
            continue;
        }
        let end = (start..n).find(|&index| !marked[index]).unwrap_or(n);
        if end - start > MAX_RUN || end == n {
            cleaned[start..end].copy_from_slice(&values[start..end]);
        } else {
            spikes.extend(start..end);
        }
        start = end;
    }
    Despiked { values: cleaned, spikes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[f64], spikes: &[usize]) {
        assert_eq!(remove(values).spikes, spikes);
    }

    #[test]
    fn a_short_excursion_is_a_spike_and_a_long_one_is_not() {
        let level = |at: std::ops::Range<usize>| {
            (0..40).map(|index| if at.contains(&index) { 300.0 } else { 100.0 }).collect::<Vec<f64>>()
        };
        check(&level(20..22), &[20, 21]);
        check(&level(20..26), &[]);
        check(&level(38..40), &[]);
        check(&[], &[]);
        check(&[5.0], &[]);
    }
}
