//! The containers that were seen, by ID, and the series that they belong to, by name.

use super::super::Evidence;
use super::cells::is_hex_id;
use super::counter_resets::CounterRow;
use super::instances::Instance;
use super::memory::Memory;
use super::notes::Notes;
use super::quick::{Cells, Values};
use super::row::Row;
use super::snapshots::Began;
use super::{Reader, UNTIMED};
use crate::account::{Format, Input};
use crate::series::{Labels, Limit, LimitSource, Marks, Metric, Samples, Sampling, SeriesInfo};

/// One container, by its ID.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) series: usize,
    /// Position in docker's order: the snapshot in which it was first seen, negated, and its place there.
    pub(super) rank: (i64, usize),
    pub(super) first_snapshot: usize,
    pub(super) last_snapshot: usize,
    /// The container that came after it last time.
    pub(super) next: usize,
    /// Its series among whose instances it is, and its place there.
    instance: Option<(usize, usize)>,
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
    /// The containers that it is of, in order of their first rows.
    pub(super) instances: Vec<Instance>,
    /// Where in the samples the rows of another container begin, and which.
    pub(super) turns: Vec<(usize, usize)>,
    pub(super) last_snapshot: usize,
}

impl Series {
    fn new(info: SeriesInfo) -> Series {
        Series {
            info,
            samples: Samples::default(),
            inputs: Vec::new(),
            pending: Marks::default(),
            container: None,
            instances: Vec::new(),
            turns: Vec::new(),
            last_snapshot: usize::MAX,
        }
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
                first_snapshot: usize::MAX,
                last_snapshot: usize::MAX,
                next: index,
                instance: None,
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
        let (Some(snapshot), Some(&series)) = (&self.snapshot, self.by_name.get(name)) else { return false };
        let series = &self.series[series];
        let is_same_call =
            snapshot.began == Began::Frame || time_ms.is_some() && self.snapshots[snapshot.index] == time_ms;
        let other = series.container.map_or("", |other| self.containers[other].id.as_str());
        is_same_call && series.last_snapshot == snapshot.index && !id.is_empty() && !other.is_empty() && other != id
    }

    /// The series of this name, made when it was never seen.
    fn series_of(&mut self, name: &str, row: &Row<'_>) -> usize {
        if let Some(&index) = self.by_name.get(name) {
            return index;
        }
        let index = self.series.len();
        let mut labels = Labels::new();
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

    /// Notes that a row is of another container than the row of its series before; gives its place among the instances.
    #[cold]
    fn turn(&mut self, index: usize) -> usize {
        let (of, instance) = (self.containers[index].series, self.containers[index].instance);
        let known = instance.and_then(|(series, place)| match series {
            series if series == of => Some(place),
            // It had another name in the meantime.
            _ => self.series[of].instances.iter().position(|instance| instance.container == index),
        });
        let series = &mut self.series[of];
        let place = known.unwrap_or_else(|| {
            series.instances.push(Instance::new(index));
            series.instances.len() - 1
        });
        self.containers[index].instance = Some((of, place));
        if series.container != Some(index) {
            series.container = Some(index);
            series.turns.push((series.samples.len(), index));
        }
        place
    }

    /// Takes what a row says into its series.
    pub(super) fn take(&mut self, index: usize, time_ms: i64, values: Values, input: &mut Input) {
        let container = &self.containers[index];
        let (of, instance) = (container.series, container.instance);
        let place = match instance {
            Some((series, place)) if series == of && self.series[of].container == Some(index) => place,
            _ => self.turn(index),
        };
        let series = &mut self.series[of];
        let row = CounterRow {
            time_ms: Some(time_ms).filter(|time_ms| UNTIMED < *time_ms),
            container: index,
            counters: values.counters,
            sample: series.samples.len(),
        };
        let instance = &mut series.instances[place];
        instance.see(time_ms);
        let found = instance.counters.follow(row, &mut series.samples.marks);
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
                series.samples.push(time_ms, used.bytes, used.resolution, std::mem::take(&mut series.pending));
                input.samples += 1;
            }
        }
    }
}

impl Evidence {
    pub(super) fn of(container: &Container, row: &CounterRow) -> Evidence {
        let mut id = String::new();
        if !container.id.is_empty() {
            write_key(&mut id, &container.id, &container.name);
        }
        Evidence { id, counters: row.counters }
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
