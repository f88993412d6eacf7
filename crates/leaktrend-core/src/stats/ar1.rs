//! Regression under autocorrelated noise: generalised least squares under AR(1), averaged over its coefficient.
//!
//! A level that wanders (φ near 1) shows slopes that mean nothing; independent noise (φ near 0) does not. Which of
//! the two it is, is itself uncertain, so every slope here is a mixture over φ, weighted by how well each explains
//! the data. Ordinary least squares and the Mann–Kendall test take wandering for growth: `reports/accuracy.md` has
//! all three on the same series.
//!
//! With `ψ = 1 - φ` a whitened value is `change + ψ before`, so the product of two columns is a polynomial in `ψ`
//! whose coefficients are sums that no φ needs: all of `PHI` cost as much as two.

use std::rc::Rc;

use super::Points;
use super::posterior::{Component, LinePosterior};
use super::robust::{mean, median, sd};

/// The AR(1) coefficients that are tried, about even in log(1-φ): a prior that leans to long memory, which keeps
/// wandering series quiet where a grid even in φ would take them for growth.
pub const PHI: [f64; 13] = [0.0, 0.2, 0.4, 0.55, 0.7, 0.8, 0.87, 0.92, 0.95, 0.97, 0.985, 0.995, 0.9995];

/// A number for each of `PHI`.
pub type Lanes = [f64; PHI.len()];
const NOTHING: Lanes = [0.0; PHI.len()];

/// Steps are rounded to this share of the usual one, so that jitter of a clock does not count; shorter ones are taken
/// as this long, so that bursts do not look identical.
const STEP_QUANTUM: f64 = 0.25;

/// A column counts as a combination of those before it when less than this share of its square is left.
const DEPENDENT: f64 = 1e-9;

/// A φ of less weight adds nothing that could be seen.
const NO_WEIGHT: f64 = 1e-5;

/// How noise at one sample carries over to the next.
#[derive(Debug, Clone)]
pub struct Noise {
    n: usize,
    /// Samples before which noise starts over; the first is one.
    starts: Vec<usize>,
    /// Samples whose step is not the usual one: what remains of the noise before, and the square of the weight.
    odd: Vec<(usize, Lanes, Lanes)>,
    /// log |V| of the noise's correlation matrix.
    log_determinant: Lanes,
    /// The n-th root of |V|.
    volume: Lanes,
}

