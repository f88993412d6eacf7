//! The replay over all phases against every phase evaluated on its own, evaluation by evaluation.

mod common;

use common::Random;
use leaktrend::criteria::alert_rule::{Expression, Lookback, Readings, Replay, Rule};
use leaktrend::criteria::{LoadWindow, Phases, Span};

/// The newest reading at `time_ms`, found by looking at all of them.
fn look_up(points: &[(i64, Option<f64>)], time_ms: i64, lookback: Lookback) -> Option<f64> {
    let newest = points.iter().rfind(|point| point.0 <= time_ms)?;
    let oldest = time_ms - lookback.ms;
    let young_enough = if lookback.left_open { oldest < newest.0 } else { oldest <= newest.0 };
    if young_enough { newest.1 } else { None }
}

fn value_at(expression: &Expression, points: &[(i64, Option<f64>)], time_ms: i64, lookback: Lookback) -> Option<f64> {
    match expression {
        Expression::Memory { offset_ms } => look_up(points, time_ms - offset_ms, lookback),
        Expression::Number(number) => Some(*number),
        Expression::Difference(a, b) => {
            Some(value_at(a, points, time_ms, lookback)? - value_at(b, points, time_ms, lookback)?)
        }
        Expression::Ratio(a, b) => {
            Some(value_at(a, points, time_ms, lookback)? / value_at(b, points, time_ms, lookback)?)
        }
    }
}

/// The state machine of `rules/alerting.go`, one evaluation after the other.
fn step_by_step(
    rule: &Rule,
    points: &[(i64, Option<f64>)],
    lookback: Lookback,
    interval_ms: i64,
    phase_ms: i64,
) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut active = false;
    for time_ms in points[0].0..=points[points.len() - 1].0 {
        if time_ms.rem_euclid(interval_ms) != phase_ms {
            continue;
        }
        let holds = value_at(&rule.expression, points, time_ms, lookback).is_some_and(|value| value > rule.above);
        if holds && !active {
            active = true;
            spans.push(Span { pending_at_ms: time_ms, firing_at_ms: None, resolved_at_ms: None, during_load: false });
        }
        if active {
            let span = spans.last_mut().unwrap();
            if !holds {
                span.resolved_at_ms = Some(time_ms);
                active = false;
            } else if span.firing_at_ms.is_none() && time_ms - span.pending_at_ms >= rule.for_ms {
                span.firing_at_ms = Some(time_ms);
            }
        }
    }
    spans
}

fn random_points(random: &mut Random, start_ms: i64) -> Vec<(i64, Option<f64>)> {
    let mut time_ms = start_ms;
    let mut value = random.below(20);
    let steady = random.below(3) == 0;
    (0..3 + random.below(40))
        .map(|_| {
            time_ms += 1 + if random.below(12) == 0 { random.below(60) } else { random.below(8) };
            value = if steady { value + random.below(3) } else { random.below(20) };
            (time_ms, (random.below(15) != 0).then_some(value as f64))
        })
        .collect()
}

/// All phases, one by one, against the sets; a load window in every second case.
#[test]
fn the_sweep_is_what_all_phases_evaluated_one_by_one_give() {
    let mut random = Random::seeded(20_261_123);
    let (mut fired, mut partly, mut loads) = (0, 0, 0);
    for case in 0..3000 {
        let start_ms = random.below(200) - 100;
        let points = random_points(&mut random, start_ms);
        let lookback = Lookback { ms: 1 + random.below(25), left_open: random.below(2) == 0 };
        let (interval_ms, for_ms) = (1 + random.below(20), random.below(40));
        let rule = if random.below(2) == 0 {
            Rule::growth((random.below(8) - 2) as f64, 1 + random.below(20), for_ms)
        } else {
            Rule::level(20.0, random.below(20) as f64 / 20.0, for_ms)
        };
        let load = (case % 2 == 0).then(|| {
            let load_start_ms = start_ms + random.below(120);
            LoadWindow { start_ms: load_start_ms, end_ms: load_start_ms + random.below(60) }
        });
        let readings = Readings::new(points.clone(), lookback).unwrap();
        let replay = Replay::new(&rule, &readings, interval_ms);

        let mut firsts = Vec::new();
        let (mut evaluable, mut evaluations) = (0, 0);
        for phase_ms in 0..interval_ms {
            let at_phase = replay.at_phase(phase_ms, load);
            let expected = step_by_step(&rule, &points, lookback, interval_ms, phase_ms);
            let without_load: Vec<Span> =
                at_phase.spans.iter().map(|span| Span { during_load: false, ..span.clone() }).collect();
            assert_eq!(without_load, expected, "case {case}, phase {phase_ms}");
            if load.is_none() {
                let first = expected.iter().find_map(|span| span.firing_at_ms);
                assert_eq!(at_phase.first_firing_at_ms, first, "case {case}, phase {phase_ms}");
            }
            firsts.extend(at_phase.first_firing_at_ms);
            evaluable += at_phase.evaluable;
            evaluations += at_phase.evaluations;
        }
        let sweep = replay.over_phases(load);
        let expected = Phases {
            fired_share: firsts.len() as f64 / interval_ms as f64,
            earliest_firing_at_ms: firsts.iter().min().copied(),
            latest_firing_at_ms: firsts.iter().max().copied(),
        };
        assert_eq!(sweep.phases, expected, "case {case}");
        if let Some(phase_ms) = sweep.earliest_phase_ms {
            let at_phase = replay.at_phase(phase_ms, load);
            assert!(!at_phase.spans.is_empty(), "case {case}");
            assert_eq!(at_phase.first_firing_at_ms, sweep.phases.earliest_firing_at_ms, "case {case}");
        }
        let share = (evaluations > 0).then(|| evaluable as f64 / evaluations as f64);
        assert_eq!(replay.evaluable_share(), share, "case {case}");
        fired += usize::from(!firsts.is_empty());
        partly += usize::from(!firsts.is_empty() && (firsts.len() as i64) < interval_ms);
        loads += usize::from(load.is_some() && !firsts.is_empty());
    }
    // The cases are worth something only if all outcomes occur.
    assert!(800 < fired && 200 < partly && 200 < loads, "{fired} fired, {partly} partly, {loads} under load");
}
