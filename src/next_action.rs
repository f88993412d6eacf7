//! What to do next: tonight, tomorrow, and commands ready to be pasted.
//!
//! Takes the verdict and the facts of one series; gives the runbook's escalation level, its leak pattern if the shape
//! points to one, and steps. Commands are the runbook's, with the container's name as one word of the shell.

mod cause;
mod target;
#[cfg(test)]
mod tests;

use crate::attribution::Pattern;
use crate::grows::What;
use crate::units::{GIB, MIB, duration_text, memory_text};
use crate::verdict::{Judgement, Verdict};

pub use target::{Target, shell_quoted};

/// What to do next about a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextAction {
    /// The runbook's escalation level, 1 to 4.
    pub level: u8,
    /// The runbook's leak pattern, `A` to `D`; `None` when the shape points to none.
    pub pattern: Option<Pattern>,
    /// What is fitting now, whatever the hour.
    pub tonight: Step,
    /// What finds the cause, by day.
    pub tomorrow: Option<Step>,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What to do and why, in a sentence or two.
    pub text: String,
    /// Whether that is anything.
    pub asks: bool,
    /// Commands for a shell that only look, names quoted.
    pub commands: Vec<String>,
    /// Commands that only look, and need what the runbook's own services have: its debug endpoints, its files, its database.
    pub runbook: Vec<String>,
    /// Commands that act on the running container: they restart it, change its limit or stop it for a snapshot.
    pub changes: Vec<String>,
}

impl Step {
    /// A step whose commands only look.
    pub fn looks(text: impl Into<String>, commands: Vec<String>) -> Step {
        Step { text: text.into(), asks: true, commands, runbook: Vec::new(), changes: Vec::new() }
    }

    /// A step that asks for nothing, for a reason that ends the sentence. Who is told to sleep is given nothing to paste.
    fn nothing(why: &str) -> Step {
        Step { asks: false, ..Step::looks(format!("nothing to do{why}"), Vec::new()) }
    }

    /// All commands, those that only look first.
    pub fn all_commands(&self) -> impl Iterator<Item = &String> {
        self.commands.iter().chain(&self.runbook).chain(&self.changes)
    }
}

impl NextAction {
    /// What to do, tonight and tomorrow, without a final period.
    pub fn text(&self) -> String {
        let tomorrow = self.tomorrow.as_ref().map_or(String::new(), |step| format!(". Tomorrow: {}", step.text));
        format!("Tonight: {}{tomorrow}", self.tonight.text)
    }

    /// All commands in the order of the steps.
    pub fn commands(&self) -> Vec<String> {
        let tomorrow = self.tomorrow.iter().flat_map(Step::all_commands);
        self.tonight.all_commands().chain(tomorrow).cloned().collect()
    }
}

/// Whether a container still runs, as far as its readings tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// To the end of the readings.
    Runs,
    /// It is restarted again and again, to the end of the readings.
    Loops,
    /// Its readings ended while those of others went on.
    Gone,
}

