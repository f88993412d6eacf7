//! What a reader of the report must know of an input, as data; `report::words::warnings` puts it into words.

mod beside;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::EndFrom;
use super::measure::{Measure, NotBytes};

pub use beside::{CountWarning, EventWarning, Named, NightlyWarning};

/// What a reader of the report must know of an input.
///
/// Its sentence is what `Display` writes, without a full stop. Histories and Parquet files hold it as data; what earlier
/// versions wrote holds sentences, which are read as `Text`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Warning {
    /// How much of it was read.
    Content(ContentWarning),
    /// When its readings are.
    Times(TimeWarning),
    /// Whose its readings are.
    Names(NameWarning),
    /// What its numbers count.
    Amounts(AmountWarning),
    /// What an export says of itself.
    Export(ExportWarning),
    /// Events of containers.
    Events(EventWarning),
    /// Requests, covariates and changes.
    Counts(CountWarning),
    /// What changed since the nights before.
    Nightly(NightlyWarning),
    /// It is true of a file that belongs to the input.
    InFile {
        /// The name of the file.
        file: String,
        /// What is true of it.
        warning: Box<Warning>,
    },
    /// A sentence that was stored: by an earlier version, or beside the answer of a server.
    #[serde(untagged)]
    Text(String),
}

/// How much of an input was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ContentWarning {
    /// It was given before, and read once.
    GivenAgain,
    /// It is empty.
    Empty {
        /// What it was read for.
        of: Purpose,
    },
    /// It ends too early: what stands before that is used.
    BreaksOff {
        /// Where and why.
        why: String,
    },
    /// NUL bytes stand before its text.
    NulBytes {
        /// How many.
        n: u64,
    },
    /// Some lines are other text.
    OtherText {
        /// How many.
        n: u64,
        /// The first of them, counted from 1.
        line: u64,
        /// Its beginning.
        text: String,
    },
    /// All readings are without a value.
    NoValues,
    /// Columns that are not read.
    ColumnsLeftOut {
        /// Their names.
        columns: Vec<String>,
        /// How many more there are.
        more: usize,
    },
    /// It goes on without a header, after a file that has one.
    HeaderOfFileBefore,
    /// leaktrend wrote the table, but it was changed since.
    TableChanged(TableChange),
}

/// What an input is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Readings of memory.
    Readings,
    /// Events of containers.
    Events,
    /// Numbers that growth may follow.
    Covariates,
    /// Deploys and other changes.
    Changes,
}

/// What was changed in a table since leaktrend wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableChange {
    /// What it says of itself.
    Metadata,
    /// Its rows.
    Rows {
        /// How many it had.
        n: u64,
    },
    /// Its columns.
    Columns,
}

/// When readings are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TimeWarning {
    /// The end of a file without times is lost, from which times are counted back.
    NewestLost,
    /// Its timestamps have no year, and nothing supplies it.
    NoYear,
    /// Its timestamps have no year: that of its modification time is taken.
    YearFromFile {
        /// The first of them, in milliseconds since 1970.
        first_ms: i64,
    },
    /// Its timestamps have no zone: they are read as UTC.
    NoZone {
        /// What they are timestamps of.
        of: Purpose,
        /// One of them; empty where none was kept.
        example: String,
    },
    /// Its clock jumped by an hour, as at an end of summer time.
    ClockJumped {
        /// Whether back, otherwise forward.
        back: bool,
        /// The last local time before it, in milliseconds since 1970.
        after_ms: i64,
    },
    /// Times of day without a date.
    NoDate {
        /// One of them.
        example: String,
        /// What dates them.
        dated: Dated,
    },
    /// Some readings have no timestamp.
    SomeUntimed {
        /// How many.
        n: usize,
        /// How many readings there are.
        of: usize,
        /// How far apart they are put, in milliseconds.
        step_ms: i64,
    },
    /// No reading has a timestamp.
    Untimed {
        /// How far apart they are put, in milliseconds.
        step_ms: i64,
        /// When the last one is, in milliseconds since 1970, and what says so; `None`: times count back from it.
        end: Option<(i64, EndFrom)>,
    },
    /// Readings are missing between this file and the next one.
    Missing {
        /// How many.
        n: u64,
    },
    /// Its modification time is later than the start of the next file.
    MovedBack {
        /// By how much its readings were moved, in milliseconds.
        by_ms: i64,
    },
    /// It holds one container and no timestamps.
    DowntimeInvisible,
    /// Its columns come from a query with fixed steps.
    FixedSteps,
    /// The text before a container is not a timestamp.
    NotATimestamp {
        /// The line of the first one, counted from 1.
        line: u64,
        /// Its beginning.
        text: String,
    },
    /// Rows have the series and the time of another.
    RowsRepeat {
        /// How many.
        n: u64,
    },
    /// Readings are dated more than ten years from the others, and left out.
    Distant {
        /// How many.
        n: u64,
        /// The series of the first.
        series: String,
        /// When it is dated, in milliseconds since 1970.
        first_ms: i64,
    },
    /// Times go back.
    OutOfOrder {
        /// In how many places.
        n: u64,
        /// The series of the first.
        series: String,
        /// From when it goes back, in milliseconds since 1970.
        from_ms: i64,
        /// To when.
        to_ms: i64,
    },
    /// Readings of a series have the same time.
    Twice {
        /// How many.
        n: u64,
        /// The series of the first.
        series: String,
        /// When it is, in milliseconds since 1970.
        first_ms: i64,
    },
}

