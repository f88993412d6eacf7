//! What becomes of one simulated service: what could be known, what was said, and whether it was right.

use leaktrend_core::Terms as JudgeTerms;
use leaktrend_core::causes::{self, CauseSource, GrowthCause};
use leaktrend_core::segment;

use crate::oracle::Oracle;
use crate::service::{Family, Setting, simulate};

/// A cause can be identified where every other explanation is expected to be worse by so much, in BIC.
pub(crate) const IDENTIFIABLE: f64 = 12.0;

pub(crate) struct Outcome {
    pub(crate) setting: Setting,
    /// What became of each true cause.
    pub(crate) truths: Vec<Truth>,
    /// Whether something else was named as what makes memory grow; of a kind that is in no log, the clock is not wrong.
    pub(crate) is_wrong: bool,
    /// Whether anything was.
    pub(crate) is_named: bool,
    pub(crate) said: Vec<GrowthCause>,
    pub(crate) cpu: std::time::Duration,
}

/// What was known of a true cause.
pub(crate) struct Truth {
    /// The gap that is expected in BIC.
    pub(crate) gap: f64,
    /// Whether someone would name it who knows all but the sources and the sizes.
    pub(crate) is_ideal: bool,
    /// A level that holds memory counts whether it is said to grow or not; a leak must be said to be one.
    pub(crate) is_named: bool,
    /// In the set of what cannot be told apart, of a cause that is not named.
    pub(crate) is_in_set: bool,
    /// Whether its interval holds the bytes per unit, where it is named.
    pub(crate) is_covered: Option<bool>,
    /// The estimate as a share of the truth, where it is named.
    pub(crate) ratio: Option<f64>,
}

impl Truth {
    pub(crate) fn is_identifiable(&self) -> bool {
        self.gap >= IDENTIFIABLE
    }
}

pub(crate) fn outcome(setting: &Setting, seed: u64) -> Outcome {
    let service = simulate(setting, seed);
    let segmentation = segment::cut(&service.series, None);
    let begun = std::time::Instant::now();
    let said = causes::attribute(
        &segmentation,
        &service.series,
        &service.covariates,
        &JudgeTerms::default(),
        &causes::CauseTerms::default(),
    );
    let cpu = begun.elapsed();
    let oracle = Oracle::new(&service, setting);
    let n = service.causes.len();
    let gaps = oracle.as_ref().map_or(vec![0.0; n], Oracle::gaps);
    let ideal = oracle.as_ref().map_or(vec![false; n], Oracle::names);
    let known = gaps.into_iter().zip(ideal);
    let truths = service.causes.iter().zip(known).map(|((source, bytes), (gap, is_ideal))| {
        let is_it = |cause: &&GrowthCause| cause.is_named && (setting.family == Family::Gauge || cause.is_named_leak());
        let of_it = said.iter().filter(is_it).find(|cause| cause.source == *source);
        let in_set = |cause: &&GrowthCause| {
            !cause.is_named && (cause.source == *source || cause.indistinguishable.contains(source))
        };
        Truth {
            gap,
            is_ideal,
            is_named: of_it.is_some(),
            is_in_set: said.iter().any(|cause| in_set(&cause)),
            is_covered: of_it.map(|cause| cause.bytes_per_unit.lower <= *bytes && *bytes <= cause.bytes_per_unit.upper),
            ratio: of_it.map(|cause| cause.bytes_per_unit.value / bytes),
        }
    });
    let truths = truths.collect();
    let is_true = |cause: &GrowthCause| service.causes.iter().any(|(source, _)| *source == cause.source);
    let named: Vec<&GrowthCause> = said.iter().filter(|cause| cause.is_named_leak()).collect();
    let is_fair = |cause: &GrowthCause| setting.family == Family::Hidden && cause.source == CauseSource::Clock;
    Outcome {
        setting: *setting,
        truths,
        is_wrong: named.iter().any(|cause| !is_true(cause) && !is_fair(cause)),
        is_named: !named.is_empty(),
        said,
        cpu,
    }
}
