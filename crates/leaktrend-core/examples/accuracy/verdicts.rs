//! The procedure under measurement, with its default terms, from a series to a verdict.

use leaktrend_core::segment;
use leaktrend_core::series::MemorySeries;
use leaktrend_core::verdict::{Measured, Verdict};
use leaktrend_core::{Terms, measure as measured};

/// Measures a series, without a limit.
pub(crate) fn measure(series: &MemorySeries) -> Measured {
    measured(&segment::cut(series, None), series, &Terms::default())
}

/// Whether a verdict claims that growth above the tolerance is excluded.
pub(crate) fn claims_level(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Flat | Verdict::WarmedUp | Verdict::NegligibleGrowth | Verdict::Step)
}
