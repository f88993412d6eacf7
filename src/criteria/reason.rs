//! Why criteria came out as they did, as data; `report::words::criteria` puts it into words.
//!
//! Amounts are bytes, rates bytes per second, times milliseconds, shares 0 to 1. A step is how far apart readings
//! usually are, in seconds; `None` for a single one.

use super::alert_rule::Threshold;
use super::{AlertGroup, Drops, Normal, TrendJudgement};
use crate::segment::Cause;
use crate::series::{MemorySeries, Metric, Sampling};
use crate::settings::{ConfirmedSettings, RapidSettings, RestartLoopSettings};
use crate::units::Seconds;

/// Why a criterion came out as it did. What `Display` writes is a sentence with numbers, without a final period.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// An alert was replayed.
    Replayed(Box<Replayed>),
    /// An alert distinguishes these metrics, and the input has a single one for all of them.
    Mixed(String),
    /// Memory is printed in steps too coarse for the threshold.
    TooCoarse {
        /// The steps.
        resolution_bytes: f64,
        /// The threshold.
        threshold_bytes: f64,
    },
    /// What memory gained within a short time; whether a load is left out.
    Gained(Gained, ConfirmedSettings, bool),
    /// How fast memory climbed; whether a load is left out.
    Climbed(Climbed, RapidSettings, bool),
    /// What a load left behind.
    AfterLoad(AfterLoad),
    /// The verdict over so many seconds; whether they are those after a load.
    Trend(Trend, f64, bool),
    /// How often drops follow each other.
    Restarts(Restarts, RestartLoopSettings, Drops),
    /// The level after each start.
    Level(FoundLevel, ExpectedLevel, Drops),
    /// The median of an amount against its normal level.
    Normal {
        /// The amount.
        amount: Normal,
        /// Its median.
        median_bytes: f64,
        /// What that must be below.
        max_bytes: f64,
    },
    /// The level after each restart is judged instead.
    JudgedAfterRestarts,
    /// How old the newest reading is.
    Stale(Stale),
    /// It is that of a pod of the workload.
    OfPod {
        /// The last of the pods that came out so.
        pod: String,
        /// How many more came out so.
        more: usize,
        /// Why that one did.
        reason: Box<Reason>,
    },
}

impl Reason {
    /// What the replay of an alert found, where that is the reason; that of a pod, too.
    pub fn replayed(&self) -> Option<&Replayed> {
        match self {
            Reason::Replayed(replayed) => Some(replayed),
            Reason::OfPod { reason, .. } => reason.replayed(),
            _ => None,
        }
    }
}

/// A time of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time.
    pub at_ms: i64,
    /// The last reading of the series: it is counted back from there where no time is known.
    pub end_ms: i64,
}

impl Moment {
    pub(super) fn of(series: &MemorySeries, at_ms: i64) -> Moment {
        Moment { at_ms, end_ms: series.end_ms() }
    }
}

/// Something that does not count, because memory has time to settle after a start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtStart {
    /// When it was reached.
    pub reached: Moment,
    /// When the container started.
    pub start: Moment,
    /// The first reading and the level that readings settle at, where they are why the start is one.
    pub seen_bytes: Option<(f64, f64)>,
    /// How long memory has to settle.
    pub settle: Seconds,
}

/// What the replay of an alert found.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The alert.
    pub alert: Alert,
    /// How long it must hold to fire.
    pub for_seconds: f64,
    /// The compared value that went furthest, in the unit of the threshold.
    pub furthest: Option<f64>,
    /// For how long it held at a stretch, at most.
    pub held_seconds: f64,
    /// What it did.
    pub firing: Firing,
    /// What it was replayed on.
    pub metric: Metric,
    /// How exact that is.
    pub sampling: Sampling,
}

/// What an alert compares.
#[derive(Debug, Clone, PartialEq)]
pub enum Alert {
    /// Growth over so long with an amount.
    Growth(Seconds, f64),
    /// Memory, as a share of a limit.
    HighMemory {
        /// The share that it must exceed.
        threshold: f64,
        /// The limit.
        limit_bytes: f64,
        /// Where that is from.
        limit: LimitOrigin,
    },
    /// What a rule file says.
    Own {
        /// The number that it compares a value with; `None` for any other condition.
        threshold: Option<Threshold>,
        /// What it selects without finding a series.
        missing: Vec<String>,
        /// The group, for an alert that aggregates.
        group: Option<AlertGroup>,
    },
}

/// Where the limit is from that an alert compares with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitOrigin {
    /// It is the container's own.
    Own,
    /// None is known: it is the highest reading before a kill.
    Killed,
    /// The container has none: it is the memory of the host.
    Host,
    /// The container has none: it is that of the settings, below the memory of the host.
    BelowHost,
    /// None is known: it is that of the settings.
    Settings,
}

/// What an alert did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Firing {
    /// It fired.
    Fired {
        /// When first.
        first: Moment,
        /// From when on that counts, where it is later.
        counted: Option<Moment>,
        /// At which share of the evaluation offsets; `None` where the offset is known.
        offsets_share: Option<f64>,
        /// How often; firings between which there is no reading are one.
        times: usize,
        /// For how long in all.
        seconds: f64,
        /// Whether it held to the end of the readings.
        is_firing: bool,
    },
    /// It fired only after a start; whether under the load as well.
    AtStart(AtStart, bool),
    /// It fired only under the load.
    UnderLoad,
    /// It did not: it never held, or not for long enough.
    No,
    /// Readings are too short for it to fire.
    TooShort {
        /// How long they are.
        span_seconds: f64,
        /// How long they would have to be.
        needed_seconds: f64,
    },
    /// Too few evaluations had all values.
    TooSparse {
        /// The share that had.
        share: f64,
        /// The share that is needed.
        needed_share: f64,
        /// The step of the readings.
        step_seconds: Option<f64>,
        /// How old a value may be.
        lookback_seconds: f64,
    },
    /// No evaluation had all values.
    NoValues,
}

