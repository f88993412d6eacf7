//! Names what is often given instead of readings, and says what to give.

/// What a text is that is no form of input, and what to give instead; `None` when it is not known either.
pub(super) fn recognise(text: &str) -> Option<&'static str> {
    let lines = || text.lines().take(50).map(str::trim).filter(|line| !line.is_empty());
    let any = |test: &dyn Fn(&str) -> bool| lines().any(test);
    if any(&is_docker_event) || any(&|line| line.contains("\"timeNano\"")) {
        return Some(
            "it is output of `docker events`, which holds no memory readings (expected the output of `docker \
             stats` or another format; pass this file with `--events`)",
        );
    }
    if text.contains("\"apiVersion\"") && text.contains("\"kind\"") {
        return Some(
            "it is output of `kubectl get -o json`, which holds events or pods but no memory readings (expected \
             the output of `kubectl top pod --containers` or another format; pass this file with `--events`)",
        );
    }
    if any(&|line| line.contains("Killed process ") || line.contains("oom-kill:")) {
        return Some(
            "it is a kernel log, which holds no memory readings (expected the output of `docker stats` or another \
             format; pass this file with `--events`)",
        );
    }
    if any(&|line| line.contains("[GC ") || line.contains("[Full GC") || line.contains("[gc") && line.contains("->")) {
        return Some(
            "it is a garbage collection log of a Java virtual machine, which shows the heap but not the container \
             (expected readings of the container, such as the output of `docker stats`)",
        );
    }
    if any(&|line| line.contains("heapTotal") || line.contains("heapUsed")) {
        return Some(
            "it holds keys of `process.memoryUsage()`, but no complete object (expected the output of \
             `console.log(process.memoryUsage())`, or JSON: `console.log(JSON.stringify({ time: new Date(), \
             ...process.memoryUsage() }))`)",
        );
    }
    if any(&|line| line.contains("minflt/s") && line.contains("RSS")) {
        return Some(
            "it is output of `pidstat -r`: processes, not containers, and times without a date (expected readings \
             of containers, or `epoch,512.3MiB` lines)",
        );
    }
    if any(&|line| {
        line.contains("NAME") && (line.contains("CPU%") || line.contains("CPU(%)")) && line.contains("MEMORY(bytes)")
    }) {
        return Some(
            "it is output of `kubectl top node`: machines, not containers (expected `kubectl top pod --containers`)",
        );
    }
    if any(&|line| line.starts_with("CONTAINER ID") && line.contains("IMAGE") && line.contains("STATUS")) {
        return Some(
            "it is output of `docker ps`, which holds no memory readings (expected the output of `docker stats --no-stream`)",
        );
    }
    if any(&|line| line.starts_with("MemTotal:") || line.starts_with("Mem:") || line.contains("MiB Mem :")) {
        return Some(
            "it is the memory of a machine, from `free`, `top` or /proc/meminfo (expected readings of containers, \
             such as the output of `docker stats`)",
        );
    }
    if any(&|line| line.starts_with("USER ") && line.contains("RSS") && line.contains("COMMAND")) {
        return Some(
            "it is output of `ps`: processes, not containers (expected readings of containers, such as the output of `docker stats`)",
        );
    }
    if any(&|line| line.ends_with("=>") && line.contains('{')) || any(&|line| line.contains(" @[")) {
        return Some("it is text output of `promtool query` (expected the same with `-o json`)");
    }
    if any(&|line| line.matches(';').count() >= 3 && line.contains(" / ")) {
        return Some(
            "it is output of `docker stats` separated by semicolons, without timestamps (expected `docker stats \
             --no-stream --format '{{json .}}'`, each line prefixed with `date -u +%FT%TZ`)",
        );
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
