//! What a reader must know first of a series: what is wrong, since when, how it ends, and which way an open one leans.
//!
//! Facts only: `table` and `words` make cells and sentences of them.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{KnownLimit, KnownLimitSource, RestartReport, SeriesReport};
use crate::criteria::reason::{Firing, Replayed};
use crate::criteria::{self, AssumedLimit, Criterion, Drops, During, Span, Status};
use crate::grows::What;
use crate::next_action::{Facts, State};
use crate::policy::{self, Outcome};
use crate::segment::Cause;
use crate::stats::robust::median;
use crate::units::time_text;
use crate::verdict::{Doubt, Grounds, Growth, Judgement, RegimeWhy, Verdict};

/// Growth that began within this share of the readings may have begun before them.
const BEGINNING: f64 = 0.02;
/// A series that lacks more readings than this before the end of the others is gone,
const MISSING: f64 = 3.0;
/// if that is more than this share of its own time: captures that ran side by side do not end at once.
const MISSING_SHARE: f64 = 0.02;

crate::named! {
    /// Which way an inconclusive verdict leans.
    pub enum Lean {
        /// It probably grows by less than what matters.
        Healthy = "healthy",
        /// It grows, and may grow by more than what matters.
        Leaking = "leaking",
        /// The readings show neither.
        Open = "open",
    }
}

impl Lean {
    /// The words of the report. `judgement`: why it is open.
    pub fn words(self, judgement: &Judgement) -> &'static str {
        match self {
            Lean::Healthy => "looks healthy, not proven",
            Lean::Leaking => "may be leaking, not proven",
            Lean::Open => why_open(judgement),
        }
    }

    /// The words for one amount of a container: no amount is healthy or leaks by itself.
    pub fn words_of_part(self, judgement: &Judgement) -> &'static str {
        match self {
            Lean::Healthy => "looks level, not proven",
            Lean::Leaking => "may be growing, not proven",
            Lean::Open => why_open(judgement),
        }
    }
}

/// What keeps a series open that leans nowhere: where no longer time decides, it is not for being short.
fn why_open(judgement: &Judgement) -> &'static str {
    let needed = judgement.detectable.and_then(|detectable| detectable.needed_seconds);
    match &judgement.grounds {
        Grounds::Measured(evidence) if evidence.doubt == Some(Doubt::Unseen) => "too few recent readings to say",
        Grounds::Measured(_) if needed.is_none() => "too noisy to say",
        _ => "too short to say",
    }
}

/// Where memory ended, as far as kills show it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deaths {
    /// The highest last reading before a kill, in bytes.
    pub bytes: f64,
    /// How often it was killed for memory.
    pub times: usize,
    /// The last time, in milliseconds.
    pub last_ms: i64,
    /// How many of them events report; the others are guessed from the readings.
    pub reported: usize,
}

/// Since when something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// In milliseconds.
    pub at_ms: i64,
    /// Whether it held when the readings began, so that it may be older.
    pub or_before: bool,
}

impl SeriesReport {
    /// The gating criteria that fail it, the first to fail first: none that a verdict shows to be a false alarm.
    pub fn failing(&self) -> impl Iterator<Item = &Criterion> {
        let counts = |criterion: &&Criterion| !self.contradicted.contains(&criterion.id);
        let mut failing: Vec<&Criterion> = self.failed().filter(counts).collect();
        failing.sort_by_key(|criterion| first_failed_ms(criterion).unwrap_or(i64::MAX));
        failing.into_iter()
    }

    /// The gating criteria that fail, false alarms or not.
    fn failed(&self) -> impl Iterator<Item = &Criterion> {
        self.criteria.iter().filter(|criterion| criterion.gates && criterion.status == Status::Fail)
    }

    /// Whether it is restarted again and again, and still was when the readings ended.
    pub fn is_looping(&self) -> bool {
        let still = |criterion: &Criterion| criterion.id == "restart-loop" && is_failing_still(criterion) == Some(true);
        self.failing().any(still)
    }

