//! A disk that is full: the error names the file and the cause, and the report that stood there is as it was.
//!
//! The disk is a small one in memory, which only root can mount: elsewhere the test says that it did not run, and
//! `LEAKTREND_REQUIRE_MOUNT=1` makes that a failure.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The size of the disk, in bytes.
const DISK: usize = 4 << 20;

/// A disk of its own, gone with the value.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    /// `None`, said on standard error, where nothing can be mounted.
    fn mounted() -> Option<Disk> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={DISK}"), "leaktrend-test"])
            .arg(folder.path())
            .output()
            .unwrap();
        if mounted.status.success() {
            return Some(Disk { folder });
        }
        let why = String::from_utf8_lossy(&mounted.stderr);
        assert!(
            std::env::var("LEAKTREND_REQUIRE_MOUNT").as_deref() != Ok("1"),
            "a disk in memory is required and cannot be mounted: {why}"
        );
        eprintln!("skipped: a disk in memory cannot be mounted: {}", why.trim());
        None
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves room for so many bytes and no more.
    fn fill_but(&self, room: usize) {
        let mut filler = File::create(self.path().join("filler")).unwrap();
        let block = [7u8; 4096];
        while filler.write_all(&block).is_ok() {}
        let length = filler.metadata().unwrap().len();
        filler.set_len(length.saturating_sub(room as u64)).unwrap();
    }

    fn free(&self) {
        fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.folder.path()).status();
    }
}

fn leaktrend(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    command.current_dir(root).arg("analyze").args(args);
    command.env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY").output().unwrap()
}

/// Every file of a folder and what it holds.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(contents(&entry.path()));
        } else if entry.file_name() != "filler" {
            found.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// Checks that `output` is a refusal for want of room, and names the file that it was for.
#[track_caller]
fn check_no_room(output: &Output, paths: &[&Path]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let mut lines = said.lines();
    let first = lines.next().unwrap_or_default();
    let named = paths.iter().any(|path| first.starts_with(&format!("error: cannot write `{}", path.display())));
    assert!(named, "{said}");
    let cause = lines.next().unwrap_or_default();
    assert!(cause.starts_with("  caused by: No space left on device (os error 28)"), "{said}");
}

#[test]
fn a_report_that_finds_no_room_leaves_the_old_one_whole() {
    let Some(disk) = Disk::mounted() else { return };
    let out = disk.path().join("report");
    let out_text = out.to_str().unwrap();
    let old = ["tests/cases/soak-fails/memory-trend.csv", "--charts", "all", "--out", out_text];
    assert!(leaktrend(&old).stderr.is_empty());
    let before = contents(&out);
    assert!(before.len() > 2, "{:?}", before.keys());

    // Other readings, and a chart that the old report does not have.
    let new = ["tests/cases/own-rules/export.json", "--charts", "all", "--out", out_text, "--quiet"];
    let mut n_refused = 0;
    for room in (0..DISK).step_by(16 << 10) {
        disk.fill_but(room);
        let output = leaktrend(&new);
        disk.free();
        if output.status.code() != Some(2) {
            break;
        }
        check_no_room(&output, &[&out]);
        assert!(contents(&out) == before, "with room for {room} bytes the old report is not as it was");
        n_refused += 1;
    }
    assert!(n_refused > 3, "the disk was full with room for some of the files: {n_refused}");
    assert!(contents(&out) != before, "with room for all of it the new report is written");
    assert!(contents(&out).keys().all(|path| !path.to_string_lossy().contains(".leaktrend-")));
}

#[test]
fn single_files_that_find_no_room_are_as_they_were() {
    let Some(disk) = Disk::mounted() else { return };
    for option in ["--json", "--junit", "--html"] {
        let file = disk.path().join("result");
        fs::write(&file, "old").unwrap();
        disk.fill_but(0);
        let output = leaktrend(&["tests/cases/soak-fails/memory-trend.csv", option, file.to_str().unwrap(), "--quiet"]);
        check_no_room(&output, &[&file]);
        assert_eq!(fs::read(&file).unwrap(), b"old", "{option}");
        disk.free();
        assert_eq!(contents(disk.path()).len(), 1, "{option} leaves nothing beside it");
    }
}

#[test]
fn a_device_that_takes_nothing_is_an_error() {
    let input = "tests/cases/soak-fails/memory-trend.csv";
    for option in ["--json", "--junit", "--html"] {
        check_no_room(&leaktrend(&[input, option, "/dev/full", "--quiet"]), &[Path::new("/dev/full")]);
    }
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for args in [&[input][..], &[input, "--json", "-"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
        command.current_dir(root).arg("analyze").args(args).stdout(full());
        let output = command.env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY").output().unwrap();
        check_no_room(&output, &[Path::new("standard output")]);
    }
}
