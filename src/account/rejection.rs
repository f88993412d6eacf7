//! Why a line could not be read, as data; `report::words::rejections` puts it into words.

use serde::{Deserialize, Serialize};

use super::{MAX_WHY_CHARS, cleaned};

/// Why a line could not be read.
///
/// Its sentence is what `Display` writes: what was found and what was expected. Histories and Parquet files hold it as
/// data; what earlier versions wrote holds sentences, which are read as `Text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rejection {
    /// It is the last line, and may still be written.
    Unfinished,
    /// It is longer than any reading.
    TooLong {
        /// How long a line may be, in bytes.
        longest: usize,
    },
    /// Its last number has lost digits.
    NumberCut,
    /// It has no time.
    NoTime,
    /// What stands in the place of its time is not one.
    NotATime {
        /// What was found.
        found: String,
        /// What was expected.
        expected: ExpectedTime,
    },
    /// Its date has no year.
    NoYear {
        /// The date.
        found: String,
    },
    /// What stands in the place of its memory is not an amount.
    NotAnAmount {
        /// What was found.
        found: String,
        /// What was expected.
        expected: ExpectedAmount,
    },
    /// An amount of memory cannot be read.
    Amount {
        /// The error.
        error: String,
    },
    /// Its memory is below zero.
    Negative {
        /// What was found.
        found: String,
    },
    /// Its memory is more than 2^53 bytes.
    OutOfRange {
        /// What was found.
        found: String,
    },
    /// It names no container.
    NoName,
    /// A row of a table.
    Row(RowRejection),
    /// A row or an object of `docker stats` and its like.
    Stats(StatsRejection),
    /// An object of `process.memoryUsage()`.
    Object(ObjectRejection),
    /// A sample of an export.
    Export(ExportRejection),
    /// A request, a covariate or a change.
    Count(CountRejection),
    /// An event of `docker events`.
    Event(EventRejection),
    /// A part of an object could not be read, the others could.
    InPart {
        /// The key of the part.
        part: String,
        /// Why.
        rejection: Box<Rejection>,
    },
    /// The line is in a file that belongs to the input.
    InFile {
        /// The name of the file.
        file: String,
        /// Why.
        rejection: Box<Rejection>,
    },
    /// A sentence that an earlier version stored.
    #[serde(untagged)]
    Text(String),
}

/// What could have been a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ExpectedTime {
    /// Seconds since 1970 or smaller units, or a date with a time.
    EpochOrDate,
    /// The same, of a number of digits that says which.
    DigitsOrDate,
    /// Seconds since 1970.
    Seconds,
    /// A date with a time as in RFC 3339.
    Date,
    /// The same; with the error of the parser.
    Parsed(String),
}

/// What could have been an amount of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ExpectedAmount {
    /// A number of bytes.
    Bytes,
    /// 0 to 2^53 bytes.
    Range,
    /// A number of bytes, or a number and a unit; a value was found.
    BytesOrUnit,
    /// The same; a text was found.
    BytesOrUnitInText,
}

/// What is wrong with a row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RowRejection {
    /// No header stands before it.
    NoHeader,
    /// It has another number of fields than the first line.
    Fields {
        /// How many it has.
        found: usize,
        /// How many the first line has.
        expected: usize,
    },
    /// It has no comma.
    NoComma,
    /// Nothing follows its time.
    NothingAfterTime,
    /// Its number has no unit, unlike those before.
    NoUnit {
        /// The number.
        found: String,
    },
    /// A typed cell of a time holds none.
    NoTime,
    /// A typed cell of memory is not a number.
    NotANumber,
    /// A typed cell of memory is below zero.
    Negative,
    /// A typed cell of memory is more than 2^53 bytes.
    OutOfRange,
    /// A cell of text is not an amount of memory.
    NotAnAmount,
}