    /// Whether it was killed for memory though no leak is shown, and that is what is wrong with it: its peaks reach its limit.
    pub fn is_killed_without_a_leak(&self) -> bool {
        !self.is_looping() && self.deaths().is_some() && policy::of_verdict(self.verdict()) < self.outcome
    }

    /// Whether its readings ended while those of others went on, and nothing else is wrong with it.
    pub fn is_gone_quietly(&self) -> bool {
        self.last_seen_ms.is_some() && self.outcome == Outcome::Pass
    }

    /// What the drops between its runs are.
    pub fn drops(&self) -> Drops {
        drops(&self.judgement, &self.restarts, self.limit)
    }

    /// Whether the verdict takes the drops, which nothing but the values shows, for garbage collections.
    pub fn drops_are_collections(&self) -> bool {
        self.drops() == Drops::Collections
    }

    /// Whether more than the values report a restart: events, counters, an absence, or a fall from a limit that is known.
    /// A garbage collection can look like one.
    pub fn restarts_are_seen(&self) -> bool {
        are_seen(&self.restarts, self.limit)
    }

    /// The kills for memory among its restarts; `None` without any.
    pub fn deaths(&self) -> Option<Deaths> {
        deaths(&self.restarts)
    }

    /// The level at which it ends: its own limit, or where it was killed.
    pub fn ceiling(&self) -> Option<f64> {
        self.limit.and_then(KnownLimit::own).or_else(|| Some(self.deaths()?.bytes))
    }

    /// What `high-memory` compares with: its own limit, or what stands for it. `fallback`: that of the settings, in bytes.
    pub fn alert_limit(&self, fallback: f64) -> f64 {
        let own = self.limit.and_then(KnownLimit::own);
        own.unwrap_or_else(|| criteria::assumed_bytes(assumed_limit(self.limit, self.deaths()), fallback))
    }

    /// Which way it leans; `None` where its verdict settles it.
    ///
    /// From where the interval of growth lies against the growth that matters, and nothing else.
    pub fn lean(&self) -> Option<Lean> {
        if self.verdict() != Verdict::Inconclusive {
            return None;
        }
        let growth = self.judgement.growth;
        let of_growth = |growth: Growth| lean(growth.lower, growth.upper, self.tolerance.bytes_per_second);
        match growth.map_or(Lean::Open, of_growth) {
            // Cache that grows is no process that leaks.
            Lean::Leaking if self.is_cache_that_grows() => Some(Lean::Open),
            lean => Some(lean),
        }
    }

    /// Whether cache is what seems to grow while nothing is settled.
    pub fn is_cache_that_grows(&self) -> bool {
        self.verdict() == Verdict::Inconclusive
            && matches!(self.what_grows(), Some(What::PageCache | What::SharedMemory))
    }

    /// Its highest reading as a share of where it ends, its limit or where it was killed; `None` where neither is known.
    pub fn peak_share(&self) -> Option<f64> {
        let highest = self.samples.used_bytes().iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(highest / self.ceiling()?)
    }

    /// The same where it is above the threshold of `high-memory` and was not for long enough to fail it.
    pub fn peak_near_limit(&self) -> Option<f64> {
        let criterion = self.criteria.iter().find(|criterion| criterion.id == "high-memory")?;
        let own = self.limit.and_then(KnownLimit::own).filter(|_| criterion.status != Status::Fail)?;
        let highest = self.peak_share().filter(|_| self.ceiling() == Some(own))?;
        (criterion.threshold? < highest).then_some(highest)
    }

