//! What Node's `process.memoryUsage()` gives, in every form in which people keep it.
//!
//! Each is read through the front door with the format decided by content: which it is, what became of every line,
//! what is said, and the memory of each part in the order of its readings.
#![expect(clippy::format_push_string, reason = "short texts of a test")]

use std::fs;
use std::io::Write;

use leaktrend::ingest::{Format, Ingested, Options, SamplesOption, Source, read};
use leaktrend::series::Metric;
use leaktrend::units::{docker_text, time_text};

/// 2026-11-28T18:50:00Z, in milliseconds.
const END_MS: i64 = 1_795_891_800_000;

fn options(format: Option<Format>) -> Options {
    Options { format, interval: None, end_ms: Some(END_MS), samples: SamplesOption::Auto, unit: None }
}

fn read_with(text: &str, options: &Options) -> Ingested {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.log");
    fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    read(&[Source::File(path)], options).unwrap()
}

/// The account, what is said, and for each series what it counts and its readings: times and memory.
fn describe_with(text: &str, options: &Options) -> String {
    let ingested = read_with(text, options);
    let input = &ingested.inputs[0];
    if input.unusable.is_none() {
        let total = input.samples + input.gaps + input.other_lines + input.rejected_count;
        assert_eq!(Some(text.lines().count() as u64), input.lines, "{text}");
        assert_eq!(input.lines.unwrap() + input.further, total, "{text}: {input:?}");
    }
    let mut described = format!(
        "{}: {} readings, {} gaps, {} others, {} rejected",
        input.format.map_or("-", Format::name),
        input.samples,
        input.gaps,
        input.other_lines,
        input.rejected_count
    );
    for rejected in &input.rejected {
        described += &format!("\nline {}: `{}`: {}", rejected.line, rejected.text, rejected.why);
    }
    for warning in &input.warnings {
        described += &format!("\nwarning: {warning}");
    }
    if let Some(why) = &input.unusable {
        described += &format!("\nunusable: {why}");
    }
    for series in &ingested.series {
        described += &format!("\n{} ({:?}):", series.info.id, series.info.metric);
        let samples = &series.samples;
        for index in 0..samples.len() {
            let time = time_text(samples.time_ms[index]).unwrap();
            described += &format!(" {}={}", &time[11..], docker_text(samples.used_bytes[index]));
        }
    }
    described
}

fn describe(text: &str) -> String {
    describe_with(text, &options(None))
}

/// Several texts, one behind the other.
fn describe_all(texts: &[(&str, &str)]) -> String {
    texts.iter().map(|(what, text)| format!("## {what}\n{}\n\n", describe(text))).collect()
}

const PRINTED: &str = "{\n  rss: 44720128,\n  heapTotal: 4972544,\n  heapUsed: 3871400,\n  external: 1435000,\n  arrayBuffers: 10475\n}\n";

#[test]
fn printed_objects_are_read() {
    let indented = PRINTED.replace("\n  ", "\n2026-11-28T18:43:04.004Z   ").replace("\n}", "\n2026-11-28T18:43:04.004Z }");
    insta::assert_snapshot!(describe_all(&[
        ("as console.log prints it, twice", &(PRINTED.to_owned() + PRINTED)),
        ("as older versions of Node print it", "{ rss: 4935680,\n  heapTotal: 1826816,\n  heapUsed: 650472,\n  external: 49879 }\n"),
        ("on one line, with a label", "memory: { rss: 4935680, heapTotal: 1826816, heapUsed: 650472 }\n"),
        ("in colour", "{\n  rss: \u{1b}[33m44720128\u{1b}[39m,\n  heapUsed: \u{1b}[33m3871400\u{1b}[39m\n}\n"),
        ("behind a time and a label", &format!("2026-11-28T18:43:04.004Z memory {PRINTED}2026-11-28T18:43:09.004Z memory {PRINTED}")),
        ("behind a label and a time", &format!("[api] 2026-11-28T18:43:04.004Z {PRINTED}")),
        ("a time on a line of its own", &format!("2026-11-28T18:43:04Z\n{PRINTED}Sat Nov 28 18:43:09 UTC 2026\n{PRINTED}")),
        ("times of day", &format!("18:43:04 {PRINTED}18:43:09 {PRINTED}")),
        ("docker logs -t", &format!("2026-11-28T18:43:04.004Z {indented}")),
        ("with a date that Node prints", "{\n  time: 2026-11-28T18:43:04.004Z,\n  memory: { rss: 4935680, heapUsed: 650472 }\n}\n"),
        ("units as text", "2024-11-05T11:32:41.935Z Request 231 start  {\n  rss: '163.22 MB',\n  heapTotal: '42.86 MB',\n  heapUsed: '20.01 MB'\n}\n"),
        ("groups of digits", "{ rss: 44_720_128, heapUsed: 3_871_400 }\n"),
        ("keys with units", "{ rssMB: 44.5, heap_used_mb: 3.5 }\n"),
        ("line endings of Windows", "{\r\n  rss: 44720128,\r\n  heapUsed: 3871400\r\n}\r\n"),
    ]));
}

