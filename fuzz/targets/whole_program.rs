//! The whole program: from readings, events, rules and settings to every form of the report.
//!
//! A line `%%` divides the bytes into these four, in this order; those that are absent are not given.
#![no_main]

use std::collections::HashMap;
use std::path::PathBuf;

use leaktrend::analysis::{self, Job};
use leaktrend::open::{Given, Source};
use leaktrend::progress::Meter;
use leaktrend::report::folder::Charts;
use leaktrend::report::{github, html, json, junit, markdown, summary};
use leaktrend::selection::Selection;
use leaktrend::window::WindowSpec;
use leaktrend::{rules, settings};
use leaktrend_fuzz::{check_account, files, on_this_thread, options};
use libfuzzer_sys::fuzz_target;

/// Stands between two files.
const DIVIDER: &[u8] = b"\n%%\n";

fuzz_target!(init: on_this_thread(), |data: &[u8]| {
    let parts = divided(data);
    let paths = files(&parts);
    let Some(job) = job(&paths, parts.get(3).copied()) else { return };
    let Some(first) = report(&job, &parts) else { return };
    assert_eq!(Some(first), report(&job, &parts), "the same bytes give another report");
});

fn divided(mut data: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while parts.len() < 3
        && let Some(at) = data.windows(DIVIDER.len()).position(|window| window == DIVIDER)
    {
        parts.push(&data[..at + 1]);
        data = &data[at + DIVIDER.len()..];
    }
    parts.push(data);
    parts
}

/// What the program would do with these files; `None` where it would refuse them.
fn job(paths: &[PathBuf], settings_text: Option<&[u8]>) -> Option<Job> {
    let settings_text = std::str::from_utf8(settings_text.unwrap_or_default()).ok()?;
    let (settings, series_rules) = settings::read(settings_text).ok()?;
    Some(Job {
        sources: vec![Source::File(paths[0].clone())],
        meter: Meter::default(),
        ingest: options(None),
        events: paths.get(1).into_iter().map(|path| Given { series: None, path: path.clone() }).collect(),
        counts: leaktrend::counts::CountSources::default(),
        settings,
        rules: series_rules,
        alert_rules: rules::read(paths.get(2..3).unwrap_or_default()).ok()?,
        selection: Selection::default(),
        limits: Vec::new(),
        window: WindowSpec::default(),
        freshness: HashMap::new(),
        by: analysis::By::Auto,
    })
}

/// Every form of the report, one after the other.
fn report(job: &Job, parts: &[&[u8]]) -> Option<String> {
    let report = analysis::run(job, &mut |_| Ok(())).ok()?;
    for (input, data) in report.inputs.iter().zip(parts) {
        check_account(input, data);
    }
    let verdict = json::render(&report, &[]);
    serde_json::from_str::<serde_json::Value>(&verdict).expect("the verdict is JSON");
    Some(
        [
            verdict,
            markdown::render(&report, &markdown::Images::none(&report), None),
            html::render(&report, Charts::All),
            junit::render(&report),
            github::annotations(&report),
            summary::render(&report, summary::Screen { colour: true, width: Some(80), wraps: true }),
        ]
        .concat(),
    )
}
