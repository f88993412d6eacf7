//! Takes points out of the JSON before it is parsed, where they stand as servers print them.
//!
//! Nearly all of an export is `[1795464398.791,"537133056"],[..`. Runs of such points are looked for ahead, on all cores,
//! and the JSON parser is given the number `0` in the place of each; everything else goes by unchanged. Within a text
//! nothing is taken for a point.

mod resume;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::ops::Range;
use std::rc::Rc;

use memchr::{memchr, memchr_iter, memmem};
use rayon::prelude::*;

use super::super::swar::Scan;
use super::matrix::Progress;
use crate::open::MAX_LINE;
use crate::series::{Resolutions, Samples};

/// How much is read at once for each core, in bytes. Where this is fuzzed, inputs are short.
const BUFFER: usize = if cfg!(fuzzing) { 1 << 10 } else { 1 << 20 };

/// More cores than this wait for the parser.
const MAX_THREADS: usize = 8;

/// What one core looks through at a time, in bytes.
const PIECE: usize = BUFFER / 4;

/// Shorter runs are left to the parser.
const MIN_POINTS: usize = 8;

/// No point that is read here is longer, in bytes.
const MAX_POINT: usize = 64;

/// Of a longer text or number only the beginning is given, in bytes: names are not so long, and no text is held whole.
const MAX_TOKEN: usize = MAX_LINE;

/// What is escaped takes up to so many bytes behind the backslash: `u` and four digits.
const MAX_ESCAPE: usize = 5;

/// Points that stood one after the other: whole numbers of bytes or parts of them, 0 to 2^53.
pub(super) type Run = Samples;

/// A run and where it stands in the buffer, in bytes.
#[derive(Debug)]
struct Found {
    start: usize,
    length: usize,
    run: Run,
}

/// The run that the parser has just been given a number for.
pub(super) type Pending = Rc<RefCell<Option<Run>>>;

/// A JSON text in which runs of points are numbers. It is to be read byte by byte, as `serde_json` does.
pub(super) struct Runs<R> {
    reader: R,
    /// What is given: from `start` to `end`, behind room for the beginning of a point.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// What is read while runs are looked for in the other, behind as much room, and where it ends.
    next: Vec<u8>,
    next_end: usize,
    /// The runs in the buffer, in order. What looks like one in a text is never asked for.
    found: VecDeque<Found>,
    progress: Progress,
    pending: Pending,
    /// The last byte that was given and is no blank.
    last: u8,
    /// Bytes that were given since the last run.
    since_run: u64,
    text: Text,
    /// How much was given of the text or number, and since a backslash in it, in bytes.
    token: usize,
    since_escape: usize,
    /// What is given in the place of the rest of a text.
    instead: VecDeque<u8>,
    /// The last eight bytes that were given, the last of them lowest.
    recent: u64,
    /// Whether nothing but blanks stands before the last byte in its line, and whether it is one itself.
    is_first: bool,
    is_blank: bool,
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

impl<R: Read + Send> Runs<R> {
    pub(super) fn new(reader: R, progress: Progress, pending: Pending) -> Runs<R> {
        let length = MAX_POINT + BUFFER * rayon::current_num_threads().min(MAX_THREADS);
        Runs {
            reader,
            buffer: vec![0; length],
            start: MAX_POINT,
            end: MAX_POINT,
            next: vec![0; length],
            next_end: MAX_POINT,
            found: VecDeque::new(),
            progress,
            pending,
            last: 0,
            since_run: 0,
            text: Text::Outside,
            token: 0,
            since_escape: 0,
            instead: VecDeque::new(),
            recent: 0,
            is_first: true,
            is_blank: true,
        }
    }

    /// Goes on to what was read before, reads as much again, and looks for runs. At most the beginning of a point is
    /// left.
    fn fill(&mut self) {
        if self.next_end == MAX_POINT {
            self.next_end = read_behind_room(&mut self.reader, &mut self.next);
        }
        let left = self.end - self.start;
        self.next[MAX_POINT - left..MAX_POINT].copy_from_slice(&self.buffer[self.start..self.end]);
        std::mem::swap(&mut self.buffer, &mut self.next);
        (self.start, self.end) = (MAX_POINT - left, self.next_end);
        let Runs { reader, next, buffer, start, end, .. } = self;
        (self.next_end, self.found) = rayon::join(|| read_behind_room(reader, next), || runs(&buffer[..*end], *start));
    }

