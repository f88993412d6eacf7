//! The containers that were seen, by ID, and the series that they belong to, by name.

use std::collections::BTreeMap;

use super::super::{Evidence, Format, Input};
use super::cells::is_hex_id;
use super::memory::Memory;
use super::notes::Notes;
use super::quick::{Cells, Values};
use super::row::Row;
use super::ticks::Began;
use super::trail::{Life, Trail};
use super::{Reader, UNTIMED};
use crate::series::{Limit, LimitSource, Marks, Metric, Samples, Sampling, SeriesInfo};

/// One container, by its ID.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) series: usize,
    /// Position in docker's order: the tick in which it was first seen, negated, and its place there.
    pub(super) rank: (i64, usize),
    pub(super) first_tick: usize,
    pub(super) last_tick: usize,
    /// The container that came after it last time.
    pub(super) next: usize,
    /// Its series among whose members it is, and its place there.
    member: Option<(usize, usize)>,
    /// Its last row, in a stream.
    pub(super) row: Vec<u8>,
    /// Whether that row repeated the one before, and how it ended.
    pub(super) repeated: bool,
    pub(super) erased: bool,
    /// What it said last, for the quick reading.
    pub(super) cells: Cells,
}

#[derive(Debug)]
pub(super) struct Series {
    pub(super) info: SeriesInfo,
    pub(super) samples: Samples,
    pub(super) inputs: Vec<usize>,
    pub(super) pending: Marks,
    /// The container of its last row.
    pub(super) container: Option<usize>,
    /// The containers that it is of, one after the other.
    members: Vec<Member>,
    /// Where in the samples the rows of another container begin, and which.
    turns: Vec<(usize, usize)>,
    pub(super) last_tick: usize,
    pub(super) trail: Trail,
}

/// A container of a series, and the times of its first and its last row, or what stands for them.
#[derive(Debug, Clone, Copy)]
struct Member {
    container: usize,
    first_ms: i64,
    last_ms: i64,
}

impl Member {
    fn see(&mut self, time_ms: i64) {
        if order(time_ms) < order(self.first_ms) {
            self.first_ms = time_ms;
        } else if order(self.last_ms) < order(time_ms) {
            self.last_ms = time_ms;
        }
    }

    fn overlaps(&self, other: &Member) -> bool {
        order(self.first_ms) < order(other.last_ms) && order(other.first_ms) < order(self.last_ms)
    }
}

/// The order of times, also of those that stand for a tick.
fn order(time_ms: i64) -> i64 {
    if time_ms <= UNTIMED { UNTIMED - time_ms } else { time_ms }
}

impl Series {
    fn new(info: SeriesInfo) -> Series {
        Series {
            info,
            samples: Samples::default(),
            inputs: Vec::new(),
            pending: Marks::default(),
            container: None,
            members: Vec::new(),
            turns: Vec::new(),
            last_tick: usize::MAX,
            trail: Trail::default(),
        }
    }

    /// Marks the samples at which a container of another ID begins, once all times are known.
    pub(super) fn mark_recreated(&mut self, containers: &[Container], date: impl Fn(i64) -> i64) {
        let members = self.members.iter().filter(|member| !containers[member.container].id.is_empty());
        let mut firsts: Vec<i64> = members.map(|member| date(member.first_ms)).collect();
        firsts.sort_unstable();
        if firsts.len() < 2 {
            return;
        }
        let Samples { time_ms, marks, .. } = &mut self.samples;
        let mut in_order: Vec<usize> = Vec::new();
        if !time_ms.is_sorted() {
            in_order.extend(0..time_ms.len());
            in_order.sort_by_key(|index| time_ms[*index]);
        }
        for first_ms in &firsts[1..] {
            let index = if in_order.is_empty() {
                time_ms.partition_point(|time_ms| time_ms < first_ms)
            } else {
                let place = in_order.partition_point(|index| time_ms[*index] < *first_ms);
                in_order.get(place).copied().unwrap_or(time_ms.len())
            };
            if let Some(bits) = marks.get_mut(index) {
                *bits = Marks::from_bits(*bits).with(Marks::RECREATED).bits();
            }
        }
    }

    /// Takes out the samples of one container.
    fn take_out(&mut self, container: usize) -> Samples {
        let mut out = Samples::default();
        let Some(first) = self.turns.iter().position(|turn| turn.1 == container) else { return out };
        // What stands before its first turn stays where it is.
        let turns = self.turns.split_off(first);
        let n_before = turns[0].0;
        let tail = self.samples.part(n_before..self.samples.len());
        self.samples.truncate(n_before);
        let ends = turns.iter().skip(1).map(|turn| turn.0 - n_before).chain([tail.len()]);
        for (&(start, of), end) in turns.iter().zip(ends) {
            let part = tail.part(start - n_before..end);
            if of == container {
                out.append(part);
                continue;
            }
            if self.turns.last().is_none_or(|(_, last)| *last != of) {
                self.turns.push((self.samples.len(), of));
            }
            self.samples.append(part);
        }
        self.trail.forget();
        out
    }
}

