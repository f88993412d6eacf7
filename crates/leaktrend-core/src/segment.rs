//! Says what the falls of a series may be: restarts, collections of garbage, or ends of jobs.
//!
//! Explicit evidence (events, a new container ID, counters that fell in the same row) overrides values. Values alone
//! are ambiguous, since a collection falls like a restart: a fall is named a restart only when it goes back to the level
//! of a start, or comes by the clock, and does not merely end an excursion; what may be either is left open, and read
//! both ways. Times are seconds from the first sample, values bytes.

mod deployments;
mod excursions;

use std::borrow::Cow;
use std::ops::Range;

use self::excursions::Excursions;
use crate::series::{Marks, MemorySeries};
use crate::stats::falls::Falls;
use crate::stats::robust::{RunningMedian, mad, mean, median, median_of};
use crate::stats::{falls, spikes};

/// A fall by a smaller share of the level before it is no restart.
const SHALLOW: f64 = 0.12;
/// More falls than this are collections: what restarts so often does so from one ceiling or by a clock.
const MANY_FALLS: usize = 12;
/// So many collections leave floors enough to say something.
const MIN_CYCLES: usize = 5;
/// After a restart at most this share of the memory before it is left.
pub const RESTART_DEPTH: f64 = 0.6;
/// A restart goes back at least this share of the way to the start level; a load that is released keeps some.
const WAY_BACK: f64 = 0.75;
/// OOM kills happen at one level: the levels before the falls agree within this share of their median.
const CEILING_SPREAD: f64 = 0.03;
/// The last reading before a kill lies anywhere within one step's rise below the ceiling: of a uniform distribution
/// the scaled median absolute deviation is this share of its width (1.4826 / 4).
const BETWEEN_READINGS: f64 = 0.37;
/// A series begins with a start below this share of the level that it settles at.
pub const START_UP: f64 = 0.5;
/// A gap is a step longer than this many usual ones.
const GAP_STEPS: f64 = 3.0;
/// After a gap, up to this multiple of the start level still is a start.
const START_AGAIN: f64 = 1.25;
/// Killed for memory: the last reading is at least this share of the limit.
const NEAR_LIMIT: f64 = 0.9;
/// Or within this share of the highest level from which two or more runs fell.
const NEAR_CEILING: f64 = 0.05;
/// Periods that schedulers use, in hours. Without the week: by that weekends come, too.
const CLOCK_HOURS: [f64; 8] = [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 24.0];
/// A period shorter than this many samples cannot be distinguished from chance: 1.5 samples are 4 % of it.
const CLOCK_MIN_SAMPLES: f64 = 38.0;
/// Down to so many a clock is no more than possible: 1.5 samples are 6 % of it.
const CLOCK_FEWEST_SAMPLES: f64 = 24.0;
/// Each end of a run of restarts on time is seen up to one sample late, and a restart may take half of one.
const CLOCK_DRIFT_SAMPLES: f64 = 1.5;
/// One or two falls are trusted as restarts only between runs of this many samples ...
const TRUSTED_RUN_SAMPLES: usize = 40;
/// (half as many where hardly anything is left: a collection leaves code, stacks and live objects) ...
const TRUSTED_SHORT_RUN_SAMPLES: usize = 20;
/// (at most this share) ...
const HARDLY_ANYTHING: f64 = 0.1;
/// ... and this many seconds.
const TRUSTED_RUN_SECONDS: f64 = 1200.0;

crate::named! {
    /// The evidence that a container restarted.
    pub enum Cause {
        /// Killed for memory: an event says so, or it fell from its limit, or from the ceiling at which others fell.
        Oom = "oom",
        /// The container ID changed under its name.
        Recreated = "recreated",
        /// An event says that it ended or started.
        Event = "event",
        /// Its I/O counters fell in the same row.
        CounterReset = "counter-reset",
        /// It was absent, and came back at the level of a start.
        Gap = "gap",
        /// Its memory fell to the level of a start.
        LevelDrop = "level-drop",
    }
}

impl Cause {
    /// The evidence in words for a reader.
    pub const fn words(self) -> &'static str {
        match self {
            Cause::Oom => "fell from its ceiling, as after an OOM kill",
            Cause::Recreated => "recreated: its ID changed",
            Cause::Event => "restarted",
            Cause::CounterReset => "restarted: its I/O counters were reset",
            Cause::Gap => "missing for a while, then back at start-up level",
            Cause::LevelDrop => "memory fell to start-up level",
        }
    }
}

