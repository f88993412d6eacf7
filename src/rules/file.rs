//! Reads a Prometheus rule file: YAML with groups of rules.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde::Deserialize;

use super::{AlertRule, Labels, Plan, promql};

/// A rule file as it is written. What Prometheus would not load is refused as a whole, as it does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    #[serde(default)]
    groups: Vec<GroupText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupText {
    name: String,
    interval: Option<String>,
    query_offset: Option<String>,
    limit: Option<i64>,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    rules: Vec<RuleText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    record: Option<String>,
    alert: Option<String>,
    expr: String,
    #[serde(rename = "for")]
    for_time: Option<String>,
    keep_firing_for: Option<String>,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    annotations: Labels,
}

/// The alerts of a file. Their ids are not yet given.
///
/// # Errors
///
/// When Prometheus would not load it: what was found and what is expected, with the line where it is known.
pub(super) fn read(path: &str, text: &str) -> Result<Vec<AlertRule>, String> {
    let file: RuleFile = serde_saphyr::from_str(text).map_err(|error| {
        let text = error.without_snippet().to_string();
        format!("it is not a rule file of Prometheus: {}", text.trim_end().replace('\n', " "))
    })?;
    let recorded: Vec<String> =
        file.groups.iter().flat_map(|group| &group.rules).filter_map(|rule| rule.record.clone()).collect();
    let mut alerts = Vec::new();
    for group in file.groups {
        let time = |key: &str, text: &Option<String>| {
            let Some(text) = text else { return Ok(None) };
            duration_ms(text).map(Some).ok_or_else(|| {
                format!(
                    "group `{}`: `{key}: {text}` is not a time (expected something like `30s` or `1h30m`)",
                    group.name
                )
            })
        };
        let interval_ms = time("interval", &group.interval)?.filter(|interval_ms| *interval_ms > 0);
        let query_offset_ms = time("query_offset", &group.query_offset)?.unwrap_or(0);
        let of_group = if query_offset_ms != 0 {
            Err(format!("its group sets `query_offset: {}`", group.query_offset.as_deref().unwrap_or_default()))
        } else {
            match group.limit {
                Some(limit) if limit != 0 => Err(format!("its group sets `limit: {limit}`")),
                _ => Ok(()),
            }
        };
        for rule in &group.rules {
            let Some(alert) = &rule.alert else {
                if rule.record.is_none() {
                    return Err(format!("group `{}`: a rule has neither `alert` nor `record`", group.name));
                }
                continue;
            };
            let for_ms = time("for", &rule.for_time)?.unwrap_or(0);
            let keep_firing_for_ms = time("keep_firing_for", &rule.keep_firing_for)?.unwrap_or(0);
            let mut labels = group.labels.clone();
            labels.extend(rule.labels.clone());
            let plan = of_group
                .clone()
                .and_then(|()| check_labels(&labels))
                .and_then(|()| promql::read(&rule.expr))
                .and_then(|(query, selects)| {
                    if let Some(select) = selects.iter().find(|select| recorded.contains(&select.metric)) {
                        return Err(format!("it uses the recording rule `{}`, which is not replayed", select.metric));
                    }
                    Ok(Plan { query, selects })
                });
            alerts.push(AlertRule {
                file: path.to_owned(),
                group: group.name.clone(),
                alert: alert.clone(),
                id: String::new(),
                expression: rule.expr.trim().to_owned(),
                interval_ms,
                for_ms,
                keep_firing_for_ms,
                labels,
                annotations: rule.annotations.clone(),
                plan,
            });
        }
    }
    Ok(alerts)
}

/// Labels that are made from more than the labels of the series change an alert from evaluation to evaluation.
fn check_labels(labels: &Labels) -> Result<(), String> {
    match labels.iter().find(|(_, text)| expanded(text, &Labels::new()).is_none()) {
        Some((name, text)) => Err(format!(
            "the template of its label `{name}: {text}` is not replayed (supported: `{{{{ $labels.NAME }}}}`)"
        )),
        None => Ok(()),
    }
}

