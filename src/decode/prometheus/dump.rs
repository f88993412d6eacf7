//! Reads samples as text, a line each: `promtool tsdb dump`, `promtool tsdb dump-openmetrics`, and what `/federate` answers.
//!
//! The first writes `{__name__="m", a="b"} 1 1700000000000`, with milliseconds, the second `m{a="b"} 1 1700000000.000`,
//! with seconds, and `/federate` `m{a="b"} 1 1700000000000`, with milliseconds again.

use super::{Labels, Reader};
use crate::account::{ExportRejection, Format, Input, SamplePart, Unusable, cleaned};
use crate::open::Line;
use crate::open::Opened;

/// A line of either kind.
struct Row {
    labels: Labels,
    value: f64,
    /// Seconds since 1970.
    seconds: f64,
}

/// Whether a line is one of a dump.
pub(super) fn looks_like_sample(line: &str) -> bool {
    row(line.trim()).is_ok()
}

impl Reader {
    /// Reads a dump, the next file of the sequence.
    pub(super) fn read_dump(&mut self, mut opened: Opened, input: &mut Input, index: usize) {
        while let Ok(Some(line)) = opened.lines.next() {
            let text = line.text();
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                input.other_lines += 1;
                continue;
            }
            // Where it was cut its last number is another one.
            if !line.terminated && line.number > 1 {
                input.reject(&line, text, || ExportRejection::Unfinished);
                continue;
            }
            self.read_dump_line(line, text, input, index);
        }
        input.lines = Some(opened.lines.count());
        if input.samples + input.gaps == 0 {
            input.unusable = Some(Unusable::nothing_of(Format::Prometheus, input));
        }
    }

    fn read_dump_line(&mut self, line: Line<'_>, text: &str, input: &mut Input, index: usize) {
        if line.cut {
            return input.reject(&line, text, crate::account::too_long);
        }
        match row(text) {
            Err(why) => input.reject(&line, text, || why),
            Ok(Row { labels, value, seconds }) => {
                let series = self.series_of(labels, index);
                if let Err(why) = self.series[series].take(seconds, value, input) {
                    input.reject(&line, text, || why);
                }
            }
        }
    }
}

fn row(text: &str) -> Result<Row, ExportRejection> {
    /// No reading is of the year 5138: as seconds since 1970 so large a time is one in milliseconds.
    const MILLISECONDS: f64 = 1e11;
    let (labels, rest) = labels(text).ok_or(ExportRejection::NoLabels)?;
    let has_name = !text.starts_with('{');
    let mut words = rest.split_ascii_whitespace();
    let number = |word: Option<&str>, part: SamplePart| -> Result<f64, ExportRejection> {
        let word = word.ok_or(ExportRejection::Missing(part))?;
        word.parse().map_err(|_| ExportRejection::Not { part, found: cleaned(word, 40) })
    };
    let value = number(words.next(), SamplePart::Value)?;
    let time = number(words.next(), SamplePart::Time)?;
    Ok(Row { labels, value, seconds: if has_name && time < MILLISECONDS { time } else { time / 1000.0 } })
}

/// The labels at the beginning of a text, as PromQL writes them, and what follows: `metric{a="b"}` or `{a="b"}`.
pub(super) fn labels(text: &str) -> Option<(Labels, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let metric_end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (metric, mut rest) = text.split_at(metric_end);
    let mut labels = Labels::new();
    if !metric.is_empty() {
        labels.insert("__name__".to_owned(), metric.to_owned());
    }
    let Some(inside) = rest.strip_prefix('{') else {
        return (!metric.is_empty() && !metric.starts_with(|c: char| c.is_ascii_digit())).then_some((labels, rest));
    };
    rest = inside;
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start().strip_prefix('"')?;
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, c) => value.push(c),
            }
        };
        labels.insert(key.trim().trim_matches('"').to_owned(), value);
        rest = &after[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Format;
    use crate::read::test_support::{MTIME_MS, account, describe, read_all};

    #[track_caller]
    fn check(text: &str, expected_series: &str, expected_account: &str) {
        let (inputs, series) = read_all(Format::Prometheus, &[(text, MTIME_MS)]);
        assert_eq!(describe(&series), expected_series);
        assert_eq!(account(&inputs[0]), expected_account);
    }

    #[test]
    fn a_dump_of_a_database() {
        check(
            "{__name__=\"container_memory_rss\", container=\"web\", note=\"a \\\"b\\\", c}\"} 1.048576e+06 1795464400000\n{__name__=\"container_memory_rss\", container=\"web\", note=\"a \\\"b\\\", c}\"} NaN 1795464410000\n{__name__=\"container_memory_rss\", container=\"api\"} 2048 1795464400000\n",
            "web: -20=1MiB\napi: -20=2KiB\n",
            "2 samples, 1 gaps, 0 other, 0 rejected\n",
        );
    }

    #[test]
    fn a_dump_as_openmetrics() {
        check(
            "container_memory_rss{container=\"web\"} 1048576 1795464400.250\nup 1 1795464400.250\ncontainer_memory_rss{container=\"web\"} 1048577\ncontainer_memory_rss{container=\"web\" 1 2\n# EOF\n",
            "web container_memory_rss: -19.75=1MiB\nup{}: -19.75=1B\n",
            "2 samples, 0 gaps, 1 other, 2 rejected\nline 3: `container_memory_rss{container=\"web\"} 1048577`: it has no time (expected `metric{label=\"value\"} 1048576 1700000000.000`)\nline 4: `container_memory_rss{container=\"web\" 1 2`: it does not begin with a metric and its labels (expected `metric{label=\"value\"} 1048576 1700000000.000`)\n",
        );
    }

    /// Asked again and again, with its comments each time.
    #[test]
    fn answers_of_federate_one_behind_the_other() {
        let answer = |mib: u32, time: i64| {
            format!(
                "# TYPE container_memory_rss untyped\ncontainer_memory_rss{{container=\"web\"}} {mib}048576 {time}\n"
            )
        };
        check(
            &[answer(1, 1_795_464_400_250), answer(2, 1_795_464_410_250)].concat(),
            "web: -19.75=1MiB -9.75=1.954MiB\n",
            "2 samples, 0 gaps, 2 other, 0 rejected\n",
        );
    }

    /// A series may stand on several lines, out of order.
    #[test]
    fn export_lines_of_victoriametrics() {
        let line = |name: &str, values: &str, times: &str| {
            format!(
                "{{\"metric\":{{\"__name__\":\"m\",\"name\":\"{name}\"}},\"values\":[{values}],\"timestamps\":[{times}]}}\n"
            )
        };
        check(
            &[
                line("web", "1048576,null", "1795464400000,1795464405000"),
                line("api", "2048", "1795464400000"),
                line("web", "1048577.5,\"Infinity\"", "1795464410000,1795464415000"),
                line("api", "2048,2", "1795464410000"),
            ]
            .concat(),
            "web: -20=1MiB -10=1MiB(gap)\napi: -20=2KiB -10=2KiB\n",
            "4 samples, 2 gaps, 0 other, 1 rejected\nline 4: `m{name=\"api\"}`: it has 2 values and 1 times (expected the same number of each)\n",
        );
    }

    #[test]
    fn what_is_no_sample_is_not_taken_for_one() {
        for text in ["1795464400,512.3MiB", "web 100MiB / 1GiB", "{\"a\":1}", "m{a=\"b\"} 1", "", "a b c"] {
            assert!(!looks_like_sample(text), "{text}");
        }
    }
}
