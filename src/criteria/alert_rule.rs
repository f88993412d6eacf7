//! Replays an alert rule on one series as Prometheus would have evaluated it.
//!
//! Takes readings in milliseconds and bytes, gives when the alert was pending and firing: at one phase of the
//! evaluation interval, or over all of them, exact to the millisecond. Every value that a rule sees is constant
//! between the moments at which a reading appears or grows too old, so a rule is first turned into the sets of
//! times at which it holds; phases are then arcs of these sets modulo the interval and are never tried one by one.
//!
//! Left out on purpose: what a restart of Prometheus does to pending alerts, `keep_firing_for`, missed iterations.
//!
//! Prometheus 3 (2024), `promql/engine.go`, `rules/alerting.go` and `rules/group.go`.

use std::collections::BTreeMap;

use crate::series::{MemorySeries, Sampling};

use super::{LoadWindow, Phases, Span};

/// How old the newest reading may be for a selector to return it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lookback {
    /// Largest age, in milliseconds.
    pub ms: i64,
    /// Whether a reading of exactly that age is already too old (Prometheus 3) or not yet (Prometheus 2).
    pub left_open: bool,
}

impl Lookback {
    /// As Prometheus 3: a reading of exactly that age is too old.
    pub const fn prometheus_3(ms: i64) -> Lookback {
        Lookback { ms, left_open: true }
    }

    /// As Prometheus 2: a reading of exactly that age still counts.
    pub const fn prometheus_2(ms: i64) -> Lookback {
        Lookback { ms, left_open: false }
    }

    /// For how many milliseconds a reading is found, its own included.
    const fn reach_ms(self) -> i64 {
        if self.left_open { self.ms } else { self.ms + 1 }
    }
}

/// An expression over the memory of one series.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// The memory some time ago: `x offset 5m`; absent where no reading is young enough.
    Memory {
        /// How long ago, in milliseconds.
        offset_ms: i64,
    },
    /// The same number always.
    Number(f64),
    /// `a - b`; absent where either is.
    Difference(Box<Expression>, Box<Expression>),
    /// `a / b`; absent where either is.
    Ratio(Box<Expression>, Box<Expression>),
}

impl Expression {
    fn timeline(&self, readings: &Readings) -> Timeline {
        match self {
            Expression::Memory { offset_ms } => readings.selected(*offset_ms),
            Expression::Number(number) => Timeline(vec![Piece { start_ms: i64::MIN, value: Some(*number) }]),
            Expression::Difference(a, b) => Timeline::zip(&a.timeline(readings), &b.timeline(readings), |a, b| a - b),
            Expression::Ratio(a, b) => Timeline::zip(&a.timeline(readings), &b.timeline(readings), |a, b| a / b),
        }
    }

    /// The longest offset in it, in milliseconds: so long after the first reading all operands can exist.
    fn reach_back_ms(&self) -> i64 {
        match self {
            Expression::Memory { offset_ms } => *offset_ms,
            Expression::Number(_) => 0,
            Expression::Difference(a, b) | Expression::Ratio(a, b) => a.reach_back_ms().max(b.reach_back_ms()),
        }
    }
}

/// An alert: `expression > above` for some time.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What is compared.
    pub expression: Expression,
    /// What it must exceed; equal is not enough.
    pub above: f64,
    /// How long it must hold to fire, in milliseconds.
    pub for_ms: i64,
}

impl Rule {
    /// `(x - x offset O) > above` for some time.
    pub fn growth(above_bytes: f64, offset_ms: i64, for_ms: i64) -> Rule {
        let now = Box::new(Expression::Memory { offset_ms: 0 });
        let before = Box::new(Expression::Memory { offset_ms });
        Rule { expression: Expression::Difference(now, before), above: above_bytes, for_ms }
    }

    /// `x / limit > above` for some time, divided as written: 1,800,000,000 is exactly 0.9 of 2,000,000,000.
    pub fn level(limit_bytes: f64, above: f64, for_ms: i64) -> Rule {
        let now = Box::new(Expression::Memory { offset_ms: 0 });
        Rule { expression: Expression::Ratio(now, Box::new(Expression::Number(limit_bytes))), above, for_ms }
    }
}

/// What a selector finds: readings, and for how long each is found.
#[derive(Debug, Clone, PartialEq)]
pub struct Readings {
    points: Vec<(i64, Option<f64>)>,
    reach_ms: i64,
    step_ms: Option<i64>,
}

