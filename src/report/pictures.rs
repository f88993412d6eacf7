//! Turns the report of a series into the value that a chart draws.

use std::borrow::Cow;

use super::chart::{Chart, Curve, CurvePoint, Level, RestartMark, SpanKind, StepMark, TimeSpan, Tone};
use super::facts::Lean;
use super::{KnownLimitSource, Report, SeriesReport};
use crate::criteria::{Criterion, During, Status};
use crate::ingest::Timeline;
use crate::judge::{RegimeWhy, Verdict};
use crate::policy::Outcome;
use crate::segment::Cause;
use crate::units::{duration_text, memory_text};

/// The chart of one series of `report`.
pub fn of<'a>(report: &Report, series: &'a SeriesReport) -> Chart<'a> {
    let samples = &series.samples;
    let mut chart = Chart::of_samples(series.id(), samples.time_ms(), samples.used_bytes());
    chart.subtitle = subtitle(report, series);
    chart.tone = match series.outcome {
        Outcome::Fail | Outcome::Error => Tone::Fail,
        Outcome::Warn => Tone::Warn,
        Outcome::Pass => Tone::Pass,
        Outcome::Inconclusive => Tone::Inconclusive,
    };
    series.lean().map_or(series.verdict().name(), Lean::words).clone_into(&mut chart.verdict);
    chart.besides = besides(series);
    // A line that proves nothing says so.
    let unproven = series.verdict() == Verdict::Inconclusive;
    chart.fit = series
        .lines
        .iter()
        .map(|line| Curve {
            points: line
                .points
                .iter()
                .map(|&(time_ms, bytes, interval)| CurvePoint { time_ms, bytes, interval })
                .collect(),
            label: None,
            unproven,
        })
        .collect();
    // What lives have in common is said once, beside the last of them.
    if let Some(line) = chart.fit.last_mut() {
        line.label = rate_label(report, series);
    }
    chart.forecast = forecast(series);
    chart.limit = series.limit.map(|limit| {
        let whose = if limit.source == KnownLimitSource::Host { "host memory" } else { "limit" };
        Level { bytes: limit.bytes, label: format!("{whose} {}", memory_text(limit.bytes)) }
    });
    chart.thresholds = thresholds(report, series);
    chart.restarts = series
        .restarts
        .iter()
        .map(|restart| {
            let out_of_memory = restart.cause == Cause::Oom;
            let guessed = !restart.told;
            let label = match (out_of_memory, guessed) {
                (true, true) => "probably killed",
                (true, false) => "OOM kill",
                (false, _) => "restart",
            };
            RestartMark { time_ms: restart.at_ms, out_of_memory, guessed, label: label.to_owned() }
        })
        .collect();
    let start_ms = samples.start_ms();
    chart.steps = series
        .judgement
        .change_points
        .iter()
        .filter(|_| rests_on_steps(series.verdict()))
        .map(|step| StepMark {
            time_ms: start_ms + (step.at_seconds * 1000.0) as i64,
            before_bytes: step.before_bytes,
            after_bytes: step.after_bytes,
        })
        .collect();
    chart.spans = report
        .load
        .iter()
        .map(|&(start_ms, end_ms)| TimeSpan { start_ms, end_ms, kind: SpanKind::Load, label: "load".to_owned() })
        .chain(series.criteria.iter().flat_map(|criterion| alert_spans(criterion, samples.end_ms())))
        .collect();
    let regime = series.judgement.regime;
    chart.regime = match regime.why {
        RegimeWhy::Whole => None,
        RegimeWhy::GrowthBegan => Some("growth began"),
        RegimeWhy::GrowthChanged => Some("growth changed"),
        _ => Some("judged from here"),
    }
    .map(|words| (start_ms + (regime.start_seconds * 1000.0) as i64, words.to_owned()));
    chart.caution = series.times_guessed.then(|| "times are guessed, not read".to_owned());
    chart.relative_time = report.timeline == Timeline::Relative;
    chart
}

/// What made the outcome where the verdict did not.
fn besides(series: &SeriesReport) -> Option<String> {
    let counted = |ids: &[Cow<'static, str>], one: &str, many: &str| match ids {
        [] => None,
        [id] => Some(format!("{id} {one}")),
        ids => Some(format!("{} {many}", ids.len())),
    };
    if series.verdict().is_leak() {
        return None;
    }
    let failed = |criterion: &&Criterion| criterion.gates && criterion.status == Status::Fail;
    let failed: Vec<Cow<'static, str>> =
        series.criteria.iter().filter(failed).map(|criterion| criterion.id.clone()).collect();
    match series.outcome {
        Outcome::Fail => counted(&failed, "fails", "criteria fail"),
        Outcome::Warn => counted(&series.contradicted, "a false alarm", "false alarms"),
        _ => None,
    }
}

