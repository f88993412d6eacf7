//! Logs of kernels and applications: lines that say that memory ran out.
//!
//! Takes the lines of a file of any size, one by one; gives events, and an account in which every other line is counted.
//! Known are `Killed process N (name)` of the kernel with the cgroup that it names before, V8's `JavaScript heap out of
//! memory`, which ends the process, and Java's `OutOfMemoryError`, which need not.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::LazyLock;

use regex::Regex;

use super::docker::OfFile;
use super::owner::POD_UID;
use super::runs::REASON;
use super::timestamp::{self, Timestamp};
use super::{Action, Event, Teller};
use crate::account::{EventWarning, Input, Purpose, TimeWarning, cleaned};
use crate::open::{Line, Lines};

/// One want of memory is told again within so long: by its causes, and by each thread.
const AGAIN_MS: i64 = 10_000;

/// What a line must hold to be looked at.
static MARKER: LazyLock<regex::bytes::Regex> = LazyLock::new(|| {
    regex::bytes::Regex::new(
        r"Killed process |oom-kill:|Task in /|JavaScript heap out of memory|java\.lang\.OutOfMemoryError",
    )
    .expect("the pattern is a regular expression")
});

static KILLED: LazyLock<Regex> = LazyLock::new(|| pattern(r"Killed process (?P<pid>[0-9]+)[, ]+\((?P<name>[^)]*)\)"));
/// Linux 4.19 and later say which cgroup a task is of before they say that it was killed.
static CGROUP: LazyLock<Regex> = LazyLock::new(|| pattern(r"task_memcg=(?P<path>/[^,]*),task=.*?,pid=(?P<pid>[0-9]+)"));
/// Earlier ones said it so.
static TASK: LazyLock<Regex> = LazyLock::new(|| pattern(r"Task in (?P<path>/\S*) killed as a result of limit of"));
static ID: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[^0-9a-f])(?P<id>[0-9a-f]{64})(?:[^0-9a-f]|$)"));
static POD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"pod(?P<uid>[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})"));
static JAVA: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"java\.lang\.OutOfMemoryError(?:: (?P<why>[A-Za-z][A-Za-z ]*[A-Za-z]))?"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a regular expression")
}

/// Whether a file is a log, by its beginning: a line has a time, or says that memory ran out.
pub(super) fn looks_like_log(beginning: &str) -> bool {
    MARKER.is_match(beginning.as_bytes())
        || beginning.lines().any(|line| timestamp::timestamp(line, Some(0)).is_some() || UPTIME.is_match(line))
}

/// The kernel's own time: seconds since it began.
static UPTIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*(?:<[0-9]+>)?\[\s*[0-9]+\.[0-9]{6}\]"));

/// Reads one log. `name`: of the file, which says whose it is where lines do not; `around_ms`: when readings were taken.
pub(super) fn read(
    lines: &mut Lines<impl Read>,
    index: usize,
    name: &str,
    around_ms: Option<i64>,
    input: &mut Input,
) -> OfFile {
    let mut log = Log {
        index,
        name,
        around_ms,
        input,
        events: Vec::new(),
        n_lines: 0,
        cgroup: None,
        heap_ms: None,
        n_untimed: 0,
        n_zoneless: 0,
    };
    let failed = loop {
        match lines.next() {
            Ok(Some(line)) => log.read_line(&line),
            Ok(None) => break None,
            Err(error) => break Some(format!("it cannot be read: {error}")),
        }
    };
    log.say();
    let Log { events, n_lines, .. } = log;
    // A log of kills says nothing of other restarts: it covers no time.
    OfFile { events, span: None, failed, n_lines }
}

/// A log that is being read.
struct Log<'a> {
    index: usize,
    name: &'a str,
    around_ms: Option<i64>,
    input: &'a mut Input,
    events: Vec<Event>,
    n_lines: u64,
    /// What the kernel said last of a cgroup: its path, and the process where it names one.
    cgroup: Option<(String, Option<String>)>,
    /// When an application last said that it has no memory.
    heap_ms: Option<i64>,
    n_untimed: u64,
    n_zoneless: u64,
}

