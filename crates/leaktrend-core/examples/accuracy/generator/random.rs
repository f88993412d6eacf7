//! Random numbers that are the same everywhere, and the distributions that memory is made from.

use std::f64::consts::TAU;
use std::ops::Range;

/// `SplitMix64` (Steele, Lea, Flood 2014): the same numbers everywhere.
pub(crate) struct Random(u64);

impl Random {
    /// A generator for one purpose of one series.
    pub(crate) fn of(seed: u64, purpose: u64) -> Random {
        let mut random = Random(seed ^ purpose.wrapping_mul(0xd134_2543_de82_ef95));
        random.next();
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn uniform(&mut self, lower: f64, upper: f64) -> f64 {
        lower + (upper - lower) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// With this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.uniform(0.0, 1.0) < probability
    }

    /// A whole number of a range that is not empty; short ranges only, of which each is as likely as the next.
    pub(crate) fn whole(&mut self, range: Range<usize>) -> usize {
        range.start + (self.next() % range.len() as u64) as usize
    }

    pub(crate) fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.whole(0..values.len())]
    }

    /// So many different numbers of a range, in order.
    pub(crate) fn several(&mut self, count: usize, range: &Range<usize>) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        while chosen.len() < count.min(range.len()) {
            let next = self.whole(range.clone());
            if let Err(place) = chosen.binary_search(&next) {
                chosen.insert(place, next);
            }
        }
        chosen
    }

    /// Of mean 0 and variance 1.
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform(f64::MIN_POSITIVE, 1.0).ln()).sqrt() * (TAU * self.uniform(0.0, 1.0)).cos()
    }

    /// Of variance 1 with heavy tails: Student's t of three degrees of freedom, whose own variance is 3.
    pub(crate) fn heavy(&mut self) -> f64 {
        let squares: f64 = (0..3).map(|_| self.normal().powi(2)).sum();
        self.normal() / squares.sqrt()
    }

    /// Of mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -self.uniform(f64::MIN_POSITIVE, 1.0).ln()
    }

    /// How many requests arrive when `mean` are expected (Knuth): takes time in proportion to them.
    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        // Beyond this the product of uniform numbers would come near to the smallest that there is.
        const AT_ONCE: f64 = 500.0;
        if mean > AT_ONCE {
            return self.poisson(AT_ONCE) + self.poisson(mean - AT_ONCE);
        }
        let (none, mut product, mut count) = ((-mean).exp(), self.uniform(0.0, 1.0), 0u32);
        while product > none {
            product *= self.uniform(0.0, 1.0);
            count += 1;
        }
        f64::from(count)
    }
}
