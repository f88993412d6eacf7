//! Decides what a series means: the only place that compares numbers with criteria.
//!
//! Growth is claimed only when the whole interval of growth lies beyond what is relevant, in every plausible reading of
//! the falls; a level only when the whole interval lies within. Between them we do not know, and say how much longer to
//! measure. The latest stretch that can be judged decides; what came before is reported.

mod claim;
mod grounds;
mod numbers;
mod rise;
mod words;

use crate::fit::{Fit, MIN_SAMPLES, Stretch};
use crate::segment::{Reading, Segmentation};
use crate::stats::trend::{Form, Trend};
use crate::units::{DAY, MIB, RateUnit};

use claim::{Claim, Other};
pub use grounds::{Course, Doubt, Evidence, Grounds, Steps, Subject};
use numbers::Case;
pub use rise::Climb;

crate::named! {
    /// What the statistics say about a series.
    #[derive(PartialOrd, Ord)]
    pub enum Verdict {
        /// Sustained growth: significant, fast enough to matter, not levelling off.
        Leak = "leak",
        /// Memory grows in each run and is reset by restarts, so the whole looks flat.
        LeakMaskedByRestarts = "leak-masked-by-restarts",
        /// Three or more steps up, none down.
        SteppingGrowth = "stepping-growth",
        /// Growth is significant, but it is not known whether it matters, or is a leak.
        LeakSuspected = "leak-suspected",
        /// One or two lasting upward shifts, no trend after.
        Step = "step",
        /// Nothing can be claimed yet.
        Inconclusive = "inconclusive",
        /// Growth is significant, but proven too small to matter.
        NegligibleGrowth = "negligible-growth",
        /// Rose, then proven flat at the level it reached.
        WarmedUp = "warmed-up",
        /// A significant decrease.
        Shrinking = "shrinking",
        /// Proven: the whole interval of the slope is within the tolerance.
        Flat = "flat",
    }
}

impl Verdict {
    /// Whether it proves that memory does not grow by a relevant amount.
    pub const fn proves_no_leak(self) -> bool {
        matches!(self, Verdict::Flat | Verdict::WarmedUp | Verdict::NegligibleGrowth | Verdict::Shrinking)
    }

    /// Whether it is a failure by itself.
    pub const fn is_leak(self) -> bool {
        matches!(self, Verdict::Leak | Verdict::LeakMaskedByRestarts | Verdict::SteppingGrowth)
    }
}

crate::named! {
    /// The shape of memory over time.
    pub enum ShapeName {
        /// A level.
        Flat = "flat",
        /// A straight line.
        Linear = "linear",
        /// A level, then growth.
        Hinge = "hinge",
        /// A rise that levelled off.
        Plateau = "plateau",
        /// One or two level shifts.
        Step = "step",
        /// Several level shifts, all up.
        Staircase = "staircase",
        /// Growth that is cut again and again.
        Sawtooth = "sawtooth",
        /// Not known.
        Unknown = "unknown",
    }
}

/// When a verdict may be claimed; see `settings::VerdictSettings`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JudgeTerms {
    /// Largest probability of no growth at which growth is significant.
    pub significance: f64,
    /// Confidence of intervals, and of claims about them.
    pub confidence: f64,
    /// Largest false discovery rate at which growth among many series is a leak.
    pub false_discovery_rate: f64,
    /// A shift of this size or less is not a step, in bytes.
    pub step_floor_bytes: f64,
    /// A shift of this share of the level before it, or less, is not a step.
    pub step_share: f64,
    /// Memory may swing by up to this share of its level from night to day; 0 where the load does not follow the day.
    pub daily_swing: f64,
    /// The longest possible window, in seconds: the advice is never to measure longer.
    pub keep_seconds: f64,
    /// How long memory settles after a start, in seconds.
    pub settle_seconds: f64,
    /// The unit of time of the rates in sentences.
    pub rate_unit: RateUnit,
}

