//! Says where readings go back in time or stand at one time twice: they are sorted later, and not without a word.

use std::collections::BTreeMap;

use super::{Input, SeriesSamples, cleaned, counted};
use crate::units::time_text;

/// What is out of order in the series of one input.
#[derive(Debug, Default)]
struct Disorder {
    n_back: u64,
    /// The first: the name of the series, from, to.
    back: Option<(String, i64, i64)>,
    n_twice: u64,
    /// The first: the name of the series, when.
    twice: Option<(String, i64)>,
}

/// Adds a warning to each input whose readings are not in strict order of time.
///
/// Takes O(n), and O(n log n) for a series that is out of order.
pub(super) fn say(series: &[SeriesSamples], inputs: &mut [Input]) {
    let mut disorders: BTreeMap<usize, Disorder> = BTreeMap::new();
    for series in series {
        let times = &series.samples.time_ms;
        if times.is_sorted_by(|a, b| a < b) {
            continue;
        }
        if let Some(input) = series.inputs.last() {
            disorders.entry(*input).or_default().add(&series.info.id, times);
        }
    }
    for (input, disorder) in disorders {
        inputs[input].warnings.extend(disorder.texts());
    }
}

impl Disorder {
    fn add(&mut self, id: &str, times: &[i64]) {
        for pair in times.windows(2).filter(|pair| pair[1] < pair[0]) {
            self.n_back += 1;
            self.back.get_or_insert_with(|| (cleaned(id, 80), pair[0], pair[1]));
        }
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        for pair in sorted.windows(2).filter(|pair| pair[0] == pair[1]) {
            self.n_twice += 1;
            self.twice.get_or_insert_with(|| (cleaned(id, 80), pair[0]));
        }
    }

    fn texts(self) -> Vec<String> {
        let at = |time_ms: i64| time_text(time_ms).unwrap_or_default();
        let back = self.back.map(|(id, from, to)| {
            format!(
                "times go back in {}, the first in `{id}` from {} to {}: the readings are put in order of time (was a clock set, or are parts of the file in another order?)",
                counted(self.n_back, "place"),
                at(from),
                at(to)
            )
        });
        let twice = self.twice.map(|(id, time_ms)| {
            format!(
                "{} the time of another of the same series, the first in `{id}` at {}: the one read last is kept",
                if self.n_twice == 1 { "1 reading has".to_owned() } else { format!("{} readings have", self.n_twice) },
                at(time_ms)
            )
        });
        back.into_iter().chain(twice).collect()
    }
}
