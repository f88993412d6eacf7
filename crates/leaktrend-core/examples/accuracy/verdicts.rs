//! The procedure under measurement, with its default settings, from a series to a verdict.

use leaktrend_core::fit::{self, Fit, ToleranceTerms};
use leaktrend_core::judge::{self, JudgeTerms, Judgement, Verdict};
use leaktrend_core::segment::{self, Segmentation};
use leaktrend_core::series::MemorySeries;
use leaktrend_core::units::{DAY, MIB};

/// What was measured of one series.
pub(crate) struct Measured {
    pub(crate) segmentation: Segmentation<'static>,
    pub(crate) fit: Fit,
}

/// The default settings of the program, as far as verdicts go (`settings::VerdictSettings` of `leaktrend`).
const JUDGE_TERMS: JudgeTerms = JudgeTerms {
    significance: 0.01,
    confidence: 0.9,
    false_discovery_rate: 0.05,
    step_floor_bytes: 10.0 * MIB,
    step_share: 0.05,
};
const TOLERANCE_TERMS: ToleranceTerms =
    ToleranceTerms { level_share: 0.05, floor_bytes: 4.0 * MIB, horizon_seconds: 7.0 * DAY, limit_bytes: None };

/// Measures a series, without a limit.
pub(crate) fn measure(series: &MemorySeries) -> Measured {
    let segmentation = segment::cut(series, None).into_owned();
    let quantum = series.quantum_bytes().median().expect("a series is never empty");
    let fit = fit::fit(&segmentation, quantum, &TOLERANCE_TERMS);
    Measured { segmentation, fit }
}

impl Measured {
    /// The judgement alone (`q_value` none) or among many series.
    pub(crate) fn judge(&self, q_value: Option<f64>) -> Judgement {
        judge::judge(&self.fit, &self.segmentation, q_value, &JUDGE_TERMS)
    }
}

/// Whether a verdict claims that growth above the tolerance is excluded.
pub(crate) fn claims_level(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Flat | Verdict::WarmedUp | Verdict::NegligibleGrowth | Verdict::Step)
}
