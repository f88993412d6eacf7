//! The day of a CI user: the soak example, the action, the GitLab job, and every command of the page about them,
//! run as they are written, against a recorded soak.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with the examples, the data and the program beside them, as a job finds it.
fn checkout() -> tempfile::TempDir {
    let work = tempfile::tempdir().unwrap();
    for name in ["examples/soak", "examples/soak/replay", "data"] {
        fs::create_dir_all(work.path().join(name)).unwrap();
        for entry in fs::read_dir(root().join(name)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), work.path().join(name).join(entry.file_name())).unwrap();
            }
        }
    }
    work
}

/// A shell as a CI runner starts it, with leaktrend on the path and none of this machine's own CI variables.
fn shell(work: &Path) -> Command {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_leaktrend"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail"]).current_dir(work).env("PATH", path);
    for variable in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "BASE", "OUT", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Every `sh` block of the page, in order, with the `text` block that follows it.
fn commands(page: &str) -> Vec<(String, Option<String>)> {
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    let mut blocks = page.split("\n```");
    blocks.next();
    while let (Some(block), rest) = (blocks.next(), blocks.next()) {
        let (kind, body) = block.split_once('\n').unwrap();
        let follows = found.last_mut().filter(|(_, output)| output.is_none());
        match (kind, follows) {
            ("sh", _) => found.push((body.to_owned(), None)),
            ("text", Some((_, output))) => *output = Some(format!("{body}\n")),
            _ => {}
        }
        assert!(rest.is_some(), "a block is not closed");
    }
    found
}

#[test]
fn every_command_of_the_page_does_what_the_page_says() {
    let path = root().join("docs/ci-soak.md");
    let mut page = fs::read_to_string(&path).unwrap();
    let work = checkout();
    let commands = commands(&page);
    assert!(commands.len() >= 6, "the page has its commands");
    for (command, expected) in commands {
        // As a user types it: a verdict of failure does not end the shell.
        let output = shell(work.path()).args(["+e", "-c", &command]).output().unwrap();
        let found = text(&output.stdout);
        assert_ne!(status(&output), 2, "{command}: {}", text(&output.stderr));
        assert!(found.len() > 40, "{command} prints something: {}", text(&output.stderr));
        let Some(expected) = expected else { continue };
        if std::env::var_os("LEAKTREND_UPDATE").is_some() {
            let block = |text: &str| format!("```sh\n{command}\n```\n\n```text\n{text}```");
            page = page.replacen(&block(&expected), &block(&found), 1);
        } else {
            assert_eq!(found, expected, "{command}");
        }
    }
    if std::env::var_os("LEAKTREND_UPDATE").is_some() {
        fs::write(path, page).unwrap();
    }
}

#[test]
fn the_soak_fails_when_memory_stays_and_when_it_cannot_be_done() {
    let work = checkout();
    let soak = |setup: &str, load: &str| {
        let run = format!("{setup} examples/soak/replay/run.sh examples/soak/soak.sh {load}");
        shell(work.path()).args(["-c", &run]).output().unwrap()
    };
    let bad = soak("OUT=bad REPLAY_SERIES=2", "shop-api load");
    assert_eq!(status(&bad), 1, "{}", text(&bad.stderr));
    let readings = fs::read_to_string(work.path().join("bad/memory-usage.log")).unwrap();
    assert!(readings.lines().count() > 140, "it reads before, during and after");
    assert!(readings.starts_with("2026-11-23T20:06:38Z "), "{readings:.40}");

    let failed = soak("OUT=failed", "shop-api false");
    assert_eq!(status(&failed), 2);
    assert!(text(&failed.stderr).contains("the load ended with status 1"), "{}", text(&failed.stderr));
    let usage = soak("OUT=none", "shop-api");
    assert_eq!(status(&usage), 2);
    assert!(text(&usage.stderr).starts_with("soak.sh CONTAINERS LOAD"), "{}", text(&usage.stderr));
}

