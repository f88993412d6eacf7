//! The replay against `promtool test rules`, the rule engine of Prometheus itself.
//!
//! Random rules over random irregular series with gaps, repeats, restarts and stale markers; the state of every
//! alert at every evaluation must be the same. `LEAKTREND_REPLAY_CASES` sets the number of pairs of rule and series,
//! `LEAKTREND_REPLAY_SEED` the first seed. Without `promtool` it is skipped, or fails where
//! `LEAKTREND_REQUIRE_PROMTOOL=1`.
//!
//! `promtool` 2.42 always looks back 5 minutes, left-closed: those rules select `m`. Any other lookback is written
//! as `last_over_time(m[d])`, which finds the newest reading from T - d to T: a left-closed lookback of d or a
//! left-open one of d + 1 ms, as all times are whole milliseconds. It passes over stale markers, so such rules
//! leave the series with markers out. `promtool` 3 has left-open ranges and would need other expressions.

mod common;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::process::Command;

use common::Random;
use leaktrend::criteria::alert_rule::{Lookback, Mean, Readings, Replay, Rule};
use leaktrend::units::Seconds;

const RULES_PER_FILE: usize = 20;
const SERIES_PER_FILE: usize = 25;

/// An alert rule, as we and as `promtool` write it.
struct Case {
    rule: Rule,
    lookback: Lookback,
    /// Whether it also sees series with stale markers.
    sees_stale: bool,
    expression: String,
    for_ms: i64,
}

struct Series {
    points: Vec<(i64, Option<f64>)>,
    has_stale: bool,
}

/// One input of `promtool`: all rules over all series.
struct Input {
    /// All readings lie on multiples of it.
    grid_ms: i64,
    interval_ms: i64,
    cases: Vec<Case>,
    series: Vec<Series>,
}

/// Evaluation times and whether the alert fired at them, by number of rule and series.
type States = HashMap<(usize, usize), BTreeMap<i64, bool>>;

fn random_case(random: &mut Random) -> Case {
    let native = random.once_in(3);
    let offset_ms = random.pick(&[30_000, 60_000, 90_000, 240_000, 299_999, 300_000, 300_001, 420_000]);
    let for_ms = random.pick(&[0, 1, 15_000, 30_000, 60_000, 100_000, 120_000, 299_999, 300_000, 300_001, 600_000]);
    let (lookback, select) = if native {
        (Lookback::prometheus_2(300_000), ["m".to_owned(), format!("m offset {offset_ms}ms")])
    } else {
        let ms = random.pick(&[20_000, 45_000, 60_000, 120_000, 270_000, 300_000, 300_000, 300_000, 480_000]);
        let lookback = Lookback { ms, left_open: !random.once_in(4), mean: Mean::Running };
        let range_ms = if lookback.left_open { ms - 1 } else { ms };
        let range = format!("m{{stale=\"\"}}[{range_ms}ms]");
        (lookback, [format!("last_over_time({range})"), format!("last_over_time({range} offset {offset_ms}ms)")])
    };
    let (now, before) = (&select[0], &select[1]);
    let (rule, expression) = if random.below(3) < 2 {
        let above = random.pick(&[-20_000_000, 0, 1_000_000, 25_000_000, 50_000_000, 100_000_000]);
        (Rule::growth(f64::from(above), offset_ms, for_ms), format!("({now} - {before}) > {above}"))
    } else {
        let limit = random.pick(&[2_000_000_000_i64, 268_435_456, 700_000_000]);
        let above = random.pick(&["0.1", "0.3", "0.5", "0.9"]);
        (Rule::level(limit as f64, above.parse().unwrap(), for_ms), format!("{now} / {limit} > {above}"))
    };
    Case { rule, lookback, sees_stale: native, expression, for_ms }
}

