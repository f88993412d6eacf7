//! Reading from a server that speaks the Prometheus HTTP API: what is asked of it, what is made of its answers, and what
//! is said when it does not answer as it should.

mod faults;
mod owners;
mod program;
mod real;
pub(crate) mod scripted;
mod sockets;
mod tls;
mod victoria;

use std::io::Read;
use std::sync::Mutex;
use std::time::Duration;

use leaktrend::amounts::Amount;
use leaktrend::live::{Access, Address, Encoding, Host, MAX_SAMPLES, ServerSelector, Time, Wanted, fetch};
use leaktrend::progress::Meter;
use leaktrend::series::{Metric, Sampling, SeriesInfo};

use scripted::{NOW, Reply, Request, Scripted, Shop};

/// What is asked of a server: the last three hours of memory.
fn wanted(address: &str) -> Wanted {
    let (address, user) = Address::parse(address).unwrap();
    Wanted {
        address,
        access: Access::new(None, user.as_ref(), &[]).unwrap(),
        selector: ServerSelector::new(None, &[]).unwrap(),
        with_amounts: true,
        since: Time::BeforeNow(3 * 3_600_000),
        until: None,
        concurrency: 2,
        encoding: Encoding::Plain,
        max_samples: MAX_SAMPLES,
    }
}

/// What a run gave: the text that was kept, or why there is none, and how long it would have slept.
struct Ran {
    read: Result<String, String>,
    slept: Vec<Duration>,
}

impl Ran {
    #[track_caller]
    fn text(&self) -> &str {
        self.read.as_deref().unwrap()
    }

    #[track_caller]
    fn why(&self) -> String {
        let why = self.read.as_ref().unwrap_err();
        // Ports are those of this run.
        regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap().replace_all(why, "127.0.0.1:PORT").into_owned()
    }
}

fn run(wanted: &Wanted) -> Ran {
    let slept = Mutex::new(Vec::new());
    let sleep = |pause| slept.lock().unwrap().push(pause);
    let host = Host { now_ms: NOW * 1000, sleep: &sleep, seed: 1 };
    let read = fetch(wanted, &host, &Meter::default()).map(|mut file| {
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        text
    });
    Ran { read, slept: slept.into_inner().unwrap() }
}

/// A server that does `fault` where that gives something, and otherwise answers as it should.
fn with(fault: impl Fn(&Request, usize) -> Option<Reply> + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |request, before| fault(request, before).unwrap_or_else(|| Shop::SMALL.answer(request)))
}

/// The samples of each series of memory: label `id`, time in milliseconds, value; in order of time.
fn samples(text: &str) -> Vec<(String, i64, String)> {
    let answer: serde_json::Value = serde_json::from_str(text).unwrap();
    let mut samples = Vec::new();
    for series in answer["data"]["result"].as_array().unwrap() {
        if series["metric"]["__name__"] != "container_memory_working_set_bytes" {
            continue;
        }
        for point in series["values"].as_array().unwrap() {
            let time_ms = (point[0].as_f64().unwrap() * 1000.0).round() as i64;
            samples.push((
                series["metric"]["id"].as_str().unwrap().to_owned(),
                time_ms,
                point[1].as_str().unwrap().to_owned(),
            ));
        }
    }
    samples.sort();
    samples
}

/// What is said of how it was read.
fn notes(text: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(text).unwrap();
    let notes = answer["leaktrend"]["notes"].as_array().unwrap();
    let notes: Vec<&str> = notes.iter().map(|note| note.as_str().unwrap()).collect();
    regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap().replace_all(&notes.join("\n"), "127.0.0.1:PORT").into_owned()
}

