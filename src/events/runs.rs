//! What the events of one container report its runs: how each ended and what followed.
//!
//! Takes events in time order, gives the ends in time order. A restart by policy is `oom`, `die`, `start`; by hand
//! `kill`, `die`, `stop`, `start`, `restart`; a log may hold only some of these. `oom` without `die` is a process
//! beside the first one; `die` with exit code 137 and neither `oom` nor `kill` may be either.

use crate::decode::ReportedRestart;
use crate::events::{Action, Event, Teller};

/// The kill for memory and the end of the container that it causes are recorded at most this far apart, in either
/// order.
const OOM_WINDOW_MS: i64 = 10_000;
/// `docker stop` and `docker restart` wait for 10 s between two signals, and may be told to wait longer.
const SIGNAL_WINDOW_MS: i64 = 60_000;
/// `docker restart` is recorded once more after its start.
const RESTART_WINDOW_MS: i64 = 10_000;
/// A restart policy waits for up to a minute before it starts a container again.
const BACKOFF_MS: i64 = 60_000;
/// Kubernetes tells times in whole seconds: one start in two files is at most so far apart.
const SAME_START_MS: i64 = 2_000;
/// SIGINT, SIGQUIT, SIGABRT, SIGKILL, SIGTERM: what ends a process.
const ENDING_SIGNALS: [i64; 5] = [2, 3, 6, 9, 15];

/// The attribute that says why a container ended.
pub(super) const REASON: &str = "leaktrend.reason";

/// How a run of a container ended, and what followed. What `Display` writes is what was recorded: `OOM-killed, started
/// again`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ending {
    pub(crate) teller: Teller,
    /// Why, in the words of who reports it: a reason of Kubernetes, or what a runtime printed.
    pub(crate) reason: Option<String>,
    /// Whether a runtime had no memory left in its heap; nobody killed it.
    pub(crate) heap: bool,
    pub(crate) oom_ms: Option<i64>,
    pub(crate) down_ms: Option<i64>,
    pub(crate) up_ms: Option<i64>,
    pub(crate) exit_code: Option<i64>,
    pub(crate) signalled: bool,
    pub(crate) recreated: bool,
}

impl Ending {
    /// What an export records.
    pub(super) fn of_export(reported: &ReportedRestart) -> Ending {
        let is_known = reported.oom || reported.reason.is_some();
        Ending {
            teller: Teller::Export,
            reason: reported.reason.clone(),
            oom_ms: reported.oom.then_some(reported.time_ms),
            down_ms: (reported.restarted && is_known).then_some(reported.time_ms),
            up_ms: reported.restarted.then_some(reported.time_ms),
            recreated: reported.recreated,
            ..Ending::default()
        }
    }

    /// Says who reports it, and what they say of why.
    fn explain(&mut self, events: &[&Event]) {
        let at = [self.oom_ms, self.down_ms, self.up_ms];
        let mut of_it = at.iter().flatten().filter_map(|time_ms| events.iter().find(|event| event.time_ms == *time_ms));
        let Some(first) = of_it.next() else { return };
        self.teller = first.teller;
        self.reason = first.attributes.get(REASON).cloned();
        self.heap = self.reason.is_some() && first.teller == Teller::Application;
    }

    /// Whether it is known that nothing started it again: a log of an application does not say.
    pub fn is_for_good(&self) -> bool {
        self.teller != Teller::Application
    }

    /// Whether memory was what it was killed for, or what it ran out of.
    pub fn is_oom(&self) -> bool {
        self.oom_ms.is_some()
    }

    /// Whether the container was recreated under its name.
    pub fn is_recreated(&self) -> bool {
        self.recreated
    }

    /// Whether the container itself ended or began, and not only a process in it.
    pub(super) fn is_of_container(&self) -> bool {
        self.down_ms.is_some() || self.up_ms.is_some()
    }

    /// When it ended, if no start is recorded since; in milliseconds.
    pub fn down_for_good_ms(&self) -> Option<i64> {
        self.down_ms.filter(|_| self.up_ms.is_none())
    }

    /// When it was up again, or, where that is not recorded, when it ended; in milliseconds.
    pub(super) fn time_ms(&self) -> i64 {
        self.up_ms.or(self.down_ms).or(self.oom_ms).expect("something was recorded of it")
    }

    /// When it was up again, where that is recorded, in milliseconds.
    pub(super) fn up_ms(&self) -> Option<i64> {
        self.up_ms
    }
}

