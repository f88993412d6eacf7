//! What one reading of a series claims, and what two of them claim together.

use std::f64::consts::PI;
use std::ops::Range;

use super::grounds::Doubt;
use super::{JudgeTerms, RegimeWhy, SEARCHED, Verdict, tail};
use crate::fit::{Fit, MIN_SAMPLES, Stretch, Tolerance};
use crate::segment::{RESTART_DEPTH, Reading, START_UP, Segmentation};
use crate::stats::calendar;
use crate::stats::posterior::{LinePosterior, SlopePosterior};
use crate::stats::robust::median;
use crate::stats::trend::{Form, Trend};
use crate::units::DAY;

/// What one view claims the other must not speak against: the probability that it gives to the contrary.
const AGAINST: f64 = 0.2;
/// A level of means needs troughs that leave growth no more than this probability.
const UNLIKELY: f64 = 0.3;
/// A growth so clear in one view that the other may leave it open.
const CLEAR: f64 = 0.001;
/// A run is judged by itself when it is this share of the window.
const RUN_SHARE: f64 = 0.25;
/// Growth beside level shifts must be significant at so much smaller a probability: their places were searched for, and a
/// shift in the wrong place leaves growth behind. At 1 % a break that was searched for within the middle 70 % needs a Wald
/// statistic of 12.16, of which the probability at a given place is a twentieth (Andrews 1993, table I as corrected in 2003).
const PLACED: f64 = 20.0;
/// Halves are judged by themselves when each has so many days.
const HALF_DAYS: f64 = 2.0;
/// Runs after the first are looked at by themselves when they are more than this: as many restarts within an hour are what
/// the runbook calls a loop.
const MANY_RUNS: usize = 3;
/// Of the later half less is taken for significant: it is looked at because the whole left it open.
const LATER_HALF: f64 = 0.25;

/// A start-up rises so many times as much as memory does in the time as long after it: growth goes on.
const SLOWS_DOWN: f64 = 2.0;
/// After a start so many times the time to settle must be seen before flat growth is a leak: of twice as much one in
/// twenty healthy starts was called one, of this none of a hundred (`tests/soundness/starts.rs`).
pub(super) const START_UPS: f64 = 3.0;
/// A pass needs so many of its blocks in the last quarter of the window: a quarter of an even share.
const SEEN_LATELY: f64 = 1.0 / 16.0;

/// A reading that explains the same blocks worse by more than this, in BIC, is not plausible (Kass, Raftery 1995: "very
/// strong").
const IMPLAUSIBLE: f64 = 10.0;

/// What a reading that is not shown says.
#[derive(Debug, Clone)]
pub(super) struct Other {
    pub(super) reading: Reading,
    pub(super) verdict: Verdict,
    /// Its growth; `None` where it can say nothing.
    pub(super) growth: Option<SlopePosterior>,
}

/// What one reading says.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) verdict: Verdict,
    pub(super) reading: Reading,
    pub(super) why: RegimeWhy,
    /// What it rests on; `None` with too few blocks.
    pub(super) stretch: Option<Stretch>,
    /// What keeps growth from being called a leak.
    pub(super) doubt: Option<Doubt>,
    /// By how much memory is higher than at the beginning of the window, in bytes.
    pub(super) risen: f64,
}

impl Claim {
    pub(super) fn none(reading: Reading) -> Claim {
        Claim { verdict: Verdict::Inconclusive, reading, why: RegimeWhy::Whole, stretch: None, doubt: None, risen: 0.0 }
    }

    fn is_open(&self) -> bool {
        matches!(self.verdict, Verdict::Inconclusive | Verdict::LeakSuspected)
    }

