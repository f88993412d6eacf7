//! Whose events are whose: matches the containers of an event log with series.
//!
//! By ID where the series knows it, by name, by pod and container; last by the service of a compose project, and then
//! only where one container of the log fits.

use std::collections::{BTreeSet, HashMap};

use super::files::OF_SERIES;
use crate::events::Event;
use crate::series::{MemorySeries, SeriesInfo};

/// So many hexadecimal digits are a container's ID, at least.
const SHORT_ID: usize = 12;
const FULL_ID: usize = 64;

/// The containers of an event log; one that was recreated under its name is one.
pub(super) struct Containers<'e> {
    known: Vec<Container<'e>>,
    /// For each file, how many containers it reports runs of.
    runs: HashMap<usize, BTreeSet<usize>>,
}

struct Container<'e> {
    name: &'e str,
    ids: Vec<&'e str>,
    events: Vec<usize>,
    inputs: BTreeSet<usize>,
    /// Of a compose project.
    service: Option<&'e str>,
    pod: Option<Pod<'e>>,
}

/// A container in a pod.
#[derive(Clone, Copy)]
struct Pod<'e> {
    namespace: Option<&'e str>,
    name: &'e str,
    container: &'e str,
}

impl<'e> Containers<'e> {
    pub(super) fn new(events: &'e [Event]) -> Containers<'e> {
        // Events of one ID belong together also where some of them have no name.
        let mut name_of_id: HashMap<&str, &str> = HashMap::new();
        for event in events {
            if event.attributes.contains_key("name") {
                name_of_id.insert(&event.id, own_name(event.container()));
            }
        }
        let mut known: Vec<Container<'e>> = Vec::new();
        let mut by_name: HashMap<&str, usize> = HashMap::new();
        let mut runs: HashMap<usize, BTreeSet<usize>> = HashMap::new();
        for (index, event) in events.iter().enumerate() {
            let name = name_of_id.get(event.id.as_str()).copied().unwrap_or(&event.id);
            let place = *by_name.entry(name).or_insert_with(|| {
                known.push(Container {
                    name,
                    ids: Vec::new(),
                    events: Vec::new(),
                    inputs: BTreeSet::new(),
                    service: None,
                    pod: None,
                });
                known.len() - 1
            });
            let container = &mut known[place];
            let attribute = |key: &str| event.attributes.get(key).map(String::as_str);
            container.events.push(index);
            container.inputs.insert(event.input);
            if !container.ids.contains(&event.id.as_str()) {
                container.ids.push(&event.id);
            }
            container.service = attribute("com.docker.compose.service").or(container.service);
            let pod = attribute("io.kubernetes.pod.name").zip(attribute("io.kubernetes.container.name"));
            let namespace = attribute("io.kubernetes.pod.namespace");
            container.pod = pod.map(|(name, container)| Pod { namespace, name, container }).or(container.pod);
            if event.action.is_of_lifecycle() {
                runs.entry(event.input).or_default().insert(place);
            }
        }
        Containers { known, runs }
    }

    /// How many containers a file reports runs of.
    pub(super) fn with_runs(&self, input: usize) -> usize {
        self.runs.get(&input).map_or(0, BTreeSet::len)
    }

    /// The names in a file.
    pub(super) fn names(&self, input: usize) -> Vec<&'e str> {
        self.known
            .iter()
            .filter(|container| container.inputs.contains(&input))
            .map(|container| container.name)
            .collect()
    }

    /// The events of each series, as indices, in time order.
    ///
    /// Events that the user gives to a series are of that one. Those of a log that are of nobody are of the container that
    /// the pod of their cgroup, or the name of the file, fits alone; or of the only one there is.
    pub(super) fn of_each(&self, series: &[MemorySeries], events: &[Event]) -> Vec<Vec<usize>> {
        let mut owned: Vec<Vec<usize>> = series.iter().map(|series| self.events_of(&series.info)).collect();
        let mut is_owned = vec![false; events.len()];
        owned.iter().flatten().for_each(|index| is_owned[*index] = true);
        for (index, event) in events.iter().enumerate() {
            if let Some(id) = event.attributes.get(OF_SERIES) {
                owned.iter_mut().for_each(|owned| owned.retain(|other| *other != index));
                let places = series.iter().zip(&mut owned).filter(|(series, _)| is_called(&series.info, id));
                places.for_each(|(_, owned)| owned.push(index));
            } else if event.is_of_log() && !is_owned[index] {
                only_fit(event, series, events).into_iter().for_each(|place| owned[place].push(index));
            }
        }
        owned.iter_mut().for_each(|owned| owned.sort_unstable());
        owned
    }

