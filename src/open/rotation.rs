//! Recognises rotated files: `x.log`, `x.log.1`, `x.log.2.gz`, `x.log-20260101` are one sequence.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::{Source, beginning};

/// Inputs to be read one after another, as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// The file name without what rotation and compression add; `stdin` for standard input.
    pub(crate) name: String,
    /// The directory of its files; empty for standard input.
    pub(crate) directory: PathBuf,
    /// Indices of its inputs, oldest first.
    pub(crate) members: Vec<usize>,
}

/// How old a rotated file is; older ones are smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// The date that rotation added.
    Date(u64),
    /// Counted from the newest, negated.
    Number(i64),
    /// The file that is written to.
    Current,
}

/// Puts the files of each sequence together, in order of first appearance.
pub(crate) fn sequences(sources: &[Source]) -> Vec<Sequence> {
    let mut sequences: Vec<(Sequence, Vec<Age>)> = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let (directory, name, age) = match source.path() {
            None => (PathBuf::new(), "stdin".to_owned(), None),
            // Hosts are no rotated files, whatever their names end with.
            Some(address) if matches!(source, Source::Fetched(_)) => {
                (PathBuf::new(), address.to_string_lossy().into_owned(), None)
            }
            Some(path) => {
                let (name, age) = split_name(path);
                (path.parent().unwrap_or(Path::new("")).to_owned(), name, Some(age))
            }
        };
        let found = sequences
            .iter_mut()
            .find(|(sequence, ages)| !ages.is_empty() && sequence.directory == directory && sequence.name == name);
        match (found, age) {
            (Some((sequence, ages)), Some(age)) => {
                let place = ages.partition_point(|other| *other <= age);
                sequence.members.insert(place, index);
                ages.insert(place, age);
            }
            _ => sequences.push((Sequence { name, directory, members: vec![index] }, age.into_iter().collect())),
        }
    }
    sequences.into_iter().map(|(sequence, _)| sequence).collect()
}

/// The name that a trend-csv series takes from its files: the stem, with as many directories as tell it apart.
pub(crate) fn stems(sequences: &[Sequence]) -> Vec<String> {
    let stem = |sequence: &Sequence, n_directories: usize| -> String {
        let name = Path::new(&sequence.name).file_stem().unwrap_or_default().to_string_lossy();
        let n_parts = sequence.directory.iter().count();
        let directories = sequence.directory.iter().skip(n_parts.saturating_sub(n_directories));
        directories.map(|part| part.to_string_lossy()).chain([name]).collect::<Vec<_>>().join("/")
    };
    let mut stems: Vec<String> = sequences.iter().map(|sequence| stem(sequence, 0)).collect();
    let most = sequences.iter().map(|sequence| sequence.directory.iter().count()).max().unwrap_or(0);
    for n_directories in 1..=most {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for stem in &stems {
            *counts.entry(stem.clone()).or_default() += 1;
        }
        for (name, sequence) in stems.iter_mut().zip(sequences) {
            if counts[name] > 1 {
                *name = stem(sequence, n_directories);
            }
        }
    }
    stems
}

/// Which sources were given before: the same file by whatever path, or one beside what was compressed of it.
pub(crate) fn is_again(sources: &[Source], sequences: &[Sequence]) -> Vec<bool> {
    #[expect(clippy::mutable_key_type, reason = "the hash of what was read from a server is that of its name alone")]
    let mut seen = HashSet::new();
    let mut is_again: Vec<bool> = sources
        .iter()
        .map(|source| match source {
            Source::File(path) => !seen.insert(Source::File(path.canonicalize().unwrap_or_else(|_| path.clone()))),
            other => !seen.insert(other.clone()),
        })
        .collect();
    for sequence in sequences {
        for (position, &index) in sequence.members.iter().enumerate() {
            let Some(path) = sources[index].path().filter(|path| without_compression(path) != **path) else { continue };
            let is_twin = |other: &usize| {
                sources[*other].path().is_some_and(|other| {
                    without_compression(path) == without_compression(other) && is_same_text(path, other)
                })
            };
            let before = sequence.members[..position].iter().filter(|other| !is_again[**other]);
            let plain = sequence.members[position + 1..]
                .iter()
                .filter(|other| sources[**other].path().is_some_and(|other| without_compression(other) == *other));
            is_again[index] |= before.chain(plain).any(is_twin);
        }
    }
    is_again
}

