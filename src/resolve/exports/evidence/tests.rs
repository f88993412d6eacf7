//! What exports report restarts, on small exports.

use crate::decode::Options;
use crate::open::Source;
use crate::read::readings;
use crate::read::test_support::account;

/// 2026-11-23T20:00:00Z.
const AT: i64 = 1_795_464_000;

const WEB: &str = "namespace=\"shop\",pod=\"web-1\",container=\"web\"";

/// Memory of `web` every 30 s for ten minutes.
fn memory(labels: &str) -> String {
    let readings: Vec<(i64, f64)> = (0..20).map(|n| (30 * n, 104_857_600.0)).collect();
    lines("container_memory_rss", labels, &readings)
}

/// Lines of one series: seconds and value.
fn lines(name: &str, labels: &str, readings: &[(i64, f64)]) -> String {
    let line = |(time, value): &(i64, f64)| format!("{name}{{{labels}}} {value} {}", AT + time);
    readings.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

/// What is reported the only series: seconds, how, by whom; then when it is watched, and the account.
fn said(text: &str) -> String {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    let read = readings(&[Source::File(file.path().to_owned())], &Options::default());
    let mut said = String::new();
    for reported in &read.reported {
        for one in &reported.restarts {
            let [after, at] = [one.after_ms, one.time_ms].map(|time_ms| time_ms as f64 / 1e3 - AT as f64);
            let what = match (one.restarted, one.oom, one.recreated) {
                (true, true, _) => "oom restart",
                (true, false, true) => "recreated",
                (true, false, false) => "restart",
                (false, ..) => "oom",
            };
            let reason = one.reason.as_deref().unwrap_or_default();
            said += &format!("{after}..{at} {what} {reason} by {}\n", one.by.join(" "));
        }
        let watched: Vec<(i64, i64)> =
            reported.watched.iter().map(|(from, to)| (from / 1000 - AT, to / 1000 - AT)).collect();
        said += &format!("{} watched {watched:?}\n", reported.series);
    }
    said + &account(&read.inputs[0])
}

#[test]
fn a_start_time_that_changes_is_a_restart() {
    let starts = [(0, AT as f64 - 100.0), (270, AT as f64 - 100.0), (300, AT as f64 + 290.5), (570, AT as f64 + 290.5)];
    insta::assert_snapshot!(said(&(memory(WEB) + &lines("container_start_time_seconds", WEB, &starts))), @r"
    -100..-100 restart  by container_start_time_seconds
    290.5..290.5 restart  by container_start_time_seconds
    shop/web-1/web watched [(0, 570)]
    20 samples, 0 gaps, 4 other, 0 rejected
    ");
    // Each run of a container in a pod has an id of its own, and both are of one container.
    let [old, new] = ["a", "b"].map(|id| format!("{WEB},id=\"/kubepods/pod1/{id}\",name=\"k8s_{id}\""));
    let runs = lines("container_start_time_seconds", &old, &starts[..2])
        + &lines("container_start_time_seconds", &new, &starts[2..]);
    insta::assert_snapshot!(said(&(memory(WEB) + &runs)), @r"
    -100..-100 restart  by container_start_time_seconds
    290.5..290.5 restart  by container_start_time_seconds
    shop/web-1/web watched [(0, 270), (300, 570)]
    20 samples, 0 gaps, 4 other, 0 rejected
    ");
}

/// The clock of the machine was set by 5 s: the process is the same.
#[test]
fn a_start_time_that_moves_with_the_clock_is_no_restart() {
    let starts = [(0, AT as f64 - 100.0), (270, AT as f64 - 100.0), (300, AT as f64 - 95.0), (570, AT as f64 - 95.0)];
    insta::assert_snapshot!(said(&(memory(WEB) + &lines("process_start_time_seconds", WEB, &starts))), @r"
    -100..-100 restart  by process_start_time_seconds
    shop/web-1/web watched [(0, 570)]
    20 samples, 0 gaps, 4 other, 0 rejected
    ");
}

/// The counter says that and how often, the start time when, the reason why.
#[test]
fn a_counter_a_start_time_and_a_reason_are_one_restart() {
    let counter =
        lines("kube_pod_container_status_restarts_total", WEB, &[(0, 2.0), (285, 2.0), (315, 3.0), (570, 3.0)]);
    let reason = lines(
        "kube_pod_container_status_last_terminated_reason",
        &format!("{WEB},reason=\"OOMKilled\""),
        &[(315, 1.0), (570, 1.0)],
    );
    let start = lines("container_start_time_seconds", WEB, &[(0, AT as f64 - 9.0), (300, AT as f64 + 291.0)]);
    insta::assert_snapshot!(said(&(memory(WEB) + &counter)), @r"
    225..315 restart  by kube_pod_container_status_restarts_total
    shop/web-1/web watched [(0, 570)]
    20 samples, 0 gaps, 4 other, 0 rejected
    ");
    insta::assert_snapshot!(said(&(memory(WEB) + &counter + &reason)), @r"
    225..315 oom restart  by kube_pod_container_status_restarts_total kube_pod_container_status_last_terminated_reason
    shop/web-1/web watched [(0, 570)]
    20 samples, 0 gaps, 6 other, 0 rejected
    ");
    insta::assert_snapshot!(said(&(memory(WEB) + &counter + &reason + &start)), @r"
    -9..-9 restart  by container_start_time_seconds
    291..291 oom restart  by container_start_time_seconds kube_pod_container_status_restarts_total kube_pod_container_status_last_terminated_reason
    shop/web-1/web watched [(0, 300), (0, 570)]
    20 samples, 0 gaps, 8 other, 0 rejected
    ");
    // Alone, a reason tells when it changes.
    let other = lines(
        "kube_pod_container_status_last_terminated_reason",
        &format!("{WEB},reason=\"Error\""),
        &[(0, 1.0), (285, 1.0)],
    );
    insta::assert_snapshot!(said(&(memory(WEB) + &other + &reason)), @r"
    225..315 oom restart  by kube_pod_container_status_last_terminated_reason
    shop/web-1/web watched []
    20 samples, 0 gaps, 4 other, 0 rejected
    ");
}

#[test]
fn restarts_between_two_scrapes_are_spread_and_a_counter_that_falls_counts_none() {
    let counter =
        lines("kube_pod_container_status_restarts_total", WEB, &[(0, 2.0), (300, 5.0), (330, 0.0), (570, 0.0)]);
    insta::assert_snapshot!(said(&(memory(WEB) + &counter)), @r"
    0..100 restart  by kube_pod_container_status_restarts_total
    0..200 restart  by kube_pod_container_status_restarts_total
    0..300 restart  by kube_pod_container_status_restarts_total
    shop/web-1/web watched [(0, 300), (330, 570)]
    20 samples, 0 gaps, 4 other, 0 rejected
    ");
    // Two scrapers of one counter, of which one is late, count each restart once.
    let twice =
        lines("kube_pod_container_status_restarts_total", &format!("{WEB},instance=\"a\""), &[(0, 2.0), (300, 3.0)])
            + &lines(
                "kube_pod_container_status_restarts_total",
                &format!("{WEB},instance=\"b\""),
                &[(5, 2.0), (301, 2.0), (335, 3.0)],
            );
    insta::assert_snapshot!(said(&(memory(WEB) + &twice)), @r"
    -55..300 restart  by kube_pod_container_status_restarts_total
    shop/web-1/web watched [(0, 300), (5, 335)]
    20 samples, 0 gaps, 5 other, 0 rejected
    ");
}

#[test]
fn kills_of_a_process_beside_the_first_are_told_too() {
    let kills = lines(
        "container_oom_events_total",
        &format!("{WEB},id=\"/kubepods/pod1/a\""),
        &[(0, 0.0), (270, 0.0), (300, 1.0)],
    );
    insta::assert_snapshot!(said(&(memory(WEB) + &kills)), @r"
    270..300 oom  by container_oom_events_total
    shop/web-1/web watched []
    20 samples, 0 gaps, 3 other, 0 rejected
    ");
}

#[test]
fn a_pod_that_is_made_anew_under_its_name_is_recreated() {
    let pod = lines(
        "kube_pod_start_time",
        "namespace=\"shop\",pod=\"web-1\"",
        &[(0, AT as f64 - 9.0), (300, AT as f64 + 280.0)],
    );
    insta::assert_snapshot!(said(&(memory(WEB) + &pod)), @r"
    280..280 recreated  by kube_pod_start_time
    shop/web-1/web watched []
    20 samples, 0 gaps, 2 other, 0 rejected
    ");
    let start = lines("container_start_time_seconds", WEB, &[(0, AT as f64 - 5.0), (330, AT as f64 + 310.0)]);
    insta::assert_snapshot!(said(&(memory(WEB) + &pod + &start)), @r"
    -5..-5 restart  by container_start_time_seconds
    310..310 recreated  by container_start_time_seconds kube_pod_start_time
    shop/web-1/web watched [(0, 330)]
    20 samples, 0 gaps, 4 other, 0 rejected
    ");
}

#[test]
fn evidence_is_of_the_container_that_it_names() {
    let others = [
        "namespace=\"ops\",pod=\"web-1\",container=\"web\"",
        "namespace=\"shop\",pod=\"web-2\",container=\"web\"",
        "namespace=\"shop\",pod=\"web-1\",container=\"proxy\"",
    ];
    let readings = [(0, 2.0), (300, 3.0)];
    let counters = others.map(|labels| lines("kube_pod_container_status_restarts_total", labels, &readings)).concat();
    insta::assert_snapshot!(said(&(memory(WEB) + &counters)), @r"
    20 samples, 0 gaps, 6 other, 0 rejected
    warning: restart metrics of containers without memory readings are not used: 3 of `kube_pod_container_status_restarts_total`
    ");
    // What kube-state-metrics says of a pod is `exported_` where the scrape has labels of its own.
    let exported = "namespace=\"mon\",pod=\"ksm\",container=\"ksm\",exported_namespace=\"shop\",exported_pod=\"web-1\",exported_container=\"web\"";
    let counter = lines("kube_pod_container_status_restarts_total", exported, &readings);
    insta::assert_snapshot!(said(&(memory(WEB) + &counter)), @r"
    -60..300 restart  by kube_pod_container_status_restarts_total
    shop/web-1/web watched [(0, 300)]
    20 samples, 0 gaps, 2 other, 0 rejected
    ");
    // The process that is scraped for the memory of containers is none of them.
    let own = lines(
        "process_start_time_seconds",
        "job=\"cadvisor\",instance=\"c:8080\"",
        &[(0, 100.0), (300, AT as f64 + 290.0)],
    );
    insta::assert_snapshot!(said(&(memory("id=\"/docker/a\",name=\"web\",instance=\"c:8080\",job=\"cadvisor\"") + &own)), @r"
    20 samples, 0 gaps, 2 other, 0 rejected
    warning: restart metrics of containers without memory readings are not used: 1 of `process_start_time_seconds`
    ");
    let process: String =
        memory("instance=\"c:8080\",job=\"cadvisor\"").replace("container_memory_rss", "process_resident_memory_bytes");
    insta::assert_snapshot!(said(&(process + &own)), @r#"
    -1795463900..-1795463900 restart  by process_start_time_seconds
    290..290 restart  by process_start_time_seconds
    process_resident_memory_bytes{instance="c:8080", job="cadvisor"} watched [(0, 300)]
    20 samples, 0 gaps, 2 other, 0 rejected
    "#);
}

#[test]
fn a_counter_of_a_machine_says_that_something_was_killed_there() {
    let host = lines("node_vmstat_oom_kill", "instance=\"node-1:9100\"", &[(0, 7.0), (300, 9.0)]);
    insta::assert_snapshot!(said(&(memory(WEB) + &host)), @r"
    20 samples, 0 gaps, 2 other, 0 rejected
    warning: the kernel of `node-1:9100` counted 2 OOM kills, the first before 2026-11-23T20:05:00Z: `node_vmstat_oom_kill` counts kills on the whole machine and does not say which container was killed
    ");
}

#[test]
fn evidence_without_memory_cannot_be_used() {
    insta::assert_snapshot!(said(&lines("kube_pod_container_status_restarts_total", WEB, &[(0, 2.0), (300, 3.0)])), @r"
    0 samples, 0 gaps, 0 other, 2 rejected
    unusable: it holds restart metrics but no memory (pass it together with an export of `container_memory_working_set_bytes`)
    ");
}
