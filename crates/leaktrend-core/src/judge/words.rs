//! Puts a claim into a judgement: numbers, and sentences with them.

use statrs::distribution::{ContinuousCDF, Gamma, Normal};

use super::claim::{Doubt, Other, START_UPS};
use super::{
    Before, ChangePoint, Detectable, Growth, Judgement, Measured, Regime, RegimeWhy, SEARCHED, ShapeName, Verdict, tail,
};
use crate::fit::{Staircase, Stretch, Tolerance, ToleranceRule};
use crate::segment::Reading;
use crate::stats::calendar;
use crate::stats::posterior::SlopePosterior;
use crate::stats::robust::median;
use crate::stats::trend::{Form, Trend};
use crate::units::{DAY, duration_text, memory_text};

/// So many seconds show that there is a day.
const A_DAY_SEEN: f64 = 23.0 * 3600.0;
/// The normal quantiles of a one-sided test at 1 % and of a power of 80 %, together.
const DETECTION: f64 = 2.326 + 0.842;

/// A series being put into words.
pub(super) struct Case<'a> {
    pub(super) measured: &'a Measured,
    pub(super) stretch: &'a Stretch,
    pub(super) verdict: Verdict,
}

impl Case<'_> {
    pub(super) fn judgement(&self) -> Judgement {
        let Case { stretch, verdict, .. } = *self;
        let terms = &self.measured.terms;
        let (narrow, wide) = stretch.views();
        // Where one view leaves open what the other settles, that is the one to show.
        let settled = 1.0 - narrow.line.slope().probability_at_most(self.tolerance().bytes_per_second) < tail(terms);
        let view = match (&stretch.of_peaks, self.measured.claim.doubt) {
            (Some(peaks), Some(Doubt::Peaks)) => peaks,
            _ if verdict == Verdict::Inconclusive && settled => wide,
            _ => narrow,
        };
        let grows = verdict.is_leak() || verdict == Verdict::LeakSuspected;
        let slope = if grows { view.sustained.slope() } else { view.line.slope() };
        let regime = self.regime(view);
        let mut growth = match &stretch.staircase {
            Some(staircase) if verdict == Verdict::SteppingGrowth => self.growth_in_steps(staircase, &slope),
            _ => self.growth(&slope),
        };
        if let Some(seen) = self.seen_since(view, &regime) {
            // A shape may be wrong, and what was read since is not: an interval that it lies outside is none.
            if seen < growth.lower || growth.upper < seen {
                growth.bytes_per_second = seen;
            }
            growth.lower = growth.lower.min(seen);
            growth.upper = growth.upper.max(seen);
        }
        if let Some(other) = self.measured.other.as_ref().and_then(|other| other.growth.as_ref()) {
            // What every reading allows.
            let other = self.growth(other);
            growth.lower = growth.lower.min(other.lower);
            growth.upper = growth.upper.max(other.upper);
            growth.p_value = growth.p_value.max(other.p_value);
        }
        let open = matches!(verdict, Verdict::Inconclusive | Verdict::LeakSuspected);
        let needed_seconds = if open { self.needed_seconds(&slope, view) } else { None };
        let onset_seconds = grows.then_some(match &stretch.staircase {
            Some(staircase) if verdict == Verdict::SteppingGrowth => staircase.steps[0].0,
            _ => regime.start_seconds,
        });
        Judgement {
            verdict,
            shape: self.shape(view),
            reason: self.reason(view, &growth, needed_seconds),
            would_change: self.would_change(needed_seconds),
            growth: Some(growth),
            onset_seconds,
            change_points: self.change_points(view),
            detectable: Some(Detectable { bytes_per_second: Some(DETECTION * slope.spread()), needed_seconds }),
            regime,
            before: self.before(view, &regime),
        }
    }

    fn rate_text(&self, bytes_per_second: f64) -> String {
        self.measured.terms.rate_unit.text(bytes_per_second)
    }

    fn rate_interval_text(&self, growth: &Growth) -> String {
        let unit = self.measured.terms.rate_unit;
        let interval = unit.interval_text(growth.bytes_per_second, growth.lower, growth.upper);
        interval.replace(')', &format!(" at {:.0} % confidence)", 100.0 * growth.confidence))
    }

    fn tolerance(&self) -> Tolerance {
        self.stretch.tolerance
    }

    fn shape(&self, view: &Trend) -> ShapeName {
        let grows = self.verdict.is_leak() || self.verdict == Verdict::LeakSuspected;
        match &view.chosen.form {
            _ if self.verdict == Verdict::SteppingGrowth => ShapeName::Staircase,
            _ if self.verdict == Verdict::LeakMaskedByRestarts => ShapeName::Sawtooth,
            Form::Lives { .. } if grows => ShapeName::Sawtooth,
            Form::Hinge(_) if grows => ShapeName::Hinge,
            _ if grows => ShapeName::Linear,
            Form::Saturating(_) | Form::Broken(_) => ShapeName::Plateau,
            Form::Steps(_) | Form::Pulse(_) => ShapeName::Step,
            Form::Line | Form::Hinge(_) | Form::Lives { .. } => ShapeName::Flat,
        }
    }

    fn reason(&self, view: &Trend, growth: &Growth, needed: Option<f64>) -> String {
        let Case { measured, stretch, verdict } = *self;
        let tolerance = self.rate_text(self.tolerance().bytes_per_second);
        let subject = match (measured.claim.doubt, measured.claim.reading) {
            (Some(Doubt::Peaks), _) => "the highest tenth of its readings",
            (_, Reading::Collections) => "what garbage collections leave",
            _ => "memory",
        };
        let rate = self.rate_interval_text(growth);
        let excluded = format!("growth above {tolerance} is excluded");
        let risen = memory_text(measured.claim.risen);
        let lives = stretch.starts.len() + 1;
        let restarts = match measured.restarts {
            1 => "one restart".to_owned(),
            count => format!("{count} restarts"),
        };
        let settled = match measured.claim.why {
            RegimeWhy::Restart => " since its last restart",
            RegimeWhy::LaterHalf => " in the later half of the window",
            _ => "",
        };
        match verdict {
            Verdict::Leak => {
                let falls = match measured.n_falls {
                    0 => String::new(),
                    1 => ", whether its fall was a restart or not".to_owned(),
                    count => format!(", whether its {count} falls were restarts or not"),
                };
                format!("{subject} grows {rate}{settled}, as {}{falls}", form_words(&view.chosen.form))
            }
            Verdict::LeakMaskedByRestarts => {
                format!("memory grows {rate} between its restarts ({restarts}; {lives} runs looked at)")
            }
            Verdict::SteppingGrowth => {
                let staircase = stretch.staircase.as_ref().expect("it is what the verdict rests on");
                let largest = staircase.steps.iter().map(|(_, size)| *size).fold(0.0, f64::max);
                format!(
                    "memory rose by {} in {} steps of up to {} and never went back: an unbounded cache does this",
                    memory_text(staircase.total),
                    staircase.steps.len(),
                    memory_text(largest),
                )
            }
            Verdict::LeakSuspected => format!("{subject} grows {rate}{settled}{}", self.doubt(&tolerance)),
            Verdict::Step => {
                let how = match view.chosen.form {
                    _ if measured.claim.why != RegimeWhy::Whole => "in the time before",
                    Form::Lives { .. } => "from one run to another",
                    Form::Pulse(_) => "and fell by less",
                    _ if view.chosen.form.steps().len() == 1 => "in one step",
                    _ => "in two steps",
                };
                format!("{subject} rose by {risen} {how} and is level since: {excluded}")
            }
            Verdict::WarmedUp => format!("{subject} rose by {risen} and is level since{settled}: {excluded}"),
            Verdict::Flat if lives > 1 => {
                format!("memory is level in all {lives} runs between restarts: {excluded}")
            }
            Verdict::Flat => format!("{subject} is level{settled}: {excluded}"),
            Verdict::NegligibleGrowth => {
                format!("{subject} grows {rate}{settled}, proven less than the {tolerance} that matter")
            }
            Verdict::Shrinking => format!("{subject} shrinks {}{settled}", self.rate_text(-growth.bytes_per_second)),
            Verdict::Inconclusive => {
                let question = self.open_question(growth);
                let longer = match needed {
                    Some(seconds) => {
                        let how = if measured.restarts == 0 { "" } else { ", without a restart" };
                        format!("measure about {} longer{how}", duration_text(seconds))
                    }
                    None => format!(
                        "at this noise no length of time up to {} will decide it",
                        duration_text(measured.terms.keep_seconds)
                    ),
                };
                if measured.claim.doubt == Some(Doubt::Unseen) {
                    return format!("too little was read of the last quarter of the window to pass it{settled}");
                }
                let which = if measured.claim.doubt == Some(Doubt::Reading) {
                    format!("{subject} grows, but read as restarts its {} falls leave it level", measured.n_falls)
                } else if growth.lower > self.tolerance().bytes_per_second {
                    let doubt = self.doubt(&tolerance);
                    format!("{subject} grows by more than matters, which is not proven: {question}{doubt}")
                } else if growth.upper < self.tolerance().bytes_per_second {
                    let doubt = self.doubt(&tolerance);
                    format!("{subject} does not seem to grow by what matters, which is not proven: {question}{doubt}")
                } else if growth.lower > 0.0 {
                    format!("{subject} grows, and whether by as much as matters is open: {question}")
                } else {
                    format!("{subject} may grow or not: {question}")
                };
                format!("{which}; {longer}")
            }
        }
    }

    fn doubt(&self, tolerance: &str) -> String {
        let measured = self.measured;
        match measured.claim.doubt {
            // What would pass has a sentence of its own.
            None | Some(Doubt::Unseen) => String::new(),
            Some(Doubt::Size) => format!("; the interval holds the {tolerance} that matter"),
            Some(Doubt::Noise) => "; noise that wanders could do as much".to_owned(),
            Some(Doubt::Day) => {
                let swing = 100.0 * measured.terms.daily_swing;
                let missing = calendar::MIN_DAYS.ceil() * DAY - measured.span_seconds;
                format!(
                    "; a day on which memory swings by {swing:.0} % would look the same: measure about {} longer",
                    duration_text(missing.max(0.0))
                )
            }
            Some(Doubt::StartUp) => {
                let missing = START_UPS * measured.terms.settle_seconds - measured.span_seconds;
                format!("; a start-up would look the same: measure about {} longer", duration_text(missing))
            }
            Some(Doubt::View) => "; its lowest readings and its mean do not agree on it".to_owned(),
            Some(Doubt::Peaks) => "; its lowest readings and its mean do not".to_owned(),
            Some(Doubt::LaterHalf) => "; the whole window leaves it open".to_owned(),
            Some(Doubt::Reading) => {
                let other = match &measured.other {
                    Some(Other { reading: Reading::Collections, verdict, .. }) if verdict.proves_no_leak() => {
                        "if they were garbage collections, what they leave is level"
                    }
                    Some(Other { reading: Reading::Collections, .. }) => {
                        "if they were garbage collections, what they leave is open"
                    }
                    _ => "without them the whole is open",
                };
                let falls = match measured.n_falls {
                    1 => "if its fall was a restart".to_owned(),
                    count => format!("if its {count} falls were restarts"),
                };
                format!(" {falls}; {other}: values alone cannot tell")
            }
        }
    }

    fn regime(&self, view: &Trend) -> Regime {
        let seconds = &self.stretch.seconds;
        let (begin, end) = (seconds[0], seconds[seconds.len() - 1]);
        if let (Verdict::SteppingGrowth, Some(staircase)) = (self.verdict, &self.stretch.staircase) {
            return Regime { start_seconds: staircase.steps[0].0, why: RegimeWhy::GrowthBegan };
        }
        let whole = |why: RegimeWhy| Regime { start_seconds: if why == RegimeWhy::Whole { 0.0 } else { begin }, why };
        match &view.chosen.form {
            Form::Hinge(knee) => Regime { start_seconds: begin + knee * (end - begin), why: RegimeWhy::GrowthBegan },
            Form::Broken(knee) => Regime { start_seconds: begin + knee * (end - begin), why: RegimeWhy::GrowthChanged },
            Form::Steps(at) if !at.is_empty() => {
                Regime { start_seconds: seconds[at[at.len() - 1]], why: RegimeWhy::Shift }
            }
            Form::Lives { last_apart: true, .. } => {
                let last = self.stretch.starts[self.stretch.starts.len() - 1];
                Regime { start_seconds: seconds[last], why: RegimeWhy::Restart }
            }
            _ => whole(self.measured.claim.why),
        }
    }

    /// The rate at which memory rose since its present regime began, from the first to the last eighth of it. `None` where
    /// the regime is the whole, short, or one of steps.
    fn seen_since(&self, view: &Trend, regime: &Regime) -> Option<f64> {
        /// Fewer blocks say too little.
        const BLOCKS: usize = 16;
        let stretch = self.stretch;
        let changes = [RegimeWhy::Shift, RegimeWhy::GrowthBegan, RegimeWhy::GrowthChanged];
        let from = stretch.seconds.partition_point(|at| *at < regime.start_seconds);
        let (seconds, level) = (&stretch.seconds[from..], &view.without_rhythm[from..]);
        let n = level.len();
        if self.verdict == Verdict::SteppingGrowth || !changes.contains(&regime.why) || n < BLOCKS {
            return None;
        }
        let eighth = n / 8;
        let rise = median(&level[n - eighth..])? - median(&level[..eighth])?;
        Some(rise / (median(&seconds[n - eighth..])? - median(&seconds[..eighth])?))
    }

    fn before(&self, view: &Trend, regime: &Regime) -> Option<Before> {
        let seconds = &self.stretch.seconds;
        let until = seconds.partition_point(|at| *at < regime.start_seconds);
        if !matches!(regime.why, RegimeWhy::GrowthBegan | RegimeWhy::GrowthChanged) || until < 4 {
            return None;
        }
        let level = &view.without_rhythm[..until];
        let some = (until / 8).max(2);
        let rise = median(&level[until - some..])? - median(&level[..some])?;
        let middle = seconds[until - 1 - some / 2] - seconds[some / 2];
        (middle > 0.0).then(|| Before {
            start_seconds: seconds[0],
            end_seconds: regime.start_seconds,
            bytes_per_second: rise / middle,
        })
    }

    fn change_points(&self, view: &Trend) -> Vec<ChangePoint> {
        let seconds = &self.stretch.seconds;
        if let Some(staircase) = self.stretch.staircase.as_ref().filter(|_| self.verdict == Verdict::SteppingGrowth) {
            let mut level = staircase.first;
            let steps = staircase.steps.iter().map(|&(at_seconds, size)| {
                let before_bytes = level;
                level += size;
                ChangePoint { at_seconds, before_bytes, after_bytes: level }
            });
            return steps.collect();
        }
        let curve = &view.curve;
        let shift =
            |&at: &usize| ChangePoint { at_seconds: seconds[at], before_bytes: curve[at - 1], after_bytes: curve[at] };
        view.chosen.form.steps().iter().filter(|at| **at > 0).map(shift).collect()
    }

    fn would_change(&self, needed: Option<f64>) -> String {
        let tolerance = self.rate_text(self.tolerance().bytes_per_second);
        let longer = needed.map_or(String::new(), |seconds| format!(" (about {} longer)", duration_text(seconds)));
        match self.verdict {
            Verdict::Leak | Verdict::SteppingGrowth => {
                "growth that ends: a longer window in which the level holds".to_owned()
            }
            Verdict::LeakMaskedByRestarts => "runs between restarts that level off before they end".to_owned(),
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

    fn open_question(&self, growth: &Growth) -> String {
        let resolution = match self.tolerance().rule {
            ToleranceRule::Resolution => " (below the input's resolution)",
            _ => "",
        };
        let unit = self.measured.terms.rate_unit;
        format!(
            "between {} and {} at {:.0} % confidence, {} would matter{resolution}",
            unit.amount_text(growth.lower),
            unit.text(growth.upper),
            100.0 * growth.confidence,
            unit.text(self.tolerance().bytes_per_second),
        )
    }

    /// How much longer to measure until a verdict is likely, in seconds; `None` when nothing within the time that can
    /// be kept would make it so.
    ///
    /// The slope that more data will show is drawn from what is known of it now, its standard error shrinks as the
    /// noise lets it, and the verdict follows: the first window in which one is reached with a probability of 80 %.
    /// O'Hagan, Stevens (2001), "Bayesian assessment of sample size for clinical trials of cost-effectiveness".
    fn needed_seconds(&self, slope: &SlopePosterior, view: &Trend) -> Option<f64> {
        let statistics = self.until_decided(slope)?;
        let needed = statistics.max(self.until_two_days()).max(self.until_level(slope, view));
        (self.measured.span_seconds + needed <= self.measured.terms.keep_seconds.max(2.0 * DAY)).then_some(needed)
    }

    /// What is left of two days, where a day was seen: a rhythm can be known from then on.
    fn until_two_days(&self) -> f64 {
        let terms = &self.measured.terms;
        let span = self.measured.span_seconds;
        if terms.daily_swing > 0.0 && span >= A_DAY_SEEN { (2.0 * DAY - span).max(0.0) } else { 0.0 }
    }

    /// How long a start-up that levels off takes until half of what matters is left of its slope.
    fn until_level(&self, slope: &SlopePosterior, view: &Trend) -> f64 {
        let Form::Saturating(tau) = view.chosen.form else { return 0.0 };
        let seconds = &self.stretch.seconds;
        let span = seconds[seconds.len() - 1] - seconds[0];
        let times = 2.0 * slope.mean() / self.tolerance().bytes_per_second;
        tau * span * times.max(1.0).ln()
    }

    fn until_decided(&self, slope: &SlopePosterior) -> Option<f64> {
        const ASSURANCE: f64 = 0.8;
        /// Times as long that are looked at, each so much longer than the one before.
        const SHORTEST: f64 = 1.1;
        const LONGER: f64 = 1.25;
        let terms = &self.measured.terms;
        match self.measured.claim.doubt {
            Some(Doubt::Day) => return Some((calendar::MIN_DAYS.ceil() * DAY - self.measured.span_seconds).max(0.0)),
            Some(Doubt::StartUp) => return Some(START_UPS * terms.settle_seconds - self.measured.span_seconds),
            _ => {}
        }
        let whole = self.measured.span_seconds;
        let seconds = &self.stretch.seconds;
        let span = seconds[seconds.len() - 1] - seconds[0];
        let tolerance = |factor: f64| {
            let tolerance = self.tolerance();
            match tolerance.rule {
                ToleranceRule::Limit | ToleranceRule::Doubling => tolerance.bytes_per_second,
                // Growth over the whole window that matters stays what it is.
                ToleranceRule::Level | ToleranceRule::Floor | ToleranceRule::Resolution => {
                    tolerance.bytes_per_second * whole / (whole + (factor - 1.0) * span)
                }
            }
        };
        let [significant, confident, searched] =
            [terms.significance, tail(terms), SEARCHED * tail(terms)].map(|tail| standard_normal_quantile(1.0 - tail));
        let longest = 1.0 + (terms.keep_seconds - whole).max(0.0) / span;
        let decides = |factor: f64| {
            let tolerance = tolerance(factor);
            let decided = slope.foreseen(factor, |error| {
                let (grows, shrinks) = ((significant * error).max(tolerance + confident * error), -confident * error);
                let level = tolerance - searched * error;
                // Level lies between its negative and itself; where that reaches into shrinking they are one.
                let level_from = if -level <= shrinks { shrinks } else { -level };
                [(f64::NEG_INFINITY, shrinks), (level_from, level), (grows, f64::INFINITY)]
            });
            decided >= ASSURANCE
        };
        let longer = |factor: &f64| (*factor < longest).then(|| (factor * LONGER).min(longest));
        let mut factors = std::iter::successors((SHORTEST <= longest).then_some(SHORTEST), longer);
        let mut upper = factors.find(|factor| decides(*factor))?;
        let mut lower = (upper / LONGER).max(SHORTEST);
        while upper > 1.05 * lower {
            let middle = (lower * upper).sqrt();
            if decides(middle) {
                upper = middle;
            } else {
                lower = middle;
            }
        }
        Some((upper - 1.0) * span)
    }

    /// The rate at which steps came, whose number is as uncertain as a Poisson process leaves it.
    fn growth_in_steps(&self, staircase: &Staircase, slope: &SlopePosterior) -> Growth {
        let rate = staircase.total / (self.stretch.end - staircase.steps[0].0);
        let (lower, upper) = poisson_interval(staircase.steps.len(), tail(&self.measured.terms));
        let growth = self.growth(slope);
        Growth { bytes_per_second: rate, lower: lower * rate, upper: upper * rate, ..growth }
    }

    fn growth(&self, slope: &SlopePosterior) -> Growth {
        let tail = tail(&self.measured.terms);
        Growth {
            bytes_per_second: slope.mean(),
            lower: slope.quantile(tail),
            upper: slope.quantile(1.0 - tail),
            confidence: self.measured.terms.confidence,
            p_value: slope.probability_at_most(0.0),
        }
    }
}

/// The interval of the rate of a Poisson process that gave `count` events (1 or more), as shares of the rate seen.
///
/// Garwood (1936), "Fiducial limits for the Poisson distribution".
fn poisson_interval(count: usize, tail: f64) -> (f64, f64) {
    let count = count as f64;
    let quantile = |shape: f64, probability: f64| {
        Gamma::new(shape, 1.0).expect("the shape is positive").inverse_cdf(probability) / count
    };
    (quantile(count, tail), quantile(count + 1.0, 1.0 - tail))
}

fn standard_normal_quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

/// How a series came to grow, in words.
fn form_words(form: &Form) -> &'static str {
    match form {
        Form::Line => "a straight line",
        Form::Saturating(_) => "a warm-up and then growth",
        Form::Hinge(_) => "a level and then growth",
        Form::Broken(_) => "a line that bends",
        Form::Steps(_) => "a level shift and growth",
        Form::Pulse(_) => "growth beside another level for a while",
        Form::Lives { .. } => "runs that grow alike",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.chi2.ppf([0.05, 0.95], [2 k, 2 k + 2]) / 2 / k`.
    #[test]
    fn the_interval_of_a_rate_is_that_of_scipy() {
        for (count, expected) in [(3, [0.272_563_816, 2.584_552_176]), (6, [0.435_502_457, 1.973_732_609])] {
            let (lower, upper) = poisson_interval(count, 0.05);
            assert!(
                (lower - expected[0]).abs() < 1e-8 && (upper - expected[1]).abs() < 1e-8,
                "{count}: {lower} {upper}"
            );
        }
    }
}
