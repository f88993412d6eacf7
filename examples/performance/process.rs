//! What processes cost.

use std::io;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

/// What one process, with those that it started, took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// User and system time.
    pub(crate) cpu_seconds: f64,
    pub(crate) wall_seconds: f64,
    /// The largest resident set of one of them.
    pub(crate) peak_bytes: f64,
}

/// The program beside this example.
pub(crate) fn program() -> String {
    let this = std::env::current_exe().expect("it runs");
    let program = this.ancestors().nth(2).expect("it is in a folder of the build").join("leaktrend");
    assert!(program.exists(), "{}: not there (`cargo build --release` makes it)", program.display());
    program.display().to_string()
}

/// Runs a command, and prints what it cost: resources are counted for all children of a process, so that each command
/// gets a parent of its own.
pub(crate) fn measure(command: &[&str]) {
    let begin = Instant::now();
    let status = Command::new(command[0]).args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let wall_seconds = begin.elapsed().as_secs_f64();
    let status = status.unwrap_or_else(|error| panic!("{}: {error}", command[0]));
    // A leak that was found is an answer, an input of zeros is none.
    assert!(matches!(status.code(), Some(0..=3)), "{command:?}: {status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the system counts");
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    println!("{} {wall_seconds} {}", seconds(usage.user_time()) + seconds(usage.system_time()), usage.max_rss() << 10);
}

/// What a command costs. `$OUT` is a folder that is there for it, and is gone afterwards.
pub(crate) fn cost(command: &[&str]) -> Cost {
    let out = tempfile::tempdir().expect("a folder can be made");
    let this = std::env::current_exe().expect("it runs");
    let output = Command::new(this).arg("measure").args(command).env("OUT", out.path()).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("numbers are text");
    let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().expect("a number")).collect();
    Cost { cpu_seconds: numbers[0], wall_seconds: numbers[1], peak_bytes: numbers[2] }
}

/// The medians of what commands cost that are run in turn, after one run of each that is not counted.
pub(crate) fn median_cost(commands: &[Vec<&str>], n_runs: usize) -> Vec<Cost> {
    for command in commands {
        cost(command);
    }
    let runs: Vec<Vec<Cost>> = (0..n_runs).map(|_| commands.iter().map(|command| cost(command)).collect()).collect();
    let median = |of: &dyn Fn(&Cost) -> f64, index: usize| {
        let mut values: Vec<f64> = runs.iter().map(|run| of(&run[index])).collect();
        values.sort_by(f64::total_cmp);
        values[n_runs / 2]
    };
    (0..commands.len())
        .map(|index| Cost {
            cpu_seconds: median(&|cost| cost.cpu_seconds, index),
            wall_seconds: median(&|cost| cost.wall_seconds, index),
            peak_bytes: median(&|cost| cost.peak_bytes, index),
        })
        .collect()
}

/// Runs a line of shell.
///
/// # Errors
///
/// When it fails.
pub(crate) fn shell(line: &str) -> io::Result<()> {
    let status = Command::new("sh").args(["-c", line]).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{line}: {status}"))) }
}
