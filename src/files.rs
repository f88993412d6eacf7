//! Writes results so that a reader never sees half of one: to a temporary file beside, then by rename.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempPath;

/// How the names of temporary files begin: a run that is killed leaves one behind.
pub const TEMPORARY: &str = ".leaktrend-";

/// The temporary files that there are. Whoever ends the program from another thread has to know what is to be removed.
static TEMPORARIES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Held while files that belong together are put into their places. Always taken before `TEMPORARIES`.
static PLACING: Mutex<()> = Mutex::new(());

fn hold<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    // What is held is right after every single step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes what is half written; for as long as the result is held, nothing is put into its place and nothing begun.
///
/// For a program that is about to end.
pub fn abandon() -> impl Sized {
    let placing = hold(&PLACING);
    let mut temporaries = hold(&TEMPORARIES);
    for path in std::mem::take(&mut *temporaries) {
        // There is nobody left to tell.
        let _ = fs::remove_file(path);
    }
    (placing, temporaries)
}

/// A file that is complete and not in its place yet. Dropped, it is gone, and what stood in its place is as it was.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// A file beside the place.
    File(Temporary),
    /// What a device or a pipe is to be given.
    Bytes(Vec<u8>),
}

impl Staged {
    /// Writes a file that `place` is to put at `path`.
    ///
    /// # Errors
    ///
    /// When there is no folder for it or no room, or when `path` is a folder.
    pub fn new(path: &Path, content: &[u8]) -> io::Result<Staged> {
        Staged::written(path, |file| file.write_all(content))
    }

    /// The same with what `write` writes.
    ///
    /// # Errors
    ///
    /// As `new`, and those of `write`.
    pub fn written(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Staged> {
        if is_device(path) {
            let mut bytes = Vec::new();
            write(&mut bytes)?;
            return Ok(Staged { path: path.to_owned(), content: Content::Bytes(bytes) });
        }
        let (path, file) = beside(path, Readers::All, |file| {
            let mut file = BufWriter::new(file);
            write(&mut file)?;
            file.flush()
        })?;
        Ok(Staged { path, content: Content::File(file) })
    }
}

/// Puts files into their places, removes `stale`, and puts `last`. Who ends the program by `abandon` finds all of it
/// done or nothing.
///
/// # Errors
///
/// The path that could not be replaced, and why. Room is not the reason: what is staged has it. Those before it in the
/// list are replaced then.
pub fn place(files: Vec<Staged>, stale: &[PathBuf], last: Staged) -> Result<(), (PathBuf, io::Error)> {
    let mut devices = Vec::new();
    let mut put = |Staged { path, content }: Staged| match content {
        Content::File(file) => file.persist(&path).map_err(|error| (path, error)),
        Content::Bytes(bytes) => {
            devices.push((path, bytes));
            Ok(())
        }
    };
    {
        let _whole = hold(&PLACING);
        for file in files {
            put(file)?;
        }
        for path in stale {
            // Gone already is as good as removed.
            let _ = fs::remove_file(path);
        }
        put(last)?;
    }
    // A pipe may keep its writer waiting, which must not keep a signal waiting.
    for (path, bytes) in devices {
        OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|mut to| to.write_all(&bytes))
            .map_err(|error| (path, error))?;
    }
    Ok(())
}

/// Replaces the file at `path` by what `write` writes, keeping the old one until the new one is complete.
///
/// A symbolic link stays, and the file that it names is replaced. What is neither a file nor a folder, such as
/// `/dev/stdout`, `/dev/null` or a named pipe, is written into: a rename would put a plain file in its place.
///
/// # Errors
///
/// When the folder does not exist, or something cannot be written; a file that stood at `path` is then as it was.
pub fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    replace_for(Readers::All, path, write)
}

/// The same; only the user and the group may read it, as they may a log.
///
/// # Errors
///
/// As `replace`.
pub fn replace_private(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    replace_for(Readers::Group, path, write)
}

fn replace_for(readers: Readers, path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    if is_device(path) {
        return write(&mut OpenOptions::new().write(true).open(path)?);
    }
    let (path, file) = beside(path, readers, write)?;
    let _whole = hold(&PLACING);
    file.persist(&path)
}

/// Who may read a file, beside its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    All,
    Group,
}

