//! Labelled series in three corpora: noise under a curve, other curves under other noise, and simulated processes.
//!
//! A family of series is one function, which says what a process does with memory. Every series can be made longer
//! than its window: the process then goes on as it began, and what becomes of a claim can be seen.

mod container;
mod curves;
mod processes;
mod variations;

use leaktrend_core::series::{Labels, Marks, MemorySeries, Metric, Samples, Sampling as Kind, SeriesInfo};
use leaktrend_core::units::{DAY, KIB, MIB, WrittenAmount, docker_text};

use crate::generator::random::Random;
use crate::generator::{Sampling, every};
use container::Container;

/// What is true of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Leak,
    NoLeak,
    /// Nobody could tell in a window of this length; not counted.
    Undecidable,
}

/// What the rates make of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Healthy,
    /// Wanders without aim: in no window can it be told from what it is not, so it has a row of its own.
    Walk,
    Leak,
    /// A leak that restarts cut: without evidence of them it may be no more than suspected.
    CutLeak,
    /// A leak too slow to be found reliably: made, but counted in no rate.
    SlowLeak,
}

/// Series that one mechanism makes.
pub(crate) struct Family {
    /// What the tables and `--only` call it.
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    /// The shortest window in which it can be told, in seconds.
    shortest: f64,
    make: fn(&mut Container),
}

impl Family {
    const fn new(name: &'static str, role: Role, make: fn(&mut Container)) -> Family {
        Family { name, role, shortest: 0.0, make }
    }

    const fn needing_days(self, days: f64) -> Family {
        Family { shortest: days * DAY, ..self }
    }

    /// Whether it counts in rates, rather than in a row of its own or in none.
    pub(crate) fn counts(&self) -> bool {
        !matches!(self.role, Role::Walk | Role::SlowLeak)
    }

    pub(crate) fn label(&self, sampling: &Sampling) -> Label {
        match self.role {
            _ if sampling.span < self.shortest => Label::Undecidable,
            Role::Healthy | Role::Walk => Label::NoLeak,
            Role::Leak | Role::CutLeak | Role::SlowLeak => Label::Leak,
        }
    }
}

/// Families that are measured together.
pub(crate) struct Corpus {
    pub(crate) name: &'static str,
    pub(crate) families: &'static [Family],
    pub(crate) samplings: &'static [Sampling],
    /// What all its processes are before their mechanism begins.
    start: fn(&mut Container),
    /// The probability that scrapes fail for a while in a window.
    outage: f64,
    /// The longest such outage, as a share of the window.
    longest_outage: f64,
}

const WINDOWS: [Sampling; 7] = [
    every(15.0, DAY / 4.0, "15s-6h"),
    every(60.0, DAY, "1m-24h"),
    every(300.0, 7.0 * DAY, "5m-7d"),
    every(900.0, 30.0 * DAY, "15m-30d"),
    every(300.0, DAY, "5m-24h"),
    every(900.0, DAY, "15m-24h"),
    every(900.0, 7.0 * DAY, "15m-7d"),
];

pub(crate) const CORPORA: [Corpus; 3] = [
    Corpus {
        name: "curves",
        families: &curves::FAMILIES,
        samplings: &WINDOWS,
        start: curves::at_rest,
        outage: 0.3,
        longest_outage: 1.0 / 60.0,
    },
    Corpus {
        name: "variations",
        families: &variations::FAMILIES,
        samplings: &WINDOWS,
        start: curves::at_rest,
        outage: 0.3,
        longest_outage: 1.0 / 60.0,
    },
    Corpus {
        name: "processes",
        families: &processes::FAMILIES,
        samplings: WINDOWS.split_at(4).0,
        start: processes::at_rest,
        outage: 0.25,
        longest_outage: 1.0 / 50.0,
    },
];

/// Which series of a corpus.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// In `CORPORA`.
    pub(crate) corpus: usize,
    /// In the families of the corpus.
    pub(crate) family: usize,
    /// In the samplings of the corpus.
    pub(crate) sampling: usize,
    /// Among the series of one family and sampling.
    pub(crate) index: u64,
}

