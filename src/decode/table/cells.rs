//! The cells of a column as times, numbers and names, whatever its type.

use std::borrow::Cow;
use std::collections::HashMap;

use polars_arrow::array::{
    Array, BinaryViewArray, BinaryViewArrayGeneric, BooleanArray, DictionaryArray, DictionaryKey, PrimitiveArray,
    Utf8Array, Utf8ViewArray, ViewType,
};
use polars_arrow::datatypes::{ArrowDataType, IntegerType, TimeUnit};
use polars_arrow::types::NativeType;

use crate::decode::fields;
use crate::units::time_text;

/// What the cells of a column can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Dates and times.
    Time,
    Number,
    Text,
    /// Truths, bytes, lists and other nested values.
    Other,
}

/// What the cells of a type can be.
pub(super) fn kind(dtype: &ArrowDataType) -> Kind {
    use ArrowDataType as D;
    match dtype {
        D::Timestamp(..) | D::Date32 | D::Date64 => Kind::Time,
        D::Int8
        | D::Int16
        | D::Int32
        | D::Int64
        | D::Int128
        | D::UInt8
        | D::UInt16
        | D::UInt32
        | D::UInt64
        | D::Float32
        | D::Float64
        | D::Decimal(..)
        | D::Decimal32(..)
        | D::Decimal64(..) => Kind::Number,
        D::Utf8 | D::LargeUtf8 | D::Utf8View | D::BinaryView => Kind::Text,
        D::Dictionary(_, values, _) => match kind(values) {
            Kind::Text => Kind::Text,
            _ => Kind::Other,
        },
        _ => Kind::Other,
    }
}

/// A type as people call it.
pub(super) fn type_name(dtype: &ArrowDataType) -> String {
    use ArrowDataType as D;
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    };
    match dtype {
        D::Timestamp(of, None) => format!("timestamp[{}]", unit(of)),
        D::Timestamp(of, Some(zone)) => format!("timestamp[{}, {zone}]", unit(of)),
        D::Date32 | D::Date64 => "date".to_owned(),
        D::Time32(_) | D::Time64(_) => "time of day".to_owned(),
        D::Boolean => "boolean".to_owned(),
        D::Binary | D::LargeBinary | D::FixedSizeBinary(_) => "bytes".to_owned(),
        D::Decimal(..) | D::Decimal32(..) | D::Decimal64(..) | D::Decimal256(..) => "decimal".to_owned(),
        D::List(_) | D::LargeList(_) | D::FixedSizeList(..) => "list".to_owned(),
        D::Struct(_) => "struct".to_owned(),
        D::Map(..) => "map".to_owned(),
        D::Duration(_) => "duration".to_owned(),
        D::Null => "null".to_owned(),
        dtype if kind(dtype) == Kind::Text => "text".to_owned(),
        dtype if kind(dtype) == Kind::Number => format!("{dtype:?}").to_lowercase(),
        _ => "another type".to_owned(),
    }
}

/// Stands for a cell that is no time.
pub(super) const NO_TIME: i64 = i64::MIN;

/// The last millisecond of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;

/// The cells of a column of time.
pub(super) struct Times {
    /// Milliseconds since 1970; `NO_TIME` for what is no time, or no sensible one.
    pub(super) ms: Vec<i64>,
    pub(super) all_good: bool,
    /// The first one that says no zone, as text: it is read as UTC.
    pub(super) no_zone: Option<String>,
}

