//! Why a line could not be read, in words: the only place that has them.

use std::fmt;

use crate::account::{
    CountRejection, EventRejection, ExpectedAmount, ExpectedTime, ExportRejection, MAX_WHY_CHARS, ObjectRejection,
    Rejection, RowRejection, SamplePart, StatsRejection, Syntax, cleaned, counted,
};

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejection::Text(text) => f.write_str(text),
            Rejection::InFile { file, rejection } => write!(f, "`{file}`: {rejection}"),
            _ => f.write_str(&cleaned(&Sentence(self).to_string(), MAX_WHY_CHARS)),
        }
    }
}

/// The whole sentence, however long it is.
struct Sentence<'a>(&'a Rejection);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Rejection::Unfinished => f.write_str("the last line is incomplete (the file may still be written to)"),
            Rejection::TooLong { longest } => {
                write!(f, "the line is longer than {} KiB (expected one reading per line)", longest >> 10)
            }
            Rejection::NumberCut => f.write_str("its last number is truncated"),
            Rejection::NoTime => f.write_str("it has no time"),
            Rejection::NotATime { found, expected } => {
                let expected = match expected {
                    ExpectedTime::EpochOrDate => "an epoch or a date with a time",
                    ExpectedTime::DigitsOrDate => {
                        "seconds since 1970 in 10 digits, milliseconds in 13, or a date with a time"
                    }
                    ExpectedTime::Seconds => "seconds since 1970",
                    ExpectedTime::Date => "something like `2026-11-23T20:07:00Z`",
                    ExpectedTime::Parsed(error) => return write!(f, "`{found}` is not a time: {error}"),
                };
                write!(f, "`{found}` is not a time (expected {expected})")
            }
            Rejection::NoYear { found } => write!(f, "`{found}` has no year (expected a date with a year)"),
            Rejection::NotAnAmount { found, expected } => {
                let (what, expected) = match expected {
                    ExpectedAmount::Bytes => ("", "a number of bytes"),
                    ExpectedAmount::Range => ("", "0 to 2^53 bytes"),
                    ExpectedAmount::BytesOrUnit => ("the value ", "a number of bytes, or something like `145MB`"),
                    ExpectedAmount::BytesOrUnitInText => ("the text ", "a number of bytes, or something like `145MB`"),
                };
                write!(f, "{what}`{found}` is not an amount of memory (expected {expected})")
            }
            Rejection::Amount { error } => f.write_str(error),
            Rejection::Negative { found } => write!(f, "`{found}` is negative (expected an amount of memory)"),
            Rejection::OutOfRange { found } => write!(f, "`{found}` is out of range (expected 0 to 2^53 bytes)"),
            Rejection::NoName => f.write_str("it names no container"),
            Rejection::Row(rejection) => row(rejection, f),
            Rejection::Stats(rejection) => stats(rejection, f),
            Rejection::Object(rejection) => object(rejection, f),
            Rejection::Export(rejection) => export(rejection, f),
            Rejection::Count(rejection) => count(rejection, f),
            Rejection::Event(rejection) => event(rejection, f),
            Rejection::InPart { part, rejection } => write!(f, "`{part}`: {}", Sentence(rejection)),
            Rejection::InFile { .. } | Rejection::Text(_) => self.0.fmt(f),
        }
    }
}

fn row(rejection: &RowRejection, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(match rejection {
        RowRejection::NoHeader => {
            "no header was found before it (expected one such as `time,web,api` or `time,container,memory`)"
        }
        RowRejection::Fields { found, expected } => {
            let found = counted(*found as u64, "field");
            return write!(f, "it has {found} (expected {expected}, as in the first line)");
        }
        RowRejection::NoComma => "there is no comma in it (expected `epoch,512.3MiB`)",
        RowRejection::NothingAfterTime => "there is nothing after its time (expected `epoch,512.3MiB`)",
        RowRejection::NoUnit { found } => {
            return write!(f, "`{found}` has no unit, unlike the rows before it (expected one such as MiB)");
        }
        RowRejection::NoTime => {
            "it has no time (expected a date with a time, or seconds, milliseconds, microseconds or nanoseconds since 1970)"
        },
        RowRejection::NotANumber => "its memory is not a number (expected an amount, or null where there is none)",
        RowRejection::Negative => "its memory is negative (expected an amount of memory)",
        RowRejection::OutOfRange => "its memory is out of range (expected 0 to 2^53 bytes)",
        RowRejection::NotAnAmount => {
            "its memory is not an amount (expected something like `512.3MiB`, or a number)"
        }
    })
}

