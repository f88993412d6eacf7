//! The replay against `promtool test rules`, the rule engine of Prometheus itself.
//!
//! Random rules over random irregular series with gaps, repeats, restarts and stale markers; the state of every
//! alert at every evaluation must be the same. `LEAKTREND_REPLAY_CASES` sets the number of pairs of rule and element,
//! `LEAKTREND_REPLAY_SEED` the first seed. Without `promtool` it is skipped, or fails where
//! `LEAKTREND_REQUIRE_PROMTOOL=1`.
//!
//! `promtool` 2.42 always looks back 5 minutes, left-closed, and averages as Prometheus 2: a third of the rules is
//! written for both in the same words. The others have any lookback, most of them left-open: an instant selector is
//! written for `promtool` as `last_over_time(m[d])`, which finds the newest reading from T - d to T, and a range as
//! one of d, where d is 1 ms less than a left-open lookback or range, as all times are whole milliseconds. `delta`,
//! `rate` and `increase` extrapolate to the length of their range, so that their left-open ranges keep their length and
//! end where no reading can be. `last_over_time` passes over stale markers: selectors of such rules leave the series with
//! markers out. `promtool` 3 has
//! left-open ranges and would need other expressions.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::process::Command;

use crate::common::Random;
use leaktrend::criteria::alert_rule::{Exempt, Lookback, Release, Replay, Rule, RuleReadings};
use leaktrend::rules;
use leaktrend::series::Labels;
use leaktrend::units::Seconds;

const RULES_PER_FILE: usize = 20;
const SERIES_PER_FILE: usize = 25;
const GROUPS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Readings by time in milliseconds; `None` is a stale marker.
type Points = Vec<(i64, Option<f64>)>;

/// An alert rule, as we read it and as `promtool` does.
struct Case {
    for_ms: i64,
    keep_firing_for_ms: i64,
    lookback: Lookback,
    ours: String,
    theirs: String,
}

/// A series: the metric `m` or `k` of a container `s` of a group `g`, with `stale="1"` where it has stale markers.
struct Series {
    labels: Labels,
    points: Points,
}

/// One input of `promtool`: all rules over all series.
struct Input {
    /// All readings lie on multiples of it.
    grid_ms: i64,
    interval_ms: i64,
    cases: Vec<Case>,
    series: Vec<Series>,
}

/// Evaluation times, whether the alert fired at them and since when it was active in whole seconds, by number of rule
/// and labels.
type States = HashMap<(usize, Labels), BTreeMap<i64, State>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct State {
    fires: bool,
    since: i64,
}

/// The same expression for us and for `promtool`.
type Texts = [String; 2];

/// How the selectors of a rule are written.
struct Writer {
    native: bool,
    lookback: Lookback,
}

const LEVELS: &[f64] = &[1e6, 5e7, 1e8, 2e8, 3e8, 1e9];
const GROWTHS: &[f64] = &[-2e7, 0.0, 1e6, 2.5e7, 5e7, 1e8];
const SPEEDS: &[f64] = &[-1e4, 0.0, 1e3, 2e4, 1e5, 3e5];

impl Writer {
    /// A selector or a function of one, and numbers to compare it with.
    fn leaf(&mut self, random: &mut Random) -> (Texts, &'static [f64]) {
        let metric = random.pick(&["m", "m", "m", "k"]);
        self.leaf_of(random, metric)
    }

