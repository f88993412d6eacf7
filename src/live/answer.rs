//! Reads the answer to a query for a matrix, a point at a time, and writes its points as one line of JSON a series.
//!
//! What is written is what `decode` reads: times to the millisecond, values as the server printed them. Memory is that
//! of one series' labels and a buffer, however large the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, BufReader, Read, Write};

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::beside::Owned;
use crate::account::cleaned;
use crate::seed::seed;

/// So much of a series is gathered before it is written, in bytes.
const BUFFER: usize = 64 << 10;

/// What is taken of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Points at this time and before belong to the answer before it, in milliseconds.
    pub(super) after_ms: i64,
    /// Points behind this were not asked for, in milliseconds.
    pub(super) until_ms: i64,
    /// The most points.
    pub(super) max_samples: u64,
}

/// What an answer held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) n_series: u64,
    pub(super) n_samples: u64,
    pub(super) n_histograms: u64,
    pub(super) warnings: BTreeSet<String>,
    pub(super) is_partial: bool,
    /// The pods that its series are of, and the `ReplicaSet`s and Jobs that own pods, by name.
    pub(super) owned: BTreeSet<(Owned, String)>,
}

impl Held {
    /// Both together.
    pub(super) fn add(&mut self, other: Held) {
        self.n_series += other.n_series;
        self.n_samples += other.n_samples;
        self.n_histograms += other.n_histograms;
        self.warnings.extend(other.warnings);
        self.is_partial |= other.is_partial;
        self.owned.extend(other.owned);
    }
}

/// Why an answer could not be taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// It ends in the middle, or could not be read to its end.
    BrokeOff,
    /// It holds more points than were allowed.
    TooMany,
    /// It is of another type, such as `vector`.
    OtherType(String),
    /// It is an error of the server all the same.
    Error(String),
    /// It is something else.
    NotUnderstood(String),
    /// What was read could not be kept.
    Kept(io::Error),
}

/// Takes a matrix to `sink`: items with commas between them, without the brackets.
pub(super) fn take(from: impl Read, bounds: Bounds, sink: &mut dyn Write) -> Result<Held, Refused> {
    let mut state = State {
        bounds,
        sink,
        held: Held::default(),
        line: Vec::new(),
        status: None,
        result_type: None,
        error: None,
        has_result: false,
        too_many: false,
        failure: None,
    };
    // Read byte by byte.
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER, from));
    let read = Top(&mut state).deserialize(&mut json).and_then(|()| json.end());
    if let Some(error) = state.failure {
        return Err(Refused::Kept(error));
    }
    if state.too_many {
        return Err(Refused::TooMany);
    }
    if let Some(other) = state.result_type.as_deref().filter(|kind| *kind != "matrix") {
        return Err(Refused::OtherType(cleaned(other, 40)));
    }
    match read {
        Err(error) if error.is_eof() || error.is_io() => Err(Refused::BrokeOff),
        Err(error) => Err(Refused::NotUnderstood(without_place(&error))),
        Ok(()) if state.status.as_deref() == Some("error") => {
            Err(Refused::Error(state.error.unwrap_or_else(|| "no message".to_owned())))
        }
        Ok(()) if !state.has_result => Err(Refused::NotUnderstood("it has no `data.result`".to_owned())),
        Ok(()) => Ok(state.held),
    }
}

fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

struct State<'a> {
    bounds: Bounds,
    sink: &'a mut dyn Write,
    held: Held,
    /// What is not written yet.
    line: Vec<u8>,
    status: Option<String>,
    result_type: Option<String>,
    error: Option<String>,
    has_result: bool,
    too_many: bool,
    failure: Option<io::Error>,
}

impl State<'_> {
    fn flush<E: de::Error>(&mut self) -> Result<(), E> {
        let written = self.sink.write_all(&self.line);
        self.line.clear();
        written.map_err(|error| {
            let text = E::custom(&error);
            self.failure = Some(error);
            text
        })
    }
}

/// The answer, or its `data`.
struct Top<'a, 'b>(&'a mut State<'b>);

