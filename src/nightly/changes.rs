//! What changed since yesterday: verdicts, series that came and went, levels.

use std::collections::BTreeMap;

use super::state::{Run, RunResult};
use crate::ingest::SeriesSamples;
use crate::stats::robust::median;

/// A run at least so long ago is yesterday's, in milliseconds: those since then, by hand or started again, are tonight's.
const YESTERDAY_MS: i64 = 20 * 3_600_000;
/// A level is the median of so much time, in milliseconds.
const LEVEL_MS: i64 = 86_400_000;
/// Levels closer than this, or than one per cent, have not changed, in bytes.
const LEAST_CHANGE: f64 = 1_048_576.0;

/// What changed since an earlier night.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    /// When that night ran, in milliseconds; `None` on the first one.
    pub since_ms: Option<i64>,
    /// Series that were not there then.
    pub appeared: Vec<String>,
    /// Series that are not there any more.
    pub vanished: Vec<String>,
    /// Series that are judged differently.
    pub verdicts: Vec<VerdictChange>,
    /// Series whose level changed, most growth first: the median of the day before that night and of the last one.
    pub levels: Vec<LevelChange>,
}

/// A series that is judged differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictChange {
    /// Its name.
    pub series: String,
    /// Outcome and verdict then.
    pub before: (String, String),
    /// Outcome and verdict now.
    pub now: (String, String),
}

/// A series whose level changed, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelChange {
    /// Its name.
    pub series: String,
    /// The level then.
    pub before_bytes: f64,
    /// The level now.
    pub now_bytes: f64,
}

/// The last run of an earlier night that was not stopped, as an index; `None` on the first night.
pub(super) fn yesterday(runs: &[Run], now_ms: i64) -> Option<usize> {
    runs.iter().rposition(|run| run.result.is_some() && run.at_ms <= now_ms - YESTERDAY_MS)
}

/// Compares tonight with yesterday. `samples`: all series with the samples that are kept.
pub(super) fn since_yesterday(runs: &[Run], now_ms: i64, tonight: &RunResult, samples: &[SeriesSamples]) -> Changes {
    let Some(run) = yesterday(runs, now_ms).map(|index| &runs[index]) else { return Changes::default() };
    let Some(before) = &run.result else { return Changes::default() };
    let by_name = |night: &RunResult| -> BTreeMap<String, (String, String)> {
        let entry =
            |(name, outcome, verdict): &(String, String, String)| (name.clone(), (outcome.clone(), verdict.clone()));
        night.series.iter().map(entry).collect()
    };
    let (then, now) = (by_name(before), by_name(tonight));
    let missing = |from: &BTreeMap<String, _>, in_: &BTreeMap<String, _>| -> Vec<String> {
        from.keys().filter(|name| !in_.contains_key(*name)).cloned().collect()
    };
    let verdicts = then
        .iter()
        .filter_map(|(name, before)| {
            let now = now.get(name).filter(|now| *now != before)?;
            Some(VerdictChange { series: name.clone(), before: before.clone(), now: now.clone() })
        })
        .collect();
    let mut levels: Vec<LevelChange> = samples
        .iter()
        .filter(|series| then.contains_key(&series.info.id) && now.contains_key(&series.info.id))
        .filter_map(|series| {
            let before_bytes = level(series, before.end_ms)?;
            let now_bytes = level(series, tonight.end_ms)?;
            let change = (now_bytes - before_bytes).abs();
            let matters = LEAST_CHANGE <= change && 0.01 * before_bytes <= change;
            matters.then(|| LevelChange { series: series.info.id.clone(), before_bytes, now_bytes })
        })
        .collect();
    let growth = |level: &LevelChange| level.now_bytes - level.before_bytes;
    levels.sort_by(|a, b| growth(b).total_cmp(&growth(a)));
    Changes {
        since_ms: Some(run.at_ms),
        appeared: missing(&now, &then),
        vanished: missing(&then, &now),
        verdicts,
        levels,
    }
}

/// The median of the day that ends at `end_ms`, in bytes.
fn level(series: &SeriesSamples, end_ms: i64) -> Option<f64> {
    let times = &series.samples.time_ms;
    let first = times.partition_point(|time| *time <= end_ms - LEVEL_MS);
    let last = times.partition_point(|time| *time <= end_ms);
    median(&series.samples.used_bytes[first..last])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn result(series: &[(&str, &str)]) -> RunResult {
        let entry = |(name, verdict): &(&str, &str)| ((*name).to_owned(), "pass".to_owned(), (*verdict).to_owned());
        RunResult { end_ms: 0, series: series.iter().map(entry).collect() }
    }

    fn run(hours: i64, series: &[(&str, &str)]) -> Run {
        Run { at_ms: hours * HOUR_MS, accounts: Vec::new(), result: Some(result(series)) }
    }

    #[test]
    fn yesterday_is_the_last_run_long_enough_ago_that_was_not_stopped() {
        let mut runs = vec![run(0, &[("a", "flat")]), run(24, &[("b", "flat")]), run(47, &[("c", "flat")])];
        let tonight = result(&[("b", "step"), ("c", "flat")]);
        let changes = since_yesterday(&runs, 48 * HOUR_MS, &tonight, &[]);
        assert_eq!(changes.since_ms, Some(24 * HOUR_MS));
        assert_eq!((changes.appeared, changes.vanished), (vec!["c".to_owned()], Vec::new()));
        assert_eq!(changes.verdicts[0].now.1, "step");
        assert_eq!(since_yesterday(&runs[2..], 48 * HOUR_MS, &tonight, &[]), Changes::default());
        runs[1].result = None;
        assert_eq!(since_yesterday(&runs, 48 * HOUR_MS, &tonight, &[]).since_ms, Some(0));
    }

    #[test]
    fn a_run_by_a_clock_that_was_ahead_is_no_yesterday() {
        let runs = [run(0, &[("a", "flat")]), run(90_000, &[("a", "step")])];
        assert_eq!(yesterday(&runs, 24 * HOUR_MS), Some(0));
    }
}
