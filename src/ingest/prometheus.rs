//! Reads a Prometheus matrix: the answer of `query_range`, of an instant query of a range, or the bare array.
//!
//! Streams: one point at a time, whatever the size. What stands before a cut is kept.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::source::Opened;
use super::{Input, Options, Parsed, SamplesOption, SeriesSamples, cleaned};
use crate::series::{Marks, Metric, Samples, Sampling, SeriesInfo};

/// Times beyond this are not of a measurement, in milliseconds either way: the year 10000.
const LARGEST_TIME_MS: f64 = 2.534e14;
/// Larger values are not bytes: up to here every whole number is exact as an `f64`.
const LARGEST_BYTES: f64 = 9_007_199_254_740_992.0;

/// Labels that tell series apart, in the order in which they are added to an id.
const TELLING_LABELS: [&str; 6] = ["pod", "namespace", "instance", "node", "job", "id"];

type Labels = BTreeMap<String, String>;

/// Reads the files of one sequence.
#[derive(Debug)]
pub(super) struct Reader {
    samples_option: SamplesOption,
    series: Vec<Exported>,
    by_labels: HashMap<Labels, usize>,
}

/// One series of the export.
#[derive(Debug)]
struct Exported {
    labels: Labels,
    samples: Samples,
    inputs: Vec<usize>,
    pending: Marks,
}

/// What one file says beside its series.
#[derive(Debug, Default)]
struct Answer {
    result_type: Option<String>,
    error_type: Option<String>,
    error: Option<String>,
    is_error: bool,
    is_partial: bool,
    warnings: Vec<String>,
    n_matrix_series: u64,
    n_instant: u64,
    n_histograms: u64,
    has_result: bool,
}

impl Reader {
    pub(super) fn new(options: &Options) -> Reader {
        Reader { samples_option: options.samples, series: Vec::new(), by_labels: HashMap::new() }
    }

    /// Reads one file, the next of the sequence.
    pub(super) fn read(&mut self, opened: Opened, input: &mut Input, index: usize) {
        let progress = Progress::default();
        let reader = Counting {
            reader: BufReader::with_capacity(128 << 10, opened.lines.into_reader()),
            progress: progress.clone(),
        };
        let mut json = serde_json::Deserializer::from_reader(reader);
        let mut file = File {
            reader: self,
            input,
            index,
            answer: Answer::default(),
            progress: progress.clone(),
            point: Point::default(),
        };
        let mut failure = None;
        loop {
            if let Err(error) = (Top { file: &mut file }).deserialize(&mut json) {
                failure = Some(error);
                break;
            }
            // Several answers may follow one another.
            if json.end().is_ok() {
                break;
            }
        }
        let answer = file.answer;
        if let Some(error) = failure {
            if answer.n_matrix_series == 0 {
                input.unusable = Some(format!("it is not JSON that can be read: {error}"));
                return;
            }
            input.incomplete = true;
            input.warnings.push(if error.is_eof() {
                format!(
                    "the JSON ends in the middle, after {} bytes: the series before that are used",
                    progress.bytes.get()
                )
            } else {
                format!(
                    "the JSON cannot be read beyond byte {}: {error}; the series before that are used",
                    progress.bytes.get()
                )
            });
        }
        answer.judge(input);
    }

    /// Names the series, and gives everything that was read.
    pub(super) fn finish(self, inputs: &mut [(usize, Input)]) -> Parsed {
        let sampling = match self.samples_option {
            SamplesOption::Step => Sampling::Step { inferred: false },
            SamplesOption::Auto if is_one_grid(&self.series) => Sampling::Step { inferred: true },
            SamplesOption::Auto | SamplesOption::Raw => Sampling::Raw,
        };
        let ids = ids(&self.series.iter().map(|series| &series.labels).collect::<Vec<_>>());
        let series: Vec<SeriesSamples> = self
            .series
            .into_iter()
            .zip(ids)
            .map(|(exported, id)| {
                let mut labels = exported.labels;
                let metric = metric_of(&labels);
                let container_given = labels.get("container").is_some_and(|container| !container.is_empty());
                if !container_given {
                    let container =
                        ["name", "pod"].iter().find_map(|key| labels.get(*key).filter(|label| !label.is_empty()));
                    let container = container.unwrap_or(&id).clone();
                    labels.insert("container".to_owned(), container);
                }
                let info = SeriesInfo { id, labels, container_given, limit: None, metric, sampling };
                SeriesSamples { info, samples: exported.samples, inputs: exported.inputs }
            })
            .collect();
        for (index, input) in inputs.iter_mut() {
            input.series =
                series.iter().filter(|series| !series.samples.is_empty() && series.inputs.contains(index)).count()
                    as u64;
        }
        Parsed { series, ends: Vec::new(), relative: false }
    }
}