    fn leaf_of(&mut self, random: &mut Random, metric: &str) -> (Texts, &'static [f64]) {
        let offset_ms = random.pick(&[0, 0, 30_000, 60_000, 90_000, 240_000, 299_999, 300_000, 300_001, 420_000]);
        let offset = if offset_ms == 0 { String::new() } else { format!(" offset {offset_ms}ms") };
        let functions = [
            "",
            "",
            "",
            "",
            "avg_over_time",
            "delta",
            "deriv",
            "min_over_time",
            "max_over_time",
            "predict_linear",
            "rate",
            "rate",
            "increase",
            "increase",
            "sum_over_time",
            "count_over_time",
            "last_over_time",
            "quantile_over_time",
        ];
        let function = random.pick(&functions);
        if function.is_empty() {
            return (self.instant(metric, &offset), LEVELS);
        }
        let range_ms = random.pick(&[45_000, 120_000, 299_999, 300_000, 300_000, 300_001, 600_000, 900_000]);
        // No reading can be at the old end of a range that is extrapolated to.
        let extrapolates = ["delta", "rate", "increase"].contains(&function);
        let range_ms = if extrapolates && self.lookback.left_open { range_ms / 1000 * 1000 + 137 } else { range_ms };
        let shorter_ms = i64::from(self.lookback.left_open && !extrapolates);
        let seconds = random.pick(&["0", "60", "3600", "-600", "4 * 3600"]);
        let share = random.pick(&["0", "0.5", "0.9", "1", "0.99", "1.5", "-1", "1 / 3"]);
        let write = |range_ms: i64| {
            let range = format!("{metric}[{range_ms}ms]{offset}");
            match function {
                "predict_linear" => format!("predict_linear({range}, {seconds})"),
                "quantile_over_time" => format!("quantile_over_time({share}, {range})"),
                _ => format!("{function}({range})"),
            }
        };
        let numbers: &[f64] = match function {
            "delta" | "increase" => GROWTHS,
            "deriv" | "rate" => SPEEDS,
            "count_over_time" => &[1.0, 2.0, 3.0, 5.0, 10.0],
            "sum_over_time" => &[5e7, 3e8, 1e9, 3e9],
            _ => LEVELS,
        };
        ([write(range_ms), write(range_ms - shorter_ms)], numbers)
    }

    /// For `promtool` it may be a function that passes over stale markers.
    fn instant(&mut self, metric: &str, offset: &str) -> Texts {
        if self.native {
            let text = format!("{metric}{offset}");
            return [text.clone(), text];
        }
        let metric = format!("{metric}{{stale=\"\"}}");
        let range_ms = self.lookback.ms - i64::from(self.lookback.left_open);
        [format!("{metric}{offset}"), format!("last_over_time({metric}[{range_ms}ms]{offset})")]
    }

    /// An aggregate by group, or of all, and numbers to compare it with.
    fn group(&mut self, random: &mut Random, by: &str) -> (Texts, &'static [f64]) {
        let (inner, numbers) = match random.below(6) {
            0 => (self.comparison(random), LEVELS),
            1 => {
                let (a, numbers) = self.leaf_of(random, "m");
                let (b, _) = self.leaf_of(random, "k");
                (join(&a, random.pick(&["-", "+", "- ignoring (g)", "+ on (s, g)"]), &b), numbers)
            }
            2 => {
                let (a, numbers) = self.leaf(random);
                let clamp = random.pick(&["clamp_min", "clamp_max"]);
                let bound = random.pick(numbers);
                (a.map(|text| format!("{clamp}({text}, {bound})")), numbers)
            }
            _ => self.leaf(random),
        };
        let aggregate = random.pick(&["sum", "sum", "avg", "min", "max", "count"]);
        let numbers: &[f64] = match aggregate {
            "count" => &[1.0, 2.0, 3.0, 4.0, 8.0],
            "sum" if numbers == LEVELS => &[1e8, 3e8, 1e9, 3e9],
            _ => numbers,
        };
        (inner.map(|text| format!("{aggregate} {by} ({text})")), numbers)
    }

    /// An expression with aggregation or matching.
    fn matched(&mut self, random: &mut Random) -> Texts {
        let by = random.pick(&["by (g)", "by (g)", "without (s, stale)", "by ()", ""]);
        let on = random.pick(if by.contains('g') || by.contains('s') {
            &["", "on (g)", "ignoring (s)"][..]
        } else {
            &["", "on ()"][..]
        });
        let (a, numbers) = self.group(random, by);
        let operator = random.pick(&[">", ">", ">=", "<", "<=", "==", "!="]);
        let number = random.pick(numbers);
        let compared = a.clone().map(|text| format!("{text} {operator} {number}"));
        match random.below(10) {
            0 | 1 => {
                let (b, _) = self.group(random, by);
                let share = random.pick(&["0.2", "0.8", "1", "2"]);
                join(&a, &format!("/ {on}"), &b).map(|text| format!("{text} {operator} {share}"))
            }
            2 => {
                let (b, _) = self.group(random, by);
                join(&a, &format!("{operator} {on}"), &b)
            }
            3 => {
                let (b, numbers) = self.group(random, by);
                let number = random.pick(numbers);
                let b = b.map(|text| format!("({text} > {number})"));
                let set = random.pick(&["and", "or", "unless"]);
                join(&compared, &format!("{set} {on}"), &b)
            }
            // Members of a group, while something holds of all of it.
            4 | 5 => {
                let member = self.comparison(random);
                let on = if by.contains('g') || by.contains('s') { "on (g)" } else { "on ()" };
                let set = random.pick(&["and", "unless", "or"]);
                join(&member, &format!("{set} {on}"), &compared.map(|text| format!("({text})")))
            }
            // Two metrics of a container.
            6 => {
                let (a, _) = self.leaf_of(random, "m");
                let (b, _) = self.leaf_of(random, "k");
                let on = random.pick(&["on (s)", "on (s, g)", "ignoring (g)", "ignoring (stale, g)", ""]);
                let operation = random.pick(&["/", "-", ">", "> bool"]);
                let share = random.pick(&["0", "0.8", "1", "1.1"]);
                join(&a, &format!("{operation} {on}"), &b).map(|text| format!("{text} {operator} {share}"))
            }
            _ => compared,
        }
    }

