//! What a series does, in numbers: a segmented series becomes a `Fit`.
//!
//! Three views, from the most to the least explicit: the slope that all lives share, the floors that garbage
//! collections leave, the shape of the whole. Each is measured here; `judge` decides what they mean. Slopes are
//! bytes per second, times seconds from the first sample.

use std::ops::Range;

use crate::segment::Segmentation;
use crate::stats::ar1::{Noise, Projection, Scaled, SlopePosterior};
use crate::stats::robust::{MAD_TO_SD, mean, median};
use crate::stats::shapes::{self, Form, QUICK_TIME_CONSTANTS, Shape, TIME_CONSTANTS};
use crate::stats::{Points, blocks, steps, theil_sen};
use crate::units::DAY;

/// Everything after the raw samples is computed on at most this many block means of equal time.
const BLOCKS: usize = 288;
/// So many jumps get blocks of their own; what jumps more often has no levels to keep apart.
const MAX_JUMPS: usize = 32;
/// A page of memory: no kernel counts more finely.
const PAGE_BYTES: f64 = 4096.0;
/// Fewer samples say nothing.
pub const MIN_SAMPLES: usize = 16;
/// Of a life that begins with a restart, this share is taken for its warm-up.
const WARM_UP_SHARE: f64 = 0.15;
/// The last life is judged when it is at least this share of the samples, otherwise the longest.
const LAST_LIFE_SHARE: f64 = 0.3;
/// A shorter life has no second half worth the name: two samples a quarter.
const MIN_LIFE_SAMPLES: usize = 8;
/// From so many floors on they are a series of their own.
const FLOORS_AS_SERIES: usize = 24;
/// Fewer floors say nothing.
pub const MIN_FLOORS: usize = 5;
/// More lives than this share one demeaning instead of an intercept each: that would cost their square.
const MAX_INTERCEPTS: usize = 30;
/// Of more lives than this an even choice is pooled: its points are then as many as a slope can use.
const MAX_POOLED: usize = 1000;
/// The last part of the window in which growth must still be going on.
const LATE_SHARE: f64 = 0.4;

/// What growth matters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Growth above this rate is relevant.
    pub bytes_per_second: f64,
    /// Which rule set it.
    pub rule: ToleranceRule,
}

/// Which rule set a tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToleranceRule {
    /// A share of the median level over the window.
    Level,
    /// What would reach the limit within the horizon.
    Limit,
    /// The smallest growth that matters at all.
    Floor,
    /// What the input can print: one of its steps over the window.
    Resolution,
}

/// How a tolerance is set; see `settings::VerdictSettings`.
#[derive(Debug, Clone, Copy)]
pub struct ToleranceTerms {
    /// Share of the median level over the window.
    pub level_share: f64,
    /// Growth over the window that never matters, in bytes.
    pub floor_bytes: f64,
    /// Growth that reaches the limit within this time matters.
    pub horizon_seconds: f64,
    /// The limit in bytes, where one is known.
    pub limit_bytes: Option<f64>,
}

/// What a series does.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Samples that were looked at.
    pub n_samples: usize,
    /// From the first to the last sample.
    pub span_seconds: f64,
    /// The growth that matters, of the whole series.
    pub tolerance: Tolerance,
    /// The variance of reading, in bytes squared.
    pub floor: f64,
    /// What all lives have in common; `None` without restarts, or when the lives are too short.
    pub lives: Option<Lives>,
    /// What one stretch does: everything, or with restarts the life that says most. `None` with too few samples.
    pub stretch: Option<Stretch>,
}

/// What the lives between restarts have in common.
#[derive(Debug, Clone)]
pub struct Lives {
    /// The slope in the second halves of all lives, or of an even choice where they are thousands.
    pub slope: SlopePosterior,
    /// By how much growth explains the lives better than a warm-up after each restart, in BIC; negative when it does
    /// not.
    pub margin: f64,
    /// Lives that were used.
    pub count: usize,
    /// Share of them that end higher than they begin.
    pub rising_share: f64,
    /// Whether the longest one does.
    pub longest_rises: bool,
    /// Per used life: its samples, and the middle of its second half as seconds and bytes.
    pub centres: Vec<(Range<usize>, f64, f64)>,
}