impl Answer {
    /// Says what the answer means for the input.
    fn judge(self, input: &mut Input) {
        if self.is_error {
            let error = self.error.as_deref().unwrap_or("no message");
            let error_type = self.error_type.as_deref().unwrap_or("of no type");
            input.unusable = Some(format!(
                "Prometheus answered with an error: {}: {} (expected a matrix)",
                cleaned(error_type, 40),
                cleaned(error, 200)
            ));
            return;
        }
        match self.result_type.as_deref() {
            Some(other @ ("vector" | "scalar" | "string")) => {
                input.unusable = Some(format!(
                    "its resultType is `{other}`, one point of time (expected `matrix`: ask for `metric[24h]`, or use query_range)"
                ));
                return;
            }
            Some("matrix") | None => {}
            Some(other) => {
                input.unusable = Some(format!("its resultType is `{}` (expected `matrix`)", cleaned(other, 40)));
                return;
            }
        }
        if self.n_matrix_series == 0 && self.n_instant > 0 {
            input.unusable = Some(
                "it holds single values (expected `matrix`: ask for `metric[24h]`, or use query_range)".to_owned(),
            );
        } else if self.n_matrix_series == 0 && self.n_histograms > 0 {
            input.unusable = Some("it holds only native histograms (expected `values`: amounts of memory)".to_owned());
            return;
        } else if self.n_matrix_series == 0 && self.has_result {
            input.unusable = Some("the matrix is empty: the query found no series".to_owned());
        } else if !self.has_result {
            input.unusable = Some(
                "it is JSON without a `result` (expected a Prometheus answer with `data.result`, or its bare array)"
                    .to_owned(),
            );
        }
        if self.n_histograms > 0 {
            input.warnings.push(format!(
                "{} series hold native histograms, which are not amounts of memory: skipped",
                self.n_histograms
            ));
        }
        if self.is_partial {
            input.incomplete = true;
            input.warnings.push("the answer says that it is partial (`isPartial`)".to_owned());
        }
        if !self.warnings.is_empty() {
            input.incomplete = true;
        }
        for warning in self.warnings {
            input.warnings.push(format!("the server warns: {}", cleaned(&warning, 300)));
        }
    }
}

/// How far a file was read.
#[derive(Debug, Clone, Default)]
struct Progress {
    bytes: Rc<Cell<u64>>,
    lines: Rc<Cell<u64>>,
}

/// Counts what is read through it.
struct Counting<R> {
    reader: R,
    progress: Progress,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.progress.bytes.set(self.progress.bytes.get() + n as u64);
        // serde_json asks for one byte at a time, so that this is the line of what it looks at.
        let n_lines = memchr::memchr_iter(b'\n', &buffer[..n]).count();
        self.progress.lines.set(self.progress.lines.get() + n_lines as u64);
        Ok(n)
    }
}

/// What is known while a file is read.
struct File<'a> {
    reader: &'a mut Reader,
    input: &'a mut Input,
    index: usize,
    answer: Answer,
    progress: Progress,
    point: Point,
}

/// The point that was read last.
#[derive(Debug, Default)]
struct Point {
    seconds: f64,
    value: f64,
    is_number: bool,
}

impl File<'_> {
    /// The series of these labels, made when there is none.
    fn series(&mut self, labels: Labels) -> usize {
        let next = self.reader.series.len();
        let series = if let Some(series) = self.reader.by_labels.get(&labels) {
            *series
        } else {
            self.reader.series.push(Exported {
                labels: labels.clone(),
                samples: Samples::default(),
                inputs: Vec::new(),
                pending: Marks::default(),
            });
            self.reader.by_labels.insert(labels, next);
            next
        };
        self.answer.n_matrix_series += 1;
        let inputs = &mut self.reader.series[series].inputs;
        if inputs.last() != Some(&self.index) {
            inputs.push(self.index);
        }
        series
    }

    /// Takes the point that was read last.
    fn take_point(&mut self, series: usize) {
        let Point { seconds, value, is_number } = self.point;
        let series = &mut self.reader.series[series];
        let time_ms = (seconds * 1000.0).round();
        let time_is_sound = is_number && time_ms.abs() <= LARGEST_TIME_MS;
        if time_is_sound && !value.is_finite() {
            series.pending = Marks::GAP_BEFORE;
            self.input.gaps += 1;
        } else if time_is_sound && 0.0 <= value && value <= LARGEST_BYTES {
            series.samples.push(time_ms as i64, value, 1.0, std::mem::take(&mut series.pending));
            self.input.samples += 1;
        } else {
            let why = || match (is_number, time_is_sound) {
                (false, _) => "this is not a point (expected `[seconds, \"bytes\"]`)".to_owned(),
                (true, false) => format!("`{seconds:?}` is not a time (expected seconds since 1970)"),
                (true, true) => format!("`{value}` is not an amount of memory (expected 0 to 2^53 bytes)"),
            };
            let text = if is_number {
                format!("{:?}: [{seconds:?},\"{value:?}\"]", series.labels)
            } else {
                format!("{:?}", series.labels)
            };
            self.input.reject_at(self.progress.lines.get() + 1, &text, why);
        }
    }
}

