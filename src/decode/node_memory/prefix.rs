//! What tools put before each line of a log: names of containers, escape codes, times.

use std::borrow::Cow;

use super::super::clock::{self, Timestamp};

/// Longer names are none, in bytes.
const MAX_NAME: usize = 200;

/// A text without escape codes: Node prints numbers in colour.
pub(super) fn without_escapes(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return text;
    }
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.strip_prefix('[').map(|code| code.trim_start_matches(|c: char| ('\x20'..='\x3f').contains(&c)));
        plain.push_str(code.map_or(part, |code| code.strip_prefix(|c: char| c.is_ascii()).unwrap_or(code)));
    }
    Cow::Owned(plain)
}

/// What stands before a line of a log of several processes, the name in it, and the line behind it.
///
/// `docker compose logs` (`web-1  | `), `pm2 logs` (`0|web  | `), `kubectl logs --prefix` (`[pod/web-1/app] `).
pub(super) fn named(text: &str) -> (&str, Option<String>, &str) {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    let is_name = |name: &str| !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(is_of_name);
    if let Some((name, rest)) = text.strip_prefix("[pod/").and_then(|text| text.split_once("] "))
        && is_name(name)
    {
        return (&text[..text.len() - rest.len()], Some(name.to_owned()), rest);
    }
    if let Some((before, rest)) = text.split_once(" | ").or_else(|| text.strip_suffix(" |").map(|before| (before, "")))
    {
        let number_and_name = before.trim_end().split_once('|');
        let name = match number_and_name {
            Some((number, name)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => before.trim_end(),
        };
        if is_name(name) {
            return (&text[..before.len()], Some(name.to_owned()), rest);
        }
    }
    ("", None, text)
}

/// The time before a line, how it was written, and the line without it; it may stand behind a name before an object.
/// `within`: where the line may go on with an object, of which numbers and times may be a part, whether that has a time
/// before its first line.
pub(super) fn timestamped(
    text: &str,
    latest_ms: Option<i64>,
    within: Option<bool>,
) -> (Option<(Timestamp, String)>, Cow<'_, str>) {
    if let Some((timestamp, length)) = clock::read_timestamp(text, latest_ms)
        && (within != Some(false) || text[..length].contains(':'))
    {
        return (Some((timestamp, text[..length].trim_end().to_owned())), Cow::Borrowed(&text[length..]));
    }
    if within.is_some() {
        return (None, Cow::Borrowed(text));
    }
    let before = text.find('{').map_or("", |brace| &text[..brace]);
    let begins = before.char_indices().filter(|(at, c)| {
        c.is_ascii_digit() && before[..*at].ends_with(|c: char| c.is_whitespace() || "[(".contains(c))
    });
    for (at, _) in begins.take(8) {
        if let Some((timestamp, length)) = clock::read_timestamp(&text[at..], latest_ms)
            && at + length <= before.len()
        {
            let written = text[at..at + length].trim_end().to_owned();
            return (Some((timestamp, written)), Cow::Owned(format!("{}{}", &text[..at], &text[at + length..])));
        }
    }
    (None, Cow::Borrowed(text))
}

/// The time in a field of an object, also as `String(new Date())` writes it.
pub(super) fn time(text: &str, latest_ms: Option<i64>) -> Option<Timestamp> {
    super::super::fields::time(text, latest_ms).or_else(|| {
        // `Sat Nov 28 2026 18:43:04 GMT+0000 (Coordinated Universal Time)`
        let words: Vec<&str> = text.split_ascii_whitespace().take(6).collect();
        let [_, month, day, year, clock, zone] = words.as_slice() else { return None };
        let zone = zone.strip_prefix("GMT")?;
        let zone = if zone.is_empty() { "GMT" } else { zone };
        super::super::fields::time(&format!("{day} {month} {year} {clock} {zone}"), latest_ms)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::time_text;

    #[test]
    fn names_before_lines_are_known() {
        for (text, name, rest) in [
            ("web-1  | { rss: 1 }", Some("web-1"), "{ rss: 1 }"),
            ("0|web  | {", Some("web"), "{"),
            ("[pod/web-1/app] {", Some("web-1/app"), "{"),
            ("web |", Some("web"), ""),
            ("a b | c", None, "a b | c"),
            ("{ rss: 1 | 2 }", None, "{ rss: 1 | 2 }"),
        ] {
            let (_, found, behind) = named(text);
            assert_eq!((found.as_deref(), behind), (name, rest), "{text}");
        }
        assert_eq!(without_escapes("rss: \u{1b}[33m447\u{1b}[39m,".into()), "rss: 447,");
        assert_eq!(without_escapes("\u{1b}".into()), "");
    }

    #[test]
    fn times_stand_before_or_behind_a_name() {
        for (text, rest) in [
            ("2026-11-28T18:43:04Z memory {", "memory {"),
            ("[worker 3] 2026-11-28T18:43:04Z {", "[worker 3] {"),
            ("memory [2026-11-28T18:43:04Z] {", "memory [{"),
        ] {
            let (timestamp, behind) = timestamped(text, None, None);
            assert_eq!(timestamp.and_then(|(timestamp, _)| timestamp.time_ms), Some(1_795_891_384_000), "{text}");
            assert_eq!(behind, rest);
        }
        assert_eq!(timestamped("  1795891384,", None, Some(false)).0, None);
        assert!(timestamped("2026-11-28T18:43:04Z {", None, Some(false)).0.is_some());
        assert_eq!(timestamped("memory 5 {", None, None).0, None);
        for text in [
            "Sat Nov 28 2026 19:43:04 GMT+0100 (Central European Standard Time)",
            "Sat, 28 Nov 2026 18:43:04 GMT",
            "2026-11-28T18:43:04.000Z",
            "1795891384000",
        ] {
            let time_ms = time(text, None).and_then(|timestamp| timestamp.time_ms);
            assert_eq!(time_ms.and_then(time_text).as_deref(), Some("2026-11-28T18:43:04Z"), "{text}");
        }
    }
}
