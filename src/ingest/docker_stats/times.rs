//! Gives times to the ticks that have none: counted back from the end of each file.

use super::super::clock::{self, FileTicks, Fit};
use super::super::{EndFrom, Format, Input, TimeSource, counted};
use super::{File, Reader};
use crate::units::{duration_text, time_text};

/// Spacing of ticks without a time, of the runbook's cron line, in milliseconds.
const CRON_INTERVAL_MS: i64 = 900_000;

/// Spacing of the frames of podman, in milliseconds: the default of its `--interval`.
const PODMAN_INTERVAL_MS: i64 = 5_000;
/// Spacing of the frames of a stream, in milliseconds [docker/cli: the table is drawn every 500 ms].
const STREAM_INTERVAL_MS: i64 = 500;

impl Reader {
    /// Sets the time of every tick; `true` when they are relative to the last one.
    pub(super) fn give_times(&mut self, inputs: &mut [(usize, Input)]) -> bool {
        let mut relative = false;
        let interval_ms = self.interval_ms.unwrap_or({
            match self.format {
                _ if !self.files.iter().any(|file| file.is_stream) => CRON_INTERVAL_MS,
                Format::PodmanStats => PODMAN_INTERVAL_MS,
                _ => STREAM_INTERVAL_MS,
            }
        });
        let mut untimed: Vec<(usize, EndFrom)> = Vec::new();
        let mut anchors: Vec<FileTicks> = Vec::new();
        for (position, file) in self.files.iter().enumerate() {
            let Some((_, input)) = inputs.iter_mut().find(|(index, _)| *index == file.input) else { continue };
            if input.unusable.is_some() {
                continue;
            }
            let ticks = &mut self.ticks[file.first_tick..file.end_tick];
            let n_timed = ticks.iter().flatten().count();
            if n_timed == ticks.len() {
                continue;
            }
            input.time_source = TimeSource::Inferred;
            if n_timed > 0 {
                clock::fill_in(ticks, interval_ms);
                input.warnings.push(format!(
                    "{} of {} readings have no time, while others have one: they are placed one every {} beside those",
                    ticks.len() - n_timed,
                    ticks.len(),
                    duration_text(interval_ms as f64 / 1000.0)
                ));
                continue;
            }
            let is_last = position + 1 == self.files.len();
            let (anchor_ms, end_from) = match (self.end_ms.filter(|_| is_last), file.mtime_ms) {
                (Some(end_ms), _) => (end_ms, Some(EndFrom::Option)),
                (None, Some(mtime_ms)) => (mtime_ms.div_euclid(interval_ms) * interval_ms, Some(EndFrom::Mtime)),
                (None, None) => {
                    relative = true;
                    (0, None)
                }
            };
            input.end_from = end_from;
            let n_joined = joined_in(&self.joined, file).len();
            anchors.push(FileTicks { n_ticks: file.end_tick - file.first_tick - n_joined, anchor_ms });
            untimed.push((position, end_from.unwrap_or(EndFrom::Option)));
        }

        let n_containers = self.containers.len();
        let anchored = clock::anchor(&anchors, interval_ms);
        for (&(position, end_from), (end_ms, fit)) in untimed.iter().zip(anchored) {
            let file = &self.files[position];
            let mut joined = joined_in(&self.joined, file).iter().rev().copied().peekable();
            let mut time_ms = end_ms;
            for tick in (file.first_tick..file.end_tick).rev() {
                self.ticks[tick] = Some(time_ms);
                if joined.next_if_eq(&tick).is_none() {
                    time_ms -= interval_ms;
                }
            }
            let n_ticks = file.end_tick - file.first_tick;
            let Some((_, input)) = inputs.iter_mut().find(|(index, _)| *index == file.input) else { continue };
            let every = duration_text(interval_ms as f64 / 1000.0);
            let at = time_text(end_ms).unwrap_or_default();
            input.warnings.push(match (relative, end_from) {
                (true, _) => format!("assuming one reading every {every}; times count back from the last reading (`--end` gives it a date)"),
                (_, EndFrom::Option) => format!("assuming one reading every {every}, the last at {at} (as `--end` says)"),
                (_, EndFrom::Mtime) => format!("assuming one reading every {every}, the last at {at} (the file's modification time)"),
            });
            match fit {
                Fit::Follows => {}
                Fit::Gap(n_ticks) => input.warnings.push(format!(
                    "{} missing between this file and the one after it, by their modification times",
                    counted(n_ticks as u64, "reading")
                )),
                Fit::Moved(ms) => input.warnings.push(format!(
                    "its modification time lies within the file after it: its readings were moved back by {}",
                    duration_text(ms as f64 / 1000.0)
                )),
            }
            if n_containers == 1 && n_ticks > 1 && !file.is_stream {
                input.warnings.push(
                    "it holds one container and no times: time in which the container was down is invisible, and shifts earlier times"
                        .to_owned(),
                );
            }
        }
        relative
    }
}

/// The ticks of a file that are of one call with the tick before them.
fn joined_in<'a>(joined: &'a [usize], file: &File) -> &'a [usize] {
    let first = joined.partition_point(|tick| *tick < file.first_tick);
    let end = joined.partition_point(|tick| *tick < file.end_tick);
    &joined[first..end]
}
