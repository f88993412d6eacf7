//! Lines of a text of any size, in constant memory.
//!
//! A line is given without its line ending. What is longer than `MAX_LINE` is cut there and said to be.

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::Range;

use memchr::{memchr, memrchr};

/// Longer lines are cut, in bytes: no form of input has longer ones. Where this is fuzzed, inputs are short.
pub(crate) const MAX_LINE: usize = if cfg!(fuzzing) { 1 << 10 } else { 64 << 10 };

/// How much is read at once, in bytes.
const BUFFER: usize = 4 * MAX_LINE;

/// Splits what a reader gives into lines.
pub(crate) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    number: u64,
}

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Its bytes, without `\n` or `\r\n`.
    pub(crate) bytes: &'a [u8],
    /// Counted from 1.
    pub(crate) number: u64,
    /// Whether a line ending follows.
    pub(crate) terminated: bool,
    /// Whether it was longer than `MAX_LINE` and cut.
    pub(crate) cut: bool,
}

/// Some whole lines.
#[derive(Default)]
pub(crate) struct Block {
    bytes: Vec<u8>,
    start: usize,
    /// Of a line that was longer than `MAX_LINE` and stands here cut, alone: whether a line ending followed.
    cut: Option<bool>,
}

impl Block {
    /// The lines and their endings.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Whether it is one line that is too long and stands here cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// A line of it, with its ending.
    pub(crate) fn line(&self, extent: Range<usize>, number: u64) -> Line<'_> {
        let whole = &self.bytes()[extent];
        if let Some(terminated) = self.cut {
            return Line { bytes: whole, number, terminated, cut: true };
        }
        let line = whole.strip_suffix(b"\n");
        let bytes = line.unwrap_or(whole);
        let cut = bytes.len() > MAX_LINE;
        let bytes = &bytes[..bytes.len().min(MAX_LINE)];
        let bytes = if line.is_some() { bytes.strip_suffix(b"\r").unwrap_or(bytes) } else { bytes };
        Line { bytes, number, terminated: line.is_some(), cut }
    }

    /// Its memory.
    pub(crate) fn into_spare(self) -> Vec<u8> {
        self.bytes
    }
}

impl<'a> Line<'a> {
    /// As text; what is not UTF-8 is replaced.
    pub(crate) fn text(self) -> Cow<'a, str> {
        // Much quicker than the replacing conversion where there is nothing to replace.
        std::str::from_utf8(self.bytes).map_or_else(|_| String::from_utf8_lossy(self.bytes), Cow::Borrowed)
    }
}

impl<R: Read> Lines<R> {
    /// The lines of what `reader` gives.
    pub(crate) fn new(reader: R) -> Lines<R> {
        Lines { reader, buffer: vec![0; BUFFER], start: 0, end: 0, at_end: false, number: 0 }
    }

    /// The beginning of what was not read yet: `MAX_LINE` bytes, or all when there is less.
    ///
    /// # Errors
    ///
    /// When the reader fails.
    pub(crate) fn peek(&mut self) -> io::Result<&[u8]> {
        while self.end - self.start < MAX_LINE && self.fill()? {}
        Ok(&self.buffer[self.start..self.end.min(self.start + MAX_LINE)])
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    ///
    /// When the reader fails.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut searched = 0;
        loop {
            if let Some(length) = memchr(b'\n', &self.buffer[self.start + searched..self.end]) {
                let first = self.start;
                let length = searched + length;
                self.start += length + 1;
                return Ok(Some(self.line(first, length, true)));
            }
            searched = self.end - self.start;
            if searched > MAX_LINE {
                return self.cut_line().map(Some);
            }
            if !self.fill()? {
                if searched == 0 {
                    return Ok(None);
                }
                let first = self.start;
                self.start = self.end;
                return Ok(Some(self.line(first, searched, false)));
            }
        }
    }

    /// Whole lines, as many as are at hand; `None` at the end. Its memory is exchanged for that of `spare`.
    ///
    /// # Errors
    ///
    /// When the reader fails.
    pub(crate) fn next_block(&mut self, mut spare: Vec<u8>) -> io::Result<Option<Block>> {
        while self.end - self.start < self.buffer.len() && self.fill()? {}
        let ahead = &self.buffer[self.start..self.end];
        let last = memrchr(b'\n', ahead);
        let length = match last {
            Some(last) => last + 1,
            None if ahead.is_empty() => return Ok(None),
            None if self.at_end => ahead.len(),
            None => {
                let Line { bytes, terminated, .. } = self.cut_line()?;
                spare.clear();
                spare.extend_from_slice(bytes);
                return Ok(Some(Block { bytes: spare, start: 0, cut: Some(terminated) }));
            }
        };
        let (start, end) = (self.start, self.start + length);
        spare.resize(self.buffer.len(), 0);
        spare[..self.end - end].copy_from_slice(&self.buffer[end..self.end]);
        let mut bytes = std::mem::replace(&mut self.buffer, spare);
        bytes.truncate(end);
        self.end -= end;
        self.start = 0;
        Ok(Some(Block { bytes, start, cut: None }))
    }

