//! `confirmed-100mb-60s`: the runbook's comparison of two readings a minute apart, for every pair.
//!
//! Takes readings in bytes outside the load, gives the largest gain within the time. A gain counts only if it is
//! kept: a buffer that is filled and released is not a leak.

use std::collections::VecDeque;
use std::ops::Range;

use crate::series::MemorySeries;

use super::reason::{Gained, Moment};
use super::starts::Starts;
use super::{Context, Criterion, Reason, Span, Status, margin, mark_start_ups, outside_load, too_coarse};

const ID: &str = "confirmed-100mb-60s";

/// What the pairs of readings show.
#[derive(Default)]
struct Gains {
    /// The largest gain within the time, kept or not, in bytes.
    largest: Option<f64>,
    /// The largest gain that was kept, and when it was reached.
    kept: Option<(f64, i64)>,
    /// A gain that was not watched for long enough: in bytes, for how long it was, in seconds, and when it was reached.
    undecided: Option<(f64, f64, i64)>,
    /// The gain that does not count as it is of a start-up, where no other matters: in bytes, and when it was reached.
    at_start: Option<(f64, i64)>,
    spans: Vec<Span>,
}

impl Gains {
    fn keep(&mut self, gain: f64, reached_ms: i64) {
        if self.kept.is_none_or(|(kept, _)| kept < gain) {
            self.kept = Some((gain, reached_ms));
        }
    }

    fn leave_undecided(&mut self, gain: f64, watched_seconds: f64, reached_ms: i64) {
        if self.undecided.is_none_or(|(undecided, ..)| undecided < gain) {
            self.undecided = Some((gain, watched_seconds, reached_ms));
        }
    }

    /// The gain that would fail, or leave open, whatever is read: in bytes, and when it was reached.
    fn matters(&self) -> Option<(f64, i64)> {
        self.kept.or(self.undecided.map(|(gain, _, reached_ms)| (gain, reached_ms)))
    }
}

/// More than 100 MB gained within 60 s, and kept for the following 5 minutes.
pub(super) fn evaluate(series: &MemorySeries, context: &Context<'_>, starts: &Starts) -> Criterion {
    let settings = &context.settings.confirmed;
    let threshold = settings.gain_bytes.as_f64();
    let parts = outside_load(series, context.load);
    let mut gains = Gains::default();
    for part in &parts {
        search(series, part.clone(), part.end, context, &mut gains);
    }
    // Gains of a start-up are shown and do not count: what is left without its readings decides.
    if let Some((gain, reached_ms)) = gains.matters()
        && let Some(counted_parts) = starts.counted(series, &parts)
    {
        let mut counted = Gains::default();
        for counted_part in counted_parts {
            // Whether a gain is kept is read to the end all the same.
            let end = parts.iter().map(|part| part.end).find(|end| counted_part.end <= *end);
            let end = end.unwrap_or(counted_part.end);
            search(series, counted_part, end, context, &mut counted);
        }
        let at_start = counted.matters().is_none().then_some((gain, reached_ms));
        mark_start_ups(&mut gains.spans, &counted.spans);
        gains = Gains { spans: gains.spans, at_start, ..counted };
    }

    let (status, reason) = decide(series, context, starts, &gains, &parts);
    let value = gains.kept.map(|(gain, _)| gain).or(gains.largest);
    let value = if status == Status::NotEvaluable { gains.undecided.map(|(gain, ..)| gain) } else { value };
    Criterion::new(ID, settings.gates, status, reason).measured(value, threshold, "bytes").with_spans(gains.spans)
}

