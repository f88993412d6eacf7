//! What CI servers and shells read: JUnit, annotations, job summaries, completions, man pages.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs leaktrend in the repository, outside of any CI.
fn leaktrend(args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrend"));
    command.current_dir(root()).args(args).env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    command.envs(variables.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The values of an attribute of all elements of a name, in order.
fn attributes(xml: &str, element: &str, attribute: &str) -> Vec<String> {
    let start = format!("<{element} ");
    let of_element = xml.split(&start).skip(1).map(|rest| rest.split('>').next().unwrap());
    of_element
        .map(|tag| {
            let value = tag.split(&format!("{attribute}=\"")).nth(1).unwrap_or_default();
            value.split('"').next().unwrap().to_owned()
        })
        .collect()
}

fn junit(args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("junit.xml");
    leaktrend(&[&["analyze", "--quiet", "--junit", path.to_str().unwrap()], args].concat(), &[]);
    let xml = fs::read_to_string(&path).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    xml
}

/// What Jenkins, GitLab and GitHub's reporters rely on: names and class names on every case, counts that add up, a
/// message on everything that did not pass, unique cases within a suite.
#[track_caller]
fn check_for_consumers(xml: &str) {
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites "), "{xml:.80}");
    assert!(xml.ends_with("</testsuites>\n"));
    let count = |element: &str| xml.matches(&format!("<{element} ")).count();
    let total = |attribute: &str| attributes(xml, "testsuites", attribute)[0].parse::<usize>().unwrap();
    let sum = |attribute: &str| -> usize {
        attributes(xml, "testsuite", attribute).iter().map(|number| number.parse::<usize>().unwrap()).sum()
    };
    for (attribute, element) in
        [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
    {
        assert_eq!((total(attribute), sum(attribute)), (count(element), count(element)), "{attribute}");
    }
    for element in ["failure", "error", "skipped"] {
        let messages = attributes(xml, element, "message");
        assert!(messages.iter().all(|message| message.len() > 10), "{messages:?}");
    }
    let mut cases: Vec<(String, String)> =
        attributes(xml, "testcase", "classname").into_iter().zip(attributes(xml, "testcase", "name")).collect();
    assert!(cases.iter().all(|(class, name)| !class.is_empty() && !name.is_empty()));
    let all = cases.len();
    cases.sort();
    cases.dedup();
    assert_eq!(cases.len(), all, "a server would show two cases as one");
}

const LOG: [&str; 5] = ["data/memory-usage.log", "--interval", "10s", "--end", "2026-11-23T21:21:15Z"];

#[test]
fn junit_names_what_failed_with_its_numbers() {
    let xml = junit(&LOG);
    check_for_consumers(&xml);
    assert_eq!(attributes(&xml, "testsuite", "name").len(), 6, "the inputs and five services");
    let leak = xml.split("<testsuite name=\"vedfinance-api-leak\"").nth(1).unwrap();
    let verdict = leak.split("</testcase>").next().unwrap();
    assert!(
        verdict.contains("<failure message=\"leak: ") || verdict.contains("<failure message=\"leak-masked"),
        "{verdict}"
    );
    assert!(verdict.contains("MiB a minute"), "{verdict}");
    assert!(xml.contains("<skipped message=") && !xml.contains("baseline-300mb"), "what does not gate is no case");
}

#[test]
fn what_is_inconclusive_is_skipped_unless_the_policy_fails_it() {
    let short = ["data/memory-trend.csv", "--until", "2026-11-23T20:08:38Z"];
    let skipped = junit(&short);
    check_for_consumers(&skipped);
    assert!(
        skipped.contains("<skipped message=\"inconclusive: ") && !skipped.contains("<failure message=\"inconclusive: ")
    );
    let failed = junit(&[&short[..], &["--inconclusive", "fail"]].concat());
    check_for_consumers(&failed);
    assert!(
        failed.contains("<failure message=\"inconclusive: ") && !failed.contains("<skipped message=\"inconclusive: ")
    );
}

#[test]
fn an_input_that_cannot_be_used_is_an_error_and_names_are_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("a\"<b>&\u{1b}.csv");
    fs::write(&odd, "nothing\n").unwrap();
    let xml = junit(&["data/memory-trend.csv", odd.to_str().unwrap()]);
    check_for_consumers(&xml);
    assert_eq!(xml.matches("<error ").count(), 1);
    assert!(xml.contains("a&quot;&lt;b&gt;&amp;\u{fffd}.csv"), "{xml:.600}");
}

#[test]
fn on_github_series_are_annotated_and_json_stays_json() {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let github = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
    let output = leaktrend(&[&["analyze", "--json", "-"], &LOG[..]].concat(), &github);
    let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let said = text(&output.stderr);
    let failed = verdict["series"].as_array().unwrap().iter().filter(|series| series["outcome"] == "fail").count();
    assert!(failed > 1);
    assert_eq!(said.lines().filter(|line| line.starts_with("::error title=vedfinance-")).count(), failed);
    assert!(said.lines().all(|line| line.starts_with("::error ") || line.starts_with("::warning ")), "{said}");
    let markdown = fs::read_to_string(&summary).unwrap();
    assert!(markdown.starts_with("before\n**FAIL: "), "it is appended: {markdown:.60}");
    assert!(!markdown.contains("!["), "charts are not there");

    // Outside of GitHub nothing of that happens.
    assert_eq!(text(&leaktrend(&[&["analyze", "--quiet"], &LOG[..]].concat(), &[]).stderr), "");
}

#[test]
fn a_summary_beyond_what_github_takes_is_shortened() {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary.md");
    fs::write(&summary, "x".repeat((1 << 20) - 4000)).unwrap();
    let github = [("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
    leaktrend(&[&["analyze", "--quiet"], &LOG[..]].concat(), &github);
    let markdown = fs::read_to_string(&summary).unwrap();
    assert!(markdown.len() <= 1 << 20, "{}", markdown.len());
    assert!(markdown.contains("Sections left out"), "{}", &markdown[(1 << 20) - 4000..]);

    // One that cannot be written changes no verdict.
    let gone = folder.path().join("gone/summary.md");
    let output =
        leaktrend(&[&["analyze", "--quiet"], &LOG[..]].concat(), &[("GITHUB_STEP_SUMMARY", gone.to_str().unwrap())]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("warning: cannot write the job summary `"));
}

#[test]
fn completions_are_scripts_of_their_shells() {
    for (shell, word) in [("bash", "complete -F"), ("zsh", "#compdef leaktrend"), ("fish", "complete -c leaktrend")] {
        let output = leaktrend(&["completions", shell], &[]);
        let script = text(&output.stdout);
        assert!(script.contains(word) && script.contains("junit") && script.contains("compare"), "{shell}");
    }
    let script = "source <(\"$LEAKTREND\" completions bash)\nCOMP_WORDS=(leaktrend comp); COMP_CWORD=1\n_leaktrend leaktrend comp leaktrend\nprintf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["--norc", "-c", script])
        .env("LEAKTREND", env!("CARGO_BIN_EXE_leaktrend"))
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "compare\ncompletions\n", "{}", text(&output.stderr));
}

#[test]
fn every_subcommand_and_option_has_its_man_page() {
    let folder = tempfile::tempdir().unwrap();
    let output = leaktrend(&["man", folder.path().to_str().unwrap()], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let mut names: Vec<String> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    for name in ["leaktrend-analyze.1", "leaktrend-compare.1", "leaktrend-completions.1", "leaktrend.1"] {
        assert!(names.iter().any(|known| known == name), "{name} is missing from {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("man")), "what is hidden has no page");
    for subcommand in ["analyze", "compare"] {
        let page = fs::read_to_string(folder.path().join(format!("leaktrend-{subcommand}.1"))).unwrap();
        assert!(page.contains(&format!(".TH leaktrend-{subcommand} 1")), "{page:.200}");
        let help = text(&leaktrend(&[subcommand, "--help"], &[]).stdout);
        let options = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
        for option in options {
            let name: String = option.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
            assert!(page.contains(&name.replace('-', "\\-")), "{name} is missing from the page of {subcommand}");
        }
    }
}
