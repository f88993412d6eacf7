//! Reads typed tables: Parquet files, Arrow IPC files and streams, and folders of them.
//!
//! A table that leaktrend wrote gives the series and the accounts that it was made from. Every other is a long table
//! (time, names, memory) or a wide one (time and a column for each container), whose columns are found by name or given;
//! its rows may stand in any order. Row groups are read one after another, and only the columns that are needed.

mod cells;
mod folder;
mod gather;
mod guard;
mod history;
mod lengths;
mod numbers;
pub(crate) mod own;
mod plan;
mod source;

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use super::{Options, Parsed, SeriesSamples};
use crate::account::{ContentWarning, Format, Input, Timeline, Unusable, Warning};
use crate::open::{Opened, Source};
use crate::progress::Meter;
use gather::Gather;
use own::Provenance;
use plan::FolderColumn;
use source::{Bytes, Table};

pub use guard::is_guarded;
pub(crate) use history::{History, read_history};
pub(crate) use numbers::NumberTable;

/// What a table, or a folder of tables, gave.
pub(super) struct TableRead {
    /// Its account, those of files of a folder that cannot be used, and those that own tables carry.
    pub(super) inputs: Vec<Input>,
    /// Its series, whose inputs are indices into `inputs`.
    pub(super) parts: Vec<Parsed>,
}

/// Reads a table; `stem` is the name of a series that has none.
pub(super) fn read(
    source: &Source,
    opened: Opened,
    format: Format,
    stem: &str,
    options: &Options,
    meter: &Meter,
) -> TableRead {
    let broken = opened.broken.clone();
    let file = TableFile { source: source.clone(), bytes: bytes(source, opened, format), format, folders: Vec::new() };
    let mut read = Reading::new(source, format, stem, options, meter).all([file]);
    if let Some(why) = broken.take() {
        for input in &mut read.inputs {
            input.incomplete = true;
            input.warnings.insert(0, ContentWarning::BreaksOff { why: why.clone() }.into());
        }
    }
    read
}

/// Reads a folder of tables as one; `None` for what is no folder.
pub(super) fn read_folder(source: &Source, stem: &str, options: &Options, meter: &Meter) -> Option<TableRead> {
    let Source::File(path) = source else { return None };
    if !path.is_dir() || options.format.is_some_and(|format| !format.is_typed_table()) {
        return None;
    }
    let refused = |why: Unusable| {
        let input = Input { unusable: Some(why), ..Input::new(source) };
        Some(TableRead { inputs: vec![input], parts: Vec::new() })
    };
    let files = match folder::tables(path) {
        Ok(files) => files,
        Err(error) => {
            return refused(Unusable::Unreadable(format!("it is a directory that cannot be read: {error}")));
        }
    };
    let Some(first) = files.first() else {
        return refused(Unusable::NoTables);
    };
    let format = options.format.unwrap_or(first.format);
    let files = files.into_iter().map(|file| TableFile {
        bytes: File::open(&file.path).map(Bytes::File).map_err(|error| format!("it cannot be opened: {error}")),
        source: Source::File(file.path),
        format: file.format,
        folders: file.folders,
    });
    Some(Reading::new(source, format, stem, options, meter).all(files))
}

/// A file that is to be read.
struct TableFile {
    source: Source,
    bytes: Result<Bytes, String>,
    format: Format,
    folders: Vec<FolderColumn>,
}

/// The bytes of a table: of a plain file as they stand there, of everything else read into memory.
fn bytes(source: &Source, opened: Opened, format: Format) -> Result<Bytes, String> {
    let is_plain = |path: &Path| -> Option<File> {
        // A pipe can be read only once.
        let mut file = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).and(File::open(path).ok())?;
        let mut magic = Vec::new();
        file.by_ref().take(8).read_to_end(&mut magic).ok()?;
        (super::recognise(&magic) == Ok(format)).then_some(file)
    };
    if let Source::File(path) = source
        && let Some(file) = is_plain(path)
    {
        return Ok(Bytes::File(file));
    }
    let mut bytes = Vec::new();
    let read = opened.lines.into_reader().read_to_end(&mut bytes);
    read.map_err(|error| format!("it cannot be read: {error}"))?;
    Ok(Bytes::Memory(Cursor::new(bytes)))
}

