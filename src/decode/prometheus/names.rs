//! What the names of metrics say of their series.

use super::Labels;
use crate::decode::numbers::{Meaning, meaning};

/// Whether a series is of limits: of cAdvisor, or of kube-state-metrics.
pub(crate) fn is_limit(labels: &Labels) -> bool {
    let is = |key: &str, value: &str| labels.get(key).is_some_and(|label| label == value);
    is("__name__", "container_spec_memory_limit_bytes")
        || is("__name__", "kube_pod_container_resource_limits_memory_bytes")
        || is("__name__", "kube_pod_container_resource_limits") && is("resource", "memory")
}

/// What a series reports containers beside their memory: evidence, and no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Witness {
    /// When a container started, in seconds since 1970.
    ContainerStart,
    /// When a process started, in seconds since 1970.
    ProcessStart,
    /// When a pod started, in seconds since 1970.
    PodStart,
    /// How often a container was restarted in its pod: a counter.
    Restarts,
    /// Why a container ended last, as its label `reason`; 1 where that holds.
    LastReason,
    /// How often a process of a container was killed for memory: a counter.
    OomKills,
    /// How often a process of a whole machine was killed for memory: a counter.
    HostKills,
}

/// What a series is evidence of; `None` for every other.
pub(crate) fn witness(labels: &Labels) -> Option<Witness> {
    Some(match metric(labels) {
        "container_start_time_seconds" | "kube_pod_container_state_started" => Witness::ContainerStart,
        "process_start_time_seconds" => Witness::ProcessStart,
        "kube_pod_start_time" => Witness::PodStart,
        "kube_pod_container_status_restarts_total" => Witness::Restarts,
        "kube_pod_container_status_last_terminated_reason" => Witness::LastReason,
        "container_oom_events_total" => Witness::OomKills,
        "node_vmstat_oom_kill" => Witness::HostKills,
        _ => return None,
    })
}

/// Whose owner a series of kube-state-metrics says: information, and no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    /// Of a pod.
    Pod,
    /// Of a `ReplicaSet`.
    ReplicaSet,
    /// Of a Job.
    Job,
}

impl Owner {
    /// The label that names what is owned.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Owner::Pod => "pod",
            Owner::ReplicaSet => "replicaset",
            Owner::Job => "job_name",
        }
    }
}

/// Whose owner a series says; `None` for every other.
pub(crate) fn owner(labels: &Labels) -> Option<Owner> {
    Some(match metric(labels) {
        "kube_pod_owner" => Owner::Pod,
        "kube_replicaset_owner" => Owner::ReplicaSet,
        "kube_job_owner" => Owner::Job,
        _ => return None,
    })
}

/// Whether a series is no amount of memory and has another meaning that is known.
pub(crate) fn is_beside(labels: &Labels) -> bool {
    is_limit(labels) || witness(labels).is_some() || owner(labels).is_some()
}

/// The metric of a series; empty for that of an expression.
pub(crate) fn metric(labels: &Labels) -> &str {
    labels.get("__name__").map_or("", String::as_str)
}

/// Whether nothing says what the values of a series count.
pub(super) fn needs_unit(labels: &Labels) -> bool {
    !is_beside(labels) && meaning(metric(labels)) == Meaning::Unknown
}
