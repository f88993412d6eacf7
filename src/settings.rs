//! Every number a user can change, with its unit and where it comes from; reads `leaktrend.toml`.
//!
//! A length of time is a number of seconds or text (`"15m"`), an amount of memory a number of bytes or text
//! (`"100MB"`). Keys carry their unit. Unknown keys and impossible values are refused with their line.

use serde::{Deserialize, Deserializer, Serialize, de};

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
    /// A limit shared by several series of one input, and at least this share of the largest, is the host's.
    pub host_limit_share: Share,
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
}

/// The runbook's criteria. Amounts are decimal, as in the runbook.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CriteriaSettings {
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
    } gates true
}
criterion_settings! {
    /// The settled level after the load against the level before it. Decided only with a load window.
    FlatAfterLoadSettings {
        /// Share of the level before the load by which the level after it may be higher.
        rise_share: Share = Share(0.1),
        /// A rise up to this is allowed in any case.
        rise_floor_bytes: Bytes = Bytes::new(10_000_000),
        /// Last share of the time after the load that is taken as settled.
        settled_share: Share = Share(0.25),
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
    } gates false
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
            significance: Share(0.01),
            confidence: Share(0.9),
            false_discovery_rate: Share(0.05),
            step_floor_bytes: Bytes::new(10 << 20),
            step_share: Share(0.05),
            host_limit_share: Share(0.9),
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

impl Default for EvaluationSettings {
    fn default() -> EvaluationSettings {
        EvaluationSettings {
            interval_seconds: Seconds::whole(30),
            phase_seconds: None,
            lookback_seconds: Seconds::whole(300),
        }
    }
}
