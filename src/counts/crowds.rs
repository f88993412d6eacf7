//! Places of paths with more different parts than can be told apart: those of `/blog/SLUG`. A log may name a million of
//! them; once a place is known, each costs a look-up and no room.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hasher};

use super::route::{RARE, segments};
use super::tally::{MANY_CHILDREN, MAX_KINDS, MOST, RARELY, each_part, is_placeholder};

/// How often paths were seen is counted in so many cells; two paths of one cell count as one.
const CELLS: usize = 1 << 16;
/// Counts begin anew after so many requests: a cell then holds 4 of different paths on average, far below `RARELY`.
const COUNTED: u32 = 4 * CELLS as u32;
/// A path with a smaller share of these requests is none of the busiest, of which `MAX_KINDS` are told apart.
const SHARE: u32 = 2 * MAX_KINDS as u32;

/// Whether parts of a place can still become names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowd {
    /// Its parts were rare: one that is seen often is a name.
    OfRare,
    /// Too many of its parts are seen often: none is a name.
    OfMany,
}

/// The crowded places of a log. What they keep is bounded: `MOST` places, and two bytes for each cell.
#[derive(Debug, Default)]
pub(super) struct Crowds {
    /// By method and all that stands before the part.
    places: HashMap<String, Crowd>,
    /// How often paths at places of rare parts were seen, by hash; empty before the first.
    seen: Vec<u16>,
    n_seen: u32,
}

impl Crowds {
    /// Learns from kinds that lost parts to `RARE`: before and after.
    pub(super) fn learn(&mut self, names: &BTreeMap<String, String>, crowd: Crowd) {
        let mut replaced: HashMap<&str, usize> = HashMap::new();
        for (before, after) in names {
            let mut parts = segments(before.split_once('/').map_or("", |(_, path)| path));
            each_part(after, |place, part| {
                if parts.next() != Some(part) {
                    *replaced.entry(place).or_default() += 1;
                }
            });
        }
        replaced.retain(|_, n| *n > MANY_CHILDREN);
        if self.places.len() + replaced.len() > MOST {
            self.places.clear();
        }
        self.places.extend(replaced.into_keys().map(|place| (place.to_owned(), crowd)));
    }

    /// The name of a kind that is new, without its parts at crowded places, and whether it stays so for this path. `None`
    /// where it has none, and where the path is one of the busiest.
    pub(super) fn name(&mut self, target: &[u8], name: &str) -> Option<(String, bool)> {
        if self.places.is_empty() {
            return None;
        }
        let (merged, crowd) = self.merged(name, false)?;
        if crowd == Crowd::OfRare && self.is_seen_often(target) {
            return self.merged(name, true).map(|(merged, _)| (merged, true));
        }
        Some((merged, crowd == Crowd::OfMany))
    }

    /// A name without its parts at crowded places, and whether any of these is one of rare parts.
    fn merged(&self, name: &str, of_many_only: bool) -> Option<(String, Crowd)> {
        let mut merged = name[..name.find('/')?].to_owned();
        let mut found = None;
        each_part(name, |_, part| {
            let crowd = self.places.get(&merged).copied().filter(|_| !is_placeholder(part));
            let crowd = crowd.filter(|crowd| !of_many_only || *crowd == Crowd::OfMany);
            found = if found == Some(Crowd::OfRare) { found } else { crowd.or(found) };
            merged.push('/');
            merged.push_str(if crowd.is_some() { RARE } else { part });
        });
        Some((merged, found?))
    }

    /// Counts a path; whether it was seen often enough to be one of the busiest.
    fn is_seen_often(&mut self, target: &[u8]) -> bool {
        if self.n_seen.is_multiple_of(COUNTED) {
            self.seen.clear();
            self.seen.resize(CELLS, 0);
            self.n_seen = 0;
        }
        self.n_seen += 1;
        // Of fixed keys: the same log gives the same kinds.
        let mut hasher = DefaultHasher::new();
        hasher.write(target);
        let cell = &mut self.seen[hasher.finish() as usize % CELLS];
        *cell = cell.saturating_add(1);
        u64::from(*cell) >= RARELY && u32::from(*cell) * SHARE >= self.n_seen
    }
}