    /// The latest stretch that decides, from the whole to the last run and the later half.
    pub(super) fn of_reading(
        fit: &Fit<'_>,
        reading: Reading,
        segmentation: &Segmentation<'_>,
        terms: &JudgeTerms,
    ) -> Claim {
        let Segmentation { seconds, values, .. } = segmentation;
        let n = seconds.len();
        let first = median(&values[..(n / 8).max(1)]).unwrap_or(0.0);
        let of = |from: usize, why: RegimeWhy, apart: bool, terms: &JudgeTerms| {
            let Some(stretch) = fit.stretch(reading, from, apart) else { return Claim::none(reading) };
            let mut claim = Claim::of(stretch, reading, why, fit.span_seconds, terms);
            // A level that is higher than the one before the stretch has stepped up to it.
            if from > 0 {
                let last = median(&values[n - ((n - from) / 8).max(1)..]).unwrap_or(0.0);
                claim.risen = last - if why == RegimeWhy::StartUp { values[0] } else { first };
                let level = matches!(claim.verdict, Verdict::Flat | Verdict::NegligibleGrowth | Verdict::WarmedUp);
                if level && claim.risen > terms.step_floor_bytes.max(terms.step_share * first) {
                    claim.verdict = if why == RegimeWhy::StartUp { Verdict::WarmedUp } else { Verdict::Step };
                }
            }
            claim
        };
        let settled = settled(seconds, values, terms.settle_seconds);
        let why = if settled == 0 { RegimeWhy::Whole } else { RegimeWhy::StartUp };
        let whole = of(settled, why, true, terms);
        let last = segmentation.cuts(reading).last().map(|last| (*last, seconds[n - 1] - seconds[*last]));
        let last = last.filter(|(at, length)| n - at >= MIN_SAMPLES && *length >= RUN_SHARE * fit.span_seconds);
        // The last run of a workload has a rate of its own beside the calendar of all, and in less than two days none by itself.
        let last = last.filter(|(_, length)| !fit.is_of_workload() || *length >= calendar::MIN_DAYS * DAY);
        let strict = JudgeTerms { significance: LATER_HALF * terms.significance, ..*terms };
        // What the first run did says little of many short ones after it.
        if !whole.verdict.is_leak() {
            let cuts = segmentation.cuts(reading);
            let first = cuts.first().filter(|_| MANY_RUNS < cuts.len() && !fit.is_of_workload());
            let since = first.map(|first| of(*first, RegimeWhy::Restart, true, &strict));
            if let Some(runs) = since.filter(|runs| runs.verdict.is_leak()) {
                return runs;
            }
        }
        if !whole.is_open() {
            // What earlier runs did is over where the last one is level.
            let run = last.filter(|(_, length)| whole.verdict.is_leak() && *length >= HALF_DAYS * DAY);
            let run = run.map(|(at, _)| of(at, RegimeWhy::Restart, true, terms));
            return run.filter(|run| is_level(run.verdict)).unwrap_or(whole);
        }
        if let Some((last, _)) = last {
            let run = of(last, RegimeWhy::Restart, true, terms);
            if !run.is_open() {
                return run;
            }
        }
        // Halves of shorter windows were tried: they decide more, and pass three times as many leaks.
        if fit.span_seconds >= 2.0 * HALF_DAYS * DAY {
            let half = seconds.partition_point(|at| *at < fit.span_seconds / 2.0);
            // Another regime only where the whole shows that something changed.
            let changed = |stretch: &Stretch| !matches!(stretch.views().0.chosen.form, Form::Line);
            let apart = whole.stretch.as_ref().is_none_or(changed);
            let mut later = of(half, RegimeWhy::LaterHalf, apart, &strict);
            // What shrinks may have been collected, and goes on growing.
            let is_seen = whole.verdict == Verdict::LeakSuspected && reading == Reading::Collections;
            let still_grows = later.verdict == Verdict::Shrinking && (is_seen || whole.doubt == Some(Doubt::Peaks));
            if !later.is_open() && !still_grows {
                if later.verdict.is_leak() {
                    later.verdict = Verdict::LeakSuspected;
                    later.doubt = Some(Doubt::LaterHalf);
                }
                return later;
            }
        }
        whole
    }

