//! Reads what Prometheus exports: a matrix (the answer of `query_range`, of an instant query of a range, or the bare
//! array), the export lines of `VictoriaMetrics`, and the dumps of `promtool`.
//!
//! Streams: a run of points at a time, whatever the size. What stands before a cut is kept.

mod answer;
mod dump;
mod identity;
mod lenient;
mod matrix;
mod names;
mod runs;
mod sampling;

use std::collections::HashMap;
use std::rc::Rc;

use super::{Options, Parsed, SamplesOption, SeriesSamples};
use crate::account::{
    ExpectedAmount, ExpectedTime, ExportRejection, ExportWarning, Input, MAX_WHY_CHARS, Rejection, ResponseFault,
    cleaned,
};
use crate::open::MAX_LINE;
use crate::open::Opened;
use crate::series::{Marks, Metric, Samples, Sampling, SeriesInfo};

use answer::{Answer, Kind};
pub(crate) use identity::ids;
use matrix::{File, Point, Progress};
pub(crate) use names::{Owner, Witness, is_beside, is_limit, metric, owner, witness};
use runs::{Pending, Run, Runs};
use sampling::is_one_grid;

/// Times beyond this are not of a measurement, in milliseconds either way: the year 10000.
const LARGEST_TIME_MS: f64 = 2.534e14;
/// Larger values are not bytes: up to here every whole number is exact as an `f64`.
pub(crate) const LARGEST_BYTES: f64 = 9_007_199_254_740_992.0;

pub(crate) use crate::series::Labels;

/// Reads the files of one sequence.
#[derive(Debug)]
pub(crate) struct Reader {
    samples_option: SamplesOption,
    unit: Option<f64>,
    /// What a file says that its samples are.
    reported: Option<Kind>,
    series: Vec<Exported>,
    by_labels: HashMap<Labels, usize>,
}

/// One series of the export.
#[derive(Debug)]
struct Exported {
    labels: Labels,
    samples: Samples,
    inputs: Vec<usize>,
    pending: Marks,
    /// How many of its values were below zero, and so not kept.
    n_negative: u64,
}

impl Exported {
    /// Takes values that are amounts of memory, at times that are times.
    fn take_run(&mut self, mut run: Run) {
        if let Some(first) = run.marks.first_mut() {
            *first = std::mem::take(&mut self.pending).bits();
        }
        if self.samples.is_empty() {
            self.samples = run;
        } else {
            self.samples.extend(&run);
        }
    }

    /// Takes a value at a time; otherwise says what is wrong with them.
    fn take(&mut self, seconds: f64, value: f64, input: &mut Input) -> Result<(), Rejection> {
        // What is not limited has a limit of nearly 2^63 bytes, or beyond all.
        let is_unlimited = value > LARGEST_BYTES && is_limit(&self.labels);
        let value = if is_unlimited { value.min(f64::MAX) } else { value };
        let time_ms = (seconds * 1000.0).round();
        if time_ms.is_nan() || time_ms.abs() > LARGEST_TIME_MS {
            return Err(Rejection::not_a_time(&format!("{seconds:?}"), ExpectedTime::Seconds));
        }
        if !value.is_finite() {
            self.pending = Marks::GAP_BEFORE;
            input.gaps += 1;
        } else if is_unlimited || (0.0..=LARGEST_BYTES).contains(&value) {
            self.samples.push(time_ms as i64, value, 1.0, std::mem::take(&mut self.pending));
            input.samples += 1;
        } else {
            self.n_negative += u64::from(value < 0.0);
            return Err(Rejection::not_an_amount(&value.to_string(), ExpectedAmount::Range));
        }
        Ok(())
    }
}

/// What is wrong with JSON. The parser counts columns of what it was given, not of the file.
fn without_place(error: &serde_json::Error) -> String {
    let why = error.to_string();
    cleaned(why.split(" at line ").next().unwrap_or_default(), MAX_WHY_CHARS)
}

/// Whether a text is a dump of `promtool`, by its first line that is no comment.
pub(super) fn looks_like_dump(beginning: &[u8]) -> bool {
    let text = String::from_utf8_lossy(beginning);
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(dump::looks_like_sample)
}

