//! What no longer comes: containers that are gone while others go on, and logs that stopped.
//!
//! A container that is gone is judged on the first night after it went, and named from then on until its readings are
//! too old to be kept. A log that stopped is one trouble, not one for each container.

use std::collections::{HashMap, HashSet};

use super::state::{Gone, Judged, KeptSeries, Memory, RunResult};
use super::windows::Decided;
use crate::amounts::container_id;
use crate::analysis::By;
use crate::criteria::Freshness;
use crate::pods::Workload;
use crate::policy::{self, Outcome};
use crate::report::StoppedInput;
use crate::stats::robust::median;
use crate::verdict::Verdict;

/// A series without a reading for so long is gone in any case, in milliseconds: since the last night.
const NIGHT_MS: i64 = 20 * 3_600_000;

/// A log in which no reading has a neighbour has stopped after so long, in seconds.
const UNKNOWN_INTERVAL_SECONDS: f64 = 93_600.0;

/// A container that is gone while others of its log go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneSeries {
    /// Its name.
    pub series: String,
    /// Its last reading, in milliseconds.
    pub since_ms: i64,
    /// Outcome and verdict of its readings; `None` where they were not judged.
    pub judged: Option<(String, String)>,
    /// Whether this is the first night without it: it is judged once more.
    pub is_new: bool,
}

/// Notes which series are gone at this run. `intervals`: so many usual intervals without a reading make one gone. A pod
/// whose workload goes on is not gone where workloads are judged: the next one is of the same.
pub(super) fn note(memory: &mut Memory, intervals: f64, by: By, now_ms: i64) {
    let ends: Vec<Option<i64>> = (0..memory.logs.len()).map(|log| end_ms(memory, log)).collect();
    let usual: Vec<Option<f64>> = (0..memory.logs.len()).map(|log| interval_seconds(memory, log)).collect();
    for series in &mut memory.series {
        let (Some(end_ms), Some(last_ms)) = (ends[series.log], series.samples.time_ms.last()) else { continue };
        // One that is read more seldom than the others is not gone between two of its readings.
        let usual = step_seconds(series).into_iter().chain(usual[series.log]).reduce(f64::max);
        let most_ms = usual.map_or(NIGHT_MS, |usual| NIGHT_MS.min((intervals * usual * 1000.0) as i64));
        if end_ms - last_ms <= most_ms {
            series.gone = None;
        } else if series.gone.is_none() {
            series.gone = Some(Gone { found_ms: now_ms, judged: None });
        }
    }
    if by == By::Workload {
        let goes_on = memory.series.iter().filter(|series| series.gone.is_none());
        let going_on: HashSet<Workload> = goes_on.filter_map(|series| Workload::of(&series.info)).collect();
        for series in &mut memory.series {
            if Workload::of(&series.info).is_some_and(|workload| going_on.contains(&workload)) {
                series.gone = None;
            }
        }
    }
}

/// Whether a series that is gone was reported by an earlier night: it is no longer judged. `yesterday_ms`: when that
/// night ran, `None` on the first one.
pub(super) fn is_silent(series: &KeptSeries, yesterday_ms: Option<i64>) -> bool {
    series.gone.as_ref().is_some_and(|gone| yesterday_ms.is_some_and(|yesterday| gone.found_ms <= yesterday))
}

/// The series that are gone, the last to go first.
pub(super) fn list(memory: &Memory, names: &[String], logs: &[usize], yesterday_ms: Option<i64>) -> Vec<GoneSeries> {
    let mut gone: Vec<GoneSeries> = memory
        .series
        .iter()
        .zip(names)
        .filter(|(series, _)| logs.contains(&series.log))
        .filter_map(|(series, name)| {
            let judged = series.gone.as_ref()?.judged.clone();
            Some(GoneSeries {
                series: name.clone(),
                since_ms: *series.samples.time_ms.last()?,
                judged: judged.map(|Judged { outcome, verdict }| (outcome, verdict)),
                is_new: !is_silent(series, yesterday_ms),
            })
        })
        .collect();
    gone.sort_by(|a, b| b.since_ms.cmp(&a.since_ms).then_with(|| a.series.cmp(&b.series)));
    gone
}

