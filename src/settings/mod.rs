//! Every number a user can change, with its unit and where it comes from; reads `leaktrend.toml`.
//!
//! A duration is a number of seconds or text (`"15m"`), an amount of memory a number of bytes or text
//! (`"100MB"`). Keys carry their unit. Unknown keys and impossible values are refused with their line. The comments of
//! `leaktrend config` are the doc comments of the keys.

mod commented;
mod criteria;
mod file;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::units::{Bytes, Seconds};

pub use commented::with_comments;
pub use criteria::{
    BaselineSettings, CRITERIA, ConfirmedSettings, CriteriaSettings, FlatAfterLoadSettings, GrowthSettings,
    HeapTotalSettings, HeapUsedSettings, HighMemorySettings, RapidSettings, RestartLoopSettings, RssSettings,
    RulesSettings, StaleSettings, SteadySettings, TrendSettings, is_criterion,
};
pub use file::{SeriesRules, load, read};

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

/// The exit code of an outcome between pass and fail.
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

/// How a warning, or an alert that the statistics contradict, counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum WarnExit {
    /// As a pass, exit code 0.
    Pass,
    /// As a failure, exit code 1.
    Fail,
}

/// How a rate alert counts if the verdict proves the opposite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnContradictedAlert {
    /// A warning: the report says why the alert was a false alarm.
    Warn,
    /// A failure, as if nothing contradicted it.
    Fail,
}

/// The keys and tables of a table of settings, and what they mean.
pub(crate) struct Shape {
    /// What it is.
    pub(crate) about: &'static str,
    /// Its keys.
    pub(crate) keys: &'static [Key],
    /// The tables in it, by name.
    pub(crate) tables: &'static [(&'static str, Shape)],
}

/// A key of a table of settings.
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    doc: &'static str,
    /// A value that it can have, where it is unset by default.
    example: &'static str,
}

impl Key {
    /// What it means, as in `leaktrend config`.
    pub(crate) const fn comment(&self) -> &'static str {
        self.doc.trim_ascii()
    }
}

/// A table of settings: its keys with their defaults, and the tables in it. A key that is unset by default has an example.
/// The doc comment of a key is its comment in `leaktrend config` and its description in the JSON Schema.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        $name:ident {
            $($(#[doc = $doc:literal])+ $(#[serde($($serde:tt)+)])?
            $field:ident $(as $key:literal)?: $type:ty = $default:expr $(=> $example:literal)?,)*
        }
        $(tables {
            $($(#[serde($($inner_serde:tt)+)])? $inner:ident $(as $inner_key:literal)?: $table:ident,)+
        })?
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $doc])+ $(#[serde($($serde)+)])? $(#[serde(rename = $key)])? pub $field: $type,)*
            $($(
                #[doc = concat!("The table [", key!($inner $($inner_key)?), "](", stringify!($table), ").")]
                $(#[serde($($inner_serde)+)])?
                $(#[serde(rename = $inner_key)])?
                pub $inner: $table,
            )+)?
        }

        impl Default for $name {
            fn default() -> $name {
                $name { $($field: $default,)* $($($inner: $table::default(),)+)? }
            }
        }

        impl $name {
            /// Its keys and tables, each with what it means.
            pub(crate) const SHAPE: Shape = Shape {
                about: concat!($($about),+),
                keys: &[$(Key { name: key!($field $($key)?), doc: concat!($($doc),+), example: concat!($($example)?) },)*],
                tables: &[$($((key!($inner $($inner_key)?), $table::SHAPE),)+)?],
            };
        }
    };
}

/// The name of a key: that of its field, or another one.
macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}

use {key, settings};

