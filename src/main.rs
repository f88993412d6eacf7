//! The `leaktrend` program.
fn main() {}
