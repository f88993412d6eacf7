//! How to find the cause: the runbook's level, the leak pattern that the shape points to, and what to do by day.

use super::{Facts, NextAction, State, Step, Target, is_killed_without_a_leak, is_level};
use crate::attribution::Pattern;
use crate::grows::What;
use crate::units::{DAY, duration_text, memory_text};
use crate::verdict::{Doubt, Grounds, Judgement, ShapeName, Verdict};

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

impl NextAction {
    /// Takes over the pattern that evidence points to: the runbook's look at it stands in place of those at what the
    /// shape alone pointed to. `runs`: whether the container is still there to be looked into.
    pub fn follow(&mut self, pattern: Pattern, runs: bool) {
        self.pattern = Some(pattern);
        if let Some(step) = self.tomorrow.as_mut().filter(|_| runs) {
            step.runbook = vec![command(pattern).to_owned()];
        }
    }
}

/// A heap snapshot takes about as much memory again as the heap holds (Node's documentation of
/// `v8.getHeapSnapshot`): above this share of the limit twice as much is where `high-memory` fires, and the process may
/// get killed.
const SNAPSHOT_SHARE: f64 = 0.45;
/// Above this share of the limit memory is near it, whatever its peaks.
const HIGH: f64 = 0.9;
/// What to do about kills for memory that no leak took.
const PEAKS_KILL: &str =
    "its peaks reach its limit: find what runs when it is killed, and size the limit to that, or make its heap smaller";
/// What `of_kind` and `of_shape` say where only time settles it.
const GO_ON: &str = "go on measuring";
/// What they say settles it sooner,
const TWO_SNAPSHOTS: &str = "a heap snapshot now and another one later";
/// or alone where time does not.
const NOT_BY_TIME: &str = "more time alone will not settle it";
/// Two heap snapshots differ by what was gained between them: this share of the memory can be seen.
const SEEN_SHARE: f64 = 0.05;

/// How to find the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    /// The runbook's escalation level.
    pub(super) level: u8,
    /// The leak pattern that the shape points to; `None` where it points to none.
    pub(super) pattern: Option<Pattern>,
    /// Whether a look at what holds the memory belongs to it.
    pub(super) looks: bool,
    /// What to do by day.
    text: String,
}

/// How to find the cause of what is wrong, or what settles what is open; `None` where nothing that is known points to a step.
pub(super) fn of(judgement: &Judgement, facts: &Facts) -> Option<Cause> {
    if let Some((level, pattern, text)) = of_kind(judgement, facts).or_else(|| of_shape(judgement, facts)) {
        // What fails by its rules has other questions.
        let is_open = !facts.failed || judgement.verdict == Verdict::LeakSuspected;
        let text = of_level(facts).filter(|_| is_open).unwrap_or_else(|| text.to_owned());
        return Some(Cause { level, pattern, looks: true, text: with_way_on(judgement, &text) });
    }
    if facts.failed || facts.state != State::Runs {
        return None;
    }
    let text = unsettled(judgement, facts)?;
    Some(Cause { level: 2, pattern: None, looks: false, text })
}

/// What the level says that memory comes back to; `None` where it comes back to none.
fn of_level(facts: &Facts) -> Option<String> {
    let level = memory_text(facts.refills_to_bytes?);
    Some(format!(
        "see whether it has passed the {level} that it held before it fell: a cache stays below it, a leak grows past \
         it"
    ))
}

/// A text that says to go on measuring, with for how long; where no length of time settles it, without that.
fn with_way_on(judgement: &Judgement, text: &str) -> String {
    match judgement.open_for_seconds() {
        Some(longer) => text.replace(GO_ON, &format!("{GO_ON} for about {}", duration_text(longer))),
        None if judgement.is_open() => text.replace(&format!(", and {GO_ON}"), "").replace(
            &format!("{GO_ON}; {TWO_SNAPSHOTS} settle it sooner"),
            &format!("{NOT_BY_TIME}; compare {TWO_SNAPSHOTS}"),
        ),
        None => text.to_owned(),
    }
}

