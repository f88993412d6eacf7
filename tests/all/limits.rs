//! Whose limit it is: what somebody set always holds, what all rows of `docker stats` show may be the host's memory.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    command.current_dir(folder).env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    command.arg("analyze").args(args).output().unwrap()
}

/// Containers at their levels for six hours, a reading every minute, as `docker stats` prints them.
fn log(containers: &[(&str, f64, &str)]) -> String {
    let mut text = String::new();
    for minute in 0..360 {
        for (index, (name, mib, limit)) in containers.iter().enumerate() {
            let used = mib + f64::from(minute % 3) / 10.0;
            text.push_str(&format!(
                "{}T{:02}:{:02}:00Z {index:012x} {name} 0.10% {used:.1}MiB / {limit} 1.0% 1kB / 0B 0B / 0B 7\n",
                "2026-11-23",
                minute / 60,
                minute % 60
            ));
        }
    }
    text
}

/// An export of these series: labels, level in bytes.
fn export(series: &[(Value, f64)]) -> String {
    let result: Vec<Value> = series
        .iter()
        .map(|(labels, bytes)| {
            let point =
                |minute: i64| json!([1_795_464_000 + 60 * minute, format!("{}", bytes + (minute % 3) as f64 * 4096.0)]);
            json!({"metric": labels, "values": (0..360).map(point).collect::<Vec<_>>()})
        })
        .collect();
    json!({"status": "success", "data": {"resultType": "matrix", "result": result}}).to_string()
}

/// The outcome of a run on one file, each series with its limit and its source, and what the terminal says of limits.
#[track_caller]
fn check(name: &str, content: &str, args: &[&str], expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    let output = run(folder.path(), &[&[name, "--json", "verdict.json"], args].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let verdict: Value = serde_json::from_slice(&fs::read(folder.path().join("verdict.json")).unwrap()).unwrap();
    let mut found = format!("exit {}\n", output.status.code().unwrap());
    let mut lines: Vec<String> = verdict["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| {
            let memory = &series["memory"];
            let limit =
                memory["limit"].as_f64().map_or("none".to_owned(), |limit| format!("{:.0} MiB", limit / 1_048_576.0));
            let source = memory["limit_source"].as_str().unwrap_or("-");
            format!(
                "{}: {}, limit {limit} ({source})\n",
                series["id"].as_str().unwrap(),
                series["outcome"].as_str().unwrap()
            )
        })
        .collect();
    lines.sort();
    found.extend(lines);
    found.extend(
        text.lines()
            .filter(|line| line.starts_with("note: ") && line.contains("limit"))
            .map(|line| format!("{line}\n")),
    );
    assert_eq!(found, expected);
}

/// Three replicas at 990 MiB of 1 GiB passed, since equal limits were taken for the host's; one alone failed.
#[test]
fn replicas_near_their_limit_fail_however_many_share_it() {
    let replica = |name| (name, 990.0, "1GiB");
    check("one.log", &log(&[replica("a")]), &[], "exit 1\na: fail, limit 1024 MiB (input)\n");
    let three =
        "exit 1\na: fail, limit 1024 MiB (input)\nb: fail, limit 1024 MiB (input)\nc: fail, limit 1024 MiB (input)\n";
    check("three.log", &log(&[replica("a"), replica("b"), replica("c")]), &[], three);
    let labels =
        |name: &str, metric: &str| json!({"__name__": metric, "container": name, "pod": name, "namespace": "shop"});
    let of = |name: &str| {
        [
            (labels(name, "container_memory_working_set_bytes"), 990.0 * 1_048_576.0),
            (labels(name, "container_spec_memory_limit_bytes"), 1_073_741_824.0),
        ]
    };
    let export = export(&[of("a"), of("b"), of("c")].concat());
    let in_pods = ["a", "b", "c"].map(|name| format!("shop/{name}/{name}: fail, limit 1024 MiB (input)\n")).concat();
    check("three.json", &export, &[], &format!("exit 1\n{in_pods}"));
}

