//! From the memory of a container over time to a verdict: statistics on slices, without files, tables or pictures.
//!
//! `series -> segment -> fit -> judge`: each arrow is one function from one value to the next, and nothing points
//! back. The crate does not print, read files or look at the clock.

pub mod fit;
pub mod forecast;
pub mod judge;
pub mod segment;
pub mod series;
pub mod settled;
pub mod stats;
pub mod units;
