//! What the nightly job promises, held against what it said in forty nights.

use std::collections::{BTreeMap, HashMap};

use super::machine::{Form, INTERVAL, START, STOPPED};
use super::services::{DAY, Service, Truth};
use super::{History, NIGHTS, Night, WindowSaid};

const MIB: f64 = 1_048_576.0;
/// From this night on what is healthy is cleared.
const CLEARED_FROM: i64 = 15;
/// A leak is reported by this night after its onset.
const REPORTED_WITHIN: i64 = 4;
/// From this night on after it went or was mended it fails no more.
const QUIET_FROM: i64 = 3;
/// From this night on after it was mended it passes.
const MENDED_FROM: i64 = 8;

/// Counts of what was promised and kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    pub(crate) healthy_nights: usize,
    pub(crate) healthy_failed: usize,
    pub(crate) late_nights: usize,
    pub(crate) late_cleared: usize,
    pub(crate) leaks: usize,
    pub(crate) leaks_reported: usize,
    /// Nights from the onset of each leak to the first that fails for it; 1 is the night after the day of the onset.
    pub(crate) nights_to_report: Vec<i64>,
    pub(crate) quiet_nights: usize,
    pub(crate) quiet_failed: usize,
    pub(crate) mended_nights: usize,
    pub(crate) mended_passed: usize,
    /// Nights that did not fail although a window that is hardly covered does.
    pub(crate) unheard: usize,
    pub(crate) readings: usize,
    pub(crate) lost: usize,
    pub(crate) extra: usize,
    pub(crate) misdated: usize,
    /// Each promise that was broken, in words.
    pub(crate) broken: Vec<String>,
}

impl Figures {
    /// Adds those of another history.
    pub(crate) fn add(&mut self, other: Figures) {
        self.healthy_nights += other.healthy_nights;
        self.healthy_failed += other.healthy_failed;
        self.late_nights += other.late_nights;
        self.late_cleared += other.late_cleared;
        self.leaks += other.leaks;
        self.leaks_reported += other.leaks_reported;
        self.nights_to_report.extend(other.nights_to_report);
        self.quiet_nights += other.quiet_nights;
        self.quiet_failed += other.quiet_failed;
        self.mended_nights += other.mended_nights;
        self.mended_passed += other.mended_passed;
        self.unheard += other.unheard;
        self.readings += other.readings;
        self.lost += other.lost;
        self.extra += other.extra;
        self.misdated += other.misdated;
        self.broken.extend(other.broken);
    }

    /// What is promised of all nights together and not kept, in words; empty where all is.
    pub(crate) fn failures(&self) -> Vec<String> {
        let mut failures = self.broken.clone();
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        if share(self.late_cleared, self.late_nights) < 0.9 {
            failures.push(format!(
                "healthy cleared from night {CLEARED_FROM} on: {} of {}",
                self.late_cleared, self.late_nights
            ));
        }
        if share(self.mended_passed, self.mended_nights) < 0.9 {
            failures.push(format!(
                "mended and passing from night {MENDED_FROM} after: {} of {}",
                self.mended_passed, self.mended_nights
            ));
        }
        failures
    }
}

/// Holds a history against the promises.
pub(crate) fn hold(history: &History) -> Figures {
    let mut figures = Figures::default();
    for service in &history.services {
        hold_service(history, service, &mut figures);
    }
    hold_log(history, &mut figures);
    hold_readings(history, &mut figures);
    figures
}

/// The number of the night that follows a time.
fn night_after(at: i64) -> i64 {
    at / DAY + 1
}

/// What a night said of a service: outcome, and in words.
fn said<'a>(night: &'a Night, service: &Service) -> Option<(&'a str, String)> {
    let at = night.number * DAY - 1;
    let name = service.name_at(at).unwrap_or(service.name);
    let said = night.series.iter().find(|said| said.series == name)?;
    Some((said.outcome, format!("night {}: {name} {} ({}, {})", night.number, said.outcome, said.verdict, said.window)))
}