/// A table that leaktrend wrote.
struct OwnTable {
    source: Source,
    provenance: Provenance,
    series: Vec<SeriesSamples>,
}

/// One input, which may be many files.
struct Reading<'a> {
    source: &'a Source,
    stem: &'a str,
    options: &'a Options,
    meter: &'a Meter,
    /// The account of all tables that leaktrend did not write.
    input: Input,
    own: Vec<OwnTable>,
    /// Files that cannot be used.
    failed: Vec<Input>,
}

impl<'a> Reading<'a> {
    fn new(source: &'a Source, format: Format, stem: &'a str, options: &'a Options, meter: &'a Meter) -> Reading<'a> {
        let input = Input { format: Some(format), ..Input::new(source) };
        Reading { source, stem, options, meter, input, own: Vec::new(), failed: Vec::new() }
    }

    fn all(mut self, files: impl IntoIterator<Item = TableFile>) -> TableRead {
        let mut input = self.input.clone();
        let mut gather = Gather::new(&mut input, self.stem);
        let mut n_foreign = 0;
        for file in files {
            let source = file.source.clone();
            match self.one(file, &mut gather) {
                Ok(is_foreign) => n_foreign += u64::from(is_foreign),
                Err(why) => self.fail(&source, why),
            }
        }
        let mut read = TableRead { inputs: Vec::new(), parts: Vec::new() };
        if 0 < n_foreign {
            let series = gather.finish();
            read.parts.push(parsed(series, false));
            read.inputs.push(input);
        }
        read.inputs.append(&mut self.failed);
        for OwnTable { source, provenance, mut series } in self.own {
            let first = read.inputs.len();
            series.iter_mut().flat_map(|series| &mut series.inputs).for_each(|index| *index += first);
            let shown = Input::new(&source).path;
            if provenance.inputs.is_empty() {
                let samples = series.iter().map(|series| series.samples.len() as u64).sum();
                let n_series = series.iter().filter(|series| !series.samples.is_empty()).count() as u64;
                let format = Some(Format::Parquet);
                read.inputs.push(Input {
                    format,
                    samples,
                    series: n_series,
                    lines: Some(samples),
                    ..Input::new(&source)
                });
            }
            let carried = provenance.inputs.into_iter();
            read.inputs.extend(carried.map(|input| Input { path: format!("{shown}: {}", input.path), ..input }));
            let relative = provenance.timeline == Timeline::Relative;
            read.parts.push(Parsed { reported: provenance.reported, ..parsed(series, relative) });
        }
        read
    }

    /// Reads a file, and says whether its account is that of the whole.
    fn one(&mut self, file: TableFile, gather: &mut Gather<'_>) -> Result<bool, Unusable> {
        let table = file.bytes.and_then(|bytes| Table::open(bytes, file.format, self.meter));
        let table = table.map_err(Unusable::Unreadable)?;
        if let Some(provenance) = own::provenance(&table, gather.input()) {
            let series = own::read(table, &provenance).map_err(Unusable::Unreadable)?;
            self.own.push(OwnTable { source: file.source, provenance, series });
            return Ok(false);
        }
        let Options { columns, unit, .. } = self.options;
        let layout = plan::plan(&table.fields, &file.folders, columns, *unit, gather.input())?;
        let n_before = gather.input().samples;
        match gather.read(table, &layout, &file.folders) {
            Err(why) if n_before < gather.input().samples => {
                let input = gather.input();
                input.incomplete = true;
                let file = (file.source != *self.source).then(|| name(&file.source).display().to_string());
                input.warn(Warning::from(ContentWarning::BreaksOff { why }).in_file(file));
                Ok(true)
            }
            result => result.map(|()| true).map_err(Unusable::Unreadable),
        }
    }

    fn fail(&mut self, source: &Source, why: Unusable) {
        self.failed.push(Input { unusable: Some(why), ..Input::new(source) });
    }
}

fn name(source: &Source) -> PathBuf {
    source.path().and_then(|path| path.file_name()).map(PathBuf::from).unwrap_or_default()
}

fn parsed(series: Vec<SeriesSamples>, relative: bool) -> Parsed {
    Parsed { series, ends: Vec::new(), n_negative: Vec::new(), reported: Vec::new(), relative }
}
