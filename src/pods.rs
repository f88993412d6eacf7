//! Which workload a pod is of, and which version of it the pod runs.
//!
//! A workload is what makes pods: a Deployment, a `StatefulSet`, a `DaemonSet`, a `CronJob`. Its name comes from a label
//! (that of kube-state-metrics is written by `resolve`), else from the name that Kubernetes gave the pod. Takes labels
//! and names, looks at no sample.

use crate::series::{Labels, SeriesInfo};

/// The label that holds the workload of a pod; kubernetes-mixin calls it so, too.
pub const WORKLOAD: &str = "workload";

/// Labels that name the workload of a pod, the surest first: of kubernetes-mixin and of the OpenTelemetry collector.
/// `job` is not among them: Prometheus calls its scrape jobs so.
const OWNER_LABELS: [&str; 10] = [
    WORKLOAD,
    "deployment",
    "statefulset",
    "daemonset",
    "cronjob",
    "k8s_deployment_name",
    "k8s_statefulset_name",
    "k8s_daemonset_name",
    "k8s_cronjob_name",
    "k8s_job_name",
];

/// Labels that name the version of a pod, the surest first.
const VERSION_LABELS: [&str; 3] = ["pod_template_hash", "label_pod_template_hash", "controller_revision_hash"];

/// The characters of random names (`k8s.io/apimachinery/pkg/util/rand`): no vowel and nothing that looks like one.
const ALPHABET: &str = "bcdfghjklmnpqrstvwxz2456789";
/// The characters of `pod-template-hash`: the ten digits of a 32-bit number, written in that alphabet by
/// `rand.SafeEncodeString`.
const HASH_ALPHABET: &str = "456789bcdf";
/// A random suffix has so many characters.
const SUFFIX: usize = 5;
/// A 32-bit number has at most ten digits, and fewer than six once in forty thousand.
const HASH: std::ops::RangeInclusive<usize> = 6..=10;
/// Minutes since 1970 in the name of the Job of a `CronJob`; before Kubernetes 1.21 seconds.
const SCHEDULED: [usize; 2] = [8, 10];
/// Kubernetes cuts a generated name to so many characters before it appends the suffix.
const LONGEST_BASE: usize = 58;

/// A container of a workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workload {
    /// Its namespace; empty where the labels hold none.
    pub namespace: String,
    /// The name of what makes its pods.
    pub name: String,
    /// The container in each of them.
    pub container: String,
}

impl Workload {
    /// The workload of a series; `None` where it is of no container in a pod.
    pub fn of(info: &SeriesInfo) -> Option<Workload> {
        let label = |key: &str| info.labels.get(key).filter(|label| !label.is_empty());
        let pod = label("pod")?;
        if !info.container_given {
            return None;
        }
        let owner = OWNER_LABELS.iter().find_map(|key| label(key));
        Some(Workload {
            namespace: label("namespace").cloned().unwrap_or_default(),
            name: owner.cloned().unwrap_or_else(|| PodName::of(pod).workload.to_owned()),
            container: label("container")?.clone(),
        })
    }

    /// Its id in a report: `NAMESPACE/WORKLOAD/CONTAINER`.
    pub fn id(&self) -> String {
        let parts = [&self.namespace, &self.name, &self.container];
        parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join("/")
    }
}

/// The version of a pod: the hash of its template, else its image; `None` where neither is known.
pub fn version(labels: &Labels) -> Option<String> {
    let label = |key: &str| labels.get(key).filter(|label| !label.is_empty());
    let hash = VERSION_LABELS.iter().find_map(|key| label(key)).map(String::as_str);
    let of_name = || PodName::of(label("pod")?).hash;
    hash.or_else(of_name).or_else(|| label("image").map(String::as_str)).map(str::to_owned)
}

/// The name of a pod, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodName<'a> {
    /// The name of what makes it.
    pub workload: &'a str,
    /// The hash of the template that it was made from; `None` where the name holds none.
    pub hash: Option<&'a str>,
}

impl<'a> PodName<'a> {
    /// Takes a name apart: `web-84c7b5d6f-x2k4p` is of `web` and its template `84c7b5d6f`, `db-0`, `agent-x2k4p` and
    /// `backup-29112345-x2k4p` of `db`, `agent` and `backup`. A name of another form is of itself.
    pub fn of(pod: &'a str) -> PodName<'a> {
        let alone = |workload| PodName { workload, hash: None };
        // A base that was cut may have lost its hyphen and a part of the hash.
        let cut = (pod.len() == LONGEST_BASE + SUFFIX).then(|| pod.split_at_checked(LONGEST_BASE)).flatten();
        if let Some((base, _)) = cut.filter(|(_, suffix)| is_of(suffix, ALPHABET)) {
            let base = base.trim_end_matches('-');
            let with_hash = base.rsplit_once('-').filter(|(_, hash)| is_of(hash, HASH_ALPHABET));
            return with_hash.map_or(alone(base), |(workload, hash)| PodName { workload, hash: Some(hash) });
        }
        let Some((base, last)) = pod.rsplit_once('-').filter(|(base, _)| !base.is_empty()) else { return alone(pod) };
        if last.len() == SUFFIX && is_of(last, ALPHABET) {
            let (workload, hash) = without_hash(base);
            return PodName { workload: if hash.is_some() { workload } else { without_schedule(base) }, hash };
        }
        if is_ordinal(last) { alone(base) } else { alone(pod) }
    }
}

/// The workload of a `ReplicaSet` and the hash in its name, where it holds one.
pub fn without_hash(replica_set: &str) -> (&str, Option<&str>) {
    let is_hash = |(workload, hash): &(&str, &str)| {
        !workload.is_empty() && HASH.contains(&hash.len()) && is_of(hash, HASH_ALPHABET)
    };
    match replica_set.rsplit_once('-').filter(is_hash) {
        Some((workload, hash)) => (workload, Some(hash)),
        None => (replica_set, None),
    }
}

/// The `CronJob` of a Job by its name, with an index before it or not; the Job itself where it has none.
pub fn without_schedule(job: &str) -> &str {
    let is_scheduled = |number: &str| SCHEDULED.contains(&number.len()) && number.bytes().all(|c| c.is_ascii_digit());
    let Some((base, last)) = job.rsplit_once('-').filter(|(base, _)| !base.is_empty()) else { return job };
    if is_scheduled(last) {
        return base;
    }
    // A Job with indexed completions puts the index behind its name.
    if is_ordinal(last) { without_schedule(base) } else { job }
}

fn is_of(text: &str, alphabet: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| alphabet.contains(c))
}

