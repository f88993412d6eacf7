//! Takes points out of the JSON before it is parsed, where they stand as servers print them.
//!
//! Nearly all of an export is `[1795464398.791,"537133056"],[..`. Runs of such points are read here, on all cores, and
//! the JSON parser is given the number `0` in the place of each; everything else goes by unchanged. Within a text
//! nothing is taken for a point.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use memchr::{memchr, memchr_iter, memmem};
use rayon::prelude::*;

use super::super::scan::Scan;
use super::matrix::Progress;

/// How much is read at once, in bytes; a run ends with it. Where this is fuzzed, inputs are short.
const BUFFER: usize = if cfg!(fuzzing) { 1 << 10 } else { 512 << 10 };

/// Smaller pieces are not worth the way to another core, in bytes.
const MIN_PIECE: usize = BUFFER / 16;

/// No point that is read here is longer, in bytes.
const MAX_POINT: usize = 64;

/// Points that stood one after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Run {
    pub(super) time_ms: Vec<i64>,
    /// Whole numbers of bytes or parts of them, 0 to 2^53.
    pub(super) values: Vec<f64>,
}

/// The run that the parser has just been given a number for.
pub(super) type Pending = Rc<RefCell<Option<Run>>>;

/// A JSON text in which runs of points are numbers. It is to be read byte by byte, as `serde_json` does.
pub(super) struct Runs<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    progress: Progress,
    pending: Pending,
    /// The last byte that was given and is no blank.
    last: u8,
    /// Bytes that were given since the last run.
    since_run: u64,
    text: Text,
}

/// Where the last byte that was given stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    /// Not in a text.
    Outside,
    Inside,
    /// In a text, behind a backslash.
    Escaped,
}

impl Text {
    fn after(self, byte: u8) -> Text {
        match (self, byte) {
            (Text::Outside, b'"') | (Text::Escaped, _) => Text::Inside,
            (Text::Inside, b'"') => Text::Outside,
            (Text::Inside, b'\\') => Text::Escaped,
            (before, _) => before,
        }
    }
}

impl<R: Read> Runs<R> {
    pub(super) fn new(reader: R, progress: Progress, pending: Pending) -> Runs<R> {
        let buffer = vec![0; BUFFER];
        Runs { reader, buffer, start: 0, end: 0, progress, pending, last: 0, since_run: 0, text: Text::Outside }
    }

    /// Reads until the buffer is full or the text ends.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < BUFFER {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(n) => self.end += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Steps over the rest of the line in which the last byte stands, and gives that line's number. Where this byte is
    /// the first of its line, and made known that the line before was not whole, it is given once more instead.
    pub(super) fn skip_line(&mut self) -> u64 {
        self.text = Text::Outside;
        self.last = 0;
        let given = &self.buffer[..self.start];
        let before = given.iter().rev().skip(1).find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
        if before == Some(&b'\n') && given.last() == Some(&b'{') {
            self.start -= 1;
            self.progress.bytes.set(self.progress.bytes.get() - 1);
            return self.progress.lines.get();
        }
        let number = self.progress.lines.get() + 1;
        loop {
            if self.start == self.end && (self.fill().is_err() || self.start == self.end) {
                return number;
            }
            let rest = &self.buffer[self.start..self.end];
            match memchr(b'\n', rest) {
                Some(length) => {
                    self.pass(length + 1);
                    return number;
                }
                None => self.pass(rest.len()),
            }
        }
    }

    /// Steps over `length` bytes.
    fn pass(&mut self, length: usize) {
        self.progress.pass(&self.buffer[self.start..self.start + length]);
        self.start += length;
    }
}

impl<R: Read> Read for Runs<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let Some(given) = bytes.first_mut() else { return Ok(0) };
        if self.start == self.end || self.buffer[self.start] == b'[' && self.end - self.start < MAX_POINT {
            self.fill()?;
        }
        if self.start == self.end {
            return Ok(0);
        }
        let byte = self.buffer[self.start];
        if byte == b'[' && self.text == Text::Outside && matches!(self.last, b'[' | b',') {
            let (run, length) = run(&self.buffer[self.start..self.end]);
            if length > 0 {
                self.pass(length);
                *self.pending.borrow_mut() = Some(run);
                self.since_run = 0;
                self.last = b'0';
                *given = self.last;
                return Ok(1);
            }
        }
        self.since_run += 1;
        if self.since_run == 2 {
            // The parser knows the number once it has seen the byte behind it: who wanted the run has it.
            self.pending.borrow_mut().take();
        }
        self.pass(1);
        self.text = self.text.after(byte);
        if !byte.is_ascii_whitespace() {
            self.last = byte;
        }
        *given = byte;
        Ok(1)
    }
}

