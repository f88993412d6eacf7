//! What rows say of the life of their container, compared in the order of their times.
//!
//! Lines stand in another order where two writers share a log, where files overlap, and where an export begins with
//! the newest. What is compared with the line before it there would show a restart that never was.

use crate::series::Marks;

/// Readings that go back in time within readings that went back: more are not told apart.
const MAX_DEPTH: usize = 16;

/// What a row says of the life of its container.
#[derive(Debug, Clone, Copy)]
pub(super) struct Life {
    /// `None` where the time of the row is not known yet: it follows the row before it.
    pub(super) time_ms: Option<i64>,
    pub(super) container: usize,
    /// NET I/O and BLOCK I/O, in bytes, which only grow; NaN where there is none.
    pub(super) counters: [f64; 4],
    /// The number of samples before this row.
    pub(super) sample: usize,
}

/// The last row of a series, and, where that went back in time, the last before it went back, and so on.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// Times decrease.
    lives: Vec<Life>,
    /// Whether none followed the last yet.
    is_lone: bool,
    earliest: Option<Life>,
}

impl Trail {
    /// What the row means beside the one before it in time; `marks` are those of the samples so far. `is_other` says
    /// whether two containers are known to be different ones.
    pub(super) fn follow(
        &mut self,
        mut life: Life,
        is_other: impl Fn(usize, usize) -> bool,
        marks: &mut [u8],
    ) -> Marks {
        let Some(last) = self.lives.last().copied() else {
            self.lives.push(life);
            self.earliest = Some(life);
            self.is_lone = true;
            return Marks::default();
        };
        life.time_ms = life.time_ms.or(last.time_ms);
        if life.time_ms < last.time_ms {
            self.go_back(life, last, is_other, marks);
            return Marks::default();
        }
        let mut found = marks_between(&last, &life, &is_other);
        life.keep_counters(&last);
        self.is_lone = false;
        self.lives.pop();
        // It may follow each of these; what is so only beside one of them was seen before.
        while let Some(before) = self.lives.pop_if(|before| before.time_ms <= life.time_ms) {
            found = Marks::from_bits(found.bits() & marks_between(&before, &life, &is_other).bits());
        }
        self.lives.push(life);
        found
    }

    fn go_back(&mut self, life: Life, last: Life, is_other: impl Fn(usize, usize) -> bool, marks: &mut [u8]) {
        if self.is_lone {
            // Newest first: this is the row before that one.
            if let Some(bits) = marks.get_mut(last.sample) {
                *bits = Marks::from_bits(*bits).with(marks_between(&life, &last, &is_other)).bits();
            }
        }
        if self.is_lone && 1 < self.lives.len() || self.lives.len() == MAX_DEPTH {
            self.lives.pop();
        }
        self.lives.push(life);
        self.is_lone = true;
        if self.earliest.is_some_and(|earliest| life.time_ms < earliest.time_ms) {
            self.earliest = Some(life);
        }
    }

    /// The first and the last row in time.
    pub(super) fn ends(&self) -> Option<(Life, Life)> {
        self.earliest.zip(self.lives.first().copied())
    }
}

impl Life {
    /// A counter that is not printed is what it was.
    fn keep_counters(&mut self, before: &Life) {
        if self.container == before.container {
            for (counter, before) in self.counters.iter_mut().zip(before.counters) {
                *counter = if counter.is_nan() { before } else { *counter };
            }
        }
    }
}

