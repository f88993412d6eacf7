//! What someone could know at best: who knows what memory is beside its causes, and how its noise wanders.

use std::rc::Rc;

use leaktrend_core::causes::{self, CauseSource, Measure};
use leaktrend_core::fit::{Fit, ToleranceTerms};
use leaktrend_core::segment;
use leaktrend_core::stats::ar1::{Column, Noise, PHI, Regression};
use leaktrend_core::units::MIB;

use crate::service::{START_MS, Service, Setting, since_start};

/// By how much an explanation must be better to be named, as in `CauseTerms`.
const MARGIN: f64 = 6.0;

/// A service as it is, in the blocks of the judge.
pub(crate) struct Oracle {
    noise: Noise,
    /// Level, load in flight, start-up: what is no leak and no noise, with its size.
    known: Vec<Rc<Column>>,
    /// The same by parts, whose sizes are not known.
    parts: Vec<Rc<Column>>,
    /// What may keep memory, with its delay known.
    sources: Vec<(CauseSource, Rc<Column>)>,
    truths: Vec<CauseSource>,
    /// What causes add.
    signal: Rc<Column>,
    /// What is left beside all that.
    left: Rc<Column>,
    /// Both, and what is known.
    whole: Rc<Column>,
    /// What a coefficient costs.
    per_coefficient: f64,
    floor: f64,
}

/// What is known of that which is no leak and no noise.
#[derive(Clone, Copy)]
enum Knows {
    /// All of it: the signal alone is to be explained.
    Sizes,
    /// What there is of it, but not how much: all of memory is to be explained.
    Shapes,
}

/// Sources together, with their score.
struct Found {
    score: f64,
    sources: Vec<usize>,
}

impl Oracle {
    /// `None` with too few blocks.
    pub(crate) fn new(service: &Service, setting: &Setting) -> Option<Oracle> {
        let series = &service.series;
        let segmentation = segment::cut(series, None);
        let terms = ToleranceTerms::default();
        let fit = Fit::new(&segmentation, 0.1 * MIB, None, &terms, 900.0);
        let (from, blocks) = fit.blocks(segmentation.falls.readings[0], 0)?;
        if blocks.x.len() < causes::MIN_BLOCKS {
            return None;
        }
        let step = setting.length.step;
        // Readings to bins.
        let first = ((series.start_ms() - START_MS) as f64 / 1000.0 / step).round() as usize - 1;
        let bin = |sample: usize| (segmentation.seconds[from + sample] / step).round() as usize + first;
        let of_block = |(samples, trough): (&std::ops::Range<usize>, &f64)| -> Vec<usize> {
            let counts = |at: &usize| !setting.collector || segmentation.values[from + at] <= *trough;
            samples.clone().filter(counts).map(bin).collect()
        };
        let chosen: Vec<Vec<usize>> = blocks.samples.iter().zip(&blocks.troughs).map(of_block).collect();
        let noise = Noise::new(&blocks.x, &blocks.starts);
        let reduced = |values: &[f64]| -> Vec<f64> {
            chosen.iter().map(|at| at.iter().map(|at| values[*at]).sum::<f64>() / at.len() as f64).collect()
        };
        let column = |values: &[f64]| {
            let values = reduced(values);
            let most = values.iter().fold(1e-300, |most: f64, value| most.max(value.abs()));
            noise.column(values.iter().map(|value| value / most).collect())
        };
        let of_unit = |values: &[f64]| noise.column(reduced(values).iter().map(|value| value / MIB).collect());
        let late = (service.delay / step).round() as usize;
        let grows = |values: &[f64], late: usize| column(&since_start(values, &service.cuts, late));
        let mut sources: Vec<(CauseSource, Rc<Column>)> = Vec::new();
        let mut all = vec![0.0; service.kept.len()];
        for (index, covariate) in service.covariates.each().iter().enumerate() {
            let is_level = covariate.measure == Measure::Level;
            if !is_level {
                all.iter_mut().zip(&covariate.values).for_each(|(all, value)| *all += value);
            }
            let column = if is_level { column(&covariate.values) } else { grows(&covariate.values, late) };
            sources.push((CauseSource::Covariate(index), column));
        }
        sources.push((CauseSource::AllRequests, grows(&all, late)));
        sources.push((CauseSource::Clock, grows(&vec![1.0; all.len()], 0)));
        let whole: Vec<f64> =
            (0..all.len()).map(|at| service.known[at] + service.kept[at] + service.noise[at]).collect();
        Some(Oracle {
            parts: service.parts.iter().map(|part| column(part)).collect(),
            known: vec![column(&vec![1.0; all.len()]), of_unit(&service.known), column(&all)],
            sources,
            truths: service.causes.iter().map(|cause| cause.0).collect(),
            signal: of_unit(&service.kept),
            left: of_unit(&service.noise),
            whole: of_unit(&whole),
            per_coefficient: (blocks.x.len() as f64).ln(),
            floor: 4096.0f64.powi(2) / 12.0 / MIB.powi(2),
            noise,
        })
    }

