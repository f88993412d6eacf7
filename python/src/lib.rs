//! leaktrend for Python: the judge on slices and on anything that speaks Arrow, the program, and its reports.
//!
//! Python takes arguments apart and gives frames back in the caller's kind (`leaktrend/__init__.py`); everything else is
//! here. The GIL is released while something is read or judged.

mod capsule;
mod columns;
mod judge;
mod report;
mod rows;
mod settle;
mod table;

use std::collections::HashMap;
use std::error::Error as _;
use std::ffi::OsString;
use std::path::Path;

use leaktrend::error::Error;
use leaktrend::series::{MemorySeries, Metric};
use leaktrend::settings::{self, SeriesRules, Settings};
use leaktrend::units::RateUnit;
use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use capsule::Batches;
use judge::{Numbers, Terms};
use rows::{Key, Row};
use table::Table;

/// An error of the library with its causes, as one text.
pub(crate) fn to_py(error: &Error) -> PyErr {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!("\n  caused by: {error}"));
        cause = error.source();
    }
    match error {
        Error::Read { .. } | Error::Write { .. } => PyOSError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}

/// Settings from a path of a settings file, or from its contents as JSON.
fn settings_of(path: Option<&str>, json: Option<&str>) -> PyResult<(Settings, SeriesRules)> {
    match (path, json) {
        (Some(path), _) => settings::load(Some(Path::new(path))).map_err(|error| to_py(&error)),
        (None, Some(json)) => {
            let refused = |why: String| PyValueError::new_err(format!("cannot use the settings: {why}"));
            let value: toml::Value = serde_json::from_str(json).map_err(|error| refused(error.to_string()))?;
            let text = toml::to_string(&value).map_err(|error| refused(error.to_string()))?;
            settings::read(&text).map_err(|error| refused(error.to_string()))
        }
        (None, None) => Ok((Settings::default(), SeriesRules::default())),
    }
}

/// A number, a column's name, or numbers by series.
fn numbers_of(value: Option<&Bound<'_, PyAny>>, name: &str) -> PyResult<Numbers> {
    let Some(value) = value else { return Ok(Numbers::Unknown) };
    if let Ok(column) = value.extract::<String>() {
        return Ok(Numbers::Column(column));
    }
    if let Ok(number) = value.extract::<f64>() {
        return Ok(Numbers::All(number));
    }
    if let Ok(by_series) = value.cast::<PyDict>() {
        let by_series = by_series.iter().map(|(series, number)| Ok((series.str()?.to_string(), number.extract()?)));
        return Ok(Numbers::BySeries(by_series.collect::<PyResult<HashMap<String, f64>>>()?));
    }
    Err(PyTypeError::new_err(format!(
        "`{name}` is of type {} (expected a number of bytes, the name of a column, or a dict of them by series)",
        value.get_type().name()?
    )))
}

/// One row for each series of a frame.
#[pyfunction]
#[pyo3(signature = (frame, series, time, value, limit, resolution, flags, metric, since, until, settings_path, settings_json))]
#[expect(clippy::too_many_arguments, reason = "Python's side names them")]
fn judge_frame(
    py: Python<'_>,
    frame: &Bound<'_, PyAny>,
    series: String,
    time: String,
    value: String,
    limit: Option<Bound<'_, PyAny>>,
    resolution: Option<Bound<'_, PyAny>>,
    flags: Option<String>,
    metric: Option<String>,
    since: Option<i64>,
    until: Option<i64>,
    settings_path: Option<&str>,
    settings_json: Option<&str>,
) -> PyResult<Table> {
    let table = capsule::import(frame, "the frame")?;
    let (settings, rules) = settings_of(settings_path, settings_json)?;
    let mut terms = Terms {
        series,
        time,
        value,
        limit: numbers_of(limit.as_ref(), "limit")?,
        resolution: numbers_of(resolution.as_ref(), "resolution")?,
        flags,
        metric,
        since: since.map(|since| since.clamp(-columns::FARTHEST_MS, columns::FARTHEST_MS)),
        until: until.map(|until| until.clamp(-columns::FARTHEST_MS, columns::FARTHEST_MS)),
        settings,
        rules,
    };
    if matches!(terms.resolution, Numbers::BySeries(_)) {
        return Err(PyTypeError::new_err(
            "`resolution` is a dict (expected a number of bytes, or the name of a column)",
        ));
    }
    own_columns(&table, &mut terms);
    if let (Some(since), Some(until)) = (terms.since, terms.until)
        && until < since
    {
        return Err(PyValueError::new_err(format!(
            "the window ends before it begins: {} to {}",
            rows::time_text(since),
            rows::time_text(until)
        )));
    }
    py.detach(|| {
        let rows = judge::judge(&table, &terms)?;
        Ok(Table::new(Batches::of(rows::columns(&terms.series, &rows))))
    })
    .map_err(|why: String| PyValueError::new_err(why))
}

