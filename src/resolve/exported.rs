//! What exports hold that is not judged as it is, for alert rules: limits, other metrics, and the series that one series of
//! a container is made of. A rule sees what a server would have: the series as they were scraped.

use std::collections::{BTreeMap, HashMap};

use super::exports::identity;
use crate::account::Format;
use crate::decode::prometheus::Labels;
use crate::decode::{Part, SeriesSamples};
use crate::series::Samples;

/// A series of an export.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// Its labels and values as the export has them; values are finite and not negative, and need not be memory. Without
    /// samples where some of its values cannot be read: nothing can be replayed on it.
    pub samples: SeriesSamples,
    /// The id of the series that is judged in its place.
    pub of: Option<String>,
}

/// All series of exports, before any is left out. One that has a value below zero, which is not kept, is without samples.
pub(super) fn all(parts: &[Part]) -> Vec<SeriesSamples> {
    let exports = parts.iter().filter(|part| part.format == Format::Prometheus);
    let series = exports.flat_map(|Part { parsed, .. }| {
        let n_negative = parsed.n_negative.iter().copied().chain(std::iter::repeat(0));
        parsed.series.iter().zip(n_negative)
    });
    let named = series.filter(|(series, _)| series.info.labels.contains_key("__name__"));
    let whole = named.map(|(series, n_negative)| match n_negative {
        0 => series.clone(),
        _ => SeriesSamples { samples: Samples::default(), info: series.info.clone(), inputs: series.inputs.clone() },
    });
    whole.collect()
}

/// Those that no judged series is the same as.
pub(super) fn of(all: Vec<SeriesSamples>, judged: &[SeriesSamples]) -> Vec<Exported> {
    if all.is_empty() {
        return Vec::new();
    }
    let mut by_labels: BTreeMap<Labels, SeriesSamples> = BTreeMap::new();
    for mut one in all {
        let given = one.info.labels.get("container").is_some_and(|container| !container.is_empty());
        one.info.container_given = given;
        match by_labels.get_mut(&one.info.labels) {
            None => {
                by_labels.insert(one.info.labels.clone(), one);
            }
            Some(first) => {
                if first.samples.is_empty() || one.samples.is_empty() {
                    first.samples = Samples::default();
                } else {
                    first.samples.append(one.samples);
                }
                first.inputs.extend(one.inputs);
            }
        }
    }
    let mut judged_as: HashMap<Labels, Vec<&SeriesSamples>> = HashMap::new();
    for one in judged {
        judged_as.entry(as_exported(one)).or_default().push(one);
    }
    let mut n_of: HashMap<Labels, usize> = HashMap::new();
    for labels in by_labels.keys() {
        *n_of.entry(identity(labels)).or_default() += 1;
    }
    let beside = by_labels.into_iter().filter_map(|(labels, samples)| {
        let who = identity(&labels);
        let judged = judged_as.get(&who).map_or(&[][..], Vec::as_slice);
        if judged.len() == 1 && n_of[&who] == 1 && !samples.samples.is_empty() {
            return None;
        }
        let shares_input = |one: &&&SeriesSamples| one.inputs.iter().any(|input| samples.inputs.contains(input));
        let of = judged.iter().find(shares_input).or(judged.first()).map(|one| one.info.id.clone());
        Some(Exported { samples, of })
    });
    beside.collect()
}

/// The labels by which a judged series is known again, without a container that the export did not name.
fn as_exported(series: &SeriesSamples) -> Labels {
    let mut labels = series.info.labels.clone();
    if !series.info.container_given {
        labels.remove("container");
    }
    identity(&labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::Source;
    use crate::progress::Meter;
    use crate::read::readings_for_rules;

    fn beside(text: &str) -> Vec<String> {
        let mut file = tempfile::Builder::new().suffix(".txt").tempfile().unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        let sources = [Source::File(file.path().to_owned())];
        let read = readings_for_rules(&sources, &crate::decode::Options::default(), &Meter::default());
        let line = |Exported { samples, of }: &Exported| {
            let labels: Vec<String> =
                samples.info.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {:?} of {:?}", labels.join(","), samples.samples.used_bytes, of.as_deref().unwrap_or("none"))
        };
        read.beside.iter().map(line).collect()
    }

    #[test]
    fn what_is_judged_as_it_is_stands_for_itself() {
        let text = "container_memory_rss{container=\"web\",pod=\"p\",id=\"/a\"} 5048576 1795464400\n\
            process_resident_memory_bytes{job=\"api\"} 7048576 1795464400\n";
        assert_eq!(beside(text), Vec::<String>::new());
    }

    #[test]
    fn limits_counters_pods_and_runs_of_a_container_stay_as_they_were_scraped() {
        let text = "container_memory_rss{container=\"web\",pod=\"p\",id=\"/a\"} 5048576 1795464400\n\
            container_memory_rss{container=\"web\",pod=\"p\",id=\"/b\"} 6048576 1795464460\n\
            container_memory_rss{pod=\"p\",id=\"/p\"} 8048576 1795464400\n\
            container_spec_memory_limit_bytes{container=\"web\",pod=\"p\",id=\"/a\"} 18446744073709551615 1795464400\n\
            container_oom_events_total{container=\"web\",pod=\"p\",id=\"/a\"} 1 1795464400\n\
            jvm_memory_max_bytes{area=\"heap\",id=\"eden\"} -1 1795464400\n";
        let expected = [
            "__name__=container_memory_rss,container=web,id=/a,pod=p [5048576.0] of \"web container_memory_rss\"",
            "__name__=container_memory_rss,container=web,id=/b,pod=p [6048576.0] of \"web container_memory_rss\"",
            "__name__=container_memory_rss,id=/p,pod=p [8048576.0] of \"none\"",
            "__name__=container_oom_events_total,container=web,id=/a,pod=p [1.0] of \"none\"",
            "__name__=container_spec_memory_limit_bytes,container=web,id=/a,pod=p [1.8446744073709552e19] of \"none\"",
            "__name__=jvm_memory_max_bytes,area=heap,id=eden [] of \"jvm_memory_max_bytes\"",
        ];
        let found = beside(text);
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.split(" of ").next(), expected.split(" of ").next());
            assert_eq!(found.ends_with("of \"none\""), expected.ends_with("of \"none\""), "{found}");
        }
        assert_eq!(found.len(), expected.len());
    }
}
