//! The thresholds of the criteria: those of the runbook. Amounts are decimal, as in the runbook.

use serde::{Deserialize, Serialize};

use super::{Key, Shape, Share, key, settings};
use crate::units::{Bytes, Seconds};

/// The ids of all criteria, in the order of the report; the last three only where these amounts are known.
pub const CRITERIA: [&str; 13] = [
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
    "rss-500mb",
    "heap-total-300mb",
    "heap-used-200mb",
];

/// Whether an id can be that of a criterion: one of the runbook's, or an alert of a rule file.
pub fn is_criterion(id: &str) -> bool {
    CRITERIA.contains(&id) || id.strip_prefix("rule:").is_some_and(|name| !name.is_empty())
}

settings! {
    /// The runbook's criteria.
    CriteriaSettings {
        /// Start-up: for this long after a start, growth fails no rate criterion and flat-after-load takes no baseline (15 min).
        /// 0 turns this off.
        settle_seconds: Seconds = Seconds::whole(900),
    }
    tables {
        growth as "growth-100mb-5m": GrowthSettings,
        high_memory as "high-memory": HighMemorySettings,
        confirmed as "confirmed-100mb-60s": ConfirmedSettings,
        rapid as "rapid-50mb-per-min": RapidSettings,
        flat_after_load as "flat-after-load": FlatAfterLoadSettings,
        trend as "trend-24h": TrendSettings,
        restart_loop as "restart-loop": RestartLoopSettings,
        baseline as "baseline-300mb": BaselineSettings,
        steady as "steady-500mb": SteadySettings,
        stale as "stale-data": StaleSettings,
        rss as "rss-500mb": RssSettings,
        heap_total as "heap-total-300mb": HeapTotalSettings,
        heap_used as "heap-used-200mb": HeapUsedSettings,
        rules: RulesSettings,
    }
}
settings! {
    /// `(x - x offset 5m) > 100000000` for 5 minutes, replayed as Prometheus does.
    GrowthSettings {
        /// Growth over the offset above this fails.
        threshold_bytes: Bytes = Bytes::new(100_000_000),
        /// Offset of the comparison.
        offset_seconds: Seconds = Seconds::whole(300),
        /// How long the condition must hold for the alert to fire.
        pending as "for": Seconds = Seconds::whole(300),
        /// To pass, this share of evaluations needs both values.
        min_evaluable_share: Share = Share(0.95),
        /// Whether a failure fails the series.
        gates: bool = true,
    }
}
settings! {
    /// `x / limit > 0.9` for 2 minutes, replayed as Prometheus does.
    HighMemorySettings {
        /// Memory above this share of the limit fails.
        limit_share: Share = Share(0.9),
        /// How long the condition must hold for the alert to fire.
        pending as "for": Seconds = Seconds::whole(120),
        /// Limit to use if none is known.
        fallback_limit_bytes: Bytes = Bytes::new(2_000_000_000),
        /// To pass, this share of evaluations needs a value.
        min_evaluable_share: Share = Share(0.95),
        /// Whether a failure fails the series.
        gates: bool = true,
    }
}
settings! {
    /// More than 100 MB gained within 60 s, and the level stays.
    ConfirmedSettings {
        /// A gain above this fails.
        gain_bytes: Bytes = Bytes::new(100_000_000),
        /// Time in which that much must be gained.
        within_seconds: Seconds = Seconds::whole(60),
        /// Time after the gain in which memory must not come back.
        hold_seconds: Seconds = Seconds::whole(300),
        /// The gain counts if the median of that time is above this share of the gain.
        hold_share: Share = Share(0.5),
        /// The criterion is not evaluable if samples are further apart.
        max_step_seconds: Seconds = Seconds::whole(30),
        /// Whether a failure fails the series.
        gates: bool = true,
    }
}
settings! {
    /// A robust slope above 50 MB a minute over 5 minutes.
    RapidSettings {
        /// Growth per minute above this fails.
        bytes_per_minute: Bytes = Bytes::new(50_000_000),
        /// Time over which the slope is measured.
        window_seconds: Seconds = Seconds::whole(300),
        /// The slope needs at least this many samples.
        min_samples: u32 = 5,
        /// To pass, the slope must be known for this share of the time outside the load.
        min_decided_share: Share = Share(0.5),
        /// Whether a failure fails the series.
        gates: bool = true,
    }
}
settings! {
    /// The settled level after the load against the level before it. Decided only with a load window.
    FlatAfterLoadSettings {
        /// Allowed rise after the load, as a share of the level before it.
        rise_share: Share = Share(0.1),
        /// A rise up to this is allowed in any case.
        rise_floor_bytes: Bytes = Bytes::new(10_000_000),
        /// This last share of the time after the load counts as settled; this last share of the load counts as its end.
        settled_share: Share = Share(0.25),
        /// A level needs at least this many readings.
        min_readings: u32 = 5,
        /// Whether a failure fails the series.
        gates: bool = true,
    }
}
settings! {
    /// No leak over a day.
    TrendSettings {
        /// The criterion is not evaluable over a shorter time (20 hours).
        min_span_seconds: Seconds = Seconds::whole(72_000),
        /// Whether a failure fails the series.
        gates: bool = true,
    }
}
settings! {
    /// Restarts or OOM kills in quick succession.
    RestartLoopSettings {
        /// This many restarts or OOM kills are a loop.
        restarts: u32 = 3,
        /// Within this time.
        within_seconds: Seconds = Seconds::whole(3600),
        /// To pass although readings are too far apart, events must cover this share of the time.
        min_watched_share: Share = Share(0.9),
        /// Whether a failure fails the series.
        gates: bool = true,
    }
}
settings! {
    /// The settled level after a start or restart.
    BaselineSettings {
        /// A settled level above this after a start fails.
        max_bytes: Bytes = Bytes::new(300_000_000),
        /// The time after a start in which memory settles.
        settle_seconds: Seconds = Seconds::whole(60),
        /// Length of the window after the settle time; its median is the settled level.
        window_seconds: Seconds = Seconds::whole(300),
        /// Whether a failure fails the series.
        gates: bool = false,
    }
}
settings! {
    /// The level soon after a restart.
    SteadySettings {
        /// A level above this after a restart fails.
        max_bytes: Bytes = Bytes::new(500_000_000),
        /// Time after a restart in which memory must become steady below `max_bytes`.
        within_seconds: Seconds = Seconds::whole(900),
        /// The last share of that time, in which memory must be steady.
        steady_share: Share = Share(1.0 / 3.0),
        /// Whether a failure fails the series.
        gates: bool = false,
    }
}
settings! {
    /// The resident set of a Node.js process, against what the runbook calls normal.
    RssSettings {
        /// The median must be below this.
        max_bytes: Bytes = Bytes::new(500_000_000),
        /// Whether a failure fails the series.
        gates: bool = false,
    }
}
settings! {
    /// The heap that a Node.js process has reserved, against what the runbook calls normal.
    HeapTotalSettings {
        /// The median must be below this.
        max_bytes: Bytes = Bytes::new(300_000_000),
        /// Whether a failure fails the series.
        gates: bool = false,
    }
}
settings! {
    /// The objects on the heap of a Node.js process, against what the runbook calls normal.
    HeapUsedSettings {
        /// The median must be below this.
        max_bytes: Bytes = Bytes::new(200_000_000),
        /// Whether a failure fails the series.
        gates: bool = false,
    }
}
settings! {
    /// Readings that have stopped. Decided only by the nightly job.
    StaleSettings {
        /// `leaktrend nightly`: this many usual intervals without a reading are a failure.
        intervals: f64 = 3.0,
        /// Whether a failure fails the series.
        gates: bool = true,
    }
}
settings! {
    /// The alerts of rule files, replayed as Prometheus does.
    RulesSettings {
        /// Alerts of --rules: to pass, this share of evaluations needs all values.
        min_evaluable_share: Share = Share(0.95),
        /// Alerts that do not fail a series, such as `["MemoryInfo"]`.
        ungated: Vec<String> = Vec::new(),
        /// Whether the failure of any other alert fails the series.
        gates: bool = true,
    }
}
