//! Why nothing in an input could be used, as data; `report::words::unusable` puts it into words.

use serde::{Deserialize, Serialize};

use super::{Format, Measure, NotBytes, Rejection};

/// Why nothing in an input could be used.
///
/// Its sentence is what `Display` writes: what was found and what was expected. Parquet files hold it as data; what
/// earlier versions wrote holds sentences, which are read as `Unreadable`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Unusable {
    /// It is empty.
    Empty,
    /// It is of no form that is read.
    Foreign(Foreign),
    /// Its lines end with carriage returns alone.
    CarriageReturns,
    /// It has no column that the user names.
    NoColumn {
        /// What the column is said to be, as in `--column`.
        role: String,
        /// Its name.
        column: String,
        /// The columns that it has.
        columns: ColumnList,
    },
    /// The column of its times begins with something else.
    NoTimes {
        /// The column.
        column: String,
        /// What it begins with.
        found: String,
    },
    /// It cannot be told which of its columns are what.
    Columns {
        /// Why.
        why: ColumnFault,
        /// The columns that it has.
        columns: ColumnList,
    },
    /// Every reading was rejected.
    AllRejected {
        /// What it was read as.
        format: Format,
        /// How many lines, or values of a table, were rejected.
        n: u64,
        /// The first of these lines, counted from 1.
        line: u64,
        /// Why that was.
        why: Rejection,
    },
    /// It holds no reading.
    NoReading {
        /// What it was read as.
        format: Format,
    },
    /// Its table has no rows.
    NoRows,
    /// Its numbers cannot be bytes.
    NotBytes(NotBytes),
    /// It holds limits and no memory.
    OnlyLimits,
    /// It holds restart metrics and no memory.
    OnlyRestarts,
    /// It holds owners of pods and no memory.
    OnlyOwners,
    /// It has no times, while other inputs have.
    Untimed,
    /// It is a folder without tables.
    NoTables,
    /// What a Prometheus response is instead of a matrix.
    Response(ResponseFault),
    /// Nothing in it is an event of a container.
    NoEvent,
    /// Nothing in it is a change.
    NoChange {
        /// Why the first line is none.
        why: Rejection,
    },
    /// Nothing in it is a request.
    NoRequest {
        /// Why the first line is none; `None`: it is empty.
        why: Option<Rejection>,
    },
    /// It cannot be read as covariates.
    Covariates(CovariateFault),
    /// A log of the nightly job is not there.
    NoLog,
    /// A log of the nightly job is a table.
    TableAsLog,
    /// Several reasons.
    Several(Vec<Unusable>),
    /// It cannot be opened, decompressed or decoded: what the system or the decoder says.
    #[serde(untagged)]
    Unreadable(String),
}

/// What is given instead of readings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Foreign {
    /// A zip archive.
    Zip,
    /// Data compressed with bzip2.
    Bzip2,
    /// Data compressed with xz.
    Xz,
    /// Other binary data.
    Binary,
    /// JSON of another kind.
    Json {
        /// Its first line.
        begins: String,
    },
    /// Other text.
    Text {
        /// Its first line.
        begins: String,
    },
    /// Output of `docker events`.
    DockerEvents,
    /// Output of `kubectl get -o json`.
    KubernetesObjects,
    /// A kernel log.
    KernelLog,
    /// A garbage collection log of a Java virtual machine.
    CollectionLog,
    /// Keys of `process.memoryUsage()` without a complete object.
    NodeKeys,
    /// Output of `pidstat -r`.
    Pidstat,
    /// Output of `kubectl top node`.
    TopNode,
    /// Output of `docker ps`.
    DockerPs,
    /// The memory of a machine.
    Machine,
    /// Output of `ps`.
    Ps,
    /// Text output of `promtool query`.
    Promtool,
    /// Output of `docker stats` separated by semicolons.
    Semicolons,
}

/// The columns of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnList {
    /// The first of them, each with its type where it has one.
    pub columns: Vec<(String, Option<String>)>,
    /// How many more there are.
    pub more: usize,
}

/// Why it cannot be told which columns are what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ColumnFault {
    /// None is a time.
    NoTime,
    /// The column of times does not hold times.
    NotTimes(String),
    /// The column of memory does not hold memory.
    NotMemory(String),
    /// A column of names does not hold names.
    NotNames(String),
    /// The column of memory is of another metric.
    OtherMetric {
        /// The column.
        column: String,
        /// What it is.
        is: Measure,
    },
    /// A column of text may name the container.
    Unclear(String),
    /// None holds numbers.
    NoNumbers,
}

/// What a Prometheus response is instead of a matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ResponseFault {
    /// It is not JSON.
    Json {
        /// The error of the JSON.
        error: String,
    },
    /// It is an error of the server.
    Error {
        /// Its type.
        kind: String,
        /// Its message.
        error: String,
        /// Whether the server refuses so many points.
        too_many_points: bool,
    },
    /// It is of a type with a single point in time.
    Instant {
        /// The type.
        result_type: String,
    },
    /// It is of another type.
    OtherType {
        /// The type.
        result_type: String,
    },
    /// It holds single values.
    SingleValues,
    /// It holds native histograms only.
    Histograms,
    /// The query found no series.
    NoSeries,
    /// It is JSON without a result.
    NoResult,
}

/// Why something cannot be read as covariates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CovariateFault {
    /// It is empty.
    Empty,
    /// It has no header with several columns.
    NoHeader,
    /// No row could be read.
    NoRow {
        /// Why the first could not; `None`: there is none.
        why: Option<Rejection>,
        /// Whether it is a table with typed columns.
        is_typed: bool,
    },
    /// It lacks a column of times, or one of numbers.
    Columns(ColumnList),
    /// It is not a Prometheus response.
    Response {
        /// The error of the JSON.
        error: String,
    },
    /// The Prometheus response is an error.
    ResponseError {
        /// Its message; `None`: it holds no data.
        error: Option<String>,
    },
    /// The Prometheus response holds a single point in time.
    Instant,
}

impl Unusable {
    /// Every reading was rejected, or there is none.
    pub(crate) fn nothing_of(format: Format, input: &super::Input) -> Unusable {
        match input.rejected.first() {
            Some(first) => {
                let (line, why) = (first.line, first.why.clone());
                Unusable::AllRejected { format, n: input.rejected_count, line, why }
            }
            None => Unusable::NoReading { format },
        }
    }
}

groups!(Unusable {
    Foreign = Foreign,
    NotBytes = NotBytes,
    Response = ResponseFault,
    Covariates = CovariateFault,
});
