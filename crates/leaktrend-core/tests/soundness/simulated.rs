//! Small simulations of what processes hold, in MiB over seconds, and what is said of them.

use std::f64::consts::TAU;
use std::ops::Range;

use leaktrend_core::fit::Fit;
use leaktrend_core::series::{Labels, Marks, MemorySeries, Metric, Samples, Sampling, SeriesInfo};
use leaktrend_core::units::{DAY, MIB};
use leaktrend_core::verdict::{Judgement, Measured, Verdict};
use leaktrend_core::{Terms, measure, segment};
use rayon::prelude::*;

/// A Monday, in seconds since 1970: 5 October 2026, midnight UTC.
pub(crate) const MONDAY: f64 = 1_791_158_400.0;
pub(crate) const HOUR: f64 = 3600.0;
pub(crate) const MINUTE: f64 = 60.0;

/// xorshift64* (Vigna 2016): the same numbers everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        let mut random = Random((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        // Neighbouring seeds begin alike.
        for _ in 0..8 {
            random.uniform(0.0, 1.0);
        }
        random
    }

    pub(crate) fn uniform(&mut self, lower: f64, upper: f64) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let word = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d);
        lower + (upper - lower) * (word >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.uniform(0.0, 1.0) < probability
    }

    /// Of mean 0 and variance 1.
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform(1e-300, 1.0).ln()).sqrt() * (TAU * self.uniform(0.0, 1.0)).cos()
    }

    /// A stationary AR(1) process of variance 1.
    pub(crate) fn autocorrelated(&mut self, phi: f64, n: usize) -> Vec<f64> {
        let fresh = (1.0 - phi * phi).sqrt();
        let mut state = self.normal();
        let next = (0..n).map(|_| {
            let now = state;
            state = phi * state + fresh * self.normal();
            now
        });
        next.collect()
    }
}

/// When readings are due, in seconds from the first.
pub(crate) fn every(step: f64, span: f64) -> Vec<f64> {
    (0..=(span / step) as usize).map(|index| index as f64 * step).collect()
}

/// Requests at a second of local time, as a share of the busiest: quiet nights, a steep morning, a slow evening.
pub(crate) fn day(local: f64, quiet: f64) -> f64 {
    let hour = local.rem_euclid(DAY) / HOUR;
    let edge = |at: f64, width: f64| 1.0 / (1.0 + (-(hour - at) / width).exp());
    quiet + (1.0 - quiet) * edge(7.5, 0.6) * (1.0 - edge(19.5, 1.4))
}

/// The heap of a Go process at `times`: what lives is kept, and all else goes when the heap is `1 + gogc` times what
/// lived at the last collection, less what the collector missed. `allocates`: MiB a second.
pub(crate) fn collected(
    random: &mut Random,
    times: &[f64],
    gogc: f64,
    live: impl Fn(f64) -> f64,
    allocates: impl Fn(f64) -> f64,
) -> Vec<f64> {
    /// Moments between two readings: a collection seldom falls on one.
    const MOMENTS: usize = 4;
    let mut kept = live(times[0]);
    let mut garbage = random.uniform(0.0, gogc) * kept;
    let mut before = times[0];
    let heap = times.iter().map(|&time| {
        for moment in 1..=MOMENTS {
            let at = before + (time - before) * moment as f64 / MOMENTS as f64;
            let length = (time - before) / MOMENTS as f64;
            garbage += allocates(at) * length * random.uniform(0.7, 1.3);
            if live(at) + garbage > (1.0 + gogc) * kept {
                garbage = random.uniform(0.0, 0.04) * live(at);
                kept = live(at) + garbage;
            }
        }
        before = time;
        live(time) + garbage
    });
    heap.collect()
}

