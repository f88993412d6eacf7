//! Writes alerts that fire as a unit test for `promtool test rules`, so that an incident stays in a team's own tests.
//!
//! A test has the readings around the first firing, and what `ALERTS` must be when the alert becomes pending, fires
//! and ceases. What is expected is replayed on exactly the readings that are written. Times count from the start of
//! the test; `promtool` looks back 5 minutes, whatever is set here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::expand::{Element, Input};
use super::select::{Labels, Select};
use super::{AlertRule, AlertRules, Known, Plan, file, lookback};
use crate::criteria::LoadWindow;
use crate::criteria::alert_rule::{Answer, Exempt, Lookback, Replay, Rule, RuleReadings};
use crate::series::MemorySeries;
use crate::settings::Settings;
use crate::units::Seconds;

/// The lookback of `promtool`.
const LOOKBACK_MS: i64 = 300_000;
/// How long after the firing a test goes on at most, to see the alert cease.
const AFTERMATH_MS: i64 = 600_000;
/// A finer grid of times would make `promtool` hold more values than this: then times are whole seconds.
const MOST_VALUES: i64 = 500_000;

/// What is to be written.
#[derive(Debug, Default)]
pub struct Emitted {
    /// Files with their text; the first is the test itself. Empty when nothing fires.
    pub files: Vec<(PathBuf, String)>,
    /// Alerts that fire and could not be written, and why.
    pub notes: Vec<String>,
}

/// The tests for all alerts that fire: those of `rules`, or without rule files the runbook's two.
///
/// `path` is the test file. The rule files are referred to from where it stands; the runbook's rules are written
/// beside it as `NAME.rules.yml`. Groups of different intervals make a file each: `promtool` has one interval a file.
pub fn unit_tests(
    path: &Path,
    rules: &AlertRules,
    known: &Known<'_>,
    settings_of: &dyn Fn(&MemorySeries) -> (Settings, Option<f64>),
    load: Option<LoadWindow>,
) -> Emitted {
    let mut emitted = Emitted::default();
    let runbook = if rules.paths.is_empty() { runbook_rules(known, settings_of) } else { String::new() };
    let own;
    let (alerts, rule_files) = if rules.paths.is_empty() {
        own = file::read("runbook", &runbook).expect("the runbook's rules are a rule file");
        (&own, vec![file_beside(path, ".rules", "").file_name().unwrap_or_default().to_string_lossy().into_owned()])
    } else {
        (&rules.alerts, rules.paths.iter().map(|rules| reference(path, rules)).collect())
    };
    let lookback_of = |owner: usize| lookback(&settings_of(&known.judged()[owner]).0);
    let bound = alerts.iter().filter_map(|alert| {
        let (plan, elements) = alert.bind(known, &lookback_of).ok()?;
        Some((alert, plan, elements))
    });
    let bound: Vec<(&AlertRule, &Plan, Vec<Element>)> = bound.collect();

    let mut by_interval: BTreeMap<i64, String> = BTreeMap::new();
    for (alert, plan, elements) in &bound {
        for element in elements.iter().filter(|element| known.mixed(&element.inputs, &plan.selects).is_none()) {
            let (settings, _) = settings_of(&known.judged()[element.owners[0]]);
            let interval_ms = alert.interval_ms.unwrap_or_else(|| settings.evaluation.interval_seconds.as_ms()).max(1);
            let finding = Finding {
                alert,
                selects: &plan.selects,
                rule: alert.rule(element.condition.clone()),
                element,
                known,
                interval_ms,
                lookback: Lookback { ms: LOOKBACK_MS, ..lookback(&settings) },
                has_namesake: bound.iter().any(|(other, _, elements)| {
                    !std::ptr::eq(*other, *alert)
                        && other.alert == alert.alert
                        && elements.iter().any(|other| other.labels == element.labels)
                }),
            };
            let phase_ms = settings.evaluation.phase_seconds.map(Seconds::as_ms);
            match finding.test(phase_ms, load) {
                Some(Ok(text)) => by_interval.entry(interval_ms).or_default().push_str(&text),
                Some(Err(why)) => emitted.notes.push(why),
                None => {}
            }
        }
    }

    let several = by_interval.len() > 1;
    for (interval_ms, tests) in by_interval {
        let name = if several && !emitted.files.is_empty() {
            file_beside(path, "", &format!("-{}", time_text(interval_ms)))
        } else {
            path.to_owned()
        };
        let files: Vec<String> = rule_files.iter().map(|file| quoted(file)).collect();
        let text = format!(
            "# Written by leaktrend: run with `promtool test rules {}`.\n# The expected alerts depend on `--lookback`: \
             the lookback differs between Prometheus 2 and 3.\nrule_files: [{}]\nevaluation_interval: \
             {}\ntests:\n{tests}",
            name.file_name().unwrap_or_default().to_string_lossy(),
            files.join(", "),
            time_text(interval_ms)
        );
        emitted.files.push((name, text));
    }
    if rules.paths.is_empty() && !emitted.files.is_empty() {
        emitted.files.push((file_beside(path, ".rules", ""), runbook));
    }
    emitted
}

