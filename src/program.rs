//! The `leaktrend` program: arguments in, a report out, an exit code.
//!
//! The only module that prints, reads the clock, and looks at signals and at the environment: the binary and the Python
//! wheel run it, and the rest of the library does without.

use std::error::Error as _;
use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
#[cfg(feature = "live")]
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::analysis;
use crate::cli::{self, AnalyzeArgs, Args, Color, Command, CompareArgs, NightlyArgs, SchemaOf, generate};
use crate::compare::{self, verdict_file};
use crate::error::Error;
use crate::files;
use crate::frame::SampleFrame;
#[cfg(feature = "live")]
use crate::live;
use crate::nightly::{self, NightJob, Nightly, text, textfile};
#[cfg(feature = "live")]
use crate::open::Fetched;
use crate::open::Source;
use crate::progress::{Bar, SHOWN_AFTER};
use crate::report::summary::Screen;
use crate::report::{Report, escape, folder, github, html, json, junit, markdown, summary};
use crate::settings;
use clap::Parser;
use indicatif::ProgressDrawTarget;

/// Ended well, and nothing failed.
const SUCCESS: u8 = 0;

/// Runs the program on these arguments, its own name first; gives the exit code.
///
/// Prints, and ends the process itself when a signal says so.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    #[cfg(unix)]
    end_on_signals();
    say_no_word_of_damaged_tables();
    let command = match Args::try_parse_from(arguments) {
        Ok(args) => args.command,
        // Help and the version among them. Nobody is left to tell when it cannot be printed.
        Err(refused) => {
            let _ = refused.print();
            return refused.exit_code() as u8;
        }
    };
    let done = match command {
        Command::Analyze(args) => {
            analyze(&with_environment(args), Audience::Terminal).map(|report| report.exit_code as u8)
        }
        Command::Config { config } => print_settings(config.as_deref()),
        Command::Compare(args) => compare(&args),
        Command::Nightly(args) => nightly(&args),
        Command::Schema { of: SchemaOf::Verdict } => print(json::SCHEMA).map(|()| SUCCESS),
        Command::Schema { of: SchemaOf::Comparison } => print(compare::json::SCHEMA).map(|()| SUCCESS),
        Command::Completions { shell } => {
            print(&String::from_utf8_lossy(&generate::completions(shell))).map(|()| SUCCESS)
        }
        Command::Man { folder } => write_man_pages(&folder),
    };
    done.unwrap_or_else(|error| {
        complain(&error);
        2
    })
}

/// What a decoder of tables trips over in a damaged file is in the account of the input, and not said twice.
fn say_no_word_of_damaged_tables() {
    let say = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::decode::is_guarded() {
            say(panic);
        }
    }));
}

/// Where a run prints, apart from the files that it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Standard output and standard error, and the summary of a GitHub job.
    Terminal,
    /// Nothing: the caller has the report.
    Caller,
}

/// `leaktrend analyze`: reads, judges, writes what the arguments name, and for a terminal prints a summary unless they
/// say quiet.
///
/// # Errors
///
/// If an argument cannot be used, or a file cannot be written. Inputs that cannot be used are part of the report.
pub fn analyze(args: &AnalyzeArgs, audience: Audience) -> Result<Report, Error> {
    #[cfg_attr(not(feature = "live"), expect(unused_mut, reason = "inputs of servers are put into their places"))]
    let mut job = cli::job(args)?;
    let layout = cli::layout(args)?;
    #[cfg(feature = "live")]
    let live = cli::live_inputs(args, &job.window)?;
    let heard = audience == Audience::Terminal;
    let shown = heard.then(|| Shown::begin(args, &job));
    #[cfg(feature = "live")]
    fetch(live, args.save.as_deref(), &mut job)?;
    let report = analysis::run(&job, &mut |samples| keep_samples(args, samples))?;
    drop(shown);
    if heard {
        complain_of_inputs(&report, args.verbose);
    }

    if let Some(path) = &args.emit_promtool {
        emit(&job, &report, path, audience)?;
    }
    let charts = args.out.as_ref().map(|_| folder::ChartNames::new(&report, &layout).paths()).unwrap_or_default();
    // Before the folder: who finds its `verdict.json` finds everything.
    if let Some(path) = &args.html {
        files::replace_in_new_folder(path, |file| file.write_all(html::render(&report, layout.charts).as_bytes()))
            .map_err(|source| Error::Write { path: path.clone(), source })?;
    }
    if let Some(out) = &args.out {
        folder::write(&report, &layout, out)?;
    }
    match args.json.as_deref() {
        path if is_stdout(path) && !heard => {}
        path if is_stdout(path) => print_with(|out| json::write(&report, &charts, out))?,
        Some(path) => write_with(path, |file| json::write(&report, &charts, file))?,
        None => {}
    }
    if let Some(path) = &args.junit {
        write(path, &junit::render(&report))?;
    }
    if !heard {
        return Ok(report);
    }
    if on_github() {
        eprint!("{}", github::annotations(&report));
    }
    add_to_job_summary(|| markdown::render(&report, &markdown::Images::none(&report), None));
    if !args.quiet && !is_stdout(args.json.as_deref()) {
        let text = summary::render(&report, screen(args.color));
        print(&if on_github() { github::inert(&text) } else { text })?;
    }
    Ok(report)
}

