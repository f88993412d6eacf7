//! Bounds of the values that an expression takes over a stretch of time, and whether it has one.
//!
//! Rounded addition and multiplication are monotone, so the rounded results at the ends bound the rounded results
//! between them: no widening is needed.

use super::aggregate::Aggregate;
use super::condition::{Arithmetic, CompareOperator};

/// What is known of an expression over a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Enclosure {
    /// Whether it may have a value at some moment.
    pub(super) present: bool,
    /// Whether it may have none at some moment.
    pub(super) absent: bool,
    /// Bounds of its values that are numbers.
    lower: f64,
    upper: f64,
    /// Whether a value may be NaN.
    nan: bool,
}

impl Enclosure {
    /// No value at any moment.
    pub(super) const ABSENT: Enclosure = Enclosure { present: false, absent: true, lower: 0.0, upper: 0.0, nan: false };
    /// Some value, any.
    pub(super) const UNKNOWN: Enclosure =
        Enclosure { present: true, absent: false, lower: f64::NEG_INFINITY, upper: f64::INFINITY, nan: true };

    /// The same value at every moment.
    pub(super) fn point(value: f64) -> Enclosure {
        if value.is_nan() {
            return Enclosure::UNKNOWN;
        }
        Enclosure { present: true, absent: false, lower: value, upper: value, nan: false }
    }

    /// All values between the least and the greatest of some.
    pub(super) fn hull(values: &[f64]) -> Enclosure {
        if values.iter().any(|value| value.is_nan()) {
            return Enclosure::UNKNOWN;
        }
        let lower = values.iter().copied().fold(f64::INFINITY, f64::min);
        let upper = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Enclosure { present: true, absent: false, lower, upper, nan: false }
    }

    pub(super) fn negated(self) -> Enclosure {
        Enclosure { lower: -self.upper, upper: -self.lower, ..self }
    }

    /// What a function that never falls makes of it; of NaN it makes NaN.
    pub(super) fn mapped(self, rising: impl Fn(f64) -> f64) -> Enclosure {
        let values =
            if self.nan { Enclosure::UNKNOWN } else { Enclosure::hull(&[rising(self.lower), rising(self.upper)]) };
        Enclosure { present: self.present, absent: self.absent, ..values }
    }

    pub(super) fn and(self, other: Enclosure) -> Enclosure {
        Enclosure { present: self.present && other.present, absent: self.absent || other.absent, ..self }
    }

    pub(super) fn unless(self, other: Enclosure) -> Enclosure {
        Enclosure { present: self.present && other.absent, absent: self.absent || other.present, ..self }
    }

    pub(super) fn or(self, other: Enclosure) -> Enclosure {
        if !self.absent || !other.present {
            return self;
        }
        if !self.present {
            return other;
        }
        Enclosure {
            present: true,
            absent: self.absent && other.absent,
            lower: self.lower.min(other.lower),
            upper: self.upper.max(other.upper),
            nan: self.nan || other.nan,
        }
    }

    fn is_bounded(self) -> bool {
        !self.nan && self.lower.is_finite() && self.upper.is_finite()
    }
}

/// The result of an operator on two expressions.
pub(super) fn arithmetic(operator: Arithmetic, a: Enclosure, b: Enclosure) -> Enclosure {
    let present = a.present && b.present;
    if !present {
        return Enclosure::ABSENT;
    }
    let is_point = a.lower == a.upper && b.lower == b.upper;
    let decided = a.is_bounded()
        && b.is_bounded()
        && match operator {
            Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Multiply => true,
            Arithmetic::Divide => is_point || 0.0 < b.lower || b.upper < 0.0,
            Arithmetic::Modulo => is_point,
        };
    let values = if decided {
        let of = |a, b| operator.of(a, b);
        Enclosure::hull(&[of(a.lower, b.lower), of(a.lower, b.upper), of(a.upper, b.lower), of(a.upper, b.upper)])
    } else {
        Enclosure::UNKNOWN
    };
    Enclosure { absent: a.absent || b.absent, ..values }
}