/// A series from readings in MiB, `from` seconds since 1970, rounded to pages.
pub(crate) fn series(from: f64, times: &[f64], mib: &[f64], metric: Metric) -> MemorySeries {
    const PAGE: f64 = 4096.0;
    let mut samples = Samples::default();
    for (time, mib) in times.iter().zip(mib) {
        let bytes = (mib * MIB / PAGE).round() * PAGE;
        samples.push(((from + time) * 1000.0) as i64, bytes, PAGE, Marks::default());
    }
    let info = SeriesInfo {
        id: "simulated".to_owned(),
        labels: Labels::new(),
        limit: None,
        metric,
        container_given: true,
        sampling: Sampling::Raw,
    };
    MemorySeries::new(info, samples).expect("there are readings")
}

pub(crate) fn measured(series: &MemorySeries, terms: &Terms) -> Measured {
    measure(&segment::cut(series, None), series, terms)
}

/// The growth that matters over the whole of a series, in bytes per second.
pub(crate) fn rate_that_matters(series: &MemorySeries, terms: &Terms) -> f64 {
    let segmentation = segment::cut(series, None);
    let resolution = series.resolution_bytes().median().expect("there are readings");
    Fit::new(&segmentation, resolution, None, &terms.tolerance, 900.0).tolerance(0, true).bytes_per_second
}

/// With the default terms.
pub(crate) fn judged(series: &MemorySeries) -> Judgement {
    measured(series, &Terms::default()).judge(None)
}

/// Whether growth above what matters is excluded.
pub(crate) fn claims_level(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Flat | Verdict::WarmedUp | Verdict::NegligibleGrowth | Verdict::Step)
}

/// Whether it says, or half says, that memory leaks.
pub(crate) fn alarms(verdict: Verdict) -> bool {
    verdict.is_leak() || verdict == Verdict::LeakSuspected
}

/// The verdicts of many series, counted.
pub(crate) struct Tally(Vec<(String, Judgement)>);

impl Tally {
    /// What `process` says of each seed, or of those that make a series.
    pub(crate) fn of<Said: Into<Option<(String, Judgement)>>>(
        seeds: Range<u64>,
        process: impl Fn(u64) -> Said + Send + Sync,
    ) -> Tally {
        Tally(seeds.into_par_iter().filter_map(|seed| process(seed).into()).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Checks that at most this share is `wrong`.
    #[track_caller]
    pub(crate) fn at_most(&self, most: f64, wrong: impl Fn(Verdict) -> bool) {
        assert!(self.share(&wrong) <= most, "{}", self.report(wrong));
    }

    /// Checks that at least this share is `right`.
    #[track_caller]
    pub(crate) fn at_least(&self, least: f64, right: impl Fn(Verdict) -> bool) {
        assert!(self.share(&right) >= least, "{}", self.report(|verdict| !right(verdict)));
    }

    /// Checks that some of these verdicts are explained in these words.
    #[track_caller]
    pub(crate) fn explained(&self, verdict: Verdict, words: &str) {
        let mut reasons = self.0.iter().filter(|(_, judgement)| judgement.verdict == verdict);
        assert!(reasons.any(|(_, judgement)| judgement.reason().contains(words)), "{}", self.report(|_| true));
    }

    fn share(&self, of: impl Fn(Verdict) -> bool) -> f64 {
        let found = self.0.iter().filter(|(_, judgement)| of(judgement.verdict)).count();
        found as f64 / self.0.len() as f64
    }

    /// What to read when a bound does not hold: how often each verdict, and the sentences of those that are wrong.
    fn report(&self, wrong: impl Fn(Verdict) -> bool) -> String {
        let mut text = format!("of {}:", self.0.len());
        for &verdict in Verdict::ALL {
            let count = self.0.iter().filter(|(_, judgement)| judgement.verdict == verdict).count();
            if count > 0 {
                text.push_str(&format!(" {} {count}", verdict.name()));
            }
        }
        for (name, judgement) in self.0.iter().filter(|(_, judgement)| wrong(judgement.verdict)).take(8) {
            text.push_str(&format!("\n  {name}: {}: {}", judgement.verdict.name(), judgement.reason()));
        }
        text
    }
}
