//! What an expression gives for the series that were read: one element for each label set that it can have.
//!
//! Labels do not change with time, so which series are compared, and which are of one group, is known before anything is
//! replayed. Whether an element is there at a moment is not: where two could be, and Prometheus would refuse to match
//! them, a [`Clash`] says so.

use std::collections::{BTreeMap, BTreeSet};

use super::query::{Grouping, Operation, Query};
use super::select::{Labels, Select, Source};
use crate::criteria::alert_rule::{Aggregate, CompareOperator, Condition, Node, Selector};

/// So many pairs of elements are compared at most: more are no alert that somebody reads.
const MOST_PAIRS: usize = 1_000_000;

/// Stands for a series that does not exist.
const MISSING: usize = usize::MAX;

/// A series that an element uses, and under which of the selections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Input {
    /// `None` where no series is selected.
    pub(super) series: Option<usize>,
    /// The selection, as an index.
    pub(super) select: usize,
}

/// An element of the result: one alert.
#[derive(Debug, Clone)]
pub(super) struct Element {
    /// Its labels, without those that only tell series apart.
    pub(super) labels: Labels,
    pub(super) condition: Condition,
    /// What the selectors of the condition name.
    pub(super) inputs: Vec<Input>,
    /// The series that it is shown with: for an aggregate all that are in it, else one.
    pub(super) owners: Vec<usize>,
    /// Whether it is an aggregate.
    pub(super) grouped: bool,
    /// Selections that find nothing for it, as indices.
    pub(super) missing: Vec<usize>,
}

/// Two elements of one side that match the same one of the other: while both are there, Prometheus refuses to evaluate.
#[derive(Debug, Clone)]
pub(super) struct Clash {
    /// Holds while there are two.
    pub(super) condition: Condition,
    pub(super) inputs: Vec<Input>,
    /// The side and the labels that both have.
    pub(super) what: String,
}

/// All elements that an expression can give, and what would keep Prometheus from evaluating it.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    pub(super) elements: Vec<Element>,
    pub(super) clashes: Vec<Clash>,
}

/// Expands an expression over series. `owner_of`: the series of the report that one of them is part of.
///
/// # Errors
///
/// When it would compare too many elements with each other.
pub(super) fn expand(
    query: &Query,
    selects: &[Select],
    sources: &[Source],
    owner_of: &dyn Fn(usize) -> Option<usize>,
) -> Result<Expanded, String> {
    let mut expander = Expander { selects, sources, owner_of, places: Vec::new(), clashes: Vec::new() };
    let Operand::Vector(parts) = expander.operand(query)? else { return Ok(Expanded::default()) };
    let elements =
        parts.into_iter().filter(|part| !part.owners.is_empty()).map(|part| expander.element(part)).collect();
    let clashes = expander.clashes.iter().map(|(node, what)| {
        let (condition, inputs) = expander.projected(node);
        Clash { condition, inputs, what: what.clone() }
    });
    Ok(Expanded { elements, clashes: clashes.collect() })
}

/// What a part of an expression gives.
enum Operand {
    Scalar(f64),
    Vector(Vec<Part>),
}

/// An element of a part of the expression.
#[derive(Debug, Clone)]
struct Part {
    labels: Labels,
    /// Selectors are numbers of places.
    node: Node,
    owners: Vec<usize>,
    grouped: bool,
    missing: BTreeSet<usize>,
    /// Whether it can never be there, as what it needs does not exist.
    never: bool,
}

impl Part {
    fn with(self, node: impl FnOnce(Box<Node>) -> Node) -> Part {
        Part { node: node(Box::new(self.node)), ..self }
    }
}

struct Expander<'a> {
    selects: &'a [Select],
    sources: &'a [Source],
    owner_of: &'a dyn Fn(usize) -> Option<usize>,
    /// What each selector of a node reads.
    places: Vec<(Input, Selector)>,
    clashes: Vec<(Node, String)>,
}

