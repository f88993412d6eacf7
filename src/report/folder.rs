//! A report as a folder: `verdict.md`, `charts/*`, and `verdict.json` last, so that who finds the last finds all.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rayon::prelude::*;

use super::chart::{self, Chart, Scale, Theme};
use super::markdown::Images;
use super::{Report, SeriesReport, json, markdown, pictures, words};
use crate::error::Error;
use crate::files::{self, Staged};
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

impl Charts {
    /// Whether a series gets a chart of its own.
    pub fn shows(self, series: &SeriesReport) -> bool {
        match self {
            Charts::All => true,
            Charts::Failing => series.outcome > Outcome::Pass,
            Charts::None => false,
        }
    }

    /// The series of the overview, in its order: all, where there are several.
    pub fn overview(self, report: &Report) -> &[SeriesReport] {
        if self == Charts::None || report.series.len() < 2 { &[] } else { &report.series }
    }
}

/// The files that charts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartFormat {
    /// Pixels, at once or twice the size.
    Png(Scale),
    /// Lines and text, sharp at any size.
    Svg,
}

impl ChartFormat {
    const fn extension(self) -> &'static str {
        match self {
            ChartFormat::Png(_) => "png",
            ChartFormat::Svg => "svg",
        }
    }

    fn chart(self, chart: &Chart, theme: Theme) -> Vec<u8> {
        match self {
            ChartFormat::Png(scale) => chart::png(chart, theme, scale),
            ChartFormat::Svg => chart::svg(chart, theme).into_bytes(),
        }
    }

    fn sheet(self, heading: &str, charts: &[Chart], theme: Theme) -> Vec<Vec<u8>> {
        match self {
            ChartFormat::Png(scale) => chart::sheet_png(heading, charts, theme, scale),
            ChartFormat::Svg => chart::sheet_svg(heading, charts, theme).into_iter().map(String::into_bytes).collect(),
        }
    }
}

/// How a report is laid out in files.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Which series get a chart.
    pub charts: Charts,
    /// The colours of charts.
    pub theme: Theme,
    /// The files that charts are.
    pub chart_format: ChartFormat,
    /// The most bytes of `verdict.md`; `None` without a limit.
    pub markdown_limit: Option<usize>,
    /// Where the folder will be found by those who read `verdict.md` elsewhere; `None`: beside it.
    pub image_base: Option<ImageBase>,
}

/// The address of a report's folder, in front of the paths of its images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageBase(String);

impl FromStr for ImageBase {
    type Err = String;

    fn from_str(text: &str) -> Result<ImageBase, String> {
        let odd = |c: char| c.is_whitespace() || c.is_control() || "()<>[]\"'`\\|*".contains(c);
        match text.chars().find(|&c| odd(c)) {
            _ if text.is_empty() => Err("an address is expected, such as `https://example.com/reports/42`".to_owned()),
            Some(c) => Err(format!("`{}` is not allowed in an address (percent-encode it)", c.escape_default())),
            None => Ok(ImageBase(text.trim_end_matches('/').to_owned())),
        }
    }
}

/// The charts of a report: file names within `charts/`, per series where it has one, and of the overview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartNames {
    of_series: Vec<Option<String>>,
    overview: Vec<String>,
}

impl ChartNames {
    /// Names for the charts of `report`, unique and safe for any file system.
    pub fn new(report: &Report, layout: &Layout) -> ChartNames {
        let extension = layout.chart_format.extension();
        let mut taken = BTreeSet::new();
        let of_series = report
            .series
            .iter()
            .map(|series| {
                layout.charts.shows(series).then(|| {
                    let stem = files::file_name(series.id());
                    let numbered = (1..=100_000).map(|n| if n == 1 { stem.clone() } else { format!("{stem}-{n}") });
                    // Compared without case: some file systems do not tell `Web` from `web`.
                    numbered
                        .filter(|name| !name.starts_with("overview"))
                        .chain((1..=report.series.len()).map(|n| format!("series-{n}")))
                        .find(|name| taken.insert(name.to_lowercase()))
                        .map(|name| format!("{name}.{extension}"))
                        .expect("there are more names than series")
                })
            })
            .collect();
        let pages = layout.charts.overview(report).len().div_ceil(chart::SHEET_CAPACITY);
        let overview = (1..=pages)
            .map(|page| if page == 1 { "overview".to_owned() } else { format!("overview-{page}") })
            .map(|name| format!("{name}.{extension}"))
            .collect();
        ChartNames { of_series, overview }
    }