impl Log<'_> {
    fn read_line(&mut self, line: &Line<'_>) {
        self.n_lines += 1;
        if !MARKER.is_match(line.bytes) || !self.take(&line.text()) {
            self.input.other_lines += 1;
        }
    }

    /// Takes what a line tells; otherwise it is another line.
    fn take(&mut self, text: &str) -> bool {
        if let Some(found) = CGROUP.captures(text) {
            self.cgroup = Some((found["path"].to_owned(), Some(found["pid"].to_owned())));
            return false;
        }
        if let Some(found) = TASK.captures(text) {
            self.cgroup = Some((found["path"].to_owned(), None));
            return false;
        }
        let killed = KILLED.captures(text);
        let cgroup = if killed.is_some() { self.cgroup.take() } else { None };
        let Some(Timestamp { time_ms, has_zone }) = timestamp::timestamp(text, self.around_ms) else {
            self.n_untimed += 1;
            return false;
        };
        let n_before = self.events.len();
        if let Some(killed) = killed {
            let cgroup = cgroup.filter(|(_, pid)| pid.as_deref().is_none_or(|pid| pid == &killed["pid"]));
            self.killed(time_ms, &killed["name"], cgroup.map(|(path, _)| path));
        } else {
            self.out_of_heap(time_ms, text);
        }
        let is_event = n_before < self.events.len();
        self.n_zoneless += u64::from(is_event && !has_zone);
        is_event
    }

    fn killed(&mut self, time_ms: i64, process: &str, cgroup: Option<String>) {
        let mut attributes = BTreeMap::from([("process".to_owned(), cleaned(process, 60))]);
        let cgroup = cgroup.unwrap_or_default();
        if let Some(found) = POD.captures(&cgroup) {
            attributes.insert(POD_UID.to_owned(), found["uid"].replace('_', "-"));
        }
        let id = ID.captures(&cgroup).map_or_else(|| self.name.to_owned(), |found| found["id"].to_owned());
        self.push(Event { input: self.index, time_ms, action: Action::Oom, id, attributes, teller: Teller::Kernel });
    }

    fn out_of_heap(&mut self, time_ms: i64, text: &str) {
        let is_v8 = text.contains("JavaScript heap out of memory");
        let why = JAVA.captures(text).and_then(|found| Some(found.name("why")?.as_str().to_owned()));
        // Threads are not memory of the heap.
        if why.as_deref().is_some_and(|why| why.starts_with("unable to create")) {
            return;
        }
        if self.heap_ms.replace(time_ms).is_some_and(|last_ms| (time_ms - last_ms).abs() <= AGAIN_MS) {
            return;
        }
        let reason = if is_v8 {
            "JavaScript heap out of memory"
        } else {
            why.as_deref().unwrap_or("java.lang.OutOfMemoryError")
        };
        let ends = is_v8 || text.contains("Terminating due to") || text.contains("Aborting due to");
        for action in [Action::Oom, Action::Die].into_iter().take(1 + usize::from(ends)) {
            let attributes = BTreeMap::from([(REASON.to_owned(), reason.to_owned())]);
            let id = self.name.to_owned();
            self.push(Event { input: self.index, time_ms, action, id, attributes, teller: Teller::Application });
        }
    }

    fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    fn say(&mut self) {
        if 0 < self.n_untimed {
            self.input.warn(EventWarning::Untimed { n: self.n_untimed });
        } else if self.events.is_empty() && 0 < self.n_lines {
            self.input.warn(EventWarning::NoMention { n_lines: self.n_lines });
        }
        if 0 < self.n_zoneless {
            self.input.warn(TimeWarning::NoZone { of: Purpose::Events, example: String::new() });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::events::read_events;
    use crate::open::Given;
    use crate::report::words;

    const ID: &str = "3f2a9c0d1e4b5a6978870615243342516f7e8d9c0b1a29384756647382910abc";
    /// 2026-11-23T20:13:08Z.
    const AT: i64 = 1_795_464_788_000;

    /// Events as lines (seconds, what, whose, why), then the account.
    fn said(name: &str, text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let log = read_events(&[Given { series: None, path }], Some(AT));
        let input = &log.inputs[0];
        let mut said = String::new();
        for event in &log.events {
            let more: Vec<String> = event.attributes.iter().map(|(key, value)| format!(" {key}={value}")).collect();
            let seconds = (event.time_ms - AT) as f64 / 1e3;
            said +=
                &format!("{seconds} {:?} of {} by {}{}\n", event.action, event.id, event.teller.name(), more.concat());
        }
        let n_lines = text.lines().count() as u64;
        let n_accounted = input.events.map_or(0, |events| events.read.min(n_lines)) + input.other_lines;
        said + &format!(
            "{} {n_lines} lines, {} other, {} rejected\n{}{}",
            input.format_name().unwrap_or("unusable"),
            input.other_lines,
            input.rejected_count,
            words::warnings(input).join("\n"),
            input.unusable.as_ref().map_or_else(
                || if n_accounted < n_lines { "LINES ARE MISSING" } else { "" }.to_owned(),
                ToString::to_string
            )
        )
    }

    #[test]
    fn the_kernel_names_the_container_by_its_cgroup() {
        let docker = format!(
            "[Mon Nov 23 20:13:07 2026] node invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n\
             [Mon Nov 23 20:13:08 2026] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset={ID},mems_allowed=0,oom_memcg=/docker/{ID},task_memcg=/docker/{ID},task=node,pid=4711,uid=0\n\
             [Mon Nov 23 20:13:08 2026] Memory cgroup out of memory: Killed process 4711 (node) total-vm:1124396kB, anon-rss:521032kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:2100kB oom_score_adj:0\n\
             [Mon Nov 23 20:13:09 2026] oom_reaper: reaped process 4711 (node), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB\n"
        );
        insta::assert_snapshot!(said("dmesg.txt", &docker), @r"
        0 Oom of 3f2a9c0d1e4b5a6978870615243342516f7e8d9c0b1a29384756647382910abc by the kernel log process=node
        log 4 lines, 3 other, 0 rejected
        its timestamps have no time zone: they are read as UTC
        ");
        let pod = format!(
            "Nov 23 20:13:08 node-1 kernel: [ 4242.123456] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=cri-containerd-{ID}.scope,mems_allowed=0,oom_memcg=/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b2c3d_1111_2222_3333_444455556666.slice/cri-containerd-{ID}.scope,task_memcg=/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b2c3d_1111_2222_3333_444455556666.slice/cri-containerd-{ID}.scope,task=node,pid=4711,uid=0\n\
             Nov 23 20:13:08 node-1 kernel: [ 4242.123460] Memory cgroup out of memory: Killed process 4711 (node) total-vm:1124396kB\n"
        );
        insta::assert_snapshot!(said("kern.log", &pod), @r"
        0 Oom of 3f2a9c0d1e4b5a6978870615243342516f7e8d9c0b1a29384756647382910abc by the kernel log leaktrend.pod-uid=0a1b2c3d-1111-2222-3333-444455556666 process=node
        log 2 lines, 1 other, 0 rejected
        its timestamps have no time zone: they are read as UTC
        ");
        // Before Linux 4.19, as journalctl -o short-iso prints it.
        let old = format!(
            "2026-11-23T21:13:08+0100 node-1 kernel: Task in /docker/{ID} killed as a result of limit of /docker/{ID}\n\
             2026-11-23T21:13:08+0100 node-1 kernel: Memory cgroup out of memory: Kill process 4711 (node) score 1950 or sacrifice child\n\
             2026-11-23T21:13:08+0100 node-1 kernel: Killed process 4711 (node) total-vm:1124396kB, anon-rss:521032kB\n"
        );
        insta::assert_snapshot!(said("journal.txt", &old), @r"
        0 Oom of 3f2a9c0d1e4b5a6978870615243342516f7e8d9c0b1a29384756647382910abc by the kernel log process=node
        log 3 lines, 2 other, 0 rejected
        ");
        // Another process than the one whose cgroup is known: of nobody.
        let other = docker.replace("Killed process 4711", "Killed process 4712");
        insta::assert_snapshot!(said("dmesg.txt", &other).lines().next().unwrap(), @"0 Oom of dmesg by the kernel log process=node");
    }

    #[test]
    fn applications_say_that_their_heap_is_full() {
        let node = "2026-11-23T20:13:07.100000000Z <--- Last few GCs --->\n\
                    2026-11-23T20:13:08.000000000Z FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n\
                    2026-11-23T20:13:08.000100000Z ----- Native stack trace -----\n\
                    2026-11-23T20:20:00.000000000Z listening\n";
        insta::assert_snapshot!(said("web.log", node), @r"
        0 Oom of web by its log leaktrend.reason=JavaScript heap out of memory
        0 Die of web by its log leaktrend.reason=JavaScript heap out of memory
        log 4 lines, 3 other, 0 rejected
        ");
        let java = "2026-11-23 20:13:08.000 ERROR 1 --- [nio-8080] c.s.Api : java.lang.OutOfMemoryError: Java heap space\n\
                    2026-11-23 20:13:08.010 ERROR 1 --- Caused by: java.lang.OutOfMemoryError: Java heap space\n\
                    2026-11-23 20:14:08.010 Terminating due to java.lang.OutOfMemoryError: GC overhead limit exceeded\n\
                    2026-11-23 20:15:08.010 java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory\n";
        insta::assert_snapshot!(said("api.log", java), @r"
        0 Oom of api by its log leaktrend.reason=Java heap space
        60.01 Oom of api by its log leaktrend.reason=GC overhead limit exceeded
        60.01 Die of api by its log leaktrend.reason=GC overhead limit exceeded
        log 4 lines, 2 other, 0 rejected
        its timestamps have no time zone: they are read as UTC
        ");
        let json = "{\"level\":30,\"time\":1795464780000,\"msg\":\"up\"}\n\
                    {\"log\":\"FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-23T20:13:08Z\"}\n";
        insta::assert_snapshot!(said("web.json.log", json), @r"
        0 Oom of web by its log leaktrend.reason=JavaScript heap out of memory
        0 Die of web by its log leaktrend.reason=JavaScript heap out of memory
        log 2 lines, 1 other, 0 rejected
        ");
    }

    #[test]
    fn a_line_without_a_time_is_said_and_not_used() {
        let text = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n[12345.678901] Killed process 1 (node) total-vm:1kB\n";
        insta::assert_snapshot!(said("web.log", text), @r"
        log 2 lines, 2 other, 0 rejected
        2 lines say that memory ran out, but not when: not matched with readings (`docker logs --timestamps`, `kubectl logs --timestamps` and `dmesg -T` print times)
        ");
    }

    #[test]
    fn a_log_without_a_kill_says_so() {
        insta::assert_snapshot!(said("web.log", "2026-11-23T20:13:08Z GET / 200\n2026-11-23T20:13:09Z GET / 200\n"), @r"
        log 2 lines, 2 other, 0 rejected
        it has 2 lines, but no mention of memory running out
        ");
    }
}