    /// A leaf or two, and numbers to compare it with.
    fn term(&mut self, random: &mut Random) -> (Texts, &'static [f64]) {
        let (a, numbers) = self.leaf(random);
        match random.below(8) {
            0 => {
                let (b, _) = self.leaf(random);
                (join(&a, "/", &b), &[0.5, 0.9, 1.0, 1.1, 2.0])
            }
            1 | 2 => {
                let (b, _) = self.leaf(random);
                (join(&a, random.pick(&["-", "-", "+"]), &b), &[-2e7, 0.0, 1e6, 2.5e7, 5e7, 1e8])
            }
            3 => {
                let by = random.pick(&["* 2", "/ 3", "- 1000000", "+ 0.5", "% 250000000", "/ (2 ^ 10)"]);
                (a.map(|text| format!("({text} {by})")), numbers)
            }
            4 => (a.map(|text| format!("(2 * -{text} * -0.5)")), numbers),
            _ => (a, numbers),
        }
    }

    fn comparison(&mut self, random: &mut Random) -> Texts {
        let (a, numbers) = self.term(random);
        let operator = random.pick(&[">", ">", ">", ">=", "<", "<=", "==", "!="]);
        let number = random.pick(numbers);
        match random.below(10) {
            0 => a.map(|text| format!("{number} {operator} {text}")),
            1 => {
                let (b, _) = self.term(random);
                join(&a, operator, &b)
            }
            2 => a.map(|text| format!("({text} {operator} bool {number}) > 0")),
            3 => {
                let (b, _) = self.leaf(random);
                join(&a.map(|text| format!("({text} {operator} {number})")), "-", &b).map(|text| format!("{text} > 0"))
            }
            _ => a.map(|text| format!("{text} {operator} {number}")),
        }
    }
}

fn join(a: &Texts, operator: &str, b: &Texts) -> Texts {
    [0, 1].map(|side| format!("({} {operator} {})", a[side], b[side]))
}

fn random_case(random: &mut Random) -> Case {
    let native = random.once_in(3);
    let lookback = if native {
        Lookback::prometheus_2(300_000)
    } else {
        let ms = random.pick(&[20_000, 45_000, 60_000, 120_000, 270_000, 300_000, 300_000, 300_000, 480_000]);
        Lookback { ms, left_open: !random.once_in(4), release: Release::Prometheus2 }
    };
    let mut writer = Writer { native, lookback };
    let texts = match random.below(14) {
        // The forms of the runbook.
        0 => {
            let offset_ms = random.pick(&[30_000, 60_000, 90_000, 240_000, 299_999, 300_000, 300_001, 420_000]);
            let above = random.pick(&[-20_000_000, 0, 1_000_000, 25_000_000, 50_000_000, 100_000_000]);
            let (now, before) = (writer.instant("m", ""), writer.instant("m", &format!(" offset {offset_ms}ms")));
            join(&now, "-", &before).map(|text| format!("{text} > {above}"))
        }
        1 => {
            let limit = random.pick(&[2_000_000_000_i64, 268_435_456, 700_000_000]);
            let above = random.pick(&["0.1", "0.3", "0.5", "0.9"]);
            writer.instant("m", "").map(|text| format!("{text} / {limit} > {above}"))
        }
        2 | 3 => {
            let (a, b) = (writer.comparison(random), writer.comparison(random));
            join(&a, random.pick(&["and", "or", "unless"]), &b)
        }
        4..=6 => writer.comparison(random),
        _ => writer.matched(random),
    };
    let for_ms = random.pick(&[0, 1, 15_000, 30_000, 60_000, 100_000, 120_000, 299_999, 300_000, 300_001, 600_000]);
    let keep_firing_for_ms = random.pick(&[0, 0, 0, 1, 30_000, 75_000, 300_000]);
    let [ours, theirs] = texts;
    Case { for_ms, keep_firing_for_ms, lookback, ours, theirs }
}

