//! Which series are amounts of one container.

use super::*;
use crate::series::{Metric, Sampling};

/// A series by its id and labels `key=value`, with a name of its container where the input gave one.
fn info(id: &str, labels: &[&str]) -> SeriesInfo {
    let labels: Labels = labels
        .iter()
        .map(|label| label.split_once('=').expect("a label"))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let container_given = labels.contains_key("container");
    let metric = Metric::Other;
    SeriesInfo { id: id.to_owned(), labels, container_given, limit: None, metric, sampling: Sampling::Raw }
}

fn of_pod(metric: &str, pod: &str, more: &[&str]) -> SeriesInfo {
    let labels = [format!("__name__={metric}"), format!("pod={pod}")];
    let labels = labels.iter().map(String::as_str).chain(["namespace=shop", "container=web"]).chain(more.to_vec());
    info(&format!("shop/{pod}/web {metric}"), &labels.collect::<Vec<&str>>())
}

#[track_caller]
fn check(infos: &[SeriesInfo], expected: &[&str]) {
    let all: Vec<&SeriesInfo> = infos.iter().collect();
    let text = |Group { id, ids }: Group| format!("{id}: {}", ids.join(", "));
    let found: Vec<String> = groups(&all).into_iter().map(text).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_pods_amounts_are_one_whatever_run_and_scraper_they_are_of() {
    let runs = ["id=/kubepods/1", "image=web:1", "name=k8s_web"];
    let other = ["id=/kubepods/2", "image=web:2", "node=n2"];
    check(
        &[
            of_pod("container_memory_rss", "web-1", &runs),
            of_pod("container_memory_working_set_bytes", "web-1", &other),
            of_pod("container_memory_working_set_bytes", "web-2", &runs),
        ],
        &["shop/web-1/web: shop/web-1/web container_memory_working_set_bytes, shop/web-1/web container_memory_rss"],
    );
}

#[test]
fn a_process_joins_the_only_container_that_fits() {
    let set = |pod: &str, more: &[&str]| of_pod("container_memory_working_set_bytes", pod, more);
    let process = |pod: &str| of_pod("process_resident_memory_bytes", pod, &["job=web", "instance=10.0.0.1:9090"]);
    let joined = "shop/web-1/web: shop/web-1/web container_memory_working_set_bytes, shop/web-1/web process_resident_memory_bytes";
    check(&[process("web-1"), set("web-1", &[])], &[joined]);
    check(&[process("web-2"), set("web-1", &[])], &[]);
    // Two clusters hold one of this name, and the process does not say which is its own.
    check(&[process("web-1"), set("web-1", &["cluster=a"]), set("web-1", &["cluster=b"])], &[]);
    // Without the container's name: the pod's only one.
    let mut nameless = process("web-1");
    nameless.labels.remove("container");
    nameless.container_given = false;
    check(&[nameless, set("web-1", &[])], &[joined]);
}

#[test]
fn processes_without_pods_are_one_by_job_and_instance() {
    let process = |metric: &str, instance: &str| {
        let id = format!("{metric}{{instance=\"{instance}\", job=\"api\"}}");
        info(&id, &[&format!("__name__={metric}"), "job=api", &format!("instance={instance}")])
    };
    check(
        &[
            process("go_memstats_heap_inuse_bytes", "a:1"),
            process("process_resident_memory_bytes", "a:1"),
            process("process_resident_memory_bytes", "b:1"),
        ],
        &[
            "api/a:1: process_resident_memory_bytes{instance=\"a:1\", job=\"api\"}, go_memstats_heap_inuse_bytes{instance=\"a:1\", job=\"api\"}",
        ],
    );
}

#[test]
fn parts_of_a_node_process_are_one() {
    let part =
        |process: &str, part: &str| info(&format!("{process}/{part}"), &["container=api", &format!("part={part}")]);
    check(
        &[part("api one", "heapUsed"), part("api one", "rss"), part("api two", "rss")],
        &["api one: api one/rss, api one/heapUsed"],
    );
    // A file of tables with a column of that name holds other things.
    check(&[info("a", &["part=rss"]), info("b", &["part=rss"])], &[]);
}

#[test]
fn amounts_that_stand_for_no_container_are_judged_each() {
    check(&[of_pod("container_memory_cache", "web-1", &[]), of_pod("container_memory_swap", "web-1", &[])], &[]);
    let go = |name: &str| of_pod(name, "web-1", &[]);
    check(&[go("go_memstats_next_gc_bytes"), go("go_memstats_stack_inuse_bytes")], &[]);
    let heap = "shop/web-1/web: shop/web-1/web go_memstats_heap_inuse_bytes, shop/web-1/web go_memstats_next_gc_bytes";
    check(&[go("go_memstats_next_gc_bytes"), go("go_memstats_heap_inuse_bytes")], &[heap]);
}

#[test]
fn names_say_what_is_counted() {
    for (labels, expected) in [
        (&["__name__=container_memory_working_set_bytes"][..], Some(Amount::WorkingSet)),
        (&["__name__=node_namespace_pod_container:container_memory_rss"], Some(Amount::Rss)),
        (&["__name__=jvm_memory_used_bytes", "area=heap"], Some(Amount::HeapUsed)),
        (&["__name__=jvm_memory_used_bytes", "area=nonheap"], Some(Amount::NonHeap)),
        (&["__name__=jvm_memory_used_bytes"], Some(Amount::Other)),
        (&["__name__=jvm_memory_bytes_committed", "area=heap"], Some(Amount::HeapTotal)),
        (&["__name__=go_memstats_next_gc_bytes"], Some(Amount::Other)),
        (&["__name__=redis_memory_used_bytes"], None),
        (&["part=heapTotal"], Some(Amount::HeapTotal)),
        (&["container=web"], None),
    ] {
        assert_eq!(Amount::of(&info("x", labels)), expected, "{labels:?}");
    }
}

#[test]
fn an_id_that_another_series_has_is_not_given_twice() {
    let docker = info("shop/web-1/web", &["container=web"]);
    let amounts =
        [of_pod("container_memory_rss", "web-1", &[]), of_pod("container_memory_cache", "web-1", &[]), docker];
    check(
        &amounts,
        &[
            "shop/web-1/web container_memory_rss: shop/web-1/web container_memory_rss, shop/web-1/web container_memory_cache",
        ],
    );
}
