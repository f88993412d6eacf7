//! Which amount of a container a series counts, and which series belong to one container.
//!
//! Takes the identity of the series: metric names and labels. Gives groups with a head: the amount on which an OOM kill
//! depends. Does not look at samples.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::resolve;
use crate::series::{Labels, SeriesInfo};

crate::named! {
    /// An amount of a container's memory, most relevant to an OOM kill first. The first that was read is the head: the
    /// verdict is based on it, unless a part proves more.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Amount {
        /// What the kernel cannot easily take back: usage without inactive page cache.
        WorkingSet = "working-set",
        /// Anonymous memory of a cgroup, as cAdvisor counts it.
        Rss = "rss",
        /// The resident set of a process.
        ProcessRss = "process-rss",
        /// Everything that is charged to a cgroup, with all of its page cache.
        Usage = "usage",
        /// Objects on the heap that a runtime manages.
        HeapUsed = "heap-used",
        /// What that heap has taken from the system, used or not.
        HeapTotal = "heap-total",
        /// The part of it that no object uses.
        HeapIdle = "heap-idle",
        /// The part of it that was given back to the system.
        HeapReleased = "heap-released",
        /// Memory that a runtime counts beside its heap: classes and code of a JVM.
        NonHeap = "non-heap",
        /// Memory outside the heap that objects on it keep: Node's `external`.
        External = "external",
        /// Buffers outside the heap: Node's `arrayBuffers`, direct buffers of a JVM.
        Buffers = "buffers",
        /// Page cache, shared memory and tmpfs.
        Cache = "cache",
        /// Files and shared memory that are mapped.
        MappedFile = "mapped-file",
        /// Memory of the kernel that is charged to a cgroup.
        Kernel = "kernel",
        /// What was moved out to swap.
        Swap = "swap",
        /// Another amount of a runtime: a space of its heap, a limit, address space. Shown, but never used for a verdict.
        Other = "other",
    }
}

/// Metrics and what they count. Of two that count one amount the first is weighed.
const METRICS: [(&str, Amount); 36] = [
    ("container_memory_working_set_bytes", Amount::WorkingSet),
    ("container_memory_working_set", Amount::WorkingSet),
    ("k8s_container_memory_working_set", Amount::WorkingSet),
    ("container_memory_rss", Amount::Rss),
    ("k8s_container_memory_rss", Amount::Rss),
    ("container_memory_usage_bytes", Amount::Usage),
    ("container_memory_usage", Amount::Usage),
    ("k8s_container_memory_usage", Amount::Usage),
    ("container_memory_cache", Amount::Cache),
    ("container_memory_mapped_file", Amount::MappedFile),
    ("container_memory_swap", Amount::Swap),
    ("container_memory_kernel_usage", Amount::Kernel),
    ("process_resident_memory_bytes", Amount::ProcessRss),
    ("process_memory_usage", Amount::ProcessRss),
    ("nodejs_heap_size_used_bytes", Amount::HeapUsed),
    ("nodejs_heap_size_total_bytes", Amount::HeapTotal),
    ("nodejs_external_memory_bytes", Amount::External),
    ("go_memstats_heap_alloc_bytes", Amount::HeapUsed),
    ("go_memstats_alloc_bytes", Amount::HeapUsed),
    ("go_memstats_heap_inuse_bytes", Amount::HeapUsed),
    ("go_memstats_heap_sys_bytes", Amount::HeapTotal),
    ("go_memstats_heap_idle_bytes", Amount::HeapIdle),
    ("go_memstats_heap_released_bytes", Amount::HeapReleased),
    ("jvm_memory_used_bytes", Amount::HeapUsed),
    ("jvm_memory_bytes_used", Amount::HeapUsed),
    ("jvm_memory_committed_bytes", Amount::HeapTotal),
    ("jvm_memory_bytes_committed", Amount::HeapTotal),
    ("jvm_buffer_memory_used_bytes", Amount::Buffers),
    ("dotnet_gc_heap_size_bytes", Amount::HeapUsed),
    ("dotnet_total_memory_bytes", Amount::HeapUsed),
    // The parts of `process.memoryUsage()`.
    ("rss", Amount::ProcessRss),
    ("heapUsed", Amount::HeapUsed),
    ("heapTotal", Amount::HeapTotal),
    ("external", Amount::External),
    ("arrayBuffers", Amount::Buffers),
    ("process_virtual_memory_bytes", Amount::Other),
];

/// How the names of a runtime's other amounts begin.
const OTHERS: [&str; 4] = ["go_memstats_", "jvm_memory_", "jvm_buffer_", "nodejs_heap_space_size_"];

/// Labels that say which part of a runtime's memory a metric counts: they tell no container apart.
const AREAS: [&str; 3] = ["area", "jvm_memory_type", "type"];
/// Labels of the pools of an area, whose sum is the area's amount.
const POOLS: [&str; 4] = ["id", "pool", "jvm_memory_pool_name", "space"];

