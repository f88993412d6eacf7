//! Reads what is new in each log since the last night.
//!
//! A log is the file that was named and those beside it that rotation made of it. Of what is known already only the
//! last lines are read again, so that the first new reading is understood as if it had been read with them; where
//! readings carry no time, all lines: only from the beginning of the first reading on it is known where each of them
//! begins. A line that is still being written is left for the next night.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::contents::{self, Known};
use super::identities::Identities;
use super::state::{Account, LogMemory, ReadContent};
use crate::account::{Format, Input, NightlyWarning, Rejected, TimeSource, Unusable, Warning};
use crate::decode::{ReportedRestarts, SeriesSamples};
use crate::open::{Source, Text};
use crate::read::readings;

/// How much of what is known is read again, in bytes: many calls of `docker stats` on any host.
const CONTEXT_BYTES: usize = 256 << 10;

/// So many lines may stand before the first reading of a file to say what its columns are.
const HEAD_LINES: usize = 2;

/// Longer first lines name no columns, in bytes.
const MOST_HEAD_BYTES: usize = 64 << 10;

/// What a log gave tonight.
#[derive(Debug)]
pub(super) struct LogRead {
    /// Which log of the memory it is; `None` for one that was never read.
    pub(super) known: Option<usize>,
    /// What was named, without what rotation adds.
    pub(super) path: PathBuf,
    /// What it is, and whether it can be used.
    pub(super) input: Input,
    /// What was met in its new lines.
    pub(super) account: Account,
    /// Its new samples, in the order in which they were read.
    pub(super) series: Vec<SeriesSamples>,
    /// What it reported their restarts.
    pub(super) reported: Vec<ReportedRestarts>,
    /// Whose the names on its new lines are.
    pub(super) identities: Identities,
    /// Whether the new readings carry no time; `None` when there are none.
    pub(super) untimed: Option<bool>,
    /// What was read of its files, to be remembered with the samples.
    pub(super) read: Vec<ReadContent>,
    /// What was remembered of these files before, as an index among the contents of all logs.
    pub(super) replaced: Vec<usize>,
}

/// A file of a log.
struct LogFile {
    text: Arc<Text>,
    known: Option<Known>,
    /// Whether another file begins with all of it.
    is_copy: bool,
}

/// Reads what is new in the named logs, of which `memory` tells what was read before. What goes wrong with a file belongs
/// to its account.
pub(super) fn read(
    named: &[PathBuf],
    memory: &[LogMemory],
    options: &crate::decode::Options,
    now_ms: i64,
) -> Vec<LogRead> {
    let (shown, paths): (Vec<PathBuf>, Vec<PathBuf>) = families(named).into_iter().unzip();
    let mut accounts: Vec<Input> = shown.into_iter().map(|path| Input::new(&Source::File(path))).collect();
    let mut files: Vec<(usize, LogFile)> = Vec::new();
    for (log, (path, account)) in paths.iter().zip(&mut accounts).enumerate() {
        let members = crate::open::with_rotated(path);
        if members.is_empty() {
            account.unusable = Some(Unusable::NoLog);
        }
        for member in members {
            match crate::open::read_text(&member) {
                Ok(text) => files.push((log, LogFile { text: Arc::new(text), known: None, is_copy: false })),
                Err(why) => refuse(account, path, &member, Unusable::Unreadable(why)),
            }
        }
    }
    recognise(&mut files, memory);

    let taken: Vec<Option<usize>> = paths.iter().map(|path| memory.iter().position(|log| log.path == *path)).collect();
    let contents = owners(memory);
    let before: Vec<&ReadContent> = contents.iter().map(|(_, content)| *content).collect();
    let mut of_logs: Vec<Vec<LogFile>> = paths.iter().map(|_| Vec::new()).collect();
    for (log, file) in files {
        of_logs[log].push(file);
    }
    paths
        .into_iter()
        .zip(accounts)
        .zip(of_logs)
        .enumerate()
        .map(|(log, ((path, input), files))| {
            // A log that was moved is known by its content, unless its old name is a log of its own.
            let moved = || {
                let of = files.iter().filter_map(|file| Some(contents[file.known?.content].0));
                of.into_iter().find(|log| !taken.contains(&Some(*log)))
            };
            let known = taken[log].or_else(moved);
            let replaced = files.iter().filter_map(|file| Some(file.known?.content)).collect();
            let log = LogRead {
                known,
                path,
                input,
                account: Account::default(),
                series: Vec::new(),
                reported: Vec::new(),
                identities: Identities::default(),
                untimed: None,
                read: Vec::new(),
                replaced,
            };
            read_log(log, &files, &before, options, now_ms, known.map(|known| &memory[known]))
        })
        .collect()
}

