//! How many requests of each kind came in each bin of time, in bounded memory.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::bins::Bins;
use super::crowds::{Crowd, Crowds};
use super::route::{self, RARE, Routes};

/// The busiest kinds are told apart, the others together.
pub const MAX_KINDS: usize = 200;
/// A segment that is seen less often is not shown: it may be anything.
pub const RARELY: u64 = 20;
/// So many kinds are counted apart while a log is read: at most 8 KiB each.
pub(super) const MOST: usize = 4096;
/// Where a path has more different parts than this in one place, none of them is a name.
pub(super) const MANY_CHILDREN: usize = 64;
/// Paths whose kind is remembered.
const REMEMBERED: usize = 1 << 16;
/// Longer paths are not remembered, in bytes.
const REMEMBERED_LENGTH: usize = 256;

const SECOND_MS: i64 = 1000;

/// What the name of a kind without a path is.
const MALFORMED: &str = "malformed requests";
/// What the kinds together are that are not told apart.
pub(super) const OTHERS: &str = "all other requests";

/// Requests by kind and bin of time, and what else a log says of them.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) bins: Bins,
    routes: Routes,
    /// Whether the user's routes hold numbers.
    keeps_numbers: bool,
    /// Room for a method and a path.
    key: Vec<u8>,
    /// Kinds by method and path as they stand in a log.
    remembered: HashMap<Box<[u8]>, u32>,
    /// Kinds by name.
    places: HashMap<String, u32>,
    kinds: Vec<Requests>,
    /// Places of paths whose parts are not told apart.
    crowds: Crowds,
    /// Responses with a status of 500 and more, by bin; empty where no status was read.
    errors: Vec<u32>,
    /// Bytes received, by bin; empty where no number of them was read.
    received: Vec<f64>,
    /// Time of the first and the last request in any bin, in milliseconds.
    pub(super) span: Option<(i64, i64)>,
    /// Whether every time is a whole second, as in an access log.
    is_by_second: bool,
}

#[derive(Debug)]
struct Requests {
    total: u64,
    of_bin: OfBin,
}

/// How many requests came in each bin.
#[derive(Debug)]
enum OfBin {
    /// Bins with their numbers, as requests came; a bin may stand there again. Most kinds of a log with many are rare.
    Few(Vec<(u32, u32)>),
    /// A number for each bin.
    All(Vec<u32>),
}

impl OfBin {
    /// Counts `times` requests in one of `n_bins`. Pairs take at most half the room of a number for each bin.
    fn add(&mut self, bin: usize, times: u32, n_bins: usize) {
        match self {
            OfBin::All(of_bin) => of_bin[bin] = of_bin[bin].saturating_add(times),
            OfBin::Few(pairs) => {
                let is_room = pairs.len() < n_bins / 4;
                match pairs.last_mut().filter(|(last, _)| *last == bin as u32) {
                    Some((_, n)) => *n = n.saturating_add(times),
                    None if is_room => pairs.push((bin as u32, times)),
                    None => {
                        let pairs = std::mem::take(pairs);
                        *self = OfBin::All(vec![0; n_bins]);
                        pairs.into_iter().for_each(|(bin, n)| self.add(bin as usize, n, n_bins));
                        self.add(bin, times, n_bins);
                    }
                }
            }
        }
    }

    fn add_all(&mut self, other: &OfBin, n_bins: usize) {
        other.each(|bin, n| self.add(bin, n, n_bins));
    }

    fn each(&self, mut take: impl FnMut(usize, u32)) {
        match self {
            OfBin::Few(pairs) => pairs.iter().for_each(|(bin, n)| take(*bin as usize, *n)),
            OfBin::All(of_bin) => of_bin.iter().enumerate().filter(|(_, n)| **n > 0).for_each(|(bin, n)| take(bin, *n)),
        }
    }
}

/// A kind and its counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counted {
    pub(super) name: String,
    pub(super) of_bin: Vec<f64>,
}

/// All kinds, the busiest first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kinds {
    /// By method and route; at most `MAX_KINDS`, and one for all others.
    pub(super) requests: Vec<Counted>,
    /// Responses with a status of 500 and more.
    pub(super) errors: Option<Vec<f64>>,
    /// Bytes received.
    pub(super) received: Option<Vec<f64>>,
}

