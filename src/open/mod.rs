//! Opens files and standard input, plain or compressed, as lines of UTF-8. Knows nothing of formats.
//!
//! If an input breaks off (a truncated `.gz`, a failing disk), what was read before is used, and the account says so.

mod lines;
mod rotation;
mod utf16;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use crate::progress::Meter;

pub(crate) use lines::{Block, Line, Lines, MAX_LINE};
pub(crate) use rotation::{Sequence, is_again, sequences, stems};
pub use rotation::{base_name, with_rotated};

/// Where one input comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file, plain or compressed.
    File(PathBuf),
    /// What was read from a server.
    Fetched(Arc<Fetched>),
    /// Parts of what was read from a file before.
    Text {
        /// What was read.
        text: Arc<Text>,
        /// The parts, one after the other.
        parts: Vec<Range<usize>>,
        /// When the last of them was written, in milliseconds, as far as known.
        mtime_ms: Option<i64>,
    },
}

/// A file given in addition to the inputs, and the series to which it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The id of a series; `None`: all of them.
    pub series: Option<String>,
    /// The file.
    pub path: PathBuf,
}

impl Source {
    /// The file; `None` for standard input.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Source::Stdin => None,
            Source::File(path) => Some(path),
            Source::Fetched(fetched) => Some(&fetched.name),
            Source::Text { text, .. } => Some(&text.path),
        }
    }
}

/// What was read from a server, in an unnamed file; or why it could not be read.
#[derive(Debug)]
pub struct Fetched {
    name: PathBuf,
    file: Result<Mutex<File>, String>,
}

impl Fetched {
    /// `name` is what reports call it: its address.
    pub fn new(name: PathBuf, file: Result<File, String>) -> Fetched {
        Fetched { name, file: file.map(Mutex::new) }
    }
}

// Two of one name are the same input.
impl PartialEq for Fetched {
    fn eq(&self, other: &Fetched) -> bool {
        self.name == other.name
    }
}

impl Eq for Fetched {}

impl std::hash::Hash for Fetched {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// Reads the file from its beginning, whoever else reads it.
struct FetchedReader {
    fetched: Arc<Fetched>,
    at: u64,
}

impl Read for FetchedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Ok(file) = &self.fetched.file else { return Ok(0) };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let n = file.read(buffer)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// An input that can be read.
pub(crate) struct Opened {
    /// Its lines, decompressed.
    pub(crate) lines: Lines<Box<dyn Read + Send>>,
    /// When the file was last written to, in milliseconds; `None` for what is not a regular file.
    pub(crate) mtime_ms: Option<i64>,
    /// Why reading stopped before the end, if it did. Known once all was read.
    pub(crate) broken: Broken,
    /// How many NUL bytes before the text were skipped.
    pub(crate) n_nul: u64,
}

/// Why reading stopped before the end, if it did; shared by all copies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Broken(Arc<Mutex<Option<String>>>);

impl Broken {
    fn new(why: Option<String>) -> Broken {
        Broken(Arc::new(Mutex::new(why)))
    }

    fn locked(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, why: String) {
        *self.locked() = Some(why);
    }

    fn is_some(&self) -> bool {
        self.locked().is_some()
    }

    /// Takes the reason out.
    pub(crate) fn take(&self) -> Option<String> {
        self.locked().take()
    }
}

#[cfg(test)]
impl Opened {
    /// A file of this content.
    pub(crate) fn of(content: &[u8], mtime_ms: Option<i64>) -> Opened {
        let reader: Box<dyn Read + Send> = Box::new(io::Cursor::new(content.to_vec()));
        Opened { lines: Lines::new(reader), mtime_ms, broken: Broken::default(), n_nul: 0 }
    }
}

/// What a file holds, decompressed.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Text {
    /// The file.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// When the file was last written to, in milliseconds; `None` for what is not a regular file.
    pub mtime_ms: Option<i64>,
    /// Why reading stopped before the end, if it did.
    pub broken: Option<String>,
}

/// Reads all of a file.
///
/// # Errors
///
/// Why it cannot be opened or decompressed. What breaks off in the middle ends there and says so.
pub fn read_text(path: &Path) -> Result<Text, String> {
    let (file, mtime_ms) = named_file(path)?;
    let Decompressed { mut text, broken, .. } = decompressed(file)?;
    let mut bytes = Vec::new();
    text.read_to_end(&mut bytes).map_err(|error| format!("it cannot be read: {error}"))?;
    Ok(Text { path: path.to_owned(), bytes, mtime_ms, broken: broken.take() })
}

/// Parts of a text, one after the other.
struct Parts {
    text: Arc<Text>,
    left: VecDeque<Range<usize>>,
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(part) = self.left.front_mut() {
            if part.start == part.end {
                self.left.pop_front();
                continue;
            }
            let n = part.len().min(buffer.len());
            buffer[..n].copy_from_slice(&self.text.bytes[part.start..part.start + n]);
            part.start += n;
            return Ok(n);
        }
        Ok(0)
    }
}

