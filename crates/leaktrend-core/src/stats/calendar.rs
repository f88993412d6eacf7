//! Rhythms of the day and of the week.

use std::f64::consts::TAU;

use super::robust::median;

/// Seconds in a day.
pub const DAY: f64 = 86_400.0;
/// Harmonics of the day are looked for in windows of at least so many days.
pub const MIN_DAYS: f64 = 1.9;
/// A weekend in windows of at least so many days.
const MIN_DAYS_FOR_WEEKENDS: f64 = 6.0;
/// When weekends are is looked for in windows of at least so many days: most of two weeks.
const MIN_DAYS_TO_FIND: f64 = 13.0;
/// Three hours each, of a week.
const PER_DAY: usize = 8;
const PER_WEEK: usize = 7 * PER_DAY;
/// Pairs of daily harmonics that are tried: 4 follow the edges of working hours.
const HARMONICS: [usize; 3] = [1, 2, 4];

/// A rhythm that may be in a series, as columns beside its level.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rhythm {
    /// Pairs of daily harmonics; 0 is no rhythm.
    pub harmonics: usize,
    /// Whether weekends differ.
    pub weekends: bool,
    /// The price of searching for the weekends, in coefficients.
    pub searched: usize,
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
    Rhythm { harmonics: 1, columns: harmonics(x, 1), ..Rhythm::default() }
}

/// The rhythms that `y` at `x` (seconds, increasing) may have; the first is none.
///
/// `monday`: the time in seconds at which some Monday began in the time zone of the users; `None` if times are relative.
/// Weekends are the two days before it, or other days if two weeks or more show them.
pub fn rhythms(x: &[f64], y: &[f64], monday: Option<f64>) -> Vec<Rhythm> {
    let mut found = vec![Rhythm::default()];
    let days = (x[x.len() - 1] - x[0]) / DAY;
    if days < MIN_DAYS {
        return found;
    }
    let usual = monday.map(|monday| monday - 2.0 * DAY).filter(|_| days >= MIN_DAYS_FOR_WEEKENDS);
    let other = if days >= MIN_DAYS_TO_FIND { weekend(x, y) } else { None };
    let other = other.filter(|other| usual.is_none_or(|usual| (other - usual).rem_euclid(7.0 * DAY) != 0.0));
    let weekend = |begins: f64| -> Vec<f64> {
        x.iter().map(|x| f64::from(u8::from(((x - begins) / DAY).rem_euclid(7.0) < 2.0))).collect()
    };
    let weekends = [(usual, 0), (other, 1)].map(|(begins, searched)| (begins.map(weekend), searched));
    for pairs in HARMONICS {
        let daily = harmonics(x, pairs);
        for (weekend, searched) in &weekends {
            let Some(weekend) = weekend.as_ref().filter(|part| part.contains(&0.0) && part.contains(&1.0)) else {
                continue;
            };
            let of_weekend = daily.iter().map(|column| column.iter().zip(weekend).map(|(a, b)| a * b).collect());
            let columns = daily.iter().cloned().chain([weekend.clone()]);
            let rhythm = |columns| Rhythm { harmonics: pairs, weekends: true, searched: *searched, columns };
            found.push(rhythm(columns.clone().collect()));
            found.push(rhythm(columns.chain(of_weekend).collect()));
        }
        found.push(Rhythm { harmonics: pairs, columns: daily, ..Rhythm::default() });
    }
    found
}

/// The seconds at which some weekend begins: the two days in a row that differ most from the other days of the week at
/// the same time, to a part of a day. `None` where some time of the week was not seen.
fn weekend(x: &[f64], y: &[f64]) -> Option<f64> {
    let width = DAY / PER_DAY as f64;
    let mut parts = vec![Vec::new(); PER_WEEK];
    for (x, y) in x.iter().zip(y) {
        parts[((x / width).floor() as i64).rem_euclid(PER_WEEK as i64) as usize].push(*y);
    }
    let levels: Option<Vec<f64>> = parts.iter().map(|part| median(part)).collect();
    let levels = levels?;
    let of_day: Vec<f64> = (0..PER_DAY)
        .filter_map(|time| median(&levels.iter().copied().skip(time).step_by(PER_DAY).collect::<Vec<f64>>()))
        .collect();
    let apart = |begins: usize| {
        let parts = (begins..begins + 2 * PER_DAY).map(|part| levels[part % PER_WEEK] - of_day[part % PER_DAY]);
        parts.sum::<f64>().abs()
    };
    (0..PER_WEEK).max_by(|a, b| apart(*a).total_cmp(&apart(*b))).map(|begins| begins as f64 * width)
}
