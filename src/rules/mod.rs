//! Alert rules of a team's own: a Prometheus rule file, replayed on the series that were read.
//!
//! A rule is replayed exactly or refused by name with what was found: nothing is approximated, and the other rules of
//! the file are replayed all the same. `file` reads YAML, `promql` makes a condition of an expression, `select` finds
//! the series that selectors select; `emit` writes a finding as a unit test for `promtool`.

pub mod emit;
mod file;
mod promql;
mod select;
mod times;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::criteria::Criterion;
use crate::criteria::LoadWindow;
use crate::criteria::alert_rule::{Lookback, Rule};
use crate::criteria::own_rule::{self, OwnAlert};
use crate::error::Error;
use crate::series::MemorySeries;
use crate::settings::{LookbackStyle, Settings};
use crate::units::Seconds;
use select::{Binding, Select};

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
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// How it is replayed, or why it is not.
    plan: Result<Plan, String>,
}

/// A rule that can be replayed.
#[derive(Debug, Clone)]
struct Plan {
    rule: Rule,
    /// What each input of its condition selects.
    selects: Vec<Select>,
}

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleStatus {
    /// It was replayed on at least one series.
    Replayed,
    /// It selects none.
    NoSeries,
    /// It was not replayed.
    Refused,
}

impl RuleStatus {
    /// The name in the JSON verdict.
    pub const fn name(self) -> &'static str {
        match self {
            RuleStatus::Replayed => "replayed",
            RuleStatus::NoSeries => "no-series",
            RuleStatus::Refused => "refused",
        }
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

/// The condition of an expression over a single metric, and how it is replayed.
///
/// # Errors
///
/// What was found that is not replayed.
pub fn condition(expression: &str, for_ms: i64, keep_firing_for_ms: i64) -> Result<(Rule, Vec<String>), String> {
    let (condition, selects) = promql::compile(expression)?;
    let metrics = selects.into_iter().map(|select| select.metric).collect();
    Ok((Rule { condition, for_ms, keep_firing_for_ms }, metrics))
}

/// Replays every alert on every series that it selects.
///
/// `settings_of`: the settings of a series by its id.
pub fn replay(
    rules: &AlertRules,
    series: &[MemorySeries],
    settings_of: &(dyn Fn(&str) -> Settings + Sync),
    load: Option<LoadWindow>,
) -> Replayed {
    let mut replayed = Replayed { criteria: vec![Vec::new(); series.len()], accounts: Vec::new() };
    if rules.alerts.is_empty() {
        return replayed;
    }
    let settings: Vec<Settings> = series.iter().map(|series| settings_of(&series.info.id)).collect();
    let containers = select::containers(series);
    for alert in &rules.alerts {
        let bound = alert.bind(&containers, series);
        let interval_ms =
            |settings: &Settings| alert.interval_ms.unwrap_or_else(|| settings.evaluation.interval_seconds.as_ms());
        let mut account = RuleAccount {
            file: alert.file.clone(),
            group: alert.group.clone(),
            alert: alert.alert.clone(),
            id: alert.id.clone(),
            expression: alert.expression.clone(),
            interval_ms: settings.first().map_or(0, interval_ms).max(alert.interval_ms.unwrap_or(0)),
            for_ms: alert.for_ms,
            keep_firing_for_ms: alert.keep_firing_for_ms,
            status: RuleStatus::Replayed,
            n_series: 0,
            why: None,
        };
        match bound {
            Err(why) => {
                account.status = RuleStatus::Refused;
                account.why = Some(why);
            }
            Ok((plan, bindings)) => {
                account.n_series = bindings.len();
                if bindings.is_empty() {
                    account.status = RuleStatus::NoSeries;
                    account.why = Some(select::nothing_selected(&plan.selects, series));
                }
                for binding in &bindings {
                    let settings = &settings[binding.owner];
                    let own = &settings.criteria.rules;
                    let criterion = own_rule::evaluate(
                        &OwnAlert {
                            id: &alert.id,
                            rule: &plan.rule,
                            interval_ms: interval_ms(settings),
                            gates: own.gates && !own.ungated.contains(&alert.alert),
                            min_evaluable_share: own.min_evaluable_share.get(),
                            inputs: binding.inputs.iter().map(|input| input.map(|index| &series[index])).collect(),
                            missing: binding.missing(&plan.selects),
                            mixed: binding.mixed.then(|| select::metrics_text(&plan.selects)),
                        },
                        &series[binding.owner],
                        &own_rule::Context {
                            lookback: lookback(settings),
                            phase_ms: settings.evaluation.phase_seconds.map(Seconds::as_ms),
                            load,
                        },
                    );
                    replayed.criteria[binding.owner].push(criterion);
                }
            }
        }
        replayed.accounts.push(account);
    }
    replayed
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
    /// The series of each alert that the rule makes.
    fn bind(&self, containers: &[select::Container], series: &[MemorySeries]) -> Result<(&Plan, Vec<Binding>), String> {
        let plan = self.plan.as_ref().map_err(String::clone)?;
        let bindings = select::bind(&plan.selects, containers);
        let mut labels_of: BTreeMap<BTreeMap<String, String>, usize> = BTreeMap::new();
        for binding in bindings.iter().filter(|binding| containers[binding.container].from_prometheus) {
            let labels = self.labels_for(&containers[binding.container].labels);
            if let Some(other) = labels_of.insert(labels, binding.owner) {
                return Err(format!(
                    "its labels make the alerts of `{}` and `{}` one, which Prometheus refuses to evaluate",
                    series[other].info.id, series[binding.owner].info.id
                ));
            }
        }
        Ok((plan, bindings))
    }

    /// The labels of the alert for a container's labels.
    fn labels_for(&self, of_container: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut labels = of_container.clone();
        for (name, text) in &self.labels {
            let value = file::expanded(text, of_container).expect("checked when it was read");
            if value.is_empty() {
                labels.remove(name)
            } else {
                labels.insert(name.clone(), value)
            };
        }
        labels
    }
}
