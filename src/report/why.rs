//! One line for every series that fails: what failed, when, whether in a start-up, whether it goes on, the trend, and what
//! to do tonight; and one for every other that asks for something tonight.

use super::facts::{Lean, first_failed_ms, is_failing_still};
use super::{Report, SeriesReport, TimeToLimit, parts, table, words};
use crate::account::Timeline;
use crate::criteria::Criterion;
use crate::criteria::reason::{Alert, Firing, LimitOrigin};
use crate::grows::What;
use crate::policy::Outcome;
use crate::units::{duration_text, memory_text};
use crate::verdict::Verdict;

/// More series than this are counted instead of listed; the table has them all.
const LISTED: usize = 20;

/// Why each failing series fails, the worst first; `name` shows the id of a series, `text` what stands beside it.
pub fn lines(report: &Report, name: &dyn Fn(&str) -> String, text: &dyn Fn(&str) -> String) -> Vec<String> {
    let failing = || report.series.iter().filter(|series| series.outcome == Outcome::Fail);
    let gone = words::listed_gone(report);
    let asks = |series: &&SeriesReport| {
        let is_of_many = series.is_gone_quietly() && gone.is_empty();
        series.outcome < Outcome::Fail
            && !is_of_many
            && series.next_action.as_ref().is_some_and(|action| action.tonight.asks)
    };
    let of = |series: &SeriesReport| {
        let line = text(&with_tonight(report, series));
        format!("{}: {line}", name(&words::shortened(series.id(), words::NAME_CHARS)))
    };
    let mut lines: Vec<String> = assumed(report, text).into_iter().chain(failing().take(LISTED).map(of)).collect();
    let more = failing().count().saturating_sub(LISTED);
    if more > 0 {
        let verb = if more == 1 { "fails" } else { "fail" };
        lines.push(format!("and {more} more series {verb}: see the table"));
    }
    lines.extend(report.series.iter().filter(asks).take(LISTED).map(of));
    lines
}

/// Why a series needs a look, and what to do tonight, on one line without its name and without a final period.
pub fn with_tonight(report: &Report, series: &SeriesReport) -> String {
    let tonight =
        series.next_action.as_ref().map_or(String::new(), |action| format!(". Tonight: {}", action.tonight.text));
    let what = if series.outcome == Outcome::Fail {
        line(report, series)
    } else {
        let finding = std::iter::once(table::finding(series));
        finding.chain(series.last_seen_ms.and_then(|_| end(report, series))).collect::<Vec<_>>().join("; ")
    };
    format!("{what}{tonight}")
}

/// That rates and dates rest on a step that nobody gave.
fn assumed(report: &Report, text: &dyn Fn(&str) -> String) -> Option<String> {
    let mut without = report.inputs.iter().filter_map(|input| Some((input, input.assumed_step_seconds?)));
    let (first, step) = without.next()?;
    let more = without.count();
    let (whose, of) = match more {
        _ if more + 1 == report.inputs.len() => ("the readings have".to_owned(), ""),
        0 => (format!("`{}` has", first.path), " of its series"),
        1 => (format!("`{}` and 1 more input have", first.path), " of their series"),
        _ => (format!("`{}` and {more} more inputs have", first.path), " of their series"),
    };
    Some(text(&format!(
        "TIMES ARE ASSUMED: {whose} no timestamps, so every rate and date{of} below assumes one reading every {}; pass \
         `--interval` and `--end`",
        duration_text(step)
    )))
}

