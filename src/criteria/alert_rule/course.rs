//! How an expression goes through time: piece by piece, from one reading that comes or goes to the next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::aggregate::Tally;
use super::condition::{Node, Selector};
use super::piece::Piece;
use super::readings::{Release, RuleReadings};
use super::window::{Element, Function, Range, Reading};

/// An expression with what its selectors give now.
pub(super) struct Course<'a> {
    tracks: Vec<Track<'a>>,
    root: Node,
    release: Release,
}

impl<'a> Course<'a> {
    /// `selectors`: those that the expression refers to, over the inputs that they name.
    pub(super) fn new(root: &Node, selectors: &[Selector], inputs: &[Option<&'a RuleReadings<'a>>]) -> Course<'a> {
        let release = inputs.iter().flatten().next().map_or(Release::Prometheus3, |input| input.lookback.release);
        let mut builder = Builder { selectors, inputs, release, tracks: Vec::new(), track_of: Vec::new() };
        let root = builder.node(root);
        Course { tracks: builder.tracks, root, release }
    }

    /// When it may next change, in milliseconds; `i64::MAX` when it does not.
    pub(super) fn next_ms(&self) -> i64 {
        self.tracks.iter().map(|track| track.next.start_ms).min().unwrap_or(i64::MAX)
    }

    /// Goes on to what begins at that moment.
    pub(super) fn advance(&mut self, start_ms: i64) {
        for track in &mut self.tracks {
            if track.next.start_ms == start_ms {
                track.advance();
            }
        }
    }

    /// The expression, with selectors and aggregates as tracks.
    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    /// What it gives now.
    pub(super) fn piece(&self) -> Piece<'_> {
        Piece { tracks: &self.tracks, release: self.release }
    }
}

/// Gives selectors their tracks, and makes tracks of aggregates whose members change with readings only.
struct Builder<'b, 'a> {
    selectors: &'b [Selector],
    inputs: &'b [Option<&'a RuleReadings<'a>>],
    release: Release,
    tracks: Vec<Track<'a>>,
    /// Which selector each track is of.
    track_of: Vec<Option<Selector>>,
}

impl<'a> Builder<'_, 'a> {
    fn node(&mut self, node: &Node) -> Node {
        match node {
            Node::Selector(number) => {
                let selector = self.selectors[*number];
                let known = self.track_of.iter().position(|track| *track == Some(selector));
                Node::Selector(known.unwrap_or_else(|| self.track(Some(selector), Track::new(selector, self.inputs))))
            }
            Node::Aggregate(aggregate, members) if !members.iter().any(|member| self.moves(member)) => {
                let members =
                    members.iter().map(|member| Course::new(member, self.selectors, self.inputs)).map(Member::new);
                let group = Group::new(members.collect(), |n| Tally::new(*aggregate, self.release, n));
                let exists = node.any_input(self.selectors, self.inputs);
                Node::Selector(self.track(None, Track::started(exists, Pieces::Group(group))))
            }
            node => node.with_operands(&mut |operand| self.node(operand)),
        }
    }

    fn track(&mut self, of: Option<Selector>, track: Track<'a>) -> usize {
        self.tracks.push(track);
        self.track_of.push(of);
        self.tracks.len() - 1
    }

    fn moves(&self, node: &Node) -> bool {
        node.any_selector(&|number| self.selectors[number].over.is_some_and(|(function, _)| function.moves()))
    }
}

impl Node {
    fn any_input(&self, selectors: &[Selector], inputs: &[Option<&RuleReadings<'_>>]) -> bool {
        self.any_selector(&|number| inputs.get(selectors[number].input).is_some_and(Option::is_some))
    }
}

/// What a selector or an aggregate gives over time, made piece by piece: all pieces would take far more memory than the
/// readings.
pub(super) struct Track<'a> {
    /// Whether there is a series to select.
    pub(super) exists: bool,
    source: Pieces<'a>,
    /// What it gives now.
    pub(super) now: Element,
    /// Whether the readings that it needs are there now.
    pub(super) evaluable: bool,
    /// What it gives next; `END` when it stays as it is.
    next: Part,
}

/// What is given from a moment on, until the next part begins.
struct Part {
    start_ms: i64,
    result: Element,
    evaluable: bool,
}

impl Part {
    const END: Part = Part { start_ms: i64::MAX, result: Element::Absent, evaluable: false };

    fn of_readings(start_ms: i64, result: Element) -> Part {
        let evaluable = result != Element::Absent;
        Part { start_ms, result, evaluable }
    }
}