    /// The run that begins with the next byte.
    fn found_here(&mut self) -> Option<Found> {
        while self.found.front().is_some_and(|found| found.start < self.start) {
            self.found.pop_front();
        }
        if self.found.front()?.start == self.start { self.found.pop_front() } else { None }
    }

    /// Steps over the rest of a text or number that is too long, where no character is cut by it.
    fn cut_token(&mut self) {
        let is_inside = self.text == Text::Inside;
        let is_between = match self.buffer[self.start] {
            _ if !is_inside => self.text == Text::Outside,
            b'\\' => !is_first_of_pair(self.recent),
            0x80..0xc0 => false,
            _ => MAX_ESCAPE < self.since_escape,
        };
        if !is_between {
            return;
        }
        let start = self.progress.bytes.get();
        let mut rest = DefaultHasher::new();
        while self.start < self.end {
            let byte = self.buffer[self.start];
            let is_end = if is_inside { self.text == Text::Inside && byte == b'"' } else { !byte.is_ascii_digit() };
            if is_end {
                break;
            }
            rest.write_u8(byte);
            self.pass(1);
            self.text = self.text.after(byte);
            if self.start == self.end {
                self.fill();
            }
        }
        if start < self.progress.bytes.get() {
            self.progress.n_cut.set(self.progress.n_cut.get() + 1);
            if is_inside {
                // Texts that differ only in what is not given are not the same.
                self.instead.extend(format!("~{:016x}", rest.finish()).into_bytes());
            }
        }
        self.token = 0;
    }

    /// Steps over `length` bytes.
    fn pass(&mut self, length: usize) {
        self.progress.pass(&self.buffer[self.start..self.start + length]);
        self.start += length;
    }
}

impl<R: Read + Send> Read for Runs<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let Some(given) = bytes.first_mut() else { return Ok(0) };
        if self.start == self.end || self.buffer[self.start] == b'[' && self.end - self.start < MAX_POINT {
            self.fill();
        }
        if self.start == self.end {
            return Ok(0);
        }
        if MAX_TOKEN <= self.token {
            self.cut_token();
        }
        if let Some(byte) = self.instead.pop_front() {
            *given = byte;
            return Ok(1);
        }
        if self.start == self.end {
            return Ok(0);
        }
        let byte = self.buffer[self.start];
        if byte == b'['
            && self.text == Text::Outside
            && matches!(self.last, b'[' | b',')
            && let Some(Found { length, run, .. }) = self.found_here()
        {
            // No line ends between its points.
            self.progress.bytes.set(self.progress.bytes.get() + length as u64);
            self.start += length;
            self.is_blank = false;
            *self.pending.borrow_mut() = Some(run);
            self.since_run = 0;
            self.last = b'0';
            *given = self.last;
            return Ok(1);
        }
        self.since_run += 1;
        if self.since_run == 2 {
            // The parser knows the number once it has seen the byte behind it: who wanted the run has it.
            self.pending.borrow_mut().take();
        }
        self.pass(1);
        self.text = self.text.after(byte);
        self.recent = self.recent << 8 | u64::from(byte);
        let is_token = self.text != Text::Outside || byte.is_ascii_digit();
        self.token = if is_token { self.token + 1 } else { 0 };
        self.since_escape = if self.text == Text::Escaped { 0 } else { self.since_escape + 1 };
        self.is_first = self.is_blank;
        if byte.is_ascii_whitespace() {
            self.is_blank |= byte == b'\n';
        } else {
            self.last = byte;
            self.is_blank = false;
        }
        *given = byte;
        Ok(1)
    }
}

