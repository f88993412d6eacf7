//! The report as a folder: its charts, `verdict.md`, and what hostile names can do to them.

use std::fs;
use std::path::Path;

use crate::made::{HOSTILE, analyze, growing, run, write_matrix};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use resvg::tiny_skia::Pixmap;

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[test]
fn charts_are_light_or_dark_large_or_twice_as_large_pixels_or_lines() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let one = ["data/memory-trend.csv", "--container", "#[18]$", "--quiet", "--out", out];
    let chart = |name: &str| folder.path().join("charts").join(name);
    for (flags, size, page) in [
        (&[][..], (1280, 720), (255, 255, 255)),
        (&["--theme", "dark", "--chart-scale", "1"], (1280, 720), (17, 20, 24)),
        (&["--chart-scale", "2"], (2560, 1440), (255, 255, 255)),
    ] {
        analyze(&[&one, flags].concat());
        let picture = Pixmap::decode_png(&fs::read(chart("memory-trend_1.png")).unwrap()).unwrap();
        let corner = picture.pixel(0, 0).unwrap();
        assert_eq!((picture.width(), picture.height()), size, "{flags:?}");
        assert_eq!((corner.red(), corner.green(), corner.blue()), page, "{flags:?}");
    }
    analyze(&[&one[..], &["--chart-format", "svg"]].concat());
    assert_eq!(names_in(&folder.path().join("charts")), ["memory-trend_1.svg", "memory-trend_8.svg", "overview.svg"]);
    let svg = text(chart("memory-trend_1.svg"));
    let document = roxmltree::Document::parse(&svg).unwrap();
    assert_eq!(document.root_element().attribute("width"), Some("1280"));
    assert!(document.descendants().any(|node| node.text().is_some_and(|text| text.trim() == "memory-trend#1")));
    assert!(text(folder.path().join("verdict.md")).contains("](charts/memory-trend_1.svg)"));
    assert!(text(folder.path().join("verdict.json")).contains("\"charts/overview.svg\""));
}

#[test]
fn images_are_found_where_the_folder_will_be() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    analyze(&["data/memory-trend.csv", "--quiet", "--out", out, "--image-base-url", "https://ci.example/job/42/"]);
    let markdown = text(folder.path().join("verdict.md"));
    assert!(markdown.contains("](https://ci.example/job/42/charts/overview.png)"), "{markdown}");
    assert!(!markdown.contains("](charts/"), "{markdown}");
    // Who reads the folder itself finds them beside it.
    assert!(text(folder.path().join("verdict.json")).contains("\"charts/overview.png\""));
}

#[test]
fn a_sparkline_stands_where_no_chart_can() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    analyze(&["data/memory-trend.csv", "--quiet", "--out", out, "--charts", "none"]);
    let markdown = text(folder.path().join("verdict.md"));
    assert!(!markdown.contains("!["), "{markdown}");
    let section = markdown.split("## `memory-trend#4`").nth(1).unwrap();
    let strip = section.lines().nth(2).unwrap();
    assert!(strip.starts_with(|c| ('▁'..='█').contains(&c)), "{strip}");
    assert!(strip.ends_with("9.22 MiB to 319 MiB, from 2026-11-23T20:06:38Z to 2026-11-23T21:21:15Z"), "{strip}");
    assert!(!folder.path().join("charts").exists());
}

