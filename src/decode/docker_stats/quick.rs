//! The quick reading of the row that a log is made of: the default columns of docker.
//!
//! The columns of a table stand where they stood in the row before, and most cells of a container say what they said
//! before. What is exactly so is not read again; whatever else there is in a line is left to the general reading.

use memchr::memchr2;

use super::super::amount;
use super::super::swar::Scan;
use super::Reader;
use super::cells::{MAX_CELLS, is_share, split};
use super::escapes::Escapes;
use super::memory::{Memory, pair};
use super::notes::Notes;
use crate::account::Input;
use crate::units::WrittenAmount;

/// What a row says beside its container.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Values {
    pub(super) memory: Memory,
    /// Of NET I/O and BLOCK I/O, in bytes; NaN where there is none.
    pub(super) counters: [f64; 4],
}

/// Where the columns of a table begin, from the beginning of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Layout {
    id_length: u32,
    name: u32,
    cpu: u32,
    memory: u32,
    share: u32,
    network: u32,
    pids: u32,
}

/// A row of the usual form.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct QuickRow {
    layout: Layout,
    name_end: u32,
    used: WrittenAmount,
    /// Where the limit begins and ends.
    limit: (u32, u32),
}

/// What the row of a container said last in the cells that seldom change, as it stood there.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// ID and name.
    identity: Vec<u8>,
    limit: Vec<u8>,
    limit_bytes: Option<f64>,
    /// NET I/O and BLOCK I/O.
    counters: Vec<u8>,
    counter_bytes: [f64; 4],
}

/// Reads a line of the usual form, and its length with the line ending:
/// `ID   NAME   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   0B / 0B   7`.
///
/// ID, limit and counters are only found; the layout is that of the row before.
pub(super) fn decode(layout: &mut Layout, text: &[u8]) -> Option<(QuickRow, usize)> {
    let length = memchr2(b'\n', 0x1b, text).filter(|length| text[*length] == b'\n')?;
    let line = &text[..length];
    let row = layout.row(line).or_else(|| {
        *layout = Layout::of(line)?;
        layout.row(line)
    })?;
    Some((row, length + 1))
}

impl Layout {
    /// That of a line of eight cells; `None` for every other line.
    fn of(line: &[u8]) -> Option<Layout> {
        let line = str::from_utf8(line).ok()?;
        let mut cells = [""; MAX_CELLS];
        let n_cells = split(line.trim_ascii_end(), &mut cells);
        let [id, name, cpu, memory, share, network, _, pids] = &cells[..n_cells] else { return None };
        let place = |cell: &str| (cell.as_ptr() as usize - line.as_ptr() as usize) as u32;
        (place(id) == 0).then_some(Layout {
            id_length: id.len() as u32,
            name: place(name),
            cpu: place(cpu),
            memory: place(memory),
            share: place(share),
            network: place(network),
            pids: place(pids),
        })
    }

    /// The row of a line whose cells stand in these places.
    fn row(&self, line: &[u8]) -> Option<QuickRow> {
        let Layout { id_length, name, cpu, memory, share, network, pids } = *self;
        // Whole or cut IDs of docker: no number of so many digits is a time.
        if !matches!(id_length, 12 | 64) {
            return None;
        }
        let fills = |mut blanks: Scan<'_>, next: u32| {
            let n_blanks = blanks.blanks();
            (2 <= n_blanks && blanks.0.len() + next as usize == line.len()).then_some(())
        };
        let from = |place: u32| line.get(place as usize..).map(Scan);
        let share_cell = |begin: u32, next: u32| {
            let mut rest = from(begin)?;
            let is_share = matches!(rest.until_blank()?, [b'0'..=b'9', .., b'%']);
            fills(rest, next).filter(|()| is_share)
        };
        fills(from(id_length)?, name)?;
        let mut rest = from(name)?;
        let name_end = name + rest.until_blank()?.len() as u32;
        fills(rest, cpu)?;
        share_cell(cpu, memory)?;
        let mut rest = from(memory)?;
        let used = rest.amount()?;
        rest.literal(b" / ")?;
        let limit = (line.len() - rest.0.len()) as u32;
        let limit = (limit, limit + rest.until_blank()?.len() as u32);
        fills(rest, share)?;
        share_cell(share, network)?;
        let Some([b' ', b' ', b'0'..=b'9', ..]) = line.get(pids as usize - 2..) else { return None };
        let mut rest = from(pids)?;
        let (_, 0) = rest.decimal()? else { return None };
        (rest.0.trim_ascii().is_empty() && used.bytes != 0.0).then_some(QuickRow {
            layout: *self,
            name_end,
            used,
            limit,
        })
    }
}

impl Cells {
    /// To be called where the container may be given another name or ID.
    pub(super) fn forget_identity(&mut self) {
        self.identity.clear();
    }