/// Whether these bytes end with `\ud800` to `\udbff`: half a character, of which the other half must follow.
fn is_first_of_pair(recent: u64) -> bool {
    let [.., backslash, u, first, second, _, _] = recent.to_be_bytes();
    matches!((backslash, u, first, second), (b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B'))
}

/// Reads until the buffer is full or the text ends, and gives where that is. A reader that fails has said so, and has
/// ended.
fn read_behind_room(reader: &mut impl Read, buffer: &mut [u8]) -> usize {
    let mut end = MAX_POINT;
    while end < buffer.len() {
        match reader.read(&mut buffer[end..]) {
            Ok(0) => break,
            Ok(n) => end += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    end
}

/// The runs of a text from `start` on, in order.
fn runs(text: &[u8], start: usize) -> VecDeque<Found> {
    let pieces = pieces(text, start);
    let found: Vec<Vec<Found>> = pieces.into_par_iter().map(|piece| runs_of_piece(text, piece)).collect();
    found.into_iter().flatten().collect()
}

/// Pieces of a text from `start` on, cut where a run ends or, where none ends for long, in the middle of one.
fn pieces(text: &[u8], start: usize) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut at = start;
    while at < text.len() {
        let rest = &text[(at + PIECE).min(text.len())..];
        let cut = memmem::find(&rest[..rest.len().min(PIECE)], b"]]").map_or(0, |length| length + 2);
        let end = text.len() - rest.len() + cut;
        pieces.push(at..end);
        at = end;
    }
    pieces
}

/// The runs that begin in a piece of a text; their points do, too.
fn runs_of_piece(text: &[u8], piece: Range<usize>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut at = piece.start;
    while let Some(next) = memchr(b'[', &text[at..piece.end]) {
        let start = at + next;
        // Series of one export are alike in length.
        let n_expected = found.last().map_or(PIECE / 24, |found| found.run.len());
        let (run, length) = points(&text[start..], piece.end - start, n_expected);
        at = (start + length.max(1)).min(piece.end);
        if MIN_POINTS <= run.len() {
            let run = Run { resolution_bytes: Resolutions::same(1.0, run.len()), marks: vec![0; run.len()], ..run };
            found.push(Found { start, length, run });
        }
    }
    found
}

/// The points at the beginning of a text that begin before `limit`, and how long they are with what stands between
/// them; few of them are not kept.
fn points(text: &[u8], limit: usize, n_expected: usize) -> (Run, usize) {
    let mut first = [(0, 0.0); MIN_POINTS];
    let mut run = Run::default();
    let (mut n_points, mut length) = (0, 0);
    let mut rest = Scan(text);
    while let Some((time_ms, value)) = rest.point() {
        if n_points < MIN_POINTS {
            first[n_points] = (time_ms, value);
        } else {
            run.time_ms.push(time_ms);
            run.used_bytes.push(value);
        }
        n_points += 1;
        length = text.len() - rest.0.len();
        if n_points == MIN_POINTS {
            let capacity = n_expected.min((limit.saturating_sub(length)) / 24 + 1) + MIN_POINTS;
            run.time_ms.reserve(capacity);
            run.used_bytes.reserve(capacity);
            first.iter().for_each(|(time_ms, value)| {
                run.time_ms.push(*time_ms);
                run.used_bytes.push(*value);
            });
        }
        if rest.literal(b",").is_none() {
            break;
        }
        if rest.0.first() == Some(&b' ') {
            rest.blanks();
        }
        if limit <= text.len() - rest.0.len() {
            break;
        }
    }
    // The first of a piece may be shorter than any that was expected.
    run.time_ms.shrink_to_fit();
    run.used_bytes.shrink_to_fit();
    (run, length)
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
        let seconds = self.epoch()?;
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
    fn a_run_that_is_shorter_than_expected_leaves_no_room_empty() {
        let text = "[1795464398,\"1\"],".repeat(10);
        let (run, _) = points(text.as_bytes(), usize::MAX, 10_000);
        assert_eq!((run.time_ms.len(), run.time_ms.capacity(), run.used_bytes.capacity()), (10, 10, 10));
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
                Some(run) => given.push_str(&format!("<{:?}>", run.used_bytes)),
                None => given.push(byte[0] as char),
            }
        }
        assert_eq!(progress.bytes.get(), text.len() as u64);
        given
    }

    /// So many points, from this value on.
    fn run_of(n_points: i64, first: i64, between: &str) -> String {
        let points: Vec<String> =
            (first..first + n_points).map(|i| format!("[{},\"{i}\"]", 1_795_464_398 + i)).collect();
        points.join(between)
    }

    #[test]
    fn runs_are_taken_out_and_the_rest_goes_by() {
        let [long, short, other] = [run_of(9, 1, ", "), run_of(7, 1, ","), run_of(8, 20, ",")];
        let text = format!(
            "{{\"value\":[1795464398,\"1\"],\"x\":\"[{}]\",\"values\":[{long},[1795464400,\"NaN\"],\n{other}],\"values\":[{short}, [17",
            other.replace('"', "\\\"")
        );
        let expected = text
            .replace(&long, "<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]>")
            .replace(&other, "<[20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0]>");
        for drop in [1, 7, 64, 1000] {
            assert_eq!(given(&text, drop), expected);
        }
    }

    /// A text that is none of JSON, and holds in quotes what looks like points.
    #[test]
    fn nothing_in_a_text_is_a_point() {
        let text = format!("[\"a,{}\"b]", run_of(20, 1, ","));
        assert_eq!(given(&text.replacen("\"1\"", "1", 1), 1000), text.replacen("\"1\"", "1", 1));
    }

    /// Names, warnings and numbers of any length take no memory; what follows them is read.
    #[test]
    fn long_texts_and_numbers_are_cut_between_characters() {
        for (character, n_bytes) in
            [("a", 1), ("\u{e9}", 2), ("\\\"", 2), ("\\u00e9", 6), ("\\ud83d\\ude00", 12), ("7", 1)]
        {
            for before in ["", "x", "xyz"] {
                let long = format!("\"{before}{}\"", character.repeat(4 * MAX_TOKEN));
                let cut = given_of(&format!("[{long},5]"));
                let text: (String, f64) = serde_json::from_str(&cut).unwrap_or_else(|why| panic!("{character}: {why}"));
                assert_eq!(text.1, 5.0);
                let n_kept = cut.len() / n_bytes;
                assert!((MAX_TOKEN / n_bytes..=MAX_TOKEN / n_bytes + 40).contains(&n_kept), "{character}: {n_kept}");
            }
        }
        assert_eq!(given_of(&format!("[{},5]", "7".repeat(4 * MAX_TOKEN))), format!("[{},5]", "7".repeat(MAX_TOKEN)));
        let [one, other] = ["a", "b"].map(|end| given_of(&format!("\"{}{end}\"", "x".repeat(MAX_TOKEN))));
        assert_ne!(one, other);
        let short = format!("[\"{}\",5]", "a".repeat(MAX_TOKEN - 1));
        assert_eq!(given_of(&short), short);
    }

    fn given_of(text: &str) -> String {
        let progress = Progress::default();
        let mut given = String::new();
        Runs::new(text.as_bytes(), progress.clone(), Pending::default()).read_to_string(&mut given).unwrap();
        assert_eq!(progress.bytes.get(), text.len() as u64);
        assert_eq!(progress.n_cut.get(), u64::from(given != text));
        given
    }

    /// Whatever is cut where, on however many cores: all points come, in order.
    #[test]
    fn long_runs_are_cut_and_put_together() {
        let n_points = 3 * BUFFER as i64 / 25;
        let text = format!("[{}]", run_of(n_points, 0, ","));
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
        let text = format!("[{},5]", run_of(8, 1, ","));
        let mut runs = Runs::new(text.as_bytes(), Progress::default(), Rc::clone(&pending));
        let mut byte = [0];
        let mut is_pending = Vec::new();
        while runs.read(&mut byte).unwrap() == 1 {
            is_pending.push((byte[0] as char, pending.borrow().is_some()));
        }
        assert_eq!(is_pending, [('[', false), ('0', true), (',', true), ('5', false), (']', false)]);
    }
}
