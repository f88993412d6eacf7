use std::process::Command;

use super::target::operand;
use super::*;
use crate::verdict::{Detectable, Grounds, ShapeName};

fn judgement(verdict: Verdict, shape: ShapeName) -> Judgement {
    Judgement { verdict, shape, ..Judgement::open(Grounds::NoLongStretch) }
}

fn facts(failed_criteria: &[&'static str]) -> Facts {
    Facts {
        failed: true,
        failed_criteria: failed_criteria.to_vec(),
        n_spikes: 0,
        limit_bytes: Some(335_544_320.0),
        share_of_limit: Some(0.3),
        seconds_to_limit: None,
        earliest_to_limit: None,
        seconds_at_twice: None,
        seconds_to_refill: None,
        began_with: None,
        last_restart: None,
        last_seen: None,
        state: if failed_criteria.contains(&"restart-loop") { State::Loops } else { State::Runs },
        restarts_are_seen: true,
        of_workload: false,
        grows_since_version: false,
        version_before: None,
        n_kills: failed_criteria.contains(&"restart-loop").into(),
        kills_are_recorded: true,
        n_restarts: failed_criteria.contains(&"restart-loop").into(),
        step_assumed: false,
        leans_to_leak: false,
        has_false_alarm: false,
        has_undecided: false,
        stepped_up: false,
        peak_share: None,
        climbed_seconds: None,
        refills_to_bytes: None,
        seconds_to_double: None,
        falls_again: None,
        grows: None,
    }
}

fn docker(name: &str) -> Target {
    Target::Docker(name.to_owned())
}

#[track_caller]
fn check(verdict: Verdict, shape: ShapeName, failed: &[&'static str], expected: (u8, Option<&str>)) {
    let action = of(&docker("web"), &judgement(verdict, shape), &facts(failed)).unwrap();
    assert_eq!((action.level, action.pattern.map(Pattern::name)), expected);
}

#[test]
fn the_shape_points_to_a_pattern_and_restarts_to_a_level() {
    check(Verdict::Leak, ShapeName::Linear, &[], (2, None));
    check(Verdict::Leak, ShapeName::Linear, &["flat-after-load"], (2, Some("A")));
    check(Verdict::Leak, ShapeName::Sawtooth, &[], (2, Some("B")));
    check(Verdict::SteppingGrowth, ShapeName::Staircase, &[], (2, Some("C")));
    check(Verdict::Step, ShapeName::Step, &["flat-after-load"], (2, Some("C")));
    check(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth, &[], (3, None));
    check(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth, &["restart-loop"], (4, None));
    check(Verdict::LeakSuspected, ShapeName::Linear, &[], (2, None));
    check(Verdict::Flat, ShapeName::Flat, &["flat-after-load"], (2, Some("A")));
    check(Verdict::Flat, ShapeName::Flat, &["confirmed-100mb-60s"], (2, Some("D")));
    check(Verdict::Inconclusive, ShapeName::Unknown, &["restart-loop"], (2, None));
    let healthy = Facts { failed: false, ..facts(&[]) };
    assert_eq!(of(&docker("web"), &judgement(Verdict::Flat, ShapeName::Flat), &healthy), None);
}

#[test]
fn near_the_limit_a_restart_comes_first() {
    let near = Facts { share_of_limit: Some(0.95), ..facts(&[]) };
    let action = of(&docker("web"), &judgement(Verdict::Leak, ShapeName::Linear), &near).unwrap();
    // What only looks stands apart from what changes something.
    assert_eq!((action.level, action.tonight.changes.as_slice()), (1, &["docker restart web".to_owned()][..]));
    assert!(action.tonight.commands.iter().all(|command| !command.contains("restart")), "{action:?}");
    assert!(action.tonight.text.contains("Do not take a heap snapshot before that"), "{}", action.tonight.text);
    // Half full it may be taken, with a warning; with room to spare without one.
    for (share, is_warned) in [(0.6, true), (0.3, false)] {
        let roomy = Facts { share_of_limit: Some(share), ..facts(&[]) };
        let action = of(&docker("web"), &judgement(Verdict::Leak, ShapeName::Linear), &roomy).unwrap();
        assert_eq!(action.tomorrow.unwrap().text.contains("Careful: a snapshot"), is_warned, "{share}");
    }
}

/// What to do follows from what is known, not from the name of a verdict.
#[test]
fn no_step_contradicts_the_facts() {
    let step = |verdict, facts: &Facts| of(&docker("web"), &judgement(verdict, ShapeName::Unknown), facts).unwrap();
    // What climbs is not said not to.
    let climbs = Facts { leans_to_leak: true, n_spikes: 3, ..facts(&["confirmed-100mb-60s"]) };
    let action = step(Verdict::Inconclusive, &climbs);
    assert_eq!(action.pattern, None);
    assert!(!action.text().contains("does not go on growing"), "{}", action.text());
    // What is restarted again and again is not measured on, nor restarted once more.
    for verdict in [Verdict::Inconclusive, Verdict::LeakSuspected, Verdict::LeakMaskedByRestarts, Verdict::Flat] {
        let action = step(verdict, &Facts { share_of_limit: Some(0.99), ..facts(&["restart-loop"]) });
        assert!(!action.text().contains("go on measuring"), "{}", action.text());
        assert!(action.commands().iter().all(|command| !command.starts_with("docker restart")));
    }
    // Nor is what fell back several times left alone for the night, though nothing is proven.
    let fell = Facts { failed: false, n_restarts: 8, restarts_are_seen: false, leans_to_leak: true, ..facts(&[]) };
    let action = step(Verdict::Inconclusive, &fell);
    assert!(action.tonight.text.starts_with("memory fell back 8 times"), "{}", action.tonight.text);
    assert!(!action.tonight.commands.is_empty());
    // What is not killed for memory gets no larger limit.
    let other = step(Verdict::Flat, &Facts { n_kills: 0, ..facts(&["restart-loop"]) });
    assert!(other.commands().iter().all(|command| !command.contains("update")), "{:?}", other.commands());
    // Falls that may be collections are confirmed first.
    let fallen = Facts { restarts_are_seen: false, ..facts(&["restart-loop"]) };
    let action = step(Verdict::LeakMaskedByRestarts, &fallen);
    assert!(action.tonight.text.contains("check its events"), "{}", action.tonight.text);
    assert!(action.commands().iter().all(|command| !command.contains("update")), "{:?}", action.commands());
    // A limit that nobody gave is no reason to raise one, nor spikes under it to look at uploads.
    let assumed = Facts { limit_bytes: None, share_of_limit: None, n_spikes: 2, ..facts(&["high-memory"]) };
    let action = step(Verdict::WarmedUp, &assumed);
    assert!(action.tonight.text.starts_with("high-memory compares with an assumed limit"), "{action:?}");
    assert!(!action.text().contains("raise the limit") && action.pattern.is_none(), "{action:?}");
    // A climb is no single operation, and what comes back to its level is waited for.
    let climbed = step(Verdict::Step, &Facts { climbed_seconds: Some(1440.0), ..facts(&["rapid-50mb-per-min"]) });
    assert!(climbed.text().contains("memory climbed for a while") && climbed.pattern.is_none(), "{climbed:?}");
    let refills = step(Verdict::LeakSuspected, &Facts { refills_to_bytes: Some(2e8), ..facts(&[]) });
    assert!(refills.text().contains("whether it has passed the 190.7 MiB that it held"), "{refills:?}");
    // Without a limit it says how fast.
    let unlimited = Facts { limit_bytes: None, share_of_limit: None, seconds_to_double: Some(2400.0), ..facts(&[]) };
    let tonight = step(Verdict::Leak, &unlimited).tonight.text;
    assert!(tonight.contains("at this rate its memory doubles in about 40 min. Restart it"), "{tonight}");
    // What is gone is not looked into.
    for (verdict, shape) in [(Verdict::SteppingGrowth, ShapeName::Staircase), (Verdict::Leak, ShapeName::Linear)] {
        let gone = Facts { state: State::Gone, share_of_limit: Some(0.99), ..facts(&[]) };
        let action = of(&docker("web"), &judgement(verdict, shape), &gone).unwrap();
        assert!(action.commands().iter().all(|command| !command.contains("exec")), "{:?}", action.commands());
    }
    // Two days are no reason to get up, two hours are.
    let leak = |seconds| step(Verdict::Leak, &Facts { seconds_to_limit: Some(seconds), ..facts(&[]) });
    assert!(leak(172_800.0).tonight.text.starts_with("nothing to do"), "{:?}", leak(172_800.0));
    assert!(leak(7200.0).tonight.text.contains("restart it before then"), "{:?}", leak(7200.0));
    // Nobody is sent to bed by a step that nobody gave.
    let assumed = Facts { seconds_to_limit: Some(172_800.0), step_assumed: true, ..facts(&[]) };
    let tonight = step(Verdict::Leak, &assumed).tonight.text;
    assert!(tonight.contains("if the assumed sampling interval is right"), "{tonight}");
    // Nor by kills that lie further apart than a loop.
    let kills = Facts { n_kills: 9, seconds_to_limit: Some(7200.0), seconds_at_twice: Some(18_000.0), ..facts(&[]) };
    let killed = |recorded| {
        let facts = Facts { kills_are_recorded: recorded, ..kills.clone() };
        step(Verdict::LeakMaskedByRestarts, &facts).tonight.text
    };
    let due = "OOM-killed 9 times; the next kill is due about 2 h after the last reading";
    assert_eq!(killed(true), format!("it was {due}: raise the limit (with twice the limit, a run lasts about 5 h)"));
    let inferred = killed(false);
    assert!(inferred.starts_with(&format!("it was probably {due}: check its last state")), "{inferred}");
    // What its peaks get killed does not go on growing: nobody is asked to see whether it restarted, or what it fell back to.
    let peaks = Facts {
        n_kills: 3,
        n_restarts: 3,
        restarts_are_seen: true,
        kills_are_recorded: true,
        ..facts(&["growth-100mb-5m"])
    };
    let killed = step(Verdict::Inconclusive, &Facts { refills_to_bytes: Some(4e8), ..peaks });
    assert!(killed.tonight.text.starts_with("it was OOM-killed 3 times, though no leak is proven"), "{killed:?}");
    assert!(killed.tonight.changes[0].starts_with("docker update --memory="), "{killed:?}");
    assert!(killed.tomorrow.as_ref().unwrap().text.starts_with("its peaks reach its limit"), "{killed:?}");
    // Nor are they told to restart once more what is killed within the half-hour.
    let soon = Facts { seconds_to_limit: Some(600.0), ..kills.clone() };
    let soon = step(Verdict::LeakMaskedByRestarts, &soon);
    assert!(!soon.commands().iter().any(|command| command.starts_with("docker restart")), "{soon:?}");
}

#[test]
fn commands_are_those_of_the_runbook_with_the_name_filled_in() {
    let looping = facts(&["restart-loop"]);
    let action =
        of(&docker("web-1"), &judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth), &looping).unwrap();
    insta::assert_snapshot!(action.commands().join("\n"));
    let unnamed = of(&Target::Unnamed, &judgement(Verdict::Leak, ShapeName::Linear), &facts(&[])).unwrap();
    assert_eq!(unnamed.commands()[0], "docker stats --no-stream CONTAINER");
}

#[test]
fn what_may_be_known_or_may_happen_before_the_morning_is_for_tonight() {
    let tonight = |verdict, facts: &Facts, needed_seconds: f64| {
        let detectable = Some(Detectable { bytes_per_second: None, needed_seconds: Some(needed_seconds) });
        let judgement = Judgement { detectable, ..judgement(verdict, ShapeName::Unknown) };
        of(&docker("web"), &judgement, facts).map(|action| action.tonight.text)
    };
    // What five more minutes settle is not left until tomorrow; what takes two days is.
    let suspected = Facts { failed: false, ..facts(&[]) };
    assert_eq!(
        tonight(Verdict::LeakSuspected, &suspected, 300.0).unwrap(),
        "it may leak: measure about 5 min longer, then judge again"
    );
    assert_eq!(tonight(Verdict::LeakSuspected, &suspected, 172_800.0).unwrap(), "nothing to do");
    // Without a limit it may be full in the night.
    let unlimited = Facts { limit_bytes: None, seconds_to_double: Some(7200.0), ..suspected.clone() };
    assert_eq!(
        tonight(Verdict::LeakSuspected, &unlimited, 172_800.0).unwrap(),
        "if it leaks, its memory doubles in about 2 h: find its limit, which is not in the input"
    );
    let slow = Facts { seconds_to_double: Some(864_000.0), ..unlimited };
    assert_eq!(
        tonight(Verdict::LeakSuspected, &slow, 172_800.0).unwrap(),
        "nothing to do: if it leaks, its memory doubles in about 10 d"
    );
    // It restarted at less than its limit, and will again; a limit that is reached in the night comes first.
    let near = Facts { seconds_to_limit: Some(2700.0), earliest_to_limit: Some(1800.0), ..facts(&[]) };
    assert_eq!(
        tonight(Verdict::LeakMaskedByRestarts, &Facts { falls_again: Some((1e9, 1020.0)), ..near.clone() }, 0.0)
            .unwrap(),
        "the limit is reached about 45 min after the last reading, 30 min at the earliest: restart it before then, or \
         raise the limit. If that time has passed, see first whether it was killed"
    );
    let short = Facts { seconds_to_refill: Some((4800.0, true)), limit_bytes: Some(1e9), ..near };
    let action = of(&docker("web-1"), &judgement(Verdict::Leak, ShapeName::Linear), &short).unwrap();
    let says = &action.tonight.text;
    assert!(says.contains("restart it before then, which buys about 1 h 20 min, or raise the limit"), "{says}");
    let unseen = Facts { seconds_to_refill: Some((4800.0, false)), ..short.clone() };
    let unseen = of(&docker("web-1"), &judgement(Verdict::Leak, ShapeName::Linear), &unseen).unwrap().tonight.text;
    assert!(unseen.contains("which buys at least 1 h 20 min"), "{unseen}");
    assert!(action.tonight.changes.iter().any(|command| command.contains("docker update")), "{action:?}");
    let restarted = Facts { falls_again: Some((1e9, 1020.0)), ..facts(&[]) };
    assert_eq!(
        tonight(Verdict::LeakMaskedByRestarts, &restarted, 0.0).unwrap(),
        "it held 953.7 MiB when it last restarted, and will be back at that level about 17 min after the last reading: \
         see why it restarted"
    );
    let reported = Facts { last_restart: Some("stopped from outside".to_owned()), ..restarted.clone() };
    assert!(
        tonight(Verdict::LeakMaskedByRestarts, &reported, 0.0)
            .unwrap()
            .contains("its last restart (stopped from outside)")
    );
    let inferred = Facts { restarts_are_seen: false, ..restarted };
    assert_eq!(
        tonight(Verdict::LeakMaskedByRestarts, &inferred, 0.0).unwrap(),
        "it held 953.7 MiB before its last drop, and will be back at that level about 17 min after the last reading: see \
         whether that drop was a restart, and what caused it"
    );
    // A level near the limit comes back after a restart.
    let full = Facts { share_of_limit: Some(0.94), ..facts(&["high-memory"]) };
    let action = of(&docker("web"), &judgement(Verdict::Flat, ShapeName::Flat), &full).unwrap();
    assert!(action.commands().iter().all(|command| !command.starts_with("docker restart")), "{action:?}");
    assert!(action.commands().contains(&"docker update --memory=640m --memory-swap=640m web".to_owned()), "{action:?}");
    // Restarts are looked into though memory looks healthy.
    let restarts = Facts { n_restarts: 19, ..suspected };
    assert!(tonight(Verdict::Inconclusive, &restarts, 0.0).unwrap().starts_with("it restarted 19 times"));
    assert_eq!(tonight(Verdict::Inconclusive, &Facts { n_restarts: 1, ..restarts }, 0.0).unwrap(), "nothing to do");
}

/// Whoever is told to sleep is given nothing to paste: what is for the day stands under tomorrow.
#[test]
fn nothing_to_do_comes_without_commands() {
    let leak = Facts { seconds_to_limit: Some(172_800.0), ..facts(&[]) };
    let action = of(&docker("web"), &judgement(Verdict::Leak, ShapeName::Linear), &leak).unwrap();
    assert_eq!(action.tonight, Step::nothing(": the limit is about 2 d away"));
    assert_eq!(action.tomorrow.unwrap().commands[0], "docker stats --no-stream web");
}

/// Whatever needs a look says what follows from it.
#[test]
fn what_is_open_or_warned_of_has_a_step() {
    let fine = Facts { failed: false, ..facts(&[]) };
    let tomorrow = |verdict, facts: &Facts, needed_seconds: Option<f64>| {
        let detectable = Some(Detectable { bytes_per_second: None, needed_seconds });
        let judgement = Judgement { detectable, ..judgement(verdict, ShapeName::Unknown) };
        of(&docker("web"), &judgement, facts).map(|action| {
            assert_eq!(action.tonight.text, "nothing to do");
            action.tomorrow.unwrap().text
        })
    };
    let check = |verdict, facts: &Facts, needed: Option<f64>, expected: &str| {
        assert_eq!(tomorrow(verdict, facts, needed).unwrap(), expected);
    };
    let open = Verdict::Inconclusive;
    check(open, &fine, Some(86_400.0), "measure for about 1 d longer, then judge again");
    check(
        open,
        &fine,
        None,
        "more time alone will not settle it: measure under a steadier load, or an amount that varies less, such as its heap",
    );
    let leans = Facts { leans_to_leak: true, ..fine.clone() };
    let seems = "memory seems to climb, but this is not proven yet: ";
    let longer =
        format!("{seems}go on measuring for about 1 d; a heap snapshot now and another one later settle it sooner");
    check(open, &leans, Some(86_400.0), &longer);
    let never = format!("{seems}more time alone will not settle it; compare a heap snapshot now and another one later");
    check(open, &leans, None, &never);
    let alarm = Facts { has_false_alarm: true, ..fine.clone() };
    assert!(tomorrow(Verdict::Flat, &alarm, None).unwrap().contains("the alert is a false alarm"));
    let undecided = Facts { has_undecided: true, ..fine.clone() };
    assert!(
        tomorrow(Verdict::Flat, &undecided, None).unwrap().starts_with("a required criterion could not be decided")
    );
    let peaks = Facts { peak_share: Some(0.93), ..fine.clone() };
    assert!(tomorrow(Verdict::Flat, &peaks, None).unwrap().starts_with("its peaks reach 93 % of its limit"));
    assert_eq!(tomorrow(Verdict::Flat, &fine, None), None);
    // What is gone is looked for, however well it was.
    let gone = Facts { state: State::Gone, ..fine };
    let action = of(&docker("web"), &judgement(Verdict::Flat, ShapeName::Flat), &gone).unwrap();
    assert!(action.tonight.text.starts_with("its readings have ended: see whether it still runs"), "{action:?}");
    assert_eq!(action.tomorrow, None);
}

/// A heap snapshot shows nothing of page cache.
#[test]
fn what_is_open_and_known_to_be_cache_is_not_looked_for_on_the_heap() {
    for grows in [What::PageCache, What::SharedMemory] {
        let facts = Facts { failed: false, grows: Some(grows), ..facts(&[]) };
        let action = of(&docker("web"), &judgement(Verdict::Inconclusive, ShapeName::Unknown), &facts).unwrap();
        assert!(!action.text().contains("heap snapshot now"), "{}", action.text());
        assert!(action.text().contains("cache"), "{}", action.text());
    }
}

/// The runbook's stack is not everybody's: its commands stand where its patterns are.
#[test]
fn commands_of_one_stack_need_a_pattern() {
    let commands = |shape| of(&docker("web"), &judgement(Verdict::Leak, shape), &facts(&[])).unwrap().commands();
    assert_eq!(
        commands(ShapeName::Linear),
        ["docker stats --no-stream web", "docker exec web cat /sys/fs/cgroup/memory.stat"]
    );
    assert!(commands(ShapeName::Sawtooth).iter().any(|command| command.contains("/debug/heap-snapshot")));
}

/// What evidence points to has the runbook's look at it, in place of that at the pattern of the shape.
#[test]
fn a_pattern_from_evidence_gets_the_command_of_the_runbook() {
    let action = of(&docker("web"), &judgement(Verdict::SteppingGrowth, ShapeName::Staircase), &facts(&[])).unwrap();
    assert!(action.commands().contains(&"curl http://HOST:3001/debug/cache-stats | jq".to_owned()), "{action:?}");
    for (pattern, command) in [
        (
            Pattern::Connections,
            "psql \"$DATABASE_URL\" -c \"SELECT state, count(*) FROM pg_stat_activity GROUP BY state\"",
        ),
        (Pattern::Listeners, "curl http://HOST:3001/debug/event-listeners | jq"),
        (Pattern::Cache, "curl http://HOST:3001/debug/cache-stats | jq"),
        (Pattern::Uploads, "grep -r \"multer\" apps/api/src --include=\"*.ts\""),
    ] {
        let mut followed = action.clone();
        followed.follow(pattern, true);
        assert_eq!(followed.pattern, Some(pattern));
        assert_eq!(followed.tomorrow.unwrap().runbook, [command]);
        // What is gone cannot be looked into.
        let mut gone = NextAction { tomorrow: Some(Step::looks("", Vec::new())), ..action.clone() };
        gone.follow(pattern, false);
        assert!(gone.tomorrow.unwrap().runbook.is_empty());
    }
}

fn pod(namespace: Option<&str>, pod: &str, container: Option<&str>) -> Target {
    let [namespace, container] = [namespace, container].map(|name| name.map(str::to_owned));
    Target::Kubernetes { namespace, pod: pod.to_owned(), container }
}

#[test]
fn what_runs_in_kubernetes_gets_commands_of_kubectl() {
    let urgent = Facts { share_of_limit: Some(0.95), ..facts(&["restart-loop"]) };
    let shop = pod(Some("shop"), "api-7d9f-x2x4k", Some("app"));
    let action = of(&shop, &judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth), &urgent).unwrap();
    insta::assert_snapshot!(action.commands().join("\n"));
    let cache = of(&shop, &judgement(Verdict::SteppingGrowth, ShapeName::Staircase), &facts(&[])).unwrap();
    let log = "kubectl -n shop exec api-7d9f-x2x4k -c app -- cat /tmp/request-log.json | jq ";
    assert!(cache.commands().iter().any(|command| command.starts_with(log)), "{:?}", cache.commands());
    assert!(cache.commands().iter().all(|command| !command.contains("docker")), "{:?}", cache.commands());
    let level_4 = of(&shop, &judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth), &facts(&["restart-loop"]));
    assert!(
        level_4
            .unwrap()
            .tonight
            .text
            .ends_with("the limit is in the manifest of its workload (resources.limits.memory)")
    );
    let bare = of(&pod(None, "api", None), &judgement(Verdict::Leak, ShapeName::Linear), &facts(&[])).unwrap();
    assert_eq!(
        bare.commands(),
        ["kubectl top pod --containers api", "kubectl exec api -- cat /sys/fs/cgroup/memory.stat"]
    );
}

