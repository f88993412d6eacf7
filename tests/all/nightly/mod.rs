//! `leaktrend nightly` as its users run it: night after night over logs that grow, rotate, break and vanish.

mod forty_nights;
mod gone;
mod history;
mod judging;
mod killed;
mod metrics;
mod state;
pub(crate) mod world;