/// What is wrong with a row or an object of `docker stats`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StatsRejection {
    /// It begins like JSON but is not JSON.
    Json {
        /// The error of the JSON.
        error: String,
    },
    /// JSON of another kind.
    NoMemUsage,
    /// An object over several lines ends before it is whole.
    JsonBreaksOff,
    /// It is the word `json`, which old versions of docker print for `--format json`.
    JsonAsTemplate,
    /// It has as many columns as a row, and no memory.
    Columns {
        /// How many it has.
        found: usize,
        /// How many the header has.
        expected: usize,
    },
    /// It has no memory where a row has it.
    NoAmount,
    /// It has memory, and more than one container before it or more behind it than a row has.
    MoreThanOne,
    /// The command said that it failed.
    Failed,
}

/// What is wrong with an object of `process.memoryUsage()`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ObjectRejection {
    /// It breaks off at the end of the file.
    AtEnd,
    /// It is longer than any reading.
    TooLong {
        /// How long an object may be, in bytes.
        longest: usize,
    },
    /// It breaks off before its end.
    BreaksOff {
        /// What follows; `None`: nothing on its line.
        before: Option<String>,
        /// What is wrong there.
        syntax: Syntax,
    },
    /// The time on its line is that of an object that broke off.
    TimeOfAnother,
    /// Its beginning was not read.
    NoBeginning,
}

/// What does not go on as an object does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Syntax {
    /// A key or the end was expected.
    Key,
    /// A string does not end on its line.
    String,
    /// A colon was expected.
    Colon,
    /// It is nested too deeply.
    Depth,
    /// A value was expected.
    Value,
    /// A comma or the end was expected.
    Comma,
}

/// What is wrong with a sample of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ExportRejection {
    /// Its JSON cannot be read.
    Json {
        /// The error of the JSON.
        error: String,
    },
    /// It is not a point of a matrix.
    NotAPoint,
    /// It has more values than times, or fewer.
    Unpaired {
        /// How many values.
        values: usize,
        /// How many times.
        times: usize,
    },
    /// The last line of a dump was cut.
    Unfinished,
    /// It does not begin with a metric and its labels.
    NoLabels,
    /// It has no value or no time.
    Missing(SamplePart),
    /// Its value or its time is not one.
    Not {
        /// Which.
        part: SamplePart,
        /// What was found.
        found: String,
    },
}

/// A part of a sample in a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SamplePart {
    /// Its value.
    Value,
    /// Its time.
    Time,
}

/// What is wrong with a request, a covariate or a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CountRejection {
    /// It is no change: a time and a label.
    NotAChange,
    /// It is not later than the row before.
    NotLater {
        /// Its time.
        found: String,
    },
    /// A covariate is not a number.
    NotANumber {
        /// What was found; empty where that is the whole text.
        found: String,
    },
    /// It has no endpoint.
    NoEndpoint,
    /// The number of requests is not one.
    NotACount {
        /// What was found.
        found: String,
    },
    /// A request has no time.
    NoTime,
    /// A request has no time, as morgan prints it.
    Morgan,
    /// No request follows the time.
    NoRequest,
    /// It is not a JSON object.
    Json {
        /// The error of the JSON.
        error: String,
    },
    /// The array of requests is broken.
    Array {
        /// The error of the JSON.
        error: String,
    },
}

/// What is wrong with an event of `docker events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventRejection {
    /// It does not begin with a time and a type.
    NoBeginning,
    /// No action follows the container.
    NoAction,
    /// No action and container follow the type.
    NoContainer,
    /// Its type is unknown.
    UnknownType {
        /// The type.
        found: String,
        /// Those that are known, beside `container`.
        known: Vec<String>,
    },
    /// It is not the JSON of an event.
    Json {
        /// The error of the JSON.
        error: String,
    },
    /// It has neither of two keys.
    NoKey {
        /// The two.
        keys: (String, String),
    },
}

impl Rejection {
    /// The amount that was found cannot be read.
    pub(crate) fn amount(error: impl std::fmt::Display) -> Rejection {
        Rejection::Amount { error: error.to_string() }
    }

    /// As it is kept. What may be said of every line of a long log is shortened only here.
    pub(super) fn kept(mut self) -> Rejection {
        if let Rejection::Amount { error } | Rejection::Stats(StatsRejection::Json { error }) = &mut self {
            *error = cleaned(error, MAX_WHY_CHARS);
        }
        self
    }

