//! What to do next: the runbook's escalation level, its leak pattern by shape, and commands ready to be pasted.
//!
//! Takes the verdict and what is urgent about a series; gives one step and its commands. Commands are the runbook's,
//! with the container's name as one word of the shell.

use crate::judge::{Judgement, ShapeName, Verdict};

/// What to do next about a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextAction {
    /// The runbook's escalation level, 1 to 4.
    pub level: u8,
    /// The runbook's leak pattern, `A` to `D`; `None` when the shape points to none.
    pub pattern: Option<&'static str>,
    /// What to do and why, in a sentence or two.
    pub text: String,
    /// Commands for a shell, names quoted.
    pub commands: Vec<String>,
}

/// How urgent a series is, beside its verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Urgency {
    /// Whether memory is near its limit now, or will be within half an hour.
    pub near_limit: bool,
    /// Whether the series fails.
    pub failed: bool,
    /// The criteria that gate and have failed.
    pub failed_criteria: Vec<&'static str>,
    /// Number of short spikes.
    pub n_spikes: usize,
    /// The container's own limit, in bytes; `None` where it is not known.
    pub limit_bytes: Option<f64>,
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

/// Where a container runs, and how commands name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A container of docker, by its name.
    Docker(String),
    /// A container of a pod; the namespace and the container as far as they are known.
    Kubernetes {
        /// Its namespace.
        namespace: Option<String>,
        /// Its pod.
        pod: String,
        /// Its container within the pod.
        container: Option<String>,
    },
    /// One that the input does not name: commands hold `CONTAINER`.
    Unnamed,
}

impl Target {
    /// What it holds, and of which kind.
    fn watch(&self) -> String {
        match self {
            Target::Kubernetes { namespace, pod, .. } => {
                format!("kubectl{} top pod --containers {}", in_namespace(namespace.as_deref()), operand(pod))
            }
            _ => format!("docker stats --no-stream {}", self.name()),
        }
    }

    fn restart(&self) -> String {
        match self {
            // Its controller makes another.
            Target::Kubernetes { namespace, pod, .. } => {
                format!("kubectl{} delete pod {}", in_namespace(namespace.as_deref()), operand(pod))
            }
            _ => format!("docker restart {}", self.name()),
        }
    }

    /// A command within it.
    fn exec(&self, command: &str) -> String {
        match self {
            Target::Kubernetes { namespace, pod, container } => {
                let container = container.as_ref().map_or(String::new(), |name| format!(" -c {}", shell_quoted(name)));
                let pod = pod_of_exec(pod);
                format!("kubectl{} exec {pod}{container} -- {command}", in_namespace(namespace.as_deref()))
            }
            _ => format!("docker exec {} {command}", self.name()),
        }
    }

    /// Why it was restarted.
    fn why_restarted(&self) -> [String; 2] {
        if let Target::Kubernetes { namespace, pod, container } = self {
            let namespace = in_namespace(namespace.as_deref());
            let container = container.as_ref().map_or(String::new(), |name| format!(" -c {}", shell_quoted(name)));
            let pod = operand(pod);
            return [
                format!("kubectl{namespace} describe pod {pod}"),
                format!("kubectl{namespace} logs --previous{container} {pod}"),
            ];
        }
        let filter = if let Target::Docker(name) = self { shell_quoted(name) } else { self.name() };
        [
            format!("docker events --since 1h --until 0s --filter container={filter}"),
            format!("docker inspect --format '{{{{json .State}}}}' {}", self.name()),
        ]
    }

    /// A larger limit; `None` where only a manifest can say so.
    fn larger_limit(&self, memory: &str) -> Option<String> {
        match self {
            Target::Kubernetes { .. } => None,
            _ => Some(format!("docker update --memory={memory} --memory-swap={memory} {}", self.name())),
        }
    }

    fn name(&self) -> String {
        match self {
            Target::Docker(name) => operand(name),
            Target::Kubernetes { pod, .. } => operand(pod),
            Target::Unnamed => "CONTAINER".to_owned(),
        }
    }
}

fn in_namespace(namespace: Option<&str>) -> String {
    namespace.map_or(String::new(), |namespace| format!(" -n {}", shell_quoted(namespace)))
}

