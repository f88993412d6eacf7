//! An expression as it is replayed, before it meets series.

use std::collections::BTreeSet;

use super::select::Labels;
use crate::criteria::alert_rule::{Aggregate, Arithmetic, CompareOperator, Function, Node};

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Query {
    /// A scalar.
    Number(f64),
    /// All series of a selection, or a function of their ranges; times in milliseconds.
    Select { select: usize, offset_ms: i64, over: Option<(Function, i64)> },
    /// `-a`.
    Negative(Box<Query>),
    /// `clamp_min`.
    AtLeast(f64, Box<Query>),
    /// `clamp_max`.
    AtMost(f64, Box<Query>),
    /// Two sides; at most one is a scalar, and of set operators none is.
    Binary { operation: Operation, matching: Grouping, sides: Box<[Query; 2]> },
    /// An aggregation.
    Aggregate { aggregate: Aggregate, grouping: Grouping, of: Box<Query> },
}

impl Query {
    /// Calls `with` for each selection in it.
    pub(super) fn each_select(&self, with: &mut dyn FnMut(usize)) {
        match self {
            Query::Number(_) => {}
            Query::Select { select, .. } => with(*select),
            Query::Negative(of) | Query::AtLeast(_, of) | Query::AtMost(_, of) | Query::Aggregate { of, .. } => {
                of.each_select(with);
            }
            Query::Binary { sides, .. } => sides.iter().for_each(|side| side.each_select(with)),
        }
    }
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Arithmetic(Arithmetic),
    Filter(CompareOperator),
    /// A comparison with `bool`.
    Truth(CompareOperator),
    And,
    Or,
    Unless,
}

impl Operation {
    /// It, done on two results.
    pub(super) fn node(self, a: Box<Node>, b: Box<Node>) -> Node {
        match self {
            Operation::Arithmetic(operator) => Node::Arithmetic(operator, a, b),
            Operation::Filter(comparison) => Node::Filter(comparison, a, b),
            Operation::Truth(comparison) => Node::Truth(comparison, a, b),
            Operation::And => Node::And(a, b),
            Operation::Or => Node::Or(a, b),
            Operation::Unless => Node::Unless(a, b),
        }
    }
}

/// The labels that count: of a group, or for a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Grouping {
    /// `by`, `on`: these only.
    By(BTreeSet<String>),
    /// `without`, `ignoring`: all but these.
    Without(BTreeSet<String>),
}

impl Grouping {
    /// All labels.
    pub(super) const ALL: Grouping = Grouping::Without(BTreeSet::new());

    /// Those of the labels that count.
    pub(super) fn of(&self, labels: &Labels) -> Labels {
        let counts = |name: &String| match self {
            Grouping::By(names) => names.contains(name),
            Grouping::Without(names) => !names.contains(name),
        };
        labels.iter().filter(|(name, _)| counts(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
