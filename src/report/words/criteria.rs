//! Why criteria came out as they did, in words: the only place that has them.

mod alerts;

use std::fmt::{self, Display, Formatter};

use crate::account::counted;
use crate::criteria::reason::{
    AfterLoad, AtStart, Climbed, Ended, ExpectedLevel, FoundLevel, Gained, LoadLevels, Moment, Reason, Restarts, Stale,
    Trend,
};
use crate::criteria::{Criterion, Drops, Normal, TrendJudgement};
use crate::segment::Cause;
use crate::settings::{ConfirmedSettings, RapidSettings, RestartLoopSettings};
use crate::units::{RateUnit, duration_text, memory_text, time_text};

impl Display for Reason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Replayed(replayed) => replayed.fmt(f),
            Reason::Mixed(metrics) => {
                write!(f, "the rule distinguishes {metrics}, but this input holds one amount of memory for all of them")
            }
            Reason::TooCoarse { resolution_bytes, threshold_bytes } => write!(
                f,
                "the input prints this memory in steps of {}, too coarse for a threshold of {}",
                memory_text(*resolution_bytes),
                amount_text(*threshold_bytes)
            ),
            Reason::Gained(gained, settings, with_load) => f.write_str(&gained_text(gained, settings, *with_load)),
            Reason::Climbed(climbed, settings, with_load) => f.write_str(&climbed_text(climbed, settings, *with_load)),
            Reason::AfterLoad(after) => f.write_str(&after_load_text(after)),
            Reason::Trend(trend, span_seconds, after_load) => {
                f.write_str(&trend_text(trend, *span_seconds, *after_load))
            }
            Reason::Restarts(restarts, settings, drops) => f.write_str(&restarts_text(restarts, settings, *drops)),
            Reason::Level(found, level, drops) => f.write_str(&level_text(found, level, *drops)),
            Reason::Normal { amount, median_bytes, max_bytes } => {
                let what = match amount {
                    Normal::Rss => "the resident set",
                    Normal::HeapTotal => "the reserved heap",
                    Normal::HeapUsed => "the used heap",
                };
                let (median, max) = (memory_text(*median_bytes), amount_text(*max_bytes));
                write!(f, "{what} was {median} (median); below {max} is normal")
            }
            Reason::JudgedAfterRestarts => f.write_str("steady-500mb judges the level after each restart instead"),
            Reason::Stale(stale) => f.write_str(&stale_text(stale)),
            Reason::OfPod { pod, more: 0, reason } => write!(f, "pod {pod}: {reason}"),
            Reason::OfPod { pod, more, reason } => write!(f, "pod {pod} and {more} more: {reason}"),
        }
    }
}

impl Display for Moment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let before_last = || format!("{} before the last reading", ms_text(self.end_ms - self.at_ms));
        let time = (self.end_ms > 0).then(|| time_text(self.at_ms)).flatten();
        f.write_str(&time.unwrap_or_else(before_last))
    }
}

/// `58 s after the start at ... (not counted, ...)`, or `with the start at ...`.
impl Display for AtStart {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.reached.at_ms - self.start.at_ms {
            ..=0 => f.write_str("with")?,
            since_ms => write!(f, "{} after", ms_text(since_ms))?,
        }
        write!(f, " the start at {} (", self.start)?;
        if let Some((first, level)) = self.seen_bytes {
            write!(f, "the readings begin at {} and settle at {}; ", memory_text(first), memory_text(level))?;
        }
        write!(f, "not counted, because memory has {} to settle after a start)", self.settle)
    }
}

fn gained_text(gained: &Gained, settings: &ConfirmedSettings, with_load: bool) -> String {
    let (within, hold) = (settings.within_seconds, settings.hold_seconds);
    let allowed = amount_text(settings.gain_bytes.as_f64());
    let left_out = left_out(with_load);
    match gained {
        Gained::TooSparse(step_seconds) => format!(
            "{} cannot show a gain within {within}, or whether it stays; measure at least every {}",
            readings_apart(*step_seconds),
            settings.max_step_seconds
        ),
        Gained::Kept(bytes, reached) => format!(
            "memory gained {}, more than the allowed {allowed}, in the {within} up to {reached}, and kept more than {:.0} % of \
             it for {hold}{left_out}",
            memory_text(*bytes),
            settings.hold_share.get() * 100.0
        ),
        Gained::NotWatched { bytes, seconds } => format!(
            "memory gained {} within {within} but was read for only {} after that; {hold} is needed to see whether it \
             stays",
            memory_text(*bytes),
            duration_text(*seconds)
        ),
        Gained::TooShort(seconds) => format!(
            "{} of readings{} is too short to show a gain and whether it stays; {} is needed",
            duration_text(*seconds),
            if with_load { " outside the load" } else { "" },
            ms_text(within.as_ms() + hold.as_ms())
        ),
        Gained::AtStart(bytes, start, otherwise) => {
            let others = otherwise.map_or(String::new(), |most| {
                let most = memory_text(most.max(0.0));
                format!("; otherwise it gained at most {most}; {allowed} is allowed{left_out}")
            });
            format!("memory gained {} in the {within} up to {}, {start}{others}", memory_text(*bytes), start.reached)
        }
        Gained::AtMost(bytes) | Gained::Released(bytes) => {
            let kept = if let Gained::Released(_) = gained { ", but did not keep it" } else { "" };
            let most = memory_text(bytes.max(0.0));
            format!("memory gained at most {most} within {within}{kept}; {allowed} is allowed{left_out}")
        }
    }
}