/// The times of a column.
pub(super) fn times(array: &dyn Array) -> Times {
    use ArrowDataType as D;
    let mut no_zone = None;
    let mut ms = match array.dtype() {
        D::Timestamp(unit, zone) => {
            let (to_ms, per_ms) = match unit {
                TimeUnit::Second => (1000, 1),
                TimeUnit::Millisecond => (1, 1),
                TimeUnit::Microsecond => (1, 1000),
                TimeUnit::Nanosecond => (1, 1_000_000),
            };
            let ms =
                values::<i64, i64>(array, |time| time.checked_mul(to_ms).map_or(NO_TIME, |ms| ms.div_euclid(per_ms)));
            if zone.as_ref().is_none_or(|zone| zone.is_empty()) {
                no_zone = ms.iter().find(|ms| is_sensible(**ms)).copied().and_then(without_zone);
            }
            ms
        }
        D::Date32 => {
            let ms = values::<i32, i64>(array, |days| i64::from(days) * 86_400_000);
            no_zone = ms.iter().find(|ms| is_sensible(**ms)).copied().and_then(without_zone);
            ms
        }
        D::Date64 => values::<i64, i64>(array, |ms| ms),
        D::Int32 => values::<i32, i64>(array, |epoch| of_epoch(i64::from(epoch))),
        D::UInt32 => values::<u32, i64>(array, |epoch| of_epoch(i64::from(epoch))),
        D::Int64 => values::<i64, i64>(array, of_epoch),
        D::UInt64 => values::<u64, i64>(array, |epoch| i64::try_from(epoch).map_or(NO_TIME, of_epoch)),
        D::Float64 => values::<f64, i64>(array, of_real_epoch),
        D::Float32 => values::<f32, i64>(array, |epoch| of_real_epoch(f64::from(epoch))),
        dtype if kind(dtype) == Kind::Text => {
            let mut last: Option<(String, i64)> = None;
            let mut read = |row: usize| {
                let Some(text) = text(array, row) else { return NO_TIME };
                if let Some((_, ms)) = last.as_ref().filter(|(before, _)| *before == text) {
                    return *ms;
                }
                let timestamp = fields::time(&text, None);
                if timestamp.is_some_and(|timestamp| !timestamp.has_zone && timestamp.time_ms.is_some())
                    && no_zone.is_none()
                {
                    no_zone = Some(crate::account::cleaned(&text, 40));
                }
                let ms = timestamp.and_then(|timestamp| timestamp.time_ms).unwrap_or(NO_TIME);
                last = Some((text.into_owned(), ms));
                ms
            };
            (0..array.len()).map(&mut read).collect()
        }
        _ => vec![NO_TIME; array.len()],
    };
    if let Some(validity) = array.validity() {
        ms.iter_mut().zip(validity.iter()).filter(|(_, is_valid)| !is_valid).for_each(|(ms, _)| *ms = NO_TIME);
    }
    let mut all_good = true;
    for time in ms.iter_mut().filter(|ms| !is_sensible(**ms)) {
        *time = NO_TIME;
        all_good = false;
    }
    Times { ms, all_good, no_zone }
}

/// The times of a column of milliseconds, whatever they are; `None` for another column.
pub(super) fn raw_ms(array: &dyn Array) -> Option<Vec<i64>> {
    let is_ms = matches!(array.dtype(), ArrowDataType::Timestamp(TimeUnit::Millisecond, _));
    is_ms.then(|| values::<i64, i64>(array, |ms| ms))
}

/// The values of a column of 64-bit whole numbers; `None` for another column.
pub(super) fn whole(array: &dyn Array) -> Option<Vec<i64>> {
    (*array.dtype() == ArrowDataType::Int64).then(|| values::<i64, i64>(array, |number| number))
}

fn is_sensible(ms: i64) -> bool {
    (0..=LAST_MS).contains(&ms)
}

fn without_zone(ms: i64) -> Option<String> {
    time_text(ms).map(|text| text.trim_end_matches('Z').to_owned())
}

/// A number of seconds, milliseconds, microseconds or nanoseconds since 1970, by how many digits it has, as in text.
fn of_epoch(epoch: i64) -> i64 {
    match epoch.checked_ilog10() {
        Some(9) => epoch * 1000,
        Some(12) => epoch,
        Some(15) => epoch / 1000,
        Some(18) => epoch / 1_000_000,
        _ => NO_TIME,
    }
}

fn of_real_epoch(epoch: f64) -> i64 {
    if (1e9..1e10).contains(&epoch) {
        (epoch * 1000.0).round() as i64
    } else if (1e12..1e19).contains(&epoch) {
        of_epoch(epoch as i64)
    } else {
        NO_TIME
    }
}

/// How the numbers of a column were written: how many decimals they have is known by that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Whole,
    Single,
    Double,
    /// With so many decimals.
    Decimals(u8),
}

impl Written {
    /// How many decimals a number has, at most nine: those of the shortest number that reads as it.
    pub(super) fn decimals(self, number: f64) -> u8 {
        let is_exact = |scaled: f64, power: f64| match self {
            Written::Single => (scaled.round() / power) as f32 == number as f32,
            _ => scaled.round() / power == number,
        };
        match self {
            Written::Whole => 0,
            Written::Decimals(decimals) => decimals,
            Written::Single | Written::Double => {
                let digits = (0..9u8).find(|digits| {
                    let power = 10f64.powi(i32::from(*digits));
                    is_exact(number * power, power)
                });
                digits.unwrap_or(9)
            }
        }
    }
}

