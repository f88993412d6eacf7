//! Medians and the spread around them.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

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
    let mut deviations = values.to_vec();
    let centre = median_in_place(&mut deviations)?;
    deviations.iter_mut().for_each(|value| *value = (*value - centre).abs());
    median_in_place(&mut deviations).map(|mad| MAD_TO_SD * mad)
}

/// The values of a window that slides, in order: medians at the cost of one value moved.
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

    /// Takes out a value that was added before. Takes O(window) time.
    pub fn remove(&mut self, value: f64) {
        let at = self.values.partition_point(|known| known.total_cmp(&value).is_lt());
        debug_assert_eq!(self.values[at].to_bits(), value.to_bits(), "only what was added leaves the window");
        self.values.remove(at);
    }

    /// The median; `None` of nothing. Takes O(1) time.
    pub fn median(&self) -> Option<f64> {
        let middle = self.values.len() / 2;
        let upper = *self.values.get(middle)?;
        Some(if self.values.len().is_multiple_of(2) { f64::midpoint(self.values[middle - 1], upper) } else { upper })
    }

    /// The median absolute deviation from `centre`, scaled to a standard deviation; `None` of nothing.
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

/// The median of values that only become more. Adding one takes O(log n) time, the median O(1).
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

    /// The median; `None` of nothing.
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

    #[test]
    fn windows_and_running_medians_agree_with_the_median_of_their_values() {
        // Ties, both signs, even and odd numbers of values.
        let values: Vec<f64> = (0..200u32).map(|index| f64::from(index * index % 23) - 9.0).collect();
        for width in 1..9 {
            let mut window = SortedWindow::default();
            for (index, value) in values.iter().enumerate() {
                window.insert(*value);
                if index >= width {
                    window.remove(values[index - width]);
                }
                let inside = &values[(index + 1).saturating_sub(width)..=index];
                assert_eq!(window.median(), median(inside));
                assert_eq!(window.mad(median(inside).unwrap()), mad(inside));
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
