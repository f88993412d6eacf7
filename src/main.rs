//! The `leaktrend` program: arguments in, a report out, an exit code.

use std::error::Error as _;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use leaktrend::analysis;
use leaktrend::cli::{self, AnalyzeArgs, Args, Color, Command};
use leaktrend::error::Error;
use leaktrend::ingest::SeriesSamples;
use leaktrend::report::{Report, escape, files, folder, json, summary};
use leaktrend::settings;

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Analyze(args) => analyze(&args),
        Command::Config { config } => print_settings(config.as_deref()),
        Command::Schema => print(json::SCHEMA).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        complain(&error);
        ExitCode::from(2)
    })
}

fn analyze(args: &AnalyzeArgs) -> Result<ExitCode, Error> {
    let job = cli::job(args)?;
    let report = analysis::run(&job, &mut |samples| keep_samples(args, samples))?;
    for input in &report.inputs {
        if let Some(why) = &input.unusable {
            eprintln!("error: cannot use `{}`: {}", escape::printable(&input.path), escape::printable(why));
        } else if args.verbose {
            let format = input.format.map_or("nothing", |format| format.name());
            eprintln!(
                "{}: read as {format}: {} samples of {} series, {} rejected",
                escape::printable(&input.path),
                input.samples,
                input.series,
                input.rejected_count
            );
        }
    }

    if let Some(path) = &args.emit_promtool {
        emit(&job, &report, path)?;
    }
    let charts = args.out.as_ref().map(|_| folder::ChartNames::new(&report, args.charts).paths()).unwrap_or_default();
    if let Some(out) = &args.out {
        folder::write(&report, args.charts, out)?;
    }
    match args.json.as_deref() {
        Some(path) if path.as_os_str() == "-" => print(&json::render(&report, &charts))?,
        Some(path) => files::replace(path, |file| file.write_all(json::render(&report, &charts).as_bytes()))
            .map_err(|source| Error::Write { path: path.to_owned(), source })?,
        None => {}
    }
    let json_on_stdout = args.json.as_deref().is_some_and(|path| path.as_os_str() == "-");
    if !args.quiet && !json_on_stdout {
        print(&summary::render(&report, coloured(args.color)))?;
    }
    Ok(exit_code(&report))
}

/// Writes the alerts that fire as unit tests, or says why there is none.
fn emit(job: &analysis::Job, report: &Report, path: &Path) -> Result<(), Error> {
    let emitted = analysis::unit_tests(job, report, path);
    for note in &emitted.notes {
        eprintln!("note: {}", escape::printable(note));
    }
    if emitted.files.is_empty() {
        eprintln!("note: no alert fires: `{}` is not written", escape::printable(&path.display().to_string()));
    }
    for (path, text) in &emitted.files {
        files::replace(path, |file| file.write_all(text.as_bytes()))
            .map_err(|source| Error::Write { path: path.clone(), source })?;
    }
    Ok(())
}

fn exit_code(report: &Report) -> ExitCode {
    ExitCode::from(report.exit_code as u8)
}

#[cfg(feature = "frame")]
fn keep_samples(args: &AnalyzeArgs, samples: &[SeriesSamples]) -> Result<(), Error> {
    use leaktrend::frame::{self, Frame};

    let Some(path) = &args.frame else { return Ok(()) };
    frame::write(&Frame::new(samples), path).map_err(|source| Error::Write { path: path.clone(), source })
}

#[cfg(not(feature = "frame"))]
#[expect(clippy::unnecessary_wraps, reason = "writing the frame can fail where it is built")]
fn keep_samples(_: &AnalyzeArgs, _: &[SeriesSamples]) -> Result<(), Error> {
    Ok(())
}

fn print_settings(config: Option<&std::path::Path>) -> Result<ExitCode, Error> {
    let (settings, _) = settings::load(config)?;
    print(&settings::with_comments(&settings))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints to standard output; a reader that has gone away is not an error.
fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::Write { path: "standard output".into(), source: error })
        }
        _ => Ok(()),
    }
}

fn coloured(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

fn complain(error: &Error) {
    eprintln!("error: {}", escape::printable(&error.to_string()));
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        eprintln!("  caused by: {}", text.replace('\n', "\n  "));
        cause = error.source();
    }
}