    /// Since when it is as its outcome says: when growth began, or the first of its rules failed.
    pub fn since(&self) -> Option<Since> {
        let start_ms = self.samples.start_ms();
        let at = |seconds: f64| start_ms + (seconds * 1000.0).round() as i64;
        let judgement = &self.judgement;
        let verdict = self.verdict();
        let of_verdict = match verdict {
            // The rate is that of the time since it changed.
            _ if judgement.onset_seconds.is_some() && judgement.regime.why == RegimeWhy::GrowthChanged => {
                Some(at(judgement.regime.start_seconds))
            }
            _ if verdict.is_leak() || verdict == Verdict::LeakSuspected => judgement.onset_seconds.map(at),
            Verdict::Step => {
                let step = || judgement.change_points.first().map(|step| at(step.at_seconds));
                let climbed = judgement.regime.why == RegimeWhy::GrowthChanged;
                let since = || climbed.then(|| at(judgement.regime.start_seconds));
                self.shift().map(|(at_ms, _)| at_ms).or_else(step).or_else(since)
            }
            // Growth that changed may have been there before.
            Verdict::Inconclusive if judgement.regime.why == RegimeWhy::GrowthChanged => None,
            Verdict::Inconclusive if self.lean() == Some(Lean::Leaking) || self.is_judged_from().is_some() => {
                Some(self.shift().map_or_else(|| at(judgement.regime.start_seconds), |(at_ms, _)| at_ms))
            }
            _ => None,
        };
        let of_loop = || {
            let restarts = |criterion: &&Criterion| criterion.id == "restart-loop" && self.is_looping();
            self.failing().find(restarts).and_then(first_failed_ms)
        };
        let of_kills = || {
            let killed = |restart: &&RestartReport| restart.cause == Cause::Oom;
            let first_ms = self.restarts.iter().find(killed).map(|restart| restart.at_ms);
            first_ms.filter(|_| Outcome::Pass < self.outcome)
        };
        // Where none fails it, the false alarms are why it needs a look.
        let of_rules = || {
            self.failing().filter_map(first_failed_ms).min().or_else(|| self.failed().filter_map(first_failed_ms).min())
        };
        let is_verdicts = self.outcome <= policy::of_verdict(verdict);
        let at_ms = of_loop().or(of_verdict.filter(|_| is_verdicts)).or_else(of_kills).or_else(of_rules)?;
        let is_of_run = of_verdict == Some(at_ms) && judgement.regime.why == RegimeWhy::Restart;
        let (at_ms, of_verdict) = match self.restart_before(at_ms) {
            Some(restart_ms) if is_of_run => (restart_ms, Some(restart_ms)),
            _ => (at_ms, of_verdict),
        };
        let span_ms = (self.samples.end_ms() - start_ms) as f64;
        let began_with_readings = (at_ms - start_ms) as f64 <= BEGINNING * span_ms;
        let of_growth = of_verdict == Some(at_ms);
        let or_before = match judgement.regime.why {
            // A start that was seen has nothing before it; of a later half nobody knows when it began.
            RegimeWhy::StartUp if of_growth => false,
            RegimeWhy::LaterHalf if of_growth => true,
            _ if of_growth => began_with_readings,
            // What a rule saw has a time: it is older only where it was so from the first reading on.
            _ => began_with_readings && self.fails_from_the_first(),
        };
        Some(Since { at_ms, or_before })
    }

    /// When what it is judged by began, in milliseconds: the restart or the shift itself, after which the first block of a
    /// stretch begins a little later.
    pub fn regime_start_ms(&self) -> i64 {
        let regime = self.judgement.regime;
        let start_ms = self.samples.start_ms() + (regime.start_seconds * 1000.0).round() as i64;
        let itself = match regime.why {
            RegimeWhy::Restart => self.restart_before(start_ms),
            RegimeWhy::Shift => self.shift().map(|(at_ms, _)| at_ms),
            _ => None,
        };
        itself.unwrap_or(start_ms)
    }

    fn restart_before(&self, time_ms: i64) -> Option<i64> {
        self.restarts.iter().rev().map(|restart| restart.at_ms).find(|at_ms| *at_ms <= time_ms)
    }

