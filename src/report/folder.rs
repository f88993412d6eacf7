//! A report as a folder: `verdict.md`, `charts/*.png`, and `verdict.json` last, so that who finds the last finds all.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;

use rayon::prelude::*;

use super::chart::{self, Scale, Theme};
use super::{Report, files, json, markdown, pictures};
use crate::error::Error;
use crate::policy::Outcome;

/// Which series get a chart of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Charts {
    /// Failing, unsettled and warned ones.
    Failing,
    /// Every one.
    All,
    /// None, and no overview either.
    None,
}

/// The charts of a report: file names within `charts/`, per series where it has one, and of the overview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartNames {
    of_series: Vec<Option<String>>,
    overview: Vec<String>,
}

impl ChartNames {
    /// Names for the charts of `report`, unique and safe for any file system.
    pub fn new(report: &Report, charts: Charts) -> ChartNames {
        let mut taken = BTreeSet::new();
        let of_series = report
            .series
            .iter()
            .map(|series| {
                let wanted = match charts {
                    Charts::All => true,
                    Charts::Failing => series.outcome > Outcome::Pass,
                    Charts::None => false,
                };
                wanted.then(|| {
                    let stem = files::file_name(series.id());
                    let names = (1..).map(|n| if n == 1 { format!("{stem}.png") } else { format!("{stem}-{n}.png") });
                    // Compared without case: some file systems do not tell `Web` from `web`.
                    names
                        .filter(|name| !name.starts_with("overview"))
                        .chain((1..).map(|n| format!("series-{n}.png")))
                        .take(100_000)
                        .find(|name| taken.insert(name.to_lowercase()))
                        .expect("there are more names than series")
                })
            })
            .collect();
        let pages = if charts == Charts::None || report.series.len() < 2 {
            0
        } else {
            report.series.len().div_ceil(chart::SHEET_CAPACITY)
        };
        let overview = (1..=pages)
            .map(|page| if page == 1 { "overview.png".to_owned() } else { format!("overview-{page}.png") })
            .collect();
        ChartNames { of_series, overview }
    }

    /// All paths, relative to the report's folder.
    pub fn paths(&self) -> Vec<String> {
        self.overview.iter().chain(self.of_series.iter().flatten()).map(|name| format!("charts/{name}")).collect()
    }
}

/// Writes the report into `folder`, which is made where it does not exist.
///
/// Charts that the `verdict.json` found there lists and this report does not have are removed; nothing else is touched.
///
/// # Errors
///
/// When something cannot be written; the old `verdict.json` is then as it was.
pub fn write(report: &Report, charts: Charts, folder: &Path) -> Result<(), Error> {
    let into = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Write { path, source }
    };
    let chart_folder = folder.join("charts");
    fs::create_dir_all(folder).map_err(into(folder))?;
    let before = listed_charts(&folder.join("verdict.json"));
    let names = ChartNames::new(report, charts);

    if !names.paths().is_empty() {
        fs::create_dir_all(&chart_folder).map_err(into(&chart_folder))?;
    }
    let drawn: Vec<(&String, Vec<u8>)> = report
        .series
        .par_iter()
        .zip(&names.of_series)
        .filter_map(|(series, name)| {
            name.as_ref().map(|name| (name, chart::png(&pictures::of(report, series), Theme::Light, Scale::Once)))
        })
        .collect();
    for (name, png) in drawn {
        let path = chart_folder.join(name);
        files::replace(&path, |file| file.write_all(&png)).map_err(into(&path))?;
    }
    if !names.overview.is_empty() {
        let all: Vec<chart::Chart<'_>> = report.series.iter().map(|series| pictures::of(report, series)).collect();
        let pages = chart::sheet_png(&markdown::headline(report), &all, Theme::Light, Scale::Once);
        for (name, png) in names.overview.iter().zip(pages) {
            let path = chart_folder.join(name);
            files::replace(&path, |file| file.write_all(&png)).map_err(into(&path))?;
        }
    }

    let chart_of = |index: usize| names.of_series[index].as_ref().map(|name| format!("charts/{name}"));
    let overview: Vec<String> = names.overview.iter().map(|name| format!("charts/{name}")).collect();
    let text = markdown::render(report, &chart_of, &overview);
    let path = folder.join("verdict.md");
    files::replace(&path, |file| file.write_all(text.as_bytes())).map_err(into(&path))?;

    let paths = names.paths();
    for stale in before.iter().filter(|path| !paths.contains(path)) {
        // Gone already is as good as removed.
        let _ = fs::remove_file(folder.join(stale));
    }
    let text = json::render(report, &paths);
    let path = folder.join("verdict.json");
    files::replace(&path, |file| file.write_all(text.as_bytes())).map_err(into(&path))
}

/// The charts that an earlier verdict lists: only what such a report could have written itself.
fn listed_charts(verdict: &Path) -> Vec<String> {
    let Ok(text) = fs::read_to_string(verdict) else { return Vec::new() };
    let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) else { return Vec::new() };
    let ours = |path: &str| {
        path.strip_prefix("charts/")
            .is_some_and(|name| name.strip_suffix(".png").is_some() && name == files::file_name(name))
    };
    value["charts"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|path| path.as_str())
        .filter(|path| ours(path))
        .map(str::to_owned)
        .collect()
}
