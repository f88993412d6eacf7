//! A table that speaks Arrow: what `judge`, `settle` and `read` give.

use polars_arrow::array::Array;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList};

use crate::capsule::{self, Batches};
use crate::columns;

/// A table, to be handed on by the Arrow PyCapsule interface.
#[pyclass(frozen, module = "leaktrend", name = "Table")]
pub(crate) struct Table {
    batches: Batches,
}

impl Table {
    pub(crate) fn new(batches: Batches) -> Table {
        Table { batches }
    }
}

#[pymethods]
impl Table {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer give its own types where it cannot give those that are asked for.
        let _ = requested_schema;
        capsule::export(py, &self.batches)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::export_schema(py, &self.batches)
    }

    fn __len__(&self) -> usize {
        self.batches.n_rows()
    }

    fn __repr__(&self) -> String {
        format!("leaktrend.Table({} rows: {})", self.batches.n_rows(), self.columns().join(", "))
    }

    /// The names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.batches.fields.iter().map(|field| field.name.to_string()).collect()
    }

    /// The rows as dictionaries; times as `datetime` in UTC.
    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let datetime = py.import("datetime")?;
        let utc = datetime.getattr("timezone")?.getattr("utc")?;
        let epoch = datetime.getattr("datetime")?.call1((1970, 1, 1, 0, 0, 0, 0, utc))?;
        let delta = datetime.getattr("timedelta")?;
        let rows = PyList::empty(py);
        for batch in &self.batches.batches {
            let dicts: Vec<Bound<'py, PyDict>> = (0..batch.len()).map(|_| PyDict::new(py)).collect();
            for (field, column) in batch.fields().iter().zip(batch.values()) {
                let name = field.name.as_str();
                let column: &dyn Array = &**column;
                let is_time = matches!(column.dtype(), polars_arrow::datatypes::ArrowDataType::Timestamp(..));
                if let (true, Ok(times)) = (is_time, columns::times(column, name)) {
                    for (dict, time_ms) in dicts.iter().zip(times) {
                        let time = time_ms.map(|time_ms| {
                            let (days, rest) = (time_ms.div_euclid(86_400_000), time_ms.rem_euclid(86_400_000));
                            epoch.add(delta.call1((days, 0, 0, rest))?)
                        });
                        // A time that Python's calendar does not hold is none there.
                        dict.set_item(name, time.and_then(Result::ok))?;
                    }
                } else if let Some(texts) = columns::texts(column) {
                    for (dict, text) in dicts.iter().zip(texts) {
                        dict.set_item(name, text)?;
                    }
                } else if let Some(truths) = columns::booleans(column) {
                    for (dict, truth) in dicts.iter().zip(truths) {
                        dict.set_item(name, truth)?;
                    }
                } else if let Some(numbers) = columns::integers(column) {
                    for (dict, number) in dicts.iter().zip(numbers) {
                        dict.set_item(name, number)?;
                    }
                } else if let Ok(numbers) = columns::numbers(column, name) {
                    for (dict, number) in dicts.iter().zip(numbers) {
                        dict.set_item(name, number)?;
                    }
                }
            }
            for dict in dicts {
                rows.append(dict)?;
            }
        }
        Ok(rows)
    }
}
