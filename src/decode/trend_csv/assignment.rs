//! Tells containers apart that have no name: by their place in a tick, and by value where that is not enough.

use std::ops::Range;

use super::Rows;
use super::snapshots::Ticks;
use crate::account::NameWarning;

/// Cost of a container that has no row where it had one, or the other way around, or was recreated: as a value that
/// changes by half.
const ABSENT_COST: f64 = 0.4;
/// Cost of a container that was never seen and is not the newest: docker lists new ones first.
const INSERTED_COST: f64 = 4.0;
/// Largest cost of a value that differs from the one before.
const MAX_VALUE_COST: f64 = 3.0;
/// Matching more rows of one snapshot than this takes too long; so many are told apart by position alone.
const MAX_MATCHED: usize = 1000;
/// Matching with containers that are not in the tick before is left out above this product of rows and containers.
const MAX_CELLS: usize = 100_000;
/// By how much putting a container back must make the values more continuous.
const LATE_COST: f64 = 1.5;
/// Two assignments are told apart when their costs differ by more.
const CLEAR_MARGIN: f64 = 0.1;

/// Which row is of which container.
#[derive(Debug)]
pub(super) struct Assignment {
    /// Of each row; empty where all are of one.
    tracks: Vec<u32>,
    pub(super) n_tracks: usize,
    /// What is to be said about it.
    pub(super) notes: Vec<NameWarning>,
}

impl Assignment {
    pub(super) fn of(rows: &Rows, ticks: &Ticks<'_>) -> Assignment {
        let (fewest, most) = (ticks.sizes.fewest, ticks.sizes.most);
        if most <= 1 {
            Assignment { tracks: Vec::new(), n_tracks: most, notes: Vec::new() }
        } else if fewest == most {
            Assignment::by_position(rows, ticks, most)
        } else if most <= MAX_MATCHED {
            Assignment::matched(rows, ticks, fewest, most)
        } else {
            let tracks = ticks.iter().flat_map(|tick| 0..tick.len() as u32).collect();
            Assignment { tracks, n_tracks: most, notes: vec![NameWarning::ByPosition { most }] }
        }
    }

    /// The containers that have a value in some of the rows.
    pub(super) fn tracks_within(&self, rows: &Rows, within: Range<usize>) -> Vec<usize> {
        let mut is_seen = vec![false; self.n_tracks];
        let mut n_unseen = self.n_tracks;
        for row in within {
            if n_unseen == 0 {
                break;
            }
            let track = self.track(row);
            if !is_seen[track] && !rows.used_bytes[row].is_nan() {
                is_seen[track] = true;
                n_unseen -= 1;
            }
        }
        (0..self.n_tracks).filter(|track| is_seen[*track]).collect()
    }

    /// The container of a row.
    pub(super) fn track(&self, row: usize) -> usize {
        self.tracks.get(row).map_or(0, |track| *track as usize)
    }

    /// Where all ticks have as many rows.
    ///
    /// A container that starts while `docker stats` runs is listed last, and one that was recreated stands first from
    /// then on: where the values say so, they are put back.
    fn by_position(rows: &Rows, ticks: &Ticks<'_>, n_tracks: usize) -> Assignment {
        let mut assignment = vec![0; rows.len()];
        // In docker's order; what stays of a container is its number.
        let mut tracks = vec![Track { level: None, present: true }; n_tracks];
        let mut numbers: Vec<u32> = (0..n_tracks as u32).collect();
        let (mut late, mut anew) = (Displaced::default(), Displaced::default());
        for tick in ticks.iter() {
            let values = &rows.used_bytes[tick.clone()];
            let moved = moved_track(&tracks, values);
            let time_ms = rows.time_ms[tick.start];
            match moved {
                Some(Moved::Last(_)) => late.note(time_ms),
                Some(Moved::First(track)) => {
                    anew.note(time_ms);
                    tracks[..=track].rotate_right(1);
                    numbers[..=track].rotate_right(1);
                }
                None => {}
            }
            for (place, value) in values.iter().enumerate() {
                let track = match moved {
                    Some(Moved::Last(late)) if place + 1 == values.len() => late,
                    Some(Moved::Last(late)) if late <= place => place + 1,
                    _ => place,
                };
                tracks[track].see(*value);
                assignment[tick.start + place] = numbers[track];
            }
        }
        let notes = [late.warning(false), anew.warning(true)];
        Assignment { tracks: assignment, n_tracks, notes: notes.into_iter().flatten().collect() }
    }

