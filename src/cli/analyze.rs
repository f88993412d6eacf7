//! `leaktrend analyze`: its arguments, and what they mean as a `Job`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::EXAMPLES;
use super::beside::{self, BesideArgs};
use super::moment::{self, Origin};
use crate::account::Format;
use crate::analysis::{By, Job};
use crate::decode::{GivenColumns, SamplesOption};
use crate::error::Error;
use crate::open::Source;
use crate::progress::Meter;
use crate::report::chart::{Scale, Theme};
use crate::report::folder::{ChartFormat, Charts, ImageBase, Layout};
use crate::report::markdown::LEAST_LIMIT;
use crate::rules;
use crate::selection::{self, LabelMatch, Selection};
use crate::settings::{self, CRITERIA, InconclusiveExit, LookbackStyle, Share, WarnExit};
use crate::units::{Bytes, Seconds, WrittenAmount};
use crate::window::WindowSpec;

/// Arguments of `analyze`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AnalyzeArgs {
    /// Files (also .gz and .zst), folders of Parquet or Arrow tables, - for standard input, or the address of a server
    /// such as <http://prometheus:9090> [default: the environment variable `PROMETHEUS_URL`].
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,

    /// What is read from a server.
    #[cfg(feature = "live")]
    #[command(flatten)]
    pub live: super::LiveArgs,

    /// Save the samples (compressed if `.gz` or `.zst`); `leaktrend analyze FILE` gives the same report.
    #[cfg(feature = "live")]
    #[arg(long, value_name = "FILE", help_heading = "Reading from a server")]
    pub save: Option<PathBuf>,

    /// Format of the inputs [default: detected from the content].
    #[arg(long, value_enum, default_value_t = FormatArg(None))]
    pub format: FormatArg,

    /// Write DIR/verdict.md, DIR/charts/*.png and DIR/verdict.json [default: write no files].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Write only the JSON verdict, to a file or (-) to standard output.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Write a JUnit report: a suite for each series, with a case for its verdict and for each criterion that gates.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,

    /// Write all samples as one Parquet table, for notebooks and engines; leaktrend can read it back.
    #[arg(long, value_name = "FILE.parquet")]
    pub parquet: Option<PathBuf>,

    /// Settings file [default: ./leaktrend.toml if it exists].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Keep only series whose name matches.
    #[arg(long, value_name = "REGEX")]
    pub container: Option<String>,

    /// Keep only series whose namespace matches.
    #[arg(long, value_name = "REGEX")]
    pub namespace: Option<String>,

    /// Keep only series whose pod matches.
    #[arg(long, value_name = "REGEX")]
    pub pod: Option<String>,

    /// Judge all pods of a workload together, or each container of each pod [default: workload if most
    /// pods ended before the last reading].
    #[arg(long, value_enum, value_name = "WHAT")]
    pub by: Option<ByArg>,

    /// Keep only series whose label matches, as in PromQL: k=v, k!=v, k=~regex, k!~regex. Repeatable.
    #[arg(long, value_name = "MATCHER")]
    pub label: Vec<String>,

    /// Memory limit of a series, or of all; overrides limits in the input. Repeatable.
    #[arg(long, value_name = "[NAME=]BYTES")]
    pub limit: Vec<String>,

    /// Unit of numbers without one: B, kB, MB, GB, KiB, MiB or GiB [default: B; impossible values are refused].
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<String>,

    /// Column of a table that holds the time, value, limit or series (repeatable, outermost first)
    /// [default: found by name].
    #[arg(long, value_name = "ROLE=NAME")]
    pub column: Vec<String>,

    /// Memory of the host: limits of this size or more are ignored [default: inferred from the limits].
    #[arg(long, value_name = "BYTES")]
    pub host_memory: Option<String>,

    /// Sampling interval of readings without timestamps [default: 15m, or 0.5s in a stream].
    #[arg(long, value_name = "TIME")]
    pub interval: Option<Seconds>,

    /// Time of the last reading, if readings have no timestamps [default: modification time of the file].
    #[arg(long, value_name = "TIME")]
    pub end: Option<String>,

    /// Records of OOM kills and restarts: the output of docker events, kubectl get events -o json or kubectl get pods
    /// -o json, kernel or application logs. With NAME they apply to that series only. Repeatable.
    #[arg(long, value_name = "[NAME=]FILE")]
    pub events: Vec<String>,

    /// Possible causes of growth.
    #[command(flatten)]
    pub beside: BesideArgs,

    /// Time of the load: readings after it are judged, and compared with the level before it.
    #[arg(long, value_name = "START..END")]
    pub load: Option<String>,

    /// Start of the judged window: 6h (before the last reading), a time, 'yesterday 14:00' (UTC), or `all`
    /// [default: 30 days before the last reading].
    #[arg(long, value_name = "TIME|all", allow_hyphen_values = true)]
    pub since: Option<String>,

    /// End of the judged window, in the same forms as --since [default: the last reading].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,

    /// Time between two evaluations of an alert rule [default: 30s].
    #[arg(long, value_name = "TIME")]
    pub eval_interval: Option<Seconds>,

    /// Offset of rule evaluations from multiples of the interval [default: all offsets are tried].
    #[arg(long, value_name = "TIME")]
    pub eval_phase: Option<Seconds>,

    /// Version of Prometheus whose lookback is used [default: prometheus-3].
    #[arg(long, value_enum, value_name = "VERSION")]
    pub lookback: Option<LookbackStyle>,

    /// Replay the alerts of a Prometheus rule file; each becomes a criterion. Repeatable.
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,

    /// Write alerts that would have fired as unit tests for `promtool test rules`.
    #[arg(long, value_name = "FILE")]
    pub emit_promtool: Option<PathBuf>,

    /// Content of a Prometheus export: scrapes, or points of a range query.
    #[arg(long, value_enum, default_value_t = SamplesOption::Auto)]
    pub sampling: SamplesOption,

    /// Series that get their own chart; `failing` includes warned and inconclusive ones.
    #[arg(long, value_enum, default_value_t = Charts::Failing)]
    pub charts: Charts,

    /// Colours of the charts. An HTML report follows the system setting of its reader.
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    pub theme: Theme,

    /// File format of the charts.
    #[arg(long, value_enum, default_value_t = ChartFormatArg::Png)]
    pub chart_format: ChartFormatArg,

    /// Size of a PNG chart: 1 is 1280 x 720 pixels, 2 is 2560 x 1440 [default: 1].
    #[arg(long, value_name = "1|2", value_parser = clap::value_parser!(u8).range(1..=2))]
    pub chart_scale: Option<u8>,

    /// Maximum size of verdict.md, such as 64kB for a GitHub comment; the worst series are kept.
    #[arg(long, value_name = "BYTES")]
    pub markdown_limit: Option<String>,

    /// URL where the report folder will be hosted; prefix of the images in verdict.md.
    #[arg(long, value_name = "URL")]
    pub image_base_url: Option<String>,

    /// Write the report as one self-contained HTML file with charts.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Largest daily swing of memory, as a share of its level, 0 to 1 [default: 0.5; 0 after a load]. With less than
    /// two days of readings, growth that such a swing could explain is only suspected.
    #[arg(long, value_name = "SHARE")]
    pub daily_swing: Option<f64>,

    /// Exit code of an inconclusive outcome [default: own, that is 3].
    #[arg(long, value_enum)]
    pub inconclusive: Option<InconclusiveExit>,

    /// Exit code of a warning [default: pass].
    #[arg(long, value_enum)]
    pub warn: Option<WarnExit>,

    /// A criterion that must be decided; if it is not, the series is inconclusive. Repeatable.
    #[arg(long, value_name = "ID")]
    pub require: Vec<String>,

    /// Exit with 2 on a line that cannot be parsed or a response that is incomplete.
    #[arg(long)]
    pub strict: bool,

    /// Print no summary. The last of -q and -v applies.
    #[arg(long, short, overrides_with = "verbose")]
    pub quiet: bool,

    /// Print the detected format of each input to standard error.
    #[arg(long, short, overrides_with = "quiet")]
    pub verbose: bool,

    /// Colours in the summary.
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// What a row is about, on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ByArg {
    /// All pods of a Deployment, `StatefulSet`, `DaemonSet` or `CronJob` together.
    Workload,
    /// The container of one pod.
    Container,
}

