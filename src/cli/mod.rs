//! The command line: `Args`, with one file for each subcommand that has more than an option.

pub mod analyze;
mod beside;
pub mod compare;
pub mod generate;
#[cfg(feature = "live")]
pub mod live;
mod moment;
pub mod nightly;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub use analyze::{AnalyzeArgs, ChartFormatArg, Color, FormatArg, job, layout};
pub use beside::BesideArgs;
pub use compare::CompareArgs;
#[cfg(feature = "live")]
pub use live::{LiveArgs, LiveInput, live_inputs, nightly_inputs};
pub use nightly::NightlyArgs;

const EXAMPLES: &str = "\
Examples

  A nightly job over the log that cron appends to every 15 minutes:
    leaktrend analyze /var/log/memory-usage.log --out /var/lib/leaktrend --quiet
    leaktrend analyze /var/log/memory-usage.log /var/log/memory-usage.log.1.gz --since 2026-11-01T00:00:00Z

  CI, after a soak test with 20 minutes of warm-up and 30 minutes of load:
    leaktrend analyze memory-trend.csv --load 20m..50m --out report --inconclusive fail
    leaktrend analyze prometheus.json --load 2026-11-23T20:20:00Z..2026-11-23T20:50:00Z --json verdict.json

  An engineer with whatever is at hand:
    docker stats --no-stream | leaktrend analyze - --interval 1m
    leaktrend analyze export.json --container '^api' --limit api=2GiB --charts all --out /tmp/api

Exit codes: 0 nothing failed, 1 a leak or a failed criterion, 2 the job could not be done, 3 inconclusive.
";

/// Finds memory leaks in containers from memory readings over time, with proof and charts.
#[derive(Debug, Parser)]
#[command(name = "leaktrend", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge every series of memory readings, and write a report.
    Analyze(Box<AnalyzeArgs>),
    /// Compare the JSON verdict of a run with that of a known good one.
    Compare(Box<CompareArgs>),
    /// Keep a history of logs, judge the last day, week and month, and say what changed.
    Nightly(Box<NightlyArgs>),
    /// Print the effective settings with comments, ready to save as leaktrend.toml.
    Config {
        /// Settings file [default: ./leaktrend.toml if it exists].
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the JSON Schema of the JSON verdict.
    Schema {
        /// Output whose schema is printed.
        #[arg(long, value_enum, default_value_t = SchemaOf::Verdict)]
        of: SchemaOf,
    },
    /// Print a completion script for a shell.
    Completions {
        /// Shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write the man pages to a folder, for packagers.
    #[command(hide = true)]
    Man {
        /// Folder; it must exist.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// What has a JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The output of `analyze`.
    Verdict,
    /// The output of `compare`.
    Comparison,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }
}
