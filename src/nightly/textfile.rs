//! The night as metrics, for the textfile collector of `node_exporter`: base units, no times of their own.
//!
//! Written by rename, so that the collector never reads half of it; what cannot be said is left out, never 0 or NaN.

use std::fmt::Write;

use super::Nightly;
use crate::account::Input;
use crate::policy::{ExitCode, Outcome};
use crate::report::{KnownLimit, SeriesReport};
use crate::verdict::Verdict;

const OUTCOMES: [Outcome; 4] = [Outcome::Fail, Outcome::Inconclusive, Outcome::Warn, Outcome::Pass];

/// One metric with its samples.
struct Metric {
    name: &'static str,
    help: &'static str,
    /// Labels, written out, and value.
    samples: Vec<(String, f64)>,
}

/// Metrics that say how the job itself fares: a run that could not be done writes these again.
const OF_JOB: [&str; 5] = [BUILD, LAST_RUN, LAST_SUCCESS, EXIT_CODE, OUTCOME];
const BUILD: &str = "leaktrend_build_info";
const LAST_RUN: &str = "leaktrend_last_run_timestamp_seconds";
const LAST_SUCCESS: &str = "leaktrend_last_success_timestamp_seconds";
const EXIT_CODE: &str = "leaktrend_exit_code";
const OUTCOME: &str = "leaktrend_outcome";

/// The text of the file. `previous`: that of the run before, which knows when the job last could be done.
pub fn render(nightly: &Nightly, previous: Option<&str>) -> String {
    let is_done = nightly.exit_code != ExitCode::NotDone;
    let success = if is_done { Some(nightly.now_ms as f64 / 1000.0) } else { previous.and_then(last_success) };
    let mut metrics = of_job(nightly.now_ms, success, nightly.exit_code);
    metrics.extend(of_night(nightly));
    written(metrics)
}

