//! Reads what is wanted, part by part, and puts it into one file.

mod owners;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use super::address::Address;
use super::answer::{self, Bounds, Held, Refused};
use super::beside::{self, Amounts, Companion, Form, companions};
use super::client::{Client, Host, TIMEOUT, Unread};
use super::config::Access;
use super::failure::{Failure, not_the_api};
use super::plan::{self, Density, SHORTEST};
use super::probe;
use super::query::{Matcher, ServerSelector};
use super::spool::{Encoding, Part, Spool};
use crate::account::counted;
use crate::progress::Meter;
use crate::units::{duration_text, time_text};

/// No answer holds more samples: some 30 MB of JSON.
pub const MAX_SAMPLES: u64 = 1_000_000;

/// The most points of a series that `query_range` gives.
const MAX_POINTS: i64 = 11_000;

/// How often a part is cut in two: a day into its minutes, and a million series into each. A server that gives the same
/// answer however small the question is would be asked for ever.
const MAX_DEPTH: u32 = 32;

/// Clocks this far apart are reported, in seconds.
const CLOCKS_APART: f64 = 60.0;

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// What is to be read, and where.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The server.
    pub address: Address,
    /// How it is reached.
    pub access: Access,
    /// The series.
    pub selector: ServerSelector,
    /// Whether the other amounts of the same containers are read, which tell what grows in them.
    pub with_amounts: bool,
    /// Where it begins.
    pub since: Time,
    /// Where it ends; `None`: now.
    pub until: Option<Time>,
    /// How many requests run at once, 1 or more.
    pub concurrency: usize,
    /// How the file is compressed.
    pub encoding: Encoding,
    /// No answer holds more samples.
    pub max_samples: u64,
}

/// A point in time, as far as the clock of the server tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Milliseconds since 1970.
    At(i64),
    /// Milliseconds before now.
    BeforeNow(i64),
    /// A time of day, UTC.
    OfDay {
        /// So many days before today.
        days_before: i64,
        /// Milliseconds since midnight.
        ms: i64,
    },
}

impl Time {
    /// In whole seconds.
    fn seconds(self, now_ms: i64) -> i64 {
        let ms = match self {
            Time::At(time_ms) => time_ms,
            Time::BeforeNow(ms) => now_ms.saturating_sub(ms),
            Time::OfDay { days_before, ms } => (now_ms.div_euclid(DAY_MS) - days_before) * DAY_MS + ms,
        };
        ms.div_euclid(1000)
    }
}

/// Reads what is wanted; gives a file in the form that `decode` reads, at its beginning. `meter` counts samples.
///
/// # Errors
///
/// Why it cannot be read, and what to do: the end of a sentence about the address. Nothing of a secret is in it.
pub fn fetch(wanted: &Wanted, host: &Host<'_>, meter: &Meter) -> Result<File, String> {
    let client = Client::new(wanted.address.clone(), &wanted.access, host)?;
    let reading = Reading { client, wanted, meter, stopped: AtomicBool::new(false) };
    reading.all(host.now_ms).map_err(|failure| failure.text().to_owned())
}

/// Which queries give samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Range selectors: every sample at its own time.
    Raw,
    /// `query_range`: a value every so many seconds.
    Steps(Grid),
}

/// Times in seconds that lie a step apart, of which one is `at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grid {
    step: i64,
    at: i64,
}

impl Grid {
    /// The multiples of a step.
    const fn of(step: i64) -> Grid {
        Grid { step, at: 0 }
    }

    /// The first of its times behind another.
    const fn behind(self, time: i64) -> i64 {
        ((time - self.at).div_euclid(self.step) + 1) * self.step + self.at
    }
}

/// What one request reads: behind one time and up to another, in seconds.
#[derive(Debug, Clone)]
struct Piece {
    selector: ServerSelector,
    form: Form,
    after: i64,
    until: i64,
}

struct Reading<'a> {
    client: Client<'a>,
    wanted: &'a Wanted,
    meter: &'a Meter,
    /// Another part has failed.
    stopped: AtomicBool,
}

/// What was read of a piece, in order.
type Leaves = Vec<(File, Held)>;