/// Why a series fails, on one line without its name and without a final period.
pub fn line(report: &Report, series: &SeriesReport) -> String {
    let mut parts = Vec::new();
    if series.is_looping() {
        parts.push(crash_loop(report, series));
    }
    let is_leak = series.verdict().is_leak();
    if is_leak {
        parts.push(growth(report, series));
        // A part that the verdict rests on is named already.
        let what = series.what_grows().filter(|_| parts::subject(series) == "memory");
        parts.extend(what.and_then(What::finding).map(str::to_owned));
    }
    parts.extend(kills(report, series).filter(|_| !series.is_looping()));
    // The trend of a day says again what the verdict says.
    let says_more = |criterion: &&Criterion| {
        !(series.is_looping() && criterion.id == "restart-loop" || is_leak && criterion.id == "trend-24h")
    };
    let rules: Vec<&Criterion> = series.failing().filter(says_more).collect();
    match rules[..] {
        [] => {}
        [rule, ..] if !is_leak && parts.is_empty() => {
            parts.push(of_rule(report, series, rule));
            parts.extend(others(&rules[1..]));
        }
        _ => parts.extend(others(&rules)),
    }
    // Between the restarts of a loop memory climbs, even if there is no trend over the window.
    let climbs_all_the_same = series.is_looping() && series.verdict().proves_no_leak();
    if !is_leak && !climbs_all_the_same {
        parts.push(trend(report, series));
    }
    parts.extend(end(report, series));
    parts.join("; ")
}

/// A time of the clock with its zone, or counted back where no time is known.
fn at(report: &Report, series: &SeriesReport, time_ms: i64) -> String {
    let clock = words::clock(report, time_ms, series.samples.end_ms());
    if report.timeline == Timeline::Absolute { format!("{clock} UTC") } else { clock }
}

fn crash_loop(report: &Report, series: &SeriesReport) -> String {
    let n = series.restarts.len();
    let span = series.restarts.first().zip(series.restarts.last());
    let times = span.map_or(String::new(), |(first, last)| {
        format!(" from {} to {}", at(report, series, first.at_ms), at(report, series, last.at_ms))
    });
    let killed = series.deaths().map_or(String::new(), |deaths| {
        let of_them = match deaths.times {
            times if times == n => "all".to_owned(),
            times => format!("{times} of them"),
        };
        let kills = if deaths.times == 1 { "an OOM kill" } else { "OOM kills" };
        let how = match deaths.reported {
            reported if reported == deaths.times => kills.to_owned(),
            0 => format!("probably {kills}"),
            reported => format!("{kills} ({reported} recorded, the others inferred)"),
        };
        format!(", {of_them} {how}, at up to {}", memory_text(deaths.bytes))
    });
    if series.restarts_are_seen() {
        return format!("crash loop: {n} restarts{times}{killed}");
    }
    format!(
        "looks like a crash loop: {n} drops{times}{killed}; only the values say so, and garbage collections can look the same"
    )
}

/// How often it was killed for memory, and when last; `None` where it was not.
fn kills(report: &Report, series: &SeriesReport) -> Option<String> {
    let deaths = series.deaths()?;
    let probably = if deaths.reported == 0 { "probably " } else { "" };
    let last = at(report, series, deaths.last_ms);
    Some(match deaths.times {
        1 => format!("{probably}OOM-killed at {last}"),
        n => format!("{probably}OOM-killed {n} times, last at {last}"),
    })
}

/// What grows, how fast, since when and for how long.
fn growth(report: &Report, series: &SeriesReport) -> String {
    let rate = series.judgement.growth.map_or(String::new(), |growth| words::rate(report, &growth));
    let since = series.since().filter(|_| !series.is_looping()).map_or(String::new(), |since| {
        let lasted = duration_text((series.samples.end_ms() - since.at_ms) as f64 / 1000.0);
        let when = at(report, series, since.at_ms);
        if since.or_before {
            format!(" since before {when} (for more than {lasted})")
        } else {
            format!(" since {when} (for {lasted})")
        }
    });
    let grows = if since.is_empty() { "grows" } else { "has been growing" };
    let subject = match parts::subject(series) {
        "memory" if series.judgement.is_of_troughs() => "memory after garbage collections",
        subject => subject,
    };
    match series.verdict() {
        Verdict::LeakMaskedByRestarts => {
            format!("leak: {subject} {grows} {rate} between {}s{since}", series.drops().name())
        }
        Verdict::SteppingGrowth => {
            let n = series.judgement.change_points.len();
            format!("memory {grows} {rate}{since}, in {n} steps without falling back")
        }
        _ => format!("leak: {subject} {grows} {rate}{since}"),
    }
}