/// A comparison that keeps the left value, or the right one.
pub(super) fn filter(comparison: CompareOperator, a: Enclosure, b: Enclosure, keeps_right: bool) -> Enclosure {
    if !(a.present && b.present) {
        return Enclosure::ABSENT;
    }
    let kept = if keeps_right { b } else { a };
    match decided(comparison, a, b) {
        Some(false) => Enclosure::ABSENT,
        Some(true) => Enclosure { present: true, absent: a.absent || b.absent, ..kept },
        None => Enclosure { present: true, absent: true, ..kept },
    }
}

/// A comparison that gives 1 or 0.
pub(super) fn truth(comparison: CompareOperator, a: Enclosure, b: Enclosure) -> Enclosure {
    if !(a.present && b.present) {
        return Enclosure::ABSENT;
    }
    let values = match decided(comparison, a, b) {
        Some(holds) => Enclosure::point(f64::from(u8::from(holds))),
        None => Enclosure::hull(&[0.0, 1.0]),
    };
    Enclosure { absent: a.absent || b.absent, ..values }
}

/// An aggregate over members of a group.
pub(super) fn aggregate(aggregate: Aggregate, members: &[Enclosure]) -> Enclosure {
    let mut possible: Vec<Enclosure> = members.iter().copied().filter(|member| member.present).collect();
    let n_certain = possible.iter().filter(|member| !member.absent).count();
    if possible.is_empty() {
        return Enclosure::ABSENT;
    }
    let is_bounded = possible.iter().all(|member| member.is_bounded());
    let least = |of: fn(&Enclosure) -> f64| possible.iter().map(of).fold(f64::INFINITY, f64::min);
    let greatest = |of: fn(&Enclosure) -> f64| possible.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
    let (lower, upper) = (least(|member| member.lower), greatest(|member| member.upper));
    let all_certain = n_certain == possible.len();
    let values = match aggregate {
        Aggregate::Count => Enclosure::hull(&[n_certain.max(1) as f64, possible.len() as f64]),
        _ if !is_bounded => Enclosure::UNKNOWN,
        // What is missing lets the others decide.
        Aggregate::Minimum if all_certain => Enclosure::hull(&[lower, least(|member| member.upper)]),
        Aggregate::Maximum if all_certain => Enclosure::hull(&[greatest(|member| member.lower), upper]),
        Aggregate::Minimum | Aggregate::Maximum => Enclosure::hull(&[lower, upper]),
        Aggregate::Sum | Aggregate::Average => {
            // What may be missing adds nothing at most.
            for member in possible.iter_mut().filter(|member| member.absent) {
                (member.lower, member.upper) = (member.lower.min(0.0), member.upper.max(0.0));
            }
            let n = possible.len() as f64;
            let sum = |of: fn(&Enclosure) -> f64| possible.iter().map(of).sum::<f64>();
            let size = sum(|member| member.lower.abs().max(member.upper.abs()));
            // Rounding, however it is added up: some units in the last place of the sizes for each addition.
            let slack = 8.0 * f64::EPSILON * (n + 2.0) * size;
            let (lowest, highest) = (sum(|member| member.lower) - slack, sum(|member| member.upper) + slack);
            match aggregate {
                Aggregate::Sum => Enclosure::hull(&[lowest, highest]),
                _ if all_certain => Enclosure::hull(&[lowest / n - slack, highest / n + slack]),
                _ => Enclosure::hull(&[lower - slack, upper + slack]),
            }
        }
    };
    Enclosure { absent: n_certain == 0, ..values }
}

