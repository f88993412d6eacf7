//! The statistics, and the peers that the example `accuracy` measures beside, against independent programs:
//! `reference/make.py` made the values with numpy, scipy, statsmodels, pymannkendall and ruptures.

use leaktrend::stats::ar1::{self, Noise, Regression};
use leaktrend::stats::{Points, falls, fdr, robust, spikes, steps, theil_sen};
use serde::Deserialize;

#[path = "../../crates/leaktrend-core/examples/accuracy/peers.rs"]
mod peers;

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the field's terms")]
struct Values {
    series: Vec<Case>,
    trends: Vec<Trend>,
    shifts: Vec<Shifts>,
    jumps: Vec<Jumps>,
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

#[derive(Deserialize)]
struct Trend {
    y: Vec<f64>,
    s: f64,
    independent_variance: f64,
    corrected_variance: f64,
    z: f64,
    sen: f64,
    least_squares: f64,
    r2: f64,
}

#[derive(Deserialize)]
struct Shifts {
    y: Vec<f64>,
    at: Vec<usize>,
}

#[derive(Deserialize)]
struct Jumps {
    y: Vec<f64>,
    spikes: Vec<usize>,
    falls: Vec<usize>,
}

fn values() -> Values {
    serde_json::from_str(include_str!("../reference/values.json")).unwrap()
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

/// Dense matrices on one side, products of changes on the other: they agree but for coefficients of a weight below 1e-5,
/// which are left out.
#[test]
fn the_slope_posterior_is_that_of_dense_matrices() {
    for case in values().series {
        let points = Points::new(&case.x, &case.y).unwrap();
        let posterior = ar1::line_through(points, 0.0, case.floor).unwrap().slope();
        check("mean", posterior.mean(), case.posterior.mean, 1e-5);
        check("below zero", posterior.probability_at_most(0.0), case.posterior.below_zero, 1e-3);
        check("lower", posterior.quantile(0.05), case.posterior.lower, 1e-4);
        check("upper", posterior.quantile(0.95), case.posterior.upper, 1e-4);
    }
}

#[test]
fn q_values_are_those_of_statsmodels() {
    let values = values();
    for (q, expected) in fdr::q_values(&values.p_values).iter().zip(&values.q_values) {
        check("q", *q, *expected, 1e-12);
    }
}

#[test]
fn the_trend_tests_beside_are_those_of_pymannkendall_and_scipy() {
    for trend in values().trends {
        // From 1, as pymannkendall counts: residuals that tie but for rounding then round alike.
        let x: Vec<f64> = (1..=trend.y.len()).map(|index| index as f64).collect();
        let test = peers::mann_kendall(&x, &trend.y);
        assert_eq!(test.s, trend.s);
        check("independent variance", peers::independent_variance(&trend.y), trend.independent_variance, 1e-12);
        check("variance", test.variance, trend.corrected_variance, 1e-9);
        check("z", test.z(), trend.z, 1e-9);
        check("Sen's slope", test.slope, trend.sen, 1e-9);
        let line = peers::line(&x, &trend.y);
        check("least squares", line.slope, trend.least_squares, 1e-9);
        check("r2", line.r2, trend.r2, 1e-9);
    }
}

/// Among independent noise the greedy search finds what dynamic programming does.
#[test]
fn level_shifts_are_where_ruptures_finds_them() {
    for shifts in values().shifts {
        let x: Vec<f64> = (0..shifts.y.len()).map(|index| index as f64).collect();
        let noise = Noise::new(&x, &[]);
        let mut independent = Regression::new(&noise, noise.column(shifts.y.clone()));
        independent.push(noise.column(vec![1.0; x.len()]));
        let placements = steps::place(&independent, 0.0, shifts.at.len());
        let mut at = placements[shifts.at.len() - 1].at.clone();
        at.sort_unstable();
        assert_eq!(at, shifts.at);
    }
}

#[test]
fn spikes_and_falls_are_those_of_every_window_written_out() {
    for jumps in values().jumps {
        assert_eq!(spikes::remove(&jumps.y).spikes, jumps.spikes);
        let found = falls::find(&jumps.y).at;
        // Wider windows find more of them, and none instead of a sharp one.
        assert!(jumps.falls.iter().all(|fall| found.contains(fall)), "{found:?} {:?}", jumps.falls);
    }
}

#[test]
fn the_peers_call_what_they_should() {
    let hour: Vec<f64> = (0..240).map(|index| 15.0 * f64::from(index)).collect();
    let level = vec![4e8; 240];
    assert_eq!(peers::call(&hour, &level, None), [false; 6]);
    let growing: Vec<f64> = hour.iter().map(|second| 4e8 + 4e5 * second).collect();
    assert_eq!(peers::call(&hour, &growing, None), [true; 6]);
    assert_eq!(peers::NAMES.len(), 6);
}

#[test]
fn growth_an_hour_is_measured_against_the_limit_and_must_go_on() {
    const HOURLY: usize = 4;
    let hour: Vec<f64> = (0..240).map(|index| 15.0 * f64::from(index)).collect();
    let growing = |rate: f64| -> Vec<f64> { hour.iter().map(|second| 4e8 + rate * second).collect() };
    let calls = |y: &[f64], limit: Option<f64>| peers::call(&hour, y, limit)[HOURLY];
    // 72 MB an hour are more than 50 MiB and more than 5 % of 1 GB, and less than 5 % of 2 GB.
    assert!(calls(&growing(2e4), None));
    assert!(calls(&growing(2e4), Some(1e9)));
    assert!(!calls(&growing(2e4), Some(2e9)));
    assert!(!calls(&growing(1e4), None));
    let levelled: Vec<f64> = hour.iter().map(|second| 4e8 + 2e5 * second.min(1500.0)).collect();
    assert!(!calls(&levelled, None));
    // Restarts cut it into stretches, of which the longest counts.
    let restarted: Vec<f64> = hour.iter().map(|second| 1e8 + 2e5 * ((second + 600.0) % 3000.0)).collect();
    assert!(calls(&restarted, None));
}
