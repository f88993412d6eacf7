//! What changed since yesterday: verdicts, series that came, went or go by another name, levels.
//!
//! Says what matters: another verdict that comes to the same good outcome does not, nor does a level that moves as it
//! does from day to day, or did on the same day of the week before.

use std::collections::{BTreeMap, HashMap};

use super::state::{Rename, Run, RunResult};
use crate::amounts;
use crate::decode::SeriesSamples;
use crate::policy::Outcome;
use crate::series::{Marks, Samples, SeriesInfo};
use crate::stats::robust::{median, quantile_in_place};

/// A run at least so long ago is yesterday's, in milliseconds: those since then, by hand or started again, are tonight's.
const YESTERDAY_MS: i64 = 20 * 3_600_000;
/// A level is the median of so much time, in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// Readings of less of a day are no level, in milliseconds.
const LEAST_DAY_MS: i64 = 20 * 3_600_000;
/// Levels closer than this, or than one per cent, have not changed, in bytes.
const LEAST_CHANGE: f64 = 1_048_576.0;
/// A level that changes by less than so many times what is usual from day to day has not changed.
const USUAL_CHANGES: f64 = 3.0;
/// So many days show what is usual, without a rhythm of the week.
const FEW_DAYS: usize = 3;
/// The change of the same day a week before, counting back from tonight's.
const WEEK_BEFORE: usize = 7;

/// What changed since an earlier night.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    /// When that night ran, in milliseconds; `None` on the first one.
    pub since_ms: Option<i64>,
    /// Series that were not there then.
    pub appeared: Vec<String>,
    /// Series that are not there any more.
    pub vanished: Vec<String>,
    /// Series that go by another name than then.
    pub renamed: Vec<Renamed>,
    /// Series whose container was recreated under its name.
    pub recreated: Vec<Recreated>,
    /// Series that are judged differently.
    pub verdicts: Vec<VerdictChange>,
    /// Series whose level changed, most growth first: the median of the day before that night and of the last one.
    pub levels: Vec<LevelChange>,
}

/// A container that goes by another name; its history goes on under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// What it was called.
    pub before: String,
    /// What it is called.
    pub now: String,
    /// The first reading under that name, in milliseconds.
    pub at_ms: i64,
}

/// A name that another container has than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recreated {
    /// The name.
    pub series: String,
    /// The first reading of the newest container, in milliseconds.
    pub at_ms: i64,
    /// How often since yesterday.
    pub times: usize,
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

/// What a night came to, by the names of tonight.
pub(super) fn under_new_names(night: &RunResult, renames: &[Rename]) -> RunResult {
    let mut night = night.clone();
    for rename in renames.iter().filter(|rename| night.end_ms < rename.at_ms) {
        let is_taken = night.series.iter().any(|(name, ..)| *name == rename.now);
        if let Some((name, ..)) = night.series.iter_mut().find(|(name, ..)| *name == rename.before && !is_taken) {
            name.clone_from(&rename.now);
        }
    }
    night
}

