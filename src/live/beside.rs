//! What is read beside the memory: the other amounts of its containers, their limits, and evidence of restarts.

use std::collections::BTreeMap;

use super::plan::Counts;
use super::query::{Matcher, ServerSelector};

/// Amounts of a container that tell what grows in it. Others of cAdvisor, such as mapped files, decide nothing.
const OF_CONTAINERS: [&str; 5] = [
    "container_memory_rss",
    "container_memory_cache",
    "container_memory_usage_bytes",
    "container_memory_kernel_usage",
    "container_memory_swap",
];

/// The same of processes and runtimes. Of two that count one amount, only the one that is weighed.
const OF_PROCESSES: [&str; 14] = [
    "process_resident_memory_bytes",
    "nodejs_heap_size_used_bytes",
    "nodejs_heap_size_total_bytes",
    "nodejs_external_memory_bytes",
    "go_memstats_heap_alloc_bytes",
    "go_memstats_heap_sys_bytes",
    "jvm_memory_used_bytes",
    "jvm_memory_bytes_used",
    "jvm_memory_committed_bytes",
    "jvm_memory_bytes_committed",
    "jvm_buffer_memory_used_bytes",
    "dotnet_gc_heap_size_bytes",
    "dotnet_total_memory_bytes",
    "process_memory_usage",
];

/// By these a process is known to be of a container.
const OF_ONE: &str = "cluster,namespace,pod,container";

/// Labels that tell amounts of one runtime apart, and its pools, which are summed.
const AREAS: &str = "area,jvm_memory_type";
const POOLS: &str = "id,pool,jvm_memory_pool_name";

/// So many values of an amount are read: what decides is growth over the whole time, whose noise lasts for longer than a
/// thousandth of it. Of 146 containers of cAdvisor that `examples/parts` made with seed 5, each was said to grow in the
/// same way when their parts, without the working set, were thinned to that; of the verdicts one changed, from suspected
/// to a leak.
const N_VALUES: i64 = 1000;

/// How a selector is written where a value every so many seconds is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// At each step the newest sample of the last minutes.
    Newest,
    /// The newest sample since the step before, so that nothing of a container outlives it by more than a step.
    SinceStep,
    /// As `SinceStep`, of a metric of kube-state-metrics, whose labels the scrape may have renamed.
    OfKube,
    /// One series of each container that this selects: processes of others were not asked for, and a process that two
    /// jobs scrape, or whose address changes, is one.
    OfContainers(ServerSelector),
}

impl Form {
    /// The query; `step` in seconds.
    pub(super) fn query(&self, selector: &ServerSelector, step: i64) -> String {
        match self {
            Form::Newest => selector.to_string(),
            Form::SinceStep => format!("last_over_time({selector}[{step}s])"),
            Form::OfKube => {
                let mut selectors = vec![selector.clone(), selector.exported()];
                selectors.dedup();
                let since_step = |selector: &ServerSelector| Form::SinceStep.query(selector, step);
                selectors.iter().map(since_step).collect::<Vec<_>>().join(" or ")
            }
            Form::OfContainers(memory) => {
                let of_one = format!("__name__,{OF_ONE},{AREAS}");
                format!("sum by ({of_one}) (max by ({of_one},{POOLS}) ({selector} and on ({OF_ONE}) {memory}))")
            }
        }
    }
}

/// A query for how many series there are of each other amount of the containers that a selector of memory selects. What is
/// always 0, as swap mostly is, does not count.
pub(super) fn counts(memory: &ServerSelector) -> String {
    let names: Vec<&str> = OF_CONTAINERS.into_iter().chain(OF_PROCESSES).collect();
    format!("count by (__name__) ({} > 0 and on ({OF_ONE}) {memory})", amounts(memory, &names, Some(OF_PROCESS)))
}

/// Matchers of memory that hold for processes, too.
const OF_PROCESS: &[&str] = &["cluster", "namespace", "pod", "container"];

/// A selector of these amounts.
fn amounts(memory: &ServerSelector, names: &[&str], keep: Option<&[&str]>) -> ServerSelector {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    memory.of("", keep).with(Matcher::one_of("__name__", &names))
}

/// Other amounts that are asked for at once.
#[derive(Debug)]
pub(super) struct Amounts {
    /// Their metrics, for a sentence.
    pub(super) names: String,
    pub(super) selector: ServerSelector,
    pub(super) form: Form,
    /// How many series there are.
    pub(super) n_series: Counts,
}

