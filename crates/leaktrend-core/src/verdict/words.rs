//! Puts a judgement into sentences.

use super::grounds::{Course, Doubt, Evidence, Grounds, Subject};
use super::{Growth, Judgement, RegimeWhy, Verdict};
use crate::fit::{MIN_SAMPLES, ToleranceRule};
use crate::segment::Reading;
use crate::units::{duration_text, memory_text};

/// Who restarts this often, in seconds, is not deployed as often.
const OFTEN: f64 = 12.0 * 3600.0;
/// A climb to more than so many times what is left of it was given back in part.
const GAVE_BACK: f64 = 1.25;

impl Judgement {
    /// Whether it is about what garbage collections leave of memory.
    pub fn is_of_troughs(&self) -> bool {
        matches!(&self.grounds, Grounds::Measured(evidence) if evidence.subject == Subject::Troughs)
    }

    /// Whether memory gave back part of what it climbed by before it became level.
    pub fn gave_back(&self) -> bool {
        matches!(&self.grounds, Grounds::Measured(evidence) if gave_back(evidence))
    }

    /// Why, as one sentence with numbers, without a final period.
    pub fn reason(&self) -> String {
        let needed = self.open_for_seconds();
        match (&self.grounds, &self.growth) {
            (Grounds::Measured(evidence), Some(growth)) => {
                let chance = if evidence.may_be_chance { "; with so many series judged, it may be chance" } else { "" };
                Wording { verdict: self.verdict, evidence, growth, needed }.reason() + chance
            }
            (Grounds::TooFewSamples { n_samples: n }, _) => {
                let longer =
                    needed.map_or(String::new(), |seconds| format!("; measure {} longer", duration_text(seconds)));
                let samples = if *n == 1 { "sample is" } else { "samples are" };
                format!("{n} {samples} too few to judge (at least {MIN_SAMPLES} are needed){longer}")
            }
            (Grounds::NothingAfterLoad, _) => {
                "there is no sample after the end of the load; go on measuring after it".to_owned()
            }
            (Grounds::NoLongStretch | Grounds::Measured(_), _) => {
                "no run between drops is long enough to judge".to_owned()
            }
        }
    }

    /// How much longer to measure until it is known whether memory leaks, in seconds; `None` where it is known, or where
    /// no length of time tells.
    pub fn open_for_seconds(&self) -> Option<f64> {
        self.detectable.and_then(|detectable| detectable.needed_seconds).filter(|_| self.is_open())
    }

    /// Whether it is not known whether memory leaks.
    pub fn is_open(&self) -> bool {
        matches!(self.verdict, Verdict::Inconclusive | Verdict::LeakSuspected)
    }

    /// What would change the verdict, as a part of a sentence without a final period.
    pub fn would_change(&self) -> String {
        let needed = self.open_for_seconds();
        match (&self.grounds, &self.growth) {
            (Grounds::Measured(evidence), Some(growth)) => {
                Wording { verdict: self.verdict, evidence, growth, needed }.would_change()
            }
            (Grounds::NothingAfterLoad, _) => "samples after the load".to_owned(),
            _ => "more samples".to_owned(),
        }
    }
}

/// A judgement that rests on a measured stretch.
struct Wording<'a> {
    verdict: Verdict,
    evidence: &'a Evidence,
    growth: &'a Growth,
    /// How much longer to measure, in seconds.
    needed: Option<f64>,
}

