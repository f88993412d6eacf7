//! The replay over all phases against every phase evaluated on its own, evaluation by evaluation.

use crate::common::Random;
use leaktrend::criteria::alert_rule::{
    Aggregate, Arithmetic, CompareOperator, Condition, Exempt, Function, Lookback, Node, Release, Replay, Rule,
    RuleReadings, Selector,
};
use leaktrend::criteria::{LoadWindow, Phases, Span};

type Points = [(i64, Option<f64>)];

/// The newest reading at `time_ms`, found by looking at all of them.
fn look_up(points: &Points, time_ms: i64, lookback: Lookback) -> Option<f64> {
    let newest = points.iter().rfind(|point| point.0 <= time_ms)?;
    let oldest = time_ms - lookback.ms;
    let young_enough = if lookback.left_open { oldest < newest.0 } else { oldest <= newest.0 };
    if young_enough { newest.1 } else { None }
}

/// A function of the readings from `range_ms` before `end_ms` to it, by its definition; sums of small whole numbers
/// need no compensation.
fn over(function: Function, points: &Points, end_ms: i64, range_ms: i64, time_ms: i64, left_open: bool) -> Option<f64> {
    let start_ms = end_ms - range_ms;
    let inside = |time: i64| time <= end_ms && if left_open { start_ms < time } else { start_ms <= time };
    let window: Vec<(i64, f64)> =
        points.iter().filter(|point| inside(point.0)).filter_map(|point| Some((point.0, point.1?))).collect();
    let values = || window.iter().map(|reading| reading.1);
    let n = window.len() as f64;
    match function {
        _ if window.is_empty() => None,
        Function::Minimum => values().reduce(f64::min),
        Function::Maximum => values().reduce(f64::max),
        Function::Average => Some(values().sum::<f64>() / n),
        Function::Sum => Some(values().sum()),
        Function::Count => Some(n),
        Function::Last => values().next_back(),
        Function::Quantile { share } => {
            let mut sorted: Vec<f64> = values().collect();
            sorted.sort_by(f64::total_cmp);
            let rank = share * (n - 1.0);
            let (lower, upper) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
            let weight = rank - rank.floor();
            Some(lower * (1.0 - weight) + upper * weight)
        }
        _ if window.len() < 2 => None,
        Function::Delta | Function::Increase | Function::Rate => {
            let (first, last) = (window[0], window[window.len() - 1]);
            let covered = (last.0 - first.0) as f64 / 1000.0;
            let spacing = covered / (n - 1.0);
            let reach = |ms: i64| {
                let seconds = ms as f64 / 1000.0;
                if seconds < spacing * 1.1 { seconds } else { spacing / 2.0 }
            };
            let resets = window.windows(2).filter(|pair| pair[1].1 < pair[0].1).map(|pair| pair[0].1).sum::<f64>();
            let is_counter = function != Function::Delta;
            let growth = last.1 - first.1 + if is_counter { resets } else { 0.0 };
            let to_zero = if is_counter && growth > 0.0 { covered * (first.1 / growth) } else { f64::INFINITY };
            let whole = covered + reach(first.0 - start_ms).min(to_zero) + reach(end_ms - last.0);
            let seconds = if function == Function::Rate { range_ms as f64 / 1e3 } else { 1.0 };
            Some(growth * (whole / covered / seconds))
        }
        Function::Slope | Function::Prediction { .. } => {
            let at_ms = if function == Function::Slope { window[0].0 } else { time_ms };
            let (slope, intercept) = if values().all(|value| value == window[0].1) {
                (0.0, window[0].1)
            } else {
                let x = || window.iter().map(|reading| (reading.0 - at_ms) as f64 / 1e3);
                let sum = |terms: &mut dyn Iterator<Item = f64>| compensated(terms);
                let (sum_x, sum_y) = (sum(&mut x()), sum(&mut values()));
                let sum_xy = sum(&mut x().zip(values()).map(|(x, y)| x * y));
                let sum_xx = sum(&mut x().map(|x| x * x));
                let slope = (sum_xy - sum_x * sum_y / n) / (sum_xx - sum_x * sum_x / n);
                (slope, sum_y / n - slope * sum_x / n)
            };
            match function {
                Function::Prediction { seconds } => Some(slope * seconds + intercept),
                _ => Some(slope),
            }
        }
    }
}