#[test]
fn every_sample_is_read_once_however_it_is_cut() {
    let server = with(|_, _| None);
    let whole = run(&wanted(&server.address()));
    // A reading every 30 s for three hours, of two pods.
    let of_whole = samples(whole.text());
    assert_eq!(of_whole.len(), 2 * 360);
    for (max_samples, concurrency) in [(300, 1), (300, 2), (30, 4), (25, 2)] {
        let parts = run(&Wanted { max_samples, concurrency, ..wanted(&server.address()) });
        assert_eq!(samples(parts.text()), of_whole, "{max_samples}");
    }
    insta::assert_snapshot!(notes(whole.text()), @r#"`container_memory_working_set_bytes{container!="",container!="POD"}` was read from http://127.0.0.1:PORT from 2026-11-23T17:07:00Z to 2026-11-23T20:07:00Z: 720 samples in 1 request"#);
}

#[test]
fn the_same_data_give_the_same_file() {
    let server = with(|_, _| None);
    let read = |concurrency| run(&Wanted { max_samples: 100, concurrency, ..wanted(&server.address()) }).read.unwrap();
    assert_eq!(read(1), read(4));
}

#[test]
fn series_are_divided_where_time_cannot_be() {
    // Ten minutes of 40 pods are 800 samples.
    let shop = Shop { n_pods: 40, ..Shop::SMALL };
    let server = Scripted::start(move |request, _| shop.answer(request));
    let all = run(&wanted(&server.address()));
    let parts = run(&Wanted { max_samples: 200, ..wanted(&server.address()) });
    assert_eq!(samples(parts.text()), samples(all.text()));
    let asked = server.asked();
    let divided = asked.iter().filter(|request| request.query().contains("pod=~")).count();
    assert!(10 < divided, "{divided}");
}

#[test]
fn what_is_asked_is_gentle_and_exact() {
    let server = with(|_, _| None);
    run(&wanted(&server.address())).text();
    let asked: Vec<String> = server
        .asked()
        .iter()
        .map(|request| {
            let form: Vec<String> = request.form.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("{} {} {}", request.method, request.path, form.join(" "))
        })
        .collect();
    insta::assert_snapshot!(asked.join("\n"), @r#"
    POST /api/v1/query query=time() timeout=120s
    POST /api/v1/query_range end=1795464420 query=count(container_memory_working_set_bytes{container!="",container!="POD"}) start=1795453620 step=108 timeout=120s
    POST /api/v1/query query=sum(count_over_time(container_memory_working_set_bytes{container!="",container!="POD"}[600s])) time=1795464420 timeout=120s
    POST /api/v1/query query=container_memory_working_set_bytes{container!="",container!="POD"}[10800s] time=1795464420 timeout=120s
    POST /api/v1/query_range end=1795464420 query=count by (__name__) ({container!="",container!="POD",__name__=~"container_memory_rss|container_memory_cache|container_memory_usage_bytes|container_memory_kernel_usage|container_memory_swap|process_resident_memory_bytes|nodejs_heap_size_used_bytes|nodejs_heap_size_total_bytes|nodejs_external_memory_bytes|go_memstats_heap_alloc_bytes|go_memstats_heap_sys_bytes|jvm_memory_used_bytes|jvm_memory_bytes_used|jvm_memory_committed_bytes|jvm_memory_bytes_committed|jvm_buffer_memory_used_bytes|dotnet_gc_heap_size_bytes|dotnet_total_memory_bytes|process_memory_usage"} > 0 and on (cluster,namespace,pod,container) container_memory_working_set_bytes{container!="",container!="POD"}) start=1795453620 step=108 timeout=120s
    POST /api/v1/query_range end=1795464420 query=container_spec_memory_limit_bytes{container!="",container!="POD"} start=1795453200 step=450 timeout=120s
    POST /api/v1/query_range end=1795464420 query=kube_pod_container_resource_limits{container!="",container!="POD",resource="memory"} start=1795453200 step=450 timeout=120s
    POST /api/v1/query_range end=1795464420 query=container_start_time_seconds{container!="",container!="POD"} start=1795453620 step=60 timeout=120s
    POST /api/v1/query_range end=1795464420 query=container_oom_events_total{container!="",container!="POD"} start=1795453620 step=60 timeout=120s
    POST /api/v1/query_range end=1795464420 query=kube_pod_container_status_restarts_total{container!="",container!="POD"} start=1795453620 step=60 timeout=120s
    POST /api/v1/query_range end=1795464420 query=kube_pod_container_status_last_terminated_reason{container!="",container!="POD"} start=1795453620 step=60 timeout=120s
    POST /api/v1/query_range end=1795464420 query=kube_pod_start_time start=1795453620 step=60 timeout=120s
    POST /api/v1/query_range end=1795464420 query=last_over_time(kube_pod_owner{pod=~"api-0|web-1"}[10800s]) or last_over_time(kube_pod_owner{exported_pod=~"api-0|web-1"}[10800s]) start=1795464420 step=10800 timeout=120s
    "#);
    assert!(server.asked().iter().all(|request| request.header("accept-encoding") == Some("gzip")));
}

#[test]
fn other_amounts_that_are_there_are_asked_for_together() {
    let shop = Shop { with_amounts: true, ..Shop::SMALL };
    let server = Scripted::start(move |request, _| shop.answer(request));
    let since = Time::BeforeNow(2 * 86_400_000);
    let ran = run(&Wanted { since, ..wanted(&server.address()) });
    insta::assert_snapshot!(notes(ran.text()), @r#"
    `container_memory_working_set_bytes{container!="",container!="POD"}` was read from http://127.0.0.1:PORT from 2026-11-21T20:07:00Z to 2026-11-23T20:07:00Z: 11520 samples in 2 requests
    what grows in each container is inferred from `container_memory_cache`, `container_memory_rss`, `nodejs_heap_size_used_bytes`, read every 3 min (`--metric container_memory_working_set_bytes` leaves them out)
    "#);
    let of_amounts = |server: &Scripted| {
        let asked = server.asked();
        let queries = asked.iter().filter(|request| request.query().contains("__name__"));
        queries.map(|request| format!("{} step={}", request.query(), request.form["step"])).collect::<Vec<_>>()
    };
    insta::assert_snapshot!(of_amounts(&server).join("\n"), @r#"
    count by (__name__) ({container!="",container!="POD",__name__=~"container_memory_rss|container_memory_cache|container_memory_usage_bytes|container_memory_kernel_usage|container_memory_swap|process_resident_memory_bytes|nodejs_heap_size_used_bytes|nodejs_heap_size_total_bytes|nodejs_external_memory_bytes|go_memstats_heap_alloc_bytes|go_memstats_heap_sys_bytes|jvm_memory_used_bytes|jvm_memory_bytes_used|jvm_memory_committed_bytes|jvm_memory_bytes_committed|jvm_buffer_memory_used_bytes|dotnet_gc_heap_size_bytes|dotnet_total_memory_bytes|process_memory_usage"} > 0 and on (cluster,namespace,pod,container) container_memory_working_set_bytes{container!="",container!="POD"}) step=1728
    last_over_time({container!="",container!="POD",__name__=~"container_memory_cache|container_memory_rss"}[180s]) step=180
    sum by (__name__,cluster,namespace,pod,container,area,jvm_memory_type) (max by (__name__,cluster,namespace,pod,container,area,jvm_memory_type,id,pool,jvm_memory_pool_name) ({container!="",container!="POD",__name__="nodejs_heap_size_used_bytes"} and on (cluster,namespace,pod,container) container_memory_working_set_bytes{container!="",container!="POD"})) step=180
    "#);
    // One value of each step, of all pods, and of the one that has a heap.
    let count = |name: &str| {
        ran.text()
            .lines()
            .filter(|line| line.contains(name))
            .map(|line| line.matches("],[").count() + 1)
            .collect::<Vec<_>>()
    };
    assert_eq!(count("\"container_memory_rss\""), [960, 960]);
    assert_eq!(count("\"nodejs_heap_size_used_bytes\""), [960]);

    // However it is cut, nothing is read twice.
    let cut = run(&Wanted { since, max_samples: 1000, ..wanted(&server.address()) });
    let points = |text: &str| text.matches(",\"30000000\"").count();
    assert_eq!(points(cut.text()), points(ran.text()));

    // What has just begun has a value, too: without one it would be called by its metric.
    let young = Shop { since: NOW - 30, ..shop };
    let server = Scripted::start(move |request, _| young.answer(request));
    let ran = run(&Wanted { since, ..wanted(&server.address()) });
    assert_eq!(ran.text().matches("\"container_memory_rss\"").count(), 2);

    let alone = Scripted::start(move |request, _| shop.answer(request));
    run(&Wanted { since, with_amounts: false, ..wanted(&alone.address()) }).text();
    assert_eq!(of_amounts(&alone), Vec::<String>::new());
}

#[test]
fn each_amount_that_is_asked_for_is_weighed() {
    let shop = Shop { with_amounts: true, ..Shop::SMALL };
    let server = Scripted::start(move |request, _| shop.answer(request));
    run(&wanted(&server.address())).text();
    let asked = server.asked();
    let query = asked.iter().map(Request::query).find(|query| query.starts_with("count by")).unwrap();
    let names = query.split_once("__name__=~\"").unwrap().1.split('"').next().unwrap();
    let mut amounts: Vec<String> = names
        .split('|')
        .map(|name| {
            let labels = [("__name__", name), ("area", "heap")].map(|(key, value)| (key.to_owned(), value.to_owned()));
            let info = SeriesInfo {
                id: String::new(),
                labels: labels.into_iter().collect(),
                container_given: false,
                limit: None,
                metric: Metric::Other,
                sampling: Sampling::Raw,
            };
            Amount::of(&info).map_or_else(|| panic!("{name}"), |amount| amount.name().to_owned())
        })
        .collect();
    amounts.sort();
    amounts.dedup();
    assert_eq!(amounts.join(" "), "buffers cache external heap-total heap-used kernel process-rss rss swap usage");
}

#[test]
fn a_path_before_the_api_stays() {
    let server = with(|_, _| None);
    run(&wanted(&format!("{}/select/0/prometheus/", server.address()))).text();
    assert!(server.asked().iter().all(|request| request.path.starts_with("/select/0/prometheus/api/v1/")));
}

#[test]
fn the_clock_of_the_server_counts() {
    let server = with(|request, _| {
        let now = NOW + 3600;
        (request.query() == "time()").then(|| scripted::success("scalar", &format!("[{now},\"{now}\"]")))
    });
    let ran = run(&wanted(&server.address()));
    assert!(
        notes(ran.text())
            .ends_with("the clock of the server is 1 h ahead of the clock of this machine: the server's time was used"),
        "{}",
        notes(ran.text())
    );
    let last = samples(ran.text()).iter().map(|sample| sample.1).max().unwrap();
    assert!((NOW + 3570) * 1000 < last, "{last}");
}

#[test]
fn a_gateway_without_range_selectors_is_asked_for_steps() {
    let server = with(|request, _| {
        let is_range = request.path.ends_with("/query") && request.query().ends_with("s]");
        is_range.then(|| Reply::error(400, "bad_data", "range vectors are not supported here"))
    });
    let ran = run(&wanted(&server.address()));
    assert!(ran.text().contains("\"samples\":\"step\""));
    assert_eq!(samples(ran.text()).len(), 2 * 360);
    insta::assert_snapshot!(notes(ran.text()), @r#"
    `container_memory_working_set_bytes{container!="",container!="POD"}` was read from http://127.0.0.1:PORT from 2026-11-23T17:07:00Z to 2026-11-23T20:07:00Z: 720 samples in 1 request
    the server refuses range selectors (it answered 400 Bad Request: range vectors are not supported here): read by `query_range` in steps of 30 s, so timestamps are those of the steps and alerts are replayed less exactly
    "#);
}

#[test]
fn a_gateway_that_lets_only_get_through_is_asked_by_get() {
    let server = with(|request, _| (request.method == "POST").then(|| Reply::new(405, "")));
    assert_eq!(samples(run(&wanted(&server.address())).text()).len(), 2 * 360);
    assert_eq!(server.asked().iter().filter(|request| request.method == "POST").count(), 1);
}

#[test]
fn compressed_answers_are_read() {
    let server = Scripted::start(|request, _| {
        let plain = Shop::SMALL.answer(request);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, &plain.body).unwrap();
        Reply { body: gzip.finish().unwrap(), ..plain }.with("content-encoding", "gzip")
    });
    assert_eq!(samples(run(&wanted(&server.address())).text()).len(), 2 * 360);
}

#[test]
fn what_the_server_warns_of_is_kept() {
    let server = with(|request, _| {
        let mut reply = Shop::SMALL.answer(request);
        reply.body = String::from_utf8(reply.body)
            .unwrap()
            .replacen('{', r#"{"isPartial":true,"warnings":["a store is away"],"#, 1)
            .into();
        Some(reply)
    });
    let ran = run(&wanted(&server.address()));
    let answer: serde_json::Value = serde_json::from_str(ran.text()).unwrap();
    assert_eq!((&answer["warnings"], &answer["isPartial"]), (&serde_json::json!(["a store is away"]), &true.into()));
}