/// Takes the columns that `read` and `--parquet` write where none of the usual names is there.
fn own_columns(table: &Batches, terms: &mut Terms) {
    let has = |name: &str| table.place(name).is_some();
    let usual = (terms.series.as_str(), terms.time.as_str(), terms.value.as_str()) == ("unique_id", "ds", "y");
    if !usual || ["unique_id", "ds", "y"].into_iter().any(has) || !["series", "time", "used_bytes"].into_iter().all(has)
    {
        return;
    }
    terms.series = "series".to_owned();
    terms.time = "time".to_owned();
    terms.value = "used_bytes".to_owned();
    let column = |names: &[&str]| names.iter().find(|name| has(name)).map(|name| (*name).to_owned());
    if matches!(terms.limit, Numbers::Unknown) {
        terms.limit = column(&["own_limit_bytes", "limit_bytes"]).map_or(Numbers::Unknown, Numbers::Column);
    }
    if matches!(terms.resolution, Numbers::Unknown) {
        terms.resolution = column(&["resolution_bytes"]).map_or(Numbers::Unknown, Numbers::Column);
    }
    terms.flags = terms.flags.take().or_else(|| column(&["flags"]));
    terms.metric = terms.metric.take().or_else(|| column(&["metric"]));
}

/// Verdicts that were judged apart, settled together. `p_values`: those of all rows, where these are only some.
#[pyfunction]
#[pyo3(signature = (frame, p_values=None))]
fn settle_frame(py: Python<'_>, frame: &Bound<'_, PyAny>, p_values: Option<&[u8]>) -> PyResult<Table> {
    let table = capsule::import(frame, "the frame")?;
    let all: Option<Vec<f64>> =
        p_values.map(|bytes| bytes.as_chunks().0.iter().map(|bytes| f64::from_ne_bytes(*bytes)).collect());
    py.detach(|| settle::settle(&table, all.as_deref()).map(Table::new)).map_err(PyValueError::new_err)
}

/// The first and the last time that has a value, in milliseconds; `None` where there is none.
#[pyfunction]
fn bounds(py: Python<'_>, frame: &Bound<'_, PyAny>, time: &str, value: &str) -> PyResult<Option<(i64, i64)>> {
    let table = capsule::import(frame, "the frame")?;
    py.detach(|| judge::bounds(&table, time, value)).map_err(PyValueError::new_err)
}

/// The window that is judged of samples from `first` to `last`, in milliseconds.
#[pyfunction]
fn window(first: i64, last: i64, settings_path: Option<&str>, settings_json: Option<&str>) -> PyResult<(i64, i64)> {
    let (settings, _) = settings_of(settings_path, settings_json)?;
    Ok(judge::window(first, last, None, None, &settings))
}

