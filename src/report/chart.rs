//! `Chart`: what a picture of one series says, as a value; and its rendering as SVG or PNG.
//!
//! Takes times in milliseconds and memory in bytes, and texts that the caller has made. Decides here only how the
//! picture is laid out: what is in view, which ticks, which labels fit. Nothing is fitted or judged.

mod alerts;
mod axis;
mod canvas;
mod curve;
mod envelope;
mod panel;
mod plot;
mod raster;
mod sheet;
mod strips;
mod text;
mod theme;

use canvas::Drawing;
use rayon::prelude::*;
use theme::Palette;

pub use theme::Theme;

/// Width of a chart, in pixels at 1x.
pub const WIDTH: u32 = 1280;
/// Height of a chart without parts, in pixels at 1x.
pub const HEIGHT: u32 = 720;
/// The most charts on one page of a contact sheet.
pub const SHEET_CAPACITY: usize = 60;

/// How good or bad a verdict is: the colour of its badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It leaks, or a gating criterion failed.
    Fail,
    /// Worth a look.
    Warn,
    /// Proven to be fine.
    Pass,
    /// Nothing could be claimed.
    Inconclusive,
}

/// How many pixels of the PNG there are for one pixel of the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// 1280 x 720.
    Once,
    /// 2560 x 1440.
    Twice,
}

/// One series as a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart<'a> {
    /// The name of the series; shortened where it does not fit.
    pub title: String,
    /// One line below the title: rate, interval, span.
    pub subtitle: String,
    /// The colour of the verdict.
    pub tone: Tone,
    /// The verdict in a word or two.
    pub verdict: String,
    /// What made the outcome beside the verdict: `high-memory fails`. Left out where there is little room.
    pub besides: Option<String>,
    /// When the samples were taken, in milliseconds: since 1970, or, with `relative_time`, before the last one.
    pub time_ms: &'a [i64],
    /// The samples, in bytes; as many as `time_ms`. What is not finite is not drawn.
    pub used_bytes: &'a [f64],
    /// The fitted lines, one for each run or segment.
    pub fit: Vec<Curve>,
    /// The way to the limit, from the last sample on; drawn dashed, and no longer than the samples' own span.
    pub forecast: Option<Curve>,
    /// The memory limit.
    pub limit: Option<Level>,
    /// Thresholds of criteria.
    pub thresholds: Vec<Level>,
    /// Restarts and OOM kills.
    pub restarts: Vec<RestartMark>,
    /// Lasting shifts of the level.
    pub steps: Vec<StepMark>,
    /// The load window, and when alerts were pending or firing.
    pub spans: Vec<TimeSpan>,
    /// Where what is judged begins, in milliseconds, and what stands beside the mark.
    pub regime: Option<(i64, String)>,
    /// What must be known before the picture is trusted, such as that its times are guessed; written large.
    pub caution: Option<String>,
    /// Whether times count back from the last sample instead of being known.
    pub relative_time: bool,
    /// Other amounts of the same container, drawn below it over the same time: of each its samples, fitted lines, title,
    /// verdict and subtitle. At most 8 are drawn.
    pub parts: Vec<Chart<'a>>,
}

impl<'a> Chart<'a> {
    /// A chart of samples and nothing else, as the start of a fuller one.
    pub fn of_samples(title: &str, time_ms: &'a [i64], used_bytes: &'a [f64]) -> Chart<'a> {
        Chart {
            title: title.to_owned(),
            subtitle: String::new(),
            tone: Tone::Inconclusive,
            verdict: String::new(),
            besides: None,
            time_ms,
            used_bytes,
            fit: Vec::new(),
            forecast: None,
            limit: None,
            thresholds: Vec::new(),
            restarts: Vec::new(),
            steps: Vec::new(),
            spans: Vec::new(),
            regime: None,
            caution: None,
            relative_time: false,
            parts: Vec::new(),
        }
    }
}

/// A line through the samples or beyond them, with its confidence band.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    /// In time order; straight between two points.
    pub points: Vec<CurvePoint>,
    /// What stands beside the line, such as its rate.
    pub label: Option<String>,
    /// What it shows.
    pub kind: CurveKind,
}

/// What a curve shows, and so how it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CurveKind {
    /// Where memory goes.
    #[default]
    Fit,
    /// The same where it proves nothing: in dashes.
    Unproven,
    /// Memory as a named cause explains it: in another colour.
    Explained,
    /// What is left of memory without a named cause: in that colour, in dashes.
    Left,
}

