//! Which columns of a typed table are what, by their names and types; what cannot be told is refused with what to say.

use polars_arrow::datatypes::Field;

use super::cells::{Kind, kind, type_name};
use crate::account::{ColumnFault, ColumnList, ContentWarning, Input, Unusable, cleaned};
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
) -> Result<Layout, Unusable> {
    let names: Vec<String> = fields
        .iter()
        .map(|field| field.name.to_string())
        .chain(folders.iter().map(|column| column.name.clone()))
        .collect();
    let kinds: Vec<Kind> =
        fields.iter().map(|field| kind(&field.dtype)).chain(folders.iter().map(|_| Kind::Text)).collect();
    let found = || described(fields, folders);
    if let Some((role, name)) = given.missing(&names) {
        return Err(Unusable::NoColumn { role: role.to_owned(), column: name.to_owned(), columns: found() });
    }
    let refused = |why: ColumnFault| Unusable::Columns { why, columns: found() };
    let mut layout = Layout::of(names, given).ok_or_else(|| refused(ColumnFault::NoTime))?;
    let called = |column: usize| cleaned(&layout.names[column], 40);
    let is_in_file = |column: usize| column < fields.len();
    let is_time = kinds[layout.time] != Kind::Other && is_in_file(layout.time);
    if !is_time {
        return Err(refused(ColumnFault::NotTimes(called(layout.time))));
    }
    if let Columns::Long { names, memory, limit } = &mut layout.columns {
        if !is_in_file(*memory) || matches!(kinds[*memory], Kind::Other | Kind::Time) {
            return Err(refused(ColumnFault::NotMemory(cleaned(&layout.names[*memory], 40))));
        }
        if let Some((_, column)) = names.iter().find(|(_, column)| matches!(kinds[*column], Kind::Other | Kind::Time)) {
            return Err(refused(ColumnFault::NotNames(cleaned(&layout.names[*column], 40))));
        }
        *limit = limit.filter(|limit| is_in_file(*limit) && kinds[*limit] == Kind::Number);
        if let Meaning::Other(is) = numbers::meaning(&layout.names[*memory]) {
            let column = cleaned(&layout.names[*memory], 40);
            return Err(refused(ColumnFault::OtherMetric { column, is }));
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
            return Err(refused(ColumnFault::Unclear(cleaned(&layout.names[text], 40))));
        }
        for (column, name) in names.iter_mut().enumerate() {
            if !is_in_file(column) || kinds[column] != Kind::Number {
                *name = None;
            }
        }
        if names.iter().all(Option::is_none) {
            return Err(refused(ColumnFault::NoNumbers));
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
fn described(fields: &[Field], folders: &[FolderColumn]) -> ColumnList {
    let of_file = fields.iter().map(|field| (cleaned(&field.name, 40), Some(type_name(&field.dtype))));
    let of_folders = folders.iter().map(|column| (cleaned(&column.name, 40), Some("folder".to_owned())));
    let columns: Vec<(String, Option<String>)> = of_file.chain(of_folders).take(MOST_NAMED).collect();
    ColumnList { more: fields.len() + folders.len() - columns.len(), columns }
}
