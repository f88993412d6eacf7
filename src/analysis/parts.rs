//! Parts of the report of a series: its runs, the shapes that were weighed, the lines of its chart, its notes.

use crate::judge::{Judgement, Measured, ShapeName, Verdict};
use crate::report::{FittedLine, KnownLimit, KnownLimitSource, LinePoint, SegmentReport, Shapes};
use crate::segment::{Cause, Segmentation};
use crate::series::{MemorySeries, Metric, Sampling};
use crate::stats::robust::median;
use crate::stats::trend::Form;
use crate::units::{duration_text, memory_text};
use crate::window::Window;

pub(super) fn segments(segmentation: &Segmentation, samples: &MemorySeries) -> Vec<SegmentReport> {
    let time_ms = samples.time_ms();
    let causes = std::iter::once(None).chain(segmentation.falls.restarts.iter().map(|restart| Some(restart.cause)));
    segmentation
        .lives()
        .into_iter()
        .zip(causes)
        .map(|(life, cause)| SegmentReport {
            start_ms: time_ms[life.start],
            end_ms: time_ms[life.end - 1],
            why: match cause {
                None => "start",
                Some(Cause::Gap) => "gap",
                Some(Cause::Recreated) => "recreated",
                Some(_) => "restart",
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
        (Form::Broken(_), false) => "a rise or fall to a level",
        (Form::Steps(_), true) => "a level shift and growth",
        (Form::Steps(_), false) => "a level shift",
        (Form::Pulse(_), _) => "another level for a while",
        (Form::Lives { .. }, _) => "runs that are alike",
    }
}

/// The line that the verdict rests on, with what the slope's interval allows around its middle: one for each life.
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
    let allowed = judgement.growth.map_or(0.0, |growth| ((growth.upper - growth.lower) / 2.0).max(0.0));
    let edges: Vec<usize> = [0].into_iter().chain(stretch.starts.iter().copied()).chain([seconds.len()]).collect();
    let of_life = |edge: &[usize]| {
        let life = edge[0]..edge[1];
        let middle = seconds[life.start + life.len() / 2];
        let mut line: Vec<LinePoint> = life
            .clone()
            .map(|at| {
                let (bytes, reach) = (view.curve[at], allowed * (seconds[at] - middle).abs());
                (time(seconds[at]), bytes, Some((bytes - reach, bytes + reach)))
            })
            .collect();
        // A step is a jump: the line holds its level up to it.
        for at in view.chosen.form.steps().iter().rev().filter(|at| life.start < **at && life.contains(at)) {
            let at = at - life.start;
            let (before, after) = (line[at - 1], line[at]);
            line.insert(at, (after.0, before.1, None));
        }
        FittedLine { points: line }
    };
    edges.windows(2).map(of_life).flat_map(without_gaps).collect()
}

/// A line in pieces: none leads through time of which nothing was read.
fn without_gaps(line: FittedLine) -> Vec<FittedLine> {
    /// So many times the usual distance between two points is a gap.
    const GAP: f64 = 5.0;
    let apart: Vec<f64> = line.points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let Some(usual) = median(&apart) else { return vec![line] };
    let pieces = line.points.chunk_by(|a, b| usual <= 0.0 || b.0 - a.0 <= GAP * usual);
    pieces.map(|points| FittedLine { points: points.to_vec() }).collect()
}

pub(super) fn notes(samples: &MemorySeries, limit: Option<KnownLimit>, window: &Window) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(limit) = limit.filter(|limit| limit.source == KnownLimitSource::Host) {
        notes.push(format!(
            "its limit of {} is taken for the memory of the host: it is not used as a limit",
            memory_text(limit.bytes)
        ));
    }
    if samples.info.metric == Metric::UsageBytes {
        notes.push(
            "container_memory_usage_bytes counts all page cache and may grow without a leak; the working set is a second opinion"
                .to_owned(),
        );
    }
    if let Sampling::Step { .. } = samples.info.sampling {
        notes.push(
            "its points are answers at a fixed step, up to a lookback old: short gaps and restarts may be hidden"
                .to_owned(),
        );
    }
    if let Some((from, to)) = window.load {
        let level = |range: std::ops::Range<usize>| median(&samples.used_bytes()[range]);
        let begin = samples.time_ms().partition_point(|time| *time < from);
        let end = samples.time_ms().partition_point(|time| *time <= to);
        let before = level(0..begin).map_or("unknown".to_owned(), memory_text);
        let last_of_load = level(end.saturating_sub(5).max(begin)..end);
        if let Some(peak) = last_of_load {
            notes.push(format!(
                "only what came after the load is judged; before it the level was {before}, at its end {} after {}",
                memory_text(peak),
                duration_text((to - from) as f64 / 1000.0),
            ));
        }
    }
    notes
}
