//! Functions of the readings in a range, with the operations in the order in which Prometheus does them.
//!
//! Most depend on which readings are in the range, and so are constant from one reading that comes or goes to the
//! next. `delta`, `increase`, `rate` and `predict_linear` also depend on the moment itself: they are a [`Moving`] value,
//! which can be computed for a moment or enclosed for a stretch of time.
//!
//! `promql/functions.go` of Prometheus 2.42 and 3.14, as compiled for amd64: without fused multiplication and
//! addition.

use super::enclosure::Enclosure;
use super::extrapolated::{Extrapolated, Growth};
use super::readings::Release;

/// A function of the readings in a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// `avg_over_time`.
    Average,
    /// `min_over_time`.
    Minimum,
    /// `max_over_time`.
    Maximum,
    /// `sum_over_time`.
    Sum,
    /// `count_over_time`.
    Count,
    /// `last_over_time`.
    Last,
    /// `quantile_over_time`: interpolated between the readings around that rank.
    Quantile {
        /// From 0 for the least to 1 for the greatest; infinite results outside.
        share: f64,
    },
    /// `delta`: last less first, extrapolated to the ends of the range.
    Delta,
    /// `increase`: the same for a counter, whose resets do not count.
    Increase,
    /// `rate`: the increase per second.
    Rate,
    /// `deriv`: the slope of the fitted line, per second.
    Slope,
    /// `predict_linear`: the fitted line so many seconds after the evaluation.
    Prediction {
        /// Seconds from the evaluation on.
        seconds: f64,
    },
}

/// A reading: milliseconds and value.
pub(super) type Reading = (i64, f64);

/// What a function gives for one set of readings.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Element {
    /// No element.
    Absent,
    /// The same at every moment.
    Constant(f64),
    /// Another value at every moment.
    Moving(Moving),
}

/// A value that depends on the moment of the evaluation, for one set of readings.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Moving {
    Extrapolated(Extrapolated),
    Prediction(Prediction),
}

impl Moving {
    /// The value at a moment, as Prometheus computes it. `readings`: those that the function was given.
    pub(super) fn at(&self, readings: &[Reading], time_ms: i64) -> f64 {
        match self {
            Moving::Extrapolated(growth) => growth.at(time_ms),
            Moving::Prediction(prediction) => {
                let (slope, intercept) = fitted_line(&readings[prediction.range()], time_ms);
                slope * prediction.seconds + intercept
            }
        }
    }

    /// Bounds of the values at all moments from `first_ms` to `last_ms`.
    pub(super) fn enclosed(&self, first_ms: i64, last_ms: i64) -> Enclosure {
        match self {
            Moving::Extrapolated(growth) => growth.enclosed(first_ms, last_ms),
            Moving::Prediction(prediction) => prediction.enclosed(first_ms, last_ms),
        }
    }
}

impl Function {
    /// Whether its value depends on the moment itself.
    pub(super) fn moves(self) -> bool {
        matches!(self, Function::Delta | Function::Increase | Function::Rate | Function::Prediction { .. })
    }

    /// The value for `readings[from..to]`, which are in the range from `start_ms` to before `end_ms`.
    pub(super) fn of(
        self,
        readings: &[Reading],
        (from, to): (usize, usize),
        range: Range,
        release: Release,
        end_ms: i64,
    ) -> Element {
        let window = &readings[from..to];
        match self {
            _ if window.is_empty() => Element::Absent,
            Function::Average => Element::Constant(match release {
                Release::Prometheus3 => mean_of_sum(window),
                Release::Prometheus2 => running_mean(window),
            }),
            Function::Sum => {
                let (sum, lost) = window.iter().fold((0.0, 0.0), |sum, reading| add(sum, reading.1));
                Element::Constant(sum + lost)
            }
            Function::Count => Element::Constant(window.len() as f64),
            Function::Last => Element::Constant(window[window.len() - 1].1),
            Function::Quantile { share } => Element::Constant(quantile(window, share)),
            Function::Minimum => Element::Constant(extreme(window, |value, least| value < least)),
            Function::Maximum => Element::Constant(extreme(window, |value, greatest| value > greatest)),
            _ if window.len() < 2 => Element::Absent,
            Function::Slope => Element::Constant(fitted_line(window, window[0].0).0),
            Function::Delta => Extrapolated::of(Growth::Difference, window, range, release),
            Function::Increase => Extrapolated::of(Growth::Increase, window, range, release),
            Function::Rate => Extrapolated::of(Growth::Rate, window, range, release),
            // A constant goes on as it is, and nothing follows from what is no number.
            Function::Prediction { seconds } if is_constant(window) => Element::Constant(0.0 * seconds + window[0].1),
            Function::Prediction { .. } if !window.iter().all(|reading| reading.1.is_finite()) => {
                Element::Constant(f64::NAN)
            }
            Function::Prediction { seconds } => {
                Element::Moving(Moving::Prediction(Prediction::new(window, (from, to), seconds, end_ms)))
            }
        }
    }
}

/// A range as a selector writes it: `[5m] offset 1m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) range_ms: i64,
    pub(super) offset_ms: i64,
}

/// One more term of a compensated sum: Neumaier (1974), "Rundungsfehleranalyse einiger Verfahren zur Summation
/// endlicher Summen".
pub(super) fn add((sum, lost): (f64, f64), term: f64) -> (f64, f64) {
    let total = sum + term;
    let missed = if sum.abs() >= term.abs() { (sum - total) + term } else { (term - total) + sum };
    (total, lost + missed)
}

