//! The table of all series: what each of them is about, cell by cell, the same in every format.

use super::facts::{self, Deaths, Lean};
use super::{KnownLimitSource, Report, SeriesReport, why, words};
use crate::account::{Timeline, counted};
use crate::criteria::Criterion;
use crate::grows::What;
use crate::policy::{self, Outcome};
use crate::units::{duration_text, memory_text};
use crate::verdict::{Before, RegimeWhy, Verdict};

/// The headings of a `Row`, in its order.
pub const HEADINGS: [&str; 9] =
    ["outcome", "series", "finding", "since (UTC)", "growth", "now", "limit", "limit reached (UTC)", "memory"];

/// The cells of a series in the table of all series; `-` where there is nothing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The outcome; `gone` for what passes and is gone while others go on.
    pub outcome: &'static str,
    /// What is wrong, in a few words: a verdict, or the rules that fail.
    pub finding: String,
    /// Since when, by the clock, and for how long.
    pub since: String,
    /// The rate of growth.
    pub growth: String,
    /// Memory at the last sample, and when that was where it is gone.
    pub now: String,
    /// The limit and where it is from, or where it was killed.
    pub limit: String,
    /// When the limit is reached, by the clock, and in how long.
    pub full: String,
    /// Memory over time.
    pub spark: String,
}

/// The cells of a series. `spark_chars`: how many characters memory over time may take.
pub fn row(report: &Report, series: &SeriesReport, spark_chars: usize) -> Row {
    let used = series.samples.used_bytes();
    let clock = |time_ms| words::clock(report, time_ms, series.samples.end_ms());
    // An estimate that proves nothing must not be read as a finding.
    let unproven = if series.verdict() == Verdict::Inconclusive { " (unproven)" } else { "" };
    let growth = series.judgement.growth.map(|growth| match series.verdict() {
        // What is proven level and was read at a rate that would matter goes up and down.
        Verdict::Flat | Verdict::WarmedUp | Verdict::Step
            if series.tolerance.bytes_per_second < growth.bytes_per_second.abs() =>
        {
            "no growth".to_owned()
        }
        _ => format!("{}{unproven}", words::rate(report, &growth)),
    });
    let last = memory_text(used[used.len() - 1]);
    let gone_since = || series.last_seen_ms.map_or("-".to_owned(), clock);
    Row {
        // Nothing is wrong with what it was, and what it is nobody knows.
        outcome: if series.is_gone_quietly() { "gone" } else { series.outcome.name() },
        finding: finding(series),
        since: series.since().map_or_else(gone_since, |since| {
            let lasted = duration_text((series.samples.end_ms() - since.at_ms) as f64 / 1000.0);
            let before = if since.or_before { "before " } else { "" };
            format!("{before}{} ({lasted})", clock(since.at_ms))
        }),
        growth: growth.unwrap_or("not known".to_owned()),
        now: series.last_seen_ms.map_or(last.clone(), |seen| format!("{last}, last seen {}", clock(seen))),
        limit: limit(series),
        full: full(report, series),
        spark: sparkline(used, spark_chars),
    }
}

/// What is wrong with a series, or that nothing is, in a few words.
///
/// A series that fails by its verdict and one that fails by a rule read differently.
pub fn finding(series: &SeriesReport) -> String {
    let grows = series.what_grows().and_then(What::finding).map_or(String::new(), |what| format!(", {what}"));
    let pods = series.workload.as_ref().map_or(String::new(), |workload| format!(" ({})", workload.finding()));
    let mut restarts = restarts(series);
    let since = match series.is_judged_from() {
        Some(_) if leaked_before(series) => Some("grew before its last restart".to_owned()),
        // What fails by a rule has its reason there.
        Some(what) if series.outcome <= policy::of_verdict(series.verdict()) => match series.shift() {
            Some((_, risen)) if 0.0 < risen => Some(format!("after a step up of {}", memory_text(risen))),
            Some(_) => Some(format!("after {what}")),
            None => Some(match restarts.take().filter(|_| series.restarts.len() > 1) {
                Some(restarts) => format!("after the last of {restarts}"),
                None => format!("after {what}"),
            }),
        },
        _ => None,
    };
    let peak = series.peak_near_limit().filter(|_| is_level(series.verdict()));
    let peak = peak.map(|share| format!("peaks at {:.0} % of its limit", 100.0 * share));
    let whole = format!("{}{grows}", of_whole(series));
    let mut parts = vec![whole];
    parts.extend(restarts);
    if series.is_killed_without_a_leak() {
        // Why it died comes before the rules that saw it.
        parts.reverse();
    }
    parts.extend(since.into_iter().chain(peak));
    let whole = format!("{}{pods}", parts.join(", "));
    if series.last_seen_ms.is_some() { format!("gone (was: {whole})") } else { whole }
}

