//! The last day, week and month: how much of each is covered by readings, and which one decides.

use crate::criteria::{Criterion, Status};
use crate::decode::SeriesSamples;
use crate::policy::{self, Outcome};
use crate::report::note::Overruled;
use crate::report::{Note, Report, SeriesNote, SeriesReport};
use crate::stats::robust::median;

/// A stretch of time that ends with the newest sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WindowLength {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
}

impl WindowLength {
    /// All of them, the shortest first.
    pub const ALL: [WindowLength; 3] = [WindowLength::Day, WindowLength::Week, WindowLength::Month];

    /// Its name in the report and its folder.
    pub const fn name(self) -> &'static str {
        match self {
            WindowLength::Day => "day",
            WindowLength::Week => "week",
            WindowLength::Month => "month",
        }
    }

    /// Its length, in milliseconds.
    pub const fn length_ms(self) -> i64 {
        let days = match self {
            WindowLength::Day => 1,
            WindowLength::Week => 7,
            WindowLength::Month => 30,
        };
        days * 86_400_000
    }
}

/// A span and what was found in it.
#[derive(Debug, Clone)]
pub struct NightWindow {
    /// Which.
    pub span: WindowLength,
    /// Share of its time that readings cover, 0 to 1.
    pub coverage: f64,
    /// What is to say of it; its inputs and settings are those of the night.
    pub report: Report,
}

/// Share of the time from `start_ms` to `end_ms` that readings cover: the time up to three usual intervals after a
/// reading of any series is.
pub(super) fn coverage(series: &[SeriesSamples], start_ms: i64, end_ms: i64) -> f64 {
    let steps = |times: &[i64]| times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect::<Vec<f64>>();
    let of_series: Vec<f64> = series.iter().filter_map(|series| median(&steps(&series.samples.time_ms))).collect();
    let Some(usual) = median(&of_series) else { return 0.0 };
    let all = series.iter().flat_map(|series| series.samples.time_ms.iter().copied());
    let mut times: Vec<i64> = all.filter(|time| start_ms <= *time).collect();
    times.sort_unstable();
    let covered: f64 = steps(&times).into_iter().map(|step| step.min(3.0 * usual)).sum();
    // The first reading stands for the interval before it.
    ((covered + usual) / (end_ms - start_ms) as f64).min(1.0)
}

/// A series and the window that decides for it, as an index.
pub(super) type Decided<'a> = (usize, &'a SeriesReport);

/// For each series the window that decides for it, and its report there; worst first. `windows`: the shortest first, at
/// least one.
///
/// Only windows that are covered well enough decide, and the shortest where none is that holds the series. What a longer
/// one that is hardly covered would say is not heard.
pub(super) fn by_series(windows: &[NightWindow], min_coverage: f64) -> Vec<Decided<'_>> {
    let mut ids: Vec<&str> =
        windows.iter().flat_map(|window| window.report.series.iter().map(SeriesReport::id)).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found: Vec<Decided<'_>> =
        ids.into_iter()
            .filter_map(|id| {
                let holding: Vec<Decided<'_>> = windows
                    .iter()
                    .enumerate()
                    .filter_map(|(index, window)| {
                        Some((index, window.report.series.iter().find(|series| series.id() == id)?))
                    })
                    .collect();
                let is_covered = |(index, _): &&Decided<'_>| min_coverage <= windows[*index].coverage;
                let covered = holding.iter().filter(is_covered).copied();
                let decides = covered.reduce(|shorter, longer| {
                    if is_heard(windows[shorter.0].span, shorter.1, longer.1) { longer } else { shorter }
                });
                decides.or(holding.first().copied())
            })
            .collect();
    found.sort_by(|(_, a), (_, b)| b.outcome.cmp(&a.outcome).then_with(|| a.id().cmp(b.id())));
    found
}