fn mean_of_sum(window: &[Reading]) -> f64 {
    let count = window.len() as f64;
    let (sum, lost) = window[1..].iter().fold((window[0].1, 0.0), |sum, reading| add(sum, reading.1));
    // Of a single reading too: x / 1 + 0 / 1.
    sum / count + lost / count
}

fn running_mean(window: &[Reading]) -> f64 {
    let (mean, lost) = window.iter().zip(1_u32..).fold((0.0, 0.0), |mean, (reading, count)| {
        let count = f64::from(count);
        add(mean, reading.1 / count - mean.0 / count)
    });
    mean + lost
}

fn extreme(window: &[Reading], beyond: impl Fn(f64, f64) -> bool) -> f64 {
    window[1..].iter().fold(
        window[0].1,
        |found, reading| {
            if beyond(reading.1, found) || found.is_nan() { reading.1 } else { found }
        },
    )
}

fn quantile(window: &[Reading], share: f64) -> f64 {
    if share.is_nan() || !(0.0..=1.0).contains(&share) {
        return if share < 0.0 { f64::NEG_INFINITY } else { share * f64::INFINITY };
    }
    let mut values: Vec<f64> = window.iter().map(|reading| reading.1).collect();
    // NaN is the least.
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan())));
    let rank = share * (values.len() - 1) as f64;
    let lower = rank.floor() as usize;
    let weight = rank - rank.floor();
    let upper = (lower + 1).min(values.len() - 1);
    values[lower] * (1.0 - weight) + values[upper] * weight
}

fn is_constant(window: &[Reading]) -> bool {
    window.iter().all(|reading| reading.1 == window[0].1)
}

/// Slope per second and value at `at_ms` of the least-squares line.
fn fitted_line(window: &[Reading], at_ms: i64) -> (f64, f64) {
    if is_constant(window) {
        return (0.0, window[0].1);
    }
    let mut sums = [(0.0, 0.0); 4];
    for &(time_ms, y) in window {
        let x = (time_ms - at_ms) as f64 / 1e3;
        for (sum, term) in sums.iter_mut().zip([x, y, x * y, x * x]) {
            *sum = add(*sum, term);
        }
    }
    let [sum_x, sum_y, sum_xy, sum_xx] = sums.map(|(sum, lost)| sum + lost);
    let n = window.len() as f64;
    let covariance = sum_xy - sum_x * sum_y / n;
    let variance = sum_xx - sum_x * sum_x / n;
    let slope = covariance / variance;
    (slope, sum_y / n - slope * sum_x / n)
}

/// `predict_linear` of one set of readings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Prediction {
    from: usize,
    to: usize,
    seconds: f64,
    /// The line, as well as it can be computed.
    mean_ms: f64,
    mean: f64,
    slope: f64,
    /// How far what Prometheus computes can be from the line; infinite where nothing is known.
    error: f64,
}

impl Prediction {
    /// `end_ms`: the first moment at which the set of readings is another one.
    fn new(window: &[Reading], (from, to): (usize, usize), seconds: f64, end_ms: i64) -> Prediction {
        let n = window.len() as f64;
        let base_ms = window[0].0;
        let sum = |term: &dyn Fn(&Reading) -> f64| {
            let (sum, lost) = window.iter().fold((0.0, 0.0), |sum, reading| add(sum, term(reading)));
            sum + lost
        };
        let mean_offset = sum(&|reading| (reading.0 - base_ms) as f64) / n;
        let mean = sum(&|reading| reading.1) / n;
        let centred = |reading: &Reading| ((reading.0 - base_ms) as f64 - mean_offset) / 1e3;
        let covariance = sum(&|reading| centred(reading) * (reading.1 - mean));
        let variance = sum(&|reading| centred(reading) * centred(reading));
        let slope = covariance / variance;

        // What rounding can do to the sums of `fitted_line`, whose `x` are up to `reach` from the evaluation: some
        // units in the last place of the sum of magnitudes each, doubled more than once.
        let reach = (end_ms - base_ms).abs().max((window[window.len() - 1].0 - base_ms).abs()) as f64 / 1e3;
        let size = window.iter().map(|reading| reading.1.abs()).sum::<f64>();
        let unit = 64.0 * f64::EPSILON;
        let covariance_error = unit * reach * size;
        let variance_error = unit * n * reach * reach;
        let error = if variance_error > variance / 4.0 {
            f64::INFINITY
        } else {
            let slope_error =
                (covariance_error + slope.abs() * variance_error) / (variance - variance_error) + unit * slope.abs();
            let farthest = reach + seconds.abs();
            2.0 * (slope_error * farthest + unit * (slope.abs() * farthest + size / n))
        };
        Prediction { from, to, seconds, mean_ms: base_ms as f64 + mean_offset, mean, slope, error }
    }

    fn range(&self) -> std::ops::Range<usize> {
        self.from..self.to
    }

    fn enclosed(&self, first_ms: i64, last_ms: i64) -> Enclosure {
        let at = |time_ms: i64| self.mean + self.slope * ((time_ms as f64 - self.mean_ms) / 1e3 + self.seconds);
        let (a, b) = (at(first_ms), at(last_ms));
        // A difference of times since 1970 is exact to a part of a millisecond only.
        let error = self.error + self.slope.abs() * 1e-6;
        if !error.is_finite() {
            return Enclosure::UNKNOWN;
        }
        Enclosure::hull(&[a.min(b) - error, a.max(b) + error])
    }
}