/// The metrics of a container: `m`, and `k` for most.
fn random_container(random: &mut Random, grid_ms: i64, number: usize) -> Vec<Series> {
    let has_stale = random.once_in(3);
    let mut labels = Labels::from_iter([("s".to_owned(), number.to_string())]);
    labels.insert("g".to_owned(), random.pick(&GROUPS).to_owned());
    if has_stale {
        labels.insert("stale".to_owned(), "1".to_owned());
    }
    let series = |metric: &str, random: &mut Random| {
        let mut labels = labels.clone();
        labels.insert("__name__".to_owned(), metric.to_owned());
        Series { labels, points: random_points(random, grid_ms, has_stale) }
    };
    let mut all = vec![series("m", random)];
    if random.below(3) > 0 {
        all.push(series("k", random));
    }
    all
}

/// Readings on multiples of `grid_ms` for about half an hour to an hour.
fn random_points(random: &mut Random, grid_ms: i64, has_stale: bool) -> Points {
    let has_nan = random.once_in(6);
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
            let value = if has_stale && random.once_in(12) {
                None
            } else {
                Some(if has_nan && random.once_in(40) { f64::NAN } else { bytes })
            };
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
    points
}

fn random_input(seed: u64) -> Input {
    let mut random = Random::seeded(seed);
    let grid_ms = random.pick(&[500, 1_000, 2_500, 5_000, 15_000, 30_000]);
    Input {
        grid_ms,
        interval_ms: random.pick(&[10_000, 15_000, 20_000, 30_000, 30_000, 30_000, 37_500, 45_000, 60_000, 120_000]),
        cases: (0..RULES_PER_FILE).map(|_| random_case(&mut random)).collect(),
        series: (0..SERIES_PER_FILE).flat_map(|number| random_container(&mut random, grid_ms, number)).collect(),
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
        writeln!(
            rules,
            "  - {{alert: r{number}, expr: '{}', for: {}ms, keep_firing_for: {}ms}}",
            case.theirs, case.for_ms, case.keep_firing_for_ms
        )
        .unwrap();
    }
    let last_ms = input.series.iter().filter_map(|series| Some(series.points.last()?.0)).max().unwrap();
    let mut tests = format!(
        "rule_files: [rules.yml]\nevaluation_interval: {}ms\ntests:\n- interval: {}ms\n  input_series:\n",
        input.interval_ms, input.grid_ms
    );
    for series in &input.series {
        let values = values_text(&series.points, input.grid_ms);
        let labels: Vec<String> = series.labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        writeln!(tests, "  - {{series: '{{{}}}', values: '{values}'}}", labels.join(",")).unwrap();
    }
    tests.push_str("  promql_expr_test:\n");
    for time_ms in (0..=last_ms).step_by(input.interval_ms as usize) {
        for expression in ["ALERTS", "ALERTS_FOR_STATE"] {
            writeln!(tests, "  - {{expr: {expression}, eval_time: {time_ms}ms, exp_samples: []}}").unwrap();
        }
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
        if let Some((_, rest)) = line.split_once(", time: ").filter(|(expression, _)| expression.starts_with("expr: "))
        {
            time_ms = rest.trim_end_matches(',').parse::<Seconds>().unwrap().as_ms();
        } else if let Some(rest) = line.strip_prefix("got: ") {
            let mut rest = rest;
            while let Some((labels, after)) = rest.split_once("} ") {
                let (value, after) = after.split_once(", ").unwrap_or((after, ""));
                rest = after;
                let mut labels = labels_of(labels);
                let rule = labels.remove("alertname").unwrap()[1..].parse().unwrap();
                let alertstate = labels.remove("alertstate");
                let state = states.entry((rule, labels)).or_default().entry(time_ms).or_default();
                match alertstate {
                    Some(name) => state.fires = name == "firing",
                    None => state.since = value.parse::<f64>().unwrap() as i64,
                }
            }
        } else {
            let known = ["exp: nil", "FAILED:", "Unit Testing:  tests.yml", "SUCCESS", ""].contains(&line);
            assert!(known, "unexpected output of promtool: {line}");
        }
    }
    states
}