/// The step that follows from what is neither a leak nor a failure.
fn unsettled(judgement: &Judgement, facts: &Facts) -> Option<String> {
    if is_killed_without_a_leak(judgement, facts) {
        return Some(PEAKS_KILL.to_owned());
    }
    if facts.has_undecided {
        return Some("a required criterion could not be decided: the table says which readings it needs".to_owned());
    }
    if facts.has_false_alarm {
        return Some(
            "memory is level, so the alert is a false alarm: find what ran at that time, and adjust the alert if that is \
             usual"
                .to_owned(),
        );
    }
    if let Some(share) = facts.peak_share {
        return Some(format!(
            "its peaks reach {:.0} % of its limit: find what runs then, and raise the limit before a peak gets it killed",
            100.0 * share
        ));
    }
    let shift = if facts.stepped_up { "find what ran or was deployed when its level rose; " } else { "" };
    let how = (judgement.verdict == Verdict::Inconclusive).then(|| {
        match (judgement.open_for_seconds(), &judgement.grounds) {
            (Some(longer), _) => {
                format!("measure for about {} longer, then judge again", duration_text(longer))
            }
            (None, Grounds::NothingAfterLoad) => "go on measuring after the load, then judge again".to_owned(),
            (None, Grounds::Measured(evidence)) if evidence.doubt == Some(Doubt::Unseen) => {
                "find out why its last readings are missing, then judge again with them".to_owned()
            }
            (None, _) => {
                format!("{NOT_BY_TIME}: measure under a steadier load, or an amount that varies less, such as its heap")
            }
        }
    });
    how.map(|how| format!("{shift}{how}"))
}

/// What to do by day: the text, with the risk of a snapshot, and the commands for the pattern.
pub(super) fn tomorrow(target: &Target, facts: &Facts, cause: &Cause) -> Step {
    // Between two snapshots it must gain something to be seen.
    let apart = match facts.seconds_to_double.map(|seconds| SEEN_SHARE * seconds) {
        Some(apart) if DAY <= 2.0 * apart => "a day or more apart, at the same time of day",
        Some(apart) if 3600.0 <= apart => "some hours apart, at times of similar load",
        _ => "some minutes apart",
    };
    let mut text = cause.text.replace("some minutes apart", apart);
    if let Some(change) = facts.began_with.as_ref().filter(|_| facts.version_before.is_none()) {
        text = format!(
            "see what `{change}` changed, and roll it back if you can: growth may have begun with it. Otherwise: {text}"
        );
    }
    // The version before the present one may be one that grows.
    if let Some(version) = &facts.version_before {
        text = text.replace(
            "with the one before, and roll back",
            &format!("with `{version}`, the last that did not grow, and roll back to it"),
        );
    }
    // The runbook's commands for a pattern take one, too.
    let takes_snapshot = text.contains("snapshot") || cause.pattern.is_some();
    // By tomorrow it holds more.
    let by_then = |share: f64| share + (1.0 - share) * (DAY / facts.seconds_to_limit.unwrap_or(f64::INFINITY)).min(1.0);
    if let Some(share) = facts.share_of_limit.filter(|share| by_then(*share) > SNAPSHOT_SHARE && takes_snapshot) {
        let limit = facts.limit_bytes.map_or(String::new(), |limit| format!(" of {}", memory_text(limit)));
        text.push_str(&format!(
            ". Careful: a snapshot needs about as much extra memory as the heap holds, and memory is at {:.0} % of the \
             limit{limit}: raise the limit first, or take it soon after a restart",
            100.0 * share
        ));
    }
    if facts.share_of_limit.is_none() && takes_snapshot {
        text.push_str(". Careful: a snapshot needs about as much extra memory as the heap holds");
    }
    let mut step = Step::looks(text, Vec::new());
    // What is gone cannot be looked into.
    if let Some(pattern) = cause.pattern.filter(|_| facts.state != State::Gone) {
        step.runbook.push(format!(
            "{} | jq 'group_by(.endpoint) | map({{endpoint: .[0].endpoint, count: length}}) | sort_by(-.count)'",
            target.exec("cat /tmp/request-log.json")
        ));
        step.runbook.push(command(pattern).to_owned());
        // A snapshot stops the process while it is taken.
        let snapshot =
            ["curl -X POST http://HOST:3001/debug/heap-snapshot", "scp root@HOST:/tmp/heap-*.heapsnapshot ./"];
        step.changes.extend(snapshot.map(str::to_owned));
    }
    step
}

