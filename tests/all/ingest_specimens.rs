//! Reads the tables that others published, in `data/specimens` of the shared folder: read right, or refused by name.
//!
//! The folder is `LEAKTREND_SHARED`, by default `../shared` beside the project; without it this test says so and
//! passes. Our own texts of the same shapes are in `ingest_forms`.

use std::path::{Path, PathBuf};

use leaktrend::account::Format;
use leaktrend::decode::{GivenColumns, Options, SamplesOption};
use leaktrend::open::Source;
use leaktrend::read::readings;
use leaktrend::resolve::Readings;
use leaktrend::units::docker_text;

/// A file that is read: the format, readings, gaps, rejected lines, and one series with its first memory.
type Read = (&'static str, Format, u64, u64, u64, &'static str);

const READ: &[Read] = &[
    ("2014-man-KiB-space.txt", Format::DockerStats, 2, 0, 0, "redis2=2.746MiB"),
    ("2015-kube-vagrant.txt", Format::DockerStats, 2, 0, 0, "ae8ae4ffcfe4=812KiB"),
    ("chas42-host.csv", Format::CsvTable, 39, 0, 0, "chas42-host=973.7MiB"),
    ("docker-cli-docs-1.txt", Format::DockerStats, 4, 0, 0, "foobar=1.727MiB"),
    ("docker-cli-docs-3.txt", Format::DockerStats, 1, 0, 0, "nginx=2.352MiB"),
    ("docker-cli-docs-5.txt", Format::DockerStats, 3, 0, 0, "09d3bb5b1604=38.21MiB"),
    ("docker-cli-man-stats.md", Format::DockerStats, 8, 2, 0, "9c76f7834ae2=2.746MiB"),
    ("hash-commented.txt", Format::DockerStats, 1, 0, 0, "some-wordpress=128MiB"),
    ("issue-cri-tools-209-crictl.txt", Format::CrictlStats, 2, 0, 0, "414dcd62ff8a1=12.31MiB"),
    ("issue-dgx-dashboard-1.txt", Format::DockerStats, 2, 0, 0, "llmserv=2.441GiB"),
    ("issue-dockpeek-45-headerless.txt", Format::DockerStats, 2, 0, 0, "musicserver=2.391GiB"),
    ("issue-fishbaseapi-29.txt", Format::DockerStats, 3, 0, 0, "svclogs=301.4MiB"),
    ("issue-nbhosting-134.txt", Format::DockerStats, 2, 0, 0, "helper=4.588MiB"),
    ("issue-nerdctl-1240.txt", Format::NerdctlStats, 1, 0, 0, "bar=964KiB"),
    ("issue-podman-12400.txt", Format::PodmanStats, 1, 0, 0, "systemd-test01=1.148MiB"),
    ("issue-podman-8265.txt", Format::PodmanStats, 2, 0, 0, "home-hub=199.1MiB"),
    ("issue-rpi64-124.txt", Format::DockerStats, 0, 1, 0, "probe"),
    (
        "k8s-long-name.txt",
        Format::DockerStats,
        1,
        0,
        0,
        "k8s_sshd_sshd-5c64f7646f-l44jj_sfo-hightest_a416b450-61f9-11e9-a907-0050562f04b1_0=3.371MiB",
    ),
    ("mem-pct-before-usage.txt", Format::DockerStats, 4, 0, 0, "grafana=25.84MiB"),
    ("near-limit.txt", Format::DockerStats, 1, 0, 0, "test-mongo=1.782GiB"),
    ("podman-aap.txt", Format::PodmanStats, 4, 0, 0, "receptor=10.06MiB"),
    ("podman-placeholder-id.txt", Format::PodmanStats, 3, 0, 0, "mongodb=1.292GiB"),
    ("podman-stats.1.txt", Format::PodmanStats, 5, 1, 0, "frosty_hodgkin=2.949MiB"),
    ("rocketpool-mixed-units.txt", Format::DockerStats, 5, 0, 0, "rocketpool_validator=936KiB"),
    ("session-interrupt.txt", Format::DockerStats, 0, 1, 0, "nginx-lab"),
    ("stopped-to-dashes.txt", Format::DockerStats, 2, 2, 0, "my-chat-server=64.2MiB"),
    ("stream-dup-frames.txt", Format::DockerStats, 8, 0, 0, "daemon_dave=576KiB"),
    ("sylhare-data.csv", Format::CsvTable, 20, 0, 0, "determined_mestorf=7.465MiB"),
    ("trendscenter-readme.txt", Format::DockerStats, 4, 0, 0, "objective_banach=2.014GiB"),
    ("promtool-dump-openmetrics-test.prom", Format::Prometheus, 10, 0, 0, "my_gauge{abc=\"baz\", bar=\"foo\"}=9B"),
    ("promtool-dump-test-1.prom", Format::Prometheus, 15, 0, 0, "heavy_metric{foo=\"bar\"}=5B"),
    (
        "windows-servicefabric.txt",
        Format::DockerStats,
        1,
        0,
        0,
        "sf-38-e6837395-6951-4559-acbc-98146d9b3480_52adab36-a1c0-4ea6-95b4-67e51498fb4e=53.25MiB",
    ),
    ("issue-nodejs-help-4497.txt", Format::NodeMemory, 5, 0, 0, "issue-nodejs-help-4497/rss=163.2MiB"),
];