impl Tally {
    pub(super) fn new(bins: Bins, routes: Routes) -> Tally {
        Tally {
            bins,
            keeps_numbers: routes.name_numbers(),
            key: Vec::new(),
            routes,
            remembered: HashMap::new(),
            places: HashMap::new(),
            kinds: Vec::new(),
            crowds: Crowds::default(),
            errors: Vec::new(),
            received: Vec::new(),
            span: None,
            is_by_second: true,
        }
    }

    /// Counts `times` requests of `target`, its method, a blank and its path without query, `None` for one that is malformed.
    /// `false` when it lies outside the bins.
    pub(super) fn add(
        &mut self,
        time_ms: i64,
        target: Option<&[u8]>,
        status: Option<u16>,
        received: Option<f64>,
        times: u32,
    ) -> bool {
        let Some(bin) = self.bins.of(time_ms) else { return false };
        self.is_by_second &= time_ms % SECOND_MS == 0;
        let kind = self.kind_of(target);
        let requests = &mut self.kinds[kind as usize];
        requests.total += u64::from(times);
        requests.of_bin.add(bin, times, self.bins.count);
        if let Some(status) = status {
            if self.errors.is_empty() {
                self.errors = vec![0; self.bins.count];
            }
            self.errors[bin] = self.errors[bin].saturating_add(if status >= 500 { times } else { 0 });
        }
        if let Some(received) = received {
            if self.received.is_empty() {
                self.received = vec![0.0; self.bins.count];
            }
            self.received[bin] += received;
        }
        self.span = Some(self.span.map_or((time_ms, time_ms), |(first, last)| (first.min(time_ms), last.max(time_ms))));
        true
    }

    fn kind_of(&mut self, target: Option<&[u8]>) -> u32 {
        let Some(target) = target.filter(|_| !self.keeps_numbers) else { return self.remembered_or_new(target) };
        let mut key = std::mem::take(&mut self.key);
        route::without_numbers(target, &mut key);
        let kind = self.remembered_or_new(Some(&key));
        self.key = key;
        kind
    }

    fn remembered_or_new(&mut self, target: Option<&[u8]>) -> u32 {
        let known = target.and_then(|target| self.remembered.get(target)).copied();
        known.unwrap_or_else(|| self.kind(target))
    }

    /// The kind of a request that is not remembered.
    fn kind(&mut self, target: Option<&[u8]>) -> u32 {
        let mut name = match target {
            Some(target) => named(target, &self.routes),
            None => MALFORMED.to_owned(),
        };
        let mut is_final = true;
        if !self.places.contains_key(&name)
            && let Some((merged, stays)) = target.and_then(|target| self.crowds.name(target, &name))
        {
            (name, is_final) = (merged, stays);
        }
        let place = match self.places.get(&name) {
            Some(place) => *place,
            None => self.new_kind(name),
        };
        if let Some(target) = target.filter(|target| is_final && target.len() <= REMEMBERED_LENGTH) {
            if self.remembered.len() >= REMEMBERED {
                self.remembered.clear();
            }
            self.remembered.insert(target.into(), place);
        }
        place
    }

    fn new_kind(&mut self, name: String) -> u32 {
        if self.kinds.len() >= MOST {
            self.make_room();
        }
        let next = self.kinds.len() as u32;
        let place = *self.places.entry(name).or_insert(next);
        if place == next {
            self.kinds.push(Requests { total: 0, of_bin: OfBin::Few(Vec::new()) });
        }
        place
    }

    /// Puts kinds together until half of the room is free: rare parts of paths, then parts of which there are many, then
    /// the rarest kinds.
    fn make_room(&mut self) {
        let names = rare_parts(&self.totals());
        self.crowds.learn(&names, Crowd::OfRare);
        self.rename(&names);
        if self.kinds.len() > MOST / 2 {
            let names = parts_of_many(&self.totals());
            self.crowds.learn(&names, Crowd::OfMany);
            self.rename(&names);
        }
        if self.kinds.len() > MOST / 2 {
            let mut totals: Vec<(String, u64)> = self.totals().into_iter().collect();
            totals.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let names = totals.into_iter().skip(MOST / 2).map(|(name, _)| (name, OTHERS.to_owned()));
            self.rename(&names.collect());
        }
    }