#[test]
fn json_is_read() {
    let line = "{\"time\":\"2026-11-28T18:43:04.004Z\",\"rss\":101097472,\"heapTotal\":62103552,\"heapUsed\":38899456,\"external\":1434764,\"arrayBuffers\":10475}";
    let next = line.replace(":04.004Z", ":09.004Z");
    let pretty = |line: &str| line.replace('{', "{\n  ").replace(",\"", ",\n  \"").replace('}', "\n}");
    insta::assert_snapshot!(describe_all(&[
        ("one object a line", &format!("{line}\n{next}\n")),
        ("an array on one line", &format!("[{line},{next}]")),
        ("an array, an object a line", &format!("[\n{line},\n{next}\n]\n")),
        ("an array of objects over several lines", &format!("[\n{},\n{}\n]\n", pretty(line), pretty(&next))),
        ("an array in an object", &format!("{{\"samples\":[{line},{next}],\"n\":2}}\n")),
        ("answers without line endings", &format!("{line}{next}")),
        ("the runbook's endpoint", "{\"rss\":\"145MB\",\"heapTotal\":\"88MB\",\"heapUsed\":\"61MB\",\"external\":\"2MB\"}\n{\"rss\":\"146MB\",\"heapTotal\":\"88MB\",\"heapUsed\":\"62MB\",\"external\":\"2MB\"}\n"),
        ("below memory", "{\"status\":\"ok\",\"uptime\":12.5,\"timestamp\":1795891384004,\"memory\":{\"rss\":101097472,\"heapUsed\":38899456}}\n"),
        ("below usage, behind a time", "2026-11-28T18:43:04Z {\"data\":{\"usage\":{\"rss\":101097472,\"heapUsed\":38899456}}}\n"),
        ("keys with points", "{\"ts\":1795891384.004,\"memory.rss\":101097472,\"memory.heapUsed\":38899456}\n"),
        ("a resident set alone", "{\"time\":1795891384,\"rss\":101097472}\n{\"time\":1795891389,\"rss\":101097473}\n"),
        ("times as Date prints them", "{\"rss\":1e8,\"heapUsed\":3e7,\"date\":\"Sat Nov 28 2026 19:43:04 GMT+0100 (Central European Standard Time)\"}\n"),
        ("names in objects", "{\"service\":\"api\",\"time\":1795891384,\"rss\":101097472,\"heapUsed\":38899456}\n{\"service\":\"web\",\"time\":1795891384,\"rss\":201097472,\"heapUsed\":58899456}\n"),
        ("a log with other objects", "{\"level\":30,\"time\":1795891384004,\"msg\":\"listening\"}\n{\"level\":30,\"time\":1795891385004,\"memory\":{\"rss\":101097472,\"heapUsed\":38899456},\"msg\":\"memory\"}\n"),
        ("nothing measured", "{\"time\":1795891384,\"rss\":101097472,\"heapUsed\":null}\n"),
        ("a byte order mark", &format!("\u{feff}{line}\n")),
    ]));
}

