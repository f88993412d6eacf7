//! Reads inputs: opens, decodes and resolves them.

use std::path::PathBuf;

use rayon::prelude::*;

use crate::account::{ContentWarning, Input, Unusable};
use crate::decode::{self, Options, Part};
use crate::error::Error;
use crate::frame::SampleFrame;
use crate::open::{self, Sequence, Source};
use crate::progress::Meter;
use crate::resolve::{self, Asked, Readings};

/// Reads files of any supported format into one frame. Rotated files are one log.
///
/// [`SampleFrame::inputs`] accounts for what could not be read.
///
/// # Errors
///
/// If no file holds a sample: why the first file cannot be used.
///
/// [`SampleFrame::inputs`]: crate::frame::SampleFrame::inputs
pub fn read<P: Into<PathBuf>>(files: impl IntoIterator<Item = P>) -> Result<SampleFrame, Error> {
    let sources: Vec<Source> = files.into_iter().map(|path| Source::File(path.into())).collect();
    let readings = readings(&sources, &Options::default());
    if readings.series.iter().any(|series| !series.samples.is_empty()) {
        return Ok(SampleFrame::new(readings));
    }
    let unusable = readings.inputs.into_iter().find_map(|input| Some((input.path, input.unusable?)));
    let error = |(path, why): (String, Unusable)| Error::Unusable { path: path.into(), why: why.to_string() };
    Err(unusable.map_or(Error::NoSamples, error))
}

/// Reads all inputs, as they are before they are put into a frame.
///
/// Rotated files are read as one log, oldest first. An input that cannot be used says so in its account and does not
/// stop the others. If no series has a sample, the caller decides what that means.
pub fn readings(sources: &[Source], options: &Options) -> Readings {
    readings_metered(sources, options, &Meter::default())
}

/// The same; `meter` counts the bytes as they are read.
pub fn readings_metered(sources: &[Source], options: &Options, meter: &Meter) -> Readings {
    resolved(sources, options, meter, false)
}

/// The same, with the other series of exports, which alert rules can name.
pub fn readings_for_rules(sources: &[Source], options: &Options, meter: &Meter) -> Readings {
    resolved(sources, options, meter, true)
}

fn resolved(sources: &[Source], options: &Options, meter: &Meter, beside: bool) -> Readings {
    let Decoded { sources, inputs, parts } = decoded(sources, options, meter);
    resolve::resolve(parts, &sources, inputs, Asked { has_unit: options.unit.is_some(), beside })
}

/// What the sources hold.
struct Decoded {
    /// The source of each account: a table that leaktrend wrote has those of all inputs that it was made from.
    sources: Vec<Source>,
    inputs: Vec<Input>,
    /// The inputs of their series are indices into `inputs`.
    parts: Vec<Part>,
}

/// The accounts of all inputs, and what each log holds.
fn decoded(sources: &[Source], options: &Options, meter: &Meter) -> Decoded {
    let mut sequences = open::sequences(sources);
    let is_again = open::is_again(sources, &sequences);
    sequences.iter_mut().for_each(|sequence| sequence.members.retain(|index| !is_again[*index]));
    sequences.retain(|sequence| !sequence.members.is_empty());
    let stems = open::stems(&sequences);
    // Within the pool, so that handing work to its threads does not wait for this one.
    let results: Vec<_> = rayon::scope(|_| {
        let read =
            |(sequence, stem): (&Sequence, &String)| decode::read_sequence(sources, sequence, stem, options, meter);
        sequences.par_iter().zip(&stems).map(read).collect()
    });
    meter.end();

    let mut accounts: Vec<Vec<Input>> = sources.iter().map(|_| Vec::new()).collect();
    let mut parts = Vec::new();
    for result in results {
        for (index, input) in result.inputs {
            accounts[index].push(input);
        }
        parts.extend(result.parts);
    }
    let given_again = |source| {
        let mut input = Input::new(source);
        input.warn(ContentWarning::GivenAgain);
        input
    };
    let mut decoded = Decoded { sources: Vec::new(), inputs: Vec::new(), parts };
    let mut first_of_source = Vec::new();
    for (accounts, source) in accounts.into_iter().zip(sources) {
        first_of_source.push(decoded.inputs.len());
        if accounts.is_empty() {
            decoded.inputs.push(given_again(source));
        } else {
            decoded.inputs.extend(accounts);
        }
        decoded.sources.resize(decoded.inputs.len(), source.clone());
    }
    for part in &mut decoded.parts {
        for input in part.parsed.series.iter_mut().flat_map(|series| &mut series.inputs) {
            *input = match part.of_source {
                Some(source) => first_of_source[source] + *input,
                None => first_of_source[*input],
            };
        }
    }
    decoded
}

/// What the tests of the formats share.
#[cfg(test)]
pub(crate) mod test_support {
    use std::fmt::Write;