/// Compares tonight with yesterday: when that ran and what it came to, by the names of tonight. `samples`: all series with
/// the samples that are kept.
pub(super) fn since_yesterday(
    yesterday: Option<(i64, &RunResult)>,
    tonight: &RunResult,
    samples: &[SeriesSamples],
    renames: &[Rename],
) -> Changes {
    let since_ms = yesterday.map_or(i64::MIN, |(_, before)| before.end_ms);
    let renamed: Vec<Renamed> = renames
        .iter()
        .filter(|rename| since_ms < rename.at_ms)
        .map(|Rename { before, now, at_ms, .. }| Renamed { before: before.clone(), now: now.clone(), at_ms: *at_ms })
        .collect();
    let Some((at_ms, before)) = yesterday else { return Changes { renamed, ..Changes::default() } };
    let by_name = |night: &RunResult| -> BTreeMap<String, (String, String)> {
        let entry =
            |(name, outcome, verdict): &(String, String, String)| (name.clone(), (outcome.clone(), verdict.clone()));
        night.series.iter().map(entry).collect()
    };
    let judged = containers(samples);
    let (then, now) = (by_name(&under_containers(before, samples, &judged)), by_name(tonight));
    let missing = |from: &BTreeMap<String, _>, in_: &BTreeMap<String, _>| -> Vec<String> {
        from.keys().filter(|name| !in_.contains_key(*name)).cloned().collect()
    };
    let is_good = |(outcome, _): &(String, String)| outcome == Outcome::Pass.name();
    let verdicts = then
        .iter()
        .filter_map(|(name, before)| {
            let now = now.get(name).filter(|now| *now != before && !(is_good(now) && is_good(before)))?;
            Some(VerdictChange { series: name.clone(), before: before.clone(), now: now.clone() })
        })
        .collect();
    let days = ((tonight.end_ms - before.end_ms) as f64 / DAY_MS as f64).round();
    let mut levels: Vec<LevelChange> = judged
        .iter()
        .filter(|(name, _)| then.contains_key(name) && now.contains_key(name))
        .filter_map(|(name, series)| {
            let (before_bytes, now_bytes) = level_change(&series.samples, tonight.end_ms, days as usize)?;
            Some(LevelChange { series: name.clone(), before_bytes, now_bytes })
        })
        .collect();
    let growth = |level: &LevelChange| level.now_bytes - level.before_bytes;
    levels.sort_by(|a, b| growth(b).total_cmp(&growth(a)));
    let recreated = judged.iter().filter_map(|(name, series)| {
        let Samples { time_ms, marks, .. } = &series.samples;
        let is_new = |(time, marks): &(&i64, &u8)| {
            before.end_ms < **time && Marks::from_bits(**marks).contains(Marks::RECREATED)
        };
        let times: Vec<i64> = time_ms.iter().zip(marks).filter(is_new).map(|(time, _)| *time).collect();
        Some(Recreated { series: name.clone(), at_ms: *times.last()?, times: times.len() })
    });
    Changes {
        since_ms: Some(at_ms),
        appeared: missing(&now, &then),
        vanished: missing(&then, &now),
        renamed,
        recreated: recreated.collect(),
        verdicts,
        levels,
    }
}

/// What a night came to before the amounts of one container had one verdict: that of its head is its own.
fn under_containers(night: &RunResult, samples: &[SeriesSamples], judged: &[(String, &SeriesSamples)]) -> RunResult {
    let container = |name: &String| -> Option<String> {
        if let Some((id, _)) = judged.iter().find(|(_, series)| series.info.id == *name) {
            return Some(id.clone());
        }
        let is_part = samples.iter().any(|series| series.info.id == *name);
        (!is_part).then(|| name.clone())
    };
    let named = |(name, outcome, verdict): &(String, String, String)| {
        Some((container(name)?, outcome.clone(), verdict.clone()))
    };
    RunResult { series: night.series.iter().filter_map(named).collect(), ..night.clone() }
}

/// The series that stand for their containers, by the names of these.
fn containers(samples: &[SeriesSamples]) -> Vec<(String, &SeriesSamples)> {
    let infos: Vec<&SeriesInfo> = samples.iter().map(|series| &series.info).collect();
    let mut ids: HashMap<String, Option<String>> = HashMap::new();
    for amounts::Group { id, ids: members } in amounts::groups(&infos) {
        ids.extend(members.into_iter().enumerate().map(|(at, member)| (member, (at == 0).then(|| id.clone()))));
    }
    let container = |series: &SeriesSamples| ids.get(&series.info.id).cloned().unwrap_or(Some(series.info.id.clone()));
    samples.iter().filter_map(|series| Some((container(series)?, series))).collect()
}

