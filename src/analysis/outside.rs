//! Memory of a process outside its heap: its resident set without what the heap has reserved, reading by reading.
//!
//! What both share, such as collections and the rhythm of the day, falls out of the difference: its growth is known
//! better than that of either.

use crate::report::PartReport;
use crate::segment;
use crate::series::{MemorySeries, Metric, Samples, SeriesInfo};
use crate::verdict::Judgement;

/// A reading of the heap is taken for a reading of the process up to so many of its usual steps later.
const STEPS: f64 = 1.5;
/// Where the heap has reserved more than the process holds in more than this share of the readings, it has not touched
/// what it reserved, and the difference says nothing.
const BEYOND: f64 = 0.02;

/// The growth of what is outside the heap, judged by itself; `None` where these amounts do not tell it.
pub(super) fn judged(
    resident: &MemorySeries,
    heap_total: &PartReport,
    terms: &leaktrend_core::Terms,
) -> Option<Judgement> {
    let total = &heap_total.samples;
    let reach_ms = (STEPS * 1000.0 * total.step_seconds()?) as i64;
    let (mut samples, mut n_beyond) = (Samples::default(), 0);
    for (at, time_ms) in resident.time_ms().iter().enumerate() {
        let Some(of_heap) = total.time_ms().partition_point(|time| time <= time_ms).checked_sub(1) else { continue };
        if time_ms - total.time_ms()[of_heap] > reach_ms {
            continue;
        }
        let outside = resident.used_bytes()[at] - total.used_bytes()[of_heap];
        n_beyond += usize::from(outside < 0.0);
        samples.push(*time_ms, outside.max(0.0), f64::from(resident.resolution_bytes().get(at)), resident.marks(at));
    }
    if n_beyond as f64 > BEYOND * samples.len() as f64 {
        return None;
    }
    let info = SeriesInfo { metric: Metric::Other, limit: None, ..resident.info.clone() };
    let outside = MemorySeries::new(info, samples)?;
    Some(leaktrend_core::measure(&segment::cut(&outside, None), &outside, terms).judge(None))
}
