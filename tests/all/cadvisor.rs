//! What cAdvisor exports, from a real Prometheus: the queries of the docs, and the one that comes to mind first.
//!
//! Own code writes two days of a small cluster as `OpenMetrics`, `promtool` makes blocks of them, and a Prometheus on
//! loopback answers. Without `prometheus` and `promtool` it is skipped, or fails where `LEAKTREND_REQUIRE_PROMTOOL=1`.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::Random;

/// 2026-11-21T00:00:00Z, in seconds.
const START: i64 = 1_795_219_200;
const STEP: i64 = 60;
const N_STEPS: i64 = 2 * 24 * 60;
const END: i64 = START + N_STEPS * STEP;
const MIB: f64 = 1_048_576.0;

/// A container of the cluster.
struct Container {
    namespace: &'static str,
    pod: &'static str,
    name: &'static str,
    limit_mib: f64,
    /// Memory after so many minutes since it was created, in MiB.
    memory: fn(f64) -> f64,
    /// After how many steps it was created anew.
    created: &'static [i64],
}

const fn leaking(minutes: f64) -> f64 {
    120.0 + minutes * 0.25
}

/// Four that leak and six that do not; of these one was created anew twice.
const CLUSTER: [Container; 10] = [
    Container { namespace: "shop", pod: "web-7d9-abc", name: "web", limit_mib: 2048.0, memory: leaking, created: &[] },
    Container { namespace: "shop", pod: "web-7d9-def", name: "web", limit_mib: 2048.0, memory: leaking, created: &[] },
    Container {
        namespace: "shop",
        pod: "web-7d9-abc",
        name: "proxy",
        limit_mib: 128.0,
        memory: |_| 40.0,
        created: &[],
    },
    Container {
        namespace: "shop",
        pod: "web-7d9-def",
        name: "proxy",
        limit_mib: 128.0,
        memory: |_| 40.0,
        created: &[],
    },
    Container { namespace: "shop", pod: "db-0", name: "db", limit_mib: 1024.0, memory: |_| 700.0, created: &[] },
    Container { namespace: "shop", pod: "cron-5", name: "job", limit_mib: 2048.0, memory: leaking, created: &[] },
    Container {
        namespace: "ops",
        pod: "log-1",
        name: "agent",
        limit_mib: 256.0,
        memory: |_| 90.0,
        created: &[900, 1800],
    },
    Container { namespace: "ops", pod: "log-2", name: "agent", limit_mib: 256.0, memory: |_| 95.0, created: &[] },
    Container { namespace: "ops", pod: "dns-1", name: "dns", limit_mib: 0.0, memory: |_| 30.0, created: &[] },
    // It leaks through a run of each 16 hours.
    Container {
        namespace: "ops",
        pod: "api-1",
        name: "api",
        limit_mib: 2048.0,
        memory: |minutes| 150.0 + minutes * 0.6,
        created: &[960, 1920],
    },
];

