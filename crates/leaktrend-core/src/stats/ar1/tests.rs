use super::*;
use crate::stats::posterior::SlopePosterior;

fn line(n: usize, slope: f64) -> (Vec<f64>, Vec<f64>) {
    let x: Vec<f64> = (0..n).map(|index| index as f64).collect();
    // A fixed pattern around the line, without drift of its own.
    let y = x.iter().map(|x| slope * x + if (*x as usize).is_multiple_of(2) { 1.0 } else { -1.0 }).collect();
    (x, y)
}

fn slope_of(x: &[f64], y: &[f64]) -> SlopePosterior {
    line_through(Points::new(x, y).unwrap(), 0.0, 0.0).unwrap().slope()
}

/// Where noise has no memory, what is known of a coefficient is one more sample that shows nothing else.
#[test]
fn what_is_known_of_a_coefficient_is_one_more_sample() {
    let (x, y) = line(30, 0.5);
    let noise = Noise::new(&x, &[]);
    let mut known = Regression::new(&noise, noise.column(y.clone()));
    known.push(noise.column(vec![1.0; 30]));
    known.push_known(noise.column(x.clone()), Known { mean: 0.7, variance: 1e-4 }, &[1.0; PHI.len()]);
    let (weight, mean) = (100.0, 0.7);
    let more = |values: &[f64], value: f64| values.iter().copied().chain([value]).collect::<Vec<f64>>();
    let (x, y) = (more(&x, weight), more(&y, weight * mean));
    let at: Vec<f64> = (0..31).map(f64::from).collect();
    let noise = Noise::new(&at, &[30]);
    let mut longer = Regression::new(&noise, noise.column(y));
    longer.push(noise.column(more(&[1.0; 30], 0.0)));
    longer.push(noise.column(x));
    for (known, longer) in known.coefficients(0).into_iter().zip(longer.coefficients(0)) {
        assert!((known - longer).abs() < 1e-9, "{known} {longer}");
    }
    assert!((known.rss()[0] - longer.rss()[0]).abs() < 1e-6, "{} {}", known.rss()[0], longer.rss()[0]);
    assert!((0.5..0.7).contains(&known.coefficients(0)[1]));
}

#[test]
fn the_slope_of_a_line_is_found_within_its_interval() {
    let (x, y) = line(100, 0.5);
    let posterior = slope_of(&x, &y);
    assert!((posterior.mean() - 0.5).abs() < 0.01);
    assert!(posterior.quantile(0.05) < 0.5 && 0.5 < posterior.quantile(0.95));
    assert!(posterior.probability_at_most(0.0) < 1e-6);
}

#[test]
fn reversed_time_flips_the_sign() {
    let (x, y) = line(60, 0.3);
    let backwards: Vec<f64> = y.iter().rev().copied().collect();
    let (there, back) = (slope_of(&x, &y), slope_of(&x, &backwards));
    assert!((there.mean() + back.mean()).abs() < 1e-9);
    assert!((there.quantile(0.9) + back.quantile(0.1)).abs() < 1e-6);
}

#[test]
fn a_constant_is_flat_and_too_few_points_say_nothing() {
    let x: Vec<f64> = (0..20).map(f64::from).collect();
    let posterior = line_through(Points::new(&x, &[5.0; 20]).unwrap(), 0.0, 1.0).unwrap().slope();
    assert!(posterior.mean().abs() < 1e-9);
    assert!(line_through(Points::new(&x[..3], &[1.0, 2.0, 3.0]).unwrap(), 0.0, 0.0).is_none());
}
