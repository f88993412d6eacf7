//! What there is to say of a workload beside its verdict: its pods, its versions, and the pods that differ.

use serde::Serialize;

use super::json::{Fraction, Name, Number, Time, Times};
use super::{SeriesNote, SeriesReport};
use crate::account::counted;
use crate::units::time_text;
use crate::verdict::{Judgement, Verdict};

/// The pods of a workload that are judged as one.
#[derive(Debug, Clone)]
pub struct WorkloadReport {
    /// Its versions, in the order in which they were deployed.
    pub versions: Vec<VersionReport>,
    /// The version since which it grows, as an index; `None` where it grew before, or does not.
    pub grows_since: Option<usize>,
    /// How many of its pods ran at the last reading.
    pub replicas: usize,
    /// The pods that grow faster than their siblings, the fastest first.
    pub differing: Vec<Differing>,
    /// When another version had most of the pods, in milliseconds, and its index.
    pub rollouts: Vec<(i64, usize)>,
    /// The verdict of all pods together, where the row has that of one pod.
    pub alone: Option<Judgement>,
    /// That pod, as an index.
    pub by_pod: Option<usize>,
    /// What there is to say of each pod by itself, in the order in which they were read.
    pub pods: Vec<SeriesReport>,
}

/// A version of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionReport {
    /// The hash of its template, or its image; `None` where that is not known.
    pub name: Option<String>,
    /// When its first pod was seen, in milliseconds; `None` without pods.
    pub deployed_ms: Option<i64>,
    /// How many pods of it were seen.
    pub n_pods: usize,
}

/// A pod that grows faster than its siblings.
#[derive(Debug, Clone, PartialEq)]
pub struct Differing {
    /// The pod, as an index.
    pub pod: usize,
    /// How much faster, in bytes per second: the best estimate, and the ends of its interval.
    pub bytes_per_second: (f64, f64, f64),
    /// The confidence of the interval, 0 to 1.
    pub confidence: f64,
    /// The false discovery rate at which this is a discovery among the pods of the workload.
    pub q_value: f64,
}

impl VersionReport {
    /// Its name in code, for a reader.
    pub fn text(&self) -> String {
        self.name.as_ref().map_or("unknown".to_owned(), |name| format!("`{name}`"))
    }
}

impl WorkloadReport {
    /// The name of a pod.
    fn pod(&self, index: usize) -> &str {
        let pod = &self.pods[index];
        pod.samples.info.labels.get("pod").map_or(pod.id(), String::as_str)
    }

    /// Its pods in a few words: `5 pods now, 37 in all`, and which differs.
    pub fn finding(&self) -> String {
        let differing = match &self.differing[..] {
            [] => String::new(),
            [one] => format!("; {} differs", self.pod(one.pod)),
            [one, more @ ..] => format!("; {} and {} more differ", self.pod(one.pod), more.len()),
        };
        format!("{} now, {} in all{differing}", counted(self.replicas as u64, "pod"), self.pods.len())
    }

    /// Since which version it grows, as a part of a sentence; `None` where that is not known.
    pub fn since(&self) -> Option<String> {
        let version = &self.versions[self.grows_since?];
        let deployed = version.deployed_ms.and_then(time_text).map_or(String::new(), |at| format!(" (deployed {at})"));
        Some(format!("has grown since version {}{deployed}", version.text()))
    }

    /// The reason of a row whose verdict is that of one pod; `None` of every other. `of_pod`: the reason of that.
    pub fn reason(&self, of_pod: &str) -> Option<String> {
        let all = self.alone.as_ref()?.reason();
        Some(format!("pod {} by itself: {of_pod}; all pods together: {all}", self.pod(self.by_pod?)))
    }

    /// What a reader must know of its pods. `end_ms`: the last reading.
    pub fn notes(&self, end_ms: i64) -> Vec<SeriesNote> {
        let differs = |one: &Differing| {
            let last_ms = Some(self.pods[one.pod].samples.end_ms()).filter(|last_ms| *last_ms < end_ms);
            SeriesNote::Differs { pod: self.pod(one.pod).to_owned(), faster: one.bytes_per_second, last_ms }
        };
        let workload = SeriesNote::Workload {
            n_pods: self.pods.len(),
            n_versions: self.versions.iter().filter(|version| version.name.is_some()).count(),
            n_running: self.replicas,
        };
        std::iter::once(workload).chain(self.differing.iter().map(differs)).collect()
    }
}

/// The pods of a workload, judged together.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct WorkloadJson<'a> {
    /// How many pods were read.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pods: usize,
    /// How many ran at the last reading.
    replicas: usize,
    /// Its versions, in the order in which they were deployed.
    versions: Vec<VersionJson<'a>>,
    /// The version since which it grows; null if it grew before, or does not grow.
    grows_since: Option<VersionJson<'a>>,
    /// The pods that grow faster than their siblings, the fastest first.
    differing: Vec<DifferingJson<'a>>,
    /// The pod on whose growth the verdict is based; null if it is based on all pods together.
    by_pod: Option<&'a str>,
}

/// A version of a workload.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct VersionJson<'a> {
    /// The hash of its pod template, or the image; null if neither is known.
    version: Option<&'a str>,
    /// When its first pod was seen; null if times are relative.
    deployed: Option<Time>,
    /// How many of its pods were read.
    pods: usize,
}

/// A pod that grows faster than its siblings.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct DifferingJson<'a> {
    pod: &'a str,
    id: &'a str,
    /// The verdict of the pod by itself.
    verdict: Name<Verdict>,
    /// How much faster it grows than its siblings.
    bytes_per_second: Number,
    /// Lower end of the interval.
    lower: Number,
    /// Upper end of the interval.
    upper: Number,
    /// Confidence of the interval.
    confidence: Fraction,
    /// The p-value of the difference, corrected for the number of siblings.
    q_value: Fraction,
}

pub(super) fn json(series: &SeriesReport, times: Times) -> Option<WorkloadJson<'_>> {
    let workload = series.workload.as_ref()?;
    let version = |of: usize| {
        let version = &workload.versions[of];
        VersionJson {
            version: version.name.as_deref(),
            deployed: version.deployed_ms.and_then(|at| times.text(at)),
            pods: version.n_pods,
        }
    };
    Some(WorkloadJson {
        pods: workload.pods.len(),
        replicas: workload.replicas,
        versions: (0..workload.versions.len()).map(version).collect(),
        grows_since: workload.grows_since.map(version),
        differing: workload
            .differing
            .iter()
            .map(|one| {
                let (rate, lower, upper) = one.bytes_per_second;
                DifferingJson {
                    pod: workload.pod(one.pod),
                    id: workload.pods[one.pod].id(),
                    verdict: Name(workload.pods[one.pod].verdict()),
                    bytes_per_second: Number(rate),
                    lower: Number(lower),
                    upper: Number(upper),
                    confidence: Fraction(one.confidence),
                    q_value: Fraction(one.q_value),
                }
            })
            .collect(),
        by_pod: workload.by_pod.map(|at| workload.pod(at)),
    })
}