/// The facts of a series beside its verdict.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Facts {
    /// Whether the series fails.
    pub failed: bool,
    /// The criteria that gate and have failed.
    pub failed_criteria: Vec<&'static str>,
    /// Number of short spikes.
    pub n_spikes: usize,
    /// The container's own limit, in bytes; `None` where it is not known.
    pub limit_bytes: Option<f64>,
    /// Memory at the last reading, as a share of the limit or of the level at which it was killed.
    pub share_of_limit: Option<f64>,
    /// When the limit is reached, in seconds from the last reading.
    pub seconds_to_limit: Option<f64>,
    /// The earliest that this is, where it is much sooner.
    pub earliest_to_limit: Option<f64>,
    /// How long a run lasts with twice the limit, in seconds; `None` where it does not grow to a limit.
    pub seconds_at_twice: Option<f64>,
    /// How long it takes from where it began to its limit, in seconds, and whether that is where a run begins, so that a
    /// restart buys as much; `None` where that is not known.
    pub seconds_to_refill: Option<(f64, bool)>,
    /// The only change that was made when its growth may have begun.
    pub began_with: Option<String>,
    /// Why its last restart was, where an event says so.
    pub last_restart: Option<String>,
    /// When it was last seen, in UTC; `None` where it runs, or no time is known.
    pub last_seen: Option<String>,
    /// Whether it still runs.
    pub state: State,
    /// Whether more than the values report its restarts.
    pub restarts_are_seen: bool,
    /// Whether it is a workload, whose pods rollouts replace.
    pub of_workload: bool,
    /// Whether it has grown since a version of it was deployed, and not before.
    pub grows_since_version: bool,
    /// The version before that; `None` where its name is not known.
    pub version_before: Option<String>,
    /// Number of kills for memory.
    pub n_kills: usize,
    /// Whether events record one of them; otherwise they are inferred from the values.
    pub kills_are_recorded: bool,
    /// Number of restarts, kills among them.
    pub n_restarts: usize,
    /// Whether how far apart its readings are is assumed, and with it every deadline.
    pub step_assumed: bool,
    /// Whether an unsettled trend is probably a leak.
    pub leans_to_leak: bool,
    /// Whether a rate alert fired that its verdict shows to be a false alarm.
    pub has_false_alarm: bool,
    /// Whether a criterion had to be decided and could not be.
    pub has_undecided: bool,
    /// Whether it is judged after its level stepped up.
    pub stepped_up: bool,
    /// Its highest reading as a share of its limit, where that is above the threshold of `high-memory` but was not for long
    /// enough to fail it; `None` elsewhere.
    pub peak_share: Option<f64>,
    /// How long memory climbed before it became level, in seconds; `None` where it did not climb to a level.
    pub climbed_seconds: Option<f64>,
    /// The level that it held before it fell and to which it comes back, in bytes; `None` where it does not.
    pub refills_to_bytes: Option<f64>,
    /// In how long it holds twice as much at its present growth, in seconds; `None` where it neither leaks nor is suspected
    /// to.
    pub seconds_to_double: Option<f64>,
    /// The memory before its last restart, in bytes, and in how many seconds a leak reaches it again; `None` where it does
    /// not leak, did not restart, or holds more already.
    pub falls_again: Option<(f64, f64)>,
    /// What grows in its container; `None` where only one amount of it is known.
    pub grows: Option<What>,
}

impl Facts {
    fn failed(&self, id: &str) -> bool {
        self.failed_criteria.contains(&id)
    }

    /// Commands that show why it restarted or ended.
    fn why_restarted(&self, target: &Target) -> Vec<String> {
        target.why_restarted(self.last_seen.as_deref()).to_vec()
    }

    /// What else is to do where no limit is known; empty where one is.
    fn and_find_limit(&self) -> &'static str {
        if self.limit_bytes.is_none() { ", and find its limit, which is not in the input" } else { "" }
    }

    /// Whether memory is near its limit now, or will be within half an hour.
    fn is_near_limit(&self) -> bool {
        self.share_of_limit.is_some_and(|share| share >= 0.9) || self.seconds_to_limit.is_some_and(|left| left < 1800.0)
    }
}

/// So many restarts have a reason worth a look, though no verdict says what it is.
const MANY_RESTARTS: usize = 3;
/// What is reached within this time must be dealt with before the morning, in seconds.
const NIGHT: f64 = 12.0 * 3600.0;

/// The next action for a container; `None` when nothing needs to be done.
///
/// Commands of the runbook's own services (Node, its debug endpoints, its database) stand only where the shape, or a
/// load, points to one of its patterns.
pub fn of(target: &Target, judgement: &Judgement, facts: &Facts) -> Option<NextAction> {
    let cause = cause::of(judgement, facts);
    let restarts_ask = has_unexplained_restarts(judgement, facts) || is_killed_without_a_leak(judgement, facts);
    let asks = facts.failed || facts.state == State::Gone || restarts_ask;
    if cause.is_none() && !asks {
        return None;
    }
    let (level, tonight) = tonight(target, judgement, facts);
    let mut tomorrow = cause.as_ref().map(|cause| cause::tomorrow(target, facts, cause));
    // What is left for the day begins with a look at what holds the memory.
    let is_for_the_day = !tonight.asks && facts.state == State::Runs;
    if is_for_the_day && cause.as_ref().is_none_or(|cause| cause.looks) {
        let step = tomorrow.get_or_insert_with(|| Step::looks("see what holds the memory", Vec::new()));
        step.commands.splice(0..0, [target.watch(), target.memory_stat()]);
    }
    // Who is told to sleep learns by day how near its limit is.
    let grows = judgement.verdict.is_leak() || may_leak(judgement, facts);
    if let Some(step) = tomorrow.as_mut().filter(|_| is_for_the_day && grows && facts.limit_bytes.is_none()) {
        step.text.push_str(". Find its limit, which is not in the input");
    }
    let level = level.or(cause.as_ref().map(|cause| cause.level)).unwrap_or(2);
    let pattern = cause.and_then(|cause| cause.pattern);
    Some(NextAction { level, pattern, tonight, tomorrow })
}

