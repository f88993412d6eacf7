//! What becomes of one simulated service: what could be known, what was said, and whether it was right.

use std::rc::Rc;

use leaktrend_core::Terms as JudgeTerms;
use leaktrend_core::causes::{self, CauseSource, GrowthCause, Measure};
use leaktrend_core::fit::{Fit, ToleranceTerms};
use leaktrend_core::segment;
use leaktrend_core::stats::ar1::{Column, Noise, PHI, Regression};

use crate::service::{Family, Service, Setting, simulate};

/// A cause can be identified where every other explanation is expected to be worse by so much, in BIC.
pub(crate) const IDENTIFIABLE: f64 = 12.0;

pub(crate) struct Outcome {
    pub(crate) setting: Setting,
    /// What became of each true cause.
    pub(crate) truths: Vec<Truth>,
    /// Whether something else was named as what makes memory grow; of a kind that is in no log, the clock is not wrong.
    pub(crate) is_wrong: bool,
    /// Whether anything was.
    pub(crate) is_named: bool,
    pub(crate) said: Vec<GrowthCause>,
    pub(crate) cpu: std::time::Duration,
}

/// What was known of a true cause.
pub(crate) struct Truth {
    /// The gap that is expected in BIC.
    pub(crate) gap: f64,
    /// A level that holds memory counts whether it is said to grow or not; a leak must be said to be one.
    pub(crate) is_named: bool,
    /// In the set of what cannot be told apart, of a cause that is not named.
    pub(crate) is_in_set: bool,
    /// Whether its interval holds the bytes per unit, where it is named.
    pub(crate) is_covered: Option<bool>,
    /// The estimate as a share of the truth, where it is named.
    pub(crate) ratio: Option<f64>,
}

impl Truth {
    pub(crate) fn is_identifiable(&self) -> bool {
        self.gap >= IDENTIFIABLE
    }
}

pub(crate) fn outcome(setting: &Setting, seed: u64) -> Outcome {
    let service = simulate(setting, seed);
    let segmentation = segment::cut(&service.series, None);
    let begun = std::time::Instant::now();
    let said = causes::attribute(
        &segmentation,
        &service.series,
        &service.covariates,
        &JudgeTerms::default(),
        &causes::CauseTerms::default(),
    );
    let cpu = begun.elapsed();
    let gaps = gaps(&service, setting);
    let truths = service.causes.iter().zip(gaps).map(|((source, bytes), gap)| {
        let is_it = |cause: &&GrowthCause| cause.is_named && (setting.family == Family::Gauge || cause.is_named_leak());
        let of_it = said.iter().filter(is_it).find(|cause| cause.source == *source);
        let in_set = |cause: &&GrowthCause| {
            !cause.is_named && (cause.source == *source || cause.indistinguishable.contains(source))
        };
        Truth {
            gap,
            is_named: of_it.is_some(),
            is_in_set: said.iter().any(|cause| in_set(&cause)),
            is_covered: of_it.map(|cause| cause.bytes_per_unit.lower <= *bytes && *bytes <= cause.bytes_per_unit.upper),
            ratio: of_it.map(|cause| cause.bytes_per_unit.value / bytes),
        }
    });
    let truths = truths.collect();
    let is_true = |cause: &GrowthCause| service.causes.iter().any(|(source, _)| *source == cause.source);
    let named: Vec<&GrowthCause> = said.iter().filter(|cause| cause.is_named_leak()).collect();
    let is_fair = |cause: &GrowthCause| setting.family == Family::Hidden && cause.source == CauseSource::Clock;
    Outcome {
        setting: *setting,
        truths,
        is_wrong: named.iter().any(|cause| !is_true(cause) && !is_fair(cause)),
        is_named: !named.is_empty(),
        said,
        cpu,
    }
}

