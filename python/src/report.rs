//! Whole runs of the program: reading, and reports.

use clap::Parser;
use leaktrend::account::Input;
use leaktrend::analysis::{self, Job};
use leaktrend::cli::{self, AnalyzeArgs, Args, Command};
use leaktrend::frame::SampleFrame;
use leaktrend::limits::{GivenLimits, Hosts};
use leaktrend::program::{self, Audience};
use leaktrend::report::chart::{self, Theme};
use leaktrend::report::{KnownLimit, Report as Made, html, json, pictures, table};
use leaktrend::series::{MemorySeries, SeriesInfo};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;

use crate::capsule::Batches;
use crate::columns;
use crate::rows::{self, Answer, Key, Row};
use crate::table::Table;
use crate::to_py;

/// The arguments of `leaktrend analyze`.
fn arguments(words: Vec<String>) -> PyResult<Box<AnalyzeArgs>> {
    let words = ["leaktrend".to_owned(), "analyze".to_owned()].into_iter().chain(words);
    let args = Args::try_parse_from(words).map_err(|refused| {
        let text = refused.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        PyValueError::new_err(text.split("\n\nUsage:").next().unwrap_or(text).trim_end().to_owned())
    })?;
    match args.command {
        Command::Analyze(args) => Ok(args),
        _ => Err(PyValueError::new_err("these are not arguments of `analyze`")),
    }
}

/// Everything that one run has found.
#[pyclass(frozen, module = "leaktrend", name = "NativeReport")]
pub(crate) struct NativeReport {
    report: Made,
}

/// Reads, judges and writes what the arguments of `leaktrend analyze` name.
#[pyfunction]
pub(crate) fn analyze(py: Python<'_>, words: Vec<String>) -> PyResult<NativeReport> {
    let args = arguments(words)?;
    let report = py.detach(|| program::analyze(&args, Audience::Caller)).map_err(|error| to_py(&error))?;
    Ok(NativeReport { report })
}

#[pymethods]
impl NativeReport {
    /// The outcome of the run.
    #[getter]
    fn outcome(&self) -> &'static str {
        self.report.outcome.name()
    }

    /// What the program would have exited with.
    #[getter]
    fn exit_code(&self) -> u8 {
        self.report.exit_code as u8
    }

    /// The ids of the series, the worst first.
    #[getter]
    fn series(&self) -> Vec<String> {
        self.report.series.iter().map(|series| series.id().to_owned()).collect()
    }

    /// The JSON verdict.
    fn to_json(&self, py: Python<'_>) -> String {
        py.detach(|| json::render(&self.report, &[]))
    }

    /// The report as one page.
    fn to_html(&self, py: Python<'_>) -> String {
        py.detach(|| html::render(&self.report, leaktrend::report::folder::Charts::Failing))
    }

    /// The cells of the table of all series, with its headings first; without the last, which is a picture.
    fn cells(&self) -> Vec<Vec<String>> {
        let headings = table::HEADINGS[..8].iter().map(|heading| (*heading).to_owned()).collect();
        let rows = self.report.series.iter().map(|series| {
            let row = table::row(&self.report, series, 8);
            let outcome = row.outcome.to_owned();
            vec![outcome, series.id().to_owned(), row.finding, row.since, row.growth, row.now, row.limit, row.full]
        });
        std::iter::once(headings).chain(rows).collect()
    }

    /// The chart of a series, as SVG.
    fn chart(&self, py: Python<'_>, series: &str) -> PyResult<String> {
        let found = self.report.series.iter().find(|one| one.id() == series);
        let found = found.ok_or_else(|| PyKeyError::new_err(format!("no series is named {series:?}")))?;
        Ok(py.detach(|| chart::svg(&pictures::of(&self.report, found), Theme::Light)))
    }

    /// The verdicts as a table, with the columns of `judge`. What only a later `settle` needs is null.
    fn verdicts(&self) -> Table {
        let rows: Vec<Row> = self
            .report
            .series
            .iter()
            .map(|series| {
                let own_limit = series.limit.and_then(KnownLimit::own);
                // A report also says when the level is reached at which earlier runs were killed.
                let time_to_limit = series.time_to_limit.as_ref().filter(|_| own_limit.is_some());
                let answer = Answer::of(&series.judgement, &series.samples, time_to_limit);
                let used = series.samples.used_bytes();
                Row {
                    answer,
                    error: None,
                    q_value: series.q_value,
                    tolerance_bytes_per_second: Some(series.tolerance.bytes_per_second).filter(|rate| rate.is_finite()),
                    limit_bytes: own_limit,
                    last_bytes: used.last().copied(),
                    n_samples: series.samples.len() as i64,
                    start: Some(series.samples.start_ms()),
                    end: Some(series.samples.end_ms()),
                    ..Row::unjudged(Key::Text(series.id().to_owned()), "")
                }
            })
            .collect();
        Table::new(Batches::of(rows::columns("series", &rows)))
    }
}