    /// What was found is not a time.
    pub(crate) fn not_a_time(found: &str, expected: ExpectedTime) -> Rejection {
        Rejection::NotATime { found: cleaned(found, MAX_WHY_CHARS), expected }
    }

    /// What was found is not an amount.
    pub(crate) fn not_an_amount(found: &str, expected: ExpectedAmount) -> Rejection {
        Rejection::NotAnAmount { found: cleaned(found, MAX_WHY_CHARS), expected }
    }

    /// The amount that was found is below zero.
    pub(crate) fn negative(found: &str) -> Rejection {
        Rejection::Negative { found: cleaned(found, MAX_WHY_CHARS) }
    }

    /// The amount that was found is too large.
    pub(crate) fn out_of_range(found: &str) -> Rejection {
        Rejection::OutOfRange { found: cleaned(found, MAX_WHY_CHARS) }
    }

    /// The same of a file that belongs to the input; `None`: of the input itself.
    pub(crate) fn in_file(self, file: Option<String>) -> Rejection {
        match file {
            Some(file) => Rejection::InFile { file, rejection: Box::new(self) },
            None => self,
        }
    }
}

groups!(Rejection {
    Row = RowRejection,
    Stats = StatsRejection,
    Object = ObjectRejection,
    Export = ExportRejection,
    Count = CountRejection,
    Event = EventRejection,
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{ContentWarning, Dated, Format, NotBytes, NumbersOf, TimeWarning, Unusable, Warning};

    #[test]
    fn what_is_stored_is_what_was_said() {
        let beyond = ObjectRejection::BreaksOff { before: Some("}".to_owned()), syntax: Syntax::Value };
        let of_part = Rejection::InPart { part: "rss".to_owned(), rejection: Box::new(Rejection::negative("-5")) };
        let rejections = [Rejection::Unfinished, Rejection::from(beyond), of_part, RowRejection::NoTime.into()]
            .map(|rejection| rejection.in_file(Some("memory.log.1".to_owned())));
        let text = serde_json::to_string(&rejections).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Rejection>>(&text).unwrap(), rejections, "{text}");
        let warnings = [
            Warning::from(ContentWarning::HeaderOfFileBefore).in_file(Some("memory.log.1".to_owned())),
            TimeWarning::NoDate { example: "20:07".to_owned(), dated: Dated::Later }.into(),
            Warning::Text("as it was".to_owned()),
        ];
        let text = serde_json::to_string(&warnings).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Warning>>(&text).unwrap(), warnings, "{text}");
        assert!(text.ends_with(r#","as it was"]"#), "what earlier versions wrote: {text}");
        let not_bytes = NotBytes::Share { of: NumbersOf::Metric("up".to_owned()), smallest: 0.25, largest: 1.0 };
        let all = [
            Unusable::AllRejected { format: Format::TrendCsv, n: 2, line: 1, why: RowRejection::NoComma.into() },
            Unusable::Several(vec![Unusable::NoLog, not_bytes.into()]),
            Unusable::Unreadable("as it was".to_owned()),
        ];
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Unusable>>(&text).unwrap(), all, "{text}");
        assert!(text.ends_with(r#","as it was"]"#), "what earlier versions wrote: {text}");
        let text: Rejection = serde_json::from_str(r#""as it was""#).unwrap();
        assert_eq!((text.to_string().as_str(), text), ("as it was", Rejection::Text("as it was".to_owned())));
    }

    #[test]
    fn a_rejection_is_one_line_of_a_sensible_length() {
        let long = "\u{1b}[2J".to_owned() + &"9".repeat(1000);
        let rejection = Rejection::negative(&long).in_file(Some("memory.log.1".to_owned())).to_string();
        assert!(rejection.starts_with("`memory.log.1`: `[2J999"), "{rejection}");
        assert_eq!(rejection.chars().count(), "`memory.log.1`: ".len() + MAX_WHY_CHARS);
    }
}
