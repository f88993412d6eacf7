//! Decides what a fit means: the only place that compares numbers with criteria.
//!
//! Growth is claimed only when the whole interval of growth lies beyond what is relevant and no other shape explains
//! it; stability only when the whole interval lies within. Between them we do not know, and say how much longer to
//! measure. Pure: the same fit and terms give the same judgement.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::fit::{Analysis, Fit, MIN_FLOORS, MIN_SAMPLES, ShapeFit, Staircase, Stretch, ToleranceRule};
use crate::segment::Segmentation;
use crate::stats::ar1::SlopePosterior;
use crate::stats::shapes::Form;
use crate::units::{DAY, duration_text, memory_text, rate_interval_text, rate_per_day_text, rate_text};

/// What the statistics say of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Sustained growth: significant, relevant, not levelling off.
    Leak,
    /// Each life grows and is cut by restarts, though the whole looks flat.
    LeakMaskedByRestarts,
    /// Three or more upward steps, none back.
    SteppingGrowth,
    /// Growth is significant; whether it is relevant, or a leak, is not settled.
    LeakSuspected,
    /// One or two lasting upward shifts, no trend after.
    Step,
    /// Nothing can be claimed yet.
    Inconclusive,
    /// Growth is significant and proven smaller than relevant.
    NegligibleGrowth,
    /// Rose, then proven flat at the level it reached.
    WarmedUp,
    /// A significant decrease.
    Shrinking,
    /// Proven: the whole interval of the slope is within the tolerance.
    Flat,
}

impl Verdict {
    /// All of them, the worst first.
    pub const ALL: [Verdict; 10] = [
        Verdict::Leak,
        Verdict::LeakMaskedByRestarts,
        Verdict::SteppingGrowth,
        Verdict::LeakSuspected,
        Verdict::Step,
        Verdict::Inconclusive,
        Verdict::NegligibleGrowth,
        Verdict::WarmedUp,
        Verdict::Shrinking,
        Verdict::Flat,
    ];

    /// The name in the JSON verdict.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Leak => "leak",
            Verdict::LeakMaskedByRestarts => "leak-masked-by-restarts",
            Verdict::SteppingGrowth => "stepping-growth",
            Verdict::LeakSuspected => "leak-suspected",
            Verdict::Step => "step",
            Verdict::Flat => "flat",
            Verdict::NegligibleGrowth => "negligible-growth",
            Verdict::WarmedUp => "warmed-up",
            Verdict::Shrinking => "shrinking",
            Verdict::Inconclusive => "inconclusive",
        }
    }

    /// Whether it proves that memory does not grow by what is relevant.
    pub const fn proves_no_leak(self) -> bool {
        matches!(self, Verdict::Flat | Verdict::WarmedUp | Verdict::NegligibleGrowth | Verdict::Shrinking)
    }

    /// Whether it is a failure by itself.
    pub const fn is_leak(self) -> bool {
        matches!(self, Verdict::Leak | Verdict::LeakMaskedByRestarts | Verdict::SteppingGrowth)
    }
}

/// The shape of a series, in the words of the JSON verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShapeName {
    /// A level.
    Flat,
    /// A straight line.
    Linear,
    /// A level, then growth.
    Hinge,
    /// A rise that levelled off.
    Plateau,
    /// One or two level shifts.
    Step,
    /// Several level shifts, all up.
    Staircase,
    /// Growth that is cut again and again.
    Sawtooth,
    /// Not known.
    Unknown,
}

impl ShapeName {
    /// The name in the JSON verdict.
    pub const fn name(self) -> &'static str {
        match self {
            ShapeName::Flat => "flat",
            ShapeName::Linear => "linear",
            ShapeName::Hinge => "hinge",
            ShapeName::Plateau => "plateau",
            ShapeName::Step => "step",
            ShapeName::Staircase => "staircase",
            ShapeName::Sawtooth => "sawtooth",
            ShapeName::Unknown => "unknown",
        }
    }
}

