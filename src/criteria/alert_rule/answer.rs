//! What a replay answers: at a phase that is known, or over all of them.

use super::super::{Phases, Span};
use super::{Exempt, Replay};

/// What a rule did.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// When it first fired and that counts, in milliseconds; over all phases the earliest such moment.
    pub first_firing_at_ms: Option<i64>,
    /// Share of evaluations that had all operands; `None` without evaluations.
    pub evaluable_share: Option<f64>,
    /// When it was pending and firing: at the known phase, or at the one that fires first.
    pub spans: Vec<Span>,
    /// How much it depends on the phase; `None` for a known one.
    pub phases: Option<Phases>,
}

impl Answer {
    /// Asks at a phase in milliseconds, or (`None`) over all of them.
    pub fn of(replay: &Replay, phase_ms: Option<i64>, exempt: Exempt<'_>) -> Answer {
        if let Some(phase_ms) = phase_ms {
            let replayed = replay.at_phase(phase_ms, exempt);
            return Answer {
                first_firing_at_ms: replayed.first_firing_at_ms,
                evaluable_share: replayed.evaluable_share(),
                spans: replayed.spans,
                phases: None,
            };
        }
        let sweep = replay.over_phases(exempt);
        Answer {
            first_firing_at_ms: sweep.phases.earliest_firing_at_ms,
            evaluable_share: replay.evaluable_share(),
            spans: sweep.earliest_phase_ms.map_or_else(Vec::new, |phase| replay.at_phase(phase, exempt).spans),
            phases: Some(sweep.phases),
        }
    }
}
