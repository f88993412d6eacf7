//! Decodes lines on all cores, and takes them one by one in their order.
//!
//! What a line says by itself is decoded block by block, in parallel; what it means after the lines before it is for
//! one thread, which goes on while the next blocks are decoded. The result does not depend on the number of threads.

use std::io::Read;

use memchr::memchr;
use rayon::prelude::*;

use super::lines::{Block, Line, Lines};

/// Blocks that are decoded at a time, at most: more threads than this wait for the one that takes.
const MAX_BLOCKS: usize = 8;

/// A line of a block: its extent, and what it was decoded to.
struct Item<R> {
    start: u32,
    end: u32,
    row: Option<R>,
}

struct Decoded<R> {
    block: Block,
    items: Vec<Item<R>>,
}

/// Reads all lines, and gives their number.
///
/// `decode` is given what it knows of the lines before in the block, and the text from the beginning of a line to the end of its block, and gives what the line says and
/// its length with the line ending, or `None` where the line is of no use to it; `take` is given every line, in order.
pub(super) fn read_rows<S: Default, R: Send>(
    lines: &mut Lines<impl Read + Send>,
    decode: impl Fn(&mut S, &[u8]) -> Option<(R, usize)> + Sync,
    mut take: impl FnMut(Line<'_>, Option<&R>) + Send,
) -> u64 {
    let n_blocks = rayon::current_num_threads().min(MAX_BLOCKS);
    let mut number = 0;
    let mut spares: Vec<Decoded<R>> = Vec::new();
    let mut current: Vec<Decoded<R>> = Vec::new();
    loop {
        let next = || {
            let mut begun: Vec<Decoded<R>> = Vec::with_capacity(n_blocks);
            while begun.len() < n_blocks {
                let (spare, items) = spares.pop().map_or_else(Default::default, Decoded::into_spare);
                // A reader that fails has said so, and has ended.
                let Ok(Some(block)) = lines.next_block(spare) else { break };
                begun.push(Decoded { block, items });
            }
            begun.par_iter_mut().for_each(|decoded| decoded.fill(&decode));
            (begun, spares)
        };
        let taken = || {
            for Decoded { block, items } in &mut current {
                for Item { start, end, row } in &*items {
                    number += 1;
                    take(block.line(*start as usize..*end as usize, number), row.as_ref());
                }
                items.clear();
            }
            current
        };
        let ((begun, _), done) = rayon::join(next, taken);
        spares = done;
        if begun.is_empty() {
            return number;
        }
        current = begun;
    }
}

impl<R> Decoded<R> {
    /// The memory of both, of which nothing is kept.
    fn into_spare(self) -> (Vec<u8>, Vec<Item<R>>) {
        (self.block.into_spare(), self.items)
    }

    fn fill<S: Default>(&mut self, decode: &impl Fn(&mut S, &[u8]) -> Option<(R, usize)>) {
        let text = self.block.bytes();
        let (mut state, mut at) = (S::default(), 0);
        while at < text.len() {
            let rest = &text[at..];
            let (row, length) = match decode(&mut state, rest) {
                Some((row, length)) => (Some(row), length),
                None => (None, memchr(b'\n', rest).map_or(rest.len(), |length| length + 1)),
            };
            self.items.push(Item { start: at as u32, end: (at + length) as u32, row });
            at += length;
        }
    }
}
