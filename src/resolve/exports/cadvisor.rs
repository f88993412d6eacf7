//! What cAdvisor exports, as it comes: one series for each container, through all of its runs and scrapers.
//!
//! A container is its namespace, pod and name; where there are no pods, its name. Its `id` changes when it is created
//! again. Several scrapers export it several times. Pods, their `POD` and the cgroups above hold the same memory again.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{Input, LeftOut, NameWarning, WholeOf, cleaned};
use crate::decode::prometheus::Labels;
use crate::decode::{Evidence, SeriesSamples};
use crate::pods::WORKLOAD;
use crate::series::{Marks, Samples};

/// Labels of one run of a container: they change when it is recreated.
const RUN_LABELS: [&str; 3] = ["id", "name", "image"];

/// Labels of who scraped a container of a pod, and of where it ran.
const SCRAPER_LABELS: [&str; 14] = [
    "instance",
    "job",
    "endpoint",
    "service",
    "metrics_path",
    "node",
    "nodename",
    "hostname",
    "kubernetes_node",
    "prometheus",
    "prometheus_replica",
    "replica",
    "__replica__",
    "receive",
];

/// How labels begin that a cloud or Kubernetes gives to nodes.
const NODE_LABELS: [&str; 8] = [
    "kubernetes_io_",
    "beta_kubernetes_io_",
    "node_kubernetes_io_",
    "topology_kubernetes_io_",
    "failure_domain_beta_kubernetes_io_",
    "eks_amazonaws_com_",
    "cloud_google_com_",
    "kubernetes_azure_com_",
];

/// Where a series stands in the tree of cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Container,
    /// The process that holds the network of a pod.
    Pause,
    /// A pod as a whole.
    Pod,
    /// `/`, `/kubepods`, `/system.slice/kubelet.service`.
    Above,
    /// Not of cAdvisor.
    Other,
}

fn label<'a>(labels: &'a Labels, key: &str) -> &'a str {
    labels.get(key).map_or("", String::as_str)
}

fn place(labels: &Labels) -> Place {
    let metric = label(labels, "__name__");
    let [container, pod, name, id] = ["container", "pod", "name", "id"].map(|key| label(labels, key));
    if !metric.is_empty() && !metric.starts_with("container_") {
        Place::Other
    } else if container == "POD" {
        Place::Pause
    } else if !pod.is_empty() {
        if container.is_empty() { Place::Pod } else { Place::Container }
    } else if !container.is_empty() || !name.is_empty() {
        if id.is_empty() || name.is_empty() { Place::Other } else { Place::Container }
    } else if !id.is_empty() || labels.keys().all(|key| key == "__name__" || key == "namespace") {
        Place::Above
    } else {
        Place::Other
    }
}

/// Whether a series of cAdvisor is of a container, and of nothing that holds containers.
pub(super) fn is_container(labels: &Labels) -> bool {
    matches!(place(labels), Place::Container | Place::Other)
}

/// Whether a series is of a container in a pod; answers that were aggregated may leave the namespace out.
fn is_in_pod(labels: &Labels) -> bool {
    ["pod", "container"].iter().all(|key| !label(labels, key).is_empty())
}

