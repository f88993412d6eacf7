//! `sum`, `avg`, `min`, `max` and `count` over the elements of a group, with the operations that Prometheus does.
//!
//! `promql/engine.go` of Prometheus 2.42 and 3.14. Elements are added in the order of the series that were read; a
//! server adds them in the order of its storage. For whole numbers, as bytes are, the order changes nothing.

use std::collections::BTreeMap;

use super::readings::Release;
use super::window::add;

/// Sums of whole numbers up to here are exact as an `f64`, in any order.
const LARGEST_EXACT: i128 = 1 << 53;

/// An aggregation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// `sum`
    Sum,
    /// `avg`
    Average,
    /// `min`
    Minimum,
    /// `max`
    Maximum,
    /// `count`
    Count,
}

impl Aggregate {
    /// The result for the elements of a group, in their order; `None` without elements.
    pub(super) fn of(self, values: impl Iterator<Item = f64>, release: Release) -> Option<f64> {
        let mut values = values.peekable();
        values.peek()?;
        Some(match (self, release) {
            (Aggregate::Sum, Release::Prometheus2) => values.reduce(|sum, value| sum + value)?,
            (Aggregate::Sum, Release::Prometheus3) => {
                let (sum, lost) = compensated(values);
                sum + lost
            }
            (Aggregate::Average, Release::Prometheus2) => running_mean(values),
            (Aggregate::Average, Release::Prometheus3) => {
                let mut count = 0.0;
                let (sum, lost) = compensated(values.inspect(|_| count += 1.0));
                sum / count + lost / count
            }
            (Aggregate::Minimum, _) => extreme(values, |value, least| value < least)?,
            (Aggregate::Maximum, _) => extreme(values, |value, greatest| value > greatest)?,
            (Aggregate::Count, _) => values.count() as f64,
        })
    }
}

/// A compensated sum; what was lost counts only while the sum is finite.
fn compensated(mut values: impl Iterator<Item = f64>) -> (f64, f64) {
    let first = values.next().unwrap_or(0.0);
    values.fold((first, 0.0), |sum, value| {
        let total = sum.0 + value;
        if total.is_infinite() { (total, 0.0) } else { add(sum, value) }
    })
}

fn running_mean(mut values: impl Iterator<Item = f64>) -> f64 {
    let first = values.next().unwrap_or(f64::NAN);
    values.zip(2_u32..).fold(first, |mean, (value, count)| {
        // An infinite mean stays, but for what has no mean with it.
        if mean.is_infinite() && (value.is_finite() || value == mean) {
            return mean;
        }
        let count = f64::from(count);
        mean + (value / count - mean / count)
    })
}

fn extreme(values: impl Iterator<Item = f64>, beyond: impl Fn(f64, f64) -> bool) -> Option<f64> {
    values.reduce(|found, value| if beyond(value, found) || found.is_nan() { value } else { found })
}

/// The elements of a group as they come and go, and their aggregate: a change costs O(log n) where the values are whole
/// numbers, or only the least or greatest counts.
#[derive(Debug)]
pub(super) struct Tally {
    aggregate: Aggregate,
    release: Release,
    values: Vec<Option<f64>>,
    n_present: usize,
    /// The sum of the whole numbers among the values, and of their sizes.
    sum: i128,
    size: i128,
    /// How many values are no whole numbers.
    n_broken: usize,
    /// How often each number occurs, by a key in the order of numbers; NaN is in none.
    sorted: BTreeMap<i64, (f64, usize)>,
}

impl Tally {
    pub(super) fn new(aggregate: Aggregate, release: Release, n_members: usize) -> Tally {
        Tally {
            aggregate,
            release,
            values: vec![None; n_members],
            n_present: 0,
            sum: 0,
            size: 0,
            n_broken: 0,
            sorted: BTreeMap::new(),
        }
    }

    /// Gives a member another value, or none.
    pub(super) fn set(&mut self, member: usize, value: Option<f64>) {
        let before = std::mem::replace(&mut self.values[member], value);
        if let Some(before) = before {
            self.count(before, false);
        }
        if let Some(value) = value {
            self.count(value, true);
        }
    }