/// How to find the cause by the kind of memory that grows, as `of_shape`; `None` where that says no more than the shape.
fn of_kind(judgement: &Judgement, facts: &Facts) -> Option<(u8, Option<Pattern>, &'static str)> {
    let verdict = judgement.verdict;
    let is_asked = verdict.is_leak() || verdict == Verdict::LeakSuspected || judgement.is_open() && !facts.failed;
    if facts.state == State::Loops || !is_asked {
        return None;
    }
    let level = if verdict == Verdict::LeakMaskedByRestarts { 3 } else { 2 };
    let text = match facts.grows? {
        What::Heap => {
            "objects on the heap pile up: take two heap snapshots some minutes apart, and compare what is retained"
        }
        What::OutsideHeap => {
            "memory grows outside the heap: count buffers (uploads, streams, images; a heap snapshot of Node shows \
             which objects hold an ArrayBuffer, but not native memory), then look at native modules, and at \
             fragmentation with another allocator (jemalloc, or MALLOC_ARENA_MAX=2)"
        }
        What::HeapReserve => {
            "the reserved heap grows but its objects do not: cap it (--max-old-space-size, -Xmx, GOMEMLIMIT), and look \
             for loads that need a lot of memory at once"
        }
        What::SharedMemory => {
            "the cache in the working set grows: look at the size of /dev/shm and of mounts of type tmpfs (an emptyDir in memory is one), then at files that are mapped or read again and again"
        }
        What::PageCache => {
            "only page cache grows, which the kernel takes back when memory is short: a heap snapshot does not show \
             it. Judge the working set, which leaves idle page cache out, and go on measuring"
        }
        What::Kernel => "memory of the kernel grows: look at sockets, pipes and open files, and at slab in memory.stat",
        What::Swap => {
            "memory grows in swap: compare VmSwap and RssAnon in /proc/PID/status, and look for the leak as if its \
             resident set grew"
        }
        What::Anonymous | What::Nothing | What::Open | What::Unknown => return None,
    };
    Some((level, None, text))
}

/// What to do about growth that began with a version.
const COMPARE_VERSIONS: &str = "it has grown since a version was deployed: compare that version with the one before, and roll back if it cannot be fixed soon; profile one pod before the next rollout replaces it, with the profiler of its runtime (for Node: V8's, or clinic.js)";