seed!(Top<'_, '_>, (), deserialize_any);

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Prometheus response")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let state = self.0;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "status" => state.status = map.next_value()?,
                "error" => state.error = map.next_value()?,
                "resultType" => {
                    state.result_type = map.next_value()?;
                    if state.result_type.as_deref() != Some("matrix") {
                        return Err(de::Error::custom("it is not a matrix"));
                    }
                }
                "isPartial" => state.held.is_partial |= map.next_value::<Option<bool>>()?.unwrap_or(false),
                "warnings" => {
                    let warnings: Option<Vec<String>> = map.next_value()?;
                    state.held.warnings.extend(warnings.into_iter().flatten().map(|text| cleaned(&text, 300)));
                }
                "data" => map.next_value_seed(Top(&mut *state))?,
                "result" => map.next_value_seed(Series(&mut *state))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    /// The `data` of an error.
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// The series of a matrix.
struct Series<'a, 'b>(&'a mut State<'b>);

seed!(Series<'_, '_>, (), deserialize_any);

impl<'de> Visitor<'de> for Series<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of series")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.has_result = true;
        while items.next_element_seed(Item(&mut *self.0))?.is_some() {}
        Ok(())
    }

    /// What some write for no series.
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.0.has_result = true;
        Ok(())
    }
}

/// One series.
struct Item<'a, 'b>(&'a mut State<'b>);

seed!(Item<'_, '_>, (), deserialize_map);

impl<'de> Visitor<'de> for Item<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a series with `metric` and `values`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let state = self.0;
        let mut labels: Option<BTreeMap<String, String>> = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "metric" => labels = Some(map.next_value()?),
                "values" => {
                    let labels =
                        labels.as_ref().ok_or_else(|| de::Error::custom("its `values` come before its `metric`"))?;
                    map.next_value_seed(Points { state: &mut *state, labels })?;
                }
                "histograms" => {
                    state.held.n_histograms += 1;
                    map.next_value::<IgnoredAny>()?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// The points of one series.
struct Points<'a, 'b> {
    state: &'a mut State<'b>,
    labels: &'a BTreeMap<String, String>,
}

seed!(Points<'_, '_>, (), deserialize_seq);

impl<'de> Visitor<'de> for Points<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of points `[seconds, \"value\"]`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut points: A) -> Result<(), A::Error> {
        let Points { state, labels } = self;
        let mut n = 0;
        loop {
            let before = state.line.len();
            let Some(time_ms) = points.next_element_seed(Point(&mut state.line))? else { break };
            if !(state.bounds.after_ms < time_ms && time_ms <= state.bounds.until_ms) {
                state.line.truncate(before);
                continue;
            }
            if n == 0 {
                let point = state.line.split_off(before);
                if 0 < state.held.n_series {
                    state.line.extend(b",\n");
                }
                state.line.extend(b"{\"metric\":");
                serde_json::to_writer(&mut state.line, labels).map_err(de::Error::custom)?;
                state.line.extend(b",\"values\":[");
                state.line.extend(&point[1..]);
                state.held.n_series += 1;
                state.held.owned.extend(Owned::of(labels));
            }
            n += 1;
            state.held.n_samples += 1;
            if state.bounds.max_samples < state.held.n_samples {
                state.too_many = true;
                return Err(de::Error::custom("it holds too many samples"));
            }
            if BUFFER < state.line.len() {
                state.flush()?;
            }
        }
        if 0 < n {
            state.line.extend(b"]}");
        }
        state.flush()
    }
}

/// A point, written behind a comma; gives its time in milliseconds.
struct Point<'a>(&'a mut Vec<u8>);