/// When a verdict may be claimed; see `settings::VerdictSettings`.
#[derive(Debug, Clone, Copy)]
pub struct JudgeTerms {
    /// Largest probability of no growth at which growth is significant.
    pub significance: f64,
    /// Confidence of intervals, and of claims about them.
    pub confidence: f64,
    /// Largest false discovery rate at which growth among many series is a leak.
    pub false_discovery_rate: f64,
    /// A shift up to this is no step, in bytes.
    pub step_floor_bytes: f64,
    /// A shift up to this share of the level before it is no step.
    pub step_share: f64,
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
    /// The smallest growth that would have been called significant in 80 % of cases, in bytes per second; `None` when
    /// there was nothing to measure noise by.
    pub bytes_per_second: Option<f64>,
    /// How much longer to measure for a verdict, in seconds; `None` when one was reached, or when a hundred times as
    /// long would not be enough.
    pub needed_seconds: Option<f64>,
}

/// A verdict with everything that explains it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The shape it was found in.
    pub shape: ShapeName,
    /// One sentence with numbers, without a final period.
    pub reason: String,
    /// What would change it, as one sentence without a final period.
    pub would_change: String,
    /// The growth it rests on.
    pub growth: Option<Growth>,
    /// When growth began, in seconds from the first sample.
    pub onset_seconds: Option<f64>,
    /// Lasting shifts of the level.
    pub change_points: Vec<ChangePoint>,
    /// What the data could have shown.
    pub detectable: Option<Detectable>,
}

/// The shape was chosen from the same data as the slope in it, which makes the slope look better known than it is: at
/// the plain 5 % up to 6.8 % of series that grow by exactly what matters were proven to grow less
/// (`reports/accuracy.md` has the rates with this).
const SEARCHED: f64 = 0.6;

/// The normal quantiles of a one-sided test at 1 % and of a power of 80 %, together.
const DETECTION: f64 = 2.326 + 0.842;

/// What a fit means under the given terms. The only place that compares the two.
///
/// `q_value`: the false discovery rate at which this growth is a discovery among all series of the run.
pub fn judge(fit: &Fit, segmentation: &Segmentation, q_value: Option<f64>, terms: &JudgeTerms) -> Judgement {
    let case = Case { fit, segmentation, terms };
    if fit.n_samples < MIN_SAMPLES {
        return case.too_short();
    }
    let judgement = case.by_lives().unwrap_or_else(|| case.by_stretch());
    case.among_many(judgement, q_value)
}

/// One series being judged.
struct Case<'a> {
    fit: &'a Fit,
    segmentation: &'a Segmentation<'a>,
    terms: &'a JudgeTerms,
}

