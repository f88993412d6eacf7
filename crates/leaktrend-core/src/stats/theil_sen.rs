//! The Theil–Sen line: its slope is found among all pairs of points without making them all.

use super::Points;
use super::robust::median_in_place;

/// Up to so many slopes for each point the median is found fastest by making them all.
const ALL_PER_POINT: usize = 128;
/// A search ends where no more slopes than this for each point are left between its bounds.
const LEFT_PER_POINT: usize = 24;

/// The Theil–Sen slope: the median of the slopes between all pairs of points.
///
/// In units of `y` per unit of `x`; `None` with fewer than two points.
/// Takes O(n log n) expected time and O(n) memory, and ends on any input.
///
/// `x` and `y` are counted from the first and rounded to 2^-51 of the largest power of two in them, so that their
/// differences are exact and the order of the rounded slopes is that of the exact ones. Integers below 2^51, and
/// values of which none is twice another, stay what they are. Points whose `x` then agree have no slope between them.
///
/// Sen (1968), "Estimates of the regression coefficient based on Kendall's tau"; the search is that of Matoušek
/// (1991), "Randomized optimal algorithm for slope selection", with merge sort to count and to draw the pairs.
///
/// One wild point does not move it:
///
/// ```
/// # use leaktrend_core::stats::{Points, theil_sen};
/// let points = Points::new(&[0.0, 1.0, 2.0, 3.0, 4.0], &[0.0, 2.0, 4.0, 6.0, 800.0]).unwrap();
/// assert_eq!(theil_sen::slope(points), Some(2.0));
/// ```
pub fn slope(points: Points<'_>) -> Option<f64> {
    let grid = Grid::new(points);
    grid.median_slope(ALL_PER_POINT, LEFT_PER_POINT).map(|slope| grid.in_units(slope))
}

/// Points as whole numbers of a unit each in x and in y.
struct Grid {
    points: Vec<GridPoint>,
    unit_x: f64,
    unit_y: f64,
}

#[derive(Debug, Clone, Copy)]
struct GridPoint {
    x: f64,
    y: f64,
    /// The position among all points by x, then y.
    place: u32,
}

impl Grid {
    fn new(points: Points<'_>) -> Grid {
        let (x, unit_x) = on_grid(points.x());
        let (y, unit_y) = on_grid(points.y());
        let mut points: Vec<GridPoint> = x.zip(y).map(|(x, y)| GridPoint { x, y, place: 0 }).collect();
        points.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
        points.iter_mut().zip(0..).for_each(|(point, place)| point.place = place);
        Grid { points, unit_x, unit_y }
    }

    /// A slope between grid points, in the units of the points they were.
    fn in_units(&self, slope: f64) -> f64 {
        slope * self.unit_y / self.unit_x
    }

    /// Pairs of points at different x.
    fn n_slopes(&self) -> usize {
        let pairs = |n: usize| n * n.saturating_sub(1) / 2;
        let at_one_x = self.points.chunk_by(|a, b| a.x == b.x).map(|points| pairs(points.len()));
        pairs(self.points.len()) - at_one_x.sum::<usize>()
    }

    /// The median of all slopes: all are made up to `all` for each point, otherwise searched until `left` are left.
    fn median_slope(&self, all: usize, left: usize) -> Option<f64> {
        let n_slopes = self.n_slopes();
        if n_slopes <= all * self.points.len() {
            return median_in_place(&mut self.all_slopes());
        }
        let (lower, next) = Search::new(self, (n_slopes - 1) / 2).run(left);
        if !n_slopes.is_multiple_of(2) {
            return Some(lower);
        }
        let upper = next.unwrap_or_else(|| Search::new(self, n_slopes / 2).run(left).0);
        Some(f64::midpoint(lower, upper))
    }

    fn all_slopes(&self) -> Vec<f64> {
        let pairs =
            self.points.iter().enumerate().flat_map(|(index, a)| self.points[..index].iter().map(move |b| (b, a)));
        pairs.filter(|(a, b)| a.x < b.x).map(|(a, b)| slope_between(a, b)).collect()
    }
}

/// The search for the slope with a rank, 0 for the smallest, among all slopes.
///
/// A slope is at most t exactly when the later of its points comes first in the order by y - t x. So the pairs that
/// stand in another order at t than at an earlier t are the slopes between, which merge sort counts as it goes.
struct Search {
    rank: usize,
    /// The slope that is looked for is above this ...
    lower: f64,
    /// ... and at most this.
    upper: f64,
    /// How many slopes are at most `lower`.
    up_to_lower: usize,
    /// How many slopes are at most `upper`.
    up_to_upper: usize,
    /// The points in their order at `lower`.
    at_lower: Vec<GridPoint>,
    random: Random,
}

