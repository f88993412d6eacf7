//! The condition of an alert: an expression over the readings of one or more series, with one result at a time.
//!
//! At every moment it has a value or none, as an element of a vector is there or not; the alert is active while it
//! is there, whatever the value. Which readings each selector finds is constant from one reading that comes or goes
//! to the next, so the moments at which the condition holds are found piece by piece.

use super::aggregate::Aggregate;
use super::course::Course;
use super::readings::RuleReadings;
use super::times::Times;
use super::window::Function;

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
    /// `clamp_min`: what is less becomes that number.
    AtLeast(f64, Box<Node>),
    /// `clamp_max`: what is greater becomes that number.
    AtMost(f64, Box<Node>),
    /// Absent where either side is.
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    /// A filter: the left side (or the only one that is no scalar), where the comparison holds.
    Filter(CompareOperator, Box<Node>, Box<Node>),
    /// `bool`: 1 or 0, wherever both sides are there.
    Truth(CompareOperator, Box<Node>, Box<Node>),
    /// The left side, where the right one is there.
    And(Box<Node>, Box<Node>),
    /// The left side, or else the right one.
    Or(Box<Node>, Box<Node>),
    /// The left side, where the right one is not there.
    Unless(Box<Node>, Box<Node>),
    /// The first of several that is there. No two should be at a time.
    OneOf(Vec<Node>),
    /// Over those of a group that are there.
    Aggregate(Aggregate, Vec<Node>),
}

impl Node {
    /// Whether something holds for a selector in it, by its number.
    pub(super) fn any_selector(&self, holds: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Node::Number(_) => false,
            Node::Selector(number) => holds(*number),
            Node::Negative(a) | Node::AtLeast(_, a) | Node::AtMost(_, a) => a.any_selector(holds),
            Node::Arithmetic(_, a, b)
            | Node::Filter(_, a, b)
            | Node::Truth(_, a, b)
            | Node::And(a, b)
            | Node::Or(a, b)
            | Node::Unless(a, b) => a.any_selector(holds) || b.any_selector(holds),
            Node::OneOf(all) | Node::Aggregate(_, all) => all.iter().any(|one| one.any_selector(holds)),
        }
    }

    /// The comparison with a number that it is, and what is compared.
    fn compared(&self) -> Option<(Threshold, &Node)> {
        match self {
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

    /// The same operation on other operands.
    pub fn with_operands(&self, other: &mut dyn FnMut(&Node) -> Node) -> Node {
        let mut boxed = |operand: &Node| Box::new(other(operand));
        match self {
            Node::Number(_) | Node::Selector(_) => self.clone(),
            Node::Negative(a) => Node::Negative(boxed(a)),
            Node::AtLeast(least, a) => Node::AtLeast(*least, boxed(a)),
            Node::AtMost(most, a) => Node::AtMost(*most, boxed(a)),
            Node::Arithmetic(operator, a, b) => Node::Arithmetic(*operator, boxed(a), boxed(b)),
            Node::Filter(comparison, a, b) => Node::Filter(*comparison, boxed(a), boxed(b)),
            Node::Truth(comparison, a, b) => Node::Truth(*comparison, boxed(a), boxed(b)),
            Node::And(a, b) => Node::And(boxed(a), boxed(b)),
            Node::Or(a, b) => Node::Or(boxed(a), boxed(b)),
            Node::Unless(a, b) => Node::Unless(boxed(a), boxed(b)),
            Node::OneOf(all) => Node::OneOf(all.iter().map(other).collect()),
            Node::Aggregate(aggregate, all) => Node::Aggregate(*aggregate, all.iter().map(other).collect()),
        }
    }
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
pub enum CompareOperator {
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

impl CompareOperator {
    /// Whether it holds.
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            CompareOperator::Equal => a == b,
            CompareOperator::NotEqual => a != b,
            CompareOperator::Greater => a > b,
            CompareOperator::GreaterOrEqual => a >= b,
            CompareOperator::Less => a < b,
            CompareOperator::LessOrEqual => a <= b,
        }
    }

    /// The same comparison with its sides exchanged.
    const fn mirrored(self) -> CompareOperator {
        match self {
            CompareOperator::Greater => CompareOperator::Less,
            CompareOperator::GreaterOrEqual => CompareOperator::LessOrEqual,
            CompareOperator::Less => CompareOperator::Greater,
            CompareOperator::LessOrEqual => CompareOperator::GreaterOrEqual,
            same => same,
        }
    }
}

/// The number that a condition compares something with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// How, with the number on the right.
    pub comparison: CompareOperator,
    /// The number.
    pub number: f64,
}

impl Condition {
    /// The comparison with a number that the whole condition is; `None` for any other form.
    pub fn threshold(&self) -> Option<Threshold> {
        self.root.compared().map(|(threshold, _)| threshold)
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
    /// Takes O(readings · log) and for ranges the readings in them as well; for aggregates of what moves with time, or of
    /// averages of Prometheus 2, the members of the group with each change of one.
    pub(super) fn found(&self, inputs: &[Option<&RuleReadings<'_>>], first_ms: i64, last_ms: i64) -> Found {
        let mut course = Course::new(&self.root, &self.selectors, inputs);
        let mut found = Found::default();
        let mut start_ms = course.next_ms();
        while start_ms <= last_ms {
            course.advance(start_ms);
            let end_ms = course.next_ms();
            let (from_ms, to_ms) = (start_ms.max(first_ms), end_ms.min(last_ms + 1));
            if from_ms < to_ms {
                let (piece, root) = (course.piece(), course.root());
                piece.search(root, from_ms, to_ms, &mut found.holds);
                if piece.evaluable(root) {
                    found.evaluable.push(from_ms, to_ms);
                }
                if let Some((threshold, node)) = root.compared() {
                    found.note(threshold.comparison, piece.value(node, from_ms));
                    if piece.moves(node) {
                        found.note(threshold.comparison, piece.value(node, to_ms - 1));
                    }
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
    fn note(&mut self, comparison: CompareOperator, value: Option<f64>) {
        let Some(value) = value.filter(|value| !value.is_nan()) else { return };
        let further = |furthest: f64| match comparison {
            CompareOperator::Less | CompareOperator::LessOrEqual => value < furthest,
            _ => value > furthest,
        };
        if self.furthest.is_none_or(further) {
            self.furthest = Some(value);
        }
    }
}
