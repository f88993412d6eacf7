//! Asks servers for what is new since the last night.

use std::path::PathBuf;
use std::sync::Arc;

use super::Fetch;
use super::identities::Identities;
use super::logs::{LogRead, add_account};
use super::state::{Account, LogMemory};
use crate::account::Input;
use crate::decode::Options;
use crate::open::{Fetched, Source};
use crate::read::readings;

/// Readings may reach a server so late, by remote write: what is that new is asked for again. Those that are known are
/// not counted twice.
const LATE_MS: i64 = 3_600_000;

/// Reads what is new on each server, of which `memory` tells when the newest reading was taken that is known. What is
/// older than `oldest_ms` is not asked for.
pub(super) fn read(servers: &[PathBuf], memory: &[LogMemory], oldest_ms: i64, fetch: Fetch<'_>) -> Vec<LogRead> {
    let read = |(server, name): (usize, &PathBuf)| {
        let known = memory.iter().position(|log| log.path == *name);
        let end_ms = known.and_then(|known| memory[known].end_ms);
        let fetched = fetch(server, end_ms.map(|end_ms| (end_ms - LATE_MS).max(oldest_ms)));
        let source = Source::Fetched(Arc::new(Fetched::new(name.clone(), fetched)));
        let mut read = readings(std::slice::from_ref(&source), &Options::default());
        let input = read.inputs.pop().unwrap_or_else(|| Input::new(&source));
        let mut account = Account::default();
        add_account(&mut account, name, &input, &Input::new(&source), 0, name);
        LogRead {
            known,
            path: name.clone(),
            input: Input { format: input.format, unusable: input.unusable, ..Input::new(&source) },
            account,
            series: read.series,
            reported: read.reported,
            identities: Identities::default(),
            untimed: None,
            read: Vec::new(),
            replaced: Vec::new(),
        }
    };
    servers.iter().enumerate().map(read).collect()
}
