//! The cause of growth in a report: sentences for every format, and the form of the JSON verdict.

use serde::Serialize;

use super::json::{Fraction, Name, Number, Time, Times};
use super::{Report, SeriesReport, words};
use crate::attribution::{self, Attribution, CauseKind, GrowthBegan, Suspect, Unit};

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

/// What growth follows.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct SuspectJson<'a> {
    kind: Name<CauseKind>,
    /// Method and route, a column, the label of a change; `all requests`, `time itself`.
    name: &'a str,
    /// Whether it is named as the cause. If not, the cause may be this or one of `indistinguishable`.
    named: bool,
    /// The unit that keeps bytes; null for a change.
    unit: Option<Name<Unit>>,
    /// Bytes kept by each unit; null for a change.
    bytes_per_unit: Option<BytesPerUnitJson>,
    /// The share of the growth that it explains, since growth began or changed, about 1 for the only cause.
    share_of_growth: Option<Number>,
    /// How much worse explanations without it are, in units of BIC; from 6 on it is named as the cause.
    margin: Number,
    /// What would explain growth as well, best first.
    indistinguishable: &'a [String],
    /// When a change was made; null for other kinds.
    at: Option<Time>,
}

/// Bytes kept by each unit.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct BytesPerUnitJson {
    /// The estimate.
    value: Number,
    /// Lower end of the interval.
    lower: Number,
    /// Upper end of the interval.
    upper: Number,
    /// Confidence of the interval.
    confidence: Fraction,
}

/// When growth began.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct GrowthBeganJson {
    /// The best estimate: the median of when it may have begun.
    at: Option<Time>,
    /// Lower end of the interval.
    lower: Option<Time>,
    /// Upper end of the interval.
    upper: Option<Time>,
    /// Confidence of the interval.
    confidence: Fraction,
    /// Changes in the interval.
    changes: Vec<ChangeJson>,
    /// Changes within the readings.
    changes_in_window: usize,
}

/// A deploy or another change.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ChangeJson {
    /// When.
    at: Option<Time>,
    /// What.
    label: String,
}

pub(super) fn causes(series: &SeriesReport, times: Times) -> Option<Vec<SuspectJson<'_>>> {
    Some(of(series.attribution.as_ref()?, times))
}

/// What the growth of one amount follows.
pub(super) fn of(attribution: &Attribution, times: Times) -> Vec<SuspectJson<'_>> {
    attribution.suspects.iter().map(|suspect| cause(suspect, times)).collect()
}

/// What growth follows, as the JSON verdict has it: an object with `causes` and `growth_began`. For callers that judge
/// one series; times are those of the series.
pub fn json(attribution: &Attribution) -> String {
    let times = Times::ABSOLUTE;
    let began = attribution.began.as_ref().map(|began| began_json(began, times));
    let found = FoundJson { causes: of(attribution, times), growth_began: began };
    serde_json::to_string(&found).expect("text and numbers can be written")
}

#[derive(Serialize)]
struct FoundJson<'a> {
    causes: Vec<SuspectJson<'a>>,
    growth_began: Option<GrowthBeganJson>,
}

fn cause(suspect: &Suspect, times: Times) -> SuspectJson<'_> {
    SuspectJson {
        kind: Name(suspect.kind),
        name: &suspect.name,
        named: suspect.is_named,
        unit: suspect.unit.map(Name),
        bytes_per_unit: suspect.bytes_per_unit.map(|bytes| BytesPerUnitJson {
            value: Number(bytes.value),
            lower: Number(bytes.lower),
            upper: Number(bytes.upper),
            confidence: Fraction(bytes.confidence),
        }),
        share_of_growth: suspect.share_of_growth.map(Number),
        margin: Number(suspect.margin),
        indistinguishable: &suspect.indistinguishable,
        at: suspect.at_ms.and_then(|at_ms| times.text(at_ms)),
    }
}

pub(super) fn growth_began(series: &SeriesReport, times: Times) -> Option<GrowthBeganJson> {
    Some(began_json(series.attribution.as_ref()?.began.as_ref()?, times))
}

fn began_json(began: &GrowthBegan, times: Times) -> GrowthBeganJson {
    GrowthBeganJson {
        at: times.text(began.at_ms),
        lower: times.text(began.lower_ms),
        upper: times.text(began.upper_ms),
        confidence: Fraction(began.confidence),
        changes: began
            .inside
            .iter()
            .map(|(at_ms, label)| ChangeJson { at: times.text(*at_ms), label: label.clone() })
            .collect(),
        changes_in_window: began.n_changes,
    }
}