/// `PROMETHEUS_URL` stands for inputs that are not given.
fn with_environment(mut args: Box<AnalyzeArgs>) -> Box<AnalyzeArgs> {
    let address = std::env::var_os("PROMETHEUS_URL").filter(|address| !address.is_empty());
    if cfg!(feature = "live") && args.inputs.is_empty() {
        args.inputs.extend(address.map(Into::into));
    }
    args
}

/// Reads the inputs that are servers, each into a file that takes its place, or into the one that keeps it.
#[cfg(feature = "live")]
fn fetch(inputs: Vec<cli::LiveInput>, save: Option<&Path>, job: &mut analysis::Job) -> Result<(), Error> {
    for cli::LiveInput { index, name, wanted } in inputs {
        let read = wanted.and_then(|wanted| live::fetch(&wanted, &host(now_ms()), &job.meter));
        job.sources[index] = match (read, save) {
            (Ok(mut file), Some(path)) => {
                files::replace(path, |to| io::copy(&mut file, to).map(drop))
                    .map_err(|source| Error::Write { path: path.to_owned(), source })?;
                Source::File(path.to_owned())
            }
            (read, _) => Source::Fetched(Arc::new(Fetched::new(name, read))),
        };
    }
    Ok(())
}

/// How servers are asked at a time, in milliseconds since 1970.
#[cfg(feature = "live")]
fn host(now_ms: i64) -> live::Host<'static> {
    live::Host { now_ms, sleep: &thread::sleep, seed: now_ms as u64 ^ u64::from(std::process::id()) }
}

/// Shows on a terminal how far the reading is, for as long as the value lives.
struct Shown {
    /// Without it the thread ends.
    until: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Shown {
    /// `None` where nobody looks on.
    fn begin(args: &AnalyzeArgs, job: &analysis::Job) -> Option<Shown> {
        let begin = Instant::now();
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if args.quiet || is_dumb || !io::stderr().is_terminal() {
            return None;
        }
        let meter = job.meter.clone();
        let total = job.sources.iter().map(size).sum();
        let (until, ended) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut bar = Bar::new(ProgressDrawTarget::stderr(), SHOWN_AFTER, total);
            while ended.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
                bar.update(begin.elapsed(), &meter);
            }
            bar.clear();
        });
        Some(Shown { until: Some(until), thread: Some(thread) })
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.until = None;
        // Waits until the line is gone: what is printed next stands in its place.
        self.thread.take().map(JoinHandle::join);
    }
}

/// The size of an input, in bytes; `None` for what is not a file.
fn size(source: &Source) -> Option<u64> {
    match source {
        Source::Stdin | Source::Text { .. } | Source::Fetched(_) => None,
        Source::File(path) => std::fs::metadata(path).ok().filter(Metadata::is_file).map(|file| file.len()),
    }
}

/// Ends the program on Ctrl-C, SIGTERM and SIGHUP, with the exit code that a shell gives them and without leaving a file
/// half written.
#[cfg(unix)]
fn end_on_signals() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    // What `nohup` and a shell in the background ignore stays ignored.
    let signals = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal));
    // Where no handler can be set, the system's own ends the program.
    let Ok(mut signals) = signal_hook::iterator::Signals::new(signals) else { return };
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let _nothing_more = files::abandon();
            let name = match signal {
                SIGINT => "SIGINT",
                SIGHUP => "SIGHUP",
                _ => "SIGTERM",
            };
            let (said, is_said) = mpsc::channel();
            thread::spawn(move || {
                // Of the line that shows how far the work is.
                let line_end = if io::stderr().is_terminal() { "\n" } else { "" };
                // A closed standard error must not keep the program from ending.
                let _ = writeln!(io::stderr(), "{line_end}error: ended by {name}: incomplete files were not written");
                let _ = said.send(());
            });
            // Nor may one that nobody reads.
            let _ = is_said.recv_timeout(Duration::from_secs(1));
            std::process::exit(128 + signal);
        }
    });
}