impl Case<'_> {
    fn too_short(&self) -> Judgement {
        let step = if self.fit.n_samples > 1 { self.fit.span_seconds / (self.fit.n_samples - 1) as f64 } else { 0.0 };
        let missing = (MIN_SAMPLES - self.fit.n_samples) as f64;
        let needed = (step > 0.0).then_some(missing * step);
        let longer = needed.map_or(String::new(), |seconds| format!("; measure {} longer", duration_text(seconds)));
        Judgement {
            verdict: Verdict::Inconclusive,
            shape: ShapeName::Unknown,
            reason: format!(
                "{} {} too few to judge (at least {MIN_SAMPLES} are needed){longer}",
                self.fit.n_samples,
                if self.fit.n_samples == 1 { "sample is" } else { "samples are" },
            ),
            would_change: "more samples".to_owned(),
            growth: None,
            onset_seconds: None,
            change_points: Vec::new(),
            detectable: Some(Detectable { bytes_per_second: None, needed_seconds: needed }),
        }
    }

    /// The verdict that all lives support together; `None` when they do not settle it.
    fn by_lives(&self) -> Option<Judgement> {
        let lives = self.fit.lives.as_ref()?;
        let tolerance = self.fit.tolerance.bytes_per_second;
        let growth = self.growth(&lives.slope);
        let count = self.segmentation.restarts.len();
        let times = if count == 1 { "restart".to_owned() } else { format!("{count} restarts") };
        let grows = growth.p_value < self.terms.significance
            && lives.slope.probability_at_most(tolerance) < self.tail()
            && lives.margin >= 0.0
            && lives.rising_share >= 0.75
            && lives.longest_rises
            && self.segmentation.gradual
            && lives.count >= 2;
        if grows {
            let rate = rate(&growth);
            let (verdict, reason) = if self.segmentation.trusted {
                let between = if count == 1 { "before and after its restart" } else { "between its restarts" };
                let cuts = format!("cut by {}{times}", if count == 1 { "one " } else { "" });
                (Verdict::LeakMaskedByRestarts, format!("memory grows {rate} {between}: {} lives, {cuts}", lives.count))
            } else {
                (
                    Verdict::LeakSuspected,
                    format!(
                        "memory grows {rate} between falls; values alone cannot tell whether these are restarts or garbage collections"
                    ),
                )
            };
            let onset = Some(0.0);
            return Some(self.judgement(verdict, ShapeName::Sawtooth, reason, &lives.slope, onset, Vec::new()));
        }
        if self.within_tolerance(&lives.slope) {
            let reason = format!(
                "memory is level in all {} lives between restarts: growth above {} is excluded",
                lives.count,
                rate_per_day_text(tolerance),
            );
            return Some(self.judgement(Verdict::Flat, ShapeName::Flat, reason, &lives.slope, None, Vec::new()));
        }
        None
    }

    fn by_stretch(&self) -> Judgement {
        let Some(stretch) = &self.fit.stretch else {
            let reason = "no life between restarts is long enough to judge".to_owned();
            return Judgement {
                verdict: Verdict::Inconclusive,
                shape: ShapeName::Unknown,
                reason,
                would_change: format!("a life of at least {MIN_SAMPLES} samples without a restart"),
                growth: self.fit.lives.as_ref().map(|lives| self.growth(&lives.slope)),
                onset_seconds: None,
                change_points: Vec::new(),
                detectable: None,
            };
        };
        let mut judgement = match &stretch.analysis {
            Analysis::FewFloors(count) => self.few_floors(*count),
            Analysis::Floors { floors, slope } => self.by_floors(floors.len(), slope),
            Analysis::Shape(shape) => self.by_shape(shape),
        };
        if stretch.share < 1.0 {
            judgement = self.of_one_life(judgement, stretch);
        }
        judgement
    }

    /// A leak seen in a small part of the window only is a suspicion.
    fn of_one_life(&self, mut judgement: Judgement, stretch: &Stretch) -> Judgement {
        let share = (stretch.samples.end - stretch.samples.start) as f64 / self.fit.n_samples as f64;
        judgement.reason =
            format!("judged by the life that says most ({:.0} % of the window): {}", 100.0 * share, judgement.reason);
        if judgement.verdict.is_leak() && share < 0.4 {
            judgement.verdict = Verdict::LeakSuspected;
        }
        judgement
    }

    fn few_floors(&self, count: usize) -> Judgement {
        let per_floor = self.fit.span_seconds / count.max(1) as f64;
        let needed = (MIN_FLOORS + 1 - count.min(MIN_FLOORS)) as f64 * per_floor;
        Judgement {
            verdict: Verdict::Inconclusive,
            shape: ShapeName::Sawtooth,
            reason: format!(
                "memory is collected {count} times: too few to see whether what is left after each grows (at least {MIN_FLOORS} are needed); measure {} longer",
                duration_text(needed),
            ),
            would_change: "more garbage collections".to_owned(),
            growth: None,
            onset_seconds: None,
            change_points: Vec::new(),
            detectable: Some(Detectable { bytes_per_second: None, needed_seconds: Some(needed) }),
        }
    }

    fn by_floors(&self, count: usize, slope: &SlopePosterior) -> Judgement {
        let tolerance = self.fit.tolerance.bytes_per_second;
        let growth = self.growth(slope);
        let left = format!("what {count} garbage collections leave");
        let (verdict, reason) =
            if growth.p_value < self.terms.significance && slope.probability_at_most(tolerance) < self.tail() {
                (Verdict::Leak, format!("{left} grows {}", rate(&growth)))
            } else if self.within_tolerance(slope) {
                (Verdict::Flat, format!("{left} is level: growth above {} is excluded", rate_per_day_text(tolerance)))
            } else if slope.probability_at_most(tolerance) > 1.0 - self.tail()
                && slope.probability_at_most(-tolerance) > 0.5
            {
                (Verdict::Shrinking, format!("{left} shrinks {}", rate_text(-growth.bytes_per_second)))
            } else {
                (Verdict::Inconclusive, format!("{left} may grow or not: {}", self.open_question(slope)))
            };
        let onset = (verdict == Verdict::Leak).then_some(0.0);
        self.judgement(verdict, ShapeName::Sawtooth, reason, slope, onset, Vec::new())
    }

    fn by_shape(&self, fit: &ShapeFit) -> Judgement {
        let tolerance = self.fit.tolerance.bytes_per_second;
        let form = &fit.shape.chosen.form;
        let slope = &fit.slope;
        let growth = self.growth(slope);
        let shape = if fit.of_floors { ShapeName::Sawtooth } else { shape_name(form) };
        let (begin, end) = (fit.seconds[0], fit.seconds[fit.seconds.len() - 1]);
        let span = end - begin;
        let subject = if fit.of_floors { "what garbage collections leave" } else { "memory" };

        // Steps that explain more than the best line tell more than its slope: what to look for is a cache.
        if let Some(staircase) = &fit.staircase {
            return self.by_staircase(fit, staircase);
        }

        // A knee was searched for, so the same evidence says less.
        let hinged = matches!(form, Form::Hinge(_));
        let significant = growth.p_value < self.terms.significance / if hinged { 4.0 } else { 1.0 };
        let relevant = slope.probability_at_most(tolerance) < self.tail();
        let growing_share = if let Form::Hinge(knee) = form { 1.0 - knee } else { 1.0 };
        let expected = growth.bytes_per_second * span * growing_share;
        let ends_higher = fit.last_without_falls - fit.first >= 0.5 * expected;
        let rate_so_far = ((fit.last_without_falls - fit.first) / span).max(0.0);
        let levelled = fit.late_slope.as_ref().map_or(0.0, |late| late.probability_at_most(rate_so_far / 3.0));
        let goes_on = levelled < if hinged { 0.9 } else { 0.8 };
        let onset = Some(match form {
            Form::Hinge(knee) => begin + knee * span,
            _ => begin,
        });

        if form.grows() {
            let margin_needed = match form {
                Form::SaturatingLinear(_) => 6.0,
                Form::Hinge(_) => 4.0,
                _ => 0.0,
            };
            if significant && relevant && fit.shape.margin >= margin_needed && ends_higher && goes_on {
                let rate = rate(&growth);
                let form_words = form.name();
                return if fit.last - fit.first >= 0.5 * expected {
                    let reason = format!("{subject} grows {rate}, as {form_words}{}", unseen_cycle(fit));
                    self.judgement(Verdict::Leak, shape, reason, slope, onset, Vec::new())
                } else {
                    let reason = format!(
                        "{subject} grows {rate} but fell in between; values alone cannot tell whether that was a restart or a garbage collection"
                    );
                    self.judgement(Verdict::LeakSuspected, shape, reason, slope, onset, shifts(fit))
                };
            }
        }
        if form.grows() && growth.p_value < self.terms.significance && ends_higher && goes_on {
            let rate = rate(&growth);
            return if self.below_tolerance(slope) {
                let reason = format!(
                    "{subject} grows {rate}, proven less than the {} that matter",
                    rate_per_day_text(tolerance)
                );
                self.judgement(Verdict::NegligibleGrowth, shape, reason, slope, onset, Vec::new())
            } else {
                let why = if relevant {
                    format!("{} explains it nearly as well", fit.shape.runner_up.form.name())
                } else {
                    format!("the interval holds the {} that matter", rate_per_day_text(tolerance))
                };
                let reason = format!("{subject} grows {rate}; {why}");
                self.judgement(Verdict::LeakSuspected, shape, reason, slope, onset, Vec::new())
            };
        }
        if self.within_tolerance(slope) {
            let excluded = format!("growth above {} is excluded", rate_per_day_text(tolerance));
            let risen = memory_text(fit.last - fit.first);
            let (verdict, reason) = if !form.steps().is_empty() && self.is_step(fit) {
                (
                    Verdict::Step,
                    format!(
                        "{subject} rose by {risen} in {} and is level since: {excluded}",
                        count_steps(form.steps().len())
                    ),
                )
            } else if matches!(form, Form::Saturating(_) | Form::RampFlat(_) | Form::SaturatingLinear(_))
                && fit.last > fit.first
            {
                (Verdict::WarmedUp, format!("{subject} rose by {risen} and is level since: {excluded}"))
            } else {
                (Verdict::Flat, format!("{subject} is level: {excluded}"))
            };
            return self.judgement(verdict, shape, reason, slope, None, shifts(fit));
        }
        if growth.p_value > 1.0 - self.tail() {
            let reason = format!("{subject} shrinks {}", rate_text(-growth.bytes_per_second));
            return self.judgement(Verdict::Shrinking, shape, reason, slope, None, shifts(fit));
        }
        // Growth that an interval excludes or proves is still open while another shape explains as much.
        let beside = if relevant { format!(", since {} explains it as well", form.name()) } else { String::new() };
        let reason = format!("{subject} may grow or not{beside}: {}", self.open_question(slope));
        self.judgement(Verdict::Inconclusive, shape, reason, slope, None, shifts(fit))
    }

    fn by_staircase(&self, fit: &ShapeFit, staircase: &Staircase) -> Judgement {
        let count = staircase.steps.len();
        let largest = staircase.steps.iter().map(|(_, size)| *size).fold(0.0, f64::max);
        let reason = format!(
            "memory rose by {} in {count} steps of up to {} and never went back: an unbounded cache does this",
            memory_text(staircase.total),
            memory_text(largest),
        );
        let mut level = fit.first;
        let change_points: Vec<ChangePoint> = staircase
            .steps
            .iter()
            .map(|&(at, size)| {
                let before_bytes = level;
                level += size;
                ChangePoint { at_seconds: fit.seconds[at], before_bytes, after_bytes: level }
            })
            .collect();
        let onset = change_points.first().map(|step| step.at_seconds);
        self.judgement(Verdict::SteppingGrowth, ShapeName::Staircase, reason, &staircase.slope, onset, change_points)
    }

    /// Whether the net shift is large enough to matter.
    fn is_step(&self, fit: &ShapeFit) -> bool {
        let rise = fit.last - fit.first;
        let relevant = self.fit.tolerance.bytes_per_second * (fit.seconds[fit.seconds.len() - 1] - fit.seconds[0]);
        rise > relevant && rise > self.terms.step_floor_bytes && rise > self.terms.step_share * fit.first
    }

    /// With many series a small p-value comes by chance: it must be a discovery among all of them.
    fn among_many(&self, mut judgement: Judgement, q_value: Option<f64>) -> Judgement {
        let chance = q_value.is_some_and(|q_value| q_value > self.terms.false_discovery_rate);
        if chance && judgement.verdict.is_leak() && judgement.verdict != Verdict::SteppingGrowth {
            judgement.verdict = Verdict::LeakSuspected;
            judgement.reason.push_str("; among so many series this may be chance");
        }
        judgement
    }

    fn judgement(
        &self,
        verdict: Verdict,
        shape: ShapeName,
        reason: String,
        slope: &SlopePosterior,
        onset_seconds: Option<f64>,
        change_points: Vec<ChangePoint>,
    ) -> Judgement {
        let needed_seconds = if verdict == Verdict::Inconclusive || verdict == Verdict::LeakSuspected {
            self.needed_seconds(slope)
        } else {
            None
        };
        let mut reason = reason;
        if verdict == Verdict::Inconclusive {
            match needed_seconds {
                Some(seconds) => {
                    let how = if self.segmentation.restarts.is_empty() { "" } else { ", without a restart" };
                    reason.push_str(&format!("; measure about {} longer{how}", duration_text(seconds)));
                }
                None => reason.push_str("; at this noise even a hundred times as long would not settle it"),
            }
        }
        Judgement {
            verdict,
            shape,
            reason,
            would_change: self.would_change(verdict, needed_seconds),
            growth: Some(self.growth(slope)),
            onset_seconds,
            change_points,
            detectable: Some(Detectable { bytes_per_second: Some(DETECTION * slope.spread()), needed_seconds }),
        }
    }

    fn would_change(&self, verdict: Verdict, needed: Option<f64>) -> String {
        let tolerance = rate_per_day_text(self.fit.tolerance.bytes_per_second);
        let longer = needed.map_or(String::new(), |seconds| format!(" (about {} longer)", duration_text(seconds)));
        match verdict {
            Verdict::Leak | Verdict::SteppingGrowth => {
                "growth that ends: a longer window in which the level holds".to_owned()
            }
            Verdict::LeakMaskedByRestarts => "lives between restarts that level off before they are cut".to_owned(),
            Verdict::LeakSuspected => format!(
                "a longer window{longer}, or evidence of restarts beside the values (docker stats with its I/O columns)"
            ),
            Verdict::Step => "growth after the shift, or further shifts".to_owned(),
            Verdict::Inconclusive => format!("a longer window{longer}, or less noise"),
            Verdict::NegligibleGrowth => format!("growth above {tolerance}, or a smaller tolerance"),
            Verdict::WarmedUp | Verdict::Flat | Verdict::Shrinking => {
                format!("growth above {tolerance}; smaller growth is not looked for")
            }
        }
    }

    fn open_question(&self, slope: &SlopePosterior) -> String {
        let growth = self.growth(slope);
        let resolution = match self.fit.tolerance.rule {
            ToleranceRule::Resolution => " (below the input's resolution)",
            _ => "",
        };
        format!(
            "between {} and {} a day at {:.0} % confidence, {} a day would matter{resolution}",
            memory_text(growth.lower * DAY),
            memory_text(growth.upper * DAY),
            100.0 * growth.confidence,
            memory_text(self.fit.tolerance.bytes_per_second * DAY),
        )
    }

    /// How much longer to measure until a verdict is likely, in seconds; `None` when a hundred times as long would not
    /// make it so.
    ///
    /// The slope that more data will show is drawn from what is known of it now, its standard error shrinks as the
    /// noise lets it, and the verdict follows: the first window in which one is reached with a probability of 80 %.
    /// O'Hagan, Stevens (2001), "Bayesian assessment of sample size for clinical trials of cost-effectiveness".
    fn needed_seconds(&self, slope: &SlopePosterior) -> Option<f64> {
        const ASSURANCE: f64 = 0.8;
        let whole = self.fit.span_seconds;
        let span = self.fit.stretch.as_ref().map_or(whole, |stretch| {
            let seconds = &self.segmentation.seconds;
            seconds[stretch.samples.end - 1] - seconds[stretch.samples.start]
        });
        let tolerance = |factor: f64| {
            let tolerance = self.fit.tolerance;
            match tolerance.rule {
                ToleranceRule::Limit => tolerance.bytes_per_second,
                // Growth over the whole window that matters stays what it is.
                ToleranceRule::Level | ToleranceRule::Floor | ToleranceRule::Resolution => {
                    tolerance.bytes_per_second * whole / (whole + (factor - 1.0) * span)
                }
            }
        };
        let [significant, confident, searched] = [self.terms.significance, self.tail(), SEARCHED * self.tail()]
            .map(|tail| standard_normal_quantile(1.0 - tail));
        let factors =
            std::iter::successors(Some(1.1f64), |factor| Some(factor * 1.05)).take_while(|factor| *factor <= 100.0);
        factors
            .filter(|&factor| {
                let tolerance = tolerance(factor);
                let decided = slope.foreseen(factor, |error| {
                    let (grows, shrinks) =
                        ((significant * error).max(tolerance + confident * error), -confident * error);
                    let level = tolerance - searched * error;
                    // Level lies between its negative and itself; where that reaches into shrinking they are one.
                    let level_from = if -level <= shrinks { shrinks } else { -level };
                    [(f64::NEG_INFINITY, shrinks), (level_from, level), (grows, f64::INFINITY)]
                });
                decided >= ASSURANCE
            })
            .map(|factor| (factor - 1.0) * span)
            .next()
    }

    fn growth(&self, slope: &SlopePosterior) -> Growth {
        Growth {
            bytes_per_second: slope.mean(),
            lower: slope.quantile(self.tail()),
            upper: slope.quantile(1.0 - self.tail()),
            confidence: self.terms.confidence,
            p_value: slope.probability_at_most(0.0),
        }
    }

    fn within_tolerance(&self, slope: &SlopePosterior) -> bool {
        let tolerance = self.fit.tolerance.bytes_per_second;
        self.below_tolerance(slope) && slope.probability_at_most(-tolerance) < self.tail()
    }

    /// Whether growth above the tolerance is excluded.
    fn below_tolerance(&self, slope: &SlopePosterior) -> bool {
        let tolerance = self.fit.tolerance.bytes_per_second;
        slope.probability_at_most(tolerance) > 1.0 - SEARCHED * self.tail()
    }

    /// What lies beyond the interval on one side, as a probability.
    fn tail(&self) -> f64 {
        (1.0 - self.terms.confidence) / 2.0
    }
}

