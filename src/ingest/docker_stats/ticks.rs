//! Puts rows into ticks: a tick is one call of `docker stats`, or one frame of its stream.

use super::super::Format;
use super::Reader;
use super::escapes::Escapes;

/// What began a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Began {
    /// A header, a stamp or an escape code: the order of rows is not needed.
    Frame,
    /// A row of a container that is in the tick before, or with another time.
    Again,
    /// A row that would have to stand before one in the tick before.
    Order,
}

/// The tick that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tick {
    pub(super) index: usize,
    pub(super) began: Began,
    pub(super) n_rows: usize,
    /// Whether a container that was known before is in it.
    pub(super) holds_known: bool,
    pub(super) last_rank: (i64, usize),
    /// Whether a container of the tick before, by name, is in it.
    pub(super) overlaps: bool,
    /// Its table had neither been erased line by line nor ended: it may come a second time.
    pub(super) may_double: bool,
}

impl Reader {
    /// Begins a tick at a header or where a stream draws its table anew.
    pub(super) fn begin_frame(&mut self, escapes: Escapes) {
        match &mut self.tick {
            // The stamp before the header began it.
            Some(tick) if tick.n_rows == 0 && tick.began == Began::Frame && self.ticks[tick.index].is_some() => {}
            // docker 28 draws every table twice, the second time erasing the rest of each line.
            Some(tick) if tick.may_double && escapes.erase_line && !escapes.clear => tick.may_double = false,
            _ => {
                let may_double = escapes.home && !escapes.clear && !escapes.erase_line;
                self.begin_tick(None, Began::Frame, may_double);
            }
        }
    }

    pub(super) fn begin_tick(&mut self, time_ms: Option<i64>, began: Began, may_double: bool) {
        self.end_tick();
        let index = self.ticks.len();
        self.ticks.push(time_ms);
        let last_rank = (i64::MIN, 0);
        self.tick = Some(Tick { index, began, n_rows: 0, holds_known: false, last_rank, overlaps: false, may_double });
    }

    /// Settles whether the tick that ends was a call of its own.
    ///
    /// A container that starts while `docker stats` runs is listed last, against the order, and one that was created
    /// long ago comes in between. Such rows begin a tick but hold none of the names of the tick before.
    pub(super) fn end_tick(&mut self) {
        let Some(tick) = self.tick.take() else { return };
        if tick.began == Began::Order && !tick.overlaps {
            self.joined.push(tick.index);
        } else {
            self.call_start = tick.index;
        }
    }

    /// The time of the table before, where the one that begins with this container is of the same moment: one stamp may
    /// stand before the tables of several machines. A container that is in both is in two calls.
    fn stamp_of_call_before(&self, container: usize) -> Option<i64> {
        let tick = self.tick.as_ref().filter(|tick| tick.began == Began::Frame && tick.n_rows == 0)?;
        let first_tick = self.files.last()?.first_tick;
        let before = tick.index.checked_sub(1).filter(|before| first_tick <= *before)?;
        let last = self.ticks.get(self.containers[container].last_tick).copied().flatten();
        self.ticks[before].filter(|time_ms| last != Some(*time_ms))
    }

    /// Puts a row into the tick it belongs to; `true` when it only repeats a row of the same or the last frame.
    pub(super) fn place(&mut self, index: usize, time_ms: Option<i64>, text: &str, escapes: Escapes) -> bool {
        let is_stream = self.files.last().is_some_and(|file| file.is_stream);
        let container = &self.containers[index];
        let is_new = container.first_tick == usize::MAX;
        let begins = match &self.tick {
            None => Some(Began::Again),
            Some(tick) => {
                // Neither an ID nor a name is twice in one call.
                let again = self.series[container.series].last_tick == tick.index;
                let same_row = is_stream && container.row == text.as_bytes();
                if again && same_row && (tick.began == Began::Frame || escapes.erase_line && !container.erased) {
                    return true;
                }
                let in_order = is_stream
                    || tick.began == Began::Frame
                    || if is_new { !tick.holds_known } else { tick.last_rank <= container.rank };
                let at_another_time = match (time_ms, self.ticks[tick.index]) {
                    (Some(time_ms), Some(tick_ms)) => time_ms != tick_ms && tick.began != Began::Frame,
                    (Some(_), None) => tick.n_rows > 0,
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
            self.begin_tick(time_ms, began, false);
        }
        let stamp_before = self.stamp_of_call_before(index).filter(|_| !is_stream);
        let tick = self.tick.as_mut().expect("a tick has begun");
        if tick.n_rows == 0 && self.ticks[tick.index].is_none() {
            self.ticks[tick.index] = time_ms.or(stamp_before);
        }
        let container = &mut self.containers[index];
        if is_new {
            container.first_tick = tick.index;
            container.rank = (-(tick.index as i64), tick.n_rows);
        }
        tick.holds_known |= container.first_tick < tick.index;
        tick.last_rank = container.rank;
        tick.n_rows += 1;
        let last_tick = &mut self.series[container.series].last_tick;
        tick.overlaps |= *last_tick != usize::MAX && self.call_start <= *last_tick && *last_tick < tick.index;
        *last_tick = tick.index;

        let mut repeats = false;
        // Every frame of podman is a reading of its own.
        if is_stream && self.format != Format::PodmanStats {
            // A stream is drawn twice as often as the engine measures: every second equal row is the same reading.
            let same = container.last_tick != usize::MAX
                && container.last_tick + 1 == tick.index
                && container.row == text.as_bytes();
            repeats = same && !container.repeated;
            container.repeated = repeats;
            container.row.clear();
            container.row.extend_from_slice(text.as_bytes());
            container.erased = escapes.erase_line;
        }
        container.last_tick = tick.index;
        repeats
    }
}
