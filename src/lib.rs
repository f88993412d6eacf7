//! Finds memory leaks in containers from memory readings over time, with proof and charts.
//!
//! ```
//! use leaktrend::settings::Settings;
//!
//! let frame = leaktrend::read(["data/memory-trend.csv"])?;
//! let report = leaktrend::judge(frame, &Settings::default())?;
//! for series in &report.series {
//!     println!("{}: {}: {}", series.outcome.name(), series.id(), series.judgement.reason());
//! }
//! # assert_eq!(report.outcome.name(), "fail");
//! # Ok::<(), leaktrend::error::Error>(())
//! ```
//!
//! [`read()`] reads files of any supported format into a [`SampleFrame`](frame::SampleFrame): a polars table with one row
//! per sample, sorted by series and time. [`judge()`] turns it into a [`Report`](report::Report) with a verdict, the
//! runbook's criteria and the next step for each series. [`report`] writes it as Markdown, HTML, JSON, JUnit or pictures.
//! An [`analysis::Job`] holds everything else that the command line offers (events, rules, a load, limits). To judge
//! plain numbers, use the small crate `leaktrend_core`.
//!
//! ```
//! use leaktrend::frame::SampleFrame;
//! use leaktrend::settings::Settings;
//! use polars::prelude::df;
//!
//! let hours = 0..72_i64;
//! let table = df!(
//!     "container" => hours.clone().map(|_| "web").collect::<Vec<_>>(),
//!     "time" => hours.clone().map(|hour| 1_795_000_000_000 + 3_600_000 * hour).collect::<Vec<_>>(),
//!     "used_bytes" => hours.map(|hour| 3e8 + 2e6 * hour as f64).collect::<Vec<_>>(),
//! ).expect("columns of one length");
//! let report = leaktrend::judge(SampleFrame::from_table(&table)?, &Settings::default())?;
//! assert_eq!(report.series[0].verdict().name(), "leak");
//! # Ok::<(), leaktrend::error::Error>(())
//! ```
//!
//! `open -> decode -> resolve -> frame -> series -> segment -> fit -> verdict (+ criteria, rules) -> report`: each arrow
//! is a function from one owned value to the next, and nothing points back. The library returns values: the same input
//! gives the same bytes. Only [`program`], the command line as a function, prints, exits and reads the clock.

pub mod account;
pub mod amounts;
pub mod analysis;
pub mod attribution;
pub mod cli;
pub mod compare;
pub mod counts;
pub mod criteria;
pub mod decode;
pub mod error;
pub mod events;
pub mod files;
pub mod frame;
pub mod grows;
pub mod limits;
#[cfg(feature = "live")]
pub mod live;
pub mod next_action;
pub mod nightly;
pub mod open;
pub mod pods;
pub mod policy;
pub mod program;
pub mod progress;
pub mod read;
pub mod report;
pub mod resolve;
pub mod rules;
mod seed;
pub mod selection;
pub mod settings;
pub mod window;

pub use leaktrend_core::{causes, fit, forecast, named, segment, series, settled, stats, units, verdict, workload};

pub use analysis::judge_frame as judge;
pub use read::read;
