//! The HTML report: one file that needs nothing else, says what `verdict.md` says, and works in a browser.
//!
//! The browser is a Chromium where one is found: `LEAKTREND_REQUIRE_CHROMIUM=1` makes its absence a failure.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::made::{HOSTILE, analyze, growing, write_matrix};
use resvg::tiny_skia::Pixmap;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;

/// Writes a report of the hostile names and one healthy series into `folder`; gives the page and `verdict.json`.
fn hostile_report(folder: &Path) -> (String, Value) {
    let input = folder.join("hostile <b>.json");
    let mut series: Vec<(String, Vec<f64>)> =
        HOSTILE.iter().zip(1_u8..).map(|(name, n)| ((*name).to_owned(), growing(80, f64::from(n)))).collect();
    series.push(("idle".to_owned(), growing(400, 0.0)));
    write_matrix(&input, &series);
    report(folder, &[input.to_str().unwrap(), "--charts", "all"])
}

fn report(folder: &Path, args: &[&str]) -> (String, Value) {
    let (page, json) = (folder.join("new/report.html"), folder.join("verdict.json"));
    let outputs = ["--quiet", "--html", page.to_str().unwrap(), "--json", json.to_str().unwrap()];
    analyze(&[args, &outputs].concat());
    (fs::read_to_string(page).unwrap(), serde_json::from_slice(&fs::read(json).unwrap()).unwrap())
}

/// The page as XML, which it is besides.
fn parse(page: &str) -> Document<'_> {
    Document::parse_with_options(page, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() }).unwrap_or_else(
        |error| panic!("{error}: {}", page.lines().nth(error.pos().row as usize - 1).unwrap_or_default()),
    )
}

/// All text within an element, as a reader sees it.
fn text_of(node: Node) -> String {
    let seen = |node: &Node| !node.ancestors().any(|up| up.has_tag_name("script") || up.has_tag_name("style"));
    let text: String =
        node.descendants().filter(|node| node.is_text() && seen(node)).filter_map(|node| node.text()).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_refers_to_nothing_outside_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (page, _) = hostile_report(folder.path());
    let document = parse(&page);
    let ids: BTreeSet<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
    for node in document.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        let never =
            ["img", "image", "link", "iframe", "object", "embed", "base", "form", "use", "foreignObject", "a:href"];
        assert!(!never.contains(&name), "<{name}>");
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on"), "{name} {}", attribute.name());
            assert!(!["src", "style", "srcset", "action"].contains(&attribute.name()), "{name} {}", attribute.name());
            assert!(!attribute.value().contains("url("), "{name}: {}", attribute.value());
            if attribute.name() == "href" {
                let id = attribute.value().strip_prefix('#').expect("links lead to places in the page");
                assert!(ids.contains(id), "{id}");
            }
        }
    }
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("script")).count(), 1);
    let style = document.descendants().find(|node| node.has_tag_name("style")).and_then(|node| node.text()).unwrap();
    assert!(!style.contains("url(") && !style.contains("@import"), "{style}");
    let policy = document.descendants().find(|node| node.attribute("http-equiv") == Some("Content-Security-Policy"));
    assert!(policy.unwrap().attribute("content").unwrap().starts_with("default-src 'none';"));
}

