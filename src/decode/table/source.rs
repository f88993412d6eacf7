//! Opens a table, and gives its rows part by part.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field, TimeUnit};
use polars_arrow::io::ipc::read as ipc;
use polars_buffer::Buffer;
use polars_parquet::read as parquet;
use polars_parquet::read::schema::SchemaInferenceOptions;
use rayon::prelude::*;

use super::guard::{damaged, guarded};
use super::lengths;
use crate::account::Format;
use crate::progress::Meter;

/// So many rows of a row group are decoded at once: some megabytes, however large the group is.
const SLICE: usize = 1 << 17;

/// A file, or the bytes of one.
pub(super) enum Bytes {
    File(File),
    Memory(Cursor<Vec<u8>>),
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Bytes::File(file) => file.read(buffer),
            Bytes::Memory(bytes) => bytes.read(buffer),
        }
    }
}

impl Seek for Bytes {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Bytes::File(file) => file.seek(to),
            Bytes::Memory(bytes) => bytes.seek(to),
        }
    }
}

/// Some rows: the columns that were asked for, in that order, of one length.
pub(super) struct Batch {
    pub(super) n_rows: usize,
    pub(super) columns: Vec<Box<dyn Array>>,
}

/// A table that was opened.
pub(super) struct Table {
    pub(super) fields: Vec<Field>,
    rows: Rows,
    bytes: Bytes,
    meter: Meter,
}

enum Rows {
    Parquet(Box<parquet::FileMetadata>),
    ArrowFile(Box<ipc::FileMetadata>),
    ArrowStream(Box<ipc::StreamMetadata>),
}

impl Table {
    /// Opens a table; `meter` counts what is read of it.
    pub(super) fn open(mut bytes: Bytes, format: Format, meter: &Meter) -> Result<Table, String> {
        let mut magic = Vec::new();
        let read = bytes
            .seek(SeekFrom::Start(0))
            .and_then(|_| bytes.by_ref().take(8).read_to_end(&mut magic))
            .and_then(|_| bytes.seek(SeekFrom::Start(0)));
        read.map_err(|error| format!("it cannot be read: {error}"))?;
        let rows = match format {
            Format::Parquet if !magic.starts_with(b"PAR1") => {
                return Err("it is not a Parquet file: it does not begin with `PAR1`".to_owned());
            }
            Format::Parquet => Rows::Parquet(Box::new(guarded(|| parquet::read_metadata(&mut bytes))?)),
            _ if magic.starts_with(b"ARROW1") => {
                let metadata = guarded(|| ipc::read_file_metadata(&mut bytes))?;
                lengths::check_file(&mut bytes, &metadata)?;
                Rows::ArrowFile(Box::new(metadata))
            }
            _ if magic.starts_with(&[0xff; 4]) => {
                lengths::check_stream(&mut bytes)?;
                Rows::ArrowStream(Box::new(guarded(|| ipc::read_stream_metadata(&mut bytes))?))
            }
            _ => {
                return Err("it is not an Arrow table: it begins neither with `ARROW1` nor like a stream \
                     (Feather version 1 is not supported: rewrite it as version 2)"
                    .to_owned());
            }
        };
        let fields: Vec<Field> = match &rows {
            Rows::Parquet(metadata) => {
                let names: Vec<&str> =
                    metadata.schema().fields().iter().map(polars_parquet::read::ParquetType::name).collect();
                if let Some(name) = (1..names.len()).find(|at| names[..*at].contains(&names[*at])).map(|at| names[at]) {
                    return Err(format!(
                        "two of its columns are called `{name}` (expected different names: rename one)"
                    ));
                }
                // Milliseconds reach further than nanoseconds, of which more are not needed.
                let options = Some(SchemaInferenceOptions { int96_coerce_to_timeunit: TimeUnit::Millisecond });
                let schema = guarded(|| parquet::schema::infer_schema_with_options(metadata, &options))?;
                schema.iter_values().cloned().map(plain).collect()
            }
            Rows::ArrowFile(metadata) => distinct(&metadata.schema, metadata.ipc_schema.fields.len())?,
            Rows::ArrowStream(metadata) => distinct(&metadata.schema, metadata.ipc_schema.fields.len())?,
        };
        Ok(Table { fields, rows, bytes, meter: meter.clone() })
    }

    /// What the writer of a Parquet file left in its metadata under a key.
    pub(super) fn metadata(&self, key: &str) -> Option<&str> {
        let Rows::Parquet(metadata) = &self.rows else { return None };
        metadata.key_value_metadata.as_ref()?.iter().find(|entry| entry.key == key)?.value.as_deref()
    }

    /// How many rows a Parquet file has; `None` for Arrow, which says it batch by batch.
    pub(super) fn n_rows(&self) -> Option<u64> {
        let Rows::Parquet(metadata) = &self.rows else { return None };
        Some(metadata.num_rows as u64)
    }

