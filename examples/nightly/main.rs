//! Forty simulated nights: `cargo run --release --example nightly [SEEDS]` prints how the nightly job keeps its promises,
//! and exits with 1 where it does not. `--show SEED FORM [NIGHT...]` prints what single nights said,
//! `--log SEED DAYS FOLDER` writes the log of so many days.

mod simulation;

use std::path::Path;
use std::process::ExitCode;

use simulation::machine::{Form, Machine};
use simulation::promises::{self, Figures};
use simulation::services;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--show", seed, form, nights @ ..] => show(number(seed), form_of(form), nights),
        ["--log", seed, nights, folder] => write_log(number(seed), number(nights), Path::new(folder)),
        [] => measure(1),
        [seeds] => measure(number(seeds)),
        _ => {
            eprintln!("expected a number of seeds, or `--show SEED FORM NIGHT...`");
            ExitCode::from(2)
        }
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is not a number"))
}

fn form_of(name: &str) -> Form {
    let form = Form::ALL.into_iter().find(|form| format!("{form:?}").eq_ignore_ascii_case(name));
    form.unwrap_or_else(|| panic!("`{name}` is no form (expected untimed, stamped or json)"))
}

/// The log of so many days in a folder, with times and never rotated: for who looks for what a night got wrong.
fn write_log(seed: u64, days: u64, folder: &Path) -> ExitCode {
    let mut machine = Machine::new(folder, Form::Stamped, services::all(), seed);
    machine.rotates = false;
    machine.run(0, days as i64 * services::DAY);
    println!("{}", machine.log().display());
    ExitCode::SUCCESS
}

/// Every form with so many seeds.
fn measure(seeds: u64) -> ExitCode {
    let mut all = Figures::default();
    for seed in 1..=seeds {
        for form in Form::ALL {
            let folder = tempfile::tempdir().expect("there is room for a log");
            all.add(promises::hold(&simulation::simulate(folder.path(), form, seed)));
        }
    }
    let of =
        |part: usize, whole: usize| format!("{part} of {whole} ({:.1} %)", 100.0 * part as f64 / whole.max(1) as f64);
    println!("healthy, failing           {}", of(all.healthy_failed, all.healthy_nights));
    println!("healthy, passing from 15th {}", of(all.late_cleared, all.late_nights));
    println!("leaks reported in 4 nights {}", of(all.leaks_reported, all.leaks));
    println!("nights to a report         {:?}", all.nights_to_report);
    println!("failing from 3rd after end {}", of(all.quiet_failed, all.quiet_nights));
    println!("mended, passing from 8th   {}", of(all.mended_passed, all.mended_nights));
    println!("nights that do not heed a window that is hardly covered: {}", all.unheard);
    println!("readings lost, extra, off  {}, {}, {} of {}", all.lost, all.extra, all.misdated, all.readings);
    let failures = all.failures();
    failures.iter().for_each(|failure| println!("BROKEN {failure}"));
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What single nights said; all in a line each where none is named.
fn show(seed: u64, form: Form, nights: &[&str]) -> ExitCode {
    let folder = tempfile::tempdir().expect("there is room for a log");
    let history = simulation::simulate(folder.path(), form, seed);
    for night in &history.nights {
        if nights.is_empty() {
            let said: Vec<String> = night
                .series
                .iter()
                .map(|said| format!("{} {} ({}, {})", said.series, said.outcome, said.verdict, said.window))
                .collect();
            println!(
                "{} {} {}: {}; gone {:?}; {:?}",
                night.number,
                night.outcome,
                night.exit_code,
                said.join(", "),
                night.gone,
                night.warnings
            );
        } else if nights.contains(&&*night.number.to_string()) {
            println!("{}", night.text);
        }
    }
    ExitCode::SUCCESS
}
