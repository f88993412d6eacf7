//! Evidence of restarts and kills in an export: start times, restart counters, reasons, OOM counters.
//!
//! Takes those series out, which are no memory, and gives for each series of memory the restarts that they report. A
//! start time says when; a counter says between which two scrapes and how often; a reason says why the last one ended.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::cadvisor::{is_container, uncount};
use crate::account::{ExportWarning, Input, Unusable, cleaned};
use crate::decode::prometheus::{Labels, Witness, metric, witness};
use crate::decode::{ReportedRestart, ReportedRestarts, SeriesSamples};
use crate::series::SeriesInfo;

/// Starts closer than this are one: Linux gives them from the time of boot, which is adjusted with the clock by up to a
/// second either way.
const JITTER_MS: i64 = 2_000;
/// A process that starts so soon after its container started with it.
const WITH_CONTAINER_MS: i64 = 30_000;
/// The kubelet reports a restart at its next sync, kube-state-metrics when it hears of that, and a scrape later still.
const LAG_MS: i64 = 60_000;
/// A reason that is read before this may still be that of the end before.
const REASON_LAG_MS: i64 = 10_000;
/// A reason that is first read later than this may be of another end.
const REASON_REACH_MS: i64 = 600_000;
/// A container is created at most so long after its pod: images are pulled first.
const POD_LAG_MS: i64 = 3_600_000;
/// A counter that jumps by more is not one of restarts, and no more of one series are kept apart: a restart a minute in a
/// week.
const MAX_RESTARTS: usize = 10_000;

/// Takes the series that are evidence out of what was read.
pub(super) fn take_out(series: &mut Vec<SeriesSamples>, inputs: &mut [Input]) -> Vec<SeriesSamples> {
    let (mut witnesses, memory): (Vec<_>, Vec<_>) =
        std::mem::take(series).into_iter().partition(|series| witness(&series.info.labels).is_some());
    *series = memory;
    for witness in &mut witnesses {
        uncount(witness.samples.len(), &witness.inputs, inputs);
        witness.samples = std::mem::take(&mut witness.samples).in_time_order();
    }
    witnesses
}

/// What these witnesses report each series; those that report none are said.
pub(crate) fn reported(
    witnesses: &[SeriesSamples],
    series: &[SeriesSamples],
    inputs: &mut [Input],
) -> Vec<ReportedRestarts> {
    if series.is_empty() {
        refuse(witnesses, inputs);
        return Vec::new();
    }
    let mut is_used = vec![false; witnesses.len()];
    let mut all = Vec::new();
    for memory in series {
        let (Some(start_ms), Some(_)) = crate::resolve::order::ends(&memory.samples.time_ms) else { continue };
        let mut of = Vec::new();
        for (witness, is_used) in witnesses.iter().zip(&mut is_used) {
            if is_of(&witness.info.labels, &memory.info) {
                *is_used = true;
                of.push(witness);
            }
        }
        if !of.is_empty() {
            let Restarts { restarts, watched } = Restarts::of(&of, start_ms);
            all.push(ReportedRestarts { series: memory.info.id.clone(), restarts, watched });
        }
    }
    say_idle(witnesses, &is_used, inputs);
    all
}

/// Without any memory evidence is of no use.
fn refuse(witnesses: &[SeriesSamples], inputs: &mut [Input]) {
    let of: BTreeSet<usize> = witnesses.iter().flat_map(|witness| witness.inputs.iter().copied()).collect();
    for index in of {
        let input = &mut inputs[index];
        input.rejected_count += std::mem::take(&mut input.other_lines);
        input.unusable.get_or_insert(Unusable::OnlyRestarts);
    }
}

/// Says which evidence is of no series, and what the counters of hosts counted.
fn say_idle(witnesses: &[SeriesSamples], is_used: &[bool], inputs: &mut [Input]) {
    let mut idle: BTreeMap<usize, BTreeMap<String, u64>> = BTreeMap::new();
    for (one, is_used) in witnesses.iter().zip(is_used) {
        let labels = &one.info.labels;
        let Some(input) = one.inputs.first() else { continue };
        if witness(labels) == Some(Witness::HostKills) {
            host_kills(one).into_iter().for_each(|kills| inputs[*input].warn(kills));
        } else if !is_used && is_container(labels) {
            *idle.entry(*input).or_default().entry(metric(labels).to_owned()).or_default() += 1;
        }
    }
    for (input, series) in idle {
        inputs[input].warn(ExportWarning::RestartsOfOthers { series });
    }
}

