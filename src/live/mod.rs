//! Reads series from a server that speaks the Prometheus HTTP API: Prometheus, `VictoriaMetrics`, Thanos, Mimir.
//!
//! Takes what is wanted and gives a file without a name, in the form that `decode` reads, so that all that follows is as
//! for a file. The only part of the program that opens a socket, and the only one that names `ureq`.
//!
//! Samples are raw: instant queries of a range selector give every scrape at its own time. What is wanted is cut in time,
//! and by series where that is not enough, so that no answer is larger than a bound.

mod address;
mod agents;
mod answer;
mod beside;
mod client;
mod config;
mod failure;
mod fetch;
mod plan;
mod probe;
mod query;
mod spool;

pub use address::{Address, UserInfo, is_address, shown};
pub use client::Host;
pub use config::Access;
pub use fetch::{MAX_SAMPLES, Time, Wanted, fetch};
pub use query::{DEFAULT_METRIC, Matcher, ServerSelector};
pub use spool::Encoding;
