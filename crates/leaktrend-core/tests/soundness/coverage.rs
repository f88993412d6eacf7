//! How often the 90 % interval of growth holds the true rate where there are few blocks, whose noise remembers.

use leaktrend_core::Terms;
use leaktrend_core::series::Metric;
use leaktrend_core::units::MIB;
use rayon::prelude::*;

use crate::simulated::{MINUTE, MONDAY, Random, every, measured, series};

/// Series of each cell.
const EACH: u64 = 200;

/// What makes a block.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Block {
    /// A reading.
    Reading,
    /// An hour of twelve readings, in a window of two days and more.
    Hour,
    /// A cycle of a collector.
    Cycle,
}

/// The number of blocks that came about, and whether the interval holds the true rate.
fn covers(block: Block, blocks: usize, phi: f64, seed: u64) -> (usize, bool) {
    let random = &mut Random::new(seed);
    let level = random.uniform(100.0, 500.0);
    let noise = random.autocorrelated(phi, blocks + 2);
    let sd = 0.02 * level;
    // None, or as much as the noise wanders, or five times that.
    let rise = [0.0, 1.0, 5.0][(seed % 3) as usize] * sd;
    let (times, mib, span) = match block {
        Block::Reading => {
            let times = every(30.0 * MINUTE, 30.0 * MINUTE * (blocks - 1) as f64);
            let span = times[times.len() - 1];
            let mib = times.iter().zip(&noise).map(|(time, noise)| level + rise * time / span + sd * noise).collect();
            (times, mib, span)
        }
        Block::Hour => {
            let span = 60.0 * MINUTE * blocks as f64;
            let times = every(5.0 * MINUTE, span);
            let remembers = f64::powf(phi, 1.0 / 12.0);
            let noise = random.autocorrelated(remembers, times.len());
            let mib: Vec<f64> =
                times.iter().zip(&noise).map(|(time, noise)| level + rise * time / span + sd * noise).collect();
            (times, mib, span)
        }
        Block::Cycle => {
            let (mut times, mut mib) = (Vec::new(), Vec::new());
            let span = 10.0 * MINUTE * (blocks + 1) as f64;
            for noise in &noise[..=blocks] {
                for age in 0..10 {
                    let time = MINUTE * times.len() as f64;
                    // What lives, and garbage up to as much again.
                    let live = level + rise * time / span + sd * noise;
                    mib.push(live + level * (f64::from(age) + random.uniform(0.0, 0.5)) / 10.0);
                    times.push(time);
                }
            }
            (times, mib, span)
        }
    };
    let metric = if block == Block::Cycle { Metric::Heap } else { Metric::WorkingSet };
    let measured = measured(&series(MONDAY, &times, &mib, metric), &Terms::default());
    let found = measured.stretch().map_or(0, |stretch| stretch.seconds.len());
    let truth = rise * MIB / span;
    let growth = measured.judge(None).growth;
    (found, growth.is_some_and(|growth| growth.lower <= truth && truth <= growth.upper))
}

/// Coefficients of the noise from one block to the next.
const COEFFICIENTS: [f64; 3] = [0.0, 0.5, 0.9];

/// Checks the shares that are covered at each of the `COEFFICIENTS`. Most of the blocks must come about.
#[track_caller]
fn check(block: Block, blocks: usize, least: [f64; 3]) {
    let cells = COEFFICIENTS.map(|phi| {
        let outcomes: Vec<(usize, bool)> =
            (0..EACH).into_par_iter().map(|seed| covers(block, blocks, phi, seed)).collect();
        let made = outcomes.iter().filter(|(found, _)| found.abs_diff(blocks) <= 1).count();
        let covered = outcomes.iter().filter(|(_, covered)| *covered).count();
        [made, covered].map(|count| count as f64 / EACH as f64)
    });
    for (cell, least) in cells.iter().zip(least) {
        assert!(cell[0] >= 0.7, "{block:?}: few windows have {blocks} blocks: {cells:?}");
        assert!(cell[1] >= least, "{block:?}, {blocks} blocks: covered at 0, 0.5 and 0.9: {cells:?}");
    }
}

/// 87 %, less what 200 draws of 90 % fall short by in one of a hundred; at 0.9 what 1,500 series of each gave (in the
/// comments), less 7 %, which 200 draws fall short by as seldom.
#[test]
fn intervals_of_readings_hold_the_rate() {
    check(Block::Reading, 16, [0.85, 0.85, 0.75]); // 0.818
    check(Block::Reading, 24, [0.85, 0.85, 0.79]); // 0.861
    check(Block::Reading, 48, [0.85, 0.85, 0.84]); // 0.915
}

#[test]
fn intervals_of_hours_hold_the_rate() {
    check(Block::Hour, 48, [0.85, 0.85, 0.76]); // 0.831
}

/// 48 collections and more share blocks.
#[test]
fn intervals_of_cycles_hold_the_rate() {
    check(Block::Cycle, 12, [0.85, 0.85, 0.86]); // 0.931
    check(Block::Cycle, 16, [0.85, 0.85, 0.84]); // 0.916
    check(Block::Cycle, 24, [0.85, 0.85, 0.78]); // 0.850
    check(Block::Cycle, 46, [0.85, 0.85, 0.70]); // 0.774
}
