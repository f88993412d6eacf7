//! What an expression gives over a stretch of time in which no selector finds other readings.

use super::condition::Node;
use super::course::Track;
use super::enclosure::{self, Enclosure};
use super::readings::Release;
use super::times::Times;
use super::window::{Element, Moving};

/// A stretch of time in which no selector finds other readings.
pub(super) struct Piece<'a> {
    pub(super) tracks: &'a [Track<'a>],
    pub(super) release: Release,
}

impl Piece<'_> {
    fn result(&self, selector: usize) -> &Element {
        &self.tracks[selector].now
    }

    /// The value at a moment; `None` where there is no element.
    pub(super) fn value(&self, node: &Node, time_ms: i64) -> Option<f64> {
        let value = |node: &Node| self.value(node, time_ms);
        match node {
            Node::Number(number) => Some(*number),
            Node::Selector(selector) => match self.result(*selector) {
                Element::Absent => None,
                Element::Constant(value) => Some(*value),
                Element::Moving(moving) => Some(moving.at(self.tracks[*selector].readings(), time_ms)),
            },
            Node::Negative(a) => value(a).map(|a| -a),
            Node::AtLeast(least, a) => value(a).map(|a| at_least(a, *least)),
            Node::AtMost(most, a) => value(a).map(|a| -at_least(-a, -most)),
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
            Node::OneOf(all) => all.iter().find_map(value),
            Node::Aggregate(aggregate, members) => aggregate.of(members.iter().filter_map(value), self.release),
        }
    }

    /// Adds the moments from `from_ms` to before `to_ms` at which there is an element.
    ///
    /// Where values move, halves the time until bounds decide it, or only single moments are left.
    pub(super) fn search(&self, node: &Node, from_ms: i64, to_ms: i64, found: &mut Times) {
        if self.moves(node) {
            self.search_moving(node, from_ms, to_ms, found);
        } else if self.value(node, from_ms).is_some() {
            found.push(from_ms, to_ms);
        }
    }

    fn search_moving(&self, node: &Node, from_ms: i64, to_ms: i64, found: &mut Times) {
        let enclosure = self.enclosed(node, from_ms, to_ms - 1);
        if enclosure.absent {
            if enclosure.present && to_ms - from_ms > 1 {
                let middle_ms = from_ms + (to_ms - from_ms) / 2;
                self.search_moving(node, from_ms, middle_ms, found);
                self.search_moving(node, middle_ms, to_ms, found);
            } else if enclosure.present && self.value(node, from_ms).is_some() {
                found.push(from_ms, to_ms);
            }
        } else {
            found.push(from_ms, to_ms);
        }
    }

    pub(super) fn moves(&self, node: &Node) -> bool {
        node.any_selector(&|selector| matches!(self.result(selector), Element::Moving(_)))
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
            Node::AtLeast(least, a) => of(a).mapped(|value| at_least(value, *least)),
            Node::AtMost(most, a) => of(a).mapped(|value| -at_least(-value, -most)),
            Node::Arithmetic(operator, a, b) => enclosure::arithmetic(*operator, of(a), of(b)),
            Node::Filter(comparison, a, b) => {
                enclosure::filter(*comparison, of(a), of(b), matches!(**a, Node::Number(_)))
            }
            Node::Truth(comparison, a, b) => enclosure::truth(*comparison, of(a), of(b)),
            Node::And(a, b) => of(a).and(of(b)),
            Node::Or(a, b) => of(a).or(of(b)),
            Node::Unless(a, b) => of(a).unless(of(b)),
            Node::OneOf(all) => all.iter().map(of).fold(Enclosure::ABSENT, Enclosure::or),
            Node::Aggregate(aggregate, members) => {
                let members: Vec<Enclosure> = members.iter().map(of).collect();
                enclosure::aggregate(*aggregate, &members)
            }
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
    /// Of the sides of `or` those count that have a series at all; of the elements of a group, or of several that stand
    /// for each other, one is enough.
    pub(super) fn evaluable(&self, node: &Node) -> bool {
        match node {
            Node::Number(_) => true,
            Node::Selector(selector) => self.tracks[*selector].evaluable,
            Node::Negative(a) | Node::AtLeast(_, a) | Node::AtMost(_, a) => self.evaluable(a),
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
            Node::OneOf(all) | Node::Aggregate(_, all) => all.iter().any(|one| self.evaluable(one)),
        }
    }

    fn exists(&self, node: &Node) -> bool {
        match node {
            Node::Number(_) => true,
            Node::Selector(selector) => self.tracks[*selector].exists,
            Node::Negative(a) | Node::AtLeast(_, a) | Node::AtMost(_, a) => self.exists(a),
            Node::Or(a, b) => self.exists(a) || self.exists(b),
            Node::Arithmetic(_, a, b)
            | Node::Filter(_, a, b)
            | Node::Truth(_, a, b)
            | Node::And(a, b)
            | Node::Unless(a, b) => self.exists(a) && self.exists(b),
            Node::OneOf(all) | Node::Aggregate(_, all) => all.iter().any(|one| self.exists(one)),
        }
    }
}

/// The greater of two; NaN where one is.
fn at_least(value: f64, least: f64) -> f64 {
    if value.is_nan() || least.is_nan() { f64::NAN } else { value.max(least) }
}
