//! From the memory of a container over time to a verdict: statistics on slices, without files, tables or pictures.
//!
//! `series -> segment -> fit -> judge`: each arrow is one function from one value to the next, and nothing points
//! back; `causes` takes a series, its falls and what was counted beside. The crate does not print, read files or look at
//! the clock.

pub mod causes;
pub mod fit;
pub mod forecast;
pub mod judge;
pub mod segment;
pub mod series;
pub mod settled;
pub mod stats;
pub mod units;

use fit::{Fit, ToleranceTerms};
use judge::{JudgeTerms, Measured};
use segment::Segmentation;
use series::MemorySeries;

/// Under which terms a series is judged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms {
    /// What growth matters.
    pub tolerance: ToleranceTerms,
    /// When a verdict may be claimed.
    pub judge: JudgeTerms,
    /// Hours by which the clocks of those who use the service are ahead of UTC: their weekends are then.
    pub hours_ahead: f64,
}

/// Measures a series whose falls were found.
pub fn measure(segmentation: &Segmentation<'_>, series: &MemorySeries, terms: &Terms) -> Measured {
    let quantum = series.quantum_bytes().median().expect("a series is never empty");
    let fit = Fit::new(
        segmentation,
        quantum,
        monday(series, terms.hours_ahead),
        &terms.tolerance,
        terms.judge.settle_seconds,
    );
    judge::measure(&fit, segmentation, &terms.judge)
}

/// The seconds from the first sample at which some Monday began; `None` where times are not known.
fn monday(series: &MemorySeries, hours_ahead: f64) -> Option<f64> {
    /// The first Monday since 1970, in seconds.
    const MONDAY: f64 = 4.0 * units::DAY;
    let start = series.start_ms() as f64 / 1000.0 + 3600.0 * hours_ahead;
    // Times before the last reading are no dates.
    (start > 0.0).then(|| (MONDAY - start).rem_euclid(7.0 * units::DAY) - 7.0 * units::DAY)
}
