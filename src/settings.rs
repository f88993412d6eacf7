//! Every number a user can change, with its unit and where it comes from; reads `leaktrend.toml`.
//!
//! A length of time is a number of seconds or text (`"15m"`), an amount of memory a number of bytes or text
//! (`"100MB"`). Keys carry their unit. Unknown keys and impossible values are refused with their line.

use std::path::Path;

use regex::Regex;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::error::{Error, SettingsError};
use crate::units::{Bytes, Seconds};

/// A share, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Share(f64);

impl Share {
    /// A share; `None` when it is not from 0 to 1.
    pub fn new(share: f64) -> Option<Share> {
        (0.0 <= share && share <= 1.0).then_some(Share(share))
    }

    /// The share, from 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Share, D::Error> {
        let share = f64::deserialize(deserializer)?;
        Share::new(share).ok_or_else(|| de::Error::custom(format!("`{share}` is not a share (expected 0 to 1)")))
    }
}

/// What the exit code of an outcome between pass and fail shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum InconclusiveExit {
    /// Its own exit code, 3.
    Own,
    /// As a failure, 1.
    Fail,
    /// As a pass, 0.
    Pass,
}

/// What a warning, or an alert that the statistics contradict, shall count as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum WarnExit {
    /// As a pass, exit code 0.
    Pass,
    /// As a failure, exit code 1.
    Fail,
}

/// What becomes of a rate alert under a verdict that proves the opposite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contradicted {
    /// A warning: the report says why the alert was a false alarm.
    Warn,
    /// A failure, as if nothing contradicted it.
    Fail,
}

/// Every threshold, window and `for`, with the defaults of the runbook.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Which part of the data is judged.
    pub window: WindowSettings,
    /// When a verdict may be claimed.
    pub verdict: VerdictSettings,
    /// What policy makes of verdicts and criteria.
    pub policy: PolicySettings,
    /// How alert rules are evaluated.
    pub evaluation: EvaluationSettings,
    /// The runbook's criteria.
    pub criteria: CriteriaSettings,
    /// When one run is worse than another.
    pub compare: CompareSettings,
    /// What the nightly job keeps and decides.
    pub nightly: NightlySettings,
}

/// Which part of the data is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WindowSettings {
    /// How far back from the last sample the window reaches; 0 for all data.
    pub last_seconds: Seconds,
}

/// When a verdict may be claimed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VerdictSettings {
    /// Growth over the window that is relevant, as a share of the median level.
    pub tolerance_share: Share,
    /// Growth over the window that is always irrelevant.
    pub tolerance_floor_bytes: Bytes,
    /// Growth that reaches a known limit within this time is relevant.
    pub limit_horizon_seconds: Seconds,
    /// Growth that doubles the level within this time is relevant, however short the window.
    pub doubling_seconds: Seconds,
    /// By how much of its level memory may swing from night to day; 0 where the load does not follow the day.
    pub daily_swing: Share,
    /// Hours by which the clocks of those who use the services are ahead of UTC: their weekends are then.
    pub hours_ahead: f64,
    /// The longest window that can be had: to measure longer is no advice.
    pub keep_seconds: Seconds,
    /// Largest probability of no growth at which growth is called significant.
    pub significance: Share,
    /// Confidence of every interval in the report.
    pub confidence: Share,
    /// Largest false discovery rate among many series at which growth is still called a leak.
    pub false_discovery_rate: Share,
    /// A lasting shift is a step only above this size.
    pub step_floor_bytes: Bytes,
    /// A lasting shift is a step only above this share of the level before it.
    pub step_share: Share,
    /// The memory of the host: a limit of as much is none of the container's own; absent: concluded from the limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_memory_bytes: Option<Bytes>,
}

/// What policy makes of verdicts and criteria.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicySettings {
    /// Exit code of an inconclusive outcome.
    pub inconclusive: InconclusiveExit,
    /// Exit code of a warning.
    pub warn: WarnExit,
    /// What becomes of a rate alert under a verdict that proves the opposite.
    pub contradicted: Contradicted,
    /// Criteria that must be decided: not evaluable then makes the series inconclusive.
    pub require: Vec<String>,
    /// Whether a rejected line or an incomplete answer makes the job fail with exit code 2.
    pub strict: bool,
    /// A series with fewer samples does not make the run inconclusive.
    pub min_samples: u32,
    /// Nor does a series that ended before this last share of the window.
    pub ended_early_share: Share,
}

