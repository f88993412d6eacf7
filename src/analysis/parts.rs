//! Parts of the report of a series: its runs, the shapes that were weighed, the lines of its chart, its notes.

use std::collections::HashSet;

use crate::criteria::reason::Moment;
use crate::events::SeriesEvents;
use crate::report::note::OpenDrop;
use crate::report::{
    Breakdown, FittedLine, KnownLimit, KnownLimitSource, LinePoint, RestartReport, RestartWhat, SegmentReport,
    SegmentWhy, SeriesNote, Shapes, facts,
};
use crate::segment::{Cause, Segmentation};
use crate::series::{MemorySeries, Metric, Sampling};
use crate::stats::robust::median;
use crate::stats::trend::Form;
use crate::verdict::{Judgement, Measured, ShapeName, Verdict};
use crate::window::Window;

pub(super) fn segments(segmentation: &Segmentation, samples: &MemorySeries) -> Vec<SegmentReport> {
    let time_ms = samples.time_ms();
    let causes = std::iter::once(None).chain(segmentation.falls.restarts.iter().map(|restart| Some(restart.cause)));
    segmentation
        .runs()
        .into_iter()
        .zip(causes)
        .map(|(run, cause)| SegmentReport {
            start_ms: time_ms[run.start],
            end_ms: time_ms[run.end - 1],
            why: match cause {
                None => SegmentWhy::Start,
                Some(Cause::Gap) => SegmentWhy::Gap,
                Some(Cause::Recreated) => SegmentWhy::Recreated,
                Some(_) => SegmentWhy::Restart,
            },
        })
        .collect()
}

/// What was weighed where the verdict rests on the shape of the whole.
pub(super) fn shapes(measured: &Measured, judgement: &Judgement) -> Option<Shapes> {
    if matches!(judgement.shape, ShapeName::Sawtooth | ShapeName::Staircase | ShapeName::Unknown) {
        return None;
    }
    let view = measured.view()?;
    let runner_up = view.runner_up.as_ref()?;
    let grows = judgement.onset_seconds.is_some();
    Some(Shapes {
        chosen: shape_words(&view.chosen.form, grows),
        runner_up: shape_words(&runner_up.form, grows),
        margin: (runner_up.bic - view.chosen.bic).max(0.0),
    })
}

/// What a reader would call a shape, beside growth or without.
const fn shape_words(form: &Form, grows: bool) -> &'static str {
    match (form, grows) {
        (Form::Line, true) => "a straight line",
        (Form::Line, false) => "a level",
        (Form::Saturating(_), true) => "a warm-up and then growth",
        (Form::Saturating(_), false) => "a rise that levels off",
        (Form::Hinge(_), true) => "a level and then growth",
        (Form::Hinge(_), false) => "a level that begins to change",
        (Form::Broken(_), true) => "a line that bends",
        (Form::Broken(_), false) => "a straight rise or fall, then a level",
        (Form::Climb(_), true) => "a climb to another level and growth",
        (Form::Climb(_), false) => "a climb to another level",
        (Form::Steps(_), true) => "a level shift and growth",
        (Form::Steps(_), false) => "a level shift",
        (Form::Pulse(_), _) => "a shift to another level and back",
        (Form::Runs { climb: Some(_), .. }, _) => "runs at one level that climbs to another",
        (Form::Runs { .. }, _) => "runs of the same shape",
    }
}

