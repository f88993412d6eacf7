//! Judges whether the memory of a container leaks, from its readings over time: statistics on slices, without files,
//! tables or charts.
//!
//! ```
//! use leaktrend_core::series::MemorySeries;
//! use leaktrend_core::{Terms, judge};
//!
//! // A reading every minute for two hours: 200 MiB, and 1 MiB more every two minutes.
//! let time_ms: Vec<i64> = (0..120).map(|minute| 60_000 * minute).collect();
//! let bytes: Vec<f64> = (0..120).map(|minute| (200.0 + f64::from(minute / 2)) * 1024.0 * 1024.0).collect();
//! let series = MemorySeries::from_slices(&time_ms, &bytes)?.with_limit(512.0 * 1024.0 * 1024.0);
//! let judgement = judge(&series, &Terms::default());
//! assert_eq!(judgement.verdict.name(), "leak");
//! println!("{}", judgement.reason());
//! # Ok::<(), leaktrend_core::series::SeriesError>(())
//! ```
//!
//! [`judge()`] answers for one series. Among many, some grow by chance: [`measure`] each, take the
//! [`q_values`](stats::fdr::q_values) of their [p-values](verdict::Measured::p_value), and
//! [judge](verdict::Measured::judge) each by its own, as [`judge_all`] does.
//!
//! `series -> segment -> fit -> verdict`: each arrow is one function from one value to the next, and nothing points
//! back. [`segment`] finds the drops and says which are restarts; [`fit`] estimates growth in blocks of troughs and
//! means; [`verdict`] is the only module that decides. [`forecast`] says when a limit is reached, [`settled`] at which
//! level memory has settled, [`causes`] which kind of request makes it grow, and [`workload`] joins pods that come
//! and go into one series. The crate does not print, read files or read the clock, and the same input gives the same
//! bits.

pub mod causes;
pub mod fit;
pub mod forecast;
pub mod named;
pub mod segment;
pub mod series;
pub mod settled;
pub mod stats;
pub mod units;
pub mod verdict;
pub mod workload;

use fit::{Fit, ToleranceTerms};
use segment::Segmentation;
use series::MemorySeries;
use verdict::{JudgeTerms, Judgement, Measured};

/// The terms under which a series is judged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms {
    /// What growth matters.
    pub tolerance: ToleranceTerms,
    /// When a verdict may be claimed.
    pub judge: JudgeTerms,
    /// The time zone of the users of the service, in hours ahead of UTC: it sets when their weekends are.
    pub hours_ahead: f64,
}

/// The verdict on one series. Its limit is that of the terms, or else that of the series.
///
/// Takes O(n log n) time for n samples, and some milliseconds for a week of them.
pub fn judge(series: &MemorySeries, terms: &Terms) -> Judgement {
    measured(series, terms).judge(None)
}

/// The verdict on each of several series: growth is a leak only if it is a discovery among all of them, at the false
/// discovery rate of the terms (Benjamini, Hochberg 1995).
pub fn judge_all(series: &[MemorySeries], terms: &Terms) -> Vec<Judgement> {
    let measured: Vec<Measured> = series.iter().map(|series| measured(series, terms)).collect();
    let tested: Vec<f64> = measured.iter().filter_map(Measured::p_value).collect();
    let mut q_values = stats::fdr::q_values(&tested).into_iter();
    measured.iter().map(|measured| measured.judge(measured.p_value().and_then(|_| q_values.next()))).collect()
}

/// Measures one series, without regard to others.
pub fn measured(series: &MemorySeries, terms: &Terms) -> Measured {
    let limit_bytes = terms.tolerance.limit_bytes.or(series.info.limit.map(|limit| limit.bytes));
    let terms = Terms { tolerance: ToleranceTerms { limit_bytes, ..terms.tolerance }, ..*terms };
    measure(&segment::cut(series, limit_bytes), series, &terms)
}

/// Measures a series whose drops were found.
pub fn measure(segmentation: &Segmentation<'_>, series: &MemorySeries, terms: &Terms) -> Measured {
    let resolution = series.resolution_bytes().median().expect("a series is never empty");
    let fit = Fit::new(
        segmentation,
        resolution,
        monday(series, terms.hours_ahead),
        &terms.tolerance,
        terms.judge.settle_seconds,
    );
    verdict::measure(&fit, segmentation, &terms.judge)
}

/// The seconds from the first sample at which some Monday began; `None` where times are not known.
fn monday(series: &MemorySeries, hours_ahead: f64) -> Option<f64> {
    /// The first Monday since 1970, in seconds.
    const MONDAY: f64 = 4.0 * units::DAY;
    let start = series.start_ms() as f64 / 1000.0 + 3600.0 * hours_ahead;
    // Times before the last reading are no dates.
    (start > 0.0).then(|| (MONDAY - start).rem_euclid(7.0 * units::DAY) - 7.0 * units::DAY)
}
