//! Cuts what is asked for into parts, so that no answer is larger than a bound.

/// No part is longer: some servers refuse to look further, in seconds.
pub(super) const LONGEST: i64 = 86_400;

/// A part this short is not cut in time again, in seconds: what is too much then has too many series.
pub(super) const SHORTEST: i64 = 600;

/// Seconds since 1970 and how many series there are at that time, in order of time.
pub(super) type Counts = Vec<(i64, f64)>;

/// How many series there are at some times, and how often each has a sample.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Density {
    /// How many series there are.
    pub(super) n_series: Counts,
    /// How often a series has a sample, in seconds.
    pub(super) interval: f64,
}

impl Density {
    /// How many series are to be expected at a time.
    pub(super) fn n_at(&self, at: i64) -> f64 {
        let next = self.n_series.partition_point(|(time, _)| *time < at);
        // Of the two counts around it the larger one: what comes and goes is not missed.
        let counts = self.n_series[next.saturating_sub(1)..(next + 1).min(self.n_series.len())].iter();
        counts.map(|(_, n)| *n).fold(0.0, f64::max)
    }

    /// The most samples that are to be expected behind one time and up to another.
    pub(super) fn expected(&self, after: i64, until: i64) -> f64 {
        let within =
            self.n_series.iter().filter(|(time, _)| after < *time && *time < until).map(|(_, n)| n / self.interval);
        within.fold(self.n_at(after).max(self.n_at(until)) / self.interval, f64::max) * (until - after) as f64
    }
}

/// The ends of parts between `start` and `end`, in seconds; each begins where the one before it ends, and is expected to
/// hold at most `target` samples, unless it is as short as a part may be.
pub(super) fn cuts(start: i64, end: i64, density: &Density, target: u64) -> Vec<(i64, i64)> {
    let mut parts = Vec::new();
    let mut after = start;
    while after < end {
        let mut length = LONGEST.min(end - after);
        while SHORTEST < length && (target as f64) < density.expected(after, after + length) {
            length = (length / 2).max(SHORTEST);
        }
        parts.push((after, after + length));
        after += length;
    }
    parts
}

/// The ends of so many parts between `start` and `end`, in seconds, of about the same length; at least one.
pub(super) fn evenly(start: i64, end: i64, n: i64) -> Vec<(i64, i64)> {
    let n = n.clamp(1, ((end - start) / SHORTEST).max(1));
    let at = |part: i64| start + (end - start) * part / n;
    (0..n).map(|part| (at(part), at(part + 1))).collect()
}

/// Values in so many groups of about the same size, in order; fewer where there are fewer values.
pub(super) fn groups(values: &[String], n: usize) -> Vec<Vec<String>> {
    let size = values.len().div_ceil(n.max(1)).max(1);
    values.chunks(size).map(<[String]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_one_another_and_none_is_expected_to_hold_too_much() {
        let density = Density { n_series: vec![(0, 10.0), (86_400, 1000.0), (172_800, 10.0)], interval: 30.0 };
        let parts = cuts(0, 259_200, &density, 500_000);
        assert_eq!(parts.first().map(|part| part.0), Some(0));
        assert_eq!(parts.last().map(|part| part.1), Some(259_200));
        assert!(parts.windows(2).all(|pair| pair[0].1 == pair[1].0));
        assert!(parts.iter().all(|(after, until)| density.expected(*after, *until) <= 500_000.0));
        // The first two days hold up to 1000 series, of which 500,000 samples are 4 h 10 min; the last holds few.
        assert_eq!(parts.len(), 18, "{parts:?}");
    }

    #[test]
    fn a_part_is_never_shorter_than_ten_minutes_nor_longer_than_a_day() {
        let many = Density { n_series: vec![(0, 1e9)], interval: 1.0 };
        assert_eq!(cuts(0, 1500, &many, 1000), [(0, 600), (600, 1200), (1200, 1500)]);
        let none = Density { n_series: Vec::new(), interval: 30.0 };
        assert_eq!(cuts(0, 100_000, &none, 1000), [(0, 86_400), (86_400, 100_000)]);
    }

    #[test]
    fn even_parts_follow_one_another() {
        assert_eq!(evenly(100, 10_000, 0), [(100, 10_000)]);
        assert_eq!(evenly(0, 10_000, 3), [(0, 3333), (3333, 6666), (6666, 10_000)]);
        assert_eq!(evenly(0, 1500, 9), [(0, 750), (750, 1500)]);
        assert_eq!(evenly(0, 60, 9), [(0, 60)]);
    }

    #[test]
    fn groups_hold_each_value_once() {
        let values: Vec<String> = (0..7).map(|n| n.to_string()).collect();
        assert_eq!(groups(&values, 3).iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
        assert_eq!(groups(&values, 100).len(), 7);
        assert_eq!(groups(&values, 3).concat(), values);
    }
}
