//! Who leaks: which request, job, connection or change the growth of a series follows.
//!
//! Takes a series that grows and what was counted beside it; gives what is named, with bytes per request and an interval,
//! what cannot be told apart, or that nothing logged explains it. Decides nothing of the verdict. All of it is
//! correlation, and says so with the experiment that would settle it.

mod curve;
mod pattern;
pub mod words;

use crate::amounts;
use crate::causes::{self, Began, CauseSource, Covariate, Covariates, GrowthCause, How, Measure};
use crate::counts::{Change, CountGroup, CountKind, Counts, Kind};
use crate::segment;
use crate::series::MemorySeries;
use crate::units::duration_text;

pub use curve::ExplainedCurve;
pub use pattern::Pattern;

/// Less than this share of the readings says nothing of the rest.
const LEAST_COVERED: f64 = 0.25;
/// More than this share is all of them.
const ALL_COVERED: f64 = 0.97;
/// An onset is given with this confidence.
const ONSET_CONFIDENCE: f64 = 0.95;
/// A level whose values are so many blocks apart is coarse.
const COARSE: f64 = 1.5;
/// Margins are not better known than this, in units of BIC.
const MOST: f64 = 100.0;

crate::named! {
    /// What a cause is.
    pub enum CauseKind {
        /// Requests of one kind, all requests, failed ones, or bytes received.
        Request = "request",
        /// Another count or a level.
        Covariate = "covariate",
        /// A deploy, a flag, a restart.
        Change = "change",
        /// Time itself.
        Clock = "clock",
    }
}

crate::named! {
    /// The unit that keeps bytes.
    pub enum Unit {
        /// One request.
        Request = "request",
        /// One response with a status of 500 or more.
        Error = "failed request",
        /// One byte received.
        Byte = "byte received",
        /// One of whatever a counter counts.
        Count = "count",
        /// One unit of a level, such as an open connection, which holds memory while it exists.
        Level = "level",
        /// One second.
        Second = "second",
    }
}

/// A number of bytes with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BytesPer {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Confidence of the interval, 0 to 1.
    pub confidence: f64,
}

/// Something that growth follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// What it is.
    pub kind: CauseKind,
    /// Its name: method and route, a column, the label of a change.
    pub name: String,
    /// What bytes are kept by; `None` for a change.
    pub unit: Option<Unit>,
    /// How many; `None` for a change.
    pub bytes_per_unit: Option<BytesPer>,
    /// The share of the growth that it explains, since growth began or changed, about 1 for the only cause; `None` where
    /// it is not known.
    pub share_of_growth: Option<f64>,
    /// By how much explanations without it are worse, in units of BIC (twice the logarithm of the odds).
    pub margin: f64,
    /// Whether that names it. If not, the cause may be this or one of `indistinguishable`.
    pub is_named: bool,
    /// What explains growth as well in its place, best first.
    pub indistinguishable: Vec<String>,
    /// How many of its units came in a day of these readings; `None` for a level, time and a change.
    pub units_a_day: Option<f64>,
    /// When a change was made, in milliseconds.
    pub at_ms: Option<i64>,
}

/// When growth began, and what was changed then.
#[derive(Debug, Clone, PartialEq)]
pub struct GrowthBegan {
    /// The median, in milliseconds.
    pub at_ms: i64,
    /// Lower end of the interval.
    pub lower_ms: i64,
    /// Upper end of the interval.
    pub upper_ms: i64,
    /// Confidence of the interval, 0 to 1.
    pub confidence: f64,
    /// Changes in the interval, in time order.
    pub inside: Vec<(i64, String)>,
    /// How many changes were made within the readings.
    pub n_changes: usize,
}