    fn of(stretch: Stretch, reading: Reading, why: RegimeWhy, window: f64, terms: &JudgeTerms) -> Claim {
        let tail = tail(terms);
        let tolerance = stretch.tolerance.bytes_per_second;
        let (narrow, wide) = stretch.views();
        let at_most = |line: &LinePosterior, least: f64| line.slope().probability_at_most(least);
        let grows =
            |line: &LinePosterior, least: f64| at_most(line, 0.0) < terms.significance && at_most(line, least) < tail;
        let at_most_nothing = at_most(&narrow.sustained, 0.0);
        let significant = at_most_nothing < terms.significance;
        let at_most_tolerance = at_most(&narrow.sustained, tolerance);
        let above_of_troughs = 1.0 - at_most(&stretch.of_troughs.line, tolerance);
        let (against, above_of_means) = match &stretch.of_means {
            Some(means) => (at_most(&wide.sustained, tolerance), 1.0 - at_most(&means.line, tolerance)),
            None => (at_most_tolerance, above_of_troughs),
        };
        let agreed = against < AGAINST || (at_most_tolerance < CLEAR && against < 0.5);
        let form = &narrow.chosen.form;
        let bends = form.climb().is_some() || matches!(form, Form::Broken(_) | Form::Hinge(_) | Form::Saturating(_));
        let level = (above_of_means < SEARCHED * tail && above_of_troughs < UNLIKELY)
            || (above_of_means < tail && above_of_troughs < SEARCHED * tail);

        // A load that goes down for the night takes memory with it, and hides what grows.
        let night = window < calendar::MIN_DAYS * DAY && terms.daily_swing > 0.0 && bends;
        let days = window >= calendar::MIN_DAYS * DAY;
        // Steeper than a swing of the day is at its steepest.
        let swing = tolerance.max(PI * terms.daily_swing / DAY * stretch.level);
        // Steeper than a start-up that has not settled: it gains as much as one must, within the time to settle or what was
        // seen of it.
        let early =
            why == RegimeWhy::StartUp && reading != Reading::Collections && window < START_UPS * terms.settle_seconds;
        let start_up = if early { START_UP * stretch.level / terms.settle_seconds.min(window) } else { 0.0 };
        let days = days || stretch.beside_a_day.as_ref().is_some_and(|line| grows(line, tolerance));
        let (verdict, doubt) = if let Some(staircase) = &stretch.staircase {
            match staircase.total / stretch.span() {
                rate if rate < start_up => (Verdict::LeakSuspected, Some(Doubt::StartUp)),
                rate if !days && rate < swing => (Verdict::LeakSuspected, Some(Doubt::Day)),
                _ => (Verdict::SteppingGrowth, None),
            }
        } else if significant && at_most_tolerance < tail {
            let days = days || grows(&narrow.sustained, swing);
            let settled = !early || grows(&narrow.sustained, start_up);
            // What did not rise since its last shift does not grow beside it; of runs each begins low.
            let last = match form {
                Form::Climb([_, end]) => Some(stretch.block_at(*end)),
                _ => form.steps().last().copied(),
            };
            let rose = last.and_then(|from| stretch.rise_since(narrow, from)).is_none_or(|rate| rate > 0.0);
            let certain = at_most_nothing <= terms.significance / PLACED;
            let may_be_shift = (last.is_some() || form.climb().is_some()) && !(certain && rose);
            match (agreed, settled, days) {
                (false, ..) => (Verdict::LeakSuspected, Some(Doubt::View)),
                _ if may_be_shift => (Verdict::LeakSuspected, Some(Doubt::Shift)),
                (_, false, _) => (Verdict::LeakSuspected, Some(Doubt::StartUp)),
                (.., false) => (Verdict::LeakSuspected, Some(Doubt::Day)),
                _ if stretch.starts.is_empty() || stretch.is_last_run_alone(narrow) => (Verdict::Leak, None),
                _ if reading != Reading::Restarts => (Verdict::LeakMaskedByRestarts, None),
                _ => (Verdict::Leak, None),
            }
        } else if level {
            (level_verdict(&stretch, narrow, significant, terms), None)
        } else if significant {
            (Verdict::LeakSuspected, Some(Doubt::Size))
        } else if at_most_tolerance < tail {
            (Verdict::LeakSuspected, Some(Doubt::Noise))
        } else if narrow.line.slope().probability_at_most(0.0) > 1.0 - tail {
            (Verdict::Shrinking, None)
        } else {
            (Verdict::Inconclusive, None)
        };
        let (mut first, last) = ends(narrow);
        if verdict == Verdict::WarmedUp {
            // An eighth of the window may hold half of a start-up: it began with the first blocks.
            first = narrow.without_rhythm.first_chunk::<3>().and_then(|blocks| median(blocks)).unwrap_or(first);
        }
        let verdict = if verdict == Verdict::Shrinking && night { Verdict::Inconclusive } else { verdict };
        let late = stretch.seconds.iter().filter(|at| **at > stretch.end - 0.25 * stretch.span()).count();
        let unseen = (late as f64) < SEEN_LATELY * stretch.seconds.len() as f64;
        let (verdict, doubt) =
            if unseen && is_level(verdict) { (Verdict::Inconclusive, Some(Doubt::Unseen)) } else { (verdict, doubt) };
        let may_pass = verdict == Verdict::Inconclusive || is_level(verdict);
        // Peaks of a day and a half that follow a shift are those of the day.
        let is_part_of_days = window >= calendar::MIN_DAYS * DAY && stretch.span() < calendar::MIN_DAYS * DAY;
        let least = if is_part_of_days { swing } else { tolerance };
        let peaks_grow = stretch.of_peaks.as_ref().is_some_and(|peaks| grows(&peaks.sustained, least));
        let (verdict, doubt) =
            if may_pass && peaks_grow { (Verdict::LeakSuspected, Some(Doubt::Peaks)) } else { (verdict, doubt) };
        Claim { verdict, reading, why, risen: last - first, stretch: Some(stretch), doubt }
    }

