//! What to do next: tonight, tomorrow, and commands ready to be pasted.
//!
//! Takes the verdict and the facts of one series; gives the runbook's escalation level, its leak pattern if the shape
//! points to one, and steps. Commands are the runbook's, with the container's name as one word of the shell.

mod target;
#[cfg(test)]
mod tests;

use crate::attribution::Pattern;
use crate::grows::What;
use crate::units::{DAY, GIB, MIB, duration_text, memory_text};
use crate::verdict::{Judgement, ShapeName, Verdict};

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
    /// Commands for a shell, names quoted.
    pub commands: Vec<String>,
}

impl NextAction {
    /// What to do, tonight and tomorrow, without a final period.
    pub fn text(&self) -> String {
        let tomorrow = self.tomorrow.as_ref().map_or(String::new(), |step| format!(". Tomorrow: {}", step.text));
        format!("Tonight: {}{tomorrow}", self.tonight.text)
    }

    /// All commands in the order of the steps.
    pub fn commands(&self) -> Vec<String> {
        let tomorrow = self.tomorrow.iter().flat_map(|step| &step.commands);
        self.tonight.commands.iter().chain(tomorrow).cloned().collect()
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
    /// Whether it still runs.
    pub state: State,
    /// Whether more than the values tell of its restarts.
    pub restarts_are_seen: bool,
    /// Whether it is a workload, whose pods rollouts replace.
    pub of_workload: bool,
    /// Number of kills for memory.
    pub n_kills: usize,
    /// Number of restarts, kills among them.
    pub n_restarts: usize,
    /// Whether how far apart its readings are is assumed, and with it every deadline.
    pub step_assumed: bool,
    /// Whether an unsettled trend is probably a leak.
    pub leans_to_leak: bool,
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

    /// What else is to do where no limit is known; empty where one is.
    fn and_find_limit(&self) -> &'static str {
        if self.limit_bytes.is_none() { ", and find its limit, which the input does not name" } else { "" }
    }

    /// Whether memory is near its limit now, or will be within half an hour.
    fn is_near_limit(&self) -> bool {
        self.share_of_limit.is_some_and(|share| share >= 0.9) || self.seconds_to_limit.is_some_and(|left| left < 1800.0)
    }
}

/// The runbook's look at the suspect.
const fn command(pattern: Pattern) -> &'static str {
    match pattern {
        Pattern::Connections => {
            r#"psql "$DATABASE_URL" -c "SELECT state, count(*) FROM pg_stat_activity GROUP BY state""#
        }
        Pattern::Listeners => "curl http://HOST:3001/debug/event-listeners | jq",
        Pattern::Cache => "curl http://HOST:3001/debug/cache-stats | jq",
        Pattern::Uploads => r#"grep -r "multer" apps/api/src --include="*.ts""#,
    }
}

/// A heap snapshot takes about as much memory again as the heap holds (Node's documentation of
/// `v8.getHeapSnapshot`): above this share of the limit it may get the process killed.
const SNAPSHOT_SHARE: f64 = 0.5;
/// How a step begins that asks for nothing.
pub const NOTHING: &str = "nothing to do";
/// Two heap snapshots differ by what was gained between them: this share of the memory can be seen.
const SEEN_SHARE: f64 = 0.05;
/// So many restarts have a reason worth a look, though no verdict says what it is.
const MANY_RESTARTS: usize = 3;
/// What is reached within this time must be dealt with before the morning, in seconds.
const NIGHT: f64 = 12.0 * 3600.0;

/// The next action for a container; `None` when nothing needs to be done.
///
/// Commands of the runbook's own services (Node, its debug endpoints, its database) stand only where the shape, or a
/// load, points to one of its patterns.
pub fn of(target: &Target, judgement: &Judgement, facts: &Facts) -> Option<NextAction> {
    let cause = of_kind(judgement, facts).or_else(|| cause(judgement, facts));
    let restarts_unexplained = has_unexplained_restarts(judgement, facts);
    if cause.is_none() && !facts.failed && !restarts_unexplained {
        return None;
    }
    let (level, tonight) = tonight(target, judgement, facts);
    let tomorrow = cause.map(|(_, pattern, text)| tomorrow(target, facts, pattern, &of_level(facts, text)));
    let level = level.or(cause.map(|(level, _, _)| level)).unwrap_or(2);
    Some(NextAction { level, pattern: cause.and_then(|(_, pattern, _)| pattern), tonight, tomorrow })
}

