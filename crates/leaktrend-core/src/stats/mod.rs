//! Statistics on plain numbers: no bytes, no dates, no tables.
//!
//! Slices in, values out. Lengths, order and finiteness are checked once, when `Points` is made; the unit of a
//! slope is that of `y` per that of `x`.

pub mod ar1;
pub mod calendar;
pub mod difference;
pub mod falls;
pub mod fdr;
pub mod posterior;
pub mod robust;
pub mod spikes;
pub mod steps;
pub mod theil_sen;
pub mod trend;
pub mod troughs;

/// Pairs of `x` and `y`: finite, of equal number, `x` strictly increasing.
#[derive(Debug, Clone, Copy)]
pub struct Points<'a> {
    x: &'a [f64],
    y: &'a [f64],
}

impl<'a> Points<'a> {
    /// Checks what every statistic here relies on; `None` when it does not hold.
    pub fn new(x: &'a [f64], y: &'a [f64]) -> Option<Points<'a>> {
        let sound = x.len() == y.len()
            && x.iter().chain(y).all(|value| value.is_finite())
            && x.windows(2).all(|pair| pair[0] < pair[1]);
        sound.then_some(Points { x, y })
    }

    /// Number of points.
    pub fn len(self) -> usize {
        self.x.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.x.is_empty()
    }

    /// Where the points lie, strictly increasing.
    pub fn x(self) -> &'a [f64] {
        self.x
    }

    /// Their values.
    pub fn y(self) -> &'a [f64] {
        self.y
    }

    /// From the first to the last point; 0 for fewer than two.
    pub fn span(self) -> f64 {
        match self.x {
            [first, .., last] => last - first,
            _ => 0.0,
        }
    }

    /// The points with these indices.
    pub fn slice(self, range: std::ops::Range<usize>) -> Points<'a> {
        Points { x: &self.x[range.clone()], y: &self.y[range] }
    }
}