/// What the counter of a machine says: something was killed there, and not what.
fn host_kills(host: &SeriesSamples) -> Option<ExportWarning> {
    let steps = increments(&[host]);
    let (first, n) = (steps.first()?, steps.iter().map(|step| step.n as u64).sum());
    let name = ["node", "instance"].iter().find_map(|key| host.info.labels.get(*key));
    Some(ExportWarning::HostKills { host: name.map(|name| cleaned(name, 80)), n, first_ms: first.until_ms })
}

/// A label, as it was before the scrape gave its own: `exported_pod` is what kube-state-metrics said.
pub(super) fn label<'a>(labels: &'a Labels, key: &str) -> &'a str {
    let exported = labels.get(&format!("exported_{key}")).filter(|_| metric(labels).starts_with("kube_"));
    exported.or_else(|| labels.get(key)).map_or("", String::as_str)
}

/// Whether evidence is of the container that a series of memory is of.
fn is_of(reported: &Labels, memory: &SeriesInfo) -> bool {
    let Some(kind) = witness(reported).filter(|kind| *kind != Witness::HostKills) else { return false };
    let theirs = |key: &str| label(reported, key);
    let ours = |key: &str| memory.labels.get(key).map_or("", String::as_str);
    let agrees = |key: &str| theirs(key).is_empty() || ours(key).is_empty() || theirs(key) == ours(key);
    let is_same = |key: &str| !theirs(key).is_empty() && theirs(key) == ours(key);
    if !theirs("pod").is_empty() || !ours("pod").is_empty() {
        let container = if memory.container_given { ours("container") } else { "" };
        let is_container = match kind {
            Witness::PodStart => true,
            // A target in a pod need not say in which of its containers it is.
            Witness::ProcessStart if theirs("container").is_empty() => is_same("instance"),
            _ => !container.is_empty() && theirs("container") == container,
        };
        return is_same("pod") && agrees("namespace") && is_container;
    }
    match kind {
        Witness::ContainerStart | Witness::OomKills => is_same("name") && agrees("instance") && is_container(reported),
        // The process that is scraped for the memory of containers is none of them.
        Witness::ProcessStart => {
            !metric(&memory.labels).starts_with("container_") && is_same("instance") && agrees("job")
        }
        _ => false,
    }
}

/// A counter went up: by how much, between which scrapes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    after_ms: i64,
    until_ms: i64,
    n: f64,
}

/// The steps of one counter, which several scrapers may have read.
fn increments(counters: &[&SeriesSamples]) -> Vec<Step> {
    let mut readings: Vec<(i64, usize, f64)> = Vec::new();
    for (index, counter) in counters.iter().enumerate() {
        let samples = &counter.samples;
        readings
            .extend(samples.time_ms.iter().zip(&samples.used_bytes).map(|(time_ms, value)| (*time_ms, index, *value)));
    }
    readings.sort_by_key(|(time_ms, index, _)| (*time_ms, *index));
    let mut own = vec![None; counters.len()];
    let mut last: Option<(i64, f64)> = None;
    let mut steps = Vec::new();
    for (time_ms, index, value) in readings {
        let began_anew = own[index].replace(value).is_some_and(|before| value < before);
        match last {
            Some((after_ms, before)) if before < value => {
                steps.push(Step { after_ms, until_ms: time_ms, n: value - before });
            }
            // What another scraper has seen already.
            Some((_, before)) if value < before && !began_anew => continue,
            _ => {}
        }
        last = Some((time_ms, value));
    }
    steps
}

/// When something started, as its own clock says.
#[derive(Debug, Clone)]
struct Start {
    time_ms: i64,
    by: String,
    is_claimed: bool,
}

/// What is reported one series.
#[derive(Default)]
struct Restarts {
    restarts: Vec<ReportedRestart>,
    watched: Vec<(i64, i64)>,
}

impl Restarts {
    /// What witnesses of one series tell; `start_ms`: its first reading.
    fn of(witnesses: &[&SeriesSamples], start_ms: i64) -> Restarts {
        let of_kind = |kind: Witness| -> Vec<&SeriesSamples> {
            witnesses.iter().copied().filter(|one| witness(&one.info.labels) == Some(kind)).collect()
        };
        let counters = of_kind(Witness::Restarts);
        let reasons = Reasons::of(&of_kind(Witness::LastReason));
        let containers = of_kind(Witness::ContainerStart);
        let processes = of_kind(Witness::ProcessStart);
        let mut starts = starts(&containers, &processes, start_ms);
        let mut reported = Restarts::default();

        for step in increments(&counters) {
            reported.count(step, metric(&counters[0].info.labels), &mut starts, &reasons);
        }
        for (nth, start) in starts.iter().enumerate().filter(|(_, start)| !start.is_claimed) {
            let next_ms = starts.get(nth + 1).map_or(i64::MAX, |next| next.time_ms);
            let reason = reasons.between(start.time_ms + REASON_LAG_MS, next_ms);
            reported.add(start.time_ms, start.time_ms, &[&start.by], reason);
        }
        if counters.is_empty() && containers.is_empty() && processes.is_empty() {
            for (after_ms, time_ms, reason) in reasons.changes() {
                reported.add(after_ms - LAG_MS, time_ms, &[], Some(reason));
            }
        }
        reported.restarts.sort_by_key(|restart| restart.time_ms);
        reported.kills(&of_kind(Witness::OomKills));
        reported.pods(&of_kind(Witness::PodStart), start_ms);
        reported.restarts.sort_by_key(|restart| restart.time_ms);
        for one in counters.iter().chain(&containers).chain(&processes) {
            reported.watched.extend(rising(one));
        }
        reported.watched.sort_unstable();
        reported
    }