impl Default for JudgeTerms {
    fn default() -> JudgeTerms {
        JudgeTerms {
            significance: 0.01,
            confidence: 0.9,
            false_discovery_rate: 0.05,
            step_floor_bytes: 10.0 * MIB,
            step_share: 0.05,
            daily_swing: 0.5,
            keep_seconds: 30.0 * DAY,
            settle_seconds: 900.0,
            rate_unit: RateUnit::Day,
        }
    }
}

/// An estimated rate of growth, in bytes per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// The best estimate.
    pub bytes_per_second: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Confidence of the interval, 0 to 1.
    pub confidence: f64,
    /// The probability that there is no growth.
    pub p_value: f64,
}

impl Growth {
    /// The growth that was read, within what it and the estimate leave open: it is known no better than the estimate, in
    /// proportion where both have a sign, and in size otherwise.
    fn joined_with(self, seen: f64) -> Growth {
        let estimate = self.bytes_per_second;
        let has_sign = 0.0 < self.lower * self.upper && 0.0 < seen * estimate;
        let of_seen = |bound: f64| if has_sign { seen * bound / estimate } else { seen + bound - estimate };
        Growth {
            bytes_per_second: seen,
            lower: self.lower.min(of_seen(self.lower)),
            upper: self.upper.max(of_seen(self.upper)),
            ..self
        }
    }
}

/// A lasting change of level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// Seconds from the first sample.
    pub at_seconds: f64,
    /// Level before, in bytes.
    pub before_bytes: f64,
    /// Level after, in bytes.
    pub after_bytes: f64,
}

/// What the data could have shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detectable {
    /// The smallest growth that would have been called significant in 80 % of cases, in bytes per second; `None` if
    /// the noise could not be measured.
    pub bytes_per_second: Option<f64>,
    /// How much longer to measure for a verdict, in seconds; `None` if one was reached, or if not even the longest possible
    /// window would be enough.
    pub needed_seconds: Option<f64>,
}

crate::named! {
    /// Why the time that a verdict covers begins where it does.
    pub enum RegimeWhy {
        /// It is the whole window.
        Whole = "whole",
        /// Since memory settled after a start that was seen.
        StartUp = "start-up",
        /// Since a restart.
        Restart = "restart",
        /// Since growth began.
        GrowthBegan = "growth-began",
        /// Since growth changed.
        GrowthChanged = "growth-changed",
        /// Since its level shifted.
        Shift = "shift",
        /// Only the later half can be distinguished from noise.
        LaterHalf = "later-half",
    }
}

/// The time that a verdict covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regime {
    /// Its beginning, in seconds from the first sample; it ends with the last.
    pub start_seconds: f64,
    /// Why it begins there.
    pub why: RegimeWhy,
}

/// What came before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Before {
    /// Its beginning, in seconds from the first sample.
    pub start_seconds: f64,
    /// Its end.
    pub end_seconds: f64,
    /// The change from its first to its last level, as a rate.
    pub bytes_per_second: f64,
}

/// A verdict with everything that explains it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The shape of the series.
    pub shape: ShapeName,
    /// Its grounds.
    pub grounds: Grounds,
    /// The growth on which it is based; `None` if it could not be estimated.
    pub growth: Option<Growth>,
    /// When growth began, in seconds from the first sample; `None` without growth.
    pub onset_seconds: Option<f64>,
    /// Lasting shifts of the level.
    pub change_points: Vec<ChangePoint>,
    /// What the data could have shown; `None` if nothing was measured.
    pub detectable: Option<Detectable>,
    /// The time that it covers.
    pub regime: Regime,
    /// What came before that, if it was different.
    pub before: Option<Before>,
}

/// The shape was chosen from the same data as the slope in it, which makes the slope look better known than it is: at
/// the plain 5 % up to 6.8 % of series that grow by exactly what matters were proven to grow less
/// (`reports/accuracy.md` has the rates with this).
const SEARCHED: f64 = 0.6;
/// A measured series, to be judged among others.
#[derive(Debug, Clone)]
pub struct Measured {
    claim: Claim,
    /// What is claimed of the falls read otherwise.
    other: Option<Other>,
    n_samples: usize,
    n_falls: usize,
    /// See `Evidence::deployed`.
    deployed: bool,
    restarts: usize,
    restarts_inferred: bool,
    /// How memory rose to the level of a step, where that was no step.
    climb: Option<Climb>,
    /// See `Evidence::refills_to`.
    refills_to: Option<f64>,
    /// The run before the stretch that decides, where that is not the whole.
    before: Option<Before>,
    span_seconds: f64,
    of_workload: bool,
    terms: JudgeTerms,
}

