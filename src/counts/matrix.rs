//! Numbers of a Prometheus answer, whatever they count: the decoder of memory refuses what cannot be bytes.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::covariates::{Column, Placed};
use crate::account::{CountRejection, CovariateFault, Input, Unusable};

#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<OneSeries>,
}

#[derive(Deserialize)]
struct OneSeries {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
    value: Option<IgnoredAny>,
}

/// Reads an answer; one column for each series.
pub(super) fn read(reader: impl Read, input: &mut Input, placed: &mut Placed<'_>) -> Result<Vec<Column>, Unusable> {
    let answer: Answer = serde_json::from_reader(BufReader::new(reader))
        .map_err(|error| CovariateFault::Response { error: error.to_string() })?;
    let Some(data) = answer.data else {
        return Err(CovariateFault::ResponseError { error: answer.error }.into());
    };
    let mut columns = Vec::new();
    for series in data.result {
        if series.value.is_some() && series.values.is_empty() {
            return Err(CovariateFault::Instant.into());
        }
        let mut column = Column::new(name(&series.metric), placed.grids);
        let mut last_ms = i64::MIN;
        for (seconds, text) in series.values {
            let time_ms = (seconds * 1000.0).round() as i64;
            match text.parse::<f64>() {
                Ok(value) if value.is_finite() && last_ms < time_ms => {
                    last_ms = time_ms;
                    column.push(time_ms, value);
                    placed.count(time_ms);
                }
                Ok(_) => input.gaps += 1,
                Err(_) => input.reject_at(0, &text, || CountRejection::NotANumber { found: String::new() }),
            }
        }
        columns.push(column);
    }
    Ok(columns)
}

/// As Prometheus writes a series: `name{label="value"}`.
fn name(metric: &BTreeMap<String, String>) -> String {
    let labels: Vec<String> = metric
        .iter()
        .filter(|(label, _)| *label != "__name__")
        .map(|(label, value)| format!("{label}={value:?}"))
        .collect();
    let name = metric.get("__name__").map_or("", String::as_str);
    if labels.is_empty() && !name.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) }
}