fn marks_between(before: &Life, after: &Life, is_other: impl Fn(usize, usize) -> bool) -> Marks {
    let mut marks = Marks::default();
    if before.container != after.container {
        if is_other(before.container, after.container) {
            marks = marks.with(Marks::RECREATED);
        }
    } else if before.counters.iter().zip(&after.counters).any(|(before, after)| after < before) {
        marks = marks.with(Marks::COUNTER_RESET);
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as `time,container,counter`; gives the marks by time: `r`ecreated, `c`ounter fell.
    fn found(rows: &[(i64, usize, f64)]) -> String {
        let mut trail = Trail::default();
        let mut marks: Vec<u8> = Vec::new();
        for (sample, &(time, container, counter)) in rows.iter().enumerate() {
            let life = Life { time_ms: Some(time), container, counters: [counter, f64::NAN, 0.0, 0.0], sample };
            let found = trail.follow(life, |a, b| a != b, &mut marks);
            marks.push(found.bits());
        }
        let mut found: Vec<(i64, u8)> =
            rows.iter().map(|row| row.0).zip(marks).filter(|(_, bits)| *bits != 0).collect();
        found.sort_unstable();
        let letter = |bits: u8| match Marks::from_bits(bits) {
            Marks::RECREATED => 'r',
            Marks::COUNTER_RESET => 'c',
            other => unreachable!("{other:?}"),
        };
        let words: Vec<String> = found.into_iter().map(|(time, bits)| format!("{time}{}", letter(bits))).collect();
        words.join(" ")
    }

    #[test]
    fn restarts_are_found_in_the_order_of_time() {
        let rows = [(1, 0, 5.0), (2, 0, 6.0), (3, 0, 1.0), (4, 0, 2.0), (5, 1, 0.0), (6, 1, 3.0)];
        assert_eq!(found(&rows), "3c 5r");
        let mut newest_first = rows;
        newest_first.reverse();
        assert_eq!(found(&newest_first), "3c 5r");
    }

    #[test]
    fn two_lines_that_changed_places_are_no_restart() {
        assert_eq!(found(&[(1, 0, 5.0), (3, 0, 7.0), (2, 0, 6.0), (4, 0, 8.0)]), "");
        assert_eq!(found(&[(1, 0, 5.0), (3, 0, 7.0), (2, 0, 6.0), (4, 0, 2.0)]), "4c");
        // Created anew between the first and the second, the second and the third, the third and the fourth.
        assert_eq!(found(&[(1, 0, 5.0), (3, 1, 7.0), (2, 1, 6.0), (4, 1, 8.0)]), "3r");
        assert_eq!(found(&[(1, 0, 5.0), (3, 1, 7.0), (2, 0, 6.0), (4, 1, 8.0)]), "3r");
        assert_eq!(found(&[(1, 0, 5.0), (3, 0, 7.0), (2, 0, 6.0), (4, 1, 8.0)]), "4r");
    }

    /// Each file repeats the end of the one before it.
    #[test]
    fn files_that_overlap_show_each_restart_once() {
        let counter = |time: i64| if (7..13).contains(&time) { time - 7 } else { time };
        let row = |time: i64| (time, usize::from(13 <= time), counter(time) as f64);
        let rows: Vec<(i64, usize, f64)> = (0..10).chain(5..15).chain(11..20).chain(18..25).map(row).collect();
        // In two copies each.
        assert_eq!(found(&rows), "7c 7c 13r 13r");
    }

    /// A clock that was set back: what came before it is not what follows.
    #[test]
    fn a_clock_that_was_set_back_is_no_restart() {
        let rows: Vec<(i64, usize, f64)> = (0..100)
            .map(|index| (if index < 50 { index } else { index - 20 }, usize::from(55 < index), index as f64))
            .collect();
        assert_eq!(found(&rows), "36r");
    }

    #[test]
    fn counters_that_are_not_printed_are_what_they_were() {
        assert_eq!(found(&[(1, 0, 5.0), (2, 0, f64::NAN), (3, 0, 4.0)]), "3c");
        assert_eq!(found(&[(1, 0, 5.0), (2, 0, f64::NAN), (3, 0, 5.0)]), "");
    }

    #[test]
    fn rows_without_a_time_follow_the_row_before() {
        let mut trail = Trail::default();
        let life = |time_ms, counter| Life { time_ms, container: 0, counters: [counter; 4], sample: 0 };
        trail.follow(life(Some(5), 3.0), |_, _| false, &mut []);
        assert_eq!(trail.follow(life(None, 1.0), |_, _| false, &mut []), Marks::COUNTER_RESET);
        let (first, last) = trail.ends().unwrap();
        assert_eq!((first.counters, last.counters), ([3.0; 4], [1.0; 4]));
    }
}
