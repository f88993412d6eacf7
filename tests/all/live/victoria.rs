//! A real `VictoriaMetrics`: every sample that it was given is read from it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use super::real::{Samples, check_all_is_read, metrics};
use crate::cadvisor::Server;

/// `None` where it is not installed. Debian and its own packages call it by different names.
fn start() -> Option<Server> {
    let names = ["victoria-metrics", "victoria-metrics-prod"];
    let Some(program) = names.iter().find(|name| Command::new(name).arg("-version").output().is_ok()) else {
        let required = std::env::var("LEAKTREND_REQUIRE_VICTORIAMETRICS").as_deref() == Ok("1");
        assert!(!required, "victoria-metrics is required and absent");
        eprintln!("skipped: victoria-metrics is absent");
        return None;
    };
    let data = tempfile::tempdir().unwrap();
    let storage = format!("-storageDataPath={}", data.path().display());
    Some(Server::ready(data, "/health", |port| {
        let mut command = Command::new(program);
        command.arg(&storage).arg(format!("-httpListenAddr=127.0.0.1:{port}")).arg("-retentionPeriod=100y");
        command
    }))
}

fn post(port: u16, path: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let length = body.len();
    write!(stream, "POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn every_sample_of_victoria_metrics_is_read_once() {
    let Some(server) = start() else { return };
    // It takes times in milliseconds, and does not keep what is not a number.
    let text = metrics();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.contains(" NaN "));
    let mut expected = Samples::new();
    let mut import = String::new();
    for line in lines {
        let (series, rest) = line.split_once("} ").unwrap();
        let (name, labels) = series.split_once('{').unwrap();
        let (value, time) = rest.split_once(' ').unwrap();
        let time_ms = time.replace('.', "");
        let labels = format!("__name__=\"{name}\",{labels}");
        expected.insert((labels, time_ms.parse().unwrap(), value.parse::<f64>().unwrap().to_bits()));
        import.push_str(&format!("{series}}} {value} {time_ms}\n"));
    }
    assert!(20_000 < expected.len(), "{}", expected.len());
    let answer = post(server.port, "/api/v1/import/prometheus", &import).unwrap();
    assert!(answer.contains(" 204 "), "{answer}");
    post(server.port, "/internal/force_flush", "").unwrap();
    check_all_is_read(server.port, &expected);
}
