//! Draws what the README's first command prints on a terminal: `reports/terminal.svg`.
//!
//! `cargo run --no-default-features --example terminal > reports/terminal.svg`
//!
//! The picture holds the real output, from the first line to the end of the table, at 104 columns.

use std::error::Error;

use clap::Parser;
use leaktrend::analysis;
use leaktrend::cli::{self, Args, Command};
use leaktrend::report::escape;
use leaktrend::report::summary::{self, Screen};

/// The command as the picture shows it, without the program's name.
const COMMAND: &str = "analyze data/memory-usage.log --interval 10s --end 2026-11-23T21:21:15Z";
const COLUMNS: usize = 104;
/// A character of the 14 px monospace fonts that systems bring is this wide, within 3 %; `textLength` makes it exact.
const CHAR_PX: f64 = 8.4;
const LINE_PX: usize = 19;
const MARGIN_PX: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", picture()?);
    Ok(())
}

/// The picture, as SVG.
///
/// # Errors
///
/// When the data of the repository cannot be read: it is looked for in the current folder.
pub(crate) fn picture() -> Result<String, Box<dyn Error>> {
    let words = ["leaktrend"].into_iter().chain(COMMAND.split(' '));
    let Command::Analyze(args) = Args::try_parse_from(words)?.command else { return Err("not `analyze`".into()) };
    let report = analysis::run(&cli::job(&args)?, &mut |_| Ok(()))?;
    let output = summary::render(&report, Screen { colour: true, width: Some(COLUMNS), wraps: true });
    let mut lines = vec![format!("$ leaktrend {COMMAND}")];
    for line in output.lines() {
        lines.push(line.to_owned());
        if line.starts_with('└') {
            break;
        }
    }
    let (width, height) = ((COLUMNS as f64 * CHAR_PX) as usize + 2 * MARGIN_PX, lines.len() * LINE_PX + 2 * MARGIN_PX);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>The output of leaktrend on a terminal</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16191d\"/>\n\
         <g font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\" fill=\"#d9dee4\">\n"
    );
    for (index, line) in lines.iter().enumerate() {
        svg.push_str(&drawn(line, MARGIN_PX + (index + 1) * LINE_PX - 5));
    }
    svg.push_str("</g>\n</svg>\n");
    Ok(svg)
}

/// A line of the output at a height; the colours of ANSI escapes become those of the text.
fn drawn(line: &str, y: usize) -> String {
    let (style, line) = match line.strip_prefix("\u{1b}[1;").and_then(|rest| rest.split_once('m')) {
        Some((code, rest)) => {
            let colour = match code {
                "31" => "#ff7b6b",
                "32" => "#5fd38d",
                "33" => "#e9b949",
                _ => "#62c8d8",
            };
            (format!(" font-weight=\"bold\" fill=\"{colour}\""), rest.trim_end_matches("\u{1b}[0m"))
        }
        None => (String::new(), line),
    };
    let length = line.chars().count() as f64 * CHAR_PX;
    format!(
        "<text x=\"{MARGIN_PX}\" y=\"{y}\" textLength=\"{length:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
         xml:space=\"preserve\"{style}>{}</text>\n",
        escape::html_text(line)
    )
}