    /// Where the number of rows changes: matches the rows of each tick to containers.
    fn matched(rows: &Rows, ticks: &Ticks<'_>, fewest: usize, most: usize) -> Assignment {
        let mut tracks: Vec<Track> = Vec::new();
        // In docker's order; new ones come in, so that an index into `tracks` is what stays.
        let mut order: Vec<usize> = Vec::new();
        let mut assignment = vec![0; rows.len()];
        let mut n_unclear = 0;
        let mut first_unclear = None;
        for tick in ticks.iter() {
            let present: Vec<usize> = order.iter().copied().filter(|track| tracks[*track].present).collect();
            let values = &rows.used_bytes[tick.clone()];
            let chosen: Vec<Option<usize>> = if present.len() == values.len() {
                present.iter().copied().map(Some).collect()
            } else {
                let candidates = if order.len() * values.len() <= MAX_CELLS { &order } else { &present };
                let known: Vec<Track> = candidates.iter().map(|track| tracks[*track]).collect();
                let (chosen, margin) = align(&known, values);
                if margin <= CLEAR_MARGIN {
                    n_unclear += 1;
                    first_unclear = first_unclear.or(Some(rows.time_ms[tick.start]));
                }
                chosen.into_iter().map(|place| place.map(|place| candidates[place])).collect()
            };
            for track in &mut tracks {
                track.present = false;
            }
            let mut place = 0;
            for (offset, track) in chosen.into_iter().enumerate() {
                let track = if let Some(track) = track {
                    place = order.iter().position(|other| *other == track).map_or(0, |place| place + 1);
                    track
                } else {
                    tracks.push(Track { level: None, present: false });
                    order.insert(place, tracks.len() - 1);
                    place += 1;
                    tracks.len() - 1
                };
                tracks[track].present = true;
                tracks[track].see(values[offset]);
                assignment[tick.start + offset] = track as u32;
            }
        }
        let mut rank = vec![0; tracks.len()];
        for (place, &track) in order.iter().enumerate() {
            rank[track] = place as u32;
        }
        for track in &mut assignment {
            *track = rank[*track as usize];
        }

        let mut notes = vec![NameWarning::Matched { fewest, most }];
        if let Some(first_ms) = first_unclear {
            notes.push(NameWarning::Unclear { n: n_unclear, first_ms });
        }
        Assignment { tracks: assignment, n_tracks: tracks.len(), notes }
    }
}

/// A container that is told apart by order and value.
#[derive(Debug, Clone, Copy)]
struct Track {
    /// Its last value, in bytes.
    level: Option<f64>,
    /// Whether it has a row in the tick before.
    present: bool,
}

impl Track {
    /// Takes a value; NaN is a gap.
    fn see(&mut self, value: f64) {
        if !value.is_nan() {
            self.level = Some(value);
        }
    }
}

/// Costs of the best and of the second best way to a cell, and the step of the best.
#[derive(Debug, Clone, Copy)]
struct Cell {
    best: f64,
    second: f64,
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Start,
    Match,
    Absent,
    New,
}

