//! Puts the series of all inputs together and gives each its name.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::{exports, order};
use crate::account::{Format, Input, NameWarning};
use crate::decode::{Evidence, Part, SeriesSamples};
use crate::open::Source;
use crate::series::Marks;

/// A series as one sequence of files gave it.
struct Piece {
    format: Format,
    series: SeriesSamples,
    ends: Option<(Evidence, Evidence)>,
    /// The time of its first and its last sample, in milliseconds; `None` without samples, and until it is needed.
    span_ms: Option<(i64, i64)>,
}

impl Piece {
    fn new(format: Format, series: SeriesSamples, ends: Option<(Evidence, Evidence)>) -> Piece {
        Piece { format, series, ends, span_ms: None }
    }

    /// Whether this and the other are of one thing, apart from their times.
    fn is_of(&self, other: &Piece) -> bool {
        let (a, b) = (&self.series.info, &other.series.info);
        let is_same = match self.format {
            // The container label of a series without one is its name, which is equal here.
            Format::Prometheus => exports::identity(&a.labels) == exports::identity(&b.labels),
            _ => a.labels == b.labels,
        };
        self.format == other.format && a.metric == b.metric && a.sampling == b.sampling && is_same
    }

    /// Whether the other goes on where this one ends; answers of one Prometheus may share the point between them.
    fn goes_on_with(&self, later: &Piece) -> bool {
        let (Some((_, end_ms)), Some((start_ms, _))) = (self.span_ms, later.span_ms) else { return true };
        let at = |piece: &Piece, time_ms: i64| {
            let samples = &piece.series.samples;
            samples.time_ms.iter().position(|time| *time == time_ms).map(|index| samples.used_bytes[index])
        };
        if self.format.is_typed_table() {
            return self.agrees_with(later);
        }
        let may_share = self.format == Format::Prometheus && end_ms == start_ms;
        end_ms < start_ms || may_share && at(self, end_ms) == at(later, end_ms)
    }

    /// Whether no time has one value here and another there. Both are in order of time, as rows of tables are once they
    /// were read.
    fn agrees_with(&self, other: &Piece) -> bool {
        let (a, b) = (&self.series.samples, &other.series.samples);
        let (mut at, mut of_other) = (0, 0);
        while at < a.len() && of_other < b.len() {
            match a.time_ms[at].cmp(&b.time_ms[of_other]) {
                Ordering::Less => at += 1,
                Ordering::Greater => of_other += 1,
                Ordering::Equal if a.used_bytes[at] != b.used_bytes[of_other] => return false,
                Ordering::Equal => (at, of_other) = (at + 1, of_other + 1),
            }
        }
        true
    }

    /// Adds the samples of a later time; those of a table may lie between.
    fn append(&mut self, later: Piece) {
        let Piece { mut series, ends, span_ms, .. } = later;
        if series.info.limit.is_some() {
            self.series.info.limit = series.info.limit;
        }
        self.ends = match (self.ends.take(), ends) {
            (Some((first, last)), Some((later_first, later_last))) => {
                let marks = last.marks_before(&later_first);
                let times = &series.samples.time_ms;
                if let Some(index) = (0..times.len()).min_by_key(|index| times[*index]) {
                    let bits = &mut series.samples.marks[index];
                    *bits = Marks::from_bits(*bits).with(marks).bits();
                }
                Some((first, later_last))
            }
            (ends, later_ends) => ends.or(later_ends),
        };
        self.span_ms = match (self.span_ms, span_ms) {
            (Some((start_ms, end_ms)), Some((_, later_ms))) => Some((start_ms, end_ms.max(later_ms))),
            (span_ms, later) => span_ms.or(later),
        };
        self.series.samples.append(series.samples);
        if self.format.is_typed_table() {
            self.series.samples = std::mem::take(&mut self.series.samples).in_time_order();
        }
        for input in series.inputs {
            if !self.series.inputs.contains(&input) {
                self.series.inputs.push(input);
            }
        }
    }
}

