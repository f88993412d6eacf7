//! Reads a settings file.

use std::borrow::Cow;
use std::path::Path;

use regex::Regex;
use serde::Deserialize;

use super::criteria::{CRITERIA, is_criterion};
use super::{
    CompareSettings, CriteriaSettings, EvaluationSettings, NightlySettings, PolicySettings, RequestSettings, Settings,
    Share, VerdictSettings, WindowSettings,
};
use crate::error::{Error, SettingsError};
use crate::units::Bytes;

/// What holds for some series: the `[[series]]` tables of a settings file, in their order.
#[derive(Debug, Clone, Default)]
pub struct SeriesRules {
    rules: Vec<SeriesRule>,
}

#[derive(Debug, Clone)]
struct SeriesRule {
    matches: Regex,
    limit: Option<Bytes>,
    ignore: bool,
    overrides: toml::Table,
}

impl SeriesRules {
    /// Whether a series of these names is to be left out.
    pub fn ignores<N: AsRef<str>>(&self, names: &[N]) -> bool {
        self.matching(names).any(|rule| rule.ignore)
    }

    /// The patterns of tables that match none of the names, in their order.
    pub fn unmatched(&self, mut names: impl Iterator<Item = String>) -> Vec<&str> {
        let mut unmatched: Vec<&SeriesRule> = self.rules.iter().collect();
        while !unmatched.is_empty()
            && let Some(name) = names.next()
        {
            unmatched.retain(|rule| !rule.matches.is_match(&name));
        }
        unmatched.into_iter().map(|rule| rule.matches.as_str()).collect()
    }

    /// The limit that the last matching table gives, in bytes; `None` when none does.
    pub fn limit_for<N: AsRef<str>>(&self, names: &[N]) -> Option<f64> {
        self.matching(names).filter_map(|rule| rule.limit).last().map(Bytes::as_f64)
    }

    /// The settings of a series of these names: those of all, with what every matching table says laid over them.
    pub fn settings_for<'a, N: AsRef<str>>(&self, names: &[N], base: &'a Settings) -> Cow<'a, Settings> {
        let mut matching = self.matching(names).filter(|rule| !rule.overrides.is_empty()).peekable();
        if matching.peek().is_none() {
            return Cow::Borrowed(base);
        }
        let mut table = toml::Table::try_from(base).expect("settings can be written as a table");
        matching.for_each(|rule| lay_over(&mut table, &rule.overrides));
        Cow::Owned(table.try_into().expect("each table was checked when it was read"))
    }

    fn matching<'a, N: AsRef<str>>(&'a self, names: &'a [N]) -> impl Iterator<Item = &'a SeriesRule> {
        self.rules.iter().filter(move |rule| rule.is_of(names))
    }
}

impl SeriesRule {
    fn is_of<N: AsRef<str>>(&self, names: &[N]) -> bool {
        names.iter().any(|name| self.matches.is_match(name.as_ref()))
    }
}

fn lay_over(table: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (table.get_mut(key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => lay_over(below, above),
            _ => {
                table.insert(key.clone(), value.clone());
            }
        }
    }
}

/// A settings file as it is written.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct SettingsFile {
    window: WindowSettings,
    verdict: VerdictSettings,
    policy: PolicySettings,
    evaluation: EvaluationSettings,
    criteria: CriteriaSettings,
    compare: CompareSettings,
    nightly: NightlySettings,
    requests: RequestSettings,
    series: Vec<toml::Spanned<SeriesTable>>,
}

/// A `[[series]]` table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeriesTable {
    #[serde(rename = "match")]
    matches: String,
    limit_bytes: Option<Bytes>,
    #[serde(default)]
    ignore: bool,
    verdict: Option<toml::Table>,
    policy: Option<toml::Table>,
    criteria: Option<toml::Table>,
}

