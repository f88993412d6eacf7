//! Why nothing in an input could be used, in words: the only place that has them.

use std::fmt;

use crate::account::{
    ColumnFault, ColumnList, CovariateFault, Foreign, Format, Rejection, ResponseFault, Unusable, counted,
};

/// What an input can be.
const EXPECTED: &str = "docker stats text, `epoch,512.3MiB` lines, CSV with a header or a Prometheus response";
/// What covariates can be.
const EXPECTED_COVARIATES: &str =
    "expected CSV with a header, a column of times and columns of numbers, or a Prometheus response";

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unusable::Empty => write!(f, "it is empty (expected {EXPECTED})"),
            Unusable::Foreign(foreign) => foreign.fmt(f),
            Unusable::CarriageReturns => f.write_str(
                "its lines end with carriage returns alone (expected line feeds: `tr '\\r' '\\n'` makes them)",
            ),
            Unusable::NoColumn { role, column, columns } => write!(
                f,
                "it has no column `{column}`, which `--column {role}={column}` names (expected one of {columns})"
            ),
            Unusable::NoTimes { column, found } => write!(
                f,
                "it is a table whose column `{column}` begins with `{found}`, which is not a time (expected seconds since \
                 1970 or a date with a time, such as `2026-11-23 20:06:40`)"
            ),
            Unusable::Columns { why, columns } => write!(
                f,
                "{why}: its columns are {columns} (expected a time, the name of a container and its memory; say which \
                 they are with `--column time=NAME --column series=NAME --column value=NAME`)"
            ),
            Unusable::AllRejected { format, n, line, why } => all_rejected(*format, *n, *line, why, f),
            Unusable::NoReading { format } => no_reading(*format, f),
            Unusable::NoRows => f.write_str("its table has no rows (expected one for each reading)"),
            Unusable::NotBytes(why) => why.fmt(f),
            Unusable::OnlyLimits => f.write_str(
                "it holds memory limits but no memory (pass it together with an export of \
                 `container_memory_working_set_bytes`)",
            ),
            Unusable::OnlyRestarts => f.write_str(
                "it holds restart metrics but no memory (pass it together with an export of \
                 `container_memory_working_set_bytes`)",
            ),
            Unusable::OnlyOwners => f.write_str(
                "it holds owners of pods but no memory (pass it together with an export of \
                 `container_memory_working_set_bytes`, whose pods are then judged by workload)",
            ),
            Unusable::Untimed => {
                f.write_str("it has no times, while other inputs have: give the time of its last reading with `--end`")
            }
            Unusable::NoTables => f.write_str(
                "it is a directory without tables (expected files that end in .parquet, .arrow, .feather or .ipc; give \
                 logs and other files by their names)",
            ),
            Unusable::Response(fault) => fault.fmt(f),
            Unusable::NoEvent => f.write_str(
                "no event was recognised in it (expected the output of `docker events`, as text or as JSON lines, of \
                 `kubectl get events -o json` or `kubectl get pods -o json`, or the log of a kernel or an application)",
            ),
            Unusable::NoChange { why } => write!(f, "no change was recognised in it: {why}"),
            Unusable::NoRequest { why: None } => f.write_str("no request was recognised in it (it is empty)"),
            Unusable::NoRequest { why: Some(why) } => {
                write!(f, "no request was recognised in it (first line: {why})")
            }
            Unusable::Covariates(fault) => fault.fmt(f),
            Unusable::NoLog => f.write_str("there is no such file, nor one that was rotated from it"),
            Unusable::TableAsLog => {
                f.write_str("it is a table, not a log that grows (expected a log; `leaktrend analyze` reads tables)")
            }
            Unusable::Several(all) => {
                let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                f.write_str(&all.join("; "))
            }
            Unusable::Unreadable(text) => f.write_str(text),
        }
    }
}

/// What a format calls a reading.
fn reading(format: Format) -> String {
    match format {
        Format::TrendCsv => "line of `epoch,512.3MiB`".to_owned(),
        Format::CsvTable | Format::Parquet | Format::Arrow => "row of its table".to_owned(),
        Format::NodeMemory => "reading of `process.memoryUsage()`".to_owned(),
        Format::Prometheus => "sample of the dump".to_owned(),
        _ => format!("row of `{}`", format.command().unwrap_or_default()),
    }
}

