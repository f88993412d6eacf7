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

/// The next action for a container; `None` when nothing needs to be done.
///
/// `container`: its name; `None` where the input names none, and the commands hold `CONTAINER`.
pub fn of(container: Option<&str>, judgement: &Judgement, urgency: &Urgency) -> Option<NextAction> {
    let (level, pattern, text) = step(judgement, urgency)?;
    let name = container.map_or_else(|| "CONTAINER".to_owned(), operand);
    let watch = format!("docker stats --no-stream {name}");
    let restart = format!("docker restart {name}");
    let usage = format!("docker exec {name} node -e \"console.log(process.memoryUsage())\"");

    let (level, mut text, mut commands) = if urgency.near_limit {
        let text = format!("the limit is near, and a restart now buys time; after it: {text}");
        (1, text, vec![restart, watch, usage])
    } else {
        (level, text.to_owned(), vec![watch, usage])
    };
    commands.extend(
        ["curl -X POST http://HOST:3001/debug/heap-snapshot", "scp root@HOST:/tmp/heap-*.heapsnapshot ./"]
            .map(str::to_owned),
    );
    commands.push(format!(
        "docker exec {name} cat /tmp/request-log.json | jq 'group_by(.endpoint) | map({{endpoint: .[0].endpoint, count: length}}) | sort_by(-.count)'"
    ));
    commands.extend(pattern.map(|pattern| pattern.command().to_owned()));
    if urgency.failed_criteria.contains(&"restart-loop") {
        let filter = container.map_or_else(|| "CONTAINER".to_owned(), shell_quoted);
        commands.insert(0, format!("docker events --since 1h --until 0s --filter container={filter}"));
        let inspected = format!("docker inspect --format '{{{{json .State}}}}' {name}");
        commands.insert(1, inspected);
    }
    if level == 4 {
        let memory = urgency.limit_bytes.map_or_else(|| "4g".to_owned(), |limit| format!("{:.0}", 2.0 * limit));
        commands.push(format!("docker update --memory={memory} --memory-swap={memory} {name}"));
    }
    if container.is_none() {
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
        Verdict::Leak => (
            2,
            Some(Pattern::Connections),
            "growth is steady: compare it with the query and request rate (pattern A: connections that are not closed), and take two heap snapshots some minutes apart",
        ),
        Verdict::LeakMaskedByRestarts if failed("restart-loop") => (
            4,
            Some(Pattern::Connections),
            "it leaks and is restarted so often that restarts contain nothing: a larger limit for now makes each life long enough to profile it, and the architects decide what holds until the leak is found (workers that are replaced, caches and sessions outside the process)",
        ),
        Verdict::LeakMaskedByRestarts => (
            3,
            Some(Pattern::Connections),
            "profile the process within one life, before the next restart, with the V8 profiler or clinic.js: restarts hide this leak, and users notice each of them",
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

    #[track_caller]
    fn check(verdict: Verdict, shape: ShapeName, failed: &[&'static str], expected: (u8, Option<&str>)) {
        let action = of(Some("web"), &judgement(verdict, shape), &urgency(failed)).unwrap();
        assert_eq!((action.level, action.pattern), expected);
    }

    #[test]
    fn the_shape_points_to_a_pattern_and_restarts_to_a_level() {
        check(Verdict::Leak, ShapeName::Linear, &[], (2, Some("A")));
        check(Verdict::Leak, ShapeName::Sawtooth, &[], (2, Some("B")));
        check(Verdict::SteppingGrowth, ShapeName::Staircase, &[], (2, Some("C")));
        check(Verdict::Step, ShapeName::Step, &["flat-after-load"], (2, Some("C")));
        check(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth, &[], (3, Some("A")));
        check(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth, &["restart-loop"], (4, Some("A")));
        check(Verdict::LeakSuspected, ShapeName::Linear, &[], (2, None));
        check(Verdict::Flat, ShapeName::Flat, &["flat-after-load"], (2, Some("A")));
        check(Verdict::Flat, ShapeName::Flat, &["confirmed-100mb-60s"], (2, Some("D")));
        check(Verdict::Inconclusive, ShapeName::Unknown, &["restart-loop"], (2, None));
        let healthy = Urgency { failed: false, ..urgency(&[]) };
        assert_eq!(of(Some("web"), &judgement(Verdict::Flat, ShapeName::Flat), &healthy), None);
    }

    #[test]
    fn near_the_limit_a_restart_comes_first() {
        let near = Urgency { near_limit: true, ..urgency(&[]) };
        let action = of(Some("web"), &judgement(Verdict::Leak, ShapeName::Linear), &near).unwrap();
        assert_eq!((action.level, action.commands[0].as_str()), (1, "docker restart web"));
    }

    #[test]
    fn commands_are_those_of_the_runbook_with_the_name_filled_in() {
        let looping = urgency(&["restart-loop"]);
        let action =
            of(Some("web-1"), &judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth), &looping).unwrap();
        insta::assert_snapshot!(action.commands.join("\n"));
        let unnamed = of(None, &judgement(Verdict::Leak, ShapeName::Linear), &urgency(&[])).unwrap();
        assert_eq!(unnamed.commands[0], "docker stats --no-stream CONTAINER");
        assert!(unnamed.text.ends_with("put the name for CONTAINER"), "{}", unnamed.text);
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
            let action = of(Some(name), &judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth), &looping);
            for command in action.unwrap().commands.iter().filter(|command| command.starts_with("docker ")) {
                let command = command.split(" | ").next().unwrap_or_default();
                let script = format!("docker() {{ printf '%s\\n' \"$@\"; }}; {command}");
                let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
                let words = String::from_utf8(output.stdout).unwrap();
                let expected = |word: &str| word == name || word == format!("container={name}");
                assert!(words.lines().any(expected), "{command}: {words}");
                assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command}");
            }
        }
    }
}
