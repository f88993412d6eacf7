//! What events mean for each series: when its container restarted, and why.
//!
//! Takes series in time order, the events of all containers and what exports record beside the memory; marks the
//! readings before which a container was killed or started, and gives the restarts with their own times
//! (milliseconds). Explicit evidence, as a new ID is: `segment` puts it above what values suggest.

use crate::decode::{ReportedRestart, ReportedRestarts};
use crate::series::{Marks, MemorySeries};

mod account;
mod docker;
mod event;
mod files;
pub mod kubernetes;
mod logs;
mod owner;
mod runs;
pub(crate) mod timestamp;

pub(crate) use docker::looks_like_events as looks_like_docker;
pub use event::{Action, Event, Teller};
pub(crate) use files::read_docker;
pub use files::{EventLog, read as read_events};
use owner::Containers;
pub(crate) use owner::is_called;
pub use runs::Ending;

/// By how much the time of a reading and its value may be off: the timestamp is of the loop, the value from a cache.
const STAMP_SLACK_MS: i64 = 20_000;
/// By how many steps inferred times may be off where the last one was given.
const INFERRED_SLACK_STEPS: i64 = 3;
/// A container that ended within so many steps of its last reading ended the series.
const LAST_STEPS: i64 = 3;

/// How far the times of a series can be trusted to be those of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dating {
    /// The input carries them.
    Stamped,
    /// Counted back from the time of the last reading, which the user gave.
    CountedBack,
    /// Counted back from when the file was last written, or from nothing.
    Guessed,
}

/// What events say of one series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeriesEvents {
    /// When its container last began before its first reading, in milliseconds; `None` where nothing tells.
    pub started_ms: Option<i64>,
    /// Restarts and OOM kills between its first reading and its last, in time order.
    pub restarts: Vec<KnownRestart>,
    /// Share of its time in which events were recorded, 0 to 1.
    pub watched_share: f64,
    /// How its container ended after its last reading and was not started again; `None` when it did not.
    pub ended: Option<Ending>,
}

/// A restart or OOM kill that events report.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownRestart {
    /// When the container was up again, or, where that is not recorded, when it ended.
    pub time_ms: i64,
    /// The first reading after it.
    pub reading_ms: i64,
    /// What was recorded.
    pub end: Ending,
    /// The metrics of an export that show it.
    pub by: Vec<String>,
}

/// Marks the restarts that events report, and gives them for each series in order.
///
/// `dating`: how the times of each series came about; events are not matched with guessed times. `reported`: what exports
/// tell. Counts in the account of each event file what became of its events.
pub fn apply(
    series: &mut [MemorySeries],
    dating: &[Dating],
    reported: &[ReportedRestarts],
    log: &mut EventLog,
) -> Vec<SeriesEvents> {
    let EventLog { inputs, events, spans } = log;
    let containers = Containers::new(events);
    let owned = containers.of_each(series, events);
    account::count(series, dating, &owned, events, &containers, inputs);

    series
        .iter_mut()
        .zip(dating)
        .zip(&owned)
        .map(|((series, dating), owned)| {
            if *dating == Dating::Guessed {
                return SeriesEvents::default();
            }
            let events: Vec<&Event> = owned.iter().map(|index| &events[*index]).collect();
            let ends = runs::endings(&events);
            let mut restarts: Vec<KnownRestart> =
                ends.iter().filter_map(|end| mark(series, *dating, end, None)).collect();
            let (mut named, mut any) = watched(&events, &containers, spans);
            let id = series.info.id.clone();
            let mut started_ms: Vec<i64> = ends.iter().filter_map(Ending::up_ms).collect();
            for reported in reported.iter().filter(|reported| reported.series == id) {
                started_ms.extend(reported.restarts.iter().filter(|one| one.restarted).map(|one| one.time_ms));
                add(series, *dating, reported, &mut restarts);
                named = joined([named, reported.watched.clone()].concat());
                any = joined([any, reported.watched.clone()].concat());
            }
            mark_watched(series, &named);
            SeriesEvents {
                started_ms: started_ms.into_iter().filter(|up_ms| *up_ms <= series.start_ms()).max(),
                restarts,
                watched_share: share_within(series, &any),
                ended: ended(series, ends.last()),
            }
        })
        .collect()
}

