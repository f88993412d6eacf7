//! A series reduced to what can be seen: the lowest and highest sample of each column of pixels.
//!
//! Jugel et al. (2014), "M4: a visualization-oriented time series data aggregation": with the first and last sample
//! of a column beside its extremes, the line drawn is the line of all samples.

/// The samples within one column of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Column {
    /// Time of the first sample, in milliseconds.
    pub(super) first_ms: i64,
    /// Time of the last sample, in milliseconds.
    pub(super) last_ms: i64,
    pub(super) first: f64,
    pub(super) last: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
}

/// The samples of each of `n` equal columns over `start_ms..=end_ms`; `None` where there are none.
///
/// Samples out of the window and values that are not finite are left out. Takes O(samples).
pub(super) fn columns(
    time_ms: &[i64],
    used_bytes: &[f64],
    (start_ms, end_ms): (f64, f64),
    n: usize,
) -> Vec<Option<Column>> {
    let mut columns: Vec<Option<Column>> = vec![None; n];
    let per_ms = n as f64 / (end_ms - start_ms).max(f64::MIN_POSITIVE);
    for (&time_ms, &bytes) in time_ms.iter().zip(used_bytes) {
        let position = (time_ms as f64 - start_ms) * per_ms;
        if !bytes.is_finite() || position < 0.0 || n as f64 * (1.0 + 1e-9) < position || n == 0 {
            continue;
        }
        match &mut columns[(position as usize).min(n - 1)] {
            Some(column) => {
                column.last_ms = time_ms;
                column.last = bytes;
                column.lower = column.lower.min(bytes);
                column.upper = column.upper.max(bytes);
            }
            empty => {
                *empty = Some(Column {
                    first_ms: time_ms,
                    last_ms: time_ms,
                    first: bytes,
                    last: bytes,
                    lower: bytes,
                    upper: bytes,
                });
            }
        }
    }
    columns
}

/// A step between samples that is longer than this, in milliseconds, is a gap: five times the usual step.
///
/// The usual step is the median of up to 2000 steps spread over the series.
pub(super) fn gap_ms(time_ms: &[i64]) -> f64 {
    const STEPS: usize = 2000;
    let stride = (time_ms.len() / STEPS).max(1);
    let mut steps: Vec<i64> = time_ms
        .windows(2)
        .step_by(stride)
        .map(|pair| pair[1].saturating_sub(pair[0]))
        .filter(|&step| step > 0)
        .collect();
    if steps.is_empty() {
        return f64::INFINITY;
    }
    let middle = steps.len() / 2;
    let (_, &mut median, _) = steps.select_nth_unstable(middle);
    5.0 * median as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extremes_of_every_column_are_kept() {
        let time_ms: Vec<i64> = (0..10_000).collect();
        let mut used: Vec<f64> = (0..10_000).map(|i| f64::from(i % 7)).collect();
        used[1234] = 900.0;
        used[7777] = -3.0;
        let columns = columns(&time_ms, &used, (0.0, 9999.0), 100);
        assert_eq!(columns.len(), 100);
        assert!(columns.iter().all(Option::is_some));
        let column = |index: usize| columns[index].unwrap();
        assert_eq!((column(12).lower, column(12).upper), (0.0, 900.0));
        assert_eq!((column(77).lower, column(77).upper), (-3.0, 6.0));
        assert_eq!((column(0).first, column(0).first_ms, column(99).last_ms), (0.0, 0, 9999));
    }

    #[test]
    fn what_is_out_of_the_window_or_not_a_number_is_left_out() {
        let columns = columns(&[-5, 0, 5, 10, 15], &[1.0, 2.0, f64::NAN, 4.0, 5.0], (0.0, 10.0), 2);
        let seen: Vec<_> = columns.iter().map(|column| column.map(|column| (column.lower, column.upper))).collect();
        assert_eq!(seen, [Some((2.0, 2.0)), Some((4.0, 4.0))]);
    }

    #[test]
    fn a_gap_is_five_usual_steps() {
        for (time_ms, gap) in [
            (vec![], f64::INFINITY),
            (vec![7], f64::INFINITY),
            (vec![7, 7, 7], f64::INFINITY),
            (vec![0, 15, 30, 500, 515], 75.0),
        ] {
            assert_eq!(gap_ms(&time_ms), gap, "{time_ms:?}");
        }
    }
}