/// One point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// When, in milliseconds.
    pub time_ms: f64,
    /// The estimate, in bytes.
    pub bytes: f64,
    /// Its confidence interval, lower and upper, in bytes; `None` where it has none.
    pub interval: Option<(f64, f64)>,
}

/// A horizontal line.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Where, in bytes.
    pub bytes: f64,
    /// What it is, with its value: `limit 512 MiB`.
    pub label: String,
}

/// One restart.
#[derive(Debug, Clone, PartialEq)]
pub struct RestartMark {
    /// When, in milliseconds.
    pub time_ms: i64,
    /// Whether the kernel killed it for want of memory: drawn in the colour of the limit.
    pub out_of_memory: bool,
    /// Whether that is only concluded from the samples: drawn hollow.
    pub guessed: bool,
    /// What it was: `OOM kill`, `restart`.
    pub label: String,
}

/// One lasting shift of the level.
#[derive(Debug, Clone, PartialEq)]
pub struct StepMark {
    /// When, in milliseconds.
    pub time_ms: i64,
    /// The level before, in bytes.
    pub before_bytes: f64,
    /// The level after, in bytes.
    pub after_bytes: f64,
}

/// What a stretch of time was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Load was applied: a grey band behind the samples.
    Load,
    /// An alert's condition held, but not yet for long enough: in a lane below the plot.
    Pending,
    /// An alert fired: in a lane below the plot.
    Firing,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeSpan {
    /// Its start, in milliseconds.
    pub start_ms: i64,
    /// Its end, in milliseconds.
    pub end_ms: i64,
    /// What it was.
    pub kind: SpanKind,
    /// The text beside a load; of an alert the rule, which has a lane of its own.
    pub label: String,
}

/// The chart as an SVG document of 1280 x 720, and higher by the parts that it has.
pub fn svg(chart: &Chart, theme: Theme) -> String {
    panel::draw(chart, Palette::of(theme)).portable_svg()
}

/// The chart as a PNG of 1280 x 720 and higher by the parts that it has, or twice that.
pub fn png(chart: &Chart, theme: Theme, scale: Scale) -> Vec<u8> {
    raster::png(panel::draw(chart, Palette::of(theme)).svg(), scale)
}

/// The chart as an SVG element within an HTML page that declares `page_colours`; as wide as the page lets it.
pub fn inline_svg(chart: &Chart) -> String {
    inline(&panel::draw(chart, &theme::PAGE))
}

/// Many charts as small multiples over one time axis, in the given order; up to 60 on a page.
///
/// One SVG document for each page; none without charts.
pub fn sheet_svg(heading: &str, charts: &[Chart], theme: Theme) -> Vec<String> {
    sheet::draw(heading, charts, Palette::of(theme)).iter().map(Drawing::portable_svg).collect()
}

/// The pages of `sheet_svg` as PNGs.
pub fn sheet_png(heading: &str, charts: &[Chart], theme: Theme, scale: Scale) -> Vec<Vec<u8>> {
    sheet::draw(heading, charts, Palette::of(theme)).par_iter().map(|page| raster::png(page.svg(), scale)).collect()
}

/// The pages of `sheet_svg` as SVG elements within an HTML page that declares `page_colours`.
pub fn inline_sheet(heading: &str, charts: &[Chart]) -> Vec<String> {
    sheet::draw(heading, charts, &theme::PAGE).iter().map(inline).collect()
}

/// The colours of a theme as declarations of CSS custom properties, for `inline_svg` and all around it.
pub fn page_colours(theme: Theme) -> String {
    theme::properties(theme)
}

