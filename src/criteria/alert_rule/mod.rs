//! Replays an alert rule on the readings of one or more series as Prometheus would have evaluated it.
//!
//! Takes readings in milliseconds and bytes, gives when the alert was pending and firing: at one phase of the
//! evaluation interval, or over all of them, exact to the millisecond. What a selector finds is constant between the
//! moments at which a reading appears or grows too old, so a rule is first turned into the sets of times at which it
//! holds; phases are then arcs of these sets modulo the interval and are never tried one by one.
//!
//! Left out on purpose: what a restart of Prometheus does to pending alerts, missed iterations, infinite values.
//!
//! Prometheus 3 (2024), `promql/engine.go`, `rules/alerting.go` and `rules/group.go`.

mod aggregate;
mod answer;
mod condition;
mod course;
mod enclosure;
mod exempt;
mod extrapolated;
mod piece;
mod readings;
mod times;
mod window;

pub use aggregate::Aggregate;
pub use answer::Answer;
pub use condition::{Arithmetic, CompareOperator, Condition, Node, Selector, Threshold};
pub use exempt::Exempt;
pub use readings::{Lookback, Point, Release, RuleReadings};
pub use window::Function;

use super::{Phases, Span};
use exempt::Exemptions;
use times::{Cursor, Times, first_of_each_phase};

/// An alert: a condition that holds for some time.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// When it is active.
    pub condition: Condition,
    /// How long it must hold to fire, in milliseconds.
    pub for_ms: i64,
    /// How long it goes on firing after the condition ceased, in milliseconds.
    pub keep_firing_for_ms: i64,
}

impl Rule {
    /// `(x - x offset O) > above` for some time.
    pub fn growth(above_bytes: f64, offset_ms: i64, for_ms: i64) -> Rule {
        let selector = |offset_ms| Selector { input: 0, offset_ms, over: None };
        let difference =
            Node::Arithmetic(Arithmetic::Subtract, Box::new(Node::Selector(0)), Box::new(Node::Selector(1)));
        Rule::above(vec![selector(0), selector(offset_ms)], difference, above_bytes, for_ms)
    }

    /// `x / limit > above` for some time, divided as written: 1,800,000,000 is exactly 0.9 of 2,000,000,000.
    pub fn level(limit_bytes: f64, above: f64, for_ms: i64) -> Rule {
        let selector = Selector { input: 0, offset_ms: 0, over: None };
        let limit = Box::new(Node::Number(limit_bytes));
        let share = Node::Arithmetic(Arithmetic::Divide, Box::new(Node::Selector(0)), limit);
        Rule::above(vec![selector], share, above, for_ms)
    }

    fn above(selectors: Vec<Selector>, node: Node, above: f64, for_ms: i64) -> Rule {
        let root = Node::Filter(CompareOperator::Greater, Box::new(node), Box::new(Node::Number(above)));
        Rule { condition: Condition { selectors, root }, for_ms, keep_firing_for_ms: 0 }
    }
}

/// A rule over the readings of one series, ready to be asked about phases.
///
/// Evaluations are those from the first reading to the last: nothing is claimed for the time after the last one,
/// though a server would go on answering from it for a lookback. Making it takes O(n).
///
/// Whether 15 s more than its `for` make a rule fire depends on when it is evaluated:
///
/// ```
/// # use leaktrend::criteria::alert_rule::{Exempt, Lookback, Replay, Rule, RuleReadings};
/// let points = (0..40).map(|n| (n * 15_000, Some(if (10..19).contains(&n) { 950.0 } else { 100.0 }))).collect();
/// let readings = RuleReadings::new(points, Lookback::prometheus_3(300_000)).unwrap();
/// let replay = Replay::new(&Rule::level(1000.0, 0.9, 120_000), &readings, 30_000);
/// assert_eq!(replay.over_phases(Exempt::default()).phases.fired_share, 0.5);
/// ```
#[derive(Debug, Clone)]
pub struct Replay {
    holds: Times,
    evaluable: Times,
    first_ms: i64,
    last_ms: i64,
    reach_back_ms: i64,
    for_ms: i64,
    keep_firing_for_ms: i64,
    interval_ms: i64,
    grain_ms: i64,
    furthest: Option<f64>,
}