/// The same for the heading of a chart, without what does not fit there.
pub fn short_finding(series: &SeriesReport) -> String {
    if series.is_killed_without_a_leak()
        && let Some(kills) = restarts(series).filter(|_| series.last_seen_ms.is_none())
    {
        return kills;
    }
    if !series.is_looping() {
        return if series.last_seen_ms.is_some() { "gone".to_owned() } else { verdict_words(series).to_owned() };
    }
    if series.last_seen_ms.is_none() {
        return of_whole(series);
    }
    let leak = if series.verdict().is_leak() { ", leak" } else { "" };
    format!("gone, {}{leak}", loop_words(series))
}

/// Whether it grew by what matters until the restart after which it is judged.
pub fn leaked_before(series: &SeriesReport) -> bool {
    let grew = |before: &Before| series.tolerance.bytes_per_second < before.bytes_per_second;
    series.judgement.regime.why == RegimeWhy::Restart && series.judgement.before.as_ref().is_some_and(grew)
}

/// How often it restarted and was killed, where its verdict does not speak of it.
fn restarts(series: &SeriesReport) -> Option<String> {
    let n = series.restarts.len();
    let is_said = series.is_looping() || series.verdict() == Verdict::LeakMaskedByRestarts || series.workload.is_some();
    if n == 0 || is_said {
        return None;
    }
    let restarts = counted(n as u64, series.drops().name());
    let Some(deaths) = series.deaths() else { return Some(restarts) };
    let kill = if deaths.reported > 0 { "OOM kill" } else { "probable OOM kill" };
    let kills = counted(deaths.times as u64, kill);
    Some(if deaths.times == n { kills } else { format!("{restarts}, {kills} among them") })
}

/// Whether a verdict says that memory holds a level.
fn is_level(verdict: Verdict) -> bool {
    verdict.proves_no_leak() || verdict == Verdict::Step
}

/// The verdict of a series in a few words, whatever its rules say.
pub fn verdict_words(series: &SeriesReport) -> &'static str {
    match series.verdict() {
        Verdict::Leak => "leak",
        Verdict::LeakMaskedByRestarts if series.judgement.is_of_workload() => "leak hidden by rollouts",
        Verdict::LeakMaskedByRestarts if series.restarts_are_seen() => "leak hidden by restarts",
        Verdict::LeakMaskedByRestarts => "leak hidden by probable restarts",
        Verdict::SteppingGrowth => "growth in steps",
        Verdict::LeakSuspected if series.judgement.refills_to().is_some() => "refills after a drop",
        Verdict::LeakSuspected => "leak suspected",
        Verdict::Step if series.judgement.climb().is_some() => "climbed, level since",
        Verdict::Step => "a step up, level since",
        Verdict::Inconclusive if series.is_cache_that_grows() => "no leak shown",
        Verdict::Inconclusive => series.lean().map_or("too short to say", |lean| lean.words(&series.judgement)),
        Verdict::NegligibleGrowth => "grows too slowly to matter",
        Verdict::WarmedUp => "warmed up, level since",
        Verdict::Shrinking => "shrinking",
        Verdict::Flat => "level",
    }
}

/// That it restarts again and again, as far as that is known.
fn loop_words(series: &SeriesReport) -> &'static str {
    if series.restarts_are_seen() { "crash loop" } else { "looks like a crash loop" }
}

/// What is wrong with a series as a whole.
fn of_whole(series: &SeriesReport) -> String {
    let (verdict, of_verdict) = (series.verdict(), verdict_words(series));
    if series.is_looping() {
        let looping = loop_words(series);
        return match verdict {
            Verdict::LeakMaskedByRestarts => format!("{looping}, leak"),
            _ if verdict.is_leak() => format!("{looping}, {of_verdict}"),
            _ => looping.to_owned(),
        };
    }
    if series.outcome <= policy::of_verdict(verdict) {
        return of_verdict.to_owned();
    }
    let ids = |criteria: Vec<&str>, what: &str| match criteria[..] {
        [] => of_verdict.to_owned(),
        [id] => named(what, id),
        [id, ..] => format!("{} + {} more", named(what, id), criteria.len() - 1),
    };
    match series.outcome {
        Outcome::Fail => ids(series.failing().map(|criterion: &Criterion| &*criterion.id).collect(), "rule"),
        Outcome::Warn => ids(series.contradicted.iter().map(|id| &**id).collect(), "false alarm of"),
        _ => ids(series.undecided.iter().map(|id| &**id).collect(), "not decided:"),
    }
}

