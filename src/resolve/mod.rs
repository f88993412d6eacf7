//! From what each log holds to the series of all inputs: one timeline, one series of each container, one name each, in
//! order of time.

mod date;
mod exported;
mod exports;
mod identify;
mod order;

use crate::account::{Input, Timeline};
use crate::decode::{Part, ReportedRestarts, SeriesSamples};
use crate::open::Source;

pub use exported::Exported;
pub(crate) use exports::identity;

#[cfg(test)]
pub(crate) use {date::one_timeline, exports::settle as settle_exports};

/// All that was read, as it was read: rows of a series may be out of order.
#[derive(Debug, Clone, PartialEq)]
pub struct Readings {
    /// One account per input, in the order of the command line; rotated files of one sequence are one input each.
    pub inputs: Vec<Input>,
    /// One entry per series, with unique ids, in the order of first appearance.
    pub series: Vec<SeriesSamples>,
    /// What the times count from.
    pub timeline: Timeline,
    /// What exports hold that alert rules can name and that is not judged as it is, where it is asked for.
    pub beside: Vec<Exported>,
    /// What exports report restarts beside the memory, for the series that they report.
    pub reported: Vec<ReportedRestarts>,
}

impl Readings {
    /// Series with times since 1970 that no input is accountable for.
    pub fn of(series: Vec<SeriesSamples>) -> Readings {
        Readings { inputs: Vec::new(), series, timeline: Timeline::Absolute, beside: Vec::new(), reported: Vec::new() }
    }
}

/// What is asked of resolving.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Whether the user says what numbers count.
    pub(crate) has_unit: bool,
    /// Whether to keep what exports hold beside the series.
    pub(crate) beside: bool,
}

/// Puts the series of all inputs together.
pub(crate) fn resolve(mut parts: Vec<Part>, sources: &[Source], mut inputs: Vec<Input>, asked: Asked) -> Readings {
    let exported = if asked.beside { exported::all(&parts) } else { Vec::new() };
    for part in &mut parts {
        exports::refuse(&mut part.parsed, &mut inputs, asked.has_unit);
    }
    let timeline = date::one_timeline(&mut parts, &mut inputs);
    let mut reported: Vec<ReportedRestarts> =
        parts.iter_mut().flat_map(|part| std::mem::take(&mut part.parsed.reported)).collect();
    let (mut series, witnesses) = identify::merge(parts, sources, &mut inputs);
    order::settle(&mut series, &mut inputs);
    reported.extend(exports::evidence::reported(&witnesses, &series, &mut inputs));
    let beside = exported::of(exported, &series);
    Readings { inputs, series, timeline, beside, reported }
}