/// A pod before the `--` that ends the options of `kubectl exec`: one that begins with a dash is named by its kind.
fn pod_of_exec(pod: &str) -> String {
    if pod.starts_with('-') { shell_quoted(&format!("pod/{pod}")) } else { shell_quoted(pod) }
}

/// The next action for a container; `None` when nothing needs to be done.
///
/// Commands of the runbook's own services (Node, its debug endpoints, its database) stand only where the shape, or a
/// load, points to one of its patterns.
pub fn of(target: &Target, judgement: &Judgement, urgency: &Urgency) -> Option<NextAction> {
    let (level, pattern, text) = step(judgement, urgency)?;
    let (level, mut text, mut commands) = if urgency.near_limit {
        let text = format!("the limit is near, and a restart now buys time; after it: {text}");
        (1, text, vec![target.restart(), target.watch()])
    } else {
        (level, text.to_owned(), vec![target.watch()])
    };
    // Memory of its own apart from cached files, in any service.
    commands.push(target.exec("cat /sys/fs/cgroup/memory.stat"));
    if let Some(pattern) = pattern {
        commands.push(target.exec("node -e \"console.log(process.memoryUsage())\""));
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
    if urgency.failed_criteria.contains(&"restart-loop") {
        commands.splice(0..0, target.why_restarted());
    }
    if level == 4 {
        let memory = urgency.limit_bytes.map_or_else(|| "4g".to_owned(), |limit| format!("{:.0}", 2.0 * limit));
        match target.larger_limit(&memory) {
            Some(command) => commands.push(command),
            None => text.push_str("; the limit stands in the manifest of its workload (resources.limits.memory)"),
        }
    }
    if *target == Target::Unnamed {
        text.push_str("; the input does not name its containers: put the name for CONTAINER");
    }
    Some(NextAction { level, pattern: pattern.map(Pattern::name), text, commands })
}

/// The runbook's level, the pattern that the shape points to, and what to do.
fn step(judgement: &Judgement, urgency: &Urgency) -> Option<(u8, Option<Pattern>, &'static str)> {
    let failed = |id: &str| urgency.failed_criteria.contains(&id);
    let step = match judgement.verdict {
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
        Verdict::LeakMaskedByRestarts if failed("restart-loop") => (
            4,
            None,
            "it leaks and is restarted so often that restarts contain nothing: a larger limit for now makes each life long enough to profile it, and the architects decide what holds until the leak is found (workers that are replaced, caches and sessions outside the process)",
        ),
        Verdict::LeakMaskedByRestarts => (
            3,
            None,
            "profile the process within one life, before the next restart, with the profiler of its runtime (of Node: V8's, or clinic.js): restarts hide this leak, and users notice each of them",
        ),
        Verdict::SteppingGrowth => (
            2,
            Some(Pattern::Cache),
            "memory is kept in steps: look for a cache or session store without a size limit (pattern C)",
        ),
        Verdict::Step => (
            2,
            Some(Pattern::Cache),
            "one operation kept memory for good: find what ran at that time, and whether its cache has a limit (pattern C)",
        ),
        Verdict::LeakSuspected => (2, None, "go on measuring; a heap snapshot now and one later will settle it sooner"),
        _ if !urgency.failed => return None,
        _ if failed("flat-after-load") => (
            2,
            Some(Pattern::Connections),
            "what the load took is not given back: take a heap snapshot before and after the same load, and compare the endpoints that it called (pattern A: connections that are not closed)",
        ),
        _ if failed("restart-loop") => (
            2,
            None,
            "it is restarted again and again although its memory does not leak: see what its events and its last state say of why it ended",
        ),
        _ if urgency.n_spikes > 0 || failed("confirmed-100mb-60s") || failed("rapid-50mb-per-min") => (
            2,
            Some(Pattern::Uploads),
            "memory jumps and does not go on growing: look at upload handling and its buffers (pattern D)",
        ),
        _ => (2, None, "a criterion failed although the trend is not a leak: see which, above"),
    };
    Some(step)
}

/// A name as the operand of a command: one that begins with a dash must not be taken for an option.
fn operand(name: &str) -> String {
    let quoted = shell_quoted(name);
    if name.starts_with('-') { format!("-- {quoted}") } else { quoted }
}

/// A name as one word of a POSIX shell.
pub fn shell_quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-/:@".contains(c);
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        return name.to_owned();
    }
    let printable: String = name.chars().filter(|c| !c.is_control()).collect();
    format!("'{}'", printable.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

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

    fn urgency(failed_criteria: &[&'static str]) -> Urgency {
        Urgency {
            near_limit: false,
            failed: true,
            failed_criteria: failed_criteria.to_vec(),
            n_spikes: 0,
            limit_bytes: Some(335_544_320.0),
        }
    }

    fn docker(name: &str) -> Target {
        Target::Docker(name.to_owned())
    }

    #[track_caller]
    fn check(verdict: Verdict, shape: ShapeName, failed: &[&'static str], expected: (u8, Option<&str>)) {
        let action = of(&docker("web"), &judgement(verdict, shape), &urgency(failed)).unwrap();
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
        let healthy = Urgency { failed: false, ..urgency(&[]) };
        assert_eq!(of(&docker("web"), &judgement(Verdict::Flat, ShapeName::Flat), &healthy), None);
    }

    #[test]
    fn near_the_limit_a_restart_comes_first() {
        let near = Urgency { near_limit: true, ..urgency(&[]) };
        let action = of(&docker("web"), &judgement(Verdict::Leak, ShapeName::Linear), &near).unwrap();
        assert_eq!((action.level, action.commands[0].as_str()), (1, "docker restart web"));
    }

    #[test]
    fn commands_are_those_of_the_runbook_with_the_name_filled_in() {
        let looping = urgency(&["restart-loop"]);
        let action =
            of(&docker("web-1"), &judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth), &looping).unwrap();
        insta::assert_snapshot!(action.commands.join("\n"));
        let unnamed = of(&Target::Unnamed, &judgement(Verdict::Leak, ShapeName::Linear), &urgency(&[])).unwrap();
        assert_eq!(unnamed.commands[0], "docker stats --no-stream CONTAINER");
        assert!(unnamed.text.ends_with("put the name for CONTAINER"), "{}", unnamed.text);
    }

    /// The runbook's stack is not everybody's: its commands stand where its patterns are.
    #[test]
    fn commands_of_one_stack_need_a_pattern() {
        let commands = |shape| of(&docker("web"), &judgement(Verdict::Leak, shape), &urgency(&[])).unwrap().commands;
        assert_eq!(
            commands(ShapeName::Linear),
            ["docker stats --no-stream web", "docker exec web cat /sys/fs/cgroup/memory.stat"]
        );
        assert!(commands(ShapeName::Sawtooth).iter().any(|command| command.contains("node -e")));
    }

    fn pod(namespace: Option<&str>, pod: &str, container: Option<&str>) -> Target {
        let [namespace, container] = [namespace, container].map(|name| name.map(str::to_owned));
        Target::Kubernetes { namespace, pod: pod.to_owned(), container }
    }

    #[test]
    fn what_runs_in_kubernetes_gets_commands_of_kubectl() {
        let urgent = Urgency { near_limit: true, ..urgency(&["restart-loop"]) };
        let shop = pod(Some("shop"), "api-7d9f-x2x4k", Some("app"));
        let action = of(&shop, &judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth), &urgent).unwrap();
        insta::assert_snapshot!(action.commands.join("\n"));
        let cache = of(&shop, &judgement(Verdict::SteppingGrowth, ShapeName::Staircase), &urgency(&[])).unwrap();
        let node = "kubectl -n shop exec api-7d9f-x2x4k -c app -- node -e \"console.log(process.memoryUsage())\"";
        assert!(cache.commands.iter().any(|command| command == node), "{:?}", cache.commands);
        assert!(cache.commands.iter().all(|command| !command.contains("docker")), "{:?}", cache.commands);
        let level_4 =
            of(&shop, &judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth), &urgency(&["restart-loop"]));
        assert!(
            level_4
                .unwrap()
                .text
                .ends_with("the limit stands in the manifest of its workload (resources.limits.memory)")
        );
        let bare = of(&pod(None, "api", None), &judgement(Verdict::Leak, ShapeName::Linear), &urgency(&[])).unwrap();
        assert_eq!(
            bare.commands,
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
            let looping = urgency(&["restart-loop"]);
            let in_pod = pod(Some(name), name, Some(name));
            let judged = judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth);
            let commands =
                [docker(name), in_pod].map(|target| of(&target, &judged, &looping).unwrap().commands).concat();
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
