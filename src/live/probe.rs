//! What is asked of a server before its samples: its clock, how many series there are, and which metrics when there are
//! none.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::client::{Client, TIMEOUT};
use super::failure::{Failure, not_the_api};
use super::plan::{Counts, Density};
use super::query::ServerSelector;
use crate::account::cleaned;

/// How far back samples are counted, in seconds.
const COUNTED: i64 = 600;

/// The interval that is assumed where samples cannot be counted, in seconds.
const USUAL_INTERVAL: f64 = 15.0;

/// Metrics of memory that are looked for when the one that was asked for has no series.
const OTHERS: &str = "container_memory_.+|process_resident_memory_bytes|nodejs_.*heap.*_bytes|nodejs_external_memory_bytes|\
                      jvm_memory_used_bytes|go_memstats_heap_inuse_bytes|docker_container_mem_usage|podman_container_mem_usage_bytes";

#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    result: serde_json::Value,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    value: Option<(f64, String)>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

#[derive(Deserialize)]
struct SeriesAnswer {
    #[serde(default)]
    data: Vec<BTreeMap<String, String>>,
}

fn ask(client: &Client<'_>, path: &str, form: &[(&str, String)]) -> Result<serde_json::Value, Failure> {
    let answer: Answer = client.json(path, form)?;
    match answer.data {
        Some(data) if answer.status == "success" => Ok(data.result),
        _ => Err(Failure::Fatal(format!(
            "it answered with an error: {}",
            cleaned(&answer.error.unwrap_or_else(|| "no message".to_owned()), 300)
        ))),
    }
}

fn series(value: serde_json::Value) -> Result<Vec<Series>, Failure> {
    serde_json::from_value(value).map_err(|error| Failure::Fatal(not_the_api(&error.to_string())))
}

fn timeout() -> (&'static str, String) {
    ("timeout", format!("{}s", TIMEOUT.as_secs()))
}

/// The time of the server, in seconds since 1970. The first question: it shows whether this is such a server at all.
pub(super) fn now(client: &Client<'_>) -> Result<f64, Failure> {
    let result = ask(client, "/api/v1/query", &[("query", "time()".to_owned()), timeout()])?;
    let refused = |why: &str| Failure::Fatal(not_the_api(why));
    let point = |value| serde_json::from_value::<(f64, String)>(value).map_err(|error| refused(&error.to_string()));
    let (now, _) = match result {
        // `VictoriaMetrics` gives a vector of one element instead of a scalar.
        serde_json::Value::Array(mut vector) if vector.len() == 1 && vector[0].is_object() => {
            point(vector[0]["value"].take())?
        }
        scalar => point(scalar)?,
    };
    Some(now).filter(|now| (0.0..1e11).contains(now)).ok_or_else(|| refused(&format!("its time is {now}")))
}

/// How many samples are to be expected between two times, in seconds; `None` when there is no series.
pub(super) fn density(
    client: &Client<'_>,
    selector: &ServerSelector,
    start: i64,
    end: i64,
) -> Result<Option<Density>, Failure> {
    let counted = counts_by_name(client, &format!("count({selector})"), start, end)?;
    let mut n_series: Counts = counted.into_iter().flat_map(|(_, counts)| counts).collect();
    if n_series.is_empty() {
        // What lived shortly was between two counts.
        let n = labels(client, selector, start, end)?.len();
        if n == 0 {
            return Ok(None);
        }
        n_series.push((end, n as f64));
    }
    let interval = interval(client, selector, n_series.last().copied()).unwrap_or(USUAL_INTERVAL);
    Ok(Some(Density { n_series, interval }))
}

/// What a query counts at a hundred times between two, in seconds: the name of a metric (empty where it counts all
/// together), and times with counts.
pub(super) fn counts_by_name(
    client: &Client<'_>,
    query: &str,
    start: i64,
    end: i64,
) -> Result<Vec<(String, Counts)>, Failure> {
    let step = ((end - start) / 100).max(60);
    let form = [
        ("query", query.to_owned()),
        ("start", start.to_string()),
        ("end", end.to_string()),
        ("step", step.to_string()),
        timeout(),
    ];
    let found = match ask(client, "/api/v1/query_range", &form) {
        Ok(result) => series(result)?,
        // Too much at once: the end says what there is.
        Err(Failure::TooLarge(_) | Failure::Refused(_)) => {
            let form = [("query", query.to_owned()), ("time", end.to_string()), timeout()];
            series(ask(client, "/api/v1/query", &form)?)?
        }
        Err(failure) => return Err(failure),
    };
    let of = |mut series: Series| {
        let counts = series.values.into_iter().chain(series.value);
        let counts = counts.filter_map(|(time, n)| Some((time as i64, n.parse().ok()?))).collect();
        (series.metric.remove("__name__").unwrap_or_default(), counts)
    };
    Ok(found.into_iter().map(of).collect())
}

/// How far samples of a series lie apart at a time when there are so many series, in seconds.
fn interval(client: &Client<'_>, selector: &ServerSelector, at: Option<(i64, f64)>) -> Option<f64> {
    let (time, n_series) = at?;
    let query = format!("sum(count_over_time({selector}[{COUNTED}s]))");
    let form = [("query", query), ("time", time.to_string()), timeout()];
    let result = ask(client, "/api/v1/query", &form).ok()?;
    let n_samples: f64 = series(result).ok()?.into_iter().next()?.value?.1.parse().ok()?;
    (0.0 < n_samples).then(|| (n_series * COUNTED as f64 / n_samples).clamp(1.0, COUNTED as f64))
}

/// The labels of all series with samples between two times, in seconds.
pub(super) fn labels(
    client: &Client<'_>,
    selector: &ServerSelector,
    start: i64,
    end: i64,
) -> Result<Vec<BTreeMap<String, String>>, Failure> {
    let form = [("match[]", selector.to_string()), ("start", start.to_string()), ("end", end.to_string())];
    client.json::<SeriesAnswer>("/api/v1/series", &form).map(|answer| answer.data)
}

/// What to say where there is no series: which metrics of memory there are.
pub(super) fn nothing_found(client: &Client<'_>, selector: &ServerSelector, end: i64, from: &str, to: &str) -> String {
    let form =
        [("query", format!("count by (__name__) ({{__name__=~\"{OTHERS}\"}})")), ("time", end.to_string()), timeout()];
    let found = ask(client, "/api/v1/query", &form).and_then(series).unwrap_or_default();
    let mut names: Vec<(String, String)> = found
        .into_iter()
        .filter_map(|mut series| Some((series.metric.remove("__name__")?, series.value?.1)))
        .filter(|(name, _)| !["limit", "fail", "max"].iter().any(|word| name.contains(word)))
        .collect();
    names.sort();
    let named: Vec<String> =
        names.iter().take(6).map(|(name, n)| format!("`{}` ({n} series)", cleaned(name, 80))).collect();
    let hint = match named.as_slice() {
        [] => "it has no memory metrics at that time either: does this server scrape cAdvisor, and is `--since` right?"
            .to_owned(),
        named if names.iter().any(|(name, _)| *name == selector.metric) => {
            format!("it has {} with other labels: is `--match` right?", named.join(", "))
        }
        named => format!("it has {}: choose one with `--metric`", named.join(", ")),
    };
    format!("no series of `{selector}` has a sample from {from} to {to} ({hint})")
}
