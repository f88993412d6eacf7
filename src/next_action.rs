//! What to do next: what is fitting tonight, what is for tomorrow, and commands ready to be pasted.
//!
//! Takes the verdict and the facts of one series; gives the runbook's escalation level, its leak pattern where the shape
//! points to one, and steps. Commands are the runbook's, with the container's name as one word of the shell.

mod target;

use crate::judge::{Judgement, ShapeName, Verdict};
use crate::units::{duration_text, memory_text};

pub use target::{Target, shell_quoted};

/// What to do next about a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextAction {
    /// The runbook's escalation level, 1 to 4.
    pub level: u8,
    /// The runbook's leak pattern, `A` to `D`; `None` when the shape points to none.
    pub pattern: Option<&'static str>,
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
    /// Number of kills for memory.
    pub n_kills: usize,
    /// Whether an unsettled trend is probably a leak.
    pub leans_to_leak: bool,
}

impl Facts {
    fn failed(&self, id: &str) -> bool {
        self.failed_criteria.contains(&id)
    }

    /// Whether memory is near its limit now, or will be within half an hour.
    fn is_near_limit(&self) -> bool {
        self.share_of_limit.is_some_and(|share| share >= 0.9) || self.seconds_to_limit.is_some_and(|left| left < 1800.0)
    }
}

/// What the runbook tells apart by the shape of memory over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pattern {
    /// Memory grows with the load: connections that are not closed.
    Connections,
    /// What collections leave grows: event listeners that pile up.
    Listeners,
    /// Memory jumps and stays: a cache without a limit.
    Cache,
    /// Memory jumps and comes back: buffers of uploads.
    Uploads,
}

impl Pattern {
    const fn name(self) -> &'static str {
        match self {
            Pattern::Connections => "A",
            Pattern::Listeners => "B",
            Pattern::Cache => "C",
            Pattern::Uploads => "D",
        }
    }

    /// The runbook's look at the suspect.
    const fn command(self) -> &'static str {
        match self {
            Pattern::Connections => {
                r#"psql "$DATABASE_URL" -c "SELECT state, count(*) FROM pg_stat_activity GROUP BY state""#
            }
            Pattern::Listeners => "curl http://HOST:3001/debug/event-listeners | jq",
            Pattern::Cache => "curl http://HOST:3001/debug/cache-stats | jq",
            Pattern::Uploads => r#"grep -r "multer" apps/api/src --include="*.ts""#,
        }
    }
}

/// A heap snapshot takes about as much memory again as the heap holds (Node's documentation of
/// `v8.getHeapSnapshot`): above this share of the limit it may get the process killed.
const SNAPSHOT_SHARE: f64 = 0.5;
/// What is reached within this time must be dealt with before the morning, in seconds.
const NIGHT: f64 = 12.0 * 3600.0;

/// The next action for a container; `None` when nothing needs to be done.
///
/// Commands of the runbook's own services (Node, its debug endpoints, its database) stand only where the shape, or a
/// load, points to one of its patterns.
pub fn of(target: &Target, judgement: &Judgement, facts: &Facts) -> Option<NextAction> {
    let cause = cause(judgement, facts);
    if cause.is_none() && !facts.failed {
        return None;
    }
    let (level, mut tonight) = tonight(target, judgement, facts);
    let tomorrow = cause.map(|(_, pattern, text)| tomorrow(target, facts, pattern, text));
    let level = level.or(cause.map(|(level, _, _)| level)).unwrap_or(2);
    if *target == Target::Unnamed {
        tonight.text.push_str(". The input does not name its containers: put the name for CONTAINER");
    }
    Some(NextAction { level, pattern: cause.and_then(|(_, pattern, _)| Some(pattern?.name())), tonight, tomorrow })
}