/// A restart.
#[derive(Debug, Clone, PartialEq)]
pub struct Restart {
    /// Index of the first sample after it.
    pub at: usize,
    /// The evidence for it.
    pub cause: Cause,
    /// Memory before it, in bytes.
    pub before_bytes: f64,
    /// Memory after it, in bytes.
    pub after_bytes: f64,
}

/// How drops that may be restarts or garbage collections are interpreted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As neither: they are part of the noise.
    Noise,
    /// As restarts: each begins a new run.
    Restarts,
    /// As garbage collections: the memory after them counts.
    Collections,
}

/// A series and its drops.
#[derive(Debug, Clone, PartialEq)]
pub struct Segmentation<'a> {
    /// Times of the samples, in seconds from the first.
    pub seconds: Vec<f64>,
    /// Memory in bytes, with spikes replaced by the median of their neighbours; borrowed from the series if it has none.
    pub values: Cow<'a, [f64]>,
    /// The drops and spikes in them.
    pub falls: Falling,
}

/// Drops and spikes in the values of a series. Each index is that of the first sample after a drop.
#[derive(Debug, Clone, PartialEq)]
pub struct Falling {
    /// Indices of the replaced samples.
    pub spikes: Vec<usize>,
    /// Restarts that are reported, increasing.
    pub restarts: Vec<Restart>,
    /// Whether nothing but values shows them: no event, counter, ID or absence, nor a limit that they fell from.
    pub inferred: bool,
    /// Drops that are restarts in every reading, increasing: explicit, by the clock, from one ceiling, or between long
    /// runs.
    pub certain: Vec<usize>,
    /// Drops that may be restarts or garbage collections, increasing; jumps up as well where it is `deployed`.
    pub open: Vec<usize>,
    /// Drops that may be garbage collections, including shallow ones, increasing.
    pub collections: Vec<usize>,
    /// The usual time between two of these, in seconds; 0 with fewer than two.
    pub cycle: f64,
    /// Plausible readings of the open drops, likeliest first; at least one.
    pub readings: Vec<Reading>,
    /// Samples of jobs that came and went, increasing.
    pub pulses: Vec<Range<usize>>,
    /// Whether it jumps up as often as down, as a service does that is often deployed anew, each process at another height.
    pub deployed: bool,
}

impl Segmentation<'_> {
    /// The samples between reported restarts, in order; a single run without restarts.
    pub fn runs(&self) -> Vec<Range<usize>> {
        let cuts: Vec<usize> = self.falls.restarts.iter().map(|restart| restart.at).collect();
        runs(&cuts, self.values.len())
    }

    /// Where runs begin in a reading, as increasing indices of samples.
    pub fn cuts(&self, reading: Reading) -> Vec<usize> {
        let mut cuts = self.falls.certain.clone();
        if reading == Reading::Restarts {
            cuts.extend(&self.falls.open);
            cuts.sort_unstable();
        }
        cuts
    }

    /// Frees `seconds` and `values`, until `unpack`.
    pub fn pack(self) -> Packed {
        let replaced = self.falls.spikes.iter().map(|spike| self.values[*spike]).collect();
        Packed { falls: self.falls, replaced }
    }
}

/// A segmentation without the columns that the series holds too.
#[derive(Debug, Clone)]
pub struct Packed {
    falls: Falling,
    /// The values in the places of spikes.
    replaced: Vec<f64>,
}

impl Packed {
    /// Restores the segmentation of a series with these times and values.
    pub fn unpack<'a>(self, time_ms: &[i64], used_bytes: &'a [f64]) -> Segmentation<'a> {
        let mut values = Cow::Borrowed(used_bytes);
        for (spike, value) in self.falls.spikes.iter().zip(self.replaced) {
            values.to_mut()[*spike] = value;
        }
        Segmentation { seconds: seconds_of(time_ms), values, falls: self.falls }
    }
}

/// Seconds from the first sample.
fn seconds_of(time_ms: &[i64]) -> Vec<f64> {
    let start = time_ms.first().copied().unwrap_or_default();
    time_ms.iter().map(|time| (time - start) as f64 / 1000.0).collect()
}