impl Noise {
    /// Noise over samples at `x`, increasing; it starts over at every index in `starts`, and at 0.
    pub fn new(x: &[f64], starts: &[usize]) -> Noise {
        let n = x.len();
        let mut starts: Vec<usize> = starts.iter().copied().filter(|start| 0 < *start && *start < n).collect();
        starts.insert(0, 0);
        starts.dedup();
        let within = |index: &usize| starts.binary_search(index).is_err();
        let steps: Vec<f64> = (1..n).filter(within).map(|index| x[index] - x[index - 1]).collect();
        let usual = median(&steps).filter(|step| *step > 0.0).unwrap_or(1.0);
        let rounded = |index: usize| {
            let step = (x[index] - x[index - 1]) / usual;
            (step / STEP_QUANTUM).round().max(1.0) * STEP_QUANTUM
        };
        let mut log_determinant = PHI.map(|phi| -(1.0 - phi * phi).ln() * starts.len() as f64);
        let odd = (1..n)
            .filter(within)
            .filter(|index| rounded(*index) != 1.0)
            .map(|index| {
                let carry = PHI.map(|phi| phi.powf(rounded(index)));
                let mut weight = [0.0; PHI.len()];
                for (lane, phi) in PHI.into_iter().enumerate() {
                    let variance = (1.0 - carry[lane] * carry[lane]) / (1.0 - phi * phi);
                    weight[lane] = variance.recip();
                    log_determinant[lane] += variance.ln();
                }
                (index, carry, weight)
            })
            .collect();
        let volume = log_determinant.map(|log| (log / n as f64).exp());
        Noise { n, starts, odd, log_determinant, volume }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Makes a column of `values`, one per sample.
    pub fn column(&self, values: Vec<f64>) -> Rc<Column> {
        let mut change: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
        for unusual in self.unusual() {
            change[unusual - 1] = 0.0;
        }
        if change.iter().all(|change| *change == 0.0) {
            change.clear();
        }
        Rc::new(Column { values, change })
    }

    /// Samples after the first that do not follow the one before by the usual step.
    fn unusual(&self) -> impl Iterator<Item = usize> {
        self.starts[1..].iter().copied().chain(self.odd.iter().map(|odd| odd.0))
    }

    /// The product of two whitened columns, for every φ.
    fn product(&self, a: &Column, b: &Column) -> Lanes {
        let at_start: f64 = self.starts.iter().map(|start| a.values[*start] * b.values[*start]).sum();
        let last = self.n - 1;
        let changes = dot(&a.change, &b.change);
        let mut before = dot(&a.values[..last], &b.values[..last]);
        // A change times the value before it, both ways: what the product changes by, less the product of the changes.
        let at = |index: usize| a.values[index] * b.values[index];
        let mut mixed = at(last) - at(0) - changes;
        for unusual in self.unusual() {
            before -= at(unusual - 1);
            mixed -= at(unusual) - at(unusual - 1);
        }
        let mut product = PHI.map(|phi| {
            let psi = 1.0 - phi;
            psi * (1.0 + phi) * at_start + changes + psi * (mixed + psi * before)
        });
        for (index, carry, weight) in &self.odd {
            for lane in 0..PHI.len() {
                let white = |column: &Column| column.values[*index] - carry[lane] * column.values[index - 1];
                product[lane] += weight[lane] * white(a) * white(b);
            }
        }
        product
    }

    /// Whitens `values` under one φ of `PHI` into `white`.
    fn whiten(&self, values: &[f64], lane: usize, white: &mut Vec<f64>) {
        let phi = PHI[lane];
        white.clear();
        white.push(0.0);
        white.extend(values.windows(2).map(|pair| (pair[1] - pair[0]) + (1.0 - phi) * pair[0]));
        for start in &self.starts {
            white[*start] = (1.0 - phi * phi).sqrt() * values[*start];
        }
        for (index, carry, weight) in &self.odd {
            white[*index] = weight[lane].sqrt() * (values[*index] - carry[lane] * values[index - 1]);
        }
    }

    /// Values under one φ of `PHI`, whitened.
    fn whitened(&self, values: &[f64], lane: usize) -> Vec<f64> {
        let mut white = Vec::with_capacity(values.len());
        self.whiten(values, lane, &mut white);
        white
    }
}

/// Values of one explanation, or of what is to be explained, at every sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    values: Vec<f64>,
    /// The change from each sample to the next, where the step is the usual one; elsewhere 0. Empty where all are 0.
    change: Vec<f64>,
}

impl Column {
    /// The values, one per sample.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

/// A least-squares fit of columns to a response, under every φ of `PHI`.
#[derive(Debug, Clone)]
pub struct Regression<'a> {
    noise: &'a Noise,
    response: Rc<Column>,
    columns: Vec<Rc<Column>>,
    /// The Cholesky factor of the columns' products, by rows.
    lower: Vec<Vec<Lanes>>,
    /// The response along the orthonormal columns.
    along: Vec<Lanes>,
    /// The residual sum of squares, whitened.
    rss: Lanes,
}

/// What is known of a coefficient from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// Its mean, in units of the response.
    pub mean: f64,
    /// Its variance, in the square of these.
    pub variance: f64,
}

/// A column seen from those before it: whatever is to be explained, it is the same.
#[derive(Debug, Clone)]
pub struct Direction {
    row: Vec<Lanes>,
    norm: Lanes,
}