/// The numbers of a column; of a null anything. `None` for a column of something else.
pub(super) fn numbers(array: &dyn Array) -> Option<(Vec<f64>, Written)> {
    use ArrowDataType as D;
    let whole = |numbers: Vec<f64>| (numbers, Written::Whole);
    let scaled = |numbers: Vec<f64>, scale: usize| {
        let power = 10f64.powi(scale as i32);
        (numbers.into_iter().map(|number| number / power).collect(), Written::Decimals(scale.min(9) as u8))
    };
    Some(match array.dtype() {
        D::Int8 => whole(values::<i8, f64>(array, f64::from)),
        D::Int16 => whole(values::<i16, f64>(array, f64::from)),
        D::Int32 => whole(values::<i32, f64>(array, f64::from)),
        D::Int64 => whole(values::<i64, f64>(array, |number| number as f64)),
        D::Int128 => whole(values::<i128, f64>(array, |number| number as f64)),
        D::UInt8 => whole(values::<u8, f64>(array, f64::from)),
        D::UInt16 => whole(values::<u16, f64>(array, f64::from)),
        D::UInt32 => whole(values::<u32, f64>(array, f64::from)),
        D::UInt64 => whole(values::<u64, f64>(array, |number| number as f64)),
        D::Float32 => (values::<f32, f64>(array, f64::from), Written::Single),
        D::Float64 => (values::<f64, f64>(array, |number| number), Written::Double),
        D::Decimal(_, scale) => scaled(values::<i128, f64>(array, |number| number as f64), *scale),
        D::Decimal32(_, scale) => scaled(values::<i32, f64>(array, f64::from), *scale),
        D::Decimal64(_, scale) => scaled(values::<i64, f64>(array, |number| number as f64), *scale),
        _ => return None,
    })
}

/// The values of a column of this type; empty for one of another.
fn values<T: NativeType, V>(array: &dyn Array, of: impl Fn(T) -> V) -> Vec<V> {
    let array = array.as_any().downcast_ref::<PrimitiveArray<T>>();
    array.map(|array| array.values().iter().map(|value| of(*value)).collect()).unwrap_or_default()
}

/// Stands for a cell without a name.
pub(super) const NO_NAME: u32 = u32::MAX;

/// The names that were met, each with a number.
#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<String, u32>,
    pub(super) texts: Vec<String>,
}

impl Names {
    /// The number of a name; `NO_NAME` for an empty one.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if name.trim().is_empty() {
            return NO_NAME;
        }
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// The number of the name in each cell: of texts, and of whole numbers as texts. A name like the one before is not
    /// looked up.
    pub(super) fn of(&mut self, array: &dyn Array) -> Vec<u32> {
        use ArrowDataType as D;
        let any = array.as_any();
        let mut of = if let Some(array) = any.downcast_ref::<Utf8ViewArray>() {
            self.of_views(array, |text| Cow::Borrowed(text))
        } else if let Some(array) = any.downcast_ref::<BinaryViewArray>() {
            self.of_views(array, String::from_utf8_lossy)
        } else if let Some(array) = any.downcast_ref::<Utf8Array<i32>>() {
            self.of_each(array.values_iter(), |text| Cow::Borrowed(*text))
        } else if let Some(array) = any.downcast_ref::<Utf8Array<i64>>() {
            self.of_each(array.values_iter(), |text| Cow::Borrowed(*text))
        } else if let D::Dictionary(key, ..) = array.dtype() {
            match key {
                IntegerType::Int8 => self.of_keys::<i8>(array),
                IntegerType::Int16 => self.of_keys::<i16>(array),
                IntegerType::Int32 => self.of_keys::<i32>(array),
                IntegerType::Int64 => self.of_keys::<i64>(array),
                IntegerType::UInt8 => self.of_keys::<u8>(array),
                IntegerType::UInt16 => self.of_keys::<u16>(array),
                IntegerType::UInt32 => self.of_keys::<u32>(array),
                IntegerType::UInt64 => self.of_keys::<u64>(array),
                IntegerType::Int128 | IntegerType::UInt128 => vec![NO_NAME; array.len()],
            }
        } else {
            let is_whole = matches!(numbers(array), Some((_, Written::Whole)));
            let name = |row: &usize| if is_whole { Cow::Owned(cell(array, *row)) } else { Cow::Borrowed("") };
            (0..array.len()).map(|row| self.number(&name(&row))).collect()
        };
        if let Some(validity) = array.validity() {
            of.iter_mut().zip(validity.iter()).filter(|(_, is_valid)| !is_valid).for_each(|(of, _)| *of = NO_NAME);
        }
        of
    }

    /// Equal views of one array are of equal texts.
    fn of_views<T: ViewType + ?Sized>(
        &mut self,
        array: &BinaryViewArrayGeneric<T>,
        text: impl Fn(&T) -> Cow<'_, str>,
    ) -> Vec<u32> {
        let mut known: HashMap<(u32, u32, u32, u32), u32> = HashMap::new();
        let mut last = None;
        let number = |(row, view): (usize, &polars_arrow::array::View)| {
            let view = (view.length, view.prefix, view.buffer_idx, view.offset);
            if let Some((_, number)) = last.filter(|(before, _)| *before == view) {
                return number;
            }
            // At a null may stand the view of another row.
            if array.validity().is_some_and(|validity| !validity.get_bit(row)) {
                return NO_NAME;
            }
            let number = *known.entry(view).or_insert_with(|| self.number(&text(array.value(row))));
            last = Some((view, number));
            number
        };
        array.views().iter().enumerate().map(number).collect()
    }

    fn of_each<T: PartialEq>(
        &mut self,
        cells: impl Iterator<Item = T>,
        text: impl for<'a> Fn(&'a T) -> Cow<'a, str>,
    ) -> Vec<u32> {
        let mut last: Option<(T, u32)> = None;
        let number = |cell: T| {
            let number = match &last {
                Some((before, number)) if *before == cell => *number,
                _ => self.number(&text(&cell)),
            };
            last = Some((cell, number));
            number
        };
        cells.map(number).collect()
    }

    fn of_keys<K: DictionaryKey>(&mut self, array: &dyn Array) -> Vec<u32> {
        let array = array.as_any().downcast_ref::<DictionaryArray<K>>();
        let Some(array) = array else { return Vec::new() };
        let numbers = self.of(array.values().as_ref());
        let number = |key: Option<usize>| key.and_then(|key| numbers.get(key)).copied().unwrap_or(NO_NAME);
        array.keys_iter().map(number).collect()
    }
}