/// What a rule did at one phase.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseReplay {
    /// When it was pending and firing.
    pub spans: Vec<Span>,
    /// Number of evaluations at which all operands can have existed: from the longest offset after the first
    /// reading on.
    pub evaluations: i64,
    /// How many of them had all operands.
    pub evaluable: i64,
    /// When it first fired and that counts, in milliseconds: an alert that became pending in an exempt time counts
    /// from the end of it, if it then still holds for long enough to fire.
    pub first_firing_at_ms: Option<i64>,
}

impl PhaseReplay {
    /// Share of evaluations that had all operands; `None` without evaluations.
    pub fn evaluable_share(&self) -> Option<f64> {
        (self.evaluations > 0).then(|| self.evaluable as f64 / self.evaluations as f64)
    }
}

/// What a rule did over all phases of its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sweep {
    /// In how many phases it fired, and when; what became pending in an exempt time does not count.
    pub phases: Phases,
    /// The phase with the earliest firing that counts; else with the earliest firing, else with the earliest
    /// pending; in milliseconds. `None` when it never held.
    pub earliest_phase_ms: Option<i64>,
}

impl Replay {
    /// The sets of times at which a rule over one series holds and at which it can be evaluated.
    ///
    /// `interval_ms` is at least 1. For points of a range query it is made a multiple of their step.
    pub fn new(rule: &Rule, readings: &RuleReadings<'_>, interval_ms: i64) -> Replay {
        Replay::of(rule, &[Some(readings)], interval_ms).expect("there is a series")
    }

