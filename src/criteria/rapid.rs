//! `rapid-50mb-per-min`: the fastest climb over 5 minutes, as a robust slope.
//!
//! Takes readings in bytes outside the load, gives bytes per second. Too few readings in a window give no slope:
//! then only the average between two readings is known, which a faster climb between them can exceed.

use std::ops::Range;

use crate::series::MemorySeries;
use crate::settings::RapidSettings;
use crate::stats::{Points, theil_sen};

use super::reason::{Climbed, Moment};
use super::starts::Starts;
use super::{Context, Criterion, Reason, Span, Status, margin, mark_start_ups, outside_load, too_coarse};

const ID: &str = "rapid-50mb-per-min";

/// A window is thinned to about so many readings, and windows end about this part of one apart: the slope of more
/// hardly differs and costs the square of it.
const READINGS_PER_WINDOW: usize = 30;

/// How fast memory climbed.
#[derive(Default)]
struct Climbs {
    /// The fastest slope over a window, in bytes per second, and when its window ended.
    fastest: Option<(f64, i64)>,
    /// The fastest average between two readings at least a window apart, in bytes per second, and when it ended.
    lower_bound: Option<(f64, i64)>,
    /// For how long windows could end at a reading, and for how much of it they had a slope, in milliseconds.
    time_ms: i64,
    decided_ms: i64,
    spans: Vec<Span>,
}

impl Climbs {
    fn of(series: &MemorySeries, parts: &[Range<usize>], settings: &RapidSettings, above: f64) -> Climbs {
        let mut climbs = Climbs::default();
        for part in parts {
            slide(series, part.clone(), settings, above, &mut climbs);
            bound(series, part.clone(), settings, &mut climbs);
        }
        climbs
    }

    /// The climb that is too fast, and when it ended. `decided`: whether slopes decide, and no lower bound does.
    fn too_fast(&self, decided: bool, above: f64) -> Option<(f64, i64)> {
        let bound = self.lower_bound.filter(|_| !decided);
        [self.fastest, bound].into_iter().flatten().find(|(slope, _)| *slope > above)
    }
}

/// A slope above 50 MB a minute over 5 minutes.
pub(super) fn evaluate(series: &MemorySeries, context: &Context<'_>, starts: &Starts) -> Criterion {
    let settings = &context.settings.rapid;
    let threshold = settings.bytes_per_minute.as_f64() / 60.0;
    let window_seconds = settings.window_seconds.get();
    // What two rounded readings at the ends of a window can be off by.
    let margin = margin(series, threshold * window_seconds) / window_seconds.max(1.0);
    let above = threshold + margin;

    let parts = outside_load(series, context.load);
    let all = Climbs::of(series, &parts, settings, above);
    let decided = all.time_ms > 0 && settings.min_decided_share.get() * all.time_ms as f64 <= all.decided_ms as f64;
    // The climb of a start-up is shown and does not count: what is left without its readings decides.
    let left = all.too_fast(decided, above).and_then(|_| starts.counted(series, &parts));
    let (counted, at_start) = match &left {
        None => (None, None),
        Some(left) => {
            let counted = Climbs::of(series, left, settings, above);
            let at_start = all.too_fast(decided, above).filter(|_| counted.too_fast(decided, above).is_none());
            (Some(counted), at_start)
        }
    };
    let climbs = counted.as_ref().unwrap_or(&all);

    let spans = spans(series, context, &all, left.as_deref().zip(counted.as_ref()), decided, above);
    let step_seconds = series.step_seconds();
    let too_fast = |(slope, time_ms), average_over| {
        let often = how_often(series, &spans, time_ms);
        (
            Status::Fail,
            Some(slope),
            Climbed::TooFast { slope, reached: Moment::of(series, time_ms), average_over, often },
        )
    };
    let at_start = at_start.map(|(slope, time_ms)| (slope, starts.at_start(series, time_ms)));
    let (status, value, climbed) = match (climbs.fastest, climbs.lower_bound) {
        (Some(fastest), _) if fastest.0 > above => too_fast(fastest, None),
        (_, Some(bound)) if !decided && bound.0 > above => too_fast(bound, step_seconds),
        (_, bound) if margin > 0.0 => {
            let reason = too_coarse(series, settings.bytes_per_minute.as_f64() * window_seconds / 60.0);
            return Criterion::new(ID, settings.gates, Status::NotEvaluable, reason)
                .measured(bound.map(|(slope, _)| slope), threshold, "bytes_per_second")
                .with_spans(spans);
        }
        (fastest, _) if decided && (fastest.is_some() || at_start.is_some()) => {
            let slope = fastest.map(|(slope, _)| slope);
            let climbed = match at_start {
                Some((at_start, start)) => Climbed::AtStart(at_start, start, slope),
                None => Climbed::AtMost(slope.unwrap_or_default()),
            };
            (Status::Pass, slope, climbed)
        }
        (_, Some((slope, _))) => {
            (Status::NotEvaluable, Some(slope), Climbed::TooSparse { at_least: slope, step_seconds })
        }
        _ => (Status::NotEvaluable, None, Climbed::TooShort(at_start)),
    };
    let reason = Reason::Climbed(climbed, settings.clone(), context.load.is_some());
    Criterion::new(ID, settings.gates, status, reason).measured(value, threshold, "bytes_per_second").with_spans(spans)
}