fn hold_service(history: &History, service: &Service, figures: &mut Figures) {
    let form = history.form;
    let mut reported = None;
    let (onset, mended) = match service.truth {
        Truth::Healthy => (None, None),
        Truth::Leaks(onset, mended) => (Some(night_after(onset)), mended.map(night_after)),
    };
    let gone = service.gone.map(night_after);
    let ended = gone.or(mended);
    for night in &history.nights {
        let number = night.number;
        let said = said(night, service);
        let fails = said.as_ref().is_some_and(|(outcome, _)| *outcome == "fail");
        let passes = said.as_ref().is_some_and(|(outcome, _)| *outcome == "pass");
        let words = said.map_or_else(|| format!("night {number}: {} is not judged", service.name), |(_, words)| words);
        if onset.is_none_or(|onset| number < onset) {
            figures.healthy_nights += 1;
            if fails {
                figures.healthy_failed += 1;
                figures.broken.push(format!("{form:?}: healthy, but {words}"));
            }
            if CLEARED_FROM <= number && gone.is_none_or(|gone| number < gone) {
                figures.late_nights += 1;
                figures.late_cleared += usize::from(passes);
            }
            continue;
        }
        if fails && reported.is_none() {
            reported = Some(number);
        }
        if ended.is_some_and(|ended| ended + QUIET_FROM - 1 <= number) {
            figures.quiet_nights += 1;
            if fails {
                figures.quiet_failed += 1;
                figures.broken.push(format!("{form:?}: it went or was mended, but {words}"));
            }
        }
        if mended.is_some_and(|mended| mended + MENDED_FROM - 1 <= number) {
            figures.mended_nights += 1;
            figures.mended_passed += usize::from(passes);
        }
        if gone.is_some_and(|gone| gone <= number) && !night.gone.iter().any(|name| *name == service.name) {
            figures.broken.push(format!("{form:?}: night {number}: {} is not said to be gone", service.name));
        }
    }
    if let Some(onset) = onset {
        figures.leaks += 1;
        match reported {
            Some(night) if night < onset + REPORTED_WITHIN => {
                figures.leaks_reported += 1;
                figures.nights_to_report.push(night - onset + 1);
            }
            reported => figures.broken.push(format!(
                "{form:?}: {} leaks from before night {onset} and is reported at {reported:?}",
                service.name
            )),
        }
    }
}

/// A stopped log is said while it is, and not otherwise.
fn hold_log(history: &History, figures: &mut Figures) {
    for night in &history.nights {
        let expected = usize::from(STOPPED.contains(&(night.number * DAY - 1)));
        if night.n_stopped != expected {
            figures.broken.push(format!(
                "{:?}: night {}: {} logs are said to have stopped, expected {expected}",
                history.form, night.number, night.n_stopped
            ));
        }
        let is_failing = |window: &&WindowSaid| window.outcome == "fail";
        if night.outcome != "fail" {
            figures.unheard +=
                usize::from(night.windows.iter().any(|window| is_failing(&window) && !window.is_covered));
            if night.windows.iter().any(|window| is_failing(&window) && window.is_covered) {
                figures.broken.push(format!("{:?}: night {} does not fail, a window does", history.form, night.number));
            }
        }
        if night.exit_code == 2 {
            figures.broken.push(format!("{:?}: night {}: exit code 2\n{}", history.form, night.number, night.text));
        }
    }
}

/// Every reading is kept once, and at its time.
fn hold_readings(history: &History, figures: &mut Figures) {
    let mut kept: BTreeMap<&str, Vec<(i64, f64)>> = BTreeMap::new();
    for (series, time_ms, used) in &history.kept {
        kept.entry(series).or_default().push((*time_ms, *used));
    }
    let mut expected: HashMap<usize, Vec<(i64, f64)>> = HashMap::new();
    for reading in &history.machine.readings {
        expected.entry(reading.service).or_default().push(((START + reading.at) * 1000, reading.mib * MIB));
    }
    let most_ms = if history.form == Form::Untimed { INTERVAL * 1000 } else { 0 };
    let mut worst_ms = 0;
    for (index, service) in history.services.iter().enumerate() {
        let name = service.renamed.map_or(service.name, |(_, name)| name);
        let expected = expected.remove(&index).unwrap_or_default();
        let found = kept.remove(name).unwrap_or_default();
        figures.readings += expected.len();
        figures.lost += expected.len().saturating_sub(found.len());
        figures.extra += found.len().saturating_sub(expected.len());
        for ((time_ms, used), (found_ms, found_used)) in expected.iter().zip(&found) {
            worst_ms = worst_ms.max((found_ms - time_ms).abs());
            if (found_ms - time_ms).abs() > most_ms || (used - found_used).abs() > 1.0 {
                figures.misdated += 1;
            }
        }
    }
    for (name, readings) in kept {
        figures.extra += readings.len();
        figures.broken.push(format!("{:?}: there is no {name}, of {} readings", history.form, readings.len()));
    }
    if figures.lost + figures.extra + figures.misdated > 0 {
        figures.broken.push(format!(
            "{:?}: of {} readings {} are lost, {} too many, {} at another time or of another amount (up to {} s)",
            history.form,
            figures.readings,
            figures.lost,
            figures.extra,
            figures.misdated,
            worst_ms / 1000
        ));
    }
    debug_assert_eq!(history.nights.len() as i64, NIGHTS);
}
