//! The nightly job: reads what is new in logs, adds it to the history, judges the last day, week and month.
//!
//! Takes logs, a folder of its own and the time; gives `Nightly`, which `text` and `textfile` format. Nothing of a log
//! is counted twice, and whatever kills it loses nothing: `state` says how.

mod changes;
mod contents;
mod history;
mod logs;
mod state;
pub mod text;
pub mod textfile;
mod windows;

use std::path::PathBuf;

pub use changes::{Changes, LevelChange, VerdictChange};
pub use history::Added;
pub use windows::{Span, Window};

use crate::analysis::{self, Job};
use crate::criteria::{Criterion, Status};
use crate::error::Error;
use crate::frame;
use crate::ingest::Input;
use crate::policy::{self, ExitCode, Outcome};
use crate::report::SeriesReport;
use crate::series::SeriesInfo;
use crate::units::Seconds;
use state::{Account, Memory, Run, RunResult, Store};

/// What to do tonight.
#[derive(Debug, Clone)]
pub struct NightJob {
    /// The logs; files that rotation made of them are found beside them.
    pub logs: Vec<PathBuf>,
    /// The folder of the history.
    pub state: PathBuf,
    /// How to read and judge; its sources and its window are not used.
    pub job: Job,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
    /// Where all kept samples go as one long table, for notebooks.
    pub frame: Option<PathBuf>,
}

/// What the night came to.
#[derive(Debug, Clone)]
pub struct Nightly {
    /// When it ran, in milliseconds.
    pub now_ms: i64,
    /// The newest reading, in milliseconds; `None` when there is none at all.
    pub end_ms: Option<i64>,
    /// The spans that were judged, the shortest first; a longer one that holds no more readings is left out.
    pub windows: Vec<Window>,
    /// The one that decides, as an index.
    pub decides: usize,
    /// The worst that counts.
    pub outcome: Outcome,
    /// How the program ends.
    pub exit_code: ExitCode,
    /// What was added to the history.
    pub added: Added,
    /// Samples that were too old to be kept any longer.
    pub n_dropped: u64,
    /// The newest reading of each log, in milliseconds, in the order of the reports' inputs.
    pub log_ends: Vec<Option<i64>>,
    /// What is different from yesterday.
    pub changes: Changes,
    /// Share of a window that readings must cover for it to decide.
    pub min_coverage: f64,
}

impl Nightly {
    /// The window that decides.
    pub fn deciding(&self) -> &Window {
        &self.windows[self.decides]
    }

    /// Every series with the window that decides for it: the longest in which it fails, or else the longest that is
    /// covered well enough; worst first.
    pub fn series(&self) -> Vec<(Span, &SeriesReport)> {
        windows::by_series(&self.windows, self.min_coverage)
    }
}

