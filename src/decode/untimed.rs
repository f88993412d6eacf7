//! Gives times to readings that have none: beside those that have one, or counted back from the end of each file.

use crate::account::{EndFrom, Input, TimeSource, TimeWarning};

/// The snapshots of one file, in the order in which they were taken.
#[derive(Debug)]
pub(super) struct FileTimes {
    /// The input, by its index.
    pub(super) input: usize,
    /// When the file was last written to, in milliseconds.
    pub(super) mtime_ms: Option<i64>,
    /// The time of each snapshot, in milliseconds, where it has one.
    pub(super) times: Vec<Option<i64>>,
    /// Snapshots that were taken together with the one before, increasing.
    pub(super) joined: Vec<usize>,
}

/// How readings without a time lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spacing {
    /// Time between two of them, in milliseconds, at least 1.
    pub(super) interval_ms: i64,
    /// Whether nobody says so: neither the user nor the command that wrote them.
    pub(super) is_assumed: bool,
    /// When the last file ends, in milliseconds, as the user says.
    pub(super) end_ms: Option<i64>,
}

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Dated {
    /// Whether times count from the last reading.
    pub(super) is_relative: bool,
    /// The files none of whose snapshots has a time, by their place.
    pub(super) untimed: Vec<usize>,
}

impl Spacing {
    /// Sets the time of every snapshot of the files of one log, oldest first, and says in their accounts how.
    pub(super) fn give_times(self, files: &mut [FileTimes], inputs: &mut [(usize, Input)]) -> Dated {
        let interval_ms = self.interval_ms;
        let mut dated = Dated::default();
        let mut anchors: Vec<FileTicks> = Vec::new();
        let n_files = files.len();
        for (place, file) in files.iter_mut().enumerate() {
            let Some(input) = input_of(inputs, file.input).filter(|input| input.unusable.is_none()) else { continue };
            let n_timed = file.times.iter().flatten().count();
            if n_timed == file.times.len() {
                continue;
            }
            input.time_source = TimeSource::Inferred;
            if n_timed > 0 {
                let (n_untimed, n) = (file.times.len() - n_timed, file.times.len());
                fill_in(&mut file.times, interval_ms);
                input.warn_once(TimeWarning::SomeUntimed { n: n_untimed, of: n, step_ms: interval_ms });
                continue;
            }
            let (anchor_ms, end_from) = match (self.end_ms.filter(|_| place + 1 == n_files), file.mtime_ms) {
                (Some(end_ms), _) => (end_ms, Some(EndFrom::Option)),
                (None, Some(mtime_ms)) => (mtime_ms.div_euclid(interval_ms) * interval_ms, Some(EndFrom::Mtime)),
                (None, None) => (0, None),
            };
            dated.is_relative |= end_from.is_none();
            input.end_from = end_from;
            input.assumed_step_seconds = self.is_assumed.then_some(interval_ms as f64 / 1000.0);
            anchors.push(FileTicks { n_snapshots: file.times.len() - file.joined.len(), anchor_ms });
            dated.untimed.push(place);
        }
        for (place, (end_ms, fit)) in dated.untimed.iter().zip(anchor(&anchors, interval_ms)) {
            let file = &mut files[*place];
            file.count_back(end_ms, interval_ms);
            let Some(input) = input_of(inputs, file.input) else { continue };
            let end = if dated.is_relative { None } else { Some((end_ms, input.end_from.unwrap_or(EndFrom::Option))) };
            input.warn_once(TimeWarning::Untimed { step_ms: interval_ms, end });
            match fit {
                Fit::Follows => {}
                Fit::Gap(n) => input.warn_once(TimeWarning::Missing { n: n as u64 }),
                Fit::Moved(by_ms) => input.warn_once(TimeWarning::MovedBack { by_ms }),
            }
        }
        dated
    }
}

impl FileTimes {
    /// Counts back from the last snapshot.
    fn count_back(&mut self, end_ms: i64, interval_ms: i64) {
        let mut joined = self.joined.iter().rev().copied().peekable();
        let mut time_ms = end_ms;
        for (index, time) in self.times.iter_mut().enumerate().rev() {
            *time = Some(time_ms);
            if joined.next_if_eq(&index).is_none() {
                time_ms = time_ms.saturating_sub(interval_ms);
            }
        }
    }
}