fn stats(rejection: &StatsRejection, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(match rejection {
        StatsRejection::Json { error } => return write!(f, "this is not a JSON object: {error}"),
        StatsRejection::NoMemUsage => {
            "there is no `MemUsage` in it (expected the output of `docker stats --format '{{json .}}'`)"
        }
        StatsRejection::JsonBreaksOff => "the JSON object that begins here has no end (expected a closing brace)",
        StatsRejection::JsonAsTemplate => {
            "docker before 23.0 treats `--format json` as a template (expected the output of `--format '{{json .}}'`)"
        }
        StatsRejection::Columns { found, expected } => {
            return write!(
                f,
                "found {found} columns without an amount of memory (expected {expected}, as in the header)"
            );
        }
        StatsRejection::NoAmount => {
            "no amount of memory found (expected a container, `USED / LIMIT` and more, in columns at least two spaces apart)"
        }
        StatsRejection::MoreThanOne => {
            "more columns than a row has: are these two rows on one line, the first one truncated? (expected one container per line)"
        }
        StatsRejection::Failed => "the command failed here: this reading is missing",
    })
}

fn object(rejection: &ObjectRejection, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(match rejection {
        ObjectRejection::AtEnd => "the object breaks off at the end of the file",
        ObjectRejection::TooLong { longest } => return write!(f, "the object is longer than {} KiB", longest >> 10),
        ObjectRejection::BreaksOff { before, syntax } => {
            f.write_str("the object breaks off before ")?;
            match before {
                Some(before) => write!(f, "`{before}`")?,
                None => f.write_str("the end of the line")?,
            }
            return write!(f, " ({syntax})");
        }
        ObjectRejection::TimeOfAnother => "the timestamp on its line belongs to the incomplete object before it",
        ObjectRejection::NoBeginning => {
            "it is part of an object whose beginning was not read (expected the output of `console.log(process.memoryUsage())`, or JSON)"
        }
    })
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Syntax::Key => "expected a key or `}`",
            Syntax::String => "a string does not end on its line",
            Syntax::Colon => "expected `:` after a key",
            Syntax::Depth => "it is nested too deeply",
            Syntax::Value => "expected a value",
            Syntax::Comma => "expected `,` or `}` after a value",
        })
    }
}

fn export(rejection: &ExportRejection, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const EXPECTED: &str = "(expected `metric{label=\"value\"} 1048576 1700000000.000`)";
    let name = |part: &SamplePart| match part {
        SamplePart::Value => "value",
        SamplePart::Time => "time",
    };
    match rejection {
        ExportRejection::Json { error } => f.write_str(error),
        ExportRejection::NotAPoint => f.write_str("this is not a point (expected `[seconds, \"bytes\"]`)"),
        ExportRejection::Unpaired { values, times } => {
            write!(f, "it has {values} values and {times} times (expected the same number of each)")
        }
        ExportRejection::Unfinished => f.write_str("the last line is incomplete"),
        ExportRejection::NoLabels => write!(f, "it does not begin with a metric and its labels {EXPECTED}"),
        ExportRejection::Missing(part) => write!(f, "it has no {} {EXPECTED}", name(part)),
        ExportRejection::Not { part, found } => write!(f, "`{found}` is not a {} {EXPECTED}", name(part)),
    }
}

fn count(rejection: &CountRejection, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(match rejection {
        CountRejection::NotAChange => {
            "no time and label (expected something like `2026-11-23T20:07:00Z,deploy a1b2c3`)"
        }
        CountRejection::NotLater { found } => {
            return write!(f, "`{found}` is not later than the row before (expected rows in time order)");
        }
        CountRejection::NotANumber { found } if found.is_empty() => "it is not a number",
        CountRejection::NotANumber { found } => return write!(f, "`{found}` is not a number"),
        CountRejection::NoEndpoint => "it has no endpoint",
        CountRejection::NotACount { found } => {
            return write!(f, "`{found}` is not a number of requests (expected something like `25`)");
        }
        CountRejection::NoTime => {
            "it has no time (expected something like `[23/Nov/2026:20:07:00 +0000]`, or a time at its beginning)"
        }
        CountRejection::Morgan => {
            "it is a request without a time, as morgan's `tiny`, `short` and `dev` print it: use `combined`, or take \
             the log with `docker logs -t`"
        }
        CountRejection::NoRequest => {
            "no request follows the time (expected something like `\"GET /path HTTP/1.1\" 200`)"
        }
        CountRejection::Json { error } => return write!(f, "it is not a JSON object: {error}"),
        CountRejection::Array { error } => return write!(f, "the array is broken: {error}"),
    })
}

fn event(rejection: &EventRejection, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(match rejection {
        EventRejection::NoBeginning => {
            "it does not begin with a time and a type (expected something like `2026-11-23T20:13:08.484231306Z container oom ...`)"
        }
        EventRejection::NoAction => "an action is missing after the container (expected something like `die`)",
        EventRejection::NoContainer => {
            "no action and container ID follow `container` (expected something like `container die 3f29... (name=web)`)"
        }
        EventRejection::UnknownType { found, known } => {
            let known = known.join(", ");
            return write!(f, "`{found}` is not a type of event (expected `container`, or one of {known})");
        }
        EventRejection::Json { error } => return write!(f, "it is not the JSON of an event: {error}"),
        EventRejection::NoKey { keys: (one, other) } => {
            return write!(f, "it has neither `{one}` nor `{other}` (expected an event of `docker events`)");
        }
    })
}
