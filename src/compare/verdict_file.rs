//! A JSON verdict as `compare` reads it: only what two runs are compared by.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Deserializer};

use crate::error::Error;
use crate::report::json::SCHEMA_VERSION;
use crate::stats::difference::Estimate;

/// The verdict of one run.
#[derive(Debug, Clone, Deserialize)]
pub struct VerdictFile {
    /// Every series, worst first; their ids are unique.
    pub series: Vec<SeriesVerdict>,
    settings: SettingsPart,
}

/// The settings, as far as they decide whether two runs were judged alike.
#[derive(Debug, Clone, Deserialize)]
struct SettingsPart {
    verdict: serde_json::Value,
}

/// One series of a run.
#[derive(Debug, Clone, Deserialize)]
pub struct SeriesVerdict {
    /// Its id.
    pub id: String,
    /// What the statistics said.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// Whether it can leave a run open.
    #[serde(rename = "affects_outcome")]
    pub counts: bool,
    /// The growth that matters by itself, in bytes per second; `None` when nothing could be measured.
    #[serde(deserialize_with = "Option::deserialize")]
    pub tolerance_bytes_per_second: Option<f64>,
    /// Growth, in bytes per second.
    #[serde(deserialize_with = "growth")]
    pub growth: Option<MeasuredRun>,
    /// The settled level, in bytes.
    #[serde(deserialize_with = "level")]
    pub settled: Option<MeasuredRun>,
}

/// An estimate and the confidence of its interval, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasuredRun {
    /// The estimate.
    pub estimate: Estimate,
    /// Confidence of the interval.
    pub confidence: f64,
}

impl SeriesVerdict {
    /// Whether memory still grew, so that no level had settled.
    pub fn grows(&self) -> bool {
        matches!(self.verdict.as_str(), "leak" | "leak-masked-by-restarts" | "stepping-growth" | "leak-suspected")
    }
}

impl VerdictFile {
    /// Whether both runs were judged by the same terms.
    pub fn judged_like(&self, other: &VerdictFile) -> bool {
        self.settings.verdict == other.settings.verdict
    }
}

/// Reads the verdict that `leaktrend analyze --json` or `--out` wrote.
///
/// # Errors
///
/// When the file cannot be read, is no verdict, is of another version, or holds no series.
pub fn read(path: &Path) -> Result<VerdictFile, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    parse(&text).map_err(|why| Error::Unusable { path: path.to_owned(), why })
}

fn parse(text: &str) -> Result<VerdictFile, String> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u64,
    }
    let not_ours =
        |error: serde_json::Error| format!("{error} (expected a JSON verdict of this version of `leaktrend analyze`)");
    let version: Version = serde_json::from_str(text).map_err(not_ours)?;
    if version.schema_version != u64::from(SCHEMA_VERSION) {
        return Err(format!("its `schema_version` is {} (expected {SCHEMA_VERSION})", version.schema_version));
    }
    let verdict: VerdictFile = serde_json::from_str(text).map_err(not_ours)?;
    if verdict.series.is_empty() {
        return Err("it holds no series: nothing could be judged in that run".to_owned());
    }
    let mut known = BTreeSet::new();
    if let Some(twice) = verdict.series.iter().find(|series| !known.insert(series.id.as_str())) {
        return Err(format!("it holds the series `{}` twice (expected each id once)", twice.id));
    }
    Ok(verdict)
}

/// Numbers of an estimate as they are written: null where one is not finite.
type Numbers = (Option<f64>, Option<f64>, Option<f64>, f64);

fn measured((value, lower, upper, confidence): Numbers) -> Option<MeasuredRun> {
    Some(MeasuredRun { estimate: Estimate::new(value?, lower?, upper?)?, confidence })
}

fn growth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MeasuredRun>, D::Error> {
    #[derive(Deserialize)]
    struct Growth {
        bytes_per_second: Option<f64>,
        lower: Option<f64>,
        upper: Option<f64>,
        confidence: f64,
    }
    let written = Option::<Growth>::deserialize(deserializer)?;
    Ok(written.and_then(|one| measured((one.bytes_per_second, one.lower, one.upper, one.confidence))))
}

fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MeasuredRun>, D::Error> {
    #[derive(Deserialize)]
    struct Level {
        bytes: Option<f64>,
        lower: Option<f64>,
        upper: Option<f64>,
        confidence: f64,
    }
    let written = Option::<Level>::deserialize(deserializer)?;
    Ok(written.and_then(|one| measured((one.bytes, one.lower, one.upper, one.confidence))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_verdict_is_refused() {
        let refusal = |text: &str| parse(text).unwrap_err();
        let hint = "(expected a JSON verdict of this version of `leaktrend analyze`)";
        assert_eq!(
            refusal("[]"),
            format!("invalid length 0, expected struct Version with 1 element at line 1 column 2 {hint}")
        );
        assert_eq!(refusal("{}"), format!("missing field `schema_version` at line 1 column 2 {hint}"));
        assert_eq!(refusal(r#"{"schema_version": 2}"#), "its `schema_version` is 2 (expected 1)");
        let run = |series: &str| format!(r#"{{"schema_version":1,"settings":{{"verdict":{{}}}},"series":[{series}]}}"#);
        assert_eq!(refusal(&run("")), "it holds no series: nothing could be judged in that run");
        let older = r#"{"id":"a","verdict":"flat","reason":"","affects_outcome":true,"tolerance_bytes_per_second":null,"growth":null}"#;
        assert!(refusal(&run(older)).starts_with("missing field `settled`"));
        let one = older.replace("null}", r#"null,"settled":null}"#);
        assert_eq!(refusal(&run(&format!("{one},{one}"))), "it holds the series `a` twice (expected each id once)");
    }
}
