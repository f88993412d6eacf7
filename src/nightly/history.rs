//! The history: what is new is added once, what is old goes, and a part of it is given to be judged.

use std::collections::HashMap;

use super::identities::Identities;
use super::logs::LogRead;
use super::state::{KeptSeries, LogMemory, Memory, ReadContent, Rename};
use crate::account::{Input, NightlyWarning, Warning};
use crate::decode::{ReportedRestarts, SeriesSamples};
use crate::pods::WORKLOAD;
use crate::resolve::Readings;
use crate::series::{Marks, MemorySeries, Samples, SeriesInfo};

/// Spacing of readings without a time that is assumed unless given, in milliseconds: the runbook's cron line.
const CRON_INTERVAL_MS: i64 = 900_000;

/// What was added tonight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Added {
    /// Samples that were not known before.
    pub n_new: u64,
    /// Samples of times that were known before: they are not counted again.
    pub n_known: u64,
    /// Samples that lie so far ahead of the clock that their time cannot be right: they are not kept.
    pub n_ahead: u64,
}

/// Readings further ahead of this run's clock are mistakes: one of the year 2099 would make all others too old to keep.
const MOST_AHEAD_MS: i64 = 86_400_000;
/// Clocks that differ by less are not worth a word, in milliseconds.
const CLOCKS_DIFFER_MS: i64 = 300_000;

/// Adds what was read, and gives the log of each as an index into `memory`. `interval_ms`: the spacing of readings
/// without a time, as given; `now_ms`: this run's clock.
pub(super) fn add(
    memory: &mut Memory,
    logs: &mut [LogRead],
    interval_ms: Option<i64>,
    now_ms: i64,
) -> (Vec<usize>, Added) {
    let mut added = Added::default();
    forget_replaced(memory, logs);
    let indices = logs
        .iter_mut()
        .map(|log| {
            let index = log.known.unwrap_or_else(|| {
                memory.logs.push(LogMemory { path: log.path.clone(), untimed: false, end_ms: None, read: Vec::new() });
                memory.logs.len() - 1
            });
            let known = &mut memory.logs[index];
            known.path.clone_from(&log.path);
            known.read.append(&mut log.read);
            known.untimed = log.untimed.unwrap_or(known.untimed);
            if log.untimed == Some(true)
                && let Some(end_ms) = known.end_ms
            {
                let interval_ms = interval_ms.unwrap_or(CRON_INTERVAL_MS);
                log.account.warnings.extend(follow(&mut log.series, end_ms, interval_ms).map(Warning::from));
            }
            let n_ahead = added.n_ahead;
            for series in &mut log.series {
                let times = series.samples.time_ms.clone();
                series.samples.retain(|index| times[index] <= now_ms.saturating_add(MOST_AHEAD_MS));
                added.n_ahead += (times.len() - series.samples.len()) as u64;
            }
            if added.n_ahead > n_ahead {
                log.account.warn(NightlyWarning::FarAhead { n: added.n_ahead - n_ahead });
            }
            let newest = log.series.iter().filter_map(|series| series.samples.time_ms.iter().max()).max();
            known.end_ms = known.end_ms.max(newest.copied());
            if let Some(by_ms) = newest.map(|newest| newest - now_ms).filter(|ahead| CLOCKS_DIFFER_MS < *ahead) {
                log.account.warn(NightlyWarning::Ahead { by_ms });
            }
            let is_other_machine = is_of_others(memory, index, &log.identities);
            let n_known = added.n_known;
            for series in log.series.drain(..) {
                add_series(memory, index, series, &log.identities, &mut added);
            }
            if is_other_machine && n_known < added.n_known {
                log.account.warn(NightlyWarning::OtherMachine { n: added.n_known - n_known });
            }
            for reported in log.reported.drain(..) {
                let of_series = |kept: &&mut KeptSeries| kept.log == index && kept.info.id == reported.series;
                if let Some(kept) = memory.series.iter_mut().find(of_series) {
                    add_reported(&mut kept.reported, reported);
                }
            }
            follow_renames(memory, index);
            index
        })
        .collect();
    (indices, added)
}

/// Drops what was remembered of files that are remembered again.
fn forget_replaced(memory: &mut Memory, logs: &[LogRead]) {
    let mut content = 0;
    for known in &mut memory.logs {
        known.read.retain(|_: &ReadContent| {
            content += 1;
            !logs.iter().any(|log| log.replaced.contains(&(content - 1)))
        });
    }
}

/// Whether new lines of a log name containers, and none of those that are known of it.
fn is_of_others(memory: &Memory, log: usize, identities: &Identities) -> bool {
    let ids = identities.ids();
    let mut known = memory.series.iter().filter(|kept| kept.log == log).filter_map(|kept| kept.instance.as_deref());
    let has_known = memory.series.iter().any(|kept| kept.log == log && kept.instance.is_some());
    has_known && !ids.is_empty() && known.all(|id| !ids.contains(id))
}

