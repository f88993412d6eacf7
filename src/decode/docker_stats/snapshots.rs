//! Puts rows into snapshots: a snapshot is one call of `docker stats`, or one frame of its stream.

use super::Reader;
use super::escapes::Escapes;
use crate::account::Format;

/// What began a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Began {
    /// A header, a timestamp or an escape code: the order of rows is not needed.
    Frame,
    /// A row of a container that is in the snapshot before, or with another time.
    Again,
    /// A row that would have to stand before one in the snapshot before.
    Order,
}

/// The snapshot that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Snapshot {
    pub(super) index: usize,
    pub(super) began: Began,
    pub(super) n_rows: usize,
    /// Whether a container that was known before is in it.
    pub(super) holds_known: bool,
    pub(super) last_rank: (i64, usize),
    /// Whether a container of the snapshot before, by name, is in it.
    pub(super) overlaps: bool,
    /// Its table had neither been erased line by line nor ended: it may come a second time.
    pub(super) may_double: bool,
}

impl Reader {
    /// Begins a snapshot at a header or where a stream draws its table again.
    pub(super) fn begin_frame(&mut self, escapes: Escapes) {
        match &mut self.snapshot {
            // The timestamp before the header began it.
            Some(snapshot)
                if snapshot.n_rows == 0
                    && snapshot.began == Began::Frame
                    && self.snapshots[snapshot.index].is_some() => {}
            // docker 28 draws every table twice, the second time erasing the rest of each line.
            Some(snapshot) if snapshot.may_double && escapes.erase_line && !escapes.clear => {
                snapshot.may_double = false;
            }
            _ => {
                let may_double = escapes.home && !escapes.clear && !escapes.erase_line;
                self.begin_snapshot(None, Began::Frame, may_double);
            }
        }
    }

    pub(super) fn begin_snapshot(&mut self, time_ms: Option<i64>, began: Began, may_double: bool) {
        self.end_snapshot();
        let index = self.snapshots.len();
        self.snapshots.push(time_ms);
        let last_rank = (i64::MIN, 0);
        self.snapshot =
            Some(Snapshot { index, began, n_rows: 0, holds_known: false, last_rank, overlaps: false, may_double });
    }

    /// Settles whether the snapshot that ends was a call of its own.
    ///
    /// A container that starts while `docker stats` runs is listed last, against the order, and one that was created
    /// long ago comes in between. Such rows begin a snapshot but hold none of the names of the snapshot before.
    pub(super) fn end_snapshot(&mut self) {
        let Some(snapshot) = self.snapshot.take() else { return };
        if snapshot.began == Began::Order && !snapshot.overlaps {
            self.joined.push(snapshot.index);
        } else {
            self.call_start = snapshot.index;
        }
    }

    /// The time of the table before, where the one that begins with this container is of the same moment: one timestamp may
    /// stand before the tables of several machines. A container that is in both is in two calls.
    fn timestamp_of_call_before(&self, container: usize) -> Option<i64> {
        let snapshot =
            self.snapshot.as_ref().filter(|snapshot| snapshot.began == Began::Frame && snapshot.n_rows == 0)?;
        let first_snapshot = self.files.last()?.first_snapshot;
        let before = snapshot.index.checked_sub(1).filter(|before| first_snapshot <= *before)?;
        let last = self.snapshots.get(self.containers[container].last_snapshot).copied().flatten();
        self.snapshots[before].filter(|time_ms| last != Some(*time_ms))
    }

    /// Puts a row into the snapshot it belongs to; `true` when it only repeats a row of the same or the last frame.
    pub(super) fn place(&mut self, index: usize, time_ms: Option<i64>, text: &str, escapes: Escapes) -> bool {
        let is_stream = self.files.last().is_some_and(|file| file.is_stream);
        let container = &self.containers[index];
        let is_new = container.first_snapshot == usize::MAX;
        let begins = match &self.snapshot {
            None => Some(Began::Again),
            Some(snapshot) => {
                // Neither an ID nor a name is twice in one call.
                let again = self.series[container.series].last_snapshot == snapshot.index;
                let same_row = is_stream && container.row == text.as_bytes();
                if again && same_row && (snapshot.began == Began::Frame || escapes.erase_line && !container.erased) {
                    return true;
                }
                let in_order = is_stream
                    || snapshot.began == Began::Frame
                    || if is_new { !snapshot.holds_known } else { snapshot.last_rank <= container.rank };
                let at_another_time = match (time_ms, self.snapshots[snapshot.index]) {
                    (Some(time_ms), Some(snapshot_ms)) => time_ms != snapshot_ms && snapshot.began != Began::Frame,
                    (Some(_), None) => snapshot.n_rows > 0,
                    (None, _) => again,
                };
                if at_another_time {
                    Some(Began::Again)
                } else {
                    (time_ms.is_none() && !in_order).then_some(Began::Order)
                }
            }
        };
        if let Some(began) = begins {
            self.begin_snapshot(time_ms, began, false);
        }
        let timestamp_before = self.timestamp_of_call_before(index).filter(|_| !is_stream);
        let snapshot = self.snapshot.as_mut().expect("a snapshot has begun");
        if snapshot.n_rows == 0 && self.snapshots[snapshot.index].is_none() {
            self.snapshots[snapshot.index] = time_ms.or(timestamp_before);
        }
        let container = &mut self.containers[index];
        if is_new {
            container.first_snapshot = snapshot.index;
            container.rank = (-(snapshot.index as i64), snapshot.n_rows);
        }
        snapshot.holds_known |= container.first_snapshot < snapshot.index;
        snapshot.last_rank = container.rank;
        snapshot.n_rows += 1;
        let last_snapshot = &mut self.series[container.series].last_snapshot;
        snapshot.overlaps |=
            *last_snapshot != usize::MAX && self.call_start <= *last_snapshot && *last_snapshot < snapshot.index;
        *last_snapshot = snapshot.index;

        let mut repeats = false;
        // Every frame of podman is a reading of its own.
        if is_stream && self.format != Format::PodmanStats {
            // A stream is drawn twice as often as the engine measures: every second equal row is the same reading.
            let same = container.last_snapshot != usize::MAX
                && container.last_snapshot + 1 == snapshot.index
                && container.row == text.as_bytes();
            repeats = same && !container.repeated;
            container.repeated = repeats;
            container.row.clear();
            container.row.extend_from_slice(text.as_bytes());
            container.erased = escapes.erase_line;
        }
        container.last_snapshot = snapshot.index;
        repeats
    }
}
