//! Gives times to the snapshots that have none.

use super::Reader;
use crate::account::{Format, Input, TimeWarning};
use crate::decode::untimed::{FileTimes, Spacing};

/// Spacing of snapshots without a time, of the runbook's cron line, in milliseconds.
const CRON_INTERVAL_MS: i64 = 900_000;
/// Spacing of the frames of podman, in milliseconds: the default of its `--interval`.
const PODMAN_INTERVAL_MS: i64 = 5_000;
/// Spacing of the frames of a stream, in milliseconds [docker/cli: the table is drawn every 500 ms].
const STREAM_INTERVAL_MS: i64 = 500;

impl Reader {
    /// Sets the time of every snapshot; `true` when they are relative to the last one.
    pub(super) fn give_times(&mut self, inputs: &mut [(usize, Input)]) -> bool {
        let is_stream = self.files.iter().any(|file| file.is_stream);
        let interval_ms = self.interval_ms.unwrap_or({
            match self.format {
                _ if !is_stream => CRON_INTERVAL_MS,
                Format::PodmanStats => PODMAN_INTERVAL_MS,
                _ => STREAM_INTERVAL_MS,
            }
        });
        let of_file = |file: &super::File| FileTimes {
            input: file.input,
            mtime_ms: file.mtime_ms,
            times: self.snapshots[file.first_snapshot..file.end_snapshot].to_vec(),
            joined: joined_in(&self.joined, file).iter().map(|snapshot| snapshot - file.first_snapshot).collect(),
        };
        let mut times: Vec<FileTimes> = self.files.iter().map(of_file).collect();
        let is_assumed = self.interval_ms.is_none() && !is_stream;
        let dated = Spacing { interval_ms, is_assumed, end_ms: self.end_ms }.give_times(&mut times, inputs);
        for (file, times) in self.files.iter().zip(&times) {
            self.snapshots[file.first_snapshot..file.end_snapshot].copy_from_slice(&times.times);
        }
        for file in dated.untimed.iter().map(|place| &self.files[*place]) {
            let n_snapshots = file.end_snapshot - file.first_snapshot;
            if self.containers.len() == 1
                && 1 < n_snapshots
                && !file.is_stream
                && let Some((_, input)) = inputs.iter_mut().find(|(index, _)| *index == file.input)
            {
                input.warn(TimeWarning::DowntimeInvisible);
            }
        }
        dated.is_relative
    }
}

/// The snapshots of a file that are of one call with the snapshot before them.
fn joined_in<'a>(joined: &'a [usize], file: &super::File) -> &'a [usize] {
    let first = joined.partition_point(|snapshot| *snapshot < file.first_snapshot);
    let end = joined.partition_point(|snapshot| *snapshot < file.end_snapshot);
    &joined[first..end]
}
