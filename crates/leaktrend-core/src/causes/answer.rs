//! From explanations to causes: what is named, with how many bytes, and what could be it as well.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::stats::robust::mean;

use super::columns::{Term, View};
use super::explain::{Explanation, Explanations, Scored};
use super::{BytesPerUnit, CauseSource, CauseTerms, GrowthCause, How};

/// Searches begin with so many pairs of leaks, too.
const STARTS: usize = 2;
/// A level grows where this is the probability that it does.
const GROWS: f64 = 0.95;
/// And where it explains this share of the growth of memory.
const MATTERS: f64 = 0.2;

/// What explains a view.
pub(super) fn answer(view: &View, terms: &CauseTerms) -> Vec<GrowthCause> {
    let explanations = Explanations::new(view, 1.0);
    let first = explanations.best(&[&Vec::new()], &|_| true);
    let pairs = explanations.pairs(&first.terms);
    let starts: Vec<&Explanation> = [&first.terms].into_iter().chain(pairs.iter().take(STARTS)).collect();
    let mut best = explanations.best(&starts, &|_| true);
    // What the best explanation is without each of its causes; where that is better, the search had missed it.
    let mut without = all_without(&explanations, &best, &pairs);
    for _ in 0..3 {
        let Some((_, better)) = without.iter().find(|(_, other)| other.score < best.score - 1e-6) else { break };
        best = explanations.best(&[&better.terms], &|_| true);
        without = all_without(&explanations, &best, &pairs);
    }
    // What depends on how many there are to choose from is not named.
    let even = Explanations::new(view, 0.0);
    let best_of_even = even.best(&[&best.terms], &|_| true);
    let margin_of = |index: usize, without: &Scored| {
        let term = explanations.term(index);
        if !best_of_even.terms.iter().any(|other| even.term(*other).is_same(term)) {
            return 0.0;
        }
        let of_even = even.best(&[&best_of_even.terms, &without.terms], &|other| !term.is_same(other));
        let margin = explanations.margin(term, &best, without);
        margin.min(even.margin(term, &best_of_even, &of_even)).max(0.0)
    };
    let grows = |index: &usize| explanations.term(*index).source_of_growth().is_some();
    let nothing_grows = || explanations.best(&[&best.terms], &|term| term.source_of_growth().is_none());
    let is_certain = best.terms.iter().any(grows) && nothing_grows().score - best.score >= terms.margin;

    let mut causes: Vec<GrowthCause> = without
        .iter()
        .filter_map(|(index, other)| {
            let margin = margin_of(*index, other);
            let is_named = margin >= terms.margin;
            let is_open = is_certain && grows(index);
            let tell = is_named || is_open;
            if tell { cause(&explanations, terms, &best, (*index, other), margin) } else { None }
        })
        .collect();
    causes.sort_by(|a, b| {
        let share = |cause: &GrowthCause| cause.share_of_growth.unwrap_or(0.0);
        a.how.cmp(&b.how).then(b.is_named.cmp(&a.is_named)).then(share(b).total_cmp(&share(a)))
    });
    causes
}

/// What holds of an answer whichever way drops are read: what else leaks by `other` explains growth as well.
pub(super) fn agreed(mut causes: Vec<GrowthCause>, other: &[GrowthCause]) -> Vec<GrowthCause> {
    let leaks: Vec<&GrowthCause> = other.iter().filter(|cause| cause.is_named_leak()).collect();
    for cause in causes.iter_mut().filter(|cause| cause.is_named_leak()) {
        let same = leaks.iter().find(|other| other.source == cause.source);
        cause.margin = cause.margin.min(same.map_or(0.0, |other| other.margin));
        cause.probability = probability(cause.margin);
        if same.is_none() {
            cause.is_named = false;
            cause.indistinguishable = leaks.iter().map(|other| other.source).collect();
        }
    }
    causes
}

fn probability(margin: f64) -> f64 {
    1.0 / (1.0 + (-0.5 * margin).exp())
}

/// The source of a term, and whether that is a rate or a level.
fn subject(term: Term) -> Option<CauseSource> {
    match term {
        Term::Flight(source, _) | Term::Level(source) | Term::Lost(source, _) => Some(source),
        Term::Levels | Term::StartUp | Term::Rhythm => None,
    }
}

fn all_without(explanations: &Explanations<'_>, best: &Scored, pairs: &[Explanation]) -> Vec<(usize, Scored)> {
    let causes = best.terms.iter().filter(|index| subject(explanations.term(**index)).is_some());
    let without = causes.map(|index| {
        let term = explanations.term(*index);
        let without = |pair: &&Explanation| pair.iter().all(|other| !term.is_same(explanations.term(*other)));
        let is_growth = term.source_of_growth().is_some();
        let pair = pairs.iter().find(without).filter(|_| is_growth);
        let starts: Vec<&Explanation> = [&best.terms].into_iter().chain(pair).collect();
        (*index, explanations.best(&starts, &|other| !term.is_same(other)))
    });
    without.collect()
}

