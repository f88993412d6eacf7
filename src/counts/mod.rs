//! What a service did while its memory was read: requests by kind, other counters and levels, changes such as deploys.
//!
//! Takes access logs, tables of numbers and lists of changes; gives counts on one grid of time, and an account of every
//! line. A log of any size streams in bounded memory (`tally`). What made memory grow is for `attribution` to say.

mod bins;
mod changes;
mod covariates;
mod crowds;
mod entry;
mod given;
mod mask;
mod matrix;
mod requests;
mod route;
mod table;
mod tally;
mod text;

use std::path::PathBuf;

use crate::account::{ContentWarning, Input, MAX_REJECTED_CHARS, Unusable, cleaned};
use crate::open::{self, Source};
use crate::progress::Meter;
use tally::Tally;

pub use crate::open::Given;
pub use bins::Bins;
pub use changes::Change;
pub use given::{GivenNumbers, given};
pub use route::Routes;
pub use tally::{MAX_KINDS, RARELY};

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct CountSources {
    /// Access logs.
    pub requests: Vec<Given>,
    /// Tables of counters and levels over time.
    pub covariates: Vec<Given>,
    /// Lists of changes: deploys, flags, restarts.
    pub changes: Vec<PathBuf>,
    /// Patterns of routes that come before those that are recognised.
    pub routes: Routes,
}

impl CountSources {
    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.covariates.is_empty() && self.changes.is_empty()
    }
}

/// What numbers of a kind are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountKind {
    /// Requests of one method and route.
    Requests,
    /// Responses with a status of 500 and more.
    Errors,
    /// Bytes received with requests.
    Received,
    /// Some other count.
    Counter,
    /// A level, such as open connections.
    Gauge,
}

/// One kind over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// Its name: method and route, or that of a column.
    pub name: String,
    /// What its numbers are.
    pub what: CountKind,
    /// How many came in each bin, or the mean level in it.
    pub values: Vec<f64>,
    /// The time that its source covers, first and last, in milliseconds.
    pub span: (i64, i64),
    /// The mean time from one of its values to the next, in milliseconds; 0 for requests, which have their own times.
    pub step_ms: i64,
}

/// All kinds of one series, or of all series.
#[derive(Debug, Clone, PartialEq)]
pub struct CountGroup {
    /// The id of a series; `None`: all of them.
    pub series: Option<String>,
    /// Requests first, the busiest first.
    pub kinds: Vec<Kind>,
    /// Endpoints of logs without times, with how often they were called, the busiest first.
    pub untimed: Vec<(String, u64)>,
}

/// What was counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// The grid of time.
    pub bins: Bins,
    /// What belongs together.
    pub groups: Vec<CountGroup>,
    /// In time order.
    pub changes: Vec<Change>,
    /// Whether lists of changes were given.
    pub changes_given: bool,
    /// The account of each file: requests, then covariates, then changes.
    pub inputs: Vec<Input>,
}

impl Counts {
    /// What belongs to a series.
    pub fn of_series<'a>(&'a self, names: &'a [String]) -> impl Iterator<Item = &'a CountGroup> {
        let is_of = |series: &String| names.contains(series);
        self.groups.iter().filter(move |group| group.series.as_ref().is_none_or(is_of))
    }
}

/// Reads everything, for memory that was read in each of `spans`, from and to in milliseconds since 1970. What lies
/// outside of a span is counted as that. Every file is read once, and gives for each span what it would give for that
/// alone.
///
/// A file that cannot be used says so in its account and does not stop the others. Takes at most 32 MiB for each span and
/// series that is named, whatever the size of the logs.
pub fn read(wanted: &CountSources, spans: &[(i64, i64)]) -> Vec<Counts> {
    let grids: Vec<Bins> = spans.iter().map(|(from, to)| Bins::of_readings(*from, *to)).collect();
    if grids.is_empty() {
        return Vec::new();
    }
    let names: Vec<&Option<String>> =
        wanted.requests.iter().chain(&wanted.covariates).map(|given| &given.series).collect();
    // The accounts of each log, one for each span; and so are groups.
    let mut accounts: Vec<Vec<Input>> = vec![Vec::new(); wanted.requests.len()];
    let mut groups: Vec<Vec<CountGroup>> = vec![Vec::new(); grids.len()];
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            continue;
        }
        let mut tallies: Vec<Tally> = grids.iter().map(|bins| Tally::new(*bins, wanted.routes.clone())).collect();
        let mut untimed = requests::Untimed::default();
        for (accounts, given) in accounts.iter_mut().zip(&wanted.requests).filter(|(_, given)| given.series == **name) {
            *accounts = if is_again(&wanted.requests, given) {
                vec![read_already(given); grids.len()]
            } else {
                requests::read(&given.path, &mut tallies, &mut untimed)
            };
        }
        let untimed = untimed.ranked();
        for (grid, tally) in tallies.into_iter().enumerate() {
            let group = CountGroup { series: (*name).clone(), kinds: kinds(tally), untimed: untimed.clone() };
            let of_name = accounts.iter_mut().zip(&wanted.requests).filter(|(_, given)| given.series == **name);
            mask(of_name.filter_map(|(accounts, _)| accounts.get_mut(grid)), &group);
            groups[grid].push(group);
        }
    }
    for given in &wanted.covariates {
        if is_again(&wanted.covariates, given) {
            accounts.push(vec![read_already(given); grids.len()]);
            continue;
        }
        let (inputs, kinds): (Vec<Input>, Vec<Vec<Kind>>) = covariates::read(&given.path, &grids).into_iter().unzip();
        accounts.push(inputs);
        for (groups, kinds) in groups.iter_mut().zip(kinds) {
            let group = groups.iter_mut().find(|group| group.series == given.series);
            group.expect("there is one for each name").kinds.extend(kinds);
        }
    }
    let mut changes = Vec::new();
    for path in &wanted.changes {
        let (input, more) = changes::read(path);
        accounts.push(spans.iter().map(|span| changes::placed(&input, &more, *span)).collect());
        changes.extend(more);
    }
    changes.sort_by_key(|change: &Change| change.time_ms);
    changes.dedup();
    let mut accounts: Vec<_> = accounts.into_iter().map(Vec::into_iter).collect();
    let counts = grids.into_iter().zip(groups).map(|(bins, groups)| Counts {
        bins,
        groups,
        changes: changes.clone(),
        changes_given: !wanted.changes.is_empty(),
        inputs: accounts.iter_mut().filter_map(Iterator::next).collect(),
    });
    counts.collect()
}