    fn totals(&self) -> BTreeMap<String, u64> {
        self.places.iter().map(|(name, place)| (name.clone(), self.kinds[*place as usize].total)).collect()
    }

    /// Gives kinds other names; those of one name are one kind.
    fn rename(&mut self, names: &BTreeMap<String, String>) {
        self.remembered.clear();
        let mut before: Vec<(String, u32)> = self.places.drain().collect();
        before.sort_unstable();
        let mut old: Vec<Option<Requests>> = self.kinds.drain(..).map(Some).collect();
        for (name, place) in before {
            let requests = old[place as usize].take().expect("a kind has one name");
            let name = names.get(&name).cloned().unwrap_or(name);
            if let Some(place) = self.places.get(&name) {
                let kind = &mut self.kinds[*place as usize];
                kind.total += requests.total;
                kind.of_bin.add_all(&requests.of_bin, self.bins.count);
            } else {
                self.places.insert(name, self.kinds.len() as u32);
                self.kinds.push(requests);
            }
        }
    }

    /// What was counted, the busiest kinds apart.
    pub(super) fn finish(mut self) -> Kinds {
        self.rename(&rare_parts(&self.totals()));
        let mut order: Vec<(String, u64)> = self.totals().into_iter().collect();
        order.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let rest: BTreeMap<String, String> = order
            .split_off(order.len().min(MAX_KINDS))
            .into_iter()
            .map(|(name, _)| (name, OTHERS.to_owned()))
            .collect();
        if !rest.is_empty() {
            self.rename(&rest);
            order.retain(|(name, _)| name != OTHERS);
            order.push((OTHERS.to_owned(), 0));
        }
        let counted = |(name, _): (String, u64)| {
            let kind = &self.kinds[self.places[&name] as usize];
            let mut of_bin = vec![0.0; self.bins.count];
            kind.of_bin.each(|bin, n| of_bin[bin] += f64::from(n));
            Counted { of_bin: self.when_they_came(of_bin.into_iter()), name }
        };
        let read =
            |is_empty: bool, values: &mut dyn Iterator<Item = f64>| (!is_empty).then(|| self.when_they_came(values));
        Kinds {
            requests: order.into_iter().map(counted).collect(),
            errors: read(self.errors.is_empty(), &mut self.errors.iter().map(|n| f64::from(*n))),
            received: read(self.received.is_empty(), &mut self.received.iter().copied()),
        }
    }

    /// The amounts of the bins by when they came. Times in whole seconds leave the fraction out: where bins are shorter
    /// than a second, what was logged at one came at any moment of it, at even odds.
    fn when_they_came(&self, of_bin: impl Iterator<Item = f64>) -> Vec<f64> {
        if !self.is_by_second || SECOND_MS <= self.bins.bin_ms {
            return of_bin.collect();
        }
        let mut spread = vec![0.0; self.bins.count];
        for (bin, amount) in of_bin.enumerate().filter(|(_, amount)| *amount > 0.0) {
            let end = self.bins.start_ms + (bin as i64 + 1) * self.bins.bin_ms;
            let second = end - end.rem_euclid(SECOND_MS);
            self.bins.spread(&mut spread, (second, second + SECOND_MS), amount);
        }
        spread
    }
}

/// Method and route of a method, a blank and a path.
fn named(target: &[u8], routes: &Routes) -> String {
    let text = String::from_utf8_lossy(target);
    let (method, path) = text.split_once(' ').unwrap_or(("", &text));
    let mut name = String::with_capacity(target.len() + 1);
    if !method.is_empty() {
        name.push_str(method);
        name.push(' ');
    }
    route::push(&mut name, path, routes);
    name
}

/// The same counts without segments that were seen rarely.
pub(super) fn without_rare_parts(totals: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let names = rare_parts(&totals);
    let mut merged = BTreeMap::new();
    for (name, total) in totals {
        *merged.entry(names.get(&name).cloned().unwrap_or(name)).or_default() += total;
    }
    merged
}

