//! What was read from each input, and what became of every line of it, as a sum that a reader can check.

use super::Report;
use super::words::quoted;
use crate::account::{CountedAs, Input, OtherForm, TimeSource};

/// `4,512 lines = 4,480 readings + 3 gaps + 28 others + 1 rejected`.
///
/// Of new lines where the others were read before, and in values instead of lines where the input does not consist of lines. `None` for an input that was not used.
pub fn account(input: &Input) -> Option<String> {
    if let Some(what) = input.counted.filter(|_| input.unusable.is_none()) {
        return Some(of_counts(input, what));
    }
    input.format.filter(|_| input.unusable.is_none())?;
    let samples = input.new_samples.unwrap_or(input.samples);
    let (line, value) = if input.new_samples.is_some() { ("new line", "new value") } else { ("line", "value") };
    let total = match (input.lines, input.further) {
        (Some(lines), 0) => counted(lines, line),
        (Some(lines), further) => {
            format!("{} and {} on them", counted(lines, line), counted(further, "more reading"))
        }
        (None, _) => counted(samples + input.gaps + input.other_lines + input.rejected_count, value),
    };
    Some(format!(
        "{total} = {} + {} + {} + {} rejected",
        counted(samples, "reading"),
        counted(input.gaps, "gap"),
        counted(input.other_lines, "other"),
        thousands(input.rejected_count)
    ))
}

/// Headings of the table of inputs; the cells of `input_cells` stand below them, after the path.
pub const INPUT_HEADINGS: [&str; 7] = ["format", "samples", "series", "gaps", "rejected", "other lines", "times"];

/// What was read from an input.
pub fn input_cells(input: &Input) -> [String; 7] {
    let times = match input.time_source {
        TimeSource::Embedded => "from the input",
        TimeSource::Inferred => "inferred",
    };
    [
        input.format_name().unwrap_or("-").to_owned(),
        input.samples.to_string(),
        input.series.to_string(),
        input.gaps.to_string(),
        input.rejected_count.to_string(),
        input.other_lines.to_string(),
        times.to_owned(),
    ]
}

/// `1,440 rows = 1,438 counted + 0 outside the readings + 0 gaps + 1 other + 1 rejected`, of an input of counts.
fn of_counts(input: &Input, what: CountedAs) -> String {
    let row = match what.form {
        OtherForm::AccessCsv | OtherForm::CovariateCsv | OtherForm::CovariateTable => "row",
        _ if input.lines.is_some() => "line",
        OtherForm::AccessLog => "request",
        OtherForm::Changes => "event",
        _ => "value",
    };
    // The header of CSV is no row.
    let header = u64::from(matches!(what.form, OtherForm::AccessCsv | OtherForm::CovariateCsv));
    let others = input.other_lines - what.outside - header;
    format!(
        "{} = {} counted + {} outside the readings + {} + {} + {} rejected",
        counted(input.samples + input.gaps + input.other_lines + input.rejected_count - header, row),
        thousands(input.samples),
        thousands(what.outside),
        counted(input.gaps, "gap"),
        counted(others, "other"),
        thousands(input.rejected_count),
    )
}

/// What became of the events of each input that holds some.
pub fn events(report: &Report) -> Vec<String> {
    let with_events = report.inputs.iter().filter_map(|input| Some((input, input.events?)));
    with_events
        .map(|(input, counts)| {
            format!(
                "{}: {}; {} matched with {} series, {} of other containers, {} outside the readings, {} not matched because readings have no timestamps.",
                quoted(&input.path),
                counted(counts.read, "container event"),
                counts.matched,
                input.series,
                counts.other_containers,
                counts.outside,
                counts.uncertain,
            )
        })
        .collect()
}

fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(n), if n == 1 { "" } else { "s" })
}

/// `1234567` as `1,234,567`.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let found: Vec<String> = [0, 7, 999, 1000, 45_120, 1_234_567].map(thousands).to_vec();
        assert_eq!(found, ["0", "7", "999", "1,000", "45,120", "1,234,567"]);
        assert_eq!(counted(1, "line"), "1 line");
    }
}
