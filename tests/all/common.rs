//! What several tests need: seeded random numbers, and where shared data stands.

use std::path::PathBuf;

/// `SplitMix64`: Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators".
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The same numbers for the same seed, on every machine.
    pub(crate) fn seeded(seed: u64) -> Random {
        Random(seed)
    }

    /// Any 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number, 0 or more and below `bound`.
    pub(crate) fn below(&mut self, bound: i64) -> i64 {
        (self.next() % bound as u64) as i64
    }

    /// Whether something that happens once in `n` times happens now.
    pub(crate) fn once_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }

    /// One of several values.
    pub(crate) fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as i64) as usize]
    }
}

/// A file of the shared data; `None`, said on standard error, where it is absent.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("LEAKTREND_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: `{}` is absent", file.display());
    None
}
