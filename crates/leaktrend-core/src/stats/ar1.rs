//! Lines through autocorrelated noise: generalised least squares under AR(1), averaged over its coefficient.
//!
//! A level that wanders (φ near 1) shows slopes that mean nothing; independent noise (φ near 0) does not. Which of
//! the two it is, is itself uncertain, so every slope here is a mixture over φ, weighted by how well each explains
//! the data. Ordinary least squares and the Mann–Kendall test take wandering for growth: `reports/accuracy.md` has
//! all three on the same series.

use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

use super::Points;
use super::robust::median;

/// The AR(1) coefficients that are tried, about even in log(1-φ): a prior that leans to long memory, which keeps
/// wandering series quiet where a grid even in φ would take them for growth.
pub const PHI: [f64; 13] = [0.0, 0.2, 0.4, 0.55, 0.7, 0.8, 0.87, 0.92, 0.95, 0.97, 0.985, 0.995, 0.9995];

/// Steps shorter than this share of the usual one are taken as this long, so that bursts do not look identical.
const MIN_STEP: f64 = 0.25;

/// A column counts as a combination of those before it when less than this share of its square is left.
const DEPENDENT: f64 = 1e-9;

/// Where more than this share of a column's square is left, subtracting squares is as good as subtracting columns.
const CLEAR: f64 = 1e-3;

/// A component of less weight is not worth a distribution function.
const NO_WEIGHT: f64 = 1e-12;

/// How noise at one sample carries over to the next, for every φ of `PHI`.
#[derive(Debug, Clone)]
pub struct Noise {
    n: usize,
    whiteners: Vec<Whitener>,
}

/// Turns AR(1) noise with one φ into independent noise: `w[i] * (y[i] - rho[i] * y[i-1])`.
#[derive(Debug, Clone)]
struct Whitener {
    carry: Vec<f64>,
    weight: Vec<f64>,
    /// What becomes of a 1 after a 1: `w[i] * (1 - rho[i])`.
    inside: Vec<f64>,
    /// log |V| of the noise's correlation matrix.
    log_determinant: f64,
}

impl Noise {
    /// Noise over samples at `x`; it starts anew at every index in `starts` (0 is always one).
    pub fn new(x: &[f64], starts: &[usize]) -> Noise {
        let n = x.len();
        let mut begins = vec![false; n];
        for &start in starts.iter().chain(&[0]) {
            if let Some(begin) = begins.get_mut(start) {
                *begin = true;
            }
        }
        let steps: Vec<f64> = (1..n).filter(|&index| !begins[index]).map(|index| x[index] - x[index - 1]).collect();
        let usual = median(&steps).filter(|step| *step > 0.0).unwrap_or(1.0);
        let step = |index: usize| ((x[index] - x[index - 1]) / usual).max(MIN_STEP);

        let whiteners = PHI
            .iter()
            .map(|&phi| {
                let start_variance = 1.0 / (1.0 - phi * phi);
                let (mut carry, mut weight) = (Vec::with_capacity(n), Vec::with_capacity(n));
                let mut log_determinant = 0.0;
                for (index, &begin) in begins.iter().enumerate() {
                    let rho = if begin { 0.0 } else { phi.powf(step(index)) };
                    let variance = start_variance * (1.0 - rho * rho);
                    carry.push(rho);
                    weight.push(variance.sqrt().recip());
                    log_determinant += variance.ln();
                }
                let inside = carry.iter().zip(&weight).map(|(carry, weight)| weight * (1.0 - carry)).collect();
                Whitener { carry, weight, inside, log_determinant }
            })
            .collect();
        Noise { n, whiteners }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Fits `columns` to `y` for every φ.
    pub fn project(&self, y: &[f64], columns: &[Vec<f64>]) -> Vec<Projection<'_>> {
        (0..PHI.len()).map(|index| self.project_one(index, y, columns)).collect()
    }