/// The gap in BIC that is expected between the truth and the best explanation without each cause, under the true
/// parameters: levels, load in flight and noise as they are.
///
/// Explanations without a cause: the others alone, beside one other kind or the clock, and beside two of these; with no
/// negative bytes. The blocks are those of the judge.
#[expect(clippy::too_many_lines, reason = "one definition")]
fn gaps(service: &Service, setting: &Setting) -> Vec<f64> {
    let series = &service.series;
    let segmentation = segment::cut(series, None);
    let terms = ToleranceTerms::default();
    let fit = Fit::new(&segmentation, 0.1 * 1_048_576.0, None, &terms, 900.0);
    let Some((from, blocks)) = fit.blocks(segmentation.falls.readings[0], 0) else {
        return vec![0.0; service.causes.len()];
    };
    if blocks.x.len() < causes::MIN_BLOCKS {
        return vec![0.0; service.causes.len()];
    }
    let step = setting.length.step;
    // Readings to bins.
    let bin = |sample: usize| (segmentation.seconds[from + sample] / step).round() as usize + first_bin(series, step);
    let chosen: Vec<Vec<usize>> = blocks
        .samples
        .iter()
        .zip(&blocks.troughs)
        .map(|(samples, trough)| {
            let counts = |at: &usize| !setting.collector || segmentation.values[from + at] <= *trough;
            samples.clone().filter(counts).map(bin).collect()
        })
        .collect();
    let noise = Noise::new(&blocks.x, &blocks.starts);
    let reduced = |values: &[f64]| -> Vec<f64> {
        chosen.iter().map(|at| at.iter().map(|at| values[*at]).sum::<f64>() / at.len() as f64).collect()
    };
    let column = |values: &[f64]| {
        let values = reduced(values);
        let most = values.iter().fold(1e-300, |most: f64, value| most.max(value.abs()));
        noise.column(values.iter().map(|value| value / most).collect())
    };
    let unit = 1_048_576.0;
    let of_unit = |values: &[f64]| noise.column(reduced(values).iter().map(|value| value / unit).collect());

    let late = (service.delay / step).round() as usize;
    let grows = |values: &[f64], late: usize| column(&crate::service::since_start(values, &service.cuts, late));
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

    let ones = vec![1.0; all.len()];
    let known = [column(&ones), of_unit(&service.known), column(&all)];
    let with = |response: Rc<Column>, columns: &[Rc<Column>]| {
        let mut regression = Regression::new(&noise, response);
        columns.iter().for_each(|column| {
            regression.push(Rc::clone(column));
        });
        regression
    };
    let truth = with(of_unit(&service.noise), &known);
    let floor = 4096.0f64.powi(2) / 12.0 / unit.powi(2);
    let of_truth = truth.criterion(&[0.0; PHI.len()], floor).0;
    let price = (blocks.x.len() as f64).ln();
    let true_sources: Vec<CauseSource> = service.causes.iter().map(|cause| cause.0).collect();
    let signal = of_unit(&service.kept);
    let score = |regression: &Regression<'_>, gain: &[f64; 13], coefficients: usize| {
        let mut less = [0.0; PHI.len()];
        (0..PHI.len()).for_each(|lane| less[lane] = -(regression.rss()[lane] - gain[lane]).max(0.0));
        truth.criterion(&less, floor).0 + coefficients as f64 * price
    };
    true_sources
        .iter()
        .map(|without| {
            let others: Vec<&(CauseSource, Rc<Column>)> = sources.iter().filter(|other| other.0 != *without).collect();
            let kept: Vec<Rc<Column>> = others
                .iter()
                .filter(|other| true_sources.contains(&other.0))
                .map(|other| Rc::clone(&other.1))
                .collect();
            let of_truth = of_truth + true_sources.len() as f64 * price;
            let mut least = f64::INFINITY;
            // With what stays, or without it: what leaks beside may be explained together with this.
            for stays in if kept.is_empty() { vec![Vec::new()] } else { vec![kept.clone(), Vec::new()] } {
                let base = [&known[..], &stays[..]].concat();
                let none = with(Rc::clone(&signal), &base);
                least = least.min(score(&none, &[0.0; PHI.len()], stays.len()));
                let mut found: Vec<(f64, Vec<Rc<Column>>)> = Vec::new();
                for (index, one) in others.iter().enumerate() {
                    let mut with_one = none.clone();
                    if !with_one.push(Rc::clone(&one.1)) {
                        continue;
                    }
                    found.push((score(&with_one, &[0.0; PHI.len()], stays.len() + 1), vec![Rc::clone(&one.1)]));
                    // Two kinds at most, and the clock.
                    for two in
                        others.iter().skip(index + 1).filter(|two| stays.is_empty() || two.0 == CauseSource::Clock)
                    {
                        let gain = with_one.gain(&two.1);
                        let columns = vec![Rc::clone(&one.1), Rc::clone(&two.1)];
                        found.push((score(&with_one, &gain, stays.len() + 2), columns));
                    }
                }
                found.sort_by(|a, b| a.0.total_cmp(&b.0));
                let sensible = found.into_iter().take_while(|one| one.0 < least).find(|(_, columns)| {
                    let all = [&base[..], columns].concat();
                    let regression = with(Rc::clone(&signal), &all);
                    let lane = truth.criterion(&[0.0; PHI.len()], floor).1;
                    let coefficients = regression.coefficients(lane);
                    coefficients.len() == all.len() && coefficients[known.len()..].iter().all(|value| *value > 0.0)
                });
                least = sensible.map_or(least, |one| one.0);
            }
            least - of_truth
        })
        .collect()
}

/// The bin of the first reading.
fn first_bin(series: &leaktrend_core::series::MemorySeries, step: f64) -> usize {
    ((series.start_ms() - crate::service::START_MS) as f64 / 1000.0 / step).round() as usize - 1
}