/// The name before compression.
fn without_compression(path: &Path) -> PathBuf {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz" | "zst") => path.with_extension(""),
        _ => path.to_owned(),
    }
}

/// Whether two files begin with the same text. What is no plain file, such as a pipe, can be read only once, and is not
/// looked into.
fn is_same_text(a: &Path, b: &Path) -> bool {
    if !a.is_file() || !b.is_file() {
        return false;
    }
    let begins = |path: &Path| beginning(path).filter(|bytes| !bytes.is_empty());
    begins(a).is_some_and(|text| Some(text) == begins(b))
}

/// The name of the log that a file belongs to: without what rotation and compression add.
pub fn base_name(path: &Path) -> String {
    split_name(path).0
}

/// A log and those files beside it that rotation made of it, oldest first.
///
/// Only files that exist; none where the folder cannot be read.
pub fn with_rotated(log: &Path) -> Vec<PathBuf> {
    let (name, _) = split_name(log);
    let folder = log.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut found: Vec<(Age, PathBuf)> = std::fs::read_dir(folder.unwrap_or(Path::new(".")))
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        // As the log was given: a name in the current folder stays a name.
        .map(|entry| folder.map_or_else(|| PathBuf::from(entry.file_name()), |folder| folder.join(entry.file_name())))
        .filter_map(|path| {
            let (base, age) = split_name(&path);
            (base == name && path.is_file()).then_some((age, path))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// The name without the marks of rotation and compression, and its age by these.
fn split_name(path: &Path) -> (String, Age) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let plain = [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    if let Some((base, number)) = plain.rsplit_once('.')
        && !base.is_empty()
        && (1..=4).contains(&number.len())
        && let Ok(number) = number.parse::<i64>()
    {
        return (base.to_owned(), Age::Number(-number));
    }
    // `x.log-20260101`, and `x-20260101.log` where the ending is kept last.
    let (stem, ending) = match plain.rsplit_once('.') {
        Some((stem, ending)) if !ending.contains('-') => (stem, Some(ending)),
        _ => (plain, None),
    };
    for (text, ending) in [(plain, None), (stem, ending)] {
        if let Some((base, date)) = text.rsplit_once(['-', '.'])
            && !base.is_empty()
            && is_date(date)
            && let Ok(date) = format!("{date:0<14}").parse()
        {
            let base = ending.map_or_else(|| base.to_owned(), |ending| format!("{base}.{ending}"));
            return (base, Age::Date(date));
        }
    }
    (plain.to_owned(), Age::Current)
}

/// `20260101`, `2026010100` and so on to the second, or an epoch.
fn is_date(text: &str) -> bool {
    [8, 10, 12, 14].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(paths: &[&str], expected: &str) {
        let sources: Vec<Source> = paths
            .iter()
            .map(|path| if *path == "-" { Source::Stdin } else { Source::File(PathBuf::from(path)) })
            .collect();
        let described: Vec<String> = sequences(&sources)
            .iter()
            .map(|sequence| {
                let members: Vec<&str> = sequence.members.iter().map(|index| paths[*index]).collect();
                format!("{}: {}", sequence.name, members.join(" < "))
            })
            .collect();
        assert_eq!(described.join(" | "), expected);
    }

    #[test]
    fn rotated_files_are_one_sequence_oldest_first() {
        check(
            &["a/x.log", "a/x.log.1", "a/x.log.10.gz", "a/x.log.2.gz"],
            "x.log: a/x.log.10.gz < a/x.log.2.gz < a/x.log.1 < a/x.log",
        );
        check(
            &["x.log-20260102.gz", "x.log", "x.log-20260101.zst"],
            "x.log: x.log-20260101.zst < x.log-20260102.gz < x.log",
        );
        check(&["x-20260102.csv", "x.csv"], "x.csv: x-20260102.csv < x.csv");
        check(&["x.csv.gz"], "x.csv: x.csv.gz");
    }

    #[test]
    fn other_files_stand_alone() {
        check(&["a/x.log", "b/x.log"], "x.log: a/x.log | x.log: b/x.log");
        check(&["trend-1.csv", "trend-2.csv"], "trend-1.csv: trend-1.csv | trend-2.csv: trend-2.csv");
        check(&["-", "stdin"], "stdin: - | stdin: stdin");
    }
}
