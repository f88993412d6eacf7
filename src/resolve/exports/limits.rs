//! Memory limits that an export holds beside the memory: they belong to its series, and are not series themselves.

use std::collections::{BTreeSet, HashSet};

use crate::account::{AmountWarning, Input, Unusable};
use crate::decode::SeriesSamples;
use crate::decode::prometheus::{LARGEST_BYTES, Labels, is_limit};
use crate::series::{Limit, LimitSource};
use crate::units::MIB;

/// Labels that say which container a limit is of.
const WHO: [&str; 5] = ["container", "name", "pod", "namespace", "id"];

/// Takes the limits out of what was read, and gives each series of memory its own: of those that are of its container,
/// that which shares most of its other labels, such as the machine.
///
/// The newest value counts; 0 and more than a machine can have is no limit. An input of nothing but limits cannot be used by itself.
pub(super) fn take_out(series: &mut Vec<SeriesSamples>, inputs: &mut [Input]) {
    let of_limits = inputs_of_limits(series);
    for input in &of_limits {
        inputs[*input].warn(AmountWarning::Limits);
    }
    let (limits, memory): (Vec<SeriesSamples>, Vec<SeriesSamples>) =
        std::mem::take(series).into_iter().partition(|series| {
            is_limit(&series.info.labels) || series.inputs.iter().all(|input| of_limits.contains(input))
        });
    *series = memory;
    if series.is_empty() {
        let of: HashSet<usize> = limits.iter().flat_map(|limit| limit.inputs.iter().copied()).collect();
        for index in of {
            let input = &mut inputs[index];
            input.rejected_count += std::mem::take(&mut input.samples);
            input.unusable = Some(Unusable::OnlyLimits);
        }
        return;
    }
    for limit in &limits {
        if let Some(input) = limit.inputs.first().map(|index| &mut inputs[*index]) {
            // They were counted as readings of memory, which they are not.
            let n = input.samples.min(limit.samples.len() as u64);
            input.samples -= n;
            input.other_lines += n;
        }
    }
    let newest: Vec<(&SeriesSamples, i64, f64)> = limits
        .iter()
        .filter_map(|limit| {
            let times = &limit.samples.time_ms;
            let index = (0..times.len()).max_by_key(|index| times[*index])?;
            Some((limit, times[index], limit.samples.used_bytes[index]))
        })
        .collect();
    let mut idle: BTreeSet<usize> = limits.iter().flat_map(|limit| limit.inputs.iter().copied()).collect();
    for info in series.iter_mut().map(|series| &mut series.info) {
        let own = newest.iter().filter(|(limit, ..)| is_of(&limit.info.labels, &info.labels));
        let best = own.max_by_key(|(limit, time_ms, _)| (n_shared(&limit.info.labels, &info.labels), *time_ms));
        if let Some((limit, ..)) = best {
            idle.retain(|input| !limit.inputs.contains(input));
        }
        info.limit = best
            .map(|(.., bytes)| *bytes)
            .filter(|bytes| 0.0 < *bytes && *bytes <= LARGEST_BYTES)
            .map(|bytes| Limit { bytes, source: LimitSource::Input });
    }
    for input in idle {
        inputs[input].warn(AmountWarning::LimitsOfOthers);
    }
}

/// The inputs whose series have no metric name and are limits all the same, as an aggregation gives them: round numbers
/// that never change. What a container uses changes, and is not round.
fn inputs_of_limits(series: &[SeriesSamples]) -> BTreeSet<usize> {
    let is_of_limits = |input: usize| {
        let mut of_input = series.iter().filter(|series| series.inputs.contains(&input)).peekable();
        of_input.peek().is_some() && of_input.all(is_like_limit)
    };
    let inputs: BTreeSet<usize> = series.iter().flat_map(|series| series.inputs.iter().copied()).collect();
    inputs.into_iter().filter(|input| is_of_limits(*input)).collect()
}

fn is_like_limit(series: &SeriesSamples) -> bool {
    let values = &series.samples.used_bytes;
    let is_container = series.info.labels.get("container").is_some_and(|container| !container.is_empty());
    let is_round = |bytes: f64| bytes == 0.0 || bytes % MIB == 0.0 || bytes % 1e6 == 0.0;
    is_container
        && !series.info.labels.contains_key("__name__")
        && 2 <= values.len()
        && values.iter().all(|bytes| *bytes == values[0] && is_round(*bytes))
}