impl Place {
    /// Every series of a corpus that the label of its family allows to count, `each` of a family and sampling.
    pub(crate) fn all(corpus: usize, each: u64) -> impl Iterator<Item = Place> {
        let Corpus { families, samplings, .. } = &CORPORA[corpus];
        let cells = (0..families.len()).flat_map(|family| (0..samplings.len()).map(move |sampling| (family, sampling)));
        cells
            .filter(|&(family, sampling)| families[family].label(&samplings[sampling]) != Label::Undecidable)
            .flat_map(move |(family, sampling)| (0..each).map(move |index| Place { corpus, family, sampling, index }))
    }

    pub(crate) fn corpus(self) -> &'static Corpus {
        &CORPORA[self.corpus]
    }

    pub(crate) fn family(self) -> &'static Family {
        &self.corpus().families[self.family]
    }

    pub(crate) fn sampling(self) -> &'static Sampling {
        &self.corpus().samplings[self.sampling]
    }

    pub(crate) fn leaks(self) -> bool {
        self.family().label(self.sampling()) == Label::Leak
    }

    /// The series of this place, over so many windows.
    pub(crate) fn make(self, seed: u64, windows: usize) -> Labelled {
        let purpose =
            (self.corpus as u64) << 56 | (self.sampling as u64) << 48 | (self.family as u64) << 40 | self.index;
        let random = Random::of(seed, 1 + purpose);
        let corpus = self.corpus();
        let mut container = Container::new(random, self.sampling(), windows);
        (corpus.start)(&mut container);
        (self.family().make)(&mut container);
        Labelled::new(container, corpus)
    }
}

/// A series with what is true of it.
pub(crate) struct Labelled {
    /// Seconds between two readings.
    step: f64,
    /// What was printed, with its resolution, in bytes; `None` where the scrape failed.
    readings: Vec<Option<WrittenAmount>>,
    /// What a leak has lost since the start, restarts or not, in bytes; all 0 without a leak.
    pub(crate) lost: Vec<f64>,
    /// The limit of the container in bytes.
    pub(crate) limit: f64,
}

impl Labelled {
    fn new(mut container: Container, corpus: &Corpus) -> Labelled {
        let mut readings: Vec<Option<WrittenAmount>> = container
            .held
            .iter()
            .zip(&container.noise)
            .map(|(held, noise)| MIB * (held + noise).max(container.least))
            .map(|bytes| Some(if container.printed_by_docker { printed(bytes) } else { paged(bytes) }))
            .collect();
        let n = container.n;
        let longest = ((n as f64 * corpus.longest_outage) as usize).max(2);
        for window in 0..container.windows {
            if container.random.chance(corpus.outage) {
                let at = window * n + container.random.whole(0..n);
                let end = (at + container.random.whole(1..longest)).min(readings.len());
                readings[at..end].fill(None);
            }
        }
        let lost = container.lost.iter().map(|mib| mib * MIB).collect();
        Labelled { step: container.step, readings, lost, limit: (container.limit * MIB).round() }
    }

    /// Readings, taken or missed.
    pub(crate) fn len(&self) -> usize {
        self.readings.len()
    }

    /// One reading in bytes, `None` where the scrape failed.
    pub(crate) fn bytes(&self, index: usize) -> Option<f64> {
        self.readings[index].map(|amount| amount.bytes)
    }

    /// What is seen of these readings.
    pub(crate) fn observed(&self, indices: impl Iterator<Item = usize>) -> MemorySeries {
        /// The first of January 2026, a Thursday, in milliseconds.
        const START_MS: i64 = 1_767_225_600_000;

        let mut samples = Samples::default();
        for index in indices {
            if let Some(amount) = self.readings[index] {
                let time_ms = START_MS + (index as f64 * self.step * 1000.0) as i64;
                samples.push(time_ms, amount.bytes, amount.resolution, Marks::default());
            }
        }
        let info = SeriesInfo {
            id: "generated".to_owned(),
            labels: Labels::new(),
            limit: None,
            metric: Metric::WorkingSet,
            container_given: false,
            sampling: Kind::Raw,
        };
        MemorySeries::new(info, samples).expect("most readings are there")
    }
}

/// As `docker stats` prints it: four digits.
fn printed(bytes: f64) -> WrittenAmount {
    docker_text(bytes).parse().expect("docker's text is an amount")
}

/// Whole pages, as an exporter prints them: to the byte, for all that one can know.
fn paged(bytes: f64) -> WrittenAmount {
    const PAGE: f64 = 4.0 * KIB;
    WrittenAmount { bytes: (bytes / PAGE).round() * PAGE, resolution: 1.0 }
}
