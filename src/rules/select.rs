//! Finds the series that selectors select, as the labels of a Prometheus server would have it.
//!
//! Series of a Prometheus export have the labels that stand there, no more: a matcher on a label that a series has
//! not sees an empty value. What was read from `docker stats` has no labels: both `container` and `name` are the
//! container's name, and its memory answers to `container_memory_usage_bytes` and
//! `container_memory_working_set_bytes`.

use std::collections::BTreeMap;
use std::fmt;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::VectorSelector;
use regex::Regex;

use crate::series::{MemorySeries, Metric};

/// What the memory of `docker stats` is called in rules.
const DOCKER_METRICS: [&str; 2] = ["container_memory_usage_bytes", "container_memory_working_set_bytes"];
/// So many names are enough to see what is there.
const NAMED: usize = 5;

/// Which series a selector selects.
#[derive(Debug, Clone)]
pub(super) struct Select {
    pub(super) metric: String,
    matchers: Vec<LabelMatcher>,
    /// As written.
    text: String,
}

#[derive(Debug, Clone)]
struct LabelMatcher {
    label: String,
    value: String,
    /// The whole value must match.
    pattern: Option<Regex>,
    negative: bool,
}

impl PartialEq for Select {
    fn eq(&self, other: &Select) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Select {
    pub(super) fn new(vector: &VectorSelector) -> Result<Select, String> {
        if !vector.matchers.or_matchers.is_empty() {
            return Err(format!("`or` between the matchers of `{vector}` is not replayed"));
        }
        let mut metric = vector.name.clone();
        let mut matchers = Vec::new();
        for matcher in &vector.matchers.matchers {
            if matcher.name == "__name__" {
                match (&matcher.op, &metric) {
                    (MatchOp::Equal, None) => metric = Some(matcher.value.clone()),
                    (MatchOp::Equal, Some(name)) if *name == matcher.value => {}
                    _ => return Err(format!("`{vector}` does not name one metric")),
                }
                continue;
            }
            matchers.push(LabelMatcher::new(matcher)?);
        }
        let metric = metric.ok_or_else(|| format!("`{vector}` does not name its metric"))?;
        let written: Vec<String> = matchers.iter().map(ToString::to_string).collect();
        let text = if written.is_empty() { metric.clone() } else { format!("{metric}{{{}}}", written.join(",")) };
        Ok(Select { metric, matchers, text })
    }

    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.matchers.iter().all(|matcher| matcher.matches(labels.get(&matcher.label).map_or("", String::as_str)))
    }
}

impl LabelMatcher {
    fn new(matcher: &Matcher) -> Result<LabelMatcher, String> {
        let (pattern, negative) = match &matcher.op {
            MatchOp::Equal => (None, false),
            MatchOp::NotEqual => (None, true),
            MatchOp::Re(pattern) => (Some(pattern), false),
            MatchOp::NotRe(pattern) => (Some(pattern), true),
        };
        // In Prometheus a dot matches a line feed too.
        let pattern = pattern
            .map(|pattern| Regex::new(&format!("(?s){}", pattern.as_str())))
            .transpose()
            .map_err(|_| format!("`{}` is not a regular expression that is replayed", matcher.value))?;
        Ok(LabelMatcher { label: matcher.name.clone(), value: matcher.value.clone(), pattern, negative })
    }

    fn matches(&self, value: &str) -> bool {
        let matches = self.pattern.as_ref().map_or(self.value == value, |pattern| pattern.is_match(value));
        matches != self.negative
    }
}

impl fmt::Display for LabelMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match (&self.pattern, self.negative) {
            (None, false) => "=",
            (None, true) => "!=",
            (Some(_), false) => "=~",
            (Some(_), true) => "!~",
        };
        write!(f, "{}{operator}{:?}", self.label, self.value)
    }
}

/// The series that have all labels in common but the metric's name: what binary operators match with each other.
#[derive(Debug)]
pub(super) struct Container {
    /// All labels but the metric's name.
    pub(super) labels: BTreeMap<String, String>,
    /// Whether its labels are those of a Prometheus export.
    pub(super) from_prometheus: bool,
    /// Metric and index of each series; `None` where the metric has no name.
    series: Vec<(Option<String>, usize)>,
}

impl Container {
    /// Metric and index of its series, of those that rules can name.
    pub(super) fn series(&self) -> impl Iterator<Item = (&str, usize)> {
        self.series.iter().filter_map(|(metric, index)| {
            let metric = if self.from_prometheus { metric.as_deref() } else { Some(DOCKER_METRICS[0]) };
            Some((metric?, *index))
        })
    }
}