/// Whether a comparison holds for all values, or for none; `None` where that is open.
fn decided(comparison: CompareOperator, a: Enclosure, b: Enclosure) -> Option<bool> {
    if a.nan || b.nan {
        return None;
    }
    match comparison {
        CompareOperator::Greater if a.lower > b.upper => Some(true),
        CompareOperator::Greater if a.upper <= b.lower => Some(false),
        CompareOperator::GreaterOrEqual if a.lower >= b.upper => Some(true),
        CompareOperator::GreaterOrEqual if a.upper < b.lower => Some(false),
        CompareOperator::Less => decided(CompareOperator::Greater, b, a),
        CompareOperator::LessOrEqual => decided(CompareOperator::GreaterOrEqual, b, a),
        CompareOperator::Equal if a.upper < b.lower || b.upper < a.lower => Some(false),
        CompareOperator::Equal if a.lower == a.upper && b.lower == b.upper && a.lower == b.lower => Some(true),
        CompareOperator::NotEqual => decided(CompareOperator::Equal, a, b).map(|equal| !equal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::readings::Release;
    use super::super::window::{Element, Function, Range, Reading};
    use super::*;
    use proptest::prelude::*;

    fn window() -> impl Strategy<Value = Vec<Reading>> {
        let steps = prop::collection::vec((1_i64..90_000, 0_u64..4_000_000_000), 2..40);
        (0_i64..1_900_000_000_000, steps).prop_map(|(start_ms, steps)| {
            let mut time_ms = start_ms;
            steps
                .into_iter()
                .map(|(step, value)| {
                    time_ms += step;
                    (time_ms, value as f64)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn bounds_hold_at_every_moment(
            readings in window(),
            seconds in prop::sample::select(vec![0.0, 60.0, 3600.0, -600.0, 0.1]),
            from in 0_i64..600_000,
            length in 1_i64..60_000,
            parts in prop::collection::vec(0.0..1.0_f64, 20),
        ) {
            let last_ms = readings[readings.len() - 1].0;
            let (first_ms, end_ms) = (last_ms + from, last_ms + from + length);
            let range = Range { range_ms: end_ms - readings[0].0, offset_ms: 0 };
            let functions = [Function::Prediction { seconds }, Function::Delta, Function::Increase, Function::Rate];
            let releases = [Release::Prometheus2, Release::Prometheus3];
            for (function, release) in functions.into_iter().flat_map(|one| releases.map(|release| (one, release))) {
                let result = function.of(&readings, (0, readings.len()), range, release, end_ms);
                let Element::Moving(moving) = result else { continue };
                let bounds = moving.enclosed(first_ms, end_ms - 1);
                for part in &parts {
                    let value = moving.at(&readings, first_ms + ((length - 1) as f64 * part) as i64);
                    prop_assert!(bounds.nan || (bounds.lower <= value && value <= bounds.upper), "{value} {bounds:?}");
                }
            }
        }

        /// Members that have some value within their bounds, or none where they may have none.
        #[test]
        fn bounds_of_aggregates_hold_for_all_members(
            members in prop::collection::vec((-1e9..1e9_f64, 0.0..1e9_f64, any::<bool>(), 0.0..1.0_f64, any::<bool>()), 1..8),
        ) {
            let bounds: Vec<Enclosure> = members.iter().map(|(lower, width, absent, ..)| Enclosure {
                absent: *absent,
                ..Enclosure::hull(&[*lower, lower + width])
            }).collect();
            let there = || members.iter().filter(|(_, _, absent, _, missing)| !(*absent && *missing));
            let values = || there().map(|(lower, width, _, part, _)| (lower + width * part).min(lower + width));
            for one in
                [Aggregate::Sum, Aggregate::Average, Aggregate::Minimum, Aggregate::Maximum, Aggregate::Count]
            {
                let all = aggregate(one, &bounds);
                for release in [Release::Prometheus2, Release::Prometheus3] {
                    match one.of(values(), release) {
                        None => prop_assert!(all.absent),
                        Some(value) => prop_assert!(all.lower <= value && value <= all.upper, "{one:?} {value} {all:?}"),
                    }
                }
            }
        }
    }
}
