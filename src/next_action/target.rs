//! `Target`: how commands name a container, as one word of a POSIX shell.

/// Where a container runs, and how commands name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A container of docker, by its name.
    Docker(String),
    /// A container of a pod; the namespace and the container as far as they are known.
    Kubernetes {
        /// Its namespace.
        namespace: Option<String>,
        /// Its pod.
        pod: String,
        /// Its container within the pod.
        container: Option<String>,
    },
    /// One that the input does not name: commands hold `CONTAINER`.
    Unnamed,
}

impl Target {
    /// What it holds, and of which kind.
    pub(super) fn watch(&self) -> String {
        match self {
            Target::Kubernetes { namespace, pod, .. } => {
                format!("kubectl{} top pod --containers {}", in_namespace(namespace.as_deref()), operand(pod))
            }
            _ => format!("docker stats --no-stream {}", self.name()),
        }
    }

    pub(super) fn restart(&self) -> String {
        match self {
            // Its controller makes another.
            Target::Kubernetes { namespace, pod, .. } => {
                format!("kubectl{} delete pod {}", in_namespace(namespace.as_deref()), operand(pod))
            }
            _ => format!("docker restart {}", self.name()),
        }
    }

    /// A command within it.
    pub(super) fn exec(&self, command: &str) -> String {
        match self {
            Target::Kubernetes { namespace, pod, container } => {
                let container = container.as_ref().map_or(String::new(), |name| format!(" -c {}", shell_quoted(name)));
                let pod = pod_of_exec(pod);
                format!("kubectl{} exec {pod}{container} -- {command}", in_namespace(namespace.as_deref()))
            }
            _ => format!("docker exec {} {command}", self.name()),
        }
    }

    /// Memory of its own apart from cached files, in any service.
    pub(super) fn memory_stat(&self) -> String {
        self.exec("cat /sys/fs/cgroup/memory.stat")
    }

    /// Why it was restarted or ended. `since`: from when events are asked for; `None`: for a day.
    pub(super) fn why_restarted(&self, since: Option<&str>) -> [String; 2] {
        if let Target::Kubernetes { namespace, pod, container } = self {
            let namespace = in_namespace(namespace.as_deref());
            let container = container.as_ref().map_or(String::new(), |name| format!(" -c {}", shell_quoted(name)));
            let pod = operand(pod);
            return [
                format!("kubectl{namespace} describe pod {pod}"),
                format!("kubectl{namespace} logs --previous{container} {pod}"),
            ];
        }
        let filter = if let Target::Docker(name) = self { shell_quoted(name) } else { self.name() };
        [
            format!("docker events --since {} --until 0s --filter container={filter}", since.unwrap_or("24h")),
            format!("docker inspect --format '{{{{json .State}}}}' {}", self.name()),
        ]
    }

    /// A larger limit; `None` where only a manifest can say so.
    pub(super) fn larger_limit(&self, memory: &str) -> Option<String> {
        match self {
            Target::Kubernetes { .. } => None,
            _ => Some(format!("docker update --memory={memory} --memory-swap={memory} {}", self.name())),
        }
    }

    fn name(&self) -> String {
        match self {
            Target::Docker(name) => operand(name),
            Target::Kubernetes { pod, .. } => operand(pod),
            Target::Unnamed => "CONTAINER".to_owned(),
        }
    }
}

fn in_namespace(namespace: Option<&str>) -> String {
    namespace.map_or(String::new(), |namespace| format!(" -n {}", shell_quoted(namespace)))
}

/// A pod before the `--` that ends the options of `kubectl exec`: one that begins with a dash is named by its kind.
fn pod_of_exec(pod: &str) -> String {
    if pod.starts_with('-') { shell_quoted(&format!("pod/{pod}")) } else { shell_quoted(pod) }
}

/// A name as the operand of a command: one that begins with a dash must not be taken for an option.
pub(super) fn operand(name: &str) -> String {
    let quoted = shell_quoted(name);
    if name.starts_with('-') { format!("-- {quoted}") } else { quoted }
}

/// A name as one word of a POSIX shell.
pub fn shell_quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-/:@".contains(c);
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        return name.to_owned();
    }
    let printable: String = name.chars().filter(|c| !c.is_control()).collect();
    format!("'{}'", printable.replace('\'', r"'\''"))
}