impl Expander<'_> {
    fn operand(&mut self, query: &Query) -> Result<Operand, String> {
        Ok(match query {
            Query::Number(number) => Operand::Scalar(*number),
            Query::Select { select, offset_ms, over } => {
                let found = self.sources.iter().enumerate().filter(|(_, source)| self.selects[*select].finds(source));
                let parts = found.map(|(index, source)| Part {
                    labels: source.labels.clone(),
                    node: place(&mut self.places, Some(index), *select, *offset_ms, *over),
                    owners: (self.owner_of)(index).into_iter().collect(),
                    grouped: false,
                    missing: BTreeSet::new(),
                    never: false,
                });
                Operand::Vector(parts.collect())
            }
            Query::Negative(of) => self.each(of, Node::Negative)?,
            Query::AtLeast(least, of) => self.each(of, |node| Node::AtLeast(*least, node))?,
            Query::AtMost(most, of) => self.each(of, |node| Node::AtMost(*most, node))?,
            Query::Binary { operation, matching, sides } => {
                let (left, right) = (self.operand(&sides[0])?, self.operand(&sides[1])?);
                match (left, right) {
                    (Operand::Scalar(_), Operand::Scalar(_)) => unreachable!("numbers were computed when it was read"),
                    (Operand::Scalar(number), Operand::Vector(parts)) => {
                        let left = || Box::new(Node::Number(number));
                        each_of(parts, |node| operation.node(left(), node))
                    }
                    (Operand::Vector(parts), Operand::Scalar(number)) => {
                        let right = || Box::new(Node::Number(number));
                        each_of(parts, |node| operation.node(node, right()))
                    }
                    (Operand::Vector(left), Operand::Vector(right)) => {
                        let sides = [(left, &sides[0]), (right, &sides[1])];
                        Operand::Vector(self.matched(*operation, matching, sides)?)
                    }
                }
            }
            Query::Aggregate { aggregate, grouping, of } => match self.operand(of)? {
                Operand::Scalar(_) => Operand::Vector(Vec::new()),
                Operand::Vector(parts) => Operand::Vector(aggregated(*aggregate, grouping, parts)),
            },
        })
    }

    fn each(&mut self, of: &Query, node: impl Fn(Box<Node>) -> Node) -> Result<Operand, String> {
        Ok(match self.operand(of)? {
            Operand::Vector(parts) => each_of(parts, node),
            scalar @ Operand::Scalar(_) => scalar,
        })
    }

    /// Both sides of an operator, matched by their labels.
    fn matched(
        &mut self,
        operation: Operation,
        matching: &Grouping,
        sides: [(Vec<Part>, &Query); 2],
    ) -> Result<Vec<Part>, String> {
        let mut by_labels: BTreeMap<Labels, [Vec<Part>; 2]> = BTreeMap::new();
        let queries = [sides[0].1, sides[1].1];
        for (side, (parts, _)) in sides.into_iter().enumerate() {
            for part in parts {
                by_labels.entry(matching.of(&part.labels)).or_default()[side].push(part);
            }
        }
        let mut matched = Vec::new();
        for (labels, [left, right]) in by_labels {
            if left.len().saturating_mul(right.len()) > MOST_PAIRS {
                return Err(format!(
                    "it compares {} elements with {} others, which is more than leaktrend replays",
                    left.len(),
                    right.len()
                ));
            }
            match operation {
                Operation::And | Operation::Unless => self.kept(operation, left, right, queries, &mut matched),
                Operation::Or => either(left, right, &mut matched),
                Operation::Arithmetic(_) | Operation::Filter(_) | Operation::Truth(_) => {
                    matched.extend(self.one_to_one(operation, &labels, left, right, queries));
                }
            }
        }
        Ok(matched)
    }

    /// Arithmetic and comparisons: the element of the left side with that of the right one.
    fn one_to_one(
        &mut self,
        operation: Operation,
        labels: &Labels,
        left: Vec<Part>,
        right: Vec<Part>,
        queries: [&Query; 2],
    ) -> Option<Part> {
        let left = self.or_missing(left, queries[0]);
        let right = self.or_missing(right, queries[1]);
        self.note_clash(&right, "right", labels);
        let right = one_of(right);
        let pairs = left.into_iter().map(|left| {
            let owners = owners(&left, &right);
            Part {
                owners,
                labels: labels.clone(),
                node: operation.node(Box::new(left.node), Box::new(right.node.clone())),
                grouped: left.grouped || right.grouped,
                missing: left.missing.union(&right.missing).copied().collect(),
                never: left.never || right.never,
            }
        });
        let pairs: Vec<Part> = pairs.collect();
        self.note_clash(&pairs, "left", labels);
        Some(one_of(pairs)).filter(|part| !part.owners.is_empty() || !part.never)
    }

    /// `and` and `unless`: elements of the left side for which there is one on the right side, or none.
    fn kept(
        &mut self,
        operation: Operation,
        left: Vec<Part>,
        right: Vec<Part>,
        queries: [&Query; 2],
        kept: &mut Vec<Part>,
    ) {
        if operation == Operation::Unless && right.is_empty() {
            let missing = selections(queries[1]);
            kept.extend(
                left.into_iter().map(|part| Part { missing: part.missing.union(&missing).copied().collect(), ..part }),
            );
            return;
        }
        if operation == Operation::Unless && left.is_empty() {
            return;
        }
        // Where the left side has nothing, what is missing there is told by the right one.
        let told_by = if left.is_empty() { right.first().map(|part| part.labels.clone()) } else { None };
        let (left, right) = (self.or_missing(left, queries[0]), any_of(self.or_missing(right, queries[1])));
        for part in left {
            let owners = if part.owners.is_empty() { right.owners.clone() } else { part.owners };
            kept.push(Part {
                owners,
                labels: told_by.clone().unwrap_or(part.labels),
                node: operation.node(Box::new(part.node), Box::new(right.node.clone())),
                grouped: part.grouped || part.never && right.grouped,
                missing: part.missing.union(&right.missing).copied().collect(),
                never: part.never || operation == Operation::And && right.never,
            });
        }
    }

    /// What is there, or one element that never is: without those that never are where others can be.
    fn or_missing(&mut self, parts: Vec<Part>, query: &Query) -> Vec<Part> {
        if parts.is_empty() {
            let missing = selections(query);
            let select = missing.first().copied().unwrap_or_default();
            let node = place(&mut self.places, None, select, 0, None);
            return vec![Part {
                labels: Labels::new(),
                node,
                owners: Vec::new(),
                grouped: false,
                missing,
                never: true,
            }];
        }
        without_idle(parts)
    }

    fn note_clash(&mut self, parts: &[Part], side: &str, labels: &Labels) {
        if parts.len() > 1 {
            let all = parts.iter().map(|part| part.node.clone()).collect();
            let count = Box::new(Node::Aggregate(Aggregate::Count, all));
            let several = Node::Filter(CompareOperator::Greater, count, Box::new(Node::Number(1.0)));
            self.clashes.push((several, format!("on the {side} side several series have {}", labels_text(labels))));
        }
    }

    fn element(&self, part: Part) -> Element {
        let (condition, inputs) = self.projected(&part.node);
        Element {
            labels: shown(&part.labels),
            condition,
            inputs,
            owners: part.owners,
            grouped: part.grouped,
            missing: part.missing.into_iter().collect(),
        }
    }

    /// The condition with the selectors that it uses, and the series that these use.
    fn projected(&self, node: &Node) -> (Condition, Vec<Input>) {
        let mut projection = Projection {
            places: &self.places,
            numbers: BTreeMap::new(),
            selectors: Vec::new(),
            inputs: BTreeMap::new(),
        };
        let root = projection.node(node);
        let mut inputs: Vec<(Input, usize)> = projection.inputs.into_iter().collect();
        inputs.sort_by_key(|(_, number)| *number);
        let condition = Condition { selectors: projection.selectors, root };
        (condition, inputs.into_iter().map(|(input, _)| input).collect())
    }
}