    /// After what an open verdict judges it; `None` where that is the whole or says nothing.
    pub fn is_judged_from(&self) -> Option<&'static str> {
        let is_open = self.verdict() == Verdict::Inconclusive;
        match self.judgement.regime.why {
            RegimeWhy::Shift if is_open => Some("a level shift"),
            RegimeWhy::Restart if is_open && self.judgement.is_of_workload() => Some("a rollout"),
            RegimeWhy::Restart if is_open && self.restarts_are_seen() => Some("a restart"),
            RegimeWhy::Restart if is_open => Some("a drop"),
            _ => None,
        }
    }

    /// When the level shifted after which it is judged, in milliseconds, and by how much, in bytes: the largest difference of
    /// two readings before the first block of that stretch. `None` where it is not judged after one.
    pub fn shift(&self) -> Option<(i64, f64)> {
        /// So many readings on either side show a level.
        const BESIDE: usize = 12;
        let regime = Some(self.judgement.regime).filter(|regime| regime.why == RegimeWhy::Shift)?;
        let (times, used) = (self.samples.time_ms(), self.samples.used_bytes());
        let start_ms = times.first()? + (regime.start_seconds * 1000.0).round() as i64;
        let start = times.partition_point(|time| *time < start_ms);
        let difference = |at: &usize| (used[*at] - used[at - 1]).abs();
        let searched = start.saturating_sub(used.len() / 8).max(1)..start.saturating_add(1).min(used.len());
        let at = searched.max_by(|a, b| difference(a).total_cmp(&difference(b)))?;
        let [before, after] = [at.saturating_sub(BESIDE)..at, at..(at + BESIDE).min(used.len())];
        Some((times[at], median(&used[after])? - median(&used[before])?))
    }

    /// Whether a rule that fails held from the first reading on.
    fn fails_from_the_first(&self) -> bool {
        let first_ms = self.samples.start_ms() + self.step_seconds.map_or(0, |step| (step * 1000.0) as i64);
        self.failed().filter_map(first_failed).any(|span| span.pending_at_ms < first_ms)
    }

    /// What its next action depends on beside its verdict.
    pub fn facts(&self) -> Facts {
        let used = self.samples.used_bytes();
        let known = |criterion: &Criterion| match criterion.id {
            Cow::Borrowed(id) => Some(id),
            // The runbook's steps know no rules of others.
            Cow::Owned(_) => None,
        };
        Facts {
            failed: self.outcome == Outcome::Fail,
            failed_criteria: self.failing().filter_map(known).collect(),
            n_spikes: self.n_spikes,
            limit_bytes: self.limit.and_then(KnownLimit::own),
            share_of_limit: self.ceiling().map(|ceiling| used[used.len() - 1] / ceiling),
            seconds_to_limit: self.time_to_limit.map(|time| time.seconds),
            earliest_to_limit: self.time_to_limit.filter(|time| super::why::is_sooner(*time)).map(|time| time.lower),
            seconds_to_refill: self.seconds_to_refill(),
            seconds_at_twice: self.seconds_at_twice(),
            began_with: self.attribution.as_ref().and_then(
                |attribution| match &attribution.began.as_ref()?.inside[..] {
                    [(_, label)] => Some(label.clone()),
                    _ => None,
                },
            ),
            last_restart: self
                .restarts
                .last()
                .filter(|restart| restart.reported)
                .map(|restart| restart.what.to_string()),
            last_seen: self.last_seen_ms.filter(|_| !self.times_guessed).and_then(time_text),
            state: match self.last_seen_ms {
                Some(_) => State::Gone,
                None if self.is_looping() => State::Loops,
                None => State::Runs,
            },
            restarts_are_seen: self.restarts_are_seen(),
            of_workload: self.judgement.is_of_workload(),
            grows_since_version: self.workload.as_ref().is_some_and(|workload| workload.grows_since.is_some()),
            version_before: self.workload.as_ref().and_then(|workload| {
                let before = workload.grows_since?.checked_sub(1)?;
                workload.versions.get(before)?.name.clone()
            }),
            n_kills: self.deaths().map_or(0, |deaths| deaths.times),
            kills_are_recorded: self.deaths().is_some_and(|deaths| deaths.reported > 0),
            n_restarts: self.restarts.len(),
            step_assumed: self.step_assumed,
            leans_to_leak: self.lean() == Some(Lean::Leaking),
            has_false_alarm: !self.contradicted.is_empty(),
            has_undecided: !self.undecided.is_empty(),
            stepped_up: self.shift().is_some_and(|(_, risen)| 0.0 < risen),
            peak_share: self.peak_near_limit(),
            climbed_seconds: self.judgement.climb().map(|climb| climb.seconds),
            refills_to_bytes: self.judgement.refills_to(),
            seconds_to_double: self.seconds_to_double(),
            falls_again: self.falls_again(),
            grows: self.what_grows(),
        }
    }

    /// How long it takes to hold twice as much if it goes on as it does, in seconds; `None` where it neither leaks nor is
    /// suspected to.
    fn seconds_to_double(&self) -> Option<f64> {
        // The growth of a part, or of one pod, is compared with what that holds.
        let part = self.breakdown.as_ref().and_then(|breakdown| breakdown.parts.get(breakdown.by_part?));
        let pod = self.workload.as_ref().and_then(|workload| workload.pods.get(workload.by_pod?));
        let own = part.map(|part| &part.samples).or(pod.map(|pod| &pod.samples));
        let used = own.unwrap_or(&self.samples).used_bytes();
        let grows = self.verdict().is_leak() || self.verdict() == Verdict::LeakSuspected;
        let growth = self.judgement.growth.filter(|_| grows)?;
        Some(used[used.len() - 1] / growth.bytes_per_second).filter(|seconds| 0.0 < *seconds)
    }

    /// How long it takes from where it began to its limit, in seconds, and whether that is where a run begins: what had been
    /// running before the readings began lower. `None` where it began no lower than it is.
    fn seconds_to_refill(&self) -> Option<(f64, bool)> {
        let growth =
            self.judgement.growth.filter(|growth| self.verdict().is_leak() && 0.0 < growth.bytes_per_second)?;
        let used = self.samples.used_bytes();
        let restart = self.restarts.last();
        let began = restart.map_or(*used.first()?, |restart| restart.after_bytes);
        let seconds = (self.ceiling()? - began) / growth.bytes_per_second;
        (began < *used.last()?).then_some((seconds, restart.is_some()))
    }

    /// How long a run lasts with twice the limit, in seconds.
    fn seconds_at_twice(&self) -> Option<f64> {
        let growth =
            self.judgement.growth.filter(|growth| self.verdict().is_leak() && 0.0 < growth.bytes_per_second)?;
        Some((2.0 * self.ceiling()? - self.restarts.last()?.after_bytes) / growth.bytes_per_second)
    }

    /// The memory before its last restart, in bytes, and in how many seconds a leak reaches it again.
    fn falls_again(&self) -> Option<(f64, f64)> {
        let rests_on_another = self.breakdown.as_ref().is_some_and(|breakdown| breakdown.by_part.is_some());
        if !self.verdict().is_leak() || self.workload.is_some() || rests_on_another || self.drops_are_collections() {
            return None;
        }
        let (last, growth) = (self.restarts.last()?.before_bytes, self.judgement.growth?.bytes_per_second);
        let seconds = (last - self.samples.used_bytes().last()?) / growth;
        (0.0 < growth && 0.0 < seconds).then_some((last, seconds))
    }

    /// When its ceiling is reached if it goes on as it does, in milliseconds.
    pub fn full_ms(&self) -> Option<i64> {
        let seconds = self.time_to_limit?.seconds;
        Some(self.samples.end_ms() + (seconds * 1000.0).min(9e15) as i64)
    }
}

