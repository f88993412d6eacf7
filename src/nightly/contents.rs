//! Knows the contents of files again: what of a log was read on an earlier night, whatever became of its files.
//!
//! A file is known by its beginning, decompressed: by the SHA-256 of as many bytes as were read of it. So it may have
//! been renamed, copied or compressed; one that was truncated starts over. A log that was cut at its front is known by
//! the last lines that were read of it. Takes and gives bytes; opens no file.

use sha2::{Digest, Sha256};

use super::state::{Beginning, ReadContent};

/// How much of the end of what was read is remembered, in bytes.
const TAIL_BYTES: usize = 4 << 10;

/// Shorter tails may come again by chance.
const LEAST_TAIL_BYTES: usize = 1 << 10;

/// So many nights of a file are enough to know an older copy of it.
const MOST_BEGINNINGS: usize = 64;

/// Remembers that the first `length` bytes of a file were read; `known` is what was remembered of it before.
pub(super) fn remember(known: Option<&ReadContent>, bytes: &[u8], length: usize, now_ms: i64) -> ReadContent {
    let read = &bytes[..length];
    let start = read.len().saturating_sub(TAIL_BYTES);
    let start = if start == 0 { 0 } else { start + line_end(&read[start..]) };
    let tail = std::str::from_utf8(&read[start..]).unwrap_or_default();
    let tail = if tail.len() >= LEAST_TAIL_BYTES && tail.ends_with('\n') { tail } else { "" };

    let now = Beginning { length: length as u64, sha256: hex(&Sha256::digest(read)) };
    let earlier = known.map_or(&[][..], |known| &known.beginnings);
    // A log that was cut at its front has other beginnings from then on.
    let still = hashes(bytes, &earlier.iter().map(|beginning| beginning.length).collect::<Vec<_>>());
    let mut beginnings: Vec<Beginning> = earlier
        .iter()
        .filter(|beginning| beginning.length < now.length && still.contains(beginning))
        .cloned()
        .collect();
    beginnings.push(now);
    beginnings.drain(..beginnings.len().saturating_sub(MOST_BEGINNINGS));
    ReadContent { beginnings, tail: tail.to_owned(), seen_ms: now_ms }
}

/// Where the first line of `bytes` ends.
fn line_end(bytes: &[u8]) -> usize {
    memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1)
}

/// The files whose content another file begins with: copies, made by a rotation that is going on. Of equal ones the
/// last is not.
pub(super) fn copies(files: &[&[u8]]) -> Vec<bool> {
    let begins = |index: usize, other: usize| {
        let (file, other_file) = (files[index], files[other]);
        index != other && other_file.starts_with(file) && (file.len() < other_file.len() || index < other)
    };
    (0..files.len()).map(|index| (0..files.len()).any(|other| begins(index, other))).collect()
}

/// What was read of a file before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// The content that it was known by, as an index.
    pub(super) content: usize,
    /// How many of its bytes were read.
    pub(super) length: usize,
}

/// Finds what was read before in files, given oldest first; each content is found in at most one of them.
pub(super) fn recognise(files: &[&[u8]], contents: &[ReadContent]) -> Vec<Option<Known>> {
    let mut beginnings: Vec<(usize, &Beginning)> = contents
        .iter()
        .enumerate()
        .flat_map(|(index, content)| content.beginnings.iter().map(move |beginning| (index, beginning)))
        .collect();
    beginnings.sort_by_key(|(_, beginning)| beginning.length);
    let lengths: Vec<u64> = beginnings.iter().map(|(_, beginning)| beginning.length).collect();
    let hashes: Vec<Vec<Beginning>> = files.iter().map(|file| hashes(file, &lengths)).collect();

    let mut known: Vec<Option<Known>> = vec![None; files.len()];
    let mut is_found = vec![false; contents.len()];
    for (content, beginning) in beginnings.into_iter().rev() {
        let found = (0..files.len()).find(|&file| known[file].is_none() && hashes[file].contains(beginning));
        if let Some(file) = found.filter(|_| !is_found[content]) {
            known[file] = Some(Known { content, length: beginning.length as usize });
            is_found[content] = true;
        }
    }
    for (index, content) in contents.iter().enumerate() {
        let tail = content.tail.as_bytes();
        if tail.is_empty() || is_found[index] {
            continue;
        }
        for (file, known) in files.iter().zip(&mut known) {
            if known.is_none()
                && let Some(at) = memchr::memmem::rfind(file, tail)
            {
                *known = Some(Known { content: index, length: at + tail.len() });
                break;
            }
        }
    }
    known
}