/// What Python knows of one series: columns of 8 bytes a value, in the machine's order.
fn series_of(
    times: &[u8],
    values: &[u8],
    restarts: Option<Vec<i64>>,
    limit: Option<f64>,
    resolution: f32,
    metric: &str,
    name: &str,
) -> PyResult<MemorySeries> {
    let times: Vec<i64> = times.as_chunks().0.iter().map(|bytes| i64::from_ne_bytes(*bytes)).collect();
    let values: Vec<f64> = values.as_chunks().0.iter().map(|bytes| f64::from_ne_bytes(*bytes)).collect();
    let refused = |why: String| PyValueError::new_err(why);
    if times.len() != values.len() {
        return Err(refused(format!("there are {} times and {} values (expected as many)", times.len(), values.len())));
    }
    columns::check_whole(times.iter().copied(), "times").map_err(refused)?;
    // A value that is not a number is a gap.
    let (times, values): (Vec<i64>, Vec<f64>) =
        times.into_iter().zip(values).filter(|(_, value)| !value.is_nan()).unzip();
    if let Some(value) = values.iter().find(|value| **value > 9_007_199_254_740_992.0) {
        return Err(refused(format!("a value is {value} (expected bytes: 0 to 2^53)")));
    }
    let mut series = MemorySeries::from_slices(&times, &values).map_err(|error| refused(error.to_string()))?;
    if let Some(limit) = limit {
        if !(0.0 < limit && limit.is_finite()) {
            return Err(refused(format!("`limit` is {limit} (expected bytes: more than 0, or None)")));
        }
        series = series.with_limit(limit);
    }
    if !(0.0 < resolution && resolution.is_finite()) {
        return Err(refused(format!("`resolution` is {resolution} (expected bytes above 0)")));
    }
    series = series.with_resolution(resolution);
    if let Some(restarts) = restarts {
        series = series.with_restarts(&restarts);
    }
    let known = Metric::ALL.into_iter().find(|known| known.name() == metric);
    series.info.metric = known.ok_or_else(|| {
        let names: Vec<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        refused(format!("`metric` is {metric:?} (expected one of {})", names.join(", ")))
    })?;
    series.info.id = name.to_owned();
    series.info.container_given = !name.is_empty();
    Ok(series)
}

/// The verdict on one series, as a table of one row.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's side names them")]
fn judge_one(
    py: Python<'_>,
    times: &[u8],
    values: &[u8],
    restarts: Option<Vec<i64>>,
    limit: Option<f64>,
    resolution: f32,
    metric: &str,
    name: &str,
    settings_path: Option<&str>,
    settings_json: Option<&str>,
) -> PyResult<Table> {
    let n_gaps = values.as_chunks().0.iter().filter(|bytes| f64::from_ne_bytes(**bytes).is_nan()).count();
    let series = series_of(times, values, restarts, limit, resolution, metric, name)?;
    let (settings, rules) = settings_of(settings_path, settings_json)?;
    let settings = rules.settings_for(&[name], &settings);
    Ok(py.detach(|| {
        let span_seconds = (series.end_ms() - series.start_ms()) as f64 / 1000.0;
        let terms = leaktrend::analysis::terms(&settings, limit, false, RateUnit::of_window(span_seconds));
        let measured = leaktrend_core::measured(&series, &terms);
        let key = Key::Text(name.to_owned());
        let row = Row::of(key, &series, &measured, limit, terms.judge.false_discovery_rate);
        Table::new(Batches::of(rows::columns("series", &[Row { n_gaps: n_gaps as i64, ..row }])))
    }))
}

/// The chart of one series, as SVG.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's side names them")]
fn chart_one(
    py: Python<'_>,
    times: &[u8],
    values: &[u8],
    restarts: Option<Vec<i64>>,
    limit: Option<f64>,
    resolution: f32,
    metric: &str,
    name: &str,
    settings_path: Option<&str>,
    settings_json: Option<&str>,
) -> PyResult<String> {
    let series = series_of(times, values, restarts, limit, resolution, metric, name)?;
    let (settings, rules) = settings_of(settings_path, settings_json)?;
    let settings = rules.settings_for(&[name], &settings);
    py.detach(|| report::picture(series, &settings)).map_err(|error| to_py(&error))
}

/// A kind of what was counted: its name, then times and numbers, columns of 8 bytes a value.
type Counted = (String, Vec<u8>, Vec<u8>);

