//! Times of day without a date, as `date +%T` prints them.
//!
//! Each is less than a day after the one before it. A timestamp with a date, or the end of the file, says which day it is.
//! Until that is known, days are counted from an origin that no date is near.

use super::clock::Timestamp;
use crate::account::{Dated, EndFrom, Input, TimeSource, TimeWarning, cleaned};

const DAY_MS: i64 = 86_400_000;
/// A step back of up to so many milliseconds is one, and not the day after: lines that changed places, and clocks that
/// were put back. Two hours.
const BACK_MS: i64 = 7_200_000;
/// The day that days are counted from: longer ago than any date, and a multiple of a day.
const ORIGIN_MS: i64 = -(1 << 60) / DAY_MS * DAY_MS;
/// How many days are counted from there to either side, at most.
const MAX_DAYS: i64 = 1 << 30;

/// The times of day of a sequence of files.
#[derive(Debug, Default)]
pub(super) struct TimeOfDay {
    /// The last time, with a date or counted from the origin.
    last_ms: Option<i64>,
    /// The last that is counted from the origin.
    last_dateless_ms: Option<i64>,
    /// The latest of those: where the newest stands first, it is the first.
    latest_ms: Option<i64>,
    /// By how much those are to be moved, as a date behind them says.
    reported_ms: Option<i64>,
    /// The input that is read, by its index, and its modification time in milliseconds.
    input: Option<(usize, Option<i64>)>,
    /// The inputs that have some, the first of each as it was written, and their modification times.
    found: Vec<(usize, String, Option<i64>)>,
}

impl TimeOfDay {
    /// Begins the next input.
    pub(super) fn begin(&mut self, index: usize, mtime_ms: Option<i64>) {
        self.input = Some((index, mtime_ms));
    }

    /// The timestamp with a time: of a time of day one that is to be moved once all is read. `text`: as it was written.
    pub(super) fn follow(&mut self, timestamp: Timestamp, text: &str) -> Timestamp {
        let Some(of_day_ms) = timestamp.of_day_ms else {
            if let Some(time_ms) = timestamp.time_ms {
                self.note_date(time_ms);
            }
            return timestamp;
        };
        let last_ms = self.last_ms.unwrap_or(ORIGIN_MS);
        let ahead_ms = (of_day_ms - last_ms).rem_euclid(DAY_MS);
        let is_back = DAY_MS - BACK_MS <= ahead_ms && self.last_ms.is_some();
        let time_ms = last_ms + ahead_ms - if is_back { DAY_MS } else { 0 };
        self.last_ms = Some(time_ms);
        if is_counted(time_ms) {
            self.last_dateless_ms = Some(time_ms);
            self.latest_ms = self.latest_ms.max(Some(time_ms));
            if let Some((index, mtime_ms)) = self.input
                && self.found.last().is_none_or(|(last, ..)| *last != index)
            {
                self.found.push((index, cleaned(text.trim_matches([' ', '\t', ',', ';']), 40), mtime_ms));
            }
        }
        Timestamp { time_ms: Some(time_ms), ..timestamp }
    }

    /// Takes the time of a reading that has a date.
    pub(super) fn note_date(&mut self, time_ms: i64) {
        if let Some(last_ms) = self.last_dateless_ms {
            self.reported_ms.get_or_insert_with(|| (time_ms - last_ms).div_euclid(DAY_MS) * DAY_MS);
        }
        self.last_ms = Some(time_ms);
    }

    /// By how much times of day are to be moved; says in each input what was done. `None` where there are none.
    ///
    /// `end_ms`: when the last input ends, as the user says, in milliseconds.
    pub(super) fn settle(&self, inputs: &mut [(usize, Input)], end_ms: Option<i64>) -> Option<Moved> {
        let last_ms = self.latest_ms?;
        let (last, _, mtime_ms) = self.found.last()?;
        let is_last = self.input.is_some_and(|(index, _)| index == *last);
        let given = end_ms.filter(|_| is_last).map(|end_ms| (end_ms, EndFrom::Option));
        let end = given.or(mtime_ms.map(|mtime_ms| (mtime_ms, EndFrom::Mtime))).filter(|_| self.reported_ms.is_none());
        let by_ms = self.reported_ms.unwrap_or_else(|| match end {
            // The nearest: a clock may show another zone.
            Some((end_ms, _)) => (end_ms - last_ms + DAY_MS / 2).div_euclid(DAY_MS) * DAY_MS,
            None => -last_ms,
        });
        let is_relative = self.reported_ms.is_none() && end.is_none();
        let dated = match (self.reported_ms, end) {
            (Some(_), _) => Dated::Later,
            (None, Some((_, end))) => Dated::Nearest { last_ms: last_ms + by_ms, end },
            (None, None) => Dated::Nothing,
        };
        for (index, text, _) in &self.found {
            let Some((_, input)) = inputs.iter_mut().find(|(other, _)| other == index) else { continue };
            if self.reported_ms.is_none() {
                input.time_source = TimeSource::Inferred;
                input.end_from = end.map(|(_, from)| from);
            }
            input.warn(TimeWarning::NoDate { example: text.clone(), dated });
        }
        Some(Moved { by_ms, is_relative })
    }
}

/// By how much times of day are to be moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    by_ms: i64,
    /// Whether they count from the last one then.
    pub(super) is_relative: bool,
}

