//! The nightly job: reads what is new in logs, adds it to the history, judges the last day, week and month.
//!
//! Takes logs, a folder of its own and the time; gives `Nightly`, which `text` and `textfile` format. Nothing of a log
//! is counted twice, and whatever kills it loses nothing: `state` says how.

mod changes;
mod contents;
mod gone;
mod history;
mod identities;
mod logs;
mod servers;
mod state;
pub mod text;
pub mod textfile;
mod windows;

use std::fs::File;
use std::path::{Path, PathBuf};

pub use changes::{Changes, LevelChange, Recreated, Renamed, VerdictChange};
pub use gone::GoneSeries;
pub use history::Added;
pub use windows::{NightWindow, WindowLength};

use crate::account::Input;
use crate::amounts;
use crate::analysis::{self, Case, Job};
use crate::criteria::Status;
use crate::error::Error;
use crate::frame::SampleFrame;
use crate::policy::{self, ExitCode, Outcome};
use crate::report::{SeriesReport, StoppedInput};
use crate::series::SeriesInfo;
use crate::settings::PolicySettings;
use crate::units::{RateUnit, Seconds};
use crate::window::{WindowSpec, WindowStart};
use state::{Account, Memory, Run, RunResult, Store};

/// What to do tonight.
#[derive(Debug, Clone)]
pub struct NightJob {
    /// The logs; files that rotation made of them are found beside them.
    pub logs: Vec<PathBuf>,
    /// Servers that are asked for what is new, as reports call them.
    pub servers: Vec<PathBuf>,
    /// The folder of the history.
    pub state: PathBuf,
    /// How to read and judge; its sources and its window are not used.
    pub job: Job,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
    /// Where all kept samples go as one long table, for notebooks.
    pub parquet: Option<PathBuf>,
    /// Whether criteria that cannot be evaluated are named with their reasons, although an earlier night named them.
    pub explain: bool,
}

/// What the night came to.
#[derive(Debug, Clone)]
pub struct Nightly {
    /// When it ran, in milliseconds.
    pub now_ms: i64,
    /// The newest reading, in milliseconds; `None` when there is none at all.
    pub end_ms: Option<i64>,
    /// The spans that were judged, the shortest first; a longer one that holds no more readings is left out.
    pub windows: Vec<NightWindow>,
    /// The one that decides, as an index.
    pub decides: usize,
    /// The worst that counts.
    pub outcome: Outcome,
    /// How the program ends.
    pub exit_code: ExitCode,
    /// What was added to the history.
    pub added: Added,
    /// Samples that were too old to keep.
    pub n_dropped: u64,
    /// The newest reading of each log, in milliseconds, in the order of the reports' inputs, which begin with the logs.
    pub log_ends: Vec<Option<i64>>,
    /// What is different from yesterday.
    pub changes: Changes,
    /// Containers that are gone, the last to go first.
    pub gone: Vec<GoneSeries>,
    /// Logs that have stopped.
    pub stopped: Vec<StoppedInput>,
    /// Whether criteria that cannot be evaluated are explained.
    pub explain: bool,
    /// Share of a window that readings must cover for it to decide.
    pub min_coverage: f64,
}

impl Nightly {
    /// The window that decides.
    pub fn deciding(&self) -> &NightWindow {
        &self.windows[self.decides]
    }

    /// Every series that is judged with the window that decides for it, worst first.
    pub fn series(&self) -> Vec<(WindowLength, &SeriesReport)> {
        let series = windows::by_series(&self.windows, self.min_coverage);
        series.into_iter().map(|(window, series)| (self.windows[window].span, series)).collect()
    }
}

/// Sets what the folder of the history holds aside, whatever it is, so that the next run starts over. Gives where it is
/// now; `None` where there was nothing.
///
/// # Errors
///
/// When another run uses the folder, or when something cannot be moved.
pub fn reset_state(folder: &Path) -> Result<Option<PathBuf>, Error> {
    Store::reset(folder)
}

/// What a server of `NightJob::servers`, by its index, holds from a time on in milliseconds, as a file that `decode`
/// reads; without a time, what a first night reads. Or why it cannot be read.
pub type Fetch<'a> = &'a dyn Fn(usize, Option<i64>) -> Result<File, String>;