/// What a rule saw, when, whether in a start-up, and whether it still does.
fn of_rule(report: &Report, series: &SeriesReport, rule: &Criterion) -> String {
    let counted = || rule.spans.iter().filter(|span| span.during.is_none() && span.firing_at_ms.is_some()).count();
    let n_failed = match rule.reason.replayed().map(|replayed| &replayed.firing) {
        Some(Firing::Fired { times, .. }) => *times,
        _ => counted(),
    };
    let when = first_failed_ms(rule).map_or(String::new(), |first_ms| {
        let still = match is_failing_still(rule) {
            Some(true) => ", still failing",
            Some(false) => ", no longer failing",
            None => "",
        };
        let start_up = if rule.id == "restart-loop" { String::new() } else { start_up(report, series, first_ms) };
        let first = at(report, series, first_ms);
        if n_failed > 1 && rule.id != "restart-loop" {
            return format!(" {n_failed} times, first at {first}{start_up}{still}");
        }
        format!(" at {first}{start_up}{still}")
    });
    format!("{} failed{when}: {}", table::named("rule", &rule.id), seen(rule))
}

/// Whether a time is in a start-up, as a remark.
fn start_up(report: &Report, series: &SeriesReport, time_ms: i64) -> String {
    let settle_ms = report.settings.criteria.settle_seconds.as_ms();
    let last = series.restarts.iter().rev().map(|restart| restart.at_ms).find(|at_ms| *at_ms <= time_ms);
    let after = |start_ms: i64| duration_text((time_ms - start_ms) as f64 / 1000.0);
    match last {
        Some(start_ms) if time_ms - start_ms <= settle_ms => {
            format!(" (start-up: {} after a restart)", after(start_ms))
        }
        None if time_ms - series.samples.start_ms() <= settle_ms => {
            format!(" ({} after the first reading)", after(series.samples.start_ms()))
        }
        _ => String::new(),
    }
}

/// What a rule measured, in a few words.
fn seen(rule: &Criterion) -> String {
    let Some(replayed) = rule.reason.replayed() else { return rule.reason.to_string() };
    match (&replayed.alert, replayed.furthest) {
        (Alert::Growth(offset, _), Some(bytes)) => format!("memory gained up to {} in {offset}", memory_text(bytes)),
        (Alert::HighMemory { threshold, limit_bytes, limit }, Some(share)) => {
            let (share, threshold, bytes) = (100.0 * share, 100.0 * threshold, memory_text(*limit_bytes));
            // So many digits that what is above the threshold reads so.
            let digits = if (share - threshold).abs() < 0.5 || (99.5..100.0).contains(&share) { 3 } else { 0 };
            let of = match limit {
                LimitOrigin::Own => format!("its limit of {bytes}"),
                LimitOrigin::Killed => format!("the {bytes} at which it was killed"),
                LimitOrigin::Host | LimitOrigin::BelowHost | LimitOrigin::Settings => {
                    format!("{bytes}, which is assumed: no limit of its own is known")
                }
            };
            format!("memory was up to {share:.digits$} % of {of}")
        }
        _ => rule.reason.to_string(),
    }
}

/// Further rules that fail, by name.
fn others(rules: &[&Criterion]) -> Option<String> {
    let ids: Vec<&str> = rules.iter().map(|rule| &*rule.id).collect();
    match ids[..] {
        [] => None,
        [id] => Some(format!("{} fails too", table::named("rule", id))),
        _ => Some(format!("rules {} fail too", ids.join(", "))),
    }
}

