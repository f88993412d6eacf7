//! From a table of samples to the table of verdicts.

use std::collections::HashMap;

use leaktrend::analysis;
use leaktrend::series::{Limit, LimitSource, Marks, MemorySeries, Metric, Samples, Sampling, SeriesInfo};
use leaktrend::settings::{SeriesRules, Settings};
use leaktrend::units::RateUnit;
use leaktrend_core::measured;
use polars_arrow::array::StructArray;
use rayon::prelude::*;

use crate::capsule::Batches;
use crate::columns::{self, ROWS};
use crate::rows::{self, Key, Row, time_text};

/// Memory beyond this is no memory, in bytes: f64 counts exactly up to it.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// A number for each row, for each series, or for all.
#[derive(Debug, Clone, Default)]
pub(crate) enum Numbers {
    /// None is known.
    #[default]
    Unknown,
    /// The same for all.
    All(f64),
    /// A column's name.
    Column(String),
    /// By series.
    BySeries(HashMap<String, f64>),
}

/// Where samples stand in a table, and how they are to be judged.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) series: String,
    pub(crate) time: String,
    pub(crate) value: String,
    pub(crate) limit: Numbers,
    /// Spacing of printable values, in bytes.
    pub(crate) resolution: Numbers,
    /// Column of `Marks::bits`.
    pub(crate) flags: Option<String>,
    /// Column of `Metric::name`.
    pub(crate) metric: Option<String>,
    /// The first millisecond that is judged.
    pub(crate) since: Option<i64>,
    /// The last.
    pub(crate) until: Option<i64>,
    pub(crate) settings: Settings,
    pub(crate) rules: SeriesRules,
}

/// The samples of one series as they are found.
struct Group {
    key: Key,
    samples: Samples,
    metric: Metric,
    limit: Option<(i64, f64)>,
    n_gaps: i64,
    n_timeless: usize,
    refused: Option<String>,
}

/// The columns of a table that are read, by their places.
struct Places {
    series: usize,
    time: usize,
    value: usize,
    limit: Option<usize>,
    resolution: Option<usize>,
    flags: Option<usize>,
    metric: Option<usize>,
}

/// A row for each series, in the order of their first rows, settled among themselves.
///
/// # Errors
///
/// When a column is missing or of another type, or the settings' window cannot be: what was found and what was expected.
pub(crate) fn judge(table: &Batches, terms: &Terms) -> Result<Vec<Row>, String> {
    let groups = groups(table, terms)?;
    let times = || groups.iter().flat_map(|group| group.samples.time_ms.iter().copied());
    let first = times().min().unwrap_or(0);
    let last = times().max().unwrap_or(0);
    let (start, end) = window(first, last, terms.since, terms.until, &terms.settings);
    let unit = RateUnit::of_window((end - start) as f64 / 1000.0);
    let mut rows: Vec<Row> = groups.into_par_iter().filter_map(|group| row(group, terms, (start, end), unit)).collect();
    rows::settle(&mut rows);
    Ok(rows)
}

/// What is judged of samples from `first` to `last`, in milliseconds; both ends belong to it. Without `since` as far back
/// as the settings say.
pub(crate) fn window(first: i64, last: i64, since: Option<i64>, until: Option<i64>, settings: &Settings) -> (i64, i64) {
    let end = until.unwrap_or(last);
    let back = settings.window.last_seconds;
    let start = match since {
        Some(since) => since,
        None if back.get() == 0.0 => first,
        None => end.saturating_sub(back.as_ms()).max(first),
    };
    (start, end)
}

/// The first and the last time that has a value, in milliseconds; `None` where there is none.
///
/// # Errors
///
/// When a column is missing or of another type.
pub(crate) fn bounds(table: &Batches, time: &str, value: &str) -> Result<Option<(i64, i64)>, String> {
    let place = |name: &str| table.place(name).ok_or_else(|| format!("the frame has no column `{name}`"));
    let (of_times, of_values) = (place(time)?, place(value)?);
    let mut bounds: Option<(i64, i64)> = None;
    for batch in &table.batches {
        let times = columns::times(&*batch.values()[of_times], time)?;
        let values = columns::numbers(&*batch.values()[of_values], value)?;
        let is_memory = |value: &f64| 0.0 <= *value && *value <= LARGEST;
        for time_ms in times.into_iter().zip(values).filter_map(|(time_ms, value)| value.filter(is_memory).and(time_ms))
        {
            let (first, last) = bounds.unwrap_or((time_ms, time_ms));
            bounds = Some((first.min(time_ms), last.max(time_ms)));
        }
    }
    Ok(bounds)
}

