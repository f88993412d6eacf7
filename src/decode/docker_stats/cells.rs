//! Cuts a row into cells, and says what a cell can be.

/// Cells of a row that are looked at: podman has ten columns.
pub(super) const MAX_CELLS: usize = 16;

/// Splits at tabs and at two or more blanks; gives the number of cells.
pub(super) fn split<'a>(text: &'a str, cells: &mut [&'a str; MAX_CELLS]) -> usize {
    let bytes = text.as_bytes();
    let mut n_cells = 0;
    let mut at = 0;
    while n_cells < MAX_CELLS {
        while at < bytes.len() && (bytes[at] == b' ' || bytes[at] == b'\t') {
            at += 1;
        }
        if at == bytes.len() {
            break;
        }
        let first = at;
        // Cells are short: a loop over their bytes is quicker than a search for each blank in them.
        while let Some(&byte) = bytes.get(at) {
            let ends = byte == b'\t' || byte == b' ' && matches!(bytes.get(at + 1), None | Some(b' ' | b'\t'));
            if ends {
                break;
            }
            at += 1;
        }
        cells[n_cells] = &text[first..at];
        n_cells += 1;
    }
    n_cells
}

/// Splits at every blank; gives the number of words.
pub(super) fn words<'a>(text: &'a str, cells: &mut [&'a str; MAX_CELLS]) -> usize {
    cells.iter_mut().zip(text.split_ascii_whitespace()).map(|(cell, word)| *cell = word).count()
}

/// The last word of a cell, and what stands before it.
pub(super) fn last_word(cell: &str) -> (&str, &str) {
    cell.rsplit_once(' ').map_or((cell, ""), |(before, word)| (word, before))
}

/// Whether a cell can be the memory of a row: begins with a digit or is a gap.
pub(super) fn looks_like_memory(cell: &str) -> bool {
    match cell.as_bytes() {
        [b'-', b'-', ..] => true,
        [b'0'..=b'9', rest @ ..] => rest.iter().any(u8::is_ascii_alphabetic),
        _ => false,
    }
}

/// Whether a cell is a share such as `0.12%`.
pub(super) fn is_share(cell: &str) -> bool {
    cell.ends_with('%') && cell.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

/// Whether a cell is an ID, whole or cut to 12 digits (13 by crictl).
pub(super) fn is_hex_id(text: &str) -> bool {
    12 <= text.len() && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