/// What is said of the growth of one series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attribution {
    /// What it follows; named ones first.
    pub suspects: Vec<Suspect>,
    /// When it began; `None` without changes, and where it grew all along.
    pub began: Option<GrowthBegan>,
    /// Whether there were counts to compare with.
    pub has_counts: bool,
    /// Whether there were changes to compare with.
    pub has_changes: bool,
    /// Whether they cover too few of its readings to say what its growth follows.
    pub counts_cover_too_little: bool,
    /// How many kinds were compared.
    pub n_kinds: usize,
    /// Since when, in milliseconds: when growth began or changed. `None`: over all readings.
    pub compared_from_ms: Option<i64>,
    /// Levels whose values are further apart than memory is compared: they may explain what they do not seem to.
    pub coarse: Vec<String>,
    /// Endpoints without times, with their share of the traffic, the busiest first.
    pub by_traffic: Vec<(String, f64)>,
    /// Memory that the first named cause explains, for the chart.
    pub curve: Option<ExplainedCurve>,
    /// The pattern of the runbook that the evidence points to.
    pub pattern: Option<Pattern>,
    /// What a reader must know: which part of the readings this rests on.
    pub notes: Vec<String>,
}

impl Attribution {
    /// What is named as the cause, a request or the like before a change.
    pub fn named(&self) -> impl Iterator<Item = &Suspect> {
        self.suspects.iter().filter(|suspect| suspect.is_named)
    }
}

/// What the growth of a series follows. `grows_from_ms`: when growth began or changed, where it did; `limit_bytes`: its own
/// limit. Takes some tenths of a second for 60 kinds.
pub fn of(
    series: &MemorySeries,
    grows_from_ms: Option<i64>,
    counts: &Counts,
    terms: &leaktrend_core::Terms,
    confidence: f64,
    limit_bytes: Option<f64>,
) -> Attribution {
    let names = amounts::names(&series.info);
    let groups: Vec<&CountGroup> = counts.of_series(&names).collect();
    let kinds: Vec<&Kind> = groups.iter().flat_map(|group| &group.kinds).collect();
    let mut attribution = Attribution {
        has_counts: !kinds.is_empty(),
        has_changes: counts.changes_given,
        n_kinds: kinds.len(),
        by_traffic: by_traffic(&groups),
        ..Attribution::default()
    };
    if !kinds.is_empty()
        && let Some(covered) = covered(series, grows_from_ms, &kinds, &mut attribution)
    {
        let segmentation = segment::cut(&covered, limit_bytes);
        let covariates =
            kinds.iter().map(|kind| Covariate { measure: measure(kind.what), values: kind.values.clone() });
        let covariates = Covariates::new(counts.bins.start_ms, counts.bins.bin_ms, covariates.collect())
            .expect("counts are not negative, and all kinds have the same bins");
        let of_causes = causes::CauseTerms { confidence, ..causes::CauseTerms::default() };
        let found = causes::attribute(&segmentation, &covered, &covariates, terms, &of_causes);
        let mut found: Vec<GrowthCause> = found.into_iter().filter(|cause| cause.how != How::Follows).collect();
        attribution.compared_from_ms = grows_from_ms.filter(|from_ms| series.start_ms() < *from_ms);
        if let Some(block) = causes::block_seconds(&segmentation, &covered, terms) {
            note_coarse(&kinds, block, &mut attribution);
        }
        // What a level does between its values looks like time.
        found.retain(|cause| attribution.coarse.is_empty() || cause.source != CauseSource::Clock);
        // What is left is said last.
        found.sort_by_key(|cause| (!cause.is_named, cause.source == CauseSource::Clock));
        let days = (covered.end_ms() - covered.start_ms()) as f64 / 86_400_000.0;
        let span = (covered.start_ms(), covered.end_ms());
        let context = Context { kinds: &kinds, counts, span, days };
        attribution.suspects = found.iter().map(|cause| context.suspect(cause)).collect();
        attribution.curve = found.iter().find(|cause| cause.is_named_leak()).and_then(|cause| {
            let delay_ms = (cause.delay_seconds * 1000.0) as i64;
            curve::of(&covered, &segmentation, &context.numbers(cause), cause.bytes_per_unit.value, cause.how, delay_ms)
        });
    }
    if !counts.changes.is_empty() {
        began(series, counts, terms, limit_bytes, &mut attribution);
    }
    attribution.pattern = attribution.suspects.iter().find(|suspect| suspect.is_named).and_then(pattern::of);
    attribution
}

