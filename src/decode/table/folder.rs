//! The tables in a folder, and the columns that the names of its folders are.

use std::io;
use std::path::{Path, PathBuf};

use super::plan::FolderColumn;
use crate::account::Format;

/// What stands for a null in the name of a folder.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// A table in a folder.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    /// From the names of the folders on the way to it, `key=value`.
    pub(super) folders: Vec<FolderColumn>,
}

/// All tables in a folder and those below it, in the order of their names.
///
/// What begins with `_` or `.` is left out: engines keep their own accounts there. Links to folders are not followed.
///
/// # Errors
///
/// When a folder cannot be read.
pub(super) fn tables(folder: &Path) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), Vec::new())];
    while let Some((folder, columns)) = folders.pop() {
        let mut entries = std::fs::read_dir(&folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        let mut below = Vec::new();
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(['_', '.']) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                let column = name.split_once('=').map(|(name, value)| column(name, value));
                below.push((entry.path(), columns.iter().cloned().chain(column).collect::<Vec<_>>()));
            } else if let Some(format) = format(&name) {
                found.push(Found { path: entry.path(), format, folders: columns.clone() });
            }
        }
        folders.extend(below.into_iter().rev());
    }
    Ok(found)
}

fn format(name: &str) -> Option<Format> {
    let (_, ending) = name.rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "parquet" => Some(Format::Parquet),
        "arrow" | "feather" | "ipc" => Some(Format::Arrow),
        _ => None,
    }
}

fn column(name: &str, value: &str) -> FolderColumn {
    let value = if value == NULL { String::new() } else { unescaped(value) };
    FolderColumn { name: unescaped(name), value }
}

/// `10%3A30` as `10:30`: engines write so what a folder's name cannot hold.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *byte == b'%').and_then(|code| std::str::from_utf8(code).ok());
        if let Some(code) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(code);
            rest = &after[2..];
        } else {
            bytes.push(*byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_are_columns() {
        for (name, value, expected) in [
            ("namespace", "shop", "shop"),
            ("at", "10%3A30", "10:30"),
            ("share", "5%", "5%"),
            ("name", "%C3%A9%2", "é%2"),
            ("pod", NULL, ""),
        ] {
            assert_eq!(column(name, value), FolderColumn { name: name.to_owned(), value: expected.to_owned() });
        }
    }
}
