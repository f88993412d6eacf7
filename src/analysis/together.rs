//! Puts what was read of one container together: its head, and its parts. Pools of a runtime become the area that they
//! are pools of.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::amounts::{self, Group};
use crate::criteria::Criterion;
use crate::events::SeriesEvents;
use crate::series::{MemorySeries, Samples};
use crate::workload::Joined;

/// A series that waits to be judged.
pub(super) struct Read {
    pub(super) samples: MemorySeries,
    pub(super) events: SeriesEvents,
    /// The criteria of rule files.
    pub(super) own_criteria: Vec<Criterion>,
    /// The pods that it is the typical one of; `None` where it was read as it is.
    pub(super) joined: Option<Box<Joined>>,
    /// Names that it is meant by beside its own: those of its pods.
    pub(super) names: Vec<String>,
}

impl Read {
    pub(super) fn new(samples: MemorySeries, events: SeriesEvents, own_criteria: Vec<Criterion>) -> Read {
        Read { samples, events, own_criteria, joined: None, names: Vec::new() }
    }
}

/// What is known of one container.
pub(super) struct Container<T> {
    /// Its id, where it has several amounts.
    pub(super) id: Option<String>,
    /// What its verdict rests on.
    pub(super) head: T,
    /// Its other amounts.
    pub(super) parts: Vec<T>,
}

impl<T: Send> Container<T> {
    pub(super) fn map<U: Send>(self, with: impl Fn(T) -> U + Sync) -> Container<U> {
        let parts = self.parts.into_par_iter().map(&with).collect();
        Container { id: self.id, head: with(self.head), parts }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.head).chain(&self.parts)
    }
}

/// A series and its place in its container.
type Ranked = (usize, Read);

/// The containers of what was read, each at the place of its first series.
pub(super) fn containers(read: Vec<Read>, groups: &[Group]) -> Vec<Container<Read>> {
    let places: HashMap<&str, (usize, usize)> = groups
        .iter()
        .enumerate()
        .flat_map(|(at, group)| group.ids.iter().enumerate().map(move |(rank, id)| (id.as_str(), (at, rank))))
        .collect();
    let mut containers: Vec<(Option<&str>, Vec<Ranked>)> = Vec::new();
    let mut found: HashMap<usize, usize> = HashMap::new();
    for one in read {
        let place = places.get(one.samples.info.id.as_str());
        let (id, rank) = place.map_or((None, 0), |(group, rank)| (Some(groups[*group].id.as_str()), *rank));
        let next = containers.len();
        let at = place.map_or(next, |(group, _)| *found.entry(*group).or_insert(next));
        if at == next {
            containers.push((id, Vec::new()));
        }
        containers[at].1.push((rank, one));
    }
    let container = |(id, mut members): (Option<&str>, Vec<Ranked>)| {
        members.sort_by_key(|(rank, _)| *rank);
        let mut members = without_pools(members.into_iter().map(|(_, read)| read).collect()).into_iter();
        let head = members.next().expect("a container has a series");
        Container { id: id.map(str::to_owned), head, parts: members.collect() }
    };
    containers.into_iter().map(container).collect()
}

/// The series of a container with the sums of pools in place of the pools.
fn without_pools(read: Vec<Read>) -> Vec<Read> {
    let mut members: Vec<Read> = Vec::new();
    let mut areas: Vec<(String, usize, Vec<Read>)> = Vec::new();
    for one in read {
        if !amounts::is_pool(&one.samples.info) {
            members.push(one);
            continue;
        }
        let name = amounts::short_name(&one.samples.info);
        match areas.iter_mut().find(|(area, ..)| *area == name) {
            Some((.., pools)) => pools.push(one),
            None => areas.push((name, members.len(), vec![one])),
        }
    }
    for (_, at, pools) in areas.into_iter().rev() {
        members.splice(at..at, summed(pools));
    }
    members
}

/// The sum of pools at the times at which all of them were read; the pools themselves where that is less than half of
/// the times, or there is one only.
fn summed(pools: Vec<Read>) -> Vec<Read> {
    let [first, others @ ..] = pools.as_slice() else { return pools };
    let mut sum = Samples::default();
    let mut places = vec![0; others.len()];
    for (at, time) in first.samples.time_ms().iter().enumerate() {
        let mut bytes = first.samples.used_bytes()[at];
        let mut resolution = f64::from(first.samples.resolution_bytes().get(at));
        let mut n_found = 0;
        for (other, place) in others.iter().zip(&mut places) {
            let times = other.samples.time_ms();
            *place += times[*place..].partition_point(|own| own < time);
            if times.get(*place) == Some(time) {
                bytes += other.samples.used_bytes()[*place];
                resolution = resolution.max(f64::from(other.samples.resolution_bytes().get(*place)));
                n_found += 1;
            }
        }
        if n_found == others.len() {
            sum.push(*time, bytes, resolution, first.samples.marks(at));
        }
    }
    let longest = pools.iter().map(|pool| pool.samples.len()).max().unwrap_or(0);
    if others.is_empty() || 2 * sum.len() < longest {
        return pools;
    }
    let mut pools = pools.into_iter();
    let Some(Read { samples, events, mut own_criteria, .. }) = pools.next() else { return Vec::new() };
    own_criteria.extend(pools.flat_map(|pool| pool.own_criteria));
    let info = amounts::area_of(&samples.info);
    let samples = MemorySeries::new(info, sum).expect("half of the times are some");
    vec![Read::new(samples, events, own_criteria)]
}
