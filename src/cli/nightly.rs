//! `leaktrend nightly`: its arguments, and what they mean as a `Job`.

use std::collections::HashMap;
use std::path::PathBuf;

use super::Color;
use super::analyze::{ByArg, FormatArg, host_memory, limit, unit, wanted};
use super::beside::{self, BesideArgs};
use super::moment::time;
use crate::analysis::{By, Job};
use crate::decode::SamplesOption;
use crate::error::Error;
use crate::progress::Meter;
use crate::report::chart::{Scale, Theme};
use crate::report::folder::{ChartFormat, Charts, Layout};
use crate::rules;
use crate::settings::{self, InconclusiveExit, WarnExit};
use crate::units::Seconds;
use crate::window::WindowSpec;

const EXAMPLES: &str = r#"Examples

  Every night, over the log that cron appends to:
    leaktrend nightly /var/log/memory-usage.log --state /var/lib/leaktrend --out /var/lib/leaktrend/report
    leaktrend nightly /var/log/memory-usage.log --state /var/lib/leaktrend \
        --textfile /var/lib/prometheus/node-exporter/leaktrend.prom --quiet

  Over a Prometheus server, from which only what is new since the night before is read:
    leaktrend nightly http://prometheus:9090 --match 'namespace="shop"' --state /var/lib/leaktrend

Exit codes: 0 nothing failed, 1 a leak, a failed criterion or stale data, 2 the job could not be done; an inconclusive
night is 0 unless --inconclusive says otherwise.
"#;

/// Arguments of `nightly`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct NightlyArgs {
    /// Logs to read; rotated files beside them are found. Servers such as `http://prometheus:9090` are asked for what is
    /// new.
    #[arg(required = true, value_name = "LOG")]
    pub logs: Vec<PathBuf>,

    /// Folder of the history, created if missing; use it for this job only.
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,

    /// Start a new history; the old one, even if damaged, is moved to a subfolder.
    #[arg(long)]
    pub reset_state: bool,

    /// Write DIR/nightly.md, the report of the deciding window, and one for each window in a subfolder.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Write metrics for the textfile collector of `node_exporter`.
    #[arg(long, value_name = "FILE.prom")]
    pub textfile: Option<PathBuf>,

    /// Write all samples of the history as one long Parquet table, for notebooks.
    #[arg(long, value_name = "FILE.parquet")]
    pub parquet: Option<PathBuf>,

    /// How long samples are kept [default: 35d].
    #[arg(long, value_name = "TIME")]
    pub keep: Option<Seconds>,

    /// Format of the logs [default: detected from the content].
    #[arg(long, value_enum, default_value_t = FormatArg(None))]
    pub format: FormatArg,

    /// Settings file [default: ./leaktrend.toml if it exists].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Judge only series whose name matches; the history still keeps all.
    #[arg(long, value_name = "REGEX")]
    pub container: Option<String>,

    /// Keep only series whose namespace matches.
    #[arg(long, value_name = "REGEX")]
    pub namespace: Option<String>,

    /// Keep only series whose pod matches.
    #[arg(long, value_name = "REGEX")]
    pub pod: Option<String>,

    /// Judge all pods of a workload together, or each container of each pod [default: container].
    #[arg(long, value_enum, value_name = "WHAT")]
    pub by: Option<ByArg>,

    /// Keep only series whose label matches, as in PromQL: k=v, k!=v, k=~regex, k!~regex. Repeatable.
    #[arg(long, value_name = "MATCHER")]
    pub label: Vec<String>,

    /// Memory limit of a series, or of all; overrides limits in the logs. Repeatable.
    #[arg(long, value_name = "[NAME=]BYTES")]
    pub limit: Vec<String>,

    /// Unit of numbers without one: B, kB, MB, GB, KiB, MiB or GiB [default: B; impossible values are refused].
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<String>,

    /// Memory of the host: limits of this size or more are ignored [default: inferred from the limits].
    #[arg(long, value_name = "BYTES")]
    pub host_memory: Option<String>,

    /// Sampling interval of readings without timestamps [default: 15m, or 0.5s in a stream].
    #[arg(long, value_name = "TIME")]
    pub interval: Option<Seconds>,

    /// Time of the last reading, if readings have no timestamps [default: modification time of the file].
    #[arg(long, value_name = "TIME")]
    pub end: Option<String>,

    /// Time of this run, used to decide what is stale and which run was yesterday's [default: now].
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,

    /// Series that get their own chart; `failing` includes warned and inconclusive ones.
    #[arg(long, value_enum, default_value_t = Charts::Failing)]
    pub charts: Charts,

    /// Colours of the charts.
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    pub theme: Theme,

    /// What is read from servers.
    #[cfg(feature = "live")]
    #[command(flatten)]
    pub live: super::LiveArgs,

    /// How far back a server is read on the first night [default: 3d].
    #[cfg(feature = "live")]
    #[arg(long, value_name = "TIME", help_heading = "Reading from a server")]
    pub since: Option<Seconds>,

    /// Possible causes of growth.
    #[command(flatten)]
    pub beside: BesideArgs,

    /// Exit code of an inconclusive night [default: pass, that is 0].
    #[arg(long, value_enum)]
    pub inconclusive: Option<InconclusiveExit>,

    /// Exit code of a warning [default: pass].
    #[arg(long, value_enum)]
    pub warn: Option<WarnExit>,

    /// Name the criteria that cannot be evaluated, with the reasons, on every night.
    #[arg(long)]
    pub explain: bool,

    /// Exit with 2 on a line that cannot be parsed.
    #[arg(long)]
    pub strict: bool,

    /// Print no summary.
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
    if args.logs.iter().any(|log| log.as_os_str() == "-") {
        return Err(Error::Usage("cannot read standard input (expected a log file or a server)".to_owned()));
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
        ingest: crate::decode::Options {
            format: args.format.0,
            interval: args.interval,
            end_ms: args.end.as_deref().map(|text| time("--end", text)).transpose()?,
            samples: SamplesOption::Auto,
            unit: args.unit.as_deref().map(unit).transpose()?,
            columns: crate::decode::GivenColumns::default(),
        },
        events: Vec::new(),
        counts: beside::wanted(&args.beside, &settings)?,
        settings,
        rules,
        alert_rules: rules::read(&[])?,
        selection: wanted(args.container.as_deref(), args.namespace.as_deref(), args.pod.as_deref(), &args.label)?,
        limits: args.limit.iter().map(|text| limit(text)).collect::<Result<_, _>>()?,
        window: WindowSpec::default(),
        freshness: HashMap::new(),
        by: args.by.map_or(By::Container, By::from),
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
