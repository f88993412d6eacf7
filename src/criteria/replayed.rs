//! What comes of the replay of an alert: the runbook's and those of rule files alike.

use std::borrow::Cow;

use super::alert_rule::{Answer, Exempt, Lookback, Replay, Rule};
use super::reason::{Alert, Firing, Moment, Replayed};
use super::starts::Starts;
use super::{Criterion, During, LoadWindow, Reason, Span, Status};
use crate::series::{MemorySeries, Sampling};

/// A rule, and what its answer depends on.
pub(super) struct Question<'a> {
    pub(super) rule: &'a Rule,
    /// The series that it is judged for: moments are told by its times.
    pub(super) series: &'a MemorySeries,
    pub(super) lookback: Lookback,
    /// When it is evaluated, in milliseconds after a multiple of the interval; `None`: at all phases.
    pub(super) phase_ms: Option<i64>,
    pub(super) load: Option<LoadWindow>,
    /// Those after which what it sees does not count.
    pub(super) starts: Option<&'a Starts>,
    /// Share of evaluations with all operands that a pass needs.
    pub(super) min_evaluable_share: f64,
}

impl Question<'_> {
    /// How the alert comes out as a criterion.
    pub(super) fn criterion(
        &self,
        id: impl Into<Cow<'static, str>>,
        gates: bool,
        alert: Alert,
        replay: &Replay,
    ) -> Criterion {
        // The points of a range query lie on a grid of their own: only its phases can be asked about.
        let phase_ms = self.phase_ms.filter(|_| self.series.info.sampling == Sampling::Raw);
        let exempt = self.starts.map_or_else(|| Exempt::load(self.load), |starts| starts.exempt(self.load));
        let answer = Answer::of(replay, phase_ms, exempt);
        let (status, firing) = match (answer.first_firing_at_ms, self.undecided(replay, &answer, &alert)) {
            (Some(counted_ms), _) => (Status::Fail, self.fired(&answer, counted_ms)),
            (None, Some(undecided)) => (Status::NotEvaluable, undecided),
            (None, None) => (Status::Pass, self.passed(&answer)),
        };
        let (threshold, unit, group) = match &alert {
            Alert::Growth(_, bytes) => (Some(*bytes), Some("bytes"), None),
            Alert::HighMemory { threshold, .. } => (Some(*threshold), Some("share"), None),
            Alert::Own { threshold, group, .. } => (threshold.map(|threshold| threshold.number), None, group.clone()),
        };
        let reason = Reason::Replayed(Box::new(Replayed {
            alert,
            for_seconds: self.rule.for_ms as f64 / 1e3,
            furthest: replay.furthest(),
            held_seconds: replay.longest_held_seconds(),
            firing,
            metric: self.series.info.metric,
            sampling: self.series.info.sampling,
        }));
        Criterion {
            value: replay.furthest(),
            threshold,
            unit,
            evaluable_share: answer.evaluable_share.or(Some(0.0)),
            phases: answer.phases,
            spans: answer.spans,
            group,
            ..Criterion::new(id, gates, status, reason)
        }
    }

    /// `counted_ms`: the firing that counts, which may have begun in a start-up or a load.
    fn fired(&self, answer: &Answer, counted_ms: i64) -> Firing {
        let end_ms = self.series.end_ms();
        let not_in = |during: &[During]| -> Vec<&Span> {
            answer.spans.iter().filter(|span| span.during.is_none_or(|of| !during.contains(&of))).collect()
        };
        let counted = not_in(&[During::Load, During::StartUp]);
        let first_ms = counted.iter().find_map(|span| span.firing_at_ms).map_or(counted_ms, |at| at.min(counted_ms));
        let fired: Vec<(i64, i64)> = self.fired_between(&counted, end_ms);
        Firing::Fired {
            first: Moment::of(self.series, first_ms),
            counted: (first_ms < counted_ms).then(|| Moment::of(self.series, counted_ms)),
            offsets_share: answer.phases.map(|phases| phases.fired_share),
            times: fired.len(),
            seconds: fired.iter().map(|(from_ms, to_ms)| to_ms - from_ms).sum::<i64>() as f64 / 1e3,
            is_firing: self
                .fired_between(&not_in(&[During::StartUp]), i64::MAX)
                .last()
                .is_some_and(|(_, to_ms)| *to_ms == i64::MAX),
        }
    }

    /// From when to when it fired, where it holds to the end until `end_ms`.
    ///
    /// Spans between which there is no reading are one: where readings are further apart than an alert looks back, it
    /// resolves after each of them, however long memory is too high.
    fn fired_between(&self, spans: &[&Span], end_ms: i64) -> Vec<(i64, i64)> {
        // One that ceased at a reading begins no earlier than at the next.
        let least_ms = self.series.step_seconds().map_or(0.0, |step| step * 1e3) - self.lookback.ms as f64 / 2.0;
        let is_unread = |a: &&Span, b: &&Span| {
            a.resolved_at_ms.is_some_and(|resolved_ms| ((b.pending_at_ms - resolved_ms) as f64) < least_ms)
        };
        let episodes = spans.chunk_by(is_unread);
        let fired = |spans: &[&Span]| {
            let firing_at_ms = spans.iter().find_map(|span| span.firing_at_ms)?;
            Some((firing_at_ms, spans[spans.len() - 1].resolved_at_ms.unwrap_or(end_ms)))
        };
        episodes.filter_map(fired).collect()
    }

    fn passed(&self, answer: &Answer) -> Firing {
        let first = |during: During| {
            answer.spans.iter().find(|span| span.during == Some(during) && span.firing_at_ms.is_some())
        };
        let under_load = first(During::Load).is_some();
        match (first(During::StartUp), self.starts) {
            (Some(span), Some(starts)) => {
                // What it compares with was read so much earlier.
                let reached_ms = span.pending_at_ms - self.rule.condition.reach_back_ms();
                let began_ms =
                    starts.last_by(span.pending_at_ms).map_or(reached_ms, |start_ms| reached_ms.max(start_ms));
                Firing::AtStart(starts.at_start(self.series, began_ms), under_load)
            }
            _ if under_load => Firing::UnderLoad,
            _ => Firing::No,
        }
    }

    /// Why a rule that does not fire cannot pass; `None` where it does.
    fn undecided(&self, replay: &Replay, answer: &Answer, alert: &Alert) -> Option<Firing> {
        let Some(share) = answer.evaluable_share.filter(|_| replay.can_fire()) else {
            let span_seconds = (self.series.end_ms() - self.series.start_ms()) as f64 / 1e3;
            let needed_seconds = span_seconds - replay.evaluated_seconds() + self.rule.for_ms as f64 / 1e3;
            return Some(Firing::TooShort { span_seconds, needed_seconds });
        };
        if self.min_evaluable_share <= share {
            return None;
        }
        if share == 0.0 && matches!(alert, Alert::Own { missing, .. } if !missing.is_empty()) {
            return Some(Firing::NoValues);
        }
        Some(Firing::TooSparse {
            share,
            needed_share: self.min_evaluable_share,
            step_seconds: self.series.step_seconds(),
            lookback_seconds: self.lookback.ms as f64 / 1e3,
        })
    }
}
