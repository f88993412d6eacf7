//! The resolution of values, in at most one byte per sample.

use std::ops::Range;

/// The largest number of different resolutions. Beyond it, the coarsest stands for the others; no input has so many.
const MAX_DIFFERENT: usize = 256;

/// The resolution of each sample: the spacing of neighbouring values that the input could print, in bytes.
///
/// An input has few different resolutions, so each sample holds only an index, or nothing where all are the same.
#[derive(Debug, Clone, Default)]
pub struct Resolutions {
    /// The different resolutions, in order of appearance; some may belong to no sample any more.
    different: Vec<f32>,
    /// The index of the resolution of each sample; empty while all have the first.
    codes: Vec<u8>,
    n_samples: usize,
}

impl Resolutions {
    /// The same resolution for `n_samples` samples.
    pub fn same(bytes: f32, n_samples: usize) -> Resolutions {
        Resolutions { different: vec![bytes], codes: Vec::new(), n_samples }
    }

    /// Adds the resolution of a sample, in bytes.
    #[inline]
    pub fn push(&mut self, bytes: f32) {
        match self.codes.last() {
            None if self.different.first() == Some(&bytes) => self.n_samples += 1,
            Some(last) if self.different[usize::from(*last)] == bytes => {
                self.codes.push(*last);
                self.n_samples += 1;
            }
            _ => self.push_times(bytes, 1),
        }
    }

    /// Adds the same resolution for `n_samples` samples.
    pub fn push_times(&mut self, bytes: f32, n_samples: usize) {
        let code = self.code(bytes);
        if code != 0 {
            self.write_out();
        }
        self.n_samples += n_samples;
        if !self.codes.is_empty() || code != 0 {
            self.codes.resize(self.n_samples, code);
        }
    }

    /// Gives each sample the index of its resolution, where all have the first.
    fn write_out(&mut self) {
        self.codes.resize(self.n_samples, 0);
    }

    /// Adds all of `other`.
    pub fn append(&mut self, other: &Resolutions) {
        if other.codes.is_empty() {
            if let Some(bytes) = other.different.first() {
                self.push_times(*bytes, other.n_samples);
            }
            return;
        }
        let codes: Vec<u8> = other.different.iter().map(|bytes| self.code(*bytes)).collect();
        self.write_out();
        self.n_samples += other.n_samples;
        if codes.iter().enumerate().all(|(index, code)| index == usize::from(*code)) {
            self.codes.extend_from_slice(&other.codes);
        } else {
            self.codes.extend(other.codes.iter().map(|code| codes[usize::from(*code)]));
        }
    }

    /// The resolution of the sample at `index`, in bytes.
    pub fn get(&self, index: usize) -> f32 {
        self.different[if self.codes.is_empty() { 0 } else { usize::from(self.codes[index]) }]
    }

    /// The resolutions of all samples, in bytes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = f32> {
        (0..self.n_samples).map(|index| self.get(index))
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.n_samples
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.n_samples == 0
    }

    /// The median, in bytes. `None` without samples. Takes O(n) time.
    pub fn median(&self) -> Option<f64> {
        let counts = self.counts();
        let at = |index: usize| {
            let mut end = 0;
            counts.iter().find_map(|(bytes, count)| {
                end += count;
                (index < end).then_some(f64::from(*bytes))
            })
        };
        let last = self.len().checked_sub(1)?;
        Some(f64::midpoint(at(last / 2)?, at(last.div_ceil(2))?))
    }

    /// The coarsest, in bytes; `None` without samples. Takes O(n) time.
    pub fn coarsest(&self) -> Option<f32> {
        self.counts().last().map(|(bytes, _)| *bytes)
    }

    /// How many samples have each, from the finest to the coarsest.
    fn counts(&self) -> Vec<(f32, usize)> {
        let mut counts = [0; MAX_DIFFERENT];
        self.codes.iter().for_each(|code| counts[usize::from(*code)] += 1);
        counts[0] += self.n_samples - self.codes.len();
        let mut counts: Vec<(f32, usize)> =
            self.different.iter().copied().zip(counts).filter(|(_, count)| 0 < *count).collect();
        counts.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
        counts
    }

    /// Keeps the first `length` samples.
    pub fn truncate(&mut self, length: usize) {
        self.codes.truncate(length);
        self.n_samples = self.n_samples.min(length);
    }

    /// Gives the sample at `to` that of the one at `from`.
    pub(super) fn copy_within(&mut self, from: usize, to: usize) {
        if !self.codes.is_empty() {
            self.codes[to] = self.codes[from];
        }
    }

    /// Those of some samples, in their order.
    pub(super) fn part(&self, range: Range<usize>) -> Resolutions {
        let n_samples = range.len();
        let codes = if self.codes.is_empty() { Vec::new() } else { self.codes[range].to_vec() };
        Resolutions { different: self.different.clone(), codes, n_samples }
    }

    /// Those of the samples of these indices.
    pub(super) fn picked(self, order: &[u32]) -> Resolutions {
        let code = |index: &u32| self.codes[*index as usize];
        let codes = if self.codes.is_empty() { Vec::new() } else { order.iter().map(code).collect() };
        Resolutions { different: self.different, codes, n_samples: order.len() }
    }

    /// Reserves space for `more` samples, if they need any.
    pub fn reserve_exact(&mut self, more: usize) {
        if !self.codes.is_empty() {
            self.codes.reserve_exact(more);
        }
    }

    #[cold]
    #[inline(never)]
    fn code(&mut self, bytes: f32) -> u8 {
        let index = self.different.iter().position(|other| *other == bytes).unwrap_or_else(|| {
            if self.different.len() < MAX_DIFFERENT {
                self.different.push(bytes);
            } else {
                let coarsest = &mut self.different[MAX_DIFFERENT - 1];
                *coarsest = coarsest.max(bytes);
            }
            self.different.len() - 1
        });
        index as u8
    }
}