/// The samples of files of any format that the program knows, and the account of each input as JSON.
#[pyfunction]
pub(crate) fn read(py: Python<'_>, words: Vec<String>) -> PyResult<(Table, String)> {
    let args = arguments(words)?;
    let job = cli::job(&args).map_err(|error| to_py(&error))?;
    py.detach(|| {
        let frame = SampleFrame::new(leaktrend::read::readings(&job.sources, &job.ingest));
        let accounts = serde_json::to_string(frame.inputs()).expect("accounts can be written");
        let unusable = |input: &Input| Some((input.path.clone(), input.unusable.clone()?));
        if frame.series().iter().all(|series| series.n_samples == 0) {
            return Err(match frame.inputs().iter().find_map(unusable) {
                Some((path, why)) => PyValueError::new_err(format!("cannot use `{path}`: {why}")),
                None => PyValueError::new_err("no usable sample in any input"),
            });
        }
        Ok((Table::new(samples(frame, &job)), accounts))
    })
}

/// A row for each sample.
fn samples(mut frame: SampleFrame, job: &Job) -> Batches {
    let given = GivenLimits { limits: &job.limits, rules: &job.rules };
    let host = job.settings.verdict.host_memory_bytes.map(|bytes| bytes.as_f64());
    let hosts = Hosts::of(&frame, host, &given, &mut Vec::new());
    frame.retain(|info| job.selection.keeps(info) && !job.rules.ignores(&leaktrend::amounts::names(info)));
    let own: std::collections::HashMap<String, f64> = frame
        .series()
        .iter()
        .filter_map(|entry| {
            let limit = hosts.limit(&entry.info, &entry.inputs, &given).and_then(KnownLimit::own)?;
            Some((entry.info.id.clone(), limit))
        })
        .collect();
    let series = frame.into_series();
    fn of_each<'a, T>(
        series: &'a [MemorySeries],
        of: impl Fn(&'a MemorySeries) -> T + Copy + 'a,
    ) -> impl Iterator<Item = T> + 'a
    where
        T: Clone + 'a,
    {
        series.iter().flat_map(move |one| std::iter::repeat_n(of(one), one.len()))
    }
    let labels: Vec<String> =
        series.iter().map(|one| serde_json::to_string(&one.info.labels).expect("texts can be written")).collect();
    let labels = series.iter().zip(&labels).flat_map(|(one, labels)| std::iter::repeat_n(Some(labels), one.len()));
    let resolution = series.iter().flat_map(|one| (0..one.len()).map(|index| Some(one.resolution_bytes().get(index))));
    let flags = series.iter().flat_map(|one| (0..one.len()).map(|index| Some(one.marks(index).bits())));
    Batches::of(vec![
        columns::text("series", of_each(&series, |one| Some(one.info.id.as_str()))),
        columns::text("container", of_each(&series, |one| Some(one.info.container()))),
        columns::text("labels", labels),
        columns::text("metric", of_each(&series, |one| Some(one.info.metric.name()))),
        columns::time("time", series.iter().flat_map(|one| one.time_ms().iter().map(|time| Some(*time)))),
        columns::primitive("used_bytes", series.iter().flat_map(|one| one.used_bytes().iter().map(|used| Some(*used)))),
        columns::primitive("resolution_bytes", resolution),
        columns::primitive("limit_bytes", of_each(&series, |one| one.info.limit.map(|limit| limit.bytes))),
        columns::primitive("own_limit_bytes", of_each(&series, |one| own.get(&one.info.id).copied())),
        columns::primitive("flags", flags),
    ])
}

/// The chart of one series, as SVG.
pub(crate) fn picture(
    series: MemorySeries,
    settings: &leaktrend::settings::Settings,
) -> Result<String, leaktrend::error::Error> {
    use leaktrend::decode::SeriesSamples;
    use leaktrend::resolve::Readings;

    let info: SeriesInfo = series.info.clone();
    let samples = SeriesSamples { info, samples: series.into_samples(), inputs: Vec::new() };
    let readings = Readings::of(vec![samples]);
    let mut settings = settings.clone();
    // What was judged is shown: all of it.
    settings.window.last_seconds = leaktrend::units::Seconds::whole(0);
    let report = analysis::judge_frame(SampleFrame::new(readings), &settings)?;
    let one = report.series.first().ok_or(leaktrend::error::Error::NoSamples)?;
    Ok(chart::svg(&pictures::of(&report, one), Theme::Light))
}