/// Two days of the cluster as two replicas of Prometheus scraped it, with all that cAdvisor exports beside containers.
fn metrics() -> String {
    let mut memory = String::from("# TYPE container_memory_working_set_bytes gauge\n");
    let mut limits = String::from("# TYPE container_spec_memory_limit_bytes gauge\n");
    let mut starts_of_runs = String::from("# TYPE container_start_time_seconds gauge\n");
    let mut kube = String::from("# TYPE kube_pod_container_resource_limits gauge\n");
    for (replica, offset) in [("0", 0.0), ("1", 7.5)] {
        let scraper = format!("instance=\"node-1:10250\",job=\"kubelet\",prometheus_replica=\"{replica}\"");
        let at = |step: i64| START as f64 + (step * STEP) as f64 + offset;
        // The noise of a container is the same whoever scrapes it.
        for (index, container) in CLUSTER.iter().enumerate() {
            let Container { namespace, pod, name, limit_mib, memory: of, created } = container;
            let mut random = Random::seeded(index as u64);
            let starts: Vec<i64> = [0].into_iter().chain(created.iter().copied()).collect();
            for (run, start) in starts.iter().enumerate() {
                let end = starts.get(run + 1).copied().unwrap_or(N_STEPS);
                let labels = format!(
                    "container=\"{name}\",id=\"/kubepods/pod{index}/{run}\",image=\"{name}:1\",name=\"k8s_{name}_{pod}_{run}\",namespace=\"{namespace}\",pod=\"{pod}\",{scraper}"
                );
                for step in *start..end {
                    let pages = (of((step - start) as f64) * 256.0) as i64 + random.below(256);
                    let _ = writeln!(
                        memory,
                        "container_memory_working_set_bytes{{{labels}}} {} {:.3}",
                        pages * 4096,
                        at(step)
                    );
                    if step % 30 == 0 {
                        let began = START + start * STEP - 1;
                        let _ = writeln!(
                            starts_of_runs,
                            "container_start_time_seconds{{{labels}}} {began} {:.3}",
                            at(step)
                        );
                        let limit = limit_mib * MIB;
                        let _ =
                            writeln!(limits, "container_spec_memory_limit_bytes{{{labels}}} {limit} {:.3}", at(step));
                    }
                }
            }
            if replica == "0" && 0.0 < *limit_mib {
                for step in 0..N_STEPS {
                    let limit = limit_mib * MIB;
                    let _ = writeln!(
                        kube,
                        "kube_pod_container_resource_limits{{container=\"{name}\",namespace=\"{namespace}\",pod=\"{pod}\",resource=\"memory\",unit=\"byte\",uid=\"u-{index}\",instance=\"ksm:8080\",job=\"ksm\"}} {limit} {:.3}",
                        at(step)
                    );
                    let _ = writeln!(
                        kube,
                        "kube_pod_container_resource_limits{{container=\"{name}\",namespace=\"{namespace}\",pod=\"{pod}\",resource=\"cpu\",unit=\"core\",uid=\"u-{index}\",instance=\"ksm:8080\",job=\"ksm\"}} 0.5 {:.3}",
                        at(step)
                    );
                }
            }
        }
        // The sums above the containers leak with them.
        let above = [
            "id=\"/\"".to_owned(),
            "id=\"/kubepods\"".to_owned(),
            "id=\"/system.slice/kubelet.service\"".to_owned(),
            "id=\"/kubepods/pod0\",namespace=\"shop\",pod=\"web-7d9-abc\"".to_owned(),
            "id=\"/kubepods/pod1\",namespace=\"shop\",pod=\"web-7d9-def\"".to_owned(),
            "container=\"POD\",id=\"/kubepods/pod0/pause\",image=\"pause:3\",name=\"k8s_POD_web-7d9-abc\",namespace=\"shop\",pod=\"web-7d9-abc\"".to_owned(),
        ];
        for labels in above {
            for step in 0..N_STEPS {
                let bytes = 4096 * (400_000 + 300 * step);
                let _ = writeln!(
                    memory,
                    "container_memory_working_set_bytes{{{labels},{scraper}}} {bytes} {:.3}",
                    at(step)
                );
            }
        }
    }
    let families = [memory, limits, starts_of_runs, kube];
    families.iter().map(|family| by_series(family)).collect::<String>() + "# EOF\n"
}

/// The lines of a family in the order in which `OpenMetrics` wants them: those of one series together, by time.
fn by_series(family: &str) -> String {
    let mut lines: Vec<&str> = family.lines().skip(1).collect();
    lines.sort_by_key(|line| line.split("} ").next().unwrap_or_default());
    let head = family.lines().next().unwrap_or_default();
    std::iter::once(head).chain(lines).flat_map(|line| [line, "\n"]).collect()
}

