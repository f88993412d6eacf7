//! The condition of an alert: an expression over the readings of one or more metrics of one container.
//!
//! At every moment it has a value or none, as an element of a vector is there or not; the alert is active while it
//! is there, whatever the value. Which readings each selector finds is constant from one reading that comes or goes
//! to the next, so the moments at which the condition holds are found piece by piece.

use super::enclosure::{self, Enclosure};

use super::readings::{Mean, Readings};
use super::times::Times;
use super::window::{Element, Function, Moving, Range, Reading};

/// An expression over selectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The selectors, each once for every place where it stands.
    pub selectors: Vec<Selector>,
    /// What is made of them.
    pub root: Node,
}

/// The newest reading, or a function of those in a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selector {
    /// Number of the series that it selects, among those given to the replay.
    pub input: usize,
    /// How long ago, in milliseconds.
    pub offset_ms: i64,
    /// A function and the length of its range in milliseconds; `None` for the newest reading.
    pub over: Option<(Function, i64)>,
}

/// An operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A scalar.
    Number(f64),
    /// The selector of that number.
    Selector(usize),
    /// `-a`.
    Negative(Box<Node>),
    /// Absent where either side is.
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    /// A filter: the left side (or the only one that is no scalar), where the comparison holds.
    Filter(Comparison, Box<Node>, Box<Node>),
    /// `bool`: 1 or 0, wherever both sides are there.
    Truth(Comparison, Box<Node>, Box<Node>),
    /// The left side, where the right one is there.
    And(Box<Node>, Box<Node>),
    /// The left side, or else the right one.
    Or(Box<Node>, Box<Node>),
    /// The left side, where the right one is not there.
    Unless(Box<Node>, Box<Node>),
}

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`, with the sign of the left side.
    Modulo,
}

impl Arithmetic {
    /// The result for two numbers.
    pub fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Arithmetic::Add => a + b,
            Arithmetic::Subtract => a - b,
            Arithmetic::Multiply => a * b,
            Arithmetic::Divide => a / b,
            Arithmetic::Modulo => a % b,
        }
    }
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

impl Comparison {
    /// Whether it holds.
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Comparison::Equal => a == b,
            Comparison::NotEqual => a != b,
            Comparison::Greater => a > b,
            Comparison::GreaterOrEqual => a >= b,
            Comparison::Less => a < b,
            Comparison::LessOrEqual => a <= b,
        }
    }

    /// The same comparison with its sides exchanged.
    const fn mirrored(self) -> Comparison {
        match self {
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            same => same,
        }
    }
}

/// The number that a condition compares something with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// How, with the number on the right.
    pub comparison: Comparison,
    /// The number.
    pub number: f64,
}

impl Condition {
    /// The comparison with a number that the whole condition is; `None` for any other form.
    pub fn threshold(&self) -> Option<Threshold> {
        self.compared().map(|(threshold, _)| threshold)
    }

    fn compared(&self) -> Option<(Threshold, &Node)> {
        match &self.root {
            Node::Filter(comparison, a, b) => match (&**a, &**b) {
                (_, Node::Number(number)) => Some((Threshold { comparison: *comparison, number: *number }, a)),
                (Node::Number(number), _) => {
                    Some((Threshold { comparison: comparison.mirrored(), number: *number }, b))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The longest offset in it, in milliseconds: so long after the first reading all operands can exist.
    pub fn reach_back_ms(&self) -> i64 {
        self.selectors.iter().map(|selector| selector.offset_ms).max().unwrap_or(0)
    }

    /// For how long before an evaluation a reading can matter, in milliseconds, with a lookback of `lookback_ms`.
    pub fn memory_ms(&self, lookback_ms: i64) -> i64 {
        let reach = |selector: &Selector| selector.offset_ms + selector.over.map_or(lookback_ms, |(_, range)| range);
        self.selectors.iter().map(reach).max().unwrap_or(0)
    }

    /// When it holds, when it can be evaluated, and how far the compared value goes, from `first_ms` to `last_ms`.
    ///
    /// Takes O(readings · log) and for ranges the readings in them as well.
    pub(super) fn found(&self, inputs: &[Option<&Readings<'_>>], first_ms: i64, last_ms: i64) -> Found {
        let mut tracks: Vec<Track<'_>> = self.selectors.iter().map(|selector| Track::new(selector, inputs)).collect();
        let compared = self.compared();
        let mut found = Found::default();
        let next_ms = |tracks: &[Track<'_>]| tracks.iter().map(|track| track.next.start_ms).min().unwrap_or(i64::MAX);
        let mut start_ms = next_ms(&tracks);
        while start_ms <= last_ms {
            for track in &mut tracks {
                if track.next.start_ms == start_ms {
                    track.advance();
                }
            }
            let end_ms = next_ms(&tracks);
            let piece = Piece { tracks: &tracks };
            let (from_ms, to_ms) = (start_ms.max(first_ms), end_ms.min(last_ms + 1));
            if from_ms < to_ms {
                piece.search(&self.root, from_ms, to_ms, &mut found.holds);
                if piece.evaluable(&self.root) {
                    found.evaluable.push(from_ms, to_ms);
                }
                if let Some((threshold, node)) = compared {
                    found.note(threshold.comparison, piece.value(node, from_ms));
                    found.note(threshold.comparison, piece.value(node, to_ms - 1));
                }
            }
            start_ms = end_ms;
        }
        found
    }
}

/// What a condition did over some time.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) holds: Times,
    /// When all that it needs was there.
    pub(super) evaluable: Times,
    /// The compared value that goes furthest in the direction of the comparison.
    pub(super) furthest: Option<f64>,
}

impl Found {
    fn note(&mut self, comparison: Comparison, value: Option<f64>) {
        let Some(value) = value.filter(|value| !value.is_nan()) else { return };
        let further = |furthest: f64| match comparison {
            Comparison::Less | Comparison::LessOrEqual => value < furthest,
            _ => value > furthest,
        };
        if self.furthest.is_none_or(further) {
            self.furthest = Some(value);
        }
    }
}

/// What a selector gives over time, made piece by piece: all pieces would take far more memory than the readings.
struct Track<'a> {
    /// Whether there is a series to select.
    exists: bool,
    source: Pieces<'a>,
    /// What it gives now.
    now: Element,
    /// What it gives next; `END` when it stays as it is.
    next: Part,
}

struct Part {
    start_ms: i64,
    result: Element,
}

impl Part {
    const END: Part = Part { start_ms: i64::MAX, result: Element::Absent };
}

impl<'a> Track<'a> {
    fn new(selector: &Selector, inputs: &[Option<&'a Readings<'a>>]) -> Track<'a> {
        let readings = inputs.get(selector.input).copied().flatten();
        let source = match (readings, selector.over) {
            (None, _) => Pieces::None,
            (Some(readings), None) => {
                Pieces::Newest(Newest { readings, offset_ms: selector.offset_ms, index: 0, ends: None })
            }
            (Some(readings), Some((function, range_ms))) => Pieces::Ranges(Ranges {
                values: readings.points.iter().filter_map(|(time, value)| Some((time, value?))).collect(),
                function,
                range: Range { range_ms, offset_ms: selector.offset_ms },
                reach_ms: readings.lookback.reach_ms(range_ms),
                mean: readings.lookback.mean,
                held: (0, 0),
            }),
        };
        let mut track = Track { exists: readings.is_some(), source, now: Element::Absent, next: Part::END };
        track.next = track.source.next().unwrap_or(Part::END);
        track
    }

    /// Goes on to its next piece.
    fn advance(&mut self) {
        let after = self.source.next().unwrap_or(Part::END);
        self.now = std::mem::replace(&mut self.next, after).result;
    }

    /// The readings in its ranges.
    fn readings(&self) -> &[Reading] {
        match &self.source {
            Pieces::Ranges(ranges) => &ranges.values,
            Pieces::None | Pieces::Newest(_) => &[],
        }
    }
}

/// Pieces in time order; each lasts until the next begins, and before the first there is nothing.
enum Pieces<'a> {
    None,
    Newest(Newest<'a>),
    Ranges(Ranges),
}

impl Iterator for Pieces<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        match self {
            Pieces::None => None,
            Pieces::Newest(newest) => newest.next(),
            Pieces::Ranges(ranges) => ranges.next(),
        }
    }
}

/// What an instant selector returns at each moment: the newest reading, while it is young enough.
struct Newest<'a> {
    readings: &'a Readings<'a>,
    offset_ms: i64,
    /// The reading that comes next.
    index: usize,
    /// When the one before is too old, where that is before the next.
    ends: Option<i64>,
}

impl Newest<'_> {
    fn next(&mut self) -> Option<Part> {
        if let Some(start_ms) = self.ends.take() {
            return Some(Part { start_ms, result: Element::Absent });
        }
        let (time_ms, value) = self.readings.points.get(self.index)?;
        self.index += 1;
        let too_old_ms = time_ms + self.readings.reach_ms;
        if value.is_some() && self.readings.points.get(self.index).is_none_or(|next| too_old_ms < next.0) {
            self.ends = Some(too_old_ms + self.offset_ms);
        }
        let result = value.map_or(Element::Absent, Element::Constant);
        Some(Part { start_ms: time_ms + self.offset_ms, result })
    }
}

/// What a function over a range returns at each moment.
struct Ranges {
    values: Vec<Reading>,
    function: Function,
    range: Range,
    reach_ms: i64,
    mean: Mean,
    /// The values in the range: from the first on, before the second.
    held: (usize, usize),
}

impl Ranges {
    fn comes(&self, index: usize) -> i64 {
        self.values.get(index).map_or(i64::MAX, |value| value.0 + self.range.offset_ms)
    }

    fn goes(&self, index: usize) -> i64 {
        self.values.get(index).map_or(i64::MAX, |value| value.0 + self.range.offset_ms + self.reach_ms)
    }

    fn next(&mut self) -> Option<Part> {
        let (mut from, mut to) = self.held;
        if from == self.values.len() {
            return None;
        }
        let start_ms = self.comes(to).min(self.goes(from));
        while self.comes(to) == start_ms {
            to += 1;
        }
        while from < to && self.goes(from) == start_ms {
            from += 1;
        }
        self.held = (from, to);
        let end_ms = self.comes(to).min(self.goes(from));
        let result = self.function.of(&self.values, (from, to), self.range, self.mean, end_ms);
        Some(Part { start_ms, result })
    }
}

/// A stretch of time in which no selector finds other readings.
struct Piece<'a> {
    tracks: &'a [Track<'a>],
}

impl Piece<'_> {
    fn result(&self, selector: usize) -> &Element {
        &self.tracks[selector].now
    }

    /// The value at a moment; `None` where there is no element.
    fn value(&self, node: &Node, time_ms: i64) -> Option<f64> {
        let value = |node: &Node| self.value(node, time_ms);
        match node {
            Node::Number(number) => Some(*number),
            Node::Selector(selector) => match self.result(*selector) {
                Element::Absent => None,
                Element::Constant(value) => Some(*value),
                Element::Moving(moving) => Some(moving.at(self.tracks[*selector].readings(), time_ms)),
            },
            Node::Negative(a) => value(a).map(|a| -a),
            Node::Arithmetic(operator, a, b) => Some(operator.of(value(a)?, value(b)?)),
            Node::Filter(comparison, a, b) => {
                let (left, right) = (value(a)?, value(b)?);
                let kept = if matches!(**a, Node::Number(_)) { right } else { left };
                comparison.holds(left, right).then_some(kept)
            }
            Node::Truth(comparison, a, b) => Some(f64::from(u8::from(comparison.holds(value(a)?, value(b)?)))),
            Node::And(a, b) => value(a).filter(|_| value(b).is_some()),
            Node::Or(a, b) => value(a).or_else(|| value(b)),
            Node::Unless(a, b) => value(a).filter(|_| value(b).is_none()),
        }
    }

    /// Adds the moments from `from_ms` to before `to_ms` at which there is an element.
    ///
    /// Where values move, halves the time until bounds decide it, or only single moments are left.
    fn search(&self, node: &Node, from_ms: i64, to_ms: i64, found: &mut Times) {
        if !self.moves(node) {
            if self.value(node, from_ms).is_some() {
                found.push(from_ms, to_ms);
            }
            return;
        }
        let enclosure = self.enclosed(node, from_ms, to_ms - 1);
        if enclosure.absent {
            if enclosure.present && to_ms - from_ms > 1 {
                let middle_ms = from_ms + (to_ms - from_ms) / 2;
                self.search(node, from_ms, middle_ms, found);
                self.search(node, middle_ms, to_ms, found);
            } else if enclosure.present && self.value(node, from_ms).is_some() {
                found.push(from_ms, to_ms);
            }
        } else {
            found.push(from_ms, to_ms);
        }
    }

    fn moves(&self, node: &Node) -> bool {
        match node {
            Node::Number(_) => false,
            Node::Selector(selector) => matches!(self.result(*selector), Element::Moving(_)),
            Node::Negative(a) => self.moves(a),
            Node::Arithmetic(_, a, b)
            | Node::Filter(_, a, b)
            | Node::Truth(_, a, b)
            | Node::And(a, b)
            | Node::Or(a, b)
            | Node::Unless(a, b) => self.moves(a) || self.moves(b),
        }
    }

    fn enclosed(&self, node: &Node, first_ms: i64, last_ms: i64) -> Enclosure {
        let of = |node: &Node| self.enclosed(node, first_ms, last_ms);
        match node {
            Node::Number(number) => Enclosure::point(*number),
            Node::Selector(selector) => match self.result(*selector) {
                Element::Absent => Enclosure::ABSENT,
                Element::Constant(value) => Enclosure::point(*value),
                Element::Moving(moving) => self.enclosed_moving(*selector, moving, first_ms, last_ms),
            },
            Node::Negative(a) => of(a).negated(),
            Node::Arithmetic(operator, a, b) => enclosure::arithmetic(*operator, of(a), of(b)),
            Node::Filter(comparison, a, b) => {
                enclosure::filter(*comparison, of(a), of(b), matches!(**a, Node::Number(_)))
            }
            Node::Truth(comparison, a, b) => enclosure::truth(*comparison, of(a), of(b)),
            Node::And(a, b) => of(a).and(of(b)),
            Node::Or(a, b) => of(a).or(of(b)),
            Node::Unless(a, b) => of(a).unless(of(b)),
        }
    }

    fn enclosed_moving(&self, selector: usize, moving: &Moving, first_ms: i64, last_ms: i64) -> Enclosure {
        if first_ms == last_ms {
            return Enclosure::point(moving.at(self.tracks[selector].readings(), first_ms));
        }
        moving.enclosed(first_ms, last_ms)
    }

    /// Whether all that decides the condition is there: the readings that it compares, not what comparisons leave.
    ///
    /// Of the sides of `or` those count that have a series at all.
    fn evaluable(&self, node: &Node) -> bool {
        match node {
            Node::Number(_) => true,
            Node::Selector(selector) => *self.result(*selector) != Element::Absent,
            Node::Negative(a) => self.evaluable(a),
            Node::Or(a, b) => match (self.exists(a), self.exists(b)) {
                (true, false) => self.evaluable(a),
                (false, true) => self.evaluable(b),
                _ => self.evaluable(a) && self.evaluable(b),
            },
            Node::Arithmetic(_, a, b)
            | Node::Filter(_, a, b)
            | Node::Truth(_, a, b)
            | Node::And(a, b)
            | Node::Unless(a, b) => self.evaluable(a) && self.evaluable(b),
        }
    }

    fn exists(&self, node: &Node) -> bool {
        match node {
            Node::Number(_) => true,
            Node::Selector(selector) => self.tracks[*selector].exists,
            Node::Negative(a) => self.exists(a),
            Node::Or(a, b) => self.exists(a) || self.exists(b),
            Node::Arithmetic(_, a, b)
            | Node::Filter(_, a, b)
            | Node::Truth(_, a, b)
            | Node::And(a, b)
            | Node::Unless(a, b) => self.exists(a) && self.exists(b),
        }
    }
}
