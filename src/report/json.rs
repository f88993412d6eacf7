//! The JSON verdict, `schema_version` 1: other programs depend on its form.
//!
//! Numbers are bytes, seconds, bytes per second; times RFC 3339 UTC. Unknown is null, never 0 or NaN.
//! `schema/verdict.schema.json` is generated from the types here and in the modules below: a doc comment is a
//! description.

mod criteria;
mod input;
#[cfg(test)]
pub(crate) mod schema;
mod series;
mod value;

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use self::criteria::{RuleJson, rule};
use self::input::{InputJson, input};
use self::series::series;
use super::{Report, words};
use crate::account::Timeline;
use crate::policy::Outcome;
use crate::settings::Settings;
use crate::units::time_text;

pub(super) use self::series::{GrowthJson, SettledJson, growth_json, settled_json};
pub(crate) use self::value::{Fraction, Name, Number, Time};

/// The version of the form; changed when a program that reads it must change.
pub const SCHEMA_VERSION: u32 = 1;

/// The JSON Schema of the verdict.
pub const SCHEMA: &str = include_str!("../../schema/verdict.schema.json");

/// Writes the report as JSON, with a line feed at its end. `charts`: paths of the charts, relative to the JSON file.
///
/// # Errors
///
/// Those of `to`.
pub fn write(report: &Report, charts: &[String], mut to: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut to, &verdict(report, charts))?;
    to.write_all(b"\n")
}

/// What `write` writes.
pub fn render(report: &Report, charts: &[String]) -> String {
    let mut text = Vec::new();
    write(report, charts, &mut text).expect("memory can be written to");
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// The verdict of `leaktrend analyze`. Numbers are bytes, seconds, bytes per second; times RFC 3339 in UTC, null where
/// they are not known.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct VerdictJson<'a> {
    /// Changed only when the format becomes incompatible.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
    schema_version: u32,
    /// What wrote this.
    tool: ToolJson,
    outcome: Name<Outcome>,
    /// The exit code of the program.
    #[cfg_attr(test, schemars(range(max = 3)))]
    exit_code: u8,
    /// Every threshold that was used, as in leaktrend.toml.
    #[cfg_attr(test, schemars(schema_with = "schema::settings"))]
    settings: &'a Settings,
    /// Notes on the run that a reader must know.
    notes: Vec<String>,
    inputs: Vec<InputJson<'a>>,
    /// Worst first.
    #[cfg_attr(test, schemars(with = "Vec<series::SeriesJson>"))]
    series: EachSeries<'a>,
    /// Series that the settings say to ignore.
    ignored: &'a [String],
    /// The result of each alert of the rule files (--rules).
    rules: Vec<RuleJson<'a>>,
    /// Charts beside this file, as paths relative to it.
    charts: &'a [String],
}

/// Made one after another as they are written: of many series they are larger than all that they are made of.
struct EachSeries<'a> {
    report: &'a Report,
    times: Times,
}

impl Serialize for EachSeries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.report.series.iter().map(|one| series(self.report, one, self.times)))
    }
}

/// What wrote this.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ToolJson {
    #[cfg_attr(test, schemars(extend("const" = "leaktrend")))]
    name: &'static str,
    version: &'static str,
}

fn verdict<'a>(report: &'a Report, charts: &'a [String]) -> VerdictJson<'a> {
    let times = Times(report.timeline);
    VerdictJson {
        schema_version: SCHEMA_VERSION,
        tool: ToolJson { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        outcome: Name(report.outcome),
        exit_code: report.exit_code as u8,
        settings: &report.settings,
        notes: words::stopped(report, &str::to_owned)
            .into_iter()
            .chain(report.notes.iter().map(ToString::to_string))
            .collect(),
        inputs: report.inputs.iter().map(input).collect(),
        series: EachSeries { report, times },
        ignored: &report.ignored,
        rules: report.rules.iter().map(rule).collect(),
        charts,
    }
}

/// Times as text: only those that are known.
#[derive(Clone, Copy)]
pub(super) struct Times(Timeline);

impl Times {
    /// Times that are known.
    pub(super) const ABSOLUTE: Times = Times(Timeline::Absolute);

    pub(super) fn text(self, time_ms: i64) -> Option<Time> {
        match self.0 {
            Timeline::Absolute => time_text(time_ms).map(Time),
            Timeline::Relative => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_that_of_the_types() {
        schema::check::<VerdictJson>("verdict.schema.json", "leaktrend verdict");
    }
}
