//! Numbers of pods at moments, as levels of the pods and what is common at each moment.

use super::join::{Lifetime, Run};

/// Levels and moments are fitted in turns until nothing moves by more than this share of the spread ...
const SETTLED: f64 = 1e-6;
/// ... or so many turns are over.
const TURNS: usize = 400;

/// Lifetime, moment from the first of the run, bytes.
pub(super) type Cell = (usize, usize, f64);

/// Numbers of the lifetimes of one run, and what they have in common.
pub(super) struct Cells {
    pub(super) each: Vec<Cell>,
    pub(super) n_moments: usize,
    n_lifetimes: usize,
}

impl Cells {
    pub(super) fn of(lifetimes: &[Lifetime], run: &Run, value: impl Fn(&Lifetime, usize, f64) -> f64) -> Cells {
        let mut cells = Vec::new();
        for (index, lifetime) in lifetimes.iter().enumerate().filter(|(_, one)| one.version == run.version) {
            let first = lifetime.cells.partition_point(|(moment, _)| *moment < run.moments.start);
            let within = lifetime.cells[first..].iter().take_while(|(moment, _)| *moment < run.moments.end);
            cells.extend(
                within.map(|(moment, bytes)| (index, moment - run.moments.start, value(lifetime, *moment, *bytes))),
            );
        }
        Cells { each: cells, n_moments: run.moments.len(), n_lifetimes: lifetimes.len() }
    }

    /// Levels of lifetimes and what is common at each moment, by least squares: each in turns is the mean of what the
    /// other leaves. What is common has a mean of 0 over all cells.
    pub(super) fn levels(&self) -> (Vec<f64>, Vec<f64>) {
        let (mut levels, mut common) = (vec![0.0; self.n_lifetimes], vec![0.0; self.n_moments]);
        let spread = self.each.iter().map(|(.., value)| value.abs()).fold(0.0, f64::max);
        for _ in 0..TURNS {
            let means = |n: usize, of: &dyn Fn(&Cell) -> (usize, f64)| {
                let mut sums = vec![(0.0, 0.0); n];
                for cell in &self.each {
                    let (at, value) = of(cell);
                    sums[at].0 += value;
                    sums[at].1 += 1.0;
                }
                sums.into_iter().map(|(sum, count): (f64, f64)| if count > 0.0 { sum / count } else { 0.0 }).collect()
            };
            let next: Vec<f64> = means(self.n_lifetimes, &|(of, at, value)| (*of, value - common[*at]));
            let moved = next.iter().zip(&levels).map(|(next, level)| (next - level).abs()).fold(0.0, f64::max);
            levels = next;
            common = means(self.n_moments, &|(of, at, value)| (*at, value - levels[*of]));
            if moved <= SETTLED * spread {
                break;
            }
        }
        let n = self.each.len().max(1) as f64;
        let mean = self.each.iter().map(|(_, at, _)| common[*at]).sum::<f64>() / n;
        common.iter_mut().for_each(|value| *value -= mean);
        levels.iter_mut().for_each(|level| *level += mean);
        (levels, common)
    }

    /// What levels and moments leave of each cell.
    pub(super) fn left(&self) -> Vec<f64> {
        let (levels, common) = self.levels();
        self.each.iter().map(|(of, at, value)| value - levels[*of] - common[*at]).collect()
    }
}
