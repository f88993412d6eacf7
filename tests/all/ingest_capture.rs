//! Reads every form of the real capture in `data/capture` of the shared folder.
//!
//! The folder is `LEAKTREND_SHARED`, by default `../shared` beside the project; without it these tests say so and pass.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use leaktrend::account::{EndFrom, Format, TimeSource, Timeline};
use leaktrend::decode::{GivenColumns, Options, SamplesOption, SeriesSamples};
use leaktrend::open::Source;
use leaktrend::read::readings;
use leaktrend::resolve::Readings;
use leaktrend::series::{Marks, Metric, Samples, Sampling};
use leaktrend::units::{MIB, Seconds};

const SERVICES: [&str; 8] =
    ["report-step", "soak-leak", "soak-ok", "job-oom", "upload-spike", "cache-warm", "web-flat", "api-leak"];

fn capture() -> Option<PathBuf> {
    let shared = std::env::var_os("LEAKTREND_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let capture = shared.join("data/capture");
    if capture.is_dir() {
        Some(capture)
    } else {
        println!("skipped: no folder `{}` (set LEAKTREND_SHARED)", capture.display());
        None
    }
}

fn options() -> Options {
    Options {
        format: None,
        interval: None,
        end_ms: None,
        samples: SamplesOption::Auto,
        unit: None,
        columns: GivenColumns::default(),
    }
}

fn read_file(file: &str, options: &Options) -> Option<Readings> {
    let readings = readings(&[Source::File(capture()?.join(file))], options);
    let input = &readings.inputs[0];
    assert_eq!(input.unusable, None, "{file}");
    assert_eq!(input.rejected, [], "{file}");
    assert!(!input.incomplete, "{file}");
    assert_eq!(input.samples, readings.series.iter().map(|series| series.samples.len() as u64).sum::<u64>(), "{file}");
    assert_eq!(readings.timeline, Timeline::Absolute);
    Some(readings)
}

fn ids(readings: &Readings) -> Vec<&str> {
    readings.series.iter().map(|series| series.info.id.as_str()).collect()
}

fn docker_names() -> Vec<String> {
    SERVICES.iter().map(|service| format!("vedfinance-{service}")).collect()
}

fn n_lines(file: &str) -> u64 {
    let text = std::fs::read(capture().unwrap().join(file)).unwrap();
    memchr::memchr_iter(b'\n', &text).count() as u64
}

fn marked(series: &SeriesSamples, marks: Marks) -> Vec<usize> {
    let found = series.samples.marks.iter().enumerate();
    found.filter(|(_, bits)| Marks::from_bits(**bits).contains(marks)).map(|(index, _)| index).collect()
}

/// The same values; the forms took the time themselves and may be a second apart.
#[track_caller]
fn check_alike(series: &SeriesSamples, expected: &Samples, what: &str) {
    assert!(series.samples.used_bytes == expected.used_bytes, "{what}");
    let mut apart = series.samples.time_ms.iter().zip(&expected.time_ms).map(|(a, b)| (a - b).abs());
    assert!(apart.all(|ms| ms <= 1000), "{what}");
}

#[test]
fn the_log_of_the_cron_line_is_448_ticks_of_8_containers() {
    let interval = Some(Seconds::whole(10));
    let end_ms = Some(1_795_468_887_000);
    let Some(readings) = read_file("memory-usage.log", &Options { interval, end_ms, ..options() }) else { return };
    assert_eq!(ids(&readings), docker_names());
    let input = &readings.inputs[0];
    assert_eq!(input.format, Some(Format::DockerStats));
    assert_eq!((input.time_source, input.end_from), (TimeSource::Inferred, Some(EndFrom::Option)));
    assert_eq!(input.samples + input.gaps + input.other_lines, n_lines("memory-usage.log"));
    for series in &readings.series {
        let times = &series.samples.time_ms;
        assert_eq!(times[0], 1_795_468_887_000 - 447 * 10_000, "{}", series.info.id);
        assert_eq!(*times.last().unwrap(), 1_795_468_887_000);
        assert_eq!(series.samples.resolution_bytes.get(0), (0.01 * MIB) as f32);
        let limit_mib = match series.info.id.as_str() {
            "vedfinance-job-oom" => 320.0,
            "vedfinance-api-leak" => 2048.0,
            _ => 1024.0,
        };
        assert_eq!(series.info.limit.unwrap().bytes, limit_mib * MIB);
    }
}

/// The marks stand where the memory of the restarted containers falls, and nowhere else.
#[test]
fn restarts_are_marked_where_a_counter_fell() {
    for file in ["memory-usage.log", "stamped-lines.log", "stamped-blocks.log", "stats.jsonl"] {
        let Some(readings) = read_file(file, &options()) else { return };
        for series in &readings.series {
            let resets = marked(series, Marks::COUNTER_RESET);
            let used = &series.samples.used_bytes;
            let n_expected = match series.info.id.as_str() {
                "vedfinance-job-oom" => 9,
                "vedfinance-api-leak" => 1,
                _ => 0,
            };
            assert_eq!(resets.len(), n_expected, "{file}: {}: {resets:?}", series.info.id);
            for reset in resets {
                assert!(used[reset] < 0.5 * used[reset - 1].max(used[reset.saturating_sub(2)]), "{file}: {reset}");
            }
            assert_eq!(marked(series, Marks::RECREATED), [0; 0]);
        }
    }
}

#[test]
fn stamped_forms_have_their_own_times() {
    let Some(trend) = read_file("trend-api-leak.csv", &options()) else { return };
    let expected = &trend.series[0].samples;
    for file in ["stamped-lines.log", "stamped-blocks.log"] {
        let readings = read_file(file, &options()).unwrap();
        assert_eq!(ids(&readings), docker_names());
        let input = &readings.inputs[0];
        assert_eq!((input.time_source, input.end_from, &input.warnings), (TimeSource::Embedded, None, &Vec::new()));
        assert_eq!(input.samples + input.gaps + input.other_lines, n_lines(file));
        check_alike(&readings.series[7], expected, file);
    }
}

#[test]
fn json_lines_are_read_as_the_table_is() {
    let Some(readings) = read_file("stats.jsonl", &options()) else { return };
    assert_eq!(ids(&readings), docker_names());
    assert!(readings.series.iter().all(|series| series.samples.len() == 447));
    assert_eq!(readings.inputs[0].end_from, Some(EndFrom::Mtime));
}

/// Both streams show the same frames; docker 28 printed each of them twice.
#[test]
fn streams_advance_half_a_second_a_frame() {
    let mut spans = BTreeMap::new();
    for file in ["stream-20.10.log", "stream-28.2.log"] {
        let Some(readings) = read_file(file, &options()) else { return };
        assert_eq!(ids(&readings), docker_names(), "{file}");
        let input = &readings.inputs[0];
        assert_eq!(input.samples + input.gaps + input.other_lines, n_lines(file), "{file}");
        assert!(
            input.warnings[0].to_string().starts_with("assuming one reading every 0.5 s"),
            "{file}: {:?}",
            input.warnings
        );
        for series in &readings.series {
            let steps: Vec<i64> = series.samples.time_ms.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(steps.iter().all(|step| *step == 500 || *step == 1000), "{file}: {steps:?}");
        }
        let times = &readings.series[0].samples.time_ms;
        spans.insert(file, (times[times.len() - 1] - times[0]) / 1000);
    }
    assert!(spans.values().all(|seconds| (100..=135).contains(seconds)), "{spans:?}");
}

#[test]
fn trend_lines_of_all_services_are_told_apart_by_position() {
    let Some(readings) = read_file("memory-trend.csv", &options()) else { return };
    let expected: Vec<String> = (1..=8).map(|position| format!("memory-trend#{position}")).collect();
    assert_eq!(ids(&readings), expected);
    for (service, series) in SERVICES.iter().zip(&readings.series) {
        let one = read_file(&format!("trend-{service}.csv"), &options()).unwrap();
        assert_eq!(ids(&one), [format!("trend-{service}")]);
        check_alike(&one.series[0], &series.samples, service);
        assert_eq!(one.inputs[0].warnings, []);
        assert_eq!(one.series[0].samples.len(), 448);
    }
}

#[test]
fn prometheus_answers_are_read_and_their_sampling_is_recognised() {
    for (file, metric, sampling) in [
        ("prometheus-raw.json", Metric::UsageBytes, Sampling::Raw),
        ("prometheus-working-set-raw.json", Metric::WorkingSet, Sampling::Raw),
        ("prometheus-range-15s.json", Metric::UsageBytes, Sampling::Step { inferred: true }),
        ("prometheus-range-60s.json", Metric::UsageBytes, Sampling::Step { inferred: true }),
    ] {
        let Some(readings) = read_file(file, &options()) else { return };
        let mut names = ids(&readings);
        names.sort_unstable();
        let mut expected = SERVICES.to_vec();
        expected.sort_unstable();
        assert_eq!(names, expected, "{file}");
        for series in &readings.series {
            assert_eq!((series.info.metric, series.info.sampling), (metric, sampling), "{file}");
            assert_eq!(series.info.container(), series.info.id);
            assert!(!series.samples.is_empty());
        }
        assert_eq!(readings.inputs[0].warnings, [], "{file}");
    }
    let raw = read_file("prometheus-raw.json", &options()).unwrap();
    assert_eq!(raw.series[0].samples.time_ms[0], 1_795_464_404_791);
}

#[test]
fn all_forms_together_keep_unique_ids() {
    let Some(capture) = capture() else { return };
    let mut sources: Vec<Source> =
        std::fs::read_dir(&capture).unwrap().map(|entry| Source::File(entry.unwrap().path())).collect();
    sources.sort_by_key(|source| format!("{source:?}"));
    let readings = readings(&sources, &options());
    let mut unique = ids(&readings);
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), readings.series.len());
    let unusable: Vec<&str> = readings
        .inputs
        .iter()
        .filter(|input| input.unusable.is_some())
        .map(|input| input.path.rsplit('/').next().unwrap())
        .collect();
    // The alerts are ones and no memory.
    assert_eq!(unusable, ["ALERTS-raw.json", "events.jsonl", "events.log", "labels.csv", "rules.yml"]);
}
