//! The difference of two independent estimates, each known by its value and interval.

/// An estimate with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
}

impl Estimate {
    /// An estimate; `None` unless all three are finite and the interval holds the value.
    pub fn new(value: f64, lower: f64, upper: f64) -> Option<Estimate> {
        let ordered = lower <= value && value <= upper && lower.is_finite() && upper.is_finite();
        ordered.then_some(Estimate { value, lower, upper })
    }
}

/// `new - base`, in their unit, at the confidence that both have in common.
///
/// The distance of each end of the interval from its value stands for the spread on that side, and independent
/// spreads add in squares. For two normal estimates this is the exact interval; intervals that are lopsided or have
/// heavy tails stay so.
///
/// Zou, Donner (2008), "Construction of confidence limits about effect measures: a general approach".
///
/// ```
/// # use leaktrend_core::stats::difference::{Estimate, difference};
/// let base = Estimate::new(100.0, 97.0, 103.0).unwrap();
/// let new = Estimate::new(110.0, 106.0, 114.0).unwrap();
/// assert_eq!(difference(new, base), Estimate { value: 10.0, lower: 5.0, upper: 15.0 });
/// ```
pub fn difference(new: Estimate, base: Estimate) -> Estimate {
    let value = new.value - base.value;
    Estimate {
        value,
        lower: value - (new.value - new.lower).hypot(base.upper - base.value),
        upper: value + (new.upper - new.value).hypot(base.value - base.lower),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lopsided_intervals_stay_lopsided_and_swapping_flips_the_sign() {
        let base = Estimate::new(10.0, 10.0, 14.0).unwrap();
        let new = Estimate::new(20.0, 17.0, 20.0).unwrap();
        assert_eq!(difference(new, base), Estimate { value: 10.0, lower: 5.0, upper: 10.0 });
        assert_eq!(difference(base, new), Estimate { value: -10.0, lower: -10.0, upper: -5.0 });
    }

    #[test]
    fn what_is_no_interval_is_no_estimate() {
        assert_eq!(Estimate::new(1.0, 2.0, 3.0), None);
        assert_eq!(Estimate::new(f64::NAN, 0.0, 1.0), None);
        assert_eq!(Estimate::new(0.0, f64::NEG_INFINITY, 1.0), None);
    }

    /// Seeded normal estimates whose true difference is 3: the 90 % interval misses it about once in ten.
    #[test]
    fn the_interval_holds_the_true_difference_as_often_as_promised() {
        let mut state = 7u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
        };
        let mut normal = || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
        let trials = 4000;
        let held = (0..trials)
            .filter(|_| {
                let mut estimate = |truth: f64, error: f64| {
                    let value = truth + error * normal();
                    Estimate { value, lower: value - 1.645 * error, upper: value + 1.645 * error }
                };
                let found = difference(estimate(8.0, 1.0), estimate(5.0, 3.0));
                found.lower <= 3.0 && 3.0 <= found.upper
            })
            .count();
        let share = held as f64 / f64::from(trials);
        assert!(0.885 <= share && share <= 0.915, "{share}");
    }
}
