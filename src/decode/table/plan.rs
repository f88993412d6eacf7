//! Which columns of a typed table are what, by their names and types; what cannot be told is refused with what to say.

use polars_arrow::datatypes::Field;

use super::cells::{Kind, kind, type_name};
use crate::account::{ContentWarning, Input, cleaned};
use crate::decode::columns::{Columns, GivenColumns, Layout};
use crate::decode::csv_table;
use crate::decode::numbers::{self, Meaning};

/// So many columns are named in a message.
const MOST_NAMED: usize = 30;

/// A column whose value stands in the names of the folders that hold the file: `namespace=shop/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FolderColumn {
    pub(super) name: String,
    pub(super) value: String,
}

/// Names of folder columns that only say when: the rows say so themselves.
const DATES: [&str; 12] = ["date", "day", "dt", "ds", "year", "month", "week", "hour", "minute", "y", "m", "d"];

/// What the columns are: those of the file, and after them those of its folders.
///
/// # Errors
///
/// What was found, and how to say what is what.
pub(super) fn plan(
    fields: &[Field],
    folders: &[FolderColumn],
    given: &GivenColumns,
    unit: Option<f64>,
    input: &mut Input,
) -> Result<Layout, String> {
    let names: Vec<String> = fields
        .iter()
        .map(|field| field.name.to_string())
        .chain(folders.iter().map(|column| column.name.clone()))
        .collect();
    let kinds: Vec<Kind> =
        fields.iter().map(|field| kind(&field.dtype)).chain(folders.iter().map(|_| Kind::Text)).collect();
    let found = || described(fields, folders);
    if let Some((role, name)) = given.missing(&names) {
        return Err(format!(
            "it has no column `{name}`, which `--column {role}={name}` names (expected one of {})",
            found()
        ));
    }
    let refused = |what: &str| {
        format!(
            "{what}: its columns are {} (expected a time, the name of a container and its memory; say which they are \
             with `--column time=NAME --column series=NAME --column value=NAME`)",
            found()
        )
    };
    let mut layout = Layout::of(names, given).ok_or_else(|| refused("no column of time was found in it"))?;
    let called = |column: usize| format!("`{}`", cleaned(&layout.names[column], 40));
    let is_in_file = |column: usize| column < fields.len();
    let is_time = kinds[layout.time] != Kind::Other && is_in_file(layout.time);
    if !is_time {
        return Err(refused(&format!("its column {} cannot be times", called(layout.time))));
    }
    if let Columns::Long { names, memory, limit } = &mut layout.columns {
        if !is_in_file(*memory) || matches!(kinds[*memory], Kind::Other | Kind::Time) {
            return Err(refused(&format!("its column `{}` cannot be memory", cleaned(&layout.names[*memory], 40))));
        }
        if let Some((_, column)) = names.iter().find(|(_, column)| matches!(kinds[*column], Kind::Other | Kind::Time)) {
            return Err(refused(&format!("its column `{}` cannot be names", cleaned(&layout.names[*column], 40))));
        }
        *limit = limit.filter(|limit| is_in_file(*limit) && kinds[*limit] == Kind::Number);
        if let Meaning::Other(what) = numbers::meaning(&layout.names[*memory]) {
            return Err(refused(&format!(
                "its column `{}` is {what}, not memory",
                cleaned(&layout.names[*memory], 40)
            )));
        }
        // Folders tell series apart, unless they only say when.
        let (memory, limit) = (*memory, *limit);
        let others = (fields.len()..layout.names.len()).filter(|column| {
            let is_date = DATES.contains(&layout.names[*column].to_lowercase().as_str());
            let is_known = *column == memory || Some(*column) == limit || names.iter().any(|(_, name)| name == column);
            given.series.is_empty() && !is_date && !is_known
        });
        let others: Vec<(String, usize)> = others.map(|column| (layout.names[column].clone(), column)).collect();
        names.splice(0..0, others);
        layout.units[memory] = layout.units[memory].or(known_unit(&layout.names[memory]));
    } else if let Columns::Wide(names) = &mut layout.columns {
        let texts = (0..fields.len()).find(|column| kinds[*column] == Kind::Text && *column != layout.time);
        if let Some(text) = texts {
            return Err(refused(&format!(
                "it is not clear which of its columns names the container and which is its memory (does `{}` name it?)",
                cleaned(&layout.names[text], 40)
            )));
        }
        for (column, name) in names.iter_mut().enumerate() {
            if !is_in_file(column) || kinds[column] != Kind::Number {
                *name = None;
            }
        }
        if names.iter().all(Option::is_none) {
            return Err(refused("no column of numbers was found in it"));
        }
    }
    let mut columns: Vec<String> = layout.left_out().map(|name| cleaned(name, 40)).collect();
    if !columns.is_empty() {
        let more = columns.len().saturating_sub(MOST_NAMED);
        columns.truncate(MOST_NAMED);
        input.warn_once(ContentWarning::ColumnsLeftOut { columns, more });
    }
    csv_table::settle_units(&mut layout, unit, input);
    Ok(layout)
}

/// What a column counts whose name is that of a metric of bytes.
fn known_unit(name: &str) -> Option<f64> {
    (numbers::meaning(name) == Meaning::Bytes).then_some(1.0)
}

/// The columns with their types, for a message.
fn described(fields: &[Field], folders: &[FolderColumn]) -> String {
    let columns = fields.iter().map(|field| format!("`{}` ({})", cleaned(&field.name, 40), type_name(&field.dtype)));
    let folders = folders.iter().map(|column| format!("`{}` (folder)", cleaned(&column.name, 40)));
    let all: Vec<String> = columns.chain(folders).collect();
    if all.is_empty() { "none".to_owned() } else { named(&all) }
}

fn named(all: &[String]) -> String {
    let more = all.len().saturating_sub(MOST_NAMED);
    let all = all[..all.len().min(MOST_NAMED)].join(", ");
    if more == 0 { all } else { format!("{all} and {more} more") }
}
