//! One event in the life of a container, whoever reports it.

use std::collections::BTreeMap;

/// One event in the life of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The file that holds it first, as an index.
    pub input: usize,
    /// When, in milliseconds.
    pub time_ms: i64,
    /// What happened.
    pub action: Action,
    /// The container's ID: 64 hexadecimal digits, or the first of them; another name where who reports it knows none.
    pub id: String,
    /// Attributes and labels of the container, `name` among them; empty where the line has none.
    pub attributes: BTreeMap<String, String>,
    /// Who reports it.
    pub teller: Teller,
}

impl Event {
    /// The container's name, or its ID where the line has none.
    pub fn container(&self) -> &str {
        self.attributes.get("name").map_or(&self.id, String::as_str)
    }

    /// Whether a log tells it that may not say which container it is of.
    pub(super) fn is_of_log(&self) -> bool {
        matches!(self.teller, Teller::Kernel | Teller::Application)
    }

    /// The number that an attribute holds; `None` where there is none.
    pub fn number(&self, attribute: &str) -> Option<i64> {
        self.attributes.get(attribute)?.parse().ok()
    }
}

/// What happened to a container, as far as it begins or ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It was made; not running yet.
    Create,
    /// A process in it was killed for want of memory: its first one, which ends the container, or another.
    Oom,
    /// A signal was sent to it.
    Kill,
    /// Its first process ended.
    Die,
    /// Its first process began.
    Start,
    /// `docker restart` is done.
    Restart,
}

impl Action {
    /// Whether a run ends or begins with it.
    pub const fn is_of_lifecycle(self) -> bool {
        matches!(self, Action::Die | Action::Start | Action::Restart)
    }

    pub(super) fn of(name: &str) -> Option<Action> {
        match name {
            "create" => Some(Action::Create),
            "oom" => Some(Action::Oom),
            "kill" => Some(Action::Kill),
            "die" | "died" => Some(Action::Die),
            "start" => Some(Action::Start),
            "restart" => Some(Action::Restart),
            _ => None,
        }
    }
}

/// Who reports an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Teller {
    /// `docker events`.
    #[default]
    Docker,
    /// An export of Prometheus.
    Export,
    /// The kernel log.
    Kernel,
    /// The log of an application.
    Application,
    /// Kubernetes, as `kubectl get` prints it.
    Kubernetes,
}

impl Teller {
    /// Who, for a reader.
    pub const fn name(self) -> &'static str {
        match self {
            Teller::Docker => "docker events",
            Teller::Export => "the export",
            Teller::Kernel => "the kernel log",
            Teller::Application => "its log",
            Teller::Kubernetes => "Kubernetes",
        }
    }
}
