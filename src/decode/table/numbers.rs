//! Tables of numbers over time that are no memory: a column of times, and columns of numbers.

use super::cells::{self, Kind, NO_TIME};
use super::source::Table;
use crate::account::{ColumnList, CovariateFault, Format, Unusable};
use crate::open::{Opened, Source};
use crate::progress::Meter;

/// A table of numbers over time that was opened.
pub(crate) struct NumberTable {
    table: Table,
    time: usize,
    /// The columns of numbers, as indices.
    numbers: Vec<usize>,
    /// Their names.
    pub(crate) names: Vec<String>,
    /// Columns that hold neither times nor numbers, with their types.
    pub(crate) others: Vec<(String, String)>,
}

/// Some rows of a table of numbers.
pub(crate) struct NumberRows {
    /// Milliseconds since 1970; `None` for what is no time.
    pub(crate) times: Vec<Option<i64>>,
    /// The numbers of each column; `None` for a null, and for what is not finite.
    pub(crate) columns: Vec<Vec<Option<f64>>>,
    /// The first time without a zone: it is read as UTC.
    pub(crate) no_zone: Option<String>,
}

impl NumberTable {
    /// Opens a table; its times are the first column of dates and times, else the first one of a name for which
    /// `is_time` holds.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or has no column of times or none of numbers: the columns that were found.
    pub(crate) fn open(
        source: &Source,
        opened: Opened,
        format: Format,
        is_time: impl Fn(&str) -> bool,
    ) -> Result<NumberTable, Unusable> {
        let bytes = super::bytes(source, opened, format);
        let table = bytes.and_then(|bytes| Table::open(bytes, format, &Meter::default()));
        let table = table.map_err(Unusable::Unreadable)?;
        let of_kind = |wanted: Kind| {
            let fields = table.fields.iter().enumerate();
            fields.filter(move |(_, field)| cells::kind(field.dtype()) == wanted).map(|(index, _)| index)
        };
        let named = || table.fields.iter().position(|field| is_time(&field.name));
        let time = of_kind(Kind::Time).next().or_else(named);
        let numbers: Vec<usize> = of_kind(Kind::Number).filter(|index| Some(*index) != time).collect();
        let name = |index: &usize| table.fields[*index].name.to_string();
        let with_type = |index: &usize| (name(index), cells::type_name(table.fields[*index].dtype()));
        let Some(time) = time.filter(|_| !numbers.is_empty()) else {
            let found = (0..table.fields.len()).map(|index| with_type(&index));
            let columns = found.map(|(name, kind)| (name, Some(kind))).collect();
            return Err(CovariateFault::Columns(ColumnList { columns, more: 0 }).into());
        };
        let others = (0..table.fields.len()).filter(|index| *index != time && !numbers.contains(index));
        let others = others.map(|index| with_type(&index)).collect();
        Ok(NumberTable { names: numbers.iter().map(name).collect(), others, table, time, numbers })
    }

    /// Gives all rows, part by part.
    ///
    /// # Errors
    ///
    /// When the file is damaged; parts before that were given.
    pub(crate) fn read(self, each: &mut dyn FnMut(NumberRows)) -> Result<(), String> {
        let wanted: Vec<usize> = [self.time].into_iter().chain(self.numbers).collect();
        self.table.read(&wanted, &mut |batch| {
            let times = cells::times(&*batch.columns[0]);
            let columns = batch.columns[1..].iter().map(|array| {
                let numbers = cells::numbers(&**array).map(|(numbers, _)| numbers).unwrap_or_default();
                let is_given = |row: usize| array.validity().is_none_or(|validity| validity.get_bit(row));
                let given = |(row, number): (usize, f64)| Some(number).filter(|n| n.is_finite() && is_given(row));
                numbers.into_iter().enumerate().map(given).collect()
            });
            each(NumberRows {
                columns: columns.collect(),
                times: times.ms.into_iter().map(|ms| Some(ms).filter(|ms| *ms != NO_TIME)).collect(),
                no_zone: times.no_zone,
            });
        })
    }
}