#[test]
fn several_processes_are_told_apart() {
    let lines = |at: u32, name: &str, rss: &str| {
        format!("{name}  | 2026-11-28T18:43:{at:02}Z {{\n{name}  |   rss: {rss},\n")
    };
    let mixed = [
        lines(4, "web-1", "44720128") + &lines(4, "api-1", "84720128"),
        "web-1  |   heapUsed: 3871400\napi-1  |   heapUsed: 4871400\nweb-1  | }\napi-1  | }\n".to_owned(),
        "web-1  | GET /health 200\n".to_owned(),
    ];
    let labels = |label: &dyn Fn(u32) -> String| -> String {
        (0..3).map(|n| format!("2026-11-28T18:43:{n:02}Z {}: {{ rss: 4472012{n}, heapUsed: 387140{n} }}\n", label(n))).collect()
    };
    insta::assert_snapshot!(describe_all(&[
        ("docker compose logs, mixed", &mixed.concat()),
        ("kubectl logs --prefix", "[pod/api-7d9f/app] { rss: 44720128, heapUsed: 3871400 }\n"),
        ("labels", &(labels(&|_| "before".to_owned()) + &labels(&|_| "after".to_owned()))),
        ("a label that counts", &labels(&|n| format!("request {n}"))),
    ]));
}

#[test]
fn what_broke_off_is_rejected_and_what_follows_is_kept() {
    let line = "{\"time\":\"2026-11-28T18:43:04.004Z\",\"rss\":101097472,\"heapTotal\":62103552,\"heapUsed\":38899456}";
    let whole = line.replace(":04.004Z", ":09.004Z");
    let cut = |at: usize| format!("{}{whole}\n{whole}\n", &line[..at]);
    let cut_lines = |at: usize| format!("{}\n{whole}\n", &line[..at]);
    insta::assert_snapshot!(describe_all(&[
        ("in a number", &cut(45)),
        ("in a text", &cut(15)),
        ("in a key", &cut(55)),
        ("in a key, behind a line ending", &cut_lines(55)),
        ("behind a colon", &cut_lines(40)),
        ("at its beginning", &cut_lines(1)),
        ("behind the time of another", &format!("2026-11-28T18:43:04Z {{\"rss\":1010{{\"rss\":101097472,\"heapUsed\":38899456}}\n{whole}\n")),
        ("a printed object", &format!("{}{PRINTED}", &PRINTED[..40])),
        ("a printed object with a line of a log in it", &PRINTED.replace("  heapUsed", "GET /health 200\n  heapUsed").repeat(2).replacen("GET /health 200\n", "", 1)),
        ("the end of a file that grows", &format!("{whole}\n{}", &line[..50])),
        ("the end of a file", &format!("{PRINTED}{}", &PRINTED[..40])),
        ("the beginning of a file", &format!("{}{PRINTED}", &PRINTED[20..])),
    ]));
    // Wherever it is cut, the one behind it is read, and nothing else.
    for at in 1..line.len() {
        for between in ["", "\n"] {
            let ingested = read_with(&format!("{whole}\n{}{between}{whole}\n", &line[..at]), &options(None));
            let input = &ingested.inputs[0];
            assert_eq!((input.samples, input.rejected_count), (6, 1), "{at}: {input:?}");
        }
    }
    for at in 1..PRINTED.len() - 2 {
        let ingested = read_with(&format!("{PRINTED}{}\n{PRINTED}", &PRINTED[..at]), &options(None));
        let input = &ingested.inputs[0];
        assert_eq!(input.samples, 10, "{at}: {input:?}");
        assert_eq!(input.rejected_count, PRINTED[..at].lines().filter(|line| !line.trim().is_empty()).count() as u64, "{at}");
    }
}

