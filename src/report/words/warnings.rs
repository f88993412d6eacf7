//! What must be known of an input, in words: the only place that has them.

use std::fmt;

use crate::account::{
    AmountWarning, ContentWarning, CountWarning, Dated, EndFrom, EventWarning, ExportWarning, LeftOut, Measure,
    NameWarning, Named, NightlyWarning, NotBytes, NumbersOf, Purpose, TableChange, TimeWarning, Warning, WholeOf,
    counted,
};
use crate::units::{duration_text, memory_text, time_text};

/// What to ask for instead of numbers that are not bytes.
const ASK: &str =
    "expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=\"\"}`";

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Content(warning) => content(warning, f),
            Warning::Times(warning) => times(warning, f),
            Warning::Names(warning) => names(warning, f),
            Warning::Amounts(warning) => amounts(warning, f),
            Warning::Export(warning) => export(warning, f),
            Warning::Events(warning) => events(warning, f),
            Warning::Counts(warning) => counts(warning, f),
            Warning::Nightly(warning) => nightly(warning, f),
            Warning::InFile { file, warning } => write!(f, "`{file}`: {warning}"),
            Warning::Text(text) => f.write_str(text),
        }
    }
}

fn content(warning: &ContentWarning, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match warning {
        ContentWarning::GivenAgain => f.write_str("it is given more than once: it was read once"),
        ContentWarning::Empty { of } => f.write_str(match of {
            Purpose::Readings | Purpose::Covariates => "it is empty",
            Purpose::Events => "it is empty: it says nothing about restarts",
            Purpose::Changes => "it is empty: it names no changes",
        }),
        ContentWarning::BreaksOff { why } => write!(f, "{why}; the part before that is used"),
        ContentWarning::NulBytes { n } => {
            let was = if *n == 1 { "was" } else { "were" };
            let n = counted(*n, "NUL byte");
            write!(f, "{n} before its text {was} skipped (was it truncated while it was written to?)")
        }
        ContentWarning::OtherText { n, line, text } => {
            let n = number(*n, "line is not a reading", "lines are not readings");
            write!(f, "{n} but other text (line {line}: `{text}`)")
        }
        ContentWarning::NoValues => f.write_str(
            "it holds no values (`--` or `0B / 0B`): the containers are not running, or the kernel does not count memory (is the memory cgroup enabled?)",
        ),
        ContentWarning::ColumnsLeftOut { columns, more } => {
            write!(f, "columns that are not the memory of a container are left out: {}", listed(columns))?;
            if *more == 0 { Ok(()) } else { write!(f, " and {more} more") }
        }
        ContentWarning::HeaderOfFileBefore => f.write_str("it has no header: the header of the file before it is used"),
        ContentWarning::TableChanged(what) => {
            let what = match what {
                TableChange::Metadata => "its metadata was".to_owned(),
                TableChange::Rows { n } => format!("its {}", number(*n, "row was", "rows were")),
                TableChange::Columns => "its columns were".to_owned(),
            };
            write!(
                f,
                "leaktrend wrote it, but {what} changed since then: it is read like any other table, without the line \
                 counts of its inputs"
            )
        }
    }
}