/// How often memory climbed too fast, where more than once, and when the last climb began, where that is after the
/// fastest, which ended at `fastest_ms`.
fn how_often(series: &MemorySeries, spans: &[Span], fastest_ms: i64) -> Option<(usize, Option<Moment>)> {
    let counted = spans.iter().filter(|span| span.during.is_none());
    let firing: Vec<i64> = counted.filter_map(|span| span.firing_at_ms).collect();
    let [_, .., last_ms] = firing[..] else { return None };
    Some((firing.len(), (fastest_ms < last_ms).then(|| Moment::of(series, last_ms))))
}

/// When memory climbed too fast; `counted`: the parts without start-ups and the climbs in them.
fn spans(
    series: &MemorySeries,
    context: &Context<'_>,
    all: &Climbs,
    counted: Option<(&[Range<usize>], &Climbs)>,
    decided: bool,
    above: f64,
) -> Vec<Span> {
    let settings = &context.settings.rapid;
    let fails = |climbs: &&Climbs| climbs.too_fast(decided, above).is_some();
    let deciding = counted.map(|(_, climbs)| climbs).filter(fails).unwrap_or(all);
    let by_bound = fails(&deciding) && deciding.spans.is_empty();
    let of = |climbs: &Climbs, parts: &[Range<usize>]| {
        if by_bound { lower_bound_spans(series, parts, settings, above) } else { climbs.spans.clone() }
    };
    let mut spans = of(all, &outside_load(series, context.load));
    if let Some((parts, climbs)) = counted {
        mark_start_ups(&mut spans, &of(climbs, parts));
    }
    spans
}

/// The slope of every window of a part that has enough readings.
fn slide(series: &MemorySeries, part: Range<usize>, settings: &RapidSettings, threshold: f64, climbs: &mut Climbs) {
    let times = series.time_ms();
    let window_ms = settings.window_seconds.as_ms();
    let min_samples = settings.min_samples.max(2) as usize;
    // Evenly spaced readings that are just enough for a window reach over this much of it.
    let min_reach_ms = window_ms - window_ms / min_samples as i64;
    let stride_ms = window_ms / READINGS_PER_WINDOW as i64;

    let mut first = part.start;
    let mut next_ms = i64::MIN;
    let mut open: Option<Span> = None;
    let mut window = Window::default();
    for last in part.start + 1..part.end {
        while times[first] < times[last] - window_ms {
            first += 1;
        }
        if times[last] - times[part.start] < min_reach_ms {
            continue;
        }
        climbs.time_ms += times[last] - times[last - 1];
        if last + 1 - first < min_samples || times[last] - times[first] < min_reach_ms {
            climbs.spans.extend(open.take());
            continue;
        }
        climbs.decided_ms += times[last] - times[last - 1];
        if times[last] < next_ms {
            continue;
        }
        next_ms = times[last] + stride_ms;

        window.fill(series, first, last);
        // Most windows climb no faster than one before: that is seen without the median of all their slopes.
        let slope = match climbs.fastest {
            Some((fastest, _)) if window.is_at_most(fastest.min(threshold)) => f64::NEG_INFINITY,
            _ => window.slope(),
        };
        if climbs.fastest.is_none_or(|(fastest, _)| fastest < slope) {
            climbs.fastest = Some((slope, times[last]));
        }
        if slope > threshold {
            open.get_or_insert(Span {
                pending_at_ms: times[first],
                firing_at_ms: Some(times[last]),
                resolved_at_ms: None,
                during: None,
            });
        } else if let Some(span) = open.take() {
            climbs.spans.push(Span { resolved_at_ms: Some(times[last]), ..span });
        }
    }
    climbs.spans.extend(open);
}

/// The readings of a window, thinned.
#[derive(Debug, Default)]
struct Window {
    seconds: Vec<f64>,
    bytes: Vec<f64>,
    /// What is left of them after a slope.
    left: Vec<f64>,
}

impl Window {
    /// Holds the readings from `first` to `last`.
    fn fill(&mut self, series: &MemorySeries, first: usize, last: usize) {
        let (times, bytes) = (series.time_ms(), series.used_bytes());
        let every = (last - first).div_ceil(READINGS_PER_WINDOW).max(1);
        let begin = first + (last - first) % every;
        let kept = (begin..=last).step_by(every);
        self.seconds.clear();
        self.bytes.clear();
        self.seconds.extend(kept.clone().map(|index| (times[index] - times[first]) as f64 / 1e3));
        self.bytes.extend(kept.map(|index| bytes[index]));
    }