    /// Gives these columns of all rows, part by part.
    ///
    /// # Errors
    ///
    /// When the file is damaged; parts before that were given.
    pub(super) fn read(self, columns: &[usize], each: &mut dyn FnMut(Batch)) -> Result<(), String> {
        let Table { fields, rows, bytes, meter } = self;
        match rows {
            Rows::Parquet(metadata) => read_parquet(&metadata, &fields, bytes, columns, &meter, each),
            Rows::ArrowFile(metadata) => {
                meter.add(metadata.size);
                let columns = Projection::new(columns);
                let mut reader = guarded(|| {
                    Ok::<_, String>(ipc::FileReader::new(bytes, *metadata, Some(columns.sorted.clone()), None))
                })?;
                while let Some(batch) = guarded(|| reader.next().transpose())? {
                    each(columns.batch(batch.arrays()));
                }
                Ok(())
            }
            Rows::ArrowStream(metadata) => {
                let columns = Projection::new(columns);
                let mut reader = guarded(|| {
                    Ok::<_, String>(ipc::StreamReader::new(bytes, *metadata, Some(columns.sorted.clone())))
                })?;
                // A stream may also end without the mark of its end.
                while let Some(ipc::StreamState::Some(batch)) = guarded(|| reader.next().transpose())? {
                    each(columns.batch(batch.arrays()));
                }
                Ok(())
            }
        }
    }
}

/// The columns of an Arrow table that says to have so many: of those of one name the decoder knows only the last.
fn distinct(schema: &ArrowSchema, n_columns: usize) -> Result<Vec<Field>, String> {
    if schema.len() < n_columns {
        return Err("two of its columns have the same name (expected different names: rename one)".to_owned());
    }
    Ok(schema.iter_values().cloned().collect())
}

/// A text of few different values is decoded as text: its views tell them apart as well.
fn plain(mut field: Field) -> Field {
    if let ArrowDataType::Dictionary(_, values, _) = &field.dtype
        && matches!(**values, ArrowDataType::Utf8View | ArrowDataType::Utf8 | ArrowDataType::LargeUtf8)
    {
        field.dtype = ArrowDataType::Utf8View;
    }
    field
}

/// Columns in the order in which the decoder wants them, and in which they were asked for.
struct Projection {
    sorted: Vec<usize>,
    /// For each column that was asked for, which of the sorted ones it is.
    places: Vec<usize>,
}

impl Projection {
    fn new(columns: &[usize]) -> Projection {
        let mut sorted = columns.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let places = columns.iter().map(|column| sorted.partition_point(|other| other < column)).collect();
        Projection { sorted, places }
    }

    fn batch(&self, arrays: &[Box<dyn Array>]) -> Batch {
        let columns: Vec<Box<dyn Array>> = self.places.iter().map(|place| arrays[*place].clone()).collect();
        Batch { n_rows: columns.first().map_or(0, |column| column.len()), columns }
    }
}

fn read_parquet(
    metadata: &parquet::FileMetadata,
    fields: &[Field],
    mut bytes: Bytes,
    columns: &[usize],
    meter: &Meter,
    each: &mut dyn FnMut(Batch),
) -> Result<(), String> {
    let length = bytes.seek(SeekFrom::End(0)).map_err(|error| format!("it cannot be read: {error}"))?;
    for group in &metadata.row_groups {
        let chunks: Vec<Chunk<'_>> = columns
            .iter()
            .map(|column| Chunk::read(group, &fields[*column], &mut bytes, length))
            .collect::<Result<_, _>>()?;
        meter.add(chunks.iter().map(|chunk| chunk.bytes.len() as u64).sum());
        let mut first = 0;
        while first < group.num_rows() {
            let end = group.num_rows().min(first + SLICE);
            let columns: Vec<Box<dyn Array>> =
                chunks.par_iter().map(|chunk| chunk.decode(first, end)).collect::<Result<_, _>>()?;
            each(Batch { n_rows: end - first, columns });
            first = end;
        }
    }
    Ok(())
}

/// A column of a row group, as it stands in the file.
struct Chunk<'a> {
    metadata: &'a parquet::ColumnChunkMetadata,
    field: &'a Field,
    bytes: Buffer<u8>,
}

impl<'a> Chunk<'a> {
    fn read(
        group: &'a parquet::RowGroupMetadata,
        field: &'a Field,
        bytes: &mut Bytes,
        length: u64,
    ) -> Result<Chunk<'a>, String> {
        let metadata = group
            .columns_under_root_iter(&field.name)
            .and_then(|mut columns| columns.next())
            .ok_or_else(|| damaged(&format!("its column `{}` is missing", field.name)))?;
        let range = guarded(|| Ok::<_, String>(metadata.byte_range()))?;
        if length < range.end {
            return Err(damaged(&format!("its column `{}` lies beyond the end of the file", field.name)));
        }
        let mut chunk = Vec::with_capacity((range.end - range.start) as usize);
        bytes
            .seek(SeekFrom::Start(range.start))
            .and_then(|_| bytes.by_ref().take(range.end - range.start).read_to_end(&mut chunk))
            .map_err(|error| format!("it cannot be read: {error}"))?;
        Ok(Chunk { metadata, field, bytes: chunk.into() })
    }

    /// Its rows from `first` up to `end`.
    fn decode(&self, first: usize, end: usize) -> Result<Box<dyn Array>, String> {
        let arrays = guarded(|| {
            let pages =
                parquet::PageReader::new(Cursor::new(self.bytes.clone()), self.metadata, Vec::new(), usize::MAX);
            let pages = parquet::BasicDecompressor::new(pages, Vec::new());
            let types = vec![&self.metadata.descriptor().descriptor.primitive_type];
            let rows = Some(parquet::Filter::new_ranged(first, end));
            parquet::column_iter_to_arrays(vec![pages], types, self.field.clone(), rows)
        })?;
        let array = arrays.0.into_iter().next();
        array
            .filter(|array| array.len() == end - first)
            .ok_or_else(|| damaged(&format!("its column `{}` has fewer rows than stated", self.field.name)))
    }
}
