//! Says where readings go back in time or stand at one time twice: they are sorted later, and not without a word.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::account::{Input, TimeWarning, cleaned};
use crate::decode::SeriesSamples;
use crate::series::Samples;

/// No log is longer, in milliseconds: ten years. A clock that was never set is further off.
const DISTANT_MS: i64 = 315_576_000_000;

/// Says where readings are out of order, and leaves out those whose times lie more than ten years from most of their
/// series, which are counted as rejected.
///
/// Takes O(n), and O(n log n) for a series that is out of order.
pub(crate) fn settle(series: &mut [SeriesSamples], inputs: &mut [Input]) {
    let is_plain = |samples: &Samples| {
        let times = &samples.time_ms;
        let is_long = |(first, last): (&i64, &i64)| DISTANT_MS < last.saturating_sub(*first);
        times.is_sorted_by(|a, b| a < b) && !times.first().zip(times.last()).is_some_and(is_long)
    };
    let mut others: Vec<&mut SeriesSamples> =
        series.par_iter_mut().filter(|series| !is_plain(&series.samples)).collect();
    leave_out_distant(&mut others, inputs);
    say(&others, inputs);
}

fn leave_out_distant(series: &mut [&mut SeriesSamples], inputs: &mut [Input]) {
    let mut distant: BTreeMap<usize, (u64, String, i64)> = BTreeMap::new();
    for SeriesSamples { info, samples, inputs: of } in series {
        let times = &samples.time_ms;
        let (Some(first), Some(last)) = ends(times) else { continue };
        if last.saturating_sub(first) <= DISTANT_MS {
            continue;
        }
        let mut sorted = times.clone();
        let (_, median, _) = sorted.select_nth_unstable((times.len() - 1) / 2);
        let median = *median;
        let is_near = |time_ms: i64| time_ms.abs_diff(median) <= DISTANT_MS as u64;
        let Some(example) = times.iter().copied().find(|time_ms| !is_near(*time_ms)) else { continue };
        let times = times.clone();
        samples.retain(|index| is_near(times[index]));
        let Some(input) = of.last() else { continue };
        let (n, ..) = distant.entry(*input).or_insert_with(|| (0, cleaned(&info.id, 80), example));
        *n += (times.len() - samples.len()) as u64;
    }
    for (input, (n, series, first_ms)) in distant {
        let input = &mut inputs[input];
        input.samples = input.samples.saturating_sub(n);
        input.rejected_count += n;
        input.warn(TimeWarning::Distant { n, series, first_ms });
    }
}

/// The first and the last of some times.
pub(crate) fn ends(times: &[i64]) -> (Option<i64>, Option<i64>) {
    if times.is_sorted() {
        return (times.first().copied(), times.last().copied());
    }
    (times.iter().min().copied(), times.iter().max().copied())
}

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
fn say(series: &[&mut SeriesSamples], inputs: &mut [Input]) {
    let mut disorders: BTreeMap<usize, Disorder> = BTreeMap::new();
    for series in series {
        let times = &series.samples.time_ms;
        if !times.is_sorted_by(|a, b| a < b)
            && let Some(input) = series.inputs.last()
        {
            disorders.entry(*input).or_default().add(&series.info.id, times);
        }
    }
    for (input, disorder) in disorders {
        disorder.warnings().for_each(|warning| inputs[input].warn(warning));
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

    fn warnings(self) -> impl Iterator<Item = TimeWarning> {
        let back = self.back.map(|(series, from_ms, to_ms)| {
            let n = self.n_back;
            TimeWarning::OutOfOrder { n, series, from_ms, to_ms }
        });
        let twice = self.twice.map(|(series, first_ms)| TimeWarning::Twice { n: self.n_twice, series, first_ms });
        back.into_iter().chain(twice)
    }
}
