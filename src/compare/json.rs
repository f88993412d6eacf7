//! A comparison for programs: `schema/comparison.schema.json` is generated from the types here.
//!
//! Numbers are bytes and bytes per second. Unknown is null.

use serde::Serialize;

use super::{Compared, Comparison, Finding, SeriesComparison};
use crate::policy::Outcome;
#[cfg(test)]
use crate::report::json::schema;
use crate::report::json::{Fraction, Name, Number};
use crate::settings::CompareSettings;
use crate::stats::difference::Estimate;

/// The JSON Schema of a comparison.
pub const SCHEMA: &str = include_str!("../../schema/comparison.schema.json");

/// The version of the form; changed only when it becomes incompatible.
const SCHEMA_VERSION: u32 = 1;

/// Output of `leaktrend compare`. Numbers are bytes and bytes per second.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ComparisonJson<'a> {
    /// Changed only when the format becomes incompatible.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
    schema_version: u32,
    #[cfg_attr(test, schemars(extend("enum" = ["fail", "inconclusive", "pass"])))]
    outcome: Name<Outcome>,
    /// The exit code of the program.
    #[cfg_attr(test, schemars(range(max = 3)))]
    exit_code: u8,
    /// As `[compare]` in leaktrend.toml.
    #[cfg_attr(test, schemars(schema_with = "schema::margins"))]
    margins: &'a CompareSettings,
    /// Notes on the comparison that a reader must know.
    notes: &'a [String],
    series: Vec<SeriesJson<'a>>,
    /// Series that only the base holds.
    missing: &'a [String],
    /// Series that only the new run holds.
    added: &'a [String],
}

/// A series that both runs hold.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SeriesJson<'a> {
    id: &'a str,
    /// Differs from `id` only with `--pair`.
    base_id: &'a str,
    finding: Name<Finding>,
    /// Whether it can make the comparison inconclusive.
    affects_outcome: bool,
    base_verdict: &'a str,
    new_verdict: &'a str,
    /// Growth, in bytes per second.
    growth: ComparedJson<'a>,
    /// The settled level, in bytes.
    level: ComparedJson<'a>,
}

/// A number of a series in both runs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ComparedJson<'a> {
    /// Null if there is nothing to compare; then it has no effect.
    finding: Option<Name<Finding>>,
    /// One sentence with numbers.
    reason: &'a str,
    /// In the base; null if it was not measured.
    base: Option<EstimateJson>,
    /// In the new run; null if it was not measured.
    new: Option<EstimateJson>,
    /// New minus base.
    difference: Option<EstimateJson>,
    /// Of the intervals.
    confidence: Option<Fraction>,
    /// The difference that matters.
    margin: Option<Number>,
}

/// A number with its interval.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EstimateJson {
    value: Number,
    /// Lower end of the interval.
    lower: Number,
    /// Upper end of the interval.
    upper: Number,
}

/// The comparison as JSON, with a line feed at its end.
pub fn render(comparison: &Comparison) -> String {
    let shape = ComparisonJson {
        schema_version: SCHEMA_VERSION,
        outcome: Name(comparison.outcome),
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
        finding: Name(series.finding),
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
        finding: compared.finding.map(Name),
        reason: &compared.reason,
        base: compared.base.map(estimate),
        new: compared.new.map(estimate),
        difference: compared.difference.map(estimate),
        confidence: compared.confidence.map(Fraction),
        margin: compared.margin.map(Number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_that_of_the_types() {
        schema::check::<ComparisonJson>("comparison.schema.json", "leaktrend comparison");
    }
}
