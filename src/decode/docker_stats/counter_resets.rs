//! The counters of rows, compared in the order of their times.
//!
//! Lines stand in another order where two writers share a log, where files overlap, and where an export begins with
//! the newest. What is compared with the line before it there would show a restart that never was.

use crate::series::Marks;

/// Runs of readings in order of time, of which each lies before the one that was read before it: more are not told
/// apart.
const MAX_RUNS: usize = 64;

/// What a row says of the process of its container.
#[derive(Debug, Clone, Copy)]
pub(super) struct CounterRow {
    /// `None` where the time of the row is not known yet: it follows the row before it.
    pub(super) time_ms: Option<i64>,
    pub(super) container: usize,
    /// NET I/O and BLOCK I/O, in bytes, which only grow; NaN where there is none.
    pub(super) counters: [f64; 4],
    /// The number of samples before this row.
    pub(super) sample: usize,
}

/// The rows of a container, as the runs in order of time in which they stand.
#[derive(Debug, Default)]
pub(super) struct CounterResets {
    /// The last one is read; each ends before the one that was begun before it.
    runs: Vec<Run>,
    earliest: Option<CounterRow>,
}

/// Rows in order of time.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// In time.
    first: CounterRow,
    last: CounterRow,
    /// Whether each row so far stands before the one that it follows in time.
    newest_first: bool,
}

impl CounterResets {
    /// What the row means beside the one before it in time; `marks` are those of the samples so far.
    pub(super) fn follow(&mut self, mut row: CounterRow, marks: &mut [u8]) -> Marks {
        let Some(run) = self.runs.last_mut() else {
            self.runs.push(Run { first: row, last: row, newest_first: true });
            self.earliest = Some(row);
            return Marks::default();
        };
        row.time_ms = row.time_ms.or(run.last.time_ms);
        if self.earliest.is_some_and(|earliest| row.time_ms < earliest.time_ms) {
            self.earliest = Some(row);
        }
        if row.time_ms < run.last.time_ms {
            if run.newest_first && row.time_ms < run.first.time_ms {
                mark(marks, &row, &run.first);
                run.first = row;
            } else {
                self.runs.truncate(MAX_RUNS - 1);
                self.runs.push(Run { first: row, last: row, newest_first: true });
            }
            return Marks::default();
        }
        let mut found = marks_between(&run.last, &row);
        row.keep_counters(&run.last);
        run.last = row;
        run.newest_first = false;
        // It may follow each of these; what is so only beside one of them was seen before.
        while let [.., before, run] = self.runs.as_mut_slice()
            && before.last.time_ms <= row.time_ms
        {
            found = Marks::from_bits(found.bits() & marks_between(&before.last, &row).bits());
            *before = Run { last: run.last, newest_first: false, ..*before };
            self.runs.pop();
        }
        found
    }

    /// Marks what is known once all rows were read: that a run ended before another began, which was read before it.
    pub(super) fn finish(&self, marks: &mut [u8]) {
        for pair in self.runs.windows(2) {
            let [later, earlier] = pair else { continue };
            if earlier.last.time_ms <= later.first.time_ms {
                mark(marks, &earlier.last, &later.first);
            }
        }
    }

    /// The first and the last row in time.
    pub(super) fn ends(&self) -> Option<(CounterRow, CounterRow)> {
        self.earliest.zip(self.runs.first().map(|run| run.last))
    }
}

/// Marks the sample of a row with what it means that it follows another one.
fn mark(marks: &mut [u8], before: &CounterRow, after: &CounterRow) {
    if let Some(bits) = marks.get_mut(after.sample) {
        *bits = Marks::from_bits(*bits).with(marks_between(before, after)).bits();
    }
}

impl CounterRow {
    /// A counter that is not printed is what it was.
    fn keep_counters(&mut self, before: &CounterRow) {
        for (counter, before) in self.counters.iter_mut().zip(before.counters) {
            *counter = if counter.is_nan() { before } else { *counter };
        }
    }
}

