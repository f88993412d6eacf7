//! The cause of growth in a report: sentences for every format, and the form of the JSON verdict.

use serde::Serialize;

use super::json::{Number, Times};
use super::{Report, SeriesReport, words};
use crate::attribution::{self, Attribution, Suspect};

/// All that is said of what growth follows, as a paragraph; `None` where nothing was compared.
pub fn paragraph(report: &Report, series: &SeriesReport) -> Option<String> {
    let attribution = series.attribution.as_ref()?;
    let sentences = attribution::words::sentences(attribution, &|at_ms| words::time(report, at_ms));
    (!sentences.is_empty()).then(|| format!("Cause: {}.", sentences.join(". ")))
}

/// What growth follows on one line, without a final period; `None` where nothing was compared.
pub fn line(report: &Report, series: &SeriesReport) -> Option<String> {
    let attribution = series.attribution.as_ref()?;
    attribution::words::line(attribution, &|at_ms| words::time(report, at_ms))
}

#[derive(Serialize)]
pub(super) struct CauseJson<'a> {
    kind: &'static str,
    name: &'a str,
    named: bool,
    unit: Option<&'static str>,
    bytes_per_unit: Option<BytesPerUnitJson>,
    share_of_growth: Option<Number>,
    margin: Number,
    indistinguishable: &'a [String],
    at: Option<String>,
}

#[derive(Serialize)]
struct BytesPerUnitJson {
    value: Number,
    lower: Number,
    upper: Number,
    confidence: Number,
}

#[derive(Serialize)]
pub(super) struct GrowthBeganJson {
    at: Option<String>,
    lower: Option<String>,
    upper: Option<String>,
    confidence: Number,
    changes: Vec<ChangeJson>,
    changes_in_window: usize,
}

#[derive(Serialize)]
struct ChangeJson {
    at: Option<String>,
    label: String,
}

pub(super) fn causes(series: &SeriesReport, times: Times) -> Option<Vec<CauseJson<'_>>> {
    Some(of(series.attribution.as_ref()?, times))
}

/// What the growth of one amount follows.
pub(super) fn of(attribution: &Attribution, times: Times) -> Vec<CauseJson<'_>> {
    attribution.suspects.iter().map(|suspect| cause(suspect, times)).collect()
}

fn cause(suspect: &Suspect, times: Times) -> CauseJson<'_> {
    CauseJson {
        kind: suspect.kind.name(),
        name: &suspect.name,
        named: suspect.is_named,
        unit: suspect.unit.map(attribution::Unit::name),
        bytes_per_unit: suspect.bytes_per_unit.map(|bytes| BytesPerUnitJson {
            value: Number(bytes.value),
            lower: Number(bytes.lower),
            upper: Number(bytes.upper),
            confidence: Number(bytes.confidence),
        }),
        share_of_growth: suspect.share_of_growth.map(Number),
        margin: Number(suspect.margin),
        indistinguishable: &suspect.indistinguishable,
        at: suspect.at_ms.and_then(|at_ms| times.text(at_ms)),
    }
}

pub(super) fn growth_began(series: &SeriesReport, times: Times) -> Option<GrowthBeganJson> {
    let began = series.attribution.as_ref()?.began.as_ref()?;
    Some(GrowthBeganJson {
        at: times.text(began.at_ms),
        lower: times.text(began.lower_ms),
        upper: times.text(began.upper_ms),
        confidence: Number(began.confidence),
        changes: began
            .inside
            .iter()
            .map(|(at_ms, label)| ChangeJson { at: times.text(*at_ms), label: label.clone() })
            .collect(),
        changes_in_window: began.n_changes,
    })
}
