//! What `kubectl get events -o json` and `kubectl get pods -o json` print: events of the cluster, and how containers of
//! pods ended last.
//!
//! Takes a list of objects, or objects one after another as `--watch` prints them.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};

use serde::Deserialize;

use super::docker::OfFile;
use super::runs::REASON;
use super::{Action, Event, Teller};
use crate::account::{EventWarning, Input, cleaned};

/// An object, or a list of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// `Event`, `Pod`, `List`.
    pub kind: Option<String>,
    #[serde(default)]
    items: Vec<Object>,
    #[serde(default)]
    metadata: Metadata,
    /// Why: `Killing`, `Started`, `ScalingReplicaSet`; of an event.
    pub reason: Option<String>,
    /// A sentence; of an event.
    pub message: Option<String>,
    #[serde(rename = "involvedObject", alias = "regarding")]
    involved: Option<Involved>,
    #[serde(alias = "deprecatedFirstTimestamp")]
    first_timestamp: Option<String>,
    #[serde(alias = "deprecatedLastTimestamp")]
    last_timestamp: Option<String>,
    event_time: Option<String>,
    series: Option<Repeats>,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
}

/// What an event is about.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Involved {
    /// `Pod`, `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
    namespace: String,
    field_path: String,
}

impl Involved {
    /// The container of a pod: `web` of `spec.containers{web}`.
    pub fn container(&self) -> Option<&str> {
        self.field_path.strip_prefix("spec.containers{")?.strip_suffix('}')
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Repeats {
    last_observed_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStatus {
    name: String,
    #[serde(default)]
    restart_count: u64,
    #[serde(default)]
    state: State,
    #[serde(default)]
    last_state: State,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    running: Option<Running>,
    terminated: Option<Terminated>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Running {
    started_at: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Terminated {
    reason: Option<String>,
    exit_code: Option<i64>,
    started_at: Option<String>,
    finished_at: Option<String>,
}

impl Object {
    /// What an event is about.
    pub fn involved(&self) -> Option<&Involved> {
        self.involved.as_ref()
    }

    /// When an event happened first and last, in milliseconds; one time where that is all.
    pub fn times_ms(&self) -> Vec<i64> {
        let time = |text: &Option<String>| text.as_deref().and_then(time_ms);
        let last = self.series.as_ref().and_then(|series| time(&series.last_observed_time));
        let last = last.or_else(|| time(&self.last_timestamp));
        let mut times: Vec<i64> =
            [time(&self.first_timestamp).or_else(|| time(&self.event_time)), last].into_iter().flatten().collect();
        times.dedup();
        times
    }
}

fn time_ms(text: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis())
}

/// Whether a text is what `kubectl get -o json` prints, by its beginning.
pub fn looks_like_objects(beginning: &str) -> bool {
    let text = beginning.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('{') && text.contains("\"apiVersion\"") && text.contains("\"kind\"")
}

/// Gives each object of a text, those of lists one by one; then why it cannot be read further, if so.
pub fn objects(text: impl Read, mut each: impl FnMut(Object)) -> Option<String> {
    for object in serde_json::Deserializer::from_reader(BufReader::new(text)).into_iter::<Object>() {
        match object {
            Ok(mut object) if !object.items.is_empty() => {
                std::mem::take(&mut object.items).into_iter().for_each(&mut each);
            }
            Ok(object) if object.kind.as_deref().is_some_and(|kind| kind.ends_with("List")) => {}
            Ok(object) => each(object),
            Err(error) => return Some(format!("the JSON of `kubectl get -o json` cannot be read: {error}")),
        }
    }
    None
}

/// Reads the events of one file.
pub(super) fn read(text: impl Read, index: usize, input: &mut Input) -> OfFile {
    let mut reader = Reader { index, input, events: Vec::new(), n_objects: 0, n_of_nodes: 0, n_unreported: 0 };
    let failed = objects(text, |object| reader.take(&object));
    if 0 < reader.n_of_nodes {
        reader.input.warn(EventWarning::OfNodes { n: reader.n_of_nodes });
    }
    if 0 < reader.n_unreported {
        reader.input.warn(EventWarning::EarlierRestarts { n: reader.n_unreported });
    }
    let Reader { events, n_objects, .. } = reader;
    // It remembers an hour, or the last end: what is not in it may have been.
    OfFile { events, span: None, failed, n_lines: n_objects }
}

struct Reader<'a> {
    index: usize,
    input: &'a mut Input,
    events: Vec<Event>,
    n_objects: u64,
    n_of_nodes: u64,
    /// Restarts that are counted and not dated.
    n_unreported: u64,
}

/// A container of a pod.
struct Who<'a> {
    namespace: &'a str,
    pod: &'a str,
    container: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, object: &Object) {
        self.n_objects += 1;
        let n_before = self.events.len();
        match object.kind.as_deref() {
            Some("Pod") => self.pod(object),
            Some("Event") => self.event(object),
            _ => {}
        }
        self.input.other_lines += u64::from(n_before == self.events.len());
        // One object is accounted for once, however much it tells.
        self.input.further += (self.events.len() - n_before).saturating_sub(1) as u64;
    }

    fn event(&mut self, event: &Object) {
        let (reason, message) =
            (event.reason.as_deref().unwrap_or_default(), event.message.as_deref().unwrap_or_default());
        if ["OOMKilling", "SystemOOM"].contains(&reason) {
            self.n_of_nodes += 1;
            return;
        }
        let is_oom = reason == OOM_KILLED || message.contains(OOM_KILLED);
        let actions: &[Action] = match reason {
            _ if is_oom => &[Action::Oom, Action::Die],
            "Started" => &[Action::Start],
            "Killing" => &[Action::Kill],
            _ => return,
        };
        let Some(involved) = event.involved().filter(|involved| involved.kind == "Pod") else { return };
        let Some(container) = involved.container() else { return };
        let who = Who { namespace: &involved.namespace, pod: &involved.name, container };
        for time_ms in event.times_ms() {
            for action in actions {
                self.push(*action, time_ms, &who, &[]);
            }
        }
    }

    fn pod(&mut self, pod: &Object) {
        for status in &pod.status.container_statuses {
            let who = Who { namespace: &pod.metadata.namespace, pod: &pod.metadata.name, container: &status.name };
            let at = |text: &Option<String>| text.as_deref().and_then(time_ms);
            let mut n_reported = 0;
            for ended in [&status.last_state.terminated, &status.state.terminated].into_iter().flatten() {
                if let Some(time_ms) = at(&ended.started_at) {
                    self.push(Action::Start, time_ms, &who, &[]);
                }
                let Some(time_ms) = at(&ended.finished_at) else { continue };
                n_reported += 1;
                let reason = ended.reason.clone().unwrap_or_default();
                if reason == OOM_KILLED {
                    self.push(Action::Oom, time_ms, &who, &[]);
                }
                let code = ended.exit_code.map_or(String::new(), |code| code.to_string());
                self.push(Action::Die, time_ms, &who, &[("exitCode", &code), (REASON, &reason)]);
            }
            if let Some(time_ms) = status.state.running.as_ref().and_then(|running| at(&running.started_at)) {
                self.push(Action::Start, time_ms, &who, &[]);
            }
            self.n_unreported += status.restart_count.saturating_sub(n_reported);
        }
    }

    fn push(&mut self, action: Action, time_ms: i64, who: &Who<'_>, more: &[(&str, &str)]) {
        let Who { namespace, pod, container } = who;
        let own = [
            ("name", format!("{pod}/{container}")),
            ("io.kubernetes.pod.namespace", (*namespace).to_owned()),
            ("io.kubernetes.pod.name", (*pod).to_owned()),
            ("io.kubernetes.container.name", (*container).to_owned()),
        ];
        let attributes: BTreeMap<String, String> = own
            .into_iter()
            .chain(more.iter().map(|(key, value)| (*key, cleaned(value, 60))))
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        let id = format!("{namespace}/{pod}/{container}");
        self.events.push(Event { input: self.index, time_ms, action, id, attributes, teller: Teller::Kubernetes });
    }
}

/// What Kubernetes calls an OOM kill.
const OOM_KILLED: &str = "OOMKilled";

#[cfg(test)]
mod tests {
    use crate::events::read_events;
    use crate::open::Given;
    use crate::report::words;

