//! What growth is compared with: access logs, other numbers, changes.

use std::path::{Path, PathBuf};

use crate::counts::{CountSources, Routes};
use crate::error::Error;
use crate::open::Given;
use crate::settings::Settings;

/// Arguments that name what was counted beside memory.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct BesideArgs {
    /// Access log; growth is compared with requests by method and route. With NAME it applies to that series only.
    /// Repeatable.
    #[arg(long, value_name = "[NAME=]FILE")]
    pub requests: Vec<String>,

    /// Other numbers to compare growth with, such as jobs or connections: CSV, Parquet or Arrow with a column of
    /// timestamps, or a Prometheus export. Repeatable.
    #[arg(long, value_name = "[NAME=]FILE")]
    pub covariate: Vec<String>,

    /// Deploys and other changes that may have started growth: lines with a timestamp and a label, such as
    /// git log --format='%cI %h %s'. Repeatable.
    #[arg(long, value_name = "FILE")]
    pub changes: Vec<PathBuf>,
}

/// What to read.
///
/// # Errors
///
/// When a file is standard input, or a pattern of the settings is no route.
pub(super) fn wanted(args: &BesideArgs, settings: &Settings) -> Result<CountSources, Error> {
    if args.changes.iter().any(|path| path.as_os_str() == "-") {
        return Err(Error::Usage("`--changes -`: changes are read from files only (expected a file)".to_owned()));
    }
    Ok(CountSources {
        requests: each("--requests", &args.requests)?,
        covariates: each("--covariate", &args.covariate)?,
        changes: args.changes.clone(),
        routes: Routes::new(&settings.requests.routes)
            .map_err(|why| Error::Usage(format!("`routes` in `[requests]` of the settings: {why}")))?,
    })
}

/// Files that may each belong to one series.
///
/// # Errors
///
/// When one is standard input, or names no file.
pub(super) fn each(option: &str, texts: &[String]) -> Result<Vec<Given>, Error> {
    texts.iter().map(|text| given(option, text)).collect()
}

/// `web=access.log`, `shop/web-1/web=access.log`, or `access.log`; a path with `=` in it is one that is there, or begins
/// as `./a=b.log`.
fn given(option: &str, text: &str) -> Result<Given, Error> {
    let is_path = |name: &str| name.contains('/') && (name.starts_with(['.', '/']) || Path::new(text).exists());
    let named = text.split_once('=').filter(|(name, _)| !is_path(name));
    let (series, path) = named.map_or((None, text), |(name, path)| (Some(name.to_owned()), path));
    if path.is_empty() || series.as_deref() == Some("") {
        return Err(Error::Usage(format!(
            "`{option} {text}`: expected a file, or a series and a file such as `web=access.log`"
        )));
    }
    if path == "-" {
        return Err(Error::Usage(format!("`{option} {text}`: it is read from files only (expected a file)")));
    }
    Ok(Given { series, path: path.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_belong_to_one_series() {
        let said = |text: &str| {
            given("--requests", text)
                .map(|given| (given.series, given.path.display().to_string()))
                .map_err(|e| e.to_string())
        };
        assert_eq!(said("access.log"), Ok((None, "access.log".to_owned())));
        assert_eq!(said("web=access.log"), Ok((Some("web".to_owned()), "access.log".to_owned())));
        assert_eq!(said("web=logs/a=b.log"), Ok((Some("web".to_owned()), "logs/a=b.log".to_owned())));
        let of_pod = (Some("shop/web-1/web".to_owned()), "access.log".to_owned());
        assert_eq!(said("shop/web-1/web=access.log"), Ok(of_pod));
        assert_eq!(said("./a=b.log"), Ok((None, "./a=b.log".to_owned())));
        insta::assert_snapshot!(said("web=").unwrap_err(), @"`--requests web=`: expected a file, or a series and a file such as `web=access.log`");
        insta::assert_snapshot!(said("-").unwrap_err(), @"`--requests -`: it is read from files only (expected a file)");
    }
}
