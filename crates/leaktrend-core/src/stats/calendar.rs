//! Rhythms of the day and of the week.

use std::f64::consts::TAU;

/// Seconds in a day.
pub const DAY: f64 = 86_400.0;
/// Harmonics of the day are looked for in windows of at least so many days.
pub const MIN_DAYS: f64 = 1.9;
/// A weekend in windows of at least so many days.
const MIN_DAYS_FOR_WEEKENDS: f64 = 6.0;
/// Pairs of daily harmonics that are tried: 4 follow the edges of working hours.
const HARMONICS: [usize; 3] = [1, 2, 4];

/// A rhythm that may be in a series, as columns beside its level.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rhythm {
    /// Pairs of daily harmonics; 0 is no rhythm.
    pub harmonics: usize,
    /// Whether weekends differ.
    pub weekends: bool,
    /// One column per coefficient.
    pub columns: Vec<Vec<f64>>,
}

/// Pairs of sine and cosine of the day at `x` seconds.
pub fn harmonics(x: &[f64], pairs: usize) -> Vec<Vec<f64>> {
    let each = (1..=pairs).flat_map(|pair| {
        let angle = move |x: &f64| TAU * pair as f64 * x / DAY;
        [x.iter().map(|x| angle(x).sin()).collect(), x.iter().map(|x| angle(x).cos()).collect()]
    });
    each.collect()
}

/// One harmonic of the day at `x` seconds.
pub fn daily(x: &[f64]) -> Rhythm {
    Rhythm { harmonics: 1, weekends: false, columns: harmonics(x, 1) }
}

/// The rhythms that points at `x` (seconds, increasing) may have; the first is none.
///
/// `monday`: the seconds at which some Monday began, in the time of those who use the service; `None` where times are
/// not known, and then no weekend is looked for.
pub fn rhythms(x: &[f64], monday: Option<f64>) -> Vec<Rhythm> {
    let mut found = vec![Rhythm::default()];
    let days = (x[x.len() - 1] - x[0]) / DAY;
    if days < MIN_DAYS {
        return found;
    }
    let weekend = monday.filter(|_| days >= MIN_DAYS_FOR_WEEKENDS).map(|monday| -> Vec<f64> {
        x.iter().map(|x| f64::from(u8::from(((x - monday) / DAY).rem_euclid(7.0) >= 5.0))).collect()
    });
    let weekend = weekend.filter(|weekend| weekend.contains(&0.0) && weekend.contains(&1.0));
    for pairs in HARMONICS {
        let daily = harmonics(x, pairs);
        if let Some(weekend) = &weekend {
            let of_weekend = daily.iter().map(|column| column.iter().zip(weekend).map(|(a, b)| a * b).collect());
            let columns = daily.iter().cloned().chain([weekend.clone()]);
            found.push(Rhythm { harmonics: pairs, weekends: true, columns: columns.clone().collect() });
            found.push(Rhythm { harmonics: pairs, weekends: true, columns: columns.chain(of_weekend).collect() });
        }
        found.push(Rhythm { harmonics: pairs, weekends: false, columns: daily });
    }
    found
}