/// One stretch without restarts.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// Its samples.
    pub samples: Range<usize>,
    /// Its share of all samples; below 1 it is one life of several.
    pub share: f64,
    /// What it does.
    pub analysis: Analysis,
}

/// What a stretch does.
#[derive(Debug, Clone)]
pub enum Analysis {
    /// Garbage collections too few to say whether what they leave grows: so many floors.
    FewFloors(usize),
    /// The line through the floors that garbage collections leave.
    Floors {
        /// Times and levels of the floors.
        floors: Vec<(f64, f64)>,
        /// The slope through them.
        slope: SlopePosterior,
    },
    /// A shape, of block means or of many floors.
    Shape(Box<ShapeFit>),
}

/// A shape and the measurements that its verdict rests on.
#[derive(Debug, Clone)]
pub struct ShapeFit {
    /// Whether these are floors that garbage collections left.
    pub of_floors: bool,
    /// The chosen shape.
    pub shape: Shape,
    /// Its slope.
    pub slope: SlopePosterior,
    /// Seconds of the points.
    pub seconds: Vec<f64>,
    /// Bytes of the points.
    pub values: Vec<f64>,
    /// Level of the first eighth, without the daily cycle.
    pub first: f64,
    /// Level of the last eighth.
    pub last: f64,
    /// The same, with the falls of the fitted steps taken out.
    pub last_without_falls: f64,
    /// The slope over the last part of the window.
    pub late_slope: Option<SlopePosterior>,
    /// Many level shifts, when they say more than the shape.
    pub staircase: Option<Staircase>,
}

/// Three or more upward steps, none back.
#[derive(Debug, Clone, PartialEq)]
pub struct Staircase {
    /// Index (among the points) and size in bytes of each step.
    pub steps: Vec<(usize, f64)>,
    /// Growth over the window, in bytes.
    pub total: f64,
    /// The slope of a straight line through everything: the steps as a rate.
    pub slope: SlopePosterior,
}

impl Fit {
    /// The probability that there is no growth, of the view that a verdict of growth would rest on; `None` when
    /// nothing could be measured.
    pub fn p_value(&self) -> Option<f64> {
        let lives = self.lives.as_ref().map(|lives| lives.slope.probability_at_most(0.0));
        let stretch = self.stretch.as_ref().and_then(Stretch::slope).map(|slope| slope.probability_at_most(0.0));
        lives.or(stretch)
    }
}

impl Stretch {
    /// The slope of the stretch, where there is one.
    pub fn slope(&self) -> Option<&SlopePosterior> {
        match &self.analysis {
            Analysis::FewFloors(_) => None,
            Analysis::Floors { slope, .. } => Some(slope),
            Analysis::Shape(fit) => Some(&fit.slope),
        }
    }
}

/// Measures a series. `quantum`: the coarsest step in which the input could print its values, in bytes.
///
/// Takes O(n) time for a bounded number of falls.
pub fn fit(segmentation: &Segmentation, quantum: f64, terms: &ToleranceTerms) -> Fit {
    let (seconds, values) = (&segmentation.seconds, &segmentation.values);
    let n_samples = values.len();
    let span_seconds = seconds[n_samples - 1] - seconds[0];
    let tolerance = tolerance(values, span_seconds, quantum, terms);
    let floor = quantum.max(PAGE_BYTES).powi(2) / 12.0;
    let mut fit = Fit { n_samples, span_seconds, tolerance, floor, lives: None, stretch: None };
    if n_samples < MIN_SAMPLES {
        return fit;
    }
    let lives = segmentation.lives();
    if lives.len() > 1 {
        fit.lives = pool(&lives, seconds, values, floor);
    }
    let samples = most_telling(&lives, n_samples);
    if samples.len() >= MIN_SAMPLES {
        let share = samples.len() as f64 / n_samples as f64;
        let analysis = analyse(segmentation, samples.clone(), floor, &tolerance);
        fit.stretch = analysis.map(|analysis| Stretch { samples, share, analysis });
    }
    fit
}