fn climbed_text(climbed: &Climbed, settings: &RapidSettings, with_load: bool) -> String {
    let window = settings.window_seconds;
    let rate = |slope: f64| RateUnit::Minute.text(slope);
    let allowed =
        || format!("; {} a minute is allowed{}", amount_text(settings.bytes_per_minute.as_f64()), left_out(with_load));
    match climbed {
        Climbed::TooFast { slope, reached, average_over, often } => {
            let often = often.map_or(String::new(), |(n, last)| {
                let last = last.map_or(" and the last".to_owned(), |last| format!("; the last began at {last}"));
                format!(". It climbed too fast {n} times: this was the fastest{last}")
            });
            let (slope, allowed) = (rate(*slope), allowed());
            match average_over {
                None => {
                    format!("memory climbed {slope} over the {window} up to {reached} (median slope){allowed}{often}")
                }
                Some(step) => format!(
                    "memory climbed at least {slope} until {reached} (on average between readings {} \
                     apart){allowed}{often}",
                    duration_text(*step)
                ),
            }
        }
        Climbed::AtStart(slope, start, otherwise) => {
            let others = otherwise.map_or(String::new(), |most| {
                format!("; otherwise it climbed at most {}{}", rate(most.max(0.0)), allowed())
            });
            let (slope, reached) = (rate(*slope), start.reached);
            format!("memory climbed {slope} over the {window} up to {reached} (median slope), {start}{others}")
        }
        Climbed::AtMost(slope) => {
            format!("memory climbed at most {} (median slope of {window}){}", rate(slope.max(0.0)), allowed())
        }
        Climbed::TooSparse { at_least, step_seconds } => format!(
            "readings {} apart give no slope over {window} ({} readings are needed): only a lower bound of {} is known; \
             measure at least every {}",
            step_seconds.map_or(String::new(), duration_text),
            settings.min_samples,
            rate(at_least.max(0.0)),
            duration_text(window.get() / f64::from(settings.min_samples.max(1)))
        ),
        Climbed::TooShort(Some((slope, start))) => format!(
            "memory climbed at least {} until {}, {start}; the other readings span less than {window}",
            rate(*slope),
            start.reached
        ),
        Climbed::TooShort(None) => {
            format!("the readings{} span less than {window}", if with_load { " outside the load" } else { "" })
        }
    }
}

fn after_load_text(after: &AfterLoad) -> String {
    match after {
        AfterLoad::NoLoad => "needs the start and end of a load (`--load START..END`)".to_owned(),
        AfterLoad::NoBaseline { readings, needed, needed_seconds } => format!(
            "only {} before the load: too few for a baseline; {needed} are needed, so start measuring {} before the load",
            counted(*readings as u64, "reading"),
            duration_text(*needed_seconds)
        ),
        AfterLoad::NothingSettles => {
            "`settled_share` is 0, so no part of the time after the load counts as settled".to_owned()
        }
        AfterLoad::NotSettled { readings, needed, share, after_seconds, longer_seconds } => format!(
            "only {} in the last {:.0} % of the {} after the load: too few for a settled level; {needed} are needed, so \
             wait {} after the load, {} longer",
            counted(*readings as u64, "reading"),
            share * 100.0,
            duration_text(*after_seconds),
            duration_text(after_seconds + longer_seconds),
            duration_text(*longer_seconds)
        ),
        AfterLoad::NotWarm { start, needed, levels } => {
            let before = ms_text(start.reached.at_ms - start.start.at_ms);
            let found = match start.seen_bytes {
                None => format!("the process started {before} before the load"),
                Some((first, level)) => format!(
                    "the readings begin {before} before the load, at {}, and settle at {}, like those of a process \
                     that has just started",
                    memory_text(first),
                    memory_text(level)
                ),
            };
            format!(
                "{found}: memory before the load is not a baseline ({levels}); run a warm-up load first, wait {}, and take \
                 {needed} readings or more before the load (see docs/ci-soak.md)",
                start.settle
            )
        }
        AfterLoad::Grows(levels) => format!("memory grows after the load: {levels}"),
        AfterLoad::GrowsBelow(levels) => {
            format!("memory grows after the load, though not yet above what is allowed: {levels}")
        }
        AfterLoad::Higher(levels) => {
            let over = memory_text(levels.settled_bytes - levels.before_bytes);
            format!("memory stays {over} higher: {levels}; a rise of {} is allowed", memory_text(levels.rise_bytes))
        }
        AfterLoad::CameBack(levels) => {
            format!(
                "memory came back and does not grow: {levels}; a rise of {} is allowed",
                memory_text(levels.rise_bytes)
            )
        }
        AfterLoad::MayGrow(levels, because) => {
            format!(
                "memory came back, but it is not known whether it grows after the load: {levels}; a rise of {} is allowed; \
                 {because}",
                memory_text(levels.rise_bytes)
            )
        }
    }
}