    /// The same for a rule over several series, by their numbers in the selectors.
    ///
    /// `None` for a series that does not exist; the result is `None` when none does.
    pub fn of(rule: &Rule, inputs: &[Option<&RuleReadings<'_>>], interval_ms: i64) -> Option<Replay> {
        let existing = || inputs.iter().flatten().copied();
        let first_ms = existing().map(RuleReadings::first_ms).min()?;
        let last_ms = existing().map(RuleReadings::last_ms).max()?;
        let grain_ms = readings::grain_ms(existing());
        let found = rule.condition.found(inputs, first_ms, last_ms);
        // Before that no operand with the longest offset can exist.
        let askable = Times(vec![(first_ms + rule.condition.reach_back_ms(), i64::MAX)]);
        let on_grid = |times: Times| if grain_ms > 1 { times.on_grid(first_ms, grain_ms) } else { times };
        Some(Replay {
            holds: on_grid(found.holds),
            evaluable: on_grid(found.evaluable.both(&askable)),
            first_ms,
            last_ms,
            reach_back_ms: rule.condition.reach_back_ms(),
            for_ms: rule.for_ms,
            keep_firing_for_ms: rule.keep_firing_for_ms,
            interval_ms: (interval_ms.max(1) + grain_ms - 1) / grain_ms * grain_ms,
            grain_ms,
            furthest: found.furthest,
        })
    }

    /// The compared value that went furthest towards the threshold, or beyond it, in its unit; `None` when it never
    /// had one, or the condition is not a comparison with a number.
    pub fn furthest(&self) -> Option<f64> {
        self.furthest
    }

    /// When the condition first held, in milliseconds; `None` when it never did.
    pub fn first_holds_ms(&self) -> Option<i64> {
        self.holds.0.first().map(|range| range.0)
    }

    /// For how long the condition held at a stretch, at most, in seconds.
    pub fn longest_held_seconds(&self) -> f64 {
        if self.grain_ms == 1 {
            return self.holds.0.iter().map(|(start, end)| end - start).max().unwrap_or(0) as f64 / 1000.0;
        }
        // Points of a grid: each stands for the time to the next.
        let (mut longest_ms, mut first_ms, mut next_ms) = (0, i64::MIN, i64::MIN);
        for &(time_ms, _) in &self.holds.0 {
            if time_ms != next_ms {
                first_ms = time_ms;
            }
            next_ms = time_ms + self.grain_ms;
            longest_ms = longest_ms.max(next_ms - first_ms);
        }
        longest_ms as f64 / 1000.0
    }

    /// Time between two evaluations, in milliseconds.
    pub fn interval_ms(&self) -> i64 {
        self.interval_ms
    }

    /// For how long all operands can have existed, in seconds; negative when the readings are shorter than the
    /// longest offset.
    pub fn evaluated_seconds(&self) -> f64 {
        (self.last_ms - self.first_ms - self.reach_back_ms) as f64 / 1000.0
    }

    /// Whether the rule can fire at all: its readings last for the longest offset and its `for`.
    pub fn can_fire(&self) -> bool {
        self.first_ms + self.reach_back_ms + self.for_ms <= self.last_ms
    }

    /// Share of evaluations that had all operands, on average over all phases; `None` without evaluations.
    ///
    /// Counted from the longest offset after the first reading on, as before that no operand can exist.
    pub fn evaluable_share(&self) -> Option<f64> {
        let evaluations = (self.last_ms - self.first_ms - self.reach_back_ms).div_euclid(self.grain_ms) + 1;
        (evaluations > 0).then(|| self.evaluable.count() as f64 / evaluations as f64)
    }

    /// What the rule did when evaluated at `phase_ms` after every multiple of the interval.
    ///
    /// Takes O(evaluations).
    pub fn at_phase(&self, phase_ms: i64, exempt: Exempt<'_>) -> PhaseReplay {
        let exemptions = Exemptions::new(exempt, self.reach_back_ms, self.interval_ms);
        let mut holds = Cursor { ranges: &self.holds.0 };
        let mut evaluable = Cursor { ranges: &self.evaluable.0 };
        let mut replay = PhaseReplay { spans: Vec::new(), evaluations: 0, evaluable: 0, first_firing_at_ms: None };
        let mut active: Option<Active> = None;

        let mut time_ms = self.first_ms + (phase_ms - self.first_ms).rem_euclid(self.interval_ms);
        while time_ms <= self.last_ms {
            if self.first_ms + self.reach_back_ms <= time_ms {
                replay.evaluations += 1;
                replay.evaluable += i64::from(evaluable.contains(time_ms));
            }
            if holds.contains(time_ms) {
                let active = active.get_or_insert_with(|| Active::since(time_ms));
                active.hold(time_ms, self.for_ms, self.interval_ms);
            } else if let Some(mut ended) = active.take() {
                if ended.is_kept(time_ms, self.keep_firing_for_ms) {
                    active = Some(ended);
                } else {
                    ended.span.resolved_at_ms = Some(time_ms);
                    self.close(ended, &exemptions, &mut replay);
                }
            }
            time_ms += self.interval_ms;
        }
        if let Some(open) = active {
            self.close(open, &exemptions, &mut replay);
        }
        replay
    }

    /// Adds a span that has ended, or lasts to the end of the readings.
    fn close(&self, active: Active, exemptions: &Exemptions, replay: &mut PhaseReplay) {
        let first_of = |(start_ms, last_ms): &(i64, i64)| {
            let counts_from_ms = exemptions.counts_from_ms(*start_ms);
            (last_ms - counts_from_ms >= self.for_ms).then_some(counts_from_ms + self.steps() * self.interval_ms)
        };
        let counted_ms = active.held.iter().find_map(first_of);
        let mut span = active.span;
        span.during = exemptions.during(span.pending_at_ms).filter(|_| counted_ms.is_none());
        replay.first_firing_at_ms = replay.first_firing_at_ms.or(counted_ms);
        replay.spans.push(span);
    }

    /// How many evaluations after it became pending an alert fires.
    fn steps(&self) -> i64 {
        if self.for_ms <= 0 { 0 } else { (self.for_ms - 1) / self.interval_ms + 1 }
    }

    /// What the rule did over all phases, exact to the millisecond.
    ///
    /// Takes O(n log n), whatever the number of phases.
    pub fn over_phases(&self, exempt: Exempt<'_>) -> Sweep {
        let held = self.holds.held_for(self.steps(), self.interval_ms);
        // An alert becomes pending where the evaluation before did not hold.
        let starts = held.without(&self.holds.shifted(self.interval_ms));
        let exemptions = Exemptions::new(exempt, self.reach_back_ms, self.interval_ms);
        let counted = starts.without(exemptions.times()).either(&held.both(&exemptions.afterwards()));

        let first_of = |times: &Times| times.0.first().map(|range| range.0);
        let delay_ms = self.steps() * self.interval_ms;
        let arcs = first_of_each_phase(&counted, self.interval_ms);
        let earliest = first_of(&counted).or_else(|| first_of(&starts)).or_else(|| first_of(&self.holds));
        Sweep {
            phases: Phases {
                fired_share: arcs.count as f64 / (self.interval_ms / self.grain_ms) as f64,
                earliest_firing_at_ms: first_of(&counted).map(|time| time + delay_ms),
                latest_firing_at_ms: arcs.latest_ms.map(|time| time + delay_ms),
            },
            earliest_phase_ms: earliest.map(|time| time.rem_euclid(self.interval_ms)),
        }
    }
}

/// An alert that is pending or firing.
struct Active {
    span: Span,
    /// When the condition held, from the first to the last evaluation of each time.
    held: Vec<(i64, i64)>,
    /// When it ceased while the alert goes on firing.
    kept_since_ms: Option<i64>,
}

impl Active {
    fn since(time_ms: i64) -> Active {
        let span = Span { pending_at_ms: time_ms, firing_at_ms: None, resolved_at_ms: None, during: None };
        Active { span, held: Vec::new(), kept_since_ms: None }
    }