/// How old the newest readings of each series and of its log are. `yesterday`: what the night before came to, by the
/// names of tonight.
pub(super) fn freshness(
    memory: &Memory,
    names: &[String],
    yesterday: Option<&RunResult>,
    now_ms: i64,
) -> HashMap<String, Freshness> {
    let age = |time_ms: i64| (now_ms - time_ms) as f64 / 1000.0;
    let intervals: Vec<Option<f64>> = (0..memory.logs.len()).map(|log| interval_seconds(memory, log)).collect();
    let each: Vec<(&KeptSeries, String, Freshness)> = memory
        .series
        .iter()
        .zip(names)
        .filter_map(|(series, name)| {
            let freshness = Freshness {
                log_age_seconds: age(end_ms(memory, series.log)?),
                age_seconds: age(*series.samples.time_ms.last()?),
                interval_seconds: intervals[series.log],
                is_gone: series.gone.is_some(),
                failed_as: failed_as(yesterday, name).or_else(|| failed_as(yesterday, &container_id(&series.info)?)),
            };
            Some((series, name.clone(), freshness))
        })
        .collect();
    // A workload is as fresh as the newest of its pods.
    let mut of_workloads: HashMap<String, Freshness> = HashMap::new();
    for (series, _, freshness) in &each {
        let Some(id) = Workload::of(&series.info).map(|workload| workload.id()) else { continue };
        let failed_as = failed_as(yesterday, &id);
        let newest = of_workloads.entry(id).or_insert(*freshness);
        if freshness.age_seconds < newest.age_seconds {
            *newest = *freshness;
        }
        newest.failed_as = failed_as;
    }
    // Where a pod has the name of its workload, it is all there is of it.
    of_workloads.into_iter().chain(each.into_iter().map(|(_, name, freshness)| (name, freshness))).collect()
}

/// The verdict of the night before, where a series failed it.
fn failed_as(yesterday: Option<&RunResult>, name: &str) -> Option<&'static str> {
    let (_, outcome, verdict) = yesterday?.series.iter().find(|(known, ..)| known == name)?;
    let verdict = Verdict::ALL.iter().find(|known| known.name() == verdict)?;
    (outcome == Outcome::Fail.name()).then_some(verdict.name())
}

/// Remembers what the readings of series that are gone came to; of one that failed the night before, and of which the
/// rest says no worse, that.
pub(super) fn remember(memory: &mut Memory, names: &[String], series: &[Decided<'_>], yesterday: Option<&RunResult>) {
    for (kept, name) in memory.series.iter_mut().zip(names) {
        let Some(gone) = &mut kept.gone else { continue };
        let Some((_, judged)) = series.iter().find(|(_, series)| series.is_called(name)) else { continue };
        let verdict = judged.verdict();
        let earlier = failed_as(yesterday, judged.id()).filter(|_| policy::of_verdict(verdict) != Outcome::Fail);
        gone.judged = Some(Judged {
            outcome: judged.outcome.name().to_owned(),
            verdict: earlier.unwrap_or(verdict.name()).to_owned(),
        });
    }
}

/// The logs among the given ones that have stopped. `paths`: as they were named, `None` for one that cannot be used and
/// says so itself.
pub(super) fn stopped(
    memory: &Memory,
    logs: &[usize],
    paths: &[Option<&str>],
    intervals: f64,
    now_ms: i64,
) -> Vec<StoppedInput> {
    logs.iter()
        .zip(paths)
        .filter_map(|(&log, path)| {
            let end_ms = end_ms(memory, log)?;
            let age_seconds = (now_ms - end_ms) as f64 / 1000.0;
            let most = interval_seconds(memory, log).map_or(UNKNOWN_INTERVAL_SECONDS, |usual| intervals * usual);
            (most < age_seconds).then_some(StoppedInput { path: (*path)?.to_owned(), end_ms, age_seconds })
        })
        .collect()
}

/// The newest reading of a log that is kept, in milliseconds.
fn end_ms(memory: &Memory, log: usize) -> Option<i64> {
    let of_log = memory.series.iter().filter(|series| series.log == log);
    of_log.filter_map(|series| series.samples.time_ms.last()).max().copied()
}

/// The usual time between two readings of a log, in seconds; `None` where no series has two.
fn interval_seconds(memory: &Memory, log: usize) -> Option<f64> {
    let of_log = memory.series.iter().filter(|series| series.log == log);
    median(&of_log.filter_map(step_seconds).collect::<Vec<f64>>())
}

/// The usual time between two readings of a series, in seconds; `None` where it has only one.
fn step_seconds(series: &KeptSeries) -> Option<f64> {
    let times = &series.samples.time_ms;
    let steps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1000.0).collect();
    median(&steps)
}
