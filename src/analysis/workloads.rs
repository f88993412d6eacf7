//! Pods that come and go: puts those of one workload together, and says what their row is.

use std::collections::{BTreeMap, HashMap};

use super::By;
use super::prepared::moved;
use super::together::{Container, Read};
use crate::amounts;
use crate::criteria::{Criterion, Reason, Status};
use crate::events::SeriesEvents;
use crate::pods::{self, Workload};
use crate::policy;
use crate::report::workloads::{Differing, VersionReport, WorkloadReport};
use crate::report::{Note, RestartReport, RestartWhat, SeriesReport, facts};
use crate::segment::Cause;
use crate::series::{MemorySeries, SeriesInfo};
use crate::settings::Settings;
use crate::verdict::{JudgeTerms, Verdict};
use crate::workload::{self, Joined, Pod, siblings};

/// Criteria of the trend, or of how new readings are: of a pod that lives for hours they say nothing, of the workload
/// everything.
const OF_THE_WHOLE: [&str; 3] = ["trend-24h", "flat-after-load", "stale-data"];

/// What is judged, and beside each workload its pods.
pub(super) struct Rows {
    /// What a row is about.
    pub(super) rows: Vec<Container<Read>>,
    /// The pods of each row; none where it is no workload.
    pub(super) pods: Vec<Vec<Container<Read>>>,
}

impl Rows {
    /// The inputs of each workload: those of its pods. `of_series`: those of each series.
    pub(super) fn inputs(&self, of_series: &HashMap<String, Vec<usize>>) -> Vec<(String, Vec<usize>)> {
        let of = |(row, pods): (&Container<Read>, &Vec<Container<Read>>)| {
            let of_pods =
                pods.iter().flat_map(Container::members).filter_map(|read| of_series.get(&read.samples.info.id));
            let mut inputs: Vec<usize> = of_pods.flatten().copied().collect();
            inputs.sort_unstable();
            inputs.dedup();
            let ids: Vec<String> = row.members().map(|read| read.samples.info.id.clone()).collect();
            ids.into_iter().map(move |id| (id, inputs.clone())).collect::<Vec<_>>()
        };
        let rows = self.rows.iter().zip(&self.pods).filter(|(_, pods)| !pods.is_empty());
        rows.flat_map(of).collect()
    }
}

/// The rows of what was read. `settle_seconds`: memory settles for so long after a start.
pub(super) fn rows(read: Vec<Container<Read>>, by: By, settle_seconds: f64, notes: &mut Vec<Note>) -> Rows {
    if !is_by_workload(&read, by, notes) {
        let pods = read.iter().map(|_| Vec::new()).collect();
        return Rows { rows: read, pods };
    }
    let mut places: HashMap<(Workload, String), usize> = HashMap::new();
    let mut groups: Vec<(Option<Workload>, Vec<Container<Read>>)> = Vec::new();
    for container in read {
        let info = &container.head.samples.info;
        let cluster = info.labels.get("cluster").cloned().unwrap_or_default();
        // Series that count different amounts, one in each pod, are no siblings.
        let metric = ["__name__", "part"].iter().find_map(|key| info.labels.get(*key)).map_or("", String::as_str);
        let key = Workload::of(info).map(|workload| (workload, format!("{cluster} {metric}")));
        let next = groups.len();
        let at = key.clone().map_or(next, |key| *places.entry(key).or_insert(next));
        if at == next {
            groups.push((key.map(|(workload, _)| workload), Vec::new()));
        }
        groups[at].1.push(container);
    }
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut rows = Rows { rows: Vec::new(), pods: Vec::new() };
    for (key, mut members) in groups {
        if let Some(workload) = key {
            rows.rows.push(whole(&workload, &members, settle_seconds, &mut taken));
            rows.pods.push(members);
        } else {
            rows.rows.extend(members.pop());
            rows.pods.push(Vec::new());
        }
    }
    rows
}

/// Whether pods are judged by workload: as the user says, else where most of them ended before the last reading.
fn is_by_workload(read: &[Container<Read>], by: By, notes: &mut Vec<Note>) -> bool {
    let of_pods: Vec<(Workload, &MemorySeries)> = read
        .iter()
        .filter_map(|container| Some((Workload::of(&container.head.samples.info)?, &container.head.samples)))
        .collect();
    let last_ms = read.iter().map(|container| container.head.samples.end_ms()).max().unwrap_or(i64::MIN);
    let n_ended = of_pods.iter().filter(|(_, samples)| facts::last_seen_ms(samples, last_ms).is_some()).count();
    let n_workloads = of_pods.iter().map(|(workload, _)| workload).collect::<std::collections::BTreeSet<_>>().len();
    let n_pods = of_pods.len();
    match by {
        By::Container => false,
        By::Workload if of_pods.is_empty() => {
            notes.push(Note::NoPods);
            false
        }
        By::Workload => true,
        By::Auto => {
            let come_and_go = n_workloads < n_pods && n_pods < 2 * n_ended;
            if come_and_go {
                notes.push(Note::ByWorkload { n_ended, n_pods, n_workloads });
            }
            come_and_go
        }
    }
}