#[test]
fn the_page_says_what_the_verdict_says_and_names_stay_names() {
    let folder = tempfile::tempdir().unwrap();
    let (page, verdict) = hostile_report(folder.path());
    let document = parse(&page);
    // What is a literal stands between backticks in words, and in another type on the page.
    let text = text_of(document.root_element()).replace('`', "");
    let series = verdict["series"].as_array().unwrap();
    assert_eq!(series.len(), HOSTILE.len() + 1);
    for one in series {
        let mut expected = vec![&one["verdict"]];
        if one["outcome"] != "pass" {
            expected.extend(one["criteria"].as_array().unwrap().iter().map(|criterion| &criterion["reason"]));
            expected.extend(one["next_action"]["commands"].as_array().into_iter().flatten());
        }
        for words in expected {
            let words = words
                .as_str()
                .unwrap()
                .replace('`', "")
                .replace(char::is_control, "\u{fffd}")
                .replace('\u{202e}', "\u{fffd}");
            assert!(text.contains(words.trim()), "{words}");
        }
    }
    for name in [
        "a|b<script>![x](y)",
        "../../etc/passwd",
        "\"><img src=x onerror=alert(1)>",
        "pay\u{fffd}gnp.exe]]></style><b>",
    ] {
        assert!(text.contains(name), "{name}");
    }
    assert!(!page.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'));
    // A chart for each series, and the overview.
    let charts = document.descendants().filter(|node| node.tag_name().name() == "svg").count();
    assert_eq!(charts, HOSTILE.len() + 2);
    // Where there is no chart there is a line of text in its place.
    let (plain, _) = report(folder.path(), &["data/memory-trend.csv", "--charts", "none"]);
    let strip = plain.split_once("<p class=\"strip\">").and_then(|(_, strip)| strip.chars().next());
    assert!(!plain.contains("<svg") && strip.is_some_and(|bar| ('▁'..='█').contains(&bar)), "{plain}");
}

#[test]
fn a_page_that_cannot_be_written_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("taken.html");
    fs::create_dir(&page).unwrap();
    let output = crate::made::run(&["analyze", "data/memory-trend.csv", "--quiet", "--html", page.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cannot write") && said.contains("taken.html"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays behind");
}

/// A browser without a window.
struct Chromium {
    program: PathBuf,
    profile: tempfile::TempDir,
}

impl Chromium {
    /// The first that is found; `None`, said aloud, where there is none.
    fn find() -> Option<Chromium> {
        let given = std::env::var_os("LEAKTREND_CHROMIUM").map(PathBuf::from);
        let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
        let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
        let found = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
        let Some(program) = given.into_iter().chain(found).find(|path| path.is_file()) else {
            assert!(
                std::env::var_os("LEAKTREND_REQUIRE_CHROMIUM").is_none(),
                "no Chromium was found, and one is required"
            );
            eprintln!("SKIPPED: no Chromium was found in PATH or LEAKTREND_CHROMIUM");
            return None;
        };
        Some(Chromium { program, profile: tempfile::tempdir().unwrap() })
    }

    fn run(&self, page: &Path, args: &[&str]) -> Output {
        let output = Command::new(&self.program)
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"])
            .args([
                "--no-first-run",
                "--disable-extensions",
                "--disable-background-networking",
                "--enable-logging=stderr",
            ])
            .arg(format!("--user-data-dir={}", self.profile.path().display()))
            .args(args)
            .arg(format!("file://{}", page.display()))
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        // What a page does wrong, and what its policy forbids, is logged as of its console.
        let complaints: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
        output
    }

    /// The document after scripts have run.
    fn document(&self, page: &Path) -> String {
        String::from_utf8(self.run(page, &["--virtual-time-budget=2000", "--dump-dom"]).stdout).unwrap()
    }

    fn picture(&self, page: &Path, args: &[&str]) -> Pixmap {
        let file = self.profile.path().join("picture.png");
        let screenshot = format!("--screenshot={}", file.display());
        self.run(page, &[&[screenshot.as_str(), "--window-size=1200,1000"], args].concat());
        Pixmap::decode_png(&fs::read(file).unwrap()).unwrap()
    }
}

#[test]
fn a_browser_shows_the_page_sorts_its_tables_and_follows_the_reader_into_the_dark() {
    let Some(chromium) = Chromium::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (page, verdict) = hostile_report(folder.path());
    let path = folder.path().join("new/report.html");

    // The script ran: every heading of a table is a button. Nothing was complained of.
    let shown = chromium.document(&path);
    let n_headings = page.matches("<th ").count();
    assert!(n_headings > 8);
    assert_eq!(shown.matches("<button type=\"button\">").count(), n_headings);
    assert!(!shown.contains("onerror=alert(1)>\"") && shown.contains("../../etc/passwd"));

    // A reader's clicks: by growth, upwards and then downwards. The page's own policy would forbid this script.
    let click = "<script>\
        const heads = Array.from(document.querySelectorAll('#series th'));\
        const order = () => Array.from(document.querySelectorAll('#series tbody tr')).map(row => row.cells[4].textContent).join(';');\
        const growth = heads.find(head => head.textContent === 'growth');\
        growth.firstChild.focus(); document.activeElement.click(); const up = order();\
        growth.firstChild.click(); const down = order();\
        document.body.dataset.up = up; document.body.dataset.down = down;\
        document.body.dataset.sort = growth.getAttribute('aria-sort');\
        </script></body>";
    let start = page.find("<meta http-equiv").unwrap();
    let end = start + page[start..].find("/>").unwrap() + 2;
    let driven = format!("{}{}", &page[..start], &page[end..]).replace("</body>", click);
    let driven_path = folder.path().join("driven.html");
    fs::write(&driven_path, driven).unwrap();
    let clicked = chromium.document(&driven_path);
    let data = |name: &str| -> Vec<String> {
        let value = clicked.split(&format!("data-{name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        value.split(';').map(str::to_owned).collect()
    };
    let (up, mut down) = (data("up"), data("down"));
    assert_eq!(up.len(), verdict["series"].as_array().unwrap().len());
    assert_ne!(up, down);
    down.reverse();
    assert_eq!(up, down);
    assert_eq!(up.last().map(String::as_str), Some("8 MiB a minute"), "{up:?}");
    assert_eq!(data("sort"), ["descending"]);

    // Light or dark is the reader's choice.
    for (args, background) in [(&[][..], (255, 255, 255)), (&["--force-dark-mode"], (17, 20, 24))] {
        let picture = chromium.picture(&path, args);
        let colour = |x, y| picture.pixel(x, y).map(|pixel| (pixel.red(), pixel.green(), pixel.blue())).unwrap();
        assert_eq!(colour(2, 2), background, "{args:?}");
        let inked = (0..1000).flat_map(|y| (0..1200).map(move |x| (x, y))).filter(|&(x, y)| colour(x, y) != background);
        assert!(inked.count() > 40_000, "{args:?}: the page is empty");
    }
}

/// How wide the page and its first table are in a frame of `width` pixels, and how much of each is seen.
fn widths(chromium: &Chromium, page: &Path, width: u32) -> Vec<u32> {
    let outer = page.with_file_name("outer.html");
    let measure = "const frame = document.querySelector('iframe');\
        frame.onload = () => {\
        const inner = frame.contentDocument, root = inner.documentElement, table = inner.querySelector('#series .table');\
        document.body.dataset.widths = [root.scrollWidth, root.clientWidth, table.scrollWidth, table.clientWidth].join(';');\
        };";
    let name = page.file_name().unwrap().to_str().unwrap();
    let frame = format!("<!DOCTYPE html><body><iframe width=\"{width}\" height=\"900\" style=\"border:0\"></iframe>");
    fs::write(&outer, format!("{frame}<script>{measure} frame.src = '{name}';</script></body>")).unwrap();
    let args = ["--allow-file-access-from-files", "--virtual-time-budget=2000", "--dump-dom"];
    let shown = String::from_utf8(chromium.run(&outer, &args).stdout).unwrap();
    let widths = shown.split("data-widths=\"").nth(1).and_then(|rest| rest.split('"').next());
    widths.unwrap_or_else(|| panic!("{shown}")).split(';').map(|width| width.parse().unwrap()).collect()
}

#[test]
fn the_page_fits_a_telephone_and_its_table_a_laptop() {
    let Some(chromium) = Chromium::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/report.html");
    let log = ["data/memory-usage.log", "--interval", "10s", "--end", "2026-11-23T21:21:15Z"];
    for args in [&log[..], &["data/memory-trend.csv", "--load", "20m..50m"], &["data/node-memory.jsonl"]] {
        report(folder.path(), args);
        for width in [360, 1200] {
            let widths = widths(&chromium, &path, width);
            assert_eq!(widths[1], width, "{args:?}");
            assert!(widths[0] <= widths[1], "{args:?}: the page is scrolled sideways at {width}: {widths:?}");
            assert!(widths[2] <= widths[3], "{args:?}: the table is cut at {width}: {widths:?}");
        }
    }
    // Names without a place to break.
    hostile_report(folder.path());
    let widths = widths(&chromium, &path, 360);
    assert!(widths[0] <= 360 && widths[2] <= widths[3], "{widths:?}");
}

#[test]
fn every_table_of_a_page_has_a_name_of_its_own_and_every_card_its_labels() {
    let folder = tempfile::tempdir().unwrap();
    let (page, _) = report(folder.path(), &["data/memory-trend.csv", "--charts", "none"]);
    let document = parse(&page);
    let tables: Vec<Node> = document.descendants().filter(|node| node.attribute("class") == Some("table")).collect();
    let names: BTreeSet<&str> = tables.iter().filter_map(|node| node.attribute("aria-label")).collect();
    assert!(tables.len() > 3, "{names:?}");
    assert_eq!(names.len(), tables.len(), "{names:?}");
    let series = document.descendants().find(|node| node.attribute("id") == Some("series")).unwrap();
    let headings: Vec<String> = series.descendants().filter(|node| node.has_tag_name("th")).map(text_of).collect();
    let mut n_rows = 0;
    for row in series.descendants().filter(|node| node.has_tag_name("tr")).skip(1) {
        let labels: Vec<&str> = row.children().filter_map(|cell| cell.attribute("data-label")).collect();
        assert_eq!(labels, headings);
        n_rows += 1;
    }
    assert_eq!(n_rows, 8);
}
