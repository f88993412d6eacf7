//! Opens files and standard input, plain or compressed, and recognises the format by content.
//!
//! What breaks off in the middle (a cut `.gz`, a failing disk) ends there: what was read stays, and it is said.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use super::lines::Lines;
use super::{
    EXPECTED, Format, Source, cleaned, csv_table, docker_stats, node_memory, prometheus, strangers, trend_csv, utf16,
};
use crate::progress::Meter;

/// An input that can be read.
pub(super) struct Opened {
    /// Its lines, decompressed.
    pub(super) lines: Lines<Box<dyn Read + Send>>,
    /// When the file was last written to, in milliseconds; `None` for what is not a regular file.
    pub(super) mtime_ms: Option<i64>,
    /// Why reading stopped before the end, if it did. Known once all was read.
    pub(super) broken: Broken,
    /// How many NUL bytes before the text were skipped.
    pub(super) n_nul: u64,
}

/// Why reading stopped before the end, if it did: known to whoever holds a copy.
#[derive(Debug, Clone, Default)]
pub(super) struct Broken(Arc<Mutex<Option<String>>>);

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
    pub(super) fn take(&self) -> Option<String> {
        self.locked().take()
    }
}

#[cfg(test)]
impl Opened {
    /// A file of this content.
    pub(super) fn of(content: &[u8], mtime_ms: Option<i64>) -> Opened {
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
pub(super) fn open(source: &Source, meter: &Meter) -> Result<Opened, String> {
    let (Decompressed { text, broken, n_nul }, mtime_ms) = match source {
        Source::Stdin => (decompressed(meter.counted(io::stdin()))?, None),
        Source::File(path) => {
            let (file, mtime_ms) = named_file(path)?;
            (decompressed(meter.counted(file))?, mtime_ms)
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
            "it is an address, and leaktrend reads files only: fetch it first (`curl -s 'URL' | leaktrend analyze -`)"
                .to_owned()
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
pub(super) fn beginning(path: &Path) -> Option<Vec<u8>> {
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

/// The format of a text, by its beginning.
///
/// # Errors
///
/// What was found and what was expected.
pub fn recognise(beginning: &[u8]) -> Result<Format, String> {
    if let Some(kind) = binary_kind(beginning) {
        return Err(format!("{kind} (expected {EXPECTED})"));
    }
    let text = String::from_utf8_lossy(beginning);
    let text = text.trim_start_matches('\u{feff}').trim_start_matches(|c: char| c.is_whitespace() || c == '\0');
    if !text.contains('\n') && 1 < text.trim_end().matches('\r').count() && !text.starts_with(['{', '[']) {
        return Err(
            "its lines end with carriage returns alone (expected line feeds: `tr '\\r' '\\n'` makes them)".to_owned()
        );
    }
    if prometheus::looks_like_dump(text.as_bytes()) {
        return Ok(Format::Prometheus);
    }
    if node_memory::looks_like_node(text) {
        return Ok(Format::NodeMemory);
    }
    if text.starts_with(['{', '[']) {
        return recognise_json(text);
    }
    let n_trend = trend_csv::count_readings(text);
    match docker_stats::recognise(text) {
        // `1795464400 512.3MiB / 1GiB` could be a container of that name.
        Some((format, n_rows)) if n_trend < n_rows.max(1) as usize => return Ok(format),
        _ => {}
    }
    let table = csv_table::looks_like_table(text);
    match (&table, strangers::recognise(text)) {
        (Ok(true), _) => Ok(Format::CsvTable),
        _ if n_trend > 0 => Ok(Format::TrendCsv),
        (_, Some(message)) => Err(message.to_owned()),
        (Err(why), None) => Err(why.clone()),
        (Ok(false), None) => {
            Err(format!("no reading was recognised in it: it begins with {} (expected {EXPECTED})", begins(text)))
        }
    }
}

fn recognise_json(text: &str) -> Result<Format, String> {
    // What the first keys are decides; values further on may hold any word.
    let has = |key: &str| text.contains(key);
    if has("\"MemUsage\"") || has("\"mem_usage\"") || has("\"workingSetBytes\"") {
        return docker_stats::recognise(text).map(|(format, _)| format).ok_or_else(|| {
            format!("it is JSON of another kind: it begins with {} (expected {EXPECTED})", begins(text))
        });
    }
    if has("\"timeNano\"")
        && let Some(message) = strangers::recognise(text)
    {
        return Err(message.to_owned());
    }
    let empty_matrix = text.trim_end() == "[]";
    if has("\"status\"") || has("\"metric\"") || has("\"resultType\"") || empty_matrix {
        return Ok(Format::Prometheus);
    }
    if let Some((format, _)) = docker_stats::recognise(text) {
        return Ok(format);
    }
    if let Some(message) = strangers::recognise(text) {
        return Err(message.to_owned());
    }
    if node_memory::has_resident_set(text) {
        return Ok(Format::NodeMemory);
    }
    Err(format!("it is JSON of another kind: it begins with {} (expected {EXPECTED})", begins(text)))
}

/// The first line that is not blank, short and in backticks.
fn begins(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    format!("`{}`", cleaned(line.trim(), 60))
}

fn binary_kind(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 4] = [
        (b"PAR1", "it is a Parquet file"),
        (b"PK\x03\x04", "it is a zip archive"),
        (b"BZh", "it is compressed with bzip2"),
        (b"\xfd7zXZ", "it is compressed with xz"),
    ];
    if let Some((_, kind)) = KINDS.into_iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(kind);
    }
    // Escape codes belong to streams, and a crash can leave a run of NUL in a log.
    let text = bytes.trim_ascii_start();
    let n_control = text.iter().filter(|byte| **byte < b' ' && !b"\t\n\r\x0c\x08\x1b".contains(byte)).count();
    let n_text = text.iter().filter(|byte| b" \n,".contains(byte)).count();
    (n_control > text.len() / 50 && n_text < text.len() / 50 || n_control > text.len() / 2).then_some("it is binary")
}