/// A Prometheus that ends with the value.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) port: u16,
    /// Holds its blocks in `tsdb`.
    #[cfg_attr(not(feature = "live"), expect(dead_code, reason = "it is kept for as long as the server runs"))]
    pub(crate) data: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// `None` where it is not installed.
    fn start() -> Option<Server> {
        Server::with(&metrics(), &[])
    }

    /// The same with other readings, as `OpenMetrics`, and further arguments.
    pub(crate) fn with(metrics: &str, args: &[&str]) -> Option<Server> {
        let has =
            |program: &str| Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
        if !has("prometheus") || !has("promtool") {
            let required = std::env::var("LEAKTREND_REQUIRE_PROMTOOL").as_deref() == Ok("1");
            assert!(!required, "prometheus and promtool are required and absent");
            eprintln!("skipped: prometheus and promtool are absent");
            return None;
        }
        let data = tempfile::tempdir().unwrap();
        let at = |name: &str| data.path().join(name);
        fs::write(at("metrics"), metrics).unwrap();
        fs::write(at("prometheus.yml"), "global: {}\n").unwrap();
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "--quiet", "--max-block-duration=96h", "openmetrics"])
            .args([at("metrics"), at("tsdb")])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let (config, tsdb) = (at("prometheus.yml"), at("tsdb"));
        Some(Server::ready(data, "/-/ready", |port| {
            let mut command = Command::new("prometheus");
            command
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.tsdb.path={}", tsdb.display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .arg("--storage.tsdb.retention.time=100y")
                .arg("--log.level=error")
                .args(args);
            command
        }))
    }

    /// Starts a server, and waits until it answers at a path.
    pub(crate) fn ready(data: tempfile::TempDir, path: &str, command: impl Fn(u16) -> Command) -> Server {
        let port = free_port();
        let child = command(port).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Server { child, port, data };
        let begin = Instant::now();
        while !server.get(path).is_ok_and(|answer| answer.contains(" 200 ")) {
            assert!(begin.elapsed() < Duration::from_mins(3), "the server does not get ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn get(&self, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Asks an instant query at the end of the data, and keeps the answer as a file.
    fn ask(&self, query: &str, file: PathBuf) {
        self.ask_at(&format!("/api/v1/query?time={END}&query={}", encoded(query)), file);
    }

    fn ask_at(&self, path: &str, file: PathBuf) {
        let answer = self.get(path).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
        fs::write(file, body).unwrap();
    }
}

/// A port that no other test is given, and no client: those have ports from 32768 on.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 100) as u16 * 100;
    let mut ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed) % 100);
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("ports do not end")
}

/// As `curl --data-urlencode` writes it.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    command.current_dir(folder).env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    command.arg("analyze").args(args).output().unwrap()
}

/// The exit code, each series with its outcome, its restarts and its limit, and what is said of the inputs.
fn judged(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, &[args, &["--json", "verdict.json"]].concat());
    let verdict: Value = serde_json::from_slice(&fs::read(folder.join("verdict.json")).unwrap()).unwrap();
    let mut found = format!("exit {}\n", output.status.code().unwrap());
    let mut lines: Vec<String> = Vec::new();
    for series in verdict["series"].as_array().unwrap() {
        let limit =
            series["memory"]["limit"].as_f64().map_or("no limit".to_owned(), |limit| format!("{:.0} MiB", limit / MIB));
        let [id, outcome, verdict] = ["id", "outcome", "verdict"].map(|key| series[key].as_str().unwrap());
        let restarts = series["restarts"].as_array().unwrap().len();
        lines.push(format!("{id}: {outcome}, {verdict}, {restarts} restarts, {limit}\n"));
    }
    lines.sort();
    found.extend(lines);
    for input in verdict["inputs"].as_array().unwrap() {
        let [samples, other] = ["samples", "ignored_lines"].map(|key| input[key].as_u64().unwrap());
        let _ = writeln!(found, "{}: {samples} readings, {other} others", input["path"].as_str().unwrap());
        for warning in input["warnings"].as_array().unwrap() {
            let _ = writeln!(found, "  {}", warning.as_str().unwrap());
        }
        if let Some(why) = input["error"].as_str() {
            let _ = writeln!(found, "  unusable: {why}");
        }
    }
    found
}

/// The queries of `docs/ad-hoc.md`, each with the file that its answer goes to.
fn documented() -> Vec<(String, String)> {
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ad-hoc.md")).unwrap();
    docs.lines()
        .filter_map(|line| {
            let (_, rest) = line.strip_prefix("curl -sG ")?.split_once("'query=")?;
            let (query, file) = rest.split_once("' -o ")?;
            Some((query.to_owned(), file.to_owned()))
        })
        .collect()
}

/// A container that was created anew between two answers goes on, with a restart.
#[test]
fn a_container_goes_on_in_the_next_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, id, start) in [("a.json", "x", START), ("b.json", "y", START + 3600)] {
        let values: Vec<String> =
            (0..60).map(|i| format!("[{},\"{}\"]", start + 60 * i, 104_857_600 + 4096 * i)).collect();
        let labels = format!(
            "\"__name__\":\"container_memory_rss\",\"namespace\":\"shop\",\"pod\":\"db-0\",\"container\":\"db\",\"id\":\"/{id}\",\"node\":\"{id}\""
        );
        fs::write(folder.path().join(name), format!("[{{\"metric\":{{{labels}}},\"values\":[{}]}}]", values.join(",")))
            .unwrap();
    }
    insta::assert_snapshot!(judged(folder.path(), &["b.json", "a.json"]), @r"
    exit 0
    shop/db-0/db: pass, negligible-growth, 1 restarts, no limit
    b.json: 60 readings, 0 others
    a.json: 60 readings, 0 others
    ");
}