    /// Fits `columns` to `y` for the φ of `PHI` with this index.
    pub fn project_one(&self, index: usize, y: &[f64], columns: &[Vec<f64>]) -> Projection<'_> {
        let mut projection = Projection::new(&self.whiteners[index], y);
        for column in columns {
            projection.push(column);
        }
        projection
    }
}

impl Whitener {
    fn whiten(&self, column: &[f64]) -> Vec<f64> {
        let mut white = Vec::with_capacity(column.len());
        white.extend(column.first().zip(self.weight.first()).map(|(value, weight)| weight * value));
        let later = self.carry.iter().zip(&self.weight).skip(1);
        white.extend(column.windows(2).zip(later).map(|(pair, (carry, weight))| weight * (pair[1] - carry * pair[0])));
        white
    }
}

/// A least-squares fit under one φ: an orthonormal basis of the columns so far, and what they leave of `y`.
#[derive(Debug, Clone)]
pub struct Projection<'a> {
    whitener: &'a Whitener,
    basis: Vec<Vec<f64>>,
    norms: Vec<f64>,
    residual: Vec<f64>,
}

impl<'a> Projection<'a> {
    fn new(whitener: &'a Whitener, y: &[f64]) -> Projection<'a> {
        Projection { whitener, basis: Vec::new(), norms: Vec::new(), residual: whitener.whiten(y) }
    }

    /// Adds a column; gives its coefficient given those before it. `None` when it adds nothing to them.
    pub fn push(&mut self, column: &[f64]) -> Option<f64> {
        let (direction, norm) = self.direction(self.whitener.whiten(column))?;
        let along = dot(&direction, &self.residual);
        self.residual.iter_mut().zip(&direction).for_each(|(r, d)| *r -= along * d);
        self.basis.push(direction);
        self.norms.push(norm);
        Some(along / norm)
    }

    /// By how much the residual sum of squares would fall if `column` were added; 0 when it adds nothing.
    pub fn gain(&self, column: &[f64]) -> f64 {
        let white = self.whitener.whiten(column);
        let whole = dot(&white, &white);
        let left = whole - self.basis.iter().map(|axis| dot(&white, axis).powi(2)).sum::<f64>();
        if left > CLEAR * whole {
            return dot(&white, &self.residual).powi(2) / left;
        }
        self.direction(white).map_or(0.0, |(direction, _)| dot(&direction, &self.residual).powi(2))
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.residual.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.residual.is_empty()
    }

    /// What the columns leave of `y`, whitened.
    pub fn residual(&self) -> &[f64] {
        &self.residual
    }

    /// Orthonormal columns that span the whitened ones.
    pub fn basis(&self) -> &[Vec<f64>] {
        &self.basis
    }

    /// For every sample: a whitened step (0, then 1) whose first 1 is this sample, at this sample.
    pub fn step_edges(&self) -> &[f64] {
        &self.whitener.weight
    }

    /// For every sample: a whitened step that began earlier, at this sample.
    pub fn step_insides(&self) -> &[f64] {
        &self.whitener.inside
    }

    /// The residual sum of squares, whitened.
    pub fn rss(&self) -> f64 {
        dot(&self.residual, &self.residual)
    }

    /// -2 log likelihood up to a constant, after `gain` more is explained; `floor` is the variance of reading.
    pub fn criterion(&self, gain: f64, floor: f64) -> f64 {
        let n = self.residual.len() as f64;
        n * ((self.rss() - gain).max(0.0) / n + floor).max(f64::MIN_POSITIVE).ln() + self.whitener.log_determinant
    }

    /// The whitened column without its part along the basis, of length 1, and the length it had.
    fn direction(&self, white: Vec<f64>) -> Option<(Vec<f64>, f64)> {
        let mut direction = white;
        let whole = dot(&direction, &direction);
        // Twice: once leaves rounding of the order of the column (Giraud et al. 2005, "twice is enough").
        for _ in 0..2 {
            for axis in &self.basis {
                let along = dot(&direction, axis);
                direction.iter_mut().zip(axis).for_each(|(d, a)| *d -= along * a);
            }
        }
        let left = dot(&direction, &direction);
        if left <= DEPENDENT * whole || whole == 0.0 {
            return None;
        }
        let norm = left.sqrt();
        direction.iter_mut().for_each(|d| *d /= norm);
        Some((direction, norm))
    }
}

/// The sum of products; of eight at a time, which does not wait for each sum before the next.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let ((a, rest_a), (b, rest_b)) = (a[..n].as_chunks::<8>(), b[..n].as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum::<f64>()
}

