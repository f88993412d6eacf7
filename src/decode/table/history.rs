//! The history of `nightly`: a table as leaktrend writes it, or as versions before 0.1.0 wrote it.

use std::fs::File;
use std::path::Path;

use super::cells;
use super::own;
use super::source::{Batch, Bytes, Table};
use crate::account::{Format, Input};
use crate::decode::SeriesSamples;
use crate::open::Source;
use crate::progress::Meter;
use crate::series::{Marks, Samples};

/// What a history holds.
#[derive(Debug)]
pub(crate) enum History {
    /// Series by their names.
    ByName(Vec<SeriesSamples>),
    /// Samples by the index of their series in the account beside it, as versions before 0.1.0 wrote them.
    ByIndex(Vec<(usize, Samples)>),
}

/// Columns of a history by index: the series (u32), milliseconds since 1970, bytes, their spacing, and `Marks::bits`.
const BY_INDEX: [&str; 5] = ["series", "time_ms", "used_bytes", "quantum_bytes", "marks"];

/// Reads a history.
///
/// # Errors
///
/// When it cannot be read, or is no such table.
pub(crate) fn read_history(path: &Path) -> Result<History, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let table = Table::open(Bytes::File(file), Format::Parquet, &Meter::default())?;
    let names: Vec<&str> = table.fields.iter().map(|field| field.name.as_str()).collect();
    if names == BY_INDEX {
        return by_index(table).map(History::ByIndex);
    }
    let mut account = Input::new(&Source::File(path.to_owned()));
    match own::provenance(&table, &mut account) {
        Some(provenance) => own::read(table, &provenance).map(History::ByName),
        None => Err("it is not a history that leaktrend wrote".to_owned()),
    }
}

fn by_index(table: Table) -> Result<Vec<(usize, Samples)>, String> {
    let mut series: Vec<(usize, Samples)> = Vec::new();
    let mut is_odd = false;
    table.read(&[0, 1, 2, 3, 4], &mut |batch: Batch| {
        let numbers = |column: usize| cells::numbers(batch.columns[column].as_ref()).map(|(numbers, _)| numbers);
        let times = cells::whole(batch.columns[1].as_ref());
        let (Some(of), Some(times), Some(bytes), Some(quanta), Some(marks)) =
            (numbers(0), times, numbers(2), numbers(3), numbers(4))
        else {
            is_odd = true;
            return;
        };
        is_odd |= batch.columns.iter().any(|column| 0 < column.null_count());
        is_odd |= bytes.iter().any(|bytes| !(0.0 <= *bytes && bytes.is_finite()));
        for row in 0..batch.n_rows {
            let index = of[row] as usize;
            if series.last().is_none_or(|(last, _)| *last != index) {
                series.push((index, Samples::default()));
            }
            let (_, samples) = series.last_mut().expect("one was added");
            samples.push(times[row], bytes[row], quanta[row], Marks::from_bits(marks[row] as u8));
        }
    })?;
    if is_odd { Err("its columns do not hold readings".to_owned()) } else { Ok(series) }
}
