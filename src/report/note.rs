//! What a reader must know about a run or one of its series, as data; `words::notes` puts it into words.

use crate::account::Timeline;
use crate::criteria::reason::Moment;
use crate::events::Ending;

/// What a reader must know of a run. What `Display` writes is a sentence without a final period.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// A `[[series]]` table matches no series: its pattern, and the nearest names.
    NothingMatches(String, Vec<String>),
    /// No series is selected: by what, and the first that the inputs hold.
    NothingSelected(String, Vec<String>),
    /// Only a part of the samples was judged.
    Window {
        /// From when to when, in milliseconds.
        judged_ms: (i64, i64),
        /// From when to when there are samples, in milliseconds.
        samples_ms: (i64, i64),
        /// Whether these times are known.
        timeline: Timeline,
    },
    /// There was a load from one time to another, in milliseconds.
    Load(i64, i64, Timeline),
    /// So many series have no sample in the window, among them these.
    NotInWindow(usize, Vec<String>),
    /// Limits in an input are the memory of the host, as the user says or as they look.
    HostLimit {
        /// The input.
        path: String,
        /// The limit, in bytes.
        bytes: f64,
        /// In how many series it stands.
        n: usize,
        /// How many series have a limit.
        n_series: usize,
        /// Whether the user says so.
        is_given: bool,
    },
    /// `--by workload` finds no pods.
    NoPods,
    /// Pods are judged by workload, because many ended.
    ByWorkload {
        /// How many ended before the last reading.
        n_ended: usize,
        /// How many there are.
        n_pods: usize,
        /// Of how many workloads.
        n_workloads: usize,
    },
    /// Requests and changes were not read, because readings have no times.
    NothingCounted,
    /// A window of a night is overruled by a shorter one: the series, and how fast it grew, in bytes per second.
    GrewUntil(String, f64, Overruled),
}

/// What a reader must know of a series. What `Display` writes is a sentence without a final period.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SeriesNote {
    /// The series is judged by a shorter window of the night.
    JudgedBy(Overruled),
    /// A longer window of the night shows a leak that this one does not.
    LeaksIn {
        /// The name of that window.
        longer: &'static str,
    },
    /// It leaks or not, as its drops are read: the largest of them.
    OpenDrops(Vec<OpenDrop>),
    /// A limit that readings show is the memory of the host, in bytes.
    ShownLimit(f64),
    /// The metric counts page cache.
    CountsCache,
    /// The points come from a range query.
    RangeQuery,
    /// Only what follows the load is judged.
    AfterLoad,
    /// Alerts were replayed on another amount than the runbook's.
    ReplayedOn {
        /// That amount.
        amount: String,
        /// The highest reading of the runbook's, in bytes.
        highest_bytes: f64,
        /// The limit, in bytes.
        limit_bytes: Option<f64>,
        /// Above this share of it `high-memory` alerts.
        alert_share: f64,
    },
    /// How the container ended after its last reading.
    Ended(Ending),
    /// The series has too few samples to make the run inconclusive.
    FewSamples,
    /// The series ended too early to make the run inconclusive.
    EndedEarly,
    /// It is a workload: how many pods and versions it has, and how many run.
    Workload {
        /// All pods.
        n_pods: usize,
        /// All versions that are known.
        n_versions: usize,
        /// Pods at the last reading.
        n_running: usize,
    },
    /// A pod differs from its siblings.
    Differs {
        /// Its name.
        pod: String,
        /// How much faster it grows, with the ends of the interval, in bytes per second.
        faster: (f64, f64, f64),
        /// Its last reading, in milliseconds, where others go on.
        last_ms: Option<i64>,
    },
}

impl SeriesNote {
    /// Whether it must be known of a healthy series as well: something else says that it is not.
    pub fn contradicts_a_pass(&self) -> bool {
        match self {
            SeriesNote::LeaksIn { .. } => true,
            SeriesNote::ReplayedOn { highest_bytes, limit_bytes: Some(limit), alert_share, .. } => {
                highest_bytes / limit > *alert_share
            }
            _ => false,
        }
    }
}

/// A drop of memory of which nothing but its values tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpenDrop {
    /// When.
    pub at: Moment,
    /// The level before it, in bytes.
    pub before_bytes: f64,
    /// The first reading after it, in bytes.
    pub after_bytes: f64,
}

/// A window of a night that is not heard, and the one that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overruled {
    /// The name of the one that is heard.
    pub shorter: &'static str,
    /// The name of the other.
    pub longer: &'static str,
}