/// Measures a series in every plausible reading of its drops, and claims only what all of them claim.
pub fn measure(fit: &Fit<'_>, segmentation: &Segmentation<'_>, terms: &JudgeTerms) -> Measured {
    let n_samples = segmentation.values.len();
    let falls = &segmentation.falls;
    let mut claims: Vec<Claim> = Vec::new();
    if n_samples >= MIN_SAMPLES {
        claims.extend(falls.readings.iter().map(|reading| Claim::of_reading(fit, *reading, segmentation, terms)));
    }
    let mut claims = claims.into_iter();
    let first = claims.next().unwrap_or_else(|| Claim::none(Reading::Noise));
    let second = claims.next();
    let (claim, other) = match second {
        Some(second) => Claim::agreed(first, second, falls.deployed),
        None => (first, None),
    };
    let claim = claim.unless_given_back(segmentation);
    let (seconds, values) = (&*segmentation.seconds, &*segmentation.values);
    let is_of_runs = |stretch: &Stretch| matches!(stretch.views().0.chosen.form, Form::Runs { climb: None, .. });
    let may_climb = claim.verdict == Verdict::Step && !claim.stretch.as_ref().is_some_and(is_of_runs);
    let climb = if may_climb { rise::climb(seconds, values) } else { None };
    let may_refill = matches!(claim.verdict, Verdict::LeakSuspected | Verdict::Inconclusive);
    let refills_to = if may_refill { rise::refills_to(values, terms.step_share) } else { None };
    let before = claim.stretch.as_ref().and_then(|stretch| {
        let cuts = segmentation.cuts(claim.reading);
        // A stretch begins a little after the restart that it follows.
        let end = match claim.why {
            RegimeWhy::Restart => *cuts.iter().rev().find(|cut| **cut <= stretch.from)?,
            RegimeWhy::LaterHalf => stretch.from,
            _ => return None,
        };
        let start = cuts.iter().rev().find(|cut| **cut < end).map_or(0, |cut| *cut);
        rise::rate(&seconds[start..end], &values[start..end])
    });
    Measured {
        before,
        claim,
        other,
        climb,
        refills_to,
        n_samples,
        n_falls: falls.open.len(),
        deployed: falls.deployed,
        restarts: falls.restarts.len(),
        restarts_inferred: falls.inferred,
        span_seconds: fit.span_seconds,
        of_workload: fit.is_of_workload(),
        terms: *terms,
    }
}

/// What lies beyond the interval on one side, as a probability.
fn tail(terms: &JudgeTerms) -> f64 {
    (1.0 - terms.confidence) / 2.0
}

impl Measured {
    /// The probability that there is no growth, in the view on which a verdict of growth would be based; `None` if nothing
    /// could be measured.
    pub fn p_value(&self) -> Option<f64> {
        let stretch = self.claim.stretch.as_ref()?;
        let shown = stretch.views().0.sustained.slope().probability_at_most(0.0);
        let other = self.other.as_ref().and_then(|other| other.growth.as_ref());
        Some(other.map_or(shown, |growth| shown.max(growth.probability_at_most(0.0))))
    }

    /// Whether the verdict depends on the q-value: growth that is certain in one series alone may be chance among many.
    pub fn depends_on_others(&self) -> bool {
        matches!(self.claim.verdict, Verdict::Leak | Verdict::LeakMaskedByRestarts)
    }

    /// From the first to the last sample.
    pub fn span_seconds(&self) -> f64 {
        self.span_seconds
    }

    /// The stretch on which the verdict is based; `None` if nothing could be measured.
    pub fn stretch(&self) -> Option<&Stretch> {
        self.claim.stretch.as_ref()
    }