impl Reader {
    /// The container of a row, made when it was never seen.
    ///
    /// `name`: that of the row, cleaned. In Kubernetes a series is called `namespace/pod/container`, as far as these
    /// are known.
    pub(super) fn container(
        &mut self,
        row: &Row<'_>,
        id: &str,
        name: &str,
        time_ms: Option<i64>,
        notes: &mut Notes,
    ) -> usize {
        if row.pod.is_empty() {
            return self.container_named(row, id, name, time_ms, notes);
        }
        let mut full = std::mem::take(&mut self.full_name);
        full.clear();
        for part in [row.namespace, row.pod, name] {
            if !full.is_empty() && !part.is_empty() {
                full.push('/');
            }
            full.push_str(part);
        }
        let index = self.container_named(row, id, &full, time_ms, notes);
        self.full_name = full;
        index
    }

    fn container_named(
        &mut self,
        row: &Row<'_>,
        id: &str,
        name: &str,
        time_ms: Option<i64>,
        notes: &mut Notes,
    ) -> usize {
        if let Some(last) = self.containers.get(self.last_container) {
            let expected = &self.containers[last.next];
            if expected.id == id && expected.name == name {
                let index = last.next;
                self.last_container = index;
                return index;
            }
        }
        let mut key = std::mem::take(&mut self.key);
        write_key(&mut key, id, name);
        let index = if let Some(&index) = self.by_key.get(key.as_str()) {
            if !name.is_empty() && self.containers[index].name != name {
                // Renamed: the series is that of the name.
                let series = self.series_of(name, row);
                self.containers[index].series = series;
                name.clone_into(&mut self.containers[index].name);
            }
            id.clone_into(&mut self.containers[index].id);
            self.containers[index].cells.forget_identity();
            index
        } else {
            let series = if name.is_empty() {
                self.series_of(id, row)
            } else if self.has_namesake(id, name, time_ms) {
                notes.note_namesake(name);
                let short = id.get(..12).unwrap_or(id);
                self.series_of(&format!("{name} ({short})"), row)
            } else {
                self.series_of(name, row)
            };
            notes.note_name(self.format, name);
            let index = self.containers.len();
            self.containers.push(Container {
                name: name.to_owned(),
                id: id.to_owned(),
                series,
                rank: (0, 0),
                first_tick: usize::MAX,
                last_tick: usize::MAX,
                next: index,
                member: None,
                row: Vec::new(),
                repeated: false,
                erased: false,
                cells: Cells::default(),
            });
            self.by_key.insert(key.clone(), index);
            index
        };
        self.key = key;
        self.containers[self.last_container].next = index;
        self.last_container = index;
        index
    }

    /// Whether another container of this name is in the same call: containers of different pods have one name in
    /// crictl, and nerdctl cuts names. Only where the call is known not to end before this row.
    fn has_namesake(&self, id: &str, name: &str, time_ms: Option<i64>) -> bool {
        let (Some(tick), Some(&series)) = (&self.tick, self.by_name.get(name)) else { return false };
        let series = &self.series[series];
        let is_same_call = tick.began == Began::Frame || time_ms.is_some() && self.ticks[tick.index] == time_ms;
        let other = series.container.map_or("", |other| self.containers[other].id.as_str());
        is_same_call && series.last_tick == tick.index && !id.is_empty() && !other.is_empty() && other != id
    }

    /// The series of this name, made when it was never seen.
    fn series_of(&mut self, name: &str, row: &Row<'_>) -> usize {
        if let Some(&index) = self.by_name.get(name) {
            return index;
        }
        let index = self.series.len();
        let mut labels = BTreeMap::new();
        for (label, value) in [("namespace", row.namespace), ("pod", row.pod)] {
            if !value.is_empty() {
                labels.insert(label.to_owned(), value.to_owned());
            }
        }
        let container = match (row.pod, row.name) {
            ("", _) => name,
            (pod, "") => pod,
            (_, container) => container,
        };
        labels.insert("container".to_owned(), container.to_owned());
        let metric = match self.format {
            Format::CrictlStats | Format::KubectlTop => Metric::WorkingSet,
            _ => Metric::DockerUsage,
        };
        self.series.push(Series::new(SeriesInfo {
            id: name.to_owned(),
            labels,
            container_given: !row.pod.is_empty() && !row.name.is_empty(),
            limit: None,
            metric,
            sampling: Sampling::Raw,
        }));
        self.by_name.insert(name.to_owned(), index);
        index
    }