/// Gives the selectors of a node numbers of their own.
struct Projection<'a> {
    places: &'a [(Input, Selector)],
    /// The new number of each place.
    numbers: BTreeMap<usize, usize>,
    selectors: Vec<Selector>,
    inputs: BTreeMap<Input, usize>,
}

impl Projection<'_> {
    fn node(&mut self, node: &Node) -> Node {
        let Node::Selector(place) = node else { return node.with_operands(&mut |operand| self.node(operand)) };
        if let Some(known) = self.numbers.get(place) {
            return Node::Selector(*known);
        }
        let (input, selector) = self.places[*place];
        let n_inputs = self.inputs.len();
        let input = *self.inputs.entry(input).or_insert(n_inputs);
        self.selectors.push(Selector { input, ..selector });
        self.numbers.insert(*place, self.selectors.len() - 1);
        Node::Selector(self.selectors.len() - 1)
    }
}

/// A selector of a series at a new place.
fn place(
    places: &mut Vec<(Input, Selector)>,
    series: Option<usize>,
    select: usize,
    offset_ms: i64,
    over: Option<(crate::criteria::alert_rule::Function, i64)>,
) -> Node {
    places.push((Input { series, select }, Selector { input: MISSING, offset_ms, over }));
    Node::Selector(places.len() - 1)
}

