//! Whether a run is worse than a known good one: two JSON verdicts become a `Comparison`.
//!
//! Series are matched by id. Of each the difference of growth and that of the settled levels is estimated, new less
//! base, with an interval at the confidence of the verdicts: the two runs are independent, so `stats::difference`
//! combines their intervals. Worse is claimed only when a whole interval lies beyond the margin that matters, not
//! worse only when both lie within; between them we do not know. The intervals hold the noise within each run. How
//! much one good run differs from the next a single run cannot tell: that is what the margin is for.

pub mod json;
pub mod text;
pub mod verdict_file;

use crate::error::Error;
use crate::policy::{self, ExitCode, Outcome};
use crate::settings::{CompareSettings, PolicySettings};
use crate::stats::difference::{Estimate, difference};
use crate::units::{DAY, RateUnit, memory_text};
use verdict_file::{MeasuredRun, SeriesVerdict, VerdictFile};

/// What two runs come to.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// `Fail`: it got worse; `Inconclusive`; `Pass`: not worse.
    pub outcome: Outcome,
    /// How the program ends.
    pub exit_code: ExitCode,
    /// The margins that were used.
    pub margins: CompareSettings,
    /// The series that both runs hold, worst first.
    pub series: Vec<SeriesComparison>,
    /// Ids of series that only the base holds.
    pub missing: Vec<String>,
    /// Ids of series that only the new run holds.
    pub added: Vec<String>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// One series in two runs.
#[derive(Debug, Clone)]
pub struct SeriesComparison {
    /// Its id in the new run.
    pub id: String,
    /// Its id in the base.
    pub base_id: String,
    /// The verdict in the base, as that run named it.
    pub base_verdict: String,
    /// The verdict in the new run.
    pub new_verdict: String,
    /// The worse of growth and level.
    pub finding: Finding,
    /// Whether it can make the comparison inconclusive: it counted in the new run.
    pub counts: bool,
    /// Growth, in bytes per second.
    pub growth: Compared,
    /// The settled level, in bytes.
    pub level: Compared,
}

/// One measure in two runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// In the base; `None` where it was not estimated.
    pub base: Option<Estimate>,
    /// In the new run.
    pub new: Option<Estimate>,
    /// New less base; `None` where they cannot be compared.
    pub difference: Option<Estimate>,
    /// Confidence of the interval.
    pub confidence: Option<f64>,
    /// The difference that matters.
    pub margin: Option<f64>,
    /// What follows; `None` where there is nothing to compare, and nothing follows.
    pub finding: Option<Finding>,
    /// One sentence with numbers, without a final period.
    pub reason: String,
}

crate::named! {
    /// What follows from a difference, from good to bad.
    #[derive(PartialOrd, Ord)]
    pub enum Finding {
        /// The whole interval lies beyond the margin, downwards.
        Better = "better",
        /// The whole interval lies below the margin.
        NotWorse = "not-worse",
        /// The interval holds the margin, or there is none.
        Inconclusive = "inconclusive",
        /// The whole interval lies above the margin.
        Worse = "worse",
    }
}

impl Finding {
    const fn outcome(self) -> Outcome {
        match self {
            Finding::Better | Finding::NotWorse => Outcome::Pass,
            Finding::Inconclusive => Outcome::Inconclusive,
            Finding::Worse => Outcome::Fail,
        }
    }
}

/// Compares a run with a known good one. `pairs`: ids in the base and in the new run that are one series.
///
/// A series of the base that is missing leaves the comparison open: it cannot be said that it is not worse.
///
/// # Errors
///
/// When a pair names a series that is not there, or when the runs have no series in common.
pub fn compare(
    base: &VerdictFile,
    new: &VerdictFile,
    pairs: &[(String, String)],
    margins: &CompareSettings,
    policy: &PolicySettings,
) -> Result<Comparison, Error> {
    for (base_id, new_id) in pairs {
        for (id, run, name) in [(base_id, base, "base"), (new_id, new, "new run")] {
            if !run.series.iter().any(|series| series.id == *id) {
                let held = ids(run.series.iter());
                return Err(Error::Usage(format!(
                    "`--pair {base_id} {new_id}`: the {name} has no series `{id}` (it holds {held})"
                )));
            }
        }
    }
    let base_id = |id: &str| {
        let pair = pairs.iter().find(|(_, new_id)| new_id == id);
        pair.map_or_else(|| id.to_owned(), |(base_id, _)| base_id.clone())
    };
    let mut series = Vec::new();
    let mut added = Vec::new();
    let mut matched = Vec::new();
    for one in &new.series {
        let wanted = base_id(&one.id);
        match base.series.iter().find(|series| series.id == wanted) {
            Some(before) => {
                matched.push(wanted);
                series.push(of_series(before, one, margins));
            }
            None => added.push(one.id.clone()),
        }
    }
    if series.is_empty() {
        return Err(Error::Usage(format!(
            "the runs have no series in common: the base holds {}, the new run {} (`--pair BASE NEW` matches two names)",
            ids(base.series.iter()),
            ids(new.series.iter())
        )));
    }
    series.sort_by(|a, b| b.finding.cmp(&a.finding).then_with(|| a.id.cmp(&b.id)));
    let gone: Vec<&SeriesVerdict> = base.series.iter().filter(|series| !matched.contains(&series.id)).collect();

    let outcomes: Vec<(Outcome, bool)> = series
        .iter()
        .map(|series| (series.finding.outcome(), series.counts))
        .chain(gone.iter().map(|series| (Outcome::Inconclusive, series.counts)))
        .collect();
    let outcome = policy::of_run(&outcomes);
    let mut notes = Vec::new();
    if !base.judged_like(new) {
        notes.push("the two runs were judged with different settings under [verdict]".to_owned());
    }
    Ok(Comparison {
        outcome,
        exit_code: policy::exit_code(outcome, policy, true, true),
        margins: margins.clone(),
        series,
        missing: gone.iter().map(|series| series.id.clone()).collect(),
        added,
        notes,
    })
}

