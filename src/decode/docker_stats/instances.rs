//! The containers of one name: one after the other where it was recreated, several at a time where two machines
//! write into one log.

use std::collections::{HashMap, HashSet};

use super::super::{Evidence, SeriesSamples};
use super::UNTIMED;
use super::containers::{Container, Series};
use super::counter_resets::{CounterResets, CounterRow};
use crate::series::{Marks, Samples};

/// A container of a series.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) container: usize,
    /// The least and the largest time of its rows, and of what stands for times that are not known yet.
    timed: Option<(i64, i64)>,
    untimed: Option<(i64, i64)>,
    pub(super) counters: CounterResets,
}

/// A series as it is given: its samples, and what its first and its last row say.
pub(super) type Finished = (SeriesSamples, Option<(Evidence, Evidence)>);

impl Instance {
    pub(super) fn new(container: usize) -> Instance {
        Instance { container, timed: None, untimed: None, counters: CounterResets::default() }
    }

    /// Takes the time of a row.
    pub(super) fn see(&mut self, time_ms: i64) {
        let span = if time_ms <= UNTIMED { &mut self.untimed } else { &mut self.timed };
        let (least, largest) = span.get_or_insert((time_ms, time_ms));
        *least = time_ms.min(*least);
        *largest = time_ms.max(*largest);
    }

    /// The times of its first and its last row.
    fn span_ms(&self, date: impl Fn(i64) -> i64) -> (i64, i64) {
        let ends = [self.timed, self.untimed].into_iter().flatten().flat_map(|(least, largest)| [least, largest]);
        ends.map(date).fold((i64::MAX, i64::MIN), |(first, last), time_ms| (first.min(time_ms), last.max(time_ms)))
    }
}

/// Members that were there one after the other, in that order.
#[derive(Debug, Default)]
struct Succession {
    first_ms: i64,
    last_ms: i64,
    instances: Vec<usize>,
}

impl Series {
    /// One series for each succession of containers, with restarts marked where one follows another; `date` gives times to
    /// what stands for them. `taken`: the names of all series, to which those are added that are made here.
    pub(super) fn finish(
        mut self,
        containers: &[Container],
        date: impl Fn(i64) -> i64,
        taken: &mut HashSet<String>,
    ) -> Vec<Finished> {
        self.samples.time_ms.iter_mut().for_each(|time_ms| *time_ms = date(*time_ms));
        self.instances.iter().for_each(|instance| instance.counters.finish(&mut self.samples.marks));
        let spans: Vec<(i64, i64)> = self.instances.iter().map(|instance| instance.span_ms(&date)).collect();
        let successions = self.successions(containers, &spans);
        let all = self.divided(&successions);
        let finished = successions.into_iter().zip(all).enumerate().map(|(place, (succession, mut samples))| {
            let instances: Vec<&Instance> =
                succession.instances.iter().map(|instance| &self.instances[*instance]).collect();
            let starts = succession.instances.iter().skip(1).map(|instance| spans[*instance].0);
            mark_recreated(&mut samples, &starts.collect::<Vec<_>>());
            let mut info = self.info.clone();
            if 0 < place {
                let id = instances.first().map_or("", |instance| &containers[instance.container].id);
                let short: String = id.chars().take(12).collect();
                let names = (1..).map(|number| match number {
                    1 => format!("{} ({short})", self.info.id),
                    _ => format!("{} ({short}, {number})", self.info.id),
                });
                info.id = names.into_iter().find(|name| taken.insert(name.clone())).unwrap_or_default();
                if !info.container_given {
                    info.labels.insert("container".to_owned(), info.id.clone());
                }
            }
            let evidence = |row: CounterRow| Evidence::of(&containers[row.container], &row);
            let first =
                instances.first().and_then(|instance| instance.counters.ends()).map(|(first, _)| evidence(first));
            let last = instances.last().and_then(|instance| instance.counters.ends()).map(|(_, last)| evidence(last));
            (SeriesSamples { info, samples, inputs: self.inputs.clone() }, first.zip(last))
        });
        finished.collect()
    }

    /// Containers of different IDs that were there at one time are in different successions: the first one's is the first.
    ///
    /// `spans`: the first and the last time of each.
    fn successions(&self, containers: &[Container], spans: &[(i64, i64)]) -> Vec<Succession> {
        let has_id = |instance: &usize| !containers[self.instances[*instance].container].id.is_empty();
        let (mut known, unknown): (Vec<usize>, Vec<usize>) = (0..self.instances.len()).partition(has_id);
        known.sort_by_key(|instance| spans[*instance]);
        let mut successions: Vec<Succession> = Vec::new();
        for place in known {
            let (first_ms, last_ms) = spans[place];
            let before = successions
                .iter_mut()
                .filter(|succession| succession.last_ms <= first_ms && succession.first_ms < first_ms)
                .max_by_key(|succession| succession.last_ms);
            if let Some(succession) = before {
                succession.last_ms = last_ms;
                succession.instances.push(place);
            } else {
                successions.push(Succession { first_ms, last_ms, instances: vec![place] });
            }
        }
        if successions.is_empty() {
            successions.push(Succession::default());
            successions[0].instances = unknown;
        }
        successions
    }

    /// The samples of each succession.
    fn divided(&mut self, successions: &[Succession]) -> Vec<Samples> {
        let samples = std::mem::take(&mut self.samples);
        if successions.len() < 2 {
            return vec![samples];
        }
        let of_succession = |(place, succession): (usize, &Succession)| -> Vec<(usize, usize)> {
            succession.instances.iter().map(|instance| (self.instances[*instance].container, place)).collect()
        };
        let places: HashMap<usize, usize> = successions.iter().enumerate().flat_map(of_succession).collect();
        let mut all = vec![Samples::default(); successions.len()];
        let ends = self.turns.iter().skip(1).map(|turn| turn.0).chain([samples.len()]);
        for (&(start, container), end) in self.turns.iter().zip(ends) {
            // Rows without an ID stay with the first.
            all[places.get(&container).copied().unwrap_or(0)].append(samples.part(start..end));
        }
        all
    }
}

/// Marks the samples at which a container of another ID begins.
fn mark_recreated(samples: &mut Samples, starts_ms: &[i64]) {
    let Samples { time_ms, marks, .. } = samples;
    let mut in_order: Vec<usize> = Vec::new();
    if !starts_ms.is_empty() && !time_ms.is_sorted() {
        in_order.extend(0..time_ms.len());
        in_order.sort_by_key(|index| time_ms[*index]);
    }
    for start_ms in starts_ms {
        let index = if in_order.is_empty() {
            time_ms.partition_point(|time_ms| time_ms < start_ms)
        } else {
            let place = in_order.partition_point(|index| time_ms[*index] < *start_ms);
            in_order.get(place).copied().unwrap_or(time_ms.len())
        };
        if let Some(bits) = marks.get_mut(index) {
            *bits = Marks::from_bits(*bits).with(Marks::RECREATED).bits();
        }
    }
}
