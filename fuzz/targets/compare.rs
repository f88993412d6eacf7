//! JSON verdicts that are compared. A run is never worse than itself.
#![no_main]

use leaktrend::compare::{self, verdict_file};
use leaktrend::policy::Outcome;
use leaktrend::settings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let paths = leaktrend_fuzz::files(&[data]);
    let Ok(run) = verdict_file::read(&paths[0]) else { return };
    let (settings, _) = settings::read("").expect("no settings are settings");
    let Ok(comparison) = compare::compare(&run, &run, &[], &settings.compare, &settings.policy) else { return };
    assert_ne!(comparison.outcome, Outcome::Fail, "{comparison:?}");
    let text = compare::json::render(&comparison);
    serde_json::from_str::<serde_json::Value>(&text).expect("the comparison is JSON");
    let _ = (compare::text::markdown(&comparison), compare::text::plain(&comparison));
    let _ = compare::text::annotations(&comparison);
});
