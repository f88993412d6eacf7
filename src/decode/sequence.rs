//! Decodes the files of one log, one after another.

use super::detect;
use super::{Options, Parsed, Part, Reader, SequenceRead, table};
use crate::account::{ContentWarning, Format, Input, Purpose, TimeSource, TimeWarning, Unusable};
use crate::open::{self, Opened, Sequence, Source};
use crate::progress::Meter;

/// Reads the files of one log, oldest first; `stem` is the name of a series that has none.
pub(crate) fn read_sequence(
    sources: &[Source],
    sequence: &Sequence,
    stem: &str,
    options: &Options,
    meter: &Meter,
) -> SequenceRead {
    let mut inputs: Vec<(usize, Input)> = Vec::new();
    let mut parts = Vec::new();
    let mut reader: Option<Reader> = None;
    let (mut empty, mut broke_off) = (Vec::new(), Vec::new());
    for &index in &sequence.members {
        if let Some(read) = table::read_folder(&sources[index], stem, options, meter) {
            inputs.extend(read.inputs.into_iter().map(|input| (index, input)));
            parts.extend(read.parts.into_iter().map(|parsed| table_part(index, parsed)));
            continue;
        }
        let mut input = Input::new(&sources[index]);
        match begin(&sources[index], options, meter, reader.as_ref()) {
            Err(Refused::Empty) => empty.push(index),
            Err(Refused::Because(why)) => input.unusable = Some(why),
            Ok((opened, format)) if format.is_typed_table() => {
                let read = table::read(&sources[index], opened, format, stem, options, meter);
                inputs.extend(read.inputs.into_iter().map(|input| (index, input)));
                parts.extend(read.parts.into_iter().map(|parsed| table_part(index, parsed)));
                continue;
            }
            Ok((opened, format)) => {
                if opened.n_nul > 0 {
                    input.warn(ContentWarning::NulBytes { n: opened.n_nul });
                }
                if let Some(other) = reader.take_if(|reader| !reader.goes_on_with(format)) {
                    parts.push(other.finish(&mut inputs));
                }
                let reader = reader.get_or_insert_with(|| Reader::new(format, stem, options));
                input.format = Some(format);
                let broken = opened.broken.clone();
                reader.read(opened, &mut input, index);
                if let Some(why) = broken.take() {
                    broke_off.push(index);
                    input.incomplete = true;
                    input.warnings.insert(0, ContentWarning::BreaksOff { why }.into());
                }
                if input.unusable.is_some() {
                    input.format = options.format;
                    input.rejected_count += std::mem::take(&mut input.samples);
                    input.series = 0;
                }
            }
        }
        inputs.push((index, input));
    }
    let format = reader.as_ref().map(Reader::format);
    if let Some(reader) = reader {
        parts.push(reader.finish(&mut inputs));
    }
    for (_, input) in inputs.iter_mut().filter(|(index, _)| broke_off.contains(index)) {
        if input.time_source == TimeSource::Inferred {
            input.warn(TimeWarning::NewestLost);
        }
    }
    // A log that was rotated a moment ago is empty, and its older files hold the readings.
    for (_, input) in inputs.iter_mut().filter(|(index, _)| empty.contains(index)) {
        if format.is_some() {
            input.format = format;
            input.warn(ContentWarning::Empty { of: Purpose::Readings });
        } else {
            input.unusable = Some(Unusable::Empty);
        }
    }
    SequenceRead { inputs, parts }
}

/// The series of a table: they are alike whatever kind of file it stands in.
fn table_part(source: usize, parsed: Parsed) -> Part {
    Part { format: Format::Parquet, of_source: Some(source), parsed }
}

/// Why an input was not begun.
enum Refused {
    Empty,
    Because(Unusable),
}

fn unreadable(why: String) -> Refused {
    Refused::Because(Unusable::Unreadable(why))
}

/// Opens an input and settles its format.
///
/// `reader`: that of the file before it in its sequence.
fn begin(
    source: &Source,
    options: &Options,
    meter: &Meter,
    reader: Option<&Reader>,
) -> Result<(Opened, Format), Refused> {
    let mut opened = open::open(source, meter).map_err(unreadable)?;
    let beginning = opened.lines.peek().map_err(|error| unreadable(format!("it cannot be read: {error}")))?;
    if beginning.is_empty() {
        return Err(match opened.broken.take() {
            Some(why) => unreadable(why),
            None => Refused::Empty,
        });
    }
    let format = match options.format {
        Some(format) => format,
        None if reader.is_some_and(|reader| reader.is_continued(beginning)) => Format::CsvTable,
        None => detect::recognise_with(beginning, &options.columns).map_err(Refused::Because)?,
    };
    Ok((opened, format))
}