fn tolerance(values: &[f64], span: f64, quantum: f64, terms: &ToleranceTerms) -> Tolerance {
    let span = span.max(1.0);
    let level = median(values).expect("a series is never empty");
    let now = median(&values[values.len() - (values.len() / 8).max(1)..]).expect("a series is never empty");
    let mut chosen = (terms.level_share * level / span, ToleranceRule::Level);
    if let Some(limit) = terms.limit_bytes.filter(|limit| now < *limit) {
        let to_limit = (limit - now) / terms.horizon_seconds;
        if to_limit < chosen.0 {
            chosen = (to_limit, ToleranceRule::Limit);
        }
    }
    for lower_bound in [(terms.floor_bytes / span, ToleranceRule::Floor), (quantum / span, ToleranceRule::Resolution)] {
        if chosen.0 < lower_bound.0 {
            chosen = lower_bound;
        }
    }
    Tolerance { bytes_per_second: chosen.0, rule: chosen.1 }
}

/// The slope that the second halves of all lives share; the first halves hold the warm-up.
fn pool(lives: &[Range<usize>], seconds: &[f64], values: &[f64], floor: f64) -> Option<Lives> {
    let lives: Vec<&Range<usize>> = lives.iter().filter(|life| life.len() >= MIN_LIFE_SAMPLES).collect();
    let per_block = values.len().div_ceil(BLOCKS);
    let second_half = |life: &Range<usize>| -> (Vec<f64>, Vec<f64>) {
        let from = life.start + life.len() / 2;
        let length = life.end - from;
        let count = (length / per_block.min((length / 6).max(1))).max(1);
        let edge = |index: usize| from + length * index / count;
        let blocks = (0..count).map(|index| {
            let block = edge(index)..edge(index + 1);
            let middle = |column: &[f64]| mean(&column[block.clone()]).expect("blocks are not empty");
            (middle(seconds), middle(values))
        });
        blocks.unzip()
    };
    let halves: Vec<(Range<usize>, Vec<f64>, Vec<f64>)> = evenly(&lives, MAX_POOLED)
        .map(|life| {
            let (x, y) = second_half(life);
            (life.clone(), x, y)
        })
        .collect();
    let n: usize = halves.iter().map(|(_, x, _)| x.len()).sum();
    if n < 8 || n < halves.len() + 5 {
        return None;
    }

    let mut starts = Vec::with_capacity(halves.len());
    let (mut x, mut y, mut ages) = (Vec::with_capacity(n), Vec::with_capacity(n), Vec::with_capacity(n));
    let intercepts = halves.len() <= MAX_INTERCEPTS;
    for (life, half_x, half_y) in &halves {
        let (centre_x, centre_y) = (mean(half_x).expect("not empty"), mean(half_y).expect("not empty"));
        starts.push(x.len());
        x.extend_from_slice(half_x);
        y.extend(half_y.iter().map(|y| if intercepts { *y } else { y - centre_y }));
        // Without intercepts everything is counted from the life's own centre.
        ages.extend(half_x.iter().map(|x| x - if intercepts { seconds[life.start] } else { centre_x }));
    }
    let levels = if intercepts { levels_of_lives(&starts, n) } else { vec![Vec::new()] };
    let longest = halves.iter().map(|(_, x, _)| x[x.len() - 1] - x[0]).fold(f64::MIN_POSITIVE, f64::max);
    let ages: Vec<f64> = ages.iter().map(|age| age / longest).collect();
    let since_start: Vec<Vec<f64>> = halves
        .iter()
        .map(|(life, half, _)| half.iter().map(|x| (x - seconds[life.start]) / (2.0 * longest)).collect())
        .collect();
    let warm_up = |tau: f64| -> Vec<f64> {
        let each = since_start.iter().flat_map(|ages| {
            let cooled: Vec<f64> = ages.iter().map(|age| (-age / tau).exp()).collect();
            let centre = if intercepts { 0.0 } else { mean(&cooled).expect("not empty") };
            cooled.into_iter().map(move |value| value - centre)
        });
        each.collect()
    };
    let scaled = Scaled::new(&y);
    let floor = floor / scaled.unit.powi(2);
    let noise = Noise::new(&x, &starts);
    let (columns, margin) = best_beside_growth(&noise, &scaled.values, &levels, &ages, &warm_up, floor);
    let slope = SlopePosterior::new(&noise, &scaled.values, &columns, &ages, floor)?.scaled(scaled.unit / longest);

    let rise = |y: &[f64]| {
        let third = (y.len() / 3).max(1);
        mean(&y[y.len() - third..]).zip(mean(&y[..third])).map_or(0.0, |(last, first)| last - first)
    };
    let mut centres = Vec::with_capacity(lives.len());
    let mut rising = 0u32;
    for life in &lives {
        let (x, y) = second_half(life);
        centres.push(((*life).clone(), mean(&x)?, mean(&y)?));
        rising += u32::from(rise(&y) > 0.0);
    }
    // The first of equals, so that the answer does not depend on the order of iteration.
    let longest = lives.iter().rev().max_by_key(|life| life.len())?;
    Some(Lives {
        slope,
        margin,
        count: lives.len(),
        rising_share: f64::from(rising) / lives.len() as f64,
        longest_rises: rise(&second_half(longest).1) > 0.0,
        centres,
    })
}