/// `dir/name.yml` with something before the extension, and `.rules` as a second one: `dir/name.rules.yml`.
fn file_beside(path: &Path, second_extension: &str, suffix: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map_or_else(|| "yml".to_owned(), |text| text.to_string_lossy().into_owned());
    path.with_file_name(format!("{stem}{suffix}{second_extension}.{extension}"))
}

/// How the test file refers to a rule file: relative to its own folder where both are given relatively.
fn reference(test: &Path, rules: &Path) -> String {
    use std::path::Component;
    let folder = test.parent().unwrap_or(Path::new(""));
    let normal = folder.components().all(|part| matches!(part, Component::Normal(_)));
    if rules.is_absolute() || !normal {
        return std::path::absolute(rules).unwrap_or_else(|_| rules.to_owned()).display().to_string();
    }
    let up: PathBuf = folder.components().map(|_| "..").collect();
    up.join(rules).display().to_string()
}

/// The runbook's two alerts with the settings of each series, as a rule file.
fn runbook_rules(known: &Known<'_>, settings_of: &dyn Fn(&MemorySeries) -> (Settings, Option<f64>)) -> String {
    let mut text = String::new();
    let mut interval_ms = None;
    for (source, owner) in
        known.sources().iter().zip(0..).filter_map(|(source, index)| Some((source, known.owner(index)?)))
    {
        let (Some(metric), series) = (source.name(), &known.judged()[owner]) else { continue };
        let (settings, limit) = settings_of(series);
        let (growth, high) = (&settings.criteria.growth, &settings.criteria.high_memory);
        interval_ms = interval_ms.or(Some(settings.evaluation.interval_seconds.as_ms()));
        let memory = series_text(metric, &source.labels);
        let alerts = [
            (
                "MemoryLeakDetected",
                format!(
                    "({memory} - {memory} offset {}) > {}",
                    time_text(growth.offset_seconds.as_ms()),
                    growth.threshold_bytes.as_f64()
                ),
                growth.pending.as_ms(),
                "warning",
            ),
            (
                "HighMemoryUsage",
                format!(
                    "{memory} / {} > {}",
                    limit.unwrap_or(high.fallback_limit_bytes.as_f64()),
                    high.limit_share.get()
                ),
                high.pending.as_ms(),
                "critical",
            ),
        ];
        for (alert, expression, for_ms, severity) in alerts {
            let _ = writeln!(
                text,
                "      - alert: {alert}\n        expr: {}\n        for: {}\n        labels: {{severity: {severity}}}",
                quoted(&expression),
                time_text(for_ms)
            );
        }
    }
    let interval = interval_ms.map_or(String::new(), |ms| format!("    interval: {}\n", time_text(ms)));
    format!("groups:\n  - name: memory_alerts\n{interval}    rules:\n{text}")
}

/// An alert of a container or a group.
struct Finding<'a> {
    alert: &'a AlertRule,
    selects: &'a [Select],
    rule: Rule,
    element: &'a Element,
    known: &'a Known<'a>,
    interval_ms: i64,
    lookback: Lookback,
    /// Whether another alert of the same name has the same labels.
    has_namesake: bool,
}

/// The readings of an input, from the start of the test.
type Points = Vec<(i64, Option<f64>)>;