impl<'a> Track<'a> {
    fn new(selector: Selector, inputs: &[Option<&'a RuleReadings<'a>>]) -> Track<'a> {
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
                release: readings.lookback.release,
                held: (0, 0),
            }),
        };
        Track::started(readings.is_some(), source)
    }

    fn started(exists: bool, source: Pieces<'a>) -> Track<'a> {
        let mut track = Track { exists, source, now: Element::Absent, evaluable: false, next: Part::END };
        track.next = track.source.next().unwrap_or(Part::END);
        track
    }

    /// Goes on to its next piece.
    fn advance(&mut self) {
        let after = self.source.next().unwrap_or(Part::END);
        let part = std::mem::replace(&mut self.next, after);
        (self.now, self.evaluable) = (part.result, part.evaluable);
    }

    /// The readings in its ranges.
    pub(super) fn readings(&self) -> &[Reading] {
        match &self.source {
            Pieces::Ranges(ranges) => &ranges.values,
            Pieces::None | Pieces::Newest(_) | Pieces::Group(_) => &[],
        }
    }
}

/// Pieces in time order; each lasts until the next begins, and before the first there is nothing.
enum Pieces<'a> {
    None,
    Newest(Newest<'a>),
    Ranges(Ranges),
    Group(Group<'a>),
}

impl Iterator for Pieces<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        match self {
            Pieces::None => None,
            Pieces::Newest(newest) => newest.next(),
            Pieces::Ranges(ranges) => ranges.next(),
            Pieces::Group(group) => group.next(),
        }
    }
}

/// What an instant selector returns at each moment: the newest reading, while it is young enough.
struct Newest<'a> {
    readings: &'a RuleReadings<'a>,
    offset_ms: i64,
    /// The reading that comes next.
    index: usize,
    /// When the one before is too old, where that is before the next.
    ends: Option<i64>,
}

impl Newest<'_> {
    fn next(&mut self) -> Option<Part> {
        if let Some(start_ms) = self.ends.take() {
            return Some(Part::of_readings(start_ms, Element::Absent));
        }
        let (time_ms, value) = self.readings.points.get(self.index)?;
        self.index += 1;
        if let Some(value) = value {
            let mut too_old_ms = time_ms + self.readings.reach_ms;
            // Readings that say the same go on as one.
            let next = loop {
                match self.readings.points.get(self.index) {
                    Some((next_ms, Some(next))) if next_ms <= too_old_ms && next.to_bits() == value.to_bits() => {
                        too_old_ms = next_ms + self.readings.reach_ms;
                        self.index += 1;
                    }
                    next => break next,
                }
            };
            if next.is_none_or(|next| too_old_ms < next.0) {
                self.ends = Some(too_old_ms + self.offset_ms);
            }
        }
        let result = value.map_or(Element::Absent, Element::Constant);
        Some(Part::of_readings(time_ms + self.offset_ms, result))
    }
}

/// What a function over a range returns at each moment.
struct Ranges {
    values: Vec<Reading>,
    function: Function,
    range: Range,
    reach_ms: i64,
    release: Release,
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
        let result = self.function.of(&self.values, (from, to), self.range, self.release, end_ms);
        Some(Part::of_readings(start_ms, result))
    }
}

/// An aggregate over expressions each of which changes at its own moments.
struct Group<'a> {
    members: Vec<Member<'a>>,
    /// When each member changes next.
    queue: BinaryHeap<Reverse<(i64, usize)>>,
    tally: Tally,
    n_evaluable: usize,
}

struct Member<'a> {
    course: Course<'a>,
    evaluable: bool,
}

impl<'a> Member<'a> {
    fn new(course: Course<'a>) -> Member<'a> {
        Member { course, evaluable: false }
    }
}

impl<'a> Group<'a> {
    fn new(members: Vec<Member<'a>>, tally: impl Fn(usize) -> Tally) -> Group<'a> {
        let changes = members.iter().enumerate().map(|(index, member)| (member.course.next_ms(), index));
        let queue = changes.filter(|(next_ms, _)| *next_ms < i64::MAX).map(Reverse).collect();
        Group { tally: tally(members.len()), members, queue, n_evaluable: 0 }
    }

    fn next(&mut self) -> Option<Part> {
        let &Reverse((start_ms, _)) = self.queue.peek()?;
        while let Some(mut first) = self.queue.peek_mut()
            && first.0.0 == start_ms
        {
            let index = first.0.1;
            let Member { course, evaluable } = &mut self.members[index];
            course.advance(start_ms);
            let piece = course.piece();
            self.tally.set(index, piece.value(course.root(), start_ms));
            let before = std::mem::replace(evaluable, piece.evaluable(course.root()));
            self.n_evaluable = self.n_evaluable + usize::from(*evaluable) - usize::from(before);
            match course.next_ms() {
                i64::MAX => drop(PeekMut::pop(first)),
                next_ms => first.0.0 = next_ms,
            }
        }
        let result = self.tally.result().map_or(Element::Absent, Element::Constant);
        Some(Part { start_ms, result, evaluable: self.n_evaluable > 0 })
    }
}
