//! Removes the escape codes of a terminal from a line, and says which of them mean something.

use memchr::memchr;

/// What the escape codes of a line said.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one flag for each code")]
pub(super) struct Escapes {
    pub(super) any: bool,
    pub(super) home: bool,
    pub(super) clear: bool,
    pub(super) erase_line: bool,
    pub(super) erase_below: bool,
}

/// Removes escape codes, and says which of them matter.
pub(super) fn strip_escapes(text: &str, plain: &mut String) -> Escapes {
    plain.clear();
    let mut escapes = Escapes { any: true, ..Escapes::default() };
    let mut rest = text;
    while let Some(start) = memchr(0x1b, rest.as_bytes()) {
        plain.push_str(&rest[..start]);
        rest = &rest[start + 1..];
        let Some(code) = rest.strip_prefix('[') else { continue };
        // Parameters, intermediates, one final byte: all ASCII.
        let length = code.bytes().take_while(|byte| matches!(byte, 0x20..=0x3f)).count();
        let parameters = &code[..length];
        match code.as_bytes().get(length) {
            Some(b'H') => escapes.home = true,
            Some(b'J') if parameters == "2" => escapes.clear = true,
            Some(b'J') => escapes.erase_below = true,
            Some(b'K') => escapes.erase_line = true,
            _ => {}
        }
        let has_final = matches!(code.as_bytes().get(length), Some(0x40..=0x7e));
        rest = &code[length + usize::from(has_final)..];
    }
    plain.push_str(rest);
    escapes
}