    /// How many lines were given.
    pub(crate) fn count(&self) -> u64 {
        self.number
    }

    /// Everything that was not read yet.
    pub(crate) fn into_reader(self) -> impl Read + use<R> {
        let mut begun = self.buffer;
        begun.truncate(self.end);
        let mut begun = io::Cursor::new(begun);
        begun.set_position(self.start as u64);
        begun.chain(self.reader)
    }

    fn line(&mut self, first: usize, length: usize, terminated: bool) -> Line<'_> {
        self.number += 1;
        let bytes = &self.buffer[first..first + length.min(MAX_LINE)];
        let bytes = if terminated { bytes.strip_suffix(b"\r").unwrap_or(bytes) } else { bytes };
        Line { bytes, number: self.number, terminated, cut: length > MAX_LINE }
    }

    /// Keeps the beginning of a line that is too long and reads over the rest of it.
    fn cut_line(&mut self) -> io::Result<Line<'_>> {
        self.buffer.copy_within(self.start..self.start + MAX_LINE, 0);
        self.start = MAX_LINE;
        self.end = MAX_LINE;
        let mut terminated = false;
        while !terminated {
            self.start = MAX_LINE;
            self.end = MAX_LINE;
            let n = read_some(&mut self.reader, &mut self.buffer[MAX_LINE..])?;
            if n == 0 {
                self.at_end = true;
                break;
            }
            self.end = MAX_LINE + n;
            match memchr(b'\n', &self.buffer[MAX_LINE..self.end]) {
                Some(length) => {
                    terminated = true;
                    self.start = MAX_LINE + length + 1;
                }
                None => self.start = self.end,
            }
        }
        self.number += 1;
        Ok(Line { bytes: &self.buffer[..MAX_LINE], number: self.number, terminated, cut: true })
    }

    /// Reads more; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        if self.at_end {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let n = read_some(&mut self.reader, &mut self.buffer[self.end..])?;
        self.end += n;
        self.at_end = n == 0;
        Ok(n > 0)
    }
}

fn read_some(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The length of each line, whether it is terminated, and whether it is cut: taken one by one, and in blocks.
    fn describe(text: &[u8]) -> Vec<(usize, bool, bool)> {
        let mut lines = Lines::new(text);
        lines.peek().unwrap();
        let mut described = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            described.push((line.bytes.len(), line.terminated, line.cut));
        }

        let (mut lines, mut of_blocks, mut spare) = (Lines::new(text), Vec::new(), Vec::new());
        lines.peek().unwrap();
        while let Some(block) = lines.next_block(spare).unwrap() {
            let mut first = 0;
            for line in block.bytes().split_inclusive(|byte| *byte == b'\n') {
                let extent = first..first + line.len();
                first = extent.end;
                let line = block.line(extent, 0);
                of_blocks.push((line.bytes.len(), line.terminated, line.cut));
            }
            spare = block.into_spare();
        }
        assert_eq!(described, of_blocks);
        described
    }

    #[test]
    fn lines_end_with_either_line_ending_and_the_last_may_have_none() {
        assert_eq!(describe(b""), []);
        assert_eq!(describe(b"\n"), [(0, true, false)]);
        assert_eq!(describe(b"ab\r\n\ncd"), [(2, true, false), (0, true, false), (2, false, false)]);
        assert_eq!(describe(b"ab\r"), [(3, false, false)]);
    }

    #[test]
    fn a_long_line_is_cut_and_what_follows_is_read() {
        let around = |length: usize| [length - 7, length - 1, length, length + 1, length + 7];
        let cuts = (1..6).flat_map(|n| around(MAX_LINE + n * (BUFFER - MAX_LINE)));
        for length in [MAX_LINE, BUFFER, 3 * BUFFER].into_iter().flat_map(around).chain(cuts) {
            let mut text = vec![b'x'; length];
            text.extend(b"\nab\n");
            let cut = length > MAX_LINE;
            let first = (length.min(MAX_LINE), true, cut);
            assert_eq!(describe(&text), [first, (2, true, false)], "{length}");
            assert_eq!(describe(&text[..length]), [(length.min(MAX_LINE), false, cut)], "{length} at the end");
        }
    }

    #[test]
    fn the_rest_is_what_was_not_read() {
        let mut lines = Lines::new(&b"ab\ncd\nef"[..]);
        lines.next().unwrap();
        let mut rest = String::new();
        lines.into_reader().read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "cd\nef");
    }
}