fn each_of(parts: Vec<Part>, node: impl Fn(Box<Node>) -> Node) -> Operand {
    Operand::Vector(parts.into_iter().map(|part| part.with(&node)).collect())
}

/// The elements of each group.
fn aggregated(aggregate: Aggregate, grouping: &Grouping, parts: Vec<Part>) -> Vec<Part> {
    let mut groups: BTreeMap<Labels, Vec<Part>> = BTreeMap::new();
    for part in parts {
        groups.entry(grouping.of(&part.labels)).or_default().push(part);
    }
    let group = |(labels, parts): (Labels, Vec<Part>)| {
        let parts = without_idle(parts);
        Part {
            owners: all_owners(&parts),
            missing: parts.iter().flat_map(|part| part.missing.iter().copied()).collect(),
            never: parts.iter().all(|part| part.never),
            node: Node::Aggregate(aggregate, parts.into_iter().map(|part| part.node).collect()),
            grouped: true,
            labels,
        }
    };
    groups.into_iter().map(group).collect()
}

/// `or`: the left side, and of the right one what has no match there.
fn either(left: Vec<Part>, right: Vec<Part>, matched: &mut Vec<Part>) {
    let mut right = right;
    let blocks = if left.is_empty() { None } else { Some(any_of(left.clone())) };
    for part in left {
        let same = right.iter().position(|other| other.labels == part.labels);
        let Some(same) = same.map(|index| right.swap_remove(index)) else {
            matched.push(part);
            continue;
        };
        let all = blocks.as_ref().expect("the left side has this part");
        let other = if all.node == part.node {
            same.node
        } else {
            Node::Unless(Box::new(same.node), Box::new(all.node.clone()))
        };
        matched.push(Part {
            owners: if part.grouped || same.grouped {
                merged(&part.owners, &same.owners)
            } else if part.owners.is_empty() {
                same.owners
            } else {
                part.owners
            },
            node: Node::Or(Box::new(part.node), Box::new(other)),
            labels: part.labels,
            grouped: part.grouped || same.grouped,
            missing: part.missing.union(&same.missing).copied().collect(),
            never: part.never && same.never,
        });
    }
    matched.extend(right.into_iter().map(|part| match &blocks {
        None => part,
        Some(all) => part.with(|node| Node::Unless(node, Box::new(all.node.clone()))),
    }));
}

/// One element of several of which one is there at a time.
fn one_of(mut parts: Vec<Part>) -> Part {
    if parts.len() == 1 {
        return parts.swap_remove(0);
    }
    Part { node: Node::OneOf(parts.iter().map(|part| part.node.clone()).collect()), ..together(&parts) }
}

/// Is there while one of several is.
fn any_of(mut parts: Vec<Part>) -> Part {
    if parts.len() == 1 {
        return parts.swap_remove(0);
    }
    let all = parts.iter().map(|part| part.node.clone()).collect();
    Part { node: Node::Aggregate(Aggregate::Count, all), ..together(&parts) }
}

/// What several elements have in common, but for the node.
fn together(parts: &[Part]) -> Part {
    Part {
        labels: parts.first().map(|part| part.labels.clone()).unwrap_or_default(),
        node: Node::Number(f64::NAN),
        owners: all_owners(parts),
        grouped: parts.iter().any(|part| part.grouped),
        missing: parts.iter().flat_map(|part| part.missing.iter().copied()).collect(),
        never: parts.iter().all(|part| part.never),
    }
}