impl Wording<'_> {
    fn rate_text(&self, bytes_per_second: f64) -> String {
        self.evidence.terms.rate_unit.text(bytes_per_second)
    }

    fn tolerance_text(&self) -> String {
        self.rate_text(self.evidence.tolerance.bytes_per_second)
    }

    fn rate_interval_text(&self) -> String {
        let Growth { bytes_per_second, lower, upper, confidence, .. } = *self.growth;
        let interval = self.evidence.terms.rate_unit.interval_text(bytes_per_second, lower, upper);
        interval.replace(')', &format!(" at {:.0} % confidence)", 100.0 * confidence))
    }

    fn subject(&self) -> &'static str {
        match self.evidence.subject {
            Subject::Peaks => "the highest tenth of its readings",
            Subject::Troughs => "memory after garbage collections",
            Subject::Memory => "memory",
        }
    }

    /// Of which part of the window it is said, where that is not the whole; begins with a space.
    fn settled(&self) -> &'static str {
        match self.evidence.since {
            RegimeWhy::Restart if self.evidence.runs > 1 => "",
            RegimeWhy::Restart if self.evidence.of_workload => " after its last rollout",
            RegimeWhy::Restart if self.evidence.restarts_inferred => " after its last probable restart",
            RegimeWhy::Restart => " after its last restart",
            RegimeWhy::LaterHalf => " in the later half of the window",
            _ => "",
        }
    }

    fn reason(&self) -> String {
        let Wording { verdict, evidence, growth, .. } = *self;
        let tolerance = self.tolerance_text();
        let (subject, settled, rate) = (self.subject(), self.settled(), self.rate_interval_text());
        let excluded = format!("growth of more than {tolerance} can be ruled out");
        let risen = memory_text(evidence.risen_bytes);
        let runs = evidence.runs;
        let restart = self.restart();
        match verdict {
            Verdict::Leak => {
                let falls = match evidence.open_falls {
                    0 => String::new(),
                    _ => format!(", whether or not {}", self.drops_were_restarts()),
                };
                let course = match evidence.course {
                    // Of one run there is nothing to compare.
                    Course::Runs if runs == 1 => String::new(),
                    course => format!(", {}", course_words(course)),
                };
                format!("{subject} grows {rate}{settled}{course}{falls}")
            }
            Verdict::LeakMaskedByRestarts => format!("memory grows {rate} {}", self.growing_runs()),
            Verdict::SteppingGrowth => {
                let steps = evidence.steps.map_or(String::new(), |steps| {
                    let (total, largest) = (memory_text(steps.total_bytes), memory_text(steps.largest_bytes));
                    format!(" by {total} in {} steps of up to {largest}", steps.count)
                });
                format!("memory rose{steps} and never came back down: typical of an unbounded cache")
            }
            Verdict::LeakSuspected => match evidence.refills_to {
                Some(level) => format!(
                    "{subject} fell, has grown {rate} since, and is still below the {} that it held before: typical of \
                     a cache that refills; a leak would grow past that level",
                    memory_text(level)
                ),
                None => format!("{subject} grows {rate}{settled}{}", self.doubt(&tolerance)),
            },
            Verdict::Step => format!("{subject} {} and has been level since{}: {excluded}", self.rose(), self.kept()),
            Verdict::WarmedUp => match evidence.since {
                RegimeWhy::Whole | RegimeWhy::StartUp => {
                    format!("{subject} rose by {risen} and has been level since: {excluded}")
                }
                // `risen` counts from the beginning of the window, and this rise began later.
                _ => format!("{subject} has levelled off{settled}: {excluded}"),
            },
            Verdict::Flat if runs > 1 && evidence.restarts > 0 => {
                if evidence.since == RegimeWhy::Restart {
                    return format!("memory is level in its last {runs} runs between {restart}s: {excluded}");
                }
                let runs = if runs == 2 { "both".to_owned() } else { format!("all {runs}") };
                format!("between {restart}s, memory is level in {runs} runs that are long enough to judge: {excluded}")
            }
            Verdict::Flat => format!("{subject} is level{settled}: {excluded}"),
            Verdict::NegligibleGrowth => {
                format!("{subject} grows {rate}{settled}, proven to be less than the {tolerance} that would matter")
            }
            Verdict::Shrinking => format!("{subject} shrinks {}{settled}", self.rate_text(-growth.bytes_per_second)),
            Verdict::Inconclusive => self.open(),
        }
    }

    /// In which of its runs memory grows.
    fn growing_runs(&self) -> String {
        let Evidence { runs, restarts, since, .. } = *self.evidence;
        let (restart, all) = (self.restart(), restarts + 1);
        match (runs, restarts) {
            (1, _) if since == RegimeWhy::Restart => self.settled().trim_start().to_owned(),
            (_, 1) => format!("before and after its one {restart}"),
            _ if since == RegimeWhy::Restart && runs < all => format!("in the last {runs} of its {all} runs"),
            (_, n) if runs < all => {
                format!("between its {n} {restart}s; only {runs} of its {all} runs could be judged")
            }
            (_, n) => format!("between its {n} {restart}s"),
        }
    }

    /// What is not known, and how long it takes to know it.
    fn open(&self) -> String {
        let Wording { evidence, growth, needed, .. } = *self;
        let longer = self.longer(needed);
        if evidence.doubt == Some(Doubt::Unseen) {
            let longer = needed.map_or(String::new(), |_| format!("; {longer}"));
            return format!("too few readings in the last quarter of the window to pass{longer}");
        }
        let (subject, question, matters) = (self.subject(), self.open_question(), evidence.tolerance.bytes_per_second);
        let doubt = || self.doubt(&self.tolerance_text());
        let which = if evidence.doubt == Some(Doubt::Reading) {
            format!("{subject} grows, unless {}: then it is level", self.drops_were_restarts())
        } else if growth.lower > matters {
            format!("{subject} seems to grow fast enough to matter, but this is not proven: {question}{}", doubt())
        } else if growth.upper < 0.0 {
            format!("{subject} seems to fall, but this is not proven: {question}{}", doubt())
        } else if growth.upper < matters {
            format!(
                "{subject} does not seem to grow fast enough to matter, but this is not proven: {question}, and a pass \
                 needs more certainty{}",
                doubt()
            )
        } else if growth.lower > 0.0 {
            format!("{subject} grows, but it is not known whether fast enough to matter: {question}")
        } else {
            format!("{subject} may or may not grow: {question}")
        };
        format!("{which}; {longer}")
    }

    /// How much longer to measure, as the end of a sentence.
    fn longer(&self, needed: Option<f64>) -> String {
        match needed {
            Some(seconds) => {
                let run = self.evidence.span_seconds / (self.evidence.restarts + 1) as f64;
                let how = match self.evidence.restarts {
                    0 => String::new(),
                    // Rollouts are no fault of it, and its pods are judged together.
                    _ if self.evidence.of_workload => String::new(),
                    // No run will be as long as that.
                    n if run < seconds && run < OFTEN => {
                        let what = if self.evidence.restarts_inferred { "memory dropped" } else { "it restarted" };
                        let times = if n == 1 { String::new() } else { format!(" {n} times") };
                        format!(", or find out why {what}{times}")
                    }
                    _ if run < seconds => String::new(),
                    _ => ", without a restart".to_owned(),
                };
                format!("measure about {} longer{how}", duration_text(seconds))
            }
            None => format!(
                "with this much noise, even {} of readings will not decide it",
                duration_text(self.evidence.terms.keep_seconds)
            ),
        }
    }

    /// What decides it: more readings, or less noise where no length of time would do.
    fn what_decides(&self) -> String {
        match self.needed {
            Some(seconds) => format!("a window about {} longer", duration_text(seconds)),
            None if self.evidence.doubt == Some(Doubt::Unseen) => "readings up to the end of the window".to_owned(),
            None => format!(
                "less noise (with this much, even {} of readings will not decide it)",
                duration_text(self.evidence.terms.keep_seconds)
            ),
        }
    }

    /// That its drops were restarts, as the end of a clause.
    fn drops_were_restarts(&self) -> String {
        match self.evidence.open_falls {
            count if self.evidence.deployed => format!("its {count} jumps up and down were restarts"),
            1 => "its drop was a restart".to_owned(),
            count => format!("its {count} drops were restarts"),
        }
    }

    /// What cuts its runs.
    fn restart(&self) -> &'static str {
        match self.evidence {
            evidence if evidence.of_workload => "rollout",
            evidence if evidence.restarts_inferred => "probable restart",
            _ => "restart",
        }
    }

    /// How memory rose to the level that it holds.
    fn rose(&self) -> String {
        let evidence = self.evidence;
        let risen = memory_text(evidence.risen_bytes);
        if let Some(climb) = evidence.climb {
            let (all, over) = (memory_text(climb.bytes), duration_text(climb.seconds));
            return if gave_back(evidence) {
                format!("climbed by {all} within {over}, gave part of it back,")
            } else {
                format!("climbed by {risen} within {over}")
            };
        }
        let how = match evidence.course {
            _ if evidence.since != RegimeWhy::Whole => "in a jump",
            Course::Runs if evidence.of_workload => "between one rollout and the next",
            Course::Runs => "between one run and the next",
            Course::Pulse => "(it fell back in part)",
            Course::OneStep => "in one step",
            _ => return format!("rose by {risen}"),
        };
        format!("rose by {risen} {how}")
    }

    /// What is left of a climb of which a part was given back, as the end of a clause.
    fn kept(&self) -> String {
        let risen = self.evidence.risen_bytes;
        if gave_back(self.evidence) { format!(", {} above where it began", memory_text(risen)) } else { String::new() }
    }

    fn doubt(&self, tolerance: &str) -> String {
        let evidence = self.evidence;
        let longer =
            || self.needed.map_or(String::new(), |needed| format!(": measure about {} longer", duration_text(needed)));
        match evidence.doubt {
            // What would pass has a sentence of its own.
            None | Some(Doubt::Unseen) => String::new(),
            Some(Doubt::Size) => format!("; the interval includes the {tolerance} that would matter"),
            Some(Doubt::Noise) => "; slowly drifting noise could look the same".to_owned(),
            Some(Doubt::Day) => {
                let swing = 100.0 * evidence.terms.daily_swing;
                format!(
                    "; less than two days of readings cannot tell this from a daily rhythm, in which memory may rise and fall \
                     by {swing:.0} % of its level{}",
                    longer()
                )
            }
            Some(Doubt::StartUp) => format!("; a start-up would look the same{}", longer()),
            Some(Doubt::View) => "; its lowest readings and its mean show different trends".to_owned(),
            Some(Doubt::Shift) => "; a level shift in the same readings may explain it".to_owned(),
            Some(Doubt::Peaks) => "; its lowest readings and its mean do not grow".to_owned(),
            Some(Doubt::LaterHalf) => "; over the whole window, growth is not proven".to_owned(),
            Some(Doubt::GivenBack) => {
                "; its earlier growth was given back in one drop, by a full garbage collection or a restart: this may \
                 be a cycle"
                    .to_owned()
            }
            Some(Doubt::Reading) => {
                let (they_were, them) = match evidence.open_falls {
                    1 => ("if it was a garbage collection", "it"),
                    _ => ("if they were garbage collections", "them"),
                };
                let other = match &evidence.other_reading {
                    Some((Reading::Collections, verdict)) if verdict.proves_no_leak() => {
                        format!("{they_were}, memory after {them} is level")
                    }
                    Some((Reading::Collections, _)) => {
                        format!("{they_were}, it is not known whether memory after {them} grows")
                    }
                    _ => "otherwise it is not known whether it grows".to_owned(),
                };
                format!(" if {}; {other}: values alone cannot tell", self.drops_were_restarts())
            }
        }
    }

    fn would_change(&self) -> String {
        let tolerance = self.tolerance_text();
        let decides = self.what_decides();
        match self.verdict {
            Verdict::Leak | Verdict::SteppingGrowth => "a longer window in which memory stays level".to_owned(),
            Verdict::LeakMaskedByRestarts if self.evidence.of_workload => {
                "pods that level off before the next rollout replaces them".to_owned()
            }
            Verdict::LeakMaskedByRestarts => "runs that level off before the next restart".to_owned(),
            Verdict::LeakSuspected | Verdict::Inconclusive if self.evidence.of_workload => {
                format!("{decides}, or more pods of different ages side by side")
            }
            Verdict::LeakSuspected if self.evidence.open_falls > 0 => {
                format!("{decides}, or a record of its restarts (events, or docker stats with its I/O columns)")
            }
            Verdict::LeakSuspected | Verdict::Inconclusive => decides,
            Verdict::Step if self.evidence.climb.is_some() => "growth after the climb".to_owned(),
            Verdict::Step => "growth after the step, or further steps".to_owned(),
            Verdict::NegligibleGrowth => format!("growth above {tolerance}, or a smaller tolerance"),
            Verdict::WarmedUp | Verdict::Flat | Verdict::Shrinking => {
                format!("growth above {tolerance}; smaller growth does not count")
            }
        }
    }

    fn open_question(&self) -> String {
        let Wording { evidence, growth, .. } = *self;
        let resolution = match evidence.tolerance.rule {
            ToleranceRule::Resolution => " (the least that the input's resolution can show)",
            _ => "",
        };
        let unit = evidence.terms.rate_unit;
        format!(
            "between {} at {:.0} % confidence; {} would matter{resolution}",
            unit.bounds_text(growth.bytes_per_second, growth.lower, growth.upper),
            100.0 * growth.confidence,
            unit.text(evidence.tolerance.bytes_per_second),
        )
    }
}

/// Whether memory climbed to more than it then held.
fn gave_back(evidence: &Evidence) -> bool {
    evidence.climb.is_some_and(|climb| GAVE_BACK * evidence.risen_bytes < climb.bytes)
}

/// How a series came to grow, in words.
fn course_words(course: Course) -> &'static str {
    match course {
        Course::Line => "in a straight line",
        Course::WarmUp => "after a warm-up",
        Course::Hinge => "after a time at one level",
        Course::Bend => "along a line that bends",
        Course::Climb => "in addition to a climb to another level",
        Course::OneStep | Course::Steps => "in addition to a level shift",
        Course::WithShifts => "counting its level shifts",
        Course::Pulse => "apart from a shift to another level and back",
        Course::Runs => "at one rate in all runs judged",
    }
}
