//! Reads when what was changed: `time,label` lines, `git log --format='%cI %h %s'`, and what clusters tell: the output of
//! `kubectl get events -o json` and of `docker events`.

use std::collections::HashMap;
use std::path::Path;

use super::{entry, note_break, open_file};
use crate::account::{
    ContentWarning, CountRejection, CountWarning, CountedAs, Input, OtherForm, Purpose, Unusable, cleaned, too_long,
};
use crate::events::{self, Action, kubernetes};
use crate::open::Opened;

/// Longer labels are cut, in characters.
const MAX_LABEL: usize = 100;

/// A deploy, a flag, a restart: something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When, in milliseconds since 1970.
    pub time_ms: i64,
    /// What; never empty.
    pub label: String,
}

/// Reads one list.
pub(super) fn read(path: &Path) -> (Input, Vec<Change>) {
    let (mut input, opened) = open_file(path);
    let Some(mut opened) = opened else { return (input, Vec::new()) };
    let beginning = opened.lines.peek().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
    let mut changes = if kubernetes::looks_like_objects(&beginning) {
        of_kubernetes(opened, &mut input)
    } else if events::looks_like_docker(&beginning) {
        of_docker(opened, &mut input)
    } else {
        of_lines(opened, &mut input)
    };
    changes.iter_mut().for_each(|change| change.label = cleaned(&change.label, MAX_LABEL));
    input.counted = Some(CountedAs { form: OtherForm::Changes, outside: 0 });
    if changes.is_empty() && input.rejected_count > 0 {
        input.counted = None;
        input.unusable = Some(Unusable::NoChange { why: input.rejected[0].why.clone() });
    } else if changes.is_empty() && 0 < input.other_lines {
        input.warn(CountWarning::NoChanges);
    } else if changes.is_empty() && input.unusable.is_none() {
        input.warn(ContentWarning::Empty { of: Purpose::Changes });
    }
    (input, changes)
}

/// The account for readings of a span, from and to in milliseconds.
pub(super) fn placed(input: &Input, changes: &[Change], (from, to): (i64, i64)) -> Input {
    let mut input = input.clone();
    if let Some(counted) = &mut input.counted {
        counted.outside = changes.iter().filter(|change| change.time_ms < from || to < change.time_ms).count() as u64;
        input.samples -= counted.outside;
        input.other_lines += counted.outside;
    }
    input
}

/// Lines of time and label.
fn of_lines(mut opened: Opened, input: &mut Input) -> Vec<Change> {
    let mut changes = Vec::new();
    // A reader that fails has said so, and has ended.
    while let Ok(Some(line)) = opened.lines.next() {
        let text = line.text();
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() || text.starts_with('#') || line.number == 1 && is_header(text) {
            input.other_lines += 1;
        } else if line.cut {
            input.reject(&line, text, too_long);
        } else if let Some((time_ms, label)) = split(text) {
            input.samples += 1;
            changes.push(Change { time_ms, label: label.to_owned() });
        } else {
            input.reject(&line, text, || CountRejection::NotAChange);
        }
    }
    input.lines = Some(opened.lines.count());
    note_break(input, opened.broken.take());
    changes
}

/// Events of a cluster: rollouts, starts and stops of containers, images that were pulled. The others change nothing.
fn of_kubernetes(opened: Opened, input: &mut Input) -> Vec<Change> {
    let mut changes = Vec::new();
    let failed = kubernetes::objects(opened.lines.into_reader(), |event| {
        let times = event.times_ms();
        match label_of(&event) {
            Some(label) if !times.is_empty() => {
                input.samples += times.len() as u64;
                input.further += times.len() as u64 - 1;
                changes.extend(times.into_iter().map(|time_ms| Change { time_ms, label: label.clone() }));
            }
            _ => input.other_lines += 1,
        }
    });
    if input.samples + input.other_lines == 0 && failed.is_some() {
        input.unusable = failed.map(Unusable::Unreadable);
    } else {
        note_break(input, failed.or_else(|| opened.broken.take()));
    }
    changes
}

/// What an event of Kubernetes changed; `None` where that is nothing.
fn label_of(event: &kubernetes::Object) -> Option<String> {
    let involved = event.involved()?;
    let message = event.message.as_deref().unwrap_or_default();
    let name = match involved.container() {
        Some(container) => format!("{}/{container}", involved.name),
        None => involved.name.clone(),
    };
    Some(match event.reason.as_deref()? {
        "ScalingReplicaSet" => format!("deploy {name}: {message}"),
        "SuccessfulRescale" => format!("scale {name}: {message}"),
        "Started" => format!("start {name}"),
        "Killing" => format!("stop {name}: {message}"),
        "Pulled" => format!("image {} of {name}", message.split('"').nth(1)?),
        _ => return None,
    })
}

/// Events of Docker: starts, and those of a container that was recreated.
fn of_docker(mut opened: Opened, input: &mut Input) -> Vec<Change> {
    let (found, failed) = events::read_docker(&mut opened.lines, input);
    let mut ids: HashMap<String, String> = HashMap::new();
    let mut changes = Vec::new();
    for event in found {
        if event.action != Action::Start {
            input.other_lines += 1;
            continue;
        }
        input.samples += 1;
        let name = event.container().to_owned();
        let image = event.attributes.get("image").map_or(String::new(), |image| format!(" ({image})"));
        let is_new = ids.insert(name.clone(), event.id.clone()).is_some_and(|before| before != event.id);
        let what = if is_new { "deploy" } else { "start" };
        changes.push(Change { time_ms: event.time_ms, label: format!("{what} {name}{image}") });
    }
    note_break(input, failed.or_else(|| opened.broken.take()));
    changes
}

