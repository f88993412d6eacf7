//! Lines of any length, in parts that fit into memory: a loop that appends answers without line endings makes one line.

use std::io::{ErrorKind, Read};

use memchr::{memchr, memrchr};

use crate::open::MAX_LINE;

/// Splits what a reader gives.
pub(super) struct Pieces<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    is_within_line: bool,
    n_lines: u64,
}

/// A line, or a part of one that is longer than `MAX_LINE`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// Without the line ending.
    pub(super) bytes: &'a [u8],
    /// The line, counted from 1.
    pub(super) number: u64,
    /// Whether the line begins here.
    pub(super) begins: bool,
    /// Whether the line ends here.
    pub(super) ends: bool,
    /// Whether a line ending follows.
    pub(super) terminated: bool,
}

impl<R: Read> Pieces<R> {
    pub(super) fn new(reader: R) -> Pieces<R> {
        Pieces { reader, buffer: vec![0; MAX_LINE], start: 0, end: 0, at_end: false, is_within_line: false, n_lines: 0 }
    }

    /// The next piece; `None` at the end, and where the reader fails.
    pub(super) fn next(&mut self) -> Option<Piece<'_>> {
        let mut searched = 0;
        loop {
            let ahead = &self.buffer[self.start..self.end];
            if let Some(at) = memchr(b'\n', &ahead[searched..]) {
                return Some(self.piece(searched + at, 1, true));
            }
            searched = ahead.len();
            if searched == self.buffer.len() {
                // Objects stay whole where they can.
                let length = memrchr(b'}', ahead).map_or(searched, |at| at + 1);
                return Some(self.piece(length, 0, false));
            }
            if !self.fill() {
                let is_over = searched == 0 && !self.is_within_line;
                return (!is_over).then(|| self.piece(searched, 0, true));
            }
        }
    }

    /// How many lines were given.
    pub(super) fn count(&self) -> u64 {
        self.n_lines
    }

    fn piece(&mut self, length: usize, n_ending: usize, ends: bool) -> Piece<'_> {
        let begins = !self.is_within_line;
        self.n_lines += u64::from(begins);
        self.is_within_line = !ends;
        let first = self.start;
        self.start += length + n_ending;
        let bytes = &self.buffer[first..first + length];
        let bytes = if n_ending > 0 { bytes.strip_suffix(b"\r").unwrap_or(bytes) } else { bytes };
        Piece { bytes, number: self.n_lines, begins, ends, terminated: n_ending > 0 }
    }

    /// Reads more; `false` at the end.
    fn fill(&mut self) -> bool {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while !self.at_end {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(n) if n > 0 => {
                    self.end += n;
                    return true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => self.at_end = true,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(text: &[u8]) -> Vec<(usize, u64, bool, bool)> {
        let mut pieces = Pieces::new(text);
        let mut described = Vec::new();
        while let Some(Piece { bytes, number, begins, ends, .. }) = pieces.next() {
            described.push((bytes.len(), number, begins, ends));
        }
        described
    }

    #[test]
    fn a_long_line_comes_in_parts_that_end_behind_objects() {
        assert_eq!(describe(b""), []);
        assert_eq!(describe(b"ab\r\n\nc"), [(2, 1, true, true), (0, 2, true, true), (1, 3, true, true)]);
        let mut text = vec![b'x'; 2 * MAX_LINE];
        text[MAX_LINE - 11] = b'}';
        assert_eq!(
            describe(&text),
            [(MAX_LINE - 10, 1, true, false), (MAX_LINE, 1, false, false), (10, 1, false, true)]
        );
        text.truncate(MAX_LINE - 10);
        text.resize(MAX_LINE, b'}');
        assert_eq!(describe(&text), [(MAX_LINE, 1, true, false), (0, 1, false, true)]);
    }
}