    /// Restarts that a counter counted: those with a start of their own in that time, and others between the scrapes.
    fn count(&mut self, step: Step, by: &str, starts: &mut [Start], reasons: &Reasons) {
        let after_ms = step.after_ms - LAG_MS;
        let n = (step.n.round().max(1.0) as usize).min(MAX_RESTARTS.saturating_sub(self.restarts.len()));
        let mut reason = reasons.between(step.until_ms, i64::MAX);
        let mut n_claimed = 0;
        let within =
            |start: &&mut Start| !start.is_claimed && after_ms < start.time_ms && start.time_ms <= step.until_ms;
        for start in starts.iter_mut().rev().filter(within).take(n) {
            start.is_claimed = true;
            n_claimed += 1;
            // The reason is that of the last end.
            self.add(start.time_ms, start.time_ms, &[&start.by, by], reason.take());
        }
        let n_others = n - n_claimed;
        for nth in (1..=n_others).rev() {
            let share = nth as f64 / n_others as f64;
            let time_ms = step.after_ms + ((step.until_ms - step.after_ms) as f64 * share) as i64;
            self.add(if n == 1 { after_ms } else { step.after_ms }, time_ms, &[by], reason.take());
        }
    }

    fn add(&mut self, after_ms: i64, time_ms: i64, by: &[&str], reason: Option<&str>) {
        let mut by: Vec<String> = by.iter().map(|name| (*name).to_owned()).collect();
        by.extend(reason.map(|_| "kube_pod_container_status_last_terminated_reason".to_owned()));
        let oom = reason == Some(OOM_KILLED);
        let reason = reason.filter(|_| !oom).map(|reason| cleaned(reason, 60));
        self.restarts.push(ReportedRestart { after_ms, time_ms, restarted: true, oom, recreated: false, reason, by });
    }

    /// Kills that cAdvisor counted: of a restart nearby, or of a process beside the first one.
    fn kills(&mut self, counters: &[&SeriesSamples]) {
        let mut of_runs: BTreeMap<&str, Vec<&SeriesSamples>> = BTreeMap::new();
        for counter in counters {
            of_runs.entry(label(&counter.info.labels, "id")).or_default().push(counter);
        }
        for step in of_runs.values().flat_map(|of_run| increments(of_run)) {
            let by = "container_oom_events_total".to_owned();
            let near = |restart: &&mut ReportedRestart| {
                step.after_ms - LAG_MS < restart.time_ms && restart.time_ms <= step.until_ms + LAG_MS
            };
            match self.restarts.iter_mut().filter(|restart| restart.restarted).find(near) {
                Some(restart) => {
                    restart.oom = true;
                    restart.reason = None;
                    if !restart.by.contains(&by) {
                        restart.by.push(by);
                    }
                }
                None => self.restarts.push(ReportedRestart {
                    after_ms: step.after_ms,
                    time_ms: step.until_ms,
                    restarted: false,
                    oom: true,
                    recreated: false,
                    reason: None,
                    by: vec![by],
                }),
            }
        }
    }

    /// Pods that were recreated under their name, as those of a `StatefulSet` are.
    fn pods(&mut self, pods: &[&SeriesSamples], start_ms: i64) {
        let starts = distinct(pods);
        for (time_ms, by) in starts.into_iter().filter(|(time_ms, _)| start_ms < *time_ms) {
            let is_its = |restart: &&mut ReportedRestart| {
                restart.restarted && time_ms <= restart.time_ms && restart.time_ms <= time_ms + POD_LAG_MS
            };
            match self.restarts.iter_mut().find(is_its) {
                Some(restart) => {
                    restart.recreated = true;
                    restart.by.push(by);
                }
                None => self.restarts.push(ReportedRestart {
                    after_ms: time_ms,
                    time_ms,
                    restarted: true,
                    oom: false,
                    recreated: true,
                    reason: None,
                    by: vec![by],
                }),
            }
        }
    }
}

