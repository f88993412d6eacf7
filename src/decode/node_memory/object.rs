//! Reads objects as JSON and as `console.log` prints them, byte by byte, and says at once where one cannot go on.
//!
//! Keys may stand without quotes, texts within any quotes; values may be words, such as a date that Node prints.

use std::ops::Range;

use crate::account::Syntax;

/// Deeper objects are no readings.
const MAX_DEPTH: usize = 16;
/// Values below this depth are not kept.
const MAX_KEPT_DEPTH: usize = 5;
/// How many values of an object are kept.
const MAX_VALUES: usize = 256;

/// A value that is neither an object nor an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    /// Its keys, from the outermost to its own, as parts of the text.
    pub(super) path: Vec<Range<usize>>,
    /// Where it stands, without quotes.
    pub(super) text: Range<usize>,
    /// Whether it is within quotes.
    pub(super) is_quoted: bool,
}

/// What a byte did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The object goes on.
    More,
    /// It ended with this byte.
    Done,
    /// It cannot go on with this byte: what was found, and what was expected.
    Broken(Syntax),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A key, or the end of the object.
    Key,
    /// Within a key in these quotes, or without any.
    QuotedKey(u8),
    BareKey,
    /// The colon behind a key.
    Colon,
    Value,
    QuotedValue(u8),
    BareValue,
    /// Blanks behind a value without quotes: another word of it may follow.
    BehindWord,
    /// A comma, or the end.
    Behind,
}

/// An object that is being read; positions are those of its bytes, from 0.
#[derive(Debug)]
pub(super) struct Object {
    state: State,
    is_escaped: bool,
    /// What is open: arrays (`true`) and objects.
    open: Vec<bool>,
    /// The keys that lead to the present value.
    path: Vec<Range<usize>>,
    /// Where the present key or value began.
    began: usize,
    at: usize,
    values: Vec<Value>,
}

impl Object {
    /// An object whose first byte, its opening brace, comes next.
    pub(super) fn new() -> Object {
        Object {
            state: State::Value,
            is_escaped: false,
            open: Vec::new(),
            path: Vec::new(),
            began: 0,
            at: 0,
            values: Vec::new(),
        }
    }

    /// The values that were read.
    pub(super) fn values(&self) -> &[Value] {
        &self.values
    }

    /// The key of an array in which an element begins here, where nothing but that key stands before it: it may hold
    /// several readings.
    pub(super) fn list_key(&self) -> Option<Range<usize>> {
        let is_list = self.state == State::Value && self.open.len() == 2 && self.open[1] && self.values.is_empty();
        self.path.first().filter(|_| is_list).cloned()
    }

    /// Takes the next byte.
    pub(super) fn push(&mut self, byte: u8) -> Step {
        let at = self.at;
        self.at += 1;
        match self.state {
            State::QuotedKey(quote) | State::QuotedValue(quote) => self.push_quoted(byte, quote, at),
            State::Key if byte.is_ascii_whitespace() => Step::More,
            State::Key => match byte {
                b'"' | b'\'' | b'`' => self.begin(State::QuotedKey(byte), at + 1),
                b'}' => self.close(false),
                _ if is_of_key(byte) => self.begin(State::BareKey, at),
                _ => Step::Broken(Syntax::Key),
            },
            State::BareKey if is_of_key(byte) => Step::More,
            State::BareKey => {
                self.path.push(self.began..at);
                self.state = State::Colon;
                self.colon(byte)
            }
            State::Colon => self.colon(byte),
            State::Value => self.value(byte, at),
            State::BareValue if is_of_word(byte) => Step::More,
            State::BareValue => {
                self.keep(at, false);
                self.state = State::BehindWord;
                self.behind(byte, at)
            }
            State::BehindWord | State::Behind => self.behind(byte, at),
        }
    }

    fn begin(&mut self, state: State, at: usize) -> Step {
        self.state = state;
        self.began = at;
        Step::More
    }

    fn push_quoted(&mut self, byte: u8, quote: u8, at: usize) -> Step {
        if self.is_escaped {
            self.is_escaped = false;
        } else if byte == b'\\' {
            self.is_escaped = true;
        } else if byte == b'\n' {
            return Step::Broken(Syntax::String);
        } else if byte == quote {
            if matches!(self.state, State::QuotedKey(_)) {
                self.path.push(self.began..at);
                self.state = State::Colon;
            } else {
                self.keep(at, true);
                self.state = State::Behind;
            }
        }
        Step::More
    }

    fn colon(&mut self, byte: u8) -> Step {
        match byte {
            b':' => self.state = State::Value,
            _ if byte.is_ascii_whitespace() => {}
            _ => return Step::Broken(Syntax::Colon),
        }
        Step::More
    }

