//! Checks the lengths that the batches of an Arrow table state: the decoder takes as much memory as they say, and where
//! there is not so much the program would end without a word.

use std::io::{Read, Seek, SeekFrom};

use polars_arrow::io::ipc::read::FileMetadata;
use polars_arrow_format::ipc::planus::ReadAsRoot;
use polars_arrow_format::ipc::{MessageHeaderRef, MessageRef, RecordBatchRef};

use super::guard::{damaged, guarded};
use super::source::Bytes;

/// No compression makes more of a byte: what a million equal bytes become.
const MOST_EXPANDED: u64 = 1 << 20;
/// No buffer of a batch is longer, in bytes.
const LONGEST: u64 = 1 << 33;

/// Checks every batch of a file.
pub(super) fn check_file(bytes: &mut Bytes, metadata: &FileMetadata) -> Result<(), String> {
    let length = length(bytes)?;
    for block in metadata.dictionaries.iter().flatten().chain(&metadata.blocks) {
        let begin = u64::try_from(block.offset).map_err(|_| odd())?;
        message(bytes, begin, length)?.ok_or_else(odd)?;
    }
    Ok(())
}

/// Checks every batch of a stream.
pub(super) fn check_stream(bytes: &mut Bytes) -> Result<(), String> {
    let length = length(bytes)?;
    let mut begin = 0;
    while let Some(end) = message(bytes, begin, length)? {
        begin = end;
    }
    bytes.seek(SeekFrom::Start(0)).map(drop).map_err(|error| format!("it cannot be read: {error}"))
}

fn odd() -> String {
    damaged("a batch is longer than the file")
}

fn length(bytes: &mut Bytes) -> Result<u64, String> {
    bytes.seek(SeekFrom::End(0)).map_err(|error| format!("it cannot be read: {error}"))
}

/// Checks the message that begins there, and gives where it ends; `None` at the end of a stream.
fn message(bytes: &mut Bytes, begin: u64, length: u64) -> Result<Option<u64>, String> {
    let mut word = |at: u64| -> Result<Option<[u8; 4]>, String> {
        if length < at.saturating_add(4) {
            return Ok(None);
        }
        let mut word = [0; 4];
        let read = bytes.seek(SeekFrom::Start(at)).and_then(|_| bytes.read_exact(&mut word));
        read.map(|()| Some(word)).map_err(|error| format!("it cannot be read: {error}"))
    };
    let Some(first) = word(begin)? else { return Ok(None) };
    let (size, at) =
        if first == [0xff; 4] { (word(begin + 4)?.ok_or_else(odd)?, begin + 8) } else { (first, begin + 4) };
    let size = u64::from(u32::from_le_bytes(size));
    if size == 0 {
        return Ok(None);
    }
    let body = at.checked_add(size).filter(|body| *body <= length).ok_or_else(odd)?;
    let mut header = vec![0; size as usize];
    let read = bytes.seek(SeekFrom::Start(at)).and_then(|_| bytes.read_exact(&mut header));
    read.map_err(|error| format!("it cannot be read: {error}"))?;
    guarded(|| -> Result<Option<u64>, String> {
        let message = MessageRef::read_as_root(&header).map_err(|error| error.to_string())?;
        let n_body = message.body_length().map_err(|error| error.to_string())?;
        let end = u64::try_from(n_body).ok().and_then(|n| body.checked_add(n)).filter(|end| *end <= length);
        let end = end.ok_or("a batch is longer than the file")?;
        match message.header().map_err(|error| error.to_string())? {
            Some(MessageHeaderRef::RecordBatch(batch)) => check(bytes, batch, body, end)?,
            Some(MessageHeaderRef::DictionaryBatch(batch)) => {
                if let Some(batch) = batch.data().map_err(|error| error.to_string())? {
                    check(bytes, batch, body, end)?;
                }
            }
            _ => {}
        }
        Ok(Some(end))
    })
}

/// Checks the buffers of a batch, and that its columns are no longer than they.
fn check(bytes: &mut Bytes, batch: RecordBatchRef<'_>, body: u64, end: u64) -> Result<(), String> {
    let text = |error: polars_arrow_format::ipc::planus::Error| error.to_string();
    let is_packed = batch.compression().map_err(text)?.is_some();
    let mut longest = 0;
    let mut n_buffers = 0;
    for buffer in batch.buffers().map_err(text)?.into_iter().flat_map(polars_arrow_format::ipc::planus::Vector::iter) {
        n_buffers += 1;
        let (Ok(offset), Ok(size)) = (u64::try_from(buffer.offset()), u64::try_from(buffer.length())) else {
            return Err("a buffer has a negative length".to_owned());
        };
        let begin = body.checked_add(offset).filter(|begin| begin.checked_add(size).is_some_and(|last| last <= end));
        let begin = begin.ok_or("a buffer is longer than its batch")?;
        let mut expanded = size;
        if is_packed && 8 <= size {
            let mut prefix = [0; 8];
            let read = bytes.seek(SeekFrom::Start(begin)).and_then(|_| bytes.read_exact(&mut prefix));
            read.map_err(|error| error.to_string())?;
            // -1: it is not compressed.
            expanded = u64::try_from(i64::from_le_bytes(prefix)).unwrap_or(size);
        }
        if LONGEST.min(size.saturating_mul(MOST_EXPANDED)) < expanded {
            return Err("a buffer states an impossible length".to_owned());
        }
        longest = longest.max(expanded);
    }
    let is_absurd = |n: i64| u64::try_from(n).map_or(true, |n| 8 * longest.max(1) < n);
    let nodes = batch.nodes().map_err(text)?.into_iter().flat_map(polars_arrow_format::ipc::planus::Vector::iter);
    let views = batch
        .variadic_buffer_counts()
        .map_err(text)?
        .into_iter()
        .flat_map(polars_arrow_format::ipc::planus::Vector::iter);
    if 0 < n_buffers && nodes.into_iter().any(|node| is_absurd(node.length())) {
        return Err("a column states more rows than it has".to_owned());
    }
    if views.into_iter().any(|count| !(0..=n_buffers).contains(&count)) {
        return Err("a column states more buffers than there are".to_owned());
    }
    Ok(())
}