impl Reading<'_> {
    fn all(&self, now_ms: i64) -> Result<File, Failure> {
        let server_now = probe::now(&self.client)?;
        let mut notes = Vec::new();
        let ahead = server_now - now_ms as f64 / 1000.0;
        if CLOCKS_APART < ahead.abs() {
            notes.push(format!(
                "the clock of the server is {} {} the clock of this machine: the server's time was used",
                duration_text(ahead.abs().round()),
                if 0.0 < ahead { "ahead of" } else { "behind" }
            ));
        }
        let server_now_ms = (server_now * 1000.0) as i64;
        let end =
            self.wanted.until.map_or((server_now_ms + 999).div_euclid(1000), |until| until.seconds(server_now_ms));
        let start = self.wanted.since.seconds(server_now_ms);
        let [from, to] = [start, end].map(|time| time_text(time * 1000).unwrap_or_default());
        if end <= start {
            return Err(Failure::Fatal(format!(
                "the window is empty: it begins at {from} (`--since`) and ends at {to} (`--until`, or now)"
            )));
        }

        let selector = &self.wanted.selector;
        let Some(density) = probe::density(&self.client, selector, start, end)? else {
            return Err(Failure::Fatal(probe::nothing_found(&self.client, selector, end, &from, &to)));
        };
        let mut spool = Spool::new(self.wanted.encoding).map_err(kept)?;
        let mut held = Held::default();
        let (mode, n_requests) = self.memory(&density, (start, end), &mut spool, &mut held, &mut notes)?;
        if held.n_samples == 0 {
            return Err(Failure::Fatal(probe::nothing_found(&self.client, selector, end, &from, &to)));
        }
        let n_samples = counted(held.n_samples, "sample");
        let pods = std::mem::take(&mut held.owned);
        if self.wanted.with_amounts {
            self.amounts(mode, &density, (start, end), &mut spool, &mut held, &mut notes)?;
        }
        self.companions(&density, (start, end), &mut spool, &mut held, &mut notes);
        self.owners(pods, mode, (start, end), &mut spool, &mut held, &mut notes);
        if 0 < held.n_histograms {
            notes.push(format!(
                "native histograms, which are not amounts of memory, were skipped in {} series",
                held.n_histograms
            ));
        }
        notes.insert(
            0,
            format!(
                "`{selector}` was read from {} from {from} to {to}: {n_samples} in {}",
                self.wanted.address,
                counted(n_requests, "request")
            ),
        );
        spool.finish(&behind(mode, &notes, &held)).map_err(kept)
    }

    /// Reads the samples of memory; says how, and in how many requests.
    fn memory(
        &self,
        density: &Density,
        (start, end): (i64, i64),
        spool: &mut Spool,
        held: &mut Held,
        notes: &mut Vec<String>,
    ) -> Result<(Mode, u64), Failure> {
        let cuts = plan::cuts(start, end, density, self.target());
        let pieces: Vec<Piece> = cuts
            .into_iter()
            .map(|(after, until)| Piece { selector: self.wanted.selector.clone(), form: Form::Newest, after, until })
            .collect();
        self.meter.fetching(pieces.len() as u64);
        let (first, rest) = pieces.split_first().expect("a span that is not empty has a part");
        let (mode, leaves) = match self.read(first, Mode::Raw, Some(density), 0) {
            Err(Failure::Refused(why)) => {
                let step = (density.interval.round() as i64).clamp(5, 300);
                let leaves = self.read(first, Mode::Steps(Grid::of(step)), Some(density), 0).map_err(|failure| {
                    Failure::Fatal(format!(
                        "it refuses range selectors ({why}), and `query_range` as well ({})",
                        failure.text()
                    ))
                })?;
                notes.push(format!(
                    "the server refuses range selectors ({why}): read by `query_range` in steps of {step} s, so timestamps \
                     are those of the steps and alerts are replayed less exactly"
                ));
                (Mode::Steps(Grid::of(step)), leaves)
            }
            read => (Mode::Raw, read?),
        };
        let mut n_requests = 0;
        let mut add = |leaves: Leaves| {
            n_requests += leaves.len() as u64;
            add_to(spool, held, leaves)
        };
        add(leaves)?;
        self.side_by_side(rest, mode, density, &mut add)?;
        Ok((mode, n_requests))
    }

    /// Reads the other amounts of the containers that the server has. If reading one fails, that is reported, and none of
    /// it is used: a part would be worse than nothing.
    fn amounts(
        &self,
        mode: Mode,
        density: &Density,
        (start, end): (i64, i64),
        spool: &mut Spool,
        held: &mut Held,
        notes: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let memory = &self.wanted.selector;
        let mut counted = match probe::counts_by_name(&self.client, &beside::counts(memory), start, end) {
            Ok(counted) => counted,
            Err(failure) => {
                notes.push(format!(
                    "the other amounts of the containers could not be listed, so the report cannot say what grows: {}",
                    failure.text()
                ));
                return Ok(());
            }
        };
        counted.sort_by(|a, b| a.0.cmp(&b.0));
        let step = beside::step(density.interval, end - start);
        let mut told = Vec::new();
        for amounts in beside::asked(memory, &counted) {
            let mut read = Spool::part(self.wanted.encoding).map_err(kept)?;
            match self.amounts_to(&mut read, &amounts, mode, step, density, (start, end)) {
                Ok(of_all) => {
                    if let Some(file) = read.into_part().map_err(kept)? {
                        spool.add(file).map_err(kept)?;
                        told.push(amounts.names);
                    }
                    held.add(of_all);
                }
                Err(failure) => notes.push(format!(
                    "{} could not be read, so the report may not say what grows: {}",
                    amounts.names,
                    failure.text()
                )),
            }
        }
        if !told.is_empty() {
            notes.push(format!(
                "what grows in each container is inferred from {}, read every {} (`--metric {}` leaves them out)",
                told.join(", "),
                duration_text(step as f64),
                memory.metric
            ));
        }
        Ok(())
    }

    /// Reads some of them to a part; `step` in seconds, `density` of the memory.
    fn amounts_to(
        &self,
        part: &mut Spool,
        amounts: &Amounts,
        mode: Mode,
        step: i64,
        density: &Density,
        (start, end): (i64, i64),
    ) -> Result<Held, Failure> {
        let Amounts { selector, form, n_series, .. } = amounts;
        // A server that refuses range selectors refuses them within a query, too.
        let form = if mode == Mode::Raw || *form != Form::SinceStep { form } else { &Form::Newest };
        // What is matched with the memory makes the server read that as well.
        let n_beside = |time: i64| if matches!(form, Form::OfContainers(_)) { density.n_at(time) } else { 0.0 };
        let n_series = n_series.iter().map(|(time, n)| (*time, n + n_beside(*time))).collect();
        let density = Density { n_series, interval: step as f64 };
        let n_pieces = density.expected(start, end) / self.target() as f64;
        let pieces: Vec<Piece> = plan::evenly(start, end, n_pieces.ceil() as i64)
            .into_iter()
            .map(|(after, until)| Piece { selector: selector.clone(), form: form.clone(), after, until })
            .collect();
        self.meter.fetching(pieces.len() as u64);
        let mut held = Held::default();
        // One of its times is the end, so that each container that has a reading has a value.
        let mode = Mode::Steps(Grid { step, at: end });
        self.side_by_side(&pieces, mode, &density, &mut |leaves| add_to(part, &mut held, leaves))?;
        Ok(held)
    }

    /// How many samples a request is planned for. A quarter of the bound: what is expected is not always what comes, and a
    /// server holds several times what it sends.
    fn target(&self) -> u64 {
        (self.wanted.max_samples / 4).max(1)
    }

    /// Reads pieces, a few at a time, and gives each to `add` in their order.
    fn side_by_side(
        &self,
        pieces: &[Piece],
        mode: Mode,
        density: &Density,
        add: &mut dyn FnMut(Leaves) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let next = Mutex::new(pieces.iter().enumerate());
        let (read, all_read) = mpsc::channel();
        let done = thread::scope(|scope| {
            for _ in 0..self.wanted.concurrency.clamp(1, pieces.len().max(1)) {
                let (read, next) = (read.clone(), &next);
                scope.spawn(move || {
                    while !self.stopped.load(Ordering::Relaxed) {
                        let Some((index, piece)) = next.lock().unwrap_or_else(PoisonError::into_inner).next() else {
                            break;
                        };
                        // Who reads has ended when another part has failed.
                        if read.send((index, self.read(piece, mode, Some(density), 0))).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(read);
            let mut early: BTreeMap<usize, Leaves> = BTreeMap::new();
            let mut expected = 0;
            let put = || -> Result<(), Failure> {
                for (index, leaves) in all_read {
                    early.insert(index, leaves?);
                    while let Some(leaves) = early.remove(&expected) {
                        add(leaves)?;
                        expected += 1;
                    }
                }
                Ok(())
            };
            let done = put();
            self.stopped.store(done.is_err(), Ordering::Relaxed);
            done
        });
        self.stopped.store(false, Ordering::Relaxed);
        done
    }

    /// Reads a piece, in smaller ones where it is too large. `depth`: how often it was cut already.
    fn read(&self, piece: &Piece, mode: Mode, density: Option<&Density>, depth: u32) -> Result<Leaves, Failure> {
        let length = piece.until - piece.after;
        let expected = density.map_or(0.0, |density| density.expected(piece.after, piece.until));
        let max = self.wanted.max_samples as f64;
        let parts = if length <= SHORTEST && max < expected {
            // What a group holds is not known: it is cut again if need be.
            self.by_series(piece, (2.0 * expected / max).ceil() as usize)?
        } else if matches!(mode, Mode::Steps(grid) if MAX_POINTS * grid.step < length) {
            halves(piece)
        } else {
            match self.once(piece, mode) {
                Ok(leaf) => {
                    self.meter.fetched(leaf.1.n_samples);
                    return Ok(vec![leaf]);
                }
                Err(Failure::TooLarge(why)) => {
                    let parts = if SHORTEST < length { halves(piece) } else { self.by_series(piece, 2)? };
                    if parts.len() < 2 || depth == MAX_DEPTH {
                        return Err(Failure::Fatal(format!(
                            "even {} of one series is more than the server allows: {why} (raise \
                             the server's limit, such as `--query.max-samples` or its timeout, or read less with \
                             `--match` or `--metric`)",
                            duration_text(length as f64)
                        )));
                    }
                    parts
                }
                Err(failure) => return Err(failure),
            }
        };
        let mut leaves = Vec::new();
        for part in &parts {
            if self.stopped.load(Ordering::Relaxed) {
                break;
            }
            // What was expected of the whole says nothing of a part of its series.
            let density = density.filter(|_| part.selector == piece.selector);
            leaves.extend(self.read(part, mode, density, depth + 1)?);
        }
        Ok(leaves)
    }

    /// A piece in parts of its series: by the label that tells most of them apart.
    fn by_series(&self, piece: &Piece, n: usize) -> Result<Vec<Piece>, Failure> {
        let series = probe::labels(&self.client, &piece.selector, piece.after, piece.until)?;
        let mut values: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for labels in &series {
            for key in labels.keys().filter(|key| *key != "__name__") {
                values.entry(key).or_default();
            }
        }
        for (key, values) in &mut values {
            values.extend(series.iter().map(|labels| labels.get(*key).cloned().unwrap_or_default()));
            values.sort();
            values.dedup();
        }
        let Some((label, values)) = values.into_iter().max_by_key(|(_, values)| values.len()) else {
            return Ok(Vec::new());
        };
        if values.len() < 2 {
            return Ok(Vec::new());
        }
        let of_group = |group: Vec<String>| Piece {
            selector: piece.selector.with(Matcher::one_of(label, &group)),
            ..piece.clone()
        };
        Ok(plan::groups(&values, n.max(2)).into_iter().map(of_group).collect())
    }

    /// One request.
    fn once(&self, piece: &Piece, mode: Mode) -> Result<(File, Held), Failure> {
        let Piece { selector, form, after, until } = piece;
        let timeout = ("timeout", format!("{}s", TIMEOUT.as_secs()));
        let bounds = Bounds { after_ms: after * 1000, until_ms: until * 1000, max_samples: self.wanted.max_samples };
        let encoding = self.wanted.encoding;
        let mut read = |body: &mut dyn BufRead| {
            let lost = |error| Unread::Useless(kept(error));
            let mut part = Part::new(encoding).map_err(lost)?;
            let held = answer::take(body, bounds, &mut part).map_err(unread)?;
            Ok((part.finish().map_err(lost)?, held))
        };
        match mode {
            Mode::Raw => {
                let query = format!("{selector}[{}s]", until - after);
                let form = [("query", query), ("time", until.to_string()), timeout];
                self.client.ask("/api/v1/query", &form, &mut read)
            }
            Mode::Steps(grid @ Grid { step, .. }) => {
                // One grid for all parts.
                let first = grid.behind(*after);
                let form = [
                    ("query", form.query(selector, step)),
                    ("start", first.to_string()),
                    ("end", until.max(&first).to_string()),
                    ("step", step.to_string()),
                    timeout,
                ];
                self.client.ask("/api/v1/query_range", &form, &mut read)
            }
        }
    }

    /// Reads what belongs to the memory: limits, one value an hour, and evidence of restarts, a value every few minutes
    /// (start times are exact in each). That there is none, or that it cannot be read, is reported.
    fn companions(
        &self,
        density: &Density,
        (start, end): (i64, i64),
        spool: &mut Spool,
        held: &mut Held,
        notes: &mut Vec<String>,
    ) {
        let mut unread: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
        for Companion { what, selector, step } in companions(&self.wanted.selector, end - start) {
            let density = Density { n_series: density.n_series.clone(), interval: step as f64 };
            let piece = Piece { selector, form: Form::Newest, after: start - step, until: end };
            let read = self
                .read(&piece, Mode::Steps(Grid::of(step)), Some(&density), 0)
                .and_then(|leaves| add_to(spool, held, leaves));
            if let Err(failure) = read {
                let metric = format!("`{}`", piece.selector.metric);
                unread.entry((what, failure.text().to_owned())).or_default().push(metric);
            }
        }
        let each = unread.into_iter();
        notes.extend(
            each.map(|((what, why), metrics)| format!("{what} ({}) could not be read: {why}", metrics.join(", "))),
        );
    }
}

/// Keeps what was read.
fn add_to(spool: &mut Spool, held: &mut Held, leaves: Leaves) -> Result<(), Failure> {
    for (file, of_leaf) in leaves {
        if 0 < of_leaf.n_series {
            spool.add(file).map_err(kept)?;
        }
        held.add(of_leaf);
    }
    Ok(())
}

fn halves(piece: &Piece) -> Vec<Piece> {
    let middle = i64::midpoint(piece.after, piece.until);
    vec![Piece { until: middle, ..piece.clone() }, Piece { after: middle, ..piece.clone() }]
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn kept(error: io::Error) -> Failure {
    Failure::Fatal(format!(
        "the samples cannot be stored in `{}`: {error} (expected room for about 6 bytes a sample; `TMPDIR` names another folder)",
        std::env::temp_dir().display()
    ))
}

fn unread(refused: Refused) -> Unread {
    match refused {
        Refused::BrokeOff => Unread::BrokeOff,
        Refused::TooMany => {
            Unread::Useless(Failure::TooLarge("it answered with more samples than were expected".to_owned()))
        }
        Refused::OtherType(kind) => Unread::Useless(Failure::Refused(format!("it answered with a `{kind}`"))),
        Refused::Error(why) => Unread::Useless(Failure::Refused(format!("it answered with an error: {why}"))),
        Refused::NotUnderstood(why) => Unread::Useless(Failure::Fatal(not_the_api(&why))),
        Refused::Kept(error) => Unread::Useless(kept(error)),
    }
}

/// What stands behind the `data`: how it was read, and what the server says of it.
fn behind(mode: Mode, notes: &[String], held: &Held) -> String {
    let samples = if mode == Mode::Raw { "raw" } else { "step" };
    let about = serde_json::json!({ "samples": samples, "notes": notes });
    let mut text = format!(",\n\"leaktrend\":{about}");
    if held.is_partial {
        text.push_str(",\n\"isPartial\":true");
    }
    if !held.warnings.is_empty() {
        text.push_str(&format!(",\n\"warnings\":{}", serde_json::json!(held.warnings)));
    }
    text
}