    fn value(&mut self, byte: u8, at: usize) -> Step {
        let is_array = self.open.last() == Some(&true);
        match byte {
            b'{' | b'[' if self.open.len() < MAX_DEPTH => {
                self.open.push(byte == b'[');
                self.state = if byte == b'{' { State::Key } else { State::Value };
                Step::More
            }
            b'{' | b'[' => Step::Broken(Syntax::Depth),
            b'"' | b'\'' | b'`' => self.begin(State::QuotedValue(byte), at + 1),
            b']' if is_array => self.close(true),
            _ if byte.is_ascii_whitespace() => Step::More,
            _ if is_of_word(byte) => self.begin(State::BareValue, at),
            _ => Step::Broken(Syntax::Value),
        }
    }

    fn behind(&mut self, byte: u8, at: usize) -> Step {
        let is_array = self.open.last() == Some(&true);
        match byte {
            b',' => {
                if is_array {
                    self.state = State::Value;
                } else {
                    self.path.pop();
                    self.state = State::Key;
                }
                Step::More
            }
            b'}' if !is_array => self.close(false),
            b']' if is_array => self.close(true),
            _ if byte.is_ascii_whitespace() => Step::More,
            // `[Function: name]`, `Map(2) { .. }`.
            _ if self.state == State::BehindWord && is_array && is_of_word(byte) => self.begin(State::BareValue, at),
            _ => Step::Broken(Syntax::Comma),
        }
    }

    fn close(&mut self, is_array: bool) -> Step {
        // An object that ends behind a value ends its key, too; behind a comma, or empty, there is none.
        if !is_array && matches!(self.state, State::Behind | State::BehindWord) {
            self.path.pop();
        }
        self.open.pop();
        self.state = State::Behind;
        if self.open.is_empty() { Step::Done } else { Step::More }
    }

    fn keep(&mut self, end: usize, is_quoted: bool) {
        let is_of_array = self.open.contains(&true);
        if !is_of_array && self.path.len() <= MAX_KEPT_DEPTH && self.values.len() < MAX_VALUES {
            self.values.push(Value { path: self.path.clone(), text: self.began..end, is_quoted });
        }
    }
}

fn is_of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_$+-.:/<>*%#@()=!?&;|^~".contains(&byte) || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of an object with their keys; or where it broke, and why.
    fn describe(text: &str) -> String {
        let mut object = Object::new();
        for (at, byte) in text.bytes().enumerate() {
            match object.push(byte) {
                Step::More => {}
                Step::Done => {
                    let value = |value: &Value| {
                        let path: Vec<&str> = value.path.iter().map(|key| &text[key.clone()]).collect();
                        format!("{}={}", path.join("."), &text[value.text.clone()])
                    };
                    let values: Vec<String> = object.values().iter().map(value).collect();
                    return format!("{} | {}", values.join(" "), &text[at + 1..]);
                }
                Step::Broken(why) => return format!("{at}: {why}"),
            }
        }
        "goes on".to_owned()
    }

    #[test]
    fn objects_are_read_as_json_and_as_node_prints_them() {
        for (text, expected) in [
            ("{}", " | "),
            ("{\"rss\":1,\"a b\":\"x\\\"y\"}{", "rss=1 a b=x\\\"y | {"),
            ("{ rss: 1,\n  heapUsed: '2 MB', }", "rss=1 heapUsed=2 MB | "),
            (
                "{ time: 2026-11-28T18:43:04.004Z, memory: { rss: 1 }, ok: true }",
                "time=2026-11-28T18:43:04.004Z memory.rss=1 ok=true | ",
            ),
            ("{\"a\":{},\"b\":[1,{\"c\":2},[]],\"d\":{\"e\":{\"f\":3}},\"g\":4}", "d.e.f=3 g=4 | "),
            ("{ f: [Function: name], m: [ 'a', 'b' ], g: 4 }", "g=4 | "),
            ("{rss:1 heapUsed:2}", "7: expected `,` or `}` after a value"),
            ("{\"rss\":10{\"rss\":2}", "9: expected `,` or `}` after a value"),
            ("{\"time\":\"20{\"time\":1}", "13: expected `,` or `}` after a value"),
            ("{\"time\":\"20\n", "11: a string does not end on its line"),
            ("{ rss: 1,\n{ rss: 2 }", "10: expected a key or `}`"),
            ("{ GET /health }", "6: expected `:` after a key"),
            ("{a:,}", "3: expected a value"),
            ("{a:1]", "4: expected `,` or `}` after a value"),
            ("{a:[1}", "5: expected `,` or `}` after a value"),
            ("{\"rss\":1", "goes on"),
        ] {
            assert_eq!(describe(text), expected, "{text}");
        }
        assert_eq!(describe(&"{a:".repeat(20)), "48: it is nested too deeply");
    }
}