/// The times that series of start times give, each once, with the metric. A start that lies before the reading of the one
/// before it is none: a clock was set.
fn distinct(series: &[&SeriesSamples]) -> Vec<(i64, String)> {
    let mut times: Vec<(i64, String)> = Vec::new();
    let mut seen = HashSet::new();
    for one in series {
        let mut read_ms = i64::MIN;
        for (at_ms, seconds) in one.samples.time_ms.iter().zip(&one.samples.used_bytes) {
            let time_ms = (seconds * 1000.0).round() as i64;
            if 0.0 < *seconds && read_ms.saturating_sub(LAG_MS) < time_ms && seen.insert(time_ms) {
                times.push((time_ms, metric(&one.info.labels).to_owned()));
            }
            read_ms = *at_ms;
        }
    }
    times.sort();
    times.dedup_by(|later, earlier| later.0 - earlier.0 < JITTER_MS);
    times
}

/// The starts of containers and of processes; a process that starts with its container is that.
fn starts(containers: &[&SeriesSamples], processes: &[&SeriesSamples], start_ms: i64) -> Vec<Start> {
    let mut starts = distinct(containers);
    for process in processes {
        // One that begins to be scraped later may have run beside the others.
        let of_process = distinct(&[*process]).into_iter().enumerate();
        let is_reported = |(nth, (time_ms, _)): &(usize, (i64, String))| 0 < *nth || *time_ms <= start_ms;
        for (_, (time_ms, by)) in of_process.filter(is_reported) {
            let is_known = |(known_ms, _): &(i64, String)| {
                -JITTER_MS < time_ms - known_ms && time_ms - known_ms < WITH_CONTAINER_MS
            };
            if !starts.iter().any(is_known) {
                starts.push((time_ms, by));
            }
        }
    }
    starts.sort();
    starts.into_iter().map(|(time_ms, by)| Start { time_ms, by, is_claimed: false }).collect()
}

/// The times of a series in which its values did not fall.
fn rising(series: &SeriesSamples) -> Vec<(i64, i64)> {
    let samples = &series.samples;
    let indices: Vec<usize> = (0..samples.len()).collect();
    let pieces = indices.chunk_by(|a, b| samples.used_bytes[*a] <= samples.used_bytes[*b]);
    pieces.map(|piece| (samples.time_ms[piece[0]], samples.time_ms[piece[piece.len() - 1]])).collect()
}

/// What Kubernetes calls an OOM kill.
const OOM_KILLED: &str = "OOMKilled";

/// Why a container ended last, over time.
#[derive(Default)]
struct Reasons<'a> {
    /// In time order.
    at: Vec<(i64, &'a str)>,
    /// When the metric was read at all: without a reason for as long as there is none.
    from_ms: Option<i64>,
}

impl<'a> Reasons<'a> {
    fn of(series: &[&'a SeriesSamples]) -> Reasons<'a> {
        let mut reasons = Reasons::default();
        for one in series {
            let reason = label(&one.info.labels, "reason");
            for (time_ms, value) in one.samples.time_ms.iter().zip(&one.samples.used_bytes) {
                reasons.from_ms = Some(reasons.from_ms.map_or(*time_ms, |from: i64| from.min(*time_ms)));
                if 0.0 < *value {
                    reasons.at.push((*time_ms, reason));
                }
            }
        }
        reasons.at.sort_unstable();
        reasons
    }

    /// The reason that is read first from one time on, before another.
    fn between(&self, from_ms: i64, until_ms: i64) -> Option<&'a str> {
        let until_ms = until_ms.min(from_ms + REASON_REACH_MS);
        let next = self.at.partition_point(|(at_ms, _)| *at_ms < from_ms);
        self.at.get(next).filter(|(at_ms, _)| *at_ms < until_ms).map(|(_, reason)| *reason)
    }

    /// When another reason took the place of one, or of none: it was read last before, then first.
    fn changes(&self) -> Vec<(i64, i64, &'a str)> {
        let others = self.at.windows(2).filter(|pair| pair[0].1 != pair[1].1);
        let mut changes: Vec<_> = others.map(|pair| (pair[0].0, pair[1].0, pair[1].1)).collect();
        if let (Some(from_ms), Some((first_ms, reason))) = (self.from_ms, self.at.first())
            && from_ms < *first_ms
        {
            changes.insert(0, (from_ms, *first_ms, reason));
        }
        changes
    }
}

#[cfg(test)]
mod tests;