fn cause(
    explanations: &Explanations<'_>,
    terms: &CauseTerms,
    best: &Scored,
    (index, without): (usize, &Scored),
    margin: f64,
) -> Option<GrowthCause> {
    let view = explanations.view;
    let term = explanations.term(index);
    let source = subject(term)?;
    let candidate = &view.candidates[index];
    let posterior = explanations.posterior(best, index)?;
    let unit = view.scaled.unit / candidate.scale;
    let tail = (1.0 - terms.confidence) / 2.0;
    let (value, wider) = (posterior.mean(), explanations.widening(best, index));
    let of_sizes = value * explanations.error_of_sizes(best, index);
    let at = |probability: f64| {
        let of_model = wider * (posterior.quantile(probability) - value);
        let of_sizes = of_sizes * Normal::standard().inverse_cdf(probability);
        (value + of_model.signum() * of_model.hypot(of_sizes)) * unit
    };
    let bytes_per_unit =
        BytesPerUnit { value: value * unit, lower: at(tail), upper: at(1.0 - tail), confidence: terms.confidence };
    let limit = without.score.max(best.score + terms.margin);
    let indistinguishable = if term.source_of_growth().is_some() && margin < terms.margin {
        let mut others: Vec<(CauseSource, f64)> =
            explanations.others(without, limit, &|other| !term.is_same(other)).into_iter().collect();
        others.retain(|(other, _)| {
            let in_best = |index: &usize| explanations.term(*index).source_of_growth() == Some(*other);
            *other != source && !best.terms.iter().any(in_best)
        });
        others.sort_by(|a, b| a.1.total_cmp(&b.1));
        others.into_iter().map(|(other, _)| other).collect()
    } else {
        Vec::new()
    };
    // A level explains growth by how far it rises.
    let share_of_growth = term.source_of_growth().and_then(|_| {
        let explained = posterior.mean() * rise(view, candidate.columns[0].values());
        let grown = rise(view, &without_the_rest(explanations, &best.terms));
        (grown > 0.0).then_some(explained / grown)
    });
    let grows = |level| view.growth_of(level).is_some_and(|slope| slope.probability_at_most(0.0) < 1.0 - GROWS);
    let how = match term {
        Term::Lost(..) => How::Lost,
        Term::Level(_) if share_of_growth >= Some(MATTERS) && grows(&candidate.columns[0]) => How::Held,
        _ => How::Follows,
    };
    Some(GrowthCause {
        source,
        how,
        bytes_per_unit,
        share_of_growth,
        delay_seconds: if let Term::Lost(_, delay) = term { delay } else { 0.0 },
        margin,
        probability: probability(margin),
        is_named: margin >= terms.margin,
        indistinguishable,
    })
}

/// What is left of memory, scaled, beside all that does not make it grow.
fn without_the_rest(explanations: &Explanations<'_>, terms: &Explanation) -> Vec<f64> {
    let view = explanations.view;
    let coefficients = explanations.coefficients(terms);
    let mut left = view.scaled.values.clone();
    let mut next = view.base.len();
    for index in terms {
        for column in &view.candidates[*index].columns {
            let coefficient = coefficients.get(next).copied().unwrap_or(0.0);
            next += 1;
            if explanations.term(*index).source_of_growth().is_none() {
                left.iter_mut().zip(column.values()).for_each(|(left, value)| *left -= coefficient * value);
            }
        }
    }
    left
}

/// By how much values rise within runs, from the first eighth of each to its last.
fn rise(view: &View, values: &[f64]) -> f64 {
    let of_run = |run: &std::ops::Range<usize>| {
        let values = &values[run.clone()];
        let eighth = values.len().div_ceil(8);
        let [first, last] = [&values[..eighth], &values[values.len() - eighth..]].map(mean);
        last.unwrap_or(0.0) - first.unwrap_or(0.0)
    };
    view.runs.iter().map(of_run).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leak(kind: usize, margin: f64) -> GrowthCause {
        let bytes_per_unit = BytesPerUnit { value: 10.0, lower: 9.0, upper: 11.0, confidence: 0.9 };
        GrowthCause {
            source: CauseSource::Covariate(kind),
            how: How::Lost,
            bytes_per_unit,
            share_of_growth: Some(1.0),
            delay_seconds: 0.0,
            margin,
            probability: probability(margin),
            is_named: true,
            indistinguishable: Vec::new(),
        }
    }

    #[test]
    fn what_is_named_by_one_reading_of_drops_alone_is_not_named() {
        let both = agreed(vec![leak(1, 20.0)], &[leak(1, 8.0)]);
        assert!(both[0].is_named);
        assert_eq!((both[0].margin, both[0].probability), (8.0, probability(8.0)));
        let one = agreed(vec![leak(1, 20.0)], &[leak(2, 8.0)]);
        assert!(!one[0].is_named);
        assert_eq!((one[0].margin, &one[0].indistinguishable[..]), (0.0, &[CauseSource::Covariate(2)][..]));
        // What memory follows without growing with it is no leak by either.
        let follows = GrowthCause { how: How::Follows, ..leak(3, 9.0) };
        assert_eq!(agreed(vec![follows.clone()], &[]), [follows]);
    }
}