    /// The same, where a drop that may be no restart has given back what memory had gained until then: a full collection does
    /// so too, and will do so again.
    pub(super) fn unless_given_back(self, segmentation: &Segmentation<'_>) -> Claim {
        match &self.stretch {
            Some(stretch) if self.verdict.is_leak() && is_given_back(stretch, segmentation) => {
                Claim { verdict: Verdict::LeakSuspected, doubt: Some(Doubt::GivenBack), ..self }
            }
            _ => self,
        }
    }

    /// What two readings of the same falls claim together, and what the one says that is not shown; the first takes them
    /// for restarts. `deployed`: see `Falling`.
    pub(super) fn agreed(restarts: Claim, other: Claim, deployed: bool) -> (Claim, Option<Other>) {
        let aside = |claim: &Claim| {
            let growth = claim.stretch.as_ref().map(|stretch| stretch.views().0.sustained.slope());
            Some(Other { reading: claim.reading, verdict: claim.verdict, growth })
        };
        let (of_restarts, of_other) = (aside(&restarts), aside(&other));
        let open = Some(Doubt::Reading);
        // Where taking falls for nothing explains the same blocks far worse, its agreement is worth nothing.
        let explained =
            |claim: &Claim| claim.stretch.as_ref().map(|stretch| (stretch.from, stretch.of_troughs.chosen.bic));
        let plausible = match (explained(&restarts), explained(&other)) {
            (Some((from, of_restarts)), Some((also_from, of_other))) if from == also_from => {
                other.reading == Reading::Collections || of_other <= of_restarts + IMPLAUSIBLE
            }
            _ => true,
        };
        match (restarts.verdict, other.verdict) {
            (first, second) if first.is_leak() && second.is_leak() && plausible => (restarts, of_other),
            (first, _) if first.is_leak() => {
                (Claim { verdict: Verdict::LeakSuspected, doubt: open, ..restarts }, of_other)
            }
            (first, second) if is_level(first) && second.is_leak() && other.reading == Reading::Collections => {
                (Claim { verdict: Verdict::Inconclusive, doubt: open, ..other }, of_restarts)
            }
            // What grows across its jumps may grow by them.
            (_, second) if deployed && second.is_leak() => {
                (Claim { verdict: Verdict::LeakSuspected, doubt: open, ..other }, of_restarts)
            }
            (Verdict::Inconclusive, Verdict::LeakSuspected) if deployed => (other, of_restarts),
            // Falls that mean nothing and restarts after which it is level: it is.
            (Verdict::Inconclusive, second) if is_level(second) && other.reading == Reading::Noise => (other, None),
            (first, _) if is_level(first) => (restarts, None),
            _ => (restarts, of_other),
        }
    }
}