/// Readings on multiples of `grid_ms` for about half an hour to an hour.
fn random_series(random: &mut Random, grid_ms: i64) -> Series {
    let has_stale = random.once_in(3);
    let usual_ms = random.pick(&[5_000, 15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000, 360_000]);
    let jitter_ms = random.pick(&[0, 0, 250, 2_000, 20_000]);
    let end_ms = 1_800_000 + random.below(1_800_000);
    let growth = random.pick(&[0.0, 0.02, 0.1, 0.3, 0.5, 1.0]);
    let whole_limits = random.once_in(5);

    let mut points: Vec<(i64, Option<f64>)> = Vec::new();
    let mut time_ms = random.below(600_000);
    let mut bytes = 10_000_000.0 + random.below(300_000_000) as f64;
    while time_ms < end_ms {
        let on_grid_ms = time_ms.div_euclid(grid_ms) * grid_ms;
        if points.last().is_none_or(|last| last.0 < on_grid_ms) {
            let value = if has_stale && random.once_in(12) { None } else { Some(bytes) };
            points.push((on_grid_ms, value));
        }
        let step_ms = match random.below(25) {
            0 => usual_ms * (2 + random.below(4)),
            1 => 300_000,
            2 => 300_000 + random.pick(&[-grid_ms, grid_ms]),
            _ => usual_ms + random.below(2 * jitter_ms + 1) - jitter_ms,
        };
        let step_ms = step_ms.max(grid_ms);
        time_ms += step_ms;
        bytes = match random.below(20) {
            // A restart.
            0 => 10_000_000.0 + random.below(30_000_000) as f64,
            // A repeat.
            1..=3 => bytes,
            // Exactly at a threshold: nine tenths and half of a limit.
            4 if whole_limits => random.pick(&[1.8e9, 1e9, 350e6, 630e6]),
            5 => bytes + random.pick(&[1e6, 25e6, 50e6, 1e8]),
            _ => bytes + (step_ms as f64 * 1000.0 * growth).round() + random.below(2_000_000) as f64 - 1_000_000.0,
        };
        bytes = bytes.max(0.0);
    }
    if points.is_empty() {
        points.push((0, Some(bytes)));
    }
    if points[0].1.is_none() {
        points[0].1 = Some(bytes);
    }
    Series { points, has_stale }
}

fn random_input(seed: u64) -> Input {
    let mut random = Random::seeded(seed);
    let grid_ms = random.pick(&[500, 1_000, 2_500, 5_000, 15_000, 30_000]);
    Input {
        grid_ms,
        interval_ms: random.pick(&[10_000, 15_000, 20_000, 30_000, 30_000, 30_000, 37_500, 45_000, 60_000, 120_000]),
        cases: (0..RULES_PER_FILE).map(|_| random_case(&mut random)).collect(),
        series: (0..SERIES_PER_FILE).map(|_| random_series(&mut random, grid_ms)).collect(),
    }
}

/// The notation of `promtool`: a value for each multiple of the grid, `_xN` for N without one.
fn values_text(points: &[(i64, Option<f64>)], grid_ms: i64) -> String {
    let mut text = String::new();
    let mut next = 0;
    for (time_ms, value) in points {
        let index = time_ms / grid_ms;
        if next < index {
            write!(text, "_x{} ", index - next).unwrap();
        }
        match value {
            Some(value) => write!(text, "{value} ").unwrap(),
            None => text.push_str("stale "),
        }
        next = index + 1;
    }
    text
}

/// What `promtool` found: every alert at every evaluation, read from the failures it reports where nothing was
/// expected.
fn ask_promtool(input: &Input) -> States {
    let folder = tempfile::tempdir().unwrap();
    let mut rules = String::from("groups:\n- name: g\n  rules:\n");
    for (number, case) in input.cases.iter().enumerate() {
        writeln!(rules, "  - {{alert: r{number}, expr: '{}', for: {}ms}}", case.expression, case.for_ms).unwrap();
    }
    let last_ms = input.series.iter().map(|series| series.points[series.points.len() - 1].0).max().unwrap();
    let mut tests = format!(
        "rule_files: [rules.yml]\nevaluation_interval: {}ms\ntests:\n- interval: {}ms\n  input_series:\n",
        input.interval_ms, input.grid_ms
    );
    for (number, series) in input.series.iter().enumerate() {
        let stale = if series.has_stale { ",stale=\"1\"" } else { "" };
        let values = values_text(&series.points, input.grid_ms);
        writeln!(tests, "  - {{series: 'm{{s=\"{number}\"{stale}}}', values: '{values}'}}").unwrap();
    }
    tests.push_str("  promql_expr_test:\n");
    for time_ms in (0..=last_ms).step_by(input.interval_ms as usize) {
        writeln!(tests, "  - {{expr: ALERTS, eval_time: {time_ms}ms, exp_samples: []}}").unwrap();
    }
    std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
    std::fs::write(folder.path().join("tests.yml"), tests).unwrap();

    let output =
        Command::new("promtool").args(["test", "rules", "tests.yml"]).current_dir(folder.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    read_states(&text)
}

fn read_states(text: &str) -> States {
    let mut states = States::new();
    let mut time_ms = 0;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("expr: \"ALERTS\", time: ") {
            time_ms = rest.trim_end_matches(',').parse::<Seconds>().unwrap().as_ms();
        } else if let Some(rest) = line.strip_prefix("got: ") {
            for alert in rest.split('}').filter(|alert| alert.contains("alertname")) {
                let label = |name: &str| {
                    let (_, value) = alert.split_once(&format!("{name}=\"")).unwrap();
                    value.split('"').next().unwrap()
                };
                let key = (label("alertname")[1..].parse().unwrap(), label(" s").parse().unwrap());
                states.entry(key).or_default().insert(time_ms, label("alertstate") == "firing");
            }
        } else {
            let known = ["exp: nil", "FAILED:", "Unit Testing:  tests.yml", "SUCCESS", ""].contains(&line);
            assert!(known, "unexpected output of promtool: {line}");
        }
    }
    states
}