/// Whether a signal was ignored when the program began; `false` where the system does not say.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Writes the alerts that fire as unit tests, or says why there is none.
fn emit(job: &analysis::Job, report: &Report, path: &Path, audience: Audience) -> Result<(), Error> {
    let emitted = analysis::unit_tests(job, report, path);
    let heard = audience == Audience::Terminal;
    for note in emitted.notes.iter().filter(|_| heard) {
        eprintln!("note: {}", escape::printable(note));
    }
    if emitted.files.is_empty() && heard {
        eprintln!("note: no alert fires: `{}` is not written", escape::printable(&path.display().to_string()));
    }
    for (path, text) in &emitted.files {
        write(path, text)?;
    }
    Ok(())
}

fn compare(args: &CompareArgs) -> Result<u8, Error> {
    let (margins, policy) = cli::compare::terms(args)?;
    let (base, new) = (verdict_file::read(&args.base)?, verdict_file::read(&args.new)?);
    let comparison = compare::compare(&base, &new, &cli::compare::pairs(args), &margins, &policy)?;

    if let Some(path) = &args.markdown {
        write(path, &compare::text::markdown(&comparison))?;
    }
    match args.json.as_deref() {
        path if is_stdout(path) => print(&compare::json::render(&comparison))?,
        Some(path) => write(path, &compare::json::render(&comparison))?,
        None => {}
    }
    if on_github() {
        eprint!("{}", compare::text::annotations(&comparison));
    }
    add_to_job_summary(|| compare::text::markdown(&comparison));
    if !args.quiet && !is_stdout(args.json.as_deref()) {
        let text = compare::text::plain(&comparison);
        print(&if on_github() { github::inert(&text) } else { text })?;
    }
    Ok(comparison.exit_code as u8)
}

fn nightly(args: &NightlyArgs) -> Result<u8, Error> {
    if args.reset_state
        && let Some(aside) = nightly::reset_state(&args.state)?
    {
        eprintln!("note: the old history was moved to `{}`", escape::printable(&aside.display().to_string()));
    }
    let now_ms = cli::nightly::now_ms(args)?.unwrap_or_else(now_ms);
    let previous = args.textfile.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
    remove_left_behind(args);
    let done = run_nightly(args, now_ms, previous.as_deref());
    // Where nothing could be done somebody is told by the metrics, unless another run is writing them.
    if let Err(error) = &done
        && let Some(path) = args.textfile.as_ref().filter(|_| !matches!(error, Error::Busy(_)))
        && !matches!(error, Error::Write { path: failed, .. } if failed == path)
    {
        write(path, &textfile::not_done(now_ms, previous.as_deref())).unwrap_or_else(|error| complain(&error));
    }
    let done = done?;
    complain_of_inputs(&done.deciding().report, false);
    if !args.quiet {
        print(&text::plain(&done, screen(args.color)))?;
    }
    Ok(done.exit_code as u8)
}

/// The nightly job, and its reports. `previous`: the metrics of the run before.
fn run_nightly(args: &NightlyArgs, now_ms: i64, previous: Option<&str>) -> Result<Nightly, Error> {
    #[cfg_attr(not(feature = "live"), expect(unused_mut, reason = "servers are put into their places"))]
    let mut night = NightJob {
        logs: args.logs.clone(),
        servers: Vec::new(),
        state: args.state.clone(),
        job: cli::nightly::job(args)?,
        now_ms,
        parquet: args.parquet.clone(),
        explain: args.explain,
    };
    #[cfg(feature = "live")]
    let inputs = cli::nightly_inputs(args)?;
    #[cfg(feature = "live")]
    for input in &inputs {
        night.servers.push(input.name.clone());
        night.logs.retain(|log| *log != args.logs[input.index]);
    }
    #[cfg(feature = "live")]
    let fetch = |server: usize, since_ms: Option<i64>| {
        let mut wanted = inputs[server].wanted.clone()?;
        wanted.since = since_ms.map_or(wanted.since, live::Time::At);
        live::fetch(&wanted, &host(now_ms), &night.job.meter)
    };
    #[cfg(not(feature = "live"))]
    let fetch = |_, _| Err("servers are not read".to_owned());
    let layout = cli::nightly::layout(args);
    nightly::run(&night, &fetch, &mut |nightly: &Nightly| {
        if let Some(out) = &args.out {
            for window in &nightly.windows {
                folder::write(&window.report, &layout, &out.join(window.span.name()))?;
            }
            folder::write(&nightly.deciding().report, &layout, out)?;
            write(&out.join("nightly.md"), &text::markdown(nightly))?;
        }
        args.textfile.as_ref().map_or(Ok(()), |path| write(path, &textfile::render(nightly, previous)))
    })
}