/// Whether memory gained what matters, and the largest drop that may be a collection took that back: its lowest level since
/// is no higher than growth that does not matter would leave it.
fn is_given_back(stretch: &Stretch, segmentation: &Segmentation<'_>) -> bool {
    /// A level before or after a drop is the median of so many blocks.
    const EDGE: usize = 4;
    let (seconds, level) = (&stretch.seconds, &stretch.of_troughs.without_rhythm);
    let Tolerance { bytes_per_second: tolerance, .. } = stretch.tolerance;
    let drops = segmentation.falls.collections.iter().filter_map(|&at| {
        let fall = seconds.partition_point(|block| *block < segmentation.seconds[at]);
        let level_of = |blocks: Range<usize>| median(level.get(blocks)?);
        let (before, after) = (level_of(fall.checked_sub(EDGE)?..fall)?, level_of(fall..fall + EDGE)?);
        let is_restart = segmentation.falls.open.binary_search(&at).is_ok() && after <= RESTART_DEPTH * before;
        (!is_restart).then_some((fall, before, after))
    });
    let largest = drops.max_by(|a, b| (a.1 - a.2).total_cmp(&(b.1 - b.2)));
    largest.is_some_and(|(fall, before, _)| {
        let [first, last] = [&level[..fall], &level[fall..]].map(|of| of.iter().copied().fold(f64::INFINITY, f64::min));
        let (length, matters) = (seconds[fall] - seconds[0], tolerance * stretch.span());
        let claimed = stretch.views().0.sustained.slope().mean() * length;
        before - first >= matters && claimed >= matters && last - first <= tolerance * length
    })
}

/// The first sample past a start that was seen: one at less than half of the level that memory then settles at, with a
/// rise that slows down. What comes before is left out, at most a tenth of all: a start-up has more than one time
/// constant, and nothing outweighs it.
fn settled(seconds: &[f64], values: &[f64], settle_seconds: f64) -> usize {
    let n = seconds.len();
    let from = seconds.partition_point(|at| *at < settle_seconds.min(seconds[n - 1] / 10.0));
    let level = |at: usize| median(&values[at..(at + from / 4 + 3).min(n)]).unwrap_or(0.0);
    let (first, then, later) = (values[0], level(from), level((2 * from).min(n - 1)));
    if first < START_UP * then && then - first > SLOWS_DOWN * (later - then) { from } else { 0 }
}

/// Whether it says that memory is level now, after a step or not.
fn is_level(verdict: Verdict) -> bool {
    verdict.proves_no_leak() || verdict == Verdict::Step
}

/// Which of the verdicts of a level it is.
fn level_verdict(stretch: &Stretch, view: &Trend, grows: bool, terms: &JudgeTerms) -> Verdict {
    let slope = view.line.slope();
    let tail = tail(terms);
    let tolerance = stretch.tolerance.bytes_per_second;
    let (first, last) = ends(view);
    let rise = last - first;
    let matters = tolerance * stretch.span();
    let shifted = rise > matters.max(terms.step_floor_bytes).max(terms.step_share * first);
    if slope.probability_at_most(-tolerance) >= tail && !(shifted && view.chosen.form.climb().is_some()) {
        // Growth is excluded; whether it falls is another question.
        return if slope.probability_at_most(0.0) > 1.0 - tail { Verdict::Shrinking } else { Verdict::Flat };
    }
    match view.chosen.form {
        Form::Saturating(_) | Form::Broken(_) if rise > matters => Verdict::WarmedUp,
        Form::Climb(_) | Form::Steps(_) | Form::Pulse(_) | Form::Runs { .. } if shifted => Verdict::Step,
        _ if grows => Verdict::NegligibleGrowth,
        _ => Verdict::Flat,
    }
}

/// Levels of the first and the last eighth, without the rhythm.
fn ends(trend: &Trend) -> (f64, f64) {
    let level = &trend.without_rhythm;
    let eighth = (level.len() / 8).max(2).min(level.len());
    let median = |values: &[f64]| median(values).unwrap_or(0.0);
    (median(&level[..eighth]), median(&level[level.len() - eighth..]))
}