impl Search {
    fn new(grid: &Grid, rank: usize) -> Search {
        Search {
            rank,
            lower: f64::NEG_INFINITY,
            upper: f64::INFINITY,
            up_to_lower: 0,
            up_to_upper: grid.n_slopes(),
            at_lower: grid.points.clone(),
            random: Random(rank as u64),
        }
    }

    /// The slope with the rank, and the next one where it came to light.
    ///
    /// Slopes are drawn from those between the bounds. Where the rank lies among the drawn ones it lies among all,
    /// give or take; counting makes the new bounds certain.
    fn run(mut self, left: usize) -> (f64, Option<f64>) {
        let n = self.at_lower.len();
        loop {
            // Of two neighbouring numbers only the upper one is between the bounds. Adding 0 takes the sign off a 0.
            if self.lower.next_up() == self.upper {
                let slope = self.upper + 0.0;
                return (slope, (self.rank + 1 < self.up_to_upper).then_some(slope));
            }
            let inside = self.up_to_upper - self.up_to_lower;
            let rank_inside = self.rank - self.up_to_lower;
            if inside <= left.max(1) * n {
                let mut slopes = Vec::with_capacity(inside);
                reorder(&mut self.at_lower, self.upper, |passed, point| {
                    slopes.extend(passed.iter().map(|other| slope_between(other, point)));
                });
                slopes.sort_unstable_by(f64::total_cmp);
                return (slopes[rank_inside], slopes.get(rank_inside + 1).copied());
            }

            let mut drawn = self.draw(n);
            drawn.sort_unstable_by(f64::total_cmp);
            let position = rank_inside as f64 / inside as f64 * n as f64;
            // Three standard deviations of how many of the drawn ones are below.
            let margin = 1.5 * (n as f64).sqrt();
            let near = |position: f64| drawn[(position.max(0.0) as usize).min(n - 1)];
            self.narrow(near(position - margin).next_down());
            self.narrow(near(position + margin));
            if self.up_to_upper - self.up_to_lower > inside / 2 {
                // Ill luck, or many equal slopes: half of the numbers between the bounds go for certain.
                self.narrow(halfway(self.lower, self.upper));
            }
        }
    }

    /// Slopes between the bounds, `count` of them: one from each of so many stretches of equal length.
    fn draw(&mut self, count: usize) -> Vec<f64> {
        let inside = (self.up_to_upper - self.up_to_lower) as f64;
        let random = &mut self.random;
        let mut wanted =
            (0..count).map(|index| ((index as f64 + random.share()) / count as f64 * inside) as usize).peekable();
        let mut drawn = Vec::with_capacity(count);
        let mut seen = 0;
        reorder(&mut self.at_lower.clone(), self.upper, |passed, point| {
            while let Some(index) = wanted.next_if(|index| *index < seen + passed.len()) {
                drawn.push(slope_between(&passed[index - seen], point));
            }
            seen += passed.len();
        });
        // Rounding may have put the last one a place too far.
        drawn.resize(count, drawn[drawn.len() - 1]);
        drawn
    }

    /// Makes `bound` the lower or the upper bound, whichever it is; a bound that is not between them is left.
    fn narrow(&mut self, bound: f64) {
        if bound <= self.lower || self.upper <= bound {
            return;
        }
        let mut at_bound = self.at_lower.clone();
        let mut up_to_bound = self.up_to_lower;
        reorder(&mut at_bound, bound, |passed, _| up_to_bound += passed.len());
        if up_to_bound <= self.rank {
            (self.lower, self.up_to_lower, self.at_lower) = (bound, up_to_bound, at_bound);
        } else {
            (self.upper, self.up_to_upper) = (bound, up_to_bound);
        }
    }
}