    /// 2026-11-23T20:13:08Z.
    const AT: i64 = 1_795_464_788_000;

    fn said(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let log = read_events(&[Given { series: None, path: file.path().to_owned() }], None);
        let input = &log.inputs[0];
        let mut said = String::new();
        for event in &log.events {
            let code = event.number("exitCode").map_or(String::new(), |code| format!(" {code}"));
            let seconds = (event.time_ms - AT) / 1000;
            said += &format!("{seconds} {:?} {}{code}\n", event.action, event.id);
        }
        said + &format!(
            "{} other\n{}{}",
            input.other_lines,
            words::warnings(input).join("\n"),
            input.unusable.as_ref().map_or_else(String::new, ToString::to_string)
        )
    }

    #[test]
    fn a_pod_says_how_its_containers_ended_last() {
        let pods = r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod",
            "metadata":{"name":"web-1","namespace":"shop","labels":{"app":"web"}},
            "status":{"phase":"Running","containerStatuses":[
              {"name":"web","restartCount":3,"ready":true,"image":"shop/web:1.4",
               "state":{"running":{"startedAt":"2026-11-23T20:13:10Z"}},
               "lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled","startedAt":"2026-11-23T20:03:08Z","finishedAt":"2026-11-23T20:13:08Z","containerID":"containerd://ab"}}},
              {"name":"proxy","restartCount":0,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{}}]}},
            {"kind":"Pod","metadata":{"name":"new"},"status":{"phase":"Pending"}}]}"#;
        insta::assert_snapshot!(said(pods), @r"
        -600 Start shop/web-1/web
        0 Oom shop/web-1/web
        0 Die shop/web-1/web 137
        2 Start shop/web-1/web
        1 other
        2 earlier restarts are counted in it without a time: a pod records only the last termination of each container
        ");
    }

    #[test]
    fn events_of_a_cluster_say_what_was_started_and_killed() {
        let event = |reason: &str, kind: &str, path: &str, message: &str, times: &str| {
            format!(
                r#"{{"apiVersion":"v1","kind":"Event","reason":"{reason}","message":"{message}","involvedObject":{{"kind":"{kind}","namespace":"shop","name":"web-1","fieldPath":"{path}"}},"metadata":{{"name":"x","namespace":"shop"}},{times}}}"#
            )
        };
        let once = r#""firstTimestamp":"2026-11-23T20:13:08Z","lastTimestamp":"2026-11-23T20:13:08Z","count":1"#;
        let twice = r#""firstTimestamp":"2026-11-23T20:03:08Z","lastTimestamp":"2026-11-23T20:13:10Z","count":2"#;
        let new = r#""firstTimestamp":null,"lastTimestamp":null,"eventTime":"2026-11-23T20:13:09.123456Z""#;
        let web = "spec.containers{web}";
        let all = [
            event("Killing", "Pod", web, "Stopping container web", once),
            event("Started", "Pod", web, "Started container web", twice),
            event("OOMKilled", "Pod", web, "Container web was OOMKilled", new),
            event("SystemOOM", "Node", "", "System OOM encountered, victim process: node, pid: 4711", once),
            event("Scheduled", "Pod", "", "Successfully assigned", once),
        ];
        // As a list, and one after another as `--watch` prints them.
        let list = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#, all.join(","));
        insta::assert_snapshot!(said(&list), @r"
        -600 Start shop/web-1/web
        0 Kill shop/web-1/web
        1 Oom shop/web-1/web
        1 Die shop/web-1/web
        2 Start shop/web-1/web
        2 other
        1 event says that a node ran out of memory, but not whose process was killed (the kernel log does)
        ");
        assert_eq!(said(&all.join("\n")), said(&list));
    }

    #[test]
    fn what_broke_off_is_said() {
        insta::assert_snapshot!(said(r#"{"apiVersion":"v1","kind":"List","items":[{"#), @r"
        0 other
        the JSON of `kubectl get -o json` cannot be read: EOF while parsing an object at line 1 column 43
        ");
    }
}