fn all_rejected(format: Format, n: u64, line: u64, why: &Rejection, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "no {} could be read: ", reading(format))?;
    match format {
        Format::Prometheus => write!(f, "line {line}: {why}"),
        Format::CsvTable => write!(f, "{} rejected, the first on line {line}: {why}", counted(n, "value")),
        Format::Parquet | Format::Arrow => {
            write!(f, "{} rejected, the first in row {line}: {why}", counted(n, "value"))
        }
        _ => write!(f, "{} rejected, the first is line {line}: {why}", counted(n, "line")),
    }
}

fn no_reading(format: Format, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match format {
        Format::Prometheus => f.write_str("it is a dump without a sample"),
        Format::CsvTable => {
            f.write_str("its table holds no memory (expected a column for each container, or one of memory)")
        }
        Format::Parquet | Format::Arrow => f.write_str("its table holds no memory readings: all values are null"),
        Format::TrendCsv => write!(f, "it holds no {} (only blank lines)", reading(format)),
        Format::NodeMemory => {
            write!(f, "it holds no {} (expected objects with `rss` or `heapUsed`)", reading(format))
        }
        _ => write!(f, "it holds no {} (only headers, blank lines or other text)", reading(format)),
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Foreign::Zip => return write!(f, "it is a zip archive (expected {EXPECTED})"),
            Foreign::Bzip2 => return write!(f, "it is compressed with bzip2 (expected {EXPECTED})"),
            Foreign::Xz => return write!(f, "it is compressed with xz (expected {EXPECTED})"),
            Foreign::Binary => return write!(f, "it is binary (expected {EXPECTED})"),
            Foreign::Json { begins } => {
                return write!(f, "it is JSON of another kind: it begins with `{begins}` (expected {EXPECTED})");
            }
            Foreign::Text { begins } => {
                return write!(f, "no reading was recognised in it: it begins with `{begins}` (expected {EXPECTED})");
            }
            Foreign::DockerEvents => {
                "it is output of `docker events`, which holds no memory readings (expected the output of `docker \
                 stats` or another format; pass this file with `--events`)"
            }
            Foreign::KubernetesObjects => {
                "it is output of `kubectl get -o json`, which holds events or pods but no memory readings (expected \
                 the output of `kubectl top pod --containers` or another format; pass this file with `--events`)"
            }
            Foreign::KernelLog => {
                "it is a kernel log, which holds no memory readings (expected the output of `docker stats` or another \
                 format; pass this file with `--events`)"
            }
            Foreign::CollectionLog => {
                "it is a garbage collection log of a Java virtual machine, which shows the heap but not the container \
                 (expected readings of the container, such as the output of `docker stats`)"
            }
            Foreign::NodeKeys => {
                "it holds keys of `process.memoryUsage()`, but no complete object (expected the output of \
                 `console.log(process.memoryUsage())`, or JSON: `console.log(JSON.stringify({ time: new Date(), \
                 ...process.memoryUsage() }))`)"
            }
            Foreign::Pidstat => {
                "it is output of `pidstat -r`: processes, not containers, and times without a date (expected readings \
                 of containers, or `epoch,512.3MiB` lines)"
            }
            Foreign::TopNode => {
                "it is output of `kubectl top node`: machines, not containers (expected `kubectl top pod --containers`)"
            }
            Foreign::DockerPs => {
                "it is output of `docker ps`, which holds no memory readings (expected the output of `docker stats --no-stream`)"
            }
            Foreign::Machine => {
                "it is the memory of a machine, from `free`, `top` or /proc/meminfo (expected readings of containers, \
                 such as the output of `docker stats`)"
            }
            Foreign::Ps => {
                "it is output of `ps`: processes, not containers (expected readings of containers, such as the output of `docker stats`)"
            }
            Foreign::Promtool => {
                "it is text output of `promtool query` (expected the same with `-o json`)"
            }
            Foreign::Semicolons => {
                "it is output of `docker stats` separated by semicolons, without timestamps (expected `docker stats \
                 --no-stream --format '{{json .}}'`, each line prefixed with `date -u +%FT%TZ`)"
            }
        })
    }
}

