//! The statistics against independent programs: `reference/make.py` made the values with numpy, scipy, statsmodels.

use leaktrend::stats::ar1::SlopePosterior;
use leaktrend::stats::{Points, fdr, robust, theil_sen};
use serde::Deserialize;

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the field's terms")]
struct Values {
    series: Vec<Case>,
    p_values: Vec<f64>,
    q_values: Vec<f64>,
}

#[derive(Deserialize)]
struct Case {
    x: Vec<f64>,
    y: Vec<f64>,
    floor: f64,
    posterior: Posterior,
    theil_sen: f64,
    median: f64,
    mad: f64,
}

#[derive(Deserialize)]
struct Posterior {
    mean: f64,
    below_zero: f64,
    lower: f64,
    upper: f64,
}

fn values() -> Values {
    serde_json::from_str(include_str!("reference/values.json")).unwrap()
}

#[track_caller]
fn check(name: &str, value: f64, expected: f64, relative: f64) {
    assert!((value - expected).abs() <= relative * expected.abs().max(1e-9), "{name}: {value}, expected {expected}");
}

#[test]
fn medians_deviations_and_theil_sen_slopes_are_those_of_scipy() {
    for case in values().series {
        check("median", robust::median(&case.y).unwrap(), case.median, 1e-12);
        check("deviation", robust::mad(&case.y).unwrap(), case.mad, 1e-9);
        check("slope", theil_sen::slope(Points::new(&case.x, &case.y).unwrap()).unwrap(), case.theil_sen, 1e-9);
    }
}

/// Dense matrices on one side, recursions on the other: they agree to rounding.
#[test]
fn the_slope_posterior_is_that_of_dense_matrices() {
    for case in values().series {
        let points = Points::new(&case.x, &case.y).unwrap();
        let posterior = SlopePosterior::of_line(points, case.floor).unwrap();
        check("mean", posterior.mean(), case.posterior.mean, 1e-7);
        check("below zero", posterior.probability_at_most(0.0), case.posterior.below_zero, 1e-7);
        check("lower", posterior.quantile(0.05), case.posterior.lower, 1e-6);
        check("upper", posterior.quantile(0.95), case.posterior.upper, 1e-6);
    }
}

#[test]
fn q_values_are_those_of_statsmodels() {
    let values = values();
    for (q, expected) in fdr::q_values(&values.p_values).iter().zip(&values.q_values) {
        check("q", *q, *expected, 1e-12);
    }
}
