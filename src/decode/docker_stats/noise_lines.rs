//! Lines that hold no reading by right: prompts, rules, sentences around a table; and what a failed command says.

use super::cells::{is_hex_id, last_word};

/// Whether a line belongs to a session in which the command was run, beside its table.
pub(super) fn is_about_stats(text: &str) -> bool {
    const COMMANDS: [&str; 8] = [
        "docker stats",
        "podman stats",
        "nerdctl stats",
        "compose stats",
        "container stats",
        "crictl stats",
        "kubectl top",
        "podman pod stats",
    ];
    let is_rule = 3 <= text.len() && text.bytes().all(|byte| b"-=_+|*#~` .".contains(&byte));
    let is_command = COMMANDS.iter().any(|command| text.contains(command));
    let is_prompt = text.starts_with("$ ") || text.ends_with('$') || text.ends_with('#') && text.contains('@');
    is_rule || is_command || is_prompt || text.starts_with("^C") || text.starts_with("^Z") || is_total(text)
}

/// The nameless last row of `kubectl top pod --sum`.
fn is_total(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    let is = |word: Option<&str>, unit: &str| {
        word.and_then(|word| word.strip_suffix(unit))
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    is(words.next(), "m") && is(words.next(), "Mi")
}

/// Whether the command says that it could not give a reading.
pub(super) fn is_failure(text: &str) -> bool {
    const FAILURES: [&str; 10] = [
        "Cannot connect to the Docker daemon",
        "Error response from daemon",
        "error during connect",
        "permission denied while trying to connect",
        "docker: command not found",
        "Cannot connect to Podman",
        "Metrics not available for pod",
        "metrics not available yet",
        "Metrics API not available",
        "FATA[",
    ];
    FAILURES.iter().any(|failure| text.contains(failure))
}

/// Whether a line is a sentence, a heading or a tag: it holds nothing of which a row is made.
///
/// `n_cells`: its columns. What could be a damaged row is not other text: an ID, three columns, an amount, JSON.
pub(super) fn is_prose(text: &str, n_cells: usize) -> bool {
    let first = text.split("  ").next().unwrap_or_default();
    let has_amount = || {
        text.split(|c: char| c.is_whitespace() || "/,;|".contains(c)).any(|word| {
            let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            unit.len() < word.len() && ["B", "kB", "KB", "MB", "GB", "KiB", "MiB", "GiB", "TiB", "Mi"].contains(&unit)
        })
    };
    n_cells < 3
        && text != "json"
        && !text.starts_with(['{', '"'])
        && !is_hex_id(last_word(first).0)
        && !text.chars().any(|c| c.is_control() && c != '\t' || c == char::REPLACEMENT_CHARACTER)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic() || byte >= 0x80)
        && !has_amount()
}