/// Marks the restarts that an export records and adds them to those that are known; one that events report as well is
/// there once.
fn add(series: &mut MemorySeries, dating: Dating, reported: &ReportedRestarts, restarts: &mut Vec<KnownRestart>) {
    let of_events: Vec<(i64, bool)> = restarts.iter().map(|known| (known.reading_ms, known.end.is_oom())).collect();
    for one in &reported.restarts {
        let Some(known) = mark(series, dating, &Ending::of_export(one), Some(one)) else { continue };
        let is_known = |(reading_ms, oom): &(i64, bool)| *reading_ms == known.reading_ms && (*oom || !one.oom);
        if of_events.iter().any(is_known) {
            continue;
        }
        restarts
            .retain(|other| other.reading_ms != known.reading_ms || !of_events.contains(&(known.reading_ms, false)));
        restarts.push(known);
    }
    restarts.sort_by_key(|restart| restart.time_ms);
}

/// Marks the reading before which a run ended; `None` when that is not between the first and the last.
///
/// `reported`: what an export says of it, which may know only that it was between two scrapes.
fn mark(
    series: &mut MemorySeries,
    dating: Dating,
    end: &Ending,
    reported: Option<&ReportedRestart>,
) -> Option<KnownRestart> {
    let mut time_ms = end.time_ms();
    let slack_ms = slack_ms(series, dating);
    let (after_ms, until_ms) = match reported {
        Some(reported) if reported.after_ms < time_ms => (reported.after_ms, time_ms),
        _ => (time_ms - slack_ms, time_ms + slack_ms),
    };
    if time_ms <= series.start_ms() || series.end_ms() < time_ms {
        return None;
    }
    let index = reading_within(series, time_ms, after_ms, until_ms);
    let used = series.used_bytes();
    // Where only a kill is recorded another process of the container may have gone on; if memory fell it matters.
    let ended = end.is_of_container() || used[index] < used[index - 1];
    if ended {
        let mut marks = Marks::RESTARTED;
        if end.is_oom() {
            marks = marks.with(Marks::OOM_KILLED);
        }
        if end.is_recreated() {
            marks = marks.with(Marks::RECREATED);
        }
        series.mark(index, marks);
    }
    let reading_ms = series.time_ms()[index];
    if reported.is_some_and(|reported| reported.after_ms < time_ms) {
        time_ms = time_ms.min(reading_ms);
    }
    Some(KnownRestart {
        time_ms,
        reading_ms,
        end: end.clone(),
        by: reported.map_or_else(Vec::new, |reported| reported.by.clone()),
    })
}

/// By how much the times of readings may be off.
fn slack_ms(series: &MemorySeries, dating: Dating) -> i64 {
    match dating {
        Dating::Stamped => STAMP_SLACK_MS,
        _ => INFERRED_SLACK_STEPS * (series.step_seconds().unwrap_or(0.0) * 1000.0) as i64,
    }
}

/// The first reading after a time; between these bounds, the nearest before which the counters began again or memory
/// fell as by a restart.
fn reading_within(series: &MemorySeries, time_ms: i64, after_ms: i64, until_ms: i64) -> usize {
    let times = series.time_ms();
    let used = series.used_bytes();
    let next = times.partition_point(|time| *time < time_ms).clamp(1, times.len() - 1);
    let first = times.partition_point(|time| *time < after_ms).clamp(1, next);
    let last = (times.partition_point(|time| *time <= until_ms)).clamp(next, times.len() - 1);
    let reported = |index: &usize| {
        let marks = series.marks(*index);
        marks.contains(Marks::COUNTER_RESET) || marks.contains(Marks::RECREATED)
    };
    if let Some(reported) = (first..=last).filter(reported).min_by_key(|index| index.abs_diff(next)) {
        return reported;
    }
    let fall = |index: usize| used[index - 1] - used[index];
    let deepest = (first..=last).map(fall).max_by(f64::total_cmp).unwrap_or(0.0);
    // Restarts in quick succession fall alike: the nearest of such falls is its own, and those of noise are far smaller.
    let is_deep = |index: &usize| 0.0 < deepest && deepest <= 2.0 * fall(*index);
    (first..=last).filter(is_deep).min_by_key(|index| (index.abs_diff(next), *index < next)).unwrap_or(next)
}

