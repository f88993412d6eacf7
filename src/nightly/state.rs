//! What is remembered between nights: a folder with `state.json`, the history as one Parquet file, and a lock.
//!
//! `state.json` names the history file that belongs to it and is replaced by rename, last: readings and the account of
//! what was read of each log change in one step, at whatever point the program is killed.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::account::{Input, Rejected, Warning};
use crate::decode::ReportedRestarts;
use crate::error::Error;
use crate::files;
use crate::frame;
use crate::series::{Limit, LimitSource, Metric, Samples, Sampling, SeriesInfo};

/// The version of the folder's layout: what a later version wrote is refused.
const VERSION: u32 = 3;
/// The oldest layout that is still read; it knew no IDs of containers, and none that were gone. Up to version 2 the history
/// named its series by their indices.
const OLDEST_VERSION: u32 = 1;

/// The account of what is remembered.
const STATE: &str = "state.json";
/// What else can be done about a folder that cannot be used.
const ANEW: &str = "or start a new history with `--reset-state`, which moves the old one aside";

/// Everything that is remembered.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Memory {
    /// The logs, in the order in which they were first given.
    pub(super) logs: Vec<LogMemory>,
    /// Every series of every log.
    pub(super) series: Vec<KeptSeries>,
    /// The run of yesterday and those since, in the order in which they ran.
    pub(super) runs: Vec<Run>,
    /// Containers that go by another name than before, in the order in which that was seen.
    pub(super) renames: Vec<Rename>,
}

/// A container that was given another name: its history is kept under the new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rename {
    /// The log that it is from, as an index.
    pub(super) log: usize,
    /// What it was called.
    pub(super) before: String,
    /// What it is called.
    pub(super) now: String,
    /// The first reading under the new name, in milliseconds.
    pub(super) at_ms: i64,
}

/// What is known of a log, whatever its files are called tonight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LogMemory {
    /// Where it was last found.
    pub(super) path: PathBuf,
    /// Whether its readings carry no time.
    pub(super) untimed: bool,
    /// When its last reading was taken, in milliseconds; `None` before the first.
    pub(super) end_ms: Option<i64>,
    /// The contents that were read.
    pub(super) read: Vec<ReadContent>,
}

/// A file that was read: it is known again under any name, compressed or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ReadContent {
    /// What was read of it on each night, growing; at least one.
    pub(super) beginnings: Vec<Beginning>,
    /// The last lines that were read, to find the place in a log that was cut at its front; empty when it is too short
    /// for that.
    pub(super) tail: String,
    /// The last night on which a file began with it, in milliseconds.
    pub(super) seen_ms: i64,
}

/// The first bytes of a file, decompressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Beginning {
    /// How many.
    pub(super) length: u64,
    /// Their SHA-256, in hexadecimal digits.
    pub(super) sha256: String,
}

/// A series and all its samples that are kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KeptSeries {
    /// The log that it is from, as an index.
    pub(super) log: usize,
    /// Who it is in that log.
    pub(super) info: SeriesInfo,
    /// Its samples, in time order.
    pub(super) samples: Samples,
    /// The ID of the container that it is of, as far as the log tells: the first 12 digits.
    pub(super) instance: Option<String>,
    /// Set while its container is gone.
    pub(super) gone: Option<Gone>,
    /// What exports reported its restarts.
    pub(super) reported: ReportedRestarts,
}

/// A container that is gone while others of its log go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gone {
    /// The first run that found it gone, in milliseconds.
    pub(super) found_ms: i64,
    /// What its readings up to the last one came to, once they were judged.
    pub(super) judged: Option<Judged>,
}

/// What a series came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Judged {
    /// The outcome.
    pub(super) outcome: String,
    /// The verdict.
    pub(super) verdict: String,
}

/// A run of the job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    /// When it ran, in milliseconds.
    pub(super) at_ms: i64,
    /// What it met in the lines that were new to it, by log as an index.
    pub(super) accounts: Vec<(usize, Account)>,
    /// What it came to; `None` when it was stopped before its report was written.
    pub(super) result: Option<RunResult>,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RunResult {
    /// The newest reading that it knew, in milliseconds.
    pub(super) end_ms: i64,
    /// Its series: name, outcome and verdict.
    pub(super) series: Vec<(String, String, String)>,
    /// Criteria that its report, or an earlier one, said cannot be evaluated.
    #[serde(default, alias = "told")]
    pub(super) reported: Vec<String>,
}

