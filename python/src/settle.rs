//! Verdicts that were judged apart, settled together.

use polars_arrow::array::{Array, StructArray};
use polars_arrow::compute::concatenate::concatenate;
use polars_arrow::datatypes::Field;

use crate::capsule::Batches;
use crate::columns;
use crate::rows::{self, Answer, Key, Row};

/// The same table with the false discovery rate taken over all its rows, or over `p_values` where these are only some of
/// them. Columns of others are kept.
///
/// # Errors
///
/// When it is no table of verdicts: what was found and what was expected.
pub(crate) fn settle(table: &Batches, p_values: Option<&[f64]>) -> Result<Batches, String> {
    let names: Vec<String> = rows::values(&[]).iter().map(|(field, _)| field.name.to_string()).collect();
    let missing: Vec<String> =
        names.iter().filter(|name| table.place(name).is_none()).map(|name| format!("`{name}`")).collect();
    if !missing.is_empty() {
        return Err(format!(
            "the frame has no column {}: it is not a table of verdicts (expected all columns that `judge` returns)",
            missing.join(", ")
        ));
    }
    let mut settled: Vec<Row> = Vec::new();
    for batch in &table.batches {
        settled.extend(read(batch)?);
    }
    match p_values {
        None => rows::settle(&mut settled),
        Some(p_values) => rows::settle_among(&mut settled, p_values)?,
    }
    let mut ours = rows::values(&settled);
    let mut all: Vec<(Field, Box<dyn Array>)> = Vec::with_capacity(table.fields.len());
    for (place, field) in table.fields.iter().enumerate() {
        if let Some(index) = ours.iter().position(|(ours, _)| ours.name == field.name) {
            all.push(ours.swap_remove(index));
            continue;
        }
        let chunks: Vec<&dyn Array> = table.batches.iter().map(|batch| &*batch.values()[place]).collect();
        let column = if chunks.is_empty() {
            polars_arrow::array::new_empty_array(field.dtype.clone())
        } else {
            concatenate(&chunks).map_err(|error| format!("column `{}` cannot be concatenated: {error}", field.name))?
        };
        all.push((field.clone(), column));
    }
    Ok(Batches::of(all))
}

/// The rows of a batch, as they were judged.
fn read(batch: &StructArray) -> Result<Vec<Row>, String> {
    let column = |name: &str| -> &dyn Array {
        let place = batch.fields().iter().position(|field| field.name == name);
        &*batch.values()[place.expect("all columns are there")]
    };
    let text = |name: &str| columns::texts(column(name)).ok_or_else(|| columns::wrong(column(name), name, "text"));
    let number = |name: &str| columns::numbers(column(name), name);
    let time = |name: &str| columns::times(column(name), name);
    let (verdict, shape, reason, would_change) =
        (text("verdict")?, text("shape")?, text("reason")?, text("would_change")?);
    let (regime, error, otherwise) = (text("regime")?, text("error")?, text("otherwise")?);
    let growth = [
        number("growth_bytes_per_second")?,
        number("growth_lower")?,
        number("growth_upper")?,
        number("growth_confidence")?,
        number("growth_p_value")?,
    ];
    let (onset, regime_start) = (time("onset")?, time("regime_start")?);
    let (detectable, needed) = (number("detectable_bytes_per_second")?, number("needed_seconds")?);
    let to_limit = [number("seconds_to_limit")?, number("seconds_to_limit_lower")?, number("seconds_to_limit_upper")?];
    let (p_value, rate, q_value) = (number("p_value")?, number("false_discovery_rate")?, number("q_value")?);
    let chance = columns::booleans(column("may_be_chance"))
        .ok_or_else(|| columns::wrong(column("may_be_chance"), "may_be_chance", "truths"))?;
    let (tolerance, limit, last) =
        (number("tolerance_bytes_per_second")?, number("limit_bytes")?, number("last_bytes")?);
    let (n_samples, n_gaps) = (number("n_samples")?, number("n_gaps")?);
    let (start, end) = (time("start")?, time("end")?);
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let row = |row: usize| -> Result<Row, String> {
        let other = otherwise[row].map(serde_json::from_str::<Answer>).transpose();
        if let Some(p_value) = p_value[row].filter(|p_value| !(0.0 <= *p_value && *p_value <= 1.0)) {
            return Err(format!("row {row} has {p_value} as `p_value` (expected a probability: 0 to 1)"));
        }
        Ok(Row {
            key: Key::None,
            answer: Answer {
                verdict: owned(verdict[row]).ok_or_else(|| format!("row {row} has no `verdict`"))?,
                shape: owned(shape[row]),
                reason: owned(reason[row]).unwrap_or_default(),
                would_change: owned(would_change[row]),
                growth_bytes_per_second: growth[0][row],
                growth_lower: growth[1][row],
                growth_upper: growth[2][row],
                growth_confidence: growth[3][row],
                growth_p_value: growth[4][row],
                onset: onset[row],
                regime_start: regime_start[row],
                regime: owned(regime[row]),
                detectable_bytes_per_second: detectable[row],
                needed_seconds: needed[row],
                seconds_to_limit: to_limit[0][row],
                seconds_to_limit_lower: to_limit[1][row],
                seconds_to_limit_upper: to_limit[2][row],
            },
            error: owned(error[row]),
            p_value: p_value[row],
            q_value: q_value[row],
            false_discovery_rate: rate[row],
            may_be_chance: chance[row].unwrap_or(false),
            otherwise: other.map_err(|error| format!("row {row} has an `otherwise` that cannot be read: {error}"))?,
            tolerance_bytes_per_second: tolerance[row],
            limit_bytes: limit[row],
            last_bytes: last[row],
            n_samples: n_samples[row].unwrap_or(0.0) as i64,
            n_gaps: n_gaps[row].unwrap_or(0.0) as i64,
            start: start[row],
            end: end[row],
        })
    };
    (0..batch.len()).map(row).collect()
}
