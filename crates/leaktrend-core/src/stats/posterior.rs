//! Posteriors of lines: mixtures of Student's t distributions.

use std::f64::consts::PI;

use statrs::distribution::{ContinuousCDF, Normal};

use super::ar1::Scaled;

/// A component of less weight adds nothing that could be seen.
const NO_WEIGHT: f64 = 1e-6;

/// The posterior of a line under one description of the data and one φ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component {
    /// Its share of the mixture.
    pub weight: f64,
    /// The AR(1) coefficient of the noise.
    pub phi: f64,
    /// The level at the origin.
    pub level: f64,
    /// The slope.
    pub slope: f64,
    /// The square of the level's standard error.
    pub level_variance: f64,
    /// The covariance of level and slope.
    pub covariance: f64,
    /// The square of the slope's standard error.
    pub slope_variance: f64,
}

/// The joint posterior of a line: its level at one place, and its slope.
#[derive(Debug, Clone, PartialEq)]
pub struct LinePosterior {
    /// Components with their degrees of freedom.
    components: Vec<(Component, f64)>,
}

impl LinePosterior {
    /// A mixture of components. Their weights need not add up to 1.
    pub fn new(components: Vec<Component>, degrees_of_freedom: f64) -> LinePosterior {
        let mut line = LinePosterior {
            components: components.into_iter().map(|component| (component, degrees_of_freedom)).collect(),
        };
        line.normalise();
        line
    }

    /// Several descriptions as one, each with its weight.
    pub fn mixture(parts: impl IntoIterator<Item = (f64, LinePosterior)>) -> LinePosterior {
        let weighted = parts.into_iter().flat_map(|(weight, line)| {
            line.components.into_iter().map(move |(component, degrees_of_freedom)| {
                (Component { weight: weight * component.weight, ..component }, degrees_of_freedom)
            })
        });
        let mut line = LinePosterior { components: weighted.collect() };
        line.normalise();
        // Probabilities of those that are alike are computed together.
        line.components.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        line
    }

    fn normalise(&mut self) {
        let sum =
            |components: &[(Component, f64)]| components.iter().map(|(component, _)| component.weight).sum::<f64>();
        let least = NO_WEIGHT * sum(&self.components);
        self.components.retain(|(component, _)| component.weight >= least);
        let total = sum(&self.components);
        self.components.iter_mut().for_each(|(component, _)| component.weight /= total);
        // Many series wait for the last of them with theirs.
        self.components.shrink_to_fit();
    }

    /// The line in the units of `scaled`, with `span` units of `x` for one.
    pub fn scaled(mut self, scaled: &Scaled, span: f64) -> LinePosterior {
        let (level, slope) = (scaled.unit, scaled.unit / span);
        for (component, _) in &mut self.components {
            component.level = scaled.mean + level * component.level;
            component.slope *= slope;
            component.level_variance *= level * level;
            component.covariance *= level * slope;
            component.slope_variance *= slope * slope;
        }
        self
    }

    /// The posterior of the slope.
    pub fn slope(&self) -> SlopePosterior {
        self.of(|component| (component.slope, component.slope_variance))
    }

    /// The posterior of the level `t` after the origin.
    pub fn at(&self, t: f64) -> SlopePosterior {
        self.of(|component| {
            let variance = component.level_variance + 2.0 * t * component.covariance + t * t * component.slope_variance;
            (component.level + t * component.slope, variance)
        })
    }

    fn of(&self, number: impl Fn(&Component) -> (f64, f64)) -> SlopePosterior {
        let components = self.components.iter().map(|(component, degrees_of_freedom)| {
            let (value, variance) = number(component);
            Part {
                weight: component.weight,
                phi: component.phi,
                value,
                standard_error: variance.max(0.0).sqrt(),
                degrees_of_freedom: *degrees_of_freedom,
            }
        });
        SlopePosterior { parts: components.collect() }
    }
}

/// The posterior of a slope (or of a level): a mixture of Student's t distributions.
#[derive(Debug, Clone, PartialEq)]
pub struct SlopePosterior {
    parts: Vec<Part>,
}

/// Probabilities are computed of so many distributions at a time: none waits for its own sum.
const TOGETHER: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Part {
    weight: f64,
    phi: f64,
    value: f64,
    standard_error: f64,
    degrees_of_freedom: f64,
}

impl SlopePosterior {
    /// The probability that it is at most `value`, 0 to 1.
    pub fn probability_at_most(&self, value: f64) -> f64 {
        self.at(value).0
    }

