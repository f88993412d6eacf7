//! `MemorySeries`: the memory of one container, in time order.
//!
//! Times are milliseconds: since 1970 (UTC), or, where an input has no times and none could be inferred, before
//! its last reading. Values are bytes. Nothing is interpolated: a gap is a longer step between two samples.

mod resolutions;

use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use resolutions::Resolutions;

use crate::stats::robust;

/// Evidence about the container between the previous reading and this one.
///
/// Explicit evidence of a restart overrides what the values suggest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks(u8);

impl Marks {
    /// The container ID differs from that of the sample before: it was recreated under its name.
    pub const RECREATED: Marks = Marks(1);
    /// A cumulative NET I/O or BLOCK I/O counter fell: its process started again.
    pub const COUNTER_RESET: Marks = Marks(2);
    /// The input said that the container was there but had no reading (`--`, `0B / 0B`, a stale marker).
    pub const GAP_BEFORE: Marks = Marks(4);
    /// An event says that the container was OOM-killed since the sample before.
    pub const OOM_KILLED: Marks = Marks(8);
    /// An event says that the container ended or started since the sample before.
    pub const RESTARTED: Marks = Marks(16);
    /// Events of the container were recorded throughout the time since the sample before: a restart would be marked.
    pub const WATCHED: Marks = Marks(32);

    /// Whether all of `other` is marked.
    pub const fn contains(self, other: Marks) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of marks.
    pub const fn with(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }

    /// As a bit set, for a table.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From the bit set of a table; unknown bits are dropped.
    pub const fn from_bits(bits: u8) -> Marks {
        Marks(bits & 63)
    }
}

/// The origin of a memory limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitSource {
    /// Given by the user (`--limit`, or a `[[series]]` table).
    Option,
    /// Printed by the input beside the readings.
    Input,
}

/// The memory limit of a container.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// In bytes, more than 0.
    pub bytes: f64,
    /// Its origin.
    pub source: LimitSource,
}

/// What the points of a Prometheus export are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// Every point is a reading, at the time it was taken.
    Raw,
    /// Every point is the value at a step of a Prometheus range query: up to one lookback old.
    Step {
        /// Whether this was inferred from an exact grid, rather than set by the user.
        inferred: bool,
    },
}

impl Sampling {
    /// All of them.
    pub const ALL: [Sampling; 3] =
        [Sampling::Raw, Sampling::Step { inferred: false }, Sampling::Step { inferred: true }];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Sampling::Raw => "raw",
            Sampling::Step { inferred: false } => "step",
            Sampling::Step { inferred: true } => "step-inferred",
        }
    }
}

impl Serialize for Sampling {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Sampling {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sampling, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Sampling::ALL.into_iter().find(|sampling| sampling.name() == name);
        known.ok_or_else(|| de::Error::unknown_variant(&name, &["raw", "step", "step-inferred"]))
    }
}

/// The kind of memory in a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Usage without inactive file cache, as `docker stats` prints it.
    DockerUsage,
    /// `container_memory_usage_bytes`: with all of the page cache.
    UsageBytes,
    /// `container_memory_working_set_bytes`.
    WorkingSet,
    /// `container_memory_rss`.
    Rss,
    /// What a runtime's collector manages: `nodejs_heap_size_used_bytes`, `jvm_memory_used_bytes`,
    /// `go_memstats_heap_inuse_bytes` and their like.
    Heap,
    /// Any other metric of a Prometheus export.
    Other,
}

impl Metric {
    /// All of them.
    pub const ALL: [Metric; 6] =
        [Metric::DockerUsage, Metric::UsageBytes, Metric::WorkingSet, Metric::Rss, Metric::Heap, Metric::Other];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::DockerUsage => "docker-usage",
            Metric::UsageBytes => "usage-bytes",
            Metric::WorkingSet => "working-set",
            Metric::Rss => "rss",
            Metric::Heap => "heap",
            Metric::Other => "other",
        }
    }

    /// Whether a garbage collection can bring it down to the level of a fresh start: true for the heap of a runtime, false
    /// for the memory of a container.
    pub const fn is_collected(self) -> bool {
        matches!(self, Metric::Heap)
    }
}