/// What to do now, and the runbook's level if it applies.
fn tonight(target: &Target, judgement: &Judgement, facts: &Facts) -> (Option<u8>, Step) {
    let is_leak = judgement.verdict.is_leak();
    if facts.state == State::Gone {
        let text = "its readings have ended: see whether it still runs; if not, find out why, and start it again if it is \
             needed";
        return (Some(1), Step::looks(text, facts.why_restarted(target)));
    }
    if facts.state == State::Loops {
        return in_a_loop(target, judgement, facts);
    }
    let watch = vec![target.watch(), target.memory_stat()];
    if facts.is_near_limit() && facts.failed && is_level(judgement.verdict) {
        let text = "memory is level near its limit: raise the limit, so that no peak gets it killed";
        let larger = facts.limit_bytes.and_then(|limit| target.larger_limit(&docker_amount(2.0 * limit)));
        return (Some(1), Step { changes: larger.into_iter().collect(), ..Step::looks(text, watch) });
    }
    if facts.n_kills > 1 && is_leak {
        let probably = if facts.kills_are_recorded { "" } else { "probably " };
        let next = match facts.seconds_to_limit {
            Some(left) => {
                let assumed = if facts.step_assumed { ", if the assumed interval is right" } else { "" };
                format!("; the next kill is due about {} after the last reading{assumed}", duration_text(left))
            }
            None => String::new(),
        };
        let then = if facts.kills_are_recorded && facts.limit_bytes.is_some() {
            let lasts = facts.seconds_at_twice.map_or(String::new(), |seconds| {
                format!(" (with twice the limit, a run lasts about {})", duration_text(seconds))
            });
            format!("raise the limit{lasts}")
        } else {
            "check its last state and its events, and raise the limit if they confirm it".to_owned()
        };
        let text = format!("it was {probably}OOM-killed {} times{next}: {then}", facts.n_kills);
        let larger = facts.limit_bytes.and_then(|limit| target.larger_limit(&docker_amount(2.0 * limit)));
        let looks = Step::looks(text, [facts.why_restarted(target), watch].concat());
        return (None, Step { changes: larger.into_iter().collect(), ..looks });
    }
    if is_killed_without_a_leak(judgement, facts) {
        let probably = if facts.kills_are_recorded { "" } else { "probably " };
        let times = if facts.n_kills == 1 { "once".to_owned() } else { format!("{} times", facts.n_kills) };
        let though = if is_level(judgement.verdict) { "memory is level otherwise" } else { "no leak is proven" };
        let text = format!(
            "it was {probably}OOM-killed {times}, though {though}, so its peaks reach the limit: raise the limit \
             while you find out what runs at the peaks"
        );
        let larger = facts.limit_bytes.and_then(|limit| target.larger_limit(&docker_amount(2.0 * limit)));
        let looks = Step::looks(text, [facts.why_restarted(target), watch].concat());
        return (Some(1), Step { changes: larger.into_iter().collect(), ..looks });
    }
    if facts.is_near_limit() && (is_leak || facts.failed) {
        let text = "the limit is near: look at what holds the memory, then restart it, which buys time. Do not take a \
                    heap snapshot before that: it needs about as much extra memory as the heap holds, and would get \
                    the process killed";
        return (Some(1), Step { changes: vec![target.restart()], ..Step::looks(text, watch) });
    }
    if has_unexplained_restarts(judgement, facts) {
        let n = facts.n_restarts;
        let text = if facts.restarts_are_seen {
            format!("it restarted {n} times: check its last state and its events to see whether that was intended")
        } else {
            format!(
                "memory fell back {n} times, as after a restart, but only the values say so: check its last state and its \
                 events to see whether it was killed"
            )
        };
        return (None, Step::looks(text, [facts.why_restarted(target), watch].concat()));
    }
    // A limit that is reached in the night comes first.
    if let Some((bytes, seconds)) = facts.falls_again.filter(|(_, seconds)| {
        *seconds < NIGHT && facts.seconds_to_limit.is_none_or(|left| NIGHT <= left) && !facts.step_assumed
    }) {
        let limit = facts.and_find_limit();
        let (fell, why) = match &facts.last_restart {
            Some(words) => (format!("at its last restart ({words})"), "see whether that restart was intended"),
            None if facts.restarts_are_seen => ("when it last restarted".to_owned(), "see why it restarted"),
            None => ("before its last drop".to_owned(), "see whether that drop was a restart, and what caused it"),
        };
        let text = format!(
            "it held {} {fell}, and will be back at that level about {} after the last reading: {why}{limit}",
            memory_text(bytes),
            duration_text(seconds)
        );
        return (None, Step::looks(text, [facts.why_restarted(target), watch].concat()));
    }
    // What is suspected, and may be known before the morning.
    let may_leak = may_leak(judgement, facts);
    if let Some(longer) =
        judgement.open_for_seconds().filter(|longer| may_leak && *longer < NIGHT && !facts.step_assumed)
    {
        let limit = facts.and_find_limit();
        let text = format!("it may leak: measure about {} longer, then judge again{limit}", duration_text(longer));
        return (None, Step::looks(text, watch));
    }
    by_deadline(target, judgement, facts)
}