/// The line that the verdict rests on, with what the slope's interval allows around its middle: one for each run.
pub(super) fn fitted_lines(measured: &Measured, judgement: &Judgement, start_ms: i64) -> Vec<FittedLine> {
    let time = |seconds: f64| start_ms as f64 + seconds * 1000.0;
    let (Some(stretch), Some(view)) = (measured.stretch(), measured.view()) else { return Vec::new() };
    let seconds = &stretch.seconds;
    if judgement.verdict == Verdict::SteppingGrowth {
        let steps = &judgement.change_points;
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Vec::new() };
        let edges = steps.iter().flat_map(|step| {
            [(time(step.at_seconds), step.before_bytes, None), (time(step.at_seconds), step.after_bytes, None)]
        });
        let points = std::iter::once((time(seconds[0]), first.before_bytes, None))
            .chain(edges)
            .chain([(time(seconds[seconds.len() - 1]), last.after_bytes, None)])
            .collect();
        return vec![FittedLine { points }];
    }
    let from = seconds.partition_point(|at| *at < judgement.regime.start_seconds);
    // What began after the last block is on no block.
    let is_drawn = judgement.is_as_read() && from < seconds.len();
    if let Some(growth) = judgement.growth.filter(|_| is_drawn) {
        let middle = seconds[from].midpoint(seconds[seconds.len() - 1]);
        let Some(level) = median(&view.without_rhythm[from..]) else { return Vec::new() };
        let point = |at: f64| {
            let on = |rate: f64| level + rate * (at - middle);
            let (lower, upper) = (on(growth.lower), on(growth.upper));
            (time(at), on(growth.bytes_per_second), Some((lower.min(upper), lower.max(upper))))
        };
        return vec![FittedLine { points: [seconds[from], middle, seconds[seconds.len() - 1]].map(point).to_vec() }];
    }
    let allowed = judgement.growth.map_or(0.0, |growth| ((growth.upper - growth.lower) / 2.0).max(0.0));
    let edges: Vec<usize> = [0].into_iter().chain(stretch.starts.iter().copied()).chain([seconds.len()]).collect();
    let of_run = |edge: &[usize]| {
        let run = edge[0]..edge[1];
        let middle = seconds[run.start + run.len() / 2];
        let mut line: Vec<LinePoint> = run
            .clone()
            .map(|at| {
                let (bytes, reach) = (view.curve[at], allowed * (seconds[at] - middle).abs());
                (time(seconds[at]), bytes, Some((bytes - reach, bytes + reach)))
            })
            .collect();
        // A step is a jump: the line holds its level up to it.
        for at in view.chosen.form.steps().iter().rev().filter(|at| run.start < **at && run.contains(at)) {
            let at = at - run.start;
            let (before, after) = (line[at - 1], line[at]);
            line.insert(at, (after.0, before.1, None));
        }
        FittedLine { points: line }
    };
    edges.windows(2).map(of_run).flat_map(without_gaps).collect()
}

/// A line in pieces: none leads through time of which nothing was read.
fn without_gaps(line: FittedLine) -> Vec<FittedLine> {
    /// So many times the usual distance between two points is a gap.
    const GAP: f64 = 5.0;
    let apart: Vec<f64> = line.points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let Some(usual) = median(&apart) else { return vec![line] };
    let pieces = line.points.chunk_by(|a, b| usual <= 0.0 || b.0 - a.0 <= GAP * usual);
    pieces.map(|points| FittedLine { points: corners(points) }).collect()
}

/// The points without those that lie on the straight line between others.
fn corners(points: &[LinePoint]) -> Vec<LinePoint> {
    let mut corners: Vec<LinePoint> = points.first().copied().into_iter().collect();
    let mut from: usize = 0;
    for next in 2..points.len() {
        // What bends slowly is furthest from the chord in its middle.
        let is_straight =
            [next - 1, from.midpoint(next)].iter().all(|at| is_between(&points[*at], &points[from], &points[next]));
        if !is_straight {
            from = next - 1;
            corners.push(points[from]);
        }
    }
    corners.extend(points.last().filter(|_| 1 < points.len()));
    corners
}

/// Whether a point lies on the line between two others, to a billionth, with its interval.
fn is_between(point: &LinePoint, a: &LinePoint, b: &LinePoint) -> bool {
    let share = if b.0 == a.0 { 0.0 } else { (point.0 - a.0) / (b.0 - a.0) };
    let is_on = |value: f64, a: f64, b: f64| (a + share * (b - a) - value).abs() <= 1e-9 * value.abs().max(1.0);
    let is_interval_on = match (point.2, a.2, b.2) {
        (None, None, None) => true,
        (Some(at), Some(a), Some(b)) => is_on(at.0, a.0, b.0) && is_on(at.1, a.1, b.1),
        _ => false,
    };
    // A jump has two points at one time.
    is_on(point.1, a.1, b.1) && is_interval_on && a.0 < point.0 && point.0 < b.0
}

/// What the runbook's alert rules would see of a container that is judged by another amount than they name.
pub(super) fn usage_seen(breakdown: &Breakdown, limit_bytes: Option<f64>, alert_share: f64) -> Option<SeriesNote> {
    let usage = breakdown.parts.iter().find(|part| part.samples.info.metric == Metric::UsageBytes)?;
    let highest_bytes = usage.samples.used_bytes().iter().copied().fold(0.0, f64::max);
    Some(SeriesNote::ReplayedOn { amount: breakdown.name.clone(), highest_bytes, limit_bytes, alert_share })
}