fn add_series(memory: &mut Memory, log: usize, new: SeriesSamples, identities: &Identities, added: &mut Added) {
    let SeriesSamples { info, mut samples, .. } = new;
    let found = memory.series.iter().position(|kept| kept.log == log && kept.info.id == info.id);
    let place = found.unwrap_or_else(|| {
        let samples = Samples::default();
        memory.series.push(KeptSeries {
            log,
            info: info.clone(),
            samples,
            instance: None,
            gone: None,
            reported: ReportedRestarts::default(),
        });
        memory.series.len() - 1
    });
    let kept = &mut memory.series[place];
    let n_read = samples.len();
    let times = samples.time_ms.clone();
    samples.retain(|index| kept.samples.time_ms.binary_search(&times[index]).is_err());
    added.n_known += (n_read - samples.len()) as u64;
    if !samples.is_empty() {
        kept.gone = None;
        let (before, first) = (kept.instance.as_deref(), identities.first(&info.id));
        // The lines that are read again may not reach back to the last one of its name.
        if before.zip(first).is_some_and(|(before, first)| before != first) {
            let earliest = (0..samples.len()).min_by_key(|index| samples.time_ms[*index]).unwrap_or_default();
            samples.marks[earliest] = Marks::from_bits(samples.marks[earliest]).with(Marks::RECREATED).bits();
        }
        if identities.knows(&info.id) {
            kept.instance = identities.last(&info.id).map(str::to_owned);
        }
    }
    let limit = info.limit.or(kept.info.limit);
    let owner = kept.info.labels.remove(WORKLOAD);
    kept.info = SeriesInfo { limit, ..info };
    // The owner of a pod does not change; tonight's answer may lack it.
    if let Some(owner) = owner {
        kept.info.labels.entry(WORKLOAD.to_owned()).or_insert(owner);
    }

    let n_before = kept.samples.len();
    let mut all = std::mem::take(&mut kept.samples);
    all.extend(&samples);
    kept.samples = MemorySeries::new(kept.info.clone(), all).map(MemorySeries::into_samples).unwrap_or_default();
    added.n_new += (kept.samples.len() - n_before) as u64;
}

/// Adds what was reported of restarts since what is known was: a time that was watched before tells nothing new.
fn add_reported(kept: &mut ReportedRestarts, new: ReportedRestarts) {
    let known_ms = kept.watched.last().map_or(i64::MIN, |(_, end_ms)| *end_ms);
    kept.restarts.extend(new.restarts.into_iter().filter(|restart| known_ms < restart.time_ms));
    for (start_ms, end_ms) in new.watched.into_iter().filter(|(_, end_ms)| known_ms < *end_ms) {
        match kept.watched.last_mut().filter(|(_, known_ms)| start_ms <= *known_ms) {
            Some((_, known_ms)) => *known_ms = end_ms,
            None => kept.watched.push((start_ms, end_ms)),
        }
    }
}

/// Carries the history of a container on where its name changed: it has one name at a time, so two series of one ID
/// without a reading in common are its names, and the later one is what it is called.
fn follow_renames(memory: &mut Memory, log: usize) {
    loop {
        let last_ms = |series: &KeptSeries| series.samples.time_ms.last().copied();
        let is_name_of_same = |before: &KeptSeries, now: &KeptSeries| {
            before.log == log
                && now.log == log
                && before.instance.is_some()
                && before.instance == now.instance
                && last_ms(before) < last_ms(now)
                && before.samples.time_ms.iter().all(|time| now.samples.time_ms.binary_search(time).is_err())
        };
        let pairs = (0..memory.series.len()).flat_map(|before| (0..memory.series.len()).map(move |now| (before, now)));
        let mut found = pairs.filter(|(before, now)| is_name_of_same(&memory.series[*before], &memory.series[*now]));
        let Some((before, now)) = found.next() else { return };
        let KeptSeries { info, samples, .. } = memory.series[before].clone();
        let kept = &mut memory.series[now];
        let end_ms = samples.time_ms.last().copied().unwrap_or(i64::MIN);
        let at_ms = kept.samples.time_ms.iter().find(|time| end_ms < **time).copied().unwrap_or(end_ms);
        let mut all = samples;
        all.extend(&kept.samples);
        kept.samples = MemorySeries::new(kept.info.clone(), all).map(MemorySeries::into_samples).unwrap_or_default();
        memory.renames.push(Rename { log, before: info.id, now: kept.info.id.clone(), at_ms });
        memory.series.remove(before);
    }
}

