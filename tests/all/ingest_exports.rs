//! One recording in every form in which Prometheus and its relatives export it: the same samples come out.

use std::collections::BTreeMap;
use std::path::Path;

use leaktrend::decode::{GivenColumns, Options, SamplesOption};
use leaktrend::open::Source;
use leaktrend::read::readings;
use serde_json::{Value, json};

/// Times and memory by container.
type Read = BTreeMap<String, Vec<(i64, f64)>>;

fn read_bytes(name: &str, bytes: &[u8]) -> Read {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let options = Options {
        format: None,
        interval: None,
        end_ms: None,
        samples: SamplesOption::Raw,
        unit: None,
        columns: GivenColumns::default(),
    };
    let readings = readings(&[Source::File(path)], &options);
    let input = &readings.inputs[0];
    assert_eq!((input.unusable.as_ref(), input.rejected_count), (None, 0), "{name}");
    if let Some(lines) = input.lines {
        let sum = input.samples + input.gaps + input.other_lines + input.rejected_count;
        assert_eq!(sum, lines + input.further, "{name}");
    }
    let samples = readings.series.into_iter().map(|series| {
        let mut samples: Vec<(i64, f64)> =
            series.samples.time_ms.iter().copied().zip(series.samples.used_bytes.iter().copied()).collect();
        samples.sort_by_key(|(time_ms, _)| *time_ms);
        (series.info.container().to_owned(), samples)
    });
    samples.collect()
}

fn points(series: &Value) -> Vec<(i64, &str)> {
    let point = |point: &'_ Value| (point[0].as_f64().unwrap() * 1000.0).round() as i64;
    let values = series["values"].as_array().unwrap();
    values.iter().map(|value| (point(value), value[1].as_str().unwrap())).collect()
}

/// Labels as PromQL writes them.
fn labels(series: &Value) -> String {
    let labels = series["metric"].as_object().unwrap().iter().filter(|(key, _)| *key != "__name__");
    labels.map(|(key, label)| format!("{key}={label}")).collect::<Vec<_>>().join(",")
}

#[test]
fn every_export_of_one_recording_gives_the_same_samples() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/prometheus.json");
    let answer: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let result = answer["data"]["result"].as_array().unwrap();
    let expected = read_bytes("answer.json", answer.to_string().as_bytes());
    assert_eq!(expected.len(), 8);

    let mut forms: Vec<(&str, Vec<u8>)> = vec![("bare.json", answer["data"]["result"].to_string().into_bytes())];
    // `VictoriaMetrics` may write a series on several lines, in any order.
    let line = |series: &Value, points: &[(i64, &str)]| {
        let values: Vec<f64> = points.iter().map(|(_, value)| value.parse().unwrap()).collect();
        let times: Vec<i64> = points.iter().map(|(time_ms, _)| *time_ms).collect();
        format!("{}\n", json!({"metric": series["metric"], "values": values, "timestamps": times}))
    };
    let export = |late: bool| -> String {
        result
            .iter()
            .map(|series| {
                let points = points(series);
                let (first, second) = points.split_at(points.len() / 3);
                line(series, if late { second } else { first })
            })
            .collect()
    };
    forms.push(("export.jsonl", (export(true) + &export(false)).into_bytes()));

    let each = |write: &dyn Fn(&Value, i64, &str) -> String| -> String {
        result
            .iter()
            .flat_map(|series| points(series).into_iter().map(move |(time_ms, value)| write(series, time_ms, value)))
            .collect()
    };
    let dump = each(&|series, time_ms, value| {
        format!(
            "{{__name__={}, {}}} {value} {time_ms}\n",
            series["metric"]["__name__"],
            labels(series).replace(',', ", ")
        )
    });
    forms.push(("dump.txt", dump.into_bytes()));
    let openmetrics = each(&|series, time_ms, value| {
        let metric = series["metric"]["__name__"].as_str().unwrap();
        format!("{metric}{{{}}} {value} {}.{:03}\n", labels(series), time_ms / 1000, time_ms % 1000)
    });
    forms.push(("dump.prom", (openmetrics + "# EOF\n").into_bytes()));

    // Grafana joins series by time: where one has no value its cell is empty.
    let mut rows: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    for (column, series) in result.iter().enumerate() {
        for (time_ms, value) in points(series) {
            rows.entry(time_ms).or_insert_with(|| vec![""; result.len()])[column] = value;
        }
    }
    let table = |delimiter: &str, end: &str| -> String {
        let names = result.iter().map(|series| format!("\"{{{}}}\"", labels(series).replace('"', "\"\"")));
        let header = std::iter::once("\"Time\"".to_owned()).chain(names).collect::<Vec<_>>().join(delimiter);
        let rows = rows.iter().map(|(time_ms, values)| format!("{time_ms}{delimiter}{}{end}", values.join(delimiter)));
        header + end + &rows.collect::<String>()
    };
    forms.push(("grafana.csv", table(",", "\r\n").into_bytes()));
    forms.push(("grafana-sep.csv", format!("sep=;\r\n{}", table(";", "\r\n")).into_bytes()));
    let excel = format!("\u{feff}{}", table("\t", "\r\n"));
    forms.push(("grafana-excel.csv", excel.encode_utf16().flat_map(u16::to_le_bytes).collect()));

    for (name, bytes) in forms {
        assert!(read_bytes(name, &bytes) == expected, "{name}");
    }
}
