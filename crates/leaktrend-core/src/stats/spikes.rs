//! Spikes: short excursions that are not part of the level.

use std::borrow::Cow;

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
pub struct Despiked<'a> {
    /// The values, each spike replaced by the median of its neighbours; the same ones where there is none.
    pub values: Cow<'a, [f64]>,
    /// Indices of the replaced samples.
    pub spikes: Vec<usize>,
}

/// Replaces runs of at most three samples that stand far off their neighbours (a Hampel filter).
///
/// A run that touches the end is kept: it may be a new level; and one below what follows it at the beginning: a process
/// that starts. Takes O(n) time, and memory only where there is a spike.
///
/// Hampel (1974), "The influence curve and its role in robust estimation".
pub fn remove(values: &[f64]) -> Despiked<'_> {
    let n = values.len();
    // Samples far off their neighbours, and the medians of these.
    let mut far_off: Vec<(usize, f64)> = Vec::new();
    let mut window = SortedWindow::default();
    values[..n.min(HALF_WINDOW)].iter().for_each(|value| window.insert(*value));
    for index in 0..n {
        match (values.get(index + HALF_WINDOW), index.checked_sub(HALF_WINDOW + 1)) {
            (Some(entering), Some(leaving)) => window.replace(values[leaving], *entering),
            (Some(entering), None) => window.insert(*entering),
            (None, Some(leaving)) => window.remove(values[leaving]),
            (None, None) => {}
        }
        let centre = window.median().expect("the window holds the sample itself");
        let deviation = (values[index] - centre).abs();
        if deviation <= MIN_SHARE * centre.abs() || deviation <= MAX_DEVIATIONS * window.least_mad(centre) {
            continue;
        }
        let spread = window.mad(centre).expect("the window holds the sample itself");
        if deviation > MAX_DEVIATIONS * spread {
            far_off.push((index, centre));
        }
    }

    let mut cleaned = Cow::Borrowed(values);
    let mut spikes = Vec::new();
    for run in far_off.chunk_by(|(index, _), (next, _)| index + 1 == *next) {
        let is_at_end = run.last().is_some_and(|(index, _)| index + 1 == n);
        let is_a_start = run.iter().all(|(index, centre)| values[*index] < *centre) && run[0].0 == 0;
        if run.len() <= MAX_RUN && !is_at_end && !is_a_start {
            for (index, centre) in run {
                cleaned.to_mut()[*index] = *centre;
                spikes.push(*index);
            }
        }
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
        check(&level(0..2), &[0, 1]);
        check(&level(2..40), &[]);
        check(&[], &[]);
        check(&[5.0], &[]);
    }
}