impl Finding<'_> {
    /// The test, or why it cannot be written; `None` when the alert does not fire.
    fn test(&self, phase_ms: Option<i64>, load: Option<LoadWindow>) -> Option<Result<String, String>> {
        let readings: Vec<Option<RuleReadings<'_>>> = self
            .known
            .inputs(&self.element.inputs)
            .into_iter()
            .map(|input| input.map(|series| RuleReadings::of(series, self.lookback)))
            .collect();
        let inputs: Vec<Option<&RuleReadings<'_>>> = readings.iter().map(Option::as_ref).collect();
        let replay = Replay::of(&self.rule, &inputs, self.interval_ms)?;
        let answer = Answer::of(&replay, phase_ms, Exempt::load(load));
        answer.first_firing_at_ms?;
        let span = answer.spans.iter().find(|span| span.firing_at_ms.is_some() && span.during.is_none())?;
        let firing_ms = span.firing_at_ms?;

        let before_ms = self.rule.condition.memory_ms(LOOKBACK_MS) + 1;
        let steps = (before_ms - 1) / self.interval_ms + 1;
        let start_ms = span.pending_at_ms - steps * self.interval_ms;
        let end_ms = span.resolved_at_ms.unwrap_or(i64::MAX).min(firing_ms + AFTERMATH_MS);
        let cut: Vec<Option<Points>> = self
            .known
            .inputs(&self.element.inputs)
            .into_iter()
            .map(|input| input.map(|series| points(series, start_ms, end_ms)))
            .collect();
        Some(self.written(&on_coarser_grid(cut)))
    }

    fn written(&self, inputs: &[Option<Points>]) -> Result<String, String> {
        let lost = || {
            format!(
                "no unit test for alert `{}` of `{}`: it does not fire if readings are rounded to whole seconds, or if \
                 only those around the firing are kept",
                self.alert.alert,
                self.known.judged()[self.element.owners[0]].info.id
            )
        };
        let readings: Vec<Option<RuleReadings<'_>>> = inputs
            .iter()
            .map(|points| points.as_ref().and_then(|points| RuleReadings::new(points.clone(), self.lookback)))
            .collect();
        let readings: Vec<Option<&RuleReadings<'_>>> = readings.iter().map(Option::as_ref).collect();
        let replay = Replay::of(&self.rule, &readings, self.interval_ms).ok_or_else(lost)?;
        let replayed = replay.at_phase(0, Exempt::default());
        let span = replayed.spans.iter().find(|span| span.firing_at_ms.is_some()).ok_or_else(lost)?;
        let firing_ms = span.firing_at_ms.ok_or_else(lost)?;

        let grid_ms = grid_ms(inputs);
        let mut text = format!("  - interval: {}\n    input_series:\n", time_text(grid_ms));
        let mut written: Vec<String> = Vec::new();
        for (input, points) in self.element.inputs.iter().zip(inputs) {
            let name = self.input_text(*input);
            if let Some(points) = points
                && !written.contains(&name)
            {
                let _ = writeln!(
                    text,
                    "      - series: {}\n        values: {}",
                    quoted(&name),
                    quoted(&values_text(points, grid_ms))
                );
                written.push(name);
            }
        }

        let labels = self.alert.labels_for(&self.element.labels);
        if let Some(annotations) = self.annotations().filter(|_| !self.has_namesake) {
            let _ = write!(
                text,
                "    alert_rule_test:\n      - eval_time: {}\n        alertname: {}\n        exp_alerts:\n          - \
                 exp_labels: {}\n            exp_annotations: {}\n",
                time_text(firing_ms),
                quoted(&self.alert.alert),
                map_text(&labels),
                map_text(&annotations)
            );
        }
        let mut selected = Labels::from_iter([("alertname".to_owned(), self.alert.alert.clone())]);
        if self.has_namesake {
            selected.extend(labels.clone());
        }
        let expression = quoted(&series_text("ALERTS", &selected));
        text.push_str("    promql_expr_test:\n");
        let pending = (span.pending_at_ms < firing_ms).then_some((span.pending_at_ms, Some("pending")));
        let states = [pending, Some((firing_ms, Some("firing"))), span.resolved_at_ms.map(|time| (time, None))];
        for (time_ms, state) in states.into_iter().flatten() {
            let _ = writeln!(text, "      - expr: {expression}\n        eval_time: {}", time_text(time_ms));
            let Some(state) = state else {
                text.push_str("        exp_samples: []\n");
                continue;
            };
            let mut sample = labels.clone();
            sample.insert("alertname".to_owned(), self.alert.alert.clone());
            sample.insert("alertstate".to_owned(), state.to_owned());
            let _ = writeln!(
                text,
                "        exp_samples:\n          - labels: {}\n            value: 1",
                quoted(&series_text("ALERTS", &sample))
            );
        }
        Ok(text)
    }

    /// A series as the rule names it.
    fn input_text(&self, input: Input) -> String {
        let labels = input.series.map(|index| self.known.sources()[index].labels.clone());
        series_text(&self.selects[input.select].metric, &labels.unwrap_or_default())
    }

    /// The annotations filled in; `None` where one uses more than a label, such as the value.
    fn annotations(&self) -> Option<Labels> {
        let filled =
            |(name, text): (&String, &String)| Some((name.clone(), file::expanded(text, &self.element.labels)?));
        self.alert.annotations.iter().map(filled).collect()
    }
}