    /// The events of a series, as indices, in time order.
    pub(super) fn events_of(&self, info: &SeriesInfo) -> Vec<usize> {
        let mut owned: Vec<&Container> = self.known.iter().filter(|container| is_of(container, info)).collect();
        if owned.is_empty() && full_id(info).is_none() {
            let of_service: Vec<&Container> =
                self.known.iter().filter(|container| may_be_of(container, info)).collect();
            if let [only] = of_service.as_slice() {
                owned.push(only);
            }
        }
        let mut events: Vec<usize> = owned.iter().flat_map(|container| container.events.iter().copied()).collect();
        events.sort_unstable();
        events
    }
}

/// Whether a user means a series by this name: its id, or that of its container.
pub(crate) fn is_called(info: &SeriesInfo, name: &str) -> bool {
    info.id == name || info.labels.get("container").is_some_and(|container| container == name)
}

/// What tells the containers of series apart; several amounts may be of one.
fn container_of(info: &SeriesInfo) -> [Option<&String>; 4] {
    ["namespace", "pod", "container", "instance"].map(|key| info.labels.get(key))
}

/// The series of the container that an event of a log must be of, as indices; none where that may be several.
fn only_fit(event: &Event, series: &[MemorySeries], events: &[Event]) -> Vec<usize> {
    let only = |fits: &dyn Fn(&SeriesInfo) -> bool| {
        let fitting: Vec<usize> = (0..series.len()).filter(|index| fits(&series[*index].info)).collect();
        let is_one = |pair: &[usize]| container_of(&series[pair[0]].info) == container_of(&series[pair[1]].info);
        if fitting.windows(2).all(is_one) { fitting } else { Vec::new() }
    };
    let label = |info: &SeriesInfo, key: &str| info.labels.get(key).cloned().unwrap_or_default();
    if let Some(uid) = event.attributes.get(POD_UID) {
        return only(&|info| label(info, "id").replace('_', "-").contains(uid.as_str()));
    }
    let of_pod = only(&|info| label(info, "pod") == event.id);
    let is_of_one = events.iter().all(|other| other.input != event.input || other.id == event.id);
    if !of_pod.is_empty() || !is_of_one {
        return of_pod;
    }
    let is_id = event.id.len() == FULL_ID && is_hex(&event.id);
    only(&|_| true).into_iter().filter(|index| !is_id || full_id(&series[*index].info).is_none()).collect()
}

