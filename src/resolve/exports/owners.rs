//! What kube-state-metrics says of the owners of pods: it belongs to the memory of their containers, and is none itself.

use std::collections::{BTreeSet, HashMap};

use super::cadvisor::uncount;
use super::evidence::label;
use crate::account::{Input, Unusable};
use crate::decode::SeriesSamples;
use crate::decode::prometheus::{Labels, Owner, owner};
use crate::pods::{WORKLOAD, without_hash, without_schedule};

/// Who owns what: of its namespace and name, the kind and the name of its owner; `None` where it has no owner.
type Owners<'a> = HashMap<(&'a str, &'a str), Option<(&'a str, &'a str)>>;

/// Takes the series of owners out of what was read, and writes the workload of each pod to the label `workload`, where
/// it has none.
pub(super) fn take_out(series: &mut Vec<SeriesSamples>, inputs: &mut [Input]) {
    let (owners, mut memory): (Vec<_>, Vec<_>) =
        std::mem::take(series).into_iter().partition(|series| owner(&series.info.labels).is_some());
    for one in &owners {
        uncount(one.samples.len(), &one.inputs, inputs);
    }
    if memory.is_empty() {
        refuse(&owners, inputs);
    }
    let mut of: HashMap<Owner, Owners<'_>> = HashMap::new();
    for labels in owners.iter().map(|one| &one.info.labels) {
        let Some(kind) = owner(labels) else { continue };
        let is_controller = labels.get("owner_is_controller").is_none_or(|is| is != "false");
        let [name, owner_kind, owner_name] = [kind.label(), "owner_kind", "owner_name"].map(|key| label(labels, key));
        if is_controller && !name.is_empty() {
            // What has no owner is exported with the kind `<none>`, by later versions with none.
            let has_owner = !owner_name.is_empty() && owner_kind != "<none>";
            let known = of.entry(kind).or_default().entry((label(labels, "namespace"), name)).or_default();
            *known = has_owner.then_some((owner_kind, owner_name)).or(*known);
        }
    }
    let none = Owners::new();
    let [pods, sets, jobs] = [Owner::Pod, Owner::ReplicaSet, Owner::Job].map(|kind| of.get(&kind).unwrap_or(&none));
    for labels in memory.iter_mut().map(|one| &mut one.info.labels) {
        if let Some(workload) = workload(labels, pods, sets, jobs).map(str::to_owned)
            && !labels.contains_key(WORKLOAD)
        {
            labels.insert(WORKLOAD.to_owned(), workload);
        }
    }
    *series = memory;
}

/// The workload of a series of memory: the owner of its pod, or the owner of that; a pod without an owner is its own.
fn workload<'a>(labels: &'a Labels, pods: &Owners<'a>, sets: &Owners<'a>, jobs: &Owners<'a>) -> Option<&'a str> {
    let [namespace, pod] = ["namespace", "pod"].map(|key| labels.get(key).map_or("", String::as_str));
    let Some((kind, name)) = *pods.get(&(namespace, pod))? else { return Some(pod) };
    let above = |of: &Owners<'a>| of.get(&(namespace, name)).map(|owner| owner.map_or(name, |(_, above)| above));
    Some(match kind {
        "ReplicaSet" => above(sets).unwrap_or(without_hash(name).0),
        "Job" => above(jobs).unwrap_or_else(|| without_schedule(name)),
        // A static pod is called after its node.
        "Node" => pod.strip_suffix(name).and_then(|base| base.strip_suffix('-')).unwrap_or(pod),
        _ => name,
    })
}

/// Without any memory owners are of no use.
fn refuse(owners: &[SeriesSamples], inputs: &mut [Input]) {
    let of: BTreeSet<usize> = owners.iter().flat_map(|one| one.inputs.iter().copied()).collect();
    for index in of {
        let input = &mut inputs[index];
        input.rejected_count += std::mem::take(&mut input.other_lines);
        input.unusable.get_or_insert(Unusable::OnlyOwners);
    }
}

#[cfg(test)]
mod tests {
    use crate::account::Format;
    use crate::read::test_support::{MTIME_MS, account, read_all};