    /// All paths, relative to the report's folder.
    pub fn paths(&self) -> Vec<String> {
        self.overview.iter().chain(self.of_series.iter().flatten()).map(|name| format!("charts/{name}")).collect()
    }

    /// Where Markdown finds them.
    fn images(&self, base: Option<&ImageBase>) -> Images {
        let address = |name: &String| match base {
            Some(ImageBase(base)) => format!("{base}/charts/{name}"),
            None => format!("charts/{name}"),
        };
        Images {
            of_series: self.of_series.iter().map(|name| name.as_ref().map(address)).collect(),
            overview: self.overview.iter().map(address).collect(),
        }
    }
}

/// Writes the report into `folder`, which is made where it does not exist.
///
/// Charts that the `verdict.json` found there lists and this report does not have are removed; nothing else is touched.
///
/// # Errors
///
/// When something cannot be written, as on a full disk; the report that stood there is then as it was.
pub fn write(report: &Report, layout: &Layout, folder: &Path) -> Result<(), Error> {
    let into = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Write { path, source }
    };
    let chart_folder = folder.join("charts");
    fs::create_dir_all(folder).map_err(into(folder))?;
    let before = listed_charts(&folder.join("verdict.json"));
    let names = ChartNames::new(report, layout);

    if !names.paths().is_empty() {
        fs::create_dir_all(&chart_folder).map_err(into(&chart_folder))?;
    }
    let stage = |path: PathBuf, content: &[u8]| Staged::new(&path, content).map_err(into(&path));
    // Each as soon as it is drawn: thousands of pictures are not held in memory.
    let mut staged = report
        .series
        .par_iter()
        .zip(&names.of_series)
        .filter_map(|(series, name)| {
            let draw = || layout.chart_format.chart(&pictures::of(report, series), layout.theme);
            name.as_ref().map(|name| stage(chart_folder.join(name), &draw()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let all: Vec<Chart<'_>> =
        layout.charts.overview(report).iter().map(|series| pictures::of(report, series)).collect();
    let heading = words::tally(report);
    let pages = layout.chart_format.sheet(&heading, &all, layout.theme);
    for (name, page) in names.overview.iter().zip(pages) {
        staged.push(stage(chart_folder.join(name), &page)?);
    }
    let images = names.images(layout.image_base.as_ref());
    let text = markdown::render(report, &images, layout.markdown_limit).into_bytes();
    staged.push(stage(folder.join("verdict.md"), &text)?);
    drop(text);
    let paths = names.paths();
    let path = folder.join("verdict.json");
    let verdict = Staged::written(&path, |file| json::write(report, &paths, file)).map_err(into(&path))?;

    let stale: Vec<PathBuf> =
        before.iter().filter(|path| !paths.contains(path)).map(|path| folder.join(path)).collect();
    files::place(staged, &stale, verdict).map_err(|(path, source)| Error::Write { path, source })
}

/// The charts that an earlier verdict lists: only what such a report could have written itself.
fn listed_charts(verdict: &Path) -> Vec<String> {
    /// All that is looked at of it.
    #[derive(serde::Deserialize)]
    struct Listed {
        #[serde(default)]
        charts: Vec<String>,
    }

    let Ok(text) = fs::read_to_string(verdict) else { return Vec::new() };
    let Ok(Listed { mut charts }) = serde_json::from_str::<Listed>(&text) else { return Vec::new() };
    let ours = |path: &str| {
        path.strip_prefix("charts/")
            .and_then(|name| Some((name, name.rsplit_once('.')?.1)))
            .is_some_and(|(name, extension)| ["png", "svg"].contains(&extension) && name == files::file_name(name))
    };
    charts.retain(|path| ours(path));
    charts
}
