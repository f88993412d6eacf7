//! The `leaktrend` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(leaktrend::program::run(std::env::args_os()))
}