/// Matches rows to tracks without changing the order of either: the track of each row, `None` for a new container,
/// and by how much the second best matching is worse.
///
/// Takes time and memory of the product of both numbers.
fn align(tracks: &[Track], rows: &[f64]) -> (Vec<Option<usize>>, f64) {
    let width = rows.len() + 1;
    let mut cells =
        vec![Cell { best: f64::INFINITY, second: f64::INFINITY, step: Step::Start }; (tracks.len() + 1) * width];
    cells[0].best = 0.0;
    for i in 0..=tracks.len() {
        for j in 0..=rows.len() {
            if i == 0 && j == 0 {
                continue;
            }
            let mut cell = Cell { best: f64::INFINITY, second: f64::INFINITY, step: Step::Start };
            let mut offer = |from: Cell, cost: f64, step: Step| {
                for total in [from.best + cost, from.second + cost] {
                    if total < cell.best {
                        cell = Cell { best: total, second: cell.best, step };
                    } else if total < cell.second {
                        cell.second = total;
                    }
                }
            };
            if 0 < i && 0 < j {
                let presence = if tracks[i - 1].present { 0.0 } else { ABSENT_COST / 2.0 };
                offer(cells[(i - 1) * width + j - 1], value_cost(tracks[i - 1], rows[j - 1]) + presence, Step::Match);
            }
            if 0 < i {
                let cost = if tracks[i - 1].present { ABSENT_COST } else { 0.0 };
                offer(cells[(i - 1) * width + j], cost, Step::Absent);
            }
            if 0 < j {
                let cost = if i == 0 { ABSENT_COST } else { INSERTED_COST };
                offer(cells[i * width + j - 1], cost, Step::New);
            }
            cells[i * width + j] = cell;
        }
    }
    let last = cells[cells.len() - 1];
    let mut chosen = vec![None; rows.len()];
    let (mut i, mut j) = (tracks.len(), rows.len());
    while 0 < i || 0 < j {
        match cells[i * width + j].step {
            Step::Match => {
                i -= 1;
                j -= 1;
                chosen[j] = Some(i);
            }
            Step::Absent => i -= 1,
            Step::New => j -= 1,
            Step::Start => break,
        }
    }
    (chosen, last.second - last.best)
}

/// Readings in which a container stands in another place.
#[derive(Debug, Default)]
struct Displaced {
    count: u64,
    first_ms: Option<i64>,
}

impl Displaced {
    fn note(&mut self, time_ms: i64) {
        self.count += 1;
        self.first_ms.get_or_insert(time_ms);
    }

    fn warning(&self, recreated: bool) -> Option<NameWarning> {
        Some(NameWarning::Moved { n: self.count, first_ms: self.first_ms?, recreated })
    }
}

/// The track whose row stands elsewhere than in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moved {
    /// Last, for this tick.
    Last(usize),
    /// First, from this tick on.
    First(usize),
}

/// The track that stands elsewhere; `None` where the rows stand in order.
fn moved_track(tracks: &[Track], rows: &[f64]) -> Option<Moved> {
    if tracks.len() < 2 {
        return None;
    }
    let in_place: f64 = tracks.iter().zip(rows).map(|(track, row)| value_cost(*track, *row)).sum();
    if in_place <= LATE_COST {
        return None;
    }
    let mut best = (in_place - LATE_COST, None);
    // From the last track back: those behind the late one stand one place further to the front.
    let mut before: f64 = in_place - value_cost(tracks[tracks.len() - 1], rows[rows.len() - 1]);
    let mut behind = 0.0;
    for track in (0..tracks.len() - 1).rev() {
        before -= value_cost(tracks[track], rows[track]);
        behind += value_cost(tracks[track + 1], rows[track]);
        if before + behind < best.0 {
            best = (before + behind, Some(Moved::Last(track)));
        }
    }
    // From the first track on: those before the new one stand one place further back. What it uses now says nothing.
    let (mut before, mut behind) = (0.0, in_place - value_cost(tracks[0], rows[0]));
    for track in 1..tracks.len() {
        before += value_cost(tracks[track - 1], rows[track]);
        behind -= value_cost(tracks[track], rows[track]);
        if before + behind + ABSENT_COST < best.0 {
            best = (before + behind + ABSENT_COST, Some(Moved::First(track)));
        }
    }
    best.1
}

/// How badly a row continues a track: the logarithm of the ratio of the values.
fn value_cost(track: Track, value: f64) -> f64 {
    match track.level {
        Some(level) if !value.is_nan() => ((value + 1.0) / (level + 1.0)).ln().abs().min(MAX_VALUE_COST),
        _ => CLEAR_MARGIN,
    }
}