/// `None` for a series that the settings ignore.
fn row(group: Group, terms: &Terms, (start, end): (i64, i64), unit: RateUnit) -> Option<Row> {
    let Group { key, samples, metric, limit, n_gaps, n_timeless, refused } = group;
    let id = match &key {
        Key::Text(id) => id.clone(),
        Key::Whole(id) => id.to_string(),
        Key::None => String::new(),
    };
    if terms.rules.ignores(&[&id]) {
        return None;
    }
    let settings = terms.rules.settings_for(&[&id], &terms.settings);
    let n = samples.len();
    let refused = refused.or_else(|| match &key {
        Key::None => Some(format!("{} rows have no `{}` (expected one in every row)", n, terms.series)),
        _ if 0 < n_timeless => Some(format!("{n_timeless} rows have no `{}` (expected one in every row)", terms.time)),
        _ => None,
    });
    let given = match &terms.limit {
        Numbers::Unknown => None,
        Numbers::All(bytes) => Some(*bytes),
        Numbers::Column(_) => limit.map(|(_, bytes)| bytes),
        Numbers::BySeries(limits) => limits.get(&id).copied(),
    };
    let limit = given.or_else(|| terms.rules.limit_for(&[&id]));
    let bad_limit = limit.filter(|limit| !(0.0 < *limit && *limit <= LARGEST));
    let refused = refused
        .or_else(|| bad_limit.map(|limit| format!("its limit is {limit} (expected bytes: more than 0, or none)")));
    let unjudged = |why: &str| Row { n_samples: n as i64, n_gaps, ..Row::unjudged(key.clone(), why) };
    if let Some(why) = refused {
        return Some(unjudged(&why));
    }
    let info = SeriesInfo {
        id,
        labels: leaktrend::series::Labels::new(),
        container_given: false,
        limit: limit.map(|bytes| Limit { bytes, source: LimitSource::Option }),
        metric,
        sampling: Sampling::Raw,
    };
    let Some(series) = MemorySeries::new(info, samples) else {
        return Some(unjudged("it has no value (expected at least one)"));
    };
    let Some(series) = series.between(start, end) else {
        return Some(unjudged(&format!(
            "it has no value in the judged window, {} to {}",
            time_text(start),
            time_text(end)
        )));
    };
    let core = analysis::terms(&settings, limit, false, unit);
    let measured = measured(&series, &core);
    let row = Row::of(key, &series, &measured, limit, core.judge.false_discovery_rate);
    Some(Row { n_gaps, ..row })
}

/// All rows, by series.
fn groups(table: &Batches, terms: &Terms) -> Result<Vec<Group>, String> {
    let places = places(table, terms)?;
    let mut groups = Groups { groups: Vec::new(), by_text: HashMap::new(), by_whole: HashMap::new(), none: None };
    for batch in &table.batches {
        for from in (0..batch.len()).step_by(ROWS) {
            read(batch, from, ROWS.min(batch.len() - from), &places, terms, &mut groups)?;
        }
    }
    if columns::integers(&*polars_arrow::array::new_empty_array(table.fields[places.time].dtype.clone())).is_some() {
        let times = groups.groups.iter().flat_map(|group| group.samples.time_ms.iter().copied());
        columns::check_whole(times, &terms.time)?;
    }
    Ok(groups.groups)
}

fn places(table: &Batches, terms: &Terms) -> Result<Places, String> {
    let place = |name: &str| {
        table.place(name).ok_or_else(|| {
            let found: Vec<String> = table
                .fields
                .iter()
                .map(|field| format!("`{}` ({})", field.name, columns::type_name(&field.dtype)))
                .collect();
            let found = if found.is_empty() { "no column".to_owned() } else { found.join(", ") };
            format!("the frame has no column `{name}` (found {found}): name the column by an argument")
        })
    };
    let of_numbers = |numbers: &Numbers| match numbers {
        Numbers::Column(name) => place(name).map(Some),
        _ => Ok(None),
    };
    Ok(Places {
        series: place(&terms.series)?,
        time: place(&terms.time)?,
        value: place(&terms.value)?,
        limit: of_numbers(&terms.limit)?,
        resolution: of_numbers(&terms.resolution)?,
        flags: terms.flags.as_deref().map(place).transpose()?,
        metric: terms.metric.as_deref().map(place).transpose()?,
    })
}

/// Groups as they are found.
struct Groups {
    groups: Vec<Group>,
    by_text: HashMap<String, usize>,
    by_whole: HashMap<i64, usize>,
    none: Option<usize>,
}

impl Groups {
    fn begin(&mut self, key: Key) -> usize {
        self.groups.push(Group {
            key,
            samples: Samples::default(),
            metric: Metric::Other,
            limit: None,
            n_gaps: 0,
            n_timeless: 0,
            refused: None,
        });
        self.groups.len() - 1
    }

