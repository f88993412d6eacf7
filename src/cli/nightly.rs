//! `leaktrend nightly`: its arguments, and what they mean as a `Job`.

use std::collections::HashMap;
use std::path::PathBuf;

use super::Color;
use super::analyze::{FormatArg, host_memory, limit, unit, wanted};
use super::moment::time;
use crate::analysis::Job;
use crate::error::Error;
use crate::ingest::{self, SamplesOption};
use crate::progress::Meter;
use crate::report::chart::{Scale, Theme};
use crate::report::folder::{ChartFormat, Charts, Layout};
use crate::rules;
use crate::settings::{self, InconclusiveExit, WarnExit};
use crate::units::Seconds;
use crate::window::WindowSpec;

const EXAMPLES: &str = "\
Examples

  Every night, over the log that cron appends to:
    leaktrend nightly /var/log/memory-usage.log --state /var/lib/leaktrend --out /var/lib/leaktrend/report
    leaktrend nightly /var/log/memory-usage.log --state /var/lib/leaktrend \\
        --textfile /var/lib/prometheus/node-exporter/leaktrend.prom --quiet

Exit codes: 0 nothing failed, 1 a leak, a failed criterion or stale data, 2 the job could not be done; an inconclusive
night is 0 unless --inconclusive says otherwise.
";

/// Arguments of `nightly`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct NightlyArgs {
    /// Logs to read, each with the files that rotation made of it.
    #[arg(required = true, value_name = "LOG")]
    pub logs: Vec<PathBuf>,

    /// Folder of the history; it is made where it does not exist, and belongs to this job.
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,

    /// Begin anew: what DIR remembers is set aside within it, also where it is damaged.
    #[arg(long)]
    pub reset_state: bool,

    /// Write DIR/nightly.md, the report of the window that decides into DIR, and one for each window below it.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Write metrics for the textfile collector of `node_exporter`.
    #[arg(long, value_name = "FILE.prom")]
    pub textfile: Option<PathBuf>,

    /// Write all samples that are kept as one long table, for notebooks.
    #[arg(long, value_name = "FILE.parquet")]
    pub frame: Option<PathBuf>,

    /// How long samples are kept [default: 35d].
    #[arg(long, value_name = "TIME")]
    pub keep: Option<Seconds>,

    /// What the logs are: decided by content unless given.
    #[arg(long, value_enum, default_value_t = FormatArg::Auto)]
    pub format: FormatArg,

    /// Settings file; by default ./leaktrend.toml when there is one.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Judge only series whose name matches; the history keeps all.
    #[arg(long, value_name = "REGEX")]
    pub container: Option<String>,

    /// Keep only series whose namespace matches, where they have one.
    #[arg(long, value_name = "REGEX")]
    pub namespace: Option<String>,

    /// Keep only series whose pod matches, where they have one.
    #[arg(long, value_name = "REGEX")]
    pub pod: Option<String>,

    /// Keep only series whose label matches, as in PromQL: k=v, k!=v, k=~regex, k!~regex. Repeatable.
    #[arg(long, value_name = "MATCHER")]
    pub label: Vec<String>,

    /// Memory limit of a series, or of all: over whatever the logs say. Repeatable.
    #[arg(long, value_name = "[NAME=]BYTES")]
    pub limit: Vec<String>,

    /// What numbers without a unit count: B, kB, MB, GB, KiB, MiB or GiB [default: bytes; what cannot be is refused].
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<String>,

    /// Memory of the host: a limit of as much is none of the container's own [default: concluded from the limits].
    #[arg(long, value_name = "BYTES")]
    pub host_memory: Option<String>,

    /// Spacing of docker stats readings that carry no time [default: 15m, or 0.5s in a stream].
    #[arg(long, value_name = "TIME")]
    pub interval: Option<Seconds>,

    /// Time of the last reading that carries no time [default: when the file was last modified].
    #[arg(long, value_name = "TIME")]
    pub end: Option<String>,

    /// Time of this run: data is stale, and yesterday was, as seen from then [default: now].
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,

    /// Which series get a chart of their own; `failing` includes warned and unsettled ones.
    #[arg(long, value_enum, default_value_t = Charts::Failing)]
    pub charts: Charts,

    /// Colours of the charts.
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    pub theme: Theme,

    /// Exit code of an inconclusive night [default: pass, which is 0].
    #[arg(long, value_enum)]
    pub inconclusive: Option<InconclusiveExit>,

    /// Exit code of a warning [default: pass].
    #[arg(long, value_enum)]
    pub warn: Option<WarnExit>,

    /// Name the criteria that cannot be evaluated, and why, also where an earlier night did.
    #[arg(long)]
    pub explain: bool,

    /// A line that is not understood is exit code 2.
    #[arg(long)]
    pub strict: bool,

    /// Nothing on standard output.
    #[arg(long, short)]
    pub quiet: bool,

    /// Colours in the summary.
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// Turns arguments into a job, whose sources and window are those of each window of the night.
///
/// # Errors
///
/// When an argument cannot be understood, or the settings file cannot be used.
pub fn job(args: &NightlyArgs) -> Result<Job, Error> {
    if let Some(log) = args.logs.iter().find(|log| log.as_os_str() == "-") {
        return Err(Error::Usage(format!("`{}`: the nightly job reads files only (expected a log)", log.display())));
    }
    let (mut settings, rules) = settings::load(args.config.as_deref())?;
    if let Some(text) = &args.host_memory {
        settings.verdict.host_memory_bytes = Some(host_memory(text)?);
    }
    settings.policy.warn = args.warn.unwrap_or(settings.policy.warn);
    settings.policy.strict |= args.strict;
    settings.nightly.inconclusive = args.inconclusive.unwrap_or(settings.nightly.inconclusive);
    settings.nightly.keep_seconds = args.keep.unwrap_or(settings.nightly.keep_seconds);
    for (option, time, example) in [("--keep", args.keep, "35d"), ("--interval", args.interval, "15m")] {
        if time.is_some_and(|time| time.get() <= 0.0) {
            return Err(Error::Usage(format!("`{option}` is 0 (expected a time such as `{example}`)")));
        }
    }
    Ok(Job {
        sources: Vec::new(),
        meter: Meter::default(),
        ingest: ingest::Options {
            format: args.format.into(),
            interval: args.interval,
            end_ms: args.end.as_deref().map(|text| time("--end", text)).transpose()?,
            samples: SamplesOption::Auto,
            unit: args.unit.as_deref().map(unit).transpose()?,
        },
        events: Vec::new(),
        settings,
        rules,
        alert_rules: rules::read(&[])?,
        selection: wanted(args.container.as_deref(), args.namespace.as_deref(), args.pod.as_deref(), &args.label)?,
        limits: args.limit.iter().map(|text| limit(text)).collect::<Result<_, _>>()?,
        window: WindowSpec::default(),
        freshness: HashMap::new(),
    })
}

/// The time of this run as given, in milliseconds; `None`: now.
///
/// # Errors
///
/// When it cannot be understood.
pub fn now_ms(args: &NightlyArgs) -> Result<Option<i64>, Error> {
    args.now.as_deref().map(|text| time("--now", text)).transpose()
}

/// How each report is laid out in files.
pub fn layout(args: &NightlyArgs) -> Layout {
    Layout {
        charts: args.charts,
        theme: args.theme,
        chart_format: ChartFormat::Png(Scale::Once),
        markdown_limit: None,
        image_base: None,
    }
}