/// The levels so many days before `end_ms` and at it, in bytes; `None` where they differ by no more than what is usual.
fn level_change(samples: &Samples, end_ms: i64, days: usize) -> Option<(f64, f64)> {
    if days == 0 {
        return None;
    }
    let level = |days_before: usize| level(samples, end_ms - days_before as i64 * DAY_MS);
    let (now, before) = (level(0)?, level(days)?);
    let change = now - before;
    // What the same number of days did to it, ending a day before tonight, two days, and so on.
    let earlier: Vec<Option<f64>> = (1..=WEEK_BEFORE).map(|ago| Some(level(ago)? - level(ago + days)?)).collect();
    let sizes: Vec<f64> = earlier.iter().flatten().map(|change| change.abs()).collect();
    let a_week_before = earlier[WEEK_BEFORE - 1];
    let mut least = LEAST_CHANGE.max(0.01 * before);
    if sizes.len() >= FEW_DAYS {
        least = least.max(USUAL_CHANGES * median(&sizes)?);
    }
    // Before a week is known, what a day holds may be what another day of the week is like.
    if a_week_before.is_none() {
        for days_before in [0, days as i64] {
            let mut readings = samples.used_bytes[day(samples, end_ms - days_before * DAY_MS)].to_vec();
            least = least.max(quantile_in_place(&mut readings, 0.9)? - quantile_in_place(&mut readings, 0.1)?);
        }
    }
    let is_as_a_week_before = a_week_before.is_some_and(|earlier| (change - earlier).abs() < least);
    (least <= change.abs() && !is_as_a_week_before).then_some((before, now))
}

/// The median of the day that ends at `end_ms`, in bytes; `None` where the readings do not reach over it.
fn level(samples: &Samples, end_ms: i64) -> Option<f64> {
    let readings = day(samples, end_ms);
    let times = &samples.time_ms[readings.clone()];
    let reach_ms = times.last()? - times.first()?;
    median(&samples.used_bytes[readings]).filter(|_| LEAST_DAY_MS <= reach_ms)
}

