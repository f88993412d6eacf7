//! The settings as a file with comments, for `leaktrend config`.

use super::criteria::{
    BaselineSettings, ConfirmedSettings, FlatAfterLoadSettings, GrowthSettings, HeapTotalSettings, HeapUsedSettings,
    HighMemorySettings, RapidSettings, RestartLoopSettings, RssSettings, RulesSettings, StaleSettings, SteadySettings,
    TrendSettings,
};
use super::{
    CompareSettings, CriteriaSettings, EvaluationSettings, NightlySettings, PolicySettings, RequestSettings, Settings,
    VerdictSettings, WindowSettings,
};

/// The tables of a settings file in their order, each with its keys and what these mean.
pub(super) const TABLES: &[(&str, &[(&str, &str)])] = &[
    ("window", WindowSettings::KEYS),
    ("verdict", VerdictSettings::KEYS),
    ("policy", PolicySettings::KEYS),
    ("evaluation", EvaluationSettings::KEYS),
    ("criteria", CriteriaSettings::KEYS),
    ("criteria.growth-100mb-5m", GrowthSettings::KEYS),
    ("criteria.high-memory", HighMemorySettings::KEYS),
    ("criteria.confirmed-100mb-60s", ConfirmedSettings::KEYS),
    ("criteria.rapid-50mb-per-min", RapidSettings::KEYS),
    ("criteria.flat-after-load", FlatAfterLoadSettings::KEYS),
    ("criteria.trend-24h", TrendSettings::KEYS),
    ("criteria.restart-loop", RestartLoopSettings::KEYS),
    ("criteria.baseline-300mb", BaselineSettings::KEYS),
    ("criteria.steady-500mb", SteadySettings::KEYS),
    ("criteria.stale-data", StaleSettings::KEYS),
    ("criteria.rss-500mb", RssSettings::KEYS),
    ("criteria.heap-total-300mb", HeapTotalSettings::KEYS),
    ("criteria.heap-used-200mb", HeapUsedSettings::KEYS),
    ("criteria.rules", RulesSettings::KEYS),
    ("compare", CompareSettings::KEYS),
    ("nightly", NightlySettings::KEYS),
    ("requests", RequestSettings::KEYS),
];

/// The settings as a file, with a comment on every key.
pub fn with_comments(settings: &Settings) -> String {
    let table = toml::Table::try_from(settings).expect("settings can be written as a table");
    let mut text = String::from(
        "# Settings of leaktrend: save as leaktrend.toml. Times can be written as \"15m\", bytes as \"100MB\".\n",
    );
    for (section, keys) in TABLES {
        text.push_str(&format!("\n[{section}]\n"));
        let values = section.split('.').try_fold(&table, |table, key| table.get(key)?.as_table());
        for (key, comment) in *keys {
            let comment = comment.trim();
            match values.and_then(|values| values.get(*key)) {
                Some(value) => text.push_str(&format!("# {comment}\n{key} = {}\n", plain(value))),
                None => text.push_str(&format!("# {comment}\n# {key} = {}\n", example(key))),
            }
        }
    }
    text.push_str(
        "\n# Settings for some series: thresholds of [verdict], [policy] and [criteria], a limit, or ignore.\n\
         # [[series]]\n# match = \"^batch-\"\n# limit_bytes = \"512MiB\"\n# ignore = false\n\
         # criteria.growth-100mb-5m.gates = false\n",
    );
    text
}

/// A value for a key that is absent by default.
fn example(key: &str) -> &'static str {
    match key {
        "phase_seconds" => "1.76",
        "routes" => "[\"/files/:name/versions/*\"]",
        "host_memory_bytes" => "\"16GiB\"",
        _ => "\"36MiB\"",
    }
}

/// A value as it is written: whole seconds and bytes without a fraction.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{}", *number as i64),
        value => value.to_string(),
    }
}
