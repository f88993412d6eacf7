//! What cannot be bytes is refused in every format, with what was found and what to write.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    command.current_dir(folder).env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    command.arg("analyze").args(args).output().unwrap()
}

/// An answer with these series: labels, and a value for each of 120 minutes.
fn answer(series: &[(Value, &dyn Fn(f64) -> f64)]) -> String {
    let result: Vec<Value> = series
        .iter()
        .map(|(labels, value)| {
            let point = |minute: i32| json!([1_795_464_000 + 60 * minute, value(f64::from(minute)).to_string()]);
            json!({"metric": labels, "values": (0..120).map(point).collect::<Vec<_>>()})
        })
        .collect();
    json!({"status": "success", "data": {"resultType": "matrix", "result": result}}).to_string()
}

/// Lines of an epoch and a value for each of 120 minutes.
fn rows(value: &dyn Fn(f64) -> f64) -> String {
    (0..120).fold(String::new(), |text, minute| {
        format!("{text}{},{}\n", 1_795_464_000 + 60 * minute, value(f64::from(minute)))
    })
}

/// The exit code, the series with their last value, and what is said on standard error and in notes.
fn judged(name: &str, content: &str, args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    let output = run(folder.path(), &[&[name, "--json", "verdict.json"], args].concat());
    let verdict: Value = serde_json::from_slice(&fs::read(folder.path().join("verdict.json")).unwrap()).unwrap();
    let mut found = format!("exit {}\n", output.status.code().unwrap());
    for series in verdict["series"].as_array().unwrap() {
        let last = series["memory"]["last"].as_f64().unwrap() / 1_048_576.0;
        found.push_str(&format!("{}: {last:.1} MiB\n", series["id"].as_str().unwrap()));
    }
    found.push_str(&String::from_utf8(output.stderr).unwrap());
    let text = String::from_utf8(output.stdout).unwrap();
    let notes = text.lines().filter(|line| line.starts_with("note: `") && !line.contains("fixed step"));
    notes.for_each(|line| found.push_str(&format!("{line}\n")));
    found
}

fn web() -> Value {
    json!({"container": "web", "pod": "web-1", "namespace": "shop"})
}

fn named(metric: &str, container: &str) -> Value {
    json!({"__name__": metric, "container": container, "pod": "web-1", "namespace": "shop"})
}