/// Names the levels whose values are further apart than the blocks that are compared, which last `block` seconds.
fn note_coarse(kinds: &[&Kind], block: f64, attribution: &mut Attribution) {
    let seconds = |kind: &Kind| kind.step_ms as f64 / 1000.0;
    // A block may end a little before the next value.
    let is_coarse = |kind: &&&Kind| kind.what == CountKind::Gauge && COARSE * block < seconds(kind);
    let coarse: Vec<&Kind> = kinds.iter().filter(is_coarse).copied().collect();
    let Some(longest) = coarse.iter().copied().max_by_key(|kind| kind.step_ms) else { return };
    attribution.coarse = coarse.iter().map(|kind| kind.name.clone()).collect();
    attribution.notes.push(format!(
        "{} has a value every {}, but memory is compared every {}: what it does in between is not known, so growth without \
         a named cause may still come from it (sample it at least as often as memory)",
        words::subject(&longest.name),
        duration_text(seconds(longest)),
        duration_text(block)
    ));
}

/// Says when growth began, and with which change.
fn began(
    series: &MemorySeries,
    counts: &Counts,
    terms: &leaktrend_core::Terms,
    limit_bytes: Option<f64>,
    attribution: &mut Attribution,
) {
    let segmentation = segment::cut(series, limit_bytes);
    let at: Vec<f64> =
        counts.changes.iter().map(|change| (change.time_ms - series.start_ms()) as f64 / 1000.0).collect();
    let Some(onset) = causes::onset(&segmentation, series, terms, ONSET_CONFIDENCE, &at) else { return };
    let ms = |seconds: f64| series.start_ms() + (seconds * 1000.0).round() as i64;
    let mut inside: Vec<(&Change, &Began)> =
        counts.changes.iter().zip(&onset.changes).filter(|(_, began)| began.is_inside).collect();
    let within = |ms: i64| series.start_ms() <= ms && ms <= series.end_ms();
    attribution.began = Some(GrowthBegan {
        at_ms: ms(onset.at),
        lower_ms: ms(onset.lower),
        upper_ms: ms(onset.upper),
        confidence: onset.confidence,
        inside: inside.iter().map(|(change, _)| (change.time_ms, change.label.clone())).collect(),
        n_changes: counts.changes.iter().filter(|change| within(change.time_ms)).count(),
    });
    // Of several it is one; a single one that is not named may be chance.
    inside.sort_by(|a, b| b.1.probability.total_cmp(&a.1.probability));
    let Some(((first, began), others)) =
        inside.split_first().filter(|((_, one), others)| one.is_named || !others.is_empty())
    else {
        return;
    };
    attribution.suspects.push(Suspect {
        kind: CauseKind::Change,
        name: first.label.clone(),
        unit: None,
        bytes_per_unit: None,
        share_of_growth: None,
        margin: (2.0 * (began.probability / (1.0 - began.probability)).ln()).clamp(0.0, MOST),
        is_named: began.is_named,
        indistinguishable: others.iter().map(|(change, _)| change.label.clone()).collect(),
        units_a_day: None,
        at_ms: Some(first.time_ms),
    });
}

fn measure(what: CountKind) -> Measure {
    match what {
        CountKind::Requests => Measure::Requests,
        CountKind::Errors | CountKind::Received | CountKind::Counter => Measure::Events,
        CountKind::Gauge => Measure::Level,
    }
}

/// Shares of the traffic of endpoints whose requests have no times.
fn by_traffic(groups: &[&CountGroup]) -> Vec<(String, f64)> {
    let total: u64 = groups.iter().flat_map(|group| &group.untimed).map(|(_, n)| n).sum();
    let mut shares: Vec<(String, f64)> = groups
        .iter()
        .flat_map(|group| &group.untimed)
        .map(|(name, n)| (name.clone(), *n as f64 / total.max(1) as f64))
        .collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    shares
}