    /// The Theil–Sen slope, in bytes per second.
    fn slope(&self) -> f64 {
        let points = Points::new(&self.seconds, &self.bytes).expect("readings are finite, their times increase");
        theil_sen::slope(points).expect("a window has at least two readings")
    }

    /// Whether the slope is certain to be at most this; `false` also where it may be equal up to rounding.
    ///
    /// A slope between two readings is above `slope` when what is left after `slope` rises between them. Where fewer
    /// than half of all pairs do that, their median does not (Sen 1968): it takes comparisons only.
    fn is_at_most(&mut self, slope: f64) -> bool {
        let largest = self.bytes.iter().fold(0.0, |largest: f64, bytes| largest.max(*bytes));
        // Times differ by a millisecond at least: what is left is off by less than this times the difference.
        let slope = slope - 1e-12 * largest - 1e-9 * slope.abs();
        self.left.clear();
        self.left.extend(self.seconds.iter().zip(&self.bytes).map(|(seconds, bytes)| bytes - slope * seconds));
        let rising: usize = (1..self.left.len())
            .map(|later| self.left[..later].iter().filter(|earlier| **earlier < self.left[later]).count())
            .sum();
        let n_pairs = self.left.len() * (self.left.len() - 1) / 2;
        2 * rising < n_pairs
    }
}

/// The fastest average between readings that are at least a window apart, each with the next such.
fn bound(series: &MemorySeries, part: Range<usize>, settings: &RapidSettings, climbs: &mut Climbs) {
    for (a, b) in apart(series, part, settings) {
        let slope = average_slope(series, a, b);
        if climbs.lower_bound.is_none_or(|(fastest, _)| fastest < slope) {
            climbs.lower_bound = Some((slope, series.time_ms()[b]));
        }
    }
}

fn lower_bound_spans(
    series: &MemorySeries,
    parts: &[Range<usize>],
    settings: &RapidSettings,
    threshold: f64,
) -> Vec<Span> {
    let times = series.time_ms();
    let mut spans: Vec<Span> = Vec::new();
    for part in parts {
        for (a, b) in apart(series, part.clone(), settings) {
            if average_slope(series, a, b) <= threshold {
                continue;
            }
            match spans.last_mut() {
                Some(last) if last.resolved_at_ms.is_some_and(|resolved| times[a] <= resolved) => {
                    last.resolved_at_ms = Some(times[b]);
                }
                _ => spans.push(Span {
                    pending_at_ms: times[a],
                    firing_at_ms: Some(times[b]),
                    resolved_at_ms: Some(times[b]),
                    during: None,
                }),
            }
        }
    }
    spans
}

/// Each reading of a part with the first one at least a window later.
fn apart(series: &MemorySeries, part: Range<usize>, settings: &RapidSettings) -> impl Iterator<Item = (usize, usize)> {
    let times = series.time_ms();
    let window_ms = settings.window_seconds.as_ms();
    let mut later = part.start;
    part.clone().map_while(move |index| {
        while later < part.end && (later <= index || times[later] - times[index] < window_ms) {
            later += 1;
        }
        (later < part.end).then_some((index, later))
    })
}

fn average_slope(series: &MemorySeries, a: usize, b: usize) -> f64 {
    let seconds = (series.time_ms()[b] - series.time_ms()[a]) as f64 / 1e3;
    (series.used_bytes()[b] - series.used_bytes()[a]) / seconds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A window that is passed over is none that matters: its slope is not above the bound.
        #[test]
        fn a_window_is_passed_over_only_where_its_slope_is_at_most_the_bound(
            steps in prop::collection::vec((1_u32..100_000, 0_u32..40), 2..31),
            scale in prop::sample::select(vec![1.0, 1024.0, 3e9]),
            nudge in -2_i32..3,
        ) {
            let mut window = Window::default();
            let mut ms = 0;
            for (step_ms, level) in steps {
                ms += step_ms;
                window.seconds.push(f64::from(ms) / 1e3);
                window.bytes.push(f64::from(level) * scale);
            }
            let slope = window.slope();
            let bound = slope + f64::from(nudge) * (1e-3 * slope.abs() + 1e-12 * scale);
            if window.is_at_most(bound) {
                prop_assert!(slope <= bound, "{slope} {bound}");
            }
            // Of an even number of pairs the slope is the mean of the middle two, and only what is above both is certain.
            let points: Vec<(f64, f64)> = window.seconds.iter().copied().zip(window.bytes.iter().copied()).collect();
            let pairs = (1..points.len()).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
            let mut slopes: Vec<f64> =
                pairs.map(|(a, b)| (points[b].1 - points[a].1) / (points[b].0 - points[a].0)).collect();
            slopes.sort_by(f64::total_cmp);
            let upper = slopes[slopes.len() / 2];
            prop_assert!(window.is_at_most(upper + 0.1 * upper.abs() + scale));
        }
    }
}