seed!(Point<'_>, i64, deserialize_tuple, 2);

impl<'de> Visitor<'de> for Point<'_> {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a point `[seconds, \"value\"]`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<i64, A::Error> {
        let seconds: f64 = items.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let time_ms = (seconds * 1000.0).round();
        if time_ms.is_nan() || 1e15 <= time_ms.abs() {
            return Err(de::Error::custom(format!("`{seconds:?}` is not a time")));
        }
        let time_ms = time_ms as i64;
        let (whole, part) = (time_ms.div_euclid(1000), time_ms.rem_euclid(1000));
        let written = if part == 0 { write!(self.0, ",[{whole},\"") } else { write!(self.0, ",[{whole}.{part:03},\"") };
        written.map_err(de::Error::custom)?;
        items.next_element_seed(Value(&mut *self.0))?.ok_or_else(|| de::Error::invalid_length(1, &"a point"))?;
        self.0.extend(b"\"]");
        Ok(time_ms)
    }
}

/// A number in quotes, written as it is.
struct Value<'a>(&'a mut Vec<u8>);

seed!(Value<'_>, (), deserialize_str);

impl Visitor<'_> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number in quotes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        if text.as_bytes().iter().all(is_plain) {
            self.0.extend(text.as_bytes());
            Ok(())
        } else {
            Err(E::custom(format!("`{}` is not a number", cleaned(text, 40))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Bounds = Bounds { after_ms: i64::MIN, until_ms: i64::MAX, max_samples: u64::MAX };

    fn taken(text: &str, bounds: Bounds) -> String {
        let mut out = Vec::new();
        match take(text.as_bytes(), bounds, &mut out) {
            Ok(held) => format!("{}\n{held:?}", String::from_utf8(out).unwrap()),
            Err(why) => format!("{why:?}"),
        }
    }

    const TWO: &str = r#"{"status":"success","isPartial":true,"data":{"resultType":"matrix","result":[
        {"metric":{"__name__":"m","b":"x\"y","a":"1"},"values":[[100,"5"],[100.5,"6e+08"],[101.0004,"NaN"]]},
        {"metric":{"a":"2"},"values":[[99.999,"7"]]},
        {"metric":{"a":"3"},"histograms":[[1,{}]]}]},"warnings":["a block is missing"]}"#;

    #[test]
    fn points_are_kept_as_they_were_printed_to_the_millisecond() {
        insta::assert_snapshot!(taken(TWO, ALL), @r#"
        {"metric":{"__name__":"m","a":"1","b":"x\"y"},"values":[[100,"5"],[100.500,"6e+08"],[101,"NaN"]]},
        {"metric":{"a":"2"},"values":[[99.999,"7"]]}
        Held { n_series: 2, n_samples: 4, n_histograms: 1, warnings: {"a block is missing"}, is_partial: true, owned: {} }
        "#);
    }

    #[test]
    fn what_belongs_to_another_answer_is_left_out() {
        let bounds = Bounds { after_ms: 100_000, until_ms: 100_500, ..ALL };
        insta::assert_snapshot!(taken(TWO, bounds), @r#"
        {"metric":{"__name__":"m","a":"1","b":"x\"y"},"values":[[100.500,"6e+08"]]}
        Held { n_series: 1, n_samples: 1, n_histograms: 1, warnings: {"a block is missing"}, is_partial: true, owned: {} }
        "#);
    }

    #[test]
    fn what_is_no_matrix_says_what_it_is() {
        assert_eq!(taken(TWO, Bounds { max_samples: 3, ..ALL }), "TooMany");
        assert_eq!(taken(&TWO[..150], ALL), "BrokeOff");
        assert_eq!(taken(&TWO.replace("matrix", "vector"), ALL), "OtherType(\"vector\")");
        assert_eq!(taken(r#"{"status":"error","errorType":"x","error":"no","data":null}"#, ALL), "Error(\"no\")");
        assert_eq!(taken(r#"{"status":"success"}"#, ALL), "NotUnderstood(\"it has no `data.result`\")");
        assert_eq!(taken(&TWO.replace("\"5\"", "\"<5>\""), ALL), "NotUnderstood(\"`<5>` is not a number\")");
        assert_eq!(taken(&TWO.replace("[100,", "[1e300,"), ALL), "NotUnderstood(\"`1e300` is not a time\")");
        assert_eq!(taken("<html>", ALL), "NotUnderstood(\"expected value\")");
    }
}