#[test]
fn a_limit_keeps_the_worst_and_says_what_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("many.json");
    let series: Vec<(String, Vec<f64>)> =
        (0..60).map(|n| (format!("pod-{n}-{}", "x".repeat(60)), growing(80, f64::from(n % 40) * 0.2))).collect();
    write_matrix(&input, &series);
    let verdict = |limit: Option<usize>| {
        let out = folder.path().join("out");
        let limit = limit.map(|limit| limit.to_string());
        let mut args = vec![input.to_str().unwrap(), "--quiet", "--charts", "none", "--out", out.to_str().unwrap()];
        args.extend(limit.iter().flat_map(|limit| ["--markdown-limit", limit.as_str()]));
        analyze(&args);
        text(out.join("verdict.md"))
    };
    let whole = verdict(None);
    assert!(whole.len() > 64_000, "{}", whole.len());
    let headings = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("## `")).map(str::to_owned).collect()
    };
    let mut most_kept = 0;
    for limit in [4096, 5000, 8000, 16_000, 32_000, 64_000] {
        let cut = verdict(Some(limit));
        assert!(cut.len() <= limit, "{} bytes, {limit} allowed", cut.len());
        assert_eq!(cut.lines().next(), whole.lines().next());
        assert!(cut.lines().nth(2).unwrap().starts_with(&format!("Cut to {limit} bytes")), "{cut}");
        let kept = headings(&cut);
        assert_eq!(kept, headings(&whole)[..kept.len()], "the worst come first");
        most_kept = kept.len();
        assert!(most_kept > 0, "{cut}");
        let missing = headings(&whole).len() - kept.len();
        assert!(cut.contains(&format!("{missing} series that need a look")), "{cut}");
        // Nothing is cut in its middle.
        for line in cut.lines().filter(|line| !line.starts_with("Cut to")) {
            assert!(whole.contains(line), "{line}");
        }
    }
    assert!(most_kept > 5, "{most_kept}");
    assert_eq!(verdict(Some(10_000_000)), whole);
}

/// The text as GitHub and GitLab read it.
fn parsed(markdown: &str) -> Vec<Event<'_>> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES | Options::ENABLE_TASKLISTS;
    Parser::new_ext(markdown, options).collect()
}

#[test]
fn hostile_names_do_no_harm_in_markdown_the_terminal_and_the_file_system() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("hostile # 1. `x` <b>.json");
    let series: Vec<(String, Vec<f64>)> = HOSTILE.iter().map(|name| ((*name).to_owned(), growing(80, 4.0))).collect();
    write_matrix(&input, &series);
    let out = folder.path().join("out");
    let output = run(&["analyze", input.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let screen = String::from_utf8(output.stdout).unwrap();
    let moves = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!screen.contains(moves), "{screen:?}");
    assert!(screen.contains("a|b<script>![x](y)"), "a terminal shows the name as it is: {screen}");

    assert_eq!(names_in(folder.path()).len(), 2, "{:?}", names_in(folder.path()));
    let charts = names_in(&out.join("charts"));
    assert_eq!(charts.len(), HOSTILE.len() + 1, "{charts:?}");
    let harmless = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    assert!(charts.iter().all(|name| name.chars().all(harmless) && !name.starts_with(['.', '-'])), "{charts:?}");

    let markdown = text(out.join("verdict.md"));
    assert!(!markdown.contains(moves), "{markdown:?}");
    let mut cells = 0;
    let mut rows = 0;
    let mut headings = 0;
    let mut in_commands = false;
    for event in parsed(&markdown) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => panic!("a name became HTML: {html}"),
            Event::Start(Tag::Link { dest_url, .. }) => panic!("a name became a link: {dest_url}"),
            Event::Start(Tag::Image { dest_url, .. }) => assert!(dest_url.starts_with("charts/"), "{dest_url}"),
            Event::Start(Tag::Strikethrough | Tag::Emphasis | Tag::FootnoteDefinition(_) | Tag::BlockQuote(_)) => {
                panic!("a name became markup: {event:?}")
            }
            Event::Start(Tag::TableRow) => rows += 1,
            Event::Start(Tag::TableCell) => cells += 1,
            Event::Start(Tag::Heading { .. }) => headings += 1,
            Event::Start(Tag::CodeBlock(_)) => in_commands = true,
            Event::End(TagEnd::CodeBlock) => in_commands = false,
            Event::Text(text) if !in_commands => {
                assert!(!text.contains("https://evil") && !text.contains("@everyone"), "not only code: {text}");
            }
            _ => {}
        }
    }
    // The table of series has nine columns, that of inputs eight, those of criteria three.
    assert_eq!(rows, HOSTILE.len() + 1 + 11 * HOSTILE.len(), "a name broke a table");
    assert_eq!(cells, 9 * (HOSTILE.len() + 1) + 8 * 2 + 3 * (11 + 1) * HOSTILE.len(), "a name broke a row");
    assert_eq!(headings, HOSTILE.len() + 1, "a name became a heading");
    // In a heading, where no table needs it, nothing is escaped: the name reads as it is.
    assert!(markdown.contains("## `a|b<script>![x](y)`: leak"), "{markdown}");
}