impl Moved {
    /// Gives a time its date, where it has none.
    pub(super) fn date(self, time_ms: &mut i64) {
        if is_counted(*time_ms) {
            *time_ms += self.by_ms;
        }
    }
}

/// Whether a time is counted from the origin.
fn is_counted(time_ms: i64) -> bool {
    time_ms.abs_diff(ORIGIN_MS) < MAX_DAYS as u64 * DAY_MS as u64
}

#[cfg(test)]
mod tests {
    use crate::account::Format;
    use crate::read::test_support::{MTIME_MS, account, describe, read_all};

    const ROW: &str = "9a9858661741   web   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   0B / 0B   7\n";

    /// The readings and the account of timestamps before rows, in files that end at `MTIME_MS` (20:07:00).
    fn read(files: &[&[&str]]) -> (String, String) {
        let rows = |timestamps: &[&str]| timestamps.iter().flat_map(|timestamp| [*timestamp, ROW]).collect::<String>();
        let texts: Vec<String> = files.iter().map(|timestamps| rows(timestamps)).collect();
        let files: Vec<(&str, i64)> = texts.iter().map(|text| (text.as_str(), MTIME_MS)).collect();
        let (inputs, series) = read_all(Format::DockerStats, &files);
        (describe(&series).replace("=16.18MiB", ""), inputs.iter().map(account).collect())
    }

    #[test]
    fn times_of_day_are_dated_by_the_end_of_the_file() {
        let (series, account) = read(&[&["20:06:20 ", "[20:06:30] ", "20:06:40.5 "]]);
        assert_eq!(series, "web: -40 -30 -19.5\n");
        insta::assert_snapshot!(account, @r"
        3 samples, 0 gaps, 0 other, 0 rejected
        warning: times of day without a date, such as `20:06:20`, are assumed to be less than a day apart: the last is taken as 2026-11-23T20:06:40.500Z, the nearest to the file's modification time
        ");
        // On a line of their own, and over midnight.
        assert_eq!(read(&[&["20:07:00\n", "08:07:00\n", "20:06:50\n"]]).0, "web: -86400 -43200 -10\n");
        assert_eq!(read(&[&["11:59:00 PM ", "12:01:00 AM ", "08:07:00 PM "]]).0, "web: -72480 -72360 0\n");
        // The newest first, for two days.
        let timestamps: Vec<String> = (0..60).map(|index| format!("{:02}:07:00 ", (68 - index) % 24)).collect();
        let timestamps: Vec<&str> = timestamps.iter().map(String::as_str).collect();
        let expected: Vec<String> = (0..60).map(|index| (-3600 * index).to_string()).collect();
        assert_eq!(read(&[&timestamps]).0, format!("web: {}\n", expected.join(" ")));
        // A clock of another zone, and lines that changed places.
        assert_eq!(read(&[&["22:06:20 ", "22:06:40 ", "22:06:30 "]]).0, "web: 7160 7180 7170\n");
        assert_eq!(read(&[&["22:06:20 CET ", "21:06:40 "]]).0, "web: 3560 3580\n");
    }

    #[test]
    fn a_timestamp_with_a_date_dates_those_around_it() {
        let (series, account) = read(&[&["23:59:50 ", "00:00:10 ", "2026-11-22T00:00:20Z ", "00:00:30 ", "21:00:00 "]]);
        assert_eq!(series, "web: -158830 -158810 -158800 -158790 -83220\n");
        insta::assert_snapshot!(account, @r"
        5 samples, 0 gaps, 0 other, 0 rejected
        warning: times of day without a date, such as `23:59:50`, are assumed to be less than a day apart: their dates come from a later timestamp
        ");
    }

    #[test]
    fn files_of_one_sequence_follow_one_another() {
        let (series, account) = read(&[&["19:00:00 ", "07:00:00 "], &["19:00:00 ", "20:07:00 "]]);
        assert_eq!(series, "web: -90420 -47220 -4020 0\n");
        assert_eq!(account.matches("times of day without a date, such as `19:00:00`").count(), 2);
    }

    #[test]
    fn rows_without_a_name_may_have_times_of_day_and_epochs_and_errors_between_them() {
        let text = "18:00:00,5MiB\n1795370460,6MiB\n12:00:00,ERR\n06:00:00,ERR\n00:00:00,ERR\n18:00:00,7MiB\n";
        let (_, series) = read_all(Format::TrendCsv, &[(text, MTIME_MS)]);
        assert_eq!(describe(&series), "stem: -94020=5MiB -93960=6MiB 165180=7MiB\n");
    }

    #[test]
    fn csv_may_have_times_of_day() {
        for (format, text) in [
            (Format::TrendCsv, "20:06:50,5MiB\n20:07:00,6MiB\n"),
            (Format::CsvTable, "time,stem\n20:06:50,5MiB\n20:07:00,6MiB\n"),
        ] {
            assert_eq!(crate::decode::recognise(text.as_bytes()), Ok(format));
            let (inputs, series) = read_all(format, &[(text, MTIME_MS)]);
            assert_eq!(describe(&series), "stem: -10=5MiB 0=6MiB\n");
            assert!(account(&inputs[0]).contains("such as `20:06:50`"), "{}", account(&inputs[0]));
        }
    }
}
