//! A comparison for programs: the form that `schema/comparison.schema.json` describes.
//!
//! Numbers are bytes and bytes per second. Unknown is null.

use serde::Serialize;

use super::{Compared, Comparison, SeriesComparison};
use crate::report::json::Number;
use crate::settings::CompareSettings;
use crate::stats::difference::Estimate;

/// The JSON Schema of a comparison.
pub const SCHEMA: &str = include_str!("../../schema/comparison.schema.json");

/// The version of the form; changed when a program that reads it must change.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct ComparisonJson<'a> {
    schema_version: u32,
    outcome: &'static str,
    exit_code: u8,
    margins: &'a CompareSettings,
    notes: &'a [String],
    series: Vec<SeriesJson<'a>>,
    missing: &'a [String],
    added: &'a [String],
}

#[derive(Serialize)]
struct SeriesJson<'a> {
    id: &'a str,
    base_id: &'a str,
    finding: &'static str,
    affects_outcome: bool,
    base_verdict: &'a str,
    new_verdict: &'a str,
    growth: ComparedJson<'a>,
    level: ComparedJson<'a>,
}

#[derive(Serialize)]
struct ComparedJson<'a> {
    finding: Option<&'static str>,
    reason: &'a str,
    base: Option<EstimateJson>,
    new: Option<EstimateJson>,
    difference: Option<EstimateJson>,
    confidence: Option<Number>,
    margin: Option<Number>,
}

#[derive(Serialize)]
struct EstimateJson {
    value: Number,
    lower: Number,
    upper: Number,
}

/// The comparison as JSON, with a line feed at its end.
pub fn render(comparison: &Comparison) -> String {
    let shape = ComparisonJson {
        schema_version: SCHEMA_VERSION,
        outcome: comparison.outcome.name(),
        exit_code: comparison.exit_code as u8,
        margins: &comparison.margins,
        notes: &comparison.notes,
        series: comparison.series.iter().map(series).collect(),
        missing: &comparison.missing,
        added: &comparison.added,
    };
    let mut text = serde_json::to_string_pretty(&shape).expect("every part can be written as JSON");
    text.push('\n');
    text
}

fn series(series: &SeriesComparison) -> SeriesJson<'_> {
    SeriesJson {
        id: &series.id,
        base_id: &series.base_id,
        finding: series.finding.name(),
        affects_outcome: series.counts,
        base_verdict: &series.base_verdict,
        new_verdict: &series.new_verdict,
        growth: compared(&series.growth),
        level: compared(&series.level),
    }
}

fn compared(compared: &Compared) -> ComparedJson<'_> {
    let estimate = |estimate: Estimate| EstimateJson {
        value: Number(estimate.value),
        lower: Number(estimate.lower),
        upper: Number(estimate.upper),
    };
    ComparedJson {
        finding: compared.finding.map(super::Finding::name),
        reason: &compared.reason,
        base: compared.base.map(estimate),
        new: compared.new.map(estimate),
        difference: compared.difference.map(estimate),
        confidence: compared.confidence.map(Number),
        margin: compared.margin.map(Number),
    }
}