impl Readings {
    /// Readings by time in milliseconds, strictly increasing; `None` for a stale marker, which ends the one before.
    ///
    /// `None` when there is no reading.
    pub fn new(points: Vec<(i64, Option<f64>)>, lookback: Lookback) -> Option<Readings> {
        debug_assert!(points.is_sorted_by(|a, b| a.0 < b.0));
        (!points.is_empty()).then_some(Readings { points, reach_ms: lookback.reach_ms(), step_ms: None })
    }

    /// The readings of a series.
    ///
    /// A point of a range query is an answer that was up to a lookback old: it is found at its own time only, so
    /// that no reading is looked back for twice. The replay then is approximate.
    pub fn of(series: &MemorySeries, lookback: Lookback) -> Readings {
        let points: Vec<(i64, Option<f64>)> =
            series.time_ms().iter().zip(series.used_bytes()).map(|(time, bytes)| (*time, Some(*bytes))).collect();
        match series.info.sampling {
            Sampling::Raw => Readings { points, reach_ms: lookback.reach_ms(), step_ms: None },
            Sampling::Step { .. } => {
                let step_ms = points.windows(2).map(|pair| pair[1].0 - pair[0].0).reduce(greatest_common_divisor);
                Readings { points, reach_ms: 1, step_ms: Some(step_ms.unwrap_or(1)) }
            }
        }
    }

    fn first_ms(&self) -> i64 {
        self.points[0].0
    }

    fn last_ms(&self) -> i64 {
        self.points[self.points.len() - 1].0
    }

    /// What an instant selector returns at each moment: the newest reading, while it is young enough.
    fn selected(&self, offset_ms: i64) -> Timeline {
        let mut pieces = Vec::with_capacity(self.points.len() + 1);
        for (index, &(time_ms, value)) in self.points.iter().enumerate() {
            pieces.push(Piece { start_ms: time_ms + offset_ms, value });
            let too_old_ms = time_ms + self.reach_ms;
            if value.is_some() && self.points.get(index + 1).is_none_or(|next| too_old_ms < next.0) {
                pieces.push(Piece { start_ms: too_old_ms + offset_ms, value: None });
            }
        }
        Timeline(pieces)
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// A value for every moment: each piece lasts until the next begins; before the first there is none.
#[derive(Debug, Clone, PartialEq)]
struct Timeline(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    start_ms: i64,
    value: Option<f64>,
}

impl Timeline {
    fn zip(a: &Timeline, b: &Timeline, combine: impl Fn(f64, f64) -> f64) -> Timeline {
        let (a, b) = (&a.0, &b.0);
        let (mut a_next, mut b_next) = (0, 0);
        let (mut a_value, mut b_value) = (None, None);
        let mut pieces = Vec::with_capacity(a.len() + b.len());
        while a_next < a.len() || b_next < b.len() {
            let a_start = a.get(a_next).map_or(i64::MAX, |piece| piece.start_ms);
            let b_start = b.get(b_next).map_or(i64::MAX, |piece| piece.start_ms);
            let start_ms = a_start.min(b_start);
            if a_start == start_ms {
                a_value = a[a_next].value;
                a_next += 1;
            }
            if b_start == start_ms {
                b_value = b[b_next].value;
                b_next += 1;
            }
            let value = a_value.zip(b_value).map(|(a, b)| combine(a, b));
            pieces.push(Piece { start_ms, value });
        }
        Timeline(pieces)
    }

    /// The times from `first_ms` to `last_ms`, both included, at which `holds`.
    fn times(&self, first_ms: i64, last_ms: i64, holds: impl Fn(f64) -> bool) -> Times {
        let mut times = Times::default();
        for (index, piece) in self.0.iter().enumerate() {
            let end_ms = self.0.get(index + 1).map_or(i64::MAX, |next| next.start_ms);
            if piece.value.is_some_and(&holds) {
                times.push(piece.start_ms.max(first_ms), end_ms.min(last_ms + 1));
            }
        }
        times
    }
}

/// A set of moments as ranges `start <= time < end` in milliseconds, in order, none touching the next.
#[derive(Debug, Clone, PartialEq, Default)]
struct Times(Vec<(i64, i64)>);

impl Times {
    /// Adds a range that begins no earlier than the last one; nothing when it is empty.
    fn push(&mut self, start: i64, end: i64) {
        if end <= start {
            return;
        }
        match self.0.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => self.0.push((start, end)),
        }
    }

    fn shifted(&self, by_ms: i64) -> Times {
        Times(self.0.iter().map(|(start, end)| (start + by_ms, end + by_ms)).collect())
    }

    fn both(&self, other: &Times) -> Times {
        let mut times = Times::default();
        let (mut a, mut b) = (0, 0);
        while a < self.0.len() && b < other.0.len() {
            let (a_range, b_range) = (self.0[a], other.0[b]);
            times.push(a_range.0.max(b_range.0), a_range.1.min(b_range.1));
            if a_range.1 <= b_range.1 {
                a += 1;
            } else {
                b += 1;
            }
        }
        times
    }

    fn without(&self, other: &Times) -> Times {
        let mut times = Times::default();
        let mut b = 0;
        for &(start, end) in &self.0 {
            let mut start = start;
            while b < other.0.len() && other.0[b].1 <= start {
                b += 1;
            }
            let mut cut = b;
            while cut < other.0.len() && other.0[cut].0 < end {
                times.push(start, other.0[cut].0);
                start = start.max(other.0[cut].1);
                cut += 1;
            }
            times.push(start, end);
        }
        times
    }

    fn either(&self, other: &Times) -> Times {
        let mut ranges: Vec<(i64, i64)> = self.0.iter().chain(&other.0).copied().collect();
        ranges.sort_unstable();
        let mut times = Times::default();
        for (start, end) in ranges {
            times.push(start, end);
        }
        times
    }

    /// Number of milliseconds in it.
    fn count(&self) -> i64 {
        self.0.iter().map(|(start, end)| end - start).sum()
    }

    /// The times from which on the set is met `steps` times more, `interval_ms` apart each.
    ///
    /// By doubling: O(ranges · log steps).
    fn held_for(&self, steps: i64, interval_ms: i64) -> Times {
        let mut held = self.clone();
        let mut met = 1;
        while met < steps + 1 && !held.0.is_empty() {
            let more = met.min(steps + 1 - met);
            held = held.both(&held.shifted(-more * interval_ms));
            met += more;
        }
        held
    }
}

/// Looks up whether increasing times are in a set.
struct Cursor<'a> {
    ranges: &'a [(i64, i64)],
}

