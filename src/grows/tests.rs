//! The rules, one table each.

use super::*;
use crate::verdict::Growth;

/// An amount with a verdict and a rate, all in bytes a second; half of the rate is what matters.
type Given = (Amount, &'static str, f64);

fn judgement(verdict: &str, rate: f64) -> Judgement {
    let verdict = Verdict::ALL.iter().copied().find(|known| known.name() == verdict).expect("a verdict");
    let (lower, upper) = (rate - 0.1 * rate.abs() - 1.0, rate + 0.1 * rate.abs() + 1.0);
    let growth = Growth { bytes_per_second: rate, lower, upper, confidence: 0.9, p_value: 0.001 };
    Judgement { verdict, growth: Some(growth), ..Judgement::open(Grounds::NoLongStretch) }
}

/// `what verdict`, and the amount that it rests on where that is a part.
fn weighed(head: Given, parts: &[Given]) -> String {
    let judgements: Vec<Judgement> = parts.iter().map(|(_, verdict, rate)| judgement(verdict, *rate)).collect();
    let judged: Vec<Judged<'_>> = parts
        .iter()
        .zip(&judgements)
        .map(|((amount, ..), judgement)| Judged { amount: *amount, judgement, matters: 10.0 })
        .collect();
    let of_head = judgement(head.1, head.2);
    let head = Judged { amount: head.0, judgement: &of_head, matters: 10.0 };
    let weighed = weigh(head, &judged, None);
    let by = weighed.by_part.map_or(String::new(), |at| format!(" by {}", parts[at].0.name()));
    format!("{} {}{by}", weighed.what.name(), weighed.verdict.name())
}

#[track_caller]
fn check(head: Given, parts: &[Given], expected: &str) {
    assert_eq!(weighed(head, parts), expected);
}

const LEVEL_SET: Given = (Amount::WorkingSet, "flat", 0.0);
const LEAKING_SET: Given = (Amount::WorkingSet, "leak", 100.0);
const OPEN_SET: Given = (Amount::WorkingSet, "inconclusive", 20.0);

#[test]
fn cache_that_grows_beside_a_level_working_set_is_no_leak() {
    let rss = (Amount::Rss, "flat", 0.0);
    check(LEVEL_SET, &[rss, (Amount::Cache, "leak", 100.0)], "page-cache flat");
    check(LEVEL_SET, &[rss, (Amount::Usage, "leak", 100.0)], "page-cache flat");
    check(LEVEL_SET, &[rss, (Amount::Cache, "inconclusive", 100.0)], "nothing flat");
    // Nothing but usage says less.
    check((Amount::Usage, "leak", 100.0), &[(Amount::Cache, "leak", 95.0)], "page-cache leak-suspected");
    // What is open stays open, and is said.
    check(OPEN_SET, &[(Amount::Cache, "leak", 100.0)], "page-cache inconclusive");
    let usage = (Amount::Usage, "leak", 100.0);
    check(OPEN_SET, &[usage], "page-cache inconclusive");
    check((Amount::WorkingSet, "leak-suspected", 20.0), &[usage], "page-cache leak-suspected");
}

#[test]
fn cache_that_grows_with_the_working_set_is_suspected_at_most() {
    let cache = (Amount::Cache, "leak", 95.0);
    check(LEAKING_SET, &[(Amount::Rss, "flat", 1.0), cache], "shared-memory leak-suspected");
    check(LEAKING_SET, &[(Amount::Rss, "inconclusive", 5.0), cache], "shared-memory leak-suspected");
    // The processes leak as well.
    check(LEAKING_SET, &[(Amount::Rss, "leak", 20.0), cache], "shared-memory leak");
    check(LEAKING_SET, &[(Amount::Rss, "leak", 90.0), (Amount::Cache, "flat", 5.0)], "anonymous leak");
}

/// A working set that page cache fills while the processes hold a level: open, and no question of the heap.
#[test]
fn cache_that_fills_an_open_working_set_is_named() {
    let cache = (Amount::Cache, "leak-suspected", 19.0);
    check(OPEN_SET, &[(Amount::Rss, "flat", 0.0), cache], "shared-memory inconclusive");
    check(OPEN_SET, &[(Amount::Rss, "inconclusive", 1.0), cache], "shared-memory inconclusive");
    // Processes that may have grown as well leave it open.
    check(OPEN_SET, &[(Amount::Rss, "inconclusive", 9.5), cache], "open inconclusive");
}

#[test]
fn a_heap_that_leaks_decides_what_its_container_leaves_open() {
    let heap = (Amount::HeapUsed, "leak", 18.0);
    check((Amount::ProcessRss, "inconclusive", 20.0), &[heap], "heap leak by heap-used");
    check((Amount::ProcessRss, "leak-suspected", 20.0), &[heap], "heap leak by heap-used");
    check((Amount::ProcessRss, "step", 20.0), &[heap], "heap leak by heap-used");
    check((Amount::ProcessRss, "leak", 20.0), &[heap], "heap leak");
    // Beneath a level it grows into what was reserved.
    check((Amount::ProcessRss, "flat", 0.0), &[heap], "heap leak-suspected by heap-used");
    check((Amount::ProcessRss, "shrinking", -5.0), &[heap], "heap leak-suspected by heap-used");
    let masked = (Amount::HeapUsed, "leak-masked-by-restarts", 18.0);
    check(OPEN_SET, &[masked], "heap leak-masked-by-restarts by heap-used");
    check(OPEN_SET, &[(Amount::Rss, "leak", 18.0)], "anonymous leak by rss");
}

#[test]
fn growth_that_the_heap_has_no_part_in_is_outside_it_or_its_reserve() {
    let (used, total) = ((Amount::HeapUsed, "flat", 0.0), (Amount::HeapTotal, "flat", 0.0));
    let rss = (Amount::ProcessRss, "leak", 100.0);
    check(rss, &[used, total], "outside-heap leak");
    check(rss, &[used], "outside-heap leak");
    check(rss, &[used, (Amount::HeapTotal, "leak", 95.0)], "heap-reserve leak");
    check(
        rss,
        &[used, (Amount::HeapTotal, "inconclusive", 40.0), (Amount::Buffers, "leak", 90.0)],
        "outside-heap leak",
    );
    // A reserve or a heap that may grow leaves it open.
    check(rss, &[used, (Amount::HeapTotal, "inconclusive", 48.0)], "unknown leak");
    check(rss, &[(Amount::HeapUsed, "inconclusive", 48.0)], "unknown leak");
    check((Amount::ProcessRss, "flat", 0.0), &[used, (Amount::HeapTotal, "leak", 95.0)], "heap-reserve flat");
    check(OPEN_SET, &[used, (Amount::HeapTotal, "leak", 95.0)], "heap-reserve inconclusive");
}

#[test]
fn what_is_open_or_grows_beside_a_level_makes_no_decided_head_another() {
    for verdict in ["flat", "warmed-up", "negligible-growth", "shrinking"] {
        for amount in [Amount::Rss, Amount::Cache, Amount::Kernel, Amount::Buffers, Amount::HeapTotal] {
            for &of_part in Verdict::ALL {
                let answer = weighed((Amount::WorkingSet, verdict, 0.0), &[(amount, of_part.name(), 100.0)]);
                assert!(answer.ends_with(&format!(" {verdict}")), "{amount:?} {of_part:?}: {answer}");
            }
        }
        let answer = weighed((Amount::WorkingSet, verdict, 0.0), &[(Amount::HeapUsed, "inconclusive", 100.0)]);
        assert_eq!(answer, format!("nothing {verdict}"));
    }
    check(LEAKING_SET, &[(Amount::HeapUsed, "inconclusive", 10.0)], "outside-heap leak");
    check(LEAKING_SET, &[], "unknown leak");
    check(OPEN_SET, &[], "open inconclusive");
}

/// A limit of memory does not see swap: a leak whose pages go there is one all the same.
#[test]
fn what_goes_to_swap_is_suspected_unless_the_head_lost_it() {
    let level = |rate: f64| (Amount::WorkingSet, "flat", rate);
    check(level(0.0), &[(Amount::Swap, "leak", 100.0)], "swap leak-suspected by swap");
    for verdict in ["flat", "inconclusive", "leak-suspected", "step"] {
        assert!(weighed(level(0.0), &[(Amount::Swap, verdict, 100.0)]).ends_with(" flat"), "{verdict}");
    }
    // Pages that lie idle are moved there: nothing more is held.
    check((Amount::WorkingSet, "shrinking", -90.0), &[(Amount::Swap, "leak", 100.0)], "swap shrinking");
}

/// A rhythm of the day looks like growth in the morning: what is only suspected is not named unless it is clear.
#[test]
fn growth_that_is_suspected_is_named_where_it_is_clear() {
    let suspected = |rate: f64| (Amount::ProcessRss, "leak-suspected", rate);
    check(suspected(20.0), &[(Amount::HeapUsed, "leak-suspected", 18.0)], "unknown leak-suspected");
    check(suspected(100.0), &[(Amount::HeapUsed, "leak-suspected", 90.0)], "heap leak-suspected");
}

/// What is outside the heap is known better than a reserve that comes and goes.
#[test]
fn what_is_outside_the_heap_decides_where_its_reserve_is_open() {
    let (used, total) = (judgement("flat", 0.0), judgement("inconclusive", 48.0));
    let head = judgement("leak", 100.0);
    let judged = |amount: Amount, judgement| Judged { amount, judgement, matters: 10.0 };
    let parts = [judged(Amount::HeapUsed, &used), judged(Amount::HeapTotal, &total)];
    for (verdict, rate, expected) in
        [("leak", 95.0, "outside-heap"), ("flat", 2.0, "heap-reserve"), ("inconclusive", 48.0, "unknown")]
    {
        let outside = judgement(verdict, rate);
        let weighed = weigh(judged(Amount::ProcessRss, &head), &parts, Some(&outside));
        assert_eq!(weighed.what.name(), expected);
    }
}