/// The answer, its `data`, or the bare array.
struct Top<'a, 'b> {
    file: &'a mut File<'b>,
}

impl<'de> DeserializeSeed<'de> for Top<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Prometheus answer or a matrix")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let file = self.file;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "status" => file.answer.is_error |= map.next_value::<Loose>()?.0.as_deref() == Some("error"),
                "errorType" => file.answer.error_type = map.next_value::<Loose>()?.0,
                "error" => file.answer.error = map.next_value::<Loose>()?.0,
                "resultType" => file.answer.result_type = map.next_value::<Loose>()?.0,
                "isPartial" => file.answer.is_partial |= map.next_value::<Loose>()?.0.as_deref() == Some("true"),
                "warnings" => file.answer.warnings.extend(map.next_value::<LooseList>()?.0),
                "data" => map.next_value_seed(Top { file: &mut *file })?,
                "result" => {
                    file.answer.has_result = true;
                    match file.answer.result_type.as_deref() {
                        None | Some("matrix") => map.next_value_seed(Top { file: &mut *file })?,
                        Some(_) => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.file.answer.has_result = true;
        while items.next_element_seed(Item { file: &mut *self.file })?.is_some() {}
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
}

/// One series of a matrix.
struct Item<'a, 'b> {
    file: &'a mut File<'b>,
}

impl<'de> DeserializeSeed<'de> for Item<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Item<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a series with `metric` and `values`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let file = self.file;
        let mut series = None;
        // Points before their labels belong to a series without any, until the labels are read.
        let mut early: Option<usize> = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "metric" => {
                    let labels: BTreeMap<String, Loose> = map.next_value()?;
                    let labels: Labels = labels.into_iter().filter_map(|(key, label)| Some((key, label.0?))).collect();
                    match early.take() {
                        None => series = Some(labels),
                        Some(early) => file.reader.name_early(early, labels),
                    }
                }
                "values" => {
                    let labels = series.take();
                    let is_early = labels.is_none();
                    let index = if is_early { file.early_series() } else { file.series(labels.unwrap_or_default()) };
                    early = is_early.then_some(index);
                    map.next_value_seed(Points { file: &mut *file, series: index })?;
                }
                "value" => {
                    file.answer.n_instant += 1;
                    map.next_value::<IgnoredAny>()?;
                }
                "histograms" => {
                    file.answer.n_histograms += 1;
                    map.next_value::<IgnoredAny>()?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.file.answer.n_instant += 1;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        self.file.answer.n_instant += 1;
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        self.file.answer.n_instant += 1;
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.file.answer.n_instant += 1;
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.file.answer.n_instant += 1;
        Ok(())
    }
}

impl File<'_> {
    /// A series whose labels are not known yet.
    fn early_series(&mut self) -> usize {
        self.answer.n_matrix_series += 1;
        self.reader.series.push(Exported {
            labels: Labels::new(),
            samples: Samples::default(),
            inputs: vec![self.index],
            pending: Marks::default(),
        });
        self.reader.series.len() - 1
    }
}

impl Reader {
    /// Gives labels to the series at the end of the list, or adds its samples to the series that has them.
    fn name_early(&mut self, early: usize, labels: Labels) {
        if let Some(&series) = self.by_labels.get(&labels) {
            let Some(moved) = self.series.pop() else { return };
            let series = &mut self.series[series];
            series.samples.time_ms.extend(moved.samples.time_ms);
            series.samples.used_bytes.extend(moved.samples.used_bytes);
            series.samples.quantum_bytes.extend(moved.samples.quantum_bytes);
            series.samples.marks.extend(moved.samples.marks);
            for input in moved.inputs {
                if !series.inputs.contains(&input) {
                    series.inputs.push(input);
                }
            }
        } else {
            self.series[early].labels.clone_from(&labels);
            self.by_labels.insert(labels, early);
        }
    }
}