/// A sum with the error of every addition carried along.
fn compensated(terms: &mut dyn Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for term in terms {
        let total = sum + term;
        lost += if sum.abs() >= term.abs() { (sum - total) + term } else { (term - total) + sum };
        sum = total;
    }
    sum + lost
}

fn value_at(
    condition: &Condition,
    node: &Node,
    inputs: &[Option<&Points>],
    time_ms: i64,
    lookback: Lookback,
) -> Option<f64> {
    let value = |node: &Node| value_at(condition, node, inputs, time_ms, lookback);
    match node {
        Node::Number(number) => Some(*number),
        Node::Selector(selector) => {
            let selector = condition.selectors[*selector];
            let (points, end_ms) = (inputs[selector.input]?, time_ms - selector.offset_ms);
            match selector.over {
                None => look_up(points, end_ms, lookback),
                Some((function, range_ms)) => over(function, points, end_ms, range_ms, time_ms, lookback.left_open),
            }
        }
        Node::Negative(a) => Some(-value(a)?),
        Node::Arithmetic(operator, a, b) => Some(operator.of(value(a)?, value(b)?)),
        Node::Filter(comparison, a, b) => {
            let (left, right) = (value(a)?, value(b)?);
            let kept = if matches!(**a, Node::Number(_)) { right } else { left };
            comparison.holds(left, right).then_some(kept)
        }
        Node::Truth(comparison, a, b) => Some(if comparison.holds(value(a)?, value(b)?) { 1.0 } else { 0.0 }),
        Node::And(a, b) => value(a).filter(|_| value(b).is_some()),
        Node::Or(a, b) => value(a).or_else(|| value(b)),
        Node::Unless(a, b) => value(a).filter(|_| value(b).is_none()),
        Node::AtLeast(least, a) => Some(value(a)?.max(*least)),
        Node::AtMost(most, a) => Some(value(a)?.min(*most)),
        Node::OneOf(all) => all.iter().find_map(value),
        Node::Aggregate(aggregate, members) => {
            let there: Vec<f64> = members.iter().filter_map(value).collect();
            let n = there.len() as f64;
            let values = || there.iter().copied();
            match aggregate {
                _ if there.is_empty() => None,
                // What is infinite or no number is not compensated.
                Aggregate::Sum | Aggregate::Average => {
                    let plain = values().sum::<f64>();
                    let sum = if plain.is_finite() { compensated(&mut values()) } else { plain };
                    let mean = if plain.is_finite() { compensated_mean(&there) } else { plain };
                    Some(if *aggregate == Aggregate::Sum { sum } else { mean })
                }
                Aggregate::Minimum => Some(values().fold(f64::NAN, f64::min)),
                Aggregate::Maximum => Some(values().fold(f64::NAN, f64::max)),
                Aggregate::Count => Some(n),
            }
        }
    }
}

/// A compensated sum whose parts are divided each.
fn compensated_mean(values: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for term in values {
        let total = sum + term;
        lost += if sum.abs() >= term.abs() { (sum - total) + term } else { (term - total) + sum };
        sum = total;
    }
    sum / values.len() as f64 + lost / values.len() as f64
}

/// The state machine of `rules/alerting.go`, one evaluation after the other.
fn step_by_step(
    rule: &Rule,
    inputs: &[Option<&Points>],
    lookback: Lookback,
    interval_ms: i64,
    phase_ms: i64,
) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut active = false;
    let mut kept_since_ms = None;
    let first_ms = inputs.iter().flatten().map(|points| points[0].0).min().unwrap();
    let last_ms = inputs.iter().flatten().map(|points| points[points.len() - 1].0).max().unwrap();
    for time_ms in first_ms..=last_ms {
        if time_ms.rem_euclid(interval_ms) != phase_ms {
            continue;
        }
        let holds = value_at(&rule.condition, &rule.condition.root, inputs, time_ms, lookback).is_some();
        if holds && !active {
            active = true;
            spans.push(Span { pending_at_ms: time_ms, firing_at_ms: None, resolved_at_ms: None, during: None });
        }
        if active {
            let span = spans.last_mut().unwrap();
            if holds {
                kept_since_ms = None;
                if span.firing_at_ms.is_none() && time_ms - span.pending_at_ms >= rule.for_ms {
                    span.firing_at_ms = Some(time_ms);
                }
            } else if span.firing_at_ms.is_none()
                || time_ms - *kept_since_ms.get_or_insert(time_ms) >= rule.keep_firing_for_ms
            {
                span.resolved_at_ms = Some(time_ms);
                active = false;
                kept_since_ms = None;
            }
        }
    }
    spans
}