/// How many labels are the same in both.
fn n_shared(a: &Labels, b: &Labels) -> usize {
    a.iter().filter(|(key, label)| b.get(*key) == Some(label)).count()
}

/// Whether a limit is of this container: no label that says who contradicts, and at least one that names it agrees.
///
/// In a pod, a container is who it is by its name there, whichever run of it the limit was read from.
fn is_of(limit: &Labels, memory: &Labels) -> bool {
    let filled = |labels: &Labels, key: &str| labels.get(key).is_some_and(|label| !label.is_empty());
    if ["pod", "container"].iter().all(|key| filled(memory, key)) {
        let is_same = |key: &&str| limit.get(*key) == memory.get(*key);
        let namespace_agrees = !filled(limit, "namespace") || !filled(memory, "namespace") || is_same(&"namespace");
        return namespace_agrees && ["pod", "container"].iter().all(is_same);
    }
    let both = |key: &&&str| {
        let [limit, memory] = [limit, memory].map(|labels| labels.get(**key).filter(|label| !label.is_empty()));
        limit.zip(memory)
    };
    let shared: Vec<(&str, (&String, &String))> = WHO.iter().filter_map(|key| Some((*key, both(&key)?))).collect();
    shared.iter().all(|(_, (a, b))| a == b) && shared.iter().any(|(key, _)| *key != "namespace")
}

#[cfg(test)]
mod tests {
    use crate::account::Format;
    use crate::read::test_support::{MTIME_MS, account, read_all};

    const LIMITS: &str = "container_memory_rss{container=\"web\",pod=\"p1\"} 1048576 1795464400\n\
        container_memory_usage_bytes{container=\"web\",pod=\"p1\"} 2097152 1795464400\n\
        container_memory_rss{container=\"web\",pod=\"p2\"} 1048576 1795464400\n\
        container_memory_rss{container=\"api\",pod=\"p1\"} 1048576 1795464400\n\
        container_memory_rss{container=\"job\",pod=\"p1\"} 1048576 1795464400\n\
        container_spec_memory_limit_bytes{container=\"web\",pod=\"p1\"} 1073741824 1795464400\n\
        container_spec_memory_limit_bytes{container=\"web\",pod=\"p1\"} 536870912 1795464410\n\
        container_spec_memory_limit_bytes{container=\"api\",pod=\"p1\"} 0 1795464400\n\
        kube_pod_container_resource_limits{container=\"job\",pod=\"p1\",resource=\"memory\",instance=\"ksm\"} 268435456 1795464400\n\
        kube_pod_container_resource_limits{container=\"job\",pod=\"p1\",resource=\"cpu\"} 2 1795464400\n";

    /// Limits that were aggregated too far are of nobody.
    #[test]
    fn limits_of_other_containers_are_said() {
        let text = "container_memory_rss{namespace=\"shop\",pod=\"p1\",container=\"web\"} 1048576 1795464400\n\
            container_spec_memory_limit_bytes{namespace=\"ops\",pod=\"p1\",container=\"web\"} 1073741824 1795464400\n";
        let (inputs, series) = read_all(Format::Prometheus, &[(text, MTIME_MS)]);
        assert_eq!(series[0].info.limit, None);
        assert_eq!(
            account(&inputs[0]),
            "1 samples, 0 gaps, 1 other, 0 rejected\nwarning: none of its limits belongs to a container with memory readings (expected the same `namespace`, `pod` and `container`, or `name`)\n"
        );
    }

    #[test]
    fn each_container_gets_its_own_limit_and_limits_are_no_series() {
        let (inputs, series) = read_all(Format::Prometheus, &[(LIMITS, MTIME_MS)]);
        let limits: Vec<(String, Option<f64>)> =
            series.iter().map(|series| (series.info.id.clone(), series.info.limit.map(|limit| limit.bytes))).collect();
        let expected = [
            ("web container_memory_rss{pod=\"p1\"}", Some(536_870_912.0)),
            ("web container_memory_usage_bytes", Some(536_870_912.0)),
            ("web container_memory_rss{pod=\"p2\"}", None),
            ("api container_memory_rss", None),
            ("job container_memory_rss", Some(268_435_456.0)),
            ("job kube_pod_container_resource_limits", Some(268_435_456.0)),
        ];
        assert_eq!(limits, expected.map(|(id, limit)| (id.to_owned(), limit)));
        assert_eq!(account(&inputs[0]), "6 samples, 0 gaps, 4 other, 0 rejected\n");
        assert_eq!(inputs[0].series, 6);
    }
}
