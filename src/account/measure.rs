//! What numbers count, where that is no memory.

use serde::{Deserialize, Serialize};

/// What a metric measures that is not an amount of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Measure {
    /// A counter.
    Counter,
    /// A count.
    Count,
    /// A histogram.
    Histogram,
    /// A time.
    Time,
    /// A share.
    Share,
    /// A list of labels.
    Labels,
    /// A temperature.
    Temperature,
    /// A rate or a share.
    Rate,
    /// A setting or a size.
    Setting,
}

/// Why numbers cannot be bytes of a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NotBytes {
    /// Their metric is another.
    OtherMetric {
        /// The metric.
        metric: String,
        /// What it is.
        is: Measure,
    },
    /// Some are below zero.
    Negative {
        /// Whose they are.
        of: NumbersOf,
        /// How many of them.
        n: u64,
        /// How many numbers there are.
        total: u64,
    },
    /// All are 0.
    Zero {
        /// Whose they are.
        of: NumbersOf,
    },
    /// None is above 1.
    Share {
        /// Whose they are.
        of: NumbersOf,
        /// The smallest.
        smallest: f64,
        /// The largest.
        largest: f64,
    },
    /// All are less than 1 MiB.
    Small {
        /// Whose they are.
        of: NumbersOf,
        /// The smallest.
        smallest: f64,
        /// The largest.
        largest: f64,
    },
}

/// Whose numbers are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumbersOf {
    /// Those of an input that have no unit.
    WithoutUnit,
    /// Those of series without a metric name.
    WithoutMetric,
    /// Those of a metric.
    Metric(String),
}
