//! Arrow across the border of Python, by the PyCapsule interface: streams of record batches in and out.
//!
//! <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>

use std::ffi::CStr;

use polars_arrow::array::{Array, StructArray};
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::ffi::{ArrowArrayStream, ArrowArrayStreamReader, ArrowSchema, export_field_to_c, export_iterator};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";

/// A table: its columns, and batches of them.
#[derive(Debug, Clone)]
pub(crate) struct Batches {
    /// The columns by name and type.
    pub(crate) fields: Vec<Field>,
    /// Batches with a column for each field.
    pub(crate) batches: Vec<StructArray>,
}

impl Batches {
    /// One batch of these columns.
    pub(crate) fn of(columns: Vec<(Field, Box<dyn Array>)>) -> Batches {
        let n_rows = columns.first().map_or(0, |(_, column)| column.len());
        let (fields, columns): (Vec<Field>, Vec<Box<dyn Array>>) = columns.into_iter().unzip();
        let batch = StructArray::new(ArrowDataType::Struct(fields.clone()), n_rows, columns, None);
        Batches { fields, batches: vec![batch] }
    }

    /// How many rows it has.
    pub(crate) fn n_rows(&self) -> usize {
        self.batches.iter().map(Array::len).sum()
    }

    /// The place of a column; `None` where there is none of this name.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

/// Takes the batches of anything that has `__arrow_c_stream__`.
///
/// # Errors
///
/// `TypeError` when it has none, or gives no table; what its own code raises.
pub(crate) fn import(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Batches> {
    let Ok(method) = object.getattr("__arrow_c_stream__") else {
        return Err(PyTypeError::new_err(format!(
            "{what} is of type {} (expected a frame with `__arrow_c_stream__`: of polars, pandas from 2.2, pyarrow or DuckDB)",
            object.get_type().fully_qualified_name()?
        )));
    };
    let (field, arrays) = import_stream(&method.call0()?)?;
    let ArrowDataType::Struct(fields) = &field.dtype else {
        return Err(PyTypeError::new_err(format!(
            "{what} is one column of type {} (expected a frame with columns)",
            crate::columns::type_name(&field.dtype)
        )));
    };
    let mut batches = Vec::with_capacity(arrays.len());
    for array in arrays {
        let Some(batch) = array.as_any().downcast_ref::<StructArray>() else {
            return Err(PyTypeError::new_err(format!("{what} yields batches that do not match its schema")));
        };
        batches.push(batch.clone());
    }
    Ok(Batches { fields: fields.clone(), batches })
}

/// Takes the arrays out of a capsule that holds an Arrow stream.
#[expect(unsafe_code, reason = "the interface hands out a pointer, and vouches for what is behind it")]
pub(crate) fn import_stream(capsule: &Bound<'_, PyAny>) -> PyResult<(Field, Vec<Box<dyn Array>>)> {
    let capsule = capsule.cast::<PyCapsule>()?;
    let mut pointer = capsule.pointer_checked(Some(STREAM))?.cast::<ArrowArrayStream>();
    // SAFETY: a capsule of this name holds such a stream, as the interface says, and lives until the end of this function;
    // what is moved out is marked as released, so that the capsule does not release it again.
    let stream = unsafe { std::mem::replace(pointer.as_mut(), ArrowArrayStream::empty()) };
    // SAFETY: as above; the producer keeps to the C stream interface.
    let mut reader = unsafe { ArrowArrayStreamReader::try_new(Box::new(stream)) }.map_err(|error| refused(&error))?;
    let mut arrays = Vec::new();
    // SAFETY: as above.
    while let Some(array) = unsafe { reader.next() } {
        arrays.push(array.map_err(|error| refused(&error))?);
    }
    Ok((reader.field().clone(), arrays))
}

fn refused(error: &dyn std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("cannot read the Arrow stream: {error}"))
}

/// A capsule with a stream of the batches. They are not copied.
pub(crate) fn export<'py>(py: Python<'py>, table: &Batches) -> PyResult<Bound<'py, PyCapsule>> {
    let arrays: Vec<_> = table.batches.iter().map(|batch| Ok(batch.clone().boxed())).collect();
    let field = Field::new("".into(), ArrowDataType::Struct(table.fields.clone()), false);
    let stream = export_iterator(Box::new(arrays.into_iter()), field);
    PyCapsule::new_with_value(py, stream, STREAM)
}

/// A capsule with the types of the columns.
pub(crate) fn export_schema<'py>(py: Python<'py>, table: &Batches) -> PyResult<Bound<'py, PyCapsule>> {
    let field = Field::new("".into(), ArrowDataType::Struct(table.fields.clone()), false);
    let schema: ArrowSchema = export_field_to_c(&field);
    PyCapsule::new_with_value(py, schema, SCHEMA)
}
