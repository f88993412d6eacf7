//! What broke a judge of troughs once, or could: each is a case here, on processes simulated for it.
//!
//! Bounds state what must hold, with the slack of the number of seeds.

mod calendars;
mod climbs;
mod collectors;
mod coverage;
mod deployed;
mod fixed;
mod gaps;
mod limits;
mod now;
mod peaks;
mod shifts;
mod simulated;
mod started;
mod starts;