/// What is fitting now where only its limit sets a deadline.
fn by_deadline(target: &Target, judgement: &Judgement, facts: &Facts) -> (Option<u8>, Step) {
    let is_leak = judgement.verdict.is_leak();
    let may_leak = may_leak(judgement, facts);
    let watch = vec![target.watch(), target.memory_stat()];
    let text = match facts.seconds_to_limit {
        Some(left) if facts.step_assumed => format!(
            "the limit is about {} away if the assumed sampling interval is right: find out how often readings were taken \
             before you rely on it",
            duration_text(left)
        ),
        Some(left) if left < NIGHT => {
            let earliest = facts
                .earliest_to_limit
                .map_or(String::new(), |earliest| format!(", {} at the earliest", duration_text(earliest)));
            let lasts = facts.seconds_to_refill.map_or(String::new(), |(seconds, is_a_run)| {
                let about = if is_a_run { "about" } else { "at least" };
                format!(", which buys {about} {}", duration_text(seconds))
            });
            let text = format!(
                "the limit is reached about {} after the last reading{earliest}: restart it before then{lasts}, or raise the \
                 limit. If that time has passed, see first whether it was killed",
                duration_text(left)
            );
            let larger = facts.limit_bytes.and_then(|limit| target.larger_limit(&docker_amount(2.0 * limit)));
            let changes = [target.restart()].into_iter().chain(larger).collect();
            let looks = Step::looks(text, [facts.why_restarted(target), watch].concat());
            return (None, Step { changes, ..looks });
        }
        Some(left) => return (None, Step::nothing(&format!(": the limit is about {} away", duration_text(left)))),
        None if is_leak && facts.limit_bytes.is_none() => {
            let double = facts.seconds_to_double.map_or(String::new(), |seconds| {
                format!(": at this rate its memory doubles in about {}", duration_text(seconds))
            });
            let text = format!(
                "find its limit, which is not in the input, and how much memory the host has \
                                left{double}"
            );
            match facts.seconds_to_double {
                Some(left) if NIGHT <= left => {
                    let double = duration_text(left);
                    let why = format!(": no limit is known, and at this rate its memory doubles in about {double}");
                    return (None, Step::nothing(&why));
                }
                None => return (None, Step::looks(text, watch)),
                Some(_) => {}
            }
            let text = format!("{text}. Restart it before memory runs out, which buys time");
            return (None, Step { changes: vec![target.restart()], ..Step::looks(text, watch) });
        }
        None if may_leak && facts.limit_bytes.is_none() && facts.seconds_to_double.is_some_and(|left| left < NIGHT) => {
            let double = facts.seconds_to_double.map_or(String::new(), duration_text);
            format!("if it leaks, its memory doubles in about {double}: find its limit, which is not in the input")
        }
        None if may_leak && facts.limit_bytes.is_none() && facts.seconds_to_double.is_some() => {
            let double = facts.seconds_to_double.map_or(String::new(), duration_text);
            return (None, Step::nothing(&format!(": if it leaks, its memory doubles in about {double}")));
        }
        None if facts.share_of_limit.is_some_and(|share| share >= 0.9) => {
            "memory is near its limit: see what holds it".to_owned()
        }
        None if facts.failed("high-memory") && facts.share_of_limit.is_none() => {
            "high-memory compares with an assumed limit, because the real one is not known: find the limit, then judge \
             again with it (--limit)"
                .to_owned()
        }
        None => return (None, Step::nothing("")),
    };
    (None, Step::looks(text, watch))
}