/// At most so many of some items, over all of them; the first and the last are among them.
fn evenly<'a, T>(items: &'a [&T], most: usize) -> impl Iterator<Item = &'a T> {
    let n = items.len().min(most);
    (0..n).map(move |place| items[place * (items.len() - 1) / (n - 1).max(1)])
}

/// The levels that lives may have: each its own, or all the same, since a restart makes the same program anew. The age
/// of the first life is not known, so it always has its own.
fn levels_of_lives(starts: &[usize], n: usize) -> Vec<Vec<Vec<f64>>> {
    let indicator = |range: Range<usize>| (0..n).map(|index| f64::from(u8::from(range.contains(&index)))).collect();
    let ends = starts[1..].iter().copied().chain([n]);
    let own: Vec<Vec<f64>> = starts.iter().zip(ends).map(|(&start, end)| indicator(start..end)).collect();
    match starts {
        [_, second, _, ..] => vec![own, vec![indicator(0..*second), indicator(*second..n)]],
        _ => vec![own],
    }
}

/// What explains the lives best beside growth, their levels and a warm-up after each restart, and by how much growth
/// beats no growth in BIC.
fn best_beside_growth(
    noise: &Noise,
    y: &[f64],
    levels: &[Vec<Vec<f64>>],
    ages: &[f64],
    warm_up: &dyn Fn(f64) -> Vec<f64>,
    floor: f64,
) -> (Vec<Vec<f64>>, f64) {
    let price = (y.len() as f64).ln();
    let bic = |projections: &[Projection<'_>], column: Option<&[f64]>, parameters: usize| {
        let criteria = projections
            .iter()
            .map(|projection| projection.criterion(column.map_or(0.0, |column| projection.gain(column)), floor));
        criteria.fold(f64::INFINITY, f64::min) + parameters as f64 * price
    };
    let mut best = (f64::INFINITY, Vec::new());
    let mut best_growing = (f64::INFINITY, Vec::new());
    let keep = |best: &mut (f64, Vec<Vec<f64>>), bic: f64, levels: &[Vec<f64>], column: Option<&[f64]>| {
        if bic < best.0 {
            *best = (bic, levels.iter().cloned().chain(column.map(<[f64]>::to_vec)).collect());
        }
    };
    for levels in levels {
        let level = noise.project(y, levels);
        let mut growing = level.clone();
        growing.iter_mut().for_each(|projection| {
            projection.push(ages);
        });
        keep(&mut best, bic(&level, None, levels.len()), levels, None);
        keep(&mut best_growing, bic(&growing, None, levels.len() + 1), levels, None);
        for (index, tau) in TIME_CONSTANTS.into_iter().enumerate() {
            let column = warm_up(tau);
            // A time constant costs like a coefficient.
            keep(&mut best, bic(&level, Some(&column), levels.len() + 2), levels, Some(&column));
            if index < QUICK_TIME_CONSTANTS {
                let parameters = levels.len() + 3;
                keep(&mut best_growing, bic(&growing, Some(&column), parameters), levels, Some(&column));
            }
        }
    }
    let margin = best.0 - best_growing.0;
    (if margin >= 0.0 { best_growing.1 } else { best.1 }, margin)
}