/// Finds what may be a restart. `limit`: the container's limit in bytes. Takes O(n log n) time.
pub fn cut(series: &MemorySeries, limit: Option<f64>) -> Segmentation<'_> {
    let despiked = spikes::remove(series.used_bytes());
    let values = despiked.values;
    let Falls { at: falls, n_rises, up } = falls::find(&values);
    let seconds = seconds_of(series.time_ms());
    let explicit = explicit_restarts(series);
    let any_explicit = !explicit.is_empty();

    let mut evidence = Evidence::new(&seconds, &values, &falls);
    let may_be_deployed = explicit.is_empty() && !series.info.metric.is_collected();
    let mut started = if may_be_deployed { deployments::starts(&values, &evidence, &up) } else { Vec::new() };
    let all_told = tells_of_every_restart(series);
    let (mut cuts, trusted) = if all_told {
        (explicit, true)
    } else {
        let gaps = after_gaps(&seconds, series.used_bytes());
        let (suggested, trusted) = match (gaps.is_empty(), series.info.metric.is_collected()) {
            (false, _) => (gaps, true),
            // A heap falls whenever it is collected.
            (true, true) => (Vec::new(), false),
            (true, false) => evidence.restarts(&seconds, &values),
        };
        beside_explicit(series, explicit, suggested, trusted)
    };
    cuts.retain(|&(at, _)| 0 < at && at < values.len());
    let is_certain = |cause: Cause| trusted || cause != Cause::LevelDrop;
    let certain: Vec<usize> = cuts.iter().filter(|(_, cause)| is_certain(*cause)).map(|(at, _)| *at).collect();

    let others: Vec<&Fall> = evidence
        .falls
        .iter()
        .filter(|fall| {
            evidence.excursions.ends.binary_search(&fall.at).is_err()
                && certain.iter().all(|cut| cut.abs_diff(fall.at) > 1)
        })
        .collect();
    let collections: Vec<usize> = others.iter().map(|fall| fall.at).collect();
    let start = seen_start(&values);
    let may_be_restart = |fall: &&&Fall| {
        let fallen = fall.before - fall.after;
        !all_told
            && !series.info.metric.is_collected()
            && fallen > SHALLOW * fall.before
            && start.is_none_or(|start| fallen >= WAY_BACK * (fall.before - start))
            && !series.marks(fall.at).contains(Marks::WATCHED)
    };
    let mut open: Vec<usize> = others.iter().filter(may_be_restart).map(|fall| fall.at).collect();
    let enough = if series.info.metric.is_collected() { MIN_CYCLES } else { MANY_FALLS };
    // What rises as abruptly as it falls comes and goes: no collector does that, unless it is known to be one's.
    let gradual = series.info.metric.is_collected() || n_rises * 3 <= collections.len();
    let collected = enough < collections.len() && gradual;
    let mut readings = match open.len() {
        1..=MANY_FALLS if MIN_CYCLES < collections.len() && gradual => vec![Reading::Restarts, Reading::Collections],
        1..=MANY_FALLS => vec![Reading::Restarts, Reading::Noise],
        _ if collected && evidence.may_keep_a_clock && !open.is_empty() => {
            vec![Reading::Restarts, Reading::Collections]
        }
        _ if collected => vec![Reading::Collections],
        _ => vec![Reading::Noise],
    };
    if !readings.contains(&Reading::Restarts) {
        open.clear();
    }
    started.retain(|at| certain.iter().all(|cut| cut.abs_diff(*at) > 1) && !series.marks(*at).contains(Marks::WATCHED));
    // Where most restarts are certain, no more are guessed.
    let deployed = certain.len() < started.len();
    if deployed {
        (open, readings) = (started, vec![Reading::Restarts, Reading::Noise]);
        // What looks like a job is one of the processes.
        evidence.excursions.pulses.clear();
    }
    let intervals: Vec<f64> = collections.windows(2).map(|pair| seconds[pair[1]] - seconds[pair[0]]).collect();
    let restarts = with_oom_kills(cuts, series.used_bytes(), limit);
    let is_shown = |restart: &Restart| match restart.cause {
        Cause::LevelDrop => false,
        Cause::Oom => limit.is_some(),
        _ => true,
    };
    let falls = Falling {
        spikes: despiked.spikes,
        inferred: !any_explicit && !restarts.iter().any(is_shown),
        restarts,
        certain,
        open,
        cycle: median(&intervals).unwrap_or(0.0),
        collections,
        readings,
        pulses: evidence.excursions.pulses,
        deployed,
    };
    Segmentation { seconds, values, falls }
}