/// The labels of a name that is written as in PromQL; `None` for every other name.
pub(super) fn labels_of_name(name: &str) -> Option<Labels> {
    let (labels, rest) = dump::labels(name.trim())?;
    (name.contains('{') && rest.is_empty()).then_some(labels)
}

impl Reader {
    pub(super) fn new(options: &Options) -> Reader {
        Reader {
            samples_option: options.samples,
            unit: options.unit,
            reported: None,
            series: Vec::new(),
            by_labels: HashMap::new(),
        }
    }

    /// The series of these labels, made when there is none.
    fn series_of(&mut self, labels: Labels, input: usize) -> usize {
        let next = self.series.len();
        let series = *self.by_labels.entry(labels).or_insert_with_key(|labels| {
            self.series.push(Exported {
                labels: labels.clone(),
                samples: Samples::default(),
                inputs: Vec::new(),
                pending: Marks::default(),
                n_negative: 0,
            });
            next
        });
        let inputs = &mut self.series[series].inputs;
        if inputs.last() != Some(&input) {
            inputs.push(input);
        }
        series
    }

    /// Reads one file, the next of the sequence.
    pub(super) fn read(&mut self, mut opened: Opened, input: &mut Input, index: usize) {
        if opened.lines.peek().is_ok_and(looks_like_dump) {
            return self.read_dump(opened, input, index);
        }
        let is_lines =
            opened.lines.peek().is_ok_and(|beginning| beginning.trim_ascii_start().starts_with(b"{\"metric\""));
        let progress = Progress::default();
        let pending = Pending::default();
        let mut runs = Runs::new(opened.lines.into_reader(), progress.clone(), Rc::clone(&pending));
        let mut file = File {
            reader: self,
            input,
            index,
            answer: Answer::default(),
            progress: progress.clone(),
            point: Point::default(),
            pending,
        };
        let failure = loop {
            match file.read_answers(&mut runs) {
                Err(error) if is_lines && !error.is_eof() => {
                    let number = runs.skip_line();
                    file.input.reject_at(number, "", || ExportRejection::Json { error: without_place(&error) });
                }
                read => break read.err(),
            }
        };
        let answer = file.answer;
        self.reported = answer.about.as_ref().and_then(|about| about.samples).or(self.reported);
        if 0 < progress.n_cut.get() {
            input.warn(ExportWarning::TooLong { n: progress.n_cut.get(), longest: MAX_LINE });
        }
        if let Some(error) = failure {
            if answer.n_matrix_series == 0 {
                input.unusable = Some(ResponseFault::Json { error: error.to_string() }.into());
                return;
            }
            input.incomplete = true;
            let bytes = progress.bytes.get();
            input.warn(if error.is_eof() {
                ExportWarning::BreaksOff { bytes }
            } else {
                ExportWarning::Unreadable { bytes, error: without_place(&error) }
            });
        }
        answer.judge(input);
    }

    /// Gives everything that was read; series are named later, by `settle`.
    pub(super) fn finish(self) -> Parsed {
        let sampling = match self.samples_option {
            SamplesOption::Step => Sampling::Step { inferred: false },
            SamplesOption::Auto if self.reported == Some(Kind::Step) => Sampling::Step { inferred: false },
            SamplesOption::Auto if self.reported == Some(Kind::Raw) => Sampling::Raw,
            SamplesOption::Auto if is_one_grid(&self.series) => Sampling::Step { inferred: true },
            SamplesOption::Auto | SamplesOption::Raw => Sampling::Raw,
        };
        let n_negative = self.series.iter().map(|series| series.n_negative).collect();
        let unit = self.unit;
        let series = self.series.into_iter().map(|Exported { labels, mut samples, inputs, .. }| {
            if let Some(unit) = unit.filter(|_| names::needs_unit(&labels)) {
                scale(&mut samples, unit);
            }
            let metric = metric_of(&labels);
            let info = SeriesInfo { id: String::new(), labels, container_given: false, limit: None, metric, sampling };
            SeriesSamples { info, samples, inputs }
        });
        Parsed { series: series.collect(), ends: Vec::new(), n_negative, reported: Vec::new(), relative: false }
    }
}

