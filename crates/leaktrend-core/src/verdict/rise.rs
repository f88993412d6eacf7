//! How memory came to be where it is: by a jump or by a climb, and whether it only comes back to where it was.

use super::Before;
use crate::stats::robust::median;

/// A jump happens within so many readings.
const FEW_READINGS: usize = 3;
/// A step verdict has at most two jumps. What they leave of a rise is noise up to this share, and a climb beyond.
const LEFT: f64 = 0.25;

/// A rise that took its time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Climb {
    /// From 10 % to 90 % of it, in seconds: the rise time of a signal (IEEE Std 181).
    pub seconds: f64,
    /// From the beginning of the window to its highest reading, in bytes.
    pub bytes: f64,
}

/// The climb by which memory rose; `None` where most of a rise came within few readings, which is a step.
pub(super) fn climb(seconds: &[f64], values: &[f64]) -> Option<Climb> {
    let n = values.len();
    let first = median(values.get(..(n / 8).max(1))?)?;
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bytes = highest - first;
    // Three readings on either side of a jump, so that one wild reading is none.
    let side = FEW_READINGS.min(n);
    let across = |near: &[f64]| Some(median(&near[side + 1..])? - median(&near[..side])?);
    let jumps: Vec<f64> = values.windows(2 * side + 1).filter_map(across).collect();
    let largest = |jumps: &[f64]| jumps.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
    let (at, first_jump) = largest(&jumps)?;
    let apart = [&jumps[..at.saturating_sub(2 * side)], &jumps[(at + 2 * side + 1).min(jumps.len())..]];
    let second_jump = apart.into_iter().filter_map(largest).map(|(_, jump)| jump).fold(0.0, f64::max);
    if bytes - first_jump - second_jump <= LEFT * bytes {
        return None;
    }
    let reached = values.iter().position(|value| *value >= first + 0.9 * bytes)?;
    let left = values[..reached].iter().rposition(|value| *value <= first + 0.1 * bytes)?;
    Some(Climb { seconds: seconds[reached] - seconds[left], bytes })
}

/// The rate of a run from its first to its last level, the median of an eighth each; `None` of fewer than 16 readings.
pub(super) fn rate(seconds: &[f64], values: &[f64]) -> Option<Before> {
    const MIN_READINGS: usize = 16;
    let (n, eighth) = (values.len(), values.len() / 8);
    if n < MIN_READINGS {
        return None;
    }
    let ends = |of: &[f64]| Some(median(&of[n - eighth..])? - median(&of[..eighth])?);
    let (start_seconds, end_seconds) = (seconds[0], seconds[n - 1]);
    Some(Before { start_seconds, end_seconds, bytes_per_second: ends(values)? / ends(seconds)? })
}

/// The level from which memory fell at once and to which it comes back, in bytes; `None` where it did not hold one before
/// it fell, did not lose much of it, or is past it. `share`: of a level, what is no difference.
///
/// Memory that was level, fell and grows again fills what it had. A leak would not have been level before.
pub(super) fn refills_to(values: &[f64], share: f64) -> Option<f64> {
    /// Fewer readings on a side do not show a level.
    const MIN_READINGS: usize = 16;
    let (lowest, low) = values.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let half = f64::midpoint(median(&values[..lowest])?, low);
    let fell = values[..lowest].iter().rposition(|value| half <= *value)? + 1;
    let (before, since) = (&values[..fell], &values[lowest..]);
    let is_at_once = lowest - fell <= FEW_READINGS;
    if !is_at_once || before.len() < MIN_READINGS || since.len() < MIN_READINGS || 2 * before.len() < since.len() {
        return None;
    }
    let eighths = |values: &[f64], from: usize, to: usize| {
        let edge = |eighth: usize| eighth * values.len() / 8;
        median(&values[edge(from)..edge(to)])
    };
    let (early, late, now) = (eighths(before, 1, 4)?, eighths(before, 5, 8)?, eighths(since, 7, 8)?);
    let was_level = (late - early).abs() <= share * late;
    let lost = low < (1.0 - share) * late && low < now;
    (was_level && lost && now <= (1.0 + share) * late).then_some(late)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[f64], expected: Option<(f64, f64)>) {
        let seconds: Vec<f64> = (0..values.len()).map(|at| 10.0 * at as f64).collect();
        assert_eq!(climb(&seconds, values).map(|climb| (climb.seconds, climb.bytes)), expected);
    }

    fn joined(parts: &[&[f64]]) -> Vec<f64> {
        parts.concat()
    }

    #[test]
    fn the_rate_of_a_run_is_that_of_its_levels() {
        let seconds: Vec<f64> = (0..64).map(|at| 60.0 * f64::from(at)).collect();
        let values: Vec<f64> = (0..64).map(|at| 500.0 + 3.0 * f64::from(at)).collect();
        let before = rate(&seconds, &values).unwrap();
        assert_eq!((before.start_seconds, before.end_seconds), (0.0, 3780.0));
        assert!((before.bytes_per_second - 0.05).abs() < 1e-12);
        assert_eq!(rate(&seconds[..15], &values[..15]), None);
    }

    #[test]
    fn a_jump_is_no_climb_and_a_climb_no_jump() {
        let (low, high) = ([100.0; 40], [200.0; 40]);
        let ramp: Vec<f64> = (1..=20).map(|at| 100.0 + 5.0 * f64::from(at)).collect();
        check(&joined(&[&low, &high]), None);
        // Two jumps, a jump through a reading in between, a jump and a job that comes and goes.
        check(&joined(&[&low, &[150.0; 40], &high]), None);
        check(&joined(&[&low, &[130.0, 160.0], &high]), None);
        check(&joined(&[&low, &high, &[400.0; 20], &high]), None);
        // Most of it within few readings, and a third of it for a long time.
        let rest: Vec<f64> = (1..=60).map(|at| 200.0 + f64::from(at)).collect();
        check(&joined(&[&low, &[200.0], &rest, &[150.0; 60]]), Some((450.0, 160.0)));
        // Nine tenths are reached at the 18th reading of the ramp, a tenth is left at the 2nd.
        check(&joined(&[&low, &ramp, &high]), Some((160.0, 100.0)));
        // What is given back in part was climbed in whole.
        check(&joined(&[&low, &ramp, &[150.0; 60]]), Some((160.0, 100.0)));
        check(&low, None);
        check(&[1.0], None);
        check(&[], None);
    }

    #[test]
    fn what_comes_back_to_its_level_refills() {
        let level: Vec<f64> = (0..60).map(|at| 200.0 + f64::from(at % 3)).collect();
        let refill: Vec<f64> = (0..60).map(|at| 200.0 - 120.0 * (-f64::from(at) / 15.0).exp()).collect();
        let check = |values: &[f64], expected: Option<f64>| assert_eq!(refills_to(values, 0.05), expected);
        check(&joined(&[&level, &refill]), Some(201.0));
        check(&joined(&[&level, &refill[..20]]), Some(201.0));
        // Past its level, a leak before the fall, a slow fall, none.
        let past: Vec<f64> = (0..60).map(|at| 80.0 + 3.0 * f64::from(at)).collect();
        let leak: Vec<f64> = (0..60).map(|at| 80.0 + 2.0 * f64::from(at)).collect();
        let slow: Vec<f64> = (0..20).map(|at| 200.0 - 6.0 * f64::from(at)).collect();
        check(&joined(&[&level, &past]), None);
        check(&joined(&[&leak, &refill]), None);
        check(&joined(&[&level, &slow, &refill]), None);
        check(&level, None);
        check(&[], None);
    }
}