/// A document drawn in the colours of the page as an element of it: its size is up to the page.
fn inline(drawing: &Drawing) -> String {
    let svg = theme::with_properties(&drawing.portable_svg());
    let view = svg.find("viewBox").expect("the root element says what it shows");
    format!("<svg aria-hidden=\"true\" {}", &svg[view..])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use resvg::tiny_skia::Pixmap;

    use super::*;
    use crate::units::MIB;

    const MINUTE: i64 = 60_000;
    /// 2026-03-04 09:17:00 UTC.
    const START: i64 = 1_772_615_820_000;

    fn times(n: usize) -> Vec<i64> {
        (0..n as i64).map(|i| START + i * MINUTE).collect()
    }

    /// Every part of a chart at once.
    fn full<'a>(time_ms: &'a [i64], used_bytes: &'a [f64]) -> Chart<'a> {
        let end = *time_ms.last().unwrap();
        let curve = |from: (i64, f64), to: (i64, f64), label: &str| Curve {
            points: [from, to]
                .map(|(time_ms, bytes)| CurvePoint {
                    time_ms: time_ms as f64,
                    bytes,
                    interval: Some((bytes - MIB, bytes + MIB)),
                })
                .to_vec(),
            label: Some(label.to_owned()),
            kind: CurveKind::Fit,
        };
        let span = |from: i64, to: i64, kind| TimeSpan {
            start_ms: START + from * MINUTE,
            end_ms: START + to * MINUTE,
            kind,
            label: String::new(),
        };
        Chart {
            subtitle: "18 MiB an hour".to_owned(),
            tone: Tone::Fail,
            verdict: "leak".to_owned(),
            besides: Some("2 criteria fail".to_owned()),
            fit: vec![curve((START, 100.0 * MIB), (end, 200.0 * MIB), "fitted")],
            forecast: Some(curve((end, 200.0 * MIB), (end + 60 * MINUTE, 250.0 * MIB), "limit in 1 h")),
            limit: Some(Level { bytes: 256.0 * MIB, label: "limit 256 MiB".to_owned() }),
            thresholds: vec![Level { bytes: 150.0 * MIB, label: "threshold".to_owned() }],
            restarts: vec![RestartMark {
                time_ms: START + 30 * MINUTE,
                out_of_memory: true,
                guessed: false,
                label: "OOM kill".to_owned(),
            }],
            steps: vec![StepMark { time_ms: START + 60 * MINUTE, before_bytes: 130.0 * MIB, after_bytes: 160.0 * MIB }],
            regime: Some((START + 40 * MINUTE, "judged from here".to_owned())),
            caution: Some("times are guessed".to_owned()),
            spans: vec![span(70, 90, SpanKind::Load), span(10, 20, SpanKind::Pending), span(20, 50, SpanKind::Firing)],
            ..Chart::of_samples("checkout-api", time_ms, used_bytes)
        }
    }

    fn ramp(n: usize) -> Vec<f64> {
        (0..n).map(|i| (100.0 + 100.0 * i as f64 / n as f64) * MIB).collect()
    }

    fn texts(svg: &str) -> Vec<&str> {
        svg.split("<text").skip(1).filter_map(|rest| rest.split_once(">\n")?.1.split('\n').next()).collect()
    }

    #[test]
    fn everything_that_is_known_is_said_in_the_picture() {
        let (time_ms, used) = (times(120), ramp(120));
        let svg = svg(&full(&time_ms, &used), Theme::Light);
        let texts = texts(&svg);
        for expected in [
            "checkout-api",
            "leak; 2 criteria fail",
            "18 MiB an hour",
            "100 MiB",
            "10:00",
            "4 Mar 2026 UTC",
            "fitted",
            "limit in 1 h",
            "limit 256 MiB",
            "threshold",
            "OOM kill",
            "+30 MiB",
            "load",
            "alerts",
            "firing",
            "judged from here",
            "times are guessed",
        ] {
            assert!(texts.contains(&expected), "{expected} in {texts:?}");
        }
    }

    #[test]
    fn a_png_opens_and_has_its_size_and_ink_where_the_text_is() {
        let (time_ms, used) = (times(120), ramp(120));
        let chart = full(&time_ms, &used);
        for (theme, scale, factor) in
            [(Theme::Light, Scale::Once, 1), (Theme::Light, Scale::Twice, 2), (Theme::Dark, Scale::Once, 1)]
        {
            let picture = Pixmap::decode_png(&png(&chart, theme, scale)).unwrap();
            assert_eq!((picture.width(), picture.height()), (WIDTH * factor, HEIGHT * factor));
            let background = picture.pixel(0, 0).unwrap();
            // Title, subtitle, axis labels at the left, times below: text that is missing draws nothing at all.
            for (left, top, right, bottom) in
                [(28, 20, 200, 55), (28, 62, 150, 86), (28, 104, 85, 620), (100, 660, 1250, 712)]
            {
                let inked = (top * factor..bottom * factor)
                    .flat_map(|y| (left * factor..right * factor).map(move |x| (x, y)))
                    .filter(|&(x, y)| picture.pixel(x, y) != Some(background))
                    .count();
                assert!(200 < inked, "{inked} pixels in {left}, {top}, {right}, {bottom}");
            }
        }
    }

    #[test]
    fn the_same_chart_gives_the_same_bytes() {
        let (time_ms, used) = (times(500), ramp(500));
        let chart = full(&time_ms, &used);
        assert_eq!(png(&chart, Theme::Light, Scale::Once), png(&chart.clone(), Theme::Light, Scale::Once));
    }

    #[test]
    fn names_cannot_break_out_of_the_document() {
        let (time_ms, used) = (times(10), ramp(10));
        let name = "a|b<script>&\"'\u{0}\u{1b}\u{FFFF}]]>";
        let mut chart = full(&time_ms, &used);
        for text in [&mut chart.title, &mut chart.subtitle, &mut chart.verdict] {
            name.clone_into(text);
        }
        chart.limit = Some(Level { bytes: 210.0 * MIB, label: name.to_owned() });
        chart.restarts[0].label = name.to_owned();
        chart.restarts[0].time_ms = START;
        chart.spans[0].label = name.to_owned();
        for document in [svg(&chart, Theme::Light), sheet_svg(name, &[chart], Theme::Light).remove(0)] {
            assert!(document.contains("a|b&lt;script&gt;&amp;"), "{document}");
            assert!(!document.contains("<script"));
            resvg::usvg::Tree::from_str(&document, &resvg::usvg::Options::default()).unwrap();
        }
    }

    #[test]
    fn a_million_samples_are_no_larger_a_picture_than_ten_thousand() {
        let time_ms: Vec<i64> = (0..1_000_000).map(|i| START + i * 1000).collect();
        let used: Vec<f64> = (0..1_000_000).map(|i| f64::from(i % 977) * MIB).collect();
        let many = svg(&Chart::of_samples("many", &time_ms, &used), Theme::Light).len();
        let few = svg(&Chart::of_samples("few", &time_ms[..10_000], &used[..10_000]), Theme::Light).len();
        assert!(many < few * 5 / 4, "{many} bytes, {few} bytes");
    }

    #[test]
    fn a_thousand_restarts_are_counted_rather_than_named() {
        let (time_ms, used) = (times(1000), ramp(1000));
        let mut chart = Chart::of_samples("loop", &time_ms, &used);
        chart.restarts = time_ms
            .iter()
            .enumerate()
            .map(|(index, &time_ms)| RestartMark {
                time_ms,
                out_of_memory: index % 4 == 0,
                guessed: false,
                label: if index % 4 == 0 { "OOM kill" } else { "restart" }.to_owned(),
            })
            .collect();
        let svg = svg(&chart, Theme::Light);
        assert!(texts(&svg).contains(&"250 × OOM kill, 750 × restart"), "{:?}", texts(&svg));
    }

    #[test]
    fn what_is_guessed_looks_other_than_what_is_told() {
        let (time_ms, used) = (times(120), ramp(120));
        let mut chart = full(&time_ms, &used);
        let reported = svg(&chart, Theme::Light).matches("<polygon").count();
        chart.restarts[0].guessed = true;
        assert_eq!(svg(&chart, Theme::Light).matches("<polygon").count(), reported + 1, "the mark is hollow");
        // An alert that fired to the end says so, one that did not does not.
        let legend = |end: i64| {
            let mut chart = full(&time_ms, &used);
            chart.spans[2].end_ms = end;
            chart.spans[2].label = "high-memory".to_owned();
            svg(&chart, Theme::Light)
        };
        assert!(texts(&legend(START + 119 * MINUTE)).contains(&"firing (still firing at the end: high-memory)"));
        assert!(!legend(START + 50 * MINUTE).contains("still"));
    }

    #[test]
    fn each_rule_has_a_lane_with_its_name() {
        let (time_ms, used) = (times(120), ramp(120));
        let names = ["high-memory", "growth-100mb-5m", "rapid-50mb-per-min", "rule:OwnRule"];
        for n in 1..=names.len() {
            let mut chart = Chart::of_samples("web", &time_ms, &used);
            // They fire at the same time: one bar would be one colour.
            chart.spans = names[..n]
                .iter()
                .map(|name| TimeSpan {
                    start_ms: START + 20 * MINUTE,
                    end_ms: START + 60 * MINUTE,
                    kind: SpanKind::Firing,
                    label: (*name).to_owned(),
                })
                .collect();
            let svg = svg(&chart, Theme::Light);
            assert!(names[..n].iter().all(|name| texts(&svg).contains(name)), "{:?}", texts(&svg));
            let (red, green, blue) = Palette::of(Theme::Light).firing;
            let colour = format!("#{red:02X}{green:02X}{blue:02X}");
            let bars =
                svg.split("<rect").filter(|rest| rest.split("/>").next().is_some_and(|one| one.contains(&colour)));
            let tops: BTreeSet<&str> = bars.filter_map(|bar| bar.split_once(" y=\"")?.1.split('"').next()).collect();
            assert_eq!(tops.len(), n + 1, "a bar for each of {n} rules, and the mark of the legend: {tops:?}");
        }
    }

    #[test]
    fn a_sheet_has_sixty_charts_a_page() {
        let (time_ms, used) = (times(50), ramp(50));
        let chart = full(&time_ms, &used);
        for (n_charts, n_pages) in [(0, 0), (1, 1), (60, 1), (61, 2), (130, 3)] {
            let charts = vec![chart.clone(); n_charts];
            let pages = sheet_svg("all series", &charts, Theme::Light);
            assert_eq!(pages.len(), n_pages);
            let n_titles: usize = pages.iter().map(|page| page.matches("checkout-api").count()).sum();
            assert_eq!(n_titles, n_charts);
        }
        let page = sheet_png("all series", &[chart.clone(), chart], Theme::Dark, Scale::Twice).remove(0);
        assert!(Pixmap::decode_png(&page).is_ok());
    }

    /// Any finite number, and often a special one.
    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>(),
            0.0..1e10,
            Just(0.0),
            Just(-0.0),
            Just(f64::MAX),
            Just(f64::MIN),
            Just(f64::MIN_POSITIVE),
            Just(f64::NAN),
            Just(f64::INFINITY),
            Just(1e15),
        ]
    }

    fn time() -> impl Strategy<Value = i64> {
        prop_oneof![any::<i64>(), START..START + 1000 * MINUTE, Just(0), Just(i64::MIN), Just(i64::MAX), Just(START)]
    }

    fn curve() -> impl Strategy<Value = Curve> {
        (prop::collection::vec((time(), number(), number(), number()), 0..4), prop::option::of(".{0,30}")).prop_map(
            |(points, label)| Curve {
                points: points
                    .into_iter()
                    .map(|(time_ms, bytes, lower, upper)| CurvePoint {
                        time_ms: time_ms as f64,
                        bytes,
                        interval: Some((lower, upper)),
                    })
                    .collect(),
                label,
                kind: CurveKind::Fit,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_data_is_too_odd_to_draw(
            samples in prop::collection::vec((time(), number()), 0..40),
            fit in prop::collection::vec(curve(), 0..3),
            forecast in prop::option::of(curve()),
            levels in prop::collection::vec((number(), ".{0,20}"), 0..3),
            restarts in prop::collection::vec((time(), any::<bool>(), ".{0,20}"), 0..5),
            steps in prop::collection::vec((time(), number(), number()), 0..4),
            spans in prop::collection::vec((time(), time(), 0_u8..3, ".{0,20}"), 0..4),
            texts in (".{0,80}", ".{0,80}", ".{0,80}"),
            relative_time in any::<bool>(),
        ) {
            let (time_ms, used): (Vec<i64>, Vec<f64>) = samples.into_iter().unzip();
            let levels: Vec<Level> = levels.into_iter().map(|(bytes, label)| Level { bytes, label }).collect();
            let chart = Chart {
                subtitle: texts.1,
                tone: Tone::Warn,
                verdict: texts.2,
                fit,
                forecast,
                limit: levels.first().cloned(),
                thresholds: levels,
                restarts: restarts
                    .into_iter()
                    .map(|(time_ms, guessed, label)| RestartMark { time_ms, out_of_memory: guessed, guessed, label })
                    .collect(),
                steps: steps
                    .into_iter()
                    .map(|(time_ms, before_bytes, after_bytes)| StepMark { time_ms, before_bytes, after_bytes })
                    .collect(),
                spans: spans
                    .into_iter()
                    .map(|(start_ms, end_ms, kind, label)| TimeSpan {
                        start_ms,
                        end_ms,
                        kind: [SpanKind::Load, SpanKind::Pending, SpanKind::Firing][usize::from(kind)],
                        label,
                    })
                    .collect(),
                regime: time_ms.first().map(|&time_ms| (time_ms, "here".to_owned())),
                relative_time,
                ..Chart::of_samples(&texts.0, &time_ms, &used)
            };
            let mut documents = sheet_svg("all", &[chart.clone(), chart.clone()], Theme::Light);
            documents.push(svg(&chart, Theme::Dark));
            // Rendering takes most of the time, so only some are.
            if time_ms.len() % 20 == 1 {
                prop_assert!(Pixmap::decode_png(&png(&chart, Theme::Light, Scale::Once)).is_ok());
            }
            for document in documents {
                prop_assert!(!document.contains("NaN"));
                prop_assert!(document.len() < 2_000_000);
                let tree = resvg::usvg::Tree::from_str(&document, &resvg::usvg::Options::default());
                prop_assert!(tree.is_ok(), "{tree:?}");
            }
        }
    }
}