/// What memory gained within a short time, and whether it kept that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gained {
    /// Readings of this step cannot show it.
    TooSparse(Option<f64>),
    /// It kept too much: the gain, and when it was reached.
    Kept(f64, Moment),
    /// What followed the gain is too short.
    NotWatched {
        /// The gain.
        bytes: f64,
        /// How long the readings after it are.
        seconds: f64,
    },
    /// So many seconds of readings are too short.
    TooShort(f64),
    /// A gain after a start is too much; the largest of the others.
    AtStart(f64, AtStart, Option<f64>),
    /// The largest gain is not too much.
    AtMost(f64),
    /// The largest gain is too much, and was not kept.
    Released(f64),
}

/// How fast memory climbed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Climbed {
    /// Too fast.
    TooFast {
        /// The fastest slope.
        slope: f64,
        /// When it ended.
        reached: Moment,
        /// The step of the readings, where it is the average between two of them.
        average_over: Option<f64>,
        /// How often, where more than once; and when the last one began, where that is later.
        often: Option<(usize, Option<Moment>)>,
    },
    /// A slope after a start is too fast; the fastest of the others.
    AtStart(f64, AtStart, Option<f64>),
    /// The fastest slope is not too fast.
    AtMost(f64),
    /// Readings of this step give no slope.
    TooSparse {
        /// The fastest average between two of them.
        at_least: f64,
        /// The step.
        step_seconds: Option<f64>,
    },
    /// Readings are too short; without those after a start, whose slope would be too fast.
    TooShort(Option<(f64, AtStart)>),
}

/// What a load left behind.
#[derive(Debug, Clone, PartialEq)]
pub enum AfterLoad {
    /// No load is known.
    NoLoad,
    /// There are too few readings before it.
    NoBaseline {
        /// How many there are.
        readings: usize,
        /// How many are needed.
        needed: usize,
        /// How long these take.
        needed_seconds: f64,
    },
    /// No part of the time after it counts as settled.
    NothingSettles,
    /// There are too few readings after it.
    NotSettled {
        /// How many there are in the last part.
        readings: usize,
        /// How many are needed.
        needed: usize,
        /// What share that part is of the time after the load.
        share: f64,
        /// How long that time is.
        after_seconds: f64,
        /// How much longer it must be.
        longer_seconds: f64,
    },
    /// The process started too soon before it.
    NotWarm {
        /// The start; what was reached is the load.
        start: AtStart,
        /// How many readings are needed after a warm-up.
        needed: usize,
        /// The levels all the same.
        levels: LoadLevels,
    },
    /// Memory grows, whatever it was before.
    Grows(LoadLevels),
    /// Memory grows, and is not yet too high.
    GrowsBelow(LoadLevels),
    /// Memory stays higher than it may.
    Higher(LoadLevels),
    /// Memory came back and does not grow.
    CameBack(LoadLevels),
    /// Memory came back; why the verdict does not say whether it grows.
    MayGrow(LoadLevels, String),
}

/// The levels of memory around a load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadLevels {
    /// Before it.
    pub before_bytes: f64,
    /// At its end, where that was read.
    pub end_bytes: Option<f64>,
    /// After it.
    pub settled_bytes: f64,
    /// How much higher than before it may be.
    pub rise_bytes: f64,
}

/// The verdict of a day.
#[derive(Debug, Clone, PartialEq)]
pub enum Trend {
    /// There is none: so many seconds of readings are needed.
    TooShort(f64),
    /// Its name, what it means, and its own reason.
    Judged(&'static str, TrendJudgement, String),
}

/// How often drops follow each other.
#[derive(Debug, Clone, PartialEq)]
pub enum Restarts {
    /// Too often: from when on, for how many seconds, and how many there are of each cause; of kills for memory also
    /// whether an input records them.
    Loop(Moment, f64, Vec<(Cause, bool, usize)>),
    /// So many at most; with the share of the time that events cover, where it takes events to see this.
    AtMost(usize, Option<f64>),
    /// Neither readings nor events can show it.
    NotSeen {
        /// The step of the readings.
        step_seconds: Option<f64>,
        /// The share of the time that events cover.
        watched_share: f64,
    },
}

/// The level after a start that is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpectedLevel {
    /// From when after it readings count.
    pub from_ms: i64,
    /// Until when after it readings count.
    pub to_ms: i64,
    /// Whether it is the highest of these readings, else their median.
    pub highest: bool,
    /// What it must be below.
    pub max_bytes: f64,
}

/// The level after each start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FoundLevel {
    /// There is no start, but so many drops that are none.
    NoStart(usize),
    /// No readings follow so many starts.
    NoReadings(usize),
    /// The highest of so many levels, and after which start it is.
    Highest(f64, Moment, usize),
}

/// How old the newest reading is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stale {
    /// Nobody asks.
    NotNightly,
    /// The container is gone: its last reading, and how it ended.
    Gone(Moment, Ended),
    /// There are too few readings to tell how often they come.
    TooFew,
    /// It is so many seconds ahead of the clock.
    Ahead(f64),
    /// It has an age.
    Age {
        /// The age.
        seconds: f64,
        /// The highest that is allowed.
        max_seconds: f64,
        /// The usual time between two readings.
        interval_seconds: f64,
    },
}

/// How a container that is gone ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ended {
    /// Nothing was wrong with it.
    Well,
    /// Near its limit.
    NearLimit {
        /// Its last reading.
        bytes: f64,
        /// The share of the limit that this is.
        share: f64,
    },
    /// It had failed the night before, with this verdict.
    Failed(&'static str),
}