/// What the soak needs is looked for before it begins, not after an hour.
#[test]
fn the_soak_looks_for_its_programs_first() {
    let work = checkout();
    let soak = || {
        let mut command = std::process::Command::new("/bin/bash");
        command.current_dir(work.path()).env("PATH", work.path().join("programs"));
        command.args(["examples/soak/soak.sh", "shop-api", "true"]).output().unwrap()
    };
    fs::create_dir(work.path().join("programs")).unwrap();
    let without_docker = soak();
    assert_eq!(status(&without_docker), 2);
    assert_eq!(text(&without_docker.stderr), "soak.sh needs `docker`, which is not on the PATH\n");
    let docker = work.path().join("programs/docker");
    fs::write(&docker, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&docker, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let without_leaktrend = soak();
    assert_eq!(status(&without_leaktrend), 2);
    assert_eq!(
        text(&without_leaktrend.stderr),
        "soak.sh needs `leaktrend`, which is not on the PATH: build it by `cargo build --release`, then\n  \
         export PATH=/path/to/leaktrend/target/release:$PATH\n"
    );
}

fn yaml(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_gitlab_job_writes_the_artifacts_that_it_names() {
    let job = &yaml("examples/gitlab-ci.yml")["soak"];
    let work = checkout();
    let script: Vec<&str> = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    // The replay sets the times of the recording over those of the job.
    let run = format!("examples/soak/replay/run.sh {}", script.join("\n"));
    let mut command = shell(work.path());
    for (name, value) in job["variables"].as_object().unwrap() {
        command.env(name, value.as_str().unwrap());
    }
    let output = command.args(["-c", &run]).output().unwrap();
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    let junit = job["artifacts"]["reports"]["junit"].as_str().unwrap();
    assert!(fs::read_to_string(work.path().join(junit)).unwrap().contains("<testsuite "));
    assert_eq!(job["allow_failure"]["exit_codes"], 3);
}

/// Runs the steps of the action that are shell scripts; gives the status of the last and what it put out.
fn act(work: &Path, given: &[(&str, &str)]) -> (i32, String, String) {
    let action = yaml("action.yml");
    let value = |name: &str| {
        let given = given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let default = action["inputs"][name]["default"].as_str().map(str::to_owned);
        given.or(default).unwrap_or_else(|| panic!("the input {name} is neither given nor has it a default"))
    };
    let outputs = work.join("outputs");
    let mut last = 0;
    let mut said = String::new();
    for step in action["runs"]["steps"].as_array().unwrap() {
        let Some(script) = step["run"].as_str() else { continue };
        assert!(!script.contains("${{"), "an input in a script is code: it must come by a variable");
        let mut command = shell(work);
        command.env("GITHUB_OUTPUT", &outputs).env("GITHUB_STEP_SUMMARY", work.join("summary.md"));
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_PATH", work.join("path"));
        for (name, expression) in step["env"].as_object().into_iter().flatten() {
            let input = expression.as_str().unwrap().trim_start_matches("${{ inputs.").trim_end_matches(" }}");
            command.env(name, value(input));
        }
        let output = command.args(["-c", script]).output().unwrap();
        last = status(&output);
        said.push_str(&text(&output.stderr));
    }
    (last, fs::read_to_string(outputs).unwrap_or_default(), said)
}

#[test]
fn the_action_judges_compares_and_says_so() {
    let work = checkout();
    for (name, service) in [("good", 3), ("bad", 2)] {
        let run = format!(
            "OUT={name} REPLAY_SERIES={service} examples/soak/replay/run.sh examples/soak/soak.sh shop-api load"
        );
        let _ = shell(work.path()).args(["-c", &run]).output().unwrap();
    }
    let load = ("load", "20m..50m");
    let (status, outputs, said) = act(work.path(), &[("inputs", "good/memory-usage.log\n"), load]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(outputs, "verdict=leaktrend-report/verdict.json\nexit-code=0\n");
    assert_eq!(said, "");

    let base = ("base", "leaktrend-report/verdict.json");
    // Without the criterion only the comparison can tell.
    fs::write(work.path().join("leaktrend.toml"), "[criteria.flat-after-load]\ngates = false\n").unwrap();
    let bad = [("inputs", "bad/memory-usage.log"), load, base, ("out", "now"), ("args", "--charts\nnone")];
    let (status, _, said) = act(work.path(), &bad);
    assert_eq!(status, 1, "{said}");
    assert!(said.starts_with("::error title=shop-api%3A worse::the settled level went from "), "{said}");
    let summary = fs::read_to_string(work.path().join("summary.md")).unwrap();
    assert!(
        summary.contains("**PASS: the only series does not leak**")
            && summary.contains("**WORSE: 1 of 1 series: shop-api**")
    );
    assert!(work.path().join("now/junit.xml").exists() && !work.path().join("now/charts").exists());

    let (status, outputs, _) = act(work.path(), &[("inputs", "missing.log")]);
    assert_eq!(status, 2);
    assert!(outputs.ends_with("exit-code=2\n"), "{outputs}");
}

/// The recipes of the justfile are what CI, the workflows and the pages for developers run.
#[test]
fn every_recipe_that_is_named_exists() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let justfile = read("justfile");
    let is_recipe =
        |name: &str| justfile.lines().any(|line| line.split([' ', ':']).next() == Some(name) && line.contains(':'));
    let mut named: Vec<String> = Vec::new();
    let run = read(".ci/run");
    let in_turn = run.lines().find_map(|line| line.strip_prefix("for recipe in ")?.strip_suffix("; do")).unwrap();
    named.extend(in_turn.split(' ').map(str::to_owned));
    for page in ["ci.yml", "weekly.yml", "release.yml"].map(|name| format!(".github/workflows/{name}")) {
        let text = read(&page);
        let calls = text.lines().filter_map(|line| line.split("just ").nth(1).filter(|_| !line.contains("install")));
        for call in calls {
            // Words that are no recipes are arguments of the one before.
            named.extend(call.split(' ').next().map(str::to_owned));
        }
    }
    let pages = ["CONTRIBUTING.md", "SECURITY.md"].map(read);
    for line in pages.iter().flat_map(|page| page.lines()).filter_map(|line| line.strip_prefix("just ")) {
        named.extend(line.split(' ').next().map(str::to_owned));
    }
    assert!(named.len() > 20, "{named:?}");
    let unknown: Vec<&String> = named.iter().filter(|name| !is_recipe(name)).collect();
    assert!(unknown.is_empty(), "the justfile has no recipe for {unknown:?}");
}