    /// Notes that a row is of another container than the row of its series before.
    ///
    /// One that comes back after another was not created anew: two are called alike, in one log. They are told apart.
    #[cold]
    fn turn(&mut self, index: usize, time_ms: i64, notes: &mut Notes) {
        let of = self.containers[index].series;
        let before = self.series[of].container;
        let place = self.place_in(of, index).unwrap_or_else(|| {
            let members = &mut self.series[of].members;
            members.push(Member { container: index, first_ms: time_ms, last_ms: time_ms });
            members.len() - 1
        });
        self.containers[index].member = Some((of, place));
        let mut member = self.series[of].members[place];
        member.see(time_ms);
        if let Some(before) = before
            && let Some(other) = self.place_in(of, before).map(|place| self.series[of].members[place])
            && [before, index].iter().all(|container| !self.containers[*container].id.is_empty())
            && member.first_ms != time_ms
            && member.overlaps(&other)
        {
            notes.note_namesake(&self.containers[index].name);
            let is_older = order(other.first_ms) < order(member.first_ms);
            self.part(of, if is_older { index } else { before });
        }
        let of = self.containers[index].series;
        let series = &mut self.series[of];
        if series.container != Some(index) {
            series.container = Some(index);
            series.turns.push((series.samples.len(), index));
        }
    }

    /// The place of a container among the members of a series.
    fn place_in(&self, series: usize, container: usize) -> Option<usize> {
        match self.containers[container].member? {
            (of, place) if of == series => Some(place),
            // It had another name in the meantime.
            _ => self.series[series].members.iter().position(|member| member.container == container),
        }
    }

    /// Gives a container a series of its own, with its samples.
    fn part(&mut self, from: usize, container: usize) {
        let Some(place) = self.place_in(from, container) else { return };
        let short = self.containers[container].id.chars().take(12).collect::<String>();
        let mut info = self.series[from].info.clone();
        info.id = format!("{} ({short})", info.id);
        let known = self.by_name.get(&info.id).copied();
        let to = known.unwrap_or(self.series.len());
        if known.is_none() {
            if !info.container_given {
                info.labels.insert("container".to_owned(), info.id.clone());
            }
            self.by_name.insert(info.id.clone(), to);
            self.series.push(Series::new(info));
        }
        let series = &mut self.series[from];
        let samples = series.take_out(container);
        let member = series.members.swap_remove(place);
        if let Some(moved) = series.members.get(place)
            && let Some((of, at)) = &mut self.containers[moved.container].member
            && *of == from
        {
            *at = place;
        }
        series.container = series.turns.last().map(|(_, container)| *container);
        let inputs = series.inputs.clone();
        let series = &mut self.series[to];
        series.turns.push((series.samples.len(), container));
        series.samples.append(samples);
        series.members.push(member);
        series.container = Some(container);
        series.inputs.extend(inputs);
        series.inputs.sort_unstable();
        series.inputs.dedup();
        series.last_tick = self.containers[container].last_tick;
        self.containers[container].member = Some((to, self.series[to].members.len() - 1));
        self.containers[container].series = to;
    }

    /// Takes what a row says into its series.
    pub(super) fn take(&mut self, index: usize, time_ms: i64, values: Values, input: &mut Input, notes: &mut Notes) {
        let container = &self.containers[index];
        let is_member = container.member.is_some_and(|(of, _)| of == container.series);
        if !is_member || self.series[container.series].container != Some(index) {
            self.turn(index, time_ms, notes);
        }
        let container = &self.containers[index];
        let series = &mut self.series[container.series];
        if let Some((_, place)) = container.member {
            series.members[place].see(time_ms);
        }
        let life = Life {
            time_ms: Some(time_ms).filter(|time_ms| UNTIMED < *time_ms),
            container: index,
            counters: values.counters,
            sample: series.samples.len(),
        };
        let found = series.trail.follow(life, &mut series.samples.marks);
        series.pending = series.pending.with(found);
        match values.memory {
            Memory::Gap => {
                series.pending = series.pending.with(Marks::GAP_BEFORE);
                input.gaps += 1;
            }
            Memory::Used { used, limit } => {
                if let Some(bytes) = limit {
                    series.info.limit = Some(Limit { bytes, source: LimitSource::Input });
                }
                let file = self.files.last().expect("a file is being read").input;
                if series.inputs.last() != Some(&file) {
                    series.inputs.push(file);
                }
                series.samples.push(time_ms, used.bytes, used.quantum, std::mem::take(&mut series.pending));
                input.samples += 1;
            }
        }
    }
}

impl Evidence {
    pub(super) fn of(container: &Container, life: &Life) -> Evidence {
        let mut id = String::new();
        if !container.id.is_empty() {
            write_key(&mut id, &container.id, &container.name);
        }
        Evidence { id, counters: life.counters }
    }
}

/// What tells containers apart: the first 12 digits of a hexadecimal ID, otherwise ID and name together.
fn write_key(key: &mut String, id: &str, name: &str) {
    key.clear();
    if is_hex_id(id) {
        key.push_str(&id[..12]);
    } else {
        key.push_str(id);
        key.push('\n');
        key.push_str(name);
    }
}
