//! The table of verdicts: one row a series, to be put together, settled, and read again.

use leaktrend::forecast;
use leaktrend::series::MemorySeries;
use leaktrend::units;
use leaktrend::verdict::{Judgement, Measured};
use polars_arrow::array::Array;
use polars_arrow::datatypes::Field;
use serde::{Deserialize, Serialize};

use crate::columns;

/// The answer for a series, given whether its growth may be chance. Times are milliseconds, amounts bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) verdict: String,
    pub(crate) shape: Option<String>,
    pub(crate) reason: String,
    pub(crate) would_change: Option<String>,
    pub(crate) growth_bytes_per_second: Option<f64>,
    pub(crate) growth_lower: Option<f64>,
    pub(crate) growth_upper: Option<f64>,
    pub(crate) growth_confidence: Option<f64>,
    pub(crate) growth_p_value: Option<f64>,
    pub(crate) onset: Option<i64>,
    pub(crate) regime_start: Option<i64>,
    pub(crate) regime: Option<String>,
    pub(crate) detectable_bytes_per_second: Option<f64>,
    pub(crate) needed_seconds: Option<f64>,
    pub(crate) seconds_to_limit: Option<f64>,
    pub(crate) seconds_to_limit_lower: Option<f64>,
    pub(crate) seconds_to_limit_upper: Option<f64>,
}

/// Who a row is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    Text(String),
    Whole(i64),
    None,
}

/// One series in the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) key: Key,
    pub(crate) answer: Answer,
    /// Why it could not be judged.
    pub(crate) error: Option<String>,
    pub(crate) p_value: Option<f64>,
    pub(crate) q_value: Option<f64>,
    /// Largest false discovery rate at which growth is a leak.
    pub(crate) false_discovery_rate: Option<f64>,
    pub(crate) may_be_chance: bool,
    /// What holds where `may_be_chance` does not hold as it does; `None` where that is the same.
    pub(crate) otherwise: Option<Answer>,
    pub(crate) tolerance_bytes_per_second: Option<f64>,
    pub(crate) limit_bytes: Option<f64>,
    pub(crate) last_bytes: Option<f64>,
    pub(crate) n_samples: i64,
    pub(crate) n_gaps: i64,
    pub(crate) start: Option<i64>,
    pub(crate) end: Option<i64>,
}

impl Answer {
    /// What a judgement says. `limit_bytes`: the limit of the series.
    pub(crate) fn of(
        judgement: &Judgement,
        series: &MemorySeries,
        time_to_limit: Option<&forecast::TimeToLimit>,
    ) -> Answer {
        let at = |seconds: f64| series.start_ms() + (seconds * 1000.0).round() as i64;
        let growth = judgement.growth;
        let detectable = judgement.detectable;
        Answer {
            verdict: judgement.verdict.name().to_owned(),
            shape: Some(judgement.shape.name().to_owned()),
            reason: judgement.reason(),
            would_change: Some(judgement.would_change()),
            growth_bytes_per_second: growth.map(|growth| growth.bytes_per_second),
            growth_lower: growth.map(|growth| growth.lower),
            growth_upper: growth.map(|growth| growth.upper),
            growth_confidence: growth.map(|growth| growth.confidence),
            growth_p_value: growth.map(|growth| growth.p_value),
            onset: judgement.onset_seconds.map(at),
            regime_start: Some(at(judgement.regime.start_seconds)),
            regime: Some(judgement.regime.why.name().to_owned()),
            detectable_bytes_per_second: detectable.and_then(|detectable| detectable.bytes_per_second),
            needed_seconds: detectable.and_then(|detectable| detectable.needed_seconds),
            seconds_to_limit: time_to_limit.map(|time| time.seconds),
            seconds_to_limit_lower: time_to_limit.map(|time| time.lower),
            seconds_to_limit_upper: time_to_limit.and_then(|time| time.upper),
        }
    }