/// The points of a series.
struct Points<'a, 'b> {
    file: &'a mut File<'b>,
    series: usize,
}

impl<'de> DeserializeSeed<'de> for Points<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Points<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of points `[seconds, \"bytes\"]`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut points: A) -> Result<(), A::Error> {
        while points.next_element_seed(&mut self.file.point)?.is_some() {
            self.file.take_point(self.series);
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Point {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Point {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a point `[seconds, \"bytes\"]`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        *self = Point { seconds: f64::NAN, value: f64::NAN, is_number: true };
        let time = items.next_element::<Number>()?;
        let value = items.next_element::<Number>()?;
        match (time, value) {
            (Some(Number(Some(seconds))), Some(Number(Some(value)))) => {
                self.seconds = seconds;
                self.value = value;
            }
            _ => self.is_number = false,
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// A number, as such or as text; `None` for any other text.
struct Number(Option<f64>);

impl<'de> de::Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        struct AnyNumber;

        impl Visitor<'_> for AnyNumber {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a text that is one")
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(Some(number)))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(Some(number as f64)))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(Some(number as f64)))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Number, E> {
                Ok(Number(Some(f64::NAN)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                Ok(Number(text.parse().ok()))
            }
        }

        deserializer.deserialize_any(AnyNumber)
    }
}

/// A text; `None` for what is none, which is skipped; numbers and truth values as text.
struct Loose(Option<String>);

impl<'de> de::Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Loose, D::Error> {
        struct AnyText;

        impl<'de> Visitor<'de> for AnyText {
            type Value = Loose;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Loose, E> {
                Ok(Loose(Some(text.to_owned())))
            }

            fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Loose, E> {
                Ok(Loose(Some(truth.to_string())))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Loose, E> {
                Ok(Loose(Some(number.to_string())))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Loose, E> {
                Ok(Loose(Some(number.to_string())))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Loose, E> {
                Ok(Loose(Some(number.to_string())))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Loose, E> {
                Ok(Loose(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Loose, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Loose(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Loose(None))
            }
        }

        deserializer.deserialize_any(AnyText)
    }
}

/// An array of texts; anything else is empty.
struct LooseList(Vec<String>);

impl<'de> de::Deserialize<'de> for LooseList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LooseList, D::Error> {
        struct AnyList;

        impl<'de> Visitor<'de> for AnyList {
            type Value = LooseList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of texts")
            }

            fn visit_unit<E: de::Error>(self) -> Result<LooseList, E> {
                Ok(LooseList(Vec::new()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<LooseList, E> {
                Ok(LooseList(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<LooseList, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element::<Loose>()? {
                    texts.extend(text.0);
                }
                Ok(LooseList(texts))
            }
        }

        deserializer.deserialize_any(AnyList)
    }
}

fn metric_of(labels: &Labels) -> Metric {
    match labels.get("__name__").map(String::as_str) {
        Some("container_memory_usage_bytes") => Metric::UsageBytes,
        Some("container_memory_working_set_bytes") => Metric::WorkingSet,
        Some("container_memory_rss") => Metric::Rss,
        _ => Metric::Other,
    }
}

/// Whether all points lie on one grid of whole seconds, the distance of neighbours: what a range query gives.
fn is_one_grid(series: &[Exported]) -> bool {
    let Some(origin_ms) = series.iter().find_map(|series| series.samples.time_ms.first().copied()) else {
        return false;
    };
    let mut step_ms = i64::MAX;
    let mut common_ms = 0;
    let mut n_points = 0;
    for series in series {
        let times_ms = &series.samples.time_ms;
        n_points += times_ms.len();
        for pair in times_ms.windows(2) {
            if pair[0] != pair[1] {
                step_ms = step_ms.min((pair[1] - pair[0]).abs());
            }
        }
        for time_ms in times_ms {
            common_ms = greatest_common_divisor((time_ms - origin_ms).abs(), common_ms);
        }
    }
    3 <= n_points && step_ms != i64::MAX && common_ms == step_ms && step_ms % 1000 == 0
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A readable name for each of the label sets, unique among them.
fn ids(series: &[&Labels]) -> Vec<String> {
    let metric = |labels: &Labels| labels.get("__name__").cloned().unwrap_or_default();
    let several_metrics = series.windows(2).any(|pair| metric(pair[0]) != metric(pair[1]));
    let mut ids: Vec<String> = series
        .iter()
        .map(|labels| {
            let name =
                ["container", "name", "pod"].iter().find_map(|key| labels.get(*key).filter(|label| !label.is_empty()));
            match name {
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

fn all_labels(labels: &Labels) -> String {
    let metric = labels.get("__name__").map_or("", String::as_str);
    let others: Vec<String> =
        labels.iter().filter(|(key, _)| *key != "__name__").map(|(key, label)| format!("{key}=\"{label}\"")).collect();
    format!("{metric}{{{}}}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::test_support::{MTIME_MS, account, describe, read_all};
    use super::*;

    fn read(text: &str) -> String {
        let (inputs, series) = read_all(Format::Prometheus, &[(text, MTIME_MS)]);
        let sampling = series.first().map(|series| series.info.sampling);
        format!(
            "{}{}{}",
            describe(&series),
            sampling.map_or(String::new(), |sampling| format!("{sampling:?}\n")),
            account(&inputs[0])
        )
    }

    fn answer(result: &str) -> String {
        format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":{result}}}}}")
    }

    const WEB: &str = r#"{"metric":{"__name__":"container_memory_rss","container":"web"},"values":[[1795464400,"1048576"],[1795464410,"2097152"],[1795464420,"3145728"]]}"#;

    #[test]
    fn a_matrix_is_read_in_each_of_its_wrappings() {
        insta::assert_snapshot!(read(&answer(&format!("[{WEB}]"))), @r"
        web: -20=1MiB -10=2MiB 0=3MiB
        Step { inferred: true }
        3 samples, 0 gaps, 0 other, 0 rejected
        ");
        assert_eq!(read(&format!("[{WEB}]")), read(&answer(&format!("[{WEB}]"))));
        assert_eq!(
            read(&format!("{{ \"resultType\" : \"matrix\",\n \"result\" :\n [ {WEB} ] }}\n")),
            read(&answer(&format!("[{WEB}]")))
        );
        let reversed = r#"[{"values":[[1795464400,"1048576"],[1795464410,"2097152"],[1795464420,"3145728"]],"metric":{"__name__":"container_memory_rss","container":"web"}}]"#;
        assert_eq!(read(reversed), read(&answer(&format!("[{WEB}]"))));
    }

    #[test]
    fn values_that_are_none_are_gaps_and_impossible_ones_are_refused() {
        let series = r#"[{"metric":{"pod":"p"},"values":[[1795464400.791,"1048576"],[1795464401,"NaN"],[1795464402,"+Inf"],[1795464403.5,"5"],[1795464404,"-5"],[1795464405,"x"],[1e300,"5"],[1795464406],[1795464407,null]]}]"#;
        insta::assert_snapshot!(read(&answer(series)), @r#"
        p: -19.209=1MiB -16.5=5B(gap)
        Raw
        2 samples, 3 gaps, 0 other, 4 rejected
        line 1: `{"pod": "p"}: [1795464404.0,"-5.0"]`: `-5` is not an amount of memory (expected 0 to 2^53 bytes)
        line 1: `{"pod": "p"}`: this is not a point (expected `[seconds, "bytes"]`)
        line 1: `{"pod": "p"}: [1e300,"5.0"]`: `1e300` is not a time (expected seconds since 1970)
        line 1: `{"pod": "p"}`: this is not a point (expected `[seconds, "bytes"]`)
        "#);
    }

    #[test]
    fn what_is_no_matrix_says_what_to_ask_for() {
        insta::assert_snapshot!(read(r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]}]}}"#), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: its resultType is `vector`, one point of time (expected `matrix`: ask for `metric[24h]`, or use query_range)
        ");
        insta::assert_snapshot!(read(r#"[{"metric":{},"value":[1,"2"]}]"#), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: it holds single values (expected `matrix`: ask for `metric[24h]`, or use query_range)
        ");
        insta::assert_snapshot!(read(r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}"#), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: its resultType is `scalar`, one point of time (expected `matrix`: ask for `metric[24h]`, or use query_range)
        ");
        insta::assert_snapshot!(read(r#"{"status":"error","errorType":"bad_data","error":"parse error: unexpected end"}"#), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: Prometheus answered with an error: bad_data: parse error: unexpected end (expected a matrix)
        ");
        insta::assert_snapshot!(read(&answer("[]")), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: the matrix is empty: the query found no series
        ");
        insta::assert_snapshot!(read(r#"{"status":"success"}"#), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: it is JSON without a `result` (expected a Prometheus answer with `data.result`, or its bare array)
        ");
        insta::assert_snapshot!(read("{\"status\": oops"), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: it is not JSON that can be read: expected value at line 1 column 12
        ");
        insta::assert_snapshot!(read(&answer(r#"[{"metric":{"pod":"p"},"histograms":[[1,{"count":"1"}]]}]"#)), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: it holds only native histograms (expected `values`: amounts of memory)
        ");
    }

    #[test]
    fn partial_answers_are_incomplete() {
        let with = |more: &str| {
            format!(
                "{{\"status\":\"success\",{more},\"infos\":[\"x\"],\"data\":{{\"resultType\":\"matrix\",\"result\":[{WEB}],\"stats\":{{\"a\":[1]}}}}}}"
            )
        };
        insta::assert_snapshot!(read(&with("\"warnings\":[\"store down\"]")), @r"
        web: -20=1MiB -10=2MiB 0=3MiB
        Step { inferred: true }
        3 samples, 0 gaps, 0 other, 0 rejected, incomplete
        warning: the server warns: store down
        ");
        insta::assert_snapshot!(read(&with("\"isPartial\":true")), @r"
        web: -20=1MiB -10=2MiB 0=3MiB
        Step { inferred: true }
        3 samples, 0 gaps, 0 other, 0 rejected, incomplete
        warning: the answer says that it is partial (`isPartial`)
        ");
        let whole = answer(&format!("[{WEB},{}]", WEB.replace("web", "db")));
        insta::assert_snapshot!(read(&whole[..whole.len() - 50]), @r"
        web: -20=1MiB -10=2MiB 0=3MiB
        db: -20=1MiB
        Step { inferred: true }
        4 samples, 0 gaps, 0 other, 0 rejected, incomplete
        warning: the JSON ends in the middle, after 301 bytes: the series before that are used
        ");
    }

    #[track_caller]
    fn check_ids(series: &[&[(&str, &str)]], expected: &[&str]) {
        let labels: Vec<Labels> = series
            .iter()
            .map(|labels| labels.iter().map(|(key, label)| ((*key).to_owned(), (*label).to_owned())).collect())
            .collect();
        assert_eq!(ids(&labels.iter().collect::<Vec<_>>()), expected);
    }

    #[test]
    fn ids_are_short_where_that_is_unique() {
        check_ids(&[&[("container", "web"), ("name", "x-web"), ("pod", "a")]], &["web"]);
        check_ids(&[&[("name", "x-web")], &[("container", ""), ("pod", "p")]], &["x-web", "p"]);
        check_ids(
            &[&[("container", "web"), ("pod", "a"), ("job", "j")], &[("container", "web"), ("pod", "b"), ("job", "j")]],
            &["web{pod=\"a\"}", "web{pod=\"b\"}"],
        );
        check_ids(
            &[&[("__name__", "rss"), ("container", "web")], &[("__name__", "usage"), ("container", "web")]],
            &["web rss", "web usage"],
        );
        check_ids(
            &[&[("__name__", "up"), ("job", "a")], &[("__name__", "up"), ("job", "b")]],
            &["up{job=\"a\"}", "up{job=\"b\"}"],
        );
    }

    #[test]
    fn only_an_exact_grid_of_whole_seconds_is_a_range_query() {
        let exported = |times: &[&[i64]]| -> Vec<Exported> {
            times
                .iter()
                .map(|times| {
                    let mut samples = Samples::default();
                    for time_ms in *times {
                        samples.push(*time_ms, 1.0, 1.0, Marks::default());
                    }
                    Exported { labels: Labels::new(), samples, inputs: vec![0], pending: Marks::default() }
                })
                .collect()
        };
        assert!(is_one_grid(&exported(&[&[0, 15_000, 30_000, 75_000]])));
        assert!(is_one_grid(&exported(&[&[0, 15_000], &[45_000]])));
        assert!(!is_one_grid(&exported(&[&[0, 15_000, 30_004]])));
        assert!(!is_one_grid(&exported(&[&[0, 15_000], &[20_000, 35_000]])));
        assert!(!is_one_grid(&exported(&[&[0, 15_000]])));
        assert!(!is_one_grid(&exported(&[&[0, 500, 1000]])));
        assert!(!is_one_grid(&exported(&[])));
    }
}
