//! The grounds of a verdict, as data; `words` makes sentences of them.

use super::{Climb, JudgeTerms, RegimeWhy, Verdict};
use crate::fit::Tolerance;
use crate::segment::Reading;
use crate::stats::trend::Form;

/// The grounds of a verdict.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Grounds {
    /// There are too few samples to judge.
    TooFewSamples {
        /// How many there are.
        n_samples: usize,
    },
    /// No run between drops is long enough to judge.
    NoLongStretch,
    /// There is no sample in the time that is to be judged: after a load.
    NothingAfterLoad,
    /// A stretch was measured.
    Measured(Box<Evidence>),
}

/// What was measured in addition to growth.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Evidence {
    /// Whether it is that of a workload: its restarts are rollouts, and its memory that of a typical pod.
    pub of_workload: bool,
    /// What the verdict is about.
    pub subject: Subject,
    /// What the stretch that was measured begins with.
    pub since: RegimeWhy,
    /// The course that explains the stretch best.
    pub course: Course,
    /// The growth that matters.
    pub tolerance: Tolerance,
    /// By how much memory is higher at the end than at the beginning of the window, in bytes.
    pub risen_bytes: f64,
    /// How memory rose before it became level, if that took more than a few readings; `None` for a step.
    pub climb: Option<Climb>,
    /// The level that memory held before it dropped, and to which it returns, in bytes: a cache that refills. `None` if it
    /// did not drop from a level, or is above it.
    pub refills_to: Option<f64>,
    /// Whether the growth is that of the readings since the present regime began, because the interval of the shape excludes
    /// it.
    pub as_read: bool,
    /// Runs between restarts that were looked at, at least one.
    pub runs: usize,
    /// Restarts in the window.
    pub restarts: usize,
    /// Whether only values show them, so that they may be garbage collections.
    pub restarts_inferred: bool,
    /// Drops that may or may not be restarts.
    pub open_falls: usize,
    /// Whether these are jumps up as well: a service that is often deployed anew, each process at another height.
    pub deployed: bool,
    /// The steps of stepping growth; `None` where there are none.
    pub steps: Option<Steps>,
    /// Why no firmer verdict is claimed; `None` if there is no reason.
    pub doubt: Option<Doubt>,
    /// The other reading of the open drops, and its verdict; `None` if there is only one reading.
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
    /// Memory after garbage collections.
    Troughs,
    /// The highest tenth of the readings.
    Peaks,
}

/// Steps up, none down.
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
    /// A climb to another level.
    Climb,
    /// One lasting shift of the level.
    OneStep,
    /// Two or more lasting shifts.
    Steps,
    /// Level shifts and what grows beside them, counted together: all that was gained since growth began.
    WithShifts,
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
            Form::Climb(_) | Form::Runs { climb: Some(_), .. } => Course::Climb,
            Form::Steps(at) if at.len() == 1 => Course::OneStep,
            Form::Steps(_) => Course::Steps,
            Form::Pulse(_) => Course::Pulse,
            Form::Runs { .. } => Course::Runs,
        }
    }
}

/// Why no firmer verdict is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// Growth may be smaller than what matters.
    Size,
    /// It may be wandering noise.
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
    /// The last quarter has too few readings.
    Unseen,
    /// It is seen in the later half only.
    LaterHalf,
    /// It depends on how drops are read.
    Reading,
    /// A drop that may be a full collection gave back what was gained before it.
    GivenBack,
}