/// Several metrics of one container, and one container seen by two scrapers, share its limit by right.
#[test]
fn several_metrics_and_several_scrapers_of_one_container_share_its_limit() {
    let labels = |metric: &str, replica: &str| json!({"__name__": metric, "container": "web", "pod": "web-1", "namespace": "shop", "prometheus_replica": replica});
    let limit = |replica: &str| {
        // The limit itself is level to the byte.
        (labels("container_spec_memory_limit_bytes", replica), 1_073_741_824.0)
    };
    let level = 990.0 * 1_048_576.0;
    let metrics = [
        (labels("container_memory_working_set_bytes", "0"), level),
        (labels("container_memory_rss", "0"), level),
        limit("0"),
    ];
    check("metrics.json", &export(&metrics), &[], "exit 1\nshop/web-1/web: fail, limit 1024 MiB (input)\n");
    let of = |replica: &str| [(labels("container_memory_rss", replica), level), limit(replica)];
    check(
        "scrapers.json",
        &export(&[of("0"), of("1")].concat()),
        &[],
        "exit 1\nshop/web-1/web: fail, limit 1024 MiB (input)\n",
    );
}

#[test]
fn an_uneven_limit_of_all_rows_is_the_memory_of_the_host_and_that_is_said() {
    let three = log(&[("a", 990.0, "7.653GiB"), ("b", 300.0, "7.653GiB"), ("c", 20.0, "7.653GiB")]);
    check(
        "three.log",
        &three,
        &[],
        "exit 0\na: pass, limit 7837 MiB (host)\nb: pass, limit 7837 MiB (host)\nc: pass, limit 7837 MiB (host)\nnote: `three.log`: all 3 series show a limit of 7.653GiB, which looks like the memory of the host and is not used (`--host-memory 7.653GiB` confirms that, `--limit 7.653GiB` makes it the limit of each).\n",
    );
    // What is judged is a part of it: the limit is the host's all the same.
    check(
        "three.log",
        &three,
        &["--container", "^a$"],
        "exit 0\na: pass, limit 7837 MiB (host)\nnote: `three.log`: all 3 series show a limit of 7.653GiB, which looks like the memory of the host and is not used (`--host-memory 7.653GiB` confirms that, `--limit 7.653GiB` makes it the limit of each).\n",
    );
    check(
        "three.log",
        &three,
        &["--limit", "1GiB"],
        "exit 1\na: fail, limit 1024 MiB (option)\nb: pass, limit 1024 MiB (option)\nc: pass, limit 1024 MiB (option)\n",
    );
}

#[test]
fn where_it_is_not_clear_whose_limit_it_is_the_option_says() {
    let mixed = log(&[("a", 990.0, "7.653GiB"), ("b", 300.0, "7.653GiB"), ("c", 20.0, "512MiB")]);
    check(
        "mixed.log",
        &mixed,
        &[],
        "exit 0\na: pass, limit 7837 MiB (host)\nb: pass, limit 7837 MiB (host)\nc: pass, limit 512 MiB (input)\nnote: `mixed.log`: 2 of 3 series show a limit of 7.653GiB, which looks like the memory of the host and is not used (`--host-memory 7.653GiB` confirms that, `--limit 7.653GiB` makes it the limit of each).\n",
    );
    for host in ["7.653GiB", "8217439928B", "7GiB"] {
        check(
            "mixed.log",
            &mixed,
            &["--host-memory", host],
            "exit 0\na: pass, limit 7837 MiB (host)\nb: pass, limit 7837 MiB (host)\nc: pass, limit 512 MiB (input)\nnote: `mixed.log`: the limit in 2 of 3 series is 7.653GiB, the memory of the host, and is not used (`--host-memory`).\n",
        );
    }
    // Where the host has more, nothing is concluded.
    let shared = log(&[("a", 900.0, "900.3MiB"), ("b", 300.0, "900.3MiB")]);
    check(
        "shared.log",
        &shared,
        &["--host-memory", "16GiB"],
        "exit 1\na: fail, limit 900 MiB (input)\nb: pass, limit 900 MiB (input)\n",
    );
}

#[test]
fn an_impossible_memory_of_the_host_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.log"), log(&[("a", 1.0, "1GiB")])).unwrap();
    let refusal = |args: &[&str]| {
        let output = run(folder.path(), &[&["a.log"], args].concat());
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    insta::assert_snapshot!(refusal(&["--host-memory", "16"]), @"error: `--host-memory 16`: `16` is not an amount of memory: no unit (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)");
    insta::assert_snapshot!(refusal(&["--host-memory", "0B"]), @"error: `--host-memory 0B`: too little for a host (expected something like `16GiB`)");
}
