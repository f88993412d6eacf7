//! Every command in the README and in `docs/` is run, and what is said to be its output is compared.
//!
//! In a block of `sh` every line that begins with `leaktrend ` is run, in a copy of the tree that the page has to
//! itself; `/tmp/` is a folder of the test. A command must not exit with 2; one that ends in `# exit N` must exit with N.
//! A block `text output` (whatever its first word) holds the standard output of the command before it, a block
//! `text output FILE` a file that it wrote; a line `...` there stands for any lines.
//! `LEAKTREND_UPDATE=1 cargo test --test all docs::` writes blocks without such a line anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[path = "../../examples/terminal.rs"]
#[expect(dead_code, reason = "the program's own entry is not called here")]
mod terminal;

/// Pages that another test runs as a whole, with commands beside `leaktrend` that come before it.
const RUN_ELSEWHERE: [&str; 1] = ["docs/ci-soak.md"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.retain(|page| RUN_ELSEWHERE.iter().all(|other| *page != root().join(other)));
    pages.sort();
    pages
}

#[test]
fn every_command_in_the_docs_works_and_says_what_the_docs_say() {
    let pages = pages();
    assert!(pages.len() > 2, "{pages:?}");
    let mut n_commands = 0;
    let mut wrong = Vec::new();
    for path in pages {
        let text = fs::read_to_string(&path).unwrap();
        let update = std::env::var_os("LEAKTREND_UPDATE").is_some();
        let checked = check(&text, update);
        n_commands += checked.n_commands;
        wrong.extend(checked.wrong.iter().map(|problem| format!("{}: {problem}", path.display())));
        if update {
            fs::write(&path, checked.updated).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(n_commands > 10, "only {n_commands} commands were found");
}

#[test]
fn every_line_in_the_picture_of_the_terminal_is_what_the_program_prints() {
    let path = root().join("reports/terminal.svg");
    let drawn = terminal::picture().unwrap();
    if std::env::var_os("LEAKTREND_UPDATE").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    let text =
        roxmltree::Document::parse(&drawn).unwrap().descendants().filter(|node| node.has_tag_name("text")).count();
    assert!(text > 10, "{drawn}");
    assert!(fs::read_to_string(&path).unwrap() == drawn, "`{}` is stale: LEAKTREND_UPDATE=1", path.display());
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("(reports/terminal.svg)"), "the README shows the picture");
}

/// What came of running a page.
struct Checked {
    n_commands: usize,
    wrong: Vec<String>,
    /// The page with the output that there was.
    updated: String,
}

/// Runs the commands of a page. `update`: whether an output that differs, and can be written anew, is to be.
fn check(page: &str, update: bool) -> Checked {
    let tree = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    copy(root(), tree.path());
    let mut checked = Checked { n_commands: 0, wrong: Vec::new(), updated: String::new() };
    let mut last = None;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        checked.updated.push_str(&format!("{line}\n"));
        let Some(info) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let words: Vec<&str> = info.split_whitespace().collect();
        let mut shown: String = block.iter().flat_map(|line| [line, "\n"]).collect();
        match words.as_slice() {
            ["sh"] => {
                for command in commands(&block) {
                    checked.n_commands += 1;
                    let run = run(&command, tree.path(), elsewhere.path());
                    checked.wrong.extend(run.wrong);
                    last = Some((command, run.output));
                }
            }
            [_, "output", file @ ..] => {
                let (command, Some(output)) = last.as_ref().expect("an output follows a command") else {
                    checked.updated.push_str(&shown);
                    checked.updated.push_str("```\n");
                    continue;
                };
                let found = match file {
                    [] => output.clone(),
                    [file, ..] => fs::read_to_string(place(file, tree.path(), elsewhere.path())).unwrap_or_default(),
                };
                let updated = update && !block.contains(&"...");
                if !updated && !alike(&block, &found.lines().collect::<Vec<_>>()) {
                    checked.wrong.push(format!("`{command}` does not give\n{shown}but\n{found}"));
                }
                if updated {
                    shown = found;
                }
            }
            _ => {}
        }
        checked.updated.push_str(&shown);
        checked.updated.push_str("```\n");
    }
    checked
}

/// The commands of a block; a line that ends in `\` goes on in the next.
fn commands(block: &[&str]) -> Vec<String> {
    let text = block.join("\n").replace("\\\n", " ");
    text.lines().filter(|line| line.starts_with("leaktrend ")).map(str::to_owned).collect()
}

