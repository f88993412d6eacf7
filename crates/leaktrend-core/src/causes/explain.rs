//! Searches the explanations of a series: which terms together explain it best.
//!
//! All explanations cannot be tried, so terms are added, dropped and exchanged one at a time for as long as that
//! explains more (stepwise search in both directions; Efroymson 1960), under the extended BIC.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::stats::ar1::{PHI, Regression, WrittenOut};
use crate::stats::posterior::{LinePosterior, SlopePosterior};

use super::CauseSource;
use super::columns::{Term, View};

/// So many kinds are held to leak at a time, beside the clock.
const MOST_LEAKS: usize = 2;
/// Beyond this weight (in BIC) an explanation does not count.
const PLAUSIBLE: f64 = 10.0;
/// So many explanations are averaged at most.
const MOST_AVERAGED: usize = 40;
/// Delays and durations are tried of so many terms that explain most without.
const PROMISING: usize = 6;
/// So many pairs of leaks are kept to begin searches with.
const PAIRS: usize = 24;
/// Rounds of a search; it ends by itself long before.
const MOST_ROUNDS: usize = 40;

/// What terms have in common that differ in delay or duration: whether it is lost, and to what.
type Subject = Option<(bool, CauseSource)>;
/// Candidates, and whether each is the first of its subject.
type Firsts = Vec<(usize, (bool, Subject))>;

/// Terms that explain together, as increasing indices of candidates.
pub(super) type Explanation = Vec<usize>;

/// An explanation with what it scores.
#[derive(Debug, Clone)]
pub(super) struct Scored {
    /// Extended BIC, up to a constant; smaller is better.
    pub(super) score: f64,
    pub(super) terms: Explanation,
}

/// Explanations of one view.
pub(super) struct Explanations<'a> {
    pub(super) view: &'a View,
    per_coefficient: f64,
    /// What share of the price of a choice counts, where it explains growth: γ of the extended BIC.
    gamma: f64,
}