/// The labels of a series, by name. A sorted vector: among 100,000 series a tree for each takes 40 MB more.
pub type Labels = litemap::LiteMap<String, String>;

/// The identity of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesInfo {
    /// Unique in a report.
    pub id: String,
    /// Labels as the input gave them, and `container`.
    pub labels: Labels,
    /// Whether the input itself had a label `container`; otherwise it was made from another name.
    pub container_given: bool,
    /// The last limit in the input; `None` without one.
    pub limit: Option<Limit>,
    /// The kind of memory.
    pub metric: Metric,
    /// What the points are.
    pub sampling: Sampling,
}

impl SeriesInfo {
    /// The container's name, for commands and links.
    pub fn container(&self) -> &str {
        self.labels.get("container").map_or(&self.id, String::as_str)
    }

    /// What docker calls the container: the label `name` of an exporter, else the container's name.
    pub fn docker_name(&self) -> &str {
        self.labels.get("name").filter(|name| !name.is_empty()).map_or_else(|| self.container(), String::as_str)
    }
}

/// The samples of one series as columns of equal length, in the order in which they were read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Samples {
    /// When, in milliseconds.
    pub time_ms: Vec<i64>,
    /// Memory, in bytes; finite and not negative.
    pub used_bytes: Vec<f64>,
    /// The resolution of each value: the spacing of neighbouring values that the input could print, in bytes.
    pub resolution_bytes: Resolutions,
    /// Explicit evidence, as `Marks::bits`.
    pub marks: Vec<u8>,
}

impl Samples {
    /// Appends one sample.
    pub fn push(&mut self, time_ms: i64, used_bytes: f64, resolution_bytes: f64, marks: Marks) {
        self.time_ms.push(time_ms);
        self.used_bytes.push(used_bytes);
        self.resolution_bytes.push(resolution_bytes as f32);
        self.marks.push(marks.bits());
    }

    /// Appends all of `other`.
    pub fn extend(&mut self, other: &Samples) {
        self.reserve(other.len());
        self.time_ms.extend_from_slice(&other.time_ms);
        self.used_bytes.extend_from_slice(&other.used_bytes);
        self.resolution_bytes.append(&other.resolution_bytes);
        self.marks.extend_from_slice(&other.marks);
    }

    /// Appends all of `other`, and frees its memory.
    pub fn append(&mut self, other: Samples) {
        self.reserve(other.len());
        let Samples { mut time_ms, mut used_bytes, resolution_bytes, mut marks } = other;
        self.time_ms.append(&mut time_ms);
        drop(time_ms);
        self.used_bytes.append(&mut used_bytes);
        drop(used_bytes);
        self.resolution_bytes.append(&resolution_bytes);
        self.marks.append(&mut marks);
    }

    /// Makes room for `more` samples, or an eighth of those that are there: a series that is read in parts leaves little
    /// of it empty.
    fn reserve(&mut self, more: usize) {
        if self.time_ms.capacity() < self.len() + more {
            let more = more.max(self.len() / 8);
            self.time_ms.reserve_exact(more);
            self.used_bytes.reserve_exact(more);
            self.resolution_bytes.reserve_exact(more);
            self.marks.reserve_exact(more);
        }
    }

    /// A copy of the samples in this range.
    pub fn part(&self, range: Range<usize>) -> Samples {
        Samples {
            time_ms: self.time_ms[range.clone()].to_vec(),
            used_bytes: self.used_bytes[range.clone()].to_vec(),
            resolution_bytes: self.resolution_bytes.part(range.clone()),
            marks: self.marks[range].to_vec(),
        }
    }

    /// Keeps the first `length` samples.
    pub fn truncate(&mut self, length: usize) {
        self.time_ms.truncate(length);
        self.used_bytes.truncate(length);
        self.resolution_bytes.truncate(length);
        self.marks.truncate(length);
    }

