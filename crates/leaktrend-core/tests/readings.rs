//! What falls are taken for: a claim must hold in every reading that is plausible.

use leaktrend_core::series::{Labels, Marks, MemorySeries, Metric, Samples, Sampling, SeriesInfo};
use leaktrend_core::units::MIB;
use leaktrend_core::verdict::Judgement;
use leaktrend_core::{Terms, measure, segment};

/// Runs of uneven length, read every 5 minutes for a week: each climbs by a quarter and falls back to one level.
fn teeth(reported: bool) -> Judgement {
    let mut samples = Samples::default();
    let (mut at, mut state) = (0i64, 7u32);
    for length in [230, 310, 190, 270, 350, 210, 290, 166] {
        for age in 0..length {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(state >> 16) / 65_536.0 - 0.5;
            let marks = if reported && age == 0 && at > 0 { Marks::RESTARTED } else { Marks::WATCHED };
            let marks = if reported { marks } else { Marks::default() };
            samples.push(at * 300_000, (200.0 + 0.2 * f64::from(age) + noise) * MIB, 4096.0, marks);
            at += 1;
        }
    }
    let info = SeriesInfo {
        id: "web".to_owned(),
        labels: Labels::new(),
        limit: None,
        metric: Metric::WorkingSet,
        container_given: true,
        sampling: Sampling::Raw,
    };
    let series = MemorySeries::new(info, samples).expect("there are samples");
    measure(&segment::cut(&series, None), &series, &Terms::default()).judge(None)
}

/// A cache that is emptied and a leak that is restarted look alike; only what says of restarts makes it a leak.
#[test]
fn growth_between_falls_is_a_leak_only_where_restarts_are_told() {
    let guessed = teeth(false);
    assert_eq!(guessed.verdict.name(), "leak-suspected", "{guessed:#?}");
    assert!(guessed.reason().contains("values alone cannot tell"), "{}", guessed.reason());
    let growth = guessed.growth.expect("it grows in one reading");
    assert!(growth.lower <= 0.0 && 0.0 < growth.upper, "the interval holds what either reading allows: {growth:?}");
    assert_eq!(teeth(true).verdict.name(), "leak-masked-by-restarts");
}