fn is_header(text: &str) -> bool {
    text.split([',', ';', '\t']).next().is_some_and(super::table::is_time)
}

/// Time and label, which a comma, a semicolon, a tab or a blank parts.
fn split(text: &str) -> Option<(i64, &str)> {
    // A time may hold blanks itself: before its clock and before its zone.
    let blanks: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).take(3).collect();
    let ends = text.find([',', ';', '\t']).into_iter().chain(blanks.into_iter().rev());
    ends.filter_map(|end| Some((entry::time(text[..end].trim_matches('"'))?, &text[end + 1..])))
        .map(|(time_ms, label)| (time_ms, label.trim().trim_matches('"').trim()))
        .find(|(_, label)| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_change_is_read_and_the_others_are_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("changes");
        let text = "time,label\n2026-11-23T20:07:00Z,deploy a1b2c3\n2026-11-23T21:07:00+01:00 9f1c6bd Keep uploads\n\
                    # by hand\n\n\"2026-11-23 20:07:00\",\"flag, on\"\n1795464420;restart\n2026-11-23 20:07:00 +0000 scaled\n\
                    deploy of today\n2026-11-23T20:07:00Z,\n";
        std::fs::write(&path, text).unwrap();
        let (input, changes) = read(&path);
        let labels: Vec<&str> = changes.iter().map(|change| change.label.as_str()).collect();
        assert_eq!(labels, ["deploy a1b2c3", "9f1c6bd Keep uploads", "flag, on", "restart", "scaled"]);
        assert!(changes.iter().all(|change| change.time_ms == 1_795_464_420_000), "{changes:?}");
        assert_eq!((input.samples, input.other_lines, input.rejected_count, input.lines), (5, 3, 2, Some(10)));
        insta::assert_snapshot!(input.rejected[0].why, @"no time and label (expected something like `2026-11-23T20:07:00Z,deploy a1b2c3`)");
    }

    #[test]
    fn a_list_without_any_change_cannot_be_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("changes");
        std::fs::write(&path, "deploy\n").unwrap();
        insta::assert_snapshot!(read(&path).0.unusable.unwrap(), @"no change was recognised in it: no time and label (expected something like `2026-11-23T20:07:00Z,deploy a1b2c3`)");
        std::fs::write(&path, "").unwrap();
        insta::assert_snapshot!(read(&path).0.warnings[0], @"it is empty: it names no changes");
    }

    fn said(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let (input, changes) = read(file.path());
        let lines: Vec<String> = changes
            .iter()
            .map(|change| format!("{} {}\n", (change.time_ms - 1_795_464_420_000) / 1000, change.label))
            .collect();
        format!(
            "{}{} changes, {} other, {} rejected",
            lines.concat(),
            input.samples,
            input.other_lines,
            input.rejected_count
        )
    }

    #[test]
    fn events_of_kubernetes_are_deploys_starts_stops_and_images() {
        let event = |reason: &str, kind: &str, name: &str, path: &str, message: &str| {
            serde_json::json!({"apiVersion": "v1", "kind": "Event", "reason": reason, "message": message,
                "involvedObject": {"kind": kind, "namespace": "shop", "name": name, "fieldPath": path},
                "firstTimestamp": "2026-11-23T20:07:00Z", "lastTimestamp": "2026-11-23T20:07:00Z", "count": 1})
        };
        let web = "spec.containers{web}";
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [
            event("ScalingReplicaSet", "Deployment", "web", "", "Scaled up replica set web-84c7b5d6f to 3"),
            event("Pulled", "Pod", "web-84c7b5d6f-x2k4p", web, "Successfully pulled image \"shop/web:1.5\" in 2.1s"),
            event("Started", "Pod", "web-84c7b5d6f-x2k4p", web, "Started container web"),
            event("Killing", "Pod", "web-5d6f84c7b-aaaaa", web, "Stopping container web"),
            event("Unhealthy", "Pod", "web-84c7b5d6f-x2k4p", web, "Readiness probe failed"),
        ]});
        insta::assert_snapshot!(said(&list.to_string()), @r"
        0 deploy web: Scaled up replica set web-84c7b5d6f to 3
        0 image shop/web:1.5 of web-84c7b5d6f-x2k4p/web
        0 start web-84c7b5d6f-x2k4p/web
        0 stop web-5d6f84c7b-aaaaa/web: Stopping container web
        4 changes, 1 other, 0 rejected
        ");
    }

    #[test]
    fn events_of_docker_are_starts_and_deploys() {
        let [old, new] = ["a", "b"].map(|id| id.repeat(64));
        let text = format!(
            "2026-11-23T20:07:00Z container start {old} (image=shop/web:1.4, name=web)\n\
             2026-11-23T20:08:00Z container die {old} (exitCode=0, image=shop/web:1.4, name=web)\n\
             2026-11-23T20:08:01Z container start {new} (image=shop/web:1.5, name=web)\n\
             2026-11-23T20:08:01Z network connect 0123456789abcdef (container={new}, name=bridge)\n"
        );
        insta::assert_snapshot!(said(&text), @r"
        0 start web (shop/web:1.4)
        61 deploy web (shop/web:1.5)
        2 changes, 2 other, 0 rejected
        ");
    }
}