fn explicit_restarts(series: &MemorySeries) -> Vec<(usize, Cause)> {
    (1..series.len())
        .filter_map(|index| {
            let marks = series.marks(index);
            if marks.contains(Marks::OOM_KILLED) {
                Some((index, Cause::Oom))
            } else if marks.contains(Marks::RECREATED) {
                Some((index, Cause::Recreated))
            } else if marks.contains(Marks::RESTARTED) {
                Some((index, Cause::Event))
            } else if marks.contains(Marks::COUNTER_RESET) {
                Some((index, Cause::CounterReset))
            } else {
                None
            }
        })
        .collect()
}

/// Whether the input has restarts of its own, in columns beside the memory: then it has all of them.
fn tells_of_every_restart(series: &MemorySeries) -> bool {
    (1..series.len()).any(|index| {
        let marks = series.marks(index);
        let recreated = marks.contains(Marks::RECREATED) && !marks.contains(Marks::RESTARTED);
        recreated || marks.contains(Marks::COUNTER_RESET)
    })
}

/// Explicit restarts, and those that values suggest where events would not have recorded them.
///
/// Explicit ones are trusted; beside further ones that are only suggested, all are trusted as little as those.
fn beside_explicit(
    series: &MemorySeries,
    explicit: Vec<(usize, Cause)>,
    mut suggested: Vec<(usize, Cause)>,
    trusted: bool,
) -> (Vec<(usize, Cause)>, bool) {
    suggested.retain(|(at, _)| {
        let next = explicit.partition_point(|(other, _)| other + 1 < *at);
        let reported = explicit.get(next).is_some_and(|(other, _)| at.abs_diff(*other) <= 1);
        !reported && !series.marks(*at).contains(Marks::WATCHED)
    });
    let trusted = trusted || (suggested.is_empty() && !explicit.is_empty());
    let mut cuts = explicit;
    cuts.extend(suggested);
    cuts.sort_unstable_by_key(|(at, _)| *at);
    (cuts, trusted)
}

/// Gaps after which memory is at the level of a start again, having been well above it.
fn after_gaps(seconds: &[f64], values: &[f64]) -> Vec<(usize, Cause)> {
    let Some(usual) = usual_step(seconds) else { return Vec::new() };
    let mut starts = RunningMedian::default();
    starts.push(start_level(values));
    let mut found = Vec::new();
    for (index, pair) in seconds.windows(2).enumerate() {
        let step = pair[1] - pair[0];
        let (before, after) = (values[index], values[index + 1]);
        let start = starts.median().expect("there is at least the first start");
        if step > GAP_STEPS * usual && after <= START_AGAIN * start && after <= RESTART_DEPTH * before {
            found.push((index + 1, Cause::Gap));
            starts.push(after);
        }
    }
    found
}

/// The median of the steps from one sample to the next, in seconds; `None` with fewer than two.
fn usual_step(seconds: &[f64]) -> Option<f64> {
    median_of(|| seconds.windows(2).map(|pair| pair[1] - pair[0]))
}

/// The level at which a series starts: the median of its first 2 %, at least three samples.
fn start_level(values: &[f64]) -> f64 {
    median(&values[..(values.len() / 50).max(3).min(values.len())]).unwrap_or(0.0)
}

/// The first value, where the series begins with a start-up that takes several samples: a restart would show one again.
fn seen_start(values: &[f64]) -> Option<f64> {
    /// A start-up is distinguished from noise, and from a window that happens to begin low, by so many samples.
    const SAMPLES: usize = 3;
    /// The level that it leads to is that of so many samples.
    const LEVEL: usize = 20;

    let first = *values.first()?;
    let level = median(&values[..values.len().min(LEVEL)])?;
    let way = first + WAY_BACK * (level - first);
    let climbs = values.len() > LEVEL && values[..SAMPLES].windows(2).all(|pair| pair[0] < pair[1]);
    (first < START_UP * level && climbs && values[SAMPLES - 1] < way).then_some(first)
}

/// The median of the rises from one sample to the next, in bytes; 0 when there is none.
fn usual_rise(values: &[f64]) -> f64 {
    median_of(|| values.windows(2).map(|pair| pair[1] - pair[0]).filter(|rise| *rise > 0.0)).unwrap_or(0.0)
}