/// A criterion by name: one of a team's own rules says itself that it is one.
pub fn named(what: &str, id: &str) -> String {
    if what == "rule" && id.starts_with("rule:") { id.to_owned() } else { format!("{what} {id}") }
}

/// The limit and where it is from; where none is known, at what level it was killed.
fn limit(series: &SeriesReport) -> String {
    let deaths = series.deaths();
    let times = |n: usize| if n == 1 { "once".to_owned() } else { format!("{n} times") };
    let died = |deaths: Deaths| if deaths.reported > 0 { "died" } else { "probably died" };
    let died_at =
        deaths.map(|deaths| format!("{} at {}, {}", died(deaths), memory_text(deaths.bytes), times(deaths.times)));
    let Some(limit) = series.limit else { return died_at.unwrap_or("none known".to_owned()) };
    let bytes = memory_text(limit.bytes);
    match (limit.source, deaths) {
        (KnownLimitSource::Host, Some(_)) => died_at.unwrap_or_default(),
        (KnownLimitSource::Host, None) => format!("none (host: {bytes})"),
        (source, deaths) => {
            let given = if source == KnownLimitSource::Option { " (given)" } else { "" };
            let died = deaths.map_or(String::new(), |deaths| format!(", {} {}", died(deaths), times(deaths.times)));
            format!("{bytes}{given}{died}")
        }
    }
}

/// When the limit is reached; in words where it is not.
fn full(report: &Report, series: &SeriesReport) -> String {
    let end_ms = series.samples.end_ms();
    if let (Some(at_ms), Some(time)) = (series.full_ms(), series.time_to_limit) {
        let soon = match why::earliest(time) {
            Some(lower) => match time.upper {
                Some(upper) => format!("{lower} to {}", duration_text(upper)),
                None => format!("{lower} or more"),
            },
            None => duration_text(time.seconds),
        };
        return match report.timeline {
            Timeline::Absolute => format!("{}, in {soon}", words::clock(report, at_ms, end_ms)),
            Timeline::Relative => format!("in {soon}"),
        };
    }
    let Some(ceiling) = series.ceiling() else { return "-".to_owned() };
    let used = series.samples.used_bytes();
    match series.verdict() {
        _ if series.last_seen_ms.is_some() => "gone".to_owned(),
        _ if used[used.len() - 1] >= 0.98 * ceiling => "now".to_owned(),
        _ if series.is_killed_without_a_leak() => match series.deaths().map_or(0, |deaths| deaths.times) {
            1 => "at its peaks, once".to_owned(),
            n => format!("at its peaks, {n} times"),
        },
        // No trend leads there, but a peak may come close.
        verdict if is_level(verdict) => {
            let peak = series.peak_share().unwrap_or_default();
            format!("no, peak {:.0} %", 100.0 * peak)
        }
        Verdict::Inconclusive | Verdict::LeakSuspected => {
            let may_leak = series.verdict() == Verdict::LeakSuspected || series.lean() == Some(Lean::Leaking);
            let fastest = series.judgement.growth.map(|growth| growth.upper).filter(|rate| may_leak && *rate > 0.0);
            let earliest = fastest.map(|rate| duration_text((ceiling - used[used.len() - 1]) / rate));
            earliest.map_or("open".to_owned(), |earliest| format!("open, {earliest} at the earliest"))
        }
        _ if facts::is_cut_below(&series.judgement, &series.restarts) => {
            let highest = series.restarts.iter().map(|restart| restart.before_bytes).fold(0.0, f64::max);
            format!("no, it drops at {}", memory_text(highest))
        }
        _ => "-".to_owned(),
    }
}

/// Values as a line of at most `width` bars, from the lowest to the highest; the highest of each part, so that no peak is
/// lost.
pub fn sparkline(values: &[f64], width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let count = values.len().min(width);
    let parts: Vec<f64> = (0..count)
        .filter_map(|part| {
            let edge = |index: usize| index * values.len() / count;
            values[edge(part)..edge(part + 1)].iter().copied().max_by(f64::total_cmp)
        })
        .collect();
    let lowest = parts.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = parts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // A level that hardly moves is drawn level, not as a mountain range of noise.
    let range = (highest - lowest).max(0.02 * highest.abs()).max(f64::MIN_POSITIVE);
    parts.iter().map(|part| BARS[(((part - lowest) / range * 7.999) as usize).min(7)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_rises_with_its_values() {
        assert_eq!(sparkline(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], 8), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[100.0, 100.5, 100.0], 8), "▁▂▁");
        assert_eq!(sparkline(&[5.0], 8), "▁");
        assert_eq!(sparkline(&[], 8), "");
        assert_eq!(sparkline(&(0..1000).map(f64::from).collect::<Vec<_>>(), 24).chars().count(), 24);
    }
}
