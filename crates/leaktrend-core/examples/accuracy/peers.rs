//! Rules that people use instead, to be measured beside: an alert rule, a least-squares line, the Mann–Kendall test
//! with Sen's slope, the last reading against the first, growth an hour as Coroot has it, and rising minima.
//!
//! Seconds and bytes in, whether the rule calls a leak out.

use leaktrend_core::stats::robust::{mean, median};
use leaktrend_core::stats::{Points, theil_sen};
use leaktrend_core::units::MIB;

/// What each rule is called, in the order of `call`.
pub(crate) const NAMES: [&str; 6] =
    ["alert rule", "line, r2 > 0.5", "Mann-Kendall", "last > 1.2 first", "growth an hour (Coroot)", "rising minima"];

/// The Mann–Kendall test is quadratic: of more readings so many are taken, evenly.
const MAX_TESTED: usize = 5760;

/// Which of the rules call the readings `y` at the seconds `x` a leak. `limit`: that of the container, in bytes.
pub(crate) fn call(x: &[f64], y: &[f64], limit: Option<f64>) -> [bool; 6] {
    [
        rule_fires(x, y),
        line_rises(x, y),
        trend_rises(x, y),
        y[y.len() - 1] > 1.2 * y[0],
        grows_hourly(x, y, limit),
        minima_rise(x, y),
    ]
}

/// More than 100 MB gained over 5 minutes, for 5 minutes; readings further apart than 5 minutes never show it.
fn rule_fires(x: &[f64], y: &[f64]) -> bool {
    let mut since: Option<f64> = None;
    let mut before = 0;
    for now in 0..x.len() {
        while x[before + 1] <= x[now] - 300.0 {
            before += 1;
        }
        let known = x[now] - 600.0 < x[before] && x[before] <= x[now] - 300.0;
        if known && y[now] - y[before] > 1e8 {
            if x[now] - *since.get_or_insert(x[now]) >= 300.0 {
                return true;
            }
        } else {
            since = None;
        }
    }
    false
}

/// A least-squares line that explains more than half of the variance and rises by more than 5 % of the mean.
fn line_rises(x: &[f64], y: &[f64]) -> bool {
    let line = line(x, y);
    let level = mean(y).expect("there are readings");
    line.slope > 0.0 && line.r2 > 0.5 && line.slope * (x[x.len() - 1] - x[0]) > 0.05 * level
}

/// A line through the longest stretch in which no reading falls by half rises by more than 5 % of the limit an hour, or
/// by 50 MiB where none is known, and one through its last quarter still rises .3 times as fast.
fn grows_hourly(x: &[f64], y: &[f64], limit: Option<f64>) -> bool {
    const FALL: f64 = 0.5;
    const LAST_QUARTER: f64 = 0.3;

    let falls = (1..y.len()).filter(|&index| y[index] < FALL * y[index - 1]);
    let (mut start, mut longest) = (0, 0..0);
    for end in falls.chain([y.len()]) {
        if end - start > longest.len() {
            longest = start..end;
        }
        start = end;
    }
    let quarter = longest.end - longest.len() / 4..longest.end;
    if quarter.len() < 2 {
        return false;
    }
    let [whole, last] = [longest, quarter].map(|part| line(&x[part.clone()], &y[part]).slope);
    whole * 3600.0 > limit.map_or(50.0 * MIB, |limit| 0.05 * limit) && last >= LAST_QUARTER * whole
}

/// The window in six parts of equal time: the least of each is more than that of the part before, and the last more
/// than 1.1 times the first.
fn minima_rise(x: &[f64], y: &[f64]) -> bool {
    const PARTS: usize = 6;

    let (start, span) = (x[0], x[x.len() - 1] - x[0]);
    let mut minima = [f64::INFINITY; PARTS];
    for (x, y) in x.iter().zip(y) {
        let part = ((x - start) / span * PARTS as f64) as usize;
        let least = &mut minima[part.min(PARTS - 1)];
        *least = least.min(*y);
    }
    minima.windows(2).all(|pair| pair[0] < pair[1]) && minima[PARTS - 1] > 1.1 * minima[0]
}

/// A line through points.
pub(crate) struct Line {
    /// In units of `y` per unit of `x`.
    pub(crate) slope: f64,
    /// The share of the variance of `y` that it explains; NaN for constant `y`.
    pub(crate) r2: f64,
}

