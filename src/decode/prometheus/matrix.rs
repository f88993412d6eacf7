//! Walks through the JSON of a matrix, one point at a time.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};

use super::answer::{About, Answer};
use super::identity::all_labels;
use super::lenient::{Lenient, LenientList, Number};
use super::runs::{Pending, Run};
use super::{Exported, Labels, Reader};
use crate::account::{ExportRejection, Input};
use crate::seed::seed;
use crate::series::{Marks, Samples};

/// How far a file was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    pub(super) bytes: Rc<Cell<u64>>,
    pub(super) lines: Rc<Cell<u64>>,
    /// Texts and numbers that were too long to be kept whole.
    pub(super) n_cut: Rc<Cell<u64>>,
}

/// What is known while a file is read.
pub(super) struct File<'a> {
    pub(super) reader: &'a mut Reader,
    pub(super) input: &'a mut Input,
    pub(super) index: usize,
    pub(super) answer: Answer,
    pub(super) progress: Progress,
    pub(super) point: Point,
    pub(super) pending: Pending,
}

/// The point that was read last.
#[derive(Debug, Default)]
pub(super) struct Point {
    seconds: f64,
    value: f64,
    is_number: bool,
}

impl File<'_> {
    /// Reads answers that follow one another, to the end of the text.
    pub(super) fn read_answers(&mut self, text: impl Read) -> Result<(), serde_json::Error> {
        let mut json = serde_json::Deserializer::from_reader(text);
        loop {
            (Top { file: &mut *self }).deserialize(&mut json)?;
            if json.end().is_ok() {
                return Ok(());
            }
        }
    }

    /// The series of these labels, made when there is none.
    fn series(&mut self, labels: Labels) -> usize {
        self.answer.n_matrix_series += 1;
        self.reader.series_of(labels, self.index)
    }

    /// Takes the point that was read last.
    fn take_point(&mut self, series: usize) {
        let Point { seconds, value, is_number } = self.point;
        let series = &mut self.reader.series[series];
        let taken =
            if is_number { series.take(seconds, value, self.input) } else { Err(ExportRejection::NotAPoint.into()) };
        if let Err(why) = taken {
            let text = if is_number {
                format!("{}: [{seconds:?},\"{value:?}\"]", all_labels(&series.labels))
            } else {
                all_labels(&series.labels)
            };
            self.input.reject_at(self.progress.lines.get() + 1, &text, || why);
        }
    }

    /// Takes points that stood one after the other.
    fn take_run(&mut self, series: usize, run: Run) {
        self.input.samples += run.len() as u64;
        self.reader.series[series].take_run(run);
    }

    /// Takes a line of the export of `VictoriaMetrics`: its labels, its values and their times in milliseconds.
    fn take_line(&mut self, labels: Labels, values: &[Number], times: &[Number]) {
        let series = self.series(labels);
        for (index, Number(time)) in times.iter().enumerate() {
            // `null` is what it writes for NaN.
            let value = values.get(index).and_then(|value| value.0).unwrap_or(f64::NAN);
            self.point = Point { seconds: time.unwrap_or(f64::NAN) / 1000.0, value, is_number: true };
            self.take_point(series);
        }
        if values.len() != times.len() {
            let why = || ExportRejection::Unpaired { values: values.len(), times: times.len() };
            self.input.reject_at(self.progress.lines.get() + 1, &all_labels(&self.reader.series[series].labels), why);
        }
    }
}

/// The answer, its `data`, or the bare array.
pub(super) struct Top<'a, 'b> {
    pub(super) file: &'a mut File<'b>,
}

seed!(Top<'_, '_>, (), deserialize_any);

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Prometheus response or a matrix")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let file = self.file;
        let mut line: (Option<Labels>, Vec<Number>, Option<Vec<Number>>) = (None, Vec::new(), None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "metric" => {
                    let labels: BTreeMap<String, Lenient> = map.next_value()?;
                    line.0 = Some(labels.into_iter().filter_map(|(key, label)| Some((key, label.0?))).collect());
                }
                "values" => line.1 = map.next_value()?,
                "timestamps" => line.2 = Some(map.next_value()?),
                "status" => file.answer.is_error |= map.next_value::<Lenient>()?.0.as_deref() == Some("error"),
                "errorType" => file.answer.error_type = map.next_value::<Lenient>()?.0,
                "error" => file.answer.error = map.next_value::<Lenient>()?.0,
                "resultType" => file.answer.result_type = map.next_value::<Lenient>()?.0,
                "leaktrend" => {
                    // A key of that name with something else in it is left alone, as every other key.
                    let about: serde_json::Value = map.next_value()?;
                    file.answer.about = About::deserialize(about).ok().or(file.answer.about.take());
                }
                "isPartial" => file.answer.is_partial |= map.next_value::<Lenient>()?.0.as_deref() == Some("true"),
                "warnings" => file.answer.warnings.extend(map.next_value::<LenientList>()?.0),
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
        if let (Some(labels), values, Some(times)) = line {
            file.answer.has_result = true;
            file.take_line(labels, &values, &times);
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

seed!(Item<'_, '_>, (), deserialize_any);

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
                    let labels: BTreeMap<String, Lenient> = map.next_value()?;
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
            n_negative: 0,
        });
        self.reader.series.len() - 1
    }
}

impl super::Reader {
    /// Gives labels to the series at the end of the list, or adds its samples to the series that has them.
    fn name_early(&mut self, early: usize, labels: Labels) {
        if let Some(&series) = self.by_labels.get(&labels) {
            let Some(moved) = self.series.pop() else { return };
            let series = &mut self.series[series];
            series.samples.append(moved.samples);
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

seed!(Points<'_, '_>, (), deserialize_seq);

impl<'de> Visitor<'de> for Points<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of points `[seconds, \"bytes\"]`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut points: A) -> Result<(), A::Error> {
        let file = self.file;
        while let Some(element) =
            points.next_element_seed(Element { point: &mut file.point, pending: &file.pending })?
        {
            match element {
                Some(run) => file.take_run(self.series, run),
                None => file.take_point(self.series),
            }
        }
        Ok(())
    }
}

/// A point, or the number in the place of a run.
struct Element<'a> {
    point: &'a mut Point,
    pending: &'a Pending,
}

seed!(Element<'_>, Option<Run>, deserialize_any);

impl<'de> Visitor<'de> for Element<'_> {
    type Value = Option<Run>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a point `[seconds, \"bytes\"]`")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Option<Run>, E> {
        let run = self.pending.borrow_mut().take();
        run.map(Some).ok_or_else(|| E::invalid_type(Unexpected::Unsigned(number), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<Run>, A::Error> {
        *self.point = Point { seconds: f64::NAN, value: f64::NAN, is_number: true };
        let time = items.next_element::<Number>()?;
        let value = items.next_element::<Number>()?;
        match (time, value) {
            (Some(Number(Some(seconds))), Some(Number(Some(value)))) => {
                self.point.seconds = seconds;
                self.point.value = value;
            }
            _ => self.point.is_number = false,
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
