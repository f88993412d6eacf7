//! Decodes lines on all cores, and takes them one by one in their order.
//!
//! What a line says by itself is decoded block by block, in parallel; what it means after the lines before it is for
//! one thread, which goes on while the next blocks are decoded. The result does not depend on the number of threads.

use std::io::Read;

use memchr::memchr;
use rayon::prelude::*;

use super::lines::{Block, Line, Lines, MAX_LINE};

/// Blocks that are decoded at a time, at most: more threads than this wait for the one that takes.
const MAX_BLOCKS: usize = 8;

/// A line that was decoded: its extent in its block, in bytes, and what it says.
struct Item<R> {
    start: u32,
    end: u32,
    row: R,
}

struct Decoded<R> {
    block: Block,
    /// In their order; lines between them were of no use to the decoder.
    items: Vec<Item<R>>,
}

/// Reads all lines, and gives their number.
///
/// `decode` is given what it knows of the lines before in the block, and the text from the beginning of a line to the
/// end of its block. It gives what the line says and its length with the line ending, or `None` where the line is of no
/// use to it. `take` is given every line, in order.
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
            for decoded in &mut current {
                decoded.give(&mut number, &mut take);
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
        if self.block.is_cut() {
            return;
        }
        let text = self.block.bytes();
        let (mut state, mut at) = (S::default(), 0);
        while at < text.len() {
            let rest = &text[at..];
            match decode(&mut state, rest) {
                Some((row, length)) if length <= MAX_LINE => {
                    self.items.push(Item { start: at as u32, end: (at + length) as u32, row });
                    at += length;
                }
                _ => at += line_length(rest),
            }
        }
    }

    /// Gives every line, in order, and forgets what they were decoded to.
    fn give(&mut self, number: &mut u64, take: &mut impl FnMut(Line<'_>, Option<&R>)) {
        let block = &self.block;
        let mut give = |start: usize, end: usize, row: Option<&R>| {
            *number += 1;
            take(block.line(start..end, *number), row);
        };
        let mut at = 0;
        for item in &self.items {
            let (start, end) = (item.start as usize, item.end as usize);
            while at < start {
                let length = line_length(&block.bytes()[at..start]);
                give(at, at + length, None);
                at += length;
            }
            give(start, end, Some(&item.row));
            at = end;
        }
        while at < block.bytes().len() {
            let length = line_length(&block.bytes()[at..]);
            give(at, at + length, None);
            at += length;
        }
        self.items.clear();
    }
}

/// That of the line at the beginning of a text, with its ending.
fn line_length(text: &[u8]) -> usize {
    memchr(b'\n', text).map_or(text.len(), |length| length + 1)
}