/// The least-squares line.
pub(crate) fn line(x: &[f64], y: &[f64]) -> Line {
    let (mean_x, mean_y) = (mean(x).expect("there are points"), mean(y).expect("there are points"));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        xx += (x - mean_x).powi(2);
        xy += (x - mean_x) * (y - mean_y);
        yy += (y - mean_y).powi(2);
    }
    Line { slope: xy / xx, r2: xy * xy / (xx * yy) }
}

/// A significant Mann–Kendall test (5 %, one-sided), and a rise by Sen's slope of more than 5 % of the median.
fn trend_rises(x: &[f64], y: &[f64]) -> bool {
    let every = x.len().div_ceil(MAX_TESTED);
    let x: Vec<f64> = x.iter().copied().step_by(every).collect();
    let y: Vec<f64> = y.iter().copied().step_by(every).collect();
    let test = mann_kendall(&x, &y);
    let level = median(&y).expect("there are readings");
    test.z() > 1.645 && test.slope * (x[x.len() - 1] - x[0]) > 0.05 * level
}

/// The Mann–Kendall test.
pub(crate) struct MannKendall {
    /// Pairs that rise less pairs that fall.
    pub(crate) s: f64,
    /// The variance of `s` without a trend.
    pub(crate) variance: f64,
    /// Sen's slope, in units of `y` per unit of `x`.
    pub(crate) slope: f64,
}

impl MannKendall {
    /// The normal deviate of `s`, with a correction for continuity.
    pub(crate) fn z(&self) -> f64 {
        (self.s - sign(self.s)) / self.variance.sqrt()
    }
}

/// The Mann–Kendall test with the variance of Hamed and Rao (1998), "A modified Mann–Kendall trend test for
/// autocorrelated data": corrected by the autocorrelations of the ranks around Sen's line that are significant at
/// 5 %. Where they leave no variance, one hundred-millionth of it.
pub(crate) fn mann_kendall(x: &[f64], y: &[f64]) -> MannKendall {
    /// The normal quantile of 97.5 %.
    const Z: f64 = 1.959_963_984_540_054;

    let n = y.len();
    let count = n as f64;
    let s: f64 = (1..n).map(|j| y[..j].iter().map(|earlier| sign(y[j] - earlier)).sum::<f64>()).sum();
    let slope = theil_sen::slope(Points::new(x, y).expect("times increase")).expect("there are two points");
    let around: Vec<f64> = x.iter().zip(y).map(|(x, y)| y - slope * x).collect();
    let centre = f64::midpoint(count, 1.0);
    let deviations: Vec<f64> = ranks(&around).iter().map(|rank| rank - centre).collect();
    let product = |lag: usize| deviations[lag..].iter().zip(&deviations).map(|(a, b)| a * b).sum::<f64>();
    let whole = product(0);
    let correction: f64 = (1..n)
        .map(|lag| (lag as f64, product(lag) / whole))
        .filter(|(_, correlation)| correlation.abs() > Z / count.sqrt())
        .map(|(lag, correlation)| (count - lag) * (count - lag - 1.0) * (count - lag - 2.0) * correlation)
        .sum();
    let inflation = 1.0 + 2.0 / (count * (count - 1.0) * (count - 2.0)) * correction;
    MannKendall { s, variance: independent_variance(y) * inflation.max(1e-8), slope }
}

/// The variance of the Mann–Kendall S among independent values, ties counted (Kendall 1975).
pub(crate) fn independent_variance(y: &[f64]) -> f64 {
    let pairs = |count: f64| count * (count - 1.0) * (2.0 * count + 5.0);
    let mut sorted = y.to_vec();
    sorted.sort_by(f64::total_cmp);
    let ties: f64 = sorted.chunk_by(|a, b| a == b).map(|tie| pairs(tie.len() as f64)).sum();
    (pairs(y.len() as f64) - ties) / 18.0
}

fn sign(value: f64) -> f64 {
    f64::from(i8::from(value > 0.0) - i8::from(value < 0.0))
}

/// The rank of each value, from 1; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for tie in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let shared = below as f64 + (tie.len() + 1) as f64 / 2.0;
        tie.iter().for_each(|&index| ranks[index] = shared);
        below += tie.len();
    }
    ranks
}
