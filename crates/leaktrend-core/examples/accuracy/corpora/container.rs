//! A container whose memory is being made, and what many mechanisms share.

use std::ops::Range;

use crate::generator::Sampling;
use crate::generator::random::Random;

/// A moment of a series.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    /// Of the reading.
    pub(super) index: usize,
    /// Since the start, in windows.
    pub(super) x: f64,
    /// Since the start, in seconds.
    pub(super) seconds: f64,
}

/// Memory in MiB, before it is read.
pub(super) struct Container {
    pub(super) random: Random,
    /// Seconds between two readings.
    pub(super) step: f64,
    /// Readings in a window.
    pub(super) n: usize,
    /// How many windows are made.
    pub(super) windows: usize,
    /// What the process holds at rest.
    pub(super) base: f64,
    /// Autocorrelation of the noise from reading to reading.
    pub(super) phi: f64,
    /// Standard deviation of the noise.
    pub(super) sd: f64,
    pub(super) noise: Vec<f64>,
    /// What it holds beside the noise.
    pub(super) held: Vec<f64>,
    /// What a leak has lost since the start, whatever restarts gave back.
    pub(super) lost: Vec<f64>,
    /// It never holds less than this.
    pub(super) least: f64,
    pub(super) limit: f64,
    /// Whether `docker stats` prints it, in four digits, rather than an exporter.
    pub(super) printed_by_docker: bool,
}

impl Container {
    /// An empty one.
    pub(super) fn new(random: Random, sampling: &Sampling, windows: usize) -> Container {
        let n = sampling.len();
        let nothing = vec![0.0; n * windows];
        Container {
            random,
            step: sampling.step,
            n,
            windows,
            base: 0.0,
            phi: 0.0,
            sd: 0.0,
            noise: nothing.clone(),
            held: nothing.clone(),
            lost: nothing,
            least: 4.0,
            limit: f64::INFINITY,
            printed_by_docker: false,
        }
    }

    /// Readings in all windows.
    pub(super) fn len(&self) -> usize {
        self.n * self.windows
    }

    /// Seconds in a window.
    pub(super) fn span(&self) -> f64 {
        self.n as f64 * self.step
    }

    pub(super) fn uniform(&mut self, lower: f64, upper: f64) -> f64 {
        self.random.uniform(lower, upper)
    }

    /// A share of what the process holds at rest.
    pub(super) fn share(&mut self, lower: f64, upper: f64) -> f64 {
        self.base * self.random.uniform(lower, upper)
    }

    /// The reading at a place drawn from part of this window, in windows.
    pub(super) fn reading(&mut self, window: usize, lower: f64, upper: f64) -> usize {
        ((window as f64 + self.random.uniform(lower, upper)) * self.n as f64) as usize
    }

    /// The process holds this beside what it holds.
    pub(super) fn hold(&mut self, amount: impl Fn(Moment) -> f64) {
        add(&mut self.held, self.n, self.step, amount);
    }

    /// It has lost so much more since the start; of which it holds what `hold` says, since restarts give back.
    pub(super) fn lose(&mut self, amount: impl Fn(Moment) -> f64) {
        add(&mut self.lost, self.n, self.step, amount);
    }

    /// It has lost so much more since the start, and holds all of it.
    pub(super) fn leak(&mut self, amount: impl Fn(Moment) -> f64) {
        self.hold(&amount);
        self.lose(amount);
    }

    /// The process loses `rate` a reading, and a restart before each of `cuts` gives it back.
    pub(super) fn leak_in_runs(&mut self, cuts: &[usize], rate: f64) {
        for run in self.runs(cuts) {
            self.held[run].iter_mut().enumerate().for_each(|(age, held)| *held += rate * age as f64);
        }
        self.lose(|at| rate * at.index as f64);
    }

    /// The runs between these readings, which are in order.
    pub(super) fn runs(&self, cuts: &[usize]) -> Vec<Range<usize>> {
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain(std::iter::once(self.len()));
        starts.zip(ends).map(|(start, end)| start..end).collect()
    }

    /// From `at` on for `width` readings it holds `height` more.
    pub(super) fn burst(&mut self, at: usize, width: usize, height: f64) {
        let end = (at + width).min(self.len());
        self.held[at.min(end)..end].iter_mut().for_each(|held| *held += height);
    }

    /// From `at` on it holds `height` more.
    pub(super) fn step(&mut self, at: usize, height: f64) {
        self.burst(at, self.len(), height);
    }

    /// AR(1) noise with this standard deviation, whose shocks are drawn by `shock` with variance 1.
    pub(super) fn autocorrelated(&mut self, phi: f64, sd: f64, shock: fn(&mut Random) -> f64) -> Vec<f64> {
        let scale = sd * (1.0 - phi * phi).sqrt();
        let mut state = sd * shock(&mut self.random);
        (0..self.len())
            .map(|_| {
                let now = state;
                state = phi * state + scale * shock(&mut self.random);
                now
            })
            .collect()
    }

    /// A walk without aim, whose steps have variance 1.
    pub(super) fn walk(&mut self) -> Vec<f64> {
        let mut at = 0.0;
        (0..self.len())
            .map(|_| {
                at += self.random.normal();
                at
            })
            .collect()
    }

    /// The smallest rise over a window that is detected with a power of 80 % at 5 % under this noise.
    pub(super) fn detectable(&self) -> f64 {
        8.6 * self.sd * ((1.0 + self.phi) / (1.0 - self.phi)).sqrt() / (self.n as f64).sqrt()
    }

    /// A rise over a window so many times what could be detected, and 15 to 60 % of what the process holds at least.
    pub(super) fn rise(&mut self, lower: f64, upper: f64) -> f64 {
        let detected = self.detectable() * self.uniform(lower, upper);
        detected.max(self.share(0.15, 0.6))
    }

    /// A collector: garbage grows until a collection, which leaves up to 12 % of `garbage`. `partial`: the probability
    /// that a collection leaves 30 to 70 % instead. 8 to 40 readings from one to the next.
    pub(super) fn collect(&mut self, garbage: f64, partial: f64) {
        let random = &mut self.random;
        let rise = garbage / random.whole(8..40) as f64;
        let (mut held, mut most) = (0.0, garbage * random.uniform(0.8, 1.1));
        for value in &mut self.held {
            held += rise * random.uniform(0.6, 1.4);
            if held > most {
                let left = if random.chance(partial) { random.uniform(0.3, 0.7) } else { random.uniform(0.0, 0.12) };
                held = garbage * left;
                most = garbage * random.uniform(0.8, 1.1);
            }
            *value += held;
        }
    }

    /// Its noise this many times as large.
    pub(super) fn quieten(&mut self, factor: f64) {
        self.noise.iter_mut().for_each(|noise| *noise *= factor);
    }
}

/// Adds an amount to each of `values`, which are `step` seconds apart, `n` to a window.
fn add(values: &mut [f64], n: usize, step: f64, amount: impl Fn(Moment) -> f64) {
    for (index, value) in values.iter_mut().enumerate() {
        let at = index as f64;
        *value += amount(Moment { index, x: at / n as f64, seconds: at * step });
    }
}
