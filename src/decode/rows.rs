//! Decodes lines on all cores, and takes them one by one in their order.
//!
//! What a line says by itself is decoded block by block, in parallel; what it means after the lines before it is for
//! one thread, which goes on while the next blocks are decoded. The result does not depend on the number of threads.

use std::io::Read;

use memchr::memchr;
use rayon::prelude::*;

use crate::open::{Block, Line, Lines, MAX_LINE};

/// Blocks that are decoded at a time, by each thread where there are several: fewer, and threads wait for one another.
const BLOCKS: usize = 4;

/// Threads that decode, at most: more than this wait for the one that takes.
const MAX_THREADS: usize = 8;

/// A line that was decoded: its extent in its block, in bytes, and what it says.
pub(super) struct Item<R> {
    start: u32,
    end: u32,
    pub(super) row: R,
}

/// Lines that follow one another.
pub(super) enum Taken<'a, R> {
    /// Some that were decoded.
    Rows(Rows<'a, R>),
    /// One that was of no use to the decoder.
    Line(Line<'a>),
}

/// Lines that were decoded.
pub(super) struct Rows<'a, R> {
    block: &'a Block,
    pub(super) items: &'a [Item<R>],
    /// Of the first of them.
    number: u64,
}

impl<'a, R> Rows<'a, R> {
    /// What each says, with its bytes and their line ending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a R, &'a [u8])> {
        self.items.iter().map(|item| (&item.row, &self.block.bytes()[item.start as usize..item.end as usize]))
    }

    /// The line of one of them.
    pub(super) fn line(&self, index: usize) -> Line<'a> {
        let item = &self.items[index];
        self.block.line(item.start as usize..item.end as usize, self.number + index as u64)
    }
}

struct Decoded<R> {
    block: Block,
    /// In their order.
    items: Vec<Item<R>>,
    /// Where, among the items, lines stand that were of no use to the decoder.
    gaps: Vec<u32>,
}

impl<R> Default for Decoded<R> {
    fn default() -> Decoded<R> {
        Decoded { block: Block::default(), items: Vec::new(), gaps: Vec::new() }
    }
}

/// Reads all lines, and gives their number.
///
/// `decode` is given what it knows of the lines before in the block, and the text from the beginning of a line to the
/// end of its block. It gives what the line says and its length with the line ending, or `None` where the line is of no
/// use to it. `take` is given every line, in order.
pub(super) fn read_rows<S: Default, R: Send + Sync>(
    lines: &mut Lines<impl Read + Send>,
    decode: impl Fn(&mut S, &[u8]) -> Option<(R, usize)> + Sync,
    mut take: impl FnMut(Taken<'_, R>) + Send,
) -> u64 {
    let n_blocks = match rayon::current_num_threads().min(MAX_THREADS) {
        1 => 1,
        n_threads => BLOCKS * n_threads,
    };
    let mut number = 0;
    let mut spares: Vec<Decoded<R>> = Vec::new();
    let mut current: Vec<Decoded<R>> = Vec::new();
    loop {
        let next = || {
            let mut begun: Vec<Decoded<R>> = Vec::with_capacity(n_blocks);
            while begun.len() < n_blocks {
                let Decoded { block, mut items, mut gaps } = spares.pop().unwrap_or_default();
                items.clear();
                gaps.clear();
                // A reader that fails has said so, and has ended.
                let Ok(Some(block)) = lines.next_block(block.into_spare()) else { break };
                begun.push(Decoded { block, items, gaps });
            }
            begun.par_iter_mut().for_each(|decoded| decoded.fill(&decode));
            (begun, spares)
        };
        let taken = || {
            for decoded in &current {
                number = decoded.give(number, &mut take);
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
    fn fill<S: Default>(&mut self, decode: &impl Fn(&mut S, &[u8]) -> Option<(R, usize)>) {
        if self.block.is_cut() {
            self.gaps.push(0);
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
                _ => {
                    let n_items = self.items.len() as u32;
                    if self.gaps.last() != Some(&n_items) {
                        self.gaps.push(n_items);
                    }
                    at += line_length(rest);
                }
            }
        }
    }

    /// Gives every line, in order, of which the first follows the line `number`; gives the number of the last.
    fn give(&self, mut number: u64, take: &mut impl FnMut(Taken<'_, R>)) -> u64 {
        let block = &self.block;
        let (mut at, mut first) = (0, 0);
        let ends = self.gaps.iter().map(|gap| *gap as usize).chain([self.items.len()]);
        for end in ends {
            if first < end {
                let items = &self.items[first..end];
                take(Taken::Rows(Rows { block, items, number: number + 1 }));
                number += items.len() as u64;
                at = items.last().map_or(at, |item| item.end as usize);
                first = end;
            }
            let next = self.items.get(end).map_or(block.bytes().len(), |item| item.start as usize);
            while at < next {
                let length = line_length(&block.bytes()[at..next]);
                number += 1;
                take(Taken::Line(block.line(at..at + length, number)));
                at += length;
            }
        }
        number
    }
}

/// That of the line at the beginning of a text, with its ending.
fn line_length(text: &[u8]) -> usize {
    memchr(b'\n', text).map_or(text.len(), |length| length + 1)
}