/// What is fitting now, and the runbook's level where that is what it is about.
fn tonight(target: &Target, judgement: &Judgement, facts: &Facts) -> (Option<u8>, Step) {
    let step = |text: &str, commands: Vec<String>| Step { text: text.to_owned(), commands };
    let is_leak = judgement.verdict.is_leak();
    if facts.state == State::Gone {
        let text =
            "its readings have ended: see whether it still runs and why it ended, and start it again if it is needed";
        return (Some(1), step(text, target.why_restarted().to_vec()));
    }
    if facts.state == State::Loops {
        let mut commands = target.why_restarted().to_vec();
        commands.push(target.watch());
        if !facts.restarts_are_seen {
            let text = "it looks restarted again and again, and only the values say so: confirm it by its events and its \
                        last state before anything else, for garbage collections can look alike";
            return (None, step(text, commands));
        }
        if facts.n_kills == 0 && !is_leak {
            let text = "it is restarted again and again, and nothing shows that memory is why: read its last state and its \
                        events for the reason";
            return (None, step(text, commands));
        }
        let mut text = if is_leak {
            "it runs out of memory again and again, and one more restart changes nothing: confirm the reason, and raise \
             the limit so that each run lasts long enough to be profiled"
        } else {
            "it is killed for memory again and again, though nothing shows a leak: confirm the reason, and raise the limit \
             or make its heap smaller"
        }
        .to_owned();
        let memory = facts.limit_bytes.map_or_else(|| "4g".to_owned(), |limit| format!("{:.0}", 2.0 * limit));
        match target.larger_limit(&memory) {
            Some(command) => commands.push(command),
            None => text.push_str("; the limit stands in the manifest of its workload (resources.limits.memory)"),
        }
        return (is_leak.then_some(4), Step { text, commands });
    }
    if facts.is_near_limit() && (is_leak || facts.failed) {
        let text = "the limit is near: look at what holds the memory, then restart it, which buys time. Take no heap \
                    snapshot first: it needs about as much memory again, and gets the process killed";
        let commands = vec![target.watch(), target.memory_stat(), target.restart()];
        return (Some(1), step(text, commands));
    }
    let watch = vec![target.watch(), target.memory_stat()];
    let text = match facts.seconds_to_limit {
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
        Some(left) => format!("nothing has to be done: the limit is about {} away", duration_text(left)),
        None if is_leak && facts.limit_bytes.is_none() => {
            "its limit is not in the input, so how long it lasts is not known: ask for the limit, and for what the host has left"
                .to_owned()
        }
        None if facts.share_of_limit.is_some_and(|share| share >= 0.9) => {
            "memory is near its limit: see what holds it".to_owned()
        }
        None => "nothing has to be done".to_owned(),
    };
    (None, Step { text, commands: watch })
}

/// What finds the cause: the text with what a snapshot risks, and the commands that the pattern points to.
fn tomorrow(target: &Target, facts: &Facts, pattern: Option<Pattern>, text: &str) -> Step {
    let mut text = text.to_owned();
    if let Some(share) = facts.share_of_limit.filter(|share| *share > SNAPSHOT_SHARE && text.contains("snapshot")) {
        let limit = facts.limit_bytes.map_or(String::new(), |limit| format!(" of {}", memory_text(limit)));
        text.push_str(&format!(
            ". Careful: a snapshot needs about as much memory again as the heap holds, and memory is at {:.0} % of the \
             limit{limit}: raise the limit first, or take it soon after a restart",
            100.0 * share
        ));
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
        commands.push(pattern.command().to_owned());
    }
    Step { text, commands }
}