/// Which way an interval of growth leans, against the growth that matters; all in bytes per second, NaN where unknown.
///
/// Of memory that may not grow at all nobody is told that it may leak: among 1,900
/// simulated services 50 open ones leaned so, and 9 of them leaked.
pub fn lean(lower: f64, upper: f64, matters: f64) -> Lean {
    /// Of the way from the middle of an interval to its end, so much is odds of three to one at 90 % confidence.
    const LEANS: f64 = 0.41;
    let above = (f64::midpoint(lower, upper) - matters) / ((upper - lower) / 2.0);
    if above <= -LEANS {
        Lean::Healthy
    } else if LEANS <= above && 0.0 < lower {
        Lean::Leaking
    } else {
        Lean::Open
    }
}

/// As `SeriesReport::restarts_are_seen`.
fn are_seen(restarts: &[RestartReport], limit: Option<KnownLimit>) -> bool {
    let is_seen = |restart: &RestartReport| match restart.cause {
        Cause::LevelDrop => restart.reported,
        Cause::Recreated | Cause::Event | Cause::CounterReset | Cause::Gap => true,
        Cause::Oom => false,
    };
    restarts.iter().any(is_seen) || are_kills_seen(restarts, limit)
}

/// Whether it was killed for memory, as an event or a fall from a limit that is known shows.
pub fn are_kills_seen(restarts: &[RestartReport], limit: Option<KnownLimit>) -> bool {
    let has_limit = limit.and_then(KnownLimit::own).is_some();
    restarts.iter().any(|restart| restart.cause == Cause::Oom && (restart.reported || has_limit))
}