/// The samples that are judged by their shape: everything, or of several lives the last or the longest.
fn most_telling(lives: &[Range<usize>], n: usize) -> Range<usize> {
    let [.., last] = lives else { return 0..n };
    if lives.len() == 1 {
        return 0..n;
    }
    let chosen = if last.len() as f64 >= LAST_LIFE_SHARE * n as f64 {
        last
    } else {
        lives.iter().rev().max_by_key(|life| life.len()).unwrap_or(last)
    };
    let warm_up = if chosen.start == 0 { 0 } else { (chosen.len() as f64 * WARM_UP_SHARE) as usize };
    chosen.start + warm_up..chosen.end
}

fn analyse(segmentation: &Segmentation, samples: Range<usize>, floor: f64, tolerance: &Tolerance) -> Option<Analysis> {
    let points = Points::new(&segmentation.seconds, &segmentation.values)?.slice(samples.clone());
    let releases: Vec<usize> = segmentation
        .releases
        .iter()
        .filter(|release| samples.start < **release && **release < samples.end)
        .map(|release| release - samples.start)
        .collect();
    if releases.len() >= 3 && segmentation.rises.len() * 3 <= releases.len() {
        return after_collections(points, &releases, floor, tolerance);
    }
    let mut jumps: Vec<usize> = segmentation
        .falls
        .iter()
        .chain(&segmentation.rises)
        .filter(|at| samples.contains(at))
        .map(|at| at - samples.start)
        .collect();
    jumps.sort_unstable();
    jumps.truncate(MAX_JUMPS);
    let (x, y) = blocks::means(points, BLOCKS, &jumps);
    shape_of(Points::new(&x, &y)?, false, floor, tolerance).map(|fit| Analysis::Shape(Box::new(fit)))
}

/// What garbage collections leave: the lowest reading in the first half of each cycle that begins with one.
fn after_collections(points: Points<'_>, releases: &[usize], floor: f64, tolerance: &Tolerance) -> Option<Analysis> {
    let n = points.len();
    let edges: Vec<usize> = releases.iter().copied().chain([n]).collect();
    let mut floors: Vec<(f64, f64)> = edges
        .windows(2)
        .filter(|cycle| cycle[1] < n || cycle[1] - cycle[0] >= 3)
        .map(|cycle| {
            let half = cycle[0] + (cycle[1] - cycle[0]).div_ceil(2);
            let lowest = (cycle[0]..half.max(cycle[0] + 1))
                .min_by(|&a, &b| points.y()[a].total_cmp(&points.y()[b]))
                .expect("half a cycle holds a sample");
            (points.x()[lowest], points.y()[lowest])
        })
        .collect();
    let found = floors.len();
    if found < MIN_FLOORS {
        return Some(Analysis::FewFloors(found));
    }

    // A collection that was only partial leaves a floor that is none.
    let (x, y): (Vec<f64>, Vec<f64>) = floors.iter().copied().unzip();
    let slope = theil_sen::slope(Points::new(&x, &y)?)?;
    let residuals: Vec<f64> = floors.iter().map(|(x, y)| y - slope * x).collect();
    let centre = median(&residuals)?;
    let deviations: Vec<f64> = residuals.iter().map(|residual| (residual - centre).abs()).collect();
    let spread = MAD_TO_SD * median(&deviations)?;
    let mut deviation = deviations.iter();
    floors.retain(|_| deviation.next().is_some_and(|deviation| *deviation <= 4.0 * spread + 1.0));

    let (x, y): (Vec<f64>, Vec<f64>) = floors.iter().copied().unzip();
    let of_floors = Points::new(&x, &y)?;
    if found >= FLOORS_AS_SERIES {
        let (x, y) = blocks::means(of_floors, BLOCKS, &[]);
        return shape_of(Points::new(&x, &y)?, true, floor, tolerance).map(|fit| Analysis::Shape(Box::new(fit)));
    }
    let slope = SlopePosterior::of_line(of_floors, floor)?;
    Some(Analysis::Floors { floors, slope })
}