fn times(warning: &TimeWarning, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match warning {
        TimeWarning::NewestLost => f.write_str("its newest readings are lost, so the others are dated too late"),
        TimeWarning::NoYear => f.write_str(
            "its timestamps have no year, and neither a modification time nor `--end` supplies it: the timestamps are \
             ignored",
        ),
        TimeWarning::YearFromFile { first_ms } => write!(
            f,
            "timestamps have no year: it is taken from the file's modification time, which makes the first one {}",
            at(*first_ms)
        ),
        TimeWarning::NoZone { of, example } => match of {
            Purpose::Covariates => write!(f, "its times, such as `{example}`, have no time zone: they are read as UTC"),
            _ if example.is_empty() => f.write_str("its timestamps have no time zone: they are read as UTC"),
            _ => write!(f, "timestamps without a time zone are read as UTC, such as `{example}`"),
        },
        TimeWarning::ClockJumped { back, after_ms } => {
            let (jumped, season, moved) = if *back { ("back", "end", "forward") } else { ("forward", "start", "back") };
            let after = at(*after_ms);
            write!(
                f,
                "after {}, its clock jumped {jumped} an hour, as at the {season} of summer time: later timestamps are \
                 moved {moved} an hour",
                after.trim_end_matches('Z')
            )
        }
        TimeWarning::NoDate { example, dated } => {
            write!(f, "times of day without a date, such as `{example}`, are assumed to be less than a day apart: ")?;
            match dated {
                Dated::Later => f.write_str("their dates come from a later timestamp"),
                Dated::Nearest { last_ms, end } => {
                    let end = match end {
                        EndFrom::Option => "`--end`",
                        EndFrom::Mtime => "the file's modification time",
                    };
                    write!(f, "the last is taken as {}, the nearest to {end}", at(*last_ms))
                }
                Dated::Nothing => f.write_str("they count back from the last (`--end` gives it a date)"),
            }
        }
        TimeWarning::SomeUntimed { n, of, step_ms } => {
            let have = if *n == 1 { "has" } else { "have" };
            let step = lasting(*step_ms);
            write!(f, "{n} of {of} readings {have} no timestamp: placed next to the readings that do, one every {step}")
        }
        TimeWarning::Untimed { step_ms, end } => {
            write!(f, "assuming one reading every {}", lasting(*step_ms))?;
            match end {
                None => f.write_str("; times count back from the last reading (`--end` gives it a date)"),
                Some((ms, EndFrom::Mtime)) => write!(f, ", the last at {} (the file's modification time)", at(*ms)),
                Some((ms, EndFrom::Option)) => write!(f, ", the last at {} (as `--end` says)", at(*ms)),
            }
        }
        TimeWarning::Missing { n } => {
            let n = number(*n, "reading is", "readings are");
            write!(f, "{n} missing between this file and the next one, judging by their modification times")
        }
        TimeWarning::MovedBack { by_ms } => write!(
            f,
            "its modification time is later than the start of the next file: its readings were moved back by {}",
            lasting(*by_ms)
        ),
        TimeWarning::DowntimeInvisible => {
            f.write_str("it holds one container and no timestamps: downtime is invisible and shifts earlier times")
        }
        TimeWarning::FixedSteps => {
            f.write_str("its columns come from a query with fixed steps: restarts between two steps are invisible")
        }
        TimeWarning::NotATimestamp { line, text } => {
            write!(f, "the text before the container is not a timestamp (line {line}: `{text}`)")
        }
        TimeWarning::RowsRepeat { .. }
        | TimeWarning::Distant { .. }
        | TimeWarning::OutOfOrder { .. }
        | TimeWarning::Twice { .. } => order(warning, f),
    }
}

/// Readings that are not in strict order of time.
fn order(warning: &TimeWarning, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match warning {
        TimeWarning::RowsRepeat { n } => write!(
            f,
            "{} the same series and time as another: the last one is used (if a column distinguishes such rows, name it \
             with `--column series=NAME`)",
            number(*n, "row has", "rows have")
        ),
        TimeWarning::Distant { n, series, first_ms } => write!(
            f,
            "{} dated more than ten years from the others, the first in `{series}` at {}: left out (was a clock not set?)",
            number(*n, "reading is", "readings are"),
            at(*first_ms)
        ),
        TimeWarning::OutOfOrder { n, series, from_ms, to_ms } => write!(
            f,
            "times go back in {}, the first in `{series}` from {} to {}: the readings are sorted by time (was a clock \
             set, or are parts of the file in another order?)",
            counted(*n, "place"),
            at(*from_ms),
            at(*to_ms)
        ),
        TimeWarning::Twice { n, series, first_ms } => write!(
            f,
            "{} the same time as another of the same series, the first in `{series}` at {}: the one read last is kept",
            number(*n, "reading has", "readings have"),
            at(*first_ms)
        ),
        _ => Ok(()),
    }
}