/// What was met in lines of a log that were new.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Account {
    /// The lines; `None` for what does not consist of lines.
    pub(super) lines: Option<u64>,
    /// Readings on lines that hold another one before them.
    pub(super) further: u64,
    /// Readings.
    pub(super) samples: u64,
    /// Readings that say that there is no value.
    pub(super) gaps: u64,
    /// Lines that are not meant to be readings.
    pub(super) other_lines: u64,
    /// Lines that were not understood.
    pub(super) rejected_count: u64,
    /// The first of these.
    pub(super) rejected: Vec<Rejected>,
    /// Whether something is known to be missing.
    pub(super) incomplete: bool,
    /// What a reader of the report must know.
    pub(super) warnings: Vec<Warning>,
}

/// The folder, locked for this run.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    generation: u64,
    _lock: Lock,
}

/// `state.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    version: u32,
    generation: u64,
    logs: Vec<LogMemory>,
    series: Vec<SeriesEntry>,
    runs: Vec<Run>,
    #[serde(default)]
    renames: Vec<Rename>,
}

/// A series in `state.json`; its samples are those of its name in the history.
#[derive(Serialize, Deserialize)]
struct SeriesEntry {
    log: usize,
    id: String,
    labels: crate::series::Labels,
    container_given: bool,
    limit_bytes: Option<f64>,
    metric: Metric,
    sampling: Sampling,
    #[serde(default)]
    instance: Option<String>,
    #[serde(default)]
    gone: Option<Gone>,
    #[serde(default, alias = "told")]
    reported: ReportedRestarts,
}

/// Only the version: read before all else, so that a later layout is refused for what it is.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

/// The names of all series: as in their log, with the log's name where several logs have one of that name.
pub(super) fn names(memory: &Memory) -> Vec<String> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for series in &memory.series {
        *count.entry(series.info.id.as_str()).or_default() += 1;
    }
    let mut taken = HashSet::new();
    memory
        .series
        .iter()
        .map(|series| {
            let id = &series.info.id;
            if count[id.as_str()] == 1 && taken.insert(id.clone()) {
                return id.clone();
            }
            let log = memory.logs[series.log].path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let numbered = (2..).map(|number| format!("{id} ({log}, {number})"));
            let mut names = std::iter::once(format!("{id} ({log})")).chain(numbered);
            names.find(|name| taken.insert(name.clone())).expect("there are endless numbers")
        })
        .collect()
}

impl Account {
    /// Adds what a reader of the report must know.
    pub(super) fn warn(&mut self, warning: impl Into<Warning>) {
        self.warnings.push(warning.into());
    }

    /// Adds what was met in later lines.
    pub(super) fn add(&mut self, later: &Account) {
        if let Some(lines) = later.lines {
            *self.lines.get_or_insert_default() += lines;
        }
        self.further += later.further;
        self.samples += later.samples;
        self.gaps += later.gaps;
        self.other_lines += later.other_lines;
        self.rejected_count += later.rejected_count;
        let room = crate::account::MAX_REJECTED.saturating_sub(self.rejected.len());
        self.rejected.extend(later.rejected.iter().take(room).cloned());
        self.incomplete |= later.incomplete;
        let new = later.warnings.iter().filter(|warning| !self.warnings.contains(warning)).cloned();
        self.warnings.extend(new.collect::<Vec<_>>());
    }

    /// `input` with what was met in its lines.
    pub(super) fn of(&self, input: Input) -> Input {
        let Account { lines, further, samples, gaps, other_lines, rejected_count, rejected, incomplete, warnings } =
            self.clone();
        let warnings = [input.warnings, warnings].concat();
        let new_samples = Some(samples);
        Input {
            new_samples,
            gaps,
            other_lines,
            rejected_count,
            lines,
            further,
            rejected,
            incomplete,
            warnings,
            ..input
        }
    }
}