/// Without those that never are there, where others can be.
fn without_idle(mut parts: Vec<Part>) -> Vec<Part> {
    if parts.iter().any(|part| !part.never) {
        parts.retain(|part| !part.never);
    }
    parts
}

/// The series that a pair is shown with.
fn owners(left: &Part, right: &Part) -> Vec<usize> {
    if left.grouped || right.grouped {
        merged(&left.owners, &right.owners)
    } else if left.owners.is_empty() {
        right.owners.clone()
    } else {
        left.owners.clone()
    }
}

fn all_owners(parts: &[Part]) -> Vec<usize> {
    let mut all: Vec<usize> = parts.iter().flat_map(|part| part.owners.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn merged(a: &[usize], b: &[usize]) -> Vec<usize> {
    let mut all = [a, b].concat();
    all.sort_unstable();
    all.dedup();
    all
}

/// The selections in an expression.
fn selections(query: &Query) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    query.each_select(&mut |select| {
        found.insert(select);
    });
    found
}

/// The labels that a server would show.
fn shown(labels: &Labels) -> Labels {
    labels.iter().filter(|(name, _)| !name.is_empty()).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// `{pod="a"}`.
pub(super) fn labels_text(labels: &Labels) -> String {
    let labels: Vec<String> = shown(labels).iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{{{}}}", labels.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::promql;
    use crate::rules::select::SourceMetric;

    /// Each element as `{labels} of owners: condition`, and what clashes. `m` has containers 1 and 2 of group a and 3 of
    /// b, `k` has 1 and 3; limits `l` are not judged.
    fn describe(expression: &str) -> String {
        let source = |metric: &str, s: &str, g: &str| Source {
            labels: Labels::from_iter([("s".to_owned(), s.to_owned()), ("g".to_owned(), g.to_owned())]),
            metric: SourceMetric::Named(metric.to_owned()),
        };
        let of = [("m", "1", "a"), ("m", "2", "a"), ("m", "3", "b"), ("k", "1", "a"), ("k", "3", "b"), ("l", "1", "a")];
        let sources = of.map(|(metric, s, g)| source(metric, s, g));
        let (query, selects) = promql::read(expression).unwrap();
        let judged = |index: usize| (index < 5).then_some(index);
        let expanded = expand(&query, &selects, &sources, &judged).unwrap();
        let line = |element: &Element| {
            let inputs: Vec<Option<usize>> = element.inputs.iter().map(|input| input.series).collect();
            let missing: Vec<String> = element.missing.iter().map(|select| selects[*select].to_string()).collect();
            let group = if element.grouped { " together" } else { "" };
            format!(
                "{} of {:?}{group}: {:?} over {inputs:?} without {missing:?}",
                labels_text(&element.labels),
                element.owners,
                element.condition.root
            )
        };
        let clashes = expanded.clashes.iter().map(|clash| clash.what.clone());
        let lines: Vec<String> = expanded.elements.iter().map(line).chain(clashes).collect();
        format!("{expression}\n{}\n", lines.join("\n"))
    }

    #[test]
    fn expressions_are_expanded_over_series() {
        let expressions = [
            "m > 5",
            "m / k",
            "m / on (g) k",
            "k and on (g) m > 5",
            "m unless k",
            "m or k",
            "(m > 5) or on (g) k",
            "(m / k) and on (g) l",
            "sum by (g) (m) / sum by (g) (l)",
            "count(m) > 2",
            "l > 5",
            "-clamp_min(max without (s) (m - k), 3)",
        ];
        insta::assert_snapshot!(expressions.map(describe).join("\n"));
    }

    #[test]
    fn elements_have_labels_of_their_own() {
        for expression in
            ["(m / k) and on (g) l", "(m / k) unless on () l", "l and on () (m / k)", "(m + k) or on (g) (l - k)"]
        {
            let text = describe(expression);
            let mut labels: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split(" of ").next()).collect();
            let n = labels.len();
            labels.sort_unstable();
            labels.dedup();
            assert_eq!(labels.len(), n, "{text}");
        }
    }
}