    fn with(&self, knows: Knows, sources: &[usize]) -> Regression<'_> {
        let (response, known) = match knows {
            Knows::Sizes => (&self.signal, &self.known),
            Knows::Shapes => (&self.whole, &self.parts),
        };
        let mut regression = self.regression(response, known);
        sources.iter().for_each(|index| {
            regression.push(Rc::clone(&self.sources[*index].1));
        });
        regression
    }

    fn regression(&self, response: &Rc<Column>, columns: &[Rc<Column>]) -> Regression<'_> {
        let mut regression = Regression::new(&self.noise, Rc::clone(response));
        columns.iter().for_each(|column| {
            regression.push(Rc::clone(column));
        });
        regression
    }

    /// What an explanation costs beside its fit. Whoever does not know the sizes chooses among kinds, and pays for that as
    /// the extended BIC does.
    fn price(&self, knows: Knows, sources: &[usize]) -> f64 {
        let choices = match knows {
            Knows::Sizes => 0.0,
            Knows::Shapes => 2.0 * ((self.sources.len() - 2) as f64).ln(),
        };
        let of = |source: &usize| if self.sources[*source].0 == CauseSource::Clock { 0.0 } else { choices };
        sources.iter().map(|source| self.per_coefficient + of(source)).sum()
    }

    /// The gap in BIC that is expected between the truth and the best explanation without each cause, under the true
    /// parameters: levels, load in flight and noise as they are.
    ///
    /// Explanations without a cause: the others alone, beside one other kind or the clock, and beside two of these; with no
    /// negative bytes. The blocks are those of the judge.
    pub(crate) fn gaps(&self) -> Vec<f64> {
        let truth = self.regression(&self.left, &self.known);
        let (of_truth, lane) = truth.criterion(&[0.0; PHI.len()], self.floor);
        let of_truth = of_truth + self.truths.len() as f64 * self.per_coefficient;
        let score = |regression: &Regression<'_>, gain: &[f64; PHI.len()]| {
            let mut less = [0.0; PHI.len()];
            (0..PHI.len()).for_each(|lane| less[lane] = -(regression.rss()[lane] - gain[lane]).max(0.0));
            truth.criterion(&less, self.floor).0
        };
        let gap = |without: &CauseSource| self.least_without(Knows::Sizes, *without, &score, &|_| lane) - of_truth;
        self.truths.iter().map(gap).collect()
    }

    /// For each cause whether it would be named by someone who knows what there is beside it (which lives, which start-up,
    /// which load in flight) and its delay, but neither the source nor any size, and compares as the program does.
    pub(crate) fn names(&self) -> Vec<bool> {
        let score = |regression: &Regression<'_>, gain: &[f64; PHI.len()]| regression.criterion(gain, self.floor).0;
        let lane_of = |regression: &Regression<'_>| regression.criterion(&[0.0; PHI.len()], self.floor).1;
        let with = |source: &CauseSource| {
            let own = self.place(*source);
            let found = self.explanations(Knows::Shapes, &[own], &|_| true, &score);
            self.least(Knows::Shapes, found, &[own], &lane_of)
        };
        let without = |source: &CauseSource| self.least_without(Knows::Shapes, *source, &score, &lane_of);
        self.truths.iter().map(|source| without(source) - with(source) >= MARGIN).collect()
    }

    fn place(&self, source: CauseSource) -> usize {
        self.sources.iter().position(|other| other.0 == source).expect("a cause is a source")
    }

    fn least_without(
        &self,
        knows: Knows,
        without: CauseSource,
        score: &dyn Fn(&Regression<'_>, &[f64; PHI.len()]) -> f64,
        lane_of: &dyn Fn(&Regression<'_>) -> usize,
    ) -> f64 {
        let is_other = |source: CauseSource| source != without;
        let stays: Vec<usize> = self.truths.iter().filter(|one| is_other(**one)).map(|one| self.place(*one)).collect();
        // With what stays, or without it: what leaks beside may be explained together with this.
        let bases = if stays.is_empty() { vec![Vec::new()] } else { vec![stays, Vec::new()] };
        let least = bases.into_iter().map(|base| {
            let found = self.explanations(knows, &base, &is_other, score);
            self.least(knows, found, &base, lane_of)
        });
        least.fold(f64::INFINITY, f64::min)
    }

    /// These sources alone, with one other, and with two: of which one is the clock if they are not none.
    fn explanations(
        &self,
        knows: Knows,
        base: &[usize],
        may: &dyn Fn(CauseSource) -> bool,
        score: &dyn Fn(&Regression<'_>, &[f64; PHI.len()]) -> f64,
    ) -> Vec<Found> {
        let none = self.with(knows, base);
        let priced = |of: f64, sources: &[usize]| of + self.price(knows, sources);
        let nothing = [0.0; PHI.len()];
        let mut found = vec![Found { score: priced(score(&none, &nothing), base), sources: base.to_vec() }];
        let others: Vec<usize> =
            (0..self.sources.len()).filter(|index| !base.contains(index) && may(self.sources[*index].0)).collect();
        for (place, one) in others.iter().enumerate() {
            let mut with_one = none.clone();
            if !with_one.push(Rc::clone(&self.sources[*one].1)) {
                continue;
            }
            let sources = [base, &[*one]].concat();
            found.push(Found { score: priced(score(&with_one, &nothing), &sources), sources });
            let is_second = |two: &&usize| base.is_empty() || self.sources[**two].0 == CauseSource::Clock;
            for two in others[place + 1..].iter().filter(is_second) {
                let gain = with_one.gain(&self.sources[*two].1);
                let sources = [base, &[*one, *two]].concat();
                found.push(Found { score: priced(score(&with_one, &gain), &sources), sources });
            }
        }
        found
    }

    /// The least score of those with no negative bytes.
    fn least(
        &self,
        knows: Knows,
        mut found: Vec<Found>,
        base: &[usize],
        lane_of: &dyn Fn(&Regression<'_>) -> usize,
    ) -> f64 {
        found.sort_by(|a, b| a.score.total_cmp(&b.score));
        let is_sensible = |found: &&Found| {
            let regression = self.with(knows, &found.sources);
            let coefficients = regression.coefficients(lane_of(&regression));
            let n = self.with(knows, &[]).rank();
            coefficients.len() == n + found.sources.len() && coefficients[n..].iter().all(|value| *value > 0.0)
        };
        found
            .iter()
            .find(|found| found.sources.len() == base.len() || is_sensible(found))
            .map_or(f64::INFINITY, |one| one.score)
    }
}
