//! The grid of time that everything is counted on: at most `MAX_BINS` bins over the readings and a little before.

/// More bins than this say no more: the judge looks at about 288 blocks.
const MAX_BINS: i64 = 2048;
/// Requests before the first reading whose memory may come later, as a share of the readings.
const BEFORE: i64 = 10;

/// Bins of equal length. What comes at an edge belongs to the bin that ends there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bins {
    /// Where the first begins, in milliseconds since 1970.
    pub start_ms: i64,
    /// The length of each, in milliseconds; at least 1.
    pub bin_ms: i64,
    /// How many there are; at least 1.
    pub count: usize,
}

impl Bins {
    /// Bins for readings from `start_ms` to `end_ms`, and for a tenth of that time before.
    pub fn of_readings(start_ms: i64, end_ms: i64) -> Bins {
        let span = end_ms.saturating_sub(start_ms).max(1);
        let whole = span.saturating_add(span / BEFORE);
        let bin_ms = whole.saturating_add(MAX_BINS - 1) / MAX_BINS;
        let count = (whole / bin_ms + i64::from(whole % bin_ms != 0)) as usize;
        Bins { start_ms: end_ms.saturating_sub(bin_ms.saturating_mul(count as i64)), bin_ms, count }
    }

    /// The end of the last, in milliseconds.
    pub fn end_ms(&self) -> i64 {
        self.start_ms.saturating_add(self.bin_ms.saturating_mul(self.count as i64))
    }

    /// The bin of a time; `None` before the first and after the last.
    pub fn of(&self, time_ms: i64) -> Option<usize> {
        // An edge belongs to the bin before.
        let since = time_ms.checked_sub(self.start_ms)?.checked_sub(1)?;
        (0 <= since).then(|| (since / self.bin_ms) as usize).filter(|bin| *bin < self.count)
    }

    /// Adds what came between two times to the bins between them, in proportion.
    pub(super) fn spread(&self, sums: &mut [f64], (from, to): (i64, i64), amount: f64) {
        let first = ((from - self.start_ms).max(0) / self.bin_ms) as usize;
        for (bin, sum) in sums.iter_mut().enumerate().skip(first) {
            let begin = self.start_ms + bin as i64 * self.bin_ms;
            if to <= begin {
                break;
            }
            let overlap = (begin + self.bin_ms).min(to) - begin.max(from);
            *sum += amount * overlap.max(0) as f64 / (to - from) as f64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_and_a_tenth_before_are_covered_whatever_their_span() {
        for span in [1, 2, 999, 2048, 2049, 300_000, 86_400_000, 30 * 86_400_000] {
            let bins = Bins::of_readings(1_000_000_000_000, 1_000_000_000_000 + span);
            assert!(bins.count as i64 <= MAX_BINS && 1 <= bins.bin_ms, "{bins:?}");
            assert_eq!(bins.end_ms(), 1_000_000_000_000 + span);
            assert!(bins.start_ms <= 1_000_000_000_000 - span / BEFORE, "{bins:?}");
            assert_eq!(bins.of(bins.end_ms()), Some(bins.count - 1));
            assert_eq!(bins.of(bins.end_ms() + 1), None);
            assert_eq!(bins.of(bins.start_ms), None);
            assert_eq!(bins.of(bins.start_ms + 1), Some(0));
            assert_eq!(bins.of(bins.start_ms + bins.bin_ms), Some(0));
        }
        let whole = Bins::of_readings(i64::MIN, i64::MAX);
        assert!(whole.count > 0 && whole.of(i64::MIN).is_none());
    }
}