/// The readings of the day that ends at `end_ms`.
fn day(samples: &Samples, end_ms: i64) -> std::ops::Range<usize> {
    let first = samples.time_ms.partition_point(|time| *time <= end_ms - DAY_MS);
    first..samples.time_ms.partition_point(|time| *time <= end_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{Metric, Sampling};

    const HOUR_MS: i64 = 3_600_000;

    fn result(series: &[(&str, &str)]) -> RunResult {
        let entry = |(name, verdict): &(&str, &str)| ((*name).to_owned(), "warn".to_owned(), (*verdict).to_owned());
        RunResult { end_ms: 0, series: series.iter().map(entry).collect(), reported: Vec::new() }
    }

    fn run(hours: i64, series: &[(&str, &str)]) -> Run {
        Run { at_ms: hours * HOUR_MS, accounts: Vec::new(), result: Some(result(series)) }
    }

    fn rename(before: &str, now: &str) -> Rename {
        Rename { log: 0, before: before.to_owned(), now: now.to_owned(), at_ms: 1 }
    }

    #[test]
    fn yesterday_is_the_last_run_long_enough_ago_that_was_not_stopped() {
        let mut runs = vec![run(0, &[("a", "flat")]), run(24, &[("b", "flat")]), run(47, &[("c", "flat")])];
        assert_eq!(yesterday(&runs, 48 * HOUR_MS), Some(1));
        assert_eq!(yesterday(&runs[2..], 48 * HOUR_MS), None);
        runs[1].result = None;
        assert_eq!(yesterday(&runs, 48 * HOUR_MS), Some(0));
    }

    #[test]
    fn a_run_by_a_clock_that_was_ahead_is_no_yesterday() {
        let runs = [run(0, &[("a", "flat")]), run(90_000, &[("a", "step")])];
        assert_eq!(yesterday(&runs, 24 * HOUR_MS), Some(0));
    }

    #[test]
    fn series_come_go_and_are_judged_differently() {
        let tonight = result(&[("b", "step"), ("c", "flat")]);
        let before = result(&[("b", "flat")]);
        let changes = since_yesterday(Some((5, &before)), &tonight, &[], &[]);
        assert_eq!(changes.since_ms, Some(5));
        assert_eq!((changes.appeared, changes.vanished), (vec!["c".to_owned()], Vec::new()));
        assert_eq!(changes.verdicts[0].now.1, "step");
        assert_eq!(since_yesterday(None, &tonight, &[], &[]), Changes::default());
    }

    /// A night before the amounts of one container had one verdict named each of them.
    #[test]
    fn an_amount_that_a_container_is_judged_by_was_judged_as_it_before() {
        let amount = |part: &str| {
            let labels = [("container", "api"), ("part", part)].map(|(key, value)| (key.to_owned(), value.to_owned()));
            let info = SeriesInfo {
                id: format!("api/{part}"),
                labels: labels.into_iter().collect(),
                limit: None,
                metric: Metric::Other,
                container_given: true,
                sampling: Sampling::Raw,
            };
            SeriesSamples { info, samples: Samples::default(), inputs: Vec::new() }
        };
        let samples = [amount("heapUsed"), amount("rss")];
        let before = result(&[("api/heapUsed", "flat"), ("api/rss", "flat"), ("web", "flat")]);
        let changes = since_yesterday(Some((5, &before)), &result(&[("api", "step"), ("web", "flat")]), &samples, &[]);
        assert_eq!((changes.appeared.len(), changes.vanished.len()), (0, 0));
        assert_eq!((changes.verdicts.len(), &*changes.verdicts[0].series), (1, "api"));
    }

    #[test]
    fn what_goes_by_another_name_neither_came_nor_went() {
        let renames = [rename("a", "b"), rename("b", "c")];
        let before = under_new_names(&result(&[("a", "flat"), ("x", "flat")]), &renames);
        let changes = since_yesterday(Some((5, &before)), &result(&[("c", "flat"), ("x", "flat")]), &[], &renames);
        assert_eq!((changes.appeared.len(), changes.vanished.len(), changes.renamed.len()), (0, 0, 2));
    }

    /// Readings every hour of so many days, by the day's number and the hour.
    fn samples(days: i64, bytes: impl Fn(i64, i64) -> f64) -> (Samples, i64) {
        let mut samples = Samples::default();
        for hour in 0..days * 24 {
            samples.push(hour * HOUR_MS, bytes(hour / 24, hour % 24), 1.0, Marks::default());
        }
        (samples, (days * 24 - 1) * HOUR_MS)
    }

    #[track_caller]
    fn check(days: i64, mib: impl Fn(i64, i64) -> f64, expected: Option<f64>) {
        let (samples, end_ms) = samples(days, |day, hour| mib(day, hour) * LEAST_CHANGE);
        let change = level_change(&samples, end_ms, 1).map(|(before, now)| ((now - before) / LEAST_CHANGE).round());
        assert_eq!(change, expected);
    }

    #[test]
    fn a_level_counts_as_changed_beyond_its_noise_and_rhythm() {
        // A step, on the second day and after weeks.
        check(2, |day, _| if day == 1 { 450.0 } else { 300.0 }, Some(150.0));
        check(30, |day, _| if day == 29 { 450.0 } else { 300.0 }, Some(150.0));
        // The noise of a level from day to day.
        check(10, |day, _| 300.0 + [0.0, 9.0, 4.0, 11.0, 2.0][(day % 5) as usize], None);
        // A weekend, in the first week and later.
        let weekly = |day: i64, hour: i64| 300.0 + f64::from(u8::from(day % 7 < 5)) * hour as f64 * 4.0;
        check(6, weekly, None);
        check(20, weekly, None);
        // Growth that goes on.
        check(20, |day, hour| 300.0 + day as f64 * 24.0 + hour as f64, None);
        // A day of which only some hours are known.
        let (mut part, end_ms) = samples(2, |day, _| if day == 1 { 450e6 } else { 300e6 });
        part.retain(|index| index >= 12);
        assert_eq!(level_change(&part, end_ms, 1), None);
        assert_eq!(level_change(&part, end_ms, 0), None);
    }
}