    const OWNERS: &str = "kube_pod_owner{namespace=\"shop\",pod=\"web-84c7b5d6f-x2k4p\",owner_kind=\"ReplicaSet\",owner_name=\"web-84c7b5d6f\",owner_is_controller=\"true\"} 1 1795464400\n\
        kube_replicaset_owner{namespace=\"shop\",replicaset=\"web-84c7b5d6f\",owner_kind=\"Rollout\",owner_name=\"front\",owner_is_controller=\"true\"} 1 1795464400\n\
        kube_pod_owner{namespace=\"shop\",pod=\"api-84c7b5d6f-x2k4p\",owner_kind=\"ReplicaSet\",owner_name=\"api-84c7b5d6f\",owner_is_controller=\"true\"} 1 1795464400\n\
        kube_pod_owner{exported_namespace=\"shop\",exported_pod=\"sync-x2k4p\",pod=\"ksm-0\",namespace=\"ops\",owner_kind=\"Job\",owner_name=\"sync-29112345\"} 1 1795464400\n\
        kube_pod_owner{namespace=\"shop\",pod=\"etcd-node-7\",owner_kind=\"Node\",owner_name=\"node-7\"} 1 1795464400\n\
        kube_pod_owner{namespace=\"shop\",pod=\"bare-x2k4p\",owner_kind=\"<none>\",owner_name=\"<none>\"} 1 1795464400\n\
        kube_pod_owner{namespace=\"shop\",pod=\"bare-0\"} 1 1795464400\n\
        kube_pod_owner{namespace=\"shop\",pod=\"old-84c7b5d6f-x2k4p\",owner_kind=\"ReplicaSet\",owner_name=\"old-84c7b5d6f\"} 1 1795464400\n\
        kube_replicaset_owner{namespace=\"shop\",replicaset=\"old-84c7b5d6f\"} 1 1795464400\n\
        kube_pod_owner{namespace=\"shop\",pod=\"spark-x2k4p\",owner_kind=\"Driver\",owner_name=\"driver\",owner_is_controller=\"false\"} 1 1795464400\n";

    #[test]
    fn the_owner_of_the_owner_is_the_workload() {
        let memory = |pod: &str| {
            format!(
                "container_memory_working_set_bytes{{namespace=\"shop\",pod=\"{pod}\",container=\"app\"}} 1048576 1795464400\n"
            )
        };
        let pods = [
            "web-84c7b5d6f-x2k4p",
            "api-84c7b5d6f-x2k4p",
            "sync-x2k4p",
            "etcd-node-7",
            "bare-x2k4p",
            "bare-0",
            "old-84c7b5d6f-x2k4p",
            "spark-x2k4p",
            "unknown-x2k4p",
        ];
        let text: String = pods.iter().map(|pod| memory(pod)).chain([OWNERS.to_owned()]).collect();
        let (inputs, series) = read_all(Format::Prometheus, &[(&text, MTIME_MS)]);
        let workloads: Vec<Option<&str>> =
            series.iter().map(|one| one.info.labels.get("workload").map(String::as_str)).collect();
        let with_owner = [Some("front"), Some("api"), Some("sync"), Some("etcd")];
        // A pod or a ReplicaSet without an owner is a workload of its own; an owner that controls nothing says nothing.
        let alone = [Some("bare-x2k4p"), Some("bare-0"), Some("old-84c7b5d6f"), None, None];
        assert_eq!(workloads, [&with_owner[..], &alone].concat());
        // The label tells no container apart.
        assert_eq!(series[0].info.id, "shop/web-84c7b5d6f-x2k4p/app");
        assert_eq!(account(&inputs[0]), "9 samples, 0 gaps, 10 other, 0 rejected\n");
    }

    #[test]
    fn owners_without_memory_are_refused() {
        let (inputs, _) = read_all(Format::Prometheus, &[(OWNERS, MTIME_MS)]);
        insta::assert_snapshot!(
            inputs[0].unusable.as_ref().unwrap(),
            @"it holds owners of pods but no memory (pass it together with an export of `container_memory_working_set_bytes`, whose pods are then judged by workload)"
        );
    }
}