fn decide(
    series: &MemorySeries,
    context: &Context<'_>,
    starts: &Starts,
    gains: &Gains,
    parts: &[Range<usize>],
) -> (Status, Reason) {
    let settings = &context.settings.confirmed;
    let threshold = settings.gain_bytes.as_f64();
    let step_seconds = series.step_seconds();
    let times = series.time_ms();
    let longest_ms = parts.iter().map(|part| times[part.end - 1] - times[part.start]).max().unwrap_or(0);
    let needed_ms = settings.within_seconds.as_ms() + settings.hold_seconds.as_ms();
    let (status, gained) = if step_seconds.is_none_or(|step_seconds| settings.max_step_seconds.get() < step_seconds) {
        (Status::NotEvaluable, Gained::TooSparse(step_seconds))
    } else if let Some((bytes, reached_ms)) = gains.kept {
        (Status::Fail, Gained::Kept(bytes, Moment::of(series, reached_ms)))
    } else if margin(series, threshold) > 0.0 {
        return (Status::NotEvaluable, too_coarse(series, threshold));
    } else if let Some((bytes, seconds, _)) = gains.undecided {
        (Status::NotEvaluable, Gained::NotWatched { bytes, seconds })
    } else if longest_ms < needed_ms {
        (Status::NotEvaluable, Gained::TooShort(longest_ms as f64 / 1e3))
    } else {
        match (gains.at_start, gains.largest) {
            (Some((bytes, reached_ms)), others) => {
                (Status::Pass, Gained::AtStart(bytes, starts.at_start(series, reached_ms), others))
            }
            (None, Some(bytes)) if bytes > threshold => (Status::Pass, Gained::Released(bytes)),
            (None, Some(bytes)) => (Status::Pass, Gained::AtMost(bytes)),
            (None, None) => (Status::NotEvaluable, Gained::TooShort(longest_ms as f64 / 1e3)),
        }
    };
    (status, Reason::Gained(gained, settings.clone(), context.load.is_some()))
}

/// Goes through the readings of a part with the least value of the time before each in a monotonic queue.
///
/// Of all pairs that end at a reading the one with the lowest start gains most and is the easiest to keep, so no
/// other needs a look. `watched_to`: up to which reading it is watched whether a gain is kept. Takes O(n) and, for gains above the threshold, the readings of the time they are watched.
fn search(series: &MemorySeries, part: Range<usize>, watched_to: usize, context: &Context<'_>, gains: &mut Gains) {
    let settings = &context.settings.confirmed;
    let threshold = settings.gain_bytes.as_f64();
    let threshold = threshold + margin(series, threshold);
    let (within_ms, hold_ms) = (settings.within_seconds.as_ms(), settings.hold_seconds.as_ms());
    let (times, bytes) = (series.time_ms(), series.used_bytes());
    let last_ms = times[watched_to - 1];
    let mut lowest: VecDeque<usize> = VecDeque::new();
    for end in part.clone() {
        while lowest.front().is_some_and(|start| times[*start] < times[end] - within_ms) {
            lowest.pop_front();
        }
        if let Some(&start) = lowest.front() {
            let gain = bytes[end] - bytes[start];
            gains.largest = Some(gains.largest.map_or(gain, |largest| largest.max(gain)));
            if gain > threshold {
                let hold_end_ms = times[end] + hold_ms;
                let level = bytes[start] + settings.hold_share.get() * gain;
                match stays_above(series, end + 1..watched_to, hold_end_ms, level) {
                    Some(kept) if hold_end_ms <= last_ms => {
                        if kept {
                            gains.keep(gain, times[end]);
                            note(&mut gains.spans, times[start], times[end], hold_end_ms);
                        }
                    }
                    _ => gains.leave_undecided(gain, (last_ms.min(hold_end_ms) - times[end]) as f64 / 1e3, times[end]),
                }
            }
        }
        while lowest.back().is_some_and(|start| bytes[end] <= bytes[*start]) {
            lowest.pop_back();
        }
        lowest.push_back(end);
    }
}

/// Whether the median of the readings up to `end_ms` is above `level`: more than half of them are.
///
/// `None` when there are none.
fn stays_above(series: &MemorySeries, indices: Range<usize>, end_ms: i64, level: f64) -> Option<bool> {
    let mut above = 0;
    let mut read = 0;
    for index in indices {
        if end_ms < series.time_ms()[index] {
            break;
        }
        read += 1;
        above += usize::from(level < series.used_bytes()[index]);
    }
    (read > 0).then_some(read < 2 * above)
}

/// Adds a span, or extends the last one when the new one begins within it.
fn note(spans: &mut Vec<Span>, start_ms: i64, reached_ms: i64, end_ms: i64) {
    match spans.last_mut() {
        Some(last) if last.resolved_at_ms.is_some_and(|resolved| start_ms <= resolved) => {
            last.resolved_at_ms = Some(end_ms);
        }
        _ => spans.push(Span {
            pending_at_ms: start_ms,
            firing_at_ms: Some(reached_ms),
            resolved_at_ms: Some(end_ms),
            during: None,
        }),
    }
}