    fn hold(&mut self, time_ms: i64, for_ms: i64, interval_ms: i64) {
        self.kept_since_ms = None;
        match self.held.last_mut() {
            Some(held) if held.1 + interval_ms == time_ms => held.1 = time_ms,
            _ => self.held.push((time_ms, time_ms)),
        }
        if self.span.firing_at_ms.is_none() && time_ms - self.span.pending_at_ms >= for_ms {
            self.span.firing_at_ms = Some(time_ms);
        }
    }

    /// Whether it goes on firing though the condition does not hold.
    fn is_kept(&mut self, time_ms: i64, keep_firing_for_ms: i64) -> bool {
        if self.span.firing_at_ms.is_none() || keep_firing_for_ms <= 0 {
            return false;
        }
        time_ms - *self.kept_since_ms.get_or_insert(time_ms) < keep_firing_for_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const MODES: [Lookback; 2] = [Lookback::prometheus_3(5 * MINUTE), Lookback::prometheus_2(5 * MINUTE)];

    /// Readings every `step_minutes` for four hours, growing by `mb_per_minute` from minute 0.
    fn growing(step_minutes: i64, mb_per_minute: f64) -> Vec<(i64, Option<f64>)> {
        (0..=240 / step_minutes)
            .map(|index| {
                (index * step_minutes * MINUTE, Some(index as f64 * step_minutes as f64 * mb_per_minute * 1e6))
            })
            .collect()
    }

    fn growth_rule() -> Rule {
        Rule::growth(1e8, 5 * MINUTE, 5 * MINUTE)
    }

    /// Minutes at which the growth rule is pending and fires first, in Prometheus 3 and in Prometheus 2, evaluated
    /// every minute.
    #[track_caller]
    fn check_first(points: &[(i64, Option<f64>)], expected: [&str; 2]) {
        let found = MODES.map(|lookback| {
            let readings = RuleReadings::new(points.to_vec(), lookback).unwrap();
            let spans = Replay::new(&growth_rule(), &readings, MINUTE).at_phase(0, Exempt::default()).spans;
            match spans.iter().find(|span| span.firing_at_ms.is_some()) {
                Some(span) => {
                    format!("{} {}", span.pending_at_ms / MINUTE, span.firing_at_ms.unwrap_or_default() / MINUTE)
                }
                None => "never".to_owned(),
            }
        });
        assert_eq!(found, expected);
    }

    // The table of sampling intervals, from promtool 2.42 with a lookback of 5 min and of 4 min 59.999 s.

    #[test]
    fn every_minute_growth_from_minute_11_fires_at_minute_20() {
        let points: Vec<(i64, Option<f64>)> =
            (0..=60).map(|minute: i64| (minute * MINUTE, Some(1e8 + 30e6 * (minute - 11).max(0) as f64))).collect();
        check_first(&points, ["15 20", "15 20"]);
    }

    #[test]
    fn every_four_or_five_minutes_it_fires_after_its_for() {
        check_first(&growing(4, 30.0), ["5 10", "5 10"]);
        check_first(&growing(5, 30.0), ["5 10", "5 10"]);
    }

    #[test]
    fn every_five_minutes_with_jitter_it_fires_a_minute_later() {
        let jittered = |jitter_ms: fn(i64) -> i64| -> Vec<(i64, Option<f64>)> {
            growing(5, 30.0)
                .into_iter()
                .zip(0..)
                .map(|((time, value), index)| (time + jitter_ms(index), value))
                .collect()
        };
        check_first(&jittered(|index| 2000 - 40 * index), ["6 11", "6 11"]);
        // At minute 10 the first reading is exactly 5 min older than what the offset asks for.
        check_first(&jittered(|index| 40 * index), ["11 16", "6 11"]);
    }

    #[test]
    fn every_six_or_fifteen_minutes_it_never_fires_however_fast_memory_grows() {
        check_first(&growing(6, 30.0), ["never", "never"]);
        check_first(&growing(6, 50.0), ["never", "never"]);
        check_first(&growing(15, 100.0), ["never", "never"]);
    }

    #[test]
    fn a_hole_of_seven_minutes_resets_it_twice() {
        let points: Vec<(i64, Option<f64>)> =
            growing(1, 30.0).into_iter().filter(|(time, _)| *time < 9 * MINUTE || 15 * MINUTE < *time).collect();
        check_first(&points, ["21 26", "21 26"]);
    }

    #[test]
    fn a_stale_marker_resets_it_when_it_comes_and_again_an_offset_later() {
        let mut points = growing(1, 30.0);
        points[9].1 = None;
        check_first(&points, ["15 20", "15 20"]);
    }

    #[test]
    fn spacings_just_over_five_minutes_fire_though_not_at_every_evaluation() {
        let points: Vec<(i64, Option<f64>)> =
            (0..72).map(|index| (index * 302_000, Some(index as f64 * 151e6))).collect();
        let readings = RuleReadings::new(points, MODES[1]).unwrap();
        let replay = Replay::new(&growth_rule(), &readings, MINUTE);
        let share = replay.evaluable_share().unwrap();
        assert!(0.95 < share && share < 1.0, "{share}");
        assert_eq!(replay.over_phases(Exempt::default()).phases.fired_share, 1.0);
    }

    #[test]
    fn exactly_nine_tenths_of_the_limit_is_not_above_it() {
        for (bytes, fires) in [(1.8e9, false), (1_800_000_001.0, true)] {
            let points = (0..20).map(|minute| (minute * MINUTE, Some(bytes))).collect();
            let readings = RuleReadings::new(points, MODES[0]).unwrap();
            let rule = Rule::level(2e9, 0.9, 2 * MINUTE);
            let sweep = Replay::new(&rule, &readings, 30_000).over_phases(Exempt::default());
            assert_eq!(sweep.phases.fired_share > 0.0, fires, "{bytes}");
        }
    }

    #[test]
    fn a_for_that_is_no_multiple_of_the_interval_fires_at_the_next_evaluation() {
        let readings = RuleReadings::new(growing(1, 30.0), MODES[0]).unwrap();
        let replay = Replay::new(&growth_rule(), &readings, 2 * MINUTE);
        let fired: Vec<Option<i64>> =
            replay.at_phase(0, Exempt::default()).spans.iter().map(|span| span.firing_at_ms).collect();
        // Pending at 6 min, fires after three evaluations of 2 min instead of after 5 min.
        assert_eq!(fired, [Some(12 * MINUTE)]);
    }

    #[test]
    fn one_reading_is_evaluated_once_by_a_level_and_never_by_growth() {
        let readings = RuleReadings::new(vec![(1000, Some(1e9))], MODES[0]).unwrap();
        let level = Replay::new(&Rule::level(2e9, 0.4, 0), &readings, 30_000);
        assert_eq!(level.over_phases(Exempt::default()).phases.fired_share, 1.0 / 30_000.0);
        assert_eq!(level.evaluable_share(), Some(1.0));
        let growth = Replay::new(&growth_rule(), &readings, 30_000);
        assert_eq!(growth.evaluable_share(), None);
        assert_eq!(growth.over_phases(Exempt::default()).earliest_phase_ms, None);
    }
}