/// Removes what a run that was killed left beside its reports, an hour ago or more: another job may be writing.
fn remove_left_behind(args: &NightlyArgs) {
    let Some(before) = std::time::SystemTime::now().checked_sub(Duration::from_hours(1)) else { return };
    if let Some(out) = &args.out {
        let of_windows = nightly::WindowLength::ALL.map(|span| out.join(span.name()));
        for folder in of_windows.iter().chain([out]) {
            files::remove_left_behind(folder, before);
            files::remove_left_behind(&folder.join("charts"), before);
        }
    }
    if let Some(folder) = args.textfile.as_ref().and_then(|path| path.parent()) {
        files::remove_left_behind(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }, before);
    }
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64)
}

/// Says which inputs could not be used; with `verbose` also what the others were read as.
fn complain_of_inputs(report: &Report, verbose: bool) {
    for input in &report.inputs {
        if let Some(why) = &input.unusable {
            eprintln!(
                "error: cannot use `{}`: {}",
                escape::printable(&input.path),
                escape::printable(&why.to_string())
            );
        } else if verbose {
            let format = input.format_name().unwrap_or("nothing");
            eprintln!(
                "{}: read as {format}: {} samples of {} series, {} rejected",
                escape::printable(&input.path),
                input.samples,
                input.series,
                input.rejected_count
            );
        }
    }
}

fn write_man_pages(folder: &Path) -> Result<u8, Error> {
    for (name, text) in generate::man_pages() {
        let path = folder.join(name);
        files::replace(&path, |file| file.write_all(&text)).map_err(|source| Error::Write { path, source })?;
    }
    Ok(SUCCESS)
}

/// Whether a step of GitHub Actions runs this.
fn on_github() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Appends to the summary of the GitHub job, where there is one, as much as still fits.
///
/// That it cannot be written changes no verdict: the variable may point outside the container that runs this.
fn add_to_job_summary(text: impl FnOnce() -> String) {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return };
    let used = std::fs::metadata(&path).map_or(0, |file| file.len() as usize);
    let text = text();
    let text = github::shortened(&text, github::SUMMARY_BYTES.saturating_sub(used));
    let appended =
        OpenOptions::new().create(true).append(true).open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    if let Err(error) = appended {
        let path = path.to_string_lossy();
        eprintln!("warning: cannot write the job summary `{}`: {error}", escape::printable(&path));
    }
}

fn is_stdout(path: Option<&Path>) -> bool {
    path.is_some_and(|path| path.as_os_str() == "-")
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    write_with(path, |file| file.write_all(text.as_bytes()))
}

fn write_with(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let buffered = |file: &mut File| {
        let mut file = BufWriter::new(file);
        content(&mut file)?;
        file.flush()
    };
    files::replace(path, buffered).map_err(|source| Error::Write { path: path.to_owned(), source })
}

fn keep_samples(args: &AnalyzeArgs, frame: &SampleFrame) -> Result<(), Error> {
    let Some(path) = &args.parquet else { return Ok(()) };
    frame.write_parquet(path).map_err(|source| Error::Write { path: path.clone(), source })
}

fn print_settings(config: Option<&Path>) -> Result<u8, Error> {
    let (settings, _) = settings::load(config)?;
    print(&settings::with_comments(&settings))?;
    Ok(SUCCESS)
}

/// Prints to standard output; a reader that has gone away is not an error.
fn print(text: &str) -> Result<(), Error> {
    print_with(|out| out.write_all(text.as_bytes()))
}

fn print_with(content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let mut out = BufWriter::new(io::stdout().lock());
    match content(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::Write { path: "standard output".into(), source: error })
        }
        _ => Ok(()),
    }
}

/// How standard output is looked at. A terminal that understands no escapes (`TERM=dumb`) is sent none.
fn screen(color: Color) -> Screen {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let colour = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb,
    };
    let reported =
        std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| 0 < *columns);
    let width =
        reported.or_else(|| terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0)));
    Screen { colour, width, wraps: io::stdout().is_terminal() }
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
