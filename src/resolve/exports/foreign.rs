//! Series of an export that are not memory: counters, shares, rates, amounts in another unit.

use std::collections::BTreeMap;

use crate::account::{AmountWarning, Input, NotBytes, NumbersOf, Unusable};
use crate::decode::Parsed;
use crate::decode::numbers::{Meaning, Numbers, meaning};
use crate::decode::prometheus::{is_beside, metric};

/// Series of one metric.
#[derive(Default)]
struct Group {
    /// As indices.
    series: Vec<usize>,
    numbers: Numbers,
}

/// Takes out the series that cannot be bytes, and says which they are and what to ask for; an input that holds nothing
/// else cannot be used. `has_unit`: whether the user says what numbers count.
pub(crate) fn refuse(parsed: &mut Parsed, inputs: &mut [Input], has_unit: bool) {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for (index, n_negative) in parsed.n_negative.iter().enumerate() {
        let series = &parsed.series[index];
        if is_beside(&series.info.labels) {
            continue;
        }
        let group = groups.entry(metric(&series.info.labels).to_owned()).or_default();
        group.series.push(index);
        group.numbers.note_negative(*n_negative);
        series.samples.used_bytes.iter().for_each(|value| group.numbers.note(*value));
    }
    let mut is_refused = vec![false; parsed.series.len()];
    let mut reasons: Vec<(Vec<usize>, NotBytes)> = Vec::new();
    for (name, Group { series, numbers }) in &groups {
        let whose = if name.is_empty() { NumbersOf::WithoutMetric } else { NumbersOf::Metric(name.clone()) };
        let reason = match meaning(name) {
            Meaning::Bytes => None,
            Meaning::Other(is) => Some(NotBytes::OtherMetric { metric: name.clone(), is }),
            Meaning::Unknown if has_unit => None,
            Meaning::Unknown => numbers.refusal(whose),
        };
        let of: Vec<usize> = series.iter().flat_map(|index| parsed.series[*index].inputs.iter().copied()).collect();
        match reason {
            Some(reason) => {
                series.iter().for_each(|index| is_refused[*index] = true);
                reasons.push((of, reason));
            }
            None if meaning(name) == Meaning::Unknown && !has_unit => {
                if let Some(doubt) = numbers.doubt() {
                    each_once(of, |input| inputs[input].warn(doubt.clone()));
                }
            }
            None => {}
        }
    }
    let is_kept = |index: usize| {
        parsed.series.iter().zip(&is_refused).any(|(series, is_refused)| !is_refused && series.inputs.contains(&index))
    };
    let kept: Vec<bool> = (0..inputs.len()).map(is_kept).collect();
    for (of, reason) in reasons {
        let n_series = of.len() as u64;
        each_once(of, |input| {
            let input_kept = kept[input];
            let input = &mut inputs[input];
            if input_kept {
                input.warn(AmountWarning::NotBytes { n_series, why: reason.clone() });
            } else {
                let reason = Unusable::from(reason.clone());
                input.unusable = Some(match input.unusable.take() {
                    Some(before) => Unusable::Several(vec![before, reason]),
                    None => reason,
                });
            }
        });
    }
    let mut index = 0;
    parsed.series.retain(|series| {
        index += 1;
        if is_refused[index - 1] {
            leave_out(series.samples.len() as u64, &series.inputs, inputs, &kept);
        }
        !is_refused[index - 1]
    });
    parsed.n_negative.clear();
}

fn each_once(mut inputs: Vec<usize>, then: impl FnMut(usize)) {
    inputs.sort_unstable();
    inputs.dedup();
    inputs.into_iter().for_each(then);
}

/// Counts samples that are not kept: as other lines where the input is used, else as rejected.
fn leave_out(mut n_samples: u64, of: &[usize], inputs: &mut [Input], kept: &[bool]) {
    for index in of {
        let input = &mut inputs[*index];
        let n = n_samples.min(input.samples);
        n_samples -= n;
        input.samples -= n;
        if kept[*index] {
            input.other_lines += n;
        } else {
            input.rejected_count += n;
        }
    }
}
