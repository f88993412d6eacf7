//! The Parquet files that leaktrend writes, and reads again: names of columns, what stands in the metadata.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cells::{self, Kind, NO_NAME, Names};
use super::source::{Batch, Table};
use crate::account::{ContentWarning, Input, TableChange, Timeline};
use crate::decode::{ReportedRestarts, SeriesSamples};
use crate::series::{Labels, Limit, LimitSource, Marks, Metric, Samples, Sampling, SeriesInfo};

/// The id of the series; text, repeated in each row.
pub(crate) const SERIES: &str = "series";
/// The container's name; text.
pub(crate) const CONTAINER: &str = "container";
/// The labels that the input gave, as a JSON object; text. Where `container` is none of them it was made of others.
pub(crate) const LABELS: &str = "labels";
/// What is counted, as `Metric::name`; text.
pub(crate) const METRIC: &str = "metric";
/// What the samples are, as `Sampling::name`; text.
pub(crate) const SAMPLING: &str = "sampling";
/// When; milliseconds, UTC.
pub(crate) const TIME: &str = "time";
/// Memory in bytes; a 64-bit float, finite and not negative.
pub(crate) const USED_BYTES: &str = "used_bytes";
/// Spacing of neighbouring values that the input could print, in bytes; a 32-bit float.
pub(crate) const RESOLUTION_BYTES: &str = "resolution_bytes";
/// The limit that the input printed, in bytes; null where it printed none.
pub(crate) const LIMIT_BYTES: &str = "limit_bytes";
/// Evidence of restarts and gaps, as `Marks::bits`; a byte.
pub(crate) const FLAGS: &str = "flags";

/// The key of the metadata that holds a `Provenance` as JSON.
pub(crate) const METADATA: &str = "leaktrend";

/// What belongs to a frame beside its rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Provenance {
    /// How many rows it has: other rows are not those that it describes.
    pub(crate) rows: u64,
    /// What times count from.
    pub(crate) timeline: Timeline,
    /// The account of each input that the rows were read from.
    pub(crate) inputs: Vec<Input>,
    /// The inputs of each series, by its id, as indices; a series that is not named was read from all.
    pub(crate) inputs_of: BTreeMap<String, Vec<usize>>,
    /// Series that an input named and gave no value: they have no rows.
    pub(crate) without_rows: Vec<String>,
    /// What was reported of restarts beside the readings.
    #[serde(default, alias = "told", skip_serializing_if = "Vec::is_empty")]
    pub(crate) reported: Vec<ReportedRestarts>,
}

/// Whether a table is one that leaktrend wrote, whole: what its metadata says of it.
///
/// `None` for every other, also where its rows were changed since, which is said.
pub(super) fn provenance(table: &Table, input: &mut Input) -> Option<Provenance> {
    let text = table.metadata(METADATA)?;
    let mut changed = |what: TableChange| {
        input.warn(ContentWarning::TableChanged(what));
        None
    };
    let Ok(provenance) = serde_json::from_str::<Provenance>(text) else {
        return changed(TableChange::Metadata);
    };
    if table.n_rows() != Some(provenance.rows) {
        return changed(TableChange::Rows { n: provenance.rows });
    }
    let is_there = |(name, kind): &(&str, Kind)| {
        table.fields.iter().any(|field| field.name == *name && cells::kind(&field.dtype) == *kind)
    };
    if COLUMNS.iter().all(is_there) { Some(provenance) } else { changed(TableChange::Columns) }
}

/// The columns that are read of such a file.
const COLUMNS: [(&str, Kind); 10] = [
    (SERIES, Kind::Text),
    (TIME, Kind::Time),
    (USED_BYTES, Kind::Number),
    (RESOLUTION_BYTES, Kind::Number),
    (FLAGS, Kind::Number),
    (LABELS, Kind::Text),
    (METRIC, Kind::Text),
    (SAMPLING, Kind::Text),
    (LIMIT_BYTES, Kind::Number),
    (CONTAINER, Kind::Text),
];