/// What the falls of a series say together.
struct Evidence {
    falls: Vec<Fall>,
    excursions: Excursions,
    by_the_clock: bool,
    /// The same where the period holds too few samples to trust it.
    may_keep_a_clock: bool,
    from_one_ceiling: bool,
}

struct Fall {
    at: usize,
    before: f64,
    after: f64,
}

impl Evidence {
    fn new(seconds: &[f64], values: &[f64], falls: &[usize]) -> Evidence {
        let n = values.len();
        let falls: Vec<Fall> = falls
            .iter()
            .map(|&at| Fall {
                at,
                before: median(&values[at.saturating_sub(2)..at]).expect("a fall has a sample before it"),
                after: median(&values[at..n.min(at + 2)]).expect("a fall has a sample after it"),
            })
            .collect();
        let excursions = Excursions::of(values, &falls);
        let peaks: Vec<f64> = falls
            .iter()
            .filter(|fall| excursions.ends.binary_search(&fall.at).is_err())
            .map(|fall| fall.before)
            .collect();
        let from_one_ceiling = peaks.len() >= 3
            && mad(&peaks).zip(median(&peaks)).is_some_and(|(spread, level)| {
                spread <= (BETWEEN_READINGS * usual_rise(values)).max(CEILING_SPREAD * level)
            });
        let times: Vec<f64> = falls.iter().map(|fall| seconds[fall.at]).collect();
        let step = if times.is_empty() { None } else { usual_step(seconds) };
        let on_time = |least: f64| step.is_some_and(|step| keeps_the_clock(&times, step, least));
        let (by_the_clock, may_keep_a_clock) = (on_time(CLOCK_MIN_SAMPLES), on_time(CLOCK_FEWEST_SAMPLES));
        Evidence { falls, excursions, by_the_clock, may_keep_a_clock, from_one_ceiling }
    }

    /// Restarts from values alone, and whether they may carry a failing verdict.
    fn restarts(&self, seconds: &[f64], values: &[f64]) -> (Vec<(usize, Cause)>, bool) {
        let eligible = || self.falls.iter().filter(|fall| self.excursions.ends.binary_search(&fall.at).is_err());
        let mut cuts: Vec<usize> = Vec::new();
        if self.by_the_clock {
            cuts.extend(eligible().map(|fall| fall.at));
        } else {
            let mut starts = RunningMedian::default();
            starts.push(start_level(values));
            for fall in eligible().filter(|fall| fall.after <= RESTART_DEPTH * fall.before) {
                let start = starts.median().expect("there is at least the first start");
                if fall.before - fall.after >= WAY_BACK * (fall.before - start) {
                    cuts.push(fall.at);
                    starts.push(fall.after);
                }
            }
        }
        // A daily cycle also keeps the clock, but does not climb all through the day.
        if self.by_the_clock && cuts.len() >= 3 && climbs_gradually(values, &cuts) != Some(true) {
            cuts.clear();
        }
        let emptied = self
            .falls
            .iter()
            .filter(|fall| cuts.binary_search(&fall.at).is_ok())
            .all(|fall| fall.after <= HARDLY_ANYTHING * fall.before);
        let enough = if emptied { TRUSTED_SHORT_RUN_SAMPLES } else { TRUSTED_RUN_SAMPLES };
        let few_and_long = (1..=2).contains(&cuts.len())
            && runs(&cuts, values.len())
                .iter()
                .all(|run| run.len() >= enough && seconds[run.end - 1] - seconds[run.start] >= TRUSTED_RUN_SECONDS);
        let trusted = self.by_the_clock || self.from_one_ceiling || few_and_long;
        (cuts.into_iter().map(|at| (at, Cause::LevelDrop)).collect(), trusted)
    }
}

