//! Goes on behind a line of an export that cannot be read: with the next one, or with a whole record behind one that was
//! cut.

use std::io::Read;

use memchr::{memchr, memmem, memrchr};

use super::{MAX_POINT, Runs, Text};

/// How each record of the export lines of `VictoriaMetrics` begins.
const RECORD: &[u8] = b"{\"metric\"";

impl<R: Read + Send> Runs<R> {
    /// Steps over the rest of the line that cannot be read, up to another record in it, and gives its number: that in
    /// which the last byte stands. Where this byte ended the line nothing is left of it, and where it begins the next
    /// one, which made known that the line before was not whole, it is given once more.
    pub(crate) fn skip_line(&mut self) -> u64 {
        self.text = Text::Outside;
        self.token = 0;
        if self.buffer[self.start - 1] == b'\n' {
            self.last = 0;
            return self.progress.lines.get();
        }
        if self.is_first && self.last == b'{' {
            self.last = 0;
            self.is_blank = true;
            self.step_back(1);
            return self.progress.lines.get();
        }
        self.last = 0;
        self.is_blank = true;
        let number = self.progress.lines.get() + 1;
        // The first bytes of a record are what made known that the one before it was cut. It is not that one: of that
        // more was read.
        let given =
            &self.buffer[MAX_POINT.max((self.start + 1).saturating_sub(RECORD.len())).min(self.start)..self.start];
        let of_line = given.len() - memrchr(b'\n', given).map_or(0, |at| at + 1);
        self.step_back(of_line);
        loop {
            if self.start == self.end {
                self.fill();
            }
            if self.start == self.end {
                return number;
            }
            let rest = &self.buffer[self.start..self.end];
            let line_end = memchr(b'\n', rest);
            match (memmem::find(&rest[..line_end.unwrap_or(rest.len())], RECORD), line_end) {
                (Some(length), _) => {
                    self.pass(length);
                    return number;
                }
                (None, Some(length)) => {
                    self.pass(length + 1);
                    return number;
                }
                (None, None) => self.pass(rest.len()),
            }
        }
    }

    /// Gives so many bytes of this line once more.
    fn step_back(&mut self, length: usize) {
        self.start -= length;
        self.progress.bytes.set(self.progress.bytes.get() - length as u64);
    }
}
