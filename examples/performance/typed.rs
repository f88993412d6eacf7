//! The peer of the Prometheus reader: `serde_json` over the whole file in memory, into typed columns.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

#[derive(serde::Deserialize)]
struct Answer {
    data: Data,
}

#[derive(serde::Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(serde::Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    values: Columns,
}

#[derive(Default)]
struct Columns {
    seconds: Vec<f64>,
    bytes: Vec<f64>,
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Columns, D::Error> {
        struct Points;

        impl<'de> Visitor<'de> for Points {
            type Value = Columns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("points")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut points: A) -> Result<Columns, A::Error> {
                let mut columns = Columns::default();
                while let Some((seconds, bytes)) = points.next_element::<(f64, &str)>()? {
                    columns.seconds.push(seconds);
                    columns.bytes.push(bytes.parse().map_err(serde::de::Error::custom)?);
                }
                Ok(columns)
            }
        }

        deserializer.deserialize_seq(Points)
    }
}

/// Reads a file.
pub(crate) fn read(path: &Path) {
    let text = std::fs::read(path).expect("it can be read");
    let answer: Answer = serde_json::from_slice(&text).expect("it is an answer");
    let series = answer.data.result;
    let n_labels: usize = series.iter().map(|series| series.metric.len()).sum();
    let n_points: usize = series.iter().map(|series| series.values.seconds.len().min(series.values.bytes.len())).sum();
    println!("{} series, {n_labels} labels, {n_points} samples", series.len());
}