    /// Keeps the samples at the indices for which `keep` is true.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        *self = (0..self.len()).filter(|index| keep(*index)).fold(Samples::default(), |mut kept, index| {
            let marks = Marks::from_bits(self.marks[index]);
            kept.push(self.time_ms[index], self.used_bytes[index], f64::from(self.resolution_bytes.get(index)), marks);
            kept
        });
    }

    /// The samples in strictly increasing order of time. Of several with the same time, the one read last is kept, with
    /// the marks of all. Takes O(n) time if they are in order already, otherwise O(n log n).
    pub fn in_time_order(self) -> Samples {
        if self.time_ms.is_sorted_by(|a, b| a < b) { self } else { in_time_order(self) }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.time_ms.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.time_ms.is_empty()
    }
}

/// Why columns are not a series.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesError {
    /// The numbers of times and values differ.
    #[error("there are {times} times and {values} values (expected the same number of each)")]
    Lengths {
        /// How many times.
        times: usize,
        /// How many values.
        values: usize,
    },
    /// A value is not an amount of memory.
    #[error("value {index} is {value} (expected bytes: a finite number, 0 or more)")]
    NotMemory {
        /// Its index.
        index: usize,
        /// What it is.
        value: f64,
    },
    /// There is no sample.
    #[error("there is no sample (expected at least one)")]
    Empty,
}

/// The memory of one container: at least one sample, times strictly increasing, values finite.
#[derive(Debug, Clone, PartialEq)]
pub struct MemorySeries {
    /// Its identity.
    pub info: SeriesInfo,
    samples: Samples,
}

impl MemorySeries {
    /// A series from samples in any order.
    ///
    /// Sorts by time. Of several samples with the same time, the one read last is kept, with the marks of all.
    /// `None` without samples.
    pub fn new(info: SeriesInfo, samples: Samples) -> Option<MemorySeries> {
        if samples.is_empty() {
            return None;
        }
        let samples = samples.in_time_order();
        debug_assert!(samples.used_bytes.iter().all(|bytes| bytes.is_finite()));
        Some(MemorySeries { info, samples })
    }

    /// A series from its times, in milliseconds since 1970, and its memory in bytes at each, in any order. Of several
    /// values with the same time, the last one counts.
    ///
    /// Values are assumed to be exact to a byte; use `with_resolution` if they were printed more coarsely.
    ///
    /// # Errors
    ///
    /// If the numbers of values and times differ, there are none, or a value is negative or not finite.
    pub fn from_slices(time_ms: &[i64], used_bytes: &[f64]) -> Result<MemorySeries, SeriesError> {
        if time_ms.len() != used_bytes.len() {
            return Err(SeriesError::Lengths { times: time_ms.len(), values: used_bytes.len() });
        }
        let is_memory = |bytes: &f64| 0.0 <= *bytes && bytes.is_finite();
        if let Some(index) = used_bytes.iter().position(|bytes| !is_memory(bytes)) {
            return Err(SeriesError::NotMemory { index, value: used_bytes[index] });
        }
        let n = time_ms.len();
        let samples = Samples {
            time_ms: time_ms.to_vec(),
            used_bytes: used_bytes.to_vec(),
            resolution_bytes: Resolutions::same(1.0, n),
            marks: vec![0; n],
        };
        let info = SeriesInfo {
            id: String::new(),
            labels: Labels::new(),
            container_given: false,
            limit: None,
            metric: Metric::Other,
            sampling: Sampling::Raw,
        };
        MemorySeries::new(info, samples).ok_or(SeriesError::Empty)
    }

    /// The same with the container's memory limit, in bytes; one that is not above 0 is ignored.
    #[must_use]
    pub fn with_limit(mut self, bytes: f64) -> MemorySeries {
        self.info.limit = (bytes > 0.0).then_some(Limit { bytes, source: LimitSource::Option });
        self
    }

