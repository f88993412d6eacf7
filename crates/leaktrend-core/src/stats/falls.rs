//! Falls: where a level drops faster than it wanders, and where it rises so.

use std::collections::BTreeSet;

use super::robust::{SortedWindow, mad, median};

/// Samples on either side over which a level is taken: one finds sharp falls, more find shallow ones in noise.
const WIDTHS: [usize; 3] = [1, 4, 12];
/// A fall is this many scaled deviations of the level's usual changes.
const MIN_DEVIATIONS: f64 = 6.0;
/// And at least this share of the median level.
const MIN_SHARE: f64 = 0.03;

/// Falls of a level, and where it rose as abruptly.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Falls {
    /// Index of the first sample after each fall, increasing.
    pub at: Vec<usize>,
    /// Number of abrupt rises from one sample to the next.
    pub n_rises: usize,
    /// Index of the first sample after each rise that was found as falls are, increasing; of a width at which memory always
    /// rises, none.
    pub up: Vec<usize>,
}

/// Rises at more than one in so many samples are how memory grows.
const OFTEN: usize = 4;

/// Finds abrupt falls by comparing the medians before and after every sample. Takes O(n log n) time.
pub fn find(values: &[f64]) -> Falls {
    let n = values.len();
    let mut falls = Falls::default();
    let Some(level) = median(values) else { return falls };

    let (mut down, mut up) = (BTreeSet::new(), BTreeSet::new());
    for width in WIDTHS {
        if n < 6 * width {
            break;
        }
        let changes = level_changes(values, width);
        if changes.iter().all(|change| change.abs() <= MIN_SHARE * level) {
            continue;
        }
        let spread = mad(&changes).expect("n is at least six widths");
        let threshold = (MIN_DEVIATIONS * spread).max(MIN_SHARE * level);
        if width == 1 {
            falls.n_rises = changes.iter().filter(|change| **change > threshold).count();
        }

        for (sign, found) in [(1.0, &mut down), (-1.0, &mut up)] {
            let change = |index: &usize| sign * changes[*index];
            // Of a level that is left so often nothing could be said.
            if sign < 0.0 && (0..changes.len()).filter(|index| change(index) < -threshold).count() > n / OFTEN {
                continue;
            }
            let mut candidates: Vec<usize> = (0..changes.len()).filter(|index| change(index) < -threshold).collect();
            candidates.sort_by(|a, b| change(a).total_cmp(&change(b)));
            for candidate in candidates {
                let at = candidate + width;
                if any_within(found, at, width.max(2)) {
                    continue;
                }
                let sharpest = sharpest_fall(values, at, width, sign);
                if !any_within(found, sharpest, 2) {
                    found.insert(sharpest);
                }
            }
        }
    }
    falls.at = down.into_iter().collect();
    falls.up = up.into_iter().collect();
    falls
}

fn any_within(found: &BTreeSet<usize>, at: usize, distance: usize) -> bool {
    found.range(at.saturating_sub(distance)..=at + distance).next().is_some()
}

/// The change from the median of `width` samples before to that of `width` samples from each index on; the first
/// entry belongs to index `width`.
fn level_changes(values: &[f64], width: usize) -> Vec<f64> {
    if width == 1 {
        return values.windows(2).map(|pair| pair[1] - pair[0]).collect();
    }
    let mut window = SortedWindow::default();
    let mut medians = Vec::with_capacity(values.len() + 1 - width);
    for (index, value) in values.iter().enumerate() {
        match index.checked_sub(width) {
            Some(oldest) => window.replace(values[oldest], *value),
            None => window.insert(*value),
        }
        if index + 1 >= width {
            medians.push(window.median().expect("the width is positive"));
        }
    }
    for index in width..medians.len() {
        medians[index - width] = medians[index] - medians[index - width];
    }
    medians.truncate(medians.len() - width);
    medians
}

/// The index after the largest one-sample fall within half a width of `at`; the largest rise where `sign` is -1.
fn sharpest_fall(values: &[f64], at: usize, width: usize, sign: f64) -> usize {
    if width == 1 {
        return at;
    }
    let first = at.saturating_sub(width / 2).max(1);
    let last = (at + width / 2).min(values.len() - 1);
    let change = |at: usize| sign * (values[at] - values[at - 1]);
    (first..=last).min_by(|&a, &b| change(a).total_cmp(&change(b))).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[f64], at: &[usize]) {
        assert_eq!(find(values).at, at);
        let upside_down: Vec<f64> = values.iter().map(|value| 300.0 - value).collect();
        assert_eq!(find(&upside_down).up, at);
    }

    #[test]
    fn a_sawtooth_falls_where_it_falls() {
        let sawtooth: Vec<f64> = (0..60).map(|index| 100.0 + f64::from(index % 20)).collect();
        check(&sawtooth, &[20, 40]);
    }

    #[test]
    fn a_level_without_falls_has_none() {
        check(&[], &[]);
        check(&[7.0], &[]);
        check(&[7.0; 50], &[]);
        check(&(0..50).map(f64::from).collect::<Vec<_>>(), &[]);
    }
}
