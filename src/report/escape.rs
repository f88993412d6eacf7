//! Makes text from the input harmless where it is shown: names can hold anything.

/// Text without control characters: for terminals, and the first step everywhere else.
///
/// Escape sequences cannot move a cursor, and a name stays on its line; directional overrides cannot reorder it.
pub fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    text.chars().map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Text that Markdown, and the HTML it becomes, show as it is, also inside a table.
///
/// Parts between single backticks stay code; everything else is literal.
pub fn markdown(text: &str) -> String {
    let text = printable(text);
    let backticks = text.matches('`').count();
    let paired = backticks.is_multiple_of(2) && !text.contains("``");
    if !paired {
        return literal(&text);
    }
    let parts = text.split('`').enumerate();
    parts.map(|(index, part)| if index % 2 == 1 { code(part) } else { literal(part) }).collect()
}

fn literal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let chars: Vec<char> = text.chars().collect();
    let in_word = |index: usize| {
        let is_word = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
        is_word(index.checked_sub(1)) && is_word(Some(index + 1))
    };
    for (index, &c) in chars.iter().enumerate() {
        match c {
            // Within a word an underscore is only an underscore.
            '_' if in_word(index) => escaped.push('_'),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // So that a name mentions nobody.
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

/// The text as a Markdown code span; legible as plain text. Inside a table a `|` must be escaped even in code.
pub fn code(text: &str) -> String {
    let text = printable(text).replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest > 0 || text.is_empty() { format!("{fence} {text} {fence}") } else { format!("{fence}{text}{fence}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_no_harm() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
        assert_eq!(markdown("a|b<script>![x](y)"), r"a\|b&lt;script&gt;!\[x\](y)");
        assert_eq!(markdown("as `--end` says of a_b and _c_"), r"as `--end` says of a_b and \_c\_");
        assert_eq!(markdown("`<b>` and ` alone"), r"\`&lt;b&gt;\` and \` alone");
        assert_eq!(code("web"), "`web`");
        assert_eq!(code("a`|b"), "`` a`\\|b ``");
    }
}