impl Cursor<'_> {
    fn contains(&mut self, time_ms: i64) -> bool {
        while self.ranges.first().is_some_and(|range| range.1 <= time_ms) {
            self.ranges = &self.ranges[1..];
        }
        self.ranges.first().is_some_and(|range| range.0 <= time_ms)
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
/// # use leaktrend::criteria::alert_rule::{Lookback, Readings, Replay, Rule};
/// let points = (0..40).map(|n| (n * 15_000, Some(if (10..19).contains(&n) { 950.0 } else { 100.0 }))).collect();
/// let readings = Readings::new(points, Lookback::prometheus_3(300_000)).unwrap();
/// let replay = Replay::new(&Rule::level(1000.0, 0.9, 120_000), &readings, 30_000);
/// assert_eq!(replay.over_phases(None).phases.fired_share, 0.5);
/// ```
#[derive(Debug, Clone)]
pub struct Replay {
    holds: Times,
    evaluable: Times,
    first_ms: i64,
    last_ms: i64,
    reach_back_ms: i64,
    for_ms: i64,
    interval_ms: i64,
    grain_ms: i64,
    largest: Option<f64>,
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
    /// When it first fired and that counts, in milliseconds: an alert that became pending during the load counts
    /// from the load's end, if it then still holds for long enough to fire.
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
    /// In how many phases it fired, and when; firing during the load does not count.
    pub phases: Phases,
    /// The phase with the earliest firing that counts; else with the earliest firing, else with the earliest
    /// pending; in milliseconds. `None` when it never held.
    pub earliest_phase_ms: Option<i64>,
}

impl Replay {
    /// The sets of times at which the rule holds and at which it can be evaluated.
    ///
    /// `interval_ms` is at least 1. For points of a range query it is made a multiple of their step.
    pub fn new(rule: &Rule, readings: &Readings, interval_ms: i64) -> Replay {
        let (first_ms, last_ms) = (readings.first_ms(), readings.last_ms());
        let timeline = rule.expression.timeline(readings);
        let interval_ms = interval_ms.max(1);
        let grain_ms = readings.step_ms.unwrap_or(1);
        let largest = timeline
            .0
            .iter()
            .filter(|piece| first_ms <= piece.start_ms && piece.start_ms <= last_ms)
            .filter_map(|piece| piece.value)
            .max_by(f64::total_cmp);
        Replay {
            holds: timeline.times(first_ms, last_ms, |value| value > rule.above),
            evaluable: timeline.times(first_ms, last_ms, |_| true),
            first_ms,
            last_ms,
            reach_back_ms: rule.expression.reach_back_ms(),
            for_ms: rule.for_ms,
            interval_ms: (interval_ms + grain_ms - 1) / grain_ms * grain_ms,
            grain_ms,
            largest,
        }
    }

    /// The largest value of the expression at any moment, in its unit; `None` when it never had one.
    pub fn largest(&self) -> Option<f64> {
        self.largest
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
    pub fn at_phase(&self, phase_ms: i64, load: Option<LoadWindow>) -> PhaseReplay {
        let mut holds = Cursor { ranges: &self.holds.0 };
        let mut evaluable = Cursor { ranges: &self.evaluable.0 };
        let mut replay = PhaseReplay { spans: Vec::new(), evaluations: 0, evaluable: 0, first_firing_at_ms: None };
        let mut active: Option<Span> = None;

        let mut time_ms = self.first_ms + (phase_ms - self.first_ms).rem_euclid(self.interval_ms);
        while time_ms <= self.last_ms {
            if self.first_ms + self.reach_back_ms <= time_ms {
                replay.evaluations += 1;
                replay.evaluable += i64::from(evaluable.contains(time_ms));
            }
            if holds.contains(time_ms) {
                let span = active.get_or_insert(Span {
                    pending_at_ms: time_ms,
                    firing_at_ms: None,
                    resolved_at_ms: None,
                    during_load: false,
                });
                if span.firing_at_ms.is_none() && time_ms - span.pending_at_ms >= self.for_ms {
                    span.firing_at_ms = Some(time_ms);
                }
            } else if let Some(mut span) = active.take() {
                span.resolved_at_ms = Some(time_ms);
                replay.spans.push(span);
            }
            time_ms += self.interval_ms;
        }
        replay.spans.extend(active);
        let last_evaluation_ms = time_ms - self.interval_ms;
        for span in &mut replay.spans {
            let last_held_ms = span.resolved_at_ms.map_or(last_evaluation_ms, |resolved| resolved - self.interval_ms);
            let counts_from_ms = self.counts_from_ms(span.pending_at_ms, load);
            span.during_load = counts_from_ms != span.pending_at_ms && last_held_ms - counts_from_ms < self.for_ms;
            if replay.first_firing_at_ms.is_none() && last_held_ms - counts_from_ms >= self.for_ms {
                replay.first_firing_at_ms = Some(counts_from_ms + self.steps() * self.interval_ms);
            }
        }
        replay
    }

    /// The evaluation from which an alert counts: the one at which it became pending, or, where that is in the time
    /// in which the load is compared with the time before it, the first one after.
    fn counts_from_ms(&self, pending_at_ms: i64, load: Option<LoadWindow>) -> i64 {
        match load {
            Some(load) if load.start_ms <= pending_at_ms && pending_at_ms <= load.end_ms + self.reach_back_ms => {
                let after_ms = load.end_ms + self.reach_back_ms + 1;
                after_ms + (pending_at_ms - after_ms).rem_euclid(self.interval_ms)
            }
            _ => pending_at_ms,
        }
    }

    /// How many evaluations after it became pending an alert fires.
    fn steps(&self) -> i64 {
        if self.for_ms <= 0 { 0 } else { (self.for_ms - 1) / self.interval_ms + 1 }
    }

    /// What the rule did over all phases, exact to the millisecond.
    ///
    /// Takes O(n log n), whatever the number of phases.
    pub fn over_phases(&self, load: Option<LoadWindow>) -> Sweep {
        let held = self.holds.held_for(self.steps(), self.interval_ms);
        // An alert becomes pending where the evaluation before did not hold.
        let starts = held.without(&self.holds.shifted(self.interval_ms));
        let counted = match load {
            None => starts.clone(),
            Some(load) => {
                let end_ms = load.end_ms + self.reach_back_ms + 1;
                let during = Times(vec![(load.start_ms, end_ms)]);
                let after = Times(vec![(end_ms, end_ms + self.interval_ms)]);
                starts.without(&during).either(&held.both(&after))
            }
        };

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

/// The phases that a set of times meets.
struct Arcs {
    /// How many of the `interval_ms` phases.
    count: i64,
    /// The latest of the first times of all phases met; `None` when none is.
    latest_ms: Option<i64>,
}

/// Goes through the set in time order and takes from the phases not yet met those that each range meets.
fn first_of_each_phase(times: &Times, interval_ms: i64) -> Arcs {
    // The phases not yet met, as ranges: start to end.
    let mut missing = BTreeMap::from([(0, interval_ms)]);
    let mut arcs = Arcs { count: 0, latest_ms: None };
    for &(start_ms, end_ms) in &times.0 {
        let end_ms = end_ms.min(start_ms + interval_ms);
        let phase = start_ms.rem_euclid(interval_ms);
        let turn_ms = start_ms - phase;
        let wrapped = phase + (end_ms - start_ms) - interval_ms;
        for (from, to, turn_ms) in
            [(phase, (phase + end_ms - start_ms).min(interval_ms), turn_ms), (0, wrapped, turn_ms + interval_ms)]
        {
            if let Some((count, last)) = take(&mut missing, from, to) {
                arcs.count += count;
                arcs.latest_ms = arcs.latest_ms.max(Some(turn_ms + last));
            }
        }
        if missing.is_empty() {
            break;
        }
    }
    arcs
}

/// Removes `from <= phase < to` from the ranges: how many were there, and the last of them.
fn take(missing: &mut BTreeMap<i64, i64>, from: i64, to: i64) -> Option<(i64, i64)> {
    let mut taken = None;
    // The range with the greatest start below `to` can reach into it; go on downwards.
    while let Some((&start, &end)) = missing.range(..to).next_back() {
        if end <= from {
            break;
        }
        missing.remove(&start);
        if to < end {
            missing.insert(to, end);
        }
        let (first, last) = (start.max(from), end.min(to) - 1);
        let (count, greatest) = taken.unwrap_or((0, last));
        taken = Some((count + last - first + 1, greatest));
        if start < from {
            missing.insert(start, from);
            break;
        }
    }
    taken
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
            let readings = Readings::new(points.to_vec(), lookback).unwrap();
            let spans = Replay::new(&growth_rule(), &readings, MINUTE).at_phase(0, None).spans;
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
        let readings = Readings::new(points, MODES[1]).unwrap();
        let replay = Replay::new(&growth_rule(), &readings, MINUTE);
        let share = replay.evaluable_share().unwrap();
        assert!(0.95 < share && share < 1.0, "{share}");
        assert_eq!(replay.over_phases(None).phases.fired_share, 1.0);
    }

    #[test]
    fn exactly_nine_tenths_of_the_limit_is_not_above_it() {
        for (bytes, fires) in [(1.8e9, false), (1_800_000_001.0, true)] {
            let points = (0..20).map(|minute| (minute * MINUTE, Some(bytes))).collect();
            let readings = Readings::new(points, MODES[0]).unwrap();
            let rule = Rule::level(2e9, 0.9, 2 * MINUTE);
            let sweep = Replay::new(&rule, &readings, 30_000).over_phases(None);
            assert_eq!(sweep.phases.fired_share > 0.0, fires, "{bytes}");
        }
    }

    #[test]
    fn a_for_that_is_no_multiple_of_the_interval_fires_at_the_next_evaluation() {
        let readings = Readings::new(growing(1, 30.0), MODES[0]).unwrap();
        let replay = Replay::new(&growth_rule(), &readings, 2 * MINUTE);
        let fired: Vec<Option<i64>> = replay.at_phase(0, None).spans.iter().map(|span| span.firing_at_ms).collect();
        // Pending at 6 min, fires after three evaluations of 2 min instead of after 5 min.
        assert_eq!(fired, [Some(12 * MINUTE)]);
    }

    #[test]
    fn one_reading_is_evaluated_once_by_a_level_and_never_by_growth() {
        let readings = Readings::new(vec![(1000, Some(1e9))], MODES[0]).unwrap();
        let level = Replay::new(&Rule::level(2e9, 0.4, 0), &readings, 30_000);
        assert_eq!(level.over_phases(None).phases.fired_share, 1.0 / 30_000.0);
        assert_eq!(level.evaluable_share(), Some(1.0));
        let growth = Replay::new(&growth_rule(), &readings, 30_000);
        assert_eq!(growth.evaluable_share(), None);
        assert_eq!(growth.over_phases(None).earliest_phase_ms, None);
    }
}