/// What to do now, and the runbook's level if it applies.
fn tonight(target: &Target, judgement: &Judgement, facts: &Facts) -> (Option<u8>, Step) {
    let step = |text: &str, commands: Vec<String>| Step { text: text.to_owned(), commands };
    let is_leak = judgement.verdict.is_leak();
    if facts.state == State::Gone {
        let text =
            "its readings have ended: see whether it still runs and why it ended, and start it again if it is needed";
        return (Some(1), step(text, target.why_restarted().to_vec()));
    }
    if facts.state == State::Loops {
        return in_a_loop(target, judgement, facts);
    }
    if facts.is_near_limit() && facts.failed && is_level(judgement.verdict) {
        let text = "memory has been level near its limit, and comes back to that level after a restart: raise the limit, so \
                    that no peak gets it killed";
        let larger = facts.limit_bytes.and_then(|limit| target.larger_limit(&docker_amount(2.0 * limit)));
        return (Some(1), step(text, [target.watch(), target.memory_stat()].into_iter().chain(larger).collect()));
    }
    if facts.is_near_limit() && (is_leak || facts.failed) {
        let text = "the limit is near: look at what holds the memory, then restart it, which buys time. Take no heap \
                    snapshot first: it needs about as much memory again, and gets the process killed";
        let commands = vec![target.watch(), target.memory_stat(), target.restart()];
        return (Some(1), step(text, commands));
    }
    let watch = vec![target.watch(), target.memory_stat()];
    if facts.n_kills > 1 && is_leak {
        let probably = if facts.restarts_are_seen { "" } else { "probably " };
        let text = format!(
            "it was {probably}killed for memory {} times: check its last state and its events, and see when the next one \
             is due",
            facts.n_kills
        );
        return (None, Step { text, commands: [target.why_restarted().to_vec(), watch].concat() });
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
        return (None, Step { text, commands: [target.why_restarted().to_vec(), watch].concat() });
    }
    if let Some((bytes, seconds)) = facts.falls_again.filter(|(_, seconds)| {
        *seconds < NIGHT && facts.seconds_to_limit.is_none_or(|left| *seconds < left) && !facts.step_assumed
    }) {
        let limit = facts.and_find_limit();
        let text = format!(
            "it held {} when it last restarted, and does again in about {}: see why it restarted{limit}",
            memory_text(bytes),
            duration_text(seconds)
        );
        return (None, Step { text, commands: [target.why_restarted().to_vec(), watch].concat() });
    }
    // What is suspected, and may be known before the morning.
    let may_leak = may_leak(judgement, facts);
    if let Some(longer) =
        judgement.open_for_seconds().filter(|longer| may_leak && *longer < NIGHT && !facts.step_assumed)
    {
        let limit = facts.and_find_limit();
        let text = format!("it may leak: measure about {} longer, judge again{limit}", duration_text(longer));
        return (None, Step { text, commands: watch });
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
            let left = duration_text(left);
            return (
                None,
                Step {
                    text: format!("the limit is reached in about {left}: restart it before then, or raise the limit"),
                    commands: [watch, vec![target.restart()]].concat(),
                },
            );
        }
        Some(left) => format!("{NOTHING}: the limit is about {} away", duration_text(left)),
        None if is_leak && facts.limit_bytes.is_none() => {
            let double = facts.seconds_to_double.map_or(String::new(), |seconds| {
                format!(": at this rate its memory doubles in about {}", duration_text(seconds))
            });
            let text = format!("find its limit, which the input does not name, and what the host has left{double}");
            if facts.seconds_to_double.is_none_or(|left| NIGHT <= left) {
                return (None, Step { text, commands: watch });
            }
            let text = format!("{text}. Restart it before it has no room left, which buys time");
            return (None, Step { text, commands: [watch, vec![target.restart()]].concat() });
        }
        None if may_leak && facts.limit_bytes.is_none() && facts.seconds_to_double.is_some_and(|left| left < NIGHT) => {
            let double = facts.seconds_to_double.map_or(String::new(), duration_text);
            format!("if it leaks, its memory doubles in about {double}: find its limit, which the input does not name")
        }
        None if facts.share_of_limit.is_some_and(|share| share >= 0.9) => {
            "memory is near its limit: see what holds it".to_owned()
        }
        None if facts.failed("high-memory") && facts.share_of_limit.is_none() => {
            "high-memory compares with an assumed limit, because none is known: find the limit, and judge again with it \
             (--limit)"
                .to_owned()
        }
        None => NOTHING.to_owned(),
    };
    (None, Step { text, commands: watch })
}