/// The logs that are named, each once, as they are called and where they are; a rotated file stands for its log.
fn families(named: &[PathBuf]) -> Vec<(PathBuf, PathBuf)> {
    let mut logs: Vec<(PathBuf, PathBuf)> = Vec::new();
    for path in named {
        let log = path.with_file_name(crate::open::base_name(path));
        let place = std::path::absolute(&log).unwrap_or_else(|_| log.clone());
        if logs.iter().all(|(_, other)| *other != place) {
            logs.push((log, place));
        }
    }
    logs
}

/// Every content that was read, with the log that it belongs to.
fn owners(memory: &[LogMemory]) -> Vec<(usize, &ReadContent)> {
    memory.iter().enumerate().flat_map(|(log, memory)| memory.read.iter().map(move |content| (log, content))).collect()
}

fn recognise(files: &mut [(usize, LogFile)], memory: &[LogMemory]) {
    let bytes: Vec<&[u8]> = files.iter().map(|(_, file)| file.text.bytes.as_slice()).collect();
    let copies = contents::copies(&bytes);
    let kept: Vec<usize> = (0..files.len()).filter(|&index| !copies[index]).collect();
    let contents: Vec<ReadContent> = owners(memory).into_iter().map(|(_, content)| content.clone()).collect();
    let known = contents::recognise(&kept.iter().map(|&index| bytes[index]).collect::<Vec<_>>(), &contents);
    for (index, known) in kept.into_iter().zip(known) {
        files[index].1.known = known;
    }
    for ((_, file), is_copy) in files.iter_mut().zip(copies) {
        file.is_copy = is_copy;
    }
}

/// Says in the account of a log that one of its files could not be used; the log cannot be when it is the newest.
fn refuse(account: &mut Input, log: &Path, file: &Path, why: Unusable) {
    if same_name(log, file) {
        account.unusable = Some(why);
    } else {
        account.warn(NightlyWarning::Unusable { file: name(file), why });
    }
}