impl<'a> Explanations<'a> {
    pub(super) fn new(view: &'a View, gamma: f64) -> Explanations<'a> {
        Explanations { view, per_coefficient: (view.x.len() as f64).ln(), gamma }
    }

    pub(super) fn term(&self, index: usize) -> Term {
        self.view.candidates[index].term
    }

    /// The best explanation that was found from each of `starts` with terms that `may` be in it.
    pub(super) fn best(&self, starts: &[&Explanation], may: &dyn Fn(Term) -> bool) -> Scored {
        let found = starts.iter().map(|start| self.search((*start).clone(), may));
        found.min_by(|a, b| a.score.total_cmp(&b.score)).unwrap_or_else(|| self.search(Vec::new(), may))
    }

    /// Pairs of leaks, without and with a usual delay, beside what of `terms` does not grow and is no rhythm: best
    /// first. A rhythm can stand in the way of two leaks that together explain more, and so can one leak.
    pub(super) fn pairs(&self, terms: &Explanation) -> Vec<Explanation> {
        let is_kept = |term: Term| term.source_of_growth().is_none() && term != Term::Rhythm;
        let beside: Explanation = terms.iter().copied().filter(|index| is_kept(self.term(*index))).collect();
        let regression = self.regression(&beside);
        let mut delays: Vec<f64> = (0..self.view.candidates.len())
            .filter_map(|index| if let Term::Lost(_, delay) = self.term(index) { Some(delay) } else { None })
            .collect();
        delays.sort_by(f64::total_cmp);
        delays.dedup();
        let usual = delays[delays.len() / 2];
        let mut pairs: Vec<(f64, Explanation)> = Vec::new();
        for delay in if usual == 0.0 { vec![0.0] } else { vec![0.0, usual] } {
            let is_leak = |index: &usize| match self.term(*index) {
                Term::Lost(source, of) => of == delay || source == CauseSource::Clock,
                _ => false,
            };
            let leaks: Vec<usize> = (0..self.view.candidates.len()).filter(is_leak).collect();
            for (place, one) in leaks.iter().enumerate() {
                let mut with_one = regression.clone();
                if !with_one.push(Rc::clone(&self.view.candidates[*one].columns[0])) {
                    continue;
                }
                for two in &leaks[place + 1..] {
                    let gain = with_one.gain(&self.view.candidates[*two].columns[0]);
                    let score =
                        with_one.criterion(&gain, self.view.floor).0 + self.price_of(*one) + self.price_of(*two);
                    let mut pair = beside.clone();
                    pair.extend([*one, *two]);
                    pair.sort_unstable();
                    pairs.push((score, pair));
                }
            }
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Most pairs say nothing that makes sense: one takes what the other gives.
        pairs.into_iter().map(|pair| pair.1).filter(|pair| self.score(pair).is_some()).take(PAIRS).collect()
    }

    /// The best explanation that can be reached from `start` step by step.
    fn search(&self, start: Explanation, may: &dyn Fn(Term) -> bool) -> Scored {
        let start: Explanation = start.into_iter().filter(|index| may(self.term(*index))).collect();
        let mut best = self.score(&start).unwrap_or_else(|| Scored {
            score: self.score(&Vec::new()).expect("the levels alone can be fitted").score,
            terms: Vec::new(),
        });
        for _ in 0..MOST_ROUNDS {
            let mut moves = self.neighbours(&best.terms, may);
            moves.retain(|found| found.score < best.score - 1e-6);
            moves.sort_by(|a, b| a.score.total_cmp(&b.score));
            // The first that makes sense: scores of neighbours do not look at signs.
            let Some(next) = moves.iter().find_map(|found| self.score(&found.terms)) else { return best };
            best = next;
        }
        best
    }

    /// Explanations with a term more, one less, or one in place of another.
    pub(super) fn neighbours(&self, terms: &Explanation, may: &dyn Fn(Term) -> bool) -> Vec<Scored> {
        let mut found = Vec::new();
        self.with_one_more(terms, may, &mut found);
        for left_out in terms {
            let mut fewer = terms.clone();
            fewer.retain(|index| index != left_out);
            let regression = self.regression(&fewer);
            found.push(Scored { score: self.score_of(&regression, &fewer), terms: fewer.clone() });
            self.with_one_more(&fewer, may, &mut found);
        }
        found
    }

    /// Adds one term, in all of its variants only where it explains most.
    fn with_one_more(&self, terms: &Explanation, may: &dyn Fn(Term) -> bool, found: &mut Vec<Scored>) {
        let regression = self.regression(terms);
        let price = self.price(&regression, terms);
        let has_leak = terms.iter().any(|index| self.term(*index).is_leak());
        let known = |index: usize| price - if has_leak && self.term(index).is_leak() { self.unordered() } else { 0.0 };
        let candidates = self.view.candidates.iter().enumerate();
        let (firsts, variants): (Firsts, Firsts) = candidates
            .filter(|(index, candidate)| {
                !terms.contains(index) && may(candidate.term) && self.fits(terms, candidate.term)
            })
            .map(|(index, candidate)| (index, candidate.term.variant_of()))
            .partition(|(_, (is_first, _))| *is_first);
        let mut scored: Vec<(f64, usize, Subject)> = firsts
            .into_iter()
            .filter_map(|(index, (_, variant))| Some((self.with(&regression, known(index), index)?, index, variant)))
            .collect();
        scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        let promising = |is_lost: bool| {
            let of = scored.iter().filter_map(|one| one.2).filter(move |one| one.0 == is_lost);
            of.take(PROMISING)
        };
        let known_ones = terms.iter().filter_map(|index| self.term(*index).variant_of().1);
        let promising: Vec<(bool, CauseSource)> = promising(true).chain(promising(false)).chain(known_ones).collect();
        let variants =
            variants.into_iter().filter(|(_, (_, variant))| variant.is_some_and(|one| promising.contains(&one)));
        let variants = variants.filter_map(|(index, _)| Some((self.with(&regression, known(index), index)?, index)));
        let all = scored.iter().map(|(score, index, _)| (*score, *index)).chain(variants);
        found.extend(all.map(|(score, index)| {
            let mut more = terms.clone();
            more.insert(more.partition_point(|known| *known < index), index);
            Scored { score, terms: more }
        }));
    }

    /// What an explanation of this price scores with one term more; `None` where there are too many coefficients.
    fn with(&self, regression: &Regression<'_>, price: f64, index: usize) -> Option<f64> {
        let columns = &self.view.candidates[index].columns;
        if regression.rank() + columns.len() > regression.len() / 3 {
            return None;
        }
        let criterion = if let [column] = &columns[..] {
            regression.criterion(&regression.gain(column), self.view.floor).0
        } else {
            let mut more = regression.clone();
            columns.iter().for_each(|column| {
                more.push(Rc::clone(column));
            });
            more.criterion(&[0.0; PHI.len()], self.view.floor).0
        };
        Some(criterion + price + columns.len() as f64 * self.per_coefficient + self.price_of(index))
    }

    /// What a term costs beside its coefficients.
    fn price_of(&self, index: usize) -> f64 {
        let candidate = &self.view.candidates[index];
        let share = if candidate.term.source_of_growth().is_some() { self.gamma } else { 1.0 };
        share * candidate.price
    }

    /// Whether a term can be beside others.
    fn fits(&self, terms: &Explanation, term: Term) -> bool {
        let leaks = terms.iter().filter(|index| self.term(**index).is_leak()).count();
        (leaks < MOST_LEAKS || !term.is_leak()) && !terms.iter().any(|index| self.term(*index).excludes(term))
    }

    fn regression(&self, terms: &Explanation) -> Regression<'a> {
        let mut regression = Regression::new(&self.view.noise, Rc::clone(&self.view.response));
        let columns = terms.iter().flat_map(|index| &self.view.candidates[*index].columns);
        for column in self.view.base.iter().chain(columns) {
            regression.push(Rc::clone(column));
        }
        regression
    }

    fn price(&self, regression: &Regression<'_>, terms: &Explanation) -> f64 {
        regression.rank() as f64 * self.per_coefficient + self.choices(terms)
    }

    /// What the choice of these terms costs: two leaks are chosen in no order.
    fn choices(&self, terms: &Explanation) -> f64 {
        let leaks = terms.iter().filter(|index| self.term(**index).is_leak()).count();
        let unordered = if leaks == MOST_LEAKS { self.unordered() } else { 0.0 };
        terms.iter().map(|index| self.price_of(*index)).sum::<f64>() - unordered
    }

    /// Twice the logarithm of the orders of two: the extended BIC counts the ways to choose, which have none.
    fn unordered(&self) -> f64 {
        self.gamma * 2.0 * std::f64::consts::LN_2
    }

    fn score_of(&self, regression: &Regression<'_>, terms: &Explanation) -> f64 {
        regression.criterion(&[0.0; PHI.len()], self.view.floor).0 + self.price(regression, terms)
    }

    /// What an explanation scores; `None` where a term says nothing of its own, or memory would be negative.
    pub(super) fn score(&self, terms: &Explanation) -> Option<Scored> {
        let regression = self.regression(terms);
        let columns = self.view.base.len();
        let wanted: usize = terms.iter().map(|index| self.view.candidates[*index].columns.len()).sum();
        let causes = terms.iter().any(|index| self.term(*index).is_positive());
        let (_, lane) = regression.criterion(&[0.0; PHI.len()], self.view.floor);
        if causes && (regression.rank() != columns + wanted || !self.makes_sense(&regression, terms, lane)) {
            return None;
        }
        Some(Scored { score: self.score_of(&regression, terms), terms: terms.clone() })
    }

    fn makes_sense(&self, regression: &Regression<'_>, terms: &Explanation, lane: usize) -> bool {
        let coefficients = regression.coefficients(lane);
        terms.iter().all(|index| !self.term(*index).is_positive() || coefficients[self.place(terms, *index)] > 0.0)
    }

    /// Which coefficient is the (first) one of a term.
    fn place(&self, terms: &Explanation, index: usize) -> usize {
        let before = terms.iter().take_while(|term| **term != index);
        self.view.base.len() + before.map(|index| self.view.candidates[*index].columns.len()).sum::<usize>()
    }

    /// All coefficients of an explanation, scaled, under its likeliest φ.
    pub(super) fn coefficients(&self, terms: &Explanation) -> Vec<f64> {
        let regression = self.regression(terms);
        let (_, lane) = regression.criterion(&[0.0; PHI.len()], self.view.floor);
        regression.coefficients(lane)
    }

    /// What is known of the coefficient of a term, in scaled units: that of all plausible explanations that have it,
    /// each with its weight, each averaged over φ.
    pub(super) fn posterior(&self, best: &Scored, index: usize) -> Option<SlopePosterior> {
        let term = self.term(index);
        let same = |terms: &Explanation| terms.iter().copied().find(|other| self.term(*other).is_same(term));
        let mut plausible = self.neighbours(&best.terms, &|_| true);
        let limit = self.unpriced(best) + PLAUSIBLE;
        plausible.retain(|other| same(&other.terms).is_some() && self.unpriced(other) < limit);
        plausible.sort_by(|a, b| self.unpriced(a).total_cmp(&self.unpriced(b)));
        plausible.dedup_by(|a, b| a.terms == b.terms);
        let sensible = plausible.iter().filter(|other| other.terms != best.terms);
        let sensible = sensible.filter_map(|other| self.score(&other.terms)).take(MOST_AVERAGED);
        let parts = [best.clone()].into_iter().chain(sensible).filter_map(|found| {
            let place = same(&found.terms)?;
            let regression = self.regression(&found.terms);
            let mut weights = vec![0.0; regression.rank()];
            // Columns have scales of their own.
            let scale = self.view.candidates[index].scale / self.view.candidates[place].scale;
            *weights.get_mut(self.place(&found.terms, place))? = scale;
            let [line] = regression.lines(&weights, [&weights], self.view.floor)?;
            Some(((-0.5 * (self.unpriced(&found) - self.unpriced(best))).exp(), line))
        });
        let parts: Vec<(f64, LinePosterior)> = parts.collect();
        (!parts.is_empty()).then(|| LinePosterior::mixture(parts).slope())
    }

    /// By how much all that explains without a term is worse than all that explains with it: around `with`, the best that
    /// has it, and `without`, the best that has not.
    pub(super) fn margin(&self, term: Term, with: &Scored, without: &Scored) -> f64 {
        let has = |terms: &Explanation| terms.iter().any(|other| self.term(*other).is_same(term));
        let without = self.evidence(without, &|other| !term.is_same(other), &|_| true);
        without - self.evidence(with, &|_| true, &has)
    }

    /// -2 log of the evidence of an explanation and of those one step from it that make sense, of terms that `may` be in
    /// it, if `counts` says so of all its terms.
    ///
    /// One delay or one duration may fit best by chance; what holds is what holds whichever it is. Madigan, Raftery
    /// (1994), "Model selection and accounting for model uncertainty in graphical models using Occam's window".
    fn evidence(&self, found: &Scored, may: &dyn Fn(Term) -> bool, counts: &dyn Fn(&Explanation) -> bool) -> f64 {
        let mut near = self.neighbours(&found.terms, may);
        let limit = found.score + PLAUSIBLE;
        near.retain(|other| other.score < limit && other.terms != found.terms && counts(&other.terms));
        near.sort_by(|a, b| a.terms.cmp(&b.terms));
        near.dedup_by(|a, b| a.terms == b.terms);
        let near = near.iter().filter_map(|other| self.score(&other.terms));
        let sum: f64 = near.map(|other| (-0.5 * (other.score - found.score)).exp()).sum();
        found.score - 2.0 * sum.ln_1p()
    }

    /// The BIC without the price of choices: in an average what is left out weighs as much as what is in.
    fn unpriced(&self, found: &Scored) -> f64 {
        found.score - self.choices(&found.terms)
    }

    /// The fit under the likeliest φ with a term as the last column, and its rank; `None` if the others say all of it.
    fn written_out(&self, found: &Scored, index: usize) -> Option<(WrittenOut, usize)> {
        let others: Explanation = found.terms.iter().copied().filter(|other| *other != index).collect();
        let mut regression = self.regression(&others);
        if !regression.push(Rc::clone(&self.view.candidates[index].columns[0])) {
            return None;
        }
        let (_, lane) = regression.criterion(&[0.0; PHI.len()], self.view.floor);
        Some((regression.written_out(lane), regression.rank()))
    }

    /// By how much the error of a coefficient is larger than its explanation says, at least 1: the square root of the
    /// long-run variance of residuals times what the coefficient is estimated by, as a multiple of what independent
    /// residuals would have (Newey, West 1987; Bartlett weights up to lag 1.3 n^(1/3)).
    pub(super) fn widening(&self, found: &Scored, index: usize) -> f64 {
        let Some((written, rank)) = self.written_out(found, index) else { return 1.0 };
        let Some(direction) = written.basis.last() else { return 1.0 };
        let scores: Vec<f64> = direction.iter().zip(&written.residual).map(|(d, r)| d * r).collect();
        let n = scores.len();
        let lags = (1.3 * (n as f64).cbrt()) as usize;
        let product = |lag: usize| scores[lag..].iter().zip(&scores).map(|(a, b)| a * b).sum::<f64>();
        let correlated: f64 = (1..=lags).map(|lag| 2.0 * (1.0 - lag as f64 / (lags + 1) as f64) * product(lag)).sum();
        let independent = written.residual.iter().map(|r| r * r).sum::<f64>() / (n - rank).max(1) as f64;
        // The direction has length 1.
        ((product(0) + correlated) / independent.max(f64::MIN_POSITIVE)).max(1.0).sqrt()
    }

    /// The standard error of bytes per unit because units keep different amounts, as a share; 0 for what is not counted
    /// in units.
    ///
    /// What the units of a kind keep adds up to a random walk beside the straight line: the rarer the kind, the further
    /// it wanders, and AR(1) noise does not wander. The estimate is a weighted sum of what came in each block; it is off
    /// from the mean of all units as far as its weights are unequal. Amounts are held to vary as much as their mean: of
    /// all distributions of a positive amount that have this mean, the exponential one assumes least (Jaynes 1957,
    /// "Information theory and statistical mechanics").
    pub(super) fn error_of_sizes(&self, found: &Scored, index: usize) -> f64 {
        let candidate = &self.view.candidates[index];
        if !matches!(candidate.term, Term::Lost(source, _) if source != CauseSource::Clock) {
            return 0.0;
        }
        let written = self.written_out(found, index).map(|(written, _)| written);
        let Some(WrittenOut { basis, edges, insides, .. }) = written else { return 0.0 };
        let Some(direction) = basis.last() else { return 0.0 };
        let sums = candidate.columns[0].values();
        let (mut squares, mut weighted, mut all) = (0.0, 0.0, 0.0);
        for run in &self.view.runs {
            // What came in a block is in memory until the run ends.
            let mut after = 0.0;
            for block in run.clone().rev() {
                let before = if block > run.start { sums[block - 1] } else { 0.0 };
                let came = (sums[block] - before).max(0.0);
                let weight = direction[block] * edges[block] + after;
                after += direction[block] * insides[block];
                squares += weight * weight * came;
                weighted += weight * came;
                all += came;
            }
        }
        ((squares / (weighted * weighted) - 1.0 / all).max(0.0) / candidate.scale).sqrt()
    }

    /// The best explanation with each source of growth that is not in `best`, in place of or beside what it has;
    /// those that make sense, among those that score at most `limit`.
    pub(super) fn others(&self, best: &Scored, limit: f64, may: &dyn Fn(Term) -> bool) -> BTreeMap<CauseSource, f64> {
        let mut others = BTreeMap::new();
        let mut found = self.neighbours(&best.terms, may);
        found.push(best.clone());
        found.retain(|other| other.score <= limit);
        for other in found.iter().filter_map(|other| self.score(&other.terms)) {
            for source in other.terms.iter().filter_map(|index| self.term(*index).source_of_growth()) {
                let least = others.entry(source).or_insert(f64::INFINITY);
                *least = other.score.min(*least);
            }
        }
        others
    }
}