/// What is fitting now in a crash loop.
fn in_a_loop(target: &Target, judgement: &Judgement, facts: &Facts) -> (Option<u8>, Step) {
    let step = |text: &str, commands: Vec<String>| Step { text: text.to_owned(), commands };
    let is_leak = judgement.verdict.is_leak();
    let mut commands = target.why_restarted().to_vec();
    commands.push(target.watch());
    if !facts.restarts_are_seen {
        let text = "it seems to restart again and again, but only the values say so: check its events and its last \
                    state before anything else, because garbage collections can look the same";
        return (None, step(text, commands));
    }
    if facts.n_kills == 0 && !is_leak {
        let text = "it is restarted again and again, and nothing shows that memory is why: read its last state and its \
                    events for the reason";
        return (None, step(text, commands));
    }
    let mut text = if is_leak {
        "it runs out of memory again and again, and one more restart changes nothing: confirm the reason, and raise \
         the limit, to twice as much for instance, so that a run lasts long enough to be profiled"
    } else {
        "it is killed for memory again and again, though nothing shows a leak: confirm the reason, and raise the limit \
         or make its heap smaller"
    }
    .to_owned();
    let memory = facts.limit_bytes.map_or_else(|| "4g".to_owned(), |limit| docker_amount(2.0 * limit));
    match target.larger_limit(&memory) {
        Some(command) => commands.push(command),
        None => text.push_str("; the limit is in the manifest of its workload (resources.limits.memory)"),
    }
    (is_leak.then_some(4), Step { text, commands })
}

/// Whether a leak is suspected, or likelier than not.
fn may_leak(judgement: &Judgement, facts: &Facts) -> bool {
    judgement.verdict == Verdict::LeakSuspected || facts.leans_to_leak
}