/// The runbook's level, the pattern that the shape points to, and how to find the cause; `None` where nothing that is
/// known points to one.
fn cause(judgement: &Judgement, facts: &Facts) -> Option<(u8, Option<Pattern>, &'static str)> {
    let failed = |id: &str| facts.failed(id);
    let verdict = judgement.verdict;
    let is_level = verdict.proves_no_leak() || verdict == Verdict::Step;
    Some(match verdict {
        Verdict::Leak if judgement.shape == ShapeName::Sawtooth => (
            2,
            Some(Pattern::Listeners),
            "what garbage collection leaves behind grows: take two heap snapshots an hour apart, compare retained sizes, and count event listeners (pattern B)",
        ),
        Verdict::Leak if failed("flat-after-load") => (
            2,
            Some(Pattern::Connections),
            "what the load took is not given back, and memory goes on growing: compare it with the query and request rate (pattern A: connections that are not closed), and take two heap snapshots some minutes apart",
        ),
        Verdict::Leak => (
            2,
            None,
            "growth is steady: compare it with the rates of queries and requests, and take two heap snapshots some minutes apart",
        ),
        Verdict::LeakMaskedByRestarts if facts.state == State::Loops => (
            4,
            None,
            "profile one run with the profiler of its runtime (of Node: V8's, or clinic.js), and let the architects decide what holds until the leak is found (workers that are replaced, caches and sessions outside the process)",
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
        Verdict::Step => (
            2,
            Some(Pattern::Cache),
            "one operation kept memory for good: find what ran at that time, and whether its cache has a limit (pattern C)",
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
            "memory climbs, which is not proven yet: go on measuring; a heap snapshot now and one later settle it sooner",
        ),
        _ if !facts.failed => return None,
        _ if (facts.n_spikes > 0 || failed("confirmed-100mb-60s") || failed("rapid-50mb-per-min")) && !is_level => (
            2,
            None,
            "memory jumped, and whether it goes on growing is not settled: find what ran at that time, and go on measuring",
        ),
        _ if facts.n_spikes > 0 || failed("confirmed-100mb-60s") || failed("rapid-50mb-per-min") => (
            2,
            Some(Pattern::Uploads),
            "memory jumps and does not go on growing: look at upload handling and its buffers (pattern D)",
        ),
        _ if failed("high-memory") => {
            (2, None, "it needs more memory than its limit leaves room for: raise the limit, or make its heap smaller")
        }
        _ if failed("restart-loop") => {
            (2, None, "it was restarted again and again for a while: see what its events and its logs say of why")
        }
        _ if failed("growth-100mb-5m") => (2, None, "memory rose fast for a while: find what ran at that time"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::target::operand;
    use super::*;
    use crate::judge::{Regime, RegimeWhy};

    fn judgement(verdict: Verdict, shape: ShapeName) -> Judgement {
        Judgement {
            verdict,
            shape,
            reason: String::new(),
            would_change: String::new(),
            growth: None,
            onset_seconds: None,
            change_points: Vec::new(),
            detectable: None,
            regime: Regime { start_seconds: 0.0, why: RegimeWhy::Whole },
            before: None,
        }
    }

    fn facts(failed_criteria: &[&'static str]) -> Facts {
        Facts {
            failed: true,
            failed_criteria: failed_criteria.to_vec(),
            n_spikes: 0,
            limit_bytes: Some(335_544_320.0),
            share_of_limit: Some(0.3),
            seconds_to_limit: None,
            state: if failed_criteria.contains(&"restart-loop") { State::Loops } else { State::Runs },
            restarts_are_seen: true,
            n_kills: failed_criteria.contains(&"restart-loop").into(),
            leans_to_leak: false,
        }
    }

    fn docker(name: &str) -> Target {
        Target::Docker(name.to_owned())
    }

    #[track_caller]
    fn check(verdict: Verdict, shape: ShapeName, failed: &[&'static str], expected: (u8, Option<&str>)) {
        let action = of(&docker("web"), &judgement(verdict, shape), &facts(failed)).unwrap();
        assert_eq!((action.level, action.pattern), expected);
    }

    #[test]
    fn the_shape_points_to_a_pattern_and_restarts_to_a_level() {
        check(Verdict::Leak, ShapeName::Linear, &[], (2, None));
        check(Verdict::Leak, ShapeName::Linear, &["flat-after-load"], (2, Some("A")));
        check(Verdict::Leak, ShapeName::Sawtooth, &[], (2, Some("B")));
        check(Verdict::SteppingGrowth, ShapeName::Staircase, &[], (2, Some("C")));
        check(Verdict::Step, ShapeName::Step, &["flat-after-load"], (2, Some("C")));
        check(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth, &[], (3, None));
        check(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth, &["restart-loop"], (4, None));
        check(Verdict::LeakSuspected, ShapeName::Linear, &[], (2, None));
        check(Verdict::Flat, ShapeName::Flat, &["flat-after-load"], (2, Some("A")));
        check(Verdict::Flat, ShapeName::Flat, &["confirmed-100mb-60s"], (2, Some("D")));
        check(Verdict::Inconclusive, ShapeName::Unknown, &["restart-loop"], (2, None));
        let healthy = Facts { failed: false, ..facts(&[]) };
        assert_eq!(of(&docker("web"), &judgement(Verdict::Flat, ShapeName::Flat), &healthy), None);
    }

    #[test]
    fn near_the_limit_a_restart_comes_first() {
        let near = Facts { share_of_limit: Some(0.95), ..facts(&[]) };
        let action = of(&docker("web"), &judgement(Verdict::Leak, ShapeName::Linear), &near).unwrap();
        assert_eq!((action.level, action.tonight.commands[2].as_str()), (1, "docker restart web"));
        assert!(action.tonight.text.contains("Take no heap snapshot first"), "{}", action.tonight.text);
        // Half full it may be taken, with a warning; with room to spare without one.
        for (share, is_warned) in [(0.6, true), (0.3, false)] {
            let roomy = Facts { share_of_limit: Some(share), ..facts(&[]) };
            let action = of(&docker("web"), &judgement(Verdict::Leak, ShapeName::Linear), &roomy).unwrap();
            assert_eq!(action.tomorrow.unwrap().text.contains("Careful: a snapshot"), is_warned, "{share}");
        }
    }

    /// What to do follows from what is known, not from the name of a verdict.
    #[test]
    fn no_step_contradicts_the_facts() {
        let step = |verdict, facts: &Facts| of(&docker("web"), &judgement(verdict, ShapeName::Unknown), facts).unwrap();
        // What climbs is not said not to.
        let climbs = Facts { leans_to_leak: true, n_spikes: 3, ..facts(&["confirmed-100mb-60s"]) };
        let action = step(Verdict::Inconclusive, &climbs);
        assert_eq!(action.pattern, None);
        assert!(!action.text().contains("does not go on growing"), "{}", action.text());
        // What is restarted again and again is not measured on, nor restarted once more.
        for verdict in [Verdict::Inconclusive, Verdict::LeakSuspected, Verdict::LeakMaskedByRestarts, Verdict::Flat] {
            let action = step(verdict, &Facts { share_of_limit: Some(0.99), ..facts(&["restart-loop"]) });
            assert!(!action.text().contains("go on measuring"), "{}", action.text());
            assert!(action.commands().iter().all(|command| !command.starts_with("docker restart")));
        }
        // What is not killed for memory gets no larger limit.
        let other = step(Verdict::Flat, &Facts { n_kills: 0, ..facts(&["restart-loop"]) });
        assert!(other.commands().iter().all(|command| !command.contains("update")), "{:?}", other.commands());
        // Falls that may be collections are confirmed first.
        let fallen = Facts { restarts_are_seen: false, ..facts(&["restart-loop"]) };
        let action = step(Verdict::LeakMaskedByRestarts, &fallen);
        assert!(action.tonight.text.contains("confirm it by its events"), "{}", action.tonight.text);
        assert!(action.commands().iter().all(|command| !command.contains("update")), "{:?}", action.commands());
        // What is gone is not looked into.
        for (verdict, shape) in [(Verdict::SteppingGrowth, ShapeName::Staircase), (Verdict::Leak, ShapeName::Linear)] {
            let gone = Facts { state: State::Gone, share_of_limit: Some(0.99), ..facts(&[]) };
            let action = of(&docker("web"), &judgement(verdict, shape), &gone).unwrap();
            assert!(action.commands().iter().all(|command| !command.contains("exec")), "{:?}", action.commands());
        }
        // Two days are no reason to get up, two hours are.
        let leak = |seconds| step(Verdict::Leak, &Facts { seconds_to_limit: Some(seconds), ..facts(&[]) });
        assert!(leak(172_800.0).tonight.text.starts_with("nothing has to be done"), "{:?}", leak(172_800.0));
        assert!(leak(7200.0).tonight.text.contains("restart it before then"), "{:?}", leak(7200.0));
    }

    #[test]
    fn commands_are_those_of_the_runbook_with_the_name_filled_in() {
        let looping = facts(&["restart-loop"]);
        let action =
            of(&docker("web-1"), &judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth), &looping).unwrap();
        insta::assert_snapshot!(action.commands().join("\n"));
        let unnamed = of(&Target::Unnamed, &judgement(Verdict::Leak, ShapeName::Linear), &facts(&[])).unwrap();
        assert_eq!(unnamed.commands()[0], "docker stats --no-stream CONTAINER");
        assert!(unnamed.tonight.text.ends_with("put the name for CONTAINER"), "{}", unnamed.tonight.text);
    }

    /// The runbook's stack is not everybody's: its commands stand where its patterns are.
    #[test]
    fn commands_of_one_stack_need_a_pattern() {
        let commands = |shape| of(&docker("web"), &judgement(Verdict::Leak, shape), &facts(&[])).unwrap().commands();
        assert_eq!(
            commands(ShapeName::Linear),
            ["docker stats --no-stream web", "docker exec web cat /sys/fs/cgroup/memory.stat"]
        );
        assert!(commands(ShapeName::Sawtooth).iter().any(|command| command.contains("/debug/heap-snapshot")));
    }

    fn pod(namespace: Option<&str>, pod: &str, container: Option<&str>) -> Target {
        let [namespace, container] = [namespace, container].map(|name| name.map(str::to_owned));
        Target::Kubernetes { namespace, pod: pod.to_owned(), container }
    }

    #[test]
    fn what_runs_in_kubernetes_gets_commands_of_kubectl() {
        let urgent = Facts { share_of_limit: Some(0.95), ..facts(&["restart-loop"]) };
        let shop = pod(Some("shop"), "api-7d9f-x2x4k", Some("app"));
        let action = of(&shop, &judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth), &urgent).unwrap();
        insta::assert_snapshot!(action.commands().join("\n"));
        let cache = of(&shop, &judgement(Verdict::SteppingGrowth, ShapeName::Staircase), &facts(&[])).unwrap();
        let log = "kubectl -n shop exec api-7d9f-x2x4k -c app -- cat /tmp/request-log.json | jq ";
        assert!(cache.commands().iter().any(|command| command.starts_with(log)), "{:?}", cache.commands());
        assert!(cache.commands().iter().all(|command| !command.contains("docker")), "{:?}", cache.commands());
        let level_4 =
            of(&shop, &judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth), &facts(&["restart-loop"]));
        assert!(
            level_4
                .unwrap()
                .tonight
                .text
                .ends_with("the limit stands in the manifest of its workload (resources.limits.memory)")
        );
        let bare = of(&pod(None, "api", None), &judgement(Verdict::Leak, ShapeName::Linear), &facts(&[])).unwrap();
        assert_eq!(
            bare.commands(),
            ["kubectl top pod --containers api", "kubectl exec api -- cat /sys/fs/cgroup/memory.stat"]
        );
    }

    #[test]
    fn a_name_is_one_word_of_the_shell() {
        assert_eq!(shell_quoted("web-1"), "web-1");
        assert_eq!(shell_quoted("a b"), "'a b'");
        assert_eq!(shell_quoted("x'; rm -rf /; '"), r"'x'\''; rm -rf /; '\'''");
        assert_eq!(shell_quoted("$(reboot)\u{1b}[2J"), "'$(reboot)[2J'");
        assert_eq!(shell_quoted(""), "''");
        assert_eq!(operand("--privileged"), "-- '--privileged'");
    }

    /// A real shell takes every name for what it is, in every command that holds it.
    #[test]
    fn a_real_shell_sees_the_name_and_nothing_else() {
        let names =
            ["web", "it's", "a b", "$(touch owned)", "`id`", "-rf", "a\"b", "!!", "*", "x;y|z&", "\\", "~", "é"];
        for name in names {
            let looping = facts(&["restart-loop"]);
            let in_pod = pod(Some(name), name, Some(name));
            let judged = judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth);
            let commands =
                [docker(name), in_pod].map(|target| of(&target, &judged, &looping).unwrap().commands()).concat();
            for command in &commands {
                let script =
                    format!("docker() {{ printf '%s\\n' \"$@\"; }}; kubectl() {{ docker \"$@\"; }}; {command}");
                let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
                let words = String::from_utf8(output.stdout).unwrap();
                let expected = |word: &str| word == name || word == format!("container={name}");
                assert!(words.lines().any(expected), "{command}: {words}");
                assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command}");
            }
        }
    }
}