/// Places readings whose times were counted back from the end of a file behind the last one that is known; gives what
/// a reader must know of it.
///
/// Counted back too far, they are spread evenly between it and their own end; where the file says that it ends before
/// that, they follow it at the usual spacing.
fn follow(series: &mut [SeriesSamples], end_ms: i64, interval_ms: i64) -> Option<NightlyWarning> {
    let mut times: Vec<i64> = series.iter().flat_map(|series| series.samples.time_ms.iter().copied()).collect();
    times.sort_unstable();
    times.dedup();
    let (first, last) = (*times.first()?, *times.last()?);
    if end_ms < first {
        return None;
    }
    let n = times.len() as i64;
    let is_room = end_ms + n <= last;
    let place = |index: usize| {
        let index = index as i64 + 1;
        if is_room {
            end_ms + ((i128::from(last - end_ms) * i128::from(index)) / i128::from(n)) as i64
        } else {
            end_ms + interval_ms * index
        }
    };
    let placed: HashMap<i64, i64> = times.iter().enumerate().map(|(index, time)| (*time, place(index))).collect();
    for series in series {
        for time in &mut series.samples.time_ms {
            *time = placed[time];
        }
    }
    let n = times.len() as u64;
    Some(if is_room {
        NightlyWarning::Spread { n, within_ms: last - end_ms, step_ms: interval_ms }
    } else {
        NightlyWarning::After { n, step_ms: interval_ms }
    })
}

/// Drops samples older than `keep_ms` before the newest, series without any, and what was remembered of files that were
/// not seen for as long. Gives the number of samples dropped.
pub(super) fn prune(memory: &mut Memory, keep_ms: i64, now_ms: i64) -> u64 {
    let Some(end_ms) = end_ms(memory) else { return 0 };
    let start_ms = end_ms.saturating_sub(keep_ms);
    let mut n_dropped = 0;
    for series in &mut memory.series {
        let first = series.samples.time_ms.partition_point(|time| *time < start_ms);
        if first > 0 {
            n_dropped += first as u64;
            series.samples.retain(|index| first <= index);
        }
        series.reported.restarts.retain(|restart| start_ms <= restart.time_ms);
        series.reported.watched.retain(|(_, end_ms)| start_ms <= *end_ms);
    }
    memory.series.retain(|series| !series.samples.is_empty());
    memory.renames.retain(|rename| start_ms <= rename.at_ms);
    let forget_ms = now_ms.saturating_sub(keep_ms);
    for log in &mut memory.logs {
        log.read.retain(|content| forget_ms <= content.seen_ms);
    }
    n_dropped
}

/// Time of the newest sample of all, in milliseconds; `None` without any.
pub(super) fn end_ms(memory: &Memory) -> Option<i64> {
    memory.series.iter().filter_map(|series| series.samples.time_ms.last()).max().copied()
}

/// The samples of the given logs from `start_ms` on, as if they had just been read; of a container that is gone those
/// before its own end that others have before `end_ms`. `names`: what each series is called, or `None` for one that is left
/// out; `inputs`: the accounts of these logs, in the same order.
pub(super) fn since(
    memory: &Memory,
    names: &[Option<&str>],
    logs: &[usize],
    inputs: &[Input],
    (start_ms, end_ms): (i64, i64),
) -> Readings {
    let series: Vec<SeriesSamples> = memory
        .series
        .iter()
        .zip(names)
        .filter_map(|(kept, name)| Some((kept, (*name)?)))
        .filter_map(|(kept, name)| {
            let input = logs.iter().position(|log| *log == kept.log)?;
            let mut samples = kept.samples.clone();
            let gone_ms =
                kept.gone.as_ref().and(samples.time_ms.last()).map_or(0, |last| end_ms.saturating_sub(*last).max(0));
            let first = samples.time_ms.partition_point(|time| *time < start_ms.saturating_sub(gone_ms));
            if first > 0 {
                samples.retain(|index| first <= index);
            }
            let info = SeriesInfo { id: name.to_owned(), ..kept.info.clone() };
            (!samples.is_empty()).then_some(SeriesSamples { info, samples, inputs: vec![input] })
        })
        .collect();
    let inputs = inputs
        .iter()
        .enumerate()
        .map(|(index, input)| {
            let of_input = || series.iter().filter(|series| series.inputs == [index]);
            let n_samples: usize = of_input().map(|series| series.samples.len()).sum();
            Input {
                samples: n_samples as u64,
                series: of_input().count() as u64,
                // The documentation of the job says how often its log is written: that is not assumed.
                assumed_step_seconds: None,
                ..input.clone()
            }
        })
        .collect();
    let reported = memory.series.iter().zip(names).filter(|(kept, _)| logs.contains(&kept.log));
    let reported = reported
        .filter_map(|(kept, name)| Some(ReportedRestarts { series: (*name)?.to_owned(), ..kept.reported.clone() }));
    Readings { inputs, reported: reported.collect(), ..Readings::of(series) }
}