/// Runs the job. `on_report` is given the result before the night is remembered as done.
///
/// # Errors
///
/// When another run uses the folder, when what it holds cannot be used, or when something cannot be written. What goes
/// wrong with a log is part of the report.
pub fn run(
    night: &NightJob,
    fetch: Fetch<'_>,
    on_report: &mut dyn FnMut(&Nightly) -> Result<(), Error>,
) -> Result<Nightly, Error> {
    let (mut store, mut memory) = Store::open(&night.state)?;
    let settings = &night.job.settings;
    let interval_ms = night.job.ingest.interval.map(Seconds::as_ms);

    let mut read = logs::read(&night.logs, &memory.logs, &night.job.ingest, night.now_ms);
    let oldest_ms = night.now_ms - settings.nightly.keep_seconds.as_ms();
    read.extend(servers::read(&night.servers, &memory.logs, oldest_ms, fetch));
    let (logs, added) = history::add(&mut memory, &mut read, interval_ms, night.now_ms);
    let n_dropped = history::prune(&mut memory, settings.nightly.keep_seconds.as_ms(), night.now_ms);
    let accounts = logs.iter().zip(&mut read).map(|(log, read)| (*log, std::mem::take(&mut read.account))).collect();
    // Runs before yesterday's are of no use any more.
    memory.runs.drain(..changes::yesterday(&memory.runs, night.now_ms).unwrap_or(0));
    memory.runs.push(Run { at_ms: night.now_ms, accounts, result: None });
    gone::note(&mut memory, settings.criteria.stale.intervals, night.job.by, night.now_ms);
    store.keep(&memory)?;

    let tonights = tonights_accounts(&memory, night.now_ms, &logs);
    let inputs: Vec<Input> = read.into_iter().zip(&tonights).map(|(log, account)| account.of(log.input)).collect();
    let yesterday = yesterday(&memory, night.now_ms);
    let yesterday_ms = yesterday.as_ref().map(|(at_ms, _)| *at_ms);
    let names = state::names(&memory);
    let all_names: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
    let everything = history::since(&memory, &all_names, &logs, &inputs, (i64::MIN, i64::MIN));
    if let Some(path) = &night.parquet {
        let frame = SampleFrame::new(everything.clone());
        frame.write_parquet(path).map_err(|source| Error::Write { path: path.clone(), source })?;
    }
    let everything = everything.series;
    let end_ms = everything.iter().filter_map(|series| series.samples.time_ms.last()).max().copied();
    let before = yesterday.as_ref().map(|(_, result)| result);
    let mut windows = judge(night, &memory, &names, (&logs, &inputs), (before, yesterday_ms), end_ms)?;

    let min_coverage = settings.nightly.min_coverage.get();
    let policy = policy_of(&night.job);
    let all_used = inputs.iter().all(|input| input.unusable.is_none());
    let any_used = inputs.iter().any(|input| input.unusable.is_none());
    let known = known(&memory, &names);
    let tables_hold = known.is_empty() || night.job.rules.unmatched(known.iter().flat_map(amounts::names)).is_empty();
    let strict_holds =
        !policy.strict || tables_hold && inputs.iter().all(|input| input.rejected_count == 0 && !input.incomplete);
    let exit_code = |outcome| policy::exit_code(outcome, &policy, all_used, strict_holds);
    windows::settle(&mut windows, min_coverage, &|report| report.exit_code = exit_code(report.outcome));
    let series = windows::by_series(&windows, min_coverage);
    let decides = windows::deciding(&windows, &series, min_coverage);
    let outcomes: Vec<(Outcome, bool)> = series.iter().map(|(_, series)| (series.outcome, series.counts)).collect();
    let mut outcome = policy::of_run(&outcomes);
    gone::remember(&mut memory, &names, &series, before);

    let intervals = settings.criteria.stale.intervals;
    let usable: Vec<Option<&str>> =
        inputs.iter().map(|input| input.unusable.is_none().then_some(input.path.as_str())).collect();
    let stopped = gone::stopped(&memory, &logs, &usable, intervals, night.now_ms);
    let stopped_fails = settings.criteria.stale.gates && !stopped.is_empty() && outcome != Outcome::Error;
    if stopped_fails {
        outcome = Outcome::Fail;
    }
    let reported_before = before.filter(|_| !night.explain).map_or(&[][..], |before| &before.reported);
    for window in &mut windows {
        let report = &mut window.report;
        report.reported = reported_before.to_vec();
        report.stopped.clone_from(&stopped);
        if stopped_fails {
            report.outcome = Outcome::Fail;
            report.exit_code = exit_code(report.outcome);
        }
    }
    // Where nothing new was read, what fails is what failed before.
    let exit_code = if any_used { exit_code(outcome) } else { ExitCode::NotDone };
    let mut nightly = Nightly {
        now_ms: night.now_ms,
        end_ms,
        windows,
        decides,
        outcome,
        exit_code,
        added,
        n_dropped,
        log_ends: logs.iter().map(|log| memory.logs[*log].end_ms).collect(),
        changes: Changes::default(),
        gone: gone::list(&memory, &names, &logs, yesterday_ms),
        stopped,
        explain: night.explain,
        min_coverage,
    };
    let tonight = remembered(&nightly, before);
    let since = yesterday_ms.zip(before);
    nightly.changes = changes::since_yesterday(since, &tonight, &everything, &memory.renames);

    on_report(&nightly)?;
    memory.runs.last_mut().expect("it was pushed above").result = Some(tonight);
    store.keep_result(&memory)?;
    Ok(nightly)
}

/// When the night before ran and what it came to, by the names of tonight; `None` on the first one.
fn yesterday(memory: &Memory, now_ms: i64) -> Option<(i64, RunResult)> {
    let run = &memory.runs[changes::yesterday(&memory.runs, now_ms)?];
    Some((run.at_ms, changes::under_new_names(run.result.as_ref()?, &memory.renames)))
}