/// Puts the series of all inputs together: the same series of times that do not overlap become one. Gives them, and the
/// series of exports that are evidence beside them.
pub(super) fn merge(
    parts: Vec<Part>,
    sources: &[Source],
    inputs: &mut [Input],
) -> (Vec<SeriesSamples>, Vec<SeriesSamples>) {
    let mut exported = Vec::new();
    let mut pieces: Vec<Piece> = Vec::new();
    for Part { format, parsed, .. } in parts {
        let ends = parsed.ends.into_iter().chain(std::iter::repeat(None));
        for (mut series, ends) in parsed.series.into_iter().zip(ends) {
            series.inputs.retain(|index| inputs[*index].unusable.is_none());
            if series.inputs.is_empty() && !series.samples.is_empty() {
                continue;
            }
            if format == Format::Prometheus {
                exported.push(series);
            } else {
                pieces.push(Piece::new(format, series, ends));
            }
        }
    }
    let (ends, witnesses) = exports::settle(&mut exported, inputs);
    pieces.extend(exported.into_iter().zip(ends).map(|(series, ends)| Piece::new(Format::Prometheus, series, ends)));
    by_first_input(&mut pieces);

    let mut taken: HashSet<String> = HashSet::new();
    let mut merged: Vec<SeriesSamples> = Vec::new();
    let mut renamed: BTreeMap<usize, Vec<(String, String)>> = BTreeMap::new();
    for Piece { format, mut series, .. } in joined_by_name(pieces) {
        if taken.contains(&series.info.id) {
            let id = other_id(&series, sources, &taken);
            if format == Format::TrendCsv {
                series.info.labels.insert("container".to_owned(), id.clone());
            }
            let old = std::mem::replace(&mut series.info.id, id.clone());
            if let Some(input) = series.inputs.first() {
                renamed.entry(*input).or_default().push((old, id));
            }
        }
        taken.insert(series.info.id.clone());
        merged.push(series);
    }
    for (input, names) in renamed {
        let more = names.len() - 1;
        if let Some((before, now)) = names.into_iter().next() {
            inputs[input].warn(NameWarning::Renamed { before, now, more });
        }
    }
    (merged, witnesses)
}

/// Series stand in the order of their inputs, and within an input in that of their first appearance.
fn by_first_input(pieces: &mut [Piece]) {
    pieces.sort_by_key(|piece| piece.series.inputs.first().copied().unwrap_or(usize::MAX));
}

/// The series that all pieces make, in order of their first appearance. Mostly no two have one name: then nothing is
/// copied or moved, which counts among 100,000.
fn joined_by_name(pieces: Vec<Piece>) -> Vec<Piece> {
    let names: HashSet<&str> = pieces.iter().map(|piece| piece.series.info.id.as_str()).collect();
    if names.len() == pieces.len() {
        return pieces;
    }
    groups(pieces).into_iter().flat_map(joined).collect()
}

/// Pieces that may be of one series, in order of their first appearance: those of one name.
fn groups(pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut groups: Vec<Vec<Piece>> = Vec::new();
    let mut by_id: HashMap<String, usize> = HashMap::new();
    for piece in pieces {
        let next = groups.len();
        let group = *by_id.entry(piece.series.info.id.clone()).or_insert(next);
        if group == next {
            groups.push(vec![piece]);
        } else {
            groups[group].push(piece);
        }
    }
    groups
}

/// The series that pieces of one name make, by time: as few as can be.
fn joined(mut pieces: Vec<Piece>) -> Vec<Piece> {
    if pieces.len() == 1 {
        return pieces;
    }
    let first = pieces[0].series.inputs.clone();
    for piece in &mut pieces {
        let (first_ms, last_ms) = order::ends(&piece.series.samples.time_ms);
        piece.span_ms = first_ms.zip(last_ms);
    }
    pieces.sort_by_key(|piece| piece.span_ms);
    let mut series: Vec<Piece> = Vec::new();
    for piece in pieces {
        match series.iter_mut().find(|series| series.is_of(&piece) && series.goes_on_with(&piece)) {
            Some(series) => series.append(piece),
            None => series.push(piece),
        }
    }
    // The name stays with the input that was given first.
    series.sort_by_key(|piece| !piece.series.inputs.iter().any(|input| first.contains(input)));
    series
}

/// A name for a series whose id is taken: with its file, or a number.
fn other_id(series: &SeriesSamples, sources: &[Source], taken: &HashSet<String>) -> String {
    let file = series.inputs.first().map(|index| match sources[*index].path() {
        None => "stdin".to_owned(),
        Some(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    });
    let with_file = file.map(|file| format!("{} ({file})", series.info.id));
    let numbered = (2..).map(|number| format!("{} ({number})", series.info.id));
    with_file.into_iter().chain(numbered).find(|id| !taken.contains(id)).expect("there are endless numbers")
}
