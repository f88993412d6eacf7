//! A server on loopback that answers as it is told, and one that answers as Prometheus does, with made readings.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The time of the server, in seconds since 1970.
pub(crate) const NOW: i64 = 1_795_464_420;

/// How far readings lie apart, in seconds.
pub(crate) const INTERVAL: i64 = 30;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) form: BTreeMap<String, String>,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
}

impl Request {
    pub(crate) fn query(&self) -> &str {
        self.form.get("query").map_or("", String::as_str)
    }

    fn number(&self, key: &str) -> i64 {
        self.form[key].parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What is sent back.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Only so much of the body is sent before the connection is closed.
    pub(crate) cut: Option<usize>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply { status, headers: vec![("content-type", "application/json".to_owned())], body: body.into(), cut: None }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn error(status: u16, kind: &str, text: &str) -> Reply {
        let body = serde_json::json!({ "status": "error", "errorType": kind, "error": text });
        Reply::new(status, body.to_string())
    }

    pub(crate) fn write(&self, stream: &mut dyn Write) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\nconnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "content-length: {}\r\n\r\n", self.body.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(&self.body[..self.cut.unwrap_or(self.body.len()).min(self.body.len())])?;
        stream.flush()
    }
}

/// A server that runs until the test ends.
pub(crate) struct Scripted {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Scripted {
    /// Answers each request by what `answer` gives for it and for the number of requests before it.
    pub(crate) fn start(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Scripted {
        Scripted::behind(|stream, serve| serve(&mut { stream }), answer)
    }

    /// The same; `open` makes a stream of a connection, such as one of TLS.
    pub(crate) fn behind(
        open: impl Fn(TcpStream, &dyn Fn(&mut dyn ReadWrite)) + Send + Sync + 'static,
        answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
    ) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, open, log) = (Arc::new(answer), Arc::new(open), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, open, log) = (Arc::clone(&answer), Arc::clone(&open), Arc::clone(&log));
                thread::spawn(move || {
                    open(stream, &|stream| {
                        let Some(request) = request(stream) else { return };
                        let before = {
                            let mut log = log.lock().unwrap();
                            log.push(request.clone());
                            log.len() - 1
                        };
                        // Who asked may have gone.
                        let _ = answer(&request, before).write(stream);
                    });
                });
            }
        });
        Scripted { port, asked }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

pub(crate) trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

