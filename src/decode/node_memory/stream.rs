//! The text of one process in the order of its lines, cut into objects, with an account of each line.
//!
//! A log that several processes write into has one stream for each: their objects may be mixed line by line.

use std::collections::VecDeque;
use std::ops::Range;

use memchr::memchr;

use super::super::clock::Timestamp;
use super::notes::Notes;
use super::object::{Object, Step};
use super::reading;
use crate::account::{Input, ObjectRejection, Rejection};
use crate::open;

/// A longer object is no reading, in bytes.
const MAX_OBJECT: usize = open::MAX_LINE;

/// How much of the text around objects is kept of a line, in bytes.
const MAX_OUTSIDE: usize = 400;

/// A line of which something may still be read.
#[derive(Debug)]
pub(super) struct Line {
    /// Where it begins in the text of the stream.
    offset: usize,
    number: u64,
    /// The time before it, and how it was written.
    pub(super) timestamp: Option<(Timestamp, String)>,
    /// How many readings, gaps and rejections it holds.
    n_events: u64,
    /// Whether it belongs to an object, or to a time before objects.
    is_accounted: bool,
    /// What stands on it beside objects.
    outside: String,
    has_ended: bool,
    terminated: bool,
}

/// What comes next in a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// An object that is whole.
    Object(Range<usize>),
    /// One that broke off, with what was found and expected.
    Broken(ObjectRejection),
    /// Nothing, until there is more text.
    Nothing,
}

#[derive(Debug, Default)]
pub(super) struct Stream {
    /// What stands before each of its lines: a name that is not that of its process alone.
    pub(super) key: String,
    /// The process, as its lines say.
    pub(super) name: Option<String>,
    pub(super) text: String,
    at: usize,
    /// Where the object begins that is open.
    start: Option<usize>,
    object: Object,
    /// What stands before the present object on its line.
    pub(super) label: String,
    /// Whether the present object follows one that broke off on the same line.
    pub(super) is_behind_broken: bool,
    pub(super) lines: VecDeque<Line>,
    /// A time on a line of its own, how it was written, and the processes that it was that of.
    pub(super) before: Option<(Timestamp, String, Vec<u32>)>,
}

impl Stream {
    pub(super) fn new(key: String, name: Option<String>) -> Stream {
        Stream { key, name, ..Stream::default() }
    }

    pub(super) fn is_open(&self) -> bool {
        self.start.is_some()
    }

    /// Whether the object that is open began on a line with a time before it.
    pub(super) fn is_stamped(&self) -> bool {
        self.start.is_some_and(|start| self.line_at(start).is_some_and(|line| line.timestamp.is_some()))
    }

    /// The values of the object that ended last.
    pub(super) fn object(&self) -> &Object {
        &self.object
    }

