//! The amounts of one container: cells and sentences for every format, and the form of the JSON verdict.

use serde::Serialize;

use super::causes::{self, SuspectJson};
use super::facts::{Lean, lean};
use super::json::{GrowthJson, Name, Number, SettledJson, Time, Times, growth_json, settled_json};
use super::{Breakdown, PartReport, Report, SeriesReport};
use crate::amounts::Amount;
use crate::grows::What;
use crate::units::memory_text;
use crate::verdict::{Judgement, Verdict};

/// The headings of `rows`.
pub const HEADINGS: [&str; 5] = ["amount", "measures", "trend", "growth", "now"];

/// The sentence on what grows, without a final period; `None` where one amount is there, or where that says no more than
/// the verdict or its reason.
pub fn sentence(series: &SeriesReport) -> Option<String> {
    let breakdown = series.breakdown.as_ref()?;
    let says_more = !matches!(breakdown.what, What::Nothing | What::Open) && !breakdown.overrules(&series.judgement);
    says_more.then(|| breakdown.sentence())
}

/// The reason of the verdict, and what grows, as one line.
pub fn reason(series: &SeriesReport) -> String {
    let grows = sentence(series).map_or(String::new(), |sentence| format!("; what grows: {sentence}"));
    format!("{}{grows}", series.reason())
}

/// What the growth that a verdict rests on is of: memory, or one of its parts by name.
pub fn subject(series: &SeriesReport) -> &str {
    let part = series.breakdown.as_ref().and_then(|breakdown| breakdown.parts.get(breakdown.by_part?));
    part.map_or("memory", |part| &part.name)
}

/// The verdict of one amount in a few words. No amount leaks by itself: page cache that grows is no leak.
///
/// `matters`: the growth of it that would matter, in bytes per second.
pub fn trend_words(judgement: &Judgement, matters: f64) -> &'static str {
    match judgement.verdict {
        Verdict::Leak => "grows",
        Verdict::LeakMaskedByRestarts => "grows between restarts",
        Verdict::SteppingGrowth => "grows in steps",
        Verdict::LeakSuspected => "growth suspected",
        Verdict::Step if judgement.climb().is_some() => "climbed, level since",
        Verdict::Step => "a step up, level since",
        Verdict::Inconclusive => {
            let lean = judgement.growth.map_or(Lean::Open, |growth| lean(growth.lower, growth.upper, matters));
            lean.words_of_part(judgement)
        }
        Verdict::NegligibleGrowth => "grows too slowly to matter",
        Verdict::WarmedUp => "warmed up, level since",
        Verdict::Shrinking => "shrinking",
        Verdict::Flat => "level",
    }
}

/// A row for each amount, the head first; none where there is only one.
pub fn rows(report: &Report, series: &SeriesReport) -> Vec<[String; 5]> {
    let Some(breakdown) = series.breakdown.as_ref().filter(|breakdown| !breakdown.parts.is_empty()) else {
        return Vec::new();
    };
    let row = |(name, counts): (&str, &str), judgement: &Judgement, matters: f64, used: &[f64]| {
        let unproven = if judgement.verdict == Verdict::Inconclusive { " (unproven)" } else { "" };
        let growth = judgement.growth.map_or("not known".to_owned(), |growth| {
            let rate = report.rate_unit.interval_text(growth.bytes_per_second, growth.lower, growth.upper);
            format!("{rate}{unproven}")
        });
        [
            name.to_owned(),
            counts.to_owned(),
            trend_words(judgement, matters).to_owned(),
            growth,
            memory_text(used[used.len() - 1]),
        ]
    };
    let Breakdown { name, amount, alone, parts, .. } = &**breakdown;
    let head = row((name, amount.words()), alone, series.tolerance.bytes_per_second, series.samples.used_bytes());
    let of_part = |part: &PartReport| {
        let matters = part.tolerance.bytes_per_second;
        row((&part.name, part.amount.words()), &part.judgement, matters, part.samples.used_bytes())
    };
    let parts = parts.iter().map(of_part);
    std::iter::once(head).chain(parts).collect()
}

/// What grows in a container of which several amounts were read.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct GrowsJson<'a> {
    what: Name<What>,
    /// What grows, in one sentence.
    sentence: String,
    /// What the head measures.
    amount: Name<Amount>,
    /// The id of the head as a series of its own.
    head: &'a str,
    /// The verdict of the head without the parts.
    verdict_by_itself: Name<Verdict>,
    /// The id of the part on which the verdict is based; null if it is the head.
    by_part: Option<&'a str>,
}

/// Another amount of a container.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct PartJson<'a> {
    /// Its id as a series of its own.
    id: &'a str,
    amount: Name<Amount>,
    /// Its verdict by itself.
    verdict: Name<Verdict>,
    /// One sentence with numbers.
    reason: String,
    #[cfg_attr(test, schemars(range(min = 1)))]
    samples: usize,
    /// Its first sample.
    start: Option<Time>,
    /// Its last sample.
    end: Option<Time>,
    first: Number,
    last: Number,
    median: Number,
    max: Number,
    /// Growth above this matters.
    #[cfg_attr(test, schemars(with = "Option<Number>"))]
    tolerance_bytes_per_second: Number,
    /// The rate on which the verdict is based.
    growth: Option<GrowthJson>,
    /// The level of the last quarter of what was judged; null while memory grows, or with too few samples since the last
    /// restart.
    settled: Option<SettledJson>,
    /// When growth began.
    onset: Option<Time>,
    /// What the growth follows, named causes first; only if it grows and requests, covariates or changes were given.
    /// Correlation, not proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    causes: Option<Vec<SuspectJson<'a>>>,
}

pub(super) fn grows(series: &SeriesReport) -> Option<GrowsJson<'_>> {
    let breakdown = series.breakdown.as_ref()?;
    Some(GrowsJson {
        what: Name(breakdown.what),
        sentence: breakdown.sentence(),
        amount: Name(breakdown.amount),
        head: &series.samples.info.id,
        verdict_by_itself: Name(breakdown.alone.verdict),
        by_part: breakdown.by_part.map(|at| breakdown.parts[at].samples.info.id.as_str()),
    })
}

pub(super) fn parts(series: &SeriesReport, times: Times) -> Option<Vec<PartJson<'_>>> {
    let breakdown = series.breakdown.as_ref()?;
    Some(breakdown.parts.iter().map(|one| part(one, times)).collect())
}

fn part(part: &PartReport, times: Times) -> PartJson<'_> {
    let samples = &part.samples;
    let used = samples.used_bytes();
    let judgement = &part.judgement;
    PartJson {
        id: &samples.info.id,
        amount: Name(part.amount),
        verdict: Name(judgement.verdict),
        reason: judgement.reason(),
        samples: samples.len(),
        start: times.text(samples.start_ms()),
        end: times.text(samples.end_ms()),
        first: Number(used[0]),
        last: Number(used[used.len() - 1]),
        median: Number(crate::stats::robust::median(used).expect("a series is never empty")),
        max: Number(used.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        tolerance_bytes_per_second: Number(part.tolerance.bytes_per_second),
        growth: judgement.growth.map(|growth| growth_json(growth, part.q_value)),
        settled: part.settled.map(settled_json),
        onset: judgement
            .onset_seconds
            .and_then(|seconds| times.text(samples.start_ms() + (seconds * 1000.0).round() as i64)),
        causes: part.attribution.as_ref().map(|attribution| causes::of(attribution, times)),
    }
}
