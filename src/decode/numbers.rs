//! Numbers without a unit: whether they can be bytes. One answer for all formats.
//!
//! What is a counter, a share, a rate or counts something else than bytes would be judged as memory and pass. It is
//! refused by name, with what to write instead.

use crate::account::{AmountWarning, Input, Measure, NotBytes, NumbersOf};
use crate::units::MIB;

/// A container whose memory stays below this is not measured, or not in bytes.
const SMALLEST: f64 = MIB;

/// Numbers below this are seldom bytes: it is said that they are read so.
const SMALL: f64 = 16.0 * MIB;

/// Metrics of containers that are bytes and do not say so: cAdvisor's and Docker's own.
const BYTES: [&str; 12] = [
    "container_memory_rss",
    "container_memory_cache",
    "container_memory_swap",
    "container_memory_mapped_file",
    "container_memory_kernel_usage",
    "container_memory_usage",
    "container_memory_working_set",
    "docker_container_mem_usage",
    "k8s_container_memory_usage",
    "k8s_container_memory_working_set",
    "k8s_container_memory_rss",
    "process_memory_usage",
];

/// How the names of a runtime's memory begin where they need not end with `_bytes`.
const BYTES_PREFIXES: [&str; 4] =
    ["jvm_memory_bytes_", "process_runtime_jvm_memory_", "dotnet_gc_heap_size", "system_runtime_gc_heap_size"];

/// Ends of names of what is not an amount, and what it is.
const OTHER_ENDS: [(&str, Measure); 13] = [
    ("_total", Measure::Counter),
    ("_sum", Measure::Counter),
    ("_count", Measure::Count),
    ("_bucket", Measure::Histogram),
    ("_failcnt", Measure::Counter),
    ("_created", Measure::Time),
    ("_timestamp", Measure::Time),
    ("_seconds", Measure::Time),
    ("_ratio", Measure::Share),
    ("_percent", Measure::Share),
    ("_percentage", Measure::Share),
    ("_info", Measure::Labels),
    ("_celsius", Measure::Temperature),
];

/// How names of settings and sizes begin, which are no memory in use.
const SETTINGS: [&str; 3] = ["kube_", "container_spec_", "machine_"];

/// Operations of recording rules whose result is not an amount: `level:metric:operation`.
const OTHER_OPERATIONS: [&str; 6] = ["rate", "irate", "increase", "deriv", "delta", "ratio"];

/// What the name of a metric says of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// They are bytes.
    Bytes,
    /// They are something else, with what they are.
    Other(Measure),
    /// It does not say.
    Unknown,
}

/// What a metric of this name counts; the empty name is that of an expression.
pub(crate) fn meaning(name: &str) -> Meaning {
    let (level_and_metric, operation) = match name.rsplit_once(':') {
        Some((metric, operation)) if metric.contains(':') => (metric, operation),
        _ => (name, ""),
    };
    if OTHER_OPERATIONS.iter().any(|other| operation.starts_with(other)) {
        return Meaning::Other(Measure::Rate);
    }
    let metric = level_and_metric.rsplit(':').next().unwrap_or_default();
    if SETTINGS.iter().any(|beginning| metric.starts_with(beginning)) {
        return Meaning::Other(Measure::Setting);
    }
    if let Some((_, what)) = OTHER_ENDS.iter().find(|(end, _)| metric.ends_with(end)) {
        return Meaning::Other(*what);
    }
    let is_bytes = metric.ends_with("_bytes") || metric.contains("_bytes_");
    if is_bytes || BYTES.contains(&metric) || BYTES_PREFIXES.iter().any(|prefix| metric.starts_with(prefix)) {
        return Meaning::Bytes;
    }
    Meaning::Unknown
}

/// Numbers of one kind, of which nothing says what they count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers {
    n: u64,
    n_negative: u64,
    smallest: f64,
    largest: f64,
}

impl Default for Numbers {
    fn default() -> Numbers {
        Numbers { n: 0, n_negative: 0, smallest: f64::INFINITY, largest: 0.0 }
    }
}

impl Numbers {
    /// Takes a number in.
    pub(crate) fn note(&mut self, number: f64) {
        self.n += 1;
        self.n_negative += u64::from(number < 0.0);
        self.smallest = self.smallest.min(number);
        self.largest = self.largest.max(number);
    }