/// When one run is worse than another, beyond what differs between any two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompareSettings {
    /// A level higher by this share of the base's matters, as in `flat-after-load`.
    pub level_share: Share,
    /// A level higher by up to this never matters.
    pub level_floor_bytes: Bytes,
    /// Growth faster by this a day matters; absent: the growth that matters in the new run by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth_bytes_per_day: Option<Bytes>,
}

/// What the nightly job keeps and decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NightlySettings {
    /// How long samples are kept.
    pub keep_seconds: Seconds,
    /// Share of a window that must be covered by readings for it to decide.
    pub min_coverage: Share,
    /// Exit code of an inconclusive night.
    pub inconclusive: InconclusiveExit,
}

/// How alert rules are evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationSettings {
    /// Time between two evaluations of a rule.
    pub interval_seconds: Seconds,
    /// Seconds after a multiple of the interval at which rules are evaluated; absent: all phases are tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_seconds: Option<Seconds>,
    /// How old the newest sample may be at an evaluation (Prometheus' own default: 5 minutes).
    pub lookback_seconds: Seconds,
    /// As which version of Prometheus selectors look back.
    pub lookback: LookbackStyle,
}

/// As which version of Prometheus selectors look back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum LookbackStyle {
    /// A sample of exactly the greatest age is too old; `avg_over_time` divides a sum.
    #[serde(rename = "prometheus-3")]
    #[value(name = "prometheus-3")]
    Prometheus3,
    /// A sample of exactly the greatest age still counts; `avg_over_time` keeps a running mean (as 2.42 does).
    #[serde(rename = "prometheus-2")]
    #[value(name = "prometheus-2")]
    Prometheus2,
}

/// The runbook's criteria. Amounts are decimal, as in the runbook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CriteriaSettings {
    /// For so long after a start growth fails no criterion of a rate, and memory is no level to come back to.
    #[serde(rename = "settle_seconds")]
    pub settle_seconds: Seconds,
    /// `(x - x offset 5m) > 100000000` for 5 minutes.
    #[serde(rename = "growth-100mb-5m")]
    pub growth: GrowthSettings,
    /// `x / limit > 0.9` for 2 minutes.
    pub high_memory: HighMemorySettings,
    /// More than 100 MB gained within 60 s, and kept.
    #[serde(rename = "confirmed-100mb-60s")]
    pub confirmed: ConfirmedSettings,
    /// A slope above 50 MB a minute over 5 minutes.
    #[serde(rename = "rapid-50mb-per-min")]
    pub rapid: RapidSettings,
    /// Back to the level before the load once it has ended.
    pub flat_after_load: FlatAfterLoadSettings,
    /// No leak over a day.
    #[serde(rename = "trend-24h")]
    pub trend: TrendSettings,
    /// Restarts in quick succession.
    pub restart_loop: RestartLoopSettings,
    /// The settled level after a start.
    #[serde(rename = "baseline-300mb")]
    pub baseline: BaselineSettings,
    /// The level soon after a restart.
    #[serde(rename = "steady-500mb")]
    pub steady: SteadySettings,
    /// Readings that stopped coming. Decided only by the nightly job.
    #[serde(rename = "stale-data")]
    pub stale: StaleSettings,
    /// The alerts of rule files (`--rules`).
    pub rules: RulesSettings,
}

macro_rules! criterion_settings {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)* } gates $gates:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// Whether a failure of this criterion fails the series.
            pub gates: bool,
        }

        impl Default for $name {
            fn default() -> $name {
                $name { $($field: $default,)* gates: $gates }
            }
        }
    };
}

