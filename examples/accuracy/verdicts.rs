//! The procedure under measurement, with its default settings, from a series to a verdict.

use leaktrend::fit::{self, Fit, ToleranceTerms};
use leaktrend::judge::{self, JudgeTerms, Judgement, Verdict};
use leaktrend::segment::{self, Segmentation};
use leaktrend::series::MemorySeries;
use leaktrend::settings::Settings;

/// What was measured of one series.
pub(crate) struct Measured {
    pub(crate) segmentation: Segmentation<'static>,
    pub(crate) fit: Fit,
}

/// Measures a series, without a limit.
pub(crate) fn measure(series: &MemorySeries) -> Measured {
    let settings = Settings::default().verdict;
    let segmentation = segment::cut(series, None).into_owned();
    let terms = ToleranceTerms {
        level_share: settings.tolerance_share.get(),
        floor_bytes: settings.tolerance_floor_bytes.as_f64(),
        horizon_seconds: settings.limit_horizon_seconds.get(),
        limit_bytes: None,
    };
    let fit = fit::fit(&segmentation, series.quantum_bytes().median().expect("a series is never empty"), &terms);
    Measured { segmentation, fit }
}

impl Measured {
    /// The judgement alone (`q_value` none) or among many series.
    pub(crate) fn judge(&self, q_value: Option<f64>) -> Judgement {
        let settings = Settings::default().verdict;
        let terms = JudgeTerms {
            significance: settings.significance.get(),
            confidence: settings.confidence.get(),
            false_discovery_rate: settings.false_discovery_rate.get(),
            step_floor_bytes: settings.step_floor_bytes.as_f64(),
            step_share: settings.step_share.get(),
        };
        judge::judge(&self.fit, &self.segmentation, q_value, &terms)
    }
}

/// Whether a verdict claims that growth above the tolerance is excluded.
pub(crate) fn claims_level(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Flat | Verdict::WarmedUp | Verdict::NegligibleGrowth | Verdict::Step)
}
