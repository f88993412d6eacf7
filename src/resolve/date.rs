//! What times count from.

use std::collections::HashSet;

use crate::account::{Input, Timeline, Unusable};
use crate::decode::Part;

/// Drops what has only relative times where other inputs have absolute ones.
pub(crate) fn one_timeline(parts: &mut Vec<Part>, inputs: &mut [Input]) -> Timeline {
    let has_samples = |part: &Part| part.parsed.series.iter().any(|series| !series.samples.is_empty());
    if !parts.iter().any(|part| part.parsed.relative) {
        return Timeline::Absolute;
    }
    if !parts.iter().any(|part| !part.parsed.relative && has_samples(part)) {
        return Timeline::Relative;
    }
    parts.retain(|part| {
        if part.parsed.relative {
            let of_part: HashSet<usize> = part.parsed.series.iter().flat_map(|series| series.inputs.clone()).collect();
            for index in of_part {
                let input = &mut inputs[index];
                input.unusable = Some(Unusable::Untimed);
                input.rejected_count += std::mem::take(&mut input.samples);
                input.series = 0;
            }
        }
        !part.parsed.relative
    });
    Timeline::Absolute
}