/// Runs the job. `on_report` is given the result before the night is remembered as done.
///
/// # Errors
///
/// When another run uses the folder, when what it holds cannot be used, or when something cannot be written. What goes
/// wrong with a log is part of the report.
pub fn run(night: &NightJob, on_report: &mut dyn FnMut(&Nightly) -> Result<(), Error>) -> Result<Nightly, Error> {
    let (mut store, mut memory) = Store::open(&night.state)?;
    let settings = &night.job.settings;
    let interval_ms = night.job.ingest.interval.map(Seconds::as_ms);

    let mut read = logs::read(&night.logs, &memory.logs, &night.job.ingest, night.now_ms)?;
    let (logs, added) = history::add(&mut memory, &mut read, interval_ms, night.now_ms);
    let n_dropped = history::prune(&mut memory, settings.nightly.keep_seconds.as_ms(), night.now_ms);
    let accounts = logs.iter().zip(&mut read).map(|(log, read)| (*log, std::mem::take(&mut read.account))).collect();
    // Runs before yesterday's are of no use any more.
    memory.runs.drain(..changes::yesterday(&memory.runs, night.now_ms).unwrap_or(0));
    memory.runs.push(Run { at_ms: night.now_ms, accounts, result: None });
    store.keep(&memory)?;

    let tonights = tonights_accounts(&memory, night.now_ms, &logs);
    let inputs: Vec<Input> = read.into_iter().zip(&tonights).map(|(log, account)| account.of(log.input)).collect();
    let names = history::names(&memory);
    let everything = history::since(&memory, &names, &logs, &inputs, i64::MIN).series;
    if let Some(path) = &night.frame {
        frame::write(&everything, path).map_err(|source| Error::Write { path: path.clone(), source })?;
    }
    let end_ms = everything.iter().filter_map(|series| series.samples.time_ms.last()).max().copied();
    let windows = judge(night, &memory, &names, &logs, &inputs, end_ms.unwrap_or(night.now_ms))?;

    let min_coverage = settings.nightly.min_coverage.get();
    let decides = windows::deciding(&windows, min_coverage);
    let outcome = windows[decides].report.outcome;
    let mut policy = settings.policy.clone();
    policy.inconclusive = settings.nightly.inconclusive;
    let all_used = inputs.iter().all(|input| input.unusable.is_none());
    let ids: Vec<&str> = names.iter().map(String::as_str).collect();
    let tables_hold = ids.is_empty() || night.job.rules.unmatched(&ids).is_empty();
    let strict_holds =
        !policy.strict || tables_hold && inputs.iter().all(|input| input.rejected_count == 0 && !input.incomplete);
    let mut nightly = Nightly {
        now_ms: night.now_ms,
        end_ms,
        windows,
        decides,
        outcome,
        exit_code: policy::exit_code(outcome, &policy, all_used, strict_holds),
        added,
        n_dropped,
        log_ends: logs.iter().map(|log| memory.logs[*log].end_ms).collect(),
        changes: Changes::default(),
        min_coverage,
    };
    let tonight = remembered(&nightly);
    nightly.changes = changes::since_yesterday(&memory.runs, night.now_ms, &tonight, &everything);

    on_report(&nightly)?;
    memory.runs.last_mut().expect("it was pushed above").result = Some(tonight);
    store.keep_result(&memory)?;
    Ok(nightly)
}

/// Judges each span that holds more than the one before it; the first in any case.
fn judge(
    night: &NightJob,
    memory: &Memory,
    names: &[String],
    logs: &[usize],
    inputs: &[Input],
    end_ms: i64,
) -> Result<Vec<Window>, Error> {
    let freshness = history::freshness(memory, names, night.now_ms);
    // A name may be that of a container that is not in the window, or whose log was not named tonight.
    let of_history = memory.series.iter().zip(names);
    let known: Vec<SeriesInfo> =
        of_history.map(|(kept, id)| SeriesInfo { id: id.clone(), ..kept.info.clone() }).collect();
    let mut windows: Vec<Window> = Vec::new();
    let mut n_judged = None;
    for span in Span::ALL {
        let start_ms = end_ms - span.length_ms();
        let ingested = history::since(memory, names, logs, inputs, start_ms);
        let n_samples: usize = ingested.series.iter().map(|series| series.samples.len()).sum();
        if n_judged.is_some_and(|judged| n_samples <= judged) {
            continue;
        }
        n_judged = Some(n_samples);
        let coverage = windows::coverage(&ingested.series, start_ms, end_ms);
        let mut job = Job { freshness: freshness.clone(), ..night.job.clone() };
        job.settings.window.last_seconds = Seconds::new(span.length_ms() as f64 / 1000.0).expect("a span is positive");
        job.settings.policy.inconclusive = job.settings.nightly.inconclusive;
        let report = analysis::judge(&job, ingested, &known, &mut |_| Ok(()))?;
        windows.push(Window { span, coverage, report });
    }
    Ok(windows)
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

/// What is remembered of tonight: the series whose readings still come, as they are judged.
fn remembered(nightly: &Nightly) -> RunResult {
    let is_gone = |criterion: &Criterion| criterion.id == "stale-data" && criterion.status == Status::NotApplicable;
    let is_there = |series: &&SeriesReport| !series.criteria.iter().any(is_gone);
    let entry = |series: &SeriesReport| {
        (series.id().to_owned(), series.outcome.name().to_owned(), series.verdict().name().to_owned())
    };
    RunResult {
        end_ms: nightly.end_ms.unwrap_or(nightly.now_ms),
        series: nightly.series().into_iter().map(|(_, series)| series).filter(is_there).map(entry).collect(),
    }
}