/// Kinds that have segments which were seen rarely, and their names without them.
fn rare_parts(totals: &BTreeMap<String, u64>) -> BTreeMap<String, String> {
    let mut seen: HashMap<&str, u64> = HashMap::new();
    for (name, total) in totals {
        let path = name.split_once('/').map_or("", |(_, path)| path);
        let mut parts: Vec<&str> = route::segments(path).collect();
        parts.sort_unstable();
        parts.dedup();
        parts.into_iter().for_each(|part| *seen.entry(part).or_default() += total);
    }
    renamed(totals, |_, part| seen[part] < RARELY)
}

/// Kinds with segments of which there are many in one place, and their names without them.
fn parts_of_many(totals: &BTreeMap<String, u64>) -> BTreeMap<String, String> {
    let mut known: HashSet<(&str, &str)> = HashSet::new();
    let mut children: HashMap<&str, usize> = HashMap::new();
    for name in totals.keys() {
        each_part(name, |before, part| {
            if known.insert((before, part)) {
                *children.entry(before).or_default() += 1;
            }
        });
    }
    renamed(totals, |before, _| children.get(before).is_some_and(|n| *n > MANY_CHILDREN))
}

/// The kinds of which some segments are to be replaced, with what they are then. `replace`: what stands before a
/// segment, and the segment.
fn renamed(totals: &BTreeMap<String, u64>, replace: impl Fn(&str, &str) -> bool) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for name in totals.keys() {
        let Some(slash) = name.find('/') else { continue };
        let mut renamed = name[..slash].to_owned();
        each_part(name, |before, part| {
            renamed.push('/');
            renamed.push_str(if !is_placeholder(part) && replace(before, part) { RARE } else { part });
        });
        if renamed.len() > slash && renamed != *name {
            names.insert(name.clone(), renamed);
        }
    }
    names
}

/// Whether a segment stands for others already.
pub(super) fn is_placeholder(part: &str) -> bool {
    part.starts_with(':') || part.starts_with('*') || part == "..."
}