fn standard_normal_quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

fn shape_name(form: &Form) -> ShapeName {
    match form {
        Form::Flat => ShapeName::Flat,
        Form::Linear | Form::SaturatingLinear(_) | Form::StepsLinear(_) => ShapeName::Linear,
        Form::Hinge(_) => ShapeName::Hinge,
        Form::Saturating(_) | Form::RampFlat(_) => ShapeName::Plateau,
        Form::Steps(_) | Form::Pulse(_) => ShapeName::Step,
    }
}

fn count_steps(count: usize) -> &'static str {
    if count == 1 { "one step" } else { "two steps" }
}

/// The fitted level shifts, as levels before and after.
fn shifts(fit: &ShapeFit) -> Vec<ChangePoint> {
    let curve = &fit.shape.curve;
    fit.shape
        .chosen
        .form
        .steps()
        .iter()
        .map(|&at| ChangePoint { at_seconds: fit.seconds[at], before_bytes: curve[at - 1], after_bytes: curve[at] })
        .collect()
}

fn rate(growth: &Growth) -> String {
    let interval = rate_interval_text(growth.bytes_per_second, growth.lower, growth.upper);
    interval.replace(')', &format!(" at {:.0} % confidence)", 100.0 * growth.confidence))
}

fn unseen_cycle(fit: &ShapeFit) -> &'static str {
    let span = fit.seconds[fit.seconds.len() - 1] - fit.seconds[0];
    if span < 0.9 * DAY { "; in less than a day a daily cycle cannot be excluded" } else { "" }
}
