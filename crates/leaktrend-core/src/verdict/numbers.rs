//! Puts a claim into a judgement: what is known in numbers, and on what it rests.

use statrs::distribution::{ContinuousCDF, Gamma, Normal};

use super::claim::START_UPS;
use super::grounds::{Course, Doubt, Evidence, Grounds, Steps, Subject};
use super::{
    Before, ChangePoint, Detectable, Growth, Judgement, Measured, Regime, RegimeWhy, SEARCHED, ShapeName, Verdict, tail,
};
use crate::fit::{Staircase, Stretch, Tolerance, ToleranceRule};
use crate::segment::Reading;
use crate::stats::calendar;
use crate::stats::posterior::SlopePosterior;
use crate::stats::robust::median;
use crate::stats::trend::{Form, LATEST_KNEE, Trend};
use crate::units::DAY;

/// So many seconds show that there is a day.
const A_DAY_SEEN: f64 = 23.0 * 3600.0;
/// The normal quantiles of a one-sided test at 1 % and of a power of 80 %, together.
const DETECTION: f64 = 2.326 + 0.842;

/// What lies so many blocks apart may lie within one of them, and what it does to its neighbours.
const WITHIN_A_BLOCK: usize = 2;

/// A claim being put into numbers.
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
            // What is said of memory after collections is read from that.
            _ if self.measured.claim.reading == Reading::Collections && self.grows_in(&stretch.of_troughs) => {
                &stretch.of_troughs
            }
            _ => narrow,
        };
        let grows = verdict.is_leak() || verdict == Verdict::LeakSuspected;
        let slope = if grows { view.sustained.slope() } else { view.line.slope() };
        let later = self.later_knee(view).filter(|_| grows);
        let mut regime = match later {
            Some((start_seconds, _)) => Regime { start_seconds, why: RegimeWhy::GrowthBegan },
            None => self.regime(view),
        };
        let mut growth = match &stretch.staircase {
            Some(staircase) if verdict == Verdict::SteppingGrowth => self.growth_in_steps(staircase, &slope),
            _ => self.growth(&slope),
        };
        // A shape may be wrong, and what was read since is not: an interval that it lies outside is none.
        let seen = later.map(|(_, rate)| rate).or_else(|| self.seen_since(view, &regime));
        let seen = seen.filter(|seen| *seen < growth.lower || growth.upper < *seen);
        if let Some(seen) = seen {
            growth = growth.joined_with(seen);
        }
        let gained = self.gained_with_shifts(view, &regime, growth.bytes_per_second).filter(|_| grows);
        if let Some((began, rate)) = gained {
            growth = self.growth(&slope).joined_with(rate);
            regime = Regime { start_seconds: began, why: self.measured.claim.why };
        }
        let as_read = seen.is_some() || later.is_some() || gained.is_some();
        let mut evidence = Evidence { as_read, ..self.evidence(view) };
        if gained.is_some() {
            evidence.course = Course::WithShifts;
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
            _ => self.growth_began(view, &regime, growth.bytes_per_second),
        });
        Judgement {
            verdict,
            shape: self.shape(view),
            grounds: Grounds::Measured(Box::new(evidence)),
            growth: Some(growth),
            onset_seconds,
            // Shifts of a shape that does not hold are none, unless they are what is claimed.
            change_points: if as_read && verdict != Verdict::Step { Vec::new() } else { self.change_points(view) },
            detectable: Some(Detectable { bytes_per_second: Some(DETECTION * slope.spread()), needed_seconds }),
            regime,
            before: self.before(view, &regime),
        }
    }

    /// Whether growth is claimed, and seen in this view, too.
    fn grows_in(&self, view: &Trend) -> bool {
        let at_most = |least: f64| view.sustained.slope().probability_at_most(least);
        let (significance, tail) = (self.measured.terms.significance, tail(&self.measured.terms));
        let claimed = self.verdict.is_leak() || self.verdict == Verdict::LeakSuspected;
        claimed && at_most(0.0) < significance && at_most(self.tolerance().bytes_per_second) < tail
    }

    fn evidence(&self, view: &Trend) -> Evidence {
        let Case { measured, stretch, .. } = *self;
        let claim = &measured.claim;
        let steps = |staircase: &Staircase| Steps {
            count: staircase.steps.len(),
            total_bytes: staircase.total,
            largest_bytes: staircase.steps.iter().map(|(_, size)| *size).fold(0.0, f64::max),
        };
        // Runs with a rate of their own say nothing of those before.
        let apart = match view.chosen.form {
            Form::Runs { apart_from, .. } => apart_from,
            _ => None,
        };
        Evidence {
            of_workload: measured.of_workload,
            subject: match (claim.doubt, claim.reading) {
                (Some(Doubt::Peaks), _) => Subject::Peaks,
                (_, Reading::Collections) => Subject::Troughs,
                _ => Subject::Memory,
            },
            since: if apart.is_some() { RegimeWhy::Restart } else { claim.why },
            course: if stretch.is_last_run_alone(view) { Course::Line } else { Course::of(&view.chosen.form) },
            tolerance: stretch.tolerance,
            risen_bytes: claim.risen,
            climb: measured.climb,
            // Where it rests on what falls are taken for, that is the thing to say.
            refills_to: measured.refills_to.filter(|_| !matches!(claim.doubt, Some(Doubt::Reading | Doubt::Peaks))),
            as_read: false,
            runs: stretch.starts.len() + 1 - apart.map_or(0, |start| start + 1),
            restarts: measured.restarts,
            restarts_inferred: measured.restarts_inferred,
            open_falls: measured.n_falls,
            deployed: measured.deployed,
            steps: stretch.staircase.as_ref().map(steps),
            doubt: claim.doubt,
            other_reading: measured.other.as_ref().map(|other| (other.reading, other.verdict)),
            may_be_chance: false,
            span_seconds: measured.span_seconds,
            terms: measured.terms,
        }
    }

    fn tolerance(&self) -> Tolerance {
        self.stretch.tolerance
    }

    fn shape(&self, view: &Trend) -> ShapeName {
        let grows = self.verdict.is_leak() || self.verdict == Verdict::LeakSuspected;
        match &view.chosen.form {
            _ if self.verdict == Verdict::SteppingGrowth => ShapeName::Staircase,
            _ if self.verdict == Verdict::LeakMaskedByRestarts => ShapeName::Sawtooth,
            Form::Runs { .. } if grows && !self.stretch.is_last_run_alone(view) => ShapeName::Sawtooth,
            Form::Hinge(_) if grows => ShapeName::Hinge,
            _ if grows => ShapeName::Linear,
            Form::Saturating(_) | Form::Broken(_) | Form::Climb(_) | Form::Runs { climb: Some(_), .. } => {
                ShapeName::Plateau
            }
            Form::Steps(_) | Form::Pulse(_) => ShapeName::Step,
            Form::Line | Form::Hinge(_) | Form::Runs { .. } => ShapeName::Flat,
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
            Form::Broken(knee) | Form::Climb([_, knee]) | Form::Runs { climb: Some([_, knee]), .. } => {
                Regime { start_seconds: begin + knee * (end - begin), why: RegimeWhy::GrowthChanged }
            }
            Form::Steps(at) if !at.is_empty() => {
                Regime { start_seconds: seconds[at[at.len() - 1]], why: RegimeWhy::Shift }
            }
            Form::Runs { apart_from: Some(start), .. } => {
                Regime { start_seconds: seconds[self.stretch.starts[*start]], why: RegimeWhy::Restart }
            }
            _ => whole(self.measured.claim.why),
        }
    }

    /// When growth began and its rate, by least squares, where the shape has it begin at the latest place that it knows;
    /// `None` elsewhere.
    fn later_knee(&self, view: &Trend) -> Option<(f64, f64)> {
        /// Fewer blocks are no line.
        const BLOCKS: usize = 6;
        /// Refinement ends so close to the place.
        const CLOSE: f64 = 0.005;
        let Form::Hinge(knee) = view.chosen.form else { return None };
        let (seconds, level) = (&self.stretch.seconds, &view.without_rhythm);
        let n = seconds.len();
        let (begin, end) = (seconds[0], seconds[n - 1]);
        let from = seconds.partition_point(|at| *at < begin + knee * (end - begin));
        if knee < LATEST_KNEE - CLOSE || self.verdict == Verdict::SteppingGrowth {
            return None;
        }
        let mean = level.iter().sum::<f64>() / n as f64;
        let fit = |at: usize| {
            let since = |second: &f64| (second - seconds[at]).max(0.0);
            let middle = seconds.iter().map(since).sum::<f64>() / n as f64;
            let square = seconds.iter().map(|second| (since(second) - middle).powi(2)).sum::<f64>();
            let both =
                seconds.iter().zip(level).map(|(second, level)| (since(second) - middle) * (level - mean)).sum::<f64>();
            // What the line explains, and its slope.
            (both * both / square, seconds[at], both / square)
        };
        let best = (from..n.saturating_sub(BLOCKS)).map(fit).max_by(|a, b| a.0.total_cmp(&b.0))?;
        Some((best.1, best.2))
    }

    /// The rate at which memory rose since its present regime began. `None` where the regime is the whole, short, or one
    /// of steps.
    fn seen_since(&self, view: &Trend, regime: &Regime) -> Option<f64> {
        let changes = [RegimeWhy::Shift, RegimeWhy::GrowthBegan, RegimeWhy::GrowthChanged];
        let is_of_shape = self.verdict != Verdict::SteppingGrowth && changes.contains(&regime.why);
        let from = self.stretch.seconds.partition_point(|at| *at < regime.start_seconds);
        self.stretch.rise_since(view, from).filter(|_| is_of_shape)
    }

    /// When growth began: with the present regime, or with the stretch where memory grew before that as well.
    fn growth_began(&self, view: &Trend, regime: &Regime, rate: f64) -> f64 {
        /// Growth of at least this share of the present rate was there already.
        const ALREADY: f64 = 0.5;
        let changed = matches!(regime.why, RegimeWhy::Shift | RegimeWhy::GrowthChanged);
        let before = self.rate_until(view, 0, regime.start_seconds).filter(|_| changed);
        match before {
            Some(before) if ALREADY * rate <= before.bytes_per_second => match self.measured.claim.why {
                RegimeWhy::Whole => 0.0,
                _ => before.start_seconds,
            },
            _ => regime.start_seconds,
        }
    }

    /// When growth began and all that was gained since, as a rate, where it began before the level shifted last and the
    /// shifts took part in it: growth beside them is not all that a reader sees. One shift alone is an event, such as a
    /// deployment, and will not come again. `rate`: that growth.
    fn gained_with_shifts(&self, view: &Trend, regime: &Regime, rate: f64) -> Option<(f64, f64)> {
        const SHIFTS: usize = 2;
        let began = (view.chosen.form.steps().len() >= SHIFTS).then(|| self.growth_began(view, regime, rate));
        let began = began.filter(|began| regime.why == RegimeWhy::Shift && *began < regime.start_seconds)?;
        let from = self.stretch.seconds.partition_point(|at| *at < began);
        let gained = self.stretch.rise_since(view, from)?;
        (rate < gained).then_some((began, gained))
    }

    fn before(&self, view: &Trend, regime: &Regime) -> Option<Before> {
        let from = match (regime.why, &self.stretch.starts[..]) {
            // The run before the last.
            (RegimeWhy::Restart, [.., before, _]) => *before,
            (RegimeWhy::GrowthBegan | RegimeWhy::GrowthChanged, _) | (RegimeWhy::Restart, [_]) => 0,
            _ => return self.measured.before,
        };
        self.rate_until(view, from, regime.start_seconds)
    }

    /// The rate from a block up to a time of the stretch, from its first to its last level; `None` with too few blocks.
    fn rate_until(&self, view: &Trend, from: usize, end_seconds: f64) -> Option<Before> {
        let seconds = &self.stretch.seconds[from..];
        let until = seconds.partition_point(|at| *at < end_seconds);
        if until < 4 {
            return None;
        }
        let level = &view.without_rhythm[from..from + until];
        let some = (until / 8).max(2);
        let rise = median(&level[until - some..])? - median(&level[..some])?;
        let middle = seconds[until - 1 - some / 2] - seconds[some / 2];
        (middle > 0.0).then(|| Before { start_seconds: seconds[0], end_seconds, bytes_per_second: rise / middle })
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
        let shift = |before: usize, after: usize| ChangePoint {
            at_seconds: seconds[after],
            before_bytes: curve[before],
            after_bytes: curve[after],
        };
        // A climb within a block is a shift.
        if let Some(ends) = view.chosen.form.climb() {
            let [from, to] = ends.map(|end| self.stretch.block_at(end));
            return if 0 < from && to - from <= WITHIN_A_BLOCK { vec![shift(from - 1, to)] } else { Vec::new() };
        }
        // A shift within a block looks like two.
        let mut shifts: Vec<(usize, ChangePoint)> = Vec::new();
        for at in view.chosen.form.steps().iter().filter(|at| **at > 0) {
            let found = shift(at - 1, *at);
            match shifts.last_mut() {
                Some((last, before)) if at - *last <= WITHIN_A_BLOCK && is_same_way(before, &found) => {
                    (*last, before.after_bytes) = (*at, found.after_bytes);
                }
                _ => shifts.push((*at, found)),
            }
        }
        shifts.into_iter().map(|(_, shift)| shift).collect()
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

/// Whether both shifts lead up, or both down.
fn is_same_way(a: &ChangePoint, b: &ChangePoint) -> bool {
    (a.after_bytes > a.before_bytes) == (b.after_bytes > b.before_bytes)
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