    /// The probability of at most `value`, the density there, and its slope.
    fn at(&self, value: f64) -> (f64, f64, f64) {
        let (mut below, mut density, mut rise) = (0.0, 0.0, 0.0);
        let alike = self.parts.chunk_by(|a, b| a.degrees_of_freedom == b.degrees_of_freedom);
        for parts in alike.flat_map(|parts| parts.chunks(TOGETHER)) {
            let mut distances = [0.0; TOGETHER];
            for (distance, part) in distances.iter_mut().zip(parts) {
                *distance = ((value - part.value) / part.standard_error).clamp(-1e8, 1e8);
            }
            let degrees = parts[0].degrees_of_freedom;
            let (probabilities, densities) = students_t(&distances, degrees);
            for (index, part) in parts.iter().enumerate() {
                let t = distances[index];
                // 0/0: no noise at all and exactly this value.
                if t.is_nan() {
                    below += part.weight;
                    continue;
                }
                let of_part = part.weight * densities[index] / part.standard_error;
                below += part.weight * probabilities[index];
                density += of_part;
                rise -= of_part * (degrees + 1.0) * t / (degrees + t * t) / part.standard_error;
            }
        }
        (below.clamp(0.0, 1.0), density, rise)
    }

    /// The mean of the posterior.
    pub fn mean(&self) -> f64 {
        self.parts.iter().map(|part| part.weight * part.value).sum()
    }

    /// The value below which lies `probability` of the posterior, by Halley's method kept within a bracket.
    pub fn quantile(&self, probability: f64) -> f64 {
        let (mut lower, mut upper, mut narrowest) = (f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY);
        let mut usual = 0.0;
        for part in &self.parts {
            let wide = 1e4 * part.standard_error;
            lower = lower.min(part.value - wide);
            upper = upper.max(part.value + wide);
            narrowest = narrowest.min(part.standard_error);
            usual += part.weight * part.standard_error;
        }
        let mut at = self.mean() + usual * Normal::standard().inverse_cdf(probability);
        for _ in 0..200 {
            let (below, density, rise) = self.at(at);
            let excess = below - probability;
            if excess < 0.0 {
                lower = lower.max(at);
            } else {
                upper = upper.min(at);
            }
            let newton = excess / density;
            // Far from the place the correction says nothing.
            let halley = at - newton / (1.0 - 0.5 * newton * rise / density).clamp(0.5, 2.0);
            // The error of a step is of the order of its cube, in standard errors.
            if newton.abs() <= 3e-4 * narrowest {
                return halley;
            }
            let next = if lower < halley && halley < upper { halley } else { f64::midpoint(lower, upper) };
            if next == at {
                return at;
            }
            at = next;
        }
        at
    }

