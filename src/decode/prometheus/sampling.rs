//! Concludes from the times of an export whether they are scrapes or the steps of a range query.

use rayon::prelude::*;

use super::Exported;

/// Whether all points lie on one grid of whole seconds, the distance of neighbours: what a range query gives.
pub(super) fn is_one_grid(series: &[Exported]) -> bool {
    let Some(origin_ms) = series.iter().find_map(|series| series.samples.time_ms.first().copied()) else {
        return false;
    };
    let of_each = series.par_iter().map(|series| Grid::of(&series.samples.time_ms, origin_ms));
    let Grid { step_ms, common_ms, n_points } = of_each.reduce(Grid::default, Grid::with);
    3 <= n_points && step_ms != i64::MAX && common_ms == step_ms && step_ms % 1000 == 0
}

/// What times have in common.
#[derive(Clone, Copy)]
struct Grid {
    /// The shortest distance of neighbours; the largest number without any.
    step_ms: i64,
    /// The greatest common divisor of their distances from an origin.
    common_ms: i64,
    n_points: usize,
}

impl Default for Grid {
    fn default() -> Grid {
        Grid { step_ms: i64::MAX, common_ms: 0, n_points: 0 }
    }
}

impl Grid {
    fn of(times_ms: &[i64], origin_ms: i64) -> Grid {
        let mut step_ms = i64::MAX;
        let mut common_ms = times_ms.first().map_or(0, |first_ms| (first_ms - origin_ms).abs());
        for pair in times_ms.windows(2) {
            let apart_ms = (pair[1] - pair[0]).abs();
            // As nearly always.
            if apart_ms == step_ms && apart_ms == common_ms {
                continue;
            }
            if apart_ms > 0 {
                step_ms = step_ms.min(apart_ms);
            }
            common_ms = greatest_common_divisor(apart_ms, common_ms);
        }
        Grid { step_ms, common_ms, n_points: times_ms.len() }
    }

    fn with(self, other: Grid) -> Grid {
        Grid {
            step_ms: self.step_ms.min(other.step_ms),
            common_ms: greatest_common_divisor(self.common_ms, other.common_ms),
            n_points: self.n_points + other.n_points,
        }
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