/// The text of a cell; `None` for a null, and in a column of something else.
pub(super) fn text(array: &dyn Array, row: usize) -> Option<Cow<'_, str>> {
    if array.is_null(row) {
        return None;
    }
    let any = array.as_any();
    if let Some(array) = any.downcast_ref::<Utf8ViewArray>() {
        return Some(Cow::Borrowed(array.value(row)));
    }
    if let Some(array) = any.downcast_ref::<BinaryViewArray>() {
        return Some(String::from_utf8_lossy(array.value(row)));
    }
    if let Some(array) = any.downcast_ref::<Utf8Array<i32>>() {
        return Some(Cow::Borrowed(array.value(row)));
    }
    if let Some(array) = any.downcast_ref::<Utf8Array<i64>>() {
        return Some(Cow::Borrowed(array.value(row)));
    }
    let ArrowDataType::Dictionary(key, ..) = array.dtype() else { return None };
    match key {
        IntegerType::Int8 => text_of_key::<i8>(array, row),
        IntegerType::Int16 => text_of_key::<i16>(array, row),
        IntegerType::Int32 => text_of_key::<i32>(array, row),
        IntegerType::Int64 => text_of_key::<i64>(array, row),
        IntegerType::UInt8 => text_of_key::<u8>(array, row),
        IntegerType::UInt16 => text_of_key::<u16>(array, row),
        IntegerType::UInt32 => text_of_key::<u32>(array, row),
        IntegerType::UInt64 => text_of_key::<u64>(array, row),
        IntegerType::Int128 | IntegerType::UInt128 => None,
    }
}

fn text_of_key<K: DictionaryKey>(array: &dyn Array, row: usize) -> Option<Cow<'_, str>> {
    let array = array.as_any().downcast_ref::<DictionaryArray<K>>()?;
    text(array.values().as_ref(), array.key_value(row))
}

/// A cell as it is shown in the account of a row.
pub(super) fn cell(array: &dyn Array, row: usize) -> String {
    fn shown<T: NativeType + std::fmt::Display>(array: &dyn Array, row: usize) -> Option<String> {
        Some(array.as_any().downcast_ref::<PrimitiveArray<T>>()?.value(row).to_string())
    }

    if array.is_null(row) {
        return "null".to_owned();
    }
    if let ArrowDataType::Timestamp(..) | ArrowDataType::Date32 = array.dtype() {
        let one = array.sliced(row, 1);
        if let Some(text) = times(one.as_ref()).ms.first().copied().and_then(time_text) {
            return text;
        }
    }
    if let ArrowDataType::Decimal(..) | ArrowDataType::Decimal32(..) | ArrowDataType::Decimal64(..) = array.dtype() {
        return numbers(array.sliced(row, 1).as_ref()).map_or_else(String::new, |(number, _)| number[0].to_string());
    }
    let truth = || array.as_any().downcast_ref::<BooleanArray>().map(|array| array.value(row).to_string());
    text(array, row)
        .map(Cow::into_owned)
        .or_else(|| shown::<i64>(array, row))
        .or_else(|| shown::<f64>(array, row))
        .or_else(|| shown::<f32>(array, row))
        .or_else(|| shown::<i32>(array, row))
        .or_else(|| shown::<u64>(array, row))
        .or_else(|| shown::<u32>(array, row))
        .or_else(|| shown::<i16>(array, row))
        .or_else(|| shown::<u16>(array, row))
        .or_else(|| shown::<i8>(array, row))
        .or_else(|| shown::<u8>(array, row))
        .or_else(truth)
        .unwrap_or_default()
}