/// The typical pod of a workload: its head, and each part that its pods have.
fn whole(
    workload: &Workload,
    members: &[Container<Read>],
    settle_seconds: f64,
    taken: &mut BTreeMap<String, usize>,
) -> Container<Read> {
    let own = workload.id();
    let n_taken = taken.entry(own.clone()).or_default();
    *n_taken += 1;
    let own = if *n_taken == 1 { own } else { format!("{own} ({n_taken})") };
    let is_whole = members.iter().any(|member| member.id.is_some());
    let joined = |of: Vec<&Read>, name: Option<String>| {
        let newest = of.iter().max_by_key(|read| (read.samples.end_ms(), read.samples.start_ms()))?;
        let id = name.map_or(own.clone(), |name| format!("{own} {name}"));
        let mut info = SeriesInfo { id, ..newest.samples.info.clone() };
        info.labels.insert(pods::WORKLOAD.to_owned(), workload.name.clone());
        let versions: Vec<Option<String>> = of.iter().map(|read| pods::version(&read.samples.info.labels)).collect();
        let each: Vec<Pod<'_>> = of
            .iter()
            .zip(&versions)
            .map(|(read, version)| Pod { series: &read.samples, version: version.as_deref() })
            .collect();
        let joined = workload::join(&each, info, settle_seconds)?;
        let names = of.iter().flat_map(|read| amounts::names(&read.samples.info)).collect();
        Some(Read {
            samples: joined.series.clone(),
            events: SeriesEvents::default(),
            own_criteria: Vec::new(),
            joined: Some(Box::new(joined)),
            names,
        })
    };
    let head_name = |member: &Container<Read>| amounts::short_name(&member.head.samples.info);
    let head = joined(members.iter().map(|member| &member.head).collect(), is_whole.then(|| head_name(&members[0])));
    let mut parts: Vec<(String, Vec<&Read>)> = Vec::new();
    for part in members.iter().flat_map(|member| &member.parts) {
        let name = amounts::short_name(&part.samples.info);
        match parts.iter_mut().find(|(other, _)| *other == name) {
            Some((_, of)) => of.push(part),
            None => parts.push((name, vec![part])),
        }
    }
    let parts = parts.into_iter().filter_map(|(name, of)| joined(of, Some(name))).collect();
    Container { id: is_whole.then_some(own), head: head.expect("a workload has a pod, and a pod a sample"), parts }
}

/// What is known of a workload before its pods are reported. `since`: the version since which it grows, as an index;
/// `matters`: the growth that does, in bytes per second.
pub(super) fn described(joined: &Joined, since: Option<usize>, matters: f64, terms: &JudgeTerms) -> WorkloadReport {
    let versions = joined.versions.iter().enumerate().map(|(index, name)| {
        let pods: std::collections::BTreeSet<usize> =
            joined.lifetimes.iter().filter(|one| one.version == index).map(|one| one.pod).collect();
        VersionReport { name: name.clone(), deployed_ms: joined.deployed_ms(index), n_pods: pods.len() }
    });
    let differing = siblings::differing(joined, matters, terms).into_iter().map(|one| Differing {
        pod: one.pod,
        bytes_per_second: one.bytes_per_second,
        confidence: terms.confidence,
        q_value: one.q_value,
    });
    let rollouts = (1..joined.runs.len()).filter(|run| joined.runs[*run].version != joined.runs[run - 1].version);
    WorkloadReport {
        versions: versions.collect(),
        grows_since: since,
        replicas: 0,
        differing: differing.collect(),
        rollouts: rollouts.map(|run| (rolled_out_ms(joined, run), joined.runs[run].version)).collect(),
        alone: None,
        by_pod: None,
        pods: Vec::new(),
    }
}

/// When the rollout began that a run comes after: with the first pod of its version, which is a little earlier than most of
/// the pods are; of a version that ran before, when they are.
fn rolled_out_ms(joined: &Joined, run: usize) -> i64 {
    let since = joined.begins_ms(run - 1)..joined.begins_ms(run);
    joined.deployed_ms(joined.runs[run].version).filter(|at_ms| since.contains(at_ms)).unwrap_or(since.end)
}