/// What an outcome means for the exit code of a night.
fn policy_of(job: &Job) -> PolicySettings {
    PolicySettings { inconclusive: job.settings.nightly.inconclusive, ..job.settings.policy.clone() }
}

/// Judges each span that holds more than the one before it; the first in any case. `logs`: those of tonight, as indices,
/// and their accounts; `yesterday`: what the night before came to and when it ran.
fn judge(
    night: &NightJob,
    memory: &Memory,
    names: &[String],
    logs: (&[usize], &[Input]),
    yesterday: (Option<&RunResult>, Option<i64>),
    end_ms: Option<i64>,
) -> Result<Vec<NightWindow>, Error> {
    let ((logs, inputs), (before, yesterday_ms)) = (logs, yesterday);
    let end_ms = end_ms.unwrap_or(night.now_ms);
    let freshness = gone::freshness(memory, names, before, night.now_ms);
    // A name may be that of a container that is not in the window, or whose log was not named tonight.
    let known = known(memory, names);
    let judged = |(kept, name)| (!gone::is_silent(kept, yesterday_ms)).then_some(name);
    let names: Vec<Option<&str>> = memory.series.iter().zip(names.iter().map(String::as_str)).map(judged).collect();
    let mut jobs: Vec<Job> = Vec::new();
    let mut found: Vec<(WindowLength, f64, SampleFrame)> = Vec::new();
    let mut n_judged = None;
    for span in WindowLength::ALL {
        let start_ms = end_ms - span.length_ms();
        let readings = history::since(memory, &names, logs, inputs, (start_ms, end_ms));
        let n_samples: usize = readings.series.iter().map(|series| series.samples.len()).sum();
        if n_judged.is_some_and(|judged| n_samples <= judged) {
            continue;
        }
        n_judged = Some(n_samples);
        let coverage = windows::coverage(&readings.series, start_ms, end_ms);
        // What is to be judged was chosen above; the windows of a night are read side by side.
        let window =
            WindowSpec { since: Some(WindowStart::Beginning), rate_unit: Some(RateUnit::Day), ..night.job.window };
        let mut job = Job { freshness: freshness.clone(), window, ..night.job.clone() };
        job.settings.window.last_seconds = Seconds::new(span.length_ms() as f64 / 1000.0).expect("a span is positive");
        job.settings.policy = policy_of(&job);
        jobs.push(job);
        found.push((span, coverage, SampleFrame::new(readings)));
    }
    let mut spans = Vec::new();
    let mut cases = Vec::new();
    for (job, (span, coverage, frame)) in jobs.iter().zip(found) {
        spans.push((span, coverage));
        cases.push(Case::new(job, frame, Some(&known), &mut |_| Ok(()))?);
    }
    let reports = analysis::judge_all(&night.job, cases);
    let window = |((span, coverage), report)| NightWindow { span, coverage, report };
    Ok(spans.into_iter().zip(reports).map(window).collect())
}

/// Who all series of the history are, by the names of tonight.
fn known(memory: &Memory, names: &[String]) -> Vec<SeriesInfo> {
    let of_history = memory.series.iter().zip(names);
    of_history.map(|(kept, id)| SeriesInfo { id: id.clone(), ..kept.info.clone() }).collect()
}

/// What was met in each log since yesterday's run: also by runs since then, of which some may have been stopped.
fn tonights_accounts(memory: &Memory, now_ms: i64, logs: &[usize]) -> Vec<Account> {
    let first = changes::yesterday(&memory.runs, now_ms).map_or(0, |index| index + 1);
    let of_log = |log: usize| {
        let accounts = memory.runs[first..].iter().flat_map(|run| &run.accounts);
        accounts.filter(move |(of, _)| *of == log).map(|(_, account)| account)
    };
    logs.iter()
        .map(|log| {
            let mut sum = Account::default();
            of_log(*log).for_each(|account| sum.add(account));
            sum
        })
        .collect()
}

/// What is remembered of tonight: the series whose readings still come, as they are judged, and what was said of criteria
/// that cannot be evaluated.
fn remembered(nightly: &Nightly, before: Option<&RunResult>) -> RunResult {
    let is_there = |series: &&SeriesReport| nightly.gone.iter().all(|gone| gone.series != series.samples.info.id);
    let entry = |series: &SeriesReport| {
        (series.id().to_owned(), series.outcome.name().to_owned(), series.verdict().name().to_owned())
    };
    let mut reported = before.map_or(Vec::new(), |before| before.reported.clone());
    let criteria = nightly.deciding().report.series.iter().flat_map(|series| &series.criteria);
    let cannot = criteria.filter(|criterion| criterion.status == Status::NotEvaluable && criterion.gates);
    reported.extend(cannot.map(|criterion| criterion.id.to_string()));
    reported.sort_unstable();
    reported.dedup();
    RunResult {
        end_ms: nightly.end_ms.unwrap_or(nightly.now_ms),
        series: nightly.series().into_iter().map(|(_, series)| series).filter(is_there).map(entry).collect(),
        reported,
    }
}
