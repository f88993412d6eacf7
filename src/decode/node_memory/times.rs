//! Gives times to the readings of each process that have none.

use std::ops::Range;

use super::Taken;
use crate::account::Input;
use crate::decode::Options;
use crate::decode::untimed::{FileTimes, Spacing};

/// Spacing of readings without a time, as of all formats, in milliseconds.
const INTERVAL_MS: i64 = 900_000;

/// Longer intervals would lead out of the calendar: ten years, in milliseconds.
const MAX_INTERVAL_MS: i64 = 315_576_000_000;

/// What one file held.
#[derive(Debug)]
pub(super) struct File {
    pub(super) input: usize,
    pub(super) readings: Range<usize>,
    pub(super) mtime_ms: Option<i64>,
}

/// How readings without a time lie, as the user says.
pub(super) fn spacing(options: &Options) -> Spacing {
    let interval_ms = options.interval.map(|interval| interval.as_ms().clamp(1, MAX_INTERVAL_MS));
    Spacing {
        interval_ms: interval_ms.unwrap_or(INTERVAL_MS),
        is_assumed: interval_ms.is_none(),
        end_ms: options.end_ms,
    }
}

/// Sets the time of every reading; `true` when they are relative to the last one.
pub(super) fn give_times(
    spacing: Spacing,
    readings: &mut [Taken],
    files: &[File],
    n_processes: usize,
    inputs: &mut [(usize, Input)],
) -> bool {
    if readings.iter().all(|reading| reading.time_ms.is_some()) {
        return false;
    }
    let mut of_process: Vec<Vec<usize>> = vec![Vec::new(); n_processes];
    for (index, reading) in readings.iter().enumerate() {
        of_process[reading.process as usize].push(index);
    }
    let mut is_relative = false;
    for places in of_process {
        let of_file = |file: &File| {
            let first = places.partition_point(|place| *place < file.readings.start);
            let end = places.partition_point(|place| *place < file.readings.end);
            let times = places[first..end].iter().map(|place| readings[*place].time_ms).collect();
            FileTimes { input: file.input, mtime_ms: file.mtime_ms, times, joined: Vec::new() }
        };
        let mut times: Vec<FileTimes> = files.iter().map(of_file).collect();
        is_relative |= spacing.give_times(&mut times, inputs).is_relative;
        let times = times.iter().flat_map(|file| &file.times);
        places.iter().zip(times).for_each(|(place, time_ms)| readings[*place].time_ms = *time_ms);
    }
    is_relative
}