/// The labels of `ALERTS{a="1", b="2"` but its name, whose values hold no quotes.
fn labels_of(text: &str) -> Labels {
    let (_, text) = text.split_once('{').unwrap();
    let pairs = text.split(", ").filter_map(|pair| pair.split_once('=')).filter(|(name, _)| *name != "__name__");
    pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

/// What the replay finds for each element, in the same form, and the last of its readings.
fn replay(input: &Input, case: &Case) -> BTreeMap<Labels, (BTreeMap<i64, State>, i64)> {
    let labels: Vec<Labels> = input.series.iter().map(|series| series.labels.clone()).collect();
    let elements = rules::elements(&case.ours, &labels).unwrap_or_else(|why| panic!("{} is refused: {why}", case.ours));
    let mut found = BTreeMap::new();
    for element in elements {
        let points = element.inputs.iter().map(|input_of| input_of.map(|index| &input.series[index].points));
        let readings: Vec<Option<RuleReadings<'_>>> =
            points.map(|points| points.and_then(|points| RuleReadings::new(points.clone(), case.lookback))).collect();
        let inputs: Vec<Option<&RuleReadings<'_>>> = readings.iter().map(Option::as_ref).collect();
        let rule =
            Rule { condition: element.condition, for_ms: case.for_ms, keep_firing_for_ms: case.keep_firing_for_ms };
        let Some(replay) = Replay::of(&rule, &inputs, input.interval_ms) else { continue };
        let last_ms = element
            .inputs
            .iter()
            .flatten()
            .filter_map(|index| Some(input.series[*index].points.last()?.0))
            .max()
            .unwrap();
        let mut states = BTreeMap::new();
        for span in replay.at_phase(0, Exempt::default()).spans {
            let end_ms = span.resolved_at_ms.unwrap_or(last_ms + 1);
            for time_ms in (span.pending_at_ms..end_ms).step_by(input.interval_ms as usize) {
                let fires = span.firing_at_ms.is_some_and(|firing| firing <= time_ms);
                states.insert(time_ms, State { fires, since: span.pending_at_ms.div_euclid(1000) });
            }
        }
        assert!(
            found.insert(element.labels, (states, last_ms)).is_none(),
            "two elements of {} have one name",
            case.ours
        );
    }
    found
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
    let (mut aggregated, mut matched) = (0, 0);
    let mut mismatches = Vec::new();
    while pairs < wanted {
        let input = random_input(seed);
        let mut states = ask_promtool(&input);
        for (r, case) in input.cases.iter().enumerate() {
            for (labels, (found, last_ms)) in replay(&input, case) {
                let mut expected = states.remove(&(r, labels.clone())).unwrap_or_default();
                // The replay claims nothing for the time after the last reading.
                expected.retain(|time_ms, _| *time_ms <= last_ms);
                if found != expected {
                    mismatches.push(format!("seed {seed}, rule {r} ({} or {}), {labels:?}", case.ours, case.theirs));
                }
                pairs += 1;
                active += u64::from(!expected.is_empty());
                fired += u64::from(expected.values().any(|state| state.fires));
                left_open += u64::from(case.lookback.left_open);
                let has = |parts: &[&str]| u64::from(parts.iter().any(|part| case.ours.contains(part)));
                aggregated += has(&["sum ", "avg ", "min ", "max ", "count "]);
                matched += has(&[" on (", " ignoring ("]);
                evaluations += (last_ms / input.interval_ms) as u64;
                let starts = expected.keys().filter(|time| !expected.contains_key(&(**time - input.interval_ms)));
                spans += starts.count();
            }
        }
        for (r, labels) in states.into_keys() {
            mismatches.push(format!("seed {seed}, rule {r} ({}): {labels:?} is no element", input.cases[r].ours));
        }
        seed += 1;
    }
    println!(
        "seeds {first_seed} to {}: {pairs} pairs of rule and element ({left_open} left-open, {aggregated} of rules that \
         aggregate, {matched} of rules with `on` or `ignoring`), {evaluations} evaluations; {active} pairs pending at some \
         time, {fired} fired, {spans} spans; {} mismatches",
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
