//! What became of the events of each file: none is dropped without being counted.

use super::Dating;
use super::owner::Containers;
use crate::account::{EventWarning, Input, Named};
use crate::events::Event;
use crate::series::MemorySeries;

/// So many names are enough to see what is meant.
const NAMED: usize = 5;

/// What became of an event; of several series that it is of, the best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    OtherContainer,
    Uncertain,
    Outside,
    Matched,
}

/// Counts what became of the events of each file.
///
/// `owned`: for each series the indices of its events.
pub(super) fn count(
    series: &[MemorySeries],
    dating: &[Dating],
    owned: &[Vec<usize>],
    events: &[Event],
    containers: &Containers,
    inputs: &mut [Input],
) {
    let mut fates = vec![Fate::OtherContainer; events.len()];
    let mut marked = vec![0; inputs.len()];
    let mut uncertain: Vec<Vec<&str>> = vec![Vec::new(); inputs.len()];
    for ((series, dating), owned) in series.iter().zip(dating).zip(owned) {
        let mut marks_from = vec![false; inputs.len()];
        for &index in owned {
            let event = &events[index];
            let inside = series.start_ms() < event.time_ms && event.time_ms <= series.end_ms();
            let fate = match dating {
                Dating::Guessed => Fate::Uncertain,
                _ if inside => Fate::Matched,
                _ => Fate::Outside,
            };
            fates[index] = fates[index].max(fate);
            marks_from[event.input] |= fate == Fate::Matched;
            if fate == Fate::Uncertain && !uncertain[event.input].contains(&series.info.id.as_str()) {
                uncertain[event.input].push(&series.info.id);
            }
        }
        marks_from.iter().enumerate().for_each(|(input, marks)| marked[input] += u64::from(*marks));
    }
    for (event, fate) in events.iter().zip(&fates) {
        let counts = inputs[event.input].events.get_or_insert_default();
        match fate {
            Fate::OtherContainer => counts.other_containers += 1,
            Fate::Uncertain => counts.uncertain += 1,
            Fate::Outside => counts.outside += 1,
            Fate::Matched => counts.matched += 1,
        }
    }
    for (index, input) in inputs.iter_mut().enumerate() {
        input.series = marked[index];
        let Some(counts) = input.events else { continue };
        if counts.uncertain > 0 {
            let series = listed(&uncertain[index]);
            input.warn(EventWarning::Uncertain { n: counts.uncertain, series });
        }
        if counts.read > 0 && counts.other_containers == counts.read {
            let is_log = events.iter().any(|event| event.input == index && event.is_of_log());
            let containers = listed(&containers.names(index));
            input.warn(EventWarning::OfOthers { n: counts.read, containers, is_log });
        } else if counts.outside > 0 && counts.matched + counts.uncertain == 0 {
            input.warn(EventWarning::Outside { n: counts.outside });
        }
    }
}

fn listed(names: &[&str]) -> Named {
    let more = names.len().saturating_sub(NAMED);
    Named { names: names.iter().take(NAMED).map(|name| (*name).to_owned()).collect(), more }
}