    use super::*;
    use crate::account::Format;
    use crate::decode::{GivenColumns, Reader, SamplesOption, SeriesSamples};
    use crate::series::Marks;
    use crate::units::docker_text;

    /// The modification time of test files: 2026-11-23T20:07:00Z, in milliseconds.
    pub(crate) const MTIME_MS: i64 = 1_795_464_420_000;

    pub(crate) fn options() -> Options {
        Options {
            format: None,
            interval: None,
            end_ms: None,
            samples: SamplesOption::Auto,
            unit: None,
            columns: GivenColumns::default(),
        }
    }

    /// Reads files of one sequence, oldest first.
    pub(crate) fn read_all(format: Format, contents: &[(&str, i64)]) -> (Vec<Input>, Vec<SeriesSamples>) {
        let mut reader = Reader::new(format, "stem", &options());
        let mut inputs = Vec::new();
        for (index, (content, mtime_ms)) in contents.iter().enumerate() {
            let mut input = Input::new(&Source::Stdin);
            reader.read(crate::open::Opened::of(content.as_bytes(), Some(*mtime_ms)), &mut input, index);
            inputs.push((index, input));
        }
        let mut part = reader.finish(&mut inputs);
        let mut inputs: Vec<Input> = inputs.into_iter().map(|(_, input)| input).collect();
        if format == Format::Prometheus {
            resolve::settle_exports(&mut part.parsed.series, &mut inputs);
        }
        (inputs, part.parsed.series)
    }

    /// One line per series: seconds since the modification time and memory of each sample, with its marks.
    pub(crate) fn describe(series: &[SeriesSamples]) -> String {
        let mut text = String::new();
        for series in series {
            write!(text, "{}:", series.info.id).unwrap();
            let samples = &series.samples;
            for index in 0..samples.len() {
                let seconds = (samples.time_ms[index] - MTIME_MS) as f64 / 1000.0;
                write!(text, " {seconds}={}", docker_text(samples.used_bytes[index])).unwrap();
                let marks = Marks::from_bits(samples.marks[index]);
                for (mark, name) in
                    [(Marks::RECREATED, "recreated"), (Marks::COUNTER_RESET, "reset"), (Marks::GAP_BEFORE, "gap")]
                {
                    if marks.contains(mark) {
                        write!(text, "({name})").unwrap();
                    }
                }
            }
            text.push('\n');
        }
        text
    }

    /// The account of an input: counts, warnings, rejected lines.
    pub(crate) fn account(input: &Input) -> String {
        let mut text = format!(
            "{} samples, {} gaps, {} other, {} rejected{}\n",
            input.samples,
            input.gaps,
            input.other_lines,
            input.rejected_count,
            if input.incomplete { ", incomplete" } else { "" }
        );
        for warning in &input.warnings {
            writeln!(text, "warning: {warning}").unwrap();
        }
        for rejected in &input.rejected {
            writeln!(text, "line {}: `{}`: {}", rejected.line, rejected.text, rejected.why).unwrap();
        }
        if let Some(why) = &input.unusable {
            writeln!(text, "unusable: {why}").unwrap();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Format, TimeSource, Timeline};
    use crate::decode::Reader;
    use crate::read::test_support::{MTIME_MS, options};

    /// Reads inputs of which only those with a modification time have one.
    fn read_each(contents: &[(&str, Option<i64>)]) -> (Timeline, Vec<Input>, usize) {
        let mut inputs = Vec::new();
        let mut parts = Vec::new();
        for (index, (content, mtime_ms)) in contents.iter().enumerate() {
            let mut reader = Reader::new(Format::DockerStats, "stem", &options());
            let mut input = vec![(index, Input::new(&Source::Stdin))];
            reader.read(crate::open::Opened::of(content.as_bytes(), *mtime_ms), &mut input[0].1, index);
            parts.push(reader.finish(&mut input));
            inputs.extend(input.into_iter().map(|(_, input)| input));
        }
        let timeline = resolve::one_timeline(&mut parts, &mut inputs);
        (timeline, inputs, parts.len())
    }

    #[test]
    fn without_any_time_the_last_reading_is_zero() {
        let row = "aaaaaaaaaaaa   web   0.1%   5MiB / 1GiB   1%   1kB / 0B   0B / 0B   7\n";
        let (timeline, inputs, _) = read_each(&[(row, None)]);
        assert_eq!(timeline, Timeline::Relative);
        assert_eq!((inputs[0].time_source, inputs[0].end_from), (TimeSource::Inferred, None));
        insta::assert_snapshot!(inputs[0].warnings[0], @"assuming one reading every 15 min; times count back from the last reading (`--end` gives it a date)");

        let (timeline, inputs, n_parts) = read_each(&[(row, None), (row, Some(MTIME_MS))]);
        assert_eq!((timeline, n_parts), (Timeline::Absolute, 1));
        insta::assert_snapshot!(inputs[0].unusable.clone().unwrap(), @"it has no times, while other inputs have: give the time of its last reading with `--end`");
    }
}