/// What says on which day a time of day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dated {
    /// A later timestamp.
    Later,
    /// The end of the input.
    Nearest {
        /// The last time, in milliseconds since 1970.
        last_ms: i64,
        /// What says when the input ends.
        end: EndFrom,
    },
    /// Nothing: they count back from the last.
    Nothing,
}

/// Whose readings are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NameWarning {
    /// Several containers have one name at one time.
    Namesakes {
        /// One such name.
        example: String,
    },
    /// nerdctl may have cut names.
    Cut {
        /// To how many characters.
        length: usize,
        /// One such name.
        example: String,
    },
    /// Rows without names are told apart by their order.
    ByRowOrder {
        /// How many containers there are.
        n: usize,
    },
    /// Too many rows without names: they are told apart by their position alone.
    ByPosition {
        /// The most rows in one reading.
        most: usize,
    },
    /// The number of rows without names changes: they are matched by order and value.
    Matched {
        /// The fewest rows in one reading.
        fewest: usize,
        /// The most.
        most: usize,
    },
    /// It is not clear which container is missing or new.
    Unclear {
        /// In how many readings.
        n: u64,
        /// The first of them, in milliseconds since 1970.
        first_ms: i64,
    },
    /// A container without a name stood in another row, and was recognised by its values.
    Moved {
        /// In how many readings.
        n: u64,
        /// The first of them, in milliseconds since 1970.
        first_ms: i64,
        /// Whether it was recreated and stood first; otherwise it had just started and stood last.
        recreated: bool,
    },
    /// The text before a reading names its process.
    TextNames {
        /// The names.
        names: Vec<String>,
    },
    /// The text before readings differs too often to be a name.
    TextIgnored {
        /// One such text.
        example: String,
    },
    /// Series are of one container with another.
    Repeated {
        /// How many.
        n: u64,
        /// The labels in which they differ.
        labels: Vec<String>,
    },
    /// Series that hold the memory of containers once more are left out.
    LeftOut(Vec<LeftOut>),
    /// Series whose names another input has are called otherwise.
    Renamed {
        /// What the first was called.
        before: String,
        /// What it is called.
        now: String,
        /// How many more there are.
        more: usize,
    },
}

/// Series that were left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// What they are of.
    pub of: WholeOf,
    /// How many.
    pub n: u64,
    /// The names of the first.
    pub names: Vec<String>,
}

/// What holds the memory of containers once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WholeOf {
    /// The container `POD`.
    Pause,
    /// A pod.
    Pod,
    /// A cgroup above them.
    Cgroup,
}

/// What numbers count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AmountWarning {
    /// Numbers without a unit are read as bytes, and are small for that.
    Small {
        /// The largest, in bytes.
        largest_bytes: f64,
    },
    /// `kubectl top` prints whole MiB.
    WholeMib,
    /// kB, MB and GB count powers of 1024.
    Binary {
        /// One such amount, as it was written.
        example: String,
    },
    /// A column of another metric.
    OtherMetric {
        /// The metric.
        metric: String,
        /// What it is.
        is: Measure,
    },
    /// Series whose numbers cannot be bytes are left out.
    NotBytes {
        /// How many.
        n_series: u64,
        /// Why.
        why: NotBytes,
    },
    /// Its values are round and never change: they are read as limits.
    Limits,
    /// None of its limits is of a container with memory.
    LimitsOfOthers,
}

/// What an export says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ExportWarning {
    /// Native histograms were skipped.
    Histograms {
        /// In how many series.
        n_series: u64,
    },
    /// The response says that it is partial.
    Partial,
    /// A warning of the server, as it gave it.
    Server(String),
    /// Texts or numbers are too long: their beginning is used.
    TooLong {
        /// How many.
        n: u64,
        /// How long they may be, in bytes.
        longest: usize,
    },
    /// Its JSON breaks off.
    BreaksOff {
        /// After how many bytes.
        bytes: u64,
    },
    /// Its JSON cannot be read further.
    Unreadable {
        /// After how many bytes.
        bytes: u64,
        /// The error of the JSON.
        error: String,
    },
    /// Restart metrics are of containers without memory.
    RestartsOfOthers {
        /// The number of series of each metric.
        series: BTreeMap<String, u64>,
    },
    /// The kernel of a machine killed for memory; whom is not said.
    HostKills {
        /// The machine, where it is named.
        host: Option<String>,
        /// How many kills.
        n: u64,
        /// When the first was known, in milliseconds since 1970.
        first_ms: i64,
    },
}

impl Warning {
    /// The same of a file that belongs to the input; `None`: of the input itself.
    pub(crate) fn in_file(self, file: Option<String>) -> Warning {
        match file {
            Some(file) => Warning::InFile { file, warning: Box::new(self) },
            None => self,
        }
    }
}

groups!(Warning {
    Content = ContentWarning,
    Times = TimeWarning,
    Names = NameWarning,
    Amounts = AmountWarning,
    Export = ExportWarning,
    Events = EventWarning,
    Counts = CountWarning,
    Nightly = NightlyWarning,
});