fn same_name(a: &Path, b: &Path) -> bool {
    a.file_name() == b.file_name()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The part of a file that is read tonight: what is between its head and its context is passed over.
struct Part {
    /// Which file it is of.
    file: usize,
    /// Where the file's first lines end, which may name its columns; 0 where the context begins with them.
    head: usize,
    /// The bytes that were read before and are read again.
    context: Range<usize>,
    /// Where the new bytes end; they begin where the context ends.
    end: usize,
}

impl Part {
    /// The part of `bytes` up to `end` of which all before `known` was read before. `is_untimed`: whether its readings
    /// carry no time.
    fn new(file: usize, bytes: &[u8], known: usize, end: usize, is_untimed: bool) -> Part {
        let context = if is_untimed { known } else { CONTEXT_BYTES };
        let start = match known.saturating_sub(context) {
            0 => 0,
            start => memchr::memchr(b'\n', &bytes[start..known]).map_or(known, |at| start + at + 1),
        };
        let first_lines = &bytes[..start.min(MOST_HEAD_BYTES)];
        let head = memchr::memchr_iter(b'\n', first_lines).take(HEAD_LINES).last().map_or(0, |at| at + 1);
        Part { file, head, context: start..known, end }
    }

    /// The file with what is read of it up to `end`. `known_ms`: when the last reading was taken that is known.
    fn source(&self, files: &[LogFile], end: usize, known_ms: Option<i64>) -> Source {
        let text = Arc::clone(&files[self.file].text);
        // A file that was put aside may have been touched since.
        let mtime_ms = known_ms.filter(|_| self.is_all_known()).or(text.mtime_ms);
        Source::Text { text, parts: vec![0..self.head, self.context.start..end], mtime_ms }
    }

    /// How many lines are passed over.
    fn skipped_lines(&self, files: &[LogFile]) -> u64 {
        let skipped = &files[self.file].text.bytes[self.head..self.context.start];
        memchr::memchr_iter(b'\n', skipped).count() as u64
    }

    fn is_all_known(&self) -> bool {
        self.context.end == self.end
    }

    fn is_all_new(&self) -> bool {
        self.context.end == 0
    }
}

fn read_log(
    mut log: LogRead,
    files: &[LogFile],
    before: &[&ReadContent],
    options: &crate::decode::Options,
    now_ms: i64,
    memory: Option<&LogMemory>,
) -> LogRead {
    let is_untimed = memory.is_some_and(|memory| memory.untimed);
    let mut parts: Vec<Part> = Vec::new();
    let newest = files.iter().rposition(|file| !file.is_copy && !file.text.bytes.is_empty());
    for (index, file) in files.iter().enumerate().filter(|(_, file)| !file.is_copy && !file.text.bytes.is_empty()) {
        let bytes = &file.text.bytes;
        let format = match options.format.map_or_else(|| crate::decode::recognise(bytes), Ok) {
            Ok(format) if format.is_typed_table() => {
                refuse(&mut log.input, &log.path, &file.text.path, Unusable::TableAsLog);
                continue;
            }
            Ok(format) => format,
            // What a known log holds beyond its beginning is judged with that.
            Err(why) => {
                refuse(&mut log.input, &log.path, &file.text.path, why);
                continue;
            }
        };
        let known = file.known.map_or(0, |known| known.length);
        let end = if !format.is_log() || Some(index) != newest && file.text.broken.is_none() {
            bytes.len()
        } else {
            memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1)
        };
        // An answer is whole, and does not go on.
        let context = if format.is_log() { known } else { 0 };
        if known < end {
            parts.push(Part::new(index, bytes, context, end, is_untimed));
        }
        let content = file.known.map(|known| before[known.content]);
        if 0 < end.max(known) {
            log.read.push(contents::remember(content, bytes, end.max(known), now_ms));
        }
        log.input.format = Some(format);
    }
    // After a rotation the last lines that are known stand in the file before.
    if let Some(first) = parts.first()
        && first.is_all_new()
        && let Some(earlier) = files[..first.file].iter().rposition(|file| file.known.is_some() && !file.is_copy)
        && log.input.format.is_some_and(Format::is_log)
    {
        let bytes = &files[earlier].text.bytes;
        parts.insert(0, Part::new(earlier, bytes, bytes.len(), bytes.len(), is_untimed));
    }
    if parts.is_empty() {
        return log;
    }
    for part in &parts {
        log.identities.read(&files[part.file].text.bytes[part.context.end..part.end]);
    }
    take_new(&mut log, files, &parts, options, memory.and_then(|memory| memory.end_ms));
    log
}

/// Reads the parts, and once more what is known of them: what the first has more is new.
fn take_new(
    log: &mut LogRead,
    files: &[LogFile],
    parts: &[Part],
    options: &crate::decode::Options,
    known_ms: Option<i64>,
) {
    let all: Vec<Source> = parts.iter().map(|part| part.source(files, part.end, known_ms)).collect();
    let known: Vec<Source> = parts
        .iter()
        .filter(|part| !part.is_all_new())
        .map(|part| part.source(files, part.context.end, known_ms))
        .collect();
    let read = readings(&all, options);
    let again = readings(&known, options);

    let mut n_known: HashMap<&str, usize> = HashMap::new();
    for series in &again.series {
        n_known.insert(&series.info.id, series.samples.len());
    }
    let mut accounts_again = again.inputs.iter();
    for (part, input) in parts.iter().zip(&read.inputs) {
        let file = &files[part.file].text;
        let empty = Input::new(&Source::File(file.path.clone()));
        let before = if part.is_all_new() { None } else { accounts_again.next() };
        if part.is_all_known() {
            continue;
        }
        let before = before.unwrap_or(&empty);
        add_account(&mut log.account, &log.path, input, before, part.skipped_lines(files), &file.path);
        if let Some(why) = &input.unusable {
            // Lines that cannot be read stand in the account; a night with nothing else makes no log unusable.
            if same_name(&log.path, &file.path) && input.rejected_count == before.rejected_count {
                log.input.unusable = Some(why.clone());
            } else {
                let warning = Warning::from(NightlyWarning::NewUnusable(why.clone()));
                log.account.warn(warning.in_file(whose(&log.path, &file.path)));
            }
        }
        if input.unusable.is_none() {
            log.untimed = Some(input.time_source == TimeSource::Inferred);
            log.input.time_source = input.time_source;
            log.input.end_from = input.end_from;
        }
    }
    log.reported = read.reported;
    log.series = read
        .series
        .into_iter()
        .map(|mut series| {
            let skipped = n_known.get(series.info.id.as_str()).copied().unwrap_or(0).min(series.samples.len());
            series.samples.retain(|index| skipped <= index);
            series
        })
        .filter(|series| !series.samples.is_empty())
        .collect();
    log.input.series = log.series.len() as u64;
}