    /// That there is none.
    fn none(why: &str) -> Answer {
        Answer {
            verdict: "error".to_owned(),
            shape: None,
            reason: why.to_owned(),
            would_change: None,
            growth_bytes_per_second: None,
            growth_lower: None,
            growth_upper: None,
            growth_confidence: None,
            growth_p_value: None,
            onset: None,
            regime_start: None,
            regime: None,
            detectable_bytes_per_second: None,
            needed_seconds: None,
            seconds_to_limit: None,
            seconds_to_limit_lower: None,
            seconds_to_limit_upper: None,
        }
    }
}

impl Row {
    /// The row of a series that was measured; whether its growth may be chance is left to `settle`.
    pub(crate) fn of(key: Key, series: &MemorySeries, measured: &Measured, limit_bytes: Option<f64>, rate: f64) -> Row {
        let answer = |q_value: Option<f64>| {
            let judgement = measured.judge(q_value);
            let time = limit_bytes.and_then(|limit| forecast::time_to_limit(limit, measured, &judgement));
            (judgement.verdict, Answer::of(&judgement, series, time.as_ref()))
        };
        let (verdict, alone) = answer(None);
        // No false discovery rate is above 1: the verdict where growth is no discovery.
        let (if_chance, other) = answer(Some(1.0));
        let used = series.used_bytes();
        Row {
            key,
            answer: alone,
            error: None,
            p_value: measured.p_value(),
            q_value: None,
            false_discovery_rate: Some(rate),
            may_be_chance: false,
            otherwise: (verdict != if_chance).then_some(other),
            tolerance_bytes_per_second: measured.stretch().map(|stretch| stretch.tolerance.bytes_per_second),
            limit_bytes,
            last_bytes: used.last().copied(),
            n_samples: series.len() as i64,
            n_gaps: 0,
            start: Some(series.start_ms()),
            end: Some(series.end_ms()),
        }
    }

    /// The row of a series that could not be judged.
    pub(crate) fn unjudged(key: Key, why: &str) -> Row {
        Row {
            key,
            answer: Answer::none(why),
            error: Some(why.to_owned()),
            p_value: None,
            q_value: None,
            false_discovery_rate: None,
            may_be_chance: false,
            otherwise: None,
            tolerance_bytes_per_second: None,
            limit_bytes: None,
            last_bytes: None,
            n_samples: 0,
            n_gaps: 0,
            start: None,
            end: None,
        }
    }

    /// Takes the answer that belongs to a false discovery rate of this growth among others.
    pub(crate) fn settle(&mut self, q_value: Option<f64>) {
        self.q_value = q_value;
        if let Some(other) = &mut self.otherwise {
            let chance = q_value.zip(self.false_discovery_rate).is_some_and(|(q_value, rate)| rate < q_value);
            if chance != self.may_be_chance {
                std::mem::swap(other, &mut self.answer);
                self.may_be_chance = chance;
            }
        }
    }
}

/// Settles rows: growth is a leak only where it is a discovery among all of them (Benjamini, Hochberg 1995).
pub(crate) fn settle(rows: &mut [Row]) {
    let tested: Vec<f64> = rows.iter().filter_map(|row| row.p_value).collect();
    let mut q_values = leaktrend::stats::fdr::q_values(&tested).into_iter();
    for row in rows {
        let q_value = row.p_value.and_then(|_| q_values.next());
        row.settle(q_value);
    }
}

/// Settles rows that are only some of all: `p_values` are those of all. Equal p-values have equal q-values.
///
/// # Errors
///
/// When one of the rows is not among them.
pub(crate) fn settle_among(rows: &mut [Row], p_values: &[f64]) -> Result<(), String> {
    let q_values = leaktrend::stats::fdr::q_values(p_values);
    let mut known: Vec<(f64, f64)> = p_values.iter().copied().zip(q_values).collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    for row in rows {
        let q_value = match row.p_value {
            None => None,
            Some(p_value) => {
                let place = known.binary_search_by(|(known, _)| known.total_cmp(&p_value));
                let place = place.map_err(|_| format!("the p-value {p_value} is not among those of all rows"))?;
                Some(known[place].1)
            }
        };
        row.settle(q_value);
    }
    Ok(())
}

