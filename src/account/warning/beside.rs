//! Warnings of what is read beside the readings, and of the history of a nightly job.

use serde::{Deserialize, Serialize};

use crate::account::Unusable;

/// Names of which the first are listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The first names.
    pub names: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

/// Events of containers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventWarning {
    /// Events were not matched, because readings have no times of their own.
    Uncertain {
        /// How many.
        n: u64,
        /// The series that they are of.
        series: Named,
    },
    /// Its events match no container with readings.
    OfOthers {
        /// How many.
        n: u64,
        /// The containers that it names.
        containers: Named,
        /// Whether it is a log, whose container can be given.
        is_log: bool,
    },
    /// Its events are before the first reading or after the last.
    Outside {
        /// How many.
        n: u64,
    },
    /// Nodes ran out of memory.
    OfNodes {
        /// How many events say so.
        n: u64,
    },
    /// Earlier restarts are counted without a time.
    EarlierRestarts {
        /// How many.
        n: u64,
    },
    /// Lines say that memory ran out, but not when.
    Untimed {
        /// How many.
        n: u64,
    },
    /// Nothing in it mentions memory running out.
    NoMention {
        /// How many lines it has.
        n_lines: u64,
    },
}

/// Requests, covariates and changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CountWarning {
    /// It holds no changes.
    NoChanges,
    /// It has too many columns: the first are used.
    TooManyColumns {
        /// How many it has.
        n: usize,
        /// How many are used.
        used: usize,
    },
    /// Columns hold no numbers, and are not used.
    NoNumbers {
        /// Their names and types.
        columns: Vec<(String, String)>,
    },
    /// Columns are read as counters, because they only rise.
    Counters {
        /// Their names.
        columns: Vec<String>,
    },
    /// Columns are read as levels, because they also fall.
    Levels {
        /// Their names.
        columns: Vec<String>,
    },
    /// It has no value within the time of the readings.
    NoValue,
    /// Its requests have no times.
    NoTimes,
    /// Some requests have no time, and are not counted.
    SomeUntimed {
        /// How many.
        n: u64,
    },
    /// All its requests are outside the time of the readings.
    Outside {
        /// How many.
        n: u64,
        /// The first, in milliseconds since 1970.
        from_ms: i64,
        /// The last.
        to_ms: i64,
    },
}

/// What changed since the nights before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NightlyWarning {
    /// A file of a log cannot be used.
    Unusable {
        /// Its name.
        file: String,
        /// Why.
        why: Unusable,
    },
    /// What is new in a file cannot be used.
    NewUnusable(Unusable),
    /// More readings without a time came than fit: they were spread.
    Spread {
        /// How many.
        n: u64,
        /// The time since the last known reading, in milliseconds.
        within_ms: i64,
        /// Their usual distance, in milliseconds.
        step_ms: i64,
    },
    /// The file was modified before its last known reading: the new ones are placed after that.
    After {
        /// How many.
        n: u64,
        /// How far apart they are put, in milliseconds.
        step_ms: i64,
    },
    /// Readings are more than a day ahead of the clock, and not kept.
    FarAhead {
        /// How many.
        n: u64,
    },
    /// The newest reading is ahead of the clock.
    Ahead {
        /// By how much, in milliseconds.
        by_ms: i64,
    },
    /// Readings of other containers stand at times that were known.
    OtherMachine {
        /// How many.
        n: u64,
    },
}
