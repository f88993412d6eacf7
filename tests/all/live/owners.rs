//! Who owns a pod is asked of a server: workloads are those of an export that holds the owners, and none is guessed from
//! the name of a pod.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::program::{leaktrend, said};
use super::real::open_metrics;
use super::scripted::{NOW, Reply, Request, Scripted, Shop, success};
use super::{notes, run, wanted, with};
use crate::cadvisor::Server;

/// A pod, minutes before the end of the readings at which it begins and ends, its owner, and the owner of that.
type Pod = (&'static str, (i64, i64), Option<[&'static str; 2]>, Option<[&'static str; 2]>);

const ALL: (i64, i64) = (600, 0);

/// Pods whose workload their names do not tell.
const PODS: [Pod; 10] = [
    ("queue-0", ALL, Some(["Cluster", "broker"]), None),
    ("queue-1", ALL, Some(["Cluster", "broker"]), None),
    // Pods that somebody made by hand.
    ("worker-0", ALL, None, None),
    ("debug-84c7b5d6f-x2k4p", ALL, None, None),
    // A ReplicaSet that somebody made by hand, and one of something that is no Deployment.
    ("cache-84c7b5d6f-x2k4p", ALL, Some(["ReplicaSet", "cache-84c7b5d6f"]), None),
    ("web-66b6c48dd5-x2k4p", ALL, Some(["ReplicaSet", "web-66b6c48dd5"]), Some(["Rollout", "front"])),
    // Evicted soon after it began, and hours ago.
    ("web-66b6c48dd5-7szfs", (400, 370), Some(["ReplicaSet", "web-66b6c48dd5"]), Some(["Rollout", "front"])),
    ("web-7d9f8b6c5d-b2zdv", (300, 0), Some(["ReplicaSet", "web-7d9f8b6c5d"]), Some(["Rollout", "front"])),
    // A Job that somebody made of a CronJob, and one that is called as if it were scheduled.
    ("sync-by-hand-b2zdv", ALL, Some(["Job", "sync-by-hand"]), Some(["CronJob", "sync"])),
    ("backup-29112345-b2zdv", ALL, Some(["Job", "backup-29112345"]), None),
];

const WORKLOADS: [&str; 7] = [
    "shop/backup-29112345/app",
    "shop/broker/app",
    "shop/cache-84c7b5d6f/app",
    "shop/debug-84c7b5d6f-x2k4p/app",
    "shop/front/app",
    "shop/sync/app",
    "shop/worker-0/app",
];

/// An export of the last ten hours before a time: the memory of the pods, their owners, and those of others.
/// `renamed`: how what kube-state-metrics says is called where the scrape gives labels of its own.
fn export(end: i64, renamed: bool) -> Value {
    let mut series: Vec<Value> = Vec::new();
    let mut add = |name: &str, labels: &[(&str, &str)], (from, to): (i64, i64), value: &dyn Fn(i64) -> i64| {
        let is_kube = name.starts_with("kube_");
        let mut metric = json!({"__name__": name});
        for (key, label) in labels {
            let key = if renamed && is_kube && matches!(*key, "namespace" | "pod") {
                metric[*key] = "kube-state-metrics".into();
                format!("exported_{key}")
            } else {
                (*key).to_owned()
            };
            metric[key] = (*label).into();
        }
        let values: Vec<Value> = (-from..=-to).map(|at| json!([end + 60 * at, value(at).to_string()])).collect();
        series.push(json!({"metric": metric, "values": values}));
    };
    for (pod, minutes, owner, above) in PODS {
        let of_pod = [("namespace", "shop"), ("pod", pod)];
        let noise = |at: i64| 200_000_000 + (at * 7919).rem_euclid(97) * 4096;
        add("container_memory_working_set_bytes", &[&of_pod[..], &[("container", "app")]].concat(), minutes, &noise);
        let owned_by = |owner: Option<[&'static str; 2]>| {
            let [kind, name] = owner.unwrap_or(["<none>", "<none>"]);
            // As kube-state-metrics 2 says it, which Prometheus keeps no label of.
            if pod == "worker-0" { vec![] } else { vec![("owner_kind", kind), ("owner_name", name)] }
        };
        add("kube_pod_owner", &[&of_pod[..], &owned_by(owner)].concat(), minutes, &|_| 1);
        let owned = match owner {
            Some(["ReplicaSet", name]) => Some(("kube_replicaset_owner", "replicaset", name)),
            Some(["Job", name]) => Some(("kube_job_owner", "job_name", name)),
            _ => None,
        };
        if let Some((metric, key, name)) = owned.filter(|_| pod != "web-66b6c48dd5-7szfs") {
            add(metric, &[&[("namespace", "shop"), (key, name)][..], &owned_by(above)].concat(), ALL, &|_| 1);
        }
    }
    let of_other = [("namespace", "shop"), ("pod", "elsewhere-0"), ("owner_kind", "Cluster"), ("owner_name", "queue")];
    add("kube_pod_owner", &of_other, ALL, &|_| 1);
    json!({"status": "success", "data": {"resultType": "matrix", "result": series}})
}

fn ids(folder: &Path, input: &str, args: &[&str]) -> Vec<String> {
    let args = [&[input, "--by", "workload", "--quiet", "--json", "-"], args].concat();
    let output = leaktrend(folder, &args, &[]);
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    ids_of(&verdict)
}

fn ids_of(verdict: &Value) -> Vec<String> {
    let series = verdict["series"].as_array().unwrap().iter();
    let mut ids: Vec<String> = series.map(|series| series["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn workloads_of_a_real_server_are_those_of_an_export_that_holds_owners() {
    // A night reads up to now.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    for renamed in [false, true] {
        let export = export(now - 300, renamed);
        let Some(server) = Server::with(&open_metrics(&export), &[]) else { return };
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("export.json"), export.to_string()).unwrap();
        assert_eq!(ids(folder.path(), "export.json", &[]), WORKLOADS);
        let address = format!("http://127.0.0.1:{}", server.port);
        assert_eq!(ids(folder.path(), &address, &["--since", "12h", "--save", "kept.json"]), WORKLOADS);
        assert_eq!(ids(folder.path(), "kept.json", &[]), WORKLOADS);
        let of_shop = ["--since", "12h", "--match", "namespace=\"shop\",pod!=\"worker-0\""];
        assert_eq!(ids(folder.path(), &address, &of_shop), WORKLOADS[..6]);
        let kept = fs::read_to_string(folder.path().join("kept.json")).unwrap();
        assert!(!kept.contains("elsewhere"), "owners of pods that were not read");
        assert_eq!(kept.matches("\"kube_pod_owner\"").count(), PODS.len());
        assert_eq!(night(folder.path(), &address, &[]), WORKLOADS);
    }
}

/// The workloads of a night.
fn night(folder: &Path, address: &str, args: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    command.current_dir(folder).env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    command.args(["nightly", address, "--state", "state", "--out", "night", "--by", "workload", "--quiet"]);
    let output = command.args(args).output().unwrap();
    let verdict = fs::read(folder.join("night/verdict.json")).unwrap_or_else(|_| panic!("{}", said(&output)));
    ids_of(&serde_json::from_slice(&verdict).unwrap())
}

/// What a server answers to a question for the owners of the pods of the shop.
fn owners(request: &Request) -> Option<Reply> {
    let of_pods = "{\"metric\":{\"__name__\":\"kube_pod_owner\",\"namespace\":\"shop\",\"pod\":\"api-0\",\
                   \"owner_kind\":\"ReplicaSet\",\"owner_name\":\"api\"}";
    let of_sets = "{\"metric\":{\"__name__\":\"kube_replicaset_owner\",\"namespace\":\"shop\",\"replicaset\":\"api\",\
                   \"owner_kind\":\"Rollout\",\"owner_name\":\"front\"}";
    let series = [("kube_pod_owner", of_pods), ("kube_replicaset_owner", of_sets)];
    let (_, series) = series.iter().find(|(name, _)| request.query().contains(name))?;
    let end = &request.form["end"];
    Some(success("matrix", &format!("[{series},\"values\":[[{end},\"1\"]]}}]")))
}

#[test]
fn owners_of_the_pods_that_were_read_are_asked_for_and_then_theirs() {
    let server = with(|request, _| owners(request));
    run(&wanted(&server.address())).text();
    let asked = server.asked();
    let of_owners = asked.iter().filter(|request| request.query().contains("_owner{"));
    let shown =
        of_owners.map(|request| format!("{} {} {}", request.query(), request.form["start"], request.form["step"]));
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
    last_over_time(kube_pod_owner{pod=~"api-0|web-1"}[10800s]) or last_over_time(kube_pod_owner{exported_pod=~"api-0|web-1"}[10800s]) 1795464420 10800
    last_over_time(kube_replicaset_owner{replicaset="api"}[10800s]) 1795464420 10800
    "#);

    // Without pods nobody is asked.
    let server = with(|request, _| {
        let mut reply = Shop::SMALL.answer(request);
        reply.body = String::from_utf8(reply.body).unwrap().replace("\"pod\"", "\"host\"").into();
        Some(reply)
    });
    run(&wanted(&server.address())).text();
    assert!(!server.asked().iter().any(|request| request.query().contains("_owner{")));
}

#[test]
fn owners_that_cannot_be_read_are_reported() {
    let server = with(|request, _| {
        request.query().contains("_owner{").then(|| Reply::error(422, "execution", "it is too much"))
    });
    let ran = run(&wanted(&server.address()));
    insta::assert_snapshot!(notes(ran.text()), @r#"
    `container_memory_working_set_bytes{container!="",container!="POD"}` was read from http://127.0.0.1:PORT from 2026-11-23T17:07:00Z to 2026-11-23T20:07:00Z: 720 samples in 1 request
    owners (`kube_pod_owner`) could not be read, so workloads are named after their pods: it answered 422 Unprocessable Entity: it is too much
    "#);
}

/// Tonight's server does not say it, and the pods of yesterday are of the same workload.
#[test]
fn an_owner_is_remembered_from_night_to_night() {
    let is_first = Arc::new(AtomicBool::new(true));
    let first = Arc::clone(&is_first);
    let server = Scripted::start(move |request, _| {
        let is_first = first.load(Ordering::SeqCst);
        let now = if is_first { NOW - 86_400 } else { NOW };
        match request.query() {
            "time()" => success("scalar", &format!("[{now},\"{now}\"]")),
            _ => owners(request).filter(|_| is_first).unwrap_or_else(|| Shop::SMALL.answer(request)),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let night = |now: i64| night(folder.path(), &server.address(), &["--now", &now.to_string()]);
    assert_eq!(night(NOW - 86_400), ["shop/front/api", "shop/web/web"]);
    is_first.store(false, Ordering::SeqCst);
    assert_eq!(night(NOW), ["shop/front/api", "shop/web/web"]);
}