/// What is fitting now in a crash loop.
fn in_a_loop(target: &Target, judgement: &Judgement, facts: &Facts) -> (Option<u8>, Step) {
    let is_leak = judgement.verdict.is_leak();
    let commands = [facts.why_restarted(target), vec![target.watch()]].concat();
    if !facts.restarts_are_seen {
        let text = "it seems to restart again and again, but only the values say so: check its events and its last \
                    state before anything else, because garbage collections can look the same";
        return (None, Step::looks(text, commands));
    }
    if facts.n_kills == 0 && !is_leak {
        let text = "it is restarted again and again, and nothing shows that memory is the reason: read its last state \
                    and its events for the reason";
        return (None, Step::looks(text, commands));
    }
    let mut text = if is_leak {
        let lasts = facts.seconds_at_twice.map_or(String::new(), |seconds| {
            format!(" (with twice the limit, a run lasts about {})", duration_text(seconds))
        });
        format!(
            "it runs out of memory again and again, and one more restart changes nothing: confirm the reason, and raise the \
             limit far enough for a run to be profiled{lasts}"
        )
    } else {
        "it is OOM-killed again and again, though nothing shows a leak: confirm the reason, and raise the limit \
         or make its heap smaller"
            .to_owned()
    };
    let memory = facts.limit_bytes.map_or_else(|| "4g".to_owned(), |limit| docker_amount(2.0 * limit));
    let larger = target.larger_limit(&memory);
    if larger.is_none() {
        text.push_str("; the limit is in the manifest of its workload (resources.limits.memory)");
    }
    (is_leak.then_some(4), Step { changes: larger.into_iter().collect(), ..Step::looks(text, commands) })
}

/// Whether a leak is suspected, or likelier than not.
fn may_leak(judgement: &Judgement, facts: &Facts) -> bool {
    judgement.verdict == Verdict::LeakSuspected || facts.leans_to_leak
}

/// Whether it restarted several times and no verdict says why; rollouts have their reason.
fn has_unexplained_restarts(judgement: &Judgement, facts: &Facts) -> bool {
    judgement.verdict == Verdict::Inconclusive && MANY_RESTARTS <= facts.n_restarts && !facts.of_workload
}

/// Whether it was killed for memory that no leak took.
fn is_killed_without_a_leak(judgement: &Judgement, facts: &Facts) -> bool {
    facts.n_kills > 0 && !judgement.verdict.is_leak() && facts.restarts_are_seen && facts.state == State::Runs
}

/// Whether memory holds a level, so that no restart helps.
fn is_level(verdict: Verdict) -> bool {
    verdict.proves_no_leak() || verdict == Verdict::Step
}

/// An amount as `docker update` takes it: whole GiB or MiB where it is.
fn docker_amount(bytes: f64) -> String {
    let units = [("g", GIB), ("m", MIB)];
    let (unit, size) = units.into_iter().find(|(_, size)| bytes % size == 0.0).unwrap_or(("", 1.0));
    format!("{:.0}{unit}", bytes / size)
}