fn marks_between(before: &CounterRow, after: &CounterRow) -> Marks {
    let falls = before.counters.iter().zip(&after.counters).any(|(before, after)| after < before);
    if falls { Marks::COUNTER_RESET } else { Marks::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as time and counter; gives the times at which the counter is found to have fallen, in order.
    fn falls(rows: &[(i64, f64)]) -> Vec<i64> {
        let mut counters = CounterResets::default();
        let mut marks: Vec<u8> = Vec::new();
        for (sample, &(time, counter)) in rows.iter().enumerate() {
            let row = CounterRow { time_ms: Some(time), container: 0, counters: [counter, f64::NAN, 0.0, 0.0], sample };
            let found = counters.follow(row, &mut marks);
            marks.push(found.bits());
        }
        counters.finish(&mut marks);
        let mut falls: Vec<i64> = rows.iter().zip(marks).filter(|(_, bits)| *bits != 0).map(|(row, _)| row.0).collect();
        falls.sort_unstable();
        falls
    }

    /// Those of a counter that begins again at 7 and at 13.
    fn falls_in_order(times: impl Iterator<Item = i64>) -> Vec<i64> {
        let counter = |time: i64| if time < 7 { time } else { (time - 7) % 6 };
        falls(&times.map(|time| (time, counter(time) as f64)).collect::<Vec<_>>())
    }

    #[test]
    fn counters_that_fall_are_found_in_the_order_of_time() {
        assert_eq!(falls_in_order(0..19), [7, 13]);
        assert_eq!(falls_in_order((0..19).rev()), [7, 13]);
        // Files in another order than that in which they were written, of which some begin where a counter falls.
        assert_eq!(falls_in_order((10..19).chain(0..10)), [7, 13]);
        assert_eq!(falls_in_order((13..19).chain(7..13).chain(0..7)), [7, 13]);
        assert_eq!(falls_in_order((10..13).chain(13..19).chain(5..10).chain(0..5)), [7, 13]);
    }

    #[test]
    fn two_lines_that_changed_places_are_no_restart() {
        assert!(falls(&[(1, 5.0), (3, 7.0), (2, 6.0), (4, 8.0)]).is_empty());
        assert_eq!(falls(&[(1, 5.0), (3, 7.0), (2, 6.0), (4, 2.0)]), [4]);
        assert_eq!(falls(&[(1, 5.0), (3, 2.0), (2, 6.0), (4, 4.0)]), [3]);
    }

    /// Each file repeats the end of the one before it, so that each fall is in two copies.
    #[test]
    fn files_that_overlap_show_no_other_restart() {
        assert_eq!(falls_in_order((0..10).chain(5..15).chain(11..20).filter(|time| *time < 19)), [7, 7, 13, 13]);
    }

    /// A clock that was set back: what came before it is not what follows.
    #[test]
    fn a_clock_that_was_set_back_is_no_restart() {
        let rows = (0..100).map(|index| (if index < 50 { index } else { index - 20 }, index as f64));
        assert!(falls(&rows.collect::<Vec<_>>()).is_empty());
    }

    #[test]
    fn counters_that_are_not_printed_are_what_they_were() {
        assert_eq!(falls(&[(1, 5.0), (2, f64::NAN), (3, 4.0)]), [3]);
        assert!(falls(&[(1, 5.0), (2, f64::NAN), (3, 5.0)]).is_empty());
    }

    #[test]
    fn rows_without_a_time_follow_the_row_before() {
        let mut counters = CounterResets::default();
        let row = |time_ms, counter| CounterRow { time_ms, container: 0, counters: [counter; 4], sample: 0 };
        counters.follow(row(Some(5), 3.0), &mut []);
        assert_eq!(counters.follow(row(None, 1.0), &mut []), Marks::COUNTER_RESET);
        let (first, last) = counters.ends().unwrap();
        assert_eq!((first.counters, last.counters), ([3.0; 4], [1.0; 4]));
    }
}