impl Display for LoadLevels {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (settled, before) = (memory_text(self.settled_bytes), memory_text(self.before_bytes));
        write!(f, "it settled at {settled} after the load, against {before} before it")?;
        self.end_bytes.map_or(Ok(()), |level| write!(f, " and {} at its end", memory_text(level)))
    }
}

fn trend_text(trend: &Trend, span_seconds: f64, after_load: bool) -> String {
    let (span, after_load) = (duration_text(span_seconds), if after_load { " after the load" } else { "" });
    match trend {
        Trend::TooShort(needed) => {
            format!("it needs {} of readings{after_load}, but has only {span}", duration_text(*needed))
        }
        Trend::Judged(verdict, judgement, because) => {
            let proven = if *judgement == TrendJudgement::Suspected { "no leak is proven; " } else { "" };
            format!("{proven}the verdict over {span}{after_load} is {verdict}: {because}")
        }
    }
}

fn restarts_text(restarts: &Restarts, settings: &RestartLoopSettings, drops: Drops) -> String {
    let (within, fewer) = (settings.within_seconds, settings.restarts.max(1));
    match restarts {
        Restarts::Loop(from, seconds, causes) => {
            let n: usize = causes.iter().map(|(_, _, count)| count).sum();
            format!(
                "{} within {} from {from} ({}); fewer than {fewer} within {within} are allowed",
                counted(n as u64, drops.name()),
                duration_text(*seconds),
                causes_text(causes)
            )
        }
        Restarts::AtMost(n, watched_share) => {
            let seen = match n {
                0 => NO_RESTART.to_owned(),
                n => format!("at most {} within {within}", counted(*n as u64, drops.name())),
            };
            let watched = watched_share
                .map_or(String::new(), |share| format!(", in events that cover {} of the time", percent_text(share)));
            format!("{seen}{watched}; fewer than {fewer} are allowed")
        }
        Restarts::NotSeen { step_seconds, watched_share } => {
            let events = if *watched_share > 0.0 {
                let (watched, needed) = (percent_text(*watched_share), percent_text(settings.min_watched_share.get()));
                format!(", and events cover only {watched} of the time ({needed} is needed)")
            } else {
                String::new()
            };
            format!(
                "{} cannot show {fewer} restarts within {within}{events}; measure at least every {}, or pass events that \
                 cover the whole time",
                readings_apart(*step_seconds),
                duration_text(within.get() / f64::from(fewer))
            )
        }
    }
}

const NO_RESTART: &str = "no restart was seen";

