//! Names series by their labels: as short as is unique.

use std::collections::BTreeMap;

use super::Labels;

/// Labels that tell series apart, in the order in which they are added to an id.
const TELLING_LABELS: [&str; 6] = ["pod", "namespace", "instance", "node", "job", "id"];

/// A readable name for each of the label sets, unique among them.
pub(crate) fn ids(series: &[&Labels]) -> Vec<String> {
    let metric = |labels: &Labels| labels.get("__name__").cloned().unwrap_or_default();
    let several_metrics = series.windows(2).any(|pair| metric(pair[0]) != metric(pair[1]));
    let mut ids: Vec<String> = series
        .iter()
        .map(|labels| {
            let name =
                ["container", "name", "pod"].iter().find_map(|key| labels.get(*key).filter(|label| !label.is_empty()));
            let in_pod: Vec<&str> = ["namespace", "pod", "container"]
                .iter()
                .filter_map(|key| labels.get(*key).map(String::as_str).filter(|label| !label.is_empty()))
                .collect();
            let in_pod = (in_pod.len() == 3).then(|| in_pod.join("/"));
            match in_pod.as_ref().or(name) {
                Some(name) if several_metrics => format!("{name} {}", metric(labels)).trim_end().to_owned(),
                Some(name) => name.clone(),
                None => all_labels(labels),
            }
        })
        .collect();

    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, id) in ids.iter().enumerate() {
        groups.entry(id).or_default().push(index);
    }
    let groups: Vec<Vec<usize>> = groups.into_values().filter(|group| group.len() > 1).collect();
    for group in groups {
        let keys = telling_labels(&group.iter().map(|index| series[*index]).collect::<Vec<_>>());
        for &index in &group {
            let told: Vec<String> = keys
                .iter()
                .filter_map(|key| series[index].get(*key).map(|label| format!("{key}=\"{label}\"")))
                .collect();
            if !told.is_empty() {
                ids[index] = format!("{}{{{}}}", ids[index], told.join(", "));
            }
        }
    }
    ids
}

/// The fewest labels, in order of preference, that tell these series apart.
fn telling_labels<'a>(group: &[&'a Labels]) -> Vec<&'a str> {
    let mut candidates: Vec<&str> =
        group.iter().flat_map(|labels| labels.keys().map(String::as_str)).filter(|key| *key != "__name__").collect();
    candidates.sort_unstable();
    candidates.dedup();
    candidates
        .sort_by_key(|key| TELLING_LABELS.iter().position(|telling| telling == key).unwrap_or(TELLING_LABELS.len()));

    let mut keys: Vec<&str> = Vec::new();
    let mut n_told = 1;
    for candidate in candidates {
        keys.push(candidate);
        let mut told: Vec<Vec<Option<&String>>> =
            group.iter().map(|labels| keys.iter().map(|key| labels.get(*key)).collect()).collect();
        told.sort_unstable();
        told.dedup();
        if told.len() == n_told {
            keys.pop();
        }
        n_told = told.len();
        if n_told == group.len() {
            break;
        }
    }
    keys
}

pub(super) fn all_labels(labels: &Labels) -> String {
    let metric = labels.get("__name__").map_or("", String::as_str);
    let others: Vec<String> =
        labels.iter().filter(|(key, _)| *key != "__name__").map(|(key, label)| format!("{key}=\"{label}\"")).collect();
    format!("{metric}{{{}}}", others.join(", "))
}