    /// The probability that it, measured `factor` times as long (above 1), lies in one of the intervals that
    /// `decides` gives for the standard error that it will have; they do not overlap.
    ///
    /// The estimate to come is normal around the present one, with what the standard error loses as its variance.
    pub fn foreseen(&self, factor: f64, decides: impl Fn(f64) -> [(f64, f64); 3]) -> f64 {
        let normal = Normal::standard();
        let each = self.parts.iter().map(|part| {
            let now = part.standard_error;
            let then = now * error_ratio(factor, part.phi, part.degrees_of_freedom);
            let spread = (now * now - then * then).max(f64::MIN_POSITIVE).sqrt();
            let below = |value: f64| normal.cdf((value - part.value) / spread);
            let decided: f64 =
                decides(then).iter().map(|(lower, upper)| (below(*upper) - below(*lower)).max(0.0)).sum();
            part.weight * decided
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
/// beside an unknown level. In half of the cases, a window of fewer than 13.5 correlation times cannot be distinguished
/// from a walk (Elliott, Rothenberg, Stock 1996), so it is taken for one: more of it would look no different.
fn error_ratio(factor: f64, phi: f64, n: f64) -> f64 {
    // Independent noise forgets within one sample; below this coefficient the difference is nil.
    let s = -n * phi.max(0.01).ln();
    let s = if s < 13.5 { 0.0 } else { s };
    let information = |s: f64| 1.0 + s / 2.0 + s * s / 12.0;
    (information(s) / (factor * information(factor * s))).sqrt()
}

/// The probabilities of at most `t` under Student's t distribution and its densities there, for a whole number of
/// degrees of freedom: as finite sums, whose last term is the density. O(`degrees`) time, which for hundreds is a
/// fraction of what an incomplete beta function takes.
///
/// Abramowitz, Stegun (1964), 26.7.3 and 26.7.4.
fn students_t(t: &[f64; TOGETHER], degrees: f64) -> ([f64; TOGETHER], [f64; TOGETHER]) {
    let odd = degrees as usize % 2;
    let cos2 = t.map(|t| degrees / (degrees + t * t));
    let (mut term, mut sum) = ([1.0; TOGETHER], [1.0; TOGETHER]);
    for index in 1..degrees as usize / 2 {
        let k = (2 * index - 1 + odd) as f64;
        let ratio = k / (k + 1.0);
        for lane in 0..TOGETHER {
            term[lane] *= cos2[lane] * ratio;
            sum[lane] += term[lane];
        }
    }
    let (mut below, mut density) = ([0.0; TOGETHER], [0.0; TOGETHER]);
    for lane in 0..TOGETHER {
        let cos = cos2[lane].sqrt();
        let tan = t[lane] / degrees.sqrt();
        let last = (degrees - 1.0) / degrees.sqrt() * term[lane] * cos2[lane] * cos;
        (below[lane], density[lane]) = match degrees as usize {
            1 => (0.5 + tan.atan() / PI, cos2[lane] / PI),
            _ if odd == 1 => (0.5 + (tan.atan() + tan * cos2[lane] * sum[lane]) / PI, last * cos / PI),
            _ => (0.5 + 0.5 * tan * cos * sum[lane], 0.5 * last),
        };
    }
    (below, density)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Between two peaks there is hardly any density, and a step towards a quantile may lead far away.
    #[test]
    fn quantiles_beside_several_peaks_are_found() {
        let part =
            |weight, value, standard_error| Part { weight, phi: 0.0, value, standard_error, degrees_of_freedom: 94.0 };
        let parts = vec![part(0.6, 0.0, 1.0), part(0.3, 50.0, 0.5), part(0.1, -400.0, 30.0)];
        let posterior = SlopePosterior { parts };
        for probability in [0.001, 0.05, 0.0999, 0.1001, 0.16, 0.5, 0.6999, 0.7001, 0.84, 0.95, 0.999] {
            let at = posterior.quantile(probability);
            assert!((posterior.probability_at_most(at) - probability).abs() < 1e-9, "{probability}: {at}");
        }
    }

    /// `scipy.stats.t.cdf` at -8, -2.5, -1, -0.1, 0, 0.7, 2 and 8.
    #[test]
    fn students_t_is_that_of_scipy() {
        let expected = [
            (
                1.0,
                [
                    0.039_583_424_160_565_546,
                    0.121_118_941_590_843_41,
                    0.25,
                    0.468_274_482_569_446_5,
                    0.5,
                    0.694_400_112_214_214_7,
                    0.852_416_382_349_566_7,
                    0.960_416_575_839_434_4,
                ],
            ),
            (
                2.0,
                [
                    0.007_634_036_082_669_07,
                    0.064_805_860_110_755_41,
                    0.211_324_865_405_187_1,
                    0.464_732_719_207_070_1,
                    0.5,
                    0.721_803_487_683_567_3,
                    0.908_248_290_463_863,
                    0.992_365_963_917_330_9,
                ],
            ),
            (
                5.0,
                [
                    0.000_246_453_330_286_222_1,
                    0.027_245_049_671_188_13,
                    0.181_608_733_824_561_44,
                    0.462_115_070_577_330_2,
                    0.5,
                    0.742_425_525_842_591_8,
                    0.949_030_260_585_070_8,
                    0.999_753_546_669_713_8,
                ],
            ),
            (
                30.0,
                [
                    3.132_911_237_850_379_5e-9,
                    0.009_057_824_534_033_344,
                    0.162_654_307_713_015_1,
                    0.460_504_805_895_135_6,
                    0.5,
                    0.755_339_778_250_164_2,
                    0.972_687_477_518_508_5,
                    0.999_999_996_867_088_7,
                ],
            ),
            (
                94.0,
                [
                    1.596_404_314_207_857_2e-12,
                    0.007_076_062_272_366_223_5,
                    0.159_938_903_120_384_03,
                    0.460_278_646_307_480_9,
                    0.5,
                    0.757_171_931_330_679_1,
                    0.975_806_956_445_851_2,
                    0.999_999_999_998_403_6,
                ],
            ),
            (
                270.0,
                [
                    1.842_679_319_591_005_6e-14,
                    0.006_506_470_940_655_552,
                    0.159_102_932_708_074_35,
                    0.460_209_267_754_581_93,
                    0.5,
                    0.757_735_003_522_402_8,
                    0.976_749_083_944_303_9,
                    0.999_999_999_999_981_6,
                ],
            ),
        ];
        for (degrees, probabilities) in expected {
            let t = [-8.0, -2.5, -1.0, -0.1, 0.0, 0.7, 2.0, 8.0];
            let (below, density) = students_t(&t, degrees);
            let [(before, _), (after, _)] = [-1e-5, 1e-5].map(|off| students_t(&t.map(|t| t + off), degrees));
            for (index, probability) in probabilities.into_iter().enumerate() {
                assert!((below[index] - probability).abs() < 1e-12, "{degrees} {}: {}", t[index], below[index]);
                let rise = (after[index] - before[index]) / 2e-5;
                assert!((density[index] - rise).abs() < 1e-9, "{degrees} {}: {}", t[index], density[index]);
            }
        }
    }
}
