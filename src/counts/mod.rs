//! What a service did while its memory was read: requests by kind, other counters and levels, changes such as deploys.
//!
//! Takes access logs, tables of numbers and lists of changes; gives counts on one grid of time, and an account of every
//! line. A log of any size streams in bounded memory (`tally`). What made memory grow is for `attribution` to say.

mod bins;
mod changes;
mod covariates;
mod entry;
mod matrix;
mod requests;
mod route;
mod table;
mod tally;
mod text;

use std::path::PathBuf;

use crate::account::Input;
use crate::open::{self, Source};
use crate::progress::Meter;
use tally::Tally;

pub use crate::open::Given;
pub use bins::Bins;
pub use changes::Change;
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

/// Reads everything, for memory that was read from `readings.0` to `readings.1`, in milliseconds since 1970. What lies
/// outside is counted as that.
///
/// A file that cannot be used says so in its account and does not stop the others. Takes at most 32 MiB for each series
/// that is named, whatever the size of the logs.
pub fn read(wanted: &CountSources, readings: (i64, i64)) -> Counts {
    let bins = Bins::of_readings(readings.0, readings.1);
    let mut inputs = Vec::new();
    let mut groups: Vec<CountGroup> = Vec::new();
    let names: Vec<&Option<String>> =
        wanted.requests.iter().chain(&wanted.covariates).map(|given| &given.series).collect();
    let mut accounts: Vec<Option<Input>> = vec![None; wanted.requests.len()];
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            continue;
        }
        let mut group = CountGroup { series: (*name).clone(), kinds: Vec::new(), untimed: Vec::new() };
        let mut tally = Tally::new(bins, wanted.routes.clone());
        let mut untimed = requests::Untimed::default();
        for (account, given) in accounts.iter_mut().zip(&wanted.requests).filter(|(_, given)| given.series == **name) {
            *account = Some(if is_again(&wanted.requests, given) {
                read_already(given)
            } else {
                requests::read(&given.path, &mut tally, &mut untimed)
            });
        }
        group.untimed = untimed.ranked();
        if let Some(span) = tally.span {
            let kind = |name: String, what, values| Kind { name, what, values, span };
            let kinds = tally.finish();
            group.kinds.extend(kinds.requests.into_iter().map(|one| kind(one.name, CountKind::Requests, one.of_bin)));
            let errors =
                kinds.errors.map(|of_bin| kind("responses with a 5xx status".to_owned(), CountKind::Errors, of_bin));
            let received = kinds.received.map(|of_bin| kind("bytes received".to_owned(), CountKind::Received, of_bin));
            group.kinds.extend([errors, received].into_iter().flatten());
        }
        groups.push(group);
    }
    inputs.extend(accounts.into_iter().flatten());
    for given in &wanted.covariates {
        if is_again(&wanted.covariates, given) {
            inputs.push(read_already(given));
            continue;
        }
        let (input, kinds) = covariates::read(&given.path, bins);
        inputs.push(input);
        let group = groups.iter_mut().find(|group| group.series == given.series);
        group.expect("there is one for each name").kinds.extend(kinds);
    }
    let mut all = Vec::new();
    for path in &wanted.changes {
        let (input, changes) = changes::read(path);
        inputs.push(input);
        all.extend(changes);
    }
    all.sort_by_key(|change: &Change| change.time_ms);
    all.dedup();
    Counts { bins, groups, changes: all, changes_given: !wanted.changes.is_empty(), inputs }
}

/// Whether a file was given before, for the same series.
fn is_again(all: &[Given], given: &Given) -> bool {
    let place = all.iter().position(|other| other == given);
    place.is_some_and(|place| !std::ptr::eq(&raw const all[place], given))
}

fn read_already(given: &Given) -> Input {
    let mut input = Input::new(&Source::File(given.path.clone()));
    input.warnings.push("it is given more than once: it was read once".to_owned());
    input
}

/// Opens a file, or says in its account why it cannot be read.
fn open_file(path: &std::path::Path) -> (Input, Option<open::Opened>) {
    let source = Source::File(path.to_owned());
    let mut input = Input::new(&source);
    match open::open(&source, &Meter::default()) {
        Ok(opened) => (input, Some(opened)),
        Err(why) => {
            input.unusable = Some(why);
            (input, None)
        }
    }
}

/// Says that a file broke off.
fn note_break(input: &mut Input, why: Option<String>) {
    if let Some(why) = why {
        input.incomplete = true;
        input.warnings.push(format!("{why}; the part before that is used"));
    }
}