criterion_settings! {
    /// `(x - x offset 5m) > 100000000` for 5 minutes, replayed as Prometheus does.
    GrowthSettings {
        /// Growth over the offset that is too much.
        threshold_bytes: Bytes = Bytes::new(100_000_000),
        /// How far back the comparison reaches.
        offset_seconds: Seconds = Seconds::whole(300),
        /// How long it must hold to fire.
        for_seconds: Seconds = Seconds::whole(300),
        /// Share of evaluations with both operands that a pass needs.
        min_evaluable_share: Share = Share(0.95),
    } gates true
}
criterion_settings! {
    /// `x / limit > 0.9` for 2 minutes, replayed as Prometheus does.
    HighMemorySettings {
        /// Share of the limit that is too much.
        limit_share: Share = Share(0.9),
        /// How long it must hold to fire.
        for_seconds: Seconds = Seconds::whole(120),
        /// The limit where none is known.
        fallback_limit_bytes: Bytes = Bytes::new(2_000_000_000),
        /// Share of evaluations with a value that a pass needs.
        min_evaluable_share: Share = Share(0.95),
    } gates true
}
criterion_settings! {
    /// More than 100 MB gained within 60 s, and the level stays.
    ConfirmedSettings {
        /// The gain that is too much.
        gain_bytes: Bytes = Bytes::new(100_000_000),
        /// Within which time.
        within_seconds: Seconds = Seconds::whole(60),
        /// For how long afterwards the level is watched.
        hold_seconds: Seconds = Seconds::whole(300),
        /// Share of the gain above which the median of that time must stay.
        hold_share: Share = Share(0.5),
        /// Samples further apart cannot decide it.
        max_step_seconds: Seconds = Seconds::whole(30),
    } gates true
}
criterion_settings! {
    /// A robust slope above 50 MB a minute over 5 minutes.
    RapidSettings {
        /// The growth of a minute that is too much.
        bytes_per_minute: Bytes = Bytes::new(50_000_000),
        /// Over which time.
        window_seconds: Seconds = Seconds::whole(300),
        /// Fewer samples in that time cannot decide it.
        min_samples: u32 = 5,
        /// Share of the time outside the load with such a slope that a pass needs.
        min_decided_share: Share = Share(0.5),
    } gates true
}
criterion_settings! {
    /// The settled level after the load against the level before it. Decided only with a load window.
    FlatAfterLoadSettings {
        /// Share of the level before the load by which the level after it may be higher.
        rise_share: Share = Share(0.1),
        /// A rise up to this is allowed in any case.
        rise_floor_bytes: Bytes = Bytes::new(10_000_000),
        /// Last share of the time after the load that is taken as settled; of the load itself, as its end.
        settled_share: Share = Share(0.25),
        /// A level from fewer readings is none.
        min_readings: u32 = 5,
    } gates true
}
criterion_settings! {
    /// No leak over a day.
    TrendSettings {
        /// A shorter span cannot decide it.
        min_span_seconds: Seconds = Seconds::whole(72_000),
    } gates true
}
criterion_settings! {
    /// Restarts or OOM kills in quick succession.
    RestartLoopSettings {
        /// So many are a loop.
        restarts: u32 = 3,
        /// Within this time.
        within_seconds: Seconds = Seconds::whole(3600),
        /// Share of the time that events must cover for a pass where the readings are too far apart.
        min_watched_share: Share = Share(0.9),
    } gates true
}
criterion_settings! {
    /// The settled level after a start or restart.
    BaselineSettings {
        /// The level that is too much.
        max_bytes: Bytes = Bytes::new(300_000_000),
        /// The time after a start in which memory settles.
        settle_seconds: Seconds = Seconds::whole(60),
        /// The time after that whose median is the settled level.
        window_seconds: Seconds = Seconds::whole(300),
    } gates false
}
criterion_settings! {
    /// The level soon after a restart.
    SteadySettings {
        /// The level that is too much.
        max_bytes: Bytes = Bytes::new(500_000_000),
        /// How soon after a restart it must be steady below that.
        within_seconds: Seconds = Seconds::whole(900),
        /// Last share of that time in which it must be.
        steady_share: Share = Share(1.0 / 3.0),
    } gates false
}
criterion_settings! {
    /// Readings that stopped coming. Decided only by the nightly job.
    StaleSettings {
        /// So many usual intervals without a reading are too many.
        intervals: f64 = 3.0,
    } gates true
}

criterion_settings! {
    /// The alerts of rule files, replayed as Prometheus does.
    RulesSettings {
        /// Share of evaluations with all operands that a pass needs.
        min_evaluable_share: Share = Share(0.95),
        /// Alerts that do not fail a series, by name.
        ungated: Vec<String> = Vec::new(),
    } gates true
}

