//! Medians and the spread around them.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Scales the median absolute deviation to a standard deviation, for normal data.
pub const MAD_TO_SD: f64 = 1.4826;

/// Up to so many values are copied where they must not be reordered, which is quicker: 8 MiB.
const MAX_COPIED: usize = 1 << 20;

/// The median; `None` if empty. Takes O(n) time and reorders `values`.
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

/// The quantile at a share from 0 to 1, by linear interpolation; `None` if empty. Takes O(n) time and reorders
/// `values`.
///
/// Hyndman, Fan (1996), "Sample quantiles in statistical packages", definition 7.
pub fn quantile_in_place(values: &mut [f64], share: f64) -> Option<f64> {
    let place = share * (values.len().checked_sub(1)?) as f64;
    let (_, lower, above) = values.select_nth_unstable_by(place as usize, f64::total_cmp);
    let lower = *lower;
    let upper = above.iter().copied().min_by(f64::total_cmp).unwrap_or(lower);
    Some(lower + place.fract() * (upper - lower))
}

/// The median; `None` if empty. Takes O(n) time, and memory for at most `MAX_COPIED` values.
pub fn median(values: &[f64]) -> Option<f64> {
    median_of(|| values.iter().copied())
}

/// The median of the values of an iterator, which `values` makes anew for each pass; `None` if empty. Takes O(n) time,
/// and memory for at most `MAX_COPIED` values.
pub fn median_of<I: Iterator<Item = f64>>(values: impl Fn() -> I) -> Option<f64> {
    let n = values().count();
    if n <= MAX_COPIED {
        // Whole numbers are compared at half the cost.
        let mut keys: Vec<u64> = values().map(sort_key).collect();
        let (below, upper, _) = if n == 0 { return None } else { keys.select_nth_unstable(n / 2) };
        let upper = from_sort_key(*upper);
        let lower = below.iter().max().filter(|_| n.is_multiple_of(2));
        return Some(lower.map_or(upper, |lower| f64::midpoint(from_sort_key(*lower), upper)));
    }
    let upper = nth(&values, n / 2);
    if !n.is_multiple_of(2) {
        return Some(upper);
    }
    let is_below = |value: &f64| value.total_cmp(&upper).is_lt();
    let (n_below, highest) =
        values().filter(is_below).fold((0, f64::NEG_INFINITY), |(n, highest), value| (n + 1, highest.max(value)));
    // Without a value between them both middles are the same.
    let lower = if n_below == n / 2 { highest } else { upper };
    Some(f64::midpoint(lower, upper))
}

/// The median, or the upper one of the two middle values; `None` if empty. Takes time and memory as `median_of`.
pub fn upper_median_of<I: Iterator<Item = f64>>(values: impl Fn() -> I) -> Option<f64> {
    match values().count() {
        0 => None,
        n if n <= MAX_COPIED => {
            let mut values: Vec<f64> = values().collect();
            Some(*values.select_nth_unstable_by(n / 2, f64::total_cmp).1)
        }
        n => Some(nth(values, n / 2)),
    }
}

/// The value before which `rank` others stand in order, without a copy of them: by its bits, sixteen at a time from the
/// highest on. `rank` is less than their number.
fn nth<I: Iterator<Item = f64>>(values: impl Fn() -> I, rank: usize) -> f64 {
    const DIGIT: u32 = 16;
    let mut rank = rank;
    let mut known = 0;
    for shift in [48, 32, 16, 0] {
        let mut counts = vec![0usize; 1 << DIGIT];
        for key in values().map(sort_key) {
            // In two steps: no number may be shifted by all of its bits.
            if (key >> shift >> DIGIT) == known {
                counts[(key >> shift) as usize % (1 << DIGIT)] += 1;
            }
        }
        let mut digit = 0;
        while counts[digit] <= rank {
            rank -= counts[digit];
            digit += 1;
        }
        known = known << DIGIT | digit as u64;
    }
    from_sort_key(known)
}