/// Reads one request; `None` where there is none.
fn request(stream: &mut dyn ReadWrite) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| 0 < *n)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let form = [query, &String::from_utf8(body).ok()?]
        .iter()
        .flat_map(|text| text.split('&'))
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect();
    Some(Request { method, path: path.to_owned(), form, headers })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.push(u8::from_str_radix(&hex, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// What a Prometheus holds that was made for tests: containers of the shop, of which `api` leaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shop {
    pub(crate) n_pods: usize,
    /// When its readings begin, in seconds since 1970.
    pub(crate) since: i64,
    /// Whether it holds other amounts than the working set.
    pub(crate) with_amounts: bool,
}

impl Shop {
    pub(crate) const SMALL: Shop = Shop { n_pods: 2, since: NOW - 2 * 86_400, with_amounts: false };

    fn labels(pod: usize) -> String {
        let container = if pod == 0 { "api" } else { "web" };
        format!(r#""container":"{container}","id":"/kubepods/{pod}","namespace":"shop","pod":"{container}-{pod}""#)
    }

    /// The readings of a pod between two times, both of which count, in milliseconds.
    fn readings(&self, pod: usize, from_ms: i64, to_ms: i64) -> Vec<(i64, i64)> {
        let first = (self.since * 1000).max(from_ms).div_euclid(INTERVAL * 1000) - 1;
        let at = |n: i64| n * INTERVAL * 1000 + if pod.is_multiple_of(2) { 0 } else { 123 };
        let value = |time_ms: i64| {
            let minutes = (time_ms / 1000 - self.since) / 60;
            let noise = (time_ms / 30_000).wrapping_mul(7919).rem_euclid(97) * 4096;
            (if pod == 0 { 200 << 20 } else { 150 << 20 }) + noise + if pod == 0 { minutes * 250_000 } else { 0 }
        };
        (first..)
            .map(at)
            .skip_while(|time_ms| *time_ms < from_ms.max(self.since * 1000))
            .take_while(|time_ms| *time_ms <= to_ms)
            .map(|time_ms| (time_ms, value(time_ms)))
            .collect()
    }

    fn matrix(&self, name: &str, readings: impl Fn(usize) -> Vec<(i64, i64)>) -> Reply {
        let series: Vec<String> = (0..self.n_pods)
            .map(|pod| (pod, readings(pod)))
            .filter(|(_, readings)| !readings.is_empty())
            .map(|(pod, readings)| {
                let points: Vec<String> = readings
                    .iter()
                    .map(|(time_ms, value)| format!("[{}.{:03},\"{value}\"]", time_ms / 1000, time_ms % 1000))
                    .collect();
                format!(r#"{{"metric":{{"__name__":"{name}",{}}},"values":[{}]}}"#, Shop::labels(pod), points.join(","))
            })
            .collect();
        success("matrix", &format!("[{}]", series.join(",")))
    }

    /// Answers what is asked of other amounts: half of what `api` has more each time is on its heap.
    fn amounts(&self, request: &Request) -> Option<Reply> {
        let query = request.query();
        let held = ["container_memory_cache", "container_memory_rss", "nodejs_heap_size_used_bytes"];
        if !request.path.ends_with("/query_range") {
            return None;
        }
        let (start, end, step) = (request.number("start"), request.number("end"), request.number("step"));
        let times = || (start..=end).step_by(step as usize);
        if query.starts_with("count by (__name__)") {
            let of = |name: &&str| {
                let n = if name.starts_with("nodejs") { 1 } else { self.n_pods };
                let points: Vec<String> = times().map(|time| format!("[{time},\"{n}\"]")).collect();
                format!(r#"{{"metric":{{"__name__":"{name}"}},"values":[{}]}}"#, points.join(","))
            };
            let series: Vec<String> = held.iter().filter(|_| self.with_amounts).map(of).collect();
            return Some(success("matrix", &format!("[{}]", series.join(","))));
        }
        if !query.starts_with("last_over_time(") && !query.starts_with("sum by (") {
            return None;
        }
        let series: Vec<String> = held
            .iter()
            .filter(|name| query.contains(**name))
            .flat_map(|name| (0..self.n_pods).map(move |pod| (*name, pod)))
            .filter(|(name, pod)| *pod == 0 || !name.starts_with("nodejs"))
            .map(|(name, pod)| {
                let value = |time: i64| {
                    let all = self.readings(pod, (time - step) * 1000, time * 1000).last()?.1;
                    Some(match name {
                        "container_memory_cache" => 30_000_000,
                        "container_memory_rss" => all - 20_000_000,
                        _ => all / 2,
                    })
                };
                let points: Vec<String> =
                    times().filter_map(|time| Some(format!("[{time},\"{}\"]", value(time)?))).collect();
                let run = format!("\"id\":\"/kubepods/{pod}\",");
                let of_process = if name.starts_with("nodejs") { run.as_str() } else { "" };
                let labels = Shop::labels(pod).replace(of_process, "");
                format!(r#"{{"metric":{{"__name__":"{name}",{labels}}},"values":[{}]}}"#, points.join(","))
            })
            .collect();
        Some(success("matrix", &format!("[{}]", series.join(","))))
    }

    /// Answers as Prometheus 2 does: a range takes in both of its ends.
    pub(crate) fn answer(&self, request: &Request) -> Reply {
        let query = request.query();
        let name = query.split(['{', '[']).next().unwrap_or_default();
        let is_memory = query.contains("container_memory_working_set_bytes");
        if query == "time()" {
            return success("scalar", &format!("[{NOW},\"{NOW}\"]"));
        }
        if request.path.ends_with("/series") {
            let selector = &request.form["match[]"];
            let selected = (0..self.n_pods).filter(|pod| is_selected(selector, *pod));
            let series: Vec<String> = selected.map(|pod| format!("{{{}}}", Shop::labels(pod))).collect();
            return Reply::new(200, format!(r#"{{"status":"success","data":[{}]}}"#, series.join(",")));
        }
        if let Some(answer) = self.amounts(request) {
            return answer;
        }
        if query.starts_with("count by (__name__)") {
            return success("vector", r#"[{"metric":{"__name__":"process_resident_memory_bytes"},"value":[1,"12"]}]"#);
        }
        if query.starts_with("sum(count_over_time(") {
            let n = self.n_pods as i64 * 600 / INTERVAL;
            return success("vector", &format!("[{{\"metric\":{{}},\"value\":[1,\"{n}\"]}}]"));
        }
        if query.starts_with("count(") {
            let (start, end, step) = (request.number("start"), request.number("end"), request.number("step"));
            let times = (start..=end).step_by(step as usize).filter(|time| self.since <= *time && is_memory);
            let points: Vec<String> = times.map(|time| format!("[{time},\"{}\"]", self.n_pods)).collect();
            let result = if points.is_empty() {
                "[]".to_owned()
            } else {
                format!(r#"[{{"metric":{{}},"values":[{}]}}]"#, points.join(","))
            };
            return success("matrix", &result);
        }
        if request.path.ends_with("/query_range") {
            let (start, end, step) = (request.number("start"), request.number("end"), request.number("step"));
            let limit = name == "container_spec_memory_limit_bytes";
            if !limit && !is_memory {
                return success("matrix", "[]");
            }
            return self.matrix(name, |pod| {
                let times = (start..=end).step_by(step as usize);
                let last =
                    |time: i64| self.readings(pod, time * 1000 - 300_000, time * 1000).last().map(|reading| reading.1);
                times.filter_map(|time| Some((time * 1000, if limit { 1 << 30 } else { last(time)? }))).collect()
            });
        }
        if let Some((_, range)) = query.rsplit_once('[')
            && is_memory
        {
            let seconds: i64 = range.trim_end_matches("s]").parse().unwrap();
            let until = request.number("time") * 1000;
            let pods: Vec<usize> = (0..self.n_pods).filter(|pod| is_selected(query, *pod)).collect();
            return self.matrix(name, |pod| {
                if pods.contains(&pod) { self.readings(pod, until - seconds * 1000, until) } else { Vec::new() }
            });
        }
        success("matrix", "[]")
    }
}

/// Whether a query that names pods names this one.
fn is_selected(query: &str, pod: usize) -> bool {
    let Some((_, pods)) = query.rsplit_once(",pod=") else { return true };
    let pods = pods.trim_start_matches('~').trim_start_matches('"').split('"').next().unwrap_or_default();
    pods.split('|').any(|name| name.rsplit('-').next() == Some(pod.to_string().as_str()))
}

pub(crate) fn success(kind: &str, result: &str) -> Reply {
    Reply::new(200, format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#))
}