    /// The aggregate; `None` without elements.
    pub(super) fn result(&self) -> Option<f64> {
        let n = self.n_present as f64;
        if self.n_present == 0 {
            return None;
        }
        let is_exact = self.n_broken == 0 && self.size <= LARGEST_EXACT;
        match (self.aggregate, self.release) {
            (Aggregate::Count, _) => Some(n),
            (Aggregate::Sum, _) if is_exact => Some(self.sum as f64),
            (Aggregate::Average, Release::Prometheus3) if is_exact => Some(self.sum as f64 / n),
            (Aggregate::Minimum, _) => Some(self.sorted.first_key_value().map_or(f64::NAN, |(_, (value, _))| *value)),
            (Aggregate::Maximum, _) => Some(self.sorted.last_key_value().map_or(f64::NAN, |(_, (value, _))| *value)),
            _ => self.aggregate.of(self.values.iter().copied().flatten(), self.release),
        }
    }

    fn count(&mut self, value: f64, comes: bool) {
        let change = |count: &mut usize| if comes { *count += 1 } else { *count -= 1 };
        change(&mut self.n_present);
        match self.aggregate {
            Aggregate::Count => {}
            Aggregate::Sum | Aggregate::Average => {
                let is_whole = value.fract() == 0.0 && value.abs() <= LARGEST_EXACT as f64;
                if !is_whole || value.to_bits() == (-0.0_f64).to_bits() {
                    change(&mut self.n_broken);
                    return;
                }
                let whole = value as i128;
                self.sum += if comes { whole } else { -whole };
                self.size += if comes { whole.abs() } else { -whole.abs() };
            }
            Aggregate::Minimum | Aggregate::Maximum if value.is_nan() => {}
            Aggregate::Minimum | Aggregate::Maximum => {
                let key = order_key(value);
                let (_, count) = self.sorted.entry(key).or_insert((value, 0));
                change(count);
                if *count == 0 {
                    self.sorted.remove(&key);
                }
            }
        }
    }
}

/// A key in the order of the numbers.
fn order_key(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Aggregate; 5] =
        [Aggregate::Sum, Aggregate::Average, Aggregate::Minimum, Aggregate::Maximum, Aggregate::Count];
    const RELEASES: [Release; 2] = [Release::Prometheus2, Release::Prometheus3];

    fn value() -> impl Strategy<Value = Option<f64>> {
        prop_oneof![
            4 => (-1_000_000_000_000_i64..1_000_000_000_000).prop_map(|whole| Some(whole as f64)),
            2 => Just(None),
            1 => (-1e12..1e12_f64).prop_map(Some),
            1 => prop::sample::select(vec![0.0, 9e15, -9e15, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).prop_map(Some),
        ]
    }

    proptest! {
        /// What comes and goes leaves nothing behind.
        #[test]
        fn a_tally_is_the_aggregate_of_what_is_there(
            changes in prop::collection::vec((0_usize..6, value()), 1..60),
        ) {
            for (aggregate, release) in ALL.into_iter().flat_map(|one| RELEASES.map(|release| (one, release))) {
                let mut tally = Tally::new(aggregate, release, 6);
                let mut values = [None; 6];
                for (member, value) in &changes {
                    values[*member] = *value;
                    tally.set(*member, *value);
                    let expected = aggregate.of(values.iter().copied().flatten(), release);
                    let same = expected.map(f64::to_bits) == tally.result().map(f64::to_bits);
                    let both_nan = expected.is_some_and(f64::is_nan) && tally.result().is_some_and(f64::is_nan);
                    prop_assert!(same || both_nan, "{aggregate:?} {release:?} {values:?}: {:?}", tally.result());
                }
            }
        }
    }

    #[test]
    fn releases_add_up_in_their_own_way() {
        let values = [1e16, 1.0, 1.0, -1e16];
        let of = |aggregate: Aggregate| RELEASES.map(|release| aggregate.of(values.into_iter(), release).unwrap());
        assert_eq!(of(Aggregate::Sum), [0.0, 2.0]);
        assert_eq!(of(Aggregate::Average)[1], 0.5);
        let infinite = [f64::INFINITY, 5.0, f64::INFINITY];
        for release in RELEASES {
            assert_eq!(Aggregate::Average.of(infinite.into_iter(), release), Some(f64::INFINITY));
            assert!(Aggregate::Sum.of([f64::INFINITY, -f64::INFINITY].into_iter(), release).unwrap().is_nan());
            assert_eq!(Aggregate::Maximum.of([f64::NAN, 1.0].into_iter(), release), Some(1.0));
            assert_eq!(Aggregate::Count.of(std::iter::empty(), release), None);
        }
    }
}