/// The beginnings of the given lengths (rising) that a file has.
fn hashes(file: &[u8], lengths: &[u64]) -> Vec<Beginning> {
    let mut hasher = Sha256::new();
    let mut done = 0;
    lengths
        .iter()
        .take_while(|length| **length <= file.len() as u64)
        .map(|&length| {
            hasher.update(&file[done..length as usize]);
            done = length as usize;
            Beginning { length, sha256: hex(&hasher.clone().finalize()) }
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).expect("half a byte is below 16");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines that differ.
    fn lines(range: std::ops::Range<u32>) -> Vec<u8> {
        range.flat_map(|n| format!("9a9858661741   web   0.1%   {n}MiB / 1GiB\n").into_bytes()).collect()
    }

    #[track_caller]
    fn check(files: &[Vec<u8>], marks: &[ReadContent], expected: &[Option<usize>]) {
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let lengths: Vec<Option<usize>> =
            recognise(&files, marks).into_iter().map(|known| known.map(|known| known.length)).collect();
        assert_eq!(lengths, expected);
    }

    fn read(bytes: &[u8]) -> ReadContent {
        remember(None, bytes, bytes.len(), 0)
    }

    #[test]
    fn a_file_that_grew_or_was_renamed_is_known_by_its_beginning() {
        let before = lines(0..100);
        let contents = [read(&before)];
        check(&[lines(0..130)], &contents, &[Some(before.len())]);
        check(&[lines(0..100), lines(200..210)], &contents, &[Some(before.len()), None]);
        check(&[lines(0..130), lines(200..210)], &contents, &[Some(before.len()), None]);
    }

    #[test]
    fn an_older_copy_is_known_by_what_was_read_of_it_then() {
        let first = read(&lines(0..100));
        let both = [remember(Some(&first), &lines(0..150), lines(0..150).len(), 0)];
        check(&[lines(0..120)], &both, &[Some(lines(0..100).len())]);
        check(&[lines(0..150)], &both, &[Some(lines(0..150).len())]);
    }

    #[test]
    fn a_truncated_or_another_file_is_new() {
        let contents = [read(&lines(0..100))];
        check(&[lines(200..300)], &contents, &[None]);
        check(&[lines(0..99)], &contents, &[None]);
        check(&[Vec::new()], &contents, &[None]);
    }

    /// An idle container prints the same line on every night.
    #[test]
    fn one_beginning_is_that_of_one_file() {
        let line = lines(0..1);
        let first = read(&line);
        check(&[line.repeat(5), line.repeat(3)], std::slice::from_ref(&first), &[Some(line.len()), None]);
        let longer = remember(Some(&first), &line.repeat(3), 3 * line.len(), 0);
        check(&[line.repeat(5), line.repeat(2)], &[longer], &[Some(3 * line.len()), None]);
    }

    #[test]
    fn a_log_that_was_cut_at_its_front_is_known_by_the_last_lines_that_were_read() {
        let contents = [read(&lines(0..200))];
        check(&[lines(60..230)], &contents, &[Some(lines(60..200).len())]);
        let short = [read(&lines(0..5))];
        check(&[lines(4..20)], &short, &[None]);
    }

    #[test]
    fn what_another_file_begins_with_is_a_copy() {
        let files = [lines(0..10), lines(0..12), lines(5..7), lines(5..7)];
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        assert_eq!(copies(&files), [true, false, true, false]);
    }
}
