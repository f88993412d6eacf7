//! What to do next: the runbook's escalation level, its leak pattern by shape, and commands ready to be pasted.

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Urgency {
    /// Whether memory is near its limit now, or will be within half an hour.
    pub near_limit: bool,
    /// Whether a criterion that gates has failed.
    pub failed: bool,
}

/// The next action for `container`; `None` when nothing needs to be done.
pub fn of(container: &str, judgement: &Judgement, spikes: usize, urgency: Urgency) -> Option<NextAction> {
    let name = shell_quoted(container);
    let (level, pattern, text) = match judgement.verdict {
        Verdict::Leak if judgement.shape == ShapeName::Sawtooth => (
            2,
            Some("B"),
            "what garbage collection leaves behind grows: take two heap snapshots an hour apart, compare retained sizes, and count event listeners (pattern B)",
        ),
        Verdict::Leak => (
            2,
            Some("A"),
            "growth is steady: compare it with the query and request rate (pattern A: connections that are not closed), and take two heap snapshots some minutes apart",
        ),
        Verdict::LeakMaskedByRestarts => (
            3,
            Some("A"),
            "profile the process within one life, before the next restart: restarts hide this leak, and users notice each of them",
        ),
        Verdict::SteppingGrowth => {
            (2, Some("C"), "memory is kept in steps: look for a cache or session store without a size limit")
        }
        Verdict::Step => (
            2,
            Some("C"),
            "one operation kept memory for good: find what ran at that time, and whether its cache has a limit (pattern C)",
        ),
        Verdict::LeakSuspected => (2, None, "go on measuring; a heap snapshot now and one later will settle it sooner"),
        _ if urgency.failed && spikes > 0 => {
            (2, Some("D"), "memory jumps and comes back: look at upload handling and its buffers (pattern D)")
        }
        _ if urgency.failed => (2, None, "a criterion failed although the trend is not a leak: see which, above"),
        _ => return None,
    };
    let snapshot = "curl -X POST http://HOST:3001/debug/heap-snapshot".to_owned();
    let usage = format!("docker exec {name} node -e \"console.log(process.memoryUsage())\"");
    let watch = format!("docker stats --no-stream {name}");
    if urgency.near_limit {
        return Some(NextAction {
            level: 1,
            pattern,
            text: format!("the limit is near, and a restart now buys time; after it: {text}"),
            commands: vec![format!("docker restart {name}"), watch, usage, snapshot],
        });
    }
    Some(NextAction { level, pattern, text: text.to_owned(), commands: vec![watch, usage, snapshot] })
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
    use super::*;

    #[test]
    fn a_name_is_one_word_of_the_shell() {
        assert_eq!(shell_quoted("web-1"), "web-1");
        assert_eq!(shell_quoted("a b"), "'a b'");
        assert_eq!(shell_quoted("x'; rm -rf /; '"), r"'x'\''; rm -rf /; '\'''");
        assert_eq!(shell_quoted("$(reboot)\u{1b}[2J"), "'$(reboot)[2J'");
        assert_eq!(shell_quoted(""), "''");
    }
}
