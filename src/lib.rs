//! leaktrend reads container memory over time, says for each container whether it leaks, proves what it says,
//! and draws it.
//!
//! `ingest -> frame -> series -> segment -> fit -> judge (+ criteria) -> report`
//!
//! Each arrow is one function from one owned value to the next; `analysis::run` puts them in a row. Nothing points
//! back. The library returns values: it does not print, exit, or read the clock.

pub mod analysis;
pub mod cli;
pub mod compare;
pub mod criteria;
pub mod error;
pub mod events;
#[cfg(feature = "frame")]
pub mod frame;
pub mod ingest;
pub mod limits;
pub mod next_action;
#[cfg(feature = "frame")]
pub mod nightly;
pub mod policy;
pub mod progress;
pub mod report;
pub mod rules;
pub mod selection;
pub mod settings;
pub mod window;

pub use leaktrend_core::{fit, forecast, judge, segment, series, settled, stats, units};