/// Merge sort from the order at some slope to the order at a larger one. `visit` is called with each point that
/// passes others on its way to the front, and those: together every pair whose slope lies between, once.
fn reorder(points: &mut Vec<GridPoint>, slope: f64, mut visit: impl FnMut(&[GridPoint], &GridPoint)) {
    let n = points.len();
    let mut merged = Vec::with_capacity(n);
    let mut width = 1;
    while width < n {
        merged.clear();
        for run in points.chunks(2 * width) {
            let (mut left, mut right) = run.split_at(width.min(run.len()));
            while let ([l, later_left @ ..], [r, later_right @ ..]) = (left, right) {
                if passes(r, l, slope) {
                    visit(left, r);
                    merged.push(*r);
                    right = later_right;
                } else {
                    merged.push(*l);
                    left = later_left;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(points, &mut merged);
        width *= 2;
    }
}

/// Whether `point` comes before `other` in the order at `slope`.
fn passes(point: &GridPoint, other: &GridPoint, slope: f64) -> bool {
    if point.x == other.x {
        return point.place < other.place;
    }
    (slope_between(point, other) <= slope) == (other.x < point.x)
}

/// Correctly rounded, since the differences are exact; so the order of slopes is never turned round.
fn slope_between(a: &GridPoint, b: &GridPoint) -> f64 {
    (b.y - a.y) / (b.x - a.x)
}

/// Values from the first on, in whole numbers of a unit, and the unit: a power of two, so that no value and no
/// difference of two is 2^53 or more.
fn on_grid(values: &[f64]) -> (impl Iterator<Item = f64>, f64) {
    const MANTISSA_BITS: u32 = 52;
    const SMALLEST_EXPONENT: u64 = 1;

    let largest = |from: f64| values.iter().fold(0.0f64, |largest, value| largest.max((value - from).abs()));
    let first = values.first().copied().unwrap_or(0.0);
    // Between the ends of the number range differences are not numbers.
    let from = if largest(first).is_finite() { first } else { 0.0 };
    let biased_exponent = (largest(from).to_bits() >> MANTISSA_BITS).saturating_sub(51).max(SMALLEST_EXPONENT);
    let unit = f64::from_bits(biased_exponent << MANTISSA_BITS);
    (values.iter().map(move |value| ((value - from) / unit).round_ties_even()), unit)
}

/// The number in the middle of all numbers from `lower` to `upper`.
fn halfway(lower: f64, upper: f64) -> f64 {
    // Their bits, in the order of the numbers (and back: the same turns it round twice).
    let turned = |bits: i64| bits ^ ((bits >> 63) as u64 >> 1) as i64;
    let place = |value: f64| turned(value.to_bits() as i64);
    f64::from_bits(turned(i64::midpoint(place(lower), place(upper))) as u64)
}

/// `SplitMix64` (Steele, Lea, Flood 2014). Which slopes are drawn decides how fast the median is found, not which.
struct Random(u64);

impl Random {
    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The median of all slopes, made one by one.
    fn naive(x: &[f64], y: &[f64]) -> Option<f64> {
        let mut slopes = Vec::new();
        for later in 1..x.len() {
            slopes.extend((0..later).map(|earlier| (y[later] - y[earlier]) / (x[later] - x[earlier])));
        }
        median_in_place(&mut slopes)
    }

    /// The search, also for input that is short enough to do without.
    fn searched(x: &[f64], y: &[f64]) -> Option<f64> {
        let grid = Grid::new(Points::new(x, y).unwrap());
        grid.median_slope(0, 0).map(|slope| grid.in_units(slope))
    }

    #[track_caller]
    fn check(x: &[f64], y: &[f64]) {
        let expected = naive(x, y).map(f64::to_bits);
        assert_eq!(searched(x, y).map(f64::to_bits), expected, "{x:?} {y:?}");
        assert_eq!(slope(Points::new(x, y).unwrap()).map(f64::to_bits), expected, "{x:?} {y:?}");
    }

    fn every(step: f64, n: usize) -> Vec<f64> {
        (0..n).map(|index| step * index as f64).collect()
    }

    #[test]
    fn a_single_point_has_no_slope() {
        check(&[1.0], &[2.0]);
        check(&[], &[]);
        assert_eq!(slope(Points::new(&[1.0], &[2.0]).unwrap()), None);
    }

    #[test]
    fn not_a_number_is_refused_at_the_door() {
        assert!(Points::new(&[0.0, 1.0], &[0.0, f64::NAN]).is_none());
        assert!(Points::new(&[0.0, f64::INFINITY], &[0.0, 1.0]).is_none());
        assert!(Points::new(&[0.0, 0.0], &[0.0, 1.0]).is_none());
    }

    #[test]
    fn shapes_with_many_equal_slopes_end() {
        for n in [2, 3, 4, 5, 50, 301, 600] {
            let x = every(15_000.0, n);
            let each = |f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Vec<f64>>();
            check(&x, &each(&|_| 0.0));
            check(&x, &each(&|_| 5e8));
            check(&x, &each(&|index| index as f64 * 107_374_182.0));
            check(&x, &each(&|index| index as f64 * -3.0));
            check(&x, &each(&|index| (index % 2) as f64));
            check(&x, &each(&|index| (index / 7) as f64 * 1_048_576.0));
            check(&x, &each(&|index| if index < n / 2 { 1e9 } else { 2e9 }));
            check(&x, &each(&|index| (index * index) as f64));
            check(&x, &each(&|index| if index == n / 3 { 4e15 } else { 1.0 }));
        }
    }

    #[test]
    fn the_ends_of_the_number_range_end_too() {
        let x = every(1.0, 40);
        for scale in [f64::MAX / 4.0, f64::MIN_POSITIVE, 5e-324] {
            let y: Vec<f64> = (0..40).map(|index| scale * f64::from(index % 3)).collect();
            assert!(searched(&x, &y).is_some_and(f64::is_finite), "{scale}");
        }
        let near: Vec<f64> = [0.0, 1e-300, 2e-300].into_iter().chain((1..40).map(f64::from)).collect();
        assert_eq!(searched(&near, &every(2.0, 42)), Some(2.0));
        assert_eq!(
            searched(&x, &x.iter().map(|x| if *x < 20.0 { f64::MIN } else { f64::MAX }).collect::<Vec<_>>())
                .map(f64::is_finite),
            Some(true)
        );
        // Beside a large number two neighbouring small ones are one place on the grid.
        assert_eq!(
            slope(Points::new(&[1.0, 1.0f64.next_up(), 1e300], &[1.0, 2.0, 3.0]).unwrap()).map(|slope| slope < 1e-299),
            Some(true)
        );
    }

    proptest! {
        /// As docker prints readings: fractions of a byte, none twice another.
        #[test]
        fn printed_readings_give_the_naive_median(levels in prop::collection::vec(5_130u32..9_999, 0..120)) {
            let y: Vec<f64> = levels.iter().map(|level| f64::from(*level) / 10.0 * 1_048_576.0).collect();
            check(&every(15.0, y.len()), &y);
        }

        /// As docker prints readings and a clock gives times: few values, uneven steps.
        #[test]
        fn whole_numbers_with_ties_give_the_naive_median(
            rows in prop::collection::vec((1u32..4, 0u32..12), 0..120),
            resolution in prop::sample::select(vec![1.0, 104_858.0, 10_737_418.0]),
        ) {
            let x: Vec<f64> = rows.iter().scan(0.0, |at, (step, _)| { *at += f64::from(*step); Some(*at) }).collect();
            let y: Vec<f64> = rows.iter().map(|(_, level)| f64::from(*level) * resolution).collect();
            check(&x, &y);
        }

        #[test]
        fn whole_numbers_without_ties_give_the_naive_median(
            rows in prop::collection::vec((1u32..100_000, 0u64..1 << 40), 0..120),
        ) {
            let x: Vec<f64> = rows.iter().scan(0.0, |at, (step, _)| { *at += f64::from(*step); Some(*at) }).collect();
            let y: Vec<f64> = rows.iter().map(|(_, level)| *level as f64).collect();
            check(&x, &y);
        }

        /// Of any numbers the naive median on the same grid, and that of the numbers as they are up to rounding.
        #[test]
        fn any_numbers_give_the_naive_median(
            rows in prop::collection::vec((1e-3f64..1e3, -1e9f64..1e9), 2..100),
        ) {
            let x: Vec<f64> = rows.iter().scan(0.0, |at, (step, _)| { *at += step; Some(*at) }).collect();
            let y: Vec<f64> = rows.iter().map(|(_, level)| *level).collect();
            let grid = Grid::new(Points::new(&x, &y).unwrap());
            let expected = median_in_place(&mut grid.all_slopes()).unwrap();
            prop_assert_eq!(grid.median_slope(0, 0).unwrap().to_bits(), expected.to_bits());
            let raw = naive(&x, &y).unwrap();
            let largest = y.iter().fold(0.0f64, |largest, y| largest.max(y.abs()));
            prop_assert!((grid.in_units(expected) - raw).abs() <= 1e-12 * raw.abs().max(largest));
        }
    }
}