settings! {
    /// Every threshold, window and `for`, with the defaults of the runbook.
    Settings {}
    tables {
        window: WindowSettings,
        verdict: VerdictSettings,
        policy: PolicySettings,
        evaluation: EvaluationSettings,
        criteria: CriteriaSettings,
        compare: CompareSettings,
        nightly: NightlySettings,
        #[serde(skip_serializing_if = "RequestSettings::is_default")]
        requests: RequestSettings,
    }
}
settings! {
    /// Which part of the data is judged.
    WindowSettings {
        /// Length of the judged window before the last sample (30 days); 0 takes everything.
        last_seconds: Seconds = Seconds::whole(2_592_000),
    }
}
settings! {
    /// What it takes to claim a verdict.
    VerdictSettings {
        /// Growth matters if it adds this share of the median level over the window.
        tolerance_share: Share = Share(0.05),
        /// Growth that adds less than this over the window never matters (4 MiB).
        tolerance_floor_bytes: Bytes = Bytes::new(4 << 20),
        /// Growth matters if it reaches a known limit within this time (7 days).
        limit_horizon_seconds: Seconds = Seconds::whole(604_800),
        /// Growth matters if it doubles the level within this time, however short the window (2 days).
        doubling_seconds: Seconds = Seconds::whole(172_800),
        /// Largest daily swing, as a share of the level; 0 if load does not follow the time of day.
        daily_swing: Share = Share(0.5),
        /// Time zone of the users, in hours ahead of UTC: it sets when their weekends are.
        hours_ahead: f64 = 0.0,
        /// How long readings are kept (30 days): the report never asks to measure longer.
        keep_seconds: Seconds = Seconds::whole(2_592_000),
        /// Growth is significant if the probability that there is none is at most this.
        max_p_value: Share = Share(0.01),
        /// Confidence of every interval in the report.
        confidence: Share = Share(0.9),
        /// Largest share of false discoveries among the leaks of many series.
        false_discovery_rate: Share = Share(0.05),
        /// A lasting shift of this size or less is not a step (10 MiB).
        step_floor_bytes: Bytes = Bytes::new(10 << 20),
        /// A lasting shift of this share of the level before it, or less, is not a step.
        step_share: Share = Share(0.05),
        /// Memory of the host: limits of this size or more are ignored. Unset: inferred from the limits.
        #[serde(skip_serializing_if = "Option::is_none")]
        host_memory_bytes: Option<Bytes> = None => "\"16GiB\"",
    }
}
settings! {
    /// How verdicts and criteria become outcomes.
    PolicySettings {
        /// Exit code of an inconclusive outcome: "own" (3), "fail" (1) or "pass" (0).
        inconclusive: InconclusiveExit = InconclusiveExit::Own,
        /// Exit code of a warning: "pass" (0) or "fail" (1).
        warn: WarnExit = WarnExit::Pass,
        /// A rate alert that fires although the verdict proves the opposite: "warn" or "fail".
        on_contradicted_alert: OnContradictedAlert = OnContradictedAlert::Warn,
        /// Criteria that must be decided, such as `["growth-100mb-5m"]`: if one is not decided, the series is inconclusive.
        require: Vec<String> = Vec::new(),
        /// true: exit with 2 on a rejected line or an incomplete response.
        strict: bool = false,
        /// A series with fewer samples does not make the run inconclusive.
        min_samples: u32 = 8,
        /// A series that ended before this last share of the window does not make the run inconclusive.
        ended_early_share: Share = Share(0.1),
    }
}
settings! {
    /// By how much a run must exceed its base to count as worse; two good runs differ, too.
    CompareSettings {
        /// `leaktrend compare`: a level is worse if it is higher by this share of the base.
        level_share: Share = Share(0.1),
        /// A level that is higher by this or less is never worse (10 MB).
        level_floor_bytes: Bytes = Bytes::new(10_000_000),
        /// Growth is worse if it is faster by this per day. Unset: the growth that matters in the new run.
        #[serde(skip_serializing_if = "Option::is_none")]
        growth_bytes_per_day: Option<Bytes> = None => "\"36MiB\"",
    }
}
settings! {
    /// What the nightly job keeps and decides.
    NightlySettings {
        /// `leaktrend nightly`: how long samples are kept (35 days).
        keep_seconds: Seconds = Seconds::whole(3_024_000),
        /// Share of a day, week or month that readings must cover for it to decide.
        min_coverage: Share = Share(0.8),
        /// Exit code of an inconclusive night: "own" (3), "fail" (1) or "pass" (0).
        inconclusive: InconclusiveExit = InconclusiveExit::Pass,
    }
}
settings! {
    /// How requests are told apart.
    RequestSettings {
        /// Routes such as "/files/:name/versions/*", tried before the recognised ones; the first match counts.
        routes: Vec<String> = Vec::new() => "[\"/files/:name/versions/*\"]",
    }
}

impl RequestSettings {
    fn is_default(&self) -> bool {
        *self == RequestSettings::default()
    }
}

settings! {
    /// How alert rules are evaluated.
    EvaluationSettings {
        /// Time between two evaluations of an alert rule.
        interval_seconds: Seconds = Seconds::whole(30),
        /// Offset of rule evaluations from multiples of the interval. Unset: all offsets are tried.
        #[serde(skip_serializing_if = "Option::is_none")]
        phase_seconds: Option<Seconds> = None => "1.76",
        /// Largest age of the newest sample at an evaluation (5 minutes, as in Prometheus).
        lookback_seconds: Seconds = Seconds::whole(300),
        /// Whether a sample exactly as old as the lookback counts: "prometheus-2" (yes) or "prometheus-3" (no).
        lookback: LookbackStyle = LookbackStyle::Prometheus3,
    }
}

/// The version of Prometheus whose lookback applies.
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

#[cfg(test)]
mod tests;
