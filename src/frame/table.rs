//! Samples from a table of anybody's.

use std::collections::HashMap;

use polars::prelude::{Column, DataFrame, DataType, TimeUnit};

use crate::decode::SeriesSamples;
use crate::resolve::Readings;
use crate::series::{Labels, Marks, Metric, Samples, Sampling, SeriesInfo};

/// The samples of a table, by container in the order of their first rows; otherwise what it should be.
pub(super) fn readings(table: &DataFrame) -> Result<Readings, String> {
    let names = ["container", "series"].iter().find_map(|name| table.column(name).ok());
    let names = names.ok_or_else(|| missing(table, "`container` or `series`"))?;
    let names = names.str().map_err(|_| wrong(names, "text"))?;
    let times = times(table.column("time").map_err(|_| missing(table, "`time`"))?)?;
    let values = table.column("used_bytes").map_err(|_| missing(table, "`used_bytes`"))?;
    if !values.dtype().is_primitive_numeric() {
        return Err(wrong(values, "numbers"));
    }
    let values = values.cast(&DataType::Float64).map_err(|error| error.to_string())?;
    let values = values.f64().map_err(|error| error.to_string())?;

    let mut series: Vec<SeriesSamples> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (row, ((name, time_ms), value)) in names.iter().zip(times).zip(values.iter()).enumerate() {
        let (Some(name), Some(time_ms)) = (name, time_ms) else {
            return Err(format!("row {row} has no container or no time (expected both in every row)"));
        };
        let place = *places.entry(name).or_insert_with(|| {
            series.push(SeriesSamples { info: info(name), samples: Samples::default(), inputs: Vec::new() });
            series.len() - 1
        });
        match value {
            None => {}
            Some(value) if 0.0 <= value && value.is_finite() => {
                series[place].samples.push(time_ms, value, 1.0, Marks::default());
            }
            Some(value) => {
                return Err(format!(
                    "row {row} has {value} as `used_bytes` (expected bytes: a finite number, 0 or more)"
                ));
            }
        }
    }
    Ok(Readings::of(series))
}

/// Milliseconds since 1970 in each row.
fn times(column: &Column) -> Result<Vec<Option<i64>>, String> {
    let per_ms = match column.dtype() {
        DataType::Datetime(TimeUnit::Microseconds, _) => 1_000,
        DataType::Datetime(TimeUnit::Nanoseconds, _) => 1_000_000,
        DataType::Datetime(TimeUnit::Milliseconds, _) | DataType::Int64 => 1,
        _ => return Err(wrong(column, "a datetime, or 64-bit integers: milliseconds since 1970")),
    };
    let physical = column.to_physical_repr();
    let times = physical.i64().map_err(|error| error.to_string())?;
    Ok(times.iter().map(|time| time.map(|time| time.div_euclid(per_ms))).collect())
}

fn info(name: &str) -> SeriesInfo {
    SeriesInfo {
        id: name.to_owned(),
        labels: Labels::from_iter([("container".to_owned(), name.to_owned())]),
        container_given: true,
        limit: None,
        metric: Metric::Other,
        sampling: Sampling::Raw,
    }
}

fn missing(table: &DataFrame, expected: &str) -> String {
    let found: Vec<String> =
        table.columns().iter().map(|column| format!("`{}` ({})", column.name(), column.dtype())).collect();
    format!("it has no column {expected} (found {})", found.join(", "))
}

fn wrong(column: &Column, expected: &str) -> String {
    format!("its column `{}` is of type {} (expected {expected})", column.name(), column.dtype())
}
