//! Forty nights of the nightly job on a simulated machine, and whether it keeps its promises.
//!
//! Takes a seed and a form of the log; gives what each night said. The job runs as in production, by its arguments, and
//! only its clock is given.

pub(crate) mod machine;
pub(crate) mod promises;
pub(crate) mod services;

use std::path::Path;

use clap::Parser;
use leaktrend::cli::{self, Args, Command};
use leaktrend::nightly::{self, NightJob};
use leaktrend::report::summary::Screen;

use machine::{Form, Machine, START};
use services::{DAY, Service};

/// So many nights are simulated.
pub(crate) const NIGHTS: i64 = 40;
/// The job runs so long after midnight, in seconds.
const RUN_AT: i64 = 600;

/// What a night said of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) series: String,
    pub(crate) window: &'static str,
    pub(crate) outcome: &'static str,
    pub(crate) verdict: &'static str,
}

/// What a window came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WindowSaid {
    pub(crate) outcome: &'static str,
    pub(crate) is_covered: bool,
}

/// What a night said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Night {
    /// Counted from 1: it follows that day.
    pub(crate) number: i64,
    pub(crate) outcome: &'static str,
    pub(crate) exit_code: u8,
    pub(crate) series: Vec<Said>,
    pub(crate) windows: Vec<WindowSaid>,
    /// The containers that were gone.
    pub(crate) gone: Vec<String>,
    pub(crate) n_stopped: usize,
    pub(crate) warnings: Vec<String>,
    /// What it printed, for who looks into it.
    pub(crate) text: String,
}

/// Forty nights.
pub(crate) struct History {
    pub(crate) form: Form,
    pub(crate) services: Vec<Service>,
    pub(crate) nights: Vec<Night>,
    pub(crate) machine: Machine,
    /// What was kept at the end: series, milliseconds and bytes.
    pub(crate) kept: Vec<(String, i64, f64)>,
}

/// Lets all nights pass in a folder of their own.
pub(crate) fn simulate(folder: &Path, form: Form, seed: u64) -> History {
    let services = services::all();
    let mut machine = Machine::new(folder, form, services.clone(), seed);
    let mut nights = Vec::new();
    let table = folder.join("kept.parquet");
    for number in 1..=NIGHTS {
        machine.run((number - 1) * DAY, number * DAY);
        let now = START + number * DAY + RUN_AT;
        let log = machine.log();
        let mut arguments: Vec<String> = ["leaktrend", "nightly"].map(str::to_owned).to_vec();
        arguments.extend([log.display().to_string(), "--state".to_owned(), folder.join("state").display().to_string()]);
        arguments.extend(["--now".to_owned(), now.to_string(), "--keep".to_owned(), "50d".to_owned()]);
        let Command::Nightly(args) = Args::parse_from(arguments).command else { unreachable!("it says nightly") };
        let job = NightJob {
            logs: args.logs.clone(),
            servers: Vec::new(),
            state: args.state.clone(),
            job: cli::nightly::job(&args).expect("the arguments are right"),
            now_ms: now * 1000,
            parquet: (number == NIGHTS).then(|| table.clone()),
            explain: false,
        };
        let done = nightly::run(&job, &|_, _| Err(String::new()), &mut |_| Ok(()))
            .unwrap_or_else(|error| panic!("night {number}: {error}"));
        nights.push(Night {
            number,
            outcome: done.outcome.name(),
            exit_code: done.exit_code as u8,
            series: done
                .series()
                .into_iter()
                .map(|(span, series)| Said {
                    series: series.id().to_owned(),
                    window: span.name(),
                    outcome: series.outcome.name(),
                    verdict: series.verdict().name(),
                })
                .collect(),
            windows: done
                .windows
                .iter()
                .map(|window| WindowSaid {
                    outcome: window.report.outcome.name(),
                    is_covered: done.min_coverage <= window.coverage,
                })
                .collect(),
            gone: done.gone.iter().map(|gone| gone.series.clone()).collect(),
            n_stopped: done.stopped.len(),
            warnings: done.deciding().report.inputs.iter().flat_map(leaktrend::report::words::warnings).collect(),
            text: nightly::text::plain(&done, Screen::default()),
        });
    }
    let kept = read_table(&table);
    History { form, services, nights, machine, kept }
}

/// The rows of the long table.
fn read_table(path: &Path) -> Vec<(String, i64, f64)> {
    use polars::prelude::{DataType, ParquetReader, SerReader};
    let file = std::fs::File::open(path).expect("the last night wrote it");
    let table = ParquetReader::new(file).finish().expect("it is a table");
    let column = |name: &str| table.column(name).expect("the table has this column").clone();
    let (series, used) = (column("series"), column("used_bytes"));
    let time = column("time").cast(&DataType::Int64).expect("times are whole milliseconds");
    let rows = series.str().expect("text").iter().map(|name| name.unwrap_or_default().to_owned());
    rows.zip(time.i64().expect("whole").into_no_null_iter())
        .zip(used.f64().expect("amounts").into_no_null_iter())
        .map(|((series, time), used)| (series, time, used))
        .collect()
}
