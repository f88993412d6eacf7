//! Alert rules of a team's own: a Prometheus rule file, replayed on the series that were read.
//!
//! A rule is replayed exactly or refused by name with what was found: nothing is approximated, and the other rules of
//! the file are replayed all the same. `file` reads YAML, `promql` a query of an expression, `select` finds the series
//! that selectors select, `expand` makes a condition for each element that an expression gives for them; `emit` writes a
//! finding as a unit test for `promtool`.

pub mod emit;
mod expand;
mod file;
mod known;
mod promql;
mod query;
mod select;
mod times;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::criteria::alert_rule::{Condition, Lookback, Replay, Rule, RuleReadings};
use crate::criteria::own_rule::{self, OwnAlert};
use crate::criteria::{AlertGroup, Criterion, LoadWindow};
use crate::error::Error;
use crate::series::SeriesInfo;
use crate::settings::{LookbackStyle, Settings};
use crate::units::{Seconds, time_text};
use expand::{Clash, Element, Expanded};
use query::Query;
use select::{Labels, Select, Source, SourceMetric};

pub use known::{Beside, Known};

/// The alerts of all rule files, in their order.
#[derive(Debug, Clone, Default)]
pub struct AlertRules {
    /// The files, as they were given.
    pub paths: Vec<PathBuf>,
    /// Their alerts.
    pub alerts: Vec<AlertRule>,
}

/// An alert as its file has it, and what is made of it.
#[derive(Debug, Clone)]
pub struct AlertRule {
    /// The file.
    pub file: String,
    /// The group.
    pub group: String,
    /// Its own name.
    pub alert: String,
    /// Its name as a criterion: `rule:NAME`, and `#2` and so on after names that came before.
    pub id: String,
    /// The expression, as written.
    pub expression: String,
    /// Time between two evaluations, in milliseconds; `None` where the group leaves it to the server.
    pub interval_ms: Option<i64>,
    /// How long it must hold to fire, in milliseconds.
    pub for_ms: i64,
    /// How long it goes on firing afterwards, in milliseconds.
    pub keep_firing_for_ms: i64,
    /// Labels that it adds.
    pub labels: Labels,
    /// Annotations.
    pub annotations: Labels,
    /// How it is replayed, or why it is not.
    plan: Result<Plan, String>,
}

/// An expression that can be replayed.
#[derive(Debug, Clone)]
struct Plan {
    query: Query,
    /// What it selects.
    selects: Vec<Select>,
}

crate::named! {
    /// What became of an alert.
    pub enum RuleStatus {
        /// It was replayed exactly, on at least one series.
        Replayed = "replayed",
        /// It selects no series.
        NoSeries = "no-series",
        /// It was not replayed.
        Refused = "refused",
    }
}

/// What became of an alert, for the report.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleAccount {
    /// The file.
    pub file: String,
    /// The group.
    pub group: String,
    /// The alert.
    pub alert: String,
    /// Its name as a criterion.
    pub id: String,
    /// The expression, as written.
    pub expression: String,
    /// Time between two evaluations that was used, in milliseconds.
    pub interval_ms: i64,
    /// How long it must hold to fire, in milliseconds.
    pub for_ms: i64,
    /// How long it goes on firing afterwards, in milliseconds.
    pub keep_firing_for_ms: i64,
    /// What became of it.
    pub status: RuleStatus,
    /// On how many series it was replayed.
    pub n_series: usize,
    /// Why it was not replayed; `None` when it was.
    pub why: Option<String>,
}

impl RuleAccount {
    /// A sentence without its final period for what was not replayed; `None` for what was.
    pub fn caution(&self) -> Option<String> {
        let why = self.why.as_ref()?;
        let what = match self.status {
            RuleStatus::Replayed => return None,
            RuleStatus::NoSeries => "was not judged",
            RuleStatus::Refused => "cannot be replayed",
        };
        Some(format!("{}: alert `{}` of group `{}` {what}: {why}", self.file, self.alert, self.group))
    }
}

/// What replaying the rules gave.
#[derive(Debug, Clone, Default)]
pub struct Replayed {
    /// For each series its criteria.
    pub criteria: Vec<Vec<Criterion>>,
    /// For each alert what became of it.
    pub accounts: Vec<RuleAccount>,
}

/// Reads rule files.
///
/// # Errors
///
/// When a file cannot be read or is not a rule file that Prometheus would load. An alert that cannot be replayed is
/// no error.
pub fn read(paths: &[PathBuf]) -> Result<AlertRules, Error> {
    let mut alerts: Vec<AlertRule> = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let read = file::read(&path.display().to_string(), &text)
            .map_err(|why| Error::Unusable { path: path.clone(), why })?;
        alerts.extend(read);
    }
    name_alerts(&mut alerts);
    Ok(AlertRules { paths: paths.to_vec(), alerts })
}