/// Whether a text is the number of a replica.
fn is_ordinal(text: &str) -> bool {
    let digits = (1..=SUFFIX).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    digits && (text == "0" || !text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{Metric, Sampling};

    #[track_caller]
    fn check(pod: &str, workload: &str, hash: Option<&str>) {
        assert_eq!(PodName::of(pod), PodName { workload, hash }, "{pod}");
    }

    /// Names of the documentation of Kubernetes, and of `kubectl get pods` of 1.21 to 1.33.
    #[test]
    fn names_that_kubernetes_gives_are_taken_apart() {
        check("web-84c7b5d6f-x2k4p", "web", Some("84c7b5d6f"));
        check("nginx-deployment-66b6c48dd5-7szfs", "nginx-deployment", Some("66b6c48dd5"));
        check("coredns-5d78c9869d-xvzmk", "coredns", Some("5d78c9869d"));
        // A ReplicaSet or a DaemonSet of its own.
        check("frontend-b2zdv", "frontend", None);
        check("kube-proxy-8fbrl", "kube-proxy", None);
        // StatefulSets.
        check("web-0", "web", None);
        check("kafka-broker-12", "kafka-broker", None);
        // Jobs, of a CronJob or not, with an index or not.
        check("pi-5rwd7", "pi", None);
        check("hello-28112345-w7xnz", "hello", None);
        check("hello-1627906860-w7xnz", "hello", None);
        check("indexed-3-w7xnz", "indexed", None);
        check("hello-28112345-2-w7xnz", "hello", None);
    }

    #[test]
    fn names_of_another_form_are_of_themselves() {
        // Vowels and 0, 1, 3 are in no suffix, a hash holds ten of the characters, an ordinal no leading zero.
        for pod in ["web", "", "-", "web-proxy", "web-01", "etcd-node-a", "web-123456"] {
            check(pod, pod, None);
        }
        check("web-cache-x2k4p", "web-cache", None);
        check("web-db-x2k4p", "web-db", None);
        check("web-xzwvtq-x2k4p", "web-xzwvtq", None);
    }

    /// What `names.SimpleNameGenerator` cuts: 58 characters, then the suffix without a hyphen of its own.
    #[test]
    fn a_name_that_was_cut_has_lost_a_part_of_its_hash() {
        let long = "a-very-long-name-of-a-deployment-that-is-cut-by-its-pods";
        check(&format!("{long}-6x2k4p"), long, Some("6"));
        assert_eq!(format!("{long}-6x2k4p").len(), 63);
    }

    fn info(labels: &[(&str, &str)]) -> SeriesInfo {
        SeriesInfo {
            id: "x".to_owned(),
            labels: labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            container_given: true,
            limit: None,
            metric: Metric::WorkingSet,
            sampling: Sampling::Raw,
        }
    }

    #[test]
    fn a_label_goes_before_the_name() {
        let pod = [("namespace", "shop"), ("pod", "web-84c7b5d6f-x2k4p"), ("container", "app")];
        let id = |more: &[(&str, &str)]| Workload::of(&info(&[&pod, more].concat())).map(|workload| workload.id());
        assert_eq!(id(&[]).as_deref(), Some("shop/web/app"));
        assert_eq!(id(&[("workload", "front")]).as_deref(), Some("shop/front/app"));
        assert_eq!(id(&[("k8s_deployment_name", "front"), ("workload", "")]).as_deref(), Some("shop/front/app"));
        // A scrape job is no Job.
        assert_eq!(id(&[("job", "kubelet")]).as_deref(), Some("shop/web/app"));
        assert_eq!(Workload::of(&info(&[("container", "app")])), None);
    }

    #[test]
    fn a_version_is_the_hash_of_the_template_or_else_the_image() {
        let of = |labels: &[(&str, &str)]| version(&info(labels).labels);
        let image = ("image", "registry/web:3");
        assert_eq!(of(&[("pod", "web-84c7b5d6f-x2k4p"), image]).as_deref(), Some("84c7b5d6f"));
        assert_eq!(of(&[("pod", "web-0"), image]).as_deref(), Some("registry/web:3"));
        assert_eq!(of(&[("pod", "web-0"), ("controller_revision_hash", "web-5f")]).as_deref(), Some("web-5f"));
        assert_eq!(of(&[("pod", "web-0")]), None);
    }
}