/// The kinds of a tally: requests, the busiest first, then what else its logs say.
fn kinds(tally: Tally) -> Vec<Kind> {
    let Some(span) = tally.span else { return Vec::new() };
    let kind = |name: String, what, values| Kind { name, what, values, span, step_ms: 0 };
    let tally::Kinds { requests, errors, received } = tally.finish();
    let requests = requests.into_iter().map(|one| kind(one.name, CountKind::Requests, one.of_bin));
    let errors = errors.map(|of_bin| kind("responses with a 5xx status".to_owned(), CountKind::Errors, of_bin));
    let received = received.map(|of_bin| kind("bytes received".to_owned(), CountKind::Received, of_bin));
    requests.chain(errors).chain(received).collect()
}

/// Leaves of rejected lines what the routes that were counted may show.
fn mask<'a>(accounts: impl Iterator<Item = &'a mut Input>, group: &CountGroup) {
    let timed = group.kinds.iter().map(|kind| kind.name.as_str());
    let names = timed.chain(group.untimed.iter().map(|(name, _)| name.as_str()));
    let known = mask::words(names.filter(|name| name.contains('/')));
    for rejected in accounts.flat_map(|input| &mut input.rejected) {
        rejected.text = cleaned(&mask::masked(&rejected.text, &known), MAX_REJECTED_CHARS);
    }
}

/// Whether a file was given before, for the same series.
fn is_again(all: &[Given], given: &Given) -> bool {
    let place = all.iter().position(|other| other == given);
    place.is_some_and(|place| !std::ptr::eq(&raw const all[place], given))
}

fn read_already(given: &Given) -> Input {
    let mut input = Input::new(&Source::File(given.path.clone()));
    input.warn(ContentWarning::GivenAgain);
    input
}

/// Opens a file, or says in its account why it cannot be read.
fn open_file(path: &std::path::Path) -> (Input, Option<open::Opened>) {
    let source = Source::File(path.to_owned());
    let mut input = Input::new(&source);
    match open::open(&source, &Meter::default()) {
        Ok(opened) => (input, Some(opened)),
        Err(why) => {
            input.unusable = Some(Unusable::Unreadable(why));
            (input, None)
        }
    }
}

/// Says that a file broke off.
fn note_break(input: &mut Input, why: Option<String>) {
    if let Some(why) = why {
        input.breaks_off(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T20:00:00Z.
    const START: i64 = 1_795_464_000_000;

    /// The last quarter of an hour, the last hour, and a time before all of it: as a night judges a day, a week and a month.
    #[test]
    fn spans_that_are_read_together_get_what_each_gets_alone() {
        let folder = tempfile::tempdir().unwrap();
        let time = |minute: usize| format!("23/Nov/2026:20:{minute:02}:07 +0000");
        let (mut log, mut jobs) = (String::new(), "time,jobs_total,seen\n".to_owned());
        for minute in 0..60 {
            for n in 0..=minute {
                // Rare parts of paths are named by what a span holds of them.
                let path = if n % 3 == 0 { format!("/shop/word{}", "x".repeat(minute / 12)) } else { "/".to_owned() };
                log.push_str(&format!("1.2.3.4 - - [{}] \"GET {path} HTTP/1.1\" {} 12\n", time(minute), 200 + 60 * n));
            }
            jobs.push_str(&format!("2026-11-23T20:{minute:02}:30Z,{},{}\n", 7 * minute % 200, minute % 5));
        }
        log.push_str("no request\n{\"req\":{\"method\":\"GET\",\"url\":\"/shop/2\"}}\n");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            Given { series: None, path: folder.path().join(name) }
        };
        let (log, jobs) = (write("access.log", &log), write("jobs.csv", &jobs));
        let changes = write("changes.txt", "2026-11-23T20:10:00Z deploy a\n").path;
        let wanted = CountSources {
            requests: vec![log.clone(), log.clone(), Given { series: Some("web".to_owned()), ..log }],
            covariates: vec![jobs],
            changes: vec![changes],
            routes: Routes::default(),
        };
        let end = START + 3_600_000;
        let spans = [(end - 900_000, end), (START, end), (START - 7_200_000, START - 3_600_000)];
        let together = read(&wanted, &spans);
        let alone: Vec<Counts> = spans.iter().map(|span| read(&wanted, &[*span]).remove(0)).collect();
        assert_eq!(together, alone);
        let counted: Vec<(u64, usize)> =
            together.iter().map(|counts| (counts.inputs[0].samples, counts.groups[0].kinds.len())).collect();
        assert_eq!(counted, [(840, 6), (1830, 9), (0, 0)]);
    }
}