/// Gives every alert an id of its own.
fn name_alerts(alerts: &mut [AlertRule]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for alert in alerts {
        let count = seen.entry(alert.alert.clone()).or_default();
        *count += 1;
        alert.id = match *count {
            1 => format!("rule:{}", alert.alert),
            count => format!("rule:{}#{count}", alert.alert),
        };
    }
}

/// An element of an expression over some series.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerting {
    /// Its labels.
    pub labels: Labels,
    /// When it is there.
    pub condition: Condition,
    /// The inputs of the condition, as indices of series; `None` for one that does not exist.
    pub inputs: Vec<Option<usize>>,
}

/// The elements of an expression over series with these labels, `__name__` among them.
///
/// # Errors
///
/// What was found that is not replayed.
pub fn elements(expression: &str, series: &[Labels]) -> Result<Vec<Alerting>, String> {
    let (query, selects) = promql::read(expression)?;
    let source = |labels: &Labels| {
        let mut labels = labels.clone();
        let metric = labels.remove("__name__").map_or(SourceMetric::Unnamed, SourceMetric::Named);
        Source { labels, metric }
    };
    let sources: Vec<Source> = series.iter().map(source).collect();
    let Expanded { elements, .. } = expand::expand(&query, &selects, &sources, &Some)?;
    let alerting = |element: Element| Alerting {
        labels: element.labels,
        condition: element.condition,
        inputs: element.inputs.iter().map(|input| input.series).collect(),
    };
    Ok(elements.into_iter().map(alerting).collect())
}

/// Replays every alert on the series that it selects.
///
/// `settings_of`: the settings of a series.
pub fn replay<'a>(
    rules: &AlertRules,
    known: &Known<'_>,
    settings_of: &dyn Fn(&SeriesInfo) -> Cow<'a, Settings>,
    load: Option<LoadWindow>,
) -> Replayed {
    let mut replayed = Replayed { criteria: vec![Vec::new(); known.judged().len()], accounts: Vec::new() };
    if rules.alerts.is_empty() {
        return replayed;
    }
    let settings: Vec<Cow<'a, Settings>> = known.judged().iter().map(|series| settings_of(&series.info)).collect();
    for alert in &rules.alerts {
        let interval_ms =
            |settings: &Settings| alert.interval_ms.unwrap_or_else(|| settings.evaluation.interval_seconds.as_ms());
        let mut account = RuleAccount {
            file: alert.file.clone(),
            group: alert.group.clone(),
            alert: alert.alert.clone(),
            id: alert.id.clone(),
            expression: alert.expression.clone(),
            interval_ms: settings
                .first()
                .map_or(0, |settings| interval_ms(settings))
                .max(alert.interval_ms.unwrap_or(0)),
            for_ms: alert.for_ms,
            keep_firing_for_ms: alert.keep_firing_for_ms,
            status: RuleStatus::Replayed,
            n_series: 0,
            why: None,
        };
        match alert.bind(known, &|owner| lookback(&settings[owner])) {
            Err(why) => {
                account.status = RuleStatus::Refused;
                account.why = Some(why);
            }
            Ok((plan, elements)) => {
                let mut owners: Vec<usize> = elements.iter().flat_map(|element| &element.owners).copied().collect();
                owners.sort_unstable();
                owners.dedup();
                account.n_series = owners.len();
                if elements.is_empty() {
                    account.status = RuleStatus::NoSeries;
                    account.why = Some(known.nothing_selected(&plan.selects));
                }
                for element in elements {
                    let own = Own { alert, plan, element, known, load };
                    own.criteria(&settings, &interval_ms, &mut replayed.criteria);
                }
            }
        }
        replayed.accounts.push(account);
    }
    replayed
}

/// An element of an alert, for the series that it is shown with.
struct Own<'a> {
    alert: &'a AlertRule,
    plan: &'a Plan,
    element: Element,
    known: &'a Known<'a>,
    load: Option<LoadWindow>,
}