    /// Counts numbers below zero, which cannot be kept.
    pub(crate) fn note_negative(&mut self, n: u64) {
        self.n += n;
        self.n_negative += n;
    }

    /// Why they cannot be bytes; `None` where they can. `of`: whose numbers they are.
    pub(crate) fn refusal(&self, of: NumbersOf) -> Option<NotBytes> {
        let Numbers { n: total, n_negative: n, smallest, largest } = *self;
        if total == 0 {
            None
        } else if 0 < n {
            Some(NotBytes::Negative { of, n, total })
        } else if SMALLEST <= largest {
            None
        } else if largest == 0.0 {
            Some(NotBytes::Zero { of })
        } else if largest <= 1.0 {
            Some(NotBytes::Share { of, smallest, largest })
        } else {
            Some(NotBytes::Small { of, smallest, largest })
        }
    }

    /// Refuses a table whose numbers cannot be bytes, and says so where they hardly are.
    pub(crate) fn judge(mut self, input: &mut Input) {
        // A row may be damaged: it was rejected by itself.
        if self.n_negative == 1 {
            self.n -= 1;
            self.n_negative = 0;
        }
        match self.refusal(NumbersOf::WithoutUnit) {
            Some(why) => input.unusable = Some(why.into()),
            None => self.doubt().into_iter().for_each(|doubt| input.warn(doubt)),
        }
    }

    /// That they are read as bytes, where they hardly are; `None` where they well may be.
    pub(crate) fn doubt(&self) -> Option<AmountWarning> {
        (0 < self.n && self.largest < SMALL).then_some(AmountWarning::Small { largest_bytes: self.largest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_bytes() {
        for name in [
            "container_memory_working_set_bytes",
            "container_memory_rss",
            "container_memory_cache",
            "process_resident_memory_bytes",
            "jvm_memory_bytes_used",
            "jvm_memory_used_bytes",
            "go_memstats_heap_inuse_bytes",
            "nodejs_heap_size_used_bytes",
            "node_namespace_pod_container:container_memory_working_set_bytes",
            "namespace:container_memory_usage_bytes:sum",
        ] {
            assert_eq!(meaning(name), Meaning::Bytes, "{name}");
        }
        for (name, what) in [
            ("container_cpu_usage_seconds_total", Measure::Counter),
            ("container_network_receive_bytes_total", Measure::Counter),
            ("go_memstats_alloc_bytes_total", Measure::Counter),
            ("http_response_size_bytes_sum", Measure::Counter),
            ("container_memory_failcnt", Measure::Counter),
            ("container_start_time_seconds", Measure::Time),
            ("pod:container_memory_usage_bytes:rate5m", Measure::Rate),
            ("memory_usage_ratio", Measure::Share),
            ("kube_pod_container_resource_requests", Measure::Setting),
            ("machine_memory_bytes", Measure::Setting),
        ] {
            assert_eq!(meaning(name), Meaning::Other(what), "{name}");
        }
        for name in ["", "up", "memory", "my_memory_mib"] {
            assert_eq!(meaning(name), Meaning::Unknown, "{name}");
        }
    }

    fn refusal(numbers: &[f64]) -> String {
        let mut all = Numbers::default();
        numbers.iter().for_each(|number| all.note(*number));
        let whose = NumbersOf::WithoutUnit;
        all.refusal(whose).map_or_else(String::new, |why| why.to_string().replace("numbers without a unit", "values"))
    }

    #[test]
    fn what_cannot_be_bytes_says_what_was_found_and_what_to_write() {
        insta::assert_snapshot!(refusal(&[511.5, 512.25]), @r#"its values are 511.5 to 512.25, less than 1 MiB, so they are not bytes of a container (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`; if they are MiB, pass `--unit MiB`; KiB, GiB, kB, MB and GB work too)"#);
        insta::assert_snapshot!(refusal(&[0.25, 0.75]), @r#"its values are 0.25 to 0.75, so they are a share or a count, not bytes (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`)"#);
        insta::assert_snapshot!(refusal(&[5e6, -3.5, 7e6]), @r#"its values: 1 of 3 is negative, so they are a difference or a rate, not bytes (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`)"#);
        insta::assert_snapshot!(refusal(&[0.0, 0.0]), @r#"its values are all 0, and a running container uses more (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`)"#);
        assert_eq!(refusal(&[]), "");
        assert_eq!(refusal(&[0.0, 1_048_576.0]), "");
    }
}