impl fmt::Display for ColumnList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |(name, kind): &(String, Option<String>)| match kind {
            Some(kind) => format!("`{name}` ({kind})"),
            None => format!("`{name}`"),
        };
        match self.columns.as_slice() {
            [] => f.write_str("none"),
            columns => f.write_str(&columns.iter().map(name).collect::<Vec<_>>().join(", ")),
        }?;
        if self.more == 0 { Ok(()) } else { write!(f, " and {} more", self.more) }
    }
}

impl fmt::Display for ColumnFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnFault::NoTime => f.write_str("no column of time was found in it"),
            ColumnFault::NotTimes(column) => write!(f, "its column `{column}` does not hold times"),
            ColumnFault::NotMemory(column) => write!(f, "its column `{column}` does not hold memory"),
            ColumnFault::NotNames(column) => write!(f, "its column `{column}` does not hold names"),
            ColumnFault::OtherMetric { column, is } => write!(f, "its column `{column}` is {is}, not memory"),
            ColumnFault::Unclear(column) => write!(
                f,
                "it is not clear which of its columns names the container and which is its memory (does `{column}` \
                 name the container?)"
            ),
            ColumnFault::NoNumbers => f.write_str("no column of numbers was found in it"),
        }
    }
}

impl fmt::Display for ResponseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResponseFault::Json { error } => {
                write!(f, "it is not valid JSON: {error} (expected a Prometheus response)")
            }
            ResponseFault::Error { kind, error, too_many_points } => {
                let hint = if *too_many_points {
                    "query fewer points: use a longer `step`, or split the time over several files; or query every \
                     scrape, which has no such limit: `/api/v1/query` with `metric[2d]`"
                } else {
                    "expected a response with readings"
                };
                write!(f, "Prometheus answered with an error: {kind}: {error} ({hint})")
            }
            ResponseFault::Instant { result_type } => write!(
                f,
                "its resultType is `{result_type}`, a single point in time (expected `matrix`: ask for `metric[24h]`, or use query_range)"
            ),
            ResponseFault::OtherType { result_type } => {
                write!(f, "its resultType is `{result_type}` (expected `matrix`)")
            }
            ResponseFault::SingleValues => {
                f.write_str("it holds single values (expected `matrix`: ask for `metric[24h]`, or use query_range)")
            }
            ResponseFault::Histograms => {
                f.write_str("it holds only native histograms (expected `values`: amounts of memory)")
            }
            ResponseFault::NoSeries => f.write_str("the matrix is empty: the query found no series"),
            ResponseFault::NoResult => f.write_str(
                "it is JSON without a `result` (expected a Prometheus response with `data.result`, or its bare array)",
            ),
        }
    }
}

impl fmt::Display for CovariateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CovariateFault::Empty => write!(f, "it is empty ({EXPECTED_COVARIATES})"),
            CovariateFault::NoHeader => {
                write!(f, "it has no header with several columns ({EXPECTED_COVARIATES})")
            }
            CovariateFault::NoRow { why, is_typed } => {
                let expected =
                    if *is_typed { "expected a column of times, and columns of numbers" } else { EXPECTED_COVARIATES };
                match why {
                    Some(why) => write!(f, "no row could be read: {why} ({expected})"),
                    None => write!(f, "no row could be read: no row follows the header ({expected})"),
                }
            }
            CovariateFault::Columns(columns) => {
                write!(f, "its columns are {columns} (expected a column of times, and columns of numbers)")
            }
            CovariateFault::Response { error } => {
                write!(f, "it is not a Prometheus response: {error} (expected a matrix, as from a range query)")
            }
            CovariateFault::ResponseError { error } => {
                let error = error.as_deref().unwrap_or("it holds no data");
                write!(f, "the Prometheus response is an error: {error}")
            }
            CovariateFault::Instant => f.write_str(
                "the Prometheus response holds a single point in time (expected a matrix, as from a range query)",
            ),
        }
    }
}