/// Groups series by their labels.
pub(super) fn containers(series: &[MemorySeries]) -> Vec<Container> {
    let mut containers: Vec<Container> = Vec::new();
    let mut by_labels: BTreeMap<BTreeMap<String, String>, usize> = BTreeMap::new();
    for (index, one) in series.iter().enumerate() {
        let labels = labels(one);
        let metric = one.info.labels.get("__name__").cloned();
        let from_prometheus = one.info.metric != Metric::DockerUsage;
        if from_prometheus
            && let Some(&known) = by_labels.get(&labels)
            && !containers[known].series.iter().any(|(name, _)| *name == metric)
        {
            containers[known].series.push((metric, index));
            continue;
        }
        if from_prometheus {
            by_labels.insert(labels.clone(), containers.len());
        }
        containers.push(Container { labels, from_prometheus, series: vec![(metric, index)] });
    }
    containers
}

/// The labels of a series as Prometheus would have them, without the metric's name.
pub(super) fn labels(series: &MemorySeries) -> BTreeMap<String, String> {
    let info = &series.info;
    if info.metric == Metric::DockerUsage {
        return ["container", "name"].map(|label| (label.to_owned(), info.container().to_owned())).into();
    }
    let given = |label: &str| label != "__name__" && (label != "container" || info.container_given);
    info.labels
        .iter()
        .filter(|(label, value)| given(label) && !value.is_empty())
        .map(|(label, value)| (label.clone(), value.clone()))
        .collect()
}

/// The series that an alert sees of one container.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) container: usize,
    /// The series of each selection; `None` where it selects none of this container.
    pub(super) inputs: Vec<Option<usize>>,
    /// The series that the alert is judged for: the first that is selected.
    pub(super) owner: usize,
    /// Whether several metrics would be the same memory of `docker stats`.
    pub(super) mixed: bool,
}

impl Binding {
    /// The selections without a series.
    pub(super) fn missing(&self, selects: &[Select]) -> Vec<String> {
        let missing = self.inputs.iter().zip(selects).filter(|(input, _)| input.is_none());
        missing.map(|(_, select)| select.to_string()).collect()
    }
}

/// What an alert sees of each container of which it sees anything.
pub(super) fn bind(selects: &[Select], containers: &[Container]) -> Vec<Binding> {
    let mut bindings = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        let find = |select: &Select| {
            if !select.matches(&container.labels) {
                return None;
            }
            if !container.from_prometheus {
                return DOCKER_METRICS.contains(&select.metric.as_str()).then_some(container.series[0].1);
            }
            container.series.iter().find(|(name, _)| name.as_ref() == Some(&select.metric)).map(|(_, series)| *series)
        };
        let inputs: Vec<Option<usize>> = selects.iter().map(find).collect();
        let mut used =
            selects.iter().zip(&inputs).filter(|(_, input)| input.is_some()).map(|(select, _)| &select.metric);
        let first = used.next();
        let mixed = !container.from_prometheus && used.any(|metric| Some(metric) != first);
        if let Some(owner) = inputs.iter().flatten().copied().next() {
            bindings.push(Binding { container: index, inputs, owner, mixed });
        }
    }
    bindings
}

/// Why a rule was not judged: it selects nothing.
pub(super) fn nothing_selected(selects: &[Select], series: &[MemorySeries]) -> String {
    let selects: Vec<String> = selects.iter().map(|select| format!("`{select}`")).collect();
    let mut held: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in series {
        let metric = match (one.info.metric, one.info.labels.get("__name__")) {
            (Metric::DockerUsage, _) => "usage of docker stats",
            (_, Some(name)) => name,
            (_, None) => "a metric without name",
        };
        let names = held.entry(metric).or_default();
        if !names.contains(&one.info.container()) {
            names.push(one.info.container());
        }
    }
    let held: Vec<String> = held
        .into_iter()
        .map(|(metric, names)| {
            let more = if names.len() > NAMED { ", ..." } else { "" };
            format!("{metric} of {}{more}", names[..names.len().min(NAMED)].join(", "))
        })
        .collect();
    format!("no series matches {} (the inputs hold {})", selects.join(" or "), held.join("; "))
}

/// The metrics of several selections.
pub(super) fn metrics_text(selects: &[Select]) -> String {
    let mut metrics: Vec<&str> = selects.iter().map(|select| select.metric.as_str()).collect();
    metrics.sort_unstable();
    metrics.dedup();
    metrics.join(" and ")
}