impl Default for CriteriaSettings {
    fn default() -> CriteriaSettings {
        CriteriaSettings {
            settle_seconds: Seconds::whole(900),
            growth: GrowthSettings::default(),
            high_memory: HighMemorySettings::default(),
            confirmed: ConfirmedSettings::default(),
            rapid: RapidSettings::default(),
            flat_after_load: FlatAfterLoadSettings::default(),
            trend: TrendSettings::default(),
            restart_loop: RestartLoopSettings::default(),
            baseline: BaselineSettings::default(),
            steady: SteadySettings::default(),
            stale: StaleSettings::default(),
            rules: RulesSettings::default(),
        }
    }
}

impl Default for WindowSettings {
    fn default() -> WindowSettings {
        WindowSettings { last_seconds: Seconds::whole(2_592_000) }
    }
}

impl Default for VerdictSettings {
    fn default() -> VerdictSettings {
        VerdictSettings {
            tolerance_share: Share(0.05),
            tolerance_floor_bytes: Bytes::new(4 << 20),
            limit_horizon_seconds: Seconds::whole(604_800),
            doubling_seconds: Seconds::whole(172_800),
            daily_swing: Share(0.5),
            hours_ahead: 0.0,
            keep_seconds: Seconds::whole(2_592_000),
            significance: Share(0.01),
            confidence: Share(0.9),
            false_discovery_rate: Share(0.05),
            step_floor_bytes: Bytes::new(10 << 20),
            step_share: Share(0.05),
            host_memory_bytes: None,
        }
    }
}

impl Default for PolicySettings {
    fn default() -> PolicySettings {
        PolicySettings {
            inconclusive: InconclusiveExit::Own,
            warn: WarnExit::Pass,
            contradicted: Contradicted::Warn,
            require: Vec::new(),
            strict: false,
            min_samples: 8,
            ended_early_share: Share(0.1),
        }
    }
}

impl Default for CompareSettings {
    fn default() -> CompareSettings {
        CompareSettings {
            level_share: Share(0.1),
            level_floor_bytes: Bytes::new(10_000_000),
            growth_bytes_per_day: None,
        }
    }
}

impl Default for NightlySettings {
    fn default() -> NightlySettings {
        NightlySettings {
            keep_seconds: Seconds::whole(3_024_000),
            min_coverage: Share(0.8),
            inconclusive: InconclusiveExit::Pass,
        }
    }
}