/// The text of the file after a run that could not be done at all: what the run before knew of logs and series stays, so
/// that no alert ends by mistake.
pub fn not_done(now_ms: i64, previous: Option<&str>) -> String {
    let mut text = written(of_job(now_ms, previous.and_then(last_success), ExitCode::NotDone));
    for line in previous.unwrap_or_default().lines() {
        let words = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
        let name = words.split([' ', '{']).next().unwrap_or_default();
        if name.starts_with("leaktrend_") && !OF_JOB.contains(&name) {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// When the job last could be done, as a file says.
fn last_success(previous: &str) -> Option<f64> {
    let value = previous.lines().find_map(|line| line.strip_prefix(LAST_SUCCESS)?.strip_prefix(' '));
    value?.parse().ok().filter(|seconds: &f64| seconds.is_finite())
}

fn written(metrics: Vec<Metric>) -> String {
    let mut text = String::new();
    for metric in metrics.into_iter().filter(|metric| !metric.samples.is_empty()) {
        let Metric { name, help, samples } = metric;
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    }
    text
}

/// How a run fared. `success`: when the job last could be done, in seconds.
fn of_job(now_ms: i64, success: Option<f64>, exit_code: ExitCode) -> Vec<Metric> {
    let none = || labels(&[]);
    vec![
        Metric {
            name: BUILD,
            help: "Version of leaktrend.",
            samples: vec![(labels(&[("version", env!("CARGO_PKG_VERSION"))]), 1.0)],
        },
        Metric { name: LAST_RUN, help: "Time of the last run.", samples: vec![(none(), now_ms as f64 / 1000.0)] },
        Metric {
            name: LAST_SUCCESS,
            help: "Time of the last complete run.",
            samples: success.map(|seconds| (none(), seconds)).into_iter().collect(),
        },
        Metric {
            name: EXIT_CODE,
            help: "Exit code of the last run: 0 nothing failed, 1 something failed, 2 incomplete, 3 inconclusive.",
            samples: vec![(none(), f64::from(exit_code as u8))],
        },
    ]
}

/// What a night came to.
fn of_night(nightly: &Nightly) -> Vec<Metric> {
    let mut metrics = vec![
        Metric {
            name: OUTCOME,
            help: "1 for the outcome of the night, 0 for the others.",
            samples: states(&[], nightly.outcome),
        },
        Metric {
            name: "leaktrend_window_coverage_ratio",
            help: "Share of the last day, week or month that readings cover.",
            samples: nightly
                .windows
                .iter()
                .map(|window| (labels(&[("window", window.span.name())]), window.coverage))
                .collect(),
        },
    ];
    metrics.extend(of_logs(nightly));
    metrics.extend(of_series(nightly));
    metrics
}

/// Logs of readings: those of causes have no readings, and one file may be given several times.
fn of_logs(nightly: &Nightly) -> Vec<Metric> {
    let inputs = nightly.deciding().report.inputs.iter().zip(&nightly.log_ends);
    let each = |value: &dyn Fn(&Input, Option<i64>) -> Option<f64>| -> Vec<(String, f64)> {
        let samples = inputs.clone().map(|(input, end_ms)| (labels(&[("log", &input.path)]), value(input, *end_ms)));
        samples.filter_map(|(labels, value)| Some((labels, value?))).collect()
    };
    vec![
        Metric {
            name: "leaktrend_input_last_sample_timestamp_seconds",
            help: "Time of the newest reading of a log.",
            samples: each(&|_, end_ms| Some(end_ms? as f64 / 1000.0)),
        },
        Metric {
            name: "leaktrend_input_stale",
            help: "1 if a log has stopped, 0 if it continues.",
            samples: each(&|input, end_ms| {
                end_ms?;
                Some(f64::from(u8::from(nightly.stopped.iter().any(|stopped| stopped.path == input.path))))
            }),
        },
        Metric {
            name: "leaktrend_input_usable",
            help: "Whether a log could be read.",
            samples: each(&|input, _| Some(f64::from(u8::from(input.unusable.is_none())))),
        },
        Metric {
            name: "leaktrend_input_rejected_lines",
            help: "New lines of a log that could not be read.",
            samples: each(&|input, _| Some(input.rejected_count as f64)),
        },
    ]
}

fn of_series(nightly: &Nightly) -> Vec<Metric> {
    let series: Vec<&SeriesReport> = nightly.series().into_iter().map(|(_, series)| series).collect();
    let who = |series: &SeriesReport| {
        [("series", series.id().to_owned()), ("container", series.samples.info.container().to_owned())]
    };
    let each = |name, help, value: &dyn Fn(&SeriesReport) -> Option<f64>| Metric {
        name,
        help,
        samples: series.iter().filter_map(|series| Some((labels(&borrowed(&who(series))), value(series)?))).collect(),
    };
    let growth = |part: fn(&crate::verdict::Growth) -> f64| {
        move |series: &SeriesReport| series.judgement.growth.as_ref().map(part).filter(|rate| rate.is_finite())
    };
    vec![
        Metric {
            name: "leaktrend_series_outcome",
            help: "1 for the outcome of a series, 0 for the others.",
            samples: series.iter().flat_map(|series| states(&borrowed(&who(series)), series.outcome)).collect(),
        },
        Metric {
            name: "leaktrend_series_verdict",
            help: "1 for the verdict of a series, 0 for the others.",
            samples: series.iter().flat_map(|series| verdicts(&borrowed(&who(series)), series.verdict())).collect(),
        },
        each("leaktrend_memory_bytes", "Memory of a series at its newest reading.", &|series| {
            series.samples.used_bytes().last().copied()
        }),
        each("leaktrend_memory_limit_bytes", "Memory limit of a series, if one is known.", &|series| {
            series.limit.and_then(KnownLimit::own)
        }),
        each(
            "leaktrend_growth_bytes_per_second",
            "Growth of a series, if it was estimated.",
            &growth(|growth| growth.bytes_per_second),
        ),
        each(
            "leaktrend_growth_lower_bytes_per_second",
            "Lower end of the interval of the growth.",
            &growth(|growth| growth.lower),
        ),
        each(
            "leaktrend_growth_upper_bytes_per_second",
            "Upper end of the interval of the growth.",
            &growth(|growth| growth.upper),
        ),
        each(
            "leaktrend_time_to_limit_seconds",
            "Time from the newest reading until a growing series reaches its limit.",
            &|series| series.time_to_limit.map(|time| time.seconds).filter(|seconds| seconds.is_finite()),
        ),
        each("leaktrend_last_sample_timestamp_seconds", "Time of the newest reading of a series.", &|series| {
            Some(series.samples.end_ms() as f64 / 1000.0)
        }),
    ]
}

fn borrowed<'a>(labels: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    labels.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// One sample for each outcome.
fn states(of: &[(&str, &str)], outcome: Outcome) -> Vec<(String, f64)> {
    let sample =
        |state: Outcome| (labels(&[of, &[("state", state.name())]].concat()), f64::from(u8::from(state == outcome)));
    OUTCOMES.map(sample).to_vec()
}

/// One sample for each verdict.
fn verdicts(of: &[(&str, &str)], verdict: Verdict) -> Vec<(String, f64)> {
    let sample =
        |state: &Verdict| (labels(&[of, &[("state", state.name())]].concat()), f64::from(u8::from(*state == verdict)));
    Verdict::ALL.iter().map(sample).collect()
}

/// Labels between braces, escaped; nothing when there are none.
fn labels(labels: &[(&str, &str)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_holds_does_not_end_the_label() {
        assert_eq!(labels(&[("series", "a\"b\\c\nd")]), r#"{series="a\"b\\c\nd"}"#);
        assert_eq!(labels(&[]), "");
    }
}
