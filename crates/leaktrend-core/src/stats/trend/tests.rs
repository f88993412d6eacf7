use super::*;

fn found(n: usize, shape: impl Fn(f64) -> f64) -> Trend {
    let x: Vec<f64> = (0..n).map(|index| 60.0 * index as f64).collect();
    let wiggle = [0.3, -0.5, 0.1, 0.6, -0.4, -0.1, 0.4, -0.6, 0.2];
    let y: Vec<f64> = (0..n).map(|index| shape(index as f64 / n as f64) + wiggle[index % 9]).collect();
    let points = Points::new(&x, &y).unwrap();
    of(&Setup::new(points)).unwrap()
}

#[track_caller]
fn check(shape: impl Fn(f64) -> f64, expected: impl Fn(&Form) -> bool) {
    let chosen = found(200, shape).chosen;
    assert!(expected(&chosen.form), "{chosen:?}");
}

#[test]
fn shapes_are_told_apart() {
    check(|_| 100.0, |form| *form == Form::Line);
    check(|x| 100.0 + 20.0 * x, |form| *form == Form::Line);
    check(|x| 100.0 + 30.0 * (x - 0.5).max(0.0), |form| matches!(form, Form::Hinge(knee) if (knee - 0.5).abs() < 0.02));
    check(
        |x| 100.0 + 30.0 * (1.0 - (-x / 0.05).exp()),
        |form| matches!(form, Form::Saturating(tau) if (tau - 0.05).abs() < 0.01),
    );
    check(|x| 100.0 + 30.0 * x.min(0.5), |form| matches!(form, Form::Broken(knee) if (knee - 0.5).abs() < 0.02));
    check(|x| 100.0 + if x < 0.4 { 0.0 } else { 10.0 }, |form| *form == Form::Steps(vec![80]));
    check(|x| 100.0 + 20.0 * x + if x < 0.4 { 0.0 } else { 10.0 }, |form| *form == Form::Steps(vec![80]));
    check(
        |x| 100.0 + 20.0 * x + 30.0 * (1.0 - (-x / 0.03).exp()),
        |form| matches!(form, Form::Saturating(tau) if (tau - 0.03).abs() < 0.01),
    );
    let climb = |x: f64| 100.0 + 30.0 * climb(x, 0.32, 0.57);
    let is_climb =
        |form: &Form| matches!(form, Form::Climb([a, b]) if (a - 0.32).abs() < 0.02 && (b - 0.57).abs() < 0.02);
    check(climb, is_climb);
    check(|x| climb(x) + 20.0 * x, is_climb);
    check(|x| if (0.3..0.5).contains(&x) { 110.0 } else { 100.0 }, |form| *form == Form::Pulse([60, 100]));
}

/// What is left of growth beside each shape: nothing, or the line that was put in.
#[test]
fn growth_is_found_beside_its_shape() {
    let window = 60.0 * 200.0;
    let growth = |shape: fn(f64) -> f64| found(200, shape).sustained.slope();
    for flat in [
        growth(|_| 100.0),
        growth(|x| 100.0 + 30.0 * (1.0 - (-x / 0.05).exp())),
        growth(|x| 100.0 + if x < 0.4 { 0.0 } else { 10.0 }),
        growth(|x| 100.0 + 30.0 * climb(x, 0.32, 0.57)),
    ] {
        assert!(flat.quantile(0.01) < 0.0 && 0.0 < flat.quantile(0.99), "{flat:?}");
    }
    let line = growth(|x| 100.0 + 20.0 * x + 30.0 * (1.0 - (-x / 0.03).exp()));
    let interval = [line.quantile(0.01), line.quantile(0.99)].map(|rate| rate * window);
    assert!(interval[0] > 15.0 && interval[0] < 20.0 && interval[1] > 20.0 && interval[1] < 25.0, "{interval:?}");
}

#[test]
fn runs_with_the_same_growth_are_one_form() {
    let x: Vec<f64> = (0..120).map(|index| 60.0 * f64::from(index)).collect();
    let y: Vec<f64> = (0..120).map(|index| 100.0 + f64::from(index % 40) + f64::from(index * 7 % 5) / 5.0).collect();
    let trend = of(&Setup { starts: &[40, 80], ..Setup::new(Points::new(&x, &y).unwrap()) }).unwrap();
    assert!(matches!(trend.chosen.form, Form::Runs { apart_from: None, .. }), "{:?}", trend.chosen);
    assert!((trend.line.slope().mean() * 60.0 - 1.0).abs() < 0.01);
}

/// Shapes are remembered by their times: what was looked at before does not show.
#[test]
fn a_series_does_not_depend_on_those_before_it() {
    fn with_gap(seconds: f64) -> Candidate {
        let x: Vec<f64> = (0..100).map(|at| 60.0 * f64::from(at) + if at < 50 { 0.0 } else { seconds }).collect();
        let y: Vec<f64> = (0..100).map(|at| 100.0 + f64::from((at - 40).max(0)) + f64::from(at * 7 % 5)).collect();
        let points = Points::new(&x, &y).unwrap();
        of(&Setup::new(points)).unwrap().chosen
    }
    let alone = std::thread::spawn(|| with_gap(3600.0)).join().unwrap();
    with_gap(0.0);
    assert_eq!(with_gap(3600.0), alone);
}

/// A start-up that may be wrong by much leaves the slope less known; a rate that pods show makes it better known.
#[test]
fn what_is_known_beside_the_points_counts() {
    let x: Vec<f64> = (0..120).map(|index| 60.0 * f64::from(index)).collect();
    let y: Vec<f64> = (0..120).map(|index| 100.0 + f64::from(index % 40) / 9.0 + f64::from(index * 7 % 5)).collect();
    let slope = |beside: &Beside| {
        let points = Points::new(&x, &y).unwrap();
        of(&Setup { starts: &[40, 80], beside: Some(beside), ..Setup::new(points) }).unwrap().sustained.slope()
    };
    let error = (0..120).map(|index| 20.0 * (-f64::from(index % 40) / 15.0).exp()).collect();
    let rates = vec![Some(Known { mean: 0.0, variance: 1e-12 }); 3];
    let [plain, doubtful, known] =
        [Beside::default(), Beside { errors: vec![error], rates: Vec::new() }, Beside { errors: Vec::new(), rates }]
            .map(|beside| slope(&beside));
    assert!(1.2 * plain.spread() < doubtful.spread(), "{} {}", plain.spread(), doubtful.spread());
    assert!(known.spread() < 0.1 * plain.spread(), "{} {}", plain.spread(), known.spread());
    assert!(known.mean().abs() < 1e-5 && plain.mean() > 1e-3, "{} {}", plain.mean(), known.mean());
}
