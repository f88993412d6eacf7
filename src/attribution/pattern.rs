//! The runbook's patterns A to D, from what growth was found to follow rather than from its shape.

use super::{CauseKind, Suspect, Unit};

crate::named! {
    /// A pattern of the runbook.
    pub enum Pattern {
        /// A: connections that are not closed.
        Connections = "A",
        /// B: event listeners that pile up.
        Listeners = "B",
        /// C: a cache without a limit.
        Cache = "C",
        /// D: buffers of uploads.
        Uploads = "D",
    }
}

impl Pattern {
    /// What it is, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Pattern::Connections => "connections that are not closed",
            Pattern::Listeners => "event listeners that pile up",
            Pattern::Cache => "a cache without a limit",
            Pattern::Uploads => "buffers of uploads that are not released",
        }
    }
}

const CONNECTIONS: [&str; 7] = ["connection", "connections", "pg", "sockets", "pool", "clients", "backends"];
const LISTENERS: [&str; 7] = ["listener", "listeners", "websocket", "ws", "sse", "socket", "subscriptions"];
const CACHES: [&str; 7] = ["cache", "cached", "entries", "lru", "sessions", "session", "keys"];
const UPLOADS: [&str; 8] = ["upload", "uploads", "file", "files", "attachment", "attachments", "import", "media"];

/// The pattern that a named cause is; `None` where its name and nature point to none.
pub(super) fn of(suspect: &Suspect) -> Option<Pattern> {
    let name = suspect.name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    match suspect.kind {
        CauseKind::Request if suspect.unit == Some(Unit::Byte) => Some(Pattern::Uploads),
        CauseKind::Request if has(&UPLOADS) && (name.starts_with("post ") || name.starts_with("put ")) => {
            Some(Pattern::Uploads)
        }
        CauseKind::Request | CauseKind::Covariate if has(&LISTENERS) => Some(Pattern::Listeners),
        CauseKind::Covariate if has(&CACHES) => Some(Pattern::Cache),
        CauseKind::Covariate if has(&CONNECTIONS) => Some(Pattern::Connections),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_points_to_a_pattern_or_to_none() {
        use CauseKind::{Clock, Covariate, Request};
        for (kind, name, unit, pattern) in [
            (Request, "POST /upload", Unit::Request, Some("D")),
            (Request, "GET /upload", Unit::Request, None),
            (Request, "bytes received", Unit::Byte, Some("D")),
            (Request, "GET /ws", Unit::Request, Some("B")),
            (Covariate, "pg_stat_activity_count", Unit::Level, Some("A")),
            (Covariate, "event_listeners", Unit::Level, Some("B")),
            (Covariate, "cache_entries", Unit::Level, Some("C")),
            (Covariate, "jobs_total", Unit::Count, None),
            (Clock, "time itself", Unit::Second, None),
        ] {
            let suspect = Suspect {
                kind,
                name: name.to_owned(),
                unit: Some(unit),
                bytes_per_unit: None,
                share_of_growth: None,
                margin: 10.0,
                is_named: true,
                indistinguishable: Vec::new(),
                units_a_day: None,
                at_ms: None,
            };
            assert_eq!(of(&suspect).map(Pattern::name), pattern, "{name}");
        }
    }
}
