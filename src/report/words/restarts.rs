//! What happened at a restart, in words.

use std::fmt::{self, Display, Formatter};

use crate::events::{Ending, Teller};
use crate::report::RestartWhat;

/// The exit code of what SIGKILL ended.
const KILLED: i64 = 137;

impl Display for RestartWhat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            RestartWhat::Seen(cause) => f.write_str(cause.words()),
            RestartWhat::Recorded(ending, metrics) => {
                let metrics: Vec<String> = metrics.iter().map(|name| format!("`{name}`")).collect();
                match metrics.as_slice() {
                    [] if ending.teller == Teller::Docker => write!(f, "{ending}, as docker events say"),
                    [] => write!(f, "{ending}, as {} says", ending.teller.name()),
                    [one] => write!(f, "{ending}, as {one} says"),
                    [first @ .., last] => write!(f, "{ending}, as {} and {last} say", first.join(", ")),
                }
            }
            RestartWhat::Rollout(version) => write!(f, "rollout of version {}", version.text()),
            RestartWhat::OfPod(pod, what) => write!(f, "pod {pod}: {what}"),
        }
    }
}

impl Display for Ending {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let code = match (self.exit_code, &self.reason) {
            (Some(code), _) => format!(" (exit code {code})"),
            (None, Some(reason)) => format!(" ({reason})"),
            (None, None) => String::new(),
        };
        let ended = match (self.oom_ms, self.down_ms) {
            (Some(_), _) if self.heap => format!("out of heap memory{code}"),
            (Some(_), Some(_)) => format!("OOM-killed{code}"),
            (Some(_), None) => "a process in it was OOM-killed".to_owned(),
            (None, Some(_)) if self.signalled => format!("stopped from outside{code}"),
            // The signal that the kernel sends, and nothing says who sent it.
            (None, Some(_)) if self.exit_code == Some(KILLED) => format!("killed{code}, reason unknown"),
            (None, Some(_)) if self.exit_code.is_none() && self.reason.is_some() => format!("ended{code}"),
            (None, Some(_)) => format!("ended by itself{code}"),
            (None, None) => String::new(),
        };
        let began = match (self.up_ms, self.recreated) {
            (Some(_), true) => "recreated",
            (Some(_), false) => "started again",
            (None, _) => "",
        };
        let and = if ended.is_empty() || began.is_empty() { "" } else { ", " };
        write!(f, "{ended}{and}{began}")
    }
}