    /// The same with values that were printed in steps of `bytes`.
    #[must_use]
    pub fn with_resolution(mut self, bytes: f32) -> MemorySeries {
        self.samples.resolution_bytes = Resolutions::same(bytes, self.len());
        self
    }

    /// The same with restarts at these times, in milliseconds: the process started again before the first sample at or
    /// after each time. No other drop counts as a restart then.
    #[must_use]
    pub fn with_restarts(mut self, at_ms: &[i64]) -> MemorySeries {
        for index in 0..self.len() {
            self.mark(index, Marks::WATCHED);
        }
        for at_ms in at_ms {
            let index = self.samples.time_ms.partition_point(|time| time < at_ms);
            if index < self.len() {
                self.mark(index, Marks::RESTARTED);
            }
        }
        self
    }

    /// Its samples, in time order.
    pub fn into_samples(self) -> Samples {
        self.samples
    }

    /// Number of samples, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a series is never empty")]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// When the samples were taken, in milliseconds, strictly increasing.
    pub fn time_ms(&self) -> &[i64] {
        &self.samples.time_ms
    }

    /// The memory of each sample, in bytes.
    pub fn used_bytes(&self) -> &[f64] {
        &self.samples.used_bytes
    }

    /// The resolution of each sample: the spacing of neighbouring values that the input could print, in bytes.
    pub fn resolution_bytes(&self) -> &Resolutions {
        &self.samples.resolution_bytes
    }

    /// The evidence at the sample at `index`.
    pub fn marks(&self, index: usize) -> Marks {
        Marks::from_bits(self.samples.marks[index])
    }

    /// Adds evidence to the sample at `index`.
    pub fn mark(&mut self, index: usize, marks: Marks) {
        self.samples.marks[index] |= marks.bits();
    }

    /// Time of the first sample, in milliseconds.
    pub fn start_ms(&self) -> i64 {
        self.samples.time_ms[0]
    }

    /// Time of the last sample, in milliseconds.
    pub fn end_ms(&self) -> i64 {
        self.samples.time_ms[self.len() - 1]
    }

    /// The samples with `start_ms <= time <= end_ms`; `None` if there are none.
    pub fn between(self, start_ms: i64, end_ms: i64) -> Option<MemorySeries> {
        let MemorySeries { info, mut samples } = self;
        let first = samples.time_ms.partition_point(|time| *time < start_ms);
        let last = samples.time_ms.partition_point(|time| *time <= end_ms);
        if last <= first {
            return None;
        }
        if last - first < samples.len() {
            samples = samples.part(first..last);
        }
        Some(MemorySeries { info, samples })
    }

    /// The samples from `first` on; `None` when there are none.
    pub fn from(&self, first: usize) -> Option<MemorySeries> {
        let samples = (first < self.len()).then(|| self.samples.part(first..self.len()))?;
        Some(MemorySeries { info: self.info.clone(), samples })
    }

    /// The usual time between two samples, in seconds: their median, or the longer of the two middle ones;
    /// `None` for a single sample.
    pub fn step_seconds(&self) -> Option<f64> {
        let steps = || self.samples.time_ms.windows(2).map(|pair| (pair[1] - pair[0]) as f64);
        robust::upper_median_of(steps).map(|step_ms| step_ms / 1000.0)
    }
}

/// Samples in order of time; of several at one time the one that was read last counts, with the marks of all.
///
/// Column by column, so that no more than one is held twice. Takes O(n log n) time.
fn in_time_order(samples: Samples) -> Samples {
    let n = u32::try_from(samples.len()).expect("so many readings do not fit into memory");
    let mut order: Vec<u32> = (0..n).collect();
    order.sort_by_key(|&index| samples.time_ms[index as usize]);
    let Samples { time_ms, used_bytes, resolution_bytes, marks } = samples;
    let mut samples = Samples {
        time_ms: picked(time_ms, &order),
        used_bytes: picked(used_bytes, &order),
        resolution_bytes: resolution_bytes.picked(&order),
        marks: picked(marks, &order),
    };
    let mut last = 0;
    for index in 1..samples.len() {
        let is_again = samples.time_ms[index] == samples.time_ms[last];
        let marks = if is_again { samples.marks[last] | samples.marks[index] } else { samples.marks[index] };
        last += usize::from(!is_again);
        samples.time_ms[last] = samples.time_ms[index];
        samples.used_bytes[last] = samples.used_bytes[index];
        samples.resolution_bytes.copy_within(index, last);
        samples.marks[last] = marks;
    }
    samples.truncate(last + 1);
    samples
}

