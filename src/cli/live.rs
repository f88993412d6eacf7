//! `leaktrend analyze http://prometheus:9090`, and `nightly`: the arguments about a server, and what they ask of it.

use std::collections::HashSet;
use std::path::PathBuf;

use super::{AnalyzeArgs, NightlyArgs};
use crate::error::Error;
use crate::live::{self, Access, Address, Encoding, MAX_SAMPLES, ServerSelector, Time, Wanted};
use crate::units::Seconds;
use crate::window::{Moment, WindowSpec, WindowStart};

/// How far back a server is read unless something else is asked for, in milliseconds: three days.
const DEFAULT_SINCE_MS: i64 = 3 * 86_400_000;

/// Arguments about a server that speaks the HTTP API of Prometheus.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Reading from a server")]
pub struct LiveArgs {
    /// Read this metric alone [default: `container_memory_working_set_bytes`, and other amounts of its containers that
    /// show what grows].
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,

    /// Read only series with these labels, as in PromQL: 'namespace="shop",pod=~"web-.*"'. Repeatable.
    #[arg(long = "match", value_name = "MATCHERS")]
    pub matches: Vec<String>,

    /// File with access settings in the form of Prometheus's `http_client_config`: `basic_auth`, `authorization`,
    /// `tls_config`, `proxy_url`.
    #[arg(long, value_name = "FILE")]
    pub http_config: Option<PathBuf>,

    /// Header to add to each request, such as 'X-Scope-OrgID: shop'. Repeatable.
    #[arg(long, value_name = "NAME: VALUE")]
    pub header: Vec<String>,

    /// Number of requests that run at once.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub concurrency: u8,
}

/// An input that is read from a server.
#[derive(Debug)]
pub struct LiveInput {
    /// Its place among the inputs.
    pub index: usize,
    /// What reports call it.
    pub name: PathBuf,
    /// What is read; or why it cannot be.
    pub wanted: Result<Wanted, String>,
}

/// The inputs of `analyze` that are addresses, with what is read from each.
///
/// # Errors
///
/// When an argument cannot be understood, or is about a server and no input is one.
pub fn live_inputs(args: &AnalyzeArgs, window: &WindowSpec) -> Result<Vec<LiveInput>, Error> {
    let addresses = addresses(&args.inputs);
    check(&args.live, &addresses, ("--save", args.save.is_some()))?;
    if let Some(path) = &args.save {
        if path.as_os_str() == "-" {
            return Err(Error::Usage("`--save -`: samples are saved to a file (expected a file name)".to_owned()));
        }
        if 1 < addresses.len() {
            return Err(Error::Usage("`--save` works with one server, but there are several inputs".to_owned()));
        }
    }
    let encoding = args.save.as_deref().map_or(Encoding::Zstd, Encoding::of);
    if addresses.is_empty() { Ok(Vec::new()) } else { inputs(addresses, &args.live, encoding, span(window)?) }
}

/// The logs of `nightly` that are addresses, with what is read from each on the first night.
///
/// # Errors
///
/// As `live_inputs`.
pub fn nightly_inputs(args: &NightlyArgs) -> Result<Vec<LiveInput>, Error> {
    let mut addresses = addresses(&args.logs);
    let mut seen = HashSet::new();
    addresses.retain(|(_, address)| seen.insert(address.clone()));
    check(&args.live, &addresses, ("--since", args.since.is_some()))?;
    let since = args.since.map_or(DEFAULT_SINCE_MS, Seconds::as_ms);
    inputs(addresses, &args.live, Encoding::Zstd, (Time::BeforeNow(since), None))
}

/// The inputs that are addresses, with their places.
fn addresses(inputs: &[PathBuf]) -> Vec<(usize, String)> {
    let texts = inputs.iter().map(|input| input.to_string_lossy().into_owned()).enumerate();
    texts.filter(|(_, input)| live::is_address(input)).collect()
}

/// Refuses arguments about a server where no input is one. `other`: one more, and whether it is given.
fn check(args: &LiveArgs, addresses: &[(usize, String)], other: (&str, bool)) -> Result<(), Error> {
    let given = [
        ("--metric", args.metric.is_some()),
        ("--match", !args.matches.is_empty()),
        ("--http-config", args.http_config.is_some()),
        ("--header", !args.header.is_empty()),
        other,
    ];
    match given.iter().find(|(_, is_given)| *is_given && addresses.is_empty()) {
        None => Ok(()),
        Some((option, _)) => Err(Error::Usage(format!(
            "`{option}` needs a server, but no input is the address of one (expected an address such as `http://prometheus:9090`)"
        ))),
    }
}

fn inputs(
    addresses: Vec<(usize, String)>,
    args: &LiveArgs,
    encoding: Encoding,
    (since, until): (Time, Option<Time>),
) -> Result<Vec<LiveInput>, Error> {
    let selector = ServerSelector::new(args.metric.as_deref(), &args.matches).map_err(Error::Usage)?;
    let mut inputs = Vec::new();
    for (index, text) in addresses {
        let parsed = Address::parse(&text);
        let user = parsed.as_ref().ok().and_then(|(_, user)| user.as_ref());
        let access = Access::new(args.http_config.as_deref(), user, &args.header).map_err(Error::Usage)?;
        let name = parsed.as_ref().map_or_else(|_| live::shown(&text), |(address, _)| address.to_string());
        let wanted = parsed.map(|(address, _)| Wanted {
            address,
            access,
            selector: selector.clone(),
            with_amounts: args.metric.is_none(),
            since,
            until,
            concurrency: usize::from(args.concurrency),
            encoding,
            max_samples: MAX_SAMPLES,
        });
        inputs.push(LiveInput { index, name: name.into(), wanted });
    }
    Ok(inputs)
}

/// What a server is asked for, where the last reading that `--since` counts from is not known yet: now stands for it.
fn span(window: &WindowSpec) -> Result<(Time, Option<Time>), Error> {
    let time = |moment: Moment| match moment {
        Moment::At(ms) => Some(Time::At(ms)),
        Moment::BeforeEnd(ms) => Some(Time::BeforeNow(ms)),
        Moment::OfDay { days_before, ms } => Some(Time::OfDay { days_before, ms }),
        Moment::AfterStart(_) => None,
    };
    let since = match window.since {
        None => Time::BeforeNow(DEFAULT_SINCE_MS),
        Some(WindowStart::Beginning) => {
            return Err(Error::Usage(
                "`--since all`: a server does not say how far back its data goes (expected a duration such as `30d`)"
                    .to_owned(),
            ));
        }
        Some(WindowStart::Moment(moment)) => time(moment).unwrap_or(Time::BeforeNow(DEFAULT_SINCE_MS)),
    };
    let until = window.until.and_then(time);
    // Without a beginning it is three days before the end.
    let since = match (window.since, until) {
        (None, Some(Time::At(ms))) => Time::At(ms - DEFAULT_SINCE_MS),
        (None, Some(Time::BeforeNow(ms))) => Time::BeforeNow(ms + DEFAULT_SINCE_MS),
        (None, Some(Time::OfDay { days_before, ms })) => Time::OfDay { days_before: days_before + 3, ms },
        _ => since,
    };
    Ok((since, until))
}