    fn of_text(&mut self, key: Option<&str>) -> usize {
        let Some(key) = key else { return self.of_none() };
        if let Some(place) = self.by_text.get(key) {
            return *place;
        }
        let place = self.begin(Key::Text(key.to_owned()));
        self.by_text.insert(key.to_owned(), place);
        place
    }

    fn of_whole(&mut self, key: Option<i64>) -> usize {
        let Some(key) = key else { return self.of_none() };
        if let Some(place) = self.by_whole.get(&key) {
            return *place;
        }
        let place = self.begin(Key::Whole(key));
        self.by_whole.insert(key, place);
        place
    }

    fn of_none(&mut self) -> usize {
        match self.none {
            Some(place) => place,
            None => {
                let place = self.begin(Key::None);
                self.none = Some(place);
                place
            }
        }
    }
}

/// Reads some rows of a batch.
fn read(
    batch: &StructArray,
    from: usize,
    n: usize,
    places: &Places,
    terms: &Terms,
    groups: &mut Groups,
) -> Result<(), String> {
    let column = |place: usize| batch.values()[place].sliced(from, n);
    let numbers = |place: Option<usize>| {
        let name = |place: usize| table_name(batch, place);
        place.map(|place| columns::numbers(&*column(place), &name(place))).transpose()
    };
    let keys = column(places.series);
    let group_of: Vec<usize> = if let Some(keys) = columns::texts(&*keys) {
        keys.into_iter().map(|key| groups.of_text(key)).collect()
    } else if let Some(keys) = columns::integers(&*keys) {
        keys.into_iter().map(|key| groups.of_whole(key)).collect()
    } else {
        return Err(columns::wrong(&*keys, &terms.series, "text or whole numbers"));
    };
    let times = columns::times(&*column(places.time), &terms.time)?;
    let values = columns::numbers(&*column(places.value), &terms.value)?;
    let limits = numbers(places.limit)?;
    let resolutions = numbers(places.resolution)?;
    let resolution = if let Numbers::All(bytes) = terms.resolution { bytes } else { 1.0 };
    let flags = match places.flags {
        None => None,
        Some(place) => {
            let flags = column(place);
            let expected = "whole numbers";
            let wrong = || columns::wrong(&*flags, &table_name(batch, place), expected);
            Some(columns::integers(&*flags).ok_or_else(wrong)?)
        }
    };
    let metrics = places.metric.map(|place| (place, column(place)));
    let metrics = match &metrics {
        None => None,
        Some((place, column)) => Some(
            columns::texts(&**column).ok_or_else(|| columns::wrong(&**column, &table_name(batch, *place), "text"))?,
        ),
    };
    for row in 0..n {
        let group = &mut groups.groups[group_of[row]];
        let Some(time_ms) = times[row] else {
            group.n_timeless += 1;
            continue;
        };
        if let Some(bytes) = limits.as_ref().and_then(|limits| limits[row])
            && group.limit.is_none_or(|(at, _)| at <= time_ms)
        {
            group.limit = Some((time_ms, bytes));
        }
        let Some(value) = values[row] else {
            group.n_gaps += 1;
            continue;
        };
        if !(0.0..=LARGEST).contains(&value) {
            group.refused.get_or_insert_with(|| {
                format!("its value at {} is {value} (expected bytes: 0 to 2^53)", time_text(time_ms))
            });
            continue;
        }
        if columns::FARTHEST_MS < time_ms.saturating_abs() && places.is_dated(batch) {
            group.refused.get_or_insert_with(|| format!("a time is {time_ms} ms (expected the years up to 5138)"));
            continue;
        }
        let resolution = resolutions.as_ref().map_or(Some(resolution), |of_rows| of_rows[row]).unwrap_or(1.0);
        if !(0.0 < resolution && resolution <= LARGEST) {
            group.refused.get_or_insert_with(|| {
                format!("its resolution at {} is {resolution} (expected bytes above 0)", time_text(time_ms))
            });
            continue;
        }
        let marks = flags.as_ref().and_then(|flags| flags[row]).map_or(0, |flags| flags as u8);
        if let Some(name) = metrics.as_ref().and_then(|metrics| metrics[row]) {
            group.metric = Metric::ALL.into_iter().find(|metric| metric.name() == name).unwrap_or(Metric::Other);
        }
        group.samples.push(time_ms, value, resolution, Marks::from_bits(marks));
    }
    Ok(())
}

impl Places {
    /// Whether times are timestamps: whole numbers are looked at all together.
    fn is_dated(&self, batch: &StructArray) -> bool {
        columns::integers(&*batch.values()[self.time].sliced(0, 0)).is_none()
    }
}

fn table_name(batch: &StructArray, place: usize) -> String {
    batch.fields()[place].name.to_string()
}