/// Opens an input, of which every byte is counted; otherwise says why it cannot be read.
pub(crate) fn open(source: &Source, meter: &Meter) -> Result<Opened, String> {
    let (Decompressed { text, broken, n_nul }, mtime_ms) = match source {
        Source::Stdin => (decompressed(meter.counted(io::stdin()))?, None),
        Source::File(path) => {
            let (file, mtime_ms) = named_file(path)?;
            (decompressed(meter.counted(file))?, mtime_ms)
        }
        Source::Fetched(fetched) => {
            if let Err(why) = &fetched.file {
                return Err(why.clone());
            }
            (decompressed(meter.counted(FetchedReader { fetched: Arc::clone(fetched), at: 0 }))?, None)
        }
        Source::Text { text, parts, mtime_ms } => {
            let reader = Parts { text: Arc::clone(text), left: parts.iter().cloned().collect() };
            let broken = Broken::new(text.broken.clone());
            (Decompressed { text: Box::new(reader), broken, n_nul: 0 }, *mtime_ms)
        }
    };
    Ok(Opened { lines: Lines::new(text), mtime_ms, broken, n_nul })
}

fn named_file(path: &Path) -> Result<(File, Option<i64>), String> {
    let name = path.to_string_lossy();
    open_file(path).map_err(|error| match error.kind() {
        _ if ["http://", "https://"].iter().any(|scheme| name.starts_with(scheme)) => {
            let who = if cfg!(feature = "live") {
                "only inputs of `leaktrend analyze` and logs of `leaktrend nightly` can be servers"
            } else {
                "this build of leaktrend reads files only (it was built without the feature `live`)"
            };
            format!("it is an address, and {who}: fetch it first (`curl -s 'URL' -o FILE`) and give the file")
        }
        io::ErrorKind::IsADirectory => "it is a directory (expected a file)".to_owned(),
        _ => format!("it cannot be opened: {error}"),
    })
}

fn open_file(path: &Path) -> io::Result<(File, Option<i64>)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mtime = metadata.is_file().then(|| metadata.modified().ok()).flatten();
    let mtime_ms = mtime.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|time| time.as_millis() as i64);
    Ok((file, mtime_ms))
}

/// The beginning of what a file holds, decompressed: 64 KiB, or all when there is less; `None` when it cannot be read.
pub(crate) fn beginning(path: &Path) -> Option<Vec<u8>> {
    let (file, _) = named_file(path).ok()?;
    let mut bytes = Vec::new();
    decompressed(file).ok()?.text.take(64 << 10).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A reader of plain text.
struct Decompressed {
    text: Box<dyn Read + Send>,
    /// Why it ended before the end, if it did: known once all was read.
    broken: Broken,
    /// How many NUL bytes before the text were skipped.
    n_nul: u64,
}

fn decompressed(mut reader: impl Read + Send + 'static) -> Result<Decompressed, String> {
    let mut magic = Vec::with_capacity(4);
    reader.by_ref().take(4).read_to_end(&mut magic).map_err(|error| format!("it cannot be read: {error}"))?;
    let is_gzip = magic.starts_with(&[0x1f, 0x8b]);
    let is_zstd = magic == [0x28, 0xb5, 0x2f, 0xfd];
    let whole = io::Cursor::new(magic).chain(reader);

    let plain: Box<dyn Read + Send> = if is_gzip {
        Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(64 << 10, whole)))
    } else if is_zstd {
        Box::new(zstd::Decoder::new(whole).map_err(|error| format!("it cannot be decompressed: {error}"))?)
    } else {
        Box::new(whole)
    };
    let broken = Broken::default();
    let what = if is_gzip || is_zstd { "the compressed data breaks off or is damaged" } else { "reading failed" };
    let reader = UntilBroken { reader: plain, what, n_bytes: 0, broken: broken.clone() };
    let (reader, n_nul) = behind_nul(reader).map_err(|error| format!("it cannot be read: {error}"))?;
    let text = utf16::decoded(reader).map_err(|error| format!("it cannot be read: {error}"))?;
    Ok(Decompressed { text, broken, n_nul })
}

/// Skips NUL bytes before a text, and counts them: a log has them that was truncated while its writer went on where it
/// was. What has more than `MAX_NUL` is no text.
fn behind_nul(mut reader: impl Read + Send + 'static) -> io::Result<(Box<dyn Read + Send>, u64)> {
    const MAX_NUL: u64 = 64 << 20;

    let mut n_nul = 0;
    loop {
        let mut block = Vec::with_capacity(64 << 10);
        reader.by_ref().take(64 << 10).read_to_end(&mut block)?;
        let n = block.iter().take_while(|byte| **byte == 0).count();
        n_nul += n as u64;
        if n < block.len() || block.is_empty() || MAX_NUL < n_nul {
            // All NUL: let it be seen what it is.
            let first = if n < block.len() { n } else { 0 };
            block.drain(..first);
            return Ok((Box::new(io::Cursor::new(block).chain(reader)), n_nul));
        }
    }
}

/// Ends where the reader fails, and keeps why.
struct UntilBroken {
    reader: Box<dyn Read + Send>,
    what: &'static str,
    n_bytes: u64,
    broken: Broken,
}

impl Read for UntilBroken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.broken.is_some() {
            return Ok(0);
        }
        match self.reader.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let message = format!("{} after {} bytes of text: {error}", self.what, self.n_bytes);
                self.broken.set(message);
                Ok(0)
            }
            result => result.inspect(|n| self.n_bytes += *n as u64),
        }
    }
}
