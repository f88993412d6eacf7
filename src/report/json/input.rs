//! The account of an input in the JSON verdict.

use serde::Serialize;

use crate::account::{EndFrom, Input, TimeSource};

#[derive(Serialize)]
pub(super) struct InputJson<'a> {
    path: &'a str,
    format: Option<&'static str>,
    samples: u64,
    series: u64,
    gaps: u64,
    ignored_lines: u64,
    rejected_count: u64,
    lines: Option<u64>,
    extra_values: u64,
    rejected: Vec<RejectedJson<'a>>,
    time_source: &'static str,
    end_from: Option<&'static str>,
    incomplete: bool,
    warnings: &'a [String],
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<EventsJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outside_readings: Option<u64>,
}

#[derive(Serialize)]
struct EventsJson {
    read: u64,
    matched: u64,
    other_containers: u64,
    outside: u64,
    uncertain: u64,
}

#[derive(Serialize)]
struct RejectedJson<'a> {
    line: u64,
    text: &'a str,
    why: &'a str,
}

pub(super) fn input(input: &Input) -> InputJson<'_> {
    InputJson {
        path: &input.path,
        format: input.format_name(),
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
            .map(|rejected| RejectedJson { line: rejected.line, text: &rejected.text, why: &rejected.why })
            .collect(),
        time_source: match input.time_source {
            TimeSource::Embedded => "embedded",
            TimeSource::Inferred => "inferred",
        },
        end_from: input.end_from.map(|end| match end {
            EndFrom::Option => "option",
            EndFrom::Mtime => "mtime",
        }),
        incomplete: input.incomplete,
        warnings: &input.warnings,
        error: input.unusable.as_deref(),
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
