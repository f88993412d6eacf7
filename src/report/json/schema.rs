//! The JSON Schemas of what is written as JSON, generated from its types: their doc comments are the descriptions.

use std::borrow::Cow;
use std::path::Path;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, RestrictFormats};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::value::{Fraction, Name, Number, Time};
use crate::named::Named;
use crate::settings::{CompareSettings, Settings, Shape};

/// Compares the schema of a type with the committed one; writes it with `LEAKTREND_UPDATE=1`.
pub(crate) fn check<T: JsonSchema>(file: &str, title: &str) {
    let mut schema = SchemaSettings::draft2020_12()
        .for_serialize()
        .with_transform(RecursiveTransform(tidy))
        .with_transform(RestrictFormats::default())
        .into_generator()
        .into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    // The types are called as in JSON.
    let names: Vec<&String> = schema.get("$defs").unwrap().as_object().unwrap().keys().collect();
    let is_taken =
        |name: &&&String| name.strip_suffix("Json").is_some_and(|bare| names.iter().any(|known| *known == bare));
    assert_eq!(names.iter().find(is_taken), None, "two types would have one name");
    let text = serde_json::to_string_pretty(&schema).unwrap().replace("Json\"", "\"") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(file);
    if std::env::var_os("LEAKTREND_UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == text,
        "schema/{file} is not that of the types: LEAKTREND_UPDATE=1 cargo test --lib the_schema"
    );
}

/// What holds everywhere: a description is one paragraph, an object has no other keys, and a key that may be absent is
/// never null.
fn tidy(schema: &mut Schema) {
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
    let required = schema.get("required").cloned().unwrap_or_default();
    let is_required = |key: &str| required.as_array().is_some_and(|keys| keys.iter().any(|known| known == key));
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    properties.iter_mut().filter(|(key, _)| !is_required(key)).for_each(|(_, property)| never_null(property));
    schema.insert("additionalProperties".to_owned(), false.into());
}

fn never_null(property: &mut Value) {
    let Some(property) = property.as_object_mut() else { return };
    if let Some(Value::Array(kinds)) = property.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        let kind = kinds.remove(0);
        property.insert("type".to_owned(), kind);
    }
    if let Some(Value::Array(mut choices)) = property.remove("anyOf") {
        choices.retain(|choice| *choice != json!({"type": "null"}));
        let Some(Value::Object(choice)) = choices.pop() else { unreachable!("null is one of two") };
        choice.into_iter().for_each(|(key, value)| {
            property.entry(key).or_insert(value);
        });
    }
}

/// The schema of all settings.
pub(crate) fn settings(_: &mut SchemaGenerator) -> Schema {
    of_settings::<Settings>(&Settings::SHAPE)
}

/// The schema of the settings of a comparison.
pub(crate) fn margins(_: &mut SchemaGenerator) -> Schema {
    of_settings::<CompareSettings>(&CompareSettings::SHAPE)
}

/// What is set by default is always there.
fn of_settings<T: Default + Serialize>(shape: &Shape) -> Schema {
    table(shape, &serde_json::to_value(T::default()).unwrap()).try_into().unwrap()
}

fn table(shape: &Shape, defaults: &Value) -> Value {
    let mut properties = Map::new();
    for key in shape.keys {
        let mut property = json!({ "description": key.comment() });
        match defaults.get(key.name) {
            Some(Value::Number(_)) => property["type"] = "number".into(),
            Some(Value::Bool(_)) => property["type"] = "boolean".into(),
            Some(Value::String(_)) => property["type"] = "string".into(),
            Some(Value::Array(_)) => {
                property["type"] = "array".into();
                property["items"] = json!({"type": "string"});
            }
            _ => {}
        }
        properties.insert(key.name.to_owned(), property);
    }
    for (name, shape) in shape.tables {
        properties.insert((*name).to_owned(), table(shape, defaults.get(name).unwrap_or(&Value::Null)));
    }
    let required: Vec<&String> = defaults.as_object().into_iter().flat_map(|table| table.keys()).collect();
    json!({ "type": "object", "description": shape.about.trim(), "required": required, "properties": properties })
}

macro_rules! value {
    ($type:ty, $schema:tt) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

value!(Number, { "type": "number" });
value!(Fraction, { "type": "number", "minimum": 0, "maximum": 1 });
value!(Time, { "type": "string", "format": "date-time" });

impl<T: Named> JsonSchema for Name<T> {
    fn schema_name() -> Cow<'static, str> {
        T::TYPE.0.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = T::VALUES.iter().map(|(name, _)| *name).collect();
        let meanings: Vec<String> =
            T::VALUES.iter().map(|(name, meaning)| format!("`{name}`: {}", meaning.trim())).collect();
        json_schema!({
            "description": format!("{} {}", T::TYPE.1.trim(), meanings.join(" ")),
            "type": "string",
            "enum": names,
        })
    }
}
