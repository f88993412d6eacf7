//! What of a line of an access log can be shown to anybody, as reports land in comments on the web.

use std::collections::HashSet;

use super::route::RARE;

/// Words of every access log.
const OF_FORMAT: [&str; 10] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "HTTP"];
/// Forms of times and versions; `0` is any digit, `a` any letter.
const FORMS: [&str; 5] = [
    "00/aaa/0000:00:00:00 +0000",
    "00/aaa/0000:00:00:00 -0000",
    "0000-00-00T00:00:00Z",
    "0000-00-00T00:00:00",
    "HTTP/0.0",
];

/// The words of the names of kinds, which may be shown.
pub(super) fn words<'a>(names: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
    names.flat_map(|name| name.split(|c| !is_of_word(c))).filter(|word| !word.is_empty()).collect()
}

/// A text in which everything that may be a secret has a placeholder: numbers are `:id`, and words that are neither of
/// `known` nor of the format `:x`; times stay, queries do not.
pub(super) fn masked(text: &str, known: &HashSet<&str>) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
        let word = &rest[..length];
        let taken = if let Some(form) = FORMS.iter().find(|form| has_form(rest, form)) {
            shown.push_str(&rest[..form.len()]);
            form.len()
        } else if c == '?' {
            shown.push_str("?...");
            rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len())
        } else if length == 0 {
            shown.push(c);
            c.len_utf8()
        } else {
            let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
            let is_shown =
                known.contains(word) || OF_FORMAT.contains(&word) || word.chars().all(|c| "-_+%~".contains(c));
            shown.push_str(if is_number {
                ":id"
            } else if is_shown {
                word
            } else {
                RARE
            });
            length
        };
        rest = &rest[taken..];
    }
    shown
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || !c.is_ascii() || "-_+%~".contains(c)
}

/// Whether a text begins with a form, and the form is not the beginning of a longer word.
fn has_form(text: &str, form: &str) -> bool {
    let fits = |(byte, form): (u8, u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b'a' => byte.is_ascii_alphabetic(),
        _ => byte == form,
    };
    let is_over = || !text[form.len()..].starts_with(is_of_word);
    text.len() >= form.len() && text.bytes().zip(form.bytes()).all(fits) && is_over()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_the_format_and_of_counted_routes_are_shown() {
        let known = words(["GET /reset/:token", "POST /users/:id", "all other requests"].into_iter());
        for (line, shown) in [
            ("Authorization: Bearer abc.def.ghi", ":x: :x :x.:x.:x"),
            ("password=hunter2secret user=bob", ":x=:x :x=:x"),
            ("GET /reset/quietword 200 5 - 3 ms", "GET /reset/:x :id :id - :id :x"),
            (r#"GET /users?mail=me HTTP/1.1" 200"#, r#"GET /users?... HTTP/1.1" :id"#),
            ("[31/Feb/2026:20:00:00 +0000] 7.9.0.1", "[31/Feb/2026:20:00:00 +0000] :id.:id.:id.:id"),
            ("2026-11-23T20:00:02.5Z listening", "2026-11-23T20:00:02.:x :x"),
            ("2026-11-23T20:00:02Z4 HTTP/1.12", ":x::id::x HTTP/:id.:id"),
            ("pässword/geheim ПАРОЛЬ", ":x/:x :x"),
            ("", ""),
        ] {
            assert_eq!(masked(line, &known), shown, "{line}");
        }
    }
}