/// The points at the beginning of a text, and how long they are with the commas between them.
///
/// The first of them are read on one core: points of another form may interrupt the run at once.
fn run(text: &[u8]) -> (Run, usize) {
    let first = &text[..text.len().min(MIN_PIECE)];
    let (mut whole, mut length) = points(first);
    // The last point of the piece was cut.
    let goes_on = length > 0 && first.len() < text.len() && first.len() - length < MAX_POINT;
    if goes_on && text[length - 1] == b',' {
        let rest = &text[length..];
        let end = memmem::find(rest, b"]]").map_or(rest.len(), |end| end + 1);
        let pieces = pieces(&rest[..end]);
        let read: Vec<(Run, usize)> = pieces.par_iter().map(|piece| points(piece)).collect();
        for (piece, (run, read)) in pieces.iter().zip(read) {
            whole.time_ms.extend(run.time_ms);
            whole.values.extend(run.values);
            length += read;
            if read < piece.len() {
                break;
            }
        }
    }
    // A comma behind the last point is for the parser.
    let blanks = text[..length].iter().rev().take_while(|byte| **byte == b' ').count();
    (whole, text[..length - blanks].strip_suffix(b",").map_or(length, <[u8]>::len))
}

/// A text cut behind commas between points, and the blanks behind these, for all cores.
fn pieces(text: &[u8]) -> Vec<&[u8]> {
    let n_pieces = rayon::current_num_threads().min(text.len() / MIN_PIECE).max(1);
    let mut cuts = vec![0];
    for piece in 1..n_pieces {
        let from = (text.len() * piece / n_pieces).max(*cuts.last().unwrap_or(&0));
        cuts.extend(memmem::find(&text[from..], b"],").map(|at| {
            let mut rest = Scan(&text[from + at + 2..]);
            rest.blanks();
            text.len() - rest.0.len()
        }));
    }
    cuts.push(text.len());
    cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect()
}

/// The points at the beginning of a text, and how long they are with the commas behind them.
fn points(text: &[u8]) -> (Run, usize) {
    let n_points = text.len() / 24;
    let mut run = Run { time_ms: Vec::with_capacity(n_points), values: Vec::with_capacity(n_points) };
    let mut rest = Scan(text);
    let mut read = rest;
    while let Some((time_ms, value)) = rest.point() {
        run.time_ms.push(time_ms);
        run.values.push(value);
        let is_more = rest.literal(b",").is_some();
        rest.blanks();
        read = rest;
        if !is_more {
            break;
        }
    }
    (run, text.len() - read.0.len())
}

impl Progress {
    /// Counts what was passed.
    fn pass(&self, bytes: &[u8]) {
        self.bytes.set(self.bytes.get() + bytes.len() as u64);
        self.lines.set(self.lines.get() + memchr_iter(b'\n', bytes).count() as u64);
    }
}

