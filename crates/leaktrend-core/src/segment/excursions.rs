//! Jobs that come and go within a run.

use std::ops::Range;

use super::Fall;
use crate::stats::robust::median;

/// In a run memory rose abruptly, was high for a shorter time than it had been low, and fell back to where it was.
pub(super) struct Excursions {
    /// The falls that end one.
    pub(super) ends: Vec<usize>,
    /// Their samples, and those of a last one that the window ends in.
    pub(super) pulses: Vec<Range<usize>>,
}

impl Excursions {
    /// How long memory had been low before the first is not seen where the window begins: there how long it is low afterwards
    /// counts as well.
    pub(super) fn of(values: &[f64], falls: &[Fall]) -> Excursions {
        let mut ends = Vec::new();
        let mut pulses = Vec::new();
        let mut heights = Vec::new();
        let mut start = 0;
        for fall in falls {
            if let Some((rose_at, from, rise)) = sharpest_rise(values, start..fall.at) {
                let (fallen, left) = (fall.before - fall.after, fall.after - from);
                let is_low = |value: &&f64| **value <= fall.after + 0.4 * fallen;
                let low_after = || values[fall.at..].iter().take_while(is_low).count();
                let low = if start == 0 { rose_at.max(low_after()) } else { rose_at - start };
                if rise >= 0.6 * fallen && left <= 0.4 * fallen && fall.at - rose_at < low {
                    ends.push(fall.at);
                    pulses.push(rose_at..fall.at);
                    heights.push(rise);
                }
            }
            start = fall.at;
        }
        pulses.extend(unfinished(values, start, &pulses, &heights));
        Excursions { ends, pulses }
    }
}

/// A rise in the last run that is like those of the pulses before it, of which there are two and more, and has not lasted
/// longer than they did.
fn unfinished(values: &[f64], start: usize, pulses: &[Range<usize>], heights: &[f64]) -> Option<Range<usize>> {
    let n = values.len();
    let usual = median(heights).filter(|_| heights.len() >= 2)?;
    let longest = pulses.iter().map(ExactSizeIterator::len).max()?;
    let (rose_at, from, rise) = sharpest_rise(values, start..n)?;
    let is_alike = 0.6 * usual <= rise && 0.6 * rise <= usual;
    let is_high = values[n - (n - rose_at).min(2)..].iter().all(|value| *value >= from + 0.6 * rise);
    (is_alike && is_high && n - rose_at <= longest).then_some(rose_at..n)
}

/// Where a run rises most within a few samples, the value before that, and by how much it does.
fn sharpest_rise(values: &[f64], run: Range<usize>) -> Option<(usize, f64, f64)> {
    let width = (run.len() / 4).clamp(1, 4);
    let (start, run) = (run.start, &values[run]);
    let rises = (0..run.len().saturating_sub(width)).map(|index| (index, run[index + width] - run[index]));
    let (index, rise) = rises.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).filter(|_| run.len() >= 3)?;
    Some((start + index + width / 2, run[index], rise))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pulses of readings that are 100 but during jobs: where each begins, how long it is, how high.
    fn pulses(jobs: &[(usize, usize, f64)]) -> Vec<Range<usize>> {
        let height = |at: usize| jobs.iter().find(|(start, length, _)| (*start..start + length).contains(&at));
        let values: Vec<f64> =
            (0..100).map(|at| 100.0 + height(at).map_or(0.0, |job| job.2) + (at * 7 % 3) as f64).collect();
        let ends = jobs.iter().map(|job| job.0 + job.1).filter(|at| *at < 100);
        let falls: Vec<Fall> = ends.map(|at| Fall { at, before: values[at - 1], after: values[at] }).collect();
        Excursions::of(&values, &falls).pulses
    }

    #[test]
    fn a_job_at_the_end_is_one_where_it_is_like_those_before() {
        let before = [(20, 8, 60.0), (50, 6, 70.0)];
        let with = |last: (usize, usize, f64)| pulses(&[before[0], before[1], last]).len();
        assert_eq!(with((95, 5, 65.0)), 3);
        assert_eq!(with((95, 5, 30.0)), 2, "lower");
        assert_eq!(with((95, 5, 130.0)), 2, "higher");
        assert_eq!(with((90, 10, 65.0)), 2, "longer than jobs take");
        assert_eq!(with((90, 5, 65.0)), 3, "over");
        assert_eq!(pulses(&[before[0], (95, 5, 65.0)]).len(), 1, "one is none");
    }
}
