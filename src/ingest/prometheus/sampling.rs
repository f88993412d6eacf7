//! Concludes from the times of an export whether they are scrapes or the steps of a range query.

use super::Exported;

/// Whether all points lie on one grid of whole seconds, the distance of neighbours: what a range query gives.
pub(super) fn is_one_grid(series: &[Exported]) -> bool {
    let Some(origin_ms) = series.iter().find_map(|series| series.samples.time_ms.first().copied()) else {
        return false;
    };
    let mut step_ms = i64::MAX;
    let mut common_ms = 0;
    let mut n_points = 0;
    for series in series {
        let times_ms = &series.samples.time_ms;
        n_points += times_ms.len();
        for pair in times_ms.windows(2) {
            if pair[0] != pair[1] {
                step_ms = step_ms.min((pair[1] - pair[0]).abs());
            }
        }
        for time_ms in times_ms {
            common_ms = greatest_common_divisor((time_ms - origin_ms).abs(), common_ms);
        }
    }
    3 <= n_points && step_ms != i64::MAX && common_ms == step_ms && step_ms % 1000 == 0
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