/// The name of a container; while compose replaces one it is called `0123456789ab_NAME`.
fn own_name(name: &str) -> &str {
    let name = name.trim_start_matches('/');
    match name.split_once('_') {
        Some((id, rest)) if id.len() == SHORT_ID && is_hex(id) && !rest.is_empty() => rest,
        _ => name,
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The attribute with the UID of the pod that a cgroup is of.
pub(super) const POD_UID: &str = "leaktrend.pod-uid";

fn is_of(container: &Container, info: &SeriesInfo) -> bool {
    let label = |key: &str| info.labels.get(key).map(String::as_str);
    // Each run of a container in a pod has an ID of its own.
    if let (Some(pod), Some(name)) = (container.pod, label("pod").or(label("pod_name"))) {
        let is_same_namespace = pod.namespace.zip(label("namespace")).is_none_or(|(a, b)| a == b);
        return pod.name == name && is_same_namespace && names_of(info).contains(&pod.container);
    }
    if let Some(id) = full_id(info) {
        return container.ids.iter().any(|known| known.len() >= SHORT_ID && id.starts_with(known));
    }
    let names = names_of(info);
    let by_id =
        |name: &&str| name.len() >= SHORT_ID && is_hex(name) && container.ids.iter().any(|id| id.starts_with(*name));
    names.iter().any(|name| *name == container.name || by_id(name))
}

/// Whether a series may be named after the service of a compose project: `web` of `shop-web-1`.
fn may_be_of(container: &Container, info: &SeriesInfo) -> bool {
    let alike = |a: &str, b: &str| a.replace('_', "-") == b.replace('_', "-");
    names_of(info).iter().any(|name| {
        container.service == Some(*name)
            || alike(container.name, name)
            || alike(service_in(container.name).unwrap_or_default(), name)
    })
}

/// `shop-web` of `shop-web-1`, without its project: everything after the first separator.
fn service_in(name: &str) -> Option<&str> {
    let separator = ['-', '_'];
    let (rest, number) = name.rsplit_once(separator)?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    rest.split_once(separator).map(|(_, service)| service)
}

/// What the container of a series may be called; never empty text.
fn names_of(info: &SeriesInfo) -> Vec<&str> {
    ["name", "container", "container_name"]
        .iter()
        .filter_map(|key| info.labels.get(*key).map(String::as_str))
        .chain([info.id.as_str()])
        .map(own_name)
        .filter(|name| !name.is_empty())
        .collect()
}

/// The whole ID in the label `id`: `/docker/0f3c...`, `/system.slice/docker-0f3c....scope`.
fn full_id(info: &SeriesInfo) -> Option<&str> {
    let path = info.labels.get("id")?;
    path.split(|c: char| !c.is_ascii_alphanumeric()).rev().find(|part| part.len() == FULL_ID && is_hex(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Action, Teller};
    use crate::series::{Metric, Sampling};

    const NONE: [usize; 0] = [];

    fn labels<L: FromIterator<(String, String)>>(pairs: &[(&str, &str)]) -> L {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn event(id: &str, attributes: &[(&str, &str)]) -> Event {
        Event {
            input: 0,
            time_ms: 0,
            action: Action::Die,
            id: id.repeat(FULL_ID),
            attributes: labels(attributes),
            teller: Teller::Docker,
        }
    }

    /// Which of the events belong to a series of these labels.
    fn owned(id: &str, pairs: &[(&str, &str)]) -> Vec<usize> {
        let events = [
            event("a", &[("name", "shop-web-1"), ("com.docker.compose.service", "web")]),
            event("b", &[("name", "shop_queue_1")]),
            event("c", &[("name", "cccccccccccc_api")]),
            event("d", &[("name", "api")]),
            event("e", &[("name", "k8s_x"), ("io.kubernetes.pod.name", "p-1"), ("io.kubernetes.container.name", "x")]),
            event("f", &[("name", "shop-job-1"), ("com.docker.compose.service", "job")]),
            event("0", &[("name", "shop-job-2"), ("com.docker.compose.service", "job")]),
            event("a", &[]),
        ];
        let info = SeriesInfo {
            id: id.to_owned(),
            labels: labels(pairs),
            container_given: false,
            limit: None,
            metric: Metric::DockerUsage,
            sampling: Sampling::Raw,
        };
        Containers::new(&events).events_of(&info)
    }

    #[test]
    fn a_container_is_known_by_its_name_or_its_id() {
        assert_eq!(owned("shop-web-1", &[("container", "shop-web-1")]), [0, 7]);
        assert_eq!(owned("x{name=\"api\"}", &[("container", "x"), ("name", "api")]), [2, 3]);
        assert_eq!(owned("bbbbbbbbbbbb", &[("container", "bbbbbbbbbbbb")]), [1]);
        assert_eq!(owned("x", &[("id", &format!("/system.slice/docker-{}.scope", "b".repeat(64)))]), [1]);
        assert_eq!(owned("x", &[("container", "x"), ("pod", "p-1")]), [4]);
    }

    #[test]
    fn another_id_is_another_container_whatever_its_name() {
        assert_eq!(owned("x", &[("name", "shop-web-1"), ("id", &format!("/docker/{}", "9".repeat(64)))]), NONE);
        assert_eq!(owned("x", &[("container", "x"), ("pod", "p-2")]), NONE);
    }

    #[test]
    fn a_service_is_known_where_one_container_fits() {
        assert_eq!(owned("web", &[("container", "web")]), [0, 7]);
        assert_eq!(owned("queue", &[("container", "queue")]), [1]);
        assert_eq!(owned("shop-queue-1", &[("container", "shop-queue-1")]), [1]);
        assert_eq!(owned("job", &[("container", "job")]), NONE);
        assert_eq!(owned("", &[("container", "")]), NONE);
    }
}