/// Whether events come by a scheduler's clock: most intervals are one period, nearly all a multiple of it.
fn keeps_the_clock(times: &[f64], step: f64, min_samples: f64) -> bool {
    let intervals: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if intervals.len() < 2 {
        return false;
    }
    let usual = median(&intervals).expect("there are intervals");
    let period = CLOCK_HOURS
        .iter()
        .map(|hours| hours * 3600.0)
        .min_by(|a, b| (usual - a).abs().total_cmp(&(usual - b).abs()))
        .expect("there are periods");
    if period < min_samples * step {
        return false;
    }
    let tolerance = (0.02 * period).max(1.5 * step);
    let multiples: Vec<f64> = intervals.iter().map(|interval| (interval / period).round().max(1.0)).collect();
    let share = |count: usize| count as f64 / intervals.len() as f64;
    let late: Vec<f64> = intervals.iter().zip(&multiples).map(|(interval, k)| interval - k * period).collect();
    let on_time: Vec<f64> = late.iter().copied().filter(|late| late.abs() <= tolerance).collect();
    let single = multiples.iter().filter(|k| **k == 1.0).count();
    // A clock does not drift: what is late once is early next time. A period that merely lies near one adds up.
    let off_time = (late.len() - on_time.len()) as f64;
    let drift = on_time.iter().sum::<f64>().abs();
    share(on_time.len()) >= 0.8 && share(single) >= 0.6 && drift <= CLOCK_DRIFT_SAMPLES * step * (1.0 + off_time)
}

/// Whether memory climbs in every quarter of a run: by at least 12 % of the whole climb in each of the later ones
/// and 10 % in the first, in the median over runs of 8 samples and more; `None` where there is no such run.
///
/// The first run is left out where there are two cuts: it may have begun before the window.
fn climbs_gradually(values: &[f64], cuts: &[usize]) -> Option<bool> {
    let runs = runs(cuts, values.len());
    let complete = &runs[usize::from(cuts.len() >= 2)..];
    let profiles: Vec<[f64; 3]> = complete
        .iter()
        .filter(|run| run.len() >= 8)
        .map(|run| {
            let quarter = |index: usize| {
                let edge = |quarter: usize| run.start + run.len() * quarter / 4;
                mean(&values[edge(index)..edge(index + 1)]).expect("a quarter holds two samples")
            };
            [1, 2, 3].map(|index| quarter(index) - quarter(0))
        })
        .collect();
    let typical = |index: usize| median(&profiles.iter().map(|profile| profile[index]).collect::<Vec<_>>());
    let (first, second, whole) = (typical(0)?, typical(1)?, typical(2)?);
    Some(whole > 0.0 && first >= 0.1 * whole && second - first >= 0.12 * whole && whole - second >= 0.12 * whole)
}

fn runs(cuts: &[usize], n: usize) -> Vec<Range<usize>> {
    let edges: Vec<usize> = [0].into_iter().chain(cuts.iter().copied()).chain([n]).collect();
    edges.windows(2).map(|edge| edge[0]..edge[1]).collect()
}

/// Names the kills for memory among the restarts.
fn with_oom_kills(cuts: Vec<(usize, Cause)>, values: &[f64], limit: Option<f64>) -> Vec<Restart> {
    if cuts.is_empty() {
        return Vec::new();
    }
    let before = |at: usize| values[at.saturating_sub(2)..at].iter().copied().fold(0.0, f64::max);
    let highest = cuts.iter().map(|(at, _)| before(*at)).fold(0.0, f64::max);
    // A kill comes up to one step after the last reading.
    let slack = usual_rise(values).max(NEAR_CEILING * highest);
    let at_ceiling = |at: usize| before(at) >= highest - slack;
    // Two runs that ended at one level are a ceiling, where they had climbed to it from well below; what is deployed
    // anew every day falls from one level, too.
    let left: Vec<f64> = cuts.iter().filter(|(at, _)| at_ceiling(*at)).map(|(at, _)| values[*at]).collect();
    let places: Vec<usize> = cuts.iter().map(|(at, _)| *at).collect();
    let ceiling = left.len() >= 2
        && median(&left).is_some_and(|start| highest >= 2.0 * start)
        && climbs_gradually(values, &places).unwrap_or(true);
    cuts.into_iter()
        .map(|(at, cause)| {
            let killed = match limit {
                Some(limit) => {
                    before(at) >= NEAR_LIMIT * limit || (ceiling && at_ceiling(at) && highest >= NEAR_LIMIT * limit)
                }
                None => ceiling && at_ceiling(at),
            };
            // What events or a new ID report is not guessed again.
            let reported = matches!(cause, Cause::Recreated | Cause::Event | Cause::Oom);
            let cause = if killed && !reported && values[at] < before(at) { Cause::Oom } else { cause };
            Restart { at, cause, before_bytes: values[at - 1], after_bytes: values[at] }
        })
        .collect()
}

#[cfg(test)]
mod tests;