impl Amount {
    /// What a series counts; `None` where nothing says it.
    pub fn of(info: &SeriesInfo) -> Option<Amount> {
        let metric = metric(info)?;
        let found = METRICS.iter().find(|(name, _)| *name == metric);
        let Some((_, amount)) = found else {
            return OTHERS.iter().any(|beginning| metric.starts_with(beginning)).then_some(Amount::Other);
        };
        if !metric.starts_with("jvm_memory_") {
            return Some(*amount);
        }
        match (AREAS.iter().find_map(|key| info.labels.get(*key)).map(String::as_str), amount) {
            (Some("heap"), amount) => Some(*amount),
            (Some("nonheap" | "non_heap"), Amount::HeapUsed) => Some(Amount::NonHeap),
            _ => Some(Amount::Other),
        }
    }

    /// What a reader calls it.
    pub const fn words(self) -> &'static str {
        match self {
            Amount::WorkingSet => "the working set",
            Amount::Rss => "anonymous memory (rss)",
            Amount::ProcessRss => "the resident set of the process",
            Amount::Usage => "usage with all page cache",
            Amount::HeapUsed => "the used heap",
            Amount::HeapTotal => "the reserved heap",
            Amount::HeapIdle => "the idle heap",
            Amount::HeapReleased => "the released heap",
            Amount::NonHeap => "the runtime's memory outside the heap",
            Amount::External => "external memory",
            Amount::Buffers => "buffers outside the heap",
            Amount::Cache => "cache",
            Amount::MappedFile => "mapped files",
            Amount::Kernel => "kernel memory",
            Amount::Swap => "swap",
            Amount::Other => "another amount",
        }
    }
}

/// The metric of a series, of a recorded one that which was recorded; `None` where it has none.
fn metric(info: &SeriesInfo) -> Option<&str> {
    if let Some(part) = info.labels.get("part").filter(|_| !info.labels.contains_key("__name__")) {
        return Some(part);
    }
    let name = info.labels.get("__name__")?;
    // `level:metric:operation`.
    name.split(':').find(|part| part.contains("_memory_") || part.contains("memstats")).or(Some(name))
}

/// Whether a series is one of several pools whose sum is the amount of an area.
pub fn is_pool(info: &SeriesInfo) -> bool {
    let of_runtime = metric(info).is_some_and(|metric| metric.starts_with("jvm_"));
    of_runtime && POOLS.iter().any(|key| info.labels.contains_key(*key))
}

/// Who the area is that a series is a pool of.
pub fn area_of(pool: &SeriesInfo) -> SeriesInfo {
    let mut info = pool.clone();
    POOLS.iter().for_each(|key| {
        info.labels.remove(*key);
    });
    let container = container_id(pool).unwrap_or_default();
    let name = short_name(&info);
    info.id = if container.is_empty() { name } else { format!("{container} {name}") };
    info
}

/// Whether a series is of Node: its normal levels are known.
pub fn is_node(info: &SeriesInfo) -> bool {
    metric(info).is_some_and(|metric| {
        metric.starts_with("nodejs_") || !info.labels.contains_key("__name__") && info.labels.contains_key("part")
    })
}

/// The name of a series within its container: its metric, with the area of it.
pub fn short_name(info: &SeriesInfo) -> String {
    let area = AREAS.iter().find_map(|key| info.labels.get(*key)).map(|area| format!("{{{area}}}"));
    let of_area = area.filter(|_| metric(info).is_some_and(|metric| metric.starts_with("jvm_memory_")));
    let name = info.labels.get("part").or_else(|| info.labels.get("__name__")).unwrap_or(&info.id);
    format!("{name}{}", of_area.unwrap_or_default())
}

/// The id of the container of which a series counts a part: its own without the metric. `None` where it counts none.
pub fn container_id(info: &SeriesInfo) -> Option<String> {
    Amount::of(info)?;
    let label = |key: &str| info.labels.get(key).filter(|label| !label.is_empty());
    let Some(name) = info.labels.get("__name__") else {
        return Some(info.id.replacen(&format!("/{}", label("part")?), "", 1));
    };
    if !info.id.starts_with(name.as_str()) {
        let whole = info.id.replacen(&format!(" {name}"), "", 1);
        // What tells areas and pools apart tells no containers apart.
        let is_of_jvm = name.starts_with("jvm_");
        return Some(if is_of_jvm { whole.split('{').next().unwrap_or_default().to_owned() } else { whole });
    }
    match (label("job"), label("instance")) {
        (Some(job), Some(instance)) => Some(format!("{job}/{instance}")),
        (one, other) => one.or(other).cloned(),
    }
}

/// The names that a series is meant by: its own, and that of the container of which it counts a part.
pub fn names(info: &SeriesInfo) -> Vec<String> {
    let container = container_id(info).filter(|id| *id != info.id);
    std::iter::once(info.id.clone()).chain(container).collect()
}

/// Several amounts of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The container's id, unique among groups and series.
    pub id: String,
    /// The ids of its series, the head first.
    pub ids: Vec<String>,
}