/// What memory does beside a rule that failed.
fn trend(report: &Report, series: &SeriesReport) -> String {
    let judgement = &series.judgement;
    let rate = || judgement.growth.map_or(String::new(), |growth| words::rate(report, &growth));
    match series.verdict() {
        Verdict::Flat => "memory itself is level".to_owned(),
        Verdict::WarmedUp => "memory has been level since it warmed up".to_owned(),
        Verdict::Shrinking => "memory shrinks".to_owned(),
        Verdict::Step => match judgement.climb() {
            Some(climb) => {
                let gave = if judgement.gave_back() { ", gave part of it back" } else { "" };
                format!("memory climbed for {}{gave} and has been level since", duration_text(climb.seconds))
            }
            None => "memory took a step up and has been level since".to_owned(),
        },
        Verdict::NegligibleGrowth => format!("memory grows {}, too slowly to matter", rate()),
        Verdict::LeakSuspected => match judgement.refills_to() {
            Some(level) => format!("memory refills to the {} that it held before it fell", memory_text(level)),
            None => format!("a leak is suspected: memory grows {}", rate()),
        },
        Verdict::Inconclusive => match series.lean() {
            _ if series.is_cache_that_grows() => "its cache grows, and no leak is shown".to_owned(),
            Some(Lean::Leaking) => format!("it may be leaking, but this is not proven ({})", rate()),
            Some(Lean::Healthy) if report.load.is_some() => {
                "after the load it looks level, but this is not proven".to_owned()
            }
            Some(Lean::Healthy) => "its trend looks healthy, but this is not proven".to_owned(),
            lean => format!("it may or may not leak ({})", lean.unwrap_or(Lean::Open).words(judgement)),
        },
        Verdict::Leak | Verdict::LeakMaskedByRestarts | Verdict::SteppingGrowth => String::new(),
    }
}

/// The earliest that a limit is reached, where that is much sooner than its estimate.
pub fn earliest(time: TimeToLimit) -> Option<String> {
    is_sooner(time).then(|| duration_text(time.lower))
}

/// Whether a limit may be reached much sooner than is estimated.
pub fn is_sooner(time: TimeToLimit) -> bool {
    /// An estimate that may be off by less than a fifth is as good as exact to somebody who must act.
    const SOONER: f64 = 0.8;
    /// And what may be off by less than a minute, in seconds.
    const AT_ONCE: f64 = 60.0;
    time.lower < SOONER * time.seconds && time.lower + AT_ONCE < time.seconds
}

/// When it meets its limit, or when it was last seen.
fn end(report: &Report, series: &SeriesReport) -> Option<String> {
    let used = series.samples.used_bytes();
    let last = used[used.len() - 1];
    let ceiling = series.ceiling();
    let share = ceiling
        .filter(|ceiling| last <= 1.001 * ceiling)
        .map(|ceiling| format!(" ({:.0} % of {})", 100.0 * last / ceiling, memory_text(ceiling)));
    if let Some(seen_ms) = series.last_seen_ms {
        let share = share.unwrap_or_default();
        return Some(format!("last seen {} at {}{share}", at(report, series, seen_ms), memory_text(last)));
    }
    let time = series.time_to_limit?;
    let what = if let Some(limit) = series.limit.and_then(super::KnownLimit::own) {
        format!("its limit of {}", memory_text(limit))
    } else {
        let how = if series.deaths()?.reported > 0 { "was killed" } else { "was probably killed" };
        format!("{}, where it {how} before", memory_text(ceiling?))
    };
    let after = match earliest(time) {
        Some(lower) => format!("{} after the last reading, {lower} at the earliest", duration_text(time.seconds)),
        None => format!("{} after the last reading", duration_text(time.seconds)),
    };
    let when = match report.timeline {
        Timeline::Absolute => format!("around {} ({after})", at(report, series, series.full_ms()?)),
        Timeline::Relative => after,
    };
    let who = if series.judgement.is_of_troughs() {
        format!("its peaks, now at about {}, reach", memory_text(time.level))
    } else {
        "it reaches".to_owned()
    };
    let unless = if series.judgement.is_of_workload() { " unless a rollout comes first" } else { "" };
    Some(format!("{when} {who} {what}{unless}"))
}