/// What is known of a slope: a mixture of Student's t distributions, one per φ.
#[derive(Debug, Clone, PartialEq)]
pub struct SlopePosterior {
    components: Vec<Component>,
    degrees_of_freedom: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Component {
    weight: f64,
    slope: f64,
    standard_error: f64,
}

impl SlopePosterior {
    /// The posterior of the coefficient of `growth` beside `columns`, given `y`.
    ///
    /// Every φ of `PHI` is weighted by its restricted likelihood; `floor` is the variance of reading. Where whitened
    /// residuals are still autocorrelated the standard error is widened by their long-run variance (Bartlett
    /// weights; Newey, West 1987), never narrowed. `None` with too few samples for the columns, or when `growth` is
    /// a combination of them.
    ///
    /// Harville (1974), "Bayesian inference for variance components using only error contrasts".
    pub fn new(noise: &Noise, y: &[f64], columns: &[Vec<f64>], growth: &[f64], floor: f64) -> Option<SlopePosterior> {
        let n = noise.len() as f64;
        let mut components = Vec::with_capacity(PHI.len());
        let mut degrees_of_freedom = 0.0;
        for mut projection in noise.project(y, columns) {
            let slope = projection.push(growth)?;
            let rank = projection.basis.len() as f64;
            degrees_of_freedom = n - rank;
            if degrees_of_freedom < 1.0 {
                return None;
            }
            let rss = projection.rss() + n * floor;
            let variance = rss / degrees_of_freedom * long_run_ratio(&projection.residual).max(1.0);
            let norm = *projection.norms.last()?;
            let log_weight = -0.5
                * (degrees_of_freedom * rss.max(f64::MIN_POSITIVE).ln()
                    + projection.whitener.log_determinant
                    + projection.norms.iter().map(|norm| 2.0 * norm.ln()).sum::<f64>());
            components.push(Component { weight: log_weight, slope, standard_error: variance.sqrt() / norm });
        }
        let largest = components.iter().map(|component| component.weight).fold(f64::NEG_INFINITY, f64::max);
        components.iter_mut().for_each(|component| component.weight = (component.weight - largest).exp());
        let total: f64 = components.iter().map(|component| component.weight).sum();
        components.iter_mut().for_each(|component| component.weight /= total);
        Some(SlopePosterior { components, degrees_of_freedom })
    }

    /// The posterior of the slope of a straight line through `points`; `None` with fewer than four.
    pub fn of_line(points: Points<'_>, floor: f64) -> Option<SlopePosterior> {
        if points.len() < 4 {
            return None;
        }
        let noise = Noise::new(points.x(), &[]);
        let first = points.x()[0];
        let span = points.span();
        let x: Vec<f64> = points.x().iter().map(|x| (x - first) / span).collect();
        let scaled = Scaled::new(points.y());
        let posterior =
            SlopePosterior::new(&noise, &scaled.values, &[vec![1.0; x.len()]], &x, floor / scaled.unit.powi(2))?;
        Some(posterior.scaled(scaled.unit / span))
    }

    /// The posterior of `factor` times the slope; `factor` is positive.
    pub fn scaled(mut self, factor: f64) -> SlopePosterior {
        for component in &mut self.components {
            component.slope *= factor;
            component.standard_error *= factor;
        }
        self
    }

