//! leaktrend reads container memory over time, says for each container whether it leaks, proves what it says,
//! and draws it.
//!
//! `ingest -> frame -> series -> segment -> fit -> judge (+ criteria) -> report`
//!
//! Each arrow is one function from one owned value to the next. Nothing points back.

pub mod criteria;
pub mod error;
pub mod fit;
pub mod ingest;
pub mod judge;
pub mod segment;
pub mod series;
pub mod settings;
pub mod stats;
pub mod units;