impl Scan<'_> {
    /// `[1795464398.791,"537133056"]`: milliseconds since 1970, and a value; `None` for whatever is not just so.
    fn point(&mut self) -> Option<(i64, f64)> {
        /// Of one to three decimals.
        const PARTS: [u64; 4] = [0, 100, 10, 1];
        /// Larger numbers are not bytes.
        const LARGEST: u64 = 1 << 53;

        self.literal(b"[")?;
        // A number of JSON does not begin with it.
        if self.0.first() == Some(&b'0') {
            return None;
        }
        // Ten digits: later than 2001 and before 2286.
        let (seconds, 10) = self.digits()? else { return None };
        let mut time_ms = seconds * 1000;
        if self.literal(b".").is_some() {
            let (decimals, n_decimals @ 1..=3) = self.digits()? else { return None };
            time_ms += decimals * PARTS[n_decimals];
        }
        self.literal(b",")?;
        if self.literal(b"\"").is_none() {
            self.literal(b" \"")?;
        }
        let (mut number, n_whole) = self.digits()?;
        let mut divisor = 1.0;
        if self.literal(b".").is_some() {
            let (decimals, n_decimals) = self.digits()?;
            if n_whole + n_decimals > 15 {
                return None;
            }
            let power = 10u64.pow(n_decimals as u32);
            number = number * power + decimals;
            divisor = power as f64;
        }
        self.literal(b"\"]")?;
        // Both operands are exact, so that the quotient is the nearest to what was written.
        (number <= LARGEST).then_some((time_ms as i64, number as i64 as f64 / divisor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(i64, f64)>) {
        assert_eq!(Scan(text.as_bytes()).point(), expected, "{text}");
        if let Some((time_ms, value)) = expected {
            let (seconds, general): (f64, String) = serde_json::from_str(text).unwrap();
            let general: f64 = general.parse().unwrap();
            assert_eq!(((seconds * 1000.0).round() as i64, general.to_bits()), (time_ms, value.to_bits()), "{text}");
        }
    }

    #[test]
    fn a_point_is_what_the_general_reading_gives() {
        check("[1795464398,\"537133056\"]", Some((1_795_464_398_000, 537_133_056.0)));
        check("[1795464398.5, \"0\"]", Some((1_795_464_398_500, 0.0)));
        check("[1795464398.791,\"12345678\"]", Some((1_795_464_398_791, 12_345_678.0)));
        check("[1795464398.07,\"0.1\"]", Some((1_795_464_398_070, 0.1)));
        check("[1795464398,\"123456789.123456\"]", Some((1_795_464_398_000, 123_456_789.123_456)));
        check("[1795464398,\"9007199254740992\"]", Some((1_795_464_398_000, 9_007_199_254_740_992.0)));
        for text in [
            "[1795464398,\"9007199254740993\"]",
            "[1795464398,\"123456789012.12345678901234\"]",
            "[1795464398,\"12345678901234567\"]",
            "[1795464398,\"5.371e+08\"]",
            "[1795464398,\"-5\"]",
            "[1795464398,\"NaN\"]",
            "[1795464398,\"\"]",
            "[1795464398,\"5.\"]",
            "[1795464398.1234,\"5\"]",
            "[179546439,\"5\"]",
            "[17954643980,\"5\"]",
            "[1795464398,5]",
            "[1795464398,\"5\"",
            "[1795464398,\"5x\"]",
            "[1795464398,\"5\",1]",
            "",
        ] {
            check(text, None);
        }
    }

    /// What is given for a text that is read in drops of so many bytes, with the runs in their places.
    fn given(text: &str, drop: usize) -> String {
        struct Drops<'a>(&'a [u8], usize);

        impl Read for Drops<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let n = self.1.min(self.0.len()).min(buffer.len());
                buffer[..n].copy_from_slice(&self.0[..n]);
                self.0 = &self.0[n..];
                Ok(n)
            }
        }

        let (progress, pending) = (Progress::default(), Pending::default());
        let mut runs = Runs::new(Drops(text.as_bytes(), drop), progress.clone(), Rc::clone(&pending));
        let mut given = String::new();
        let mut byte = [0];
        while runs.read(&mut byte).unwrap() == 1 {
            match pending.borrow_mut().take() {
                Some(run) => given.push_str(&format!("<{:?}>", run.values)),
                None => given.push(byte[0] as char),
            }
        }
        assert_eq!(progress.bytes.get(), text.len() as u64);
        given
    }

    #[test]
    fn runs_are_taken_out_and_the_rest_goes_by() {
        let text = "{\"value\":[1795464398,\"1\"],\"x\":\"[[1795464398,\\\"1\\\"]\",\"values\":[[1795464398,\"1\"], [1795464399,\"2\"],[1795464400,\"NaN\"],\n[1795464401,\"3\"]],\"values\":[[17";
        let expected = "{\"value\":[1795464398,\"1\"],\"x\":\"[[1795464398,\\\"1\\\"]\",\"values\":[<[1.0, 2.0]>,[1795464400,\"NaN\"],\n<[3.0]>],\"values\":[[17";
        for drop in [1, 7, 64, 1000] {
            assert_eq!(given(text, drop), expected);
        }
    }

    /// Whatever is cut where, on however many cores: all points come, in order.
    #[test]
    fn long_runs_are_cut_and_put_together() {
        let n_points = 3 * BUFFER as i64 / 25;
        let points: Vec<String> = (0..n_points).map(|i| format!("[{},\"{i}\"]", 1_795_464_398 + i)).collect();
        let text = format!("[{}]", points.join(","));
        for n_threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            let values: Vec<f64> = pool.install(|| {
                let given = given(&text, 100_000);
                let runs = given.replace(['[', ']', '<', '>'], "");
                runs.split(',').map(|value| value.trim().parse().unwrap()).collect()
            });
            assert_eq!(values, (0..n_points).map(|i| i as f64).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_run_that_nobody_wanted_is_forgotten() {
        let pending = Pending::default();
        let mut runs = Runs::new(&b"[[1795464398,\"1\"],5]"[..], Progress::default(), Rc::clone(&pending));
        let mut byte = [0];
        let mut is_pending = Vec::new();
        while runs.read(&mut byte).unwrap() == 1 {
            is_pending.push((byte[0] as char, pending.borrow().is_some()));
        }
        assert_eq!(is_pending, [('[', false), ('0', true), (',', true), ('5', false), (']', false)]);
    }
}