type Spans = Vec<(i64, i64)>;

/// When events were recorded: of files that report runs of this container, and of files that may be taken to.
///
/// A file that reports two containers or more is taken to be of all: one that is silent did not restart.
fn watched(events: &[&Event], containers: &Containers, spans: &[Option<(i64, i64)>]) -> (Spans, Spans) {
    let mut named = Vec::new();
    let mut any = Vec::new();
    for (input, span) in spans.iter().enumerate() {
        let Some(span) = *span else { continue };
        let names_it = events.iter().any(|event| event.input == input && event.action.is_of_lifecycle());
        if names_it {
            named.push(span);
        }
        if names_it || containers.with_runs(input) >= 2 {
            any.push(span);
        }
    }
    (joined(named), joined(any))
}

fn joined(mut spans: Spans) -> Spans {
    spans.sort_unstable();
    let mut joined: Spans = Vec::new();
    for (start, end) in spans {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}

fn mark_watched(series: &mut MemorySeries, spans: &Spans) {
    for index in 1..series.len() {
        let (from, to) = (series.time_ms()[index - 1], series.time_ms()[index]);
        if spans.iter().any(|(start, end)| *start <= from && to <= *end) {
            series.mark(index, Marks::WATCHED);
        }
    }
}

fn share_within(series: &MemorySeries, spans: &Spans) -> f64 {
    let (from, to) = (series.start_ms(), series.end_ms());
    let within: i64 = spans.iter().map(|(start, end)| (to.min(*end) - from.max(*start)).max(0)).sum();
    if from < to { within as f64 / (to - from) as f64 } else { 0.0 }
}

/// How the container ended right after its last reading, if nothing started it again.
fn ended(series: &MemorySeries, last: Option<&Ending>) -> Option<Ending> {
    let last = last?;
    let down_ms = last.down_for_good_ms()?;
    let step_ms = (series.step_seconds()? * 1000.0) as i64;
    let soon_ms = series.end_ms() + LAST_STEPS * step_ms.max(STAMP_SLACK_MS);
    (series.end_ms() < down_ms && down_ms <= soon_ms).then(|| last.clone())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::events::Action;
    use crate::series::{Labels, Metric, Samples, Sampling, SeriesInfo};

    const STEP_MS: i64 = 10_000;

    fn series(used: &[f64]) -> MemorySeries {
        let mut samples = Samples::default();
        for (index, bytes) in used.iter().enumerate() {
            samples.push(index as i64 * STEP_MS, *bytes, 1.0, Marks::default());
        }
        let info = SeriesInfo {
            id: "web".to_owned(),
            labels: Labels::from_iter([("container".to_owned(), "web".to_owned())]),
            container_given: false,
            limit: None,
            metric: Metric::DockerUsage,
            sampling: Sampling::Raw,
        };
        MemorySeries::new(info, samples).unwrap()
    }

    fn event(time_ms: i64, action: Action) -> Event {
        let attributes = BTreeMap::from([("name".to_owned(), "web".to_owned())]);
        Event { input: 0, time_ms, action, id: "a".repeat(64), attributes, teller: Teller::Docker }
    }

    /// Which readings events mark as the first of a run, and what else is known of the series.
    fn applied(used: &[f64], dating: Dating, events: &[Event]) -> (Vec<usize>, SeriesEvents) {
        let span = events.first().zip(events.last()).map(|(first, last)| (first.time_ms, last.time_ms));
        let mut log = EventLog { inputs: Vec::new(), events: events.to_vec(), spans: vec![span] };
        log.inputs.push(
            crate::events::read_events(&[crate::open::Given { series: None, path: "no/such/file".into() }], None)
                .inputs
                .remove(0),
        );
        let mut series = [series(used)];
        let mut found = apply(&mut series, &[dating], &[], &mut log);
        let marked = (0..used.len()).filter(|index| series[0].marks(*index).contains(Marks::RESTARTED)).collect();
        (marked, found.remove(0))
    }

    #[track_caller]
    fn check(used: &[f64], dating: Dating, events: &[Event], expected: &[usize]) {
        assert_eq!(applied(used, dating, events).0, expected);
    }

    #[test]
    fn the_first_reading_after_a_restart_is_marked() {
        let flat = [5.0; 10];
        check(&flat, Dating::Stamped, &[event(41_000, Action::Die), event(42_000, Action::Start)], &[5]);
        check(&flat, Dating::Stamped, &[event(50_000, Action::Die)], &[5]);
        // Before the first reading, at it, and after the last.
        let outside = [event(-5_000, Action::Die), event(0, Action::Start), event(90_001, Action::Restart)];
        check(&flat, Dating::Stamped, &outside, &[]);
    }

    #[test]
    fn the_fall_nearby_is_what_a_restart_did() {
        let late = [5.0, 6.0, 7.0, 8.0, 9.0, 9.5, 1.0, 2.0, 3.0, 4.0];
        let restart = [event(41_000, Action::Die), event(42_000, Action::Start)];
        check(&late, Dating::Stamped, &restart, &[6]);
        let much_later = [5.0, 6.0, 7.0, 8.0, 9.0, 9.5, 9.6, 9.7, 1.0, 2.0];
        check(&much_later, Dating::Stamped, &restart, &[5]);
        check(&much_later, Dating::CountedBack, &restart, &[8]);
        check(&much_later, Dating::Guessed, &restart, &[]);
    }

    /// Runs of a crash loop are shorter than what times may be off by.
    #[test]
    fn of_falls_that_are_alike_the_nearest_is_its_own() {
        let saw = [1.0, 9.0, 2.0, 9.5, 1.0, 9.0, 2.0, 9.2, 1.5, 9.0];
        let kills: Vec<Event> = [11_000, 31_000, 51_000, 71_000].map(|time| event(time, Action::Die)).into();
        check(&saw, Dating::Stamped, &kills, &[2, 4, 6, 8]);
    }

    #[test]
    fn a_kill_without_an_end_matters_where_memory_fell() {
        let kill = [event(41_000, Action::Oom)];
        check(&[5.0, 6.0, 7.0, 8.0, 9.0, 2.0, 3.0, 4.0], Dating::Stamped, &kill, &[5]);
        let (marked, found) = applied(&[5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0], Dating::Stamped, &kill);
        assert_eq!((marked, found.restarts.len()), (vec![], 1));
    }

    #[test]
    fn what_ended_the_series_is_told() {
        let (_, found) =
            applied(&[5.0; 10], Dating::Stamped, &[event(95_000, Action::Oom), event(95_100, Action::Die)]);
        assert_eq!(
            crate::report::SeriesNote::Ended(found.ended.unwrap()).to_string(),
            "docker events: it exited at 1970-01-01T00:01:35.100Z, after its last reading: OOM-killed; it was not \
             started again"
        );
        assert!(found.restarts.is_empty());
    }

    /// What runs after a log of an application breaks off is not known.
    #[test]
    fn a_log_does_not_tell_that_nothing_began_again() {
        let of_log = |action| {
            let mut event = Event { teller: Teller::Application, ..event(95_000, action) };
            event.attributes.insert(runs::REASON.to_owned(), "Java heap space".to_owned());
            event
        };
        let (_, found) = applied(&[5.0; 10], Dating::Stamped, &[of_log(Action::Oom), of_log(Action::Die)]);
        assert_eq!(
            crate::report::SeriesNote::Ended(found.ended.unwrap()).to_string(),
            "its log: it exited at 1970-01-01T00:01:35Z, after its last reading: out of heap memory (Java heap space)"
        );
    }

    #[test]
    fn events_watch_from_the_first_to_the_last() {
        let (_, found) =
            applied(&[5.0; 11], Dating::Stamped, &[event(20_000, Action::Start), event(80_000, Action::Kill)]);
        assert_eq!(found.watched_share, 0.6);
        let (_, found) =
            applied(&[5.0; 11], Dating::Stamped, &[event(20_000, Action::Oom), event(80_000, Action::Oom)]);
        assert_eq!(found.watched_share, 0.0, "a log of nothing but kills does not tell of restarts");
    }
}