#[test]
fn a_name_is_one_word_of_the_shell() {
    assert_eq!(shell_quoted("web-1"), "web-1");
    assert_eq!(shell_quoted("a b"), "'a b'");
    assert_eq!(shell_quoted("x'; rm -rf /; '"), r"'x'\''; rm -rf /; '\'''");
    assert_eq!(shell_quoted("$(reboot)\u{1b}[2J"), "'$(reboot)[2J'");
    assert_eq!(shell_quoted(""), "''");
    assert_eq!(operand("--privileged"), "-- '--privileged'");
}

/// A real shell takes every name for what it is, in every command that holds it.
#[test]
fn a_real_shell_sees_the_name_and_nothing_else() {
    let names = ["web", "it's", "a b", "$(touch owned)", "`id`", "-rf", "a\"b", "!!", "*", "x;y|z&", "\\", "~", "é"];
    for name in names {
        let looping = facts(&["restart-loop"]);
        let in_pod = pod(Some(name), name, Some(name));
        let judged = judgement(Verdict::LeakMaskedByRestarts, ShapeName::Sawtooth);
        let commands = [docker(name), in_pod].map(|target| of(&target, &judged, &looping).unwrap().commands()).concat();
        for command in &commands {
            let script = format!("docker() {{ printf '%s\\n' \"$@\"; }}; kubectl() {{ docker \"$@\"; }}; {command}");
            let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
            let words = String::from_utf8(output.stdout).unwrap();
            let expected = |word: &str| word == name || word == format!("container={name}");
            assert!(words.lines().any(expected), "{command}: {words}");
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command}");
        }
    }
}

/// By day the change comes first with which growth may have begun, and a limit that nobody knows is looked up.
#[test]
fn a_change_and_an_unknown_limit_are_for_the_day() {
    let after_a_change = Facts {
        began_with: Some("api 8.4.0".to_owned()),
        seconds_to_double: Some(864_000.0),
        limit_bytes: None,
        ..facts(&[])
    };
    let action = of(&docker("web-1"), &judgement(Verdict::Leak, ShapeName::Linear), &after_a_change).unwrap();
    let tomorrow = action.tomorrow.unwrap().text;
    assert!(tomorrow.starts_with("see what `api 8.4.0` changed, and roll it back if you can"), "{tomorrow}");
    assert!(tomorrow.ends_with("Find its limit, which is not in the input"), "{tomorrow}");
}