fn names(warning: &NameWarning, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match warning {
        NameWarning::Namesakes { example } => write!(
            f,
            "several containers have the same name at the same time, such as `{example}`: they are told apart by ID"
        ),
        NameWarning::Cut { length, example } => {
            write!(f, "nerdctl cuts names to {length} characters, such as `{example}` (`--no-trunc` keeps them whole)")
        }
        NameWarning::ByRowOrder { n } => write!(
            f,
            "its rows have no names: the {n} containers are identified by row order, which changes when a container is \
             recreated"
        ),
        NameWarning::ByPosition { most } => {
            write!(f, "a reading has up to {most} rows: containers are identified by their position alone")
        }
        NameWarning::Matched { fewest, most } => write!(
            f,
            "the number of rows per reading changes (from {fewest} to {most}): containers are matched by order and by value"
        ),
        NameWarning::Unclear { n, first_ms } => write!(
            f,
            "in {}, the first at {}, it is not clear which container is missing or new: series may be mixed up from there on",
            counted(*n, "reading"),
            at(*first_ms)
        ),
        NameWarning::Moved { n, first_ms, recreated } => {
            let (n, first) = (counted(*n, "reading"), at(*first_ms));
            let moved = if *recreated {
                "a recreated container moved to the first row"
            } else {
                "a container that had just started moved to the last row"
            };
            write!(f, "in {n}, the first at {first}, {moved}: it was recognised by its values")
        }
        NameWarning::TextNames { names } => {
            write!(f, "the text before a reading is used as the name of its process: {}", listed(names))
        }
        NameWarning::TextIgnored { example } => write!(
            f,
            "the text before readings, such as `{example}`, differs too often to be the name of a process: it is ignored"
        ),
        NameWarning::Repeated { n, labels } => {
            let n = number(*n, "series repeats", "series repeat");
            let which = if labels.is_empty() { String::new() } else { format!(" (they differ in {})", listed(labels)) };
            write!(
                f,
                "{n} the container of another series{which}: each container is judged once, and gaps are filled from its \
                 other series"
            )
        }
        NameWarning::LeftOut(all) => {
            let all: Vec<String> = all.iter().map(left_out).collect();
            write!(f, "series that repeat the memory of the containers are left out: {}", all.join(", "))
        }
        NameWarning::Renamed { before, now, more } => {
            write!(
                f,
                "another input has series with the same names (at the same times, or of another format or metric): here \
                 `{before}` is called `{now}`"
            )?;
            if *more == 0 { Ok(()) } else { write!(f, ", and {more} more renamed") }
        }
    }
}

fn left_out(LeftOut { of, n, names }: &LeftOut) -> String {
    let of = match of {
        WholeOf::Pause => "of `POD`",
        WholeOf::Pod => "of pods as a whole",
        WholeOf::Cgroup => "of parent cgroups",
    };
    let more = if (names.len() as u64) < *n { ", ..." } else { "" };
    let names = if names.is_empty() { String::new() } else { format!(" ({}{more})", listed(names)) };
    format!("{n} {of}{names}")
}

fn amounts(warning: &AmountWarning, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match warning {
        AmountWarning::Small { largest_bytes } => write!(
            f,
            "its numbers have no unit: they are read as bytes, and the largest is {} (pass `--unit KiB` if they are KiB)",
            memory_text(*largest_bytes)
        ),
        AmountWarning::WholeMib => f.write_str(
            "`kubectl top` prints whole MiB, updated about once a minute: smaller or faster changes are invisible",
        ),
        AmountWarning::Binary { example } => {
            write!(f, "kB, MB and GB count powers of 1024 here, as Node programs compute them, such as `{example}`")
        }
        AmountWarning::OtherMetric { metric, is } => {
            write!(f, "`{metric}` is {is}, not an amount of memory")
        }
        AmountWarning::NotBytes { n_series, why } => {
            write!(f, "{why}: {} left out", number(*n_series, "series is", "series are"))
        }
        AmountWarning::Limits => {
            f.write_str("its values are round and never change: they are read as memory limits, not as memory")
        }
        AmountWarning::LimitsOfOthers => f.write_str(
            "none of its limits belongs to a container with memory readings (expected the same `namespace`, `pod` and \
             `container`, or `name`)",
        ),
    }
}

