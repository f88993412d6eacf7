//! Turns the report of a series into the value that a chart draws.

use std::borrow::Cow;

use super::chart::{Chart, Curve, CurveKind, CurvePoint, Level, RestartMark, SpanKind, StepMark, TimeSpan, Tone};
use super::facts::Lean;
use super::{FittedLine, KnownLimitSource, LinePoint, PartReport, Report, SeriesReport, parts, table, words};
use crate::account::{Timeline, counted};
use crate::amounts::Amount;
use crate::criteria::{Criterion, During, Status};
use crate::policy::{self, Outcome};
use crate::segment::Cause;
use crate::units::{duration_text, memory_text};
use crate::verdict::{Judgement, RegimeWhy, Verdict};

/// The chart of one series of `report`.
pub fn of<'a>(report: &Report, series: &'a SeriesReport) -> Chart<'a> {
    let samples = &series.samples;
    let mut chart = Chart::of_samples(series.id(), samples.time_ms(), samples.used_bytes());
    chart.subtitle = subtitle(report, series);
    // Nothing is known to be well of what is gone.
    chart.tone = if series.is_gone_quietly() { Tone::Inconclusive } else { tone(series.outcome) };
    chart.verdict = table::short_finding(series);
    chart.besides = besides(series);
    chart.fit = fitted(&series.lines, of_head(series).verdict);
    // What lives have in common is said once, beside the last of them.
    if let Some(line) = chart.fit.last_mut() {
        line.label = rate_label(report, series);
    }
    chart.fit.extend(explained(series));
    chart.forecast = forecast(series);
    chart.limit = series.limit.map(|limit| {
        let whose = if limit.source == KnownLimitSource::Host { "host memory" } else { "limit" };
        Level { bytes: limit.bytes, label: format!("{whose} {}", memory_text(limit.bytes)) }
    });
    chart.thresholds = thresholds(report, series);
    // Of many collections few are drops that could be restarts: marks on these alone mislead.
    let restarts = if series.drops_are_collections() { &[][..] } else { &series.restarts[..] };
    let rollouts = series.workload.iter().flat_map(|workload| &workload.rollouts);
    let is_rollout = |time_ms: i64| rollouts.clone().any(|(at_ms, _)| *at_ms == time_ms);
    chart.restarts = restarts
        .iter()
        .map(|restart| {
            let out_of_memory = restart.cause == Cause::Oom;
            let guessed = !restart.reported;
            let label = match (out_of_memory, guessed) {
                (true, true) => "probably killed",
                (true, false) => "OOM kill",
                (false, _) if is_rollout(restart.at_ms) => "rollout",
                (false, true) if !series.restarts_are_seen() => "probable restart",
                (false, _) => "restart",
            };
            RestartMark { time_ms: restart.at_ms, out_of_memory, guessed, label: label.to_owned() }
        })
        .collect();
    let start_ms = samples.start_ms();
    chart.steps = of_head(series)
        .change_points
        .iter()
        .filter(|_| rests_on_steps(of_head(series).verdict))
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
    // The mark is that of the judgement that the text is about: that of a part has no place in the panel of the head.
    if series.breakdown.as_ref().is_none_or(|breakdown| breakdown.by_part.is_none()) {
        chart.regime = regime_mark(of_head(series)).map(|words| (series.regime_start_ms(), words.to_owned()));
    }
    chart.caution = series.times_guessed.then(|| "times are guessed, not read".to_owned());
    chart.relative_time = report.timeline == Timeline::Relative;
    if let Some(breakdown) = &series.breakdown {
        let shown = breakdown.parts.iter().filter(|part| part.amount != Amount::Other);
        chart.parts = shown.map(|part| of_part(report, part)).collect();
        // One amount below others says which it is.
        if !chart.parts.is_empty() {
            chart.title = format!("{} ({})", series.id(), breakdown.name);
        }
    }
    chart
}

