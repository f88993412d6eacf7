//! Which pods differ from their siblings: one leaking replica of five.
//!
//! A pod is compared with those that run beside it, moment by moment, so what they share cancels: the load, the
//! calendar, growth of all. What is left is a series like any other, and is asked whether it grows.

use super::Joined;
use crate::fit::MIN_SAMPLES;
use crate::stats::posterior::SlopePosterior;
use crate::stats::robust::{mean, median};
use crate::stats::trend::{self, Setup};
use crate::stats::{Points, calendar, fdr};

/// A pod is compared in at most so many blocks: enough for a day.
const BLOCKS: usize = 96;

/// A pod that grows faster than its siblings.
#[derive(Debug, Clone, PartialEq)]
pub struct Differing {
    /// Index of the pod.
    pub pod: usize,
    /// How much faster than its siblings it grows, in bytes per second: the best estimate and the interval at the
    /// confidence of the terms.
    pub bytes_per_second: (f64, f64, f64),
    /// The rate at which it grows by itself, in bytes per second.
    pub own_bytes_per_second: f64,
    /// The false discovery rate at which this is a discovery among all pods that could be compared.
    pub q_value: f64,
}

/// The pods that grow faster than their siblings by more than `matters` (bytes per second), the fastest first.
///
/// Each is a discovery among all pods at the significance of `terms`, not at its false discovery rate: where no pod
/// leaks, any that is named is a false discovery, so that rate is how often a healthy workload has a pod named.
/// Benjamini, Hochberg (1995), section 2.
pub fn differing(joined: &Joined, matters: f64, terms: &crate::verdict::JudgeTerms) -> Vec<Differing> {
    let compared: Vec<Compared> = (0..joined.lifetimes.len()).filter_map(|index| compared(joined, index)).collect();
    let at_most = |one: &Compared, value: f64| {
        let each = one.slopes.iter().map(|slope| slope.probability_at_most(value));
        each.fold(0.0, f64::max)
    };
    let p_values: Vec<f64> = compared.iter().map(|one| at_most(one, 0.0)).collect();
    let tail = (1.0 - terms.confidence) / 2.0;
    let mut found: Vec<Differing> = Vec::new();
    for (one, q_value) in compared.iter().zip(fdr::q_values(&p_values)) {
        let grows = at_most(one, matters) < tail && at_most(one, 0.0) < terms.significance;
        let (slope, own, index) = (&one.slopes[0], one.own, one.lifetime);
        if grows && own > matters && q_value <= terms.significance {
            let bytes_per_second = (slope.mean(), slope.quantile(tail), slope.quantile(1.0 - tail));
            let pod = joined.lifetimes[index].pod;
            found.push(Differing { pod, bytes_per_second, own_bytes_per_second: own, q_value });
        }
    }
    found.sort_by(|a, b| b.bytes_per_second.0.total_cmp(&a.bytes_per_second.0));
    // A pod that was restarted is one pod.
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|one| seen.insert(one.pod));
    found
}

/// A lifetime beside its siblings.
struct Compared {
    /// Its index.
    lifetime: usize,
    /// How it grows against them, in every way that this must show.
    slopes: Vec<SlopePosterior>,
    /// How it grows by itself, in bytes per second.
    own: f64,
}

/// Compares a lifetime with its siblings; `None` where too little runs beside it.
fn compared(joined: &Joined, index: usize) -> Option<Compared> {
    let own = &joined.lifetimes[index];
    let mut apart: Vec<(f64, f64, f64)> = Vec::new();
    let siblings: Vec<_> = joined
        .lifetimes
        .iter()
        .enumerate()
        .filter(|(other, one)| {
            let together = one.start_ms <= own.end_ms && own.start_ms <= one.end_ms;
            *other != index && one.version == own.version && together && one.pod != own.pod
        })
        .map(|(_, one)| one)
        .collect();
    for (run, level) in &own.levels {
        let within = &joined.runs[*run].moments;
        for (moment, bytes) in own.cells.iter().filter(|(moment, _)| within.contains(moment)) {
            let beside = siblings.iter().filter_map(|one| {
                let at = one.cells.binary_search_by_key(moment, |cell| cell.0).ok()?;
                Some(one.cells[at].1 - one.levels.get(run)?)
            });
            // One that leaks, too, does not hide it.
            if let Some(common) = median(&beside.collect::<Vec<_>>()) {
                apart.push((joined.seconds(*moment), bytes - level - common, *bytes));
            }
        }
    }
    if apart.len() < MIN_SAMPLES {
        return None;
    }
    let width = apart.len().div_ceil(BLOCKS);
    let column = |of: fn(&(f64, f64, f64)) -> f64| -> Vec<f64> {
        apart.chunks(width).filter_map(|block| mean(&block.iter().map(of).collect::<Vec<_>>())).collect()
    };
    let (x, y, whole) = (column(|one| one.0), column(|one| one.1), column(|one| one.2));
    let floor = crate::fit::reading_variance(joined.series.resolution_bytes().median()?);
    let points = Points::new(&x, &y)?;
    // Pods answer to a load differently: what one gains on the others in less than two days must survive the day, too.
    let is_short = points.span() < calendar::MIN_DAYS * calendar::DAY;
    let of = |daily| Some(trend::of(&Setup { daily, floor, ..Setup::new(points) })?.sustained.slope());
    let slopes = if is_short { vec![of(false)?, of(true)?] } else { vec![of(false)?] };
    let (middle, level) = (mean(&x)?, mean(&whole)?);
    let (along, square) = x.iter().zip(&whole).fold((0.0, 0.0), |(along, square), (x, y)| {
        (along + (x - middle) * (y - level), square + (x - middle).powi(2))
    });
    Some(Compared { lifetime: index, slopes, own: along / square })
}
