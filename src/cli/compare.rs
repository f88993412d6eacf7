//! `leaktrend compare`: its arguments, and the margins they mean.

use std::path::PathBuf;

use crate::error::Error;
use crate::settings::{CompareSettings, InconclusiveExit, PolicySettings, Share};
use crate::units::Bytes;

const EXAMPLES: &str = "\
Examples

  The verdict of this run against that of a known good one:
    leaktrend compare main/verdict.json pull-request/verdict.json
    leaktrend compare base.json new.json --level-margin 20MB --growth-margin 36MiB --json comparison.json

Exit codes: 0 not worse, 1 worse, 2 the runs cannot be compared, 3 inconclusive.
";

/// Arguments of `compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CompareArgs {
    /// JSON verdict of a known good run.
    #[arg(value_name = "BASE.json")]
    pub base: PathBuf,

    /// JSON verdict of the run to judge.
    #[arg(value_name = "NEW.json")]
    pub new: PathBuf,

    /// The two names of a series that was renamed: in the base and in the new run. Repeatable.
    #[arg(long, num_args = 2, value_names = ["BASE", "NEW"])]
    pub pair: Vec<String>,

    /// Level increase that counts as worse: a share of the base, or an amount [default: 10% and at least 10MB].
    #[arg(long, value_name = "SHARE%|BYTES")]
    pub level_margin: Option<String>,

    /// Increase of growth per day that counts as worse [default: the rate that matters in the new run].
    #[arg(long, value_name = "BYTES")]
    pub growth_margin: Option<String>,

    /// Exit code of an inconclusive comparison [default: own, that is 3].
    #[arg(long, value_enum)]
    pub inconclusive: Option<InconclusiveExit>,

    /// Write the comparison as JSON, to a file or (-) to standard output.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Write the comparison as Markdown.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,

    /// Settings file [default: ./leaktrend.toml if it exists].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Print no summary.
    #[arg(long, short)]
    pub quiet: bool,
}

/// The margins and the policy of a comparison: the settings, with the arguments laid over them.
///
/// # Errors
///
/// When a margin cannot be understood, or the settings file cannot be used.
pub fn terms(args: &CompareArgs) -> Result<(CompareSettings, PolicySettings), Error> {
    let (settings, _) = crate::settings::load(args.config.as_deref())?;
    let (mut margins, mut policy) = (settings.compare, settings.policy);
    policy.inconclusive = args.inconclusive.unwrap_or(policy.inconclusive);
    if let Some(text) = &args.level_margin {
        (margins.level_share, margins.level_floor_bytes) = level_margin(text)?;
    }
    if let Some(text) = &args.growth_margin {
        let bytes = text.parse().map_err(|error| Error::Usage(format!("`--growth-margin {text}`: {error}")))?;
        margins.growth_bytes_per_day = Some(bytes);
    }
    Ok((margins, policy))
}

/// The pairs of names, in the base and in the new run, that are one series.
pub fn pairs(args: &CompareArgs) -> Vec<(String, String)> {
    args.pair.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

/// A share without a floor, or an amount without a share.
fn level_margin(text: &str) -> Result<(Share, Bytes), Error> {
    let none = Share::new(0.0).expect("0 is a share");
    let Some(percent) = text.strip_suffix('%') else {
        let bytes = text.parse().map_err(|error| Error::Usage(format!("`--level-margin {text}`: {error}")))?;
        return Ok((none, bytes));
    };
    let share = percent.trim().parse::<f64>().ok().and_then(|percent| Share::new(percent / 100.0));
    let share =
        share.ok_or_else(|| Error::Usage(format!("`--level-margin {text}`: not a share (expected `0%` to `100%`)")))?;
    Ok((share, Bytes::new(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_a_share_or_an_amount() {
        assert_eq!(level_margin("25%").unwrap(), (Share::new(0.25).unwrap(), Bytes::new(0)));
        assert_eq!(level_margin("20MB").unwrap(), (Share::new(0.0).unwrap(), Bytes::new(20_000_000)));
        let refusal = |text| level_margin(text).unwrap_err().to_string();
        assert_eq!(refusal("ten%"), "`--level-margin ten%`: not a share (expected `0%` to `100%`)");
        assert!(refusal("20").starts_with("`--level-margin 20`: "), "{}", refusal("20"));
    }
}