#[expect(clippy::needless_pass_by_value, reason = "its memory is given back before the next column is picked")]
fn picked<T: Copy>(column: Vec<T>, order: &[u32]) -> Vec<T> {
    order.iter().map(|index| column[*index as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(id: &str) -> SeriesInfo {
        SeriesInfo {
            id: id.to_owned(),
            labels: [("container".to_owned(), id.to_owned())].into_iter().collect(),
            limit: None,
            metric: Metric::DockerUsage,
            container_given: true,
            sampling: Sampling::Raw,
        }
    }

    #[test]
    fn a_series_that_is_read_in_parts_leaves_little_room_empty() {
        let part = MemorySeries::from_slices(&[1, 2, 3], &[1.0, 2.0, 3.0]).unwrap().into_samples();
        let [mut lent, mut given] = [Samples::default(), Samples::default()];
        for _ in 0..1000 {
            lent.extend(&part);
            given.append(part.clone());
        }
        for Samples { time_ms, used_bytes, resolution_bytes, marks } in [lent, given] {
            let lengths = [time_ms.len(), used_bytes.len(), resolution_bytes.len(), marks.len()];
            assert_eq!(lengths, [3000; 4]);
            let most = time_ms.capacity().max(used_bytes.capacity()).max(marks.capacity());
            assert!(most <= 3000 + 3000 / 8, "{most}");
        }
    }

    #[test]
    fn samples_are_put_in_time_order_and_the_last_reading_of_a_time_counts() {
        let mut samples = Samples::default();
        for (time_ms, bytes, marks) in [
            (30, 3.0, Marks::default()),
            (10, 1.0, Marks::default()),
            (20, 2.0, Marks::RECREATED),
            (20, 2.5, Marks::COUNTER_RESET),
        ] {
            samples.push(time_ms, bytes, 1.0, marks);
        }
        let series = MemorySeries::new(info("web"), samples).unwrap();
        assert_eq!(series.time_ms(), [10, 20, 30]);
        assert_eq!(series.used_bytes(), [1.0, 2.5, 3.0]);
        assert!(series.marks(1).contains(Marks::RECREATED.with(Marks::COUNTER_RESET)));
    }

    #[test]
    fn what_is_no_series_is_refused_in_words() {
        let refused = |times: &[i64], values: &[f64]| MemorySeries::from_slices(times, values).unwrap_err().to_string();
        assert_eq!(refused(&[1, 2], &[1.0]), "there are 2 times and 1 values (expected the same number of each)");
        assert_eq!(refused(&[1, 2], &[1.0, -5.0]), "value 1 is -5 (expected bytes: a finite number, 0 or more)");
        assert_eq!(refused(&[1], &[f64::NAN]), "value 0 is NaN (expected bytes: a finite number, 0 or more)");
        assert_eq!(refused(&[], &[]), "there is no sample (expected at least one)");
    }

    #[test]
    fn restarts_are_before_the_first_sample_that_is_not_earlier() {
        let series = MemorySeries::from_slices(&[30, 10, 20], &[3.0, 1.0, 2.0]).unwrap().with_restarts(&[11, 40]);
        let restarted: Vec<bool> = (0..3).map(|index| series.marks(index).contains(Marks::RESTARTED)).collect();
        assert_eq!(restarted, [false, true, false]);
    }

    #[test]
    fn no_samples_are_no_series() {
        assert_eq!(MemorySeries::new(info("web"), Samples::default()), None);
    }
}
