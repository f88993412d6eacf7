//! Writes results so that a reader never sees half of one: to a temporary file beside, then by rename.

use std::fs::File;
use std::io;
use std::path::Path;

/// Replaces the file at `path` by what `write` writes, keeping the old one until the new one is complete.
///
/// # Errors
///
/// When the folder does not exist, or something cannot be written; what stood at `path` is then as it was.
pub fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new().prefix(".leaktrend-").tempfile_in(folder)?;
    write(temporary.as_file_mut())?;
    temporary.as_file().sync_all()?;
    readable_by_all(temporary.as_file())?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The same; the folder is made where it does not exist.
///
/// # Errors
///
/// When the folder cannot be made, or something cannot be written.
pub fn replace_in_new_folder(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    replace(path, write)
}

/// A temporary file is private; a report is not.
#[cfg(unix)]
fn readable_by_all(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &File) -> io::Result<()> {
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
    use std::io::Write;

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