/// `container_memory_working_set_bytes / 1024 / 1024`, also of a service that leaks to its end: judged as bytes it was
/// level, and passed.
#[test]
fn an_answer_in_mib_is_refused_until_its_unit_is_said() {
    let mib = answer(&[(web(), &|minute| 500.0 + minute)]);
    insta::assert_snapshot!(judged("mib.json", &mib, &[]), @r#"
    exit 2
    error: cannot use `mib.json`: the values of the answer (its series have no metric name) are 500 to 619, less than 1 MiB, so they are not bytes of a container (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`; if they are MiB, pass `--unit MiB`; KiB, GiB, kB, MB and GB work too)
    note: `mib.json`: ignored 120 lines that could not be read.
    "#);
    insta::assert_snapshot!(judged("mib.json", &mib, &["--unit", "MiB"]), @r"
    exit 1
    shop/web-1/web: 619.0 MiB
    ");
    let csv = rows(&|minute| 500.0 + minute);
    insta::assert_snapshot!(judged("mib.csv", &csv, &[]), @r#"
    exit 2
    error: cannot use `mib.csv`: its numbers without a unit are 500 to 619, less than 1 MiB, so they are not bytes of a container (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`; if they are MiB, pass `--unit MiB`; KiB, GiB, kB, MB and GB work too)
    note: `mib.csv`: ignored 120 lines that could not be read.
    "#);
    insta::assert_snapshot!(judged("mib.csv", &csv, &["--unit", "MiB"]), @r"
    exit 1
    mib: 619.0 MiB
    ");
    let table = format!("time,web,api\n{}", csv.replace('\n', ",17\n"));
    insta::assert_snapshot!(judged("table.csv", &table, &[]), @r#"
    exit 2
    error: cannot use `table.csv`: its numbers without a unit are 17 to 619, less than 1 MiB, so they are not bytes of a container (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`; if they are MiB, pass `--unit MiB`; KiB, GiB, kB, MB and GB work too)
    note: `table.csv`: ignored 240 lines that could not be read.
    "#);
    insta::assert_snapshot!(judged("table.csv", &table, &["--unit", "MB"]), @r"
    exit 1
    web: 590.3 MiB
    api: 16.2 MiB
    ");
}

#[test]
fn shares_rates_and_differences_are_refused() {
    insta::assert_snapshot!(judged("share.json", &answer(&[(web(), &|minute| 0.5 + minute / 1000.0)]), &[]), @r#"
    exit 2
    error: cannot use `share.json`: the values of the answer (its series have no metric name) are 0.5 to 0.619, so they are a share or a count, not bytes (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`)
    note: `share.json`: ignored 120 lines that could not be read.
    "#);
    insta::assert_snapshot!(judged("rate.json", &answer(&[(web(), &|minute| 20_000.0 + minute)]), &[]), @r#"
    exit 2
    error: cannot use `rate.json`: the values of the answer (its series have no metric name) are 20000 to 20119, less than 1 MiB, so they are not bytes of a container (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`; if they are MiB, pass `--unit MiB`; KiB, GiB, kB, MB and GB work too)
    note: `rate.json`: ignored 120 lines that could not be read.
    "#);
    let difference = answer(&[(web(), &|minute| 5e7 * (minute / 5.0).sin())]);
    insta::assert_snapshot!(judged("difference.json", &difference, &[]), @r#"
    exit 2
    error: cannot use `difference.json`: the values of the answer (its series have no metric name): 57 of 120 are negative, so they are a difference or a rate, not bytes (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`)
    note: `difference.json`: ignored 120 lines that could not be read.
    "#);
    let csv = rows(&|minute| 5e7 * (minute / 5.0).sin());
    insta::assert_snapshot!(judged("difference.csv", &csv, &[]).lines().take(1).collect::<String>(), @"exit 2");
    // What Grafana downloads of it names its columns as PromQL does.
    let rows = rows(&|minute| minute);
    let grafana = format!("\"Time\",\"container_cpu_usage_seconds_total{{container=\"\"web\"\"}}\"\n{rows}");
    insta::assert_snapshot!(judged("grafana.csv", &grafana, &[]), @r"
    exit 2
    error: cannot use `grafana.csv`: its table holds no memory (expected a column for each container, or one of memory)
    note: `grafana.csv`: `container_cpu_usage_seconds_total` is a counter, not an amount of memory.
    note: `grafana.csv`: columns that are not the memory of a container are left out: `container_cpu_usage_seconds_total{contai`.
    ");
}

/// Beside memory a counter is left out and named; alone it is refused.
#[test]
fn counters_are_refused_by_name() {
    let counter = (named("container_cpu_usage_seconds_total", "web"), &(|minute| 3e6 + minute) as &dyn Fn(f64) -> f64);
    let memory = (named("container_memory_working_set_bytes", "web"), &(|_| 5e8) as &dyn Fn(f64) -> f64);
    let swap = (named("container_memory_swap", "web"), &(|_| 0.0) as &dyn Fn(f64) -> f64);
    let up = (named("up", "web"), &(|_| 1.0) as &dyn Fn(f64) -> f64);
    insta::assert_snapshot!(judged("counter.json", &answer(std::slice::from_ref(&counter)), &[]), @r#"
    exit 2
    error: cannot use `counter.json`: `container_cpu_usage_seconds_total` is a counter, not an amount of memory (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`)
    note: `counter.json`: ignored 120 lines that could not be read.
    "#);
    insta::assert_snapshot!(judged("both.json", &answer(&[counter.clone(), memory.clone(), up.clone()]), &[]), @r#"
    exit 0
    shop/web-1/web: 476.8 MiB
    note: `both.json`: `container_cpu_usage_seconds_total` is a counter, not an amount of memory (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`): 1 series is left out.
    note: `both.json`: the values of `up` are all 1, so they are a share or a count, not bytes (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`): 1 series is left out.
    "#);
    insta::assert_snapshot!(judged("neither.json", &answer(&[counter, up]), &[]), @r#"
    exit 2
    error: cannot use `neither.json`: `container_cpu_usage_seconds_total` is a counter, not an amount of memory (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`); the values of `up` are all 1, so they are a share or a count, not bytes (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`)
    note: `neither.json`: ignored 240 lines that could not be read.
    "#);
    // The list says that this is bytes, however few.
    insta::assert_snapshot!(judged("swap.json", &answer(&[memory, swap]), &[]), @r"
    exit 0
    shop/web-1/web: 476.8 MiB
    ");
}

/// They passed as services whose memory is level.
#[test]
fn limits_alone_are_no_memory() {
    let limit = answer(&[
        (named("container_spec_memory_limit_bytes", "web"), &|_| 1e9),
        (named("container_spec_memory_limit_bytes", "api"), &|_| 1e9),
    ]);
    insta::assert_snapshot!(judged("limits.json", &limit, &[]), @r"
    exit 2
    error: cannot use `limits.json`: it holds memory limits but no memory (pass it together with an export of `container_memory_working_set_bytes`)
    note: `limits.json`: ignored 240 lines that could not be read.
    ");
}

/// What may be bytes is read so, with a word where that is doubtful.
#[test]
fn small_numbers_that_may_be_bytes_are_doubted() {
    insta::assert_snapshot!(judged("small.json", &answer(&[(web(), &|minute| 5e6 + minute)]), &[]), @r"
    exit 0
    shop/web-1/web: 4.8 MiB
    note: `small.json`: its numbers have no unit: they are read as bytes, and the largest is 4.768 MiB (pass `--unit KiB` if they are KiB).
    ");
    insta::assert_snapshot!(judged("large.json", &answer(&[(web(), &|minute| 5e8 + minute)]), &[]), @r"
    exit 0
    shop/web-1/web: 476.8 MiB
    ");
}

#[test]
fn an_unknown_unit_is_refused() {
    let refusal = |unit: &str| {
        let output = run(Path::new(env!("CARGO_MANIFEST_DIR")), &["data/prometheus.json", "--unit", unit]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    insta::assert_snapshot!(refusal("Mb"), @"error: `--unit Mb`: not a unit of memory (expected B, kB, MB, GB, TB, KiB, MiB, GiB or TiB)");
    insta::assert_snapshot!(refusal("5MiB"), @"error: `--unit 5MiB`: not a unit of memory (expected B, kB, MB, GB, TB, KiB, MiB, GiB or TiB)");
}