/// The ends of runs that the events of one container report, in time order.
pub(super) fn endings(events: &[&Event]) -> Vec<Ending> {
    let mut found: Vec<Ending> = Vec::new();
    // A run that ended and has not begun again.
    let mut open: Option<Ending> = None;
    let mut oom_ms: Option<i64> = None;
    let mut signal_ms: Option<i64> = None;
    let mut last_id: Option<&str> = None;
    // The files that told the last end and the last start.
    let (mut of_die, mut of_start) = (None, None);
    for event in events {
        let now = event.time_ms;
        let is_new = last_id.is_some_and(|id| !same_id(id, &event.id)) && event.teller == Teller::Docker;
        match event.action {
            Action::Oom => {
                let late = open.as_mut().or(found.last_mut());
                match late.filter(|end| end.down_ms.is_some_and(|down| now - down <= OOM_WINDOW_MS)) {
                    Some(end) => end.oom_ms = end.oom_ms.or(Some(now)),
                    None if oom_ms.is_some_and(|first| now - first <= OOM_WINDOW_MS) => {}
                    None => found.extend(oom_ms.replace(now).map(only_oom)),
                }
            }
            Action::Kill => {
                // Other signals are messages: a log to be opened again, a configuration to be read again.
                if event.number("signal").is_none_or(|signal| ENDING_SIGNALS.contains(&signal)) {
                    signal_ms = Some(now);
                }
            }
            Action::Die => {
                let is_of_another = of_die.replace(event.input).is_some_and(|input| input != event.input);
                let reported = open.as_mut().or(found.last_mut()).filter(|_| is_of_another);
                if let Some(end) = reported.filter(|end| end.down_ms.is_some_and(|down| now - down <= OOM_WINDOW_MS)) {
                    end.oom_ms = end.oom_ms.or(oom_ms.take());
                    end.exit_code = end.exit_code.or(event.number("exitCode"));
                    continue;
                }
                found.extend(open.take());
                let (killed, earlier): (Vec<i64>, Vec<i64>) =
                    oom_ms.take().into_iter().partition(|oom| now - oom <= OOM_WINDOW_MS);
                found.extend(earlier.into_iter().map(only_oom));
                open = Some(Ending {
                    oom_ms: killed.first().copied(),
                    down_ms: Some(now),
                    exit_code: event.number("exitCode"),
                    signalled: signal_ms.take().is_some_and(|signal| now - signal <= SIGNAL_WINDOW_MS),
                    ..Ending::default()
                });
            }
            Action::Start => {
                let up_ms = found.last().and_then(|end| end.up_ms);
                let is_reported = open.is_none() && up_ms.is_some_and(|up_ms| now - up_ms <= SAME_START_MS);
                if of_start.replace(event.input).is_some_and(|input| input != event.input) && is_reported {
                    continue;
                }
                let end = open.take().unwrap_or_default();
                let (killed, earlier): (Vec<i64>, Vec<i64>) =
                    oom_ms.take().into_iter().partition(|oom| end.oom_ms.is_none() && now - oom <= BACKOFF_MS);
                found.extend(earlier.into_iter().map(only_oom));
                let oom_ms = end.oom_ms.or(killed.first().copied());
                found.push(Ending { oom_ms, up_ms: Some(now), recreated: is_new, ..end });
            }
            Action::Restart => {
                let reported = found.last().and_then(|end| end.up_ms).is_some_and(|up| now - up <= RESTART_WINDOW_MS);
                if !reported {
                    let end = open.take().unwrap_or_default();
                    found.push(Ending { up_ms: Some(now), signalled: true, ..end });
                }
            }
            Action::Create => {}
        }
        // A recreated container has its ID from `create` on; that it is new is told with its start.
        if event.action != Action::Create && event.teller == Teller::Docker {
            last_id = Some(&event.id);
        }
    }
    found.extend(open);
    found.extend(oom_ms.map(only_oom));
    found.sort_by_key(Ending::time_ms);
    found.iter_mut().for_each(|end| end.explain(events));
    found
}

fn only_oom(oom_ms: i64) -> Ending {
    Ending { oom_ms: Some(oom_ms), ..Ending::default() }
}