/// What the growth of one series follows, as JSON with `causes` and `growth_began`; `None` where it does not grow.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's side names them")]
fn causes_one(
    py: Python<'_>,
    times: &[u8],
    values: &[u8],
    restarts: Option<Vec<i64>>,
    limit: Option<f64>,
    resolution: f32,
    metric: &str,
    name: &str,
    settings_path: Option<&str>,
    settings_json: Option<&str>,
    requests: Vec<Counted>,
    covariates: Vec<Counted>,
    changes: Option<Vec<(i64, String)>>,
) -> PyResult<Option<String>> {
    let series = series_of(times, values, restarts, limit, resolution, metric, name)?;
    let (settings, rules) = settings_of(settings_path, settings_json)?;
    let settings = rules.settings_for(&[name], &settings);
    let requests = numbers_given(requests, "requests", 0.0)?;
    let covariates = numbers_given(covariates, "covariates", f64::NEG_INFINITY)?;
    let changes = changes.map(|changes| {
        changes.into_iter().map(|(time_ms, label)| leaktrend::counts::Change { time_ms, label }).collect()
    });
    Ok(py.detach(|| {
        let (start, end) = (series.start_ms(), series.end_ms());
        let unit = RateUnit::of_window((end - start) as f64 / 1000.0);
        let terms = leaktrend::analysis::terms(&settings, limit, false, unit);
        let judgement = leaktrend_core::measured(&series, &terms).judge(None);
        let counts = leaktrend::counts::given((start, end), &requests, &covariates, changes);
        let found = leaktrend::analysis::attribution(&series, &judgement, &counts, &terms)?;
        Some(leaktrend::report::causes::json(&found))
    }))
}

/// What was counted, each number `least` or more; a number that is missing is left out.
fn numbers_given(given: Vec<Counted>, of: &str, least: f64) -> PyResult<Vec<leaktrend::counts::GivenNumbers>> {
    let one = |(name, times, values): Counted| {
        let refused = |why: String| Err(PyValueError::new_err(format!("`{of}`: {name:?} {why}")));
        let (times, values) = (times.as_chunks().0, values.as_chunks().0);
        if times.len() != values.len() {
            return refused(format!("has {} times and {} numbers (expected as many)", times.len(), values.len()));
        }
        let rows = times.iter().zip(values);
        let rows = rows.map(|(time, value)| (i64::from_ne_bytes(*time), f64::from_ne_bytes(*value)));
        let (time_ms, values): (Vec<i64>, Vec<f64>) = rows.filter(|(_, value)| !value.is_nan()).unzip();
        if let Some(value) = values.iter().find(|value| !(least <= **value && value.is_finite())) {
            let expected = if least == 0.0 { "numbers of requests: 0 or more" } else { "finite numbers" };
            return refused(format!("holds {value} (expected {expected})"));
        }
        Ok(leaktrend::counts::GivenNumbers { name, time_ms, values })
    };
    given.into_iter().map(one).collect()
}

/// Times in milliseconds and numbers, of which one is empty; `None` where there is no value.
type TimesOrNumbers = (Vec<Option<i64>>, Vec<Option<f64>>);

/// The times of anything that speaks Arrow, as milliseconds, and its numbers; `None` where there is none.
#[pyfunction]
fn arrow_values(array: &Bound<'_, PyAny>, as_times: bool, name: &str) -> PyResult<TimesOrNumbers> {
    let (_, chunks) = capsule::import_stream(&array.call_method0("__arrow_c_stream__")?)?;
    let (mut times, mut numbers) = (Vec::new(), Vec::new());
    for chunk in chunks {
        if as_times {
            times.extend(columns::times(&*chunk, name).map_err(PyTypeError::new_err)?);
        } else {
            numbers.extend(columns::numbers(&*chunk, name).map_err(PyTypeError::new_err)?);
        }
    }
    Ok((times, numbers))
}

/// The program: arguments with its name first; gives the exit code.
#[pyfunction]
fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| leaktrend::program::run(arguments))
}

/// The extension.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<Table>()?;
    module.add_class::<report::NativeReport>()?;
    module.add_function(wrap_pyfunction!(judge_frame, module)?)?;
    module.add_function(wrap_pyfunction!(settle_frame, module)?)?;
    module.add_function(wrap_pyfunction!(bounds, module)?)?;
    module.add_function(wrap_pyfunction!(window, module)?)?;
    module.add_function(wrap_pyfunction!(judge_one, module)?)?;
    module.add_function(wrap_pyfunction!(chart_one, module)?)?;
    module.add_function(wrap_pyfunction!(causes_one, module)?)?;
    module.add_function(wrap_pyfunction!(arrow_values, module)?)?;
    module.add_function(wrap_pyfunction!(report::read, module)?)?;
    module.add_function(wrap_pyfunction!(report::analyze, module)?)?;
    module.add_function(wrap_pyfunction!(main, module)?)?;
    Ok(())
}