/// Adds what is new in the account of a file to that of its log. `before`: what it says of the lines that were known;
/// `skipped`: the lines between the first and those.
pub(super) fn add_account(sum: &mut Account, log: &Path, input: &Input, before: &Input, skipped: u64, file: &Path) {
    if let (Some(lines), before) = (input.lines, before.lines.unwrap_or(0)) {
        *sum.lines.get_or_insert_default() += lines - before;
    }
    sum.further += input.further - before.further;
    sum.samples += input.samples - before.samples;
    sum.gaps += input.gaps - before.gaps;
    sum.other_lines += input.other_lines - before.other_lines;
    sum.rejected_count += input.rejected_count - before.rejected_count;
    for rejected in input.rejected.iter().skip(before.rejected.len()) {
        if sum.rejected.len() < crate::account::MAX_REJECTED {
            let why = rejected.why.clone().in_file(whose(log, file));
            sum.rejected.push(Rejected { line: rejected.line + skipped, why, ..rejected.clone() });
        }
    }
    sum.incomplete |= input.incomplete;
    sum.warnings.extend(input.warnings.iter().map(|warning| warning.clone().in_file(whose(log, file))));
}

/// The name of a file, unless it is the log itself.
fn whose(log: &Path, file: &Path) -> Option<String> {
    (!same_name(log, file)).then(|| name(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{GivenColumns, SamplesOption};

    const INTERVAL_MS: i64 = 900_000;
    const END_MS: i64 = 1_795_464_000_000;

    /// Readings without a time of so many containers, as the runbook's cron line appends them.
    fn log(n_containers: usize, readings: Range<usize>) -> String {
        let mut text = String::new();
        for reading in readings {
            for container in 0..n_containers {
                let tenths = 1000 + 7 * container + reading % 10;
                let used = format!("{}.{}MiB / 1GiB", tenths / 10, tenths % 10);
                let name = format!("{container:012x}   vedfinance-{container}");
                text.push_str(&format!("{name}   0.12%   {used}   9.81%   {reading}kB / 0B   0B / 0B   7\n"));
            }
        }
        text
    }

    /// Where the last lines that are known were read again from the middle of a reading, all that followed were torn
    /// apart, and their times were off.
    #[test]
    fn readings_without_a_time_stay_whole_at_any_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory-usage.log");
        let options = crate::decode::Options {
            format: None,
            interval: None,
            end_ms: Some(END_MS),
            samples: SamplesOption::Auto,
            unit: None,
            columns: GivenColumns::default(),
        };
        for n_containers in 2..=8 {
            let row_bytes = log(n_containers, 0..2000).len() / (2000 * n_containers);
            for kilobytes in (250..=520).step_by(30) {
                let n_known = (kilobytes * 1000 + 3700 * n_containers) / (row_bytes * n_containers);
                let known = log(n_containers, 0..n_known);
                std::fs::write(&path, format!("{known}{}", log(n_containers, n_known..n_known + 96))).unwrap();
                let memory = LogMemory {
                    path: path.clone(),
                    untimed: true,
                    end_ms: Some(END_MS - 96 * INTERVAL_MS),
                    read: vec![contents::remember(None, known.as_bytes(), known.len(), 0)],
                };
                let read = read(std::slice::from_ref(&path), &[memory], &options, END_MS).remove(0);
                let expected: Vec<i64> = (0..96).rev().map(|back| END_MS - back * INTERVAL_MS).collect();
                assert_eq!(read.series.len(), n_containers);
                for series in &read.series {
                    let what = format!("{n_containers} containers, {kilobytes} kB: {}", series.info.id);
                    assert_eq!(series.samples.time_ms, expected, "{what}");
                }
            }
        }
    }
}
