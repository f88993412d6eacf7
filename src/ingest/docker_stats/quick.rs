//! The quick reading of the row that a log is made of: the default columns of docker, and the container that is
//! expected next.
//!
//! It looks at each byte once, and gives what the general reading gives; whatever is not exactly of this form is left
//! to that one.

use super::super::Input;
use super::super::amount;
use super::Reader;
use super::escapes::Escapes;
use super::memory::Memory;
use super::notes::Notes;

/// What a row says beside its container.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Values {
    pub(super) memory: Memory,
    /// Of NET I/O and BLOCK I/O, in bytes.
    pub(super) counters: [Option<f64>; 4],
}

impl Reader {
    /// Reads a row of the container that followed the last one in the tick before; `false` when it is anything else.
    pub(super) fn read_quick_row(&mut self, bytes: &[u8], input: &mut Input, notes: &mut Notes) -> bool {
        let Some(last) = self.containers.get(self.last_container) else { return false };
        let index = last.next;
        let expected = &self.containers[index];
        let file = self.files.last().expect("a file is being read");
        let is_plain = !file.is_stream && !self.object.is_open();
        if !is_plain || self.columns.is_some_and(|columns| !columns.are_default()) {
            return false;
        }
        let Some(values) = values_of(bytes, &expected.id, &expected.name) else { return false };
        notes.n_rows += 1;
        self.last_container = index;
        let repeats = self.place(index, None, "", Escapes::default());
        debug_assert!(!repeats, "only streams repeat rows");
        self.take(index, self.time_of_row(None), values, input);
        true
    }
}

/// What a row of this container says, if it is of the usual form:
/// `ID   NAME   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   0B / 0B   7`.
pub(super) fn values_of(bytes: &[u8], id: &str, name: &str) -> Option<Values> {
    // Whole or cut IDs of docker: no number of so many digits is a time.
    if !matches!(id.len(), 12 | 64) || name.is_empty() {
        return None;
    }
    let mut row = Rest(bytes);
    row.literal(id.as_bytes())?;
    row.blanks()?;
    row.literal(name.as_bytes())?;
    row.blanks()?;
    row.share()?;
    row.blanks()?;
    let (used, length) = amount::leading(row.0)?;
    row.skip(length);
    row.literal(b" / ")?;
    let limit = row.bytes()?;
    if used.bytes == 0.0 {
        return None;
    }
    row.blanks()?;
    row.share()?;
    row.blanks()?;
    let mut counters = [None; 4];
    for (index, counter) in counters.iter_mut().enumerate() {
        match index {
            1 | 3 => row.literal(b" / ")?,
            2 => row.blanks()?,
            _ => {}
        }
        *counter = Some(row.bytes()?);
    }
    row.blanks()?;
    row.0
        .trim_ascii_end()
        .iter()
        .all(u8::is_ascii_digit)
        .then_some(Values { memory: Memory::Used { used, limit: Some(limit).filter(|limit| 0.0 < *limit) }, counters })
}

/// What was not looked at yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn skip(&mut self, length: usize) {
        self.0 = &self.0[length..];
    }

    fn literal(&mut self, literal: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    /// Two blanks or more.
    fn blanks(&mut self) -> Option<()> {
        let length = self.0.iter().take_while(|byte| **byte == b' ').count();
        self.skip(length);
        (2 <= length).then_some(())
    }

    /// `0.12%`.
    fn share(&mut self) -> Option<()> {
        let length = self.0.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        if length == 0 || self.0[0] == b'.' || self.0.get(length) != Some(&b'%') {
            return None;
        }
        self.skip(length + 1);
        Some(())
    }

    fn bytes(&mut self) -> Option<f64> {
        let (bytes, length) = amount::leading_bytes(self.0)?;
        self.skip(length);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::cells::{MAX_CELLS, split};
    use super::super::row::bare_row;
    use super::*;

    /// What the general reading gives.
    fn general(text: &str) -> Option<Values> {
        let mut cells = [""; MAX_CELLS];
        let n_cells = split(text.trim_ascii(), &mut cells);
        let row = bare_row(&cells[..n_cells])?;
        Some(Values { memory: Memory::of(row.memory).ok()?, counters: row.counters() })
    }

    const ID: &str = "9a9858661741";

    #[test]
    fn the_usual_row_is_read_quickly_and_others_are_left() {
        let quick = |row: &str| values_of(row.as_bytes(), ID, "web").is_some();
        assert!(quick("9a9858661741   web   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   1.2MB / 0B   7"));
        assert!(quick("9a9858661741   web   0.12%     16.18MiB / 1GiB   1.58%   796B / 0B   1.2MB / 0B   7  "));
        for other in [
            "9a9858661742   web   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   1.2MB / 0B   7",
            "9a9858661741   webs   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   1.2MB / 0B   7",
            "9a9858661741   web   --   -- / --   --   --   --   --",
            "9a9858661741   web   0.12%   0B / 0B   1.58%   796B / 0B   1.2MB / 0B   7",
            "9a9858661741   web   0.12%   16.18MiB / 1GiB   1.58%   1e+03kB / 0B   1.2MB / 0B   7",
            "9a9858661741   web   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   1.2MB / 0B   7   x",
            "9a9858661741   web   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   1.2MB / 0B",
            "9a9858661741   web   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   1.2MB / 0B   7\x1b[K",
            "9a9858661741 web 0.12% 16.18MiB / 1GiB 1.58% 796B / 0B 1.2MB / 0B 7",
            "9a9858661741",
            "",
        ] {
            assert!(!quick(other), "{other}");
        }
        assert_eq!(values_of(b"", "", ""), None);
    }

    fn amount() -> impl Strategy<Value = String> {
        let usual =
            ("[0-9]{1,4}", "(\\.[0-9]{1,3})?", prop::sample::select(vec!["B", "kB", "MB", "GB", "KiB", "MiB", "GiB"]));
        let odd = ("[0-9]{0,11}", "\\.?(e\\+03)?", prop::sample::select(vec!["TiB", " MiB", "Mb", "", "--", "MiB"]));
        prop_oneof![
            30 => usual.prop_map(|(whole, decimals, unit)| whole + &decimals + unit),
            1 => odd.prop_map(|(whole, decimals, unit)| whole + &decimals + unit),
        ]
    }

    fn separator() -> impl Strategy<Value = &'static str> {
        prop_oneof![30 => prop::sample::select(vec!["   ", "  ", "     "]), 1 => prop::sample::select(vec![" ", "\t", "  \t"])]
    }

    proptest! {
        #[test]
        fn what_is_read_quickly_is_what_the_general_reading_gives(
            amounts in prop::collection::vec(amount(), 6),
            separators in prop::collection::vec(separator(), 7),
        ) {
            let s = &separators;
            let a = &amounts;
            let row = format!(
                "{ID}{}web{}0.12%{}{} / {}{}1.5%{}{} / {}{}{} / {}{}7",
                s[0], s[1], s[2], a[0], a[1], s[3], s[4], a[2], a[3], s[5], a[4], a[5], s[6]
            );
            if let Some(values) = values_of(row.as_bytes(), ID, "web") {
                prop_assert_eq!(Some(values), general(&row), "{}", row);
            }
        }
    }
}