fn input_of(inputs: &mut [(usize, Input)], index: usize) -> Option<&mut Input> {
    inputs.iter_mut().find(|(other, _)| *other == index).map(|(_, input)| input)
}

/// The snapshots of one file of a sequence that need times.
#[derive(Debug, Clone)]
struct FileTicks {
    /// Number of snapshots.
    n_snapshots: usize,
    /// Time of the last one, as `--end` or the modification time gives it.
    anchor_ms: i64,
}

/// How the anchor of a file fits the file after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// It follows by one interval, or it is the last.
    Follows,
    /// So many snapshots are missing between it and the next.
    Gap(i64),
    /// Its anchor lay within the next, or after it: it was moved before it, by so many milliseconds.
    Moved(i64),
}

/// The time of the last snapshot of each file, oldest first, and how it fits the next file.
fn anchor(files: &[FileTicks], interval_ms: i64) -> Vec<(i64, Fit)> {
    let mut anchors = Vec::with_capacity(files.len());
    let mut next_start_ms = None;
    for file in files.iter().rev() {
        let (end_ms, fit) = match next_start_ms.map(|start_ms: i64| start_ms - interval_ms) {
            Some(fitting_ms) if fitting_ms < file.anchor_ms => (fitting_ms, Fit::Moved(file.anchor_ms - fitting_ms)),
            Some(fitting_ms) if file.anchor_ms < fitting_ms => {
                (file.anchor_ms, Fit::Gap((fitting_ms - file.anchor_ms) / interval_ms.max(1)))
            }
            _ => (file.anchor_ms, Fit::Follows),
        };
        next_start_ms = Some(end_ms - (file.n_snapshots.saturating_sub(1)) as i64 * interval_ms);
        anchors.push((end_ms, fit));
    }
    anchors.reverse();
    anchors
}

/// Fills in snapshots without a time among snapshots with one: counted on from the one before, evenly where the next is
/// nearer than that, and back from the first.
fn fill_in(times: &mut [Option<i64>], interval_ms: i64) {
    let Some(first) = times.iter().position(Option::is_some) else { return };
    for back in 1..=first {
        times[first - back] = times[first].map(|time_ms| time_ms - back as i64 * interval_ms);
    }
    let mut before = first;
    while before + 1 < times.len() {
        let next = times[before + 1..].iter().position(Option::is_some).map(|offset| before + 1 + offset);
        let end = next.unwrap_or(times.len());
        let step_ms = match (times[before], next.and_then(|next| times[next])) {
            (Some(from_ms), Some(to_ms)) => ((to_ms - from_ms) / (end - before) as i64).clamp(0, interval_ms),
            _ => interval_ms,
        };
        for index in before + 1..end {
            times[index] = times[before].map(|time_ms| time_ms + (index - before) as i64 * step_ms);
        }
        before = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_anchored_from_the_newest_back() {
        let files = |anchors: &[(usize, i64)]| -> Vec<FileTicks> {
            anchors.iter().map(|&(n_snapshots, anchor_ms)| FileTicks { n_snapshots, anchor_ms }).collect()
        };
        assert_eq!(anchor(&files(&[(3, 400), (2, 600)]), 100), [(400, Fit::Follows), (600, Fit::Follows)]);
        assert_eq!(anchor(&files(&[(3, 300), (2, 600)]), 100), [(300, Fit::Gap(1)), (600, Fit::Follows)]);
        assert_eq!(anchor(&files(&[(3, 600), (2, 600)]), 100), [(400, Fit::Moved(200)), (600, Fit::Follows)]);
    }

    #[test]
    fn snapshots_between_timestamps_are_filled_in() {
        let mut times = [None, Some(100), None, None, Some(160), None];
        fill_in(&mut times, 50);
        assert_eq!(times, [Some(50), Some(100), Some(120), Some(140), Some(160), Some(210)]);
    }
}