    /// The probability that the slope is at most `slope`, 0 to 1.
    pub fn probability_at_most(&self, slope: f64) -> f64 {
        let t = StudentsT::new(0.0, 1.0, self.degrees_of_freedom).expect("there is at least one degree of freedom");
        self.components
            .iter()
            .filter(|component| component.weight > NO_WEIGHT)
            .map(|component| {
                let distance = (slope - component.slope) / component.standard_error;
                // 0/0: no noise at all and exactly this slope.
                component.weight * if distance.is_nan() { 1.0 } else { t.cdf(distance.clamp(-1e8, 1e8)) }
            })
            .sum::<f64>()
            .clamp(0.0, 1.0)
    }

    /// The mean of the posterior.
    pub fn mean(&self) -> f64 {
        self.components.iter().map(|component| component.weight * component.slope).sum()
    }

    /// The slope below which lies `probability` of the posterior, by Newton's method kept within a bracket.
    pub fn quantile(&self, probability: f64) -> f64 {
        let reach = self.components.iter().filter(|component| component.weight > NO_WEIGHT);
        let (mut lower, mut upper, mut narrowest) = (f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY);
        for component in reach {
            let wide = 1e4 * component.standard_error;
            lower = lower.min(component.slope - wide);
            upper = upper.max(component.slope + wide);
            narrowest = narrowest.min(component.standard_error);
        }
        let mut at = self.mean();
        for _ in 0..200 {
            let excess = self.probability_at_most(at) - probability;
            if excess < 0.0 {
                lower = lower.max(at);
            } else {
                upper = upper.min(at);
            }
            let newton = at - excess / self.density(at);
            // The error of a step is of the order of its square, in standard errors.
            if (newton - at).abs() <= 1e-8 * narrowest {
                return newton;
            }
            let next = if lower < newton && newton < upper { newton } else { f64::midpoint(lower, upper) };
            if next == at {
                return at;
            }
            at = next;
        }
        at
    }

    /// The probability density at `slope`.
    fn density(&self, slope: f64) -> f64 {
        let t = StudentsT::new(0.0, 1.0, self.degrees_of_freedom).expect("there is at least one degree of freedom");
        self.components
            .iter()
            .filter(|component| component.weight > NO_WEIGHT)
            .map(|component| {
                let distance = (slope - component.slope) / component.standard_error;
                component.weight * t.pdf(distance) / component.standard_error
            })
            .sum()
    }

    /// The probability that the slope, measured `factor` times as long (above 1), lies in one of the intervals that
    /// `decides` gives for the standard error that it will have; they do not overlap.
    ///
    /// The estimate to come is normal around the present one, with what the standard error loses as its variance.
    pub fn foreseen(&self, factor: f64, decides: impl Fn(f64) -> [(f64, f64); 3]) -> f64 {
        let normal = Normal::standard();
        let each = self.components.iter().zip(PHI).map(|(component, phi)| {
            let now = component.standard_error;
            let then = now * error_ratio(factor, phi, self.degrees_of_freedom);
            let spread = (now * now - then * then).max(f64::MIN_POSITIVE).sqrt();
            let below = |slope: f64| normal.cdf((slope - component.slope) / spread);
            let decided: f64 =
                decides(then).iter().map(|(lower, upper)| (below(*upper) - below(*lower)).max(0.0)).sum();
            component.weight * decided
        });
        each.sum()
    }