const COMPARISONS: [CompareOperator; 6] = [
    CompareOperator::Equal,
    CompareOperator::NotEqual,
    CompareOperator::Greater,
    CompareOperator::GreaterOrEqual,
    CompareOperator::Less,
    CompareOperator::LessOrEqual,
];

const AGGREGATES: [Aggregate; 5] =
    [Aggregate::Sum, Aggregate::Average, Aggregate::Minimum, Aggregate::Maximum, Aggregate::Count];

/// An expression of up to `depth` operations over one or two series.
fn random_node(random: &mut Random, depth: i64, selectors: &mut Vec<Selector>) -> Node {
    if depth == 0 {
        let seconds = random.pick(&[0.0, 0.01, 0.05, -0.02]);
        let over = match random.below(15) {
            0..=2 => None,
            9 => Some(Function::Sum),
            10 => Some(Function::Count),
            11 => Some(Function::Last),
            12 => Some(Function::Quantile { share: random.pick(&[0.0, 0.25, 0.5, 0.9, 1.0]) }),
            13 => Some(Function::Increase),
            14 => Some(Function::Rate),
            3 => Some(Function::Average),
            4 => Some(Function::Minimum),
            5 => Some(Function::Maximum),
            6 => Some(Function::Delta),
            7 => Some(Function::Slope),
            _ => Some(Function::Prediction { seconds }),
        };
        let over = over.map(|function| (function, 1 + random.below(40)));
        let offset_ms = if random.once_in(2) { 0 } else { random.below(20) };
        selectors.push(Selector { input: usize::from(random.once_in(3)), offset_ms, over });
        return Node::Selector(selectors.len() - 1);
    }
    let mut side = |random: &mut Random| Box::new(random_node(random, depth - 1, selectors));
    let number = |random: &mut Random| Box::new(Node::Number((random.below(12) - 1) as f64));
    match random.below(14) {
        9..=11 => Node::Aggregate(random.pick(&AGGREGATES), (0..=random.below(3)).map(|_| *side(random)).collect()),
        12 => Node::OneOf(vec![*side(random), *side(random)]),
        13 if random.once_in(2) => Node::AtLeast(random.below(12) as f64, side(random)),
        13 => Node::AtMost(random.below(12) as f64, side(random)),
        0 => Node::Negative(side(random)),
        1 => Node::And(side(random), side(random)),
        2 => Node::Or(side(random), side(random)),
        3 => Node::Unless(side(random), side(random)),
        4 => Node::Truth(random.pick(&COMPARISONS), side(random), number(random)),
        5 => Node::Filter(random.pick(&COMPARISONS), side(random), side(random)),
        6 => Node::Filter(random.pick(&COMPARISONS), number(random), side(random)),
        _ => {
            let operators =
                [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply, Arithmetic::Divide, Arithmetic::Modulo];
            let operator = random.pick(&operators);
            let right = if random.once_in(2) { side(random) } else { number(random) };
            Node::Arithmetic(operator, side(random), right)
        }
    }
}

