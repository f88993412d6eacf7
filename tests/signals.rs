//! Ctrl-C and SIGTERM: the exit code of a shell, no file half written, and the old report as it was. And what a
//! terminal is shown in the meantime.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use leaktrend::files;

const READING: &[u8] = b"1795464360,512.3MiB\n";

fn named_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn leaktrend(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    command.arg("analyze").args(args).env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn send(signal: &str, child: &Child) {
    let line = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
}

/// Every file of a folder and what it holds.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(contents(&entry.path()));
        } else if kind.is_file() {
            found.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// Checks how the program ended, and that the folder is as it was before.
#[track_caller]
fn check_ended(child: Child, code: i32, name: &str, folder: &Path, before: &BTreeMap<PathBuf, Vec<u8>>) {
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!("error: ended by {name}: incomplete files were not written\n")
    );
    assert!(output.stdout.is_empty());
    assert!(contents(folder) == *before, "the folder is as it was");
}

#[test]
fn a_signal_while_reading_leaves_the_old_report() {
    let work = tempfile::tempdir().unwrap();
    let (input, out) = (work.path().join("input"), work.path().join("report"));
    let input_text = input.to_str().unwrap();
    let args = [input_text, "--out", out.to_str().unwrap(), "--json", work.path().join("v.json").to_str().unwrap()]
        .map(str::to_owned);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    fs::write(&input, READING.repeat(3)).unwrap();
    assert_eq!(leaktrend(&args).status().unwrap().code(), Some(3));
    fs::remove_file(&input).unwrap();
    let before = contents(work.path());
    assert!(before.len() >= 3, "{:?}", before.keys());

    named_pipe(&input);
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let child = leaktrend(&args).spawn().unwrap();
        // A pipe opens for its writer when the reader is there.
        let mut writer = File::options().write(true).open(&input).unwrap();
        writer.write_all(READING).unwrap();
        send(signal, &child);
        check_ended(child, code, &format!("SIG{signal}"), work.path(), &before);
    }
}

/// As `nohup` and shells in the background have it.
#[test]
fn a_signal_that_was_ignored_stays_so() {
    let work = tempfile::tempdir().unwrap();
    let input = work.path().join("input");
    named_pipe(&input);
    let line = format!("trap '' INT HUP; exec {} analyze {}", env!("CARGO_BIN_EXE_leaktrend"), input.display());
    let mut command = Command::new("sh");
    command.args(["-c", &line]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let mut writer = File::options().write(true).open(&input).unwrap();
    writer.write_all(READING).unwrap();
    send("INT", &child);
    send("HUP", &child);
    writer.write_all(READING).unwrap();
    drop(writer);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(3));
}

/// Who reads standard error no more must not keep the program from ending.
#[test]
fn a_signal_ends_the_program_whose_standard_error_is_full() {
    let work = tempfile::tempdir().unwrap();
    let (input, errors) = (work.path().join("input"), work.path().join("errors"));
    named_pipe(&input);
    named_pipe(&errors);
    // Holds both ends, reads nothing, and leaves no room.
    let full = File::options().read(true).write(true).open(&errors).unwrap();
    let filler = File::options().write(true).open(&errors).unwrap();
    nix::fcntl::fcntl(&filler, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK)).unwrap();
    while (&filler).write_all(b"x").is_ok() {}
    nix::fcntl::fcntl(&filler, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::empty())).unwrap();

    let mut child = leaktrend(&[input.to_str().unwrap()]).stderr(filler).spawn().unwrap();
    let mut writer = File::options().write(true).open(&input).unwrap();
    writer.write_all(READING).unwrap();
    send("TERM", &child);
    assert_eq!(child.wait().unwrap().code(), Some(143));
    drop(full);
}

#[test]
fn a_signal_while_waiting_for_standard_input_ends_the_program() {
    let work = tempfile::tempdir().unwrap();
    let out = work.path().join("report");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut child = leaktrend(&["-", "--out", out.to_str().unwrap()]).stdin(Stdio::piped()).spawn().unwrap();
        // More than a pipe holds: written when the program has read.
        let mut writer = child.stdin.take().unwrap();
        writer.write_all(&READING.repeat(20_000)).unwrap();
        send(signal, &child);
        check_ended(child, code, &format!("SIG{signal}"), work.path(), &BTreeMap::new());
        drop(writer);
    }
}