/// Each segment of a name, with all that stands before it.
pub(super) fn each_part<'a>(name: &'a str, mut take: impl FnMut(&'a str, &'a str)) {
    let Some(slash) = name.find('/') else { return };
    let mut at = slash;
    for part in name[slash..].split('/').skip(1) {
        if !part.is_empty() {
            take(&name[..at], part);
        }
        at += part.len() + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally() -> Tally {
        Tally::new(Bins { start_ms: 0, bin_ms: 10, count: 4 }, Routes::default())
    }

    /// Names and totals, busiest first.
    fn kinds(tally: Tally) -> Vec<(String, f64)> {
        let kinds = tally.finish().requests;
        kinds.into_iter().map(|kind| (kind.name, kind.of_bin.iter().sum())).collect()
    }

    #[test]
    fn requests_are_counted_by_kind_and_bin() {
        let mut tally = tally();
        for time in [1, 10, 11, 40] {
            for _ in 0..RARELY {
                assert!(tally.add(time, Some(b"GET /users/7"), Some(200), None, 1));
                assert!(tally.add(time, Some(b"GET /users/8"), Some(503), Some(5.0), 1));
            }
        }
        assert!(!tally.add(0, Some(b"GET /users/7"), None, None, 1));
        assert!(!tally.add(41, Some(b"GET /users/7"), None, None, 1));
        assert_eq!(tally.span, Some((1, 40)));
        let kinds = tally.finish();
        assert_eq!(
            kinds.requests,
            [Counted { name: "GET /users/:id".to_owned(), of_bin: vec![80.0, 40.0, 0.0, 40.0] }]
        );
        assert_eq!(kinds.errors, Some(vec![40.0, 20.0, 0.0, 20.0]));
        assert_eq!(kinds.received, Some(vec![200.0, 100.0, 0.0, 100.0]));
    }

    /// Memory is read several times a second in a short soak, an access log has whole seconds.
    #[test]
    fn what_came_in_a_second_is_spread_over_it() {
        let short = || Tally::new(Bins { start_ms: 900, bin_ms: 250, count: 6 }, Routes::default());
        let count = |times: &[i64]| {
            let mut tally = short();
            times.iter().for_each(|time| assert!(tally.add(*time, Some(b"GET /"), Some(500), Some(4.0), 2)));
            tally.finish()
        };
        let kinds = count(&[1000, 1000, 2000]);
        assert_eq!(kinds.requests[0].of_bin, [0.6, 1.0, 1.0, 1.0, 0.7, 0.5]);
        assert_eq!(kinds.errors.unwrap(), kinds.requests[0].of_bin);
        assert_eq!(kinds.received.unwrap(), kinds.requests[0].of_bin.iter().map(|n| 2.0 * n).collect::<Vec<f64>>());
        // One time that is not whole shows that the others are as they were.
        assert_eq!(count(&[1000, 1200, 2000]).requests[0].of_bin, [2.0, 2.0, 0.0, 0.0, 2.0, 0.0]);
    }

    /// A token in a path must not land in a report.
    #[test]
    fn what_is_seen_rarely_is_not_shown() {
        let mut tally = tally();
        for n in 0..RARELY {
            tally.add(5, Some(b"GET /shop"), None, None, 1);
            tally.add(5, Some(format!("GET /reset/secret{}word", (b'a' + n as u8) as char).as_bytes()), None, None, 1);
        }
        tally.add(5, Some(b"PUT /shop"), None, None, 1);
        tally.add(5, None, None, None, 1);
        let found = kinds(tally);
        let expected = [("GET /reset/:x", 20.0), ("GET /shop", 20.0), ("PUT /shop", 1.0), ("malformed requests", 1.0)];
        assert_eq!(found, expected.map(|(name, total)| (name.to_owned(), total)));
    }

    #[test]
    fn any_number_of_paths_takes_bounded_room_and_no_request_is_lost() {
        let mut tally = tally();
        let word = |n: usize| n.to_string().bytes().map(|digit| (b'a' + digit - b'0') as char).collect::<String>();
        for n in 0..3 * MOST {
            // Each often enough to be shown, were they not so many.
            for _ in 0..RARELY {
                tally.add(15, Some(format!("GET /blog/{}/read", word(n)).as_bytes()), None, None, 1);
                tally.add(15, Some(b"GET /"), None, None, 1);
            }
            assert!(tally.kinds.len() <= MOST && tally.remembered.len() <= REMEMBERED);
        }
        let found = kinds(tally);
        assert!(found.len() <= MAX_KINDS + 1);
        let n = (3 * MOST) as f64 * RARELY as f64;
        assert_eq!(found.iter().map(|(_, total)| total).sum::<f64>(), 2.0 * n);
        assert_eq!(found[0], ("GET /".to_owned(), n));
        assert_eq!(found[1].0, "GET /blog/:x/read");
        assert!(found[1].1 > 0.5 * n, "{found:?}");
    }

    /// Most paths of a shop are slugs that come once, and a route that is deployed later is busy.
    #[test]
    fn beside_many_rare_paths_a_busy_one_that_comes_later_still_has_its_name() {
        let mut tally = tally();
        let word = |n: usize| n.to_string().bytes().map(|digit| (b'a' + digit - b'0') as char).collect::<String>();
        let n = 8 * MOST;
        for index in 0..n {
            tally.add(15, Some(format!("GET /shop/{}", word(index)).as_bytes()), None, None, 1);
            if index > n / 2 && index % 3 == 0 {
                tally.add(35, Some(b"GET /shop/checkout"), None, None, 1);
            }
            // A place that is known to be crowded takes no more room.
            assert!(index <= MOST || tally.kinds.len() <= 3, "{}", tally.kinds.len());
        }
        let found = kinds(tally);
        let n_checkout = (n / 6) as f64;
        assert_eq!(found.iter().map(|(name, _)| &name[..]).collect::<Vec<_>>(), ["GET /shop/:x", "GET /shop/checkout"]);
        assert!(0.99 * n_checkout < found[1].1 && found[1].1 <= n_checkout, "{found:?}");
        assert!((found[0].1 + found[1].1 - n as f64 - n_checkout).abs() <= 1.0, "{found:?}");
    }
}
