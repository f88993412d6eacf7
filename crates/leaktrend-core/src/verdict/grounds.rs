//! What a verdict rests on, as facts; `words` puts them into sentences.

use super::{Climb, JudgeTerms, RegimeWhy, Verdict};
use crate::fit::Tolerance;
use crate::segment::Reading;
use crate::stats::trend::Form;

/// What a verdict rests on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Grounds {
    /// There are too few samples to judge.
    TooFewSamples {
        /// How many there are.
        n_samples: usize,
    },
    /// No stretch between falls is long enough to judge.
    NoLongStretch,
    /// There is no sample in the time that is to be judged: after a load.
    NothingAfterLoad,
    /// A stretch was measured.
    Measured(Box<Evidence>),
}

/// What was measured, beside growth.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Evidence {
    /// Whether it is that of a workload: its restarts are rollouts, and its memory that of a typical pod.
    pub of_workload: bool,
    /// What the verdict is about.
    pub subject: Subject,
    /// What the stretch that was measured begins with.
    pub since: RegimeWhy,
    /// The course that explains the stretch best.
    pub course: Course,
    /// What growth matters.
    pub tolerance: Tolerance,
    /// By how much memory is higher at the end than at the beginning of the window, in bytes.
    pub risen_bytes: f64,
    /// How memory rose before it became level, where that took more than few readings; `None` for a step.
    pub climb: Option<Climb>,
    /// The level that memory held before it fell and to which it comes back, in bytes: a cache that refills. `None` where
    /// it did not fall from a level, or is past it.
    pub refills_to: Option<f64>,
    /// Whether growth is what was read since the present regime began, which the shape's own interval excludes.
    pub as_read: bool,
    /// Runs between restarts that were looked at, at least one.
    pub runs: usize,
    /// Restarts in the window.
    pub restarts: usize,
    /// Falls that may be restarts or not.
    pub open_falls: usize,
    /// The steps of stepping growth; `None` where there are none.
    pub steps: Option<Steps>,
    /// What keeps a firmer verdict from being claimed; `None` where nothing does.
    pub doubt: Option<Doubt>,
    /// How the open falls may be read otherwise, and what the verdict would be then; `None` where there is one reading.
    pub other_reading: Option<(Reading, Verdict)>,
    /// Whether growth this clear is to be expected by chance among the series of the run.
    pub may_be_chance: bool,
    /// From the first to the last sample, in seconds.
    pub span_seconds: f64,
    /// The terms under which it was judged.
    pub terms: JudgeTerms,
}

/// What a verdict is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Memory as it was read.
    Memory,
    /// What garbage collections leave.
    Troughs,
    /// The highest tenth of the readings.
    Peaks,
}

/// Steps up, none back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps {
    /// How many, at least three.
    pub count: usize,
    /// All together, in bytes.
    pub total_bytes: f64,
    /// The largest, in bytes.
    pub largest_bytes: f64,
}

/// The course of memory over a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// A straight line, level or not.
    Line,
    /// A rise that levels off, on a line.
    WarmUp,
    /// A level, then growth.
    Hinge,
    /// A line that bends.
    Bend,
    /// One lasting shift of the level.
    OneStep,
    /// Two or more lasting shifts.
    Steps,
    /// Another level for a while.
    Pulse,
    /// Runs between restarts that are alike.
    Runs,
}

impl Course {
    pub(super) fn of(form: &Form) -> Course {
        match form {
            Form::Line => Course::Line,
            Form::Saturating(_) => Course::WarmUp,
            Form::Hinge(_) => Course::Hinge,
            Form::Broken(_) => Course::Bend,
            Form::Steps(at) if at.len() == 1 => Course::OneStep,
            Form::Steps(_) => Course::Steps,
            Form::Pulse(_) => Course::Pulse,
            Form::Lives { .. } => Course::Runs,
        }
    }
}

/// What keeps a firmer verdict from being claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// Growth may be smaller than what matters.
    Size,
    /// It may be noise that wanders.
    Noise,
    /// It may be the swing of a day.
    Day,
    /// It may be a start-up.
    StartUp,
    /// One of troughs and means does not show it.
    View,
    /// It may be what a level shift beside it leaves, whose place was searched for.
    Shift,
    /// Only the highest readings show it.
    Peaks,
    /// Too little of the last quarter was read.
    Unseen,
    /// It is seen in the later half only.
    LaterHalf,
    /// It rests on what falls are taken for.
    Reading,
}