#[test]
fn what_is_half_written_is_removed_and_nothing_is_begun() {
    let work = tempfile::tempdir().unwrap();
    let (first, second) = (work.path().join("first"), work.path().join("second"));
    fs::write(&first, "old").unwrap();
    let names = || -> Vec<String> {
        let entries = fs::read_dir(work.path()).unwrap().map(Result::unwrap);
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    };
    let staged = files::Staged::new(&second, b"staged").unwrap();
    let ((is_open, opened), (go_on, may_go_on)) = (mpsc::channel(), mpsc::channel());
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            files::replace(&first, move |file| {
                file.write_all(b"half")?;
                is_open.send(()).unwrap();
                may_go_on.recv().unwrap();
                file.write_all(b"whole")
            })
        });
        opened.recv().unwrap();
        assert_eq!(names().len(), 3, "{:?}", names());
        let ending = files::abandon();
        assert_eq!(names(), ["first"]);
        go_on.send(()).unwrap();
        let begun = scope.spawn(|| files::replace(&second, |file| file.write_all(b"new")));
        assert_eq!(names(), ["first"]);
        // The program would have ended. Here both go on, and what was abandoned stays so.
        drop(ending);
        assert!(writer.join().unwrap().is_err());
        begun.join().unwrap().unwrap();
    });
    assert!(files::place(Vec::new(), &[], staged).is_err());
    assert_eq!((fs::read(&first).unwrap(), fs::read(&second).unwrap()), (b"old".to_vec(), b"new".to_vec()));
}

/// `leaktrend` on a terminal of its own, where `script` is installed.
fn on_a_terminal(args: &str) -> Option<Command> {
    if Command::new("script").arg("--version").output().is_err() {
        assert!(
            std::env::var("LEAKTREND_REQUIRE_SCRIPT").as_deref() != Ok("1"),
            "`script` of util-linux is required and absent"
        );
        eprintln!("skipped: `script` of util-linux is absent");
        return None;
    }
    let mut command = Command::new("script");
    let line = format!("{} analyze {args}", env!("CARGO_BIN_EXE_leaktrend"));
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("TERM", "xterm");
    command.env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    Some(command)
}

#[test]
fn progress_is_shown_on_a_terminal_and_nowhere_else() {
    let work = tempfile::tempdir().unwrap();
    let input = |name: &str| {
        let path = work.path().join(name);
        named_pipe(&path);
        path.to_str().unwrap().to_owned()
    };
    let (piped, quiet, shown) = (input("piped"), input("quiet"), input("shown"));
    let Some(mut quiet_command) = on_a_terminal(&format!("{quiet} --quiet")) else { return };
    let begin = |child: Child, input: &str| -> (Child, File) {
        let mut writer = File::options().write(true).open(input).unwrap();
        writer.write_all(READING).unwrap();
        (child, writer)
    };
    let (piped, end_piped) = begin(leaktrend(&[&piped]).spawn().unwrap(), &piped);
    let (quiet, end_quiet) = begin(quiet_command.spawn().unwrap(), &quiet);
    let (mut shown, end_shown) = begin(on_a_terminal(&shown).unwrap().spawn().unwrap(), &shown);

    // It comes after two seconds, when the others have been waiting for longer.
    let mut terminal = shown.stdout.take().unwrap();
    let (mut said, mut some) = (String::new(), [0; 1000]);
    while !said.contains("B/s") {
        let n = terminal.read(&mut some).unwrap();
        assert!(n > 0, "the terminal was shown {said:?}");
        said.push_str(&String::from_utf8_lossy(&some[..n]));
    }
    assert!(said.contains("20 B read, "), "{said:?}");
    drop((end_piped, end_quiet, end_shown));
    terminal.read_to_string(&mut said).unwrap();
    assert_eq!(shown.wait().unwrap().code(), Some(3), "{said:?}");
    // The line is gone before the summary is printed in its place.
    let last = said.rsplit("\x1b[2K").next().unwrap();
    assert!(last.contains("INCONCLUSIVE") && !last.contains("B/s"), "{said:?}");

    let piped = piped.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&piped.stderr), "");
    let quiet = quiet.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&quiet.stdout), "");
}