/// What began where it is as it is judged; `None` where that is the whole.
fn regime_mark(judgement: &Judgement) -> Option<&'static str> {
    Some(match judgement.regime.why {
        RegimeWhy::Whole => return None,
        RegimeWhy::GrowthBegan => "growth began",
        RegimeWhy::GrowthChanged if judgement.verdict.proves_no_leak() || judgement.verdict == Verdict::Step => {
            "level since"
        }
        RegimeWhy::GrowthChanged => "growth changed",
        RegimeWhy::Shift if judgement.onset_seconds.is_some_and(|onset| onset < judgement.regime.start_seconds) => {
            "level shifted"
        }
        _ => "judged from here",
    })
}

/// The judgement of the samples that are drawn, whatever the verdict of their container rests on.
fn of_head(series: &SeriesReport) -> &Judgement {
    series.breakdown.as_ref().map_or(&series.judgement, |breakdown| &breakdown.alone)
}

/// One amount of a container, with its verdict by itself.
fn of_part<'a>(report: &Report, part: &'a PartReport) -> Chart<'a> {
    let (samples, judgement) = (&part.samples, &part.judgement);
    let mut chart = Chart::of_samples(&part.name, samples.time_ms(), samples.used_bytes());
    let verdict = judgement.verdict;
    // Growth of a part is not yet a failure.
    chart.tone = if verdict.is_leak() { Tone::Warn } else { tone(policy::of_verdict(verdict)) };
    parts::trend_words(judgement, part.tolerance.bytes_per_second).clone_into(&mut chart.verdict);
    chart.subtitle = judgement.growth.map_or(String::new(), |growth| {
        report.rate_unit.interval_text(growth.bytes_per_second, growth.lower, growth.upper)
    });
    chart.fit = fitted(&part.lines, verdict);
    chart
}

const fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Fail | Outcome::Error => Tone::Fail,
        Outcome::Warn => Tone::Warn,
        Outcome::Pass => Tone::Pass,
        Outcome::Inconclusive => Tone::Inconclusive,
    }
}

/// Fitted lines as curves; those of a verdict that proves nothing say so.
fn fitted(lines: &[FittedLine], verdict: Verdict) -> Vec<Curve> {
    let kind = if verdict == Verdict::Inconclusive { CurveKind::Unproven } else { CurveKind::Fit };
    let point = |&(time_ms, bytes, interval): &LinePoint| CurvePoint { time_ms, bytes, interval };
    let curve = |line: &FittedLine| Curve { points: line.points.iter().map(point).collect(), label: None, kind };
    lines.iter().map(curve).collect()
}

/// Longest name of a cause beside its line, in characters.
const CAUSE_CHARS: usize = 28;

/// Memory as the named cause explains it, and, in dashes, what is left without it.
fn explained(series: &SeriesReport) -> Vec<Curve> {
    let Some(attribution) = &series.attribution else { return Vec::new() };
    let Some((curve, cause)) = attribution.curve.as_ref().zip(attribution.named().next()) else { return Vec::new() };
    let line = |points: &Vec<(i64, f64)>, kind: CurveKind| Curve {
        points: points
            .iter()
            .map(|&(time_ms, bytes)| CurvePoint { time_ms: time_ms as f64, bytes, interval: None })
            .collect(),
        label: None,
        kind,
    };
    let mut lines: Vec<Curve> = curve.explained.iter().map(|run| line(run, CurveKind::Explained)).collect();
    let name = words::shortened(&cause.name, CAUSE_CHARS);
    if let Some(last) = lines.last_mut() {
        last.label = Some(format!("explained by {name}"));
    }
    let first_left = lines.len();
    lines.extend(curve.left.iter().map(|run| line(run, CurveKind::Left)));
    if lines.len() > first_left
        && let Some(last) = lines.last_mut()
    {
        last.label = Some(format!("without {name}"));
    }
    lines
}