/// Whether it restarted several times and no verdict says why; rollouts have their reason.
fn has_unexplained_restarts(judgement: &Judgement, facts: &Facts) -> bool {
    judgement.verdict == Verdict::Inconclusive && MANY_RESTARTS <= facts.n_restarts && !facts.of_workload
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

/// `text`, or what the level says that memory comes back to.
fn of_level(facts: &Facts, text: &'static str) -> String {
    facts.refills_to_bytes.map_or_else(
        || text.to_owned(),
        |level| {
            format!(
                "see whether it has passed the {} that it held before it fell: a cache stays below, a leak goes on",
                memory_text(level)
            )
        },
    )
}

/// How to find the cause: the text, with the risk of a snapshot, and the commands for the pattern.
fn tomorrow(target: &Target, facts: &Facts, pattern: Option<Pattern>, text: &str) -> Step {
    // Between two snapshots it must gain something to be seen.
    let apart = match facts.seconds_to_double.map(|seconds| SEEN_SHARE * seconds) {
        Some(apart) if DAY <= 2.0 * apart => "a day or more apart",
        Some(apart) if 3600.0 <= apart => "some hours apart",
        _ => "some minutes apart",
    };
    let mut text = text.replace("some minutes apart", apart);
    if let Some(share) = facts.share_of_limit.filter(|share| *share > SNAPSHOT_SHARE && text.contains("snapshot")) {
        let limit = facts.limit_bytes.map_or(String::new(), |limit| format!(" of {}", memory_text(limit)));
        text.push_str(&format!(
            ". Careful: a snapshot needs about as much memory again as the heap holds, and memory is at {:.0} % of the \
             limit{limit}: raise the limit first, or take it soon after a restart",
            100.0 * share
        ));
    }
    if facts.share_of_limit.is_none() && text.contains("snapshot") {
        text.push_str(". Careful: a snapshot needs about as much memory again as the heap holds");
    }
    let mut commands = Vec::new();
    // What is gone cannot be looked into.
    if let Some(pattern) = pattern.filter(|_| facts.state != State::Gone) {
        commands.extend(
            ["curl -X POST http://HOST:3001/debug/heap-snapshot", "scp root@HOST:/tmp/heap-*.heapsnapshot ./"]
                .map(str::to_owned),
        );
        commands.push(format!(
            "{} | jq 'group_by(.endpoint) | map({{endpoint: .[0].endpoint, count: length}}) | sort_by(-.count)'",
            target.exec("cat /tmp/request-log.json")
        ));
        commands.push(command(pattern).to_owned());
    }
    Step { text, commands }
}

/// How to find the cause by the kind of memory that grows, as `cause`; `None` where that says no more than the shape.
fn of_kind(judgement: &Judgement, facts: &Facts) -> Option<(u8, Option<Pattern>, &'static str)> {
    let verdict = judgement.verdict;
    if facts.state == State::Loops || !verdict.is_leak() && verdict != Verdict::LeakSuspected {
        return None;
    }
    let level = if verdict == Verdict::LeakMaskedByRestarts { 3 } else { 2 };
    let text = match facts.grows? {
        What::Heap => {
            "objects on the heap pile up: take two heap snapshots some minutes apart, and compare what is retained"
        }
        What::OutsideHeap => {
            "memory grows outside the heap: count buffers (uploads, streams, images; a heap snapshot of Node shows which objects hold an ArrayBuffer, and no native memory), then look at native modules, and at fragmentation with another allocator (jemalloc, or MALLOC_ARENA_MAX=2)"
        }
        What::HeapReserve => {
            "the heap reserves more and its objects do not: cap it (--max-old-space-size, -Xmx, GOMEMLIMIT), and look for loads that need much at once"
        }
        What::SharedMemory => {
            "the cache in the working set grows: look at the size of /dev/shm and of mounts of type tmpfs (an emptyDir in memory is one), then at files that are mapped or read again and again"
        }
        What::PageCache => {
            "most of what it gained is page cache, which the kernel takes back when memory is short: judge its working set, \
             and go on measuring"
        }
        What::Kernel => "memory of the kernel grows: look at sockets, pipes and open files, and at slab in memory.stat",
        What::Swap => {
            "what it gains goes to swap: compare VmSwap and RssAnon in /proc/PID/status, and look for the leak as if its \
             resident set grew"
        }
        What::Anonymous | What::Nothing | What::Open | What::Unknown => return None,
    };
    Some((level, None, text))
}

/// The runbook's level, the pattern that the shape points to, and how to find the cause; `None` where nothing that is
/// known points to one.
fn cause(judgement: &Judgement, facts: &Facts) -> Option<(u8, Option<Pattern>, &'static str)> {
    let failed = |id: &str| facts.failed(id);
    let verdict = judgement.verdict;
    let jumped = failed("confirmed-100mb-60s") || failed("rapid-50mb-per-min");
    Some(match verdict {
        Verdict::Leak if judgement.shape == ShapeName::Sawtooth => (
            2,
            Some(Pattern::Listeners),
            "memory after garbage collection grows: take two heap snapshots an hour apart, compare retained sizes, and count event listeners (pattern B)",
        ),
        Verdict::Leak if failed("flat-after-load") => (
            2,
            Some(Pattern::Connections),
            "what the load took is not given back, and memory goes on growing: compare it with the query and request rate (pattern A: connections that are not closed), and take two heap snapshots some minutes apart",
        ),
        Verdict::Leak => (
            2,
            None,
            "it goes on growing: compare it with the rates of queries, requests and jobs, and take two heap snapshots some minutes apart",
        ),
        Verdict::LeakMaskedByRestarts if facts.state == State::Loops => (
            4,
            None,
            "profile one run with the profiler of its runtime (of Node: V8's, or clinic.js), and agree on a stopgap until the leak is found (recycle workers, move caches and sessions out of the process)",
        ),
        Verdict::LeakMaskedByRestarts if facts.of_workload => (
            3,
            None,
            "profile one pod, before the next rollout replaces it, with the profiler of its runtime (of Node: V8's, or clinic.js): rollouts hide this leak",
        ),
        Verdict::LeakMaskedByRestarts => (
            3,
            None,
            "profile one run, before its next restart, with the profiler of its runtime (of Node: V8's, or clinic.js): restarts hide this leak, and users notice each of them",
        ),
        Verdict::SteppingGrowth => (
            2,
            Some(Pattern::Cache),
            "memory is kept in steps: look for a cache or session store without a size limit (pattern C), with heap snapshots before and after a step",
        ),
        // The reason for the restarts comes first.
        _ if facts.state == State::Loops => return None,
        Verdict::Step if facts.climbed_seconds.is_some() && failed("flat-after-load") => (
            2,
            Some(Pattern::Connections),
            "memory climbed under the load and a part of it was not given back: take a heap snapshot before and after the same load, and compare the endpoints that it called (pattern A: connections that are not closed)",
        ),
        Verdict::Step if facts.climbed_seconds.is_some() => (
            2,
            None,
            "memory climbed for a while and kept a part of it: find what ran in that time. If that was a load, give it (--load START..END): what a load leaves behind is then judged. Run it again: a leak adds as much once more, a cache does not",
        ),
        Verdict::Step => (
            2,
            Some(Pattern::Cache),
            "it holds more since one moment: find what ran or was deployed then, and whether a cache has no limit (pattern C)",
        ),
        Verdict::LeakSuspected if jumped => (
            2,
            None,
            "memory jumped: find what ran at that time. Whether it also leaks is open: go on measuring; a heap snapshot now and one later settle it sooner",
        ),
        Verdict::LeakSuspected => (2, None, "go on measuring; a heap snapshot now and one later settle it sooner"),
        _ if failed("flat-after-load") => (
            2,
            Some(Pattern::Connections),
            "what the load took is not given back: take a heap snapshot before and after the same load, and compare the endpoints that it called (pattern A: connections that are not closed)",
        ),
        _ if facts.leans_to_leak => (
            2,
            None,
            "memory seems to climb, but this is not proven yet: go on measuring; a heap snapshot now and one later settle it sooner",
        ),
        _ if !facts.failed => return None,
        _ if (facts.n_spikes > 0 || jumped) && !is_level(verdict) => (
            2,
            None,
            "memory jumped, and whether it goes on growing is not settled: find what ran at that time, and go on measuring",
        ),
        _ if jumped || facts.n_spikes > 0 && !failed("high-memory") => (
            2,
            Some(Pattern::Uploads),
            "memory jumps and does not go on growing: look at upload handling and its buffers (pattern D)",
        ),
        _ if failed("high-memory") && facts.share_of_limit.is_none() => {
            (2, None, "nothing grows: if its real limit leaves more room, give the alert that limit")
        }
        _ if failed("high-memory") => {
            (2, None, "it needs more memory than its limit leaves room for: raise the limit, or make its heap smaller")
        }
        _ if failed("restart-loop") => {
            (2, None, "it was restarted again and again for a while: its events and its logs may say why")
        }
        _ if failed("growth-100mb-5m") => (2, None, "memory rose fast for a while: find what ran at that time"),
        _ => return None,
    })
}