impl fmt::Display for NotBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |smallest: &f64, largest: &f64| {
            if smallest == largest { format!("all {largest}") } else { format!("{smallest} to {largest}") }
        };
        match self {
            NotBytes::OtherMetric { metric, is } => {
                write!(f, "`{metric}` is {is}, not an amount of memory ({ASK})")
            }
            NotBytes::Negative { of, n, total } => {
                let are = if *n == 1 { "is" } else { "are" };
                let of = whose(of);
                write!(f, "{of}: {n} of {total} {are} negative, so they are a difference or a rate, not bytes ({ASK})")
            }
            NotBytes::Zero { of } => {
                write!(f, "{} are all 0, and a running container uses more ({ASK})", whose(of))
            }
            NotBytes::Share { of, smallest, largest } => {
                let (of, range) = (whose(of), range(smallest, largest));
                write!(f, "{of} are {range}, so they are a share or a count, not bytes ({ASK})")
            }
            NotBytes::Small { of, smallest, largest } => write!(
                f,
                "{} are {}, less than 1 MiB, so they are not bytes of a container ({ASK}; if they are MiB, pass `--unit \
                 MiB`; KiB, GiB, kB, MB and GB work too)",
                whose(of),
                range(smallest, largest)
            ),
        }
    }
}

fn whose(numbers: &NumbersOf) -> String {
    match numbers {
        NumbersOf::WithoutUnit => "its numbers without a unit".to_owned(),
        NumbersOf::WithoutMetric => "the values of the answer (its series have no metric name)".to_owned(),
        NumbersOf::Metric(name) => format!("the values of `{name}`"),
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Measure::Counter => "a counter",
            Measure::Count => "a count",
            Measure::Histogram => "a histogram",
            Measure::Time => "a time",
            Measure::Share => "a share",
            Measure::Labels => "a list of labels",
            Measure::Temperature => "a temperature",
            Measure::Rate => "a rate or a share",
            Measure::Setting => "a setting or a size",
        })
    }
}

fn export(warning: &ExportWarning, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match warning {
        ExportWarning::Histograms { n_series } => {
            write!(f, "native histograms, which are not amounts of memory, were skipped in {n_series} series")
        }
        ExportWarning::Partial => f.write_str("the response says that it is partial (`isPartial`)"),
        ExportWarning::Server(text) => write!(f, "the server warns: {text}"),
        ExportWarning::TooLong { n, longest } => {
            let n = number(*n, "text or number in it is", "texts or numbers in it are");
            write!(f, "{n} longer than {} KiB: only the beginning is used", longest >> 10)
        }
        ExportWarning::BreaksOff { bytes } => {
            write!(f, "the JSON breaks off after {bytes} bytes: the series before that are used")
        }
        ExportWarning::Unreadable { bytes, error } => {
            write!(f, "the JSON cannot be read beyond byte {bytes}: {error}; the series before that are used")
        }
        ExportWarning::RestartsOfOthers { series } => {
            let series: Vec<String> = series.iter().map(|(metric, n)| format!("{n} of `{metric}`")).collect();
            let series = series.join(", ");
            write!(f, "restart metrics of containers without memory readings are not used: {series}")
        }
        ExportWarning::HostKills { host, n, first_ms } => write!(
            f,
            "the kernel{} counted {}, the first before {}: `node_vmstat_oom_kill` counts kills on the whole \
             machine and does not say which container was killed",
            host.as_ref().map_or(String::new(), |host| format!(" of `{host}`")),
            counted(*n, "OOM kill"),
            at(*first_ms)
        ),
    }
}