fn random_rule(random: &mut Random, for_ms: i64) -> Rule {
    match random.below(4) {
        0 => Rule::growth((random.below(8) - 2) as f64, 1 + random.below(20), for_ms),
        1 => Rule::level(20.0, random.below(20) as f64 / 20.0, for_ms),
        _ => {
            let mut selectors = Vec::new();
            let depth = random.below(4);
            let node = random_node(random, depth, &mut selectors);
            let above = Box::new(Node::Number(random.below(20) as f64 / 2.0));
            let root =
                if random.once_in(4) { node } else { Node::Filter(random.pick(&COMPARISONS), Box::new(node), above) };
            let keep_firing_for_ms = random.pick(&[0, 0, 5, 30]);
            Rule { condition: Condition { selectors, root }, for_ms, keep_firing_for_ms }
        }
    }
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

/// All phases, one by one, against the sets; a load window in every second case, starts in every third.
#[test]
fn the_sweep_is_what_all_phases_evaluated_one_by_one_give() {
    let mut random = Random::seeded(20_261_123);
    let (mut fired, mut partly, mut loads, mut starts) = (0, 0, 0, 0);
    for case in 0..4000 {
        let start_ms = random.below(200) - 100;
        let points = random_points(&mut random, start_ms);
        let other = random_points(&mut random, start_ms + 5);
        let lookback =
            Lookback { ms: 1 + random.below(25), left_open: random.below(2) == 0, release: Release::Prometheus3 };
        let (interval_ms, for_ms) = (1 + random.below(20), random.below(40));
        let rule = random_rule(&mut random, for_ms);
        let load = (case % 2 == 0).then(|| {
            let load_start_ms = start_ms + random.below(120);
            LoadWindow { start_ms: load_start_ms, end_ms: load_start_ms + random.below(60) }
        });
        let mut starts_ms: Vec<i64> =
            (0..if case % 3 == 0 { 1 + random.below(4) } else { 0 }).map(|_| start_ms + random.below(200)).collect();
        starts_ms.sort_unstable();
        let exempt = Exempt { load, starts_ms: &starts_ms, settle_ms: random.below(50) };
        let readings = [&points, &other].map(|points| RuleReadings::new(points.clone(), lookback).unwrap());
        // The other series is missing now and then.
        let has_other = rule.condition.selectors.iter().any(|selector| selector.input == 1) && !random.once_in(5);
        let inputs: [Option<&Points>; 2] = [Some(&points), has_other.then_some(&other[..])];
        let replay = Replay::of(&rule, &[Some(&readings[0]), has_other.then_some(&readings[1])], interval_ms).unwrap();

        let mut firsts = Vec::new();
        let (mut evaluable, mut evaluations) = (0, 0);
        for phase_ms in 0..interval_ms {
            let at_phase = replay.at_phase(phase_ms, exempt);
            let expected = step_by_step(&rule, &inputs, lookback, interval_ms, phase_ms);
            let without_load: Vec<Span> =
                at_phase.spans.iter().map(|span| Span { during: None, ..span.clone() }).collect();
            assert_eq!(without_load, expected, "case {case}, phase {phase_ms}");
            if load.is_none() && starts_ms.is_empty() {
                let first = expected.iter().find_map(|span| span.firing_at_ms);
                assert_eq!(at_phase.first_firing_at_ms, first, "case {case}, phase {phase_ms}");
            }
            firsts.extend(at_phase.first_firing_at_ms);
            evaluable += at_phase.evaluable;
            evaluations += at_phase.evaluations;
        }
        let sweep = replay.over_phases(exempt);
        let expected = Phases {
            fired_share: firsts.len() as f64 / interval_ms as f64,
            earliest_firing_at_ms: firsts.iter().min().copied(),
            latest_firing_at_ms: firsts.iter().max().copied(),
        };
        assert_eq!(sweep.phases, expected, "case {case}");
        if let Some(phase_ms) = sweep.earliest_phase_ms {
            let at_phase = replay.at_phase(phase_ms, exempt);
            assert!(!at_phase.spans.is_empty(), "case {case}");
            assert_eq!(at_phase.first_firing_at_ms, sweep.phases.earliest_firing_at_ms, "case {case}");
        }
        let share = (evaluations > 0).then(|| evaluable as f64 / evaluations as f64);
        assert_eq!(replay.evaluable_share(), share, "case {case}");
        fired += usize::from(!firsts.is_empty());
        partly += usize::from(!firsts.is_empty() && (firsts.len() as i64) < interval_ms);
        loads += usize::from(load.is_some() && !firsts.is_empty());
        starts += usize::from(!starts_ms.is_empty() && !firsts.is_empty());
    }
    // The cases are worth something only if all outcomes occur.
    assert!(800 < fired && 200 < partly && 200 < loads && 100 < starts, "{fired} {partly} {loads} {starts}");
}
