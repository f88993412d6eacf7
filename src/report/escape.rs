//! Makes text from the input harmless where it is shown: names can hold anything.
//!
//! In every format a part between single backticks is a name or a literal, shown as code; the rest is literal text.

/// Text without control characters: for terminals, and the first step everywhere else.
///
/// Escape sequences cannot move a cursor, and a name stays on its line; directional overrides cannot reorder it.
pub fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
            || (c as u32) & 0xFFFE == 0xFFFE
    };
    text.chars().map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Text that Markdown, and the HTML it becomes, show as it is.
pub fn markdown(text: &str) -> String {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Code(part) => code(&part),
            Piece::Literal(part) => literal(&part),
        })
        .collect()
}

/// The same within a table.
pub fn markdown_cell(text: &str) -> String {
    // In a table a `|` must be escaped even in code, and once only.
    let escaped: String = pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Code(part) => code_cell(&part),
            Piece::Literal(part) => literal(&part),
        })
        .collect();
    // No list begins in a cell.
    match escaped.strip_prefix('\\') {
        Some(rest) if rest.starts_with(['-', '+']) => rest.to_owned(),
        _ => escaped,
    }
}

/// The text as a Markdown code span; legible as plain text.
pub fn code(text: &str) -> String {
    let text = printable(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A space is taken off at both ends where there is one at both.
    let padded = longest > 0 || text.is_empty() || (text.starts_with(' ') && text.ends_with(' '));
    if padded { format!("{fence} {text} {fence}") } else { format!("{fence}{text}{fence}") }
}

/// The same within a table, where a `|` must be escaped even in code.
pub fn code_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Text that HTML shows as it is, between tags and in quoted attributes.
pub fn html_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// The same with code between backticks.
pub fn html(text: &str) -> String {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Code(part) => html_code(&part),
            Piece::Literal(part) => html_text(&part),
        })
        .collect()
}

/// The text as code in HTML. Its own direction of writing stays within it.
pub fn html_code(text: &str) -> String {
    format!("<code dir=\"auto\">{}</code>", html_text(text))
}

enum Piece {
    Code(String),
    Literal(String),
}

/// What is between backticks and what is not; everything is literal where they do not pair.
fn pieces(text: &str) -> Vec<Piece> {
    let text = printable(text);
    let paired = text.matches('`').count().is_multiple_of(2) && !text.contains("``");
    if !paired {
        return vec![Piece::Literal(text)];
    }
    let parts = text.split('`').enumerate();
    parts
        .map(
            |(index, part)| if index % 2 == 1 { Piece::Code(part.to_owned()) } else { Piece::Literal(part.to_owned()) },
        )
        .collect()
}

/// Literal text in Markdown, whatever line and place it stands in.
fn literal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let chars: Vec<char> = text.chars().collect();
    let at = |index: Option<usize>| index.and_then(|index| chars.get(index)).copied();
    for (index, &c) in chars.iter().enumerate() {
        let (before, after) = (at(index.checked_sub(1)), at(Some(index + 1)));
        let in_word = before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric);
        match c {
            // Within a word an underscore is only an underscore.
            '_' if in_word => escaped.push('_'),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // So that a name mentions nobody.
            '@' => escaped.push_str("&#64;"),
            // So that it links to nothing: `https://`, and `www.` at the start of a word.
            ':' if after == Some('/') => escaped.push_str("&#58;"),
            '.' if index >= 3 && chars[index - 3..index].iter().all(|c| c.eq_ignore_ascii_case(&'w')) => {
                escaped.push_str("&#46;");
            }
            // So that it refers to no issue, and no line begins as a heading or a list.
            '#' => escaped.push_str("&#35;"),
            '-' | '+' if before.is_none() => {
                escaped.push('\\');
                escaped.push(c);
            }
            '.' | ')' if after == Some(' ') && chars[..index].iter().all(char::is_ascii_digit) && index > 0 => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_no_harm() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
        assert_eq!(printable("pay\u{202e}gnp\u{200b}"), "pay\u{fffd}gnp\u{fffd}");
        assert_eq!(markdown("a|b<script>![x](y)"), r"a\|b&lt;script&gt;!\[x\](y)");
        assert_eq!(markdown("as `--end` says of a_b and _c_"), r"as `--end` says of a_b and \_c\_");
        assert_eq!(markdown("`<b>` and ` alone"), r"\`&lt;b&gt;\` and \` alone");
        assert_eq!(code("web"), "`web`");
        assert_eq!(code("a`|b"), "`` a`|b ``");
        assert_eq!(code_cell("a`|b"), "`` a`\\|b ``");
        assert_eq!(markdown_cell("is `a|b`, not a|b"), r"is `a\|b`, not a\|b");
        assert_eq!(
            html("`a|b<script>` & \"x\" 'y'"),
            "<code dir=\"auto\">a|b&lt;script&gt;</code> &amp; &quot;x&quot; &#39;y&#39;"
        );
    }

    #[test]
    fn text_starts_no_block_and_links_to_nothing() {
        for (text, expected) in [
            ("# big", "&#35; big"),
            ("see #12", "see &#35;12"),
            ("- item", "\\- item"),
            ("1. item", "1\\. item"),
            ("at 1.5 s", "at 1.5 s"),
            ("https://evil.example/x", "https&#58;//evil.example/x"),
            ("WWW.evil.example", "WWW&#46;evil.example"),
            ("@all", "&#64;all"),
        ] {
            assert_eq!(markdown(text), expected);
        }
    }
}