/// The runbook's level, the pattern that the shape points to, and how to find the cause; `None` where nothing that is
/// known points to one.
fn of_shape(judgement: &Judgement, facts: &Facts) -> Option<(u8, Option<Pattern>, &'static str)> {
    let failed = |id: &str| facts.failed(id);
    let verdict = judgement.verdict;
    let jumped = failed("confirmed-100mb-60s") || failed("rapid-50mb-per-min");
    Some(match verdict {
        Verdict::Leak if judgement.shape == ShapeName::Sawtooth => (
            2,
            Some(Pattern::Listeners),
            "memory after garbage collections grows: take two heap snapshots some minutes apart, compare retained sizes, and count event listeners (this is the shape of pattern B)",
        ),
        Verdict::Leak if failed("flat-after-load") => (
            2,
            Some(Pattern::Connections),
            "memory taken under the load is not given back, and memory goes on growing: compare it with the rates of queries and requests, count open connections (this is the shape of pattern A), and take two heap snapshots some minutes apart",
        ),
        verdict if verdict.is_leak() && facts.grows_since_version && facts.state != State::Loops => {
            (3, None, COMPARE_VERSIONS)
        }
        Verdict::Leak => (
            2,
            None,
            "it goes on growing: compare it with the rates of queries, requests and jobs, and take two heap snapshots some minutes apart",
        ),
        Verdict::LeakMaskedByRestarts if facts.state == State::Loops => (
            4,
            None,
            "profile one run with the profiler of its runtime (for Node: V8's, or clinic.js), and agree on a stopgap until the leak is found (recycle workers, move caches and sessions out of the process)",
        ),
        Verdict::LeakMaskedByRestarts if facts.of_workload => (
            3,
            None,
            "profile one pod, before the next rollout replaces it, with the profiler of its runtime (for Node: V8's, or clinic.js): rollouts hide this leak",
        ),
        Verdict::LeakMaskedByRestarts if !facts.restarts_are_seen => (
            3,
            None,
            "see whether its drops are restarts: only their depth says so. If they are, profile one run before the next one, with the profiler of its runtime (for Node: V8's, or clinic.js)",
        ),
        Verdict::LeakMaskedByRestarts => (
            3,
            None,
            "profile one run, before its next restart, with the profiler of its runtime (for Node: V8's, or clinic.js): restarts hide this leak, and users notice each of them",
        ),
        Verdict::SteppingGrowth => (
            2,
            Some(Pattern::Cache),
            "memory rises in steps and stays up: look for a cache or session store without a size limit (this is the shape of pattern C), with heap snapshots before and after a step",
        ),
        // The reason for the restarts comes first.
        _ if facts.state == State::Loops => return None,
        Verdict::Step if facts.climbed_seconds.is_some() && failed("flat-after-load") => (
            2,
            Some(Pattern::Connections),
            "memory climbed under the load, and part of the rise stayed: take a heap snapshot before and after the same load, check the endpoints that the load called, and count open connections (this is the shape of pattern A)",
        ),
        Verdict::Step if facts.climbed_seconds.is_some() => (
            2,
            None,
            "memory climbed for a while, and part of the rise stayed: find what ran in that time. If it was a load, pass it with --load START..END: then leaktrend judges what the load leaves behind. Run the load again: a leak adds the same amount again, a cache does not",
        ),
        Verdict::Step => (
            2,
            Some(Pattern::Cache),
            "its memory rose once and stayed up: find what ran or was deployed then, and whether a cache has no limit (this is the shape of pattern C)",
        ),
        Verdict::LeakSuspected if jumped => (
            2,
            None,
            "memory jumped: find what ran at that time. It is not known whether it also leaks: go on measuring; a heap snapshot now and another one later settle it sooner",
        ),
        Verdict::LeakSuspected => {
            (2, None, "go on measuring; a heap snapshot now and another one later settle it sooner")
        }
        _ if failed("flat-after-load") => (
            2,
            Some(Pattern::Connections),
            "memory taken under the load is not given back: take a heap snapshot before and after the same load, check the endpoints that the load called, and count open connections (this is the shape of pattern A)",
        ),
        _ if facts.leans_to_leak => (
            2,
            None,
            "memory seems to climb, but this is not proven yet: go on measuring; a heap snapshot now and another one later settle it sooner",
        ),
        _ => return of_failure(judgement, facts),
    })
}

/// The same of what fails by a rule alone.
fn of_failure(judgement: &Judgement, facts: &Facts) -> Option<(u8, Option<Pattern>, &'static str)> {
    let (verdict, failed) = (judgement.verdict, |id: &str| facts.failed(id));
    let jumped = failed("confirmed-100mb-60s") || failed("rapid-50mb-per-min");
    Some(match verdict {
        _ if !facts.failed => return None,
        _ if is_killed_without_a_leak(judgement, facts) => (2, None, PEAKS_KILL),
        _ if (facts.n_spikes > 0 || jumped) && !is_level(verdict) => (
            2,
            None,
            "memory jumped, and it is not known whether it goes on growing: find what ran at that time, and go on measuring",
        ),
        _ if jumped || facts.n_spikes > 0 && !failed("high-memory") => (
            2,
            Some(Pattern::Uploads),
            "memory jumps and does not go on growing: look at upload handling and its buffers (this is the shape of pattern D)",
        ),
        _ if failed("high-memory") && facts.share_of_limit.is_none() => {
            (2, None, "nothing grows: if its real limit is higher, set that limit in the alert")
        }
        _ if failed("high-memory") && facts.share_of_limit.is_some_and(|share| HIGH < share) => (
            2,
            None,
            "it needs nearly as much as its limit all the time: find what holds the memory, and size the limit to it, or make its heap smaller",
        ),
        _ if failed("high-memory") => (
            2,
            None,
            "its peaks are too close to its limit: find what runs then, and size the limit to them, or make its heap smaller",
        ),
        _ if failed("restart-loop") => {
            (2, None, "it was restarted again and again for a while: its events and its logs may say why")
        }
        _ if failed("growth-100mb-5m") => (2, None, "memory rose fast for a while: find what ran at that time"),
        _ => return None,
    })
}
