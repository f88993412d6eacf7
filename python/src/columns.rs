//! Columns of anybody's table as the values they stand for: names, times, numbers; and columns of our own.

use polars_arrow::array::{
    Array, BooleanArray, DictionaryArray, DictionaryKey, Float16Array, PrimitiveArray, Utf8Array, Utf8ViewArray,
};
use polars_arrow::datatypes::{ArrowDataType, Field, IntegerType, TimeUnit};
use polars_arrow::types::NativeType;

/// So many rows are decoded at a time.
pub(crate) const ROWS: usize = 1 << 16;
/// No time is farther from 1970, in milliseconds: the years from before the pharaohs to 5138.
pub(crate) const FARTHEST_MS: i64 = 100_000_000_000_000;
/// Whole numbers between these are the seconds of 2001 to 2286 rather than the milliseconds of some weeks in 1970.
const SECONDS: std::ops::Range<i64> = 1_000_000_000..10_000_000_000;

/// The name of a type, for messages.
pub(crate) fn type_name(dtype: &ArrowDataType) -> String {
    match dtype {
        ArrowDataType::Null => "null".to_owned(),
        ArrowDataType::Utf8 | ArrowDataType::LargeUtf8 | ArrowDataType::Utf8View => "text".to_owned(),
        ArrowDataType::Dictionary(_, values, _) => format!("dictionary of {}", type_name(values)),
        ArrowDataType::Timestamp(..) => "timestamp".to_owned(),
        ArrowDataType::Decimal(..) | ArrowDataType::Decimal256(..) => "decimal".to_owned(),
        ArrowDataType::Struct(_) => "struct".to_owned(),
        ArrowDataType::List(_) | ArrowDataType::LargeList(_) | ArrowDataType::FixedSizeList(..) => "list".to_owned(),
        ArrowDataType::Binary | ArrowDataType::LargeBinary | ArrowDataType::BinaryView => "binary".to_owned(),
        ArrowDataType::Time32(_) | ArrowDataType::Time64(_) => "time of day".to_owned(),
        ArrowDataType::Duration(_) => "duration".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// The text of each row; `None` where the column is no text.
pub(crate) fn texts(array: &dyn Array) -> Option<Vec<Option<&str>>> {
    let any = array.as_any();
    match array.dtype().to_storage() {
        ArrowDataType::Null => Some(vec![None; array.len()]),
        ArrowDataType::Utf8 => Some(any.downcast_ref::<Utf8Array<i32>>()?.iter().collect()),
        ArrowDataType::LargeUtf8 => Some(any.downcast_ref::<Utf8Array<i64>>()?.iter().collect()),
        ArrowDataType::Utf8View => Some(any.downcast_ref::<Utf8ViewArray>()?.iter().collect()),
        ArrowDataType::Dictionary(keys, ..) => match keys {
            IntegerType::Int8 => dictionary::<i8>(array),
            IntegerType::Int16 => dictionary::<i16>(array),
            IntegerType::Int32 => dictionary::<i32>(array),
            IntegerType::Int64 => dictionary::<i64>(array),
            IntegerType::UInt8 => dictionary::<u8>(array),
            IntegerType::UInt16 => dictionary::<u16>(array),
            IntegerType::UInt32 => dictionary::<u32>(array),
            IntegerType::UInt64 => dictionary::<u64>(array),
            IntegerType::Int128 | IntegerType::UInt128 => None,
        },
        _ => None,
    }
}

fn dictionary<K: DictionaryKey>(array: &dyn Array) -> Option<Vec<Option<&str>>> {
    let array = array.as_any().downcast_ref::<DictionaryArray<K>>()?;
    let values = texts(array.values().as_ref())?;
    let at = |key: Option<&K>| values.get(key.and_then(|key| (*key).try_into().ok())?).copied().flatten();
    Some(array.keys().iter().map(at).collect())
}

/// The whole number of each row; `None` where the column holds none.
pub(crate) fn integers(array: &dyn Array) -> Option<Vec<Option<i64>>> {
    match array.dtype().to_storage() {
        ArrowDataType::Null => Some(vec![None; array.len()]),
        ArrowDataType::Int8 => mapped::<i8, _>(array, |value| Some(value.into())),
        ArrowDataType::Int16 => mapped::<i16, _>(array, |value| Some(value.into())),
        ArrowDataType::Int32 => mapped::<i32, _>(array, |value| Some(value.into())),
        ArrowDataType::Int64 => mapped::<i64, _>(array, Some),
        ArrowDataType::UInt8 => mapped::<u8, _>(array, |value| Some(value.into())),
        ArrowDataType::UInt16 => mapped::<u16, _>(array, |value| Some(value.into())),
        ArrowDataType::UInt32 => mapped::<u32, _>(array, |value| Some(value.into())),
        ArrowDataType::UInt64 => mapped::<u64, _>(array, |value| Some(i64::try_from(value).unwrap_or(i64::MAX))),
        _ => None,
    }
}

/// Milliseconds since 1970 in each row; without a zone they are taken for UTC.
///
/// # Errors
///
/// When the column is of another type: what was found, what was expected.
pub(crate) fn times(array: &dyn Array, name: &str) -> Result<Vec<Option<i64>>, String> {
    const TIMES: &str = "timestamps, dates, or whole milliseconds since 1970";

    let scaled = |times: Option<Vec<Option<i64>>>| times.ok_or_else(|| wrong(array, name, TIMES));
    match array.dtype().to_storage() {
        ArrowDataType::Timestamp(unit, _) => scaled(mapped::<i64, _>(array, |time| {
            Some(match unit {
                TimeUnit::Second => time.saturating_mul(1000),
                TimeUnit::Millisecond => time,
                TimeUnit::Microsecond => time.div_euclid(1_000),
                TimeUnit::Nanosecond => time.div_euclid(1_000_000),
            })
        })),
        ArrowDataType::Date32 => scaled(mapped::<i32, _>(array, |days| Some(86_400_000 * i64::from(days)))),
        ArrowDataType::Date64 => scaled(mapped::<i64, _>(array, Some)),
        _ => scaled(integers(array)),
    }
}

/// Checks whole numbers that stand for times: the first and the last of all.
///
/// # Errors
///
/// When they are no milliseconds: seconds, microseconds or nanoseconds since 1970 would be judged at a wrong pace.
pub(crate) fn check_whole(times: impl Iterator<Item = i64>, name: &str) -> Result<(), String> {
    let range = times.fold(None, |range: Option<(i64, i64)>, time| {
        Some(range.map_or((time, time), |(first, last)| (first.min(time), last.max(time))))
    });
    let Some((first, last)) = range else { return Ok(()) };
    let expected = "expected milliseconds since 1970, or timestamps";
    if SECONDS.contains(&first) && SECONDS.contains(&last) {
        return Err(format!("column `{name}` holds {first} to {last}: these are seconds since 1970 ({expected})"));
    }
    if FARTHEST_MS < last.saturating_abs().max(first.saturating_abs()) {
        return Err(format!("column `{name}` holds {first} to {last}: these are not milliseconds ({expected})"));
    }
    Ok(())
}

/// The number in each row; NaN is none.
///
/// # Errors
///
/// When the column is of another type: what was found, what was expected.
pub(crate) fn numbers(array: &dyn Array, name: &str) -> Result<Vec<Option<f64>>, String> {
    let some = |value: f64| (!value.is_nan()).then_some(value);
    let decimal = |scale: usize| 10f64.powi(scale as i32);
    let numbers = match array.dtype().to_storage() {
        ArrowDataType::Float64 => mapped::<f64, _>(array, some),
        ArrowDataType::Float32 => mapped::<f32, _>(array, |value| some(value.into())),
        ArrowDataType::Float16 => array
            .as_any()
            .downcast_ref::<Float16Array>()
            .map(|array| array.iter().map(|value| value.and_then(|value| some(value.0.to_f32().into()))).collect()),
        ArrowDataType::UInt64 => mapped::<u64, _>(array, |value| Some(value as f64)),
        ArrowDataType::Decimal(_, scale) => mapped::<i128, _>(array, |value| Some(value as f64 / decimal(*scale))),
        ArrowDataType::Decimal32(_, scale) => mapped::<i32, _>(array, |value| Some(f64::from(value) / decimal(*scale))),
        ArrowDataType::Decimal64(_, scale) => mapped::<i64, _>(array, |value| Some(value as f64 / decimal(*scale))),
        _ => {
            integers(array).map(|integers| integers.into_iter().map(|value| value.map(|value| value as f64)).collect())
        }
    };
    numbers.ok_or_else(|| wrong(array, name, "numbers"))
}

/// Whether each row holds; `None` where the column is of another type.
pub(crate) fn booleans(array: &dyn Array) -> Option<Vec<Option<bool>>> {
    match array.dtype().to_storage() {
        ArrowDataType::Null => Some(vec![None; array.len()]),
        ArrowDataType::Boolean => Some(array.as_any().downcast_ref::<BooleanArray>()?.iter().collect()),
        _ => None,
    }
}

fn mapped<T: NativeType, U>(array: &dyn Array, map: impl Fn(T) -> Option<U>) -> Option<Vec<Option<U>>> {
    let array = array.as_any().downcast_ref::<PrimitiveArray<T>>()?;
    Some(array.iter().map(|value| value.and_then(|value| map(*value))).collect())
}

/// That a column is of another type than expected.
pub(crate) fn wrong(array: &dyn Array, name: &str, expected: &str) -> String {
    format!("column `{name}` is of type {} (expected {expected})", type_name(array.dtype()))
}

/// A column of text.
pub(crate) fn text<T: AsRef<str>>(name: &str, values: impl IntoIterator<Item = Option<T>>) -> (Field, Box<dyn Array>) {
    let array: Utf8Array<i32> = values.into_iter().collect();
    (Field::new(name.into(), ArrowDataType::Utf8, true), array.boxed())
}

/// A column of numbers or truths.
pub(crate) fn primitive<T: NativeType>(
    name: &str,
    values: impl IntoIterator<Item = Option<T>>,
) -> (Field, Box<dyn Array>) {
    let array: PrimitiveArray<T> = values.into_iter().collect();
    (Field::new(name.into(), array.dtype().clone(), true), array.boxed())
}

/// A column of times: milliseconds, UTC.
pub(crate) fn time(name: &str, values: impl IntoIterator<Item = Option<i64>>) -> (Field, Box<dyn Array>) {
    let dtype = ArrowDataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let array: PrimitiveArray<i64> = values.into_iter().collect();
    (Field::new(name.into(), dtype.clone(), true), array.to(dtype).boxed())
}

/// A column of truths.
pub(crate) fn truth(name: &str, values: impl IntoIterator<Item = Option<bool>>) -> (Field, Box<dyn Array>) {
    let array: BooleanArray = values.into_iter().collect();
    (Field::new(name.into(), ArrowDataType::Boolean, true), array.boxed())
}