    /// The standard deviation that a normal distribution with the same central 68 % would have.
    pub fn spread(&self) -> f64 {
        (self.quantile(0.841_344_7) - self.quantile(0.158_655_3)) / 2.0
    }
}

/// The standard error of a slope after `factor` times as long, as a share of the present one, from `n` samples under
/// AR(1) with coefficient `phi`.
///
/// The variance of the slope is as 1/(T (1 + s/2 + s²/12)), where s = -n ln φ is the window in correlation times: T^-3
/// for noise that forgets, 1/T for a walk. This is the information of the Ornstein–Uhlenbeck process about a slope
/// beside an unknown level. A window of fewer than 13.5 correlation times cannot be told from a walk in half of the
/// cases (Elliott, Rothenberg, Stock 1996), so it is taken for one: more of it would look no different.
fn error_ratio(factor: f64, phi: f64, n: f64) -> f64 {
    // Independent noise forgets within one sample; below this coefficient the difference is nil.
    let s = -n * phi.max(0.01).ln();
    let s = if s < 13.5 { 0.0 } else { s };
    let information = |s: f64| 1.0 + s / 2.0 + s * s / 12.0;
    (information(s) / (factor * information(factor * s))).sqrt()
}

/// What is known of a line: its level at one place and its slope, together.
#[derive(Debug, Clone, PartialEq)]
pub struct LinePosterior {
    level: SlopePosterior,
    /// The level `unit` further on, from which follows how level and slope vary together.
    further: SlopePosterior,
    unit: f64,
    slope: SlopePosterior,
}

impl LinePosterior {
    /// The posterior of `a` and `b` in `y = a + b (x - origin)`, in units of `y` and of `y` per `x`, beside `columns`
    /// that are 0 at the origin. `None` as for a slope.
    pub fn new(
        noise: &Noise,
        y: &[f64],
        columns: &[Vec<f64>],
        growth: &[f64],
        origin: f64,
        floor: f64,
    ) -> Option<LinePosterior> {
        let constant = vec![1.0; y.len()];
        let level_at = |origin: f64| {
            let line = growth.iter().map(|x| x - origin).collect();
            let columns: Vec<Vec<f64>> = columns.iter().cloned().chain([line]).collect();
            SlopePosterior::new(noise, y, &columns, &constant, floor)
        };
        let beside: Vec<Vec<f64>> = columns.iter().cloned().chain([constant.clone()]).collect();
        Some(LinePosterior {
            level: level_at(origin)?,
            further: level_at(origin + 1.0)?,
            unit: 1.0,
            slope: SlopePosterior::new(noise, y, &beside, growth, floor)?,
        })
    }

    /// A straight line through `points`, with its level at `origin`; `None` with fewer than four.
    pub fn of_line(points: Points<'_>, origin: f64, floor: f64) -> Option<LinePosterior> {
        if points.len() < 4 {
            return None;
        }
        let (first, span) = (points.x()[0], points.span());
        let x: Vec<f64> = points.x().iter().map(|x| (x - first) / span).collect();
        let scaled = Scaled::new(points.y());
        let floor = floor / scaled.unit.powi(2);
        let line =
            LinePosterior::new(&Noise::new(points.x(), &[]), &scaled.values, &[], &x, (origin - first) / span, floor)?;
        Some(line.scaled(&scaled, span))
    }

    /// A level that is known, and a slope from it.
    pub fn of_level(level: f64, slope: SlopePosterior) -> LinePosterior {
        let level = SlopePosterior {
            components: slope
                .components
                .iter()
                .map(|component| Component { slope: level, standard_error: 0.0, ..*component })
                .collect(),
            degrees_of_freedom: slope.degrees_of_freedom,
        };
        let mut further = slope.clone();
        further.components.iter_mut().zip(&level.components).for_each(|(further, level)| further.slope += level.slope);
        LinePosterior { level, further, unit: 1.0, slope }
    }

    /// The line in the units of `scaled`, with `span` units of `x` for one.
    pub fn scaled(self, scaled: &Scaled, span: f64) -> LinePosterior {
        let level = |posterior: SlopePosterior| {
            let mut posterior = posterior.scaled(scaled.unit);
            posterior.components.iter_mut().for_each(|component| component.slope += scaled.mean);
            posterior
        };
        LinePosterior {
            level: level(self.level),
            further: level(self.further),
            unit: self.unit * span,
            slope: self.slope.scaled(scaled.unit / span),
        }
    }