impl Store {
    /// Puts what the folder remembers aside, into a folder of its own within it, and starts over; gives that folder, or
    /// `None` where nothing was remembered.
    ///
    /// # Errors
    ///
    /// When another run holds the lock, or when something cannot be moved.
    pub(super) fn reset(folder: &Path) -> Result<Option<PathBuf>, Error> {
        let cannot = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Write { path, source }
        };
        make_folder(folder).map_err(cannot(folder))?;
        let _lock = lock(folder)?;
        let entries = fs::read_dir(folder).map_err(|source| Error::Read { path: folder.to_owned(), source })?;
        let is_state = |name: &str| name == STATE || is_history(name);
        let kept: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .filter(|entry| is_state(&entry.file_name().to_string_lossy()))
            .map(|entry| entry.path())
            .collect();
        if kept.is_empty() {
            return Ok(None);
        }
        let mut places = (1..).map(|number| folder.join(format!("set-aside-{number}")));
        let aside = places.find(|place| !place.exists()).expect("there are endless numbers");
        make_folder(&aside).map_err(cannot(&aside))?;
        // The account goes last: a reset that is killed is one of a folder that is still refused, or still whole.
        let (account, histories): (Vec<PathBuf>, Vec<PathBuf>) =
            kept.into_iter().partition(|path| path.ends_with(STATE));
        for path in histories.into_iter().chain(account) {
            let to = aside.join(path.file_name().unwrap_or_default());
            fs::rename(&path, to).map_err(cannot(&path))?;
        }
        Ok(Some(aside))
    }

    /// Locks the folder, which is made where it does not exist, and reads what it remembers.
    ///
    /// # Errors
    ///
    /// When another run holds the lock, when the folder cannot be used, or when what it holds is of another version or
    /// damaged.
    pub(super) fn open(folder: &Path) -> Result<(Store, Memory), Error> {
        let cannot_write = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Write { path, source }
        };
        make_folder(folder).map_err(cannot_write(folder))?;
        let lock = lock(folder)?;
        let path = folder.join(STATE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let store = Store { folder: folder.to_owned(), generation: 0, _lock: lock };
                store.refuse_orphans()?;
                // From here on a history without a state is one whose state was lost.
                store.write_state(&Memory::default())?;
                return Ok((store, Memory::default()));
            }
            Err(source) => return Err(Error::Read { path, source }),
        };
        let damaged = |why: String| Error::Unusable { path: path.clone(), why };
        let version: VersionOnly = serde_json::from_slice(&text).map_err(|error| {
            damaged(format!("it is not the state of the nightly job: {error} (restore a copy, {ANEW})"))
        })?;
        if !(OLDEST_VERSION..=VERSION).contains(&version.version) {
            return Err(damaged(format!(
                "it is of version {} (expected {OLDEST_VERSION} to {VERSION}): use the leaktrend that wrote it, {ANEW}",
                version.version
            )));
        }
        let state: StateFile = serde_json::from_slice(&text)
            .map_err(|error| damaged(format!("it is damaged: {error} (restore a copy, {ANEW})")))?;
        let store = Store { folder: folder.to_owned(), generation: state.generation, _lock: lock };
        if let Some(entry) = state.series.iter().find(|entry| entry.log >= state.logs.len()) {
            return Err(damaged(format!(
                "it is damaged: `{}` is from a log that it does not name (restore a copy, {ANEW})",
                entry.id
            )));
        }
        let series = state.series.into_iter().map(|entry| KeptSeries {
            log: entry.log,
            samples: Samples::default(),
            instance: entry.instance.clone(),
            reported: entry.reported.clone(),
            gone: entry.gone.clone(),
            info: entry.into_info(),
        });
        let series = series.collect();
        let mut memory = Memory { logs: state.logs, series, runs: state.runs, renames: state.renames };
        let history = store.history();
        // Of generation 0 nothing was kept yet.
        if 0 < state.generation {
            let samples = frame::read_history(&history, &names(&memory)).map_err(|error| Error::Unusable {
                path: history,
                why: format!(
                    "{} (expected the history that `state.json` names: restore a copy of both, {ANEW})",
                    first_line(&error)
                ),
            })?;
            memory.series.iter_mut().zip(samples).for_each(|(series, samples)| series.samples = samples);
        }
        store.remove_others().map_err(cannot_write(folder))?;
        Ok((store, memory))
    }

    /// Keeps `memory`, samples and all: when this returns it is on the disk, and until then the old one is.
    ///
    /// # Errors
    ///
    /// When something cannot be written; what was kept before is then as it was.
    pub(super) fn keep(&mut self, memory: &Memory) -> Result<(), Error> {
        self.generation += 1;
        let history = self.history();
        let series = memory.series.iter().zip(names(memory));
        let series: Vec<(SeriesInfo, Samples)> =
            series.map(|(kept, id)| (SeriesInfo { id, ..kept.info.clone() }, kept.samples.clone())).collect();
        files::replace_private(&history, |file| frame::write_history(series, file))
            .map_err(|source| Error::Write { path: history, source })?;
        self.write_state(memory)
    }

    /// Keeps what a run came to; the samples are those that were kept last.
    ///
    /// # Errors
    ///
    /// When it cannot be written; what was kept before is then as it was.
    pub(super) fn keep_result(&mut self, memory: &Memory) -> Result<(), Error> {
        self.write_state(memory)
    }

    fn write_state(&self, memory: &Memory) -> Result<(), Error> {
        let state = StateFile {
            version: VERSION,
            generation: self.generation,
            logs: memory.logs.clone(),
            series: memory.series.iter().map(SeriesEntry::of).collect(),
            runs: memory.runs.clone(),
            renames: memory.renames.clone(),
        };
        let path = self.folder.join(STATE);
        let written = (|| {
            // The history must be found before the state that names it.
            sync(&self.folder)?;
            files::replace_private(&path, |file| Ok(serde_json::to_writer_pretty(file, &state)?))?;
            sync(&self.folder)?;
            self.remove_others()
        })();
        written.map_err(|source| Error::Write { path, source })
    }

    /// Refuses a folder with a history and no account of what it holds.
    fn refuse_orphans(&self) -> Result<(), Error> {
        let entries = fs::read_dir(&self.folder).map_err(|source| Error::Read { path: self.folder.clone(), source })?;
        let orphan = entries.filter_map(Result::ok).find(|entry| is_history(&entry.file_name().to_string_lossy()));
        match orphan {
            None => Ok(()),
            Some(orphan) => Err(Error::Unusable {
                path: orphan.path(),
                why: format!("it is a history without `state.json`, which describes it: restore that file, {ANEW}"),
            }),
        }
    }

    fn history(&self) -> PathBuf {
        self.folder.join(history_name(self.generation))
    }

    /// Removes what a killed run left behind, and histories that no state names any more.
    fn remove_others(&self) -> io::Result<()> {
        let current = history_name(self.generation);
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(files::TEMPORARY) || is_history(&name) && *name != *current {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn is_history(name: &str) -> bool {
    name.starts_with("history-") && name.ends_with(".parquet")
}

fn history_name(generation: u64) -> String {
    format!("history-{generation}.parquet")
}

/// Makes a folder that only the user and the group may read, where there is none.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o750);
    builder.create(folder)
}

/// The first line of what went wrong: polars explains at length.
fn first_line(error: &io::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().trim_end_matches(':').to_owned()
}

/// The lock of a folder; it ends with the process too, so that none is left behind by a crash.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    /// Closing the file is not enough while a process that was just started holds a copy of it.
    fn drop(&mut self) {
        // What cannot be unlocked ends with the process.
        let _ = self.0.unlock();
    }
}