/// JSON, whose readings do not stand on lines: readings, series, and the first of them with its first memory.
const JSON: &[(&str, u64, u64, &str)] = &[
    ("prom-stats-block.json", 6, 2, "metric{__job__=\"a\"}=1B"),
    ("vm-export.jsonl", 11, 7, "up{instance=\"localhost:9100\", job=\"node_exporter\"}=0B"),
];

/// A file that is no readings, and how the refusal begins.
const REFUSED: &[(&str, &str)] = &[
    ("events-2019-baddog.txt", "it is output of `docker events`"),
    ("events-wrapped-labels.txt", "it is output of `docker events`"),
    ("issue-for-linux-670-oom-events.txt", "it is output of `docker events`"),
    ("issue-moby-18470-events.jsonl", "it is output of `docker events`"),
    ("gclog-ps-head.log", "it is a garbage collection log of a Java virtual machine"),
    ("pidstat-cn.txt", "it is output of `pidstat -r`"),
    // Broken by the page that it was taken from.
    ("prom-docs-matrix-1.json", "it is not valid JSON"),
    ("prom-docs-matrix-2.json", "it is not valid JSON"),
    ("prom-error.json", "Prometheus answered with an error"),
    ("vm-apptest-prometheus-expected_response.json", "`vm_log_messages_total` is a counter, not an amount of memory"),
];

fn specimens() -> Option<PathBuf> {
    let shared = std::env::var_os("LEAKTREND_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let specimens = shared.join("data/specimens");
    if specimens.is_dir() {
        Some(specimens)
    } else {
        println!("skipped: no folder `{}` (set LEAKTREND_SHARED)", specimens.display());
        None
    }
}

/// Exports of other things than memory are read as if they counted bytes.
fn read_file(path: PathBuf) -> Readings {
    let is_export =
        ["prom", "json", "jsonl"].iter().any(|end| path.extension().is_some_and(|extension| extension == *end));
    let unit = is_export.then_some(1.0);
    let options = Options {
        format: None,
        interval: None,
        end_ms: None,
        samples: SamplesOption::Auto,
        unit,
        columns: GivenColumns::default(),
    };
    readings(&[Source::File(path)], &options)
}

#[test]
fn published_tables_are_read() {
    let Some(folder) = specimens() else { return };
    for &(file, format, samples, gaps, rejected, example) in READ {
        let readings = read_file(folder.join(file));
        let input = &readings.inputs[0];
        assert_eq!(input.unusable, None, "{file}");
        let found = (input.format, input.samples, input.gaps, input.rejected_count);
        assert_eq!(found, (Some(format), samples, gaps, rejected), "{file}: {:?}", input.rejected);
        let n_lines = std::fs::read_to_string(folder.join(file)).unwrap().lines().count() as u64;
        assert_eq!(input.samples + input.gaps + input.other_lines + input.rejected_count, n_lines, "{file}");
        let (id, memory) = example.rsplit_once('=').unwrap_or((example, ""));
        let series = readings.series.iter().find(|series| series.info.id == id);
        let series = series.unwrap_or_else(|| panic!("{file}: there is no series `{id}`"));
        let first = series.samples.used_bytes.first().map_or(String::new(), |bytes| docker_text(*bytes));
        assert_eq!(first, memory, "{file}");
    }
}

#[test]
fn published_exports_are_read() {
    let Some(folder) = specimens() else { return };
    for &(file, samples, n_series, example) in JSON {
        let readings = read_file(folder.join(file));
        let input = &readings.inputs[0];
        assert_eq!(input.unusable, None, "{file}");
        let first = &readings.series[0];
        let first = format!("{}={}", first.info.id, docker_text(first.samples.used_bytes[0]));
        let found = (input.format, input.samples, input.series, input.rejected_count, first.as_str());
        assert_eq!(found, (Some(Format::Prometheus), samples, n_series, 0, example), "{file}");
    }
}

/// Every file is in one of the tables.
#[test]
fn no_published_file_is_left_out() {
    let Some(folder) = specimens() else { return };
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_known = READ.iter().any(|row| row.0 == name)
            || JSON.iter().any(|row| row.0 == name)
            || REFUSED.iter().any(|row| row.0 == name)
            || name == "index.csv";
        assert!(is_known, "{name}");
    }
}

#[test]
fn published_files_of_another_kind_are_refused_by_name() {
    let Some(folder) = specimens() else { return };
    for (file, beginning) in REFUSED {
        let why = read_file(folder.join(file)).inputs[0].unusable.clone();
        let why = why.unwrap_or_else(|| panic!("{file} was read")).to_string();
        assert!(why.starts_with(beginning) && why.contains("(expected"), "{file}: {why}");
    }
}
