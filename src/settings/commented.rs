//! The settings as a file with comments, for `leaktrend config`.

use super::{Settings, Shape};

/// The settings as a file, with a comment on every key.
pub fn with_comments(settings: &Settings) -> String {
    let table = toml::Table::try_from(settings).expect("settings can be written as a table");
    let mut text = String::from(
        "# Settings of leaktrend: save as leaktrend.toml. Times can be written as \"15m\", bytes as \"100MB\".\n",
    );
    write_table(&mut text, "", &Settings::SHAPE, Some(&table));
    text.push_str(
        "\n# Settings for some series: thresholds of [verdict], [policy] and [criteria], a limit, or ignore.\n\
         # [[series]]\n# match = \"^batch-\"\n# limit_bytes = \"512MiB\"\n# ignore = false\n\
         # criteria.growth-100mb-5m.gates = false\n",
    );
    text
}

/// Writes a table and those in it. `path`: its full name; `values`: its values, as far as it has any.
fn write_table(text: &mut String, path: &str, shape: &Shape, values: Option<&toml::Table>) {
    if !shape.keys.is_empty() {
        text.push_str(&format!("\n# {}\n[{path}]\n", shape.about.trim_ascii()));
    }
    for key in shape.keys {
        let (value, off) = match values.and_then(|values| values.get(key.name)) {
            Some(value) => (plain(value), ""),
            None => (key.example.to_owned(), "# "),
        };
        text.push_str(&format!("# {}\n{off}{} = {value}\n", key.comment(), key.name));
    }
    for (name, inner) in shape.tables {
        let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
        write_table(text, &path, inner, values.and_then(|values| values.get(*name)?.as_table()));
    }
}

/// A value as it is written: whole seconds and bytes without a fraction.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{}", *number as i64),
        value => value.to_string(),
    }
}