fn events(warning: &EventWarning, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match warning {
        EventWarning::Uncertain { n, series } => write!(
            f,
            "{n} of its events {} not matched with {}: the readings have no times of their own (give `--interval`, and \
             the time of the last one with `--end`)",
            if *n == 1 { "was" } else { "were" },
            named(series)
        ),
        EventWarning::OfOthers { n, containers, is_log } => write!(
            f,
            "its {} not match any container with readings (it names {}){}",
            number(*n, "event does", "events do"),
            named(containers),
            if *is_log { ": name its container with `--events NAME=FILE`" } else { "" }
        ),
        EventWarning::Outside { n } => write!(
            f,
            "the events of containers that have readings ({n}) are all before the first reading or after the last"
        ),
        EventWarning::OfNodes { n } => write!(
            f,
            "{} that a node ran out of memory, but not whose process was killed (the kernel log does)",
            number(*n, "event says", "events say")
        ),
        EventWarning::EarlierRestarts { n } => write!(
            f,
            "{} counted in it without a time: a pod records only the last termination of each container",
            number(*n, "earlier restart is", "earlier restarts are")
        ),
        EventWarning::Untimed { n } => write!(
            f,
            "{} that memory ran out, but not when: not matched with readings (`docker logs --timestamps`, `kubectl logs \
             --timestamps` and `dmesg -T` print times)",
            number(*n, "line says", "lines say")
        ),
        EventWarning::NoMention { n_lines } => {
            write!(f, "it has {}, but no mention of memory running out", counted(*n_lines, "line"))
        }
    }
}

fn counts(warning: &CountWarning, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match warning {
        CountWarning::NoChanges => f.write_str("it holds no changes (expected deploys, starts and images)"),
        CountWarning::TooManyColumns { n, used } => {
            write!(f, "it has {n} columns: only the first {used} are used")
        }
        CountWarning::NoNumbers { columns } => {
            let columns: Vec<String> = columns.iter().map(|(name, kind)| format!("`{name}` ({kind})")).collect();
            write!(f, "its columns without numbers are not used: {}", columns.join(", "))
        }
        CountWarning::Counters { columns } => {
            write!(f, "{}: read as a counter, because it only rises", listed(columns))
        }
        CountWarning::Levels { columns } => {
            write!(f, "{}: read as a level, because it also falls", listed(columns))
        }
        CountWarning::NoValue => f.write_str("it has no value within the time of the memory readings"),
        CountWarning::NoTimes => f.write_str(
            "its requests have no times, so growth cannot be tied to any of them; they are ranked by traffic only",
        ),
        CountWarning::SomeUntimed { n } => {
            let were = if *n == 1 { "was" } else { "were" };
            write!(f, "{} without a time {were} not counted", counted(*n, "request"))
        }
        CountWarning::Outside { n, from_ms, to_ms } => write!(
            f,
            "it has no request within the time of the memory readings: its {} from {} to {}",
            number(*n, "request is", "requests are"),
            at(*from_ms),
            at(*to_ms)
        ),
    }
}

fn nightly(warning: &NightlyWarning, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match warning {
        NightlyWarning::Unusable { file, why } => write!(f, "`{file}` cannot be used: {why}"),
        NightlyWarning::NewUnusable(why) => write!(f, "{why}"),
        NightlyWarning::Spread { n, within_ms, step_ms } => write!(
            f,
            "{n} readings came in the {} since the last known one, more often than every {}: they were spread \
             evenly (set their spacing with `--interval`)",
            lasting(*within_ms),
            lasting(*step_ms)
        ),
        NightlyWarning::After { n, step_ms } => write!(
            f,
            "its modification time is before its last known reading: its new readings ({n}) are placed after that \
             reading, one every {}",
            lasting(*step_ms)
        ),
        NightlyWarning::FarAhead { n } => {
            write!(f, "readings more than a day ahead of this run's clock, not kept: {n}")
        }
        NightlyWarning::Ahead { by_ms } => write!(
            f,
            "its newest reading is {} ahead of this run's clock: check the clocks and the time zone of its times",
            lasting(*by_ms)
        ),
        NightlyWarning::OtherMachine { n } => write!(
            f,
            "left out readings of other containers at times already known: {n}. This looks like the log of \
             another machine (give each machine's log a `--state` folder of its own)"
        ),
    }
}

/// A number of things, with what one is and what several are.
fn number(n: u64, one: &str, several: &str) -> String {
    let what = if n == 1 { one } else { several };
    format!("{n} {what}")
}

fn listed(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn named(Named { names, more }: &Named) -> String {
    let more = if *more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", names.join(", "))
}

fn at(time_ms: i64) -> String {
    time_text(time_ms).unwrap_or_default()
}

fn lasting(ms: i64) -> String {
    duration_text(ms as f64 / 1000.0)
}