fn shape_of(points: Points<'_>, of_floors: bool, floor: f64, tolerance: &Tolerance) -> Option<ShapeFit> {
    let shape = shapes::choose(points, DAY, floor)?;
    let slope = shape.slope.clone()?;
    let n = points.len();
    let eighth = (n / 8).max(2);
    let mut level = shape.without_cycle.clone();
    let first = median(&level[..eighth])?;
    let last = median(&level[n - eighth..])?;
    for &at in shape.chosen.form.steps() {
        let width = (n / 24).max(3);
        let after = median(&level[at..n.min(at + width)])?;
        let change = after - median(&level[at.saturating_sub(width)..at])?;
        if change < 0.0 {
            level[at..].iter_mut().for_each(|value| *value -= change);
        }
    }
    let last_without_falls = median(&level[n - eighth..])?;
    let late_from = (n as f64 * (1.0 - LATE_SHARE)) as usize;
    let late_slope = SlopePosterior::of_line(points.slice(late_from..n), floor);
    let staircase = staircase(points, &shape, floor, tolerance);
    Some(ShapeFit {
        of_floors,
        slope,
        seconds: points.x().to_vec(),
        values: points.y().to_vec(),
        first,
        last,
        last_without_falls,
        late_slope,
        staircase,
        shape,
    })
}

/// Three or more steps up that explain more than the chosen shape, do not go back, are not one large one, and have
/// not stopped.
fn staircase(points: Points<'_>, shape: &Shape, floor: f64, tolerance: &Tolerance) -> Option<Staircase> {
    /// Steps closer than this share of the window are one.
    const MERGE: f64 = 1.0 / 16.0;
    /// How much better than the chosen shape the steps must be, in BIC.
    const BETTER: f64 = 6.0;

    let n = points.len();
    // What is best described as a level has no staircase; the search is the costliest part.
    if n < 40 || matches!(shape.chosen.form, Form::Flat) {
        return None;
    }
    let scaled = Scaled::new(points.y());
    let found = steps::search(&Noise::new(points.x(), &[]), &scaled.values, floor / scaled.unit.powi(2));
    if found.at.len() < 3 || found.bic > shape.chosen.bic - BETTER {
        return None;
    }
    let mut merged: Vec<(usize, f64)> = Vec::new();
    for (&at, size) in found.at.iter().zip(&found.sizes) {
        let size = size * scaled.unit;
        match merged.last_mut() {
            Some((before, sum)) if ((at - *before) as f64) < n as f64 * MERGE => *sum += size,
            _ => merged.push((at, size)),
        }
    }
    let largest = merged.iter().map(|(_, size)| *size).fold(0.0, f64::max);
    let up: f64 = merged.iter().map(|(_, size)| size.max(0.0)).sum();
    let down: f64 = merged.iter().map(|(_, size)| (-size).max(0.0)).sum();
    let large = merged.iter().filter(|(_, size)| *size >= 0.25 * largest).count();
    let relevant = up - down >= tolerance.bytes_per_second * points.span();
    if merged.len() < 3 || large < 3 || down > 0.15 * up || !relevant || largest > 0.5 * up {
        return None;
    }
    // Were steps still to come at the same rate, this many would all lie before the last one's position with this
    // probability.
    let last = merged.iter().filter(|(_, size)| *size > 0.0).map(|(at, _)| *at).max()?;
    let stopped = (last as f64 / n as f64).powi(large as i32) < 0.05;
    let slope = SlopePosterior::of_line(points, floor)?;
    (!stopped).then_some(Staircase { steps: merged, total: up - down, slope })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_choice_reaches_from_the_first_to_the_last() {
        let numbers: Vec<usize> = (0..=3000).collect();
        let items: Vec<&usize> = numbers.iter().collect();
        let choice: Vec<usize> = evenly(&items, 7).copied().collect();
        assert_eq!(choice, [0, 500, 1000, 1500, 2000, 2500, 3000]);
        assert!(evenly(&items[..5], 7).eq(&numbers[..5]));
        assert!(evenly(&items[..1], 7).eq(&numbers[..1]));
        assert_eq!(evenly(&items[..0], 7).count(), 0);
    }
}