/// The labels by which a series is known again: without those of one run of its container, and of who scraped it.
pub(crate) fn identity(labels: &Labels) -> Labels {
    if place(labels) != Place::Container {
        return labels.clone();
    }
    let in_pod = is_in_pod(labels);
    let is_of_run = |key: &str| match key {
        // Without pods the name is who it is; who owns a pod does not tell its containers apart.
        "name" | WORKLOAD => in_pod,
        key => RUN_LABELS.contains(&key) || key.starts_with("container_label_"),
    };
    let is_of_scraper =
        |key: &str| in_pod && (SCRAPER_LABELS.contains(&key) || NODE_LABELS.iter().any(|node| key.starts_with(node)));
    labels
        .iter()
        .filter(|(key, _)| !is_of_run(key) && !is_of_scraper(key))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

/// What the first and the last run of a container are.
pub(crate) type Ends = Option<(Evidence, Evidence)>;

/// Leaves out what holds containers, and makes one series of all that are of one container, within each input. Gives the
/// ends of each series.
pub(super) fn settle(series: &mut Vec<SeriesSamples>, inputs: &mut [Input]) -> Vec<Ends> {
    leave_out(series, inputs);
    let mut groups: Vec<Vec<SeriesSamples>> = Vec::new();
    let mut places: BTreeMap<(Vec<usize>, Labels), usize> = BTreeMap::new();
    for one in series.drain(..) {
        let key = (one.inputs.clone(), identity(&one.info.labels));
        let next = groups.len();
        let group = *places.entry(key).or_insert(next);
        if group == next {
            groups.push(Vec::new());
        }
        groups[group].push(one);
    }
    let mut repeats: BTreeMap<usize, Repeats> = BTreeMap::new();
    let mut ends = Vec::new();
    for group in groups {
        let n_samples: usize = group.iter().map(|series| series.samples.len()).sum();
        let scrapers = scrapers(&group);
        let n_group = group.len();
        let (one, one_ends, n_runs) = merged(group);
        uncount(n_samples.saturating_sub(one.samples.len()), &one.inputs, inputs);
        if n_runs < n_group
            && let Some(input) = one.inputs.first()
        {
            let repeats = repeats.entry(*input).or_default();
            repeats.n_series += n_group - n_runs;
            repeats.labels.extend(scrapers);
        }
        ends.push(one_ends);
        series.push(one);
    }
    for (input, Repeats { n_series, labels }) in repeats {
        let labels = labels.into_iter().collect();
        inputs[input].warn(NameWarning::Repeated { n: n_series as u64, labels });
    }
    ends
}

/// Series that repeat others.
#[derive(Default)]
struct Repeats {
    n_series: usize,
    labels: BTreeSet<String>,
}

/// The labels of scrapers in which series of one container differ.
fn scrapers(group: &[SeriesSamples]) -> Vec<String> {
    let keys: BTreeSet<&String> = group.iter().flat_map(|series| series.info.labels.keys()).collect();
    let differs = |key: &&String| {
        let of_first = group[0].info.labels.get(*key);
        group.iter().any(|series| series.info.labels.get(*key) != of_first)
    };
    keys.into_iter().filter(|key| !RUN_LABELS.contains(&key.as_str())).filter(differs).cloned().collect()
}

/// Removes pods, `POD` and the cgroups above, where the containers in them are there.
fn leave_out(series: &mut Vec<SeriesSamples>, inputs: &mut [Input]) {
    let metric = |series: &SeriesSamples| label(&series.info.labels, "__name__").to_owned();
    let of_containers: BTreeSet<String> =
        series.iter().filter(|series| place(&series.info.labels) == Place::Container).map(metric).collect();
    let mut left_out: BTreeMap<(usize, Place), (u64, BTreeSet<String>)> = BTreeMap::new();
    series.retain(|series| {
        let labels = &series.info.labels;
        let place = place(labels);
        if matches!(place, Place::Container | Place::Other) || !of_containers.contains(&metric(series)) {
            return true;
        }
        uncount(series.samples.len(), &series.inputs, inputs);
        if let Some(input) = series.inputs.first() {
            let (n, names) = left_out.entry((*input, place)).or_default();
            *n += 1;
            let name = if place == Place::Above { label(labels, "id") } else { label(labels, "pod") };
            if names.len() < 3 && !name.is_empty() {
                names.insert(cleaned(name, 40));
            }
        }
        false
    });
    let mut by_input: BTreeMap<usize, Vec<LeftOut>> = BTreeMap::new();
    for ((input, place), (n, names)) in left_out {
        let of = match place {
            Place::Pause => WholeOf::Pause,
            Place::Pod => WholeOf::Pod,
            _ => WholeOf::Cgroup,
        };
        by_input.entry(input).or_default().push(LeftOut { of, n, names: names.into_iter().collect() });
    }
    for (input, parts) in by_input {
        inputs[input].warn(NameWarning::LeftOut(parts));
    }
}

/// Counts samples that are not kept as other lines.
pub(super) fn uncount(n: usize, of: &[usize], inputs: &mut [Input]) {
    let mut n = n as u64;
    for index in of {
        let input = &mut inputs[*index];
        let taken = n.min(input.samples);
        input.samples -= taken;
        input.other_lines += taken;
        n -= taken;
    }
}

/// One series of those of one container, with its ends and the number of its runs.
fn merged(group: Vec<SeriesSamples>) -> (SeriesSamples, Ends, usize) {
    let run = |series: &SeriesSamples| {
        let labels = &series.info.labels;
        let id = label(labels, "id");
        if id.is_empty() { label(labels, "name").to_owned() } else { id.to_owned() }
    };
    let is_alone = group.len() == 1;
    let mut runs: Vec<(String, SeriesSamples)> = Vec::new();
    for mut series in group {
        if is_alone {
            let ends = Evidence { id: run(&series), counters: [f64::NAN; 4] };
            return (series, Some((ends.clone(), ends)), 1);
        }
        series.samples = sorted(std::mem::take(&mut series.samples));
        let id = run(&series);
        match runs.iter_mut().find(|(other, _)| *other == id) {
            Some((_, first)) => fill_with(first, series),
            None => runs.push((id, series)),
        }
    }
    runs.sort_by_key(|(_, series)| series.samples.time_ms.first().copied());
    let mut n_runs = 1;
    let mut runs = runs.into_iter();
    let (first_id, mut whole) = runs.next().expect("a group has a series");
    let mut last_id = first_id.clone();
    for (id, next) in runs {
        if follows(&whole.samples, &next.samples) {
            n_runs += 1;
            let start_ms = next.samples.time_ms[0];
            // What was exported of the run before for a while longer says nothing of this one.
            let kept = whole.samples.time_ms.partition_point(|time_ms| *time_ms < start_ms);
            whole.samples.truncate(kept);
            let mut samples = next.samples;
            if !whole.samples.is_empty() {
                samples.marks[0] = Marks::from_bits(samples.marks[0]).with(Marks::RECREATED).bits();
            }
            whole.samples.append(samples);
            let limit = next.info.limit.or(whole.info.limit);
            whole.info = next.info;
            whole.info.limit = limit;
            last_id = id;
        } else {
            fill_with(&mut whole, next);
        }
    }
    let evidence = |id: String| Evidence { id, counters: [f64::NAN; 4] };
    (whole, Some((evidence(first_id), evidence(last_id))), n_runs)
}

/// Whether samples are of a run after another, rather than of the same told once more: less than half of it is at the
/// same time.
fn follows(earlier: &Samples, later: &Samples) -> bool {
    let (Some(end), Some(first), Some(last)) = (earlier.time_ms.last(), later.time_ms.first(), later.time_ms.last())
    else {
        return false;
    };
    let shorter = (end - earlier.time_ms[0]).min(last - first);
    end < last && 2 * (end - first) <= shorter.max(0)
}

/// Adds what another series of the same run has where this one has nothing; the one with more samples comes first.
fn fill_with(series: &mut SeriesSamples, mut other: SeriesSamples) {
    if series.samples.len() < other.samples.len() {
        std::mem::swap(&mut series.samples, &mut other.samples);
    }
    series.info.limit = series.info.limit.or(other.info.limit);
    let times = series.samples.time_ms.clone();
    let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_unstable();
    let reach_ms = steps.get(steps.len() / 2).map_or(0, |step| step + step / 2);
    let lone = lone(&other.samples.time_ms, &times, reach_ms);
    other.samples.retain(|index| lone[index]);
    if !other.samples.is_empty() {
        series.samples.append(other.samples);
        series.samples = sorted(std::mem::take(&mut series.samples));
    }
}

/// Which times are further than this from all of the others; both rise.
fn lone(times: &[i64], others: &[i64], reach_ms: i64) -> Vec<bool> {
    let is_lone = |time_ms: &i64| {
        let next = others.partition_point(|other| other < time_ms);
        let is_far = |index: usize| others.get(index).is_none_or(|other| reach_ms < (other - time_ms).abs());
        is_far(next) && next.checked_sub(1).is_none_or(is_far)
    };
    times.iter().map(is_lone).collect()
}

/// Samples in order of time.
fn sorted(samples: Samples) -> Samples {
    if samples.time_ms.is_sorted() {
        return samples;
    }
    let mut order: Vec<usize> = (0..samples.len()).collect();
    order.sort_by_key(|index| samples.time_ms[*index]);
    order.into_iter().fold(Samples::default(), |mut sorted, index| {
        let resolution = f64::from(samples.resolution_bytes.get(index));
        sorted.push(
            samples.time_ms[index],
            samples.used_bytes[index],
            resolution,
            Marks::from_bits(samples.marks[index]),
        );
        sorted
    })
}

#[cfg(test)]
mod tests {
    use crate::account::Format;
    use crate::read::test_support::{MTIME_MS, account, describe, read_all};

    /// Readings at these seconds: labels beside those of the container, the first second, MiB.
    fn dump(rows: &[(&str, i64, &[i64])]) -> String {
        rows.iter().fold(String::new(), |mut text, (labels, first, values)| {
            for (index, mib) in values.iter().enumerate() {
                let bytes = mib << 20;
                let seconds = MTIME_MS / 1000 + first + 10 * index as i64;
                text.push_str(&format!("container_memory_rss{{{labels}}} {bytes} {seconds}\n"));
            }
            text
        })
    }

    #[track_caller]
    fn check(rows: &[(&str, i64, &[i64])], expected_series: &str, expected_account: &str) {
        let (inputs, series) = read_all(Format::Prometheus, &[(&dump(rows), MTIME_MS)]);
        assert_eq!(describe(&series), expected_series);
        assert_eq!(account(&inputs[0]), expected_account);
    }

    const WEB: &str = "namespace=\"shop\",pod=\"web-1\",container=\"web\"";

    /// The old run is exported for a while longer.
    #[test]
    fn a_changed_id_is_a_restart() {
        let [old, new] = ["a", "b"].map(|id| format!("{WEB},id=\"/{id}\",name=\"k8s_{id}\""));
        check(
            &[(&new, -20, &[1, 2, 3]), (&old, -70, &[5, 6, 7, 8, 9, 10, 10])],
            "shop/web-1/web: -70=5MiB -60=6MiB -50=7MiB -40=8MiB -30=9MiB -20=1MiB(recreated) -10=2MiB 0=3MiB\n",
            "8 samples, 0 gaps, 2 other, 0 rejected\n",
        );
        // Where there are no pods, the name is who it is, and each machine has its own.
        let [old, new, other] = [("a", "h"), ("b", "h"), ("c", "i")]
            .map(|(id, host)| format!("id=\"/docker/{id}\",name=\"web\",image=\"i:{id}\",instance=\"{host}\""));
        check(
            &[(&old, -40, &[5, 6]), (&new, -20, &[1, 2]), (&other, -40, &[9, 9])],
            "web{instance=\"h\"}: -40=5MiB -30=6MiB -20=1MiB(recreated) -10=2MiB\nweb{instance=\"i\"}: -40=9MiB -30=9MiB\n",
            "6 samples, 0 gaps, 0 other, 0 rejected\n",
        );
    }

    #[test]
    fn what_several_scrapers_export_is_one_and_the_others_fill_gaps() {
        let [one, other] = ["0", "1"].map(|replica| format!("{WEB},id=\"/a\",prometheus_replica=\"{replica}\""));
        check(
            &[(&one, -70, &[1, 2, 3]), (&one, -20, &[6, 7, 8]), (&other, -68, &[9, 9, 9, 4, 5])],
            "shop/web-1/web: -70=1MiB -60=2MiB -50=3MiB -20=6MiB -10=7MiB 0=8MiB\n",
            "6 samples, 0 gaps, 5 other, 0 rejected\nwarning: 1 series repeats the container of another series (they differ in `prometheus_replica`): each container is judged once, and gaps are filled from its other series\n",
        );
        check(
            &[(&one, -90, &[1, 2, 3]), (&one, -20, &[6, 7, 8]), (&other, -53, &[9, 4])],
            "shop/web-1/web: -90=1MiB -80=2MiB -70=3MiB -53=9MiB -43=4MiB -20=6MiB -10=7MiB 0=8MiB\n",
            "8 samples, 0 gaps, 0 other, 0 rejected\nwarning: 1 series repeats the container of another series (they differ in `prometheus_replica`): each container is judged once, and gaps are filled from its other series\n",
        );
        // Another cluster is another container.
        let [one, other] = ["x", "y"].map(|cluster| format!("{WEB},cluster=\"{cluster}\""));
        check(
            &[(&one, -10, &[1, 2]), (&other, -10, &[3, 4])],
            "shop/web-1/web{cluster=\"x\"}: -10=1MiB 0=2MiB\nshop/web-1/web{cluster=\"y\"}: -10=3MiB 0=4MiB\n",
            "4 samples, 0 gaps, 0 other, 0 rejected\n",
        );
    }

    #[test]
    fn what_holds_containers_is_left_out_where_they_are_there() {
        let pod = "namespace=\"shop\",pod=\"web-1\",id=\"/kubepods/p\"";
        let pause = "namespace=\"shop\",pod=\"web-1\",container=\"POD\",id=\"/kubepods/p/z\",name=\"k8s_POD_web-1\"";
        check(
            &[(WEB, 0, &[1]), (pod, 0, &[2]), (pause, 0, &[3]), ("id=\"/\"", 0, &[4]), ("id=\"/kubepods\"", 0, &[5])],
            "shop/web-1/web: 0=1MiB\n",
            "1 samples, 0 gaps, 4 other, 0 rejected\nwarning: series that repeat the memory of the containers are left out: 1 of `POD` (`web-1`), 1 of pods as a whole (`web-1`), 2 of parent cgroups (`/`, `/kubepods`)\n",
        );
        check(&[(pod, 0, &[2])], "web-1: 0=2MiB\n", "1 samples, 0 gaps, 0 other, 0 rejected\n");
        check(
            &[("id=\"/kubepods\"", 0, &[2])],
            "container_memory_rss{id=\"/kubepods\"}: 0=2MiB\n",
            "1 samples, 0 gaps, 0 other, 0 rejected\n",
        );
    }
}