/// The rate that a fitted line shows; `None` where it is not its slope.
fn rate_label(report: &Report, series: &SeriesReport) -> Option<String> {
    let verdict = series.verdict();
    let unproven = verdict == Verdict::Inconclusive;
    let grows = matches!(verdict, Verdict::Leak | Verdict::LeakMaskedByRestarts | Verdict::LeakSuspected);
    let growth = series.judgement.growth.filter(|_| grows || unproven)?;
    let rate = report.rate_unit.text(growth.bytes_per_second);
    Some(if unproven { format!("{rate}, unproven") } else { rate })
}

/// Whether a verdict says something of the steps that were fitted: elsewhere they only take a disturbance away.
const fn rests_on_steps(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Step | Verdict::SteppingGrowth | Verdict::LeakSuspected | Verdict::Shrinking)
}

/// The levels that criteria compare memory with: that of the memory alert, and of others that failed.
fn thresholds(report: &Report, series: &SeriesReport) -> Vec<Level> {
    let rule = &report.settings.criteria.high_memory;
    let has_own = series.limit.and_then(super::KnownLimit::own).is_some();
    let alert = series.criteria.iter().find(|criterion| criterion.id == "high-memory");
    let alert = alert.filter(|criterion| has_own || criterion.status == Status::Fail).map(|criterion| {
        let bytes = rule.limit_share.get() * series.alert_limit(rule.fallback_limit_bytes.as_f64());
        Level { bytes, label: format!("{} above {}", criterion.id, memory_text(bytes)) }
    });
    let levels = series
        .criteria
        .iter()
        .filter(|criterion| criterion.status == Status::Fail && criterion.unit == Some("bytes"))
        .filter(|criterion| ["flat-after-load", "baseline-300mb", "steady-500mb"].contains(&&*criterion.id))
        .filter_map(|criterion| {
            let bytes = criterion.threshold?;
            Some(Level { bytes, label: format!("{} up to {}", criterion.id, memory_text(bytes)) })
        });
    alert.into_iter().chain(levels).collect()
}

fn subtitle(report: &Report, series: &SeriesReport) -> String {
    let growth = series.judgement.growth.map(|growth| {
        let interval = report.rate_unit.interval_text(growth.bytes_per_second, growth.lower, growth.upper);
        format!("{interval}, {:.0} % confidence", 100.0 * growth.confidence)
    });
    let to_limit = series.time_to_limit.map(|time| format!("limit in {}", duration_text(time.seconds)));
    let restarts = match series.restarts.len() {
        0 => None,
        1 => Some("1 restart".to_owned()),
        count => Some(format!("{count} restarts")),
    };
    let parts: Vec<String> = [growth, to_limit, restarts].into_iter().flatten().collect();
    parts.join(", ")
}

/// From the present level to the limit.
fn forecast(series: &SeriesReport) -> Option<Curve> {
    let time = series.time_to_limit?;
    let limit = series.ceiling()?;
    let end_ms = series.samples.end_ms() as f64;
    let level = time.level;
    let growth = series.judgement.growth?;
    let at = end_ms + time.seconds * 1000.0;
    let reach = |rate: f64| (level + rate * time.seconds).max(0.0);
    Some(Curve {
        points: vec![
            CurvePoint { time_ms: end_ms, bytes: level, interval: Some((level, level)) },
            CurvePoint { time_ms: at, bytes: limit, interval: Some((reach(growth.lower), reach(growth.upper))) },
        ],
        label: Some(format!("limit in {}", duration_text(time.seconds))),
        unproven: false,
    })
}

fn alert_spans(criterion: &Criterion, end_ms: i64) -> Vec<TimeSpan> {
    if criterion.status != Status::Fail {
        return Vec::new();
    }
    // What a start-up made it do is not why it fails.
    let counted = criterion.spans.iter().filter(|span| span.during != Some(During::StartUp));
    counted
        .flat_map(|span| {
            let end = span.resolved_at_ms.unwrap_or(end_ms);
            let pending_end = span.firing_at_ms.unwrap_or(end);
            let part = |start_ms, end_ms, kind| TimeSpan { start_ms, end_ms, kind, label: criterion.id.to_string() };
            [
                (span.pending_at_ms < pending_end).then(|| part(span.pending_at_ms, pending_end, SpanKind::Pending)),
                span.firing_at_ms.map(|firing| part(firing, end, SpanKind::Firing)),
            ]
        })
        .flatten()
        .collect()
}
