//! Series of Prometheus exports: which are memory, which are limits of it or evidence beside it, which say who owns a pod,
//! and one series of each container.

mod cadvisor;
pub(super) mod evidence;
mod foreign;
mod limits;
mod owners;

use std::collections::{HashMap, HashSet};

use crate::account::Input;
use crate::decode::SeriesSamples;
use crate::decode::prometheus::{Labels, ids};

pub(crate) use cadvisor::identity;
pub(super) use foreign::refuse;

/// Names the series of all exports together, after the limits among them were given to those that they are of.
/// Gives what the first and the last readings of each say of its container, and the series that are evidence.
pub(crate) fn settle(
    series: &mut Vec<SeriesSamples>,
    inputs: &mut [Input],
) -> (Vec<cadvisor::Ends>, Vec<SeriesSamples>) {
    let witnesses = evidence::take_out(series, inputs);
    owners::take_out(series, inputs);
    limits::take_out(series, inputs);
    let ends = cadvisor::settle(series, inputs);
    let identities: Vec<Labels> = series.iter().map(|series| identity(&series.info.labels)).collect();
    let mut distinct: Vec<&Labels> = identities.iter().collect();
    let mut seen = HashSet::new();
    distinct.retain(|labels| seen.insert(*labels));
    let ids: HashMap<&Labels, String> = distinct.iter().copied().zip(ids(&distinct)).collect();
    for (SeriesSamples { info, samples, inputs: of }, identity) in series.iter_mut().zip(&identities) {
        info.id.clone_from(&ids[identity]);
        info.container_given = info.labels.get("container").is_some_and(|container| !container.is_empty());
        if !info.container_given {
            let label = |key: &&str| info.labels.get(*key).filter(|label| !label.is_empty());
            let container = ["name", "pod"].iter().find_map(label).unwrap_or(&info.id).clone();
            info.labels.insert("container".to_owned(), container);
        }
        for input in of.iter().filter(|_| !samples.is_empty()) {
            inputs[*input].series += 1;
        }
    }
    (ends, witnesses)
}