/// Puts what a shorter window proves of a series into the longer ones that are not heard, with a note, so that each
/// report says what holds; a shorter one that shows nothing of a leak points to the longer one that does, and asks for the
/// same next step. `outcome_changed` is given the windows of which that changes the outcome.
pub(super) fn settle(windows: &mut [NightWindow], min_coverage: f64, outcome_changed: &dyn Fn(&mut Report)) {
    let (failing, decided): (Vec<_>, Vec<_>) = by_series(windows, min_coverage)
        .into_iter()
        .map(|(index, series)| (index, series.clone()))
        .filter(|(_, series)| matches!(series.outcome, Outcome::Pass | Outcome::Fail))
        .partition(|(_, series)| series.outcome == Outcome::Fail);
    for (decides, series) in failing.into_iter().filter(|(_, series)| series.verdict().is_leak()) {
        let longer = windows[decides].span.name();
        for window in &mut windows[..decides] {
            let shorter = window.report.series.iter_mut().find(|shorter| shorter.id() == series.id());
            if let Some(shorter) = shorter.filter(|shorter| shorter.outcome != Outcome::Fail) {
                shorter.notes.push(SeriesNote::LeaksIn { longer });
                shorter.next_action.clone_from(&series.next_action);
            }
        }
    }
    for (decides, series) in decided {
        let span = windows[decides].span;
        for window in windows.iter_mut().skip(decides + 1).filter(|window| min_coverage <= window.coverage) {
            let Some(place) = window.report.series.iter_mut().find(|longer| longer.id() == series.id()) else {
                continue;
            };
            let overruled = Overruled { shorter: span.name(), longer: window.span.name() };
            let mut settled = series.clone();
            settled.notes.push(SeriesNote::JudgedBy(overruled));
            if let Some(growth) = place.judgement.growth.filter(|_| place.outcome == Outcome::Fail) {
                let grew = Note::GrewUntil(series.id().to_owned(), growth.bytes_per_second, overruled);
                window.report.notes.push(grew);
            }
            *place = settled;
            let outcomes: Vec<(Outcome, bool)> =
                window.report.series.iter().map(|series| (series.outcome, series.counts)).collect();
            window.report.outcome = policy::of_run(&outcomes);
            window.report.series.sort_by_key(|series| std::cmp::Reverse(series.outcome));
            outcome_changed(&mut window.report);
        }
    }
}

/// Whether a longer window decides for a series instead of a shorter one, of this span.
///
/// The longest in which it fails does, or else the longest. But what a week and more proves is true now: it stands where
/// a longer window leaves the question open, and where that claims growth of which the shorter one shows that it has ended.
fn is_heard(span: WindowLength, shorter: &SeriesReport, longer: &SeriesReport) -> bool {
    let proves = span != WindowLength::Day && shorter.outcome == Outcome::Pass;
    match longer.outcome {
        Outcome::Fail => !(proves && has_ended(shorter, longer)),
        Outcome::Inconclusive => shorter.outcome != Outcome::Fail && !proves,
        _ => shorter.outcome != Outcome::Fail,
    }
}

/// Whether growth is all that fails a series in a longer window, and in a shorter one it is proven to be less than that.
fn has_ended(shorter: &SeriesReport, longer: &SeriesReport) -> bool {
    let failed = |criterion: &&Criterion| criterion.gates && criterion.status == Status::Fail;
    let by_growth_alone = longer.criteria.iter().filter(failed).all(|criterion| criterion.id == "trend-24h");
    let (now, claimed) = (shorter.judgement.growth, longer.judgement.growth);
    by_growth_alone && now.zip(claimed).is_some_and(|(now, claimed)| now.upper < claimed.lower)
}

/// The window that decides for the night, as an index: the longest that decides for a series that fails, or else the
/// longest that is covered well enough, or else the shortest. `series`: as `by_series` gives them.
pub(super) fn deciding(windows: &[NightWindow], series: &[Decided<'_>], min_coverage: f64) -> usize {
    let fails = series.iter().filter(|(_, series)| series.outcome == Outcome::Fail).map(|(index, _)| *index).max();
    fails.or_else(|| windows.iter().rposition(|window| min_coverage <= window.coverage)).unwrap_or(0)
}