/// Multiplies all amounts, and how finely they are known.
fn scale(samples: &mut Samples, factor: f64) {
    samples.used_bytes.iter_mut().for_each(|bytes| *bytes *= factor);
    let resolutions = std::mem::take(&mut samples.resolution_bytes);
    (0..samples.len()).for_each(|index| samples.resolution_bytes.push(resolutions.get(index) * factor as f32));
}

/// How the names of what a runtime's collector manages begin: Node.js, the JVM, Go, .NET and Python.
const HEAP_METRICS: [&str; 7] = [
    "nodejs_heap_",
    "jvm_memory_",
    "jvm_gc_live_data_size_bytes",
    "go_memstats_heap_",
    "go_memstats_alloc_bytes",
    "dotnet_gc_",
    "process_runtime_jvm_memory_",
];

pub(super) fn metric_of(labels: &Labels) -> Metric {
    match labels.get("__name__").map(String::as_str) {
        Some("container_memory_usage_bytes") => Metric::UsageBytes,
        Some("container_memory_working_set_bytes") => Metric::WorkingSet,
        Some("container_memory_rss") => Metric::Rss,
        Some(name) if HEAP_METRICS.iter().any(|prefix| name.starts_with(prefix)) => Metric::Heap,
        _ => Metric::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Format;
    use crate::read::test_support::{MTIME_MS, account, describe, read_all};

    fn read(text: &str) -> String {
        let (inputs, series) = read_all(Format::Prometheus, &[(text, MTIME_MS)]);
        let sampling = series.first().map(|series| series.info.sampling);
        format!(
            "{}{}{}",
            describe(&series),
            sampling.map_or(String::new(), |sampling| format!("{sampling:?}\n")),
            account(&inputs[0])
        )
    }

    fn answer(result: &str) -> String {
        format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":{result}}}}}")
    }

    const WEB: &str = r#"{"metric":{"__name__":"container_memory_rss","container":"web"},"values":[[1795464400,"1048576"],[1795464410,"2097152"],[1795464420,"3145728"]]}"#;

    #[test]
    fn a_matrix_is_read_in_each_of_its_wrappings() {
        insta::assert_snapshot!(read(&answer(&format!("[{WEB}]"))), @r"
        web: -20=1MiB -10=2MiB 0=3MiB
        Step { inferred: true }
        3 samples, 0 gaps, 0 other, 0 rejected
        ");
        assert_eq!(read(&format!("[{WEB}]")), read(&answer(&format!("[{WEB}]"))));
        assert_eq!(
            read(&format!("{{ \"resultType\" : \"matrix\",\n \"result\" :\n [ {WEB} ] }}\n")),
            read(&answer(&format!("[{WEB}]")))
        );
        let reversed = r#"[{"values":[[1795464400,"1048576"],[1795464410,"2097152"],[1795464420,"3145728"]],"metric":{"__name__":"container_memory_rss","container":"web"}}]"#;
        assert_eq!(read(reversed), read(&answer(&format!("[{WEB}]"))));
    }

    /// What was read from a server and kept says what its samples are, and how they were read.
    #[test]
    fn what_was_kept_says_what_it_is() {
        let kept = |about: &str| {
            let text = answer(&format!("[{WEB}]"));
            read(&format!("{},\n\"leaktrend\":{about}}}", &text[..text.len() - 1]))
        };
        insta::assert_snapshot!(kept(r#"{"samples":"raw","notes":["read from a server"]}"#), @r"
        web: -20=1MiB -10=2MiB 0=3MiB
        Raw
        3 samples, 0 gaps, 0 other, 0 rejected
        warning: read from a server
        ");
        insta::assert_snapshot!(kept(r#"{"samples":"step"}"#), @r"
        web: -20=1MiB -10=2MiB 0=3MiB
        Step { inferred: false }
        3 samples, 0 gaps, 0 other, 0 rejected
        ");
        assert_eq!(kept("[7]"), read(&answer(&format!("[{WEB}]"))));
    }

    #[test]
    fn values_that_are_none_are_gaps_and_impossible_ones_are_refused() {
        let series = r#"[{"metric":{"pod":"p"},"values":[[1795464400.791,"1048576"],[1795464401,"NaN"],[1795464402,"+Inf"],[1795464403.5,"5"],[1795464404,"-5"],[1795464405,"x"],[1e300,"5"],[1795464406],[1795464407,null]]}]"#;
        insta::assert_snapshot!(read(&answer(series)), @r#"
        p: -19.209=1MiB -16.5=5B(gap)
        Raw
        2 samples, 3 gaps, 0 other, 4 rejected
        line 1: `{pod="p"}: [1795464404.0,"-5.0"]`: `-5` is not an amount of memory (expected 0 to 2^53 bytes)
        line 1: `{pod="p"}`: this is not a point (expected `[seconds, "bytes"]`)
        line 1: `{pod="p"}: [1e300,"5.0"]`: `1e300` is not a time (expected seconds since 1970)
        line 1: `{pod="p"}`: this is not a point (expected `[seconds, "bytes"]`)
        "#);
    }

    #[test]
    fn what_is_no_matrix_says_what_to_ask_for() {
        insta::assert_snapshot!(read(r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]}]}}"#), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: its resultType is `vector`, a single point in time (expected `matrix`: ask for `metric[24h]`, or use query_range)
        ");
        insta::assert_snapshot!(read(r#"[{"metric":{},"value":[1,"2"]}]"#), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: it holds single values (expected `matrix`: ask for `metric[24h]`, or use query_range)
        ");
        insta::assert_snapshot!(read(r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}"#), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: its resultType is `scalar`, a single point in time (expected `matrix`: ask for `metric[24h]`, or use query_range)
        ");
        insta::assert_snapshot!(read(r#"{"status":"error","errorType":"bad_data","error":"parse error: unexpected end"}"#), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: Prometheus answered with an error: bad_data: parse error: unexpected end (expected a response with readings)
        ");
        insta::assert_snapshot!(read(&answer("[]")), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: the matrix is empty: the query found no series
        ");
        insta::assert_snapshot!(read(r#"{"status":"success"}"#), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: it is JSON without a `result` (expected a Prometheus response with `data.result`, or its bare array)
        ");
        insta::assert_snapshot!(read("{\"status\": oops"), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: it is not valid JSON: expected value at line 1 column 12 (expected a Prometheus response)
        ");
        insta::assert_snapshot!(read(&answer(r#"[{"metric":{"pod":"p"},"histograms":[[1,{"count":"1"}]]}]"#)), @r"
        0 samples, 0 gaps, 0 other, 0 rejected
        unusable: it holds only native histograms (expected `values`: amounts of memory)
        ");
    }

    #[test]
    fn partial_answers_are_incomplete() {
        let with = |more: &str| {
            format!(
                "{{\"status\":\"success\",{more},\"infos\":[\"x\"],\"data\":{{\"resultType\":\"matrix\",\"result\":[{WEB}],\"stats\":{{\"a\":[1]}}}}}}"
            )
        };
        insta::assert_snapshot!(read(&with("\"warnings\":[\"store down\"]")), @r"
        web: -20=1MiB -10=2MiB 0=3MiB
        Step { inferred: true }
        3 samples, 0 gaps, 0 other, 0 rejected, incomplete
        warning: the server warns: store down
        ");
        insta::assert_snapshot!(read(&with("\"isPartial\":true")), @r"
        web: -20=1MiB -10=2MiB 0=3MiB
        Step { inferred: true }
        3 samples, 0 gaps, 0 other, 0 rejected, incomplete
        warning: the response says that it is partial (`isPartial`)
        ");
        let whole = answer(&format!("[{WEB},{}]", WEB.replace("web", "db")));
        insta::assert_snapshot!(read(&whole[..whole.len() - 50]), @r"
        web: -20=1MiB -10=2MiB 0=3MiB
        db: -20=1MiB
        Step { inferred: true }
        4 samples, 0 gaps, 0 other, 0 rejected, incomplete
        warning: the JSON breaks off after 301 bytes: the series before that are used
        ");
    }

    /// Every line of an export stands for itself.
    #[test]
    fn a_damaged_line_of_an_export_is_rejected_and_the_others_are_read() {
        let line = |name: &str| {
            format!(
                "{{\"metric\":{{\"container\":\"{name}\"}},\"values\":[1048576,null],\"timestamps\":[1795464400000,1795464410000]}}\n"
            )
        };
        let torn = |name: &str| format!("{}\n", &line(name)[..40]);
        insta::assert_snapshot!(read(&[line("a"), torn("b"), line("c"), "oops\n".to_owned(), line("d")].concat()), @r"
        a: -20=1MiB
        c: -20=1MiB
        d: -20=1MiB
        Raw
        3 samples, 3 gaps, 0 other, 2 rejected
        line 2: ``: expected `,` or `]`
        line 4: ``: expected value
        ");
        insta::assert_snapshot!(read(&[torn("a"), line("b"), line("c").trim_end().to_owned() + &line("d")].concat()), @r"
        b: -20=1MiB
        c: -20=1MiB
        d: -20=1MiB
        Raw
        3 samples, 3 gaps, 0 other, 1 rejected
        line 1: ``: expected `,` or `]`
        ");
        let in_text = format!("{}\n", &line("b")[..24]);
        insta::assert_snapshot!(read(&[line("a"), in_text, line("c")].concat()), @r"
        a: -20=1MiB
        c: -20=1MiB
        Raw
        2 samples, 2 gaps, 0 other, 1 rejected
        line 2: ``: control character (\u0000-\u001F) found while parsing a string
        ");
        insta::assert_snapshot!(read(&[line("a"), line("b")[..40].to_owned()].concat()), @r"
        a: -20=1MiB
        Raw
        1 samples, 1 gaps, 0 other, 0 rejected, incomplete
        warning: the JSON breaks off after 136 bytes: the series before that are used
        ");
    }

    /// A write that was cut, and the next line behind it: wherever it was cut, what is whole is kept.
    #[test]
    fn a_whole_line_behind_a_cut_one_is_kept() {
        let line = |name: &str| {
            format!(
                "{{\"metric\":{{\"__name__\":\"m\",\"container\":\"{name}\"}},\"values\":[1048576,2097152],\"timestamps\":[1795464400000,1795464410000]}}\n"
            )
        };
        let first = line("b");
        let within_text = first.find("container").unwrap() + 4;
        let within_numbers = first.find("2097152").unwrap() + 3;
        let behind_comma = first.find("\"values\"").unwrap();
        for cut in [within_text, within_numbers, behind_comma, first.len() - 3] {
            let text = [&line("a"), &first[..cut], &line("c"), &line("d")].concat();
            let (inputs, series) = read_all(Format::Prometheus, &[(&text, MTIME_MS)]);
            assert_eq!(
                describe(&series),
                "a: -20=1MiB -10=2MiB\nc: -20=1MiB -10=2MiB\nd: -20=1MiB -10=2MiB\n",
                "{cut}"
            );
            assert_eq!((inputs[0].samples, inputs[0].rejected_count, inputs[0].rejected[0].line), (6, 1, 2), "{cut}");
        }
        for cut in 1..first.len() - 2 {
            let text = [&line("a"), &first[..cut], &line("c"), &line("d"), &line("e")].concat();
            let (_, series) = read_all(Format::Prometheus, &[(&text, MTIME_MS)]);
            let read = describe(&series);
            assert!(["a: ", "d: ", "e: "].iter().all(|name| read.contains(name)), "{cut}: {read}");
        }
    }

    /// The last bytes of a file are kept for the beginning of a point: what cannot be read may be the first of them.
    #[test]
    fn a_number_that_cannot_be_read_right_before_the_end_costs_its_line() {
        let whole =
            r#"{"metric":{"container":"a"},"values":[1048576,2097152],"timestamps":[1795464400000,1795464410000]}"#;
        for length in 0..80 {
            let odd = format!("{{\"metric\":{{\"container\":\"b\"}},\"values\":[01{}\n", "5".repeat(length));
            let (inputs, series) = read_all(Format::Prometheus, &[(&format!("{whole}\n{odd}"), MTIME_MS)]);
            assert_eq!(describe(&series), "a: -20=1MiB -10=2MiB\n", "{length}");
            assert_eq!((inputs[0].rejected_count, inputs[0].rejected[0].line), (1, 2), "{length}");
        }
    }

    #[test]
    fn a_limit_of_another_machine_is_not_taken_and_one_without_bounds_is_none() {
        let series = |name: &str, instance: &str, value: &str| {
            format!(
                "{{\"metric\":{{\"__name__\":\"{name}\",\"name\":\"web\",\"instance\":\"{instance}\"}},\"values\":[[1795464400,\"{value}\"],[1795464410,\"{value}\"]]}}"
            )
        };
        let [memory, limit] = ["container_memory_rss", "container_spec_memory_limit_bytes"];
        let all = [
            series(memory, "a", "1048576"),
            series(memory, "b", "1048576"),
            series(memory, "c", "1048576"),
            series(limit, "b", "268435456"),
            series(limit, "a", "536870912"),
            series(limit, "c", "9223372036854771712"),
        ];
        let (inputs, series) = read_all(Format::Prometheus, &[(&format!("[{}]", all.join(",")), MTIME_MS)]);
        let limits: Vec<Option<f64>> = series.iter().map(|series| series.info.limit.map(|limit| limit.bytes)).collect();
        assert_eq!(limits, [Some(536_870_912.0), Some(268_435_456.0), None]);
        assert_eq!(account(&inputs[0]), "6 samples, 0 gaps, 6 other, 0 rejected\n");
    }

    #[track_caller]
    fn check_ids(series: &[&[(&str, &str)]], expected: &[&str]) {
        let labels: Vec<Labels> = series
            .iter()
            .map(|labels| labels.iter().map(|(key, label)| ((*key).to_owned(), (*label).to_owned())).collect())
            .collect();
        assert_eq!(ids(&labels.iter().collect::<Vec<_>>()), expected);
    }

    #[test]
    fn ids_are_short_where_that_is_unique() {
        check_ids(&[&[("container", "web"), ("name", "x-web"), ("pod", "a")]], &["web"]);
        check_ids(&[&[("name", "x-web")], &[("container", ""), ("pod", "p")]], &["x-web", "p"]);
        check_ids(
            &[&[("container", "web"), ("pod", "a"), ("job", "j")], &[("container", "web"), ("pod", "b"), ("job", "j")]],
            &["web{pod=\"a\"}", "web{pod=\"b\"}"],
        );
        check_ids(
            &[&[("__name__", "rss"), ("container", "web")], &[("__name__", "usage"), ("container", "web")]],
            &["web rss", "web usage"],
        );
        check_ids(
            &[&[("__name__", "up"), ("job", "a")], &[("__name__", "up"), ("job", "b")]],
            &["up{job=\"a\"}", "up{job=\"b\"}"],
        );
    }

    #[test]
    fn only_an_exact_grid_of_whole_seconds_is_a_range_query() {
        let exported = |times: &[&[i64]]| -> Vec<Exported> {
            times
                .iter()
                .map(|times| {
                    let mut samples = Samples::default();
                    for time_ms in *times {
                        samples.push(*time_ms, 1.0, 1.0, Marks::default());
                    }
                    Exported {
                        labels: Labels::new(),
                        samples,
                        inputs: vec![0],
                        pending: Marks::default(),
                        n_negative: 0,
                    }
                })
                .collect()
        };
        assert!(is_one_grid(&exported(&[&[0, 15_000, 30_000, 75_000]])));
        assert!(is_one_grid(&exported(&[&[0, 15_000], &[45_000]])));
        assert!(!is_one_grid(&exported(&[&[0, 15_000, 30_004]])));
        assert!(!is_one_grid(&exported(&[&[0, 15_000], &[20_000, 35_000]])));
        assert!(!is_one_grid(&exported(&[&[0, 15_000]])));
        assert!(!is_one_grid(&exported(&[&[0, 500, 1000]])));
        assert!(!is_one_grid(&exported(&[])));
    }
}