    /// The limit and the counters of a row; `None` when the general reading must say what they are.
    fn values(&mut self, line: &[u8], row: &QuickRow) -> Option<(Option<f64>, [f64; 4])> {
        let text = |bytes| str::from_utf8(bytes).ok().map(str::trim_ascii_end);
        let limit = &line[row.limit.0 as usize..row.limit.1 as usize];
        if self.limit != limit {
            self.limit_bytes = Some(amount::read(text(limit)?).ok()?.bytes).filter(|bytes| 0.0 < *bytes);
            keep(&mut self.limit, limit);
        }
        let counters = &line[row.layout.network as usize..row.layout.pids as usize];
        if self.counters != counters {
            self.counter_bytes = four_amounts(counters).or_else(|| {
                let mut cells = [""; MAX_CELLS];
                let n_cells = split(text(counters)?, &mut cells);
                let [network, disk] = cells[..n_cells] else { return None };
                let [[received, sent], [read, written]] = [pair(network), pair(disk)];
                (!is_share(network) && network != "--").then_some([received, sent, read, written])
            })?;
            keep(&mut self.counters, counters);
        }
        Some((self.limit_bytes, self.counter_bytes))
    }
}

/// Of two cells `796B / 0B`, in bytes; `None` where they are not exactly so.
fn four_amounts(cells: &[u8]) -> Option<[f64; 4]> {
    let mut rest = Scan(cells);
    let mut pair = || {
        let first = rest.bytes()?;
        rest.literal(b" / ")?;
        let second = rest.bytes()?;
        (2 <= rest.blanks()).then_some([first, second])
    };
    let [[received, sent], [read, written]] = [pair()?, pair()?];
    rest.0.is_empty().then_some([received, sent, read, written])
}

fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.clear();
    kept.extend_from_slice(bytes);
}

impl Reader {
    /// Takes a row of the container that followed the last one in the snapshot before; `false` when it is anything else.
    pub(super) fn take_quick_row(&mut self, line: &[u8], row: &QuickRow, input: &mut Input, notes: &mut Notes) -> bool {
        let Some(last) = self.containers.get(self.last_container) else { return false };
        let index = last.next;
        let file = self.files.last().expect("a file is being read");
        let is_plain = !file.is_stream && !self.object.is_open();
        if !is_plain || self.columns.is_some_and(|columns| !columns.are_default()) {
            return false;
        }
        let expected = &mut self.containers[index];
        let identity = &line[..row.layout.cpu as usize];
        if expected.cells.identity != identity {
            let name = &line[row.layout.name as usize..row.name_end as usize];
            let id = &line[..row.layout.id_length as usize];
            if id != expected.id.as_bytes() || name != expected.name.as_bytes() {
                return false;
            }
            keep(&mut expected.cells.identity, identity);
        }
        let Some((limit, counters)) = expected.cells.values(line, row) else { return false };
        let values = Values { memory: Memory::Used { used: row.used, limit }, counters };
        notes.n_rows += 1;
        self.last_container = index;
        let repeats = self.place(index, None, "", Escapes::default());
        debug_assert!(!repeats, "only streams repeat rows");
        self.take(index, self.time_of_row(None), values, input);
        true
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

    /// What the quick reading gives, and the length of the line.
    fn quickly(row: &str) -> Option<(Values, usize)> {
        let line = format!("{row}\n");
        let (row, length) = decode(&mut Layout::default(), line.as_bytes())?;
        let (limit, counters) = Cells::default().values(line.as_bytes(), &row)?;
        Some((Values { memory: Memory::Used { used: row.used, limit }, counters }, length))
    }

    const ID: &str = "9a9858661741";

    #[test]
    fn the_usual_row_is_read_quickly_and_others_are_left() {
        let quick = |row: &str| quickly(row).is_some();
        assert!(quick("9a9858661741   web   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   1.2MB / 0B   7"));
        assert!(quick("9a9858661741   web   0.12%     16.18MiB / 1GiB   1.58%   796B / 0B   1.2MB / 0B   7  "));
        assert!(
            quickly("9a9858661741   web   0.12%   16.18MiB / 1GiB   1.58%   1e+03kB / 0B   1.2MB / --   7").is_some()
        );
        for other in [
            "9a985866174   web   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   1.2MB / 0B   7",
            "9a9858661741   web   --   -- / --   --   --   --   --",
            "9a9858661741   web   0.12%   0B / 0B   1.58%   796B / 0B   1.2MB / 0B   7",
            "9a9858661741   web   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   1.2MB / 0B   7   x",
            "9a9858661741   web   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   1.2MB / 0B",
            "9a9858661741   web   0.12%   16.18MiB / 1GiB   1.58%   796B / 0B   1.2MB / 0B   7\x1b[K",
            "9a9858661741 web 0.12% 16.18MiB / 1GiB 1.58% 796B / 0B 1.2MB / 0B 7",
            "9a9858661741",
            "",
        ] {
            assert!(!quick(other), "{other}");
        }
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
            if let Some((values, length)) = quickly(&row) {
                prop_assert_eq!(length, row.len() + 1);
                prop_assert_eq!(format!("{:?}", Some(values)), format!("{:?}", general(&row)), "{}", row);
            }
        }
    }
}