/// The row of a workload with its pods: what one of them fails the workload fails, and one that leaks beside siblings
/// that do not is named.
pub(super) fn with_pods(
    mut series: SeriesReport,
    pods: Vec<SeriesReport>,
    settings: &Settings,
    last_ms: i64,
    with_load: bool,
) -> SeriesReport {
    let Some(mut workload) = series.workload.take() else { return series };
    // A pod of one reading has no step of its own.
    let reach_ms = 3000.0 * series.step_seconds.unwrap_or(0.0);
    let is_recent = |pod: &SeriesReport| (last_ms - pod.samples.end_ms()) as f64 <= reach_ms;
    let runs = pods.iter().filter(|pod| {
        facts::last_seen_ms(&pod.samples, last_ms).is_none() && (pod.step_seconds.is_some() || is_recent(pod))
    });
    workload.replicas = if series.last_seen_ms.is_some() { 0 } else { runs.count() };
    let is_worse = |verdict: Verdict| {
        (verdict.is_leak() || verdict == Verdict::LeakSuspected) && verdict < series.judgement.verdict
    };
    let by_pod = workload.differing.iter().map(|one| one.pod).find(|pod| is_worse(pods[*pod].verdict()));
    if let Some(at) = by_pod {
        let pod = &pods[at];
        let offset_ms = pod.samples.start_ms() - series.samples.start_ms();
        let judgement = moved(pod.judgement.clone(), offset_ms as f64 / 1000.0);
        workload.alone = Some(std::mem::replace(&mut series.judgement, judgement));
        workload.by_pod = Some(at);
        series.time_to_limit = pod.time_to_limit;
        series.next_action.clone_from(&pod.next_action);
        series.q_value = pod.q_value;
        series.settled = None;
        series.shapes = None;
    }
    series.restarts = restarts(&series, &workload, &pods);
    series.criteria = criteria(std::mem::take(&mut series.criteria), &pods, workload.by_pod);
    let beside = policy::Beside { with_load, killed: facts::are_kills_seen(&series.restarts, series.limit) };
    let policy::SeriesOutcome { outcome, contradicted, undecided } =
        policy::of_series(series.judgement.verdict, &series.criteria, &settings.policy, beside);
    (series.outcome, series.contradicted, series.undecided) = (outcome, contradicted, undecided);
    workload.pods = pods;
    series.notes.extend(workload.notes(series.samples.end_ms()));
    series.workload = Some(workload);
    series
}

/// The rollouts of a workload, and the restarts of its pods.
fn restarts(series: &SeriesReport, workload: &WorkloadReport, pods: &[SeriesReport]) -> Vec<RestartReport> {
    let (times, used) = (series.samples.time_ms(), series.samples.used_bytes());
    let rollouts = workload.rollouts.iter().map(|(at_ms, version)| {
        let after = times.partition_point(|time| time < at_ms).clamp(1, times.len().max(2) - 1);
        RestartReport {
            at_ms: *at_ms,
            cause: Cause::Recreated,
            reported: true,
            before_bytes: used[after - 1],
            after_bytes: used[after],
            what: RestartWhat::Rollout(workload.versions[*version].clone()),
        }
    });
    let of_pods = pods.iter().flat_map(|pod| {
        pod.restarts.iter().map(|restart| RestartReport {
            what: RestartWhat::OfPod(pod_name(pod).to_owned(), Box::new(restart.what.clone())),
            ..restart.clone()
        })
    });
    let mut restarts: Vec<RestartReport> = rollouts.chain(of_pods).collect();
    restarts.sort_by_key(|restart| restart.at_ms);
    restarts
}

/// The criteria of a workload: where a pod failed one, it has failed; where none did and one could decide it, it holds.
/// Those of the trend are of what its verdict is about. `by_pod`: see `WorkloadReport`.
fn criteria(mut own: Vec<Criterion>, pods: &[SeriesReport], by_pod: Option<usize>) -> Vec<Criterion> {
    for criterion in own.iter_mut().filter(|criterion| OF_THE_WHOLE.contains(&&*criterion.id)) {
        let of_pod = by_pod.and_then(|at| pods[at].criteria.iter().find(|one| one.id == criterion.id));
        if let Some(of_pod) = of_pod {
            criterion.clone_from(of_pod);
        }
    }
    let mut ids: Vec<&str> = own.iter().map(|criterion| &*criterion.id).collect();
    for id in pods.iter().flat_map(|pod| &pod.criteria).map(|criterion| &*criterion.id) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let of = |id: &&str| {
        let whole = || own.iter().find(|criterion| criterion.id == *id).cloned();
        if OF_THE_WHOLE.contains(id) {
            return whole();
        }
        let with = |wanted: Status| {
            let all = pods.iter().flat_map(|pod| pod.criteria.iter().map(move |criterion| (pod, criterion)));
            let found: Vec<_> = all.filter(|(_, one)| one.id == *id && one.status == wanted).collect();
            let (pod, one) = found.iter().max_by_key(|(pod, _)| pod.samples.end_ms())?;
            let reason = Box::new(one.reason.clone());
            let reason = Reason::OfPod { pod: pod_name(pod).to_owned(), more: found.len() - 1, reason };
            Some(Criterion { reason, ..(*one).clone() })
        };
        // The whole is put together at moments of its own: how its pods were read, they say.
        let decided = || whole().filter(|criterion| criterion.status != Status::NotEvaluable);
        with(Status::Fail)
            .or_else(|| with(Status::Pass))
            .or_else(decided)
            .or_else(|| with(Status::NotEvaluable))
            .or_else(whole)
    };
    ids.iter().filter_map(of).collect()
}

/// The name of a pod, for a reader.
fn pod_name(pod: &SeriesReport) -> &str {
    pod.samples.info.labels.get("pod").map_or(pod.id(), String::as_str)
}