#[test]
fn odd_values_are_rejected_with_their_reason() {
    insta::assert_snapshot!(describe_all(&[
        ("a text", "{\"time\":1795891384,\"rss\":\"big\",\"heapUsed\":38899456}\n"),
        ("less than nothing", "{\"time\":1795891384,\"rss\":-5,\"heapUsed\":38899456}\n"),
        ("a time that is none", "{\"time\":\"soon\",\"rss\":101097472,\"heapUsed\":38899456}\n{\"time\":1795891384,\"rss\":101097472,\"heapUsed\":38899456}\n"),
        ("too small", "{\"time\":1795891384,\"rss\":145.5,\"heapUsed\":61.2}\n{\"time\":1795891389,\"rss\":145.6,\"heapUsed\":61.3}\n"),
        ("small", "{\"time\":1795891384,\"rss\":2097152,\"heapUsed\":1097152}\n"),
        ("a part alone", "heapUsed: 38899456\n{ heapUsed: 38899456 }\n"),
        ("only names", "rss 145 MB\nheapTotal 80 MB\nheapUsed 61 MB\n"),
        ("a template", "memory: [object Object], heapUsed\n"),
        ("only parts of objects", "heapUsed: {\n"),
        ("some text around it", "listening on 3000\n\n{ rss: 44720128, heapUsed: 3871400 }\n-----\nbye\n"),
    ]));
    let mut with_unit = options(None);
    with_unit.unit = Some(1_048_576.0);
    insta::assert_snapshot!(describe_with("{\"time\":1795891384,\"rss\":145.5,\"heapUsed\":61.2}\n", &with_unit), @r"
    node-memory: 2 readings, 0 gaps, 0 others, 0 rejected
    api/rss (Rss): 19:09:44=145.5MiB
    api/heapUsed (Heap): 19:09:44=61.2MiB
    ");
}

/// A loop of `curl` that appends answers without a line ending writes one line, however long it runs.
#[test]
fn a_line_of_any_length_is_read() {
    let n = 40_000;
    let answer = |n: usize| format!("{{\"time\":{},\"rss\":{},\"heapUsed\":38899456}}", 1_795_800_000 + n, 101_097_472 + n);
    let text: String = (0..n).map(answer).collect();
    let ingested = read_with(&text, &options(None));
    let input = &ingested.inputs[0];
    assert_eq!((input.lines, input.samples, input.rejected_count), (Some(1), 2 * n as u64, 0), "{:?}", input.rejected);
    assert_eq!(ingested.series[0].samples.used_bytes.last(), Some(&((101_097_472 + n - 1) as f64)));

    // What does not end is given up, and takes no more memory than an object may.
    let endless = format!("{}\n{{\"rss\":1,\"heapUsed\":\"{}\n{}\n", answer(0), "x".repeat(300_000), answer(1));
    let ingested = read_with(&endless, &options(None));
    let input = &ingested.inputs[0];
    assert_eq!((input.lines, input.samples), (Some(3), 4));
    assert_eq!(input.rejected[0].why, "the object is longer than 64 KiB");
}

#[test]
fn tables_of_parts_are_read() {
    insta::assert_snapshot!(describe_all(&[
        ("columns", "time,rss,heapTotal,heapUsed,external,arrayBuffers,uptime\n1795891384,101097472,62103552,38899456,1434764,10475,5\n"),
        ("columns with what holds them", "timestamp,memory.rss,memory.heapUsed,cpu\n2026-11-28T18:43:04Z,101097472,38899456,1.5\n"),
        ("columns with units", "time,rss_mib,heap_used_mib\n1795891384,96.4,37.1\n"),
        ("the heap alone", "time,heapUsed\n1795891384,38899456\n"),
        ("containers that are called so", "time,rss,external\n1795891384,101097472,38899456\n"),
    ]));
}

#[test]
fn the_heap_is_what_a_collector_manages() {
    let ingested = read_with(PRINTED, &options(None));
    let metrics: Vec<(&str, Metric)> = ingested.series.iter().map(|series| (series.info.id.as_str(), series.info.metric)).collect();
    assert_eq!(
        metrics,
        [
            ("api/rss", Metric::Rss),
            ("api/heapTotal", Metric::Heap),
            ("api/heapUsed", Metric::Heap),
            ("api/external", Metric::Other),
            ("api/arrayBuffers", Metric::Other),
        ]
    );
}