/// Reads the text of a settings file.
///
/// # Errors
///
/// When a key is unknown or a value cannot be: the message names the line, what was found and what is allowed.
pub fn read(text: &str) -> Result<(Settings, SeriesRules), SettingsError> {
    let file: SettingsFile =
        toml::from_str(text).map_err(|error| SettingsError(error.to_string().trim_end().to_owned()))?;
    let settings = Settings {
        window: file.window,
        verdict: file.verdict,
        policy: file.policy,
        evaluation: file.evaluation,
        criteria: file.criteria,
        compare: file.compare,
        nightly: file.nightly,
        requests: file.requests,
    };
    check(&settings).map_err(|(key, why)| SettingsError(format!("line {}: {why}", line_of(text, key))))?;
    let rules = file
        .series
        .into_iter()
        .map(|table| {
            let line = text[..table.span().start].matches('\n').count() + 1;
            series_rule(table.into_inner()).map_err(|why| SettingsError(format!("line {line}: [[series]]: {why}")))
        })
        .collect::<Result<_, _>>()?;
    Ok((settings, SeriesRules { rules }))
}

fn series_rule(table: SeriesTable) -> Result<SeriesRule, String> {
    let matches =
        Regex::new(&table.matches).map_err(|error| format!("`match` is not a regular expression: {error}"))?;
    let mut overrides = toml::Table::new();
    for (name, part) in [("verdict", table.verdict), ("policy", table.policy), ("criteria", table.criteria)] {
        if let Some(part) = part {
            overrides.insert(name.to_owned(), toml::Value::Table(part));
        }
    }
    let settings: Settings =
        overrides.clone().try_into().map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())?;
    check(&settings).map_err(|(_, why)| why)?;
    Ok(SeriesRule { matches, limit: table.limit_bytes, ignore: table.ignore, overrides })
}

/// The line on which a key stands, counted from 1; 1 where it is written in a way that is not found.
fn line_of(text: &str, key: &str) -> usize {
    let name = key.rsplit('.').next().unwrap_or(key);
    let assigns = |line: &str| line.split('=').next().is_some_and(|left| left.trim().ends_with(name));
    text.lines().position(assigns).map_or(1, |line| line + 1)
}

/// What types cannot say of settings: the key, what was found and what is allowed.
fn check(settings: &Settings) -> Result<(), (&'static str, String)> {
    if let Some(unknown) = settings.policy.require.iter().find(|id| !is_criterion(id)) {
        let why = format!("`policy.require`: `{unknown}` is not a criterion (expected {})", CRITERIA.join(", "));
        return Err(("policy.require", why));
    }
    let positive = [
        ("evaluation.interval_seconds", settings.evaluation.interval_seconds),
        ("evaluation.lookback_seconds", settings.evaluation.lookback_seconds),
        ("verdict.limit_horizon_seconds", settings.verdict.limit_horizon_seconds),
        ("verdict.doubling_seconds", settings.verdict.doubling_seconds),
        ("verdict.keep_seconds", settings.verdict.keep_seconds),
        ("criteria.rapid-50mb-per-min.window_seconds", settings.criteria.rapid.window_seconds),
        ("criteria.confirmed-100mb-60s.within_seconds", settings.criteria.confirmed.within_seconds),
        ("nightly.keep_seconds", settings.nightly.keep_seconds),
    ];
    if let Some((key, _)) = positive.iter().find(|(_, seconds)| seconds.get() <= 0.0) {
        return Err((key, format!("`{key}` is 0 (expected more than 0 seconds)")));
    }
    let intervals = settings.criteria.stale.intervals;
    if !(1.0 <= intervals && intervals.is_finite()) {
        let key = "criteria.stale-data.intervals";
        return Err((key, format!("`{key}` is {intervals} (expected 1 or more)")));
    }
    let inside = |share: Share| 0.0 < share.get() && share.get() < 1.0;
    let shares =
        [("verdict.confidence", settings.verdict.confidence), ("verdict.max_p_value", settings.verdict.max_p_value)];
    if let Some((key, share)) = shares.iter().find(|(_, share)| !inside(*share)) {
        return Err((key, format!("`{key}` is {} (expected more than 0 and less than 1)", share.get())));
    }
    Ok(())
}

/// Reads a settings file; without a path `leaktrend.toml` of the current folder where it exists, else the defaults.
///
/// # Errors
///
/// When the file cannot be read, or not used.
pub fn load(path: Option<&Path>) -> Result<(Settings, SeriesRules), Error> {
    let default = Path::new("leaktrend.toml");
    let path = match path {
        Some(path) => path,
        None if default.is_file() => default,
        None => return Ok((Settings::default(), SeriesRules::default())),
    };
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    read(&text).map_err(|source| Error::Settings { path: path.to_owned(), source })
}
