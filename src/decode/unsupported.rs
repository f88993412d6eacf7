//! Recognises what is often given instead of readings.

use crate::account::Foreign;

/// What a text is that is no form of input; `None` when it is not known either.
pub(super) fn recognise(text: &str) -> Option<Foreign> {
    let lines = || text.lines().take(50).map(str::trim).filter(|line| !line.is_empty());
    let any = |test: &dyn Fn(&str) -> bool| lines().any(test);
    if any(&is_docker_event) || any(&|line| line.contains("\"timeNano\"")) {
        return Some(Foreign::DockerEvents);
    }
    if text.contains("\"apiVersion\"") && text.contains("\"kind\"") {
        return Some(Foreign::KubernetesObjects);
    }
    if any(&|line| line.contains("Killed process ") || line.contains("oom-kill:")) {
        return Some(Foreign::KernelLog);
    }
    if any(&|line| line.contains("[GC ") || line.contains("[Full GC") || line.contains("[gc") && line.contains("->")) {
        return Some(Foreign::CollectionLog);
    }
    if any(&|line| line.contains("heapTotal") || line.contains("heapUsed")) {
        return Some(Foreign::NodeKeys);
    }
    if any(&|line| line.contains("minflt/s") && line.contains("RSS")) {
        return Some(Foreign::Pidstat);
    }
    if any(&|line| {
        line.contains("NAME") && (line.contains("CPU%") || line.contains("CPU(%)")) && line.contains("MEMORY(bytes)")
    }) {
        return Some(Foreign::TopNode);
    }
    if any(&|line| line.starts_with("CONTAINER ID") && line.contains("IMAGE") && line.contains("STATUS")) {
        return Some(Foreign::DockerPs);
    }
    if any(&|line| line.starts_with("MemTotal:") || line.starts_with("Mem:") || line.contains("MiB Mem :")) {
        return Some(Foreign::Machine);
    }
    if any(&|line| line.starts_with("USER ") && line.contains("RSS") && line.contains("COMMAND")) {
        return Some(Foreign::Ps);
    }
    if any(&|line| line.ends_with("=>") && line.contains('{')) || any(&|line| line.contains(" @[")) {
        return Some(Foreign::Promtool);
    }
    if any(&|line| line.matches(';').count() >= 3 && line.contains(" / ")) {
        return Some(Foreign::Semicolons);
    }
    None
}

/// `2026-11-23T20:00:00.000000000Z container die 0123.. (exitCode=137, ..)`.
fn is_docker_event(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let is_time = words.next().is_some_and(|time| 20 <= time.len() && time.as_bytes().get(10) == Some(&b'T'));
    let is_kind = words.next().is_some_and(|kind| ["container", "network", "image", "volume"].contains(&kind));
    is_time && is_kind && words.nth(1).is_some_and(|id| 12 <= id.len())
}