/// A number whose order is that of `f64::total_cmp`: negative values are complemented, the sign of others is set.
fn sort_key(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn from_sort_key(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

/// The median absolute deviation from the median, scaled to a standard deviation; `None` if empty. Takes O(n) time,
/// and memory for at most `MAX_COPIED` values.
pub fn mad(values: &[f64]) -> Option<f64> {
    let centre = median(values)?;
    median_of(|| values.iter().map(|value| (value - centre).abs())).map(|mad| MAD_TO_SD * mad)
}

/// The values of a sliding window, in order, so that its median is at hand.
#[derive(Debug, Clone, Default)]
pub struct SortedWindow {
    values: Vec<f64>,
}

impl SortedWindow {
    /// Adds a value. Takes O(window) time.
    pub fn insert(&mut self, value: f64) {
        let at = self.values.partition_point(|known| known.total_cmp(&value).is_lt());
        self.values.insert(at, value);
    }

    /// Removes a value that was added before. Takes O(window) time.
    pub fn remove(&mut self, value: f64) {
        let at = self.values.partition_point(|known| known.total_cmp(&value).is_lt());
        debug_assert_eq!(self.values[at].to_bits(), value.to_bits(), "only what was added leaves the window");
        self.values.remove(at);
    }

    /// Takes out a value that was added before, and adds another. Takes O(window) time.
    pub fn replace(&mut self, old: f64, value: f64) {
        let values = &mut self.values[..];
        let mut at = values.iter().position(|known| *known == old).expect("only what was added leaves the window");
        while let Some(next) = values.get(at + 1).copied().filter(|next| *next < value) {
            values[at] = next;
            at += 1;
        }
        while let Some(before) = values[..at].last().copied().filter(|before| value < *before) {
            values[at] = before;
            at -= 1;
        }
        values[at] = value;
    }

    /// The median; `None` if empty. Takes O(1) time.
    pub fn median(&self) -> Option<f64> {
        let middle = self.values.len() / 2;
        let upper = *self.values.get(middle)?;
        Some(if self.values.len().is_multiple_of(2) { f64::midpoint(self.values[middle - 1], upper) } else { upper })
    }

    /// What `mad` is at least. Takes O(1) time: of the nearest half, which stand in a row, one is this or that.
    pub fn least_mad(&self, centre: f64) -> f64 {
        let n = self.values.len();
        let half = n.div_ceil(2);
        let first = (n - half).saturating_sub(1) / 2;
        let of = |at: usize| self.values.get(at).map_or(0.0, |value| (value - centre).abs());
        MAD_TO_SD * of(first).min(of(first + half))
    }

    /// The median absolute deviation from `centre`, scaled to a standard deviation; `None` if empty.
    /// Takes O(window) time: deviations grow to both sides of the centre, and are merged.
    pub fn mad(&self, centre: f64) -> Option<f64> {
        let n = self.values.len();
        let split = self.values.partition_point(|value| *value < centre);
        let mut below = self.values[..split].iter().rev().map(|value| centre - value).peekable();
        let mut above = self.values[split..].iter().map(|value| value - centre).peekable();
        let mut in_order = std::iter::from_fn(|| match (below.peek(), above.peek()) {
            (Some(low), Some(high)) if low <= high => below.next(),
            (_, Some(_)) => above.next(),
            _ => below.next(),
        });
        let median = if n.is_multiple_of(2) {
            let lower = in_order.nth((n / 2).checked_sub(1)?)?;
            f64::midpoint(lower, in_order.next()?)
        } else {
            in_order.nth(n / 2)?
        };
        Some(MAD_TO_SD * median)
    }
}

/// The median of a growing set of values. Adding one takes O(log n) time, the median O(1).
#[derive(Debug, Clone, Default)]
pub struct RunningMedian {
    /// Not more than the median; half of the values, or one more than the others.
    lower: BinaryHeap<Total>,
    /// Not less than the median.
    upper: BinaryHeap<Reverse<Total>>,
}

impl RunningMedian {
    /// Adds a value.
    pub fn push(&mut self, value: f64) {
        self.lower.push(Total(value));
        if self.upper.peek().is_some_and(|Reverse(above)| *above < Total(value))
            || self.lower.len() > self.upper.len() + 1
        {
            self.upper.extend(self.lower.pop().map(Reverse));
        }
        if self.upper.len() > self.lower.len() {
            self.lower.extend(self.upper.pop().map(|Reverse(value)| value));
        }
    }

    /// The median; `None` if empty.
    pub fn median(&self) -> Option<f64> {
        let Total(lower) = *self.lower.peek()?;
        match self.upper.peek() {
            Some(Reverse(Total(upper))) if self.upper.len() == self.lower.len() => Some(f64::midpoint(lower, *upper)),
            _ => Some(lower),
        }
    }
}

/// A number in the total order of IEEE 754.
#[derive(Debug, Clone, Copy)]
struct Total(f64);

impl Ord for Total {
    fn cmp(&self, other: &Total) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Total {
    fn partial_cmp(&self, other: &Total) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Total {
    fn eq(&self, other: &Total) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Total {}

/// The arithmetic mean; `None` if empty.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation around the mean, dividing by n; 0 if empty.
pub fn sd(values: &[f64]) -> f64 {
    let Some(mean) = mean(values) else { return 0.0 };
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middles() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    proptest! {
        #[test]
        fn a_value_is_found_without_a_copy(
            values in prop::collection::vec(prop_oneof![any::<f64>().prop_filter("", |x| !x.is_nan()), (-3i8..4).prop_map(f64::from)], 1..60),
        ) {
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            for (rank, value) in sorted.iter().enumerate() {
                prop_assert_eq!(nth(|| values.iter().copied(), rank).to_bits(), value.to_bits());
            }
        }
    }

    /// Many values and few have the same median, also where the middle ones differ.
    #[test]
    fn a_median_does_not_depend_on_how_it_is_found() {
        for n in [MAX_COPIED + 1, MAX_COPIED + 2] {
            let spread: Vec<f64> = (0..n).map(|index| (index * 7919 % n) as f64 - 1000.5).collect();
            let ties: Vec<f64> = (0..n).map(|index| f64::from(u8::from(index % 3 == 0))).collect();
            for mut values in [spread, ties] {
                let found = (median(&values), mad(&values));
                let middle = median_in_place(&mut values);
                assert_eq!(found.0, middle);
                values.iter_mut().for_each(|value| *value = (*value - middle.unwrap()).abs());
                assert_eq!(found.1, median_in_place(&mut values).map(|mad| MAD_TO_SD * mad));
            }
        }
    }

    #[test]
    fn one_wild_value_does_not_move_the_spread() {
        // numpy: 1.4826 * median(|x - median(x)|).
        assert!((mad(&[1.0, 2.0, 3.0, 4.0, 1e9]).unwrap() - 1.4826).abs() < 1e-12);
        assert_eq!(mad(&[5.0, 5.0, 5.0]), Some(0.0));
    }

    #[test]
    fn windows_and_running_medians_agree_with_the_median_of_their_values() {
        // Ties, both signs, even and odd numbers of values.
        let values: Vec<f64> = (0..200u32).map(|index| f64::from(index * index % 23) - 9.0).collect();
        for width in 1..9 {
            let mut window = SortedWindow::default();
            for (index, value) in values.iter().enumerate() {
                match index.checked_sub(width) {
                    Some(oldest) if width % 2 == 0 => window.replace(values[oldest], *value),
                    Some(oldest) => {
                        window.insert(*value);
                        window.remove(values[oldest]);
                    }
                    None => window.insert(*value),
                }
                let inside = &values[(index + 1).saturating_sub(width)..=index];
                let centre = median(inside).unwrap();
                assert_eq!(window.median(), Some(centre));
                assert_eq!(window.mad(centre), mad(inside));
                assert!(window.least_mad(centre) <= mad(inside).unwrap());
            }
        }
        let mut running = RunningMedian::default();
        assert_eq!(running.median(), None);
        for index in 0..values.len() {
            running.push(values[index]);
            assert_eq!(running.median(), median(&values[..=index]));
        }
    }
}