impl From<ByArg> for By {
    fn from(by: ByArg) -> By {
        match by {
            ByArg::Workload => By::Workload,
            ByArg::Container => By::Container,
        }
    }
}

/// A format on the command line; `None`: detected from the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatArg(pub Option<Format>);

impl ValueEnum for FormatArg {
    fn value_variants<'a>() -> &'a [FormatArg] {
        static ALL: LazyLock<Vec<FormatArg>> = LazyLock::new(|| {
            let formats = Format::value_variants().iter().copied().map(Some);
            std::iter::once(None).chain(formats).map(FormatArg).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self.0 {
            None => Some(PossibleValue::new("auto").help("Detected from the content")),
            Some(format) => format.to_possible_value(),
        }
    }
}

/// The files of charts on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChartFormatArg {
    /// A bitmap.
    Png,
    /// Vector graphics.
    Svg,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// If standard output is a terminal and `NO_COLOR` is not set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Turns arguments into a job.
///
/// # Errors
///
/// When an argument cannot be understood, or the settings file cannot be used.
pub fn job(args: &AnalyzeArgs) -> Result<Job, Error> {
    if args.inputs.is_empty() {
        let address = if cfg!(feature = "live") {
            ", or the address of a Prometheus server, also in `PROMETHEUS_URL`"
        } else {
            ""
        };
        return Err(Error::Usage(format!("no input is given (expected files, or `-` for standard input{address})")));
    }
    let (mut settings, series_rules) = settings::load(args.config.as_deref())?;
    let policy = &mut settings.policy;
    policy.inconclusive = args.inconclusive.unwrap_or(policy.inconclusive);
    policy.warn = args.warn.unwrap_or(policy.warn);
    policy.strict |= args.strict;
    if let Some(swing) = args.daily_swing {
        settings.verdict.daily_swing = Share::new(swing)
            .ok_or_else(|| Error::Usage(format!("`--daily-swing {swing}`: not a share (expected 0 to 1)")))?;
    }
    if let Some(text) = &args.host_memory {
        settings.verdict.host_memory_bytes = Some(host_memory(text)?);
    }
    let policy = &mut settings.policy;
    for id in &args.require {
        if !settings::is_criterion(id) {
            return Err(Error::Usage(format!(
                "`--require {id}`: not a criterion{} (expected `rule:NAME` or one of {})",
                did_you_mean(&selection::nearest(id, CRITERIA)),
                CRITERIA.join(", ")
            )));
        }
        policy.require.push(id.clone());
    }
    if let Some(interval) = args.eval_interval {
        if interval.get() <= 0.0 {
            return Err(Error::Usage("`--eval-interval` is 0 (expected a time such as `30s`)".to_owned()));
        }
        settings.evaluation.interval_seconds = interval;
    }
    settings.evaluation.lookback = args.lookback.unwrap_or(settings.evaluation.lookback);
    settings.evaluation.phase_seconds = args.eval_phase.or(settings.evaluation.phase_seconds);
    if args.interval.is_some_and(|interval| interval.get() <= 0.0) {
        return Err(Error::Usage("`--interval` is 0 (expected a time such as `15m`)".to_owned()));
    }

    let alert_rules = rules::read(&args.rules)?;
    let required = settings
        .policy
        .require
        .iter()
        .find(|id| id.starts_with("rule:") && !alert_rules.alerts.iter().any(|alert| alert.id == **id));
    if let Some(id) = required {
        let near = selection::nearest(id, alert_rules.alerts.iter().map(|alert| alert.id.as_str()));
        return Err(Error::Usage(format!(
            "`{id}` is required, but no rule file has it{} (rule files are given by `--rules`)",
            did_you_mean(&near)
        )));
    }

    let selection = wanted(args.container.as_deref(), args.namespace.as_deref(), args.pod.as_deref(), &args.label)?;
    let end_ms = args.end.as_deref().map(|text| moment::time("--end", text)).transpose()?;
    let window = WindowSpec {
        load: args.load.as_deref().map(moment::load).transpose()?,
        since: args.since.as_deref().map(moment::since).transpose()?,
        until: args.until.as_deref().map(|text| moment::moment("--until", text, Origin::Last)).transpose()?,
        rate_unit: None,
    };
    Ok(Job {
        events: beside::each("--events", &args.events)?,
        counts: beside::wanted(&args.beside, &settings)?,
        sources: args.inputs.iter().map(|path| source(path.clone())).collect(),
        meter: Meter::default(),
        ingest: crate::decode::Options {
            format: args.format.0,
            interval: args.interval,
            end_ms,
            samples: args.sampling,
            unit: args.unit.as_deref().map(unit).transpose()?,
            columns: columns(&args.column)?,
        },
        settings,
        rules: series_rules,
        alert_rules,
        selection,
        limits: args.limit.iter().map(|text| limit(text)).collect::<Result<_, _>>()?,
        window,
        freshness: HashMap::new(),
        by: args.by.map_or(By::Auto, By::from),
    })
}

/// How the report is laid out in files.
///
/// # Errors
///
/// When arguments contradict each other or cannot be understood.
pub fn layout(args: &AnalyzeArgs) -> Result<Layout, Error> {
    if args.html.as_deref().is_some_and(|path| path.as_os_str() == "-") {
        return Err(Error::Usage("`--html -`: the report is written to a file (expected a file name)".to_owned()));
    }
    let chart_format = match (args.chart_format, args.chart_scale) {
        (ChartFormatArg::Svg, Some(scale)) => {
            return Err(Error::Usage(format!(
                "`--chart-scale {scale}` with `--chart-format svg`: an SVG has no pixels (omit the scale)"
            )));
        }
        (ChartFormatArg::Svg, None) => ChartFormat::Svg,
        (ChartFormatArg::Png, Some(2)) => ChartFormat::Png(Scale::Twice),
        (ChartFormatArg::Png, _) => ChartFormat::Png(Scale::Once),
    };
    let image_base = args.image_base_url.as_deref().map(|url| {
        let refused = |why| Error::Usage(format!("`--image-base-url {url}`: {why}"));
        url.parse::<ImageBase>().map_err(refused)
    });
    Ok(Layout {
        charts: args.charts,
        theme: args.theme,
        chart_format,
        markdown_limit: args.markdown_limit.as_deref().map(markdown_limit).transpose()?,
        image_base: image_base.transpose()?,
    })
}

/// An amount with a unit, or a plain number of bytes.
fn markdown_limit(text: &str) -> Result<usize, Error> {
    let bytes = match text.parse::<u64>() {
        Ok(bytes) => bytes,
        Err(_) => {
            text.parse::<Bytes>().map_err(|error| Error::Usage(format!("`--markdown-limit {text}`: {error}")))?.get()
        }
    };
    let limit = usize::try_from(bytes).unwrap_or(usize::MAX);
    if limit < LEAST_LIMIT {
        return Err(Error::Usage(format!(
            "`--markdown-limit {text}`: too short for a verdict (expected at least {LEAST_LIMIT} bytes)"
        )));
    }
    Ok(limit)
}

fn source(path: PathBuf) -> Source {
    if path.as_os_str() == "-" { Source::Stdin } else { Source::File(path) }
}

pub(super) fn limit(text: &str) -> Result<(Option<String>, f64), Error> {
    // A name may hold `=`, an amount cannot.
    let (name, amount) = text.rsplit_once('=').map_or((None, text), |(name, amount)| (Some(name.to_owned()), amount));
    let bytes: Bytes = amount.parse().map_err(|error| Error::Usage(format!("`--limit {text}`: {error}")))?;
    if bytes.get() == 0 {
        return Err(Error::Usage(format!(
            "`--limit {text}`: a limit must be more than 0 (expected something like `2GiB`)"
        )));
    }
    Ok((name, bytes.as_f64()))
}

/// What `--column` says.
fn columns(given: &[String]) -> Result<GivenColumns, Error> {
    let mut columns = GivenColumns::default();
    for text in given {
        let refused = |why: &str| Error::Usage(format!("`--column {text}`: {why}"));
        let (role, name) = text
            .split_once('=')
            .filter(|(_, name)| !name.is_empty())
            .ok_or_else(|| refused("not a role and a name (expected something like `value=rss`)"))?;
        let place = match role {
            "series" => {
                columns.series.push(name.to_owned());
                continue;
            }
            "time" => &mut columns.time,
            "value" => &mut columns.value,
            "limit" => &mut columns.limit,
            _ => return Err(refused("not a role of a column (expected time, value, series or limit)")),
        };
        if place.replace(name.to_owned()).is_some() {
            return Err(refused("this role is given twice (expected one column; only `series` may have several)"));
        }
    }
    Ok(columns)
}

/// What a number without a unit counts, in bytes.
pub(super) fn unit(text: &str) -> Result<f64, Error> {
    let refused = || {
        Error::Usage(format!(
            "`--unit {text}`: not a unit of memory (expected B, kB, MB, GB, TB, KiB, MiB, GiB or TiB)"
        ))
    };
    let is_name = text.chars().all(char::is_alphabetic);
    let unit: WrittenAmount = format!("1{text}").parse().map_err(|_| refused())?;
    if is_name { Ok(unit.bytes) } else { Err(refused()) }
}

/// The memory of the host.
pub(super) fn host_memory(text: &str) -> Result<Bytes, Error> {
    let bytes: Bytes = text.parse().map_err(|error| Error::Usage(format!("`--host-memory {text}`: {error}")))?;
    if bytes.get() == 0 {
        return Err(Error::Usage(format!(
            "`--host-memory {text}`: too little for a host (expected something like \
                                         `16GiB`)"
        )));
    }
    Ok(bytes)
}

/// What `--container`, `--namespace`, `--pod` and `--label` keep.
pub(super) fn wanted(
    container: Option<&str>,
    namespace: Option<&str>,
    pod: Option<&str>,
    labels: &[String],
) -> Result<Selection, Error> {
    let refused = |option: &str, text: &str, error: &regex::Error| {
        Error::Usage(format!("`{option} {text}`: not a regular expression: {}", last_line(&error.to_string())))
    };
    let regex_of = |text: &str| regex::Regex::new(text).map_err(|error| refused("--container", text, &error));
    let mut matches = Vec::new();
    for (key, option, text) in [("namespace", "--namespace", namespace), ("pod", "--pod", pod)] {
        if let Some(text) = text {
            matches.push(LabelMatch::containing(key, text).map_err(|error| refused(option, text, &error))?);
        }
    }
    for text in labels {
        matches.push(LabelMatch::parse(text).map_err(|why| Error::Usage(format!("`--label {text}`: {why}")))?);
    }
    Ok(Selection { container: container.map(regex_of).transpose()?, labels: matches })
}

/// The names that may have been meant, for the middle of a sentence.
fn did_you_mean(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { String::new() } else { format!(" (did you mean {}?)", names.join(", ")) }
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused() {
        let refusal = |error: Error| error.to_string();
        insta::assert_snapshot!(refusal(limit("api=2G").unwrap_err()));
        insta::assert_snapshot!(refusal(limit("0B").unwrap_err()));
        let column = |given: &[&str]| {
            refusal(columns(&given.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap_err())
        };
        insta::assert_snapshot!(column(&["value"]), @"`--column value`: not a role and a name (expected something like `value=rss`)");
        insta::assert_snapshot!(column(&["values=rss"]), @"`--column values=rss`: not a role of a column (expected time, value, series or limit)");
        insta::assert_snapshot!(column(&["time=a", "time=b"]), @"`--column time=b`: this role is given twice (expected one column; only `series` may have several)");
        insta::assert_snapshot!(refusal(markdown_limit("64").unwrap_err()));
        insta::assert_snapshot!(refusal(markdown_limit("64 kilo").unwrap_err()));
        let layout_of = |args: &[&str]| {
            let crate::cli::Command::Analyze(args) =
                <crate::cli::Args as clap::Parser>::parse_from([&["leaktrend", "analyze", "x"], args].concat()).command
            else {
                unreachable!("it is `analyze`")
            };
            layout(&args)
        };
        insta::assert_snapshot!(refusal(layout_of(&["--chart-format", "svg", "--chart-scale", "2"]).unwrap_err()));
        insta::assert_snapshot!(refusal(layout_of(&["--image-base-url", "https://a b/"]).unwrap_err()));
        insta::assert_snapshot!(refusal(layout_of(&["--image-base-url", ""]).unwrap_err()));
        insta::assert_snapshot!(refusal(layout_of(&["--html", "-"]).unwrap_err()));
    }

    #[test]
    fn a_limit_is_an_amount_or_a_number_of_bytes() {
        assert_eq!(markdown_limit("65536").unwrap(), 65_536);
        assert_eq!(markdown_limit("64kB").unwrap(), 64_000);
        assert_eq!(markdown_limit("64KiB").unwrap(), 65_536);
    }
}