/// As `SeriesReport::drops`.
pub fn drops(judgement: &Judgement, restarts: &[RestartReport], limit: Option<KnownLimit>) -> Drops {
    match judgement.is_of_workload() {
        true => Drops::Rollouts,
        false if are_seen(restarts, limit) => Drops::Restarts,
        // Of drops that are collections none begins anything.
        false if judgement.is_of_troughs() && judgement.regime.why != RegimeWhy::Restart => Drops::Collections,
        false => Drops::ProbableRestarts,
    }
}

/// Whether it grows only if its drops are read in one of two ways: where it goes then is not known.
pub fn rests_on_reading(judgement: &Judgement) -> bool {
    matches!(&judgement.grounds, Grounds::Measured(it) if it.doubt == Some(Doubt::Reading))
}

/// Whether it depends on what its drops were whether it leaks.
pub fn rests_on_drops(judgement: &Judgement) -> bool {
    let doubt = |doubt: Doubt| matches!(doubt, Doubt::Reading | Doubt::GivenBack);
    matches!(&judgement.grounds, Grounds::Measured(it) if it.doubt.is_some_and(doubt))
}

/// Whether its runs were cut so often below its limit that it will hardly come to it: by no kill for memory.
pub fn is_cut_below(judgement: &Judgement, restarts: &[RestartReport]) -> bool {
    /// So many runs that ended before.
    const OFTEN: usize = 3;
    judgement.verdict == Verdict::LeakMaskedByRestarts
        && !judgement.is_of_workload()
        && OFTEN <= restarts.len()
        && restarts.iter().all(|restart| restart.cause != Cause::Oom)
}

/// The kills for memory among restarts; `None` without any.
pub fn deaths(restarts: &[RestartReport]) -> Option<Deaths> {
    let kills = || restarts.iter().filter(|restart| restart.cause == Cause::Oom);
    Some(Deaths {
        bytes: kills().map(|kill| kill.before_bytes).max_by(f64::total_cmp)?,
        times: kills().count(),
        last_ms: kills().map(|kill| kill.at_ms).max()?,
        reported: kills().filter(|kill| kill.reported).count(),
    })
}

/// What can stand for a limit of the container's own where none is known.
pub fn assumed_limit(limit: Option<KnownLimit>, deaths: Option<Deaths>) -> Option<AssumedLimit> {
    let host = limit.filter(|limit| limit.source == KnownLimitSource::Host);
    let died_at = deaths.map(|deaths| AssumedLimit::DiedAt(deaths.bytes));
    died_at.or_else(|| host.map(|limit| AssumedLimit::HostMemory(limit.bytes)))
}

/// When the readings of a series ended, where those of others went on: it is gone, in milliseconds.
///
/// `end_ms`: the last reading of all.
pub fn last_seen_ms(samples: &crate::series::MemorySeries, end_ms: i64) -> Option<i64> {
    let step_ms = samples.step_seconds()? * 1000.0;
    let missing = (end_ms - samples.end_ms()) as f64;
    let span = (samples.end_ms() - samples.start_ms()) as f64;
    (missing > (MISSING * step_ms).max(MISSING_SHARE * span)).then(|| samples.end_ms())
}