impl Default for EvaluationSettings {
    fn default() -> EvaluationSettings {
        EvaluationSettings {
            interval_seconds: Seconds::whole(30),
            phase_seconds: None,
            lookback_seconds: Seconds::whole(300),
            lookback: LookbackStyle::Prometheus3,
        }
    }
}

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
    /// Whether a series is to be left out.
    pub fn ignores(&self, id: &str) -> bool {
        self.matching(id).any(|rule| rule.ignore)
    }

    /// The patterns of tables that match none of the ids, in their order.
    pub fn unmatched(&self, ids: &[&str]) -> Vec<&str> {
        let is_unmatched = |rule: &&SeriesRule| !ids.iter().any(|id| rule.matches.is_match(id));
        self.rules.iter().filter(is_unmatched).map(|rule| rule.matches.as_str()).collect()
    }

    /// The limit that the last matching table gives, in bytes; `None` when none does.
    pub fn limit_for(&self, id: &str) -> Option<f64> {
        self.matching(id).filter_map(|rule| rule.limit).last().map(Bytes::as_f64)
    }

    /// The settings of a series: those of all, with what every matching table says laid over them.
    pub fn settings_for(&self, id: &str, base: &Settings) -> Settings {
        let mut matching = self.matching(id).filter(|rule| !rule.overrides.is_empty()).peekable();
        if matching.peek().is_none() {
            return base.clone();
        }
        let mut table = toml::Table::try_from(base).expect("settings can be written as a table");
        matching.for_each(|rule| lay_over(&mut table, &rule.overrides));
        table.try_into().expect("each table was checked when it was read")
    }

    fn matching<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a SeriesRule> {
        self.rules.iter().filter(move |rule| rule.matches.is_match(id))
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

/// The ids of all criteria, in the order of the report.
pub const CRITERIA: [&str; 10] = [
    "growth-100mb-5m",
    "high-memory",
    "confirmed-100mb-60s",
    "rapid-50mb-per-min",
    "flat-after-load",
    "trend-24h",
    "restart-loop",
    "baseline-300mb",
    "steady-500mb",
    "stale-data",
];

/// Whether an id can be that of a criterion: one of the runbook's, or an alert of a rule file.
pub fn is_criterion(id: &str) -> bool {
    CRITERIA.contains(&id) || id.strip_prefix("rule:").is_some_and(|name| !name.is_empty())
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
        [("verdict.confidence", settings.verdict.confidence), ("verdict.significance", settings.verdict.significance)];
    if let Some((key, share)) = shares.iter().find(|(_, share)| !inside(*share)) {
        return Err((key, format!("`{key}` is {} (expected between 0 and 1, neither of them)", share.get())));
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

/// What each key means, in the order of a settings file.
const COMMENTS: &[(&str, &[(&str, &str)])] = &[
    (
        "window",
        &[("last_seconds", "how far back from the last sample the window reaches (30 days); 0 takes everything")],
    ),
    (
        "verdict",
        &[
            ("tolerance_share", "growth over the window that matters, as a share of the median level"),
            ("tolerance_floor_bytes", "growth over the window that never matters (4 MiB)"),
            ("limit_horizon_seconds", "growth that reaches a known limit within this time matters (7 days)"),
            (
                "doubling_seconds",
                "growth that doubles the level within this time matters, however short the window (2 days)",
            ),
            (
                "daily_swing",
                "by how much of its level memory may swing from night to day; 0 where load does not follow the day",
            ),
            (
                "hours_ahead",
                "hours by which the clocks of those who use the services are ahead of UTC: their weekends are then",
            ),
            ("keep_seconds", "the longest window that can be had (30 days): to measure longer is no advice"),
            ("significance", "largest probability of no growth at which growth is called significant"),
            ("confidence", "confidence of every interval in the report"),
            ("false_discovery_rate", "among many series: largest rate of false discoveries at which growth is a leak"),
            ("step_floor_bytes", "a lasting shift up to this is not a step (10 MiB)"),
            ("step_share", "nor one up to this share of the level before it"),
            (
                "host_memory_bytes",
                "the memory of the host: a limit of as much is none of a container's own; absent: concluded from the limits",
            ),
        ],
    ),
    (
        "policy",
        &[
            ("inconclusive", "exit code of an inconclusive outcome: \"own\" (3), \"fail\" (1) or \"pass\" (0)"),
            ("warn", "exit code of a warning: \"pass\" (0) or \"fail\" (1)"),
            ("contradicted", "a rate alert under a verdict that proves the opposite: \"warn\" or \"fail\""),
            ("require", "criteria that must be decided, such as [\"growth-100mb-5m\"]"),
            ("strict", "true: a rejected line or an incomplete answer is exit code 2"),
            ("min_samples", "a series with fewer samples does not make the run inconclusive"),
            ("ended_early_share", "nor does one that ended before this last share of the window"),
        ],
    ),
    (
        "evaluation",
        &[
            ("interval_seconds", "time between two evaluations of an alert rule"),
            ("phase_seconds", "seconds after a multiple of the interval; absent: all phases are tried"),
            ("lookback_seconds", "how old the newest sample may be at an evaluation (5 minutes, as Prometheus)"),
            (
                "lookback",
                "whether a sample of exactly that age counts: \"prometheus-2\" (yes) or \"prometheus-3\" (no)",
            ),
        ],
    ),
    (
        "criteria",
        &[(
            "settle_seconds",
            "after a start: for so long growth fails no criterion of a rate, and flat-after-load takes no level (15 min); \
             0: none",
        )],
    ),
    (
        "criteria.growth-100mb-5m",
        &[
            ("threshold_bytes", "growth over the offset that is too much"),
            ("offset_seconds", "how far back the comparison reaches"),
            ("for_seconds", "how long it must hold to fire"),
            ("min_evaluable_share", "share of evaluations with both values that a pass needs"),
            ("gates", "whether a failure fails the series"),
        ],
    ),
    (
        "criteria.high-memory",
        &[
            ("limit_share", "share of the limit that is too much"),
            ("for_seconds", "how long it must hold to fire"),
            ("fallback_limit_bytes", "the limit where none is known"),
            ("min_evaluable_share", "share of evaluations with a value that a pass needs"),
            ("gates", "whether a failure fails the series"),
        ],
    ),
    (
        "criteria.confirmed-100mb-60s",
        &[
            ("gain_bytes", "the gain that is too much"),
            ("within_seconds", "within which time"),
            ("hold_seconds", "for how long afterwards the level is watched"),
            ("hold_share", "share of the gain above which the median of that time must stay"),
            ("max_step_seconds", "samples further apart cannot decide it"),
            ("gates", "whether a failure fails the series"),
        ],
    ),
    (
        "criteria.rapid-50mb-per-min",
        &[
            ("bytes_per_minute", "the growth of a minute that is too much"),
            ("window_seconds", "over which time the slope is taken"),
            ("min_samples", "fewer samples in that time cannot decide it"),
            ("min_decided_share", "share of the time with such a slope that a pass needs"),
            ("gates", "whether a failure fails the series"),
        ],
    ),
    (
        "criteria.flat-after-load",
        &[
            ("rise_share", "share of the level before the load by which the level after it may be higher"),
            ("rise_floor_bytes", "a rise up to this is allowed in any case"),
            (
                "settled_share",
                "last share of the time after the load that is taken as settled, and of the load as its end",
            ),
            ("min_readings", "a level from fewer readings is none"),
            ("gates", "whether a failure fails the series"),
        ],
    ),
    (
        "criteria.trend-24h",
        &[
            ("min_span_seconds", "a shorter span cannot decide it (20 hours)"),
            ("gates", "whether a failure fails the series"),
        ],
    ),
    (
        "criteria.restart-loop",
        &[
            ("restarts", "so many restarts or OOM kills are a loop"),
            ("within_seconds", "within this time"),
            ("min_watched_share", "share of the time that events must cover where readings are too far apart"),
            ("gates", "whether a failure fails the series"),
        ],
    ),
    (
        "criteria.baseline-300mb",
        &[
            ("max_bytes", "the settled level after a start that is too much"),
            ("settle_seconds", "the time after a start in which memory settles"),
            ("window_seconds", "the time after that whose median is the settled level"),
            ("gates", "whether a failure fails the series"),
        ],
    ),
    (
        "criteria.steady-500mb",
        &[
            ("max_bytes", "the level after a restart that is too much"),
            ("within_seconds", "how soon after a restart it must be steady below that"),
            ("steady_share", "last share of that time in which it must be"),
            ("gates", "whether a failure fails the series"),
        ],
    ),
    (
        "criteria.stale-data",
        &[
            ("intervals", "nightly: so many usual intervals without a reading are too many"),
            ("gates", "whether a failure fails the series"),
        ],
    ),
    (
        "criteria.rules",
        &[
            ("min_evaluable_share", "alerts of --rules: share of evaluations with all values that a pass needs"),
            ("ungated", "alerts that do not fail a series, such as [\"MemoryInfo\"]"),
            ("gates", "whether the failure of any other alert fails the series"),
        ],
    ),
    (
        "compare",
        &[
            ("level_share", "`leaktrend compare`: a level higher by this share of the base's matters"),
            ("level_floor_bytes", "a level higher by up to this never matters (10 MB)"),
            (
                "growth_bytes_per_day",
                "growth faster by this a day matters; absent: what matters in the new run by itself",
            ),
        ],
    ),
    (
        "nightly",
        &[
            ("keep_seconds", "`leaktrend nightly`: how long samples are kept (35 days)"),
            ("min_coverage", "share of a day, week or month that readings must cover for it to decide"),
            ("inconclusive", "exit code of an inconclusive night: \"own\" (3), \"fail\" (1) or \"pass\" (0)"),
        ],
    ),
];

/// The settings as a file, with a comment on every key.
pub fn with_comments(settings: &Settings) -> String {
    let table = toml::Table::try_from(settings).expect("settings can be written as a table");
    let mut text = String::from(
        "# Settings of leaktrend: save as leaktrend.toml. Seconds may be written as \"15m\", bytes as \"100MB\".\n",
    );
    for (section, keys) in COMMENTS {
        text.push_str(&format!("\n[{section}]\n"));
        let values = section.split('.').try_fold(&table, |table, key| table.get(key)?.as_table());
        for (key, comment) in *keys {
            match values.and_then(|values| values.get(*key)) {
                Some(value) => text.push_str(&format!("# {comment}\n{key} = {}\n", plain(value))),
                None => text.push_str(&format!("# {comment}\n# {key} = {}\n", example(key))),
            }
        }
    }
    text.push_str(
        "\n# What holds for some series only: thresholds of [verdict], [policy] and [criteria], a limit, or ignore.\n\
         # [[series]]\n# match = \"^batch-\"\n# limit_bytes = \"512MiB\"\n# ignore = false\n\
         # criteria.growth-100mb-5m.gates = false\n",
    );
    text
}

/// A value for a key that is absent by default.
fn example(key: &str) -> &'static str {
    match key {
        "phase_seconds" => "1.76",
        "host_memory_bytes" => "\"16GiB\"",
        _ => "\"36MiB\"",
    }
}

/// A value as it is written: whole seconds and bytes without a fraction.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{}", *number as i64),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_settings_read_back_and_name_every_key() {
        let defaults = Settings::default();
        let text = with_comments(&defaults);
        let (settings, _) = read(&text).unwrap();
        assert_eq!(settings, defaults);

        let table = toml::Table::try_from(&defaults).unwrap();
        for (section, keys) in &table {
            for (key, value) in keys.as_table().unwrap() {
                let names: Vec<String> = match value.as_table() {
                    Some(criterion) => criterion.keys().map(|inner| format!("{section}.{key}/{inner}")).collect(),
                    None => vec![format!("{section}/{key}")],
                };
                for name in names {
                    let (section, key) = name.split_once('/').unwrap();
                    let known =
                        COMMENTS.iter().any(|(known, keys)| *known == section && keys.iter().any(|(k, _)| *k == key));
                    assert!(known, "{name} has no comment");
                }
            }
        }
    }

    #[test]
    fn units_may_be_written_out() {
        let (settings, _) =
            read("[criteria.growth-100mb-5m]\nfor_seconds = \"10m\"\nthreshold_bytes = \"50MB\"\n").unwrap();
        assert_eq!(settings.criteria.growth.for_seconds, Seconds::whole(600));
        assert_eq!(settings.criteria.growth.threshold_bytes, Bytes::new(50_000_000));
    }

    #[test]
    fn series_tables_override_what_they_name() {
        let text = "[verdict]\nstep_share = 0.2\n[[series]]\nmatch = \"^db\"\nlimit_bytes = \"1GiB\"\n[series.verdict]\ntolerance_share = 0.1\n[series.criteria.high-memory]\ngates = false\n[[series]]\nmatch = \"test\"\nignore = true\n";
        let (settings, rules) = read(text).unwrap();
        let db = rules.settings_for("db-1", &settings);
        assert_eq!(db.verdict.tolerance_share, Share(0.1));
        assert_eq!(db.verdict.step_share, Share(0.2));
        assert!(!db.criteria.high_memory.gates);
        assert_eq!(rules.settings_for("web", &settings), settings);
        assert_eq!(rules.limit_for("db-1"), Some(1_073_741_824.0));
        assert!(rules.ignores("a-test") && !rules.ignores("web"));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_line() {
        let refusal = |text: &str| read(text).unwrap_err().to_string();
        insta::assert_snapshot!(refusal("[verdict]\ntolerance = 0.1\n"));
        insta::assert_snapshot!(refusal("[verdict]\nconfidence = 1.7\n"));
        insta::assert_snapshot!(refusal("[criteria.growth-100mb-5m]\nfor_seconds = \"soon\"\n"));
        insta::assert_snapshot!(refusal("[policy]\nrequire = [\"growth\"]\n"));
        insta::assert_snapshot!(refusal("[window]\n\n[[series]]\nmatch = \"(\"\n"));
        insta::assert_snapshot!(refusal("[[series]]\nmatch = \"a\"\n[series.verdict]\nstep = 1\n"));
        insta::assert_snapshot!(refusal("[evaluation]\ninterval_seconds = 0\n"));
    }
}
