//! The history of `nightly`, as a table like every other that leaktrend writes.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;

use super::{SampleFrame, parquet};
use crate::decode::SeriesSamples;
use crate::decode::table::{self, History};
use crate::resolve::Readings;
use crate::series::{Samples, SeriesInfo};

/// Writes series of different names, to be read by `read_history` or as an input.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write_history(series: Vec<(SeriesInfo, Samples)>, file: &mut File) -> io::Result<()> {
    let series = series.into_iter().map(|(info, samples)| SeriesSamples { info, samples, inputs: Vec::new() });
    let readings = Readings::of(series.collect());
    parquet::write(&SampleFrame::new(readings), file)
}

/// The samples of the series of these names, in their order, as `write_history` wrote them; versions before 0.1.0 wrote
/// their indices.
///
/// # Errors
///
/// When the file cannot be read, is not such a table, or holds other series.
pub fn read_history(path: &Path, names: &[String]) -> io::Result<Vec<Samples>> {
    let odd = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let places: HashMap<&str, usize> = names.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
    let found: Vec<(usize, Samples)> = match table::read_history(path).map_err(odd)? {
        History::ByIndex(series) => series,
        History::ByName(series) => series
            .into_iter()
            .map(|SeriesSamples { info, samples, .. }| match places.get(info.id.as_str()) {
                Some(index) => Ok((*index, samples)),
                None => Err(odd(format!("its series `{}` belongs to no log", info.id))),
            })
            .collect::<io::Result<_>>()?,
    };
    let mut series = vec![Samples::default(); names.len()];
    let n = names.len();
    for (index, samples) in found {
        let place = series
            .get_mut(index)
            .ok_or_else(|| odd(format!("it holds series number {}, but only {n} are known", index + 1)))?;
        place.append(samples);
    }
    Ok(series)
}