/// Removes what killed runs left in a folder: temporary files that nobody has written to since `before`.
pub fn remove_left_behind(folder: &Path, before: std::time::SystemTime) {
    // A folder that is not there, or not to be read, holds nothing that could be removed.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let is_old = || entry.metadata().and_then(|file| file.modified()).is_ok_and(|modified| modified < before);
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) && is_old() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether something stands there that is neither a file nor a folder.
fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Writes a file for `path`, beside it; where links lead is the first of the two.
fn beside(
    path: &Path,
    readers: Readers,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<(PathBuf, Temporary)> {
    // Only what exists has a canonical path.
    let path = fs::canonicalize(path).or_else(|_| dangling(path)).unwrap_or_else(|_| path.to_owned());
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = Temporary::write(folder, readers, write)?;
    Ok((path, temporary))
}

/// Where a link leads to that leads nowhere yet.
fn dangling(link: &Path) -> io::Result<PathBuf> {
    let target = fs::read_link(link)?;
    Ok(link.parent().unwrap_or(Path::new("")).join(target))
}

/// A complete temporary file, one of `TEMPORARIES`. It is closed: a report may have thousands.
#[derive(Debug)]
struct Temporary(Option<TempPath>);

impl Temporary {
    fn write(
        folder: &Path,
        readers: Readers,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<Temporary> {
        let (mut file, temporary) = {
            let mut all = hold(&TEMPORARIES);
            let (file, path) = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder)?.into_parts();
            all.insert(path.to_path_buf());
            (file, Temporary(Some(path)))
        };
        write(&mut file)?;
        readable_by(&file, readers)?;
        file.sync_all()?;
        Ok(temporary)
    }

    /// Gives it its name. `PLACING` is held.
    fn persist(mut self, path: &Path) -> io::Result<()> {
        let Some(temporary) = self.0.take() else { return Ok(()) };
        hold(&TEMPORARIES).remove(&temporary.to_path_buf());
        temporary.persist(path).map_err(|error| error.error)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(temporary) = self.0.take() {
            let path = temporary.to_path_buf();
            let mut all = hold(&TEMPORARIES);
            drop(temporary);
            all.remove(&path);
        }
    }
}

/// The same; the folder is made where it does not exist.
///
/// # Errors
///
/// When the folder cannot be made, or something cannot be written.
pub fn replace_in_new_folder(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    replace(path, write)
}

/// A temporary file is private; a report is not.
#[cfg(unix)]
fn readable_by(file: &File, readers: Readers) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match readers {
        Readers::All => 0o644,
        Readers::Group => 0o640,
    };
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn readable_by(_: &File, _: Readers) -> io::Result<()> {
    Ok(())
}

/// A file name for a series: letters, digits, `.`, `_` and `-` of its id, at most 80 bytes; never hidden, never read as
/// an option.
pub fn file_name(id: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = id.chars().map(safe).take(80).collect();
    let name = name.trim_start_matches(['.', '-']);
    // Windows gives these to devices, whatever follows the first dot.
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered =
        |device: &str| stem.strip_prefix(device).is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit());
    let is_device = ["con", "prn", "aux", "nul"].contains(&stem.as_str()) || numbered("com") || numbered("lpt");
    match name {
        "" => "series".to_owned(),
        _ if is_device => format!("_{name}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_could_not_be_written_is_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verdict.json");
        replace(&path, |file| file.write_all(b"old")).unwrap();
        let failed = replace(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("2026-11-23.json"), folder.path().join("latest.json"));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink("2026-11-23.json", &link).unwrap();
        replace(&link, |to| to.write_all(b"new")).unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
    }

    // Stands for `/dev/null`, which a test run by root must not put at risk.
    #[cfg(unix)]
    #[test]
    fn a_pipe_is_written_into_and_stays_a_pipe() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let reader = std::thread::spawn({
            let path = path.clone();
            move || std::fs::read(path).unwrap()
        });
        replace(&path, |to| to.write_all(b"{}")).unwrap();
        assert!(std::fs::metadata(&path).unwrap().file_type().is_fifo());
        assert_eq!(reader.join().unwrap(), b"{}");
    }

    #[test]
    fn names_make_harmless_files() {
        assert_eq!(file_name("web-1"), "web-1");
        assert_eq!(file_name("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(file_name("a|b<script>"), "a_b_script_");
        assert_eq!(file_name("..."), "series");
        assert_eq!(file_name("--rf"), "rf");
        assert_eq!(file_name("con.api"), "_con.api");
        assert_eq!(file_name("com1"), "_com1");
        assert_eq!(file_name("command"), "command");
        assert_eq!(file_name(&"x".repeat(300)).len(), 80);
    }
}