/// The readings of a series from one time to another, counted from the first.
fn points(series: &MemorySeries, start_ms: i64, end_ms: i64) -> Points {
    let inside = |time: i64| start_ms <= time && time <= end_ms;
    let readings = series.time_ms().iter().zip(series.used_bytes()).filter(|(time, _)| inside(**time));
    readings.map(|(time, bytes)| (time - start_ms, Some(*bytes))).collect()
}

/// Times in whole seconds, where milliseconds would make a test too large.
fn on_coarser_grid(inputs: Vec<Option<Points>>) -> Vec<Option<Points>> {
    let last_ms = inputs.iter().flatten().filter_map(|points| points.last()).map(|point| point.0).max().unwrap_or(0);
    if last_ms / grid_ms(&inputs) <= MOST_VALUES {
        return inputs;
    }
    let rounded = |points: Points| {
        let mut points: Points = points.into_iter().map(|(time, value)| ((time + 500) / 1000 * 1000, value)).collect();
        points.dedup_by_key(|point| point.0);
        points
    };
    inputs.into_iter().map(|points| points.map(rounded)).collect()
}

/// The coarsest grid that all times lie on, in milliseconds.
fn grid_ms(inputs: &[Option<Points>]) -> i64 {
    let common = |a: i64, b: i64| {
        let (mut a, mut b) = (a, b);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let times = inputs.iter().flatten().flatten().map(|point| point.0);
    Some(times.fold(0, common)).filter(|grid_ms| *grid_ms > 0).unwrap_or(1000)
}

/// The notation of `promtool`: a value for each multiple of the grid, `_xN` for N without one.
fn values_text(points: &Points, grid_ms: i64) -> String {
    let mut words = Vec::new();
    let mut next = 0;
    for (time_ms, value) in points {
        let index = time_ms / grid_ms;
        if next < index {
            words.push(format!("_x{}", index - next));
        }
        words.push(value.map_or_else(|| "stale".to_owned(), |value| value.to_string()));
        next = index + 1;
    }
    words.join(" ")
}

/// `metric{label="value"}`.
fn series_text(metric: &str, labels: &Labels) -> String {
    let labels: Vec<String> = labels
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| format!("{name}={}", quoted(value)))
        .collect();
    if labels.is_empty() { metric.to_owned() } else { format!("{metric}{{{}}}", labels.join(",")) }
}

fn map_text(map: &Labels) -> String {
    let entries: Vec<String> = map.iter().map(|(name, value)| format!("{}: {}", quoted(name), quoted(value))).collect();
    format!("{{{}}}", entries.join(", "))
}

/// A text in double quotes: strings of JSON are such in YAML and PromQL too, where they hold only what YAML can print.
fn quoted(text: &str) -> String {
    let json = serde_json::to_string(text).expect("text can be written as JSON");
    let mut quoted = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted
}

fn time_text(ms: i64) -> String {
    if ms % 60_000 == 0 && ms > 0 {
        format!("{}m", ms / 60_000)
    } else if ms % 1000 == 0 {
        format!("{}s", ms / 1000)
    } else {
        format!("{ms}ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name of an input can hold any character, and YAML does not print all of them.
    #[test]
    fn a_quoted_text_is_read_as_it_was() {
        let all = (0..=0xffff).filter_map(char::from_u32).chain(['\u{1f600}', '\u{10ffff}']);
        for c in all.filter(|c| *c != '\0') {
            let text = format!("a{c}b");
            let read: String = serde_saphyr::from_str(&quoted(&text)).unwrap();
            assert_eq!(read, text, "{:?}", quoted(&text));
        }
    }
}