impl PartialEq for Resolutions {
    fn eq(&self, other: &Resolutions) -> bool {
        self.iter().eq(other.iter())
    }
}

impl FromIterator<f32> for Resolutions {
    fn from_iter<I: IntoIterator<Item = f32>>(bytes: I) -> Resolutions {
        let mut resolutions = Resolutions::default();
        bytes.into_iter().for_each(|bytes| resolutions.push(bytes));
        resolutions
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::robust::median;

    proptest! {
        #[test]
        fn each_sample_keeps_its_own(
            first in prop::collection::vec(prop::sample::select(vec![1.0f32, 8.0, 1024.0, 0.5]), 0..40),
            second in prop::collection::vec(prop::sample::select(vec![1024.0f32, 2.0, 0.5, 7.0]), 0..40),
        ) {
            let all: Vec<f32> = first.iter().chain(&second).copied().collect();
            let mut extended = Resolutions::default();
            first.chunk_by(f32::eq).for_each(|alike| extended.push_times(alike[0], alike.len()));
            second.iter().for_each(|bytes| extended.push(*bytes));
            prop_assert_eq!(extended.iter().collect::<Vec<_>>(), all.clone());
            let mut appended: Resolutions = first.iter().copied().collect();
            appended.append(&second.iter().copied().collect());
            prop_assert_eq!(&appended, &extended);
            let middle = all.len() / 3..all.len() / 2;
            prop_assert_eq!(appended.part(middle.clone()).iter().collect::<Vec<_>>(), &all[middle]);
            let backwards: Vec<u32> = (0..all.len() as u32).rev().collect();
            let picked: Vec<f32> = extended.clone().picked(&backwards).iter().collect();
            prop_assert_eq!(picked, all.iter().rev().copied().collect::<Vec<_>>());
            let wide: Vec<f64> = all.iter().copied().map(f64::from).collect();
            prop_assert_eq!(appended.median(), median(&wide));
            prop_assert_eq!(appended.coarsest(), all.iter().copied().reduce(f32::max));
        }
    }

    #[test]
    fn of_too_many_the_coarsest_stands_for_the_rest() {
        let resolutions: Resolutions = (1..=1000u16).map(f32::from).collect();
        assert_eq!((resolutions.get(0), resolutions.get(254)), (1.0, 255.0));
        assert!((255..1000).all(|index| resolutions.get(index) == 1000.0));
        assert_eq!(resolutions.coarsest(), Some(1000.0));
    }

    #[test]
    fn what_was_cut_off_no_longer_counts() {
        let mut resolutions: Resolutions = [1.0, 2.0, 64.0].into_iter().collect();
        resolutions.truncate(2);
        assert_eq!((resolutions.coarsest(), resolutions.median()), (Some(2.0), Some(1.5)));
        assert_eq!(Resolutions::default().median(), None);
        assert_eq!(Resolutions::default().coarsest(), None);
    }
}
