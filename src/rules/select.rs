//! Finds the series that selectors select, as the labels of a Prometheus server would have it.
//!
//! Series of a Prometheus export have the labels that stand there, no more: a matcher on a label that a series has
//! not sees an empty value. What was read from `docker stats` has no labels: both `container` and `name` are the
//! container's name, and its memory answers to `container_memory_usage_bytes` and
//! `container_memory_working_set_bytes`.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::VectorSelector;
use regex::Regex;

use crate::series::{MemorySeries, Metric, SeriesInfo};

/// Labels by name. A series with the metric and all labels of another one has one more, with an empty name.
pub(super) use crate::series::Labels;

/// What the memory of `docker stats` is called in rules.
const DOCKER_METRICS: [&str; 2] = ["container_memory_usage_bytes", "container_memory_working_set_bytes"];
/// So many names are enough to see what is there.
const NAMED: usize = 5;
const MOST_METRICS: usize = 8;

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

    /// Whether a series is selected.
    pub(super) fn finds(&self, source: &Source) -> bool {
        let is_named = match &source.metric {
            SourceMetric::Docker => DOCKER_METRICS.contains(&self.metric.as_str()),
            SourceMetric::Named(name) => *name == self.metric,
            SourceMetric::Unnamed => false,
        };
        is_named && self.matches(&source.labels)
    }

    fn matches(&self, labels: &Labels) -> bool {
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

/// A series as selectors see it.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Its labels without the metric's name.
    pub(super) labels: Labels,
    pub(super) metric: SourceMetric,
}

/// What the metric of a series is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum SourceMetric {
    /// As the input has it.
    Named(String),
    /// It has no name, or others stand for it: no rule can name it.
    Unnamed,
    /// Memory of `docker stats`.
    Docker,
}

impl Source {
    /// The metric as a rule of our own would name it; `None` where none can.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.metric {
            SourceMetric::Named(name) => Some(name),
            SourceMetric::Unnamed => None,
            SourceMetric::Docker => Some(DOCKER_METRICS[0]),
        }
    }
}

/// The series as selectors see them.
pub(super) fn sources<'a>(series: impl IntoIterator<Item = &'a SeriesInfo>) -> Vec<Source> {
    let mut seen: HashMap<(SourceMetric, Labels), usize> = HashMap::new();
    let source = |one: &SeriesInfo| {
        let metric = match (one.metric, one.labels.get("__name__")) {
            (Metric::DockerUsage, _) => SourceMetric::Docker,
            (_, Some(name)) => SourceMetric::Named(name.clone()),
            (_, None) => SourceMetric::Unnamed,
        };
        let mut labels = labels(one);
        let n_same = seen.entry((metric.clone(), labels.clone())).or_default();
        *n_same += 1;
        if *n_same > 1 {
            labels.insert(String::new(), n_same.to_string());
        }
        Source { labels, metric }
    };
    series.into_iter().map(source).collect()
}

/// The labels of a series as Prometheus would have them, without the metric's name.
fn labels(info: &SeriesInfo) -> Labels {
    if info.metric == Metric::DockerUsage {
        return ["container", "name"]
            .map(|label| (label.to_owned(), info.container().to_owned()))
            .into_iter()
            .collect();
    }
    let given = |label: &str| label != "__name__" && (label != "container" || info.container_given);
    info.labels
        .iter()
        .filter(|(label, value)| given(label) && !value.is_empty())
        .map(|(label, value)| (label.clone(), value.clone()))
        .collect()
}

/// Why a rule was not judged: it selects nothing.
pub(super) fn nothing_selected<'a>(selects: &[Select], series: impl IntoIterator<Item = &'a MemorySeries>) -> String {
    let selects: Vec<String> = selects.iter().map(|select| format!("`{select}`")).collect();
    let mut held: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in series {
        let metric = match (one.info.metric, one.info.labels.get("__name__")) {
            (Metric::DockerUsage, _) => "usage of docker stats",
            (_, Some(name)) => name,
            (_, None) => "a metric without a name",
        };
        let names = held.entry(metric).or_default();
        if !one.info.container().is_empty() && !names.contains(&one.info.container()) {
            names.push(one.info.container());
        }
    }
    let held: Vec<String> = held
        .into_iter()
        .map(|(metric, names)| {
            let more = if names.len() > NAMED { ", ..." } else { "" };
            let of = if names.is_empty() { "" } else { " of " };
            format!("{metric}{of}{}{more}", names[..names.len().min(NAMED)].join(", "))
        })
        .collect();
    let more = if held.len() > MOST_METRICS { "; ..." } else { "" };
    let held = held[..held.len().min(MOST_METRICS)].join("; ");
    format!("no series matches {} (the inputs hold {held}{more})", selects.join(" or "))
}