    /// The view on which the verdict is based, troughs or means; `None` if nothing could be measured.
    pub fn view(&self) -> Option<&Trend> {
        self.claim.stretch.as_ref().map(|stretch| stretch.views().0)
    }

    /// The verdict. `q_value`: the q-value of this series among all series of the report; `None` to judge it alone.
    pub fn judge(&self, q_value: Option<f64>) -> Judgement {
        let Some(stretch) = &self.claim.stretch else { return self.too_short() };
        let chance =
            self.depends_on_others() && q_value.is_some_and(|q_value| q_value > self.terms.false_discovery_rate);
        let verdict = if chance { Verdict::LeakSuspected } else { self.claim.verdict };
        let case = Case { measured: self, stretch, verdict };
        let mut judgement = case.judgement();
        if let Grounds::Measured(evidence) = &mut judgement.grounds {
            evidence.may_be_chance = chance;
        }
        judgement
    }

    fn too_short(&self) -> Judgement {
        let n = self.n_samples;
        let step = if n > 1 { self.span_seconds / (n - 1) as f64 } else { 0.0 };
        let missing = MIN_SAMPLES.saturating_sub(n).max(1) as f64;
        let needed = (step > 0.0 && n < MIN_SAMPLES).then_some(missing * step);
        let grounds = if n < MIN_SAMPLES { Grounds::TooFewSamples { n_samples: n } } else { Grounds::NoLongStretch };
        let detectable = Detectable { bytes_per_second: None, needed_seconds: needed };
        Judgement { detectable: Some(detectable), ..Judgement::open(grounds) }
    }
}

impl Judgement {
    /// The climb that led to the present level; `None` if memory stepped up or did not rise.
    pub fn climb(&self) -> Option<Climb> {
        match &self.grounds {
            Grounds::Measured(evidence) => evidence.climb,
            _ => None,
        }
    }

    /// See `Evidence::as_read`.
    pub fn is_as_read(&self) -> bool {
        matches!(&self.grounds, Grounds::Measured(evidence) if evidence.as_read)
    }

    /// See `Course::WithShifts`.
    pub fn is_with_shifts(&self) -> bool {
        matches!(&self.grounds, Grounds::Measured(evidence) if evidence.course == Course::WithShifts)
    }

    /// See `Evidence::of_workload`.
    pub fn is_of_workload(&self) -> bool {
        matches!(&self.grounds, Grounds::Measured(evidence) if evidence.of_workload)
    }

    /// See `Evidence::refills_to`.
    pub fn refills_to(&self) -> Option<f64> {
        match &self.grounds {
            Grounds::Measured(evidence) => evidence.refills_to,
            _ => None,
        }
    }

    /// The judgement of a series that could not be measured.
    pub fn open(grounds: Grounds) -> Judgement {
        Judgement {
            verdict: Verdict::Inconclusive,
            shape: ShapeName::Unknown,
            grounds,
            growth: None,
            onset_seconds: None,
            change_points: Vec::new(),
            detectable: None,
            regime: Regime { start_seconds: 0.0, why: RegimeWhy::Whole },
            before: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `84.3 MiB an hour (6.6 to 84.3)`: an estimate stood on its own bound.
    #[test]
    fn an_estimate_lies_within_its_interval() {
        for (lower, estimate, upper, seen, expected) in [
            (6.0, 10.0, 14.0, 80.0, (6.0, 112.0)),
            (6.0, 10.0, 14.0, 2.0, (1.2, 14.0)),
            // Without a sign, as far on either side.
            (-4.0, 10.0, 24.0, 80.0, (-4.0, 94.0)),
            (-4.0, 10.0, 24.0, -8.0, (-22.0, 24.0)),
            (6.0, 10.0, 14.0, -1.0, (-5.0, 14.0)),
        ] {
            let growth = Growth { bytes_per_second: estimate, lower, upper, confidence: 0.9, p_value: 0.01 };
            let joined = growth.joined_with(seen);
            assert!(joined.lower < seen && seen < joined.upper, "{joined:?}");
            assert_eq!((joined.bytes_per_second, (joined.lower, joined.upper)), (seen, expected));
        }
    }
}