/// Takes the lock of a folder.
fn lock(folder: &Path) -> Result<Lock, Error> {
    let path = folder.join("lock");
    let cannot = |source| Error::Write { path: path.clone(), source };
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Who holds it is a help, not a condition.
            let _ = file.read_to_string(&mut holder);
            let holder = holder.trim();
            let holder = if holder.is_empty() { String::new() } else { format!(" (process {holder})") };
            return Err(Error::Busy(format!(
                "`{}` is in use by another run of `leaktrend nightly`{holder}: wait until it has ended",
                folder.display()
            )));
        }
        Err(TryLockError::Error(source)) => return Err(cannot(source)),
    }
    file.set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| file.write_all(format!("{}\n", std::process::id()).as_bytes()))
        .map_err(cannot)?;
    Ok(Lock(file))
}

/// Makes renames in a folder last through a loss of power.
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

impl SeriesEntry {
    fn of(series: &KeptSeries) -> SeriesEntry {
        let info = &series.info;
        SeriesEntry {
            log: series.log,
            id: info.id.clone(),
            labels: info.labels.clone(),
            container_given: info.container_given,
            limit_bytes: info.limit.map(|limit| limit.bytes),
            metric: info.metric,
            sampling: info.sampling,
            instance: series.instance.clone(),
            reported: series.reported.clone(),
            gone: series.gone.clone(),
        }
    }

    fn into_info(self) -> SeriesInfo {
        SeriesInfo {
            id: self.id,
            labels: self.labels,
            container_given: self.container_given,
            limit: self.limit_bytes.map(|bytes| Limit { bytes, source: LimitSource::Input }),
            metric: self.metric,
            sampling: self.sampling,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that is being started holds a copy of every open file until it is.
    #[test]
    fn a_lock_ends_with_its_owner_whoever_holds_a_copy_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        let copy = held.0.try_clone().unwrap();
        assert!(matches!(lock(folder.path()), Err(Error::Busy(_))));
        drop(held);
        assert!(lock(folder.path()).is_ok());
        drop(copy);
    }
}