#[test]
fn queries_of_the_docs_and_the_obvious_one_find_the_four_that_leak() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let documented = documented();
    assert_eq!(documented.len(), 3, "docs/ad-hoc.md has the queries");
    for (query, file) in &documented {
        server.ask(query, at(file));
    }
    let judge = |args: &[&str]| judged(folder.path(), args);
    insta::assert_snapshot!("documented", judge(&["memory.json", "limits.json"]));
    // Metrics of restarts make them known.
    let reported = |args: &[&str]| {
        let verdict = run(folder.path(), &[&["--json", "-"], args].concat()).stdout;
        let verdict: Value = serde_json::from_slice(&verdict).unwrap();
        let series = verdict["series"].as_array().unwrap().iter().find(|one| one["id"] == "ops/log-1/agent").unwrap();
        series["restarts"].as_array().unwrap().iter().map(|one| one["recorded"] == true).collect::<Vec<_>>()
    };
    assert_eq!(reported(&["memory.json"]), [false, false]);
    assert_eq!(reported(&["memory.json", "restarts.json"]), [true, true]);
    // In whatever order, and without kube-state-metrics.
    server.ask("container_spec_memory_limit_bytes{container!=\"\"}[2d:1h]", at("spec.json"));
    let series =
        |text: &str| text.lines().take_while(|line| !line.contains("readings")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(series(&judge(&["limits.json", "memory.json"])), series(&judge(&["memory.json", "limits.json"])));
    assert_eq!(series(&judge(&["memory.json", "spec.json"])), series(&judge(&["memory.json", "limits.json"])));

    server.ask("container_memory_working_set_bytes[2d]", at("obvious.json"));
    insta::assert_snapshot!("obvious", judge(&["obvious.json"]));
    server.ask("max by (namespace, pod, container) (container_memory_working_set_bytes)[2d:5m]", at("aggregated.json"));
    insta::assert_snapshot!("aggregated", judge(&["aggregated.json", "limits.json"]));
    // Whole pods, where somebody asks for them, are judged.
    server.ask(
        "sum by (namespace, pod) (container_memory_working_set_bytes{container=\"\",pod!=\"\"})[2d:5m]",
        at("pods.json"),
    );
    insta::assert_snapshot!("pods", judge(&["pods.json"]));

    // What was kept by `--namespace`, `--pod` and `--label`.
    let ids = |args: &[&str]| -> Vec<String> {
        let text = judge(&[&["memory.json"], args].concat());
        series(&text).iter().skip(1).map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(ids(&["--namespace", "^ops$", "--container", "agent"]), ["ops/log-1/agent", "ops/log-2/agent"]);
    assert_eq!(ids(&["--pod", "^db-"]), ["shop/db-0/db"]);
    assert_eq!(ids(&["--label", "container=~d.*"]), ["ops/dns-1/dns", "shop/db-0/db"]);
    assert_eq!(ids(&["--label", "namespace!=shop", "--label", "image=\"api:1\""]), ["ops/api-1/api"]);

    // Limits alone, named and aggregated; memory in another unit, and shares.
    for (name, query) in [
        ("limits.json", documented[1].0.as_str()),
        ("named.json", "container_spec_memory_limit_bytes{container!=\"\"}[2d:1h]"),
        (
            "mib.json",
            "max by (namespace, pod, container) (container_memory_working_set_bytes{container!=\"\"})[2d:5m] / 1024",
        ),
        (
            "share.json",
            "(container_memory_working_set_bytes{container=\"web\"} / container_spec_memory_limit_bytes)[2d:5m]",
        ),
        ("mebi.json", "(container_memory_working_set_bytes{container=\"web\"} / 1024 / 1024)[2d:5m]"),
        ("rate.json", "deriv(container_memory_working_set_bytes{container=\"proxy\"}[10m])[1d:5m]"),
    ] {
        server.ask(query, at(name));
        let output = run(folder.path(), &[name]);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", String::from_utf8_lossy(&output.stdout));
    }

    // More points than Prometheus gives.
    server.ask_at(&format!("/api/v1/query_range?query=up&start={START}&end={END}&step=10"), at("many.json"));
    let output = run(folder.path(), &["many.json"]);
    insta::assert_snapshot!("many_points", String::from_utf8_lossy(&output.stderr));
}