/// The first ids, for a message.
fn ids<'a>(series: impl Iterator<Item = &'a SeriesVerdict>) -> String {
    const NAMED: usize = 8;
    let all: Vec<String> = series.map(|series| format!("`{}`", series.id)).collect();
    let more = if all.len() > NAMED { ", ..." } else { "" };
    format!("{}{more}", all[..all.len().min(NAMED)].join(", "))
}

fn of_series(base: &SeriesVerdict, new: &SeriesVerdict, margins: &CompareSettings) -> SeriesComparison {
    let growth = growth(base, new, margins);
    let level = level(base, new, margins);
    let finding = growth.finding.max(level.finding).unwrap_or(Finding::Inconclusive);
    SeriesComparison {
        id: new.id.clone(),
        base_id: base.id.clone(),
        base_verdict: base.verdict.clone(),
        new_verdict: new.verdict.clone(),
        finding,
        counts: new.counts,
        growth,
        level,
    }
}

fn growth(base: &SeriesVerdict, new: &SeriesVerdict, margins: &CompareSettings) -> Compared {
    let given = margins.growth_bytes_per_day.map(|bytes| bytes.as_f64() / DAY);
    let margin = given.or(new.tolerance_bytes_per_second);
    let missing =
        |run: &str, series: &SeriesVerdict| format!("growth was not estimated in the {run}: {}", series.reason);
    match (base.growth, new.growth) {
        (Some(before), Some(after)) => {
            compared(before, after, margin, "growth", "faster", "slower", |rate| RateUnit::Day.text(rate))
        }
        (None, _) => unknown(None, new.growth, margin, missing("base", base)),
        (_, None) => unknown(base.growth, None, margin, missing("new run", new)),
    }
}

fn level(base: &SeriesVerdict, new: &SeriesVerdict, margins: &CompareSettings) -> Compared {
    let of_level = |bytes: f64| (margins.level_share.get() * bytes).max(margins.level_floor_bytes.as_f64());
    let margin = base.settled.map(|level| of_level(level.estimate.value));
    if let (Some(before), Some(after)) = (base.settled, new.settled) {
        return compared(before, after, margin, "the settled level", "higher", "lower", memory_text);
    }
    let still = |run: &str| format!("memory still grows in the {run} and has not settled at a level");
    if base.grows() {
        // A level that rises is only where it was stopped: growth says it all.
        return Compared { finding: None, ..unknown(base.settled, new.settled, margin, still("base")) };
    }
    let reason = if new.grows() {
        still("new run")
    } else {
        let run = if base.settled.is_none() { "base" } else { "new run" };
        format!("memory has not settled at a level in the {run}: too few samples since the last restart or the load")
    };
    unknown(base.settled, new.settled, margin, reason)
}

/// Not comparable, and therefore open.
fn unknown(base: Option<MeasuredRun>, new: Option<MeasuredRun>, margin: Option<f64>, reason: String) -> Compared {
    Compared {
        base: base.map(|measured| measured.estimate),
        new: new.map(|measured| measured.estimate),
        difference: None,
        confidence: None,
        margin,
        finding: Some(Finding::Inconclusive),
        reason,
    }
}

fn compared(
    base: MeasuredRun,
    new: MeasuredRun,
    margin: Option<f64>,
    what: &str,
    more: &str,
    less: &str,
    text: fn(f64) -> String,
) -> Compared {
    let percent = |measured: MeasuredRun| 100.0 * measured.confidence;
    if base.confidence != new.confidence {
        let reason = format!(
            "{what} was measured at {:.0} % confidence in the base and at {:.0} % in the new run: judge both runs with \
             the same settings",
            percent(base),
            percent(new)
        );
        return unknown(Some(base), Some(new), margin, reason);
    }
    let Some(margin) = margin else {
        return unknown(
            Some(base),
            Some(new),
            None,
            format!("the new run does not say how large a change of {what} would matter"),
        );
    };
    let found = difference(new.estimate, base.estimate);
    let finding = if margin < found.lower {
        Finding::Worse
    } else if found.upper < -margin {
        Finding::Better
    } else if found.upper <= margin {
        Finding::NotWorse
    } else {
        Finding::Inconclusive
    };
    let direction = if found.value < 0.0 { less } else { more };
    let reason = format!(
        "{what} went from {} to {}: {} {direction} (change {} to {} at {:.0} % confidence); {} would matter",
        text(base.estimate.value),
        text(new.estimate.value),
        text(found.value.abs()),
        text(found.lower),
        text(found.upper),
        percent(new),
        text(margin),
    );
    Compared {
        base: Some(base.estimate),
        new: Some(new.estimate),
        difference: Some(found),
        confidence: Some(new.confidence),
        margin: Some(margin),
        finding: Some(finding),
        reason,
    }
}