    /// Begins a line.
    pub(super) fn begin_line(&mut self, number: u64, timestamp: Option<(Timestamp, String)>) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.lines.push_back(Line {
            offset: self.text.len(),
            number,
            timestamp,
            n_events: 0,
            is_accounted: false,
            outside: String::new(),
            has_ended: false,
            terminated: false,
        });
    }

    /// Ends the last line.
    pub(super) fn end_line(&mut self, terminated: bool) {
        if let Some(line) = self.lines.back_mut() {
            line.has_ended = true;
            line.terminated = terminated;
        }
    }

    /// Says that the last line holds what it should, without a reading.
    pub(super) fn account_line(&mut self) {
        if let Some(line) = self.lines.back_mut() {
            line.is_accounted = true;
        }
    }

    /// Goes on to the next object.
    pub(super) fn next(&mut self) -> Next {
        loop {
            let Some(start) = self.start else {
                let from = self.at;
                let found = memchr(b'{', &self.text.as_bytes()[from..]).map(|offset| from + offset);
                self.put_outside(from..found.unwrap_or(self.text.len()));
                let Some(start) = found else {
                    self.at = self.text.len();
                    return Next::Nothing;
                };
                self.label = label(&self.text[from..start]);
                self.is_behind_broken = false;
                self.begin(start);
                continue;
            };
            let bytes = self.text.as_bytes();
            let Some(&byte) = bytes.get(self.at) else {
                if bytes.len() - start <= MAX_OBJECT {
                    return Next::Nothing;
                }
                return Next::Broken(ObjectRejection::TooLong { longest: MAX_OBJECT });
            };
            if byte == b'{'
                && let Some(key) = self.object.list_key()
                && self.text.get(start + key.start..start + key.end).is_some_and(reading::is_list)
            {
                self.account(start..self.at);
                self.begin(self.at);
                continue;
            }
            match self.object.push(byte) {
                Step::More => self.at += 1,
                Step::Done => {
                    self.at += 1;
                    self.start = None;
                    return Next::Object(start..self.at);
                }
                Step::Broken(syntax) => {
                    let rest = self.text.get(self.at..).unwrap_or_default().trim_start();
                    let found: String = rest.chars().take_while(|c| *c != '\n').take(20).collect();
                    let before = Some(found).filter(|found| !found.is_empty());
                    return Next::Broken(ObjectRejection::BreaksOff { before, syntax });
                }
            }
        }
    }

    fn begin(&mut self, start: usize) {
        self.start = Some(start);
        self.at = start;
        self.object = Object::new();
    }

    /// Gives up the object that is open, and goes on at the next brace within it, at the line that cannot belong to it,
    /// or behind it. What was given up.
    pub(super) fn give_up(&mut self) -> Range<usize> {
        let start = self.start.take().unwrap_or(self.at);
        let mut end = (self.at + 1).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        // A later line of which nothing was read is not of this object.
        let line = self.line_at(self.at).map_or(0, |line| line.offset);
        let is_foreign = self.text.get(line..self.at).is_some_and(|read| !read.contains([':', ',']));
        if self.at < self.text.len() && start < line && is_foreign {
            end = line;
        }
        let next = self.text.as_bytes().get(start + 1..end).and_then(|bytes| memchr(b'{', bytes));
        if let Some(next) = next.map(|offset| start + 1 + offset) {
            self.is_behind_broken = !self.text[start..next].contains('\n');
            self.begin(next);
            return start..next;
        }
        self.at = end;
        start..end
    }

    /// The line that holds a position.
    pub(super) fn line_at(&self, at: usize) -> Option<&Line> {
        self.lines.get(self.lines.partition_point(|line| line.offset <= at).saturating_sub(1))
    }

    /// Counts a reading, a gap or a rejection on the line that holds a position; gives its number.
    pub(super) fn count_at(&mut self, at: usize) -> u64 {
        let index = self.lines.partition_point(|line| line.offset <= at).saturating_sub(1);
        self.lines.get_mut(index).map_or(0, |line| {
            line.n_events += 1;
            line.number
        })
    }

    /// Says that a part of the text belongs to an object.
    pub(super) fn account(&mut self, range: Range<usize>) {
        for (index, _) in self.overlaps(&range) {
            self.lines[index].is_accounted = true;
        }
    }

    /// Says that a part of the text belongs to no reading.
    pub(super) fn put_outside(&mut self, range: Range<usize>) {
        for (index, part) in self.overlaps(&range) {
            let outside = &mut self.lines[index].outside;
            let text = self.text[part].trim();
            if outside.len() < MAX_OUTSIDE && !text.is_empty() {
                if !outside.is_empty() {
                    outside.push(' ');
                }
                outside.extend(text.chars().take(MAX_OUTSIDE));
            }
        }
    }

    /// Rejects the lines that a part of the text stands on.
    pub(super) fn reject(&mut self, range: Range<usize>, input: &mut Input, why: &Rejection) {
        let mut is_first = true;
        for (index, part) in self.overlaps(&range) {
            let line = &mut self.lines[index];
            if self.text[part].trim().is_empty() {
                continue;
            }
            line.n_events += 1;
            if is_first {
                input.reject_at(line.number, &self.text[range.clone()], || why.clone());
                is_first = false;
            } else {
                input.rejected_count += 1;
            }
        }
    }

    /// The lines that share something with a part of the text, and what.
    fn overlaps(&self, range: &Range<usize>) -> Vec<(usize, Range<usize>)> {
        let first = self.lines.partition_point(|line| line.offset <= range.start).saturating_sub(1);
        let ends = self.lines.iter().skip(first + 1).map(|line| line.offset - 1).chain([self.text.len()]);
        let lines = self.lines.iter().enumerate().skip(first).zip(ends);
        lines
            .take_while(|((_, line), _)| line.offset < range.end)
            .map(|((index, line), end)| (index, range.start.max(line.offset)..range.end.min(end)))
            .filter(|(_, part)| part.start < part.end)
            .collect()
    }

    /// Closes the account of lines that hold nothing of an open object, and forgets them.
    pub(super) fn settle(&mut self, input: &mut Input, notes: &mut Notes) {
        let keep = self.start.unwrap_or(self.text.len());
        let n_before = match self.start {
            Some(start) => self.lines.partition_point(|line| line.offset <= start).saturating_sub(1),
            None => self.lines.len() - usize::from(self.lines.back().is_some_and(|line| !line.has_ended)),
        };
        for line in self.lines.drain(..n_before) {
            line.close(input, notes);
        }
        self.text.drain(..keep);
        self.at -= keep;
        self.start = self.start.map(|_| 0);
        self.lines.iter_mut().for_each(|line| line.offset = line.offset.saturating_sub(keep));
    }
}

impl Default for Object {
    fn default() -> Object {
        Object::new()
    }
}

impl Line {
    fn close(self, input: &mut Input, notes: &mut Notes) {
        if self.n_events > 0 {
            input.further += self.n_events - 1;
            return;
        }
        let outside = self.outside.trim();
        let is_text = outside.chars().any(char::is_alphanumeric);
        if self.is_accounted || !is_text {
            input.other_lines += 1;
        } else if !self.terminated && self.number > 1 {
            input.reject_at(self.number, outside, || Rejection::Unfinished);
        } else if reading::names_part(outside) {
            input.reject_at(self.number, outside, || ObjectRejection::NoBeginning);
        } else {
            notes.note_prose(outside, self.number);
            input.other_lines += 1;
        }
    }
}

/// What a text before an object calls it.
fn label(text: &str) -> String {
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || ":=,;[]()|<>-#*\"'".contains(c));
    let is_name = trimmed.chars().any(char::is_alphabetic);
    if is_name { trimmed.chars().filter(|c| !c.is_control()).take(60).collect() } else { String::new() }
}