/// The columns of rows; the first, of who they are, has this name.
pub(crate) fn columns(name: &str, rows: &[Row]) -> Vec<(Field, Box<dyn Array>)> {
    let keys = if rows.iter().any(|row| matches!(row.key, Key::Whole(_))) {
        columns::primitive::<i64>(
            name,
            rows.iter().map(|row| match row.key {
                Key::Whole(key) => Some(key),
                _ => None,
            }),
        )
    } else {
        columns::text(
            name,
            rows.iter().map(|row| match &row.key {
                Key::Text(key) => Some(key),
                _ => None,
            }),
        )
    };
    std::iter::once(keys).chain(values(rows)).collect()
}

/// The columns of rows without who they are.
pub(crate) fn values(rows: &[Row]) -> Vec<(Field, Box<dyn Array>)> {
    let text = |name: &str, of: fn(&Row) -> Option<&str>| columns::text(name, rows.iter().map(of));
    let number = |name: &str, of: fn(&Row) -> Option<f64>| columns::primitive(name, rows.iter().map(of));
    let time = |name: &str, of: fn(&Row) -> Option<i64>| columns::time(name, rows.iter().map(of));
    let otherwise = |row: &Row| {
        row.otherwise.as_ref().map(|answer| serde_json::to_string(answer).expect("text and numbers can be written"))
    };
    vec![
        text("verdict", |row| Some(&row.answer.verdict)),
        text("shape", |row| row.answer.shape.as_deref()),
        text("reason", |row| Some(&row.answer.reason)),
        text("would_change", |row| row.answer.would_change.as_deref()),
        text("error", |row| row.error.as_deref()),
        number("growth_bytes_per_second", |row| row.answer.growth_bytes_per_second),
        number("growth_lower", |row| row.answer.growth_lower),
        number("growth_upper", |row| row.answer.growth_upper),
        number("growth_confidence", |row| row.answer.growth_confidence),
        number("growth_p_value", |row| row.answer.growth_p_value),
        number("p_value", |row| row.p_value),
        number("q_value", |row| row.q_value),
        columns::truth("may_be_chance", rows.iter().map(|row| Some(row.may_be_chance))),
        time("onset", |row| row.answer.onset),
        time("regime_start", |row| row.answer.regime_start),
        text("regime", |row| row.answer.regime.as_deref()),
        number("tolerance_bytes_per_second", |row| row.tolerance_bytes_per_second),
        number("detectable_bytes_per_second", |row| row.answer.detectable_bytes_per_second),
        number("needed_seconds", |row| row.answer.needed_seconds),
        number("limit_bytes", |row| row.limit_bytes),
        number("seconds_to_limit", |row| row.answer.seconds_to_limit),
        number("seconds_to_limit_lower", |row| row.answer.seconds_to_limit_lower),
        number("seconds_to_limit_upper", |row| row.answer.seconds_to_limit_upper),
        number("last_bytes", |row| row.last_bytes),
        columns::primitive::<i64>("n_samples", rows.iter().map(|row| Some(row.n_samples))),
        columns::primitive::<i64>("n_gaps", rows.iter().map(|row| Some(row.n_gaps))),
        time("start", |row| row.start),
        time("end", |row| row.end),
        number("false_discovery_rate", |row| row.false_discovery_rate),
        columns::text("otherwise", rows.iter().map(otherwise)),
    ]
}

/// A time for a message.
pub(crate) fn time_text(time_ms: i64) -> String {
    units::time_text(time_ms).unwrap_or_else(|| format!("{time_ms} ms"))
}