/// The series of a file that leaktrend wrote, with their inputs as indices into those of its metadata.
///
/// # Errors
///
/// When the file is damaged, or holds what leaktrend does not write.
pub(super) fn read(table: Table, provenance: &Provenance) -> Result<Vec<SeriesSamples>, String> {
    let columns: Vec<usize> = COLUMNS
        .iter()
        .map(|(name, _)| table.fields.iter().position(|field| field.name == *name).expect("it was looked for"))
        .collect();
    let mut names = Names::default();
    let mut series: Vec<SeriesSamples> = Vec::new();
    // Indices into `series`, by the number of its name.
    let mut places: Vec<usize> = Vec::new();
    let mut odd = None;
    let all: Vec<usize> = (0..provenance.inputs.len().max(1)).collect();
    let inputs_of = |id: &str| provenance.inputs_of.get(id).unwrap_or(&all).clone();
    table.read(&columns, &mut |batch: Batch| {
        odd = odd.take().or_else(|| {
            let of = names.of(batch.columns[0].as_ref());
            let times = cells::raw_ms(batch.columns[1].as_ref())?;
            let [bytes, resolutions, flags] = [2, 3, 4].map(|at| cells::numbers(batch.columns[at].as_ref()));
            let (Some((bytes, _)), Some((resolutions, _)), Some((flags, _))) = (bytes, resolutions, flags) else {
                return Some("its columns have other types".to_owned());
            };
            if bytes.iter().any(|bytes| !(0.0 <= *bytes && bytes.is_finite())) {
                return Some("it has a value that is not an amount of memory".to_owned());
            }
            if batch.columns[..5].iter().any(|column| 0 < column.null_count()) || of.contains(&NO_NAME) {
                return Some("it has nulls".to_owned());
            }
            let mut start = 0;
            for run in of.chunk_by(|a, b| a == b) {
                let rows = start..start + run.len();
                start = rows.end;
                let number = run[0] as usize;
                if places.len() <= number {
                    places.resize(number + 1, usize::MAX);
                }
                if places[number] == usize::MAX {
                    let info = match info(&names.texts[number], &batch, rows.start) {
                        Ok(info) => info,
                        Err(why) => return Some(why),
                    };
                    places[number] = series.len();
                    let inputs = inputs_of(&info.id);
                    series.push(SeriesSamples { info, samples: Samples::default(), inputs });
                }
                let samples = &mut series[places[number]].samples;
                if samples.is_empty() {
                    samples.time_ms.reserve_exact(run.len());
                    samples.used_bytes.reserve_exact(run.len());
                    samples.resolution_bytes.reserve_exact(run.len());
                    samples.marks.reserve_exact(run.len());
                }
                samples.time_ms.extend_from_slice(&times[rows.clone()]);
                samples.used_bytes.extend_from_slice(&bytes[rows.clone()]);
                resolutions[rows.clone()].iter().for_each(|bytes| samples.resolution_bytes.push(*bytes as f32));
                samples.marks.extend(flags[rows].iter().map(|flags| Marks::from_bits(*flags as u8).bits()));
            }
            None
        });
    })?;
    if let Some(why) = odd {
        return Err(format!(
            "leaktrend wrote it, but it was changed since: {why} (expected the file as it was written)"
        ));
    }
    let without_rows = provenance.without_rows.iter().map(|id| {
        let labels = Labels::from_iter([("container".to_owned(), id.clone())]);
        let (metric, sampling) = (Metric::Other, Sampling::Raw);
        let info = SeriesInfo { id: id.clone(), labels, container_given: false, limit: None, metric, sampling };
        SeriesSamples { info, samples: Samples::default(), inputs: inputs_of(id) }
    });
    series.extend(without_rows);
    Ok(series)
}

/// Who a series is, by its first row.
fn info(id: &str, batch: &Batch, row: usize) -> Result<SeriesInfo, String> {
    let text = |column: usize| cells::text(batch.columns[column].as_ref(), row).unwrap_or_default();
    let labels: Result<Labels, _> = serde_json::from_str(&text(5));
    let mut labels = labels.map_err(|error| format!("the labels of `{id}` are not a JSON object: {error}"))?;
    let container_given = labels.contains_key("container");
    labels.entry("container".to_owned()).or_insert_with(|| text(9).into_owned());
    let limit = batch.columns[8].as_ref();
    let limit = if limit.is_null(row) { None } else { cells::numbers(limit.sliced(row, 1).as_ref()) };
    let limit = limit.map(|(limit, _)| Limit { bytes: limit[0], source: LimitSource::Input });
    let metric = Metric::ALL.into_iter().find(|metric| metric.name() == text(6));
    let sampling = Sampling::ALL.into_iter().find(|sampling| sampling.name() == text(7));
    let (Some(metric), Some(sampling)) = (metric, sampling) else {
        return Err(format!("the metric or the sampling of `{id}` is not known"));
    };
    Ok(SeriesInfo { id: id.to_owned(), labels, container_given, limit, metric, sampling })
}