    /// The posterior of the level `t` after the origin.
    pub fn at(&self, t: f64) -> SlopePosterior {
        let unit = self.unit;
        let components = self.level.components.iter().zip(&self.further.components).zip(&self.slope.components);
        let components = components
            .map(|((level, further), slope)| {
                let [level_variance, further_variance, slope_variance] =
                    [level, further, slope].map(|component| component.standard_error.powi(2));
                // What the three variances leave.
                let covariance = (further_variance - level_variance - unit * unit * slope_variance) / (2.0 * unit);
                let variance = level_variance + 2.0 * t * covariance + t * t * slope_variance;
                Component {
                    weight: slope.weight,
                    slope: level.slope + t * slope.slope,
                    standard_error: variance.max(0.0).sqrt(),
                }
            })
            .collect();
        SlopePosterior { components, degrees_of_freedom: self.slope.degrees_of_freedom }
    }
}

/// Values around 0 with a standard deviation of 1, so that one tolerance fits bytes and gibibytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaled {
    /// `(value - mean) / unit`.
    pub values: Vec<f64>,
    /// The mean that was taken off.
    pub mean: f64,
    /// The standard deviation that was divided by; positive also for constant input.
    pub unit: f64,
}

impl Scaled {
    /// Scales `values`.
    pub fn new(values: &[f64]) -> Scaled {
        let mean = super::robust::mean(values).unwrap_or(0.0);
        let unit = super::robust::sd(values) + 1e-9;
        Scaled { values: values.iter().map(|value| (value - mean) / unit).collect(), mean, unit }
    }
}

/// The long-run variance of residuals as a multiple of their variance, with Bartlett weights up to lag 1.3 n^(1/3).
fn long_run_ratio(residual: &[f64]) -> f64 {
    let variance = dot(residual, residual);
    if variance == 0.0 {
        return 1.0;
    }
    let lags = (1.3 * (residual.len() as f64).cbrt()) as usize;
    let covariances = (1..=lags.min(residual.len() - 1)).map(|lag| {
        let weight = 1.0 - lag as f64 / (lags + 1) as f64;
        2.0 * weight * dot(&residual[lag..], residual) / variance
    });
    1.0 + covariances.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: usize, slope: f64) -> (Vec<f64>, Vec<f64>) {
        let x: Vec<f64> = (0..n).map(|index| index as f64).collect();
        // A fixed pattern around the line, without drift of its own.
        let y = x.iter().map(|x| slope * x + if (*x as usize).is_multiple_of(2) { 1.0 } else { -1.0 }).collect();
        (x, y)
    }

    #[test]
    fn the_slope_of_a_line_is_found_within_its_interval() {
        let (x, y) = line(100, 0.5);
        let posterior = SlopePosterior::of_line(Points::new(&x, &y).unwrap(), 0.0).unwrap();
        assert!((posterior.mean() - 0.5).abs() < 0.01);
        assert!(posterior.quantile(0.05) < 0.5 && 0.5 < posterior.quantile(0.95));
        assert!(posterior.probability_at_most(0.0) < 1e-6);
    }

    #[test]
    fn reversed_time_flips_the_sign() {
        let (x, y) = line(60, 0.3);
        let backwards: Vec<f64> = y.iter().rev().copied().collect();
        let there = SlopePosterior::of_line(Points::new(&x, &y).unwrap(), 0.0).unwrap();
        let back = SlopePosterior::of_line(Points::new(&x, &backwards).unwrap(), 0.0).unwrap();
        assert!((there.mean() + back.mean()).abs() < 1e-9);
        assert!((there.quantile(0.9) + back.quantile(0.1)).abs() < 1e-6);
    }

    #[test]
    fn a_constant_is_flat_and_too_few_points_say_nothing() {
        let x: Vec<f64> = (0..20).map(f64::from).collect();
        let posterior = SlopePosterior::of_line(Points::new(&x, &[5.0; 20]).unwrap(), 1.0).unwrap();
        assert!(posterior.mean().abs() < 1e-9);
        assert!(SlopePosterior::of_line(Points::new(&x[..3], &[1.0, 2.0, 3.0]).unwrap(), 0.0).is_none());
    }
}