/// What the replay finds, in the same form.
fn replay(input: &Input, case: &Case, series: &Series) -> BTreeMap<i64, bool> {
    let readings = Readings::new(series.points.clone(), case.lookback).unwrap();
    let replay = Replay::new(&case.rule, &readings, input.interval_ms);
    let last_ms = series.points[series.points.len() - 1].0;
    let mut states = BTreeMap::new();
    for span in replay.at_phase(0, None).spans {
        let end_ms = span.resolved_at_ms.unwrap_or(last_ms + 1);
        for time_ms in (span.pending_at_ms..end_ms).step_by(input.interval_ms as usize) {
            states.insert(time_ms, span.firing_at_ms.is_some_and(|firing| firing <= time_ms));
        }
    }
    states
}

fn has_promtool() -> bool {
    Command::new("promtool")
        .arg("--version")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with("promtool, version 2."))
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

#[test]
fn promtool_gives_every_alert_the_same_state_at_every_evaluation() {
    if !has_promtool() {
        assert!(std::env::var("LEAKTREND_REQUIRE_PROMTOOL").as_deref() != Ok("1"), "promtool 2 is required and absent");
        eprintln!("skipped: promtool 2 is absent");
        return;
    }
    let wanted = number("LEAKTREND_REPLAY_CASES", 500);
    let first_seed = number("LEAKTREND_REPLAY_SEED", 1);

    let mut seed = first_seed;
    let (mut pairs, mut active, mut fired, mut spans, mut left_open, mut evaluations) = (0, 0, 0, 0, 0, 0);
    let mut mismatches = Vec::new();
    while pairs < wanted {
        let input = random_input(seed);
        let states = ask_promtool(&input);
        for (r, case) in input.cases.iter().enumerate() {
            for (s, series) in
                input.series.iter().enumerate().filter(|(_, series)| case.sees_stale || !series.has_stale)
            {
                let last_ms = series.points[series.points.len() - 1].0;
                let mut expected = states.get(&(r, s)).cloned().unwrap_or_default();
                // The replay claims nothing for the time after the last reading.
                expected.retain(|time_ms, _| *time_ms <= last_ms);
                let found = replay(&input, case, series);
                if found != expected {
                    mismatches.push(format!("seed {seed}, rule {r} ({}), series {s}", case.expression));
                }
                pairs += 1;
                active += u64::from(!expected.is_empty());
                fired += u64::from(expected.values().any(|fires| *fires));
                left_open += u64::from(case.lookback.left_open);
                evaluations += ((last_ms - series.points[0].0) / input.interval_ms) as u64;
                let starts = expected.keys().filter(|time| !expected.contains_key(&(**time - input.interval_ms)));
                spans += starts.count();
            }
        }
        seed += 1;
    }
    println!(
        "seeds {first_seed} to {}: {pairs} pairs of rule and series ({left_open} left-open), {evaluations} evaluations; \
         {active} pairs pending at some time, {fired} fired, {spans} spans; {} mismatches",
        seed - 1,
        mismatches.len()
    );
    assert!(
        mismatches.is_empty(),
        "{} of {pairs} differ: {:#?}",
        mismatches.len(),
        &mismatches[..mismatches.len().min(20)]
    );
    assert!(pairs / 10 < fired && left_open > 0, "the cases are worth little: {fired} of {pairs} fired");
}