/// What made the outcome where the verdict did not.
fn besides(series: &SeriesReport) -> Option<String> {
    let counted = |ids: &[Cow<'static, str>], one: &dyn Fn(&str) -> String, many: &str| match ids {
        [] => None,
        [id] => Some(one(id)),
        ids => Some(format!("{} {many}", ids.len())),
    };
    if series.verdict().is_leak() {
        return None;
    }
    let failed = |criterion: &&Criterion| criterion.gates && criterion.status == Status::Fail;
    let failed: Vec<Cow<'static, str>> =
        series.criteria.iter().filter(failed).map(|criterion| criterion.id.clone()).collect();
    match series.outcome {
        Outcome::Fail => counted(&failed, &|id| format!("{id} fails"), "criteria fail"),
        Outcome::Warn => counted(&series.contradicted, &|id| format!("false alarm of {id}"), "false alarms"),
        _ => None,
    }
}

/// The rate that a fitted line shows; `None` where it is not its slope.
fn rate_label(report: &Report, series: &SeriesReport) -> Option<String> {
    let judgement = of_head(series);
    let verdict = judgement.verdict;
    let unproven = verdict == Verdict::Inconclusive;
    let grows = matches!(verdict, Verdict::Leak | Verdict::LeakMaskedByRestarts | Verdict::LeakSuspected);
    // What leans nowhere has no slope worth a label.
    let leans = unproven && series.lean() == Some(Lean::Leaking);
    let growth = judgement.growth.filter(|_| grows || leans)?;
    let rate = words::rate(report, &growth);
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
    let subject = match parts::subject(series) {
        "memory" => String::new(),
        part => format!("{part} grows "),
    };
    let growth = series.judgement.growth.map(|growth| {
        let interval = report.rate_unit.interval_text(growth.bytes_per_second, growth.lower, growth.upper);
        format!("{subject}{interval}, {:.0} % confidence", 100.0 * growth.confidence)
    });
    let to_limit = series.time_to_limit.map(|time| format!("limit in {}", duration_text(time.seconds)));
    let restarts = match series.restarts.len() {
        0 => None,
        n => Some(counted(n as u64, series.drops().name())),
    };
    let parts: Vec<String> = [growth, to_limit, restarts].into_iter().flatten().collect();
    parts.join(", ")
}

/// The band of a forecast rises at most so many times as fast as its line.
const STEEPEST: f64 = 10.0;

/// From the present level to the limit.
fn forecast(series: &SeriesReport) -> Option<Curve> {
    let time = series.time_to_limit?;
    let limit = series.ceiling()?;
    let end_ms = series.samples.end_ms() as f64;
    let level = time.level;
    let at = end_ms + time.seconds * 1000.0;
    // The band meets the limit at the ends of the interval.
    let share = |seconds: f64| time.seconds / seconds.max(time.seconds / STEEPEST);
    let reach = |share: f64| level + share * (limit - level);
    let interval = (reach(time.upper.map_or(0.0, share)), reach(share(time.lower)));
    let whose = if series.judgement.is_of_troughs() { "peaks: limit" } else { "limit" };
    // The line is drawn no longer than the readings are.
    let is_cut = end_ms - (series.samples.start_ms() as f64) < time.seconds * 1000.0;
    let beyond = if is_cut { ", beyond this chart" } else { "" };
    Some(Curve {
        points: vec![
            CurvePoint { time_ms: end_ms, bytes: level, interval: Some((level, level)) },
            CurvePoint { time_ms: at, bytes: limit, interval: Some(interval) },
        ],
        label: Some(format!("{whose} in {}{beyond}", duration_text(time.seconds))),
        kind: CurveKind::Fit,
    })
}

fn alert_spans(criterion: &Criterion, end_ms: i64) -> Vec<TimeSpan> {
    // The trend of a day is the verdict: it fires at no moment.
    if criterion.status != Status::Fail || criterion.id == "trend-24h" {
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