/// The time in which a criterion failed first; `None` where it has none.
pub fn first_failed(criterion: &Criterion) -> Option<&Span> {
    let counts = |span: &&Span| span.during.is_none() && span.firing_at_ms.is_some();
    criterion.spans.iter().filter(counts).min_by_key(|span| span.firing_at_ms)
}

/// When a criterion failed first: of restarts, the first of them.
pub fn first_failed_ms(criterion: &Criterion) -> Option<i64> {
    let span = first_failed(criterion)?;
    if criterion.id == "restart-loop" { Some(span.pending_at_ms) } else { span.firing_at_ms }
}

/// Whether a criterion failed to the end of the readings; `None` where it has no time.
pub fn is_failing_still(criterion: &Criterion) -> Option<bool> {
    if let Some(Replayed { firing: Firing::Fired { is_firing, .. }, .. }) = criterion.reason.replayed() {
        return Some(*is_firing);
    }
    let counting = criterion.spans.iter().filter(|span| span.during != Some(During::StartUp));
    let last = counting.filter(|span| span.firing_at_ms.is_some()).max_by_key(|span| span.firing_at_ms)?;
    Some(last.resolved_at_ms.is_none())
}

/// The worst first: by outcome, then by how soon somebody must act, then by verdict and rate.
pub fn worst_first(a: &SeriesReport, b: &SeriesReport) -> Ordering {
    let rate =
        |series: &SeriesReport| series.judgement.growth.map_or(f64::NEG_INFINITY, |growth| growth.bytes_per_second);
    b.outcome
        .cmp(&a.outcome)
        .then_with(|| b.is_gone_quietly().cmp(&a.is_gone_quietly()))
        .then_with(|| urgency_seconds(a).total_cmp(&urgency_seconds(b)))
        .then(a.verdict().cmp(&b.verdict()))
        .then_with(|| rate(b).total_cmp(&rate(a)))
        .then_with(|| a.id().cmp(b.id()))
}

/// How long there is to act, in seconds: none in a crash loop, and for ever where nothing ends.
fn urgency_seconds(series: &SeriesReport) -> f64 {
    if series.outcome == Outcome::Pass {
        return f64::INFINITY;
    }
    if series.is_looping() {
        return -1.0;
    }
    let is_full =
        series.failing().any(|criterion| criterion.id == "high-memory" && is_failing_still(criterion) == Some(true));
    // What was killed again and again will be; what is near its limit only may.
    if series.verdict().is_leak() && series.deaths().is_some_and(|deaths| deaths.times > 1) {
        return -0.5;
    }
    let seconds = if is_full { 0.0 } else { series.time_to_limit.map_or(f64::INFINITY, |time| time.seconds) };
    // What is gone can be helped no more, yet must be seen.
    if series.last_seen_ms.is_some() && seconds.is_finite() { seconds + 1.0e9 } else { seconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_leans_to_the_side_of_what_matters_that_holds_most_of_it() {
        for (lower, upper, expected) in [
            // Wholly below what matters, wholly above it.
            (-5.0, 5.0, Lean::Healthy),
            (11.0, 20.0, Lean::Leaking),
            // Across it: mostly below, mostly above, neither.
            (-10.0, 12.0, Lean::Healthy),
            (8.0, 30.0, Lean::Leaking),
            // Which may not grow at all.
            (-1.0, 60.0, Lean::Open),
            (-80.0, 90.0, Lean::Open),
            (9.0, 11.0, Lean::Open),
            (f64::NAN, f64::NAN, Lean::Open),
        ] {
            assert_eq!(lean(lower, upper, 10.0), expected, "{lower} to {upper}");
        }
        assert_eq!(lean(-1.0, 1.0, f64::NAN), Lean::Open, "nobody knows what matters");
    }
}
