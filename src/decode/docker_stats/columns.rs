//! What the header of a table says: which column is which, by name, in any order.

use memchr::{memchr2, memmem};

use super::cells::{MAX_CELLS, looks_like_memory, split, words};
use super::memory::Figure;
use super::row::{Row, is_torn_id};

/// The kinds of table, by what their header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// docker, podman, nerdctl: `MEM USAGE / LIMIT`, or `PRIV WORKING SET` on Windows.
    Stats,
    /// crictl: `MEM`, CPU without a `%` sign.
    Crictl,
    /// `kubectl top pod`: `MEMORY(bytes)`; no cell holds a blank.
    Kubectl,
}

/// Where a header says that things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) kind: Kind,
    namespace: Option<usize>,
    pod: Option<usize>,
    id: Option<usize>,
    name: Option<usize>,
    memory: usize,
    network: Option<usize>,
    disk: Option<usize>,
    pub(super) count: usize,
}

impl Columns {
    /// The columns that a header names; `None` when none of them is memory.
    pub(super) fn of(header: &str) -> Option<Columns> {
        let mut cells = [""; MAX_CELLS];
        let is_kubectl = header.contains("MEMORY(bytes)");
        let n_cells = if is_kubectl { words(header, &mut cells) } else { split(header, &mut cells) };
        let mut columns = Columns {
            kind: if is_kubectl { Kind::Kubectl } else { Kind::Stats },
            namespace: None,
            pod: None,
            id: None,
            name: None,
            memory: usize::MAX,
            network: None,
            disk: None,
            count: n_cells,
        };
        for (index, cell) in cells[..n_cells].iter().enumerate() {
            // What stands before the rows stands before the header, too.
            let cell = ["CONTAINER ID", "CONTAINER", "NAME", "POD", "ID"]
                .into_iter()
                .find(|name| {
                    index == 0
                        && cell
                            .strip_suffix(*name)
                            .is_some_and(|before| before.is_empty() || before.ends_with([' ', ':', ']']))
                })
                .unwrap_or(cell);
            match cell {
                "CONTAINER ID" | "ID" | "POD ID" => columns.id = Some(index),
                "CONTAINER" | "NAME" if columns.name.is_none() => columns.name = Some(index),
                // crictl heads the ID with `CONTAINER` where there is a name beside it.
                "NAME" => columns.id = columns.name.replace(index),
                "NAMESPACE" => columns.namespace = Some(index),
                "POD" => columns.pod = Some(index),
                "NET I/O" | "NET IO" => columns.network = Some(index),
                "BLOCK I/O" | "BLOCK IO" => columns.disk = Some(index),
                "MEM" if columns.memory == usize::MAX => {
                    columns.kind = Kind::Crictl;
                    columns.memory = index;
                }
                "MEMORY(bytes)" => columns.memory = index,
                _ if cell.starts_with("MEM USAGE") || cell == "PRIV WORKING SET" => columns.memory = index,
                _ => {}
            }
        }
        match columns.kind {
            // `kubectl top pod` without `--containers` heads the pod with `NAME`, `crictl statsp` with `POD`.
            Kind::Kubectl if columns.pod.is_none() => columns.pod = columns.name.take(),
            Kind::Crictl if columns.name.is_none() => columns.name = columns.pod.take(),
            Kind::Crictl if columns.id.is_none() => columns.id = columns.name.take(),
            _ => {}
        }
        (columns.memory < n_cells).then_some(columns)
    }

    /// Whether these are the columns of docker's own table.
    pub(super) fn are_default(&self) -> bool {
        let places = (self.id, self.name, self.memory, self.network, self.disk, self.count);
        self.kind == Kind::Stats && places == (Some(0), Some(1), 3, Some(5), Some(6), 8)
    }

    /// The row of these cells; `None` when they do not fit these columns.
    pub(super) fn row<'a>(&self, text: &'a str, cells: &[&'a str]) -> Option<Row<'a>> {
        let cell = |index: Option<usize>| index.and_then(|index| cells.get(index)).map_or("", |cell| *cell);
        match self.kind {
            Kind::Stats | Kind::Crictl => {
                let is_torn = self.kind == Kind::Stats && is_torn_id(cell(self.id));
                let is_whole = cells.len() == self.count && !is_torn;
                if !is_whole || !looks_like_memory(cells[self.memory]) {
                    return None;
                }
                Some(Row {
                    namespace: "",
                    pod: "",
                    id: cell(self.id),
                    name: cell(self.name),
                    memory: Figure::Rounded(cells[self.memory]),
                    network: cell(self.network),
                    disk: cell(self.disk),
                })
            }
            Kind::Kubectl => {
                let mut cells = [""; MAX_CELLS];
                let n_words = words(text, &mut cells);
                let cell = |index: Option<usize>| index.map_or("", |index| cells[index]);
                let memory = cells[self.memory];
                if n_words != self.count || !memory.starts_with(|c: char| c.is_ascii_digit() || c == '<') {
                    return None;
                }
                Some(Row {
                    namespace: cell(self.namespace),
                    pod: cell(self.pod),
                    id: "",
                    name: cell(self.name),
                    memory: Figure::Whole(memory),
                    network: "",
                    disk: "",
                })
            }
        }
    }
}

/// Whether a line is the header of a table that can be read.
pub(super) fn is_header(text: &str) -> bool {
    // The cheapest test first: rows hold neither letter, but for names.
    if memchr2(b'U', b'W', text.as_bytes()).is_none() {
        return false;
    }
    let has = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    if has("MEM USAGE") || has("PRIV WORKING SET") {
        return has("NAME") || has("CONTAINER") || text.starts_with("ID  ") || has(" ID  ");
    }
    if has("MEMORY(bytes)") {
        // The rows of `kubectl top node` are machines.
        return has("NAME") && !has("CPU%") && !has("CPU(%)");
    }
    has("CPU %") && has("MEM") && (has("CONTAINER") || has("POD ID")) && Columns::of(text).is_some()
}