/// The server of the docs: where the page says `http://prometheus:9090`, one of the tests answers.
#[cfg(feature = "live")]
fn with_server<T>(run: impl FnOnce(&str) -> T) -> T {
    use crate::live::scripted::{Reply, Scripted, Shop};
    let server = Scripted::start(|request, _| {
        let is_alone = request.query().starts_with("container_memory_rss") || !request.query().contains("__name__");
        let memory = if is_alone { "container_memory_rss" } else { "none" };
        let rss = request.query().replace(memory, "container_memory_working_set_bytes");
        let form = request
            .form
            .iter()
            .map(|(key, value)| (key.clone(), if key == "query" { rss.clone() } else { value.clone() }));
        let mut asked = request.clone();
        asked.form = form.collect();
        let tenants = request.header("x-scope-orgid").is_none_or(|tenant| tenant == "shop");
        let shop = Shop { with_amounts: true, ..Shop::SMALL };
        if tenants { shop.answer(&asked) } else { Reply::new(401, "no such tenant") }
    });
    run(&server.address())
}

#[cfg(not(feature = "live"))]
fn with_server<T>(run: impl FnOnce(&str) -> T) -> T {
    run(SERVER)
}

const SERVER: &str = "http://prometheus:9090";

struct Run {
    /// `None` when this build cannot run it.
    output: Option<String>,
    wrong: Option<String>,
}

fn place(path: &str, tree: &Path, elsewhere: &Path) -> PathBuf {
    path.strip_prefix("/tmp/").map_or_else(|| tree.join(path), |path| elsewhere.join(path))
}

fn run(command: &str, tree: &Path, elsewhere: &Path) -> Run {
    let needs_live = command.contains(SERVER) || command.contains("--http-config");
    if needs_live && !cfg!(feature = "live") {
        return Run { output: None, wrong: None };
    }
    if needs_live {
        with_server(|address| run_with(command, tree, elsewhere, address))
    } else {
        run_with(command, tree, elsewhere, SERVER)
    }
}

/// The same; `address` stands for that of the docs.
fn run_with(command: &str, tree: &Path, elsewhere: &Path, address: &str) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_leaktrend"));
    let others = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", &command.replace("/tmp/", &format!("{}/", elsewhere.display())).replace(SERVER, address)])
        .current_dir(tree)
        .env("PATH", format!("{}:{others}", program.parent().unwrap().display()))
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let code = output.status.code().unwrap_or(-1);
    let expected = command.rsplit_once("# exit ").and_then(|(_, code)| code.trim().parse::<i32>().ok());
    let is_right = expected.map_or([0, 1, 3].contains(&code), |expected| code == expected);
    let said = String::from_utf8_lossy(&output.stderr);
    Run {
        output: Some(
            String::from_utf8_lossy(&output.stdout)
                .replace(&format!("{}/", elsewhere.display()), "/tmp/")
                .replace(address, SERVER),
        ),
        wrong: (!is_right).then(|| format!("`{command}` exited with {code}: {said}")),
    }
}

/// Whether lines are as expected; an expected `...` stands for any lines.
fn alike(expected: &[&str], found: &[&str]) -> bool {
    match expected {
        [] => found.is_empty(),
        ["..."] => true,
        ["...", rest @ ..] => (0..=found.len()).any(|skipped| alike(rest, &found[skipped..])),
        [line, rest @ ..] => found.first() == Some(line) && alike(rest, &found[1..]),
    }
}

/// Copies what a user's tree holds beside what is built and what git keeps.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        let target = to.join(&name);
        if [".git", "target", "corpus", "artifacts"].iter().any(|left_out| name == *left_out) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

#[test]
fn a_page_that_is_wrong_is_noticed() {
    let page = |command: &str, output: &str| format!("```sh\n{command}\n```\n\n```text output\n{output}```\n");
    for (command, output, n_wrong) in [
        ("leaktrend --version", "leaktrend 0.1.0\n", 0),
        ("leaktrend --version", "leaktrend 9.9.9\n", 1),
        (
            "leaktrend --help",
            "Finds memory leaks in containers from memory readings over time, with proof and charts\n...\n",
            0,
        ),
        ("leaktrend --help", "...\nno such line\n...\n", 1),
        ("leaktrend analyze no-such-file", "ERROR: nothing could be judged\n", 1),
        ("leaktrend analyze no-such-file # exit 2", "PASS: none of 0 series leaks\n", 1),
        ("leaktrend --version # exit 1", "leaktrend 0.1.0\n", 1),
        ("leaktrend config \\\n  > /tmp/settings", "", 0),
    ] {
        let checked = check(&page(command, output), false);
        assert_eq!((checked.n_commands, checked.wrong.len()), (1, n_wrong), "{command}: {:#?}", checked.wrong);
    }
}