impl Own<'_> {
    /// Adds the criterion of each series: the same for all, unless their settings differ.
    fn criteria(
        self,
        settings: &[Cow<'_, Settings>],
        interval_ms: &dyn Fn(&Settings) -> i64,
        criteria: &mut [Vec<Criterion>],
    ) {
        let Own { alert, plan, element, known, load } = self;
        let judged = known.judged();
        // The one whose readings end last can tell every time.
        let owner = element.owners.iter().map(|owner| &judged[*owner]).max_by_key(|series| series.end_ms());
        let Some(owner) = owner else { return };
        let mut own = OwnAlert {
            id: &alert.id,
            rule: &alert.rule(element.condition),
            interval_ms: 0,
            gates: false,
            min_evaluable_share: 0.0,
            inputs: known.inputs(&element.inputs),
            missing: element.missing.iter().map(|select| plan.selects[*select].to_string()).collect(),
            mixed: known.mixed(&element.inputs, &plan.selects),
            group: element.grouped.then_some(AlertGroup { labels: element.labels, n_series: element.owners.len() }),
        };
        let mut known_as: Vec<((i64, u64, own_rule::OwnRuleContext), Criterion)> = Vec::new();
        for index in element.owners {
            let settings = &settings[index];
            let context = own_rule::OwnRuleContext {
                lookback: lookback(settings),
                phase_ms: settings.evaluation.phase_seconds.map(Seconds::as_ms),
                load,
            };
            let rules = &settings.criteria.rules;
            own.interval_ms = interval_ms(settings);
            own.min_evaluable_share = rules.min_evaluable_share.get();
            let key = (own.interval_ms, own.min_evaluable_share.to_bits(), context);
            let found = known_as.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
                known_as.push((key, own_rule::evaluate(&own, owner, &context)));
                known_as.len() - 1
            });
            let gates = rules.gates && !rules.ungated.contains(&alert.alert);
            criteria[index].push(Criterion { gates, ..known_as[found].1.clone() });
        }
    }
}

/// How selectors look back, as set.
pub fn lookback(settings: &Settings) -> Lookback {
    let ms = settings.evaluation.lookback_seconds.as_ms();
    match settings.evaluation.lookback {
        LookbackStyle::Prometheus3 => Lookback::prometheus_3(ms),
        LookbackStyle::Prometheus2 => Lookback::prometheus_2(ms),
    }
}

impl AlertRule {
    /// Its condition with its times.
    fn rule(&self, condition: Condition) -> Rule {
        Rule { condition, for_ms: self.for_ms, keep_firing_for_ms: self.keep_firing_for_ms }
    }

    /// The alerts that the rule makes. `lookback_of`: how selectors look back for a series that is judged.
    fn bind(
        &self,
        known: &Known<'_>,
        lookback_of: &dyn Fn(usize) -> Lookback,
    ) -> Result<(&Plan, Vec<Element>), String> {
        let plan = self.plan.as_ref().map_err(String::clone)?;
        if let Some(why) = known.unread(&plan.selects) {
            return Err(why);
        }
        let owner_of = |series| known.owner(series);
        let Expanded { elements, clashes } = expand::expand(&plan.query, &plan.selects, known.sources(), &owner_of)?;
        let Some(first) = elements.iter().flat_map(|element| &element.owners).next() else {
            return Ok((plan, elements));
        };
        if let Some(why) = clashes.iter().find_map(|clash| clash.happens(known, lookback_of(*first))) {
            return Err(why);
        }
        let mut labels_of: BTreeMap<Labels, usize> = BTreeMap::new();
        for element in elements.iter().filter(|element| !known.is_docker(&element.inputs)) {
            let owner = element.owners[0];
            if let Some(other) = labels_of.insert(self.labels_for(&element.labels), owner) {
                return Err(format!(
                    "its alerts for `{}` and `{}` have the same labels, which Prometheus refuses to evaluate",
                    known.judged()[other].info.id,
                    known.judged()[owner].info.id
                ));
            }
        }
        Ok((plan, elements))
    }

    /// The labels of the alert for an element's labels.
    fn labels_for(&self, of_element: &Labels) -> Labels {
        let mut labels = of_element.clone();
        for (name, text) in &self.labels {
            let value = file::expanded(text, of_element).expect("checked when it was read");
            if value.is_empty() {
                labels.remove(name)
            } else {
                labels.insert(name.clone(), value)
            };
        }
        labels
    }
}

impl Clash {
    /// Why Prometheus refuses to evaluate the rule; `None` when the two are never there together.
    fn happens(&self, known: &Known<'_>, lookback: Lookback) -> Option<String> {
        let series = known.inputs(&self.inputs);
        let readings: Vec<Option<RuleReadings<'_>>> =
            series.iter().map(|input| input.map(|series| RuleReadings::of(series, lookback))).collect();
        let inputs: Vec<Option<&RuleReadings<'_>>> = readings.iter().map(Option::as_ref).collect();
        let rule = Rule { condition: self.condition.clone(), for_ms: 0, keep_firing_for_ms: 0 };
        let at_ms = Replay::of(&rule, &inputs, 1)?.first_holds_ms()?;
        let at = if at_ms > 0 { time_text(at_ms).map(|time| format!(" at {time}")) } else { None };
        Some(format!(
            "{}{}, which Prometheus refuses to match (expected labels that tell them apart, or an aggregation)",
            self.what,
            at.unwrap_or_default()
        ))
    }
}
