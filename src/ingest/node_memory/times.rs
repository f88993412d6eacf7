//! Gives times to readings that have none: counted back from the end of each file, for each process.

use std::ops::Range;

use super::super::clock::{self, FileTicks, Fit};
use super::super::{EndFrom, Input, Options, TimeSource, counted};
use super::Taken;
use crate::units::{duration_text, time_text};

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
#[derive(Debug, Clone, Copy)]
pub(super) struct Spacing {
    interval_ms: i64,
    /// When the last file ends, in milliseconds.
    pub(super) end_ms: Option<i64>,
}

impl Spacing {
    pub(super) fn new(options: &Options) -> Spacing {
        let interval_ms = options.interval.map(|interval| interval.as_ms().clamp(1, MAX_INTERVAL_MS));
        Spacing { interval_ms: interval_ms.unwrap_or(INTERVAL_MS), end_ms: options.end_ms }
    }

    /// Sets the time of every reading; `true` when they are relative to the last one.
    pub(super) fn give_times(
        self,
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
        let mut relative = false;
        for places in of_process {
            relative |= self.give_process_times(readings, &places, files, inputs);
        }
        relative
    }

    /// Sets the times of the readings of one process, which stand at these places.
    fn give_process_times(
        self,
        readings: &mut [Taken],
        places: &[usize],
        files: &[File],
        inputs: &mut [(usize, Input)],
    ) -> bool {
        let interval_ms = self.interval_ms;
        let every = duration_text(interval_ms as f64 / 1000.0);
        let mut relative = false;
        let mut untimed: Vec<(&File, &[usize], Option<EndFrom>)> = Vec::new();
        let mut anchors: Vec<FileTicks> = Vec::new();
        for (position, file) in files.iter().enumerate() {
            let first = places.partition_point(|place| *place < file.readings.start);
            let end = places.partition_point(|place| *place < file.readings.end);
            let of_file = &places[first..end];
            let mut times: Vec<Option<i64>> = of_file.iter().map(|place| readings[*place].time_ms).collect();
            let n_timed = times.iter().flatten().count();
            let Some((_, input)) = inputs.iter_mut().find(|(index, _)| *index == file.input) else { continue };
            if n_timed == times.len() {
                continue;
            }
            input.time_source = TimeSource::Inferred;
            if n_timed > 0 {
                clock::fill_in(&mut times, interval_ms);
                of_file.iter().zip(&times).for_each(|(place, time_ms)| readings[*place].time_ms = *time_ms);
                warn(
                    input,
                    format!(
                        "{} of {} readings have no time, while others have one: they are placed one every {every} beside those",
                        times.len() - n_timed,
                        times.len(),
                    ),
                );
                continue;
            }
            let is_last = position + 1 == files.len();
            let (anchor_ms, end_from) = match (self.end_ms.filter(|_| is_last), file.mtime_ms) {
                (Some(end_ms), _) => (end_ms, Some(EndFrom::Option)),
                (None, Some(mtime_ms)) => (mtime_ms.div_euclid(interval_ms) * interval_ms, Some(EndFrom::Mtime)),
                (None, None) => {
                    relative = true;
                    (0, None)
                }
            };
            input.end_from = end_from;
            anchors.push(FileTicks { n_ticks: times.len(), anchor_ms });
            untimed.push((file, of_file, end_from));
        }

        for ((file, of_file, end_from), (end_ms, fit)) in untimed.into_iter().zip(clock::anchor(&anchors, interval_ms))
        {
            for (back, place) in of_file.iter().rev().enumerate() {
                readings[*place].time_ms = Some(end_ms.saturating_sub(interval_ms.saturating_mul(back as i64)));
            }
            let Some((_, input)) = inputs.iter_mut().find(|(index, _)| *index == file.input) else { continue };
            let at = time_text(end_ms).unwrap_or_default();
            warn(
                input,
                match end_from {
                    _ if relative => format!(
                        "assuming one reading every {every}; times count back from the last reading (`--end` gives it a date)"
                    ),
                    Some(EndFrom::Mtime) => {
                        format!("assuming one reading every {every}, the last at {at} (the file's modification time)")
                    }
                    _ => format!("assuming one reading every {every}, the last at {at} (as `--end` says)"),
                },
            );
            match fit {
                Fit::Follows => {}
                Fit::Gap(n) => warn(
                    input,
                    format!(
                        "{} missing between this file and the one after it, by their modification times",
                        counted(n as u64, "reading")
                    ),
                ),
                Fit::Moved(ms) => warn(
                    input,
                    format!(
                        "its modification time lies within the file after it: its readings were moved back by {}",
                        duration_text(ms as f64 / 1000.0)
                    ),
                ),
            }
        }
        relative
    }
}

/// Says once what is true of several processes.
fn warn(input: &mut Input, warning: String) {
    if !input.warnings.contains(&warning) {
        input.warnings.push(warning);
    }
}