/// The drops on which it depends whether it leaks, where that is so.
pub(super) fn open_drops(
    samples: &MemorySeries,
    segmentation: &Segmentation<'_>,
    judgement: &Judgement,
) -> Option<SeriesNote> {
    /// So many are named.
    const NAMED: usize = 3;
    let (times, values) = (samples.time_ms(), &segmentation.values);
    let open = segmentation.falls.open.iter().filter(|_| facts::rests_on_drops(judgement));
    let mut drops: Vec<OpenDrop> = open
        .filter_map(|&at| {
            let before_bytes = median(&values[at.saturating_sub(3)..at])?;
            let moment = Moment { at_ms: times[at], end_ms: samples.end_ms() };
            Some(OpenDrop { at: moment, before_bytes, after_bytes: values[at] })
        })
        .collect();
    let depth = |drop: &OpenDrop| drop.before_bytes - drop.after_bytes;
    drops.sort_by(|a, b| depth(b).total_cmp(&depth(a)));
    drops.truncate(NAMED);
    drops.sort_by_key(|drop| drop.at.at_ms);
    (!drops.is_empty()).then_some(SeriesNote::OpenDrops(drops))
}

pub(super) fn notes(samples: &MemorySeries, limit: Option<KnownLimit>, window: &Window) -> Vec<SeriesNote> {
    let host =
        limit.filter(|limit| limit.source == KnownLimitSource::Host).map(|limit| SeriesNote::ShownLimit(limit.bytes));
    let cache = (samples.info.metric == Metric::UsageBytes).then_some(SeriesNote::CountsCache);
    let query = matches!(samples.info.sampling, Sampling::Step { .. }).then_some(SeriesNote::RangeQuery);
    let load = window.load.map(|_| SeriesNote::AfterLoad);
    [host, cache, query, load].into_iter().flatten().collect()
}

/// Restarts that events report, with their own times, and those that were found in the readings.
pub(super) fn restarts(
    samples: &MemorySeries,
    segmentation: &Segmentation,
    events: &SeriesEvents,
) -> Vec<RestartReport> {
    let (time_ms, used) = (samples.time_ms(), samples.used_bytes());
    let reported = events.restarts.iter().map(|restart| {
        let after = time_ms.partition_point(|time| *time < restart.reading_ms);
        let cause = match &restart.end {
            end if end.is_oom() => Cause::Oom,
            end if end.is_recreated() => Cause::Recreated,
            _ => Cause::Event,
        };
        RestartReport {
            at_ms: restart.time_ms,
            cause,
            reported: true,
            before_bytes: used[after - 1],
            after_bytes: used[after],
            what: RestartWhat::Recorded(Box::new(restart.end.clone()), restart.by.clone()),
        }
    });
    let reported_ms: HashSet<i64> = events.restarts.iter().map(|restart| restart.reading_ms).collect();
    let is_reported = |at: usize| reported_ms.contains(&time_ms[at]);
    let found =
        segmentation.falls.restarts.iter().filter(|restart| !is_reported(restart.at)).map(|restart| RestartReport {
            at_ms: time_ms[restart.at],
            cause: restart.cause,
            reported: false,
            before_bytes: restart.before_bytes,
            after_bytes: restart.after_bytes,
            what: RestartWhat::Seen(restart.cause),
        });
    let mut restarts: Vec<RestartReport> = reported.chain(found).collect();
    restarts.sort_by_key(|restart| restart.at_ms);
    restarts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_corners_of_a_line_are_kept() {
        let line = |bytes: &dyn Fn(f64) -> f64| -> Vec<LinePoint> {
            (0..100).map(|at| (f64::from(at), bytes(f64::from(at)), None)).collect()
        };
        assert_eq!(corners(&line(&|at| 1e9 + 3.3 * at)).len(), 2);
        let bent = corners(&line(&|at| 1e9 + if at < 40.0 { 0.0 } else { 1e5 * (at - 40.0) }));
        assert_eq!(bent.iter().map(|point| point.0).collect::<Vec<_>>(), [0.0, 40.0, 99.0]);
        let curve = line(&|at| 1e9 + 1e4 * at * at);
        assert_eq!(corners(&curve), curve);
        // However slowly it bends, nothing is further from what is drawn than a thousandth of it.
        let slow = |at: f64| 1e9 + 0.01 * at * at;
        let drawn = corners(&line(&slow));
        for pair in drawn.windows(2) {
            let middle = f64::midpoint(pair[0].0, pair[1].0);
            assert!((f64::midpoint(pair[0].1, pair[1].1) - slow(middle)).abs() < 10.0);
        }
        let jump: Vec<LinePoint> = vec![(0.0, 1.0, None), (5.0, 1.0, None), (5.0, 2.0, None), (9.0, 2.0, None)];
        assert_eq!(corners(&jump), jump);
        let wide = |at: f64| Some((at - (at - 50.0).abs(), at + (at - 50.0).abs()));
        let band: Vec<LinePoint> = (0..=100).map(|at| (f64::from(at), f64::from(at), wide(f64::from(at)))).collect();
        assert_eq!(corners(&band).iter().map(|point| point.0).collect::<Vec<_>>(), [0.0, 50.0, 100.0]);
    }
}