/// The containers of which several amounts are there, and among them one that can stand for the whole.
pub fn groups(infos: &[&SeriesInfo]) -> Vec<Group> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut places: HashMap<BTreeMap<&str, String>, usize> = HashMap::new();
    for (at, info) in infos.iter().enumerate().filter(|(_, info)| Amount::of(info).is_some()) {
        let next = groups.len();
        let group = *places.entry(key(info)).or_insert(next);
        if group == next {
            groups.push(Vec::new());
        }
        let is_repeated = |other: &usize| short_name(infos[*other]) == short_name(info);
        // A part that is there twice is not known to be one of this container.
        if is_pool(info) || Amount::of(info) == Some(Amount::Other) || !groups[group].iter().any(is_repeated) {
            groups[group].push(at);
        }
    }
    let groups = with_runtimes(groups, infos);
    let taken: BTreeSet<&str> = infos.iter().map(|info| info.id.as_str()).collect();
    let mut named: BTreeSet<String> = BTreeSet::new();
    groups
        .into_iter()
        .map(|mut members| {
            members.sort_by_key(|at| rank(infos[*at]));
            members
        })
        // Cache or swap alone say nothing of a container as a whole.
        .filter(|members| members.len() > 1 && Amount::of(infos[members[0]]) <= Some(Amount::HeapTotal))
        .map(|members| {
            let head = infos[members[0]];
            let is_free = |id: &String| {
                !named.contains(id) && (!taken.contains(id.as_str()) || members.iter().any(|at| infos[*at].id == *id))
            };
            let id = container_id(head).filter(is_free).unwrap_or_else(|| head.id.clone());
            named.insert(id.clone());
            Group { id, ids: members.into_iter().map(|at| infos[at].id.clone()).collect() }
        })
        .collect()
}

/// Where an amount stands among those of its container: the amount, then its metric.
fn rank(info: &SeriesInfo) -> (Option<Amount>, usize) {
    let metric = metric(info).unwrap_or_default();
    (Amount::of(info), METRICS.iter().position(|(name, _)| *name == metric).unwrap_or(METRICS.len()))
}

/// Who the container of a series is.
fn key(info: &SeriesInfo) -> BTreeMap<&str, String> {
    if !info.labels.contains_key("__name__") {
        return BTreeMap::from([("", container_id(info).unwrap_or_default())]);
    }
    let labels = resolve::identity(&given_labels(info));
    let runtime = metric(info).is_some_and(|metric| !metric.starts_with("container_"));
    let is_of_part = |key: &str| key == "__name__" || runtime && (AREAS.contains(&key) || POOLS.contains(&key));
    let own = info.labels.keys().filter(|key| !is_of_part(key) && labels.contains_key(*key));
    own.map(|key| (key.as_str(), labels[key].clone())).collect()
}

/// The labels that the input gave.
fn given_labels(info: &SeriesInfo) -> Labels {
    let mut labels = info.labels.clone();
    if !info.container_given {
        labels.remove("container");
    }
    labels
}

/// Puts the amounts of a process or runtime to the container whose pod they name, where there is one such.
fn with_runtimes(groups: Vec<Vec<usize>>, infos: &[&SeriesInfo]) -> Vec<Vec<usize>> {
    let is_cgroup = |members: &[usize]| metric(infos[members[0]]).is_some_and(|name| name.starts_with("container_"));
    let (mut cgroups, runtimes): (Vec<Vec<usize>>, Vec<Vec<usize>>) =
        groups.into_iter().partition(|members| is_cgroup(members));
    let filled = |at: usize, key: &str| {
        let info = infos[at];
        let is_given = key != "container" || info.container_given;
        info.labels.get(key).filter(|label| is_given && !label.is_empty()).map(String::as_str)
    };
    let pod = |at: usize| Some((filled(at, "namespace")?, filled(at, "pod")?));
    let mut of_pod: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for (at, cgroup) in cgroups.iter().enumerate() {
        if let Some(pod) = pod(cgroup[0]) {
            of_pod.entry(pod).or_default().push(at);
        }
    }
    let agrees = |cgroup: usize, runtime: usize| {
        let same = |key: &&str| filled(runtime, key).is_none_or(|own| filled(cgroup, key) == Some(own));
        ["container", "cluster"].iter().all(same)
    };
    let mut claims: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut alone = Vec::new();
    for runtime in runtimes {
        let in_pod = pod(runtime[0]).and_then(|pod| of_pod.get(&pod)).map_or(&[][..], Vec::as_slice);
        let mut found = in_pod.iter().filter(|at| agrees(cgroups[**at][0], runtime[0]));
        match (found.next(), found.next()) {
            (Some(at), None) => claims.push((*at, runtime)),
            _ => alone.push(runtime),
        }
    }
    let mut n_claims: HashMap<usize, usize> = HashMap::new();
    claims.iter().for_each(|(at, _)| *n_claims.entry(*at).or_default() += 1);
    for (at, runtime) in claims {
        // Two processes of one container are told apart.
        if n_claims[&at] == 1 { cgroups[at].extend(runtime) } else { alone.push(runtime) }
    }
    cgroups.extend(alone);
    cgroups
}