/// A text with its templates filled in; `None` when it holds one that uses more than a label.
pub(super) fn expanded(text: &str, labels: &Labels) -> Option<String> {
    static LABEL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\{\{\s*(?:\$labels|\.Labels)\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}").expect("the pattern is valid")
    });
    if LABEL.replace_all(text, "").contains("{{") {
        return None;
    }
    let value = |found: &Captures<'_>| labels.get(&found[1]).cloned().unwrap_or_default();
    Some(LABEL.replace_all(text, value).into_owned())
}

/// A time as Prometheus writes it: `1h30m`, units from large to small, each once; or `0`.
fn duration_ms(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 7] = [
        ("y", 31_536_000_000),
        ("w", 604_800_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ];
    if text == "0" {
        return Some(0);
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total_ms: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0)?;
        let count: i64 = rest[..digits].parse().ok()?;
        let letters = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |letters| digits + letters);
        let (_, unit_ms) = units.find(|(unit, _)| *unit == &rest[digits..letters])?;
        total_ms = total_ms.checked_add(count.checked_mul(*unit_ms)?)?;
        rest = &rest[letters..];
    }
    (!text.is_empty()).then_some(total_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(text: &str) -> String {
        let line = |alert: AlertRule| {
            let plan =
                alert.plan.map_or_else(|why| format!("refused: {why}"), |plan| format!("{:?}", plan.selects.len()));
            format!(
                "{}/{} every {:?} for {} keep {} {plan}\n",
                alert.group, alert.alert, alert.interval_ms, alert.for_ms, alert.keep_firing_for_ms
            )
        };
        read("a.yml", text).map_or_else(|why| why, |alerts| alerts.into_iter().map(line).collect())
    }

    #[test]
    fn durations_are_those_of_prometheus() {
        let read = ["0", "30s", "1h30m", "1d", "1500ms", "1m1ms"].map(duration_ms);
        assert_eq!(read, [0, 30_000, 5_400_000, 86_400_000, 1500, 60_001].map(Some));
        for text in ["", "5", "m", "1.5m", "1m1h", "5 m", "-1m", "99999999999999999999s", "1ms1s"] {
            assert_eq!(duration_ms(text), None, "{text}");
        }
    }

    #[test]
    fn a_rule_is_read_with_all_its_times() {
        let text = "groups:\n- name: g\n  interval: 1m\n  labels: {team: a}\n  rules:\n  - record: r\n    expr: x\n  - alert: A\n    expr: |\n      x > 5\n    for: 5m\n    keep_firing_for: 10m\n    labels: {severity: 1, where: '{{ $labels.container }}'}\n    annotations: {summary: 'x is {{ $value }}'}\n- name: h\n  rules:\n  - {alert: B, expr: x > 1, for: 0}\n";
        insta::assert_snapshot!(describe(text));
    }

    #[test]
    fn what_is_not_replayed_is_refused_by_name_and_the_rest_is_read() {
        let group = |head: &str, rules: &str| format!("groups:\n- name: g\n{head}  rules:\n{rules}");
        let rule = |rest: &str| format!("  - {{alert: A, expr: 'x > 1', {rest}}}\n  - {{alert: B, expr: r > 1}}\n");
        insta::assert_snapshot!(describe(&group("", &rule("labels: {v: '{{ $value }}'}"))));
        insta::assert_snapshot!(describe(&group("  limit: 5\n", &rule("for: 1m"))));
        insta::assert_snapshot!(describe(&group("  query_offset: 1m\n", &rule("for: 1m"))));
        let recorded = format!("{}  - {{record: r, expr: x}}\n", rule("for: 1m"));
        insta::assert_snapshot!(describe(&group("", &recorded)));
    }

    #[test]
    fn what_prometheus_would_not_load_is_refused_with_its_line() {
        insta::assert_snapshot!(describe("groups:\n- name: g\n  rules:\n  - {alert: A, expr: x, four: 5m}\n"));
        insta::assert_snapshot!(describe("groups:\n- name: g\n  rules:\n  - {alert: A, expr: x, for: 5 minutes}\n"));
        insta::assert_snapshot!(describe("groups:\n- name: g\n  rules:\n  - {expr: x}\n"));
        insta::assert_snapshot!(describe("groups: [\n"));
        insta::assert_snapshot!(describe("just text"));
    }
}