/// How often each cause occurs: `2 OOM-killed, 1 with a new container ID`.
fn causes_text(causes: &[(Cause, bool, usize)]) -> String {
    let words = |cause: Cause, recorded: bool| match cause {
        Cause::Oom if recorded => "OOM-killed",
        Cause::Oom => "probably OOM-killed",
        Cause::Event => "recorded by events",
        Cause::Recreated => "with a new container ID",
        Cause::CounterReset => "with reset I/O counters",
        Cause::Gap => "after missing readings",
        Cause::LevelDrop => "inferred from a drop to start-up level",
    };
    match causes[..] {
        [(cause, recorded, count)] if count > 1 => format!("all {count} {}", words(cause, recorded)),
        _ => {
            let each = causes.iter().map(|&(cause, recorded, count)| format!("{count} {}", words(cause, recorded)));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

fn level_text(found: &FoundLevel, level: &ExpectedLevel, drops: Drops) -> String {
    let when = format!("from {} to {} after", ms_text(level.from_ms), ms_text(level.to_ms));
    let drop = drops.name();
    match found {
        FoundLevel::NoStart(0) => NO_RESTART.to_owned(),
        FoundLevel::NoStart(n) => {
            format!("{NO_RESTART} ({}, taken for garbage collections)", counted(*n as u64, drop))
        }
        FoundLevel::NoReadings(n) => {
            format!("no run has readings {when} its {drop} ({} seen)", counted(*n as u64, drop))
        }
        FoundLevel::Highest(bytes, start, n) => {
            let of_several = if *n == 1 { String::new() } else { format!(", the highest of {n} {drop}s") };
            format!(
                "memory was {} ({}) {when} the {drop} at {start}{of_several}; below {} is expected",
                memory_text(*bytes),
                if level.highest { "highest reading" } else { "median" },
                amount_text(level.max_bytes)
            )
        }
    }
}

fn stale_text(stale: &Stale) -> String {
    match stale {
        Stale::NotNightly => "judged only by the nightly job".to_owned(),
        Stale::Gone(last, ended) => {
            let ended = match ended {
                Ended::Well => String::new(),
                Ended::NearLimit { bytes, share } => format!(
                    ". It ended at {}, {} of its limit: it was probably OOM-killed, and nothing restarted it",
                    memory_text(*bytes),
                    percent_text(*share)
                ),
                Ended::Failed(verdict) => format!(". It failed the night before (verdict {verdict})"),
            };
            format!("the container is gone: no reading since {last}, while its log goes on{ended}")
        }
        Stale::TooFew => {
            "there are too few readings to tell how often they come (two of one series are needed)".to_owned()
        }
        Stale::Ahead(seconds) => format!("the newest reading is {} ahead of this run's clock", duration_text(*seconds)),
        Stale::Age { seconds, max_seconds, interval_seconds } => format!(
            "the newest reading of the log is {} old, {} the {} that is allowed: readings usually come every {}",
            duration_text(*seconds),
            if seconds > max_seconds { "more than" } else { "within" },
            duration_text(*max_seconds),
            duration_text(*interval_seconds)
        ),
    }
}

/// What it takes for a criterion to pass, as a part of a sentence.
pub fn would_pass(criterion: &Criterion) -> String {
    let amount = criterion.threshold.filter(|_| criterion.unit == Some("bytes")).map(amount_text);
    match (&*criterion.id, amount) {
        ("high-memory", _) => match criterion.threshold {
            Some(share) => format!("memory that stays below {:.0} % of the limit, or a higher limit", 100.0 * share),
            None => "a higher limit".to_owned(),
        },
        ("flat-after-load", Some(most)) => format!("memory that comes back to {most} or less after the same load"),
        ("restart-loop", _) => "fewer restarts in quick succession".to_owned(),
        ("stale-data", _) => "newer readings".to_owned(),
        ("growth-100mb-5m" | "confirmed-100mb-60s" | "rapid-50mb-per-min", _) => {
            format!("no further climb as steep as the one that failed {}", criterion.id)
        }
        (id, Some(most)) => format!("a value of {most} or less, with which {id} passes"),
        (id, None) => format!("readings with which {id} passes"),
    }
}

/// That the load does not count, where there is one.
fn left_out(with_load: bool) -> &'static str {
    if with_load { " (the load is left out)" } else { "" }
}

fn readings_apart(step_seconds: Option<f64>) -> String {
    step_seconds.map_or_else(|| "a single reading".to_owned(), |step| format!("readings {} apart", duration_text(step)))
}

fn ms_text(ms: i64) -> String {
    duration_text(ms as f64 / 1e3)
}

/// A threshold as the runbook writes it, in whole MB or GB, with its binary value beside: `100 MB (95.37 MiB)`.
fn amount_text(bytes: f64) -> String {
    match bytes {
        _ if bytes <= 0.0 || bytes % 1e6 != 0.0 => memory_text(bytes),
        _ if bytes % 1e9 == 0.0 => format!("{} GB ({})", bytes / 1e9, memory_text(bytes)),
        _ => format!("{} MB ({})", bytes / 1e6, memory_text(bytes)),
    }
}

/// A share in per cent, never rounded to all or nothing: `37 %`, `0.20 %`.
fn percent_text(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 100.0 || (1.0 <= percent && percent <= 99.0) {
        return format!("{percent:.0} %");
    }
    if percent < 0.01 {
        return "less than 0.01 %".to_owned();
    }
    if percent > 99.99 { "more than 99.99 %".to_owned() } else { format!("{percent:.2} %") }
}
