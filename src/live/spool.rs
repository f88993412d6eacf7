//! Keeps what was read in a file: answers one after the other, as one JSON text that `decode` reads.
//!
//! Each part is compressed by itself, so that parts which were read side by side can be put one behind the other.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use flate2::write::GzEncoder;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Plain,
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
}

impl Encoding {
    /// By the ending of a name.
    pub fn of(path: &Path) -> Encoding {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("gz") => Encoding::Gzip,
            Some("zst") => Encoding::Zstd,
            _ => Encoding::Plain,
        }
    }
}

/// Text that is compressed into a file without a name: it is gone with the value, however the program ends.
pub(super) enum Part {
    Plain(BufWriter<File>),
    Gzip(Box<GzEncoder<File>>),
    Zstd(zstd::Encoder<'static, File>),
}

impl Part {
    pub(super) fn new(encoding: Encoding) -> io::Result<Part> {
        let file = tempfile::tempfile()?;
        Ok(match encoding {
            Encoding::Plain => Part::Plain(BufWriter::new(file)),
            Encoding::Gzip => Part::Gzip(Box::new(GzEncoder::new(file, flate2::Compression::fast()))),
            // The fastest, which takes little memory, too: JSON of numbers is an eighth then.
            Encoding::Zstd => Part::Zstd(zstd::Encoder::new(file, 1)?),
        })
    }

    /// The file, to be read from its beginning.
    pub(super) fn finish(self) -> io::Result<File> {
        let mut file = match self {
            Part::Plain(file) => file.into_inner().map_err(io::IntoInnerError::into_error)?,
            Part::Gzip(encoder) => encoder.finish()?,
            Part::Zstd(encoder) => encoder.finish()?,
        };
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Part::Plain(file) => file.write(bytes),
            Part::Gzip(encoder) => encoder.write(bytes),
            Part::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Part::Plain(file) => file.flush(),
            Part::Gzip(encoder) => encoder.flush(),
            Part::Zstd(encoder) => encoder.flush(),
        }
    }
}

/// One matrix of all that was read.
pub(super) struct Spool {
    file: File,
    encoding: Encoding,
    is_empty: bool,
}

impl Spool {
    pub(super) fn new(encoding: Encoding) -> io::Result<Spool> {
        let mut spool = Spool::part(encoding)?;
        spool.text("{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[\n")?;
        Ok(spool)
    }

    /// Series that are added to another matrix once all of them are there.
    pub(super) fn part(encoding: Encoding) -> io::Result<Spool> {
        Ok(Spool { file: tempfile::tempfile()?, encoding, is_empty: true })
    }

    /// What `add` takes; `None` without series.
    pub(super) fn into_part(mut self) -> io::Result<Option<File>> {
        self.file.seek(SeekFrom::Start(0))?;
        Ok((!self.is_empty).then_some(self.file))
    }

    /// Adds series: what `answer::take` wrote.
    pub(super) fn add(&mut self, mut part: File) -> io::Result<()> {
        if !std::mem::take(&mut self.is_empty) {
            self.text(",\n")?;
        }
        io::copy(&mut part, &mut self.file).map(drop)
    }

    /// Ends the matrix; `behind` are members of the answer beside its `data`, each behind a comma.
    pub(super) fn finish(mut self, behind: &str) -> io::Result<File> {
        self.text(&format!("\n]}}{behind}}}\n"))?;
        self.file.seek(SeekFrom::Start(0))?;
        Ok(self.file)
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        let mut part = Part::new(self.encoding)?;
        part.write_all(text.as_bytes())?;
        let mut bytes = Vec::new();
        part.finish()?.read_to_end(&mut bytes)?;
        self.file.write_all(&bytes)
    }
}
