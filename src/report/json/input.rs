//! The account of an input in the JSON verdict.

use serde::Serialize;

use super::value::Name;
use crate::account::{EndFrom, Format, Input, OtherForm, TimeSource};
use crate::report::words;

/// One input.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct InputJson<'a> {
    /// As given; - for standard input.
    path: &'a str,
    /// What it was read as; null when it could not be used.
    format: Option<FormatJson>,
    /// Readings, events or counts that were used.
    samples: u64,
    /// Series that it holds.
    series: u64,
    /// Readings without a value, such as `--`.
    gaps: u64,
    /// Lines without a reading: headers, blank lines, timestamps, other text.
    ignored_lines: u64,
    /// Lines that could not be read.
    rejected_count: u64,
    /// Number of lines; null for inputs without lines. Unless some were read before, `lines` and `extra_values` are the sum
    /// of `samples`, `gaps`, `ignored_lines` and `rejected_count`.
    lines: Option<u64>,
    /// Readings after the first on their line.
    extra_values: u64,
    /// The first 20 lines that could not be read.
    #[cfg_attr(test, schemars(length(max = crate::account::MAX_REJECTED)))]
    rejected: Vec<RejectedJson<'a>>,
    time_source: Name<TimeSource>,
    /// Where the time of the last untimed reading comes from; null if times are embedded.
    end_from: Option<Name<EndFrom>>,
    /// Whether the response says that it is incomplete.
    incomplete: bool,
    /// Notes on it that a reader must know.
    warnings: Vec<String>,
    /// Why the input is unusable; null if it is usable.
    error: Option<String>,
    /// How the events of containers were used; only for docker-events, kubernetes and log.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<EventsJson>,
    /// How many of `ignored_lines` have times without memory readings; only for access logs, covariates and changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    outside_readings: Option<u64>,
}

/// What an input was read as.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(untagged)]
enum FormatJson {
    Readings(Name<Format>),
    Other(Name<OtherForm>),
}

/// How the events of containers were used.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EventsJson {
    /// Events that start or end a container.
    read: u64,
    /// Of these, events of a series within its readings.
    matched: u64,
    /// Events of containers without a series.
    other_containers: u64,
    /// Events of a series, before its first reading or after its last.
    outside: u64,
    /// Events of a series whose times are only inferred.
    uncertain: u64,
}

/// A rejected line.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RejectedJson<'a> {
    /// Counted from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    line: u64,
    text: &'a str,
    why: String,
}

pub(super) fn input(input: &Input) -> InputJson<'_> {
    let other = input.events_form.or(input.counted.map(|counted| counted.form));
    let readings = || input.format.map(|format| FormatJson::Readings(Name(format)));
    InputJson {
        path: &input.path,
        format: other.map(|form| FormatJson::Other(Name(form))).or_else(readings),
        samples: input.samples,
        series: input.series,
        gaps: input.gaps,
        ignored_lines: input.other_lines,
        rejected_count: input.rejected_count,
        lines: input.lines,
        extra_values: input.further,
        rejected: input
            .rejected
            .iter()
            .map(|rejected| RejectedJson { line: rejected.line, text: &rejected.text, why: rejected.why.to_string() })
            .collect(),
        time_source: Name(input.time_source),
        end_from: input.end_from.map(Name),
        incomplete: input.incomplete,
        warnings: words::warnings(input),
        error: input.unusable.as_ref().map(ToString::to_string),
        events: input.events.map(|counts| EventsJson {
            read: counts.read,
            matched: counts.matched,
            other_containers: counts.other_containers,
            outside: counts.outside,
            uncertain: counts.uncertain,
        }),
        outside_readings: input.counted.map(|counted| counted.outside),
    }
}