/// What is asked for of what was counted, by name.
pub(super) fn asked(memory: &ServerSelector, counted: &[(String, Counts)]) -> Vec<Amounts> {
    let of = |names: &[&str], keep, form: Form| {
        let found: Vec<_> = counted.iter().filter(|(name, _)| names.contains(&name.as_str())).collect();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        let mut n_series = BTreeMap::new();
        for (time, n) in found.iter().flat_map(|(_, counts)| counts) {
            *n_series.entry(*time).or_default() += n;
        }
        let selector = amounts(memory, &names, keep);
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        (!names.is_empty()).then(|| Amounts {
            names: quoted.join(", "),
            selector,
            form,
            n_series: n_series.into_iter().collect(),
        })
    };
    let of_processes = Form::OfContainers(memory.clone());
    [of(&OF_CONTAINERS, None, Form::SinceStep), of(&OF_PROCESSES, Some(OF_PROCESS), of_processes)]
        .into_iter()
        .flatten()
        .collect()
}

/// How far apart values of other amounts are, in seconds: no closer than the readings of memory, and in whole minutes where
/// it is more than one.
pub(super) fn step(interval: f64, span: i64) -> i64 {
    let step = (interval.ceil() as i64).max(span / N_VALUES).max(1);
    if 60 < step { (step + 59) / 60 * 60 } else { step }
}

/// What kube-state-metrics names the owner of. The workload of a pod is its owner, or the owner of its `ReplicaSet` or Job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owned {
    Pod,
    ReplicaSet,
    Job,
}

impl Owned {
    pub(super) const ALL: [Owned; 3] = [Owned::Pod, Owned::ReplicaSet, Owned::Job];

    /// Whose owner is asked for next, with its name: the pod of a series of memory, what owns a pod by `kube_pod_owner`.
    pub(super) fn of(labels: &BTreeMap<String, String>) -> Option<(Owned, String)> {
        let label = |key| labels.get(key).filter(|label| !label.is_empty());
        if label("__name__").is_some_and(|name| name == Owned::Pod.metric()) {
            let owned = match label("owner_kind")?.as_str() {
                "ReplicaSet" => Owned::ReplicaSet,
                "Job" => Owned::Job,
                _ => return None,
            };
            return Some((owned, label("owner_name")?.clone()));
        }
        label("container").and(label("pod")).map(|pod| (Owned::Pod, pod.clone()))
    }

    /// The metric of kube-state-metrics that says who owns it.
    pub(super) const fn metric(self) -> &'static str {
        match self {
            Owned::Pod => "kube_pod_owner",
            Owned::ReplicaSet => "kube_replicaset_owner",
            Owned::Job => "kube_job_owner",
        }
    }

    /// The owners of those with these names.
    pub(super) fn selector(self, memory: &ServerSelector, names: &[String]) -> ServerSelector {
        let label = match self {
            Owned::Pod => "pod",
            Owned::ReplicaSet => "replicaset",
            Owned::Job => "job_name",
        };
        memory.of(self.metric(), Some(&["cluster", "namespace"])).with(Matcher::one_of(label, names))
    }
}

/// What is read beside the memory that is no amount of it.
pub(super) struct Companion {
    pub(super) what: &'static str,
    pub(super) selector: ServerSelector,
    /// In seconds.
    pub(super) step: i64,
}

/// What belongs to the memory that a selector asks for; `span` in seconds.
pub(super) fn companions(memory: &ServerSelector, span: i64) -> Vec<Companion> {
    const OF_CONTAINER: Option<&[&str]> = Some(&["namespace", "pod", "container"]);

    let limit = |selector| Companion { what: "limits", selector, step: (span / 24).clamp(60, 3600) };
    let restarts = |selector| Companion { what: "metrics of restarts", selector, step: (span / 1000).clamp(60, 300) };
    if !memory.metric.starts_with("container_") {
        return vec![restarts(memory.of("process_start_time_seconds", None))];
    }
    let of_pods = memory.of("kube_pod_container_resource_limits", OF_CONTAINER);
    vec![
        limit(memory.of("container_spec_memory_limit_bytes", None)),
        limit(of_pods.with(Matcher::new("resource", "=", "memory"))),
        restarts(memory.of("container_start_time_seconds", None)),
        restarts(memory.of("container_oom_events_total", None)),
        restarts(memory.of("kube_pod_container_status_restarts_total", OF_CONTAINER)),
        restarts(memory.of("kube_pod_container_status_last_terminated_reason", OF_CONTAINER)),
        restarts(memory.of("kube_pod_start_time", Some(&["namespace", "pod"]))),
    ]
}