/// The readings that all sources cover; `None` where these are too few. Says either in the attribution.
fn covered(
    series: &MemorySeries,
    grows_from_ms: Option<i64>,
    kinds: &[&Kind],
    attribution: &mut Attribution,
) -> Option<MemorySeries> {
    let first = kinds.iter().map(|kind| kind.span.0).max()?;
    let last = kinds.iter().map(|kind| kind.span.1).min()?;
    let (start, end) = (grows_from_ms.unwrap_or(i64::MIN).max(series.start_ms()), series.end_ms());
    let whole = (end - start).max(1) as f64;
    let share = (last.min(end) - first.max(start)).max(0) as f64 / whole;
    if ALL_COVERED <= share {
        return series.clone().between(start, end);
    }
    let percent = 100.0 * share;
    if share < LEAST_COVERED {
        attribution.counts_cover_too_little = true;
        attribution.notes.push(format!(
            "Together, the logs of requests and covariates cover {percent:.0} % of its readings: too few to say what \
             its growth follows (expected at least {:.0} %)",
            100.0 * LEAST_COVERED
        ));
        return None;
    }
    attribution.notes.push(format!(
        "Compared over the {percent:.0} % of its readings that all logs of requests and covariates cover"
    ));
    series.clone().between(first.max(start), last.min(end))
}

struct Context<'a> {
    kinds: &'a [&'a Kind],
    counts: &'a Counts,
    span: (i64, i64),
    days: f64,
}

impl Context<'_> {
    fn suspect(&self, cause: &GrowthCause) -> Suspect {
        let bytes = cause.bytes_per_unit;
        let unit = match cause.source {
            CauseSource::Covariate(index) => match self.kinds[index].what {
                CountKind::Requests => Unit::Request,
                CountKind::Errors => Unit::Error,
                CountKind::Received => Unit::Byte,
                CountKind::Counter => Unit::Count,
                CountKind::Gauge => Unit::Level,
            },
            CauseSource::AllRequests => Unit::Request,
            CauseSource::Clock => Unit::Second,
        };
        let kind = match unit {
            Unit::Request | Unit::Error | Unit::Byte => CauseKind::Request,
            Unit::Count | Unit::Level => CauseKind::Covariate,
            Unit::Second => CauseKind::Clock,
        };
        let is_counted = !matches!(unit, Unit::Level | Unit::Second);
        Suspect {
            kind,
            name: self.name(cause.source),
            unit: Some(unit),
            bytes_per_unit: Some(BytesPer {
                value: bytes.value,
                lower: bytes.lower,
                upper: bytes.upper,
                confidence: bytes.confidence,
            }),
            share_of_growth: cause.share_of_growth,
            margin: cause.margin,
            is_named: cause.is_named,
            indistinguishable: cause.indistinguishable.iter().map(|source| self.name(*source)).collect(),
            units_a_day: is_counted.then(|| self.within(&self.numbers(cause)) / self.days.max(f64::MIN_POSITIVE)),
            at_ms: None,
        }
    }

    fn name(&self, source: CauseSource) -> String {
        match source {
            CauseSource::Covariate(index) => self.kinds[index].name.clone(),
            CauseSource::AllRequests => "all requests".to_owned(),
            CauseSource::Clock => "time itself".to_owned(),
        }
    }

    /// What a cause is counted by, in the bins of the counts.
    fn numbers(&self, cause: &GrowthCause) -> curve::Numbers {
        let bins = self.counts.bins;
        let values = match cause.source {
            CauseSource::Covariate(index) => self.kinds[index].values.clone(),
            CauseSource::AllRequests => {
                let mut all = vec![0.0; bins.count];
                let requests = self.kinds.iter().filter(|kind| kind.what == CountKind::Requests);
                requests.for_each(|kind| all.iter_mut().zip(&kind.values).for_each(|(sum, value)| *sum += value));
                all
            }
            CauseSource::Clock => vec![bins.bin_ms as f64 / 1000.0; bins.count],
        };
        curve::Numbers::new(bins, values)
    }

    /// How many came within the readings.
    fn within(&self, numbers: &curve::Numbers) -> f64 {
        numbers.until(self.span.1) - numbers.until(self.span.0)
    }
}