/// Whether two IDs are of one container: one may be the beginning of the other.
fn same_id(a: &str, b: &str) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const OLD: &str = "aaaaaaaaaaaa";
    const NEW: &str = "bbbbbbbbbbbb";

    fn event(seconds: f64, action: Action, id: &str, attributes: &[(&str, &str)]) -> Event {
        Event {
            input: 0,
            time_ms: (seconds * 1000.0) as i64,
            action,
            id: id.to_owned(),
            attributes: attributes
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
            teller: Teller::Docker,
        }
    }

    #[track_caller]
    fn check(events: &[Event], expected: &str) {
        let events: Vec<&Event> = events.iter().collect();
        let reported: Vec<String> =
            endings(&events).iter().map(|end| format!("{} {end}", end.time_ms() / 1000)).collect();
        assert_eq!(reported.join(" | "), expected);
    }

    use Action::{Create, Die, Kill, Oom, Restart, Start};

    #[test]
    fn a_kill_for_memory_and_its_restart_are_one() {
        let died = [("exitCode", "137")];
        check(
            &[
                event(100.0, Oom, OLD, &[]),
                event(100.1, Oom, OLD, &[]),
                event(100.2, Die, OLD, &died),
                event(101.0, Start, OLD, &[]),
            ],
            "101 OOM-killed (exit code 137), started again",
        );
        // The kernel's word may come after the end.
        check(
            &[event(100.0, Die, OLD, &died), event(100.5, Start, OLD, &[]), event(100.6, Oom, OLD, &[])],
            "100 OOM-killed (exit code 137), started again",
        );
    }

    #[test]
    fn a_restart_by_hand_is_one() {
        let signal = |number| [("signal", number)];
        check(
            &[
                event(100.0, Kill, OLD, &signal("15")),
                event(110.0, Kill, OLD, &signal("9")),
                event(110.1, Die, OLD, &[("exitCode", "137")]),
                event(110.5, Start, OLD, &[]),
                event(110.6, Restart, OLD, &[]),
            ],
            "110 stopped from outside (exit code 137), started again",
        );
        // One exit code, and nothing that says whose signal it was.
        check(&[event(100.0, Die, OLD, &[("exitCode", "137")])], "100 killed (exit code 137), reason unknown");
        // A signal that ends nothing.
        check(
            &[event(100.0, Kill, OLD, &signal("1")), event(101.0, Die, OLD, &[("exitCode", "1")])],
            "101 ended by itself (exit code 1)",
        );
    }

    #[test]
    fn a_log_may_hold_only_some_of_it() {
        check(&[event(100.0, Oom, OLD, &[])], "100 a process in it was OOM-killed");
        check(
            &[event(100.0, Oom, OLD, &[]), event(4000.0, Oom, OLD, &[])],
            "100 a process in it was OOM-killed | 4000 a process in it was OOM-killed",
        );
        check(
            &[event(100.0, Oom, OLD, &[]), event(4000.0, Die, OLD, &[]), event(4000.2, Start, OLD, &[])],
            "100 a process in it was OOM-killed | 4000 ended by itself, started again",
        );
        check(&[event(100.0, Start, OLD, &[]), event(400.0, Start, OLD, &[])], "100 started again | 400 started again");
        check(&[event(100.0, Restart, OLD, &[])], "100 started again");
        check(&[event(100.0, Die, OLD, &[]), event(200.0, Die, OLD, &[])], "100 ended by itself | 200 ended by itself");
        check(&[event(100.0, Kill, OLD, &[])], "");
    }

    /// Two files report one death: the log of the application why, Docker that and how it went on.
    #[test]
    fn what_two_files_tell_is_one() {
        let of_log = |seconds: f64, action: Action| Event {
            input: 1,
            teller: Teller::Application,
            ..event(seconds, action, "web", &[(REASON, "Java heap space")])
        };
        let died = event(100.3, Die, OLD, &[("exitCode", "3")]);
        let started = event(101.0, Start, OLD, &[]);
        let expected = "101 out of heap memory (exit code 3), started again";
        check(&[of_log(100.0, Oom), of_log(100.0, Die), died.clone(), started.clone()], expected);
        check(&[died.clone(), of_log(100.4, Oom), of_log(100.4, Die), started.clone()], expected);
        check(&[died, started.clone(), of_log(101.5, Oom), of_log(101.5, Die)], expected);
        let again = Event { input: 1, teller: Teller::Kubernetes, ..event(102.0, Start, OLD, &[]) };
        check(&[started.clone(), again], "101 started again");
        check(&[started, event(102.0, Start, OLD, &[])], "101 started again | 102 started again");
    }

    #[test]
    fn a_new_id_under_the_name_is_a_container_made_anew() {
        check(
            &[
                event(100.0, Create, NEW, &[]),
                event(101.0, Die, OLD, &[("exitCode", "0")]),
                event(102.0, Start, NEW, &[]),
            ],
            "102 ended by itself (exit code 0), recreated",
        );
        check(&[event(100.0, Create, NEW, &[]), event(101.0, Start, NEW, &[])], "101 started again");
    }
}