impl<'a> Regression<'a> {
    /// Nothing explained yet.
    pub fn new(noise: &'a Noise, response: Rc<Column>) -> Regression<'a> {
        let rss = noise.product(&response, &response);
        Regression { noise, response, columns: Vec::new(), lower: Vec::new(), along: Vec::new(), rss }
    }

    /// Number of columns.
    pub fn rank(&self) -> usize {
        self.columns.len()
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.noise.n
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.noise.n == 0
    }

    /// The columns, in the order in which they were added.
    pub fn columns(&self) -> &[Rc<Column>] {
        &self.columns
    }

    /// The residual sum of squares under every φ of `PHI`, whitened.
    pub fn rss(&self) -> &Lanes {
        &self.rss
    }

    /// Adds a column. False if it is a combination of the columns before it, and is left out.
    pub fn push(&mut self, column: Rc<Column>) -> bool {
        let Some(direction) = self.direction(&column) else { return false };
        let along = self.along(&column, &direction, &NOTHING);
        self.push_along(column, direction, along);
        true
    }

    /// Adds a column whose coefficient is known as one more observation beside the samples, whose noise has `variance`.
    ///
    /// Theil, Goldberger (1961), "On pure and mixed statistical estimation in economics".
    pub fn push_known(&mut self, column: Rc<Column>, known: Known, variance: &Lanes) -> bool {
        let weight = variance.map(|variance| variance / known.variance);
        for (rss, weight) in self.rss.iter_mut().zip(&weight) {
            *rss += weight * known.mean * known.mean;
        }
        let Some(direction) = self.direction_with(&column, &weight) else { return false };
        let along = self.along(&column, &direction, &weight.map(|weight| weight * known.mean));
        self.push_along(column, direction, along);
        true
    }

    fn push_along(&mut self, column: Rc<Column>, Direction { mut row, norm }: Direction, along: Lanes) {
        row.push(norm);
        for (rss, along) in self.rss.iter_mut().zip(&along) {
            *rss = (*rss - along * along).max(0.0);
        }
        self.lower.push(row);
        self.along.push(along);
        self.columns.push(column);
    }

    /// By how much the residual sum of squares would fall if `column` were added; 0 when it adds nothing.
    pub fn gain(&self, column: &Column) -> Lanes {
        self.gain_along(column, self.direction(column).as_ref())
    }

    /// The same of a column whose direction is known; `None` when it adds nothing.
    pub fn gain_along(&self, column: &Column, direction: Option<&Direction>) -> Lanes {
        let along = direction.map_or(NOTHING, |direction| self.along(column, direction, &NOTHING));
        along.map(|along| along * along)
    }

    /// The same where its coefficient would be above 0, and 0 elsewhere.
    pub fn gain_upwards(&self, column: &Column, direction: Option<&Direction>) -> Lanes {
        let along = direction.map_or(NOTHING, |direction| self.along(column, direction, &NOTHING));
        along.map(|along| along.max(0.0).powi(2))
    }

    /// The response along a column; `known`: of an observation of its coefficient, weighted.
    fn along(&self, column: &Column, Direction { row, norm }: &Direction, known: &Lanes) -> Lanes {
        let mut along = self.noise.product(column, &self.response);
        for lane in 0..PHI.len() {
            along[lane] += known[lane];
        }
        for (entry, explained) in row.iter().zip(&self.along) {
            for lane in 0..PHI.len() {
                along[lane] -= entry[lane] * explained[lane];
            }
        }
        for lane in 0..PHI.len() {
            along[lane] /= norm[lane];
        }
        along
    }

    /// A column seen from those of the regression; `None` when it adds nothing to them.
    pub fn direction(&self, column: &Column) -> Option<Direction> {
        self.direction_with(column, &NOTHING)
    }

    /// The same beside an observation of its coefficient of this weight.
    fn direction_with(&self, column: &Column, weight: &Lanes) -> Option<Direction> {
        let mut whole = self.noise.product(column, column);
        for lane in 0..PHI.len() {
            whole[lane] += weight[lane];
        }
        let mut left = whole;
        let mut row: Vec<Lanes> = Vec::with_capacity(self.columns.len() + 1);
        for (known, factors) in self.columns.iter().zip(&self.lower) {
            let mut entry = self.noise.product(column, known);
            for (before, factor) in row.iter().zip(factors) {
                for lane in 0..PHI.len() {
                    entry[lane] -= before[lane] * factor[lane];
                }
            }
            let norm = &factors[row.len()];
            for lane in 0..PHI.len() {
                entry[lane] /= norm[lane];
                left[lane] -= entry[lane] * entry[lane];
            }
            row.push(entry);
        }
        if (0..PHI.len()).any(|lane| left[lane] <= DEPENDENT * whole[lane] || whole[lane] == 0.0) {
            return None;
        }
        Some(Direction { row, norm: left.map(f64::sqrt) })
    }

    /// -2 log likelihood up to a constant after `gain` more is explained, under the φ where that is least; `floor` is
    /// the variance of reading. Gives the index of that φ, too.
    pub fn criterion(&self, gain: &Lanes, floor: f64) -> (f64, usize) {
        // Its n-th root of e^, which needs no logarithm.
        let root = |lane: usize| self.variance(lane, gain[lane], floor) * self.noise.volume[lane];
        let each = (0..PHI.len()).map(|lane| (root(lane), lane));
        let (_, lane) = each.min_by(|a, b| a.0.total_cmp(&b.0)).expect("there is at least one φ");
        (self.criterion_under(lane, gain[lane], floor), lane)
    }

    /// The same under one φ of `PHI`.
    pub fn criterion_under(&self, lane: usize, gain: f64, floor: f64) -> f64 {
        self.noise.n as f64 * self.variance(lane, gain, floor).ln() + self.noise.log_determinant[lane]
    }

    /// What is left of the variance after `gain` more is explained, more than 0.
    fn variance(&self, lane: usize, gain: f64, floor: f64) -> f64 {
        ((self.rss[lane] - gain).max(0.0) / self.noise.n as f64 + floor).max(f64::MIN_POSITIVE)
    }

    /// The coefficients of the columns under one φ of `PHI`.
    pub fn coefficients(&self, lane: usize) -> Vec<f64> {
        let mut coefficients = vec![0.0; self.rank()];
        for index in (0..self.rank()).rev() {
            let later: f64 = (index + 1..self.rank()).map(|row| self.lower[row][index][lane] * coefficients[row]).sum();
            coefficients[index] = (self.along[index][lane] - later) / self.lower[index][index][lane];
        }
        coefficients
    }

    /// The response minus the columns with these coefficients.
    pub fn residual(&self, coefficients: &[f64]) -> Vec<f64> {
        let mut residual = Vec::new();
        self.residual_into(coefficients, &mut residual);
        residual
    }

    fn residual_into(&self, coefficients: &[f64], residual: &mut Vec<f64>) {
        residual.clone_from(&self.response.values);
        for (column, coefficient) in self.columns.iter().zip(coefficients) {
            residual.iter_mut().zip(&column.values).for_each(|(left, value)| *left -= coefficient * value);
        }
    }

    /// The posteriors of lines with the level and the slopes that these weights of the coefficients give.
    ///
    /// Every φ of `PHI` is weighted by its restricted likelihood; `floor` is the variance of reading. Where whitened
    /// residuals are still autocorrelated the standard errors are widened by their long-run variance (Bartlett
    /// weights; Newey, West 1987), never narrowed. `None` with too few samples for the columns.
    ///
    /// Harville (1974), "Bayesian inference for variance components using only error contrasts".
    pub fn lines<const N: usize>(&self, level: &[f64], slopes: [&[f64]; N], floor: f64) -> Option<[LinePosterior; N]> {
        let n = self.noise.n as f64;
        let degrees_of_freedom = n - self.rank() as f64;
        if degrees_of_freedom < 1.0 {
            return None;
        }
        let log_weights: Vec<f64> = (0..PHI.len())
            .map(|lane| {
                let information: f64 = (0..self.rank()).map(|row| 2.0 * self.lower[row][row][lane].ln()).sum();
                let rss = (self.rss[lane] + n * floor).max(f64::MIN_POSITIVE);
                -0.5 * (degrees_of_freedom * rss.ln() + self.noise.log_determinant[lane] + information)
            })
            .collect();
        let largest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut lines = slopes.map(|_| Vec::with_capacity(PHI.len()));
        let (mut residual, mut white) = (Vec::new(), Vec::new());
        let [mut level_row, mut slope_row] = [level, level].map(<[f64]>::to_vec);
        for lane in 0..PHI.len() {
            let weight = (log_weights[lane] - largest).exp();
            if weight <= NO_WEIGHT {
                continue;
            }
            let coefficients = self.coefficients(lane);
            self.residual_into(&coefficients, &mut residual);
            self.noise.whiten(&residual, lane, &mut white);
            let rss = dot(&white, &white);
            let variance = (rss + n * floor) / degrees_of_freedom * long_run_ratio(&white, rss).max(1.0);
            self.row(lane, level, &mut level_row);
            for (line, slope) in lines.iter_mut().zip(slopes) {
                self.row(lane, slope, &mut slope_row);
                line.push(Component {
                    weight,
                    phi: PHI[lane],
                    level: dot(level, &coefficients),
                    slope: dot(slope, &coefficients),
                    level_variance: variance * dot(&level_row, &level_row),
                    covariance: variance * dot(&level_row, &slope_row),
                    slope_variance: variance * dot(&slope_row, &slope_row),
                });
            }
        }
        Some(lines.map(|components| LinePosterior::new(components, degrees_of_freedom)))
    }

    /// Weights of the coefficients as weights of the orthonormal columns, under one φ of `PHI`.
    fn row(&self, lane: usize, weights: &[f64], row: &mut [f64]) {
        for index in 0..self.rank() {
            let known: f64 = (0..index).map(|before| self.lower[index][before][lane] * row[before]).sum();
            row[index] = (weights[index] - known) / self.lower[index][index][lane];
        }
    }

    /// The fit under one φ of `PHI`, written out.
    pub fn written_out(&self, lane: usize) -> WrittenOut {
        let mut basis: Vec<Vec<f64>> = Vec::with_capacity(self.rank());
        for (column, factors) in self.columns.iter().zip(&self.lower) {
            let mut direction = self.noise.whitened(&column.values, lane);
            for (known, factor) in basis.iter().zip(factors) {
                direction.iter_mut().zip(known).for_each(|(d, k)| *d -= factor[lane] * k);
            }
            let norm = factors[basis.len()][lane];
            direction.iter_mut().for_each(|d| *d /= norm);
            basis.push(direction);
        }
        let mut residual = self.noise.whitened(&self.response.values, lane);
        for (direction, along) in basis.iter().zip(&self.along) {
            residual.iter_mut().zip(direction).for_each(|(r, d)| *r -= along[lane] * d);
        }
        let phi = PHI[lane];
        let (mut edges, mut insides) = (vec![1.0; self.noise.n], vec![1.0 - phi; self.noise.n]);
        for start in &self.noise.starts {
            edges[*start] = (1.0 - phi * phi).sqrt();
            insides[*start] = edges[*start];
        }
        for (index, carry, weight) in &self.noise.odd {
            edges[*index] = weight[lane].sqrt();
            insides[*index] = edges[*index] * (1.0 - carry[lane]);
        }
        WrittenOut { basis, residual, edges, insides }
    }
}

/// A fit under one φ: whitened vectors.
#[derive(Debug, Clone)]
pub struct WrittenOut {
    /// Orthonormal columns that span the whitened ones.
    pub basis: Vec<Vec<f64>>,
    /// What the columns leave of the response.
    pub residual: Vec<f64>,
    /// For every sample: a whitened step (0, then 1) whose first 1 is this sample, at this sample.
    pub edges: Vec<f64>,
    /// For every sample: a whitened step that began earlier, at this sample.
    pub insides: Vec<f64>,
}

/// A straight line through `points`, with its level at `origin`; `None` with fewer than four. `floor`: the variance of
/// reading, in `y` squared.
pub fn line_through(points: Points<'_>, origin: f64, floor: f64) -> Option<LinePosterior> {
    if points.len() < 4 {
        return None;
    }
    let (first, span) = (points.x()[0], points.span());
    let scaled = Scaled::new(points.y());
    let noise = Noise::new(points.x(), &[]);
    let mut regression = Regression::new(&noise, noise.column(scaled.values.clone()));
    regression.push(noise.column(vec![1.0; points.len()]));
    if !regression.push(noise.column(points.x().iter().map(|x| (x - first) / span).collect())) {
        return None;
    }
    let floor = floor / scaled.unit.powi(2);
    let [line] = regression.lines(&[1.0, (origin - first) / span], [&[0.0, 1.0]], floor)?;
    Some(line.scaled(&scaled, span))
}

/// Values around 0 with a standard deviation of 1, so that one tolerance fits bytes and gibibytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaled {
    /// `(value - mean) / unit`.
    pub values: Vec<f64>,
    /// The mean that was subtracted.
    pub mean: f64,
    /// The standard deviation by which values were divided; positive even for constant input.
    pub unit: f64,
}

impl Scaled {
    /// Scales `values`.
    pub fn new(values: &[f64]) -> Scaled {
        let mean = mean(values).unwrap_or(0.0);
        let unit = sd(values) + 1e-9;
        Scaled { values: values.iter().map(|value| (value - mean) / unit).collect(), mean, unit }
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

/// The long-run variance of residuals as a multiple of their variance, with Bartlett weights up to lag 1.3 n^(1/3).
fn long_run_ratio(residual: &[f64], sum_of_squares: f64) -> f64 {
    if sum_of_squares == 0.0 {
        return 1.0;
    }
    let lags = (1.3 * (residual.len() as f64).cbrt()) as usize;
    let covariances = (1..=lags.min(residual.len() - 1)).map(|lag| {
        let weight = 1.0 - lag as f64 / (lags + 1) as f64;
        2.0 * weight * dot(&residual[lag..], residual) / sum_of_squares
    });
    1.0 + covariances.sum::<f64>()
}

#[cfg(test)]
mod tests;
